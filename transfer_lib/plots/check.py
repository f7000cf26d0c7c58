"""Checks of what is to be drawn, and numbers as words."""

import re

import numpy as np

MAX_LINES = 8
MAX_CLASSES = 20


def number(value, decimals=1):
    """Return a number as short text: one decimal at most, more only for small ones."""
    value = float(value)
    if value != 0 and abs(value) < 10 ** (1 - decimals):
        return f"{value:.2g}"
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def listing(words):
    """Return ``a, b and c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def count(how_many, noun):
    """Return ``1 run`` or ``3 runs``."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{how_many} {noun if how_many == 1 else plural}"


def label_with_unit(argument, label):
    """Return the label; raise when it is empty or names no unit in brackets."""
    if not isinstance(label, str) or not re.search(r"\(.+\)", label):
        raise ValueError(
            f"{argument} is {label!r}; it must name the unit in brackets, as in 'Accuracy (%)', "
            "'Time (s)' or 'Layers frozen (count)'. Write '(no unit)' where there is none."
        )
    return label


def named(argument, values, most=MAX_LINES, kind="lines"):
    """Check a dict of name to values: not empty, and not more than can be told apart."""
    if not isinstance(values, dict) or not values:
        raise ValueError(f"{argument} must be a dict of name to values with at least one name.")
    if len(values) > most:
        raise ValueError(
            f"{argument} has {len(values)} names; at most {most} {kind} can be told apart. "
            "Draw fewer, or make two figures."
        )
    return {str(name): value for name, value in values.items()}


def as_array(argument, values):
    """Return a float array; raise ValueError when there are no numbers in it."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument} must hold numbers in a regular shape: {error}") from None
    if array.size == 0:
        raise ValueError(f"{argument} is empty; there is nothing to draw.")
    if np.isinf(array).any():
        raise ValueError(f"{argument} holds infinite values; remove them or use NaN for missing.")
    if np.isnan(array).all():
        raise ValueError(f"{argument} holds only NaN; there is nothing to draw.")
    return array


def as_fractions(argument, array):
    """Return fractions as percent; raise ValueError when they are not from 0 to 1."""
    low, high = np.nanmin(array), np.nanmax(array)
    if low < 0 or high > 1:
        raise ValueError(
            f"{argument} must be fractions from 0 to 1, but runs from {low:g} to {high:g}. "
            "Divide percentages by 100."
        )
    return 100 * array


def summary(array):
    """Return mean, lowest and highest over the first axis, NaN left out, and NaN where all are."""
    known = ~np.isnan(array)
    counts = known.sum(axis=0)
    total = np.where(known, array, 0).sum(axis=0)
    mean = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    low = np.where(known, array, np.inf).min(axis=0)
    high = np.where(known, array, -np.inf).max(axis=0)
    nothing = counts == 0
    return mean, np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def crossings(names, positions, means, word):
    """Return sentences on where each pair of lines crosses.

    Parameters
    ----------
    names : list of str, length m
    positions : list of numbers, length n
    means : numpy.ndarray, shape (m, n)
        NaN where a line has no point.
    word : str
        What a position is, ``"epoch"``.
    """
    found = []
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            difference = means[first] - means[second]
            use = ~np.isnan(difference) & (difference != 0)
            sign, where = np.sign(difference[use]), np.asarray(positions)[use]
            changes = np.flatnonzero(np.diff(sign)) + 1
            if len(changes) == 0:
                continue
            last = changes[-1]
            upper, lower = (first, second) if sign[last] > 0 else (second, first)
            tied = (difference[np.asarray(positions) >= where[last]] == 0).any()
            above = "level with or above" if tied else "above"
            times = "" if len(changes) == 1 else f" (they cross {len(changes)} times)"
            found.append(
                f"{names[upper]} is {above} {names[lower]} from {word} {where[last]:g} on{times}."
            )
    if len(found) > 4:
        return [*found[:4], f"{len(found) - 4} more pairs of lines cross."]
    return found


def class_names_checked(class_names, most=MAX_CLASSES):
    """Return class names as texts; raise ValueError when none, doubled or too many."""
    names = [str(name) for name in class_names]
    if not names:
        raise ValueError("class_names is empty; give one name per class.")
    if len(set(names)) != len(names):
        raise ValueError(f"class_names has a name twice: {names}.")
    if len(names) > most:
        raise ValueError(
            f"class_names has {len(names)} classes; at most {most} can be read in one figure."
        )
    return names


def class_numbers(argument, values, names):
    """Return labels as class numbers from 0; they may be given as numbers or as names.

    Raises
    ------
    ValueError
        If a label is no class.
    """
    labels = np.asarray(values)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(
            f"{argument} must be a list of labels, one per example; its shape is {labels.shape}."
        )
    if labels.dtype.kind in "USO" and all(isinstance(label, str) for label in labels):
        position = {name: number for number, name in enumerate(names)}
        unknown = sorted({str(label) for label in labels} - set(position))
        if unknown:
            raise ValueError(f"{argument} holds {unknown}, not among class_names {names}.")
        return np.array([position[str(label)] for label in labels])
    if labels.dtype.kind not in "iub":
        whole = labels.dtype.kind == "f" and np.array_equal(labels, np.round(labels))
        if not whole:
            raise ValueError(
                f"{argument} must hold class numbers (whole) or names from class_names; "
                f"got {labels.dtype} values. From probabilities, take argmax first."
            )
    labels = labels.astype(int)
    if labels.min() < 0 or labels.max() >= len(names):
        raise ValueError(
            f"{argument} runs from {labels.min()} to {labels.max()}, but class_names has "
            f"{len(names)} names, so labels must be 0 to {len(names) - 1}."
        )
    return labels
