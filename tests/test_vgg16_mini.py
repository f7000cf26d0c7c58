"""The course's own VGG16: layer for layer Keras's, its weights checked, its predictions named."""

import hashlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

from transfer_lib import networks
from transfer_lib.data import DataError
from transfer_lib.images import PictureError


@pytest.fixture(scope="module")
def theirs():
    """Keras's own VGG16 with random weights, at the smallest input it takes."""
    return keras.applications.VGG16(weights=None, input_shape=(32, 32, 3))


# --- the model ---------------------------------------------------------------------------------


def test_layers_are_those_of_keras(theirs):
    mine = networks.load("vgg16-mini", trained=False)
    assert len(mine.layers) == len(theirs.layers) == 23
    for a, b in zip(mine.layers[1:], theirs.layers[1:], strict=True):  # the first is the input
        assert (type(a), a.name) == (type(b), b.name)
        for setting in ("kernel_size", "padding", "strides", "pool_size"):
            assert getattr(a, setting, None) == getattr(b, setting, None), (a.name, setting)
        assert getattr(a, "activation", None) == getattr(b, "activation", None)
        if "conv" in a.name:
            assert 4 * a.filters == b.filters


def test_feature_maps_have_the_sizes_of_keras():
    mine = networks.load("vgg16-mini", False, (96, 64, 3), trained=False)
    reference = keras.applications.VGG16(weights=None, include_top=False, input_shape=(96, 64, 3))
    for a, b in zip(mine.layers, reference.layers, strict=True):
        assert a.output.shape[1:3] == b.output.shape[1:3]
    assert mine.output_shape == (None, 3, 2, 128)


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
        networks.load("vgg16-mini", trained=False, **arguments)


# --- the weights -------------------------------------------------------------------------------


def test_shipped_file_is_small_and_has_a_card():
    content = networks.MINI.read_bytes()
    assert len(content) <= 4_000_000
    assert hashlib.sha256(content).hexdigest() == networks.MINI_SHA256
    card = (networks.FOLDER / "VGG16_MINI.md").read_text(encoding="utf-8")
    assert networks.MINI_SHA256 in card


def test_weights_land_in_the_layers_named_after_them():
    with np.load(networks.MINI) as file:
        for whole in (True, False):
            model = networks.load("vgg16-mini", include_top=whole)
            named = [layer for layer in model.layers if layer.weights]
            assert len(named) == (16 if whole else 13)
            for layer in named:
                kernel, bias = layer.get_weights()
                np.testing.assert_array_equal(kernel, file[f"{layer.name}/kernel"])
                np.testing.assert_array_equal(bias, file[f"{layer.name}/bias"])


def test_a_changed_truncated_or_missing_file_is_refused(tmp_path, monkeypatch):
    content, path = networks.MINI.read_bytes(), tmp_path / "weights.npz"
    monkeypatch.setattr(networks, "MINI", path)
    with pytest.raises(DataError, match="cannot be read.*Install the course again"):
        networks.load("vgg16-mini")
    changed = content[:5000] + bytes([content[5000] ^ 1]) + content[5001:]
    for wrong in (changed, content[:-1000]):
        path.write_bytes(wrong)
        with pytest.raises(DataError, match="SHA-256 .* expected"):
            networks.load("vgg16-mini")
    path.write_bytes(content)
    networks.load("vgg16-mini")


def test_shipped_network_has_the_accuracy_that_its_card_states(cifar10_test):
    images, labels = cifar10_test
    model = networks.load("vgg16-mini")
    probabilities = model.predict(
        networks.preprocess("vgg16-mini", images), batch_size=500, verbose=0
    )
    accuracy = (np.argmax(probabilities, 1) == labels).mean()
    card = (networks.FOLDER / "VGG16_MINI.md").read_text(encoding="utf-8")
    stated = float(re.search(r"test accuracy\*\* \| \*\*(0\.\d+)\*\*", card)[1])
    assert accuracy == pytest.approx(stated, abs=0.002)
    assert accuracy >= 0.87  # 0.90 is the aim


def test_shipped_network_knows_the_cat():
    data = pytest.importorskip("skimage.data")
    from PIL import Image

    photo = Image.fromarray(data.chelsea()[:, 75:375]).resize((32, 32), Image.Resampling.BOX)
    x = networks.preprocess("vgg16-mini", np.asarray(photo)[None])
    scores = networks.load("vgg16-mini").predict(x, verbose=0)[0]
    assert networks.CIFAR10[scores.argmax()] == "cat" and scores.max() > 0.5


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
    np.testing.assert_allclose(
        np.asarray(networks.preprocess("vgg16-mini", given)), wanted, atol=1e-4
    )
    np.testing.assert_array_equal(np.asarray(given), before)


def test_preprocessing_of_a_symbolic_tensor(pixels):
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, networks.preprocess("vgg16-mini", inputs))
    wanted = networks.preprocess("vgg16-mini", pixels)
    np.testing.assert_allclose(model.predict(pixels, verbose=0), wanted, atol=1e-4)


def test_what_is_no_pixels_is_refused(pixels):
    ready = networks.preprocess("vgg16-mini", pixels)
    for wrong in (pixels / 255, ready, pixels / 127.5 - 1, pixels * 2.0, pixels * np.nan):
        with pytest.raises(PictureError, match="expected are pixels from 0 to 255"):
            networks.preprocess("vgg16-mini", wrong)
        with pytest.raises(PictureError, match="expected are pixels from 0 to 255"):
            networks.preprocess("vgg16-mini", keras.ops.convert_to_tensor(wrong))
    for wrong in (pixels[..., 0], pixels[..., :1], keras.Input((32, 32, 1))):
        with pytest.raises(PictureError, match="Repeat a grey image"):
            networks.preprocess("vgg16-mini", wrong)


def test_importing_loads_no_engine():
    code = (
        "import sys; from transfer_lib import networks; "
        "print(sorted({'keras', 'torch', 'jax', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
