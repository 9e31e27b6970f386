"""A day of traffic over a fleet: fixed, scheduled, step, target or predictive. What does it cost, and who waits?

Requests come little at night and much around midday. A fleet of equal instances answers them; an Auto Scaling group
(``scaling_group.Group``) decides how many there are, minute by minute. Five ways to decide, one day:

    day = simulate(fleet="target", peak=1000)
    summary(day), day["capacity"], day["latency"]
    compare(steep=8, boot=600, target=70)     # the five side by side, on a hard morning

fixed        as many as the peak needs, always
scheduled    two scheduled actions: up in the morning, down at night
step         two step scaling policies with their alarms
target       one target tracking policy
predictive   a forecast from the fourteen days before, with the target tracking policy beside it, as AWS advises

**Simplified** Traffic is a fluid from minute to minute. Instances share it evenly; the mean latency is that of a queue
with Poisson arrivals and one server an instance (Erlang's C formula), plus the backlog. Whoever would wait longer than
``patience`` is refused. Alarms see a minute's mean when it is over. A new instance carries its full share once it is in
service. Billing is by the second from the launch to the end (AWS: a minute at least, and not while pending).
**Not modelled** Sessions, warm caches, the load balancer and its health checks, CloudWatch's delay.

AWS pages as in ``scaling_group.py`` and ``predictive.py``; "Amazon EC2 On-Demand Pricing" for the price's default.
"""

from functools import lru_cache
from math import ceil, exp
from random import Random

from kit.compute import predictive
from kit.compute.scaling_group import Group
from kit.sim import Clock, Records, percentile

FLEETS = ("fixed", "scheduled", "step", "target", "predictive")
PRICE = 0.0416  # $ an hour: t3.medium, Linux, us-east-1, on demand
MINUTES = 1440
MORNING, EVENING = 8.5, 19  # hours at which half of the day's traffic has come, and has gone
START = 3600  # s before midnight at which the group is created, so that the day begins with a fleet
HIGH, LOW = 10, 15  # percentage points around the target at which the step fleet's alarms stand
STEP_PERIODS = (2, 5)  # minutes that the step fleet's alarms wait, high and low


def simulate(fleet: str = "target", peak: float = 1000.0, trough: float = 0.15, steep: float = 3.0, target: float = 50.0,
             rate: float = 100.0, boot: float = 180.0, warmup: int = 60, noise: float = 0.05, spike: float = 1.0,
             spike_at: float = 20.0, spike_minutes: float = 45.0, patience: float = 5.0, max_size: int | None = None,
             margin: float = 1.0, buffer_time: int = 900, price: float = PRICE, seed: int = 1) -> Records:
    """One day, a row a minute: minute, demand (requests a second), capacity (instances in service), desired, launched
    (instances that are paid for), cpu (%), latency (mean, s), refused (requests in the minute), cost ($ so far).

    fleet: one of FLEETS. peak: requests a second at midday; trough: at midnight, as a part of it. steep: how fast the
    morning comes (1: in six hours, 8: in under one). rate: requests a second
    that keep one instance 100 % busy. target: the CPU in per cent that a fleet is sized for. boot, warmup: seconds until a
    new instance serves, and then until it counts. noise: how ragged the traffic is. spike: factor on the demand from hour
    ``spike_at`` on, which nobody foresaw. margin: what fixed and scheduled fleets have beyond the need. max_size: default
    three times the need at the peak. buffer_time: predictive scaling's SchedulingBufferTime in seconds. The same seed
    brings every fleet the same traffic.
    """
    if fleet not in FLEETS:
        raise ValueError(f"no fleet {fleet!r}; there are {', '.join(FLEETS)}")
    for name, value in (("peak", peak), ("rate", rate), ("target", target), ("patience", patience), ("margin", margin)):
        if value <= 0:
            raise ValueError(f"{name}={value}: give a number above 0")
    if not (0 <= trough <= 1 and target <= 100 and noise >= 0 and spike >= 0):
        raise ValueError(f"trough={trough} is from 0 to 1, target={target} at most 100, noise={noise} and spike={spike} not below 0")
    per_instance = rate * target / 100  # requests a second that one instance takes at the target
    needed = ceil(margin * peak / per_instance)
    most = max_size or 3 * needed
    at_start = max(1, ceil(peak * shape(0, trough, steep) / per_instance))
    clock = Clock(start=-START)
    first = min(most, needed if fleet == "fixed" else at_start)
    group = Group(clock, fleet, MinSize=1, MaxSize=most, DesiredCapacity=first, boot=boot, DefaultInstanceWarmup=warmup)
    alarms = _set_up(fleet, group, clock, most, margin, target, peak, trough, steep, per_instance, noise, buffer_time, seed)
    demands = _demand(peak, trough, steep, noise, spike, spike_at, spike_minutes, seed)
    return _run(group, clock, alarms, demands, rate, patience, price)


def summary(day: Records) -> dict:
    """cost in $; latency, the mean over the requests, and worst, the p99 over the minutes, in s; refused, the part of the
    requests; most instances in service at once; hours paid for."""
    asked = sum(day["demand"]) * 60
    served = [60 * demand - refused for demand, refused in zip(day["demand"], day["refused"])]
    total = sum(served)
    latency = sum(many * seconds for many, seconds in zip(served, day["latency"])) / total if total else 0.0
    return {"cost": day["cost"][-1], "latency": latency, "worst": percentile(day["latency"], 99),
            "refused": sum(day["refused"]) / asked if asked else 0.0, "most": max(day["capacity"]),
            "hours": sum(day["launched"]) / 60}


def compare(**parameters) -> Records:
    """All FLEETS over the same day: fleet and the columns of ``summary``."""
    table = Records("fleet", "cost", "latency", "worst", "refused", "most", "hours")
    for fleet in FLEETS:
        table.append(fleet, **summary(simulate(fleet=fleet, **parameters)))
    return table


def shape(hour: float, trough: float = 0.15, steep: float = 3.0) -> float:
    """The demand at an hour of the day, as a part of the peak: a morning as steep as ``steep``, a slow evening."""
    return trough + (1 - trough) * min(1.0, 1.02 / (1 + exp(steep * (MORNING - hour))) / (1 + exp(hour - EVENING)))


def _run(group, clock, alarms, demands, rate, patience, price):
    day = Records("minute", "demand", "capacity", "desired", "launched", "cpu", "latency", "refused", "cost")
    backlog, paid = 0.0, 0.0
    for minute, demand in enumerate(demands):
        clock.run(until=60 * minute)
        capacity, launched = len(group.in_service()), len(group.instances)
        power = capacity * rate
        work, room = backlog + 60 * demand, patience * power
        backlog = max(0.0, work - 60 * power)
        refused, backlog = max(0.0, backlog - room), min(backlog, room)
        if power:
            cpu = min(100.0, 100 * work / (60 * power))
            latency = min(patience, _wait(capacity, round(demand / power, 3)) / rate + backlog / power) + 1 / rate
        else:
            cpu, latency = None, patience
        paid += launched * price / 60
        day.append(minute, demand, capacity, group.DesiredCapacity, launched, 0.0 if cpu is None else cpu, latency, refused, paid)
        for alarm in alarms:
            alarm.see(group, cpu)
    return day


class _Alarm:
    """An alarm over one-minute means: so many in a row, and it tells the group each minute."""

    def __init__(self, wanted, policy=None):
        self.name, self.policy, self.threshold = wanted["AlarmName"], policy, wanted["Threshold"]
        self.high, self.periods = wanted["ComparisonOperator"].startswith("Greater"), wanted["EvaluationPeriods"]
        self.run, self.told = 0, "OK"

    def see(self, group, value):
        breaching = value is not None and (value > self.threshold if self.high else value < self.threshold)
        self.run = self.run + 1 if breaching else 0
        state = "ALARM" if self.run >= self.periods else "OK"
        if state == "ALARM" or state != self.told:
            group.alarm(self.name, state, value, self.policy, self.threshold)
        self.told = state


def _set_up(fleet, group, clock, most, margin, target, peak, trough, steep, per_instance, noise, buffer_time, seed):
    """The policies, schedules and forecasts of a fleet; its alarms."""
    if fleet == "scheduled":
        busy = [hour for hour in range(24) if shape(hour, 0, steep) > 0.1]
        morning, evening = max(0, busy[0] - 1), min(23, busy[-1] + 1)
        night = max(shape(hour, trough, steep) for hour in range(25) if not morning < hour < evening)
        for name, hour, part in (("morning", morning, 1.0), ("evening", evening, night)):
            group.put_scheduled_update_group_action(
                name, Recurrence=f"0 {hour} * * *", DesiredCapacity=min(most, ceil(margin * part * peak / per_instance)))
    if fleet == "step":
        steps = {"out": [{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 15, "ScalingAdjustment": 10},
                         {"MetricIntervalLowerBound": 15, "ScalingAdjustment": 30}],
                 "in": [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -10}]}
        for name, adjustments in steps.items():
            group.put_scaling_policy(name, "StepScaling", AdjustmentType="PercentChangeInCapacity", MinAdjustmentMagnitude=1,
                                     StepAdjustments=adjustments)
        high, low = STEP_PERIODS
        return [_Alarm({"AlarmName": "cpu-high", "Threshold": target + HIGH, "ComparisonOperator": "GreaterThanThreshold",
                        "EvaluationPeriods": high}, "out"),
                _Alarm({"AlarmName": "cpu-low", "Threshold": target - LOW, "ComparisonOperator": "LessThanThreshold",
                        "EvaluationPeriods": low}, "in")]
    if fleet in ("target", "predictive"):
        group.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration={
            "TargetValue": target, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}})
    if fleet == "predictive":
        group.put_scaling_policy("forecast", "PredictiveScaling", PredictiveScalingConfiguration={
            "Mode": "ForecastAndScale", "SchedulingBufferTime": buffer_time, "MetricSpecifications": [{"TargetValue": target}]})
        load = predictive.forecast(_history(peak, trough, steep, noise, seed), hours=24)
        for hour in predictive.plan(load, per_instance, group.MinSize, group.MaxSize, Mode="ForecastAndScale",
                                    SchedulingBufferTime=buffer_time):
            clock.at(max(hour.at, clock.now), group.scale_to_forecast, "forecast", hour.capacity, hour.until)
    return [_Alarm(alarm) for alarm in group.alarms_wanted()]


def _demand(peak, trough, steep, noise, spike, spike_at, spike_minutes, seed):
    """Requests a second in each minute of the day."""
    rng = Random(f"{seed} traffic")
    first, last = 60 * spike_at, 60 * spike_at + spike_minutes
    for minute in range(MINUTES):
        demand = peak * shape(minute / 60, trough, steep) * max(0.0, rng.gauss(1, noise))
        yield demand * spike if first <= minute < last else demand


def _history(peak, trough, steep, noise, seed):
    """Fourteen days of hourly means before this one, each day a little stronger or weaker."""
    rng = Random(f"{seed} history")
    return [peak * level * max(0.0, rng.gauss(shape(hour + 0.5, trough, steep), noise * 0.2))
            for level in (rng.gauss(1, noise / 2) for _ in range(14)) for hour in range(24)]


@lru_cache(maxsize=100_000)
def _wait(servers, utilization):
    """Mean wait of a queue M/M/c in service times (Erlang's C formula); at full load the backlog says the rest."""
    utilization = min(utilization, 0.995)
    load, blocking = servers * utilization, 1.0
    for busy in range(1, servers + 1):
        blocking = load * blocking / (busy + load * blocking)
    waits = blocking / (1 - utilization * (1 - blocking))
    return waits / (servers * (1 - utilization))
