"""Tests of a lesson's exercises from a table of right and wrong answers.

A test module of a lesson holds two dictionaries and one line::

    RIGHT = {"total_loss": [answer, answer, answer]}
    WRONG = {"total_loss": [(answer, "words of its feedback"), ...]}
    test_right, test_wrong, test_complete = exercise_cases.tests("03", RIGHT, WRONG)

Every exercise needs at least three right forms and three wrong answers. Questions need no
entry: each of their choices is tested.
"""

import pytest

from transfer_lib import exercises
from transfer_lib.practice import Formula, Outcome, Question


def tests(lesson, right, wrong):
    """Return three test functions for one lesson."""
    items = vars(exercises.of(lesson))

    def flat(table):
        return [
            pytest.param(name, case, id=f"{name}-{i}")
            for name, cases in table.items()
            for i, case in enumerate(cases)
        ]

    @pytest.mark.parametrize(("name", "answer"), flat(right))
    def test_right(name, answer):
        verdict = items[name].judge(*_as_arguments(answer))
        assert verdict.outcome is Outcome.RIGHT, verdict

    @pytest.mark.parametrize(("name", "case"), flat(wrong))
    def test_wrong(name, case):
        answer, words = case
        verdict = items[name].judge(*_as_arguments(answer))
        assert verdict.outcome is Outcome.WRONG, verdict
        assert words in verdict.message

    @pytest.mark.parametrize("name", items)
    def test_complete(name):
        item = items[name]
        if isinstance(item, Question):
            for letter, (_, feedback) in item.choices.items():
                verdict = item.judge(letter)
                expected = Outcome.RIGHT if letter == item.right else Outcome.WRONG
                assert verdict.outcome is expected and feedback in verdict.message
        elif isinstance(item, Formula):  # its wrong expressions are tested in test_formula.py
            assert len(right.get(name, [])) >= 3, "at least three right forms"
        else:
            assert len(right.get(name, [])) >= 3, "at least three right forms"
            distinct = {words for _, words in wrong.get(name, [])}
            assert len(distinct) >= 3, "at least three wrong answers, each with its own words"
        assert item.judge(...).outcome is Outcome.NOT_ATTEMPTED

    return test_right, test_wrong, test_complete


class Arguments(tuple):
    """Several answers that one check takes together: ``Arguments([a, b])``."""


def _as_arguments(answer):
    return answer if isinstance(answer, Arguments) else (answer,)
