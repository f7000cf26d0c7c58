"""Lesson 01 in JupyterLab, in a real browser: it runs, and its sliders move by keyboard."""

import os

import pytest

import ensure_browser
import lab

BROWSER = ensure_browser.find()
if BROWSER is None and os.environ.get("CI"):
    pytest.fail("no Chromium found: run tools/ensure_browser.py", pytrace=False)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium found: run tools/ensure_browser.py"
)


def press_right(page, cell, position):
    """Move a cell's slider one step with the keyboard; return the image before and after."""
    image = cell.locator(".jupyter-widgets img").first
    image.wait_for(timeout=60_000)
    before = image.get_attribute("src"), image.get_attribute("alt")
    handle = cell.locator('.noUi-handle[role="slider"]').nth(position)
    start = handle.get_attribute("aria-valuenow")
    for _ in range(5):  # a page that is still being laid out can lose the focus, and so the key
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(1000)
        if handle.get_attribute("aria-valuenow") != start:
            break
    after = before
    for _ in range(600):  # at most a minute: the kernel may be slow on a loaded machine
        after = image.get_attribute("src"), image.get_attribute("alt")
        if after != before:
            break
        page.wait_for_timeout(100)
    return before, after


def test_the_sliders_of_both_widgets_move_by_keyboard(tmp_path):
    with lab.server(tmp_path) as address, lab.page(BROWSER) as page:
        lab.run_all(page, address, "01_concepts")
        assert not page.locator(".jp-RenderedText[data-mime-type*='stderr']").count()

        cell = lab.show(page, "shift_widget = plots.interactive")
        assert cell.locator(".jp-RenderedImage img").count() == 1, "the static figure"
        before, after = press_right(page, cell, 0)
        assert before[0] != after[0], "the figure changes"
        assert "turned by 0 degrees" in before[1] and "turned by 15 degrees" in after[1]
        before, after = press_right(page, cell, 4)
        assert "with 0 target labels" in before[1] and "with 4 target labels" in after[1]

        cell = lab.show(page, "map_widget = plots.interactive")
        before, after = press_right(page, cell, 1)
        assert before[0] != after[0]
        assert "labels per class 1:" in before[1] and "labels per class 3:" in after[1]
