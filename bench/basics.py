"""What a learner waits for in every lesson: the import, the set-up cell, the feedback."""

import os
import subprocess
import sys
import tempfile


def _python(code):
    def run():
        with tempfile.TemporaryDirectory() as home:
            env = os.environ | {"TRANSFER_LIB_HOME": home, "KERAS_BACKEND": "torch"}
            subprocess.run([sys.executable, "-c", code], check=True, env=env, capture_output=True)

    return run


def _check():
    import numpy as np

    from transfer_lib.exercises import lesson_00

    os.environ["TRANSFER_LIB_HOME"] = tempfile.mkdtemp()

    def answer(predicted, labels):
        return np.mean(predicted == labels)

    def check():
        lesson_00.accuracy.check(answer)

    def judge_only():
        lesson_00.accuracy.judge(answer)

    return check, judge_only


def cases():
    """Yield the cases as (name, peer, ours, theirs, runs)."""
    yield (
        "import transfer_lib",
        "import keras (what it avoids)",
        _python("import transfer_lib"),
        _python("import keras"),
        5,
    )
    yield (
        "set-up cell of lesson 03, with import keras",
        "import keras and matplotlib alone",
        _python("import transfer_lib; transfer_lib.setup('03'); import keras"),
        _python("import keras, matplotlib.figure"),
        5,
    )
    check, judge_only = _check()
    yield ("feedback: check, record, show", "judge alone", check, judge_only, 50)
