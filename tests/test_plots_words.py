"""The text alternative of a figure: it is there, and what it says is true."""

import re
from itertools import combinations

import numpy as np
import pytest
from example_figures import CLASSES, CURVES, READY, RESULTS
from matplotlib.figure import Figure

from transfer_lib import plots


def test_figure_carries_its_words():
    fig, ax = plots.figure("  loss falls\n from 2 to 1 ", 1, 2, sharey=True, figsize=(5, 2))
    assert isinstance(fig, Figure) and ax.shape == (2,)
    assert tuple(fig.get_size_inches()) == (5, 2)
    assert plots.alt_text(fig) == "loss falls from 2 to 1"
    assert plots.describe(fig, "other") is fig
    assert plots.alt_text(fig) == "other"
    assert plots.alt_text(Figure()) == ""


@pytest.mark.parametrize("alt", ["", "  \n", None, 3])
def test_empty_words_are_refused_with_the_reason(alt):
    with pytest.raises(ValueError, match="alt is empty.*screen reader"):
        plots.figure(alt)
    with pytest.raises(ValueError, match="alt is empty"):
        plots.describe(Figure(), alt)
    with pytest.raises(TypeError, match="fig must be a matplotlib Figure, got Axes"):
        plots.describe(plots.figure("x")[1], "words")


def test_words_of_learning_curves():
    alt = plots.alt_text(plots.learning_curves(CURVES, "val_accuracy"))
    assert "validation accuracy (%) over epochs 1 to 3" in alt
    assert "Means over 2 runs" in alt
    assert "scratch: 15 at epoch 1, highest 92 at epoch 3." in alt
    assert "frozen: 65 at epoch 1, highest 76 at epoch 3." in alt
    assert "At epoch 3, scratch is best, 16 points above frozen." in alt
    assert alt.endswith("scratch is above frozen from epoch 3 on.")


def test_words_of_a_loss_with_runs_of_different_length():
    runs = {"a": [[2.0, 1.0, 1.5], [2.0, 1.2]], "b": [3.0, 2.0, 0.5]}
    alt = plots.alt_text(plots.learning_curves(runs, "loss"))
    assert "a: 2 at epoch 1, lowest 1.1 at epoch 2, 1.5 at epoch 3" in alt
    assert "(1 of 2 runs without a value there)" in alt
    assert "At epoch 3, b is best, 1 below a." in alt
    assert "a is above b from epoch 3 on." in alt
    assert "Means over 1 to 2 runs" in alt


def test_words_of_accuracy_by_labels():
    alt = plots.alt_text(plots.accuracy_by_labels(RESULTS))
    best = dict(re.findall(r"(\d+): (\w+) \([\d.]+ %\), [\d.]+ points", alt))
    assert best == {"1": "frozen", "5": "frozen", "20": "scratch"}
    margins = [float(m) for m in re.findall(r"([\d.]+) points above", alt)]
    assert margins == [20, 6, 5]
    assert alt.endswith("scratch is above frozen from label count 20 on.")


def test_words_say_level_and_only():
    alt = plots.alt_text(plots.accuracy_by_labels({"a": {1: 0.5, 2: 0.6}, "b": {1: 0.5}}))
    assert "1: b level with a at 50 %" in alt or "1: a level with b at 50 %" in alt
    assert "2: only a (60 %)" in alt
    assert "above" not in alt


def test_words_of_random_numbers_agree_with_the_arrays():
    rng = np.random.default_rng(0)
    for _ in range(5):
        table = rng.random((3, 4))
        results = {f"m{i}": {n: v for n, v in enumerate(row, 1)} for i, row in enumerate(table)}
        alt = plots.alt_text(plots.accuracy_by_labels(results))
        ordered = np.sort(100 * table, axis=0)
        for n, winner, score, margin in re.findall(
            r"(\d): (m\d) \(([\d.]+) %\), ([\d.]+) points", alt
        ):
            column = int(n) - 1
            assert int(winner[1]) == table[:, column].argmax()
            assert float(score) == pytest.approx(ordered[-1, column], abs=0.051)
            assert float(margin) == pytest.approx(
                ordered[-1, column] - ordered[-2, column], abs=0.051
            )
        crossed = re.findall(r"(m\d) is above (m\d) from label count (\d)", alt)
        changing = [
            (i, j)
            for i, j in combinations(range(3), 2)
            if len(set(np.sign(table[i] - table[j]))) > 1
        ]
        assert len(crossed) == len(changing) > 0
        for upper, lower, n in crossed:
            difference = table[int(upper[1])] - table[int(lower[1])]
            assert (difference[int(n) - 1 :] > 0).all() and difference[int(n) - 2] < 0


def test_words_of_the_confusion_matrix():
    alt = plots.alt_text(plots.confusion_matrix([0, 0, 0, 1, 2], [0, 1, 1, 1, 0], CLASSES))
    assert "Accuracy 40 % (2 of 5)" in alt
    assert "Most often confused: cat predicted as dog, 2 of 3 examples of cat." in alt
    assert "Hardest class: ship, 0 % right" in alt
    alt = plots.alt_text(plots.confusion_matrix(["cat", "dog"], ["cat", "dog"], CLASSES))
    assert "No example is confused." in alt and "No true example of ship." in alt
    alt = plots.alt_text(plots.confusion_matrix([0, 1], [1, 0], CLASSES))
    assert "(1 other pair as often)" in alt


def test_words_of_the_other_figures():
    figures = {name: make() for name, make in READY.items()}
    grid = plots.alt_text(figures["image_grid"])
    assert "4 grey images of 8 × 8 pixels: 2 of 7, 1 of 1, 1 of 3." in grid
    assert "2 of 4 predictions are right." in grid
    assert "image 2, 1 predicted as 7; image 4, 3 predicted as 8." in grid
    points = plots.alt_text(figures["embedding"])
    assert "6 points of 3 classes (cat 2, dog 2, ship 2)" in points
    assert "100 % of the points" in points
    assert "Closest classes: cat and dog, centres 10 apart." in points
    assert "ours: 2 (1 to 3); theirs: 8.5 (8 to 9). Highest: theirs. Lowest: ours." in (
        plots.alt_text(figures["bars"])
    )
    heat = plots.alt_text(figures["heatmap"])
    assert "Highest: 3 at d, a. Lowest: 1 at c, a. 1 cell without a value." in heat
