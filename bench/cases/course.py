"""What a learner waits for in every lesson: the import, the set-up cell, the feedback."""

import io
import os
import subprocess
import sys
import tempfile

from bench.case import Case

CORES = range(os.cpu_count())


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


SMALL_NETWORK = """
import torch
net = torch.nn.Sequential(torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.Flatten(),
                          torch.nn.Linear(1152, 10))
x, y = torch.rand(32, 1, 8, 8), torch.randint(0, 10, (32,))
for _ in range(100):
    net.zero_grad(), torch.nn.functional.cross_entropy(net(x), y).backward()
"""


def _beside_a_busy_program(**policy):
    """Train a small network while another process keeps every core busy."""

    def run():
        env = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"} | policy
        spin = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in CORES]
        try:
            subprocess.run([sys.executable, "-c", SMALL_NETWORK], check=True, env=env)
        finally:
            for process in spin:
                process.kill()

    return run


def _slider():
    """Return a step of a slider, and drawing the same figure without text and widget."""
    import itertools

    from transfer_lib import plots

    def draw(k):
        fig, ax = plots.figure("three lines")
        for j in range(3):
            ax.plot(range(10), [k * i + j for i in range(10)], label=f"line {j}")
        ax.set(xlabel="Time (s)", ylabel="Way (m)")
        ax.legend()
        return fig

    widget = plots.interactive(draw, k=(0, 10))
    places = itertools.cycle(range(1, 10))

    def step():
        widget.controls["k"].value = next(places)

    return step, lambda: draw(next(places)).savefig(io.BytesIO(), format="png")


def cases():
    """Yield the cases."""
    yield Case(
        "import transfer_lib",
        "import keras (what it avoids)",
        _python("import transfer_lib"),
        _python("import keras"),
        5,
        goal="ours < 0.3",
    )
    yield Case(
        "set-up cell of lesson 03, with import keras",
        "import keras and matplotlib alone",
        _python("import transfer_lib; transfer_lib.setup('03'); import keras"),
        _python("import keras, matplotlib.figure"),
        5,
    )
    check, judge_only = _check()
    step, drawn = _slider()
    yield Case("a slider moves its figure", "drawing it alone", step, drawn, 20)
    peer = "judging alone"
    yield Case("feedback: check, record, show", peer, check, judge_only, 50, goal="ours < 0.2")
    yield Case(
        "small network on a busy machine, waiting threads sleep",
        "waiting threads spin (torch's default)",
        _beside_a_busy_program(OMP_WAIT_POLICY="PASSIVE"),
        _beside_a_busy_program(),
    )
