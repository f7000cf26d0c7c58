"""What a learner did, one JSON line for each event, in a file that never leaves the machine.

Lines are only ever added, each in one piece, so that two notebooks may write at once and a damaged
line costs nothing but itself. The file may be deleted at any time; where it cannot be written the
exercises work all the same.
"""

import json
import warnings
from functools import cache

from .. import settings

EMPTY = {
    "outcome": "not attempted",
    "attempts": 0,
    "hints": 0,
    "solution_shown": False,
    "guess": "",
}

FIRST_VERSION = "progress.json"
"""The file of the course's first version, id to row."""

MOVED = {
    "01": {"08": "ratio reweight q_weights pull q_strategy", "A1": "q_few"},
    "02": {"09": "q_collapse mmd_unbiased q_marginals coral_loss l2sp_gradient"},
    "04": {"05": "head_parameters unfreeze q_recompile fuse q_fusion split"},
    "05": {
        "06": "q_unknown mean_pool q_baseline q_trainer",
        "07": "leaks class_weights q_nan freeze abstain q_shift",
    },
}
"""First version's lesson to the lessons that its exercises are in now."""


def load() -> dict:
    """Return the progress by exercise id; empty when there is none or it cannot be read."""
    rows = _first_version()
    for event in _events():
        id, kind = event.get("id"), event.get("event")
        if kind == "reset":
            rows = {i: row for i, row in rows.items() if id and not i.startswith(f"{id}.")}
        elif isinstance(id, str) and isinstance(kind, str):
            row = rows.setdefault(id, dict(EMPTY))
            if kind == "hint":
                row["hints"] += 1
            elif kind == "solution":
                row["solution_shown"] = True
            elif kind == "guess":
                row["guess"] = str(event.get("letter", ""))
            else:
                row["attempts"] += 1
                if row["outcome"] != "right":  # a right answer stays right
                    row["outcome"] = kind
    return rows


def record(id, outcome):
    """Note the outcome of a check; an exercise that was not attempted is not noted."""
    if outcome != "not attempted":
        _append(id, str(outcome))


def count_hint(id, available) -> int:
    """Note that a hint was asked for and return its number, from 1 to ``available``."""
    asked = load().get(id, EMPTY)["hints"]
    _append(id, "hint")
    return asked % available + 1


def record_solution_shown(id):
    """Note that the solution was shown."""
    _append(id, "solution")


def record_guess(id, letter):
    """Note what was answered to a question before the lesson; it is not judged."""
    _append(id, "guess", letter=letter)


def reset(lesson=None):
    """Forget the progress of one lesson (``"03"``), or all of it."""
    _append(lesson, "reset")


def words(row) -> str:
    """Return a row of `load` as a phrase: ``"right, 2 attempts, 1 hint"``."""
    counts = [(row["attempts"], "attempt"), (row["hints"], "hint")]
    parts = [f"{n} {noun}{'s' if n != 1 else ''}" for n, noun in counts if n]
    shown = ["solution shown"] if row["solution_shown"] else []
    return ", ".join([row["outcome"], *parts, *shown])


def _append(id, event, **more):
    try:
        path = settings.progress_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf8") as file:  # the line break first: an old half line ends
            file.write(f"\n{json.dumps({'id': id, 'event': event, **more})}\n")
    except (OSError, settings.SettingError) as error:
        _warn_once(str(error))


def _events():
    """Yield what the file holds, without the lines that are damaged."""
    try:
        text = settings.progress_file().read_text("utf8", errors="replace")
    except (OSError, settings.SettingError):
        return
    for line in filter(None, text.split("\n")):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _first_version():
    """Return the rows of the first version's file under the ids of today."""
    try:
        path = settings.progress_file().with_name(FIRST_VERSION)
        rows = json.loads(path.read_text("utf8"))["exercises"]
        return {_moved(id): _plausible(row) for id, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # SettingError: a ValueError
        return {}


def _plausible(row):
    kept = {key: row.get(key) for key in EMPTY}
    return {k: v if isinstance(v, type(EMPTY[k])) else EMPTY[k] for k, v in kept.items()}


def _moved(id):
    old, _, name = id.partition(".")
    for new, names in MOVED.get(old, {}).items():
        if name in names.split():
            return f"{new}.{name}"
    return id


@cache
def _warn_once(problem):
    warnings.warn(
        f"Progress is not saved: {problem}. The exercises work all the same. Set "
        "TRANSFER_LIB_HOME to a folder that you can write to.",
        stacklevel=5,
    )
