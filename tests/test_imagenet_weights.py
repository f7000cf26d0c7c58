"""The path of VGG16's ImageNet weights, from a server to the network, with files made here.

The files have the layout of Keras's own two, and the same 13 convolutions. The top is smaller:
an input of 32 x 32 and 10 classes. Their numbers repeat and are packed, which makes them small.
"""

import dataclasses
import hashlib
import io

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import vgg16 as keras_vgg16

from transfer_lib import data, networks
from transfer_lib.data import registry

NAMES = {True: "vgg16_imagenet", False: "vgg16_imagenet_notop"}
SMALL = {True: {"input_shape": (32, 32, 3), "classes": 10}, False: {"include_top": False}}
BOTH = pytest.mark.parametrize("top", [True, False], ids=["top", "notop"])
pytestmark = pytest.mark.usefixtures("quick_downloads")


def numbers(shape, seed):
    """Return weights that keep the scale of a signal, and repeat after 251 numbers."""
    few = np.random.RandomState(seed).normal(size=251).astype(np.float32)
    scale = np.sqrt(2 / np.prod(shape[:-1])) if len(shape) > 1 else 0.1
    return np.resize(few * np.float32(scale), shape)


@pytest.fixture(scope="module")
def made():
    """Return, with the top and without: a network with known weights, and its file's bytes."""
    return {top: make(top) for top in (True, False)}


def make(top):
    model = keras.applications.VGG16(weights=None, **SMALL[top])
    weights = [numbers(tuple(variable.shape), i) for i, variable in enumerate(model.weights)]
    model.set_weights(weights)
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        # As Keras 1 wrote it: every layer in the list, kernel before bias, no version.
        layers = model.layers[1:]
        h5.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        left = iter(weights)
        for layer in layers:
            names = [f"{layer.name}_{part}_1:0" for part in ("W", "b")] if layer.weights else []
            group = h5.create_group(layer.name)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name in names:
                group.create_dataset(name, data=next(left), compression="gzip")
    return model, file.getvalue()


def put(monkeypatch, top, body, *urls):
    """Point the entry at other addresses, with the size of `body` and a hash of the same kind."""
    entry = data.info(NAMES[top])
    kind = "md5" if entry.known_hash.startswith("md5:") else "sha256"
    digest = hashlib.new(kind, body).hexdigest()
    digest = f"md5:{digest}" if kind == "md5" else digest
    changed = dataclasses.replace(entry, urls=urls, size=len(body), known_hash=digest)
    monkeypatch.setitem(registry.ENTRIES, entry.name, changed)
    return changed


def assert_equal_networks(top, path, model):
    images = np.random.RandomState(1).uniform(-120, 120, (2, 32, 32, 3)).astype(np.float32)
    other = keras.applications.VGG16(weights=path, **SMALL[top])
    expected = model.predict(images, verbose=0)
    assert np.ptp(expected) > 0.01  # otherwise equal would mean nothing
    np.testing.assert_allclose(other.predict(images, verbose=0), expected, rtol=1e-5, atol=1e-6)


def left():
    folder = data.data_cache()
    return sorted(p.name for p in folder.glob("*") if p.suffix != ".lock")


@BOTH
def test_entry_is_keras_own_file(top):
    entry = data.info(NAMES[top])
    url = keras_vgg16.WEIGHTS_PATH if top else keras_vgg16.WEIGHTS_PATH_NO_TOP
    assert entry.urls[0] == url and url.endswith(f"/{entry.filename}")
    assert all(other.endswith(f"/{entry.filename}") for other in entry.urls)
    if top:  # Keras states MD5s
        with open(keras_vgg16.__file__, encoding="utf8") as source:
            assert f'file_hash="{entry.known_hash.removeprefix("md5:")}"' in source.read()
    # 4 bytes for each weight; Keras's own layout needs a few kilobytes more.
    count = sum(np.prod(shape) for shape in full_shapes(top))
    assert 4 * count < entry.size < 4 * count + 50_000


def full_shapes(top):
    """Return the shapes of the real network's weights (configuration D of the paper)."""
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    kernels = [(3, 3, a, b) for a, b in zip(widths, widths[1:], strict=False)]
    if top:
        kernels += [(7 * 7 * 512, 4096), (4096, 4096), (4096, 1000)]
    return kernels + [kernel[-1:] for kernel in kernels]


@BOTH
def test_downloaded_once_and_loaded(server, monkeypatch, made, top):
    model, body = made[top]
    entry = put(monkeypatch, top, body, server.serve("w.h5", body))
    path = data.fetch(entry.name)
    assert path == data.data_cache() / entry.filename and data.fetch(entry.name) == path
    assert len(server.requests) == 1 and left() == [entry.filename]
    assert data.where(entry.name) == "cached"
    assert_equal_networks(top, path, model)


@BOTH
def test_file_in_the_data_folder_and_by_its_path(server, monkeypatch, made, top, tmp_path):
    model, body = made[top]
    entry = put(monkeypatch, top, body, server.serve("w.h5", body))
    path = tmp_path / entry.filename
    path.write_bytes(body)
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    assert data.fetch(entry.name) == path and data.where(entry.name) == "TRANSFER_LIB_DATA"
    assert server.requests == [] and not data.data_cache().exists()
    assert_equal_networks(top, path if top else str(path), model)  # Keras takes either kind


@BOTH
@pytest.mark.parametrize("case", ["changed", "truncated", "a page", "longer"])
def test_wrong_file_is_refused(server, monkeypatch, made, top, case, tmp_path):
    body = made[top][1]
    middle = len(body) // 2
    wrong = {
        "changed": body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :],
        "truncated": body[:-1000],
        "a page": b"<html>log in</html>",
        "longer": body + b"more",
    }[case]
    entry = put(monkeypatch, top, body, server.serve("w.h5", wrong))
    with pytest.raises(data.DataError) as caught:
        data.fetch(entry.name)
    assert entry.filename in str(caught.value) and "by hand" in str(caught.value)
    assert left() == []

    path = tmp_path / entry.filename
    path.write_bytes(wrong)
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    with pytest.raises(data.DataError, match="is not the file that was expected"):
        data.fetch(entry.name)
    assert path.read_bytes() == wrong and left() == []


@BOTH
def test_damaged_cache_is_fetched_again(server, monkeypatch, made, top):
    body = made[top][1]
    entry = put(monkeypatch, top, body, server.serve("w.h5", body))
    data.fetch(entry.name).write_bytes(body[:-1] + b"?")
    assert data.fetch(entry.name).read_bytes() == body and left() == [entry.filename]


def test_download_is_resumed(server, monkeypatch, made):
    body = made[False][1]
    cut = ("cut", len(body) // 2)
    entry = put(monkeypatch, False, body, server.serve("w.h5", body, cut))
    assert data.fetch(entry.name).read_bytes() == body
    assert [request.status for request in server.requests] == [200, 206]


def test_weights_do_not_fit_the_other_network(server, monkeypatch, made):
    body = made[False][1]
    entry = put(monkeypatch, False, body, server.serve("w.h5", body))
    with pytest.raises(ValueError, match="Layer count mismatch"):
        keras.applications.VGG16(weights=data.fetch(entry.name), **SMALL[True])


def test_networks_load_gives_vgg16_with_these_weights(server, monkeypatch, made):
    model, body = made[False]
    put(monkeypatch, False, body, server.serve("w.h5", body))
    base = networks.load("vgg16", include_top=False)
    for ours, theirs in zip(base.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    pixels = np.random.RandomState(0).randint(0, 256, (2, 64, 64, 3)).astype("uint8")
    x = networks.preprocess("vgg16", pixels)
    np.testing.assert_array_equal(
        x, keras_vgg16.preprocess_input(pixels.astype("float32")), strict=True
    )
    assert base.predict(x, verbose=0).shape == (2, 2, 2, 512)
    untrained = networks.load("vgg16", include_top=False, trained=False)
    assert not np.array_equal(untrained.weights[0].numpy(), base.weights[0].numpy())
    assert networks.class_names("vgg16") == networks.class_names("efficientnet-lite0")
