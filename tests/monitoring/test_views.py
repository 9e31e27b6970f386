"""Figures of the monitoring lesson."""

from datetime import datetime

from kit.monitoring import views


def test_given_one_value_then_a_widget_shows_it_as_a_point_on_an_axis_with_a_width():
    fig = views.widget("Latency", [{"Label": "p90", "Timestamps": [datetime(2026, 1, 5, 2, 8)], "Values": [0.9]}])
    assert fig.data[0].mode == "markers" and tuple(fig.layout.xaxis.range) == ("2026-01-05 01:38", "2026-01-05 02:38")
    assert fig.layout.meta["says"] == "Latency. p90: 0.9 to 0.9."


def test_given_several_values_then_a_widget_draws_a_line():
    times = [datetime(2026, 1, 5, 2, minute) for minute in (8, 9)]
    fig = views.widget("Latency", [{"Label": "p90", "Timestamps": times, "Values": [0.9, 1.2]}])
    assert fig.data[0].mode == "lines" and list(fig.data[0].y) == [0.9, 1.2]
