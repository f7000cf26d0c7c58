"""A figure that follows sliders; where widgets do not run, the figure at the starting values."""

import base64
import html
import struct

from transfer_lib.plots.style import WRONG, alt_text, bundle, to_png, words_html

VIEW = "application/vnd.jupyter.widget-view+json"
# Sliders and figure together fit a screen of 768 pixels. On Colab a vh is part of the output only.
FITTING = "max-width: 100%; max-height: max(400px, 50vh); width: auto; height: auto"


class Interactive:
    """A figure with controls. Made by :func:`interactive`; shown as the last value of a cell.

    A stored notebook shows ``fallback``, the figure at the starting values. ``box`` holds controls,
    image, its words, and the error of the last drawing.
    """

    def __init__(self, draw, controls, descriptions):
        import ipywidgets as widgets

        self.draw = draw
        self.controls = {
            name: _control(
                widgets, value, descriptions.get(name) or name.replace("_", " ").capitalize()
            )
            for name, value in controls.items()
        }
        self.fallback = draw(**self.values)  # an error here is the author's: it must not be hidden
        self.image, self.caption, self.message = (widgets.HTML() for _ in range(3))
        self._show(self.fallback)
        rows = widgets.Layout(flex_flow="row wrap")  # two sliders beside each other save height
        sliders = widgets.Box(list(self.controls.values()), layout=rows)
        self.box = widgets.VBox([sliders, self.message, self.image, self.caption])
        for control in self.controls.values():
            control.observe(self._update, names="value")

    @property
    def values(self):
        """The values now chosen, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _show(self, fig):
        self.image.value = picture(fig, FITTING)
        words = html.escape(alt_text(fig))
        self.caption.value = f'<p role="status">{words}</p>'  # read aloud when it changes

    def _update(self, _change):
        try:
            self._show(self.draw(**self.values))
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

        # One output: a front end takes the first form that it can show, so the static figure never
        # stands beside the live one. HTML, as JupyterLab drops the alternative of a PNG.
        data, metadata = bundle(self.fallback)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        words = words_html(alt_text(self.fallback))
        page = picture(self.fallback, "max-width: 100%; height: auto") + words
        display({VIEW: view, "text/html": page} | data, metadata=metadata, raw=True)


def interactive(draw, *, descriptions=None, **controls):
    """Let sliders choose what a figure shows.

    The controls are changed by mouse or keyboard; the figure is drawn when a control is let go.

    Parameters
    ----------
    draw : callable
        Called with one keyword per control; returns a figure. It must be quick: look up what was
        computed before, do not train.
    descriptions : dict of str to str, optional
        The words beside each control; the default is the argument's name.
    **controls
        ``(low, high)`` or ``(low, high, step)`` for a slider, a list or a dict of words to values
        for a slider over these, a bool for a box to tick, or a widget.
    """
    return Interactive(draw, controls, descriptions or {})


def picture(fig, style):
    """Return the figure as an ``<img>`` with its size, so that the page does not jump."""
    png = to_png(fig)
    width, height = struct.unpack(">II", png[16:24])
    return (
        f'<img alt="{html.escape(alt_text(fig))}" width="{width}" height="{height}" '
        f'style="{style}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
    )


def _control(widgets, value, description):
    """Return the widget of a control: labelled, wide enough, and quiet until it is let go."""
    if isinstance(value, dict | list):
        # Not a menu: JupyterLab takes the arrow keys of a focused menu to move to another cell.
        options = list(value.items()) if isinstance(value, dict) else value
        control = widgets.SelectionSlider(options=options)
    else:
        control = widgets.interactive.widget_from_abbrev(value)
    control.description = control.description or description
    control.style.description_width = "initial"
    control.layout.width = "34em"
    control.layout.max_width = "100%"
    if control.has_trait("continuous_update"):
        control.continuous_update = False
    return control
