"""The exercises of lesson 09: right answers in every form, wrong ones with their words."""

import numpy as np

import exercise_cases


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


test_right, test_wrong, test_complete = exercise_cases.tests("09", RIGHT, WRONG)
