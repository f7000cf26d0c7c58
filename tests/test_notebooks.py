"""The built notebooks, without running them: in step with their source and fit for anyone."""

import json
import re
from pathlib import Path

import nbformat
import pytest

import build

ROOT = build.ROOT
NOTEBOOKS = sorted((ROOT / "lessons").glob("*.ipynb")) + sorted(
    (ROOT / "solutions").glob("*.ipynb")
)
IGNORE = {"nbval-ignore-output", "nbval-skip"}


def name(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(params=NOTEBOOKS, ids=name)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, 4)


def test_each_source_has_its_two_notebooks():
    expected = {f"{f}/{p.stem}" for p in build.sources() for f in ("lessons", "solutions")}
    assert {name(path) for path in NOTEBOOKS} == expected and expected


def test_it_matches_its_source(path, notebook):
    source = build.read(ROOT / "course" / f"{path.stem}.py")
    variant = build.lesson_of if path.parent.name == "lessons" else build.solution_of
    assert build.same_cells(variant(source), notebook), "run `make build` and commit the result"


@pytest.mark.parametrize(
    ("built", "text"),
    build.shared_files().items(),
    ids=lambda x: x.name if isinstance(x, Path) else "",
)
def test_the_other_built_files_match_their_source(built, text):
    assert built.read_text("utf8") == text, "run `make build` and commit the result"


def test_it_is_valid_and_was_run_from_top_to_bottom(notebook):
    nbformat.validate(notebook)
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_it_has_no_widget_state_error_or_path(path, notebook):
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert build.WIDGET not in output.get("data", {})
            data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
            text = json.dumps([data, output.get("text", "")])
            assert not re.search(r"/(root|home|tmp|Users)/|[A-Z]:\\\\", text), text
            assert str(ROOT) not in text


def test_every_image_has_a_text_alternative(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"!\[\s*\]\(", cell.source), cell.source
            assert not re.search(r"<img(?![^>]*\balt=)", cell.source), cell.source
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                alt = output.metadata["image/png"]["alt"]
                assert len(alt) > 20 and alt in output.data["text/plain"]


def test_at_least_half_of_the_printing_cells_are_compared(path, notebook):
    printing = [c for c in notebook.cells if c.get("outputs")]
    ignored = [c for c in printing if IGNORE & set(c.metadata.get("tags", []))]
    print(f"{name(path)}: {len(printing) - len(ignored)} of {len(printing)} outputs are compared")
    assert len(ignored) <= len(printing) / 2


def test_links_between_lessons_lead_somewhere(path, notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", cell.source):
                assert (path.parent / target).exists(), target


def test_a_lesson_is_small_enough_to_open(path):
    assert path.stat().st_size < 3_000_000


def test_no_machine_path_or_registry_in_the_sources():
    listed = [
        p
        for pattern in ("*.py", "*.toml", "*.txt", "*.yml", "*.md", "Makefile")
        for p in ROOT.rglob(pattern)
        if not {".venv", "build"} & set(p.relative_to(ROOT).parts)
        and ".venv" not in str(p.relative_to(ROOT))
    ]
    assert len(listed) > 20
    for file in listed:
        if file != Path(__file__):
            assert not re.search(r"(?<![\w.])/(root|home)/\w", file.read_text("utf8")), file
