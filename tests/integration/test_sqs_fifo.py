"""FIFO queues: scopes of deduplication, receive attempts, order and the quota. The pages named are those of the Amazon
SQS Developer Guide and API Reference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.integration.sqs import Queue
from kit.integration.sqs_fifo import CALLS, HIGH_THROUGHPUT_CALLS

FAST = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}


def send(queue, body="x", now=0, group="g", id="d"):
    return queue.send_message(body, now=now, MessageGroupId=group, MessageDeduplicationId=id)


def refused(code, act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == code


# ---------------------------------------------------------------------- deduplication


@pytest.mark.parametrize("scope, expected", [("queue", 1), ("messageGroup", 2)])
def test_given_the_same_id_in_two_groups_then_the_scope_decides_whether_it_is_a_copy(scope, expected):
    """High throughput for FIFO queues in Amazon SQS: DeduplicationScope."""
    queue = Queue("q.fifo", DeduplicationScope=scope)
    for group in ("one", "two", "one"):
        send(queue, group=group)
    assert len(queue) == expected


def test_given_a_deleted_message_when_its_id_is_sent_again_within_five_minutes_then_it_is_still_a_copy():
    """SendMessage, MessageDeduplicationId: tracked even after the message is received and deleted."""
    queue = Queue("q.fifo")
    first = send(queue)
    [message] = queue.receive_message(now=1)
    queue.delete_message(message["ReceiptHandle"], now=2)
    assert send(queue, now=299) == first and len(queue) == 0
    assert send(queue, now=300) != first and len(queue) == 1


def test_given_content_based_deduplication_then_an_own_id_overrides_it():
    """Exactly-once processing in Amazon SQS: the hash is of the body, not of the attributes."""
    queue = Queue("q.fifo", ContentBasedDeduplication=True)
    for more in ({}, {"MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}}},
                 {"MessageDeduplicationId": "own"}):
        queue.send_message("x", now=0, MessageGroupId="g", **more)
    assert len(queue) == 2


def test_given_two_dead_letters_then_each_is_known_by_its_message_id():
    """Learn how to configure a dead-letter queue redrive in Amazon SQS: the id takes the deduplication id's place."""
    dead = Queue("dead.fifo")
    queue = Queue("q.fifo", dead, 1, VisibilityTimeout=0)
    send(queue), send(queue, now=400)
    for now in range(400, 404):
        queue.receive_message(now)
    letters = dead.receive_message(now=500, MaxNumberOfMessages=10)
    assert len(letters) == 2
    assert all(one["Attributes"]["MessageDeduplicationId"] == one["MessageId"] for one in letters)


@pytest.mark.parametrize("options, code", [
    ({"DeduplicationScope": "world"}, "InvalidAttributeValue"),
    ({"FifoThroughputLimit": "none"}, "InvalidAttributeValue"),
    ({"FifoThroughputLimit": "perMessageGroupId"}, "InvalidAttributeValue"),
    ({"ContentBasedDeduplication": "yes"}, "InvalidAttributeValue"),
    ({"name": "q", "ContentBasedDeduplication": True}, "InvalidAttributeName"),
    ({"name": "q", "DeduplicationScope": "messageGroup"}, "InvalidAttributeName"),
    ({"name": "q"} | FAST, "InvalidAttributeName")])
def test_given_settings_when_they_do_not_go_together_then_they_are_refused(options, code):
    """CreateQueue, attributes of FIFO queues: perMessageGroupId needs the scope messageGroup."""
    refused(code, Queue, **{"name": "q.fifo"} | options)


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
@pytest.mark.parametrize("value", ["", "x" * 129, "with space", "ä", 7])
def test_given_an_id_of_the_wrong_form_then_it_is_refused(name, value):
    """SendMessage: up to 128 letters, digits and punctuation marks."""
    queue, ids = Queue("q.fifo"), {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    refused("InvalidParameterValue", queue.send_message, "x", now=0, **ids | {name: value})
    queue.send_message("x", now=0, **ids | {name: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + "x" * 96})
    assert len(queue) == 1


def test_given_messages_then_their_sequence_numbers_rise():
    """SendMessage, SequenceNumber."""
    queue = Queue("q.fifo")
    numbers = [send(queue, id=str(n))["SequenceNumber"] for n in range(12)]
    assert numbers == sorted(numbers) and len(set(numbers)) == 12 and all(len(one) == 20 for one in numbers)


# ---------------------------------------------------------------------- quota


@pytest.mark.parametrize("options, calls", [({}, CALLS), (FAST, HIGH_THROUGHPUT_CALLS)])
def test_given_a_second_when_its_calls_are_used_up_then_further_ones_are_throttled(options, calls):
    """Amazon SQS message quotas: 300 calls a second of each kind, 70,000 in us-east-1 with high throughput."""
    assert (CALLS, HIGH_THROUGHPUT_CALLS) == (300, 70_000)
    queue = Queue("q.fifo", **options)
    for _ in range(calls):
        queue._quota.count("send_message", 0.5)
    refused("RequestThrottled", send, queue, now=0.9)
    assert len(queue) == 0 and queue.receive_message(now=0.9) == [], "receiving has a quota of its own"
    assert send(queue, now=1.0)


def test_given_only_the_scope_messagegroup_then_the_quota_is_that_of_the_queue():
    """High throughput for FIFO queues in Amazon SQS: both attributes are needed."""
    queue = Queue("q.fifo", DeduplicationScope="messageGroup")
    for n in range(CALLS):
        send(queue, id=str(n))
    refused("RequestThrottled", send, queue, id="more")


def test_given_calls_in_two_seconds_by_turns_then_each_second_keeps_its_count():
    """Amazon SQS message quotas, a second at a time."""
    queue = Queue("q.fifo")
    for n in range(CALLS):
        send(queue, id=f"a{n}", now=0.5), send(queue, id=f"b{n}", now=1.5)
    refused("RequestThrottled", send, queue, now=0.9)
    refused("RequestThrottled", send, queue, now=1.9)


def test_given_batches_then_each_is_one_call():
    """Amazon SQS message quotas: 3,000 messages a second with batches of ten."""
    queue = Queue("q.fifo")
    handles = []
    for number in range(CALLS):
        ids = [f"{number}-{n}" for n in range(10)]
        queue.send_message_batch([{"Id": id, "MessageBody": "x", "MessageGroupId": id, "MessageDeduplicationId": id}
                                  for id in ids], now=0.5)
        handles.append([{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(
            queue.receive_message(now=0.5, MaxNumberOfMessages=10))])
    assert len(queue) == 10 * CALLS == sum(map(len, handles))
    for some in handles:
        answer = queue.change_message_visibility_batch([one | {"VisibilityTimeout": 60} for one in some], now=0.6)
        assert answer["Failed"] == []
        assert queue.delete_message_batch(some, now=0.7)["Failed"] == []
    refused("RequestThrottled", queue.delete_message_batch, handles[0], now=0.8)
    assert len(queue) == 0


def test_given_a_standard_queue_then_nothing_is_throttled():
    """Amazon SQS message quotas: a nearly unlimited number of calls."""
    queue = Queue("q")
    for _ in range(10 * CALLS):
        queue.send_message("x", now=0)
    assert len(queue) == 10 * CALLS


# ---------------------------------------------------------------------- receive attempts


def test_given_an_answer_that_got_lost_when_asked_for_again_then_it_is_the_same_and_hidden_anew():
    """ReceiveMessage, ReceiveRequestAttemptId."""
    queue = Queue("q.fifo", VisibilityTimeout=30)
    send(queue), send(queue, id="e", group="h")
    first = queue.receive_message(now=0, ReceiveRequestAttemptId="try")
    assert queue.receive_message(now=20, ReceiveRequestAttemptId="try") == first
    assert first[0]["Attributes"]["ApproximateReceiveCount"] == 1
    assert [one["MessageId"] for one in queue.receive_message(now=45)] != [first[0]["MessageId"]]
    assert [one["MessageId"] for one in queue.receive_message(now=50)] == [first[0]["MessageId"]]


@pytest.mark.parametrize("what", ["deleted", "changed", "visible again", "received by another", "five minutes old"])
def test_given_an_attempt_when_its_messages_were_touched_or_it_is_old_then_it_is_a_new_receive(what):
    """ReceiveMessage, ReceiveRequestAttemptId: for five minutes, if none was deleted or had its visibility changed."""
    queue = Queue("q.fifo", VisibilityTimeout=1000)
    send(queue), send(queue, id="e", group="h")
    [message] = queue.receive_message(
        now=0, ReceiveRequestAttemptId="try", VisibilityTimeout=50 if what in ("visible again", "received by another")
        else None)
    if what == "deleted":
        queue.delete_message(message["ReceiptHandle"], now=1)
    elif what == "changed":
        queue.change_message_visibility(message["ReceiptHandle"], 500, now=1)
    elif what == "received by another":
        assert queue.receive_message(now=50)[0]["MessageId"] == message["MessageId"]
    now = {"deleted": 2, "changed": 2, "visible again": 50, "received by another": 51, "five minutes old": 300}[what]
    [again] = queue.receive_message(now, ReceiveRequestAttemptId="try")
    assert again["ReceiptHandle"] != message["ReceiptHandle"]
    assert (again["MessageId"] == message["MessageId"]) == (what == "visible again")


@pytest.mark.parametrize("queue, attempt", [("q", "try"), ("q.fifo", ""), ("q.fifo", "x" * 129), ("q.fifo", "a b")])
def test_given_an_attempt_on_a_standard_queue_or_of_a_wrong_form_then_it_is_refused(queue, attempt):
    """ReceiveMessage, ReceiveRequestAttemptId: of FIFO queues only, up to 128 characters."""
    refused("InvalidParameterValue", Queue(queue).receive_message, now=0, ReceiveRequestAttemptId=attempt)


# ---------------------------------------------------------------------- order


def test_given_a_delayed_message_then_it_holds_its_group_and_no_other():
    """FIFO queue delivery logic in Amazon SQS."""
    queue = Queue("q.fifo", DelaySeconds=10)
    send(queue, "a"), send(queue, "b", now=5, id="e"), send(queue, "c", group="h", id="f")
    assert [one["Body"] for one in queue.receive_message(now=10, MaxNumberOfMessages=10)] == ["a", "c"]
    refused("InvalidParameterValue", queue.send_message, "x", now=0, DelaySeconds=5, MessageGroupId="g",
            MessageDeduplicationId="z")


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.sampled_from("xyz"), min_size=1, max_size=12), st.integers(1, 10), st.booleans())
def test_given_any_groups_then_each_is_worked_through_in_the_order_of_sending(groups, most, crash):
    """FIFO queue delivery logic in Amazon SQS: after a crash, too."""
    queue, done = Queue("q.fifo", VisibilityTimeout=10), []
    for number, group in enumerate(groups):
        send(queue, f"{group}{number:02}", group=group, id=str(number))
    for now in range(0, 500, 11):
        for message in queue.receive_message(now, MaxNumberOfMessages=most):
            if crash and message["Attributes"]["ApproximateReceiveCount"] == 1:
                break  # the consumer dies; the rest of its messages come back, too
            queue.delete_message(message["ReceiptHandle"], now)
            done.append(message["Body"])
    assert sorted(done) == sorted(f"{group}{number:02}" for number, group in enumerate(groups))
    for group in set(groups):
        mine = [body for body in done if body[0] == group]
        assert mine == sorted(mine)


def test_given_a_later_message_of_the_group_in_flight_then_an_earlier_one_that_came_back_waits_too():
    """FIFO queue delivery logic in Amazon SQS: no message of a group while another of it is in flight."""
    queue = Queue("q.fifo", VisibilityTimeout=60)
    for id in ("one", "two"):
        send(queue, id=id, body=id)
    send(queue, id="other", body="other", group="h")
    one, two = queue.receive_message(now=0, MaxNumberOfMessages=2)
    queue.change_message_visibility(one["ReceiptHandle"], 0, now=1)
    assert [message["Body"] for message in queue.receive_message(now=2, MaxNumberOfMessages=10)] == ["other"]
    queue.delete_message(two["ReceiptHandle"], now=3)
    assert [message["Body"] for message in queue.receive_message(now=4, MaxNumberOfMessages=10)] == ["one"]
