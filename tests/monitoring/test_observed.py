"""A service and an alarm to watch, and their figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.monitoring import anomaly, observed, trail_insights, views


@given(st.floats(0, 0.5), st.integers(1, 50))
def test_statistics_stand_in_their_order(slow, seed):
    table = observed.latencies(slow=slow, requests=40, minutes=5, seed=seed)
    for row in table:
        assert row["p50"] <= row["p95"] <= row["p99"] <= row["Maximum"] and row["Average"] <= row["Maximum"]


def test_the_average_is_what_arithmetic_says():
    table = observed.latencies(slow=0.05, times_slower=10, requests=2000, minutes=3, seed=2)
    assert sum(table["Average"]) / 3 == pytest.approx(0.1 * 1.046 * 1.45, rel=0.08)  # the mean of a lognormal, and of the mixture
    assert "hides" in views.latencies(observed.latencies()).layout.title.text
    assert "same story" in views.latencies(observed.latencies(slow=0)).layout.title.text


def test_more_points_mean_fewer_false_alarms_and_more_delay():
    told = {m: [observed.verdict(observed.alarm_story(m, 5, seed=seed)) for seed in range(1, 11)] for m in (1, 3)}
    assert sum(one["false_alarms"] for one in told[3]) < sum(one["false_alarms"] for one in told[1]) / 5
    assert all(one["delay"] is not None for one in told[3])
    assert sum(one["delay"] for one in told[3]) > sum(one["delay"] or 0 for one in told[1])


@pytest.mark.parametrize("options, title", [({"datapoints": 1}, "cries wolf"), ({"datapoints": 5, "threshold": 140}, "missed"), ({}, "only of it")])
def test_the_title_of_a_night_is_what_happened(options, title):
    assert title in views.alarm_story(observed.alarm_story(**options)).layout.title.text


@pytest.mark.parametrize("options", [{}, {"datapoints": 5, "threshold": 110}, {"noise": 0.0}, {"missing": 0.8}])
def test_a_night_is_drawn_with_its_threshold_and_its_fault_on_an_axis_of_its_own(options):
    story = observed.alarm_story(**options)
    figure = views.alarm_story(story)
    (line,) = [trace for trace in figure.data if trace.name == "threshold"]
    assert set(line.y) == {options.get("threshold", 80.0)} and line.line.dash == "dash"
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == (240, 300) and figure.layout.xaxis.range == (0, 480) and len(figure.data) <= 5


@pytest.mark.parametrize("options, words", [
    ({"datapoints": 5, "threshold": 140}, "0 false alarms. The fault of minute 240 was never noticed."),
    ({"noise": 0.0, "datapoints": 1}, "0 false alarms. The fault of minute 240 was noticed at once."),
    ({"noise": 0.0, "datapoints": 2}, "0 false alarms. The fault of minute 240 was noticed 1 minute after it began."),
    ({"noise": 0.0, "datapoints": 2, "fault_at": 100, "fault_minutes": 9}, "0 false alarms. The fault of minute 100 was noticed 1 minute")])
def test_what_became_of_the_fault_is_said(options, words):
    assert views.alarm_story(observed.alarm_story(**options)).layout.meta["says"].startswith(words)


def test_without_data_the_alarm_says_so():
    story = observed.alarm_story(missing=1.0)
    assert set(story["state"]) == {"INSUFFICIENT_DATA"} and "INSUFFICIENT_DATA" in [trace.name for trace in views.alarm_story(story).data]
    with pytest.raises(ValueError, match="M out of N"):
        observed.alarm_story(6, 5)


def test_bands_and_bursts_are_counted_in_words():
    edges = [None, (0, 10), (0, 10)]
    assert views.band([0, 1, 2], [5, 5, 50], edges).layout.meta["says"] == "1 of 3 values lies outside of their band."
    assert anomaly.band([(0, 1.0)], 2, 10) is None
    run = trail_insights.simulate()
    assert f"In {sum(run['unusual'])} steps" in views.unusual_calls(run).layout.meta["says"]


def test_a_widget_without_data_says_so():
    figure = views.widget("Latency", [{"Label": "p90", "Timestamps": [], "Values": []}])
    assert figure.layout.meta["says"] == "Latency. no data."
