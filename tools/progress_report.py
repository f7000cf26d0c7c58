"""Where a room was stuck: a table over the ``progress.jsonl`` files of learners who agreed.

    python tools/progress_report.py FOLDER        all files of that name below it, or *.jsonl in it

One row per exercise, the hardest first. No file is changed, and no row is about one learner.
"""

import argparse
import sys
from pathlib import Path
from unittest import mock

import pandas as pd

from transfer_lib.practice import journal

COLUMNS = ["exercise", "tried", "solved", "attempts", "hints", "solutions shown"]


def read(path) -> dict:
    """Return one learner's progress: exercise id to a row of the journal."""
    with mock.patch.object(journal.settings, "progress_file", lambda: Path(path)):
        return journal.load()


def report(files) -> pd.DataFrame:
    """Return one row per exercise, the least solved first; attempts and hints are medians.

    Raises
    ------
    ValueError
        If none of the files holds any progress.
    """
    seen = [
        {"exercise": id, **row}
        for path in files
        for id, row in read(path).items()
        if row["attempts"]
    ]
    if not seen:
        raise ValueError("no progress in these files: are they the learners' progress.jsonl?")
    groups = pd.DataFrame(seen).groupby("exercise")
    table = pd.DataFrame(
        {
            "tried": groups.size(),
            "solved": groups["outcome"].agg(lambda outcomes: (outcomes == "right").sum()),
            "attempts": groups["attempts"].median(),
            "hints": groups["hints"].median(),
            "solutions shown": groups["solution_shown"].sum(),
        }
    ).reset_index()
    share = table["solved"] / table["tried"]
    order = pd.DataFrame({"share": share, "attempts": -table["attempts"]})
    return table.loc[order.sort_values(["share", "attempts"]).index, COLUMNS]


def main():
    """Print the table for the files in a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files = sorted({*folder.rglob("progress.jsonl"), *folder.glob("*.jsonl")})
    try:
        print(f"{len(files)} learners\n")
        print(report(files).to_string(index=False))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
