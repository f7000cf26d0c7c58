"""Formula exercises test themselves: each known mistake gets its words, and no other's."""

import numpy as np
import pytest

from transfer_lib import exercises, lessons
from transfer_lib.practice import Formula, Outcome

FORMULAS = [
    item
    for lesson in lessons.LESSONS
    for item in vars(exercises.of(lesson.number)).values()
    if isinstance(item, Formula)
]
WRONG = [
    pytest.param(item, expression, words, id=f"{item.id}: {expression}")
    for item in FORMULAS
    for expression, words in item.wrong.items()
]


def answering(item, expression):
    """Return a function of the exercise's arguments that a learner would have written so."""
    names = list(item.drawn()[0])

    def answer(*values):
        return item.value(expression, dict(zip(names, values, strict=True)))

    return answer


@pytest.mark.parametrize("item", FORMULAS, ids=lambda item: item.id)
def test_right(item):
    assert item.judge(answering(item, item.right)).outcome is Outcome.RIGHT
    assert item.judge(...).outcome is Outcome.NOT_ATTEMPTED


@pytest.mark.parametrize(("item", "expression", "words"), WRONG)
def test_every_known_mistake_has_its_words(item, expression, words):
    verdict = item.judge(answering(item, expression))
    assert verdict.outcome is Outcome.WRONG and words in verdict.message


@pytest.mark.parametrize("item", FORMULAS, ids=lambda item: item.id)
def test_cases_differ_and_the_first_can_be_quoted(item):
    shapes = [[np.shape(value) for value in case.values()] for case in item.drawn()]
    assert len({str(shape) for shape in shapes}) >= 3
    assert all(np.size(value) <= 6 for value in item.drawn()[0].values())


@pytest.fixture
def double():
    return Formula(
        "00.accuracy",
        task="Return twice x.",
        right="2 * x",
        cases=lambda rng, i: {"x": rng.normal(size=i + 2).round(1)},
        wrong={"x": "Not doubled.", "x / 1": "Not doubled.", "-2 * x": "Sign.", "x - 3 * x": "No."},
        hints=["one"],
        remark="Twice.",
        what="the double",
    )


def test_remark_and_generic_words(double):
    assert double.judge(lambda x: 2 * x).message == "Twice."
    assert double.judge(lambda x: [2 * float(v) for v in x]).outcome is Outcome.RIGHT
    message = double.judge(lambda x: 3 * x).message
    assert message.startswith(
        "For x = [0.1, -0.1], the double is [0.2, -0.2]; yours is [0.3, -0.3]."
    )
    assert "Expected the shape (2,)" in double.judge(lambda x: x[:1]).message
    partly = double.judge(lambda x: 2 * x if len(x) < 3 else 2 * x + 1).message
    assert partly.startswith("Right for some arguments, but not for all. For x = [")


def test_two_mistakes_with_one_value_are_not_named(double):
    assert "Not doubled." in double.judge(lambda x: x).message
    message = double.judge(lambda x: -2 * x).message
    assert "Sign." not in message and "No." not in message and "the double is" in message


def test_a_change_of_the_arguments_is_a_remark(double):
    def answer(x):
        x *= 2
        return x

    verdict = double.judge(answer)
    assert verdict.outcome is Outcome.RIGHT and "changed its argument `x`" in verdict.message
