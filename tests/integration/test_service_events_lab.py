"""What AWS's own services say on the default bus: the examples of their guides, as stories."""

import json

import pytest

from kit.errors import ServiceError

ACCOUNT = "123456789012"


@pytest.fixture
def heard(stage, sandbox):
    """A rule with a pattern, and what its queue has got: [(detail-type, detail, resources)]"""
    def begin(**pattern):
        url, arn = stage.queue("ears", "events.amazonaws.com")
        stage.rule(arn, EventPattern=json.dumps({name.replace("_", "-"): value for name, value in pattern.items()}))

        def found():
            sqs, events = sandbox.client("sqs"), []
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                events += [json.loads(one["Body"]) for one in messages]
                sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": one["MessageId"], "ReceiptHandle": one["ReceiptHandle"]} for one in messages])
            return events
        return found
    return begin


def launch(sandbox):
    image = sandbox.client("ec2").describe_images()["Images"][0]["ImageId"]
    return sandbox.client("ec2").run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]


def test_given_an_instance_then_each_of_its_states_is_told(sandbox, heard):
    """Amazon EC2 User Guide, "State change events for Amazon EC2 instances"."""
    found = heard(source=["aws.ec2"], detail_type=["EC2 Instance State-change Notification"])
    name = launch(sandbox)
    sandbox.clock.advance(minutes=5)
    sandbox.client("ec2").stop_instances(InstanceIds=[name])
    sandbox.clock.advance(minutes=5)
    sandbox.client("ec2").terminate_instances(InstanceIds=[name])
    sandbox.clock.advance(minutes=5)
    events = found()
    assert [one["detail"] for one in events] == [{"instance-id": name, "state": state} for state in (
        "pending", "running", "stopping", "stopped", "shutting-down", "terminated")]
    assert events[0]["resources"] == [f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{name}"] and events[0]["account"] == ACCOUNT
    assert events[0]["time"] == "2026-01-05T00:00:00Z" < events[1]["time"]


@pytest.mark.parametrize("pattern, states", [
    ({"source": ["aws.ec2"], "detail": {"state": ["running"]}}, ["running"]), ({"source": ["shop"]}, []),
    ({"detail_type": ["EC2 Instance State-change Notification"], "detail": {"state": ["pending"]}}, ["pending"]),
    ({"source": [{"prefix": "aws."}], "detail": {"state": ["pending"]}}, ["pending"])])
def test_given_a_pattern_then_it_chooses(sandbox, heard, pattern, states):
    found = heard(**pattern)
    launch(sandbox)
    sandbox.clock.advance(minutes=5)
    assert [one["detail"]["state"] for one in found()] == states


def test_given_a_rule_for_the_shops_own_events_then_ec2_sleeps_on(sandbox, heard):
    heard(source=["shop"])
    assert "ec2" not in sandbox.life.state and "autoscaling" not in sandbox.life.state


def test_given_an_instance_that_ran_before_the_rule_then_its_next_state_is_told(sandbox, heard):
    name = launch(sandbox)
    sandbox.clock.advance(minutes=5)
    found = heard(source=["aws.ec2"])
    sandbox.client("ec2").stop_instances(InstanceIds=[name])
    assert [one["detail"]["state"] for one in found()] == ["stopping"]


def test_given_an_alarm_then_its_change_is_told_with_both_states(sandbox, heard):
    """CloudWatch User Guide, "Alarm events and EventBridge": the fields of the example."""
    found = heard(source=["aws.cloudwatch"], detail_type=["CloudWatch Alarm State Change"], detail={"state": {"value": ["ALARM"]}})
    cw = sandbox.client("cloudwatch")
    cw.put_metric_alarm(AlarmName="slow", AlarmDescription="too slow", Namespace="shop", MetricName="latency", Statistic="Average", Period=60,
                        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", Dimensions=[{"Name": "page", "Value": "cart"}])
    cw.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "latency", "Value": 3.0, "Dimensions": [{"Name": "page", "Value": "cart"}]}])
    sandbox.clock.advance(minutes=2)
    [event] = found()
    detail = event["detail"]
    assert event["resources"] == [f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:slow"] and detail["alarmName"] == "slow"
    assert (detail["previousState"]["value"], detail["state"]["value"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert detail["state"]["reason"].startswith("Threshold Crossed") and json.loads(detail["state"]["reasonData"])["threshold"] == 1
    [metric] = detail["configuration"]["metrics"]
    assert detail["configuration"]["description"] == "too slow" and metric["returnData"] is True
    assert metric["metricStat"] == {"metric": {"namespace": "shop", "name": "latency", "dimensions": {"page": "cart"}}, "period": 60, "stat": "Average"}


def test_given_an_auto_scaling_group_then_launches_and_terminations_are_told(sandbox, heard):
    """Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling event reference", "Successful scaling events"."""
    found = heard(source=["aws.autoscaling"])
    ec2, groups = sandbox.client("ec2"), sandbox.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    groups.create_auto_scaling_group(AutoScalingGroupName="web", MinSize=0, MaxSize=2, DesiredCapacity=1, AvailabilityZones=["us-east-1a"],
                                     LaunchTemplate={"LaunchTemplateName": "web"})
    assert found() == []  # it is told when it has been done
    sandbox.clock.advance(minutes=5)
    [event] = found()
    [name] = [one["InstanceId"] for one in groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]]
    assert event["detail-type"] == "EC2 Instance Launch Successful" and event["detail"]["AutoScalingGroupName"] == "web"
    assert event["detail"]["EC2InstanceId"] == name and event["detail"]["Cause"] and event["detail"]["EndTime"] > event["detail"]["StartTime"]
    assert event["resources"][1] == f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{name}" and ":autoScalingGroup:" in event["resources"][0]
    groups.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    sandbox.clock.advance(minutes=10)
    assert [one["detail-type"] for one in found()] == ["EC2 Instance Terminate Successful"]


def test_given_no_room_for_an_instance_then_the_failed_launch_is_told(sandbox, heard, monkeypatch):
    """"Unsuccessful scaling events"."""
    def full(moto, zone):
        raise ServiceError("InsufficientInstanceCapacity", "no room")
    found = heard(source=["aws.autoscaling"], detail_type=["EC2 Instance Launch Unsuccessful"])
    ec2, groups = sandbox.client("ec2"), sandbox.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    monkeypatch.setattr(sandbox.life.state["autoscaling"], "_launch", full)
    groups.create_auto_scaling_group(AutoScalingGroupName="web", MinSize=1, MaxSize=1, AvailabilityZones=["us-east-1a"],
                                     LaunchTemplate={"LaunchTemplateName": "web"})
    event = found()[0]
    assert (event["detail"]["StatusCode"], event["detail"]["StatusMessage"], event["detail"]["EC2InstanceId"]) == ("Failed", "no room", "")


def test_given_another_service_that_has_something_to_tell_then_emit_brings_it_to_the_rule(sandbox, heard):
    found = heard(source=["aws.s3"])
    sandbox.life.state["events"].emit("aws.s3", "Object Created", {"bucket": {"name": "photos"}}, ["arn:aws:s3:::photos"])
    [event] = found()
    assert (event["detail-type"], event["detail"], event["resources"]) == ("Object Created", {"bucket": {"name": "photos"}}, ["arn:aws:s3:::photos"])


def test_given_an_archive_then_what_services_tell_is_in_it(sandbox):
    events = sandbox.client("events")
    events.create_archive(ArchiveName="a", EventSourceArn=f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default", EventPattern='{"source": ["aws.ec2"]}')
    launch(sandbox)
    sandbox.clock.advance(minutes=5)
    assert events.describe_archive(ArchiveName="a")["EventCount"] == 2
