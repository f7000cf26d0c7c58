"""Build all that is built: ``lessons/``, ``solutions/``, ``transfer_lib/taught``, the tables.

Run ``make build`` for all lessons or ``make build LESSON=03`` for one. A solution whose code
cells have not changed keeps its outputs; ``--force`` runs it again. Building twice changes nothing.
"""

import argparse
import importlib
import json
import os
import re
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from unittest import mock

import glossary
import guide
import nbformat
import reports
from nbclient import NotebookClient

import budget
import cells
import taught
from cells import ROOT, BuildError, lesson_of, number_of, solution_of, source_of, sources
from notebooks import address, answers, markdown_map, read, same_cells, same_code, table
from transfer_lib import lessons
from transfer_lib.practice import journal

WIDGET = "application/vnd.jupyter.widget-view+json"
__all__ = [  # what the tests and the other tools take from here
    "ROOT", "BuildError", "address", "answers", "build", "execute", "lesson_of", "number_of",
    "read", "same_cells", "shared_files", "solution_of", "source_of", "sources", "table",
]  # fmt: skip


def execute(notebook, name, answered, kernel="python3", alone=False):
    """Run a notebook in an empty folder with an empty home, quick profile, and no progress bars.

    If it is to run `alone`, it does not find the package of this folder.

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
        }
        if not alone:
            env["PYTHONPATH"] = os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")])
        client = NotebookClient(
            notebook,
            timeout=900,
            kernel_name=kernel,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(home)}},
        )
        client.execute(env=env)
        _check_outcomes(home / "course", name, answered)
    finally:
        shutil.rmtree(home)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            told = json.dumps(cell.outputs).replace(str(home), "~")  # the run's own empty folder
            outputs = [nbformat.from_dict(output) for output in json.loads(told)]
            cell.outputs = [_cleaned(output, name) for output in outputs if not _is_bar(output)]
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}


def build(path, force=False):
    """Build both notebooks of one lesson; return the names of those that changed."""
    notebook, changed = read(path), []
    for folder, variant in {"solutions": solution_of, "lessons": lesson_of}.items():
        built = variant(notebook)
        target = cells.ROOT / folder / f"{path.stem}.ipynb"
        old = nbformat.read(target, 4) if target.exists() else None
        if folder == "solutions" and (force or old is None or not same_code(built, old)):
            start = time.perf_counter()
            execute(built, f"{folder}/{path.stem}", answered=True)
            print(f"{folder}/{path.stem} ran in {time.perf_counter() - start:.0f} s", flush=True)
        elif folder == "solutions":
            _keep_outputs(built, old)
        nbformat.validate(built)
        target.parent.mkdir(exist_ok=True)
        before = target.read_bytes() if old else None
        nbformat.write(built, target)
        if target.read_bytes() != before:
            changed.append(f"{folder}/{target.name}")
    return changed


def unanswered(path):
    """Run a lesson as it is opened, nothing answered.

    Raises
    ------
    BuildError
        If it warns, or an exercise counts as right.
    """
    execute(lesson_of(read(path)), f"lessons/{path.stem}", answered=False)


def shared_files() -> dict:
    """Return path to text of the other built files: taught modules, tables, README, glossary."""
    root = cells.ROOT
    exercises = root / "transfer_lib/exercises"
    readme = (root / "README.md").read_text("utf8")
    start, end = "<!-- lessons -->\n", "<!-- end of lessons -->"
    before, after = readme.split(start)[0], readme.split(end)[1]
    map = markdown_map("lessons/", table())
    return taught.files() | {
        exercises / "lessons.json": _json([asdict(lesson) for lesson in table()]),
        exercises / "answers.json": _json(answers()),
        exercises / "report.ipynb": reports.empty_report(),
        guide.PAGE: guide.page(table()),
        root / "README.md": f"{before}{start}\n{map}\n\n{end}{after}",
        exercises / "terms.json": glossary.packaged(),
        root / "lessons/glossary.md": glossary.page(),
        root / "solutions/glossary.md": glossary.page(),
    }


def _json(rows):
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def _keep_outputs(built, old):
    code = [[cell for cell in book.cells if cell.cell_type == "code"] for book in (built, old)]
    for new, kept in zip(*code, strict=True):
        new.outputs, new.execution_count = kept.outputs, kept.execution_count


def _check_outcomes(home, name, answered):
    number = number_of(name)
    expected = [id for id in answers() if id.startswith(f"{number}.")] if answered else []
    with mock.patch.dict(os.environ, TRANSFER_LIB_HOME=str(home)):
        rows = journal.load()
    right = [id for id, row in rows.items() if row["outcome"] == "right"]
    if sorted(right) != sorted(expected):
        raise BuildError(f"{name}: right are {sorted(right)}, expected {sorted(expected)}")


def _is_bar(output):
    """Return True for a progress bar of tqdm."""
    return bool(re.match(r" *\d+%\|", output.get("data", {}).get("text/plain", "")))


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
    parser.add_argument("--unanswered", action="store_true", help="only run lessons as opened")
    arguments = parser.parse_args()
    paths = [source_of(number) for number in arguments.lessons] or sources()
    if arguments.unanswered:
        for path in paths:
            start = time.perf_counter()
            unanswered(path)
            print(f"{path.stem}: ran unanswered in {time.perf_counter() - start:.0f} s", flush=True)
        return
    budget.refuse(paths)
    rows = cells.ROOT / "transfer_lib/exercises/lessons.json"  # the exercises are found through it
    rows.write_text(_json([asdict(lesson) for lesson in table()]), "utf8")
    importlib.reload(lessons)
    for path in taught.stale():
        path.unlink()
    for path, text in shared_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf8")
    for path in paths:
        for name in build(path, arguments.force) or [f"{path.stem}: nothing changed"]:
            print(name, flush=True)


if __name__ == "__main__":
    main()
