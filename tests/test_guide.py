"""The instructor's guide: its plans fit the lessons; its report says where a room was stuck."""

import re

import guide
import progress_report
import pytest

import budget
import build
import notebooks
from transfer_lib import settings
from transfer_lib.practice import journal

TABLE = notebooks.table()


def test_the_guide_is_as_built():
    assert guide.PAGE.read_text("utf8") == guide.page(TABLE), "run `make build`"


@pytest.mark.parametrize("path", build.sources(), ids=lambda path: path.stem)
def test_the_sections_add_up_to_the_required_path(path):
    parts = sum(minutes for _, minutes in guide.sections(path))
    whole = budget.measure(path).required.minutes
    assert whole - 2 <= parts <= whole + 0.01  # sections of seconds are left out


def test_plans_do_not_overlap_and_take_what_lessons_take():
    times = {f"{row.number}. {row.title}": row.minutes for row in TABLE}
    for plan in guide.plans(TABLE).split("**")[2::2]:
        now = 0
        rows = re.findall(r"\| (\d\d):(\d\d) \| (\d\d):(\d\d) \| (.*) \|", plan)
        for *clock, what in rows:
            start, end = (int(h) * 60 + int(m) for h, m in (clock[:2], clock[2:]))
            assert start in (now, guide.START)
            now = end
            assert end - start == times.get(what, end - start)
            assert end <= 17 * 60
        assert len(rows) > 4


def test_a_marker_that_is_gone_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(guide, "PAGE", tmp_path / "instructor.md")
    guide.PAGE.write_text("no markers")
    with pytest.raises(build.BuildError, match="<!-- plans -->"):
        guide.page(TABLE)


def test_where_the_room_was_stuck(tmp_path, monkeypatch):
    files = []
    for name, outcomes in {"a": "not yet,right", "b": "not yet,not yet", "c": "right"}.items():
        monkeypatch.setenv("TRANSFER_LIB_HOME", str(tmp_path / name))
        for outcome in outcomes.split(","):
            journal.record("01.hard", outcome)
        journal.count_hint("01.hard", 3)
        journal.record("00.easy", "right")
        files.append(settings.progress_file())
    table = progress_report.report(files)
    assert list(table["exercise"]) == ["01.hard", "00.easy"]
    assert list(table.iloc[0]) == ["01.hard", 3, 2, 2, 1, 0]
    with pytest.raises(ValueError, match="progress.jsonl"):
        progress_report.report([tmp_path / "nothing.jsonl"])
