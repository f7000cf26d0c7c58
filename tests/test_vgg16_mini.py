"""The course's own VGG16: layer for layer Keras's, its weights checked, its predictions named."""

import hashlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

from transfer_lib import vgg16_mini
from transfer_lib.data import DataError
from transfer_lib.images import PictureError
from transfer_lib.vgg16_mini import VGG16Mini


@pytest.fixture(scope="module")
def theirs():
    """Keras's own VGG16 with random weights, at the smallest input it takes."""
    return keras.applications.VGG16(weights=None, input_shape=(32, 32, 3))


@pytest.fixture
def weight_file(tmp_path):
    """Write a file of random weights; return its path and the arrays in it."""
    rng = np.random.default_rng(1)
    model = VGG16Mini(weights=None)
    arrays = {}
    for name in vgg16_mini.layer_names():
        for part, variable in zip(("kernel", "bias"), model.get_layer(name).weights, strict=True):
            fan_in = np.prod(variable.shape[:-1]) if part == "kernel" else 1000
            values = rng.normal(0, np.sqrt(2 / fan_in), variable.shape)
            arrays[f"{name}/{part}"] = values.astype(np.float32)
    arrays["block1_conv1/kernel"] /= 64
    path = tmp_path / "weights.npz"
    np.savez(path, **arrays)
    return path, arrays


# --- the model ---------------------------------------------------------------------------------


def test_layers_are_those_of_keras(theirs):
    mine = VGG16Mini(weights=None)
    assert len(mine.layers) == len(theirs.layers) == 23
    for a, b in zip(mine.layers[1:], theirs.layers[1:], strict=True):  # the first is the input
        assert (type(a), a.name) == (type(b), b.name)
        for setting in ("kernel_size", "padding", "strides", "pool_size"):
            assert getattr(a, setting, None) == getattr(b, setting, None), (a.name, setting)
        assert getattr(a, "activation", None) == getattr(b, "activation", None)
        if "conv" in a.name:
            assert 4 * a.filters == b.filters


def test_feature_maps_have_the_sizes_of_keras():
    mine = VGG16Mini(weights=None, include_top=False, input_shape=(96, 64, 3))
    reference = keras.applications.VGG16(weights=None, include_top=False, input_shape=(96, 64, 3))
    for a, b in zip(mine.layers, reference.layers, strict=True):
        assert a.output.shape[1:3] == b.output.shape[1:3]
    assert mine.output_shape == (None, 3, 2, 128)


def test_arguments_are_keras_own():
    import inspect

    mine = inspect.signature(VGG16Mini).parameters
    reference = inspect.signature(keras.applications.VGG16).parameters
    assert [name for name in reference if name in mine] == list(mine)
    assert {n for n in mine if mine[n].default != reference[n].default} == {"weights"}


def test_top_gives_probabilities_and_none_gives_logits(weight_file, pixels):
    x = vgg16_mini.preprocess_input(pixels)
    probabilities = np.asarray(VGG16Mini(weights=weight_file[0]).predict(x, verbose=0))
    assert 0.1 < probabilities.max() < 0.99
    logits = VGG16Mini(weights=weight_file[0], classifier_activation=None).predict(x, verbose=0)
    assert probabilities.shape == (8, 10)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    odds = np.exp(np.asarray(logits, np.float64))
    np.testing.assert_allclose(odds / odds.sum(1, keepdims=True), probabilities, atol=1e-5)


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooling_without_the_top(weight_file, pixels, pooling):
    x = vgg16_mini.preprocess_input(np.repeat(np.repeat(pixels, 2, 1), 2, 2))  # 64 x 64
    maps = VGG16Mini(weights=weight_file[0], include_top=False).predict(x, verbose=0)
    pooled = VGG16Mini(weights=weight_file[0], include_top=False, pooling=pooling)
    assert maps.shape == (8, 2, 2, 128) and pooled.output_shape == (None, 128)
    wanted = maps.mean((1, 2)) if pooling == "avg" else maps.max((1, 2))
    np.testing.assert_allclose(pooled.predict(x, verbose=0), wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"input_shape": (64, 64, 3)}, "Resize the images, or set include_top=False"),
        ({"input_shape": (32, 32, 1)}, "Repeat a grey image"),
        ({"input_shape": (25, 25, 3), "include_top": False}, "too small"),
        ({"input_shape": (None, None, 3)}, "with its top the network takes 32"),
        ({"input_shape": (32, 32)}, "it is .height, width, 3."),
    ],
)
def test_arguments_that_cannot_be(arguments, words):
    with pytest.raises(ValueError, match=words):
        VGG16Mini(**arguments)


# --- the weights -------------------------------------------------------------------------------


def test_weights_land_in_the_layers_named_after_them(weight_file):
    path, arrays = weight_file
    model = VGG16Mini(weights=path, include_top=False)
    for name in vgg16_mini.layer_names(include_top=False):
        kernel, bias = model.get_layer(name).get_weights()
        np.testing.assert_array_equal(kernel, arrays[f"{name}/kernel"])
        np.testing.assert_array_equal(bias, arrays[f"{name}/bias"])


def _registered(monkeypatch, path):
    """Make `path` the file that weights="cifar10" reads, as it is now."""
    content = path.read_bytes()
    monkeypatch.setattr(vgg16_mini, "WEIGHTS_FILE", path)
    monkeypatch.setattr(vgg16_mini, "WEIGHTS_SHA256", hashlib.sha256(content).hexdigest())
    return content


def test_a_changed_file_is_refused(weight_file, monkeypatch):
    path = weight_file[0]
    content = _registered(monkeypatch, path)
    VGG16Mini(weights="cifar10")
    path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    with pytest.raises(DataError, match="SHA-256 .* expected"):
        VGG16Mini(weights="cifar10")


def test_a_truncated_or_missing_file_is_refused(weight_file, monkeypatch):
    path = weight_file[0]
    content = _registered(monkeypatch, path)
    path.write_bytes(content[:-1000])
    with pytest.raises(DataError, match="expected"):
        VGG16Mini(weights="cifar10")
    with pytest.raises(DataError, match="not a whole .npz file"):
        VGG16Mini(weights=path)  # by path there is no hash, and still no half-read weights
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        VGG16Mini(weights="cifar10")


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "bad.npz", a=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(DataError, match="not a whole .npz file"):
        vgg16_mini.read_weights(tmp_path / "bad.npz")


def test_shipped_file_is_small_and_has_a_card():
    content = vgg16_mini.WEIGHTS_FILE.read_bytes()
    assert len(content) <= 4_000_000
    assert hashlib.sha256(content).hexdigest() == vgg16_mini.WEIGHTS_SHA256
    card = (vgg16_mini.WEIGHTS_FILE.parent / "VGG16_MINI.md").read_text(encoding="utf-8")
    assert vgg16_mini.WEIGHTS_SHA256 in card
    assert "normalization" not in str(vgg16_mini.read_weights(vgg16_mini.WEIGHTS_FILE).keys())


def test_shipped_network_has_the_accuracy_that_its_card_states(cifar10_test):
    images, labels = cifar10_test
    model = VGG16Mini()
    probabilities = model.predict(vgg16_mini.preprocess_input(images), batch_size=500, verbose=0)
    accuracy = (np.argmax(probabilities, 1) == labels).mean()
    card = (vgg16_mini.WEIGHTS_FILE.parent / "VGG16_MINI.md").read_text(encoding="utf-8")
    stated = float(re.search(r"test accuracy\*\* \| \*\*(0\.\d+)\*\*", card)[1])
    assert accuracy == pytest.approx(stated, abs=0.002)
    assert accuracy >= 0.87  # 0.90 is the aim


def test_shipped_network_knows_the_cat():
    data = pytest.importorskip("skimage.data")
    from PIL import Image

    photo = Image.fromarray(data.chelsea()[:, 75:375]).resize((32, 32), Image.Resampling.BOX)
    x = vgg16_mini.preprocess_input(np.asarray(photo)[None])
    best = vgg16_mini.decode_predictions(VGG16Mini().predict(x, verbose=0), top=1)[0][0]
    assert best[:2] == ("n02121620", "cat") and best[2] > 0.5


@pytest.fixture(scope="module")
def cifar10_test():
    """CIFAR-10's test images and labels, from the folder of TRANSFER_LIB_DATA."""
    import io

    from PIL import Image

    from transfer_lib import settings

    folder = settings.data_dir()
    if folder is None or not (folder / "cifar10_jpeg.npz").exists():
        pytest.skip("cifar10_jpeg.npz is not in the folder of TRANSFER_LIB_DATA")
    with np.load(folder / "cifar10_jpeg.npz") as data:
        jpeg, offset, labels = data["jpeg"].tobytes(), data["offset"], data["label"]
        test = np.flatnonzero(~data["is_train"])
    images = [np.asarray(Image.open(io.BytesIO(jpeg[offset[i] : offset[i + 1]]))) for i in test]
    return np.stack(images), labels[test]


# --- preprocessing -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uint8", "float32", "tensor", "one image"])
def test_preprocessing_is_keras_own_and_changes_nothing(kind, pixels):
    given = {
        "uint8": pixels,
        "float32": pixels.astype("float32"),
        "tensor": keras.ops.convert_to_tensor(pixels),
        "one image": pixels[0],
    }[kind]
    wanted = keras.applications.vgg16.preprocess_input(np.array(given, "float32"))
    before = np.array(given)
    np.testing.assert_allclose(np.asarray(vgg16_mini.preprocess_input(given)), wanted, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(given), before)


def test_preprocessing_of_a_symbolic_tensor(pixels):
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, vgg16_mini.preprocess_input(inputs))
    wanted = vgg16_mini.preprocess_input(pixels)
    np.testing.assert_allclose(model.predict(pixels, verbose=0), wanted, atol=1e-4)


def test_what_is_no_pixels_is_refused(pixels):
    ready = vgg16_mini.preprocess_input(pixels)
    for wrong in (pixels / 255, ready, pixels / 127.5 - 1, pixels * 2.0, pixels * np.nan):
        with pytest.raises(PictureError, match="expected are pixels from 0 to 255"):
            vgg16_mini.preprocess_input(wrong)
        with pytest.raises(PictureError, match="expected are pixels from 0 to 255"):
            vgg16_mini.preprocess_input(keras.ops.convert_to_tensor(wrong))
    for wrong in (pixels[..., 0], pixels[..., :1], keras.Input((32, 32, 1))):
        with pytest.raises(PictureError, match="Repeat a grey image"):
            vgg16_mini.preprocess_input(wrong)


# --- predictions -------------------------------------------------------------------------------


def test_predictions_have_the_shape_that_keras_gives():
    rng = np.random.default_rng(3)
    scores = rng.dirichlet(np.ones(10), 4).astype(np.float32)
    decoded = vgg16_mini.decode_predictions(scores, top=3)
    assert [len(row) for row in decoded] == [3] * 4
    for row, values in zip(decoded, scores, strict=True):
        assert isinstance(row, list) and all(isinstance(entry, tuple) for entry in row)
        assert [entry[2] for entry in row] == sorted(values, reverse=True)[:3]
        for identifier, name, score in row:
            assert identifier.startswith("n") and len(identifier) == 9
            assert score == values[vgg16_mini.CLASS_NAMES.index(name)]
    assert vgg16_mini.decode_predictions(keras.ops.convert_to_tensor(scores), top=3) == decoded
    assert len(vgg16_mini.decode_predictions(scores)[0]) == 5  # Keras's default


@pytest.mark.parametrize("shape", [(10,), (2, 1000), (1, 1, 10)])
def test_predictions_of_another_network_are_refused(shape):
    with pytest.raises(ValueError, match="expects the shape"):
        vgg16_mini.decode_predictions(np.zeros(shape))


def test_importing_loads_no_engine():
    code = (
        "import sys; from transfer_lib import vgg16_mini; "
        "print(sorted({'keras', 'torch', 'jax', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
