"""Exercises of lesson 14: the cause named and the patient mended, and the triage of all of them."""

import difflib
from functools import cache

from transfer_lib.exercises import clinic
from transfer_lib.exercises.clinic_cases import CASES
from transfer_lib.practice import Wrong, call, exercise

POINTS = 8
PATH, SHOWN = 9, 10
"""How many patients the lesson's path has, by which the triage is judged; and the one it shows."""


def _patient(number):
    """Return the exercise of one patient: its cause, and the patient mended."""
    own = CASES[number - 1]
    name = f"patient_{number}"
    hints = [
        f"Ask `patient.{own['sign']}`, and the same of `well`.",
        f"The cause is {own['cause']!r}. Where in `patient.show()` does it happen?",
    ]
    if own["change"]:
        steps = " and ".join(f"`{old.strip()}` with `{new.strip()}`" for old, new in own["change"])
        hints.append(f"Replace {steps}.")

    def judge(cause, mended=None):
        """Name the cause, and mend the patient."""
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
            raise Wrong(f"The cause is right. But this is patient {mended.number}, not {number}.")
        if call(lambda: clinic.ill(mended)):
            raise Wrong(f"The cause is right. But it is as ill as before: {_reading(mended, own)}.")
        best, found = clinic.treated(number, mended.seed).run.accuracy, mended.run.accuracy
        if found < best - POINTS:
            raise Wrong(f"The cause is right, and its sign is gone. But now {found:.0f} % of the "
                        f"test images are right, and {best:.0f} % are possible. What else did you "
                        "change?")  # fmt: skip
        return own["why"]

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
    if clinic.ill(patient, cause):
        ask = f"Read `patient.show()`, ask `patient.{CASES[number - 1]['sign']}`."
        raise Wrong(f"It looks like {cause!r} in `patient.{other['sign']}`. "
                    f"{_reading(patient, other)}. Something else does it. {ask}")  # fmt: skip
    raise Wrong(f"{cause!r} would show in `patient.{other['sign']}`. {_reading(patient, other)}.")


def _reading(patient, own):
    """Return the test that tells a cause, of this patient and of the healthy project."""
    sign = own["sign"]
    values = [_short(_ask(p, sign)) for p in (patient, clinic.healthy(patient.seed))]
    return f"It is {values[0]} here, and {values[1]} in the healthy project"


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
    """Return patients that nobody has seen, and a healthy one."""
    return [clinic.healthy(seed), *(clinic.case(number, seed) for number in range(1, PATH + 1))]


@exercise(
    "14.triage",
    hints=[
        "Begin with what needs no training: `twins()` and `inputs()`. Then the first loss, the "
        "losses, what moved, the gradients; the accuracy comes last.",
        "A loss that is not a number is unlike itself: `loss != loss`. Ask for it before you "
        "compare losses with anything.",
        "Several read `moved()`: the body far (rate too high), the body not at all but with "
        "gradients (optimiser not rebuilt), the body not at all and the statistics (frozen "
        "BatchNorm).",
    ],
)
def triage(answer):
    """Return the cause of any of the nine, or "healthy"."""
    for patient in _waiting():
        said = call(answer, patient)
        if not isinstance(said, str):
            raise Wrong(f"Return a text, a cause or 'healthy'; yours is {said!r}.")
        if said not in [*clinic.CAUSES, "healthy"]:
            near = difflib.get_close_matches(said, clinic.CAUSES, 1)
            told = f" Did you mean {near[0]!r}?" if near else ""
            raise Wrong(f"{said!r} is none of `clinic.CAUSES`.{told}")
        if said == patient.cause:
            continue
        if patient.cause == "healthy":
            raise Wrong(f"A healthy project was sent to treatment for {said!r}. Its reading: "
                        f"`patient.{clinic.found(said)['sign']}` is "
                        f"{_short(_ask(patient, clinic.found(said)['sign']))}.")  # fmt: skip
        own = clinic.found(patient.cause)
        raise Wrong(f"A patient with {patient.cause!r} was called {said!r}. "
                    f"`patient.{own['sign']}`: {_reading(patient, own)}.")  # fmt: skip
    return "Ten new patients, other labels and other networks, all told apart. It is yours to keep."


__all__ = ["triage", *_EXERCISES]
