"""Data sets: ``data.load("digits")``, ``data.fetch("mnist")``, ``print(data.table())``.

Embedded data need no network. The others are downloaded once, checked by their hash and kept in a
cache; a folder given in ``TRANSFER_LIB_DATA`` is looked at first.
"""

from .download import DataError
from .registry import Entry, data_cache, fetch, info, load, names, table, where
from .sets import Dataset
from .texts import read_texts
