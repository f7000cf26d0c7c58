"""The data sets of the course: what they are, where they come from, and how to get them.

A new data set is one more `Entry` in `ENTRIES`: a file to download (with its URLs, size and
SHA-256), an archive (``unpack=True``), or a file that an installed package carries
(``carrier="sklearn"``).
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import settings
from . import archives, loaders
from .download import download, matches
from .errors import CorruptFileError, DataError, DownloadError, UnknownDataError
from .loaders import Dataset


@dataclass(frozen=True)
class Entry:
    """What the registry knows about one data set.

    Attributes
    ----------
    name : str
        What `load` and `fetch` are called with.
    description : str
        What the data are, and how they are split.
    licence : str
        The licence of the data.
    citation : str
        Whom to cite.
    filename : str
        The file's name; for an embedded one, its path inside the package `carrier`.
    size : int
        The file's size in bytes.
    sha256 : str
        The file's SHA-256 (hexadecimal). For a file that another package carries, that of the
        arrays in it, since a new release may pack the same arrays into other bytes.
    urls : tuple of str
        Where the file can be downloaded, in the order to try. Empty when it is embedded.
    carrier : str or None
        The installed package that carries the file; None when it is downloaded.
    loader : callable or None
        Takes the file's path and returns the fields of a `Dataset`. None for a plain file,
        such as weights.
    layout : callable or None
        Takes the path of a file in ``TRANSFER_LIB_DATA`` and raises `CorruptFileError` unless
        it holds what it should. None: that file must have the SHA-256.
    unpack : bool
        True for an archive: `fetch` returns the folder of its members.
    alternative : str or None
        The embedded data set that stands in for this one without a network.
    """

    name: str
    description: str
    licence: str
    citation: str
    filename: str
    size: int
    sha256: str
    urls: tuple[str, ...] = ()
    carrier: str | None = None
    loader: Callable[[Path], dict] | None = None
    layout: Callable[[Path], None] | None = None
    unpack: bool = False
    alternative: str | None = None

    @property
    def embedded(self) -> bool:
        """True when the data come with an installed package: no network is needed."""
        return self.carrier is not None


_ALL = (
    Entry(
        name="digits",
        description="1,797 real handwritten digits of 13 people, scanned, 8 x 8, values 0 to 16. "
        "Half of each class is the test part, chosen once at random. Who wrote which digit is not "
        "recorded, so the same hand can be in both parts.",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak (1998). Optical Recognition of Handwritten Digits. UCI "
        "Machine Learning Repository. https://doi.org/10.24432/C50P49",
        carrier="sklearn",
        filename="datasets/data/digits.csv.gz",
        size=57_523,
        sha256=loaders.DIGITS_SHA256,
        loader=loaders.load_digits,
    ),
    Entry(
        name="font_digits",
        description="16,000 digits drawn from 22 of matplotlib's fonts with random pen, slant, "
        "width and distortion, 8 x 8, values 0 to 16. The test part is the DejaVu Serif family: "
        "no training image has its shapes.",
        licence="the images: that of this project; the fonts: Bitstream Vera, STIX, BaKoMa",
        citation="Made by tools/make_font_digits.py from the fonts of Hunter (2007). Matplotlib. "
        "https://doi.org/10.1109/MCSE.2007.55",
        carrier="transfer_lib",
        filename="data/files/font_digits.npz",
        size=423_003,
        sha256="ad03a80747b2cabb2568a0726373d28cd154eb681111a47950dfa3bfce44f706",
        loader=loaders.load_font_digits,
    ),
    Entry(
        name="mnist",
        description="70,000 handwritten digits, 28 x 28, values 0 to 255: 60,000 to train and "
        "10,000 to test, by different writers.",
        licence="CC BY-SA 3.0",
        citation="LeCun, Cortes and Burges. The MNIST database of handwritten digits.",
        filename="mnist.npz",
        size=11_490_434,
        sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        urls=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "https://s3.amazonaws.com/img-datasets/mnist.npz",
        ),
        loader=loaders.load_mnist,
        layout=loaders.check_mnist,
        alternative="font_digits",
    ),
)
ENTRIES: dict[str, Entry] = {entry.name: entry for entry in _ALL}


def names() -> list[str]:
    """Return the names of all data sets."""
    return list(ENTRIES)


def info(name: str) -> Entry:
    """Return what the registry knows about one data set.

    Raises
    ------
    UnknownDataError
        If there is no data set of that name.
    """
    try:
        return ENTRIES[name]
    except (KeyError, TypeError):
        raise UnknownDataError(
            f"There is no data set {name!r}. The names are: {', '.join(ENTRIES)}."
        ) from None


def load(name: str) -> Dataset:
    """Return a data set as arrays, downloading its file first when that is needed.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Dataset
        With ``x_train``, ``y_train``, ``x_test``, ``y_test``, ``class_names``, ``max_value``.
        The arrays are new ones in each call: changing them changes nothing else.

    Raises
    ------
    UnknownDataError, DownloadError, CorruptFileError, CacheError
        As in `fetch`.
    """
    entry = info(name)
    if entry.loader is None:
        raise DataError(f"{name!r} is a file, not a set of arrays: use data.fetch({name!r}).")
    path = fetch(name)
    fields = entry.loader(path)
    return Dataset(name=name, description=entry.description, path=path, **fields)


def fetch(name: str) -> Path:
    """Return the path of a data set's file, downloading it when it is not on this machine.

    The folder ``TRANSFER_LIB_DATA`` is looked at first, then the cache, then each URL. The
    SHA-256 of a cached file is checked in every call; a file that has been damaged since is
    downloaded again.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Path
        The file; for an archive, the folder that it was unpacked into.

    Raises
    ------
    UnknownDataError
        If there is no data set of that name.
    DownloadError
        If the file is not here and no URL delivered it. The message says what to do.
    CorruptFileError
        If the file in ``TRANSFER_LIB_DATA``, or one that a package carries, is not what it
        should be.
    CacheError
        If the cache cannot be written.
    UnsafeArchiveError
        If a member of the archive would escape from its folder.
    SettingError
        If ``TRANSFER_LIB_DATA`` is not a folder.
    """
    entry = info(name)
    if entry.embedded:
        return _carried(entry)
    path = _given(entry) or _cached(entry) or _download(entry)
    if entry.unpack:
        return archives.unpack(path, data_cache() / f"{name}-{entry.sha256[:8]}")
    return path


def where(name: str) -> str:
    """Return where a data set's file lies, without reading it.

    Returns
    -------
    str
        ``"embedded"``, ``"TRANSFER_LIB_DATA"``, ``"cached"``, or ``"not downloaded"``.
    """
    entry = info(name)
    if entry.embedded:
        return "embedded"
    folder = settings.data_dir()
    if folder and (folder / entry.filename).is_file():
        return "TRANSFER_LIB_DATA"
    path = data_cache() / entry.filename
    is_cached = path.is_file() and path.stat().st_size == entry.size
    return "cached" if is_cached else "not downloaded"


def table() -> str:
    """Return a text table of all data sets: name, size, licence, and where each one is."""
    rows = [("name", "size", "where", "licence")]
    rows += [(e.name, _megabytes(e.size), where(e.name), e.licence) for e in ENTRIES.values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "", f"cache: {data_cache()}"])


def data_cache() -> Path:
    """Return the folder that data sets are downloaded into. It may not exist yet."""
    return settings.cache_dir() / "data"


def _carried(entry: Entry) -> Path:
    """Return the path of a file that an installed package carries."""
    package = importlib.util.find_spec(entry.carrier)  # imports nothing
    path = Path(package.origin).parent / entry.filename if package else None
    if path is None or not path.is_file():
        raise CorruptFileError(
            f"The data set {entry.name!r} comes with the package {entry.carrier}, but "
            f"{path or 'that package'} is not there. Reinstall {entry.carrier}."
        )
    if entry.carrier == "transfer_lib" and not matches(path, entry.sha256):
        raise CorruptFileError(
            f"{path} has been changed or damaged: its SHA-256 is not {entry.sha256}. "
            "Reinstall transfer_lib."
        )
    return path


def _given(entry: Entry) -> Path | None:
    """Return the file in TRANSFER_LIB_DATA, checked; None when there is none."""
    folder = settings.data_dir()
    path = folder / entry.filename if folder else None
    if path is None or not path.is_file():
        return None
    if entry.layout is not None:
        entry.layout(path)
    elif not matches(path, entry.sha256):
        raise CorruptFileError(
            f"{path}, in the folder TRANSFER_LIB_DATA, is not the file that was expected: it "
            f"measures {path.stat().st_size:,} bytes (expected {entry.size:,}) and its SHA-256 "
            f"is not {entry.sha256}. Replace this file or remove it."
        )
    return path


def _cached(entry: Entry) -> Path | None:
    path = data_cache() / entry.filename
    return path if path.is_file() and matches(path, entry.sha256) else None


def _download(entry: Entry) -> Path:
    try:
        return download(entry.filename, entry.urls, entry.sha256, entry.size, data_cache())
    except DownloadError as error:
        raise DownloadError(_not_found(entry, error.reasons), error.reasons) from None


def _not_found(entry: Entry, reasons: dict[str, str]) -> str:
    """Return the message for a file that is nowhere: where it was looked for, what to do."""
    folder, cache = settings.data_dir(), data_cache()
    file = entry.filename
    part = cache / f"{file}.part"
    lines = [
        f"{file} ({_megabytes(entry.size)}, data set {entry.name!r}) could not be found. "
        "It was looked for in:",
        f"  - the folder TRANSFER_LIB_DATA: {f'no {file} in {folder}' if folder else 'not set'}",
        f"  - the cache: no {file} in {cache}",
        *(f"  - {url}: {reason}" for url, reason in reasons.items()),
        "What to do:",
    ]
    if entry.alternative:
        lines.append(f"  - without a network: data.load({entry.alternative!r}) is embedded")
    lines.append(
        f"  - by hand: get {file} from one of these addresses on another machine, put it into a "
        "folder, and set TRANSFER_LIB_DATA to that folder"
    )
    if part.is_file():
        done = _megabytes(part.stat().st_size)
        lines.append(f"  - when the network is back: run again; it goes on after {done}")
    return "\n".join(lines)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
