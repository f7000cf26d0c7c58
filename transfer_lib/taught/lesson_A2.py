"""Lesson A2, Past one machine: its cells tagged `keep`, built."""

import functools
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from transfer_lib import networks


def launch(processes, *arguments):
    """Let accelerate start train.py in so many processes; return the seconds until all end."""
    options = ["--num_processes", str(processes), "--main_process_port", "0"]  # 0: any free port
    options += ["--multi_gpu"] if processes > 1 else []
    command = [sys.executable, "-m", "accelerate.commands.launch", *options, "train.py"]
    env = os.environ | {"OMP_NUM_THREADS": "1", "USE_LIBUV": "0"}  # Windows has no libuv
    start = time.perf_counter()
    run = subprocess.run([*command, *arguments], capture_output=True, text=True, env=env)
    if run.returncode:
        raise RuntimeError(run.stderr)
    return time.perf_counter() - start


def counts(texts, batch, processes, split):
    """Return texts of a step for one process, for all together, and the steps of an epoch."""
    if split:
        each = batch // processes
    else:
        each = batch
    total = each * processes
    steps = math.ceil(texts / total)
    return each, total, steps


@functools.cache
def network():
    """Return EfficientNet-Lite0 without its top; a process loads it once."""
    return networks.load("efficientnet-lite0", include_top=False)


def features(files):
    """Return 1,280 numbers for each picture; only one is in memory at full size."""
    small = []
    for file in files:
        with Image.open(file) as photo:
            small.append(np.asarray(photo.resize((224, 224)).convert("RGB")))
    x = networks.preprocess("efficientnet-lite0", np.stack(small))
    return network().predict(x, batch_size=2, verbose=0).mean((1, 2))


def write_once(path, compute):
    """Store compute(), an array, as `path`, a Path that ends in .npy, unless it is there."""
    if path.exists():
        return path
    part = path.with_name(f"{path.stem}.{os.getpid()}.part")
    with open(part, "wb") as file:
        np.save(file, compute())
    os.replace(part, path)
    return path


def shard(number, files, folder):
    """Store the features of some files as a shard; return its path."""
    return write_once(Path(folder) / f"{number:02}.npy", lambda: features(files))
