"""The exercises of lesson 15: right answers in every form, wrong ones with their words."""

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge

import exercise_cases


def ndcg(gains, scores, n=10):
    weights = 1 / np.log2(np.arange(2, n + 2))
    listed, best = gains[np.argsort(-scores)[:n]], np.sort(gains)[::-1][:n]
    return (weights[: len(listed)] @ listed) / (weights[: len(best)] @ best)


def ndcg_by_loops(gains, scores, n=10):
    def sum_of(order):
        return sum(gains[i] / np.log2(place + 2) for place, i in enumerate(order[:n]))

    everything = range(len(gains))
    best = sum_of(sorted(everything, key=lambda i: -gains[i]))
    return sum_of(sorted(everything, key=lambda i: -scores[i])) / best


def discounted(gains, scores, n, weights, best=None):
    order = np.argsort(-scores)[:n]
    top = np.sort(gains if best is None else best)[::-1][:n]
    return float((gains[order] * weights).sum() / (top * weights).sum())


PLACES = np.arange(1, 5)


def recall(liked, scores, n=10):
    return liked[np.argsort(-scores)[:n]].sum() / liked.sum()


def recall_by_sets(liked, scores, n=10):
    listed = set(pd.Series(scores).nlargest(n).index)
    mine = {i for i, likes in enumerate(liked) if likes}
    return len(listed & mine) / len(mine)


def half(rest, seen, q, strength=2.0):
    p = np.zeros((len(rest), q.shape[1]))
    for u in range(len(rest)):
        known = q[seen[u] > 0]
        gram = known.T @ known + strength * np.eye(q.shape[1])
        p[u] = np.linalg.solve(gram, known.T @ rest[u, seen[u] > 0])
    return p


def half_at_once(rest, seen, q, strength=2.0):
    gram = np.einsum("um,mi,mj->uij", seen, q, q) + strength * np.eye(q.shape[1])
    return np.linalg.solve(gram, ((rest * seen) @ q)[..., None])[..., 0]


def half_by_sklearn(rest, seen, q, strength=2.0):
    p = np.zeros((len(rest), q.shape[1]))
    for u, mask in enumerate(seen.astype(bool)):
        if mask.any():
            model = Ridge(alpha=strength, fit_intercept=False)
            p[u] = model.fit(q[mask], rest[u, mask]).coef_
    return p


def unrated(rest, seen, q, strength):
    return half(rest, np.ones_like(seen), q, strength)


def zeros(rest, seen, q, strength):
    return half(rest * seen, np.ones_like(seen), q, strength)


def no_strength(rest, seen, q, strength):
    known = [np.linalg.pinv(q[mask]) @ r[mask] for mask, r in zip(seen > 0, rest, strict=True)]
    return np.stack(known)


def weighted(rest, seen, q, strength):
    p = [
        half(r[None], s[None], q, max(strength * s.sum(), 1e-9))[0]
        for r, s in zip(rest, seen, strict=True)
    ]
    return np.stack(p)


def mapping(phone, tv, strength=5.0):
    gram = phone.T @ phone + strength * np.eye(phone.shape[1])
    return np.linalg.solve(gram, phone.T @ tv)


def mapping_by_inverse(phone, tv, strength=5.0):
    k = phone.shape[1]
    return np.linalg.inv(phone.T @ phone + strength * np.identity(k)) @ phone.T @ tv


def mapping_by_sklearn(phone, tv, strength=5.0):
    return Ridge(alpha=strength, fit_intercept=False).fit(phone, tv).coef_.T


def mapping_by_rows(phone, tv, strength=5.0):
    k = phone.shape[1]
    x = np.vstack([phone, np.sqrt(strength) * np.eye(k)])
    y = np.vstack([tv, np.zeros((k, tv.shape[1]))])
    return torch.tensor(np.linalg.lstsq(x, y, rcond=None)[0])


def towards(prior, rest, seen, q, strength=2.0):
    return prior + half(rest - prior @ q.T, seen, q, strength)


def towards_directly(prior, rest, seen, q, strength=2.0):
    gram = np.einsum("um,mi,mj->uij", seen, q, q) + strength * np.eye(q.shape[1])
    right = (rest * seen) @ q + strength * prior
    return np.linalg.solve(gram, right[..., None])[..., 0]


def towards_by_rows(prior, rest, seen, q, strength=2.0):
    found, k = [], q.shape[1]
    for p, r, s in zip(prior, rest, seen > 0, strict=True):
        x = np.vstack([q[s], np.sqrt(strength) * np.eye(k)])
        y = np.concatenate([r[s], np.sqrt(strength) * p])
        found.append(np.linalg.lstsq(x, y, rcond=None)[0])
    return found


def shrunk(keys, values, n, prior, strength=5):
    total, count = np.bincount(keys, values, n), np.bincount(keys, minlength=n)
    return (total + strength * prior) / (count + strength)


def shrunk_by_loops(keys, values, n, prior, strength=5):
    prior = np.broadcast_to(prior, n)
    rated = [[v for k, v in zip(keys, values, strict=True) if k == key] for key in range(n)]
    return [
        (sum(r) + strength * p) / (len(r) + strength) for r, p in zip(rated, prior, strict=True)
    ]


def shrunk_by_pandas(keys, values, n, prior, strength=5):
    groups = pd.Series(values).groupby(keys)
    total, count = (
        getattr(groups, name)().reindex(range(n), fill_value=0) for name in ("sum", "count")
    )
    return (total + strength * prior) / (count + strength)


def parts(keys, values, n):
    return np.bincount(keys, values, n), np.bincount(keys, minlength=n)


def plain(keys, values, n):
    total, count = parts(keys, values, n)
    return total / np.maximum(count, 1)


def filled(keys, values, n, prior):
    return np.where(parts(keys, values, n)[1] > 0, plain(keys, values, n), prior)


def without_strength(keys, values, n, prior, strength):
    total, count = parts(keys, values, n)
    return (total + strength * prior) / (count + 1)


RIGHT = {
    "ndcg": [ndcg, ndcg_by_loops, lambda *given: torch.tensor(ndcg(*given))],
    "recall": [recall, recall_by_sets, lambda *given: float(recall(*given))],
    "half": [half, half_at_once, half_by_sklearn],
    "mapping": [mapping, mapping_by_inverse, mapping_by_sklearn, mapping_by_rows],
    "towards": [towards, towards_directly, towards_by_rows],
    "shrunk": [shrunk, shrunk_by_loops, shrunk_by_pandas],
}

WRONG = {
    "ndcg": [
        (lambda g, s, n: g[np.argsort(-s)[:4]] @ (1 / np.log2(np.arange(2, 6))), "not yet"),
        (lambda g, s, n: ndcg(g, -s, n), "*lowest*"),
        (lambda g, s, n: ndcg(g, s, len(g)), "yours holds all"),
        (lambda g, s, n: discounted(g, s, 4, np.ones(4)), "places do not count"),
        (lambda g, s, n: discounted(g, s, 4, 1 / PLACES), "Divided by the place"),
        (lambda g, s, n: discounted(g, s, 4, 1 / np.log2(PLACES + 2)), "places begin at 2"),
        (lambda g, s, n: 0.5 * ndcg(g, s, n), "it is"),
        (lambda g, s, n: ndcg(np.r_[g, np.zeros(9)], np.r_[s, np.zeros(9)], n), "three pieces"),
    ],
    "recall": [
        (lambda y, s, n: y[np.argsort(-s)[:n]].mean(), "precision"),
        (lambda y, s, n: y[np.argsort(-s)[:n]].sum(), "number of pieces"),
        (lambda y, s, n: recall(y, -s, n), "*lowest*"),
        (lambda y, s, n: y[:n].sum() / y.sum(), "not sorted"),
        (lambda y, s, n: y[np.argsort(-s)[:n]].sum() / len(y), "all pieces"),
        (lambda y, s, n: recall(y, s), "not ten"),
        (lambda y, s, n: 1.0, "everything is found"),
        (lambda y, s, n: 0.9 * recall(y, s, n), "yours is"),
    ],
    "half": [
        (unrated, "nobody has"),
        (zeros, "counts as 0"),
        (no_strength, "`strength` is missing"),
        (weighted, "number of ratings"),
        (lambda r, s, q, strength: half(r, s, q), "always 2"),
        (lambda r, s, q, strength: (r * s) @ q, "inverse"),
        (lambda r, s, q, strength: -half(r, s, q, strength), "sign is turned"),
        (lambda r, s, q, strength: half(r, s, q, strength).T, "transposed"),
        (lambda r, s, q, strength: half(r, s, q, strength)[:2], "Expected the shape"),
        (lambda r, s, q, strength: half(r, s, q, strength) + 1, "has rated nothing"),
        (lambda r, s, q, strength: 3 * half(r, s, q, strength), "first factor"),
    ],
    "mapping": [
        (lambda x, y, strength: mapping(y, x, strength), "Turned round"),
        (lambda x, y, strength: mapping(x, y, strength).T, "W transposed"),
        (lambda x, y, strength: np.linalg.lstsq(x, y, rcond=None)[0], "`strength` is missing"),
        (lambda x, y, strength: mapping(x, y), "always 5"),
        (lambda x, y, strength: mapping(x, y, strength * len(x)), "*mean*"),
        (lambda x, y, strength: mapping(x, y, strength**2), "squared"),
        (lambda x, y, strength: x.T @ y, "inverse"),
        (lambda x, y, strength: x, "Expected the shape"),
        (lambda x, y, strength: 2 * mapping(x, y, strength), "first number"),
    ],
    "towards": [
        (lambda p, r, s, q, strength: half(r, s, q, strength), "prior is not used"),
        (lambda p, r, s, q, strength: p, "This is the prior"),
        (lambda p, r, s, q, strength: p + half(r, s, q, strength), "explained twice"),
        (lambda p, r, s, q, strength: half(r - p @ q.T, s, q, strength), "Add the prior"),
        (lambda p, r, s, q, strength: (p + half(r, s, q, strength)) / 2, "middle of both"),
        (lambda p, r, s, q, strength: towards(p, r, s, q), "always 2"),
        (lambda p, r, s, q, strength: towards(p, r, np.ones_like(s), q, strength), "nobody has"),
        (lambda p, r, s, q, strength: p + half(p @ q.T - r, s, q, strength), "sign is turned"),
        (lambda p, r, s, q, strength: towards(p, r, s, q, strength) + 1, "has rated nothing"),
        (lambda p, r, s, q, strength: towards(p, 2 * r, s, q, strength), "first factor"),
    ],
    "shrunk": [
        (lambda k, v, n, prior, w: parts(k, v, n)[0] / parts(k, v, n)[1], "not a number"),
        (lambda k, v, n, prior, w: filled(k, v, n, prior), "one rating"),
        (lambda k, v, n, prior, w: shrunk(k, v, n, 0.0, w), "pulls to zero"),
        (lambda k, v, n, prior, w: shrunk(k, v, n, prior / w, w), "multiply it"),
        (lambda k, v, n, prior, w: without_strength(k, v, n, prior, w), "as well"),
        (lambda k, v, n, prior, w: shrunk(k, v, n, prior), "always 5"),
        (lambda k, v, n, prior, w: (filled(k, v, n, prior) + prior) / 2, "middle"),
        (lambda k, v, n, prior, w: parts(k, v, n)[0] + w * prior, "This is a sum"),
        (lambda k, v, n, prior, w: shrunk(k, v, 4, prior, w), "One mean for each"),
        (lambda k, v, n, prior, w: shrunk(k, v, n, np.mean(prior), w), "of its own"),
        (lambda k, v, n, prior, w: 2 * shrunk(k, v, n, prior, w), "For key 0"),
    ],
}  # fmt: skip

test_right, test_wrong, test_complete = exercise_cases.tests("15", RIGHT, WRONG)
