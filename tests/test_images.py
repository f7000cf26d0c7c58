"""A learner's own pictures: every kind of file, every kind of folder, no leak between parts."""

import io
import os
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from transfer_lib import images
from transfer_lib.images import upload
from transfer_lib.images.folder import _groups

ORIENTATION = 0x0112  # the EXIF tag


def scene(seed, width=64, height=48):
    """Return a picture of its own: coloured boxes on a coloured ground."""
    random = np.random.RandomState(seed)
    picture = Image.new("RGB", (width, height), tuple(random.randint(0, 256, 3)))
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = random.randint(0, width - 8), random.randint(0, height - 8)
        size = random.randint(8, 28, 2)
        draw.rectangle((x, y, x + size[0], y + size[1]), tuple(random.randint(0, 256, 3)))
    return picture


def packed(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png_header(width, height):
    """Return the start of a PNG that says it is this big, and nothing more."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 10)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


# ---------------------------------------------------------------- one picture


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP"])
def test_every_kind_of_file(kind):
    picture = scene(0)
    pixels = images.read_picture(packed(picture, kind), "a")
    assert pixels.shape == (48, 64, 3) and pixels.dtype == np.uint8 and pixels.flags.writeable
    apart = np.abs(pixels.astype(int) - np.asarray(picture)).mean()
    assert apart == 0 if kind in ("PNG", "BMP", "TIFF", "PPM") else apart < 12


def modes():
    """Yield a name, a file, and the RGB of its pixel at the top left."""
    yield "grey", packed(Image.new("L", (8, 8), 77)), (77, 77, 77)
    yield "black and white", packed(Image.new("1", (8, 8), 1)), (255, 255, 255)
    palette = Image.new("RGB", (8, 8), (10, 200, 30)).quantize(4)
    yield "palette", packed(palette), (10, 200, 30)
    yield "palette, transparent", packed(palette, transparency=palette.getpixel((0, 0))), (255,) * 3
    yield "colour key", packed(Image.new("RGB", (8, 8)), transparency=(0, 0, 0)), (255,) * 3
    yield "transparent", packed(Image.new("RGBA", (8, 8), (9, 9, 9, 0))), (255, 255, 255)
    yield "half transparent", packed(Image.new("RGBA", (8, 8), (255, 0, 0, 51))), (255, 204, 204)
    yield "opaque", packed(Image.new("RGBA", (8, 8), (1, 2, 3, 255))), (1, 2, 3)
    yield "grey with alpha", packed(Image.new("LA", (8, 8), (0, 0))), (255, 255, 255)
    deep = np.full((8, 8), 257 * 100, np.uint16)
    yield "16 bits", packed(Image.fromarray(deep)), (100, 100, 100)
    yield "16 bits in 32", packed(Image.fromarray(deep.astype(np.int32)), "TIFF"), (100, 100, 100)
    yield "CMYK", packed(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG"), (255, 255, 255)
    yield (
        "animation",
        packed(
            Image.new("RGB", (8, 8), (255, 0, 0)),
            "GIF",
            save_all=True,
            append_images=[Image.new("RGB", (8, 8), (0, 0, 255))],
        ),
        (255, 0, 0),
    )


MODES = {name: (body, rgb) for name, body, rgb in modes()}


@pytest.mark.parametrize("name", MODES)
def test_every_mode_becomes_rgb(name):
    body, rgb = MODES[name]
    pixels = images.read_picture(body, name)
    assert pixels.shape == (8, 8, 3) and pixels.dtype == np.uint8
    assert tuple(pixels[0, 0]) == rgb


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    upright = scene(1)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(turns[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    pixels = images.read_picture(packed(stored, exif=exif), "turned.png")
    assert np.array_equal(pixels, np.asarray(upright))


def test_damaged_exif_does_no_harm():
    body = packed(scene(1), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40)
    assert images.read_picture(body, "a.jpg").shape == (48, 64, 3)


WHOLE = packed(scene(2), "JPEG", quality=95)
REFUSED = {
    "empty": (b"", "is empty: 0 bytes"),
    "text": (b"cats and dogs", "not a picture that can be read"),
    "pdf": (b"%PDF-1.7 ...", "is a PDF"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="..."/>', "is an SVG drawing"),
    "page": (b"<!DOCTYPE html><html>log in</html>", "is a web page"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(40), "is a HEIC photograph"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    "cut jpeg": (WHOLE[: len(WHOLE) // 2], "broken or cut short"),
    "cut png": (packed(scene(2))[:150], "broken or cut short"),
    "jpeg start": (WHOLE[:20], "a.jpg"),
    "noise": (b"\x89PNG\r\n\x1a\n" + os.urandom(200), "a.jpg"),
    "bomb": (png_header(30_000, 30_000), "more than 64 million pixels"),
    "big": (png_header(9_000, 9_000), "more than 64 million pixels"),
    "float": (packed(Image.new("F", (8, 8), 0.5), "TIFF"), "pixels of 32 bits"),
    "deep": (packed(Image.new("I", (8, 8), 10**6), "TIFF"), "pixels of 32 bits"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_reason(case, recwarn):
    body, words = REFUSED[case]
    with pytest.raises(images.PictureError, match=words) as caught:
        images.read_picture(body, "a.jpg")
    message = str(caught.value)
    assert message.startswith("a.jpg ") and message.endswith(".")
    assert len(message) < 250 and "<_io" not in message
    assert not [w for w in recwarn if "ecompression" in str(w.message)]


def test_too_many_bytes():
    assert images.read_picture(WHOLE, "a.jpg", max_bytes=len(WHOLE)).shape == (48, 64, 3)
    with pytest.raises(images.PictureError, match="a.jpg has more than 0.001 MB"):
        images.read_picture(WHOLE, "a.jpg", max_bytes=1000)
    with pytest.raises(images.PictureError, match="The file is empty"):
        images.read_picture(b"")


# ---------------------------------------------------------------- the button


def value_of_8(name, body):
    when = datetime(2026, 1, 2, tzinfo=UTC)
    file = {"name": name, "type": "image/jpeg", "size": len(body), "last_modified": when}
    return (file | {"content": memoryview(body)},)


def value_of_7(name, body):
    return {name: {"metadata": {"name": name, "size": len(body)}, "content": body}}


def change(button, value):
    """Tell the button what ipywidgets tells it when a file was chosen."""
    button._update({"new": value})


@pytest.mark.parametrize("value_of", [value_of_8, value_of_7])
def test_button_hands_over_the_picture(value_of):
    seen = []
    button = images.upload_button(lambda name, pixels: seen.append((name, pixels)))
    change(button, value_of("cat.jpg", WHOLE))
    ((name, pixels),) = seen
    assert name == "cat.jpg" and np.array_equal(pixels, images.read_picture(WHOLE))
    assert button.message.value == ""
    change(button, value_of("<b>bad</b>.jpg", b"%PDF-1.7"))
    assert len(seen) == 1
    assert "&lt;b&gt;bad&lt;/b&gt;.jpg is a PDF" in button.message.value
    assert 'role="alert"' in button.message.value and "<b>" not in button.message.value
    change(button, value_of("cat.jpg", WHOLE))
    assert len(seen) == 2 and button.message.value == ""


def test_button_observes_and_forgets():
    seen = []
    button = images.upload_button(lambda name, pixels: seen.append(name), "Choose a photograph")
    button.button.value = value_of_8("one.jpg", WHOLE)
    assert seen == ["one.jpg"]
    assert button.button.value == ()  # so no picture stays in the widget's state
    button.button.value = value_of_8("one.jpg", WHOLE)  # the same file again
    assert seen == ["one.jpg", "one.jpg"]
    change(button, ())
    change(button, {})
    assert len(seen) == 2
    assert button.button.description == "Choose a photograph" and button.button.tooltip
    assert not button.button.multiple and button.button.accept == "image/*"


def test_button_is_shown_with_words_instead(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    button = images.upload_button(print)
    button._ipython_display_()
    (bundle,) = shown
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert "images.read_picture(" in bundle["text/plain"]
    with pytest.raises(TypeError, match="show must be a function"):
        images.upload_button("cat.jpg")


# ---------------------------------------------------------------- a folder


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
    return {item.file: item.reason for item in own.skipped}


def all_files(own):
    return sorted(own.files_train + own.files_test)


def test_a_folder(photos):
    own = images.read_folder(photos, size=24)
    assert own.class_names == ("cat", "dog") and own.skipped == ()
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
    assert "15 training and 5 test" in repr(own)


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
    others = {images.read_folder(photos, seed=seed).files_test for seed in range(1, 6)}
    assert len(others | {first.files_test}) > 3
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
    assert own.skipped == () and own.class_names == ("cat", "dog")


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


def twins(picture):
    """Yield ways in which one picture lies in a folder twice."""
    yield "copy.png", packed(picture)
    yield "again.jpg", packed(picture, "JPEG", quality=60)
    yield "smaller.png", packed(picture.resize((48, 36)))
    yield "brighter.png", packed(picture.point(lambda value: min(255, value + 6)))


@pytest.mark.parametrize("seed", range(4))
def test_twins_are_on_one_side(photos, seed):
    for i in (0, 3):
        for name, body in twins(scene(i)):
            (photos / "cat" / f"{i} {name}").write_bytes(body)
    own = images.read_folder(photos, seed=seed)
    for i in (0, 3):
        alike = {f"cat/{i}.png", *(f"cat/{i} {name}" for name, _ in twins(scene(i)))}
        assert alike <= set(own.files_train) or alike <= set(own.files_test)
    assert "10 pictures have a duplicate or near-duplicate" in own.report
    assert len(all_files(own)) == 28


def test_different_pictures_are_no_twins():
    x = np.stack([np.asarray(scene(i).resize((32, 32))) for i in range(200)])
    assert len(np.unique(_groups(x))) == 200
    flat = np.zeros((4, 32, 32, 3), np.uint8)
    assert len(np.unique(_groups(flat))) == 1


def test_one_picture_in_two_classes(photos):
    (photos / "dog" / "lost.png").write_bytes(packed(scene(0)))
    own = images.read_folder(photos)
    assert "cat/0.png" not in all_files(own) and "dog/lost.png" not in all_files(own)
    assert "same picture as dog/lost.png, of another class" in reasons(own)["cat/0.png"]
    assert "same picture as cat/0.png, of another class" in reasons(own)["dog/lost.png"]


def test_nearly_one_picture_in_two_classes(photos):
    (photos / "dog" / "lost.jpg").write_bytes(packed(scene(0), "JPEG", quality=60))
    own = images.read_folder(photos)
    assert "nearly the same in two classes: cat/0.png, dog/lost.jpg" in own.report
    part = own.files_train if "cat/0.png" in own.files_train else own.files_test
    assert "dog/lost.jpg" in part


def error(folder, **options):
    with pytest.raises(images.PictureError) as caught:
        images.read_folder(folder, **options)
    return str(caught.value)


def test_wrong_folders(photos, tmp_path):
    message = error(tmp_path / "gone")
    assert str(tmp_path / "gone") in message and os.getcwd() in message
    assert "photos/cat/1.jpg" in message
    assert "is a file, not a folder" in error(photos / "cat" / "0.png")
    assert "lie directly in" in error(photos / "cat")
    (tmp_path / "empty").mkdir()
    assert "holds nothing" in error(tmp_path / "empty")
    (tmp_path / "empty" / "cat").mkdir()
    assert "holds only cat" in error(tmp_path / "empty")


def test_class_without_enough_pictures(photos):
    (photos / "bird").mkdir()
    assert "The class 'bird' has too few pictures that can be used: 0" in error(photos)
    (photos / "bird" / "1.png").write_bytes(packed(scene(500)))
    (photos / "bird" / "2.png").write_bytes(b"text")
    message = error(photos)
    assert "'bird' has too few pictures that can be used: 1" in message
    assert "bird/2.png is not a picture" in message and str(photos / "bird") in message
    (photos / "bird" / "2.png").write_bytes(packed(scene(500)))
    assert "'bird' cannot be split" in error(photos)


@pytest.mark.parametrize("options", [{"size": 4}, {"size": 32.5}, {"test_share": 1}])
def test_options_out_of_range(photos, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        images.read_folder(photos, **options)


@pytest.mark.parametrize(("strict", "shown"), [("1", False), ("0", True)])
def test_progress(photos, monkeypatch, capsys, strict, shown):
    monkeypatch.setenv("TRANSFER_LIB_STRICT", strict)
    monkeypatch.setattr("transfer_lib.images.folder.PROGRESS_FROM", 10)
    images.read_folder(photos)
    captured = capsys.readouterr()
    assert ("pictures" in captured.err) is shown and captured.out == ""


def test_formats_that_run_programs_are_never_opened():
    assert not {"EPS", "WMF", "IPTC", "FPX", "MIC"} & set(upload.FORMATS)
