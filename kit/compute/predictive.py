"""Predictive scaling: from two weeks of load, the next two days, and the instances that must be there beforehand.

    load = forecast(history)                                    # 48 hours from 14 days of hourly values
    plan(load, per_instance=50, MinSize=2, MaxSize=20, Mode="ForecastAndScale")

A forecast is a guess that tomorrow looks like the days before it. It knows nothing of a sale that was never held; so
AWS lets it only ever raise the capacity, and has you keep a dynamic policy beside it.

**Simplified** AWS uses machine learning and doesn't publish it. Here each hour is the mean of the same hour of the same
weekday, one and two weeks back (of the same hour of all days, if there is no full week yet), times how much the last
day was above or below that pattern (between half and double). A day that breaks the pattern shifts the next one too.
AWS says "close to the maximum" without a number; here the maximum is raised when the forecast with its buffer exceeds it.
**Not modelled** The daily refresh (call ``forecast`` again), metric pairs (give the whole load and what an instance takes
of it), forecasts of several policies, overriding a forecast.

EC2 Auto Scaling User Guide, "Predictive scaling", in AWS's public source of it, and "PredictiveScalingConfiguration" in
the API Reference that botocore 1.44.5 carries, read 2026-11-23.
"""

from dataclasses import dataclass
from math import ceil

from kit.errors import ServiceError

HOUR = 3600  # s, a forecast's interval
DAY, WEEK = 24, 168  # hours
LEAST_HISTORY = 24  # hours before there is a forecast
HISTORY = 14 * DAY  # hours that are looked at
HORIZON = 48  # hours that are forecast
MODES = ("ForecastOnly", "ForecastAndScale")
BREACH = ("HonorMaxCapacity", "IncreaseMaxCapacity")


@dataclass(frozen=True)
class Hour:
    """What a policy does for one hour: from ``at`` (seconds), at least ``capacity`` instances until ``until``."""

    at: float
    until: float
    load: float
    capacity: int
    MaxSize: int
    scales: bool
    because: str


def forecast(history: list[float], hours: int = HORIZON) -> list[float]:
    """The load of the next hours, from hourly values, oldest first; what is older than 14 days is not looked at."""
    history = list(history)[-HISTORY:]
    if len(history) < LEAST_HISTORY:
        raise ValueError(f"a forecast needs {LEAST_HISTORY} hours of history at least; there are {len(history)}")
    if not 1 <= hours <= HORIZON:
        raise ValueError(f"a forecast is for 1 to {HORIZON} hours, not {hours}")
    if min(history) < 0:
        raise ValueError("a load is 0 or more")
    level = 1.0
    if len(history) >= LEAST_HISTORY + DAY:  # how did the last day compare with what was to be expected of it?
        before = history[:-DAY]
        expected = sum(_pattern(before, ahead) for ahead in range(DAY))
        if expected > 0:
            level = min(2.0, max(0.5, sum(history[-DAY:]) / expected))
    return [level * _pattern(history, ahead) for ahead in range(hours)]


def plan(load: list[float], per_instance: float, MinSize: int, MaxSize: int, start: float = 0.0, Mode: str = "ForecastOnly",
         SchedulingBufferTime: int = 300, MaxCapacityBreachBehavior: str = "HonorMaxCapacity",
         MaxCapacityBuffer: int | None = None) -> list[Hour]:
    """The capacity of each hour of a forecast that begins at ``start`` (seconds).

    per_instance: the load that one instance takes at the target utilization. More capacity is launched
    SchedulingBufferTime seconds before its hour begins. ServiceError ValidationError for a configuration that AWS refuses.
    """
    check_configuration(Mode, SchedulingBufferTime, MaxCapacityBreachBehavior, MaxCapacityBuffer)
    if per_instance <= 0:
        raise ValueError(f"per_instance={per_instance}: the load one instance takes at the target, above 0")
    hours, before, most = [], 0, MaxSize
    for number, value in enumerate(load):
        needed = ceil(value / per_instance - 1e-9)
        because = f"{value:.4g} / {per_instance:g} for each instance = {needed}"
        if MaxCapacityBreachBehavior == "IncreaseMaxCapacity":
            buffered = ceil(needed * (100 + MaxCapacityBuffer) / 100)
            if buffered > most:
                because += f"; the maximum goes from {most} to {buffered} and stays there"
                most = buffered
        capacity = min(max(needed, MinSize), most)
        if capacity != needed:
            because += f"; the bounds are {MinSize} and {most}"
        begin = start + number * HOUR
        early = SchedulingBufferTime if capacity > before else 0
        if early:
            because += f"; {early} s ahead"
        hours.append(Hour(begin - early, begin + HOUR, value, capacity, most, Mode == "ForecastAndScale", because))
        before = capacity
    return hours


def check_configuration(Mode: str = "ForecastOnly", SchedulingBufferTime: int = 300,
                        MaxCapacityBreachBehavior: str = "HonorMaxCapacity", MaxCapacityBuffer: int | None = None) -> None:
    """ServiceError ValidationError for what AWS refuses in a PredictiveScalingConfiguration."""
    if Mode not in MODES:
        raise ServiceError("ValidationError", f"Mode is {' or '.join(MODES)}, not {Mode!r}.")
    if not 0 <= SchedulingBufferTime < HOUR:
        raise ServiceError("ValidationError", f"SchedulingBufferTime is from 0 to less than {HOUR} seconds, not {SchedulingBufferTime}.")
    if MaxCapacityBreachBehavior not in BREACH:
        raise ServiceError("ValidationError", f"MaxCapacityBreachBehavior is {' or '.join(BREACH)}, not {MaxCapacityBreachBehavior!r}.")
    if (MaxCapacityBuffer is not None) != (MaxCapacityBreachBehavior == "IncreaseMaxCapacity"):
        raise ServiceError("ValidationError", "MaxCapacityBuffer is required with IncreaseMaxCapacity and can't be used otherwise.")
    if MaxCapacityBuffer is not None and not 0 <= MaxCapacityBuffer <= 100:
        raise ServiceError("ValidationError", f"MaxCapacityBuffer is a percentage from 0 to 100, not {MaxCapacityBuffer}.")


def error(actual: list[float], predicted: list[float]) -> float:
    """How far off a forecast was: the mean distance, as a part of the mean load."""
    if len(actual) != len(predicted) or not sum(actual):
        raise ValueError("compare as many actual hours as predicted ones, with some load in them")
    return sum(abs(one - other) for one, other in zip(actual, predicted)) / sum(actual)


def _pattern(history, ahead):
    """What the hours before say of the hour that begins ``ahead`` hours after their end, level apart."""
    for period in (WEEK, DAY):
        back = period - ahead % period
        same = history[-back::-period] if back <= len(history) else []
        if same:
            return sum(same) / len(same)
    return history[-1]
