"""What the patients of the clinic are made of: digits, and the network that reads print."""

import copy
from functools import cache


def digits(name):
    """Return images (n, 1, 8, 8) as they are delivered, 0 to 16, and labels, of both parts."""
    import torch

    from transfer_lib import data

    d = data.load(name)
    train, test = (torch.tensor(x).float()[:, None] for x in (d.x_train, d.x_test))
    return train, torch.tensor(d.y_train), test, torch.tensor(d.y_test)


def network(classes=10):
    """Return an untrained network: ``body``, 64 features, and ``head``."""
    from collections import OrderedDict

    from torch import nn

    layers, channels = [], 1
    for width in (16, 32, 64):
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels = width
    parts = OrderedDict(body=nn.Sequential(*layers, nn.Flatten()), head=nn.Linear(64, classes))
    return nn.Sequential(parts)


@cache
def _read_print(seed):
    import torch
    from torch.nn import functional as F

    x, y, *_ = digits("font_digits")
    torch.manual_seed(seed)
    model = network().train()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(300):
        rows = torch.randperm(len(x))[:64]
        loss = F.cross_entropy(model(x[rows] / 16), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def pretrained(seed=0):
    """Return a network that reads printed digits, images scaled to 0 .. 1."""
    return copy.deepcopy(_read_print(seed))
