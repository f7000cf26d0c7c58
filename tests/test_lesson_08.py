"""The functions of lesson 08 against reference libraries."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.special
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from transfer_lib.taught import lesson_08 as lesson


def importance_weights(source, target):
    """Return the weights of the lesson, from a classifier of the domain."""
    x, domain = np.r_[source, target], np.r_[np.zeros(len(source)), np.ones(len(target))]
    p = LogisticRegression().fit(x, domain).predict_proba(source)[:, 1]
    return lesson.ratio(p, len(source), len(target))


@pytest.fixture
def clouds():
    """Two clouds that differ in mean, in scale and in correlations."""
    rng = np.random.default_rng(5)
    mix = rng.normal(size=(4, 4))
    return rng.normal(1, 1, (80, 4)), rng.normal(-2, 2, (60, 4)) @ mix


@pytest.fixture
def skada():
    """Import a module of skada. Its import changes a setting of scikit-learn, which is restored."""
    before = sklearn.get_config()
    yield pytest.importorskip
    sklearn.set_config(**before)


# CORAL


def scipy_coral(source, target, ridge, centred=True):
    """The map of Sun, Feng and Saenko (2016), means written out, with SciPy's matrix roots."""

    def covariance(x):
        x = x - x.mean(0) if centred else x
        return x.T @ x / (len(x) - 1) + ridge * np.eye(x.shape[1])

    white = (source - source.mean(0)) @ scipy.linalg.inv(scipy.linalg.sqrtm(covariance(source)))
    return white @ scipy.linalg.sqrtm(covariance(target)) + target.mean(0)


@pytest.mark.parametrize("ridge", [1e-9, 0.1, 1.0])
def test_coral_agrees_with_scipy(clouds, ridge):
    np.testing.assert_allclose(
        lesson.coral(*clouds, ridge), scipy_coral(*clouds, ridge), rtol=1e-6, atol=1e-6
    )


def test_coral_gives_the_mean_and_covariance_of_the_target(clouds):
    moved = lesson.coral(*clouds, ridge=0)
    np.testing.assert_allclose(moved.mean(0), clouds[1].mean(0), atol=1e-9)
    np.testing.assert_allclose(np.cov(moved.T), np.cov(clouds[1].T), rtol=1e-9, atol=1e-9)


def test_coral_with_covariances_that_are_not_centred_is_another_map(clouds):
    wrong = scipy_coral(*clouds, 0.1, centred=False)
    assert np.abs(lesson.coral(*clouds, 0.1) - wrong).max() > 0.1


def test_coral_agrees_with_skada(clouds, skada):
    mapping = skada("skada._mapping")
    source, target = clouds
    n, m = len(source), len(target)
    domains = np.r_[np.ones(n), -2 * np.ones(m)]
    adapter = mapping.CORALAdapter(reg=None)
    moved = adapter.fit_transform(np.r_[source, target], sample_domain=domains)
    # skada moves both to mean zero and divides covariances by n; the lesson by n - 1
    bias = np.sqrt(m / (m - 1) * (n - 1) / n)
    ours = (lesson.coral(source, target, ridge=0) - target.mean(0)) / bias
    np.testing.assert_allclose(ours, moved[:n], rtol=1e-6, atol=1e-6)


# Subspace alignment


@pytest.mark.parametrize("d", [1, 2, 3])
def test_subspace_alignment_agrees_with_scikit_learn(clouds, d):
    source, target = clouds
    pca_s, pca_t = PCA(d).fit(source), PCA(d).fit(target)
    z_s = pca_s.transform(source) @ pca_s.components_ @ pca_t.components_.T
    z_t = pca_t.transform(target)
    ours_s, ours_t = lesson.subspace_alignment(source, target, d)
    signs = np.sign((ours_t * z_t).sum(0))  # a principal axis is known up to its sign
    np.testing.assert_allclose(ours_t * signs, z_t, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours_s * signs, z_s, rtol=1e-6, atol=1e-6)


def test_subspace_alignment_agrees_with_skada(clouds, skada):
    subspace = skada("skada._subspace")
    source, target = clouds
    domains = np.r_[np.ones(len(source)), -2 * np.ones(len(target))]
    adapter = subspace.SubspaceAlignmentAdapter(n_components=2, random_state=0)
    moved = adapter.fit_transform(np.r_[source, target], sample_domain=domains)
    ours = np.r_[lesson.subspace_alignment(source, target, 2)]
    signs = np.sign((ours * moved).sum(0))
    np.testing.assert_allclose(ours * signs, moved, rtol=1e-6, atol=1e-6)


def test_subspace_alignment_needs_centring(clouds):
    source, target = clouds
    _, _, rows = np.linalg.svd(source, full_matrices=False)
    overlap = np.abs(rows[0] @ lesson.main_directions(source, 1)[:, 0])
    assert overlap < 0.999  # without centring the first direction points at the mean


# Importance weights


def test_weights_are_the_odds_of_a_domain_classifier_times_the_sizes(clouds):
    source, target = clouds[0][:, :2], clouds[0][:30, :2] + 0.5
    x, domain = np.r_[source, target], np.r_[np.zeros(80), np.ones(30)]
    scores = LogisticRegression().fit(x, domain).decision_function(source)
    expected = np.exp(scores) * 80 / 30  # the odds are the exponential of the score
    np.testing.assert_allclose(importance_weights(source, target), expected, rtol=1e-6)


def test_weights_approach_the_true_ratio_of_two_gaussians():
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 1, (20_000, 1)), rng.normal(0.5, 1, (5_000, 1))
    weights = importance_weights(source, target)
    true = np.exp(0.5 * source[:, 0] - 0.125)
    assert np.median(np.abs(np.log(weights / true))) < 0.1
    assert abs(weights.mean() - 1) < 0.05  # E_S[P_T / P_S] = 1; without n_S / n_T it is 1/4


def test_weights_agree_with_skada(clouds, skada):
    reweight = skada("skada._reweight")
    source, target = clouds[0][:, :2], clouds[0][:30, :2] + 0.5
    domains = np.r_[np.ones(80), -2 * np.ones(30)]
    x = np.r_[source, target]
    adapter = reweight.DiscriminatorReweightAdapter().fit(x, sample_domain=domains)
    p = adapter.domain_classifier_.predict_proba(source)[:, 1]
    ours = importance_weights(source, target)
    np.testing.assert_allclose(ours, p / (1 - p) * 80 / 30, rtol=1e-6)
    # compute_weights of skada 0.6.0 returns (1 - p) / p, the reciprocal of the ratio in the papers
    theirs = adapter.compute_weights(x, sample_domain=domains)[:80]
    same, reciprocal = ours / theirs, ours * theirs
    assert min(np.ptp(same) / same.mean(), np.ptp(reciprocal) / reciprocal.mean()) < 1e-6


# TrAdaBoost


def plain_tradaboost(x_s, y_s, x_t, y_t, rounds):
    """Dai et al. (2007), figure 1, one example at a time; weights normalised in each round."""
    n, m = len(x_s), len(x_t)
    x, y = np.vstack([x_s, x_t]), [int(label) for label in [*y_s, *y_t]]
    w = [1 / n] * n + [1 / m] * m
    beta = 1 / (1 + (2 * np.log(n) / rounds) ** 0.5)
    models, betas = [], []
    for _ in range(rounds):
        total = sum(w)
        p = [value / total for value in w]
        # a penalised learner sees the size of the weights: their mean is 1, as without weights
        sizes = [(n + m) * value for value in p]
        model = LogisticRegression().fit(x, y, sample_weight=sizes)
        loss = [abs(int(h) - label) for h, label in zip(model.predict(x), y, strict=True)]
        error = sum(p[i] * loss[i] for i in range(n, n + m)) / sum(p[n:])
        error = min(max(error, 0.001), 0.49)
        beta_t = error / (1 - error)
        w = [w[i] * beta ** loss[i] if i < n else w[i] * beta_t ** -loss[i] for i in range(n + m)]
        models.append(model)
        betas.append(beta_t)

    def predict(new):
        answers = []
        for row in new:
            left = right = 1.0  # the products of the paper's final hypothesis
            for model, b in list(zip(models, betas, strict=True))[rounds // 2 :]:
                left *= b ** -int(model.predict([row])[0])
                right *= b**-0.5
            answers.append(int(left > right))
        return np.array(answers)

    return predict, np.array(w[:n]) / sum(w)


@pytest.fixture
def noisy_source():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(90, 5))
    y = (x[:, 0] + 0.5 * x[:, 1] > 0).astype(int)
    y[:70] ^= rng.random(70) < 0.25
    return x[:70], y[:70], x[70:], y[70:]


def test_tradaboost_agrees_with_the_paper_step_by_step(noisy_source):
    predict, weights = lesson.tradaboost(*noisy_source, rounds=8)
    plain_predict, plain_weights = plain_tradaboost(*noisy_source, rounds=8)
    np.testing.assert_allclose(weights, plain_weights, rtol=1e-6)
    new = np.random.default_rng(9).normal(size=(60, 5))
    np.testing.assert_array_equal(predict(new), plain_predict(new))
    assert 0 < predict(new).mean() < 1


def test_tradaboost_with_the_rules_swapped_differs(noisy_source):
    _, weights = lesson.tradaboost(*noisy_source, rounds=8)
    assert np.ptp(weights) > 0 and weights.max() < 1 / 70  # source weights only ever shrink


# Relations


# Parameters


def test_l2_sp_descends_to_the_minimum_of_its_loss():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 3)), rng.integers(0, 10, 50)
    towards, alpha = rng.normal(size=(4, 10)), 0.5
    x1 = np.c_[x, np.ones(50)]

    def loss(flat):
        z = x1 @ flat.reshape(4, 10)
        mean = np.mean(scipy.special.logsumexp(z, axis=1) - z[np.arange(50), y])
        return mean + alpha / 2 * np.sum((flat.reshape(4, 10) - towards) ** 2)

    best = scipy.optimize.minimize(loss, np.zeros(40), tol=1e-12).x.reshape(4, 10)
    ours = lesson.fit(x, y, towards, alpha, steps=2000, rate=0.3)
    np.testing.assert_allclose(ours, best, atol=1e-5)
    towards_zero = lesson.fit(x, y, 0 * towards, alpha, steps=2000, rate=0.3)
    assert np.abs(towards_zero - best).max() > 0.1


# Relations


def test_the_rule_finds_who_belongs_together():
    does, leads, belongs = lesson.world(30, 20, 0.0, 1)
    slow = [
        [any(does[p, o] and leads[q, o] for o in range(20)) for q in range(30)] for p in range(30)
    ]
    assert np.array_equal(lesson.rule(does, leads), slow) and np.array_equal(belongs, slow)
    records = {"a": leads, "b": does, "c": np.zeros_like(does)}
    known = np.argwhere(np.ones((30, 30)))
    assert lesson.mapping(records, known, belongs.ravel()) == ("b", "a")


def test_ties():
    cell = {"a": [70, 75], "b": [60, 65], "c": [69, 76]}
    assert lesson.ties(cell) == {"a", "c"} or lesson.ties(cell) == {"c", "a"}
