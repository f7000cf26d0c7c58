"""Exercises of lesson 02."""

from transfer_lib.practice import Formula, Wrong, array, call, close, exercise, number

MIXTURE = (
    "This is a mixture, λ and 1 − λ. The formula adds λ times the task loss to the whole shared "
    "loss."
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

SHAPES = ((), (3,), (2,), (4,))

minimiser = Formula(
    "02.minimiser",
    task="Return the number w at which L_shared + lam * L_task is smallest.",
    right="(m_s + lam * m_t) / (1 + lam)",
    cases=lambda rng, i: {
        "m_s": rng.normal(20, 4, SHAPES[i]).round(1),
        "m_t": rng.normal(26, 4, SHAPES[i]).round(1),
        "lam": (0.5, 3.0, 0.2, 7.0)[i],
    },
    wrong={
        "m_s + lam * m_t": "Both terms of the derivative hold w: 1 + λ times in all. Divide by it.",
        "(m_s + lam * m_t) / 2": "Collect w in the derivative: it stands there 1 + λ times, not 2.",
        "(m_s + lam * m_t) / lam": "Collect w in the derivative: it stands there 1 + λ times.",
        "(lam * m_s + m_t) / (1 + lam)": "λ belongs to the target: at λ = 0 the minimum is the "
        "source's mean.",
        "(1 - lam) * m_s + lam * m_t": "This is a mixture with 1 − λ. Here the source has the "
        "weight 1, and both are divided by 1 + λ.",
        "(m_s + m_t) / 2": "λ is missing: this is the middle, the minimum at λ = 1.",
        "(m_s + lam * m_t) / (1 + lam) * 2": "The 2 of the derivative stands before both terms and "
        "drops out when they are set to zero.",
    },
    hints=[
        "The derivative is 2 (w − m_s) + λ · 2 (w − m_t).",
        "Set it to zero and divide by 2: w − m_s + λ w − λ m_t = 0. Bring w to one side.",
        "`return (m_s + lam * m_t) / (1 + lam)`",
    ],
    remark="A weighted mean of the two means, with the weights 1 and λ.",
    what="the minimum",
)

extra_error = Formula(
    "02.extra_error",
    task="Return squared bias plus variance, in minutes squared.",
    right="(delta / (1 + lam)) ** 2 + (lam / (1 + lam)) ** 2 * sigma**2 / m",
    cases=lambda rng, i: {
        "lam": (0.5, rng.uniform(0.1, 4, 3).round(1), 2.0, rng.uniform(0.1, 9, 5).round(1))[i],
        "delta": (6.0, 2.0, 3.5, 1.2)[i],
        "sigma": (4.0, 5.0, 1.5, 7.0)[i],
        "m": (3, 7, 2, 12)[i],
    },
    wrong={
        "(delta / (1 + lam)) ** 2 + (lam / (1 + lam)) ** 2 * sigma**2": "The variance of a mean "
        "of M labels is σ² / M: divide by m.",
        "(delta / (1 + lam)) ** 2 + (lam / (1 + lam)) ** 2 * sigma / m": "σ is squared: the "
        "variance of one label is σ².",
        "(delta / (1 + lam)) ** 2 + lam / (1 + lam) * sigma**2 / m": "The factor λ / (1 + λ) is "
        "squared in the variance.",
        "delta / (1 + lam) + (lam / (1 + lam)) ** 2 * sigma**2 / m": "The bias is squared: both "
        "parts are in minutes squared.",
        "(delta / (1 + lam)) ** 2": "This is the squared bias alone. Add the variance.",
        "(lam / (1 + lam)) ** 2 * sigma**2 / m": "This is the variance alone. Add the squared "
        "bias.",
        "(delta / (1 + lam)) ** 2 - (lam / (1 + lam)) ** 2 * sigma**2 / m": "Both cost: the parts "
        "are added.",
        "(delta / 1 + lam) ** 2 + (lam / 1 + lam) ** 2 * sigma**2 / m": "Python divides before it "
        "adds: write `(1 + lam)` in brackets.",
        "(delta * lam / (1 + lam)) ** 2 + (1 / (1 + lam)) ** 2 * sigma**2 / m": "The factors are "
        "swapped: a large λ has little bias and much variance.",
        "(delta / (1 + lam) + lam / (1 + lam) * sigma / m**0.5) ** 2": "Square each part by "
        "itself, then add.",
    },
    hints=[
        "Two parts, added. The first is `(delta / (1 + lam)) ** 2`.",
        "The second is the squared factor `lam / (1 + lam)` times the variance of a mean, "
        "`sigma ** 2 / m`.",
    ],
    remark="At λ = 0 all of it is bias, at a large λ all of it is variance.",
    what="the extra error",
)


@exercise(
    "02.cross_entropy_gradient",
    hints=[
        "The derivative of log Σ e^s by s_k is e^(s_k) / Σ e^s: the probability p_k. The other "
        "term, −s_c, adds −1 where k is the true class.",
        "`p = np.exp(s - logsumexp(s)[:, None])` are the probabilities, shape (N, K).",
        "Subtract 1 at `p[np.arange(len(c)), c]`, and divide by N, since the loss is a mean.",
    ],
)
def cross_entropy_gradient(answer):
    """Return the gradient of the mean cross-entropy by the logits, shape (N, K)."""
    import numpy as np
    from scipy.special import logsumexp, softmax

    rng = np.random.default_rng(3)
    found = []
    for n, classes in ((2, 3), (5, 4), (4, 6)):
        s, c = 2 * rng.normal(size=(n, classes)), rng.integers(0, classes, n)
        c[:2] = 0, 1
        value = array(call(answer, s, c), "the gradient")
        p, truth = softmax(s, axis=1), np.eye(classes)[c]
        picked = np.arange(n), c

        def loss(z, c=c, picked=picked):
            return np.mean(logsumexp(z, axis=1) - z[picked])

        judge = np.zeros_like(s)  # finite differences
        for index in np.ndindex(s.shape):
            move = np.zeros_like(s)
            move[index] = 1e-6
            judge[index] = (loss(s + move) - loss(s - move)) / 2e-6
        if value.shape == (n,):
            raise Wrong(
                "This has one number per example. Every logit has a derivative, those of the wrong "
                "classes too: the shape is (N, K)."
            )
        if value.shape != s.shape:
            raise Wrong(
                f"For logits of shape {s.shape} the gradient has that shape too; yours has "
                f"{value.shape}."
            )
        known = {
            "p - truth": (n * judge, "The factor 1/N is missing: the loss is a mean."),
            "-": (
                -judge,
                "The sign is turned: probability minus truth. Raising the true score "
                "lowers the loss.",
            ),
            "-n": (-n * judge, "The sign is turned, and the factor 1/N is missing."),
            "p": (p / n, "The truth is missing: subtract 1 where the true class is."),
            "pn": (p, "Subtract 1 where the true class is, and divide by N."),
            "size": (n * judge / s.size, "You divide by N times K. The mean is over the examples."),
            "true": (
                np.where(truth == 1, judge, 0),
                "Only the true class is right. The wrong ones "
                "have a derivative as well, their probability.",
            ),
            "log": (
                (np.log(p) - truth) / n,
                "The derivative of log Σ e^s is the probability, not its logarithm.",
            ),
            "column": (
                (softmax(s, axis=0) - truth) / n,
                "Softmax runs over the wrong axis: the "
                "probabilities of one example, a row, sum to 1.",
            ),
        }
        hits = [words for mistaken, words in known.values() if close(value, mistaken, 1e-5)]
        found.append((close(value, judge, 1e-4, 1e-7), hits, value, judge))
    if all(right for right, *_ in found):
        return "Each row sums to zero: what one class gains, the others lose."
    for words in found[0][1]:
        if all(words in hits for _, hits, *_ in found):
            raise Wrong(words)
    _, _, value, judge = found[0]
    raise Wrong(
        f"Finite differences give {judge[0].round(3).tolist()} for the first example of the "
        f"check; yours is {value[0].round(3).tolist()}."
    )


@exercise(
    "02.descend",
    hints=[
        "In which direction does the loss fall: with its slope, or against it?",
        "From where does the second step start? The hurried version uses the same place for all.",
        "`path.append(path[-1] - rate * slope(path[-1]))`",
    ],
)
def descend(answer):
    """Return all places of gradient descent: the start, then one per step."""
    import numpy as np

    for goal, start, rate, steps in ((3.0, 10.0, 0.1, 4), (-2.0, 1.0, 0.3, 1), (5.0, 5.5, 0.7, 6)):

        def slope(w, goal=goal):
            return 2 * (w - goal)

        value = array(call(answer, slope, start, rate, steps), "the path").ravel()
        right = goal + (start - goal) * (1 - 2 * rate) ** np.arange(steps + 1)
        far = start + np.arange(steps + 1) * 0.0
        if value.size == 1 and steps > 1:
            raise Wrong("Return the whole path as a list, not its last place.")
        if close(value, right):
            continue
        if close(value, right[1:]):
            raise Wrong("The start is missing: it is the first place of the path.")
        if close(value, right[:-1]):
            raise Wrong(f"One step is missing: {steps} steps and the start are {steps + 1} places.")
        if close(value, goal + (start - goal) * (1 + 2 * rate) ** np.arange(steps + 1)):
            raise Wrong("It walks uphill: go against the slope, with a minus.")
        far[1:] = start - rate * slope(start)
        if steps > 1 and close(value, far):
            raise Wrong("Every step starts from the start. Go on from the last place, `path[-1]`.")
        far[1:] = start + rate * slope(start)
        if close(value, far):
            raise Wrong("Both faults are still there: the sign, and where each step starts.")
        if close(value, start - slope(start) * rate * np.arange(steps + 1)):
            raise Wrong("The slope is taken at the start for all steps. Take it at the last place.")
        if value.size != steps + 1:
            raise Wrong(
                f"{steps} steps and the start are {steps + 1} places; yours has {value.size}."
            )
        raise Wrong(
            f"For the slope 2 (w − {goal:g}) from {start:g} with the rate {rate:g} the path begins "
            f"{right[:3].round(3).tolist()}; yours begins {value[:3].round(3).tolist()}."
        )
    return "With 0.7 it jumps from side to side of the minimum, and still arrives."


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
