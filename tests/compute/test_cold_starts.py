"""Environments and requests, held to Little's law and to Erlang's B formula."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.cold_starts import simulate


def erlang_b(load, servers):
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


@pytest.mark.parametrize("rate, duration", [(2.0, 0.5), (20.0, 1.0), (5.0, 4.0)])
def test_concurrency_is_rate_times_duration(rate, duration):
    """"Understanding Lambda function scaling": the formula of the guide, which is Little's law."""
    run = simulate(rate, duration, cold_start=0.0, seconds=5000, seed=2)
    assert run.busy / 5000 == pytest.approx(rate * duration, rel=0.05)


@pytest.mark.parametrize("limit", [2, 5, 10])
def test_refusals_follow_erlang_b(limit):
    """A limited number of servers without a queue: Erlang's B formula, whatever the distribution of the work."""
    run = simulate(rate=5.0, duration=1.0, cold_start=0.0, limit=limit, keep=1e9, seconds=8000, seed=3)
    assert run.throttled / len(run.requests) == pytest.approx(erlang_b(5.0, limit), abs=0.02)


def test_given_rare_requests_then_nearly_each_is_cold():
    """With Poisson arrivals a gap is longer than ``keep`` with probability exp(-rate * keep)."""
    run = simulate(rate=1 / 600, duration=0.1, keep=600, seconds=3_000_000, seed=4)
    assert run.cold / len(run.requests) == pytest.approx(2.718281828 ** -1, abs=0.03)


def test_given_one_at_a_time_then_each_starts_cold_once():
    """With nobody waiting and nothing given up, an environment is started only when all that are there work."""
    run = simulate(rate=5.0, duration=1.0, keep=1e9, seconds=500, seed=6)
    assert run.cold == run.environments == run.most and run.throttled == 0


def test_a_cold_start_is_waited_for_by_its_request_alone():
    run = simulate(rate=2.0, duration=0.4, cold_start=0.8, varies=False, seconds=300)
    assert {round(wait, 9) for wait in run.requests.where(kind="warm")["wait"]} == {0.4}
    assert {round(wait, 9) for wait in run.requests.where(kind="cold")["wait"]} == {1.2}


def test_given_enough_provisioned_then_nobody_waits():
    run = simulate(rate=5, duration=0.5, provisioned=20)
    assert run.cold == run.throttled == 0 and set(run.requests["kind"]) == {"provisioned"}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0.1, 20), st.floats(0.05, 3), st.integers(0, 30), st.integers(0, 10), st.integers(1, 9))
def test_every_request_ends_once_and_the_limit_holds(rate, duration, limit, provisioned, seed):
    run = simulate(rate, duration, limit=limit, provisioned=min(limit, provisioned), seconds=60, seed=seed)
    kinds = run.requests["kind"]
    assert run.most <= limit and kinds.count("cold") == run.cold and kinds.count("throttled") == run.throttled
    assert all(wait > 0 for wait, kind in zip(run.requests["wait"], kinds) if kind != "throttled")
    assert run == simulate(rate, duration, limit=limit, provisioned=min(limit, provisioned), seconds=60, seed=seed)


@pytest.mark.parametrize("wrong", [{"rate": -1}, {"duration": 0}, {"provisioned": 5, "limit": 2}])
def test_nonsense_is_told_in_words(wrong):
    with pytest.raises(ValueError, match="give a rate"):
        simulate(**wrong)
