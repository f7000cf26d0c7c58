"""Open every lesson in JupyterLab in a real browser, at laptop size, and use all that is in it.

    python tools/test_browser.py            every lesson; names choose: 03 06

Each lesson is run from top to bottom as it is opened, nothing answered. Asked of it: no error
output; at most one live figure in a cell; each slider moves its figure by the keyboard and by the
mouse; a question is answered by a click and by the keyboard; axe-core finds nothing serious in what
the cells show. Screenshots of each screenful lie in ``build/browser``, to be looked at.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import axe_playwright_python

import build

sys.path.insert(0, str(build.ROOT / "tests"))
import lab  # noqa: E402

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf8")
OUT = build.ROOT / "build/browser"
SIZE = {"width": 1366, "height": 768}
# All cells stay in the page, so that each can be asked; else JupyterLab drops those out of sight.
WHOLE = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
RULES = ["wcag2a", "wcag2aa", "wcag21aa"]
# Not the course's to mend: JupyterLab drops the text alternative of an image, so the words follow
# it, which is asked here; ipywidgets gives the knob of a slider no name beside its visible label.
IMAGE, KNOB = ".jp-RenderedImage", ".noUi-handle"


def faults_of_axe(page) -> list[str]:
    """Return what axe-core finds in the outputs of the cells, impact serious or critical."""
    page.evaluate(AXE)
    where = {"include": [[".jp-OutputArea-output"]], "exclude": [[f"{IMAGE} img"], [KNOB]]}
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    found = page.evaluate("([where, options]) => axe.run(where, options)", [where, options])
    told = []
    for fault in found["violations"]:
        if fault["impact"] in ("serious", "critical"):
            example = fault["nodes"][0]["html"][:160]
            told.append(f"axe {fault['id']}: {len(fault['nodes'])} places, such as {example}")
    for cell in page.locator(".jp-Cell", has=page.locator(f"{IMAGE} img")).all():
        images, words = (cell.locator(one).count() for one in (f"{IMAGE} img", "details summary"))
        if words < images:
            told.append(f"{images} images, and words for {words}: {cell.inner_text()[:80]}")
    for slider in page.locator(".widget-slider").all():
        if not slider.locator(".widget-label").first.text_content().strip():
            told.append("a slider has no label")
    return told


def faults_of_sliders(page) -> tuple[int, list[str]]:
    """Move each slider by keyboard and by mouse; return how many there are, and what failed."""
    told, handles = [], page.locator('.noUi-handle[role="slider"]')
    for number in range(handles.count()):
        handle = handles.nth(number)
        cell = page.locator(".jp-Cell", has=handle)
        image = cell.locator(".jupyter-widgets img").first
        if not image.count():
            continue
        handle.scroll_into_view_if_needed()
        for way in ("keyboard", "mouse"):
            before, start = image.get_attribute("src"), handle.get_attribute("aria-valuenow")
            highest = start == handle.get_attribute("aria-valuemax")
            if way == "keyboard":
                handle.focus()
                page.keyboard.press("ArrowLeft" if highest else "ArrowRight")
            else:
                track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-target')]")
                box = track.bounding_box()
                page.mouse.click(box["x"] + box["width"] * 0.02, box["y"] + box["height"] / 2)
            end = time.monotonic() + 20
            while image.get_attribute("src") == before and time.monotonic() < end:
                page.wait_for_timeout(100)
            moved = handle.get_attribute("aria-valuenow") != start
            if moved and image.get_attribute("src") == before:
                told.append(f"slider {number + 1}: moved by {way}, and the figure stayed")
            elif not moved and way == "keyboard":
                told.append(f"slider {number + 1}: the {way} does not move it")
    return handles.count(), told


def faults_of_questions(page) -> tuple[int, list[str]]:
    """Answer each question, the first half by a click and the rest by the keyboard."""
    told, asked = [], 0
    boxes = page.locator(".jupyter-widgets.widget-vbox", has=page.get_by_role("button", name="a"))
    for number in range(boxes.count()):
        box = boxes.nth(number)
        button = box.get_by_role("button", name="a", exact=True)
        if button.count() != 1:
            continue
        asked += 1
        before = box.inner_text()
        button.scroll_into_view_if_needed()
        if number % 2:
            button.focus()
            page.keyboard.press("Space")
        else:
            button.click()
        end = time.monotonic() + 10
        while box.inner_text() == before and time.monotonic() < end:
            page.wait_for_timeout(50)
        if box.inner_text() == before:
            told.append(f"question {number + 1}: no answer to the choice a")
    return asked, told


def look(page, name):
    """Store a picture of each screenful of the notebook."""
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    pane = page.locator(".jp-WindowedPanel-outer").first
    height = pane.evaluate("p => p.scrollHeight")
    for number, top in enumerate(range(0, height, SIZE["height"] - 150)):
        pane.evaluate("(p, top) => p.scrollTo(0, top)", top)
        page.wait_for_timeout(120)
        page.screenshot(path=folder / f"{number:02}.png")


def faults_of(page, address, name) -> list[str]:
    """Run one lesson and use it; return what is wrong."""
    start = time.perf_counter()
    lab.run_all(page, address, name, timeout=600)
    seconds, told = time.perf_counter() - start, []
    error = '[data-mime-type$="jupyter.error"], [data-mime-type$="jupyter.stderr"]'
    for text in page.locator(error).all_inner_texts():
        told.append(f"error output: {text[:200]}")
    if count := page.locator("mjx-merror").count():
        told.append(f"{count} formulas cannot be drawn")
    for cell in page.locator(".jp-Cell", has=page.locator(".jupyter-widgets img")).all():
        if cell.locator(".jp-OutputArea-output > .jupyter-widgets").count() > 1:
            told.append("a cell shows more than one live figure")
    look(page, name)
    told += faults_of_axe(page)
    sliders, wrong = faults_of_sliders(page)
    questions, more = faults_of_questions(page)
    told += wrong + more
    print(f"{name}: {seconds:.0f} s, {sliders} sliders, {questions} questions, {len(told)} faults")
    return told


def main():
    """Open the chosen lessons; exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers; all when none is given")
    chosen, faults = parser.parse_args().lessons, []
    with tempfile.TemporaryDirectory() as folder, lab.server(Path(folder)) as address:
        overrides = Path(folder) / "config/labconfig/default_setting_overrides.json"
        overrides.write_text(json.dumps(json.loads(overrides.read_text()) | WHOLE))
        for path in build.sources():
            if chosen and build.number_of(path) not in chosen:
                continue
            with lab.page() as page:
                page.set_viewport_size(SIZE)
                for fault in faults_of(page, address, path.stem):
                    faults.append(fault)
                    print(f"  {fault}", flush=True)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
