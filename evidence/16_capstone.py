"""What lesson 16 says about controls and splits, on the scans of the digits.

Bounds were set on seeds 0 to 4. A seed makes another network and draws other labels; for the splits
it draws 40 sets of scans and photographs.
"""

import numpy as np

from transfer_lib.exercises import clinic
from transfer_lib.taught import lesson_16 as lesson

CLAIMS = {
    "16.epochs": ("8 epochs each: pretrained over from nothing.", ">= 4 points"),
    "16.steps": ("As many steps: pretrained over from nothing.", "-4 .. 4 points"),
    "16.by-photo": ("Split by photograph: validation over the test.", ">= 6 points"),
    "16.by-scan": ("Split by scan: validation over the test, mean of 40.", "-5 .. 3 points"),
}


def measure(seed):
    """Return the figures for one seed."""
    answers, _ = lesson.three(seed)
    truth = clinic.digits("digits")[3].numpy()
    tuned, epochs, steps = (100 * np.mean(said == truth) for said in answers.values())
    gaps = {"photo": [], "scan": []}
    for draw in range(40 * seed, 40 * seed + 40):
        x, y, scan = lesson.photographed(draw)
        by_photo = np.random.default_rng(draw).random(len(x)) < 0.25
        for name, kept in (("photo", by_photo), ("scan", lesson.split_by(scan, 0.25, draw))):
            validation, test = lesson.judged(x, y, kept)
            gaps[name].append(validation - test)
    return {
        "16.epochs": tuned - epochs,
        "16.steps": tuned - steps,
        "16.by-photo": np.mean(gaps["photo"]),
        "16.by-scan": np.mean(gaps["scan"]),
    }
