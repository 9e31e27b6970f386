"""The clock: order, repetition, cancelling, and clear words for what cannot be."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.sim import Clock


def test_things_happen_in_the_order_of_their_time():
    clock, seen = Clock(), []
    clock.at(5, seen.append, "late")
    clock.after(1, seen.append, "early")
    assert clock.run() == 5
    assert seen == ["early", "late"]


def test_things_at_one_time_happen_in_the_order_of_scheduling():
    clock, seen = Clock(), []
    for name in "abc":
        clock.at(1, seen.append, name)
    clock.run()
    assert seen == ["a", "b", "c"]


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_now_is_always_the_time_of_what_happens(times):
    clock, seen = Clock(), []
    for time in times:
        clock.at(time, lambda due: seen.append((due, clock.now)), time)
    clock.run()
    assert seen == [(time, time) for time in sorted(times)]


def test_run_until_stops_exactly_there_and_goes_on_later():
    clock, seen = Clock(), []
    for time in (1, 2, 3):
        clock.at(time, seen.append, time)
    assert clock.run(until=2) == 2 and seen == [1, 2]
    assert clock.run(until=10) == 10 and seen == [1, 2, 3]


def test_every_repeats_until_its_end_without_drift():
    clock, seen = Clock(), []
    clock.every(0.1, lambda: seen.append(clock.now), until=100)
    clock.run()
    assert len(seen) == 1000
    assert seen[-1] == 1000 * 0.1


def test_cancel_takes_a_call_off_the_agenda():
    clock, seen = Clock(), []
    clock.cancel(clock.at(1, seen.append, "cancelled"))
    clock.at(2, seen.append, "kept")
    clock.run()
    assert seen == ["kept"]


def test_cancel_ends_a_repetition_from_outside_and_from_within():
    clock, seen = Clock(), []
    ticket = clock.every(1, lambda: (seen.append(clock.now), clock.cancel(ticket) if len(seen) == 3 else None))
    outside = clock.every(1, seen.append, "never")
    clock.cancel(outside)
    clock.run(until=10)
    assert seen == [1, 2, 3]


def test_cancelling_what_is_over_is_no_error_and_leaves_the_rest_alone():
    clock, seen = Clock(), []
    ticket = clock.at(1, seen.append, 1)
    clock.run()
    clock.cancel(ticket)
    clock.at(2, seen.append, 2)
    clock.run()
    assert seen == [1, 2]


def test_a_hundred_thousand_cancelled_calls_do_not_pile_up():
    clock = Clock()
    for number in range(100_000):
        clock.cancel(clock.at(1e6 + number, print))
    assert len(clock._agenda) < 5000 and len(clock._cancelled) < 5000
    assert clock.run() == 0


def test_each_follows_a_list_of_times():
    clock, seen = Clock(), []
    clock.each([1, 1, 4], lambda: seen.append(clock.now))
    clock.run()
    assert seen == [1, 1, 4]


@pytest.mark.parametrize("act, words", [
    (lambda clock: clock.at(9, print), "it is 10 s"),
    (lambda clock: clock.at(float("nan"), print), "cannot schedule at nan"),
    (lambda clock: clock.after(-1, print), "cannot schedule -1 s from now"),
    (lambda clock: clock.after(float("inf"), print), "0 or more"),
    (lambda clock: clock.every(0, print), "above 0"),
    (lambda clock: clock.run(until=9), "cannot run until 9"),
    (lambda clock: clock.run(until=float("inf")), "cannot run until inf"),
])
def test_what_cannot_be_is_refused_in_words(act, words):
    clock = Clock(start=10)
    with pytest.raises(ValueError, match=words):
        act(clock)


def test_an_endless_repetition_needs_an_end():
    clock = Clock()
    clock.every(1, int)
    with pytest.raises(ValueError, match="endless run.*run\\(until="):
        clock.run()
    assert clock.run(until=5) == 5


def test_a_chain_that_never_ends_is_found_out(monkeypatch):
    monkeypatch.setattr("kit.sim.clock.STRETCH", 1000)
    clock = Clock()

    def again():
        clock.after(1, again)

    again()
    with pytest.raises(ValueError, match="endless run: 10,000 things"):
        clock.run()


def test_time_that_stands_still_is_found_out_even_with_an_end(monkeypatch):
    monkeypatch.setattr("kit.sim.clock.STRETCH", 1000)
    clock = Clock()

    def again():
        clock.after(0, again)

    again()
    with pytest.raises(ValueError, match="time stands still"):
        clock.run(until=10)


def test_the_same_seed_gives_the_same_run():
    def run(seed):
        clock, rng, seen = Clock(), random.Random(seed), []

        def hop():
            seen.append(clock.now)
            if len(seen) < 200:
                clock.after(rng.expovariate(1), hop)

        hop()
        clock.run()
        return seen

    assert run(1) == run(1) != run(2)
