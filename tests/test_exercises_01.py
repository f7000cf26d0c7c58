"""The exercises of lesson 01: right answers in every form, wrong ones with their words."""

import numpy as np

import exercise_cases
from exercise_cases import Arguments

RIGHT_SHIFTS = ["label", "covariate", "concept", "new labels"]


def shifts(**changed):
    given = dict(zip(("flu", "age", "spam", "birds"), RIGHT_SHIFTS, strict=True)) | changed
    return Arguments(given.values())


def guard_loop(target, source):
    best = "scratch"
    for name, score in target.items():
        if score > target[best]:
            best = name
    return best


def guard_any(target):
    """Wrong: the first candidate above scratch, though another may be better."""
    return next((n for n, score in target.items() if score > target["scratch"]), "scratch")


def guard_sorted(target, source):
    return sorted(target, key=lambda name: (-target[name], name != "scratch"))[0]


def guard_np(target, source):
    names = sorted(target, key=lambda name: name != "scratch")
    return names[int(np.argmax([target[name] for name in names]))]


# Make a label shift.
def shift_by_choice(y, share, n, rng):
    count = round(share * n)
    ones = rng.choice(np.flatnonzero(y == 1), count, replace=False)
    return np.concatenate([ones, rng.choice(np.flatnonzero(y == 0), n - count, replace=False)])


def shift_by_permutation(y, share, n, rng):
    order = rng.permutation(len(y))
    count = round(share * n)
    return [*order[y[order] == 1][:count], *order[y[order] == 0][: n - count]]


def shift_sorted(y, share, n, rng):
    return sorted(shift_by_choice(y, share, n, rng))


def shift_turned(y, share, n, rng):
    return shift_by_choice(y, 1 - share, n, rng)


def shift_with_repeats(y, share, n, rng):
    count = round(share * n)
    ones = rng.choice(np.flatnonzero(y == 1), count)
    return np.concatenate([ones[:1], ones[:-1], rng.choice(np.flatnonzero(y == 0), n - count)])


def shift_of_labels(y, share, n, rng):
    return np.where(rng.random(len(y)) < share, 1, 0)


def shift_places(y, share, n, rng):
    count = round(share * n)
    order = rng.permutation(45)
    return order[:n] if count > n / 2 else [*order[:count], *order[count:n]]


def shift_first(y, share, n, rng):
    count = round(share * n)
    return [*np.flatnonzero(y == 1)[:count], *np.flatnonzero(y == 0)[: n - count]]


def shift_ones_only(y, share, n, rng):
    return rng.choice(np.flatnonzero(y == 1), round(share * n), replace=False)


def shift_any(y, share, n, rng):
    return rng.permutation(len(y))[:n]


# What is shared.
def shared_by_loop(one, other):
    return sum(int(np.prod(w.shape)) for w in one.weights if any(w is v for v in other.weights))


def shared_by_id(one, other):
    theirs = {id(w) for w in other.weights}
    return sum(w.value.numel() for w in one.weights if id(w) in theirs)


def shared_by_layers(one, other):
    return sum(layer.count_params() for layer in one.layers if layer in other.layers)


def shared_by_shape(one, other):
    shapes = [tuple(w.shape) for w in other.weights]
    return sum(int(np.prod(w.shape)) for w in one.weights if tuple(w.shape) in shapes)


def shared_arrays(one, other):
    return sum(any(w is v for v in other.weights) for w in one.weights)


def shared_layers(one, other):
    return sum(layer in other.layers and bool(layer.weights) for layer in one.layers)


def shared_kernels(one, other):
    theirs = {id(w) for w in other.weights}
    kernels = [w for w in one.weights if len(w.shape) == 2 and id(w) in theirs]
    return sum(int(np.prod(w.shape)) for w in kernels)


# Labels saved.
def saved_by_lists(scratch, transfer, wanted):
    needed = []
    for curve in (scratch, transfer):
        enough = [k for k, accuracy in curve.items() if accuracy >= wanted]
        if not enough:
            return None
        needed.append(min(enough))
    return needed[0] - needed[1]


def saved_by_default(scratch, transfer, wanted):
    a, b = (min((k for k in c if c[k] >= wanted), default=None) for c in (scratch, transfer))
    return None if a is None or b is None else a - b


def saved_sorted(scratch, transfer, wanted):
    curves = (scratch, transfer)
    try:
        return np.subtract(*(next(k for k in sorted(c) if c[k] >= wanted) for c in curves))
    except (StopIteration, RuntimeError):
        return None


def saved_strictly(scratch, transfer, wanted):
    return saved_by_default(scratch, transfer, wanted + 1e-9)


def saved_in_order(scratch, transfer, wanted):
    """Wrong: the last that is enough in the order of the dict, not the smallest."""
    enough = [[k for k in curve if curve[k] >= wanted] for curve in (scratch, transfer)]
    return enough[0][0] - enough[1][0] if all(enough) else None


def saved_or_zero(scratch, transfer, wanted):
    return saved_by_default(scratch, transfer, wanted) or 0


def saved_turned(scratch, transfer, wanted):
    return saved_by_default(transfer, scratch, wanted)


def saved_never_negative(scratch, transfer, wanted):
    value = saved_by_default(scratch, transfer, wanted)
    return value if value is None else max(value, 0)


RIGHT_WAYS = ["multi-task", "pooling", "transfer", "scratch"]


def ways(**changed):
    given = dict(zip(("hospitals", "cameras", "orchid", "meter"), RIGHT_WAYS, strict=True))
    return Arguments((given | changed).values())


RIGHT = {
    "label_shift": [shift_by_choice, shift_by_permutation, shift_sorted],
    "shared": [shared_by_loop, shared_by_id, shared_by_layers],
    "labels_saved": [saved_by_lists, saved_by_default, saved_sorted],
    "which_way": [
        ways(),
        ways(hospitals="Multi-task learning", meter="from scratch"),
        ways(hospitals="multi_task", cameras=" POOLING "),
    ],
    "name_the_shift": [
        shifts(),
        shifts(flu="Label shift", birds="new_labels"),
        shifts(age="COVARIATE", spam=" concept shift "),
    ],
    "guard": [guard_loop, guard_sorted, guard_np],
}


WRONG = {
    "label_shift": [
        (shift_turned, "turned round"),
        (shift_with_repeats, "replace=False"),
        (shift_of_labels, "These are labels"),
        (shift_places, "not rows of y"),
        (shift_first, "first rows of each class"),
        (shift_ones_only, "Class 0 fills up"),
        (shift_any, "should be of class 1; yours"),
        (lambda y, share, n, rng: shift_by_choice(y, share, n, rng) / 2, "numbers of rows"),
        (lambda y, share, n, rng: rng.permutation(len(y))[: n - 3], "the check asked for"),
    ],
    "shared": [
        (shared_by_shape, "Compare the objects"),
        (shared_arrays, "You counted arrays"),
        (shared_layers, "You counted layers"),
        (shared_kernels, "The biases are missing"),
        (lambda a, b: a.count_params() - shared_by_loop(a, b), "that are not shared"),
        (lambda a, b: 1 + shared_by_loop(a, b), "39 numbers are shared; yours says 40"),
    ],
    "labels_saved": [
        (saved_turned, "The sign is turned"),
        (saved_strictly, "at least as good"),
        (saved_or_zero, "return None"),
        (saved_in_order, "yours says -15"),
        (lambda *arguments: None if arguments else 0, "Both curves reach"),
        (lambda *arguments: 7, "yours says 7"),
        (saved_never_negative, "the difference is -10; yours is 0"),
    ],
    "which_way": [
        (ways(hospitals="pooling"), "their labels differ"),
        (ways(cameras="transfer"), "Mix them"),
        (ways(orchid="pooling"), "not its data"),
        (ways(meter="transfer"), "teaches by itself"),
        (ways(meter="guess"), "use one of"),
    ],
    "name_the_shift": [
        (shifts(flu="covariate"), "P(X|Y)"),
        (shifts(age="label"), "P(Y|X), is the same"),
        (shifts(spam="label"), "another right answer"),
        (shifts(birds="label"), "an owl"),
        (shifts(spam="domain"), "use one of"),
    ],
    "guard": [
        (lambda target, source: max(source, key=source.get), "accuracy on the source"),
        (lambda target, source: max(target, key=target.get), "equal scores"),
        (lambda target, source: min(target, key=target.get), "lowest score"),
        (lambda target, source: "scratch", "Fine-tuning validates best"),
        (lambda target, source: "fine-tune", "negative transfer"),
        (lambda target, source: max(target.values()), "the name of a candidate"),
        (lambda target, source: guard_any(target), "not the first"),
        (lambda target, source: guard_any(dict(reversed(target.items()))), "not the last"),
    ],
}


test_right, test_wrong, test_complete = exercise_cases.tests("01", RIGHT, WRONG)
