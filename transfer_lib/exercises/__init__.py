"""The exercises of each lesson. The lessons' sources hold the answers.

``of("03")`` returns those of one lesson, in its order: the judging code is in ``lesson_03.py``, the
questions are in ``questions_03.toml``.
"""

import difflib
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec

from ..practice import Exercise, journal
from ..practice.exercise import answers_of_lessons
from ..practice.question import read_questions
from ..show import Table


class Exercises:
    """The exercises and questions of one lesson: ``ex.total_loss.check(...)``.

    Each is an attribute; ``vars(ex)`` has them in the lesson's order.
    """

    def __init__(self, items):
        self.__dict__.update(items)

    def __getattr__(self, name):
        near = difflib.get_close_matches(name, self.__dict__, 1)
        hint = f"did you mean ex.{near[0]}?" if near else f"there are {', '.join(self.__dict__)}"
        raise AttributeError(f"this lesson has no exercise {name!r}; {hint}")

    def __repr__(self):
        return "\n".join(f"{item.name}: {item.task}" for item in self.__dict__.values())

    def before(self, *names):
        """Ask questions before the lesson. They are judged when the lesson asks them again."""
        for name in names:
            getattr(self, name).guess()

    def help(self):
        """Return how to use them."""
        return Table(
            "Exercises and questions",
            [
                ("`ex.NAME.check(answer)`", "is it right, and if not, why"),
                ("`ex.NAME.hint()`", "the next hint"),
                ("`ex.NAME.solution()`", "the solution"),
                ("`ex.NAME.ask(...)`", "a question; click, or give a letter for the dots"),
            ],
        )

    def progress(self, title):
        """Return the table of what is solved and what is not."""
        kept = journal.load()
        rows = [kept.get(item.id, journal.EMPTY) for item in self.__dict__.values()]
        solved = sum(row["outcome"] == "right" for row in rows)
        return Table(
            f"{title}: {solved} of {len(rows)} exercises right",
            [
                (f"`{item.name}`", item.task, journal.words(row))
                for item, row in zip(self.__dict__.values(), rows, strict=True)
            ],
        )


def of(number: str) -> Exercises:
    """Return the exercises and questions of a lesson, in the order of its cells.

    An exercise that no cell of the lesson has yet comes last.
    """
    module = f"{__name__}.lesson_{number}"
    found = vars(import_module(module)) if find_spec(module) else {}
    items = {name: item for name, item in found.items() if isinstance(item, Exercise)}
    items |= read_questions(files(__name__) / f"questions_{number}.toml", number)
    order = [id for id in answers_of_lessons() if id.startswith(f"{number}.")]
    last = len(order)

    def place(item):
        return order.index(item.id) if item.id in order else last

    return Exercises({item.id.split(".")[1]: item for item in sorted(items.values(), key=place)})
