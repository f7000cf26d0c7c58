"""Exercises of lesson 11: which network to take, and what to write down."""

from transfer_lib.practice import Wrong, call, exercise


@exercise(
    "11.choose",
    hints=[
        "First drop what is too slow: `fast = table[table.milliseconds <= limit]`.",
        "Then keep what is at most `slack` points below the best *of these*.",
        "Of what is left, `good.megabytes.idxmin()` is the name of the smallest.",
    ],
)
def choose(answer):
    """Return the smallest network that is fast enough and nearly as good as the best such one."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "accuracy": [91.0, 88.4, 86.6, 85.2, 70.0, 87.0],
            "megabytes": [17.0, 4.1, 0.6, 0.2, 0.1, 2.4],
            "milliseconds": [31.0, 11.0, 6.0, 4.0, 2.0, 12.0],
        },
        index=["A", "B", "C", "D", "E", "F"],
    )
    value = call(answer, table.copy(), 2.0, 12.0)
    if isinstance(value, pd.Index | pd.Series | list | tuple) and len(value) == 1:
        value = value[0] if not isinstance(value, pd.Series) else value.iloc[0]
    if not isinstance(value, str) or value not in table.index:
        raise Wrong(f"Return the name of one network, for instance 'A'; yours is {value!r}.")
    words = {
        "A": "A takes 31 ms, and 12 are allowed.",
        "B": "B is the best of the fast ones. C is less than 2 points worse and a seventh of the "
        "size.",
        "D": "D is 3.2 points below the best of the fast ones, and 2 are allowed.",
        "E": "E is the smallest of all, but 18 points below the best of the fast ones.",
        "F": "F is good and fast enough, but C is as well, and smaller.",
    }
    if value in words:
        raise Wrong(words[value])
    # With less slack C is no longer good enough; with more time A sets the mark.
    for slack, limit, expected in ((1.5, 12.0, "F"), (3.0, 40.0, "B"), (0.0, 5.0, "D")):
        other = call(answer, table.copy(), slack, limit)
        if other != expected:
            raise Wrong(
                f"With a slack of {slack:g} points and {limit:g} ms it is {expected!r}; yours is "
                f"{other!r}. The best is looked for among those that are fast enough."
            )
    return "A tie goes to the smaller one: it is cheaper each day that it runs."


FIELDS = ("network", "trained on", "licence", "measured", "not for", "people")


@exercise(
    "11.card",
    hints=[
        "Everything that the check asks for stands in the text and in your own figures above.",
        "`trained on`: CIFAR-10, which was drawn from Tiny Images. `licence`: that of the weights, "
        "and that CIFAR-10 states none. `measured`: percent, of what, from how many labels.",
        "`not for`: what a reader must not do with it, in a sentence. `people`: who might be in "
        "the pictures, and whether anyone asked them.",
    ],
)
def card(answer):
    """Fill in a model card for block 3 of VGG16Mini; the check says what is missing."""
    if not isinstance(answer, dict):
        raise Wrong(f"The card is a dict with the fields {', '.join(FIELDS)}.")
    missing = [field for field in FIELDS if not str(answer.get(field) or "").strip(" .…")]
    if missing:
        raise Wrong(f"Still empty: {', '.join(missing)}.")
    texts = {field: str(answer[field]).lower() for field in FIELDS}
    short = [f for f in ("not for", "people", "measured") if len(texts[f].split()) < 5]
    if short:
        raise Wrong(
            f"{short[0]!r} is a sentence: a few words more, so that a reader can act on it."
        )
    if "cifar" not in texts["trained on"]:
        raise Wrong("'trained on' names the data: which pictures were these weights learned from?")
    if "tiny" not in texts["trained on"]:
        raise Wrong(
            "'trained on' stops half-way: where did CIFAR-10 come from? A reader should know that "
            "its source was withdrawn."
        )
    measured = texts["measured"]
    if not any(sign in measured for sign in ("%", "percent", "per cent")):
        raise Wrong("'measured' holds a figure with its unit: how many percent are right?")
    if "label" not in measured:
        raise Wrong(
            "'measured' says how many percent, but not from how many labels. With twice as many it "
            "would be another figure."
        )
    if not any(word in measured for word in ("patch", "scan", "digit", "face", "photo")):
        raise Wrong("'measured' does not say on which data.")
    words = ("none", "no licence", "not stated", "states no", "unstated", "unclear", "unknown")
    if not any(word in texts["licence"] for word in words):
        raise Wrong(
            "'licence' is of two things: of the weights (MIT), and of the pictures behind them, "
            "for which CIFAR-10 states none."
        )
    return "Whoever finds this network in two years knows what to expect. Nothing here is clever."
