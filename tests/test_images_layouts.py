"""Folders as people have them: split already, flat, deep pictures; recognised or told the cure."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from picture_files import packed, scene
from PIL import Image

from transfer_lib import images


def put(folder, *names, start=0):
    """Write a different picture under each name."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packed(scene(start + number)))


def numbered(pattern, count):
    return [pattern.format(number) for number in range(count)]


def refused(folder):
    with pytest.raises(images.PictureError) as caught:
        images.read_folder(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    "names", [("train", "test"), ("Train", "val"), ("training_set", "test_set")]
)
def test_a_split_that_is_there_is_kept(tmp_path, names):
    for start, (part, count) in enumerate(zip(names, (5, 3), strict=True)):
        for k, name in enumerate(("cat", "dog")):
            put(tmp_path / part / name, *numbered("{}.png", count), start=100 * start + 10 * k)
    own = images.read_folder(tmp_path, test_share=0.5)
    assert own.class_names == ("cat", "dog")
    assert np.bincount(own.y_train).tolist() == [5, 5] and np.bincount(own.y_test).tolist() == [
        3,
        3,
    ]
    assert all(file.startswith(f"{names[0]}/") for file in own.files_train)
    assert all(file.startswith(f"{names[1]}/") for file in own.files_test)
    assert f"split already: {names[0]} to train, {names[1]} to test." in own.report


def test_of_three_parts_test_is_the_test_and_the_third_is_told(tmp_path):
    for start, part in enumerate(("train", "valid", "test")):
        for k, name in enumerate(("cat", "dog")):
            put(tmp_path / part / name, *numbered("{}.png", 3), start=100 * start + 10 * k)
    own = images.read_folder(tmp_path)
    assert len(own.y_train) == len(own.y_test) == 6
    assert own.files_test[0].startswith("test/")
    assert "valid is another part; not read." in own.report


def test_what_lies_beside_the_parts_is_told(tmp_path):
    for start, part in enumerate(("train", "test")):
        for k, name in enumerate(("cat", "dog")):
            put(tmp_path / part / name, *numbered("{}.png", 3), start=100 * start + 10 * k)
    put(tmp_path / "notes", "1.png", start=400)
    (tmp_path / "labels.csv").write_text("a,b")
    own = images.read_folder(tmp_path)
    assert own.class_names == ("cat", "dog") and len(own.y_train) == len(own.y_test) == 6
    assert "notes is no part of the split." in own.report
    assert "labels.csv is no part of the split." in own.report


def test_a_picture_of_the_test_part_that_is_in_training_is_left_out(tmp_path):
    for k, name in enumerate(("cat", "dog")):
        put(tmp_path / "train" / name, "1.png", "2.png", start=10 * k)
        put(tmp_path / "test" / name, "3.png", start=10 * k)  # the picture of train/…/1.png
        put(tmp_path / "test" / name, "4.png", start=10 * k + 5)
    own = images.read_folder(tmp_path)
    assert own.files_test == ["test/cat/4.png", "test/dog/4.png"]
    assert (
        "test/cat/3.png is the same picture as train/cat/1.png, which is for training."
        in own.report
    )


def test_a_class_without_training_pictures_is_told(tmp_path):
    for k, name in enumerate(("cat", "dog")):
        put(tmp_path / "train" / name, "1.png", start=10 * k)
        put(tmp_path / "test" / name, "1.png", start=10 * k + 5)
    put(tmp_path / "test" / "fox", "1.png", start=40)
    own = images.read_folder(tmp_path)
    assert own.class_names == ("cat", "dog")
    assert own.skipped == {"test/fox/1.png": "test/fox/1.png: no picture of 'fox' in train."}
    (tmp_path / "train" / "fox").mkdir()
    assert "'fox' has no training picture" in refused(tmp_path)


@pytest.mark.parametrize(
    "pattern", ["cat.{}.png", "cat_{:03}.png", "cat{}.PNG", "cat ({}).png", "cat-{}.png"]
)
def test_flat_names_say_the_class(tmp_path, pattern):
    put(tmp_path, *numbered(pattern, 4))
    put(tmp_path, *numbered(pattern.replace("cat", "red fox"), 4), start=10)
    put(tmp_path, "cover.png", start=30)
    (tmp_path / "labels.csv").write_text("a,b")
    own = images.read_folder(tmp_path)
    assert own.class_names == ("cat", "red fox") and len(own.y_train) == 6 and len(own.y_test) == 2
    assert all(
        file.startswith(own.class_names[y])
        for file, y in zip(own.files_train, own.y_train, strict=True)
    )
    assert "The file names say the class" in own.report
    assert "cover.png has no class in its name." in own.report
    assert "labels.csv has no class in its name." in own.report


def test_the_competition_of_cats_and_dogs(tmp_path):
    put(tmp_path / "train", *numbered("cat.{}.png", 4), *numbered("dog.{}.png", 4))
    put(tmp_path / "test1", *numbered("{}.png", 4), start=50)
    own = images.read_folder(tmp_path)
    assert own.class_names == ("cat", "dog") and len(own.y_train) + len(own.y_test) == 8
    assert "only train is read, and split" in own.report
    assert "test1 does not say the class of its pictures; not read." in own.report


@pytest.mark.parametrize(
    "pattern", ["IMG_{:04}.png", "DSC0{}.png", "photo ({}).png", "{}.png", "PXL_2023{}.png"]
)
def test_names_of_a_camera_are_no_classes_and_the_cure_is_a_command(tmp_path, pattern):
    folder = tmp_path / "my photos"
    put(folder, *numbered(pattern, 3), *numbered("Screenshot {}.png", 3))
    message = refused(folder)
    assert "no two classes" in message and "as in photos/cat/1.jpg" in message
    commands = [line for line in message.splitlines() if line.startswith(("  mkdir", "  mv"))]
    subprocess.run(["bash", "-ec", "\n".join(commands)], check=True)
    assert len(list((folder / "cat").iterdir())) == 1


def test_parts_without_classes_are_refused_with_the_cure(tmp_path):
    put(tmp_path / "train", *numbered("{}.png", 3))
    put(tmp_path / "test", *numbered("{}.png", 3), start=10)
    message = refused(tmp_path)
    assert "test, train: parts of a split, not classes" in message and "mkdir" in message


def test_one_folder_too_high(tmp_path):
    for name in ("cat", "dog"):
        put(tmp_path / "photos" / name, "1.png", "2.png")
    assert f"read_folder({str(tmp_path / 'photos')!r})" in refused(tmp_path)


def test_the_range_of_deep_pictures_is_that_of_the_folder(tmp_path):
    for kind, most in (("dark", 1000), ("light", 4000)):
        (tmp_path / kind).mkdir()
        for i in range(4):
            grey = np.asarray(scene(i + 10 * (kind == "light")).convert("L")) / 255
            picture = Image.fromarray((grey * most).astype(np.uint16))
            (tmp_path / kind / f"{i}.png").write_bytes(packed(picture))
    own = images.read_folder(tmp_path)
    dark, light = (own.x_train[own.y_train == k].max() for k in (0, 1))
    assert dark < 70 < 200 < light
    assert "8 pictures hold more than 8 bits, from " in own.report
    assert "0 became black, 4,095 white." in own.report


def test_fractions_in_a_folder_are_told(tmp_path):
    for kind in ("few", "many"):
        (tmp_path / kind).mkdir()
        for i in range(3):
            grey = np.asarray(scene(i + 10 * (kind == "many")).convert("L"), np.float32) / 255
            Image.fromarray(grey * 4 - 2).save(tmp_path / kind / f"{i}.tif")
    own = images.read_folder(tmp_path)
    assert own.x_train.max() > 200 and own.x_train.min() < 60
    assert "6 pictures hold fractions, from -" in own.report


def test_the_folder_itself_is_never_changed(tmp_path):
    put(tmp_path, *numbered("cat{}.png", 3), *numbered("dog{}.png", 3))
    before = {path: path.stat().st_mtime_ns for path in Path(tmp_path).rglob("*")}
    images.read_folder(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in Path(tmp_path).rglob("*")}
