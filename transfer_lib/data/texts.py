"""A learner's own table of texts and labels: a CSV file to rows that can be trained on.

``own = texts.read_csv("reviews.csv")`` leaves out what cannot be used; ``print(own.report())`` says
what, line by line. ``own.frame`` is a pandas DataFrame.
"""

import codecs
import csv
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .download import DataError

if TYPE_CHECKING:
    import pandas as pd

MISSING = {"", "nan", "null"}
LOOKS_MISSING = {"na", "n/a", "#n/a", "none", "<na>", "?", "-"}
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
NO_TABLE = {
    b"PK": "is a zip archive or an Excel file: unpack it, or save the sheet as CSV",
    b"\x1f\x8b": "is packed with gzip: unpack it first",
    b"<!doctype html": "is a web page: save the file itself, not its page",
    b"<html": "is a web page: save the file itself, not its page",
    b"version https://git-lfs": "is a pointer of Git LFS, not the file: run `git lfs pull`",
}
BOMS = {  # UTF-32 before UTF-16, whose mark begins alike
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(eq=False)
class Texts:
    """Texts with labels.

    Attributes
    ----------
    frame : DataFrame
        The rows that were kept, with all columns of the file; ``text`` (str), ``label`` (int,
        index into `class_names`), ``split`` (str, where the file has it) and ``line``, the line
        of the file on which each begins.
    class_names : list of str
        In the order of the numbers when all labels are numbers, else in that of the alphabet.
    left_out : DataFrame
        ``line`` and ``why`` of the rows that were left out.
    notes : list of str
        What the report says besides: the encoding, and what looks odd.
    """

    frame: "pd.DataFrame"
    class_names: list
    left_out: "pd.DataFrame"
    notes: list

    def __len__(self):
        return len(self.frame)

    def report(self, most=20) -> str:
        """Return in words what was read and, for at most `most` rows, what was left out."""
        sizes = self.frame["label"].value_counts()
        classes = ", ".join(f"{name} {sizes[i]}" for i, name in enumerate(self.class_names))
        lines = [f"{len(self):,} rows kept ({classes}).", *self.notes]
        lines += [f"{len(self.left_out):,} rows left out."] if len(self.left_out) else []
        lines += [f"  line {r.line}: {r.why}" for r in self.left_out[:most].itertuples()]
        rest = len(self.left_out) - most
        return "\n".join(lines + ([f"  and {rest:,} more"] if rest > 0 else []))

    def random_splits(self, seed=0, validation=0.2, test=0.2) -> dict:
        """Split at random, class by class: train, validation and test to positions of rows.

        Raises
        ------
        DataError
            If a class is too small to be in all three parts.
        """
        import numpy as np
        from sklearn.model_selection import train_test_split

        labels = self.frame["label"].to_numpy()
        for label, name in enumerate(self.class_names):
            count = int((labels == label).sum())
            if min(round(count * test), round(count * validation)) < 1:
                raise DataError(
                    f"The class {name!r} has {count} rows, too few for three parts of it. Add "
                    "some, remove the class, or take larger parts for validation and test."
                )
        parts = {"train": [], "validation": [], "test": []}
        for label in range(len(self.class_names)):
            rows = np.flatnonzero(labels == label)
            sizes = {"test": round(len(rows) * test), "validation": round(len(rows) * validation)}
            for name, size in sizes.items():
                rows, part = train_test_split(rows, test_size=size, random_state=seed)
                parts[name].append(part)
            parts["train"].append(rows)
        return {name: np.sort(np.concatenate(groups)) for name, groups in parts.items()}


def read_csv(path, text="text", label="label", split="split", *, encoding=None, header=True):
    """Read texts and their labels; leave out what cannot be used, and say so by line.

    Left out are rows with an empty text, a missing label, too few or too many fields, or an
    unknown split; a text that stands in the file already (but for case, spaces and a full stop);
    all rows of a text with two labels; the row of a class that has only one. When a training text
    is also in the validation or test part, the training row goes.

    Parameters
    ----------
    path : str or Path
        Fields are separated by a comma, semicolon, tab or bar.
    text, label : str or int
        The names of the two columns; their positions, from 0, when there is no header.
    split : str
        The name of a column of ``train``, ``validation`` and ``test``; it may be missing.
    encoding : str, optional
        By default UTF-8 or what a byte order mark says, else a guess; the report says which.
    header : bool
        False when the first line holds data.

    Returns
    -------
    Texts

    Raises
    ------
    DataError
        If the file is no such table; the message says what it is, or which columns there are.
    """
    import pandas as pd

    path, notes = Path(path), []
    content = _decode(path, encoding, notes)
    rows, left_out = _rows(path, content, text, label, header)
    frame = pd.DataFrame(rows).rename(columns={text: "text", label: "label", split: "split"})
    frame = frame.apply(lambda column: column if column.name == "line" else column.str.strip())

    def leave(rows, why):
        nonlocal frame
        reasons = why if isinstance(why, pd.Series) else pd.Series(why, frame.index)
        left_out.extend(zip(frame.loc[rows, "line"], reasons[rows], strict=True))
        frame = frame[~rows]

    leave(frame["text"] == "", "the text is empty")
    leave(frame["label"].str.lower().isin(MISSING), "the label is missing")
    if "split" in frame:
        found = frame["split"].str.lower().map(SPLITS)
        leave(found.isna(), "the split is " + frame["split"].map(repr) + ", which is unknown")
        frame = frame.assign(split=found.dropna())
    numbers = pd.to_numeric(frame["label"], errors="coerce")
    if numbers.notna().all():  # 1 and 1.0 are one class, and 10 comes after 2
        frame = frame.assign(label=numbers.map(lambda value: f"{value:g}"))
    same = frame["text"].map(_plain)
    classes = frame.groupby(same)["label"].transform("nunique")
    places = frame["line"].astype(str).groupby(same).transform(", ".join)
    leave(classes > 1, "the same text has different labels (lines " + places + ")")
    order = frame["split"].map({"train": 0, "validation": 1, "test": 2}) if "split" in frame else 0
    frame = frame.assign(order=order).sort_values("order", ascending=False, kind="stable")
    first = frame.groupby(frame["text"].map(_plain))["line"].transform("first")
    leave(first != frame["line"], "it is a duplicate of line " + first.astype(str))
    frame = frame.sort_values("line").drop(columns="order")
    sizes = frame.groupby("label")["label"].transform("size")
    leave(sizes == 1, "the class " + frame["label"].map(repr) + " has only this row")

    names = sorted(set(frame["label"]), key=float if numbers.notna().all() else str)
    odd = [name for name in names if name.lower() in LOOKS_MISSING]
    notes += [f"The class {name!r} looks like a missing label." for name in odd]
    left_out = pd.DataFrame(left_out, columns=["line", "why"]).sort_values("line", kind="stable")
    if len(names) < 2:
        first = "; ".join(f"line {r.line}: {r.why}" for r in left_out[:3].itertuples())
        raise DataError(
            f"{path} holds {len(names)} class after {len(left_out)} rows were left out, but "
            f"classification needs two or more. {first}"
        )
    frame = frame.assign(label=frame["label"].map(names.index).astype("int64"))
    return Texts(frame.reset_index(drop=True), names, left_out, notes)


def _plain(text) -> str:
    """Return what two texts share that count as one: no case, no extra space, no full stop."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split()).rstrip(" .") or text


def _decode(path, encoding, notes) -> str:
    """Return the text of a file, and note how it was decoded where that is not plain."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
    for start, what in NO_TABLE.items():
        if data[:64].lstrip().lower().startswith(start.lower()):
            raise DataError(f"{path} {what}.")
    known = encoding or next(
        (name for mark, name in BOMS.items() if data.startswith(mark)), "utf-8"
    )
    try:
        return data.decode(known).removeprefix("\ufeff")
    except LookupError:
        raise DataError(f"{encoding!r} is no encoding that Python knows.") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if encoding:
            raise DataError(
                f"{path} is not {encoding}: line {line} cannot be decoded. Leave encoding= out to "
                "have it guessed."
            ) from None
    patched = data.decode(known, "replace")
    wrong, other = patched.count("\ufffd"), sum(byte > 127 for byte in data)
    if wrong <= max(1, min(other, patched.count("\n")) // 10):
        notes.append(
            f"It is UTF-8 but for {wrong} bytes, the first in line {line}: shown as \ufffd."
        )
        return patched
    import charset_normalizer

    matches = charset_normalizer.from_bytes(data)
    best = matches.best()
    if best is None:
        raise DataError(f"{path} is no text that can be decoded. Is it a table at all?")
    guess = best.encoding
    # In short texts the guess mistakes Western Europe's usual code page for its rare neighbours.
    western = [match for match in matches if "cp1252" in match.could_be_from_charset]
    if western and western[0].coherence >= best.coherence:
        guess = "cp1252"
    notes.append(f"Decoded as {guess} (a guess; set encoding= if letters look wrong).")
    return data.decode(guess, "replace")


def _rows(path, content, text, label, header):
    """Return the rows as dicts with their line, and (line, why) of those that do not fit."""
    csv.field_size_limit(2**31 - 1)
    first, _, rest = content.partition("\n")
    skipped = first.lower().startswith("sep=")  # Excel's hint to itself
    content = rest if skipped else content

    def read(delimiter, quoting=csv.QUOTE_MINIMAL):
        stream = io.StringIO(content, newline="")
        lines, start = csv.reader(stream, delimiter=delimiter, quoting=quoting, strict=True), 1
        try:
            for row in lines:
                if row:
                    yield start + skipped, row
                start = lines.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"{path}, line {start + skipped}: {error}. Is a quotation mark opened there and "
                "never closed?"
            ) from None

    def names(delimiter):
        row = next(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter), [])
        return [name.strip() for name in row] if header else list(range(len(row)))

    delimiters = sorted(",;\t|", key=lambda d: ({text, label} <= set(names(d)), len(names(d))))
    delimiter = delimiters[-1]
    columns = names(delimiter)
    for name, argument in ((text, "text"), (label, "label")):
        if columns.count(name) != 1:
            there = ", ".join(map(repr, columns)) or "none: the file is empty"
            few = "no column" if name not in columns else "more than one column"
            raise DataError(
                f"{path} has {few} {name!r}. Its columns are {there}. Name the right one: "
                f'read_csv(path, {argument}="..."). If these are data and no names: '
                "read_csv(path, text=1, label=0, header=False), counted from 0."
            )
    quoting = csv.QUOTE_MINIMAL
    if delimiter == "\t" and all(len(r) == len(columns) for _, r in read("\t", csv.QUOTE_NONE)):
        quoting = csv.QUOTE_NONE  # as GLUE writes its files: a quotation mark is a sign like others
    rows, left_out = [], []
    for number, (line, row) in enumerate(read(delimiter, quoting)):
        if number == 0 and header:
            continue
        if len(row) == len(columns):
            rows.append(dict(zip(columns, row, strict=True)) | {"line": line})
        else:
            left_out.append((line, f"{len(row)} fields where there are {len(columns)} columns"))
    return rows, left_out
