"""Read texts and their labels from a CSV file, and say by line what could not be used."""

import codecs
import csv
import io
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray

DELIMITERS = ",;\t|"
MISSING = {"", "nan", "null"}
SPLITS = ("train", "validation", "test")
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with theirs
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TextDataError(ValueError):
    """A file of texts cannot be read as asked; the message says what to do."""


@dataclass(frozen=True)
class Problem:
    """One row that was left out: its first line in the file, what is wrong, what was done."""

    line: int
    what: str
    action: str = "left out"

    def __str__(self):
        return f"line {self.line}: {self.what}; {self.action}"


@dataclass(frozen=True, eq=False)
class TextTable:
    """Texts with labels.

    Attributes
    ----------
    texts : list of str
    labels : ndarray of int64, shape (n,)
        Indices into `class_names`.
    class_names : list of str
        In the order of the numbers when all labels are whole numbers, else in that of the
        alphabet.
    splits : list of str or None
        ``"train"``, ``"validation"`` or ``"test"`` for each row, when the file says so.
    columns : dict of str to list of str
        Every column of the file, for the rows that were kept.
    lines : list of int
        The line of the file on which each row begins.
    problems : list of Problem
        The rows that were left out.
    encoding : str
        What the file was decoded with.
    """

    texts: list
    labels: "ndarray"
    class_names: list
    splits: list | None
    columns: dict
    lines: list
    problems: list = field(default_factory=list)
    encoding: str = "utf-8"

    def __len__(self):
        return len(self.texts)

    def report(self, most=20) -> str:
        """Return in words what was read and, for at most `most` rows, what was left out."""
        sizes = Counter(int(label) for label in self.labels)
        classes = ", ".join(f"{name} {sizes[i]}" for i, name in enumerate(self.class_names))
        lines = [f"{len(self):,} rows kept ({classes}), decoded as {self.encoding}."]
        lines += [f"{len(self.problems):,} rows left out."] if self.problems else []
        lines += [f"  {problem}" for problem in self.problems[:most]]
        rest = len(self.problems) - most
        return "\n".join(lines + ([f"  and {rest:,} more"] if rest > 0 else []))

    def rows(self, split) -> "ndarray":
        """Return the indices of the rows of one split.

        Raises
        ------
        TextDataError
            If the table has no splits, or no such split.
        """
        import numpy as np

        if self.splits is None or split not in self.splits:
            known = ", ".join(sorted(set(self.splits))) if self.splits else "none"
            raise TextDataError(
                f"There is no split {split!r}; the splits are: {known}. "
                "Use random_splits() to make train, validation and test."
            )
        return np.flatnonzero(np.array(self.splits) == split)

    def random_splits(self, seed=0, validation=0.2, test=0.2) -> dict:
        """Split each class at random into train, validation and test.

        Parameters
        ----------
        seed : int
        validation, test : float
            Fractions of each class. At least one row of each class stays in train.

        Returns
        -------
        dict of str to ndarray of int64
            Indices of rows. No text is in two of them: `read_csv` left duplicates out.

        Raises
        ------
        ValueError
            If the fractions are negative or leave nothing for training.
        """
        import numpy as np

        if min(validation, test) < 0 or validation + test >= 1:
            raise ValueError(
                f"validation={validation} and test={test} must be fractions that leave some "
                "rows for training, such as 0.2 and 0.2."
            )
        rng, parts = np.random.default_rng(seed), {name: [] for name in SPLITS}
        for label in range(len(self.class_names)):
            members = rng.permutation(np.flatnonzero(self.labels == label))
            first, second = round(len(members) * test), round(len(members) * (test + validation))
            second = min(second, len(members) - 1)
            first = min(first, second)
            parts["test"].append(members[:first])
            parts["validation"].append(members[first:second])
            parts["train"].append(members[second:])
        return {name: np.sort(np.concatenate(groups)) for name, groups in parts.items()}


def read_csv(path, text="text", label="label", split="split", *, encoding=None) -> TextTable:
    """Read texts and their labels; leave out what cannot be used, and say so by line.

    Left out are rows with an empty text, a missing label, too few or too many fields, a text that
    stands in the file already, all rows of a text with two different labels, and the row of a
    class that has only one. When a training text is also in the validation or test part, the
    training row goes, so that the measurement stays honest.

    Parameters
    ----------
    path : str or Path
        A file with a header line; fields are separated by a comma, semicolon, tab or bar.
    text, label : str
        The names of the two columns.
    split : str
        The name of a column of ``train``, ``validation`` and ``test``; it may be missing.
    encoding : str, optional
        For instance ``"gb18030"``. By default a byte order mark, then UTF-8, then the guess of
        charset-normalizer; the report says which it was.

    Returns
    -------
    TextTable

    Raises
    ------
    TextDataError
        If a column is missing (the message lists those that there are), the file cannot be
        decoded, or fewer than two classes are left.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    content, used = _decode(path.read_bytes(), path, encoding)
    header, rows, problems = _rows(content, path, text, label)
    text_at, label_at = header.index(text), header.index(label)
    split_at = header.index(split) if split in header else None
    rows = _usable(rows, text_at, label_at, split_at, problems)
    rows = _without_duplicates(rows, text_at, label_at, split_at, problems)
    rows = _without_lone_classes(rows, label_at, problems)
    names = _class_names({row[label_at] for _, row in rows})
    if len(names) < 2:
        first = "; ".join(str(problem) for problem in problems[:3])
        raise TextDataError(
            f"{path} holds {len(names)} class after {len(problems)} rows were left out, but "
            f"classification needs two or more. {first}"
        )
    import numpy as np

    return TextTable(
        texts=[row[text_at] for _, row in rows],
        labels=np.array([names.index(row[label_at]) for _, row in rows], dtype=np.int64),
        class_names=names,
        splits=[row[split_at] for _, row in rows] if split_at is not None else None,
        columns={name: [row[i] for _, row in rows] for i, name in enumerate(header)},
        lines=[line for line, _ in rows],
        problems=sorted(problems, key=lambda problem: problem.line),
        encoding=used,
    )


def normalised(text) -> str:
    """Return a text without case, punctuation and extra space: equal means duplicate."""
    return " ".join(re.findall(r"\w+", text.casefold())) or " ".join(text.split())


def _decode(data, path, encoding):
    """Return the text of a file and the encoding that was used."""
    known = next((name for mark, name in BOMS if data.startswith(mark)), None)
    for name in (encoding or known, None if encoding else "utf-8"):
        try:
            if name:
                return data.decode(name), name
        except LookupError:
            raise TextDataError(f"{encoding!r} is no encoding that Python knows.") from None
        except UnicodeDecodeError as error:
            if encoding:
                raise TextDataError(
                    f"{path} is not {encoding}: byte {error.start} cannot be decoded. "
                    "Leave encoding= out to have it guessed."
                ) from None
    import charset_normalizer

    matches = charset_normalizer.from_bytes(data)
    best = matches.best()
    if best is None:
        raise TextDataError(
            f"{path} is not UTF-8, and its encoding could not be guessed. "
            'Name it: read_csv(path, encoding="gb18030").'
        )
    guess = best.encoding
    # In short texts the guess mistakes Western Europe's usual code page for its rare neighbours.
    western = [m for m in matches if "cp1252" in m.could_be_from_charset]
    if western and western[0].coherence >= best.coherence:
        guess = "cp1252"
    return data.decode(guess, "replace"), f"{guess} (a guess; set encoding= if letters look wrong)"


def _rows(content, path, text, label):
    """Return the header, the rows as (line, fields), and the problems so far."""
    csv.field_size_limit(2**31 - 1)

    def reader(delimiter):
        return csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)

    headers = {d: [name.strip() for name in next(reader(d), [])] for d in DELIMITERS}
    best = max(headers, key=lambda d: (text in headers[d]) + (label in headers[d]))
    if not {text, label} <= set(headers[best]):
        best = max(headers, key=lambda d: len(headers[d]))
    header = headers[best]
    for name, argument in ((text, "text"), (label, "label")):
        if header.count(name) != 1:
            there = ", ".join(repr(column) for column in header) or "none: the file is empty"
            few = "no column" if name not in header else "more than one column"
            raise TextDataError(
                f"{path} has {few} {name!r}. Its columns are {there}. "
                f'Name the right one: read_csv(path, {argument}="...").'
            )
    rows, problems, lines, line = [], [], reader(best), 1
    try:
        for row in lines:
            start, line = line, lines.line_num + 1
            if start == 1 or not row:
                continue
            if len(row) == len(header):
                rows.append((start, row))
            else:
                what = f"{len(row)} fields where the header has {len(header)}"
                problems.append(Problem(start, what))
    except csv.Error as error:
        raise TextDataError(f"{path}, line {lines.line_num}: {error}.") from None
    return header, rows, problems


def _usable(rows, text_at, label_at, split_at, problems):
    kept = []
    for line, row in rows:
        row = [value.strip() for value in row]
        if not row[text_at]:
            problems.append(Problem(line, "the text is empty"))
        elif row[label_at].lower() in MISSING:
            problems.append(Problem(line, "the label is missing"))
        elif split_at is not None and row[split_at] not in SPLITS:
            problems.append(
                Problem(line, f"the split is {row[split_at]!r}, not one of {', '.join(SPLITS)}")
            )
        else:
            kept.append((line, row))
    return kept


def _without_duplicates(rows, text_at, label_at, split_at, problems):
    same = defaultdict(list)
    for line, row in rows:
        same[normalised(row[text_at])].append((line, row))
    dropped = set()
    for copies in same.values():
        if len({row[label_at] for _, row in copies}) > 1:
            places = ", ".join(str(line) for line, _ in copies)
            what = f"the same text has different labels (lines {places})"
            problems += [Problem(line, what) for line, _ in copies]
            dropped |= {line for line, _ in copies}
        elif len(copies) > 1:
            # The row to keep is the one furthest from training; the first of those.
            order = [SPLITS.index(r[split_at]) if split_at is not None else 0 for _, r in copies]
            keep_line, keep = copies[order.index(max(order))]
            for line, _ in copies:
                if line == keep_line:
                    continue
                where = f" ({keep[split_at]})" if order and max(order) != min(order) else ""
                problems.append(Problem(line, f"duplicate of line {keep_line}{where}"))
                dropped.add(line)
    return [(line, row) for line, row in rows if line not in dropped]


def _without_lone_classes(rows, label_at, problems):
    sizes = Counter(row[label_at] for _, row in rows)
    for line, row in rows:
        if sizes[row[label_at]] == 1:
            problems.append(Problem(line, f"the class {row[label_at]!r} has only this row"))
    return [(line, row) for line, row in rows if sizes[row[label_at]] > 1]


def _class_names(labels):
    whole = all(re.fullmatch(r"[+-]?\d+", label) for label in labels)
    return sorted(labels, key=int) if whole else sorted(labels)
