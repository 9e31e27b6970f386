"""What AWS's own services tell the default event bus in the sandbox: instances change their state, alarms change theirs,
Auto Scaling groups launch and terminate.

These services are only brought to life when a rule or an archive could match what they say.

**Simplified** Events come at once and none is lost; AWS sends those of Auto Scaling on a best-effort basis.
**Not modelled** All other events of these services: lifecycle hooks, alarms that are created or deleted, Spot.

Amazon EC2 User Guide, "State change events for Amazon EC2 instances". Amazon CloudWatch User Guide, "Alarm events and
EventBridge". Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling event reference". Read 2026-11-28.
"""

import json

from kit.monitoring.cloudwatch import configuration

SERVICES = {"aws.ec2": "ec2", "aws.cloudwatch": "cloudwatch", "aws.autoscaling": "autoscaling"}  # source -> what wakes it
SCALING = {"Launching": "Launch", "Terminating": "Terminate"}  # how an activity's description begins


def live(life, events) -> None:
    life.state["service events"] = ServiceEvents(life, events)


class ServiceEvents:
    """Who listens to the services of one sandbox."""

    def __init__(self, life, events):
        self.life, self.events = life, events
        self._listening = set()
        self._activities = {}  # group -> [how many activities are known, those that go on]

    def wanted(self, pattern: dict) -> None:
        """A rule with this pattern may match events of some services: listen to them from now on."""
        sources = pattern.get("source") if pattern else ()
        if sources is None or not all(isinstance(one, str) for one in sources):
            sources = SERVICES  # no source, or one by prefix and the like
        for source in SERVICES:
            if source in sources and source not in self._listening:
                self._listening.add(source)
                self.life.wake(SERVICES[source])
                {"aws.ec2": self._hear_ec2, "aws.cloudwatch": self._hear_alarms,
                 "aws.autoscaling": self._hear_scaling}[source]()

    def _hear_ec2(self):
        self.life.state["ec2"].on_state.append(self.instance_state)

    def _hear_alarms(self):
        self.life.state["alarms"].listeners.append(self.alarm_changed)

    def _hear_scaling(self):
        from kit.compute.scaling_lab import Scaling
        scaling = self.life.state["autoscaling"]
        self._activities = {key: [len(group.activities), []] for key, group in scaling.groups.items()}
        self.life.patch(Scaling, "sync", self.synced)

    def instance_state(self, instance, state) -> None:
        region = instance.ec2_backend.region_name
        self.events.emit("aws.ec2", "EC2 Instance State-change Notification", {"instance-id": instance.id, "state": state},
                         [self._arn("ec2", region, f"instance/{instance.id}")], region)

    def alarm_changed(self, name, alarm, transition) -> None:
        if transition.old == transition.new:
            return
        region = getattr(alarm, "region", None) or self.life.sandbox.region
        state = {"value": transition.new, "reason": transition.reason, "timestamp": self._time()}
        if transition.reason_data:
            state["reasonData"] = json.dumps(transition.reason_data)
        self.events.emit("aws.cloudwatch", "CloudWatch Alarm State Change", {
            "alarmName": name, "state": state, "previousState": {"value": transition.old},
            "configuration": configuration(alarm.parameters)}, [self._arn("cloudwatch", region, f"alarm:{name}")], region)

    def synced(self, before, scaling, key) -> None:
        """After whatever an Auto Scaling group has done: its activities that are over."""
        before(scaling, key)
        group = scaling.groups.get(key)
        if group is None:
            return
        known, going_on = self._activities.setdefault(key, [0, []])
        going_on = going_on + group.activities[known:]
        over = [one for one in going_on if one["StatusCode"] in ("Successful", "Failed", "Cancelled")]
        self._activities[key] = [len(group.activities), [one for one in going_on if one not in over]]
        for activity in over:
            self._scaled(key, activity)

    def _scaled(self, key, activity):
        region, name = key
        kind = next((word for start, word in SCALING.items() if activity["Description"].startswith(start)), None)
        if kind is None:
            return
        good = activity["StatusCode"] == "Successful"
        instance = activity["Description"].partition("EC2 instance: ")[2].split(" ")[0]
        group = self.life.backend("autoscaling", region).autoscaling_groups.get(name)
        resources = [group.arn] if group is not None else []
        resources += [self._arn("ec2", region, f"instance/{instance}")] if instance else []
        self.events.emit("aws.autoscaling", f"EC2 Instance {kind} {'Successful' if good else 'Unsuccessful'}", {
            "StatusCode": "InProgress" if good else activity["StatusCode"], "Description": activity["Description"],
            "AutoScalingGroupName": name, "ActivityId": activity["ActivityId"], "RequestId": activity["ActivityId"],
            "Details": activity["Details"], "StatusMessage": activity.get("StatusMessage", ""), "Cause": activity["Cause"],
            "StartTime": self._iso(activity["StartTime"]), "EndTime": self._iso(activity["EndTime"]),
            "EC2InstanceId": instance}, resources, region)

    def _arn(self, service, region, rest):
        return f"arn:aws:{service}:{region}:{self.life.sandbox.account_id}:{rest}"

    def _time(self):
        return f"{self.life.sandbox.clock.date:%Y-%m-%dT%H:%M:%S.000+0000}"

    def _iso(self, seconds):
        return None if seconds is None else f"{self.life.sandbox.clock.date_at(seconds):%Y-%m-%dT%H:%M:%SZ}"
