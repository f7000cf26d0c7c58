"""Lesson 16, Capstone: a project of your own: its cells tagged `keep`, built."""

import copy

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from tqdm.auto import tqdm

from transfer_lib import data
from transfer_lib.exercises import clinic


def train(model, x, y, steps, seed, rate=1e-3):
    """Return the model after so many steps on batches of 32; x as delivered, 0 to 16."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    model.train()
    for _ in tqdm(range(steps), leave=False, delay=1):
        rows = torch.randint(len(x), (32,), generator=generator)
        loss = torch.nn.functional.cross_entropy(model(x[rows] / 16), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def said(model, x):
    """Return the classes that a network gives."""
    with torch.no_grad():
        return model(x / 16).argmax(1).numpy()


def draw(y, per_class, seed):
    """Return rows of so many labels per class."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(y == k))[:per_class] for k in range(10)])


def fresh(seed):
    """Return the untrained network of a seed."""
    torch.manual_seed(seed)
    return clinic.network()


def three(seed, epochs=8):
    """Return what three networks say of the test scans, and how many steps each was trained."""
    x_print, y_print, *_ = clinic.digits("font_digits")
    x, y, x_test, _ = clinic.digits("digits")
    rows = draw(y, 10, seed)
    first, then = (epochs * -(-n // 32) for n in (len(x_print), len(rows)))
    source = train(fresh(seed), x_print, y_print, first, seed)
    networks = {
        "pretrained, fine-tuned": train(copy.deepcopy(source), x[rows], y[rows], then, seed),
        "from nothing, 8 epochs": train(fresh(seed), x[rows], y[rows], then, seed),
        "from nothing, as many steps": train(fresh(seed), x[rows], y[rows], first + then, seed),
    }
    return {name: said(net, x_test) for name, net in networks.items()}, (first, then)


def twin(recipe):
    """Return the recipe of the control: `start` untrained, one stage on the target."""
    steps = sum(steps for _, steps in recipe["stages"])
    return {**recipe, "start": "untrained", "stages": [("target", steps)]}


def photographed(seed, scans=100, times=4):
    """Return photographs (n, 64), their labels, and which scan each is of."""
    d, rng = data.load("digits"), np.random.default_rng(seed)
    rows = draw(d.y_train, scans // 10, seed)
    flat = d.x_train[rows].reshape(scans, -1).astype(float)
    shots = np.concatenate([flat + 1.5 * rng.normal(size=flat.shape) for _ in range(times)])
    return shots, np.tile(d.y_train[rows], times), np.tile(np.arange(scans), times)


def judged(x, y, kept):
    """Return accuracy on the rows kept for validation, and on the test scans, in percent."""
    d = data.load("digits")
    model = KNeighborsClassifier(1).fit(x[~kept], y[~kept])
    flat = d.x_test.reshape(len(d.x_test), -1)
    return 100 * model.score(x[kept], y[kept]), 100 * model.score(flat, d.y_test)


def split_by(groups, share, seed):
    """Return True (n,) for rows kept for validation: whole groups, about `share` of them, by lot."""
    names = np.unique(groups)
    lot = np.random.default_rng(seed).permutation(names)
    return np.isin(groups, lot[: round(share * len(names))])


def paired(a, b, truth):
    """Return the accuracy of a less that of b, and its standard error, both in points."""
    d = 1.0 * (a == truth) - 1.0 * (b == truth)
    return 100 * d.mean(), 100 * d.std() / np.sqrt(len(d))
