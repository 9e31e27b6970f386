"""What a function costs: AWS Lambda pricing, computed another way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute import lambda_cost as model
from kit.lab import meter


def test_prices_are_those_of_the_one_table():
    items = meter.prices()["items"]
    assert model.REQUEST == pytest.approx(items["lambda:request"]["price"]) and model.FREE_REQUESTS == items["lambda:request"]["free"]
    assert model.GB_SECOND == pytest.approx(items["lambda:gb-second"]["price"]) and model.FREE_GB_SECONDS == items["lambda:gb-second"]["free"]


def test_an_example_by_hand():
    """3 million requests of 120 ms at 1,536 MB: 540,000 GB-seconds, of which 400,000 are free, and 2 million paid requests."""
    assert model.month(3e6, 0.120, 1536) == pytest.approx(140_000 * 0.0000166667 + 2 * 0.20)
    assert model.month(3e6, 0.120, 1536, free=False) == pytest.approx(540_000 * 0.0000166667 + 3 * 0.20)


def test_the_pricing_pages_example():
    """"AWS Lambda Pricing": 512 MB, 3 million times, 1 second each: $18.34 + $0.40 (with the GB-second rounded to $0.00001667)."""
    assert model.month(3e6, 1.0, 512) == pytest.approx(18.74, abs=0.011)


def test_nobody_calls_nobody_pays_unless_something_is_provisioned():
    assert model.month(0, 1, 10_240) == 0 < model.month(0, 1, 128, provisioned=1)


def test_a_part_of_a_millisecond_is_billed_as_a_whole():
    assert model.month(1e9, 0.0011, 128) == model.month(1e9, 0.002, 128)


def test_computing_scales_with_memory_up_to_one_vcpu_and_waiting_never():
    """"Configure Lambda function memory": 1,769 MB are one vCPU."""
    assert model.duration(1769, 2.0) == model.duration(3000, 2.0) == 2.0
    assert model.duration(128, 1.0) == pytest.approx(1769 / 128) and model.duration(128, 0, 5) == model.duration(3000, 0, 5)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0, 3), st.floats(0, 3))
def test_more_memory_is_never_slower(computing, waiting):
    table = model.curve(computing, waiting)
    assert table["seconds"] == sorted(table["seconds"], reverse=True)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0.05, 5), st.sampled_from([128, 512, 1024, 3008]), st.floats(3, 200), st.integers(1, 5))
def test_at_the_crossing_both_cost_the_same(seconds, memory, server, servers):
    requests = model.crossing(seconds, memory, server, servers)
    assert model.month(requests, seconds, memory) == pytest.approx(servers * server, rel=1e-6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0.05, 5), st.sampled_from([128, 512, 1024, 3008]), st.floats(3, 200))
def test_the_crossing_is_where_two_lines_meet(seconds, memory, server):
    """Without the free tier both are straight lines: the server's dollars over those of one request."""
    one = model.REQUEST + (int(1000 * seconds - 1e-9) + 1) / 1000 * memory / 1024 * model.GB_SECOND
    assert model.crossing(seconds, memory, server, free=False) == pytest.approx(server / one, rel=1e-6)


def test_the_cheapest_memory():
    """What only waits is cheapest small. What computes costs the same up to a whole vCPU (memory times time is constant), and dearer above."""
    assert model.cheapest(cpu_seconds=0, waiting=1) == 128 and model.cheapest(cpu_seconds=1.5, waiting=0) == 128
    assert model.cheapest(cpu_seconds=1.5, waiting=0.3) == 128  # each MB more pays for more waiting
    assert model.cheapest(cpu_seconds=1.5, waiting=0, slowest=1.5) == model.WHOLE_VCPU
    assert model.cheapest(cpu_seconds=1.0, waiting=0.5, slowest=2.5) == 885  # 1769 MB / 2: half a vCPU takes two seconds
    with pytest.raises(ValueError, match="at best"):
        model.cheapest(cpu_seconds=5, waiting=0, slowest=2)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(st.floats(0.1, 3), st.floats(0.01, 3), st.floats(0.5, 20))
def test_no_memory_of_the_curve_is_cheaper_than_the_cheapest(computing, waiting, slowest):
    if model.duration(model.WHOLE_VCPU, computing, waiting) > slowest:
        computing = slowest = 0.5
        waiting = 0.0
    best = model.cheapest(computing, waiting, slowest)
    table = model.curve(computing, waiting)
    weight = best * model.duration(best, computing, waiting)
    assert model.duration(best, computing, waiting) <= slowest and 128 <= best <= 10_240
    assert all(memory * seconds >= weight - 1e-5 for memory, seconds in zip(table["memory"], table["seconds"]) if seconds <= slowest)
