"""Write the weights of VGG16Mini and their model card from what `train_vgg16_mini.py` trained.

    python tools/export_vgg16_mini.py

The batch normalisations are folded into the layers before them, so what ships is plain VGG; every
figure of the card is measured here, through the library itself.
"""

import argparse
import hashlib
import os
import re
from pathlib import Path

import numpy as np
import torch
from train_vgg16_mini import SCALE, WORK, Unit, build, load_cifar10, logits_of

from transfer_lib import architectures, networks

CARD = Path(__file__).with_name("vgg16_mini_card.md")


def fold_batch_norm(kernel, bias, gamma, beta, mean, variance, epsilon):
    """Fold a batch normalisation into the convolution or dense layer before it.

    With s = gamma / sqrt(variance + epsilon), normalising ``kernel * x + bias`` gives
    ``(s kernel) * x + (beta + s (bias - mean))``: Ioffe and Szegedy (2015), algorithm 2, line 11,
    https://arxiv.org/abs/1502.03167

    Parameters
    ----------
    kernel : array, shape (..., outputs)
        In Keras's layout: outputs last.
    bias : array, shape (outputs,), or None
        None for a layer without a bias.
    gamma, beta, mean, variance : array, shape (outputs,)
        Scale, shift, moving mean and moving variance of the normalisation.
    epsilon : float
        What the normalisation adds to the variance.

    Returns
    -------
    kernel, bias : numpy.ndarray
        Of the one layer that does the same at inference; float32, computed in float64.
    """
    kernel, gamma, beta, mean, variance = (
        np.asarray(a, np.float64) for a in (kernel, gamma, beta, mean, variance)
    )
    outputs = (kernel.shape[-1],)
    for label, a in {"gamma": gamma, "beta": beta, "mean": mean, "variance": variance}.items():
        if a.shape != outputs:
            raise ValueError(f"{label} has the shape {a.shape}; the kernel asks for {outputs}.")
    scale = gamma / np.sqrt(variance + epsilon)
    old = 0.0 if bias is None else np.asarray(bias, np.float64)
    return (kernel * scale).astype(np.float32), (beta + scale * (old - mean)).astype(np.float32)


def fold(network):
    """Return the shipped network's arrays by name: Keras's layout, no normalisation left."""
    arrays = {}
    model = architectures.vgg16_mini((32, 32, 3), include_top=True)
    for name in [layer.name for layer in model.layers if layer.weights]:
        part = network.get_submodule(name)
        layer = part.layer if isinstance(part, Unit) else part
        axes = (2, 3, 1, 0) if layer.weight.ndim == 4 else (1, 0)
        kernel = layer.weight.detach().double().permute(axes).numpy()
        bias = None if layer.bias is None else layer.bias.detach().numpy()
        if isinstance(part, Unit):
            norm = part.norm
            statistics = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
            statistics = [a.detach().numpy() for a in statistics]
            kernel, bias = fold_batch_norm(kernel, bias, *statistics, norm.eps)
        if name == "block1_conv1":
            kernel = kernel / SCALE
        arrays[f"{name}/kernel"] = np.ascontiguousarray(kernel, np.float32)
        arrays[f"{name}/bias"] = np.asarray(bias, np.float32)
    return arrays


def export(work, folder):
    """Write the weights and the model card; every figure in it is measured here."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    recipe = state["recipe"]
    network = build()
    network.load_state_dict(state["network"])
    path, arrays = folder / networks.MINI.name, fold(network)
    np.savez(path, **arrays)

    _, _, images, labels, source = load_cifar10(work)
    model = architectures.vgg16_mini((32, 32, 3), include_top=True)
    model.set_weights(list(arrays.values()))
    model.layers[-1].activation = None  # logits
    pixels = networks.preprocess("vgg16-mini", images)
    logits = np.asarray(model.predict(pixels, batch_size=500, verbose=0))
    fold_error = float(np.abs(logits - logits_of(network, images).numpy()).max())
    if fold_error > 1e-4:
        raise SystemExit(f"Folding changed the logits by {fold_error:.1e}; at most 1e-4 is right.")

    content = path.read_bytes()
    facts = {
        "source": source,
        "epochs_done": state["epoch"],
        "minutes": state["seconds"] / 60,
        "held_out_accuracy": state["held_out_accuracy"],
        "fold_error": fold_error,
        "parameters": model.count_params(),
        "dense": model.get_layer("fc1").units,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "confusion": np.histogram2d(labels, logits.argmax(1), bins=[range(11)] * 2)[0].astype(int),
    }
    (folder / "VGG16_MINI.md").write_text(model_card(recipe, facts), encoding="utf-8")
    if folder.resolve() == networks.FOLDER:
        write_hash(facts["sha256"])
    accuracy = facts["confusion"].trace() / facts["confusion"].sum()
    print(f"{path}: {facts['size']:,} bytes, test accuracy {accuracy:.4f}, fold {fold_error:.1e}")


def write_hash(sha256):
    """Put the new file's SHA-256 into the module that checks it."""
    module = Path(networks.__file__)
    text = module.read_text(encoding="utf-8")
    text, count = re.subn(r"(?m)^MINI_SHA256 = .*$", f'MINI_SHA256 = "{sha256}"', text)
    if count != 1:
        raise SystemExit(f"{module} has {count} lines 'MINI_SHA256 = ...' instead of one.")
    module.write_text(text, encoding="utf-8")


def model_card(recipe, facts):
    """Return the model card as Markdown."""
    confusion, names = facts["confusion"], networks.CIFAR10
    right = confusion.diagonal() / confusion.sum(axis=1)
    pairs = [(confusion[i, j], i, j) for i in range(10) for j in range(10) if i != j]
    mixed = "; ".join(f"{n} {names[i]} images as {names[j]}" for n, i, j in sorted(pairs)[:-4:-1])
    table = ["| true \\ predicted | " + " | ".join(names) + " | right |", "|---" * 12 + "|"]
    for name, row, share in zip(names, confusion, right, strict=True):
        table.append(f"| {name} | " + " | ".join(map(str, row)) + f" | {share:.3f} |")
    widths = ", ".join(str(filters) for _, filters in architectures.VGG_BLOCKS)
    return CARD.read_text(encoding="utf-8").format(
        **recipe | facts,
        file=networks.MINI.name,
        accuracy=confusion.trace() / confusion.sum(),
        table="\n".join(table),
        mixed=mixed,
        widths=widths,
        trained=50_000 - recipe["held_out"],
        precision="bfloat16 autocast" if recipe["bfloat16"] else "float32",
        worst=names[right.argmin()],
        worst_share=right.min(),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--to", type=Path, default=networks.FOLDER)
    options = parser.parse_args()
    export(options.work, options.to)
