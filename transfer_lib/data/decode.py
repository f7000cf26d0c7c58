"""The bytes of a learner's file to text: what it is if it is no text, and in which encoding."""

import codecs

from .download import DataError

NO_TABLE = {
    b"PK\x03\x04": "is a zip archive or an Excel sheet: unpack it, or use pandas.read_excel",
    b"\x1f\x8b": "is packed with gzip: unpack it first",
    b"BZh": "is packed with bzip2: unpack it first",
    b"\xfd7zXZ": "is packed with xz: unpack it first",
    b"7z\xbc\xaf": "is a 7z archive: unpack it first",
    b"Rar!": "is a RAR archive: unpack it first",
    b"\xd0\xcf\x11\xe0": "is an old Excel sheet: save it as CSV",
    b"PAR1": "is a Parquet file: read it with pandas.read_parquet",
    b"%PDF": "is a PDF, not a table",
    b"<!doctype html": "is a web page: save the file itself, not its page",
    b"<html": "is a web page: save the file itself, not its page",
    b"<?xml": "is XML: read it with pandas.read_xml",
    b"version https://git-lfs": "is a pointer of Git LFS, not the file: run `git lfs pull`",
    b'{"': "is JSON: read it with pandas.read_json",
    b'[{"': "is JSON: read it with pandas.read_json",
}
MARKS = {  # UTF-32 before UTF-16, whose mark begins alike
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def decode(path, encoding, notes) -> str:
    """Return the text of a file; add to `notes` how it was decoded where that is not plain.

    Raises
    ------
    DataError
        If it cannot be opened or is no text: what it is, and what to do.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
    for start, what in NO_TABLE.items():
        head = data[:64].lstrip()
        if (head.lower() if start.startswith(b"<") else head).startswith(start):
            raise DataError(f"{path} {what}.")
    known = encoding or next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
    if not known:  # every second byte zero: UTF-16 that lost its mark
        zeros = [data[i:2000:2].count(0) > 500 or 0 < len(data) < 2000 and
                 data[i::2].count(0) > len(data) // 4 for i in (0, 1)]  # fmt: skip
        known = "utf-16-be" if zeros[0] else "utf-16-le" if zeros[1] else "utf-8"
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
