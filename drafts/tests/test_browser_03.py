"""Lesson 03's widget in JupyterLab, on what the notebook itself has measured."""

import test_browser_01
from lab import page as open_page
from lab import run_all, server, show

pytestmark = test_browser_01.pytestmark


def test_the_sliders_choose_labels_and_frozen_layers_by_keyboard(tmp_path):
    with server(tmp_path) as address, open_page(test_browser_01.BROWSER) as page:
        run_all(page, address, "03_mnist_pretrain_finetune", timeout=540)
        cell = show(page, "def draw_grid(labels_per_class, frozen_layers)")
        assert cell.locator(".jp-RenderedImage img").count() == 1, "the static figure"
        before, after = test_browser_01.press_right(page, cell, 0)
        assert "with 1 labels per class" in before[1] and "with 5 labels per class" in after[1]
        before, after = test_browser_01.press_right(page, cell, 1)
        assert before[0] != after[0]
        assert "Chosen: 1 frozen" in before[1] and "Chosen: 2 frozen" in after[1]
