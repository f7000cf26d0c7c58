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


# CORAL.
def root(c, exponent):
    values, vectors = np.linalg.eigh(c)
    return (vectors * values**exponent) @ vectors.T


def covariances(xs, xt, ridge):
    unit = ridge * np.eye(xs.shape[1])
    return np.cov(xs.T) + unit, np.cov(xt.T) + unit


def coral(xs, xt, ridge=0.1):
    c_s, c_t = covariances(xs, xt, ridge)
    return (xs - xs.mean(0)) @ root(c_s, -0.5) @ root(c_t, 0.5) + xt.mean(0)


def coral_scipy(xs, xt, ridge=0.1):
    from scipy.linalg import inv, sqrtm

    c_s, c_t = covariances(xs, xt, ridge)
    return (xs - xs.mean(0)) @ inv(sqrtm(c_s)).real @ sqrtm(c_t).real + xt.mean(0)


def coral_torch(xs, xt, ridge=0.1):
    import torch

    return torch.tensor(coral(xs, xt, ridge))


def coral_rows(xs, xt, ridge=0.1):
    return np.cov(xs.T)


def moved(step):
    """Return a wrong CORAL made of the centred source, the covariances and the means."""

    def answer(xs, xt, ridge=0.1):
        return step(xs - xs.mean(0), *covariances(xs, xt, ridge), xs.mean(0), xt.mean(0))

    return answer


def coral_without_ridge(xs, xt, ridge=0.1):
    return coral(xs, xt, 0.0)


def coral_one_ridge(xs, xt, ridge=0.1):
    (c_s, _), (_, c_t) = covariances(xs, xt, ridge), covariances(xs, xt, 0.0)
    return (xs - xs.mean(0)) @ root(c_s, -0.5) @ root(c_t, 0.5) + xt.mean(0)


def coral_not_centred(xs, xt, ridge=0.1):
    c_s, c_t = covariances(xs, xt, ridge)
    return xs @ root(c_s, -0.5) @ root(c_t, 0.5) + xt.mean(0)


# The rule and its mapping.
def count(first, second):
    return first.astype(int) @ second.T.astype(int)


def rule_loop(first, second):
    return [[bool(np.any(p & q)) for q in second] for p in first]


def rule_broadcast(first, second):
    return (first[:, None] & second[None]).any(axis=2)


def apply(first, second):
    return count(first, second) > 0


def agreements(records, known, truth, pairs):
    found = {}
    for a, b in pairs:
        said = apply(records[a], records[b])[tuple(known.T)]
        found[a, b] = np.mean(said == truth)
    return found


def mapping_dict(records, known, truth):
    pairs = [(a, b) for a in records for b in records if a != b]
    found = agreements(records, known, truth, pairs)
    return max(found, key=found.get)


def mapping_loop(records, known, truth):
    best, names = -1, None
    for a in records:
        for b in records:
            right = sum(
                apply(records[a], records[b])[p, q] == t
                for (p, q), t in zip(known, truth, strict=True)
            )
            if a != b and right > best:
                best, names = right, [a, b]
    return names


def mapping_sorted(records, known, truth):
    from itertools import permutations

    found = agreements(records, known, truth, permutations(records, 2))
    return sorted(found, key=found.get)[-1]


def mapping_one_order(records, known, truth):
    from itertools import combinations

    found = agreements(records, known, truth, combinations(records, 2))
    return max(found, key=found.get)


# Ties.
def ties_any(cell):
    best = max(cell, key=lambda name: np.mean(cell[name]))
    return {n for n, v in cell.items() if n == best or np.any(np.array(v) >= cell[best])}


def ties_not_all(cell):
    best = max(cell, key=lambda name: sum(cell[name]) / len(cell[name]))
    return [n for n in cell if n == best or not np.all(np.array(cell[best]) > cell[n])]


def ties_loop(cell):
    best = max(cell, key=lambda name: np.mean(cell[name]))
    names = {best}
    for name, values in cell.items():
        if any(a >= b for a, b in zip(values, cell[best], strict=True)):
            names.add(name)
    return frozenset(names)


def ties_strictly(cell):
    best = max(cell, key=lambda name: np.mean(cell[name]))
    return {n for n, v in cell.items() if n == best or np.any(np.array(v) > cell[best])}


def best_only(cell):
    return {max(cell, key=lambda name: np.mean(cell[name]))}


def without_best(cell):
    return ties_any(cell) - best_only(cell)


def by_maximum(cell):
    best = max(cell, key=lambda name: max(cell[name]))
    return {n for n, v in cell.items() if np.any(np.array(v) >= cell[best])}


def within_two_points(cell):
    means = {name: np.mean(values) for name, values in cell.items()}
    return {name for name, value in means.items() if value >= max(means.values()) - 2}


def pull_list(g, w, w_source, alpha):
    return [a + alpha * (b - c) for a, b, c in zip(g, w, w_source, strict=True)]


def pull_torch(g, w, w_source, alpha):
    import torch

    w = torch.tensor(w, requires_grad=True)
    (alpha / 2 * ((w - torch.tensor(w_source)) ** 2).sum()).backward()
    return torch.tensor(g) + w.grad


RIGHT = {
    "ratio": [
        lambda p, n, m: p / (1 - p) * n / m,
        lambda p, n, m: (p / m) / ((1 - p) / n),
        ratio_loop,
        ratio_torch,
    ],
    "reweight": [reweight, reweight_loop, reweight_normalised],
    "pull": [lambda g, w, s, a: g + a * (w - s), pull_list, pull_torch],
    "coral": [coral, coral_scipy, coral_torch],
    "rule": [apply, rule_loop, rule_broadcast],
    "mapping": [mapping_dict, mapping_loop, mapping_sorted],
    "ties": [ties_any, ties_not_all, ties_loop],
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
    "coral": [
        (moved(lambda x, s, t, m, n: x @ root(s, -0.5) @ root(t, 0.5)), "add the target's mean"),
        (moved(lambda x, s, t, m, n: x @ root(s, -0.5) @ root(t, 0.5) + m), "the source's mean"),
        (moved(lambda x, s, t, m, n: x @ root(t, 0.5) @ root(s, -0.5) + n), "The order matters"),
        (moved(lambda x, s, t, m, n: x @ root(s, -0.5) + n), "not coloured"),
        (moved(lambda x, s, t, m, n: x @ root(t, -0.5) @ root(s, 0.5) + n), "swapped"),
        (moved(lambda x, s, t, m, n: x @ root(s, -1) @ t + n), "inverse *root*"),
        (moved(lambda x, s, t, m, n: x + n), "the mean alone"),
        (coral_without_ridge, "ridge is missing"),
        (coral_one_ridge, "Add it to both"),
        (coral_not_centred, "Centre the source"),
        (coral_rows, "matrix of covariances"),
        (lambda xs, xt, ridge=0.1: xs, "as they came"),
        (lambda xs, xt, ridge=0.1: coral(xs, xt, ridge) + 1, "The first moved point"),
        (lambda xs, xt, ridge=0.1: xt, "yours have"),
    ],
    "rule": [
        (count, "counts the common objects"),
        (lambda first, second: apply(second, first), "The places are swapped"),
        (lambda first, second: apply(first, second) | apply(second, first), "has a direction"),
        (lambda first, second: count(first, second) == 1, "not for 1"),
        (lambda first, second: (first[:, None] <= second[None]).all(axis=2), "any, not all"),
        (lambda first, second: first & second, "people by people"),
        (lambda first, second: ~apply(first, second), "so the rule says"),
    ],
    "mapping": [
        (lambda *given: mapping_dict(*given)[::-1], "The two places are swapped"),
        (lambda records, known, truth: tuple(records)[:2], "first pair tried"),
        (mapping_one_order, "Only one order"),
        (lambda *given: 0.9, "Return the two names"),
        (lambda *given: ("a", "b"), "Return two of the names"),
        (lambda records, known, truth: tuple(records)[:1:-1], "agrees best; yours says"),
    ],
    "ties": [
        (best_only, "the best alone"),
        (without_best, "The best itself"),
        (ties_strictly, "A drawn draw"),
        (by_maximum, "highest *mean*"),
        (within_two_points, "it won a draw"),
        (lambda cell: "a", "Return a set"),
        (lambda cell: set(cell), "the set is"),
    ],
}


test_right, test_wrong, test_complete = exercise_cases.tests("08", RIGHT, WRONG)
