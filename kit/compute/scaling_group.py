"""An Auto Scaling group: it holds the number of instances at the desired capacity, whatever happens to either.

Everything a group does follows from one comparison. If there are fewer instances than desired, it launches; if there
are more, it terminates. Policies, schedules and people only move the desired capacity, within minimum and maximum;
failures only take instances away.

    group = Group(clock, "web", MinSize=1, MaxSize=4, DesiredCapacity=2)
    clock.run(until=60)
    group.instance_failed("i-1")
    group.activities[-1]["Cause"]     # ... an instance was launched in response to an unhealthy instance ...

The group lives on a ``kit.sim.Clock``. ``launch(zone)`` gives the new instance's id (or raises ServiceError: the group
then tries another zone), ``terminate(id)`` ends one; by default instances are just counted. CloudWatch's alarms are
somebody else's: tell the group of them with ``alarm`` once a minute while they are in ALARM, as CloudWatch does. Three
more functions are the world's: ``template()`` says what an instance is launched from just now, ``drain(id)`` how many
seconds a load balancer needs to let an instance go, and ``notify(hook, message)`` takes what lifecycle hooks send.

**Simplified** The group acts at once (on AWS within seconds to minutes). Hooks begin when an instance has booted and run
side by side. A scale-in may take an instance that is still pending. Coming back from standby takes no time. A warm-up
from a policy holds for the instances which that policy launched. Rebalancing moves one instance at a time, so that
the maximum is exceeded by one at most (AWS: by 10 % or one). A failed launch is tried again after a minute. Activity
ids count up. The causes of rebalancing, of a scheduled action, of an abandoned hook and of a forecast are worded like
the others; the rest follows causes that groups on AWS recorded.
**Not modelled** Spot, mixed instances, weights, warm pools, instance refresh, maintenance policies (without one a
failed instance is terminated and replaced at the same time), instance lifetime. An attached instance passes no launch
hooks, and is in service at once. Draining takes the whole delay, whatever is in flight.

EC2 Auto Scaling User Guide, in AWS's public source of it, read 2026-11-23: "Scaling cooldowns", "Step and simple scaling
policies" (warm-up), "Set the default instance warmup", "Health checks for Auto Scaling instances", "Amazon EC2 Auto
Scaling lifecycle hooks", "Suspending and resuming scaling processes", "Temporarily removing instances", "Amazon EC2
Auto Scaling benefits" (rebalancing), "Instance maintenance policy". Read 2026-11-28: "How lifecycle hooks work" (an
instance is deregistered and drained before its terminating hooks), "Prepare to add a lifecycle hook" (the message, the
test message), "Attach EC2 instances to your Auto Scaling group", "Create a scheduled action" (time zones). Parameters
and codes: the API Reference that botocore 1.44.5 carries.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kit.compute.autoscaling import (Capacity, check_termination_policies, choose_to_terminate, choose_zone_to_launch,
                                     next_run, target_tracking)
from kit.compute.scaling_policy import alarms_for, capacity_in, capacity_out, check_policy, direction, simple_capacity
from kit.errors import ServiceError

PROCESSES = ("Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh",
             "ReplaceUnhealthy", "ScheduledActions")
HEARTBEAT = (30, 7200)  # s, the range of a hook's HeartbeatTimeout (PutLifecycleHook)
LONGEST_WAIT = 48 * 3600  # s, or 100 heartbeat timeouts if that is less ("Amazon EC2 Auto Scaling lifecycle hooks")
HOOKS = 50  # lifecycle hooks a group ("Quotas for Amazon EC2 Auto Scaling")
RETRY = 60  # s until a launch that failed in every zone is tried again
LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"


@dataclass(eq=False)
class Instance:
    """One instance of the group. Times in seconds; None: not yet."""

    id: str
    zone: str
    launched_at: float
    template: dict
    warmup: float
    activity: dict
    state: str = "Pending"
    health: str = "Healthy"
    protected: bool = False
    in_service_at: float | None = None
    warm_at: float = inf  # until then it does not count for scaling policies
    terminated_at: float | None = None
    broken: bool = False  # EC2 says that it is not running any more
    rebalances: bool = False
    waits: dict = field(default_factory=dict)  # hook name -> (ticket of its timeout, since when it waits, token)
    boots: int | None = None  # ticket of the end of its boot

    @property
    def counts(self) -> bool:
        """Does it count for the group's size? Standby, detached and terminating ones don't."""
        return self.state.startswith("Pending") or self.state == "InService"

    def describe(self) -> dict:
        """As DescribeAutoScalingGroups shows it, with LaunchTime in seconds."""
        return {"InstanceId": self.id, "AvailabilityZone": self.zone, "LifecycleState": self.state, "HealthStatus": self.health,
                "ProtectedFromScaleIn": self.protected, "LaunchTemplate": self.template, "LaunchTime": self.launched_at}


class Group:
    """An Auto Scaling group. Times in seconds on ``clock``.

    boot, shutdown: from the launch to service, from the order to terminate to the end. date: what a time of the clock is
    called in the activities' causes, ISO 8601 in UTC (by default time 0 is Monday, 2026-01-05).
    ``instances``: those in the group by id, ``gone``: those that were. ``activities``: newest last.
    """

    def __init__(self, clock, AutoScalingGroupName: str, MinSize: int, MaxSize: int, DesiredCapacity: int | None = None,
                 zones=("us-east-1a", "us-east-1b", "us-east-1c"), launch=None, terminate=None, boot: float = 60,
                 shutdown: float = 30, DefaultCooldown: int = 300, DefaultInstanceWarmup: int | None = None,
                 HealthCheckGracePeriod: int = 0, TerminationPolicies=("Default",), LaunchTemplate: dict | None = None,
                 NewInstancesProtectedFromScaleIn: bool = False, date=None, template=None, drain=None, notify=None):
        if boot < 0 or shutdown < 0:
            raise ValueError(f"boot={boot}, shutdown={shutdown}: give seconds, 0 or more")
        if not zones:
            raise ServiceError("ValidationError", "At least one Availability Zone or VPC subnet is required.")
        desired = MinSize if DesiredCapacity is None else DesiredCapacity
        _check_sizes(MinSize, MaxSize, desired)
        check_termination_policies(TerminationPolicies)
        self.clock, self.name, self.zones = clock, AutoScalingGroupName, tuple(zones)
        self.MinSize, self.MaxSize, self.DesiredCapacity = MinSize, MaxSize, desired
        self.DefaultCooldown, self.DefaultInstanceWarmup = DefaultCooldown, DefaultInstanceWarmup
        self.HealthCheckGracePeriod, self.TerminationPolicies = HealthCheckGracePeriod, tuple(TerminationPolicies)
        self.LaunchTemplate = LaunchTemplate or {"LaunchTemplateId": "lt-1", "Version": "1"}
        self.NewInstancesProtectedFromScaleIn = NewInstancesProtectedFromScaleIn
        self.boot, self.shutdown = boot, shutdown
        self.instances, self.gone, self.activities = {}, {}, []
        self.policies, self.hooks, self.scheduled, self.suspended = {}, {}, {}, set()
        self._launch_instance, self._terminate_instance = launch, terminate
        self._template, self._drain, self._notify = template, drain, notify
        self._date = date or _date
        self._launched = self._alarm_serial = self._tokens = 0
        self._alarms = {}  # name -> (state, metric, policy, threshold) of every alarm that we were told of
        self._down = set()  # zones
        self._extra = 0  # instances on top of the desired capacity, while a rebalancing lasts
        self._cooldown_until, self._cooldown_after = -inf, None  # the latter until the simple policy's activities end
        self._floor = (0, -inf)  # what predictive scaling asks for, and until when
        self._retry = None
        self._deleted = False
        self._reconcile(self._at("a user request created an AutoScalingGroup changing the desired capacity from 0 to "
                                 f"{desired}."))

    def __repr__(self) -> str:
        return f"<Group {self.name}: {len(self._members())} of {self.DesiredCapacity} instances>"

    # ------------------------------------------------------------------ the desired capacity

    def set_desired_capacity(self, DesiredCapacity: int, HonorCooldown: bool = False) -> None:
        """Want so many instances from now on; outside of the bounds it is refused."""
        if DesiredCapacity > self.MaxSize:
            _refuse(f"New SetDesiredCapacity value {DesiredCapacity} is above max value {self.MaxSize} for the AutoScalingGroup.")
        if DesiredCapacity < self.MinSize:
            _refuse(f"New SetDesiredCapacity value {DesiredCapacity} is below min value {self.MinSize} for the AutoScalingGroup.")
        if HonorCooldown:
            self._check_cooldown()
        self._want(DesiredCapacity, "a user request explicitly set group desired capacity")

    def update(self, MinSize: int | None = None, MaxSize: int | None = None, DesiredCapacity: int | None = None,
               **settings) -> None:
        """UpdateAutoScalingGroup: new bounds pull the desired capacity with them, unless one is given.

        settings: DefaultCooldown, DefaultInstanceWarmup (-1 for none), HealthCheckGracePeriod, TerminationPolicies,
        LaunchTemplate (for instances launched from now on), NewInstancesProtectedFromScaleIn, zones (the group moves
        there, one instance after the other).
        """
        self.check_update(MinSize, MaxSize, DesiredCapacity, **settings)
        if settings.get("DefaultInstanceWarmup") == -1:
            settings["DefaultInstanceWarmup"] = None
        for name, value in settings.items():
            setattr(self, name, tuple(value) if name in ("zones", "TerminationPolicies") else value)
        self._resize(MinSize, MaxSize, DesiredCapacity, "a user request")
        self._rebalance()

    def check_update(self, MinSize: int | None = None, MaxSize: int | None = None, DesiredCapacity: int | None = None,
                     **settings) -> None:
        """Refuse what ``update`` would refuse, and change nothing."""
        unknown = set(settings) - {"DefaultCooldown", "DefaultInstanceWarmup", "HealthCheckGracePeriod", "TerminationPolicies",
                                   "LaunchTemplate", "NewInstancesProtectedFromScaleIn", "zones"}
        if unknown:
            raise ValueError(f"this group cannot change {', '.join(sorted(unknown))}")
        if "TerminationPolicies" in settings:
            check_termination_policies(settings["TerminationPolicies"])
        if not settings.get("zones", self.zones):
            _refuse("At least one Availability Zone or VPC subnet is required.")
        _check_sizes(*self._sizes(MinSize, MaxSize, DesiredCapacity))

    def put_scaling_policy(self, PolicyName: str, PolicyType: str = "SimpleScaling", **given) -> dict:
        """Create or replace a policy; boto3's parameters. ``{"PolicyARN": ..., "Alarms": [...]}``, the alarms that target
        tracking needs. ServiceError ValidationError for what AWS refuses."""
        policy = check_policy(self.name, {"PolicyName": PolicyName, "PolicyType": PolicyType, **given})
        self.delete_policy(PolicyName)
        if PolicyType == "TargetTrackingScaling":
            self._alarm_serial += 1
            policy["alarms"] = alarms_for(self.name, policy, str(self._alarm_serial))
        self.policies[PolicyName] = policy
        return {"PolicyARN": policy["PolicyARN"],
                "Alarms": [{"AlarmName": alarm["AlarmName"],
                            "AlarmARN": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{alarm['AlarmName']}"}
                           for alarm in policy.get("alarms", {}).values()]}

    def delete_policy(self, PolicyName: str) -> None:
        """The alarms of target tracking go with it."""
        policy = self.policies.pop(PolicyName, {})
        for alarm in policy.get("alarms", {}).values():
            self._alarms.pop(alarm["AlarmName"], None)
        self._alarms = {name: told for name, told in self._alarms.items() if told[2] != PolicyName}

    def alarms_wanted(self) -> list[dict]:
        """The alarms of all target tracking policies, as put_metric_alarm takes them."""
        return [alarm for policy in self.policies.values() for alarm in policy.get("alarms", {}).values()]

    def execute_policy(self, PolicyName: str, MetricValue: float | None = None, BreachThreshold: float | None = None,
                       HonorCooldown: bool | None = None) -> Capacity:
        """Do what the policy would do if its alarm went off now; the desired capacity, and why.

        MetricValue and BreachThreshold: for step scaling, required; HonorCooldown: for simple scaling.
        """
        policy = self._policy(PolicyName)
        kind = policy["PolicyType"]
        if kind not in ("SimpleScaling", "StepScaling"):
            _refuse(f"ExecutePolicy is not supported for policy type {kind}: its alarms or its forecast execute it.")
        if (kind == "StepScaling") != (MetricValue is not None) or (kind == "StepScaling") != (BreachThreshold is not None):
            _refuse("MetricValue and BreachThreshold are required for StepScaling and not supported otherwise.")
        if HonorCooldown is not None and kind != "SimpleScaling":
            _refuse("HonorCooldown is supported for SimpleScaling only.")
        if HonorCooldown:
            self._check_cooldown()
        if not policy["Enabled"]:
            _refuse(f"The policy {PolicyName} is disabled.")
        return self._follow(policy, f"a user request executed policy {PolicyName}", MetricValue, BreachThreshold)

    def alarm(self, AlarmName: str, StateValue: str = "ALARM", MetricValue: float | None = None, PolicyName: str | None = None,
              BreachThreshold: float | None = None) -> Capacity:
        """CloudWatch tells of an alarm; again each minute while it is in ALARM. The desired capacity, and why.

        PolicyName: whose alarm it is; target tracking knows its own. BreachThreshold: the alarm's, for step scaling.
        """
        for policy in self.policies.values():
            for side in policy.get("alarms", {}).values():
                if side["AlarmName"] == AlarmName:
                    PolicyName, BreachThreshold = policy["PolicyName"], side["Threshold"]
        if PolicyName is None:
            raise ValueError(f"{AlarmName} is no alarm of a target tracking policy: say whose it is with PolicyName")
        policy = self._policy(PolicyName)
        simple, told = policy["PolicyType"] == "SimpleScaling", MetricValue is not None and BreachThreshold is not None
        if StateValue == "ALARM" and not simple and not told:
            raise ValueError(f"alarm {AlarmName}: a {policy['PolicyType']} policy needs the MetricValue (and BreachThreshold)")
        self._alarms[AlarmName] = (StateValue, MetricValue, PolicyName, BreachThreshold)
        if StateValue != "ALARM":
            return Capacity(self.DesiredCapacity, f"{AlarmName} is {StateValue}")
        return self._ring(AlarmName)

    def scale_to_forecast(self, PolicyName: str, capacity: int, until: float, MaxSize: int | None = None) -> Capacity:
        """Predictive scaling's hour begins: at least so many instances until ``until``; it never scales in.

        MaxSize: the new maximum, if the policy may increase it (it then stays).
        """
        policy = self._policy(PolicyName)
        if policy["PolicyType"] != "PredictiveScaling":
            raise ValueError(f"{PolicyName} is a {policy['PolicyType']} policy; only PredictiveScaling has a forecast")
        if policy["PredictiveScalingConfiguration"].get("Mode", "ForecastOnly") == "ForecastOnly" or not policy["Enabled"]:
            return Capacity(self.DesiredCapacity, "ForecastOnly: the forecast changes nothing")
        if "ScheduledActions" in self.suspended:
            return Capacity(self.DesiredCapacity, "ScheduledActions is suspended")
        if MaxSize is not None and MaxSize > self.MaxSize:
            self.MaxSize = MaxSize
        self._floor = (capacity, until)
        if capacity <= self.DesiredCapacity:
            return Capacity(self.DesiredCapacity, f"the forecast asks for {capacity}, which is there")
        wanted = Capacity(capacity, "the forecast asks for it")
        return self._want(wanted, f"predictive scaling policy {PolicyName}", automatic=True)

    def put_scheduled_update_group_action(self, ScheduledActionName: str, StartTime: float | None = None,
                                          EndTime: float | None = None, Recurrence: str | None = None, MinSize: int | None = None,
                                          MaxSize: int | None = None, DesiredCapacity: int | None = None,
                                          TimeZone: str | None = None) -> None:
        """Set sizes at ``StartTime`` (seconds), or whenever ``Recurrence`` (cron) says, between StartTime and EndTime.

        TimeZone: what Recurrence is in, a name of the IANA database like America/New_York; UTC if none is given.
        """
        if TimeZone is not None:
            _zone_info(TimeZone)
        if MinSize is None and MaxSize is None and DesiredCapacity is None:
            _refuse("At least one of MinSize, MaxSize and DesiredCapacity is required.")
        if StartTime is None and Recurrence is None:
            _refuse("Give a StartTime, a Recurrence, or both.")
        if StartTime is not None and StartTime < self.clock.now:
            _refuse("Given start time is in the past.")
        if EndTime is not None and EndTime <= max(self.clock.now, StartTime or -inf):
            _refuse("The end time must be after now and after the start time.")
        if MinSize is not None and MaxSize is not None and MinSize > MaxSize:
            _refuse(f"Max bound, {MaxSize}, must be greater than or equal to min bound, {MinSize}.")
        action = {"ScheduledActionName": ScheduledActionName, "Recurrence": Recurrence, "EndTime": EndTime,
                  "TimeZone": TimeZone, "MinSize": MinSize, "MaxSize": MaxSize, "DesiredCapacity": DesiredCapacity}
        following = self._next(Recurrence, TimeZone) if Recurrence is not None else None  # refuses what could never run
        time = following if StartTime is None else StartTime
        self.delete_scheduled_action(ScheduledActionName)
        self.scheduled[ScheduledActionName] = action
        self._schedule(action, time)

    def delete_scheduled_action(self, ScheduledActionName: str) -> None:
        action = self.scheduled.pop(ScheduledActionName, None)
        if action is not None:
            self.clock.cancel(action["ticket"])

    # ------------------------------------------------------------------ failures

    def instance_failed(self, InstanceId: str) -> None:
        """EC2 finds that it is not running: a failed status check, for which there is no grace period."""
        self._instance(InstanceId).broken = True
        self._check_health()

    def set_instance_health(self, InstanceId: str, HealthStatus: str, ShouldRespectGracePeriod: bool = True) -> None:
        """Your own health check speaks. An unhealthy instance is terminated and another one launched at the same time."""
        instance = self._instance(InstanceId)
        if HealthStatus not in ("Healthy", "Unhealthy"):
            _refuse(f"HealthStatus is Healthy or Unhealthy, not {HealthStatus!r}.")
        if instance.state.startswith("Terminating"):
            _refuse(f"The instance {InstanceId} is terminating; its health can't be set any more.")
        grace = (instance.in_service_at or self.clock.now) + self.HealthCheckGracePeriod
        if HealthStatus == "Unhealthy" and ShouldRespectGracePeriod and self.HealthCheckGracePeriod and self.clock.now < grace:
            return
        instance.health = HealthStatus
        self._replace_unhealthy("a user health-check")

    def elb_unhealthy(self, InstanceId: str) -> None:
        """Its target group found it unhealthy, and the group's health check type is ELB."""
        instance = self._instance(InstanceId)
        if not instance.state.startswith("Terminating"):
            instance.health = "Unhealthy"
            self._replace_unhealthy("an ELB system health check failure")

    def zone_failed(self, zone: str) -> None:
        """Every instance in the zone is gone, and nothing can be launched there."""
        self._check_zone(zone)
        self._down.add(zone)
        for instance in self.instances.values():
            instance.broken |= instance.zone == zone
        self._check_health()

    def zone_recovered(self, zone: str) -> None:
        """The zone is back: what is missing is launched there, and the group is balanced again."""
        self._check_zone(zone)
        self._down.discard(zone)
        self._reconcile()
        self._rebalance()

    # ------------------------------------------------------------------ instances, one by one

    def terminate_instance_in_auto_scaling_group(self, InstanceId: str, ShouldDecrementDesiredCapacity: bool) -> None:
        """Terminate this one; it is replaced unless the desired capacity goes down with it."""
        instance = self._instance(InstanceId)
        if instance.state.startswith("Terminating"):
            _refuse(f"The instance {InstanceId} is terminating already.")
        capacity = self._decrement([instance] if ShouldDecrementDesiredCapacity else [], "terminate")
        self._take_out(instance, self._at(f"instance {InstanceId} was taken out of service in response to a user request"
                                          f"{capacity}."))
        self._reconcile()
        self._rebalance()

    def enter_standby(self, InstanceIds: list[str], ShouldDecrementDesiredCapacity: bool) -> None:
        """Take instances out of service without ending them; they are still billed."""
        instances = [self._in_state(name, "InService") for name in InstanceIds]
        capacity = self._decrement(instances if ShouldDecrementDesiredCapacity else [], "place into standby")
        for instance in instances:
            instance.state = "Standby"
            self._activity(f"Moving EC2 instance to Standby: {instance.id}", self._at(
                f"instance {instance.id} was moved to standby in response to a user request{capacity}."), instance, over=True)
        self._reconcile()
        self._rebalance()

    def exit_standby(self, InstanceIds: list[str]) -> None:
        """Back into service; the desired capacity goes up by as many."""
        instances = [self._in_state(name, "Standby") for name in InstanceIds]
        if "Launch" in self.suspended:
            _refuse("The Launch process is suspended; resume it before you return instances to service.")
        old, new = self.DesiredCapacity, self.DesiredCapacity + len(instances)
        if new > self.MaxSize:
            self._refuse_sizes(f"move out of standby {_count(instances)}")
        self.DesiredCapacity = new
        for instance in instances:
            self._activity(f"Moving EC2 instance out of Standby: {instance.id}", self._at(
                f"instance {instance.id} was moved out of standby in response to a user request, increasing the capacity from "
                f"{old} to {new}."), instance, over=True)
            instance.state = "InService"
        self._check_health()
        self._reconcile()

    def detach_instances(self, InstanceIds: list[str], ShouldDecrementDesiredCapacity: bool) -> None:
        """Take instances out of the group; they go on running on their own."""
        instances = [self._in_state(name, "InService", "Standby") for name in InstanceIds]
        capacity = self._decrement([instance for instance in instances if instance.counts]
                                   if ShouldDecrementDesiredCapacity else [], "detach")
        for instance in instances:
            instance.state, instance.terminated_at = "Detached", self.clock.now
            self.gone[instance.id] = self.instances.pop(instance.id)
            self._activity(f"Detaching EC2 instance: {instance.id}", self._at(
                f"instance {instance.id} was detached in response to a user request{capacity}."), instance, over=True)
        self._reconcile()
        self._rebalance()

    def attach_instances(self, InstanceIds: list[str], zones: dict | None = None) -> None:
        """Take in instances that run already; the desired capacity goes up by as many. zones: of each, by its id."""
        zones = zones or {}
        for name in InstanceIds:
            if name in self.instances:
                _refuse(f"The instance {name} is already part of AutoScalingGroup {self.name}.")
            if zones.get(name, self.zones[0]) not in self.zones:
                _refuse(f"The instance {name} is in {zones[name]}, which is not a zone of AutoScalingGroup {self.name}.")
        new = self.DesiredCapacity + len(InstanceIds)
        if new > self.MaxSize:
            self._refuse_sizes(f"attach {_count(InstanceIds)}")
        self.DesiredCapacity = new
        for name in InstanceIds:
            zone, now = zones.get(name, self.zones[0]), self.clock.now
            cause = f"an instance was added in response to user request. Keeping the capacity at the new {new}."
            activity = self._activity(f"Attaching an existing EC2 instance: {name}", self._at(cause), zone=zone, over=True)
            self.gone.pop(name, None)
            self.instances[name] = Instance(name, zone, now, dict(self.LaunchTemplate), 0.0, activity, "InService",
                                            in_service_at=now, warm_at=now, protected=self.NewInstancesProtectedFromScaleIn)
        self._rebalance()

    def set_instance_protection(self, InstanceIds: list[str], ProtectedFromScaleIn: bool) -> None:
        """Scale-in passes over protected instances; failures and people don't."""
        for instance in [self._in_state(name, "InService", "Standby") for name in InstanceIds]:
            instance.protected = ProtectedFromScaleIn
        self._reconcile()

    def put_lifecycle_hook(self, LifecycleHookName: str, LifecycleTransition: str, HeartbeatTimeout: int = 3600,
                           DefaultResult: str = "ABANDON", NotificationTargetARN: str = "", RoleARN: str = "",
                           NotificationMetadata: str = "") -> None:
        """From now on instances wait there, until somebody completes the action or the timeout decides.

        NotificationTargetARN: a queue or a topic that hears of each instance that waits, and at once of a test message.
        """
        if LifecycleTransition not in (LAUNCHING, TERMINATING):
            _refuse(f"LifecycleTransition is {LAUNCHING} or {TERMINATING}, not {LifecycleTransition!r}.")
        if DefaultResult not in ("CONTINUE", "ABANDON"):
            _refuse(f"DefaultResult is CONTINUE or ABANDON, not {DefaultResult!r}.")
        if not HEARTBEAT[0] <= HeartbeatTimeout <= HEARTBEAT[1]:
            _refuse(f"HeartbeatTimeout is from {HEARTBEAT[0]} to {HEARTBEAT[1]} seconds, not {HeartbeatTimeout}.")
        if len(self.hooks) == HOOKS and LifecycleHookName not in self.hooks:
            raise ServiceError("LimitExceeded", f"A group has {HOOKS} lifecycle hooks at most.")
        self.hooks[LifecycleHookName] = {"LifecycleTransition": LifecycleTransition, "HeartbeatTimeout": HeartbeatTimeout,
                                         "DefaultResult": DefaultResult, "NotificationTargetARN": NotificationTargetARN,
                                         "RoleARN": RoleARN, "NotificationMetadata": NotificationMetadata}
        if NotificationTargetARN:
            self._tell(self.hooks[LifecycleHookName], {"Event": "autoscaling:TEST_NOTIFICATION"})

    def delete_lifecycle_hook(self, LifecycleHookName: str) -> None:
        """Whoever waits there goes on first: ABANDON for a launching instance, CONTINUE for a terminating one."""
        hook = self.hooks.pop(LifecycleHookName, None)
        if hook is None:
            _refuse(f"No Lifecycle Hook found: {LifecycleHookName}.")
        result = "ABANDON" if hook["LifecycleTransition"] == LAUNCHING else "CONTINUE"
        for instance in [one for one in self.instances.values() if LifecycleHookName in one.waits]:
            self._proceed(instance, LifecycleHookName, result)

    def complete_lifecycle_action(self, LifecycleHookName: str, InstanceId: str | None = None,
                                  LifecycleActionResult: str = "CONTINUE", LifecycleActionToken: str | None = None) -> None:
        """CONTINUE: go on. ABANDON: a launching instance is terminated; a terminating one waits for no other hook.

        Which instance is said by its id or by the token that the hook's message has.
        """
        if LifecycleActionResult not in ("CONTINUE", "ABANDON"):
            _refuse(f"LifecycleActionResult is CONTINUE or ABANDON, not {LifecycleActionResult!r}.")
        instance = self._waiting(LifecycleHookName, InstanceId, LifecycleActionToken)
        self._proceed(instance, LifecycleHookName, LifecycleActionResult)

    def record_lifecycle_action_heartbeat(self, LifecycleHookName: str, InstanceId: str | None = None,
                                          LifecycleActionToken: str | None = None) -> None:
        """The timeout begins anew, up to 48 hours or 100 timeouts in all."""
        instance = self._waiting(LifecycleHookName, InstanceId, LifecycleActionToken)
        ticket, since, token = instance.waits[LifecycleHookName]
        self.clock.cancel(ticket)
        self._wait(instance, LifecycleHookName, since, token)

    # ------------------------------------------------------------------ the group as a whole

    def suspend_processes(self, ScalingProcesses=PROCESSES) -> None:
        """Stop doing something: all of PROCESSES, or some."""
        _check_processes(ScalingProcesses)
        self.suspended |= set(ScalingProcesses)

    def resume_processes(self, ScalingProcesses=PROCESSES) -> None:
        """Begin again, with what was left undone meanwhile."""
        _check_processes(ScalingProcesses)
        self.suspended -= set(ScalingProcesses)
        self._check_health()
        self._replace_unhealthy("a user health-check")
        if "AlarmNotification" in ScalingProcesses:
            for name in [name for name, told in self._alarms.items() if told[0] == "ALARM"]:
                self._ring(name)
        self._reconcile()
        self._rebalance()

    def delete(self, ForceDelete: bool = False) -> None:
        """DeleteAutoScalingGroup: empty, or by force with all its instances."""
        if not ForceDelete and self.instances:
            if self._busy():
                raise ServiceError("ScalingActivityInProgress", "You cannot delete an AutoScalingGroup while there are scaling "
                                                                "activities in progress for that group.")
            raise ServiceError("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances in the group.")
        for name in list(self.scheduled):
            self.delete_scheduled_action(name)
        self.policies, self.hooks, self._alarms, self._deleted = {}, {}, {}, True
        self.MinSize = self.MaxSize = self.DesiredCapacity = 0
        for instance in list(self.instances.values()):
            if not instance.state.startswith("Terminating"):
                self._take_out(instance, self._at(f"instance {instance.id} was taken out of service in response to a user "
                                                  "request."))
            for hook in list(instance.waits):  # lifecycle actions end with the group
                self._proceed(instance, hook, "CONTINUE")

    def describe(self) -> dict:
        """As DescribeAutoScalingGroups shows the group; times in seconds."""
        return {"AutoScalingGroupName": self.name, "MinSize": self.MinSize, "MaxSize": self.MaxSize,
                "DesiredCapacity": self.DesiredCapacity, "DefaultCooldown": self.DefaultCooldown,
                "AvailabilityZones": list(self.zones), "HealthCheckGracePeriod": self.HealthCheckGracePeriod,
                "TerminationPolicies": list(self.TerminationPolicies), "LaunchTemplate": self.LaunchTemplate,
                "Instances": [instance.describe() for instance in self.instances.values()],
                "SuspendedProcesses": [{"ProcessName": name} for name in PROCESSES if name in self.suspended]}

    def in_service(self, warm: bool = False) -> list[str]:
        """Ids of the instances in service; with ``warm`` those whose metrics count."""
        return [instance.id for instance in self.instances.values()
                if instance.state == "InService" and (not warm or instance.warm_at <= self.clock.now)]

    # ------------------------------------------------------------------ inside: desired and actual

    def _want(self, capacity, who, warmup=None, automatic=False):
        """Move the desired capacity, within the bounds, and see to it."""
        why = getattr(capacity, "because", "")
        old, new = self.DesiredCapacity, min(max(capacity, self.MinSize), self.MaxSize)
        if new != capacity:
            why += f"; the bounds are {self.MinSize} and {self.MaxSize}"
        if automatic and new != old and ("Launch" if new > old else "Terminate") in self.suspended:
            return Capacity(old, f"{why}; but {'Launch' if new > old else 'Terminate'} is suspended")
        self.DesiredCapacity = int(new)
        reason = self._at(f"{who} changing the desired capacity from {old} to {new}.") if new != old else ""
        self._reconcile(reason, warmup)
        return Capacity(new, why)

    def _resize(self, least, most, desired, who):
        least, most, wanted = self._sizes(least, most, desired)
        _check_sizes(least, most, wanted)
        self.MinSize, self.MaxSize = least, most
        self._want(wanted, f"{who} update of AutoScalingGroup constraints to min: {least}, max: {most}, desired: {wanted}",
                   automatic=who.startswith("a scheduled"))

    def _sizes(self, least, most, desired):
        """Minimum, maximum and desired capacity after an update."""
        least, most = self.MinSize if least is None else least, self.MaxSize if most is None else most
        return least, most, min(max(self.DesiredCapacity, least), most) if desired is None else desired

    def _reconcile(self, reason="", warmup=None, replacing=False):
        """Launch what is missing, terminate what is too much."""
        members = self._members()
        have, wanted = len(members), self.DesiredCapacity + self._extra
        if have < wanted and "Launch" not in self.suspended:
            cause = _join(reason, self._at(
                "an instance was launched in response to an unhealthy instance needing to be replaced." if replacing else
                "an instance was started in response to a difference between desired and actual capacity, increasing the "
                f"capacity from {have} to {wanted}."))
            while have < wanted and self._launch(cause, warmup) is not None:
                have += 1
        elif have > wanted and "Terminate" not in self.suspended:
            left, chosen = [instance.describe() for instance in members], []
            while len(left) > wanted:
                outside = [one for one in left if one["AvailabilityZone"] not in self.zones
                           and not one["ProtectedFromScaleIn"]]
                choice = choose_to_terminate(outside or left, self.TerminationPolicies, self.clock.now,
                                             self.LaunchTemplate["LaunchTemplateId"])
                if choice.chosen is None:
                    break  # all that are left are protected from scale in
                chosen.append(choice.chosen)
                left = [instance for instance in left if instance["InstanceId"] != choice.chosen]
            cause = _join(reason, self._at("an instance was taken out of service in response to a difference between desired and "
                                           f"actual capacity, shrinking the capacity from {have} to {wanted}."),
                          *(self._at(f"instance {name} was selected for termination.") for name in chosen))
            for name in chosen:
                self._take_out(self.instances[name], cause)
            if wanted != self.DesiredCapacity + self._extra:  # one of them was there for a rebalancing, which is off now
                self._reconcile(reason)

    def _launch(self, cause, warmup=None, rebalances=False):
        """One more instance in the zone with the fewest; None if no zone takes one."""
        failed = set(self._down)
        if warmup is None:
            warmup = self.DefaultInstanceWarmup or 0
        while (zone := choose_zone_to_launch(self.zones, [member.describe() for member in self._members()], failed).chosen):
            try:
                if self._launch_instance is None:
                    self._launched += 1
                    name = f"i-{self._launched}"
                else:
                    name = self._launch_instance(zone)
            except ServiceError as error:
                failed.add(zone)
                activity = self._activity(f"Launching a new EC2 instance.  Status Reason: {error.message} Launching EC2 instance "
                                          "failed.", cause, zone=zone, over=True)
                activity.update(StatusCode="Failed", StatusMessage=error.message)
                continue
            if name in self.instances or name in self.gone:
                raise ValueError(f"launch() gave the id {name!r} twice: every instance needs its own")
            if self._template is not None:
                self.LaunchTemplate = self._template()
            activity = self._activity(f"Launching a new EC2 instance: {name}", cause, zone=zone)
            self.instances[name] = instance = Instance(
                name, zone, self.clock.now, dict(self.LaunchTemplate), warmup, activity,
                protected=self.NewInstancesProtectedFromScaleIn, rebalances=rebalances)
            instance.boots = self.clock.after(self.boot, self._booted, instance)
            return instance
        if failed != self._down and self._retry is None:
            self._retry = self.clock.after(RETRY, self._try_again)
        return None

    def _try_again(self):
        self._retry = None
        self._reconcile()

    def _booted(self, instance):
        hooks = [name for name, hook in self.hooks.items() if hook["LifecycleTransition"] == LAUNCHING]
        if not hooks:
            return self._enter_service(instance)
        instance.state = "Pending:Wait"
        for name in hooks:
            self._wait(instance, name, self.clock.now)

    def _enter_service(self, instance):
        instance.state, instance.in_service_at = "InService", self.clock.now
        instance.warm_at = self.clock.now + instance.warmup
        self._over(instance.activity)
        if instance.rebalances:
            instance.rebalances = False
            self._extra -= 1
            self._reconcile(self._at(f"instances were launched to balance instances in zones {instance.zone} with other zones "
                                     "resulting in more than desired number of instances in the group."))
        self._settle()

    def _take_out(self, instance, cause):
        """From service, or from its launch, to the end."""
        if instance.boots is not None:
            self.clock.cancel(instance.boots)
        for ticket, *_ in instance.waits.values():
            self.clock.cancel(ticket)
        instance.waits.clear()
        if instance.state.startswith("Pending"):
            self._over(instance.activity, "Cancelled")
        if instance.rebalances:
            instance.rebalances = False
            self._extra -= 1
        instance.activity = self._activity(f"Terminating EC2 instance: {instance.id}", cause, instance)
        instance.state = "Terminating"
        seconds = 0 if self._drain is None or instance.broken or self._deleted else self._drain(instance.id)
        if seconds:  # while its load balancer lets go of it
            instance.activity["StatusCode"] = "WaitingForELBConnectionDraining"
            self.clock.after(seconds, self._drained, instance)
        else:
            self._drained(instance)

    def _drained(self, instance):
        instance.activity["StatusCode"] = "InProgress"
        hooks = [name for name, hook in self.hooks.items() if hook["LifecycleTransition"] == TERMINATING]
        if not hooks:
            return self._shut_down(instance)
        instance.state = "Terminating:Wait"
        for name in hooks:
            self._wait(instance, name, self.clock.now)

    def _shut_down(self, instance):
        if self._terminate_instance is not None:
            self._terminate_instance(instance.id)
        self.clock.after(self.shutdown, self._ended, instance)

    def _ended(self, instance):
        instance.state, instance.terminated_at = "Terminated", self.clock.now
        self.gone[instance.id] = self.instances.pop(instance.id)
        self._over(instance.activity)
        self._settle()

    def _settle(self):
        """An activity has ended: a cooldown may begin, a rebalancing go on."""
        if self._cooldown_after is not None and not self._busy():
            self._cooldown_until, self._cooldown_after = self.clock.now + self._cooldown_after, None
        self._rebalance()

    def _rebalance(self):
        """If one zone has two more than another, or one is none of the group's (any more), launch elsewhere first; the
        termination follows."""
        members, open_zones = self._members(), [zone for zone in self.zones if zone not in self._down]
        if (self._deleted or not open_zones or {"AZRebalance", "Launch"} & self.suspended
                or len(members) != self.DesiredCapacity):
            return
        counts = {zone: sum(member.zone == zone for member in members) for zone in open_zones}
        fullest = max(counts, key=counts.__getitem__)
        outside = next((member.zone for member in members
                        if member.zone not in self.zones and not member.protected), None)
        if outside is not None:
            fullest = outside
            counts[fullest] = sum(member.zone == fullest for member in members)
        elif counts[fullest] - min(counts.values()) < 2 or all(
                member.protected for member in members if member.zone == fullest):
            return
        cause = self._at(f"availability zone {fullest} had {counts[fullest]} instances. An instance was launched to aid in "
                         "balancing the group's zones.")
        if self._launch(cause, rebalances=True) is not None:
            self._extra += 1

    # ------------------------------------------------------------------ inside: policies

    def _ring(self, name):
        """An alarm is in ALARM: its policy acts."""
        state, metric, policy, threshold = self._alarms[name]
        policy = self.policies[policy]
        if "AlarmNotification" in self.suspended:
            return Capacity(self.DesiredCapacity, "AlarmNotification is suspended")
        if not policy["Enabled"]:
            return Capacity(self.DesiredCapacity, f"the policy {policy['PolicyName']} is disabled")
        if policy["PolicyType"] == "SimpleScaling" and self._cooling():
            return Capacity(self.DesiredCapacity, "simple scaling waits for the activity in progress and for the cooldown")
        try:
            return self._follow(policy, f"a monitor alarm {name} in state ALARM triggered policy {policy['PolicyName']}",
                                metric, threshold)
        except ServiceError as error:  # no step fits: on AWS it stands in the alarm's history, and nothing else happens
            return Capacity(self.DesiredCapacity, error.message)

    def _follow(self, policy, who, metric, threshold):
        if policy["PolicyType"] == "SimpleScaling":
            before, capacity = len(self.activities), self._floored(simple_capacity(policy, self.DesiredCapacity))
            result = self._want(capacity, who, automatic=True)
            if len(self.activities) > before:
                self._cooldown_after = policy.get("Cooldown", self.DefaultCooldown)
                if not self._busy():
                    self._settle()
            return result
        way = direction(policy, self.DesiredCapacity, metric, threshold)
        if way >= 0:
            warm = len(self.in_service(warm=True))
            wanted = capacity_out(policy, warm, self.DesiredCapacity, metric, threshold)
            return self._want(wanted, who, self._warmup(policy), automatic=True)
        if any(member.state != "InService" or member.warm_at > self.clock.now for member in self._members()):
            return Capacity(self.DesiredCapacity, "no scale-in while instances launch or warm up")
        running = sum(instance.counts or instance.state.startswith("Terminating") for instance in self.instances.values())
        capacity = capacity_in(policy, running, self.DesiredCapacity, metric, threshold)
        if policy["PolicyType"] == "TargetTrackingScaling":
            capacity = self._agreed(capacity, running)
        return self._want(self._floored(capacity), who, automatic=True)

    def _agreed(self, capacity, running):
        """Target tracking scales in only if all such policies want it, and by as much as the most careful of them."""
        for policy in self.policies.values():
            tracking = policy.get("TargetTrackingConfiguration")
            if not tracking or not policy["Enabled"] or "Low" not in policy["alarms"]:
                continue
            unknown = ("INSUFFICIENT_DATA", None, None, None)
            state, metric, _, _ = self._alarms.get(policy["alarms"]["Low"]["AlarmName"], unknown)
            if state != "ALARM":
                return Capacity(self.DesiredCapacity, f"the low alarm of {policy['PolicyName']} is {state}: all must agree")
            capacity = max(capacity, target_tracking(running, metric, tracking["TargetValue"]))
        return capacity if capacity < self.DesiredCapacity else Capacity(self.DesiredCapacity, capacity.because)

    def _floored(self, capacity):
        """Of a policy and the forecast, the larger capacity holds."""
        least, until = self._floor
        if capacity < least and self.clock.now < until:
            return Capacity(min(least, self.DesiredCapacity), f"{capacity.because}; the forecast asks for {least}")
        return capacity

    def _warmup(self, policy):
        fallback = self.DefaultCooldown if self.DefaultInstanceWarmup is None else self.DefaultInstanceWarmup
        return policy.get("EstimatedInstanceWarmup", fallback)

    def _cooling(self):
        return self._busy() or self._cooldown_after is not None or self.clock.now < self._cooldown_until

    def _check_cooldown(self):
        if self._cooling():
            under_way = [activity for activity in self.activities if activity["EndTime"] is None] or self.activities
            raise ServiceError("ScalingActivityInProgress", f"Scaling activity {under_way[-1]['ActivityId']} is in progress and "
                                                            "blocks this action, or its cooldown is not over.")

    # ------------------------------------------------------------------ inside: health, hooks, schedules

    def _check_health(self):
        if "HealthCheck" in self.suspended:
            return
        for instance in self._members():
            if instance.broken:
                instance.health = "Unhealthy"
        self._replace_unhealthy("a user health-check")

    def _replace_unhealthy(self, reason):
        if {"ReplaceUnhealthy", "Terminate"} & self.suspended:
            return
        unhealthy = [instance for instance in self._members() if instance.health == "Unhealthy"]
        for instance in unhealthy:
            found = "an EC2 health check indicating it has been terminated or stopped" if instance.broken else reason
            self._take_out(instance, self._at(f"an instance was taken out of service in response to {found}."))
        if unhealthy:
            self._reconcile(replacing=True)

    def _wait(self, instance, hook, since, token=None):
        if token is None:
            self._tokens += 1
            token = f"{self._tokens:08x}-0000-4000-8000-{self._tokens:012x}"
            self._tell(self.hooks[hook], {
                "LifecycleActionToken": token, "LifecycleHookName": hook, "EC2InstanceId": instance.id,
                "LifecycleTransition": self.hooks[hook]["LifecycleTransition"],
                "NotificationMetadata": self.hooks[hook]["NotificationMetadata"]})
        timeout = self.hooks[hook]["HeartbeatTimeout"]
        end = min(self.clock.now + timeout, since + min(LONGEST_WAIT, 100 * timeout))
        ticket = self.clock.at(end, self._proceed, instance, hook, self.hooks[hook]["DefaultResult"])
        instance.waits[hook] = (ticket, since, token)

    def _tell(self, hook, message):
        """The target of a lifecycle hook gets a message, if it has one and somebody carries it."""
        if self._notify is not None:
            self._notify(hook, {"Service": "AWS Auto Scaling", "Time": self._date(self.clock.now),
                                "AutoScalingGroupName": self.name, **message})

    def _proceed(self, instance, hook, result):
        ticket, *_ = instance.waits.pop(hook)
        self.clock.cancel(ticket)
        launching = instance.state.startswith("Pending")
        if result == "ABANDON":
            for ticket, *_ in instance.waits.values():
                self.clock.cancel(ticket)
            instance.waits.clear()
            if launching:
                instance.activity["StatusMessage"] = f"Instance failed to complete user's Lifecycle Action: {hook} was abandoned."
                self._take_out(instance, self._at(f"instance {instance.id} was taken out of service because the lifecycle action "
                                                  f"{hook} was abandoned."))
                return self._reconcile()
        if not instance.waits:
            instance.state = "Pending:Proceed" if launching else "Terminating:Proceed"
            (self._enter_service if launching else self._shut_down)(instance)

    def _schedule(self, action, time):
        end = action["EndTime"]
        if end is not None and time > end:
            self.scheduled.pop(action["ScheduledActionName"], None)
        else:
            action["ticket"] = self.clock.at(time, self._run_scheduled, action)

    def _run_scheduled(self, action):
        if action["Recurrence"] is None:
            del self.scheduled[action["ScheduledActionName"]]
        else:
            self._schedule(action, self._next(action["Recurrence"], action["TimeZone"]))
        if "ScheduledActions" in self.suspended:
            return
        try:
            self._resize(action["MinSize"], action["MaxSize"], action["DesiredCapacity"], "a scheduled action")
        except ServiceError as error:
            self._activity(f"Scheduled action {action['ScheduledActionName']} failed", self._at(
                f"the scheduled action {action['ScheduledActionName']} was due."), over=True).update(
                StatusCode="Failed", StatusMessage=error.message)

    def _calendar(self):
        return datetime.fromisoformat(self._date(self.clock.now))

    def _next(self, recurrence, zone=None):
        """When a recurrence next comes, by the clocks on the wall in its zone: an hour that they skip comes after it."""
        now = self._calendar()
        if zone is None:
            return self.clock.now + (next_run(recurrence, now) - now).total_seconds()
        info = _zone_info(zone)
        local = next_run(recurrence, now.astimezone(info).replace(tzinfo=None)).replace(tzinfo=info)
        if local.astimezone(UTC) <= now:  # an hour that comes twice
            local = local.replace(fold=1)
        return self.clock.now + (local.astimezone(UTC) - now).total_seconds()

    # ------------------------------------------------------------------ inside: small things

    def _members(self):
        return [instance for instance in self.instances.values() if instance.counts]

    def _busy(self):
        return any(instance.state not in ("InService", "Standby") for instance in self.instances.values())

    def _decrement(self, instances, what):
        """Lower the desired capacity by these, and how a cause says so."""
        leaving = [instance for instance in instances if instance.counts]
        old, new = self.DesiredCapacity, self.DesiredCapacity - len(leaving)
        if not leaving:
            return ""
        if new < self.MinSize:
            self._refuse_sizes(f"{what} {_count(leaving)}")
        self.DesiredCapacity = new
        return f", shrinking the capacity from {old} to {new}"

    def _refuse_sizes(self, what):
        _refuse(f"AutoScalingGroup {self.name} has min-size={self.MinSize}, max-size={self.MaxSize}, and desired-size="
                f"{self.DesiredCapacity}. To {what}, please update the AutoScalingGroup sizes appropriately.")

    def _activity(self, description, cause, instance=None, zone=None, over=False):
        activity = {"ActivityId": str(len(self.activities) + 1), "AutoScalingGroupName": self.name, "Description": description,
                    "Cause": cause, "StartTime": self.clock.now, "EndTime": None, "StatusCode": "InProgress", "Progress": 50,
                    "Details": {"Availability Zone": zone or (instance.zone if instance else None)}}
        self.activities.append(activity)
        if over:
            self._over(activity)
        return activity

    def _over(self, activity, status="Successful"):
        activity.update(EndTime=self.clock.now, StatusCode=status, Progress=100)

    def _at(self, text):
        return f"At {self._date(self.clock.now)} {text}"

    def _policy(self, name):
        if name not in self.policies:
            _refuse(f"Policy {name} not found in AutoScalingGroup {self.name}.")
        return self.policies[name]

    def _instance(self, name):
        if name not in self.instances:
            _refuse(f"Instance Id not found - {name} is not part of AutoScalingGroup {self.name}.")
        return self.instances[name]

    def _in_state(self, name, *states):
        instance = self._instance(name)
        if instance.state not in states:
            _refuse(f"The instance {name} is not in {' or '.join(states)}.")
        return instance

    def _waiting(self, hook, name, token=None):
        if name is None:
            name = next((one.id for one in self.instances.values()
                         if hook in one.waits and one.waits[hook][2] == token), None)
            if name is None:
                _refuse(f"No active Lifecycle Action found with token {token}.")
        instance = self._instance(name)
        if hook not in instance.waits:
            _refuse(f"No active Lifecycle Action found with instance ID {name}.")
        return instance

    def _check_zone(self, zone):
        if zone not in self.zones:
            raise ValueError(f"{self.name} is in {', '.join(self.zones)}, not in {zone!r}")


def _date(now):
    return (datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=now)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _zone_info(name):
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        _refuse(f"The time zone {name!r} is not in the IANA database: America/New_York is.")


def _check_sizes(least, most, desired):
    if least < 0:
        _refuse(f"MinSize is 0 or more, not {least}.")
    if least > most:
        _refuse(f"Max bound, {most}, must be greater than or equal to min bound, {least}.")
    if not least <= desired <= most:
        _refuse(f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}.")


def _check_processes(processes):
    unknown = set(processes) - set(PROCESSES)
    if unknown:
        _refuse(f"The process types are {', '.join(PROCESSES)}, not {', '.join(sorted(unknown))}.")


def _count(instances):
    return f"{len(instances)} instance{'s' if len(instances) != 1 else ''}"


def _join(*sentences):
    return "  ".join(sentence for sentence in sentences if sentence)


def _refuse(message):
    raise ServiceError("ValidationError", message)
