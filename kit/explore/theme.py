"""One look for all figures: a colour-blind-safe palette that reads on white and on black.

The colours are Okabe and Ito's, the pale ones darkened, so that each keeps a contrast of at least 3:1 on
JupyterLab's light and dark backgrounds (WCAG 2.2, 1.4.11). Colour is never the only cue: give each trace its
own dash (lines), symbol (points) or pattern (bars) too; ``style(n)`` has all of them.
Backgrounds are transparent; the page gives text and grid the colours of its theme.
"""

import plotly.graph_objects as go

BLUE, ORANGE, GREEN, PINK, AMBER, GREY = "#2C7FB8", "#D55E00", "#0B9A72", "#C0649B", "#B07D00", "#808080"
COLOURS = (BLUE, ORANGE, GREEN, PINK, AMBER, GREY)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "x", "square", "diamond", "triangle-up", "cross")
PATTERNS = ("", "/", ".", "x", "-", "|")

HEIGHT = 360  # pixels of a figure
_AXIS = dict(showgrid=True, zeroline=False, automargin=True, title=dict(standoff=8), ticks="outside")

TEMPLATE = go.layout.Template(layout=dict(
    colorway=COLOURS, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", height=HEIGHT,
    margin=dict(l=56, r=16, t=12, b=44), hovermode="closest", xaxis=_AXIS, yaxis=_AXIS,
    legend=dict(orientation="h", x=0, y=-0.22, yanchor="top"), bargap=0.25))


def figure(title: str, says: str, x: str = "", y: str = "", **layout) -> go.Figure:
    """An empty figure in the kit's look.

    title: the finding or the question; says: one sentence that tells what the picture shows, to those who
    don't see it too; x, y: axis titles with their units; layout: anything else of plotly's layout.
    """
    return go.Figure(layout=dict(template=TEMPLATE, title_text=title, xaxis_title_text=x, yaxis_title_text=y,
                                 meta={"says": says}) | layout)


def rule(x: float | None = None, y: float | None = None) -> dict:
    """A dotted grey line across the whole picture, at x or at y, for ``shapes`` (plotly's own add_vline takes 5 ms each)."""
    place = {"x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper"} if y is None else {"x0": 0, "x1": 1, "xref": "paper", "y0": y, "y1": y}
    return {"type": "line", "line": {"width": 1, "dash": "dot", "color": GREY}} | place


def counted(number: float, thing: str, digits: str = ",") -> str:
    """A number with its noun: 1 message, 2 messages, 0 messages. digits: how to write the number."""
    return f"{number:{digits}} {thing}{'' if number == 1 else 's'}"


def style(number: int) -> dict:
    """Line, marker and fill of the n-th trace: ``fig.add_scatter(..., **style(0)["line"])`` and so on."""
    n = number % len(COLOURS)
    return {"line": {"mode": "lines", "line": {"color": COLOURS[n], "dash": DASHES[n], "width": 2}},
            "points": {"mode": "markers", "marker": {"color": COLOURS[n], "symbol": SYMBOLS[n], "size": 7}},
            "bars": {"marker": {"color": COLOURS[n], "pattern": {"shape": PATTERNS[n]}}}}
