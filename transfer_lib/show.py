"""How the course shows things: HTML in notebooks, plain text elsewhere, always in words."""

import html
import re

GREY, ORANGE, GREEN, BLUE = "#767676", "#b35900", "#007a5e", "#0072b2"
"""The colours of a note's bar. The words alone say the same."""


class Note:
    """A short message with a title, and lines that are shown as they are."""

    def __init__(self, title, message="", details="", colour=GREY):
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


class Table:
    """Rows of short texts under a title; `backticks` in them are code."""

    def __init__(self, title, rows):
        self.title, self.rows = title, [tuple(row) for row in rows]

    def __repr__(self):
        rows = [[cell.replace("`", "") for cell in row] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [self.title]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  " + "  ".join(cells).rstrip())
        return "\n".join(lines)

    def _repr_html_(self):
        left = 'style="text-align:left"'
        rows = "".join(
            f"<tr>{''.join(f'<td {left}>{code_spans(cell)}</td>' for cell in row)}</tr>"
            for row in self.rows
        )
        return f"<table><caption>{html.escape(self.title)}</caption>{rows}</table>"


def code_spans(text):
    """Return text as HTML, with `backticks` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def show(thing):
    """Display a note, a table or anything else that a notebook can."""
    from IPython.display import display

    display(thing)


def show_widget(widget, fallback, page=None):
    """Display a widget; where widgets do not run, ``fallback`` is shown as text, or `page` as HTML.

    A notebook that is stored, printed or shown on a code host holds the fallback instead of
    the widget's own unreadable description.
    """
    from IPython.display import display

    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    stored = {"text/html": page} if page else {}
    stored |= {"application/vnd.jupyter.widget-view+json": view, "text/plain": fallback}
    display(stored, raw=True)
