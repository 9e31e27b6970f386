"""Choosing one target of several: "How Elastic Load Balancing works" (routing algorithm), Automatic Target Weights."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.algorithms import (FLOW_2_TUPLE, FLOW_3_TUPLE, MITIGATION_FLOOR, Flow, anomalous, flow_hash,
                                      least_outstanding_requests, mitigate, power_of_two_choices, random_choice,
                                      round_robin, weighted_random, weighted_round_robin)

FEW = settings(derandomize=True, deadline=None, max_examples=60)
names = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=8, unique=True)


@FEW
@given(names, st.integers(1, 20))
def test_round_robin_gives_each_target_its_turn(targets, rounds):
    """Given n targets, when n * rounds requests come, then each has got exactly ``rounds``."""
    counts = Counter(round_robin(targets, turn) for turn in range(len(targets) * rounds))
    assert set(counts.values()) == {rounds} and set(counts) == set(targets)


@FEW
@given(names, st.data())
def test_least_outstanding_is_never_beaten(targets, data):
    loads = {target: data.draw(st.integers(0, 4)) for target in targets}
    turn = data.draw(st.integers(0, 50))
    assert loads[least_outstanding_requests(targets, loads, turn)] == min(loads.values())


def test_least_outstanding_breaks_ties_in_turn():
    idle = {"a": 0, "b": 0, "c": 0}
    assert [least_outstanding_requests("abc", idle, turn) for turn in range(4)] == ["a", "b", "c", "a"]


def test_weighted_random_follows_the_weights():
    """Given weights 10 and 20, then the second gets twice as many (within four standard errors)."""
    rng, n = Random(3), 9000
    counts = Counter(weighted_random(["a", "b", "c"], {"a": 10, "b": 20, "c": 0}, rng) for _ in range(n))
    error = (n * (1 / 3) * (2 / 3)) ** 0.5
    assert counts["c"] == 0 and abs(counts["a"] - n / 3) < 4 * error


def test_random_choice_and_two_choices_reach_everybody_evenly_when_all_are_idle():
    rng, targets, n = Random(1), list(range(5)), 10_000
    for pick in (lambda: random_choice(targets, rng), lambda: power_of_two_choices(targets, [0] * 5, rng)):
        counts = Counter(pick() for _ in range(n))
        assert all(abs(counts[target] - n / 5) < 4 * (n * 0.16) ** 0.5 for target in targets)


@FEW
@given(st.lists(st.integers(0, 9), min_size=2, max_size=8), st.integers(0, 99), st.integers(2, 4))
def test_of_the_drawn_the_most_loaded_never_wins_alone(loads, seed, choices):
    """Given one target with more requests than any other, then a choice of two or more never takes it."""
    loads[0] = max(loads) + 1
    assert power_of_two_choices(range(len(loads)), loads, Random(seed), choices) != 0


def test_weighted_round_robin_spreads_shares_evenly():
    """Given shares of 1, 1 and 1/2, then in ten turns the third gets two, never two in a row."""
    credits, row = {}, []
    for _ in range(10):
        row.append(weighted_round_robin("abc", {"a": 1.0, "b": 1.0, "c": 0.5}, credits))
    assert Counter(row) == {"a": 4, "b": 4, "c": 2} and "cc" not in "".join(row)


flows = st.builds(Flow, st.sampled_from(["TCP", "UDP"]), st.sampled_from(["198.51.100.1", "198.51.100.2"]),
                  st.integers(1024, 65535), st.just("192.0.2.10"), st.integers(1, 1000),
                  st.none() | st.integers(0, 2**32 - 1))


@FEW
@given(flows, names)
def test_a_flow_always_falls_to_the_same_target(flow, targets):
    assert flow_hash(targets, flow) == flow_hash(list(targets), replace(flow))


def test_connections_of_one_client_can_go_to_different_targets():
    """"What is a Network Load Balancer?": other source ports and sequence numbers, other targets; evenly spread."""
    n, targets = 8000, ["a", "b", "c", "d"]
    by_port = Counter(flow_hash(targets, Flow(source_port=1024 + number)) for number in range(n))
    by_sequence = Counter(flow_hash(targets, Flow(sequence_number=number)) for number in range(n))
    for counts in (by_port, by_sequence):
        assert all(abs(counts[target] - n / 4) < 4 * (n * 3 / 16) ** 0.5 for target in targets)


@pytest.mark.parametrize("fields, change", [(FLOW_3_TUPLE, {"source_port": 5, "destination_port": 6}),
                                            (FLOW_2_TUPLE, {"protocol": "UDP", "source_port": 5})])
def test_a_narrower_flow_ignores_the_rest(fields, change):
    """Gateway Load Balancer, flow stickiness: with the 3- or 2-tuple, ports (and protocol) don't matter."""
    targets = list(range(50))
    one = Flow()
    assert flow_hash(targets, one, fields) == flow_hash(targets, replace(one, **change), fields)
    assert flow_hash(targets, one) != flow_hash(targets, replace(one, **change))


def test_anomaly_detection_needs_three_healthy_targets():
    """"Automatic Target Weights": a minimum of three healthy targets."""
    assert anomalous({"a": 100, "b": 100}, {"a": 0, "b": 90}) == set()
    assert anomalous({"a": 100, "b": 100, "c": 100}, {"a": 0, "b": 90, "c": 1}) == {"b"}


def test_errors_everywhere_are_no_anomaly():
    """Compared with its peers: when all targets fail alike, none stands out."""
    assert anomalous({"a": 100, "b": 100, "c": 100}, {"a": 50, "b": 52, "c": 47}) == set()


def test_mitigation_falls_to_a_floor_and_recovers_gradually():
    weights = {"a": 1.0, "b": 1.0}
    for _ in range(20):
        weights = mitigate(weights, {"b"})
    assert weights == {"a": 1.0, "b": MITIGATION_FLOOR}
    steps = [weights := mitigate(weights, set()) for _ in range(12)]
    path = [step["b"] for step in steps]
    assert path == sorted(path) and path[0] < 0.2 and path[-1] == 1.0
