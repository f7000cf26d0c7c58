"""Lesson 09 in JupyterLab, in a real browser: its widgets follow the keyboard."""

import pytest

import lab

pytestmark = lab.needs_browser


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """The page with lesson 09, all cells run."""
    with lab.server(tmp_path_factory.mktemp("lab")) as address, lab.page() as page:
        lab.run_all(page, address, "09_aligning_domains")
        yield page


def test_the_clouds_meet_and_swap(lesson):
    widget = lab.Widget(lesson, "plots.interactive(draw_clouds")
    assert widget.handles.count() == 2
    words = widget.press("End", slider=1)
    assert words.startswith("Target turned by 40 degrees, step 100")
    assert float(words.split("accuracy on the target ")[1].split()[0]) > 90
    words = widget.press("ArrowRight", slider=0)
    assert words.startswith("Target turned by 140 degrees, step 100")
    assert float(words.split("accuracy on the target ")[1].split()[0]) < 10
