"""The journal: only added to, shared between processes, never in the way."""

import subprocess
import sys
import warnings

import pytest

from transfer_lib import exercises, settings
from transfer_lib.practice import journal


@pytest.fixture(autouse=True)
def _warns_again():
    journal._warn_once.cache_clear()


def test_counts_and_survives(empty_home):
    journal.record("00.accuracy", "not yet")
    journal.record("00.accuracy", "not attempted")
    journal.record("00.accuracy", "right")
    journal.record("00.accuracy", "not yet")
    assert [journal.count_hint("00.accuracy", 2) for _ in range(3)] == [1, 2, 1]
    journal.record_solution_shown("00.accuracy")
    row = journal.load()["00.accuracy"]
    assert row == journal.EMPTY | {
        "outcome": "right",
        "attempts": 3,
        "hints": 3,
        "solution_shown": True,
    }
    table = exercises.of("00").progress("Lesson 00")
    assert "right, 3 attempts, 3 hints, solution shown" in repr(table)
    assert "1 of 3 exercises right" in table._repr_html_()


def test_reset_one_lesson_or_all():
    journal.record("00.a", "right")
    journal.record("03.a", "right")
    journal.reset("00")
    assert list(journal.load()) == ["03.a"]
    journal.record("00.a", "not yet")
    assert journal.load()["00.a"]["attempts"] == 1
    journal.reset()
    assert journal.load() == {}


def test_the_file_is_only_added_to():
    journal.record("00.a", "right")
    before = settings.progress_file().read_text()
    journal.count_hint("00.a", 3)
    journal.reset()
    assert settings.progress_file().read_text().startswith(before)


@pytest.mark.parametrize("junk", ["{", "[]", "3", '{"id": 3}', '{"id": "00.b"}', "\x00", '"x"'])
def test_a_damaged_line_costs_nothing_but_itself(junk):
    journal.record("00.a", "not yet")
    with settings.progress_file().open("a") as file:
        file.write(junk)  # and no line break: the writer was killed
    journal.record("00.a", "right")
    row = journal.EMPTY | {"outcome": "right", "attempts": 2}
    assert journal.load() == {"00.a": row}


def test_concurrent_processes_lose_nothing():
    code = (
        "from transfer_lib.practice import journal\n"
        "for _ in range(25): journal.record('00.a', 'not yet')\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    assert journal.load()["00.a"]["attempts"] == 100


def test_an_unwritable_place_only_warns_and_only_once(empty_home):
    empty_home.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="Progress is not saved.*TRANSFER_LIB_HOME"):
        journal.record("00.a", "right")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert journal.count_hint("00.a", 3) == 1


def test_no_home_is_no_crash(monkeypatch):
    def no_home(*args, **kwargs):
        raise RuntimeError("Could not determine the home directory.")

    monkeypatch.delenv("TRANSFER_LIB_HOME")
    monkeypatch.setattr("platformdirs.user_data_dir", no_home)
    monkeypatch.setattr("platformdirs.user_cache_dir", no_home)
    with pytest.warns(UserWarning, match="This user has no home folder. Set TRANSFER_LIB_HOME"):
        journal.record("00.a", "right")
    assert journal.load() == {}
    from transfer_lib import doctor

    told = str(doctor.examine(network=False))
    assert told.count("no home folder") == 1 and "Set TRANSFER_LIB_HOME" in told
