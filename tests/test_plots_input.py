"""What figures are drawn from: bad input is named, every kind of image is accepted."""

import io

import numpy as np
import pytest
from example_figures import CLASSES, GREY, POINTS, RESULTS

from transfer_lib import plots

NAN = float("nan")
HEAT = {"xlabel": "x (s)", "ylabel": "y (s)", "unit": "z (s)"}
BAD = [
    (plots.learning_curves, ({},), "histories must be a dict"),
    (plots.learning_curves, ([[1]],), "histories must be a dict"),
    (plots.learning_curves, ({"a": []},), r"histories\['a'\]"),
    (plots.learning_curves, ({"a": [[]]},), r"histories\['a'\]\[0\] is empty"),
    (plots.learning_curves, ({"a": 0.5},), r"histories\['a'\]"),
    (plots.learning_curves, ({"a": [[NAN, NAN]]},), "only NaN"),
    (plots.learning_curves, ({"a": [["x"]]},), "must hold numbers"),
    (plots.learning_curves, ({"a": [[float("inf")]]}, "loss"), "infinite"),
    (plots.learning_curves, ({"a": [[55.0, 93.0]]},), "Divide percentages by 100"),
    (plots.learning_curves, ({str(i): [[0.1]] for i in range(9)},), "at most 8 lines"),
    (plots.accuracy_by_labels, ({},), "results must be a dict"),
    (plots.accuracy_by_labels, ({"a": [0.1]},), r"results\['a'\] must be a dict"),
    (plots.accuracy_by_labels, ({"a": {0: [0.1]}},), "whole number above 0"),
    (plots.accuracy_by_labels, ({"a": {"few": [0.1]}},), "whole number above 0"),
    (plots.accuracy_by_labels, ({"a": {1: []}},), r"results\['a'\]\[1\] is empty"),
    (plots.accuracy_by_labels, ({"a": {1: [[0.1]]}},), "one accuracy per seed"),
    (plots.accuracy_by_labels, ({"a": {1: [93]}},), "fractions from 0 to 1"),
    (plots.accuracy_by_labels, (RESULTS,), "xlabel.*unit", {"xlabel": "Labels"}),
    (plots.bars, ({}, "Time (s)"), "values must be a dict"),
    (plots.bars, ({"a": 1}, "Time"), "xlabel is 'Time'.*unit in brackets"),
    (plots.bars, ({"a": [NAN]}, "Time (s)"), "only NaN"),
    (plots.bars, (dict.fromkeys(range(21), 1), "Time (s)"), "at most 20 bars"),
    (plots.heatmap, ([[1, 2]], ["a"], ["b"]), r"values has shape \(1, 2\)", HEAT),
    (plots.heatmap, ([], [], []), "values is empty", HEAT),
    (plots.heatmap, ([[1]], ["a"], ["b"]), "unit is", HEAT | {"unit": "z"}),
    (plots.heatmap, (np.ones((21, 1)), ["a"], range(21)), "at most 20", HEAT),
    (plots.confusion_matrix, ([], [], CLASSES), "y_true must be a list"),
    (plots.confusion_matrix, ([0, 1], [0], CLASSES), "y_true has 2 labels, but y_pred has 1"),
    (plots.confusion_matrix, ([0, 3], [0, 1], CLASSES), "y_true runs from 0 to 3"),
    (plots.confusion_matrix, ([0], [-1], CLASSES), "y_pred runs from -1"),
    (plots.confusion_matrix, ([0], [0.7], CLASSES), "y_pred.*argmax"),
    (plots.confusion_matrix, ([0], [[0.1, 0.9]], CLASSES), "y_pred must be a list"),
    (plots.confusion_matrix, (["cow"], ["cat"], CLASSES), r"y_true holds \['cow'\]"),
    (plots.confusion_matrix, ([0], [0], []), "class_names is empty"),
    (plots.confusion_matrix, ([0], [0], ["a", "a"]), "name twice"),
    (plots.confusion_matrix, ([0], [0], range(21)), "at most 20"),
    (plots.image_grid, ([], []), "images is empty"),
    (plots.image_grid, (GREY[0], [1]), r"images\[None\]"),
    (plots.image_grid, (np.zeros((2, 3, 8, 8)), [1, 2]), "channel axis"),
    (plots.image_grid, (255 * GREY, range(4)), "floats from 0 to 255.*Divide by 255"),
    (plots.image_grid, (GREY - 0.5, range(4)), "normalisation"),
    (plots.image_grid, (GREY.astype(int), range(4)), "type int"),
    (plots.image_grid, (GREY * NAN, range(4)), "NaN"),
    (plots.image_grid, (GREY, [1, 2]), "4 images, but labels has 2"),
    (plots.image_grid, (GREY, range(4), 2, [1]), "predictions has 1"),
    (plots.image_grid, (GREY, range(4), 0), "ncols must be"),
    (plots.image_grid, (np.zeros((101, 2, 2)), range(101)), "at most 100"),
    (plots.embedding, (POINTS[:, :1], [0] * 6, CLASSES), r"shape \(n, 2\)"),
    (plots.embedding, (POINTS, [0] * 5, CLASSES), "6 points, but labels has 5"),
    (plots.embedding, (POINTS, [0] * 6, range(11)), "at most 10"),
    (plots.embedding, ([[0, NAN]], [0], CLASSES), "points_2d holds NaN"),
    (plots.embedding, (POINTS, [0] * 6, CLASSES), "xlabel is", {"xlabel": "x"}),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case[0].__name__}-{case[2][:30]}")
def test_bad_input_is_named(case):
    function, arguments, message, *keywords = case
    with pytest.raises(ValueError, match=message):
        function(*arguments, **(keywords[0] if keywords else {}))


@pytest.mark.parametrize(
    "images",
    [
        (255 * GREY).astype(np.uint8),
        GREY.astype(np.float32)[..., None],
        np.repeat(GREY[..., None], 3, axis=3),
        GREY > 0.5,
    ],
)
def test_images_that_are_accepted(images):
    from PIL import Image

    fig = plots.image_grid(images, ["a"] * 4, ncols=3)
    picture = np.asarray(Image.open(io.BytesIO(plots.to_png(fig))).convert("L"))
    assert picture.min() < 10 and picture.max() == 255
