"""Exercises of lesson 15: lists measured, tastes factored, tastes carried."""

from transfer_lib.exercises.lesson_15_tastes import half, mapping, towards
from transfer_lib.practice import Wrong, array, call, close, exercise, number

__all__ = ["half", "mapping", "ndcg", "recall", "shrunk", "towards"]


@exercise(
    "15.ndcg",
    hints=[
        "`np.argsort(-scores)[:n]` are the pieces on the list, best first; `gains[...]` of them is "
        "what they bring.",
        "The weights of places 1 to n are `1 / np.log2(np.arange(2, n + 2))`. With fewer than n "
        "pieces take only as many.",
        "Divide `weights @ listed` by the same sum for `np.sort(gains)[::-1][:n]`.",
    ],
)
def ndcg(answer):
    """Return the normalised discounted cumulative gain; Järvelin and Kekäläinen (2002)."""
    import numpy as np

    rng = np.random.default_rng(0)
    gains, scores = rng.choice([0.0, 1, 3, 7, 15], 20), rng.normal(size=20)
    value = number(call(answer, gains, scores, 4), "the NDCG")

    def dcg(values, base=2.0, first=2):
        return float(
            (values / (np.log(np.arange(first, first + len(values))) / np.log(base))).sum()
        )

    order, best = np.argsort(-scores), np.sort(gains)[::-1]
    right = dcg(gains[order[:4]]) / dcg(best[:4])
    table = [
        (dcg(gains[order[:4]]), "This is not yet normalised: divide by what the best list gets."),
        (dcg(gains[np.argsort(scores)[:4]]) / dcg(best[:4]), "The list begins with the *lowest* "
         "score: sort by `-scores`."),
        (dcg(gains[order[:4]]) / dcg(best), "The best list has n places, too."),
        (dcg(gains[order]) / dcg(best), "The list has n places; yours holds all pieces."),
        (gains[order[:4]].sum() / best[:4].sum(), "The places do not count here. Divide each gain "
         "by log2(place + 1)."),
        ((gains[order[:4]] / np.arange(1, 5)).sum() / (best[:4] / np.arange(1, 5)).sum(),
         "Divided by the place. Divide by log2(place + 1)."),
        (dcg(gains[order[:4]], first=3) / dcg(best[:4], first=3), "The first place divides by "
         "log2(2) = 1; your places begin at 2."),
        (dcg(scores[order[:4]]) / dcg(best[:4]), "These are the scores. What counts are the "
         "gains, in the order of the scores."),
    ]  # fmt: skip
    if not close(value, right):
        for wrong, words in table:
            if close(value, wrong):
                raise Wrong(words)
        raise Wrong(f"For the check's pieces it is {right:.4f}; yours is {value:.4f}.")
    few = number(call(answer, gains[:3] + 1, scores[:3], 10), "the NDCG")
    wanted = dcg((gains[:3] + 1)[np.argsort(-scores[:3])]) / dcg(np.sort(gains[:3] + 1)[::-1])
    if not close(few, wanted):
        raise Wrong(f"With three pieces and n = 10 it is {wanted:.4f}; yours is {few:.4f}.")
    return "1 is the best possible list. Only the order counts, not the scores themselves."


@exercise(
    "15.recall",
    hints=[
        "`np.argsort(-scores)[:n]` are the pieces on the list.",
        "`liked[list].sum()` of them are liked.",
        "Divide by all that are liked, `liked.sum()`.",
    ],
)
def recall(answer):
    """Return the share of the liked pieces that stand on the list."""
    import numpy as np

    rng = np.random.default_rng(1)
    liked = rng.permutation(30) < 9
    scores = rng.normal(size=30) + liked
    value = number(call(answer, liked, scores, 8), "the recall")
    order = np.argsort(-scores)
    right = liked[order[:8]].sum() / liked.sum()
    table = [
        (liked[order[:8]].sum() / 8, "This is the *precision*, the share of the list that is "
         "liked. Divide by the number of liked pieces."),
        (liked[order[:8]].sum(), "This is a number of pieces. Divide by all that are liked."),
        (liked[np.argsort(scores)[:8]].sum() / liked.sum(), "The list begins with the *lowest* "
         "score: sort by `-scores`."),
        (liked[:8].sum() / liked.sum(), "The list is not sorted by the scores."),
        (liked[order[:8]].sum() / 30, "Divided by all pieces. Divide by those that are liked."),
        (liked[order[:10]].sum() / liked.sum(), "The list has n places, not ten."),
        (1.0, "With all pieces on the list everything is found. It has n places."),
    ]  # fmt: skip
    if not close(value, right):
        for wrong, words in table:
            if close(value, wrong):
                raise Wrong(words)
        raise Wrong(f"For the check's pieces it is {right:.4f}; yours is {value:.4f}.")
    if not close(number(call(answer, liked.astype(float), scores, 30), "the recall"), 1.0):
        raise Wrong("With all pieces on the list everything is found: 1.")
    return "It does not say where on the list they stand; NDCG does."


@exercise(
    "15.shrunk",
    hints=[
        "`np.bincount(keys, values, n)` is the sum of the values of each key, "
        "`np.bincount(keys, minlength=n)` their number.",
        "Add `strength * prior` to the sum, and `strength` to the number.",
        "`(total + strength * prior) / (count + strength)`.",
    ],
)
def shrunk(answer):
    """Return means that are pulled to a prior by as many imagined ratings."""
    import numpy as np

    keys = np.array([3, 0, 0, 3, 1, 3, 3])
    values = np.array([5.0, 2, 4, 3, 1, 4, 5])
    found = array(call(answer, keys, values, 6, 2.5, 3), "the means")
    if found.shape != (6,):
        raise Wrong(f"One mean for each of the keys 0 to 5, also those that nobody has rated; "
                    f"yours has the shape {found.shape}.")  # fmt: skip
    total, count = np.bincount(keys, values, 6), np.bincount(keys, minlength=6)
    with np.errstate(invalid="ignore"):
        plain = total / count
    right = (total + 3 * 2.5) / (count + 3)
    filled = np.where(count > 0, plain, 2.5)
    table = [
        (plain, "These are plain means, and not a number where there is no rating."),
        (filled, "These are plain means: one rating counts as much as a thousand."),
        (total / (count + 3), "The prior is missing above the line: this pulls to zero."),
        ((total + 2.5) / (count + 3), "The prior stands for `strength` ratings: multiply it."),
        ((total + 3 * 2.5) / (count + 1), "Add `strength` to the number of ratings as well."),
        ((total + 5 * 2.5) / (count + 5), "`strength` is always 5. Use the argument."),
        ((filled + 2.5) / 2, "This is the middle of mean and prior, however many ratings there "
         "are."),
        (total + 3 * 2.5, "This is a sum. Divide by the number of ratings plus `strength`."),
    ]  # fmt: skip
    if not close(found, right):
        for wrong, words in table:
            if np.allclose(found, wrong, equal_nan=True):
                raise Wrong(words)
        raise Wrong(f"For key 0 it is {right[0]:.4f}; yours is {found[0]:.4f}.")
    prior = np.linspace(1, 5, 6)
    if not close(array(call(answer, keys, values, 6, prior, 3), "the means"),
                 (total + 3 * prior) / (count + 3)):  # fmt: skip
        raise Wrong("With a prior of its own for each key, another result is expected.")
    return "With no rating it is the prior, with many it is the mean."
