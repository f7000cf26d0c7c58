"""Exercises of lesson 01."""

from transfer_lib.checking import Wrong, array, call, close, exercise, number
from transfer_lib.exercises import lesson_01_questions

SHIFTS = {"flu": "label", "age": "covariate", "spam": "concept", "birds": "new labels"}
WHY_NOT = {
    "flu": "Flu: the symptoms of each illness, P(X|Y), are as before; how often each illness "
    "occurs has changed. Which of P(X), P(Y) and P(Y|X) is that?",
    "age": "Age: the relation of pressure to age and weight, P(Y|X), is the same; only the "
    "patients, P(X), are others.",
    "spam": "Spam: the same mail has another right answer this year. That is P(Y|X).",
    "birds": "Birds: an owl is neither of the two known answers, so the set of labels changes.",
}


@exercise(
    "01.name_the_shift",
    hints=[
        "Ask for each case: are the inputs others, is one answer more frequent, does the same "
        "input have another answer, or is there an answer that was not there before?",
        "Covariate shift changes P(X), label shift P(Y), concept shift P(Y|X).",
        'flu: P(Y) changes, so `"label"`. age: P(X), so `"covariate"`.',
    ],
)
def name_the_shift(flu, age, spam, birds):
    """Name the kind of shift in each of the four cases."""
    given = {"flu": flu, "age": age, "spam": spam, "birds": birds}
    for case, answer in given.items():
        word = " ".join(str(answer).lower().replace("_", " ").split()).removesuffix(" shift")
        word = {"new label": "new labels", "prior": "label", "target": "label"}.get(word, word)
        if word not in SHIFTS.values():
            words = ", ".join(f'"{name}"' for name in ("covariate", "label", "concept"))
            raise Wrong(f'{case} is {answer!r}; use one of {words} and "new labels".')
        if word != SHIFTS[case]:
            raise Wrong(WHY_NOT[case])
    return "To name what changed is the first step to a method."


def _values(value, shape, what):
    """Return an answer as an array; raise Wrong unless it has this shape."""
    value = array(value, what)
    if value.shape != shape:
        raise Wrong(f"Expected {what} of shape {shape}; this has the shape {value.shape}.")
    return value


@exercise(
    "01.ratio",
    hints=[
        "The odds `p / (1 - p)` compare target with source at a point.",
        "With more source points than target points the odds are too small everywhere: multiply "
        "by `n_source / n_target`.",
        "`return p_target / (1 - p_target) * n_source / n_target`",
    ],
)
def ratio(answer):
    """Return the importance weight of each source point from p(target)."""
    import numpy as np

    p = np.array([0.2, 0.5, 0.75, 0.1])
    value = _values(call(answer, p.copy(), 600, 200), (4,), "the weights")
    odds = p / (1 - p)
    right = 3 * odds
    if close(value, p):
        raise Wrong("This is the probability itself. The ratio of two densities is p / (1 - p).")
    if close(value, odds):
        raise Wrong(
            "These are the odds p / (1 - p). The classifier saw 3 times as many source points as "
            "target points, which makes all odds too small: correct by n_source / n_target."
        )
    if close(value, 1 / odds) or close(value, 3 / odds) or close(value, 1 / right):
        raise Wrong(
            "This is the ratio upside down: it gives most weight to the points that look least "
            "like the target."
        )
    if close(value, odds / 3):
        raise Wrong("The sample sizes are swapped: multiply by n_source / n_target.")
    if close(value, right / right.sum()) or close(value, right / right.mean()):
        raise Wrong(
            "These weights are normalised. Return the ratio itself; normalising is another step."
        )
    if not close(value, right):
        raise Wrong(
            f"For p = 0.2, 600 source and 200 target points the weight is 0.75; yours is "
            f"{value[0]:.4g}."
        )
    return "Where p is 1/2 and the sizes are equal, the weight is 1."


@exercise(
    "01.reweight",
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
    given = w.copy()
    value = _values(call(answer, given, wrong.copy(), 3, beta, error), (5,), "the weights")
    if not close(given, w):
        raise Wrong("Your function changes the array it is given. Work on a copy: `np.array(w)`.")
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
    if not close(value, right):
        raise Wrong(
            f"A wrong source example of weight 0.1 becomes 0.05 with beta = 0.5, a wrong target "
            f"example of weight 0.2 becomes 0.8 with error = 0.2; yours are {value[0]:.3g} and "
            f"{value[3]:.3g}."
        )
    return None


@exercise(
    "01.coral_loss",
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
    wide = np.cov(xs[:30]) - np.cov(xt)
    if close(value, np.sum(wide**2) / 36):
        raise Wrong("These are covariances of the rows. Use `rowvar=False`: features are columns.")
    biased = np.sum((c_s * 39 / 40 - c_t * 29 / 30) ** 2) / 36
    if close(value, biased):
        return "Right up to the factor: this divides by n, the paper by n - 1."
    if not close(value, gap / 36):
        raise Wrong(f"On the check's points the loss is {gap / 36:.4g}; yours is {value:.4g}.")
    return "It is zero when the covariances agree, whatever the means are."


@exercise(
    "01.pull",
    hints=[
        "The gradient of a sum is the sum of the gradients.",
        "The gradient of (alpha / 2) (w - w_source)^2 is alpha (w - w_source).",
        "`return loss_gradient + alpha * (w - w_source)`",
    ],
)
def pull(answer):
    """Return the gradient of L(w) + alpha / 2 * ||w - w_source||^2."""
    import numpy as np

    g, w, w_s, alpha = np.array([0.3, -0.2, 0.1]), np.array([1.0, 2.0, -1.0]), None, 0.4
    w_s = np.array([0.5, 3.0, 1.0])
    value = _values(call(answer, g.copy(), w.copy(), w_s, alpha), (3,), "the gradient")
    if close(value, g + alpha * w):
        raise Wrong("This pulls towards zero, as plain L2 does. Pull towards w_source.")
    if close(value, g - alpha * (w - w_s)):
        raise Wrong("The sign of the pull is wrong: descent would drive w away from w_source.")
    if close(value, g + 2 * alpha * (w - w_s)):
        raise Wrong("A factor 2 too much: the penalty has alpha / 2, which cancels the 2.")
    if close(value, g + alpha / 2 * (w - w_s)):
        raise Wrong("The 2 of the square is missing: the gradient of alpha / 2 x^2 is alpha x.")
    if close(value, g + (w - w_s)):
        raise Wrong("alpha is missing in the pull.")
    if close(value, alpha * (w - w_s)):
        raise Wrong("This is the pull alone; add the gradient of the loss.")
    if close(value, g):
        raise Wrong("This is the gradient of the loss alone; add the pull.")
    if not close(value, g + alpha * (w - w_s)):
        raise Wrong(
            f"For a loss gradient 0.3, w = 1, w_source = 0.5 and alpha = 0.4 it is 0.5; yours is "
            f"{value[0]:.4g}."
        )
    return "At w = w_source the pull vanishes and only the target loss speaks."


@exercise(
    "01.cold_start",
    hints=[
        "The part of user i and item j is the dot product of two rows: `users @ items.T`.",
        "Add the mean of each item; NumPy adds a vector of shape (m,) to every row.",
        "`return np.clip(item_mean + users @ items.T, 0.5, 5)`",
    ],
)
def cold_start(answer):
    """Return item means plus user factors times item factors, between 0.5 and 5."""
    import numpy as np

    users = np.array([[1.0, 0.5], [-1.0, 0.2], [0.0, 3.0], [0.1, 0.1]])
    items = np.array([[0.5, -0.5], [1.0, 1.0], [-0.5, 0.3]])
    mean = np.array([3.0, 3.5, 2.5])
    value = array(call(answer, users, items, mean), "the ratings")
    parts = users @ items.T
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
    if not close(value, np.clip(mean + parts, 0.5, 5)):
        raise Wrong(
            "For a user (1, 0.5), an item (0.5, -0.5) and its mean 3 the prediction is 3.25; "
            f"yours is {value[0, 0]:.4g}."
        )
    return None


@exercise(
    "01.guard",
    hints=[
        "The source accuracies are there to tempt you: they say nothing about the target.",
        "Find the best name with `max(target_validation, key=target_validation.get)`.",
        "Return it only when it is strictly better than `target_validation['scratch']`.",
    ],
)
def guard(answer):
    """Return the candidate that validates best on the target; on equal scores, scratch."""
    source = {"freeze": 0.99, "fine-tune": 0.90, "scratch": 0.2}
    cases = [
        (
            {"freeze": 0.70, "fine-tune": 0.81, "scratch": 0.75},
            "fine-tune",
            "Fine-tuning validates best on the target (0.81), so take it.",
        ),
        (
            {"freeze": 0.72, "fine-tune": 0.70, "scratch": 0.75},
            "scratch",
            "Here both transfers are below scratch (0.75): negative transfer. Take scratch.",
        ),
        (
            {"fine-tune": 0.75, "freeze": 0.60, "scratch": 0.75},
            "scratch",
            "On equal scores keep scratch: the source has shown no gain.",
        ),
    ]
    given = [call(answer, dict(scores), dict(source)) for scores, _, _ in cases]
    if any(not isinstance(name, str) for name in given):
        raise Wrong("Return the name of a candidate, such as `'scratch'`, not its score.")
    if given == ["freeze"] * 3:
        raise Wrong(
            "You chose by the accuracy on the source. Only target validation shows the sign of "
            "the gain."
        )
    if given[0] == min(cases[0][0], key=cases[0][0].get) and given[0] != cases[0][1]:
        raise Wrong("This takes the lowest score; accuracies are better when higher.")
    for (scores, right, why), name in zip(cases, given, strict=True):
        if name != right:
            raise Wrong(f"{why} Yours took {name!r} from {scores}.")
    return "Two lines of code, and the only protection there is."


# The questions, after the exercises.
q_turned = lesson_01_questions.q_turned
q_layers = lesson_01_questions.q_layers
q_weights = lesson_01_questions.q_weights
q_multitask = lesson_01_questions.q_multitask
q_negative = lesson_01_questions.q_negative
q_strategy = lesson_01_questions.q_strategy
q_few = lesson_01_questions.q_few
