"""The capstone: its data, the seal, the empty report, what a report lacks, the samples."""

import csv
import json
import re
from importlib.resources import files

import make_capstone
import nbformat
import numpy as np
import pytest
import reports

from transfer_lib.__main__ import main
from transfer_lib.exercises import capstone, capstone_report
from transfer_lib.taught.lesson_16 import paired

NAMES = list(capstone.TITLES)


@pytest.fixture(autouse=True)
def nothing_scored(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_HOME", str(tmp_path))


def truth(name):
    """Return the labels of a test, found by trying."""
    project = capstone.load(name)
    tried = [
        [capstone.seal(name, i, k) == seal for k in range(len(project.classes))]
        for i, seal in enumerate(project.seals)
    ]
    assert (np.sum(tried, axis=1) == 1).all()
    return np.argmax(tried, axis=1)


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_as_the_card_says(name):
    project = capstone.load(name)
    rows = {"watch": (306, 123, 124), "inbox": (112, 64, 88)}[name]
    assert tuple(map(len, (project.source, project.target, project.test))) == rows
    assert project.test.labels is None and "sealed" in repr(project)
    page = project.card().details
    assert all(f"| {n}" in page for n in rows) and "Licence" in page
    for part in (project.source, project.target):
        assert set(part.labels.tolist()) == set(range(len(project.classes)))
    assert len(np.unique(truth(name))) == len(project.classes)


def test_nobody_wears_the_watch_in_two_parts():
    project = capstone.load("watch")
    people = [set(p.people.tolist()) for p in (project.source, project.target, project.test)]
    assert people == [{1, 2, 3, 4, 5, 6}, {7, 8}, {9, 10}]
    assert project.source.inputs.shape[1:] == (50, 6)
    assert 0.8 < np.linalg.norm(project.source.inputs[..., :3].mean(axis=1), axis=1).mean() < 1.2


def test_messages_are_those_of_the_labelled_file_and_no_text_is_in_two_parts():
    with (reports.cells.ROOT / "course/capstone/inbox.csv").open(encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    project = capstone.load("inbox")
    tested = [row for row in rows if row["part"] == "test"]
    assert project.test.inputs == [row["text"] for row in tested]
    labels = [make_capstone.CLASSES.index(row["label"]) for row in tested]
    assert truth("inbox").tolist() == labels
    texts = [text for p in (project.source, project.target, project.test) for text in p.inputs]
    assert len(set(texts)) == len(texts) == 264
    shipped = (files("transfer_lib") / "data/files/inbox.csv").read_text("utf8")
    assert f"test,{tested[0]['label']}" not in shipped


def test_a_draw_is_of_each_class_and_leaves_some():
    project = capstone.load("inbox")
    rows, others = project.draw(5, 3)
    assert np.bincount(project.target.labels[rows]).tolist() == [5] * 4
    assert set(rows) | set(others) == set(range(64)) and not set(rows) & set(others)
    with pytest.raises(ValueError, match="per_class is 16, and the smallest class"):
        project.draw(16, 0)
    with pytest.raises(ValueError, match="no project 'wach'"):
        capstone.load("wach")


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_accuracies_and_are_written_down(name, capsys):
    project, y = capstone.load(name), truth(name)
    half = np.where(np.arange(len(y)) % 2, y, (y + 1) % len(project.classes))
    table = project.score({"right": y, "half": [half, y]})
    assert table.loc["right", "mean (%)"] == 100 and table.loc["half", "draws"] == 2
    assert table.loc["half", "lowest"] == pytest.approx(100 * np.mean(half == y), abs=0.1)
    assert (table.loc["right", project.classes] == 100).all()
    first = project.classes[0]
    expected = 50 + 50 * np.mean(half[y == 0] == 0)
    assert table.loc["half", first] == pytest.approx(expected, abs=0.1)
    gain, error = paired((half + (y - half) * 0), y, y)
    assert table.loc["half", "minus first"] == pytest.approx(gain / 2, abs=0.1)
    assert table.loc["half", "error"] == pytest.approx(error / 2, abs=0.1)
    assert table.loc["right", "minus first"] == table.loc["right", "error"] == 0
    assert "scored 1 time," in capsys.readouterr().out
    (row,) = project.scored()
    assert row["table"]["index"] == ["right", "half"] and len(row["hash"]) == 12


def test_the_seal_opens_once(capsys):
    """Run again from the top, with predictions that differ a little, nothing is lost."""
    project, y = capstone.load("inbox"), truth("inbox")
    first = project.score({"a": y, "b": y})
    assert project.score({"a": y, "b": y}).equals(first)  # the same once more
    assert "differ" not in capsys.readouterr().out
    assert project.score({"a": 0 * y, "b": y}).equals(first)
    told = capsys.readouterr().out
    assert "stay sealed" in told and "scored 1 time," in told
    other = project.score({"a": 0 * y, "b": y}, again="found a fault in the code")
    assert other.loc["a", "mean (%)"] == 25 and "scored 2 times" in capsys.readouterr().out
    assert [row["why"] for row in project.scored()] == ["", "found a fault in the code"]
    assert capstone.load("watch").scored() == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"a": [0] * 88}, "transfer and its controls together"),
        ({"a": [0] * 88, "b": [0] * 87}, r"'b' has the shape \(1, 87\); expected 88"),
        ({"a": [0] * 88, "b": [4] * 88}, "other values than the classes 0 to 3"),
    ],
)
def test_predictions_that_cannot_be_are_refused_and_nothing_is_written(said, words):
    project = capstone.load("inbox")
    with pytest.raises(ValueError, match=words):
        project.score(said)
    assert project.scored() == []


def test_the_error_of_an_accuracy():
    assert capstone.load("watch").error(50) == pytest.approx(100 * 0.5 / 124**0.5)


def test_an_empty_report_lacks_everything_and_is_never_overwritten(tmp_path, capsys):
    path = capstone.start("watch", tmp_path)
    assert main(["capstone", "check", path]) == 1
    told = capsys.readouterr().out
    for heading, words in capstone_report.HEADINGS.items():
        assert not words or f"“{heading}” has 0 words of yours" in told
    assert "still holds `...`" in told and "was not scored" in told and "no figure" in told
    assert "PROJECT" not in nbformat.read(path, 4).cells[1].source
    with pytest.raises(FileExistsError, match="may be yours"):
        capstone.start("watch", tmp_path)
    with pytest.raises(ValueError, match="no project"):
        capstone.start("PROJECT", tmp_path)


def test_what_cannot_be_read_is_said(tmp_path, capsys):
    (tmp_path / "text.ipynb").write_text("no notebook")
    for name in ("text.ipynb", "none.ipynb"):
        assert main(["capstone", "check", str(tmp_path / name)]) == 2
        assert "cannot be read as a notebook" in capsys.readouterr().err


def sample(name="watch_good"):
    return nbformat.read(reports.target(reports.cells.ROOT / f"course/{name}.py"), as_version=4)


def spoiled(change):
    notebook = sample()
    change(notebook)
    return " ".join(capstone_report.missing(notebook))


def _scored(notebook):
    return next(cell for cell in notebook.cells if "project.score(" in cell.source)


def _without_heading(notebook):
    cell = next(cell for cell in notebook.cells if "## 9. Cost" in cell.source)
    cell.source = cell.source.replace("## 9. Cost", "## Price")


def _without_words(notebook):
    cell = next(cell for cell in notebook.cells if "## 10. Conclusion" in cell.source)
    cell.source = "## 10. Conclusion\n\n> " + cell.source.split("\n\n", 1)[1].replace("\n", " ")


def _out_of_order(notebook):
    _scored(notebook).execution_count = 1


def _scored_twice(notebook):
    output = next(o for o in _scored(notebook).outputs if "text" in o)
    output["text"] = output["text"].replace("scored 1 time,", "scored 2 times,")


def _few_systems(notebook):
    output = next(o for o in _scored(notebook).outputs if "data" in o)
    lines = output["data"]["text/plain"].split("\n")
    last = max(i for i, line in enumerate(lines) if "draws" in line)
    output["data"]["text/plain"] = "\n".join(lines[: last + 3])


def _one_draw(notebook):
    output = next(o for o in _scored(notebook).outputs if "data" in o)
    output["data"]["text/plain"] = re.sub(
        r"5( *)$", r"1\1", output["data"]["text/plain"], flags=re.M
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without_heading, "no heading “Cost”"),
        (_without_words, "“Conclusion” has 0 words"),
        (_out_of_order, "restart, run all, save"),
        (_scored_twice, "scored 2 times. Say why"),
        (_few_systems, "2 systems were scored"),
        (_one_draw, "1 draw(s)"),
    ],
)
def test_what_a_report_lacks_is_named(change, words):
    assert words in spoiled(change)


@pytest.mark.parametrize("path", reports.source_files(), ids=lambda path: path.stem)
def test_samples_are_in_step_with_their_sources_and_lack_nothing(path):
    """The wrong one passes, too: the check is about completeness, the rubric about truth."""
    assert reports.same(path), "run tools/reports.py"
    assert capstone_report.missing(sample(path.stem)) == []


def test_the_empty_report_is_the_built_one():
    built = (files("transfer_lib.exercises") / "report.ipynb").read_text("utf8")
    assert json.loads(built) == json.loads(reports.empty_report())


@pytest.mark.slow
@pytest.mark.parametrize("path", reports.source_files(), ids=lambda path: path.stem)
def test_samples_run_from_the_top_and_find_the_same(path):
    """Not the same digits: the same number of systems, and the same best one of the watch."""
    again = reports.run(path)
    assert capstone_report.missing(again) == []
    if path.stem == "watch_good":
        table = next(o for o in _scored(again).outputs if "data" in o)["data"]["text/plain"]
        lines = table.split("\n\n")[0].split("\n")[1:]
        means = {line[:20].strip(): float(line[20:].split()[0]) for line in lines}
        assert max(means, key=means.get).startswith("mirror")
        assert means["source alone"] < means["from nothing"] < means["mirror"]
