"""The anomaly band: what "Using CloudWatch anomaly detection" (User Guide) says a model takes into account."""

import random
from math import pi, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.monitoring.anomaly import DAY, HOUR, WEEK, band, fit


def history(value, until=2 * WEEK, step=HOUR, noise=0.0, seed=1):
    rng = random.Random(seed)
    return [(time, value(time) + rng.gauss(0, noise)) for time in range(0, until, step)]


def daily(time):
    return 100 + 50 * sin(2 * pi * time / DAY)


def test_the_band_follows_the_hour_of_the_day():
    """"hourly, daily, and weekly patterns": what is normal at noon is an anomaly at night."""
    points = history(daily, noise=2)
    for hour in range(24):
        low, high = band(points, 3, 2 * WEEK + hour * HOUR)
        assert low < daily(hour * HOUR) < high and high - low < 25
    assert band(points, 3, 2 * WEEK + 6 * HOUR)[0] > band(points, 3, 2 * WEEK + 18 * HOUR)[1]


def test_a_weekend_is_no_anomaly():
    value = lambda time: 10.0 if time // DAY % 7 >= 5 else 100.0
    points = history(value, noise=1)
    assert band(points, 3, 2 * WEEK + 5 * DAY)[1] < 20 and band(points, 3, 2 * WEEK)[0] > 80


def test_the_band_follows_a_trend():
    """"trends" upward or downward."""
    points = history(lambda time: daily(time) + time / HOUR, noise=2)
    later = 2 * WEEK + 12 * HOUR
    low, high = fit(points, 2 * WEEK).band(later, 3)
    assert low < daily(later) + later / HOUR < high and high - low < 30
    assert fit(points, 2 * WEEK).slope == pytest.approx(1 / HOUR, rel=0.05)


def test_one_anomaly_is_no_trend():
    points = history(daily, noise=1)
    points[-5] = (points[-5][0], 10_000.0)
    assert abs(fit(points, 2 * WEEK).slope) * DAY < 2


def test_a_flat_metric_has_a_band_that_its_own_value_does_not_leave():
    """"works well with metrics with flat patterns"."""
    low, high = band(history(lambda time: 0.1), 2, 2 * WEEK)
    assert low < 0.1 < high < 0.11


def test_less_than_two_weeks_will_do_but_something_must_be_known():
    """"even if the metric does not have a full two weeks of data"."""
    low, high = band(history(daily, until=2 * DAY + HOUR, step=300), 3, 2 * DAY + 6 * HOUR)
    assert low < daily(6 * HOUR) < high
    assert band([(0, 1.0), (60, 1.0)], 2, 120) is None and band([], 2, 0) is None


def test_what_is_older_than_two_weeks_or_yet_to_come_is_not_learnt():
    """"trains on up to two weeks"."""
    points = history(daily, noise=2)
    strange = [(-HOUR, 1e9), (2 * WEEK, 1e9), (3 * WEEK, 1e9)]
    assert band(points + strange, 2, 2 * WEEK) == band(points, 2, 2 * WEEK)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.floats(0.1, 5), st.floats(0.1, 5), st.integers(0, 200))
def test_a_greater_width_is_a_wider_band_around_the_same_middle(one, other, hours):
    """"A higher value ... produces a thicker band"."""
    points = history(daily, noise=5)
    now = 2 * WEEK - hours * HOUR
    (low, high), (lower, higher) = band(points, one, now), band(points, one + other, now)
    assert lower < low < high < higher and low + high == pytest.approx(lower + higher)


def test_two_deviations_hold_about_as_many_points_as_they_should():
    """Of normal noise, some 95 in 100 lie within two standard deviations."""
    model = fit(history(daily, noise=10), 2 * WEEK)
    fresh = [(2 * WEEK + time, value) for time, value in history(daily, until=WEEK, noise=10, seed=2)]
    inside = sum(low <= value <= high for time, value in fresh for low, high in [model.band(time, 2)])
    assert 0.80 < inside / len(fresh) < 0.99
