"""Before and after the course: two forms that ask the same, and what is shown at the end."""

import pytest

from transfer_lib import exercises
from transfer_lib.exercises import exam
from transfer_lib.practice import journal


@pytest.fixture(autouse=True)
def nothing_answered(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_HOME", str(tmp_path))


def test_both_forms_have_the_topics_in_their_order_and_other_words():
    before, after = (vars(exercises.of(number)) for number in ("T1", "T2"))
    assert list(after) == list(exam.TOPICS) and set(before) == set(after) and len(after) == 12
    for name in exam.TOPICS:
        assert before[name].text != after[name].text
        assert len(before[name].choices) == len(after[name].choices) == 3


def test_only_the_first_answer_counts():
    before, after = (vars(exercises.of(number)) for number in ("T1", "T2"))
    journal.record_guess("T1.kinds", before["kinds"].right)
    journal.record_guess("T1.gain", next(k for k in "abc" if k != before["gain"].right))
    wrong = next(k for k in "abc" if k != after["kinds"].right)
    for letter in (wrong, after["kinds"].right):
        journal.record("T2.kinds", after["kinds"].judge(letter).outcome)
    journal.record("T2.gain", after["gain"].judge(after["gain"].right).outcome)
    found = exam.results()
    assert found["kinds"] == (True, False) and found["gain"] == (False, True)
    assert found["losses"] == (None, None)


def test_the_table_says_where_to_read_again():
    text = repr(exam.table())
    assert "Before the course 0 of 12, after it 0" in text
    assert all(f"lesson {number}" in text for _, number in exam.TOPICS.values())


def test_each_topic_s_lesson_is_there():
    from transfer_lib import lessons

    for _, number in exam.TOPICS.values():
        assert lessons.get(number)
