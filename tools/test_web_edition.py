"""Read the web edition in a real browser, at phone and laptop size, light and dark.

Asked of each page of ``build/web``: it takes nothing from outside; it is not wider than the window;
axe-core finds nothing; every figure has its words; formulae are drawn; answers are folded, and open
by the keyboard. The search finds a word. Screenshots lie in ``build/web-pictures``.
"""

import http.server
import sys
import threading
from contextlib import contextmanager
from functools import partial

import web_edition
from test_browser import AXE, RULES

import build

sys.path.insert(0, str(build.ROOT / "tests"))
import lab  # noqa: E402

OUT = build.ROOT / "build/web-pictures"
SIZES = {"phone": {"width": 390, "height": 844}, "laptop": {"width": 1366, "height": 768}}
ANSWERS = "details.answer > summary, details.hide > summary"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Serve a folder on this machine; yield its address."""
    handler = partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def faults_of(page, address, name, size, theme) -> list[str]:
    """Open one page and return what is wrong with it."""
    told, asked = [], []
    page.on("requestfailed", lambda request: told.append(f"not loaded: {request.url}"))
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: told.append(f"script: {error}"))
    page.add_init_script(f"localStorage.mode = localStorage.theme = '{theme}'")
    page.goto(f"{address}/{name}.html")
    page.wait_for_load_state("networkidle")
    outside = {url for url in asked if not url.startswith((address, "data:", "blob:"))}
    told += [f"asked for {url}" for url in sorted(outside)]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        told.append(f"{wide} pixels wider than the window")
    if page.locator("span.math, div.math").count() > page.locator("mjx-container").count():
        told.append("a formula is not drawn")
    if page.locator("mjx-merror").count():
        told.append("a formula has an error")
    answers = page.locator(ANSWERS)
    if page.locator("details.answer[open], details.hide[open]").count():
        told.append("an answer stands open")
    if answers.count():
        inside = answers.last.locator("xpath=..")
        answers.last.focus()
        page.keyboard.press("Enter")
        if inside.get_attribute("open") is None:
            told.append("an answer does not open by the keyboard")
    if not (size == "phone" and theme == "dark"):
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.evaluate(AXE)
        options = {"runOnly": [*RULES, "best-practice"], "resultTypes": ["violations"]}
        for fault in page.evaluate("options => axe.run(document, options)", options)["violations"]:
            places = [node["html"][:140] for node in fault["nodes"]]
            told.append(f"axe {fault['id']} ({fault['impact']}): {len(places)}, as {places[:2]}")
    return told


def search(page, address) -> list[str]:
    """Look for a word by the site's own search."""
    page.goto(f"{address}/search.html?q=covariance")
    page.wait_for_selector("#search-results li a", timeout=20_000)
    found = page.locator("#search-results li a").all_inner_texts()
    return [] if any("Aligning domains" in one for one in found) else [f"search finds {found}"]


def main():
    """Read all pages; exit with 1 if anything is wrong."""
    names = [path.stem for path in sorted(web_edition.SITE.glob("*.html"))]
    names = [name for name in names if name not in ("genindex", "search")]
    OUT.mkdir(parents=True, exist_ok=True)
    count = 0
    with served(web_edition.SITE) as address, lab.page() as page:
        for size, viewport in SIZES.items():
            for theme in ("light", "dark"):
                for name in names:
                    tab = page.context.browser.new_page(viewport=viewport)
                    for fault in faults_of(tab, address, name, size, theme):
                        count += 1
                        print(f"{name}, {size}, {theme}: {fault}", flush=True)
                    tab.screenshot(path=OUT / f"{name}-{size}-{theme}.png")
                    tab.close()
        for fault in search(page, address):
            count += 1
            print(fault)
    print(f"{len(names)} pages, {len(SIZES)} sizes, light and dark: {count} faults")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
