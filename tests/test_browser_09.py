"""Lesson 09 in JupyterLab, in a real browser: its widget follows the keyboard."""

import nbformat

import lab

pytestmark = lab.needs_browser


def test_the_clouds_meet_and_swap(tmp_path):
    notebook = lab.upto("09", "plots.interactive(draw_clouds")
    notebook.cells = [cell for cell in notebook.cells if "ex." not in cell.source]
    with lab.server(tmp_path) as address, lab.page() as page:
        nbformat.write(notebook, tmp_path / "lessons/09_clouds.ipynb")
        lab.run_all(page, address, "09_clouds")
        widget = lab.Widget(page, "plots.interactive(draw_clouds")
        assert widget.handles.count() == 2
        words = widget.press("End", slider=1)
        assert words.startswith("Step 100: ") and int(words.split()[2]) > 90
        words = widget.press("ArrowRight", slider=0)
        assert words.startswith("Step 100: ") and int(words.split()[2]) < 10
