"""The exercises of lesson A2: counts, an accuracy over processes, a file that is whole."""

import math
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

import exercise_cases
from transfer_lib.exercises.lesson_A2 import write_once
from transfer_lib.practice import Outcome
from transfer_lib.taught import lesson_A2 as lesson


def counts_in_two_branches(texts, batch, processes, split):
    if split:
        return [batch / processes, batch, math.ceil(texts / batch)]
    return [batch, batch * processes, math.ceil(texts / (batch * processes))]


def counts_by_numpy(texts, batch, processes, split):
    total = batch if split else batch * processes
    return np.int64(total // processes), total, len(range(0, texts, total))


def counted(each, total, steps):
    """A wrong `counts` out of three expressions of t, b, p, s."""
    code = compile(f"({each}, {total}, {steps})", "counts", "eval")

    def counts(texts, batch, processes, split):
        names = {"t": texts, "b": batch, "p": processes, "s": split, "math": math}
        return eval(code, names)

    return counts


EACH, TOTAL = "b // p if s else b", "b if s else b * p"
STEPS = f"math.ceil(t / ({TOTAL}))"


def right_by_unique(parts, truth):
    rows = np.concatenate([rows for rows, _ in parts])
    said = np.concatenate([said for _, said in parts])
    _, first = np.unique(rows, return_index=True)
    return (said[first] == truth[rows[first]]).mean()


def right_by_dict(parts, truth):
    said = {r: s for rows, says in parts for r, s in zip(rows, says, strict=True)}
    return sum(said[r] == truth[r] for r in said) / len(truth)


def right_by_set(parts, truth):
    seen, right = set(), 0
    for rows, said in parts:
        for r, s in zip(rows, said, strict=True):
            right += r not in seen and s == truth[r]
            seen.add(r)
    return right / len(seen)


def hits(parts, truth):
    return np.concatenate([said == truth[rows] for rows, said in parts])


def plain(path, compute):
    if not path.exists():
        part = path.parent / (path.name + ".tmp")
        part.unlink(missing_ok=True)
        with part.open("wb") as file:
            np.save(file, compute())
        part.rename(path) if not path.exists() else None
    return path


def with_suffix(path, compute):
    if path.is_file():
        return path
    part = str(path)[:-4] + "_part"
    np.save(part, compute())
    os.replace(part + ".npy", path)
    return str(path)


def by_tempfile(path, compute):
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.save(file, compute())
        shutil.move(name, path)
    return path


def at_once(path, compute):
    if not path.exists():
        np.save(path, compute())
    return path


def always(path, compute):
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        np.save(file, compute())
    os.replace(part, path)
    return path


def forgotten_suffix(path, compute):
    if not path.exists():
        part = path.with_suffix(".part")
        np.save(part, compute())
        os.replace(part, path)
    return path


def never_renamed(path, compute):
    part = path.with_suffix(".part")
    if not path.exists():
        with open(part, "wb") as file:
            np.save(file, compute())
    return path


def trusts_what_is_left(path, compute):
    part = path.with_suffix(".part")
    if not path.exists():
        if not part.exists():
            with open(part, "wb") as file:
                np.save(file, compute())
        os.replace(part, path)
    return path


def stops_at_what_is_left(path, compute):
    if not path.exists():
        with open(path.with_suffix(".part"), "xb") as file:
            np.save(file, compute())
        os.replace(path.with_suffix(".part"), path)
    return path


def in_another_folder(path, compute):
    if not path.exists():
        part = path.parent.parent / "part"
        with open(part, "wb") as file:
            np.save(file, compute())
        os.replace(part, path)
    return path


def copied(path, compute):
    if not path.exists():
        part = path.with_suffix(".part")
        with open(part, "wb") as file:
            np.save(file, compute())
        shutil.copyfile(part, path)
    return path


def renamed_too_early(path, compute):
    if not path.exists():
        part = path.with_suffix(".part")
        with open(part, "wb") as file:
            os.replace(part, path)
            np.save(file, compute()[:0])
    return path


def touched(path, compute):
    if not path.exists():
        path.touch()
        always(path, compute)
    return path


def twice(path, compute):
    if not path.exists():
        compute()
    return plain(path, compute)


def returns_nothing(path, compute):
    plain(path, compute)


RIGHT = {
    "counts": [lesson.counts, counts_in_two_branches, counts_by_numpy, counted(EACH, TOTAL, STEPS)],
    "accuracy": [right_by_unique, right_by_dict, right_by_set],
    "write_once": [lesson.write_once, plain, with_suffix, by_tempfile],
}
WRONG = {
    "counts": [
        (counted(EACH, "b", STEPS), "each process takes a batch of its own"),
        (counted("b // p", TOTAL, STEPS), "without `split` nothing is divided"),
        (counted("b", TOTAL, STEPS), "with `split` the batch is that of all"),
        (counted(EACH, TOTAL, f"t // ({TOTAL})"), "still a step. Round up"),
        (counted(EACH, TOTAL, f"t / ({TOTAL})"), "there are no"),
        (counted(EACH, TOTAL, f"math.ceil(t / ({EACH}))"), "divided by the texts of one process"),
        (counted(TOTAL, EACH, STEPS), "first the texts of one process"),
        (counted(EACH, TOTAL, "7"), "an epoch has 6 steps; yours is 7"),
        (counted("b + 1", TOTAL, STEPS), "each process takes 8 texts"),
        (counted(EACH, "b * p + 1", STEPS), "all together take 16"),
        (lambda texts, batch, processes, split: batch, "Return three numbers"),
    ],
    "accuracy": [
        (lambda parts, truth: 100 * right_by_dict(parts, truth), "not percent"),
        (lambda parts, truth: len(truth) * right_by_dict(parts, truth), "how many are right"),
        (lambda parts, truth: hits(parts, truth).sum() / len(truth), "rows that stand twice"),
        (lambda parts, truth: hits(parts, truth).mean(), "count twice"),
        (
            lambda parts, truth: np.mean([np.mean(s == truth[r]) for r, s in parts]),
            "fill up the last batches",
        ),
        (
            lambda parts, truth: (
                right_by_dict(parts, truth) * len(truth) / sum(len(r) for r, _ in parts)
            ),
            "you divide by all answers",
        ),
        (lambda parts, truth: hits(parts[:1], truth).mean(), "Take all processes"),
        (lambda parts, truth: hits(parts, truth)[: len(truth)].mean(), "Go by their numbers"),
        (lambda parts, truth: 0.123, "yours is 0.1230"),
    ],
    "write_once": [
        (at_once, "open the file under its final name"),
        (always, "computed it again"),
        (forgotten_suffix, "adds `.npy` to a name that lacks it"),
        (never_renamed, "Rename at the end"),
        (trusts_what_is_left, "`compute` was never called"),
        (stops_at_what_is_left, "Write over what it left"),
        (in_another_folder, "in another folder"),
        (copied, "open the file under its final name"),
        (renamed_too_early, "not what `compute()` returned"),
        (touched, "lies under the final name"),
        (twice, "called twice"),
        (returns_nothing, "Return `path`"),
    ],
}

test_right, test_wrong, test_complete = exercise_cases.tests("A2", RIGHT, WRONG)


def test_a_check_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert write_once.judge(plain).outcome is Outcome.RIGHT
    assert list(Path(tmp_path).iterdir()) == []
