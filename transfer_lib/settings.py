"""The course's environment variables, read and checked in one place.

========================  ==================================================================
variable                  meaning
========================  ==================================================================
``TRANSFER_LIB_PROFILE``  ``quick`` (embedded data, no network) or ``full`` (real downloads)
``TRANSFER_LIB_DATA``     a folder with data files, looked at before the cache
``TRANSFER_LIB_MIRROR``   an address that is asked first for downloads: ``http://192.168.1.5:8000``
``TRANSFER_LIB_HOME``     where the cache and the progress file live
``TRANSFER_LIB_SEED``     a whole number; the default is 0
``TRANSFER_LIB_STRICT``   ``1`` under tests: progress bars are off
========================  ==================================================================
"""

import os
from pathlib import Path

import platformdirs

APP = "transfer_lib"
PROFILES = ("quick", "full")


class SettingError(ValueError):
    """An environment variable of the course has a value that it cannot have."""


def home_dir() -> Path | None:
    """Return the folder of ``TRANSFER_LIB_HOME``, or None when it is not set."""
    value = os.environ.get("TRANSFER_LIB_HOME")
    return Path(value).expanduser() if value else None


def cache_dir() -> Path:
    """Return the folder for downloaded files. It may not exist yet."""
    home = home_dir()
    return home / "cache" if home else _of_user(platformdirs.user_cache_dir)


def progress_file() -> Path:
    """Return the file that keeps a learner's progress. It may not exist yet."""
    return (home_dir() or _of_user(platformdirs.user_data_dir)) / "progress.jsonl"


def _of_user(folder) -> Path:
    try:
        return Path(folder(APP, appauthor=False))
    except (RuntimeError, KeyError) as error:  # a user without a home, as in some containers
        raise SettingError(
            "This user has no home folder. Set TRANSFER_LIB_HOME to a folder that you can write to."
        ) from error


def data_dir() -> Path | None:
    """Return the folder of ``TRANSFER_LIB_DATA``, or None; `SettingError` if it is no folder."""
    value = os.environ.get("TRANSFER_LIB_DATA")
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise SettingError(
            f"TRANSFER_LIB_DATA is {value!r}, which is not a folder. "
            "Set it to a folder that holds the data files, or unset it."
        )
    return folder


def mirror() -> str | None:
    """Return ``TRANSFER_LIB_MIRROR``, or None; `SettingError` if it is no address."""
    value = os.environ.get("TRANSFER_LIB_MIRROR", "").strip().rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise SettingError(
            f"TRANSFER_LIB_MIRROR is {value!r}, which is no address such as "
            "http://192.168.1.5:8000. Set it to what your instructor says, or unset it."
        )
    return value or None


def profile() -> str | None:
    """Return what ``TRANSFER_LIB_PROFILE`` says, or None; `SettingError` for another word."""
    value = os.environ.get("TRANSFER_LIB_PROFILE", "").strip().lower()
    if value and value not in PROFILES:
        raise SettingError(
            f"TRANSFER_LIB_PROFILE is {value!r}; it can be 'quick' or 'full'. "
            "Set it to one of these, or unset it."
        )
    return value or None


def seed() -> int:
    """Return ``TRANSFER_LIB_SEED``, or 0; `SettingError` if it is no whole number below 2**32."""
    value = os.environ.get("TRANSFER_LIB_SEED", "0").strip() or "0"
    if not value.isdigit() or int(value) >= 2**32:
        raise SettingError(
            f"TRANSFER_LIB_SEED is {value!r}; it must be a whole number from 0 to {2**32 - 1}."
        )
    return int(value)


def strict() -> bool:
    """Return True under tests (``TRANSFER_LIB_STRICT=1``)."""
    return os.environ.get("TRANSFER_LIB_STRICT", "").strip() not in ("", "0")
