"""An Auto Scaling group holds its capacity: stories from the user guide, and any story at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.scaling_group import LAUNCHING, PROCESSES, TERMINATING, Group
from kit.errors import ServiceError
from kit.sim import Clock

CPU = {"TargetValue": 50.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
OUT = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


def group(least=1, most=4, desired=2, **settings_):
    made = Group(Clock(), "web", least, most, desired, **settings_)
    made.clock.run(until=100)
    return made


def wait(made, seconds):
    made.clock.run(until=made.clock.now + seconds)


def refused(code, function, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        function(*arguments, **named)
    assert error.value.code == code
    return error.value.message


def zones(made):
    return sorted(made.instances[name].zone[-1] for name in made.in_service())


# ---------------------------------------------------------------------- desired capacity

def test_given_a_new_group_then_instances_are_pending_until_they_have_booted():
    made = Group(Clock(), "web", 1, 4, 2, boot=60)
    assert [instance.state for instance in made.instances.values()] == ["Pending", "Pending"]
    made.clock.run(until=60)
    assert made.in_service() == ["i-1", "i-2"]
    assert [(activity["StatusCode"], activity["EndTime"]) for activity in made.activities] == [("Successful", 60)] * 2


def test_causes_are_worded_as_aws_words_them():
    """The sentences of activities that groups on AWS recorded."""
    made = group()
    made.set_desired_capacity(3)
    assert made.activities[-1]["Description"] == "Launching a new EC2 instance: i-3"
    assert made.activities[-1]["Cause"] == (
        "At 2026-01-05T00:01:40Z a user request explicitly set group desired capacity changing the desired capacity from 2 to 3.  "
        "At 2026-01-05T00:01:40Z an instance was started in response to a difference between desired and actual capacity, "
        "increasing the capacity from 2 to 3.")
    wait(made, 100)
    made.update(DesiredCapacity=2, MaxSize=5)
    assert made.activities[-1]["Description"] == "Terminating EC2 instance: i-1"
    assert made.activities[-1]["Cause"] == (
        "At 2026-01-05T00:03:20Z a user request update of AutoScalingGroup constraints to min: 1, max: 5, desired: 2 changing the "
        "desired capacity from 3 to 2.  At 2026-01-05T00:03:20Z an instance was taken out of service in response to a difference "
        "between desired and actual capacity, shrinking the capacity from 3 to 2.  At 2026-01-05T00:03:20Z instance i-1 was "
        "selected for termination.")


def test_given_a_capacity_outside_the_bounds_then_validation_error():
    made = group()
    assert "above max value 4" in refused("ValidationError", made.set_desired_capacity, 5)
    assert "below min value 1" in refused("ValidationError", made.set_desired_capacity, 0)
    assert "between the specified min size" in refused("ValidationError", made.update, DesiredCapacity=9)
    refused("ValidationError", made.update, MinSize=3, MaxSize=2)
    assert made.DesiredCapacity == 2


def test_given_new_bounds_without_a_desired_capacity_then_it_is_pulled_along():
    """UpdateAutoScalingGroup, in the API Reference."""
    made = group()
    made.update(MinSize=3)
    assert made.DesiredCapacity == 3
    wait(made, 100)
    made.update(MinSize=0, MaxSize=1)
    wait(made, 100)
    assert (made.DesiredCapacity, len(made.in_service())) == (1, 1)


# ---------------------------------------------------------------------- policies

def test_given_a_cooldown_then_a_simple_policy_waits_and_people_need_not():
    """"Scaling cooldowns": it begins when the last instance is in service; manual scaling honours it only if asked to."""
    made = group(DefaultCooldown=300)
    made.put_scaling_policy("more", "SimpleScaling", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1)
    made.alarm("busy", PolicyName="more")  # at 100 s; in service at 160, so the cooldown lasts until 460
    for until, expected in ((150, 3), (300, 3), (459, 3), (460, 4)):
        made.clock.run(until=until)
        if until == 300:
            message = refused("ScalingActivityInProgress", made.execute_policy, "more", HonorCooldown=True)
            assert "Scaling activity 3" in message
            refused("ScalingActivityInProgress", made.set_desired_capacity, 4, HonorCooldown=True)
        assert made.alarm("busy", PolicyName="more") == expected
    assert made.execute_policy("more") == 4  # the maximum


def test_given_step_scaling_in_a_warm_up_then_the_same_alarm_adds_nothing_more():
    """"Step and simple scaling policies", "Instance warm-up"."""
    made = group(most=20, desired=10)
    steps = [{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 10},
             {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 30}]
    made.put_scaling_policy("out", "StepScaling", AdjustmentType="PercentChangeInCapacity", StepAdjustments=steps,
                            EstimatedInstanceWarmup=120)
    assert made.alarm("busy", MetricValue=60, PolicyName="out", BreachThreshold=50) == 11
    wait(made, 90)  # in service, not yet warm
    assert made.alarm("busy", MetricValue=62, PolicyName="out", BreachThreshold=50) == 11
    assert made.alarm("busy", MetricValue=70, PolicyName="out", BreachThreshold=50) == 13
    wait(made, 300)
    assert len(made.in_service(warm=True)) == 13
    assert made.alarm("busy", MetricValue=62, PolicyName="out", BreachThreshold=50) == 14


def test_given_instances_that_warm_up_then_no_policy_scales_in():
    """"Set the default instance warmup for an Auto Scaling group"."""
    made = group(most=10, desired=4, DefaultInstanceWarmup=200)
    made.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration=CPU)
    low = made.alarms_wanted()[1]["AlarmName"]
    assert made.alarm(low, MetricValue=10) == 4
    made.clock.run(until=260)
    assert made.alarm(low, MetricValue=10) == 1


def test_target_tracking_brings_a_quick_high_alarm_and_a_slow_low_one():
    """Names, periods and thresholds as groups on AWS have them: 35 for a target of 50."""
    made = group()
    answer = made.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration=CPU)
    high, low = made.alarms_wanted()
    assert [alarm["AlarmName"] for alarm in answer["Alarms"]] == [high["AlarmName"], low["AlarmName"]]
    assert (high["AlarmName"], low["AlarmName"]) == ("TargetTracking-web-AlarmHigh-1", "TargetTracking-web-AlarmLow-1")
    assert (high["EvaluationPeriods"], high["Threshold"], high["ComparisonOperator"]) == (3, 50, "GreaterThanThreshold")
    assert (low["EvaluationPeriods"], low["Threshold"], low["ComparisonOperator"]) == (15, 35, "LessThanThreshold")
    assert high["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "web"}]
    assert high["AlarmActions"] == [answer["PolicyARN"]]
    made.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration=CPU | {"DisableScaleIn": True})
    assert [alarm["AlarmName"] for alarm in made.alarms_wanted()] == ["TargetTracking-web-AlarmHigh-2"]


def test_given_two_target_tracking_policies_then_any_scales_out_and_only_both_scale_in():
    """"Target tracking scaling policies", "Considerations"."""
    made = group(most=10, desired=4)
    made.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration=CPU, EstimatedInstanceWarmup=0)
    network = {"TargetValue": 1000, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageNetworkIn"}}
    made.put_scaling_policy("net", "TargetTrackingScaling", TargetTrackingConfiguration=network, EstimatedInstanceWarmup=0)
    _, cpu_low, net_high, net_low = [alarm["AlarmName"] for alarm in made.alarms_wanted()]
    assert made.alarm(cpu_low, MetricValue=10) == 4
    assert made.alarm(net_high, MetricValue=2000) == 8
    wait(made, 100)
    made.alarm(net_low, "OK", MetricValue=500)  # low, but not yet for fifteen minutes
    assert made.alarm(cpu_low, MetricValue=10) == 8
    made.alarm(net_low, MetricValue=500)
    assert made.DesiredCapacity == 4  # the network's 4, not the CPU's 2


@pytest.mark.parametrize("given_, words", [
    ({"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity"}, "At least one StepAdjustment"),
    ({"AdjustmentType": "ChangeInCapacity"}, "ScalingAdjustment"),
    ({"AdjustmentType": "Twice", "ScalingAdjustment": 1}, "AdjustmentType"),
    ({"AdjustmentType": "ExactCapacity", "ScalingAdjustment": -1}, "0 or more"),
    ({"AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1, "StepAdjustments": OUT}, "not supported"),
    ({"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": CPU, "Cooldown": 60}, "not supported"),
    ({"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": {"TargetValue": 50}}, "either"),
    ({"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": {
        "TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageMemory"}}}, "none for memory"),
    ({"PolicyType": "Psychic"}, "PolicyType")])
def test_given_a_policy_that_aws_refuses_then_validation_error(given_, words):
    """PutScalingPolicy, in the API Reference: which parameter goes with which type."""
    assert words in refused("ValidationError", group().put_scaling_policy, "p", **given_)


def test_executing_a_step_policy_needs_its_metric_and_target_tracking_cannot_be_executed():
    """ExecutePolicy, in the API Reference."""
    made = group()
    made.put_scaling_policy("out", "StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=OUT)
    made.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration=CPU)
    refused("ValidationError", made.execute_policy, "out")
    refused("ValidationError", made.execute_policy, "out", MetricValue=40, BreachThreshold=50)
    refused("ValidationError", made.execute_policy, "cpu")
    refused("ValidationError", made.execute_policy, "nobody")
    assert made.execute_policy("out", MetricValue=60, BreachThreshold=50) == 3
    assert "a user request executed policy out changing the desired capacity from 2 to 3." in made.activities[-1]["Cause"]


def test_scheduled_actions_run_by_cron_and_once():
    """PutScheduledUpdateGroupAction, in the API Reference."""
    made = group(most=10)
    made.put_scheduled_update_group_action("morning", Recurrence="0 8 * * 1-5", DesiredCapacity=6, EndTime=3.5 * 86400)
    made.put_scheduled_update_group_action("once", StartTime=12 * 3600, MinSize=1, DesiredCapacity=1)
    refused("ValidationError", made.put_scheduled_update_group_action, "none", StartTime=200)
    assert "past" in refused("ValidationError", made.put_scheduled_update_group_action, "x", StartTime=1, MinSize=1)
    seen = []
    for day in range(5):
        for hour in (7.9, 8.1, 12.1):
            made.clock.run(until=(24 * day + hour) * 3600)
            seen.append(made.DesiredCapacity)
        made.set_desired_capacity(2)
    assert seen == [2, 6, 1, 2, 6, 6, 2, 6, 6, 2, 6, 6, 2, 2, 2]  # the first four days, and 12:00 only once


# ---------------------------------------------------------------------- failures

def test_given_a_failed_instance_then_it_is_terminated_and_replaced_at_the_same_time():
    """"Instance maintenance policy": without one, a failed health check means terminate and launch."""
    ended = []
    made = group(terminate=ended.append)
    made.instance_failed("i-1")
    assert ended == ["i-1"]
    terminating, launching = made.activities[-2:]
    assert terminating["Cause"].endswith("in response to an EC2 health check indicating it has been terminated or stopped.")
    assert launching["Cause"].endswith("an instance was launched in response to an unhealthy instance needing to be replaced.")
    wait(made, 100)
    assert (made.in_service(), list(made.gone)) == (["i-2", "i-3"], ["i-1"])


def test_given_a_grace_period_then_only_a_custom_health_check_respects_it():
    """"Health checks for Auto Scaling instances": it counts from InService, and not for instances that don't run."""
    made = group(HealthCheckGracePeriod=300)  # in service at 60 s, so until 360
    wait(made, 230)
    made.set_instance_health("i-1", "Unhealthy")
    assert made.in_service() == ["i-1", "i-2"]
    made.set_instance_health("i-1", "Unhealthy", ShouldRespectGracePeriod=False)
    made.instance_failed("i-2")
    wait(made, 100)
    assert made.in_service() == ["i-3", "i-4"]
    wait(made, 1000)
    made.set_instance_health("i-3", "Unhealthy")
    assert made.activities[-2]["Cause"].endswith("in response to a user health-check.")
    refused("ValidationError", made.set_instance_health, "i-3", "Healthy")


def test_given_a_failed_zone_then_the_others_take_over_and_its_recovery_rebalances_launching_first():
    """"Amazon EC2 Auto Scaling benefits", "Rebalancing activities"."""
    made = group(most=6, desired=6)
    assert zones(made) == ["a", "a", "b", "b", "c", "c"]
    made.zone_failed("us-east-1a")
    wait(made, 100)
    assert zones(made) == ["b", "b", "b", "c", "c", "c"]
    before = len(made.activities)
    made.zone_recovered("us-east-1a")
    assert len(made.in_service()) == 6 and len(made.instances) == 7  # above the maximum, by one
    fewest = 6
    for _ in range(60):
        wait(made, 10)
        fewest = min(fewest, len(made.in_service()))
    assert (zones(made), fewest) == (["a", "a", "b", "b", "c", "c"], 6)
    kinds = [activity["Description"].split()[0] for activity in made.activities[before:]]
    assert kinds == ["Launching", "Terminating"] * 2


@pytest.mark.parametrize("happens, size", [("fails", 6), ("is abandoned", 6), ("is not wanted", 3)])
def test_given_a_rebalancing_whose_new_instance_goes_then_the_group_still_comes_to_its_capacity(happens, size):
    made = group(least=3, most=6, desired=6)
    made.zone_failed("us-east-1a")
    wait(made, 100)
    made.zone_recovered("us-east-1a")
    [new] = [name for name, instance in made.instances.items() if instance.state == "Pending"]
    if happens == "fails":
        made.instance_failed(new)
    elif happens == "is abandoned":
        made.terminate_instance_in_auto_scaling_group(new, ShouldDecrementDesiredCapacity=False)
    else:
        made.update(TerminationPolicies=("NewestInstance",))
        made.set_instance_protection([name for name in made.in_service()], True)
        made.set_desired_capacity(5)
        made.set_instance_protection([name for name in made.in_service()], False)
        made.set_desired_capacity(3)
    wait(made, 1000)
    assert len(made.in_service()) == size
    assert zones(made) == sorted("abc" * (size // 3))


def test_given_a_scale_in_to_nothing_while_rebalancing_then_nothing_is_left():
    made = group(least=0, desired=2, zones=("a", "b"), TerminationPolicies=("NewestInstance",))
    made.zone_failed("a")
    wait(made, 100)
    made.zone_recovered("a")
    assert len(made.instances) == 3
    made.set_desired_capacity(0)
    wait(made, 100)
    assert made.instances == {}


def test_given_no_zone_left_then_the_group_waits_for_one():
    made = group(zones=("a", "b"))
    made.zone_failed("a")
    made.zone_failed("b")
    wait(made, 500)
    assert made.in_service() == []
    made.zone_recovered("b")
    wait(made, 100)
    assert len(made.in_service()) == 2


def test_given_a_zone_without_capacity_then_another_is_tried_and_the_failure_stands_in_the_activities():
    """"Amazon EC2 Auto Scaling benefits", "Instance distribution": it tries another zone until it succeeds."""
    full, names = {"us-east-1a"}, iter(range(100))

    def launch(zone):
        if zone in full:
            raise ServiceError("InsufficientInstanceCapacity", f"We have no capacity in {zone}.")
        return f"i-{next(names)}"

    made = group(launch=launch)
    assert zones(made) == ["b", "c"]
    assert [activity["StatusCode"] for activity in made.activities].count("Failed") == 2
    full.update(made.zones)
    made.set_desired_capacity(4)
    wait(made, 150)
    full.clear()
    wait(made, 150)
    assert len(made.in_service()) == 4


# ---------------------------------------------------------------------- hooks, standby, processes

def test_given_a_launch_hook_then_the_instance_waits_until_it_is_completed_or_abandoned():
    """"Amazon EC2 Auto Scaling lifecycle hooks"."""
    made = group(desired=1)
    made.put_lifecycle_hook("install", LAUNCHING, HeartbeatTimeout=300)
    made.set_desired_capacity(2)
    wait(made, 60)
    assert made.instances["i-2"].state == "Pending:Wait"
    wait(made, 200)
    made.record_lifecycle_action_heartbeat("install", "i-2")
    wait(made, 299)
    made.complete_lifecycle_action("install", "i-2", "CONTINUE")
    assert made.in_service() == ["i-1", "i-2"]
    assert "No active Lifecycle Action" in refused("ValidationError", made.complete_lifecycle_action, "install", "i-2", "CONTINUE")
    made.set_desired_capacity(3)
    wait(made, 60 + 300)  # nobody answers: the default result is ABANDON
    assert made.instances["i-3"].state == "Terminating" and made.instances["i-4"].state == "Pending"
    [activity] = [activity for activity in made.activities if activity["Description"] == "Launching a new EC2 instance: i-3"]
    assert activity["StatusCode"] == "Cancelled"


@pytest.mark.parametrize("result, after", [("CONTINUE", "Terminating:Wait"), ("ABANDON", "Terminating:Proceed")])
def test_given_two_termination_hooks_then_abandon_ends_both_and_continue_only_its_own(result, after):
    ended = []
    made = group(terminate=ended.append)
    made.put_lifecycle_hook("logs", TERMINATING, DefaultResult="CONTINUE")
    made.put_lifecycle_hook("backup", TERMINATING)
    made.set_desired_capacity(1)
    assert (made.instances["i-1"].state, ended) == ("Terminating:Wait", [])
    made.complete_lifecycle_action("logs", "i-1", result)
    assert made.instances["i-1"].state == after
    wait(made, 3600 + 30)
    assert ended == ["i-1"] and "i-1" in made.gone


def test_standby_with_and_without_decrement():
    """"Temporarily removing instances from your Auto Scaling group"."""
    made = group(least=1, desired=2)
    made.enter_standby(["i-1"], ShouldDecrementDesiredCapacity=True)
    assert (made.DesiredCapacity, made.in_service()) == (1, ["i-2"])
    assert made.activities[-1]["Cause"].endswith(
        "instance i-1 was moved to standby in response to a user request, shrinking the capacity from 2 to 1.")
    message = refused("ValidationError", made.enter_standby, ["i-2"], ShouldDecrementDesiredCapacity=True)
    assert message == ("AutoScalingGroup web has min-size=1, max-size=4, and desired-size=1. To place into standby 1 instance, "
                       "please update the AutoScalingGroup sizes appropriately.")
    made.instance_failed("i-1")  # nobody looks at it while it is on standby
    wait(made, 200)
    assert made.instances["i-1"].state == "Standby"
    made.exit_standby(["i-1"])
    wait(made, 100)
    assert (made.DesiredCapacity, made.in_service()) == (2, ["i-2", "i-3"])
    made.enter_standby(["i-2"], ShouldDecrementDesiredCapacity=False)
    wait(made, 100)
    assert made.in_service() == ["i-3", "i-4"]


def test_a_detached_instance_runs_on_and_is_replaced_unless_the_capacity_goes_down_too():
    ended = []
    made = group(terminate=ended.append)
    made.detach_instances(["i-1"], ShouldDecrementDesiredCapacity=False)
    wait(made, 100)
    made.detach_instances(["i-2"], ShouldDecrementDesiredCapacity=True)
    wait(made, 100)
    assert (ended, made.in_service(), made.DesiredCapacity) == ([], ["i-3"], 1)


def test_protected_instances_survive_scale_in_but_not_a_failure():
    made = group(NewInstancesProtectedFromScaleIn=True)
    made.set_desired_capacity(1)
    wait(made, 100)
    assert made.in_service() == ["i-1", "i-2"]
    made.set_instance_protection(["i-2"], False)
    wait(made, 100)
    assert made.in_service() == ["i-1"]
    made.instance_failed("i-1")
    wait(made, 100)
    assert made.in_service() == ["i-3"]


def test_given_suspended_processes_then_they_stop_and_catch_up_when_resumed():
    """"Suspending and resuming scaling processes"."""
    made = group(desired=2)
    made.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration=CPU)
    made.suspend_processes(["ReplaceUnhealthy", "AlarmNotification"])
    made.instance_failed("i-1")
    high = made.alarms_wanted()[0]["AlarmName"]
    assert made.alarm(high, MetricValue=100) == 2
    wait(made, 100)
    assert made.in_service() == ["i-1", "i-2"] and made.instances["i-1"].health == "Unhealthy"
    made.resume_processes(["ReplaceUnhealthy"])
    wait(made, 100)
    assert made.in_service() == ["i-2", "i-3"]
    made.resume_processes()
    assert made.DesiredCapacity == 4
    made.suspend_processes(["Launch"])
    made.instance_failed("i-2")
    wait(made, 200)
    assert len(made.in_service()) == 3
    made.resume_processes(["Launch"])
    wait(made, 100)
    assert len(made.in_service()) == 4
    refused("ValidationError", made.suspend_processes, ["Everything"])


def test_a_group_is_deleted_when_it_is_empty_or_by_force():
    made = group()
    refused("ResourceInUse", made.delete)
    made.set_desired_capacity(3)
    refused("ScalingActivityInProgress", made.delete)
    made.delete(ForceDelete=True)
    wait(made, 100)
    assert made.instances == {} and len(made.gone) == 3


# ---------------------------------------------------------------------- any story

calls = st.one_of(
    st.tuples(st.just("run"), st.sampled_from([1, 29, 30, 60, 61, 300, 1000])),
    st.tuples(st.just("desired"), st.integers(-1, 9)),
    st.tuples(st.just("update"), st.integers(0, 5), st.integers(0, 8)),
    st.tuples(st.just("fail"), st.integers(0, 9)),
    st.tuples(st.just("unhealthy"), st.integers(0, 9)),
    st.tuples(st.just("zone"), st.sampled_from("abc"), st.booleans()),
    st.tuples(st.just("alarm"), st.sampled_from(["cpu high", "cpu low", "out", "in"]), st.sampled_from([1.0, 40.0, 55.0, 99.0])),
    st.tuples(st.just("standby"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("back"), st.integers(0, 9)),
    st.tuples(st.just("detach"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("terminate"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("protect"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("hook"), st.sampled_from([LAUNCHING, TERMINATING]), st.sampled_from(["CONTINUE", "ABANDON"])),
    st.tuples(st.just("complete"), st.integers(0, 9), st.sampled_from(["CONTINUE", "ABANDON"])),
    st.tuples(st.just("suspend"), st.sampled_from(PROCESSES)),
    st.tuples(st.just("resume"), st.sampled_from(PROCESSES)))


def tell(story, check=lambda made, launched, ended: None):
    """Live through a story; calls that AWS would refuse are part of it."""
    launched, ended = [], []

    def launch(zone):
        launched.append(f"i-{len(launched)}")
        return launched[-1]

    made = Group(Clock(), "web", 1, 6, 2, zones="abc", launch=launch, terminate=ended.append, DefaultCooldown=120)
    made.put_scaling_policy("cpu", "TargetTrackingScaling", TargetTrackingConfiguration=CPU)
    made.put_scaling_policy("out", "StepScaling", AdjustmentType="PercentChangeInCapacity", StepAdjustments=OUT, MinAdjustmentMagnitude=2)
    made.put_scaling_policy("in", "SimpleScaling", AdjustmentType="ChangeInCapacity", ScalingAdjustment=-1, Cooldown=60)
    high, low = [alarm["AlarmName"] for alarm in made.alarms_wanted()]
    refusals = 0
    for what, *rest in story:
        names = list(made.instances)
        name = names[rest[0] % len(names)] if names and isinstance(rest[0], int) else "i-none"
        try:
            match what:
                case "run":
                    wait(made, rest[0])
                case "desired":
                    made.set_desired_capacity(rest[0])
                case "update":
                    made.update(MinSize=rest[0], MaxSize=rest[1])
                case "fail":
                    made.instance_failed(name)
                case "unhealthy":
                    made.set_instance_health(name, "Unhealthy")
                case "zone":
                    (made.zone_failed if rest[1] else made.zone_recovered)(rest[0])
                case "alarm":
                    known = {"cpu high": (high, None), "cpu low": (low, None), "out": ("busy", "out"), "in": ("idle", "in")}
                    alarm, policy = known[rest[0]]
                    made.alarm(alarm, MetricValue=rest[1], PolicyName=policy, BreachThreshold=50)
                case "standby":
                    made.enter_standby([name], ShouldDecrementDesiredCapacity=rest[1])
                case "back":
                    made.exit_standby([name])
                case "detach":
                    made.detach_instances([name], ShouldDecrementDesiredCapacity=rest[1])
                case "terminate":
                    made.terminate_instance_in_auto_scaling_group(name, ShouldDecrementDesiredCapacity=rest[1])
                case "protect":
                    made.set_instance_protection([name], rest[1])
                case "hook":
                    made.put_lifecycle_hook(f"on {rest[0]}", rest[0], HeartbeatTimeout=100, DefaultResult=rest[1])
                case "complete":
                    for hook in list(made.instances[name].waits) if name in made.instances else ():
                        made.complete_lifecycle_action(hook, name, rest[1])
                        break
                case "suspend":
                    made.suspend_processes([rest[0]])
                case "resume":
                    made.resume_processes([rest[0]])
        except ServiceError as error:
            assert error.code == "ValidationError"
            refusals += 1
        check(made, launched, ended)
    return made, launched, ended


@given(st.lists(calls, max_size=40))
@settings(max_examples=120)
def test_in_any_story_the_capacity_is_within_bounds_and_every_instance_is_accounted_for(story):
    largest = [6]

    def check(made, launched, ended):
        assert made.MinSize <= made.DesiredCapacity <= made.MaxSize
        largest[0] = max(largest[0], made.MaxSize)
        members = [instance for instance in made.instances.values() if instance.counts]
        assert len(members) <= largest[0] + 1  # rebalancing may have one more
        assert sorted([*made.instances, *made.gone]) == sorted(launched)
        assert len(ended) == len(set(ended))

    made, launched, ended = tell(story, check)
    told = [activity["Description"] for activity in made.activities]
    for name in launched:
        assert told.count(f"Launching a new EC2 instance: {name}") == 1
        instance = made.instances.get(name) or made.gone[name]
        assert told.count(f"Terminating EC2 instance: {name}") == (instance.state.startswith("Termina"))
        assert (name in ended) == (instance.state in ("Terminating", "Terminating:Proceed", "Terminated"))


@given(st.lists(calls, max_size=25))
@settings(max_examples=40)
def test_in_any_story_the_group_comes_to_its_desired_capacity_once_it_is_left_alone(story):
    made, _, _ = tell(story)
    made.resume_processes()
    for zone in "abc":
        made.zone_recovered(zone)
    made.set_instance_protection([name for name, instance in made.instances.items() if instance.state in ("InService", "Standby")], False)
    for name in list(made.hooks):
        made.put_lifecycle_hook(name, made.hooks[name]["LifecycleTransition"], HeartbeatTimeout=30, DefaultResult="CONTINUE")
    wait(made, 20_000)
    made.set_instance_protection(made.in_service(), False)
    wait(made, 5000)
    assert len(made.in_service()) == made.DesiredCapacity
    sizes = [zones(made).count(zone) for zone in "abc"]
    assert max(sizes) - min(sizes) <= 1


@given(st.lists(calls, max_size=25))
@settings(max_examples=30)
def test_the_same_story_brings_the_same_activities(story):
    assert tell(story)[0].activities == tell(story)[0].activities
