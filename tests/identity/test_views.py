"""The pictures of 02_identity say what the run says."""

from itertools import product

import pytest

from kit.identity import leak, playground, views


@pytest.mark.parametrize("setting", list(product(playground.PEOPLE, playground.DEEDS, (True, False))), ids=str)
def test_given_a_decision_the_chain_shows_every_layer_once_and_where_it_stopped(setting):
    run = playground.simulate(*setting)
    fig = views.chain(run)
    shown = [(layer, said) for trace in fig.data for layer, said in zip(trace.y, trace.x)]
    assert shown == list(zip(run.layers["layer"], run.layers["said"]))
    stops = [layer for trace in fig.data for layer, text in zip(trace.y, trace.text) if "stops it here" in text]
    assert stops == ([run.stopped_by] if run.stopped_by else [])
    assert fig.layout.meta["says"] == " ".join(run.decision.because)
    assert fig.layout.title.text.startswith("Allowed" if run.decision.allowed else "Denied")


def test_given_a_leak_both_credentials_are_drawn_and_told():
    run = leak.simulate(noticed_after=10, session_lasts=2, leaked_after=0.5)
    fig = views.leak(run)
    assert [trace.name for trace in fig.data] == ["access key", "role session"]
    assert [sum(trace.y) for trace in fig.data] == [sum(run.attempts["key_works"]), sum(run.attempts["session_works"])]
    assert "10 hours" in fig.layout.meta["says"] and "1.5 hours" in fig.layout.meta["says"]
    assert len({trace.line.dash for trace in fig.data}) == 2


def test_given_an_hour_it_is_told_as_one_hour_and_no_digit_is_lost():
    fig = views.leak(leak.simulate(noticed_after=1, session_lasts=12))
    assert fig.layout.title.text == "The key stays open 1 hour, the session 1 hour"
    fig = views.leak(leak.simulate(noticed_after=24, session_lasts=12, leaked_after=0.5))
    assert "the session works for 11.5 hours" in fig.layout.meta["says"]
