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

q_weights = Question(
    "01.q_weights",
    "When can importance weights w(x) = P_T(x) / P_S(x) not repair the shift?",
    {
        "a": (
            "When the target has points where the source has none, or when P(Y|X) differs",
            "A weight multiplies examples that exist, and it looks at x alone.",
        ),
        "b": (
            "When there are no target labels",
            "The weights need target inputs only, no labels.",
        ),
        "c": (
            "When the source is larger than the target",
            "The sample sizes enter the formula as n_S / n_T; any sizes will do.",
        ),
    },
    right="a",
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

q_strategy = Question(
    "01.q_strategy",
    "Few target labels, and a domain that is far from the source. What does the map of section 10 "
    "advise?",
    {
        "a": (
            "Freeze, because few labels would overfit",
            "That is the folk rule. In the rows of 60 and 90 degrees freezing lost to scratch: the "
            "frozen features are wrong for the target.",
        ),
        "b": (
            "Adapt by CORAL, which needs no labels",
            "CORAL helped in the near domain. Far away, matched covariances did not bring the "
            "classes together.",
        ),
        "c": (
            "Train from scratch as the control, and expect little from this source; look for a "
            "nearer one or for more labels",
            "Far away nothing beat scratch by much. A nearer source or some more labels are worth "
            "more than a cleverer method.",
        ),
    },
    right="c",
)

q_few = Question(
    "01.q_few",
    "The gain of transfer over training from scratch is usually largest when the target has ...",
    {
        "a": (
            "few labels, and a related source",
            "The source stands in for target data that is missing.",
        ),
        "b": (
            "many labels",
            "With many labels, scratch learns all of it by itself, and the gain shrinks.",
        ),
        "c": (
            "no relation to the source, so that everything is new",
            "Then there is nothing to carry over, and the gain may be negative.",
        ),
    },
    right="a",
)
