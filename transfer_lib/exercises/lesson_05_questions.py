"""Questions of lesson 05."""

from transfer_lib.questions import Question

q_recompile = Question(
    "05.q_recompile",
    "Keras 3 on torch: the head was trained with `fit`, then block 5 was unfrozen, and `fit` is "
    "called again without `compile`. What happens?",
    {
        "a": (
            "`fit` raises an error, because the optimiser meets weights that it does not know",
            "It set up its state in the first `fit`. That is the better case: an error is seen. "
            "If `fit` had not run before, block 5 would have been trained at the head's rate.",
        ),
        "b": (
            "`fit` runs and block 5 stays frozen",
            "So it was in Keras 2. Look at what the cell printed.",
        ),
        "c": (
            "`fit` runs and trains block 5 at the old rate",
            "That happens if `fit` has not run before. After a first `fit`, the optimiser's state "
            "exists and lacks these weights.",
        ),
    },
    right="a",
)

q_fusion = Question(
    "05.q_fusion",
    "You fuse two sets of features and your accuracy rises from 61 % to 63 %. The second set alone "
    "has 63 %. What did fusion gain?",
    {
        "a": (
            "2 points",
            "Compared with the worse of the two. You could have taken the second set alone.",
        ),
        "b": (
            "It cannot be said without the accuracy of the product",
            "Another way of fusing is another method. The control for a fusion is each of its "
            "parts alone.",
        ),
        "c": (
            "Nothing: the better of the two does as well alone",
            "The control of a fusion is the better part alone. And with few labels, differences "
            "of a point or two need many draws before they mean anything.",
        ),
    },
    right="c",
)
