"""CloudWatch in the sandbox: metrics that appear by themselves, alarms that look at them (alarms_lab).

The model answers every question about metrics (moto has no percentiles and no expressions). Each Region has its own
metrics and anomaly detectors: what another Region has by the same name is something else.

On the bill: alarms by the metrics they look at (an anomaly band makes three of one), dashboards, requests, and custom
metrics for each hour in which they get data ("Amazon CloudWatch Pricing", its stored copy, for what is free; prices in
kit/lab/prices.yaml). A dashboard of more than 50 metrics is free here all the same; alarms on Metrics Insights queries
count as one metric. Contributor Insights rules and metric streams are on the bill in words only.

Amazon CloudWatch User Guide, "How Amazon CloudWatch works" ("Metrics are stored separately in Regions"), read 2026-11-28.
"""

from datetime import UTC, datetime

from kit.monitoring.alarms_lab import Alarms, alarm_item
from kit.monitoring.anomaly_detectors import Detectors
from kit.monitoring.metrics import MetricStore, metric_key

HOUR = 3600.0
REQUESTS = ("DeleteDashboards GetDashboard GetMetricStatistics ListDashboards ListMetrics PutDashboard "
            "PutMetricData")  # API requests that are charged, as price references list them
WITHOUT_PRICE = {"PutInsightRule": "Contributor Insights rule", "PutMetricStream": "metric stream"}


def live(life) -> None:
    metrics = Metrics(life)
    life.state["metrics"] = metrics
    alarms = Alarms(life, metrics)
    life.state["alarms"] = alarms
    reader = Reader(life, metrics)
    for operation, answer in {
            "PutMetricData": reader.put, "GetMetricStatistics": reader.statistics, "GetMetricData": reader.data,
            "ListMetrics": reader.list, "PutAnomalyDetector": reader.detector, "DescribeAnomalyDetectors": reader.detector,
            "DeleteAnomalyDetector": reader.detector, "PutCompositeAlarm": alarms.put_composite,
            "DescribeAlarmHistory": alarms.describe_history, "SetAlarmState": alarms.set_state}.items():
        life.answer("cloudwatch", operation, answer)
    life.before("cloudwatch", "PutMetricAlarm", alarms.check)
    life.then("cloudwatch", "PutMetricAlarm", alarms.put)
    life.then("cloudwatch", "DeleteAlarms", alarms.delete)
    life.then("cloudwatch", "DescribeAlarms", alarms.describe)
    life.then("cloudwatch", "EnableAlarmActions DisableAlarmActions", alarms.switch)
    life.then("cloudwatch", REQUESTS, lambda call: life.meter.add("CloudWatch API", "cloudwatch:request", 1))
    life.then("cloudwatch", "GetMetricData", lambda call: life.meter.add("CloudWatch API", "cloudwatch:metric-read", sum(
        "MetricStat" in one for one in call.parameters["MetricDataQueries"])))
    life.then("cloudwatch", "PutDashboard DeleteDashboards", reader.dashboards)
    life.then("cloudwatch", " ".join(WITHOUT_PRICE), lambda call: life.meter.unpriced(
        f"{call.operation} {call.number}", WITHOUT_PRICE[call.operation]))
    life.quotes["cloudwatch", "PutMetricAlarm"] = lambda given: [alarm_item(given)]
    life.quotes["cloudwatch", "PutCompositeAlarm"] = lambda given: [("cloudwatch:alarm-composite", 1)]
    life.quotes["cloudwatch", "PutDashboard"] = lambda given: [("cloudwatch:dashboard", 1)]
    life.changed.append(alarms.called)


class Metrics:
    """The model's stores of metrics, one a Region, with times in seconds of the sandbox instead of seconds since 1970.

    ``region``: where the metric is; the sandbox's own if it isn't said.
    """

    def __init__(self, life):
        self._sandbox, self._clock, self._meter = life.sandbox, life.sandbox.clock, life.meter
        self.zero = life.sandbox.clock.date_at(0).timestamp()
        self.stores, self.detectors = {}, {}  # region -> MetricStore, Detectors
        self.moved = []  # functions(region, metric_key, until when it may be news), called when a metric gets data
        self._hour, self._counted = None, set()  # metrics that are paid for this hour

    @property
    def now(self) -> float:
        """Seconds since 1970, as the stores count them."""
        return self._clock.now + self.zero

    def of(self, region: str | None = None) -> MetricStore:
        region = region or self._sandbox.region
        if region not in self.stores:
            self.stores[region] = MetricStore()
            self.detectors[region] = Detectors(self.stores[region])
        return self.stores[region]

    def detectors_of(self, region: str) -> Detectors:
        self.of(region)
        return self.detectors[region]

    def supply(self, Namespace, MetricName, Dimensions, supplier, Unit="None", region=None) -> None:
        zero = self.zero
        self.of(region).supply(Namespace, MetricName, Dimensions, lambda start, end: (
            (at + zero, value) for at, value in supplier(start - zero, end - zero)), Unit)
        self._tell(region, metric_key(Namespace, MetricName, Dimensions))

    def record(self, Namespace, MetricName, Dimensions, Value, now, Unit="None", region=None) -> None:
        self.of(region).record(Namespace, MetricName, Dimensions, Value, now + self.zero, Unit)
        self._tell(region, metric_key(Namespace, MetricName, Dimensions))

    def put_metric_data(self, Namespace, MetricData, now, region=None) -> None:
        """Timestamps, if there are any, as ``now``: in seconds of the sandbox."""
        data = [one | ({"Timestamp": one["Timestamp"] + self.zero} if "Timestamp" in one else {}) for one in MetricData]
        self.of(region).put_metric_data(Namespace, data, now + self.zero)
        self.bill(Namespace, MetricData, region)
        for one in MetricData:
            self._tell(region, metric_key(Namespace, one["MetricName"], one.get("Dimensions")), one.get("Timestamp", now))

    def bill(self, Namespace, MetricData, region=None) -> None:
        """Each metric once for each hour in which it gets data."""
        hour = self._clock.now // HOUR
        if hour != self._hour:
            self._hour, self._counted = hour, set()
        for one in MetricData:
            key = region or self._sandbox.region, metric_key(Namespace, one["MetricName"], one.get("Dimensions"))
            if key not in self._counted:
                self._counted.add(key)
                self._meter.add_time(f"metrics {Namespace}", "cloudwatch:metric", HOUR)

    def _tell(self, region, key, until=0.0):
        for function in self.moved:
            function(region or self._sandbox.region, key, until)


class Reader:
    """The questions about metrics, in boto3's shapes."""

    def __init__(self, life, metrics):
        self.life, self.metrics = life, metrics

    def put(self, call) -> dict:
        zero = self.metrics.zero
        data = [one | ({"Timestamp": _date(one["Timestamp"]).timestamp() - zero} if "Timestamp" in one else {})
                for one in call.parameters["MetricData"]]
        self.metrics.put_metric_data(call.parameters["Namespace"], data, self.life.clock.now, call.region)
        return {}

    def dashboards(self, call) -> None:
        names = call.parameters.get("DashboardNames") or [call.parameters["DashboardName"]]
        for name in names:
            self.life.meter.run(f"dashboard {name}", "cloudwatch:dashboard", float(call.operation == "PutDashboard"))

    def statistics(self, call) -> dict:
        times = {name: _date(call.parameters[name]).timestamp() for name in ("StartTime", "EndTime")}
        found = self.metrics.of(call.region).get_metric_statistics(**call.parameters | times, now=self.metrics.now)
        return found | {"Datapoints": [point | {"Timestamp": datetime.fromtimestamp(point["Timestamp"], UTC)}
                                       for point in found["Datapoints"]]}

    def data(self, call) -> dict:
        given = {name: call.parameters[name] for name in call.parameters if name in ("MetricDataQueries", "ScanBy")}
        times = {name: _date(call.parameters[name]).timestamp() for name in ("StartTime", "EndTime")}
        found = self.metrics.of(call.region).get_metric_data(**given, **times, now=self.metrics.now)
        return found | {"MetricDataResults": [
            one | {"Timestamps": [datetime.fromtimestamp(at, UTC) for at in one["Timestamps"]]}
            for one in found["MetricDataResults"]]}

    def list(self, call) -> dict:
        wanted = {name: call.parameters[name] for name in ("Namespace", "MetricName", "Dimensions") if name in call.parameters}
        return {"Metrics": self.metrics.of(call.region).list_metrics(**wanted)}

    def detector(self, call) -> dict:
        """Put, Describe and DeleteAnomalyDetector."""
        detectors, given = self.metrics.detectors_of(call.region), dict(call.parameters)
        ranges = given.get("Configuration", {}).get("ExcludedTimeRanges", ())
        if ranges:
            given["Configuration"] = given["Configuration"] | {"ExcludedTimeRanges": [
                {name: _date(at).timestamp() for name, at in one.items()} for one in ranges]}
        answer = {"PutAnomalyDetector": detectors.put_anomaly_detector,
                  "DescribeAnomalyDetectors": detectors.describe_anomaly_detectors}.get(call.operation)
        if answer is None:
            return detectors.delete_anomaly_detector(**given)
        return _with_dates(answer(now=self.metrics.now, **given))


def _date(value):
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, (int, float)):
        value = datetime.fromtimestamp(value, UTC)
    return value


def _with_dates(described):
    """Excluded times of anomaly detectors are dates in boto3, and seconds in the model."""
    for one in described.get("AnomalyDetectors", ()):
        ranges = one.get("Configuration", {}).get("ExcludedTimeRanges", ())
        if ranges:
            one["Configuration"] = one["Configuration"] | {"ExcludedTimeRanges": [
                {name: datetime.fromtimestamp(at, UTC) for name, at in each.items()} for each in ranges]}
    return described
