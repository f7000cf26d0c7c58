"""Claims: what a lesson's prose concludes, its bound, and what was measured.

``claim("03.gain-1")`` shows one line: the sentence, what `evidence/` measured on fresh seeds, and
the bound. The numbers come from ``exercises/claims.json``, the packaged copy of
``evidence/results.json``.
"""

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .show import BLUE, ORANGE, Note, show

NUMBER = r"[-+]?\d+(?:\.\d+)?"
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


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


def claim(id):
    """Show a claim: its sentence, what `evidence/` measured on fresh seeds, and its bound.

    Parameters
    ----------
    id : str
        Lesson number, a dot, a name: ``"03.gain-1"``; `KeyError` if nothing is stored for it.
    """
    if id not in stored():
        raise KeyError(f"nothing is measured for the claim {id!r}; run `make claims`")
    row = stored()[id]
    bound, values = Bound.parse(row["bound"]), row["values"]
    unit = f" {bound.unit}" if bound.unit else ""
    number = COUNTS[len(values)] if len(values) < len(COUNTS) else len(values)
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    span = low if low == high else f"{low} to {high}"
    measured = f"Over {number} fresh seeds: {span}{unit} (bound: {bound})."
    show(Note(row["text"], measured, colour=BLUE if all(map(bound.holds, values)) else ORANGE))


@cache
def stored() -> dict:
    """Return the stored measurements: id to a row with ``text``, ``bound`` and ``values``."""
    rows = json.loads((files("transfer_lib.exercises") / "claims.json").read_text("utf8"))
    return {row["id"]: row for row in rows}
