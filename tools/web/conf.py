"""How Sphinx builds the web edition from the folder that ``tools/web_edition.py`` fills."""

project = "Transfer learning: a course in notebooks"
author = "The course's authors"
language = "en"

extensions = ["myst_nb"]
nb_execution_mode = "off"  # the solutions hold their outputs
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

html_theme = "sphinx_book_theme"
html_title = "Transfer learning"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_extra_path = ["_extra"]
html_show_copyright = html_show_sphinx = html_copy_source = False
html_theme_options = {"use_download_button": False, "use_fullscreen_button": False}
mathjax_path = "mathjax/tex-chtml.js"  # served with the pages: no content network is asked
