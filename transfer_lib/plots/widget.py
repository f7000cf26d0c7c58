"""A figure that follows sliders, with a static figure where widgets do not run."""

import base64
import html
import struct

from matplotlib.figure import Figure

from transfer_lib.plots.style import WRONG, alt_text, describe, to_png


class Interactive:
    """A figure with controls. Made by :func:`interactive`; shown as the last value of a cell.

    Attributes
    ----------
    controls : dict of str to ipywidgets widget
        By the name of draw's argument.
    fallback : matplotlib.figure.Figure
        The figure at the starting values, with its text alternative; shown above the controls.
    image : ipywidgets.HTML
        The figure at the values now chosen: an ``<img>`` with its ``alt``. (`ipywidgets.Image`
        cannot have one; with a tooltip instead, ipywidgets 8.1 fails to show it.)
    caption, message : ipywidgets.HTML
        Its text alternative, and the error of the last drawing, if there was one.
    box : ipywidgets.VBox
        All of it.
    """

    def __init__(self, draw, controls, descriptions):
        import ipywidgets as widgets

        self.draw = draw
        self.controls = {
            name: _control(widgets, name, value, descriptions.get(name))
            for name, value in controls.items()
        }
        self.fallback = self._draw()  # an error here is the author's: it must not be hidden
        self.image = widgets.HTML()
        self.caption = widgets.HTML()
        self.message = widgets.HTML()
        self._show(self.fallback)
        self.box = widgets.VBox([*self.controls.values(), self.message, self.image, self.caption])
        for control in self.controls.values():
            control.observe(self._update, names="value")

    @property
    def values(self):
        """The values now chosen, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _draw(self):
        fig = self.draw(**self.values)
        if not isinstance(fig, Figure):
            raise TypeError(f"draw must return a matplotlib Figure, got {type(fig).__name__}.")
        return describe(fig, alt_text(fig))  # raises, with the reason, when there is no text

    def _show(self, fig):
        png, words = to_png(fig), html.escape(alt_text(fig))
        width, height = struct.unpack(">II", png[16:24])  # so that the page does not jump
        self.image.value = (
            f'<img alt="{words}" width="{width}" height="{height}" '
            'style="max-width: 100%; height: auto" '
            f'src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        )
        self.caption.value = f'<p role="status">{words}</p>'  # read aloud when it changes

    def _update(self, _change):
        try:
            self._show(self._draw())
        except Exception as error:  # a widget's callback has nowhere to raise to
            chosen = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
            words = f"draw({chosen}) raised {type(error).__name__}: {error}"
            self.message.value = (
                f'<p role="alert" style="color: {WRONG}; background: white">{html.escape(words)}'
                "<br>The figure below is from the last values that could be drawn.</p>"
            )
        else:
            self.message.value = ""

    def _ipython_display_(self):
        from IPython.display import display

        display(self.fallback)
        display(self.box)


def interactive(draw, *, descriptions=None, **controls):
    """Let sliders choose what a figure shows.

    The controls are changed by mouse or keyboard; the figure is drawn when a control is let go.
    The figure at the starting values is shown above them, for where widgets do not run.

    Parameters
    ----------
    draw : callable
        Called with one keyword per control; returns a figure with a text alternative. It must be
        quick: look up what was computed before, do not train.
    descriptions : dict of str to str, optional
        The words beside each control; the default is the argument's name.
    **controls
        ``(low, high)`` or ``(low, high, step)`` for a slider, a list or a dict of words to values
        for a slider over these, a bool for a box to tick, or a widget. Left and right arrow keys
        move a slider; prefer one to a `Dropdown`, whose arrow keys JupyterLab keeps for itself.

    Returns
    -------
    Interactive
        Make it the last expression of a cell to show it.

    Raises
    ------
    TypeError
        If `draw` is not callable or returns no figure.
    ValueError
        If there is no control, one cannot be made from its value, or the figure has no text.
    """
    if not callable(draw):
        raise TypeError("draw must be a function that returns a figure.")
    if not controls:
        raise ValueError("interactive() needs at least one control, as in frozen=(0, 5).")
    descriptions = descriptions or {}
    unknown = sorted(set(descriptions) - set(controls))
    if unknown:
        raise ValueError(f"descriptions names {unknown}, but the controls are {list(controls)}.")
    return Interactive(draw, controls, descriptions)


def _control(widgets, name, value, description):
    """Return the widget of a control: labelled, wide enough, and quiet until it is let go."""
    try:
        if isinstance(value, dict | list):
            # Not a menu: JupyterLab takes a menu's arrow keys to move to another cell.
            options = list(value.items()) if isinstance(value, dict) else value
            control = widgets.SelectionSlider(options=options)
        else:
            control = widgets.interactive.widget_from_abbrev(value)
    except Exception as error:  # an empty list, a tuple of the wrong length
        raise ValueError(f"no control can be made for {name} from {value!r}: {error}") from error
    if not isinstance(control, widgets.ValueWidget):
        raise ValueError(
            f"no control can be made for {name} from {value!r}. Give a widget, (low, high), "
            "a list, a dict or a bool."
        )
    control.description = description or control.description or _words(name)
    control.style.description_width = "initial"
    control.layout.width = "34em"
    control.layout.max_width = "100%"
    if control.has_trait("continuous_update"):
        control.continuous_update = False
    return control


def _words(name):
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
