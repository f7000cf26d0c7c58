"""Lesson 00, Start here: your first transfer: its cells tagged `keep`, built."""

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import normalize

from transfer_lib import networks


def features_of(network, images):
    """Return one row of 1,280 features of length 1 for each image, shape (n, 1280)."""
    x = networks.preprocess("efficientnet-lite0", images)
    maps = network.predict(x, verbose=0)  # (n, height, width, 1280): the features of each place
    return normalize(maps.mean(axis=(1, 2)))


def classify(features, labels, new):
    """Return for each new row the class, 0, 1, 2, ..., whose mean of features is nearest."""
    distances = []
    for number in range(labels.max() + 1):
        mean = features[labels == number].mean(axis=0)
        distances.append(np.linalg.norm(new - mean, axis=1))
    return np.argmin(distances, axis=0)


def accuracy(predicted, labels):
    """Return the fraction of right predictions; both arguments are arrays of whole numbers."""
    right = predicted == labels
    return right.mean()


def histogram(images):
    """Return how often each of 8 levels of red, green and blue occurs, shape (n, 24)."""
    levels = images // 32
    counts = [(levels == level).mean(axis=(1, 2)) for level in range(8)]
    return np.concatenate(counts, axis=1)


def scores(train, y_train, test, y_test, count, seed, draws=5):
    """Return the accuracies after learning from `count` examples per class, one per draw."""
    draw = StratifiedShuffleSplit(draws, train_size=10 * count, random_state=seed)
    return [
        accuracy(classify(train[rows], y_train[rows], test), y_test)
        for rows, _ in draw.split(train, y_train)
    ]
