"""Lesson 03's widget in JupyterLab: its sliders look up what was measured.

The measurements take minutes, so their cell is replaced by one with made-up numbers; every other
cell is the lesson's own.
"""

import nbformat

import lab

pytestmark = lab.needs_browser
MEASURED = """
backbone = make_backbone(target["x_train"].shape[1:])
convolutions = [layer for layer in backbone.layers if "conv" in layer.name]
GRID_LABELS = (1, 20)
grid = {(k, depth): 0.5 + 0.01 * k + 0.02 * depth for k in GRID_LABELS for depth in range(4)}
"""


def widget_without_measuring():
    """Return the lesson's imports, data, backbone and widget."""
    notebook = lab.upto("03", "def draw_grid")
    *before, widget = notebook.cells
    wanted = ("transfer_lib.setup", "import keras", "def load_pair", "def as_arrays",
              "source, target =", "def make_backbone")  # fmt: skip
    cells = [cell for cell in before if any(text in cell.source for text in wanted)]
    notebook.cells = [*cells, nbformat.v4.new_code_cell(MEASURED), widget]
    return notebook


def test_the_sliders_choose_labels_and_frozen_layers_by_keyboard(tmp_path):
    with lab.server(tmp_path) as address, lab.page() as page:
        nbformat.write(widget_without_measuring(), tmp_path / "lessons/03_widget.ipynb")
        lab.run_all(page, address, "03_widget")
        cell = lab.show(page, "def draw_grid(labels_per_class, frozen_layers)")
        assert cell.locator(".jp-OutputArea img").count() == 1, "only the live figure"
        before, after = lab.press_right(page, cell, 0)
        assert "Chosen: 1 per class" in before[1] and "Chosen: 20 per class" in after[1]
        before, after = lab.press_right(page, cell, 1)
        assert before[0] != after[0], "the figure changes"
        assert ", 1 frozen" in before[1] and ", 2 frozen" in after[1]
        page.screenshot(path=tmp_path / "widget.png")
