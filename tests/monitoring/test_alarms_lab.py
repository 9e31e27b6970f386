"""Alarms in the sandbox: each in its Region, woken by its own metrics, telling whom they are to tell."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.monitoring.cloudwatch import Alarm

ALARM = dict(AlarmName="slow", Namespace="shop", MetricName="latency", Statistic="Average", Period=60, EvaluationPeriods=1,
             Threshold=1.0, ComparisonOperator="GreaterThanThreshold")
US, EU = "us-east-1", "eu-west-1"


def put(cloudwatch, value, name="latency", **more):
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": name, "Value": value, **more}])


def states(cloudwatch):
    return {one["AlarmName"]: one["StateValue"] for one in cloudwatch.describe_alarms()["MetricAlarms"]}


@pytest.fixture
def regions(sandbox):
    return {name: sandbox.client("cloudwatch", region_name=name) for name in (US, EU)}


@pytest.fixture
def looked(monkeypatch):
    """The names of the alarms that are evaluated from now on."""
    names, evaluate = [], Alarm.evaluate

    def seen(alarm, store, now):
        names.append(alarm.name)
        return evaluate(alarm, store, now)

    monkeypatch.setattr(Alarm, "evaluate", seen)
    return names


# Regions: User Guide, "Cross-account cross-Region CloudWatch console": "Cross-Region functionality is not supported for
# alarms, so you can't create an alarm in one Region that watches a metric in a different Region"


def test_given_alarms_of_one_name_in_two_regions_then_each_follows_the_metric_of_its_own(sandbox, regions):
    for name, client in regions.items():
        client.put_metric_alarm(**ALARM | {"Threshold": 1.0 if name == US else 100.0})
    for _ in range(2):
        put(regions[US], 5)
        sandbox.clock.advance(minutes=1)
    assert states(regions[US]) == {"slow": "ALARM"} and states(regions[EU]) == {"slow": "INSUFFICIENT_DATA"}
    for value in (50, 500):
        put(regions[EU], value)
        sandbox.clock.advance(minutes=1)
        assert states(regions[EU])["slow"] == ("ALARM" if value > 100 else "OK")
    assert [one["Threshold"] for client in regions.values() for one in client.describe_alarms()["MetricAlarms"]] == [1, 100]


def test_given_one_of_the_two_is_deleted_then_the_other_lives(sandbox, regions):
    for client in regions.values():
        client.put_metric_alarm(**ALARM)
    sandbox.clock.advance(hours=1)
    assert len({line.resource for line in sandbox.bill().lines}) == 2  # two alarms are paid for
    regions[US].delete_alarms(AlarmNames=["slow"])
    put(regions[EU], 5)
    sandbox.clock.advance(minutes=1)
    assert states(regions[US]) == {} and states(regions[EU]) == {"slow": "ALARM"}
    history = {name: client.describe_alarm_history(AlarmName="slow")["AlarmHistoryItems"] for name, client in regions.items()}
    assert not history[US] and len(history[EU]) == 1


def test_given_an_alarm_elsewhere_then_its_state_is_set_and_its_actions_switched_there(sandbox, regions):
    topic = sandbox.client("sns", region_name=EU).create_topic(Name="alerts")["TopicArn"]
    regions[EU].put_metric_alarm(**ALARM | {"AlarmActions": [topic]})
    with pytest.raises(ClientError, match="ResourceNotFound"):
        regions[US].set_alarm_state(AlarmName="slow", StateValue="ALARM", StateReason="a drill")
    regions[US].disable_alarm_actions(AlarmNames=["slow"])
    regions[EU].set_alarm_state(AlarmName="slow", StateValue="ALARM", StateReason="a drill")
    [told] = [call for call in sandbox.life.calls if call.operation == "Publish"]
    message = json.loads(told.parameters["Message"])
    assert message["Region"] == "Europe (Ireland)" and message["AlarmArn"] == f"arn:aws:cloudwatch:{EU}:123456789012:alarm:slow"


def test_given_composite_alarms_then_their_rules_speak_of_their_own_region(regions):
    regions[US].put_metric_alarm(**ALARM)
    with pytest.raises(ClientError, match="do not exist"):
        regions[EU].put_composite_alarm(AlarmName="any", AlarmRule="ALARM(slow)")
    regions[US].put_composite_alarm(AlarmName="any", AlarmRule="ALARM(slow)")
    kinds = {"AlarmTypes": ["CompositeAlarm"]}
    found = {name: client.describe_alarms(**kinds) for name, client in regions.items()}
    assert [one["AlarmName"] for one in found[US]["CompositeAlarms"]] == ["any"] and not found[EU]["CompositeAlarms"]
    assert not found[US]["MetricAlarms"]  # DescribeAlarms: only the types that were asked for
    assert not regions[US].describe_alarms(AlarmNamePrefix="x", **kinds)["CompositeAlarms"]


def test_given_an_alarm_of_auto_scaling_elsewhere_then_its_policy_lists_it(sandbox):
    """DescribePolicies: "The CloudWatch alarms related to the policy"."""
    ec2, scaling = (sandbox.client(name, region_name=EU) for name in ("ec2", "autoscaling"))
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    scaling.create_auto_scaling_group(AutoScalingGroupName="web", MinSize=0, MaxSize=1, AvailabilityZones=["eu-west-1a"],
                                      LaunchTemplate={"LaunchTemplateName": "web"})
    policy = scaling.put_scaling_policy(AutoScalingGroupName="web", PolicyName="out", AdjustmentType="ChangeInCapacity",
                                        ScalingAdjustment=1)["PolicyARN"]
    sandbox.client("cloudwatch", region_name=EU).put_metric_alarm(**ALARM | {"AlarmActions": [policy]})
    [found] = scaling.describe_policies(AutoScalingGroupName="web")["ScalingPolicies"]
    assert [one["AlarmARN"] for one in found["Alarms"]] == [f"arn:aws:cloudwatch:{EU}:123456789012:alarm:slow"]


# functions


@pytest.fixture
def function(sandbox):
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = sandbox.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "import json\ndef handler(event, context):\n    print('GOT', json.dumps(event))")
    return sandbox.client("lambda").create_function(FunctionName="night", Runtime="python3.13", Role=role, Handler="app.handler",
                                                    Code={"ZipFile": package.getvalue()})["FunctionArn"]


def permit(sandbox, principal):
    """The example of "Invoke a Lambda function from an alarm", with this sandbox's account and alarm."""
    sandbox.client("lambda").add_permission(
        FunctionName="night", StatementId="AlarmAction", Action="lambda:InvokeFunction", Principal=principal,
        SourceAccount="123456789012", SourceArn=f"arn:aws:cloudwatch:{US}:123456789012:alarm:slow")


def events(sandbox):
    """What the function got, from its log."""
    logs = sandbox.client("logs")
    if not logs.describe_log_groups()["logGroups"]:
        return []
    found = logs.filter_log_events(logGroupName="/aws/lambda/night", filterPattern="GOT")["events"]
    return [json.loads(one["message"].split("GOT ", 1)[1]) for one in found]


def test_given_the_permission_of_aws_page_then_an_alarm_calls_a_function_with_its_news(sandbox, regions, function):
    """"Invoke a Lambda function from an alarm": the permission, and the sample of the event."""
    permit(sandbox, "lambda.alarms.cloudwatch.amazonaws.com")
    regions[US].put_metric_alarm(**ALARM | {"AlarmActions": [function], "AlarmDescription": "too slow"})
    put(regions[US], 5)
    sandbox.clock.advance(minutes=2)
    [event] = events(sandbox)
    data = event.pop("alarmData")
    assert event == {"source": "aws.cloudwatch", "alarmArn": f"arn:aws:cloudwatch:{US}:123456789012:alarm:slow",
                     "accountId": "123456789012", "region": US, "time": data["state"]["timestamp"]}
    assert data["alarmName"] == "slow" and data["state"]["value"] == "ALARM"
    assert json.loads(data["state"]["reasonData"])["threshold"] == 1.0
    assert data["previousState"]["value"] == "INSUFFICIENT_DATA" and "creation" in data["previousState"]["reason"]
    assert data["configuration"] == {"description": "too slow", "metrics": [{"id": "m1", "returnData": True, "metricStat": {
        "metric": {"namespace": "shop", "name": "latency", "dimensions": {}}, "period": 60, "stat": "Average"}}]}


def test_given_a_permission_for_another_principal_then_the_alarm_is_refused_and_the_history_says_so(sandbox, regions, function):
    permit(sandbox, "cloudwatch.amazonaws.com")
    regions[US].put_metric_alarm(**ALARM | {"AlarmActions": [function]})
    put(regions[US], 5)
    sandbox.clock.advance(minutes=2)
    assert not events(sandbox) and sandbox.history().about("alarm action failed")


# asleep and awake


def test_given_many_alarms_then_a_call_that_moves_nothing_wakes_none(sandbox, regions, looked, happened):
    for number in range(20):
        regions[US].put_metric_alarm(**ALARM | {"AlarmName": f"a{number}", "MetricName": f"m{number}"})
    sandbox.clock.advance(hours=1)
    looked.clear(), happened.clear()
    sandbox.client("dynamodb").list_tables()
    sandbox.client("ec2").describe_instances()
    sandbox.client("sqs").create_queue(QueueName="orders")
    sandbox.clock.advance(minutes=10)
    assert looked == [] and "Alarms._look" not in happened


def test_given_many_alarms_then_data_wake_those_that_watch_it(sandbox, regions, looked):
    queue = sandbox.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    for name in ("latency", "errors"):
        regions[US].put_metric_alarm(**ALARM | {"AlarmName": name, "MetricName": name})
        regions[EU].put_metric_alarm(**ALARM | {"AlarmName": f"{name} elsewhere", "MetricName": name})
    for name in ("orders", "returns"):
        regions[US].put_metric_alarm(**ALARM | {"AlarmName": name, "Namespace": "AWS/SQS", "Dimensions": [
            {"Name": "QueueName", "Value": name}], "MetricName": "ApproximateNumberOfMessagesVisible"})
    sandbox.clock.advance(hours=1)
    looked.clear()
    put(regions[US], 5, name="errors")
    sandbox.client("sqs").send_message(QueueUrl=queue, MessageBody="one")
    sandbox.client("sqs").send_message(QueueUrl=queue, MessageBody="two")
    sandbox.clock.advance(minutes=2)
    assert set(looked) == {"errors", "orders"} and states(regions[US])["orders"] == "ALARM"


def test_given_data_of_the_future_then_the_alarm_is_awake_when_its_time_comes(sandbox, regions):
    """PutMetricData: a timestamp may lie up to two hours in the future."""
    regions[US].put_metric_alarm(**ALARM)
    put(regions[US], 5, Timestamp=sandbox.clock.date + timedelta(hours=1))
    sandbox.clock.advance(minutes=59)
    assert states(regions[US]) == {"slow": "INSUFFICIENT_DATA"}
    sandbox.clock.advance(minutes=3)
    assert states(regions[US]) == {"slow": "ALARM"}


def test_given_a_high_resolution_alarm_then_only_it_is_looked_at_every_ten_seconds(sandbox, regions, looked):
    """PutMetricAlarm: a period of 10 seconds makes a high-resolution alarm."""
    regions[US].put_metric_alarm(**ALARM)
    regions[US].put_metric_alarm(**ALARM | {"AlarmName": "fine", "Period": 10})
    sandbox.clock.advance(minutes=2)
    assert looked.count("slow") == 2 and looked.count("fine") > 2
    put(regions[US], 5, StorageResolution=1)
    sandbox.clock.advance(seconds=10)
    assert states(regions[US])["fine"] == "ALARM"


STEP = st.tuples(st.sampled_from([US, EU]), st.sampled_from(["latency", "errors"]), st.sampled_from([0.5, 2.0]), st.integers(0, 9))


@settings(max_examples=15)
@given(st.lists(STEP, max_size=10))
def test_waking_only_who_watches_changes_no_result(steps):
    """Alarms that are woken by their own metrics end where those that look each minute do."""
    ends = []
    for awake in (False, True):
        sandbox = lab.start()
        sandbox.reset(seed=1)
        clients = {name: sandbox.client("cloudwatch", region_name=name) for name in (US, EU)}
        for client in clients.values():
            for name in ("latency", "errors"):
                client.put_metric_alarm(**ALARM | {"AlarmName": name, "MetricName": name, "EvaluationPeriods": 2})
        if awake:
            sandbox.life.clock.every(60, sandbox.life.state["alarms"].wake_all)
        for region, name, value, minutes in steps:
            put(clients[region], value, name=name)
            sandbox.clock.advance(minutes=minutes)
        sandbox.clock.advance(hours=1)
        ends.append([(row["at"], row["what"], row["resource"]) for row in sandbox.history()])
        sandbox.reset(seed=1)
    assert ends[0] == ends[1]
