"""Multiple-choice questions: clicked as a widget or answered with a letter."""

import html

from transfer_lib import feedback, progress
from transfer_lib.checking import Exercise, Verdict, Wrong


class Question(Exercise):
    """A question with one right choice and feedback for each choice.

    Parameters
    ----------
    id : str
        As for :class:`~transfer_lib.checking.Exercise`.
    text : str
        The question.
    choices : dict of str to tuple of str
        Letter to (choice, feedback on it).
    right : str
        The letter of the right choice.

    Raises
    ------
    ValueError
        If ``right`` is not among the choices, or a choice lacks its feedback.
    """

    def __init__(self, id, text, choices, right):
        if right not in choices or len(choices) < 2:
            raise ValueError(f"question {id!r}: {right!r} is not one of the choices")
        if not all(len(pair) == 2 and all(pair) for pair in choices.values()):
            raise ValueError(f"question {id!r}: every choice needs a text and its feedback")
        self.text, self.choices, self.right = text, choices, right
        super().__init__(id, self._judge_choice, (), text)

    def _judge_choice(self, choice):
        letters = ", ".join(f'"{letter}"' for letter in self.choices)
        if not isinstance(choice, str):
            raise Wrong(f"Answer with a letter in quotes, one of {letters}.")
        given = choice.strip().strip("().").lower()
        by_text = {text.lower(): letter for letter, (text, _) in self.choices.items()}
        letter = given if given in self.choices else by_text.get(choice.strip().lower())
        if letter is None:
            raise Wrong(f"{choice!r} is not one of the choices; answer with one of {letters}.")
        if letter != self.right:
            raise Wrong(self.choices[letter][1])
        return self.choices[letter][1]

    def judge(self, *answers):
        """Return the verdict on a choice, without showing or recording it."""
        verdict = super().judge(*answers)
        if answers and answers[0] is ...:
            message = "Click a letter, or replace the `...` by it, in quotes."
            return Verdict(verdict.outcome, message)
        return verdict

    def ask(self, choice=...):
        """Show the question with buttons; judge ``choice`` when one is given."""
        feedback.show(self)
        feedback.show_widget(self._buttons(), "(Run the cell to answer with buttons.)")
        self.check(choice)

    def _buttons(self):
        import ipywidgets as widgets

        feedback_area = widgets.HTML()

        def answer(button):
            verdict = self.judge(button.description)
            progress.record(self.id, verdict.outcome)
            feedback_area.value = f"{button.description}) {verdict._repr_html_()}"

        buttons = []
        for letter, (text, _) in self.choices.items():
            button = widgets.Button(description=letter, tooltip=text)
            button.layout.width = "4em"
            button.on_click(answer)
            buttons.append(button)
        return widgets.VBox([widgets.HBox(buttons), feedback_area])

    def __repr__(self):
        lines = [f"  {letter}) {text}" for letter, (text, _) in self.choices.items()]
        return "\n".join([self.text, *lines])

    def _repr_html_(self):
        items = "".join(
            f"<li><strong>{letter})</strong> {html.escape(text)}</li>"
            for letter, (text, _) in self.choices.items()
        )
        return f'<p>{html.escape(self.text)}</p><ul style="list-style:none">{items}</ul>'
