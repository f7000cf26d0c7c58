"""Exercises: what is right, what is wrong and why, and what a learner is told.

An exercise is a function that judges an answer. It returns None or a remark when the answer is
right and raises :class:`Wrong`, with the words for that mistake, when it is not. Everything
else (answers not attempted, exceptions in the learner's code, endless loops, display, hints,
progress) is done here, once.
"""

import json
import types
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from transfer_lib.guard import TimeLimit, learner_traceback, time_limit

TIME_LIMIT = 20.0
"""Seconds that one check may take."""


class Outcome(StrEnum):
    """What came of an answer."""

    NOT_ATTEMPTED = "not attempted"
    ERROR = "your code raised an error"
    WRONG = "not yet"
    RIGHT = "right"


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
    """

    outcome: Outcome
    message: str
    details: str = ""

    def __repr__(self):
        from transfer_lib import feedback

        return repr(feedback.verdict_note(self))

    def _repr_html_(self):
        from transfer_lib import feedback

        return feedback.verdict_note(self)._repr_html_()


class Wrong(Exception):
    """The answer is wrong; the message is what the learner reads."""


class NotAttempted(Exception):
    """The answer still holds an ``...`` that the learner has to replace."""


class LearnerError(Exception):
    """The learner's own code raised; the cause is in ``__cause__``."""


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
        if any(_untouched(answer, self.id) for answer in answers):
            return _not_attempted(self)
        try:
            with time_limit(TIME_LIMIT):
                remark = self._judge(*answers)
        except NotAttempted:
            return _not_attempted(self)
        except Wrong as wrong:
            return Verdict(Outcome.WRONG, str(wrong) + self._where_help_is())
        except LearnerError as error:
            return Verdict(
                Outcome.ERROR,
                "The exception comes from your code, not from the check. Its last lines:",
                learner_traceback(error.__cause__),
            )
        except TimeLimit:
            return Verdict(
                Outcome.ERROR,
                f"Your code ran for more than {TIME_LIMIT:g} seconds, so the check stopped it. "
                "Look for a loop that never ends.",
            )
        except Exception as error:
            return Verdict(
                Outcome.WRONG,
                f"The check could not read this answer, {_describe(answers)}. "
                f"The task was: {self.task}",
                f"({type(error).__name__}: {error})",
            )
        return Verdict(Outcome.RIGHT, remark or "")

    def check(self, *answers):
        """Judge an answer, show the verdict and record it in the progress file."""
        from transfer_lib import feedback, progress

        verdict = self.judge(*answers)
        progress.record(self.id, verdict.outcome)
        feedback.show(verdict)

    def _where_help_is(self):
        return f" For help: `{self.name}.hint()`." if self.hints else ""

    def hint(self):
        """Show the next hint; after the last one, start again."""
        from transfer_lib import feedback, progress

        if not self.hints:
            feedback.show(feedback.Note("Hint.", "There are none here."))
            return
        step = progress.count_hint(self.id, len(self.hints))
        more = "" if step < len(self.hints) else f" The next step is {self.name}.solution()."
        title = f"Hint {step} of {len(self.hints)}."
        feedback.show(feedback.Note(title, self.hints[step - 1] + more))

    def solution(self):
        """Show the solution, the same text that the solution notebook holds."""
        from transfer_lib import feedback, progress

        progress.record_solution_shown(self.id)
        feedback.show(feedback.Note("Solution:", details=answer_text(self.id)["solution"]))


def exercise(id, hints=()):
    """Turn a judging function into an :class:`Exercise`; its first docstring line is the task."""

    def decorate(judge):
        task = (judge.__doc__ or "").strip().split("\n")[0]
        if not task:
            raise ValueError(f"exercise {id!r} needs a docstring that says what is asked")
        return Exercise(id, judge, hints, task)

    return decorate


# What a judging function uses to read an answer.


def call(function, *args, may_return_none=False, **kwargs):
    """Call a learner's function; its exceptions are marked as the learner's own.

    Parameters
    ----------
    function : callable
    may_return_none : bool
        False when a missing ``return`` is the likely reason for None.

    Raises
    ------
    Wrong
        If it is no function, takes other arguments, or returns None.
    NotAttempted
        If it returns ``...``.
    LearnerError
        If it raises.
    """
    import inspect

    if not callable(function):
        raise Wrong(
            f"Give the check the function itself, without brackets; this is {_describe(function)}."
        )
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise Wrong(
            f"Keep the arguments as they were: the check calls {_name(function)} with "
            f"{len(args) + len(kwargs)} ({error})."
        ) from None
    except ValueError:  # a builtin without a signature: just call it
        pass
    try:
        value = function(*args, **kwargs)
    except Exception as error:
        raise LearnerError() from error
    if value is ...:
        raise NotAttempted()
    if value is None and not may_return_none:
        raise Wrong(f"{_name(function)} returned None. Does it end with `return ...`?")
    return value


def array(value, what="the answer"):
    """Return an answer as a NumPy array of float64, whatever library it came from.

    Accepts numbers, nested lists, NumPy arrays, pandas objects and tensors of torch, JAX and
    TensorFlow, on any device, with or without gradient.

    Raises
    ------
    Wrong
        If it is not made of numbers.
    """
    import numpy as np

    try:
        for method in ("detach", "cpu", "numpy"):  # torch needs all three; others have the last
            if hasattr(value, method):
                value = getattr(value, method)()
        if isinstance(value, (list, tuple)):
            value = [array(item, what) for item in value]
        result = np.asarray(value)
        if result.dtype.kind not in "biuf":
            raise TypeError
        return result.astype(np.float64)
    except Wrong:
        raise
    except Exception:
        raise Wrong(f"Expected numbers for {what}; this is {_describe(value)}.") from None


def number(value, what="the answer"):
    """Return an answer that is one number as a float.

    Raises
    ------
    Wrong
        If it is not one number.
    """
    import numpy as np

    result = array(value, what)
    if result.size != 1:
        raise Wrong(f"Expected one number for {what}; this has the shape {result.shape}.")
    result = float(result.reshape(()))
    if np.isnan(result):
        raise Wrong(f"{what[0].upper()}{what[1:]} is NaN (not a number).")
    return result


def close(value, expected, rtol=1e-4, atol=1e-6):
    """Return True when two numbers or arrays have one shape and agree within the tolerance."""
    import numpy as np

    value, expected = np.asarray(value, dtype=float), np.asarray(expected, dtype=float)
    return value.shape == expected.shape and bool(np.allclose(value, expected, rtol, atol))


@cache
def answers() -> dict:
    """Return starter and solution of each exercise, as the build took them from the lessons."""
    return json.loads((files("transfer_lib.exercises") / "answers.json").read_text("utf8"))


def answer_text(id) -> dict:
    """Return ``{"starter": ..., "solution": ...}`` for one exercise.

    Raises
    ------
    KeyError
        If the lessons have no such exercise.
    """
    if id not in answers():
        raise KeyError(f"no lesson has an exercise cell for {id!r}; run `make build`")
    return answers()[id]


# Has the learner started?


def _not_attempted(exercise):
    return Verdict(
        Outcome.NOT_ATTEMPTED,
        f"{exercise.task} Replace the `...` and run the cell again.{exercise._where_help_is()}",
    )


def _untouched(answer, id):
    """Return True for ``...``, for a collection with one in it, and for an untouched function."""
    if answer is ...:
        return True
    if isinstance(answer, (list, tuple)):
        return any(item is ... for item in answer)
    if isinstance(answer, dict):
        return any(item is ... for item in answer.values())
    if isinstance(answer, types.FunctionType):
        code = answer.__code__
        starter = _functions_of(answers().get(id, {}).get("starter", "")).get(code.co_name)
        return _does_nothing(code) or (starter is not None and _same_code(code, starter))
    return False


def _does_nothing(code):
    """Return True for a body of only a docstring, ``...`` or ``pass``."""
    import dis

    names = {step.opname for step in dis.get_instructions(code)}
    harmless = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "CACHE"}
    returned = [c for c in code.co_consts if c is not None and c is not ...]
    only_docstring = all(isinstance(c, str) for c in returned)
    return names <= harmless and only_docstring and not _returns_text(code)


def _returns_text(code):
    import dis

    steps = [s for s in dis.get_instructions(code) if s.opname in ("LOAD_CONST", "RETURN_CONST")]
    return bool(steps) and isinstance(steps[-1].argval, str)


@cache
def _functions_of(source):
    try:
        module = compile(source, "<starter>", "exec")
    except SyntaxError:
        return {}
    return {c.co_name: c for c in module.co_consts if isinstance(c, types.CodeType)}


def _same_code(one, other):
    def parts(code):
        constants = [parts(c) if isinstance(c, types.CodeType) else c for c in code.co_consts]
        return code.co_code, code.co_names, code.co_varnames, constants

    return parts(one) == parts(other)


def _name(function):
    return f"`{getattr(function, '__name__', 'the function')}`"


def _describe(value):
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"a {kind} of shape {tuple(shape)}"
    text = repr(value)
    return f"a {kind}: {text if len(text) <= 60 else text[:57] + '...'}"
