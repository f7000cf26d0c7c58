"""A lesson as notebooks: what a learner opens, and the same with the answers in. Nothing is run.

``read`` stamps what the build knows: ids, minutes, badge, Colab lines, the map of lessons.
"""

import hashlib
import re
import tomllib

import nbformat

import budget
import cells
from cells import BEGIN, LINE, BuildError, lesson_of, number_of, parse, solution_of, sources
from transfer_lib import lessons
from transfer_lib.lessons import Lesson

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
ENGINES = ("none", "keras", "torch")

COLAB_LINES = """\
# On Colab this installs the course's helpers{weights}. Elsewhere it does nothing.
import importlib.util
import os

if "COLAB_RELEASE_TAG" in os.environ and not importlib.util.find_spec("transfer_lib"):
    %pip install -q "transfer-lib{extra} @ git+{repository}@{branch}"

"""
PLACEHOLDER = "OWNER/REPOSITORY"
# What a lesson needs beside what Colab ships: the marks of it in a source, the extra, and its size.
WEIGHTS = {
    "images": (r"efficientnet-lite0|networks\.NAMES", "EfficientNet-Lite0, 17 MB"),
    "text": (r"\bencoders\b", "MiniLM, 83 MB"),
}


def address() -> dict:
    """Return the public address of the course, from ``pyproject.toml``."""
    project = tomllib.loads((cells.ROOT / "pyproject.toml").read_text("utf8"))
    return project["tool"]["course"]


def published(where) -> bool:
    """Return whether the address is one; notebooks get no links to a placeholder."""
    return PLACEHOLDER not in where["repository"]


def extras(source) -> list[str]:
    """Return the extras of the package whose weights a lesson's source asks for."""
    return [name for name, (mark, _) in WEIGHTS.items() if re.search(mark, source)]


def install_lines(source, where) -> str:
    """Return the lines with which a notebook installs what Colab does not ship."""
    needed = extras(source)
    weights = "".join(f" and the weights of {WEIGHTS[name][1]}" for name in needed)
    extra = f"[{','.join(needed)}]" if needed else ""
    return COLAB_LINES.format(weights=weights, extra=extra, **where)


def table() -> tuple[Lesson, ...]:
    """Return the lessons as their sources describe them: title, needs, engine, minutes.

    Raises
    ------
    BuildError
        If a first cell lacks its title, ``needs`` or ``engine``.
    """
    return tuple(_row(path) for path in sources())


def _row(path):
    cell, number = parse(path).cells[0], number_of(path)
    title = re.match(rf"# {number}\. (\S.*)", cell.source)
    needs, engine = cell.metadata.get("needs"), cell.metadata.get("engine")
    if not title or not needs or engine not in ENGINES:
        raise BuildError(
            f"{path.name}: the first cell must begin with `# {number}. Title` and its header must "
            f'be like `# %% [markdown] needs="Lesson 03" engine="keras"`; engine is one of '
            f"{', '.join(ENGINES)}"
        )
    measured = budget.measure(path)
    return Lesson(
        number, path.stem, title[1].strip(), measured.minutes, measured.optional, engine, needs
    )


def markdown_map(folder="", table=lessons.LESSONS) -> str:
    """Return the map of lessons as a Markdown table, with links into ``folder``."""
    lines = ["| Lesson | Minutes | You need |", "|---|---|---|"]
    for lesson in table:
        link = f"[{lesson.number}. {lesson.title}]({folder}{lesson.name}.ipynb)"
        lines.append(f"| {link} | {lesson.time} | {lesson.needs} |")
    return "\n".join(lines)


def read(path, where=None):
    """Read a lesson source and stamp it: ids, minutes, badge, Colab lines. It keeps its markers.

    Badge and Colab lines are left out while `where`, by default `address`, is the placeholder.

    Raises
    ------
    BuildError
        If a solution marker is unclosed, nested or stray, or the first cell is not complete.
    """
    notebook = parse(path)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    seen = {}
    for cell in notebook.cells:
        number = seen[cell.source] = seen.get(cell.source, 0) + 1
        key = f"{path.stem}|{cell.cell_type}|{cell.source}|{number}"
        cell.id = hashlib.sha256(key.encode()).hexdigest()[:12]
    where, rows = where or address(), table()
    _stamp(notebook.cells[0], next(row for row in rows if row.name == path.stem), where)
    for cell in notebook.cells:
        cell.source = cell.source.replace("LESSON_MAP", markdown_map(table=rows))
        tags = cell.metadata.get("tags", [])
        if "setup" in tags and published(where):
            cell.source = install_lines(path.read_text("utf8"), where) + cell.source
        if "hide-input" in tags:  # as JupyterLab and VS Code store it, and as Colab does
            cell.metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def answers() -> dict:
    """Return starter and solution of each exercise and question of all lessons, in their order.

    Raises
    ------
    BuildError
        If two cells claim one exercise, a solution belongs to no exercise, or an exercise's id
        does not begin with its lesson's number.
    """
    found = {}
    for path in sources():
        notebook = read(path)
        triples = zip(
            notebook.cells, lesson_of(notebook).cells, solution_of(notebook).cells, strict=True
        )
        for source, starter, solution in triples:
            id, asked = source.metadata.get("exercise"), source.metadata.get("question")
            if (BEGIN in source.source or LINE in source.source) != bool(id):
                raise BuildError(
                    f"{path.name}: a cell with a solution needs `exercise=` in its header, and an "
                    f"exercise cell needs a solution:\n{source.source}"
                )
            if id and asked:
                raise BuildError(f"{path.name}: {asked} needs a cell of its own")
            id = id or asked
            if id in found:
                raise BuildError(f"{path.name}: two cells for the exercise {id}")
            if id and not id.startswith(f"{number_of(path)}."):
                raise BuildError(f"{path.name}: the exercise {id} has another lesson's number")
            if id:
                trim = str.strip if asked else _without_check
                found[id] = {"starter": trim(starter.source), "solution": trim(solution.source)}
    return found


def same_cells(one, other) -> bool:
    """Return True when two notebooks have the same cells, outputs aside."""
    return _cells(one) == _cells(other) and one.metadata == other.metadata


def same_code(one, other) -> bool:
    """Return True when two notebooks have the same code cells, outputs aside."""
    first, second = (
        [cell[1:] for cell in _cells(book) if cell[1] == "code"] for book in (one, other)
    )
    return first == second


def _cells(notebook):
    return [(c.id, c.cell_type, c.source, dict(c.metadata)) for c in notebook.cells]


def _stamp(cell, lesson, where):
    title, _, rest = cell.source.partition("\n")
    repository = where["repository"].removeprefix("https://github.com/")
    notebook = f"{repository}/blob/{where['branch']}/lessons/{lesson.name}.ipynb"
    badge = published(where) * (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{notebook})\n\n"
    )
    marked = " (with the sections marked optional)" if lesson.optional else ""
    about = f"About {lesson.time} minutes{marked}. You need: {lesson.needs}."
    cell.source = f"{title}\n\n{badge}{about}\n{rest}"
    for key in ("needs", "engine"):
        cell.metadata.pop(key, None)


def _without_check(source):
    lines = [line for line in source.split("\n") if not re.match(r"ex\.\w+\.(check|ask)\(", line)]
    return "\n".join(lines).strip()
