"""The exercises of lesson 08: right answers in every form, wrong ones with their words."""

import numpy as np

import exercise_cases


def ratio_loop(p_target, n_source, n_target):
    return [p * n_source / ((1 - p) * n_target) for p in p_target]


def ratio_torch(p_target, n_source, n_target):
    import torch

    p = torch.tensor(p_target)
    return p / (1 - p) * n_source / n_target


def reweight(w, wrong, n_source, beta, error):
    factor = np.where(np.arange(len(w)) < n_source, beta, (1 - error) / error)
    return w * factor**wrong


def reweight_loop(w, wrong, n_source, beta, error):
    new = list(w)
    for i, bad in enumerate(wrong):
        if bad:
            new[i] *= beta if i < n_source else (1 - error) / error
    return new


def reweight_normalised(*args):
    return reweight(*args) / reweight(*args).sum()


def reweight_in_place(w, wrong, n_source, beta, error):
    w *= reweight(np.ones(len(w)), wrong, n_source, beta, error)
    return w


def grow_right_targets(w, wrong, n_source, beta, error):
    return reweight(w, wrong | (np.arange(len(w)) >= n_source), n_source, beta, error)


def rules(source, target, of_right=False):
    """Return a reweighting whose factors are functions of beta and error."""

    def wrong_answer(w, wrong, n_source, beta, error):
        hit = ~wrong if of_right else wrong
        factor = np.where(np.arange(len(w)) < n_source, source(beta, error), target(beta, error))
        return np.where(hit, w * factor, w)

    return wrong_answer


def shrink(beta, error):
    return beta


def grow(beta, error):
    return (1 - error) / error


def shrink_target(beta, error):
    return error / (1 - error)


def coral(x_source, x_target, centred=True, divide=lambda d: 4 * d**2, ddof=1):
    def covariance(x):
        x = x - x.mean(0) if centred else x
        return x.T @ x / (len(x) - ddof)

    gap = covariance(x_source) - covariance(x_target)
    return np.linalg.norm(gap) ** 2 / divide(x_source.shape[1])


def coral_torch(x_source, x_target):
    import torch

    gap = torch.cov(torch.tensor(x_source).T) - torch.cov(torch.tensor(x_target).T)
    return (gap**2).mean() / 4


def pull_list(g, w, w_source, alpha):
    return [a + alpha * (b - c) for a, b, c in zip(g, w, w_source, strict=True)]


def pull_torch(g, w, w_source, alpha):
    import torch

    w = torch.tensor(w, requires_grad=True)
    (alpha / 2 * ((w - torch.tensor(w_source)) ** 2).sum()).backward()
    return torch.tensor(g) + w.grad


def cold_loop(users, items, item_mean):
    rows = [[m + sum(u * v) for v, m in zip(items, item_mean, strict=True)] for u in users]
    return [[min(max(r, 0.5), 5) for r in row] for row in rows]


RIGHT = {
    "ratio": [
        lambda p, n, m: p / (1 - p) * n / m,
        lambda p, n, m: (p / m) / ((1 - p) / n),
        ratio_loop,
        ratio_torch,
    ],
    "reweight": [reweight, reweight_loop, reweight_normalised],
    "coral_loss": [
        coral,
        coral_torch,
        lambda a, b: np.sum((np.cov(a.T) - np.cov(b.T)) ** 2) / (2 * a.shape[1]) ** 2,
        lambda a, b: coral(a, b, ddof=0),
    ],
    "pull": [lambda g, w, s, a: g + a * (w - s), pull_list, pull_torch],
    "cold_start": [
        lambda u, v, m: np.clip(m + u @ v.T, 0.5, 5),
        lambda u, v, m: np.minimum(np.maximum(np.einsum("id,jd->ij", u, v) + m, 0.5), 5),
        cold_loop,
    ],
}


WRONG = {
    "reweight": [
        (rules(grow, grow), "AdaBoost for all"),
        (rules(grow, shrink), "swapped"),
        (rules(shrink, shrink_target), "upside down"),
        (rules(shrink, lambda b, e: 1.0), "Only one of the two"),
        (rules(shrink, grow, of_right=True), "examples that were right"),
        (reweight_in_place, "changes the array"),
        (lambda w, bad, *rest: reweight(w, bad | True, *rest), "right examples as well"),
        (lambda w, *rest: w, "weight 0.05; yours is 0.1"),
        (grow_right_targets, "a right target example of weight 0.2"),
        (lambda w, *rest: w[:3], "of shape (5,)"),
    ],
    "coral_loss": [
        (lambda a, b: coral(a, b, centred=False), "not centred"),
        (lambda a, b: coral(a, b, centred=False, ddof=0), "not centred"),
        (lambda a, b: coral(a, b, divide=lambda d: 1), "divide it by"),
        (lambda a, b: np.linalg.norm(np.cov(a.T) - np.cov(b.T)), "square root"),
        (lambda a, b: coral(a, b, divide=lambda d: 4), "number of features"),
        (lambda a, b: coral(a, b, divide=lambda d: d**2), "The 4 is missing"),
        (lambda a, b: coral(a, b, divide=lambda d: 4 / d**2), "Python divides by 4"),
        (lambda a, b: coral(a, b, divide=lambda d: 4 * len(a) ** 2), "d counts columns"),
        (
            lambda a, b: np.sum((np.cov(a) - np.cov(b)) ** 2) / (4 * a.shape[1] ** 2),
            "covariances of the rows",
        ),
        (lambda a, b: np.cov(a.T) - np.cov(b.T), "one number"),
        (lambda a, b: 0.0, "yours is 0"),
    ],
    "cold_start": [
        (lambda u, v, m: m + u @ v.T, "leave the scale"),
        (lambda u, v, m: u @ v.T, "mean rating of each item is missing"),
        (lambda u, v, m: (m + u @ v.T).T, "swapped"),
        (lambda u, v, m: np.tile(m, (len(u), 1)), "This is the control"),
        (lambda u, v, m: m, "of shape (4, 3)"),
        (lambda u, v, m: np.zeros((4, 3)), "is 3.25; yours is 0"),
        (lambda u, v, m: np.clip(m + u @ v.T, 0, 5), "begins at 0.5"),
        (lambda u, v, m: np.clip(m + u @ v.T, 1, 5), "begins at 0.5"),
        (lambda u, v, m: np.minimum(m + u @ v.T, 5), "One end of the scale is open"),
        (lambda u, v, m: np.clip(m + u @ v.T, 0.5, 4), "(1, 1) and its mean 3.5"),
    ],
}


test_right, test_wrong, test_complete = exercise_cases.tests("08", RIGHT, WRONG)
