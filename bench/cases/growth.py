"""How the time grows with the data: 1, 2, 4 and 8 times as many rows.

The value is the power p in "time grows as rows to the p", the slope of a line through the
logarithms of time and rows: 1 is linear. The row also has the seconds at each size, and for what
multiplies matrices its floating-point operations per second as a share of what this machine reaches
on a product of two 1,024 × 1,024 matrices in the same run, on as many threads.
``build/bench_growth.svg`` shows all of them.
"""

import os
import statistics
import time
from functools import partial

import numpy as np

from bench.case import ROOT, Case

TIMES = (1, 2, 4, 8)
RUNS = 3
LIMIT = 1.15  # a power above is explained on the page
SIDE = 1024  # of the matrices that say what the machine can do


def _seconds(function):
    """Return the median of three runs, after one that counts nothing."""
    function()
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def machine_rate():
    """Return the floating-point operations per second of a product of two matrices."""
    import torch

    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    return 2 * SIDE**3 / _seconds(lambda: a @ b)


def operations(function):
    """Return the floating-point operations of one call, as PyTorch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def features(network):
    """Return a job of n pictures of 64 × 64: features by a network, as lessons 04 and 05 do."""
    from transfer_lib import data, networks

    images = np.repeat(data.load("photo_patches").x_train[:64, ..., None], 3, -1)
    x = networks.preprocess(network, images.repeat(2, 1).repeat(2, 2))
    model = networks.load(network, include_top=False, input_shape=x.shape[1:])
    return lambda n: model.predict(np.resize(x, (n, *x.shape[1:])), batch_size=32, verbose=0)


def sentences(n):
    """Return n reviews with their labels."""
    from transfer_lib.data import reviews

    rows = reviews.load()
    chosen = np.resize(np.arange(len(rows)), n)
    return rows["text"].iloc[chosen].tolist(), rows["label"].to_numpy()[chosen]


def encoding():
    """Return a job of n sentences: the states of MiniLM's second layer, as lesson 06 keeps them."""
    from transfer_lib import encoders

    tokenizer, encoder = encoders.load(*encoders.find(quick=True))
    return lambda n: encoders.run_layers(encoder, tokenizer, sentences(n)[0], [2])


def bert_epoch():
    """Return a job of n sentences: one epoch of lesson 06's loop, in float32."""
    from transfer_lib import encoders
    from transfer_lib.taught import lesson_06

    tokenizer, encoder = encoders.load(*encoders.find(quick=True))
    texts, labels = sentences(8 * 64)
    kept = encoders.run_layers(encoder, tokenizer, texts, [2])[2]
    return lambda n: lesson_06.fine_tune(
        encoder, kept, labels, np.arange(n), np.arange(1), frozen=2, rate=3e-4, epochs=1,
        bfloat16=False,
    )  # fmt: skip


def small_cnn():
    """Return a job of n images: one pass of lesson 03's network in batches of 32."""
    from transfer_lib.taught import lesson_03

    x, y = lesson_03.digits("mnist_5000", range(5))[0]
    model = lesson_03.head_swap(lesson_03.make_backbone(), 5)
    return lambda n: lesson_03.train(model, x[:n], y[:n], steps=n // 32)


def aligned(function, columns=32):
    """Return a job of n rows in each domain: a way of lesson 08 or 09 to align them."""
    rng = np.random.default_rng(0)

    def run(n):
        run.kept = run.kept if run.n == n else rng.normal(size=(2, n, columns))
        run.n = n
        return function(*run.kept)

    run.n = run.kept = None
    return run


def jobs():
    """Yield (name, rows at the first size, job, whether its operations are counted)."""
    from transfer_lib.taught import lesson_08, lesson_09

    for network in ("vgg16-mini", "efficientnet-lite0"):
        yield f"features by {network}, pictures", 64, features(network), True
    yield "frozen layers of MiniLM, sentences", 64, encoding(), True
    yield "an epoch of lesson 06, sentences", 64, bert_epoch(), True
    yield "a pass of lesson 03's network, images", 160, small_cnn(), True
    yield "CORAL, rows", 20_000, aligned(lesson_08.coral), False
    subspaces = partial(lesson_08.subspace_alignment, d=8)
    yield "subspace alignment, rows", 20_000, aligned(subspaces), False
    yield "CORAL loss, rows", 20_000, aligned(lesson_09.coral_loss), False
    yield "MMD, rows", 250, aligned(partial(lesson_09.mmd2, width=1.0)), False


def draw(curves):
    """Draw time over rows, both as multiples of the first size, into build/bench_growth.svg."""
    from transfer_lib import plots

    fig, ax = plots.figure("How time grows with the data")
    ax.plot(TIMES, TIMES, color="0.6", linestyle="--", label="linear")
    for (name, seconds), marker in zip(curves.items(), "osv^D*XPp<>", strict=False):
        ax.plot(TIMES, np.array(seconds) / seconds[0], marker=marker, label=name)
    ax.set(xscale="log", yscale="log", xlabel="Rows, as multiples of the first size",
           ylabel="Time, as multiples of the first")  # fmt: skip
    ax.set_xticks(TIMES, TIMES)
    ax.set_yticks([1, 2, 4, 8, 16, 32, 64], [1, 2, 4, 8, 16, 32, 64])
    ax.minorticks_off()
    ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    (ROOT / "build").mkdir(exist_ok=True)
    fig.savefig(ROOT / "build/bench_growth.svg", bbox_inches="tight", metadata={"Date": None})


def cases():
    """Yield a case for each job, on one thread as the lessons' quick profile has it."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import transfer_lib

    transfer_lib.setup("03")
    rate, curves = machine_rate(), {}
    for name, first, job, counted in jobs():
        seconds = []

        def power(first=first, job=job, seconds=seconds):
            seconds[:] = [_seconds(lambda: job(first * times)) for times in TIMES]  # noqa: B023
            return np.polyfit(np.log(TIMES), np.log(seconds), 1)[0]

        def more(first=first, job=job, seconds=seconds, counted=counted):
            row = {f"ours_{times}×": s for times, s in zip(TIMES, seconds, strict=True)}
            if counted:
                done = operations(lambda: job(first * TIMES[-1]))
                row["ours_share"] = done / seconds[-1] / rate
            return row

        yield Case(f"growth: {name} from {first:,}", "linear: 1", power, runs=1, metric="power",
                   goal=f"ours < {LIMIT}", more=more)  # fmt: skip
        curves[name] = seconds
    yield Case(f"product of two {SIDE:,} × {SIDE:,} matrices, one thread", "", lambda: rate / 1e9,
               runs=1, metric="Gflop/s")  # fmt: skip
    draw(curves)
