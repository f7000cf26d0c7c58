"""Lesson 03's small network: Keras on torch as the course sets it up, against other ways.

``pretrain`` is the lesson's pretraining on the digits 0 to 4 of ``mnist_5000``, 150 steps in
batches of 64. Its first epoch, in which backends compile, is not timed: ``first`` says how long it
took. ``fine-tune`` makes a new model and trains it for 100 steps on 25 images, as the lesson does
some forty times, timed from nothing to trained; ``first`` is the first one of the process. Each run
is a fresh process with a seed of its own. The accuracies, means over the runs, are those of the
source's test part, which should agree.
"""

import os
import statistics
import tempfile
from pathlib import Path

from bench.case import Case, Process, environment

RUNS = 3
WITHIN = "ratio >= 0.83"  # at most 1.2 times as long as plain torch
ON_TORCH = {
    "plain torch": ("torch", WITHIN),
    "plain torch, one thread": ("torch-1", WITHIN),
}
ON_OTHERS = {"Keras on JAX": "jax", "Keras on TensorFlow": "tensorflow"}


class Side:
    """Trains in a fresh process per call, each with the next seed."""

    def __init__(self, way, task, file, **options):
        self.arguments, self.options, self.found = (way, task, file), options, []

    def __call__(self):
        process = Process("cnn", *self.arguments, len(self.found), **self.options)
        seconds = process()
        self.found.append(process.last)
        return seconds

    def mean(self, name):
        return statistics.mean(found[name] for found in self.found)


def _case(task, peer, file, goal, way, **options):
    """Return the case of the course's settings against one peer."""
    ours = Side("course", task, file, KERAS_BACKEND="torch")
    theirs = Side(way, task, file, **options)
    sides = {"ours": ours, "theirs": theirs}

    def more():
        names = ("first", "accuracy")
        return {f"{side}_{name}": sides[side].mean(name) for side in sides for name in names}

    return Case(f"cnn/{task}", peer, ours, theirs, RUNS, goal=goal, more=more)


def cases():
    """Yield the cases."""
    import numpy as np

    os.environ.setdefault("KERAS_BACKEND", "torch")
    from transfer_lib.taught import lesson_03

    (x, y), (x_test, y_test) = lesson_03.digits("mnist_5000", range(5))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "digits.npz"
        np.savez(file, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
        for task in ("pretrain", "fine-tune"):
            for peer, (way, goal) in ON_TORCH.items():
                yield _case(task, peer, file, goal, way)
            python = environment("keras-backends")
            for peer, backend in ON_OTHERS.items():
                options = dict(python=python, KERAS_BACKEND=backend)
                yield _case(task, peer, file, None, "keras", **options)
