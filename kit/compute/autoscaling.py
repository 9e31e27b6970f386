"""What EC2 Auto Scaling decides: how many instances, in which zone, and which of them goes first.

Pure functions. Each answer carries ``because``. A number of instances is a ``Capacity``: an int that knows why.

    step_adjustment(capacity=10, metric=62, threshold=50, steps=STEPS, adjustment_type="PercentChangeInCapacity")   # 11
    target_tracking(capacity=4, metric=75, target=50)                                                               # 6
    choose_to_terminate(instances).because

**Simplified** AWS chooses at random where its rules leave several; here the first in order is chosen, unless ``rng`` is
given. Target tracking is proportional in both directions; AWS only says that it scales in "more gradually" than out and
publishes no formula. That the low alarm stands at 70 % of the target is what groups' alarms show (28 for a target of
40, 35 for 50, 52.5 for 75); AWS's pages don't give the number, and Application Auto Scaling (ECS) uses 90 %.
**Not modelled** Instance weights, mixed instances (AllocationStrategy), a custom termination policy with Lambda.

EC2 Auto Scaling User Guide, in AWS's public source of it, read 2026-11-23: "Step and simple scaling policies", "Target
tracking scaling policies", "Working with Amazon EC2 Auto Scaling termination policies", "Amazon EC2 Auto Scaling
benefits" (instance distribution), "Scheduled scaling". Limits: "Quotas for Amazon EC2 Auto Scaling".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from kit.errors import ServiceError

ADJUSTMENT_TYPES = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
TERMINATION_POLICIES = ("Default", "OldestInstance", "NewestInstance", "OldestLaunchConfiguration",
                        "OldestLaunchTemplate", "ClosestToNextInstanceHour")
HIGH_PERIODS, LOW_PERIODS = 3, 15  # one-minute periods that target tracking's two alarms wait
LOW_ALARM = 0.7  # the low alarm's threshold, as a part of the target (see Simplified)
STEP_LIMIT = 20  # step adjustments in a policy ("Quotas for Amazon EC2 Auto Scaling")
HOUR = 3600  # s


class Capacity(int):
    """A number of instances, with ``because``: why it is that many."""

    def __new__(cls, value: int, because: str = ""):
        number = super().__new__(cls, value)
        number.because = because
        return number


@dataclass(frozen=True)
class Choice:
    """A zone or an instance id (None: there is none to choose), and the rules that led to it."""

    chosen: str | None
    because: tuple[str, ...]


# ---------------------------------------------------------------------- how many

def step_adjustment(capacity: int, metric: float, threshold: float, steps: list[dict], adjustment_type: str,
                    min_adjustment_magnitude: int | None = None, desired: int | None = None) -> Capacity:
    """The desired capacity after a step scaling policy, before the group's bounds.

    steps: boto3's StepAdjustments; their bounds are relative to the alarm's ``threshold``. capacity: the instances that
    count. On the way out those that are still warming up don't; on the way in those that are terminating do. desired:
    what the group already wants (default: capacity); an adjustment never takes back what an earlier one asked for.
    ServiceError ValidationError if no step has the metric in its range.
    """
    step = choose_step(metric, threshold, steps)
    adjusted = adjust_capacity(capacity, step["ScalingAdjustment"], adjustment_type, min_adjustment_magnitude)
    because = f"{metric:g} is in the step {_range(step, threshold)}: {adjusted.because}"
    if desired is None or desired == adjusted:
        return Capacity(adjusted, because)
    if adjusted == capacity:
        return Capacity(desired, because)
    if adjusted > capacity and desired > adjusted or adjusted < capacity and desired < adjusted:
        return Capacity(desired, f"{because}; the group already wants {desired}")
    return Capacity(adjusted, f"{because}; the group wanted {desired} so far")


def choose_step(metric: float, threshold: float, steps: list[dict]) -> dict:
    """The step adjustment whose range has the metric: above the threshold the lower bound belongs to the range, below
    it the upper bound does."""
    above = metric - threshold
    for step in steps:
        lower, upper = _bounds(step)
        if above >= 0 and lower <= above < upper:
            return step
    for step in steps:
        lower, upper = _bounds(step)
        if above <= 0 and lower < above <= upper:
            return step
    raise ServiceError("ValidationError", f"No step adjustment found for metric value {metric:g} and breach threshold "
                                          f"{threshold:g}. Give the policy a step whose range has the difference.")


def adjust_capacity(capacity: int, adjustment: int, adjustment_type: str,
                    min_adjustment_magnitude: int | None = None) -> Capacity:
    """The capacity after one adjustment (never below 0): by a number, to a number, or by a percentage."""
    if adjustment_type == "ExactCapacity":
        return Capacity(adjustment, f"exactly {adjustment}")
    if adjustment_type == "ChangeInCapacity":
        return Capacity(max(0, capacity + adjustment), f"{capacity} {adjustment:+d}")
    if adjustment_type != "PercentChangeInCapacity":
        raise ServiceError("ValidationError", f"AdjustmentType is one of {', '.join(ADJUSTMENT_TYPES)}, "
                                              f"not {adjustment_type!r}.")
    exact = capacity * adjustment / 100
    change = round_percentage(exact)
    because = f"{adjustment:+d} % of {capacity} is {exact:g}" + (f", rounded to {change}" if change != exact else "")
    least = min_adjustment_magnitude or 0
    if adjustment and abs(change) < least:
        change = least if adjustment > 0 else -least
        because += f", but MinAdjustmentMagnitude is {least}"
    return Capacity(max(0, capacity + change), because)


def round_percentage(value: float) -> int:
    """A part of an instance becomes a whole one, away from 0; more than one is rounded towards 0 (12.7 -> 12)."""
    if -1 < value < 1:
        return (value > 0) - (value < 0)
    return int(value)


def target_tracking(capacity: int, metric: float | None, target: float, disable_scale_in: bool = False) -> Capacity:
    """The capacity that brings the average back to ``target``; what is half an instance more is a whole one more.

    metric: the average for each instance, such as CPU in per cent; None if there is no data. Nothing happens between
    the low alarm (LOW_ALARM times the target) and the target.
    """
    if metric is None:
        return Capacity(capacity, "insufficient data: target tracking does nothing without a metric")
    if LOW_ALARM * target <= metric <= target:
        return Capacity(capacity, f"{metric:g} is between the low alarm at {LOW_ALARM * target:g} and the target of {target:g}")
    if metric < target and disable_scale_in:
        return Capacity(capacity, f"{metric:g} is below the low alarm, but scale-in is disabled")
    exact = capacity * metric / target
    return Capacity(ceil(exact - 1e-9), f"{capacity} x {metric:g} / {target:g} = {exact:.4g}, rounded up")


def check_steps(steps: list[dict], adjustment_type: str) -> None:
    """ServiceError ValidationError unless the steps are ones that AWS takes."""
    if not steps:
        _refuse("At least one StepAdjustment is needed for the policy type StepScaling.")
    if len(steps) > STEP_LIMIT:
        _refuse(f"A policy has {STEP_LIMIT} step adjustments at most, not {len(steps)}.")
    for step in steps:
        if step.get("MetricIntervalLowerBound") is None and step.get("MetricIntervalUpperBound") is None:
            _refuse("Both bounds of a StepAdjustment can't be unspecified.")
        lower, upper = _bounds(step)
        if lower >= upper:
            _refuse(f"The lower bound {lower:g} of a StepAdjustment must be less than its upper bound {upper:g}.")
        check_adjustment(step.get("ScalingAdjustment"), adjustment_type)
    ordered = sorted(steps, key=_bounds)
    for side, spans in (("lower", [_bounds(step)[0] for step in ordered]), ("upper", [_bounds(step)[1] for step in ordered])):
        if sum(abs(bound) == float("inf") for bound in spans) > 1:
            _refuse(f"Only one StepAdjustment can have an unspecified {side} bound.")
    for (_, upper), (lower, _) in zip(map(_bounds, ordered), map(_bounds, ordered[1:])):
        if lower < upper:
            _refuse("StepAdjustment intervals can't overlap.")
        if lower > upper:
            _refuse("StepAdjustment intervals can't have gaps between them.")
    lowest, highest = _bounds(ordered[0])[0], _bounds(ordered[-1])[1]
    if -float("inf") < lowest < 0:
        _refuse("There must be a StepAdjustment with an unspecified lower bound when one StepAdjustment has a negative "
                "lower bound.")
    if 0 < highest < float("inf"):
        _refuse("There must be a StepAdjustment with an unspecified upper bound when one StepAdjustment has a positive "
                "upper bound.")


def check_adjustment(adjustment, adjustment_type) -> None:
    if adjustment_type not in ADJUSTMENT_TYPES:
        _refuse(f"AdjustmentType is one of {', '.join(ADJUSTMENT_TYPES)}, not {adjustment_type!r}.")
    if not isinstance(adjustment, int):
        _refuse(f"ScalingAdjustment is a whole number, not {adjustment!r}.")
    if adjustment_type == "ExactCapacity" and adjustment < 0:
        _refuse("ScalingAdjustment must be 0 or more when the AdjustmentType is ExactCapacity.")


# ---------------------------------------------------------------------- where, and which

def choose_zone_to_launch(zones, instances: list[dict], unavailable=()) -> Choice:
    """The zone with the fewest instances, of those that can take one. instances: dicts with AvailabilityZone."""
    open_zones = [zone for zone in zones if zone not in unavailable]
    if not open_zones:
        return Choice(None, (f"none of the zones {', '.join(zones)} can take an instance",))
    counts = _count(zones, instances)
    zone = min(open_zones, key=counts.__getitem__)
    because = [f"instances by zone: {', '.join(f'{name} {count}' for name, count in counts.items())}"]
    because += [f"{name} is unavailable" for name in zones if name in unavailable]
    return Choice(zone, (*because, f"{zone} has the fewest"))


def choose_to_terminate(instances: list[dict], policies=("Default",), now: float = 0.0, current_template: str | None = None,
                        configurations: tuple[str, ...] = (), rng=None) -> Choice:
    """Which instance a scale-in takes.

    instances: dicts as DescribeAutoScalingGroups gives them (InstanceId, AvailabilityZone, ProtectedFromScaleIn, and
    LaunchTemplate with LaunchTemplateId and Version, or LaunchConfigurationName), with LaunchTime in seconds.
    current_template: the LaunchTemplateId the group uses now; others count as older. configurations: names of launch
    configurations, oldest first. Zones come first, whatever the policies; each policy then narrows what is left.
    """
    check_termination_policies(policies)
    open_to_it = [instance for instance in instances if not instance.get("ProtectedFromScaleIn")]
    if not open_to_it:
        return Choice(None, ("no instance is left that is not protected from scale in",))
    because = []
    if len(open_to_it) < len(instances):
        because.append(f"{len(instances) - len(open_to_it)} protected from scale in")
    counts = _count((), instances)
    most = max(counts[instance["AvailabilityZone"]] for instance in open_to_it)
    left = [instance for instance in open_to_it if counts[instance["AvailabilityZone"]] == most]
    fullest = sorted({instance["AvailabilityZone"] for instance in left})
    because.append(f"{', '.join(fullest)} {'has' if len(fullest) == 1 else 'have'} the most instances, {most}")
    for policy in policies:
        for rule in ("launch configuration first", "OldestLaunchTemplate", "OldestLaunchConfiguration",
                     "ClosestToNextInstanceHour") if policy == "Default" else (policy,):
            rank = _rank(rule, now, current_template, configurations)
            best = min(map(rank, left))
            kept = [instance for instance in left if rank(instance) == best]
            if len(kept) < len(left):
                because.append(f"{rule}: {', '.join(instance['InstanceId'] for instance in kept)}")
            left = kept
    chosen = left[0] if rng is None else rng.choice(left)
    if len(left) > 1:
        because.append(f"one of {len(left)} that are alike")
    return Choice(chosen["InstanceId"], tuple(because))


def check_termination_policies(policies) -> None:
    for policy in policies:
        if policy not in TERMINATION_POLICIES:
            _refuse(f"Termination policies are {', '.join(TERMINATION_POLICIES)}, not {policy!r}.")
    if not policies or "Default" in policies[:-1]:
        _refuse("At least one termination policy is needed, and Default must be the last of them.")


# ---------------------------------------------------------------------- when

def next_run(recurrence: str, after: datetime) -> datetime:
    """When a scheduled action next runs, strictly after ``after``, to the minute.

    recurrence: five fields as in cron: minute, hour, day of month, month, day of week (0 or 7 is Sunday); each ``*``, a
    number, ``1-5``, ``*/10``, or several with commas. If both days are given, either will do, as in cron.
    """
    fields = recurrence.split()
    if len(fields) != 5:
        _refuse(f"Recurrence has five fields, as in '0 8 * * 1-5', not {recurrence!r}.")
    minutes, hours, days, months, weekdays = (
        _field(text, lowest, highest) for text, (lowest, highest) in
        zip(fields, ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))))
    weekdays |= {0} if 7 in weekdays else set()
    either = fields[2] != "*" and fields[4] != "*"
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(4 * 366 + 1):  # 29 February is at most so far away (1900s apart)
        on_date, on_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month in months and (on_date or on_weekday if either else on_date and on_weekday):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    if (time := day.replace(hour=hour, minute=minute)) > after:
                        return time
        day += timedelta(days=1)
    _refuse(f"Recurrence {recurrence!r} names a date that never comes.")


# ---------------------------------------------------------------------- inside

def _rank(rule, now, current_template, configurations):
    """The lower, the sooner it goes."""
    def template(instance):
        used = instance.get("LaunchTemplate")
        if used is None:
            return (2, 0)
        foreign = current_template is not None and used["LaunchTemplateId"] != current_template
        return (0, 0) if foreign else (1, int(used["Version"]))

    def configuration(instance):
        name = instance.get("LaunchConfigurationName")
        return configurations.index(name) if name in configurations else len(configurations)

    return {"OldestInstance": lambda instance: instance["LaunchTime"],
            "NewestInstance": lambda instance: -instance["LaunchTime"],
            "launch configuration first": lambda instance: instance.get("LaunchConfigurationName") is None,
            "OldestLaunchTemplate": template,
            "OldestLaunchConfiguration": configuration,
            "ClosestToNextInstanceHour": lambda instance: HOUR - (now - instance["LaunchTime"]) % HOUR}[rule]


def _count(zones, instances):
    counts = dict.fromkeys(zones, 0)
    for instance in instances:
        counts[instance["AvailabilityZone"]] = counts.get(instance["AvailabilityZone"], 0) + 1
    return counts


def _bounds(step):
    lower, upper = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
    return (-float("inf") if lower is None else float(lower), float("inf") if upper is None else float(upper))


def _range(step, threshold):
    lower, upper = (threshold + bound for bound in _bounds(step))
    return (f"from {lower:g}" if upper == float("inf") else f"up to {upper:g}" if lower == -float("inf")
            else f"{lower:g} to {upper:g}")


def _field(text, lowest, highest):
    """The numbers that one field of a recurrence stands for."""
    numbers = set()
    for part in text.split(","):
        span, _, every = part.partition("/")
        first, _, last = span.partition("-")
        try:
            step = int(every or 1)
            start = lowest if first == "*" else int(first)
            end = highest if first == "*" or (every and not last) else int(last or first)
        except ValueError:
            _refuse(f"{text!r} is no field of a Recurrence: use *, a number, 1-5, */10 or a list of these.")
        if not (lowest <= start <= end <= highest and step > 0):
            _refuse(f"{text!r} in a Recurrence is not between {lowest} and {highest}.")
        numbers |= set(range(start, end + 1, step))
    return numbers


def _refuse(message):
    raise ServiceError("ValidationError", message)
