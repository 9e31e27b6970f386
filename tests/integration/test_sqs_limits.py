"""SQS: long polls, ranges, sizes, batches, moves. Amazon SQS Developer Guide and API Reference, the pages named."""

import pytest

from kit.errors import ServiceError
from kit.integration import sqs_check
from kit.integration.sqs import Queue
from kit.integration.sqs_check import ATTRIBUTES, BATCH_BYTES, batch, check_name, size_of


@pytest.mark.parametrize("name, default, low, high", [
    ("VisibilityTimeout", 30, 0, 43_200), ("DelaySeconds", 0, 0, 900), ("MessageRetentionPeriod", 345_600, 60, 1_209_600),
    ("MaximumMessageSize", 1_048_576, 1024, 1_048_576), ("ReceiveMessageWaitTimeSeconds", 0, 0, 20)])
def test_attributes_keep_their_ranges(name, default, low, high):
    """"CreateQueue", Attributes."""
    assert ATTRIBUTES[name][0] == default
    for good in (low, high):
        assert Queue("q", **{name: good}).attributes[name] == good
    for wrong in (low - 1, high + 1, "30", True, 1.5):
        with pytest.raises(ServiceError, match="InvalidAttributeValue"):
            Queue("q", **{name: wrong})
    with pytest.raises(ServiceError, match="InvalidAttributeName"):
        Queue("q", Colour=3)


@pytest.mark.parametrize("sent_at, hidden_until, expected", [(None, None, 30), (5, None, 10), (12, None, 12), (5, 14, 14), (5, 60, 30)])
def test_a_long_poll_is_answered_when_something_is_there_or_at_its_end(sent_at, hidden_until, expected):
    """"Amazon SQS short and long polling": up to 20 seconds."""
    queue = Queue("q", VisibilityTimeout=1000)
    if sent_at is not None:
        delay = max(0, sent_at - 3)
        queue.send_message("x", now=3, DelaySeconds=delay)
        if hidden_until is not None:
            [message] = queue.receive_message(now=sent_at)
            queue.change_message_visibility(message["ReceiptHandle"], hidden_until - sent_at, now=sent_at)
    assert queue.waits_until(now=10, WaitTimeSeconds=20) == expected


@pytest.mark.parametrize("wait", [-1, 21, "20"])
def test_a_poll_waits_twenty_seconds_at_most(wait):
    for ask in (lambda: Queue("q").receive_message(0, WaitTimeSeconds=wait), lambda: Queue("q").waits_until(0, wait)):
        with pytest.raises(ServiceError, match="InvalidParameterValue"):
            ask()


def test_a_short_poll_may_overlook_what_a_long_one_finds():
    queue = Queue("q", overlooked=1.0)
    queue.send_message("x", now=0)
    assert queue.receive_message(now=1) == [] and len(queue.receive_message(now=1, WaitTimeSeconds=1)) == 1


@pytest.mark.parametrize("body, code", [("", "MissingParameter"), ("\x00", "InvalidMessageContents"), ("\ufffe", "InvalidMessageContents"),
                                        ("ä" * 524_289, "InvalidParameterValue")])
def test_bodies_that_are_refused(body, code):
    """"SendMessage": one to 1,048,576 bytes of XML characters."""
    queue = Queue("q")
    with pytest.raises(ServiceError, match=code):
        queue.send_message(body, now=0)
    queue.send_message("ä" * 524_288, now=0)
    assert len(queue) == 1


@pytest.mark.parametrize("attributes", [
    {f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(11)}, {"AWS.x": {"DataType": "String", "StringValue": "x"}},
    {".x": {"DataType": "String", "StringValue": "x"}}, {"x..y": {"DataType": "String", "StringValue": "x"}},
    {"x": {"DataType": "Text", "StringValue": "x"}}, {"x": {"DataType": "String", "StringValue": ""}}, {"x": {"DataType": "Binary"}}])
def test_message_attributes_that_are_refused(attributes):
    """"Amazon SQS message metadata"."""
    with pytest.raises(ServiceError, match="InvalidParameterValue"):
        Queue("q").send_message("x", now=0, MessageAttributes=attributes)


def test_attributes_count_towards_the_size():
    attributes = {"kind": {"DataType": "String.label", "StringValue": "ä"}, "raw": {"DataType": "Binary", "BinaryValue": b"123"}}
    assert size_of("xy", attributes) == 2 + 4 + 12 + 2 + 3 + 6 + 3
    with pytest.raises(ServiceError, match="at most 1024 bytes, not 1030"):
        Queue("q", MaximumMessageSize=1024).send_message("x" * 1000, now=0, MessageAttributes=attributes)


@pytest.mark.parametrize("entries, code", [
    ([], "EmptyBatchRequest"), ([{"Id": str(n), "MessageBody": "x"} for n in range(11)], "TooManyEntriesInBatchRequest"),
    ([{"Id": "a", "MessageBody": "x"}] * 2, "BatchEntryIdsNotDistinct"), ([{"Id": "a b", "MessageBody": "x"}], "InvalidBatchEntryId"),
    ([{"MessageBody": "x"}], "InvalidBatchEntryId"),
    ([{"Id": str(n), "MessageBody": "x" * (BATCH_BYTES // 2 + 1)} for n in range(2)], "BatchRequestTooLong")])
def test_batches_that_are_none(entries, code):
    """"SendMessageBatch", Errors."""
    queue = Queue("q")
    with pytest.raises(ServiceError, match=f"AWS.SimpleQueueService.{code}"):
        queue.send_message_batch(entries, now=0)
    assert len(queue) == 0


def test_a_batch_entry_without_its_parameter_fails_alone():
    answer = Queue("q").send_message_batch([{"Id": "good", "MessageBody": "x"}, {"Id": "bad"}], now=0)
    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    assert answer["Failed"][0]["Code"] == "MissingParameter" and answer["Failed"][0]["SenderFault"]
    assert batch([{"Id": "a", "x": 1}], "x", lambda entry: None)["Successful"] == [{"Id": "a"}]


@pytest.mark.parametrize("name", ["", "x" * 81, "no spaces", "x.fifo.fifo", "ümlaut", "x" * 76 + ".fifo"])
def test_names_that_are_refused(name):
    with pytest.raises(ServiceError, match="InvalidParameterValue"):
        check_name(name)
    check_name("x" * 80), check_name("x" * 75 + ".fifo")


def moved(source_kind=""):
    dead, source = Queue(f"dead{source_kind}"), None
    source = Queue(f"source{source_kind}", dead, 1, VisibilityTimeout=0)
    more = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if source_kind else {}
    source.send_message("x", now=0, **more)
    source.receive_message(now=1), source.receive_message(now=2)
    return dead, source


@pytest.mark.parametrize("kind", ["", ".fifo"])
def test_dead_letters_move_back_as_new_messages(kind):
    """"StartMessageMoveTask": without a destination to where each came from."""
    dead, source = moved(kind)
    assert (len(dead), len(source)) == (1, 0) and dead.start_message_move_task(None, now=100) == 1
    [again] = source.receive_message(now=101)
    assert (len(dead), again["Body"], again["Attributes"]["ApproximateReceiveCount"], again["Attributes"]["SentTimestamp"]) == (0, "x", 1, 100)


def test_moves_go_from_dead_letter_queues_to_queues_of_the_same_kind():
    dead, source = moved()
    for act in (lambda: source.start_message_move_task(None, now=1), lambda: dead.start_message_move_task(Queue("other.fifo"), now=1)):
        with pytest.raises(ServiceError, match="InvalidParameterValue"):
            act()
    assert len(dead) == 1 and dead.start_message_move_task(Queue("other"), now=3) == 1


@pytest.mark.parametrize("wrong", [{"duplicates": 2}, {"disorder": -1}, {"overlooked": 1.5}])
def test_chances_are_probabilities(wrong):
    with pytest.raises(ValueError, match="probabilities"):
        Queue("q", **wrong)


def test_a_queue_says_where_each_of_its_messages_is():
    queue = Queue("q")
    first, second = (queue.send_message("x", now=0, DelaySeconds=delay)["MessageId"] for delay in (0, 10))
    assert [queue.state_of(one, 1) for one in (first, second)] == ["visible", "delayed"]
    [message] = queue.receive_message(now=2)
    assert queue.state_of(first, 3) == "in flight"
    queue.delete_message(message["ReceiptHandle"], now=4)
    assert [queue.state_of(first, 5), queue.state_of(second, 4 * sqs_check.DAY)] == ["deleted", "expired"]
    with pytest.raises(ValueError, match="never had"):
        queue.state_of("m", 0)
