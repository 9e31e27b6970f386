"""The kit's one widget: a few lines of JavaScript draw controls, figures and text; Python answers.

The plotly library (4.8 MB) travels to the page once a kernel, compressed, in a carrier widget of its own;
every figure on the page waits for it and shares it. plotly's FigureWidget would send it with each figure.
"""

import gzip
from functools import cache
from pathlib import Path

import anywidget
import plotly
import plotly.io
import traitlets
from IPython import get_ipython

_HERE = Path(__file__).parent


@cache
def _library() -> bytes:
    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return gzip.compress(source.read_bytes(), compresslevel=6, mtime=0)


class Carrier(anywidget.AnyWidget):
    """Brings plotly.js to the page; it is never shown."""

    _esm = (_HERE / "carrier.js").read_text()
    library = traitlets.Bytes().tag(sync=True)


class Panel(anywidget.AnyWidget):
    """What panel.js draws. ``kind`` says how, ``spec`` what; ``request`` comes from the page, ``reply`` goes there."""

    _esm = (_HERE / "panel.js").read_text()
    _css = (_HERE / "panel.css").read_text()
    kind = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    request = traitlets.Dict().tag(sync=True, echo_update=False)  # an echo is a message more to wait for
    reply = traitlets.Dict().tag(sync=True)
    carrier = None  # one a kernel; a class attribute

    def __init__(self, kind: str, text: str = "", **traits):
        self.text = text  # the text twin: what the panel shows, in a sentence
        if kind in ("figure", "explorer") and (Panel.carrier is None or Panel.carrier.comm is None):
            Panel.carrier = Carrier(library=_library())
        super().__init__(kind=kind, **traits)

    def __repr__(self) -> str:
        return self.text


def in_words(error: BaseException) -> str:
    """What an error says; its name, if it says nothing or cannot."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # an error that fails at its own words
        return type(error).__name__


def figure_reply(figure) -> dict:
    """A plotly figure as panel.js takes it: plotly's own JSON, and the sentence that goes with it."""
    meta = figure.layout.meta or {}
    if "says" not in meta:
        raise ValueError("this figure has no sentence that says what it shows: make it with "
                         "kit.explore.theme.figure(title, says, ...)")
    return {"figure": plotly.io.to_json(figure, validate=False), "says": meta["says"]}


class _InPanel(plotly.io.base_renderers.MimetypeRenderer):
    """Shows a still figure through the same widget, so that one library serves all."""

    def to_mimebundle(self, fig_dict):
        says = (fig_dict["layout"].get("meta") or {}).get("says", "A figure.")
        reply = {"figure": plotly.io.to_json(fig_dict, validate=False), "says": says}
        return Panel("figure", text=says, reply=reply)._repr_mimebundle_()[0]


def show_figures_in_notebooks() -> None:
    """In a notebook, a figure that ends a cell is drawn by the kit's widget (elsewhere plotly decides)."""
    if get_ipython() is not None:
        plotly.io.renderers["kit"] = _InPanel()
        plotly.io.renderers.default = "kit"
