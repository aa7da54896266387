"""The bench's architectures and inputs for PyTorch; see architectures.ts and inputs.ts."""

import torch
from torch import nn
from torch.nn import functional as F


def digits_cnn(device):
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(784, 10),
    ).to(device)


def colour_cnn(device):
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2048, 10),
    ).to(device)


def mlp(device):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)).to(device)


def pixels(count, *shape, device):
    return (torch.rand(count, *shape) * 2 - 1).clamp(min=0).to(device)


def digits(count, device):
    return pixels(count, 1, 28, 28, device=device)


def labels(count, device):
    return (torch.arange(count) % 10).to(device)


def training(build, shape, steps=1, models=1):
    """Adam steps on batches of 64, each of `models` networks in turn; the last loss is read."""

    def prepare(device):
        x, y = pixels(64, *shape, device=device), labels(64, device)
        kept = build(device) if models == 1 else None
        kept_optimizer = torch.optim.Adam(kept.parameters(), 0.001) if kept else None

        def work():
            for _ in range(models):
                model = kept or build(device)
                optimizer = kept_optimizer or torch.optim.Adam(model.parameters(), 0.001)
                for _ in range(steps):
                    optimizer.zero_grad()
                    loss = F.cross_entropy(model(x), y)
                    loss.backward()
                    optimizer.step()
                loss.item()

        return work

    return prepare
