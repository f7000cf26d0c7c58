"""Exercises of lesson 07."""

from transfer_lib.exercises.lesson_06 import short
from transfer_lib.practice import Wrong, array, call, close, exercise, number


@exercise(
    "07.leaks",
    hints=[
        "Bring both sides to one form: lower case, single spaces, no space at the ends.",
        "`' '.join(text.lower().split())` is such a form. Put those of training in a set.",
    ],
)
def leaks(answer):
    """Return the test texts that also stand in training, whatever their case and spaces."""
    training = ["Great film.", "It broke ", "Too   loud", "never again", "Fine by me", "So-so"]
    right = ["great film.", "It broke", "too loud", " Never  Again"]
    tested = ["A great film.", *right, "Fine", "Great film!"]
    value = call(answer, list(training), list(tested))
    if isinstance(value, str):
        raise Wrong("This is one text. Return a list of texts.")
    try:
        value = list(value)
    except TypeError:
        raise Wrong("Return a list of the test texts that are also in training.") from None
    if not all(isinstance(item, str) for item in value):
        raise Wrong("Return the texts themselves, not numbers, True and False, or pairs.")
    if not value:
        raise Wrong(
            "You found none, because no two texts are equal to the letter. Bring both sides to one "
            "form first: 'Great film.' and 'great film.' differ in case."
        )
    found, wanted = set(value), set(right)
    if found == set(tested):
        raise Wrong("These are all test texts. Return only those that are also in training.")
    if found == set(tested) - wanted:
        raise Wrong("This is the other half: return the test texts that are in training.")
    if found <= set(training):
        raise Wrong("These are the training texts. Return those of the test part, as they are.")

    def plain(texts):
        return sorted(" ".join(text.lower().split()) for text in texts)

    if not found <= set(tested) and plain(found) == plain(right):
        raise Wrong("You found the right ones. Return the test texts as they were given.")
    if "A great film." in found:
        raise Wrong("'A great film.' is another text: compare whole texts, not parts of them.")
    if "Fine" in found:
        raise Wrong("'Fine' is only a part of 'Fine by me': compare whole texts.")
    if "Great film!" in found:
        raise Wrong(
            "'Great film!' and 'Great film.' are two texts: look past case and spaces only, not "
            "past punctuation."
        )
    if found < wanted and "great film." not in found:
        raise Wrong("'great film.' is in training as 'Great film.': case must not matter.")
    if found < wanted and "It broke" not in found:
        raise Wrong("'It broke' is in training with a space at its end: strip the ends.")
    if found < wanted and "too loud" not in found:
        raise Wrong("'too loud' is in training with three spaces: spaces inside must not matter.")
    if found < wanted:
        raise Wrong(
            "' Never  Again' is in training as 'never again': bring the test texts to the same "
            "form as those of training."
        )
    if sorted(value) != sorted(right):
        raise Wrong(f"Expected {right}; yours is {value}. Return each test text once, as given.")


@exercise(
    "07.class_weights",
    hints=[
        "`np.bincount(y)` counts the rows of each class.",
        "rows / (classes * rows of that class), with the counts as an array.",
    ],
)
def class_weights(answer):
    """Return one weight per class: rows / (classes * rows of that class)."""
    import numpy as np

    y = np.array([2, 0, 0, 2, 1, 0, 2, 0, 2, 0, 2, 0])
    counts = np.bincount(y)  # 6, 1, 5
    right = len(y) / (3 * counts)
    value = call(answer, y.copy())
    if isinstance(value, dict):
        raise Wrong("This is a dictionary. Return an array or a list: class 0 first, then 1, ...")
    value = array(value, "the weights")
    if value.shape == (len(y),):
        raise Wrong("This is one weight per row. Return one per class.")
    if value.shape != (3,):
        raise Wrong(f"With three classes there are three weights; yours has shape {value.shape}.")

    def proportional(other):
        return value.sum() > 0 and close(value / value.sum(), other / other.sum())

    if proportional(counts):
        raise Wrong("A frequent class has the larger weight here. It is the other way round.")
    if close(value, len(y) / counts):
        raise Wrong("Divide by the number of classes as well, so that an even set has weights 1.")
    if close(value, 1 - counts / len(y)):
        raise Wrong("This is 1 minus the share of each class. Divide by the number of its rows.")
    if proportional(right) and not close(value, right):
        raise Wrong(
            "The ratios are right, but the size is not: an even set should have weights of 1. "
            "Multiply by the rows and divide by the classes."
        )
    if close(np.sort(value), np.sort(right)) and not close(value, right):
        raise Wrong(
            "These are the right weights in another order. The first is that of class 0, then "
            "class 1, whichever comes first in y and whichever is frequent."
        )
    if not close(value, right):
        raise Wrong(f"For 6, 1 and 5 rows the weights are {short(right)}; yours {short(value)}.")
    value = array(call(answer, np.array([1, 0, 0, 1])), "the weights")
    if not close(value, [1, 1]):
        raise Wrong(
            "For y = [1, 0, 0, 1], an even set of two classes, the weights are [1, 1]; yours "
            f"{short(np.ravel(value))}. Take the numbers of rows and classes from y."
        )
    return "scikit-learn calls the same weights `class_weight='balanced'`."


@exercise(
    "07.freeze",
    hints=[
        "`module.requires_grad_(False)` freezes all parameters of a module.",
        "The layers are `encoder.encoder.layer[:k]`; go through them one by one.",
        "`return sum(p.numel() for p in encoder.parameters() if p.requires_grad)`",
    ],
)
def freeze(answer):
    """Freeze the embeddings and the first k layers; return how many parameters stay trainable."""
    from torch import nn

    def module(**parts):
        whole = nn.Module()
        for name, part in parts.items():
            whole.add_module(name, part)
        return whole

    def model():
        layers = [module(dense=nn.Linear(4, 4), LayerNorm=nn.LayerNorm(4)) for _ in range(12)]
        return module(
            embeddings=module(word_embeddings=nn.Embedding(10, 4), LayerNorm=nn.LayerNorm(4)),
            encoder=module(layer=nn.ModuleList(layers)),
            pooler=module(dense=nn.Linear(4, 2)),
        )

    def frozen(part):  # the share of its tensors
        switches = [not p.requires_grad for p in part.parameters()]
        return sum(switches) / len(switches)

    def size(part, trainable=True):
        return sum(p.numel() for p in part.parameters() if p.requires_grad or not trainable)

    fresh = model()
    value = number(call(answer, fresh, 3), "the number of parameters")
    layers = [frozen(layer) for layer in fresh.encoder.layer]
    whole = [i for i, share in enumerate(layers) if share == 1]
    if any(layers) and not frozen(fresh.embeddings):
        raise Wrong(
            "The layers are frozen, but the embeddings are not: freeze them as well, with "
            "`encoder.embeddings.requires_grad_(False)`. (`requires_grad = False` does nothing on "
            "a module as a whole.)"
        )
    if not any(layers):
        if close(value, size(fresh.encoder.layer[3:]) + size(fresh.pooler)):
            raise Wrong("The number is right, but the encoder is as before. Freeze it, not a copy.")
        raise Wrong(
            "The first k layers can still be trained. Set `requires_grad` of their parameters; on "
            "a module as a whole, use the method `requires_grad_(False)`."
        )
    if len(whole) == 12:
        raise Wrong("All layers are frozen; freeze only the first k: `encoder.encoder.layer[:k]`.")
    if frozen(fresh.embeddings) < 1:
        raise Wrong("The embeddings are frozen only in part. Freeze all of `encoder.embeddings`.")
    for i, share in enumerate(layers):
        if 0 < share < 1:
            raise Wrong(
                f"Layer {i} is frozen only in part. Its biases and its layer normalisation belong "
                "to it too."
            )
    if layers[0] == 0 and layers[-1] == 1:
        raise Wrong("These are the upper layers. Freeze the first k, those near the input.")
    if whole == [0, 1, 2, 10, 11]:
        raise Wrong(
            "Layers 10 and 11 are frozen too: the text 'layer.1' is also in 'layer.10'. Look for "
            "'layer.1.' with a dot behind it, or use `encoder.encoder.layer[:k]`."
        )
    if whole != [0, 1, 2]:
        raise Wrong(
            f"For k=3, three layers are frozen: 0, 1 and 2. Yours: {str(whole)[1:-1]}. Use "
            "`encoder.encoder.layer[:k]`."
        )
    if frozen(fresh.pooler):
        raise Wrong("What comes after the layers stays trainable; you froze it too.")
    if close(value, size(fresh, trainable=False)):
        raise Wrong(
            "This counts all parameters. Count those whose `requires_grad` is True, after freezing."
        )
    if close(value, size(fresh, trainable=False) - size(fresh)):
        raise Wrong("This counts the frozen parameters. Count those that can still be trained.")
    if close(value, sum(p.requires_grad for p in fresh.parameters())):
        raise Wrong("This counts tensors. Add up their numbers of entries, `numel()`.")
    if close(value, size(fresh.encoder)):
        raise Wrong("This counts the layers only. What comes after them can be trained too.")
    if not close(value, size(fresh)):
        raise Wrong(
            f"The freezing is right; {size(fresh)} parameters can be trained, not {value:g}."
        )
    other = model()
    value = number(call(answer, other, 0), "the number of parameters")
    if frozen(other.encoder):
        raise Wrong("For k=0 no layer is frozen, only the embeddings.")
    if frozen(other.embeddings) < 1:
        raise Wrong("For k=0 the embeddings are frozen all the same.")
    if not close(value, size(other)):
        raise Wrong(
            f"The number is right for k=3 only. For k=0 it is {size(other)}; yours is {value:g}."
        )


@exercise(
    "07.abstain",
    hints=[
        "The confidence is the largest probability of the row: `probabilities.max(1)`.",
        "`np.where(condition, one, other)` picks row by row.",
    ],
)
def abstain(answer):
    """Return each row's most probable class, or -1 where its probability is below the threshold."""
    import numpy as np

    rows = [[0.9, 0.06, 0.04], [0.3, 0.45, 0.25], [0.15, 0.05, 0.8]]
    rows += [[0.05, 0.85, 0.1], [0.35, 0.25, 0.4], [0.0, 0.02, 0.98]]
    p = np.array(rows)
    best, confidence = p.argmax(1), p.max(1)
    right = np.array([0, -1, 2, 1, -1, 2])
    changes = (
        "Your code has overwritten `probabilities`, which is needed again. "
        "Work on a copy: `probabilities.copy()`."
    )
    value = call(answer, p, 0.8, mutation=changes)
    if isinstance(value, list | tuple) and any(item is None for item in value):
        raise Wrong("Where the model abstains, put -1, not None.")
    value = array(value, "the classes")
    if value.shape == (3,):
        raise Wrong(
            "This is one number for each class, but each row is a text: use axis 1, as in `max(1)`."
        )
    if value.shape == (4,):
        raise Wrong("One class for each row: keep the rows you abstain from, as -1.")
    if value.shape != (6,):
        raise Wrong(
            f"Return one class for each row. For 6 rows the shape is (6,); yours is {value.shape}."
        )
    if close(value, best):
        raise Wrong(
            "The threshold has no effect. Put -1 where the confidence of the row, `max(1)`, is "
            "below it."
        )
    if close(value, np.where(confidence < 0.8, best, -1)):
        raise Wrong("This is the wrong way round: abstain below the threshold, not above it.")
    if close(value, [0, -1, -1, 1, -1, 2]):
        raise Wrong("At exactly the threshold the model still answers: use >=, not >.")
    if close(value, [-1, -1, -1, 1, -1, -1]):
        raise Wrong(
            "You look at the probability of class 1 only. The confidence is the largest of the row."
        )
    if close(value, [0, -1, 0, 1, -1, 0]):
        raise Wrong("There may be more than two classes: take `argmax(1)` as the class.")
    if close(value, confidence) or close(value, np.where(confidence >= 0.8, confidence, -1)):
        raise Wrong("This is the confidence. Return the class: `argmax`.")
    if close(value, confidence >= 0.8):
        raise Wrong("This says whether the model answers. Return its class there, and else -1.")
    if close(value, np.where(right < 0, 0, right)):
        raise Wrong("You put 0 where the model abstains, but 0 is a class. Put -1.")
    if close(value, np.where(right < 0, -1, right + 1)):
        raise Wrong("Classes count from 0: return `argmax(1)` as it is.")
    if not close(value, right):
        raise Wrong(f"Expected {right.tolist()} at a threshold of 0.8; yours is {short(value)}.")
    value = array(call(answer, p.copy(), 0.2), "the classes")
    if close(value, np.argmax(p >= 0.2, axis=1)):
        raise Wrong(
            "At a low threshold several classes of a row reach it, and you take the first of them. "
            "Take the most probable."
        )
    if not close(value, best):
        raise Wrong("At a threshold of 0.2 nothing is left out here. Use the argument threshold.")


@exercise(
    "07.occlusion",
    hints=[
        "For a sentence of n words you need n sentences of n - 1 words, and the whole one.",
        "Without word i: `words[:i] + words[i + 1:]`, joined by spaces. Not `replace`: a word may "
        "stand there twice.",
        "Judge all in one call. From the probability of the whole sentence subtract each other.",
    ],
)
def occlusion(answer):
    """Return for each word: the probability of the sentence minus that without the word."""
    import numpy as np

    values = {"good": 0.25, "not": -0.15, "very": 0.08, "film": 0.02, "goodish": 0.01}
    seen, single = [], []

    def probability(text):
        words = text.split()
        score = 0.4 + sum(values.get(word, 0) for word in words)
        return score + (0.05 if words[:1] == ["very"] else 0) + 0.01 * len(words)

    def judge(texts):
        if isinstance(texts, str):
            single.append(texts)
            return probability(texts)
        seen.extend(texts)
        return np.array([probability(text) for text in texts])

    sentence = "very very good film not goodish"
    words = sentence.split()
    value = call(answer, judge, sentence)
    if isinstance(value, dict):
        raise Wrong("Return a list, one number for each word: a dict cannot hold *very* twice.")
    if single:
        raise Wrong("`judge` takes a list of texts, not one text: `judge([text])[0]`.")
    value = array(value, "the differences")
    whole = probability(sentence)
    without = [probability(" ".join(words[:i] + words[i + 1 :])) for i in range(len(words))]
    right = whole - np.array(without)
    if value.shape == (len(words) + 1,):
        raise Wrong(
            "There is one number too many. The whole sentence is only what you subtract from."
        )
    if value.shape != right.shape:
        raise Wrong(
            f"The sentence has {len(words)} words, so there are {len(words)} numbers; yours has "
            f"the shape {value.shape}."
        )
    if close(value, right):
        return "A word may matter by standing there, or only by its neighbours. This cannot tell."
    removed = [whole - probability(" ".join(x for x in words if x != w)) for w in words]
    if any("ish" in text.split() for text in seen):
        raise Wrong("`replace` also cuts *good* out of *goodish*. Leave out one place of the list.")
    mistakes = [
        (-right, "The sign is turned: the sentence minus the sentence without the word."),
        (without, "These are the probabilities without each word. Subtract them from the whole's."),
        (np.abs(right), "The sign is lost: a word may speak against *positive*, too."),
        (removed, "*very* stands there twice; leave out one of them at a time."),
        ([whole - probability(w) for w in words], "You judged each word alone. Judge the rest."),
        (
            [probability(w) for w in words],
            "You judged each word alone. Judge the sentence without it.",
        ),
        (right / whole, "This is a share of the probability. Return the difference."),
    ]
    for mistaken, words_of_it in mistakes:
        if close(value, np.array(mistaken)):
            raise Wrong(words_of_it)
    raise Wrong(f"For {sentence!r} the differences are {short(right)}; yours are {short(value)}.")
