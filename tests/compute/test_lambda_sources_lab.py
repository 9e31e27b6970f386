"""Queues and streams that functions read: boto3 stories. AWS Lambda Developer Guide, the pages named."""

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage")
STREAM = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams")
KEYS = "[one['dynamodb']['Keys']['id']['S'] for one in event['Records']]"
SHOWS = f"def handler(event, context):\n    print('batch', *{KEYS})"
BAD = f"{SHOWS}\n    assert 'bad' not in {KEYS}"


class Story:
    """A sandbox with the function f, what reads for it, and what it has seen."""

    def __init__(self, sandbox):
        self.sandbox, self.functions, self.sqs = sandbox, sandbox.client("lambda"), sandbox.client("sqs")
        self.table = sandbox.client("dynamodb")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                        "Action": "sts:AssumeRole"}]}
        sandbox.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=json.dumps(trust))
        self.allow(*QUEUE, *STREAM)

    def allow(self, *actions):
        self.sandbox.client("iam").put_role_policy(RoleName="fn", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))

    def make(self, code, **more):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", code)
        self.functions.create_function(FunctionName="f", Runtime="python3.13", Role=f"arn:aws:iam::{ACCOUNT}:role/fn",
                                       Handler="app.handler", Code={"ZipFile": buffer.getvalue()}, **more)

    def queue(self, name="jobs", **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def reads_queue(self, name="jobs", **more):
        return self.functions.create_event_source_mapping(EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", FunctionName="f",
                                                          **more)["UUID"]

    def stream(self):
        return self.table.create_table(
            TableName="t", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})["TableDescription"]["LatestStreamArn"]

    def reads_stream(self, arn, StartingPosition="LATEST", **more):
        return self.functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="f", StartingPosition=StartingPosition,
                                                          **more)["UUID"]

    def put(self, *keys):
        for key in keys:
            self.table.put_item(TableName="t", Item={"id": {"S": key}})

    @property
    def batches(self):
        """[(second, what the handler printed of a batch)]."""
        groups = self.sandbox.client("logs").describe_log_groups()["logGroups"]
        start = self.sandbox.clock.date_at(0).timestamp()
        events = self.sandbox.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"] if groups else []
        return [(one["timestamp"] / 1000 - start, one["message"].split()[1:]) for one in events if one["message"].startswith("batch")]

    def bodies(self, url):
        return [json.loads(one["Body"]) for one in self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]

    def depth(self, url):
        counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


@pytest.fixture
def story(sandbox):
    return Story(sandbox)


BODIES = "def handler(event, context):\n    print('batch', *[one['body'] for one in event['Records']])"


# queues

def test_given_a_window_then_what_comes_meanwhile_is_one_batch(story):
    """"Using Lambda with Amazon SQS": until the window is over, or the batch is full."""
    url = story.queue()
    story.make(BODIES)
    story.reads_queue(BatchSize=10, MaximumBatchingWindowInSeconds=20)
    for second in (0, 2, 4):
        story.sandbox.clock.advance(seconds=second - story.sandbox.clock.now)
        story.sqs.send_message(QueueUrl=url, MessageBody=str(second))
    story.sandbox.clock.advance(seconds=15.9)
    assert story.batches == []
    story.sandbox.clock.advance(seconds=0.1)
    assert story.batches == [(20, ["0", "2", "4"])]


def test_given_a_full_batch_then_it_does_not_wait_for_the_window(story):
    url = story.queue()
    story.make(BODIES)
    story.reads_queue(BatchSize=3, MaximumBatchingWindowInSeconds=300)
    for number in range(4):
        story.sqs.send_message(QueueUrl=url, MessageBody=str(number))
        story.sandbox.clock.advance(seconds=1)
    assert story.batches == [(2, ["0", "1", "2"])]
    story.sandbox.clock.advance(seconds=300)
    assert story.batches[1:] == [(303, ["3"])]


@pytest.mark.parametrize("wrong, says", [
    ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"), ({"MaximumBatchingWindowInSeconds": 301}, "0 to 300"),
    ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "filter pattern"),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": [{"near": 3}]}'}]}}, "filter pattern"),
    ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 6}}, "a mapping may have 5")])
def test_given_what_aws_refuses_then_there_is_no_mapping(story, wrong, says):
    """"Lambda parameters for Amazon SQS event source mappings", "Control which events Lambda sends to your function"."""
    story.queue()
    story.make(BODIES)
    with pytest.raises(ClientError, match=says) as caught:
        story.reads_queue(**wrong)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    uuid = story.reads_queue()
    with pytest.raises(ClientError, match=says):
        story.functions.update_event_source_mapping(UUID=uuid, **wrong)


@pytest.mark.parametrize("missing", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
def test_given_a_role_that_may_not_read_then_there_is_no_mapping(story, missing):
    """"Using Lambda with Amazon SQS": the execution role needs these three."""
    story.queue()
    story.make(BODIES)
    story.allow(*[action for action in QUEUE if action != f"sqs:{missing}"])
    with pytest.raises(ClientError, match=f"does not have permissions to call {missing} on SQS") as caught:
        story.reads_queue()
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_given_a_role_that_loses_its_permission_then_nothing_is_read_until_it_has_it_again(story):
    url = story.queue()
    story.make(BODIES)
    story.reads_queue()
    story.allow("sqs:SendMessage")
    story.sqs.send_message(QueueUrl=url, MessageBody="a")
    story.sandbox.clock.advance(minutes=5)
    assert story.batches == [] and story.sandbox.history().about("nobody reads")
    story.allow(*QUEUE)
    story.sandbox.clock.advance(seconds=1)
    assert story.batches == [(300, ["a"])]


def test_given_a_filter_then_other_messages_are_deleted(story):
    """"Using event filtering with an Amazon SQS event source": BBBB alone is processed; a body that is no JSON is dropped."""
    url = story.queue()
    story.make(BODIES)
    story.reads_queue(FilterCriteria={"Filters": [{"Pattern": '{"body": {"RequestCode": ["BBBB"]}}'}]})
    for body in ('{"RequestCode":"AAAA"}', '{"RequestCode":"BBBB"}', "BBBB"):
        story.sqs.send_message(QueueUrl=url, MessageBody=body)
    story.sandbox.clock.advance(seconds=1)
    assert [words for _, words in story.batches] == [['{"RequestCode":"BBBB"}']] and story.depth(url) == (0, 0)


def test_given_a_maximum_concurrency_then_no_more_batches_run_at_once(story):
    """"Configuring maximum concurrency for Amazon SQS event sources"."""
    url = story.queue(VisibilityTimeout="60")
    story.make(f"import time\n{BODIES}\n    time.sleep(10)", Timeout=20)
    story.reads_queue(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    for number in range(5):
        story.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    story.sandbox.clock.advance(minutes=1)
    assert [second for second, _ in story.batches] == [0, 0, 10, 10, 20] and story.depth(url) == (0, 0)


def test_given_a_handler_that_takes_its_time_then_its_messages_are_in_flight_so_long(story):
    url = story.queue()
    story.make(f"import time\n{BODIES}\n    time.sleep(10)", Timeout=20)
    story.reads_queue()
    story.sqs.send_message(QueueUrl=url, MessageBody="a")
    story.sandbox.clock.advance(seconds=9)
    assert story.depth(url) == (0, 1)
    story.sandbox.clock.advance(seconds=2)
    assert story.depth(url) == (0, 0)


def test_given_a_mapping_that_is_deleted_or_off_then_it_reads_no_more(story):
    url = story.queue()
    story.make(BODIES)
    uuid = story.reads_queue()
    story.functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    story.sqs.send_message(QueueUrl=url, MessageBody="a")
    story.sandbox.clock.advance(minutes=1)
    assert story.batches == []
    story.functions.update_event_source_mapping(UUID=uuid, Enabled=True)
    story.sandbox.clock.advance(seconds=1)
    story.functions.delete_event_source_mapping(UUID=uuid)
    story.sqs.send_message(QueueUrl=url, MessageBody="b")
    story.sandbox.clock.advance(minutes=1)
    assert story.batches == [(60, ["a"])]


# streams

def test_given_a_stream_then_nothing_runs_before_time_passes_and_then_in_one_batch(story):
    """"Using AWS Lambda with Amazon DynamoDB": a shard is read four times a second."""
    story.make(SHOWS)
    story.reads_stream(story.stream())
    story.put("a", "b", "c")
    assert story.batches == [] and not story.sandbox.history().about("invoked")
    story.sandbox.clock.advance(seconds=1)
    assert story.batches == [(0.25, ["a", "b", "c"])]


def test_given_a_function_that_is_switched_off_then_put_item_is_none_the_wiser(story):
    """"Retain discarded records ...": throttled, it is tried again until the records expire; no retry is used up."""
    story.make(SHOWS)
    story.reads_stream(story.stream(), MaximumRetryAttempts=0)
    story.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    story.put("a")
    story.sandbox.clock.advance(minutes=10)
    assert story.batches == [] and story.sandbox.history().about("throttled")
    story.functions.delete_function_concurrency(FunctionName="f")
    story.sandbox.clock.advance(minutes=6)
    assert [words for _, words in story.batches] == [["a"]]


def test_given_batch_size_and_window_then_batches_are_full_or_the_window_is_over(story):
    story.make(SHOWS)
    story.reads_stream(story.stream(), BatchSize=2, MaximumBatchingWindowInSeconds=10)
    story.put("a", "b", "c")
    story.sandbox.clock.advance(minutes=1)
    assert story.batches == [(0.25, ["a", "b"]), (10.25, ["c"])]


@pytest.mark.parametrize("position, seen", [("LATEST", ["new"]), ("TRIM_HORIZON", ["old", "new"])])
def test_given_a_starting_position_then_what_was_there_is_read_or_not(story, position, seen):
    """"Polling and stream starting positions"."""
    arn = story.stream()
    story.make(SHOWS)
    story.put("old")
    story.reads_stream(arn, position)
    story.put("new")
    story.sandbox.clock.advance(seconds=1)
    assert [key for _, words in story.batches for key in words] == seen


@pytest.mark.parametrize("wrong", [{"StartingPosition": "AT_TIMESTAMP"}, {"BatchSize": 10_001}, {"MaximumRetryAttempts": 10_001},
                                   {"MaximumRecordAgeInSeconds": 5}, {"ParallelizationFactor": 11}])
def test_given_what_a_stream_cannot_have_then_it_is_refused(story, wrong):
    """"Lambda parameters for Amazon DynamoDB event source mappings"."""
    arn = story.stream()
    story.make(SHOWS)
    with pytest.raises(ClientError, match="InvalidParameterValueException|ValidationException"):
        story.reads_stream(arn, **wrong)


def test_given_a_role_that_may_not_read_the_stream_then_there_is_no_mapping(story):
    """"Using AWS Lambda with Amazon DynamoDB", execution role permissions."""
    arn = story.stream()
    story.make(SHOWS)
    story.allow(*STREAM[:-1])
    with pytest.raises(ClientError, match="Cannot access stream arn:aws:dynamodb.*ensure the role can perform the GetRecords"):
        story.reads_stream(arn)


def test_given_a_bad_record_then_the_batch_is_tried_again_and_told_of(story):
    """"Retain discarded records for a DynamoDB event source in Lambda": its example of an invocation record."""
    dead, arn = story.queue("dead"), story.stream()
    story.make(BAD)
    story.reads_stream(arn, MaximumRetryAttempts=2, DestinationConfig={"OnFailure": {
        "Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"}})
    story.put("a", "bad", "c")
    story.sandbox.clock.advance(seconds=2)
    story.put("later")
    story.sandbox.clock.advance(minutes=1)
    assert [words for _, words in story.batches] == [["a", "bad", "c"]] * 3 + [["later"]]  # nothing passes a bad one
    (record,) = story.bodies(dead)
    assert set(record) == {"version", "timestamp", "requestContext", "responseContext", "DDBStreamBatchInfo"}
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted" and record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    info = record["DDBStreamBatchInfo"]
    streams = story.sandbox.client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    numbers = [one["dynamodb"]["SequenceNumber"] for one in streams.get_records(ShardIterator=iterator)["Records"]]
    assert (info["batchSize"], info["streamArn"], info["shardId"]) == (3, arn, shard)
    assert (info["startSequenceNumber"], info["endSequenceNumber"]) == (numbers[0], numbers[2])
    assert info["approximateArrivalOfFirstRecord"] == f"{story.sandbox.clock.date_at(0):%Y-%m-%dT%H:%M:%S}.000Z"


def test_given_bisecting_then_only_the_bad_record_is_lost(story):
    """API: BisectBatchOnFunctionError. By hand: all; then a, b; bad, d; bad, twice again as its retries; d."""
    dead, arn = story.queue("dead"), story.stream()
    story.make(BAD)
    story.reads_stream(arn, MaximumRetryAttempts=2, BisectBatchOnFunctionError=True, DestinationConfig={"OnFailure": {
        "Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"}})
    story.put("a", "b", "bad", "d")
    story.sandbox.clock.advance(minutes=1)
    assert [words for _, words in story.batches] == [["a", "b", "bad", "d"], ["a", "b"], ["bad", "d"], ["bad"], ["bad"], ["bad"], ["d"]]
    assert [record["DDBStreamBatchInfo"]["batchSize"] for record in story.bodies(dead)] == [1]


def test_given_reported_failures_then_what_is_done_is_not_done_again(story):
    """"Configuring partial batch response with DynamoDB and Lambda": the lowest sequence number is the checkpoint."""
    arn = story.stream()
    story.make(f"{SHOWS}\n    return {{'batchItemFailures': [{{'itemIdentifier': one['dynamodb']['SequenceNumber']}} "
               "for one in event['Records'] if one['dynamodb']['Keys']['id']['S'] == 'bad']}")
    story.reads_stream(arn, MaximumRetryAttempts=1, FunctionResponseTypes=["ReportBatchItemFailures"])
    story.put("a", "b", "bad", "d")
    story.sandbox.clock.advance(minutes=1)
    assert [words for _, words in story.batches] == [["a", "b", "bad", "d"], ["bad", "d"]]


@pytest.mark.parametrize("most, hours", [({"MaximumRecordAgeInSeconds": 3600}, 1), ({}, 24)])
def test_given_no_end_of_retries_then_a_bad_record_blocks_its_shard_until_it_expires(story, most, hours):
    """"Retain discarded records ...": for up to a day with the default settings."""
    story.make(BAD)
    story.reads_stream(story.stream(), BatchSize=1, **most)
    story.put("bad")
    story.sandbox.clock.advance(hours=hours - 0.1)
    story.put("good")
    assert ["good"] not in [words for _, words in story.batches]
    story.sandbox.clock.advance(hours=0.3)
    assert story.batches[-1][1] == ["good"] and story.sandbox.history().about("RecordAgeExceeded")
    assert len(story.batches) < 40 * hours  # more and more rarely


def test_given_a_filter_then_records_that_do_not_pass_are_passed_over(story):
    """"Using event filtering with a DynamoDB event source"."""
    story.make(SHOWS)
    story.reads_stream(story.stream(), FilterCriteria={"Filters": [
        {"Pattern": '{"eventName": ["INSERT"], "dynamodb": {"Keys": {"id": {"S": [{"prefix": "a"}]}}}}'}]})
    story.put("ada", "bob", "alan")
    story.sandbox.clock.advance(seconds=1)
    assert [words for _, words in story.batches] == [["ada", "alan"]]


def test_given_a_parallelization_factor_then_a_bad_key_holds_up_only_its_own(story):
    """API: ParallelizationFactor; records of one key stay in order."""
    story.make(BAD)
    story.reads_stream(story.stream(), BatchSize=1, ParallelizationFactor=10)
    story.put("bad", *"abcdefgh")
    story.sandbox.clock.advance(seconds=20)
    assert len({key for _, words in story.batches for key in words if key != "bad"}) >= 5


def test_given_a_kinesis_stream_then_its_records_come_on_the_clock_too(story):
    kinesis = story.sandbox.client("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    story.allow(*[action.replace("dynamodb", "kinesis") for action in STREAM])
    story.make("def handler(event, context):\n    print('batch', *[one['kinesis']['partitionKey'] for one in event['Records']])")
    story.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    story.reads_stream(f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/clicks",
                       FilterCriteria={"Filters": [{"Pattern": '{"data": {"page": ["home"]}}'}]})
    for key, page in (("a", "home"), ("b", "help"), ("c", "home")):
        kinesis.put_record(StreamName="clicks", PartitionKey=key, Data=json.dumps({"page": page}).encode())
    assert story.batches == []
    story.sandbox.clock.advance(seconds=1)
    assert [words for _, words in story.batches] == [["a", "c"]]


def test_given_a_saved_sandbox_then_its_streams_go_on(story, tmp_path):
    from kit import lab
    story.make(SHOWS)
    story.reads_stream(story.stream(), MaximumBatchingWindowInSeconds=60)
    story.put("a")
    story.sandbox.clock.advance(seconds=10)
    story.sandbox.save(tmp_path / "x.json")
    again = lab.load(tmp_path / "x.json")
    again.clock.advance(minutes=2)
    assert [row["at"] for row in again.history() if row["what"] == "invoked"] == [60.25]
