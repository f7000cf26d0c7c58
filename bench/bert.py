"""Fine-tuning MiniLM on 1,000 sentences of SST-2: the lesson's loop against ``Trainer``.

Both train 3 epochs in batches of 32 on the same sentences, neither chooses among its epochs, and
both are measured on the test part, outside the timing. The data come from ``TRANSFER_LIB_DATA``
(``sst2_train.csv`` and ``sst2_test.csv``); without them there are no rows. The time of the lesson's
loop includes running the frozen layers. On a processor with instructions for bfloat16 the loop
trains in it, as the lesson does; a case of its own measures what that gains, and the tuned peer has
it too. Each timed run has a seed of its own, since accuracies of single runs lie up to a point
apart; those reported are means over the runs. The bench fails if the loop's is below that of the
peer at its defaults.
"""

import os
import sys
import tempfile
from pathlib import Path

SENTENCES, EPOCHS, BATCH, SEED = 1000, 3, 32, 0
FROZEN, RATE = 2, 3e-4  # embeddings and the lowest two layers are frozen


def prepare(folder):
    """Return the lesson's functions, set up on MiniLM, and the SST-2 sentences."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from types import SimpleNamespace

    import numpy as np

    from transfer_lib import data, encoders
    from transfer_lib.taught import lesson_06

    lesson = SimpleNamespace(**vars(lesson_06))
    lesson.model, pinned = encoders.find(quick=True)
    lesson.tokenizer, lesson.encoder = encoders.load(lesson.model, pinned)
    encoders.epochs_since_best = lambda history: 0  # the last epoch counts, as in Trainer
    train = data.read_texts(folder / "sst2_train.csv", quiet=True)
    test = data.read_texts(folder / "sst2_test.csv", quiet=True)
    chosen = np.random.default_rng(SEED).permutation(len(train))[:SENTENCES]
    lesson.texts = train["text"].iloc[chosen].tolist()
    lesson.labels = train["label"].to_numpy()[chosen]
    lesson.tested, lesson.truth = test["text"].tolist(), test["label"].to_numpy()
    return lesson


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


def accuracies(name, lesson, ours, theirs, accuracy_of_theirs=accuracy_of_trainer):
    """Say and return both mean test accuracies; they are not part of the timing."""
    import numpy as np

    mine = np.mean([accuracy_of_lesson(lesson, model) for model in ours.models])
    other = np.mean([accuracy_of_theirs(lesson, model) for model in theirs.models])
    print(f"{name}: test accuracy {mine:.4f}, the peer's {other:.4f}", file=sys.stderr)
    return mine, other


def cases():
    """Yield the cases as (name, peer, ours, theirs, runs).

    Raises
    ------
    SystemExit
        If the speed was bought with accuracy.
    """
    folder = os.environ.get("TRANSFER_LIB_DATA")
    if not folder or not (Path(folder) / "sst2_train.csv").exists():
        print("bert: skipped, TRANSFER_LIB_DATA has no sst2_train.csv", file=sys.stderr)
        return
    from transfer_lib import encoders

    lesson = prepare(Path(folder))
    half = encoders.computes_in_bfloat16(lesson.encoder.device)
    ours, default = lesson_loop(lesson, half), trainer(lesson)
    yield "bert/trainer-default", "Trainer, default settings", ours, default, 3
    mine, other = accuracies("bert/trainer-default", lesson, ours, default)
    if mine < other:
        raise SystemExit(f"accuracy {mine:.4f}: expected not below {other:.4f}")
    if half:
        ours, plain = lesson_loop(lesson, True), lesson_loop(lesson, False)
        yield "bert/bfloat16", "the same loop in float32", ours, plain, 1
        accuracies("bert/bfloat16", lesson, ours, plain, accuracy_of_lesson)
    changes = dict(learning_rate=RATE, train_sampling_strategy="group_by_length", bf16=half)
    ours, tuned = lesson_loop(lesson, half), trainer(lesson, FROZEN, **changes)
    peer = "Trainer: like lengths, the same layers frozen, the same rate and precision"
    yield "bert/trainer-tuned", peer, ours, tuned, 1
    accuracies("bert/trainer-tuned", lesson, ours, tuned)
