"""The embedded networks: the original's numbers, the interface, and what bad input is told."""

import os
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import make_lite0_reference
from transfer_lib import data, networks


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_lite0_says_what_the_original_says(backend):
    if util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed; make test-backends runs this with it")
    run = subprocess.run(
        [sys.executable, make_lite0_reference.__file__, "--check"],
        capture_output=True,
        text=True,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    assert run.returncode == 0, run.stderr
    assert float(run.stdout.split()[-1]) < 1e-3  # in logarithms of probabilities down to 1e-9


@pytest.mark.parametrize("name", networks.EMBEDDED)
def test_one_interface(name):
    whole, base = networks.load(name), networks.load(name, include_top=False)
    names = networks.class_names(name)
    assert len(names) == whole.output_shape[-1] == len(set(names))
    side = 32 if name == "vgg16-mini" else 64
    pixels = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), "uint8")
    kept = pixels.copy()
    x = networks.preprocess(name, pixels)
    assert x.shape == pixels.shape and x.dtype == np.float32 and (pixels == kept).all()
    scores = whole.predict(x, verbose=0)
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)
    features = base.predict(x, verbose=0)
    assert features.ndim == 4 and len(features) == 2
    tensor = networks.preprocess(name, keras.ops.convert_to_tensor(pixels.astype("float32")))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(tensor), x)


def test_untrained_is_the_same_architecture_with_other_weights():
    trained = networks.load("efficientnet-lite0", include_top=False)
    keras.utils.set_random_seed(0)
    untrained = networks.load("efficientnet-lite0", include_top=False, trained=False)
    assert [w.path.split("/", 1)[-1] for w in trained.weights] == [
        w.path.split("/", 1)[-1] for w in untrained.weights
    ]
    pairs = zip(trained.trainable_weights, untrained.trainable_weights, strict=True)
    assert not all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)


def test_class_names_are_imagenets():
    names = networks.class_names("efficientnet-lite0")
    assert names[0].startswith("tench") and names[281].startswith("tabby")
    assert names[-1].startswith("toilet tissue")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: networks.load("vgg19"), "no network 'vgg19'; there are efficientnet-lite0"),
        (lambda: networks.class_names("lite0"), "there are efficientnet-lite0, vgg16-mini, vgg16"),
        (
            lambda: networks.load("efficientnet-lite0", input_shape=(64, 64, 1)),
            "Repeat a grey image three times",
        ),
        (lambda: networks.load("efficientnet-lite0", input_shape=(64, 64)), "height, width, 3"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name", networks.EMBEDDED)
def test_pixels_are_checked(name):
    with pytest.raises(ValueError):
        networks.preprocess(name, np.full((1, 32, 32, 3), 300.0))
    with pytest.raises(ValueError):
        networks.preprocess(name, np.zeros((1, 32, 32)))


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ImportError, match=f"pip install {networks.LITE0_PACKAGE}"):
        networks.load("efficientnet-lite0")


def test_a_damaged_file_is_refused(monkeypatch, tmp_path):
    class Distribution:
        def locate_file(self, file):
            return tmp_path / Path(file).name

    monkeypatch.setattr(metadata, "distribution", lambda name: Distribution())
    with pytest.raises(Exception, match="cannot be read.*pip install --force-reinstall"):
        networks.load("efficientnet-lite0")
    (tmp_path / Path(networks.LITE0).name).write_bytes(b"other")
    with pytest.raises(Exception, match="SHA-256.*expected 5793"):
        networks.load("efficientnet-lite0")


@pytest.mark.parametrize("classes", [2, 10])
def test_a_fitted_head_says_what_logistic_regression_says(classes):
    split = data.load("photo_patches")
    rows = np.concatenate([np.flatnonzero(split.y_train == k)[:10] for k in range(classes)])
    x, x_new = (np.repeat(part[rows][..., None], 3, -1) for part in (split.x_train, split.x_test))
    x, x_new, y = *(networks.preprocess("vgg16-mini", z) for z in (x, x_new)), split.y_train[rows]
    base = networks.load("vgg16-mini", include_top=False, input_shape=(32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(base.get_layer("block3_pool").output)
    features = keras.Model(base.input, pooled)
    model = networks.fit_head(features, x, y)
    both = [features.predict(part, verbose=0) for part in (x, x_new)]
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=0.01))
    expected = logistic.fit(both[0], y).predict_proba(both[1])
    np.testing.assert_allclose(model.predict(x_new, verbose=0), expected, atol=1e-3)
    assert model.get_layer("block1_conv1") is base.get_layer("block1_conv1")
