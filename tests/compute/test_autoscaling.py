"""What Auto Scaling decides, held to the worked examples and rules of its user guide."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.autoscaling import (adjust_capacity, check_steps, choose_to_terminate, choose_zone_to_launch, next_run,
                                     round_percentage, step_adjustment, target_tracking)
from kit.errors import ServiceError

PERCENT = "PercentChangeInCapacity"


def step(lower, upper, adjustment):
    bounds = {"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper}
    return {key: value for key, value in bounds.items() if value is not None} | {"ScalingAdjustment": adjustment}


OUT = [step(0, 10, 0), step(10, 20, 10), step(20, None, 30)]  # "Step and simple scaling policies", the example
IN = [step(-10, 0, 0), step(-20, -10, -10), step(None, -20, -30)]


@pytest.mark.parametrize("steps, metric, capacity, expected", [
    (OUT, 50, 10, 10), (OUT, 59.9, 10, 10), (OUT, 60, 10, 11), (OUT, 70, 11, 14),
    (IN, 41, 14, 14), (IN, 40, 14, 13), (IN, 30, 13, 10)])
def test_given_the_guides_steps_then_the_capacity_is_the_guides(steps, metric, capacity, expected):
    """"Step and simple scaling policies": 50 % threshold; the bounds belong to the range on the far side of it."""
    decision = step_adjustment(capacity, metric, 50, steps, PERCENT)
    assert decision == expected
    assert decision.because


@pytest.mark.parametrize("metric, desired, expected", [(62, 11, 11), (70, 11, 13)])
def test_given_an_instance_that_warms_up_then_it_is_not_asked_for_twice(metric, desired, expected):
    """"Step and simple scaling policies", "Instance warm-up": 10 count, 11 are wanted already."""
    assert step_adjustment(10, metric, 50, OUT, PERCENT, desired=desired) == expected


def test_given_terminating_instances_when_scaling_in_then_they_are_not_counted_off_twice():
    assert step_adjustment(10, 35, 50, IN, PERCENT, desired=9) == 9
    assert step_adjustment(10, 20, 50, IN, PERCENT, desired=9) == 7


def test_given_a_metric_outside_all_steps_then_validation_error():
    with pytest.raises(ServiceError, match="No step adjustment found") as refused:
        step_adjustment(10, 40, 50, OUT, PERCENT)
    assert refused.value.code == "ValidationError"


@pytest.mark.parametrize("kind, adjustment, least, capacity, expected", [
    ("ChangeInCapacity", 5, None, 3, 8), ("ChangeInCapacity", -5, None, 3, 0), ("ExactCapacity", 5, None, 3, 5),
    (PERCENT, 10, None, 10, 11), (PERCENT, 25, 2, 4, 6), (PERCENT, -25, 2, 4, 2), (PERCENT, 0, 2, 4, 4)])
def test_adjustment_types(kind, adjustment, least, capacity, expected):
    """"Step and simple scaling policies", "Scaling adjustment types" and MinAdjustmentMagnitude's example."""
    assert adjust_capacity(capacity, adjustment, kind, least) == expected


@given(st.floats(-1000, 1000))
@settings(max_examples=100)
def test_rounding_never_makes_a_change_disappear_or_grow_past_one(value):
    rounded = round_percentage(value)
    assert (rounded > 0) == (value > 0) and (rounded < 0) == (value < 0)
    assert abs(rounded) <= max(1, abs(value)) and abs(rounded) > abs(value) - 1


@pytest.mark.parametrize("steps, words", [
    ([], "At least one"), ([step(None, None, 1)], "Both bounds"), ([step(0, 10, 1), step(20, None, 2)], "gaps"),
    ([step(0, 10, 1), step(5, None, 2)], "overlap"), ([step(0, 10, 1)], "unspecified upper"),
    ([step(-10, 0, -1)], "unspecified lower"), ([step(0, None, 1), step(5, None, 2)], "Only one"),
    ([step(10, 0, 1)], "must be less"), ([step(n, n + 1, 1) for n in range(20)] + [step(20, None, 1)], "20 step"),
    ([{"MetricIntervalLowerBound": 0}], "whole number")])
def test_given_steps_that_aws_refuses_then_validation_error(steps, words):
    """"Step and simple scaling policies": no gaps, no overlaps, an open end where there is a bound on that side."""
    with pytest.raises(ServiceError, match=words) as refused:
        check_steps(steps, "ChangeInCapacity")
    assert refused.value.code == "ValidationError"


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8, unique=True), st.floats(0, 200))
@settings(max_examples=100)
def test_given_steps_that_pass_then_every_metric_above_the_threshold_has_exactly_one(bounds, above):
    edges = [0, *sorted(bounds), None]
    steps = [step(lower, upper, number) for number, (lower, upper) in enumerate(zip(edges, edges[1:]))]
    check_steps(steps, "ChangeInCapacity")
    expected = sum(bound <= above for bound in bounds)
    assert step_adjustment(0, 50 + above, 50, steps, "ChangeInCapacity") == expected or 50 + above - 50 != above


@pytest.mark.parametrize("capacity, metric, target, expected", [
    (3, 75, 50, 5),  # 4.5: "we round up and add two instances"
    (4, 20, 50, 2),  # 1.6: rather one too many than one too few
    (4, 45, 50, 4), (4, 50, 50, 4), (4, None, 50, 4), (10, 100, 40, 25)])
def test_target_tracking_rounds_towards_more_instances(capacity, metric, target, expected):
    """"Target tracking scaling policies", "Considerations"."""
    assert target_tracking(capacity, metric, target) == expected


def test_given_scale_in_disabled_then_target_tracking_only_grows():
    assert target_tracking(4, 5, 50, disable_scale_in=True) == 4
    assert target_tracking(4, 99, 50, disable_scale_in=True) == 8


@given(st.integers(1, 100), st.floats(1, 100), st.floats(1, 100))
@settings(max_examples=150)
def test_after_target_tracking_the_same_load_is_at_or_below_the_target(capacity, metric, target):
    wanted = target_tracking(capacity, metric, target)
    if metric > target or metric < 0.7 * target:
        assert capacity * metric / wanted <= target * (1 + 1e-9)
        assert wanted == 1 or capacity * metric / (wanted - 1) >= target * (1 - 1e-9)


def instance(name, zone="a", age=0.0, version="1", protected=False, template="lt-1", configuration=None):
    row = {"InstanceId": name, "AvailabilityZone": zone, "LaunchTime": -age, "ProtectedFromScaleIn": protected}
    return row | ({"LaunchConfigurationName": configuration} if configuration else
                  {"LaunchTemplate": {"LaunchTemplateId": template, "Version": version}})


@pytest.mark.parametrize("instances, policies, expected", [
    ([instance("i-1", "a"), instance("i-2", "a"), instance("i-3", "b", age=9)], ("OldestInstance",), "i-1"),  # zones first
    ([instance("i-1", version="2"), instance("i-2", version="10")], ("Default",), "i-1"),
    ([instance("i-1", version="1"), instance("i-2", configuration="old")], ("Default",), "i-2"),
    ([instance("i-1", configuration="new"), instance("i-2", configuration="old")], ("Default",), "i-2"),
    ([instance("i-1", age=1000), instance("i-2", age=3500)], ("Default",), "i-2"),  # 100 s to the next hour
    ([instance("i-1", age=3700), instance("i-2", age=3500)], ("Default",), "i-2"),
    ([instance("i-1", age=10), instance("i-2", age=3599, protected=True)], ("Default",), "i-1"),
    ([instance("i-1", age=1), instance("i-2", age=5)], ("OldestInstance",), "i-2"),
    ([instance("i-1", age=1), instance("i-2", age=5)], ("NewestInstance",), "i-1"),
    ([instance("i-1", version="1"), instance("i-2", version="5", template="lt-0")], ("OldestLaunchTemplate",), "i-2"),
    ([instance("i-1", "a", protected=True), instance("i-2", "a", protected=True), instance("i-3", "b")], ("Default",), "i-3"),
    ([instance("i-1", protected=True)], ("Default",), None)])
def test_termination_policies(instances, policies, expected):
    """"Working with Amazon EC2 Auto Scaling termination policies"."""
    choice = choose_to_terminate(instances, policies, now=0, current_template="lt-1", configurations=("old", "new"))
    assert choice.chosen == expected
    assert choice.because


@pytest.mark.parametrize("policies", [("Default", "OldestInstance"), ("Random",), ()])
def test_given_default_not_last_or_an_unknown_policy_then_validation_error(policies):
    with pytest.raises(ServiceError, match="olic") as refused:
        choose_to_terminate([instance("i-1")], policies)
    assert refused.value.code == "ValidationError"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12))
@settings(max_examples=80)
def test_scale_in_takes_an_unprotected_one_and_never_unbalances_further(rows):
    instances = [instance(f"i-{number}", zone, age=number, protected=protected) for number, (zone, protected) in enumerate(rows)]
    chosen = choose_to_terminate(instances).chosen
    open_ones = [row for row in instances if not row["ProtectedFromScaleIn"]]
    if not open_ones:
        assert chosen is None
        return
    sizes = {zone: sum(row["AvailabilityZone"] == zone for row in instances) for zone in "abc"}
    [taken] = [row for row in open_ones if row["InstanceId"] == chosen]
    assert sizes[taken["AvailabilityZone"]] == max(sizes[row["AvailabilityZone"]] for row in open_ones)


def test_a_launch_goes_to_the_emptiest_zone_that_is_available():
    """"Amazon EC2 Auto Scaling benefits", "Instance distribution"."""
    instances = [instance("i-1", "a"), instance("i-2", "b")]
    assert choose_zone_to_launch("abc", instances).chosen == "c"
    assert choose_zone_to_launch("abc", instances, unavailable="c").chosen == "a"
    assert choose_zone_to_launch("abc", instances, unavailable="abc").chosen is None


@pytest.mark.parametrize("recurrence, expected", [
    ("0 8 * * *", "2026-01-06T08:00"), ("30 9 * * *", "2026-01-05T09:30"), ("*/15 * * * *", "2026-01-05T09:15"),
    ("0 0 1 1,6,12 *", "2026-06-01T00:00"), ("0 8 * * 1-5", "2026-01-06T08:00"), ("0 8 * * 0", "2026-01-11T08:00"),
    ("0 8 * * 7", "2026-01-11T08:00"), ("0 0 29 2 *", "2028-02-29T00:00"), ("0 8 20 * 3", "2026-01-07T08:00")])
def test_recurrence(recurrence, expected):
    """"Scheduled scaling" points to crontab: if both days are given, either will do."""
    after = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a Monday
    assert next_run(recurrence, after) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("recurrence", ["0 8 * *", "60 8 * * *", "x * * * *", "0 0 31 2 *", "*/0 * * * *"])
def test_given_a_recurrence_that_is_none_then_validation_error(recurrence):
    with pytest.raises(ServiceError) as refused:
        next_run(recurrence, datetime(2026, 1, 5, tzinfo=UTC))
    assert refused.value.code == "ValidationError"
