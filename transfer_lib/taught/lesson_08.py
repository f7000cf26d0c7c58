"""Lesson 08, Four ways to carry knowledge: its cells tagged `keep`, built."""

import numpy as np
from sklearn.linear_model import LogisticRegression


def importance_weights(x_source, x_target):
    """Return P_T(x) / P_S(x) at each source point, from a classifier of the domain."""
    x = np.r_[x_source, x_target]
    domain = np.r_[np.zeros(len(x_source)), np.ones(len(x_target))]
    p = LogisticRegression().fit(x, domain).predict_proba(x_source)[:, 1]
    return p / (1 - p) * len(x_source) / len(x_target)


def tradaboost(x_s, y_s, x_t, y_t, rounds=10):
    """Return a function that predicts 0 or 1, and the final weights of the source examples."""
    n, x, y = len(x_s), np.r_[x_s, x_t], np.r_[y_s, y_t]
    w = np.r_[np.full(n, 1 / n), np.full(len(x_t), 1 / len(x_t))]
    beta = 1 / (1 + np.sqrt(2 * np.log(n) / rounds))
    votes = []
    for _ in range(rounds):
        model = LogisticRegression().fit(x, y, sample_weight=len(x) * w / w.sum())
        wrong = model.predict(x) != y
        e = np.clip(np.sum(w[n:] * wrong[n:]) / np.sum(w[n:]), 0.001, 0.49)
        w[:n] *= np.where(wrong[:n], beta, 1)  # source: wrong ones count less
        w[n:] *= np.where(wrong[n:], (1 - e) / e, 1)  # target: wrong ones count more
        votes.append((np.log((1 - e) / e), model))
    late = votes[rounds // 2 :]  # the second half of the rounds votes

    def predict(new):
        return (sum(a * (2 * model.predict(new) - 1) for a, model in late) > 0).astype(int)

    return predict, w[:n] / w.sum()


def power(c, exponent):
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**exponent) @ vectors.T


def coral(x_source, x_target, ridge=0.1):
    """Return the source points moved to the mean and covariance of the target."""
    c_source = np.cov(x_source, rowvar=False) + ridge * np.eye(x_source.shape[1])
    c_target = np.cov(x_target, rowvar=False) + ridge * np.eye(x_target.shape[1])
    white = (x_source - x_source.mean(0)) @ power(c_source, -0.5)
    return white @ power(c_target, 0.5) + x_target.mean(0)


def main_directions(x, d):
    """Return the d directions of largest variance as columns, shape (features, d)."""
    _, _, rows = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return rows[:d].T


def subspace_alignment(x_source, x_target, d):
    """Return source and target points in d aligned coordinates."""
    p_source, p_target = main_directions(x_source, d), main_directions(x_target, d)
    z_source = (x_source - x_source.mean(0)) @ p_source @ p_source.T @ p_target
    return z_source, (x_target - x_target.mean(0)) @ p_target


def ridge(a, b, lam=2.0):
    """Return the weights of least squares with lam times the squared weights as penalty."""
    return np.linalg.solve(a.T @ a + lam * np.eye(a.shape[1]), a.T @ b)


def item_means(ratings, known):
    """Return the mean of the known ratings of each item; the overall mean where there is none."""
    count = known.sum(0)
    mean = np.sum(ratings * known, 0) / np.maximum(count, 1)
    return np.where(count > 0, mean, ratings[known].mean())


def factorise(ratings, known, rng, d=4, sweeps=10):
    """Return the user factors, shape (users, d), by alternating least squares."""
    rest = ratings - item_means(ratings, known)
    users, items = rng.normal(0, 0.3, (len(rest), d)), np.zeros((rest.shape[1], d))
    for _ in range(sweeps):
        for j in range(len(items)):
            items[j] = ridge(users[known[:, j]], rest[known[:, j], j])
        for i in range(len(users)):
            users[i] = ridge(items[known[i]], rest[i, known[i]])
    return users
