"""A figure with sliders in JupyterLab, on a small screen: one figure, in view with its sliders."""

import nbformat

import lab

pytestmark = lab.needs_browser
CODE = """
import numpy as np
from transfer_lib import plots

def draw(turn, shift, scale, positives, k):
    fig, ax = plots.figure(figsize=(8, 7))
    ax.plot([0, 1, 2], [turn, k, 50], label="way")
    return fig

plots.interactive(
    draw, turn=[0, 15, 30], shift=[0.0, 0.5], scale=[1.0, 0.5],
    positives={"50 %": 0.5, "30 %": 0.3}, k=[0, 4, 10], descriptions={"k": "Target labels (count)"},
)
"""


def test_the_live_figure_is_the_only_one_and_in_view(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    with lab.server(tmp_path) as address, lab.page() as page:
        page.set_viewport_size({"width": 1366, "height": 768})
        nbformat.write(notebook, tmp_path / "lessons/widget.ipynb")
        lab.run_all(page, address, "widget")
        cell = lab.show(page, "def draw(turn")
        before, after = lab.press_right(page, cell, 0)
        assert "way: 0 at 0" in before[1] and "way: 15 at 0" in after[1]
        assert before[0] != after[0]
        assert cell.locator(".jp-OutputArea img").count() == 1
        handles = cell.locator('.noUi-handle[role="slider"]')
        assert handles.count() == 5
        image = cell.locator(".jp-OutputArea img")
        image.evaluate("image => image.scrollIntoView({block: 'end'})")
        page.wait_for_timeout(500)
        page.screenshot(path=tmp_path / "widget.png")
        top, picture = handles.first.bounding_box(), image.bounding_box()
        frame = page.locator(".jp-Notebook:visible").first.bounding_box()
        assert top["y"] >= frame["y"], "the first slider is in view"
        assert picture["y"] + picture["height"] <= frame["y"] + frame["height"] + 1
        assert (
            350 < picture["height"] < 450
            and abs(picture["width"] / picture["height"] - 8 / 7) < 0.02
        )
