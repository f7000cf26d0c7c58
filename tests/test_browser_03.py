"""Lesson 03 in JupyterLab: its questions before the lesson, and what is told at its end."""

import nbformat

import lab

pytestmark = lab.needs_browser


def test_an_answer_before_the_lesson_is_noted_and_judged_at_the_end(tmp_path):
    notebook = lab.upto("03", "ex.q_when.ask(")
    wanted = ("transfer_lib.setup", "ex.before(", "ex.q_when.ask(")
    notebook.cells = [c for c in notebook.cells if any(text in c.source for text in wanted)]
    with lab.server(tmp_path) as address, lab.page() as page:
        nbformat.write(notebook, tmp_path / "lessons/03_questions.ipynb")
        lab.run_all(page, address, "03_questions")
        before = lab.show(page, "ex.before(").locator(".jp-OutputArea").first
        buttons = before.get_by_role("button", name="a", exact=True)
        assert buttons.count() == 3, "one of each question"
        buttons.first.focus()
        page.keyboard.press("Space")
        before.get_by_text("Noted: a.").wait_for()
        assert (
            not before.get_by_text("Right.").count() and not before.get_by_text("Not yet").count()
        )
        lab.run_all(page, address, "03_questions")  # the end of the lesson, later
        end = lab.show(page, "ex.q_when.ask(").locator(".jp-OutputArea").first
        end.get_by_role("button", name="b", exact=True).click()
        end.get_by_text("Before the lesson you answered a.").wait_for()
