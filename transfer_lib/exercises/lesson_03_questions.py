"""Questions of lesson 03."""

from transfer_lib.questions import Question

q_same_data = Question(
    "03.q_same_data",
    "A tutorial pretrains on all of MNIST, fine-tunes on all of MNIST, and reports 99 % on the "
    "test set. What does that show about transfer learning?",
    {
        "a": (
            "That transfer learning reaches 99 %",
            "One training with as many epochs and a falling rate reaches about the same. There was "
            "no control to see that.",
        ),
        "b": (
            "Nothing: source and target are the same data, so nothing was transferred",
            "The second phase is only more training. A transfer experiment needs a target with "
            "other data or labels, few of them, and a network from scratch as the control.",
        ),
        "c": (
            "That fine-tuning overfits",
            "Overfitting shows as a gap between training and test accuracy. Nothing here says so.",
        ),
    },
    right="b",
)

q_batchnorm = Question(
    "03.q_batchnorm",
    "A frozen backbone (`trainable = False`) holds batch normalisation. What happens to its moving "
    "averages while the head is trained with `fit`?",
    {
        "a": (
            "They stay, because in Keras a frozen BatchNormalization runs in inference mode",
            "In Keras 3 `trainable = False` does both for this one layer: the weights stay, and it "
            "uses its stored averages. Freezing only gamma and beta does not.",
        ),
        "b": (
            "They follow the new data, because they are not weights",
            "They are weights, though non-trainable ones. They would follow the new data if only "
            "gamma and beta were frozen.",
        ),
        "c": (
            "They are reset to 0 and 1",
            "Nothing resets them. That would throw away what the source has taught.",
        ),
    },
    right="a",
)

q_compile = Question(
    "03.q_compile",
    "You have trained the head, then set `backbone.trainable = True` and call `fit` again at once. "
    "What is missing?",
    {
        "a": (
            "Nothing: the switch works at once",
            "The optimiser knows only the weights that were trainable at `compile`. With torch and "
            "JAX `fit` raises when it meets others; with TensorFlow it may go on without them, "
            "silently. And the learning rate would still be the high one.",
        ),
        "b": (
            "A new head",
            "The head has just been trained; a fresh one would send large random gradients "
            "through the backbone.",
        ),
        "c": (
            "`compile`, with a lower learning rate",
            "`compile` makes the change take effect, and the lower rate keeps the first steps from "
            "undoing what was learned on the source.",
        ),
    },
    right="c",
)

q_when = Question(
    "03.q_when",
    "When is the gain of transfer over training from scratch largest?",
    {
        "a": (
            "When the target has very many labels",
            "Then a network from scratch learns all there is to learn by itself: look at the right "
            "end of the curve.",
        ),
        "b": (
            "When the target has few labels and the source is related to it",
            "What the target cannot teach, the source has. As labels grow, the gain shrinks.",
        ),
        "c": (
            "When source and target are the same data",
            "Then there is nothing to transfer, and nothing to gain but more training.",
        ),
    },
    right="b",
)
