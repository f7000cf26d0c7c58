"""What lesson 05 says about recipes, heads, fine-tuning, fusion and splits; means over draws."""

import keras
import numpy as np

from transfer_lib import networks
from transfer_lib.taught.lesson_01 import few_of_each
from transfer_lib.taught.lesson_04 import Target, cut, probe
from transfer_lib.taught.lesson_05 import (
    HEADS,
    arms,
    features_of,
    fusions,
    inputs,
    probe_of,
    recipe,
    right,
    split,
    strips,
    train_head,
    twin,
    with_head,
)

CLAIMS = {
    "05.recipe": (
        "After the articles' recipe a probe on block 3 is right less often than before it.",
        ">= 4 points",
    ),
    "05.rate": (
        "A tenth of the rate is ahead of each of the other two repairs.",
        ">= 4 points",
    ),
    "05.flat": ("Pooled heads beat flat ones, the mean of both sizes.", ">= 3 points"),
    "05.large": ("Pooled: two large layers against none.", "-6 .. 6 points"),
    "05.faces-block-5": ("Faces: fine-tuned, ahead of the same blocks frozen.", ">= 5 points"),
    "05.faces-frozen": ("Faces: fine-tuned, ahead of the best frozen block.", ">= 2 points"),
    "05.faces-twin": (
        "Faces: fine-tuned, ahead of the untrained twin at the better of two rates.",
        ">= 5 points",
    ),
    "05.patches": ("Patches: block 3 frozen, ahead of fine-tuning up to block 5.", ">= 2 points"),
    "05.product": ("Fusion by product, behind the better set alone.", ">= 10 points"),
    "05.concatenation": (
        "Concatenation, against the better set alone with as many columns.",
        "-1 .. 4 points",
    ),
    "05.leak": ("The random split, above the split at a border.", ">= 15 points"),
}
DRAWS = 3
ALL = np.arange(200)


def measure(seed):
    """Return the figures for one seed."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    patches = Target("photo_patches")
    x_test = inputs(patches.x_test)
    mini = networks.load("vgg16-mini", include_top=False, input_shape=(32, 32, 3))
    return (
        recipes(patches, x_test, mini, rng)
        | heads(patches, x_test, mini, rng)
        | tuned(patches, x_test, rng)
        | fused(patches, cut(mini, "block3_pool"), rng)
        | leak(cut(mini, "block3_pool"), rng)
    )


def recipes(patches, x_test, mini, rng):
    """Return what the recipe costs inside, and what a low rate gains over other repairs."""
    lost, ahead = [], []
    for _ in range(DRAWS):
        rows = few_of_each(patches.y_train, ALL, 10, rng)
        x, y = inputs(patches.x_train[rows]), patches.y_train[rows]
        found = {}
        for name, repair in {
            "as it is": {},
            "frozen": {"frozen": True},
            "linear": {"linear": True},
            "rate": {"rate": 1e-4},
        }.items():
            model = recipe(**repair)
            model.fit(x, y, batch_size=32, epochs=10, verbose=0)
            found[name] = right(model, x_test, patches.y_test)
            if name == "as it is":
                given = "block3_pool", x, y, x_test, patches.y_test
                lost.append(probe_of(mini, *given) - probe_of(model, *given))
        ahead.append([found["rate"] - found["frozen"], found["rate"] - found["linear"]])
    return {"05.recipe": np.mean(lost), "05.rate": np.min(np.mean(ahead, axis=0))}


def heads(patches, x_test, mini, rng):
    """Return what pooling gains, and what size does on pooled features."""
    block_3 = keras.Model(mini.input, mini.get_layer("block3_pool").output)
    maps = block_3.predict(inputs(patches.x_train), verbose=0)
    maps_test = block_3.predict(x_test, verbose=0)
    found = {name: [] for name in HEADS}
    for _ in range(DRAWS):
        rows = few_of_each(patches.y_train, ALL, 5, rng)
        for name in HEADS:
            head = train_head(name, maps[rows], patches.y_train[rows])
            found[name].append(right(head, maps_test, patches.y_test))
    mean = {name: np.mean(values) for name, values in found.items()}
    pooled, flat = (
        [mean[f"{kind}, linear"], mean[f"{kind}, two large"]] for kind in ("pooled", "flat")
    )
    return {"05.flat": np.mean(pooled) - np.mean(flat), "05.large": pooled[1] - pooled[0]}


def tuned(patches, x_patches, rng):
    """Return the gains of fine-tuning on faces, and what it lacks on patches."""
    faces = Target("shuffled_faces", 50, 50)
    x_faces, on_faces, on_patches, others = inputs(faces.x_test), [], [], []
    for _ in range(10):  # draws of 20 faces differ much
        rows = [rng.permutation(np.flatnonzero(faces.y_train == k))[:20] for k in (0, 1)]
        rows = np.concatenate(rows)
        x, y = inputs(faces.x_train[rows]), faces.y_train[rows]
        on_faces.append(arms(x, y, x_faces, faces.y_test))
    for _ in range(DRAWS):
        other = twin(with_head(5, x, y), 3e-4)
        other.fit(x, y, batch_size=20, epochs=20, verbose=0)
        others.append(right(other, x_faces, faces.y_test))
        rows = few_of_each(patches.y_train, ALL, 5, rng)
        x_few, y_few = inputs(patches.x_train[rows]), patches.y_train[rows]
        on_patches.append(arms(x_few, y_few, x_patches, patches.y_test))
    of_faces, of_patches = (
        {name: np.mean([row[name] for row in rows]) for name in rows[0]}
        for rows in (on_faces, on_patches)
    )
    frozen = [of_faces[f"block {k}, frozen"] for k in (3, 4, 5)]
    return {
        "05.faces-block-5": of_faces["fine-tuned"] - frozen[-1],
        "05.faces-frozen": of_faces["fine-tuned"] - max(frozen),
        "05.faces-twin": of_faces["fine-tuned"] - max(of_faces["untrained twin"], np.mean(others)),
        "05.patches": of_patches["block 3, frozen"] - of_patches["fine-tuned"],
    }


def fused(patches, block_3, rng):
    """Return what two fusions do against the better set alone."""
    lite0 = networks.load("efficientnet-lite0", include_top=False)
    sets = []
    for name, backbone, size in (("vgg16-mini", block_3, 32), ("efficientnet-lite0", lite0, 64)):

        def prepare(x, name=name):
            return networks.preprocess(name, x)

        both = patches.x_train, patches.x_test
        sets.append([features_of(backbone, prepare, x, size) for x in both])
    draws = [few_of_each(patches.y_train, ALL, 5, rng) for _ in range(8)]
    mean = {name: np.mean(values) for name, values in fusions(*sets, patches, draws).items()}
    alone = max(mean["first alone"], mean["second alone"])
    return {
        "05.product": alone - mean["product"],
        "05.concatenation": mean["concatenation"] - alone,
    }


def leak(block_3, rng):
    """Return how much more a random split promises."""
    cuts, labels, left = strips(rng)
    x = block_3.predict(inputs(cuts), verbose=0)
    at_random = rng.permutation(len(left)) < len(left) // 2
    found = [
        probe(x[train], labels[train], x[test], labels[test])
        for train, test in ((at_random, ~at_random), split(left, 32, 176))
    ]
    return {"05.leak": found[0] - found[1]}
