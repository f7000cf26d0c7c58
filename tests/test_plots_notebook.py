"""Figures in a notebook: shown once, with their words; widgets that redraw them."""

import re
import subprocess
import sys
from base64 import b64decode, b64encode

import pytest
from example_figures import READY

from transfer_lib import plots


@pytest.fixture(scope="module")
def shell():
    """Return an IPython shell in which cells can be run."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    yield shell
    InteractiveShell.clear_instance()


def shown(shell, value):
    """Run a cell that ends with the value; return its outputs."""
    from IPython.utils.capture import capture_output

    shell.user_ns["value"] = value
    with capture_output() as captured:
        result = shell.run_cell("value")
    assert result.success
    return captured.outputs


# ---- what a notebook gets -----------------------------------------------------------------------


def test_last_expression_shows_image_and_words(shell):
    fig, _ = plots.figure('accuracy < 50 & "low"')
    image, words = shown(shell, fig)
    assert image.metadata == {"image/png": {"alt": 'accuracy < 50 & "low"'}}
    assert image.data["text/plain"] == 'Figure: accuracy < 50 & "low"'
    assert image.data["image/png"] == plots.to_png(plots.figure("x")[0])
    assert set(words.data) == {"text/html"}
    assert words.data["text/html"].startswith("<details><summary>Figure in words</summary>")
    assert "accuracy &lt; 50 &amp; &quot;low&quot;" in words.data["text/html"]


def test_pyplot_does_not_take_the_words_away(shell):
    from IPython.core.pylabtools import select_figure_formats

    select_figure_formats(shell, {"png"})  # what the inline backend does; removes formatters
    assert len(shown(shell, plots.figure("words")[0])) == 2


def test_figure_of_pyplot_is_shown_once_and_closed(shell):
    import matplotlib.pyplot as plt

    fig, _ = plt.subplots()
    plots.describe(fig, "words")
    image, _ = shown(shell, fig)
    assert image.metadata["image/png"]["alt"] == "words"
    assert plt.get_fignums() == []


def test_nothing_stays_open_in_pyplot(shell):
    import matplotlib.pyplot as plt

    for make in READY.values():
        make()
    shown(shell, make())
    make_widget()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("template", ["classic", "lab"])
def test_words_reach_the_reader_of_a_web_page(shell, template):
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    outputs = []
    for output in shown(shell, plots.bars({"ours": 1, "theirs": 2}, "Time (s)", title="Speed")):
        data = dict(output.data)
        if "image/png" in data:
            data["image/png"] = b64encode(data["image/png"]).decode()
        outputs.append(nbformat.v4.new_output("display_data", data, metadata=output.metadata))
    cell = nbformat.v4.new_code_cell("fig", outputs=outputs)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(notebook)
    page, _ = nbconvert.HTMLExporter(template_name=template).from_notebook_node(notebook)
    words = "Speed. Time (s). ours 1; theirs 2."
    assert f"<p>{words}</p></details>" in page
    if template == "classic":  # the lab template drops the text of an image
        assert re.search(rf'<img [^>]*alt="{re.escape(words)}"', page)


def test_import_loads_no_pyplot():
    code = (
        "import sys; from transfer_lib import plots; plots.use_style();"
        "plots.to_png(plots.learning_curves({'a': [[0.1, 0.2]]}));"
        "print([m for m in ('matplotlib.pyplot', 'sklearn', 'IPython', 'ipywidgets', 'torch')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- interactive --------------------------------------------------------------------------------


def make_widget(calls=None):
    def draw(labels_per_class, frozen, smooth):
        if calls is not None:
            calls.append((labels_per_class, frozen, smooth))
        if frozen == 3:
            raise ValueError("no run with <3> frozen")
        fig, ax = plots.figure(f"{labels_per_class} labels, {frozen} frozen")
        ax.plot([0, frozen], [0, labels_per_class])
        return fig

    return plots.interactive(
        draw,
        descriptions={"frozen": "Frozen layers (count)"},
        labels_per_class={"one": 1, "five": 5},
        frozen=(0, 4),
        smooth=False,
    )


def picture(widget):
    """Return the PNG bytes of the image that a widget now shows."""
    return b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', widget.image.value)[1])


def test_widget_draws_the_new_values():
    calls = []
    widget = make_widget(calls)
    start = (1, widget.controls["frozen"].value, False)
    assert calls == [start]
    before = widget.image.value
    first = picture(widget)
    assert first == plots.to_png(make_widget().fallback)
    assert f'<img alt="1 labels, {start[1]} frozen" width="640" height="400"' in before
    assert f"1 labels, {start[1]} frozen" in widget.caption.value
    widget.controls["labels_per_class"].value = 5
    assert calls[1:] == [(5, start[1], False)]
    assert widget.image.value != before and picture(widget) != first
    assert f"5 labels, {start[1]} frozen" in widget.caption.value
    assert widget.message.value == ""


def test_widget_says_what_draw_raised_and_recovers():
    widget = make_widget()
    before = widget.image.value
    widget.controls["frozen"].value = 3
    assert "frozen=3" in widget.message.value
    assert "ValueError: no run with &lt;3&gt; frozen" in widget.message.value
    assert 'role="alert"' in widget.message.value
    assert widget.image.value == before
    widget.controls["frozen"].value = 4
    assert widget.message.value == "" and widget.image.value != before


def test_widget_controls_have_words_and_wait_until_let_go():
    import ipywidgets

    sliders = plots.interactive(
        lambda **_: plots.figure("x")[0],
        a=(0, 5),
        b=(0.0, 1.0, 0.1),
        c=[1, 2, 5],
        d=ipywidgets.IntSlider(description="Own words"),
    ).controls
    assert [control.continuous_update for control in sliders.values()] == [False] * 4
    controls = make_widget().controls
    assert controls["labels_per_class"].continuous_update is False
    assert [control.description for control in sliders.values()] == ["A", "B", "C", "Own words"]
    assert controls["frozen"].description == "Frozen layers (count)"
    assert controls["labels_per_class"].description == "Labels per class"
    assert all(c.style.description_width == "initial" for c in controls.values())
    # No menu among them: JupyterLab takes the arrow keys of a focused one.
    kinds = {type(control).__name__ for control in (sliders | controls).values()}
    assert kinds == {"IntSlider", "FloatSlider", "SelectionSlider", "Checkbox"}


def test_widget_is_one_output_with_the_static_figure_for_those_without_widgets(shell):
    widget = make_widget()
    (output,) = shown(shell, widget)
    view = output.data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == widget.box.model_id
    assert output.data["image/png"] == plots.to_png(widget.fallback)
    words = plots.alt_text(widget.fallback)
    assert output.metadata == {"image/png": {"alt": words}}
    assert output.data["text/plain"] == f"Figure: {words}"
    page = output.data["text/html"]
    assert f'<img alt="{words}"' in page and page.endswith(f"<p>{words}</p></details>")


def test_an_error_of_the_first_drawing_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        plots.interactive(lambda a: 1 / 0, a=(0, 1))
