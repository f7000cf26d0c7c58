"""The exercises of lesson 00: right answers in every form, wrong ones with their words."""

import numpy as np
from sklearn.metrics import accuracy_score

import exercise_cases


def by_hand(predicted, labels):
    return sum(int(p == t) for p, t in zip(predicted, labels, strict=True)) / len(labels)


def with_torch(predicted, labels):
    import torch

    return (torch.tensor(predicted) == torch.tensor(labels)).float().mean()


RIGHT = {
    "accuracy": [
        by_hand,
        with_torch,
        lambda predicted, labels: accuracy_score(labels, predicted),
        lambda predicted, labels: np.array([1 - np.mean(predicted != labels)]),
    ]
}
WRONG = {
    "accuracy": [
        (lambda predicted, labels: np.sum(predicted == labels), "number of right predictions"),
        (lambda predicted, labels: 100 * np.mean(predicted == labels), "percentage"),
        (lambda predicted, labels: np.mean(predicted != labels), "error rate"),
        (lambda predicted, labels: 0.625, "this number for any input"),
        (lambda predicted, labels: 0.5, "yours is 0.5"),
        (lambda predicted, labels: predicted == labels, "one number"),
    ]
}
test_right, test_wrong, test_complete = exercise_cases.tests("00", RIGHT, WRONG)
