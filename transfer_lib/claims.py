"""Claims: what a lesson's prose concludes, with a bound, checked on every run."""

import html
import json
import math

from transfer_lib import settings
from transfer_lib.feedback import show


class ClaimError(AssertionError):
    """A claim of a lesson does not hold in this run."""


def claim(id, text, value, *, at_least=None, at_most=None, between=None, unit=""):
    """Show what was claimed and what this run measured.

    Under tests (``TRANSFER_LIB_STRICT=1``) a claim that fails raises. With
    ``TRANSFER_LIB_CLAIMS`` set, the claim is appended to that file as one JSON line instead,
    so that a run over several seeds records all of them.

    Parameters
    ----------
    id : str
        Lesson number, a dot, a name: ``"03.transfer-5"``.
    text : str
        The claim, in one sentence.
    value : float
        What this run measured, in ``unit``.
    at_least, at_most : float, optional
        The bound, in ``unit``. Exactly one of these and ``between`` is given.
    between : tuple of float, optional
        Lower and upper bound, in ``unit``.
    unit : str, optional
        For instance ``"points"``.

    Raises
    ------
    ValueError
        If the bound is missing, given twice, or the value is not a finite number.
    ClaimError
        Under tests, if the claim does not hold.
    """
    bounds = {"at_least": at_least, "at_most": at_most, "between": between}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if len(given) != 1:
        raise ValueError(
            f"claim {id!r} needs exactly one of at_least, at_most and between; it has "
            f"{', '.join(given) or 'none'}"
        )
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"claim {id!r} measured {value}; expected a finite number")
    low = between[0] if between else (at_least if at_least is not None else -math.inf)
    high = between[1] if between else (at_most if at_most is not None else math.inf)
    shown = _Shown(text, value, _words(low, high, unit), low <= value <= high, unit)

    path = settings.claims_file()
    if path:
        row = {
            "id": id,
            "text": text,
            "value": value,
            "bound": shown.bound,
            "holds": shown.holds,
            "seed": settings.seed(),
        }
        with path.open("a", encoding="utf8") as file:
            file.write(json.dumps(row) + "\n")
    show(shown)
    if not shown.holds and settings.strict() and not path:
        raise ClaimError(f"{id}: {text} Measured {value:.4g}, bound {shown.bound}.")


class _Shown:
    """A claim as a learner sees it."""

    def __init__(self, text, value, bound, holds, unit):
        self.text, self.value, self.bound, self.holds, self.unit = text, value, bound, holds, unit

    def _lines(self):
        unit = f" {self.unit}" if self.unit else ""
        verdict = (
            "It holds in this run."
            if self.holds
            else "It does not hold in this run. Small samples vary: try another seed, and tell us "
            "if it keeps failing."
        )
        return (
            f"Claim: {self.text}",
            f"Measured in this run: {self.value:.3g}{unit} (bound: {self.bound}). {verdict}",
        )

    def __repr__(self):
        return "\n".join(self._lines())

    def _repr_html_(self):
        first, second = (html.escape(line) for line in self._lines())
        colour = "#0072b2" if self.holds else "#d55e00"
        return (
            f'<div style="border-left:4px solid {colour};padding:.2em .8em;margin:.4em 0">'
            f"<strong>{first}</strong><br>{second}</div>"
        )


def _words(low, high, unit):
    unit = f" {unit}" if unit else ""
    if high == math.inf:
        return f"at least {low:g}{unit}"
    if low == -math.inf:
        return f"at most {high:g}{unit}"
    return f"from {low:g} to {high:g}{unit}"
