"""A learner's own folder of pictures: every kind of folder, no leak between the parts."""

import os
from pathlib import Path

import numpy as np
import pytest
from picture_files import REFUSED, packed, scene
from PIL import Image

from transfer_lib import images


@pytest.fixture
def photos(tmp_path):
    """Return a folder with 8 cats and 12 dogs."""
    folder = tmp_path / "photos"
    for name, start, count in (("cat", 0, 8), ("dog", 100, 12)):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            (folder / name / f"{i}.png").write_bytes(packed(scene(start + i)))
    return folder


def reasons(own):
    return own.skipped


def all_files(own):
    return sorted(own.files_train + own.files_test)


def test_a_folder(photos):
    own = images.read_folder(photos, size=24)
    assert own.class_names == ("cat", "dog") and own.skipped == {}
    for x, y, files, counts in (
        (own.x_train, own.y_train, own.files_train, [6, 9]),
        (own.x_test, own.y_test, own.files_test, [2, 3]),
    ):
        assert x.shape == (len(y), 24, 24, 3) and x.dtype == np.uint8
        assert y.dtype == np.int64 and np.bincount(y).tolist() == counts
        assert len(files) == len(y)
        assert [file.split("/")[0] for file in files] == [own.class_names[i] for i in y]
    assert len(set(all_files(own))) == 20
    assert "20 pictures of 2 classes read, 0 left out." in own.report
    assert "cat: 6 to train, 2 to test" in own.report
    assert "Always guessing 'dog' is right for 60% of the test pictures." in own.report
    assert "uneven" not in own.report and "duplicate" not in own.report


def test_central_square_with_antialiasing(photos):
    wide = Image.new("RGB", (300, 100), (255, 0, 0))
    wide.paste((0, 255, 0), (100, 0, 200, 100))
    (photos / "cat" / "wide.png").write_bytes(packed(wide))
    chess = np.indices((64, 64)).sum(0) % 2 * 255
    chess = Image.fromarray(chess.astype(np.uint8))
    (photos / "cat" / "chess.png").write_bytes(packed(chess))
    own = images.read_folder(photos, size=16)
    found = dict(zip(own.files_train + own.files_test, [*own.x_train, *own.x_test], strict=True))
    assert (found["cat/wide.png"][:, 2:-2] == (0, 255, 0)).all()
    assert np.abs(found["cat/chess.png"].astype(int) - 127).max() <= 8  # no aliasing: all grey


def test_big_jpeg_as_its_pixels_say(photos):
    smooth = scene(7, 60, 60).resize((1200, 1200))
    (photos / "cat" / "big.jpg").write_bytes(packed(smooth, "JPEG", quality=95))
    own = images.read_folder(photos, size=32)
    found = dict(zip(own.files_train + own.files_test, [*own.x_train, *own.x_test], strict=True))
    expected = np.asarray(smooth.resize((32, 32))).astype(int)
    assert np.abs(found["cat/big.jpg"] - expected).mean() < 3


def test_split_depends_on_seed_and_share_alone(photos, monkeypatch):
    first = images.read_folder(photos)
    np.random.seed(5)
    real = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: iter(sorted(real(path), reverse=True)))
    again = images.read_folder(str(photos))
    assert again.files_train == first.files_train and again.files_test == first.files_test
    assert np.array_equal(again.x_test, first.x_test) and again.report == first.report
    others = {tuple(images.read_folder(photos, seed=seed).files_test) for seed in range(1, 6)}
    assert len(others | {tuple(first.files_test)}) > 3
    half = images.read_folder(photos, test_share=0.5)
    assert np.bincount(half.y_test).tolist() == [4, 6]
    least = images.read_folder(photos, test_share=0.01)
    assert np.bincount(least.y_test).tolist() == [1, 1]
    most = images.read_folder(photos, test_share=0.99)
    assert np.bincount(most.y_train).tolist() == [1, 1]


def test_bad_files_are_reported_and_skipped(photos):
    for case, (body, _) in REFUSED.items():
        (photos / "cat" / f"x {case}.jpg").write_bytes(body)
    own = images.read_folder(photos)
    assert len(all_files(own)) == 20
    assert len(own.skipped) == len(REFUSED)
    for case, (_, words) in REFUSED.items():
        reason = reasons(own)[f"cat/x {case}.jpg"]
        assert reason.startswith(f"cat/x {case}.jpg ")
        assert words == "a.jpg" or words in reason
        assert reason in own.report
    assert f"{len(REFUSED)} left out" in own.report


def test_what_systems_leave_is_ignored(photos):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.png"):
        (photos / "cat" / name).write_bytes(b"\0\1")
        (photos / name).write_bytes(b"\0\1")
    (photos / "__MACOSX").mkdir()
    (photos / ".ipynb_checkpoints").mkdir()
    own = images.read_folder(photos)
    assert own.skipped == {} and own.class_names == ("cat", "dog")


def test_loose_files_and_inner_folders_are_reported(photos):
    (photos / "readme.txt").write_text("mine")
    (photos / "dog" / "puppies").mkdir()
    own = images.read_folder(photos)
    assert "in no class folder" in reasons(own)["readme.txt"]
    assert "a folder inside a class" in reasons(own)["dog/puppies"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_file_without_permission(photos):
    (photos / "cat" / "0.png").chmod(0)
    assert "cannot be opened" in reasons(images.read_folder(photos))["cat/0.png"]


def test_long_reports_are_cut(photos):
    for i in range(30):
        (photos / "cat" / f"{i}.txt").write_text("text")
    report = images.read_folder(photos).report
    assert "and 10 more" in report and len(report.splitlines()) < 40


def test_uneven_classes_are_told(photos):
    for i in range(40):
        (photos / "dog" / f"more {i}.png").write_bytes(packed(scene(1000 + i)))
    report = images.read_folder(photos).report
    assert "The classes are uneven: 'dog' has 6.5 times the training pictures of 'cat'" in report
    assert "Always guessing 'dog' is right for 87% of the test pictures." in report


@pytest.mark.parametrize("seed", range(4))
def test_copies_are_on_one_side(photos, seed):
    for i in (0, 3):
        (photos / "cat" / f"{i} copy.png").write_bytes(packed(scene(i)))
        (photos / "cat" / f"{i} copy.bmp").write_bytes(packed(scene(i), "BMP"))
    own = images.read_folder(photos, seed=seed)
    for i in (0, 3):
        alike = {f"cat/{i}.png", f"cat/{i} copy.png", f"cat/{i} copy.bmp"}
        assert alike <= set(own.files_train) or alike <= set(own.files_test)
    assert "6 pictures have a duplicate" in own.report
    assert len(all_files(own)) == 24


def test_pictures_that_look_alike_are_no_duplicates(tmp_path):
    for kind, edge in (
        ("square", 0),
        ("notched", 6),
    ):  # only the notch differs
        (tmp_path / kind).mkdir()
        for i in range(20):
            icon = Image.new("RGB", (128, 128), "white")
            icon.paste((30, 30, 30 + i), (40, 40, 80, 80))
            icon.paste((255, 255, 255), (40, 40, 40 + edge, 40 + edge))
            (tmp_path / kind / f"{i}.png").write_bytes(packed(icon))
    own = images.read_folder(tmp_path, size=64)
    assert len(all_files(own)) == 40 and "duplicate" not in own.report


def test_one_picture_in_two_classes(photos):
    (photos / "dog" / "lost.png").write_bytes(packed(scene(0)))
    own = images.read_folder(photos)
    assert "cat/0.png" not in all_files(own) and "dog/lost.png" not in all_files(own)
    assert "same picture as dog/lost.png" in reasons(own)["cat/0.png"]
    assert "same picture as cat/0.png" in reasons(own)["dog/lost.png"]


def error(folder, **options):
    with pytest.raises(images.PictureError) as caught:
        images.read_folder(folder, **options)
    return str(caught.value)


def test_wrong_folders(photos, tmp_path):
    message = error(tmp_path / "gone")
    assert str(tmp_path / "gone") in message and os.getcwd() in message
    assert "photos/cat/1.jpg" in message
    assert "is not a folder" in error(photos / "cat" / "0.png")
    assert "holds 0.png, 1.png, 2.png, no two classes" in error(photos / "cat")
    (tmp_path / "empty").mkdir()
    assert "holds nothing" in error(tmp_path / "empty")
    (tmp_path / "empty" / "cat").mkdir()
    assert "holds cat, no two classes" in error(tmp_path / "empty")


def test_class_without_enough_pictures(photos):
    (photos / "bird").mkdir()
    assert "The class 'bird' has 0 different pictures that can be used" in error(photos)
    (photos / "bird" / "1.png").write_bytes(packed(scene(500)))
    (photos / "bird" / "2.png").write_bytes(b"text")
    message = error(photos)
    assert "'bird' has 1 different pictures that can be used" in message
    assert "bird/2.png is not a picture" in message
    (photos / "bird" / "2.png").write_bytes(packed(scene(500)))
    assert "'bird' has 1 different" in error(photos)
