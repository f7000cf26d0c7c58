"""A learner's progress, in one small JSON file that never leaves the machine.

The file maps exercise ids to ``{"outcome", "attempts", "hints", "solution_shown"}``. It may be
deleted at any time. If it cannot be written, the exercises work all the same.
"""

import html
import json
import os
import tempfile
import warnings
from contextlib import contextmanager

from transfer_lib import settings
from transfer_lib.checking import Outcome

EMPTY = {"outcome": Outcome.NOT_ATTEMPTED.value, "attempts": 0, "hints": 0, "solution_shown": False}
LOCK_SECONDS = 2.0


def load() -> dict:
    """Return the progress by exercise id; empty when there is none or it cannot be read."""
    path = settings.progress_file()
    try:
        content = json.loads(path.read_text("utf8"))
        rows = content["exercises"]
        return {id: {**EMPTY, **row} for id, row in rows.items() if _plausible(row)}
    except FileNotFoundError:
        return {}
    except OSError as error:
        warnings.warn(f"The progress file {path} cannot be read: {error}", stacklevel=2)
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        _set_aside(path)
        return {}


def record(id, outcome):
    """Note the outcome of a check. A right answer stays right; only real attempts count."""
    outcome = Outcome(outcome)
    if outcome is Outcome.NOT_ATTEMPTED:
        return
    with _changing(id) as row:
        row["attempts"] += 1
        if row["outcome"] != Outcome.RIGHT.value:
            row["outcome"] = outcome.value


def count_hint(id, available) -> int:
    """Note that a hint was asked for and return its number, from 1 to ``available``."""
    with _changing(id) as row:
        row["hints"] += 1
        asked = row["hints"]
    return (asked - 1) % available + 1


def record_solution_shown(id):
    """Note that the solution was shown."""
    with _changing(id) as row:
        row["solution_shown"] = True


def reset(lesson=None):
    """Forget the progress of one lesson (``"03"``), or all of it."""
    with _locked() as writable:
        if writable:
            rows = load() if lesson else {}
            _write({i: row for i, row in rows.items() if not i.startswith(f"{lesson}.")})


def summary(lesson):
    """Return a table of one lesson's exercises, for display."""
    from transfer_lib import lessons

    kept = load()
    return Table(
        lessons.get(lesson),
        [
            (item.name, item.task, kept.get(item.id, EMPTY))
            for item in lessons.exercises(lesson).values()
        ],
    )


class Table:
    """What was solved in one lesson: text, and HTML in a notebook."""

    def __init__(self, lesson, rows):
        self.lesson, self.rows = lesson, rows

    @property
    def solved(self):
        """How many exercises are right."""
        return sum(row["outcome"] == Outcome.RIGHT.value for _, _, row in self.rows)

    def _title(self):
        return f"Lesson {self.lesson.number}: {self.solved} of {len(self.rows)} exercises right"

    def __repr__(self):
        width = max((len(name) for name, _, _ in self.rows), default=0)
        lines = [f"  {name:<{width}}  {_words(row)}" for name, _, row in self.rows]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self):
        body = "".join(
            f'<tr><td style="text-align:left"><code>{name}</code></td>'
            f'<td style="text-align:left">{html.escape(task)}</td>'
            f'<td style="text-align:left">{_words(row)}</td></tr>'
            for name, task, row in self.rows
        )
        return f"<table><caption>{self._title()}</caption>{body}</table>"


def _words(row):
    words = row["outcome"]
    if row["attempts"]:
        words += f", {row['attempts']} attempt{'s' if row['attempts'] != 1 else ''}"
    if row["hints"]:
        words += f", {row['hints']} hint{'s' if row['hints'] != 1 else ''}"
    return words + (", solution shown" if row["solution_shown"] else "")


def _plausible(row):
    return isinstance(row, dict) and all(
        isinstance(row.get(key, value), type(value)) for key, value in EMPTY.items()
    )


@contextmanager
def _changing(id):
    """Read, let the caller change one row, write; under a lock, so that no change is lost."""
    with _locked() as writable:
        rows = load()
        row = rows.setdefault(id, dict(EMPTY))
        yield row
        if writable:
            _write(rows)


@contextmanager
def _locked():
    from filelock import FileLock, Timeout

    path = settings.progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock")
        lock.acquire(timeout=LOCK_SECONDS)
    except (OSError, Timeout) as error:
        _cannot_save(path, error)
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _write(rows):
    path = settings.progress_file()
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf8") as file:
            json.dump({"version": 1, "exercises": rows}, file, indent=1)
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        _cannot_save(path, error)


def _set_aside(path):
    """Keep a file that cannot be parsed under another name, and say so."""
    aside = path.with_suffix(".corrupt.json")
    try:
        os.replace(path, aside)
        where = f"It is kept as {aside.name}; a new one starts empty."
    except OSError:
        where = "It is ignored."
    warnings.warn(f"The progress file {path.name} is damaged. {where}", stacklevel=3)


def _cannot_save(path, error):
    warnings.warn(
        f"Progress is not saved: {path} cannot be written ({error}). The exercises work all the "
        "same. Set TRANSFER_LIB_HOME to a folder that you can write to.",
        stacklevel=4,
    )
