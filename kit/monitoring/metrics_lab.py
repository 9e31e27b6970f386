"""CloudWatch in the sandbox: metrics that appear by themselves, alarms that look at them on the clock and act.

The model answers every question about metrics (moto has no percentiles and no expressions). Alarms are moto's, so that
boto3 shows them; each minute the model decides their state, and what they do goes to whatever their ARNs name.

**Simplified** An alarm is looked at at the full minute (every 10 s if its period is shorter). One whose metrics have
not moved for as long as it looks back sleeps until something happens, which changes no result and lets a year pass.

Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms", "Alarm evaluation", read 2026-11-23.
"""

import json
from datetime import UTC, datetime

from kit.errors import ServiceError
from kit.monitoring.cloudwatch import EXTRA, Alarm, CompositeAlarm
from kit.monitoring.metrics import MetricStore

MINUTE = 60.0
def live(life) -> None:
    metrics = Metrics(life.sandbox.clock)
    life.state["metrics"] = metrics
    alarms = Alarms(life, metrics)
    life.state["alarms"] = alarms
    reader = Reader(life, metrics, alarms)
    for operation, answer in (("PutMetricData", reader.put), ("GetMetricStatistics", reader.statistics),
                              ("GetMetricData", reader.data), ("ListMetrics", reader.list),
                              ("PutCompositeAlarm", alarms.put_composite), ("DescribeAlarmHistory", alarms.describe_history),
                              ("SetAlarmState", alarms.set_state)):
        life.answer("cloudwatch", operation, answer)
    life.before("cloudwatch", "PutMetricAlarm", alarms.check)
    life.then("cloudwatch", "PutMetricAlarm", alarms.put)
    life.then("cloudwatch", "DeleteAlarms", alarms.delete)
    life.then("cloudwatch", "DescribeAlarms", alarms.describe)
    life.then("cloudwatch", "EnableAlarmActions DisableAlarmActions", alarms.switch)
    life.changed.append(lambda call: alarms.wake_all())


class Metrics:
    """The model's store of metrics, with times in seconds of the sandbox instead of seconds since 1970."""

    def __init__(self, clock):
        self.store, self._clock, self.zero = MetricStore(), clock, clock.date_at(0).timestamp()

    @property
    def now(self) -> float:
        """Seconds since 1970, as the store counts them."""
        return self._clock.now + self.zero

    def supply(self, Namespace, MetricName, Dimensions, supplier, Unit="None") -> None:
        zero = self.zero
        self.store.supply(Namespace, MetricName, Dimensions, lambda start, end: (
            (at + zero, value) for at, value in supplier(start - zero, end - zero)), Unit)

    def record(self, Namespace, MetricName, Dimensions, Value, now, Unit="None") -> None:
        self.store.record(Namespace, MetricName, Dimensions, Value, now + self.zero, Unit)

    def put_metric_data(self, Namespace, MetricData, now) -> None:
        self.store.put_metric_data(Namespace, [one | ({"Timestamp": one["Timestamp"] + self.zero} if "Timestamp" in one else {})
                                               for one in MetricData], now + self.zero)


class Reader:
    """The questions about metrics, in boto3's shapes."""

    def __init__(self, life, metrics, alarms):
        self.life, self.metrics, self.alarms = life, metrics, alarms

    def put(self, call) -> dict:
        data = [one | ({"Timestamp": _date(one["Timestamp"]).timestamp()} if "Timestamp" in one else {})
                for one in call.parameters["MetricData"]]
        self.metrics.store.put_metric_data(call.parameters["Namespace"], data, self.metrics.now)
        self.alarms.wake_all()
        return {}

    def statistics(self, call) -> dict:
        times = {name: _date(call.parameters[name]).timestamp() for name in ("StartTime", "EndTime")}
        found = self.metrics.store.get_metric_statistics(**call.parameters | times, now=self.metrics.now)
        return found | {"Datapoints": [point | {"Timestamp": datetime.fromtimestamp(point["Timestamp"], UTC)}
                                       for point in found["Datapoints"]]}

    def data(self, call) -> dict:
        given = {name: call.parameters[name] for name in call.parameters if name in ("MetricDataQueries", "ScanBy")}
        times = {name: _date(call.parameters[name]).timestamp() for name in ("StartTime", "EndTime")}
        found = self.metrics.store.get_metric_data(**given, **times, now=self.metrics.now)
        return found | {"MetricDataResults": [
            one | {"Timestamps": [datetime.fromtimestamp(at, UTC) for at in one["Timestamps"]]}
            for one in found["MetricDataResults"]]}

    def list(self, call) -> dict:
        wanted = {name: call.parameters[name] for name in ("Namespace", "MetricName", "Dimensions") if name in call.parameters}
        return {"Metrics": self.metrics.store.list_metrics(**wanted)}


class Alarms:
    """All alarms of a sandbox, awake or asleep."""

    def __init__(self, life, metrics):
        self.life, self.metrics = life, metrics
        self.alarms, self.composites = {}, {}  # name -> model
        self.awake = {}  # name -> when it was last seen to have a reason to be awake
        self.transitions = []  # (alarm name, transition)
        self.listeners = []  # functions(name, alarm, transition)
        self._ticket = None

    # put, describe, delete

    def check(self, call) -> None:
        Alarm(**_own(call.parameters))

    def put(self, call) -> None:
        name, given = call.parameters["AlarmName"], _own(call.parameters)
        alarm = self.alarms.get(name)
        if alarm is None:
            alarm = self.alarms[name] = Alarm(self.metrics.now, **given)
        else:
            alarm.update(**given)
        alarm.region = call.region
        self._show(name, alarm)
        self.life.meter.run(f"alarm {name}", "cloudwatch:alarm" if alarm.period >= MINUTE else "cloudwatch:alarm-fine")
        self.wake_all()

    def put_composite(self, call) -> dict:
        name, given = call.parameters["AlarmName"], _own(call.parameters)
        alarm = self.composites.get(name)
        if alarm is None:
            alarm = CompositeAlarm(self.metrics.now, **given)
        else:
            alarm.update(**given)
        missing = [child for child in alarm.children if child not in self.alarms and child not in self.composites]
        if missing:
            raise ServiceError("ValidationError", f"Alarms [{', '.join(missing)}] in the alarm rule do not exist.")
        self.composites[name], alarm.region = alarm, call.region
        self.life.meter.run(f"alarm {name}", "cloudwatch:alarm-composite")
        self.wake_all()
        return {}

    def delete(self, call) -> None:
        for name in call.parameters["AlarmNames"]:
            for alarms in (self.alarms, self.composites):
                alarms.pop(name, None)
            self.life.meter.end(f"alarm {name}")

    def describe(self, call) -> None:
        """moto tells of metric alarms; composite ones are added."""
        wanted = call.parameters.get("AlarmNames")
        kinds = call.parameters.get("AlarmTypes", ["MetricAlarm"])
        if "CompositeAlarm" not in kinds:
            return
        call.response["CompositeAlarms"] = [
            {**{key: value for key, value in alarm.parameters.items() if key != "Tags"}, "AlarmArn": self._arn(name, alarm),
             "StateValue": alarm.state, "StateReason": alarm.reason,
             "ActionsEnabled": alarm.parameters.get("ActionsEnabled", True)}
            for name, alarm in self.composites.items() if not wanted or name in wanted]

    def switch(self, call) -> None:
        for name in call.parameters["AlarmNames"]:
            alarm = self.alarms.get(name) or self.composites.get(name)
            if alarm is not None:
                alarm.parameters["ActionsEnabled"] = call.operation == "EnableAlarmActions"

    def set_state(self, call) -> dict:
        name = call.parameters["AlarmName"]
        alarm = self.alarms.get(name) or self.composites.get(name)
        if alarm is None:
            raise ServiceError("ResourceNotFound", f"Unknown alarm: {name}")
        transition = alarm.set_alarm_state(call.parameters["StateValue"], call.parameters["StateReason"], self.metrics.now,
                                           call.parameters.get("StateReasonData"))
        if transition is not None:
            self._changed(name, alarm, transition)
        self.wake_all()
        return {}

    def describe_history(self, call) -> dict:
        wanted = call.parameters.get("AlarmName")
        items = [{"AlarmName": name, "AlarmType": "CompositeAlarm" if name in self.composites else "MetricAlarm",
                  "Timestamp": datetime.fromtimestamp(one.when, UTC), "HistoryItemType": "StateUpdate",
                  "HistorySummary": f"Alarm updated from {one.old} to {one.new}",
                  "HistoryData": json.dumps({"oldState": {"stateValue": one.old}, "newState": {
                      "stateValue": one.new, "stateReason": one.reason}})}
                 for name, one in self.transitions if wanted in (None, name)]
        if call.parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            items.reverse()
        return {"AlarmHistoryItems": items[:call.parameters.get("MaxRecords", 100)]}

    # the clock

    def wake_all(self) -> None:
        """Something has happened: every alarm looks again, from the next full minute on."""
        now = self.life.clock.now
        for name in (*self.alarms, *self.composites):
            self.awake[name] = now
        self._plan()

    def _plan(self):
        if self._ticket is None and (self.alarms or self.composites) and self.awake:
            step = min((alarm.period for alarm in self.alarms.values()), default=MINUTE)
            step = 10.0 if step < MINUTE else MINUTE
            self._ticket = self.life.clock.at((self.life.clock.now // step + 1) * step, self._look)

    def _look(self):
        self._ticket = None
        now = self.metrics.now
        for name, alarm in list(self.alarms.items()):
            if name in self.awake:
                transition = alarm.evaluate(self.metrics.store, now)
                if transition is not None:
                    self._changed(name, alarm, transition)
                else:
                    for arn in alarm.standing_actions():
                        self._act(arn, name, alarm, None)
                    if self._settled(name, alarm):
                        self.awake.pop(name, None)
        states = {name: alarm.state for alarms in (self.alarms, self.composites) for name, alarm in alarms.items()}
        for name, alarm in list(self.composites.items()):
            transition = alarm.evaluate(states, now)
            if transition is not None:
                self._changed(name, alarm, transition)
                states[name] = alarm.state
            if alarm.next_check is None:
                self.awake.pop(name, None)
        self._plan()

    def _settled(self, name, alarm):
        """Nothing has happened for as long as the alarm looks back, so that nothing new can be seen."""
        if alarm.standing_actions():
            return False
        looks_back = (alarm.evaluation_periods + EXTRA + 1) * alarm.period
        restless = self.life.state.get("restless", ())
        return self.life.clock.now - self.awake.get(name, 0) > looks_back and not any(function(alarm) for function in restless)

    def _changed(self, name, alarm, transition):
        self.transitions.append((name, transition))
        self._show(name, alarm)
        if transition.old != transition.new:
            self.life.note("CloudWatch", f"alarm {transition.old} → {transition.new}", name, transition.reason)
        for other in self.composites:
            self.awake[other] = self.life.clock.now
        for listener in self.listeners:
            listener(name, alarm, transition)
        for arn in alarm.actions(transition):
            self._act(arn, name, alarm, transition)

    def _act(self, arn, name, alarm, transition):
        try:
            with self.life.on_behalf_of(self._arn(name, alarm)):
                self.life.send(arn, self._message(name, alarm, transition), "cloudwatch.amazonaws.com")
        except (LookupError, ServiceError, *_refused()) as error:
            self.life.note("CloudWatch", "alarm action failed", name, f"{arn}: {error}")

    def newest(self, alarm) -> float | None:
        """The newest value that an alarm looks at."""
        points, _ = alarm._read(self.metrics.store, *alarm._window(self.metrics.now), self.metrics.now)
        return points[max(points)][0] if points else None

    def _message(self, name, alarm, transition):
        """What an action gets: enough to know which alarm, from what to what, and the newest value."""
        given, date = alarm.parameters, self.life.sandbox.clock.date
        dimensions = [{"name": one["Name"], "value": one["Value"]} for one in given.get("Dimensions") or ()]
        new, old = (transition.new, transition.old) if transition else (alarm.state, alarm.state)
        return {"name": name, "state": new, "value": self.newest(alarm) if name in self.alarms else None,
                "threshold": given.get("Threshold"), "metrics": [dimensions], "notification": {
                    "AlarmName": name, "AlarmDescription": given.get("AlarmDescription"),
                    "AWSAccountId": self.life.sandbox.account_id, "NewStateValue": new, "NewStateReason": alarm.reason,
                    "StateChangeTime": f"{date:%Y-%m-%dT%H:%M:%S.000+0000}", "Region": "US East (N. Virginia)",
                    "AlarmArn": self._arn(name, alarm), "OldStateValue": old, "Trigger": {
                        "MetricName": given.get("MetricName"), "Namespace": given.get("Namespace"), "Dimensions": dimensions,
                        "Period": given.get("Period"), "Threshold": given.get("Threshold")}}}

    def _show(self, name, alarm):
        """moto's alarm says what the model's does."""
        shown = self.life.backend("cloudwatch", getattr(alarm, "region", None)).alarms.get(name)
        if shown is not None:
            shown.state_value, shown.state_reason = alarm.state, alarm.reason
            shown.state_reason_data = json.dumps(alarm.reason_data)
            shown.state_updated_timestamp = self.life.sandbox.clock.date.replace(tzinfo=None)

    def _arn(self, name, alarm):
        region = getattr(alarm, "region", None) or self.life.sandbox.region
        return f"arn:aws:cloudwatch:{region}:{self.life.sandbox.account_id}:alarm:{name}"


def _refused():
    from botocore.exceptions import ClientError
    return (ClientError,)


def _own(parameters):
    return {name: value for name, value in parameters.items() if name != "Tags"}


def _date(value):
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, (int, float)):
        value = datetime.fromtimestamp(value, UTC)
    return value
