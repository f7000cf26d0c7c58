"""An upload button that hands one picture to a function."""

import html

from .files import EXPECTED, MAX_BYTES, PictureError, read_picture

# Jupyter's web socket closes, without a word, on messages over 10 MiB; `make lab`
# raises that, so that a file over MAX_BYTES is answered.
BUTTON_BYTES = 7_000_000


def upload_button(show, description="Choose a picture"):
    """Show a button that hands a picture from the reader's machine to `show`.

    The Tab key reaches it and the space bar opens the file dialogue. The picture goes to the
    kernel and nowhere else.

    Parameters
    ----------
    show : callable
        Called as ``show(name, pixels)``: the file's name, and what `read_picture` returns. What
        it prints, displays or raises appears below the button.
    description : str
        What the button says.
    """
    import ipywidgets as widgets

    from ..show import show_widget

    button = widgets.FileUpload(accept="image/*", description=description)
    button.layout.width = "18em"
    if button.has_trait("tooltip"):  # ipywidgets 8; its own default reads "null"
        button.tooltip = EXPECTED
    limit = widgets.HTML(
        f"<small>{EXPECTED}, up to {BUTTON_BYTES / 1e6:g} MB, with <code>make lab</code> "
        f"{MAX_BYTES / 1e6:g}. If no answer comes, the front end took no such big file: copy "
        "it beside the notebook and call <code>images.read_picture('my.jpg')</code>.</small>"
    )
    message, output = widgets.HTML(), widgets.Output()

    def update(change):
        for name, content in _uploaded(change["new"])[-1:]:
            message.value = ""
            output.outputs = ()
            try:
                pixels = read_picture(content, name)
            except PictureError as error:
                message.value = f'<p role="alert">{html.escape(str(error))}</p>'
            else:
                with output:  # shows what it prints, displays and raises
                    show(name, pixels)
            if isinstance(button.value, tuple):  # ipywidgets 7 does not let it be set
                button.value = ()  # no copy of the picture stays in the widget's state

    button.observe(update, names="value")
    show_widget(
        widgets.VBox([button, limit, message, output]),
        f"[{description}: this button needs a running notebook. Without it: "
        "images.read_picture('my.jpg')]",
    )


def _uploaded(value):
    """Return names and contents from the value of a FileUpload, of ipywidgets 7 or 8."""
    if isinstance(value, dict):
        return [(name, bytes(item["content"])) for name, item in value.items()]
    return [(item["name"], bytes(item["content"])) for item in value]
