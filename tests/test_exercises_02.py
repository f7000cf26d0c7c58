"""The exercises of lesson 02: right answers in every form, wrong ones with their words."""

import os

import numpy as np
from scipy.special import log_softmax, softmax

import exercise_cases

os.environ.setdefault("KERAS_BACKEND", "torch")  # as transfer_lib.setup() does it


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


def looped_mmd(K, L, M):
    n, m = M.shape
    within = sum(K[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    other = sum(L[i, j] for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within + other - 2 * sum(M.ravel()) / (n * m)


def masked_mmd(K, L, M):
    return (
        K[~np.eye(len(K), dtype=bool)].mean() + L[~np.eye(len(L), dtype=bool)].mean() - 2 * M.mean()
    )


def off(K):
    return K.sum() - np.trace(K)


def by_hand_covariance(x):
    x = x - x.mean(axis=0)
    return x.T @ x / (len(x) - 1)


def torch_coral(source, target):
    import torch

    difference = torch.cov(torch.tensor(source).T) - torch.cov(torch.tensor(target).T)
    return (difference**2).mean() / 4


def uncentred_coral(source, target, less=0):
    C = [x.T @ x / (len(x) - less) for x in (source, target)]
    return np.sum((C[0] - C[1]) ** 2) / (4 * source.shape[1] ** 2)


def squared(source, target):
    return np.sum((np.cov(source.T) - np.cov(target.T)) ** 2)


def torch_l2sp(X, y, w, w_source, alpha):
    import torch

    w = torch.tensor(w, requires_grad=True)
    loss = ((torch.tensor(y) - torch.tensor(X) @ w) ** 2).mean()
    (loss + alpha * ((w - torch.tensor(w_source)) ** 2).sum()).backward()
    return w.grad


def fit_gradient(X, y, w):
    return 2 * X.T @ (X @ w - y) / len(y)


def with_scaler(X_train, X_test):
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test)


def overwritten(ddof):
    def scale(X_train, X_test):
        X_train = (X_train - X_train.mean(0)) / X_train.std(0, ddof=ddof)
        return X_train, (X_test - X_train.mean(0)) / X_train.std(0, ddof=ddof)

    return scale


def scaled_by(rows, ddof=0):
    def scale(X_train, X_test):
        reference = rows(X_train, X_test)
        mean, deviation = reference.mean(axis=0), reference.std(axis=0, ddof=ddof)
        return (X_train - mean) / deviation, (X_test - mean) / deviation

    return scale


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
    "mmd_unbiased": [
        looped_mmd,
        masked_mmd,
        lambda K, L, M: (
            off(K) / (len(K) ** 2 - len(K)) + off(L) / (len(L) ** 2 - len(L)) - 2 * np.mean(M)
        ),
    ],
    "coral_loss": [
        torch_coral,
        lambda s, t: np.mean((by_hand_covariance(s) - by_hand_covariance(t)) ** 2) / 4,
        lambda s, t: np.linalg.norm(np.cov(s, rowvar=False) - np.cov(t, rowvar=False)) ** 2 / 36,
    ],
    "l2sp_gradient": [
        torch_l2sp,
        lambda X, y, w, v, alpha: fit_gradient(X, y, w) - 2 * alpha * (v - w),
        lambda X, y, w, v, alpha: list(fit_gradient(X, y, w) + 2 * alpha * (w - v)),
    ],
    "standardise": [
        with_scaler,
        scaled_by(lambda train, test: train, ddof=1),
        lambda a, b: [(x - a.mean(0)) / a.std(0) for x in (a, b)],
    ],
}

WRONG = {
    "weight_gradient": [
        (lambda X, y, w: 2 * X.T @ (X @ w - y), "factor 1/N is missing"),
        (lambda X, y, w: X.T @ (X @ w - y) / len(y), "factor 2"),
        (lambda X, y, w: 2 / len(y) * X.T @ (y - X @ w), "sign is turned"),
        (lambda X, y, w: 2 / len(y) * (X @ w - y), "one number per example"),
        (lambda X, y, w: 2 / X.shape[1] * X.T @ (X @ w - y), "number of weights"),
        (lambda X, y, w: X.T @ (X @ w - y) / len(w), "number of weights"),
        (lambda X, y, w: X.T @ (X @ w - y), "factor 2/N is missing"),
        (lambda X, y, w: np.mean((y - X @ w) ** 2), "Expected the shape (3,)"),
        (lambda X, y, w: np.ones(3), "For the check's data"),
    ],
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
    "total_loss": [
        (
            lambda y, p, z, q, lam: lam * np.mean((y - p) ** 2) + np.mean((z - q) ** 2),
            "λ multiplies the wrong term",
        ),
        (
            lambda y, p, z, q, lam: np.sum((y - p) ** 2) + lam * np.sum((z - q) ** 2),
            "1/N and 1/M are missing",
        ),
        (lambda y, p, z, q, lam: np.mean((y - p) ** 2) + np.mean((z - q) ** 2), "λ is missing"),
        (
            lambda y, p, z, q, lam: lam * (np.mean((y - p) ** 2) + np.mean((z - q) ** 2)),
            "multiplies both terms",
        ),
        (
            lambda y, p, z, q, lam: (
                (np.sum((y - p) ** 2) + lam * np.sum((z - q) ** 2)) / (len(y) + len(z))
            ),
            "divide by N + M",
        ),
        (
            lambda y, p, z, q, lam: (np.sum((y - p) ** 2) + lam * np.sum((z - q) ** 2)) / len(y),
            "divided by N",
        ),
        (
            lambda y, p, z, q, lam: lam * np.mean((y - p) ** 2) + (1 - lam) * np.mean((z - q) ** 2),
            "mixture",
        ),
        (
            lambda y, p, z, q, lam: (1 - lam) * np.mean((y - p) ** 2) + lam * np.mean((z - q) ** 2),
            "mixture",
        ),
        (
            lambda y, p, z, q, lam: np.mean((y - p) ** 2) + lam * np.sum((z - q) ** 2),
            "divide by M",
        ),
        (
            lambda y, p, z, q, lam: np.sum((y - p) ** 2) + lam * np.mean((z - q) ** 2),
            "divide by N",
        ),
        (
            lambda y, p, z, q, lam: np.mean((y - p) ** 2) + 0.3 * np.mean((z - q) ** 2),
            "Use the argument",
        ),
    ],
    "equal_weight": [
        (1, "thousand votes"),
        (0.001, "effective weight at λ = 1"),
        (20000, "ratio of the two sizes"),
        (0.5, "Half and half"),
        (100, "gives the effective weight 0.1"),
        ("1000", "Expected numbers"),
    ],
    "mmd_unbiased": [
        (lambda K, L, M: K.mean() + L.mean() - 2 * M.mean(), "biased estimator"),
        (
            lambda K, L, M: off(K) / K.size + off(L) / L.size - 2 * M.mean(),
            "not out of the counts",
        ),
        (lambda K, L, M: off(K) / 20 + off(L) / 42 - M.mean(), "count twice"),
        (lambda K, L, M: off(K) / 20 + off(L) / 42 + 2 * M.mean(), "subtracted"),
        (lambda K, L, M: off(K) / 20 + off(L) / 42 - 2 * off(M) / 35, "Leave K_st whole"),
        (lambda K, L, M: abs(masked_mmd(K, L, M)) ** 0.5, "root"),
        (lambda K, L, M: max(0.0, masked_mmd(K, L, M)), "cut it off"),
        (lambda K, L, M: 0.25, "yours is 0.2500"),
    ],
    "coral_loss": [
        (uncentred_coral, "not centred"),
        (lambda s, t: uncentred_coral(s, t, less=1), "not centred"),
        (squared, "factor 1 / (4 d²) is missing"),
        (lambda s, t: squared(s, t) / 12, "divided by 4 d"),
        (lambda s, t: squared(s, t) / 4, "one of the 4 and the d²"),
        (lambda s, t: squared(s, t) ** 0.5 / 36, "not squared"),
        (
            lambda s, t: np.sum((np.cov(s.T, bias=True) - np.cov(t.T, bias=True)) ** 2) / 36,
            "divided by n − 1",
        ),
        (lambda s, t: np.sum((np.cov(s) - np.cov(t)) ** 2) / 36, "transposed"),
        (lambda s, t: np.sum((np.cov(s) - np.cov(t)) ** 2), "transposed"),
        (lambda s, t: np.mean((np.cov(s) - np.cov(t)) ** 2) / 4, "transposed"),
        (lambda s, t: squared(s, t) / 4 * s.shape[1] ** 2, "in brackets"),
        (lambda s, t: squared(s, t) / (4 * len(s) ** 2), "number of columns"),
        (lambda s, t: squared(s, t) / (4 * len(t) ** 2), "number of columns"),
        (lambda s, t: 0.0, "yours is 0.0000"),
    ],
    "l2sp_gradient": [
        (lambda X, y, w, v, alpha: fit_gradient(X, y, w) + 2 * alpha * w, "towards zero"),
        (lambda X, y, w, v, alpha: fit_gradient(X, y, w) + 2 * alpha * (v - w), "wrong sign"),
        (lambda X, y, w, v, alpha: fit_gradient(X, y, w) + alpha * (w - v), "factor 2"),
        (lambda X, y, w, v, alpha: fit_gradient(X, y, w) + 2 * (w - v), "α is missing"),
        (
            lambda X, y, w, v, alpha: alpha * fit_gradient(X, y, w) + 2 * (w - v),
            "α multiplies the wrong term",
        ),
        (
            lambda X, y, w, v, alpha: len(y) * fit_gradient(X, y, w) + 2 * alpha * (w - v),
            "factor 1/N",
        ),
        (
            lambda X, y, w, v, alpha: X.T @ (X @ w - y) / len(w) + 2 * alpha * (w - v),
            "For the check's data",
        ),
        (
            lambda X, y, w, v, alpha: X.T @ (X @ w - y) + 2 * alpha * (w - v),
            "factor 2/N of the data term",
        ),
        (
            lambda X, y, w, v, alpha: fit_gradient(X, y, w) / 2 + alpha * (w - v),
            "Both factors 2",
        ),
        (
            lambda X, y, w, v, alpha: fit_gradient(X, y, w) / 2 + 2 * alpha * (w - v),
            "factor 2 of the data term",
        ),
        (
            lambda X, y, w, v, alpha: -fit_gradient(X, y, w) + 2 * alpha * (w - v),
            "sign of the data term",
        ),
        (lambda X, y, w, v, alpha: 2 * alpha * (w - v), "pull alone"),
        (lambda X, y, w, v, alpha: fit_gradient(X, y, w), "data term alone"),
        (lambda X, y, w, v, alpha: 0.0, "Expected the shape (3,)"),
        (lambda X, y, w, v, alpha: np.zeros(3), "For the check's data"),
    ],
    "standardise": [
        (scaled_by(lambda train, test: np.vstack([train, test])), "fitted on all rows"),
        (lambda a, b: tuple((x - x.mean(0)) / x.std(0) for x in (a, b)), "their own means"),
        (lambda a, b: tuple((x - a.mean(0)) / a.var(0) for x in (a, b)), "variance"),
        (lambda a, b: tuple((x - a.mean()) / a.std() for x in (a, b)), "one per column"),
        (lambda a, b: (a / a.std(0), b / a.std(0)), "means are still in"),
        (lambda a, b: (a - a.mean(0), b - a.mean(0)), "now divide"),
        (lambda a, b: (a - a.mean(0)) / a.std(0), "Return two arrays"),
        (lambda a, b: (b, a), "Expected the shape (8, 3)"),
        (lambda a, b: (a, b), "not the standardised rows"),
        (overwritten(0), "overwrite X_train"),
        (overwritten(1), "overwrite X_train"),
        (lambda a, b: ((a - a.mean(0)) / a.std(0), b), "come back unscaled"),
        (lambda a, b: ((a - a.mean(0)) / a.std(0), (b - a.mean(0)) / b.std(0)), "both"),
        (lambda a, b: ((a - a.mean(0)) / a.std(0), (b - b.mean(0)) / a.std(0, ddof=1)), "both"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("02", RIGHT, WRONG)
