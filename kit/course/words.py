"""Words for the learner: HTML in a notebook, plain text elsewhere."""

from html import escape

from kit.course.limits import notebook


class Words:
    """Paragraphs that show themselves; the first is the heading."""

    def __init__(self, *paragraphs: str):
        self.paragraphs = [text for text in paragraphs if text]

    def __repr__(self) -> str:
        return "\n".join(self.paragraphs)

    def _repr_html_(self) -> str:
        head, *rest = map(html, self.paragraphs)
        return f"<p><strong>{head}</strong></p>" + "".join(f"<p>{text}</p>" for text in rest)


def say(*paragraphs: str) -> None:
    """Show words below the running cell, or print them."""
    words = Words(*paragraphs)
    if notebook():
        from IPython.display import display
        display(words)
    else:
        print(words)


def html(text: str) -> str:
    """Text as HTML that JupyterLab leaves as it is: two dollar signs are money here, not mathematics."""
    return escape(text).replace("$", "<span>$</span>")
