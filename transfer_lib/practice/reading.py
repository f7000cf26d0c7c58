"""Read a learner's answer: call their function, take numbers from whatever they return.

A judging function uses `call`, `array`, `number` and `close`, and raises `Wrong` with the words
for a mistake.
"""

from contextvars import ContextVar
from decimal import Decimal
from numbers import Number

from .guard import TimeLimit, text_of

CHANGED = (
    "Your function also changed its argument `{}`, and with it the caller's data: work on a copy."
)
HALF = (
    "Your result is in {}, which keeps about three digits: compute in float32, and convert at the "
    "end if you must."
)


class Wrong(Exception):
    """The answer is wrong; the message is what the learner reads."""


class NotAttempted(Exception):
    """The answer still holds an ``...`` that the learner has to replace."""


class LearnerError(Exception):
    """The learner's own code raised; the cause is in ``__cause__``."""


class Notes:
    """What reading an answer leaves for the verdict of the check that it runs in."""

    def __init__(self):
        self.remarks, self.copies, self.half = [], [], None


notes = ContextVar("notes")


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
            f"Give the check the function itself, without brackets; this is {describe(function)}."
        )
    given, given_by_name = copied(args), copied(kwargs)
    kept = notes.get(None) or Notes()
    kept.copies.append((given, given_by_name))  # so that no later one gets the `id` of these
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
            kept.remarks.append(CHANGED.format([*names, *kwargs][changed.index(True)]))
    if value is ...:
        raise NotAttempted()
    if value is None and not may_return_none:
        raise Wrong(f"{_name(function)} returned None. Does it end with `return ...`?")
    return value


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

    Accepts numbers, nested lists, NumPy arrays, pandas objects, fractions, and tensors of torch,
    JAX and TensorFlow, on any device, with or without gradient.

    Raises
    ------
    Wrong
        If it is not made of numbers.
    """
    import numpy as np

    try:
        half = str(getattr(value, "dtype", "")).rpartition(".")[2]
        if half in ("float16", "bfloat16") and notes.get(None):
            notes.get().half = half
        wider = ["float"] if half == "bfloat16" else []  # NumPy has no such type
        for method in ("detach", "cpu", *wider, "numpy"):  # torch needs all; others have the last
            if hasattr(value, method):
                value = getattr(value, method)()
        if isinstance(value, (list, tuple)):
            value = [array(item, what) for item in value]
        result = np.asarray(value)
        exact = result.dtype == object and all(isinstance(i, Number | Decimal) for i in result.flat)
        if result.dtype.kind not in "biuf" and half != "bfloat16" and not exact:
            raise TypeError
        return result.astype(np.float64)
    except Wrong:
        raise
    except Exception:
        raise Wrong(f"Expected numbers for {what}; this is {describe(value)}.") from None


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


def _name(function):
    return f"`{getattr(function, '__name__', 'the function')}`"


def describe(value):
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"a {kind} of shape {tuple(shape)}"
    text = text_of(value, repr)
    return f"a {kind}: {text if len(text) <= 60 else text[:57] + '...'}"
