"""The text alternative of a figure: it is there, and what it says is what is drawn."""

import re

import numpy as np
import pytest
from example_figures import AWKWARD, GREY, READY, WITH_AWKWARD_NAMES
from matplotlib.figure import Figure

from transfer_lib import plots
from transfer_lib.plots.words import number

NAN = float("nan")


def words(name):
    return plots.alt_text(READY[name]())


def test_an_author_may_write_better_words():
    fig, ax = plots.figure("  loss falls\n from 2 to 1 ", 1, 2, sharey=True, figsize=(5, 2))
    assert isinstance(fig, Figure) and ax.shape == (2,)
    assert tuple(fig.get_size_inches()) == (5, 2)
    assert plots.alt_text(fig) == "loss falls from 2 to 1"
    assert plots.describe(fig, "other") is fig
    assert plots.alt_text(fig) == "other"
    assert plots.alt_text(Figure()) == "Nothing is drawn."


def test_words_follow_what_is_drawn_later():
    fig = READY["accuracy_by_labels"]()
    fig.axes[0].axhline(33, marker="", label="chance")
    fig.axes[0].annotate("best here", (5, 80))
    assert "chance: level at 33." in plots.alt_text(fig)
    assert plots.alt_text(fig).endswith("Written in it: best here.")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-1e-17, "0"), (1797.0, "1797"), (1234.56, "1235"), (92.37, "92.4"), (-8.53, "-8.5"),
     (0.347, "0.35"), (0.00123, "0.0012")],
)  # fmt: skip
def test_numbers_are_rounded(value, text):
    assert number(value) == text


def test_words_of_curves():
    assert words("learning_curves") == (
        "Learning curves. Validation accuracy (%) against Epoch (count). "
        "scratch: 15 (10 to 20) at 1, 55 (50 to 60) at 2, 92 (90 to 94) at 3. "
        "frozen: 65 (60 to 70) at 1, 71 (70 to 72) at 2, 76 (75 to 77) at 3. "
        "At 3, from the highest: scratch, frozen."
    )
    assert "frozen: 72 (70 to 74) at 1, 86 (85 to 87) at 5, 90 at 20." in words(
        "accuracy_by_labels"
    )


def test_words_of_a_loss_with_gaps_and_runs_of_different_length():
    runs = {"a": [[2.0, 1.0, 1.5], [2.0, 1.2]], "b": [3.0, NAN, 0.5], "c": [NAN, NAN, NAN]}
    fig = plots.learning_curves(runs, "loss")
    assert plots.to_png(fig)
    told = plots.alt_text(fig)
    assert "Loss (nats per example)" in told
    assert "a: 2 at 1, 1.1 (1 to 1.2) at 2, 1.5 at 3. b: 3 at 1, 0.5 at 3." in told
    assert "c:" not in told and told.endswith("At 3, from the highest: a, b.")


def test_words_of_many_random_points_agree_with_the_arrays():
    rng = np.random.default_rng(0)
    for _ in range(5):
        y = rng.random(30)
        fig, ax = plots.figure()
        ax.plot(range(30), y, label="run")
        told = re.findall(r"(lowest |highest |)([\d.]+) at (\d+)", plots.alt_text(fig))
        assert [kind for kind, _, _ in told].count("lowest ") == 1 - (y.argmin() in (0, 29))
        for kind, value, at in told:
            assert float(value) == pytest.approx(y[int(at)], abs=0.006)
            assert kind != "lowest " or int(at) == y.argmin()
            assert kind != "highest " or int(at) == y.argmax()
        assert told[0][2] == "0" and told[-1][2] == "29"


def test_words_of_tables():
    told = words("confusion_matrix")
    assert told.startswith("Confusion matrix: 2 of 5 right. Rows: True class (name); columns: ")
    assert "Share of true class (%). cat: cat 33.3, dog 66.7, ship 0." in told
    assert words("heatmap").endswith("Accuracy (%). c: a 1, b 2. d: a 3.")
    names, table = list("abcdef"), 100 * np.eye(6) + np.arange(36).reshape(6, 6)
    axes = {"xlabel": "Guess (name)", "ylabel": "Truth (name)", "unit": "Share (%)"}
    told = plots.alt_text(plots.heatmap(table, names, names, **axes))
    assert "Off the diagonal, highest: 34 at f, e. Off the diagonal, lowest: 1 at a, b." in told
    told = plots.alt_text(plots.heatmap(table, list("uvwxyz"), names, **axes))
    assert "Highest: 135 at f, z. Lowest: 1 at a, v." in told


def test_words_of_bars_points_and_pictures():
    assert words("bars") == "Comparison. Time (s). ours 2 (1 to 3); theirs 8.5 (8 to 9)."
    fig, ax = plots.figure()
    ax.scatter([0, 1], [0, 0], label="cat")
    ax.scatter([30, 31], [0, 10], label="ship")
    told = "cat: 2 points around (0.5, 0). ship: 2 points around (30.5, 5)."
    assert plots.alt_text(fig).endswith(told)
    assert words("image_grid") == (
        "Predictions (8 × 8 pixels). 4 images: ✓ 7; ✗ 7, is 1; ✓ 7; ✗ 8, is 3."
    )
    many = plots.alt_text(plots.image_grid(np.tile(GREY, (15, 1, 1)), range(60)))
    assert many.startswith("Images (8 × 8 pixels). 60 images: 0; 1;") and many.endswith("39; ….")


def test_words_of_figures_drawn_by_hand():
    fig, (left, right) = plots.figure(ncols=2)
    left.plot([1, 2], [3, 4], label="falling $w_1$")
    left.plot(range(9), range(9), "o", linestyle="", label="cloud")
    left.axhline(0)
    left.set(xlabel="$w_1$ (m)", title="Left")
    for i, name in enumerate(("target", "source")):
        right.bar(np.arange(2) + 0.4 * i, [1 + i, 2], 0.4, label=name)
    right.set_xticks(range(2), ["first\nday", "second"])
    right.errorbar([0, 1], [5, 6], [1, 1], capsize=3, label="gap")
    assert plots.alt_text(fig) == (
        "Panel 1. Left. w_1 (m). falling w_1: 3 at 1, 4 at 2. cloud: 9 points around (4, 4). "
        "Panel 2. gap: 5 (4 to 6) at first day, 6 (5 to 7) at second. "
        "target: first day 1; second 2. source: first day 2; second 2."
    )


@pytest.mark.parametrize("name", WITH_AWKWARD_NAMES)
def test_names_of_classes_are_told_as_they_are(name):
    told = plots.alt_text(WITH_AWKWARD_NAMES[name]())
    if name not in ("confusion_matrix", "heatmap"):  # large tables tell their extremes
        assert all(awkward in told for awkward in AWKWARD)
