"""Lesson 15: lists against scikit-learn, factors against their optimum, bridges against loops."""

import hashlib

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import ndcg_score

from transfer_lib.taught import lesson_15 as lesson


@pytest.fixture(scope="module")
def world():
    return lesson.make(0.5, 3, people=160, pieces=40)


@pytest.fixture(scope="module")
def ratings():
    return lesson.lectures()


def test_ndcg_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for n in (1, 5, 10):
        gains, scores = rng.choice([0.0, 1, 3, 7], 30) + 0.01, rng.normal(size=30)
        expected = ndcg_score(gains[None], scores[None], k=n)
        assert lesson.ndcg(gains, scores, n) == pytest.approx(expected)


def test_a_perfect_list_has_one_and_a_constant_per_person_changes_nothing(world):
    truth = world.tv
    assert lesson.lists(lesson.ndcg, truth, truth) == pytest.approx(1)
    noisy = truth + np.random.default_rng(1).normal(size=truth.shape)
    kinder = noisy + np.arange(len(truth))[:, None]
    for measure in (lesson.ndcg, lesson.recall):
        moved = lesson.lists(measure, truth, kinder)
        assert moved == pytest.approx(lesson.lists(measure, truth, noisy))


def test_half_is_a_ridge_regression_for_each_person(world):
    q = np.random.default_rng(2).normal(size=(40, 3))
    found = lesson.half(world.tv, world.seen_tv, q, 1.5)
    for u in (0, 7, 30):
        seen = world.seen_tv[u] > 0
        model = Ridge(alpha=1.5, fit_intercept=False).fit(q[seen], world.tv[u, seen])
        np.testing.assert_allclose(found[u], model.coef_, atol=1e-8)
    assert (found[-1] == 0).all()  # new: no rating


def test_factorise_never_raises_the_penalised_error(world):
    def error(rounds):
        means, p, q = lesson.factorise(world.tv, world.seen_tv, 3, rounds)
        wrong = ((world.tv - means - p @ q.T) * world.seen_tv) ** 2
        return wrong.sum() + 2 * ((p**2).sum() + (q**2).sum())

    errors = [error(rounds) for rounds in (1, 2, 5, 15)]
    assert errors == sorted(errors, reverse=True)


def test_towards_is_the_minimum_of_what_it_says(world):
    rng = np.random.default_rng(4)
    q, prior = rng.normal(size=(40, 3)), rng.normal(size=(160, 3))
    rest, seen = world.tv, world.seen_tv
    p = lesson.towards(prior, rest, seen, q, 2.0)
    slope = -2 * ((rest - p @ q.T) * seen) @ q + 4 * (p - prior)
    np.testing.assert_allclose(slope, 0, atol=1e-8)
    np.testing.assert_allclose(p[-1], prior[-1])


def test_mapping_finds_a_rotation_of_the_tastes():
    rng = np.random.default_rng(5)
    phone, turn = rng.normal(size=(300, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    np.testing.assert_allclose(lesson.mapping(phone, phone @ turn, 1e-6), turn, atol=1e-6)


def test_shared_is_the_correlation_of_tastes_and_newcomers_are_new():
    """Of the noiseless part: the ratings of two people are alike on both devices, or are not."""
    for shared in (0.0, 1.0):
        world = lesson.make(shared, 6, people=300, pieces=200)
        alike = [
            np.corrcoef(table - table.mean(axis=0))[np.triu_indices(300, 1)]
            for table in (world.phone, world.tv)
        ]
        found = np.corrcoef(*alike)[0, 1]
        assert found > 0.8 if shared else abs(found) < 0.1
    assert not world.seen_tv[-world.new :].any() and world.seen_tv[: -world.new].any()


def test_known_gives_each_newcomer_as_many_ratings(world):
    for given in (0, 3):
        seen = lesson.known(world, given)
        assert (seen[-world.new :].sum(axis=1) == given).all()
        np.testing.assert_array_equal(seen[: -world.new], world.seen_tv[: -world.new])


def test_ways_do_not_look_at_what_newcomers_have_not_rated(world):
    """The hidden ratings are replaced by nonsense; the scores stay."""
    before = lesson.ways(world, (2,))[2]
    hidden = lesson.known(world, 2) == 0
    hidden[: -world.new] = world.seen_tv[: -world.new] == 0
    other = lesson.Devices(
        world.phone, np.where(hidden, 1e3, world.tv), world.seen_phone, world.seen_tv, world.new
    )
    for name, scores in lesson.ways(other, (2,))[2].items():
        np.testing.assert_allclose(scores, before[name], err_msg=name)


def test_shrunk_is_between_mean_and_prior(ratings):
    keys, values = ratings["lecturer"], ratings["rating"]
    means = ratings.groupby("lecturer")["rating"].mean()
    found = lesson.shrunk(keys, values, keys.max() + 1, 3.0)
    low, high = np.minimum(means, 3.0), np.maximum(means, 3.0)
    assert ((found >= low - 1e-12) & (found <= high + 1e-12)).all()


def test_the_ratings_are_those_that_the_page_describes(ratings):
    assert ratings.shape == (73421, 4) and list(ratings) == [
        "student", "lecturer", "service", "rating",
    ]  # fmt: skip
    assert ratings["student"].nunique() == 2972 and ratings["lecturer"].nunique() == 1128
    assert set(ratings["rating"]) == {1, 2, 3, 4, 5} and set(ratings["service"]) == {0, 1}
    assert not ratings.duplicated(["student", "lecturer"]).any()
    digest = hashlib.sha256(ratings.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
    assert digest == "9c45f76677da0a1e344eec196914fd0cd13f39ac96794f33ca1438f03bb5a867"


def test_a_new_lecturer_is_judged_without_any_rating_of_the_service(ratings):
    """Other ratings of the new lecturers change how a prediction is judged, not the prediction."""
    found = lesson.service(ratings, 0, (0, 20))
    assert list(found) == [0, 20]
    assert found[0]["service alone"] == found[0]["mean of all"]
    assert found[0]["student"][1] == found[0]["mean of all"][1]  # a constant moves no list
    assert found[20]["service alone"][0] < found[0]["service alone"][0]


def test_measured_ranks_within_students():
    import pandas as pd

    left = pd.DataFrame(
        {"student": [1] * 6 + [2] * 6 + [3], "rating": [5, 4, 3, 2, 1, 1] * 2 + [5]}
    )
    error, score = lesson.measured(left, left["rating"].to_numpy(float), 0)
    assert error == 0 and score == pytest.approx(1)
    _, kinder = lesson.measured(left, left["rating"].to_numpy(float) + 10 * left["student"], 0)
    assert kinder == pytest.approx(1)
