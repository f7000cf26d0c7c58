"""Figures: their words are true, they reach the reader, and bad input is named."""

import io
import re
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from transfer_lib import plots
from transfer_lib.plots.charts import luminance
from transfer_lib.plots.style import STYLE, TEXT, WRONG

CURVES = {
    "scratch": [[0.10, 0.50, 0.90], [0.20, 0.60, 0.94]],  # means 15, 55, 92 %
    "frozen": [[0.60, 0.70, 0.75], [0.70, 0.72, 0.77]],  # means 65, 71, 76 %
}
RESULTS = {
    "scratch": {1: [0.50, 0.54], 5: [0.80, 0.80], 20: [0.96, 0.94]},  # 52, 80, 95 %
    "frozen": {1: [0.70, 0.74], 5: [0.85, 0.87], 20: [0.90, 0.90]},  # 72, 86, 90 %
}
GREY = np.linspace(0, 1, 4 * 8 * 8).reshape(4, 8, 8)
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [11.0, 0.0], [30.0, 5.0], [31.0, 5.0]])
CLASSES = ["cat", "dog", "ship"]


READY = {
    "learning_curves": lambda: plots.learning_curves(CURVES, "val_accuracy"),
    "accuracy_by_labels": lambda: plots.accuracy_by_labels(RESULTS),
    "confusion_matrix": lambda: plots.confusion_matrix([0, 0, 0, 1, 2], [0, 1, 1, 1, 0], CLASSES),
    "image_grid": lambda: plots.image_grid(GREY, [7, 1, 7, 3], 2, predictions=[7, 7, 7, 8]),
    "embedding": lambda: plots.embedding(POINTS, [0, 0, 1, 1, 2, 2], CLASSES),
    "bars": lambda: plots.bars({"ours": [1.0, 3.0], "theirs": [8.0, 9.0]}, "Time (s)"),
    "heatmap": lambda: plots.heatmap(
        [[1, 2], [3, np.nan]],
        ["a", "b"],
        ["c", "d"],
        xlabel="Layer (name)",
        ylabel="Rate (no unit)",
        unit="Accuracy (%)",
    ),
}


@pytest.fixture(scope="module")
def shell():
    """Return an IPython shell in which cells can be run."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    yield shell
    InteractiveShell.clear_instance()


def shown(shell, value):
    """Run a cell that ends with the value; return its outputs."""
    from IPython.utils.capture import capture_output

    shell.user_ns["value"] = value
    with capture_output() as captured:
        result = shell.run_cell("value")
    assert result.success
    return captured.outputs


# ---- the text alternative -----------------------------------------------------------------------


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


# ---- how a figure looks -------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(READY))
def test_ready_figures(name):
    first, second = READY[name](), READY[name]()
    png = plots.to_png(first)
    assert png == plots.to_png(second)
    assert png.startswith(b"\x89PNG") and len(png) < 60_000
    assert b"Software" not in png and b"matplotlib" not in png
    assert len(plots.alt_text(first)) > 80
    if name == "image_grid":
        assert "pixels" in first.get_suptitle()
        return
    main = first.axes[0]
    for label in (main.get_xlabel(), main.get_ylabel()):
        assert re.search(r"\(.+\)", label) or (name == "bars" and not label)
    assert main.get_title()


@pytest.mark.parametrize("name", list(READY))
def test_no_text_is_cut_off_or_overlaps(name):
    fig = READY[name]()
    plots.to_png(fig)
    for ax in fig.axes:
        ticks = [t for t in ax.get_xticklabels() if t.get_text() and t.get_visible()]
        boxes = [t.get_window_extent() for t in ticks]
        upright = [b for t, b in zip(ticks, boxes, strict=True) if t.get_rotation() == 0]
        upright.sort(key=lambda box: box.x0)
        assert all(a.x1 <= b.x0 for a, b in zip(upright, upright[1:], strict=False))
        labels = [ax.title, ax.xaxis.label, ax.yaxis.label]
        for text in [t for t in labels if t.get_text()]:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.y0 >= 0
            assert box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1


def test_wrong_predictions_are_marked_by_text():
    axes = READY["image_grid"]().axes
    assert [ax.get_title() for ax in axes] == ["✓ 7", "✗ 7, is 1", "✓ 7", "✗ 8, is 3"]


def test_band_shows_lowest_and_highest():
    ax = plots.learning_curves(CURVES, "accuracy").axes[0]
    assert list(ax.lines[0].get_ydata()) == pytest.approx([15, 55, 92])
    band = ax.collections[0].get_paths()[0].vertices
    at_first = band[band[:, 0] == 1, 1]
    assert (at_first.min(), at_first.max()) == pytest.approx((10, 20))


def test_label_counts_are_the_ticks_of_a_log_axis():
    ax = plots.accuracy_by_labels(RESULTS).axes[0]
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "5", "20"]


def contrast(colour, other="white"):
    light, dark = sorted((luminance(to_rgb(colour)), luminance(to_rgb(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast():
    assert contrast("black") == pytest.approx(21)
    assert all(contrast(colour) >= 3 for colour in plots.COLORS)
    assert all(contrast(colour) >= 4.5 for colour in (TEXT, WRONG, STYLE["axes.edgecolor"]))


@pytest.mark.parametrize("name", ["confusion_matrix", "heatmap"])
def test_contrast_of_the_numbers_in_cells(name):
    ax = READY[name]().axes[0]
    image = ax.images[0]
    values = image.get_array()
    checked = 0
    for text in ax.texts:
        column, row = text.get_position()
        if text.get_text():
            shade = image.cmap(image.norm(values[row, column]))[:3]
            assert contrast(text.get_color(), shade) >= 4.5
            checked += 1
    assert checked >= 3


def test_colours_differ_without_each_kind_of_cone():
    # Machado, Oliveira, Fernandes (2009), table 1, severity 1.0, on linear RGB.
    cones = {
        "all": np.eye(3),
        "red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998]],
        "green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                  [-0.011820, 0.042940, 0.968881]],
        "blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                 [0.004733, 0.691367, 0.303900]],
    }  # fmt: skip

    def lab(colour, matrix):
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(np.asarray(matrix) @ linear, 0, 1)
        to_xyz = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]
        xyz = np.array(to_xyz) @ seen / [0.9505, 1, 1.0888]
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    for matrix in cones.values():
        for one, other in combinations(plots.COLORS, 2):
            assert np.linalg.norm(lab(one, matrix) - lab(other, matrix)) > 16, (one, other)


def test_lines_differ_in_more_than_colour():
    curves = {f"line {i}": [[i / 10, i / 10 + 0.05]] for i in range(8)}
    lines = plots.learning_curves(curves).axes[0].lines
    for kind in ("color", "linestyle", "marker"):
        values = [str(line.properties()[kind]) for line in lines]
        if kind == "linestyle":  # a dash pattern is stored elsewhere
            values = [str(line._unscaled_dash_pattern) for line in lines]
        assert len(set(values)) == 8, kind


def test_style_reaches_figures_of_pyplot():
    import matplotlib

    with matplotlib.rc_context():
        plots.use_style()
        cycle = list(matplotlib.rcParams["axes.prop_cycle"])
        assert [entry["color"] for entry in cycle] == list(plots.COLORS)
        assert len({entry["marker"] for entry in cycle}) == len(cycle)
        assert matplotlib.rcParams["figure.facecolor"] == "white"


# ---- what a notebook gets -----------------------------------------------------------------------


def test_last_expression_shows_image_and_words(shell):
    fig, _ = plots.figure('accuracy < 50 & "low"')
    image, words = shown(shell, fig)
    assert image.metadata == {"image/png": {"alt": 'accuracy < 50 & "low"'}}
    assert image.data["text/plain"] == 'Figure: accuracy < 50 & "low"'
    assert image.data["image/png"] == plots.to_png(plots.figure("x")[0])
    assert set(words.data) == {"text/html"}
    assert words.data["text/html"].startswith("<details><summary>Figure in words</summary>")
    assert "accuracy &lt; 50 &amp; &quot;low&quot;" in words.data["text/html"]


def test_pyplot_does_not_take_the_words_away(shell):
    from IPython.core.pylabtools import select_figure_formats

    select_figure_formats(shell, {"png"})  # what the inline backend does; removes formatters
    assert len(shown(shell, plots.figure("words")[0])) == 2


def test_figure_of_pyplot_is_shown_once_and_closed(shell):
    import matplotlib.pyplot as plt

    fig, _ = plt.subplots()
    plots.describe(fig, "words")
    image, _ = shown(shell, fig)
    assert image.metadata["image/png"]["alt"] == "words"
    assert plt.get_fignums() == []


def test_nothing_stays_open_in_pyplot(shell):
    import matplotlib.pyplot as plt

    for make in READY.values():
        make()
    shown(shell, make())
    make_widget()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("template", ["classic", "lab"])
def test_words_reach_the_reader_of_a_web_page(shell, template):
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    outputs = []
    for output in shown(shell, plots.bars({"ours": 1, "theirs": 2}, "Time (s)", title="Speed")):
        data = dict(output.data)
        if "image/png" in data:
            data["image/png"] = b64encode(data["image/png"]).decode()
        outputs.append(nbformat.v4.new_output("display_data", data, metadata=output.metadata))
    cell = nbformat.v4.new_code_cell("fig", outputs=outputs)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(notebook)
    page, _ = nbconvert.HTMLExporter(template_name=template).from_notebook_node(notebook)
    words = "Speed: Time (s). One value each. ours: 1; theirs: 2. Highest: theirs. Lowest: ours."
    assert f"<p>{words}</p></details>" in page
    if template == "classic":  # the lab template drops the text of an image
        assert re.search(rf'<img [^>]*alt="{re.escape(words)}"', page)


def test_import_loads_no_pyplot():
    code = (
        "import sys; from transfer_lib import plots; plots.use_style();"
        "plots.to_png(plots.learning_curves({'a': [[0.1, 0.2]]}));"
        "print([m for m in ('matplotlib.pyplot', 'sklearn', 'IPython', 'ipywidgets', 'torch')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- interactive --------------------------------------------------------------------------------


def make_widget(calls=None):
    def draw(labels_per_class, frozen, smooth):
        if calls is not None:
            calls.append((labels_per_class, frozen, smooth))
        if frozen == 3:
            raise ValueError("no run with <3> frozen")
        fig, ax = plots.figure(f"{labels_per_class} labels, {frozen} frozen")
        ax.plot([0, frozen], [0, labels_per_class])
        return fig

    return plots.interactive(
        draw,
        descriptions={"frozen": "Frozen layers (count)"},
        labels_per_class={"one": 1, "five": 5},
        frozen=(0, 4),
        smooth=False,
    )


def picture(widget):
    """Return the PNG bytes of the image that a widget now shows."""
    return b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', widget.image.value)[1])


def test_widget_draws_the_new_values():
    calls = []
    widget = make_widget(calls)
    start = (1, widget.controls["frozen"].value, False)
    assert calls == [start]
    before = widget.image.value
    first = picture(widget)
    assert first == plots.to_png(make_widget().fallback)
    assert f'<img alt="1 labels, {start[1]} frozen" width="640" height="400"' in before
    assert f"1 labels, {start[1]} frozen" in widget.caption.value
    widget.controls["labels_per_class"].value = 5
    assert calls[1:] == [(5, start[1], False)]
    assert widget.image.value != before and picture(widget) != first
    assert f"5 labels, {start[1]} frozen" in widget.caption.value
    assert widget.message.value == ""


def test_widget_says_what_draw_raised_and_recovers():
    widget = make_widget()
    before = widget.image.value
    widget.controls["frozen"].value = 3
    assert "frozen=3" in widget.message.value
    assert "ValueError: no run with &lt;3&gt; frozen" in widget.message.value
    assert 'role="alert"' in widget.message.value
    assert widget.image.value == before
    widget.controls["frozen"].value = 4
    assert widget.message.value == "" and widget.image.value != before


def test_widget_controls_have_words_and_wait_until_let_go():
    import ipywidgets

    sliders = plots.interactive(
        lambda **_: plots.figure("x")[0],
        a=(0, 5),
        b=(0.0, 1.0, 0.1),
        c=[1, 2, 5],
        d=ipywidgets.IntSlider(description="Own words"),
    ).controls
    assert [control.continuous_update for control in sliders.values()] == [False] * 4
    controls = make_widget().controls
    assert controls["labels_per_class"].continuous_update is False
    assert [control.description for control in sliders.values()] == ["A", "B", "C", "Own words"]
    assert controls["frozen"].description == "Frozen layers (count)"
    assert controls["labels_per_class"].description == "Labels per class"
    assert all(c.style.description_width == "initial" for c in controls.values())
    # No menu among them: JupyterLab takes the arrow keys of a focused one.
    kinds = {type(control).__name__ for control in (sliders | controls).values()}
    assert kinds == {"IntSlider", "FloatSlider", "SelectionSlider", "Checkbox"}


@pytest.mark.parametrize("strict", ["", "1"])
def test_widget_shows_the_static_figure_first(shell, strict, monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_STRICT", strict)
    widget = make_widget()
    image, words, box = shown(shell, widget)
    assert image.metadata["image/png"]["alt"] == plots.alt_text(widget.fallback)
    assert "text/html" in words.data
    assert "application/vnd.jupyter.widget-view+json" in box.data


def test_widget_is_quick():
    def draw(k):
        fig, ax = plots.figure("three lines")
        for j in range(3):
            ax.plot(np.arange(10), k * np.arange(10) + j, label=f"line {j}")
        ax.set(xlabel="Time (s)", ylabel="Way (m)")
        ax.legend()
        return fig

    widget = plots.interactive(draw, k=(0, 10))
    seconds = []
    for k in (1, 2, 3, 4):
        start = time.process_time()
        widget.controls["k"].value = k
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.2


def test_widget_refuses_what_it_cannot_show():
    def no_figure(a):
        return 3

    with pytest.raises(TypeError, match="draw must return a matplotlib Figure, got int"):
        plots.interactive(no_figure, a=(0, 1))
    with pytest.raises(ValueError, match="alt is empty"):
        plots.interactive(lambda a: Figure(), a=(0, 1))
    with pytest.raises(ZeroDivisionError):
        plots.interactive(lambda a: 1 / 0, a=(0, 1))
    with pytest.raises(ValueError, match="at least one control"):
        plots.interactive(no_figure)
    with pytest.raises(ValueError, match="descriptions names"):
        plots.interactive(no_figure, descriptions={"b": "B"}, a=(0, 1))
    for bad in (None, object(), (1, 2, 3, 4), [], {}):
        with pytest.raises(ValueError, match="no control can be made for a"):
            plots.interactive(no_figure, a=bad)
    with pytest.raises(TypeError, match="draw must be a function"):
        plots.interactive(3, a=(0, 1))


# ---- bad input ----------------------------------------------------------------------------------

NAN = float("nan")
HEAT = {"xlabel": "x (s)", "ylabel": "y (s)", "unit": "z (s)"}
BAD = [
    (plots.learning_curves, ({},), "histories must be a dict"),
    (plots.learning_curves, ([[1]],), "histories must be a dict"),
    (plots.learning_curves, ({"a": []},), r"histories\['a'\]"),
    (plots.learning_curves, ({"a": [[]]},), r"histories\['a'\]\[0\] is empty"),
    (plots.learning_curves, ({"a": 0.5},), r"histories\['a'\]"),
    (plots.learning_curves, ({"a": [[NAN, NAN]]},), "only NaN"),
    (plots.learning_curves, ({"a": [["x"]]},), "must hold numbers"),
    (plots.learning_curves, ({"a": [[float("inf")]]}, "loss"), "infinite"),
    (plots.learning_curves, ({"a": [[55.0, 93.0]]},), "Divide percentages by 100"),
    (plots.learning_curves, ({str(i): [[0.1]] for i in range(9)},), "at most 8 lines"),
    (plots.accuracy_by_labels, ({},), "results must be a dict"),
    (plots.accuracy_by_labels, ({"a": [0.1]},), r"results\['a'\] must be a dict"),
    (plots.accuracy_by_labels, ({"a": {0: [0.1]}},), "whole number above 0"),
    (plots.accuracy_by_labels, ({"a": {"few": [0.1]}},), "whole number above 0"),
    (plots.accuracy_by_labels, ({"a": {1: []}},), r"results\['a'\]\[1\] is empty"),
    (plots.accuracy_by_labels, ({"a": {1: [[0.1]]}},), "one accuracy per seed"),
    (plots.accuracy_by_labels, ({"a": {1: [93]}},), "fractions from 0 to 1"),
    (plots.accuracy_by_labels, (RESULTS,), "xlabel.*unit", {"xlabel": "Labels"}),
    (plots.bars, ({}, "Time (s)"), "values must be a dict"),
    (plots.bars, ({"a": 1}, "Time"), "xlabel is 'Time'.*unit in brackets"),
    (plots.bars, ({"a": [NAN]}, "Time (s)"), "only NaN"),
    (plots.bars, (dict.fromkeys(range(21), 1), "Time (s)"), "at most 20 bars"),
    (plots.heatmap, ([[1, 2]], ["a"], ["b"]), r"values has shape \(1, 2\)", HEAT),
    (plots.heatmap, ([], [], []), "values is empty", HEAT),
    (plots.heatmap, ([[1]], ["a"], ["b"]), "unit is", HEAT | {"unit": "z"}),
    (plots.heatmap, (np.ones((21, 1)), ["a"], range(21)), "at most 20", HEAT),
    (plots.confusion_matrix, ([], [], CLASSES), "y_true must be a list"),
    (plots.confusion_matrix, ([0, 1], [0], CLASSES), "y_true has 2 labels, but y_pred has 1"),
    (plots.confusion_matrix, ([0, 3], [0, 1], CLASSES), "y_true runs from 0 to 3"),
    (plots.confusion_matrix, ([0], [-1], CLASSES), "y_pred runs from -1"),
    (plots.confusion_matrix, ([0], [0.7], CLASSES), "y_pred.*argmax"),
    (plots.confusion_matrix, ([0], [[0.1, 0.9]], CLASSES), "y_pred must be a list"),
    (plots.confusion_matrix, (["cow"], ["cat"], CLASSES), r"y_true holds \['cow'\]"),
    (plots.confusion_matrix, ([0], [0], []), "class_names is empty"),
    (plots.confusion_matrix, ([0], [0], ["a", "a"]), "name twice"),
    (plots.confusion_matrix, ([0], [0], range(21)), "at most 20"),
    (plots.image_grid, ([], []), "images is empty"),
    (plots.image_grid, (GREY[0], [1]), r"images\[None\]"),
    (plots.image_grid, (np.zeros((2, 3, 8, 8)), [1, 2]), "channel axis"),
    (plots.image_grid, (255 * GREY, range(4)), "floats from 0 to 255.*Divide by 255"),
    (plots.image_grid, (GREY - 0.5, range(4)), "normalisation"),
    (plots.image_grid, (GREY.astype(int), range(4)), "type int"),
    (plots.image_grid, (GREY * NAN, range(4)), "NaN"),
    (plots.image_grid, (GREY, [1, 2]), "4 images, but labels has 2"),
    (plots.image_grid, (GREY, range(4), 2, [1]), "predictions has 1"),
    (plots.image_grid, (GREY, range(4), 0), "ncols must be"),
    (plots.image_grid, (np.zeros((101, 2, 2)), range(101)), "at most 100"),
    (plots.embedding, (POINTS[:, :1], [0] * 6, CLASSES), r"shape \(n, 2\)"),
    (plots.embedding, (POINTS, [0] * 5, CLASSES), "6 points, but labels has 5"),
    (plots.embedding, (POINTS, [0] * 6, range(11)), "at most 10"),
    (plots.embedding, ([[0, NAN]], [0], CLASSES), "points_2d holds NaN"),
    (plots.embedding, (POINTS, [0] * 6, CLASSES), "xlabel is", {"xlabel": "x"}),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case[0].__name__}-{case[2][:30]}")
def test_bad_input_is_named(case):
    function, arguments, message, *keywords = case
    with pytest.raises(ValueError, match=message):
        function(*arguments, **(keywords[0] if keywords else {}))


@pytest.mark.parametrize(
    "images",
    [
        (255 * GREY).astype(np.uint8),
        GREY.astype(np.float32)[..., None],
        np.repeat(GREY[..., None], 3, axis=3),
        GREY > 0.5,
    ],
)
def test_images_that_are_accepted(images):
    from PIL import Image

    fig = plots.image_grid(images, ["a"] * 4, ncols=3)
    picture = np.asarray(Image.open(io.BytesIO(plots.to_png(fig))).convert("L"))
    assert picture.min() < 10 and picture.max() == 255
