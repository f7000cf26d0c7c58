"""What a capstone report lacks: ``python -m transfer_lib capstone check report_watch.ipynb``.

It reads the notebook and runs nothing. Whether the report is right is for a reader with the rubric.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

HEADINGS = {
    "Question and shift": 30,
    "Data, licence, bias": 30,
    "Plan, before any result": 40,
    "Controls": 0,
    "Transfer": 0,
    "Choice, without the test": 15,
    "The sealed test, once": 0,
    "Does transfer harm?": 30,
    "Cost": 10,
    "Conclusion": 30,
}
"""Heading to the words that stand below it at least."""

WITH_RESULT = {
    "Controls": ("Controls", "Transfer"),  # one table may show both
    "Choice, without the test": ("Choice, without the test",),
    "The sealed test, once": ("The sealed test, once",),
}
"""Heading to those below which a result may stand."""
WITH_NUMBERS = ("Plan, before any result", "Does transfer harm?", "Cost", "Conclusion")
SYSTEMS, DRAWS = 4, 3
"""Transfer and three controls; draws of the systems that depend on them."""


def missing(notebook) -> list[str]:
    """Return what a report lacks, each as a sentence; empty if nothing.

    Parameters
    ----------
    notebook : NotebookNode
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return [*_of_sections(sections(notebook)), *_of_code(code), *_of_score(code)]


def sections(notebook) -> dict:
    """Return heading to its words, without the grey prompts, and its code cells."""
    found, name = {}, None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if name and cell.source.strip():
                found[name][1].append(cell)
            continue
        for line in cell.source.split("\n"):
            heading = re.match(r"## +(?:\d+\. *)?(.+?) *$", line)
            if heading:
                name = heading[1]
                found.setdefault(name, ([], []))
            elif name and not line.startswith((">", "#")):
                found[name][0].extend(re.findall(r"\w[\w'’.,-]*", line))
    return found


def _of_sections(found):
    for heading, least in HEADINGS.items():
        if heading not in found:
            yield f"There is no heading “{heading}”."
            continue
        words, code = found[heading]
        if len(words) < least:
            yield (f"“{heading}” has {len(words)} words of yours outside the grey; {least} at "
                   "least say what it asks.")  # fmt: skip
        places = [found.get(name, ((), ()))[1] for name in WITH_RESULT.get(heading, ())]
        if places and not any(cell.get("outputs") for place in places for cell in place):
            yield f"“{heading}” has no cell that shows a result."
        if heading == "Transfer" and all(cell.source.strip() == "..." for cell in code):
            yield "“Transfer” has no code."
        if heading in WITH_NUMBERS and not re.search(r"\d", " ".join(words)):
            yield f"“{heading}” has no number in its text."


def _of_code(code):
    outputs = [output for cell in code for output in cell.get("outputs", [])]
    if any(line.strip() == "..." for cell in code for line in cell.source.split("\n")):
        yield "A cell still holds `...`."
    counts = [cell.get("execution_count") for cell in code]
    if None in counts or counts != sorted(counts):
        yield "Not every cell was run, or not in order: restart, run all, save."
    if any(output.output_type == "error" for output in outputs):
        yield "A cell ended with an error."
    if not any("image/png" in output.get("data", {}) for output in outputs):
        yield "There is no figure: look at both sides before you train."


def _of_score(code):
    texts = [_text(output) for cell in code for output in cell.get("outputs", [])]
    sealed = [re.search(r"Sealed test of .*: scored (\d+) times?, \w+\.", text) for text in texts]
    if not any(sealed):
        yield "The sealed test was not scored: `project.score({...})`, with all systems at once."
        return
    times = max(int(one[1]) for one in sealed if one)
    if times > 1:
        yield f"The sealed test was scored {times} times. Say why in “The sealed test, once”."
    tables = [text for text in texts if "draws" in text and "mean (%)" in text]
    draws = _draws(tables[-1]) if tables else []
    if not tables:
        yield "The table that `score` returns is not shown."
    elif len(draws) < SYSTEMS:
        yield f"{len(draws)} systems were scored; transfer and three controls are {SYSTEMS}."
    elif max(draws) < DRAWS:
        yield f"Each system was scored in {max(draws)} draw(s); at least {DRAWS} show a spread."


def _draws(table):
    """Return the last column of a printed table, which may have been broken into parts."""
    lines = [line.split() for line in table.split("\n")]
    start = next(i for i, words in enumerate(lines) if words[-1:] == ["draws"])
    return [int(words[-1]) for words in lines[start + 1 :] if words and words[-1].isdigit()]


def _text(output):
    text = output.get("text", output.get("data", {}).get("text/plain", ""))
    return "".join(text) if isinstance(text, list) else text


def main(arguments) -> int:
    """Print what the report lacks; return 1 if something, 2 if it cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m transfer_lib capstone", description=__doc__)
    parser.add_argument("what", choices=["check"])
    parser.add_argument("report", type=Path)
    path = parser.parse_args(arguments).report
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # a missing file, no JSON, no notebook: nbformat raises many kinds
        print(f"{path} cannot be read as a notebook: {error}", file=sys.stderr)
        return 2
    found = missing(notebook)
    for sentence in found:
        print(f"- {sentence}")
    if not found:
        print(
            "Nothing is missing. Whether it is right, a reader says, with the rubric of lesson 16."
        )
    return bool(found)
