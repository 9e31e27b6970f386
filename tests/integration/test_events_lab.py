"""EventBridge, SQS and SNS in the sandbox: what is sent arrives, later again if it must, or in the dead-letter queue."""

import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"


def queue(sandbox, name, open_to=None, **attributes):
    sqs = sandbox.client("sqs")
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    if open_to:
        attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": open_to}, "Action": "sqs:SendMessage", "Resource": arn}]})
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn


def received(sandbox, url):
    found = sandbox.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [json.loads(one["Body"]) for one in found]


def role(sandbox, service, *actions, name="r"):
    """A role that a service may assume and that may do these actions on everything."""
    iam = sandbox.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if actions:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
    return arn


def rule(sandbox, arn, target=None, **what):
    events = sandbox.client("events")
    events.put_rule(Name="r", **what)
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, **(target or {})}])
    return events


def order(events, **detail):
    return events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": json.dumps(detail)}])


def test_given_a_schedule_then_it_fires_on_the_clock(sandbox):
    url, arn = queue(sandbox, "q", "events.amazonaws.com")
    rule(sandbox, arn, ScheduleExpression="rate(10 minutes)")
    sandbox.clock.advance(minutes=25)
    found = received(sandbox, url)
    assert [one["time"] for one in found] == ["2026-01-05T00:10:00Z", "2026-01-05T00:20:00Z"]
    assert found[0]["detail-type"] == "Scheduled Event" and found[0]["resources"] == [f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r"]


def test_given_a_disabled_or_deleted_rule_then_it_is_silent_until_enabled(sandbox):
    url, arn = queue(sandbox, "q", "events.amazonaws.com")
    events = rule(sandbox, arn, ScheduleExpression="rate(10 minutes)")
    events.disable_rule(Name="r")
    sandbox.clock.advance(minutes=30)
    assert received(sandbox, url) == []
    events.enable_rule(Name="r")
    sandbox.clock.advance(minutes=10)
    assert len(received(sandbox, url)) == 1
    events.remove_targets(Rule="r", Ids=["1"])
    events.delete_rule(Name="r")
    sandbox.clock.advance(hours=1)
    assert len(received(sandbox, url)) == 1


@pytest.mark.parametrize("target, expected", [
    ({}, None), ({"InputPath": "$.detail"}, {"id": 7}), ({"Input": '{"fixed": true}'}, {"fixed": True}),
    ({"InputTransformer": {"InputPathsMap": {"n": "$.detail.id"}, "InputTemplate": '{"number": <n>}'}}, {"number": 7}),
])
def test_given_an_event_then_the_target_gets_what_it_asked_for(sandbox, target, expected):
    """EventBridge User Guide, "Input transformation"."""
    url, arn = queue(sandbox, "q", "events.amazonaws.com")
    order(rule(sandbox, arn, target, EventPattern='{"source": ["shop"]}'), id=7)
    [found] = received(sandbox, url)
    assert found == expected if expected is not None else found["detail"] == {"id": 7}


def test_given_an_event_that_does_not_match_then_nothing_arrives(sandbox):
    url, arn = queue(sandbox, "q", "events.amazonaws.com")
    order(rule(sandbox, arn, EventPattern='{"source": ["bank"]}'), id=7)
    assert received(sandbox, url) == []


def test_given_a_state_machine_then_it_starts_with_the_event(sandbox):
    """"Event bus targets": Step Functions state machines."""
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    states = sandbox.client("stepfunctions")
    arn = states.create_state_machine(name="m", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/r")["stateMachineArn"]
    starter = role(sandbox, "events.amazonaws.com", "states:StartExecution")
    order(rule(sandbox, arn, {"InputPath": "$.detail", "RoleArn": starter}, EventPattern='{"source": ["shop"]}'), id=7)
    [execution] = states.list_executions(stateMachineArn=arn)["executions"]
    assert json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"]) == {"id": 7}


def test_given_no_permission_then_the_event_goes_to_the_dead_letters_at_once(sandbox):
    """"Using dead-letter queues to process undelivered events": a lack of permission is not tried again."""
    url, arn = queue(sandbox, "closed")
    dead_url, dead = queue(sandbox, "dead", "events.amazonaws.com")
    order(rule(sandbox, arn, {"DeadLetterConfig": {"Arn": dead}}, EventPattern='{"source": ["shop"]}'), id=7)
    assert received(sandbox, url) == [] and received(sandbox, dead_url)[0]["detail"] == {"id": 7}
    assert "AccessDenied" in sandbox.history().about("delivery failed")["why"][0]


def test_given_neither_permission_nor_dead_letters_then_the_event_is_lost_and_the_history_says_so(sandbox):
    _, arn = queue(sandbox, "closed")
    order(rule(sandbox, arn, EventPattern='{"source": ["shop"]}'), id=7)
    assert sandbox.history()["what"][-1] == "event lost"


def test_given_a_target_that_is_down_for_a_while_then_it_is_tried_again(sandbox):
    url, arn = queue(sandbox, "q", "events.amazonaws.com")
    events, down = rule(sandbox, arn, EventPattern='{"source": ["shop"]}'), [True]

    def refuse(call):
        if down:
            from kit.errors import ServiceError
            raise ServiceError("ServiceUnavailable", "try later")
    sandbox.life.before("sqs", "SendMessage", refuse)
    order(events, id=7)
    sandbox.clock.advance(seconds=5)
    down.clear()
    assert received(sandbox, url) == []
    sandbox.clock.advance(seconds=5)
    assert received(sandbox, url)[0]["detail"] == {"id": 7}
    assert sandbox.history().about("again in").__len__() == 3


def test_given_an_archive_then_a_replay_delivers_again(sandbox):
    """"Archiving and replaying events"."""
    url, arn = queue(sandbox, "q", "events.amazonaws.com")
    events = rule(sandbox, arn, EventPattern='{"source": ["shop"]}')
    bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    archive = events.create_archive(ArchiveName="all", EventSourceArn=bus)["ArchiveArn"]
    order(events, id=7)
    sandbox.clock.advance(hours=1)
    events.start_replay(ReplayName="again", EventSourceArn=archive, EventStartTime=sandbox.clock.date_at(0),
                        EventEndTime=sandbox.clock.date, Destination={"Arn": bus})
    sandbox.clock.advance(minutes=1)
    assert [one["detail"] for one in received(sandbox, url)] == [{"id": 7}, {"id": 7}]


def test_given_a_scheduler_schedule_then_it_fires_once_in_its_time_zone(sandbox):
    url, arn = queue(sandbox, "q")
    sandbox.client("scheduler").create_schedule(
        Name="once", ScheduleExpression="at(2026-01-05T09:00:00)", ScheduleExpressionTimezone="Europe/Rome",
        FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": arn, "RoleArn": role(sandbox, "scheduler.amazonaws.com", "sqs:SendMessage"), "Input": '"wake up"'})
    sandbox.clock.advance(hours=7, minutes=59)
    assert received(sandbox, url) == []
    sandbox.clock.advance(days=3)
    assert received(sandbox, url) == ["wake up"]


@pytest.mark.parametrize("expression", ["rate(1 minutes)", "cron(0 9 * * * *)", "at(2026-06-01T12:00:00)"])
def test_given_a_wrong_schedule_then_the_rule_is_refused(sandbox, expression):
    with pytest.raises(ClientError, match="ValidationException"):
        sandbox.client("events").put_rule(Name="r", ScheduleExpression=expression)


def test_given_an_alarm_then_its_topic_tells_the_queue(sandbox):
    """From a metric to a message: CloudWatch, SNS, SQS."""
    sns, cw = sandbox.client("sns"), sandbox.client("cloudwatch")
    url, arn = queue(sandbox, "ops", "sns.amazonaws.com")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    cw.put_metric_alarm(AlarmName="slow", Namespace="shop", MetricName="latency", Statistic="Average", Period=60, EvaluationPeriods=1,
                        Threshold=1, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic])
    cw.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "latency", "Value": 3.0}])
    sandbox.clock.advance(minutes=2)
    [envelope] = received(sandbox, url)
    assert envelope["Subject"].startswith('ALARM: "slow"') and json.loads(envelope["Message"])["NewStateValue"] == "ALARM"
    assert sandbox.history().about("email to ops@example.com")


def test_given_messages_then_cloudwatch_knows_how_deep_the_queue_is(sandbox):
    """Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS"."""
    url, _ = queue(sandbox, "orders", VisibilityTimeout="90")
    sqs, cw = sandbox.client("sqs"), sandbox.client("cloudwatch")
    for number in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sandbox.clock.advance(minutes=1)
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)
    sandbox.clock.advance(minutes=4)

    def depth(metric):
        found = cw.get_metric_statistics(Namespace="AWS/SQS", MetricName=metric, Dimensions=[{"Name": "QueueName", "Value": "orders"}],
                                         StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date, Period=60, Statistics=["Maximum"])
        return [point["Maximum"] for point in sorted(found["Datapoints"], key=lambda point: point["Timestamp"])]
    assert depth("ApproximateNumberOfMessagesVisible") == [5, 3, 3, 5, 5]  # two are hidden from 1:00 to 2:30
    assert depth("ApproximateNumberOfMessagesNotVisible") == [0, 2, 2, 0, 0]
    assert sum(depth("NumberOfMessagesSent")) == 1  # the largest of five ones within a minute


def test_given_requests_then_the_bill_counts_them_and_the_first_million_is_free(sandbox):
    url, _ = queue(sandbox, "orders")
    for _ in range(3):
        sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    [line] = [line for line in sandbox.bill().lines if line.item == "sqs:request"]
    assert (line.quantity, line.free, line.cost) == (4, 4, 0)


# the bill


def used(sandbox):
    """item -> quantity"""
    quantities = {}
    for line in sandbox.bill().lines:
        quantities[line.item] = quantities.get(line.item, 0) + line.quantity
    return quantities


def test_given_large_payloads_then_each_64_KB_is_a_request(sandbox):
    """Amazon SQS and SNS: each 64 KB chunk of a payload is billed as one request."""
    sqs, sns = sandbox.client("sqs"), sandbox.client("sns")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x" * 65_536)
    sqs.send_message(QueueUrl=url, MessageBody="x" * 65_537)
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert used(sandbox)["sqs:request"] == 1 + 1 + 2 + 3  # 131,073 bytes come back
    sns.publish(TopicArn=sns.create_topic(Name="t")["TopicArn"], Message="x" * 65_537)
    assert used(sandbox)["sns:request"] == 2


def test_given_queues_of_both_kinds_then_a_million_requests_are_free_together(sandbox):
    """Amazon SQS Pricing: one million requests a month are free, of all queues."""
    sandbox.life.wake("sqs")
    sandbox.life.meter.add("a", "sqs:request", 800_000)
    sandbox.life.meter.add("b", "sqs:fifo-request", 800_000)
    assert sum(line.free for line in sandbox.bill().lines) == 1_000_000
    assert sandbox.bill().total == pytest.approx(600_000 * 0.0000004)


def test_given_subscribers_then_mails_and_calls_are_billed_queues_are_not_and_sms_is_said_in_words(sandbox):
    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    topic = sns.create_topic(Name="t")["TopicArn"]
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for protocol, endpoint in (("email", "a@example.com"), ("sqs", arn), ("sms", "+15555550100")):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    sns.publish(TopicArn=topic, Message="x")
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": "1", "Message": "a"}, {"Id": "2", "Message": "b"}])
    mine = {item: n for item, n in used(sandbox).items() if item.startswith("sns")}
    assert mine == {"sns:request": 2, "sns:email": 3} and "No price here for: 2 SMS; not counted." in repr(sandbox.bill())


def test_given_a_fifo_topic_then_requests_and_gigabytes_are_billed_and_nothing_is_free(sandbox):
    sns = sandbox.client("sns")
    topic = sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})["TopicArn"]
    sns.publish(TopicArn=topic, Message="x" * 1000, MessageGroupId="g")
    assert used(sandbox) == {"sns:fifo-request": 1, "sns:fifo-gb": pytest.approx(1000 / 2 ** 30)}
    assert sandbox.bill().total == pytest.approx(0.0000003 + 0.017 * 1000 / 2 ** 30)


def test_given_large_events_then_each_64_KB_is_one_and_archives_are_said_in_words(sandbox):
    events = sandbox.client("events")
    detail = json.dumps({"x": "y" * 70_000})
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"},
                               {"Source": "shop", "DetailType": "order", "Detail": detail}])
    events.create_archive(ArchiveName="a", EventSourceArn=events.describe_event_bus()["Arn"])
    assert used(sandbox)["events:custom"] == 3 and "No price here for: 1 EventBridge archive" in repr(sandbox.bill())
