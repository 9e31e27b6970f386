"""FIFO queues: deduplication scopes, receive attempts, the quota. Amazon SQS Developer Guide, the pages named."""

import pytest

from kit.errors import ServiceError
from kit.integration.sqs import Queue
from kit.integration.sqs_fifo import CALLS, HIGH_THROUGHPUT_CALLS


def send(queue, body="x", now=0, group="g", id="d"):
    return queue.send_message(body, now=now, MessageGroupId=group, MessageDeduplicationId=id)


def test_ids_count_in_the_whole_queue_or_in_each_group():
    """"High throughput for FIFO queues": DeduplicationScope."""
    for scope, expected in (("queue", 1), ("messageGroup", 2)):
        queue = Queue("q.fifo", DeduplicationScope=scope)
        send(queue, group="one"), send(queue, group="two")
        assert len(queue) == expected


@pytest.mark.parametrize("options, code", [
    ({"DeduplicationScope": "world"}, "InvalidAttributeValue"), ({"FifoThroughputLimit": "perMessageGroupId"}, "InvalidAttributeValue"),
    ({"name": "q", "ContentBasedDeduplication": True}, "InvalidAttributeName"), ({"name": "q", "DeduplicationScope": "messageGroup"}, "InvalidAttributeName")])
def test_settings_that_are_refused(options, code):
    with pytest.raises(ServiceError, match=code):
        Queue(**{"name": "q.fifo"} | options)


@pytest.mark.parametrize("options, calls", [({}, CALLS), ({"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"},
                                                          HIGH_THROUGHPUT_CALLS)])
def test_a_second_has_so_many_calls_of_each_kind(options, calls):
    """"Amazon SQS message quotas": 300 a second without high throughput, a batch counts once."""
    queue = Queue("q.fifo", **options)
    for number in range(calls):
        queue._quota.count("send_message", 0.5)
    with pytest.raises(ServiceError, match="RequestThrottled"):
        send(queue, now=0.9)
    assert queue.receive_message(now=0.9) == [] and send(queue, now=1.0)


def test_a_batch_is_one_call():
    queue = Queue("q.fifo")
    for number in range(CALLS):
        queue.send_message_batch([{"Id": str(n), "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": f"{number}-{n}"}
                                  for n in range(10)], now=0.5)
    assert len(queue) == 10 * CALLS


def test_an_answer_that_got_lost_can_be_asked_for_again():
    """"ReceiveMessage", ReceiveRequestAttemptId: the same messages and handles, hidden anew."""
    queue = Queue("q.fifo", VisibilityTimeout=30)
    send(queue)
    first = queue.receive_message(now=0, ReceiveRequestAttemptId="try")
    again = queue.receive_message(now=20, ReceiveRequestAttemptId="try")
    assert first == again and queue.receive_message(now=45) == [] and len(queue.receive_message(now=50)) == 1


def test_an_attempt_is_over_when_its_messages_were_touched_or_it_is_old():
    for act in ("delete", "visibility", "time"):
        queue = Queue("q.fifo", VisibilityTimeout=1000)
        send(queue), send(queue, id="e", group="h")
        [message] = queue.receive_message(now=0, ReceiveRequestAttemptId="try")
        if act == "delete":
            queue.delete_message(message["ReceiptHandle"], now=1)
        elif act == "visibility":
            queue.change_message_visibility(message["ReceiptHandle"], 500, now=1)
        again = queue.receive_message(now=300 if act == "time" else 2, ReceiveRequestAttemptId="try")
        assert [one["MessageId"] for one in again] != [message["MessageId"]]
    with pytest.raises(ServiceError, match="InvalidParameterValue"):
        Queue("q").receive_message(now=0, ReceiveRequestAttemptId="try")


def test_a_delayed_message_holds_its_group():
    queue = Queue("q.fifo", DelaySeconds=10)
    send(queue, "a"), send(queue, "b", now=5, id="e"), send(queue, "c", now=0, group="h", id="f")
    assert [one["Body"] for one in queue.receive_message(now=10, MaxNumberOfMessages=10)] == ["a", "c"]
    with pytest.raises(ServiceError, match="delays all"):
        queue.send_message("x", now=0, DelaySeconds=5, MessageGroupId="g", MessageDeduplicationId="z")


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
@pytest.mark.parametrize("value", ["", "x" * 129, "with space", 7])
def test_ids_have_a_form(name, value):
    with pytest.raises(ServiceError, match="InvalidParameterValue"):
        Queue("q.fifo").send_message("x", now=0, **{"MessageGroupId": "g", "MessageDeduplicationId": "d", name: value})


def test_sequence_numbers_rise():
    queue = Queue("q.fifo")
    numbers = [send(queue, id=str(n))["SequenceNumber"] for n in range(12)]
    assert numbers == sorted(numbers) and len(set(numbers)) == 12 and all(len(one) == 20 for one in numbers)
