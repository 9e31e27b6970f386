"""Functions in the sandbox: boto3 stories with handlers that really run."""

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from kit import lab

ACCOUNT = "123456789012"


def packed(code):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    return buffer.getvalue()


@pytest.fixture
def sandbox():
    sandbox = lab.start()
    sandbox.reset(seed=1)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                    "Action": "sts:AssumeRole"}]}
    sandbox.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=json.dumps(trust))
    yield sandbox
    sandbox.reset(seed=1)


@pytest.fixture
def make(sandbox):
    def make(code, name="f", **more):
        return sandbox.client("lambda").create_function(
            FunctionName=name, Runtime="python3.12", Role=f"arn:aws:iam::{ACCOUNT}:role/fn", Handler="app.handler",
            Code={"ZipFile": packed(code)}, **more)["FunctionArn"]
    return make


@pytest.fixture
def invoke(sandbox):
    def invoke(event=None, name="f", **more):
        answer = sandbox.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
        return (json.loads(answer["Payload"].read() or b"null"), answer.get("FunctionError"))
    return invoke


def allow(sandbox, *actions):
    sandbox.client("iam").put_role_policy(RoleName="fn", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))


QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
STREAM = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams")


def logs(sandbox, name="f"):
    return [one["message"] for one in sandbox.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]


def total(sandbox, metric, statistic="Sum", name="f"):
    found = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=metric, Dimensions=[{"Name": "FunctionName", "Value": name}], Period=86_400, Statistics=[statistic],
        StartTime=sandbox.clock.date_at(0), EndTime=sandbox.clock.date_at(86_400))["Datapoints"]
    return found[0][statistic] if found else 0


COUNTS = "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n"


def test_given_a_function_then_its_handler_runs_and_its_log_tells(sandbox, make, invoke):
    """"Viewing CloudWatch logs for Lambda functions"."""
    make("def handler(event, context):\n    print('got', event)\n    return context.function_name")
    assert invoke({"a": 1}) == ("f", None)
    lines = logs(sandbox)
    assert lines[0].startswith("START RequestId: ") and lines[1] == "got {'a': 1}" and "Billed Duration: 1 ms" in lines[3]


def test_given_two_calls_then_the_second_is_warm_until_it_has_rested_too_long(sandbox, make, invoke):
    make(COUNTS)
    seen = [invoke()[0], invoke()[0]]
    sandbox.clock.advance(hours=1)
    assert [*seen, invoke()[0]] == [1, 2, 1]
    assert sum("Init Duration" in line for line in logs(sandbox)) == 2


def test_given_new_code_then_it_runs_from_now_on(sandbox, make, invoke):
    make(COUNTS)
    invoke()
    sandbox.client("lambda").update_function_code(FunctionName="f", ZipFile=packed("def handler(event, context):\n    return 'new'"))
    assert invoke()[0] == "new"


def test_given_a_role_then_the_handler_may_do_what_the_role_may(sandbox, make, invoke):
    """"Defining Lambda function permissions with an execution role"."""
    sandbox.client("s3").create_bucket(Bucket="photos")
    make("import boto3\ndef handler(event, context):\n    boto3.client('s3').put_object(Bucket='photos', Key='k', Body=b'x')")
    told, error = invoke()
    assert error == "Unhandled" and "assumed-role/fn" in told["errorMessage"] and "s3:PutObject" in told["errorMessage"]
    allow(sandbox, "s3:PutObject")
    assert invoke() == (None, None)
    assert sandbox.client("s3").get_object(Bucket="photos", Key="k")["Body"].read() == b"x"


def test_given_a_handler_that_fails_then_the_answer_is_awss(sandbox, make, invoke):
    make("def handler(event, context):\n    raise KeyError('gone')")
    told, error = invoke()
    assert error == "Unhandled" and told["errorType"] == "KeyError" and told["stackTrace"]
    assert (total(sandbox, "Invocations"), total(sandbox, "Errors")) == (1, 1)


def test_given_an_event_that_fails_then_it_is_tried_after_one_and_two_minutes(sandbox, make, invoke):
    """"How Lambda handles errors and retries with asynchronous invocation"."""
    make("def handler(event, context):\n    raise ValueError('no')")
    assert sandbox.client("lambda").invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    sandbox.clock.advance(minutes=10)
    failed = sandbox.history().about("failed")
    assert failed["at"] == [0, 60, 180]
    assert sandbox.history()["what"][-1] == "event lost"


def test_given_a_destination_then_the_failed_event_ends_there(sandbox, make, invoke):
    """"Capturing records of Lambda asynchronous invocations"."""
    url = sandbox.client("sqs").create_queue(QueueName="failed")["QueueUrl"]
    make("def handler(event, context):\n    raise ValueError('no')")
    sandbox.client("lambda").put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0, DestinationConfig={
        "OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:failed"}})
    allow(sandbox, "sqs:SendMessage")
    invoke({"order": 7}, InvocationType="Event")
    sandbox.clock.advance(minutes=1)
    record = json.loads(sandbox.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert list(record) == ["version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"]
    context = record["requestContext"]
    assert any(context["requestId"] in line for line in logs(sandbox) if line.startswith("START"))
    assert context == {"requestId": context["requestId"], "condition": "RetriesExhausted", "approximateInvokeCount": 1,
                       "functionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:$LATEST"}
    assert (record["version"], record["timestamp"]) == ("1.0", f"{sandbox.clock.date_at(0):%Y-%m-%dT%H:%M:%S}.000Z")
    assert record["requestPayload"] == {"order": 7} and record["responsePayload"]["errorType"] == "ValueError"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}


def test_given_no_reserved_concurrency_left_then_calls_are_throttled(sandbox, make, invoke):
    """"Configuring reserved concurrency": 0 switches a function off; status 429."""
    make(COUNTS)
    sandbox.client("lambda").put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequestsException") as caught:
        invoke()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert total(sandbox, "Throttles") == 1
    sandbox.client("lambda").delete_function_concurrency(FunctionName="f")
    assert invoke()[0] == 1


def test_given_many_events_at_once_then_each_has_its_own_environment(sandbox, make, invoke):
    make("import time\nn = 0\ndef handler(event, context):\n    global n\n    n += 1\n    time.sleep(1)\n    return n")
    for _ in range(4):
        invoke({}, InvocationType="Event")
    sandbox.clock.advance(seconds=10)
    assert sum("Init Duration" in line for line in logs(sandbox)) == 4
    assert total(sandbox, "ConcurrentExecutions", "Maximum") == 4


def test_given_a_queue_then_its_messages_come_in_batches_and_are_deleted(sandbox, make):
    """"Using Lambda with Amazon SQS"."""
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    make("def handler(event, context):\n    print('batch of', len(event['Records']))")
    allow(sandbox, *QUEUE)
    sandbox.client("lambda").create_event_source_mapping(EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs", FunctionName="f",
                                                         BatchSize=10, MaximumBatchingWindowInSeconds=20)
    for number in range(25):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sandbox.clock.advance(minutes=2)
    batches = [int(line.split()[-1]) for line in logs(sandbox) if line.startswith("batch of")]
    assert sum(batches) == 25 and max(batches) <= 10
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


@pytest.mark.parametrize("partial, tries_of_the_good_ones", [(True, 1), (False, 3)])
def test_given_one_bad_message_then_it_ends_in_the_dead_letters(sandbox, make, partial, tries_of_the_good_ones):
    """"Implementing partial batch responses"."""
    sqs = sandbox.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "30", "RedrivePolicy": json.dumps({
        "deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead", "maxReceiveCount": "3"})})["QueueUrl"]
    make("def handler(event, context):\n    for one in event['Records']:\n        print('saw', one['body'])\n"
         "    return {'batchItemFailures': [{'itemIdentifier': one['messageId']} for one in event['Records'] if one['body'] == 'bad']}"
         if partial else
         "def handler(event, context):\n    for one in event['Records']:\n        print('saw', one['body'])\n"
         "    assert all(one['body'] != 'bad' for one in event['Records'])")
    allow(sandbox, *QUEUE)
    sandbox.client("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs", FunctionName="f", BatchSize=10, MaximumBatchingWindowInSeconds=5,
        FunctionResponseTypes=["ReportBatchItemFailures"] if partial else [])
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sandbox.clock.advance(minutes=5)
    seen = [line.split()[-1] for line in logs(sandbox) if line.startswith("saw")]
    assert (seen.count("good"), seen.count("bad")) == (tries_of_the_good_ones, 3)
    bodies = [one["Body"] for one in sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]]
    assert "bad" in bodies and ("good" in bodies) == (not partial)


def test_given_a_topic_then_the_function_gets_snss_event_if_it_may(sandbox, make):
    """"Invoking Lambda functions with Amazon SNS notifications"."""
    sns, function = sandbox.client("sns"), make("def handler(event, context):\n    print(event['Records'][0]['Sns']['Message'])")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    sns.publish(TopicArn=topic, Message="lost")
    assert sandbox.history().about("not invoked")
    sandbox.client("lambda").add_permission(FunctionName="f", StatementId="sns", Action="lambda:InvokeFunction",
                                            Principal="sns.amazonaws.com", SourceArn=topic)
    sns.publish(TopicArn=topic, Message="heard")
    sandbox.clock.advance(seconds=1)
    assert "heard" in logs(sandbox) and "lost" not in logs(sandbox)


def test_given_a_bucket_then_the_function_hears_of_new_objects(sandbox, make):
    """"Process Amazon S3 event notifications with Lambda"."""
    s3, function = sandbox.client("s3"), make("def handler(event, context):\n    print(event['Records'][0]['s3']['object']['key'])")
    s3.create_bucket(Bucket="photos")
    sandbox.client("lambda").add_permission(FunctionName="f", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
                                            SourceArn="arn:aws:s3:::photos")
    s3.put_bucket_notification_configuration(Bucket="photos", NotificationConfiguration={"LambdaFunctionConfigurations": [
        {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}]})
    s3.put_object(Bucket="photos", Key="cat.jpg", Body=b"")
    sandbox.clock.advance(seconds=1)
    assert "cat.jpg" in logs(sandbox)


def test_given_a_schedule_then_the_function_runs_each_hour(sandbox, make):
    events, function = sandbox.client("events"), make(COUNTS)
    rule = events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")["RuleArn"]
    events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": function}])
    sandbox.client("lambda").add_permission(FunctionName="f", StatementId="e", Action="lambda:InvokeFunction",
                                            Principal="events.amazonaws.com", SourceArn=rule)
    sandbox.clock.advance(hours=23, minutes=59)
    assert total(sandbox, "Invocations") == 23


def test_given_a_table_then_its_stream_reaches_the_function(sandbox, make):
    """"Process DynamoDB records with Lambda"."""
    table = sandbox.client("dynamodb")
    stream = table.create_table(TableName="t", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], StreamSpecification={
                                    "StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})["TableDescription"]["LatestStreamArn"]
    make("def handler(event, context):\n    for one in event['Records']:\n        print(one['eventName'], one['dynamodb']['NewImage']['id']['S'])")
    allow(sandbox, *STREAM)
    sandbox.client("lambda").create_event_source_mapping(EventSourceArn=stream, FunctionName="f", StartingPosition="LATEST")
    table.put_item(TableName="t", Item={"id": {"S": "ada"}})
    sandbox.clock.advance(seconds=1)
    assert "INSERT ada" in logs(sandbox)


def test_given_limits_passed_over_then_they_are_refused(make):
    with pytest.raises(ParamValidationError, match="MemorySize"):  # boto3 itself knows the least
        make(COUNTS, MemorySize=64)
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        make(COUNTS, Timeout=901)


def test_given_a_body_that_is_no_json_then_it_is_refused(sandbox, make):
    make(COUNTS)
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        sandbox.client("lambda").invoke(FunctionName="f", Payload=b"{")


def test_given_calls_then_the_bill_has_requests_and_gigabyte_seconds(sandbox, make, invoke):
    make("import time\ndef handler(event, context):\n    time.sleep(0.999)", MemorySize=1024)
    for _ in range(3):
        invoke()
    used = {line.item: line.quantity for line in sandbox.bill().lines}
    assert used["lambda:request"] == 3 and used["lambda:gb-second"] == pytest.approx(3 * 0.999)


def test_given_a_saved_sandbox_then_what_a_handler_did_is_there_again(sandbox, make, invoke, tmp_path):
    sandbox.client("s3").create_bucket(Bucket="photos")
    allow(sandbox, "s3:PutObject")
    make("import boto3\ndef handler(event, context):\n    boto3.client('s3').put_object(Bucket='photos', Key=event['k'], Body=b'x')")
    invoke({"k": "one"})
    invoke({"k": "two"}, InvocationType="Event")
    sandbox.clock.advance(seconds=5)
    before = sandbox.history().records.to_dicts()
    sandbox.save(tmp_path / "x.json")
    loaded = lab.load(tmp_path / "x.json")
    assert loaded.history().records.to_dicts() == before
    assert [one["Key"] for one in loaded.client("s3").list_objects_v2(Bucket="photos")["Contents"]] == ["one", "two"]
