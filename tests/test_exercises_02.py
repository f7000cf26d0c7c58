"""The exercises of lesson 02: right answers in every form, wrong ones with their words."""

import numpy as np
from scipy.special import log_softmax, softmax

import exercise_cases


# The gradient of the cross-entropy.
def truth(s, c):
    return np.eye(s.shape[1])[c]


def by_one_hot(s, c):
    return (softmax(s, axis=1) - truth(s, c)) / len(c)


def by_index(s, c):
    p = np.exp(log_softmax(s, axis=1))
    p[np.arange(len(c)), c] -= 1
    return p / len(c)


def by_torch(s, c):
    import torch

    s = torch.tensor(s, requires_grad=True)
    torch.nn.functional.cross_entropy(s, torch.tensor(c)).backward()
    return s.grad


def true_class_only(s, c):
    gradient = by_one_hot(s, c)
    return np.where(truth(s, c) == 1, gradient, 0)


def one_per_example(s, c):
    return by_one_hot(s, c)[np.arange(len(c)), c]


# Gradient descent.
def walk_in_a_loop(slope, start, rate, steps):
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * slope(path[-1]))
    return path


def walk_with_a_variable(slope, start, rate, steps):
    w, path = start, np.empty(steps + 1)
    for i in range(steps + 1):
        path[i] = w
        w = w - rate * slope(w)
    return path


def walk_recursively(slope, start, rate, steps):
    if not steps:
        return (start,)
    return (start, *walk_recursively(slope, start - rate * slope(start), rate, steps - 1))


def walk(step, first=True, last=True):
    """Return a walk whose step is made from the place, the start, the slope and the rate."""

    def answer(slope, start, rate, steps):
        path = [start]
        for _ in range(steps):
            path.append(step(path[-1], start, slope, rate))
        return path[0 if first else 1 : None if last else -1]

    return answer


RIGHT = {
    "total_loss": [
        lambda y, p, z, q, lam: np.mean((y - p) ** 2) + lam * np.mean((z - q) ** 2),
        lambda y, p, z, q, lam: (y - p) @ (y - p) / len(y) + lam * (z - q) @ (z - q) / len(z),
        lambda y, p, z, q, lam: (
            sum((a - b) ** 2 for a, b in zip(y, p, strict=True)) / len(y)
            + lam * sum((a - b) ** 2 for a, b in zip(z, q, strict=True)) / len(z)
        ),
    ],
    "minimiser": [
        lambda a, b, lam: (a + lam * b) / (1 + lam),
        lambda a, b, lam: a + lam / (1 + lam) * (b - a),
        lambda a, b, lam: a / (1 + lam) + b * lam / (1 + lam),
    ],
    "extra_error": [
        lambda lam, d, s, m: (d / (1 + lam)) ** 2 + (lam / (1 + lam)) ** 2 * s**2 / m,
        lambda lam, d, s, m: (d**2 + lam**2 * s**2 / m) / (1 + lam) ** 2,
        lambda lam, d, s, m: np.square(d / (1 + lam)) + np.square(lam * s / (1 + lam)) / m,
    ],
    "equal_weight": [1000, np.float64(1000.0), 20000 / 20, [1e3]],
    "cross_entropy_gradient": [by_one_hot, by_index, by_torch],
    "descend": [walk_in_a_loop, walk_with_a_variable, walk_recursively],
}


WRONG = {
    "equal_weight": [
        (1, "thousand votes"),
        (0.001, "effective weight at λ = 1"),
        (20000, "ratio of the two sizes"),
        (0.5, "Half and half"),
        (100, "gives the effective weight 0.1"),
        ("1000", "Expected numbers"),
    ],
    "cross_entropy_gradient": [
        (lambda s, c: len(c) * by_one_hot(s, c), "factor 1/N is missing"),
        (lambda s, c: -by_one_hot(s, c), "sign is turned"),
        (lambda s, c: -len(c) * by_one_hot(s, c), "and the factor 1/N"),
        (lambda s, c: softmax(s, axis=1) / len(c), "The truth is missing"),
        (lambda s, c: softmax(s, axis=1), "and divide by N"),
        (lambda s, c: by_one_hot(s, c) / s.shape[1], "N times K"),
        (true_class_only, "Only the true class"),
        (lambda s, c: (log_softmax(s, axis=1) - truth(s, c)) / len(c), "not its logarithm"),
        (lambda s, c: (softmax(s, axis=0) - truth(s, c)) / len(c), "wrong axis"),
        (one_per_example, "one number per example"),
        (lambda s, c: by_one_hot(s, c).sum(axis=0), "has that shape too"),
        (lambda s, c: by_one_hot(s, c) + 1, "Finite differences give"),
    ],
    "descend": [
        (walk(lambda w, start, slope, rate: w + rate * slope(w)), "walks uphill"),
        (walk(lambda w, start, slope, rate: start - rate * slope(start)), "starts from the start"),
        (walk(lambda w, start, slope, rate: start + rate * slope(start)), "Both faults"),
        (walk(lambda w, start, slope, rate: w - rate * slope(start)), "for all steps"),
        (walk(lambda w, start, slope, rate: w - rate * slope(w), first=False), "start is missing"),
        (
            walk(lambda w, start, slope, rate: w - rate * slope(w), last=False),
            "One step is missing",
        ),
        (
            lambda slope, start, rate, steps: walk_in_a_loop(slope, start, rate, steps)[-1],
            "whole path",
        ),
        (lambda slope, start, rate, steps: [start] * (steps + 3), "places; yours has"),
        (walk(lambda w, start, slope, rate: w - slope(w)), "the path begins"),
    ],
}


test_right, test_wrong, test_complete = exercise_cases.tests("02", RIGHT, WRONG)
