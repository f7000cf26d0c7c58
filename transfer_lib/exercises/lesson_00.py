"""Exercises of lesson 00."""

from transfer_lib.checking import Wrong, call, close, exercise, number
from transfer_lib.questions import Question

PREDICTED = [3, 8, 1, 1, 7, 0, 4, 9]
LABELS = [3, 3, 1, 7, 7, 0, 9, 9]


@exercise(
    "00.accuracy",
    hints=[
        "Compare the two arrays: `predicted == labels` is an array of True and False.",
        "True counts as 1 and False as 0, so the mean of that array is a fraction.",
        "`return np.mean(predicted == labels)`",
    ],
)
def accuracy(answer):
    """Return the fraction of predictions that equal their label."""
    import numpy as np

    predicted, labels = np.array(PREDICTED), np.array(LABELS)
    value = number(call(answer, predicted, labels), "the accuracy")
    right = float(np.mean(predicted == labels))
    if close(value, np.sum(predicted == labels)):
        raise Wrong(
            "This is the number of right predictions. Accuracy is a fraction: divide by how many "
            "predictions there are."
        )
    if close(value, 100 * right):
        raise Wrong("This is a percentage. Accuracy is a fraction from 0 to 1: leave out the 100.")
    if close(value, 1 - right):
        raise Wrong("This is the error rate, the fraction that is wrong. Accuracy is the rest.")
    if not close(value, right):
        raise Wrong(f"For 5 right predictions of 8 the accuracy is {right}; yours is {value:.4g}.")
    if close(number(call(answer, labels, labels)), right):
        raise Wrong(
            "Your function gives this number for any input. Compute it from its two arguments."
        )
    return "The mean of an array of True and False is the fraction of True."


q_profile = Question(
    "00.q_profile",
    "You have no network and no GPU. What do the lessons run on?",
    {
        "a": (
            "On nothing: training a network needs a GPU",
            "Every cell of the quick profile is made for two processor cores. A GPU is faster, "
            "and never required.",
        ),
        "b": (
            "On the quick profile: real data and weights that ship with the course",
            "The quick profile is the default without a GPU. It needs no network.",
        ),
        "c": (
            "On made-up numbers that stand in for the real ones",
            "The quick profile is smaller, but real: scanned digits, photographs and trained "
            "weights. Where a lesson draws artificial data to show one effect, it says so.",
        ),
    },
    right="b",
)
