"""Download one file with pooch: resumed, verified, atomic, retried. Unpack an archive whole.

pooch checks the hash, tries again and gives the file its name at the end. This module adds that a
download goes on where the last one ended (``NAME.part``), several addresses, and a lock
(``NAME.lock``), so that two notebooks download once.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import socket
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import settings

ATTEMPTS = 3  # for each address
TIMEOUT = (5, 30)  # seconds to connect, seconds without a byte
PROGRESS_FROM = 1_000_000  # bytes; smaller files get no progress bar
FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DataError(RuntimeError):
    """A data set cannot be had. The message says which, what was expected, and what to do."""


def matches(path: Path, known_hash: str) -> bool:
    """Return True when the file at `path` has this SHA-256, or the MD5 after ``md5:``."""
    import pooch

    algorithm, _, digest = known_hash.rpartition(":")
    return pooch.file_hash(str(path), alg=algorithm or "sha256") == digest


def read_verified(path: Path | str, sha256: str | None, remedy: str) -> bytes:
    """Return what a file holds; `DataError`, with the remedy, if it is missing or another file."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise DataError(f"{path} has the SHA-256 {found}, expected {sha256}. {remedy}")
    return content


def download(
    filename: str, urls: Sequence[str], known_hash: str, size: int, folder: Path
) -> tuple[Path | None, dict[str, str]]:
    """Download one file into `folder` from the first of `urls` that delivers it.

    Returns its path, or None; and for each address that failed, why. `DataError` if `folder`
    cannot be written or its disk is full.
    """
    import filelock
    import pooch
    import requests

    reasons, part = {}, folder / f"{filename}.part"
    with writing(folder, part), filelock.FileLock(folder / f"{filename}.lock"):
        for url in urls:
            store = pooch.create(
                path=folder,
                base_url="",
                registry={filename: known_hash},
                urls={filename: url},
                retry_if_failed=ATTEMPTS - 1,
            )
            try:
                return Path(store.fetch(filename, downloader=_Resuming(part, size))), {}
            except (requests.RequestException, ValueError, DataError) as error:
                reasons[url] = _reason(error)
        if part.exists() and not part.stat().st_size:
            part.unlink()
    return None, reasons


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a zip or tar archive into `folder`, which exists only when all of it is there.

    `DataError` if the archive is damaged or unsafe, or `folder` cannot be written.
    """
    import filelock

    with writing(folder.parent), filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
        if folder.is_dir():
            return folder
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        # Python before 3.11.4 has no filter, and zip files need none.
        is_tar = archive.suffix != ".zip" and hasattr(tarfile, "data_filter")
        try:
            inside = temporary / "files"  # only its owner can read what mkdtemp makes
            shutil.unpack_archive(archive, inside, **({"filter": "data"} if is_tar else {}))
            inside.replace(folder)
        except Exception as error:  # decoders raise nearly anything on broken bytes
            if getattr(error, "errno", None):  # the disk, not the archive
                raise
            raise DataError(
                f"{archive} is damaged or unsafe: {error}. Nothing of it was kept. Delete it and "
                "fetch it again."
            ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


@contextlib.contextmanager
def writing(folder: Path, part: Path | None = None):
    """Make `folder`; what the system refuses in it becomes a `DataError`, a full disk as well."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise DataError(
                f"The cache folder {folder} cannot be written: {error.strerror or error}. Set "
                "TRANSFER_LIB_HOME to a folder that you can write to, or put the file by hand "
                "into a folder and set TRANSFER_LIB_DATA to it."
            ) from error
        if part:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        raise DataError(
            f"The disk that holds {folder} is full; nothing half-written was left there. Free "
            "some space and run again, or set TRANSFER_LIB_HOME to a folder on another disk."
        ) from error


class _Resuming:
    """A pooch downloader that goes on where ``part`` ends."""

    def __init__(self, part: Path, size: int):
        self.part, self.size = part, size

    def __call__(self, url: str, output_file: str, _store: object) -> None:
        import pooch

        have = self._length()
        if have >= self.size:
            self.part.unlink()
            have = 0
        # Bytes as they are, not packed: they have to be counted.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        bar = self.size >= PROGRESS_FROM and not settings.strict()
        get = pooch.HTTPDownloader(bar, chunk_size=1 << 16, headers=headers, timeout=TIMEOUT)
        with open(self.part, "ab") as file:
            get(url, file, None)
        if self._length() != self.size:
            wrong = self._wrong()
            self.part.unlink()
            if have:  # the server may have ignored Range: pooch starts again, from zero
                raise ValueError(wrong)
            raise DataError(wrong)  # asking again brings nothing
        os.replace(self.part, output_file)

    def _length(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _wrong(self) -> str:
        with open(self.part, "rb") as file:
            start = file.read(512).lstrip().lower()
        page = start.startswith((b"<!doctype html", b"<html"))
        what = "a web page (does this network ask you to log in?)" if page else "another file"
        return f"it sent {what}, of {self._length():,} bytes instead of {self.size:,}"


def _reason(error: BaseException) -> str:
    """Return the innermost cause in a few words: 'Connection refused', 'HTTP 404 Not Found'."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} {response.reason}"
    if "Timeout" in type(error).__name__:
        return f"no answer in time ({TIMEOUT[0]} s to connect, {TIMEOUT[1]} s between bytes)"
    if "does not match the known hash" in str(error):
        return "it sent another file: its hash is wrong"
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    if isinstance(error, socket.gaierror):
        return "the name of this host was not found: no network, or no name server (DNS)"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
