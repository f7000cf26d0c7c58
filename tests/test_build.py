"""The build: blanks the answers, strips the markers, refuses bad sources, repeats to the byte."""

import ast
import json
import shutil

import nbformat
import pytest

import build
import cells as cells_module
import notebooks

HEADER = '# %% [markdown] needs="Python" engine="none"\n# # 00. Start here\n\n'
FOLDERS = ("solutions", "lessons")
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
    monkeypatch.setattr(cells_module, "ROOT", tmp_path)

    def write(cells):
        path = tmp_path / "course/00_first_transfer.py"
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


@pytest.mark.parametrize(
    ("line", "blank"),
    [
        ("x = a * b  ### SOLUTION", "x = ..."),
        ("    x[0], y = (a * b), 1  ### SOLUTION", "    x[0], y = ..."),
        ("x += f(a=1)  ### SOLUTION", "x += ..."),
        ('é: str = "="  ### SOLUTION', "é: str = ..."),
        ("    return (a + b) / 2  ### SOLUTION", "    return ..."),
    ],
)
def test_an_answer_of_one_line_is_marked_at_its_end(course, line, blank):
    body = f"if True:\n{line}\n" if line.startswith(" ") else f"{line}\n"
    notebook = build.read(course(f"{CELL}{body}"))
    assert build.lesson_of(notebook).cells[1].source.split("\n")[-1] == blank
    assert build.solution_of(notebook).cells[1].source.split("\n")[-1] == line.split("  ###")[0]


def test_an_argument_of_a_call_is_an_answer_too(course):
    notebook = build.read(course(f"{CELL}x = f(\n    1,\n    a=b == 2,  ### SOLUTION\n)\n"))
    assert build.lesson_of(notebook).cells[1].source == "x = f(\n    1,\n    a=...,\n)"
    assert build.solution_of(notebook).cells[1].source == "x = f(\n    1,\n    a=b == 2,\n)"


def test_a_question_is_answered_from_the_exercises(course, monkeypatch):
    monkeypatch.setattr(cells_module, "letter", {"00.q": "b"}.get)
    path = course("# %%\nex.q.ask(...)\n")
    notebook = build.read(path)
    assert build.lesson_of(notebook).cells[1].source == "ex.q.ask(...)"
    assert build.solution_of(notebook).cells[1].source == 'ex.q.ask("b")'
    assert "question" not in build.lesson_of(notebook).cells[1].metadata
    assert build.answers() == {"00.q": {"starter": "ex.q.ask(...)", "solution": 'ex.q.ask("b")'}}


def test_a_question_that_is_not_there_is_refused():
    with pytest.raises(build.BuildError, match="lesson 00 has no question q_none"):
        cells_module.letter("00.q_none")


def test_the_appendix_is_a_lesson(course):
    path = course("# %%\n1\n")
    text = path.read_text().replace("# # 00. ", "# # A1. ")
    path.with_name("A1_fields.py").write_text(text)
    assert [row.number for row in build.table()] == ["00", "A1"]
    assert build.source_of("A1").stem == "A1_fields"


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
        ("x = 3  # SOLUTION\n", "a marker is written"),
        ("f(x)  ### SOLUTION\n", "ends a line like `x = value`"),
        ("f(\n    3,  ### SOLUTION\n)\n", "ends a line like `x = value`"),
        (WHOLE.replace("    3", "    3  ### SOLUTION"), "inside a solution"),
        ("ex.a.ask(...)\nex.b.ask(...)\n", "needs a cell of its own"),
    ],
)
def test_bad_markers_are_refused(course, cells, words):
    with pytest.raises(build.BuildError, match=words):
        build.read(course(CELL + cells))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("# %%\n" + WHOLE, "needs `exercise=`"),
        ("# %%\nx = 3  ### SOLUTION\n", "needs `exercise=`"),
        (CELL.replace("00", "01") + WHOLE, "another lesson's number"),
        (CELL + "x = 3\n", "needs a solution"),
        (CELL + WHOLE + "\n" + CELL + WHOLE, "two cells"),
    ],
)
def test_incomplete_exercises_are_refused(course, cells, words):
    course(cells)
    with pytest.raises(build.BuildError, match=words):
        build.answers()


@pytest.mark.parametrize(
    ("old", "new"),
    [("# # 00. ", "# # 01. "), ('needs="Python" ', ""), ('engine="none"', 'engine="tf"')],
)
def test_the_first_cell_describes_the_lesson(course, old, new):
    path = course("# %%\n1\n")
    row = build.table()[0]
    assert (row.number, row.title, row.needs, row.engine) == ("00", "Start here", "Python", "none")
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(build.BuildError, match="must begin with `# 00. Title`"):
        build.read(path)


def test_folded_cells_open_folded(course):
    path = course('# %% tags=["hide-input"]\nprint(1)\n\n# %%\nprint(2)\n')
    folded, shown = build.read(path).cells[1:]
    assert folded.metadata["jupyter"] == {"source_hidden": True}
    assert folded.metadata["cellView"] == "form"
    assert "jupyter" not in shown.metadata


def test_badge_and_colab_lines_are_stamped(course):
    path = course('# %% tags=["setup"]\nimport transfer_lib\n')
    where = {"repository": "https://github.com/school/course", "branch": "main"}
    notebook = build.read(path, where)
    link = "github/school/course/blob/main/lessons/00_first_transfer.ipynb"
    assert link in notebook.cells[0].source
    assert "transfer-lib @ git+https://github.com/school/course@main" in notebook.cells[1].source
    assert notebook.cells[1].source.endswith("\nimport transfer_lib")


def test_no_badge_and_no_install_lines_lead_to_a_placeholder(course):
    where = {"repository": f"https://github.com/{notebooks.PLACEHOLDER}", "branch": "main"}
    path = course('# %% tags=["setup"]\nimport transfer_lib\n')
    notebook = build.read(path, where)
    assert "colab" not in notebook.cells[0].source.lower()
    assert notebook.cells[1].source == "import transfer_lib"


def test_weights_are_installed_only_where_a_lesson_needs_them():
    where = {"repository": "https://github.com/school/course", "branch": "main"}
    needed = {
        build.number_of(path): notebooks.extras(path.read_text("utf8")) for path in build.sources()
    }
    assert needed["06"] == needed["07"] == ["text"]
    assert needed["00"] == ["images"] and needed["02"] == []
    lines = notebooks.install_lines("from transfer_lib import encoders", where)
    assert "transfer-lib[text] @ git+" in lines and "83 MB" in lines


def test_two_runs_are_equal_to_the_byte(course, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "answers", dict)
    path = course("# %%\nprint('once')\nprint('twice')\n\n# %%\n1 + 1\n")
    assert build.build(path) == [f"{folder}/00_first_transfer.ipynb" for folder in FOLDERS]
    solution, lesson = (tmp_path / folder / f"{path.stem}.ipynb" for folder in FOLDERS)
    first = solution.read_bytes()
    assert json.loads(first)["cells"][1]["outputs"][0]["text"] == ["once\n", "twice\n"]
    for cell in json.loads(lesson.read_bytes())["cells"][1:]:
        assert cell["outputs"] == [] and cell["execution_count"] is None
    assert build.build(path) == []
    assert build.build(path, force=True) == []
    assert solution.read_bytes() == first
    path.write_text(path.read_text().replace("1 + 1", "1 + 2"))
    assert len(build.build(path)) == 2


def test_a_change_of_prose_keeps_the_outputs(course, monkeypatch):
    monkeypatch.setattr(build, "answers", dict)
    path = course("# %%\nprint(1)\n\n# %% [markdown]\n# Old.\n")
    build.build(path)
    path.write_text(path.read_text().replace("Old", "New"))
    monkeypatch.setattr(build, "execute", None)
    assert len(build.build(path)) == 2
    solution = nbformat.read(cells_module.ROOT / f"solutions/{path.stem}.ipynb", 4)
    assert solution.cells[1].outputs[0].text == "1\n" and solution.cells[2].source == "New."


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
