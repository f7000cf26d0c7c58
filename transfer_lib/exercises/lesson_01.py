"""Exercises of lesson 01."""

from transfer_lib.practice import Wrong, call, exercise

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
