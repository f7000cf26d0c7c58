"""Exercises of lesson 02."""

from transfer_lib.practice import Formula, Wrong, array, call, close, exercise, number

PER_EXAMPLE = (
    "This has one number per example. The gradient by w has one per weight: multiply the errors "
    "by X.T."
)
BY_WEIGHTS = "You divide by d, the number of weights; the mean is over the N examples."
MIXTURE = (
    "This is a mixture, λ and 1 − λ. The formula adds λ times the task loss to the whole shared "
    "loss."
)


def _random(seed=0):
    import numpy as np

    return np.random.default_rng(seed)


weight_gradient = Formula(
    "02.weight_gradient",
    task="Return the gradient of the mean squared error of X @ w by w.",
    right="2 / len(y) * X.T @ (X @ w - y)",
    cases=lambda rng, i: {
        "X": rng.normal(size=((2, 3, 5, 7)[i], (1, 2, 4, 3)[i])).round(1),
        "y": rng.normal(size=(2, 3, 5, 7)[i]).round(1),
        "w": rng.normal(size=(1, 2, 4, 3)[i]).round(1),
    },
    wrong={
        "2 / len(y) * (X @ w - y)": PER_EXAMPLE,
        "X @ w - y": PER_EXAMPLE,
        "2 * (X @ w - y)": PER_EXAMPLE,
        "2 / len(y) * X.T @ (y - X @ w)": "The sign is turned: the error is the prediction minus "
        "the truth, X @ w - y.",
        "2 * X.T @ (X @ w - y)": "This is the gradient of the sum: the factor 1/N is missing. "
        "Divide by the number of examples.",
        "1 / len(y) * X.T @ (X @ w - y)": "The factor 2, from the derivative of the square, is "
        "missing.",
        "X.T @ (X @ w - y)": "The factor 2/N is missing: 2 from the square, 1/N from the mean.",
        "2 / len(w) * X.T @ (X @ w - y)": BY_WEIGHTS,
        "1 / len(w) * X.T @ (X @ w - y)": BY_WEIGHTS,
    },
    hints=[
        "First the errors, prediction minus truth: `X @ w - y`, shape (N,).",
        "Each weight collects the errors of all examples: `X.T @ errors`, shape (d,).",
        "`return 2 / len(y) * X.T @ (X @ w - y)`",
    ],
    remark="At the least-squares solution this is zero: the errors are orthogonal to each column.",
    what="the gradient",
)


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


total_loss = Formula(
    "02.total_loss",
    task="Return L_shared + lam * L_task, each a mean over its own examples.",
    right="np.mean((y - y_hat) ** 2) + lam * np.mean((z - z_hat) ** 2)",
    cases=lambda rng, i: {
        "y": rng.normal(size=(3, 4, 7, 9)[i]).round(1),
        "y_hat": rng.normal(size=(3, 4, 7, 9)[i]).round(1),
        "z": rng.normal(size=(2, 6, 3, 5)[i]).round(1),
        "z_hat": rng.normal(size=(2, 6, 3, 5)[i]).round(1),
        "lam": (0.3, 3.0, 0.7, 1.7)[i],
    },
    wrong={
        "lam * np.mean((y - y_hat) ** 2) + np.mean((z - z_hat) ** 2)": "λ multiplies the wrong "
        "term: it belongs to the task loss, that of the target.",
        "lam * (np.mean((y - y_hat) ** 2) + np.mean((z - z_hat) ** 2))": "λ multiplies both "
        "terms. It belongs to the task loss only.",
        "np.mean((y - y_hat) ** 2) + np.mean((z - z_hat) ** 2)": "λ is missing: multiply the task "
        "loss by it.",
        "np.sum((y - y_hat) ** 2) + lam * np.sum((z - z_hat) ** 2)": "These are sums: 1/N and 1/M "
        "are missing. Take means.",
        "(np.sum((y - y_hat) ** 2) + lam * np.sum((z - z_hat) ** 2)) / (len(y) + len(z))": "You "
        "divide by N + M. Each loss is a mean over its own examples: 1/N for the source, 1/M for "
        "the target.",
        "(np.sum((y - y_hat) ** 2) + lam * np.sum((z - z_hat) ** 2)) / len(y)": "Both sums are "
        "divided by N. The task loss has M examples: divide it by M.",
        "lam * np.mean((y - y_hat) ** 2) + (1 - lam) * np.mean((z - z_hat) ** 2)": MIXTURE,
        "(1 - lam) * np.mean((y - y_hat) ** 2) + lam * np.mean((z - z_hat) ** 2)": MIXTURE,
        "np.mean((y - y_hat) ** 2) + lam * np.sum((z - z_hat) ** 2)": "The task loss is a sum: "
        "divide by M.",
        "np.sum((y - y_hat) ** 2) + lam * np.mean((z - z_hat) ** 2)": "The shared loss is a sum: "
        "divide by N.",
        "np.mean((y - y_hat) ** 2) + 0.3 * np.mean((z - z_hat) ** 2)": "Right for λ = 0.3, but not "
        "for other values. Use the argument `lam`.",
        "np.mean(y - y_hat) ** 2 + lam * np.mean(z - z_hat) ** 2": "Square the errors first, then "
        "take the mean: errors of both signs cancel in a mean.",
    },
    hints=[
        "Each of the two losses is a mean over its own examples.",
        "`np.mean((y - y_hat) ** 2)` is the shared loss. λ multiplies the other one.",
        "`return np.mean((y - y_hat) ** 2) + lam * np.mean((z - z_hat) ** 2)`",
    ],
    remark="With λ = 1 both domains weigh the same, whatever their sizes.",
    what="the total loss",
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
