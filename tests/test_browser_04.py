"""Lesson 04's upload button in JupyterLab: a picture is predicted, a broken or big one answered."""

import nbformat
import numpy as np
from PIL import Image

import lab

pytestmark = lab.needs_browser


def test_a_picture_is_uploaded_by_keyboard_and_predicted(tmp_path):
    Image.new("RGB", (300, 200), "skyblue").save(tmp_path / "sky.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "sky.png").read_bytes()[:200])
    noise = np.random.default_rng(0).integers(0, 256, (2200, 2200, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "big.png")  # 14 MB, more than Jupyter takes by itself
    (tmp_path / "huge.png").write_bytes(bytes(21_000_000))
    with lab.server(tmp_path) as address, lab.page() as page:
        nbformat.write(lab.upto("04", "upload_button(show)"), tmp_path / "lessons/04_upload.ipynb")
        lab.run_all(page, address, "04_upload")
        output = lab.show(page, "images.upload_button(show)").locator(".jp-OutputArea")
        button = output.get_by_role("button")
        button.wait_for()

        def choose(name):
            chosen = []
            page.once("filechooser", lambda chooser: chosen.append(chooser))
            for _ in range(20):  # a page that is still being laid out can lose the focus
                button.focus()
                page.keyboard.press("Space")
                page.wait_for_timeout(1000)
                if chosen:
                    break
            chosen[0].set_files(tmp_path / name)

        choose("sky.png")
        output.get_by_text("sky.png: ").wait_for()
        choose("big.png")
        output.get_by_text("big.png: ").wait_for()
        choose("huge.png")
        output.get_by_text("huge.png has more than 20 MB").wait_for()
        assert not output.get_by_text("big.png: ").count()  # the old answer is gone
        choose("broken.png")
        output.get_by_text("broken.png is").wait_for()
        alert = output.get_by_role("alert")
        assert "broken.png is broken or cut short" in alert.inner_text()
        page.screenshot(path=tmp_path / "widget.png")
        choose("sky.png")
        output.get_by_text("sky.png: ").wait_for()
        assert not alert.count()
