"""Questions of lesson 01."""

from transfer_lib.questions import Question

q_turned = Question(
    "01.q_turned",
    "A camera that reads single handwritten digits is mounted upside down, so that every picture "
    "is turned by 180 degrees. The digits written are the same as before. What has changed?",
    {
        "a": (
            "Only P(X): it is a covariate shift",
            "P(X) has changed, but not alone. A given array of pixels may now mean another digit: "
            "a 6 turned by 180 degrees has the pixels of a 9. So P(Y|X) has changed as well.",
        ),
        "b": (
            "Only P(Y): it is a label shift",
            "Each label is as frequent as before, so P(Y) is the same.",
        ),
        "c": (
            "P(X) and P(Y|X); a simple map of the inputs would undo both",
            "A 6 now looks like a 9, so the same pixels have another label. Turning the pictures "
            "back is the cheapest repair.",
        ),
        "d": (
            "Nothing, since the digits are the same",
            "The source classifier reads pixels, and these have changed. The half-moons turned by "
            "180 degrees showed what that does.",
        ),
    },
    right="c",
)

q_layers = Question(
    "01.q_layers",
    "A network for 1,000 kinds of photographs is to tell 3 kinds of leaves. Which part cannot be "
    "reused as it is?",
    {
        "a": (
            "The lowest layers, because leaves have other edges",
            "Edges and colours are needed for leaves as well: the lowest layers are the most "
            "widely useful ones.",
        ),
        "b": (
            "The head, because it gives scores for 1,000 other labels",
            "The head is task-specific. It is replaced by a new one with 3 outputs; the rest may "
            "stay, frozen or not.",
        ),
        "c": (
            "All layers, because the label spaces differ",
            "A new label space asks for a new head. The features below it can be shared.",
        ),
    },
    right="b",
)

q_multitask = Question(
    "01.q_multitask",
    "One network is to serve two hospitals, and both must be served well at all times. Both have "
    "some labels. The two hospitals use different lists of diagnoses. Which way fits best?",
    {
        "a": (
            "Transfer: train on the first hospital, then fine-tune on the second",
            "That ends on the second hospital and may forget the first, as the source accuracy "
            "after transfer showed.",
        ),
        "b": (
            "Multi-task learning: shared layers, one head each, trained together",
            "Each list of diagnoses needs a head of its own; the shared layers learn from both.",
        ),
        "c": (
            "Pooling, because more data is always better",
            "Pooling has one head, so it needs the same labels in both hospitals.",
        ),
    },
    right="b",
)

q_negative = Question(
    "01.q_negative",
    "You fine-tuned a source model on 50 target labels. What tells you that the transfer did harm?",
    {
        "a": (
            "The training loss falls slowly",
            "A slow loss may come from a small learning rate. It says nothing about the model "
            "without the source.",
        ),
        "b": (
            "The source accuracy drops",
            "That is forgetting. The target may gain at the same time.",
        ),
        "c": (
            "The target accuracy is below the source accuracy",
            "The target may just be harder. Compare with the target accuracy *without* the source.",
        ),
        "d": (
            "On held-out target data, a model from scratch is better",
            "Negative transfer is the sign of this difference, on target data that neither "
            "model was trained on.",
        ),
    },
    right="d",
)
