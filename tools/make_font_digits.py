"""Make ``transfer_lib/data/files/font_digits.npz``: digits drawn from matplotlib's fonts.

The images imitate how scikit-learn's handwritten digits were made: a 32 x 32 bitmap of one digit,
cut into 4 x 4 blocks, each block replaced by its number of inked pixels (0 to 16). Here the bitmap
comes from a font, with a random pen, slant, width, rotation, shift and elastic distortion.

Usage: ``python tools/make_font_digits.py [output.npz] [--sheet sheet.png]``.
It takes about ten seconds on one core and needs matplotlib, SciPy and scikit-image.
The same seed gives the same images.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

SEED = 20260
N_IMAGES = 16_000
GLYPH = 128  # pixels of the square that one glyph's distance field fills
MARGIN = 24  # empty pixels around the glyph in that square, so that thick pens fit
CANVAS = 64  # pixels of the square in which a glyph is distorted, 1.5 glyph heights wide
DISTORT = 0.06  # strength of the elastic distortion, in glyph heights
BITMAP = 32  # pixels of the bitmap, as in the scanned digits
BLOCK = 4  # pixels of one block: 32 / 4 = 8
OUTPUT = Path(__file__).parents[1] / "transfer_lib" / "data" / "files" / "font_digits.npz"

# Text fonts only: matplotlib's symbol fonts and its last-resort font draw no usual digits.
FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-BoldItalic", "-Italic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "BolIta", "Italic")),
    *("cmb10", "cmmi10", "cmr10", "cmss10", "cmti10", "cmtt10"),
)


def glyph_bitmap(font_file: Path, digit: int) -> np.ndarray:
    """Draw one digit with FreeType and cut it to its ink.

    Parameters
    ----------
    font_file : Path
        A TrueType file.
    digit : int
        0 to 9.

    Returns
    -------
    ndarray of bool, shape (height, width)
        True where there is ink. Height is about 250 pixels.
    """
    from matplotlib.ft2font import FT2Font, LoadFlags

    font = FT2Font(str(font_file))
    font.set_size(250, 100)
    font.set_text(str(digit), 0.0, flags=LoadFlags.NO_HINTING)
    font.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.asarray(font.get_image()) > 127
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def distance_fields(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn a glyph into two fields whose level sets are the glyph drawn with any pen.

    Parameters
    ----------
    ink : ndarray of bool, shape (height, width)

    Returns
    -------
    outline, centre : ndarray of float32, shape (GLYPH, GLYPH)
        Distances in glyph heights. ``outline`` is positive inside the glyph and negative outside:
        ``outline > -t`` is the glyph made fatter by t. ``centre`` is the distance from the glyph's
        centre line: ``centre < r`` is the glyph written with a pen of radius r.
    """
    from scipy.ndimage import distance_transform_edt, zoom
    from skimage.morphology import skeletonize

    size = GLYPH - 2 * MARGIN
    factor = size / ink.shape[0]
    glyph = zoom(ink.astype(np.float32), (factor, min(factor, size / ink.shape[1])), order=1) > 0.5
    canvas = np.zeros((GLYPH, GLYPH), dtype=bool)
    top, left = (GLYPH - glyph.shape[0]) // 2, (GLYPH - glyph.shape[1]) // 2
    canvas[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    outline = distance_transform_edt(canvas) - distance_transform_edt(~canvas)
    centre = distance_transform_edt(~skeletonize(canvas))
    return (outline / size).astype(np.float32), (centre / size).astype(np.float32)


def smooth_noise(rng: np.random.Generator, n: int, knots: int) -> np.ndarray:
    """Draw smooth random fields: noise on a coarse grid, interpolated by cubic splines.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
        How many fields.
    knots : int
        Grid points along each side. More knots, finer wiggles.

    Returns
    -------
    ndarray of float, shape (n, CANVAS, CANVAS)
    """
    from scipy.ndimage import zoom

    # Spline interpolation is linear in the noise: one matrix per axis does all fields at once.
    spline = zoom(np.eye(knots), (CANVAS / knots, 1), order=3, mode="nearest", grid_mode=True)
    noise = spline @ rng.standard_normal((n, knots, knots)) @ spline.T
    return noise.astype(np.float32)


def draw(fields: tuple[np.ndarray, np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``n`` distorted versions of one glyph.

    Parameters
    ----------
    fields : tuple of two ndarray, shape (GLYPH, GLYPH)
        What ``distance_fields`` returns.
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint8, shape (n, 8, 8)
        Values 0 to 16: inked pixels per block of 4 x 4.
    """
    from scipy.ndimage import map_coordinates

    def uniform(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (n, 1, 1))

    # A canvas larger than the glyph, in units of the glyph's height: -0.75 to 0.75.
    steps = ((np.arange(CANVAS) + 0.5) / CANVAS - 0.5) * 1.5
    y, x = np.meshgrid(steps, steps, indexing="ij")

    # From a canvas pixel back to the glyph: distort, rotate, slant.
    x, y = x + DISTORT * smooth_noise(rng, n, 6), y + DISTORT * smooth_noise(rng, n, 6)
    angle = uniform(-0.2, 0.2)
    x, y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    x = x + uniform(-0.2, 0.35) * y  # positive: the top leans right
    where = np.stack([y, x]) * (GLYPH - 2 * MARGIN) + (GLYPH - 1) / 2
    outline, centre = (map_coordinates(f, where, order=1, mode="nearest") for f in fields)

    # Two images in five are the glyph made fatter, the others one pen along its centre line.
    fat = outline + uniform(0.01, 0.08)
    pen = uniform(0.06, 0.13) - centre
    level = np.where(rng.random((n, 1, 1)) < 0.4, fat, pen)
    level = level + 0.012 * smooth_noise(rng, n, 12)  # the pen's pressure varies

    # Cut to the ink and scale it to the bitmap as the scans were: full height, centred, narrow.
    rows, columns = (level > 0).any(2), (level > 0).any(1)
    top, left = rows.argmax(1), columns.argmax(1)
    height = CANVAS - rows[:, ::-1].argmax(1) - top
    width = CANVAS - columns[:, ::-1].argmax(1) - left
    narrow = np.minimum(rng.uniform(0.6, 1.05, n), height / width)  # all of the ink stays inside

    def scaled(start: np.ndarray, extent: np.ndarray, step: np.ndarray) -> np.ndarray:
        pixels = (np.arange(BITMAP) + 0.5) / BITMAP - 0.5
        jittered = pixels + rng.uniform(-0.03, 0.03, (n, 1))
        return (start + extent / 2 - 0.5)[:, None] + step[:, None] * jittered

    y = scaled(top, height, height * rng.uniform(0.96, 1.04, n))[:, :, None]
    x = scaled(left, width, height / narrow)[:, None, :]
    where = np.broadcast_arrays(np.arange(n)[:, None, None], y, x)
    level = map_coordinates(level, where, order=1, mode="constant", cval=-1.0)

    ink = (level > 0).reshape(n, BITMAP // BLOCK, BLOCK, BITMAP // BLOCK, BLOCK).sum((2, 4))
    # Random ink: pale and dark strokes, and a little noise where there is ink.
    strength = uniform(0.85, 1.1) + 0.05 * rng.standard_normal(ink.shape)
    return np.clip(np.rint(ink * strength), 0, 16).astype(np.uint8)


def make(n_images: int = N_IMAGES, seed: int = SEED) -> dict[str, np.ndarray]:
    """Draw the whole set, in random order.

    Parameters
    ----------
    n_images : int
        Rounded down to an equal number for each pair of font and digit, then topped up at random.
    seed : int

    Returns
    -------
    dict
        ``images`` (n, 8, 8) uint8 0 to 16, ``labels`` (n,) uint8, ``fonts`` (n,) uint8 index into
        ``font_names``.
    """
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    rng = np.random.default_rng(seed)
    n_pairs = len(FONTS) * 10
    counts = np.full(n_pairs, n_images // n_pairs)
    counts[rng.permutation(n_pairs)[: n_images % n_pairs]] += 1

    images = []
    for pair, count in enumerate(counts):
        fields = distance_fields(glyph_bitmap(folder / f"{FONTS[pair // 10]}.ttf", pair % 10))
        images.append(draw(fields, int(count), rng))
    pairs = np.repeat(np.arange(n_pairs), counts)
    order = rng.permutation(n_images)
    return {
        "images": np.concatenate(images)[order],
        "labels": (pairs % 10).astype(np.uint8)[order],
        "fonts": (pairs // 10).astype(np.uint8)[order],
        "font_names": np.array(FONTS),
    }


def contact_sheet(data: dict[str, np.ndarray], path: Path) -> None:
    """Save a picture: drawn digits on the left, scikit-learn's scanned digits on the right."""
    import matplotlib.pyplot as plt
    from sklearn.datasets import load_digits

    real = load_digits()

    def rows(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        chosen = [images[labels == digit][:14] for digit in range(10)]
        return np.pad(np.stack(chosen), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=8)

    drawn, scanned = rows(data["images"], data["labels"]), rows(real.images, real.target)
    sheet = np.block([list(row) for row in np.concatenate([drawn, scanned], 1)])
    plt.imsave(path, np.kron(sheet, np.ones((5, 5))), cmap="gray_r")


def main() -> None:
    """Write the file, and a contact sheet when asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("output", nargs="?", type=Path, default=OUTPUT)
    parser.add_argument("--sheet", type=Path, help="also save a contact sheet (PNG) here")
    arguments = parser.parse_args()
    data = make()
    np.savez_compressed(arguments.output, **data)
    size = arguments.output.stat().st_size
    print(f"{arguments.output.name}: {len(data['labels'])} images, {size} bytes")
    if arguments.sheet:
        contact_sheet(data, arguments.sheet)


if __name__ == "__main__":
    main()
