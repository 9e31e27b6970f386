"""Alarms, held to the CloudWatch User Guide ("Using Amazon CloudWatch alarms", "Creating a composite alarm",
"Suppressing composite alarm actions") and the API Reference (PutMetricAlarm, PutCompositeAlarm, SetAlarmState)."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.monitoring.cloudwatch import MISSING, STATES, Alarm, CompositeAlarm, evaluate_alarm, parse_rule
from kit.monitoring.metrics import DAY, MetricStore

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=200)
BUSY = {"AlarmName": "busy", "Namespace": "Shop", "MetricName": "Load", "Statistic": "Average", "Period": 60, "Threshold": 80.0,
        "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 3, "DatapointsToAlarm": 2}
SNS = "arn:aws:sns:eu-central-1:123456789012:"


def told(row, m, n, treat, state):
    """The decision on a row of the guide: 0 not breaching, X breaching, - missing."""
    return evaluate_alarm([{"0": False, "X": True, "-": None}[sign] for sign in row], datapoints_to_alarm=m, evaluation_periods=n,
                          treat_missing_data=treat, state=state)


def refused(act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == "ValidationError"
    return error.value.message


# ---------------------------------------------------------------------- the decision

TABLES = [  # "How alarm state is evaluated when data is missing": the row, M of 3, then missing, ignore, breaching, notBreaching
    ("0-X-X", 3, "OK OK OK OK"), ("0----", 3, "OK OK OK OK"), ("-----", 3, "INSUFFICIENT_DATA keep ALARM OK"),
    ("0XX-X", 3, "ALARM ALARM ALARM ALARM"), ("--X--", 3, "ALARM keep ALARM OK"),
    ("0-X-X", 2, "ALARM ALARM ALARM ALARM"), ("00X0X", 2, "ALARM ALARM ALARM ALARM"), ("0-X--", 2, "OK OK ALARM OK"),
    ("----0", 2, "OK OK ALARM OK"), ("---X-", 2, "ALARM keep ALARM OK"),
    # "Avoiding premature transitions to alarm state": too young to be an alarm yet
    ("----X", 3, "INSUFFICIENT_DATA keep ALARM OK"), ("---X-", 3, "INSUFFICIENT_DATA keep ALARM OK"),
    ("----X", 2, "INSUFFICIENT_DATA keep ALARM OK"), ("---X0", 3, "OK OK OK OK"), ("--X-0", 3, "OK OK OK OK")]


@pytest.mark.parametrize("row, m, states", TABLES)
@pytest.mark.parametrize("state", STATES)
def test_the_tables_of_the_guide(row, m, states, state):
    for treat, expected in zip(("missing", "ignore", "breaching", "notBreaching"), states.split()):
        assert told(row, m, 3, treat, state) == (state if expected == "keep" else expected), treat


rows = st.lists(st.sampled_from("0X-"), min_size=1, max_size=9).map("".join)
cases = st.tuples(rows, st.integers(1, 6), st.integers(1, 6), st.sampled_from(MISSING), st.sampled_from(STATES)).map(
    lambda case: (case[0], min(case[1], case[2]), max(case[1], case[2]), *case[3:]))


@EXAMPLES
@given(cases)
def test_with_enough_real_points_only_the_last_of_them_count(case):
    """"evaluates the alarm state based on the most recent real data points"; the setting "is not needed and is ignored"."""
    row, m, n, treat, state = case
    real = row.replace("-", "")
    if len(real) >= n:
        assert told(row, m, n, treat, state) == ("ALARM" if real[-n:].count("X") >= m else "OK")


@EXAMPLES
@given(cases)
def test_m_breaching_points_alarm_whatever_is_missing(case):
    row, m, n, treat, state = case
    if row.replace("-", "")[-n:].count("X") >= m:
        assert told(row, m, n, treat, state) == "ALARM"


@EXAMPLES
@given(cases)
def test_a_breaching_point_more_never_calms_an_alarm(case):
    """Turning any 0 into X can't turn ALARM into something else."""
    row, m, n, treat, state = case
    if told(row, m, n, treat, state) == "ALARM":
        for place in [place for place, sign in enumerate(row) if sign == "0"]:
            assert told(row[:place] + "X" + row[place + 1:], m, n, treat, state) == "ALARM"


@EXAMPLES
@given(cases)
def test_each_way_to_treat_missing_data_keeps_its_word(case):
    """breaching is at least as alarming as the others, notBreaching at most; only missing asks for data, only ignore remembers."""
    row, m, n, treat, state = case
    by = {how: told(row, m, n, how, state) for how in MISSING}
    assert by["notBreaching"] != "ALARM" or set(by.values()) == {"ALARM"}
    assert by["breaching"] == "ALARM" or "ALARM" not in (by["missing"], by["notBreaching"])
    assert "INSUFFICIENT_DATA" not in (by["breaching"], by["notBreaching"])
    for how in ("missing", "breaching", "notBreaching"):
        assert len({told(row, m, n, how, before) for before in STATES}) == 1
    if "0" in row.replace("-", "")[-n:]:
        assert by["missing"] == by["ignore"] == by["notBreaching"]


def test_misuse_is_said():
    for bad in ({"datapoints_to_alarm": 4}, {"treat_missing_data": "skip"}, {"datapoints_to_alarm": 0}):
        with pytest.raises(ValueError):
            evaluate_alarm([True], **{"datapoints_to_alarm": 1, "evaluation_periods": 3, "treat_missing_data": "missing", "state": "OK"} | bad)


# ---------------------------------------------------------------------- a metric alarm

def watched(values, **more):
    """The states of an alarm, evaluated each minute, over one value a minute (None for none)."""
    store, alarm, transitions = MetricStore(), Alarm(**BUSY | more), []
    for minute, value in enumerate(values):
        if value is not None:
            store.put_metric_data("Shop", [{"MetricName": "Load", "Value": value}], now=minute * 60 + 30)
        transitions.append(alarm.evaluate(store, now=minute * 60 + 60))
    return alarm, transitions


def test_two_of_three_alarm_and_say_why_in_the_words_of_aws():
    alarm, transitions = watched([10, 10, 90, 20, 95, 10, 10])
    assert [t and (t.old, t.new) for t in transitions] == [
        ("INSUFFICIENT_DATA", "OK"), None, None, None, ("OK", "ALARM"), ("ALARM", "OK"), None]
    assert transitions[4].reason == ("Threshold Crossed: 2 out of the last 3 datapoints [95.0 (01/01/70 00:04:00), 90.0 (01/01/70 00:02:00)] "
                                     "were greater than the threshold (80.0) (minimum 2 datapoints for OK -> ALARM transition).")
    assert transitions[4].when == 300 and transitions[4].reason_data["recentDatapoints"] == [90, 20, 95]
    assert "were not greater than the threshold (80.0) (minimum 2 datapoints for ALARM -> OK transition)" in transitions[5].reason
    assert (alarm.state, alarm.since, alarm.reason) == ("OK", 360, transitions[5].reason)


def test_one_point_is_said_in_the_singular():
    _, [transition] = watched([99], EvaluationPeriods=1, DatapointsToAlarm=1)
    assert transition.reason == ("Threshold Crossed: 1 out of the last 1 datapoints [99.0 (01/01/70 00:00:00)] was greater than the threshold "
                                 "(80.0) (minimum 1 datapoint for OK -> ALARM transition).")


def test_the_guides_figure_three_of_three():
    """"Evaluating an alarm": three in a row alarm, a dip ends it, one breach later does nothing."""
    alarm, transitions = watched([1, 2, 4, 5, 4, 2, 1, 2, 4, 2], Threshold=3, DatapointsToAlarm=3)
    assert [(minute, t.new) for minute, t in enumerate(transitions) if t] == [(0, "OK"), (4, "ALARM"), (5, "OK")]


@pytest.mark.parametrize("treat, new, says", [
    ("missing", "INSUFFICIENT_DATA", "Insufficient Data: 3 datapoints were unknown."), ("ignore", None, ""), ("notBreaching", None, ""),
    ("breaching", "ALARM", "no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]")])
def test_when_data_stops_the_alarm_goes_on_over_the_old_points_first(treat, new, says):
    """"alarms might repeatedly re-evaluate the last set of data points for a period of time after the metric has stopped"."""
    _, transitions = watched([10] * 5 + [None] * 8, TreatMissingData=treat)
    assert transitions[4:7] == [None] * 3  # two points that are missing change nothing: older ones stand in
    changes = [t for t in transitions[7:] if t]
    assert [t.new for t in changes] == ([new] if new else []) and all(says in t.reason for t in changes)


def test_reasons_of_missing_data():
    _, [transition] = watched([None], TreatMissingData="breaching")
    assert transition.reason == "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]."
    _, transitions = watched([10] + [None] * 6)
    assert transitions[-2].reason == "Insufficient Data: 3 datapoints were unknown."


def test_dynamodb_alarms_always_ignore_missing_data():
    """PutMetricAlarm, TreatMissingData."""
    alarm = Alarm(**BUSY | {"Namespace": "AWS/DynamoDB", "TreatMissingData": "breaching"})
    assert alarm.evaluate(MetricStore(), now=600) is None and alarm.state == "INSUFFICIENT_DATA"


def test_a_long_period_slides_by_the_minute_unless_the_window_is_that_of_the_wall_clock():
    """PutMetricAlarm, EvaluationWindow."""
    store = MetricStore()
    for minute in range(10):
        store.put_metric_data("Shop", [{"MetricName": "Load", "Value": 20}], now=minute * 60)
    more = {"Period": 300, "Statistic": "Sum", "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "Threshold": 99}
    alarm, aligned = Alarm(**BUSY | more), Alarm(**BUSY | more | {"EvaluationWindow": {"WallClockWindow": {}}})
    assert alarm.evaluate(store, now=7 * 60).new == aligned.evaluate(store, now=7 * 60).new == "ALARM"
    assert alarm.reason_data["evaluatedDatapoints"][0]["timestamp"].startswith("1970-01-01T00:02:00")
    assert aligned.reason_data["evaluatedDatapoints"][0]["timestamp"].startswith("1970-01-01T00:00:00")


def test_a_high_resolution_alarm_sees_ten_seconds():
    store, alarm = MetricStore(), Alarm(**BUSY | {"Period": 10, "EvaluationPeriods": 1, "DatapointsToAlarm": 1})
    for second in range(0, 30, 10):
        store.put_metric_data("Shop", [{"MetricName": "Load", "Value": second * 5, "StorageResolution": 1}], now=second)
    assert [t and t.new for t in (alarm.evaluate(store, now) for now in (10, 20, 30))] == ["OK", None, "ALARM"]


@pytest.mark.parametrize("statistic, needed", [("p99", 1000), ("p50", 20), ("p10", 100)])
def test_a_percentile_of_few_samples_is_ignored_if_told_to(statistic, needed):
    """"Percentile-based alarms and low data samples": fewer than 10 / (1 - percentile), below the median 10 / percentile."""
    more = {"ExtendedStatistic": statistic, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "EvaluateLowSampleCountPercentile": "ignore"}
    given = {key: value for key, value in BUSY.items() if key != "Statistic"} | more
    for count, new in ((needed - 1, None), (needed, "ALARM")):
        store, alarm = MetricStore(), Alarm(**given)
        store.put_metric_data("Shop", [{"MetricName": "Load", "Values": [99], "Counts": [count]}], now=0)
        transition = alarm.evaluate(store, now=60)
        assert (transition and transition.new) == new
    assert Alarm(**given | {"EvaluateLowSampleCountPercentile": "evaluate"}).evaluate(store, now=60).new == "ALARM"


def stat(name, metric, **more):
    return {"Id": name, "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": metric}, "Period": 60, "Stat": "Sum"}, "ReturnData": False, **more}


def on_math(*queries, **more):
    return {key: value for key, value in BUSY.items() if key not in ("Namespace", "MetricName", "Statistic", "Period")} | {"Metrics": list(queries)} | more


def test_an_alarm_on_an_expression():
    """"Alarms on math expressions": an error rate."""
    store = MetricStore()
    alarm = Alarm(**on_math(stat("e", "Errors"), stat("r", "Requests"), {"Id": "rate", "Expression": "100 * e / r"}, Threshold=5))
    for minute, errors in enumerate([1, 9, 9]):
        for name, value in (("Errors", errors), ("Requests", 100)):
            store.put_metric_data("Shop", [{"MetricName": name, "Value": value}], now=minute * 60)
        transition = alarm.evaluate(store, now=minute * 60 + 60)
    assert transition.new == "ALARM" and transition.reason_data["recentDatapoints"] == [1, 9, 9]


BAND = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)"}


@pytest.mark.parametrize("operator, value, new", [
    ("LessThanLowerOrGreaterThanUpperThreshold", 200, "ALARM"), ("LessThanLowerOrGreaterThanUpperThreshold", 0, "ALARM"),
    ("GreaterThanUpperThreshold", 0, "OK"), ("GreaterThanUpperThreshold", 200, "ALARM"), ("LessThanLowerThreshold", 200, "OK"),
    ("LessThanLowerThreshold", 0, "ALARM"), ("LessThanLowerOrGreaterThanUpperThreshold", 102, "OK")])
def test_an_alarm_on_a_band(operator, value, new):
    """PutMetricAlarm, "Anomaly Detection Model Alarm"."""
    given = on_math(stat("m1", "Load", ReturnData=True), BAND, ComparisonOperator=operator, ThresholdMetricId="band", EvaluationPeriods=1,
                    DatapointsToAlarm=1)
    del given["Threshold"]
    store, alarm = MetricStore(), Alarm(**given)
    for minute in range(0, 2 * 1440, 5):
        store.put_metric_data("Shop", [{"MetricName": "Load", "Value": 100 + minute % 7}], now=minute * 60)
    store.put_metric_data("Shop", [{"MetricName": "Load", "Value": value}], now=2 * DAY)
    transition = alarm.evaluate(store, now=2 * DAY + 60)
    assert transition.new == new
    if new == "ALARM" and value == 200:
        assert transition.reason.startswith("Thresholds Crossed: 1 out of the last 1 datapoints [200.0 ") and "greater than the upper thresholds [" in transition.reason


def test_actions_run_on_a_change_of_state_and_only_if_enabled():
    """PutMetricAlarm; claim: an alarm acts when it changes, not while it is."""
    policy = "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:1:autoScalingGroupName/web:policyName/out"
    more = {"AlarmActions": [SNS + "page", policy], "OKActions": [SNS + "calm"], "InsufficientDataActions": [SNS + "lost"]}
    alarm, transitions = watched([10, 90, 90, 90], **more)
    assert [alarm.actions(t) for t in transitions] == [[SNS + "calm"], [], [SNS + "page", policy], []]
    assert alarm.standing_actions() == [policy]
    silent, transitions = watched([10, 90, 90, 90], ActionsEnabled=False, **more)
    assert silent.state == "ALARM" and [silent.actions(t) for t in transitions] == [[]] * 4 and silent.standing_actions() == []


def test_set_alarm_state_lasts_until_the_next_evaluation():
    """SetAlarmState."""
    alarm, _ = watched([10, 10, 10], AlarmActions=[SNS + "page"])
    transition = alarm.set_alarm_state("ALARM", "drill", now=200, StateReasonData='{"why": 1}')
    assert (transition.old, transition.new, transition.reason, transition.reason_data) == ("OK", "ALARM", "drill", {"why": 1})
    assert alarm.actions(transition) == [SNS + "page"] and alarm.set_alarm_state("ALARM", "again", now=201) is None
    store = MetricStore()
    store.put_metric_data("Shop", [{"MetricName": "Load", "Value": 10}], now=180)
    assert alarm.evaluate(store, now=240).new == "OK"
    refused(alarm.set_alarm_state, "BROKEN", "", now=0)
    with pytest.raises(ServiceError) as error:
        alarm.set_alarm_state("OK", "x", now=0, StateReasonData="{")
    assert error.value.code == "InvalidFormat"


def test_an_update_keeps_the_state():
    """PutMetricAlarm: "its state is left unchanged"."""
    alarm, _ = watched([90, 90, 90])
    alarm.update(**BUSY | {"Threshold": 95})
    assert alarm.state == "ALARM" and alarm.parameters["Threshold"] == 95


@pytest.mark.parametrize("change, says", [
    ({"AlarmName": ""}, "AlarmName"), ({"Statistic": None}, "either"), ({"ExtendedStatistic": "p90"}, "either"), ({"Statistic": "p90"}, "Statistic"),
    ({"Period": 90}, "Period"), ({"Period": 5}, "Period"), ({"Period": None}, "Period"), ({"DatapointsToAlarm": 4}, "DatapointsToAlarm"),
    ({"EvaluationPeriods": 0}, "EvaluationPeriods"), ({"EvaluationPeriods": 1441}, "86,400"),
    ({"Period": 3600, "EvaluationPeriods": 169}, "604,800"), ({"Threshold": None}, "Threshold"), ({"ComparisonOperator": "MoreThan"}, "MoreThan"),
    ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "band"), ({"TreatMissingData": "skip"}, "TreatMissingData"),
    ({"AlarmActions": [SNS + "t"] * 6}, "at most 5"), ({"OKActions": ["call me"]}, "ARN"), ({"Metrics": []}, "not both"), ({"Colour": "red"}, "Colour"),
    ({"ThresholdMetricId": "x"}, "ThresholdMetricId"), ({"Namespace": ""}, "Namespace"), ({"Unit": "Parsec"}, "Unit"),
    ({"EvaluateLowSampleCountPercentile": "maybe"}, "EvaluateLow"), ({"EvaluationWindow": {"WallClockWindow": {"Timezone": "+02:00"}}}, "UTC")])
def test_put_metric_alarm_refuses(change, says):
    assert says in refused(Alarm, **BUSY | change)


@pytest.mark.parametrize("queries, says", [
    ([stat("m1", "a")], "Exactly one"), ([stat("m1", "a", ReturnData=True), stat("m2", "b", ReturnData=True)], "Exactly one"),
    ([stat("m1", "a"), {"Id": "e", "Expression": "m1 + m2"}], "m2"), ([stat("m1", "a"), {"Id": "e", "Expression": "m1 +"}], "column"),
    ([stat("m1", "a"), {"Id": "e", "Expression": "METRICS()"}], "single time series"), ([stat("m1", "a"), {"Id": "e", "Expression": "SUM(m1)"}], "single"),
    ([{"Id": "e", "Expression": "TIME_SERIES(1)"}], "MetricStat"), ([stat(f"m{n}", "a") for n in range(11)], "10"),
    ([stat("m1", "a"), {"Id": "s", "Expression": "SEARCH('x')"}], "SEARCH")])
def test_put_metric_alarm_refuses_metrics_that_do_not_fit(queries, says):
    assert says in refused(Alarm, **on_math(*queries))


def test_the_limits_themselves_are_accepted():
    Alarm(**BUSY | {"EvaluationPeriods": 1440})
    Alarm(**BUSY | {"Period": 3600, "EvaluationPeriods": 168})
    Alarm(**BUSY | {"Period": 20, "AlarmActions": [SNS + str(n) for n in range(5)]})


# ---------------------------------------------------------------------- composite alarms

@pytest.mark.parametrize("rule, alarmed, new", [
    ("ALARM(cpu) AND ALARM(disk)", "cpu disk", "ALARM"), ("ALARM(cpu) AND ALARM(disk)", "cpu", "OK"),
    ("ALARM(cpu) AND NOT ALARM(deploy)", "cpu deploy", "OK"), ("ALARM(cpu) AND NOT ALARM(deploy)", "cpu", "ALARM"),
    ("(ALARM(cpu) OR ALARM(disk)) AND OK(deploy)", "disk", "ALARM"), ("(ALARM(cpu) OR ALARM(disk)) AND OK(deploy)", "disk deploy", "OK"),
    ("TRUE", "", "ALARM"), ("NOT TRUE OR FALSE", "", "OK"), ('ALARM("cpu") OR FALSE', "cpu", "ALARM"), ("NOT (ALARM(cpu) OR OK(disk))", "disk", "ALARM"),
    ("ALARM(arn:aws:cloudwatch:eu-central-1:123456789012:alarm:cpu)", "cpu", "ALARM"), ("INSUFFICIENT_DATA(cpu)", "cpu", "OK"),
    ("ALARM(cpu) OR ALARM(disk) AND ALARM(deploy)", "cpu", "ALARM")])
def test_rules(rule, alarmed, new):
    """"Creating a composite alarm", its examples first; AND binds closer than OR."""
    alarm = CompositeAlarm(AlarmName="c", AlarmRule=rule)
    states = {name: "ALARM" if name in alarmed.split() else "OK" for name in ("cpu", "disk", "deploy")}
    assert alarm.evaluate(states, now=0).new == new and alarm.evaluate(states, now=60) is None


@EXAMPLES
@given(st.recursive(st.sampled_from(["ALARM(a)", "OK(b)", "TRUE", "FALSE"]), lambda inner: st.one_of(
    st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map("".join), inner.map("NOT {}".format), inner.map("({})".format)), max_leaves=6),
    st.booleans(), st.booleans())
def test_rules_agree_with_python(rule, a, b):
    """Python's and, or, not have the same precedence."""
    states = {"a": "ALARM" if a else "OK", "b": "OK" if b else "ALARM"}
    text = rule.replace("ALARM(a)", str(a)).replace("OK(b)", str(b))
    for word, pythons in (("TRUE", "True"), ("FALSE", "False"), ("AND", "and"), ("OR", "or"), ("NOT", "not")):
        text = text.replace(word, pythons)
    alarm = CompositeAlarm(AlarmName="c", AlarmRule=rule)
    assert (alarm.evaluate(states, now=0).new == "ALARM") == eval(text)


@pytest.mark.parametrize("rule, says", [
    ("", "characters"), ("ALARM(a) AND", "too early"), ("ALARM(a", "column 1"), ("(ALARM(a)", "not closed"), ("ALARM(a) ALARM(b)", "column 10"),
    ("MAYBE(a)", "column 1"), ("AND TRUE", "AND"), ("ALARM()", "column 1"), ("TRUE)", ")"),
    (" OR ".join(f"ALARM(a{n})" for n in range(101)), "100 child"), (" OR ".join(["TRUE"] * 501), "500 elements")])
def test_rules_that_are_refused(rule, says):
    assert says in refused(parse_rule, rule)


def test_put_composite_alarm_refuses():
    base = {"AlarmName": "c", "AlarmRule": "ALARM(a)"}
    assert "Wait" in refused(CompositeAlarm, **base, ActionsSuppressor="s")
    assert "go with" in refused(CompositeAlarm, **base, ActionsSuppressorWaitPeriod=60)
    assert "EC2" in refused(CompositeAlarm, **base, AlarmActions=["arn:aws:automate:eu-central-1:ec2:stop"])
    assert "Threshold" in refused(CompositeAlarm, **base, Threshold=1)
    assert "do not exist" in refused(CompositeAlarm(**base).evaluate, {"b": "OK"}, now=0)


def test_a_composite_alarm_names_the_child_that_changed():
    alarm = CompositeAlarm(AlarmName="c", AlarmRule="ALARM(a) OR ALARM(b)")
    alarm.evaluate({"a": "OK", "b": "OK"}, now=0)
    transition = alarm.evaluate({"a": "OK", "b": "ALARM"}, now=3600)
    assert transition.reason == "b transitioned to ALARM at Thursday 01 January, 1970 01:00:00 UTC"
    assert [trigger["name"] for trigger in transition.reason_data["triggeringAlarms"]] == ["b"]
    assert alarm.evaluate({"a": "ALARM", "b": "ALARM"}, now=3660) is None


def test_a_composite_state_that_was_set_lasts_until_a_child_changes():
    """SetAlarmState."""
    alarm = CompositeAlarm(AlarmName="c", AlarmRule="ALARM(a)")
    alarm.evaluate({"a": "OK"}, now=0)
    assert alarm.set_alarm_state("ALARM", "drill", now=10).new == "ALARM"
    assert alarm.evaluate({"a": "OK"}, now=60) is None and alarm.state == "ALARM"
    assert alarm.evaluate({"a": "INSUFFICIENT_DATA"}, now=120).new == "OK"


def suppressed(steps):
    """Steps of (time, child, suppressor) -> [(time, actions)] and the alarm; wait 120 s, extension 180 s."""
    alarm = CompositeAlarm(AlarmName="c", AlarmRule="ALARM(a)", AlarmActions=[SNS + "page"], OKActions=[SNS + "calm"], ActionsSuppressor="s",
                           ActionsSuppressorWaitPeriod=120, ActionsSuppressorExtensionPeriod=180)
    alarm.evaluate({"a": "OK", "s": "OK"}, now=-60)
    return alarm, [(now, arn.rsplit(":", 1)[1]) for now, child, suppressor in steps
                   for arn in alarm.actions(alarm.evaluate({"a": child, "s": suppressor}, now))]


def every_minute(until, alarm_from, alarm_until, suppressor_from, suppressor_until):
    return [(now, "ALARM" if alarm_from <= now < alarm_until else "OK", "ALARM" if suppressor_from <= now < suppressor_until else "OK")
            for now in range(0, until, 60)]


@pytest.mark.parametrize("case, alarm, suppressor, actions", [
    ("nothing suppresses: the actions come when the wait is over", (60, 600), (9999, 9999), [(180, "page"), (600, "calm")]),
    ("the suppressor comes within the wait", (60, 9999), (120, 9999), []),
    ("it comes after the wait: too late", (60, 9999), (240, 9999), [(180, "page")]),
    ("it goes, the alarm stays: the actions come after the extension", (60, 9999), (60, 600), [(780, "page")]),
    ("it goes, the alarm ends within the extension: nobody is called", (60, 720), (60, 600), []),
    ("the alarm ends under it: that is told after the extension", (60, 480), (300, 600), [(180, "page"), (780, "calm")]),
    ("the alarm is over before the wait is", (60, 120), (9999, 9999), [])])
def test_a_suppressor_holds_actions_back(case, alarm, suppressor, actions):
    """"Suppressing composite alarm actions": WaitPeriod and ExtensionPeriod."""
    assert suppressed(every_minute(1500, *alarm, *suppressor))[1] == actions


def test_the_state_shows_while_the_actions_wait():
    """CompositeAlarm, ActionsSuppressedBy."""
    alarm, _ = suppressed([(0, "ALARM", "OK")])
    assert (alarm.state, alarm.suppressed_by, alarm.next_check) == ("ALARM", "WaitPeriod", 120)
    late = alarm.evaluate({"a": "ALARM", "s": "OK"}, now=120)
    assert (late.old, late.new, late.suppressed_by) == ("ALARM", "ALARM", None) and late.reason.startswith("a transitioned to ALARM")
    assert alarm.next_check is None
    alarm.evaluate({"a": "ALARM", "s": "ALARM"}, now=180)
    assert alarm.suppressed_by == "Alarm"
    alarm.evaluate({"a": "ALARM", "s": "OK"}, now=240)
    assert (alarm.suppressed_by, alarm.next_check) == ("ExtensionPeriod", 420)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=25))
def test_actions_alternate_and_never_run_under_a_suppressor(history):
    """Nobody is told the same twice, and what was told last is true once all waits are over."""
    steps = [(60 * n, "ALARM" if a else "OK", "ALARM" if s else "OK") for n, (a, s) in enumerate(history)]
    end = 60 * len(steps)
    last = steps[-1][1] if steps else "OK"
    steps += [(end + 60 * n, last, "OK") for n in range(8)]
    alarm, actions = suppressed(steps)
    names = [name for _, name in actions]
    assert all(before != after for before, after in itertools.pairwise(["calm", *names]))
    assert (names or ["calm"])[-1] == {"ALARM": "page", "OK": "calm"}[last] and alarm.suppressed_by is None
    under = {now for now, _, suppressor in steps if suppressor == "ALARM"}
    assert not under & {now for now, _ in actions}
