"""Lesson 01 in JupyterLab, in a real browser: the drift is guessed before it is seen."""

import nbformat

import lab

pytestmark = lab.needs_browser


def test_the_turns_are_guessed_one_after_another(tmp_path):
    notebook = lab.upto("01", "plots.guess(")
    notebook.cells = [cell for cell in notebook.cells if "ex.before(" not in cell.source]
    with lab.server(tmp_path) as address, lab.page() as page:
        nbformat.write(notebook, tmp_path / "lessons/01_opening.ipynb")
        lab.run_all(page, address, "01_opening")
        lab.show(page, "You see the target's points")
        button = page.get_by_role("button", name="about 100 %")
        button.wait_for()
        cell = page.locator(".jp-Cell", has=button)
        assert cell.locator(".jp-OutputArea img").count() == 1, "one live figure"
        said = cell.locator('[role="status"]').last
        for number in range(1, 6):
            assert "turned by" in cell.locator(".jp-OutputArea img").get_attribute("alt")
            button.click()
            said.get_by_text(f"picture {number} is about").wait_for()
        assert "You named 1 of 5" in said.inner_text()
