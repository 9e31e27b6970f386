"""Servers in the sandbox: their states take time, they work, they cost."""

from base64 import b64encode
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
        given = {"ImageId": IMAGE, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **more}
        return ec2.run_instances(**given)["Instances"][0]["InstanceId"]
    return launch


def state(ec2, name):
    return ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]["State"]["Name"]


def cpu(sandbox, name, period=300, metric="CPUUtilization"):
    found = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2", MetricName=metric, Dimensions=[{"Name": "InstanceId", "Value": name}], Period=period,
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
    with pytest.raises(ClientError, match="IncorrectInstanceState.*never reached the 'running' state"):
        ec2.stop_instances(InstanceIds=[launch()])


def test_given_a_booting_instance_then_it_has_no_status_yet(sandbox, ec2, launch):
    name = launch()
    assert ec2.describe_instance_status(InstanceIds=[name])["InstanceStatuses"] == []
    seen = []
    for minutes in (1, 3):
        sandbox.clock.advance(minutes=minutes)
        seen.append(ec2.describe_instance_status(InstanceIds=[name])["InstanceStatuses"][0]["InstanceStatus"]["Status"])
    assert seen == ["initializing", "ok"]


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
    assert hours["ec2:t3.micro"] == pytest.approx(2)
    assert sandbox.bill().an_hour == pytest.approx(8 * 0.10 / 730)  # its disk stays, 8 GiB


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


# what the model says: states, protection, quotas, user data

def test_given_an_instance_that_ends_when_ordered_about_then_nothing_brings_it_back(sandbox, ec2, launch):
    """"Error codes for the Amazon EC2 API": IncorrectInstanceState; RebootInstances ignores what is terminated."""
    name = launch()
    sandbox.clock.advance(minutes=1)
    ec2.terminate_instances(InstanceIds=[name])
    for order in ("start", "stop"):
        with pytest.raises(ClientError, match="IncorrectInstanceState.*It is shutting-down"):
            getattr(ec2, f"{order}_instances")(InstanceIds=[name])
    sandbox.clock.advance(minutes=2)
    ec2.reboot_instances(InstanceIds=[name])
    ec2.terminate_instances(InstanceIds=[name])
    sandbox.clock.advance(minutes=5)
    assert state(ec2, name) == "terminated" and sandbox.history()["what"].count("instance terminated") == 1


def test_given_two_instances_when_one_must_not_be_stopped_then_neither_is(sandbox, ec2, launch):
    """StopInstances: OperationNotPermitted under stop protection."""
    names = [launch(), launch(DisableApiStop=True)]
    sandbox.clock.advance(minutes=1)
    with pytest.raises(ClientError, match="OperationNotPermitted.*disableApiStop"):
        ec2.stop_instances(InstanceIds=names)
    assert [state(ec2, name) for name in names] == ["running", "running"]


def test_given_no_hibernation_at_launch_then_an_instance_cannot_hibernate(sandbox, ec2, launch):
    """StopInstances: Hibernate needs an instance that was launched with hibernation enabled."""
    name, other = launch(), launch(HibernationOptions={"Configured": True})
    sandbox.clock.advance(minutes=1)
    with pytest.raises(ClientError, match="UnsupportedHibernationConfiguration"):
        ec2.stop_instances(InstanceIds=[name], Hibernate=True)
    ec2.stop_instances(InstanceIds=[other], Hibernate=True)
    assert (state(ec2, name), state(ec2, other)) == ("running", "stopping")


def test_given_a_booting_instance_then_no_image_is_made_of_it(sandbox, ec2, launch):
    name = launch()
    with pytest.raises(ClientError, match="IncorrectInstanceState.*imaged"):
        ec2.create_image(InstanceId=name, Name="site")
    sandbox.clock.advance(minutes=1)
    image = ec2.create_image(InstanceId=name, Name="site")["ImageId"]
    twin = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    assert twin["ImageId"] == image and twin["State"]["Name"] == "pending"


def test_given_the_quota_then_so_many_servers_run_and_no_more(sandbox, ec2, launch):
    """"Amazon EC2 service quotas": On-Demand Instances by vCPUs, of those that run; a t3.micro has two."""
    ec2.terminate_instances(InstanceIds=[launch()])
    quotas, standard = sandbox.client("service-quotas"), {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
    limit = int(quotas.get_service_quota(**standard)["Quota"]["Value"])
    with pytest.raises(ClientError, match=f"VcpuLimitExceeded.*limit of {limit} "):
        ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=limit // 2 + 1, MaxCount=limit)
    made = ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=limit)["Instances"]
    assert len(made) == limit // 2  # RunInstances: the largest number that is possible
    sandbox.clock.advance(minutes=1)
    with pytest.raises(ClientError, match="VcpuLimitExceeded"):
        launch()
    ec2.stop_instances(InstanceIds=[made[0]["InstanceId"]])
    assert state(ec2, launch()) == "pending"
    with pytest.raises(ClientError, match="VcpuLimitExceeded.*limit of 0 "):
        launch(InstanceType="g5.xlarge")
    quotas.request_service_quota_increase(DesiredValue=limit + 2.0, **standard)
    sandbox.clock.advance(hours=1)
    assert quotas.get_service_quota(**standard)["Quota"]["Value"] == limit + 2 and launch()


def test_given_a_group_that_wants_more_than_the_quota_then_its_activity_says_why(sandbox, ec2):
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "m5.xlarge"})
    scaling = sandbox.client("autoscaling")
    scaling.create_auto_scaling_group(AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateName": "web"}, MinSize=17,
                                      MaxSize=17, AvailabilityZones=["us-east-1a"])
    found = scaling.describe_scaling_activities()["Activities"]
    assert [one["StatusCode"] for one in found].count("Failed") == 1 and len(found) == 17
    assert "vCPU limit of 64" in next(one["StatusMessage"] for one in found if one["StatusCode"] == "Failed")


def test_given_a_launch_that_failed_then_the_next_one_is_not_taken_for_it(sandbox, ec2):
    """A group's launch of one, after a refused RunInstances of four."""
    with pytest.raises(ClientError):
        ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=4, MaxCount=4, SubnetId="subnet-none")
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.micro"})
    sandbox.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateName": "web"}, MinSize=1, MaxSize=1, AvailabilityZones=["us-east-1a"])
    assert sum(len(one["Instances"]) for one in ec2.describe_instances()["Reservations"]) == 1


@pytest.mark.parametrize("size, fits", [(16384, True), (16385, False)])
def test_given_user_data_then_sixteen_kilobytes_fit(sandbox, ec2, launch, size, fits):
    """"Run commands at launch using instance user data": 16 KB in raw form; it runs at the first boot only."""
    template = {"ImageId": IMAGE, "UserData": b64encode(b"#" * size).decode()}
    if not fits:
        with pytest.raises(ClientError, match="InvalidParameterValue.*User data is limited to 16384 bytes"):
            launch(UserData="#" * size)
        with pytest.raises(ClientError, match="InvalidUserData.Malformed.*16384"):
            ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=template)
        return
    name = launch(UserData="#" * size)
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=template)
    for order in ("stop", "start", "reboot"):
        sandbox.clock.advance(minutes=2)
        getattr(ec2, f"{order}_instances")(InstanceIds=[name])
    assert sandbox.history()["what"].count("user data run") == 1


# alarms that must not sleep

def watch(sandbox, name, metric="CPUUtilization", threshold=80, period=60, action="stop", **more):
    sandbox.client("cloudwatch").put_metric_alarm(**{
        "AlarmName": "watch", "Namespace": "AWS/EC2", "MetricName": metric, "Dimensions": [{"Name": "InstanceId", "Value": name}],
        "Statistic": "Average", "Period": period, "EvaluationPeriods": 2, "Threshold": threshold,
        "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [f"arn:aws:automate:us-east-1:ec2:{action}"], **more})


def alarm(sandbox):
    return sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["StateValue"]


@pytest.mark.parametrize("by_expression", [False, True])
def test_given_a_days_load_when_the_peak_comes_then_the_alarm_is_awake(sandbox, ec2, launch, by_expression):
    """Without any Auto Scaling group or balancer that would keep it awake; also behind metric math."""
    name = launch(Monitoring={"Enabled": True})
    sandbox.set_load(name, {"low": 0.1, "high": 0.95, "peak_hour": 12})
    if by_expression:
        sandbox.client("cloudwatch").put_metric_alarm(
            AlarmName="watch", EvaluationPeriods=2, Threshold=160, ComparisonOperator="GreaterThanThreshold", Metrics=[
                {"Id": "twice", "Expression": "cpu * 2"}, {"Id": "cpu", "ReturnData": False, "MetricStat": {
                    "Period": 60, "Stat": "Average", "Metric": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization",
                                                                "Dimensions": [{"Name": "InstanceId", "Value": name}]}}}])
    else:
        watch(sandbox, name)
    sandbox.clock.advance(hours=13)
    assert alarm(sandbox) == "ALARM" if by_expression else state(ec2, name) == "stopped"


def test_given_a_days_load_then_alarms_on_other_things_sleep(sandbox, launch, happened):
    """Only what can move keeps an alarm awake."""
    busy, idle = launch(), launch()
    sandbox.set_load(busy, {"low": 0.1, "high": 0.5})
    watch(sandbox, idle, period=300)
    sandbox.clock.advance(hours=1)
    happened.clear()
    sandbox.clock.advance(days=10)
    assert len(happened) < 10


# status checks

def failed(sandbox, name):
    return [cpu(sandbox, name, 60, metric)[-1] for metric in ("StatusCheckFailed", "StatusCheckFailed_System", "StatusCheckFailed_Instance")]


def test_given_a_zone_that_fails_then_its_status_checks_fail_each_minute(sandbox, ec2, launch):
    """"List the available CloudWatch metrics": StatusCheckFailed and its parts, 0 or 1, each minute without detailed monitoring."""
    here, there = launch(Placement={"AvailabilityZone": "us-east-1a"}), launch(Placement={"AvailabilityZone": "us-east-1b"})
    sandbox.clock.advance(minutes=5)
    assert len(cpu(sandbox, here, 60, "StatusCheckFailed")) == 5 and len(cpu(sandbox, here, 60)) == 1  # basic monitoring
    watch(sandbox, here, "StatusCheckFailed_System", threshold=0, action="recover", Statistic="Maximum")
    sandbox.fail_zone("us-east-1a")
    sandbox.clock.advance(minutes=4)
    assert failed(sandbox, here) == [1, 1, 1] and failed(sandbox, there) == [0, 0, 0] and alarm(sandbox) == "ALARM"
    shown = ec2.describe_instance_status(InstanceIds=[here])["InstanceStatuses"][0]
    assert shown["SystemStatus"]["Status"] == shown["InstanceStatus"]["Status"] == "impaired"
    assert any("no host that works" in why for why in sandbox.history()["why"])
    sandbox.mend_zone("us-east-1a")
    sandbox.clock.advance(minutes=4)
    assert failed(sandbox, here) == [0, 0, 0] and alarm(sandbox) == "OK"


def test_given_a_host_that_fails_when_an_alarm_recovers_then_the_instance_is_on_another(sandbox, ec2, launch):
    """"Create alarms to stop, terminate, reboot, or recover an EC2 instance"; id and address stay."""
    name = launch()
    sandbox.clock.advance(minutes=5)
    address = ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    sandbox.fail_host(name)
    ec2.reboot_instances(InstanceIds=[name])  # doesn't help: it stays where it is
    sandbox.clock.advance(minutes=2)
    assert failed(sandbox, name) == [1, 1, 1]
    watch(sandbox, name, "StatusCheckFailed_System", threshold=0, action="recover", Statistic="Maximum")
    sandbox.clock.advance(minutes=5)
    assert failed(sandbox, name) == [0, 0, 0] and alarm(sandbox) == "OK"
    assert any("moved to another host" in why for why in sandbox.history()["why"])
    assert ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]["PrivateIpAddress"] == address


def test_given_nothing_wrong_when_an_alarm_recovers_then_the_history_says_so(sandbox, launch):
    name = launch()
    sandbox.clock.advance(minutes=5)
    watch(sandbox, name, "StatusCheckFailed_System", threshold=5, action="recover")
    sandbox.client("cloudwatch").set_alarm_state(AlarmName="watch", StateValue="ALARM", StateReason="a test")
    assert any("nothing to recover" in why for why in sandbox.history()["why"])


# CPU credits

def test_given_a_standard_server_when_its_credits_are_gone_then_it_falls_to_its_baseline(sandbox, launch):
    """"Standard mode concepts": t2.micro: 30 launch credits, 6 an hour, baseline 10 %. 90 % of a vCPU lasts 37.5 minutes."""
    name = launch(InstanceType="t2.micro")
    sandbox.set_load(name, 0.9)
    watch(sandbox, name, threshold=50, period=300, action="reboot", ComparisonOperator="LessThanThreshold")
    sandbox.clock.advance(hours=2)
    seen = cpu(sandbox, name)
    assert seen[:6] == pytest.approx([90] * 6) and seen[6:9] == pytest.approx([50, 10, 10])  # 35 to 40 min: half of it
    assert cpu(sandbox, name, 300, "CPUCreditBalance")[-1] == pytest.approx(0)
    assert cpu(sandbox, name, 300, "CPUCreditUsage")[-1] == pytest.approx(0.5)  # 10 % of five minutes
    assert alarm(sandbox) == "ALARM"  # the load stands still, and the alarm has been awake all the same


def test_given_an_unlimited_server_then_it_goes_on_and_owes(sandbox, launch):
    """"Unlimited mode concepts": T3 by default; earned 12 an hour, spent 60: 48 an hour are surplus."""
    name = launch()
    sandbox.set_load(name, 0.5)
    sandbox.clock.advance(hours=3)
    assert set(cpu(sandbox, name)) == {50.0}
    assert cpu(sandbox, name, 300, "CPUSurplusCreditBalance")[-1] == pytest.approx(48 * 3, abs=0.01)


def test_given_a_mode_when_changed_then_the_server_is_held_from_then_on(sandbox, ec2, launch):
    """ModifyInstanceCreditSpecification; "Key concepts": t3.micro, 10 % of each of two vCPUs."""
    name, fixed = launch(), launch(InstanceType="m5.large")
    sandbox.set_load(name, 0.5)
    sandbox.clock.advance(hours=1)
    answer = ec2.modify_instance_credit_specification(InstanceCreditSpecifications=[
        {"InstanceId": one, "CpuCredits": "standard"} for one in (name, fixed, "i-none")])
    assert [one["Error"]["Code"] for one in answer["UnsuccessfulInstanceCreditSpecifications"]] == [
        "InstanceCreditSpecification.NotSupported", "InvalidInstanceID.NotFound"]
    shown = ec2.describe_instance_credit_specifications(InstanceIds=[name])["InstanceCreditSpecifications"]
    assert shown[0]["CpuCredits"] == "standard"
    sandbox.clock.advance(hours=1)
    assert cpu(sandbox, name)[-1] == pytest.approx(10) and cpu(sandbox, name)[0] == 50


def test_given_a_stop_then_t2_begins_anew_and_t3_keeps_its_credits(sandbox, ec2, launch):
    """"Key concepts for burstable performance instances": T2 loses accrued credits when it stops; T3 keeps them for seven days."""
    names = [launch(InstanceType=kind, CreditSpecification={"CpuCredits": "standard"}) for kind in ("t2.micro", "t3.micro")]
    sandbox.clock.advance(hours=10)
    before = [cpu(sandbox, name, 300, "CPUCreditBalance")[-1] for name in names]
    ec2.stop_instances(InstanceIds=names)
    sandbox.clock.advance(hours=5)
    ec2.start_instances(InstanceIds=names)
    sandbox.clock.advance(hours=1)
    after = [cpu(sandbox, name, 300, "CPUCreditBalance")[-1] for name in names]
    assert before == pytest.approx([30 + 60, 120], abs=2) and after == pytest.approx([30 + 6, 132], abs=2)


def test_given_looks_at_any_time_then_they_change_nothing_of_the_credits(sandbox):
    """What a server gets is computed when somebody asks; asking more often must not change it."""
    def day(looks):
        sandbox.reset(seed=1)
        name = sandbox.client("ec2").run_instances(
            ImageId=IMAGE, InstanceType="t2.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        sandbox.set_load(name, [0.05, 0.3] * 12)
        for _ in range(looks):
            sandbox.clock.advance(seconds=86_400 / looks)
            cpu(sandbox, name)
        return cpu(sandbox, name), cpu(sandbox, name, 300, "CPUCreditBalance")
    assert day(1) == day(50)
