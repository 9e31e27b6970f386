"""Anomaly detectors: the model, and alarms on a band with boto3 in the sandbox.

API Reference, "PutAnomalyDetector", "DescribeAnomalyDetectors", "DeleteAnomalyDetector", "PutMetricAlarm".
"""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from kit.errors import ServiceError
from kit.monitoring.anomaly_detectors import Detectors
from kit.monitoring.metrics import MetricStore

HOUR, DAY, NOW = 3600, 86_400, 1_767_571_200
ORDERS = {"Namespace": "Shop", "MetricName": "Orders"}
SUM = {"SingleMetricAnomalyDetector": ORDERS | {"Stat": "Sum"}}
STAT = {"Metric": ORDERS, "Period": HOUR, "Stat": "Sum"}
BAND = [{"Id": "m1", "MetricStat": STAT}, {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"}]
MATH = {"MetricMathAnomalyDetector": {"MetricDataQueries": [
    {"Id": "m1", "MetricStat": STAT, "ReturnData": False}, {"Id": "half", "Expression": "m1 / 2", "ReturnData": True}]}}


@pytest.fixture
def store():
    return MetricStore()


@pytest.fixture
def detectors(store):
    return Detectors(store)


def learn(store, hours=13 * 24, odd=None):
    """An hour's value each hour: 100, and 180 by day; ``odd`` from noon of the last day to six."""
    for hour in range(-hours, 0):
        of_day, last = hour % 24, hour >= -24
        value = odd if last and odd is not None and 12 <= of_day < 18 else 100 + 80 * (8 <= of_day < 20) + hour * 7 % 11
        store.record("Shop", "Orders", [], value, now=NOW + hour * HOUR)


def states(detectors, **wanted):
    return [one["StateValue"] for one in detectors.describe_anomaly_detectors(now=NOW, **wanted)["AnomalyDetectors"]]


def test_given_a_detector_then_its_state_says_whether_there_is_enough_to_learn_from(store, detectors):
    detectors.put_anomaly_detector(now=NOW, **SUM)
    assert states(detectors) == ["TRAINED_INSUFFICIENT_DATA"]
    learn(store)
    assert states(detectors) == ["TRAINED"]


def test_given_a_detector_twice_then_it_is_changed_and_not_doubled(detectors):
    first = detectors.put_anomaly_detector(now=NOW, **SUM)
    again = detectors.put_anomaly_detector(now=NOW, **SUM, MetricCharacteristics={"PeriodicSpikes": True})
    [found] = detectors.describe_anomaly_detectors(now=NOW)["AnomalyDetectors"]
    assert first == again == {"AnomalyDetectorId": found["AnomalyDetectorId"]}
    assert found["MetricCharacteristics"] == {"PeriodicSpikes": True} and found["Stat"] == "Sum"


def test_given_filters_then_only_those_are_told(detectors):
    """DescribeAnomalyDetectors: AnomalyDetectorTypes "If empty, defaults to SINGLE_METRIC"."""
    page = [{"Name": "Page", "Value": "a"}]
    detectors.put_anomaly_detector(now=NOW, **SUM)
    detectors.put_anomaly_detector(now=NOW, **ORDERS, Stat="Average", Dimensions=page)  # the parameters of old
    detectors.put_anomaly_detector(now=NOW, **MATH)
    assert len(states(detectors)) == 2 and len(states(detectors, AnomalyDetectorTypes=["METRIC_MATH"])) == 1
    assert len(states(detectors, Dimensions=page)) == 1 and states(detectors, Namespace="Elsewhere") == []
    first = detectors.describe_anomaly_detectors(now=NOW, MaxResults=1)
    rest = detectors.describe_anomaly_detectors(now=NOW, NextToken=first["NextToken"])
    assert len(first["AnomalyDetectors"]) == len(rest["AnomalyDetectors"]) == 1 and "NextToken" not in rest
    one = rest["AnomalyDetectors"][0]["AnomalyDetectorId"]
    assert len(states(detectors, AnomalyDetectorIds=[one])) == 1
    detectors.delete_anomaly_detector(AnomalyDetectorId=one)
    detectors.delete_anomaly_detector(**MATH)
    assert len(states(detectors, AnomalyDetectorTypes=["SINGLE_METRIC", "METRIC_MATH"])) == 1


@pytest.mark.parametrize("given, code", [
    (SUM | MATH, "InvalidParameterCombination"), (SUM | ORDERS, "InvalidParameterCombination"), ({}, "MissingParameter"),
    (ORDERS, "MissingParameter"), (ORDERS | {"Stat": "Middle"}, "InvalidParameterValue"),
    ({"MetricMathAnomalyDetector": {"MetricDataQueries": [{"Id": "a", "Expression": "1 + 1"}] * 2}}, "ValidationError"),
    ({"MetricMathAnomalyDetector": {"MetricDataQueries": BAND}}, "InvalidParameterValue"),
    (SUM | {"Configuration": {"ExcludedTimeRanges": [{"StartTime": 1, "EndTime": 2}] * 11}}, "InvalidParameterValue"),
    (SUM | {"Configuration": {"ExcludedTimeRanges": [{"StartTime": 2, "EndTime": 1}]}}, "InvalidParameterValue")])
def test_given_what_does_not_go_together_then_it_is_refused(detectors, given, code):
    with pytest.raises(ServiceError) as refusal:
        detectors.put_anomaly_detector(now=NOW, **given)
    assert refusal.value.code == code
    with pytest.raises(ServiceError, match="no such anomaly detector"):
        detectors.delete_anomaly_detector(**SUM)


def test_given_excluded_times_then_the_band_learns_nothing_from_them(store, detectors):
    """AnomalyDetectorConfiguration: "to make sure that events that could cause unusual values ... aren't used"."""
    learn(store, hours=48, odd=5000)

    def width(at=NOW + 12 * HOUR):
        upper, lower = store.query(BAND, at, at + HOUR, at + HOUR)["band"]
        return upper.points[at] - lower.points[at]

    spoilt = width()
    detectors.put_anomaly_detector(now=NOW, **SUM, Configuration={"ExcludedTimeRanges": [
        {"StartTime": NOW - 12 * HOUR, "EndTime": NOW - 6 * HOUR}]})
    assert width() < spoilt / 10
    detectors.delete_anomaly_detector(**SUM)
    assert width() == spoilt


# in the sandbox


@pytest.fixture
def cloudwatch(sandbox):
    """After two weeks of a shop: 100 orders an hour by night, 180 by day."""
    client = sandbox.client("cloudwatch")
    for hour in range(14 * 24):
        put(client, 100 + 80 * (8 <= hour % 24 < 20) + hour * 7 % 11)
        sandbox.clock.advance(hours=1)
    return client


def put(client, value):
    client.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": value}])


def watch(client, how="LessThanLowerOrGreaterThanUpperThreshold", name="odd"):
    client.put_metric_alarm(AlarmName=name, Metrics=BAND, ThresholdMetricId="band", EvaluationPeriods=1, ComparisonOperator=how)


def state(client, name="odd"):
    return client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


def test_given_an_alarm_on_a_band_then_what_is_usual_at_noon_is_odd_at_night(sandbox, cloudwatch):
    """PutMetricAlarm, "Anomaly Detection Model Alarm": ThresholdMetricId is the Id of ANOMALY_DETECTION_BAND."""
    for name, how in (("odd", "LessThanLowerOrGreaterThanUpperThreshold"), ("low", "LessThanLowerThreshold"),
                      ("high", "GreaterThanUpperThreshold")):
        watch(cloudwatch, how, name)
    for value, expected in ((105, ("OK", "OK", "OK")), (185, ("ALARM", "OK", "ALARM")), (20, ("ALARM", "ALARM", "OK"))):
        put(cloudwatch, value)  # at midnight, one, two
        sandbox.clock.advance(hours=1)
        assert tuple(state(cloudwatch, name)["StateValue"] for name in ("odd", "low", "high")) == expected
    assert "less than the lower thresholds" in state(cloudwatch)["StateReason"]
    assert state(cloudwatch)["ThresholdMetricId"] == "band"


def test_given_a_band_in_get_metric_data_then_both_edges_come(sandbox, cloudwatch):
    found = cloudwatch.get_metric_data(MetricDataQueries=BAND, StartTime=sandbox.clock.date - timedelta(hours=24),
                                       EndTime=sandbox.clock.date, ScanBy="TimestampAscending")["MetricDataResults"]
    metric, upper, lower = (one["Values"] for one in found)
    assert [one["Id"] for one in found] == ["m1", "band", "band"] and len(upper) == len(lower) == 24
    assert sum(low < value < high for low, value, high in zip(lower, metric, upper)) >= 22  # two standard deviations
    assert max(upper[:8]) < min(lower[8:20])  # noon is another matter than night


def test_given_detectors_then_boto3_puts_lists_and_deletes_them_where_they_are(sandbox, cloudwatch):
    ends = sandbox.clock.date
    cloudwatch.put_anomaly_detector(**SUM, Configuration={"ExcludedTimeRanges": [
        {"StartTime": ends - timedelta(hours=6), "EndTime": ends}]})
    [found] = cloudwatch.describe_anomaly_detectors(Namespace="Shop")["AnomalyDetectors"]
    assert found["StateValue"] == "TRAINED" and found["SingleMetricAnomalyDetector"]["MetricName"] == "Orders"
    assert found["Configuration"]["ExcludedTimeRanges"][0]["EndTime"] == ends
    elsewhere = sandbox.client("cloudwatch", region_name="eu-west-1")
    assert elsewhere.describe_anomaly_detectors()["AnomalyDetectors"] == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        elsewhere.delete_anomaly_detector(**SUM)
    cloudwatch.delete_anomaly_detector(**SUM)
    assert cloudwatch.describe_anomaly_detectors()["AnomalyDetectors"] == []


def test_given_an_alarm_on_a_band_then_there_is_a_detector_for_it(sandbox):
    client = sandbox.client("cloudwatch")
    watch(client)
    [found] = client.describe_anomaly_detectors()["AnomalyDetectors"]
    assert (found["MetricName"], found["Stat"], found["StateValue"]) == ("Orders", "Sum", "TRAINED_INSUFFICIENT_DATA")
    with pytest.raises(ClientError, match="ValidationError"):
        client.put_metric_alarm(AlarmName="x", Metrics=BAND, ThresholdMetricId="m1", EvaluationPeriods=1,
                                ComparisonOperator="LessThanLowerThreshold")
