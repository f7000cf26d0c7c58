"""The exercises of lesson 16: right answers in every form, wrong ones with their words."""

import numpy as np
import torch
from sklearn.model_selection import GroupShuffleSplit

import exercise_cases


def twin(recipe):
    steps = sum(steps for _, steps in recipe["stages"])
    return {**recipe, "start": "untrained", "stages": [("target", steps)]}


def twin_by_copy(recipe):
    control = dict(recipe)
    control["start"] = "untrained"
    control["stages"] = [["target", int(np.sum([stage[1] for stage in recipe["stages"]]))]]
    return control


def twin_stage_by_stage(recipe):
    stages = [("target", steps) for _, steps in recipe["stages"]]
    return dict(recipe, start="untrained", stages=stages)


def changing(recipe):
    recipe.update(twin(recipe))
    return recipe


def without(name):
    return lambda recipe: {k: v for k, v in twin(recipe).items() if k != name}


def split_by(groups, share, seed):
    names = np.unique(groups)
    lot = np.random.default_rng(seed).permutation(names)
    return np.isin(groups, lot[: round(share * len(names))])


def split_by_sklearn(groups, share, seed):
    found = np.zeros(len(groups), bool)
    splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
    _, kept = next(splitter.split(groups, groups=groups))
    found[kept] = True
    return found


def split_by_sets(groups, share, seed):
    names = sorted(set(groups.tolist()))
    rng = np.random.default_rng(seed)
    kept = {names[i] for i in rng.permutation(len(names))[: int(share * len(names))]}
    return [name in kept for name in groups.tolist()]


def by_rows(groups, share, seed):
    return np.random.default_rng(seed).random(len(groups)) < share


def first_ones(groups, share, seed):
    names = np.unique(groups)
    return np.isin(groups, names[: round(share * len(names))])


def restless(groups, share, seed, state=np.random.default_rng(0)):  # noqa: B008  on purpose
    return split_by(groups, share, state.integers(1 << 30))


def paired(a, b, truth):
    d = 1.0 * (a == truth) - 1.0 * (b == truth)
    return 100 * d.mean(), 100 * d.std() / np.sqrt(len(d))


def paired_by_counts(a, b, truth):
    """McNemar's counts: b alone, a alone."""
    n = len(truth)
    only_a = sum(x == t != y for x, y, t in zip(a, b, truth, strict=True))
    only_b = sum(y == t != x for x, y, t in zip(a, b, truth, strict=True))
    gain = (only_a - only_b) / n
    return [100 * gain, 100 * ((only_a + only_b) / n - gain**2) ** 0.5 / n**0.5]


def paired_by_torch(a, b, truth):
    a, b, truth = map(torch.tensor, (a, b, truth))
    d = (a == truth).double() - (b == truth).double()
    return 100 * d.mean(), 100 * d.std() / len(d) ** 0.5


def unpaired(a, b, truth):
    p, q = np.mean(a == truth), np.mean(b == truth)
    return 100 * (p - q), 100 * np.sqrt((p * (1 - p) + q * (1 - q)) / len(a))


def error(of):
    """Return a `paired` whose error is made from d by `of`."""
    return lambda a, b, y: (paired(a, b, y)[0], of(1.0 * (a == y) - 1.0 * (b == y)))


def gain(of):
    return lambda a, b, y: (of(a, b, y), paired(a, b, y)[1])


RIGHT = {
    "twin": [twin, twin_by_copy, twin_stage_by_stage],
    "split_by": [split_by, split_by_sklearn, split_by_sets],
    "paired": [paired, paired_by_counts, paired_by_torch],
    "review": [{2, 3, 5, 6}, [6, 5, 3, 2], np.array([2, 3, 5, 6]), ("2", "3", "5", "6")],
}

WRONG = {
    "twin": [
        (changing, "changed the recipe"),
        (lambda r: 96, "Return a dict"),
        (without("rate"), "`rate` is 0.003"),
        (lambda r: {**twin(r), "labels": 50}, "`labels` is 100"),
        (lambda r: {**twin(r), "start": "pretrained"}, 'the control is "untrained"'),
        (lambda r: {**r, "start": "untrained"}, "sees the target alone"),
        (lambda r: {**twin(r), "stages": r["stages"][-1:]}, "those of the last stage"),
        (lambda r: {**twin(r), "stages": [("target", 7)]}, "7 steps"),
    ],
    "split_by": [
        (by_rows, "on both sides"),
        (lambda g, share, seed: ~split_by(g, share, seed), "rows to train on"),
        (lambda g, share, seed: np.flatnonzero(split_by(g, share, seed)), "True or False"),
        (lambda g, share, seed: split_by(g, share, seed)[1:], "one value for each"),
        (lambda g, share, seed: split_by(g, share, 0), "Another seed gives the same"),
        (first_ones, "Another seed gives the same"),
        (restless, "another split each time"),
        (lambda g, share, seed: np.ones(len(g), bool), "on one side"),
        (lambda g, share, seed: split_by(g, 0.1, seed), "about 10 groups"),
        (lambda g, share, seed: split_by(g, 0.25, seed), "With share 0.5"),
    ],
    "paired": [
        (lambda a, b, y: paired(a, b, y)[0], "two numbers"),
        (lambda a, b, y: paired(b, a, y), "sign is turned"),
        (gain(lambda a, b, y: paired(a, b, y)[0] / 100), "times 100"),
        (gain(lambda a, b, y: 100 * np.mean(a != b)), "share on which they differ"),
        (gain(lambda a, b, y: 100 * np.mean(a == y)), "accuracy of a alone"),
        (gain(lambda a, b, y: 1.0), "The difference is"),
        (unpaired, "different inputs"),
        (error(lambda d: 100 * d.std()), "root of n"),
        (error(lambda d: 100 * d.std() / len(d)), "the *root* of n"),
        (error(lambda d: d.std() / np.sqrt(len(d))), "times 100"),
        (error(lambda d: 100 * d.var() / np.sqrt(len(d))), "variance"),
        (error(lambda d: 9.0), "standard error is"),
    ],
    "review": [
        ({2, 3}, "2 more should go back"),
        ({2, 3, 5, 6, 9}, "limits that are named"),
        ({11}, "no sentence 11"),
        (set(), "4 more"),
        (5, "Give the numbers"),
    ],
}  # fmt: skip

test_right, test_wrong, test_complete = exercise_cases.tests("16", RIGHT, WRONG)
