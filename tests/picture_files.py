"""Pictures and picture files for the tests, made here: whole ones, and ones to be refused."""

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw


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


WHOLE = packed(scene(2), "JPEG", quality=95)
REFUSED = {
    "empty": (b"", "is empty: 0 bytes"),
    "text": (b"cats and dogs", "not a picture that can be read"),
    "pdf": (b"%PDF-1.7 ...", "is not a picture"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="..."/>', "is not a picture"),
    "page": (b"<!DOCTYPE html><html>log in</html>", "is not a picture"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(40), "is a HEIC photograph"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    "cut jpeg": (WHOLE[: len(WHOLE) // 2], "broken or cut short"),
    "cut png": (packed(scene(2))[:150], "broken or cut short"),
    "jpeg start": (WHOLE[:20], "a.jpg"),
    "noise": (b"\x89PNG\r\n\x1a\n" + os.urandom(200), "a.jpg"),
    "bomb": (png_header(30_000, 30_000), "more than 64 million pixels"),
    "big": (png_header(9_000, 9_000), "more than 64 million pixels"),
    "nan": (packed(Image.new("F", (8, 8), float("nan")), "TIFF"), "no numbers"),
    "infinite": (packed(Image.new("F", (8, 8), float("inf")), "TIFF"), "no numbers"),
}
