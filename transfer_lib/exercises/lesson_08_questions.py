"""Questions of lesson 08."""

from transfer_lib.questions import Question

q_weights = Question(
    "08.q_weights",
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

q_strategy = Question(
    "08.q_strategy",
    "Few target labels, and a domain that is far from the source. What does the map of section 5 "
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
