"""Exercises: what is right, what is wrong and why, and what a learner is told.

An exercise is a function that judges an answer. It returns None or a remark when the answer is
right and raises :class:`Wrong`, with the words for that mistake, when it is not. Everything
else (answers not attempted, exceptions in the learner's code, endless loops, display, hints,
progress) is done here, once.
"""

import json
import sys
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from .. import show
from . import journal, world
from .attempt import untouched
from .guard import SHOWN, Guard, TimeLimit, learner_traceback, text_of
from .reading import HALF, LearnerError, NotAttempted, Notes, Wrong, describe, notes

TIME_LIMIT = 20.0
"""Seconds that one check may take."""

WHAT_ENDED_IT = {
    "SystemExit": "Your code called `exit`, which would end Python; return a value instead. ",
    "KeyboardInterrupt": "Your code raised what Ctrl-C raises. ",
    "GeneratorExit": "Your code raised what closes a generator. ",
    "CancelledError": "Your code raised what cancels a task. ",
}
"""Exceptions that a program does not expect, in words."""


class Outcome(StrEnum):
    """What came of an answer."""

    NOT_ATTEMPTED = "not attempted"
    ERROR = "your code raised an error"
    WRONG = "not yet"
    RIGHT = "right"


SHOWN_AS = {
    Outcome.NOT_ATTEMPTED: ("Not attempted yet.", show.GREY),
    Outcome.ERROR: ("Your code raised an error.", show.ORANGE),
    Outcome.WRONG: ("Not yet.", show.ORANGE),
    Outcome.RIGHT: ("Right.", show.GREEN),
}


@dataclass(frozen=True, repr=False)
class Verdict:
    """The outcome of one check and the words for it.

    Attributes
    ----------
    outcome : Outcome
    message : str
        One or two sentences.
    details : str
        Lines to show as they are, such as a traceback; may be empty.
    printed : tuple of str
        What the answer printed, and what it wrote to stderr; long output is cut.
    """

    outcome: Outcome
    message: str
    details: str = ""
    printed: tuple = ("", "")

    def note(self):
        """Return it as a `show.Note`."""
        title, colour = SHOWN_AS[self.outcome]
        return show.Note(title, self.message, self.details, colour)

    def __repr__(self):
        return repr(self.note())

    def _repr_html_(self):
        return self.note()._repr_html_()


class Exercise:
    """One exercise, with its check, hints and solution.

    Parameters
    ----------
    id : str
        Lesson number, a dot, the name of this object in its module: ``"03.total_loss"``.
    judge : callable
        Takes the answer (or answers), returns None or a remark, raises :class:`Wrong`.
    hints : sequence of str
        From a nudge to nearly the answer.
    task : str
        What is asked, in one line.
    """

    def __init__(self, id, judge, hints, task):
        self.id, self._judge, self.hints, self.task = id, judge, tuple(hints), task

    @property
    def name(self):
        """How a notebook calls it: ``ex.total_loss``."""
        return "ex." + self.id.split(".", 1)[1]

    def __repr__(self):
        return f"{self.name}: {self.task} ({self.name}.check(...), .hint(), .solution())"

    def judge(self, *answers) -> Verdict:
        """Return the verdict on an answer, without showing or recording it."""
        guard, kept = Guard(TIME_LIMIT), Notes()
        token = notes.set(kept)
        try:
            with world.undisturbed(), guard:
                verdict = self._verdict(answers)
        except TimeLimit:
            verdict = Verdict(
                Outcome.ERROR,
                f"Your code ran for more than {TIME_LIMIT:g} seconds, so the check stopped it. "
                "Look for a loop that never ends.",
            )
        except KeyboardInterrupt as error:
            if guard.interrupted:
                raise  # Ctrl-C, not the answer
            verdict = _error_of_learner(error)
        except BaseException as error:
            verdict = _error_of_learner(error)
        finally:
            notes.reset(token)
        added = dict.fromkeys(kept.remarks) if verdict.outcome is Outcome.RIGHT else []
        if kept.half and verdict.outcome is Outcome.WRONG:
            added = [HALF.format(kept.half)]
        message = " ".join([verdict.message, *added, *_much_printed(guard.output)]).strip()
        printed = tuple(stream.text for stream in guard.output)
        return Verdict(verdict.outcome, message, verdict.details, printed)

    def _verdict(self, answers):
        starter = answers_of_lessons().get(self.id, {}).get("starter", "")
        if any(untouched(answer, starter) for answer in answers):
            return self._not_attempted()
        try:
            remark = self._judge(*answers)
        except NotAttempted:
            return self._not_attempted()
        except Wrong as wrong:
            return Verdict(Outcome.WRONG, str(wrong) + self._where_help_is())
        except LearnerError as error:
            return _error_of_learner(error.__cause__)
        except Exception as error:
            return Verdict(
                Outcome.WRONG,
                f"The check could not read this answer, {describe(answers)}. "
                f"The task was: {self.task}",
                f"({type(error).__name__}: {text_of(error)})",
            )
        return Verdict(Outcome.RIGHT, remark or "")

    def check(self, *answers):
        """Judge an answer, show the verdict and record it in the progress file."""
        verdict = self.judge(*answers)
        journal.record(self.id, verdict.outcome)
        for stream, text in zip((sys.stdout, sys.stderr), verdict.printed, strict=True):
            if text:
                print(text.removesuffix("\n"), file=stream)
        show.show(verdict)

    def _not_attempted(self):
        told = f"{self.task} Replace the `...` and run the cell again.{self._where_help_is()}"
        return Verdict(Outcome.NOT_ATTEMPTED, told)

    def _where_help_is(self):
        return f" For help: `{self.name}.hint()`." if self.hints else ""

    def hint(self):
        """Show the next hint; after the last one, start again."""
        if not self.hints:
            show.show(show.Note("Hint.", "There are none here."))
            return
        step = journal.count_hint(self.id, len(self.hints))
        more = "" if step < len(self.hints) else f" The next step is {self.name}.solution()."
        title = f"Hint {step} of {len(self.hints)}."
        show.show(show.Note(title, self.hints[step - 1] + more))

    def solution(self):
        """Show the solution, the same text that the solution notebook holds."""
        journal.record_solution_shown(self.id)
        show.show(show.Note("Solution:", details=answer_text(self.id)["solution"]))


def exercise(id, hints=()):
    """Turn a judging function into an :class:`Exercise`; its first docstring line is the task."""

    def decorate(judge):
        task = (judge.__doc__ or "").strip().split("\n")[0]
        if not task:
            raise ValueError(f"exercise {id!r} needs a docstring that says what is asked")
        return Exercise(id, judge, hints, task)

    return decorate


@cache
def answers_of_lessons() -> dict:
    """Return starter and solution of each exercise, as the build took them from the lessons."""
    return json.loads((files("transfer_lib.exercises") / "answers.json").read_text("utf8"))


def answer_text(id) -> dict:
    """Return ``{"starter": ..., "solution": ...}`` for one exercise.

    Raises
    ------
    KeyError
        If the lessons have no such exercise.
    """
    if id not in answers_of_lessons():
        raise KeyError(f"no lesson has an exercise cell for {id!r}; run `make build`")
    return answers_of_lessons()[id]


def _error_of_learner(error):
    """Return the verdict on an exception of the learner's code."""
    words = WHAT_ENDED_IT.get(type(error).__name__, "")
    return Verdict(
        Outcome.ERROR,
        f"{words}The exception comes from your code, not from the check. Its last lines:",
        learner_traceback(error),
    )


def _much_printed(output):
    length = sum(stream.length for stream in output)
    if length > sum(len(stream.text) for stream in output):
        yield f"Your code printed {length:,} characters; the first {SHOWN:,} are shown."
