"""Train the course's quarter-width VGG16 on CIFAR-10; `export_vgg16_mini.py` writes what ships.

    python tools/train_vgg16_mini.py    # resumes from its checkpoint after a stop

The network is trained in plain PyTorch with batch normalisation after every layer with weights.
CIFAR-10 comes from ``cifar10_jpeg.npz`` in the folder of ``TRANSFER_LIB_DATA`` when it is set,
else from ``keras.datasets.cifar10``.
"""

import argparse
import io
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from transfer_lib import architectures, networks, settings

RECIPE = {
    "seed": 0,
    "epochs": 200,
    "cycles": 2,  # the second starts from the weights of the first, with strong augmentation
    "batch": 128,
    "held_out": 1000,
    "peak_rate": 0.1,
    "warm_up": 0.05,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "crop_padding": 4,
    "turn": 15.0,
    "zoom": 0.15,
    "colour": 0.25,
    "bfloat16": True,
    "threads": 1,  # two threads that wait for each other are slower on a busy machine
}
MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)  # of ImageNet, as Keras has it
SCALE = 64.0  # the network is trained on preprocessed pixels divided by this; export folds it in
JPEG_FILE = "cifar10_jpeg.npz"
WORK = Path("build/vgg16_mini")
DENSE_UNITS = 128  # of fc1 and fc2


def load_cifar10(work):
    """Return ``(x_train, y_train, x_test, y_test, source)``; images (n, 32, 32, 3) uint8, RGB."""
    kept = work / "cifar10.npz"
    if not kept.exists():
        folder = settings.data_dir()
        if folder and (folder / JPEG_FILE).exists():
            parts = _decode_jpeg(folder / JPEG_FILE)
            source = f"JPEG copy of all 60,000 images ({JPEG_FILE})"
        else:
            import keras

            (x0, y0), (x1, y1) = keras.datasets.cifar10.load_data()
            parts = x0, y0.ravel(), x1, y1.ravel()
            source = "keras.datasets.cifar10"
        names = ("x_train", "y_train", "x_test", "y_test")
        np.savez(kept, source=source, **dict(zip(names, parts, strict=True)))
    with np.load(kept) as data:
        arrays = [data[name] for name in ("x_train", "y_train", "x_test", "y_test")]
        return *arrays, str(data["source"])


def _decode_jpeg(path):
    from PIL import Image

    with np.load(path) as data:
        raw, offset = data["jpeg"].tobytes(), data["offset"]
        label, is_train = data["label"].astype(np.int64), data["is_train"]
        if tuple(data["class_names"]) != networks.CIFAR10:
            raise ValueError(f"{path.name} names other classes than CIFAR-10's ten.")
    images = np.stack(
        [
            np.asarray(Image.open(io.BytesIO(raw[start:stop])).convert("RGB"))
            for start, stop in zip(offset[:-1], offset[1:], strict=True)
        ]
    )
    return images[is_train], label[is_train], images[~is_train], label[~is_train]


class Unit(nn.Module):
    """One layer with weights, its batch normalisation and its ReLU."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        if isinstance(layer, nn.Conv2d):
            self.norm = nn.BatchNorm2d(layer.out_channels)
        else:
            self.norm = nn.BatchNorm1d(layer.out_features)

    def forward(self, x):
        return F.relu(self.norm(self.layer(x)), inplace=True)


def build():
    """Return the training network: names as in the shipped one, batch normalisation added."""
    layers, width = {}, 3
    for block, (count, filters) in enumerate(architectures.VGG_BLOCKS, start=1):
        for number in range(1, count + 1):
            conv = nn.Conv2d(width, filters, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            layers[f"block{block}_conv{number}"] = Unit(conv)
            width = filters
        layers[f"block{block}_pool"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    for name in ("fc1", "fc2"):
        layers[name] = Unit(nn.Linear(width, DENSE_UNITS, bias=False))
        width = DENSE_UNITS
    layers["predictions"] = nn.Linear(width, len(networks.CIFAR10))
    network = nn.Sequential()
    for name, layer in layers.items():
        network.add_module(name, layer)
    return network.to(memory_format=torch.channels_last)


def to_input(images):
    """Turn (n, 32, 32, 3) RGB pixels into the training network's (n, 3, 32, 32) input."""
    x = (images[..., ::-1].astype(np.float32) - MEAN_BGR) / np.float32(SCALE)
    return torch.from_numpy(x).permute(0, 3, 1, 2)  # channels-last in memory


def augment(windows, index, rng):
    """Crop and flip at random; ``windows`` are all 32×32 crops of the padded images."""
    n, shifts = len(index), windows.shape[1]
    crops = windows[index, rng.integers(0, shifts, n), rng.integers(0, shifts, n)]
    images = np.ascontiguousarray(crops.transpose(0, 2, 3, 1))
    flip = rng.random(n) < 0.5
    images[flip] = images[flip, :, ::-1]
    return to_input(images)


def distort(x, rng, recipe):
    """Turn and zoom half of the images, and change the colours of all.

    Parameters
    ----------
    x : torch.Tensor, shape (n, 3, 32, 32)
        What :func:`to_input` returns. It is changed in place.
    rng : numpy.random.Generator
    recipe : dict
        ``turn`` in degrees, ``zoom`` and ``colour`` as shares; each image draws its own values
        uniformly between minus and plus that.

    Returns
    -------
    torch.Tensor, shape (n, 3, 32, 32)
    """
    n = len(x)
    angle = np.radians(rng.uniform(-recipe["turn"], recipe["turn"], n))
    zoom = rng.uniform(1 - recipe["zoom"], 1 + recipe["zoom"], (2, n))
    matrix = np.zeros((n, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(angle) * zoom[0], -np.sin(angle)
    matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(angle), np.cos(angle) * zoom[1]
    some = torch.from_numpy(np.flatnonzero(rng.random(n) < 0.5))
    grid = F.affine_grid(torch.from_numpy(matrix)[some], (len(some), 3, 32, 32), False)
    x[some] = F.grid_sample(x[some], grid, padding_mode="reflection", align_corners=False)
    strength = recipe["colour"]
    light, contrast, colour = (
        torch.from_numpy(rng.uniform(-strength, strength, (n, 1, 1, 1)).astype(np.float32))
        for _ in range(3)
    )
    grey, mean = x.mean(1, keepdim=True), x.mean((1, 2, 3), keepdim=True)
    x = grey + (x - grey) * (1 + colour)
    return mean + (x - mean) * (1 + contrast) + light


def cut_and_mix(x, target, rng):
    """Put a box of another image into each (CutMix).

    One box for the whole batch; its area is a uniform share of the image.

    Parameters
    ----------
    x : torch.Tensor, shape (n, 3, 32, 32)
        It is changed in place.
    target : torch.Tensor, shape (n, ...)
    rng : numpy.random.Generator

    Returns
    -------
    images : torch.Tensor, shape (n, 3, 32, 32)
    other : torch.Tensor, shape (n, ...)
        The targets of the images that the boxes come from.
    share : float
        The share of each image that is box, 0 to 1; the weight of ``other``.

    References
    ----------
    Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable
    features", ICCV 2019, https://arxiv.org/abs/1905.04899
    """
    share = rng.random()
    size = np.round(32 * np.sqrt((share, share))).astype(int)
    top, left = (int(rng.integers(0, 33 - side)) for side in size)
    other = torch.from_numpy(rng.permutation(len(x)))
    box = np.s_[:, :, top : top + size[0], left : left + size[1]]
    x[box] = x[other][box]
    return x, target[other], size.prod() / 32**2


def learning_rate(progress, recipe):
    """Cycles, each linear up to the peak, then half a cosine down to zero; progress 0..1."""
    progress = progress * recipe["cycles"] % 1
    warm_up = recipe["warm_up"]
    if progress < warm_up:
        return recipe["peak_rate"] * progress / warm_up
    angle = math.pi * (progress - warm_up) / (1 - warm_up)
    return recipe["peak_rate"] * 0.5 * (1 + math.cos(angle))


@torch.no_grad()
def logits_of(network, images, batch=500):
    """Return the logits (n, 10), float32, of RGB pixels, as the trained network gives them."""
    network.eval()
    return torch.cat(
        [network(to_input(images[i : i + batch])) for i in range(0, len(images), batch)]
    )


def split(n, recipe):
    """Return the shuffled indices of the training part and of the held-out part."""
    order = np.random.default_rng(recipe["seed"]).permutation(n)
    return order[recipe["held_out"] :], order[: recipe["held_out"]]


def train(work, recipe):
    """Train to the last epoch, going on from the checkpoint where there is one."""
    torch.set_num_threads(recipe["threads"])
    torch.manual_seed(recipe["seed"])
    x, y, _, _, _ = load_cifar10(work)  # the test images are not looked at here
    kept, held_out = split(len(x), recipe)
    pad = recipe["crop_padding"]
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="reflect")
    windows = sliding_window_view(padded, (32, 32), axis=(1, 2))
    y = y.astype(np.int64)

    network = build()
    decay = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD(
        [{"params": decay, "weight_decay": recipe["weight_decay"]}, {"params": others}],
        lr=0.0,
        momentum=recipe["momentum"],
        nesterov=True,
        fused=True,
    )
    checkpoint, first, seconds = work / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["recipe"] != recipe:
            raise SystemExit(f"{checkpoint} was made with another recipe; move it away first.")
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        first, seconds = state["epoch"], state["seconds"]

    steps = len(kept) // recipe["batch"]
    for epoch in range(first, recipe["epochs"]):
        started, total = time.time(), 0.0
        rng = np.random.default_rng([recipe["seed"], epoch])  # the same after a resume
        order = rng.permutation(kept)
        network.train()
        for step in range(steps):
            index = order[step * recipe["batch"] : (step + 1) * recipe["batch"]]
            rate = learning_rate((epoch * steps + step) / (recipe["epochs"] * steps), recipe)
            for group in optimizer.param_groups:
                group["lr"] = rate
            inputs, target = augment(windows, index, rng), torch.from_numpy(y[index])
            other, share = target, 0.0
            if epoch >= recipe["epochs"] // recipe["cycles"]:
                inputs = distort(inputs, rng, recipe)
                if rng.random() < 0.5:
                    inputs, other, share = cut_and_mix(inputs, target, rng)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe["bfloat16"]):
                logits = network(inputs)
            loss = (1 - share) * F.cross_entropy(logits.float(), target)
            loss = loss + share * F.cross_entropy(logits.float(), other)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        right = logits_of(network, x[held_out]).argmax(1).numpy() == y[held_out]
        took = time.time() - started
        seconds += took
        line = (
            f"epoch {epoch + 1:3d}  loss {total / steps:.4f}  val {right.mean():.4f}  {took:.0f} s"
        )
        print(line, flush=True)
        with (work / "train.log").open("a") as log:
            log.write(line + "\n")
        state = {
            "recipe": recipe,
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch + 1,
            "seconds": seconds,
            "held_out_accuracy": float(right.mean()),
        }
        torch.save(state, checkpoint.with_suffix(".part"))
        os.replace(checkpoint.with_suffix(".part"), checkpoint)


def main():
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--epochs", type=int, default=RECIPE["epochs"])
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    train(args.work, RECIPE | {"epochs": args.epochs})


if __name__ == "__main__":
    main()
