"""What a learner did, one JSON line for each event, in a file that never leaves the machine.

Lines are only ever added, each in one piece, so that two notebooks may write at once and a damaged
line costs nothing but itself. The file may be deleted at any time; where it cannot be written the
exercises work all the same.
"""

import json
import warnings
from functools import cache

from .. import settings

EMPTY = dict(outcome="not attempted", attempts=0, hints=0, solution_shown=False, guess="")


def load() -> dict:
    """Return the progress by exercise id; empty when there is none or it cannot be read."""
    rows = {}
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


@cache
def _warn_once(problem):
    warnings.warn(
        f"Progress is not saved: {problem}. The exercises work all the same. Set "
        "TRANSFER_LIB_HOME to a folder that you can write to.",
        stacklevel=5,
    )
