"""Pack one folder for a room without network: wheels, notebooks, data, and how to start.

    python tools/workshop_kit.py --lessons 00 01 03 --platforms windows macos linux

The packages are resolved for each learner's system by uv, and their files come from where pip finds
them, each checked by its hash and resumed after a cut. What the kit holds is listed first, with
sizes. ``READ ME FIRST.txt`` in it tells a learner the two steps; ``workshop.py`` does them.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kit.workshop import variables  # noqa: E402

from transfer_lib import data, lessons  # noqa: E402
from transfer_lib.data.download import download, matches  # noqa: E402

# uv's name of a system, and the tags of its wheels as pip wants them.
PLATFORMS = {
    "linux": ("linux", ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64",
                        "manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64"]),
    "windows": ("windows", ["win_amd64"]),
    "macos": ("aarch64-apple-darwin", ["macosx_14_0_arm64"]),
}  # fmt: skip
GPU = re.compile(r"(nvidia|cuda|triton)\b")  # what only the CUDA build of torch needs
# What the lessons of the full profile take: data sets of the registry, and what Keras,
# scikit-learn and Hugging Face download into caches of their own.
DATA = {
    "03": ["mnist"],
    "04": ["vgg16_imagenet_notop", "ants_bees"],
    "05": ["ants_bees"],
    "06": ["sst2"],
    "07": ["sst2"],
}
BERT = """
from huggingface_hub import snapshot_download
from transfer_lib.encoders import BERT, REVISION
kinds = ["*.json", "*.txt", "*.safetensors"]
snapshot_download(BERT, revision=REVISION, allow_patterns=kinds)
"""
NETWORKS = """
from keras.applications import VGG16, InceptionV3, MobileNetV2, ResNet50
for network in (VGG16, InceptionV3, MobileNetV2, ResNet50): network(include_top=False)
"""
CACHES = {
    "04": "import keras; keras.datasets.cifar10.load_data()",
    "05": NETWORKS,
    "06": BERT,
    "07": BERT,
    "09": "import sklearn.datasets as sets; sets.fetch_california_housing()",
}


def resolve(platform, python) -> list[str]:
    """Return the exact requirements of the course on a system, without those of a GPU."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "lab"]
    command += ["--constraint", "constraints.txt", "--python-platform", PLATFORMS[platform][0]]
    command += ["--python-version", f"{python}.9", "--no-header", "--no-annotate", "--quiet"]
    env = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}  # the oldest that torch runs on
    run = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=env)
    return [line for line in run.stdout.splitlines() if line and not GPU.match(line)]


def locate(pins, platform, python, torch_index=None) -> list[dict]:
    """Return name, address, SHA-256 and size of the wheel of each requirement on a system."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--quiet"]
    command += ["--python-version", f"{python}.9", "--target", "unused", "--report", "-"]
    for tag in PLATFORMS[platform][1]:
        command += ["--platform", tag]
    if torch_index and platform == "linux":
        command += ["--extra-index-url", torch_index]
    report = subprocess.check_output([*command, *pins], text=True, stderr=sys.stderr)
    found = []
    for package in json.loads(report)["install"]:
        where = package["download_info"]
        name = unquote(where["url"].rsplit("/", 1)[-1])
        wheel = {
            "name": name,
            "url": where["url"],
            "sha256": where["archive_info"]["hashes"]["sha256"],
        }
        found.append(wheel | {"size": _size(where["url"])})
        gpu = [line for line in package["metadata"].get("requires_dist", []) if GPU.match(line)]
        if platform == "linux" and package["metadata"]["name"] == "torch" and gpu:
            raise SystemExit(
                f"{name} is the CUDA build, which needs several GB more. Give the index of "
                "CPU builds that PyTorch's start page names: make ... TORCH_INDEX=ADDRESS"
            )
    return found


def _path(url) -> Path | None:
    """Return the path of a ``file:`` address."""
    return Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None


def _size(url) -> int:
    if path := _path(url):
        return path.stat().st_size
    answer = requests.head(url, timeout=30, allow_redirects=True)
    answer.raise_for_status()
    return int(answer.headers["Content-Length"])


def fetch(name, urls, known_hash, size, folder, given=None):
    """Put a file into the folder, unless it is there whole; from the path `given`, or by download.

    Raises
    ------
    SystemExit
        If no address delivers it; what has arrived is kept.
    """
    target = folder / name
    if given:
        if not (target.exists() and matches(target, known_hash)):
            shutil.copyfile(given, target)
        return
    path, reasons = download(name, urls, known_hash, size, folder)
    if not path:
        raise SystemExit(f"{name} could not be had: {reasons}. Run again; it goes on.")


def names_of_data(numbers, profile) -> list[str]:
    """Return the data sets of the registry that these lessons download in a profile."""
    wanted = [name for number in numbers for name in DATA.get(number, [])]
    return list(dict.fromkeys(wanted)) if profile == "full" else []


def fill_caches(kit, numbers):
    """Pack what the libraries download for the full profile, ``caches.zip``."""
    folder = kit / "caches"
    env = os.environ | {"KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)} | variables(folder)
    for step in dict.fromkeys(CACHES[number] for number in numbers if number in CACHES):
        subprocess.run([sys.executable, "-c", step], check=True, env=env)
    if folder.is_dir():
        shutil.make_archive(str(folder), "zip", folder)
        shutil.rmtree(folder)


def own_wheel(folder):
    """Build the wheel of the course itself."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True)


def checksums(kit):
    """Write the SHA-256 of every file of the kit, as ``sha256sum`` reads it."""
    lines = []
    for path in sorted(p for p in kit.rglob("*") if p.is_file() and p.name != "SHA256SUMS"):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(kit).as_posix()}\n")
    (kit / "SHA256SUMS").write_text("".join(lines), "utf8")


def remove_others(folder, wanted):
    """Delete the wheels that an earlier kit left: pip would take the newest of two."""
    for path in Path(folder).glob("*.whl"):
        if path.name not in wanted:
            print(f"  removed: {path.name}")
            path.unlink()


def main(argv=None):
    """Pack the kit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    known = [lesson.number for lesson in lessons.LESSONS]
    parser.add_argument("--lessons", nargs="+", default=known, choices=known, metavar="NUMBER")
    parser.add_argument("--profile", choices=("quick", "full"), default="quick")
    parser.add_argument("--platforms", nargs="+", choices=PLATFORMS, default=list(PLATFORMS))
    parser.add_argument("--pythons", nargs="+", default=["3.12"], metavar="3.12")
    parser.add_argument("--torch-index", help="where CPU builds of torch for Linux lie")
    parser.add_argument("--to", type=Path, default=ROOT / "build/workshop-kit")
    parser.add_argument("--list", action="store_true", help="only say what it would hold")
    options = parser.parse_args(argv)
    kit, wheels = options.to.resolve(), {}
    for platform in options.platforms:
        for python in options.pythons:
            pins = resolve(platform, python)
            found = locate(pins, platform, python, options.torch_index)
            wheels |= {wheel["name"]: wheel for wheel in found}
            size = sum(wheel["size"] for wheel in found) / 1e6
            print(f"{platform}, Python {python}: {len(found)} packages, {size:,.0f} MB")
    names = names_of_data(options.lessons, options.profile)
    total = sum(w["size"] for w in wheels.values()) + sum(data.info(n).size for n in names)
    for name in names:
        print(f"data {name}: {data.info(name).size / 1e6:,.0f} MB")
    print(f"Together {total / 1e6:,.0f} MB, into {kit}.", flush=True)
    if options.list:
        return
    for folder in ("wheels", "data"):
        (kit / folder).mkdir(parents=True, exist_ok=True)
    for number, wheel in enumerate(wheels.values(), start=1):
        print(f"  {number}/{len(wheels)} {wheel['name']}", flush=True)
        local = _path(wheel["url"])
        fetch(wheel["name"], [wheel["url"]], wheel["sha256"], wheel["size"], kit / "wheels", local)
    remove_others(kit / "wheels", wheels)
    own_wheel(kit / "wheels")
    for name in names:
        entry = data.info(name)
        fetch(entry.filename, entry.urls, entry.known_hash, entry.size, kit / "data")
    if options.profile == "full":
        fill_caches(kit, options.lessons)
    chosen = [lesson for lesson in lessons.LESSONS if lesson.number in options.lessons]
    with zipfile.ZipFile(kit / "lessons.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for lesson in chosen:
            packed.write(ROOT / f"lessons/{lesson.name}.ipynb", f"{lesson.name}.ipynb")
    shutil.copy(ROOT / "tools/kit/workshop.py", kit)
    told = (ROOT / "tools/kit/READ ME FIRST.txt").read_text("utf8")
    pythons = " or ".join(options.pythons)
    first = chosen[0].name
    told = told.format(pythons=pythons, profile=options.profile, first=first)
    (kit / "READ ME FIRST.txt").write_text(told, "utf8")
    settings = {"profile": options.profile, "pythons": options.pythons, "first": first}
    settings["packed"] = [name for name in ("lessons", "caches") if (kit / f"{name}.zip").exists()]
    (kit / "kit.json").write_text(json.dumps(settings, indent=1), "utf8")
    for rest in (*kit.rglob("*.part"), *kit.rglob("*.lock")):
        rest.unlink()
    checksums(kit)
    print(f"{kit} is ready: copy it to sticks, or run `python -m http.server` in it.")


if __name__ == "__main__":
    main()
