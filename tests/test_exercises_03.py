"""The exercises of lesson 03: right answers in every form, wrong ones with their words."""

import head_swaps
import keras
import numpy as np
from keras import layers

import exercise_cases


# Freeze.
def convolutions_of(backbone):
    return [layer for layer in backbone.layers if isinstance(layer, layers.Conv2D)]


def freeze_by_switching(backbone, train_last):
    convolutions = convolutions_of(backbone)
    for layer in backbone.layers:
        layer.trainable = layer in convolutions[len(convolutions) - train_last :]


def freeze_then_unfreeze(backbone, train_last):
    for layer in backbone.layers:
        layer.trainable = False
    for layer in convolutions_of(backbone)[::-1][:train_last]:
        layer.trainable = True
    return backbone


def freeze_by_counting(backbone, train_last):
    left = train_last
    for layer in reversed(backbone.layers):
        layer.trainable = isinstance(layer, layers.Conv2D) and left > 0
        left -= layer.trainable


def freeze_minus_zero(backbone, train_last):
    for layer in backbone.layers:
        layer.trainable = layer in convolutions_of(backbone)[-train_last:]


def freeze_nothing(backbone, train_last):
    backbone.trainable = True


def freeze_all(backbone, train_last):
    backbone.trainable = False


def freeze_copy(backbone, train_last):
    copy = keras.models.clone_model(backbone)
    copy.trainable = False
    return copy


def freeze_convolutions_only(backbone, train_last):
    convolutions = convolutions_of(backbone)
    for layer in convolutions[: len(convolutions) - train_last]:
        layer.trainable = False


def freeze_up_to(backbone, train_last):
    first = backbone.layers.index(convolutions_of(backbone)[3 - train_last]) if train_last else 99
    for number, layer in enumerate(backbone.layers):
        layer.trainable = number >= first


def freeze_the_last(backbone, train_last):
    for layer in backbone.layers:
        layer.trainable = layer in convolutions_of(backbone)[:train_last]


def freeze_layers_not_convolutions(backbone, train_last):
    for layer in backbone.layers[: len(backbone.layers) - train_last]:
        layer.trainable = False


def freeze_and_reset(backbone, train_last):
    backbone.set_weights([0 * w for w in backbone.get_weights()])


# One row of the table.
def draw(y, per_class, rng):
    rows = [rng.choice(np.flatnonzero(y == k), per_class, replace=False) for k in np.unique(y)]
    return np.concatenate(rows)


def row_of(gains):
    return {"mean": np.mean(gains), "lowest": min(gains), "highest": max(gains)}


def each_draw(y, per_class, draws, rng):
    return [draw(y, per_class, rng) for _ in range(draws)]


def row_in_a_loop(y, per_class, draws, scratch, transfer, rng):
    gains = []
    for rows in each_draw(y, per_class, draws, rng):
        gains.append(100 * (transfer(rows) - scratch(rows)))
    return row_of(gains)


def row_with_arrays(y, per_class, draws, scratch, transfer, rng):
    rows = each_draw(y, per_class, draws, rng)
    before, after = np.array([scratch(r) for r in rows]), np.array([transfer(r) for r in rows])
    gains = (after - before) * 100
    return {"lowest": gains.min(), "highest": gains.max(), "mean": gains.mean()}


def row_with_pandas(y, per_class, draws, scratch, transfer, rng):
    import pandas as pd

    gains = pd.Series(
        [100 * (transfer(r) - scratch(r)) for r in each_draw(y, per_class, draws, rng)]
    )
    return dict(zip(("mean", "lowest", "highest"), gains.agg(["mean", "min", "max"]), strict=True))


def other_images(y, per_class, draws, scratch, transfer, rng):
    return row_of(
        [
            100 * (transfer(draw(y, per_class, rng)) - scratch(draw(y, per_class, rng)))
            for _ in range(draws)
        ]
    )


def one_draw(y, per_class, draws, scratch, transfer, rng):
    rows = draw(y, per_class, rng)
    return row_of([100 * (transfer(rows) - scratch(rows)) for _ in range(draws)])


def all_rows(y, per_class, draws, scratch, transfer, rng):
    rows = np.arange(len(y))
    return row_of([100 * (transfer(rows) - scratch(rows)) for _ in range(draws)])


def any_rows(y, per_class, draws, scratch, transfer, rng):
    rows = [rng.choice(len(y), 12, replace=False) for _ in range(draws)]
    return row_of([100 * (transfer(r) - scratch(r)) for r in rows])


def single_call(y, per_class, draws, scratch, transfer, rng):
    rows = draw(y, per_class, rng)
    return row_of([100 * (transfer(rows) - scratch(rows))])


def ends_of_each(y, per_class, draws, scratch, transfer, rng):
    rows = each_draw(y, per_class, draws, rng)
    before, after = ([method(r) for r in rows] for method in (scratch, transfer))
    return {
        "mean": 100 * (np.mean(after) - np.mean(before)),
        "lowest": 100 * (min(after) - min(before)),
        "highest": 100 * (max(after) - max(before)),
    }


def changed_row(change):
    def answer(*arguments):
        return change(row_in_a_loop(*arguments))

    return answer


# The total loss.
def crossentropy(y, logits, from_logits=True):
    return keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=from_logits)


def loss(combine, reduce=keras.ops.mean, from_logits=True, prepare=lambda logits: logits):
    def answer(y, logits, lam):
        means = [
            reduce(crossentropy(y[head], prepare(logits[head]), from_logits))
            for head in ("source", "target")
        ]
        return combine(*means, lam)

    return answer


def right_loss(shared, task, lam):
    return shared + lam * task


def loss_class(y, logits, lam):
    function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return function(y["source"], logits["source"]) + lam * function(y["target"], logits["target"])


def torch_loss(y, logits, lam):
    import torch

    shared, task = (
        torch.nn.functional.cross_entropy(logits[n], torch.as_tensor(y[n])) for n in logits
    )
    return shared + lam * task


def over_all(y, logits, lam):
    parts = [keras.ops.sum(crossentropy(y[n], logits[n])) for n in ("source", "target")]
    return (parts[0] + lam * parts[1]) / (len(y["source"]) + len(y["target"]))


# The leak.
def by_bytes(seen, tested):
    known = {image.tobytes() for image in seen}
    return sum(image.tobytes() in known for image in tested)


def by_pairs(seen, tested):
    return sum(any(np.array_equal(a, b) for a in seen) for b in tested)


def by_broadcast(seen, tested):
    same = (seen[None] == tested[:, None]).reshape(len(tested), len(seen), -1).all(axis=2)
    return same.any(axis=1).sum()


def by_sums(seen, tested):
    return int(np.isin(tested.sum(axis=(1, 2, 3)), seen.sum(axis=(1, 2, 3))).sum())


def sorted_pixels(seen, tested):
    known = {np.sort(image.ravel()).tobytes() for image in seen}
    return sum(np.sort(image.ravel()).tobytes() in known for image in tested)


RIGHT = {
    "head_swap": [
        head_swaps.functional,
        head_swaps.sequential,
        head_swaps.on_its_output,
        head_swaps.Subclass,
        head_swaps.starts_at_zero,
        head_swaps.its_layers,
    ],
    "freeze": [freeze_by_switching, freeze_then_unfreeze, freeze_by_counting],
    "gain_row": [row_in_a_loop, row_with_arrays, row_with_pandas],
    "total_loss": [loss(right_loss), loss_class, torch_loss],
    "overlap": [by_bytes, by_pairs, by_broadcast],
    "faults": [{4, 13, 14, 15}, [15, 14, 13, 4], (4, 13, 14, 15), np.array([4, 13, 14, 15])],
}
WRONG = {
    "head_swap": [
        (head_swaps.softmax_head, "ends with a softmax"),
        (head_swaps.relu_head, "without activation"),
        (head_swaps.with_activation("elu"), "without activation"),
        (head_swaps.with_activation("gelu"), "without activation"),
        (head_swaps.cloned, "holds a copy"),
        (head_swaps.copied, "holds a copy"),
        (head_swaps.added_to_it, "change the given backbone"),
        (head_swaps.popped, "change the given backbone"),
        (head_swaps.on_an_inner_layer, "layer of the backbone is missing"),
        (head_swaps.on_the_inputs, "backbone is not in the model"),
        (head_swaps.without_bias, "has no bias"),
        (head_swaps.relu_between, "directly behind the backbone"),
        (head_swaps.ten_classes, "Use the argument `classes`"),
        (head_swaps.no_head, "head is missing"),
        (head_swaps.two_layers, "other weights than one Dense"),
        (head_swaps.only_the_layer, "Return a keras.Model"),
        (lambda backbone, classes: backbone, "the backbone itself"),
    ],
    "freeze": [
        (freeze_nothing, "all layers still train"),
        (freeze_all, "nothing trains"),
        (freeze_copy, "You froze a copy"),
        (freeze_minus_zero, "`list[-0:]` is the whole list"),
        (freeze_convolutions_only, "so does the batch normalisation"),
        (freeze_up_to, "norm3 moved as well"),
        (freeze_the_last, "the first convolutions train"),
        (freeze_layers_not_convolutions, "nothing trains"),
        (freeze_and_reset, "other weights than before"),
    ],
    "gain_row": [
        (other_images, "saw different images"),
        (one_draw, "All draws are the same rows"),
        (all_rows, "got all rows"),
        (any_rows, "should have 3 rows of each class"),
        (single_call, "`scratch` was called 1"),
        (ends_of_each, "within each draw first"),
        (changed_row(lambda row: {k: v / 100 for k, v in row.items()}), "multiply by 100"),
        (
            changed_row(
                lambda row: {
                    "mean": -row["mean"],
                    "lowest": -row["highest"],
                    "highest": -row["lowest"],
                }
            ),
            "The sign is turned",
        ),
        (
            changed_row(lambda row: row | {"lowest": row["highest"], "highest": row["lowest"]}),
            "are swapped",
        ),
        (changed_row(lambda row: row | {"mean": row["mean"] + 1}), "the mean is"),
        (changed_row(lambda row: {k: v + 1 for k, v in row.items()}), "The gains were ["),
        (changed_row(lambda row: list(row.values())), "Return a dict"),
        (changed_row(lambda row: {"average": 1, **row}), "yours has ['average'"),
        (lambda *arguments: {"mean": 1, "lowest": 1, "highest": 1}, "Call both"),
    ],
    "total_loss": [
        (loss(lambda s, t, k: k * s + t), "multiplies the wrong loss"),
        (loss(lambda s, t, k: k * (s + t)), "multiplies both losses"),
        (loss(lambda s, t, k: s + t), "λ is missing"),
        (loss(lambda s, t, k: k * t), "source's loss is missing"),
        (loss(lambda s, t, k: s), "target's loss is missing"),
        (loss(lambda s, t, k: (1 - k) * s + k * t), "This is a mixture"),
        (loss(lambda s, t, k: (s + k * t) / 2), "divided by 2"),
        (loss(lambda s, t, k: (s + k * t) / (1 + k)), "divided by 1 + λ"),
        (loss(right_loss, reduce=keras.ops.sum), "sums over the examples"),
        (over_all, "number of all examples"),
        (loss(right_loss, prepare=keras.ops.softmax), "applied twice"),
        (loss(right_loss, from_logits=False), "read as probabilities"),
        (loss(right_loss, reduce=lambda x: x[:3]), "should be one number"),
        (lambda y, logits, lam: 1.5, "yours is 1.5000"),
    ],
    "overlap": [
        (
            lambda seen, tested: sum(
                np.array_equal(a, b) for a, b in zip(seen, tested, strict=False)
            ),
            "at the same place",
        ),
        (lambda seen, tested: sum(image in seen for image in tested), "any pixel is equal"),
        (
            lambda seen, tested: len({i.tobytes() for i in seen} & {i.tobytes() for i in tested}),
            "counted once",
        ),
        (by_sums, "same sum"),
        (sorted_pixels, "same sum"),
        (lambda seen, tested: by_bytes(seen, tested) / len(tested), "a fraction"),
        (lambda seen, tested: len(tested) - by_bytes(seen, tested), "*not* among"),
        (lambda seen, tested: by_bytes(tested, seen), "Turn it round"),
        (lambda seen, tested: 9, "5 are among the 7"),
    ],
    "faults": [
        ({1, 4, 13, 14, 15}, "Line 1 has no fault"),
        ({4, 8, 13, 15}, "Look where it is used"),
        ({4, 13, 15}, "3 of 4, all of them right. Look at the second compile"),
        ({13, 14, 15}, "the input"),
        ({99}, "no line 99"),
        (4, "as a set"),
        ("4", "as a set"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("03", RIGHT, WRONG)
