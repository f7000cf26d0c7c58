"""Data sets: ``data.load("digits")``, ``data.fetch("mnist")``, ``print(data.table())``.

Embedded data need no network. The others are downloaded once, checked by their SHA-256 and kept
in a cache; a folder given in ``TRANSFER_LIB_DATA`` is looked at first.
"""

from .errors import (
    CacheError,
    CorruptFileError,
    DataError,
    DownloadError,
    UnknownDataError,
    UnsafeArchiveError,
)
from .loaders import Dataset
from .registry import Entry, data_cache, fetch, info, load, names, table, where

__all__ = [
    "CacheError",
    "CorruptFileError",
    "DataError",
    "Dataset",
    "DownloadError",
    "Entry",
    "UnknownDataError",
    "UnsafeArchiveError",
    "data_cache",
    "fetch",
    "info",
    "load",
    "names",
    "table",
    "where",
]
