"""Pack a kit for this machine, install it without a network, and run lesson 00 in it.

Twice: from the folder, and from ``python -m http.server`` beside it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import workshop_kit
from other_environment import free_port, run_lesson

ROOT = workshop_kit.ROOT
SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}


def main():
    """Pack, install twice, run."""
    import build

    python = "{}.{}".format(*sys.version_info)
    kit = ROOT / "build/test-kit"
    workshop_kit.main(
        ["--lessons", "00", "--platforms", SYSTEMS[sys.platform], "--pythons", python]
        + ["--to", str(kit)]
    )
    blocked = os.environ | {"PYTHONPATH": str(ROOT / "tests/offline")}  # loopback alone
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        stick, alone = folders[0] / "kit", folders[1]
        shutil.copytree(kit, stick)
        shutil.copy(kit / "workshop.py", alone)
        port = str(free_port())
        command = [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"]
        server = subprocess.Popen(command, cwd=kit, stderr=subprocess.DEVNULL)
        stack.callback(server.kill)
        time.sleep(1)
        for folder, options in ((stick, []), (alone, ["--from", f"http://127.0.0.1:{port}"])):
            start = time.perf_counter()
            install = [sys.executable, "workshop.py", "--install", *options]
            subprocess.run(install, cwd=folder, env=blocked, check=True)
            seconds = time.perf_counter() - start
            print(f"{folder.name}: installed in {seconds:.0f} s {options}", flush=True)
            inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
            run_lesson(
                str(folder / "course-env" / inside),
                build.source_of("00"),
                alone=True,
                PYTHONPATH=str(ROOT / "tests/offline"),
            )
            first = json.loads((kit / "kit.json").read_text("utf8"))["first"]
            assert (folder / f"lessons/{first}.ipynb").exists()


if __name__ == "__main__":
    main()
