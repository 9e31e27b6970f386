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


# the bill


def bill(sandbox):
    """item -> quantity"""
    quantities = {}
    for line in sandbox.bill().lines:
        quantities[line.item] = quantities.get(line.item, 0) + line.quantity
    return quantities


def test_given_custom_metrics_then_each_is_paid_for_the_hours_in_which_it_gets_data(sandbox):
    """Amazon CloudWatch Pricing: metrics are prorated by the hour; each combination of dimensions is a metric."""
    cloudwatch = sandbox.client("cloudwatch")
    for minutes in (0, 10, 60, 24 * 60):
        sandbox.clock.advance(minutes=minutes)
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[
            {"MetricName": "Orders", "Value": 1}, {"MetricName": "Orders", "Value": 2},
            {"MetricName": "Orders", "Dimensions": [{"Name": "Page", "Value": "a"}], "Value": 1}])
    used = bill(sandbox)
    assert used["cloudwatch:metric"] == pytest.approx(2 * 3 / 744) and used["cloudwatch:request"] == 4
    assert sandbox.bill().total == 0  # ten metrics are free, and a million requests


def test_given_a_refused_metric_then_nothing_is_paid(sandbox):
    with pytest.raises(ClientError):
        sandbox.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=[{"MetricName": "x", "Value": 1}])
    assert not sandbox.bill().lines


def test_given_more_than_three_dashboards_then_three_are_free_and_the_rest_is_not(sandbox):
    """Amazon CloudWatch Pricing: 3 custom dashboards are free."""
    cloudwatch = sandbox.client("cloudwatch")
    for name in "abcde":
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    cloudwatch.put_dashboard(DashboardName="a", DashboardBody='{"widgets": []}')  # no second time
    assert sandbox.bill().forgotten == pytest.approx(3 * (5 * 27 / 31 - 3))  # in January; in February all are free
    sandbox.clock.advance(days=10)
    cloudwatch.delete_dashboards(DashboardNames=["d", "e"])
    sandbox.clock.advance(days=10)
    assert bill(sandbox)["cloudwatch:dashboard"] == pytest.approx((5 * 10 + 3 * 10) / 31) and sandbox.bill().total == 0
    assert sandbox.quote("cloudwatch", "put_dashboard", DashboardName="x", DashboardBody="{}").rows[0][2] == (
        "$3.00 per dashboard-month, 3 a month free")


@pytest.mark.parametrize("given, item, amount", [
    ({"Period": 60}, "cloudwatch:alarm", 1), ({"Period": 10}, "cloudwatch:alarm-fine", 1),
    ({"Metrics": 2}, "cloudwatch:alarm", 2), ({"band": True}, "cloudwatch:alarm", 3)])
def test_given_an_alarm_then_it_costs_by_the_metrics_it_looks_at(sandbox, given, item, amount):
    """Amazon CloudWatch Pricing: alarm metrics; an anomaly detection alarm has three (also infracost's golden file)."""
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}
    rest = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1}
    if "Metrics" in given:
        rest["Metrics"] = [{"Id": f"m{n}", "MetricStat": stat, "ReturnData": False} for n in range(2)] + [
            {"Id": "e", "Expression": "m0 + m1"}]
    elif "band" in given:
        rest = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanUpperThreshold",
                "ThresholdMetricId": "band", "Metrics": [{"Id": "m", "MetricStat": stat},
                                                         {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m, 2)"}]}
    else:
        rest |= {"Namespace": "Shop", "MetricName": "Orders", "Statistic": "Sum"} | given
    cloudwatch = sandbox.client("cloudwatch")
    assert sandbox.quote("cloudwatch", "put_metric_alarm", **rest).rows[0][1] == str(amount)
    cloudwatch.put_metric_alarm(**rest)
    sandbox.clock.advance(hours=24)
    assert bill(sandbox)[item] == pytest.approx(amount / 31)


def test_given_an_alarm_of_another_period_then_only_one_of_the_two_prices_is_paid(sandbox):
    cloudwatch = sandbox.client("cloudwatch")
    for period in (60, 10):
        cloudwatch.put_metric_alarm(AlarmName="a", Namespace="Shop", MetricName="Orders", Statistic="Sum", Period=period,
                                    EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", Threshold=1)
        sandbox.clock.advance(hours=24)
    assert bill(sandbox) == {"cloudwatch:alarm": pytest.approx(1 / 31), "cloudwatch:alarm-fine": pytest.approx(1 / 31)}


def test_given_metrics_that_are_read_then_each_is_paid_and_none_is_free(sandbox):
    """Amazon CloudWatch Pricing: GetMetricData is always charged."""
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}
    sandbox.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": f"m{n}", "MetricStat": stat} for n in range(5)] + [{"Id": "e", "Expression": "m0 + m1"}],
        StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date_at(60))
    assert bill(sandbox) == {"cloudwatch:metric-read": 5} and sandbox.bill().total == pytest.approx(0.00005)


# Regions


def test_given_data_in_one_region_then_no_other_has_it(sandbox):
    """User Guide, "How Amazon CloudWatch works": "Metrics are stored separately in Regions"."""
    here, there = (sandbox.client("cloudwatch", region_name=name) for name in ("us-east-1", "eu-west-1"))
    put(here, 5)
    sandbox.clock.advance(minutes=1)
    asked = dict(Namespace="shop", MetricName="latency", Period=60, Statistics=["Sum"], StartTime=sandbox.clock.date_at(0),
                 EndTime=sandbox.clock.date)
    assert len(here.get_metric_statistics(**asked)["Datapoints"]) == 1 and not there.get_metric_statistics(**asked)["Datapoints"]
    assert len(here.list_metrics()["Metrics"]) == 1 and not there.list_metrics()["Metrics"]
    stat = {"Metric": {"Namespace": "shop", "MetricName": "latency"}, "Period": 60, "Stat": "Sum"}
    found = [client.get_metric_data(MetricDataQueries=[{"Id": "m", "MetricStat": stat}], StartTime=asked["StartTime"],
                                    EndTime=asked["EndTime"])["MetricDataResults"][0]["Values"] for client in (here, there)]
    assert found == [[5.0], []]


def test_given_queues_of_one_name_then_each_region_shows_the_depth_of_its_own(sandbox):
    depths = {}
    for number, region in enumerate(("us-east-1", "eu-west-1", "ap-southeast-2"), 1):
        sqs = sandbox.client("sqs", region_name=region)
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        for _ in range(number):
            sqs.send_message(QueueUrl=url, MessageBody="one")
    sandbox.clock.advance(minutes=2)
    for region in ("us-east-1", "eu-west-1", "ap-southeast-2"):
        found = sandbox.client("cloudwatch", region_name=region).get_metric_statistics(
            Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Period=60, Statistics=["Maximum"],
            Dimensions=[{"Name": "QueueName", "Value": "orders"}], StartTime=sandbox.clock.date_at(60), EndTime=sandbox.clock.date)
        depths[region] = [one["Maximum"] for one in found["Datapoints"]]
    assert depths == {"us-east-1": [1], "eu-west-1": [2], "ap-southeast-2": [3]}


def test_given_a_server_and_a_filtered_log_elsewhere_then_their_metrics_are_there(sandbox):
    region = {"region_name": "eu-west-1"}
    ec2, logs = sandbox.client("ec2", **region), sandbox.client("logs", **region)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    logs.create_log_group(logGroupName="shop")
    logs.create_log_stream(logGroupName="shop", logStreamName="a")
    logs.put_metric_filter(logGroupName="shop", filterName="all", filterPattern="", metricTransformations=[
        {"metricName": "Lines", "metricNamespace": "Shop", "metricValue": "1"}])
    logs.put_log_events(logGroupName="shop", logStreamName="a", logEvents=[
        {"timestamp": int(sandbox.clock.date.timestamp() * 1000), "message": "a line"}])
    sandbox.clock.advance(minutes=1)
    spaces = {name: {one["Namespace"] for one in sandbox.client("cloudwatch", region_name=name).list_metrics()["Metrics"]}
              for name in ("us-east-1", "eu-west-1")}
    assert spaces == {"us-east-1": set(), "eu-west-1": {"AWS/EC2", "Shop"}}


def test_given_the_same_custom_metric_in_two_regions_then_both_are_paid(sandbox):
    for region in ("us-east-1", "eu-west-1"):
        put(sandbox.client("cloudwatch", region_name=region), 1)
    assert bill(sandbox)["cloudwatch:metric"] == pytest.approx(2 / 744)


def test_given_a_search_then_it_is_refused_in_words(sandbox):
    with pytest.raises(ClientError, match="SEARCH is not modelled; ListMetrics finds metrics"):
        sandbox.client("cloudwatch").get_metric_data(StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date_at(60), MetricDataQueries=[
            {"Id": "e", "Expression": "SEARCH('{AWS/EC2,InstanceId} MetricName=\"CPUUtilization\"', 'Average', 300)"}])
