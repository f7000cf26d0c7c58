"""The exercises of lesson 02: right answers in every form, wrong ones with their words."""

import numpy as np
from scipy.special import log_softmax, softmax

import exercise_cases


def torch_weight_gradient(X, y, w):
    import torch

    w = torch.tensor(w, requires_grad=True)
    ((torch.tensor(y) - torch.tensor(X) @ w) ** 2).mean().backward()
    return w.grad


def looped_weight_gradient(X, y, w):
    total = [0.0] * len(w)
    for row, truth in zip(X, y, strict=True):
        error = sum(a * b for a, b in zip(row, w, strict=True)) - truth
        total = [t + 2 * error * a / len(y) for t, a in zip(total, row, strict=True)]
    return total


def torch_cross_entropy(z, y):
    import torch

    return torch.nn.functional.cross_entropy(torch.tensor(z), torch.tensor(y))


def keras_cross_entropy(z, y):
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, z)


def picked(logs, y):
    return logs[np.arange(len(y)), y]


def naive(z, y):
    with np.errstate(all="ignore"):
        return -np.mean(picked(np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)), y))


def lesson_softmax(z):
    """Return the stable softmax of the lesson."""
    scores = np.exp(z - z.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def by_log_of_softmax(z, y):
    with np.errstate(divide="ignore"):
        return -np.mean(np.log(picked(lesson_softmax(z), y)))


def by_one_hot(z, y):
    with np.errstate(all="ignore"):
        return -np.mean(np.sum(np.eye(z.shape[1])[y] * np.log(lesson_softmax(z)), axis=1))


def by_naive_logsumexp(z, y):
    with np.errstate(over="ignore"):
        return np.mean(np.log(np.exp(z).sum(axis=1)) - picked(z, y))


RIGHT = {
    "weight_gradient": [
        torch_weight_gradient,
        looped_weight_gradient,
        lambda X, y, w: -2 * np.mean((y - X @ w)[:, None] * X, axis=0),
    ],
    "cross_entropy": [
        torch_cross_entropy,
        keras_cross_entropy,
        lambda z, y: -np.mean(picked(log_softmax(z, axis=1), y)),
        lambda z, y: np.array([-sum(picked(log_softmax(z, axis=1), y)) / len(y)]),
    ],
    "total_loss": [
        lambda y, p, z, q, lam: np.mean((y - p) ** 2) + lam * np.mean((z - q) ** 2),
        lambda y, p, z, q, lam: (y - p) @ (y - p) / len(y) + lam * (z - q) @ (z - q) / len(z),
        lambda y, p, z, q, lam: (
            sum((a - b) ** 2 for a, b in zip(y, p, strict=True)) / len(y)
            + lam * sum((a - b) ** 2 for a, b in zip(z, q, strict=True)) / len(z)
        ),
    ],
    "equal_weight": [1000, np.float64(1000.0), 20000 / 20, [1e3]],
}


WRONG = {
    "cross_entropy": [
        (lambda z, y: -np.mean(picked(log_softmax(softmax(z, 1), 1), y)), "applied twice"),
        (naive, "np.exp(1000) overflows"),
        (by_one_hot, "0 times log(0) is not a number"),
        (by_log_of_softmax, "rounded to 0 before you take its log"),
        (by_log_of_softmax, "The two losses are 0 and 1000, mean 500; yours is inf"),
        (
            lambda z, y: -np.mean(np.log(picked(lesson_softmax(z), y) + 1e-12)),
            "rounded to 0 before you take its log",
        ),
        (by_naive_logsumexp, "Take the largest logit out first"),
        (lambda z, y: -np.sum(picked(log_softmax(z, 1), y)), "factor 1/N is missing"),
        (lambda z, y: np.mean(picked(log_softmax(z, 1), y)), "sign is turned"),
        (lambda z, y: -np.mean(picked(softmax(z, 1), y)), "logarithm is missing"),
        (lambda z, y: -np.mean(picked(log_softmax(z, 1), y)) / np.log(2), "base 2"),
        (lambda z, y: -np.sum(picked(log_softmax(z, 1), y)) / z.size, "Divide by N only"),
        (lambda z, y: -picked(log_softmax(z, 1), y), "one loss per example"),
        (lambda z, y: 1.0, "yours is 1.0000"),
    ],
    "equal_weight": [
        (1, "thousand votes"),
        (0.001, "effective weight at λ = 1"),
        (20000, "ratio of the two sizes"),
        (0.5, "Half and half"),
        (100, "gives the effective weight 0.1"),
        ("1000", "Expected numbers"),
    ],
}


test_right, test_wrong, test_complete = exercise_cases.tests("02", RIGHT, WRONG)
