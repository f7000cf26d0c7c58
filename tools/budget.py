"""What a lesson asks of a learner, and the limits on it: ``python tools/budget.py`` prints all.

Minutes are computed: words / 120, visible code lines x 4 s, 4 per exercise, 1 per question, and
the run. A lesson that breaks a limit is not built unless ``course/exceptions.toml`` says why.
"""

import argparse
import json
import math
import re
import statistics
import tomllib
from dataclasses import dataclass, field

import cells

LIMITS = {
    "minutes": (60, "minutes on the required path"),
    "words": (1800, "words"),
    "lines": (350, "visible lines of code"),
    "cell": (20, "lines in the longest visible cell"),
    "median": (8, "lines in the median visible cell"),
    "share": (10, "% of the code lines left to the learner"),
    "source": (600, "lines of source"),
}
"""At most so much of each; of the share, at least."""
RUN_SECONDS = 90
"""Where ``course/seconds.json`` has no measured time of the run in the quick profile."""


@dataclass
class Part:
    """One part of a lesson, required or optional: what stands in it."""

    words: int = 0
    lines: int = 0
    exercises: int = 0
    questions: int = 0

    @property
    def minutes(self) -> float:
        """Time to read it and to answer."""
        return self.words / 120 + self.lines * 4 / 60 + 4 * self.exercises + self.questions


@dataclass
class Measured:
    """What a lesson asks of a learner.

    Attributes
    ----------
    required, extra : Part
        The required path, and the sections tagged ``optional``.
    sizes : list of int
        Visible lines of each visible code cell.
    solved : int
        Lines that the learner writes, counted in the solutions.
    asked : int
        Visible lines of questions: they are answered, not read, and no share is asked of them.
    seconds : float
        How long the quick profile runs.
    source : int
        Lines of the source.
    """

    number: str
    seconds: float
    source: int
    required: Part = field(default_factory=Part)
    extra: Part = field(default_factory=Part)
    sizes: list = field(default_factory=list)
    solved: int = 0
    asked: int = 0

    @property
    def minutes(self) -> int:
        """Minutes of the required path and of the run, up to the next five."""
        return _up_to_five(self.required.minutes + self.seconds / 60)

    @property
    def optional(self) -> int:
        """Minutes of the optional sections, up to the next five."""
        return _up_to_five(self.extra.minutes)

    def figures(self) -> dict:
        """Return what each limit is about."""
        lines = self.required.lines + self.extra.lines
        code = lines - self.asked
        return {
            "minutes": self.required.minutes + self.seconds / 60,
            "words": self.required.words + self.extra.words,
            "lines": lines,
            "cell": max(self.sizes, default=0),
            "median": statistics.median(self.sizes or [0]),
            "share": 100 * self.solved / max(code + self.solved, 1) if code else 100,
            "source": self.source,
        }

    def broken(self) -> dict:
        """Return limit to sentence for each limit that the lesson breaks."""
        found = {}
        for name, value in self.figures().items():
            limit, what = LIMITS[name]
            if value < limit if name == "share" else value > limit:
                bound = f"{'at least' if name == 'share' else 'at most'} {limit}"
                found[name] = f"lesson {self.number}: {value:.4g} {what}, {bound}"
        return found


def measure(path) -> Measured:
    """Measure one lesson's source."""
    number = cells.number_of(path)
    kept = cells.ROOT / "course/seconds.json"
    seconds = json.loads(kept.read_text("utf8")) if kept.exists() else {}
    text = path.read_text("utf8")
    found = Measured(number, seconds.get(number, RUN_SECONDS), len(text.splitlines()))
    for cell, source, optional in walk(path):
        tags = cell.metadata.get("tags", [])
        part = found.extra if optional else found.required
        if cell.cell_type == "markdown":
            part.words += words(cell.source)
            continue
        part.exercises += "exercise" in cell.metadata and not is_question(cell)
        part.questions += is_question(cell) + asked_before(cell)
        if not {"setup", "hide-input"} & set(tags):
            shown = visible(cell.source)
            part.lines += len(shown)
            found.sizes.append(len(shown))
            if is_question(cell) or asked_before(cell):
                found.asked += len(shown)
            else:
                found.solved += _solved(source.source)
    return found


def walk(path):
    """Yield each cell of a lesson as a learner finds it, as it is written, and if it is optional.

    A section tagged ``optional`` ends at the next heading of its level or above.
    """
    notebook, level = cells.parse(path), None
    for cell, source in zip(cells.lesson_of(notebook).cells, notebook.cells, strict=True):
        if cell.cell_type == "markdown":
            heading = re.search(r"^(#+) ", _without_code(cell.source), re.M)
            if heading and level and len(heading[1]) <= level:
                level = None
            if heading and "optional" in cell.metadata.get("tags", []):
                level = level or len(heading[1])
        yield cell, source, bool(level)


def words(markdown) -> int:
    """Count the words of prose: no code, no target of a link; a formula counts as one."""
    text = _without_code(markdown)
    text = re.sub(r"<!--.*?-->|<[^>]+>|!\[[^\]]*\]\([^)]*\)", " ", text, flags=re.S)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]+`", " x ", text, flags=re.S)
    return len(re.findall(r"[^\W_][\w'’.,-]*", text))


def visible(code) -> list[str]:
    """Return the lines of code that a learner reads: no blanks, no comments, no lone ``...``."""
    lines = [line.strip() for line in code.split("\n")]
    return [line for line in lines if line not in ("", "...") and not line.startswith("#")]


def exceptions() -> dict:
    """Return lesson number to ``limits`` that it may break and the ``reason``."""
    path = cells.ROOT / "course/exceptions.toml"
    return tomllib.loads(path.read_text("utf8")) if path.exists() else {}


def problems(path) -> list[str]:
    """Return a sentence for each limit that the lesson breaks without an exception."""
    broken = measure(path).broken()
    allowed = exceptions().get(cells.number_of(path), {}).get("limits", [])
    return [sentence for name, sentence in broken.items() if name not in allowed]


def unneeded() -> list[str]:
    """Return a sentence for each exception that no lesson needs any longer."""
    broken = {cells.number_of(path): measure(path).broken() for path in cells.sources()}
    return [
        f"lesson {number}: no exception for {name} is needed"
        for number, row in exceptions().items()
        for name in row["limits"]
        if name not in broken.get(number, {})
    ]


def refuse(paths):
    """Raise when one of these lessons breaks a limit.

    Raises
    ------
    BuildError
        With the number, the limit, and what it is about.
    """
    found = [sentence for path in paths for sentence in problems(path)]
    if found:
        raise cells.BuildError("\n".join(found))


def report() -> str:
    """Return the figures of all lessons as a table; what breaks a limit is starred."""
    head = [name if name != "share" else "share %" for name in LIMITS]
    rows = [f"{'':4}" + "".join(f"{name:>10}" for name in [*head, "optional", "stamped"])]
    for path in cells.sources():
        one = measure(path)
        broken = one.broken()
        row = "".join(
            f"{f'{value:.4g}' + ('*' if name in broken else ' '):>10}"
            for name, value in one.figures().items()
        )
        stamped = f"{one.minutes}+{one.optional}"
        rows.append(f"{one.number:4}{row}{one.extra.minutes:>10.0f}{stamped:>10}")
    return "\n".join(rows)


def _solved(source):
    """Count the lines of a cell that its learner writes."""
    regions = re.findall(rf"{cells.BEGIN}\n(.*?){cells.END}", source, re.S)
    return sum(len(visible(region)) for region in regions) + source.count(cells.LINE)


def is_question(cell) -> bool:
    """Return whether a cell asks one of the questions that count."""
    return bool(re.search(r"^ex\.\w+\.ask\(", cell.source, re.M))


def asked_before(cell) -> int:
    """Count the questions that a cell asks before the lesson."""
    call = re.search(r"^ex\.before\((.*)\)$", cell.source, re.M)
    return len(call[1].split(",")) if call else 0


def _without_code(markdown):
    return re.sub(r"^```.*?^```", " ", markdown, flags=re.M | re.S)


def _up_to_five(minutes):
    return 5 * math.ceil(minutes / 5)


def main():
    """Print the figures, what breaks a limit without an exception, and exceptions not needed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--exceptions", action="store_true", help="print the rows needed today")
    paths = cells.sources()
    if parser.parse_args().exceptions:
        kept = exceptions()
        for number, broken in ((cells.number_of(path), measure(path).broken()) for path in paths):
            reason = kept.get(number, {}).get("reason", "")
            if broken:
                print(f'[{number}]\nlimits = {json.dumps(list(broken))}\nreason = "{reason}"\n')
        return
    print(report())
    for sentence in [*(found for path in paths for found in problems(path)), *unneeded()]:
        print(sentence)


if __name__ == "__main__":
    main()
