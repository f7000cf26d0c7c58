"""Exercises whose answer is a value: the right expression, cases, and the known wrong ones."""

import math

from .exercise import Exercise
from .reading import Wrong, array, call, close

CASES = 4
"""How many cases are drawn. A mistake has to show its value in all of them to be named."""

SHOWN = 6
"""Numbers: inputs of at most so many are quoted in the feedback."""


class Formula(Exercise):
    """Implement a formula. Right and wrong are expressions, as a learner would write them.

    Parameters
    ----------
    id : str
        As for `Exercise`.
    task : str
        What is asked, in one line.
    right : str
        The expression of the arguments' names that is right. NumPy is ``np``; functions of
        `scipy.special` and the built-in ones go by their names.
    cases : callable
        ``cases(rng, i)`` returns the arguments of case ``i`` as a dict, in the function's order;
        the shapes should differ from case to case, and the first should be small.
    wrong : dict of str to str
        Wrong expression to the words for that mistake. Each is its own test.
    hints : sequence of str
        As for `Exercise`.
    remark : str
        What is said about a right answer.
    what : str
        What the value is called in the messages.
    """

    def __init__(self, id, task, right, cases, wrong, hints, remark="", what="the result"):
        super().__init__(id, self._judge_function, hints, task)
        self.right, self.cases, self.wrong = right, cases, dict(wrong)
        self.remark, self.what = remark, what

    def drawn(self):
        """Return the arguments of each case."""
        import numpy as np

        return [self.cases(np.random.default_rng(i), i) for i in range(CASES)]

    def value(self, expression, arguments):
        """Return what an expression gives for these arguments, as an array; None where it fails."""
        import numpy as np
        import scipy.special

        names = {name: getattr(scipy.special, name) for name in scipy.special.__all__}
        try:
            with np.errstate(all="ignore"):
                return np.asarray(eval(expression, {**names, "np": np, **arguments}), float)
        except (ValueError, ZeroDivisionError, FloatingPointError):  # shapes that do not fit
            return None

    def _judge_function(self, answer):
        cases = self.drawn()
        found = [array(call(answer, *case.values()), self.what) for case in cases]
        expected = [self.value(self.right, case) for case in cases]
        fits = [_agree(one, other) for one, other in zip(found, expected, strict=True)]
        if all(fits):
            return self.remark
        matching = {
            words
            for expression, words in self.wrong.items()
            if all(
                _agree(one, self.value(expression, case))
                for one, case in zip(found, cases, strict=True)
            )
        }
        if len(matching) == 1:  # two known mistakes with one value: neither is named
            raise Wrong(matching.pop())
        first = fits.index(False)
        raise Wrong(self._compared(cases[first], expected[first], found[first], any(fits)))

    def _compared(self, case, expected, found, partly):
        """Say what was expected and found in one case, with its arguments where they are short."""
        import numpy as np

        def quoted(value):
            value = np.asarray(value)
            many = f"an array of shape {value.shape}"
            return str(value.round(4).tolist()) if value.size <= SHOWN else many

        given = ", ".join(f"{name} = {quoted(value)}" for name, value in case.items())
        start = "Right for some arguments, but not for all. " if partly else ""
        if found.shape != expected.shape:
            return (
                f"{start}Expected the shape {expected.shape} for {self.what}; yours has the shape "
                f"{found.shape}. The arguments were {given}."
            )
        if expected.size <= SHOWN:
            values = f"is {quoted(expected)}; yours is {quoted(found)}"
        else:
            i = np.unravel_index(np.argmax(np.abs(found - expected)), expected.shape)
            place = ", ".join(map(str, i))
            values = f"is {expected[i]:.4g} at [{place}]; yours is {found[i]:.4g}"
        return f"{start}For {given}, {self.what} {values}."


def _agree(found, expected):
    """Return True when both have one shape and agree; a number is as good as an array of one."""
    if expected is None:
        return False
    if expected.shape == () and found.size == 1:
        found = found.reshape(())
    scale = float(abs(expected).max()) if expected.size else 0.0
    return close(found, expected, atol=1e-6 * max(scale, 1e-3) if math.isfinite(scale) else 1e-6)
