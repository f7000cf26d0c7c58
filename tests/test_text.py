"""Reading a learner's own CSV, and checkpoints that survive a kill."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

from transfer_lib import text
from transfer_lib.text import TextDataError

ROWS = [("Great kettle", "good"), ("Broke at once", "bad"), ("Très bon café", "good")]
ROWS += [("Zu laut für mich", "bad"), ("Why not ¿?", "good")]


def write(path, lines, encoding="utf-8", end="\n"):
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def simple(separator=","):
    return [f"text{separator}label"] + [f"{t}{separator}{y}" for t, y in ROWS]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_and_separators(tmp_path, encoding, separator, end):
    path = write(tmp_path / "a.csv", simple(separator), encoding, end)
    table = text.read_csv(path, encoding="utf-16-le" if encoding == "utf-16-le" else None)
    assert table.texts == [t for t, _ in ROWS]
    assert [table.class_names[i] for i in table.labels] == [y for _, y in ROWS]
    assert table.problems == [] and table.lines == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        ("cp1252", "Le café était déjà froid, et la crème brûlée sentait le brûlé"),
        ("gb18030", "这个冰箱很好，制冷很快，声音也不大，我非常喜欢"),
        ("cp1251", "Очень хороший чайник, работает тихо и быстро"),
    ],
)
def test_other_encodings_are_guessed_and_the_report_says_so(tmp_path, encoding, sentence):
    lines = ["text,label"] + [f'"{sentence} {i}",{i % 2}' for i in range(40)]
    table = text.read_csv(write(tmp_path / "a.csv", lines, encoding))
    assert table.texts[3] == f"{sentence} 3"
    assert "a guess" in table.report()


def test_a_wrong_encoding_is_named(tmp_path):
    path = write(tmp_path / "a.csv", simple(), "cp1252")
    with pytest.raises(TextDataError, match="is not ascii: byte"):
        text.read_csv(path, encoding="ascii")
    with pytest.raises(TextDataError, match="no encoding that Python knows"):
        text.read_csv(path, encoding="klingon")


def test_whole_numbers_sort_as_numbers_and_names_as_names(tmp_path):
    lines = ["text,label"] + [f"row {i},{i % 3 * 5}" for i in range(9)]
    table = text.read_csv(write(tmp_path / "a.csv", lines))
    assert table.class_names == ["0", "5", "10"]
    assert table.labels.dtype == np.int64 and table.labels.tolist() == [0, 1, 2] * 3


BAD = """\
text,label
Good and quiet,pos
,pos
No label here,
Too loud,neg
"two
lines",neg
good AND quiet!,pos
one,two,three
Works well,pos
Contradiction,pos
contradiction.,neg
The odd one,mixed
nan label,NaN
"""


def test_bad_rows_are_reported_by_line(tmp_path):
    table = text.read_csv(write(tmp_path / "a.csv", [BAD]))
    assert table.texts == ["Good and quiet", "Too loud", "two\nlines", "Works well"]
    assert table.lines == [2, 5, 6, 10]
    found = {p.line: p.what for p in table.problems}
    expected = {
        3: "the text is empty",
        4: "the label is missing",
        8: "duplicate of line 2",
        9: "3 fields where the header has 2",
        11: "different labels (lines 11, 12)",
        12: "different labels (lines 11, 12)",
        13: "the class 'mixed' has only this row",
        14: "the label is missing",
    }
    assert found.keys() == expected.keys()
    assert all(words in found[line] for line, words in expected.items())
    assert "line 3: the text is empty; left out" in table.report()
    assert "and 6 more" in table.report(most=2)


def test_a_training_row_that_is_also_in_the_test_part_goes(tmp_path):
    lines = ["text,label,split", "Same text,a,train", "other,b,train", "more,b,train"]
    lines += ["same TEXT,a,test", "one,a,validation", "two,b,dev"]
    table = text.read_csv(write(tmp_path / "a.csv", lines))
    assert table.lines == [3, 4, 5, 6]
    assert [str(p) for p in table.problems] == [
        "line 2: duplicate of line 5 (test); left out",
        "line 7: the split is 'dev', not one of train, validation, test; left out",
    ]
    assert table.rows("test").tolist() == [2]
    with pytest.raises(TextDataError, match="the splits are: test, train, validation"):
        table.rows("dev")


def test_a_missing_column_lists_those_that_are_there(tmp_path):
    path = write(tmp_path / "a.csv", ["review;stars;when", "fine;5;today"])
    with pytest.raises(TextDataError, match="'review', 'stars', 'when'") as error:
        text.read_csv(path)
    assert 'text="..."' in str(error.value)
    with pytest.raises(TextDataError, match='label="..."'):
        text.read_csv(path, text="review")
    with pytest.raises(TextDataError, match="the file is empty"):
        text.read_csv(write(tmp_path / "b.csv", [], end=""))
    with pytest.raises(TextDataError, match="more than one column 'text'"):
        text.read_csv(write(tmp_path / "c.csv", ["text,text,label", "a,b,c"]))


def test_one_class_is_not_enough(tmp_path):
    with pytest.raises(TextDataError, match="1 class after 1 rows.*line 4: the text is empty"):
        text.read_csv(write(tmp_path / "a.csv", ["text,label", "x,1", "y,1", ",0"]))


def test_thousands_of_rows_and_long_texts(tmp_path):
    lines = ["text,label"] + [f'"{"word " * 30}{i}",{i % 4}' for i in range(20_000)]
    lines.append(f'"{"x" * 500_000}",0')
    table = text.read_csv(write(tmp_path / "a.csv", lines))
    assert len(table) == 20_001 and len(table.class_names) == 4


def test_random_splits_keep_classes_and_share_no_row(tmp_path):
    lines = ["text,label"] + [f"text {i},{'a' if i < 80 else 'b'}" for i in range(100)]
    lines += ["rare one,c", "rare two,c"]
    table = text.read_csv(write(tmp_path / "a.csv", lines))
    parts = table.random_splits(seed=3)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(102))
    for rows in parts.values():
        share = np.mean(table.labels[rows] == 0)
        assert 0.7 < share < 0.85
    assert (table.labels[parts["train"]] == 2).sum() >= 1
    again = table.random_splits(seed=3)
    assert all((parts[name] == again[name]).all() for name in parts)
    with pytest.raises(ValueError, match="fractions"):
        table.random_splits(test=0.9, validation=0.1)


def test_a_checkpoint_brings_back_the_state_and_the_random_numbers(tmp_path):
    path = tmp_path / "deep/run.pt"
    assert text.load_checkpoint(path) is None
    torch.manual_seed(1)
    text.save_checkpoint(path, {"w": torch.arange(3.0), "epoch": 4, "log": [{"loss": 0.5}]})
    expected = torch.rand(5)
    torch.manual_seed(99)
    state = text.load_checkpoint(path)
    assert torch.equal(torch.rand(5), expected)
    assert state["epoch"] == 4 and state["log"] == [{"loss": 0.5}]
    assert state["w"].tolist() == [0, 1, 2]
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]


class Explodes:
    def __reduce__(self):
        raise RuntimeError("in the middle of saving")


def test_a_failed_save_leaves_the_previous_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    text.save_checkpoint(path, {"epoch": 1})
    with pytest.raises(RuntimeError, match="in the middle"):
        text.save_checkpoint(path, {"epoch": 2, "bad": Explodes()})
    assert text.load_checkpoint(path)["epoch"] == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_killed_save_leaves_the_previous_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    code = f"""
    import itertools, torch
    from transfer_lib import text
    for epoch in itertools.count(1):
        weights = torch.full((4_000_000,), float(epoch))
        text.save_checkpoint({str(path)!r}, {{"epoch": epoch, "weights": weights}})
        print(epoch, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    saved = int(process.stdout.readline())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # kill while a temporary file is being written
        if any(f.suffix == ".part" and f.stat().st_size > 0 for f in tmp_path.iterdir()):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    state = text.load_checkpoint(path)
    assert state["epoch"] >= saved
    assert (state["weights"] == state["epoch"]).all()


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = tmp_path / "run.pt"
    text.save_checkpoint(path, {"epoch": 1, "w": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(TextDataError, match="run.pt is no checkpoint.*Delete it"):
        text.load_checkpoint(path)
