"""Figures that carry a text alternative.

Every figure of the course is made here or with :func:`figure`. It is shown as a PNG image whose
metadata hold the alternative text, followed by a line that opens to the same words.
The ready figures write their text from the numbers that they draw.
"""

from transfer_lib.plots.charts import accuracy_by_labels, bars, heatmap, learning_curves
from transfer_lib.plots.guess import Guess, guess
from transfer_lib.plots.pictures import confusion_matrix, embedding, image_grid
from transfer_lib.plots.style import (
    COLORS,
    LINESTYLES,
    MARKERS,
    alt_text,
    describe,
    figure,
    to_png,
    use_style,
)
from transfer_lib.plots.widget import Interactive, interactive

__all__ = [
    "COLORS",
    "Guess",
    "LINESTYLES",
    "MARKERS",
    "Interactive",
    "accuracy_by_labels",
    "alt_text",
    "bars",
    "confusion_matrix",
    "describe",
    "embedding",
    "figure",
    "guess",
    "heatmap",
    "image_grid",
    "interactive",
    "learning_curves",
    "to_png",
    "use_style",
]
