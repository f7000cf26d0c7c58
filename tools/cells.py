"""The cells of a lesson's source: its markers read, its answers put in or blanked."""

import ast
import copy
import functools
import re
from pathlib import Path

import jupytext
from nbgrader.preprocessors import ClearSolutions

from transfer_lib import exercises

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END, LINE = "### BEGIN SOLUTION", "### END SOLUTION", "### SOLUTION"
ASK = re.compile(r"^ex\.(\w+)\.ask\(\.\.\.\)$", re.M)


class BuildError(Exception):
    """A lesson's source or its run is not fit to be published."""


def sources() -> list[Path]:
    """Return the lesson sources, in order: 00 to 99, then A1 and on."""
    return sorted((ROOT / "course").glob("[0-9A-Z][0-9]_*.py"))


def number_of(path) -> str:
    """Return the number of a lesson from the name of one of its files: ``"03"``, ``"A1"``."""
    return Path(path).stem.split("_")[0]


def source_of(number) -> Path:
    """Return the source of the lesson with this number.

    Raises
    ------
    BuildError
        If there is none.
    """
    for path in sources():
        if number_of(path) == number:
            return path
    raise BuildError(f"no lesson {number} in course/")


def parse(path):
    """Return a source's cells as they are written, markers and all.

    Raises
    ------
    BuildError
        If a marker is unclosed, nested or stray.
    """
    path = Path(path)
    return copy.deepcopy(_parse(path, path.read_text("utf8")))


@functools.cache
def _parse(path, text):
    notebook = jupytext.reads(text, fmt="py:percent")
    for cell in notebook.cells:
        _check_markers(cell, path)
        if cell.cell_type == "code" and ASK.search(cell.source):
            cell.metadata["question"] = f"{number_of(path)}.{ASK.search(cell.source)[1]}"
    return notebook


def solution_of(notebook):
    """Return a copy with the answers in, letters of questions too, and the markers gone."""
    result = copy.deepcopy(notebook)
    for cell in result.cells:
        lines = [line for line in cell.source.split("\n") if BEGIN not in line and END not in line]
        lines = [line.split(LINE)[0].rstrip() if LINE in line else line for line in lines]
        cell.source = _collapse("\n".join(lines))
        id = cell.metadata.pop("question", None)
        if id:
            name = id.split(".")[1]
            cell.source = ASK.sub(f'ex.{name}.ask("{letter(id)}")', cell.source)
    return result


def lesson_of(notebook):
    """Return a copy with every answer replaced by ``...``, by nbgrader's ClearSolutions."""
    result = copy.deepcopy(notebook)
    clear = ClearSolutions(enforce_metadata=False, code_stub={"python": "..."})
    result, _ = clear.preprocess(result, {})
    for cell in result.cells:
        cell.metadata.pop("nbgrader", None)
        cell.metadata.pop("question", None)
        lines = [_blank(line) if LINE in line else line for line in cell.source.split("\n")]
        cell.source = _collapse("\n".join(lines))
    return result


def letter(id) -> str:
    """Return the letter of the right choice of a question.

    Raises
    ------
    BuildError
        If the lesson's exercise module has no such question.
    """
    number, name = id.split(".")
    right = getattr(vars(exercises.of(number)).get(name), "right", None)
    if right is None:
        raise BuildError(f"lesson {number} has no question {name} to ask")
    return right


def _check_markers(cell, path):
    inside = False
    for line in cell.source.split("\n"):
        if BEGIN in line or END in line:
            if (BEGIN in line) == inside:
                kind = "nested or unclosed" if inside else "END without BEGIN"
                raise BuildError(f"{path.name}: marker {kind} in this cell:\n{cell.source}")
            inside = not inside
        elif LINE in line:
            if inside:
                raise BuildError(f"{path.name}: `{LINE}` inside a solution:\n{cell.source}")
            _blank(line)
        elif re.search(r"(BEGIN|END) SOLUTION|# SOLUTION\s*$", line):
            wanted = f"`{BEGIN}`, `{END}` or `{LINE}`"
            raise BuildError(f"{path.name}: a marker is written {wanted}, not:\n{line}")
    if inside:
        raise BuildError(f"{path.name}: unclosed marker in this cell:\n{cell.source}")
    if len(ASK.findall(cell.source)) > 1:
        raise BuildError(f"{path.name}: each question needs a cell of its own:\n{cell.source}")


def _blank(line):
    """Turn ``x = value  ### SOLUTION`` into ``x = ...``, and ``x=value,`` into ``x=...,``."""
    code = line.split(LINE)[0].rstrip()
    keyword = re.match(r"(\s*\w+=)[^\s=].*,$", code)
    if keyword:
        return f"{keyword[1]}...,"
    try:
        (node,) = ast.parse(code.strip()).body
        value = node.value.col_offset
    except (SyntaxError, ValueError, AttributeError):
        raise BuildError(f"`{LINE}` ends a line like `x = value`, not:\n{line}") from None
    head = code.strip().encode()[:value].decode().rstrip("( ")
    if not head:
        raise BuildError(f"`{LINE}` ends a line like `x = value`, not:\n{line}")
    indent = code[: len(code) - len(code.lstrip())]
    return f"{indent}{head} ..."


def _collapse(source):
    """Turn ``x = (\\n    value\\n)`` into ``x = value`` when the value is one line."""
    return re.sub(r"= \(\n[ ]+(\S[^\n]*)\n[ ]*\)(?=\n|$)", r"= \1", source)
