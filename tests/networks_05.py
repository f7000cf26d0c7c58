"""Answers to lesson 05's exercises on whole networks, right and wrong."""

import keras
from keras import layers

LOSS = "sparse_categorical_crossentropy"


def compile_with(rate, loss=LOSS, optimizer=keras.optimizers.Adam):
    return {"optimizer": optimizer(rate), "loss": loss}


def by_number(layer):
    return int(layer.name[5]) if layer.name.startswith("block") else 9


def unfreeze_with(
    switch=lambda layer, first: by_number(layer) >= first, last=True, before=None, **options
):
    """Return an answer: the switches by a rule, then compile (or first, or never)."""

    def unfreeze(model, first, rate):
        if last is False:
            model.compile(**compile_with(rate, **options))
        if before is not None:
            model.trainable = before
        for layer in model.layers:
            layer.trainable = switch(layer, first)
        if last:
            model.compile(**compile_with(rate, **options))

    return unfreeze


def unfreeze_by_names(model, first, rate):
    frozen = tuple(f"block{number}_" for number in range(1, first))
    for layer in model.layers:
        layer.trainable = not layer.name.startswith(frozen)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=rate), loss=loss)
    return model


def unfreeze_from_a_place(model, first, rate):
    names = [layer.name for layer in model.layers]
    place = names.index(f"block{first}_conv1")
    for number, layer in enumerate(model.layers):
        layer.trainable = number >= place
    model.compile(keras.optimizers.SGD(rate), LOSS, metrics=["accuracy"])


def unfreeze_model_last(model, first, rate):
    unfreeze_by_names(model, first, rate)
    model.trainable = True
    model.compile(**compile_with(rate))


def unfreeze_and_reset(model, first, rate):
    model.set_weights([0 * weight for weight in model.get_weights()])
    unfreeze_by_names(model, first, rate)


def finish(copy, rate, **options):
    """Switch all layers of a copy on and compile it."""
    for layer in copy.layers:
        layer.trainable = True
    copy.compile(**compile_with(rate, **options))
    return copy


def twin_by_clone(model, rate):
    return finish(keras.models.clone_model(model), rate)


def twin_by_config(model, rate):
    plain = keras.Model(model.inputs, model.outputs)
    copy = keras.Model.from_config(plain.get_config())
    return finish(copy, rate)


def twin_layer_by_layer(model, rate):
    x = inputs = keras.Input(model.input_shape[1:])
    for layer in model.layers[1:]:
        config = layer.get_config() | {"trainable": True}
        x = type(layer).from_config(config)(x)
    return finish(keras.Model(inputs, x), rate)


def twin_with_weights(model, rate):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return finish(copy, rate)


def twin_with_a_fresh_head_only(model, rate):
    copy = keras.models.clone_model(model)
    for old, layer in zip(model.layers[:-1], copy.layers[:-1], strict=True):
        layer.set_weights(old.get_weights())
    return finish(copy, rate)


def twin_frozen(model, rate):
    copy = keras.models.clone_model(model)
    copy.compile(**compile_with(rate))
    return copy


def twin_that_switches_the_model(model, rate):
    for layer in model.layers:
        layer.trainable = True
    return finish(keras.models.clone_model(model), rate)


def twin_that_resets_the_model(model, rate):
    fresh = keras.models.clone_model(model)
    model.set_weights(fresh.get_weights())
    return finish(fresh, rate)


def twin_smaller(model, rate):
    small = [keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(3, activation="softmax")]
    return finish(keras.Sequential(small), rate)


def twin_not_compiled(model, rate):
    copy = keras.models.clone_model(model)
    copy.trainable = True
    return copy
