"""SQS: ranges, sizes, long polls, batches, what is in flight, moves. The pages named are those of the Amazon SQS
Developer Guide and API Reference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.integration import sqs
from kit.integration.sns import Topic
from kit.integration.sqs import DAY, Queue
from kit.integration.sqs_check import ATTRIBUTES, BATCH_BYTES, batch, check_name, size_of

TEXT = {"DataType": "String", "StringValue": "x"}


def refused(code, act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == code


# ---------------------------------------------------------------------- ranges and sizes


@pytest.mark.parametrize("name, default, low, high", [
    ("VisibilityTimeout", 30, 0, 43_200), ("DelaySeconds", 0, 0, 900),
    ("MessageRetentionPeriod", 345_600, 60, 1_209_600), ("MaximumMessageSize", 1_048_576, 1024, 1_048_576),
    ("ReceiveMessageWaitTimeSeconds", 0, 0, 20)])
def test_given_a_value_when_it_is_out_of_range_then_the_queue_refuses_it(name, default, low, high):
    """CreateQueue, Attributes."""
    assert ATTRIBUTES[name] == (default, low, high) and Queue("q").attributes[name] == default
    for good in (low, high):
        assert Queue("q", **{name: good}).attributes[name] == good
    for wrong in (low - 1, high + 1, "30", True, 1.5):
        refused("InvalidAttributeValue", Queue, "q", **{name: wrong})


def test_given_an_unknown_attribute_then_it_is_refused_and_nothing_changes():
    """SetQueueAttributes."""
    refused("InvalidAttributeName", Queue, "q", Colour=3)
    queue = Queue("q")
    refused("InvalidAttributeName", queue.set_queue_attributes, DelaySeconds=5, Colour=3)
    assert queue.attributes["DelaySeconds"] == 0


def test_given_messages_when_the_retention_gets_shorter_then_old_ones_go():
    """SetQueueAttributes, MessageRetentionPeriod."""
    queue = Queue("q")
    queue.send_message("old", now=0), queue.send_message("new", now=100)
    queue.set_queue_attributes(MessageRetentionPeriod=60)
    assert [one["Body"] for one in queue.receive_message(now=120, MaxNumberOfMessages=10)] == ["new"]


@pytest.mark.parametrize("name", ["", "x" * 81, "no spaces", "x.fifo.fifo", "ümlaut", "x" * 76 + ".fifo"])
def test_given_a_wrong_name_then_it_is_refused(name):
    """CreateQueue, QueueName: 80 characters with the suffix .fifo."""
    refused("InvalidParameterValue", check_name, name)
    check_name("x" * 80), check_name("x" * 75 + ".fifo")


@pytest.mark.parametrize("body, code", [
    ("", "MissingParameter"), ("\x00", "InvalidMessageContents"), ("\ufffe", "InvalidMessageContents"),
    ("ä" * 524_289, "InvalidParameterValue")])
def test_given_a_body_when_it_is_empty_too_big_or_no_xml_then_it_is_refused(body, code):
    """SendMessage, MessageBody: one to 1,048,576 bytes, not characters."""
    queue = Queue("q")
    refused(code, queue.send_message, body, now=0)
    queue.send_message("ä" * 524_288, now=0), queue.send_message("\t\n\r \U0001f455", now=0)
    assert len(queue) == 2


@pytest.mark.parametrize("attributes", [
    {f"a{n}": TEXT for n in range(11)}, {"AWS.x": TEXT}, {"amazon.x": TEXT}, {".x": TEXT}, {"x.": TEXT}, {"x..y": TEXT},
    {"x" * 257: TEXT}, {"": TEXT}, {"a b": TEXT}, {"x": {"StringValue": "x"}},
    {"x": {"DataType": "Text", "StringValue": "x"}}, {"x": {"DataType": "String", "StringValue": ""}},
    {"x": {"DataType": "Binary"}}, {"x": {"DataType": "Binary", "StringValue": "x"}},
    {"x": {"DataType": "Number", "StringValue": "three"}}, {"x": {"DataType": "Number", "StringValue": "nan"}},
    {"x": {"DataType": "String", "StringValue": "\x01"}}])
def test_given_message_attributes_when_they_break_a_rule_then_the_message_is_refused(attributes):
    """Amazon SQS message metadata, Message attributes: ten, with a name, a type and a value."""
    queue = Queue("q")
    refused("InvalidParameterValue", queue.send_message, "x", now=0, MessageAttributes=attributes)
    answer = queue.send_message_batch([{"Id": "a", "MessageBody": "x", "MessageAttributes": attributes}], now=0)
    assert answer["Failed"][0]["Code"] == "InvalidParameterValue" and len(queue) == 0


@pytest.mark.parametrize("attribute", [
    TEXT, {"DataType": "Number.int", "StringValue": "-1.5e3"}, {"DataType": "Binary.gif", "BinaryValue": b"\x00"}])
def test_given_message_attributes_when_they_keep_the_rules_then_the_consumer_gets_them(attribute):
    """Amazon SQS message metadata: custom labels after the type."""
    queue, given = Queue("q"), {f"a-{n}_.x": attribute for n in range(10)}
    queue.send_message("x", now=0, MessageAttributes=given)
    assert queue.receive_message(now=0)[0]["MessageAttributes"] == given


def test_given_attributes_when_the_size_is_counted_then_name_type_and_value_are_in_it():
    """Amazon SQS message metadata: all parts count towards the message's size."""
    attributes = {"kind": {"DataType": "String.label", "StringValue": "ä"},
                  "raw": {"DataType": "Binary", "BinaryValue": b"123"}}
    assert size_of("xy", attributes) == 2 + 4 + 12 + 2 + 3 + 6 + 3
    queue = Queue("q", MaximumMessageSize=1024)
    with pytest.raises(ServiceError, match="at most 1024 bytes, not 1025"):
        queue.send_message("x" * 995, now=0, MessageAttributes=attributes)
    queue.send_message("x" * 994, now=0, MessageAttributes=attributes)


# ---------------------------------------------------------------------- long polls


@pytest.mark.parametrize("sent_at, hidden_until, expected", [
    (None, None, 30), (5, None, 10), (12, None, 12), (5, 14, 14), (5, 60, 30)])
def test_given_a_long_poll_then_it_is_answered_when_a_message_comes_or_after_its_wait(sent_at, hidden_until, expected):
    """Amazon SQS short and long polling."""
    queue = Queue("q", VisibilityTimeout=1000)
    if sent_at is not None:
        queue.send_message("x", now=3, DelaySeconds=sent_at - 3)
    if hidden_until is not None:
        [message] = queue.receive_message(now=sent_at)
        queue.change_message_visibility(message["ReceiptHandle"], hidden_until - sent_at, now=sent_at)
    assert queue.waits_until(now=10, WaitTimeSeconds=20) == expected


def test_given_a_message_that_expires_or_is_dead_before_it_is_visible_then_no_long_poll_is_answered_by_it():
    """CreateQueue, MessageRetentionPeriod and RedrivePolicy."""
    short = Queue("q", MessageRetentionPeriod=60)
    short.send_message("x", now=0, DelaySeconds=65)
    assert short.waits_until(now=50) == 70
    poisoned = Queue("q", Queue("dead"), 1, VisibilityTimeout=10)
    poisoned.send_message("x", now=0), poisoned.receive_message(now=0)
    assert poisoned.waits_until(now=5) == 25


def test_given_a_group_in_flight_when_a_consumer_waits_then_the_end_of_the_timeout_answers():
    """FIFO queue delivery logic in Amazon SQS."""
    queue = Queue("q.fifo", ContentBasedDeduplication=True, VisibilityTimeout=12)
    queue.send_message("a", now=0, MessageGroupId="g"), queue.send_message("b", now=0, MessageGroupId="g")
    queue.receive_message(now=0)
    assert queue.waits_until(now=1) == 12


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6), st.integers(0, 40), st.integers(0, 20))
def test_given_any_messages_then_a_poll_at_the_end_of_the_wait_finds_one_or_the_wait_is_over(sent, now, wait):
    """Amazon SQS short and long polling: the first moment at which asking helps."""
    def queue():
        made = Queue("q", VisibilityTimeout=7)
        for at, delay in sorted(sent):
            made.send_message("x", now=at, DelaySeconds=delay)
        return made

    sent = [(at, delay) for at, delay in sent if at <= now]
    until = queue().waits_until(now, wait)
    assert now <= until <= now + wait
    assert queue().receive_message(until) or until == now + wait
    assert not any(queue().receive_message(time) for time in range(now, int(until)))


@pytest.mark.parametrize("wait", [-1, 21, "20", True])
def test_given_a_wait_out_of_range_then_it_is_refused(wait):
    """ReceiveMessage, WaitTimeSeconds: 0 to 20."""
    refused("InvalidParameterValue", Queue("q").receive_message, 0, WaitTimeSeconds=wait)
    refused("InvalidParameterValue", Queue("q").waits_until, 0, wait)


@pytest.mark.parametrize("queue_waits, asks, found", [(0, None, 0), (0, 1, 1), (5, None, 1), (5, 0, 0)])
def test_given_a_short_poll_then_it_may_overlook_what_a_long_one_finds(queue_waits, asks, found):
    """Amazon SQS short and long polling: a short poll asks some of the servers, a long one all. The request's own
    WaitTimeSeconds goes before the queue's."""
    queue = Queue("q", overlooked=1.0, ReceiveMessageWaitTimeSeconds=queue_waits)
    queue.send_message("x", now=0)
    assert len(queue.receive_message(now=1, WaitTimeSeconds=asks)) == found


# ---------------------------------------------------------------------- batches


def entries(number, body="x"):
    return [{"Id": str(n), "MessageBody": body} for n in range(number)]


@pytest.mark.parametrize("wrong, code", [
    ([], "EmptyBatchRequest"), (entries(11), "TooManyEntriesInBatchRequest"),
    (entries(1) * 2, "BatchEntryIdsNotDistinct"), ([{"Id": "a b", "MessageBody": "x"}], "InvalidBatchEntryId"),
    ([{"Id": "a" * 81, "MessageBody": "x"}], "InvalidBatchEntryId"), ([{"MessageBody": "x"}], "InvalidBatchEntryId"),
    (entries(2, "x" * (BATCH_BYTES // 2 + 1)), "BatchRequestTooLong")])
def test_given_a_batch_when_it_is_none_then_nothing_of_it_is_sent(wrong, code):
    """SendMessageBatch, Errors."""
    queue = Queue("q")
    refused(f"AWS.SimpleQueueService.{code}", queue.send_message_batch, wrong, now=0)
    assert len(queue) == 0


def test_given_a_batch_of_exactly_ten_messages_and_one_mebibyte_then_it_is_sent():
    """SendMessageBatch: 1,048,576 bytes together."""
    queue = Queue("q")
    answer = queue.send_message_batch(entries(8, "x" * (BATCH_BYTES // 8)), now=0)
    assert len(answer["Successful"]) == 8 and len(queue.send_message_batch(entries(10), now=0)["Successful"]) == 10


def test_given_a_batch_when_one_entry_is_wrong_then_it_fails_alone():
    """SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch: the answer tells of each entry."""
    queue = Queue("q")
    answer = queue.send_message_batch([{"Id": "good", "MessageBody": "x"}, {"Id": "bad"},
                                       {"Id": "late", "MessageBody": "x", "DelaySeconds": 901}], now=0)
    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    assert [(one["Id"], one["Code"], one["SenderFault"]) for one in answer["Failed"]] == [
        ("bad", "MissingParameter", True), ("late", "InvalidParameterValue", True)]
    [message] = queue.receive_message(now=0)
    handle = message["ReceiptHandle"]
    answer = queue.change_message_visibility_batch([
        {"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 100}, {"Id": "b", "ReceiptHandle": handle},
        {"Id": "c", "ReceiptHandle": "?", "VisibilityTimeout": 1}], now=1)
    assert [one["Id"] for one in answer["Successful"]] == ["a"] and queue.receive_message(now=100) == []
    assert [one["Code"] for one in answer["Failed"]] == ["MissingParameter", "ReceiptHandleIsInvalid"]
    answer = queue.delete_message_batch([{"Id": "a", "ReceiptHandle": handle}, {"Id": "b", "ReceiptHandle": "?"}], 2)
    assert [one["Id"] for one in answer["Successful"]] == ["a"] and len(queue) == 0
    assert batch([{"Id": "a", "x": 1}], ["x"], lambda entry: None) == {"Successful": [{"Id": "a"}], "Failed": []}


# ---------------------------------------------------------------------- in flight


@pytest.mark.parametrize("kind", ["", ".fifo"])
def test_given_a_full_queue_when_one_is_deleted_or_visible_again_then_there_is_room(monkeypatch, kind):
    """"Quotas related to queues": OverLimit for short polls of standard queues, nothing for long polls and FIFO queues."""
    assert sqs.IN_FLIGHT == 120_000
    monkeypatch.setattr(sqs, "IN_FLIGHT", 2)
    queue = Queue(f"q{kind}", VisibilityTimeout=30)
    for n in range(4):
        queue.send_message("x", now=0, **({"MessageGroupId": str(n), "MessageDeduplicationId": str(n)} if kind else {}))
    first, _ = queue.receive_message(now=0, MaxNumberOfMessages=10)
    assert queue.receive_message(now=1, WaitTimeSeconds=1) == []
    if kind:
        assert queue.receive_message(now=1) == []
    else:
        refused("OverLimit", queue.receive_message, now=1)
    queue.delete_message(first["ReceiptHandle"], now=2)
    assert queue.in_flight(now=2) == 1 and len(queue.receive_message(now=2, MaxNumberOfMessages=10)) == 1
    assert len(queue.receive_message(now=30)) == 1


def test_given_a_refused_receive_then_no_dead_letter_is_moved(monkeypatch):
    """ReceiveMessage, OverLimit: a refused call changes nothing."""
    dead = Queue("dead")
    queue = Queue("q", dead, 1)
    for _ in range(3):
        queue.send_message("x", now=0)
    _, held = queue.receive_message(now=0, MaxNumberOfMessages=2, VisibilityTimeout=5)
    queue.change_message_visibility(held["ReceiptHandle"], 100, now=1)
    monkeypatch.setattr(sqs, "IN_FLIGHT", 1)
    refused("OverLimit", queue.receive_message, now=6)  # the first would be a dead letter, the third can't fly
    assert (len(queue), len(dead)) == (3, 0)


# ---------------------------------------------------------------------- moves


def with_a_dead_letter(kind="", number=1):
    dead = Queue(f"dead{kind}")
    source = Queue(f"source{kind}", dead, 1, VisibilityTimeout=0)
    for n in range(number):
        more = {"MessageGroupId": "g", "MessageDeduplicationId": str(n)} if kind else {}
        source.send_message(f"m{n}", now=0, **more)
    for now in range(1, 2 + number):
        source.receive_message(now)
    return dead, source


@pytest.mark.parametrize("kind", ["", ".fifo"])
def test_given_dead_letters_when_moved_without_a_destination_then_they_come_back_as_new_messages(kind):
    """StartMessageMoveTask, and Learn how to configure a dead-letter queue redrive in Amazon SQS: oldest first, with a
    new id and a new time."""
    dead, source = with_a_dead_letter(kind, number=3)
    old = [one["MessageId"] for one in dead.receive_message(9, MaxNumberOfMessages=10, VisibilityTimeout=0)]
    assert len(old) == 3 and dead.start_message_move_task(None, now=100) == 3 and len(dead) == 0
    again = source.receive_message(now=101, MaxNumberOfMessages=10)
    assert [one["Body"] for one in again] == ["m0", "m1", "m2"]
    assert not {one["MessageId"] for one in again} & set(old) and dead.state_of(old[0], 101) == "redriven"
    assert {(one["Attributes"]["ApproximateReceiveCount"], one["Attributes"]["SentTimestamp"])
            for one in again} == {(1, 100)}


def test_given_a_redrive_then_the_retention_starts_anew():
    """Learn how to configure a dead-letter queue redrive in Amazon SQS."""
    dead, source = with_a_dead_letter()
    dead.start_message_move_task(None, now=3 * DAY)
    assert len(source.receive_message(now=6 * DAY)) == 1


@pytest.mark.parametrize("kind, other", [("", ".fifo"), (".fifo", "")])
def test_given_a_destination_of_another_kind_then_nothing_moves(kind, other):
    """Learn how to configure a dead-letter queue redrive in Amazon SQS: both queues are of the same type."""
    dead, _ = with_a_dead_letter(kind)
    refused("InvalidParameterValue", dead.start_message_move_task, Queue(f"other{other}"), now=3)
    custom = Queue(f"custom{kind}")
    assert len(dead) == 1 and dead.start_message_move_task(custom, now=3) == 1 and len(custom) == 1


def test_given_a_queue_that_is_nobodys_dead_letter_queue_then_nothing_moves():
    """StartMessageMoveTask, SourceArn."""
    _, source = with_a_dead_letter()
    source.send_message("x", now=5)
    refused("InvalidParameterValue", source.start_message_move_task, Queue("other"), now=6)
    assert len(source) == 1


def test_given_letters_in_flight_or_sent_directly_then_they_stay():
    """StartMessageMoveTask: each goes to the source it came from; what a topic put there came from no queue."""
    dead, source = with_a_dead_letter(number=2)
    dead.send_message("from elsewhere", now=5)
    [held] = dead.receive_message(now=6)
    assert dead.start_message_move_task(None, now=7) == 1 and len(source) == 1
    left = [held["MessageId"]] + [one["MessageId"] for one in dead.receive_message(now=8, MaxNumberOfMessages=10)]
    assert len(left) == 2 == len(dead) and dead.start_message_move_task(Queue("other"), now=100) == 2


# ---------------------------------------------------------------------- the simulation itself


@pytest.mark.parametrize("wrong", [{"duplicates": 2}, {"disorder": -1}, {"overlooked": 1.5}])
def test_given_a_chance_that_is_no_probability_then_it_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match="probabilities"):
        Queue("q", **wrong)


def test_given_a_message_then_the_queue_says_where_it_is_or_what_became_of_it():
    queue = Queue("q")
    first, second = (queue.send_message("x", now=0, DelaySeconds=delay)["MessageId"] for delay in (0, 10))
    assert [queue.state_of(one, 1) for one in (first, second)] == ["visible", "delayed"]
    [message] = queue.receive_message(now=2)
    assert queue.state_of(first, 3) == "in flight"
    queue.delete_message(message["ReceiptHandle"], now=4)
    assert [queue.state_of(first, 5), queue.state_of(second, 4 * DAY)] == ["deleted", "expired"]
    purged = queue.send_message("x", now=5 * DAY)["MessageId"]
    queue.purge_queue(now=5 * DAY)
    assert queue.state_of(purged, 5 * DAY) == "purged"
    with pytest.raises(ValueError, match="never had"):
        queue.state_of("m", 0)


def test_given_a_full_queue_that_polls_long_by_itself_then_a_receive_gets_nothing(monkeypatch):
    """"Quotas related to queues": OverLimit "while using short polling"; ReceiveMessageWaitTimeSeconds makes it long."""
    monkeypatch.setattr(sqs, "IN_FLIGHT", 1)
    queue = Queue("q", ReceiveMessageWaitTimeSeconds=5)
    for _ in range(2):
        queue.send_message("x", now=0)
    assert len(queue.receive_message(now=0)) == 1
    assert queue.receive_message(now=1) == []
    refused("OverLimit", queue.receive_message, now=1, WaitTimeSeconds=0)


# ---------------------------------------------------------------------- time


def test_given_a_second_receive_then_the_twelve_hours_count_from_it():
    """ChangeMessageVisibility: 12 hours from when the message was received, this time."""
    queue = Queue("q", VisibilityTimeout=60)
    queue.send_message("x", now=0)
    queue.receive_message(now=0)
    [again] = queue.receive_message(now=1000)
    queue.change_message_visibility(again["ReceiptHandle"], 43_200, now=1000)
    refused("InvalidParameterValue", queue.change_message_visibility, again["ReceiptHandle"], 43_200, now=1001)
    assert queue.receive_message(now=44_199) == [] and len(queue.receive_message(now=44_200)) == 1


# ---------------------------------------------------------------------- what is no text


@pytest.mark.parametrize("body", [5, None, b"x", ["x"], {"a": 1}])
def test_given_a_body_that_is_no_text_then_it_is_refused_in_words(body):
    """SendMessage: MessageBody is a String."""
    refused("InvalidParameterValue", Queue("q").send_message, body, now=0)
    refused("InvalidParameter", Topic("t").publish, body, now=0)
    answer = Queue("q").send_message_batch([{"Id": "a", "MessageBody": body}, {"Id": "b", "MessageBody": "x"}], now=0)
    assert [one["Id"] for one in answer["Successful"]] == ["b"] and answer["Failed"][0]["Code"] == "InvalidParameterValue"
    answer = Topic("t.fifo", ContentBasedDeduplication=True).publish_batch([{"Id": "a", "Message": body, "MessageGroupId": "g"}], now=0)
    assert answer["Failed"][0]["Code"] == "InvalidParameter"


@pytest.mark.parametrize("attributes", [
    {"a": "b"}, {"a": 5}, {"a": None}, ["a"], "a", {5: {"DataType": "String", "StringValue": "x"}}, {"a": {"DataType": 5, "StringValue": "x"}},
    {"a": {"DataType": "Number", "StringValue": 5}}, {"a": {"DataType": "String", "StringValue": 5}},
    {"a": {"DataType": "Binary", "BinaryValue": 5}}, {"a": {"DataType": "String", "StringValue": b"x"}}])
def test_given_attributes_that_are_none_then_they_are_refused_in_words(attributes):
    """MessageAttributeValue: a DataType, and a StringValue or BinaryValue."""
    refused("InvalidParameterValue", Queue("q").send_message, "x", now=0, MessageAttributes=attributes)
    refused("ParameterValueInvalid", Topic("t").publish, "x", now=0, MessageAttributes=attributes)
    answer = Queue("q").send_message_batch([{"Id": "a", "MessageBody": "x", "MessageAttributes": attributes}], now=0)
    assert answer["Failed"][0]["Code"] == "InvalidParameterValue"
