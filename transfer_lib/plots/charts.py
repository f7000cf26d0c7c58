"""The ready figures: curves, bars, tables of numbers, images, points."""

import matplotlib
import numpy as np

from transfer_lib.plots.style import COLORS, LINESTYLES, MARKERS, STYLE, TEXT, WRONG, figure, plain
from transfer_lib.plots.words import number


def learning_curves(histories, metric="accuracy", *, unit=None, title="Learning curves"):
    """Draw a metric over epochs: the mean over seeds, and a band from lowest to highest.

    Parameters
    ----------
    histories : dict of str to list of list of float
        Name to runs (one per seed), each with one value per epoch; a single run may be a flat
        list. Runs may differ in length: the mean is over the runs that reached the epoch.
    metric : str
        ``"accuracy"``, ``"val_loss"``. Accuracies are fractions and drawn in percent.
    unit : str, optional
        Known for accuracies, and for losses taken as nats per example.
    """
    percent = "accuracy" in metric
    unit = unit or ("%" if percent else "nats per example" if "loss" in metric else "no unit")
    series = {}
    for name, runs in histories.items():
        runs = runs if np.iterable(runs[0]) else [runs]
        epochs = range(1, max(map(len, runs)) + 1)
        series[name] = {e: [run[e - 1] for run in runs if len(run) >= e] for e in epochs}
    words = metric.replace("val_", "validation ").replace("_", " ")
    ylabel = f"{words[:1].upper()}{words[1:]} ({unit})"
    fig, ax = _curves(series, 100 if percent else 1, "Epoch (count)", ylabel, title)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    return fig


def accuracy_by_labels(
    results, *, xlabel="Labels per class (count, log scale)", title="Accuracy by number of labels"
):
    """Draw accuracy against the number of labels: the mean over seeds, lowest to highest as band.

    Parameters
    ----------
    results : dict of str to dict of int to list of float
        Method to number of labels to accuracies, fractions from 0 to 1, one per seed.
    """
    series = {
        name: {int(count): by_count[count] for count in sorted(by_count, key=int)}
        for name, by_count in results.items()
    }
    fig, ax = _curves(series, 100, xlabel, "Accuracy (%)", title)
    counts = sorted({count for by_count in series.values() for count in by_count})
    ax.set_xscale("log")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.set_xticks([], minor=True)
    return fig


def bars(values, xlabel, *, title="Comparison"):
    """Draw one horizontal bar per name: the mean, and a line from lowest to highest.

    Parameters
    ----------
    values : dict of str to float or list of float
        Name to one value, or to several (seeds, repetitions).
    xlabel : str
        What is measured with its unit in brackets, ``"Time per check (ms)"``.
    """
    names = [plain(name, 36) for name in values]
    mean, low, high = np.transpose([_summary(value) for value in values.values()])
    fig, ax = figure(figsize=(6.4, 1.6 + 0.4 * len(names) + 0.15 * "".join(names).count("\n")))
    spread = {"xerr": (mean - low, high - mean), "ecolor": TEXT}
    drawn = ax.barh(range(len(names)), mean, color=COLORS[0], height=0.6, **spread)
    ax.bar_label(drawn, [number(value) for value in mean], padding=5)
    ax.axvline(0, color="#444444", linewidth=1, marker="")
    ax.margins(x=0.12)
    if (low >= 0).all():
        ax.set_xlim(left=0)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.set(xlabel=xlabel, title=plain(title, 60))
    return fig


def heatmap(values, xlabels, ylabels, *, xlabel, ylabel, unit, title="Heat map"):
    """Draw a table of numbers as colours, each number written in its cell; NaN leaves it empty."""
    table = np.asarray(values, dtype=float)
    texts = np.vectorize(lambda cell: "" if np.isnan(cell) else number(cell))(table)
    fig, ax = _table(table, texts, xlabels, ylabels, unit)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=plain(title, 60))
    return fig


def confusion_matrix(y_true, y_pred, class_names, *, title="Confusion matrix"):
    """Draw how often each class was predicted as each class: counts, coloured by share of the row.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n,)
        True and predicted labels: numbers from 0, or names from `class_names`.
    class_names : list of str
    """
    from sklearn import metrics

    names = [str(name) for name in class_names]
    true, predicted = _numbers(y_true, names), _numbers(y_pred, names)
    counts = metrics.confusion_matrix(true, predicted, labels=range(len(names)))
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    fig, ax = _table(share, counts.astype(str), names, names, "Share of true class (%)", (0, 100))
    title = f"{plain(title, 60)}: {np.trace(counts)} of {counts.sum()} right"
    ax.set(xlabel="Predicted class (name)", ylabel="True class (name)", title=title)
    return fig


def image_grid(images, labels, ncols=8, predictions=None, *, title=None):
    """Draw images in rows with their labels; a wrong prediction is marked by text and a frame.

    Parameters
    ----------
    images : array_like, shape (n, height, width), (n, height, width, 1) or (n, height, width, 3)
        Grey or RGB; ``uint8`` from 0 to 255, or floats from 0 to 1.
    labels : list of str or int, length n
    ncols : int
        Images per row.
    predictions : list of str or int, length n, optional
    """
    images = np.asarray(images)
    images = images.astype(float) if images.dtype == bool else images
    captions, wrong = [str(label) for label in labels], [False] * len(images)
    if predictions is not None:
        pairs = list(zip(captions, map(str, predictions), strict=True))
        wrong = [label != guess for label, guess in pairs]
        captions = [f"✗ {g}, is {t}" if t != g else f"✓ {g}" for t, g in pairs]
    captions = [plain(caption, 18, lines=8) for caption in captions]
    if not len(images):
        fig, ax = figure("No images.", figsize=(4, 0.8))
        ax.set_axis_off()
        ax.set_title(f"{title or 'Images'}: none")
        return fig
    ncols = min(int(ncols), len(images))
    nrows = -(-len(images) // ncols)
    height, width = images.shape[1:3]
    row = min(1.6, 0.95 * height / width) + 0.1 + 0.16 * _lines(captions)
    size = (max(4.0, max(0.95, 0.085 * _longest(captions)) * ncols), 0.45 + nrows * row)
    fig, axes = figure(None, nrows, ncols, squeeze=False, figsize=size)
    for ax in axes.flat:
        ax.set_axis_off()
    shown = zip(images, captions, wrong, strict=True)
    for ax, (image, caption, is_wrong) in zip(axes.flat, shown, strict=False):
        ax.imshow(image, cmap="gray", vmin=0, vmax=255 if images.dtype == np.uint8 else 1)
        ax.set_title(caption, fontsize=9, pad=3, color=WRONG if is_wrong else TEXT)
        if is_wrong:
            ax.set_axis_on()
            ax.spines[:].set(visible=True, color=WRONG, linewidth=3)
        ax.set(xticks=[], yticks=[])
    title = title or ("Images" if predictions is None else "Predictions")
    fig.suptitle(f"{plain(title, 60)} ({height} × {width} pixels)", fontsize=12)
    return fig


def _curves(series, factor, xlabel, ylabel, title):
    """Draw the mean of the values at each x, and a band from their lowest to their highest."""
    fig, ax = figure()
    for i, (name, by_x) in enumerate(series.items()):
        mean, low, high = factor * np.transpose([_summary(values) for values in by_x.values()])
        style = {"color": COLORS[i % 8], "linestyle": LINESTYLES[i % 8], "marker": MARKERS[i % 8]}
        ax.plot(list(by_x), mean, label=plain(name), markevery=max(1, len(by_x) // 10), **style)
        ax.fill_between(list(by_x), low, high, color=COLORS[i % 8], alpha=0.15, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=plain(title, 60))
    _legend(ax, series)
    return fig, ax


def _summary(values):
    """Return mean, lowest and highest, without what is missing or infinite."""
    known = np.ravel(values).astype(float)
    known = known[np.isfinite(known)]
    return (known.mean(), known.min(), known.max()) if known.size else (np.nan,) * 3


def _legend(ax, names):
    """Draw a legend with the names as they are: matplotlib leaves out those that begin with _."""
    names = [plain(name) for name in names]
    where = {}
    if _longest(names) > 20:
        where = {"loc": "upper left", "bbox_to_anchor": (1, 1)}  # beside the lines
        ax.figure.set_figwidth(8.6)
    with matplotlib.rc_context(STYLE):
        legend = ax.legend(list(ax.lines), [f" {name}" for name in names], **where)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)


def _numbers(labels, names):
    """Return labels as class numbers; they may be given as numbers or as names."""
    return np.array([names.index(label) if isinstance(label, str) else label for label in labels])


def _table(colours, texts, columns, rows, colour_label, limits=(None, None)):
    """Draw coloured cells with a text in each, black or white, whichever is easier to read."""
    columns, rows = [plain(name) for name in columns], [plain(name) for name in rows]
    longest, widest = _longest(columns), _longest(rows)
    cell = max(0.5, 0.1 * max(map(len, texts.flat)), 0.1 * min(longest, 8))
    high = 0.42 * max(1, 0.45 * _lines(rows))
    crowded = 0.1 * longest > cell
    size = (2.6 + cell * len(columns) + 0.08 * widest, 1.7 + high * len(rows))
    fig, ax = figure(figsize=(max(4.5, size[0]), max(3.2, size[1] + 0.06 * longest * crowded)))
    image = ax.imshow(colours, cmap="cividis", aspect="auto", vmin=limits[0], vmax=limits[1])
    shades = image.cmap(image.norm(colours))[..., :3]
    shades[np.isnan(colours)] = 1
    for i, j in np.ndindex(*np.shape(colours)):
        colour = "black" if luminance(shades[i, j]) > 0.18 else "white"
        ax.text(j, i, texts[i, j], ha="center", va="center", color=colour, fontsize=9)
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    ax.set_xticks(range(len(columns)), columns, **turned)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(False)
    fig.colorbar(image, ax=ax, label=colour_label)
    return fig, ax


def _longest(names):
    return max(len(line) for name in names for line in name.split("\n"))


def _lines(names):
    return max(name.count("\n") + 1 for name in names)


def luminance(rgb):
    """Return the relative luminance of sRGB colours (WCAG 2.2), shape (..., 3) to (...)."""
    rgb = np.asarray(rgb, dtype=float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]
