"""How verdicts, hints and solutions look: HTML in notebooks, plain text elsewhere."""

import html
import re

from transfer_lib.checking import Outcome

# Shown as a bar at the left; the outcome itself is always said in words.
COLOURS = {
    Outcome.NOT_ATTEMPTED: "#767676",
    Outcome.ERROR: "#b35900",
    Outcome.WRONG: "#b35900",
    Outcome.RIGHT: "#007a5e",
}
TITLES = {
    Outcome.NOT_ATTEMPTED: "Not attempted yet.",
    Outcome.ERROR: "Your code raised an error.",
    Outcome.WRONG: "Not yet.",
    Outcome.RIGHT: "Right.",
}


class Note:
    """A short message with a title, and lines that are shown as they are."""

    def __init__(self, title, message="", details="", colour="#767676"):
        self.title, self.message, self.details, self.colour = title, message, details, colour

    def __repr__(self):
        parts = [f"{self.title} {self.message}".strip(), self.details]
        return "\n".join(part for part in parts if part)

    def _repr_html_(self):
        details = f"<pre>{html.escape(self.details)}</pre>" if self.details else ""
        return (
            f'<div role="status" style="border-left:4px solid {self.colour};'
            f'padding:.2em .8em;margin:.4em 0"><strong>{html.escape(self.title)}</strong> '
            f"{code_spans(self.message)}{details}</div>"
        )


def code_spans(text):
    """Return text as HTML, with `backticks` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def verdict_note(verdict):
    """Return the note for a verdict."""
    outcome = verdict.outcome
    return Note(TITLES[outcome], verdict.message, verdict.details, COLOURS[outcome])


def show(thing):
    """Display a verdict, a note or a figure."""
    from IPython.display import display

    display(thing)


def show_widget(widget, fallback):
    """Display a widget; where widgets do not run, ``fallback`` is shown as text.

    A notebook that is stored, printed or shown on a code host holds the fallback instead of
    the widget's own unreadable description.
    """
    from IPython.display import display

    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    display({"application/vnd.jupyter.widget-view+json": view, "text/plain": fallback}, raw=True)
