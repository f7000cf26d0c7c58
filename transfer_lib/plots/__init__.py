"""Figures that carry a text alternative.

Every figure of the course is made here or with :func:`figure`. It is shown as a PNG image whose
metadata hold the alternative text, followed by a line that opens to the same words. They are read
from what is drawn, unless an author wrote better ones.
"""

from transfer_lib.plots.charts import (
    accuracy_by_labels,
    bars,
    confusion_matrix,
    embedding,
    heatmap,
    image_grid,
    learning_curves,
)
from transfer_lib.plots.guess import Guess, guess
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
from transfer_lib.plots.widget import interactive

__all__ = [
    "COLORS",
    "Guess",
    "LINESTYLES",
    "MARKERS",
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
