"""The built notebooks, without running them: in step with their source and fit for anyone."""

import json
import re
from pathlib import Path

import nbformat
import pytest

import budget
import build
import taught
from cells import parse

ROOT = build.ROOT
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))
NOTEBOOKS = LESSONS + SOLUTIONS
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
    ids=lambda x: f"{x.parent.name}/{x.name}" if isinstance(x, Path) else "",
)
def test_the_other_built_files_match_their_source(built, text):
    assert built.read_text("utf8") == text, "run `make build` and commit the result"


def test_no_built_module_is_left_without_its_source():
    assert taught.stale() == [], "run `make build` and commit the result"


def test_it_is_valid(notebook):
    nbformat.validate(notebook)


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_a_solution_was_run_from_top_to_bottom(notebook):
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_spoils_nothing(notebook):
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_is_its_solution_outside_of_exercises(path, notebook):
    """The solution is run in the tests; so what the lesson shares with it runs as well."""
    solution = nbformat.read(ROOT / "solutions" / path.name, 4)
    for cell, solved in zip(notebook.cells, solution.cells, strict=True):
        assert cell.id == solved.id and cell.metadata == solved.metadata
        if "exercise" not in cell.metadata:
            asked = re.sub(r'^(ex\.\w+\.ask)\("\w"\)$', r"\1(...)", solved.source, flags=re.M)
            assert cell.source == asked


@pytest.mark.parametrize("path", build.sources(), ids=lambda path: path.stem)
def test_no_cell_needs_what_only_the_learner_defines(path):
    """A lesson runs from top to bottom, nothing answered. A check takes what is not attempted."""
    answered = {}
    for cell in parse(path).cells:
        if cell.cell_type != "code":
            continue
        code = re.sub(r"^(\s*)([%!]|ex\.\w+\.check\().*$", r"\1pass", cell.source, flags=re.M)
        if "exercise" in cell.metadata:
            answered |= dict.fromkeys(taught.bound(code), cell.metadata["exercise"])
            continue
        for missing in sorted(taught.needed(code) & answered.keys()):
            pytest.fail(f"{missing} of exercise {answered[missing]} is needed in:\n{cell.source}")
        for again in taught.bound(code):
            answered.pop(again, None)


@pytest.mark.slow
def test_the_first_lesson_runs_unanswered():
    build.unanswered(build.source_of("00"))


@pytest.mark.parametrize("path", build.sources(), ids=lambda path: path.stem)
def test_a_lesson_keeps_to_its_budget(path):
    assert budget.problems(path) == []


def test_every_exception_is_needed_and_has_a_reason():
    assert budget.unneeded() == [], "delete these from course/exceptions.toml"
    assert all(row["reason"] for row in budget.exceptions().values())


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


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
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
