"""Arrivals: their rates are what they say, they rise, they end."""

import random
from math import cos, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.sim import burst, constant, diurnal, poisson, trace


def near(count, mean):
    """A Poisson count lies within 5 standard deviations of its mean."""
    return abs(count - mean) <= 5 * sqrt(mean)


def test_constant_is_evenly_spaced():
    assert list(constant(2, until=2)) == [0.5, 1.0, 1.5]
    assert list(constant(0, until=2)) == []


@given(st.floats(0.1, 50), st.integers(0, 10_000))
def test_poisson_has_its_rate_and_rises(rate, seed):
    times = list(poisson(rate, random.Random(seed), until=200))
    assert times == sorted(times) and all(0 < time < 200 for time in times)
    assert near(len(times), rate * 200)


def test_poisson_gaps_vary_as_much_as_they_last():
    times = list(poisson(10, random.Random(3), until=5000))
    gaps = [b - a for a, b in zip(times, times[1:])]
    mean = sum(gaps) / len(gaps)
    deviation = sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert deviation == pytest.approx(mean, rel=0.03)  # the mark of the exponential distribution


def test_a_day_is_busiest_at_its_peak():
    day = list(diurnal(2, random.Random(1), until=86_400, swing=0.9))
    by_hour = [sum(hour * 3600 <= time < (hour + 1) * 3600 for time in day) for hour in range(24)]
    expected = [7200 * (1 + 0.9 * cos(2 * pi * ((hour + 0.5) / 24 - 0.5))) for hour in range(24)]
    assert all(near(count, mean) for count, mean in zip(by_hour, expected))
    assert near(len(day), 2 * 86_400)


def test_a_burst_is_a_burst():
    times = list(burst(1, random.Random(1), until=300, burst_rate=50, burst_at=100, burst_length=100))
    inside = [time for time in times if 100 <= time < 200]
    assert near(len(inside), 5000) and near(len(times) - len(inside), 200)
    assert times == sorted(times)


def test_a_burst_may_reach_over_either_end():
    times = list(burst(1, random.Random(1), until=50, start=10, burst_rate=9, burst_at=0, burst_length=100))
    assert near(len(times), 360) and 10 < min(times) and max(times) < 50


def test_trace_is_replayed_and_must_rise():
    assert list(trace([1, 2, 2])) == [1, 2, 2]
    with pytest.raises(ValueError, match="goes back in time: 1 s comes after 2 s"):
        list(trace([2, 1]))


@pytest.mark.parametrize("make, words", [
    (lambda: constant(-1, 10), "rate of -1"),
    (lambda: poisson(-0.1, random.Random(1), 10), "give 0 or more"),
    (lambda: poisson(1, random.Random(1), float("inf")), "never end"),
    (lambda: diurnal(1, random.Random(1), 10, swing=2), "swing of 2"),
    (lambda: burst(1, random.Random(1), 10, burst_rate=-4), "rate of -4"),
])
def test_nonsense_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        list(make())


def test_the_same_seed_gives_the_same_arrivals():
    assert list(poisson(5, random.Random(7), 50)) == list(poisson(5, random.Random(7), 50))
