"""The exercises of lesson 07: right answers in every form, wrong ones with their words."""

import copy
from collections import Counter

import numpy as np
import torch

import exercise_cases


def plain(text):
    return " ".join(text.lower().split())


def leaks(training, tested):
    return [t for t in tested if plain(t) in {plain(s) for s in training}]


def leaks_casefold(training, tested):
    seen = ["".join(s.split()).casefold() for s in training]
    return tuple(t for t in tested if "".join(t.split()).casefold() in seen)


def leaks_pandas(training, tested):
    return np.array(tested)[[plain(t) in map(plain, training) for t in tested]]


def weights_by_hand(y):
    y = list(y)
    classes = sorted(set(y))
    return [len(y) / (len(classes) * y.count(c)) for c in classes]


def weights_sklearn(y):
    from sklearn.utils.class_weight import compute_class_weight

    return compute_class_weight("balanced", classes=np.unique(y), y=y)


def weights_torch(y):
    counts = torch.bincount(torch.tensor(y))
    return counts.sum() / (len(counts) * counts)


def freezer(layers=lambda encoder, k: encoder.encoder.layer[:k], embeddings=True, count=None):
    def freeze(encoder, k):
        if embeddings:
            encoder.embeddings.requires_grad_(False)
        for layer in layers(encoder, k):
            layer.requires_grad_(False)
        return (count or trainable)(encoder)

    return freeze


def trainable(encoder):
    return sum(p.numel() for p in encoder.parameters() if p.requires_grad)


def freeze_by_parameter(encoder, k):
    frozen = list(encoder.embeddings.parameters())
    frozen += [p for layer in list(encoder.encoder.layer)[:k] for p in layer.parameters()]
    for p in frozen:
        p.requires_grad = False
    return np.int64(trainable(encoder))


def freeze_by_name(encoder, k):
    for name, p in encoder.named_parameters():
        first = any(name.startswith(f"encoder.layer.{i}.") for i in range(k))
        p.requires_grad = not (name.startswith("embeddings") or first)
    return torch.tensor(trainable(encoder))


def abstain(p, threshold):
    return np.where(p.max(1) >= threshold, p.argmax(1), -1)


def abstain_by_hand(p, threshold):
    return [int(np.argmax(row)) if max(row) >= threshold else -1 for row in p]


def abstain_torch(p, threshold):
    best = torch.tensor(p).max(1)
    return best.indices.masked_fill(best.values < threshold, -1)


def leaks_with(form, form_of_tests=None):
    """Return a solution that compares by this form, perhaps by another one for the test texts."""
    return lambda a, b: [t for t in b if (form_of_tests or form)(t) in {form(s) for s in a}]


def leaks_set(training, tested):
    return set(leaks_with(lambda t: tuple(t.upper().split()))(training, tested))


def weights_of_mean(y):
    counts = np.bincount(y)
    return tuple(counts.mean() / counts)


def count_all(encoder):
    return sum(p.numel() for p in encoder.parameters())


def freeze_all_first(encoder, k):
    encoder.requires_grad_(False)
    for part in (encoder.encoder.layer[k:], encoder.pooler):
        part.requires_grad_(True)
    return trainable(encoder)


def freeze_prefix(encoder, k):
    for name, p in encoder.named_parameters():
        first = any(name.startswith(f"encoder.layer.{i}") for i in range(k))
        p.requires_grad = not (name.startswith("embeddings") or first)
    return trainable(encoder)


def freeze_words_only(encoder, k):
    encoder.embeddings.word_embeddings.requires_grad_(False)
    return freezer(embeddings=False)(encoder, k)


def abstain_overwriting(p, threshold):
    p[p.max(1) < threshold] = -1
    return np.where(p.max(1) < 0, -1, p.argmax(1))


def abstain_copy(p, threshold):
    return abstain_overwriting(p.copy(), threshold).astype(float)


def shorter(sentence):
    words = sentence.split()
    return [" ".join(w for j, w in enumerate(words) if j != i) for i in range(len(words))]


def occlude(judge, sentence):
    return judge([sentence])[0] - judge(shorter(sentence))


def occlude_singly(judge, sentence):
    whole = judge([sentence])[0]
    return [float(whole - judge([other])[0]) for other in shorter(sentence)]


def occlude_by_deletion(judge, sentence):
    rest = []
    for i in range(len(sentence.split())):
        words = sentence.split()
        del words[i]
        rest.append(" ".join(words))
    probabilities = torch.tensor(judge([sentence] + rest))
    return probabilities[0] - probabilities[1:]


def occlude_by_replacing(judge, sentence):
    rest = [" ".join(sentence.replace(word, "").split()) for word in sentence.split()]
    return judge([sentence])[0] - judge(rest)


def occlude_all_of_a_word(judge, sentence):
    words = sentence.split()
    rest = [" ".join(w for w in words if w != word) for word in words]
    return judge([sentence])[0] - judge(rest)


RIGHT = {
    "occlusion": [occlude, occlude_singly, occlude_by_deletion],
    "leaks": [leaks, leaks_casefold, leaks_pandas, leaks_set],
    "class_weights": [weights_by_hand, weights_sklearn, weights_torch, weights_of_mean],
    "freeze": [freezer(), freeze_by_parameter, freeze_by_name, freeze_all_first],
    "abstain": [abstain, abstain_by_hand, abstain_torch, abstain_copy],
}
WRONG = {
    "occlusion": [
        (lambda judge, s: judge(shorter(s)) - judge([s])[0], "The sign is turned"),
        (lambda judge, s: judge(shorter(s)), "Subtract them from the whole's"),
        (lambda judge, s: abs(occlude(judge, s)), "The sign is lost"),
        (occlude_all_of_a_word, "twice; leave out one"),
        (occlude_by_replacing, "also cuts *good* out of *goodish*"),
        (lambda judge, s: judge([s])[0] - judge(s.split()), "each word alone. Judge the rest"),
        (lambda judge, s: judge(s.split()), "Judge the sentence without it"),
        (lambda judge, s: occlude(judge, s) / judge([s])[0], "a share of the probability"),
        (lambda judge, s: judge([s])[0] - judge([s, *shorter(s)]), "one number too many"),
        (lambda judge, s: dict(zip(s.split(), occlude(judge, s), strict=True)), "a dict cannot"),
        (lambda judge, s: occlude(judge, s)[:2], "so there are 6 numbers"),
        (lambda judge, s: [judge(s) - judge(x) for x in shorter(s)], "takes a list of texts"),
        (lambda judge, s: occlude(judge, s) + 0.01, "the differences are"),
    ],
    "leaks": [
        (lambda a, b: [t for t in b if t in a], "differ in case"),
        (leaks_with(str.lower), "strip the ends"),
        (leaks_with(str.strip), "case must not matter"),
        (leaks_with(lambda t: t.lower().strip()), "three spaces"),
        (leaks_with(lambda t: t.lower().strip().replace("  ", " ")), "three spaces"),
        (leaks_with(plain, str.lower), "bring the test texts"),
        (leaks_with(lambda t: plain(t).strip(".!")), "not past punctuation"),
        (lambda a, b: a, "the training texts"),
        (lambda a, b: [s for s in a if plain(s) in map(plain, b)], "the training texts"),
        (lambda a, b: [t for t in b if any(plain(s) in plain(t) for s in a)], "whole texts"),
        (lambda a, b: [t for t in b if any(plain(t) in plain(s) for s in a)], "only a part of"),
        (lambda a, b: [i for i, t in enumerate(b) if plain(t)], "not numbers"),
        (lambda a, b: np.array([t in leaks(a, b) for t in b]), "not numbers"),
        (lambda a, b: [[s, t] for s in a for t in b if plain(s) == plain(t)], "or pairs"),
        (lambda a, b: ", ".join(leaks(a, b)), "This is one text"),
        (lambda a, b: [t for t in b if t not in leaks(a, b)], "the other half"),
        (lambda a, b: b, "all test texts"),
        (lambda a, b: [plain(t) for t in leaks(a, b)], "as they were given"),
        (lambda a, b: [*leaks(a, b), "it"], "as given"),
    ],
    "class_weights": [
        (lambda y: np.bincount(y) / len(y), "other way round"),
        (lambda y: len(y) / np.bincount(y), "number of classes"),
        (lambda y: 1 / np.bincount(y), "size is not"),
        (lambda y: np.ones(len(y)), "per row"),
        (lambda y: [1.0, 1.0], "three weights"),
        (lambda y: [1.0, 1.0, 1.0], "For 6, 1 and 5 rows"),
        (lambda y: np.median(np.bincount(y)) / np.bincount(y), "size is not"),
        (lambda y: np.bincount(y).max() / np.bincount(y), "size is not"),
        (lambda y: 1 - np.bincount(y) / len(y), "1 minus the share"),
        (lambda y: len(y) / len(set(y)) * np.bincount(y), "other way round"),
        (lambda y: [len(y) / (3 * n) for n in Counter(y.tolist()).values()], "another order"),
        (lambda y: len(y) / (3 * np.bincount(y)), "an even set of two classes"),
        (lambda y: dict(enumerate(weights_by_hand(y))), "a dictionary"),
    ],
    "freeze": [
        (freezer(embeddings=False), "the embeddings are not"),
        (freezer(lambda e, k: []), "can still be trained"),
        (freezer(lambda e, k: e.encoder.layer), "All layers are frozen"),
        (freezer(lambda e, k: e.encoder.layer[-k:]), "upper layers"),
        (freezer(lambda e, k: e.encoder.layer[: k - 1]), "three layers are frozen"),
        (freezer(lambda e, k: e.encoder.layer[: k + 1]), "Yours: 0, 1, 2, 3."),
        (freezer(lambda e, k: e.encoder.layer[k:]), "upper layers"),
        (freezer(lambda e, k: [la.dense for la in e.encoder.layer[:k]]), "only in part"),
        (freeze_prefix, "Layers 10 and 11"),
        (freeze_words_only, "embeddings are frozen only in part"),
        (lambda e, k: freezer()(copy.deepcopy(e), k), "not a copy"),
        (lambda e, k: freezer(embeddings=k > 0)(e, k), "all the same"),
        (freezer(lambda e, k: e.encoder.layer[:3]), "For k=0 no layer"),
        (freezer(count=lambda e: 262), "right for k=3 only"),
        (freezer(count=lambda e: trainable(e.encoder)), "counts the layers only"),
        (freezer(count=lambda e: count_all(e) - trainable(e)), "counts the frozen"),
        (freezer(lambda e, k: [*e.encoder.layer[:k], e.pooler]), "you froze it too"),
        (freezer(count=lambda e: count_all(e)), "counts all"),
        (freezer(count=lambda e: sum(p.requires_grad for p in e.parameters())), "counts tensors"),
    ],
    "abstain": [
        (lambda p, t: p.argmax(1), "no effect"),
        (lambda p, t: np.where(p.max(1) < t, p.argmax(1), -1), "wrong way round"),
        (lambda p, t: np.where(p.max(1) > t, p.argmax(1), -1), "use >="),
        (lambda p, t: np.where(p[:, 1] >= t, p.argmax(1), -1), "class 1 only"),
        (lambda p, t: p.max(1), "This is the confidence"),
        (lambda p, t: p.argmax(1)[p.max(1) >= t], "One class for each row"),
        (lambda p, t: abstain(p, 0.8), "Use the argument threshold"),
        (lambda p, t: np.where(p.max(1) >= t, p[:, 1] > 0.5, -1), "more than two classes"),
        (lambda p, t: np.where(p.max(0) >= t, p.argmax(0), -1), "use axis 1"),
        (lambda p, t: np.where(p.max() >= t, p.argmax(1), -1), "no effect"),
        (lambda p, t: abstain(p, t)[:, None], "yours is (6, 1)"),
        (lambda p, t: [None if c < 0 else c for c in abstain(p, t)], "not None"),
        (lambda p, t: np.maximum(abstain(p, t), 0), "0 is a class"),
        (lambda p, t: p.max(1) >= t, "whether the model answers"),
        (lambda p, t: np.where(p.max(1) >= t, p.argmax(1) + 1, -1), "count from 0"),
        (lambda p, t: np.where((p >= t).any(1), (p >= t).argmax(1), -1), "the first of them"),
        (lambda p, t: p.min(1).round() - 1, "Expected [0, -1, 2, 1, -1, 2]"),
        (abstain_overwriting, "overwritten `probabilities`"),
    ],
}
test_right, test_wrong, test_complete = exercise_cases.tests("07", RIGHT, WRONG)
