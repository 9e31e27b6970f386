"""Random stories of calls and clock moves in a sandbox that lives: nothing lost, nothing twice, the same each time."""

import io
import json
import threading
import zipfile

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab

ACCOUNT = "123456789012"
HANDLER = ("def handler(event, context):\n    for one in event['Records']:\n        print('did', one['body'])\n"
           "    return {'batchItemFailures': [{'itemIdentifier': one['messageId']} for one in event['Records'] if one['body'].startswith('bad')]}")


def packed(code):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    return buffer.getvalue()


def arn(name):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def factory(sandbox):
    """A queue with dead letters that a function works off, a schedule that fills it, and an alarm that watches it."""
    sqs, events = sandbox.client("sqs"), sandbox.client("events")
    sqs.create_queue(QueueName="dead")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                                                     "Action": "sqs:SendMessage", "Resource": arn("jobs")}]}
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "60", "Policy": json.dumps(policy), "RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": arn("dead"), "maxReceiveCount": "2"})})["QueueUrl"]
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = sandbox.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    reads = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": arn("jobs"), "Action": [
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]}]}
    sandbox.client("iam").put_role_policy(RoleName="r", PolicyName="reads", PolicyDocument=json.dumps(reads))
    sandbox.client("lambda").create_function(FunctionName="f", Runtime="python3.13", Role=role, Handler="app.handler", Code={"ZipFile": packed(HANDLER)})
    sandbox.client("lambda").create_event_source_mapping(EventSourceArn=arn("jobs"), FunctionName="f", BatchSize=5,
                                                         FunctionResponseTypes=["ReportBatchItemFailures"])
    events.put_rule(Name="tick", ScheduleExpression="rate(7 minutes)")
    events.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": arn("jobs"), "Input": '"tick"'}])
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="deep", Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Dimensions=[{"Name": "QueueName", "Value": "dead"}],
        Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold")
    return url


def live(story, seed=1):
    """Play a story; what is left of it."""
    sandbox = lab.start()
    sandbox.reset(seed=seed)
    url, sent = factory(sandbox), 0
    for what, number in story:
        if what == "send":
            for n in range(number):
                sandbox.client("sqs").send_message(QueueUrl=url, MessageBody=f"{'bad' if n % 3 == 2 else 'good'}-{sent}")
                sent += 1
        elif what == "wait":
            sandbox.clock.advance(minutes=number)
        elif what == "bill":
            sandbox.bill()
        elif what == "switch":
            sandbox.client("events").disable_rule(Name="tick") if number % 2 else sandbox.client("events").enable_rule(Name="tick")
    return sandbox, sent


STORY = st.lists(st.tuples(st.sampled_from(["send", "wait", "bill", "switch"]), st.integers(1, 9)), min_size=2, max_size=8)


@settings(max_examples=12)
@given(STORY)
def test_no_message_is_lost_and_none_is_done_twice_that_succeeded(story):
    sandbox, sent = live(story)
    sandbox.client("events").disable_rule(Name="tick")
    sandbox.clock.advance(minutes=10)
    ticks = len(sandbox.history().about("scheduled rule fires"))
    sqs, done = sandbox.client("sqs"), []
    try:
        events = sandbox.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
        done = [event["message"].removeprefix("did ") for event in events if event["message"].startswith("did ")]
    except ClientError:
        assert not sent and not ticks
    counts = {name: int(sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=["All"])
                        ["Attributes"]["ApproximateNumberOfMessages"]) for name in ("jobs", "dead")}
    bad = {body for body in done if body.startswith("bad")}
    good = [body for body in done if body.startswith("good")]
    assert len(good) == len(set(good)) and len(good) + len(bad) == sent and done.count('"tick"') == ticks
    assert counts == {"jobs": 0, "dead": len(bad)}
    alarm = sandbox.client("cloudwatch").describe_alarms(AlarmNames=["deep"])["MetricAlarms"][0]["StateValue"]
    assert (alarm == "ALARM") == bool(bad)


@settings(max_examples=8)
@given(STORY)
def test_the_same_story_gives_the_same_history_and_bill_and_both_are_in_order(story):
    runs = []
    for _ in range(2):
        sandbox, _ = live(story, seed=5)
        runs.append((sandbox.history().records.to_dicts(), sandbox.bill().lines))
    assert runs[0] == runs[1]
    times = [row["at"] for row in runs[0][0]]
    assert times == sorted(times)


@settings(max_examples=6)
@given(STORY)
def test_a_story_that_is_saved_and_loaded_ends_the_same(tmp_path_factory, story):
    sandbox, _ = live(story)
    before = sandbox.history().records.to_dicts(), sandbox.bill().lines, sandbox.clock.now
    path = sandbox.save(tmp_path_factory.mktemp("story") / "s.json")
    loaded = lab.load(path)
    assert (loaded.history().records.to_dicts(), loaded.bill().lines, loaded.clock.now) == before


@settings(max_examples=8)
@given(STORY)
def test_looking_at_the_bill_changes_nothing(story):
    bills = []
    for looks in (False, True):
        sandbox, _ = live([step for step in story if looks or step[0] != "bill"])
        bills.append([(line.item, line.quantity) for line in sandbox.bill().lines])
    assert [item for item, _ in bills[0]] == [item for item, _ in bills[1]]
    assert [quantity for _, quantity in bills[0]] == pytest.approx([quantity for _, quantity in bills[1]])


def test_calls_from_many_threads_are_all_made_and_all_written_down():
    sandbox = lab.start()
    sandbox.reset(seed=1)
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]

    def work(number):
        for n in range(20):
            sqs.send_message(QueueUrl=url, MessageBody=f"{number}-{n}")
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(sandbox.journal.entries) == 161 and len([c for c in sandbox.life.calls if c.operation == "SendMessage"]) == 160
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == "160"
    sandbox.reset(seed=1)
