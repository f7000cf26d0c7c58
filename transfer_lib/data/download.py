"""Download one file: resumed, verified, atomic, retried, from the first mirror that delivers.

pooch checks the SHA-256 and gives the file its name; this module adds what pooch leaves out:
resuming with HTTP Range, retries with growing waits, mirrors, and a lock between processes.

On disk, beside the file: ``NAME.part`` holds the bytes of an interrupted download, so that the
next call goes on from there; ``NAME.lock`` is an empty file that processes lock.
"""

import contextlib
import logging
import os
from pathlib import Path
from time import sleep

from .. import settings
from .errors import DownloadError, cache_error, is_disk_full

ATTEMPTS = 3  # in a row, for each mirror, that bring no new bytes
WAIT = 0.25  # seconds; doubles with each failure in a row
TIMEOUT = (5, 30)  # seconds to connect, seconds without a byte
CHUNK = 1 << 16  # bytes
PROGRESS_FROM = 1_000_000  # bytes; smaller files get no progress bar
_TEMPORARY = {408, 425, 429}  # HTTP status below 500 that is worth another attempt


class _Interrupted(Exception):
    """The connection ended early; the bytes so far are kept."""


class _WrongFile(ValueError):
    """The server sends something else than the file that was asked for."""


def matches(path: Path, known_hash: str) -> bool:
    """Return True when the file at `path` has this SHA-256, or the MD5 after ``md5:``."""
    import pooch

    algorithm, _, digest = known_hash.rpartition(":")
    return pooch.file_hash(str(path), alg=algorithm or "sha256") == digest


def download(
    filename: str, urls: tuple[str, ...], known_hash: str, size: int, folder: Path
) -> Path:
    """Return the path of `filename` in `folder`, downloaded unless it is there and whole.

    Parameters
    ----------
    filename : str
        The name that the file gets.
    urls : tuple of str
        The same file at several addresses, tried in this order.
    known_hash : str
        What the file must hash to (hexadecimal), as `matches` takes it.
    size : int
        What the file must measure, in bytes.
    folder : Path
        Where to put it; made when it is missing.

    Raises
    ------
    DownloadError
        If no URL delivered the file. Its `reasons` says why, URL by URL.
    CacheError
        If `folder` cannot be written or its disk is full.
    """
    import filelock

    final, part = folder / filename, folder / f"{filename}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{filename}.lock"):
            if final.is_file():
                if matches(final, known_hash):  # another process was faster
                    return final
                final.unlink()
            reasons = {}
            for url in urls:
                reason = _from_mirror(url, final, part, known_hash, size)
                if reason is None:
                    return final
                reasons[url] = reason
    except OSError as error:
        if is_disk_full(error):
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        raise cache_error(error, folder) from error
    raise DownloadError(f"No source delivered {filename}.", reasons)


def _from_mirror(url: str, final: Path, part: Path, known_hash: str, size: int) -> str | None:
    """Download from one URL; return None, or in a few words why it failed."""
    import pooch
    import requests

    transfer = _Transfer(part, size)
    failures, most, restarted = 0, _length(part), False
    while True:
        try:
            with _quiet(pooch.get_logger()):
                pooch.retrieve(url, known_hash, final.name, final.parent, None, transfer)
            return None
        except (requests.RequestException, ConnectionError, TimeoutError, _Interrupted) as error:
            reason = _describe(error)
            status = getattr(getattr(error, "response", None), "status_code", 500)
            if status < 500 and status not in _TEMPORARY:
                return reason
        except ValueError as error:  # pooch: the hash differs; the temporary file is gone
            reason = str(error) if isinstance(error, _WrongFile) else "it has the wrong checksum"
            part.unlink(missing_ok=True)
            if restarted or not transfer.resumed:
                return reason
            restarted = True  # the bytes of an older download may be to blame: once from zero
            continue
        have = _length(part)
        failures, most = (0 if have > most else failures + 1), max(have, most)
        if failures == ATTEMPTS:
            return reason
        sleep(WAIT * 2**failures)


class _Transfer:
    """A pooch downloader that goes on where ``part`` ends. `resumed` says whether it did."""

    def __init__(self, part: Path, size: int):
        self.part, self.size, self.resumed = part, size, False

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        have = _length(self.part)
        self.resumed = have > 0
        if have < self.size:
            self._stream(url, have)
        os.replace(self.part, output_file)

    def _stream(self, url: str, have: int) -> None:
        import requests

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as reply:
            if have and reply.status_code == 416:
                raise _WrongFile("the server refuses to resume")
            reply.raise_for_status()
            if not reply.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                have, self.resumed = 0, False  # the server ignored Range and starts at zero
            announced = int(reply.headers.get("Content-Length", self.size - have))
            if announced != self.size - have:
                raise _WrongFile(f"it sends {have + announced:,} bytes, not {self.size:,}")
            with open(self.part, "ab" if have else "wb") as file, self._progress(have) as bar:
                for chunk in reply.iter_content(CHUNK):
                    have += len(chunk)
                    if have > self.size:
                        raise _WrongFile(f"it sends more than {self.size:,} bytes")
                    file.write(chunk)
                    bar.update(len(chunk))
            if have < self.size:
                message = f"the connection ended after {have:,} of {self.size:,} bytes"
                # Without an announced length, a page that says "log in first" looks like this.
                raise (_Interrupted if "Content-Length" in reply.headers else _WrongFile)(message)

    def _progress(self, have: int):
        from tqdm.auto import tqdm

        silent = settings.strict() or self.size < PROGRESS_FROM
        return tqdm(
            total=self.size,
            initial=have,
            unit="B",
            unit_scale=True,
            desc=self.part.stem,
            disable=silent,
        )


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def _quiet(logger: logging.Logger):
    """Keep pooch's own lines out of the notebook; the progress bar says it already."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _describe(error: BaseException) -> str:
    """Return the innermost cause in one line: 'Connection refused', 'HTTP 404 Not Found'."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} {response.reason}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return f"no answer in time ({TIMEOUT[0]} s to connect, {TIMEOUT[1]} s between bytes)"
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
