"""Fine-tuning MiniLM on 1,000 sentences of SST-2: the lesson's loop against other ways.

The loop and ``Trainer`` train 3 epochs in batches of 32 on the same sentences, neither chooses
among its epochs, and all are measured on the test part, outside the timing. The vectors of
sentence-transformers, with scikit-learn's logistic regression on them, train nothing of the
encoder. The data come from ``TRANSFER_LIB_DATA`` (``sst2_train.csv`` and ``sst2_test.csv``);
without them there are no rows. The time of the lesson's loop includes running the frozen layers. On
a processor with instructions for bfloat16 the loop trains in it, as the lesson does; a case of its
own measures what that gains, and the tuned peer has it too. Each timed run has a seed of its own,
since accuracies of single runs lie up to a point apart; those reported are means over the runs. The
bench fails if the loop's is below that of the peer at its defaults. Memory is the peak of a fresh
process after one epoch.
"""

import os
import sys
import tempfile
from pathlib import Path

from bench.case import Case, Process

SENTENCES, EPOCHS, BATCH, SEED = 1000, 3, 32, 0
VECTORS = "sentence-transformers, logistic regression on its vectors"
FROZEN, RATE = 2, 3e-4  # embeddings and the lowest two layers are frozen


def sentences(folder):
    """Return the SST-2 sentences, the name of MiniLM and its tokeniser."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from types import SimpleNamespace

    import numpy as np
    from transformers import AutoTokenizer

    from transfer_lib import data, encoders

    found = SimpleNamespace()
    found.model, _ = encoders.find(quick=True)
    found.tokenizer = AutoTokenizer.from_pretrained(found.model)
    train = data.read_texts(folder / "sst2_train.csv", quiet=True)
    test = data.read_texts(folder / "sst2_test.csv", quiet=True)
    chosen = np.random.default_rng(SEED).permutation(len(train))[:SENTENCES]
    found.texts = train["text"].iloc[chosen].tolist()
    found.labels = train["label"].to_numpy()[chosen]
    found.tested, found.truth = test["text"].tolist(), test["label"].to_numpy()
    return found


def prepare(folder):
    """Return the lesson's functions, set up on MiniLM, and the SST-2 sentences."""
    from types import SimpleNamespace

    from transfer_lib import encoders
    from transfer_lib.taught import lesson_06

    lesson = SimpleNamespace(**vars(lesson_06) | vars(sentences(folder)))
    lesson.tokenizer, lesson.encoder = encoders.load(lesson.model, {})
    encoders.epochs_since_best = lambda history: 0  # the last epoch counts, as in Trainer
    return lesson


def computes_in_bfloat16():
    """Return True where the loop trains in bfloat16, as the lesson does."""
    from transfer_lib import encoders

    return encoders.computes_in_bfloat16(encoders.device())


def _run_layers(lesson, texts):
    from transfer_lib import encoders

    return encoders.run_layers(lesson.encoder, lesson.tokenizer, texts, [FROZEN])[FROZEN]


def lesson_loop(lesson, half):
    """Return a callable that trains by the lesson's loop and keeps the classifier in `models`.

    With `half` it trains in bfloat16.
    """
    import numpy as np

    def run():
        kept = _run_layers(lesson, lesson.texts)
        rows = np.arange(SENTENCES)
        one = rows[:1]  # the loop measures after each epoch; here nothing hangs on it
        model, _ = lesson.fine_tune(
            lesson.encoder, kept, lesson.labels, rows, one, frozen=FROZEN, rate=RATE,
            epochs=EPOCHS, seed=SEED + len(run.models), bfloat16=half, size=BATCH,
        )  # fmt: skip
        run.models.append(model)

    run.models = []
    return run


def accuracy_of_lesson(lesson, model):
    """Return the test accuracy of a classifier of the lesson."""
    import numpy as np

    from transfer_lib import encoders

    kept = _run_layers(lesson, lesson.tested)
    guesses = encoders.predict(model, kept, np.arange(len(kept))).argmax(1)
    return float(np.mean(guesses == lesson.truth))


def trainer(lesson, frozen=0, **changes):
    """Return a callable that trains by `Trainer`, at defaults except for `changes`."""
    import transformers
    from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding

    tokenizer = lesson.tokenizer

    def run():
        seed = SEED + len(run.models)
        transformers.set_seed(seed)
        model = AutoModelForSequenceClassification.from_pretrained(
            lesson.model, num_labels=2, use_safetensors=True
        )
        if frozen:
            model.bert.embeddings.requires_grad_(False)
            model.bert.encoder.layer[:frozen].requires_grad_(False)
        ids = tokenizer(lesson.texts, truncation=True, max_length=128)["input_ids"]
        pairs = zip(ids, lesson.labels, strict=True)
        rows = [{"input_ids": i, "labels": int(label)} for i, label in pairs]
        with tempfile.TemporaryDirectory() as out:
            arguments = transformers.TrainingArguments(
                output_dir=out, num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH,
                report_to="none", save_strategy="no", logging_strategy="no", disable_tqdm=True,
                use_cpu=True, seed=seed, **changes,
            )  # fmt: skip
            collator = DataCollatorWithPadding(tokenizer)
            transformers.Trainer(model, arguments, collator, train_dataset=rows).train()
        run.models.append(model)

    run.models = []
    return run


def accuracy_of_trainer(lesson, model):
    """Return the test accuracy of a model of the library."""
    import numpy as np
    import torch

    tokenizer = lesson.tokenizer
    model.eval()
    order = np.argsort([len(text) for text in lesson.tested])
    right = 0
    for rows in np.array_split(order, 30):
        inputs = tokenizer([lesson.tested[i] for i in rows], padding=True, return_tensors="pt")
        with torch.inference_mode():
            guesses = model(**inputs).logits.argmax(1).numpy()
        right += int((guesses == lesson.truth[rows]).sum())
    return right / len(order)


def sentence_transformers(lesson):
    """Return a callable that learns a logistic regression on vectors of sentence-transformers."""
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    encoder = SentenceTransformer(lesson.model, device="cpu")

    def run():
        vectors = encoder.encode(lesson.texts, show_progress_bar=False)
        head = LogisticRegression(C=10, max_iter=2000).fit(vectors, lesson.labels)
        run.models.append((encoder, head))

    run.models = []
    return run


def accuracy_of_features(lesson, model):
    """Return the test accuracy of a logistic regression on vectors."""
    encoder, head = model
    vectors = encoder.encode(lesson.tested, show_progress_bar=False)
    return float(head.score(vectors, lesson.truth))


def accuracies(lesson, ours, theirs, accuracy_of_theirs=accuracy_of_trainer):
    """Return a callable that returns both mean test accuracies, outside the timing."""
    import statistics

    def more():
        found = {
            "ours_accuracy": [accuracy_of_lesson(lesson, model) for model in ours.models],
            "theirs_accuracy": [accuracy_of_theirs(lesson, model) for model in theirs.models],
        }
        more.found = {name: statistics.mean(values) for name, values in found.items()}
        return more.found

    return more


def memory():
    """Yield the cases of peak memory; the process of the lesson runs once for both."""
    ours = Process("bert", "lesson", key="MiB")
    ways = {"trainer": "Trainer, default settings", "sentence-transformers": VECTORS}

    def once():
        return ours.last["MiB"] if ours.last else ours()

    for way, peer in ways.items():
        yield Case("bert/memory", peer, once, Process("bert", way, key="MiB"), 1, "MiB")


def cases():
    """Yield the cases.

    Raises
    ------
    SystemExit
        If the speed was bought with accuracy.
    """
    folder = os.environ.get("TRANSFER_LIB_DATA")
    if not folder or not (Path(folder) / "sst2_train.csv").exists():
        print("bert: skipped, TRANSFER_LIB_DATA has no sst2_train.csv", file=sys.stderr)
        return
    lesson, half = prepare(Path(folder)), computes_in_bfloat16()
    ours, default = lesson_loop(lesson, half), trainer(lesson)
    more = accuracies(lesson, ours, default)
    yield Case("bert/trainer-default", "Trainer, default settings", ours, default, 2, more=more)
    mine, other = more.found.values()
    if mine < other:
        raise SystemExit(f"accuracy {mine:.4f}: expected not below {other:.4f}")
    ours, other = lesson_loop(lesson, half), lesson_loop(lesson, not half)
    more = accuracies(lesson, ours, other, accuracy_of_lesson)
    peer = f"the same loop in {'float32' if half else 'bfloat16'}"
    yield Case("bert/precision", peer, ours, other, 1, more=more)
    changes = dict(learning_rate=RATE, train_sampling_strategy="group_by_length", bf16=half)
    ours, tuned = lesson_loop(lesson, half), trainer(lesson, FROZEN, **changes)
    peer = "Trainer: like lengths, the same layers frozen, the same rate and precision"
    more = accuracies(lesson, ours, tuned)
    yield Case("bert/trainer-tuned", peer, ours, tuned, 1, more=more)
    ours, vectors = lesson_loop(lesson, half), sentence_transformers(lesson)
    more = accuracies(lesson, ours, vectors, accuracy_of_features)
    yield Case("bert/sentence-transformers", VECTORS, ours, vectors, 1, more=more)
    yield from memory()
