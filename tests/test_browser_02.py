"""Lesson 02 in JupyterLab, in a real browser: the knob moves the minimum."""

import nbformat

import lab

pytestmark = lab.needs_browser


def test_lambda_moves_the_minimum_by_keyboard(tmp_path):
    notebook = lab.upto("02", "plots.interactive(draw_lambda")
    notebook.cells = [cell for cell in notebook.cells if "ex.before(" not in cell.source]
    with lab.server(tmp_path) as address, lab.page() as page:
        nbformat.write(notebook, tmp_path / "lessons/02_knob.ipynb")
        lab.run_all(page, address, "02_knob")
        cell = lab.show(page, "plots.interactive(draw_lambda")
        assert not page.locator("mjx-merror").count()
        assert cell.locator(".jp-OutputArea img").count() == 1, "only the live figure"
        before, after = lab.press_right(page, cell, 0)
        assert before[0] != after[0], "the figure changes"
        assert before[1].startswith("λ = 0.") and after[1].startswith("λ = 0.1.")
