"""Lesson 14: the triage of the lesson holds for bodies that it was not written on."""

import pytest

from transfer_lib.exercises import clinic, lesson_14
from transfer_lib.exercises.clinic_cases import CASES
from transfer_lib.taught import lesson_14 as lesson

SEEDS = (3, 41)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_triage_of_the_solution_tells_all_nine_and_the_healthy_one(seed):
    waiting = [clinic.healthy(seed), *(clinic.case(i, seed) for i in range(1, lesson_14.PATH + 1))]
    assert [lesson.triage(patient) for patient in waiting] == [p.cause for p in waiting]


def test_each_cause_is_told_by_its_sign_and_no_sign_needs_the_solution():
    for found in CASES:
        patient = clinic.case(1 + CASES.index(found))
        assert lesson_14._ask(patient, found["sign"]) is not None
        assert found["cause"] in clinic.CAUSES and found["why"].endswith(".")


def test_the_article_s_tips_leave_the_loss_of_patient_8_without_a_number():
    """The evidence counts the same on ten seeds; here in the words that the lesson uses."""
    patient = clinic.case(8, 41)
    assert patient.numbers() < 120 == clinic.treated(8, 41).numbers()
