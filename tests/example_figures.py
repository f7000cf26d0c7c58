"""Small data whose figures can be reckoned by hand, and one ready figure of each kind."""

import numpy as np

from transfer_lib import plots

CURVES = {
    "scratch": [[0.10, 0.50, 0.90], [0.20, 0.60, 0.94]],  # means 15, 55, 92 %
    "frozen": [[0.60, 0.70, 0.75], [0.70, 0.72, 0.77]],  # means 65, 71, 76 %
}
RESULTS = {
    "scratch": {1: [0.50, 0.54], 5: [0.80, 0.80], 20: [0.96, 0.94]},  # 52, 80, 95 %
    "frozen": {1: [0.70, 0.74], 5: [0.85, 0.87], 20: [0.90, 0.90]},  # 72, 86, 90 %
}
GREY = np.linspace(0, 1, 4 * 8 * 8).reshape(4, 8, 8)
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [11.0, 0.0], [30.0, 5.0], [31.0, 5.0]])
CLASSES = ["cat", "dog", "ship"]

READY = {
    "learning_curves": lambda: plots.learning_curves(CURVES, "val_accuracy"),
    "accuracy_by_labels": lambda: plots.accuracy_by_labels(RESULTS),
    "confusion_matrix": lambda: plots.confusion_matrix([0, 0, 0, 1, 2], [0, 1, 1, 1, 0], CLASSES),
    "image_grid": lambda: plots.image_grid(GREY, [7, 1, 7, 3], 2, predictions=[7, 7, 7, 8]),
    "bars": lambda: plots.bars({"ours": [1.0, 3.0], "theirs": [8.0, 9.0]}, "Time (s)"),
    "heatmap": lambda: plots.heatmap(
        [[1, 2], [3, np.nan]],
        ["a", "b"],
        ["c", "d"],
        xlabel="Layer (name)",
        ylabel="Rate (no unit)",
        unit="Accuracy (%)",
    ),
}

AWKWARD = [  # names of classes that learners had
    "under $50",
    "$50 to $100",
    "$5_$",
    "_background_noise_",
    "猫",
    "Tomato___Spider_mites Two-spotted_spider_mite",
    "Corn_(maize)___Cercospora_leaf_spot Gray_leaf_spot",
]
_n = len(AWKWARD)
_labels = {"xlabel": "x (s)", "ylabel": "y (s)", "unit": "z (s)"}
WITH_AWKWARD_NAMES = {
    "learning_curves": lambda: plots.learning_curves({name: [0.1, 0.5] for name in AWKWARD}),
    "accuracy_by_labels": lambda: plots.accuracy_by_labels({n: {1: 0.5, 5: 1} for n in AWKWARD}),
    "confusion_matrix": lambda: plots.confusion_matrix(AWKWARD, AWKWARD[::-1], AWKWARD),
    "image_grid": lambda: plots.image_grid(np.zeros((_n, 8, 8)), AWKWARD, 4, predictions=AWKWARD),
    "bars": lambda: plots.bars({name: [1, 3] for name in AWKWARD}, "Time (s)"),
    "heatmap": lambda: plots.heatmap(np.eye(_n), AWKWARD, AWKWARD, **_labels),
}
