"""``python -m transfer_lib doctor | data | progress | capstone``."""

import argparse
import sys
from importlib import import_module

APART = {"doctor": "transfer_lib.doctor", "capstone": "transfer_lib.exercises.capstone_report"}


def main(argv=None) -> int:
    """Run one of the commands and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m transfer_lib", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="examine this machine", add_help=False)
    commands.add_parser("capstone", help="say what a report lacks", add_help=False)
    data = commands.add_parser("data", help="list the data sets, or fetch one")
    data.add_argument("fetch", nargs="?", metavar="NAME", help="the data set to fetch")
    progress = commands.add_parser("progress", help="show your progress, or reset it")
    progress.add_argument("--reset", metavar="LESSON", help="a lesson's number, or 'all'")
    arguments, rest = parser.parse_known_args(argv)

    if arguments.command in APART:
        return import_module(APART[arguments.command]).main(rest)
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    return {"data": _data, "progress": _progress}[arguments.command](arguments)


def _data(arguments):
    from transfer_lib import data, settings

    try:
        print(data.fetch(arguments.fetch) if arguments.fetch else data.table())
    except (data.DataError, settings.SettingError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _progress(arguments):
    from transfer_lib import exercises, lessons
    from transfer_lib.practice import journal

    if arguments.reset:
        journal.reset(None if arguments.reset == "all" else lessons.get(arguments.reset).number)
    for lesson in lessons.LESSONS:
        print(exercises.of(lesson.number).progress(f"Lesson {lesson.number}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
