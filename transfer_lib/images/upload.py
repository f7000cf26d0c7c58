"""One picture: its bytes to pixels, and the button that brings it into a notebook."""

import html
import io
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray
    from PIL.Image import Image as Picture

MAX_BYTES = 20_000_000
MAX_PIXELS = 64_000_000  # more than any phone's camera makes; 192 MB as RGB
# No others: Pillow hands some, such as EPS, to a program that runs what is in the file.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
EXPECTED = "Expected a picture as JPEG, PNG, WebP, GIF, BMP or TIFF."
WRONG_COLOUR = "#b35900"  # as in the feedback of exercises; the words say it too


class PictureError(ValueError):
    """A picture, or a folder of pictures, cannot be read; the message says what to do."""


def read_picture(content, name="", max_bytes=MAX_BYTES) -> "ndarray":
    """Turn the bytes of an image file into RGB pixels.

    A photograph is turned upright as its EXIF says, grey becomes RGB, transparent parts become
    white, and 16-bit grey is scaled to 8 bits. Of an animation the first picture is taken.

    Parameters
    ----------
    content : bytes-like
        What the file holds.
    name : str
        The file's name, for the messages.
    max_bytes : int
        The largest `content` that is accepted.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB, 0 to 255.

    Raises
    ------
    PictureError
        If `content` is empty, too big, no picture, broken, or has more than 64 million pixels.
    """
    import numpy as np

    return np.array(decode(content, name, max_bytes))


def decode(content, name="", max_bytes=MAX_BYTES, least=None) -> "Picture":
    """Return the Pillow image for `read_picture`; from a JPEG a smaller one, of at least `least`.

    Raises
    ------
    PictureError
        As `read_picture`.
    """
    from PIL import Image

    content, name = bytes(content), name or "The file"
    if not content:
        raise PictureError(f"{name} is empty: 0 bytes. Save or download it again.")
    if len(content) > max_bytes:
        raise PictureError(
            f"{name} has more than {max_bytes / 1e6:g} MB, the most that is read. "
            "Make it smaller with an image editor, or take a smaller one."
        )
    Image.init()
    formats = [known for known in FORMATS if known in Image.OPEN]  # AVIF: from Pillow 11.3
    try:
        with warnings.catch_warnings():
            # Pillow warns of decompression bombs and of damaged metadata. The pixels are counted
            # here, and metadata say nothing about the pixels.
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content), formats=formats)
            if picture.width * picture.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if least:
                picture.draft("RGB", (least, least))
            return _rgb(_upright(picture), name)
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise PictureError(
            f"{name} has more than {MAX_PIXELS / 1e6:g} million pixels. "
            "Make it smaller with an image editor; 1,000 x 1,000 pixels are plenty."
        ) from None
    except Image.UnidentifiedImageError:
        raise PictureError(f"{name} {_instead(content)}") from None
    except Exception as error:  # decoders raise nearly anything on broken bytes
        raise PictureError(
            f"{name} is broken or cut short ({error}). Save or download it again."
        ) from error


def _instead(content: bytes) -> str:
    """Say what bytes are that are no picture, and what to do."""
    start = content[:512].lstrip().lower()
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return (
            "is a HEIC photograph, which cannot be read here. Export it as JPEG; on an iPhone, "
            "choose Settings, Camera, Formats, Most Compatible for new ones."
        )
    if start.startswith(b"%pdf"):
        return f"is a PDF, not a picture. {EXPECTED} Export the page as PNG."
    if start.startswith((b"<svg", b"<?xml")) and b"<svg" in content[:4096].lower():
        return f"is an SVG drawing, not pixels. {EXPECTED} Export it as PNG."
    if start.startswith((b"<!doctype", b"<html")):
        return f"is a web page, not a picture. {EXPECTED} Save the picture itself, not its page."
    return f"is not a picture that can be read here. {EXPECTED} Export it as JPEG or PNG."


def _upright(picture: "Picture") -> "Picture":
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damaged EXIF says nothing about the pixels; broken pixels raise later
        return picture


def _rgb(picture: "Picture", name: str) -> "Picture":
    """Return the picture in RGB, 8 bits, on white where it is transparent."""
    import numpy as np
    from PIL import Image

    if picture.mode[0] in "IF":  # 16 or 32 bits; Pillow's own conversion would cut them off
        values = np.asarray(picture)
        if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise PictureError(
                f"{name} has pixels of 32 bits, and nothing says which value is white. "
                "Export it as JPEG or PNG."
            )
        picture = Image.fromarray(np.round(values / 257).astype(np.uint8))  # 65535 = 257 * 255
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


class UploadButton:
    """A button for one picture, and what was made of it. Made by `upload_button`.

    Attributes
    ----------
    button : ipywidgets.FileUpload
    message : ipywidgets.HTML
        Why the last file was refused; empty when it was not.
    output : ipywidgets.Output
        What ``show`` printed or displayed.
    box : ipywidgets.VBox
        All of it.
    """

    def __init__(self, show, description):
        import ipywidgets as widgets

        self.show = show
        self.button = widgets.FileUpload(
            accept="image/*", multiple=False, description=description, layout={"width": "18em"}
        )
        if self.button.has_trait("tooltip"):  # ipywidgets 8; its own default reads "null"
            self.button.tooltip = "JPEG, PNG, WebP, GIF, BMP or TIFF"
        self.message, self.output = widgets.HTML(), widgets.Output()
        self.box = widgets.VBox([self.button, self.message, self.output])
        self.button.observe(self._update, names="value")

    def _update(self, change):
        for name, content in _uploaded(change["new"])[-1:]:
            self.message.value = ""
            self.output.clear_output()
            try:
                pixels = read_picture(content, name)
            except PictureError as error:
                self.message.value = (
                    f'<p role="alert" style="color: {WRONG_COLOUR}; background: white">'
                    f"{html.escape(str(error))}</p>"
                )
            else:
                with self.output:  # shows what it prints, displays and raises
                    self.show(name, pixels)
            if isinstance(self.button.value, tuple):  # ipywidgets 7 does not let it be set
                self.button.value = ()  # no copy of the picture stays in the widget's state

    def _ipython_display_(self):
        from transfer_lib import feedback

        feedback.show_widget(
            self.box,
            f"[{self.button.description}: this button needs a running notebook. Without it: "
            "images.read_picture(open('my.jpg', 'rb').read(), 'my.jpg')]",
        )


def upload_button(show, description="Choose a picture") -> UploadButton:
    """Return a button that hands a picture from the reader's machine to `show`.

    Make it the last expression of a cell to show it. The Tab key reaches it and the space bar
    opens the file dialogue. The picture goes to the kernel and nowhere else.

    Parameters
    ----------
    show : callable
        Called as ``show(name, pixels)``: the file's name, and what `read_picture` returns. What
        it prints, displays or raises appears below the button.
    description : str
        What the button says.

    Raises
    ------
    TypeError
        If `show` is not callable.
    """
    if not callable(show):
        raise TypeError("show must be a function of a file's name and its pixels.")
    return UploadButton(show, description)


def _uploaded(value) -> list[tuple[str, bytes]]:
    """Return names and contents from the value of a FileUpload, of ipywidgets 7 or 8."""
    if isinstance(value, dict):
        return [(name, bytes(item["content"])) for name, item in value.items()]
    return [(item["name"], bytes(item["content"])) for item in value]
