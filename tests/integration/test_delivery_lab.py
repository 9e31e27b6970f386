"""EventBridge in the sandbox: whose permission counts, and where an event ends that can't be delivered."""

import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
SHOP = '{"source": ["shop"]}'
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r"


def what(sandbox):
    return sandbox.history()["what"]


# dead letters: "Using dead-letter queues to process undelivered events in EventBridge"


def test_given_a_dead_letter_queue_without_a_policy_then_the_event_is_lost_and_the_call_succeeds(stage, sandbox):
    _, closed = stage.queue("closed")
    _, dead = stage.queue("dead")
    stage.rule(closed, {"DeadLetterConfig": {"Arn": dead}}, EventPattern=SHOP)
    assert stage.order()["FailedEntryCount"] == 0
    assert what(sandbox)[-1] == "event lost" and "did not take it: AccessDenied" in sandbox.history()["why"][-1]


def test_given_a_dead_letter_queue_that_is_gone_then_the_event_is_lost_and_the_call_succeeds(stage, sandbox):
    gone = f"arn:aws:sqs:us-east-1:{ACCOUNT}:gone"
    stage.rule(gone, {"DeadLetterConfig": {"Arn": gone}}, EventPattern=SHOP)
    stage.order()
    assert what(sandbox) == ["delivery failed", "event lost"] and "NonExistentQueue" in sandbox.history()["why"][0]


def test_given_no_permission_then_the_dead_letter_says_what_went_wrong(stage):
    _, closed = stage.queue("closed")
    url, dead = stage.queue("dead", "events.amazonaws.com")
    stage.rule(closed, {"DeadLetterConfig": {"Arn": dead}}, EventPattern=SHOP)
    stage.order(id=7)
    [letter] = stage.letters(url)
    assert "sqs:SendMessage" in letter.pop("ERROR_MESSAGE")
    assert letter == {"RULE_ARN": RULE, "TARGET_ARN": closed, "ERROR_CODE": "NO_PERMISSIONS", "RETRY_ATTEMPTS": "0"}


@pytest.mark.parametrize("policy, retries, limit", [
    ({"MaximumRetryAttempts": 2}, "2", "MaximumRetryAttempts"), ({"MaximumEventAgeInSeconds": 60}, "5", "MaximumEventAgeInSeconds")])
def test_given_a_target_that_stays_down_then_the_dead_letter_says_which_limit_ended_it(stage, sandbox, policy, retries, limit):
    """EXHAUSTED_RETRY_CONDITION: MaximumRetryAttempts or MaximumEventAgeInSeconds."""
    url, dead = stage.queue("dead", "events.amazonaws.com")
    _, arn = stage.queue("q", "events.amazonaws.com")

    def refuse(call):
        if call.parameters["QueueUrl"].endswith("/q"):
            from kit.errors import ServiceError
            raise ServiceError("ServiceUnavailable", "try later")
    sandbox.life.before("sqs", "SendMessage", refuse)
    stage.rule(arn, {"DeadLetterConfig": {"Arn": dead}, "RetryPolicy": policy}, EventPattern=SHOP)
    stage.order()
    sandbox.clock.advance(hours=1)
    [letter] = stage.letters(url)
    assert (letter["ERROR_CODE"], letter["RETRY_ATTEMPTS"], letter["EXHAUSTED_RETRY_CONDITION"]) == ("ERROR_FROM_TARGET", retries, limit)


# what the target gets


def test_given_paths_with_indices_then_the_target_gets_what_they_find(stage, sandbox):
    url, arn = stage.queue("q", "events.amazonaws.com")
    events = sandbox.client("events")
    events.put_rule(Name="r", EventPattern=SHOP)
    events.put_targets(Rule="r", Targets=[
        {"Id": "1", "Arn": arn, "InputPath": "$.resources[0]"}, {"Id": "2", "Arn": arn, "InputPath": "$.resources.foo"},
        {"Id": "3", "Arn": arn, "InputTransformer": {"InputPathsMap": {"first": "$.resources[0]"}, "InputTemplate": '{"r": <first>}'}}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}", "Resources": ["arn:a"]}])
    found = sandbox.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [one["Body"] for one in found] == ["arn:a", "null", '{"r": "arn:a"}']


def test_given_a_path_that_is_none_then_the_event_is_lost_and_the_call_succeeds(stage, sandbox):
    _, arn = stage.queue("q", "events.amazonaws.com")
    stage.rule(arn, {"InputPath": "$..detail"}, EventPattern=SHOP)
    stage.order()
    assert what(sandbox) == ["delivery failed", "event lost"]


def test_given_a_time_in_the_event_then_the_target_gets_that(stage):
    url, arn = stage.queue("q", "events.amazonaws.com")
    events = stage.rule(arn, EventPattern=SHOP)
    events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}", "Time": "2026-01-04T12:00:00Z"}])
    [found] = stage.received(url)
    assert found["time"] == "2026-01-04T12:00:00Z" and "ingestion-time" not in found


def test_given_a_rule_that_is_disabled_or_only_scheduled_then_events_pass_it_by(stage):
    url, arn = stage.queue("q", "events.amazonaws.com")
    events = stage.rule(arn, EventPattern=SHOP)
    events.disable_rule(Name="r")
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": arn}])
    stage.order()
    assert stage.received(url) == []


# permissions: "Using resource-based policies for Amazon EventBridge"


def topic(stage, sandbox, service=None):
    sns = sandbox.client("sns")
    arn = sns.create_topic(Name="t")["TopicArn"]
    if service:
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sns:Publish", "Resource": arn}]}))
    url, queue_arn = stage.queue("ears", "sns.amazonaws.com")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    return arn, url


@pytest.mark.parametrize("service, heard", [(None, 0), ("s3.amazonaws.com", 0), ("events.amazonaws.com", 1)])
def test_given_a_topic_then_its_policy_must_name_eventbridge(stage, sandbox, service, heard):
    """"Amazon SNS permissions": the default policy is not enough."""
    arn, url = topic(stage, sandbox, service)
    stage.rule(arn, EventPattern=SHOP)
    stage.order()
    assert len(stage.received(url)) == heard
    assert ("AuthorizationError" in str(sandbox.history()["why"])) == (not heard)


def test_given_a_queue_whose_policy_names_another_rule_then_the_event_does_not_arrive(stage, sandbox):
    """"Amazon SQS permissions", with aws:SourceArn."""
    url, arn = stage.queue("q")
    for name, count in (("another", 0), ("r", 1)):
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{name}"}}}]}
        sandbox.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        stage.rule(arn, EventPattern=SHOP)
        stage.order()
        assert len(stage.received(url)) == count


@pytest.mark.parametrize("service, actions, count, code", [
    ("events.amazonaws.com", ["sqs:SendMessage"], 1, None), ("events.amazonaws.com", ["sqs:ReceiveMessage"], 0, "NO_PERMISSIONS"),
    ("lambda.amazonaws.com", ["sqs:SendMessage"], 0, "FAILED_TO_ASSUME_ROLE")])
def test_given_a_target_with_a_role_then_its_trust_and_its_permissions_decide(stage, service, actions, count, code):
    """"For Lambda, Amazon SNS, and Amazon SQS targets, you can use either an IAM execution role or a resource-based policy"."""
    url, arn = stage.queue("q")
    dead_url, dead = stage.queue("dead", "events.amazonaws.com")
    stage.rule(arn, {"RoleArn": stage.role(service, *actions), "DeadLetterConfig": {"Arn": dead}}, EventPattern=SHOP)
    stage.order()
    assert len(stage.received(url)) == count
    assert [one["ERROR_CODE"] for one in stage.letters(dead_url)] == ([code] if code else [])


def test_given_a_state_machine_without_a_role_then_put_targets_is_refused(stage):
    """PutTargets: for Step Functions EventBridge relies on the RoleArn."""
    with pytest.raises(ClientError, match=r"ValidationException.*RoleArn is required for target arn:aws:states"):
        stage.rule(stage.machine(), EventPattern=SHOP)


def test_given_a_role_that_may_not_start_it_then_the_state_machine_does_not_run(stage, sandbox):
    arn = stage.machine()
    stage.rule(arn, {"RoleArn": stage.role("events.amazonaws.com", "sqs:*")}, EventPattern=SHOP)
    stage.order()
    assert sandbox.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"] == []
    assert "states:StartExecution" in sandbox.history().about("delivery failed")["why"][0]


# archives and replays: "Archiving and replaying events in Amazon EventBridge"

BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
HANDLER = "def handler(event, context):\n    print('got', event['detail']['id'], event.get('replay-name'))"


def function(stage, sandbox, source):
    import io
    import zipfile
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", HANDLER)
    client = sandbox.client("lambda")
    arn = client.create_function(FunctionName="f", Runtime="python3.13", Handler="app.handler", Code={"ZipFile": packed.getvalue()},
                                 Role=stage.role("lambda.amazonaws.com", "logs:*", name="f"))["FunctionArn"]
    client.add_permission(FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=source)
    return arn


def everything(stage, sandbox):
    """A rule with four targets. Returns a function that tells how many events each has got."""
    url, arn = stage.queue("q", "events.amazonaws.com")
    topic_arn, ears = topic(stage, sandbox, "events.amazonaws.com")
    logs = sandbox.client("logs")
    logs.create_log_group(logGroupName="/aws/events/shop")
    targets = [arn, topic_arn, function(stage, sandbox, RULE), f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/events/shop"]
    events = sandbox.client("events")
    events.put_rule(Name="r", EventPattern=SHOP)
    events.put_targets(Rule="r", Targets=[{"Id": str(n), "Arn": one} for n, one in enumerate(targets)])

    def count():
        lines = logs.filter_log_events(logGroupName="/aws/events/shop")["events"]
        called = [one for one in sandbox.history().about("invoked")["what"] if one.startswith("invoked")]
        return len(stage.received(url)), len(stage.received(ears)), len(called), len(lines)
    return events, count


def archived(stage, sandbox, events, pattern=None):
    given = {"EventPattern": pattern} if pattern else {}
    return events.create_archive(ArchiveName="a", EventSourceArn=BUS, **given)["ArchiveArn"]


def replay(stage, sandbox, events, archive, start=0, end=None, **destination):
    events.start_replay(ReplayName="again", EventSourceArn=archive, EventStartTime=sandbox.clock.date_at(start),
                        EventEndTime=sandbox.clock.date if end is None else sandbox.clock.date_at(end),
                        Destination={"Arn": BUS, **destination})
    return lambda: events.describe_replay(ReplayName="again")


@pytest.mark.parametrize("archive_first", [True, False])
def test_given_an_archive_then_a_replay_reaches_functions_topics_queues_and_logs(stage, sandbox, archive_first):
    archive = archived(stage, sandbox, sandbox.client("events"), SHOP) if archive_first else None
    events, count = everything(stage, sandbox)
    archive = archive or archived(stage, sandbox, events, SHOP)
    stage.order(id=1)
    sandbox.clock.advance(minutes=1)
    assert count() == (1, 1, 1, 1)
    replay(stage, sandbox, events, archive)
    sandbox.clock.advance(minutes=1)
    assert count() == (2, 2, 2, 2)
    assert events.describe_archive(ArchiveName="a")["EventCount"] == 1  # what is replayed is not archived again


def test_given_a_replay_then_only_the_archives_events_of_that_time_come_and_say_so(stage, sandbox):
    url, arn = stage.queue("q", "events.amazonaws.com")
    events = stage.rule(arn, EventPattern='{"source": ["shop", "bank"]}')
    archive = archived(stage, sandbox, events, SHOP)
    for number in range(4):
        stage.order(id=number)
        events.put_events(Entries=[{"Source": "bank", "DetailType": "d", "Detail": "{}"}])
        sandbox.clock.advance(minutes=10)
    sandbox.client("sqs").purge_queue(QueueUrl=url)
    replay(stage, sandbox, events, archive, start=600, end=1800)  # the end itself does not count
    sandbox.clock.advance(minutes=1)
    found = stage.received(url)
    assert [(one["source"], one["detail"]["id"], one["replay-name"]) for one in found] == [("shop", 1, "again"), ("shop", 2, "again")]
    assert [one["time"] for one in found] == ["2026-01-05T00:10:00Z", "2026-01-05T00:20:00Z"]


def test_given_a_replay_then_its_state_moves_with_the_clock(stage, sandbox):
    """"Replay": STARTING, RUNNING, COMPLETED. AWS does not say how long each takes."""
    _, arn = stage.queue("q", "events.amazonaws.com")
    events = stage.rule(arn, EventPattern=SHOP)
    archive = archived(stage, sandbox, events)
    for number in range(30):
        stage.order(id=number)
        sandbox.clock.advance(minutes=1)
    state, states = replay(stage, sandbox, events, archive), []
    for _ in range(7):
        states.append(state()["State"])
        sandbox.clock.advance(seconds=10)
    assert states[0] == "STARTING" and states[2] == "RUNNING" and states[-1] == "COMPLETED"
    assert states == sorted(states, key=["STARTING", "RUNNING", "COMPLETED"].index)
    assert state()["ReplayEndTime"] > state()["ReplayStartTime"]
    with pytest.raises(ClientError, match="IllegalStatusException"):
        events.cancel_replay(ReplayName="again")


def test_given_a_replay_that_is_cancelled_then_it_delivers_nothing_more(stage, sandbox):
    url, arn = stage.queue("q", "events.amazonaws.com")
    events = stage.rule(arn, EventPattern=SHOP)
    archive = archived(stage, sandbox, events)
    stage.order(id=1)
    sandbox.clock.advance(minutes=1)
    replay(stage, sandbox, events, archive)
    events.cancel_replay(ReplayName="again")
    sandbox.clock.advance(minutes=5)
    assert len(stage.received(url)) == 1


def test_given_filter_arns_then_only_these_rules_get_the_replay(stage, sandbox):
    """"ReplayDestination", FilterArns."""
    url, arn = stage.queue("q", "events.amazonaws.com")
    events = stage.rule(arn, EventPattern=SHOP)
    events.put_rule(Name="other", EventPattern=SHOP)
    archive = archived(stage, sandbox, events)
    stage.order(id=1)
    sandbox.clock.advance(minutes=1)
    replay(stage, sandbox, events, archive, FilterArns=[RULE.replace("/r", "/other")])
    sandbox.clock.advance(minutes=1)
    assert len(stage.received(url)) == 1


def test_given_an_archive_with_a_retention_then_its_events_end(stage, sandbox):
    events = sandbox.client("events")
    events.create_archive(ArchiveName="a", EventSourceArn=BUS, EventPattern=SHOP, RetentionDays=1)
    stage.order(id=1)
    sandbox.clock.advance(hours=23)
    assert events.describe_archive(ArchiveName="a")["EventCount"] == 1
    sandbox.clock.advance(hours=1)
    assert events.describe_archive(ArchiveName="a")["EventCount"] == 0
