"""Texts for and against: reviews written for the course, and the Stanford Sentiment Treebank."""

from importlib.resources import files

from .. import settings
from . import registry
from .texts import read_texts


def load(full=False):
    """Return a DataFrame with `text`, `label` (1 for positive), `domain` and `split`.

    Parameters
    ----------
    full : bool
        True to put the Stanford Sentiment Treebank in the place of the films.

    Raises
    ------
    DataError
        If the Treebank is to be downloaded and no address delivers it.
    """
    import pandas as pd

    frame = pd.read_csv(files("transfer_lib") / "data/files/reviews.csv").drop(columns="id")
    frame["label"] = (frame["label"] == "positive").astype(int)
    if full:
        frame = pd.concat([sst2(), frame[frame["domain"] == "devices"]], ignore_index=True)
    return frame


def sst2():
    """Return 2,500 texts of the Treebank to train on, and whole sentences to choose and to test.

    ``TRANSFER_LIB_DATA`` may hold it as ``sst2_train.csv``, ``sst2_dev.csv`` and ``sst2_test.csv``.
    Else GLUE's archive is downloaded. Its training file holds mostly phrases, pieces of sentences:
    were validation cut from it too, pieces of one sentence would stand on both sides.
    """
    import pandas as pd

    folder = settings.data_dir()
    if folder and (folder / "sst2_train.csv").is_file():
        parts = {name: folder / f"sst2_{name}.csv" for name in ("train", "dev", "test")}
    else:
        folder = registry.fetch("sst2") / "SST-2"
        parts = {name: folder / f"{name}.tsv" for name in ("train", "dev")}
    frames = {name: read_texts(path, quiet=True) for name, path in parts.items()}
    frames["train"] = frames["train"].sample(2500, random_state=0).assign(split="train")
    if "test" not in frames:
        frames["test"] = frames["dev"].iloc[300:]
    frames["dev"] = frames["dev"].iloc[:300].assign(split="validation")
    frames["test"] = frames["test"].assign(split="test")
    frame = pd.concat(frames.values(), ignore_index=True)
    frame.attrs = {}
    return frame.assign(domain="films")


def parts(frame):
    """Return the rows to train on, to choose by and to test, three arrays of positions."""
    import numpy as np

    return [np.flatnonzero(frame["split"] == name) for name in ("train", "validation", "test")]


def draw(y, among, per_class, rng):
    """Return the rows of `per_class` random texts of each class, out of the rows `among`."""
    import numpy as np

    return np.concatenate([rng.permutation(among[y[among] == k])[:per_class] for k in np.unique(y)])
