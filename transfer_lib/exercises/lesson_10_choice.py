"""Exercise of lesson 10: what a choice has cost."""

from transfer_lib.practice import Wrong, call, close, exercise, number


@exercise(
    "10.regret",
    hints=[
        "Which candidate has the highest criterion? `max(criterion, key=criterion.get)`.",
        "Its accuracy, and the highest accuracy of all: the difference is what the choice costs.",
        "`chosen = max(criterion, key=criterion.get)`, then "
        "`100 * (max(accuracy.values()) - accuracy[chosen])`.",
    ],
)
def regret(answer):
    """Return the points of accuracy lost by taking the candidate with the highest criterion."""
    criterion = {"a": 0.2, "b": 0.7, "c": -0.1, "d": 0.65}
    accuracy = {"c": 0.50, "d": 0.91, "a": 0.84, "b": 0.80}
    value = call(answer, dict(criterion), dict(accuracy))
    if isinstance(value, str):
        raise Wrong(
            f"{value!r} is a candidate. Return the points of accuracy that taking it has cost."
        )
    value = number(value, "the points")
    table = [
        (0.11, "This is a fraction. Points are hundredths: multiply by 100."),
        (-11, "The sign is turned: a choice that is not the best costs something."),
        (80, "This is the accuracy of the choice. What would the best have had?"),
        (91, "This is the best accuracy. What was lost against it?"),
        (41, "This is the candidate with the lowest criterion; the highest is taken."),
        (30, "This is how far the choice is above the worst. Compare with the best."),
        (5, "This is a difference of criteria. What counts is the accuracy."),
        (0, "Nothing lost? The choice looks at the criterion; nobody knows the accuracies then."),
    ]
    if close(value, 11):
        if close(number(call(answer, {"x": 1, "y": 0}, {"x": 0.7, "y": 0.4}), "the points"), 0):
            return "Nobody can compute it in practice, for it needs the labels. Here we have them."
        raise Wrong("Where the best candidate is taken, nothing is lost.")
    for wrong, words in table:
        if close(value, wrong):
            raise Wrong(words)
    raise Wrong(
        f"Taken is 'b' with .80, the best has .91, so 11 points are lost; yours is {value:g}."
    )
