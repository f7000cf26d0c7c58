"""Lesson 02 in JupyterLab, in a real browser: its widgets follow the keyboard."""

import pytest

import lab

pytestmark = lab.needs_browser


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """The page with lesson 02, all cells run."""
    with lab.server(tmp_path_factory.mktemp("lab")) as address, lab.page() as page:
        lab.run_all(page, address, "02_two_losses")
        yield page


def test_no_cell_fails_and_mathematics_is_typeset(lesson):
    cell = lab.show(lesson, "Set the gradient to zero and collect")
    cell.locator("mjx-container").first.wait_for()
    assert not lesson.locator("mjx-merror").count()
    assert not lesson.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count()


def test_lambda_moves_the_weights(lesson):
    widget = lab.Widget(lesson, "plots.interactive(draw_lambda")
    assert widget.shown[1].startswith("λ = 1:")
    up = [widget.press("ArrowRight") for _ in range(3)]
    assert [words.split(":")[0] for words in up] == ["λ = 1.78", "λ = 3.16", "λ = 5.62"]
    assert widget.press("ArrowLeft") == up[1]


def test_the_learning_rate_makes_the_walk_diverge(lesson):
    widget = lab.Widget(lesson, "plots.interactive(draw_walk")
    assert "converges, oscillating" in widget.shown[1]
    assert "diverges" in widget.press("End")
    assert "never settles" in widget.press("ArrowLeft")
    assert widget.press("Home").endswith("The walk converges.")
