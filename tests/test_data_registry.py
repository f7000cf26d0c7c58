"""The registry: every entry complete, every data set loads, every failure says what to do."""

import dataclasses
import hashlib
import io
import os
import re
import socket
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from transfer_lib import data
from transfer_lib.data import registry, sets
from transfer_lib.settings import SettingError

pytestmark = pytest.mark.usefixtures("quick_downloads")
MNIST_KEYS = ("x_train", "y_train", "x_test", "y_test")


@pytest.fixture(scope="module")
def mnist_bytes():
    """Return a small file with the very layout of mnist.npz: nearly all pixels are 0."""
    arrays = {
        "x_train": np.zeros((60000, 28, 28), np.uint8),
        "y_train": np.arange(60000).astype(np.uint8) % 10,
        "x_test": np.zeros((10000, 28, 28), np.uint8),
        "y_test": np.arange(10000).astype(np.uint8) % 10,
    }
    arrays["x_train"][7, 3, 4] = 255
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def put(monkeypatch, entry, body, *urls, **changes):
    """Point a copy of `entry` at other addresses, with the size and the hash of `body`."""
    changes |= {"urls": urls, "size": len(body), "known_hash": hashlib.sha256(body).hexdigest()}
    entry = dataclasses.replace(entry, **changes)
    monkeypatch.setitem(registry.ENTRIES, entry.name, entry)
    return entry


def small_npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def left():
    folder = data.data_cache()
    return sorted(p.name for p in folder.glob("*") if p.suffix != ".lock")


# ---------------------------------------------------------------- entries


def test_names():
    assert {"digits", "font_digits", "mnist_5000", "mnist"} <= set(data.names())
    entries = map(data.info, data.names())
    files = [entry.filename for entry in entries if not entry.embedded]  # they share a folder
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("name", data.names())
def test_entry_is_complete(name):
    entry = data.info(name)
    assert entry.name == name
    for field in ("description", "licence", "citation", "filename"):
        assert getattr(entry, field).strip()
    assert re.fullmatch("[0-9a-f]{64}|md5:[0-9a-f]{32}", entry.known_hash)
    assert entry.size > 0
    assert entry.embedded != bool(entry.urls)
    assert hasattr(sets, f"load_{name}") is entry.arrays
    assert entry.arrays or not entry.any_bytes
    assert all(url.startswith("https://") for url in entry.urls)
    assert entry.alternative is None or data.info(entry.alternative).embedded


@pytest.mark.parametrize("ask", [data.load, data.fetch, data.info, data.where])
@pytest.mark.parametrize("name", ["minst", None, ["digits"]])
def test_unknown_name_lists_the_known(ask, name):
    with pytest.raises(data.DataError) as caught:
        ask(name)
    assert repr(name) in str(caught.value)
    assert all(known in str(caught.value) for known in data.names())


def test_table(monkeypatch, tmp_path):
    lines = data.table().splitlines()
    by_name = {line.split()[0]: line for line in lines if line}
    assert set(data.names()) <= set(by_name)
    assert "embedded" in by_name["digits"] and "embedded" in by_name["font_digits"]
    assert "not downloaded" in by_name["mnist"] and "11.5 MB" in by_name["mnist"]
    assert data.info("mnist").licence in by_name["mnist"]
    (tmp_path / "mnist.npz").touch()
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    assert data.where("mnist") == "TRANSFER_LIB_DATA"
    assert "TRANSFER_LIB_DATA" in data.table()


def test_import_is_light():
    heavy = "keras torch matplotlib sklearn scipy requests pooch numpy"
    code = (
        "import sys; from transfer_lib import data; data.table();"
        f"print(*sorted(set({heavy!r}.split()) & set(sys.modules)))"
    )
    root = Path(__file__).parents[1]
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert (out.stdout.strip(), out.returncode) == ("", 0), out.stderr


# ---------------------------------------------------------------- downloaded data


def test_mnist_is_downloaded_once_and_loaded(server, monkeypatch, mnist_bytes):
    put(monkeypatch, data.info("mnist"), mnist_bytes, server.serve("mnist.npz", mnist_bytes))
    split = data.load("mnist")
    assert split.x_train.shape == (60000, 28, 28) and split.x_test.shape == (10000, 28, 28)
    assert split.x_train.dtype == np.uint8 and split.y_train.dtype == np.int64
    assert split.x_train[7, 3, 4] == split.max_value == 255
    assert list(split.y_test[:3]) == [0, 1, 2]
    assert split.path == data.data_cache() / "mnist.npz" and data.where("mnist") == "cached"
    data.load("mnist")
    assert len(server.requests) == 1
    assert left() == ["mnist.npz"]


def test_cached_file_damaged_later_is_fetched_again(server, monkeypatch, mnist_bytes):
    put(monkeypatch, data.info("mnist"), mnist_bytes, server.serve("mnist.npz", mnist_bytes))
    path = data.fetch("mnist")
    for damaged in (mnist_bytes[:-1] + b"?", mnist_bytes[:1000], b""):
        path.write_bytes(damaged)
        assert data.fetch("mnist").read_bytes() == mnist_bytes
    assert len(server.requests) == 4
    assert left() == ["mnist.npz"]


def test_a_whole_cached_file_needs_no_writable_cache(server, monkeypatch, mnist_bytes):
    put(monkeypatch, data.info("mnist"), mnist_bytes, server.serve("mnist.npz", mnist_bytes))
    path = data.fetch("mnist")

    def refuse(*_, **__):
        raise AssertionError("nothing has to be written")

    monkeypatch.setattr(registry, "download", refuse)
    assert data.fetch("mnist") == path


def test_offline_message_says_everything(monkeypatch, mnist_bytes, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{free.getsockname()[1]}"
    urls = (f"{host}/mnist.npz", f"{host}/mirror/mnist.npz")
    put(monkeypatch, data.info("mnist"), mnist_bytes, *urls)
    for folder in (None, tmp_path):
        if folder:
            monkeypatch.setenv("TRANSFER_LIB_DATA", str(folder))
        with pytest.raises(data.DataError) as caught:
            data.load("mnist")
        message = str(caught.value)
        for part in ("mnist.npz", "'mnist'", "TRANSFER_LIB_DATA", str(data.data_cache()), *urls):
            assert part in message
        assert (str(folder) if folder else "not set") in message
        assert message.count("refused") == 2
        assert "data.load('mnist_5000')" in message  # the embedded alternative
        assert "by hand" in message
        assert left() == []


def test_message_tells_how_far_the_download_came(server, monkeypatch):
    body = os.urandom(400_000)
    cuts = [("cut", 300_000)] + [503] * 9
    put(monkeypatch, data.info("mnist"), body, server.serve("mnist.npz", body, *cuts))
    with pytest.raises(data.DataError, match=r"it goes on after 0\.[23] MB"):
        data.fetch("mnist")


# ---------------------------------------------------------------- TRANSFER_LIB_DATA


def test_folder_is_looked_at_first_and_judged_by_layout(monkeypatch, tmp_path, mnist_bytes):
    (tmp_path / "mnist.npz").write_bytes(mnist_bytes)  # not the bytes whose hash is registered
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    assert data.fetch("mnist") == tmp_path / "mnist.npz"
    assert data.load("mnist").x_train[7, 3, 4] == 255
    assert not data.data_cache().exists()


WRONG = {
    "empty": b"",
    "no npz": b"<html>log in</html>",
    "other keys": small_npz(images=np.zeros(3)),
    "one key missing": small_npz(**{key: np.zeros(3, np.uint8) for key in MNIST_KEYS[:3]}),
    "other shapes": small_npz(**{key: np.zeros(3, np.uint8) for key in MNIST_KEYS}),
    "other dtype": small_npz(
        x_train=np.zeros((1, 28, 28)), **{key: np.zeros(3, np.uint8) for key in MNIST_KEYS[1:]}
    ),
    "pickled": small_npz(x_train=np.array([{}, []], dtype=object)),
}


@pytest.mark.parametrize("case", [*WRONG, "truncated", "damaged inside"])
def test_wrong_file_in_the_folder(monkeypatch, tmp_path, mnist_bytes, case):
    body = WRONG.get(case, mnist_bytes[:-5000])
    if case == "damaged inside":  # headers right, the pixels' checksum wrong
        with zipfile.ZipFile(io.BytesIO(mnist_bytes)) as file:
            middle = file.getinfo("x_test.npy").header_offset + 5000
        body = mnist_bytes[:middle] + b"\xff" * 40 + mnist_bytes[middle + 40 :]
        assert body != mnist_bytes
    path = tmp_path / "mnist.npz"
    path.write_bytes(body)
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    with pytest.raises(data.DataError) as caught:
        data.load("mnist")
    assert str(path) in str(caught.value) and "'mnist'" in str(caught.value)
    assert "Expected: 70,000 handwritten digits, 28 x 28" in str(caught.value)
    if case in ("one key missing", "other shapes", "other dtype"):
        assert "x_train should be uint8 (60000, 28, 28)" in str(caught.value)
    assert path.read_bytes() == body  # it is the user's: never touched
    assert not data.data_cache().exists()


def test_folder_that_does_not_exist(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path / "gone"))
    with pytest.raises(SettingError, match="gone"):
        data.fetch("mnist")
    assert data.load("digits").name == "digits"  # embedded data do not care


@pytest.mark.skipif(
    not (Path(os.environ.get("TRANSFER_LIB_DATA") or "/nowhere") / "mnist.npz").is_file(),
    reason="TRANSFER_LIB_DATA is not set to a folder with mnist.npz",
)
def test_real_mnist(monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_DATA", REAL_FOLDER)
    split = data.load("mnist")
    assert list(split.y_train[:5]) == [5, 0, 4, 1, 9]
    assert list(split.y_test[:5]) == [7, 2, 1, 0, 4]
    assert np.bincount(split.y_test).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert 33 < split.x_train.mean() < 34 and split.x_train.max() == 255


REAL_FOLDER = os.environ.get("TRANSFER_LIB_DATA", "")  # read before the fixture unsets it


# ---------------------------------------------------------------- later kinds of data


def photo_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photos/dog.txt", b"dog")
        archive.writestr("photos/cat.txt", b"cat")
    return file.getvalue()


def plain(name, filename, **more):
    return registry.Entry(
        name=name, description="d", licence="l", citation="c", filename=filename, size=0,
        known_hash="",
        **more,
    )  # fmt: skip


def test_archive_is_one_entry(server, monkeypatch, tmp_path):
    body = photo_zip()
    put(monkeypatch, plain("p", "p.zip", unpack=True), body, server.serve("p.zip", body))
    folder = data.fetch("p")
    assert sorted(f.name for f in (folder / "photos").iterdir()) == ["cat.txt", "dog.txt"]
    assert data.fetch("p") == folder and len(server.requests) == 1
    assert left() == sorted(["p.zip", folder.name])
    (tmp_path / "p.zip").write_bytes(body)  # by hand: unpacked into the cache all the same
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    assert data.fetch("p") == folder


@pytest.mark.parametrize(
    ("name", "member"), [("flowers", "flower_photos/daisy/1.jpg"), ("sst2", "SST-2/dev.tsv")]
)
def test_archives_of_the_full_profile(server, monkeypatch, name, member):
    entry, file = data.info(name), io.BytesIO()
    if entry.filename.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(member, b"content")
    else:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            item = tarfile.TarInfo(member)
            item.size = 7
            archive.addfile(item, io.BytesIO(b"content"))
    body = file.getvalue()
    put(monkeypatch, entry, body, server.serve(entry.filename, body))
    assert (data.fetch(name) / member).read_bytes() == b"content"


def test_weights_are_one_entry(server, monkeypatch, tmp_path):
    body = os.urandom(5000)
    put(monkeypatch, plain("w", "w.h5"), body, server.serve("w.h5", body))
    assert data.fetch("w").read_bytes() == body
    with pytest.raises(data.DataError, match=r"data\.fetch\('w'\)"):
        data.load("w")
    # Without a layout to go by, a file put there by hand must have the hash.
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    (tmp_path / "w.h5").write_bytes(body)
    assert data.fetch("w") == tmp_path / "w.h5"
    (tmp_path / "w.h5").write_bytes(body[:100])
    with pytest.raises(data.DataError, match=r"100 bytes \(expected 5,000\)"):
        data.fetch("w")
