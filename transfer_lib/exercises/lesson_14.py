"""Exercises of lesson 14: the cause named and the patient mended, and the triage of all of them."""

import difflib
from functools import cache

from transfer_lib.exercises import clinic
from transfer_lib.exercises.clinic_cases import CASES
from transfer_lib.practice import NotAttempted, Wrong, call, exercise

POINTS = 5
PATH, SHOWN = 9, 10
"""How many patients the lesson's path has, by which the triage is judged; and the one it shows."""


def _patient(number):
    """Return the exercise of one patient: its cause, and the patient mended."""
    own = CASES[number - 1]
    name = f"patient_{number}"
    asked = " and ".join(f"`patient.{own[key]}`" for key in ("sign", "also") if key in own)
    hints = [
        f"Ask {asked}, and the same of `well`.",
        f"Look for {own['tells']}. Where in `patient.show()` does that happen?",
        f"The cause is {own['cause']!r}. {' '.join(_change(*pair) for pair in own['change'])}",
    ]

    def judge(cause=..., mended=None):
        if cause is ...:
            raise NotAttempted
        _name(cause, number, getattr(mended, "seed", 0))
        if not own["change"]:
            if mended is not None:
                raise Wrong("The cause is right. But then no change of the project can mend it; "
                            "give the cause alone.")  # fmt: skip
            return own["why"]
        if not isinstance(mended, clinic.Patient):
            raise Wrong("The cause is right. As second argument give what "
                        "`patient.change(old, new)` returns, the mended patient.")  # fmt: skip
        if mended.number != number:
            whose = f"patient {mended.number}" if mended.number else "the healthy project"
            raise Wrong(f"The cause is right. But this is {whose}, not patient {number}.")
        if call(lambda: clinic.ill(mended)):
            raise Wrong(f"The cause is right. But there is still {own['tells']}: "
                        f"{_reading(mended, own)}.")  # fmt: skip
        best, found = clinic.treated(number, mended.seed).run.accuracy, mended.run.accuracy
        if found < best - POINTS:
            raise Wrong(f"The cause is right. But now {found:.0f} % of the test images are right, "
                        f"and {best:.0f} % are possible. Is a part left, or something changed that "
                        "was well?")  # fmt: skip
        return own["why"]

    judge.__doc__ = "Name the cause, and mend the patient."
    if not own["change"]:
        judge.__doc__ = "Name the cause."
    return exercise(f"14.{name}", hints)(judge)


def _name(cause, number, seed):
    """Raise Wrong unless the cause is that of the patient; say what speaks against it."""
    right = CASES[number - 1]["cause"]
    if not isinstance(cause, str):
        raise Wrong("Name the cause as text, one of `clinic.CAUSES`.")
    if cause == right:
        return
    if cause not in clinic.CAUSES:
        near = difflib.get_close_matches(cause, clinic.CAUSES, 1)
        told = f" Did you mean {near[0]!r}?" if near else ""
        raise Wrong(f"{cause!r} is none of `clinic.CAUSES`.{told}")
    patient, other = clinic.case(number, seed), clinic.found(cause)
    reading = _reading(patient, other)
    if clinic.ill(patient, cause):
        own = CASES[number - 1]["sign"]
        raise Wrong(f"It looks like {cause!r}: {reading}. But something else does that here. Read "
                    f"`patient.show()`, or ask `patient.{own}`.")  # fmt: skip
    if "nan" in reading:
        raise Wrong(f"{cause!r} would show as {other['tells']}. Where nothing is a number, that "
                    "cannot be asked: look first at where the numbers end.")  # fmt: skip
    raise Wrong(f"{cause!r} would show as {other['tells']}. That is not so: {reading}.")


def _change(old, new):
    """Return a change in words."""
    return f"Replace `{old.strip()}` with `{new.strip()}`." if new else f"Take out `{old.strip()}`."


def _reading(patient, own):
    """Return the test that tells a cause, of this patient and of the healthy project."""
    sign = own["sign"]
    values = [_short(_ask(p, sign)) for p in (patient, clinic.healthy(patient.seed))]
    return f"`patient.{sign}` is {values[0]}, in the healthy project {values[1]}"


def _ask(patient, sign):
    return eval(f"patient.{sign}", {"patient": patient})  # `sign` is from clinic_cases


def _short(value):
    """Return a reading as text, with two decimals."""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_short(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_short, value)) + "]"
    return str(value)


_EXERCISES = {f"patient_{i}": _patient(i) for i in range(1, len(CASES) + 1) if i != SHOWN}
globals().update(_EXERCISES)


@cache
def _waiting(seed=77):
    """Return a healthy project and patients that nobody has seen, each with its cause."""
    known = [clinic.healthy(seed), *(clinic.case(number, seed) for number in range(1, PATH + 1))]
    return [(clinic.waiting(patient), patient.cause) for patient in known]


@exercise(
    "14.triage",
    hints=[
        "Begin with what needs no training: `twins()` and `inputs()`. Then the first loss, the "
        "losses, what moved, the gradients; the accuracy comes last.",
        "Ask whether all losses are numbers, `patient.numbers() < 120`, before you compare losses "
        "with anything. A first loss is high above 3.5: the healthy one varies, too.",
        "Several read `moved()`: the body far (rate too high), the body not at all but with "
        "gradients (optimiser not rebuilt), the body not at all and the statistics (frozen "
        "BatchNorm).",
    ],
)
def triage(answer):
    """Return the cause of any of the nine, or "healthy"."""
    for patient, cause in _waiting():
        said = call(answer, patient)
        if not isinstance(said, str):
            raise Wrong(f"Return a text, a cause or 'healthy'; yours is {said!r}.")
        if said not in [*clinic.CAUSES, "healthy"]:
            near = difflib.get_close_matches(said, clinic.CAUSES, 1)
            told = f" Did you mean {near[0]!r}?" if near else ""
            raise Wrong(f"{said!r} is none of `clinic.CAUSES`.{told}")
        if said == cause:
            continue
        if said != "healthy":
            other = clinic.found(said)
            raise Wrong(f"A patient was called {said!r} and has something else. "
                        f"{_reading(patient, other)}.")  # fmt: skip
        own = clinic.found(cause)
        raise Wrong(f"A patient was called healthy. There is {own['tells']}: "
                    f"{_reading(patient, own)}.")  # fmt: skip
    return "Ten new patients, other labels and other networks, all told apart. It is yours to keep."


__all__ = ["triage", *_EXERCISES]
