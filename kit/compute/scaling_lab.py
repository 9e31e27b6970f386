"""Auto Scaling groups in the sandbox: the model decides how many servers there are, and moto's groups follow.

Each group is a ``scaling_group.Group`` on the sandbox's clock. What it launches and terminates are instances of moto,
so that EC2 shows them; what it thinks stands in its activities, and in the history. Alarms reach it through CloudWatch,
and those of target tracking are real alarms that CloudWatch evaluates.

**Simplified** A launch template's own changes reach only the instances launched later. Updates by CloudFormation do not
reach the model. An instance behind a target group waits in Terminating for the whole deregistration delay, whether or
not requests are in flight. The forecast of predictive scaling comes from the load that the group was given, hour by hour.
**Not modelled** Instance refresh, warm pools, notifications of launches (PutNotificationConfiguration).

EC2 Auto Scaling API Reference, as botocore 1.44.5 carries it, read 2026-11-23. EC2 Auto Scaling User Guide, "Amazon
CloudWatch metrics for Amazon EC2 Auto Scaling" (the group's metrics, only once enabled), "Prepare to add a lifecycle
hook"; Classic Load Balancer guide, "Configure connection draining" (a group waits for it before it terminates). Read
2026-11-28.
"""

import json
import re
from math import inf

from kit.compute.ec2 import BOOT, END
from kit.compute.ec2_lab import looks_at
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
    "CompleteLifecycleAction": ("complete_lifecycle_action", (
        "LifecycleHookName", "InstanceId", "LifecycleActionResult", "LifecycleActionToken")),
    "RecordLifecycleActionHeartbeat": ("record_lifecycle_action_heartbeat", (
        "LifecycleHookName", "InstanceId", "LifecycleActionToken")),
    "DeleteLifecycleHook": ("delete_lifecycle_hook", ("LifecycleHookName",))}
ACTIVITIES = {  # and those that answer with the activities they began
    "EnterStandby": "enter_standby", "ExitStandby": "exit_standby", "DetachInstances": "detach_instances"}
UPDATES = ("MinSize", "MaxSize", "DesiredCapacity", "DefaultCooldown", "DefaultInstanceWarmup", "HealthCheckGracePeriod",
           "TerminationPolicies", "NewInstancesProtectedFromScaleIn")
HOOK = ("LifecycleHookName", "LifecycleTransition", "HeartbeatTimeout", "DefaultResult", "NotificationTargetARN",
        "RoleARN", "NotificationMetadata")
SCHEDULED = ("ScheduledActionName", "Recurrence", "MinSize", "MaxSize", "DesiredCapacity", "TimeZone")
STATES = {"GroupInServiceInstances": "InService", "GroupPendingInstances": "Pending", "GroupStandbyInstances": "Standby",
          "GroupTerminatingInstances": "Terminating"}  # metric: how the states begin that it counts
GROUP_METRICS = ("GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", *STATES, "GroupTotalInstances")


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
                              ("GetPredictiveScalingForecast", scaling.get_forecast),
                              ("AttachInstances", scaling.take_in),
                              ("BatchPutScheduledUpdateGroupAction", scaling.schedule_all),
                              ("BatchDeleteScheduledAction", scaling.unschedule_all),
                              ("EnableMetricsCollection", scaling.enable_metrics),
                              ("DisableMetricsCollection", scaling.disable_metrics)):
        life.answer("autoscaling", operation, answer)
    life.before("autoscaling", "CreateAutoScalingGroup", scaling.asked)
    life.before("autoscaling", "UpdateAutoScalingGroup", scaling.check_update)
    life.then("autoscaling", "UpdateAutoScalingGroup", scaling.update)
    life.before("autoscaling", "DeleteAutoScalingGroup", scaling.delete)
    life.before("autoscaling", "PutScalingPolicy", scaling.put_policy)
    life.then("autoscaling", "PutScalingPolicy", scaling.put_alarms)
    life.before("autoscaling", "DeletePolicy", scaling.delete_policy)
    life.before("autoscaling", "PutLifecycleHook", scaling.put_hook)
    life.before("autoscaling", "PutScheduledUpdateGroupAction", scaling.schedule)
    life.before("autoscaling", "DeleteScheduledAction", scaling.unschedule)
    life.then("autoscaling", "DescribeAutoScalingGroups", scaling.describe)
    life.then("autoscaling", "DescribeAutoScalingInstances", scaling.describe_instances)
    life.then("autoscaling", "DescribeLifecycleHooks", scaling.describe_hooks)
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
        self.counts = {}  # the same -> {metric: Steps} of the group's own metrics
        self.enabled = {}  # the same -> {metric: Steps, 1 while it is collected}
        self.in_service = {}  # (region, name), instance -> Steps, 1 while it serves
        self.detailed = {}  # instance -> does it have detailed monitoring?
        self._asked = None

    # moto's groups and the model's

    def moto_wants(self, before, moto, new) -> None:
        """moto would launch or terminate at once; the model says how many there are to be."""
        group = self.groups.get(_key(moto))
        moto.desired_capacity = group.DesiredCapacity if group else moto.min_size if new is None else new

    def asked(self, call):
        self._asked = call

    def created(self, before, backend, *arguments, **named):
        call, self._asked = self._asked, None
        given = call.parameters if call is not None and call.error is None and call.response is None else {}
        moto = before(backend, *arguments, **named)
        key, warmup = _key(moto), given.get("DefaultInstanceWarmup", -1)
        self.of[key], self.seen[key], self.serving[key], self.loads[key] = moto, 0, Steps(), Load()
        self.counts[key], self.enabled[key] = {metric: Steps() for metric in GROUP_METRICS}, {}
        clock, group = SyncedClock(self.life.clock, lambda: self.sync(key)), None

        def launch(zone):
            return self._launch(moto, zone)

        def terminate(name):
            return self._terminate(moto, name)

        group = Group(clock, moto.name, moto.min_size, moto.max_size, moto.desired_capacity, tuple(moto.availability_zones),
                      launch, terminate, boot=BOOT + 5, shutdown=END, DefaultCooldown=moto.default_cooldown,
                      HealthCheckGracePeriod=moto.health_check_grace_period or 0,
                      DefaultInstanceWarmup=None if warmup < 0 else warmup,
                      TerminationPolicies=tuple(moto.termination_policies), LaunchTemplate=_template(moto),
                      NewInstancesProtectedFromScaleIn=moto.new_instances_protected_from_scale_in, date=self._iso,
                      template=lambda: _template(moto), drain=lambda name: self._draining(moto, name),
                      notify=lambda hook, message: self._notify(moto, hook, message))
        self.groups[key] = group
        self.life.state["ec2"].load_takers[moto.name] = lambda amount: self.loads[key].set(self.life.sandbox.clock.now, amount)
        for hook in given.get("LifecycleHookSpecificationList", ()):
            group.put_lifecycle_hook(**{name: hook[name] for name in HOOK if name in hook})
        self._metrics(key, moto)
        self.sync(key)
        return moto

    def _launch(self, moto, zone):
        zones, subnets = moto.availability_zones, moto.vpc_zone_identifier
        if subnets:
            here = [name for name in subnets.split(",") if self._zone_of(moto, name) == zone]
            moto.vpc_zone_identifier = (here or subnets.split(","))[0]
        moto.availability_zones = [zone]
        servers = self.life.state["ec2"]
        servers.template_version = _template(moto)["Version"] if moto.ec2_launch_template else None
        try:
            moto.replace_autoscaling_group_instances(1, moto.get_propagated_tags())
        finally:
            moto.availability_zones, moto.vpc_zone_identifier = zones, subnets
            servers.template_version = None
        name = moto.instance_states[-1].instance.id
        self._member(_key(moto), name)
        return name

    def _member(self, key, name):
        self.in_service[key, name] = Steps()
        self.detailed[name] = self.of[key].ec2_backend.get_instance(name).monitored
        self.life.state["ec2"].members[name] = lambda now: self._share(key, name, now)

    def _terminate(self, moto, name):
        """Termination protection doesn't protect from a group (not looked up)."""
        moto.instance_states = [state for state in moto.instance_states if state.instance.id != name]
        moto.ec2_backend.get_instance(name).terminate()

    def _draining(self, moto, name) -> float:
        """How long its target groups need to let an instance go."""
        found = [moto.autoscaling_backend.elbv2_backend.target_groups.get(arn) for arn in moto.target_group_arns]
        return max((float(one.attributes.get("deregistration_delay.timeout_seconds", 300)) for one in found
                    if one is not None and one.load_balancer_arns and name in one.targets), default=0.0)

    def _notify(self, moto, hook, message):
        """To the queue or topic of a lifecycle hook, as its role."""
        arn = hook["NotificationTargetARN"]
        if not arn:
            return
        message = message | {"AccountId": self.life.sandbox.account_id, "AutoScalingGroupARN": moto.arn,
                             "RequestId": f"{len(self.life.calls):08x}-0000-4000-8000-000000000000"}
        try:
            self.life.send(arn, json.dumps(message), f"ROLE:{hook['RoleARN'].rsplit('/', 1)[-1]}" if hook["RoleARN"] else
                           "autoscaling.amazonaws.com")
        except (LookupError, ServiceError, _client_error()) as error:
            self.life.note("Auto Scaling", "notification failed", moto.name, f"{arn}: {error}")

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
        now, serving = self.life.sandbox.clock.now, set(group.in_service())
        self.serving[key].set(now, len(serving))
        for name in (*group.instances, *group.gone):
            self.in_service[key, name].set(now, float(name in serving))
        self._count(key, group, now)
        for activity in group.activities[self.seen[key]:]:
            self.life.note("Auto Scaling", activity["Description"], moto.name, activity["Cause"])
        self.seen[key] = len(group.activities)
        if key[1] in moto.autoscaling_backend.autoscaling_groups and (moto.target_group_arns or moto.load_balancer_names):
            moto.autoscaling_backend.update_attached_elbs(moto.name)
            moto.autoscaling_backend.update_attached_target_groups(moto.name)
        self.life.state["alarms"].wake_all()

    def _count(self, key, group, now):
        states = [member.state for member in group.instances.values()]
        numbers = {metric: sum(state.startswith(word) for state in states) for metric, word in STATES.items()}
        numbers |= {"GroupMinSize": group.MinSize, "GroupMaxSize": group.MaxSize,
                    "GroupDesiredCapacity": group.DesiredCapacity,
                    "GroupTotalInstances": sum(numbers.values()) - numbers["GroupStandbyInstances"]}
        for metric, steps in self.counts[key].items():
            steps.set(now, float(numbers[metric]))

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
        """EC2's own health check: an instance that is stopped, or on a host that has failed, is not healthy."""
        if state in ("stopping", "impaired"):
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
        getattr(group, method)(**given)
        self.sync(key)
        return None if call.operation == "DeleteLifecycleHook" else {}  # moto has a list of hooks, too

    def take_in(self, call) -> dict:
        """AttachInstances: they run already, and are in service at once."""
        key, group = self._group(call)
        names, moto = call.parameters.get("InstanceIds", []), self.of[key]
        found = {one.id: one for one in moto.ec2_backend.all_instances()}
        for name in names:
            if name not in found or found[name]._state.name != "running":
                raise ServiceError("ValidationError", f"Invalid Instance ID(s): [{name}]: only instances that are "
                                                      "running can be attached.")
            if any(name in other.instances for other in self.groups.values()):
                raise ServiceError("ValidationError", f"Instance {name} is already part of an AutoScalingGroup.")
        group.attach_instances(names, {name: found[name].placement.zone for name in names})
        from moto.autoscaling.models import ASG_NAME_TAG, InstanceState
        for name in names:
            found[name].autoscaling_group = moto
            moto.instance_states.append(InstanceState(found[name], autoscaling_group=moto))
            moto.ec2_backend.create_tags([name], {ASG_NAME_TAG: moto.name})
            self._member(key, name)
        self.sync(key)
        return {}

    def enable_metrics(self, call) -> dict:
        """The group's own metrics are there from now on, free of charge."""
        key, _ = self._group(call)
        wanted = call.parameters.get("Metrics") or GROUP_METRICS
        unknown = [name for name in wanted if name not in GROUP_METRICS]
        if unknown:
            raise ServiceError("ValidationError", f"Metrics of a group are {', '.join(GROUP_METRICS)}, "
                                                  f"not {', '.join(unknown)}.")
        for metric in wanted:
            if metric not in self.enabled[key]:
                self.enabled[key][metric] = Steps()
                self._supply(key, metric)
            self.enabled[key][metric].set(self.life.clock.now, 1.0)
        self.life.state["alarms"].wake_all()
        return {}

    def disable_metrics(self, call) -> dict:
        key, _ = self._group(call)
        for metric in call.parameters.get("Metrics") or GROUP_METRICS:
            if metric in self.enabled[key]:
                self.enabled[key][metric].set(self.life.clock.now, 0.0)
        self.life.state["alarms"].wake_all()
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

    def check_update(self, call) -> None:
        self._group(call)[1].check_update(**{name: call.parameters[name] for name in UPDATES if name in call.parameters})

    def update(self, call) -> None:
        """After moto, which knows by now where subnets are and what is launched next."""
        key, group = self._group(call)
        given = {name: call.parameters[name] for name in UPDATES if name in call.parameters}
        group.update(**given, zones=tuple(dict.fromkeys(self.of[key].availability_zones)))
        self.sync(key)
        if call.parameters.get("HealthCheckType") == "ELB":  # from now on it asks its balancer
            client = self.life.client("elbv2", key[0])
            for arn in self.of[key].target_group_arns:
                for one in client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]:
                    self.target_health(arn, one["Target"]["Id"], one["TargetHealth"]["State"])

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
        key, group = self._group(call)
        arn = call.parameters.get("NotificationTargetARN", "")
        if arn.endswith(".fifo"):
            raise ServiceError("ValidationError", "FIFO queues are not compatible with lifecycle hooks.")
        group.put_lifecycle_hook(**{name: call.parameters[name] for name in HOOK if name in call.parameters})

    def schedule(self, call) -> None:
        _, group = self._group(call)
        given = {name: call.parameters[name] for name in SCHEDULED if name in call.parameters}
        for name in ("StartTime", "EndTime"):
            if name in call.parameters:
                given[name] = self.life.sandbox.clock.seconds_at(call.parameters[name])
        group.put_scheduled_update_group_action(**given)

    def schedule_all(self, call) -> dict:
        """Each action by itself: what is wrong with one is told, and the others are scheduled."""
        return {"FailedScheduledUpdateGroupActions": self._each(
            call, "put_scheduled_update_group_action", call.parameters["ScheduledUpdateGroupActions"])}

    def unschedule_all(self, call) -> dict:
        actions = [{"ScheduledActionName": name} for name in call.parameters["ScheduledActionNames"]]
        return {"FailedScheduledActions": self._each(call, "delete_scheduled_action", actions)}

    def _each(self, call, operation, actions):
        client, failed = self.life.client("autoscaling", call.region), []
        for action in actions:
            try:
                getattr(client, operation)(AutoScalingGroupName=self._group(call)[0][1], **action)
            except _client_error() as error:
                told = error.response["Error"]
                failed.append({"ScheduledActionName": action["ScheduledActionName"], "ErrorCode": told["Code"],
                               "ErrorMessage": told["Message"]})
        return failed

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
            shown["Instances"] = [known.get(one["InstanceId"], {}) | _launched_from(one) | {name: one[name] for name in (
                "InstanceId", "AvailabilityZone", "LifecycleState", "HealthStatus", "ProtectedFromScaleIn")}
                for one in told["Instances"]]
            for name in ("SuspendedProcesses", "DefaultCooldown", "TerminationPolicies", "AvailabilityZones"):
                shown[name] = told[name]
            if group.DefaultInstanceWarmup is not None:
                shown["DefaultInstanceWarmup"] = group.DefaultInstanceWarmup
            shown["EnabledMetrics"] = [{"Metric": metric, "Granularity": "1Minute"}
                                       for metric, on in self.enabled[call.region, group.name].items() if on.now]

    def describe_instances(self, call) -> None:
        for shown in call.response["AutoScalingInstances"]:
            group = self.groups.get((call.region, shown["AutoScalingGroupName"]))
            if group is not None and shown["InstanceId"] in group.instances:
                shown |= _launched_from(group.instances[shown["InstanceId"]].describe())

    def describe_hooks(self, call) -> None:
        """moto makes up where the messages go."""
        _, group = self._group(call)
        for shown in call.response["LifecycleHooks"]:
            hook = group.hooks.get(shown["LifecycleHookName"], {})
            for name in ("NotificationTargetARN", "RoleARN", "NotificationMetadata"):
                shown.pop(name, None)
                if hook.get(name):
                    shown[name] = hook[name]

    def describe_policies(self, call) -> None:
        for shown in call.response["ScalingPolicies"]:
            group = self.groups.get((call.region, shown["AutoScalingGroupName"]))
            alarms = group.policies.get(shown["PolicyName"], {}).get("alarms", {}) if group else {}
            shown["Alarms"] = [{"AlarmName": one["AlarmName"], "AlarmARN":
                                f"arn:aws:cloudwatch:{call.region}:{self.life.sandbox.account_id}:alarm:{one['AlarmName']}"}
                               for one in alarms.values()] or self._alarms_of(shown["PolicyARN"], call.region)

    def quote(self, parameters) -> list:
        """The servers it begins with; the group itself costs nothing."""
        return self.life.state["ec2 bill"].quote_group(parameters)

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
        """Does an alarm look at the CPU of a group, or of one of its members, that moves by itself?"""
        for space, metric, where in looks_at(alarm):
            for key, group in self.groups.items() if space == "AWS/EC2" and metric.startswith("CPU") else ():
                name = where.get("InstanceId")
                if where.get("AutoScalingGroupName") == key[1] or name in group.instances:
                    servers, watched = self.life.state["ec2"], [name] if name else group.instances
                    if not self.loads[key].steady or any(servers.moves(one, metric, alarm) for one in watched):
                        return True
        return False

    # load, metrics, forecasts

    def _share(self, key, name, now):
        """The part of the group's load that an instance had."""
        if not self.in_service[key, name].at(now):
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
                    step = 60 if self.detailed[member.id] else 300
                    for at in range(int(-(-start // step) * step), int(-(-end // step) * step), step):
                        if ran.at(at) and member.in_service_at <= at < (member.terminated_at or inf):
                            yield at, servers.cpu(member.id, at)

        supply("AWS/EC2", "CPUUtilization", dimensions, cpu, "Percent", key[0])

    def _supply(self, key, metric):
        steps, on = self.counts[key][metric], self.enabled[key][metric]

        def points(start, end):
            times = range(int(-(-start // 60) * 60), int(-(-end // 60) * 60), 60)
            return ((at, steps.at(at)) for at in times if on.at(at))

        self.life.state["metrics"].supply(
            "AWS/AutoScaling", metric, [{"Name": "AutoScalingGroupName", "Value": key[1]}], points, "None", key[0])

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
                for name, alarm in self.life.state["alarms"].of(region).items() if arn in alarm.parameters.get("AlarmActions", ())]

    def _activity(self, key, activity):
        date = self.life.sandbox.clock.date_at
        times = {name: date(activity[name]) for name in ("StartTime", "EndTime") if activity.get(name) is not None}
        details, found = activity.get("Details", {}), re.search(r"\bi-[0-9a-f]+", activity["Description"])
        subnet = self._subnet(key, found[0]) if found and "Attaching" not in activity["Description"] else None
        return {name: value for name, value in activity.items() if name not in ("StartTime", "EndTime", "Details")} | times | {
            "AutoScalingGroupName": key[1], "Details": json.dumps(({"Subnet ID": subnet} if subnet else {}) | details)}

    def _subnet(self, key, name):
        return next((one.subnet_id for one in self.life.backend("ec2", key[0]).all_instances() if one.id == name), None)

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


def _key(moto):
    return moto.region, moto.name


def _template(moto):
    """What a group launches from just now; $Latest and $Default become numbers."""
    template = moto.ec2_launch_template
    if template is None:
        return {"LaunchTemplateId": getattr(moto.launch_config, "name", "none"), "Version": "1"}
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name,
            "Version": str(template.get_version(moto.launch_template_version).number)}


def _launched_from(told) -> dict:
    """As an instance shows it; a launch configuration has moto's own word for it."""
    return {"LaunchTemplate": told["LaunchTemplate"]} if "LaunchTemplateName" in told["LaunchTemplate"] else {}


def _client_error():
    from botocore.exceptions import ClientError
    return ClientError
