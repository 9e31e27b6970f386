"""explore(): controls, answers, errors in words, the line of code that repeats the run."""

from types import ModuleType

import pytest

from kit.errors import ServiceError
from kit.explore import explore, theme


def simulate(rate=4.0, consumers=2, kind="standard", poison=False, seed=1):
    if rate > 8:
        raise ValueError("take a rate of 8 or less")
    if kind == "broken":
        raise ServiceError("OverLimit", "too many messages in flight")
    return {"rate": rate, "consumers": consumers, "kind": kind, "poison": poison, "seed": seed}


def view(run):
    fig = theme.figure("Does the fleet keep up?", f"At {run['rate']} a second.", x="time (s)", y="messages")
    fig.add_scatter(x=[0, 1], y=[run["rate"], run["consumers"]], name="depth", **theme.style(0)["line"])
    return fig


def explorer(**changes):
    controls = {"rate": (1.0, 10.0), "consumers": (1, 8), "kind": ["standard", "fifo", "broken"], "poison": False,
                "seed": 7} | changes
    return explore(simulate, view, labels={"rate": "arrivals a second"}, **controls)


def ask(panel, serial, **values):
    """What the page sends when a control moves."""
    panel.request = {"serial": serial, "values": values}
    return panel.reply


def test_each_kind_of_argument_gets_its_control_with_a_label():
    by_name = {control["name"]: control for control in explorer().spec["controls"]}
    assert {name: control["type"] for name, control in by_name.items()} == {
        "rate": "range", "consumers": "range", "kind": "choice", "poison": "tick"}
    assert by_name["rate"]["label"] == "arrivals a second" and by_name["consumers"]["label"] == "consumers"
    assert by_name["rate"]["step"] == 0.1 and by_name["consumers"]["step"] == 1


def test_controls_start_at_the_models_own_defaults_or_in_the_middle():
    assert explorer().values == {"rate": 4.0, "consumers": 2, "kind": "standard", "poison": False}
    assert explorer(consumers=(10, 20)).values["consumers"] == 15


def test_a_start_may_be_said():
    assert explorer(rate=(1.0, 10.0, 0.5, 6.5)).values["rate"] == 6.5


def test_a_move_gives_the_new_figure_the_sentence_and_the_code():
    panel = explorer()
    reply = ask(panel, 1, rate=5.5, kind=1, poison=True)
    assert reply["serial"] == 1 and reply["says"] == panel.text == "At 5.5 a second."
    assert "5.5" in reply["figure"] and "error" not in reply
    assert reply["code"].endswith("simulate(rate=5.5, consumers=2, kind='fifo', poison=True, seed=7)")


def test_the_code_repeats_the_very_run():
    panel = explorer().set(rate=6, consumers=3)
    module = panel.code.split(".")[0]
    again = eval(panel.code, {module: type(module, (), {"simulate": staticmethod(simulate)})})
    assert again == simulate(rate=6.0, consumers=3, kind="standard", poison=False, seed=7)


def test_the_code_names_the_module_as_a_learner_imports_it():
    module = ModuleType("kit.integration.messaging")
    exec("def simulate(rate=4): return {'rate': rate, 'consumers': 1}", module.__dict__)
    assert explore(module.simulate, view, rate=(1, 9)).code == "messaging.simulate(rate=4)"


def test_an_error_of_the_model_is_told_in_words_and_the_next_move_recovers():
    panel = explorer()
    reply = ask(panel, 1, rate=9.0)
    assert reply["error"] == "These settings don't go together: take a rate of 8 or less"
    assert isinstance(panel.error, ValueError)
    reply = ask(panel, 2, rate=8.0)
    assert "error" not in reply and reply["says"] == "At 8.0 a second." and panel.error is None


def test_a_refusal_of_aws_is_told_with_its_code():
    assert ask(explorer(), 1, kind=2)["error"] == "AWS would refuse this. OverLimit: too many messages in flight"


def test_an_unexpected_error_is_not_swallowed():
    panel = explore(simulate, lambda run: view(run) if run["rate"] < 6 else run["missing"], rate=(1.0, 8.0))
    assert "KeyError: 'missing'" in ask(panel, 1, rate=7.0)["error"]
    with pytest.raises(KeyError):
        panel.set(rate=7.5)


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize("error, words", [
    (SystemExit(), "The model failed: SystemExit."), (SystemExit("enough"), "SystemExit: enough."),
    (KeyboardInterrupt(), "was interrupted"), (Speechless(), "The model failed: Speechless."),
    (ZeroDivisionError(), "The model failed: ZeroDivisionError.")])
def test_whatever_a_model_raises_is_answered_in_words_within_the_reply(error, words):
    def fails(rate=2.0):
        if rate > 5:
            raise error
        return simulate(rate)
    panel = explore(fails, view, rate=(1.0, 8.0))
    reply = ask(panel, 1, rate=6.0)
    assert words in reply["error"] and reply["serial"] == 1 and panel.error is error
    assert "error" not in ask(panel, 2, rate=3.0)


@pytest.mark.parametrize("values, words", [
    ({"kind": 3}, "kind: the page sent 3, which is none of its 3 choices"), ({"kind": -1}, "sent -1"),
    ({"kind": None}, "sent None"), ({"kind": 1.0}, "sent 1.0"), ({"kind": True}, "sent True"),
    ({"kind": float("nan")}, "sent nan"), ({"rate": None}, "arrivals a second: give a number from 1.0 to 10.0, not None"),
    ({"rate": float("nan")}, "not nan"), ({"rate": float("inf")}, "not inf"), ({"rate": "7"}, "not '7'"),
    ({"rate": True}, "not True"), ({"rate": [1]}, "not [1]"), ({"poison": None}, "poison: the page sent None"),
    ({"poison": 2}, "neither true nor false"), (None, "the page sent None, which are no settings"), ([1], "no settings")])
def test_a_request_that_makes_no_sense_is_answered_in_words_and_changes_nothing(values, words):
    panel = explorer()
    before = dict(panel.values)
    panel.request = {"serial": 7, "values": values}
    assert panel.reply["serial"] == 7 and words in panel.reply["error"], panel.reply
    assert panel.values == before and panel.reply["values"]["kind"] == 0
    assert "error" not in ask(panel, 8, rate=5.0)


def test_a_number_that_is_none_is_refused_from_code_too():
    panel = explorer()
    with pytest.raises(ValueError, match="give a number from 1 to 8, not nan"):
        panel.set(consumers=float("nan"))
    assert panel.values["consumers"] == 2


def test_a_model_that_fails_at_its_first_settings_fails_the_cell():
    with pytest.raises(ValueError, match="take a rate of 8"):
        explorer(rate=(9.0, 10.0))


def test_timings_of_model_and_view_are_measured():
    timings = explorer().timings
    assert 0 < timings["model"] and 0 < timings["view"]
    assert timings["total"] == pytest.approx(timings["model"] + timings["view"])


def test_values_from_the_page_are_held_within_the_range():
    panel = explorer()
    ask(panel, 1, consumers=99)
    assert panel.values["consumers"] == 8
    ask(panel, 2, consumers=3.0)
    assert panel.values["consumers"] == 3 and isinstance(panel.values["consumers"], int)


@pytest.mark.parametrize("controls, words", [
    ({"speed": (1, 2)}, "takes no speed; it takes rate, consumers"),
    ({"rate": (5, 1)}, "from low to high"),
    ({"rate": (1, 5, 0)}, "a step of 0"),
    ({"rate": (1, 5, 1, 9)}, "a start at 9 lies outside 1 to 5"),
    ({"kind": []}, "a choice among nothing"),
    ({"seed": 4}, "nothing to explore"),
])
def test_controls_that_cannot_be_are_refused_in_words(controls, words):
    with pytest.raises(ValueError, match=words):
        explore(simulate, view, **controls)


def test_labels_need_their_control():
    with pytest.raises(ValueError, match="labels for speed"):
        explore(simulate, view, rate=(1, 5), labels={"speed": "x"})


def test_setting_an_unknown_control_or_choice_is_refused_in_words():
    with pytest.raises(ValueError, match="no control speed"):
        explorer().set(speed=1)
    with pytest.raises(ValueError, match="'lifo' is no choice"):
        explorer().set(kind="lifo")


def test_a_figure_without_its_sentence_is_refused():
    import plotly.graph_objects as go
    with pytest.raises(ValueError, match="no sentence that says what it shows"):
        explore(simulate, lambda run: go.Figure(), rate=(1, 5))


@pytest.mark.parametrize("span, step", [(9.0, 0.1), (1.0, 0.01), (0.5, 0.005), (40.0, 0.5), (100.0, 1.0), (19.0, 0.2)])
def test_steps_are_round(span, step):
    panel = explore(simulate, view, rate=(1.0, 1.0 + span))
    assert panel.spec["controls"][0]["step"] == pytest.approx(step)
