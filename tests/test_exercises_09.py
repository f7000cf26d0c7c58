"""The exercises of lesson 09: right answers in every form, wrong ones with their words."""

import numpy as np
from sklearn.linear_model import Ridge

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


# A map from pairs.
def turning(S, T):
    U, _, Vt = np.linalg.svd((S - S.mean(0)).T @ (T - T.mean(0)))
    return U @ Vt


def by_svd(S, T, new):
    return (new - S.mean(0)) @ turning(S, T) + T.mean(0)


def by_scipy(S, T, new):
    from scipy.linalg import orthogonal_procrustes

    Q, _ = orthogonal_procrustes(S - S.mean(0), T - T.mean(0))
    return (new - S.mean(0)) @ Q + T.mean(0)


def by_torch(S, T, new):
    import torch

    return torch.tensor(by_svd(S, T, new))


def uncentred(S, T, new):
    U, _, Vt = np.linalg.svd(S.T @ T)
    return new @ U @ Vt


def uncentred_svd(S, T, new):
    U, _, Vt = np.linalg.svd(S.T @ T)
    return (new - S.mean(0)) @ U @ Vt + T.mean(0)


def wrong_v(S, T, new):
    U, _, Vt = np.linalg.svd((S - S.mean(0)).T @ (T - T.mean(0)))
    return (new - S.mean(0)) @ U @ Vt.T + T.mean(0)


def affine(S, T, new):
    X = np.c_[S, np.ones(len(S))]
    return np.c_[new, np.ones(len(new))] @ np.linalg.lstsq(X, T, rcond=None)[0]


# Biased ridge.
def left_over(source, X, y):
    return y - source.predict(X)


def biased(source, X, y, new, alpha):
    return source.predict(new) + Ridge(alpha).fit(X, left_over(source, X, y)).predict(new)


def biased_by_hand(source, X, y, new, alpha):
    r = left_over(source, X, y)
    centred = X - X.mean(0)
    A = centred.T @ centred + alpha * np.eye(X.shape[1])
    v = np.linalg.solve(A, centred.T @ (r - r.mean()))
    return source.predict(new) + r.mean() + (new - X.mean(0)) @ v


def biased_as_list(*arguments):
    return biased(*arguments).tolist()


def target_alone(source, X, y, new, alpha):
    return Ridge(alpha).fit(X, y).predict(new)


RIGHT = {
    "procrustes": [by_svd, by_scipy, by_torch],
    "proxy_distance": [
        lambda predicted, domain: 2 * (1 - 2 * np.mean(predicted != domain)),
        lambda predicted, domain: 4 * np.mean(predicted == domain) - 2,
        lambda predicted, domain: 2 - 4 * sum(abs(predicted - domain)) / len(domain),
    ],
    "biased_ridge": [biased, biased_by_hand, biased_as_list],
    "faults": [{1, 7, 9, 11}, [11, 9, 7, 1], np.array([1, 7, 9, 11])],
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
}


WRONG = {
    "procrustes": [
        (uncentred, "Q is built from S and T with their means"),
        (uncentred_svd, "The means are still in"),
        (lambda S, T, new: (new - S.mean(0)) @ turning(S, T), "put in the mean of T"),
        (lambda S, T, new: new @ turning(S, T) + T.mean(0), "mean of S out of the new"),
        (lambda S, T, new: (new - S.mean(0)) @ turning(S, T).T + T.mean(0), "turned over"),
        (wrong_v, "already transposed"),
        (affine, "stretches and shears"),
        (lambda S, T, new: new - S.mean(0) + T.mean(0), "not turned"),
        (lambda S, T, new: turning(S, T), "the matrix Q"),
        (lambda S, T, new: new, "The first new point"),
    ],
    "biased_ridge": [
        (lambda *given: biased(*given) - given[0].predict(given[3]), "the correction alone"),
        (lambda source, X, y, new, alpha: source.predict(new), "the source model alone"),
        (target_alone, "ridge on the target alone"),
        (lambda s, X, y, new, a: 2 * s.predict(new) - biased(s, X, y, new, a), "sign is turned"),
        (lambda s, X, y, new, a: s.predict(new) + target_alone(s, X, y, new, a), "counts twice"),
        (
            lambda s, X, y, new, a: (s.predict(new) + target_alone(s, X, y, new, a)) / 2,
            "mean of two models",
        ),
        (lambda s, X, y, new, a: biased(s, X, y, new, 1.0), "Use the argument `alpha`"),
        (lambda s, X, y, new, a: s.predict(new) + left_over(s, X, y).mean(), "adds one constant"),
        (lambda s, X, y, new, a: y, "one prediction for each"),
        (lambda *given: biased(*given) + 1, "The first prediction"),
    ],
    "faults": [
        ({1, 4, 7, 9, 11}, "Line 4 has no fault"),
        ({5, 1}, "Look whether anybody uses them"),
        ({1, 7, 11}, "3 of 4, all of them right. Look at which rows"),
        ({12}, "no line 12"),
        (7, "as a set"),
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
}


test_right, test_wrong, test_complete = exercise_cases.tests("09", RIGHT, WRONG)
