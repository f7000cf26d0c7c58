"""Exercises of lesson 16: the control, the split, the difference, the review."""

from transfer_lib.practice import Wrong, call, close, exercise, number

__all__ = ["paired", "review", "split_by", "twin"]


@exercise(
    "16.twin",
    hints=[
        "The control has one stage, on `target`; its steps are those of all stages together.",
        "`sum(steps for _, steps in recipe['stages'])` are all steps.",
        "`{**recipe, 'start': ..., 'stages': [...]}` is a new dict with all other entries kept.",
    ],
)
def twin(answer):
    """Return the recipe of the control, from that of the transfer."""
    for stages in ([("source", 80), ("target", 16)],
                   [("print", 300), ("source", 50), ("target", 24)]):  # fmt: skip
        recipe = {"start": "pretrained", "stages": stages, "rate": 0.003, "labels": 100, "seed": 4}
        found = call(answer, recipe, mutation="Your function changed the recipe that it was given, "
                     "and the transfer is trained by that. Return a new dict.")  # fmt: skip
        if not isinstance(found, dict):
            raise Wrong(f"Return a dict like the recipe; yours is {found!r}.")
        _compare(found, recipe, sum(steps for _, steps in stages))
    return "Whatever you change in the transfer, the control follows: rate, labels, steps, seed."


def _compare(found, recipe, total):
    for name in recipe.keys() - {"start", "stages"}:
        if found.get(name) != recipe[name]:
            raise Wrong(f"`{name}` is {recipe[name]!r} in the transfer and {found.get(name)!r} in "
                        "the control. Only the start and the stages differ.")  # fmt: skip
    if found.get("start") != "untrained":
        raise Wrong(f'`start` is {found.get("start")!r}; the control is "untrained".')
    stages = [tuple(stage) for stage in found.get("stages", [])]
    if {name for name, _ in stages} != {"target"}:
        raise Wrong("The control sees the target alone: its only stage is `('target', steps)`.")
    steps = sum(count for _, count in stages)
    own = recipe["stages"][-1][1]
    if steps == own:
        raise Wrong(f"The control has {own} steps, those of the last stage. The transfer has "
                    f"{total} in all.")  # fmt: skip
    if steps != total:
        raise Wrong(f"The control has {steps} steps; the transfer has {total} in all.")


@exercise(
    "16.split_by",
    hints=[
        "Draw among the names of the groups, `np.unique(groups)`, not among the rows.",
        "`np.random.default_rng(seed).permutation(names)[: round(share * len(names))]` are kept.",
        "`np.isin(groups, kept)` is True for all their rows.",
    ],
)
def split_by(answer):
    """Return which rows are kept for validation: whole groups."""
    import numpy as np

    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 9, 40)
    names = np.array([f"person {i}" for i in range(40)])
    for groups in (np.repeat(np.arange(40), sizes), rng.permutation(np.repeat(names, sizes))):
        kept = _mask(call(answer, groups, 0.25, 3), len(groups))
        inside, outside = set(groups[kept].tolist()), set(groups[~kept].tolist())
        if inside & outside:
            raise Wrong(f"{len(inside & outside)} groups are on both sides, among them "
                        f"{sorted(inside & outside)[0]!r}. Draw groups, not rows.")  # fmt: skip
        if not inside or not outside:
            raise Wrong("All rows are on one side.")
        if len(inside) == 30:
            raise Wrong("These are the rows to train on; return True for those kept.")
        if len(inside) not in (9, 10, 11):
            raise Wrong(
                f"With 40 groups and share 0.25 about 10 groups are kept, not {len(inside)}."
            )
        first = sorted(set(groups.tolist()))[: len(inside)]
        again = _mask(call(answer, groups, 0.25, 3), len(groups))
        if not (again == kept).all():
            raise Wrong("The same seed gives another split each time.")
        other = _mask(call(answer, groups, 0.25, 4), len(groups))
        if inside == set(first) or (other == kept).all():
            raise Wrong("Another seed gives the same groups: draw them by lot, from the seed.")
        half = set(groups[_mask(call(answer, groups, 0.5, 3), len(groups))].tolist())
        if len(half) not in (19, 20, 21):
            raise Wrong(f"With share 0.5 about 20 of the 40 groups are kept, not {len(half)}.")
    return "GroupShuffleSplit of scikit-learn does the same; LeaveOneGroupOut takes each in turn."


def _mask(found, n):
    import numpy as np

    found = np.asarray(found)
    if found.dtype != bool:
        raise Wrong(f"Return True or False for each row; yours holds {found.dtype}.")
    if found.shape != (n,):
        raise Wrong(
            f"Return one value for each of the {n} rows; yours has the shape {found.shape}."
        )
    return found


@exercise(
    "16.paired",
    hints=[
        "`a == truth` is True where a is right; times 1.0 it is a number.",
        "`d = 1.0 * (a == truth) - 1.0 * (b == truth)`; the gain is `100 * d.mean()`.",
        "The standard error is `100 * d.std() / np.sqrt(len(d))`.",
    ],
)
def paired(answer):
    """Return the difference of two accuracies, and its standard error, in points."""
    import numpy as np

    rng = np.random.default_rng(2)
    truth = rng.integers(0, 7, 160)
    a = np.where(rng.random(160) < 0.85, truth, (truth + 1) % 7)
    b = np.where(rng.random(160) < 0.3, a, np.where(rng.random(160) < 0.7, truth, (truth + 2) % 7))
    found = call(answer, a, b, truth)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("Return two numbers: the difference, and its standard error.")
    gain, error = (
        number(value, name) for value, name in zip(found, ("gain", "error"), strict=True)
    )
    d = 1.0 * (a == truth) - 1.0 * (b == truth)
    right, n = 100 * d.mean(), len(d)
    if not close(gain, right):
        for wrong, words in [
            (-right, "The sign is turned: a less b."),
            (right / 100, "In points, that is, times 100."),
            (100 * np.mean(a != b), "This is the share on which they differ. Count +1 where only a "
             "is right, and -1 where only b is."),
            (100 * np.mean(a == truth), "This is the accuracy of a alone."),
        ]:  # fmt: skip
            if close(gain, wrong):
                raise Wrong(words)
        raise Wrong(f"The difference is {right:.3f} points here; yours is {gain:.3f}.")
    pa, pb = np.mean(a == truth), np.mean(b == truth)
    if any(close(error, 100 * d.std(ddof=k) / np.sqrt(n)) for k in (0, 1)):
        return "Where both are right, or both wrong, nothing is learned about the difference."
    for wrong, words in [
        (100 * d.std(), "This is the deviation of d. Divide by the root of n."),
        (100 * d.std() / n, "Divide by the *root* of n."),
        (d.std() / np.sqrt(n), "In points, that is, times 100."),
        (100 * d.var() / np.sqrt(n), "This has the variance; take its root, the deviation."),
        (100 * np.sqrt((pa * (1 - pa) + pb * (1 - pb)) / n), "This takes the two as asked about "
         "different inputs. They answer the same ones: use d."),
        (100 * np.sqrt(pa * (1 - pa) / n), "This is the error of a's accuracy. Use d."),
    ]:  # fmt: skip
        if close(error, wrong):
            raise Wrong(words)
    right = 100 * d.std() / np.sqrt(n)
    raise Wrong(f"The standard error is {right:.3f} points here; yours is {error:.3f}.")


SENT_BACK = {
    2: "the same epochs, but the pretrained network had many more steps",
    3: "the rate was chosen by the test",
    5: "the conclusion rests on the unfair control of 2",
    6: "photographs of one scan are on both sides",
}
FINE = {
    1: "it says what the parts are",
    4: "five draws and their spread are what one wants to see",
    7: "a strong simple method is a control one wants to see",
    8: "the cost has numbers",
    9: "limits that are named are a strength",
}


@exercise(
    "16.review",
    hints=[
        "Ask of each: could the figure be as good if transfer brought nothing?",
        "One conclusion falls with the control that it rests on.",
        "There are four.",
    ],
)
def review(answer):
    """Name the sentences of the report that you would send back."""
    try:
        given = {int(value) for value in answer}
    except (TypeError, ValueError):
        raise Wrong("Give the numbers of the sentences, such as {1, 4}.") from None
    if strange := given - SENT_BACK.keys() - FINE.keys():
        raise Wrong(f"There is no sentence {min(strange)}.")
    if harmless := given & FINE.keys():
        raise Wrong(f"Sentence {min(harmless)} can stay: {FINE[min(harmless)]}.")
    left = SENT_BACK.keys() - given
    if left:
        found = "; ".join(f"{i}, {SENT_BACK[i]}" for i in sorted(given))
        raise Wrong(f"{len(left)} more should go back." + (f" Yours: {found}." if found else ""))
    return "; ".join(f"{i}: {why}" for i, why in SENT_BACK.items()) + "."
