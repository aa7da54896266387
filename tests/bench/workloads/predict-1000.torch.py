import torch
from torch_models import digits, digits_cnn


def prepare(device):
    model = digits_cnn(device)
    x = digits(1000, device)

    def work():
        with torch.no_grad():
            model(x).argmax(1).cpu()

    return work
