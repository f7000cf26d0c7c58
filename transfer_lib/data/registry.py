"""How to get the data sets of the course. What they are: `transfer_lib.data.entries`."""

import importlib.util
from pathlib import Path

from .. import settings
from . import archives
from .download import download, matches
from .entries import ENTRIES, Entry
from .errors import CorruptFileError, DataError, DownloadError, UnknownDataError
from .loaders import Dataset


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
        return archives.unpack(path, data_cache() / f"{name}-{entry.known_hash[:8]}")
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
    if path is None or not path.exists():
        raise CorruptFileError(
            f"The data set {entry.name!r} comes with the package {entry.carrier}, but "
            f"{path or 'that package'} is not there. Reinstall {entry.carrier}."
        )
    if entry.carrier == "transfer_lib" and not matches(path, entry.known_hash):
        raise CorruptFileError(
            f"{path} has been changed or damaged: its SHA-256 is not {entry.known_hash}. "
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
    elif not matches(path, entry.known_hash):
        raise CorruptFileError(
            f"{path}, in the folder TRANSFER_LIB_DATA, is not the file that was expected: it "
            f"measures {path.stat().st_size:,} bytes (expected {entry.size:,}) and its checksum "
            f"is not {entry.known_hash}. Replace this file or remove it."
        )
    return path


def _cached(entry: Entry) -> Path | None:
    path = data_cache() / entry.filename
    return path if path.is_file() and matches(path, entry.known_hash) else None


def _download(entry: Entry) -> Path:
    try:
        return download(entry.filename, entry.urls, entry.known_hash, entry.size, data_cache())
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
