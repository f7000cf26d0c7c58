"""The capstone: two projects with a source, a target and a test whose labels are sealed.

``project = load("watch")`` has three parts; ``project.score({...})`` opens the seal, once, and
writes down what was scored. ``start("watch")`` lays an empty report beside your notebook.
"""

import datetime
import hashlib
import json
import math
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from transfer_lib import settings, show

TITLES = {
    "watch": "Exercises told by a watch: right arms of six people, left arms of four others",
    "inbox": "What a message wants: a library's inbox, a bicycle workshop's inbox",
}


@dataclass(frozen=True)
class Part:
    """Inputs of one part, and what is known of them.

    Attributes
    ----------
    inputs : ndarray of float, shape (n, 50, 6), or list of str
        Windows in g and rad/s, or messages.
    labels : ndarray of int or None
        None in the test.
    people : ndarray of int or None
        Who wore the watch; None for messages.
    """

    inputs: object
    labels: np.ndarray | None = None
    people: np.ndarray | None = None

    def __len__(self):
        return len(self.inputs)

    def __repr__(self):
        known = (
            "sealed" if self.labels is None else f"{np.bincount(self.labels).tolist()} per class"
        )
        return f"{len(self)} inputs, labels {known}"


@dataclass(frozen=True)
class Project:
    """A capstone project.

    Attributes
    ----------
    name : {"watch", "inbox"}
    classes : list of str
    source, target, test : Part
    """

    name: str
    classes: list
    source: Part
    target: Part
    test: Part
    seals: tuple

    def __repr__(self):
        parts = [f"  {name}: {getattr(self, name)!r}" for name in ("source", "target", "test")]
        classes = ", ".join(self.classes)
        return "\n".join([f"{TITLES[self.name]}; classes {classes}", *parts])

    def card(self):
        """Return the page of the data: origin, licence, what it says nothing about."""
        page = files("transfer_lib") / f"data/files/{self.name.upper()}.md"
        return show.Note("Data.", details=page.read_text("utf8"))

    def draw(self, per_class, seed):
        """Return rows of the target: `per_class` of each class to train on, and the others."""
        rng = np.random.default_rng(seed)
        y = self.target.labels
        each = [rng.permutation(np.flatnonzero(y == k)) for k in range(len(self.classes))]
        if per_class >= min(map(len, each)):
            raise ValueError(f"per_class is {per_class}, and the smallest class of the target has "
                             f"{min(map(len, each))}, of which some have to stay.")  # fmt: skip
        parts = [rows[:per_class] for rows in each], [rows[per_class:] for rows in each]
        return tuple(np.concatenate(part) for part in parts)

    def score(self, said, again=""):
        """Open the seal: compare predictions of all systems with the labels of the test, once.

        Run again with other predictions, it shows the first score again and opens nothing.

        Parameters
        ----------
        said : dict of str to array of int, shape (n,) or (draws, n)
            The name of each system, transfer first, then controls, and its classes for the test.
        again : str
            Why other predictions are to be scored after the first ones; it is written down.

        Returns
        -------
        DataFrame
            For each system its accuracy in percent, mean, lowest and highest over draws; how many
            of each class it got right, percent; what it has more than the first system, points,
            with the standard error of that paired difference.

        Raises
        ------
        ValueError
            If predictions have another shape or other values than the classes.
        """
        said = {name: np.atleast_2d(np.asarray(rows)) for name, rows in dict(said).items()}
        self._refuse(said)
        text = json.dumps({name: rows.astype(int).tolist() for name, rows in said.items()})
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        before = self.scored()
        kept = next((row for row in before if row["hash"] == digest), None)
        if before and not kept and not again:
            kept = before[0]
            print("These predictions differ from those that were scored, and stay sealed. Here is "
                  'the first score. To open the seal once more, say why: again="...".')  # fmt: skip
        if not kept:
            table = self._table(said)
            kept = {"project": self.name, "hash": digest, "when": f"{datetime.date.today()}"}
            kept |= {"why": again, "table": table.to_dict("split")}
            self._write(kept)
        times = len(self.scored())
        print(
            f"Sealed test of {self.name!r}: scored {times} time{'s' * (times > 1)}, {kept['hash']}."
        )
        return pd.DataFrame(**kept["table"])

    def scored(self):
        """Return what was scored before: a list of rows with when, hash, why and table."""
        path = _records()
        lines = path.read_text("utf8").splitlines() if path.exists() else []
        rows = [json.loads(line) for line in lines if line.strip()]
        return [row for row in rows if row["project"] == self.name]

    def error(self, accuracy):
        """Return the standard error of an accuracy in percent on the test, points."""
        share = accuracy / 100
        return 100 * math.sqrt(share * (1 - share) / len(self.test))

    def _refuse(self, said):
        if len(said) < 2:
            raise ValueError("Score the transfer and its controls together, in one dict.")
        for name, rows in said.items():
            if rows.ndim != 2 or rows.shape[1] != len(self.test):
                raise ValueError(f"{name!r} has the shape {rows.shape}; expected {len(self.test)} "
                                 "predictions, or one row of them for each draw.")  # fmt: skip
            if not np.isin(rows, range(len(self.classes))).all():
                raise ValueError(f"{name!r} has other values than the classes 0 to "
                                 f"{len(self.classes) - 1}.")  # fmt: skip

    def _table(self, said):
        """Return what `score` shows."""
        labels = range(len(self.classes))
        truth = np.array([
            next(k for k in labels if seal(self.name, i, k) == kept)
            for i, kept in enumerate(self.seals)
        ])  # fmt: skip
        right = {name: (rows == truth).astype(float) for name, rows in said.items()}
        first = next(iter(right.values())).mean(axis=0)
        found = {}
        for name, rows in right.items():
            rates, d = 100 * rows.mean(axis=1), 100 * (rows.mean(axis=0) - first)
            found[name] = {"mean (%)": rates.mean(), "lowest": rates.min(), "highest": rates.max()}
            by_class = {self.classes[k]: 100 * rows[:, truth == k].mean() for k in labels}
            error = d.std() / math.sqrt(len(d))
            found[name] |= by_class | {"minus first": d.mean(), "error": error, "draws": len(rows)}
        return pd.DataFrame(found).T.round(1).astype({"draws": int})

    def _write(self, row):
        path = _records()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf8") as file:
            file.write(json.dumps(row) + "\n")


def load(name):
    """Return a project of the capstone.

    Raises
    ------
    ValueError
        If there is no such project.
    """
    if name not in TITLES:
        raise ValueError(f"There is no project {name!r}; there are {', '.join(TITLES)}.")
    return {"watch": _watch, "inbox": _inbox}[name]()


def start(name, folder="."):
    """Write an empty report, ``report_NAME.ipynb``, into a folder; an older one is kept.

    Returns
    -------
    str
        Where it lies.

    Raises
    ------
    ValueError
        If there is no such project.
    FileExistsError
        If a report is there.
    """
    load(name)
    path = Path(folder) / f"report_{name}.ipynb"
    if path.exists():
        raise FileExistsError(f"{path} is there, and may be yours: move it, or go on with it.")
    text = (files(__package__) / "report.ipynb").read_text("utf8")
    path.write_text(text.replace("PROJECT", name), "utf8")
    return str(path)


def _records():
    return settings.progress_file().with_name("capstone.jsonl")


def seal(name, row, label):
    """Return the hash that stands in the place of a test label."""
    return hashlib.sha256(f"{name}/{row}/{label}".encode()).hexdigest()[:10]


def _watch():
    with np.load(files("transfer_lib") / "data/files/watch.npz") as kept:
        parts = [
            Part(
                (kept[f"{part}_x"] / 1000).astype(np.float32),
                kept[f"{part}_y"].astype(int) if part != "test" else None,
                kept[f"{part}_person"].astype(int),
            )
            for part in ("source", "target", "test")
        ]
        return Project("watch", kept["classes"].tolist(), *parts, tuple(kept["test_seal"].tolist()))


def _inbox():
    rows = pd.read_csv(files("transfer_lib") / "data/files/inbox.csv", dtype=str)
    classes, parts = ["question", "fault", "thanks", "undo"], []
    for part in ("source", "target"):
        some = rows[rows["part"] == part]
        labels = some["label"].map(classes.index).to_numpy()
        parts.append(Part(some["text"].tolist(), labels))
    test = rows[rows["part"] == "test"]
    parts.append(Part(test["text"].tolist()))
    return Project("inbox", classes, *parts, tuple(test["label"]))
