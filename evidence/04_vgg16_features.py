"""What lesson 04 says about layers: two networks on three targets, five labels per class."""

import keras
import numpy as np

from transfer_lib.taught.lesson_04 import (
    Target,
    all_layers,
    choose,
    extract,
    hog_of,
    mean_accuracy,
)

CLAIMS = {
    "04.pretraining": (
        "Patches: the best layer of EfficientNet-Lite0 is ahead of the best layer of the same "
        "network untrained.",
        ">= 20 points",
    ),
    "04.mini-early": ("Patches: VGG16Mini's best block is ahead of its last.", ">= 5 points"),
    "04.lite0-late": (
        "Patches: EfficientNet-Lite0's last block is ahead of the better of its first two.",
        ">= 5 points",
    ),
    "04.faces-late": (
        "Faces: in both networks the best of the last two layers is ahead of all in the first "
        "half.",
        ">= 5 points",
    ),
    "04.hog": ("Digits: the gradient histogram, less VGG16Mini's best block.", ">= 0 points"),
    "04.choose": (
        "Cross-validation costs so much against the best layer of all, on average.",
        "<= 4 points",
    ),
}
DRAWS = 8
LABELS = 5
TARGETS = {
    "patches": ("photo_patches",),
    "digits": ("mnist_5000",),
    "faces": ("shuffled_faces", 50, 50),
}


def measure(seed):
    """Return the figures for one seed."""
    keras.utils.set_random_seed(seed)
    mini, lite0 = "vgg16-mini", "efficientnet-lite0"
    targets = {name: Target(*given) for name, given in TARGETS.items()}
    found, lost = {}, []
    for name in (mini, lite0):
        for trained in (True, False):
            model = all_layers(name, trained)
            for target, t in targets.items():
                train, test = (extract(model, name, x) for x in (t.x_train, t.x_test))
                found[target, name, trained] = [
                    mean_accuracy(t, a, b, LABELS, seed, DRAWS)
                    for a, b in zip(train, test, strict=True)
                ]
                if trained:
                    with_all = [
                        mean_accuracy(t, a, b, 15, seed, DRAWS)
                        for a, b in zip(train, test, strict=True)
                    ]
                    lost.append(max(with_all) - with_all[choose(train, t.y_train)])
    digits = targets["digits"]
    hog = mean_accuracy(digits, hog_of(digits.x_train), hog_of(digits.x_test), LABELS, seed, DRAWS)
    patches, late = {name: found["patches", name, True] for name in (mini, lite0)}, []
    for name in (mini, lite0):
        line = found["faces", name, True]
        late.append(max(line[-2:]) - max(line[: len(line) // 2]))
    return {
        "04.pretraining": max(patches[lite0]) - max(found["patches", lite0, False]),
        "04.mini-early": max(patches[mini]) - patches[mini][-1],
        "04.lite0-late": patches[lite0][6] - max(patches[lite0][:2]),
        "04.faces-late": min(late),
        "04.hog": hog - max(found["digits", mini, True]),
        "04.choose": np.mean(lost),
    }
