"""What a figure shows, in words: read from the lines, bars, points and images drawn in it."""

import re

import numpy as np
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.container import BarContainer
from matplotlib.ticker import FixedLocator

ALL_POINTS, ALL_CELLS, ALL_PICTURES = 5, 25, 40  # so many are told; of more, the extremes


def words_of(fig):
    """Return what is drawn in a figure, in words."""
    shown = [ax for ax in fig.axes if ax.has_data() or ax.texts]
    shown = [ax for ax in shown if not hasattr(ax, "_colorbar")]
    pictures = [ax for ax in shown if ax.images and not any(_ticks(ax.xaxis).values())]
    parts = [_sentence(_clean(fig.get_suptitle()))]
    if pictures:
        names = [_clean(ax.get_title()) for ax in pictures if ax.get_title()]
        names[ALL_PICTURES:] = ["…"] if len(names) > ALL_PICTURES else []
        parts.append(_sentence(f"{_count(len(pictures), 'image')}: {'; '.join(names)}"))
    panels = [ax for ax in shown if ax not in pictures]
    for i, ax in enumerate(panels, 1):
        parts += [f"Panel {i}." * (len(panels) > 1), _sentence(_clean(ax.get_title())), *_panel(ax)]
    return " ".join(part for part in parts if part) or "Nothing is drawn."


def number(value):
    """Return a number as short text of two or three digits; whole ones and thousands in full."""
    value = 0.0 if abs(value) < 1e-12 else float(value)
    if value.is_integer() or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.{3 if abs(value) >= 10 else 2}g}"


def _panel(ax):
    """Yield the sentences on one panel."""
    x, y = _clean(ax.get_xlabel()), _clean(ax.get_ylabel())
    x_ticks, y_ticks = _ticks(ax.xaxis), _ticks(ax.yaxis)
    if not ax.images:
        yield _sentence(f"{y} against {x}" if x and y else x or y)
    ends, owners = {}, {bars[0]: bars for bars in ax.containers if bars}
    for line in ax.lines:  # a line with error bars has its label on their container
        name, data = _name(owners.get(line, line)), np.array(line.get_xydata(), dtype=float)
        data = data[np.isfinite(data).all(axis=1)]
        rule = len(data) == 2 and (data[0] == data[1]).any()  # level or upright: marks one value
        cap = line.get_label() == "_nolegend_" and line not in owners
        if not len(data) or cap or rule and not name:
            continue
        bands = [c for c in ax.collections if _is_spread(c) and _rgb(c) == to_rgb(line.get_color())]
        words = _line_words(data, line, x_ticks, _ranges(bands, 1))
        if rule:
            level = data[0, 1] == data[1, 1]
            words = f"level at {number(data[0, 1])}" if level else f"at {_at(data[0, 0], x_ticks)}"
        yield f"{name or 'line'}: {words}."
        if not rule:
            ends.setdefault(data[-1, 0], {})[name] = data[-1, 1]
    for at, last in ends.items():
        if len(last) > 1:
            order = ", ".join(sorted(last, key=last.get, reverse=True))
            yield f"At {_at(at, x_ticks)}, from the highest: {order}."
    for bars in ax.containers:
        if isinstance(bars, BarContainer):
            yield _bar_words(bars, x_ticks, y_ticks)
    for points in ax.collections:
        if isinstance(points, PathCollection) and len(points.get_offsets()):
            yield f"{_name(points) or 'points'}: {_cloud_words(points.get_offsets())}."
    for image in ax.images:
        yield _sentence(f"Rows: {y}; columns: {x}" if x and y else "")
        yield from _table_words(image, x_ticks, y_ticks)
    written = [_clean(text.get_text()) for text in ax.texts]
    if written := [text for text in written if re.search(r"[^\W\d]{2}", text)]:
        yield f"Written in it: {'; '.join(written)}."


def _line_words(data, line, ticks, ranges):
    if len(data) > ALL_POINTS and line.get_linestyle() == "None":
        return _cloud_words(data)
    x, y = data.T
    told = dict.fromkeys(range(len(data)), "")
    if len(data) > ALL_POINTS:
        told = {int(y.argmin()): "lowest ", int(y.argmax()): "highest "}
        told |= {0: "", len(data) - 1: ""}
    return ", ".join(
        f"{told[i]}{number(y[i])}{ranges.get(round(x[i], 9), '')} at {_at(x[i], ticks)}"
        for i in sorted(told)
    )


def _ranges(collections, along):
    """Return `` (low to high)`` by position, read from bands and error bars."""
    ends = {}
    for path in [path for collection in collections for path in collection.get_paths()]:
        for point in path.vertices:
            ends.setdefault(round(point[1 - along], 9), []).append(point[along])
    spread = {at: (min(y), max(y)) for at, y in ends.items() if max(y) > min(y)}
    return {at: f" ({number(low)} to {number(high)})" for at, (low, high) in spread.items()}


def _bar_words(bars, x_ticks, y_ticks):
    lying = bars.orientation == "horizontal"
    ranges = _ranges(bars.errorbar[2] if bars.errorbar else [], 1 - lying)
    ticks, told = y_ticks if lying else x_ticks, []
    for bar in bars:
        box, value = bar.get_bbox(), bar.get_width() if lying else bar.get_height()
        at = (box.y0 + box.y1) / 2 if lying else (box.x0 + box.x1) / 2
        nearest = min(ticks, key=lambda tick: abs(tick - at), default=None)
        name = ticks[nearest] if ticks and abs(nearest - at) < 0.5 else number(at)
        told.append(f"{name} {number(value)}{ranges.get(round(at, 9), '')}")
    name = _name(bars)
    return f"{name}: " * bool(name) + "; ".join(told) + "."


def _cloud_words(points):
    middle = ", ".join(number(value) for value in np.mean(points, axis=0))
    return f"{_count(len(points), 'point')} around ({middle})"


def _table_words(image, x_ticks, y_ticks):
    """Yield a table row by row, or its extremes: off the diagonal where both axes have the same."""
    values = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
    rows, columns = list(y_ticks.values()), list(x_ticks.values())
    if values.shape != (len(rows), len(columns)):
        return
    yield _sentence(_clean(image.colorbar.ax.get_ylabel()) if image.colorbar else "")
    if values.size <= ALL_CELLS:
        for name, row in zip(rows, values, strict=True):
            told = [f"{c} {number(v)}" for c, v in zip(columns, row, strict=True) if v == v]
            yield f"{name}: {', '.join(told)}."
        return
    where = "Off the diagonal, " if rows == columns else ""
    values = np.where(np.eye(*values.shape), np.nan, values) if where else values
    for word, find in (("highest", np.nanargmax), ("lowest", np.nanargmin)):
        i, j = np.unravel_index(find(values), values.shape)
        words = f"{where}{word}: {number(values[i, j])} at {rows[i]}, {columns[j]}."
        yield words[0].upper() + words[1:]


def _ticks(axis):
    """Return the words of an axis whose ticks have words, by position."""
    fixed = isinstance(axis.get_major_locator(), FixedLocator) or hasattr(axis.units, "_mapping")
    labels = [_clean(label.get_text()) for label in axis.get_ticklabels()] if fixed else []
    return dict(zip(map(float, axis.get_ticklocs()), labels, strict=False))


def _at(x, ticks):
    return ticks.get(float(x)) or number(x)


def _is_spread(collection):
    return isinstance(collection, PolyCollection | LineCollection)


def _rgb(collection):
    return tuple(collection.get_edgecolor()[0][:3]) if len(collection.get_edgecolor()) else ()


def _name(artist):
    """Return the label that an author gave, without what matplotlib calls nameless artists."""
    return re.sub(r"^_(child|container|nolegend).*", "", _clean(artist.get_label()))


def _clean(text):
    """Return drawn text as it is read: no escapes, no marks of mathematics, one line."""
    text = re.sub(r"(?<!\\)\$", "", str(text)).replace(r"\$", "$")
    return " ".join(re.sub(r"(?<=[_/-])\n", "", text).split())


def _sentence(text):
    text = text.rstrip(": ")
    return f"{text}." if text and text[-1] not in ".!?" else text


def _count(how_many, noun):
    return f"{how_many} {noun}" + "s" * (how_many != 1)
