"""What lesson 09 says about aligned clouds, the bound, and ridge on the diabetes patients."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from transfer_lib.taught.lesson_09 import aligned_case, bound_terms, diabetes, errors

CLAIMS = {
    "09.right": (
        "Turned by 40 degrees and aligned, right for this share of the target.",
        ">= 85 %",
    ),
    "09.wrong": ("Turned by 140 degrees and as well aligned, right for this share.", "<= 15 %"),
    "09.blind": (
        "Half the proxy distance at 180 degrees less that at 0, in hundredths.",
        "-15 .. 15",
    ),
    "09.joint": ("The joint error at 180 degrees.", ">= 40 %"),
    "09.ridge-10": ("With 10 labels biased ridge has less error than the target alone.", ">= 6 %"),
    "09.constant-10": ("With 10 labels it has more error than source + constant.", ">= 1 %"),
    "09.constant-80": ("With 80 labels it has less error than source + constant.", ">= 2 %"),
    "09.target-80": ("With 80 labels it and the target alone differ by.", "-3 .. 3 %"),
}


def measure(seed):
    """Return the figures for one seed."""
    rng = np.random.default_rng(seed)
    shares = {}
    for angle in (40, 140):
        found = []
        for _ in range(3):
            points, kinds, moved, truth, path = aligned_case(angle, rng)
            found.append(LogisticRegression().fit(path[-1], kinds).score(moved, truth))
        shares[angle] = 100 * np.mean(found)
    terms = {angle: np.mean([bound_terms(angle, rng) for _ in range(5)], 0) for angle in (0, 180)}
    tables, less = diabetes(), {}
    for n in (10, 80):
        runs = [errors(tables, n, [seed, i]) for i in range(40)]
        mean = {name: np.mean([run[name] for run in runs]) for name in runs[0]}
        for name in ("target only", "source + constant"):
            less[n, name] = 100 * (1 - mean["biased ridge"] / mean[name])
    return {
        "09.right": shares[40],
        "09.wrong": shares[140],
        "09.blind": terms[180][1] - terms[0][1],
        "09.joint": terms[180][2],
        "09.ridge-10": less[10, "target only"],
        "09.constant-10": -less[10, "source + constant"],
        "09.constant-80": less[80, "source + constant"],
        "09.target-80": less[80, "target only"],
    }
