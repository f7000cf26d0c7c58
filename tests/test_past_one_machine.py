"""Lesson A2: its script in one and in two processes, and its shards with a killed worker."""

import json
import logging
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from distributed import Client, LocalCluster
from PIL import Image

import cells
from transfer_lib.data import pieces, reviews
from transfer_lib.taught import lesson_A2 as lesson

TOLERANCE = 1e-4
"""What the lesson says of the two curves and of the features."""


def script() -> str:
    """Return the lesson's train.py, as its cells write it."""
    sources = [cell.source for cell in cells.parse(cells.source_of("A2")).cells]
    parts = [s.partition("\n")[2] for s in sources if s.startswith("%%writefile")]
    assert len(parts) == 4
    return "\n".join(parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the script, 64 texts to train on and 41 to test."""
    folder = tmp_path_factory.mktemp("A2")
    frame = reviews.load()
    rows = list(zip(frame["text"], frame["label"].tolist(), strict=True))
    train, _, test = map(np.random.default_rng(0).permutation, reviews.parts(frame))
    texts = {"train": [rows[i] for i in train[:64]], "test": [rows[i] for i in test[:41]]}
    (folder / "texts.json").write_text(json.dumps(texts))
    (folder / "train.py").write_text(script())
    return folder


@pytest.fixture(scope="module")
def found(folder):
    """What the script writes in one process, in two, and in two with a divided batch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(cells.ROOT))
        for processes, name, *split in ((1, "one"), (2, "two"), (2, "split", "split")):
            assert lesson.launch(processes, name, *split) > 0
    return {n: json.loads((folder / f"{n}.json").read_text()) for n in ("one", "two", "split")}


def test_the_script_is_short_enough_to_read():
    lines = [line for line in script().split("\n") if line.strip()]
    assert len(lines) <= 55 and max(map(len, lines)) <= 100


@pytest.mark.slow
def test_two_processes_with_a_divided_batch_have_the_curve_of_one(found):
    assert [found[name]["processes"] for name in ("one", "split")] == [1, 2]
    assert len(found["one"]["losses"]) == 8
    np.testing.assert_allclose(found["split"]["losses"], found["one"]["losses"], atol=TOLERANCE)


@pytest.mark.slow
def test_by_default_the_batch_is_doubled(found):
    assert found["two"]["processes"] == 2
    steps = [2 * lesson.counts(64, 16, *how)[2] for how in ((1, False), (2, False), (2, True))]
    assert [len(one["losses"]) for one in found.values()] == steps == [8, 4, 8]
    assert np.abs(np.subtract(found["two"]["losses"], found["one"]["losses"][:4])).max() > 0.01


@pytest.mark.slow
def test_gather_counts_rows_twice_and_gather_for_metrics_does_not(found):
    assert [len(one["all"]) for one in found.values()] == [41, 64, 48]
    assert [len(one["right"]) for one in found.values()] == [41] * 3
    assert found["split"]["right"] == found["one"]["right"]


@pytest.mark.slow
def test_the_flag_for_processors_starts_one_process_as_the_lesson_says(tmp_path):
    code = "from accelerate import Accelerator\nprint(Accelerator(cpu=True).num_processes)"
    (tmp_path / "count.py").write_text(code)
    command = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    told = subprocess.run([*command, tmp_path / "count.py"], capture_output=True, check=True)
    assert told.stdout.decode().split() == ["1"]


@pytest.mark.slow
def test_an_error_of_the_script_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("1 / 0")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        lesson.launch(2)


@pytest.fixture
def files(tmp_path):
    """Twelve small JPEG files."""
    for i, photo in enumerate(list(pieces.photographs().values()) * 2):
        if i < 12:
            Image.fromarray(photo).resize((320, 240)).save(tmp_path / f"{i:02}.jpg")
    return sorted(tmp_path.glob("*.jpg"))


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(files, tmp_path):
    expected = lesson.features(files)
    assert expected.shape == (12, 1280)
    shards = tmp_path / "shards"
    shards.mkdir()
    (shards / "05.123.part").write_bytes(b"half")  # a worker was killed earlier
    options = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with LocalCluster(n_workers=2, memory_limit="1.5GB", **options) as cluster:
        with Client(cluster) as client:
            groups = [files[i : i + 2] for i in range(0, 12, 2)]
            tasks = client.map(lesson.shard, range(6), groups, [str(shards)] * 6, pure=False)
            end = time.monotonic() + 120
            while not any(task.done() for task in tasks) and time.monotonic() < end:
                time.sleep(0.01)
            assert not all(task.done() for task in tasks)
            first = cluster.workers[0].pid
            psutil.Process(first).kill()
            paths = client.gather(tasks)
    assert [path.name for path in paths] == [f"{i:02}.npy" for i in range(6)]
    np.testing.assert_allclose(
        np.concatenate([np.load(path) for path in paths]), expected, atol=TOLERANCE
    )


def test_a_shard_that_is_there_is_not_computed_again(files, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "features", lambda files: np.full((len(files), 2), len(files)))
    path = lesson.shard(7, files[:3], tmp_path)
    assert path.name == "07.npy" and np.load(path).tolist() == [[3, 3]] * 3
    assert lesson.shard(7, files, tmp_path) == path and len(np.load(path)) == 3
    assert not list(tmp_path.glob("*.part"))
