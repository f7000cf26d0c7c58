"""Lesson 11: its scores by independent derivations, and what its recipe leaves alone."""

import keras
import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.cross_decomposition import CCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import run_claims
from transfer_lib.taught import lesson_11 as lesson

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1, 2], [20, 12, 16])
X = RNG.normal(size=(3, 6))[Y] + RNG.normal(size=(48, 6)) * np.geomspace(0.1, 10, 6)


@pytest.fixture(scope="module")
def evidence():
    return run_claims.load(run_claims.modules(["11"])["11"])


def marginal(logs, f, t):
    """Return minus the log density per row of t under N(0, F Fᵀ / alpha + I / beta)."""
    alpha, beta = np.exp(logs)
    covariance = f @ f.T / alpha + np.eye(len(f)) / beta
    return -stats.multivariate_normal.logpdf(t, np.zeros(len(f)), covariance) / len(f)


@pytest.mark.parametrize("columns", [2, 6])
def test_logme_is_the_largest_marginal_likelihood(columns):
    """By the density of the labels themselves, which needs no posterior, and a general search."""
    f, best = X[:, :columns], []
    for k in range(3):
        t = (k == Y).astype(float)
        found = [
            optimize.minimize(marginal, start, (f, t), method="Nelder-Mead").fun
            for start in ((0, 0), (3, 1), (-3, 2))
        ]
        best.append(-min(found))
        assert lesson.log_evidence(f, t, rounds=500) == pytest.approx(best[-1], abs=1e-4)
    assert lesson.logme(f, Y) == pytest.approx(np.mean(best), abs=2e-3)


def test_logme_takes_more_columns_than_rows_and_columns_of_zeros():
    wide = np.c_[RNG.normal(size=(48, 60)), np.zeros((48, 3))]
    assert np.isfinite(lesson.logme(wide, Y))
    assert lesson.logme(np.c_[X, np.zeros((48, 3))], Y) == pytest.approx(lesson.logme(X, Y))


def test_h_score_is_the_sum_of_squared_canonical_correlations():
    """Of features with indicators of the classes: Bao et al. (2019), section 3."""
    indicators = (Y[:, None] == np.arange(2)).astype(float)
    left, right = CCA(2, max_iter=5000, tol=1e-9).fit(X, indicators).transform(X, indicators)
    squared = [np.corrcoef(left[:, i], right[:, i])[0, 1] ** 2 for i in range(2)]
    assert lesson.h_score(X, Y) == pytest.approx(sum(squared), rel=1e-4)


def test_h_score_follows_from_the_eigenvalues_of_discriminant_analysis():
    """With within + between as the whole: each e of within⁻¹ between adds e / (1 + e)."""
    lda = LinearDiscriminantAnalysis(solver="eigen").fit(X, Y)
    whole = lda.covariance_ + (between := np.cov(lda.means_[Y].T, bias=True))
    expected = np.trace(np.linalg.solve(whole, between))
    assert lesson.h_score(X, Y) == pytest.approx(expected)


def test_h_score_forgets_scale_and_direction_and_is_full_for_wide_noise():
    turned = X @ RNG.normal(size=(6, 6))
    assert lesson.h_score(turned, Y) == pytest.approx(lesson.h_score(X, Y))
    assert lesson.h_score(RNG.normal(size=(48, 60)), Y) == pytest.approx(2)


def test_leep_is_the_definition_by_loops(evidence):
    """Nguyen et al. (2020): joint, then conditional, then the log of the expected prediction."""
    p = RNG.dirichlet(np.ones(4), size=48)
    total = 0.0
    for i, y in enumerate(Y):
        expected = 0.0
        for z in range(4):
            joint = sum(p[j, z] for j in range(48) if Y[j] == y) / 48
            expected += p[i, z] * joint / (sum(p[j, z] for j in range(48)) / 48)
        total += np.log(expected) / 48
    assert evidence.leep(p, Y) == pytest.approx(total)


def test_leep_of_sure_answers_is_minus_the_conditional_entropy(evidence):
    """Then it equals NCE (Tran et al., 2019); labels need not be 0, 1, 2, ..."""
    z = RNG.integers(3, size=48)
    entropy = 0.0
    for value in range(3):
        counts = np.unique(Y[z == value], return_counts=True)[1]
        entropy += np.mean(z == value) * stats.entropy(counts)
    assert evidence.leep(np.eye(3)[z], 10 + 5 * Y) == pytest.approx(-entropy)


def test_tau_is_scipys_and_the_interval_holds_it():
    a, b = RNG.normal(size=8), RNG.normal(size=8)
    assert lesson.kendall(a, b) == pytest.approx(stats.kendalltau(a, b).statistic)
    score, tuned = ({f"n{i}": v for i, v in enumerate(values)} for values in (a, b))
    backwards = dict(reversed(tuned.items()))  # matched by name, not by place
    tau, (low, high) = lesson.interval(score, backwards, np.random.default_rng(0), 300)
    assert tau == pytest.approx(stats.kendalltau(a, b).statistic)
    assert -1 <= low < tau < high <= 1


@pytest.fixture(scope="module")
def candidate():
    keras.utils.set_random_seed(0)
    return lesson.headless("tiny random", lesson.tiny("tiny random", None))


def test_the_pictures_are_drawn_evenly_and_look_alike_to_all(candidate):
    x, y, x_test, y_test = lesson.pictures("digits", 3, np.random.default_rng(0))
    assert x.shape == (30, 32, 32, 3) and x.dtype == np.uint8 and x.max() > 200
    assert np.bincount(y).tolist() == [3] * 10 and len(x_test) == len(y_test) == 901
    small = lesson.small(x)
    assert small.shape == (30, 16, 16, 1) and small.max() <= 1
    np.testing.assert_allclose(small.mean(), x.mean() / 255, rtol=1e-5)
    assert candidate.model.predict(small, verbose=0).shape == (30, 64)


def test_fine_tuning_leaves_the_shelf_and_the_statistics_alone(candidate):
    x, y, _, _ = lesson.pictures("digits", 3, np.random.default_rng(0))
    before = candidate.model.get_weights()
    tuned = lesson.fine_tune(candidate.model, candidate.prepare(x), y, steps=6)
    for old, new in zip(before, candidate.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    moved = {}
    for weight, old in zip(tuned.weights, before, strict=False):
        kind = weight.path.split("/")[-1]
        value = keras.ops.convert_to_numpy(weight)
        moved[kind] = moved.get(kind, 0) + np.abs(value - old).max()
    assert moved["kernel"] > 0
    assert moved["moving_mean"] == moved["moving_variance"] == 0


def test_the_steps_do_not_depend_on_the_number_of_labels(candidate):
    x, y, _, _ = lesson.pictures("digits", 8, np.random.default_rng(0))
    for rows in (np.arange(80), np.arange(0, 80, 4), np.arange(0, 80, 8)):
        tuned = lesson.fine_tune(candidate.model, candidate.prepare(x[rows]), y[rows], steps=10)
        assert int(tuned.optimizer.iterations) == 10


def test_the_shelf_says_what_its_networks_have_seen(candidate):
    found = lesson.pieces() | {"tiny random": candidate}
    assert [one.model.output_shape[1] for one in found.values()] == [32, 64, 128, 128, 64, 40, 64]
    assert [one.seen for one in found.values()][3:] == [
        "CIFAR-10",
        "nothing",
        "ImageNet",
        "nothing",
    ]
    tiny = lesson.tiny("tiny random", None)
    assert lesson.headless("tiny shuffled", tiny).seen == "mnist_5000, shuffled"


def test_the_pieces_speak_as_their_whole(evidence, candidate):
    """LEEP sees probabilities of the source's classes, and none where there is no source."""
    head = lesson.tiny("tiny random", None)
    said = evidence.speakers(dict.fromkeys(lesson.TINY, head))
    assert "VGG random" not in said and "tiny random" not in said
    shelf = lesson.pieces() | {"tiny fonts": candidate}
    x = np.zeros((2, 32, 32, 3))
    for name, classes in (("VGG block 3", 10), ("Lite0 block 3", 1000), ("tiny fonts", 10)):
        p = said[name].predict(shelf[name].prepare(x), verbose=0)
        assert p.shape == (2, classes)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
