"""Claims: what a lesson's prose concludes, its bound, and what was measured.

``claim("03.gain-1")`` shows one line: the sentence, what `evidence/` measured on fresh seeds, and
the bound. The numbers come from ``exercises/claims.json``, the packaged copy of
``evidence/results.json``. The longer form measures in the lesson's own run.
"""

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from . import settings
from .show import BLUE, ORANGE, Note, show

NUMBER = r"[-+]?\d+(?:\.\d+)?"
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class ClaimError(AssertionError):
    """A claim of a lesson does not hold in this run."""


@dataclass(frozen=True)
class Bound:
    """Where a measured value has to lie.

    Attributes
    ----------
    low, high : float
        Infinite where there is no limit.
    unit : str
        For instance ``"points"``; may be empty.
    """

    low: float
    high: float
    unit: str = ""

    @classmethod
    def parse(cls, text):
        """Read ``">= 10 points"``, ``"<= 3 %"`` or ``"-2 .. 2 points"``.

        Raises
        ------
        ValueError
            If the text has another form, or nothing lies between the limits.
        """
        one = re.fullmatch(rf"(>=|<=)\s*({NUMBER})\s*([^\d.]*)", text.strip())
        two = re.fullmatch(rf"({NUMBER})\s*\.\.\s*({NUMBER})\s*([^\d.]*)", text.strip())
        if one:
            sign, limit, unit = one.groups()
            low, high = (limit, math.inf) if sign == ">=" else (-math.inf, limit)
        elif two:
            low, high, unit = two.groups()
        if not (one or two) or float(low) > float(high):
            raise ValueError(
                f"{text!r} is no bound; write '>= 10 points', '<= 3 %' or '-2 .. 2 points'"
            )
        return cls(float(low), float(high), unit.strip())

    def holds(self, value) -> bool:
        """Return True when the value lies within the bound, the limits included."""
        return self.low <= value <= self.high

    def __str__(self):
        unit = f" {self.unit}" if self.unit else ""
        if self.high == math.inf:
            return f"at least {self.low:g}{unit}"
        if self.low == -math.inf:
            return f"at most {self.high:g}{unit}"
        return f"from {self.low:g} to {self.high:g}{unit}"


def claim(id, text=None, value=None, *, at_least=None, at_most=None, between=None, unit=""):
    """Show what is claimed and what was measured.

    Parameters
    ----------
    id : str
        Lesson number, a dot, a name: ``"03.gain-1"``. Alone, it shows the stored measurement;
        `KeyError` if there is none.
    text, value, unit
        The older form: a sentence, and what this run measured, in `unit`. With
        ``TRANSFER_LIB_CLAIMS`` set, one JSON line is appended to that file.
    at_least, at_most, between
        The bound in `unit`, exactly one of them, else `ValueError`. Under tests
        (``TRANSFER_LIB_STRICT=1``) a value outside raises `ClaimError`.
    """
    if text is None:
        show(_stored_line(id))
        return
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
    bound = Bound(low, high, unit)
    holds = bound.holds(value)

    path = settings.claims_file()
    if path:
        row = {"id": id, "text": text, "value": value, "bound": str(bound), "holds": holds}
        with path.open("a", encoding="utf8") as file:
            file.write(json.dumps(row | {"seed": settings.seed()}) + "\n")
    show(_measured_now(text, value, bound, holds))
    if not holds and settings.strict() and not path:
        raise ClaimError(f"{id}: {text} Measured {value:.4g}, bound {bound}.")


@cache
def stored() -> dict:
    """Return the stored measurements: id to a row with ``text``, ``bound`` and ``values``."""
    rows = json.loads((files("transfer_lib.exercises") / "claims.json").read_text("utf8"))
    return {row["id"]: row for row in rows}


def _stored_line(id):
    if id not in stored():
        raise KeyError(f"nothing is measured for the claim {id!r}; run `make claims`")
    row = stored()[id]
    bound, values = Bound.parse(row["bound"]), row["values"]
    unit = f" {bound.unit}" if bound.unit else ""
    number = COUNTS[len(values)] if len(values) < len(COUNTS) else len(values)
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    span = low if low == high else f"{low} to {high}"
    measured = f"Over {number} fresh seeds: {span}{unit} (bound: {bound})."
    return Note(row["text"], measured, colour=_colour(all(map(bound.holds, values))))


def _measured_now(text, value, bound, holds):
    unit = f" {bound.unit}" if bound.unit else ""
    verdict = (
        "It holds in this run."
        if holds
        else "It does not hold in this run. Small samples vary: try another seed, and tell us "
        "if it keeps failing."
    )
    measured = f"Measured in this run: {value:.3g}{unit} (bound: {bound}). {verdict}"
    return Note(f"Claim: {text}", measured, colour=_colour(holds))


def _colour(holds):
    return BLUE if holds else ORANGE
