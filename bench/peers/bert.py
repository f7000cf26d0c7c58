"""Classify 1,000 sentences one way in this process: ``bert.py WAY``.

WAY is ``lesson`` (the lesson's loop), ``trainer`` (`Trainer` at its defaults) or
``sentence-transformers``. Says the seconds, the test accuracy, and the peak memory at the end of
the training: of the whole process, with all that is imported.
"""

import json
import os
import sys
from pathlib import Path

from bench.__main__ import value
from bench.cases import bert


def peak_mib():
    """Return the most memory that this process has had so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (20 if sys.platform == "darwin" else 10)


def main():
    folder = Path(os.environ["TRANSFER_LIB_DATA"])
    if sys.argv[1] == "lesson":
        lesson = bert.prepare(folder)
        run = bert.lesson_loop(lesson, bert.computes_in_bfloat16())
        accuracy_of = bert.accuracy_of_lesson
    elif sys.argv[1] == "trainer":
        lesson = bert.sentences(folder)
        run, accuracy_of = bert.trainer(lesson), bert.accuracy_of_trainer
    else:
        lesson = bert.sentences(folder)
        run, accuracy_of = bert.sentence_transformers(lesson), bert.accuracy_of_features
    found = {"seconds": value(run), "MiB": peak_mib()}
    found["accuracy"] = accuracy_of(lesson, run.models[0])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
