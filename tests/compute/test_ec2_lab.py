"""Servers in the sandbox: their states take time, they work, they cost."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

IMAGE = "ami-03cf127a"  # one of moto's


@pytest.fixture
def ec2(sandbox):
    return sandbox.client("ec2")


@pytest.fixture
def launch(ec2):

    def launch(**more):
        return ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, **more)["Instances"][0]["InstanceId"]
    return launch


def state(ec2, name):
    return ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]["State"]["Name"]


def cpu(sandbox, name, period=300):
    found = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceId", "Value": name}], Period=period,
        StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date + timedelta(minutes=1), Statistics=["Average"])["Datapoints"]
    return [point["Average"] for point in sorted(found, key=lambda point: point["Timestamp"])]


def test_given_a_launch_then_the_instance_boots_first(sandbox, ec2, launch):
    """Amazon EC2 User Guide, "Amazon EC2 instance state changes"."""
    name = launch()
    assert state(ec2, name) == "pending"
    sandbox.clock.advance(minutes=1)
    assert state(ec2, name) == "running"
    assert sandbox.history()["what"] == ["instance running"]


def test_given_a_waiter_then_the_sandboxes_time_passes(sandbox, ec2, launch):
    ec2.get_waiter("instance_running").wait(InstanceIds=[launch()])
    assert 0 < sandbox.clock.now <= 60


def test_given_orders_then_each_state_is_passed_through(sandbox, ec2, launch):
    name, seen = launch(), []
    for order, seconds in (("stop", 90), ("start", 60), ("terminate", 90)):
        sandbox.clock.advance(minutes=1)
        getattr(ec2, f"{order}_instances")(InstanceIds=[name])
        seen.append(state(ec2, name))
        sandbox.clock.advance(seconds=seconds)
        seen.append(state(ec2, name))
    assert seen == ["stopping", "stopped", "pending", "running", "shutting-down", "terminated"]


def test_given_a_pending_instance_when_stopped_then_it_is_refused(ec2, launch):
    """"Error codes for the Amazon EC2 API": IncorrectInstanceState."""
    with pytest.raises(ClientError, match="IncorrectInstanceState.*It is pending"):
        ec2.stop_instances(InstanceIds=[launch()])


def test_given_a_booting_instance_then_it_has_no_status_yet(sandbox, ec2, launch):
    name = launch()
    assert ec2.describe_instance_status(InstanceIds=[name])["InstanceStatuses"] == []
    sandbox.clock.advance(minutes=1)
    assert ec2.describe_instance_status(InstanceIds=[name])["InstanceStatuses"][0]["InstanceStatus"]["Status"] == "ok"


def test_given_a_load_then_cloudwatch_sees_it_every_five_minutes(sandbox, launch):
    """"Basic monitoring": data in five-minute periods."""
    name = launch()
    sandbox.clock.advance(minutes=1)
    sandbox.set_load(name, 0.25)
    sandbox.clock.advance(minutes=15)
    assert cpu(sandbox, name) == [25.0, 25.0, 25.0]
    assert cpu(sandbox, name, 60) == [25.0] * 3


def test_given_detailed_monitoring_then_every_minute(sandbox, launch):
    """"Detailed monitoring": data in one-minute periods."""
    name = launch(Monitoring={"Enabled": True})
    sandbox.clock.advance(minutes=11)
    assert len(cpu(sandbox, name, 60)) == 11


def test_given_a_stopped_instance_then_there_is_no_data(sandbox, ec2, launch):
    name = launch()
    sandbox.clock.advance(minutes=6)
    ec2.stop_instances(InstanceIds=[name])
    sandbox.clock.advance(hours=1)
    assert len(cpu(sandbox, name)) == 1


@pytest.mark.parametrize("target, amount, words", [("i-1", 1, "is no instance, Auto Scaling group or"), (None, -1, "0 or more"), (None, "much", "0 or more")])
def test_given_nonsense_for_a_load_then_it_says_what_to_do(sandbox, launch, target, amount, words):
    name = launch()
    with pytest.raises(ValueError, match=words):
        sandbox.set_load(target or name, amount)


def test_given_hours_then_the_bill_has_the_hours_it_ran(sandbox, ec2, launch):
    """"Instance lifecycle", differences between states: a stopped instance is not billed."""
    name = launch()
    sandbox.clock.advance(seconds=30 + 2 * 3600)
    ec2.stop_instances(InstanceIds=[name])
    sandbox.clock.advance(hours=50)
    hours = {line.item: line.quantity for line in sandbox.bill().lines if line.resource == name}
    assert hours["ec2:t3.micro"] == pytest.approx(2) and sandbox.bill().an_hour == 0


def test_given_a_wish_then_the_quote_says_what_it_would_cost(sandbox):
    words = repr(sandbox.quote("ec2", "run_instances", InstanceType="t3.micro", MinCount=2, MaxCount=2))
    assert "t3.micro" in words and "forgotten for 30 days" in words and not sandbox.life.calls


def test_given_an_alarm_with_an_ec2_action_then_the_instance_is_stopped(sandbox, ec2, launch):
    """CloudWatch User Guide, "Create alarms to stop, terminate, reboot, or recover an EC2 instance"."""
    name = launch(Monitoring={"Enabled": True})
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="idle", Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceId", "Value": name}],
        Statistic="Average", Period=60, EvaluationPeriods=5, Threshold=1, ComparisonOperator="LessThanThreshold",
        AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"])
    sandbox.clock.advance(minutes=10)
    assert state(ec2, name) == "stopped"


def test_given_a_year_then_it_passes_in_no_time(sandbox, launch):
    """Nothing that stands still is looked at again and again."""
    names = [launch() for _ in range(5)]
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="busy", Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceId", "Value": names[0]}],
        Statistic="Average", Period=300, EvaluationPeriods=2, Threshold=80, ComparisonOperator="GreaterThanThreshold")
    sandbox.clock.advance(days=1)
    looked = []
    alarm = sandbox.life.state["alarms"].alarms["busy"]
    evaluate = alarm.evaluate
    alarm.evaluate = lambda *given: looked.append(1) or evaluate(*given)
    sandbox.clock.advance(days=365)
    assert len(looked) < 10


def test_given_a_least_and_a_most_then_as_many_as_there_is_room_for_are_launched(sandbox):
    """RunInstances: MaxCount; if more than that fit, so many are launched."""
    ec2 = sandbox.client("ec2")
    assert len(ec2.run_instances(ImageId="ami-03cf127a", MinCount=1, MaxCount=3)["Instances"]) == 3
    assert len(ec2.run_instances(ImageId="ami-03cf127a", MinCount=1, MaxCount=1)["Instances"]) == 1


def test_given_a_snapshot_then_those_of_your_own_are_listed_without_those_of_aws(sandbox):
    """DescribeSnapshots, OwnerIds: self."""
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    found = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [one["SnapshotId"] for one in found] == [snapshot]
    assert len(ec2.describe_snapshots()["Snapshots"]) > 100
