"""Questions of lesson 02."""

from transfer_lib.questions import Question

q_softmax = Question(
    "02.q_softmax",
    "A network ends with a softmax layer and is trained with a loss that expects logits. What do "
    "you see?",
    {
        "a": (
            "An error message, because the shapes do not fit",
            "Logits and probabilities have the same shape, so nothing complains. That is what "
            "makes the mistake last.",
        ),
        "b": (
            "The loss becomes NaN",
            "Values between 0 and 1 are harmless as logits. It is large logits in a naive softmax "
            "that give NaN.",
        ),
        "c": (
            "Training runs, slowly, and the loss stops well above zero",
            "The scores lie between 0 and 1, so the second softmax can never be sure, and wrong "
            "examples hardly pull.",
        ),
        "d": (
            "Nothing: softmax of a softmax is the same",
            "It is not: probabilities are squeezed towards 1/K. Compare the two curves above.",
        ),
    },
    right="c",
)

q_lambda = Question(
    "02.q_lambda",
    "You had 15 target labels and tuned λ. Now you have 400, all else equal. How will the best λ "
    "move?",
    {
        "a": (
            "Down: with more target labels each one needs less weight",
            "L_task is a mean, so its size does not grow with the labels. Its *noise* falls, so it "
            "can be trusted more.",
        ),
        "b": (
            "Up: the target's mean has become less noisy and deserves more trust",
            "The variance that λ buys falls with the number of labels, so it pays to buy more of "
            "it, and less bias.",
        ),
        "c": (
            "Not at all: λ says how much the target matters to me",
            "What matters is always the target error. λ says how far to trust the few target "
            "labels in estimating it.",
        ),
    },
    right="b",
)

q_sum = Question(
    "02.q_sum",
    "A paper minimises the sum over all examples with λ = 1, with 1,000 source examples per target "
    "example. What does it nearly do?",
    {
        "a": (
            "It trains on the source alone",
            "The effective weight of the target is λ n_t / n_s, a thousandth.",
        ),
        "b": (
            "It weights both domains alike, since λ = 1",
            "It weights all *examples* alike. The domains then weigh 1,000 to 1.",
        ),
        "c": (
            "It trains on the target alone, since the source cancels out",
            "The source has a thousand times more terms; nothing cancels.",
        ),
    },
    right="a",
)

q_rate = Question(
    "02.q_rate",
    "The curvatures of a loss are 1 and 50. Below which learning rate does the walk converge, and "
    "which curvature sets it?",
    {
        "a": (
            "2, set by the curvature 1",
            "Along the other direction the factor would be 1 − 2 · 50 = −99: the walk explodes.",
        ),
        "b": (
            "1/25.5, set by the mean of both",
            "The mean sets no limit; it gives 2/(1 + 50), the fastest rate. The walk converges "
            "a little above it as well, until the steepest direction fails.",
        ),
        "c": (
            "2/50 = 0.04, set by the curvature 50",
            "η h must stay below 2 in every direction. Just below 0.04 the direction of curvature "
            "1 shrinks by only 4 % per step, and that of curvature 50 hardly at all.",
        ),
    },
    right="c",
)

q_warm = Question(
    "02.q_warm",
    "A target loss with a single minimum is minimised to the end, once from zeros and once from "
    "the source's weights. What can the warm start change?",
    {
        "a": (
            "The number of steps, but not the final error",
            "One minimum, so one end. With fewer labels than weights a convex loss has a valley "
            "of minima instead, and then the start decides where in it you end.",
        ),
        "b": (
            "The final error, but not the number of steps",
            "It is the other way round: both walks end at the one minimum.",
        ),
        "c": (
            "Both: the source's knowledge stays in the weights",
            "Minimised to the end, a loss with a single minimum forgets where the walk started. "
            "What is to stay must be paid for in the loss (L2-SP) or kept by stopping early.",
        ),
    },
    right="a",
)
