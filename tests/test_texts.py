"""Reading a learner's own CSV."""

import numpy as np
import pytest

from transfer_lib.data import DataError, read_texts

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
    table = read_texts(path, encoding="utf-16-le" if encoding == "utf-16-le" else None)
    assert list(table.columns) == ["text", "label"]
    assert table["text"].tolist() == [t for t, _ in ROWS]
    assert table["label"].tolist() == [y for _, y in ROWS] and table.attrs["left_out"] == []


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
    table = read_texts(write(tmp_path / "a.csv", lines, encoding))
    assert table["text"][3] == f"{sentence} 3"
    assert "a guess" in table.attrs["report"]


def test_a_wrong_encoding_is_named(tmp_path):
    path = write(tmp_path / "a.csv", simple(), "cp1252")
    with pytest.raises(DataError, match="is not ascii: line 4"):
        read_texts(path, encoding="ascii")
    with pytest.raises(DataError, match="no encoding that Python knows"):
        read_texts(path, encoding="klingon")


def test_whole_numbers_sort_as_numbers_and_names_as_names(tmp_path):
    lines = ["text,label"] + [f"row {i},{i % 3 * 5}" for i in range(9)]
    table = read_texts(write(tmp_path / "a.csv", lines))
    assert table["label"].dtype == np.int64 and table["label"].tolist() == [0, 5, 10] * 3


BAD = """\
text,label
Good and quiet,pos
,pos
No label here,
Too loud,neg
"two
lines",neg
good AND  quiet,pos
one,two,three
Works well,pos
Contradiction,pos
contradiction,neg
The odd one,mixed
nan label,NaN
"""


def test_bad_rows_are_reported_by_line(tmp_path, capsys):
    table = read_texts(write(tmp_path / "a.csv", [BAD]))
    kept = ["Good and quiet", "Too loud", "two\nlines", "Works well", "The odd one"]
    assert table["text"].tolist() == kept
    found = dict(table.attrs["left_out"])
    expected = {
        3: "the text is empty",
        4: "the label is missing",
        8: "duplicate of line 2",
        9: "3 fields where there are 2 columns",
        11: "different labels (lines 11, 12)",
        12: "different labels (lines 11, 12)",
        14: "the label is missing",
    }
    assert found.keys() == expected.keys()
    assert all(words in found[line] for line, words in expected.items())
    assert "line 3: the text is empty" in table.attrs["report"]
    assert "too small to split in three parts: mixed 1" in table.attrs["report"]
    assert capsys.readouterr().out == table.attrs["report"] + "\n"
    assert read_texts(tmp_path / "a.csv", quiet=True).equals(table)
    assert capsys.readouterr().out == ""


def test_a_training_row_that_is_also_in_the_test_part_goes(tmp_path):
    lines = ["text,label,split", "Same text,a,train", "other,b,train", "more,b,Training"]
    lines += ["same TEXT,a,test", "one,a,val", "two,b,dev", "three,b,later"]
    table = read_texts(write(tmp_path / "a.csv", lines))
    assert table["text"].tolist() == ["other", "more", "same TEXT", "one", "two"]
    wanted = ["train", "train", "test", "validation", "validation"]
    assert table["split"].tolist() == wanted
    assert table.attrs["left_out"] == [
        (2, "it is a duplicate of line 5"),
        (8, "the split is 'later', which is unknown"),
    ]


def test_a_missing_column_lists_those_that_are_there(tmp_path):
    path = write(tmp_path / "a.csv", ["words;points;when", "fine;5;today"])
    with pytest.raises(DataError, match="'words', 'points', 'when'") as error:
        read_texts(path)
    assert 'text="..."' in str(error.value)
    with pytest.raises(DataError, match='label="..."'):
        read_texts(path, text="words")
    with pytest.raises(DataError, match="no column 'word'"):
        read_texts(path, text="word", label="points")
    with pytest.raises(DataError, match="the file is empty"):
        read_texts(write(tmp_path / "b.csv", [], end=""))
    with pytest.raises(DataError, match="more than one column 'text'"):
        read_texts(write(tmp_path / "c.csv", ["text,text,label", "a,b,c"]))


def test_one_class_is_not_enough(tmp_path):
    with pytest.raises(DataError, match="no rows below its first line"):
        read_texts(write(tmp_path / "b.csv", ["text,label"]))
    with pytest.raises(DataError, match="1 class after 1 rows.*line 4: the text is empty"):
        read_texts(write(tmp_path / "a.csv", ["text,label", "x,1", "y,1", ",0"]))


def test_thousands_of_rows_and_long_texts(tmp_path):
    lines = ["text,label"] + [f'"{"word " * 30}{i}",{i % 4}' for i in range(20_000)]
    lines.append(f'"{"x" * 500_000}",0')
    table = read_texts(write(tmp_path / "a.csv", lines))
    assert len(table) == 20_001 and table["label"].nunique() == 4


@pytest.mark.parametrize(
    ("pair", "script"),
    [
        (("दिन", "दान"), "Hindi"),
        (("เสื้อ", "เสือ"), "Thai"),
        (("عَلِمَ", "عِلْمٌ"), "Arabic"),
        (("on time 😀", "on time 😡"), "emoji"),
        (("Great!! :)", "Great!! :("), "emoticons"),
        (("C++", "C#"), "signs"),
        (("Really?", "Really!"), "marks"),
    ],
)
def test_texts_that_differ_are_two(tmp_path, pair, script):
    lines = ["text,label", f"{pair[0]},a", f"{pair[1]},b", "x,a", "y,b"]
    assert len(read_texts(write(tmp_path / "a.csv", lines))) == 4


def test_tab_separated_files_have_no_quotation(tmp_path):
    lines = ["text\tlabel", 'a "good" one\t1', '"open\t0', 'and "closed"\t1', "last\t0"]
    table = read_texts(write(tmp_path / "a.tsv", lines))
    assert table["text"].tolist() == ['a "good" one', '"open', 'and "closed"', "last"]
    with pytest.raises(DataError, match="line 3: .*never closed"):
        read_texts(write(tmp_path / "a.csv", ["text,label", "a,1", '"open,0', "b,1", "c,0"]))


def test_one_stray_byte_is_no_other_encoding(tmp_path):
    lines = ["text,label"] + [f"C’est le café {i},{i % 2}" for i in range(60)]
    content = "\n".join(lines).encode().replace("café 30".encode(), b"caf" + b"\xe9 30")
    (tmp_path / "a.csv").write_bytes(content)
    table = read_texts(tmp_path / "a.csv")
    assert table["text"][3] == "C’est le café 3" and table["text"][30] == "C’est le caf\ufffd 30"
    assert "UTF-8 but for 1 bytes, the first in line 32" in table.attrs["report"]


def test_a_mark_at_the_start_and_excels_first_line_are_no_names(tmp_path):
    lines = ["sep=;", "text;label", "a;1", "b;0", "c;1", "d;0"]
    for encoding in (None, "utf-8"):
        table = read_texts(write(tmp_path / "a.csv", lines, "utf-8-sig"), encoding=encoding)
        assert table["text"].tolist() == ["a", "b", "c", "d"]


def test_numbers_are_one_class_however_they_are_written(tmp_path):
    lines = ["text,label", "a,1", "b,1.0", "c,10", "d,10.0", "e,2", "f,2.0"]
    assert read_texts(write(tmp_path / "a.csv", lines))["label"].tolist() == [1, 1, 10, 10, 2, 2]
    lines[-1] = "f,2.5"
    found = read_texts(write(tmp_path / "a.csv", lines))["label"].tolist()
    assert found == [1, 1, 10, 10, 2, 2.5]


def test_what_looks_like_a_missing_label_is_told(tmp_path):
    lines = ["text,label", "a,good", "b,good", "c,NA", "d,NA"]
    assert (
        "The class 'NA' looks like a missing label."
        in read_texts(write(tmp_path / "a.csv", lines)).attrs["report"]
    )


def test_a_file_without_a_header(tmp_path):
    lines = ["0,17,fine day", "4,18,bad day", "0,19,dull", "4,20,good"]
    path = write(tmp_path / "a.csv", lines)
    with pytest.raises(DataError, match="text=2, label=0, header=None"):
        read_texts(path)
    with pytest.raises(DataError, match="seems to hold data"):
        read_texts(path, text="fine day", label="0")
    for header in (False, None):
        table = read_texts(path, text=2, label=0, header=header)
    assert table["text"].tolist() == ["fine day", "bad day", "dull", "good"]


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"PK\x03\x04", "zip archive or an Excel sheet"),
        (b"PAR1", "read_parquet"),
        (b'[{"text": 1}]', "read_json"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, start, words):
    (tmp_path / "a.csv").write_bytes(start + b"\n1,2")
    with pytest.raises(DataError, match=words):
        read_texts(tmp_path / "a.csv")


def test_columns_with_usual_names_are_found_and_the_report_says_which(tmp_path):
    lines = ["id;Review;Stars", "1;fine;5", "2;poor;1", "3;good;5", "4;bad;1"]
    table = read_texts(write(tmp_path / "a.csv", lines))
    assert table["text"].tolist() == ["fine", "poor", "good", "bad"]
    assert "The text is taken from the column 'Review'." in table.attrs["report"]
    two = ["v1,v2,,", "ham,see you later,,", "spam,win a prize,,", "ham,ok,,", "spam,call,,"]
    table = read_texts(write(tmp_path / "b.csv", two))
    assert table["label"].tolist() == ["ham", "spam"] * 2


def test_classes_that_differ_in_capitals_are_told(tmp_path):
    lines = ["text,label", "   ", "a,Good", "b,good", "c, Good ", "d,bad"]
    table = read_texts(write(tmp_path / "a.csv", lines))
    assert sorted(set(table["label"])) == ["Good", "bad", "good"]
    assert "'Good' and 'good' differ only in capitals" in table.attrs["report"]


def test_empty_fields_at_the_end_and_repeated_names_lose_no_row(tmp_path):
    lines = ["label,text", "a,one,,", "b,two", "label,text", "a,three,", "b,four,five"]
    table = read_texts(write(tmp_path / "a.csv", lines))
    assert table["text"].tolist() == ["one", "two", "three"]
    assert table.attrs["left_out"] == [
        (4, "it repeats the names of the columns"),
        (6, "3 fields where there are 2 columns"),
    ]


def test_quoted_fields_of_a_tab_separated_file(tmp_path):
    lines = ["text\tlabel", '"she said ""no"""\ta', "plain\tb", '"two\nlines"\ta', "x\tb"]
    table = read_texts(write(tmp_path / "a.tsv", lines))
    assert table["text"].tolist() == ['she said "no"', "plain", "two\nlines", "x"]


def test_a_column_called_pk_is_no_archive(tmp_path):
    lines = ["pk,text,label", "1,a,x", "2,b,y"]
    assert len(read_texts(write(tmp_path / "a.csv", lines))) == 2
    lines[0] = "PK,text,label"
    assert len(read_texts(write(tmp_path / "a.csv", lines))) == 2


def test_utf16_that_lost_its_mark(tmp_path):
    path = write(tmp_path / "a.csv", simple(), "utf-16-be")
    assert read_texts(path)["text"].tolist() == [t for t, _ in ROWS]
