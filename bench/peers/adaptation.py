"""Run methods of adaptation by the course, by skada or by adapt; used by bench.

``adaptation.py SIDE FOLDER METHOD@ROWS...`` makes both domains with ROWS rows each, has called the
method on few rows to warm up, and measures the seconds of one call and how far the process's memory
grows during it. The result goes to ``FOLDER/METHOD@ROWS-SIDE.npy``, in a form that the sides have
in common. The last line of stdout is JSON: under ``found``, each METHOD@ROWS to seconds and MiB,
or, where it would need more than LIMIT, to the MiB needed. ROWS ascend.
"""

import ctypes
import gc
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

FEATURES, COMPONENTS, ROUNDS, ALPHA = 32, 8, 10, 100.0
WARM_UP = 500  # rows
QUADRATIC = ("mmd", "mmd_gradient")  # they compare all pairs of rows
LIMIT = 12 * 1024  # MiB


def made(n):
    """Return two domains of n rows: inputs that differ in mean and covariance, and labels.

    Of the source's classes a fifth is turned over. For the regression the target is centred.
    """
    rng = np.random.default_rng(0)
    spread = np.geomspace(3, 0.3, FEATURES)  # no two directions vary alike
    turns = [np.linalg.qr(rng.normal(size=(FEATURES, FEATURES)))[0] for _ in range(2)]
    turns[1] = np.linalg.qr(turns[0] + 0.1 * turns[1])[0]
    x_s, x_t = (rng.normal(size=(n, FEATURES)) * spread @ turn for turn in turns)
    x_t += 0.3 * rng.normal(size=FEATURES)
    slope, drift = rng.normal(size=(2, FEATURES))
    y_s, y_t = (x @ slope + 3 * rng.normal(size=n) for x in (x_s, x_t))
    classes = [y + 0.5 * x[:, 0] ** 2 > 1 for x, y in ((x_s, y_s), (x_t, y_t))]
    x_c, y_c = x_t - x_t.mean(0), y_t + x_t @ drift
    return SimpleNamespace(
        x_s=x_s, x_t=x_t, y_s=y_s, x_c=x_c, y_c=y_c - y_c.mean(),
        class_s=(classes[0] ^ (np.arange(n) % 5 == 0)).astype(int), class_t=classes[1].astype(int),
        stacked=np.r_[x_s, x_t], domain=np.repeat([1, -2], n), width=np.sqrt(2 * np.sum(spread**2)),
    )  # fmt: skip


# Forms in which results can be compared


def centred(points):
    """Return the points with mean zero: skada moves both there, adapt leaves means as they are."""
    return points - points.mean(axis=0)


def signed(points):
    """Return the columns turned so that the largest entry is positive: an axis has no sign."""
    largest = np.take_along_axis(points, np.abs(points).argmax(axis=0)[None], axis=0)
    return points * np.sign(largest)


def logarithms(weights):
    """Return log-weights with mean zero: each side has another factor common to all weights."""
    return centred(np.log(weights))


# The course


def course_coral(data):
    from transfer_lib.taught.lesson_08 import coral

    return lambda: coral(data.x_s, data.x_t, 0), centred


def course_weights(data):
    from sklearn.linear_model import LogisticRegression

    from transfer_lib.taught.lesson_08 import ratio

    n = len(data.x_s)

    def call():  # as the lesson does
        domain = np.r_[np.zeros(n), np.ones(n)]
        teller = LogisticRegression().fit(np.r_[data.x_s, data.x_t], domain)
        return ratio(teller.predict_proba(data.x_s)[:, 1], n, n)

    return call, logarithms


def course_subspace(data):
    from transfer_lib.taught.lesson_08 import subspace_alignment

    return (
        lambda: subspace_alignment(data.x_s, data.x_t, COMPONENTS),
        lambda both: signed(np.concatenate(both)),
    )


def course_tradaboost(data):
    from transfer_lib.taught.lesson_08 import tradaboost

    def call():
        predict, _ = tradaboost(data.x_s, data.class_s, data.x_t, data.class_t, ROUNDS)
        return predict(data.x_t)

    return call, lambda predicted: predicted == data.class_t


def course_biased_ridge(data):
    from transfer_lib.taught.lesson_09 import biased_ridge

    model = source_model(data)
    return lambda: biased_ridge(model, data.x_c, data.y_c, data.x_s, ALPHA), np.asarray


def course_coral_loss(data):
    from transfer_lib.taught.lesson_09 import coral_loss

    return lambda: coral_loss(data.x_s, data.x_t), np.asarray


def course_mmd(data):
    from transfer_lib.taught.lesson_09 import mmd2

    return lambda: mmd2(data.x_s, data.x_t, data.width), np.asarray


def course_mmd_gradient(data):
    from transfer_lib.taught.lesson_09 import mmd2_gradient

    return lambda: mmd2_gradient(data.x_s, data.x_t, data.width), np.asarray


def source_model(data):
    from sklearn.linear_model import LinearRegression

    return LinearRegression(fit_intercept=False).fit(data.x_s, data.y_s)


# skada; its adapters take both domains in one array and return both


def skada_coral(data):
    from skada import CORALAdapter

    adapter = CORALAdapter(reg=None)
    return (
        lambda: adapter.fit_transform(data.stacked, sample_domain=data.domain),
        lambda both: centred(both[: len(data.x_s)]),
    )


def skada_weights(data):
    from skada import DiscriminatorReweightAdapter

    adapter = DiscriminatorReweightAdapter()

    def form(found):  # skada 0.6 returns (1 - p) / p, the reciprocal of the papers' ratio
        return -logarithms(found[1]["sample_weight"][: len(data.x_s)])

    return lambda: adapter.fit_transform(data.stacked, sample_domain=data.domain), form


def skada_subspace(data):
    from skada import SubspaceAlignmentAdapter

    adapter = SubspaceAlignmentAdapter(n_components=COMPONENTS, random_state=0)
    return lambda: adapter.fit_transform(data.stacked, sample_domain=data.domain), signed


def skada_coral_loss(data):
    import torch
    from skada.deep.losses import deepcoral_loss

    both = [torch.from_numpy(x) for x in (data.x_s, data.x_t)]
    return lambda: deepcoral_loss(*both), np.asarray


def skada_mmd(data):
    import torch

    source, target = (torch.from_numpy(x) for x in (data.x_s, data.x_t))
    return lambda: _mmd(source, target, data.width), np.asarray


def skada_mmd_gradient(data):
    import torch

    source, target = (torch.from_numpy(x) for x in (data.x_s, data.x_t))
    source.requires_grad_()
    return lambda: torch.autograd.grad(_mmd(source, target, data.width), source)[0], np.asarray


def _mmd(source, target, width):
    """Skada's MMD. Its own kernel is of plain distances; it is given the course's, of squares."""
    import torch
    from skada.deep.losses import _maximum_mean_discrepancy

    def kernel(a, b):
        return torch.exp(torch.cdist(a, b) ** 2 / (-2 * width**2))

    return _maximum_mean_discrepancy(source, target, kernel)


# adapt


def adapt_coral(data):
    from adapt.feature_based import CORAL

    adapter = CORAL(lambda_=0, verbose=0)
    return lambda: adapter.fit_transform(data.x_s, data.x_t), centred


def adapt_weights(data):
    from adapt.instance_based import IWC

    adapter = IWC(verbose=0, random_state=0)
    return lambda: adapter.fit_weights(data.x_s, data.x_t), logarithms


def adapt_subspace(data):
    from adapt.feature_based import SA

    adapter = SA(n_components=COMPONENTS, verbose=0)

    def call():
        return adapter.fit_transform(data.x_s, data.x_t), adapter.transform(data.x_t)

    return call, lambda both: signed(np.concatenate(both))


def adapt_tradaboost(data):
    from adapt.instance_based import TrAdaBoost
    from sklearn.linear_model import LogisticRegression

    def call():
        model = TrAdaBoost(LogisticRegression(), n_estimators=ROUNDS, verbose=0)
        model.fit(data.x_s, data.class_s, data.x_t, data.class_t)
        return model.predict(data.x_t)

    return call, lambda predicted: predicted == data.class_t


def adapt_biased_ridge(data):
    from adapt.parameter_based import RegularTransferLR

    model = source_model(data)

    def call():  # its penalty is the square of lambda_
        tuned = RegularTransferLR(model, lambda_=ALPHA**0.5, verbose=0)
        return tuned.fit(data.x_c, data.y_c).predict(data.x_s)

    return call, np.asarray


# Measuring


def memory():
    """Return the most MiB that the process held since the last `forget`.

    Not ``ru_maxrss`` on Linux: a new process begins with that of the process that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)


def forget():
    """Give back what was freed, and let Linux count the peak of memory from here.

    Elsewhere it counts from the start of the process, and includes what could be used again.
    """
    gc.collect()
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)
    file = Path("/proc/self/clear_refs")
    if file.exists():
        file.write_text("5")


def measured(call):
    """Return seconds and MiB of a call, and what it returns."""
    forget()
    before, start = memory(), time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "MiB": memory() - before}, result


def main(side, folder, *jobs):
    """Do the jobs and print what is found."""
    found, data, few = {}, made(WARM_UP), {}
    for job in jobs:
        method, n = job.split("@")
        prepare = globals()[f"{side}_{method}"]
        if method not in few:
            few[method] = n
            prepare(made(WARM_UP))[0]()
        elif method in QUADRATIC:
            needed = found[f"{method}@{few[method]}"]["MiB"] * (int(n) / int(few[method])) ** 2
            if needed > LIMIT:
                found[job] = {"needed": needed}
                continue
        if len(data.x_s) != int(n):
            data = made(int(n))
        call, form = prepare(data)
        found[job], result = measured(call)
        np.save(Path(folder) / f"{job}-{side}.npy", form(result))
        del call, form, result
    print(json.dumps({"found": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
