"""Style, names as plain text, and how a figure is shown in a notebook.

Where a screen reader finds the text of an output image, by each program's source: nbconvert's
``classic`` template takes it from ``metadata["image/png"]["alt"]``, VS Code from the output's
``text/plain``; JupyterLab 4 and nbconvert's ``lab`` drop it, so a ``<details>`` block follows.
"""

import functools
import html
import io
import re
import textwrap
import warnings

import matplotlib
from cycler import cycler
from matplotlib import font_manager
from matplotlib._pylab_helpers import Gcf
from matplotlib.figure import Figure
from matplotlib.text import Text

from transfer_lib.plots.words import words_of

# The first three colours are from Okabe and Ito, "Color Universal Design" (2008). Their light ones
# have less than 3:1 against white, so the others were searched for: the distance between any two
# (CIE 1976, also as seen without red, green or blue cones) is at least 16.
COLORS = (
    "#0072B2",  # blue
    "#D55E00",  # vermilion
    "#009E73",  # green
    "#000000",  # black
    "#92648E",  # mauve
    "#9D0E00",  # dark red
    "#461653",  # plum
    "#095647",  # dark green
)
LINESTYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
TEXT = "#222222"
WRONG = "#9D0E00"
CHINESE = (  # of Linux, Windows, macOS
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei"),
    *("WenQuanYi Zen Hei", "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "SimSun"),
    *("PingFang SC", "Hiragino Sans GB", "Heiti TC", "STHeiti", "Arial Unicode MS"),
)


def fonts():
    """Return matplotlib's own font, then those on this machine that have Chinese characters."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in CHINESE if name in installed)]


STYLE = {
    **dict.fromkeys(("axes.axisbelow", "axes.grid"), True),
    "axes.edgecolor": "#444444",
    "axes.facecolor": "white",
    "axes.prop_cycle": cycler(color=COLORS)
    + cycler(linestyle=LINESTYLES)
    + cycler(marker=MARKERS[: len(COLORS)]),
    **dict.fromkeys(("axes.spines.right", "axes.spines.top"), False),
    "axes.titlesize": 12,
    "figure.dpi": 100,
    "figure.facecolor": "white",  # not transparent: dark themes stay readable
    "font.family": fonts(),
    "font.size": 11,
    "grid.color": "#DDDDDD",
    "image.cmap": "gray",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "savefig.dpi": 100,
    **dict.fromkeys(("axes.labelcolor", "text.color", "xtick.color", "ytick.color"), TEXT),
}
SUBPLOTS = "gridspec_kw height_ratios sharex sharey squeeze subplot_kw width_ratios".split()


def use_style():
    """Set the course's colours, markers, line styles and sizes for all later figures."""
    matplotlib.rcParams.update(STYLE)


def plain(name, width=24, lines=4):
    """Return a name to be drawn as it is: no mathematics, and in short lines."""
    wrapper = textwrap.TextWrapper(width, max_lines=lines, placeholder=" …")
    wrapper.wordsep_re = re.compile(r"(\s+|(?<=[_/-])(?=[^_/-]))")  # also after an underscore
    return wrapper.fill(str(name)).replace("$", r"\$")


def figure(alt=None, nrows=1, ncols=1, **kwargs):
    """Make a figure with a text alternative. It is not registered with pyplot.

    Parameters
    ----------
    alt : str, optional
        What the figure shows, in words; without it, they are read from what is drawn.
    nrows, ncols, **kwargs
        Passed to `matplotlib.figure.Figure` and its `subplots`, whose axes are returned beside it.
    """
    subplots = {key: kwargs.pop(key) for key in SUBPLOTS if key in kwargs}
    kwargs.setdefault("layout", "constrained")
    kwargs.setdefault("figsize", (max(6.4, 4.0 * ncols), max(4.0, 3.0 * nrows)))
    with matplotlib.rc_context(STYLE):  # also right when the style was never set, or was lost
        fig = Figure(**kwargs)
        ax = fig.subplots(nrows, ncols, **subplots)
    return describe(fig, alt), ax


def describe(fig, alt=None):
    """Give a figure its text alternative, or change it; return the figure, also one of pyplot."""
    fig._transfer_lib_alt = " ".join((alt or "").split())
    # IPython asks an object for this method before any registered formatter, and the inline
    # backend, which removes registered formatters for Figure when pyplot is imported, leaves it.
    fig._ipython_display_ = functools.partial(_show, fig)
    return fig


def alt_text(fig):
    """Return the text alternative of a figure: as it was given, else read from what is drawn."""
    return getattr(fig, "_transfer_lib_alt", "") or words_of(fig)


def to_png(fig, dpi=None):
    """Return the figure as PNG bytes. Figures drawn alike give the same bytes."""
    drawn = {character for text in fig.findobj(Text) for character in text.get_text()}
    _tell_missing("".join(sorted(filter(_is_missing, drawn))))
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing")  # told above, and once
        # Without "Software" the bytes do not change with the version of matplotlib alone.
        fig.savefig(buffer, format="png", dpi=dpi or "figure", metadata={"Software": None})
    return buffer.getvalue()


@functools.cache
def _is_missing(character):
    """Tell whether no font here has a character."""
    files = [] if character.isascii() else [font_manager.findfont(name) for name in fonts()]
    faces = [font_manager.get_font(file) for file in files]
    return bool(faces) and not any(face.get_char_index(ord(character)) for face in faces)


@functools.cache  # once
def _tell_missing(characters):
    if characters:
        print(
            f"No font here has {characters}: the figure shows boxes, its words are complete. "
            "Install a font such as Noto Sans CJK SC, delete the folder "
            "`matplotlib.get_cachedir()`, and restart the kernel."
        )


def bundle(fig):
    """Return what a notebook shows for the figure: data and metadata by MIME type."""
    alt = alt_text(fig)
    data = {"image/png": to_png(fig), "text/plain": f"Figure: {alt}"}
    return data, {"image/png": {"alt": alt}}


def words_html(alt):
    """Return the text alternative as an HTML block that opens by keyboard or mouse."""
    return f"<details><summary>Figure in words</summary><p>{html.escape(alt)}</p></details>"


def _show(fig):
    """Show the image, then the words that open on a click or a key press."""
    from IPython.display import display

    data, metadata = bundle(fig)
    if fig.canvas.manager is not None:  # a pyplot figure: the inline backend would show it again
        Gcf.destroy_fig(fig)
    display(data, metadata=metadata, raw=True)
    # No text/plain here: a terminal prints the words once.
    display({"text/html": words_html(alt_text(fig))}, raw=True)
