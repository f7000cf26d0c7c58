"""JupyterLab in a real browser, for the tests: open a notebook, run it, use its widgets."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

import build
import ensure_browser

BROWSER = ensure_browser.find()
if BROWSER is None and os.environ.get("CI"):
    pytest.fail("no Chromium found: run tools/ensure_browser.py", pytrace=False)
needs_browser = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium found: run tools/ensure_browser.py"),
]
TOKEN = "course-test"
# As `make lab` starts it.
TORNADO = re.search(r'tornado_settings="(.+?)"', (build.ROOT / "Makefile").read_text("utf8"))[1]
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def upto(lesson, text):
    """Return a lesson's notebook, without outputs, down to the first cell that holds the text.

    Raises
    ------
    ValueError
        When no cell holds it.
    """
    notebook = build.lesson_of(build.read(build.source_of(lesson)))
    for i, cell in enumerate(notebook.cells):
        if text in cell.source:
            notebook.cells = notebook.cells[: i + 1]
            return notebook
    raise ValueError(f"lesson {lesson}: no cell holds {text!r}")


@contextmanager
def server(folder):
    """Start JupyterLab on 127.0.0.1 over a copy of the lessons; yield its address."""
    shutil.copytree(build.ROOT / "lessons", folder / "lessons")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "PYTHONPATH": str(build.ROOT),
        "TRANSFER_LIB_HOME": str(folder / "home"),
        "TRANSFER_LIB_PROFILE": "quick",
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    overrides = folder / "config/labconfig"
    overrides.mkdir(parents=True)
    news = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
    (overrides / "default_setting_overrides.json").write_text(json.dumps(news))
    log = (folder / "server.log").open("w")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += [f"--ServerApp.tornado_settings={TORNADO}"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api/status?token={TOKEN}", process, folder / "server.log")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


@contextmanager
def page():
    """Yield a page of a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=CHROMIUM)
        try:
            yield browser.new_page(viewport={"width": 1300, "height": 1100})
        finally:
            browser.close()


def run_all(page, address, name, timeout=300):
    """Open a lesson, run all its cells through the menu, and wait until the kernel is idle."""
    page.goto(f"{address}/lab/tree/lessons/{name}.ipynb?token={TOKEN}&reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    idle = page.get_by_text("Python 3 (ipykernel) | Idle")
    idle.wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Run All Cells")).click()
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        time.sleep(1)
        if idle.count() and not page.locator(".jp-InputPrompt", has_text="[*]").count():
            return
    raise TimeoutError(f"{name} still runs after {timeout} s")


def show(page, text):
    """Scroll the notebook until a cell whose code or prose holds this text is in view."""
    cell = page.locator(".jp-Cell", has_text=text).first
    for _ in range(60):
        if cell.count():
            cell.scroll_into_view_if_needed()
            time.sleep(0.5)
            return cell
        page.mouse.wheel(0, 800)
        time.sleep(0.1)
    raise AssertionError(f"no cell with {text!r}")


def press_right(page, cell, position):
    """Move a cell's slider one step with the keyboard; return the image before and after."""
    image = cell.locator(".jupyter-widgets img").first
    image.wait_for(timeout=60_000)
    before = image.get_attribute("src"), image.get_attribute("alt")
    handle = cell.locator('.noUi-handle[role="slider"]').nth(position)
    start = handle.get_attribute("aria-valuenow")
    for _ in range(5):  # a page that is still being laid out can lose the focus, and so the key
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(1000)
        if handle.get_attribute("aria-valuenow") != start:
            break
    after = before
    for _ in range(600):  # at most a minute: the kernel may be slow on a loaded machine
        after = image.get_attribute("src"), image.get_attribute("alt")
        if after != before:
            break
        page.wait_for_timeout(100)
    return before, after


def _wait_for(url, process, log):
    for _ in range(120):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


class Widget:
    """A figure with sliders, in the cell with this text."""

    def __init__(self, page, text):
        self.page = page
        self.cell = show(page, text)
        self.image = self.cell.locator(".jupyter-widgets img")
        self.image.wait_for()
        self.handles = self.cell.locator('.noUi-handle[role="slider"]')

    @property
    def shown(self):
        return self.image.get_attribute("src"), self.image.get_attribute("alt")

    def press(self, key, slider=0):
        """Press a key on a slider; return the words of the figure that it brings."""
        before = self.shown
        self.handles.nth(slider).focus()
        self.page.keyboard.press(key)
        deadline = time.monotonic() + 20
        while self.shown[0] == before[0]:
            if time.monotonic() > deadline:
                told = self.cell.locator('[role="alert"]').all_inner_texts()
                raise AssertionError(f"{key} changed nothing. Told: {told}. Figure: {before[1]}")
            time.sleep(0.01)
        words = self.shown[1]
        assert words != before[1]
        self.cell.locator('[role="status"]', has_text=words[:40]).wait_for()
        assert not self.cell.locator('[role="alert"]').count()
        return words
