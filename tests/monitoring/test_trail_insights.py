"""Insights, held to the CloudTrail User Guide: "CloudTrail Insights insightDetails element", "Working with CloudTrail Insights"."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.monitoring.cloudtrail import iam_user, record
from kit.monitoring.trail_insights import BASELINE, STEP, insight_events, simulate, watch

WEEK = BASELINE // STEP


def event(time, name="RunInstances", **more):
    return record({"eventTime": time, "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
                   "userIdentity": iam_user("ana")} | more, int(time))


def test_three_calls_in_five_minutes_are_unusual_where_one_a_week_is_normal():
    """The guide's example: 0.6 a minute over 5 minutes against 0.0000882145 a minute."""
    quiet = [1] + [0] * (WEEK - 1)
    assert watch(quiet + [3])["unusual"][-1] and not watch(quiet + [2])["unusual"][-1]


def test_given_less_than_a_week_then_nothing_is_unusual():
    rows = watch([0] * (WEEK - 1) + [1000])
    assert not any(rows["unusual"]) and rows["baseline"][-1] is None


def test_a_burst_has_a_start_and_an_end_with_its_averages():
    hourly = [event(time) for time in range(1800, BASELINE, 3600)]
    burst = [event(BASELINE + 600 + number * 10) for number in range(60)]  # 6 a minute, for ten minutes
    start, end = insight_events(hourly + burst, 0, BASELINE + 7200)
    assert [one["insightDetails"]["state"] for one in (start, end)] == ["Start", "End"]
    assert start["sharedEventID"] == end["sharedEventID"] and start["eventID"] != end["eventID"]
    assert (start["eventTime"], end["eventTime"]) == ("1970-01-08T00:10:00Z", "1970-01-08T00:20:00Z")
    first, last = (one["insightDetails"]["insightContext"] for one in (start, end))
    assert first["statistics"] == {"baseline": {"average": pytest.approx(168 / 10080)}, "insight": {"average": 6.0},
                                   "insightDuration": 5, "baselineDuration": 10080}
    assert last["statistics"]["insightDuration"] == 10 and last["statistics"]["insight"]["average"] == 6.0
    assert first["attributions"][0]["insight"] == [{"value": "arn:aws:iam::123456789012:user/ana", "average": 6.0}]
    assert first["attributions"][1]["insight"] == [{"value": "null", "average": 6.0}]


def test_given_a_burst_that_goes_on_then_there_is_no_end_yet():
    [start] = insight_events([event(BASELINE + number) for number in range(299)], 0, BASELINE + 300)
    assert start["insightDetails"]["state"] == "Start"


def test_the_call_rate_is_of_calls_that_write_the_error_rate_of_calls_that_fail():
    reads = [event(BASELINE + number, "DescribeInstances", errorCode="AccessDenied") for number in range(50)]
    assert insight_events(reads, 0, BASELINE + 600) == []
    start, end = insight_events(reads, 0, BASELINE + 600, "ApiErrorRateInsight")
    assert start["insightDetails"]["insightType"] == "ApiErrorRateInsight"
    assert start["insightDetails"]["insightContext"]["attributions"][1]["insight"] == [{"value": "AccessDenied", "average": 10.0}]


def test_given_data_events_then_no_insight_on_them():
    calls = [record({"eventTime": BASELINE + n, "eventSource": "s3.amazonaws.com", "eventName": "PutObject", "awsRegion": "us-east-1",
                     "userIdentity": iam_user("ana")}, n) for n in range(100)]
    assert insight_events(calls, 0, BASELINE + 600) == []


def test_another_type_is_refused():
    with pytest.raises(ValueError, match="ApiErrorRateInsight"):
        insight_events([], 0, 1, "Latency")


def test_an_unusual_hour_does_not_become_the_new_normal():
    rows = watch([2] * WEEK + [50] * 12 + [2])
    assert rows["unusual"][-13:] == [True] * 12 + [False] and rows["baseline"][-1] == pytest.approx(2)
    assert watch([2] * WEEK + [50] * 12 + [2] * (WEEK + 20))["baseline"][-1] == pytest.approx(2), "nor does it leave a gap"


def test_the_week_before_is_all_that_counts():
    rows = watch([9] * WEEK + [1] * (WEEK + 1))
    assert rows["baseline"][WEEK] == 9 and rows["baseline"][-1] == pytest.approx(1)


def test_the_simulated_burst_is_found_and_a_quiet_day_has_none():
    rows = simulate()
    hours = [row["time"] / 3600 for row in rows if row["unusual"]]
    assert hours and min(hours) == 8 and max(hours) < 8.5
    assert not any(simulate(burst_rate=0.4)["unusual"])
    assert simulate(seed=3) == simulate(seed=3) != simulate(seed=4)
    with pytest.raises(ValueError, match="0 or more"):
        simulate(rate=-1)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.floats(0, 20), st.integers(0, 1000))
def test_steady_calls_seldom_look_unusual(rate, seed):
    """288 steps a day at a chance of 1e-9 each."""
    assert not any(simulate(rate=rate, burst_rate=rate, seed=seed)["unusual"])
