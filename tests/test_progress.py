"""The progress file: kept, counted, shared between processes, never in the way."""

import json
import subprocess
import sys
import warnings

import pytest

from transfer_lib import progress, settings


def test_counts_and_survives(empty_home):
    progress.record("00.accuracy", "not yet")
    progress.record("00.accuracy", "not attempted")
    progress.record("00.accuracy", "right")
    progress.record("00.accuracy", "not yet")
    assert progress.count_hint("00.accuracy", 2) == 1
    assert progress.count_hint("00.accuracy", 2) == 2
    assert progress.count_hint("00.accuracy", 2) == 1
    progress.record_solution_shown("00.accuracy")
    row = json.loads(settings.progress_file().read_text())["exercises"]["00.accuracy"]
    assert row == {"outcome": "right", "attempts": 3, "hints": 3, "solution_shown": True}
    table = progress.summary("00")
    assert table.solved == 1
    assert "right, 3 attempts, 3 hints, solution shown" in repr(table)
    assert "1 of 3 exercises right" in table._repr_html_()


def test_reset_one_lesson_or_all():
    progress.record("00.a", "right")
    progress.record("03.a", "right")
    progress.reset("00")
    assert list(progress.load()) == ["03.a"]
    progress.reset()
    assert progress.load() == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"exercises": 3}', '"x"', "\x00"])
def test_a_damaged_file_is_kept_aside(text):
    path = settings.progress_file()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.warns(UserWarning, match="damaged"):
        assert progress.load() == {}
    assert path.with_suffix(".corrupt.json").read_text() == text
    progress.record("00.a", "right")
    assert progress.load()["00.a"]["attempts"] == 1


def test_a_damaged_row_is_dropped_and_the_others_stay():
    progress.record("00.a", "right")
    path = settings.progress_file()
    content = json.loads(path.read_text())
    content["exercises"]["00.b"] = {"attempts": "many"}
    path.write_text(json.dumps(content))
    assert list(progress.load()) == ["00.a"]


def test_concurrent_processes_lose_nothing():
    code = (
        "from transfer_lib import progress\n"
        "for _ in range(25): progress.record('00.a', 'not yet')\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    assert progress.load()["00.a"]["attempts"] == 100
    assert [p.name for p in settings.progress_file().parent.glob("*.tmp")] == []


def test_an_unwritable_place_only_warns(empty_home):
    empty_home.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="Progress is not saved.*TRANSFER_LIB_HOME"):
        progress.record("00.a", "right")
    with pytest.warns(UserWarning):
        assert progress.count_hint("00.a", 3) == 1


def test_a_full_disk_keeps_the_old_file(monkeypatch):
    progress.record("00.a", "right")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress.json, "dump", full)
    with pytest.warns(UserWarning, match="No space left"):
        progress.record("00.b", "right")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(progress.load()) == ["00.a"]
    assert [p.name for p in settings.progress_file().parent.glob("*.tmp")] == []
