"""source(): a model's real code in the notebook, never a pasted copy."""

import inspect
import textwrap
from html import escape
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_ROOT = Path(__file__).parents[2]
_COLOURS = {"k": "keyword", "ow": "keyword", "s": "string", "c": "comment", "m": "number", "o": "operator",
            "nf": "def", "nc": "def", "nd": "meta", "nb": "builtin"}  # Pygments' classes, JupyterLab's editor colours
_CSS = "div.kit-source pre{white-space:pre!important;overflow-x:auto;word-break:normal;line-height:1.35}" + "".join(
    f'.kit-source [class^="{kind}"]{{color:var(--jp-mirror-editor-{colour}-color)}}'
    for kind, colour in _COLOURS.items())


def source(thing) -> "Source":
    """The code of a function, class, method or module, highlighted, with the place where it stands."""
    try:
        lines, first = inspect.getsourcelines(thing)
        path = Path(inspect.getsourcefile(thing))
    except (TypeError, OSError):
        raise ValueError(f"no source to show for {thing!r}: give a function, a class or a module of the kit") from None
    shown = path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else path.name
    return Source(textwrap.dedent("".join(lines)).rstrip(), f"{shown}, line {max(first, 1)}")


class Source:
    """Code to read: coloured in a notebook in the colours of its theme, plain elsewhere."""

    def __init__(self, code: str, place: str):
        self.code, self.place = code, place

    def __repr__(self) -> str:
        return f"# {self.place}\n{self.code}"

    def _repr_html_(self) -> str:
        code = highlight(self.code, PythonLexer(), HtmlFormatter(nowrap=True))
        return (f'<style>{_CSS}</style><div class="kit-source"><p><code>{escape(self.place)}</code></p>'
                f'<pre tabindex="0">{code}</pre></div>')
