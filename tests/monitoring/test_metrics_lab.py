"""CloudWatch in the sandbox: metrics are read as CloudWatch reads them, alarms look at them on the clock and act."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab


@pytest.fixture
def cw(sandbox):
    return sandbox.client("cloudwatch")


ALARM = dict(AlarmName="slow", Namespace="shop", MetricName="latency", Statistic="Average", Period=60, EvaluationPeriods=3,
             DatapointsToAlarm=2, Threshold=1.0, ComparisonOperator="GreaterThanThreshold")


def put(cw, *values, **more):
    cw.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "latency", "Value": value, **more} for value in values])


def state(cw, name="slow"):
    return cw.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def play(sandbox, values):
    """One value a minute (None: no data), and the alarm's state after each."""
    cw, seen = sandbox.client("cloudwatch"), []
    for value in values:
        if value is not None:
            put(cw, value)
        sandbox.clock.advance(minutes=1)
        seen.append(state(cw)[0])
    return "".join(seen)


def test_given_two_of_three_then_one_bad_minute_is_no_alarm(sandbox, cw):
    """"Evaluating an alarm": M out of N."""
    cw.put_metric_alarm(**ALARM)
    assert play(sandbox, [0.5, 2, 0.5, 0.5, 2, 2, 0.5, 0.5]) == "OOOOOAAO"


@pytest.mark.parametrize("treat, expected", [("missing", "AI"), ("ignore", "AA"), ("breaching", "AA"), ("notBreaching", "AO")])
def test_given_silence_then_the_alarm_does_as_it_was_told(sandbox, cw, treat, expected):
    """"Configuring how CloudWatch alarms treat missing data"."""
    cw.put_metric_alarm(**ALARM | {"TreatMissingData": treat})
    seen = play(sandbox, [2, 2, 2, 2] + [None] * 8)
    assert seen[3] + seen[-1] == expected


def test_given_a_percentile_then_it_is_the_percentile_of_the_values(sandbox, cw):
    """"CloudWatch statistics definitions"; moto has none."""
    put(cw, *range(1, 101))
    sandbox.clock.advance(minutes=5)
    found = cw.get_metric_statistics(Namespace="shop", MetricName="latency", Period=300, ExtendedStatistics=["p90", "p50"],
                                     StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date)["Datapoints"][0]["ExtendedStatistics"]
    assert found["p90"] == pytest.approx(90, abs=1) and found["p50"] == pytest.approx(50, abs=1)


def test_given_metric_math_then_it_is_computed(sandbox, cw):
    """"Using metric math"; moto answers nothing."""
    for name, value in (("errors", 5), ("requests", 200)):
        cw.put_metric_data(Namespace="shop", MetricData=[{"MetricName": name, "Value": value}])
    sandbox.clock.advance(minutes=1)
    stat = {name: {"Metric": {"Namespace": "shop", "MetricName": name}, "Period": 60, "Stat": "Sum"} for name in ("errors", "requests")}
    found = cw.get_metric_data(StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date, MetricDataQueries=[
        {"Id": "e", "MetricStat": stat["errors"], "ReturnData": False}, {"Id": "r", "MetricStat": stat["requests"], "ReturnData": False},
        {"Id": "rate", "Expression": "100 * e / r"}])["MetricDataResults"]
    assert found[0]["Values"] == [2.5] and found[0]["Timestamps"] == [sandbox.clock.date_at(0)]


def test_given_old_data_then_only_coarse_periods_have_it(sandbox, cw):
    """"Metrics retention": one-minute data for 15 days, five minutes for 63."""
    put(cw, 7)
    sandbox.clock.advance(days=16)

    def points(period):
        start = sandbox.clock.date_at(0)
        return len(cw.get_metric_statistics(Namespace="shop", MetricName="latency", Period=period, Statistics=["Sum"], StartTime=start,
                                            EndTime=start + timedelta(hours=1))["Datapoints"])
    assert (points(60), points(300)) == (0, 1)


def test_given_a_composite_alarm_then_it_follows_its_rule(sandbox, cw):
    """"Creating a composite alarm"."""
    for name in ("slow", "failing"):
        cw.put_metric_alarm(**ALARM | {"AlarmName": name, "MetricName": name, "EvaluationPeriods": 1, "DatapointsToAlarm": 1})
    cw.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(slow) AND ALARM(failing)")

    def both():
        return cw.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]["StateValue"]
    for name, expected in (("slow", "OK"), ("failing", "ALARM")):
        for other in ("slow", name):
            cw.put_metric_data(Namespace="shop", MetricData=[{"MetricName": other, "Value": 2}])
        sandbox.clock.advance(minutes=1, seconds=1)
        assert both() == expected


def test_given_a_forced_state_then_the_next_look_puts_it_right(sandbox, cw):
    """SetAlarmState: "temporarily sets the state"."""
    cw.put_metric_alarm(**ALARM)
    play(sandbox, [0.5] * 4)
    cw.set_alarm_state(AlarmName="slow", StateValue="ALARM", StateReason="a drill")
    assert state(cw) == "ALARM"
    put(cw, 0.5)
    sandbox.clock.advance(minutes=1)
    assert state(cw) == "OK"
    history = cw.describe_alarm_history(AlarmName="slow")["AlarmHistoryItems"]
    assert [one["HistorySummary"] for one in history][:2] == ["Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM"]


def test_given_actions_switched_off_then_the_state_changes_and_nobody_is_told(sandbox, cw):
    topic = sandbox.client("sns").create_topic(Name="alerts")["TopicArn"]
    cw.put_metric_alarm(**ALARM | {"AlarmActions": [topic]})
    cw.disable_alarm_actions(AlarmNames=["slow"])
    assert "A" in play(sandbox, [2, 2, 2])
    assert not [call for call in sandbox.life.calls if call.operation == "Publish"]
    cw.enable_alarm_actions(AlarmNames=["slow"])
    play(sandbox, [0, 0, 0, 2, 2])
    assert len([call for call in sandbox.life.calls if call.operation == "Publish"]) == 1


def test_given_an_action_that_nobody_takes_then_the_history_says_so(sandbox, cw):
    cw.put_metric_alarm(**ALARM | {"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:nobody"]})
    play(sandbox, [2, 2, 2])
    assert sandbox.history().about("alarm action failed")


@pytest.mark.parametrize("wrong, code", [
    ({"EvaluationPeriods": 0}, "Parameter validation failed"), ({"DatapointsToAlarm": 9}, "Validation"), ({"Period": 7}, "Validation"),
    ({"ComparisonOperator": "Bigger"}, "Validation"), ({"Threshold": None}, "Validation|Invalid|Missing")])
def test_given_a_wrong_alarm_then_it_is_refused(cw, wrong, code):
    given_ = {name: value for name, value in (ALARM | wrong).items() if value is not None}
    with pytest.raises((ClientError, ParamValidationError), match=code):
        cw.put_metric_alarm(**given_)
    assert not cw.describe_alarms()["MetricAlarms"]


def test_given_wrong_data_then_none_of_it_is_taken(sandbox, cw):
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        cw.put_metric_data(Namespace="AWS/Shop", MetricData=[{"MetricName": "x", "Value": 1}])
    assert cw.list_metrics()["Metrics"] == []


@settings(max_examples=15)
@given(st.lists(st.sampled_from([None, 0.5, 2.0]), min_size=1, max_size=14), st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]))
def test_sleeping_changes_no_result(values, treat):
    """An alarm that sleeps while nothing happens ends where one that is looked at each minute does."""
    ends = []
    for awake in (False, True):
        sandbox = lab.start()
        sandbox.reset(seed=1)
        sandbox.client("cloudwatch").put_metric_alarm(**ALARM | {"TreatMissingData": treat})
        if awake:
            sandbox.life.clock.every(60, sandbox.life.state["alarms"].wake_all)
        play(sandbox, values)
        sandbox.clock.advance(hours=3)
        ends.append([(row["at"], row["what"]) for row in sandbox.history()])
        sandbox.reset(seed=1)
    assert ends[0] == ends[1]
