"""A learner's own table of texts and labels: a file to a pandas DataFrame that can be trained on.

``frame = data.read_texts("reviews.csv")`` leaves out what cannot be used, and prints line by line
what that was.
"""

import csv
import io
import unicodedata
from contextlib import suppress
from pathlib import Path

from .decode import decode
from .download import DataError

TEXT_NAMES = "text sentence review comment content body message tweet".split()
LABEL_NAMES = "label labels class category sentiment target stars rating".split()
MISSING = {"", "nan", "null", "#n/a", "<na>"}
LOOKS_MISSING = {"na", "n/a", "none", "?", "-"}
SPLITS = dict.fromkeys(("train", "training"), "train") | dict.fromkeys(("test", "testing"), "test")
SPLITS |= dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation")
SMALL = 5  # rows of a class that can be split in three


def read_texts(path, text=None, label=None, *, split=None, encoding=None, header=True, quiet=False):
    """Read texts and their labels; leave out what cannot be used, and say so by line.

    Left out are rows with an empty text, a missing label, too few or too many fields, or an
    unknown split; a text that stands in the file already (compared after Unicode NFC, case
    folding and white space); all rows of a text with two labels. When a training text is also in
    the validation or test part, the training row goes.

    Parameters
    ----------
    path : str or Path
        Fields are separated by a comma, semicolon, tab or bar.
    text, label : str or int, optional
        The two columns: their names, or their positions from 0. By default columns with a usual
        name; the report says which were taken.
    split : str or int, optional
        The column of train, validation and test, in any usual spelling; by default ``split``.
    encoding : str, optional
        By default UTF-8 or what a byte order mark says, else a guess; the report says which.
    header : bool or None
        False or None when the first line holds data.
    quiet : bool
        True to print nothing. What was left out is in ``frame.attrs["left_out"]``, pairs of line
        and reason, and all of the report in ``frame.attrs["report"]``.

    Returns
    -------
    DataFrame
        ``text``; ``label``: whole numbers where all of them are (1 and 1.0 are one class), else
        str; ``split`` where the file has it.

    Raises
    ------
    DataError
        If the file is no such table; the message says what it is, or which columns there are.
    """
    import pandas as pd

    path, notes = Path(path), []
    content = decode(path, encoding, notes)
    rows, left_out = _rows(path, content, [text, label, split], header, notes)
    if not rows:
        raise DataError(f"{path} holds no rows below its first line that have as many fields.")
    frame = pd.DataFrame(rows)
    frame["label"] = [unicodedata.normalize("NFC", value) for value in frame["label"]]

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
    if len(frame) and numbers.notna().all():
        frame = frame.assign(label=numbers.astype("int64") if (numbers % 1 == 0).all() else numbers)
    same = frame["text"].map(_plain)
    classes = frame.groupby(same)["label"].transform("nunique")
    places = frame["line"].astype(str).groupby(same).transform(", ".join)
    leave(classes > 1, "the same text has different labels (lines " + places + ")")
    order = frame["split"].map({"train": 0, "validation": 1, "test": 2}) if "split" in frame else 0
    frame = frame.assign(order=order).sort_values("order", ascending=False, kind="stable")
    first = frame.groupby(frame["text"].map(_plain))["line"].transform("first")
    leave(first != frame["line"], "it is a duplicate of line " + first.astype(str))
    frame = frame.sort_values("line").reset_index(drop=True)
    left_out.sort()
    sizes = frame["label"].value_counts().sort_index()
    if len(sizes) < 2:
        begin = "; ".join(f"line {line}: {why}" for line, why in left_out[:3])
        raise DataError(
            f"{path} holds {len(sizes)} class after {len(left_out)} rows were left out, but "
            f"classification needs two or more. {begin}"
        )
    frame = frame[["text", "label", *(["split"] if "split" in frame else [])]]
    frame.attrs = {"left_out": left_out, "report": _report(frame, sizes, notes, left_out)}
    if not quiet:
        print(frame.attrs["report"])
    return frame


def _report(frame, sizes, notes, left_out, most=20):
    """Return in words what was read and, for at most `most` rows, what was left out."""
    classes = ", ".join(f"{name} {size}" for name, size in sizes.items())
    lines, plain = [f"{len(frame):,} rows kept ({classes}).", *notes], {}
    small = ", ".join(f"{name} {size}" for name, size in sizes.items() if size < SMALL)
    if small:
        lines.append(f"Classes that are too small to split in three parts: {small}.")
    for name in sizes.index:
        if str(name).lower() in LOOKS_MISSING:
            lines.append(f"The class {name!r} looks like a missing label.")
        other = plain.setdefault(_plain(str(name)), name)
        if other != name:
            lines.append(f"The classes {other!r} and {name!r} differ only in capitals or spaces.")
    lines += [f"{len(left_out):,} rows left out."] if left_out else []
    lines += [f"  line {line}: {why}" for line, why in left_out[:most]]
    rest = len(left_out) - most
    return "\n".join(lines + ([f"  and {rest:,} more"] if rest > 0 else []))


def _plain(text) -> str:
    """Return what two texts share that count as one: Unicode NFC, no case, no extra space."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def _rows(path, content, wanted, header, notes):
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
                if any(map(str.strip, row)):
                    yield start + skipped, [field.strip() for field in row]
                start = lines.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"{path}, line {start + skipped}: {error}. Is a quotation mark opened there and "
                "never closed?"
            ) from None

    def begin(delimiter):
        return next(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter), [])

    named = {name for name in wanted if isinstance(name, str)}
    delimiter = max("|\t;,", key=lambda d: (named <= set(map(str.strip, begin(d))), len(begin(d))))
    width, quoting = len(begin(delimiter)), csv.QUOTE_MINIMAL
    plain = list(read("\t", csv.QUOTE_NONE)) if delimiter == "\t" else []
    if plain and all(len(row) == width for _, row in plain):
        with suppress(DataError):
            plain = plain if len(plain) != len(list(read("\t"))) else []
        # As GLUE writes its files, a quotation mark is a sign like others.
        quoting = csv.QUOTE_NONE if plain else quoting
    table = list(read(delimiter, quoting))
    columns = table.pop(0)[1] if table and header else list(range(width))
    repeated = [line for line, row in table if row == columns]
    table = [(line, row) for line, row in table if row != columns]
    fits = [
        (line, row[:width]) for line, row in table if len(row) >= width and not any(row[width:])
    ]
    places = _columns(path, columns, wanted, [row for _, row in fits], header, notes)
    rows = [{n: row[i] for n, i in places.items()} | {"line": line} for line, row in fits]
    kept = {line for line, _ in fits}
    why = "{} fields where there are " + f"{width} columns"
    left_out = [(line, "it repeats the names of the columns") for line in repeated]
    left_out += [(line, why.format(len(row))) for line, row in table if line not in kept]
    return rows, left_out


def _columns(path, columns, wanted, rows, header, notes):
    """Return where text, label and split stand: name to position."""
    there = ", ".join(map(repr, columns)) or "none: the file is empty"
    lengths = [sum(map(len, column)) for column in zip(*rows, strict=True)] or [0] * len(columns)
    values = [set(column) for column in zip(*rows, strict=True)] or [()] * len(columns)
    rest = [i for i, name in enumerate(columns) if name != ""]
    longest, two = max(rest, key=lengths.__getitem__, default=0), len(rest) == 2
    rest = [i for i in rest if i != longest]
    fewest = min(rest, key=lambda i: (len(values[i]) < 2, len(values[i])), default=0)
    named = any(isinstance(name, str) for name in wanted[:2])
    odd = [  # one sign of data is enough where nobody has named the columns, else two
        name
        for name, its in zip(columns, values, strict=True)
        if header and name and (name in its) + name.isdigit() + (len(name.split()) > 4) > named
    ]
    if odd:
        raise DataError(
            f"The first line of {path} seems to hold data, not names: {there}. If so, say which "
            f"columns to take, from 0: read_texts(path, text={longest}, label={fewest}, "
            'header=None). If they are names: read_texts(path, text="...", label="...").'
        )
    plain, places = [str(name).lower() for name in columns], {}
    usual = zip(
        ("text", "label", "split"), (TEXT_NAMES, LABEL_NAMES, ["split"]), wanted, strict=True
    )
    for argument, names, name in usual:
        found = [i for i, column in enumerate(columns) if column == name]
        if name is None:
            found = [plain.index(n) for n in names if plain.count(n) == 1][:1]
            if not found and two and argument != "split":
                found = [longest if argument == "text" else fewest]
            if found and plain[found[0]] != argument:
                notes.append(f"The {argument} is taken from the column {columns[found[0]]!r}.")
        if len(found) == 1:
            places[argument] = found[0]
        elif name is not None or argument != "split":
            few = "more than one column" if found or plain.count(argument) > 1 else "no column"
            raise DataError(
                f"{path} has {few} {name or argument!r}. Its columns are {there}. Name the right "
                f'one: read_texts(path, {argument}="...").'
            )
    return places
