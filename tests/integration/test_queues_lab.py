"""SQS and SNS in the sandbox: who may send, how long messages stay, how old they are, and what a long queue costs."""

import json

import pytest

DAY = 86_400


def send(sandbox, url, *bodies, **more):
    for body in bodies:
        sandbox.client("sqs").send_message(QueueUrl=url, MessageBody=body, **more)


def receive(sandbox, url, **given):
    return sandbox.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, **given).get("Messages", [])


def counts(sandbox, url):
    """visible, in flight, delayed"""
    found = sandbox.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return tuple(int(found["ApproximateNumberOfMessages" + end]) for end in ("", "NotVisible", "Delayed"))


def metric(sandbox, name, queue, period=60):
    found = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS", MetricName=name, Dimensions=[{"Name": "QueueName", "Value": queue}], StartTime=sandbox.clock.date_at(0),
        EndTime=sandbox.clock.date, Period=period, Statistics=["Maximum"])["Datapoints"]
    return [point["Maximum"] for point in sorted(found, key=lambda point: point["Timestamp"])]


# a topic needs the queue's leave: SNS Developer Guide, "Fanout Amazon SNS notifications to Amazon SQS queues"


def subscribed(stage, queue, **attributes):
    sns = stage.sandbox.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"} | attributes)
    return sns, topic


def leave(sandbox, url, arn, **condition):
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    statement |= {"Condition": {"ArnEquals": condition}} if condition else {}
    sandbox.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})})


def test_given_a_queue_without_a_policy_then_nothing_arrives_the_publisher_learns_nothing_and_the_history_says_why(stage, sandbox):
    url, arn = stage.queue("q")
    sns, topic = subscribed(stage, arn)
    assert sns.publish(TopicArn=topic, Message="a hat")["MessageId"]
    assert receive(sandbox, url) == [] and sandbox.history()["what"] == ["delivery failed", "message lost"]
    assert "policy does not let sns.amazonaws.com" in sandbox.history()["why"][0]
    leave(sandbox, url, arn)
    sns.publish(TopicArn=topic, Message="a scarf")
    assert [one["Body"] for one in receive(sandbox, url)] == ["a scarf"]


@pytest.mark.parametrize("source, arrives", [("t", True), ("another", False)])
def test_given_a_policy_for_one_topic_then_no_other_gets_in(stage, sandbox, source, arrives):
    """The guide's policy has ArnEquals aws:SourceArn with the topic's ARN."""
    url, arn = stage.queue("q")
    sns, topic = subscribed(stage, arn)
    leave(sandbox, url, arn, **{"aws:SourceArn": topic.removesuffix("t") + source})
    sns.publish(TopicArn=topic, Message="a hat")
    assert bool(receive(sandbox, url)) == arrives


def test_given_a_filter_that_keeps_a_message_out_then_nobody_asks_for_leave(stage, sandbox):
    url, arn = stage.queue("q")
    sns, topic = subscribed(stage, arn, FilterPolicy='{"kind": ["gift"]}')
    sns.publish(TopicArn=topic, Message="a hat", MessageAttributes={"kind": {"DataType": "String", "StringValue": "plain"}})
    assert not sandbox.history()["what"]


@pytest.mark.parametrize("dead_open, ends", [("sns.amazonaws.com", "to the dead-letter queue"), (None, "message lost")])
def test_given_a_dead_letter_queue_then_it_gets_what_the_queue_does_not_let_in(stage, sandbox, dead_open, ends):
    """"Amazon SNS dead-letter queues": client-side errors are not tried again; the dead-letter queue needs a policy, too."""
    url, arn = stage.queue("q")
    dead_url, dead = stage.queue("dead", dead_open)
    sns, topic = subscribed(stage, arn, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}))
    sns.publish(TopicArn=topic, Message="a hat")
    assert sandbox.history()["what"][-1] == ends and receive(sandbox, url) == []
    assert [one["Body"] for one in receive(sandbox, dead_url)] == (["a hat"] if dead_open else [])


def test_given_a_queue_that_is_gone_then_publishing_goes_on(stage, sandbox):
    url, arn = stage.queue("q", "sns.amazonaws.com")
    sns, topic = subscribed(stage, arn)
    sandbox.client("sqs").delete_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="a hat")
    assert "there is no such queue" in sandbox.history()["why"][0]


# retention: "Setting-up dead-letter queue retention in Amazon SQS"


def test_given_a_retention_period_then_messages_end_with_it(stage, sandbox):
    url, _ = stage.queue("q", MessageRetentionPeriod="3600")
    send(sandbox, url, "early")
    sandbox.clock.advance(minutes=30)
    send(sandbox, url, "late")
    sandbox.clock.advance(minutes=29, seconds=59)
    assert counts(sandbox, url) == (2, 0, 0)
    sandbox.clock.advance(seconds=1)
    assert [one["Body"] for one in receive(sandbox, url, VisibilityTimeout=0)] == ["late"]
    assert sandbox.history()["what"] == ["messages expired"]
    sandbox.clock.advance(hours=1)
    assert counts(sandbox, url) == (0, 0, 0)
    assert metric(sandbox, "ApproximateNumberOfMessagesVisible", "q")[-1] == 0


def test_given_four_days_by_default_then_a_message_in_flight_ends_too(stage, sandbox):
    """CreateQueue: MessageRetentionPeriod is 345,600 s unless given."""
    url, _ = stage.queue("q")
    send(sandbox, url, "x")
    sandbox.clock.advance(days=4, seconds=-60)
    [message] = receive(sandbox, url, VisibilityTimeout=3600)
    sandbox.clock.advance(hours=2)
    assert counts(sandbox, url) == (0, 0, 0) and message["Body"] == "x"


@pytest.mark.parametrize("kind, ends", [("", 3), (".fifo", 4)])
def test_given_a_dead_letter_then_its_age_counts_from_the_first_queue_on_a_standard_queue_only(stage, sandbox, kind, ends):
    """The page's example: a day in the queue, then 3 days of 4 in the dead-letter queue; on FIFO queues all 4."""
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if kind else {}
    dead_url, dead = stage.queue("dead" + kind, MessageRetentionPeriod=str(4 * DAY), **fifo)
    url, _ = stage.queue("q" + kind, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1}), VisibilityTimeout="0",
                         **fifo)
    send(sandbox, url, "x", **({"MessageGroupId": "g"} if kind else {}))
    sandbox.clock.advance(days=1)
    assert len(receive(sandbox, url)) == 1 and receive(sandbox, url) == []
    assert counts(sandbox, dead_url) == (1, 0, 0)
    sandbox.clock.advance(days=ends, seconds=-1)
    assert counts(sandbox, dead_url) == (1, 0, 0)
    sandbox.clock.advance(seconds=1)
    assert counts(sandbox, dead_url) == (0, 0, 0)
    assert max(metric(sandbox, "ApproximateAgeOfOldestMessage", "dead" + kind, 3600)) == pytest.approx(ends * DAY, abs=61)


# "Available CloudWatch metrics for Amazon SQS": ApproximateAgeOfOldestMessage


def test_given_messages_then_the_age_of_the_oldest_grows_until_it_is_deleted(stage, sandbox):
    url, _ = stage.queue("q")
    sandbox.clock.advance(minutes=1)
    send(sandbox, url, "a")
    sandbox.clock.advance(minutes=2)
    send(sandbox, url, "b")
    sandbox.clock.advance(minutes=2)
    first = receive(sandbox, url)[0]
    sandbox.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    sandbox.clock.advance(minutes=2)
    assert metric(sandbox, "ApproximateAgeOfOldestMessage", "q") == [0, 60, 120, 180, 120, 180]  # minutes 1 to 6; none before


@pytest.mark.parametrize("kind, oldest", [("", 60), (".fifo", 180)])
def test_given_a_poison_message_then_a_standard_queues_age_passes_over_it_after_three_receives(stage, sandbox, kind, oldest):
    url, _ = stage.queue("q" + kind, VisibilityTimeout="0", **({"FifoQueue": "true", "ContentBasedDeduplication": "true"} if kind else {}))
    send(sandbox, url, "poison", **({"MessageGroupId": "a"} if kind else {}))
    for _ in range(3):
        receive(sandbox, url)
    sandbox.clock.advance(minutes=2)
    send(sandbox, url, "good", **({"MessageGroupId": "b"} if kind else {}))
    sandbox.clock.advance(minutes=1, seconds=1)
    assert metric(sandbox, "ApproximateAgeOfOldestMessage", "q" + kind)[-1] == oldest


def test_given_an_alarm_on_the_age_then_it_fires_though_nothing_else_happens(stage, sandbox):
    url, _ = stage.queue("q")
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="old", Namespace="AWS/SQS", MetricName="ApproximateAgeOfOldestMessage", Dimensions=[{"Name": "QueueName", "Value": "q"}],
        Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=7200, ComparisonOperator="GreaterThanThreshold")
    send(sandbox, url, "x")
    sandbox.clock.advance(hours=3)
    assert sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM"


# counting


def moto_counts(sandbox, name):
    """What moto finds if it looks at every message."""
    queue = sandbox.life.backend("sqs").queues[name]
    with sandbox.clock:
        return (sum(one.visible and not one.delayed for one in queue._messages), sum(not one.visible for one in queue._messages),
                sum(one.delayed for one in queue._messages))


def test_given_sends_receives_delays_and_time_then_the_counts_are_what_moto_finds(stage, sandbox):
    url, _ = stage.queue("q", VisibilityTimeout="40")
    sqs = sandbox.client("sqs")
    for step in range(40):
        send(sandbox, url, f"now {step}")
        send(sandbox, url, f"later {step}", DelaySeconds=step % 25)
        if step % 3 == 0:
            taken = receive(sandbox, url)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=taken[0]["ReceiptHandle"])
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=taken[-1]["ReceiptHandle"], VisibilityTimeout=step)
        if step == 20:
            sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "x", "DelaySeconds": 3 * n} for n in range(5)])
        assert counts(sandbox, url) == moto_counts(sandbox, "q")
        sandbox.clock.advance(seconds=7)
        assert counts(sandbox, url) == moto_counts(sandbox, "q")


def test_given_a_fifo_duplicate_then_it_is_not_counted(stage, sandbox):
    url, _ = stage.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    send(sandbox, url, "x", "x", MessageGroupId="g")
    assert counts(sandbox, url) == (1, 0, 0)


def test_given_a_queue_that_was_deleted_and_made_anew_then_it_is_empty(stage, sandbox):
    url, _ = stage.queue("q")
    send(sandbox, url, "x", DelaySeconds=60)
    sandbox.client("sqs").delete_queue(QueueUrl=url)
    url, _ = stage.queue("q")
    sandbox.clock.advance(minutes=3)
    assert counts(sandbox, url) == (0, 0, 0) and metric(sandbox, "ApproximateNumberOfMessagesVisible", "q")[-1] == 0


def test_given_a_long_queue_then_a_send_does_not_look_at_every_message(stage, sandbox, monkeypatch):
    """Sending an n-th message costs the same as the first: how often moto's messages are asked for their state."""
    from moto.sqs.models import Message
    asked = []
    for name in ("visible", "delayed"):
        before = getattr(Message, name)
        monkeypatch.setattr(Message, name, property(lambda message, before=before: asked.append(1) or before.fget(message)))
    recounts, own = [], sandbox.life.wake("sqs") or sandbox.life.state["sqs"]
    monkeypatch.setattr(own, "_counted", lambda queue, moment, before=own._counted: recounts.append(1) or before(queue, moment))
    url, arn = stage.queue("q", "events.amazonaws.com")
    stage.rule(arn, ScheduleExpression="rate(1 hour)")
    sandbox.clock.advance(days=3)
    assert counts(sandbox, url) == (72, 0, 0)
    assert not asked and len(recounts) < 5


def test_given_the_end_of_a_sandbox_then_moto_counts_as_before(sandbox):
    sandbox.life.wake("sqs")
    from moto.sqs.models import Queue  # not before a sandbox has started: moto looks at its settings when it is imported
    mine = Queue.approximate_number_of_messages
    sandbox.reset(seed=1)
    assert Queue.approximate_number_of_messages is not mine and Queue.approximate_number_of_messages.fget.__qualname__.startswith("Queue.")
