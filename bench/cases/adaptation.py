"""The adaptation of lessons 08 and 09 against skada and adapt: seconds, memory, the same result.

Both domains have the rows that a case names, and 32 features. A process does all that one side can
(``bench/peers/adaptation.py``), and the processes of the three sides take turns, each anew in each
run. Every side computes on one thread, and gets the data in the form that it takes. Seconds and
memory are those of the call alone. The bench fails where results differ by more than the method's
tolerance, relative to the largest entry:

- coral: no ridge and no shrinkage, as skada and adapt can both be set. The mean to which the points
  are moved differs by design, and is taken out. skada's moves the target too.
- weights: the same logistic regression, up to the order of the rows; its solver stops at 1e-4.
  Each side has another constant factor, which is taken out; skada's are the reciprocals.
- subspace: the sign of an axis is free.
- biased_ridge: on a centred target, since adapt's has no intercept of its own; it solves by
  iterations that stop at 1e-6.
- coral_loss, mmd, mmd_gradient: of skada's torch functions, the gradient by torch. skada's MMD is
  given the kernel of the lesson.
- tradaboost: no tolerance. adapt's follows another rule: an example is wrong by the probability of
  its error, and the weights of the target change by ε / (2 − ε). ``difference`` is the share of
  target rows that the two predict differently. It fails if the lesson is right less often.

A method that compares all pairs of rows is measured as far as both sides fit into 12 GiB; what each
would need beyond goes to stderr.
"""

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.case import Case, Process, environment

SIZES, RUNS = ("1000", "10000", "100000"), 3
LOWER = 0.01  # so much lower the accuracy may be where no two results need be the same
# method: tolerance, and the peers' names of it
METHODS = {
    "coral": (1e-9, {"skada": "CORALAdapter", "adapt": "CORAL"}),
    "weights": (1e-3, {"skada": "DiscriminatorReweightAdapter", "adapt": "IWC"}),
    "subspace": (1e-6, {"skada": "SubspaceAlignmentAdapter", "adapt": "SA"}),
    "tradaboost": (None, {"adapt": "TrAdaBoost"}),
    "biased_ridge": (1e-4, {"adapt": "RegularTransferLR"}),
    "coral_loss": (1e-9, {"skada": "deepcoral_loss"}),
    "mmd": (1e-8, {"skada": "_maximum_mean_discrepancy"}),
    "mmd_gradient": (1e-8, {"skada": "_maximum_mean_discrepancy, autograd"}),
}
THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
THREADS["VECLIB_MAXIMUM_THREADS"] = "1"


def _process(side, folder, jobs):
    python, backend = sys.executable, "torch"
    if side == "adapt":
        python, backend = environment("adapt"), "tensorflow"
    return Process(
        "adaptation", side, folder, *jobs, key="found", python=python, KERAS_BACKEND=backend,
        TF_CPP_MIN_LOG_LEVEL="2", **THREADS,
    )  # fmt: skip


def _runs(folder):
    """Return, for each run, side to METHOD@ROWS to what was measured.

    After the first run what does not fit into memory on some side is left out.
    """
    sides = {
        side: [f"{m}@{n}" for n in SIZES for m in METHODS if side in ("course", *METHODS[m][1])]
        for side in ("course", "skada", "adapt")
    }
    runs = []
    for _ in range(RUNS):
        runs.append({side: _process(side, folder, jobs)() for side, jobs in sides.items()})
        large = {job for found in runs[0].values() for job in found if "needed" in found[job]}
        sides = {side: [job for job in jobs if job not in large] for side, jobs in sides.items()}
    return runs


def _more(job, peer, runs, folder):
    """Return memory and the difference of the results; end the bench if it is too large."""
    import numpy as np

    tolerance, _ = METHODS[job.split("@")[0]]
    ours, theirs = (np.load(folder / f"{job}-{side}.npy") for side in ("course", peer))
    more = {
        f"{name}_MiB": statistics.median(run[side][job]["MiB"] for run in runs)
        for name, side in (("ours", "course"), ("theirs", peer))
    }
    if tolerance is None:
        more |= {"ours_accuracy": float(ours.mean()), "theirs_accuracy": float(theirs.mean())}
        more["difference"] = float(np.mean(ours != theirs))
        bad = more["ours_accuracy"] < more["theirs_accuracy"] - LOWER
    else:
        more["difference"] = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        bad = not more["difference"] <= tolerance
    if bad or ours.shape != theirs.shape:
        sys.exit(f"adaptation/{job}: expected the result of {peer}; found {more}")
    return more


def _power(n):
    return f"10^{len(n) - 1}"


def _missing(method, peer, n, run):
    """Return the GiB that the larger side needs at n rows, having said so, or 0 if both fit."""
    found = {side: run[side][f"{method}@{n}"] for side in ("course", peer)}
    needs = {side: found[side].get("needed", 0) / 1024 for side in found}
    said = [
        f"{side} would need {needs[side]:.0f} GiB"
        if needs[side]
        else f"{side} took {found[side]['seconds']:.2g} s and {found[side]['MiB'] / 1024:.2g} GiB"
        for side in found
    ]
    if any(needs.values()):
        print(f"adaptation/{method}, {_power(n)} rows, no row: {'; '.join(said)}", file=sys.stderr)
    return max(needs.values())


def cases():
    """Yield a case for each method, peer and number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        runs = _runs(folder)
        for method, (_, peers) in METHODS.items():
            for peer, function in peers.items():
                needs = {n: _missing(method, peer, n, runs[0]) for n in SIZES}
                for n, larger in zip(SIZES, [*SIZES[1:], None], strict=True):
                    if needs[n]:
                        continue
                    job, title = f"{method}@{n}", f"adaptation/{method} {_power(n)} rows"
                    if needs.get(larger):
                        title += f" ({_power(larger)} would need {needs[larger]:.0f} GiB)"
                    sides = [
                        iter([run[side][job]["seconds"] for run in runs]).__next__
                        for side in ("course", peer)
                    ]
                    more = partial(_more, job, peer, runs, Path(folder))
                    yield Case(title, f"{peer} {function}", *sides, RUNS, more=more)
