"""A small still of a figure for the landing page: its lines, points and bars as SVG, without a browser.

**Simplified** Only what the kit's views draw: scatter and bar traces. The axes have no numbers; the sentence that goes
with the figure has.
"""

import json
from dataclasses import dataclass
from html import escape
from math import isfinite, log10

from kit.explore.theme import COLOURS, DASHES

WIDTH, HEIGHT, EDGE = 320, 150, 8  # of the drawing, in its own units
MANY = 20  # points of a line that has a shape to look at
MOST = 200  # points of a trace: a card has no more pixels
STROKES = dict(zip(DASHES, ("", "7 4", "2 4", "7 3 2 3", "11 4", "11 3 2 3")))


@dataclass(frozen=True)
class Picture:
    """svg: the drawing, with the figure's own sentence for those who don't see it; title: the figure's finding."""

    svg: str
    title: str


def choose(lessons: list[dict[str, dict]]) -> list[Picture | None]:
    """A picture for each lesson (given by its panels), none of them twice; None for a lesson without figures.

    Of its figures the first that moves and has a line worth looking at; or else the first that there is.
    """
    chosen = []
    for panels in lessons:
        drawn = [draw(*one) for one in sorted(_figures(panels), key=lambda one: not _has_line(one[0]))]
        chosen.append(next((one for one in drawn if one not in chosen), None))
    return chosen


def _figures(panels: dict[str, dict]) -> list[tuple[dict, str]]:
    """(figure, its sentence) of all explorers, then of all still figures."""
    replies = [panel["state"]["reply"] for kind in ("explorer", "figure") for panel in panels.values()
               if panel["state"].get("kind") == kind]
    return [(json.loads(reply["figure"]), reply["says"]) for reply in replies]


def _has_line(figure: dict) -> bool:
    return any(_is_line(trace) and len(trace["x"]) >= MANY for trace in figure["data"])


def draw(figure: dict, says: str) -> Picture:
    """A figure (plotly's data and layout) as a small picture. Log axes are log, a second y axis has its own scale."""
    traces = [trace for trace in figure["data"] if trace.get("type", "scatter") in ("scatter", "bar") and trace.get("x")]
    across = _Scale(figure, traces, "x", EDGE, WIDTH - EDGE)
    shapes = []
    for number, trace in enumerate(traces):
        beside = [one for one in traces if one.get("yaxis", "y") == trace.get("yaxis", "y")]
        up = _Scale(figure, beside, "y", HEIGHT - EDGE, EDGE)
        points = [(round(across(x), 1), round(up(y), 1)) for x, y in zip(trace["x"], trace["y"])
                  if across.takes(x) and up.takes(y)]
        points = points[::-(-len(points) // MOST) or 1]
        shapes += _shapes(trace, COLOURS[number % len(COLOURS)], points, up.start, across.gap)
    axes = f'<path class="axes" d="M{EDGE} {EDGE / 2:g}V{HEIGHT - EDGE}H{WIDTH - EDGE / 2:g}"/>'
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(says)}">{axes}{"".join(shapes)}</svg>'
    return Picture(svg, figure["layout"].get("title", {}).get("text", ""))


def _is_line(trace: dict) -> bool:
    return trace.get("type", "scatter") == "scatter" and "lines" in (trace.get("mode") or "lines")


def _shapes(trace: dict, otherwise: str, points: list[tuple[float, float]], floor: float, gap: float) -> list[str]:
    """A trace in SVG. floor: where bars stand; gap: between neighbours, for their width."""
    line, marker = trace.get("line") or {}, trace.get("marker") or {}
    colour = next((c for c in (line.get("color"), marker.get("color"), otherwise) if isinstance(c, str)))
    if trace.get("type") == "bar":
        wide = min(0.6 * gap, 48)
        return [f'<rect x="{x - wide / 2:.1f}" y="{min(y, floor):.1f}" width="{wide:.1f}" height="{abs(floor - y):.1f}" '
                f'fill="{colour}"/>' for x, y in points]
    if _is_line(trace):
        if line.get("shape") == "hv":
            points = points[:1] + [corner for (_, before), (x, y) in zip(points, points[1:]) for corner in ((x, before), (x, y))]
        dash = STROKES.get(line.get("dash"), "")
        return [f'<polyline points="{" ".join(f"{x:g},{y:g}" for x, y in points)}" stroke="{colour}"'
                + (f' stroke-dasharray="{dash}"' if dash else "") + "/>"]
    return [f'<circle cx="{x:g}" cy="{y:g}" r="2.5" fill="{colour}"/>' for x, y in points]


class _Scale:
    """From a value to a place between start and end. Words stand side by side, in the order they come."""

    def __init__(self, figure: dict, traces: list[dict], letter: str, start: float, end: float):
        axis = figure["layout"].get(f"{letter}axis", {})
        seen = [value for trace in traces for value in trace[letter]]
        self.words = list(dict.fromkeys(value for value in seen if isinstance(value, str)))
        self.log = axis.get("type") == "log"
        numbers = sorted({self._number(value) for value in seen if self.takes(value)}) or [0]
        bars = any(trace.get("type") == "bar" for trace in traces)
        low, high = numbers[0], numbers[-1]
        if letter == "y" and not self.log and not self.words:
            low, high = min(low, 0), high * 1.05
        if letter == "x" and (bars or self.words):
            low, high = low - 0.5, high + 0.5
        self.low, self.span, self.start, self.end = low, (high - low) or 1, start, end
        steps = [after - before for before, after in zip(numbers, numbers[1:])]
        self.gap = abs(end - start) * min(steps, default=1) / self.span

    def takes(self, value) -> bool:
        return isinstance(value, str) or (isinstance(value, (int, float)) and isfinite(value) and (value > 0 or not self.log))

    def __call__(self, value) -> float:
        return self.start + (self._number(value) - self.low) / self.span * (self.end - self.start)

    def _number(self, value) -> float:
        return self.words.index(value) if isinstance(value, str) else log10(value) if self.log else value
