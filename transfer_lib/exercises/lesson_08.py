"""Exercises of lesson 08."""

from transfer_lib.practice import Formula, Wrong, array, call, close, exercise, number

UPSIDE_DOWN = (
    "This is the ratio upside down: it gives most weight to the points that look least like the "
    "target."
)
NORMALISED = "These weights are normalised. Return the ratio itself; normalising is another step."
SHAPES = ((2,), (3,), (2, 3), (4,))


def _values(value, shape, what):
    """Return an answer as an array; raise Wrong unless it has this shape."""
    value = array(value, what)
    if value.shape != shape:
        raise Wrong(f"Expected {what} of shape {shape}; this has the shape {value.shape}.")
    return value


def _first_difference(value, right):
    """Return the position of the first entry that is not right."""
    import numpy as np

    return int(np.flatnonzero(~np.isclose(value, right, 1e-4, 1e-6))[0])


ratio = Formula(
    "08.ratio",
    task="Return the importance weight of each source point from p(target).",
    right="p_target / (1 - p_target) * n_source / n_target",
    cases=lambda rng, i: {
        "p_target": rng.uniform(0.05, 0.95, (3, 5, 9, 4)[i]).round(2),
        "n_source": (500, 70, 900, 333)[i],
        "n_target": (200, 160, 370, 90)[i],
    },
    wrong={
        "p_target": "This is the probability itself. The ratio of two densities is p / (1 - p).",
        "p_target / (1 - p_target)": "These are the odds p / (1 - p). The classifier saw other "
        "numbers of source and of target points, which shifts all odds alike: correct by n_source "
        "/ n_target.",
        "(1 - p_target) / p_target": UPSIDE_DOWN,
        "(1 - p_target) / p_target * n_source / n_target": UPSIDE_DOWN,
        "(1 - p_target) / p_target * n_target / n_source": UPSIDE_DOWN,
        "p_target / (1 - p_target) * n_target / n_source": "The sample sizes are swapped: multiply "
        "by n_source / n_target.",
        "p_target / (1 - p_target) * (n_source // n_target)": "`//` cuts the ratio of the sizes "
        "off to a whole number. Divide with `/`.",
        "p_target / (1 - p_target) / (p_target / (1 - p_target)).sum()": NORMALISED,
        "p_target / (1 - p_target) / (p_target / (1 - p_target)).mean()": NORMALISED,
    },
    hints=[
        "The odds `p / (1 - p)` compare target with source at a point.",
        "With more source points than target points the odds are too small everywhere: multiply "
        "by `n_source / n_target`.",
        "`return p_target / (1 - p_target) * n_source / n_target`",
    ],
    remark="Where p is 1/2 and the sizes are equal, the weight is 1.",
    what="the weights",
)


@exercise(
    "08.reweight",
    hints=[
        "Four cases: source or target, right or wrong. Right ones keep their weight.",
        "A wrong source example is multiplied by `beta`, which is below 1. A wrong target example "
        "is multiplied by `(1 - error) / error`, which is above 1.",
        "`new[:n_source] *= np.where(wrong[:n_source], beta, 1)`, and likewise for the rest.",
    ],
)
def reweight(answer):
    """Return the weights after one round of TrAdaBoost."""
    import numpy as np

    w = np.array([0.1, 0.2, 0.3, 0.2, 0.2])
    wrong = np.array([True, False, True, True, False])
    beta, error = 0.5, 0.2
    changes = "Your function changes the array it is given. Work on a copy: `np.array(w)`."
    value = call(answer, w, wrong, 3, beta, error, mutation=changes)
    value = _values(value, (5,), "the weights")
    grow = (1 - error) / error

    def after(source, target, hit=wrong):
        return w * np.where(hit, np.r_[[source] * 3, [target] * 2], 1)

    right = after(beta, grow)
    if close(value, right / right.sum()):
        return "Right, and normalised, which the next round would do."
    if close(value, after(grow, grow)):
        raise Wrong("That is AdaBoost for all. A wrong *source* example must lose weight.")
    if close(value, after(grow, beta)) or close(value, after(1 / beta, 1 / grow)):
        raise Wrong("Source and target are swapped: source examples shrink, target ones grow.")
    if close(value, after(beta, 1 / grow)):
        raise Wrong(
            "The target factor is upside down. A wrong target example must gain weight: "
            "(1 - error) / error, which is above 1."
        )
    if close(value, after(beta, 1)) or close(value, after(1, grow)):
        raise Wrong("Only one of the two sets changed; both have a rule for wrong examples.")
    if close(value, after(beta, grow, ~wrong)):
        raise Wrong("You changed the examples that were right; change the wrong ones.")
    if close(value, w * np.r_[[beta] * 3, [grow] * 2]):
        raise Wrong("You changed right examples as well; they keep their weight.")
    if not close(value, right):
        i = _first_difference(value, right)
        kind = f"{'wrong' if wrong[i] else 'right'} {'source' if i < 3 else 'target'} example"
        raise Wrong(
            f"With beta = 0.5 and error = 0.2, a {kind} of weight {w[i]:g} should have the new "
            f"weight {right[i]:.4g}; yours is {value[i]:.4g}."
        )
    return None


@exercise(
    "08.coral_loss",
    hints=[
        "`np.cov(x, rowvar=False)` centres and divides by n - 1.",
        "The squared Frobenius norm is the sum of the squares of all entries.",
        "`return np.sum((np.cov(x_source, rowvar=False) - np.cov(x_target, rowvar=False)) ** 2) "
        "/ (4 * d**2)`",
    ],
)
def coral_loss(answer):
    """Return the squared distance of two covariance matrices over 4 d squared."""
    import numpy as np

    rng = np.random.default_rng(3)
    xs, xt = rng.normal(2, 1, (40, 3)), rng.normal(-1, 2, (30, 3))
    even = number(call(answer, xs[:30].copy(), xt.copy()), "the loss")  # as many rows in both
    rows = np.sum((np.cov(xs[:30]) - np.cov(xt)) ** 2)
    if any(close(even, rows / divisor) for divisor in (1, 4, 9, 36, 30**2, 4 * 30**2)):
        raise Wrong("These are covariances of the rows. Use `rowvar=False`: features are columns.")
    value = number(call(answer, xs.copy(), xt.copy()), "the loss")
    c_s, c_t = np.cov(xs, rowvar=False), np.cov(xt, rowvar=False)
    gap = np.sum((c_s - c_t) ** 2)
    raw = np.sum((xs.T @ xs / 40 - xt.T @ xt / 30) ** 2)
    raw_1 = np.sum((xs.T @ xs / 39 - xt.T @ xt / 29) ** 2)
    if any(close(value, bad / 36) or close(value, bad) for bad in (raw, raw_1)):
        raise Wrong(
            "The covariance is not centred: subtract each set's own mean before you multiply. "
            "`np.cov` does it."
        )
    if close(value, gap):
        raise Wrong("The distance is right; divide it by 4 d squared.")
    if close(value, np.sqrt(gap)) or close(value, np.sqrt(gap) / 36):
        raise Wrong("The norm is squared in the loss: leave out the square root.")
    if close(value, gap / 4) or close(value, gap / 12):
        raise Wrong("Divide by 4 d squared, where d is the number of features (columns).")
    if close(value, gap / 9):
        raise Wrong("The 4 is missing: divide by 4 d squared.")
    if close(value, gap / 4 * 9):
        raise Wrong("Python divides by 4 and then multiplies by d²: write `/ (4 * d**2)`.")
    if any(close(value, gap / (4 * n**2)) for n in (40, 30)):
        raise Wrong("d counts columns, the features: `x_source.shape[1]`, not the rows.")
    biased = np.sum((c_s * 39 / 40 - c_t * 29 / 30) ** 2) / 36
    if close(value, biased):
        return "Right up to the factor: this divides by n, the paper by n - 1."
    if not close(value, gap / 36):
        raise Wrong(f"On the check's points the loss is {gap / 36:.4g}; yours is {value:.4g}.")
    return "It is zero when the covariances agree, whatever the means are."


pull = Formula(
    "08.pull",
    task="Return the gradient of L(w) + alpha / 2 * ||w - w_source||^2.",
    right="loss_gradient + alpha * (w - w_source)",
    cases=lambda rng, i: {
        "loss_gradient": rng.normal(size=SHAPES[i]).round(1),
        "w": rng.normal(size=SHAPES[i]).round(1),
        "w_source": rng.normal(size=SHAPES[i]).round(1),
        "alpha": (0.4, 1.7, 0.3, 2.6)[i],
    },
    wrong={
        "loss_gradient + alpha * w": "This pulls towards zero, as plain L2 does. Pull towards "
        "w_source.",
        "loss_gradient - alpha * (w - w_source)": "The sign of the pull is wrong: descent would "
        "drive w away from w_source.",
        "loss_gradient + 2 * alpha * (w - w_source)": "A factor 2 too much: the penalty has alpha "
        "/ 2, which cancels the 2.",
        "loss_gradient + alpha / 2 * (w - w_source)": "The 2 of the square is missing: the "
        "gradient of alpha / 2 x^2 is alpha x.",
        "loss_gradient + (w - w_source)": "alpha is missing in the pull.",
        "alpha * (w - w_source)": "This is the pull alone; add the gradient of the loss.",
        "loss_gradient": "This is the gradient of the loss alone; add the pull.",
        "loss_gradient + alpha * w_source": "This adds alpha * w_source. The pull is the "
        "difference, alpha * (w - w_source).",
        "loss_gradient + alpha * abs(w - w_source)": "The difference has lost its sign: leave out "
        "the absolute value.",
        "loss_gradient + alpha * (w - w_source) ** 2": "This is the penalty, not its gradient: the "
        "derivative of a square is no square.",
    },
    hints=[
        "The gradient of a sum is the sum of the gradients.",
        "The gradient of (alpha / 2) (w - w_source)^2 is alpha (w - w_source).",
        "`return loss_gradient + alpha * (w - w_source)`",
    ],
    remark="At w = w_source the pull vanishes and only the target loss speaks.",
    what="the gradient",
)


@exercise(
    "08.cold_start",
    hints=[
        "The part of user i and item j is the dot product of two rows: `users @ items.T`.",
        "Add the mean of each item; NumPy adds a vector of shape (m,) to every row.",
        "`return np.clip(item_mean + users @ items.T, 0.5, 5)`",
    ],
)
def cold_start(answer):
    """Return item means plus user factors times item factors, between 0.5 and 5."""
    import numpy as np

    users = np.array([[1.0, 0.5], [-4.0, 0.2], [0.0, 3.0], [0.1, 0.1]])  # one far below, one above
    items = np.array([[0.5, -0.5], [1.0, 1.0], [-0.5, 0.3]])
    mean = np.array([3.0, 3.5, 2.5])
    value = array(call(answer, users.copy(), items.copy(), mean.copy()), "the ratings")
    parts = users @ items.T
    right = np.clip(mean + parts, 0.5, 5)
    if value.shape == (3, 4):
        raise Wrong("Rows and columns are swapped: one row per user, one column per item.")
    if value.shape != (4, 3):
        raise Wrong(f"Expected ratings of shape (4, 3); this has the shape {value.shape}.")
    if close(value, mean + parts):
        raise Wrong("Nearly: some predictions leave the scale. Keep them between 0.5 and 5.")
    if close(value, parts) or close(value, np.clip(parts, 0.5, 5)):
        raise Wrong("The mean rating of each item is missing; the factors say only what differs.")
    if close(value, np.tile(mean, (4, 1))):
        raise Wrong("This is the control, the mean of each item. Add the part of the user.")
    if close(value, np.minimum(mean + parts, 5)) or close(value, np.maximum(mean + parts, 0.5)):
        raise Wrong("One end of the scale is open. Keep predictions between 0.5 and 5.")
    if any(close(value, np.clip(mean + parts, low, 5)) for low in (0, 1)):
        raise Wrong("The scale begins at 0.5: that is the lowest rating.")
    if not close(value, right):
        i, j = divmod(_first_difference(value.ravel(), right.ravel()), 3)
        user, item = (f"({a:g}, {b:g})" for a, b in (users[i], items[j]))
        raise Wrong(
            f"For a user {user}, an item {item} and its mean {mean[j]:g} the prediction is "
            f"{right[i, j]:.6g}; yours is {value[i, j]:.6g}."
        )
    return None
