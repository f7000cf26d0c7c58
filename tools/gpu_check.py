"""Run every lesson on the CPU and on the GPU, and compare: ``make gpu-check``, ``LESSON="03 05"``.

Of each lesson: seconds and memory on both, the ratio, and whether its exercises come out the same.
Then the parity of the embedded networks: the largest difference of their outputs, relative to the
largest output. With ``--claims`` the evidence is measured on the GPU, seed 5, and compared with its
bounds. The table goes into ``docs/gpu.md``; where there is no GPU it says "not measured".

The whole needs about 20 minutes on two cores; give lessons to spread it over several runs.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from nbformat.v4 import new_code_cell

import build
import run_claims
from transfer_lib.claims import Bound

PAGE = build.ROOT / "docs/gpu.md"
KEPT = build.ROOT / "docs/gpu.json"
START, END = "<!-- measured -->\n", "<!-- end of measured -->"
NOT = "not measured"
MEMORY = """
import resource, sys
scale = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
used = sys.modules["torch"].cuda.max_memory_allocated() / 1e6 if "torch" in sys.modules else 0
print("PEAK", round(peak), round(used))
"""
PARITY = """
import os, sys
os.environ.setdefault("KERAS_BACKEND", "torch")
import numpy as np, torch
from transfer_lib import encoders, networks
x = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype("float32")
found = []
for name, side in (("vgg16-mini", 32), ("efficientnet-lite0", 64)):
    network = networks.load(name, include_top=False, input_shape=(side, side, 3))
    ready = networks.preprocess(name, x[:, :side, :side])
    found.append(np.asarray(network.predict(ready, verbose=0)))
name, pinned = encoders.find(quick=True)
tokenizer, encoder = encoders.load(name, pinned)
texts = ["A fine film.", "It broke at once."]
states = encoders.run_layers(encoder, tokenizer, texts, keep=(6,))[6]
found.append(torch.cat(states).float().cpu().numpy())
np.savez(sys.argv[1], *found)
"""


def on(device) -> dict:
    """Return the environment in which a program sees the GPU, or does not."""
    return {} if device == "gpu" else {"CUDA_VISIBLE_DEVICES": ""}


def gpu() -> str:
    """Return the name of the NVIDIA GPU, empty without one."""
    code = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def lesson(path, device) -> dict:
    """Run one answered lesson in the quick profile; return seconds and megabytes.

    Raises
    ------
    build.BuildError
        If a cell fails, or an exercise comes out otherwise than it should.
    """
    notebook = build.solution_of(build.read(path))
    notebook.cells.append(new_code_cell(MEMORY))
    before = dict(os.environ)
    os.environ.update(on(device))
    start = time.perf_counter()
    try:
        build.execute(notebook, f"solutions/{path.stem}", answered=True)
    finally:
        os.environ.clear()
        os.environ.update(before)
    seconds = time.perf_counter() - start
    peak, used = re.search(r"PEAK (\d+) (\d+)", str(notebook.cells[-1].outputs)).groups()
    return {"seconds": round(seconds, 1), "MB": int(peak), "GPU MB": int(used)}


def parity(folder) -> dict:
    """Return network to the largest relative difference between its outputs on CPU and GPU."""
    import numpy as np

    outputs = []
    for device in ("cpu", "gpu"):
        path = Path(folder, f"parity-{device}.npz")
        command = [sys.executable, "-c", PARITY, str(path)]
        subprocess.run(command, check=True, env=os.environ | on(device), cwd=build.ROOT)
        outputs.append(np.load(path))
    names = ("VGG16Mini", "EfficientNet-Lite0", "MiniLM")
    return {
        name: float(np.abs(outputs[0][key] - outputs[1][key]).max() / np.abs(outputs[0][key]).max())
        for name, key in zip(names, outputs[0].files, strict=True)
    }


def claims(number) -> str:
    """Measure a lesson's evidence on the GPU, one fresh seed; return how many claims hold."""
    path = run_claims.modules([number]).get(number)
    if path is None:
        return "none"
    code = (
        "import json, pathlib, sys; import run_claims;"
        "print(json.dumps(run_claims.measured(pathlib.Path(sys.argv[1]), 5)[0]))"
    )
    paths = os.pathsep.join([str(build.ROOT), str(build.ROOT / "tools")])
    env = os.environ | {"PYTHONPATH": paths, "TRANSFER_LIB_PROFILE": "quick"}
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=env | {"KERAS_BACKEND": "torch"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    values = json.loads(run.stdout.splitlines()[-1])
    bounds = {id: Bound.parse(bound) for id, (_, bound) in run_claims.claims(path).items()}
    return f"{sum(bounds[id].holds(value) for id, value in values.items())} of {len(values)}"


def table(kept) -> str:
    """Return what was measured as Markdown."""
    head = ["lesson", "CPU, s", "GPU, s", "CPU / GPU", "memory, MB", "GPU memory, MB", "claims"]
    lines = [f"CPU: {kept['cpu']}. GPU: {kept.get('gpu') or NOT}.", ""]
    lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for number in (build.number_of(path) for path in build.sources()):
        row = kept["lessons"].get(number, {})
        cpu, other = row.get("cpu"), row.get("gpu")
        ratio = f"{cpu['seconds'] / other['seconds']:.2f}" if cpu and other else NOT
        cells = [
            number,
            f"{cpu['seconds']:.0f}" if cpu else NOT,
            f"{other['seconds']:.0f}" if other else NOT,
            ratio,
            str(cpu["MB"]) if cpu else NOT,
            str(other["GPU MB"]) if other else NOT,
            row.get("claims", NOT),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    found = kept.get("parity")
    words = (
        ", ".join(f"{name} {value:.1e}" for name, value in found.items())
        if found
        else f"{NOT}, as no GPU was at hand"
    )
    return "\n".join([*lines, "", f"Largest relative difference of outputs, CPU and GPU: {words}."])


def write(kept):
    """Store what was measured, and write the page."""
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", "utf8")
    text = PAGE.read_text("utf8")
    before, after = text.split(START)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{START}{table(kept)}\n{END}{after}", "utf8")


def main():
    """Measure the lessons named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers; all when none is given")
    parser.add_argument("--claims", action="store_true", help="measure the evidence on the GPU too")
    parser.add_argument("--gpu-only", action="store_true", help="take the CPU's column as it is")
    arguments = parser.parse_args()
    kept = json.loads(KEPT.read_text("utf8")) if KEPT.exists() else {"lessons": {}}
    name = gpu()
    if arguments.gpu_only and not name:
        sys.exit("torch sees no NVIDIA GPU here.")
    if not arguments.gpu_only:
        kept["cpu"] = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    devices = [*(["cpu"] if not arguments.gpu_only else []), *(["gpu"] if name else [])]
    for path in build.sources():
        number = build.number_of(path)
        if arguments.lessons and number not in arguments.lessons:
            continue
        row = kept["lessons"].setdefault(number, {})
        for device in devices:
            row[device] = lesson(path, device)
            print(number, device, row[device], flush=True)
        if name and arguments.claims:
            row["claims"] = claims(number)
        kept["gpu"] = name or kept.get("gpu", "")
        write(kept)
    if name:
        (build.ROOT / "build").mkdir(exist_ok=True)
        kept["parity"] = parity(build.ROOT / "build")
        write(kept)
    print(table(kept))


if __name__ == "__main__":
    main()
