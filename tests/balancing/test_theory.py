"""Closed forms against values and special cases that are known from elsewhere."""

from math import exp, factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.theory import (erlang_c, mean_time_in_system, mean_wait, queue_tail, round_robin_mean_wait,
                                  single_server_mean_wait)

FEW = settings(derandomize=True, deadline=None, max_examples=60)


def test_erlang_c_by_hand():
    """Two servers, load 1.5: C = 9/14; one server: C is the utilization."""
    assert erlang_c(2, 1.5) == pytest.approx(9 / 14)
    assert erlang_c(1, 0.3) == pytest.approx(0.3)


@FEW
@given(st.integers(1, 30), st.floats(0.05, 0.98))
def test_erlang_c_is_the_textbook_sum(servers, utilization):
    """The recursion against the formula with factorials."""
    load = servers * utilization
    top = load**servers / factorial(servers) / (1 - utilization)
    assert erlang_c(servers, load) == pytest.approx(top / (sum(load**k / factorial(k) for k in range(servers)) + top))


def test_one_queue_beats_separate_queues_at_the_same_utilization():
    """M/M/1 waits 1/(mu - lambda) - 1/mu; pooling servers shortens it."""
    assert mean_wait(0.8, 1) == pytest.approx(1 / (1 - 0.8) - 1)
    assert mean_wait(3.2, 1, 4) < round_robin_mean_wait(3.2, 1, 4) < mean_wait(0.8, 1)


def test_round_robin_with_one_server_is_the_plain_queue():
    assert round_robin_mean_wait(0.7, 1, 1) == pytest.approx(mean_wait(0.7, 1))


def test_round_robin_over_many_servers_comes_near_regular_arrivals():
    """With n large the gaps become constant: D/M/1, where s = exp(-(1 - s) / utilization)."""
    root = 0.0
    for _ in range(500):
        root = exp(-(1 - root) / 0.8)
    assert round_robin_mean_wait(0.8 * 4000, 1, 4000) == pytest.approx(root / (1 - root), rel=2e-3)


def test_pollaczek_khinchine_special_cases():
    """Exponential work is M/M/1, constant work waits half of it."""
    assert single_server_mean_wait(0.8, 1, 2) == pytest.approx(mean_wait(0.8, 1))
    assert single_server_mean_wait(0.8, 1, 1) == pytest.approx(mean_wait(0.8, 1) / 2)


@pytest.mark.parametrize("utilization, two", [(0.5, 1.2657), (0.7, 1.6145), (0.9, 2.6141), (0.99, 5.4320)])
def test_two_choices_as_in_mitzenmachers_table(utilization, two):
    """The published limits for d = 2, mean service time 1."""
    assert mean_time_in_system(utilization, 2) == pytest.approx(two, abs=2e-4)
    assert mean_time_in_system(utilization, 1) == pytest.approx(1 / (1 - utilization))


def test_the_tail_falls_doubly_exponentially():
    assert [queue_tail(0.9, length, 1) for length in range(4)] == pytest.approx([1, 0.9, 0.81, 0.729])
    assert [queue_tail(0.9, length) for length in range(4)] == pytest.approx([1, 0.9, 0.9**3, 0.9**7])
    assert queue_tail(0.9, 3, 3) == pytest.approx(0.9**13)


@pytest.mark.parametrize("call", [lambda: erlang_c(2, 2), lambda: mean_wait(4, 1, 4), lambda: queue_tail(1, 2),
                                  lambda: round_robin_mean_wait(5, 1, 4), lambda: single_server_mean_wait(2, 1, 1)])
def test_too_much_load_is_refused_in_words(call):
    with pytest.raises(ValueError, match="grows for ever"):
        call()
