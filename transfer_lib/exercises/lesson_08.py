"""Exercises of lesson 08."""

from transfer_lib.practice import Formula, Wrong, array, call, close, exercise

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
    "08.coral",
    hints=[
        "Four steps: centre the source, whiten it, colour it, move it to the target's mean.",
        "`white = (x_source - mean) @ power(c_source, -0.5)`, with the ridge in `c_source`.",
        "`return white @ power(c_target, 0.5) + x_target.mean(axis=0)`",
    ],
)
def coral(answer):
    """Return the source points with the mean and covariance of the target, shape (n, d)."""
    import numpy as np

    rng = np.random.default_rng(4)
    found = []
    for n, m, d, ridge in ((40, 30, 3, 0.1), (25, 60, 2, 0.4)):
        xs = rng.normal(2, 1, (n, d)) @ rng.normal(size=(d, d))
        xt = rng.normal(-1, 2, (m, d)) @ rng.normal(size=(d, d))
        value = array(call(answer, xs, xt, ridge), "the moved points")
        if value.shape == (d, d):
            raise Wrong("This is a matrix of covariances. Return the moved points, shape (n, d).")
        if value.shape != xs.shape:
            raise Wrong(
                f"For a source of shape {xs.shape} and a target of {xt.shape} the moved points "
                f"have the shape {xs.shape}; yours have {value.shape}. Features are the columns."
            )
        found.append((value, _coral_known(xs, xt, ridge)))
    for name in found[0][1]:
        if all(close(value, known[name][0], 1e-3, 1e-6) for value, known in found):
            if name == "right":
                return "Mean and covariance are the target's; nothing else is."
            raise Wrong(found[0][1][name][1])
    value, known = found[0]
    raise Wrong(
        f"The first moved point of the check is {known['right'][0][0].round(3).tolist()}; yours is "
        f"{value[0].round(3).tolist()}."
    )


def _coral_known(xs, xt, ridge):
    """Return what CORAL and its usual mistakes give, name to (points, words)."""
    import numpy as np

    def power(c, exponent):
        values, vectors = np.linalg.eigh(c)
        return (vectors * values**exponent) @ vectors.T

    unit = ridge * np.eye(xs.shape[1])
    bare_s, bare_t = np.cov(xs, rowvar=False), np.cov(xt, rowvar=False)
    c_s, c_t = bare_s + unit, bare_t + unit
    mu_s, mu_t = xs.mean(axis=0), xt.mean(axis=0)
    white = (xs - mu_s) @ power(c_s, -0.5)
    coloured = white @ power(c_t, 0.5)
    return {
        "right": (coloured + mu_t, ""),
        "mean": (coloured, "The points stay around zero: add the target's mean at the end."),
        "source mean": (coloured + mu_s, "You added the source's mean. They go to the target's."),
        "not centred": (
            xs @ power(c_s, -0.5) @ power(c_t, 0.5) + mu_t,
            "Centre the source before you whiten it, or its mean is stretched as well.",
        ),
        "turned": (
            (xs - mu_s) @ power(c_t, 0.5) @ power(c_s, -0.5) + mu_t,
            "The order matters: first whiten, with the source's inverse root, then colour.",
        ),
        "white": (
            white + mu_t,
            "The points are whitened, not coloured: times `power(c_target, 0.5)`.",
        ),
        "swapped": (
            (xs - mu_s) @ power(c_t, -0.5) @ power(c_s, 0.5) + mu_t,
            "The two covariances are swapped: the source is whitened with its own.",
        ),
        "no root": (
            (xs - mu_s) @ power(c_s, -1) @ c_t + mu_t,
            "A covariance is a square: whiten with its inverse *root*, power -0.5.",
        ),
        "no ridge": (
            (xs - mu_s) @ power(bare_s, -0.5) @ power(bare_t, 0.5) + mu_t,
            "The ridge is missing: add it times the unit matrix to both covariances.",
        ),
        "one ridge": (
            white @ power(bare_t, 0.5) + mu_t,
            "The ridge is in one covariance only. Add it to both.",
        ),
        "means only": (xs - mu_s + mu_t, "This moves the mean alone. Whiten and colour, too."),
        "as it is": (xs, "These are the source points as they came."),
    }


@exercise(
    "08.rule",
    hints=[
        "For one pair (p, q), go through the objects: is there one with both True?",
        "The matrix product of `first` (p, objects) with `second` turned over (objects, q) counts "
        "such objects, if True is 1.",
        "`return (first.astype(int) @ second.T.astype(int)) > 0`",
    ],
)
def rule(answer):
    """Return True at (p, q) where both have one common object, p in first, q in second."""
    import numpy as np

    rng = np.random.default_rng(6)
    found = []
    for people, things in ((5, 4), (6, 9)):
        first, second = rng.random((2, people, things)) < 0.35
        first[0], second[1] = False, False
        first[2, :2] = second[3, :2] = True  # two common objects
        value = array(call(answer, first, second), "the pairs")
        count = first.astype(int) @ second.T.astype(int)
        if value.shape != count.shape:
            raise Wrong(
                f"For relations of shape {first.shape} the pairs have the shape {count.shape}, "
                f"people by people; yours {value.shape}. Turn the second over: `second.T`."
            )
        found.append((value, count, second.astype(int) @ first.T.astype(int), first, second))
    if all(close(value, count > 0) for value, count, *_ in found):
        return "Booleans in, a count between, booleans out."
    if all(close(value, count) for value, count, *_ in found):
        raise Wrong("This counts the common objects. The rule asks whether there is one: `> 0`.")
    if all(close(value, turned > 0) for value, _, turned, *_ in found):
        raise Wrong("The places are swapped: p, the row, is the one in `first`.")
    if all(close(value, (count > 0) | (turned > 0)) for value, count, turned, *_ in found):
        raise Wrong("This holds in both directions. The rule has a direction, from p to q.")
    if all(close(value, count == 1) for value, count, *_ in found):
        raise Wrong("Two common objects count as well: ask for `> 0`, not for 1.")
    every = [f[:, None, :] <= s[None, :, :] for *_, f, s in found]
    if all(close(v, e.all(axis=2)) for (v, *_), e in zip(found, every, strict=True)):
        raise Wrong("You ask that all objects agree. One common object is enough: any, not all.")
    value, count, *_ = found[0]
    p, q = np.argwhere(value != (count > 0))[0]
    raise Wrong(
        f"In the check, person {p} and person {q} have {count[p, q]} common objects, so the rule "
        f"says {bool(count[p, q])}; yours says {value[p, q]:g}."
    )


@exercise(
    "08.mapping",
    hints=[
        "For one ordered pair of names, apply `rule` to the two relations, and look it up at the "
        "known pairs: `predicted[known[:, 0], known[:, 1]]`.",
        "`np.mean(... == truth)` is the agreement. Keep it in a dict, (first, second) to number.",
        "`max(agreement, key=agreement.get)` is the pair of names.",
    ],
)
def mapping(answer):
    """Return the names (first, second) with which the rule agrees best with the known pairs."""
    import numpy as np

    seen = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        relations = rng.random((4, 12, 9)) < 0.15
        names = rng.permutation(["draws", "prints", "reads", "keeps"]).tolist()
        records = dict(zip(names, relations, strict=True))
        first, second = names[2], names[seed % 2]
        pairs = (records[first].astype(int) @ records[second].T.astype(int)) > 0
        yes, no = (rng.permutation(np.argwhere(pairs == v))[:8] for v in (True, False))
        known, truth = np.concatenate([yes, no]), np.repeat([True, False], 8)
        value = call(answer, records, known, truth)
        if isinstance(value, (str, float, int, np.floating)):
            raise Wrong("Return the two names as a tuple, (first, second).")
        if not isinstance(value, (tuple, list)) or len(value) != 2 or set(value) - set(names):
            raise Wrong(f"Return two of the names, such as {names[:2]}; this is {value!r}.")
        seen.append((tuple(value), (first, second), names))
    if all(value == right for value, right, _ in seen):
        return "Twenty labels name two relations; the rule does the rest."
    if all(value == right[::-1] for value, right, _ in seen):
        raise Wrong("The two places are swapped: the first relation is that of p.")
    if all(value == tuple(names[:2]) for value, _, names in seen):
        raise Wrong("This is the first pair tried. Keep the agreement of each and take the best.")
    if all(names.index(value[0]) < names.index(value[1]) for value, _, names in seen):
        raise Wrong(
            "Only one order of each pair seems to be tried. `permutations` has both; "
            "`combinations` has not."
        )
    value, right, _ = next(row for row in seen if row[0] != row[1])
    raise Wrong(f"In one case of the check {right} agrees best; yours says {value}.")


@exercise(
    "08.ties",
    hints=[
        "First the best: `max(cell, key=lambda name: np.mean(cell[name]))`.",
        "For another name, look at `np.array(cell[best]) - np.array(cell[name])`: if every entry "
        "is above zero, the best won every draw.",
        "A set with the best, and with every name that won or drew at least one draw.",
    ],
)
def ties(answer):
    """Return the set of names that tie with the best, the best included."""
    cases = [
        {"a": [70, 75, 80], "b": [60, 65, 70], "c": [69, 76, 79]},
        {"x": [50, 50, 50], "y": [50, 60, 70], "z": [49, 59, 69]},
        {"p": [90, 20, 30], "q": [60, 62, 64], "r": [50, 50, 50]},
        {"only": [1, 2, 3]},
        {"u": [30, 31], "v": [80, 10], "w": [60, 61]},
    ]
    right = [{"a", "c"}, {"x", "y"}, {"p", "q"}, {"only"}, {"v", "w"}]
    best = [{"a"}, {"y"}, {"q"}, {"only"}, {"w"}]
    found = []
    for cell in cases:
        value = call(answer, {name: list(values) for name, values in cell.items()})
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise Wrong("Return a set of names, the best included.")
        found.append({str(name) for name in value})
    if found == right:
        return "Three draws cannot say more than that."
    if found == best:
        raise Wrong("This is the best alone. Add who won or drew at least one draw against it.")
    if all(value == r - b for value, r, b in zip(found, right, best, strict=True)):
        raise Wrong("The best itself belongs to the set.")
    if found == [{"a", "c"}, {"y"}, {"p", "q"}, {"only"}, {"v", "w"}]:
        raise Wrong("A drawn draw is not in favour of the best: it counts for a tie, too.")
    if found[0] == right[0] and {"p", "r"} <= found[2]:
        raise Wrong("The best has the highest *mean*, not the highest single accuracy.")
    if found[0] == {"a", "c"} and found[2] == {"q"}:
        raise Wrong(
            "A difference of means is not asked for: p lost on average, but it won a draw, so the "
            "draws do not settle it."
        )
    case, r, value = next(x for x in zip(cases, right, found, strict=True) if x[1] != x[2])
    raise Wrong(f"For {case} the set is {sorted(r)}; yours is {sorted(value)}.")
