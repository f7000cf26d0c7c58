"""Build the sample reports of the capstone: ``python tools/reports.py [NAME]``, ``make reports``.

Each source in ``course/capstone/`` becomes a notebook in ``docs/capstone/``, run from the top; one
whose cells have not changed is kept. ``report.py``, the empty report, is built with the lessons.
"""

import os
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

import cells

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def source_files() -> list[Path]:
    """Return the sources of the sample reports."""
    return sorted((cells.ROOT / "course/capstone").glob("*_*.py"))


def read(path):
    """Return a source as a notebook that is not run, with ids that do not change."""
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for i, cell in enumerate(notebook.cells):
        cell.id = f"{path.stem.replace('_', '-')}-{i}"
    return notebook


def target(path) -> Path:
    """Return where the notebook of a source lies."""
    return cells.ROOT / "docs/capstone" / f"{path.stem}.ipynb"


def same(path) -> bool:
    """Return whether a built notebook has the cells of its source."""
    if not target(path).exists():
        return False
    built = nbformat.read(target(path), as_version=4)
    pairs = [[(cell.cell_type, cell.source) for cell in book.cells] for book in (built, read(path))]
    return pairs[0] == pairs[1]


def run(path):
    """Return a source as a notebook, run in an empty folder, where nothing was scored before."""
    notebook = read(path)
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"TRANSFER_LIB_HOME": folder, "PYTHONPATH": str(cells.ROOT)}
        client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}})
        client.execute(env=env)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def empty_report() -> str:
    """Return the empty report as the text of a notebook."""
    path = cells.ROOT / "course/capstone/report.py"
    return nbformat.writes(read(path)) + "\n"


def main(names):
    """Build those that changed, or those named."""
    for path in source_files():
        if path.stem in names or not (names or same(path)):
            target(path).parent.mkdir(exist_ok=True)
            nbformat.write(run(path), target(path))
            print(f"docs/capstone/{path.stem}.ipynb", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
