"""Lesson 07, BERT: what goes wrong, and your own texts: its cells tagged `keep`, built."""

import copy

import numpy as np
import torch
from sklearn.linear_model import RidgeClassifierCV
from torch import nn

from transfer_lib import encoders
from transfer_lib.data import reviews
from transfer_lib.taught.lesson_06 import make_optimizer


def leaks(training_texts, test_texts):
    """Return the list of test texts that also stand in training, whatever their case and spaces."""

    def plain(text):
        return " ".join(text.lower().split())

    seen = {plain(text) for text in training_texts}
    return [text for text in test_texts if plain(text) in seen]


def class_weights(y):
    """Return one weight per class; `y` holds the labels 0, 1, ..., each at least once."""
    counts = np.bincount(y)
    classes = len(counts)
    return len(y) / (classes * counts)


def layer_wise(model, rate, factor=0.8, decay=0.01):
    """Return AdamW with a rate that shrinks by `factor` from each layer to the one below."""
    groups = make_optimizer(model, rate, decay).param_groups[2:]  # those of the head
    for i, layer in enumerate(reversed(encoders.layers(model.upper))):
        for matrices in (True, False):
            chosen = [p for p in layer.parameters() if (p.ndim > 1) == matrices]
            groups.append(
                {"params": chosen, "lr": rate * factor**i, "weight_decay": decay * matrices}
            )
    return torch.optim.AdamW(groups, fused=True)


ARMS = {"200 films": (100, 0), "50 devices": (0, 25), "200 films + 50 devices": (100, 25),
        "200 devices": (0, 100)}  # fmt: skip


def shift(means, labels, films, devices, tested, rng):
    """Return the accuracy on devices, percent, of each arm in one draw."""
    found = {}
    source, target = reviews.draw(labels, films, 100, rng), reviews.draw(labels, devices, 100, rng)
    for name, (of_films, of_devices) in ARMS.items():
        rows = [
            reviews.draw(labels, source, of_films, rng),
            reviews.draw(labels, target, of_devices, rng),
        ]
        rows = np.concatenate(rows).astype(int)
        head = RidgeClassifierCV(alphas=np.logspace(-1, 3, 9)).fit(means[rows], labels[rows])
        found[name] = 100 * head.score(means[tested], labels[tested])
    return found


def occlusion(judge, sentence):
    """Return for each word: the probability of the sentence minus that without the word."""
    words, without = sentence.split(), []
    for i in range(len(words)):
        others = words[:i] + words[i + 1 :]
        without.append(" ".join(others))
    whole, *rest = judge([sentence, *without])
    return [whole - p for p in rest]


def whole_encoder(encoder, model):
    """Return a copy of the encoder with the trained layers of a Classifier in it."""
    whole = copy.deepcopy(encoder)
    trained = encoders.layers(model.upper)
    for layer, new in zip(encoders.layers(whole)[model.frozen :], trained, strict=True):
        layer.load_state_dict(new.state_dict())
    return whole


class Saved:
    """A classifier of texts that `whole_encoder`, tokeniser and head were saved for in a folder."""

    def __init__(self, folder):
        self.tokenizer, self.encoder = encoders.load(str(folder), {})
        self.head = torch.load(folder / "head.pt", weights_only=True)

    @torch.no_grad()
    def __call__(self, some):
        inputs = self.tokenizer(list(some), padding=True, truncation=True, max_length=128,
                                return_tensors="pt").to(self.encoder.device)  # fmt: skip
        real = inputs["attention_mask"][..., None]
        pooled = (self.encoder(**inputs).last_hidden_state * real).sum(1) / real.sum(1)
        return nn.functional.linear(pooled, self.head["weight"], self.head["bias"]).softmax(1)


def abstain(probabilities, threshold):
    """Return the predicted class of each row, or -1 where the confidence is below threshold."""
    judged = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1) >= threshold
    return np.where(sure, judged, -1)
