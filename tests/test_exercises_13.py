"""The exercises of lesson 13: right answers in every form, wrong ones with their words."""

import copy

import numpy as np
import torch
from torch.nn import functional as F

import exercise_cases
from transfer_lib.taught.lesson_13 import unit


def zero_shot(vectors, positive, negative):
    return vectors @ unit(positive.mean(axis=0)) - vectors @ unit(negative.mean(axis=0))


def zero_shot_in_steps(vectors, positive, negative):
    scores = []
    for v in vectors:
        a, b = positive.sum(axis=0), negative.sum(axis=0)
        scores.append(v @ a / np.sqrt(a @ a) - v @ b / np.sqrt(b @ b))
    return scores


def means(x, y):
    return np.stack([x[y == k].mean(axis=0) for k in range(y.max() + 1)])


def sums(x, y):
    return np.stack([x[y == k].sum(axis=0) for k in range(y.max() + 1)])


def nearest(x, y, asked):
    means = np.stack([unit(x[y == k].mean(axis=0)) for k in range(y.max() + 1)])
    return np.argmax(asked @ means.T, axis=1)


def nearest_by_loops(x, y, asked):
    means = [x[y == k].sum(axis=0) for k in sorted(set(y.tolist()))]
    means = [m / np.linalg.norm(m) for m in means]
    return [max(range(len(means)), key=lambda k: row @ means[k]) for row in asked]


def contrast(z, y, tau=0.2, reduce=None):
    z, itself = F.normalize(z, dim=1), torch.eye(len(y), dtype=torch.bool)
    log_p = (z @ z.T / tau).masked_fill(itself, float("-inf")).log_softmax(dim=1)
    partner = (y[:, None] == y) & ~itself
    total, count = log_p.masked_fill(~partner, 0).sum(dim=1), partner.sum(dim=1)
    return reduce(total, count) if reduce else -(total / count).mean()


def contrast_by_loops(z, y, tau=0.2):
    z, rows = z / z.norm(dim=1, keepdim=True), []
    for i in range(len(y)):
        others = [j for j in range(len(y)) if j != i]
        log_p = torch.log_softmax(z[others] @ z[i] / tau, dim=0)
        mine = [log_p[n] for n, j in enumerate(others) if y[j] == y[i]]
        rows.append(-torch.stack(mine).mean())
    return torch.stack(rows).mean()


def contrast_by_logsumexp(z, y, tau=0.2):
    z = F.normalize(z, dim=1)
    logits = z @ z.T / tau
    away = ~torch.eye(len(y), dtype=torch.bool)
    same = (y.unsqueeze(0) == y.unsqueeze(1)) & away
    norm = logits.masked_fill(~away, -1e9).logsumexp(dim=1)
    return (norm - (logits * same).sum(1) / same.sum(1)).mean()


def with_self(z, y, tau=0.2):
    z = F.normalize(z, dim=1)
    log_p = (z @ z.T / tau).log_softmax(dim=1)
    partner = (y[:, None] == y) & ~torch.eye(len(y), dtype=torch.bool)
    return -((log_p * partner).sum(dim=1) / partner.sum(dim=1)).mean()


def own_partner(z, y, tau=0.2):
    log_p = (F.normalize(z, dim=1) @ F.normalize(z, dim=1).T / tau).log_softmax(dim=1)
    same = (y[:, None] == y).float()
    return -((log_p * same).sum(dim=1) / same.sum(dim=1)).mean()


def not_a_number(z, y, tau=0.2):
    z, itself = F.normalize(z, dim=1), torch.eye(len(y), dtype=torch.bool)
    log_p = (z @ z.T / tau).masked_fill(itself, float("-inf")).log_softmax(dim=1)
    partner = (y[:, None] == y) & ~itself
    return -((log_p * partner).sum(dim=1) / partner.sum(dim=1)).mean()


def penalty(model, start, importance, strength):
    triples = zip(model.parameters(), start, importance, strict=True)
    return strength / 2 * sum((f * (p - w) ** 2).sum() for p, w, f in triples)


def penalty_by_loops(model, start, importance, strength):
    total = 0
    for i, p in enumerate(model.parameters()):
        total = total + (importance[i] * (p - start[i]).square()).sum()
    return total * strength * 0.5


def moved(model, start, importance):
    return [(p - w, f) for p, w, f in zip(model.parameters(), start, importance, strict=True)]


def one(model, start, importance, i):
    distance, f = moved(model, start, importance)[i]
    return (f * distance**2).sum()


def penalty_flat(model, start, importance, strength):
    moved = torch.cat([(p - w).flatten() for p, w in zip(model.parameters(), start, strict=True)])
    both = zip(importance, start, strict=True)
    f = torch.cat([torch.as_tensor(f).expand_as(w).flatten() for f, w in both])
    return strength * (f * moved**2).sum().reshape(1) / 2


def squares(importance):
    return [torch.as_tensor(f) ** 2 for f in importance]


def between(old, new, t):
    model = copy.deepcopy(old)
    with torch.no_grad():
        for p, q in zip(model.parameters(), new.parameters(), strict=True):
            p.copy_((1 - t) * p + t * q)
    return model


def between_by_state(old, new, t):
    model, a, b = copy.deepcopy(old), old.state_dict(), new.state_dict()
    model.load_state_dict({name: (1 - t) * a[name] + t * b[name] for name in a})
    return model


def between_by_lerp(old, new, t):
    model = copy.deepcopy(old)
    for p, q in zip(model.parameters(), new.parameters(), strict=True):
        p.data.lerp_(q.data, t)
    return model


def in_place(old, new, t):
    with torch.no_grad():
        for p, q in zip(old.parameters(), new.parameters(), strict=True):
            p.copy_((1 - t) * p + t * q)
    return old


def in_the_new(old, new, t):
    with torch.no_grad():
        for p, q in zip(old.parameters(), new.parameters(), strict=True):
            q.copy_((1 - t) * p + t * q)
    return new


def matrices_only(old, new, t):
    model = copy.deepcopy(old)
    with torch.no_grad():
        for p, q in zip(model.parameters(), new.parameters(), strict=True):
            if p.ndim > 1:
                p.copy_((1 - t) * p + t * q)
    return model


def frozen(old, new, t):
    return between(old, new, t).requires_grad_(False)


def fisher(model, images, weigh=None):
    parameters = list(model.parameters())
    found = [torch.zeros_like(p) for p in parameters]
    for image in images:
        log_p = F.log_softmax(model(image[None])[0], dim=0)
        for k in range(len(log_p)):
            gradients = torch.autograd.grad(log_p[k], parameters, retain_graph=True)
            p = log_p[k].detach().exp()
            for f, g in zip(found, gradients, strict=True):
                f += weigh(p, g) if weigh else p * g**2 / len(images)
    return found


def fisher_backward(model, images):
    found = [torch.zeros_like(p) for p in model.parameters()]
    for image in images:
        for k in range(3):
            model.zero_grad()
            log_p = model(image[None]).log_softmax(dim=1)[0, k]
            log_p.backward()
            for f, p in zip(found, model.parameters(), strict=True):
                f += log_p.exp().item() * p.grad**2
    return tuple(f / len(images) for f in found)


def fisher_in_numpy(model, images):
    return [f.numpy() for f in fisher(model, images)]


def of_the_best(model, images):
    parameters = list(model.parameters())
    found = [torch.zeros_like(p) for p in parameters]
    for image in images:
        log_p = F.log_softmax(model(image[None])[0], dim=0)
        gradients = torch.autograd.grad(log_p.max(), parameters)
        for f, g in zip(found, gradients, strict=True):
            f += g**2 / len(images)
    return found


def only_the_last(model, images):
    return [f / len(images) for f in fisher(model, images[-1:])]


def scaled(function, by):
    return lambda *given: by * function(*given)


RIGHT = {
    "zero_shot": [zero_shot, zero_shot_in_steps, lambda v, a, b: torch.tensor(zero_shot(v, a, b))],
    "nearest": [nearest, nearest_by_loops, lambda *given: torch.tensor(nearest(*given))],
    "contrast": [contrast, contrast_by_loops, contrast_by_logsumexp],
    "penalty": [penalty, penalty_by_loops, penalty_flat],
    "between": [between, between_by_state, between_by_lerp],
    "fisher": [fisher, fisher_backward, fisher_in_numpy],
}

WRONG = {
    "zero_shot": [
        (lambda v, a, b: -zero_shot(v, a, b), "sign is turned"),
        (lambda v, a, b: v @ (a.mean(0) - b.mean(0)), "not of length 1"),
        (lambda v, a, b: v @ unit(a.mean(0)), "other class is missing"),
        (lambda v, a, b: v @ unit(unit(a.mean(0)) - unit(b.mean(0))), "difference was given"),
        (lambda v, a, b: v @ (unit(a.mean(0)) + unit(b.mean(0))), "added; subtract"),
        (lambda v, a, b: v @ (a[0] - b[0]), "Only the first sentence"),
        (lambda v, a, b: zero_shot(v, a, b) > 0, "These are decisions"),
        (lambda v, a, b: v @ a.T, "one number per text"),
        (lambda v, a, b: 1.0, "one score per text"),
        (lambda v, a, b: 3 * zero_shot(v, a, b), "first text's score"),
    ],
    "nearest": [
        (lambda x, y, asked: (asked @ unit(means(x, y)).T), "similarities to the classes"),
        (lambda x, y, asked: means(x, y), "These are the means"),
        (lambda x, y, asked: (asked @ means(x, y).T).argmax(1), "short mean"),
        (lambda x, y, asked: (asked @ sums(x, y).T).argmax(1), "sum favours"),
        (lambda x, y, asked: y[(asked @ x.T).argmax(1)], "nearest single text"),
        (lambda x, y, asked: (asked @ x.T).argmax(1), "not a class"),
        (lambda x, y, asked: (asked @ unit(means(x, y)).T).argmin(1), "argmax"),
        (lambda x, y, asked: nearest(x, y, asked)[:5], "one class per row"),
        (lambda x, y, asked: np.zeros(len(asked), int), "of 60 classes"),
    ],
    "contrast": [
        (lambda z, y, tau: contrast(z, y, 1.0), "`tau` is missing"),
        (lambda z, y, tau: contrast(z, y, 1 / tau), "divide by it"),
        (with_self, "compared with itself"),
        (own_partner, "its own partner"),
        (lambda z, y, tau: contrast(z, y, tau, lambda t, c: -t.mean()), "added up. Take their"),
        (lambda z, y, tau: contrast(z, y, tau, lambda t, c: -(t / c).sum()), "rows are added up"),
        (lambda z, y, tau: contrast(z, y, tau, lambda t, c: -t.sum() / c.sum()), "all pairs"),
        (lambda z, y, tau: contrast(z, y, tau, lambda t, c: -t.sum() / 81), "number of partners"),
        (scaled(contrast, -1), "sign is turned"),
        (scaled(contrast, 2), "the loss is"),
        (lambda z, y, tau: contrast(z.detach(), y, tau), "no gradient"),
        (lambda z, y, tau: contrast(z, y, tau).item(), "Return a tensor"),
        (not_a_number, "not a number"),
        (lambda z, y, tau: contrast(z, y, tau, lambda t, c: -t / c), "one number"),
    ],
    "penalty": [
        (scaled(penalty, 2), "half is missing"),
        (lambda m, w, f, s: penalty(m, w, f, 1.0), "`strength` is missing"),
        (lambda m, w, f, s: penalty(m, w, [1] * len(w), s), "`importance` is not used"),
        (lambda m, w, f, s: penalty(m, w, squares(f), s), "outside of the square"),
        (lambda *m, s=1.5: s * sum((f * d.abs()).sum() for d, f in moved(*m[:3])), "absolute"),
        (lambda m, w, f, s: s / 2 * one(m, w, f, 0), "Only the first"),
        (lambda m, w, f, s: s / 2 * one(m, w, f, -1), "Only the last"),
        (lambda *m, s=1.5: s * sum((f * d**2).mean() for d, f in moved(*m[:3])), "mean of each"),
        (scaled(penalty, -1), "sign is turned"),
        (lambda m, w, f, s: penalty(m, [0] * len(w), f, s), "to zero"),
        (scaled(penalty, 5), "The penalty is"),
        (lambda m, w, f, s: penalty(m, w, f, s).detach(), "no gradient"),
        (lambda m, w, f, s: penalty(m, w, f, s).item(), "Return a tensor"),
    ],
    "between": [
        (in_place, "`old` itself"),
        (in_the_new, "`new` itself"),
        (lambda old, new, t: between(old, new, 1 - t), "Turned round"),
        (lambda old, new, t: copy.deepcopy(old), "weights of `old`"),
        (lambda old, new, t: copy.deepcopy(new), "weights of `new`"),
        (lambda old, new, t: between(old, new, 0.5), "the middle"),
        (matrices_only, "biases are not"),
        (lambda old, new, t: between(old, new, t**2), "not (1"),
        (frozen, "no longer be trained"),
        (lambda old, new, t: 3, "Return a network"),
        (lambda old, new, t: between(old, new, min(t, 0.25)), "At t = 0"),
    ],
    "fisher": [
        (lambda m, x: fisher(m, x, lambda p, g: p * g**2), "Added up over the images"),
        (lambda m, x: fisher(m, x, lambda p, g: g**2 / len(x)), "Every class counts"),
        (lambda m, x: fisher(m, x, lambda p, g: (p * g) ** 2 / len(x)), "squared as well"),
        (lambda m, x: fisher(m, x, lambda p, g: p * g / len(x)), "not squared"),
        (lambda m, x: fisher(m, x, lambda p, g: p * g.abs() / len(x)), "absolute values"),
        (lambda m, x: fisher(m, x, lambda p, g: p.log() * g**2 / len(x)), "logarithm"),
        (of_the_best, "most probable class"),
        (only_the_last, "last image"),
        (lambda m, x: fisher(m, x)[:2], "one per parameter"),
        (lambda m, x: fisher(m, x, lambda p, g: p * g**2), "mean"),
        (lambda m, x: fisher(m, x, lambda p, g: 7 * p * g**2), "first bias"),
    ],
}  # fmt: skip

test_right, test_wrong, test_complete = exercise_cases.tests("13", RIGHT, WRONG)
