"""One picture from a file, as RGB pixels of 8 bits, whatever the file holds."""

import io
import warnings
from pathlib import Path

MAX_BYTES = 20_000_000
MAX_PIXELS = 64_000_000  # more than any phone's camera makes; 192 MB as RGB
# No others: Pillow hands some, such as EPS, to a program that runs what is in the file.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
EXPECTED = "JPEG, PNG, WebP, GIF, BMP or TIFF"
DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners use


class PictureError(ValueError):
    """A picture, or a folder of pictures, cannot be used; the message says what to do."""


def read_picture(source, name="", least=None):
    """Return the RGB pixels of an image file.

    A photograph is turned upright as its EXIF says, grey becomes RGB, and transparent parts become
    white. Of an animation the first picture is taken. More than 8 bits and numbers with a fraction
    are scaled to 8 bits by the range in use: see `value_range`.

    Parameters
    ----------
    source : str, Path or bytes-like
        The file, or what it holds.
    name : str
        What the messages call it.
    least : int, optional
        No more pixels than this are needed in height and width: a big JPEG is read faster.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB, 0 to 255. `PictureError` if it cannot be opened, is empty, no picture, broken, or has
        over 20 MB or 64 million pixels.
    """
    pixels = read_values(source, name, least)
    if pixels.ndim == 3:
        return pixels
    whole = pixels.dtype.kind in "iu"
    return to_bytes(pixels, *value_range(pixels.min(), pixels.max(), whole))


def read_values(source, name="", least=None):
    """Return what `read_picture` does, but of a deep picture the values themselves.

    Returns
    -------
    ndarray
        uint8 of the shape (height, width, 3), or grey numbers of the shape (height, width):
        integers of more than 8 bits, or floats.
    """
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    content, name = _content(source, name)
    Image.init()
    formats = [known for known in FORMATS if known in Image.OPEN]  # AVIF: from Pillow 11.3
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, which are counted here, and of metadata
            picture = Image.open(io.BytesIO(content), formats=formats)
            if picture.width * picture.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if least:
                picture.draft("RGB", (least, least))
            try:
                picture = ImageOps.exif_transpose(picture)
            except (OSError, SyntaxError, ValueError, TypeError, KeyError):
                pass  # damaged EXIF says nothing about the pixels; broken pixels raise below
            values = np.array(picture if picture.mode[0] in "IF" else _rgb(picture))
    except Image.DecompressionBombError:
        raise PictureError(
            f"{name} has more than {MAX_PIXELS / 1e6:g} million pixels. "
            "Make it smaller with an image editor; 1,000 x 1,000 pixels are plenty."
        ) from None
    except UnidentifiedImageError:
        heic = content[4:8] == b"ftyp"
        what = "is a HEIC photograph or a film" if heic else "is not a picture that can be read"
        raise PictureError(f"{name} {what}. Export it as {EXPECTED}.") from None
    except Exception as error:  # decoders raise nearly anything on broken bytes
        raise PictureError(
            f"{name} is broken or cut short ({error}). Save or download it again."
        ) from error
    if values.ndim == 2 and not np.isfinite(values).all():
        raise PictureError(f"{name} has pixels that are no numbers (NaN or infinite). Mend them.")
    return values


def value_range(low, high, whole):
    """Return which values stand for black and for white, from the lowest and highest in use.

    Whole numbers from 0 take the smallest depth of 8, 10, 12, 14 or 16 bits that holds them: a
    camera of 12 bits saves files of 16 with no value over 4095. Fractions take 0 to 1 or 0 to 255
    if they lie in it. All others take the values in use themselves.
    """
    ends = [2**bits - 1 for bits in DEPTHS] if whole else [1, 255]
    white = next((end for end in ends if high <= end), None)
    return (0, white) if low >= 0 and white else (float(low), float(high))


def to_bytes(values, black, white):
    """Return grey numbers as RGB pixels of 8 bits; `black` becomes 0 and `white` 255."""
    import numpy as np

    share = (np.asarray(values, np.float64) - black) / ((white - black) or 1)
    grey = np.round(255 * share.clip(0, 1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


def check_pixels(x):
    """Raise a `PictureError` unless `x` holds pixels: three channels, 0 to 255.

    Parameters
    ----------
    x : array or tensor, shape (n, height, width, 3) or (height, width, 3)
        Of a tensor that has no values yet only the shape is checked.
    """
    import numpy as np

    if isinstance(x, (list, tuple)):
        x = np.asarray(x)
    if len(x.shape) not in (3, 4) or x.shape[-1] != 3:
        raise PictureError(
            f"The shape {tuple(x.shape)} is not (images, height, width, 3). Repeat a grey image "
            "three times (np.repeat(x[..., None], 3, -1)); drop a fourth channel (x[..., :3])."
        )
    if not isinstance(x, np.ndarray):
        import keras

        if isinstance(x, keras.KerasTensor):
            return
        try:
            x = keras.ops.convert_to_numpy(x)
        except (TypeError, NotImplementedError, AttributeError):  # inside a compiled function
            return
    if not x.size:
        return
    low, high = float(x.min()), float(x.max())
    if not (0 <= low <= high <= 255) or 0 < high <= 1:
        raise PictureError(
            f"Values run from {low:.4g} to {high:.4g}; expected are pixels from 0 to 255. Leave "
            "out what scaled them (/ 255, Rescaling, ToTensor), preprocess only once, and clip "
            "what a resize overshot (np.clip(x, 0, 255))."
        )


def _content(source, name):
    """Return the bytes of a file and what to call it."""
    if isinstance(source, (str, Path)):
        name = name or str(source)
        try:
            with open(Path(source).expanduser(), "rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise PictureError(f"{name} cannot be opened: {error.strerror}.") from None
    content, name = bytes(source), name or "The file"
    if not content:
        raise PictureError(f"{name} is empty: 0 bytes. Save or download it again.")
    if len(content) > MAX_BYTES:
        raise PictureError(
            f"{name} has more than {MAX_BYTES / 1e6:g} MB. Make it smaller with an image editor."
        )
    return content, name


def _rgb(picture):
    """Return the Pillow image in RGB, on white where it is transparent."""
    from PIL import Image

    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")
