"""Exercises: what is right, what is wrong and why, and what a learner is told.

An exercise is a function that judges an answer. It returns None or a remark when the answer is
right and raises :class:`Wrong`, with the words for that mistake, when it is not. Everything
else (answers not attempted, exceptions in the learner's code, endless loops, display, hints,
progress) is done here, once.
"""

import json
import sys
import types
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from transfer_lib import world
from transfer_lib.guard import SHOWN, Guard, TimeLimit, learner_traceback, text_of

TIME_LIMIT = 20.0
"""Seconds that one check may take."""

WHAT_ENDED_IT = {
    "SystemExit": "Your code called `exit`, which would end Python; return a value instead. ",
    "KeyboardInterrupt": "Your code raised what Ctrl-C raises. ",
    "GeneratorExit": "Your code raised what closes a generator. ",
    "CancelledError": "Your code raised what cancels a task. ",
}
"""Exceptions that a program does not expect, in words."""

CHANGED = (
    "Your function also changed its argument `{}`, and with it the caller's data: work on a copy."
)


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
    printed : tuple of str
        What the answer printed, and what it wrote to stderr; long output is cut.
    """

    outcome: Outcome
    message: str
    details: str = ""
    printed: tuple = ("", "")

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


class _Notes:
    """What :func:`call` leaves for the verdict of the check that it runs in."""

    def __init__(self):
        self.remarks, self.copies = [], []


_notes = ContextVar("notes")


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
        guard, notes = Guard(TIME_LIMIT), _Notes()
        token = _notes.set(notes)
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
            _notes.reset(token)
        added = dict.fromkeys(notes.remarks) if verdict.outcome is Outcome.RIGHT else []
        message = " ".join([verdict.message, *added, *_much_printed(guard.output)]).strip()
        printed = tuple(stream.text for stream in guard.output)
        return Verdict(verdict.outcome, message, verdict.details, printed)

    def _verdict(self, answers):
        if any(_untouched(answer, self.id) for answer in answers):
            return _not_attempted(self)
        try:
            remark = self._judge(*answers)
        except NotAttempted:
            return _not_attempted(self)
        except Wrong as wrong:
            return Verdict(Outcome.WRONG, str(wrong) + self._where_help_is())
        except LearnerError as error:
            return _error_of_learner(error.__cause__)
        except Exception as error:
            return Verdict(
                Outcome.WRONG,
                f"The check could not read this answer, {_describe(answers)}. "
                f"The task was: {self.task}",
                f"({type(error).__name__}: {text_of(error)})",
            )
        return Verdict(Outcome.RIGHT, remark or "")

    def check(self, *answers):
        """Judge an answer, show the verdict and record it in the progress file."""
        from transfer_lib import feedback, progress

        verdict = self.judge(*answers)
        progress.record(self.id, verdict.outcome)
        for stream, text in zip((sys.stdout, sys.stderr), verdict.printed, strict=True):
            if text:
                print(text.removesuffix("\n"), file=stream)
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


def call(function, *args, may_return_none=False, mutation="remark", **kwargs):
    """Call a learner's function; its exceptions are marked as the learner's own.

    It gets copies of arrays, and of lists, tuples, dicts and sets with what is in them, so the
    caller's own stay as they are. Models, layers and tensors with a gradient are passed on.

    Parameters
    ----------
    function : callable
    may_return_none : bool
        False when a missing ``return`` is the likely reason for None.
    mutation : str
        What a change of these copies is: a ``"remark"`` added to the verdict, ``"allowed"``,
        or a mistake; then these are its words.

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
    given, given_by_name = copied(args), copied(kwargs)
    notes = _notes.get(None) or _Notes()
    notes.copies.append((given, given_by_name))  # so that no later one gets the `id` of these
    names = [str(i) for i in range(1, len(args) + 1)]
    try:
        signature = inspect.signature(function)
        signature.bind(*given, **given_by_name)
        named = [n for n, p in signature.parameters.items() if p.kind < p.VAR_POSITIONAL]
        names = [*named[: len(args)], *names[len(named) :]]
    except TypeError as error:
        raise Wrong(
            f"Keep the arguments as they were: the check calls {_name(function)} with "
            f"{len(args) + len(kwargs)} ({text_of(error)})."
        ) from None
    except ValueError:  # a builtin without a signature: just call it
        pass
    try:
        value = function(*given, **given_by_name)
    except (TimeLimit, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise LearnerError() from error
    if mutation != "allowed":
        pairs = zip([*args, *kwargs.values()], [*given, *given_by_name.values()], strict=True)
        changed = [not same(*pair) for pair in pairs]
        if any(changed):
            if mutation != "remark":
                raise Wrong(mutation)
            notes.remarks.append(CHANGED.format([*names, *kwargs][changed.index(True)]))
    if value is ...:
        raise NotAttempted()
    if value is None and not may_return_none:
        raise Wrong(f"{_name(function)} returned None. Does it end with `return ...`?")
    return value


def changed() -> bool:
    """Return True when a function that this check has called changed an argument."""
    return bool(_notes.get().remarks)


def copied(value):
    """Return a copy of an array, or of a plain collection and what is in it."""
    kind = type(value)
    if kind in (list, tuple, set):
        return kind(copied(item) for item in value)
    if kind is dict:
        return {key: copied(item) for key, item in value.items()}
    library = kind.__module__.partition(".")[0]
    if library in ("numpy", "pandas") and hasattr(value, "copy") and hasattr(value, "shape"):
        return value.copy()
    if kind.__name__ == "Tensor" and library == "torch" and not value.requires_grad:
        return value.clone()
    return value


def same(one, other):
    """Return True when two values, one :func:`copied` from the other, are still alike."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    if isinstance(one, set):
        return one == other
    if hasattr(one, "equals"):  # pandas
        return one.equals(other)
    if hasattr(one, "detach"):
        one, other = one.cpu().float().numpy(), other.cpu().float().numpy()
    if hasattr(one, "dtype"):
        import numpy as np

        numbers = one.dtype.kind in "fc"
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=numbers)
    return one == other


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
    text = text_of(value, repr)
    return f"a {kind}: {text if len(text) <= 60 else text[:57] + '...'}"
