"""Lesson 00 in JupyterLab, in a real browser: it runs, answers, and is played by keyboard."""

import json

import pytest

import lab
from transfer_lib import exercises

pytestmark = lab.needs_browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def address(folder):
    with lab.server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def lesson(address):
    """The page with lesson 00, all cells run."""
    with lab.page() as page:
        lab.run_all(page, address, "00_first_transfer")
        yield page


def _letters():
    """Return the letter of the answer that is too low, and that of the right one."""
    question = exercises.of("00").q_untrained
    low = next(x for x, (_, words) in question.choices.items() if words.startswith("Lower"))
    return low, question.right


def test_a_question_answers_by_keyboard(lesson, folder):
    cell = lab.show(lesson, "ex.q_untrained.ask(...)")
    letters = cell.locator(".jp-OutputArea button")
    letters.first.wait_for()
    assert letters.all_inner_texts() == ["a", "b", "c"]
    below = cell.locator(".jp-OutputArea .widget-html").last
    assert "Not attempted yet." in below.inner_text()
    wrong, right = (letters.nth("abc".index(letter)) for letter in _letters())
    wrong.focus()
    lesson.keyboard.press("Space")
    cell.get_by_text("Lower than it is.").wait_for()
    right.focus()
    lesson.keyboard.press("Enter")
    cell.get_by_text("Random filters still keep a part of the colours.").wait_for()
    assert "Not attempted" not in below.inner_text()
    lines = (folder / "home/progress.jsonl").read_text().split("\n")
    events = [json.loads(line) for line in lines if "q_untrained" in line]
    assert [event["event"] for event in events] == ["not yet", "right"]


def test_the_game_is_played_by_keyboard_to_its_end(lesson):
    lab.show(lesson, "Picture 1 of 10")
    cell = lesson.locator(".jp-Cell", has=lesson.get_by_role("button", name="galaxies"))
    buttons, said = cell.locator(".jp-OutputArea button"), cell.locator('[role="status"]')
    buttons.first.wait_for()
    assert buttons.count() == 10
    buttons.nth(3).focus()
    for number in range(1, 11):
        lesson.keyboard.press("Space")
        said.get_by_text(f"picture {number} is ").wait_for()
    assert "You named 1 of 10." in said.inner_text()  # one piece of each photograph
    assert buttons.first.is_disabled()


def test_the_knob_moves_the_bars(lesson):
    widget = lab.Widget(lesson, "Right of 250 test pieces (%)")
    assert widget.shown[1].startswith("Examples per class: 1.")
    assert widget.press("End").startswith("Examples per class: 10.")
