"""Train lesson 03's network one way in this process: ``cnn.py WAY TASK DATA SEED``.

WAY is ``course`` (Keras as the lesson sets it up), ``keras`` (Keras at its defaults, on
``KERAS_BACKEND``), ``torch`` (plain torch at its defaults) or ``torch-1`` (on one thread). TASK is
``pretrain``, the lesson's 150 steps, of which the first epoch is not timed, or ``fine-tune``, its
100 steps on 25 images with a new model, of which one is trained untimed before.
"""

import functools
import json
import os
import sys
import time

import numpy as np

STEPS, BATCH, SMALL_STEPS, SMALL_BATCH, RATE = 150, 64, 100, 32, 3e-3
CLASSES = 5


class Clock:
    """Keeps when training began and when each epoch ended."""

    def __init__(self):
        self.times = [time.perf_counter()]

    def tick(self):
        self.times.append(time.perf_counter())

    @property
    def first(self):
        """Seconds of the first epoch, with all that is compiled in it."""
        return self.times[1] - self.times[0]

    @property
    def rest(self):
        """Seconds of the other epochs."""
        return self.times[-1] - self.times[1]


class Keras:
    """The lesson's own functions, on any backend."""

    def __init__(self, way, seed):
        if way == "course":
            import transfer_lib

            transfer_lib.setup("03", profile="quick")
        import keras

        from transfer_lib.taught import lesson_03

        keras.utils.set_random_seed(seed)
        self.keras, self.lesson = keras, lesson_03

    def new(self):
        return self.lesson.head_swap(self.lesson.make_backbone(), CLASSES)

    def train(self, model, x, y, steps, batch, clock):
        told = self.keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.tick())
        model.fit = functools.partial(model.fit, callbacks=[told])
        self.lesson.train(model, x, y, steps, RATE, batch)

    def accuracy(self, model, x, y):
        return self.lesson.accuracy(model, x, y)


class Torch:
    """The same network, start, optimiser and schedule in plain torch."""

    def __init__(self, way, seed):
        import torch

        torch.manual_seed(seed)
        if way != "torch":
            torch.set_num_threads(1)
        self.torch = torch

    def new(self):
        nn, layers, before = self.torch.nn, [], 1
        for width in (16, 32, 64):
            layers += [
                nn.Conv2d(before, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width, eps=1e-3, momentum=0.1),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            before = width
        head = nn.Linear(before, CLASSES)
        model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
        for layer in model:  # as Keras starts
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(head.bias)
        return model

    def _images(self, x):
        return self.torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))

    def train(self, model, x, y, steps, batch, clock):
        torch = self.torch
        images, labels = self._images(x), torch.from_numpy(y).long()
        per_epoch = -(-len(x) // batch)
        epochs = max(1, round(steps / per_epoch))
        optimizer = torch.optim.Adam(model.parameters(), RATE, eps=1e-7)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * per_epoch)
        model.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(images)).split(batch):
                loss = torch.nn.functional.cross_entropy(model(images[rows]), labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                falling.step()
            clock.tick()

    def accuracy(self, model, x, y):
        model.eval()
        with self.torch.inference_mode():
            return float((model(self._images(x)).argmax(1).numpy() == y).mean())


def pretrain(way, parts):
    """Return seconds of all epochs but the first, those of the first, and the accuracy."""
    model, clock = way.new(), Clock()
    way.train(model, *parts[0], STEPS, BATCH, clock)
    accuracy = way.accuracy(model, *parts[1])
    return {"seconds": clock.rest, "first": clock.first, "accuracy": accuracy}


def fine_tune(way, parts, rng):
    """Return the seconds of a second model from nothing to trained, those of the first, and more.

    The accuracy is that of the second. It learns from 25 images, five of each digit.
    """
    (x, y), tested = parts
    rows = [rng.choice(np.flatnonzero(y == k), 5, replace=False) for k in range(CLASSES)]
    rows, seconds = np.concatenate(rows), []
    for _ in range(2):
        start = time.perf_counter()
        model = way.new()
        way.train(model, x[rows], y[rows], SMALL_STEPS, SMALL_BATCH, Clock())
        seconds.append(time.perf_counter() - start)
    accuracy = way.accuracy(model, *tested)
    return {"seconds": seconds[1], "first": seconds[0], "accuracy": accuracy}


def main():
    name, task, file, seed = sys.argv[1:]
    if name != "course":
        os.environ.pop("OMP_WAIT_POLICY", None)  # the bench sets it; others run at their defaults
    way = (Torch if name.startswith("torch") else Keras)(name, int(seed))
    kept = np.load(file)
    parts = [(kept[f"x_{part}"], kept[f"y_{part}"]) for part in ("train", "test")]
    if task == "pretrain":
        found = pretrain(way, parts)
    else:
        found = fine_tune(way, parts, np.random.default_rng(int(seed)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
