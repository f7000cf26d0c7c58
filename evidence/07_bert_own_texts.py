"""What lesson 07 says about failures, frozen layers, a domain shift and abstaining."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from transfer_lib import encoders
from transfer_lib.data import reviews
from transfer_lib.taught.lesson_06 import fine_tune
from transfer_lib.taught.lesson_07 import abstain, layer_wise, shift

CLAIMS = {
    "07.weights-found": (
        "With class weights, more of the rare class are found.",
        ">= 3 points",
    ),
    "07.weights-price": ("Accuracy pays for it.", "<= 0 points"),
    "07.warmup": ("Accuracy with warm-up, less that without.", "-4 .. 4 points"),
    "07.half-frozen": (
        "Three epochs: all layers trained against the upper half alone.",
        "-3 .. 10 points",
    ),
    "07.head-alone": (
        "Three epochs: the upper half trained, ahead of the head alone.",
        ">= 7 points",
    ),
    "07.layer-wise": (
        "Three epochs, all layers trained: layer-wise rates against one rate.",
        "-9 .. 3 points",
    ),
    "07.shift-costs": (
        "On devices, 200 film labels are behind 200 device labels.",
        ">= 4 points",
    ),
    "07.shift-alone": ("50 device labels alone against 200 film labels.", "-2 .. 6 points"),
    "07.shift-both": ("Both together, ahead of the 50 device labels alone.", ">= 2 points"),
    "07.abstain": (
        "Accuracy on the surer half (by the validation's threshold), ahead of that on all.",
        ">= 4 points",
    ),
}
DRAWS, MANY, RATE = 3, 20, 2e-4


class Corpus:
    """The reviews, their parts, and their states."""

    def __init__(self, seed):
        tokenizer, self.encoder = encoders.load(*encoders.find(quick=True))
        frame = reviews.load()
        self.labels, self.domain = frame["label"].to_numpy(), frame["domain"].to_numpy()
        self.train, self.valid, self.test = reviews.parts(frame)
        depth = len(encoders.layers(self.encoder))
        self.middle = depth // 2
        keep = (0, self.middle, depth)
        self.states = encoders.run_layers(self.encoder, tokenizer, frame["text"].tolist(), keep)
        self.means = np.stack([state.mean(0).numpy() for state in self.states[depth]])
        self.rng = np.random.default_rng(seed)
        self.draws = [reviews.draw(self.labels, self.train, 100, self.rng) for _ in range(DRAWS)]

    def accuracy(self, frozen, **options):
        """Return the mean accuracy of fine-tuning over the draws, percent, and the last model."""
        found = []
        for seed, rows in enumerate(self.draws):
            model, _ = fine_tune(
                self.encoder, self.states[frozen], self.labels, rows, self.valid, frozen=frozen,
                rate=RATE, seed=seed, **options,
            )  # fmt: skip
            found.append(encoders.measured(model, self.states[frozen], self.labels, self.test))
        return 100 * np.mean([record["val_accuracy"] for record in found]), model


def measure(seed):
    """Return the figures for one seed."""
    corpus = Corpus(seed)
    middle, depth = corpus.middle, 2 * corpus.middle
    half, model = corpus.accuracy(middle)
    cold, _ = corpus.accuracy(middle, warmup=0.0)
    head, _ = corpus.accuracy(depth, epochs=3)
    three, _ = corpus.accuracy(middle, epochs=3)
    every, _ = corpus.accuracy(0, epochs=3)
    wise, _ = corpus.accuracy(0, epochs=3, optimizer_for=layer_wise)
    found = {
        "07.warmup": half - cold,
        "07.half-frozen": every - three,
        "07.head-alone": three - head,
        "07.layer-wise": wise - every,
        "07.abstain": surer_half(corpus, model),
    }
    return found | weighted(corpus) | shifted(corpus)


def surer_half(corpus, model):
    """Return what answering only above the validation's median confidence gains, points."""
    states, labels = corpus.states[corpus.middle], corpus.labels[corpus.test]
    threshold = np.median(encoders.predict(model, states, corpus.valid).max(1))
    p = encoders.predict(model, states, corpus.test)
    answers = abstain(p, threshold)
    given = answers >= 0
    right = p.argmax(1) == labels
    return 100 * (np.mean(answers[given] == labels[given]) - right.mean())


def weighted(corpus):
    """Return what class weights find and what they cost, means over many draws."""
    found, price = [], []
    for _ in range(MANY):
        train, test = (uneven(corpus, *sizes) for sizes in ((220, 20, corpus.train),
                                                            (110, 11, corpus.test)))  # fmt: skip
        right = []
        for weights in (None, "balanced"):
            head = LogisticRegression(C=10, max_iter=2000, class_weight=weights)
            head.fit(corpus.means[train], corpus.labels[train])
            right.append(head.predict(corpus.means[test]) == corpus.labels[test])
        rare = corpus.labels[test] == 0
        found.append(right[1][rare].mean() - right[0][rare].mean())
        price.append(right[1].mean() - right[0].mean())
    return {"07.weights-found": 100 * np.mean(found), "07.weights-price": 100 * np.mean(price)}


def uneven(corpus, positive, negative, among):
    """Return that many random rows of each class."""
    rows = [corpus.rng.permutation(among[corpus.labels[among] == label]) for label in (0, 1)]
    return np.concatenate([rows[0][:negative], rows[1][:positive]])


def shifted(corpus):
    """Return the differences between the arms of the domain shift, means over many draws."""
    devices = np.flatnonzero(corpus.domain == "devices")
    films = np.setdiff1d(corpus.train, devices)
    tested = np.intersect1d(np.concatenate([corpus.valid, corpus.test]), devices)
    rows = films, np.intersect1d(corpus.train, devices), tested
    draws = [shift(corpus.means, corpus.labels, *rows, corpus.rng) for _ in range(MANY)]
    mean = {arm: np.mean([found[arm] for found in draws]) for arm in draws[0]}
    return {
        "07.shift-costs": mean["200 devices"] - mean["200 films"],
        "07.shift-alone": mean["50 devices"] - mean["200 films"],
        "07.shift-both": mean["200 films + 50 devices"] - mean["50 devices"],
    }
