"""Exercises of lesson 02."""

from transfer_lib.checking import Wrong, array, call, close, exercise, number
from transfer_lib.exercises import lesson_02_questions


def _random(seed=0):
    import numpy as np

    return np.random.default_rng(seed)


def _vector(value, shape, what):
    """Read an answer that must have this shape."""
    result = array(value, what)
    if result.shape != shape:
        raise Wrong(f"Expected the shape {shape} for {what}; yours has the shape {result.shape}.")
    return result


@exercise(
    "02.weight_gradient",
    hints=[
        "First the errors, prediction minus truth: `X @ w - y`, shape (N,).",
        "Each weight collects the errors of all examples: `X.T @ errors`, shape (d,).",
        "`return 2 / len(y) * X.T @ (X @ w - y)`",
    ],
)
def weight_gradient(answer):
    """Return the gradient of the mean squared error of X @ w by w."""
    rng = _random()
    X, y, w = rng.normal(size=(7, 3)), rng.normal(size=7), rng.normal(size=3)
    value = array(call(answer, X, y, w), "the gradient")
    right = 2 / 7 * X.T @ (X @ w - y)
    if value.shape == (7,):
        raise Wrong(
            "This has one number per example. The gradient by w has one per weight: multiply the "
            "errors by X.T."
        )
    value = _vector(value, (3,), "the gradient, one number per weight")
    if close(value, -right):
        raise Wrong("The sign is turned: the error is the prediction minus the truth, X @ w - y.")
    if close(value, 7 * right):
        raise Wrong(
            "This is the gradient of the sum: the factor 1/N is missing. Divide by the number of "
            "examples."
        )
    if close(value, right / 2):
        raise Wrong("The factor 2, from the derivative of the square, is missing.")
    if close(value, 3.5 * right):
        raise Wrong("The factor 2/N is missing: 2 from the square, 1/N from the mean.")
    if close(value, right * 7 / 3) or close(value, right * 7 / 6):
        raise Wrong("You divide by d, the number of weights; the mean is over the N examples.")
    if not close(value, right):
        raise Wrong(
            f"For the check's data the gradient is {right.round(3)}; yours {value.round(3)}."
        )
    return "At the least-squares solution this is zero: the errors are orthogonal to each column."


@exercise(
    "02.cross_entropy",
    hints=[
        "Per example: `logsumexp` of its logits, minus the logit of its true class.",
        "`z[np.arange(len(y)), y]` takes the logit of the true class of each row, shape (N,). "
        "`logsumexp(z)[:, 0]` has the shape (N,) too.",
        "`return np.mean(logsumexp(z)[:, 0] - z[np.arange(len(y)), y])`",
    ],
)
def cross_entropy(answer):
    """Return the mean cross-entropy of logits z (N, K) and classes y (N,)."""
    import numpy as np
    from scipy.special import log_softmax, softmax

    z, y = 2 * _random(1).normal(size=(5, 3)), np.array([0, 2, 1, 2, 0])
    picked = log_softmax(z, axis=1)[np.arange(5), y]
    right = -picked.mean()
    value = array(call(answer, z, y), "the loss")
    if value.shape == (5,):
        raise Wrong("This is one loss per example. Take their mean.")
    value = number(value, "the loss")
    twice = -log_softmax(softmax(z, axis=1), axis=1)[np.arange(5), y].mean()
    if close(value, twice):
        raise Wrong(
            "Softmax is applied twice: once by you and once inside the log of softmax. Start from "
            "the logits."
        )
    if close(value, -softmax(z, axis=1)[np.arange(5), y].mean()):
        raise Wrong("The logarithm is missing: this is the mean probability with a minus sign.")
    if close(value, 5 * right):
        raise Wrong("This is the sum over the examples: the factor 1/N is missing. Take the mean.")
    if close(value, right / 3):
        raise Wrong("You average over examples and classes. Divide by N only, not by N times K.")
    if close(value, -right):
        raise Wrong(
            "The sign is turned: the loss is minus the log of a probability, never below 0."
        )
    if close(value, right / np.log(2)):
        raise Wrong("This uses the logarithm to base 2. The formula has the natural one, np.log.")
    if not close(value, right):
        raise Wrong(f"For the check's logits the loss is {right:.4f}; yours is {value:.4f}.")
    _must_survive_1000(answer)
    return "And it survives logits of 1000."


def _must_survive_1000(answer):
    """Tell an overflow from a probability that is rounded to zero."""
    import numpy as np

    def loss(z, y):
        return float(array(call(answer, np.array(z), np.array(y)), "the loss").mean())

    both = loss([[1000.0, 0.0], [0.0, -1000.0]], [0, 1])
    if close(both, 500):
        return
    told = (
        "Right for small logits, but not for logits of 1000. The two losses are 0 and 1000, mean "
        f"500; yours is {both:g}. "
    )
    if np.isnan(both):
        raise Wrong(
            told + "np.exp(1000) overflows, or 0 times log(0) is not a number. Subtract logits: "
            "logsumexp minus the logit of the label, no softmax, no log of it."
        )
    if close(loss([[0.0, -1000.0]], [1]), 1000):  # nothing is lost but by the large exponent
        raise Wrong(told + "Take the largest logit out first, as `logsumexp` does.")
    raise Wrong(
        told + "A probability of e^-1000 is rounded to 0 before you take its log. Do not go "
        "through softmax: use logsumexp minus the logit."
    )


@exercise(
    "02.total_loss",
    hints=[
        "Each of the two losses is a mean over its own examples.",
        "`np.mean((y - y_hat) ** 2)` is the shared loss. λ multiplies the other one.",
        "`return np.mean((y - y_hat) ** 2) + lam * np.mean((z - z_hat) ** 2)`",
    ],
)
def total_loss(answer):
    """Return L_shared + lam * L_task, each a mean over its own examples."""
    import numpy as np

    y, y_hat = np.array([1.0, 2.0, 0.0, 4.0]), np.array([0.0, 2.0, 2.0, 1.0])
    z, z_hat, lam = np.array([3.0, 1.0]), np.array([1.0, 2.0]), 0.3
    shared, task = np.mean((y - y_hat) ** 2), np.mean((z - z_hat) ** 2)
    right = shared + lam * task
    value = number(call(answer, y, y_hat, z, z_hat, lam), "the total loss")
    n, m = len(y), len(z)
    mixture = (
        "This is a mixture, λ and 1 − λ. The formula adds λ times the task loss to the whole "
        "shared loss."
    )
    mistakes = {
        lam * shared + task: "λ multiplies the wrong term: it belongs to the task loss, that of "
        "the target.",
        lam * (shared + task): "λ multiplies both terms. It belongs to the task loss only.",
        shared + task: "λ is missing: multiply the task loss by it.",
        n * shared + lam * m * task: "These are sums: 1/N and 1/M are missing. Take means.",
        (n * shared + lam * m * task) / (n + m): "You divide by N + M. Each loss is a mean over "
        "its own examples: 1/N for the source, 1/M for the target.",
        (n * shared + lam * m * task) / n: "Both sums are divided by N. The task loss has M "
        "examples: divide it by M.",
        lam * shared + (1 - lam) * task: mixture,
        (1 - lam) * shared + lam * task: mixture,
        shared + lam * m * task: "The task loss is a sum: divide by M.",
        n * shared + lam * task: "The shared loss is a sum: divide by N.",
    }
    other = number(call(answer, y, y_hat, z, z_hat, 3.0), "the total loss")
    if close(value, right) and close(other, shared + 3 * task):
        return "With λ = 1 both domains weigh the same, whatever their sizes."
    for mistaken, words in mistakes.items():
        if close(value, mistaken) and not close(mistaken, right):
            raise Wrong(words)
    if close(value, right):
        raise Wrong("Right for λ = 0.3, but not for λ = 3. Use the argument `lam`.")
    raise Wrong(
        f"For L_shared = {shared:g}, L_task = {task:g} and λ = 0.3 the total is {right:g}; yours "
        f"is {value:.4g}."
    )


@exercise(
    "02.equal_weight",
    hints=[
        "The effective weight of the target is λ n_t / n_s. Equal weights mean that it is 1.",
        "Solve λ · 20 / 20000 = 1.",
    ],
)
def equal_weight(answer):
    """Give the λ with which the sum weights both domains alike, for n_s = 20000 and n_t = 20."""
    value = number(answer, "λ")
    if close(value, 1):
        raise Wrong(
            "With λ = 1 every example counts alike, so the source has a thousand votes for each "
            "of the target."
        )
    if close(value, 0.001):
        raise Wrong("This is the effective weight at λ = 1. You want the λ that makes up for it.")
    if close(value, 20000) or close(value, 20):
        raise Wrong("Close: it is the ratio of the two sizes that counts, not one of them.")
    if close(value, 0.5):
        raise Wrong(
            "Half and half would be the weights of a mixture of means. Here each sum has as many "
            "terms as examples: solve λ n_t / n_s = 1."
        )
    if not close(value, 1000):
        raise Wrong(f"λ = {value:g} gives the effective weight {value * 20 / 20000:g}, not 1.")
    return "λ = n_s / n_t turns the sums into means."


# The questions, after the exercises.
q_softmax = lesson_02_questions.q_softmax
q_lambda = lesson_02_questions.q_lambda
q_sum = lesson_02_questions.q_sum
q_rate = lesson_02_questions.q_rate
q_warm = lesson_02_questions.q_warm
