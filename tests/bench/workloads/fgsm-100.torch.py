from torch.nn import functional as F
from torch_models import digits, digits_cnn, labels


def prepare(device):
    model = digits_cnn(device).requires_grad_(False)
    x, y = digits(100, device), labels(100, device)

    def work():
        leaf = x.detach().requires_grad_()
        F.cross_entropy(model(leaf), y, reduction="sum").backward()
        (x + 0.25 * leaf.grad.sign()).clamp(0, 1).cpu()

    return work
