"""What a learner sees: rich in a notebook, plain text elsewhere, always in words."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from transfer_lib import exercises, lessons
from transfer_lib.exercises import lesson_00
from transfer_lib.practice import (
    Exercise,
    Outcome,
    Question,
    Verdict,
    Wrong,
    answer_text,
    journal,
)
from transfer_lib.practice.exercise import SHOWN_AS
from transfer_lib.show import Table, show_widget


@pytest.fixture
def notebook():
    """An IPython shell, so that display() makes rich output as in a notebook."""
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def contrast_with_white(colour):
    """Return the contrast ratio of WCAG 2.1, equation for relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


def test_every_outcome_has_words_and_a_visible_colour():
    assert len({title for title, _ in SHOWN_AS.values()}) == len(Outcome) == len(SHOWN_AS)
    assert all(contrast_with_white(colour) >= 4.5 for _, colour in SHOWN_AS.values())


def test_verdict_in_text_and_html():
    verdict = Verdict(Outcome.WRONG, "Use `a < b`.", "line <1>")
    assert repr(verdict) == "Not yet. Use `a < b`.\nline <1>"
    page = verdict._repr_html_()
    assert "<code>a &lt; b</code>" in page and "line &lt;1&gt;" in page
    assert 'role="status"' in page


def test_check_hint_and_solution_show_and_record(notebook):
    with capture_output() as shown:
        lesson_00.accuracy.check(lambda predicted, labels: 5)
        for _ in range(4):
            lesson_00.accuracy.hint()
        lesson_00.accuracy.solution()
    words = [output.data["text/plain"] for output in shown.outputs]
    assert words[0].startswith("Not yet. This is the number of right predictions.")
    assert [word.split(".")[0] for word in words[1:5]] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        "Hint 1 of 3",
    ]
    assert "ex.accuracy.solution()" in words[3]
    assert words[5] == "Solution:\n" + answer_text("00.accuracy")["solution"]
    row = journal.load()["00.accuracy"]
    assert row == {
        "outcome": "not yet",
        "attempts": 1,
        "hints": 4,
        "solution_shown": True,
        "guess": "",
    }


CHOICES = [
    {"text": "One", "feedback": "Not one."},
    {"text": "Two", "feedback": "Yes, two.", "right": True},
    {"text": "Three", "feedback": "Not three."},
]
QUESTION = Question("00.q6", "Which?", CHOICES)  # a) One, b) Two, c) Three


def test_letters_do_not_depend_on_the_order_in_the_file():
    for choices in (CHOICES[::-1], CHOICES[1:] + CHOICES[:1]):
        other = Question("00.q6", "Which?", choices)
        assert (other.choices, other.right) == (QUESTION.choices, QUESTION.right)
    rights = {Question(f"00.q{i}", "Which?", CHOICES).right for i in range(20)}
    assert rights == {"a", "b", "c"}


def test_the_right_choice_is_not_recognisable_by_its_length():
    items = [i for lesson in lessons.LESSONS for i in vars(exercises.of(lesson.number)).values()]
    questions = [item for item in items if isinstance(item, Question)]
    longest = shortest = 0
    for question in questions:
        lengths = {letter: len(text) for letter, (text, _) in question.choices.items()}
        longest += lengths[question.right] == max(lengths.values())
        shortest += lengths[question.right] == min(lengths.values())
    assert longest <= len(questions) / 3 and shortest <= len(questions) / 3


@pytest.mark.parametrize("answer", ["b", "B", " b ", "b)", "(b)", "two", "Two"])
def test_question_right(answer):
    assert QUESTION.judge(answer).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("answer", "words"),
    [("a", "Not one."), ("c", "Not three."), ("d", "not one of the choices"), (2, "in quotes")],
)
def test_question_wrong_has_its_feedback(answer, words):
    verdict = QUESTION.judge(answer)
    assert verdict.outcome is Outcome.WRONG and words in verdict.message


def test_question_not_attempted():
    verdict = QUESTION.judge(...)
    assert verdict.outcome is Outcome.NOT_ATTEMPTED and "Click a letter" in verdict.message


@pytest.fixture
def shown_widgets(monkeypatch):
    """Collect the widgets that are shown, instead of showing them."""
    found = []
    monkeypatch.setattr("transfer_lib.show.show", lambda thing: None)
    monkeypatch.setattr("transfer_lib.show.show_widget", lambda box, text: found.append(box))
    return found


def asked(shown_widgets, ask):
    """Return the row of buttons and the text below it that a call shows."""
    ask()
    return shown_widgets[-1].children


def test_a_guess_before_the_lesson_is_kept_and_told_at_the_end(shown_widgets):
    buttons, noted = asked(shown_widgets, QUESTION.guess)
    buttons.children[0].click()
    assert noted.value.startswith("Noted: a.") and "Not one." not in noted.value
    assert journal.load()["00.q6"]["outcome"] == "not attempted"
    buttons, answer = asked(shown_widgets, QUESTION.ask)
    buttons.children[1].click()
    assert "Yes, two." in answer.value and "Before the lesson you answered a." in answer.value


def test_question_buttons_check_and_record(shown_widgets):
    buttons, answer = asked(shown_widgets, QUESTION.ask)
    assert "Not attempted yet." in answer.value
    assert [button.description for button in buttons.children] == ["a", "b", "c"]
    buttons.children[2].click()
    assert "Not three." in answer.value and "Not attempted" not in answer.value
    buttons.children[1].click()
    assert "Yes, two." in answer.value
    row = journal.load()["00.q6"]
    assert (row["outcome"], row["attempts"]) == ("right", 2)


def test_question_in_plain_text():
    assert repr(QUESTION) == "Which?\n  a) One\n  b) Two\n  c) Three"


@pytest.mark.parametrize(
    "choices",
    [
        CHOICES[1:2],
        CHOICES[::2],
        [*CHOICES, CHOICES[1]],
        [CHOICES[1], {"text": "", "feedback": "z"}],
        [CHOICES[1], {"text": "y"}],
    ],
)
def test_question_must_be_complete(choices):
    with pytest.raises(ValueError, match="question '00.q'"):
        Question("00.q", "Which?", choices)


def test_asking_shows_the_question_and_words_for_where_no_widget_runs(notebook):
    with capture_output() as shown:
        QUESTION.ask(...)
        QUESTION.ask("b")
    words = [output.data["text/plain"] for output in shown.outputs]
    assert words[0] == words[2] == repr(QUESTION)
    assert words[1].startswith("Not attempted yet. Click a letter")
    assert words[3] == "Right. Yes, two."
    assert journal.load()["00.q6"]["outcome"] == "right"


def test_table_in_text_and_html():
    table = Table("Done <1>", [("`ex.a`", "x < y", "right"), ("`ex.long`", "z", "not yet")])
    assert repr(table).split("\n") == [
        "Done <1>",
        "  ex.a     x < y  right",
        "  ex.long  z      not yet",
    ]
    page = table._repr_html_()
    assert "<code>ex.a</code>" in page and "x &lt; y" in page and "Done &lt;1&gt;" in page


def test_widget_has_a_fallback_in_words(notebook):
    with capture_output() as shown:
        show_widget(QUESTION._buttons("", str), "words instead")
    assert shown.outputs[0].data["text/plain"] == "words instead"
    assert "application/vnd.jupyter.widget-view+json" in shown.outputs[0].data


def test_a_check_without_hints_does_not_promise_any():
    def judge(answer):
        raise Wrong("No.")

    assert Exercise("00.x", judge, (), "Task").judge(1).message == "No."
