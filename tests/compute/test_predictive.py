"""Predictive scaling: the forecast of a repeating load, and the plan that AWS's parameters make of it."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.predictive import HOUR, error, forecast, plan
from kit.compute.scaling_group import Group
from kit.errors import ServiceError
from kit.sim import Clock

DAY = [10, 10, 10, 10, 10, 20, 40, 80, 100, 100, 90, 90, 100, 100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 10]


def weeks(number=2, weekend=0.3):
    return [load * (weekend if day % 7 >= 5 else 1) for day in range(7 * number) for load in DAY]


def test_given_weeks_that_repeat_then_the_forecast_is_the_next_two_days_exactly():
    """"Predictive scaling": 14 days of history, 48 hours ahead; here from a Monday on."""
    assert forecast(weeks()) == pytest.approx([*DAY, *DAY])
    saturday = weeks()[:-48]
    assert forecast(saturday) == pytest.approx([0.3 * load for load in [*DAY, *DAY]])


def test_given_one_day_of_history_then_tomorrow_is_today():
    """24 hours are the least that AWS forecasts from."""
    assert forecast(DAY, hours=24) == DAY
    with pytest.raises(ValueError, match="24 hours"):
        forecast(DAY[:23])


def test_given_more_load_than_usual_on_the_last_day_then_the_forecast_follows():
    history = weeks(weekend=1.0)
    history[-24:] = [1.5 * load for load in history[-24:]]
    assert forecast(history, hours=24)[8] == pytest.approx(1.5 * 100)


def test_given_noise_then_the_forecast_is_less_off_than_the_noise_of_a_single_day():
    rng = Random(7)
    history = [load * rng.uniform(0.8, 1.2) for load in weeks(weekend=1.0)]
    assert error(DAY, forecast(history, hours=24)) < 0.12


@given(st.lists(st.floats(0, 1e6), min_size=24, max_size=400), st.integers(1, 48))
@settings(max_examples=60)
def test_a_forecast_is_never_negative_and_never_beyond_twice_the_largest_load(history, hours):
    predicted = forecast(history, hours)
    assert len(predicted) == hours
    assert all(0 <= load <= 2 * max(history[-336:]) * (1 + 1e-9) for load in predicted)


def test_more_capacity_comes_ahead_of_its_hour_and_less_does_not():
    """SchedulingBufferTime: capacity for 10:00 is launched at 9:55 (PredictiveScalingConfiguration)."""
    hours = plan([100, 250, 120], per_instance=50, MinSize=1, MaxSize=10)
    assert [(hour.at, hour.capacity) for hour in hours] == [(-300, 2), (HOUR - 300, 5), (2 * HOUR, 3)]
    assert not any(hour.scales for hour in hours)  # ForecastOnly is the default


@pytest.mark.parametrize("behaviour, expected", [
    ({}, (40, 40)), ({"MaxCapacityBreachBehavior": "IncreaseMaxCapacity", "MaxCapacityBuffer": 10}, (50, 55)),
    ({"MaxCapacityBreachBehavior": "IncreaseMaxCapacity", "MaxCapacityBuffer": 0}, (50, 50))])
def test_given_a_forecast_of_50_and_a_maximum_of_40_then_a_buffer_of_10_makes_it_55(behaviour, expected):
    """The guide's own example, and that the maximum does not go down again by itself."""
    first, second = plan([500, 10], per_instance=10, MinSize=1, MaxSize=40, **behaviour)
    assert (first.capacity, first.MaxSize) == expected
    assert (second.capacity, second.MaxSize) == (1, expected[1])


@pytest.mark.parametrize("configuration", [
    {"Mode": "Guess"}, {"SchedulingBufferTime": 3600}, {"MaxCapacityBuffer": 10}, {"MaxCapacityBreachBehavior": "IncreaseMaxCapacity"}])
def test_given_a_configuration_that_aws_refuses_then_validation_error(configuration):
    with pytest.raises(ServiceError) as refused:
        plan([1], per_instance=1, MinSize=1, MaxSize=2, **configuration)
    assert refused.value.code == "ValidationError"


def make(mode):
    group = Group(Clock(), "web", 1, 4, 2)
    group.put_scaling_policy("forecast", "PredictiveScaling", PredictiveScalingConfiguration={
        "Mode": mode, "MetricSpecifications": [{"TargetValue": 50}]})
    group.clock.run(until=400)
    return group


def test_given_forecast_only_then_the_group_does_not_move():
    assert make("ForecastOnly").scale_to_forecast("forecast", 4, until=4000) == 2


def test_given_forecast_and_scale_then_the_group_grows_never_shrinks_and_other_policies_keep_to_it():
    """"Predictive scaling": it doesn't scale in; of several policies the largest capacity holds."""
    group = make("ForecastAndScale")
    assert group.scale_to_forecast("forecast", 1, until=4000) == 2
    assert group.scale_to_forecast("forecast", 9, until=4000) == 4
    assert group.scale_to_forecast("forecast", 6, until=4000, MaxSize=7) == 6
    group.put_scaling_policy("cpu", "TargetTrackingScaling", EstimatedInstanceWarmup=0, TargetTrackingConfiguration={
        "TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}})
    low = group.alarms_wanted()[1]["AlarmName"]
    group.clock.run(until=3000)
    assert group.alarm(low, MetricValue=5) == 6
    group.clock.run(until=4000)
    assert group.alarm(low, MetricValue=5) == 1
    assert group.MaxSize == 7
