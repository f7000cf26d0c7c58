"""Build ``solutions/NN_name.ipynb`` and ``lessons/NN_name.ipynb`` from ``course/NN_name.py``.

Run ``make build`` for all lessons or ``make build LESSON=03`` for one. A notebook whose cells
have not changed keeps its outputs; ``--force`` runs it again. Building twice changes nothing.
"""

import argparse
import copy
import csv
import hashlib
import json
import os
import re
import shutil
import tempfile
import tomllib
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbgrader.preprocessors import ClearSolutions

from transfer_lib import lessons

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / "transfer_lib/exercises/answers.json"
VERSIONS = ROOT / "transfer_lib/tested_versions.txt"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

COLAB_LINES = """\
# On Colab, this installs the course's helpers. Everywhere else it does nothing.
import importlib.util
import os

SOURCE = os.environ.get("TRANSFER_LIB_SOURCE", "git+{repository}@{branch}")
if not importlib.util.find_spec("transfer_lib"):
    if "COLAB_RELEASE_TAG" in os.environ or "TRANSFER_LIB_SOURCE" in os.environ:
        %pip install -q {{SOURCE}}

"""


class BuildError(Exception):
    """A lesson's source or its run is not fit to be published."""


def sources() -> list[Path]:
    """Return the lesson sources, in order."""
    return sorted((ROOT / "course").glob("[0-9][0-9]_*.py"))


def address() -> dict:
    """Return the public address of the course, from ``pyproject.toml``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
    return project["tool"]["course"]


def read(path):
    """Read a lesson source and stamp it: ids, badge, Colab lines. Markers are still in it.

    Raises
    ------
    BuildError
        If a solution marker is unclosed, nested or stray, or an exercise cell is not complete.
    """
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    seen = {}
    for cell in notebook.cells:
        _check_markers(cell, path)
        number = seen[cell.source] = seen.get(cell.source, 0) + 1
        key = f"{path.stem}|{cell.cell_type}|{cell.source}|{number}"
        cell.id = hashlib.sha256(key.encode()).hexdigest()[:12]
    where = address()
    _add_badge(notebook.cells[0], path, where)
    for cell in notebook.cells:
        cell.source = cell.source.replace("LESSON_MAP", lessons.markdown_map())
        if "setup" in cell.metadata.get("tags", []):
            cell.source = COLAB_LINES.format(**where) + cell.source
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def solution_of(notebook):
    """Return a copy with the answers in and the markers gone."""
    result = copy.deepcopy(notebook)
    for cell in result.cells:
        kept = [line for line in cell.source.split("\n") if BEGIN not in line and END not in line]
        cell.source = _collapse("\n".join(kept))
    return result


def lesson_of(notebook):
    """Return a copy with every answer replaced by ``...``, by nbgrader's ClearSolutions."""
    result = copy.deepcopy(notebook)
    clear = ClearSolutions(enforce_metadata=False, code_stub={"python": "..."})
    result, _ = clear.preprocess(result, {})
    for cell in result.cells:
        cell.metadata.pop("nbgrader", None)
        cell.source = _collapse(cell.source)
    return result


def answers() -> dict:
    """Return starter and solution of each exercise of all lessons.

    Raises
    ------
    BuildError
        If two cells claim one exercise, or a solution region belongs to no exercise.
    """
    found = {}
    for path in sources():
        notebook = read(path)
        pairs = zip(lesson_of(notebook).cells, solution_of(notebook).cells, strict=True)
        for source, (starter, solution) in zip(notebook.cells, pairs, strict=True):
            id = source.metadata.get("exercise")
            if (BEGIN in source.source) != bool(id):
                raise BuildError(
                    f"{path.name}: a cell with a solution needs `exercise=` in its header, and an "
                    f"exercise cell needs a solution:\n{source.source}"
                )
            if id in found:
                raise BuildError(f"{path.name}: two cells for the exercise {id}")
            if id:
                found[id] = {
                    "starter": _without_check(starter.source),
                    "solution": _without_check(solution.source),
                }
    return found


def execute(notebook, name, answered):
    """Run a notebook in an empty folder with an empty home, quick profile, and no progress bars.

    Raises
    ------
    BuildError
        If a cell fails or warns, or the exercises end otherwise than they should.
    """
    home = Path(tempfile.mkdtemp(prefix="course-"))
    try:
        env = {k: v for k, v in os.environ.items() if not k.startswith("TRANSFER_LIB_")}
        env |= {
            "TRANSFER_LIB_HOME": str(home / "course"),
            "TRANSFER_LIB_STRICT": "1",
            "TRANSFER_LIB_PROFILE": "quick",
            "PYTHONPATH": os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")]),
        }
        client = NotebookClient(
            notebook,
            timeout=900,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(home)}},
        )
        client.execute(env=env)
        _check_outcomes(home / "course/progress.json", name, answered)
    finally:
        shutil.rmtree(home)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            told = json.dumps(cell.outputs).replace(str(home), "~")  # the run's own empty folder
            outputs = [nbformat.from_dict(output) for output in json.loads(told)]
            cell.outputs = [_cleaned(output, name) for output in outputs]
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}


def same_cells(one, other) -> bool:
    """Return True when two notebooks have the same cells, outputs aside."""

    def parts(notebook):
        return [(c.id, c.cell_type, c.source, dict(c.metadata)) for c in notebook.cells]

    return parts(one) == parts(other) and one.metadata == other.metadata


def build(path, force=False):
    """Build both notebooks of one lesson; return the names of those that were run."""
    notebook, ran = read(path), []
    variants = {"solutions": solution_of(notebook), "lessons": lesson_of(notebook)}
    for folder, built in variants.items():
        target = ROOT / folder / f"{path.stem}.ipynb"
        if not force and target.exists() and same_cells(built, nbformat.read(target, 4)):
            continue
        execute(built, f"{folder}/{path.stem}", answered=folder == "solutions")
        nbformat.validate(built)
        target.parent.mkdir(exist_ok=True)
        nbformat.write(built, target)
        ran.append(f"{folder}/{target.name}")
    return ran


def shared_files() -> dict:
    """Return path to text of the other built files: answers, tested versions, README, glossary."""
    readme = (ROOT / "README.md").read_text("utf8")
    start, end = "<!-- lessons -->\n", "<!-- end of lessons -->"
    before, after = readme.split(start)[0], readme.split(end)[1]
    table = lessons.markdown_map("lessons/")
    return {
        ANSWERS: json.dumps(answers(), indent=1, ensure_ascii=False) + "\n",
        VERSIONS: (ROOT / "constraints.txt").read_text("utf8"),
        ROOT / "README.md": f"{before}{start}\n{table}\n\n{end}{after}",
        ROOT / "lessons/glossary.md": glossary(),
        ROOT / "solutions/glossary.md": glossary(),
    }


def glossary() -> str:
    """Return ``course/glossary.csv`` as a Markdown page: the terms of the lessons there are."""
    with (ROOT / "course/glossary.csv").open(encoding="utf8", newline="") as file:
        written = {lesson.number for lesson in lessons.LESSONS}
        rows = [row for row in csv.DictReader(file) if row["lesson"] in written]
        rows.sort(key=lambda row: row["english"].lower())
    lines = [
        "# Glossary",
        "",
        "| English | 中文 | Meaning | First in lesson |",
        "|---|---|---|---|",
    ]
    for row in rows:
        line = f"| {row['english']} | {row['chinese']} | {row['definition']} | {row['lesson']} |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _check_markers(cell, path):
    inside = False
    for line in cell.source.split("\n"):
        if BEGIN in line or END in line:
            if (BEGIN in line) == inside:
                kind = "nested or unclosed" if inside else "END without BEGIN"
                raise BuildError(f"{path.name}: marker {kind} in this cell:\n{cell.source}")
            inside = not inside
        elif re.search(r"(BEGIN|END) SOLUTION", line):
            raise BuildError(f"{path.name}: a marker is written `{BEGIN}`, not:\n{line}")
    if inside:
        raise BuildError(f"{path.name}: unclosed marker in this cell:\n{cell.source}")


def _add_badge(cell, path, where):
    lesson = lessons.get(path.stem)
    title, _, rest = cell.source.partition("\n")
    if title != f"# {lesson.number}. {lesson.title}":
        raise BuildError(f"{path.name}: the first line must be `# {lesson.number}. {lesson.title}`")
    repository = where["repository"].removeprefix("https://github.com/")
    notebook = f"{repository}/blob/{where['branch']}/lessons/{path.stem}.ipynb"
    badge = (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{notebook})"
    )
    about = f"About {lesson.minutes} minutes. You need: {lesson.needs}."
    cell.source = f"{title}\n\n{badge}\n\n{about}\n{rest}"


def _collapse(source):
    """Turn ``x = (\\n    value\\n)`` into ``x = value`` when the value is one line."""
    return re.sub(r"= \(\n[ ]+(\S[^\n]*)\n[ ]*\)(?=\n|$)", r"= \1", source)


def _without_check(source):
    lines = [line for line in source.split("\n") if not re.match(r"ex\.\w+\.(check|ask)\(", line)]
    return "\n".join(lines).strip()


def _check_outcomes(progress, name, answered):
    number = name.split("/")[1][:2]
    expected = [id for id in answers() if id.startswith(f"{number}.")] if answered else []
    rows = json.loads(progress.read_text("utf8"))["exercises"] if progress.exists() else {}
    right = [id for id, row in rows.items() if row["outcome"] == "right"]
    if sorted(right) != sorted(expected):
        raise BuildError(f"{name}: right are {sorted(right)}, expected {sorted(expected)}")


def _cleaned(output, name):
    """Drop what changes from run to run; refuse what a learner should not see."""
    if output.output_type == "stream" and output.name == "stderr":
        raise BuildError(f"{name}: a cell warns:\n{output.text}")
    if "data" in output:
        output.data.pop(WIDGET, None)
        alt = output.metadata.get("image/png", {}).get("alt")
        if "image/png" in output.data and not alt:
            raise BuildError(f"{name}: a figure without text alternative")
    for text in (ROOT, Path.home()):
        if str(text) in json.dumps(output) and len(str(text)) > 1:
            raise BuildError(f"{name}: a path of this machine in an output:\n{output}")
    return output


def main():
    """Build the lessons named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 03; none means all")
    parser.add_argument("--force", action="store_true", help="run notebooks that did not change")
    arguments = parser.parse_args()
    paths = [p for p in sources() if not arguments.lessons or p.stem[:2] in arguments.lessons]
    if not paths:
        parser.error(f"no lesson {' '.join(arguments.lessons)} in course/")
    for path, text in shared_files().items():
        path.write_text(text, "utf8")
    for path in paths:
        for name in build(path, arguments.force) or [f"{path.stem}: nothing changed"]:
            print(name)


if __name__ == "__main__":
    main()
