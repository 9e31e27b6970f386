"""Auto Scaling groups in the sandbox: the model decides how many servers there are, and moto's groups follow.

Each group is a ``scaling_group.Group`` on the sandbox's clock. What it launches and terminates are instances of moto,
so that EC2 shows them; what it thinks stands in its activities, and in the history. Alarms reach it through CloudWatch,
and those of target tracking are real alarms that CloudWatch evaluates.

**Simplified** A launch template's own changes reach only the instances launched later. Updates by CloudFormation do not
reach the model. An instance that goes is terminated while its target still drains. The forecast of predictive scaling comes from the load that
the group was given, hour by hour.

EC2 Auto Scaling API Reference, as botocore 1.44.5 carries it, read 2026-11-23.
"""

import re

from kit.compute.ec2_lab import BOOT, END
from kit.compute.load import Load
from kit.compute.predictive import HORIZON, HOUR, LEAST_HISTORY, forecast, plan
from kit.compute.scaling_group import Group
from kit.errors import ServiceError
from kit.sim import Steps

MOTO_PASSES = {  # operations whose outcome is the model's alone: boto3's name -> what to call with which parameters
    "SetDesiredCapacity": ("set_desired_capacity", ("DesiredCapacity", "HonorCooldown")),
    "ExecutePolicy": ("execute_policy", ("PolicyName", "MetricValue", "BreachThreshold", "HonorCooldown")),
    "SetInstanceProtection": ("set_instance_protection", ("InstanceIds", "ProtectedFromScaleIn")),
    "SuspendProcesses": ("suspend_processes", ("ScalingProcesses",)),
    "ResumeProcesses": ("resume_processes", ("ScalingProcesses",)),
    "CompleteLifecycleAction": ("complete_lifecycle_action", ("LifecycleHookName", "InstanceId", "LifecycleActionResult")),
    "RecordLifecycleActionHeartbeat": ("record_lifecycle_action_heartbeat", ("LifecycleHookName", "InstanceId"))}
ACTIVITIES = {  # and those that answer with the activities they began
    "EnterStandby": "enter_standby", "ExitStandby": "exit_standby", "DetachInstances": "detach_instances"}
UPDATES = ("MinSize", "MaxSize", "DesiredCapacity", "DefaultCooldown", "DefaultInstanceWarmup", "HealthCheckGracePeriod",
           "TerminationPolicies", "NewInstancesProtectedFromScaleIn")


def live(life) -> None:
    for service in ("ec2", "cloudwatch"):
        life.wake(service)
    scaling = Scaling(life)
    life.state["autoscaling"] = scaling
    from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
    life.patch(FakeAutoScalingGroup, "set_desired_capacity", scaling.moto_wants)
    life.patch(AutoScalingBackend, "create_auto_scaling_group", scaling.created)
    life.patch(AutoScalingBackend, "update_attached_target_groups", scaling.attach)
    life.patch(AutoScalingBackend, "notify_terminate_instances", scaling.ended_by_somebody)
    for operation in (*MOTO_PASSES, *ACTIVITIES):
        life.answer("autoscaling", operation, scaling.told)
    for operation, answer in (("TerminateInstanceInAutoScalingGroup", scaling.terminate), ("SetInstanceHealth", scaling.health),
                              ("DescribeScalingActivities", scaling.activities),
                              ("GetPredictiveScalingForecast", scaling.get_forecast)):
        life.answer("autoscaling", operation, answer)
    life.before("autoscaling", "UpdateAutoScalingGroup", scaling.update)
    life.before("autoscaling", "DeleteAutoScalingGroup", scaling.delete)
    life.before("autoscaling", "PutScalingPolicy", scaling.put_policy)
    life.then("autoscaling", "PutScalingPolicy", scaling.put_alarms)
    life.before("autoscaling", "DeletePolicy", scaling.delete_policy)
    life.before("autoscaling", "PutLifecycleHook", scaling.put_hook)
    life.before("autoscaling", "PutScheduledUpdateGroupAction", scaling.schedule)
    life.before("autoscaling", "DeleteScheduledAction", scaling.unschedule)
    life.then("autoscaling", "DescribeAutoScalingGroups", scaling.describe)
    life.then("autoscaling", "DescribePolicies", scaling.describe_policies)
    life.receive("arn:aws:autoscaling:", scaling.rung)
    life.state["alarms"].listeners.append(scaling.alarm_changed)
    life.state.setdefault("restless", []).append(scaling.restless)
    life.state.setdefault("on_target_health", []).append(scaling.target_health)
    life.state["ec2"].on_state.append(scaling.instance_state)
    life.state["ec2"].on_zone.append(scaling.zone)
    life.quotes["autoscaling", "CreateAutoScalingGroup"] = scaling.quote


class Scaling:
    """The groups of one sandbox. ``groups``: (region, name) -> model; ``of``: the same -> moto's own group."""

    def __init__(self, life):
        self.life = life
        self.groups: dict[tuple, Group] = {}
        self.of, self.loads, self.serving, self.seen = {}, {}, {}, {}

    # moto's groups and the model's

    def moto_wants(self, before, moto, new) -> None:
        """moto would launch or terminate at once; the model says how many there are to be."""
        group = self.groups.get(_key(moto))
        moto.desired_capacity = group.DesiredCapacity if group else moto.min_size if new is None else new

    def created(self, before, backend, *arguments, **named):
        moto = before(backend, *arguments, **named)
        key = _key(moto)
        self.of[key], self.seen[key], self.serving[key], self.loads[key] = moto, 0, Steps(), Load()
        clock, group = SyncedClock(self.life.clock, lambda: self.sync(key)), None

        def launch(zone):
            return self._launch(moto, zone)

        def terminate(name):
            return self._terminate(moto, name)

        group = Group(clock, moto.name, moto.min_size, moto.max_size, moto.desired_capacity, tuple(moto.availability_zones),
                      launch, terminate, boot=BOOT + 5, shutdown=END, DefaultCooldown=moto.default_cooldown,
                      HealthCheckGracePeriod=moto.health_check_grace_period or 0,
                      TerminationPolicies=tuple(moto.termination_policies), LaunchTemplate=_template(moto),
                      NewInstancesProtectedFromScaleIn=moto.new_instances_protected_from_scale_in, date=self._iso)
        self.groups[key] = group
        self.life.state["ec2"].load_takers[moto.name] = lambda amount: self.loads[key].set(self.life.sandbox.clock.now, amount)
        self._metrics(key, moto)
        self.sync(key)
        return moto

    def _launch(self, moto, zone):
        zones, subnets = moto.availability_zones, moto.vpc_zone_identifier
        if subnets:
            here = [name for name in subnets.split(",") if self._zone_of(moto, name) == zone]
            moto.vpc_zone_identifier = (here or subnets.split(","))[0]
        moto.availability_zones = [zone]
        try:
            moto.replace_autoscaling_group_instances(1, moto.get_propagated_tags())
        finally:
            moto.availability_zones, moto.vpc_zone_identifier = zones, subnets
        name = moto.instance_states[-1].instance.id
        key = _key(moto)
        self.life.state["ec2"].members[name] = lambda now: self._share(key, name, now)
        return name

    def _terminate(self, moto, name):
        moto.instance_states = [state for state in moto.instance_states if state.instance.id != name]
        moto.ec2_backend.terminate_instances([name])

    def _zone_of(self, moto, subnet):
        return moto.ec2_backend.get_subnet(subnet).availability_zone

    def sync(self, key) -> None:
        """Show in moto what the model has become, and say in the history what it has done."""
        group, moto = self.groups.get(key), self.of[key]
        if group is None:
            return
        moto.desired_capacity, moto.min_size, moto.max_size = group.DesiredCapacity, group.MinSize, group.MaxSize
        for state in moto.instance_states:
            member = group.instances.get(state.instance.id)
            if member is not None:
                state.lifecycle_state, state.health_status = member.state, member.health
                state.protected_from_scale_in = member.protected
        self.serving[key].set(self.life.sandbox.clock.now, len(group.in_service()))
        for activity in group.activities[self.seen[key]:]:
            self.life.note("Auto Scaling", activity["Description"], moto.name, activity["Cause"])
        self.seen[key] = len(group.activities)
        if key[1] in moto.autoscaling_backend.autoscaling_groups and (moto.target_group_arns or moto.load_balancer_names):
            moto.autoscaling_backend.update_attached_elbs(moto.name)
            moto.autoscaling_backend.update_attached_target_groups(moto.name)
        self.life.state["alarms"].wake_all()

    def ended_by_somebody(self, before, backend, names) -> None:
        """Somebody has terminated instances of a group by hand: their group sees to it."""
        self._failed(names)

    def attach(self, before, backend, name) -> None:
        """Its target groups have the instances that are in service; moto would register those that still boot."""
        moto = backend.autoscaling_groups[name]
        group = self.groups.get(_key(moto))
        serving = set(group.in_service()) if group else set()
        for arn in moto.target_group_arns:
            target_group = backend.elbv2_backend.target_groups.get(arn)
            if target_group is not None:
                ours = {one for one in target_group.targets if group and one in (*group.instances, *group.gone)}
                target_group.register([{"Id": one, "Port": target_group.port} for one in sorted(serving - ours)])
                target_group.deregister([{"Id": one} for one in sorted(ours - serving)])

    def target_health(self, arn, name, state) -> None:
        """A group with the health check type ELB replaces a target that has become unhealthy, after its grace period."""
        for key, group in self.groups.items():
            moto = self.of[key]
            if state == "unhealthy" and name in group.instances and moto.health_check_type == "ELB" and arn in moto.target_group_arns:
                grace = (group.instances[name].in_service_at or 0) + group.HealthCheckGracePeriod
                self.life.clock.at(max(self.life.clock.now, grace), self._target_unhealthy, key, arn, name)

    def _target_unhealthy(self, key, arn, name):
        group = self.groups.get(key)
        if group is None or name not in group.instances:
            return
        shown = self.life.client("elbv2", key[0]).describe_target_health(TargetGroupArn=arn, Targets=[{"Id": name}])
        if shown["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "unhealthy":
            group.elb_unhealthy(name)
            self.sync(key)

    def instance_state(self, instance, state) -> None:
        """EC2's own health check: an instance that is stopped is not healthy."""
        if state == "stopping":
            self._failed([instance.id])

    def zone(self, zone, down) -> None:
        """A zone fails or comes back: groups replace what was in it, and later spread out again."""
        for key, group in self.groups.items():
            if zone in group.zones:
                (group.zone_failed if down else group.zone_recovered)(zone)
                self.sync(key)

    def _failed(self, names):
        for key, group in self.groups.items():
            for name in names:
                if name in group.instances:
                    group.instance_failed(name)
                    self.sync(key)

    # what boto3 asks

    def told(self, call) -> dict:
        """Operations that the model does by itself."""
        key, group = self._group(call)
        if call.operation in ACTIVITIES:
            first, given = len(group.activities), {"InstanceIds": call.parameters.get("InstanceIds", [])}
            if call.operation != "ExitStandby":
                given["ShouldDecrementDesiredCapacity"] = call.parameters["ShouldDecrementDesiredCapacity"]
            getattr(group, ACTIVITIES[call.operation])(**given)
            if call.operation == "DetachInstances":
                moto = self.of[key]
                moto.instance_states = [one for one in moto.instance_states if one.instance.id not in given["InstanceIds"]]
            self.sync(key)
            return {"Activities": [self._activity(key, one) for one in group.activities[first:]]}
        method, names = MOTO_PASSES[call.operation]
        given = {name: call.parameters[name] for name in names if name in call.parameters}
        if "LifecycleActionToken" in call.parameters and "InstanceId" not in given:
            raise ServiceError("ValidationError", "Give the InstanceId: the sandbox has no lifecycle action tokens.")
        getattr(group, method)(**given)
        self.sync(key)
        return {}

    def terminate(self, call) -> dict:
        name = call.parameters["InstanceId"]
        for key, group in self.groups.items():
            if name in group.instances and key[0] == call.region:
                first = len(group.activities)
                group.terminate_instance_in_auto_scaling_group(name, call.parameters["ShouldDecrementDesiredCapacity"])
                self.sync(key)
                return {"Activity": self._activity(key, group.activities[first])}
        raise ServiceError("ValidationError", f"Instance Id not found - No managed instance found for instance ID {name}")

    def health(self, call) -> dict:
        name = call.parameters["InstanceId"]
        for key, group in self.groups.items():
            if name in group.instances and key[0] == call.region:
                group.set_instance_health(name, call.parameters["HealthStatus"], call.parameters.get("ShouldRespectGracePeriod", True))
                self.sync(key)
                return {}
        raise ServiceError("ValidationError", f"Instance Id not found - No managed instance found for instance ID {name}")

    def activities(self, call) -> dict:
        """Newest first, with the causes as AWS words them."""
        wanted = call.parameters.get("AutoScalingGroupName")
        found = [self._activity(key, one) for key, group in self.groups.items()
                 if key[0] == call.region and wanted in (None, key[1]) for one in reversed(group.activities)]
        return {"Activities": found[:call.parameters.get("MaxRecords", 100)]}

    def update(self, call) -> None:
        key, group = self._group(call)
        given = {name: call.parameters[name] for name in UPDATES if name in call.parameters}
        group.update(**given)
        call.parameters.pop("DesiredCapacity", None)
        self.life.sandbox.life.clock.after(0, self.sync, key)
        self.sync(key)

    def delete(self, call) -> None:
        key, group = self._group(call)
        group.delete(call.parameters.get("ForceDelete", False))
        self.sync(key)
        for name in [alarm["AlarmName"] for alarm in group.alarms_wanted()]:
            self.life.client("cloudwatch", key[0]).delete_alarms(AlarmNames=[name])
        self.life.state["ec2"].load_takers.pop(key[1], None)

    def put_policy(self, call) -> None:
        key, group = self._group(call)
        given = {name: value for name, value in call.parameters.items() if name != "AutoScalingGroupName"}
        self._drop_alarms(key, group, given["PolicyName"])
        group.put_scaling_policy(**given)
        if given.get("PolicyType") == "PredictiveScaling":
            self.life.clock.after(0, self._forecast_hour, key, given["PolicyName"])

    def put_alarms(self, call) -> None:
        """Target tracking makes its own alarms; they are as real as the learner's."""
        key, group = self._group(call)
        policy = group.policies[call.parameters["PolicyName"]]
        moto = self.life.backend("autoscaling", key[0]).policies[call.parameters["PolicyName"]]
        call.response |= {"PolicyARN": moto.arn, "Alarms": []}
        for alarm in policy.get("alarms", {}).values():
            wanted = alarm | {"AlarmActions": [call.response["PolicyARN"]]}
            self.life.client("cloudwatch", key[0]).put_metric_alarm(**wanted)
            call.response["Alarms"].append({"AlarmName": alarm["AlarmName"], "AlarmARN":
                                            f"arn:aws:cloudwatch:{key[0]}:{self.life.sandbox.account_id}:alarm:{alarm['AlarmName']}"})

    def delete_policy(self, call) -> None:
        key, group = self._group(call)
        name = call.parameters["PolicyName"].rsplit("policyName/", 1)[-1]
        self._drop_alarms(key, group, name)
        group.delete_policy(name)

    def put_hook(self, call) -> None:
        _, group = self._group(call)
        group.put_lifecycle_hook(**{name: call.parameters[name] for name in (
            "LifecycleHookName", "LifecycleTransition", "HeartbeatTimeout", "DefaultResult") if name in call.parameters})

    def schedule(self, call) -> None:
        _, group = self._group(call)
        given = {name: call.parameters[name] for name in (
            "ScheduledActionName", "Recurrence", "MinSize", "MaxSize", "DesiredCapacity") if name in call.parameters}
        for name in ("StartTime", "EndTime"):
            if name in call.parameters:
                given[name] = self.life.sandbox.clock.seconds_at(call.parameters[name])
        group.put_scheduled_update_group_action(**given)

    def unschedule(self, call) -> None:
        self._group(call)[1].delete_scheduled_action(call.parameters["ScheduledActionName"])

    def describe(self, call) -> None:
        """What moto does not know of its groups."""
        for shown in call.response["AutoScalingGroups"]:
            group = self.groups.get((call.region, shown["AutoScalingGroupName"]))
            if group is None:
                continue
            told = group.describe()
            known = {one["InstanceId"]: one for one in shown.get("Instances", [])}
            shown["Instances"] = [known.get(one["InstanceId"], {}) | {name: one[name] for name in (
                "InstanceId", "AvailabilityZone", "LifecycleState", "HealthStatus", "ProtectedFromScaleIn")}
                for one in told["Instances"]]
            shown["SuspendedProcesses"] = told["SuspendedProcesses"]
            shown["DefaultCooldown"] = told["DefaultCooldown"]

    def describe_policies(self, call) -> None:
        for shown in call.response["ScalingPolicies"]:
            group = self.groups.get((call.region, shown["AutoScalingGroupName"]))
            alarms = group.policies.get(shown["PolicyName"], {}).get("alarms", {}) if group else {}
            shown["Alarms"] = [{"AlarmName": one["AlarmName"], "AlarmARN":
                                f"arn:aws:cloudwatch:{call.region}:{self.life.sandbox.account_id}:alarm:{one['AlarmName']}"}
                               for one in alarms.values()] or self._alarms_of(shown["PolicyARN"], call.region)

    def quote(self, parameters) -> list:
        from kit.compute.ec2_lab import PUBLIC_ADDRESS
        number = parameters.get("DesiredCapacity", parameters["MinSize"])
        template = parameters.get("LaunchTemplate", {})
        backend = self.life.backend("ec2")
        found = [one for one in backend.launch_templates.values()
                 if template and template.get("LaunchTemplateId", one.id) == one.id
                 and template.get("LaunchTemplateName", one.name) == one.name]
        kind = found[0].default_version().data.get("InstanceType", "m1.small") if found else "m1.small"
        return [(f"ec2:{kind}", number), (PUBLIC_ADDRESS, number)]

    # alarms

    def rung(self, arn: str, message, source: str) -> None:
        """An alarm's action names a policy: what it does is the model's."""
        found = re.search(r"autoscaling:([^:]+):.*autoScalingGroupName/(.+):policyName/(.+)$", arn)
        group = self.groups.get((found[1], found[2])) if found else None
        if group is None or found[3] not in group.policies:
            raise LookupError(f"no scaling policy {arn}")
        group.alarm(message["name"], message["state"], message["value"], found[3], message["threshold"])
        self.sync((found[1], found[2]))

    def alarm_changed(self, name, alarm, transition) -> None:
        """An alarm that is over: its group is told as well, though no action says so."""
        if transition.old != "ALARM":
            return
        for arn in alarm.parameters.get("AlarmActions", ()):
            found = re.search(r"autoscaling:([^:]+):.*autoScalingGroupName/(.+):policyName/(.+)$", arn)
            group = self.groups.get((found[1], found[2])) if found else None
            if group is not None and found[3] in group.policies:
                group.alarm(name, transition.new, PolicyName=found[3])

    def restless(self, alarm) -> bool:
        """Does an alarm look at something that moves all the time?"""
        return any(not load.steady for load in self.loads.values()) or any(
            not load.steady for load in self.life.state["ec2"].loads.values())

    # load, metrics, forecasts

    def _share(self, key, name, now):
        """The part of the group's load that an instance had."""
        member = self.groups[key].instances.get(name) or self.groups[key].gone.get(name)
        if member is None or member.in_service_at is None or member.in_service_at > now:
            return 0.0
        return self.loads[key].at(now) / max(1, self.serving[key].at(now))

    def _metrics(self, key, moto):
        supply, servers = self.life.state["metrics"].supply, self.life.state["ec2"]
        dimensions = [{"Name": "AutoScalingGroupName", "Value": moto.name}]

        def cpu(start, end):
            group = self.groups[key]
            for member in (*group.gone.values(), *group.instances.values()):
                ran = servers.ran.get(member.id)
                if ran is not None and member.in_service_at is not None:
                    step = 60 if moto_monitors(moto, member.id) else 300
                    for at in range(int(-(-start // step) * step), int(-(-end // step) * step), step):
                        if ran.at(at) and at >= member.in_service_at:
                            yield at, servers.cpu(member.id, at)

        supply("AWS/EC2", "CPUUtilization", dimensions, cpu, "Percent")
        supply("AWS/AutoScaling", "GroupInServiceInstances", dimensions, lambda start, end: (
            (at, self.serving[key].at(at)) for at in range(int(-(-start // 60) * 60), int(-(-end // 60) * 60), 60)), "Count")

    def _history(self, key):
        """The load of each full hour since the group was made (or since 14 days ago), oldest first."""
        now, load = self.life.sandbox.clock.now, self.loads[key]
        first = load._since[0] if load._since else now
        hours = int((now - first) // HOUR)
        return [load.at(now - (number + 0.5) * HOUR) for number in range(min(hours, 14 * 24), 0, -1)]

    def get_forecast(self, call) -> dict:
        key, group = self._group(call)
        hours = self._plan(key, group, call.parameters["PolicyName"])
        date = self.life.sandbox.clock.date_at
        return {"LoadForecast": [{"Timestamps": [date(one.at) for one in hours], "Values": [one.load for one in hours],
                                  "MetricSpecification": group.policies[call.parameters["PolicyName"]][
                                      "PredictiveScalingConfiguration"]["MetricSpecifications"][0]}],
                "CapacityForecast": {"Timestamps": [date(one.at) for one in hours], "Values": [float(one.capacity) for one in hours]},
                "UpdateTime": self.life.sandbox.clock.date}

    def _plan(self, key, group, name):
        history = self._history(key)
        if len(history) < LEAST_HISTORY:
            raise ServiceError("ValidationError", f"There is no forecast yet: it needs {LEAST_HISTORY} hours of history, and "
                                                  f"there are {len(history)}.")
        wanted = group._policy(name)["PredictiveScalingConfiguration"]
        target = wanted["MetricSpecifications"][0]["TargetValue"]
        now = self.life.sandbox.clock.now
        return plan(forecast(history, HORIZON), target / 100, group.MinSize, group.MaxSize, now // HOUR * HOUR + (HOUR if now % HOUR else 0),
                    **{one: wanted[one] for one in ("Mode", "SchedulingBufferTime", "MaxCapacityBreachBehavior",
                                                    "MaxCapacityBuffer") if one in wanted})

    def _forecast_hour(self, key, name):
        """Each hour the forecast is made anew, and the next hour's capacity asked for ahead of it."""
        group = self.groups.get(key)
        if group is None or name not in group.policies:
            return
        now = self.life.clock.now
        self.life.clock.at((now // HOUR + 1) * HOUR, self._forecast_hour, key, name)
        if len(self._history(key)) >= LEAST_HISTORY:
            for hour in self._plan(key, group, name)[:2]:
                if hour.scales:
                    self.life.clock.at(max(now, hour.at), self._scale_to, key, name, hour)

    def _scale_to(self, key, name, hour):
        if key in self.groups and name in self.groups[key].policies:
            self.groups[key].scale_to_forecast(name, hour.capacity, hour.until, hour.MaxSize)
            self.sync(key)

    # small things

    def _group(self, call):
        key = call.region, call.parameters["AutoScalingGroupName"]
        if key not in self.groups:
            raise ServiceError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{key[1]}' not found")
        return key, self.groups[key]

    def _drop_alarms(self, key, group, policy):
        for alarm in group.policies.get(policy, {}).get("alarms", {}).values():
            self.life.client("cloudwatch", key[0]).delete_alarms(AlarmNames=[alarm["AlarmName"]])

    def _alarms_of(self, arn, region):
        return [{"AlarmName": name, "AlarmARN": f"arn:aws:cloudwatch:{region}:{self.life.sandbox.account_id}:alarm:{name}"}
                for name, alarm in self.life.state["alarms"].alarms.items() if arn in alarm.parameters.get("AlarmActions", ())]

    def _activity(self, key, activity):
        date = self.life.sandbox.clock.date_at
        times = {name: date(activity[name]) for name in ("StartTime", "EndTime") if activity.get(name) is not None}
        return {name: value for name, value in activity.items() if name not in ("StartTime", "EndTime", "Details")} | times | {
            "AutoScalingGroupName": key[1], "Details": str(activity.get("Details", ""))}

    def _iso(self, now):
        return f"{self.life.sandbox.clock.date_at(now):%Y-%m-%dT%H:%M:%SZ}"


class SyncedClock:
    """The sandbox's agenda for one group: after whatever happens to it, moto is told."""

    def __init__(self, clock, sync):
        self._clock, self._sync = clock, sync

    @property
    def now(self):
        return self._clock.now

    def at(self, time, function, *arguments):
        return self._clock.at(time, self._then_sync, function, *arguments)

    def after(self, delay, function, *arguments):
        return self._clock.after(delay, self._then_sync, function, *arguments)

    def cancel(self, ticket):
        self._clock.cancel(ticket)

    def _then_sync(self, function, *arguments):
        function(*arguments)
        self._sync()


def moto_monitors(moto, name) -> bool:
    """Detailed monitoring of one instance."""
    return any(state.instance.id == name and state.instance.monitored for state in moto.instance_states)


def _key(moto):
    return moto.region, moto.name


def _template(moto):
    template = moto.ec2_launch_template
    if template is None:
        return {"LaunchTemplateId": getattr(moto.launch_config, "name", "none"), "Version": "1"}
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": str(template.default_version_number)}
