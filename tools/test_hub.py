"""Prove the hub of ``deploy/``: a real hub and proxy, a room of learners, a restart.

20 learners log in at once and solve an exercise; 8 of them run lesson 00 from top to bottom at the
same time; the hub is stopped and started again; all log in again, with the right password only, and
find their progress. Asked as well: one learner's greed does not harm, another's files cannot be
read, an idle server is stopped, a hub with a git address pulls the notebooks from it. Figures,
seconds and memory, go into ``build/hub.json``.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests
import websocket
from other_environment import free_port, make, pip_install

import build

ROOT = build.ROOT
LEARNERS, RUNNERS, PORT = 20, 8, free_port()
SOLVE = """
import transfer_lib
ex = transfer_lib.setup("00").exercises
import numpy as np
ex.accuracy.check(lambda predicted, labels: np.mean(predicted == labels))
"""
PROGRESS = "from transfer_lib.practice import journal; print(journal.load()['00.accuracy'])"
GREED = "import numpy as np\nnp.ones(10**10)"
LINK = "import os, shutil\nshutil.rmtree('lessons')\nos.symlink({target!r}, 'lessons')"
PRY = "import pathlib\nprint(len(list(pathlib.Path({home!r}).iterdir())))"


class Learner:
    """One learner's browser: logs in, starts the server, runs code in a kernel."""

    def __init__(self, name, password):
        self.name, self.password = name, password
        self.hub = f"http://127.0.0.1:{PORT}/hub"
        self.web = requests.Session()
        self.web.trust_env = False
        self.kernel = None

    def log_in(self) -> bool:
        page = self.web.get(f"{self.hub}/login", timeout=60)
        token = self.web.cookies.get("_xsrf", path="/hub/")
        form = {"username": self.name, "password": self.password, "_xsrf": token}
        page = self.web.post(f"{self.hub}/login", data=form, timeout=60)
        return not page.url.split("?")[0].endswith("/login")

    def start(self):
        """Start the server as a click does, and wait for it; return the address of its page."""
        end = time.monotonic() + 180
        while time.monotonic() < end:
            page = self.web.get(f"{self.hub}/spawn", timeout=120)
            if f"/user/{self.name}/" in page.url and page.ok:
                self.base = f"http://127.0.0.1:{PORT}/user/{self.name}"
                return page.url
            time.sleep(1)
        raise TimeoutError(f"{self.name}: no server; the last page was {page.url}")

    def open_kernel(self):
        token = self.web.cookies.get("_xsrf", path=f"/user/{self.name}/")
        answer = self.web.post(
            f"{self.base}/api/kernels", json={}, headers={"X-XSRFToken": token}, timeout=120
        )
        answer.raise_for_status()
        self.kernel = answer.json()["id"]
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.web.cookies)
        address = f"{self.base.replace('http', 'ws', 1)}/api/kernels/{self.kernel}/channels"
        self.socket = websocket.create_connection(address, cookie=cookies, timeout=600)

    def run(self, code) -> tuple[str, str]:
        """Run a cell; return what it printed and the name of its error, if any."""
        id = uuid.uuid4().hex
        header = {"msg_id": id, "msg_type": "execute_request", "username": "", "session": id}
        content = {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": False}
        message = {"header": header | {"version": "5.3"}, "parent_header": {}, "metadata": {}}
        self.socket.send(json.dumps(message | {"content": content, "channel": "shell"}))
        printed, error = "", ""
        while True:
            got = json.loads(self.socket.recv())
            if got["parent_header"].get("msg_id") != id:
                continue
            kind, said = got["msg_type"], got["content"]
            printed += said.get("text", "") if kind == "stream" else ""
            error = said["ename"] if kind == "error" else error
            if kind == "status" and said["execution_state"] == "idle":
                return printed, error

    def close_kernel(self):
        self.socket.close()
        token = self.web.cookies.get("_xsrf", path=f"/user/{self.name}/")
        address = f"{self.base}/api/kernels/{self.kernel}"
        self.web.delete(address, headers={"X-XSRFToken": token}, timeout=60).raise_for_status()


@contextmanager
def hub(python, state, **settings):
    """Run the hub and its proxy; yield the hub's process."""
    path = os.pathsep.join([str(Path(python).parent), str(ROOT / "node_modules/.bin")])
    env = {k: v for k, v in os.environ.items() if not k.startswith("TRANSFER_LIB_")}
    env |= {
        "PATH": path + os.pathsep + os.environ["PATH"],
        "COURSE_STATE": str(state),
        "COURSE_ADDRESS": f"http://127.0.0.1:{PORT}",
    }
    command = [python, "-m", "jupyterhub", "--config", str(ROOT / "deploy/jupyterhub_config.py")]
    with (state / "hub.log").open("a") as log:
        process = subprocess.Popen(
            command, cwd=state, env=env | settings, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(120):
            time.sleep(0.5)
            try:
                if requests.get(f"http://127.0.0.1:{PORT}/hub/health", timeout=5).ok:
                    break
            except requests.ConnectionError:
                if process.poll() is not None:
                    sys.exit((state / "hub.log").read_text("utf8")[-3000:])
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def memory(name) -> dict:
    """Return the megabytes (proportional share) of a learner's server and of its kernels."""
    found = {"server": 0.0, "kernels": 0.0}
    for process in psutil.process_iter(["cmdline"]):
        try:
            words = " ".join(process.info["cmdline"] or [])
            if process.environ().get("JUPYTERHUB_USER") != name:
                continue
            kind = "kernels" if "ipykernel" in words else "server"
            found[kind] += process.memory_full_info().pss / 1e6
        except psutil.Error:
            continue
    return found


def everyone(learners, task):
    """Let all learners do something at the same time; return what each brought."""
    with ThreadPoolExecutor(len(learners)) as pool:
        return list(pool.map(task, learners))


def whole_lesson(learner):
    """Run lesson 00, answered, in a learner's kernel; return its memory at the end."""
    notebook = build.solution_of(build.read(build.source_of("00")))
    learner.open_kernel()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            printed, error = learner.run(cell.source)
            assert not error, (learner.name, error, cell.source)
    return memory(learner.name)


def solve(learner):
    learner.open_kernel()
    printed, error = learner.run(SOLVE)
    assert not error, error
    learner.close_kernel()


def progress(learner):
    learner.open_kernel()
    printed, error = learner.run(PROGRESS)
    learner.close_kernel()
    return printed


def first_day(learners, state, figures):
    """All log in, start, solve; some run lesson 00; one is greedy, one pries."""
    start = time.perf_counter()
    assert all(everyone(learners, Learner.log_in)), "a learner cannot log in"
    pages = everyone(learners, Learner.start)
    assert all(page.endswith("00_first_transfer.ipynb") for page in pages), pages
    figures["20 log in and their servers start, s"] = time.perf_counter() - start
    figures["an idle server, MB"] = max(memory(one.name)["server"] for one in learners)
    start = time.perf_counter()
    everyone(learners, solve)
    figures["20 solve an exercise, s"] = time.perf_counter() - start
    start = time.perf_counter()
    used = everyone(learners[:RUNNERS], whole_lesson)
    figures["8 run lesson 00 at once, s"] = time.perf_counter() - start
    figures["a kernel at the end of lesson 00, MB"] = max(one["kernels"] for one in used)
    figures["its server, MB"] = max(one["server"] for one in used)

    greedy, other = learners[0], learners[1]
    printed, error = greedy.run(GREED)
    assert "Memory" in error, (printed, error)
    for one in (greedy, other):  # both kernels live
        assert one.run("print(1 + 1)") == ("2\n", "")
    if os.geteuid() == 0:
        for home in (state / "homes" / other.name, state / "homes"):
            printed, error = greedy.run(PRY.format(home=str(home)))
            assert error == "PermissionError", (home, printed, error)
        private = [p for p in state.iterdir() if p.is_file() and p.name != "hub.log"]
        assert len(private) >= 3, private  # database, passwords, cookie secret
        for path in private:
            printed, error = greedy.run(f"open({str(path)!r}).read()")
            assert error == "PermissionError", (path, printed, error)
        (state / "trap").mkdir()
        (state / "trap/kept").write_text("of root")
        printed, error = other.run(LINK.format(target=str(state / "trap")))
        assert not error, error
    else:
        print("Not asked, the hub does not run as root: whether learners can read others' files")


def second_day(learners, state):
    """After a restart: a wrong password is refused, progress is there, a link has led nowhere."""
    wrong = Learner(learners[0].name, "not the password")
    assert not wrong.log_in(), "a wrong password is accepted"
    again = [Learner(one.name, one.password) for one in learners]
    assert all(everyone(again, Learner.log_in))
    everyone(again, Learner.start)
    found = everyone(again, progress)
    assert all("'outcome': 'right'" in one for one in found), found
    if os.geteuid() == 0:
        inside = [(path.name, path.stat().st_uid) for path in (state / "trap").iterdir()]
        assert inside == [("kept", 0)], inside


@contextmanager
def git_served(state):
    """Serve what is committed here by git's own server; yield its address."""
    bare, port = state / "git/course.git", free_port()
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, bare], check=True)
    options = ["--export-all", f"--base-path={bare.parent}", "--listen=127.0.0.1", f"--port={port}"]
    daemon = subprocess.Popen(["git", "daemon", *options], start_new_session=True)
    try:
        yield f"git://127.0.0.1:{port}/course.git"
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)


def pulled(learner, state, address):
    """Where the hub has a git address, the first page pulls the notebooks into the home."""
    assert learner.log_in()
    page = learner.start()
    assert "/git-pull?" in page, page
    asked = {"repo": address, "targetpath": "course"}
    told = learner.web.get(f"{learner.base}/git-pull/api", params=asked, timeout=300).text
    assert '"phase": "finished"' in told, told[-2000:]
    assert (state / f"homes/{learner.name}/course/lessons/00_first_transfer.ipynb").exists()


def main():
    """Run the proof; print its figures."""
    if not (ROOT / "node_modules/.bin/configurable-http-proxy").exists():
        sys.exit("The proxy is missing. `npm install --no-package-lock` puts it in node_modules.")
    python = make("hub")
    pip_install(python, "--constraint", str(ROOT / "constraints.txt"), "--editable", ".[lab,hub]")
    state, figures = Path(tempfile.mkdtemp(prefix="hub-")), {}
    learners = [Learner(f"room{number:02}", f"secret {number}") for number in range(LEARNERS)]
    try:
        with hub(python, state) as process:
            figures["hub and proxy, MB"] = sum(
                one.memory_full_info().pss / 1e6 for one in [process, *process.children()]
            )
            first_day(learners, state, figures)
        with hub(python, state):
            second_day(learners, state)
        with hub(python, state, COURSE_IDLE="5"):
            idle = Learner(learners[0].name, learners[0].password)
            assert idle.log_in() and idle.start()
            end = time.monotonic() + 120
            while memory(idle.name)["server"] and time.monotonic() < end:
                time.sleep(1)
            assert not memory(idle.name)["server"], "an idle server is not stopped"
        with git_served(state) as address, hub(python, state, COURSE_REPOSITORY=address):
            pulled(Learner(learners[2].name, learners[2].password), state, address)
    finally:
        if os.geteuid() == 0:
            for one in learners:
                subprocess.run(["userdel", f"learner-{one.name}"], stderr=subprocess.DEVNULL)
        log = (state / "hub.log").read_text("utf8") if (state / "hub.log").exists() else ""
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build/hub.log").write_text(log, "utf8")
        shutil.rmtree(state)
    figures = {name: round(value) for name, value in figures.items()}
    (ROOT / "build/hub.json").write_text(json.dumps(figures, indent=1) + "\n", "utf8")
    for name, value in figures.items():
        print(f"{name}: {value}")
    trouble = re.findall(r"^\[E .*", log, re.MULTILINE)
    print(*trouble[:5], sep="\n")


if __name__ == "__main__":
    main()
