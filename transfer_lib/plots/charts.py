"""Lines, bars and heat maps with text alternatives computed from their numbers."""

import numpy as np

from transfer_lib.plots import check
from transfer_lib.plots.check import number
from transfer_lib.plots.style import COLORS, TEXT, describe, figure, line_style

UNITS = {"loss": "nats per example"}


def learning_curves(histories, metric="accuracy", *, unit=None, title="Learning curves"):
    """Draw a metric over epochs: the mean over seeds, and a band from lowest to highest.

    Parameters
    ----------
    histories : dict of str to list of list of float
        Name to runs (one per seed), each with one value per epoch; a single run may be given as a
        flat list. Runs may differ in length: the mean is over the runs that reached the epoch.
    metric : str
        The name of the values, ``"accuracy"``, ``"val_loss"``. Accuracies are fractions from 0 to 1
        and drawn in percent. Losses and errors are better when lower.
    unit : str, optional
        Unit of the values; known for accuracies, and for losses taken as nats per example.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `histories` is empty, has more than 8 names, or holds no numbers; if a fraction is not
        from 0 to 1.
    """
    histories = check.named("histories", histories)
    words = metric.replace("val_", "validation ").replace("_", " ")
    percent, lower = "accuracy" in metric, "loss" in metric or "error" in metric
    unit = unit or ("%" if percent else UNITS["loss"] if "loss" in metric else "no unit")
    runs = {name: _runs(f"histories[{name!r}]", values) for name, values in histories.items()}
    if percent:
        runs = {name: check.as_fractions(f"histories[{name!r}]", v) for name, v in runs.items()}
    epochs = np.arange(1, max(array.shape[1] for array in runs.values()) + 1)

    fig, ax = figure("to be described below")
    means, sentences = np.full((len(runs), len(epochs)), np.nan), []
    for position, (name, array) in enumerate(runs.items()):
        own = epochs[: array.shape[1]]
        mean, low, high = check.summary(array)
        means[position, : len(own)] = mean
        every = max(1, len(own) // 10)
        _line_with_band(ax, own, mean, low, high, name, position, markevery=every)
        known = np.flatnonzero(~np.isnan(mean))
        best = known[np.argmin(mean[known]) if lower else np.argmax(mean[known])]
        sentences.append(
            f"{name}: {number(mean[known[0]])} at epoch {own[known[0]]}, "
            f"{'lowest' if lower else 'highest'} {number(mean[best])} at epoch {own[best]}"
            + (f", {number(mean[known[-1]])} at epoch {own[known[-1]]}" * bool(best != known[-1]))
            + f"{_missing(array, own[-1])}."
        )
    ax.set(xlabel="Epoch (count)", ylabel=f"{_sentence(words)} ({unit})", title=title)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    ax.legend()
    drawn = _spread_words([array.shape[0] for array in runs.values()], "run", "band")
    crossed = check.crossings(list(runs), epochs, means, "epoch")
    ends = f"epochs 1 to {epochs[-1]}" if len(epochs) > 1 else "one epoch"
    return describe(
        fig,
        f"{title}: {words} ({unit}) over {ends}. {drawn} {' '.join(sentences)} "
        f"{_last_words(list(runs), epochs, means, lower, percent)} {' '.join(crossed)}",
    )


def accuracy_by_labels(
    results, *, xlabel="Labels per class (count, log scale)", title="Accuracy by number of labels"
):
    """Draw accuracy against the number of labels: the mean over seeds, lowest to highest as band.

    Parameters
    ----------
    results : dict of str to dict of int to list of float
        Method to number of labels to accuracies, fractions from 0 to 1, one per seed.
    xlabel, title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `results` is empty, has more than 8 names, or a number of labels is not positive; if an
        accuracy is not from 0 to 1.
    """
    results = check.named("results", results)
    check.label_with_unit("xlabel", xlabel)
    table = {}
    for name, by_count in results.items():
        by_count = check.named(f"results[{name!r}]", by_count, most=50, kind="label counts")
        for labels, values in by_count.items():
            argument = f"results[{name!r}][{labels}]"
            if not labels.isdigit() or int(labels) == 0:
                raise ValueError(f"{argument}: a number of labels must be a whole number above 0.")
            array = np.atleast_1d(check.as_array(argument, values))
            if array.ndim != 1:
                raise ValueError(f"{argument} must be a list with one accuracy per seed.")
            table[name, int(labels)] = check.as_fractions(argument, array)
    names, counts = list(results), sorted({labels for _, labels in table})

    fig, ax = figure("to be described below")
    means, sentences = np.full((len(names), len(counts)), np.nan), []
    for position, name in enumerate(names):
        own = [labels for labels in counts if (name, labels) in table]
        rows = np.array([check.summary(table[name, labels]) for labels in own])
        means[position, [counts.index(labels) for labels in own]] = rows[:, 0]
        _line_with_band(ax, own, *rows.T, name, position)
        sentences.append(
            f"{name}: {number(rows[0, 0])} % at {own[0]}"
            + (f", {number(rows[-1, 0])} % at {own[-1]}." if len(own) > 1 else ".")
        )
    ax.set_xscale("log")
    ax.set_xticks(counts, [str(labels) for labels in counts])
    ax.set_xticks([], minor=True)
    ax.set(xlabel=xlabel, ylabel="Accuracy (%)", title=title)
    ax.legend()
    best = [_best_words(names, means[:, column], labels) for column, labels in enumerate(counts)]
    drawn = _spread_words([array.size for array in table.values()], "seed", "band")
    crossed = check.crossings(names, counts, means, "label count")
    return describe(
        fig,
        f"{title}: accuracy (%) at {check.listing(counts)} labels. {drawn} {' '.join(sentences)} "
        f"Best: {'; '.join(best)}. {' '.join(crossed)}",
    )


def bars(values, xlabel, *, title="Comparison"):
    """Draw one horizontal bar per name: the mean, and a line from lowest to highest.

    Parameters
    ----------
    values : dict of str to float or list of float
        Name to one value, or to several (seeds, repetitions).
    xlabel : str
        What is measured with its unit in brackets, ``"Time per check (ms)"``.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `values` is empty, has more than 20 names, or holds no numbers.
    """
    values = check.named("values", values, most=20, kind="bars")
    check.label_with_unit("xlabel", xlabel)
    arrays = {n: check.as_array(f"values[{n!r}]", v).ravel() for n, v in values.items()}
    rows = np.array([check.summary(array) for array in arrays.values()])
    mean, low, high = rows.T
    fig, ax = figure("to be described below", figsize=(6.4, 1.6 + 0.4 * len(rows)))
    ax.barh(list(arrays), mean, color=COLORS[0], height=0.6)
    ax.errorbar(mean, range(len(rows)), xerr=(mean - low, high - mean), fmt="none", ecolor=TEXT)
    for place, (middle, bottom, top) in enumerate(rows):
        negative = middle < 0
        ax.annotate(
            number(middle),
            (bottom if negative else top, place),
            xytext=(-5 if negative else 5, 0),
            textcoords="offset points",
            ha="right" if negative else "left",
            va="center",
        )
    ax.axvline(0, color="#444444", linewidth=1)
    ax.margins(x=0.12)
    if (low >= 0).all():
        ax.set_xlim(left=0)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.set(xlabel=xlabel, title=title)
    parts = [
        f"{name}: {number(row[0])}" + (f" ({number(row[1])} to {number(row[2])})" * (a.size > 1))
        for (name, a), row in zip(arrays.items(), rows, strict=True)
    ]
    names = list(arrays)
    extremes = ""
    if len(names) > 1:
        top, bottom = int(np.argmax(mean)), int(np.argmin(mean))
        extremes = f" Highest: {names[top]}. Lowest: {names[bottom]}."
    drawn = _spread_words([array.size for array in arrays.values()], "value", "line")
    return describe(fig, f"{title}: {xlabel}. {drawn} {'; '.join(parts)}.{extremes}")


def heatmap(values, xlabels, ylabels, *, xlabel, ylabel, unit, title="Heat map"):
    """Draw a table of numbers as colours, each number written in its cell.

    Parameters
    ----------
    values : array_like, shape (rows, columns)
        NaN for a cell without a value.
    xlabels, ylabels : list of str
        Names of the columns and of the rows.
    xlabel, ylabel : str
        What the columns and the rows are, each with its unit in brackets.
    unit : str
        What the values are, with the unit in brackets, ``"Accuracy (%)"``.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `values` is empty or not a table, the labels do not match its shape, or there are more
        than 20 rows or columns.
    """
    table = check.as_array("values", values)
    columns, rows = [str(x) for x in xlabels], [str(y) for y in ylabels]
    if table.ndim != 2 or table.shape != (len(rows), len(columns)):
        raise ValueError(
            f"values has shape {table.shape}, but ylabels has {len(rows)} rows and xlabels has "
            f"{len(columns)} columns."
        )
    if max(table.shape) > check.MAX_CLASSES:
        raise ValueError(
            f"values has shape {table.shape}; at most {check.MAX_CLASSES} rows and columns "
            "can be read."
        )
    for argument, label in (("xlabel", xlabel), ("ylabel", ylabel), ("unit", unit)):
        check.label_with_unit(argument, label)
    texts = [["" if np.isnan(cell) else number(cell) for cell in row] for row in table]
    fig, ax = annotated_table(table, texts, columns, rows, unit)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    high = np.unravel_index(np.nanargmax(table), table.shape)
    low = np.unravel_index(np.nanargmin(table), table.shape)
    empty = int(np.isnan(table).sum())
    return describe(
        fig,
        f"{title}: {unit} for {len(rows)} rows, {ylabel}, and {len(columns)} columns, {xlabel}. "
        f"Highest: {number(table[high])} at {rows[high[0]]}, {columns[high[1]]}. "
        f"Lowest: {number(table[low])} at {rows[low[0]]}, {columns[low[1]]}."
        + (f" {check.count(empty, 'cell')} without a value." if empty else ""),
    )


def annotated_table(colours, texts, columns, rows, colour_label, limits=(None, None)):
    """Draw coloured cells with a text in each, black or white, whichever is easier to read."""
    longest = max(map(len, columns))
    cell = max(0.5, 0.1 * max(len(text) for row in texts for text in row), 0.1 * min(longest, 8))
    size = (2.6 + cell * len(columns) + 0.07 * max(map(len, rows)), 1.7 + 0.42 * len(rows))
    fig, ax = figure("to be described below", figsize=(max(4.5, size[0]), max(3.2, size[1])))
    image = ax.imshow(colours, cmap="cividis", aspect="auto", vmin=limits[0], vmax=limits[1])
    shades = image.cmap(image.norm(colours))[..., :3]
    shades[np.isnan(colours)] = 1
    for i, j in np.ndindex(*np.shape(colours)):
        colour = "black" if luminance(shades[i, j]) > 0.18 else "white"
        ax.text(j, i, texts[i][j], ha="center", va="center", color=colour, fontsize=9)
    crowded = 0.1 * longest > cell
    ax.set_xticks(range(len(columns)), columns, rotation=45 if crowded else 0)
    if crowded:
        for tick in ax.get_xticklabels():
            tick.set(ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(False)
    fig.colorbar(image, ax=ax, label=colour_label)
    return fig, ax


def luminance(rgb):
    """Return the relative luminance of sRGB colours (WCAG 2.2), shape (..., 3) to (...)."""
    rgb = np.asarray(rgb, dtype=float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def _runs(argument, values):
    """Return runs as an array of seeds by epochs, shorter ones filled up with NaN."""
    if not np.iterable(values) or isinstance(values, str | dict) or len(values) == 0:
        raise ValueError(f"{argument} must be a list of runs, each a list with a value per epoch.")
    values = list(values) if np.iterable(values[0]) else [values]
    runs = [check.as_array(f"{argument}[{i}]", run).ravel() for i, run in enumerate(values)]
    longest = max(len(run) for run in runs)
    return np.array([np.pad(run, (0, longest - len(run)), constant_values=np.nan) for run in runs])


def _line_with_band(ax, x, mean, low, high, name, position, **kwargs):
    style = line_style(position)
    ax.plot(x, mean, label=name, **style, **kwargs)
    ax.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)


def _sentence(words):
    return words[:1].upper() + words[1:]


def _missing(array, last):
    short = int(np.isnan(array[:, -1]).sum())
    return f" ({short} of {check.count(len(array), 'run')} without a value there)" if short else ""


def _spread_words(sizes, noun, mark):
    """Say over how many seeds the means are, and what the band or line shows."""
    if max(sizes) == 1:
        return f"One {noun} each."
    many = str(max(sizes)) if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
    return f"Means over {many} {noun}s; each {mark} runs from the lowest to the highest."


def _ahead(values, lower=False):
    """Return the positions from best to worst, NaN left out."""
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    return order if lower else order[::-1]


def _last_words(names, epochs, means, lower, percent):
    """Compare the lines at the last epoch that all of them have."""
    shared = np.flatnonzero(~np.isnan(means).any(axis=0))
    if len(names) == 1 or len(shared) == 0:
        return ""
    column = means[:, shared[-1]]
    first, second = _ahead(column, lower)[:2]
    margin = number(abs(column[first] - column[second]))
    where = f"At epoch {epochs[shared[-1]]}"
    if margin == "0":
        return f"{where}, {names[first]} and {names[second]} are level."
    side = "below" if lower else "above"
    amount = f"{margin} points" if percent else margin
    return f"{where}, {names[first]} is best, {amount} {side} {names[second]}."


def _best_words(names, column, labels):
    order = _ahead(column)
    if len(order) == 1:
        return f"{labels}: only {names[order[0]]} ({number(column[order[0]])} %)"
    first, second = order[:2]
    margin = number(column[first] - column[second])
    if margin == "0":
        return f"{labels}: {names[first]} level with {names[second]} at {number(column[first])} %"
    return (
        f"{labels}: {names[first]} ({number(column[first])} %), "
        f"{margin} points above {names[second]}"
    )
