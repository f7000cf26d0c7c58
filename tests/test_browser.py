"""The course in JupyterLab, in a real browser: the notebook opens, runs, and answers."""

import json

import pytest

import lab

pytestmark = lab.needs_browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def address(folder):
    with lab.server(folder) as address:
        yield address


@pytest.fixture
def page():
    with lab.page() as page:
        yield page


def test_lesson_00_runs_and_its_question_answers_by_keyboard(address, page, folder):
    lab.run_all(page, address, "00_first_transfer")
    cell = lab.show(page, "ex.q_profile.ask(choice)")
    letters = cell.locator(".jp-OutputArea button")
    letters.first.wait_for()
    assert letters.all_inner_texts() == ["a", "b", "c"]
    letters.first.focus()
    page.keyboard.press("Space")
    cell.get_by_text("A GPU is faster, and never required.").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    cell.get_by_text("The quick profile is the default without a GPU.").wait_for()
    row = json.loads((folder / "home/progress.json").read_text())["exercises"]["00.q_profile"]
    assert row["outcome"] == "right" and row["attempts"] == 2
