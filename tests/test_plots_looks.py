"""How a figure looks: labelled, nothing cut off, enough contrast, not by colour alone."""

import io
import re
import warnings
from itertools import combinations

import numpy as np
import pytest
from example_figures import AWKWARD, CURVES, GREY, READY, RESULTS, WITH_AWKWARD_NAMES
from matplotlib import font_manager
from matplotlib.colors import to_rgb

from transfer_lib import plots
from transfer_lib.plots import style
from transfer_lib.plots.charts import luminance
from transfer_lib.plots.style import CHINESE, STYLE, TEXT, WRONG, fonts


@pytest.mark.parametrize("name", list(READY))
def test_ready_figures(name):
    first, second = READY[name](), READY[name]()
    png = plots.to_png(first)
    assert png == plots.to_png(second)
    assert png.startswith(b"\x89PNG") and len(png) < 60_000
    assert b"Software" not in png and b"matplotlib" not in png
    assert len(plots.alt_text(first)) > 20
    if name == "image_grid":
        assert "pixels" in first.get_suptitle()
        return
    main = first.axes[0]
    for label in (main.get_xlabel(), main.get_ylabel()):
        assert re.search(r"\(.+\)", label) or (name == "bars" and not label)
    assert main.get_title()


@pytest.mark.parametrize(
    "make",
    [*READY.values(), *WITH_AWKWARD_NAMES.values()],
    ids=[*READY, *(f"{name}-awkward" for name in WITH_AWKWARD_NAMES)],
)
def test_no_text_is_cut_off_or_overlaps(make):
    fig = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a layout that collapses, a character that is missing
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


@pytest.mark.parametrize("name", WITH_AWKWARD_NAMES)
def test_names_are_drawn_as_they_are(name):
    fig = WITH_AWKWARD_NAMES[name]()
    legends = [fig.axes[0].get_legend(), *fig.legends]
    texts = [text for legend in legends if legend for text in legend.get_texts()]
    texts = texts or fig.axes[0].get_yticklabels()
    texts = [ax.title for ax in fig.axes if ax.images] if name == "image_grid" else texts
    drawn = [text.get_text().replace("✓ ", "") for text in texts if text.get_text()]
    joined = [re.sub(r"\s", "", text) for text in drawn]
    assert joined == [re.sub(r"\s", "", name).replace("$", r"\$") for name in AWKWARD]
    assert all(text._preprocess_math(text.get_text())[1] is False for text in texts)
    assert max(len(line) for text in drawn for line in text.split("\n")) <= 36


def test_names_that_are_much_too_long_are_shortened():
    fig = plots.bars({"word " * 60: 1, "x" * 200: 2}, "Time (s)")
    labels = [label.get_text() for label in fig.axes[0].get_yticklabels()]
    assert all(label.endswith("…") and len(label) <= 4 * 37 for label in labels)
    plots.to_png(fig)


def test_chinese_has_a_font_or_a_message(capsys):
    style._tell_missing.cache_clear()
    fig, _ = plots.figure()
    fig.suptitle("猫")
    for _ in range(2):
        plots.to_png(fig)
    told = capsys.readouterr().out
    assert told.count("No font here has 猫") == (fonts() == ["DejaVu Sans"])


def test_an_installed_chinese_font_is_a_fallback(monkeypatch):
    entry = font_manager.FontEntry(name=CHINESE[1])
    listed = [*font_manager.fontManager.ttflist, entry]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", listed)
    assert fonts()[0] == "DejaVu Sans" and CHINESE[1] in fonts()


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
    with pytest.raises(ValueError):
        plots.image_grid(images, ["a"] * 3)


def test_no_images_are_a_figure_that_says_so():
    fig = plots.image_grid(np.zeros((0, 8, 8, 3)), [], 4, [], title="Worst mistakes")
    assert fig.axes[0].get_title() == "Worst mistakes: none"


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
