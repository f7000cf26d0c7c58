"""What lesson 00 says about its game, over ten draws of examples and another untrained network.

Each control has the better of two scalings: rows as they are, and rows divided by their length.
"""

import keras
import numpy as np
from sklearn.preprocessing import normalize

from transfer_lib import networks
from transfer_lib.data import pieces
from transfer_lib.taught.lesson_00 import features_of, histogram, scores

CLAIMS = {
    "00.untrained": (
        "With five examples per class, the trained network is ahead of the same network untrained.",
        ">= 30 points",
    ),
    "00.histogram": (
        "With five examples per class, it is ahead of a histogram of colours.",
        ">= 20 points",
    ),
    "00.one": ("With one example per class, it is ahead of the histogram.", ">= 12 points"),
}
DRAWS = 10


def measure(seed):
    """Return the gains in points for one seed."""
    game = pieces.load()
    both = game.x_train, game.x_test
    trained = networks.load("efficientnet-lite0", include_top=False)
    keras.utils.set_random_seed(seed)
    untrained = networks.load("efficientnet-lite0", include_top=False, trained=False)
    kinds = {
        "trained": [[features_of(trained, x) for x in both]],
        "untrained": [[features_of(untrained, x) for x in both], plain(untrained, both)],
        "histogram": [[histogram(x) for x in both], [normalize(histogram(x)) for x in both]],
    }

    def percent(name, count):
        means = []
        for train, test in kinds[name]:
            found = scores(train, game.y_train, test, game.y_test, count, seed, DRAWS)
            means.append(100 * np.mean(found))
        return max(means)

    return {
        "00.untrained": percent("trained", 5) - percent("untrained", 5),
        "00.histogram": percent("trained", 5) - percent("histogram", 5),
        "00.one": percent("trained", 1) - percent("histogram", 1),
    }


def plain(network, both):
    """Return features of training and test images, not scaled."""
    found = []
    for images in both:
        x = networks.preprocess("efficientnet-lite0", images)
        found.append(network.predict(x, verbose=0).mean(axis=(1, 2)))
    return found
