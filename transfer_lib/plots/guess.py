"""A game in a notebook: guess before you see, which class or how much."""

import base64
import html
import io

from ..show import show_widget
from .widget import picture

BIG = 192  # pixels: how large a picture is shown


class Guess:
    """Pictures to be named one after another. Made by `guess`."""

    def __init__(self, images, labels, class_names):
        import ipywidgets as widgets

        self.images, self.labels = list(images), [int(label) for label in labels]
        self.names, self.answers = tuple(class_names), []
        self.picture, self.message = widgets.HTML(), widgets.HTML()
        self.buttons = []
        for number, name in enumerate(self.names):
            button = widgets.Button(description=name, layout={"width": "8em"})
            button.on_click(lambda _, number=number: self.answer(number))
            self.buttons.append(button)
        row = widgets.HBox(self.buttons, layout={"flex_flow": "row wrap", "max_width": "46em"})
        self.box = widgets.VBox([self.picture, row, self.message])
        self._show("")

    @property
    def score(self):
        """The fraction of right guesses; None until all pictures are named."""
        if len(self.answers) < len(self.labels):
            return None
        pairs = zip(self.answers, self.labels, strict=True)
        return sum(a == b for a, b in pairs) / len(self.labels)

    def answer(self, number):
        """Take a guess for the picture shown, say whether it is right, and show the next."""
        place = len(self.answers)
        if place == len(self.labels):
            return
        self.answers.append(number)
        truth = self.names[self.labels[place]]
        said = "Right" if number == self.labels[place] else f"No, not {self.names[number]}"
        words = f"{said}: picture {place + 1} is {truth}."
        if self.score is not None:
            words += f" You named {round(self.score * len(self.labels))} of {len(self.labels)}."
            for button in self.buttons:
                button.disabled = True
        self._show(words)

    def _show(self, words):
        place = min(len(self.answers), len(self.labels) - 1)
        count = f"Picture {place + 1} of {len(self.labels)}"
        self.picture.value = f"<p>{count}</p>{_page(self.images[place], count)}"
        self.message.value = f'<p role="status">{html.escape(words) or "&nbsp;"}</p>'

    def _ipython_display_(self):
        show_widget(self.box, "[Run the cell in a notebook to guess with buttons.]")


def guess(images, labels, class_names):
    """Return a game: a picture, a button for each class, and the score at the end.

    `images` are figures, or uint8 of shape (n, height, width, 3); `labels` number the right
    names. Make it the
    last expression of a cell to show it. Tab and the space bar press a button.
    """
    return Guess(images, labels, class_names)


def _page(image, count):
    """Return a picture or a figure as HTML with its text alternative."""
    if hasattr(image, "savefig"):
        return picture(image, "max-width: 100%; height: auto")
    from PIL import Image

    red, green, blue = (round(float(value)) for value in image.mean(axis=(0, 1)))
    alt = f"{count}. Mean red {red}, green {green}, blue {blue}; contrast {image.std():.0f}."
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    png = base64.b64encode(buffer.getvalue()).decode()
    size = f'width="{BIG}" height="{BIG}"'
    return f'<img alt="{alt}" {size} src="data:image/png;base64,{png}">'
