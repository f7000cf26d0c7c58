"""The tokeniser widget of lesson 06 in JupyterLab: typed by keyboard, answered in words."""

import nbformat

import lab

pytestmark = lab.needs_browser


def test_a_sentence_typed_into_the_widget_is_tokenised(tmp_path):
    with lab.server(tmp_path) as address, lab.page() as page:
        nbformat.write(lab.upto("06", "token_widget"), tmp_path / "lessons/06_widget.ipynb")
        lab.run_all(page, address, "06_widget")
        cell = lab.show(page, "plots.token_widget")
        output = cell.locator(".jp-OutputArea")
        entry = output.get_by_label("Sentence")
        entry.wait_for()
        output.get_by_text("0 of them unknown").wait_for()
        entry.fill("unbelievable <i>💜</i>")
        entry.press("Enter")
        output.get_by_text("1 of them unknown").wait_for()
        output.get_by_role("cell", name="##able").or_(output.get_by_text("[UNK]")).first.wait_for()
        assert output.locator("td").all_inner_texts()[0].startswith("[CLS]")
        assert output.locator("i").count() == 0  # what was typed is shown, not obeyed
        page.screenshot(path=tmp_path / "widget.png")
        assert "Error" not in output.inner_text()
