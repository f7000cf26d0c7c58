"""The exercise of the appendix: eight projects decided, and the words for other decisions."""

import pandas as pd

import exercise_cases
from transfer_lib.exercises.lesson_A1 import PROJECTS, WAYS, plan
from transfer_lib.practice import Outcome

BEST = {name: best if isinstance(best, str) else best[0] for name, (best, _) in PROJECTS.items()}

RIGHT = {"plan": [BEST, list(BEST.items()), pd.Series(BEST), BEST | {"archive": "nothing"}]}
WRONG = {
    "plan": [
        (BEST | {"leaves": "fine-tune"}, "passed around fails"),
        (BEST | {"archive": "features"}, "hold on to print"),
        (BEST | {"ward": "adapt", "weeks": "label"}, "6 of 8"),
        (BEST | {"camera": "map"}, "look at what the project has"),
        (BEST | {"shop": "mapping"}, "Did you mean 'map'?"),
        ({"leaves": "features"}, "no way yet for archive"),
        (3, "Give a dict"),
    ]
}

test_right, test_wrong, test_complete = exercise_cases.tests("A1", RIGHT, WRONG)


def test_an_empty_plan_is_not_yet_one():
    assert plan.judge({}).outcome is Outcome.NOT_ATTEMPTED


def test_each_word_belongs_to_a_way_that_is_wrong():
    for name, (best, words) in PROJECTS.items():
        rights = {best} if isinstance(best, str) else set(best)
        assert rights <= set(WAYS) and not rights & set(words) and set(words) <= set(WAYS), name
        for way, told in words.items():
            assert told in plan.judge(BEST | {name: way}).message
