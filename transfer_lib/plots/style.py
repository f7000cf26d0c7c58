"""Style, text alternatives, and how a figure is shown in a notebook.

Where the text alternative of an output image is read, checked in each program's source:

=====================================  =====================================================
program                                where a screen reader finds the text
=====================================  =====================================================
nbconvert, template ``classic``        ``alt`` of the image, from ``metadata["image/png"]["alt"]``
VS Code                                ``alt`` of the image, from the output's ``text/plain``
JupyterLab 4, nbconvert ``lab``        nowhere: both drop it, so a ``<details>`` block follows
=====================================  =====================================================
"""

import html
import io
from functools import partial
from itertools import cycle, islice

import matplotlib
from cycler import cycler
from matplotlib._pylab_helpers import Gcf
from matplotlib.figure import Figure

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
DPI = 100

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.labelcolor": TEXT,
    "axes.prop_cycle": cycler(color=COLORS)
    + cycler(linestyle=LINESTYLES)
    + cycler(marker=MARKERS[: len(COLORS)]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "figure.dpi": DPI,
    "figure.facecolor": "white",  # not transparent: dark themes stay readable
    "font.size": 11,
    "grid.color": "#DDDDDD",
    "image.cmap": "gray",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "savefig.dpi": DPI,
    "text.color": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
}
SUBPLOT_ARGUMENTS = (
    "gridspec_kw height_ratios sharex sharey squeeze subplot_kw width_ratios".split()
)


def use_style():
    """Set the course's colours, markers, line styles and sizes for all later figures."""
    matplotlib.rcParams.update(STYLE)


def line_style(position):
    """Return the colour, line style and marker of the line at a position, as keywords."""
    cyclers = {"color": COLORS, "linestyle": LINESTYLES, "marker": MARKERS[: len(COLORS)]}
    return {key: next(islice(cycle(values), position, None)) for key, values in cyclers.items()}


def figure(alt, nrows=1, ncols=1, **kwargs):
    """Make a figure with a text alternative. It is not registered with pyplot.

    Parameters
    ----------
    alt : str
        What the numbers in the figure say, in words.
    nrows, ncols : int
        Rows and columns of axes.
    **kwargs
        Passed to `matplotlib.figure.Figure` (``figsize`` in inches, ...); ``sharex``, ``sharey``,
        ``squeeze``, ``width_ratios``, ``height_ratios``, ``subplot_kw`` and ``gridspec_kw`` are
        passed to `Figure.subplots`.

    Returns
    -------
    fig : matplotlib.figure.Figure
        Make it the last expression of a cell to show it.
    ax : matplotlib.axes.Axes or numpy.ndarray of Axes
        As `Figure.subplots` returns them.

    Raises
    ------
    ValueError
        If `alt` is empty.
    """
    _checked_alt(alt)
    subplots = {key: kwargs.pop(key) for key in SUBPLOT_ARGUMENTS if key in kwargs}
    kwargs.setdefault("layout", "constrained")
    kwargs.setdefault("figsize", (max(6.4, 4.0 * ncols), max(4.0, 3.0 * nrows)))
    with matplotlib.rc_context(STYLE):  # also right when the style was never set, or was lost
        fig = Figure(**kwargs)
        ax = fig.subplots(nrows, ncols, **subplots)
    return describe(fig, alt), ax


def describe(fig, alt):
    """Give a figure its text alternative, or change it. Works for figures of pyplot too.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    alt : str
        What the numbers in the figure say, in words.

    Returns
    -------
    matplotlib.figure.Figure
        The same figure.

    Raises
    ------
    ValueError
        If `alt` is empty.
    TypeError
        If `fig` is not a figure.
    """
    if not isinstance(fig, Figure):
        raise TypeError(f"fig must be a matplotlib Figure, got {type(fig).__name__}.")
    fig._transfer_lib_alt = _checked_alt(alt)
    # IPython asks an object for this method before any registered formatter, and the inline
    # backend, which removes registered formatters for Figure when pyplot is imported, leaves it.
    fig._ipython_display_ = partial(_show, fig)
    return fig


def alt_text(fig):
    """Return the text alternative of a figure; ``""`` when it has none."""
    return getattr(fig, "_transfer_lib_alt", "")


def to_png(fig, dpi=None):
    """Return the figure as PNG bytes. Figures drawn alike give the same bytes.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    dpi : float, optional
        Pixels per inch; the default is the figure's own.
    """
    buffer = io.BytesIO()
    # Without "Software" the bytes do not change with the version of matplotlib alone.
    fig.savefig(buffer, format="png", dpi=dpi or "figure", metadata={"Software": None})
    return buffer.getvalue()


def bundle(fig):
    """Return what a notebook shows for the figure: data and metadata by MIME type."""
    alt = alt_text(fig)
    data = {"image/png": to_png(fig), "text/plain": f"Figure: {alt}"}
    return data, {"image/png": {"alt": alt}}


def _show(fig):
    """Show the image, then the words that open on a click or a key press."""
    from IPython.display import display

    data, metadata = bundle(fig)
    if fig.canvas.manager is not None:  # a pyplot figure: the inline backend would show it again
        Gcf.destroy_fig(fig)
    display(data, metadata=metadata, raw=True)
    # No text/plain here: a terminal prints the words once.
    display({"text/html": words_html(alt_text(fig))}, raw=True)


def words_html(alt):
    """Return the text alternative as an HTML block that opens by keyboard or mouse."""
    return f"<details><summary>Figure in words</summary><p>{html.escape(alt)}</p></details>"


def _checked_alt(alt):
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(
            "alt is empty. Say in words what the numbers in the figure say: a screen reader reads "
            "this text, and it stands where the image cannot be shown."
        )
    return " ".join(alt.split())
