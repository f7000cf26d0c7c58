"""Lesson 01 in JupyterLab, in a real browser: it runs, and its sliders move by keyboard."""

import lab

pytestmark = lab.needs_browser


def test_the_sliders_move_by_keyboard(tmp_path):
    with lab.server(tmp_path) as address, lab.page() as page:
        lab.run_all(page, address, "01_what_transfers")
        assert not page.locator(".jp-RenderedText[data-mime-type*='stderr']").count()

        cell = lab.show(page, "shift_widget = plots.interactive")
        assert cell.locator(".jp-OutputArea img").count() == 1, "only the live figure"
        before, after = lab.press_right(page, cell, 0)
        assert before[0] != after[0], "the figure changes"
        assert "turned by 0 degrees" in before[1] and "turned by 15 degrees" in after[1]
        before, after = lab.press_right(page, cell, 4)
        assert "with 0 target labels" in before[1] and "with 4 target labels" in after[1]
