"""Auto Scaling groups in the sandbox: boto3 stories, told as AWS's guide tells them."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab

IMAGE = "ami-03cf127a"  # one of moto's


def make_group(sandbox, **more):
    ec2, scaling = sandbox.client("ec2"), sandbox.client("autoscaling")
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={
        "ImageId": IMAGE, "InstanceType": "t3.micro", "Monitoring": {"Enabled": True}})
    scaling.create_auto_scaling_group(AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateName": "web"}, **{
        "MinSize": 1, "MaxSize": 6, "DesiredCapacity": 2, "AvailabilityZones": ["us-east-1a", "us-east-1b"], **more})
    return scaling


@pytest.fixture
def scaling(sandbox):
    return make_group(sandbox)


def group(scaling):
    return scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]


def states(scaling):
    return sorted(one["LifecycleState"] for one in group(scaling)["Instances"])


def causes(scaling):
    return [one["Cause"] for one in scaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]]


def test_given_a_new_group_then_its_instances_boot_and_then_serve(sandbox, scaling):
    assert states(scaling) == ["Pending", "Pending"]
    sandbox.clock.advance(minutes=2)
    assert states(scaling) == ["InService", "InService"]
    assert {one["AvailabilityZone"] for one in group(scaling)["Instances"]} == {"us-east-1a", "us-east-1b"}
    running = sandbox.client("ec2").describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])["Reservations"]
    assert sum(len(one["Instances"]) for one in running) == 2
    assert "changing the desired capacity from 0 to 2" in causes(scaling)[0]


@pytest.mark.parametrize("wanted", [0, 7])
def test_given_a_wish_out_of_bounds_then_it_is_refused(scaling, wanted):
    with pytest.raises(ClientError, match="ValidationError"):
        scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=wanted)


def test_given_a_terminated_instance_then_it_is_replaced(sandbox, scaling):
    """"Health checks for instances in an Auto Scaling group"."""
    sandbox.clock.advance(minutes=2)
    victim = group(scaling)["Instances"][0]["InstanceId"]
    sandbox.client("ec2").terminate_instances(InstanceIds=[victim])
    sandbox.clock.advance(minutes=5)
    assert states(scaling) == ["InService", "InService"] and victim not in str(group(scaling)["Instances"])


def test_given_a_stopped_instance_then_it_is_replaced_too(sandbox, scaling):
    sandbox.clock.advance(minutes=2)
    victim = group(scaling)["Instances"][0]["InstanceId"]
    sandbox.client("ec2").stop_instances(InstanceIds=[victim])
    sandbox.clock.advance(minutes=5)
    assert states(scaling) == ["InService", "InService"] and victim not in str(group(scaling)["Instances"])


def test_given_target_tracking_then_real_alarms_move_the_group(sandbox, scaling):
    """"Target tracking scaling policies": out after three minutes above, in after fifteen below."""
    alarms = scaling.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="cpu50", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50})["Alarms"]
    shown = sandbox.client("cloudwatch").describe_alarms(AlarmNames=[one["AlarmName"] for one in alarms])["MetricAlarms"]
    assert {one["EvaluationPeriods"] for one in shown} == {3, 15}
    sandbox.clock.advance(minutes=5)
    sandbox.set_load("web", 2.4)
    sandbox.clock.advance(minutes=30)
    assert group(scaling)["DesiredCapacity"] == 5
    assert "monitor alarm TargetTracking-web-AlarmHigh" in "".join(causes(scaling))
    sandbox.set_load("web", 0.2)
    sandbox.clock.advance(hours=2)
    assert group(scaling)["DesiredCapacity"] == 1
    scaling.delete_policy(AutoScalingGroupName="web", PolicyName="cpu50")
    assert not sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"]


def test_given_a_step_policy_and_an_alarm_then_the_step_fits_the_breach(sandbox, scaling):
    """"Step and simple scaling policies"."""
    arn = scaling.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="out", PolicyType="StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=[
            {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 3}])["PolicyARN"]
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="busy", Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}],
        Statistic="Average", Period=60, EvaluationPeriods=2, Threshold=60, ComparisonOperator="GreaterThanThreshold", AlarmActions=[arn])
    sandbox.clock.advance(minutes=2)
    sandbox.set_load("web", 1.9)
    sandbox.clock.advance(minutes=5)
    assert group(scaling)["DesiredCapacity"] == 5
    assert scaling.describe_policies()["ScalingPolicies"][0]["Alarms"][0]["AlarmName"] == "busy"


def test_given_a_schedule_then_the_group_follows_it(sandbox, scaling):
    """"Scheduled scaling for Amazon EC2 Auto Scaling"."""
    scaling.put_scheduled_update_group_action(AutoScalingGroupName="web", ScheduledActionName="day", Recurrence="0 8 * * *", DesiredCapacity=4)
    scaling.put_scheduled_update_group_action(AutoScalingGroupName="web", ScheduledActionName="night", Recurrence="0 20 * * *", DesiredCapacity=1)
    seen = []
    for hours in (7, 2, 12):
        sandbox.clock.advance(hours=hours)
        seen.append(group(scaling)["DesiredCapacity"])
    assert seen == [2, 4, 1]


def test_given_a_lifecycle_hook_then_the_instance_waits_for_its_word(sandbox, scaling):
    """"Amazon EC2 Auto Scaling lifecycle hooks"."""
    scaling.put_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="install", HeartbeatTimeout=600,
                               LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", DefaultResult="ABANDON")
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    sandbox.clock.advance(minutes=2)
    waiting = [one["InstanceId"] for one in group(scaling)["Instances"] if one["LifecycleState"] == "Pending:Wait"]
    assert len(waiting) == 1 or len(waiting) == 3
    for name in waiting:
        scaling.complete_lifecycle_action(AutoScalingGroupName="web", LifecycleHookName="install", InstanceId=name, LifecycleActionResult="CONTINUE")
    assert states(scaling) == ["InService"] * 3


def test_given_standby_then_the_instance_is_out_of_service_and_comes_back(sandbox, scaling):
    sandbox.clock.advance(minutes=2)
    name = group(scaling)["Instances"][0]["InstanceId"]
    done = scaling.enter_standby(AutoScalingGroupName="web", InstanceIds=[name], ShouldDecrementDesiredCapacity=True)["Activities"]
    assert "Moving EC2 instance to Standby" in done[0]["Description"] and states(scaling) == ["InService", "Standby"]
    scaling.exit_standby(AutoScalingGroupName="web", InstanceIds=[name])
    sandbox.clock.advance(minutes=1)
    assert states(scaling) == ["InService", "InService"]


def test_given_a_zone_that_fails_then_the_group_moves_and_spreads_again_when_it_is_back(sandbox, scaling):
    """"Amazon EC2 Auto Scaling benefits": instance distribution, rebalancing activities."""
    def zones():
        return sorted(one["AvailabilityZone"][-1] for one in group(scaling)["Instances"] if one["LifecycleState"] == "InService")
    sandbox.clock.advance(minutes=2)
    sandbox.fail_zone("us-east-1a")
    sandbox.clock.advance(minutes=3)
    seen = [zones()]
    sandbox.mend_zone("us-east-1a")
    sandbox.clock.advance(minutes=10)
    assert [*seen, zones()] == [["b", "b"], ["a", "b"]]
    with pytest.raises(ValueError, match="no Availability Zone"):
        sandbox.fail_zone("us-east-1z")
    with pytest.raises(ValueError, match="has not failed"):
        sandbox.mend_zone("us-east-1a")


def test_given_a_forecast_then_capacity_is_there_before_the_morning(sandbox, scaling):
    """"Predictive scaling for Amazon EC2 Auto Scaling"."""
    scaling.put_scaling_policy(AutoScalingGroupName="web", PolicyName="foresee", PolicyType="PredictiveScaling", PredictiveScalingConfiguration={
        "Mode": "ForecastAndScale", "MetricSpecifications": [{"TargetValue": 50, "PredefinedMetricPairSpecification": {
            "PredefinedMetricType": "ASGCPUUtilization"}}]})
    sandbox.set_load("web", [0.4] * 8 + [2.4] * 10 + [0.4] * 6)
    window = {"StartTime": sandbox.clock.date, "EndTime": sandbox.clock.date + timedelta(days=1)}
    with pytest.raises(ClientError, match="needs 24 hours"):
        scaling.get_predictive_scaling_forecast(AutoScalingGroupName="web", PolicyName="foresee", **window)
    sandbox.clock.advance(days=3, hours=7, minutes=58)
    assert group(scaling)["DesiredCapacity"] == 5  # 2.4 servers' work at 50 % each, five minutes ahead
    forecast = scaling.get_predictive_scaling_forecast(AutoScalingGroupName="web", PolicyName="foresee", **window)
    assert max(forecast["CapacityForecast"]["Values"]) == 5


def test_given_a_group_with_instances_when_deleted_without_force_then_it_is_refused(sandbox, scaling):
    sandbox.clock.advance(minutes=2)
    with pytest.raises(ClientError, match="ResourceInUse"):
        scaling.delete_auto_scaling_group(AutoScalingGroupName="web")
    scaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    sandbox.clock.advance(minutes=5)
    assert not scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    running = sandbox.client("ec2").describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running", "pending"]}])["Reservations"]
    assert not running


def test_given_a_saved_day_when_loaded_then_history_is_the_same(sandbox, scaling, tmp_path):
    sandbox.set_load("web", {"low": 0.5, "high": 3, "peak_hour": 12})
    scaling.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="cpu50", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50})
    sandbox.clock.advance(days=1)
    before = sandbox.history().records.to_dicts()
    sandbox.save(tmp_path / "day.json")
    assert lab.load(tmp_path / "day.json").history().records.to_dicts() == before and len(before) > 20


STEPS = st.lists(st.one_of(
    st.tuples(st.just("advance"), st.integers(1, 90)), st.tuples(st.just("load"), st.integers(0, 50)),
    st.tuples(st.just("want"), st.integers(1, 6)), st.tuples(st.just("kill"), st.integers(0, 5)),
    st.tuples(st.just("sizes"), st.integers(1, 4))), min_size=3, max_size=9)


@settings(max_examples=12)
@given(STEPS)
def test_any_story_keeps_the_bounds_and_the_order(story):
    sandbox = lab.start()
    sandbox.reset(seed=1)
    scaling = make_group(sandbox)
    scaling.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="cpu50", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50})
    for what, amount in story:
        shown = group(scaling)
        if what == "advance":
            sandbox.clock.advance(minutes=amount)
        elif what == "load":
            sandbox.set_load("web", amount / 10)
        elif what == "want" and shown["MinSize"] <= amount <= shown["MaxSize"]:
            scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=amount)
        elif what == "kill" and shown["Instances"]:
            sandbox.client("ec2").terminate_instances(InstanceIds=[shown["Instances"][amount % len(shown["Instances"])]["InstanceId"]])
        elif what == "sizes":
            scaling.update_auto_scaling_group(AutoScalingGroupName="web", MinSize=amount, MaxSize=amount + 3)
        shown = group(scaling)
        assert shown["MinSize"] <= shown["DesiredCapacity"] <= shown["MaxSize"]
    times = sandbox.history()["at"]
    assert times == sorted(times)
    sandbox.clock.advance(hours=1)
    assert states(scaling).count("InService") == group(scaling)["DesiredCapacity"]
    ran = sum(line.quantity for line in sandbox.bill().lines if line.item == "ec2:t3.micro")
    assert 0 <= ran <= 9 * sandbox.clock.now / 3600  # never more hours than instances there could have been
    sandbox.reset(seed=1)


def test_given_a_member_that_is_stopped_then_it_ends_terminated(sandbox, scaling):
    """The group ends it in the same moment; it must not become "stopped" afterwards."""
    sandbox.clock.advance(minutes=2)
    victim = group(scaling)["Instances"][0]["InstanceId"]
    sandbox.client("ec2").stop_instances(InstanceIds=[victim])
    sandbox.clock.advance(minutes=5)
    state = sandbox.client("ec2").describe_instances(InstanceIds=[victim])["Reservations"][0]["Instances"][0]["State"]["Name"]
    assert state == "terminated" and victim not in {one["InstanceId"] for one in group(scaling)["Instances"]}
