"""The exercises of lesson 00: right answers in every form, wrong ones with their words."""

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

import exercise_cases


def by_hand(predicted, labels):
    return sum(int(p == t) for p, t in zip(predicted, labels, strict=True)) / len(labels)


def with_torch(predicted, labels):
    import torch

    return (torch.tensor(predicted) == torch.tensor(labels)).float().mean()


def by_loop(features, labels, new):
    found = []
    for row in new:
        gaps = [((row - features[labels == c].mean(0)) ** 2).sum() for c in range(4)]
        found.append(gaps.index(min(gaps)))
    return found


def by_broadcast(features, labels, new):
    one_hot = np.eye(labels.max() + 1)[labels]
    means = one_hot.T @ features / one_hot.sum(0)[:, None]
    return np.linalg.norm(new[:, None] - means, axis=2).argmin(1)


def by_scikit_learn(features, labels, new):
    return NearestCentroid().fit(features, labels).predict(new)


def nearest(of, choose=np.argmin, classes=4):
    """Return a classifier: nearest to a centre of each class, which `of` makes of its rows."""

    def answer(features, labels, new):
        centres = np.stack([of(features[labels == c]) for c in range(classes)])
        return choose(np.linalg.norm(new[:, None] - centres, axis=2), axis=1)

    return answer


def mean(rows):
    return rows.mean(axis=0)


RIGHT = {
    "classify": [by_loop, by_broadcast, by_scikit_learn, nearest(mean)],
    "accuracy": [
        by_hand,
        with_torch,
        lambda predicted, labels: accuracy_score(labels, predicted),
        lambda predicted, labels: np.array([1 - np.mean(predicted != labels)]),
    ],
}
WRONG = {
    "classify": [
        (lambda f, y, new: np.stack([mean(f[y == c]) for c in range(4)]), "These are the means"),
        (nearest(mean, lambda distances, axis: distances), "These are the distances"),
        (nearest(mean, lambda distances, axis: distances.argmin(0)), "one number per class"),
        (nearest(mean, lambda distances, axis: distances.argmin()), "`argmin` needs an axis"),
        (lambda f, y, new: by_broadcast(f, y, f), "Classify the rows of `new`"),
        (lambda f, y, new: by_broadcast(f, y, new) + 1, "count from 1"),
        (nearest(mean, np.argmax), "farthest"),
        (lambda f, y, new: KNeighborsClassifier(1).fit(f, y).predict(new), "nearest single"),
        (nearest(lambda rows: np.median(rows, axis=0)), "medians"),
        (nearest(lambda rows: rows.sum(axis=0)), "You take sums"),
        (nearest(lambda rows: rows[0]), "first example of each class"),
        (nearest(mean, classes=3), "last class is never chosen"),
        (nearest(mean, np.min), "least distance itself"),
        (lambda f, y, new: np.zeros(60), "another mean is nearer"),
        (lambda f, y, new: np.zeros(7), "one class for each of 60"),
    ],
    "accuracy": [
        (lambda predicted, labels: np.sum(predicted == labels), "number of right predictions"),
        (lambda predicted, labels: 100 * np.mean(predicted == labels), "percentage"),
        (lambda predicted, labels: np.mean(predicted != labels), "error rate"),
        (lambda predicted, labels: 0.625, "this number for any input"),
        (lambda predicted, labels: 0.5, "yours is 0.5"),
        (lambda predicted, labels: predicted == labels, "one number"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("00", RIGHT, WRONG)
