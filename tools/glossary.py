"""The glossary: one table of terms, a page for each folder, and the terms of every lesson."""

import csv
import json
import re

import cells


def rows() -> list[dict]:
    """Return the rows of ``course/glossary.csv``, with the first lesson that has each term.

    A term that no lesson's prose holds keeps the lesson that the file names.
    """
    with (cells.ROOT / "course/glossary.csv").open(encoding="utf8", newline="") as file:
        found = list(csv.DictReader(file))
    lessons = {number: set(terms) for number, terms in by_lesson(found).items()}
    for row in found:
        first = [number for number, terms in lessons.items() if row["english"] in terms]
        row["lesson"] = first[0] if first else row["lesson"]
    return sorted(found, key=lambda row: row["english"].lower())


def by_lesson(found) -> dict:
    """Return lesson to the terms that its prose holds, in their order of appearance."""
    result = {}
    for path in cells.sources():
        prose = [c.source for c in cells.parse(path).cells if c.cell_type == "markdown"]
        text = " ".join("\n".join(prose).replace("*", "").split()).lower()
        places = {}
        for row in found:
            word = re.sub(r" \(.*\)", "", row["english"]).lower()
            at = re.search(rf"\b{re.escape(word)}(s|es)?\b", text)
            if at and cells.number_of(path) >= row["lesson"]:  # not "restart the kernel" in 00
                places[row["english"]] = at.start()
        result[cells.number_of(path)] = sorted(places, key=places.get)
    return result


def page() -> str:
    """Return the glossary as a Markdown page."""
    lines = [
        "# Glossary",
        "",
        "| English | 中文 | Meaning | First in lesson |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['english']} | {row['chinese']} | {row['definition']} | {row['lesson']} |"
        for row in rows()
    ]
    return "\n".join(lines) + "\n"


def packaged() -> str:
    """Return, as JSON text, lesson to its terms in English and in Chinese."""
    found = rows()
    chinese = {row["english"]: row["chinese"] for row in found}
    terms = {
        number: [[english, chinese[english]] for english in words]
        for number, words in by_lesson(found).items()
    }
    return json.dumps(terms, indent=None, ensure_ascii=False, separators=(",", ":")) + "\n"
