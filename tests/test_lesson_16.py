"""Lesson 16: photographs belong to scans, splits keep them whole, errors are those of theory."""

from statistics import NormalDist

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit

from transfer_lib.taught import lesson_16 as lesson


def test_photographs_of_a_scan_are_alike_and_have_its_label():
    x, y, scan = lesson.photographed(3)
    assert x.shape == (400, 64) and np.bincount(scan).tolist() == [4] * 100
    for name in range(0, 100, 17):
        rows = np.flatnonzero(scan == name)
        assert len(set(y[rows])) == 1
        assert np.abs(x[rows] - x[rows].mean(axis=0)).mean() < 2


def test_a_split_keeps_scans_whole_as_scikit_learn_does():
    _, _, scan = lesson.photographed(0)
    kept = lesson.split_by(scan, 0.25, 1)
    _, theirs = next(GroupShuffleSplit(1, test_size=0.25, random_state=1).split(scan, groups=scan))
    assert kept.sum() == len(theirs) == 100
    assert not set(scan[kept]) & set(scan[~kept])


def test_the_error_of_a_difference_is_that_of_many_tests():
    """Two systems with known rates are compared on 400 tests; their spread is the error."""
    rng = np.random.default_rng(0)
    truth = np.zeros(200, int)
    gains, errors = [], []
    for _ in range(400):
        hard = rng.random(200)
        a, b = (np.where(hard + 0.2 * rng.random(200) < cut, 0, 1) for cut in (0.9, 0.85))
        gain, error = lesson.paired(a, b, truth)
        gains.append(gain)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(gains), rel=0.1)
    within = np.mean(np.abs(gains - np.mean(gains)) < 2 * np.mean(errors))
    assert within == pytest.approx(NormalDist().cdf(2) - NormalDist().cdf(-2), abs=0.03)


def test_three_networks_have_the_steps_that_they_say():
    answers, (first, then) = lesson.three(0, epochs=1)
    assert (first, then) == (410, 4) and len(answers) == 3
    assert {len(said) for said in answers.values()} == {901}


def test_the_twin_of_a_twin_is_itself():
    recipe = {"start": "pretrained", "stages": [("source", 3), ("target", 4)], "rate": 1}
    control = lesson.twin(recipe)
    assert control == lesson.twin(control) and recipe["start"] == "pretrained"
