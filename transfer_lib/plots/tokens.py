"""What a tokeniser makes of a sentence: a table, and a field to type one's own into."""

import html


def token_table(tokenizer, sentence):
    """Return an HTML table of the pieces of a sentence, with their numbers below."""
    ids = tokenizer(sentence, truncation=True, max_length=64)["input_ids"]
    pieces = tokenizer.convert_ids_to_tokens(ids)
    cells = "".join(
        f'<td style="text-align:center;border:1px solid #888;padding:.2em .5em">'
        f"<strong>{html.escape(piece)}</strong><br>{number}</td>"
        for piece, number in zip(pieces, ids, strict=True)
    )
    unknown = sum(piece == tokenizer.unk_token for piece in pieces)
    words = f"{len(ids)} tokens, {unknown} of them unknown. Above: the piece; below: its number."
    table = f"<table><tr>{cells}</tr></table>"
    return f'<div style="overflow-x:auto">{table}</div><p role="status">{words}</p>'


def token_widget(tokenizer, sentence):
    """Show a field for a sentence with the table of its tokens, anew after each Enter.

    Where widgets do not run, the table of the given sentence is shown.
    """
    import ipywidgets as widgets

    from transfer_lib.show import show_widget

    entry = widgets.Text(value=sentence, description="Sentence", continuous_update=False)
    entry.layout.width = "40em"
    shown = widgets.HTML(token_table(tokenizer, sentence))

    def retokenise(change):
        shown.value = token_table(tokenizer, change["new"])

    entry.observe(retokenise, names="value")
    fallback = " ".join(tokenizer.tokenize(sentence))
    show_widget(widgets.VBox([entry, shown]), fallback, token_table(tokenizer, sentence))
