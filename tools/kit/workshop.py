"""Install the course from this folder, or from an instructor's computer, and open it.

python workshop.py                                     in a copy of the kit
python workshop.py --from http://192.168.1.5:8000      with nothing but this file
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / "course-env"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
DONE = ENVIRONMENT / "installed"


def damaged(folder):
    """Return the files that are missing or differ from what SHA256SUMS says."""
    wrong = []
    for line in (folder / "SHA256SUMS").read_text("utf8").splitlines():
        wanted, name = line.split("  ", 1)
        path, found = folder / name, hashlib.sha256()
        if path.is_file():
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    found.update(block)
        if not path.is_file() or found.hexdigest() != wanted:
            wrong.append(name)
    return wrong


def install(wheels):
    """Make an environment and install the course into it, from a folder or an address."""
    if not PYTHON.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--no-index", "--find-links", str(wheels)]
    host = str(wheels).split("/")[2].split(":")[0] if "://" in str(wheels) else None
    pip += ["--trusted-host", host] if host else []
    pip += ["--retries", "10", "--disable-pip-version-check", "transfer-lib[lab]"]
    print("Installing; this takes some minutes.", flush=True)
    if subprocess.run(pip).returncode:
        sys.exit("The installation stopped. Run the same command again; see READ ME FIRST.txt.")
    DONE.touch()


def variables(caches):
    """Return the environment variables that put the libraries' caches into a folder."""
    names = {"KERAS_HOME": "keras", "HF_HOME": "huggingface", "SCIKIT_LEARN_DATA": "scikit-learn"}
    return {variable: str(caches / name) for variable, name in names.items()}


def unpack(archive, address):
    """Unpack an archive beside itself, all of it or nothing, fetching it first from an address."""
    if address:
        print(f"Fetching {address}", flush=True)
        with urllib.request.urlopen(address, timeout=60) as answer, open(archive, "wb") as file:
            shutil.copyfileobj(answer, file)
    target = archive.with_suffix("")
    temporary = Path(tempfile.mkdtemp(dir=HERE))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(temporary)
    temporary.replace(target)


def main():
    """Check, install once, and open the first lesson."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from", dest="address", help="the address of the instructor's computer")
    parser.add_argument("--check", action="store_true", help="only check the files")
    parser.add_argument("--install", action="store_true", help="install, and open nothing")
    parser.add_argument("--port", default="8888")
    options = parser.parse_args()
    address = options.address.rstrip("/") if options.address else None
    if address:
        try:
            with urllib.request.urlopen(f"{address}/kit.json", timeout=30) as answer:
                kit = json.load(answer)
        except (OSError, ValueError) as error:
            sys.exit(f"{address} does not answer as a kit does: {error}. Is the address right?")
    else:
        kit = json.loads((HERE / "kit.json").read_text("utf8"))
    version = "{}.{}".format(*sys.version_info)
    if version not in kit["pythons"]:
        sys.exit(f"Python {' or '.join(kit['pythons'])} is needed; this is {version}.")
    if options.check or not (address or DONE.exists()):
        print("Checking the files.", flush=True)
        if wrong := damaged(HERE):
            sys.exit("\n".join(f"{name} differs from what it should be." for name in wrong[:10]))
        print("All files are whole.")
        if options.check:
            return
    if not DONE.exists():
        install(f"{address}/wheels/" if address else HERE / "wheels")
    for name in ("lessons", "caches"):  # caches: of the full profile, where lessons need any
        if name in kit["packed"] and not (HERE / name).exists():
            unpack(HERE / f"{name}.zip", f"{address}/{name}.zip" if address else None)
    env = dict(os.environ, TRANSFER_LIB_PROFILE=kit["profile"])
    if "caches" in kit["packed"]:
        env.update(variables(HERE / "caches"), HF_HUB_OFFLINE="1")
    if address:
        env["TRANSFER_LIB_MIRROR"] = address
    else:
        env["TRANSFER_LIB_DATA"] = str(HERE / "data")
    if options.install:
        return
    first = HERE / "lessons" / f"{kit['first']}.ipynb"
    lab = [str(PYTHON), "-m", "jupyter", "lab", f"--ServerApp.port={options.port}", str(first)]
    sys.exit(subprocess.run(lab, env=env, cwd=HERE).returncode)


if __name__ == "__main__":
    main()
