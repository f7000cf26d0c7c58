"""Texts with labels out of a CSV file, and checkpoints that survive a kill.

``table = text.read_csv("reviews.csv")`` reads a file of your own and ``print(table.report())``
says what was wrong with it, line by line. `save_checkpoint` and `load_checkpoint` keep a training
run so that it can go on after an interrupt.
"""

from .checkpoint import load_checkpoint, save_checkpoint
from .table import Problem, TextDataError, TextTable, normalised, read_csv

__all__ = [
    "Problem",
    "TextDataError",
    "TextTable",
    "load_checkpoint",
    "normalised",
    "read_csv",
    "save_checkpoint",
]
