"""Questions of lesson 09."""

from transfer_lib.questions import Question

q_collapse = Question(
    "09.q_collapse",
    "A deep network f replaces the affine map, and it is trained on random pairs (source input, "
    "target input). What does it learn with enough data?",
    {
        "a": (
            "A better mapping: the affine one was too weak",
            "The proof never used that f is affine. The minimiser over *all* functions is the "
            "constant.",
        ),
        "b": (
            "The identity",
            "The identity keeps the spread of the source, and that spread costs: line 2 of the "
            "proof.",
        ),
        "c": (
            "The nearest target point for each source point",
            "That would need the pairs to be near each other; these are drawn at random.",
        ),
        "d": (
            "The constant, the mean of the target",
            "Independent pairs hold no information on which point belongs to which. With little "
            "data it fits the noise; with much it is the constant.",
        ),
    },
    right="d",
)

q_marginals = Question(
    "09.q_marginals",
    "After alignment the MMD of the inputs is as small as for two samples of one distribution. "
    "What follows for the accuracy on the target?",
    {
        "a": (
            "It is as high as on the source",
            "Only if p(y | x) is the same as well. At 140 degrees the MMD was as small, and nearly "
            "every label wrong.",
        ),
        "b": (
            "Nothing, without a look at some target labels",
            "Matched marginals say nothing about which class lies where.",
        ),
        "c": (
            "It is at least as high as before the alignment",
            "Alignment can also move the classes onto the wrong side, as it did at 140 degrees.",
        ),
    },
    right="b",
)
