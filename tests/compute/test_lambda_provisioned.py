"""Provisioned concurrency, reserves and dead letters: the model, and boto3 stories of it. AWS Lambda Developer Guide, the
pages named.
"""

import base64
import io
import json
import sys
import zipfile

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from kit.compute.lambda_function import Concurrency
from kit.compute.provisioned import Provisioned
from kit.errors import ServiceError

ACCOUNT = "123456789012"


# the model

def test_none_is_ready_before_all_are():
    """"Understanding Lambda function scaling": a minute or two of preparation, then 6,000 a minute; none before all."""
    provisioned = Provisioned(Concurrency(20_000))
    asked = provisioned.put_provisioned_concurrency_config(0, "shop", "1", 6000)
    assert (asked["Status"], asked["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    assert provisioned.get_provisioned_concurrency_config(119.9, "shop", "1")["Status"] == "IN_PROGRESS"
    ready = provisioned.get_provisioned_concurrency_config(120, "shop", "1", taken=10)
    assert (ready["Status"], ready["AvailableProvisionedConcurrentExecutions"]) == ("READY", 5990)


def test_a_version_has_them_once_and_latest_never():
    """"Configuring provisioned concurrency for a function"; API: PutProvisionedConcurrencyConfig."""
    provisioned = Provisioned()
    for wrong in (("shop", "$LATEST", 1, None), ("shop", "live", 1, "$LATEST")):
        with pytest.raises(ServiceError, match="unpublished function versions"):
            provisioned.put_provisioned_concurrency_config(0, *wrong)
    provisioned.put_provisioned_concurrency_config(0, "shop", "live", 1, "3")
    with pytest.raises(ServiceError, match="through live"):
        provisioned.put_provisioned_concurrency_config(0, "shop", "beta", 1, "3")
    provisioned.put_provisioned_concurrency_config(0, "shop", "live", 2, "4")  # its own may change
    assert list(provisioned.list_provisioned_concurrency_configs(0, "shop")) == ["live"]
    provisioned.delete_provisioned_concurrency_config("shop", "live")
    with pytest.raises(ServiceError, match="ProvisionedConcurrencyConfigNotFoundException"):
        provisioned.get_provisioned_concurrency_config(0, "shop", "live")


def test_calls_spill_over_and_others_have_less():
    provisioned = Provisioned()
    provisioned.put_provisioned_concurrency_config(0, "shop", "live", 300, "1")
    where = [provisioned.admit(100, "shop", "live", {"shop": ["live"] * number}, {}).environment for number in (0, 299, 300)]
    assert where == ["provisioned", "provisioned", "on-demand"]
    assert provisioned.admit(100, "shop", None, {}, {}).environment == "on-demand"  # $LATEST has none
    assert provisioned.admit(100, "mail", None, {"mail": [None] * 699}, {}).admitted
    assert not provisioned.admit(100, "mail", None, {"mail": [None] * 700}, {}).admitted


def test_when_all_that_is_reserved_is_provisioned_then_latest_is_throttled():
    """"Understanding Lambda function scaling": this configuration throttles $LATEST."""
    provisioned = Provisioned()
    provisioned.concurrency.put_function_concurrency("shop", 5)
    provisioned.put_provisioned_concurrency_config(0, "shop", "1", 5)
    assert not provisioned.admit(100, "shop", None, {}, {"shop": 5}).admitted
    assert provisioned.admit(100, "shop", "1", {"shop": ["1"] * 4}, {"shop": 5}).admitted


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), st.integers(0, 60), st.booleans()), max_size=12), st.integers(0, 100))
def test_whatever_is_asked_for_no_more_is_provisioned_than_reserved(story, reserve):
    provisioned = Provisioned()
    provisioned.concurrency.put_function_concurrency("f", reserve)
    for qualifier, number, delete in story:
        try:
            if delete:
                provisioned.delete_provisioned_concurrency_config("f", qualifier)
            else:
                provisioned.put_provisioned_concurrency_config(0, "f", qualifier, number)
        except ServiceError:
            pass  # refused: nothing has changed
        together = sum(config.requested for config in provisioned.configs.values())
        assert together == provisioned.concurrency.provisioned.get("f", 0) <= reserve


# the sandbox

class Story:
    def __init__(self, sandbox):
        self.sandbox, self.functions, self.sqs = sandbox, sandbox.client("lambda"), sandbox.client("sqs")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                        "Action": "sts:AssumeRole"}]}
        sandbox.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=json.dumps(trust))

    def allow(self, *actions):
        self.sandbox.client("iam").put_role_policy(RoleName="fn", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))

    def make(self, code, **more):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", code)
        return self.functions.create_function(FunctionName="f", Runtime="python3.13", Role=f"arn:aws:iam::{ACCOUNT}:role/fn",
                                              Handler="app.handler", Code={"ZipFile": buffer.getvalue()}, **more)

    def invoke(self, **more):
        answer = self.functions.invoke(FunctionName="f", LogType="Tail", **more)
        return json.loads(answer["Payload"].read()), base64.b64decode(answer["LogResult"]).decode()

    def event(self, **body):
        self.functions.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps(body).encode())

    def total(self, metric):
        found = self.sandbox.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Dimensions=[{"Name": "FunctionName", "Value": "f"}], Period=86_400,
            Statistics=["Sum"], StartTime=self.sandbox.clock.date_at(0), EndTime=self.sandbox.clock.date_at(86_400))["Datapoints"]
        return found[0]["Sum"] if found else 0


@pytest.fixture
def story(sandbox):
    return Story(sandbox)


TYPE = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']"
FAILS = "def handler(event, context):\n    raise ValueError('no ' + 2000 * '!')"


def test_given_provisioned_concurrency_then_it_is_there_after_a_while_and_calls_have_it(story):
    """"Configuring provisioned concurrency for a function": AWS_LAMBDA_INITIALIZATION_TYPE."""
    story.make(TYPE)
    version = story.functions.publish_version(FunctionName="f")["Version"]
    story.functions.create_alias(FunctionName="f", Name="live", FunctionVersion=version)
    asked = story.functions.put_provisioned_concurrency_config(FunctionName="f", Qualifier="live", ProvisionedConcurrentExecutions=5)
    assert (asked["Status"], asked["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 5)
    assert story.invoke(Qualifier="live")[0] == "on-demand"
    story.sandbox.clock.advance(minutes=2)
    config = story.functions.get_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    assert (config["Status"], config["AvailableProvisionedConcurrentExecutions"]) == ("READY", 5)
    assert story.sandbox.history().about("provisioned concurrency ready")
    assert story.invoke(Qualifier="live")[0] == "provisioned-concurrency"
    assert story.invoke()[0] == story.invoke(Qualifier=version)[0] == "on-demand"  # not through the alias
    story.sandbox.clock.advance(days=1)
    told, log = story.invoke(Qualifier="live")
    assert told == "provisioned-concurrency" and "Init Duration" not in log  # it stays
    (shown,) = story.functions.list_provisioned_concurrency_configs(FunctionName="f")["ProvisionedConcurrencyConfigs"]
    assert shown["FunctionArn"].endswith(":function:f:live")
    story.functions.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    with pytest.raises(ClientError, match="ProvisionedConcurrencyConfigNotFoundException") as caught:
        story.functions.get_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert story.invoke(Qualifier="live")[0] == "on-demand"


def test_given_more_calls_than_are_provisioned_then_they_spill_over(story):
    """"Configuring provisioned concurrency": metrics ProvisionedConcurrencyInvocations and ...SpilloverInvocations."""
    story.make("import time\ndef handler(event, context):\n    time.sleep(1)")
    version = story.functions.publish_version(FunctionName="f")["Version"]
    story.functions.put_provisioned_concurrency_config(FunctionName="f", Qualifier=version, ProvisionedConcurrentExecutions=1)
    story.sandbox.clock.advance(minutes=2)
    for _ in range(3):
        story.functions.invoke(FunctionName=f"f:{version}", InvocationType="Event")
    story.sandbox.clock.advance(minutes=1)
    assert (story.total("ProvisionedConcurrencyInvocations"), story.total("ProvisionedConcurrencySpilloverInvocations")) == (1, 2)
    assert story.total("Errors") == 0


def test_given_latest_or_too_many_then_nothing_is_provisioned(story):
    story.make(TYPE)
    version = story.functions.publish_version(FunctionName="f")["Version"]
    for qualifier, number in (("$LATEST", 1), (version, 901)):
        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            story.functions.put_provisioned_concurrency_config(FunctionName="f", Qualifier=qualifier,
                                                               ProvisionedConcurrentExecutions=number)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        story.functions.put_provisioned_concurrency_config(FunctionName="f", Qualifier="7", ProvisionedConcurrentExecutions=1)


def test_given_a_reserve_that_leaves_less_than_a_hundred_then_it_is_refused(story):
    """"Configuring reserved concurrency for a function"."""
    story.make(TYPE)
    with pytest.raises(ClientError, match="below its minimum value of .100") as caught:
        story.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=901)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    story.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=900)


def test_given_a_version_then_its_functions_reserve_is_its_own(story):
    """A reserve is of the function, with all its versions ("Configuring reserved concurrency for a function")."""
    story.make(TYPE)
    version = story.functions.publish_version(FunctionName="f")["Version"]
    story.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        story.invoke(Qualifier=version)
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


@pytest.mark.parametrize("kind", ["sqs", "sns"])
def test_given_a_dead_letter_target_then_the_event_ends_there_as_it_is(story, kind):
    """"Adding a dead-letter queue": RequestID, ErrorCode and ErrorMessage, the first 1 KB of it."""
    url = story.sqs.create_queue(QueueName="dead")["QueueUrl"]
    target = queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"
    if kind == "sns":
        target = story.sandbox.client("sns").create_topic(Name="dead")["TopicArn"]
        story.sandbox.client("sns").subscribe(TopicArn=target, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
        story.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}]})})
    story.allow("sqs:SendMessage", "sns:Publish")
    made = story.make(FAILS, DeadLetterConfig={"TargetArn": target})
    shown = story.functions.get_function_configuration(FunctionName="f")
    assert made["DeadLetterConfig"] == shown["DeadLetterConfig"] == {"TargetArn": target}
    story.event(order=7)
    story.sandbox.clock.advance(minutes=2, seconds=59)
    assert "Messages" not in story.sqs.receive_message(QueueUrl=url)
    story.sandbox.clock.advance(seconds=2)
    (message,) = story.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    attributes = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    assert json.loads(message["Body"]) == {"order": 7} and attributes["ErrorCode"] == "200"
    assert attributes["ErrorMessage"].startswith("no !!!") and len(attributes["ErrorMessage"]) == 1024
    log = story.sandbox.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
    starts = [one["message"] for one in log if one["message"].startswith("START")]
    assert len(starts) == 3 and all(attributes["RequestID"] in line for line in starts)  # one request, tried three times


def test_given_an_update_then_the_dead_letter_target_is_another_or_none_but_not_of_a_version(story):
    """"Adding a dead-letter queue": it is part of a function's version-specific configuration."""
    story.sqs.create_queue(QueueName="dead")
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"
    story.make(FAILS)
    with pytest.raises(ClientError, match="does not have permissions to call SendMessage on SQS"):
        story.functions.update_function_configuration(FunctionName="f", DeadLetterConfig={"TargetArn": arn})
    story.allow("sqs:SendMessage")
    story.functions.update_function_configuration(FunctionName="f", DeadLetterConfig={"TargetArn": arn})
    version = story.functions.publish_version(FunctionName="f")["Version"]
    changed = story.functions.update_function_configuration(FunctionName="f", DeadLetterConfig={})
    assert "DeadLetterConfig" not in changed and "DeadLetterConfig" not in story.functions.get_function(FunctionName="f")["Configuration"]
    assert story.functions.get_function_configuration(FunctionName="f", Qualifier=version)["DeadLetterConfig"] == {"TargetArn": arn}


def test_given_a_function_that_is_switched_off_then_events_go_to_its_dead_letters_at_once(story):
    """"Capturing records of Lambda asynchronous invocations": reserved concurrency of zero, without any retries."""
    url = story.sqs.create_queue(QueueName="dead")["QueueUrl"]
    story.allow("sqs:SendMessage")
    story.make(FAILS, DeadLetterConfig={"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"})
    story.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    story.event(order=8)
    story.sandbox.clock.advance(seconds=1)
    (message,) = story.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == {"order": 8} and message["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"
    assert story.total("Invocations") == 0


def test_given_no_concurrency_then_an_event_is_tried_ever_more_rarely(story):
    """"How Lambda handles errors and retries with asynchronous invocation": from one second up to five minutes."""
    story.make("import time\ndef handler(event, context):\n    time.sleep(event['s'])", Timeout=900)
    story.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    story.event(s=600)
    story.event(s=0)
    story.sandbox.clock.advance(minutes=20)
    throttled = [row["at"] for row in story.sandbox.history().about("throttled")]
    assert throttled == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511] and story.total("Invocations") == 2


def test_given_a_bus_as_destination_then_the_record_is_its_detail(story):
    """"Capturing records of Lambda asynchronous invocations": source lambda."""
    story.allow("events:PutEvents")
    events, url = story.sandbox.client("events"), story.sqs.create_queue(QueueName="heard")["QueueUrl"]
    rule = events.put_rule(Name="r", EventPattern='{"source": ["lambda"]}')["RuleArn"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:heard"
    story.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}]})})
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": queue}])
    story.make("def handler(event, context):\n    return 'fine'")
    story.functions.put_function_event_invoke_config(FunctionName="f", DestinationConfig={"OnSuccess": {
        "Destination": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}})
    story.event(order=9)
    story.sandbox.clock.advance(seconds=1)
    heard = json.loads(story.sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert heard["detail-type"] == "Lambda Function Invocation Result - Success" and heard["detail"]["responsePayload"] == "fine"
    assert heard["detail"]["requestContext"]["approximateInvokeCount"] == 1 and "functionError" not in heard["detail"]["responseContext"]


def test_given_a_browser_tab_then_the_history_says_once_that_there_are_no_limits(story, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    story.make("def handler(event, context):\n    return 1")
    assert story.invoke()[0] == story.invoke()[0] == 1
    (said,) = story.sandbox.history().about("no limits")
    assert "no limits of time and memory" in said["why"]
