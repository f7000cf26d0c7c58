"""The mathematics of lesson 02 against independent references, to 1e-6 or better."""

import os
import time

import numpy as np
import pytest
import torch
from scipy import linalg, optimize, special, stats
from sklearn import linear_model, metrics
from sklearn.metrics.pairwise import rbf_kernel

import lesson_code

os.environ.setdefault("KERAS_BACKEND", "torch")  # as transfer_lib.setup() does it

NEAR = {"rtol": 1e-6, "atol": 1e-8}


@pytest.fixture(scope="module")
def lesson():
    return lesson_code.definitions("02")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def domains(rng):
    """Source and target of a linear problem: X_s (30, 4), y_s, X_t (9, 4), y_t."""
    X_s, X_t = rng.normal(size=(30, 4)), rng.normal(size=(9, 4))
    return X_s, rng.normal(size=30), X_t, rng.normal(size=9)


def gradient(loss, *arrays):
    """Return torch's gradient by the first array."""
    first = torch.tensor(arrays[0], requires_grad=True)
    loss(first, *map(torch.tensor, arrays[1:])).backward()
    return first.grad.numpy()


def test_mse_and_its_gradients(lesson, domains):
    X, y, w = *domains[:2], np.array([0.3, -1.0, 2.0, 0.0])
    np.testing.assert_allclose(lesson.mse(y, X @ w), metrics.mean_squared_error(y, X @ w), **NEAR)
    by_prediction = gradient(torch.nn.functional.mse_loss, X @ w, y)
    np.testing.assert_allclose(lesson.mse_gradient(y, X @ w), by_prediction, **NEAR)
    by_weight = gradient(lambda w, X, y: ((y - X @ w) ** 2).mean(), w, X, y)
    np.testing.assert_allclose(lesson.weight_gradient(X, y, w), by_weight, **NEAR)


def test_the_lessons_own_checkers_of_gradients(lesson, rng):
    at = rng.normal(size=(3, 2))
    np.testing.assert_allclose(
        lesson.finite_differences(lambda x: np.sum(x**3), at), 3 * at**2, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(lesson.autograd(lambda x: (x**3).sum(), at), 3 * at**2, **NEAR)


def test_softmax_and_logsumexp(lesson, rng):
    for z in (3 * rng.normal(size=(6, 5)), np.array([[1000.0, 999, 0], [-1000, -1000, -1001]])):
        expected = special.logsumexp(z, axis=1, keepdims=True)
        np.testing.assert_allclose(lesson.logsumexp(z), expected, **NEAR)
        np.testing.assert_allclose(lesson.softmax(z), special.softmax(z, axis=1), **NEAR)


def test_cross_entropy_and_its_gradient(lesson, rng):
    import keras

    z, y = 4 * rng.normal(size=(7, 3)), np.array([0, 1, 2, 2, 1, 0, 0])
    value = lesson.cross_entropy(z, y)
    by_torch = torch.nn.functional.cross_entropy(torch.tensor(z), torch.tensor(y)).item()
    np.testing.assert_allclose(value, by_torch, **NEAR)
    np.testing.assert_allclose(value, metrics.log_loss(y, special.softmax(z, axis=1)), **NEAR)
    by_keras = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, z))
    np.testing.assert_allclose(value, by_keras, rtol=1e-5)  # Keras computes in float32
    expected = gradient(torch.nn.functional.cross_entropy, z, y)
    np.testing.assert_allclose(lesson.cross_entropy_gradient(z, y), expected, **NEAR)


@pytest.mark.parametrize("lam", [0.0, 0.01, 1.0, 250.0])
def test_the_minimiser_of_the_total_loss(lesson, domains, lam):
    X_s, y_s, X_t, y_t = domains
    w = lesson.total_minimiser(*domains, lam)
    library = linear_model.LinearRegression(fit_intercept=False).fit(
        np.vstack([X_s, X_t]),
        np.r_[y_s, y_t],
        sample_weight=np.r_[np.full(30, 1 / 30), np.full(9, lam / 9)],
    )
    np.testing.assert_allclose(w, library.coef_, **NEAR)

    def total(w):
        return lesson.total_loss(y_s, X_s @ w, y_t, X_t @ w, lam)

    slope = lesson.finite_differences(total, w)
    np.testing.assert_allclose(slope, 0, atol=1e-6 * (1 + lam))
    assert all(total(w) < total(w + 0.1 * step) for step in np.vstack([np.eye(4), -np.eye(4)]))


def test_the_ends_of_lambda_and_the_sum(lesson, domains):
    X_s, y_s, X_t, y_t = domains
    alone = linalg.lstsq(X_s, y_s)[0]
    np.testing.assert_allclose(lesson.total_minimiser(*domains, 0.0), alone, **NEAR)
    alone = linalg.lstsq(X_t, y_t)[0]
    np.testing.assert_allclose(lesson.total_minimiser(*domains, 1e12), alone, rtol=1e-6)
    np.testing.assert_allclose(
        lesson.sum_minimiser(*domains, 0.7), lesson.total_minimiser(*domains, 0.7 * 9 / 30), **NEAR
    )
    weight = np.r_[np.ones(30), np.full(9, 0.7)] ** 0.5
    stacked = weight[:, None] * np.vstack([X_s, X_t])
    direct = linalg.lstsq(stacked, weight * np.r_[y_s, y_t])[0]
    np.testing.assert_allclose(lesson.sum_minimiser(*domains, 0.7), direct, **NEAR)


def test_with_few_target_labels_the_source_decides_the_rest(lesson, domains):
    X_s, y_s, X_t, y_t = domains
    X_t, y_t = X_t[:2], y_t[:2]
    w = lesson.total_minimiser(X_s, y_s, X_t, y_t, 1e8)
    np.testing.assert_allclose(X_t @ w, y_t, atol=1e-5)  # all target labels are met
    constraint = {"type": "eq", "fun": lambda w: X_t @ w - y_t}
    best = optimize.minimize(
        lambda w: lesson.mse(y_s, X_s @ w), np.zeros(4), constraints=[constraint], tol=1e-12
    )
    np.testing.assert_allclose(w, best.x, atol=1e-4)


def test_extra_error_is_the_error_on_new_data(lesson, rng):
    w, w_true = rng.normal(size=(2, 4))
    X, y = lesson.sample(200_000, w_true, np.eye(4), rng)
    assert X.shape == (200_000, 4) and y.shape == (200_000,)
    expected = np.sum((w - w_true) ** 2) + 1  # the noise has variance 1
    assert lesson.mse(y, X @ w) == pytest.approx(expected, rel=0.03)


def test_task_pair_and_excess_error(lesson):
    pairs = np.array([lesson.task_pair(np.random.default_rng(s), shift=0.3) for s in range(400)])
    assert pairs.shape == (400, 2, 10)
    assert np.std(pairs[:, 1] - pairs[:, 0]) == pytest.approx(0.3, rel=0.05)
    errors = lesson.excess_error(400, [1e-9, 1e9], np.random.default_rng(0))
    assert errors[0] > 5 * errors[1] > 0  # with 400 labels the target alone is far better


def test_affine_fit_and_rotation(lesson, rng):
    S, T = rng.normal(size=(12, 2)), rng.normal(size=(12, 2))
    library = linear_model.LinearRegression().fit(S, T)
    np.testing.assert_allclose(lesson.fit_affine(S, T), library.predict(S), **NEAR)
    np.testing.assert_allclose(np.array([[1.0, 0]]) @ lesson.rotation(90), [[0, 1]], atol=1e-12)
    from scipy.spatial.transform import Rotation

    matrix = Rotation.from_euler("z", 40, degrees=True).as_matrix()[:2, :2]
    np.testing.assert_allclose(S @ lesson.rotation(40), S @ matrix.T, **NEAR)


def test_procrustes(lesson, rng):
    S, T = rng.normal(size=(15, 4)), rng.normal(size=(15, 4))
    Q = lesson.procrustes(S, T)
    np.testing.assert_allclose(Q, linalg.orthogonal_procrustes(S, T)[0], **NEAR)
    np.testing.assert_allclose(Q.T @ Q, np.eye(4), atol=1e-12)
    others = stats.ortho_group.rvs(4, size=50, random_state=0)
    assert all(np.linalg.norm(S @ Q - T) < np.linalg.norm(S @ other - T) for other in others)


def test_kernel_and_mmd(lesson, rng):
    a, b, width = rng.normal(size=(6, 3)), rng.normal(size=(8, 3)) + 1, 1.7
    gamma = 1 / (2 * width**2)
    K, L, M = rbf_kernel(a, a, gamma), rbf_kernel(b, b, gamma), rbf_kernel(a, b, gamma)
    np.testing.assert_allclose(lesson.gaussian_kernel(a, b, width), M, **NEAR)
    plain = K.mean() + L.mean() - 2 * M.mean()
    np.testing.assert_allclose(lesson.mmd2(a, b, width), plain, **NEAR)
    pairs = [[k[i, j] for i in range(len(k)) for j in range(len(k)) if i != j] for k in (K, L)]
    unbiased = np.mean(pairs[0]) + np.mean(pairs[1]) - 2 * M.mean()
    np.testing.assert_allclose(lesson.mmd_unbiased(K, L, M), unbiased, **NEAR)
    distances = metrics.pairwise_distances(np.vstack([a, b]))[np.triu_indices(14, 1)]
    np.testing.assert_allclose(lesson.median_distance(a, b), np.median(distances), **NEAR)


def test_mmd_with_a_linear_kernel_is_the_distance_of_the_means(lesson, rng):
    """With k(a, b) = a·b the unbiased estimate is that of the squared distance of two means."""
    estimates = []
    for _ in range(4000):
        a, b = rng.normal(size=(4, 2)) + [1.0, 0], rng.normal(size=(6, 2))
        estimates.append(lesson.mmd_unbiased(a @ a.T, b @ b.T, a @ b.T))
    spread = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(1.0, abs=4 * spread)


def test_the_gradient_of_the_mmd(lesson, rng):
    z, target, width = rng.normal(size=(6, 2)), rng.normal(size=(9, 2)) + 1, 1.3

    def loss(z, target):
        def kernel(p, q):
            return torch.exp(-((p[:, None] - q[None]) ** 2).sum(2) / (2 * width**2)).mean()

        return kernel(z, z) + kernel(target, target) - 2 * kernel(z, target)

    expected = gradient(loss, z, target)
    np.testing.assert_allclose(lesson.mmd2_gradient(z, target, width), expected, **NEAR)


def test_alignment_reduces_the_mmd_to_that_of_equal_distributions(lesson, rng):
    source, _ = lesson.cloud(80, rng)
    target = lesson.cloud(80, rng)[0] @ lesson.rotation(30) + [1.0, -1.0]
    width = lesson.median_distance(source, target)
    path = lesson.align(source, target, steps=60)
    assert len(path) == 61 and np.array_equal(path[0], source)
    same = lesson.mmd2(*(lesson.cloud(80, rng)[0] for _ in range(2)), width)
    assert lesson.mmd2(path[-1], target, width) < max(0.005, same)


def test_coral(lesson, rng):
    mix = rng.normal(size=(3, 3))
    source, target = rng.normal(size=(40, 3)) @ mix + 2, 3 * rng.normal(size=(40, 3)) - 1
    aligned = lesson.coral_align(source, target)
    np.testing.assert_allclose(np.cov(aligned.T), np.cov(target.T), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(aligned.mean(axis=0), target.mean(axis=0), **NEAR)
    roots = [np.real(linalg.sqrtm(np.cov(x.T))) for x in (source, target)]
    expected = (source - source.mean(axis=0)) @ linalg.inv(roots[0]) @ roots[1]
    np.testing.assert_allclose(aligned - target.mean(axis=0), expected, rtol=1e-6, atol=1e-6)
    assert lesson.coral_loss(aligned, target) < 1e-12 < lesson.coral_loss(source, target)


def test_coral_like_skada(lesson, rng):
    skada = pytest.importorskip("skada", reason="skada is not installed")
    source, target = rng.normal(size=(30, 3)) * [1, 2, 3] + 1, rng.normal(size=(30, 3)) - 1
    adapter = skada.CORALAdapter(reg=0.0)
    both, domain = np.vstack([source, target]), np.r_[np.ones(30), -2 * np.ones(30)]
    adapted = adapter.fit_transform(both, sample_domain=domain.astype(int))[:30]
    ours = lesson.coral_align(source, target) - target.mean(axis=0)  # skada centres the target
    np.testing.assert_allclose(ours, adapted, rtol=1e-6, atol=1e-6)


def test_coral_loss_like_torch(lesson, rng):
    a, b = rng.normal(size=(12, 3)), 2 * rng.normal(size=(20, 3)) + 5
    pair = [torch.cov(torch.tensor(x).T) for x in (a, b)]
    expected = torch.nn.functional.mse_loss(*pair, reduction="sum").item() / (4 * 3**2)
    np.testing.assert_allclose(lesson.coral_loss(a, b), expected, **NEAR)


@pytest.mark.parametrize("alpha", [0.01, 1.0, 40.0])
def test_biased_ridge(lesson, domains, alpha):
    X, y = domains[2:]
    prior = np.array([1.0, -2.0, 0.5, 0.0])
    w = lesson.l2sp(X, y, alpha, prior)
    ridge = linear_model.Ridge(alpha=9 * alpha, fit_intercept=False, solver="svd")
    np.testing.assert_allclose(w, ridge.fit(X, y - X @ prior).coef_ + prior, **NEAR)
    root = np.sqrt(9 * alpha)
    rows, values = np.vstack([X, root * np.eye(4)]), np.r_[y, root * prior]
    np.testing.assert_allclose(w, linalg.lstsq(rows, values)[0], **NEAR)
    np.testing.assert_allclose(lesson.l2sp_gradient(X, y, w, prior, alpha), 0, atol=1e-9)

    def loss(w, X, y, prior):
        return ((y - X @ w) ** 2).mean() + alpha * ((w - prior) ** 2).sum()

    at = np.array([0.1, 0.2, 0.3, 0.4])
    expected = gradient(loss, at, X, y, prior)
    np.testing.assert_allclose(lesson.l2sp_gradient(X, y, at, prior, alpha), expected, **NEAR)


@pytest.mark.parametrize("alpha", [0.01, 0.3, 1.0, 50.0])
def test_lasso(lesson, domains, alpha):
    X, y = domains[:2]
    library = linear_model.Lasso(alpha=alpha / 2, fit_intercept=False, tol=1e-14, max_iter=10**5)
    np.testing.assert_allclose(lesson.lasso(X, y, alpha), library.fit(X, y).coef_, atol=1e-6)


def test_gradient_descent(lesson):
    H = np.diag([1.0, 10.0])
    path = lesson.descend(lambda w: H @ w, [3.0, -2.0], 0.15, 20)
    expected = [[3 * 0.85**k, -2 * (-0.5) ** k] for k in range(21)]
    np.testing.assert_allclose(path, expected, **NEAR)
    at_the_limit = lesson.descend(lambda w: H @ w, [0.0, 1.0], 0.2, 10)
    np.testing.assert_allclose(np.abs(at_the_limit[:, 1]), 1)
    assert abs(lesson.descend(lambda w: H @ w, [0.0, 1.0], 0.21, 10)[-1, 1]) > 2


def test_steps_needed(lesson, domains):
    X, y = domains[:2]
    best = linalg.lstsq(X, y)[0]
    assert lesson.steps_needed(X, y, best) == 0
    far, near = (lesson.steps_needed(X, y, best + d * np.ones(4)) for d in (10.0, 0.5))
    assert far > near > 0
    assert lesson.steps_needed(X, y, best + 1e9, at_most=3) == 3


def test_the_end_of_a_walk_in_a_valley(lesson, rng):
    """With fewer labels than weights: the minimum nearest the start, where the walk ends."""
    X, y, start = rng.normal(size=(3, 6)), rng.normal(size=3), rng.normal(size=6)
    end = lesson.end_of_walk(X, y, start)
    nearest = start + linalg.lstsq(X, y - X @ start)[0]  # the shortest way to a minimum
    np.testing.assert_allclose(end, nearest, **NEAR)
    np.testing.assert_allclose(X @ end, y, **NEAR)
    rate = 3 / 2 / np.linalg.norm(X, 2) ** 2
    walk = lesson.descend(lambda w: 2 / 3 * X.T @ (X @ w - y), start, rate, 5000)
    np.testing.assert_allclose(walk[-1], end, **NEAR)


def test_the_diabetes_domains(lesson):
    from sklearn.datasets import load_diabetes

    X_s, y_s, X_t, y_t, unit = lesson.diabetes()
    assert X_s.shape[1] == X_t.shape[1] == 9 and len(y_s) + len(y_t) == 442
    assert len(X_s) == len(y_s) and len(X_t) == len(y_t) and "progression" in unit
    X = load_diabetes(scaled=False).data
    assert len(y_s) == np.sum(X[:, 1] == 1)
    assert not any(set(np.unique(column)) <= {1, 2} for column in X_s.T)  # sex is not an input


def test_california_is_split_at_the_coast(lesson, monkeypatch):
    """Places whose distance from the coast is known; the download itself is not tested."""
    from sklearn import datasets

    places = {
        "San Francisco": (37.77, -122.42, True),
        "Santa Monica": (34.02, -118.49, True),
        "San Diego": (32.72, -117.16, True),
        "Monterey": (36.60, -121.89, True),
        "Sacramento": (38.58, -121.49, False),
        "Fresno": (36.74, -119.79, False),
        "Bakersfield": (35.37, -119.02, False),
        "Palm Springs": (33.83, -116.55, False),
    }
    rows = np.array([[3.0, 20, 5, 1, 900, 3, lat, lon] for lat, lon, _ in places.values()])
    prices = np.arange(1.0, 9)
    monkeypatch.setattr(datasets, "fetch_california_housing", lambda **_: (rows, prices))
    X_s, y_s, X_t, y_t, unit = lesson.california()
    coast = [at_coast for *_, at_coast in places.values()]
    assert y_t.tolist() == (100 * prices[coast]).tolist()
    assert y_s.tolist() == (100 * prices[np.invert(coast)]).tolist()
    assert X_s.shape == X_t.shape == (4, 6) and np.isfinite(X_s).all() and "dollars" in unit


def test_the_five_methods(lesson, rng):
    """Each fits its scaler on its own training rows; biased ridge keeps that of the source."""
    w = np.array([2.0, -1.0, 0.5])
    X_s, X_t, X_new = (
        rng.normal(size=(200, 3)),
        rng.normal(size=(12, 3)) + 1,
        rng.normal(size=(50, 3)),
    )
    y_s, y_t = X_s @ w, X_t @ w + 3  # the target differs by a constant
    lesson.ridge.__globals__["ALPHAS"] = np.logspace(-6, -3, 4)
    given = lesson.five_methods(X_s, y_s, X_t, y_t, X_new)
    truth = X_new @ w + 3
    error = {name: np.abs(values - truth).max() for name, values in given.items()}
    assert error["biased ridge"] < 1e-3 and error["target only"] < 1e-2
    assert error["source only"] == pytest.approx(3, abs=1e-2) and error["pooled"] > 1
    assert error["source + constant"] < 1e-3  # one number is all that differs
    first = given["biased ridge"][0]
    alone = lesson.five_methods(X_s, y_s, X_t, y_t, X_new[:1])["biased ridge"][0]
    assert first == pytest.approx(alone)  # the other new rows have no influence


@pytest.mark.parametrize("name", ["draw_lambda", "draw_clouds", "draw_walk"])
def test_a_widget_draws_in_under_a_fifth_of_a_second(lesson, rng, name):
    """Processor time of drawing and encoding, so that a busy machine does not matter."""
    from transfer_lib import plots

    points, kinds = lesson.cloud(100, rng)
    case = {"points": points, "kinds": kinds, "moved": points + 1, "truth": kinds}
    case["rows"] = [(points, 0.1, 0.5)] * 9
    along = rng.normal(size=(50, 50, 2))
    given = {
        "lams": np.logspace(-3, 3, 25),
        "lam_path": rng.normal(size=(25, 2)),
        "lam_errors": {word: rng.random(25) for word in "abc"},
        "w_source": np.ones(2),
        "w_target": np.zeros(2),
        "cases": {40: case},
        "shown_steps": range(9),
        "walks": {0.15: rng.normal(size=(31, 2))},
        "optimum": np.ones(2),
        "H": np.eye(2),
        "along": along,
        "surface": (along**2).sum(axis=2),
    }
    draw = getattr(lesson, name)
    draw.__globals__.update(given)
    arguments = {
        "draw_lambda": {"step": 3},
        "draw_clouds": {"angle": 40, "step": 2},
        "draw_walk": {"rate": 0.15},
    }[name]
    seconds = []
    for _ in range(6):
        start = time.process_time()
        plots.to_png(draw(**arguments))
        seconds.append(time.process_time() - start)
    print(f"{name}: {min(seconds):.3f} s")
    assert min(seconds) < 0.2
