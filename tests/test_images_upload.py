"""A picture from the learner's own machine: every kind of file is read or refused in words."""

from datetime import UTC, datetime

import numpy as np
import pytest
from picture_files import REFUSED, WHOLE, packed, scene
from PIL import Image

from transfer_lib import images
from transfer_lib.images import files

ORIENTATION = 0x0112  # the EXIF tag

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


def test_path_instead_of_bytes(tmp_path):
    path = tmp_path / "whole.jpg"
    path.write_bytes(WHOLE)
    for source in (path, str(path)):
        assert np.array_equal(images.read_picture(source), images.read_picture(WHOLE))
    with pytest.raises(images.PictureError, match=r"gone.jpg cannot be opened: No such file"):
        images.read_picture(tmp_path / "gone.jpg")


@pytest.mark.parametrize("most", [255, 4095, 65535])
def test_bits_in_use_are_scaled_to_eight(most):
    values = np.linspace(0, most, 64).reshape(8, 8)
    body = packed(Image.fromarray(values.astype(np.int32)), "TIFF")
    pixels = images.read_picture(body)[:, :, 0]
    assert np.abs(pixels - np.linspace(0, 255, 64).reshape(8, 8)).max() <= 1


def test_damaged_exif_does_no_harm():
    body = packed(scene(1), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40)
    assert images.read_picture(body, "a.jpg").shape == (48, 64, 3)


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
    with pytest.raises(images.PictureError, match="a.jpg has more than 20 MB"):
        images.read_picture(bytes(images.MAX_BYTES + 1), "a.jpg")
    with pytest.raises(images.PictureError, match="The file is empty"):
        images.read_picture(b"")


def test_formats_that_run_programs_are_never_opened():
    assert not {"EPS", "WMF", "IPTC", "FPX", "MIC"} & set(files.FORMATS)


# ---------------------------------------------------------------- the button


def value_of_8(name, body):
    when = datetime(2026, 1, 2, tzinfo=UTC)
    file = {"name": name, "type": "image/jpeg", "size": len(body), "last_modified": when}
    return (file | {"content": memoryview(body)},)


def value_of_7(name, body):
    return {name: {"metadata": {"name": name, "size": len(body)}, "content": body}}


@pytest.fixture
def button(monkeypatch):
    """Return a function that makes an upload button and returns its parts and its fallback."""

    def make(show, *options):
        shown = []
        monkeypatch.setattr("transfer_lib.show.show_widget", lambda *given: shown.append(given))
        images.upload_button(show, *options)
        (box, fallback), *_ = shown
        return *box.children, fallback

    return make


@pytest.mark.parametrize("value_of", [value_of_8, value_of_7])
def test_button_hands_over_the_picture(button, value_of):
    seen = []
    upload, _, message, _, _ = button(lambda name, pixels: seen.append((name, pixels)))

    def choose(*file):
        upload.notify_change({"name": "value", "type": "change", "new": value_of(*file)})

    choose("cat.jpg", WHOLE)
    ((name, pixels),) = seen
    assert name == "cat.jpg" and np.array_equal(pixels, images.read_picture(WHOLE))
    assert message.value == ""
    choose("<b>bad</b>.jpg", b"%PDF-1.7")
    assert len(seen) == 1
    assert "&lt;b&gt;bad&lt;/b&gt;.jpg is not a picture" in message.value
    assert 'role="alert"' in message.value and "<b>" not in message.value
    choose("cat.jpg", WHOLE)
    assert len(seen) == 2 and message.value == ""


def test_button_observes_and_forgets(button):
    seen = []
    upload, limit, _, _, _ = button(lambda name, pixels: seen.append(name), "Choose a photograph")
    upload.value = value_of_8("one.jpg", WHOLE)
    assert seen == ["one.jpg"]
    assert upload.value == ()  # so no picture stays in the widget's state
    upload.value = value_of_8("one.jpg", WHOLE)  # the same file again
    assert seen == ["one.jpg", "one.jpg"]
    assert upload.description == "Choose a photograph" and upload.tooltip
    assert not upload.multiple and upload.accept == "image/*"
    assert "up to 7 MB" in limit.value and "images.read_picture" in limit.value


def test_an_old_answer_goes_when_a_new_file_comes(button):
    upload, _, message, output, _ = button(lambda name, pixels: print(name))
    upload.value = value_of_8("one.jpg", WHOLE)
    output.outputs = ({"output_type": "stream", "name": "stdout", "text": "one.jpg"},)
    upload.value = value_of_8("two.jpg", b"no picture")
    assert output.outputs == () and "two.jpg" in message.value


def test_button_is_shown_with_words_instead(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    images.upload_button(print)
    (bundle,) = shown
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert "images.read_picture(" in bundle["text/plain"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0.5, 1], [0, 128, 255]),  # fractions: 1 is white
        ([0, 0.1, 0.2], [0, 26, 51]),  # and a dark picture stays dark
        ([0.0, 100.0, 200.0], [0, 100, 200]),
        ([-1.0, 0.0, 3.0], [0, 64, 255]),  # no usual range: what is in use
        ([300.0, 350.0, 400.0], [0, 128, 255]),
    ],
)
def test_fractions_are_scaled_by_the_range_in_use(values, expected):
    picture = Image.fromarray(np.array([values], np.float32))
    found = images.read_picture(packed(picture, "TIFF"))
    assert found.shape == (1, 3, 3) and found[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("most", "white"), [(200, 255), (1000, 1023), (4000, 4095), (16_000, 16_383), (60_000, 65_535)]
)
def test_whole_numbers_take_the_smallest_depth_that_holds_them(most, white):
    values = np.array([[0, most // 2, most]], np.uint16)
    found = images.read_picture(packed(Image.fromarray(values)))[0, :, 0]
    assert found.tolist() == [0, round(255 * (most // 2) / white), round(255 * most / white)]
    many = np.array([[-5, 0, 100_000]], np.int32)
    assert images.read_picture(packed(Image.fromarray(many), "TIFF"))[0, :, 0].tolist() == [
        0,
        0,
        255,
    ]
