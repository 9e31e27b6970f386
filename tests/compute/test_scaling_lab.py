"""Auto Scaling groups in the sandbox: boto3 stories, told as AWS's guide tells them."""

import json
from collections import defaultdict
from datetime import datetime, timedelta

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
    scaling.create_auto_scaling_group(AutoScalingGroupName="web", **{
        "LaunchTemplate": {"LaunchTemplateName": "web"}, "MinSize": 1, "MaxSize": 6, "DesiredCapacity": 2, "AvailabilityZones": ["us-east-1a", "us-east-1b"], **more})
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
    st.tuples(st.just("advance"), st.integers(1, 60)), st.tuples(st.just("load"), st.integers(0, 50)),
    st.tuples(st.just("want"), st.integers(1, 6)), st.tuples(st.just("kill"), st.integers(0, 5)),
    st.tuples(st.just("sizes"), st.integers(1, 4))), min_size=3, max_size=9)


class Watch:
    """Lets time pass from one event to the next, and looks at EC2 at each: how long did what run? Asks boto3 alone."""

    def __init__(self, sandbox):
        self.sandbox, self.ec2, self.periods, self.since = sandbox, sandbox.client("ec2"), defaultdict(list), {}

    def look(self):
        now = self.sandbox.clock.now
        found = self.ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
        running = {one["InstanceId"] for each in found["Reservations"] for one in each["Instances"]}
        for name in running - set(self.since):
            self.since[name] = now
        for name in set(self.since) - running:
            self.periods[name].append(now - self.since.pop(name))

    def advance(self, minutes):
        goal = self.sandbox.clock.now + 60 * minutes
        self.look()
        while self.sandbox.clock.now < goal:
            due = self.sandbox.clock.events.next
            self.sandbox.clock.advance_to(min(goal, goal if due is None else due))
            self.look()

    def hours(self) -> float:
        """Each time that one runs counts a minute at least, once it is over ("Amazon EC2 instance state changes")."""
        now = self.sandbox.clock.now
        over = sum(max(60, length) for lengths in self.periods.values() for length in lengths)
        return (over + sum(now - since for since in self.since.values())) / 3600


@settings(max_examples=8)
@given(STEPS)
def test_any_story_keeps_the_bounds_and_the_order_and_bills_what_ran(story):
    sandbox = lab.start()
    sandbox.reset(seed=1)
    scaling, watch = make_group(sandbox), Watch(sandbox)
    scaling.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="cpu50", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50})
    for what, amount in story:
        shown = group(scaling)
        if what == "advance":
            watch.advance(minutes=amount)
        elif what == "load":
            sandbox.set_load("web", amount / 10)
        elif what == "want" and shown["MinSize"] <= amount <= shown["MaxSize"]:
            scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=amount)
        elif what == "kill" and shown["Instances"]:
            sandbox.client("ec2").terminate_instances(InstanceIds=[shown["Instances"][amount % len(shown["Instances"])]["InstanceId"]])
        elif what == "sizes":
            scaling.update_auto_scaling_group(AutoScalingGroupName="web", MinSize=amount, MaxSize=amount + 3)
        watch.look()
        shown = group(scaling)
        assert shown["MinSize"] <= shown["DesiredCapacity"] <= shown["MaxSize"]
    times = sandbox.history()["at"]
    assert times == sorted(times)
    watch.advance(minutes=40)
    assert states(scaling).count("InService") == group(scaling)["DesiredCapacity"]
    billed = sum(line.quantity for line in sandbox.bill().lines if line.item == "ec2:t3.micro")
    assert billed == pytest.approx(watch.hours(), abs=1e-6)
    sandbox.reset(seed=1)


def test_given_a_member_that_is_stopped_then_it_ends_terminated(sandbox, scaling):
    """The group ends it in the same moment; it must not become "stopped" afterwards."""
    sandbox.clock.advance(minutes=2)
    victim = group(scaling)["Instances"][0]["InstanceId"]
    sandbox.client("ec2").stop_instances(InstanceIds=[victim])
    sandbox.clock.advance(minutes=5)
    state = sandbox.client("ec2").describe_instances(InstanceIds=[victim])["Reservations"][0]["Instances"][0]["State"]["Name"]
    assert state == "terminated" and victim not in {one["InstanceId"] for one in group(scaling)["Instances"]}


# calls that moto alone would hear

def members(scaling):
    return {one["InstanceId"]: one for one in group(scaling)["Instances"]}


def launch_in(sandbox, zone):
    return sandbox.client("ec2").run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, Placement={
        "AvailabilityZone": zone})["Instances"][0]["InstanceId"]


def test_given_a_running_instance_when_attached_then_the_group_has_one_more(sandbox, scaling):
    """"Attach EC2 instances to your Auto Scaling group": desired capacity goes up; running, in a zone of the group, no member yet."""
    ec2 = sandbox.client("ec2")
    mine, elsewhere, late = (launch_in(sandbox, zone) for zone in ("us-east-1a", "us-east-1c", "us-east-1a"))
    with pytest.raises(ClientError, match="ValidationError.*running"):
        scaling.attach_instances(AutoScalingGroupName="web", InstanceIds=[mine])
    sandbox.clock.advance(minutes=2)
    with pytest.raises(ClientError, match="ValidationError.*us-east-1c"):
        scaling.attach_instances(AutoScalingGroupName="web", InstanceIds=[elsewhere])
    scaling.attach_instances(AutoScalingGroupName="web", InstanceIds=[mine])
    with pytest.raises(ClientError, match="already part of"):
        scaling.attach_instances(AutoScalingGroupName="web", InstanceIds=[mine])
    sandbox.clock.advance(minutes=10)
    assert group(scaling)["DesiredCapacity"] == 3 and states(scaling) == ["InService"] * 3 and mine in members(scaling)
    newest = scaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"][0]
    assert newest["Description"] == f"Attaching an existing EC2 instance: {mine}"
    assert "added in response to user request. Keeping the capacity at the new 3" in newest["Cause"]
    ec2.terminate_instances(InstanceIds=[mine])  # a member like any other
    sandbox.clock.advance(minutes=5)
    assert states(scaling) == ["InService"] * 3 and mine not in members(scaling)
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=3)
    with pytest.raises(ClientError, match="To attach 1 instance, please update the AutoScalingGroup sizes"):
        scaling.attach_instances(AutoScalingGroupName="web", InstanceIds=[late])


@pytest.mark.parametrize("by_subnet", [False, True])
def test_given_other_zones_then_the_group_moves_there_and_never_has_fewer(sandbox, by_subnet):
    """"Amazon EC2 Auto Scaling benefits", rebalancing activities: you change the zones; new ones before old ones end."""
    subnets = {one["AvailabilityZone"]: one["SubnetId"] for one in sandbox.client("ec2").describe_subnets()["Subnets"]}
    here, there = ({"VPCZoneIdentifier": ",".join(subnets[zone] for zone in zones), "AvailabilityZones": list(zones)} if by_subnet else
                   {"AvailabilityZones": list(zones)} for zones in (("us-east-1a", "us-east-1b"), ("us-east-1c",)))
    scaling = make_group(sandbox, **here)
    sandbox.clock.advance(minutes=2)
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", **there)
    assert group(scaling)["AvailabilityZones"] == ["us-east-1c"]
    for _ in range(40):
        sandbox.clock.advance(seconds=15)
        assert states(scaling).count("InService") >= 2
    assert {one["AvailabilityZone"] for one in members(scaling).values()} == {"us-east-1c"} and len(members(scaling)) == 2
    if by_subnet:
        running = sandbox.client("ec2").describe_instances(InstanceIds=list(members(scaling)))["Reservations"]
        assert {one["SubnetId"] for each in running for one in each["Instances"]} == {subnets["us-east-1c"]}


def test_given_an_update_that_aws_refuses_then_nothing_has_changed(sandbox, scaling):
    before = group(scaling)
    with pytest.raises(ClientError, match="ValidationError"):
        scaling.update_auto_scaling_group(AutoScalingGroupName="web", MinSize=5, MaxSize=3, AvailabilityZones=["us-east-1c"])
    after = group(scaling)
    assert [after[name] for name in ("MinSize", "MaxSize", "AvailabilityZones")] == [
        before[name] for name in ("MinSize", "MaxSize", "AvailabilityZones")]


@pytest.mark.parametrize("zone, hour", [("America/New_York", 14), (None, 9), ("Asia/Kolkata", 3.5)])
def test_given_a_time_zone_then_nine_oclock_is_nine_there(sandbox, scaling, zone, hour):
    """"Create a scheduled action": IANA time zones. In January New York is five hours behind UTC, Kolkata 5:30 ahead."""
    given = {"TimeZone": zone} if zone else {}
    scaling.put_scheduled_update_group_action(AutoScalingGroupName="web", ScheduledActionName="day", Recurrence="0 9 * * *",
                                              DesiredCapacity=4, **given)
    sandbox.clock.advance(hours=hour - 0.1)
    before = group(scaling)["DesiredCapacity"]
    sandbox.clock.advance(hours=0.2)
    assert (before, group(scaling)["DesiredCapacity"]) == (2, 4)
    assert scaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"][0].get("TimeZone") == zone


def test_given_summer_time_then_the_schedule_keeps_to_the_clock_on_the_wall(sandbox, scaling):
    """Daylight saving begins in New York on 2026-03-08: 9:00 there is 14:00 UTC before, 13:00 after."""
    scaling.put_scheduled_update_group_action(AutoScalingGroupName="web", ScheduledActionName="day", Recurrence="0 9 * * *",
                                              DesiredCapacity=4, TimeZone="America/New_York")
    seen = []
    for day in (6, 9):  # a Friday before, a Monday after
        sandbox.clock.advance_to(sandbox.clock.seconds_at(datetime(2026, 3, day, 12, 55)))
        scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=2)
        for _ in range(2):
            sandbox.clock.advance(hours=1)
            seen.append(group(scaling)["DesiredCapacity"])
    assert seen == [2, 4, 4, 4]
    with pytest.raises(ClientError, match="ValidationError.*IANA"):
        scaling.put_scheduled_update_group_action(AutoScalingGroupName="web", ScheduledActionName="x", Recurrence="0 9 * * *",
                                                  DesiredCapacity=4, TimeZone="Mars/Olympus")


def test_given_a_batch_of_schedules_then_the_good_ones_run_and_the_bad_one_is_told(sandbox, scaling):
    """API BatchPutScheduledUpdateGroupAction."""
    failed = scaling.batch_put_scheduled_update_group_action(AutoScalingGroupName="web", ScheduledUpdateGroupActions=[
        {"ScheduledActionName": "noon", "Recurrence": "0 12 * * *", "DesiredCapacity": 5},
        {"ScheduledActionName": "odd", "Recurrence": "at noon", "DesiredCapacity": 5}])["FailedScheduledUpdateGroupActions"]
    assert [(one["ScheduledActionName"], one["ErrorCode"]) for one in failed] == [("odd", "ValidationError")]
    sandbox.clock.advance(hours=13)
    assert group(scaling)["DesiredCapacity"] == 5
    assert not scaling.batch_delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionNames=["noon"])["FailedScheduledActions"]
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=2)
    sandbox.clock.advance(days=1)
    assert group(scaling)["DesiredCapacity"] == 2 and not scaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"]


def queue_for(sandbox, name="hooks"):
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]})})["QueueUrl"]
    return sqs, url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def test_given_a_hook_with_a_queue_then_its_message_has_the_token_that_completes_it(sandbox, scaling):
    """"Prepare to add a lifecycle hook": the test message, the message, and CompleteLifecycleAction by token."""
    sandbox.clock.advance(minutes=2)
    sqs, url, arn = queue_for(sandbox)
    role = sandbox.client("iam").create_role(RoleName="hooks", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "autoscaling.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    scaling.put_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="install", HeartbeatTimeout=600, RoleARN=role,
                               LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", NotificationTargetARN=arn,
                               NotificationMetadata="v2")
    shown = scaling.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"][0]
    assert (shown["NotificationTargetARN"], shown["RoleARN"]) == (arn, role)
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    sandbox.clock.advance(minutes=2)
    assert states(scaling) == ["InService", "InService", "Pending:Wait"]
    found = [json.loads(one["Body"]) for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]
    assert [one.get("Event") for one in found] == ["autoscaling:TEST_NOTIFICATION", None]
    message = found[1]
    waiting = next(name for name, one in members(scaling).items() if one["LifecycleState"] == "Pending:Wait")
    assert message["EC2InstanceId"] == waiting and message["NotificationMetadata"] == "v2" and message["AutoScalingGroupName"] == "web"
    with pytest.raises(ClientError, match="No active Lifecycle Action found with token"):
        scaling.complete_lifecycle_action(AutoScalingGroupName="web", LifecycleHookName="install", LifecycleActionResult="CONTINUE",
                                          LifecycleActionToken="0" * 36)
    token = {"AutoScalingGroupName": "web", "LifecycleHookName": "install", "LifecycleActionToken": message["LifecycleActionToken"]}
    sandbox.clock.advance(minutes=8)
    scaling.record_lifecycle_action_heartbeat(**token)
    sandbox.clock.advance(minutes=9)
    scaling.complete_lifecycle_action(**token, LifecycleActionResult="CONTINUE")
    assert states(scaling) == ["InService"] * 3
    with pytest.raises(ClientError, match="FIFO"):
        scaling.put_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="more", NotificationTargetARN=arn + ".fifo",
                                   LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING")


def test_given_a_deleted_hook_then_who_waits_there_goes_on_and_nobody_waits_again(sandbox, scaling):
    """API DeleteLifecycleHook: outstanding actions are completed first, CONTINUE for terminating instances."""
    sandbox.clock.advance(minutes=2)
    scaling.put_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="logs", LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING")
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    sandbox.clock.advance(minutes=2)
    waiting = states(scaling)
    scaling.delete_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="logs")
    sandbox.clock.advance(minutes=2)
    assert waiting == ["InService", "Terminating:Wait"] and states(scaling) == ["InService"]
    assert not scaling.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"]


def test_given_a_new_template_version_then_each_instance_shows_its_own(sandbox):
    """DescribeAutoScalingGroups, Instances, LaunchTemplate: the version that an instance was launched with."""
    scaling, ec2 = make_group(sandbox, LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"}), sandbox.client("ec2")
    ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.small"})
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    sandbox.clock.advance(minutes=2)
    versions = {name: one["LaunchTemplate"]["Version"] for name, one in members(scaling).items()}
    assert sorted(versions.values()) == ["1", "1", "2"]
    newest = next(name for name, version in versions.items() if version == "2")
    shown = ec2.describe_instances(InstanceIds=[newest])["Reservations"][0]["Instances"][0]
    assert shown["InstanceType"] == "t3.small" and {one["Key"]: one["Value"] for one in shown["Tags"]}["aws:ec2launchtemplate:version"] == "2"
    told = {one["InstanceId"]: one["LaunchTemplate"]["Version"] for one in scaling.describe_auto_scaling_instances()["AutoScalingInstances"]}
    assert told == versions
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=2)  # the default policy: the oldest template goes first
    assert newest in {name for name, one in members(scaling).items() if one["LifecycleState"] == "InService"}


def group_metric(sandbox, name):
    found = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/AutoScaling", MetricName=name, Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}], Period=60,
        StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date + timedelta(minutes=1), Statistics=["Average"])["Datapoints"]
    return [one["Average"] for one in sorted(found, key=lambda one: one["Timestamp"])]


def test_given_group_metrics_then_they_are_there_only_once_enabled(sandbox, scaling):
    """"Amazon CloudWatch metrics for Amazon EC2 Auto Scaling": you must enable them."""
    def listed():
        return {one["MetricName"] for one in sandbox.client("cloudwatch").list_metrics(Namespace="AWS/AutoScaling")["Metrics"]}
    sandbox.clock.advance(minutes=5)
    assert listed() == set() and group_metric(sandbox, "GroupInServiceInstances") == []
    scaling.enable_metrics_collection(AutoScalingGroupName="web", Granularity="1Minute", Metrics=["GroupDesiredCapacity"])
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    sandbox.clock.advance(minutes=3)
    assert listed() == {"GroupDesiredCapacity"} and group_metric(sandbox, "GroupDesiredCapacity") == [3] * 4  # minutes 5 to 8
    scaling.enable_metrics_collection(AutoScalingGroupName="web", Granularity="1Minute")
    assert len(group(scaling)["EnabledMetrics"]) == 8
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    sandbox.clock.advance(minutes=1)
    assert (group_metric(sandbox, "GroupTerminatingInstances")[0], group_metric(sandbox, "GroupTotalInstances")[0]) == (2, 3)
    scaling.disable_metrics_collection(AutoScalingGroupName="web")
    known = len(group_metric(sandbox, "GroupDesiredCapacity"))
    sandbox.clock.advance(minutes=5)
    assert len(group_metric(sandbox, "GroupDesiredCapacity")) == known and group(scaling)["EnabledMetrics"] == []


def test_given_activities_then_their_details_are_json_as_on_aws(sandbox, scaling):
    """DescribeScalingActivities: Details, {"Subnet ID": ..., "Availability Zone": ...}."""
    details = json.loads(scaling.describe_scaling_activities()["Activities"][0]["Details"])
    assert details["Subnet ID"].startswith("subnet-") and details["Availability Zone"] in ("us-east-1a", "us-east-1b")


def test_given_a_default_warmup_at_creation_then_new_instances_do_not_count_for_so_long(sandbox):
    """"Set the default instance warmup for an Auto Scaling group"."""
    scaling = make_group(sandbox, DefaultInstanceWarmup=600)
    assert group(scaling)["DefaultInstanceWarmup"] == 600
    scaling.put_scaling_policy(AutoScalingGroupName="web", PolicyName="in", PolicyType="StepScaling", AdjustmentType="ChangeInCapacity",
                               StepAdjustments=[{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}])
    seen = []
    for minutes in (5, 10):
        sandbox.clock.advance(minutes=minutes)
        scaling.execute_policy(AutoScalingGroupName="web", PolicyName="in", MetricValue=10, BreachThreshold=30)
        seen.append(group(scaling)["DesiredCapacity"])
    assert seen == [2, 1]  # no scale-in while instances warm up


def test_given_a_member_that_leaves_then_it_takes_no_part_of_the_groups_load(sandbox, scaling):
    """Standby and detached instances run on, and do nothing for the group."""
    sandbox.clock.advance(minutes=2)
    sandbox.set_load("web", 1.0)
    resting, leaving = members(scaling)
    scaling.enter_standby(AutoScalingGroupName="web", InstanceIds=[resting], ShouldDecrementDesiredCapacity=True)
    scaling.detach_instances(AutoScalingGroupName="web", InstanceIds=[leaving], ShouldDecrementDesiredCapacity=False)
    sandbox.clock.advance(minutes=10)
    cpu = {name: sandbox.life.state["ec2"].cpu(name, sandbox.clock.now) for name in (resting, leaving, *members(scaling))}
    assert (cpu.pop(resting), cpu.pop(leaving)) == (0, 0) and list(cpu.values()) == [100]


def test_given_members_that_are_gone_then_the_groups_cpu_of_before_is_still_there_each_minute(sandbox, scaling):
    """What CloudWatch has, it keeps; detailed monitoring: a datapoint each minute."""
    sandbox.set_load("web", 1.0)
    sandbox.clock.advance(minutes=20)
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    sandbox.clock.advance(minutes=5)
    found = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}], Period=60,
        StartTime=sandbox.clock.date_at(300), EndTime=sandbox.clock.date_at(900), Statistics=["SampleCount", "Average"])["Datapoints"]
    assert [(one["SampleCount"], one["Average"]) for one in found] == [(2, 50)] * 10


# behind a load balancer

def behind_a_balancer(sandbox, delay, **more):
    ec2, elb = sandbox.client("ec2"), sandbox.client("elbv2")
    subnets = {one["AvailabilityZone"]: one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]}
    balancer = elb.create_load_balancer(Name="shop", Subnets=[subnets["us-east-1a"], subnets["us-east-1b"]])["LoadBalancers"][0]
    target = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
                                     HealthCheckIntervalSeconds=10)["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[
        {"Type": "forward", "TargetGroupArn": target}])
    elb.modify_target_group_attributes(TargetGroupArn=target, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}])
    scaling = make_group(sandbox, TargetGroupARNs=[target], **more)
    sandbox.clock.advance(minutes=4)
    return scaling, target


def test_given_a_target_that_drains_then_the_group_waits_for_it_before_it_ends(sandbox):
    """"Configure connection draining": groups wait for it; "How lifecycle hooks work": it comes before the terminating hook."""
    scaling, target = behind_a_balancer(sandbox, 120)
    scaling.put_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="logs", HeartbeatTimeout=60, DefaultResult="CONTINUE",
                               LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING")
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    going = next(name for name, one in members(scaling).items() if one["LifecycleState"] == "Terminating")
    told = scaling.describe_scaling_activities()["Activities"][0]
    assert told["StatusCode"] == "WaitingForELBConnectionDraining"
    elb, seen = sandbox.client("elbv2"), []
    for seconds in (100, 40, 60, 100):
        sandbox.clock.advance(seconds=seconds)
        health = {one["Target"]["Id"]: one["TargetHealth"]["State"]
                  for one in elb.describe_target_health(TargetGroupArn=target)["TargetHealthDescriptions"]}
        state = sandbox.client("ec2").describe_instances(InstanceIds=[going])["Reservations"][0]["Instances"][0]["State"]["Name"]
        seen.append((members(scaling).get(going, {}).get("LifecycleState"), health.get(going), state))
    assert seen == [("Terminating", "draining", "running"), ("Terminating:Wait", None, "running"),
                    ("Terminating:Proceed", None, "shutting-down"), (None, None, "terminated")]


def test_given_a_program_that_fails_then_only_the_health_check_of_the_balancer_sees_it(sandbox):
    """"Health checks for instances in an Auto Scaling group": EC2 looks at the machine, ELB at what it answers."""
    scaling, _ = behind_a_balancer(sandbox, 0, HealthCheckType="EC2")
    victim = list(members(scaling))[0]
    sandbox.fail_server(victim)
    sandbox.clock.advance(minutes=10)
    assert victim in members(scaling) and states(scaling) == ["InService", "InService"]
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", HealthCheckType="ELB")
    sandbox.clock.advance(minutes=10)
    assert victim not in members(scaling) and states(scaling) == ["InService", "InService"]
    other = list(members(scaling))[0]
    sandbox.fail_server(other)
    sandbox.clock.advance(minutes=10)
    assert other not in members(scaling) and states(scaling) == ["InService", "InService"]


def test_given_a_host_that_fails_then_the_group_replaces_its_instance(sandbox, scaling):
    """"Health checks": an instance with an impaired system status is unhealthy."""
    sandbox.clock.advance(minutes=5)
    victim = list(members(scaling))[0]
    sandbox.fail_host(victim)
    sandbox.clock.advance(minutes=5)
    assert victim not in members(scaling) and states(scaling) == ["InService", "InService"]


def test_given_termination_protection_then_a_group_ends_its_instance_all_the_same(sandbox, scaling):
    """Termination protection is for calls of TerminateInstances; scale-in protection is what keeps a group off."""
    sandbox.clock.advance(minutes=2)
    for name in members(scaling):
        sandbox.client("ec2").modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": True})
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    sandbox.clock.advance(minutes=3)
    assert states(scaling) == ["InService"]


# alarms that must not sleep

def test_given_a_groups_days_load_then_its_alarms_are_awake_and_others_sleep(sandbox, scaling, happened):
    sandbox.set_load("web", {"low": 0.2, "high": 1.9, "peak_hour": 12})
    watched = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 2,
               "Threshold": 80, "ComparisonOperator": "GreaterThanThreshold"}
    other = sandbox.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    member = list(members(scaling))[0]
    sandbox.client("cloudwatch").put_metric_alarm(AlarmName="other", Dimensions=[{"Name": "InstanceId", "Value": other}], **watched)
    sandbox.clock.advance(hours=1)
    happened.clear()
    sandbox.clock.advance(hours=5)
    assert len(happened) < 10
    for alarm, name, value in (("group", "AutoScalingGroupName", "web"), ("member", "InstanceId", member)):
        sandbox.client("cloudwatch").put_metric_alarm(AlarmName=alarm, Dimensions=[{"Name": name, "Value": value}], **watched)
    sandbox.clock.advance(hours=6)
    shown = {one["AlarmName"]: one["StateValue"] for one in sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    assert shown["group"] == shown["member"] == "ALARM"
