"""Lesson 08, Four ways to carry knowledge: its cells tagged `keep`, built."""

from itertools import permutations

import numpy as np
from sklearn.linear_model import LogisticRegression

from transfer_lib.taught.lesson_01 import accuracy, new_network, train


def arm(centre, n, seed):
    """Return points around x1 = centre, (n, 2), and labels: class 1 lies above a parabola."""
    rng = np.random.default_rng(seed)
    x = np.c_[rng.normal(centre, 0.7, n), rng.normal(0.8, 1.2, n)]
    return x, (x[:, 1] > 0.8 * x[:, 0] ** 2).astype(int)


def ratio(p_target, n_source, n_target):
    """Return the weight of each source point; p_target is an array of probabilities."""
    return p_target / (1 - p_target) * n_source / n_target


def reweight(w, wrong, n_source, beta, error):
    """Return new weights; the source comes first, beta < 1, error is that on the target."""
    new = np.array(w, dtype=float)
    new[:n_source] *= np.where(wrong[:n_source], beta, 1)
    new[n_source:] *= np.where(wrong[n_source:], (1 - error) / error, 1)
    return new


def tradaboost(x_s, y_s, x_t, y_t, rounds=10):
    """Return a function that predicts 0 or 1, and the final weights of the source examples."""
    n, x, y = len(x_s), np.r_[x_s, x_t], np.r_[y_s, y_t]
    w = np.r_[np.full(n, 1 / n), np.full(len(x_t), 1 / len(x_t))]
    beta, votes = 1 / (1 + np.sqrt(2 * np.log(n) / rounds)), []
    for _ in range(rounds):
        model = LogisticRegression().fit(x, y, sample_weight=len(x) * w / w.sum())
        wrong = model.predict(x) != y
        error = np.clip(np.sum(w[n:] * wrong[n:]) / np.sum(w[n:]), 0.001, 0.49)
        w = reweight(w, wrong, n, beta, error)
        votes.append((np.log((1 - error) / error), model))

    def predict(new):  # the second half of the rounds votes
        late = votes[rounds // 2 :]
        return (sum(a * (2 * model.predict(new) - 1) for a, model in late) > 0).astype(int)

    return predict, w[:n] / w.sum()


def power(c, exponent):
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**exponent) @ vectors.T


def coral(x_source, x_target, ridge=0.1):
    """Return the source points with the mean and covariance of the target, shape (n, d)."""
    unit = ridge * np.eye(x_source.shape[1])
    c_source = np.cov(x_source, rowvar=False) + unit
    c_target = np.cov(x_target, rowvar=False) + unit
    turn = power(c_source, -0.5) @ power(c_target, 0.5)
    return (x_source - x_source.mean(axis=0)) @ turn + x_target.mean(axis=0)


def main_directions(x, d):
    """Return the d directions of largest variance as columns, shape (features, d)."""
    _, vectors = np.linalg.eigh(np.cov(x, rowvar=False))  # in the order of growing variance
    return vectors[:, ::-1][:, :d]


def subspace_alignment(x_source, x_target, d):
    """Return source and target points in d aligned coordinates."""
    p_source, p_target = main_directions(x_source, d), main_directions(x_target, d)
    z_source = (x_source - x_source.mean(0)) @ p_source @ p_source.T @ p_target
    return z_source, (x_target - x_target.mean(0)) @ p_target


def pull(loss_gradient, w, w_source, alpha):
    """Return the gradient of the loss with the pull towards the source weights."""
    return loss_gradient + alpha * (w - w_source)


def fit(x, y, w_source, alpha, steps=200, rate=1.0):
    """Softmax regression pulled towards w_source, where it starts; shape (pixels + 1, 10)."""
    x1, truth, w = np.c_[x, np.ones(len(x))], np.eye(10)[y], w_source.copy()
    for _ in range(steps):
        scores = np.exp(x1 @ w - (x1 @ w).max(axis=1, keepdims=True))
        p = scores / scores.sum(axis=1, keepdims=True)
        w -= rate * pull(x1.T @ (p - truth) / len(x), w, w_source, alpha)
    return w


def right(w, x, y):
    """Return the percentage of right answers of the weights w."""
    return 100 * np.mean((np.c_[x, np.ones(len(x))] @ w).argmax(axis=1) == y)


def world(people, objects, noise, seed):
    """Return three relations as arrays of True and False: does, leads, belongs to.

    ``does`` and ``leads`` have the shape (people, objects), ``belongs`` (people, people). A share
    `noise` of the pairs that belong together is turned over.
    """
    rng = np.random.default_rng(seed)
    does, leads = np.zeros((2, people, objects), dtype=bool)
    chiefs = people // 5
    for thing in range(objects):
        leads[rng.integers(chiefs), thing] = True
        does[rng.choice(np.arange(chiefs, people), 3, replace=False), thing] = True
    belongs = (does.astype(int) @ leads.T) > 0
    return does, leads, belongs ^ (rng.random(belongs.shape) < noise * belongs.mean())


def rule(first, second):
    """Return True at (p, q) where p is in `first` and q in `second` with one common object."""
    return (first.astype(int) @ second.T.astype(int)) > 0


def mapping(records, known, truth):
    """Return the names (first, second) with which the rule agrees best with the known pairs."""
    agreement = {}
    for first, second in permutations(records, 2):
        predicted = rule(records[first], records[second])
        agreement[first, second] = np.mean(predicted[known[:, 0], known[:, 1]] == truth)
    return max(agreement, key=agreement.get)


def tuned(weights, x, y, frozen=False, steps=150):
    """Start from source weights and train all layers, or with `frozen` the head only."""
    model = new_network()
    model.set_weights(weights)
    for layer in model.layers[:-1]:
        layer.trainable = not frozen
    rate = 3e-2 if frozen else 3e-3  # a head alone stands a faster rate
    return train(model, x, y, steps, rate) if steps else model


def try_all(learned, adapted, image, y, rows, test):
    """Return strategy to accuracy on the rows `test`, after training on the labelled `rows`."""
    fresh, x = new_network().get_weights(), (image[rows], y[rows])
    models = {
        "as it is": tuned(learned, *x, steps=0),
        "CORAL": adapted,
        "scratch": tuned(fresh, *x),
        "frozen": tuned(learned, *x, frozen=True),
        "all": tuned(learned, *x),
    }
    return {name: accuracy(model, image[test], y[test]) for name, model in models.items()}


def ties(cell):
    """Return the set of names that tie with the best, the best included; name to accuracies."""
    best = max(cell, key=lambda name: np.mean(cell[name]))
    top = np.array(cell[best])
    return {name for name, values in cell.items() if name == best or np.any(values >= top)}
