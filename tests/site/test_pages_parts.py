"""What the pages are made of: figures in parts, widgets as scripts, small pictures."""

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.explore import theme
from kit.explore.panel import Panel, figure_reply
from kit.lab.console import Console
from kit.site import picture
from kit.site.panels import Parts, as_script, files

THINGS = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("ab$", max_size=90),
                      lambda of: st.lists(of, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=3), of, max_size=4))


def whole(thing, parts: list):
    """As page.js does it."""
    if isinstance(thing, dict):
        return whole(parts[thing["$"]], parts) if "$" in thing else {name: whole(value, parts) for name, value in thing.items()}
    return [whole(one, parts) for one in thing] if isinstance(thing, list) else thing


@given(st.lists(THINGS, max_size=6))
def test_what_is_put_together_of_parts_is_what_it_was(things):
    parts = Parts()
    told = parts.told({"all": [parts.put(thing) for thing in things + things]})
    assert json.dumps(whole(told["panels"]["all"], told["parts"])) == json.dumps(things + things)


def test_what_two_figures_share_is_there_once_and_what_they_don_t_share_is_no_part():
    axis, parts = list(range(100)), Parts()
    told = parts.told({"one": parts.put({"x": axis, "y": [7.5] * 50}), "two": parts.put({"x": axis, "y": [8.5] * 50})})
    assert told["parts"] == [axis]
    assert told["panels"] == {"one": {"x": {"$": 0}, "y": [7.5] * 50}, "two": {"x": {"$": 0}, "y": [8.5] * 50}}


@pytest.mark.parametrize("widget", (Panel, Console))
def test_the_kit_s_widgets_can_be_made_plain_scripts(widget):
    script = as_script("some", widget._esm)
    assert script.startswith('(globalThis.kitWidgets ??= {})["some"] = (() => {') and "\nreturn { render };" in script


@pytest.mark.parametrize("module", ("import x from 'y';\nexport default { render };", "export const a = 1;\nexport default { a };",
                                    "const render = 1;"))
def test_a_widget_that_imports_or_exports_otherwise_is_refused(module):
    with pytest.raises(ValueError, match="must import nothing"):
        as_script("some", module)


def test_numbers_of_a_picture_have_six_digits():
    figure = theme.figure("Title", "It says.")
    figure.add_scatter(x=[0.1 + 0.2], y=[1234567.891])
    panel = {"widget": "kit.explore.panel:Panel", "recorded": None, "state": {"kind": "figure", "reply": figure_reply(figure)}}
    data = files({"0": panel}).data
    assert '"x":[0.3],"y":[1234570.0]' in data and "0.30000000000000004" not in data


def drawn(**layout):
    figure = theme.figure("Title", 'It says "a < b".', **layout)
    return figure, lambda: picture.draw(json.loads(figure_reply(figure)["figure"]), 'It says "a < b".')


def test_a_picture_of_lines_has_its_sentence_its_dashes_and_stays_within():
    figure, draw = drawn()
    figure.add_scatter(x=[0, 5, 10], y=[0, 50, 100], **theme.style(0)["line"])
    figure.add_scatter(x=[0, 5, 10], y=[100, 50, None], **theme.style(1)["line"])
    svg = ElementTree.fromstring(draw().svg)
    assert svg.get("aria-label") == 'It says "a < b".' and svg.get("role") == "img"
    first, second = svg.findall("polyline")
    assert first.get("stroke") == theme.BLUE and first.get("stroke-dasharray") is None and second.get("stroke-dasharray")
    places = [tuple(map(float, place.split(","))) for place in first.get("points").split()]
    assert places[0] == (8, 142) and [x for x, _ in places] == [8, 160, 312] and 8 <= places[-1][1] < 20
    assert len(second.get("points").split()) == 2


def test_bars_stand_on_the_axis_and_words_side_by_side():
    figure, draw = drawn()
    figure.add_bar(x=["a", "b", "c"], y=[1, 1, 2])
    bars = ElementTree.fromstring(draw().svg).findall("rect")
    assert [float(bar.get("y")) + float(bar.get("height")) for bar in bars] == [142] * 3
    assert float(bars[2].get("height")) == pytest.approx(2 * float(bars[0].get("height")), abs=0.2)


def test_a_logarithmic_axis_is_one_and_takes_no_zero():
    figure, draw = drawn(xaxis_type="log")
    figure.add_scatter(x=[0, 1, 10, 100], y=[1, 1, 1, 1], mode="markers")
    points = ElementTree.fromstring(draw().svg).findall("circle")
    assert [float(point.get("cx")) for point in points] == [8, 160, 312]


def test_no_two_lessons_have_the_same_picture():
    def panel(height):
        figure = theme.figure(f"Up to {height}", "It says.")
        figure.add_scatter(x=list(range(30)), y=[height * x * x for x in range(30)] + [height], mode="lines")
        return {"state": {"kind": "explorer", "reply": figure_reply(figure)}}

    other = {"state": {"kind": "steps"}}
    chosen = picture.choose([{"0": panel(1)}, {"0": other, "1": panel(1), "2": panel(2)}, {"0": other}])
    assert [one and one.title for one in chosen] == ["Up to 1", "Up to 2", None]
