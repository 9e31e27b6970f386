"""EventBridge Scheduler in the sandbox: the role decides, groups keep names apart, universal targets call any operation."""

import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
SERVICE = "scheduler.amazonaws.com"


def schedule(stage, sandbox, arn, role_arn, name="n", expression="rate(5 minutes)", text='"hi"', **target):
    group = {"GroupName": target.pop("group")} if "group" in target else {}
    return sandbox.client("scheduler").create_schedule(
        Name=name, ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role_arn, "Input": text, **target}, **group)


@pytest.mark.parametrize("actions, count", [(["sqs:SendMessage"], 2), (["sqs:ReceiveMessage"], 0), ([], 0)])
def test_given_a_role_then_its_permissions_decide(stage, sandbox, actions, count):
    """"Set up the execution role": what the schedule does, its role must be allowed to do; the queue has no policy."""
    url, arn = stage.queue("q")
    schedule(stage, sandbox, arn, stage.role(SERVICE, *actions))
    sandbox.clock.advance(minutes=11)
    assert stage.received(url) == ["hi"] * count
    assert bool(sandbox.history().about("AccessDenied")) == (not count)


@pytest.mark.parametrize("who", ["events.amazonaws.com", None])
def test_given_a_role_that_scheduler_may_not_assume_then_the_schedule_is_refused(stage, sandbox, who):
    _, arn = stage.queue("q")
    role_arn = stage.role(who, "sqs:*") if who else f"arn:aws:iam::{ACCOUNT}:role/nobody"
    with pytest.raises(ClientError, match=r"ValidationException.*The execution role you provide must allow AWS EventBridge "
                                          r"Scheduler to assume the role\."):
        schedule(stage, sandbox, arn, role_arn)


@pytest.mark.parametrize("source, good", [("schedule-group/default", True), ("schedule/default/n", False)])
def test_given_a_trust_for_one_source_then_it_is_the_schedules_group(stage, sandbox, source, good):
    """"Confused deputy prevention": aws:SourceArn is the group's ARN, never a schedule's."""
    url, arn = stage.queue("q")
    role_arn = stage.role(SERVICE, "sqs:SendMessage")
    sandbox.client("iam").update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceArn": f"arn:aws:scheduler:us-east-1:{ACCOUNT}:{source}"}}}]}))
    if not good:
        with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler"):
            schedule(stage, sandbox, arn, role_arn)
        return
    schedule(stage, sandbox, arn, role_arn)
    sandbox.clock.advance(minutes=6)
    assert stage.received(url) == ["hi"]


def test_given_a_trust_that_is_taken_back_then_the_schedule_fails_from_then_on(stage, sandbox):
    url, arn = stage.queue("q")
    schedule(stage, sandbox, arn, stage.role(SERVICE, "sqs:SendMessage"))
    sandbox.clock.advance(minutes=6)
    sandbox.client("iam").delete_role_policy(RoleName="r", PolicyName="p")
    sandbox.client("iam").delete_role(RoleName="r")
    sandbox.clock.advance(minutes=5)
    assert len(stage.received(url)) == 1 and "can't assume" in sandbox.history().about("delivery failed")["why"][0]


def test_given_the_same_name_in_two_groups_then_both_fire(stage, sandbox):
    """The name of a schedule is its own in its group ("CreateSchedule")."""
    sandbox.client("scheduler").create_schedule_group(Name="g2")
    role_arn = stage.role(SERVICE, "sqs:SendMessage")
    urls = []
    for group in ("default", "g2"):
        url, arn = stage.queue(f"q-{group}")
        urls.append(url)
        schedule(stage, sandbox, arn, role_arn, group=group, text=f'"{group}"')
    sandbox.clock.advance(minutes=11)
    assert [stage.received(url) for url in urls] == [["default"] * 2, ["g2"] * 2]
    sandbox.client("scheduler").delete_schedule(Name="n", GroupName="g2")
    sandbox.clock.advance(minutes=5)
    assert [len(stage.received(url)) for url in urls] == [3, 2]


def test_given_a_one_time_schedule_that_deletes_itself_then_only_the_one_of_its_group_is_gone(stage, sandbox):
    sandbox.client("scheduler").create_schedule_group(Name="g2")
    role_arn, (_, arn) = stage.role(SERVICE, "sqs:SendMessage"), stage.queue("q")
    for group, expression in (("default", "rate(1 day)"), ("g2", "at(2026-01-05T01:00:00)")):
        sandbox.client("scheduler").create_schedule(
            Name="n", GroupName=group, ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE", Target={"Arn": arn, "RoleArn": role_arn, "Input": "1"})
    sandbox.clock.advance(hours=2)
    left = sandbox.client("scheduler").list_schedules()["Schedules"]
    assert [(one["GroupName"], one["Name"]) for one in left] == [("default", "n")]


@pytest.mark.parametrize("actions, made", [(["sqs:CreateQueue"], True), (["sqs:SendMessage"], False)])
def test_given_a_universal_target_then_the_operation_is_called_as_the_role(stage, sandbox, actions, made):
    """"Using universal targets": arn:aws:scheduler:::aws-sdk:sqs:createQueue."""
    schedule(stage, sandbox, "arn:aws:scheduler:::aws-sdk:sqs:createQueue", stage.role(SERVICE, *actions), text='{"QueueName": "made"}')
    sandbox.clock.advance(minutes=6)
    assert bool(sandbox.client("sqs").list_queues().get("QueueUrls")) == made


def test_given_a_universal_target_of_another_service_then_names_are_the_sdks(stage, sandbox):
    """The service is the SDK's identifier, "sfn" for Step Functions, and parameters are taken in any case."""
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    states = sandbox.client("stepfunctions")
    arn = states.create_state_machine(name="m", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/m")["stateMachineArn"]
    schedule(stage, sandbox, "arn:aws:scheduler:::aws-sdk:sfn:startExecution", stage.role(SERVICE, "states:StartExecution"),
             text=json.dumps({"StateMachineArn": arn}))
    sandbox.clock.advance(minutes=6)
    assert len(states.list_executions(stateMachineArn=arn)["executions"]) == 1


@pytest.mark.parametrize("end, text", [
    ("sqs:getQueueUrl", "{}"), ("sqs:listQueues", "{}"), ("sqs:fly", "{}"), ("pigeon:send", "{}"), ("sqs:createQueue", "no json"),
    ("sqs:createQueue", "[1]")])
def test_given_a_universal_target_that_is_none_then_the_schedule_is_refused(stage, sandbox, end, text):
    """"Unsupported actions": what begins with get, list and so on."""
    with pytest.raises(ClientError, match="ValidationException"):
        schedule(stage, sandbox, f"arn:aws:scheduler:::aws-sdk:{end}", stage.role(SERVICE, "sqs:*"), text=text)


def test_given_parameters_that_the_operation_does_not_know_then_it_is_said_and_not_tried_again(stage, sandbox):
    schedule(stage, sandbox, "arn:aws:scheduler:::aws-sdk:sqs:createQueue", stage.role(SERVICE, "sqs:*"), text='{"Colour": "red"}')
    sandbox.clock.advance(minutes=6)
    assert sandbox.history()["what"] == ["schedule fires", "delivery failed", "event lost"]


def test_given_an_event_bus_then_the_schedule_puts_an_event_there(stage, sandbox):
    """EventBridgeParameters: DetailType and Source; the Input is the detail."""
    url, arn = stage.queue("q", "events.amazonaws.com")
    events = sandbox.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    schedule(stage, sandbox, f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default", stage.role(SERVICE, "events:PutEvents"), text='{"n": 1}',
             EventBridgeParameters={"DetailType": "tick", "Source": "shop"})
    sandbox.clock.advance(minutes=6)
    [found] = stage.received(url)
    assert (found["source"], found["detail-type"], found["detail"]) == ("shop", "tick", {"n": 1})


def test_given_a_target_that_is_gone_then_the_dead_letter_says_of_which_schedule_it_is(stage, sandbox):
    """"Configuring a schedule's dead-letter queue": the example's attributes; the role sends it."""
    url, dead = stage.queue("dead")
    gone = f"arn:aws:sqs:us-east-1:{ACCOUNT}:gone"
    arn = schedule(stage, sandbox, gone, stage.role(SERVICE, "sqs:SendMessage"), DeadLetterConfig={"Arn": dead})["ScheduleArn"]
    sandbox.clock.advance(minutes=6)
    [letter] = stage.letters(url)
    assert letter["ERROR_CODE"] == "AWS.SimpleQueueService.NonExistentQueue" and letter["SCHEDULE_ARN"] == arn
    assert (letter["TARGET_ARN"], letter["SCHEDULED_TIME"], letter["RETRY_ATTEMPTS"]) == (gone, "2026-01-05T00:05:00Z", "0")
    assert letter["IS_PAYLOAD_TRUNCATED"] == "false" and stage.received(url) == ["hi"]
