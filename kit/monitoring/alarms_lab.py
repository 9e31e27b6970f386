"""Alarms in the sandbox: they look at their metrics on the clock, change their state, and act.

Alarms are moto's, so that boto3 shows them; each minute the model decides their state, and what they do goes to what
their ARNs name. An alarm belongs to a Region, as its metrics do: one of the same name elsewhere is another alarm.

**Simplified** An alarm is looked at at the full minute (every 10 s if its period is shorter). One whose metrics have
not moved for as long as it looks back sleeps until they do, which changes no result and lets a year pass. So whoever
moves a metric says so: ``record`` and ``put_metric_data`` do, and who supplies one calls ``Alarms.wake``.

Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms", "Alarm evaluation", read 2026-11-23; "Invoke a Lambda
function from an alarm", "Cross-account cross-Region CloudWatch console" ("Cross-Region functionality is not supported
for alarms"), read 2026-11-28.
"""

import json
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache

from kit.errors import ServiceError
from kit.monitoring.cloudwatch import EXTRA, Alarm, CompositeAlarm, configuration
from kit.monitoring.metrics import metric_key

MINUTE, FINE = 60.0, 10.0  # seconds: how often an alarm is looked at, and one with a shorter period
OWN = {"ec2": ("AWS/EC2",), "autoscaling": ("AWS/EC2", "AWS/AutoScaling"), "elb": ("AWS/ELB",),
       "elbv2": ("AWS/ApplicationELB", "AWS/NetworkELB")}  # what a call to a service may move, however it does so
READING = ("Describe", "Get", "List")  # how the names of calls begin that move nothing
SERVICE, FOR_LAMBDA = "cloudwatch.amazonaws.com", "lambda.alarms.cloudwatch.amazonaws.com"  # as whom alarms act


def alarm_item(given: dict) -> tuple[str, int]:
    """What an alarm with these parameters of PutMetricAlarm costs, and how many times."""
    queries = given.get("Metrics", ())
    periods = [one["MetricStat"]["Period"] for one in queries if "MetricStat" in one] or [given.get("Period", MINUTE)]
    band = any("ANOMALY_DETECTION_BAND" in one.get("Expression", "") for one in queries)
    return "cloudwatch:alarm" if min(periods) >= MINUTE else "cloudwatch:alarm-fine", len(periods) * (3 if band else 1)


class Alarms:
    """All alarms of a sandbox, awake or asleep. ``alarms``: those of the sandbox's own Region, by name."""

    def __init__(self, life, metrics):
        self.life, self.metrics = life, metrics
        self.all, self.composites = {}, {}  # (region, name) -> model
        self.awake = {}  # (region, name) -> when it was last seen to have a reason to be awake
        self.transitions = []  # ((region, name), transition)
        self.listeners = []  # functions(name, alarm, transition); the alarm knows its region
        self._watching = defaultdict(dict)  # (region, namespace) -> {(region, name): alarm}
        self._told = {}  # (region, name) -> its state, as functions get it
        self._ticket = self._due = None
        metrics.moved.append(self._moved)

    @property
    def alarms(self) -> dict:
        return self.of()

    def of(self, region: str | None = None) -> dict:
        """name -> metric alarm, of one Region."""
        region = region or self.life.sandbox.region
        return {name: alarm for (where, name), alarm in self.all.items() if where == region}

    # put, describe, delete

    def check(self, call) -> None:
        Alarm(**_own(call.parameters))

    def put(self, call) -> None:
        key, given = (call.region, call.parameters["AlarmName"]), _own(call.parameters)
        alarm = self.all.get(key)
        if alarm is None:
            alarm = self.all[key] = Alarm(self.metrics.now, **given)
            alarm.region = call.region
            self._told[key] = _state(alarm, self.metrics.now)
        else:
            self._forget(key)
            alarm.update(**given)
        for namespace, *_ in alarm.watched:
            self._watching[call.region, namespace][key] = alarm
        self.metrics.detectors_of(call.region).of_alarm(given, self.metrics.now)
        self._show(key, alarm)
        self.life.meter.end(self._line(key))  # its period may be another one now
        self.life.meter.run(self._line(key), *alarm_item(given))
        self._wake(key)

    def put_composite(self, call) -> dict:
        key, given = (call.region, call.parameters["AlarmName"]), _own(call.parameters)
        alarm = self.composites.get(key)
        if alarm is None:
            alarm = CompositeAlarm(self.metrics.now, **given)
        else:
            alarm.update(**given)
        known = {name for alarms in (self.all, self.composites) for region, name in alarms if region == call.region}
        if missing := [child for child in alarm.children if child not in known]:
            raise ServiceError("ValidationError", f"Alarms [{', '.join(missing)}] in the alarm rule do not exist.")
        if key not in self.composites:
            self.composites[key], alarm.region = alarm, call.region
            self._told[key] = _state(alarm, self.metrics.now)
        self.life.meter.end(self._line(key))
        self.life.meter.run(self._line(key), "cloudwatch:alarm-composite")
        self._wake(key)
        return {}

    def delete(self, call) -> None:
        for name in call.parameters["AlarmNames"]:
            key = call.region, name
            self._forget(key)
            for known in (self.all, self.composites, self.awake, self._told):
                known.pop(key, None)
            self.life.meter.end(self._line(key))

    def describe(self, call) -> None:
        """moto tells of metric alarms; composite ones are added."""
        given, kinds = call.parameters, call.parameters.get("AlarmTypes", ["MetricAlarm"])
        if "MetricAlarm" not in kinds:
            call.response["MetricAlarms"] = []
        if "CompositeAlarm" not in kinds:
            return
        wanted, prefix, state = given.get("AlarmNames"), given.get("AlarmNamePrefix", ""), given.get("StateValue")
        call.response["CompositeAlarms"] = [
            {**{key: value for key, value in alarm.parameters.items() if key != "Tags"}, "AlarmArn": self._arn((region, name)),
             "StateValue": alarm.state, "StateReason": alarm.reason,
             "ActionsEnabled": alarm.parameters.get("ActionsEnabled", True)}
            for (region, name), alarm in self.composites.items() if region == call.region and name.startswith(prefix)
            and (not wanted or name in wanted) and state in (None, alarm.state)]

    def switch(self, call) -> None:
        for name in call.parameters["AlarmNames"]:
            alarm = self._known(call.region, name)
            if alarm is not None:
                alarm.parameters["ActionsEnabled"] = call.operation == "EnableAlarmActions"
                self._wake((call.region, name))

    def set_state(self, call) -> dict:
        key = call.region, call.parameters["AlarmName"]
        alarm = self._known(*key)
        if alarm is None:
            raise ServiceError("ResourceNotFound", f"Unknown alarm: {key[1]}")
        transition = alarm.set_alarm_state(call.parameters["StateValue"], call.parameters["StateReason"], self.metrics.now,
                                           call.parameters.get("StateReasonData"))
        if transition is not None:
            self._changed(key, alarm, transition)
        self._wake(key)
        return {}

    def describe_history(self, call) -> dict:
        wanted = call.parameters.get("AlarmName")
        items = [{"AlarmName": name, "AlarmType": "CompositeAlarm" if (region, name) in self.composites else "MetricAlarm",
                  "Timestamp": datetime.fromtimestamp(one.when, UTC), "HistoryItemType": "StateUpdate",
                  "HistorySummary": f"Alarm updated from {one.old} to {one.new}",
                  "HistoryData": json.dumps({"oldState": {"stateValue": one.old}, "newState": {
                      "stateValue": one.new, "stateReason": one.reason}})}
                 for (region, name), one in self.transitions if region == call.region and wanted in (None, name)]
        if call.parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            items.reverse()
        return {"AlarmHistoryItems": items[:call.parameters.get("MaxRecords", 100)]}

    # the clock

    def wake_all(self) -> None:
        """Anything may have happened: every alarm looks again, from the next full minute on."""
        for key in (*self.all, *self.composites):
            self._wake(key)

    def wake(self, Namespace: str, MetricName: str | None = None, Dimensions: list[dict] | None = None,
             region: str | None = None) -> None:
        """Something has moved metrics of this namespace, or this name, or with these dimensions among theirs: the alarms
        that watch one look again."""
        self._wake_watching(region or self.life.sandbox.region, Namespace, MetricName, metric_key("", "", Dimensions)[2])

    def called(self, call) -> None:
        """The learner has made a call: what it may have moved."""
        if not call.operation.startswith(READING):
            for namespace in OWN.get(call.service, ()):
                self._wake_watching(call.region, namespace)

    def _moved(self, region, key, until):
        self._wake_watching(region, *key, until=until, exactly=True)

    def _wake_watching(self, region, namespace, name=None, dimensions=(), until=0.0, exactly=False):
        for key, alarm in self._watching.get((region, namespace), {}).items():
            if exactly:
                watches = (namespace, name, dimensions) in alarm.watched
            else:
                watches = any(space == namespace and name in (None, metric) and set(dimensions) <= set(has)
                              for space, metric, has in alarm.watched)
            if watches:
                self._wake(key, until)

    def _wake(self, key, until=0.0):
        """until: data of the future moves an alarm when its time has come."""
        self.awake[key] = max(self.awake.get(key, 0.0), self.life.clock.now, until)
        alarm = self.all.get(key)
        self._plan(FINE if alarm is not None and alarm.period < MINUTE else MINUTE)

    def _plan(self, step):
        due = (self.life.clock.now // step + 1) * step
        if self._ticket is not None and self._due <= due:
            return
        if self._ticket is not None:
            self.life.clock.cancel(self._ticket)
        self._ticket, self._due = self.life.clock.at(due, self._look), due

    def _look(self):
        self._ticket = None
        now = self.metrics.now
        minute = self.life.clock.now % MINUTE == 0
        for key in [key for key in self.all if key in self.awake]:
            alarm = self.all.get(key)
            if alarm is None or (alarm.period >= MINUTE and not minute):
                continue
            transition = alarm.evaluate(self.metrics.of(alarm.region), now)
            if transition is not None:
                self._changed(key, alarm, transition)
            else:
                for arn in alarm.standing_actions():
                    self._act(arn, key, alarm, None)
                if self._settled(key, alarm):
                    self.awake.pop(key, None)
        if self.composites:
            self._look_at_composites(now)
        if self.awake:
            self._plan(FINE if any(key in self.all and self.all[key].period < MINUTE for key in self.awake) else MINUTE)

    def _look_at_composites(self, now):
        states = defaultdict(dict)  # region -> {name: state}
        for alarms in (self.all, self.composites):
            for (region, name), alarm in alarms.items():
                states[region][name] = alarm.state
        for key, alarm in list(self.composites.items()):
            transition = alarm.evaluate(states[key[0]], now)
            if transition is not None:
                self._changed(key, alarm, transition)
                states[key[0]][key[1]] = alarm.state
            if alarm.next_check is None:
                self.awake.pop(key, None)

    def _settled(self, key, alarm):
        """Nothing has happened for as long as the alarm looks back, so that nothing new can be seen."""
        if alarm.standing_actions():
            return False
        looks_back = (alarm.evaluation_periods + EXTRA + 1) * alarm.period
        restless = self.life.state.get("restless", ())
        return self.life.clock.now - self.awake.get(key, 0) > looks_back and not any(function(alarm) for function in restless)

    def _changed(self, key, alarm, transition):
        self.transitions.append((key, transition))
        self._show(key, alarm)
        if transition.old != transition.new:
            self.life.note("CloudWatch", f"alarm {transition.old} → {transition.new}", key[1], transition.reason)
        for other in self.composites:
            if other[0] == key[0]:
                self._wake(other)
        for listener in self.listeners:
            listener(key[1], alarm, transition)
        for arn in alarm.actions(transition):
            self._act(arn, key, alarm, transition)
        self._told[key] = _state(alarm, self.metrics.now)

    def _act(self, arn, key, alarm, transition):
        """Tell what an ARN names; functions are called as a service of their own, and get an event of their own."""
        told, service = (self._event, FOR_LAMBDA) if arn.startswith("arn:aws:lambda:") else (self._message, SERVICE)
        try:
            with self.life.on_behalf_of(self._arn(key)):
                self.life.send(arn, told(key, alarm, transition), service)
        except (LookupError, ServiceError, *_refused()) as error:
            self.life.note("CloudWatch", "alarm action failed", key[1], f"{arn}: {error}")

    def _forget(self, key):
        for watching in self._watching.values():
            watching.pop(key, None)

    def _known(self, region, name):
        return self.all.get((region, name)) or self.composites.get((region, name))

    def _line(self, key):
        """Its line on the bill."""
        region, name = key
        return f"alarm {name}" if region == self.life.sandbox.region else f"alarm {name} in {region}"

    def newest(self, alarm) -> float | None:
        """The newest value that an alarm looks at."""
        points, _ = alarm._read(self.metrics.of(alarm.region), *alarm._window(self.metrics.now), self.metrics.now)
        return points[max(points)][0] if points else None

    def _message(self, key, alarm, transition):
        """What an action gets: enough to know which alarm, from what to what, and the newest value."""
        given, date, (region, name) = alarm.parameters, self.life.sandbox.clock.date, key
        dimensions = [{"name": one["Name"], "value": one["Value"]} for one in given.get("Dimensions") or ()]
        new, old = (transition.new, transition.old) if transition else (alarm.state, alarm.state)
        return {"name": name, "state": new, "value": self.newest(alarm) if key in self.all else None,
                "threshold": given.get("Threshold"), "metrics": [dimensions], "notification": {
                    "AlarmName": name, "AlarmDescription": given.get("AlarmDescription"),
                    "AWSAccountId": self.life.sandbox.account_id, "NewStateValue": new, "NewStateReason": alarm.reason,
                    "StateChangeTime": f"{date:%Y-%m-%dT%H:%M:%S.000+0000}", "Region": _regions().get(region, region),
                    "AlarmArn": self._arn(key), "OldStateValue": old, "Trigger": {
                        "MetricName": given.get("MetricName"), "Namespace": given.get("Namespace"), "Dimensions": dimensions,
                        "Period": given.get("Period"), "Threshold": given.get("Threshold")}}}

    def _event(self, key, alarm, transition):
        """What a function gets ("Invoke a Lambda function from an alarm")."""
        state, (region, name) = _state(alarm, self.metrics.now), key
        return {"source": "aws.cloudwatch", "alarmArn": self._arn(key), "accountId": self.life.sandbox.account_id,
                "time": state["timestamp"], "region": region, "alarmData": {
                    "alarmName": name, "state": state, "previousState": self._told.get(key, state),
                    "configuration": configuration(alarm.parameters)}}

    def _show(self, key, alarm):
        """moto's alarm says what the model's does."""
        shown = self.life.backend("cloudwatch", alarm.region).alarms.get(key[1])
        if shown is not None:
            shown.state_value, shown.state_reason = alarm.state, alarm.reason
            shown.state_reason_data = json.dumps(alarm.reason_data)
            shown.state_updated_timestamp = self.life.sandbox.clock.date.replace(tzinfo=None)

    def _arn(self, key):
        return f"arn:aws:cloudwatch:{key[0]}:{self.life.sandbox.account_id}:alarm:{key[1]}"


def _state(alarm, now):
    data = {"reasonData": json.dumps(alarm.reason_data)} if alarm.reason_data else {}
    return {"value": alarm.state, "reason": alarm.reason, **data,
            "timestamp": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S.000+0000}"}


@cache
def _regions():
    """region -> its name, as messages have it."""
    from botocore.loaders import create_loader
    return {name: one["description"] for partition in create_loader().load_data("partitions")["partitions"]
            for name, one in partition["regions"].items()}


def _refused():
    from botocore.exceptions import ClientError
    return (ClientError,)


def _own(parameters):
    return {name: value for name, value in parameters.items() if name != "Tags"}
