"""Steppers, predictions, sources, figures: what they show and how they refuse."""

import gzip
import re

import plotly.graph_objects as go
import pytest

from kit.explore import explore, predict, source, step_through, theme
from kit.explore.panel import Panel, _InPanel
from kit.sim import Clock, Records

RUN = [{"time": 0.0, "event": "sent a", "visible": ["a"], "in_flight": []},
       {"time": 1.5, "event": "received a", "because": "it was visible", "visible": [], "in_flight": ["a"]}]


def test_a_stepper_shows_events_and_state():
    records = Records("time", "event", "because", "visible", "in_flight")
    for row in RUN:
        records.append(row["time"], row["event"], row.get("because"), row["visible"], row["in_flight"])
    spec = step_through(records, "A message").spec
    assert spec["names"] == ["visible", "in flight"] and spec["title"] == "A message"
    assert spec["steps"][1] == {"time": 1.5, "event": "received a", "because": "it was visible", "state": ["none", "a"]}


def test_a_stepper_has_its_text_twin():
    assert repr(step_through(RUN[:1] * 3, "Life")) == "Life: 3 steps, from “sent a” to “sent a”."


def stepped(**column):
    name, values = next(iter(column.items()))
    rows = [{"time": float(n), "attempt": n, name: value, "left": 3 - n} for n, value in enumerate(values)]
    return step_through(rows).spec


def test_without_events_the_first_column_of_text_tells_what_happened():
    spec = stepped(what_happens=["it fails", "it succeeds"])
    assert [step["event"] for step in spec["steps"]] == ["what happens: it fails", "what happens: it succeeds"]
    assert spec["names"] == ["attempt", "left"]


def test_the_told_line_is_never_empty():
    spec = stepped(size=[4, 5])  # no text at all: the first column that there is
    assert [step["event"] for step in spec["steps"]] == ["attempt: 0", "attempt: 1"] and spec["names"] == ["size", "left"]
    assert stepped(event=["sent", "gone"])["steps"][0]["event"] == "sent"


@pytest.mark.parametrize("run, words", [([], "nothing to step through"), (RUN, "same columns"),
                                        (RUN[:1] * 2001, "2,001 steps are too many")])
def test_a_stepper_refuses_in_words(run, words):
    with pytest.raises(ValueError, match=words):
        step_through(run)


def test_the_answer_is_computed_only_after_the_commitment():
    asked = []
    panel = predict("Twice?", ["yes", "no"], lambda: asked.append(1) or "yes", {"no": "SQS knows only the clock."})
    assert not asked and panel.said is None
    assert panel.commit("no") == "Not so: the model says “yes”. SQS knows only the clock."
    assert asked and panel.right is False
    assert panel.commit("yes") == "Right: yes." and panel.right


def test_a_number_is_right_when_near():
    panel = predict("How deep?", (0, 500), lambda: 60, why="Ten a second, for six seconds.", unit="messages")
    assert panel.commit(65) == "Right: you said 65, the model says 60 messages. Ten a second, for six seconds."
    assert panel.commit(70).startswith("Not quite: you said 70, the model says 60 messages.")


def test_reasons_may_depend_on_what_was_said():
    panel = predict("How deep?", (0, 9), lambda: 6, why=lambda said, answer: f"{answer - said} more.")
    assert panel.commit(2).endswith("4 more.")


def test_the_page_commits_too_and_hears_errors_in_words():
    panel = predict("Twice?", ["yes", "no"], lambda: 1 / 0)
    panel.request = {"serial": 1, "said": "yes"}
    assert panel.reply == {"right": None, "told": "That did not work: division by zero", "serial": 1}
    with pytest.raises(ZeroDivisionError):
        panel.commit("yes")


def leaves():
    raise SystemExit


@pytest.mark.parametrize("answer, said, words", [
    (leaves, 3, "SystemExit"), (lambda: float("nan"), 3, "the model answers nan, which is no number"),
    (lambda: None, 3, "the model answers None"), (lambda: "5", 3, "the model answers '5'"),
    (lambda: 5, float("nan"), "not nan"), (lambda: 5, None, "not None"), (lambda: 5, True, "not True"),
    (lambda: 5, "", "not ''"), (lambda: 5, 10, "give a number of s from 0 to 9, not 10"), (lambda: 5, -1, "not -1")])
def test_whatever_comes_of_a_number_the_page_hears_it_in_words_every_time(answer, said, words):
    panel, heard = predict("How long?", (0, 9), answer, unit="s"), []
    panel.observe(lambda change: heard.append(change["new"]), names="reply")
    for serial in (1, 2):  # the second time says the same, and is heard all the same
        panel.request = {"serial": serial, "said": said}
    assert len(heard) == 2 and all(one["right"] is None and words in one["told"] for one in heard), heard
    assert panel.said is None and panel.right is None


@pytest.mark.parametrize("answer, shown", [(60, "60"), (1753, "1,753"), (174.7213, "175"), (0.083333, "0.0833"),
                                           (1_234_567.8, "1,230,000"), (2.0, "2"), (0, "0")])
def test_an_answer_is_told_with_three_digits_and_a_whole_one_whole(answer, shown):
    assert f"the model says {shown} m." in predict("How far?", (-9, 9e9), lambda: answer, unit="m").commit(1)

@pytest.mark.parametrize("make, words", [
    (lambda: predict("?", ["a", "b"], "a"), "as a function that asks the model"),
    (lambda: predict("?", ["a"], lambda: "a"), "two or more choices"),
    (lambda: predict("?", ["a", "b"], lambda: "a", {"c": "why"}), "no choices"),
    (lambda: predict("?", ["a", "b"], lambda: "a").commit("c"), "none of the choices"),
    (lambda: predict("?", ["a", "b"], lambda: "c").commit("a"), "the model answers 'c'"),
    (lambda: predict("?", (0, 9), lambda: 5, unit="s").commit("many"), "give a number of s"),
])
def test_a_prediction_refuses_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_page_without_a_kernel_says_what_to_run_and_does_not_leave_a_picture_beside_other_settings():
    script, look = str(Panel._esm), str(Panel._css)
    assert "run the first cell, then this one" in script and "run this cell again" not in script
    assert 'classList.add("kit-stale")' in script and ".kit-panel.kit-stale .kit-plot" in look


def test_a_number_is_told_with_its_noun():
    assert [theme.counted(n, "message") for n in (0, 1, 2, 1200)] == ["0 messages", "1 message", "2 messages", "1,200 messages"]
    assert theme.counted(0.5, "hour", "g") == "0.5 hours"


def test_source_shows_the_real_code_and_where_it_stands():
    shown = source(Clock.after)
    assert re.match(r"# kit/sim/clock.py, line \d+\ndef after\(self", repr(shown))
    assert "kit-source" in shown._repr_html_() and "&lt;=" in shown._repr_html_()


def test_source_of_nothing_is_refused_in_words():
    with pytest.raises(ValueError, match="no source to show for 42"):
        source(42)


def test_the_plotly_library_travels_once_whatever_the_number_of_figures():
    def simulate(rate=1):
        return rate

    def view(run):
        return theme.figure("t", "s").add_scatter(y=[run])

    Panel.carrier = None
    panels = [explore(simulate, view, rate=(1, 5)) for _ in range(8)]
    carrier = Panel.carrier
    assert b"plotly.js v" in gzip.decompress(carrier.library)[:200]
    panels.append(Panel("figure", reply={"figure": "{}", "says": ""}))
    assert Panel.carrier is carrier
    assert all(sum(len(str(value)) for value in panel.get_state().values()) < 60_000 for panel in panels)


def test_nothing_is_fetched_from_a_content_network():
    shipped = [Panel._esm, Panel._css]
    assert not re.search(r"https?://|@import|import\(", "".join(map(str, shipped)))


def test_a_still_figure_is_drawn_by_the_same_widget_with_its_sentence():
    fig = theme.figure("Title", "It rises.", x="time (s)").add_scatter(y=[1, 2])
    bundle = _InPanel().to_mimebundle(fig.to_dict())
    assert bundle["text/plain"] == "It rises."
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert _InPanel().to_mimebundle(go.Figure().to_dict())["text/plain"] == "A figure."


def _luminance(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", theme.COLOURS)
@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_every_colour_is_seen_on_white_and_on_black(colour, page):
    """WCAG 2.2, success criterion 1.4.11: at least 3:1 against what is next to it."""
    light, dark = sorted((_luminance(colour), _luminance(page)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_colour_is_never_the_only_cue():
    styles = [theme.style(n) for n in range(6)]
    assert len({s["line"]["line"]["dash"] for s in styles}) == 6
    assert len({s["points"]["marker"]["symbol"] for s in styles}) == 6
    assert len({s["bars"]["marker"]["pattern"]["shape"] for s in styles}) == 6
