"""The parts of ``docs/instructor.md`` that follow from the lessons: plans, minutes, stop points.

The build writes them between ``<!-- NAME -->`` and ``<!-- end of NAME -->``, so that a plan never
promises what the lessons no longer take.
"""

import re

import budget
import cells
from budget import Part

PAGE = cells.ROOT / "docs/instructor.md"
PLANS = {  # title: lessons of each half-day; "own" is an hour with the learners' own data
    "Half a day": [["00", "01", "03", "04"]],
    "One day": [["00", "01", "03"], ["04", "06", "07"]],
    "Two days": [["00", "01", "02", "03"], ["04", "05", "own"], ["06", "07"], ["08", "09", "own"]],
}
START, LUNCH, PAUSE = 9 * 60, 60, 10  # minutes
OWN = ("Your own data: the last sections of 05 and 07", 60)


def sections(path) -> list[tuple[str, float]]:
    """Return title and minutes of reading and answering of each required section of a lesson."""
    found = [("Opening", Part())]
    for cell, _, optional in budget.walk(path):
        if optional:
            continue
        if cell.cell_type == "markdown":
            for number, text in enumerate(re.split(r"(?m)^## ", cell.source)):
                if number:
                    title, _, text = text.partition("\n")
                    found.append((title, Part()))
                found[-1][1].words += budget.words(text)
            continue
        part, question = found[-1][1], budget.is_question(cell)
        part.exercises += "exercise" in cell.metadata and not question
        part.questions += question + budget.asked_before(cell)
        if not {"setup", "hide-input"} & set(cell.metadata.get("tags", [])):
            part.lines += len(budget.visible(cell.source))
    return [(title, part.minutes) for title, part in found if part.minutes >= 0.5]


def stop_points(number) -> str:
    """Return one line: after which section how many minutes have passed."""
    passed, points = 0.0, []
    for title, minutes in sections(cells.source_of(number)):
        passed += minutes
        name = re.match(r"(\d+)\.", title)
        if name:
            points.append(f"{name[1]}: {passed:.0f}")
    return f"Minutes at the end of section {', '.join(points)}."


def plans(table) -> str:
    """Return the timetables, Markdown."""
    rows = {lesson.number: lesson for lesson in table}
    parts = []
    for title, halves in PLANS.items():
        lines = [f"**{title}**", "", "| from | to | what |", "|---|---|---|"]
        for number, half in enumerate(halves):
            if number % 2 == 0:
                now = START
                if len(halves) > 2:
                    lines.append(f"| | | *day {number // 2 + 1}* |")
            else:
                lines.append(f"| {_clock(now)} | {_clock(now + LUNCH)} | lunch |")
                now += LUNCH
            for place, one in enumerate(half):
                name, minutes = OWN if one == "own" else _named(rows[one])
                if place and half[place - 1] != "00":
                    lines.append(f"| {_clock(now)} | {_clock(now + PAUSE)} | pause |")
                    now += PAUSE
                lines.append(f"| {_clock(now)} | {_clock(now + minutes)} | {name} |")
                now += minutes
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _named(lesson):
    return f"{lesson.number}. {lesson.title}", lesson.minutes


def _clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


def page(table) -> str:
    """Return the guide with its built parts as they are today.

    Raises
    ------
    BuildError
        If a marker is missing.
    """
    text = PAGE.read_text("utf8")
    numbers = [lesson.number for lesson in table if lesson.number.isdigit()]
    built = {"plans": plans(table)} | {f"minutes {n}": stop_points(n) for n in numbers}
    for name, part in built.items():
        start, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        if start not in text or end not in text:
            raise cells.BuildError(f"{PAGE.name} has no {start.strip()} ... {end.strip()}")
        before, after = text.split(start)[0], text.split(end)[1]
        text = f"{before}{start}{part}{end}{after}"
    return text
