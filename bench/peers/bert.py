"""Classify 1,000 sentences one way in this process: ``bert.py WAY``.

WAY is ``lesson`` (the lesson's loop) or ``trainer`` (`Trainer` at its defaults), one epoch each, or
``sentence-transformers``. Says the seconds, and the peak memory of the process with all that is
imported.
"""

import json
import os
import re
import sys
from pathlib import Path

from bench.__main__ import value
from bench.cases import bert


def peak_mib():
    """Return the most memory that this process has had so far.

    On Linux getrusage would also count what the process that started this one held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 2**10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (20 if sys.platform == "darwin" else 10)


def main():
    """Run one way and say what it took."""
    folder, bert.EPOCHS = Path(os.environ["TRANSFER_LIB_DATA"]), 1
    if sys.argv[1] == "lesson":
        run = bert.lesson_loop(bert.prepare(folder), bert.computes_in_bfloat16())
    elif sys.argv[1] == "trainer":
        run = bert.trainer(bert.sentences(folder))
    else:
        run = bert.sentence_transformers(bert.sentences(folder))
    print(json.dumps({"seconds": value(run), "MiB": peak_mib()}))


if __name__ == "__main__":
    main()
