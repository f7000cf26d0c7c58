"""Lesson 13, Few labels or none, and not forgetting: its cells tagged `keep`, built."""

import copy
from functools import partial

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from transfer_lib import data, encoders
from transfer_lib.data import reviews
from transfer_lib.taught.lesson_06 import Classifier, tfidf


def unit(x):
    """Return the rows of x, each with the length 1."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def vectors_of(kept):
    """Return one vector of length 1 per text: the mean of its states."""
    return unit(np.stack([state.mean(0).float().cpu().numpy() for state in kept]))


def embed(encoder, tokenizer, some):
    """Return the vectors of some texts."""
    depth = len(encoders.layers(encoder))
    return vectors_of(encoders.run_layers(encoder, tokenizer, some, keep=(depth,))[depth])


def train_on(parameters, loss_of, steps, rate=3e-3, seed=0):
    """Take steps on `loss_of(generator)`, at a rate that falls along a cosine."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(parameters, rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in tqdm(range(steps), leave=False, delay=1):
        loss = loss_of(generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def zero_shot(vectors, positive, negative):
    """Return one score for each of the vectors (n, d), from sentences (k, d) for either class."""
    towards, away = unit(positive.mean(axis=0)), unit(negative.mean(axis=0))
    return vectors @ (towards - away)


PAIRS = {
    "This was excellent.": "This was terrible.",
    "I loved it.": "I hated it.",
    "Highly recommended.": "Not recommended.",
    "It is good.": "It is bad.",
    "A positive review.": "A negative review.",
}


def nearest(x, y, asked):
    """Return the class, 0, 1, 2 ..., of each row of `asked`; all rows have length 1."""
    means = unit(np.stack([x[y == k].mean(axis=0) for k in np.unique(y)]))
    return (asked @ means.T).argmax(axis=1)


def few(texts, vectors, y, rows, asked):
    """Return what three ways get right of the texts asked about, from the labels of some rows."""
    words = tfidf(C=10).fit([texts[i] for i in rows], y[rows])
    probe = LogisticRegression(C=10, max_iter=2000).fit(vectors[rows], y[rows])
    said = {
        "class means": nearest(vectors[rows], y[rows], vectors[asked]),
        "probe": probe.predict(vectors[asked]),
        "word counts": words.predict([texts[i] for i in asked]),
    }
    return {name: np.mean(one == y[asked]) for name, one in said.items()}


def contrast(z, y, tau=0.2):
    """Return the mean cross-entropy of finding one's partners among all other rows."""
    z, itself = F.normalize(z, dim=1), torch.eye(len(y), dtype=torch.bool, device=z.device)
    log_p = (z @ z.T / tau).masked_fill(itself, float("-inf")).log_softmax(dim=1)
    partner = (y[:, None] == y) & ~itself
    return -(log_p.masked_fill(~partner, 0).sum(dim=1) / partner.sum(dim=1)).mean()


def tuned_vectors(encoder, kept, y, rows, loss=contrast, more=(), seed=0):
    """Train the upper half on some rows; return the vectors of all texts."""
    torch.manual_seed(seed)
    model = Classifier(encoder, len(encoders.layers(encoder)) // 2).to(kept[0].device)
    inputs, target = encoders.padded(kept, rows), torch.as_tensor(y[rows], device=kept[0].device)
    groups = [{"params": model.upper.parameters()}, *more]
    train_on(groups, lambda _: loss(model.pool(*inputs), target), 20, 3e-4)
    with torch.no_grad():
        parts = [encoders.padded(kept, part) for part in np.array_split(range(len(kept)), 32)]
        return unit(np.concatenate([model.pool(*part).cpu().numpy() for part in parts]))


def digits(name):
    """Return images (n, 1, 8, 8) from 0 to 1 and labels, of the training and the test part."""
    d = data.load(name)
    train, test = (torch.tensor(x / d.max_value).float()[:, None] for x in (d.x_train, d.x_test))
    return train, torch.tensor(d.y_train), test, torch.tensor(d.y_test)


def body():
    """Return a small network: an image of 8 × 8 in, 64 features out."""
    layers = []
    for old, new in ((1, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(old, new, 3, padding=1, bias=False), nn.GroupNorm(4, new)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten())


def views(images, generator):
    """Return each image turned, sheared, scaled and moved a little, at random."""
    turn, shear, size, across, down = torch.rand(5, len(images), generator=generator) - 0.5
    turn, size = turn * torch.pi / 6, 1 + 0.4 * size
    cos, sin = torch.cos(turn) / size, torch.sin(turn) / size
    maps = torch.stack([cos, 0.5 * shear - sin, 0.5 * across, sin, cos, 0.5 * down], dim=1)
    grid = F.affine_grid(maps.reshape(-1, 2, 3), images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def sample(x, y, size, generator):
    """Return a random batch."""
    rows = torch.randperm(len(x), generator=generator)[:size]
    return x[rows], y[rows]


@torch.no_grad()
def by_means(body, scans, counts, draws, rng):
    """Return what class means on a body's features get right, for each number of labels."""
    x, asked = (unit(body(images).numpy() + 1e-9) for images in scans[::2])
    y, answers, found = scans[1].numpy(), scans[3].numpy(), {}
    for n in counts:
        drawn = [reviews.draw(y, np.arange(len(y)), n, rng) for _ in range(draws)]
        found[n] = [np.mean(nearest(x[rows], y[rows], asked) == answers) for rows in drawn]
    return found


def scanners(seed):
    """Return print and its test part, and of two scanners 100 images and a test part."""
    *prints, x_test, y_test = digits("font_digits")
    x, y, other, y_other = digits("digits")
    rows = reviews.draw(y.numpy(), np.arange(len(y)), 10, np.random.default_rng(seed))
    shifts = {"scans": (x[rows], other), "negatives": (1 - x[rows], 1 - other)}
    new = {name: ((few, y[rows]), (test, y_other)) for name, (few, test) in shifts.items()}
    return prints, (x_test, y_test), new


def find_partner(model, images, generator):
    """Return the loss of SimCLR's task."""
    z = torch.cat([model(views(images, generator)) for _ in range(2)])
    return contrast(z, torch.arange(len(images)).repeat(2))


def find_turn(model, images, generator):
    """Return the loss of the task of rotations."""
    turns = torch.randint(4, (len(images),), generator=generator)
    turned = [torch.rot90(x, k, (1, 2)) for x, k in zip(views(images, generator), turns.tolist())]
    return F.cross_entropy(model(torch.stack(turned)), turns)


def pretrain(images, loss_of, outputs, steps=200, seed=0):
    """Return a body, trained on a task with a head that is thrown away."""
    torch.manual_seed(seed)
    model = nn.Sequential(body(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))

    def one(generator):
        return loss_of(model, sample(images, images, 128, generator)[0], generator)

    train_on(model.parameters(), one, steps, seed=seed)
    return model[0]


def fine_tune(old, new, also=None, penalty=None, steps=120, seed=0):
    """Return a copy, trained on `new`; `also` is a second set in each batch."""
    model = copy.deepcopy(old)

    def one(generator):
        x, y = sample(*new, 32, generator)
        if also:
            x, y = map(torch.cat, zip((x, y), sample(*also, 32, generator)))
        return F.cross_entropy(model(x), y) + (penalty(model) if penalty else 0)

    train_on(model.parameters(), one, steps, seed=seed)
    return model


@torch.no_grad()
def right(model, x, y):
    """Return the accuracy in percent."""
    return 100 * float((model(x).argmax(dim=1) == y).float().mean())


def between(old, new, t):
    """Return a network whose weights lie the share t of the way from `old` to `new`."""
    model = copy.deepcopy(old)
    with torch.no_grad():
        for p, q in zip(model.parameters(), new.parameters(), strict=True):
            p.copy_((1 - t) * p + t * q)
    return model


def penalty(model, start, importance, strength):
    """Return what is added to the loss: how far the model has moved from `start`."""
    triples = zip(model.parameters(), start, importance, strict=True)
    return strength / 2 * sum((f * (p - w) ** 2).sum() for p, w, f in triples)


def fisher(model, images):
    """Return one tensor per parameter: its Fisher information, the mean over images."""
    parameters = list(model.parameters())
    found = [torch.zeros_like(p) for p in parameters]
    for image in images:
        log_p = F.log_softmax(model(image[None])[0], dim=0)
        for k, share in enumerate(log_p.detach().exp()):
            gradients = torch.autograd.grad(log_p[k], parameters, retain_graph=True)
            for f, gradient in zip(found, gradients, strict=True):
                f += share * gradient**2 / len(images)
    return found


def remedies(old, prints, new, importance, seed):
    """Return for each remedy its networks: along the line, at three strengths, or one."""
    start = [p.detach().clone() for p in old.parameters()]  # not the live ones
    tuned, fifty = fine_tune(old, new, seed=seed), torch.Generator().manual_seed(seed)
    found = {"line": [between(old, tuned, t) for t in np.linspace(0, 1, 11)]}
    for name, weights, most in (("L2-SP", [1] * len(start), 2), ("EWC", importance, 2000)):
        pull = partial(penalty, start=start, importance=weights)
        pulls = [partial(pull, strength=most * part) for part in (0.01, 0.1, 1)]
        found[name] = [fine_tune(old, new, penalty=pull, seed=seed) for pull in pulls]
    found["50 old images"] = [fine_tune(old, new, sample(*prints, 50, fifty), seed=seed)]
    found["all old images"] = [fine_tune(old, new, prints, seed=seed)]
    return found
