"""The lessons of the course: one table that the set-up, the lesson map and the README share.

The build writes it from the first cell of each source, into ``exercises/lessons.json``.
"""

import json
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    number : str
        Two characters, ``"03"``; the appendix is ``"A1"``.
    name : str
        The file name without its ending, ``"03_digits"``.
    title : str
        The title in words.
    minutes : int
        Time to work through its required path, exercises included.
    optional : int
        Time for the sections that are marked optional.
    engine : str
        What it computes with: ``"none"``, ``"keras"`` or ``"torch"`` (with transformers).
    needs : str
        What to know before it.
    """

    number: str
    name: str
    title: str
    minutes: int
    optional: int
    engine: str
    needs: str

    @property
    def time(self) -> str:
        """Minutes in words: ``"45"``, or ``"45 + 20"`` with optional sections."""
        return f"{self.minutes} + {self.optional}" if self.optional else str(self.minutes)


LESSONS = tuple(
    Lesson(**row)
    for row in json.loads((files("transfer_lib.exercises") / "lessons.json").read_text("utf8"))
)


def get(number: str) -> Lesson:
    """Return the lesson with this number.

    Raises
    ------
    KeyError
        If there is no such lesson; the message lists those that there are.
    """
    for lesson in LESSONS:
        if number in (lesson.number, lesson.name):
            return lesson
    known = ", ".join(lesson.number for lesson in LESSONS)
    raise KeyError(f"there is no lesson {number!r}; the lessons are {known}")
