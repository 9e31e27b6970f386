"""The metric store, held to the CloudWatch API Reference and to "CloudWatch statistics definitions" (User Guide)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.monitoring.metrics import DAY, HOUR, MetricStore, keeps, parse_statistic

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)


def refused(code, act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == code
    return error.value.message


def stored(values, statistic, **datum):
    """A statistic of values that all fall into one minute."""
    store = MetricStore()
    for value in values:
        store.put_metric_data("Shop", [{"MetricName": "m", "Value": value, **datum}], now=0)
    return dict(store.statistics("Shop", "m", [], 0, 60, 60, statistic)).get(0)


def query(name="m1", period=60, statistic="Sum", metric="m", **more):
    return {"Id": name, "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": metric}, "Period": period, "Stat": statistic}, **more}


# ---------------------------------------------------------------------- statistics

@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 3599), st.integers(0, 50)), min_size=1, max_size=60), st.sampled_from([60, 120, 300, 600]))
def test_every_point_lands_in_the_period_that_holds_its_time(points, period):
    """Against sums made by hand; each period takes what lies from its start (in) to its end (out)."""
    store = MetricStore()
    for when, value in points:
        store.put_metric_data("Shop", [{"MetricName": "m", "Value": value, "Timestamp": when}], now=3600)
    expected = {}
    for when, value in points:
        expected.setdefault(when // period * period, []).append(value)
    for statistic, function in {"Sum": sum, "SampleCount": len, "Minimum": min, "Maximum": max,
                                "Average": lambda values: sum(values) / len(values)}.items():
        assert dict(store.statistics("Shop", "m", [], 0, 3600, period, statistic)) == pytest.approx(
            {start: function(values) for start, values in expected.items()})


TEN = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


@pytest.mark.parametrize("statistic, value", [
    ("p90", 90), ("p50", 50), ("p100", 100), ("p0", 10), ("p99.9", 100),
    ("tm90", 50), ("TM(:90%)", 50), ("TM(10%:90%)", 55), ("TM(10%:)", 60), ("IQM", 55), ("TM(20:50)", 40), ("TM(20:)", 65),
    ("tc90", 9), ("TC(20:50)", 3), ("TC(:20)", 2), ("ts90", 450), ("TS(80%:)", 190), ("TS(20:50)", 120),
    ("wm90", 54), ("WM(10%:90%)", 55), ("WM(20:50)", 41), ("PR(:30)", 30), ("PR(10:30)", 20), ("PR(90:)", 10)])
def test_statistics_of_ten_values(statistic, value):
    """Worked by hand from the page's definitions: a lower bound is left out, an upper one is in."""
    assert stored(TEN, statistic) == pytest.approx(value)


@EXAMPLES
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=80), st.integers(1, 99))
def test_identities_of_the_page_hold(values, percent):
    """TS = TM times TC; tm99 is TM(:99%); p99 is the greatest of what tm99 averages; one value is every statistic of it."""
    value = {name: stored(values, name) for name in (f"tm{percent}", f"tc{percent}", f"ts{percent}", f"TM(:{percent}%)", f"p{percent}")}
    assert value[f"ts{percent}"] == pytest.approx(value[f"tm{percent}"] * value[f"tc{percent}"])
    assert value[f"tm{percent}"] == value[f"TM(:{percent}%)"] <= value[f"p{percent}"]
    assert sum(number <= value[f"p{percent}"] for number in values) >= len(values) * percent / 100
    assert {stored([7], name) for name in ("p10", "tm5", "wm50", "IQM", "TM(5%:95%)")} == {7}


@pytest.mark.parametrize("name", ["p101", "P90", "avg", "tm(10%:90%)", "TM(10%:90)", "TM90", "PR(10%:20%)", "TM(90%:10%)", "TM(:)", "p", "", None])
def test_what_is_no_statistic_is_refused(name):
    refused("InvalidParameterValue", parse_statistic, name)


def test_percentiles_need_raw_values():
    """PutMetricData: a statistic set hides them, unless all its values are equal."""
    store = MetricStore()

    def put(name, count, total, low, high):
        store.put_metric_data("Shop", [{"MetricName": name, "StatisticValues": {
            "SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high}}], now=0)

    put("mixed", 3, 60, 10, 30)
    put("equal", 3, 30, 10, 10)
    assert store.statistics("Shop", "mixed", [], 0, 60, 60, "p50") == []
    assert store.statistics("Shop", "mixed", [], 0, 60, 60, "Average") == [(0, 20)]
    assert store.statistics("Shop", "equal", [], 0, 60, 60, "p50") == [(0, 10)]
    store.put_metric_data("Shop", [{"MetricName": "mixed", "Value": 5}], now=0)  # a raw value doesn't bring the others back
    assert store.statistics("Shop", "mixed", [], 0, 60, 60, "p50") == []
    assert stored([-1, 5], "p50") is None and stored([-1, 5], "Minimum") == -1  # "not available ... negative numbers"
    assert stored([0.1] * 10, "p50") == 0.1


def test_values_with_counts_are_as_many_values():
    store = MetricStore()
    store.put_metric_data("Shop", [{"MetricName": "m", "Values": [10, 20], "Counts": [9, 1]}], now=0)
    found = {name: dict(store.statistics("Shop", "m", [], 0, 60, 60, name))[0] for name in ("SampleCount", "Sum", "p90", "p91")}
    assert found == {"SampleCount": 10, "Sum": 110, "p90": 10, "p91": 20}


def test_a_read_changes_nothing():
    """Reading merges slots of the store; it must work on copies."""
    store = MetricStore()
    for minute in range(5):
        store.record("AWS/EC2", "CPUUtilization", [], minute, now=minute * 60)
    store.supply("AWS/EC2", "CPUUtilization", [], lambda start, end: [(0, 7)])
    first = store.statistics("AWS/EC2", "CPUUtilization", [], 0, 300, 300, "Sum")
    assert first == store.statistics("AWS/EC2", "CPUUtilization", [], 0, 300, 300, "Sum") == [(0, 17)]


# ---------------------------------------------------------------------- dimensions, units, resolution

def test_another_set_of_dimensions_is_another_metric_and_their_order_does_not_matter():
    """GetMetricStatistics: "treats each unique combination of dimensions as a separate metric"."""
    store, both = MetricStore(), [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
    store.put_metric_data("Shop", [{"MetricName": "m", "Value": 1, "Dimensions": both}], now=0)
    assert store.statistics("Shop", "m", both[::-1], 0, 60, 60, "Sum") == [(0, 1)]
    assert store.statistics("Shop", "m", both[:1], 0, 60, 60, "Sum") == store.statistics("Shop", "m", [], 0, 60, 60, "Sum") == []
    assert store.list_metrics(Dimensions=[{"Name": "a"}]) == [{"Namespace": "Shop", "MetricName": "m", "Dimensions": both}]
    assert store.list_metrics(Dimensions=[{"Name": "a", "Value": "9"}]) == store.list_metrics(Namespace="Other") == []


def test_units_are_kept_apart_and_never_converted():
    store = MetricStore()
    for unit, value in (("Seconds", 1), ("Milliseconds", 1000)):
        store.put_metric_data("Shop", [{"MetricName": "m", "Value": value, "Unit": unit}], now=0)
    assert store.statistics("Shop", "m", [], 0, 60, 60, "Sum", "Seconds") == [(0, 1)]
    assert store.statistics("Shop", "m", [], 0, 60, 60, "Sum", "Count") == []
    answer = store.get_metric_statistics("Shop", "m", 0, 60, 60, Statistics=["Sum"])
    assert {(point["Unit"], point["Sum"]) for point in answer["Datapoints"]} == {("Seconds", 1), ("Milliseconds", 1000)}


def test_high_resolution_is_kept_by_the_second_and_the_rest_by_the_minute():
    """MetricDatum, StorageResolution."""
    store = MetricStore()
    for second in range(0, 60, 10):
        for name, resolution in (("fine", 1), ("coarse", 60)):
            store.put_metric_data("Shop", [{"MetricName": name, "Value": second, "StorageResolution": resolution}], now=second)
    assert store.statistics("Shop", "fine", [], 0, 60, 10, "Sum") == [(s, s) for s in range(0, 60, 10)]
    assert store.statistics("Shop", "coarse", [], 0, 60, 10, "Sum") == [(0, 150)]


def test_a_supplied_metric_is_computed_when_it_is_read():
    store, asked = MetricStore(), []

    def depth(start, end):
        asked.append((start, end))
        return [(minute, minute / 60) for minute in range(0, 600, 60)]

    store.supply("AWS/SQS", "Depth", [{"Name": "QueueName", "Value": "q"}], depth, Unit="Count")
    dimensions = [{"Name": "QueueName", "Value": "q"}]
    assert asked == [] and store.list_metrics("AWS/SQS") == [{"Namespace": "AWS/SQS", "MetricName": "Depth", "Dimensions": dimensions}]
    assert store.statistics("AWS/SQS", "Depth", dimensions, 90, 240, 60, "Maximum") == [(60, 1), (120, 2), (180, 3)]
    assert asked == [(60, 240)]


# ---------------------------------------------------------------------- retention

@pytest.mark.parametrize("period, days", [(1, 3 / 24), (30, 3 / 24), (60, 15), (120, 15), (300, 63), (900, 63), (3600, 455), (86_400, 455)])
def test_a_period_too_fine_for_its_age_gives_nothing(period, days):
    """GetMetricData: 3 hours below a minute, 15 days by the minute, 63 by five, 455 by the hour."""
    assert keeps(period) == days * DAY
    store = MetricStore()
    store.put_metric_data("Shop", [{"MetricName": "m", "Value": 8, "StorageResolution": 1}], now=0)
    young, old = days * DAY - 1, days * DAY + period
    assert store.statistics("Shop", "m", [], 0, period, period, "p50", now=young) == [(0, 8)]
    assert store.statistics("Shop", "m", [], 0, period, period, "p50", now=old) == []


def test_as_they_age_points_are_rolled_up_without_loss_and_then_dropped():
    """GetMetricData: "aggregated together for long-term storage"."""
    store = MetricStore()
    for minute in range(120):
        store.put_metric_data("Shop", [{"MetricName": "m", "Value": minute, "StorageResolution": 1}], now=minute * 60)
    for age, period in ((1, 60), (16, 300), (64, 3600), (450, 3600)):
        found = store.statistics("Shop", "m", [], 0, 2 * HOUR, period, "Sum", now=age * DAY)
        assert len(found) == 2 * HOUR / period and sum(value for _, value in found) == sum(range(120))
        assert store.statistics("Shop", "m", [], 0, HOUR, 3600, "p90", now=age * DAY) == [(0, 53)]
    [slots] = store._metrics[("Shop", "m", ())].values()
    assert [len(tier) for tier in slots.tiers.values()] == [0, 0, 0, 2]
    store.advance(456 * DAY)
    assert store._metrics == {}


def test_a_metric_that_is_silent_for_two_weeks_is_not_listed():
    """ListMetrics."""
    store = MetricStore()
    store.put_metric_data("Shop", [{"MetricName": "m", "Value": 1}], now=0)
    store.advance(14 * DAY)
    assert len(store.list_metrics()) == 1
    store.advance(14 * DAY + 1)
    assert store.list_metrics() == []


# ---------------------------------------------------------------------- refusals

GOOD = {"MetricName": "m", "Value": 1}


@pytest.mark.parametrize("code, change", [
    ("InvalidParameterValue", {"Value": float("nan")}), ("InvalidParameterValue", {"Value": float("inf")}),
    ("InvalidParameterValue", {"Value": 2.0 ** 361}), ("InvalidParameterValue", {"Value": "1"}),
    ("InvalidParameterValue", {"Unit": "Parsecs"}), ("InvalidParameterValue", {"StorageResolution": 30}),
    ("InvalidParameterValue", {"Timestamp": 20 * DAY + 2 * HOUR + 1}), ("InvalidParameterValue", {"Timestamp": 6 * DAY - 1}),
    ("InvalidParameterValue", {"Dimensions": [{"Name": str(n), "Value": "x"} for n in range(31)]}),
    ("InvalidParameterValue", {"Dimensions": [{"Name": "a", "Value": ""}]}),
    ("InvalidParameterValue", {"Value": None, "Values": [1, 2], "Counts": [1]}),
    ("InvalidParameterValue", {"Value": None, "Values": list(range(151))}),
    ("InvalidParameterValue", {"Value": None, "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}}),
    ("InvalidParameterCombination", {"Values": [1]}), ("InvalidParameterCombination", {"Counts": [1]}),
    ("InvalidParameterCombination", {"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}}),
    ("MissingParameter", {"MetricName": None}), ("MissingParameter", {"Value": None}),
    ("MissingParameter", {"Value": None, "StatisticValues": {"SampleCount": 1}})])
def test_put_metric_data_refuses_and_then_stores_nothing(code, change):
    """PutMetricData and MetricDatum; a call is taken as a whole or not at all."""
    store = MetricStore()
    message = refused(code, store.put_metric_data, "Shop", [GOOD, GOOD | change], now=20 * DAY)
    assert "MetricData.member.2" in message and store.list_metrics() == []


def test_the_limits_themselves_are_accepted():
    store, now = MetricStore(), 20 * DAY
    for stamp in (now + 2 * HOUR, now - 14 * DAY):
        store.put_metric_data("Shop", [GOOD | {"Timestamp": stamp}], now=now)
    store.put_metric_data("Shop", [GOOD | {"Dimensions": [{"Name": str(n), "Value": "x"} for n in range(30)]}] * 1000, now=now)
    refused("InvalidParameterValue", store.put_metric_data, "Shop", [GOOD] * 1001, now=now)
    refused("InvalidParameterValue", store.put_metric_data, "AWS/EC2", [GOOD], now=now)
    refused("MissingParameter", store.put_metric_data, "", [GOOD], now=now)


def test_get_metric_statistics_refuses_what_aws_refuses():
    store = MetricStore()
    ask = lambda **more: store.get_metric_statistics("Shop", "m", **{"StartTime": 0, "EndTime": 3600, "Period": 60} | more)
    refused("InvalidParameterCombination", ask)
    refused("InvalidParameterCombination", ask, Statistics=["Sum"], ExtendedStatistics=["p50"])
    refused("InvalidParameterCombination", ask, Statistics=["Sum"], EndTime=1441 * 60)
    refused("InvalidParameterValue", ask, Statistics=["p50"])
    refused("InvalidParameterValue", ask, Statistics=["Sum"], EndTime=0)
    refused("InvalidParameterValue", ask, Statistics=["Sum"], Period=90)
    assert ask(Statistics=["Sum"], EndTime=1440 * 60) == {"Label": "m", "Datapoints": []}


def test_get_metric_statistics_has_the_shape_of_boto3_and_counts_from_the_rounded_start():
    """GetMetricStatistics: a StartTime of 12:32:34 is rounded down to 12:32:00."""
    store = MetricStore()
    for minute in range(10):
        store.put_metric_data("Shop", [{"MetricName": "m", "Value": minute}], now=minute * 60)
    answer = store.get_metric_statistics("Shop", "m", 150, 600, 300, Statistics=["Sum", "Maximum"])
    assert answer["Datapoints"] == [{"Timestamp": 120, "Unit": "None", "Sum": 20, "Maximum": 6}, {"Timestamp": 420, "Unit": "None", "Sum": 24, "Maximum": 9}]
    [point] = store.get_metric_statistics("Shop", "m", 0, 600, 600, ExtendedStatistics=["p50"])["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": 4}


def test_get_metric_data_answers_metrics_and_expressions_newest_first():
    store = MetricStore()
    for minute in range(3):
        store.put_metric_data("Shop", [{"MetricName": "m", "Value": minute + 1}], now=minute * 60)
    answer = store.get_metric_data([{"Id": "twice", "Expression": "half * 4", "Label": "Twice"},
                                    {"Id": "half", "Expression": "m1 / 2", "ReturnData": False}, query()], 0, 180)
    assert answer == {"Messages": [], "MetricDataResults": [
        {"Id": "twice", "Label": "Twice", "Timestamps": [120, 60, 0], "Values": [6, 4, 2], "StatusCode": "Complete"},
        {"Id": "m1", "Label": "m", "Timestamps": [120, 60, 0], "Values": [3, 2, 1], "StatusCode": "Complete"}]}
    [rising] = store.get_metric_data([query()], 0, 180, ScanBy="TimestampAscending")["MetricDataResults"]
    assert rising["Values"] == [1, 2, 3]


def test_get_metric_data_gives_a_result_for_each_series_of_an_array():
    store = MetricStore()
    for name in ("m", "n"):
        store.put_metric_data("Shop", [{"MetricName": name, "Value": 1}], now=0)
    answer = store.get_metric_data([query(ReturnData=False), query("m2", metric="n", ReturnData=False),
                                    {"Id": "e1", "Expression": "METRICS() * 100", "Label": "percent"}], 0, 60)
    assert [(result["Label"], result["Values"]) for result in answer["MetricDataResults"]] == [("percent m", [100]), ("percent n", [100])]


@pytest.mark.parametrize("queries, says", [
    ([query("M1")], "lowercase"), ([query(), query()], "not unique"), ([{"Id": "m1"}], "either"), ([query(period=90)], "Period"),
    ([query(statistic="mean")], "mean"), ([{"Id": "e1", "Expression": "e2"}, {"Id": "e2", "Expression": "e1"}], "circle"),
    ([{"Id": "e1", "Expression": "m9 + 1"}], "m9"), ([query(), {"Id": "e1", "Expression": "SUM(m1)"}], "time series"),
    ([query()] * 501, "500")])
def test_get_metric_data_refuses(queries, says):
    assert says in refused("ValidationError", MetricStore().get_metric_data, queries, 0, 60)


def test_a_band_is_learnt_from_the_two_weeks_before():
    """ANOMALY_DETECTION_BAND in GetMetricData: the upper series, then the lower."""
    store = MetricStore()
    for hour in range(14 * 24):
        store.put_metric_data("Shop", [{"MetricName": "m", "Value": 100 + hour % 2}], now=hour * HOUR)
    now = 14 * DAY
    high, low = store.get_metric_data([query(period=3600), {"Id": "b", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)"}],
                                      now - 3 * HOUR, now)["MetricDataResults"][1:]
    assert high["Timestamps"] == [now - HOUR, now - 2 * HOUR, now - 3 * HOUR] == low["Timestamps"]
    assert high["Values"] == pytest.approx([101, 100, 101], abs=0.01) and all(h > v > l for h, v, l in zip(high["Values"], [101, 100, 101], low["Values"]))


def test_given_a_supplied_metric_then_who_looks_each_minute_asks_once_for_each_time():
    """An alarm of a day of one-minute looks costs its minutes, not its minutes times what it looks back on."""
    asked, store = [], MetricStore()

    def supplier(start, end):
        times = range(int(-(-start // 60) * 60), int(-(-end // 60) * 60), 60)
        asked.extend(times)
        return [(at, at / 60) for at in times]

    store.supply("AWS/EC2", "CPUUtilization", [], supplier)
    for now in range(600, 86_400, 60):
        found = store.statistics("AWS/EC2", "CPUUtilization", [], now - 240, now, 60, "Sum", now=now)
        assert found == [(at, at / 60) for at in range(now - 240, now, 60)]
        assert store.statistics("AWS/EC2", "CPUUtilization", [], now - 600, now, 300, "Maximum", now=now)[-1][1] <= now / 60 - 1
    assert len(asked) < 1.2 * 1440
    assert len(store.statistics("AWS/EC2", "CPUUtilization", [], 0, 86_400, 60, "Sum", now=86_400)) == 1440


def test_given_a_supplied_metric_that_is_asked_beyond_now_then_what_is_to_come_is_not_remembered():
    values, store = {120: 1.0}, MetricStore()
    store.supply("AWS/EC2", "CPUUtilization", [], lambda start, end: [(at, value) for at, value in values.items() if start <= at < end])

    def read(now):
        return store.statistics("AWS/EC2", "CPUUtilization", [], 0, 180, 60, "Sum", now=now)

    assert read(60) == [(120, 1.0)]
    values[120] = 2.0
    assert read(120) == read(180) == [(120, 2.0)]
