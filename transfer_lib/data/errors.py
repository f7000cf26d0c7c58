"""What can go wrong with data, one class per kind of trouble."""

import errno
from pathlib import Path

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DataError(RuntimeError):
    """Base class of every error that `transfer_lib.data` raises itself."""


class UnknownDataError(DataError):
    """The registry has no entry of that name."""


class DownloadError(DataError):
    """A file is not on this machine and no source delivered it.

    Attributes
    ----------
    reasons : dict of str to str
        Why each URL failed, in the order in which they were tried.
    """

    def __init__(self, message: str, reasons: dict[str, str]):
        super().__init__(message)
        self.reasons = reasons


class CorruptFileError(DataError):
    """A file is truncated, has the wrong SHA-256, or does not hold what it should."""


class CacheError(DataError):
    """The cache folder cannot be written: full disk, read-only, no permission."""


class UnsafeArchiveError(DataError):
    """An archive has a member that would be written outside its folder, or a link or device."""


def is_disk_full(error: OSError) -> bool:
    """Return True when `error` means a full disk or a used-up quota."""
    return error.errno in _FULL


def cache_error(error: OSError, folder: Path) -> CacheError:
    """Return the `CacheError` that tells a reader what `error` means for `folder`."""
    if is_disk_full(error):
        return CacheError(
            f"The disk that holds {folder} is full; nothing half-written was left there. "
            "Free some space and run again, or set TRANSFER_LIB_HOME to a folder on another disk."
        )
    return CacheError(
        f"The cache folder {folder} cannot be written: {error.strerror or error}. "
        "Set TRANSFER_LIB_HOME to a folder that you can write to, "
        "or put the file by hand into a folder and set TRANSFER_LIB_DATA to it."
    )
