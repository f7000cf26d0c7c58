"""Lesson 02 in JupyterLab, in a real browser: its widgets follow the keyboard."""

import time

import pytest

import lab

pytestmark = lab.needs_browser


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """The page with lesson 02, all cells run."""
    with lab.server(tmp_path_factory.mktemp("lab")) as address, lab.page() as page:
        lab.run_all(page, address, "02_loss_mathematics")
        yield page


class Widget:
    """A figure with sliders, in the cell that makes it."""

    def __init__(self, page, function):
        self.page = page
        self.cell = lab.show(page, f"plots.interactive({function}")
        self.image = self.cell.locator(".jupyter-widgets img")
        self.image.wait_for()
        self.handles = self.cell.locator('.noUi-handle[role="slider"]')

    @property
    def shown(self):
        return self.image.get_attribute("src"), self.image.get_attribute("alt")

    def press(self, key, slider=0):
        """Press a key on a slider; return the new words and the seconds until they were there."""
        before = self.shown
        self.handles.nth(slider).focus()
        start = time.perf_counter()
        self.page.keyboard.press(key)
        while self.shown[0] == before[0]:
            if time.perf_counter() - start > 20:
                told = self.cell.locator('[role="alert"]').all_inner_texts()
                raise AssertionError(f"{key} changed nothing. Told: {told}. Figure: {before[1]}")
            time.sleep(0.01)
        seconds = time.perf_counter() - start
        words = self.shown[1]
        assert words != before[1]
        self.cell.locator('[role="status"]', has_text=words[:40]).wait_for()
        assert not self.cell.locator('[role="alert"]').count()
        return words, seconds


def test_no_cell_fails_and_mathematics_is_typeset(lesson):
    cell = lab.show(lesson, "Set the gradient to zero and collect")
    cell.locator("mjx-container").first.wait_for()
    assert not lesson.locator("mjx-merror").count()
    assert not lesson.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count()


def test_lambda_moves_the_weights(lesson):
    widget = Widget(lesson, "draw_lambda")
    assert widget.shown[1].startswith("λ = 1:")
    up = [widget.press("ArrowRight") for _ in range(3)]
    assert [words.split(":")[0] for words, _ in up] == ["λ = 1.78", "λ = 3.16", "λ = 5.62"]
    assert widget.press("ArrowLeft")[0] == up[1][0]
    assert min(seconds for _, seconds in up) < 2  # drawing alone: see test_lesson_02.py


def test_the_clouds_meet_and_swap(lesson):
    widget = Widget(lesson, "draw_clouds")
    assert widget.handles.count() == 2
    words = widget.press("End", slider=1)[0]
    assert words.startswith("Target turned by 40 degrees, step 100")
    assert float(words.split("accuracy on the target ")[1].split()[0]) > 90
    words = widget.press("ArrowRight", slider=0)[0]
    assert words.startswith("Target turned by 140 degrees, step 100")
    assert float(words.split("accuracy on the target ")[1].split()[0]) < 10


def test_the_learning_rate_makes_the_walk_diverge(lesson):
    widget = Widget(lesson, "draw_walk")
    assert "converges, oscillating" in widget.shown[1]
    assert "diverges" in widget.press("End")[0]
    assert "never settles" in widget.press("ArrowLeft")[0]
    assert widget.press("Home")[0].endswith("The walk converges.")
