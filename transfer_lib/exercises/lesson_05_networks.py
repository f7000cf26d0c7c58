"""Exercises of lesson 05 on whole networks: unfreeze one, and build its untrained twin."""

from transfer_lib.practice import Wrong, call, close, exercise


def _numpy(tensors):
    import keras

    return [keras.ops.convert_to_numpy(tensor).copy() for tensor in tensors]


def _network():
    """Return a small network of four blocks with a head, which notes what it is compiled with."""
    import keras

    class Watched(keras.Model):
        """A model that keeps what was trainable when it was compiled last."""

        seen = None

        def compile(self, *args, **kwargs):
            self.seen = {id(weight) for weight in self.trainable_weights}
            super().compile(*args, **kwargs)

    x = inputs = keras.Input((8, 8, 3))
    for block in range(1, 5):
        for conv in (1, 2):
            name = f"block{block}_conv{conv}"
            x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=name)(x)
        if block < 4:
            x = keras.layers.MaxPooling2D(name=f"block{block}_pool")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return Watched(inputs, keras.layers.Dense(3, activation="softmax", name="head")(x))


def _check_compiled(model, rate):
    """Raise unless a model is compiled with that rate and the loss of whole-number labels."""
    if getattr(model, "optimizer", None) is None:
        raise Wrong("The model is not compiled. Call its `compile` with an optimiser and the loss.")
    found = float(model.optimizer.learning_rate)
    if not close(found, rate, rtol=1e-4):
        raise Wrong(f"For rate={rate:g} the optimiser has the rate {found:g}. Use the argument.")
    loss = model.loss if isinstance(model.loss, str) else type(model.loss).__name__
    loss = getattr(model.loss, "__name__", loss).replace("_", "").lower()
    if loss != "sparsecategoricalcrossentropy":
        raise Wrong(
            'The labels are whole numbers and the loss should be "sparse_categorical_crossentropy"'
            f"; yours is {loss}."
        )


@exercise(
    "05.unfreeze",
    hints=[
        "Each layer has a switch of its own, `trainable`. A loop over `model.layers` can set it.",
        "Which layers are frozen? Those whose name begins with `block1_` up to the block before "
        "`first`. `name.startswith(...)` takes a tuple of beginnings, too.",
        "After the loop: `model.compile(keras.optimizers.Adam(rate), "
        '"sparse_categorical_crossentropy")`.',
    ],
)
def unfreeze(answer):
    """Freeze the blocks before a number, let all others be trained, and compile."""
    for first, rate in ((3, 1e-3), (1, 2e-4), (4, 1e-3)):
        model = _network()
        for layer in model.layers:  # start from all trainable, and from all frozen
            layer.trainable = first != 4
        before = _numpy(model.weights)
        call(answer, model, first, rate, may_return_none=True)
        if not all((a == b).all() for a, b in zip(before, _numpy(model.weights), strict=True)):
            raise Wrong("The weights have changed. Unfreezing only sets switches.")
        wanted = {
            id(weight)
            for layer in model.layers
            for weight in layer.weights
            if not layer.name.startswith("block") or int(layer.name[5]) >= first
        }
        trainable = {id(weight) for weight in model.trainable_weights}
        if not trainable:
            raise Wrong(
                "Nothing can be trained. `model.trainable = False` freezes the model as a whole, "
                "whatever its layers say: set the switches of the layers only."
            )
        if trainable != wanted:
            names = [la.name for la in model.layers if {id(w) for w in la.weights} & trainable]
            right = [la.name for la in model.layers if {id(w) for w in la.weights} & wanted]
            if "head" not in names:
                raise Wrong("The head is frozen. Only blocks before `first` are.")
            raise Wrong(
                f"For first={first} these can be trained: {', '.join(names)}. It should be "
                f"{', '.join(right)}."
            )
        _check_compiled(model, rate)
        if model.seen != wanted:
            raise Wrong(
                "You compiled before the switches were set. The optimiser has to see the final "
                "state: compile last."
            )


@exercise(
    "05.twin",
    hints=[
        "`keras.models.clone_model(model)` has the same layers with fresh random weights.",
        "The clone also has the switches of the original: layers that were frozen there are frozen "
        "here, at random weights. Switch all on.",
        'Compile the copy with `keras.optimizers.Adam(rate)` and "sparse_categorical_crossentropy",'
        " and return it.",
    ],
)
def twin(answer):
    """Return the same architecture with fresh random weights, trainable as a whole, compiled."""
    import keras

    model = _network()
    model.set_weights([0.1 + weight for weight in _numpy(model.weights)])
    for layer in model.layers[:6]:
        layer.trainable = False
    before, switches = _numpy(model.weights), [layer.trainable for layer in model.layers]
    copy = call(answer, model, 3e-4)
    if not isinstance(copy, keras.Model):
        raise Wrong(f"Return a keras.Model; this is a {type(copy).__name__}.")
    if copy is model:
        raise Wrong("This is the pretrained model itself. Return a copy with fresh weights.")
    if not all((a == b).all() for a, b in zip(before, _numpy(model.weights), strict=True)):
        raise Wrong("The pretrained model's own weights have changed. Leave it as it is.")
    if switches != [layer.trainable for layer in model.layers]:
        raise Wrong("You have changed the switches of `model`. Set those of the copy.")
    if {id(w) for w in copy.weights} & {id(w) for w in model.weights}:
        raise Wrong(
            "The copy shares weights with the pretrained model: training one trains the other. "
            "`clone_model` makes new ones."
        )
    after = _numpy(copy.weights)
    if [w.shape for w in before] != [w.shape for w in after]:
        raise Wrong("The architecture is another one: the shapes of the weights differ.")
    same = [(a == b).all() for a, b in zip(before, after, strict=True) if a.ndim > 1]
    if any(same):
        part = "All" if all(same) else "Some"
        raise Wrong(
            f"{part} kernels of the copy are the pretrained ones. The control must not have seen "
            "the source: fresh random weights in every layer."
        )
    if len(copy.trainable_weights) != len(copy.weights):
        frozen = ", ".join(la.name for la in copy.layers if la.weights and not la.trainable)
        raise Wrong(
            f"Layers of the copy are frozen at random weights: {frozen or 'all'}. That would "
            "cripple the control. Switch every layer on."
        )
    _check_compiled(copy, 3e-4)
