"""Lesson 08 in JupyterLab, in a real browser: it runs, and its sliders move by keyboard."""

import lab

pytestmark = lab.needs_browser


def test_the_sliders_move_by_keyboard(tmp_path):
    with lab.server(tmp_path) as address, lab.page() as page:
        lab.run_all(page, address, "08_four_ways")
        assert not page.locator(".jp-RenderedText[data-mime-type*='stderr']").count()

        cell = lab.show(page, "map_widget = plots.interactive")
        before, after = lab.press_right(page, cell, 1)
        assert before[0] != after[0]
        assert "labels per class 1:" in before[1] and "labels per class 3:" in after[1]
