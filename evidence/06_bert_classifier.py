"""What lesson 06 says about pretraining, frozen features and fine-tuning; means over draws."""

import numpy as np
import torch
from transformers import AutoModel

from transfer_lib import encoders
from transfer_lib.data import reviews
from transfer_lib.taught.lesson_06 import fine_tune, tfidf, tuned

CLAIMS = {
    "06.frozen": ("With 200 labels, frozen features are ahead of TF-IDF.", ">= 6 points"),
    "06.tuned": ("With 200 labels, fine-tuning is ahead of frozen features.", ">= 3 points"),
    "06.twin": (
        "With 200 labels, fine-tuning is ahead of its untrained twin, the better of two rates.",
        ">= 15 points",
    ),
    "06.frozen-20": ("With 20 labels, frozen features are ahead of TF-IDF.", ">= 3 points"),
    "06.tuned-50": ("With 50 labels, fine-tuning against frozen features.", "-4 .. 8 points"),
    "06.sst2-frozen": (
        "The Treebank, 200 labels: frozen features are ahead of TF-IDF.",
        ">= 10 points",
    ),
    "06.sst2-tuned": (
        "The Treebank, 200 labels: fine-tuning against frozen features.",
        "-1 .. 6 points",
    ),
}
DRAWS, FEW = 5, 10
RATE = 2e-4


class Task:
    """Texts with labels, parts, and the states of encoders."""

    def __init__(self, frame, tokenizer, encoder):
        self.texts, self.labels = frame["text"].tolist(), frame["label"].to_numpy()
        self.train, self.valid, self.test = reviews.parts(frame)
        self.tokenizer, self.encoder = tokenizer, encoder
        self.half = len(encoders.layers(encoder)) // 2
        states = encoders.run_layers(
            encoder, tokenizer, self.texts, keep=(self.half, 2 * self.half)
        )
        self.states = states[self.half]
        self.means = np.stack([state.mean(0).numpy() for state in states[2 * self.half]])

    def draws(self, n, count, seed):
        """Return so many draws of n training rows, half of each class."""
        rng = np.random.default_rng(seed)
        return [reviews.draw(self.labels, self.train, n // 2, rng) for _ in range(count)]

    def words(self, chosen):
        """Return the accuracy of TF-IDF, percent."""
        model = tuned(self.texts, self.labels, chosen, self.valid, tfidf)
        return 100 * model.score([self.texts[i] for i in self.test], self.labels[self.test])

    def frozen(self, chosen):
        """Return the accuracy of frozen features, percent."""
        model = tuned(self.means, self.labels, chosen, self.valid)
        return 100 * model.score(self.means[self.test], self.labels[self.test])

    def fine_tuned(self, chosen, seed, rate=RATE, encoder=None, states=None):
        """Return the accuracy of fine-tuning, percent."""
        states = states or self.states
        model, _ = fine_tune(
            encoder or self.encoder, states, self.labels, chosen, self.valid, frozen=self.half,
            rate=rate, seed=seed,
        )  # fmt: skip
        return 100 * encoders.measured(model, states, self.labels, self.test)["val_accuracy"]


def measure(seed):
    """Return the figures for one seed."""
    tokenizer, encoder = encoders.load(*encoders.find(quick=True))
    task = Task(reviews.load(), tokenizer, encoder)
    torch.manual_seed(seed)
    blank = AutoModel.from_config(encoder.config).eval()
    empty = encoders.run_layers(blank, tokenizer, task.texts, keep=(task.half,))[task.half]
    draws = task.draws(200, DRAWS, seed)
    words, frozen = (np.mean([way(c) for c in draws]) for way in (task.words, task.frozen))
    fine = np.mean([task.fine_tuned(c, i) for i, c in enumerate(draws)])
    twins = [
        np.mean([task.fine_tuned(c, i, rate, blank, empty) for i, c in enumerate(draws)])
        for rate in (RATE, 3 * RATE)
    ]
    found = {
        "06.frozen": frozen - words,
        "06.tuned": fine - frozen,
        "06.twin": fine - max(twins),
        "06.frozen-20": few(task, seed),
        "06.tuned-50": fifty(task, seed),
    }
    films = reviews.sst2()
    return found | treebank(films, tokenizer, encoder, seed)


def few(task, seed):
    """Return what frozen features gain over TF-IDF with 20 labels, points."""
    draws = task.draws(20, FEW, seed)
    return np.mean([task.frozen(c) - task.words(c) for c in draws])


def fifty(task, seed):
    """Return what fine-tuning gains over frozen features with 50 labels, points."""
    draws = task.draws(50, DRAWS, seed)
    return np.mean([task.fine_tuned(c, i) - task.frozen(c) for i, c in enumerate(draws)])


def treebank(films, tokenizer, encoder, seed):
    """Return the same gains on the Stanford Sentiment Treebank, measured on its own test."""
    task = Task(films, tokenizer, encoder)
    draws = task.draws(200, DRAWS, seed)
    words, frozen = (np.mean([way(c) for c in draws]) for way in (task.words, task.frozen))
    fine = np.mean([task.fine_tuned(c, i) for i, c in enumerate(draws)])
    return {"06.sst2-frozen": frozen - words, "06.sst2-tuned": fine - frozen}
