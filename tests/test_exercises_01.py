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


RIGHT = {
    "name_the_shift": [
        shifts(),
        shifts(flu="Label shift", birds="new_labels"),
        shifts(age="COVARIATE", spam=" concept shift "),
    ],
    "guard": [guard_loop, guard_sorted, guard_np],
}


WRONG = {
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
