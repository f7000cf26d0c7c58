"""Make the two data sets of the capstone, test labels sealed: ``python tools/make_capstone.py``.

``watch.npz`` comes from the recordings of the package seglearn, which has to be installed for it
(``pip install seglearn``); ``inbox.csv`` from ``course/capstone/inbox.csv``, where the labels of
the test stand, so read that only to change it.
"""

import csv
import random
from pathlib import Path

import numpy as np

from transfer_lib.exercises.capstone import seal

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "transfer_lib/data/files"
CLASSES = ["question", "fault", "thanks", "undo"]
STEP, LENGTH = 4, 50
"""Recordings of 50 Hz are averaged over four samples, and cut into windows of four seconds."""


def watch():
    """Write windows of the watch: right arms of six people, left arms of two, and of two more."""
    from seglearn.datasets import load_watch

    recorded = load_watch()
    rows = []
    for x, y, person, side in zip(
        *(recorded[k] for k in ("X", "y", "subject", "side")), strict=True
    ):
        slow = x[: len(x) // STEP * STEP].reshape(-1, STEP, 6).mean(axis=1)
        for start in range(0, len(slow) - LENGTH + 1, LENGTH):
            rows.append((slow[start : start + LENGTH], int(y), int(person), int(side)))
    parts = {
        "source": [row for row in rows if row[2] <= 6 and row[3] == 1],
        "target": [row for row in rows if row[2] in (7, 8) and row[3] == 0],
        "test": [row for row in rows if row[2] in (9, 10) and row[3] == 0],
    }
    random.Random(0).shuffle(parts["test"])
    kept = {"classes": np.array(recorded["y_labels"])}
    for part, found in parts.items():
        kept[f"{part}_x"] = np.round(1000 * np.stack([row[0] for row in found])).astype("int16")
        kept[f"{part}_y"] = np.array([row[1] for row in found], "int8")
        kept[f"{part}_person"] = np.array([row[2] for row in found], "int8")
    labels = kept.pop("test_y")
    kept["test_seal"] = np.array([seal("watch", i, int(y)) for i, y in enumerate(labels)])
    np.savez_compressed(FILES / "watch.npz", **kept)


def inbox():
    """Write the messages; test labels are replaced by their seals."""
    with (ROOT / "course/capstone/inbox.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    tested = 0
    with (FILES / "inbox.csv").open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["part", "label", "text"])
        for row in rows:
            label = row["label"]
            if row["part"] == "test":
                label, tested = seal("inbox", tested, CLASSES.index(label)), tested + 1
            writer.writerow([row["part"], label, row["text"]])


if __name__ == "__main__":
    watch()
    inbox()
