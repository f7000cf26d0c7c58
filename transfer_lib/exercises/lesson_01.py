"""Exercises of lesson 01."""

from transfer_lib.practice import Wrong, array, call, exercise, number

SHIFTS = {"flu": "label", "age": "covariate", "spam": "concept", "birds": "new labels"}
WHY_NOT = {
    "flu": "Flu: the symptoms of each illness, P(X|Y), are as before; how often each illness "
    "occurs, P(Y), has changed. P(X) and P(Y|X) change too, but only through P(Y): the same "
    "symptoms mean flu more often in winter.",
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


@exercise(
    "01.label_shift",
    hints=[
        "How many of the n rows are of class 1, and how many are left for class 0?",
        "`np.flatnonzero(y == 1)` gives the rows of class 1. `rng.choice(rows, count, "
        "replace=False)` draws some of them.",
        "Draw from each class by itself and put both together with `np.concatenate`.",
    ],
)
def label_shift(answer):
    """Return n rows of y, a fraction `share` of them of class 1, each at most once."""
    import numpy as np

    seen = []
    for share, n, seed in ((0.25, 20, 0), (0.8, 15, 1), (0.25, 20, 2)):
        y = np.random.default_rng(seed).permutation(np.repeat([0, 1], [45, 30]))
        rows = array(call(answer, y, share, n, np.random.default_rng(seed)), "the rows").ravel()
        if rows.size == len(y) and set(rows.tolist()) <= {0, 1}:
            raise Wrong(
                "These are labels. Return the numbers of rows; the labels stay as they are."
            )
        if np.any(rows != np.round(rows)) or rows.min(initial=0) < 0 or rows.max(initial=0) >= 75:
            raise Wrong("Return numbers of rows of y: whole numbers from 0 to len(y) - 1.")
        rows = rows.astype(int)
        if len(set(rows.tolist())) < rows.size:
            raise Wrong("Some rows are there twice. `rng.choice` needs `replace=False`.")
        ones, wanted = int(y[rows].sum()), round(share * n)
        if rows.size != n and ones == wanted:
            raise Wrong(
                f"The share is not kept: {rows.size} rows instead of {n}. Class 0 fills up."
            )
        if rows.size != n:
            raise Wrong(f"Return n rows: the check asked for {n} and got {rows.size}.")
        if ones == n - wanted:
            raise Wrong("The share is turned round: it is that of class 1.")
        if set(rows.tolist()) <= set(range(45)) and ones != wanted:
            raise Wrong(
                "These look like places among the rows of one class, not rows of y. Draw from "
                "`np.flatnonzero(y == 1)`."
            )
        if ones != wanted:
            raise Wrong(
                f"With share = {share:g} and n = {n}, {wanted} rows should be of class 1; yours "
                f"has {ones}."
            )
        seen.append(tuple(sorted(rows.tolist())))
    first = np.random.default_rng(0).permutation(np.repeat([0, 1], [45, 30]))
    in_order = sorted([*np.flatnonzero(first == 1)[:5], *np.flatnonzero(first == 0)[:15]])
    if list(seen[0]) == in_order:
        raise Wrong("These are the first rows of each class. Draw them with `rng`.")
    return "Each class looks as before; only how often it comes has changed."


@exercise(
    "01.shared",
    hints=[
        "Go through the weights of one model, and ask for each whether the other has it.",
        "`weight is other` compares objects. `any(weight is w for w in other.weights)` looks "
        "through a list.",
        "Add up the sizes: `int(np.prod(weight.shape))` numbers in each shared weight.",
    ],
)
def shared(answer):
    """Return how many numbers two Keras models share: the same weights, not equal ones."""
    import keras

    dense = keras.layers.Dense
    inputs = keras.Input((5,))
    first, second = dense(4), dense(3)
    features = second(first(inputs))
    one = keras.Model(inputs, dense(2)(features))
    other = keras.Model(inputs, dense(2)(features))  # a head of the same shape
    lower = keras.Model(inputs, dense(6)(first(inputs)))
    copy = keras.models.clone_model(one)
    copy.set_weights(one.get_weights())
    pairs = [(one, other), (one, lower), (one, copy), (one, one)]
    right = [39, 24, 0, 47]
    found = [number(call(answer, *pair), "the count") for pair in pairs]
    if found == right:
        return "A copy shares nothing: it goes its own way from the first step on."
    if found[0] == 8 and found[3] == 0:
        raise Wrong("These are the numbers that are not shared.")
    if found[2] == 47 or found[0] == 47:
        raise Wrong(
            "A copy with equal values, or a layer of the same shape, was counted as shared. "
            "Compare the objects: `weight is other`."
        )
    if found == [4, 2, 0, 6]:
        raise Wrong("You counted arrays. Count the numbers in them: `np.prod(weight.shape)`.")
    if found == [2, 1, 0, 3]:
        raise Wrong("You counted layers. Count the numbers in their weights.")
    if found == [27 + 8, 20, 0, 35 + 6] or found == [32, 20, 0, 38]:
        raise Wrong("The biases are missing. `model.weights` has kernels and biases.")
    raise Wrong(
        f"For two models with shared layers 5 → 4 → 3 and a head each, 39 numbers are shared; "
        f"yours says {found[0]:g}. With a copy of the model it is 0; yours says {found[2]:g}."
    )


@exercise(
    "01.labels_saved",
    hints=[
        "First for one curve: which numbers of labels are enough, and which of them is smallest?",
        "`[k for k, accuracy in curve.items() if accuracy >= wanted]` are those that are enough.",
        "Take `min` of both lists and subtract; an empty list means that the method never gets "
        "there: return None.",
    ],
)
def labels_saved(answer):
    """Return labels needed from scratch minus with transfer, None if one never gets there."""
    scratch = {1: 0.40, 2: 0.55, 5: 0.80, 10: 0.90, 20: 0.88}
    transfer = {20: 0.92, 10: 0.89, 5: 0.80, 2: 0.74, 1: 0.61}  # the order of a dict says nothing
    cases = [(0.61, 4), (0.8, 0), (0.5, 1), (0.9, -10), (0.95, None), (0.91, None)]
    found = [call(answer, scratch, transfer, wanted, may_return_none=True) for wanted, _ in cases]
    values = [None if value is None else number(value, "the difference") for value in found]
    if values == [right for _, right in cases]:
        return "It may be negative, too: then the source has cost labels."
    if values[0] == 3:
        raise Wrong("Reaching means at least as good: `>=`. With 1 label transfer has the 0.61.")
    if None in values[:4]:
        wanted = cases[values.index(None)][0]
        raise Wrong(f"Both curves reach {wanted:g}, and yours returns None.")
    if values[:3] == [-4, 0, -1]:
        raise Wrong("The sign is turned: labels needed from scratch minus labels with transfer.")
    if values[0] == 4 and (values[4], values[5]) != (None, None):
        raise Wrong("At 0.95 neither curve gets there, at 0.91 scratch does not: return None.")
    if values[0] == 4 and values[3] != -10:
        raise Wrong(
            "At 0.9 scratch needs 10 labels, though with 20 it is lower again, and transfer needs "
            f"20: the difference is -10; yours is {values[3]:g}. The order of a dict says nothing."
        )
    raise Wrong(
        f"At 0.61 scratch needs 5 labels and transfer 1, so 4 are saved; yours says {values[0]:g}."
    )


WAYS = {"hospitals": "multi-task", "cameras": "pooling", "orchid": "transfer", "meter": "scratch"}
WHY_NOT_THIS = {
    "hospitals": "Hospitals: both tasks matter every day, and their labels differ. One head each "
    "on shared layers, trained together.",
    "cameras": "Cameras: the same products, the same rule, one model for both, and plenty of "
    "labels in each. Mix them.",
    "orchid": "Orchid: few labels, and of the source only the network is there, not its data. "
    "Start from its weights.",
    "meter": "Meter: the target teaches by itself, and the only source has nothing to do with it.",
}


@exercise(
    "01.which_way",
    hints=[
        "Ask for each: does the source task matter in the end? Are the labels the same? Is the "
        "source's data at hand? Does the target have enough labels by itself?",
        "Without the source's data there is no pooling and no multi-task learning.",
    ],
)
def which_way(hospitals, cameras, orchid, meter):
    """Choose a way to learn for each of the four cases."""
    given = {"hospitals": hospitals, "cameras": cameras, "orchid": orchid, "meter": meter}
    for case, answer in given.items():
        word = " ".join(str(answer).lower().replace("-", " ").replace("_", " ").split())
        word = {"multi task": "multi-task", "multitask": "multi-task", "pool": "pooling"}.get(
            word.removesuffix(" learning").removeprefix("from "), word.removeprefix("from ")
        )
        if word not in WAYS.values():
            names = ", ".join(f'"{name}"' for name in sorted(WAYS.values()))
            raise Wrong(f"{case} is {answer!r}; use one of {names}.")
        if word != WAYS[case]:
            raise Wrong(WHY_NOT_THIS[case])
    return "Each choice follows from what is wanted and what is at hand, not from a ranking."


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
        (
            {"freeze": 0.78, "fine-tune": 0.82, "scratch": 0.75},
            "fine-tune",
            "Both transfers beat scratch; take the best (0.82), not the first.",
        ),
        (
            {"fine-tune": 0.82, "freeze": 0.78, "scratch": 0.75},
            "fine-tune",
            "Both transfers beat scratch; take the best (0.82), not the last.",
        ),
    ]
    given = [call(answer, dict(scores), dict(source)) for scores, _, _ in cases]
    if any(not isinstance(name, str) for name in given):
        raise Wrong("Return the name of a candidate, such as `'scratch'`, not its score.")
    if given == ["freeze"] * len(cases):
        raise Wrong(
            "You chose by the accuracy on the source. Only target validation shows the sign of "
            "the gain."
        )
    if given[0] == min(cases[0][0], key=cases[0][0].get) and given[0] != cases[0][1]:
        raise Wrong("This takes the lowest score; accuracies are better when higher.")
    for (scores, right, why), name in zip(cases, given, strict=True):
        if name != right:
            raise Wrong(f"{why} Yours took {name!r} from {scores}.")
    return "This protects as far as the validation set can be trusted."
