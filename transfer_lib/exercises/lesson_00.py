"""Exercises of lesson 00."""

from transfer_lib.practice import Wrong, array, call, close, exercise, number

PREDICTED = [3, 8, 1, 1, 7, 0, 4, 9]
LABELS = [3, 3, 1, 7, 7, 0, 9, 9]


@exercise(
    "00.classify",
    hints=[
        "`labels == 3` is an array of True and False; `features[labels == 3]` are the rows of "
        "class 3, and `.mean(axis=0)` is their mean, one number for each column.",
        "For each class, append the distances of all new rows from its mean to a list. The list "
        "then has a row per class and a column per new row.",
        "`return np.argmin(distances, axis=0)` says for each column in which row the least stands.",
    ],
)
def classify(answer):
    """Return for each new row the class whose mean is nearest."""
    import numpy as np

    rng = np.random.default_rng(3)
    means = 3 * rng.normal(size=(4, 5))
    labels = rng.permutation(np.repeat(np.arange(4), (3, 5, 4, 6)))  # unequal sizes, no order
    features = means[labels] + rng.normal(size=(18, 5))
    features[np.flatnonzero(labels == 1)[0]] += 40  # one far example: a mean is no median
    new = 3 * rng.normal(size=(60, 5))
    value = array(call(answer, features, labels, new), "the classes")
    groups = [features[labels == c] for c in range(4)]

    def nearest(centres, choose=np.argmin, new=new):
        distances = np.linalg.norm(new[:, None] - np.asarray(centres), axis=2)
        return choose(distances, axis=1)

    centres = np.stack([group.mean(0) for group in groups])
    right = nearest(centres)
    if value.shape == (4, 5):
        raise Wrong("These are the means. Go on: which of them is nearest to each row of `new`?")
    if value.shape in ((4, 60), (60, 4)):
        raise Wrong("These are the distances. Return for each new row which class is nearest.")
    if value.shape == (4,):
        raise Wrong(
            "There is one number per class. `argmin` must run over the classes: axis 0 where the "
            "distances have a row per class."
        )
    if value.shape == ():
        raise Wrong("This is one number. `argmin` needs an axis, to answer for each new row.")
    if value.shape == (18,):
        raise Wrong("You classify `features`, which you learn from. Classify the rows of `new`.")
    if value.shape != (60,):
        raise Wrong(
            f"Expected one class for each of 60 new rows; this has the shape {value.shape}."
        )
    if close(value, right + 1):
        raise Wrong("Classes count from 0; yours count from 1.")
    if close(value, nearest(centres, np.argmax)):
        raise Wrong("You take the class that is farthest. Take the nearest: `argmin`.")
    if close(value, labels[np.linalg.norm(new[:, None] - features, axis=2).argmin(1)]):
        raise Wrong("You take the nearest single example. Take the mean of each class first.")
    if close(value, nearest([np.median(group, 0) for group in groups])):
        raise Wrong("You take medians. The mean is the sum over the number of examples.")
    if close(value, nearest([group.sum(0) for group in groups])):
        raise Wrong("You take sums. Divide each by the number of its examples: `.mean(axis=0)`.")
    if close(value, nearest([group[0] for group in groups])):
        raise Wrong("You take the first example of each class. Take the mean of all of them.")
    if close(value, nearest(centres[:-1])):
        raise Wrong("The last class is never chosen. `range` stops one before its end.")
    if close(value, np.min(np.linalg.norm(new[:, None] - centres, axis=2), axis=1)):
        raise Wrong(
            "This is the least distance itself. Return which class it belongs to: `argmin`."
        )
    if not close(value, right):
        raise Wrong(f"For {np.sum(value != right)} of 60 new rows another mean is nearer.")
    return "One row per class is all that was learned."


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
