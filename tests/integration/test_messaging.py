"""The fleet: every message ends once, the same seed gives the same run, and theory agrees."""

from math import factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.integration import views
from kit.integration.messaging import fan_out, one_message, simulate


@settings(max_examples=30)
@given(rate=st.integers(0, 8), consumers=st.integers(0, 8), work_time=st.sampled_from([0.2, 1.0, 5.0]),
       visibility_timeout=st.integers(1, 30), crash=st.sampled_from([0, 0.3]), poison=st.sampled_from([0, 0.1]),
       max_receive_count=st.sampled_from([0, 1, 3]), long_poll=st.booleans(), seed=st.integers(0, 99))
def test_every_message_ends_in_exactly_one_place(**settings):
    run = simulate(duration=60, **settings)
    ends = run.messages["end"]
    assert set(ends) <= {"deleted", "queued", "dead"}
    assert run.depth["visible"][-1] + run.depth["in_flight"][-1] == ends.count("queued")
    assert run.depth["dead"][-1] == ends.count("dead")
    for row in run.messages:
        assert row["done"] <= row["received"] and (row["end"] != "deleted" or row["done"] >= 1)
        assert (row["first_done"] is None) == (row["done"] == 0)
    assert sum(run.messages["received"]) <= run.receives


def test_the_same_seed_gives_the_same_run():
    first, second, other = simulate(crash=0.1, seed=5), simulate(crash=0.1, seed=5), simulate(crash=0.1, seed=6)
    assert first.messages == second.messages and first.depth == second.depth and first.messages != other.messages


def test_too_few_fall_behind_and_enough_keep_up():
    assert simulate(rate=4, consumers=3, duration=300).depth["visible"][-1] > 150
    assert simulate(rate=4, consumers=8, duration=300).depth["visible"][-1] < 10


def test_the_mean_wait_is_erlangs():
    """M/M/c with c = 4 and a load of 80 %: Erlang C. Ten runs, within three standard errors of their mean."""
    c, rate, work = 4, 3.2, 1.0
    a = rate * work
    top = a**c / factorial(c) / (1 - a / c)
    wait = top / (sum(a**k / factorial(k) for k in range(c)) + top) / (c / work - rate)
    means = []
    for seed in range(10):
        run = simulate(rate=rate, consumers=c, work_time=work, visibility_timeout=600, duration=1500, seed=seed)
        spent = [done - sent for sent, done in zip(run.messages["sent"], run.messages["first_done"]) if done is not None]
        means.append(sum(spent) / len(spent) - work)
    mean = sum(means) / len(means)
    error = (sum((m - mean) ** 2 for m in means) / (len(means) - 1) / len(means)) ** 0.5
    assert abs(mean - wait) < 3 * error and error < 0.25 * wait


@pytest.mark.parametrize("timeout, twice", [(1, True), (600, False)])
def test_work_is_done_twice_when_it_outlasts_the_timeout(timeout, twice):
    assert bool(simulate(work_time=3.0, consumers=20, visibility_timeout=timeout).duplicates) is twice


def test_a_poison_message_comes_back_until_a_dead_letter_queue_takes_it():
    open_end = simulate(poison=0.05, visibility_timeout=5, duration=300)
    limited = simulate(poison=0.05, visibility_timeout=5, duration=300, max_receive_count=3)
    assert max(open_end.messages["received"]) > 20 and "dead" not in open_end.messages["end"]
    assert max(limited.messages["received"]) == 3 and limited.messages["end"].count("dead") > 20


def test_long_polling_spares_calls():
    short, long = (simulate(rate=0.1, duration=600, long_poll=choice) for choice in (False, True))
    assert long.receives < short.receives / 5 and long.empty_receives < short.empty_receives / 5
    assert long.messages["end"].count("deleted") >= len(long.messages) - 2


@pytest.mark.parametrize("settings, done, dead", [
    ({"work_time": 45, "visibility_timeout": 30}, 2, 0), ({"work_time": 20, "visibility_timeout": 30}, 1, 0),
    ({"work_time": 45, "visibility_timeout": 30, "heartbeat": True}, 1, 0), ({"work_time": 5, "crashes": 2}, 1, 0),
    ({"work_time": 5, "crashes": 5, "max_receive_count": 2}, 0, 1)])
def test_the_life_of_one_message(settings, done, dead):
    steps = one_message(**settings)
    assert steps["work_done"][-1] == done and steps["dead"][-1] == dead
    assert steps["time"] == sorted(steps["time"]) and all(steps["event"])


def test_a_heartbeat_comes_before_the_timeout_ends():
    steps = one_message(work_time=200, visibility_timeout=30, heartbeat=True)
    assert sum("prolongs" in event for event in steps["event"]) == 7 and max(steps["visible"]) == 1


@pytest.mark.parametrize("timeout", [1, 2, 4, 5, 6])
def test_given_a_short_timeout_when_heartbeats_come_then_the_work_still_ends_once(timeout):
    """ChangeMessageVisibility: each heartbeat comes before the end, and time goes on."""
    steps = one_message(work_time=20, visibility_timeout=timeout, heartbeat=True)
    assert steps["work_done"][-1] == 1 and steps["time"] == sorted(steps["time"])
    assert max(steps["visible"]) == 1 and steps["visible"][-1] == 0


def test_given_one_receive_only_when_the_work_outlasts_the_timeout_then_the_message_is_a_dead_letter_all_the_same():
    """Using dead-letter queues in Amazon SQS: maxReceiveCount."""
    steps = one_message(work_time=45, visibility_timeout=30, max_receive_count=1)
    assert (steps["work_done"][-1], steps["dead"][-1], steps["visible"][-1], steps["in_flight"][-1]) == (1, 1, 0, 0)
    assert not any("receives it too" in event for event in steps["event"])


@pytest.mark.parametrize("settings", [{"visibility_timeout": 0}, {"work_time": 0}, {"crashes": -1}])
def test_given_a_life_that_makes_no_sense_then_it_is_refused_in_words(settings):
    with pytest.raises(ValueError):
        one_message(**settings)


def test_given_consumers_that_wait_then_no_receive_is_counted_as_wasted():
    """Long polls that still wait at the end have brought no message a second time."""
    assert "; 0 receives brought a message" in views.received(simulate(rate=0.1, consumers=5)).layout.meta["says"]


def test_fan_out_delivers_what_the_filters_let_pass():
    with_filters, without = fan_out().to_dicts()[-1], fan_out(filters=False).to_dicts()[-1]
    assert with_filters["gifts"] < with_filters["abroad"] < with_filters["everything"] == with_filters["published"]
    assert without["gifts"] == without["abroad"] == without["published"]


@pytest.mark.parametrize("settings", [{"crash": 2}, {"poison": -1}, {"consumers": -1}, {"work_time": 0}, {"rate": -1}])
def test_nonsense_is_refused_in_words(settings):
    with pytest.raises(ValueError):
        simulate(**settings)
