# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown] needs="Lessons 04 and 06" engine="keras"
# # A2. Past one machine
#
# An appendix for the day when one processor is too slow for your texts, or one memory too small for your pictures.
# Everything runs here, in several processes of this machine. Afterwards you can
#
# - run one training script in any number of processes, and keep its recipe;
# - compute an accuracy over processes that counts each text once;
# - turn more pictures than fit into memory into features, in a job that survives a killed worker.
#
# Terms are in the [glossary](glossary.md).

# %% tags=["setup"]
import transfer_lib

course = transfer_lib.setup("A2")
ex = course.exercises

# %%
import json
import tempfile
from contextlib import suppress

import psutil

from transfer_lib import plots
from transfer_lib.data import pieces, reviews

# %%
ex.before("q_two", "q_killed")

# %% tags=["keep"]
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

# %% [markdown]
# ## 1. One script, more processes
#
# A **process** is a running program with a memory of its own. To train on two graphics cards, you start your script
# twice. Both processes hold the whole model, and each sees other texts. After each backward pass they take the mean of
# their gradients, so both make the same step.
#
# The library `accelerate` does that, in a script. It goes into a temporary folder, with 128 reviews to train on and 100
# to test.

# %% tags=["hide-input"]
folder, started_in = tempfile.TemporaryDirectory(ignore_cleanup_errors=True), os.getcwd()
os.chdir(folder.name)
frame, rng = reviews.load(), np.random.default_rng(course.seed)
rows = list(zip(frame["text"], frame["label"].tolist()))
train, _, test = map(rng.permutation, reviews.parts(frame))
texts = {"train": [rows[i] for i in train[:128]], "test": [rows[i] for i in test[:100]]}
Path("texts.json").write_text(json.dumps(texts))
print(len(texts["train"]), len(texts["test"]))

# %% [markdown]
# First the parts that you know: MiniLM with its two upper layers open, the mean over tokens, a head, batches of 16.

# %% tags=["hide-input"]
# %%writefile train.py
import json
from pathlib import Path
from sys import argv

import torch
from accelerate import Accelerator, DataLoaderConfiguration
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from transfer_lib import encoders

name, split = argv[1], "split" in argv
tokenizer, encoder = encoders.load(*encoders.find(quick=True))
texts = json.loads(Path("texts.json").read_text())


def collate(rows):
    words, labels = zip(*rows)
    return tokenizer(list(words), padding=True, return_tensors="pt"), torch.tensor(labels)


# %% tags=["hide-input"]
# %%writefile -a train.py


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.head = encoder, torch.nn.Linear(384, 2)
        for part in (encoder.embeddings, encoder.pooler, *encoders.layers(encoder)[:4]):
            part.requires_grad_(False)

    def forward(self, inputs):
        states, real = self.encoder(**inputs)[0], inputs["attention_mask"][:, :, None]
        return self.head((states * real).sum(1) / real.sum(1))


# %% [markdown]
# Then the loop. Four calls are new: `Accelerator`, `prepare`, `backward`, `gather`. `prepare` wraps the model, and gives
# each process its share of the batches. `gather` brings a tensor of each process to all of them. Dropout is off, and
# the order comes from one seed (`use_seedable_sampler`).

# %%
# %%writefile -a train.py

config = DataLoaderConfiguration(split_batches=split, use_seedable_sampler=True)
accelerator = Accelerator(cpu=True, dataloader_config=config)
torch.manual_seed(0)
model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), 3e-4)
loader = DataLoader(texts["train"], 16, shuffle=True, collate_fn=collate)
test = DataLoader(texts["test"], 16, collate_fn=collate)
model, optimizer, loader, test = accelerator.prepare(model, optimizer, loader, test)

# %%
# %%writefile -a train.py
losses, all_right, right = [], [], []
for inputs, labels in [*loader, *loader]:  # two epochs
    loss = cross_entropy(model(inputs), labels)
    optimizer.zero_grad()
    accelerator.backward(loss)
    optimizer.step()
    losses.append(accelerator.gather(loss.detach()).mean().item())
for inputs, labels in test:
    hits = model(inputs).argmax(1) == labels
    all_right += accelerator.gather(hits).tolist()
    right += accelerator.gather_for_metrics(hits).tolist()
if accelerator.is_main_process:
    found = {"processes": accelerator.num_processes, "losses": losses}
    Path(f"{name}.json").write_text(json.dumps(found | {"all": all_right, "right": right}))


# %% [markdown]
# A launcher starts the script once for each process, and tells each its number and where number 0 waits. In a terminal:
# `accelerate launch --multi_gpu --num_processes 2 train.py`. (`--multi_gpu` means several processes. The script says
# `cpu=True`, so here they run on processors.) The same from a notebook:


# %% tags=["keep"]
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


# %% [markdown]
# Predict: the same script with one process and with two. What will the two curves of the loss look like?

# %% tags=["hide-input"]
seconds = {}


def results():
    return {name: json.loads(Path(f"{name}.json").read_text()) for name in seconds}


def draw(found):
    fig, ax = plots.figure(figsize=(7.5, 3.8))
    for (name, one), style in zip(found.items(), ("o-", "s--", "x:")):
        steps = range(1, len(one["losses"]) + 1)
        ax.plot(steps, one["losses"], style, ms=7, label=f"{name}: {len(steps)} steps")
    ax.set(xlabel="Step", ylabel="Loss of the batch", ylim=0)
    ax.legend()
    return fig


# %% tags=["nbval-ignore-output"]
seconds["1 process"] = launch(1, "1 process")
seconds["2 processes"] = launch(2, "2 processes")
draw(results())

# %% [markdown]
# Half the steps. By default `accelerate` gives *each process* a batch of 16, so a step takes 32 texts. Nobody changed
# the script, and it is another recipe: batch doubled, steps halved, rate as before.
#
# ### Exercise: count
#
# `DataLoaderConfiguration(split_batches=True)` takes the batch of the script as that of *all* processes, and divides it
# among them. Write down both ways. The last batch of an epoch may be smaller; it is a step.


# %% tags=["keep"] exercise="A2.counts"
def counts(texts, batch, processes, split):
    """Return texts of a step for one process, for all together, and the steps of an epoch."""
    ### BEGIN SOLUTION
    if split:
        each = batch // processes
    else:
        each = batch
    total = each * processes
    steps = math.ceil(texts / total)
    return each, total, steps
    ### END SOLUTION


ex.counts.check(counts)

# %% [markdown]
# Now two processes with `split_batches=True`:

# %% tags=["nbval-ignore-output"]
seconds["2, split"] = launch(2, "2, split", "split")
one, _, split = (found["losses"] for found in results().values())
print(f"largest difference to 1 process: {np.abs(np.subtract(one, split)).max():.0e}")
draw(results())

# %% [markdown]
# The curve of one process, up to rounding (the course's tests allow 0.0001). Why: the mean loss of 16 texts is the mean
# of the mean losses of two halves of 8, and so is its gradient. That holds while both halves have one size, and without
# dropout, whose lot each process draws by itself.
#
# Is it faster? On one machine the processes share the cores, and each has to start:

# %% tags=["nbval-ignore-output"]
print({name: f"{value:.0f} s" for name, value in seconds.items()})

# %% [markdown]
# ## 2. An accuracy, counted twice
#
# The script has counted the right answers on 100 test texts in two ways:

# %% tags=["nbval-ignore-output"]
for name, found in results().items():
    for how, hits in {"gather": found["all"], "gather_for_metrics": found["right"]}.items():
        print(f"{name:12} {how:19} {len(hits):4} answers, {100 * np.mean(hits):.1f} % right")

# %% [markdown]
# Where do more than 100 answers come from? Processes wait for each other, so each needs as many batches of full size.
# `accelerate` fills up with rows from the beginning. Ten texts, batches of four, two processes:

# %%
from accelerate.data_loader import BatchSamplerShard
from torch.utils.data import BatchSampler

batches = BatchSampler(range(10), 4, drop_last=False)
shares = [np.concatenate([*BatchSamplerShard(batches, 2, i)]) for i in range(2)]
print(*shares, sep="\n")


# %% [markdown]
# ### Exercise: find the fault
#
# A colleague's accuracy. With one process it is right. `parts` holds, for each process, the numbers of its rows and what
# the model said of them. What is wrong? Write it so that each row counts once.


# %%
def colleague(parts, truth):
    return np.mean([np.mean(said == truth[rows]) for rows, said in parts])


# %% exercise="A2.accuracy"
def accuracy(parts, truth):
    """Return the share of the rows of truth that were said rightly, each counted once."""
    ### BEGIN SOLUTION
    answer = np.zeros_like(truth)
    for rows, said in parts:
        answer[rows] = said
    return np.mean(answer == truth)
    ### END SOLUTION


ex.accuracy.check(accuracy)

# %% [markdown]
# `gather_for_metrics` does it for you: it knows the length of the test, and drops what was filled up.
#
# **More cards, more machines.** The script stays as it is, without `cpu=True`. The command stays, too:
#
# ```
# accelerate launch --multi_gpu --num_processes 8 train.py
# accelerate launch --multi_gpu --num_processes 16 --num_machines 2 --machine_rank 0 \
#     --main_process_ip 10.0.0.1 --main_process_port 29500 train.py
# ```
#
# The second is for two machines with eight cards each; on the other one it has `--machine_rank 1`. `accelerate config`
# asks for all this once. A trap: `accelerate launch --cpu --num_processes 2` starts *one* process and does not say so
# (version 1.15): print `accelerator.num_processes`.
#
# ## 3. More pictures than memory
#
# Lesson 04 kept all pictures in one array. Here are 48 JPEG files, enlarged pieces of ten photographs:

# %% tags=["hide-input", "nbval-ignore-output"]
Path("pictures").mkdir(exist_ok=True)
photos = pieces.photographs()
for i in range(48):
    photo = Image.fromarray(photos[list(photos)[i % 10]])
    (width, height), (x, y) = photo.size, rng.random(2) / 2
    box = (x * width, y * height, (x + 0.5) * width, (y + 0.5) * height)
    large = photo.resize((4000, 3000), Image.Resampling.BILINEAR, box)
    large.save(f"pictures/{i:02}.jpg", quality=60)
files = sorted(Path("pictures").absolute().iterdir())
stored = sum(file.stat().st_size for file in files)
print(f"{stored / 1e6:.0f} MB stored, {48 * 4000 * 3000 * 3 / 1e9:.2f} GB decoded")

# %% [markdown]
# Suppose that a process may have 1.5 GB. Then all pictures at once do not fit. So: decode one, make it small, forget it.


# %% tags=["keep"]
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


# %% tags=["nbval-ignore-output"]
start = time.perf_counter()
expected = features(files)
print(expected.shape, f"{time.perf_counter() - start:.0f} s in one process")

# %% [markdown]
# ### Exercise: write once, or not at all
#
# The job is cut into **shards**: parts of the data that are computed and stored by themselves, here four pictures each. A
# process may be killed at any moment, also while it writes. So the file `path` must either be whole or not be
# there. Write under another name in the same folder; `os.replace` then renames in one instant. What is there, is not
# computed again.


# %% tags=["keep"] exercise="A2.write_once"
def write_once(path, compute):
    """Store compute(), an array, as `path`, a Path that ends in .npy, unless it is there."""
    ### BEGIN SOLUTION
    if path.exists():
        return path
    part = path.with_name(f"{path.stem}.{os.getpid()}.part")
    with open(part, "wb") as file:
        np.save(file, compute())
    os.replace(part, path)
    return path
    ### END SOLUTION


ex.write_once.check(write_once)

# %%
from transfer_lib.taught.lesson_A2 import write_once


# %% tags=["keep"]
def shard(number, files, folder):
    """Store the features of some files as a shard; return its path."""
    return write_once(Path(folder) / f"{number:02}.npy", lambda: features(files))


# %% [markdown]
# **Dask** runs such functions elsewhere. A **worker** is a process that computes. The **scheduler** hands out the tasks,
# and hands a task out again if its worker is lost. (Ray does the same; Dask was taken for its weight, 2.5 MB to install
# against 79 MB, and for its upkeep.) `env` keeps the workers off a graphics card.

# %%
from distributed import Client, LocalCluster

from transfer_lib.taught import lesson_A2  # workers import it, too

cluster = LocalCluster(
    n_workers=2, threads_per_worker=1, memory_limit="1.5GB", dashboard_address=None,
    silence_logs="CRITICAL", env={"CUDA_VISIBLE_DEVICES": "", "KERAS_TORCH_DEVICE": "cpu"},
)  # fmt: skip
client = Client(cluster)

# %% [markdown]
# On several machines only the client differs: `Client("tcp://scheduler:8786")`, and a folder that all of them see. Now
# the job; as soon as three shards are there, a worker is killed, without a warning. Predict: what is lost?


# %%
def follow(tasks, kill_after):
    """Note the memory of each worker until all is done, GB; kill one after so many tasks."""
    seen, start = [], time.perf_counter()
    while not all(task.done() for task in tasks):
        for name, worker in cluster.workers.items():
            with suppress(psutil.NoSuchProcess, TypeError):  # while it is started again
                memory = psutil.Process(int(worker.pid)).memory_info().rss / 1e9
                seen.append((name, time.perf_counter() - start, memory))
        if sum(task.done() for task in tasks) >= kill_after:
            psutil.Process(cluster.workers[0].pid).kill()
            kill_after = np.inf
        time.sleep(0.1)
    return seen


# %% tags=["nbval-ignore-output"]
Path("shards").mkdir(exist_ok=True)
arguments = range(12), [files[i : i + 4] for i in range(0, 48, 4)], ["shards"] * 12
tasks = client.map(lesson_A2.shard, *arguments, pure=False)
seen = follow(tasks, kill_after=3)
found = np.concatenate([np.load(path) for path in client.gather(tasks)])
print("as in one process:", np.allclose(found, expected, atol=1e-4))
print(f"up to {found.max():.1f}, largest difference {np.abs(found - expected).max():.0e}")

# %% tags=["hide-input", "nbval-ignore-output"]
fig, ax = plots.figure(figsize=(7.5, 3.8))
for name, style in ((0, "o-"), (1, "s--")):
    line = zip(*[(t, gb) for n, t, gb in seen if n == name])
    ax.plot(*line, style, ms=6, markevery=0.08, label=f"worker {name}")
ax.axhline(1.5, color="0.3", ls=":", label="limit")
ax.set(xlabel="Time (s)", ylabel="Memory (GB)", ylim=0)
ax.set_title("Worker 0 is killed and started again")
ax.legend(ncols=3, loc=(0.02, 0.7))
fig

# %% [markdown]
# Twelve shards, equal to those of one process (`np.allclose` with `atol=1e-4`; the numbers go up to about 5). What the
# killed worker was computing, another computed again. Half a file cannot lie there, because of your `os.replace`.
#
# The same makes a job that can be stopped. Two shards are deleted, and the whole job is started again:

# %%
for number in (3, 7):
    Path(f"shards/{number:02}.npy").unlink()
before = {path: path.stat().st_mtime_ns for path in Path("shards").glob("*.npy")}
paths = client.gather(client.map(lesson_A2.shard, *arguments, pure=False))
print(len(paths), "shards,", sum(before.get(p) != p.stat().st_mtime_ns for p in paths), "computed")

# %%
client.close()
cluster.close()
os.chdir(started_in)
folder.cleanup()

# %% [markdown]
# ## The two questions of the beginning

# %%
ex.q_two.ask(...)

# %%
ex.q_killed.ask(...)

# %%
course.progress()

# %% [markdown]
# ## Key points
#
# - More processes are another recipe, unless the batch of all together stays: `split_batches=True` gave the same curve.
# - `gather` counts some test texts twice, `gather_for_metrics` does not.
# - Pictures decoded one by one kept each worker under its limit, though all of them are larger than it.
# - A shard under its final name is whole. So a killed worker cost only what it was computing.
#
# **Back to:** [lesson 16](16_capstone.ipynb), or [A1](A1_fields_and_questions.ipynb).
#
# ## Sources
#
# - Accelerate: [comparing performance across setups](https://huggingface.co/docs/accelerate/concept_guides/performance)
# - Goyal et al. (2017), [Accurate, large minibatch SGD](https://arxiv.org/abs/1706.02677): batch and rate together
# - M. Rocklin (2015), [Dask](https://doi.org/10.25080/Majora-7b98e3ed-013); its
#   [worker memory](https://distributed.dask.org/en/stable/worker-memory.html)
