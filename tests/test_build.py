"""The build: blanks the answers, strips the markers, refuses bad sources, repeats to the byte."""

import ast
import json
import shutil

import nbformat
import pytest

import build

HEADER = "# %% [markdown]\n# # 00. Start here\n\n"
CELL = '# %% exercise="00.a"\n'
WHOLE = """x = (
    ### BEGIN SOLUTION
    3
    ### END SOLUTION
)
ex.a.check(x)
"""
BODY = """def f(a):
    b = a + 1
    ### BEGIN SOLUTION
    c = b * 2
    return c
    ### END SOLUTION


ex.a.check(f)
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one lesson, whose cells a test writes."""
    (tmp_path / "course").mkdir()
    shutil.copy(build.ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(build, "ROOT", tmp_path)

    def write(cells):
        path = tmp_path / "course/00_start_here.py"
        path.write_text(HEADER + cells, "utf8")
        return path

    return write


def test_a_value_and_a_body_are_blanked_and_answered(course):
    notebook = build.read(course(CELL + WHOLE))
    assert build.lesson_of(notebook).cells[1].source == "x = ...\nex.a.check(x)"
    assert build.solution_of(notebook).cells[1].source == "x = 3\nex.a.check(x)"
    notebook = build.read(course(CELL + BODY))
    blank = build.lesson_of(notebook).cells[1].source
    assert blank.startswith("def f(a):\n    b = a + 1\n    ...\n")
    ast.parse(blank)
    answered = build.solution_of(notebook).cells[1].source
    assert "    c = b * 2\n    return c\n" in answered and "SOLUTION" not in answered


def test_answers_come_from_the_source(course):
    course(CELL + WHOLE)
    assert build.answers() == {"00.a": {"starter": "x = ...", "solution": "x = 3"}}


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (WHOLE.replace("    ### END SOLUTION\n", ""), "unclosed"),
        (WHOLE.replace("    3\n", "    ### BEGIN SOLUTION\n"), "nested"),
        (WHOLE.replace("    ### BEGIN SOLUTION\n", ""), "END without BEGIN"),
        (WHOLE.replace("### BEGIN", "# BEGIN"), "a marker is written"),
    ],
)
def test_bad_markers_are_refused(course, cells, words):
    with pytest.raises(build.BuildError, match=words):
        build.read(course(CELL + cells))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("# %%\n" + WHOLE, "needs `exercise=`"),
        (CELL + "x = 3\n", "needs a solution"),
        (CELL + WHOLE + "\n" + CELL + WHOLE, "two cells"),
    ],
)
def test_incomplete_exercises_are_refused(course, cells, words):
    course(cells)
    with pytest.raises(build.BuildError, match=words):
        build.answers()


def test_the_title_comes_from_the_table(course):
    path = course("# %%\n1\n")
    path.write_text(path.read_text().replace("Start here", "Begin"))
    with pytest.raises(build.BuildError, match="the first line must be `# 00. Start here`"):
        build.read(path)


def test_badge_and_colab_lines_are_stamped(course):
    path = course('# %% tags=["setup"]\nimport transfer_lib\n')
    where = build.address()
    notebook = build.read(path)
    assert "/blob/main/lessons/00_start_here.ipynb" in notebook.cells[0].source
    assert f"git+{where['repository']}@{where['branch']}" in notebook.cells[1].source
    assert notebook.cells[1].source.endswith("\nimport transfer_lib")


def test_two_runs_are_equal_to_the_byte(course, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "answers", dict)
    path = course("# %%\nprint('once')\nprint('twice')\n\n# %%\n1 + 1\n")
    assert build.build(path) == ["solutions/00_start_here.ipynb", "lessons/00_start_here.ipynb"]
    target = tmp_path / "lessons/00_start_here.ipynb"
    first = target.read_bytes()
    assert json.loads(first)["cells"][1]["outputs"][0]["text"] == ["once\n", "twice\n"]
    assert build.build(path) == []
    assert len(build.build(path, force=True)) == 2
    assert target.read_bytes() == first
    path.write_text(path.read_text().replace("1 + 1", "1 + 2"))
    assert len(build.build(path)) == 2


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("import warnings; warnings.warn('old')", "a cell warns"),
        ("import sys; print('x', file=sys.stderr)", "a cell warns"),
        ("import os; print(os.path.expanduser('~'))", "a path of this machine"),
        ("from matplotlib.figure import Figure; Figure()", "text alternative"),
    ],
)
def test_a_bad_run_is_refused_and_nothing_is_written(course, tmp_path, monkeypatch, cell, words):
    monkeypatch.setattr(build, "answers", dict)
    if "Figure" in cell:
        cell = "from IPython.display import display\ndisplay({'image/png': 'AAAA'}, raw=True)"
    with pytest.raises(build.BuildError, match=words):
        build.build(course(f"# %%\n{cell}\n"))
    assert not (tmp_path / "lessons").exists()


def test_a_run_with_a_wrong_solution_is_refused(course, monkeypatch):
    monkeypatch.setattr(build, "answers", lambda: {"00.a": {}})
    with pytest.raises(build.BuildError, match="expected \\['00.a'\\]"):
        build.build(course("# %%\n1\n"))


def test_widget_state_is_dropped():
    output = nbformat.v4.new_output(
        "display_data", {build.WIDGET: {"model_id": "x"}, "text/plain": "words"}
    )
    assert build._cleaned(output, "name").data == {"text/plain": "words"}
