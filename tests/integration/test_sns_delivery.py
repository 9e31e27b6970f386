"""What becomes of a message that a topic cannot deliver, and FIFO topics. Amazon SNS Developer Guide, the pages named."""

import json

import pytest

from kit.errors import ServiceError
from kit.integration.sns import Topic
from kit.integration.sqs import Queue


def bodies(queue, now=100):
    return [message["Body"] for message in queue.receive_message(now, MaxNumberOfMessages=10)]


def test_what_the_queue_refuses_goes_to_the_dead_letters_at_once():
    """"Amazon SNS dead-letter queues (DLQs)": client-side errors are not retried."""
    topic, small, dead = Topic("t"), Queue("small", MaximumMessageSize=1024), Queue("dead")
    topic.subscribe("sqs", small, now=0, RawMessageDelivery=True, dead_letter_queue=dead)
    topic.publish("x" * 2000, now=1)
    assert (len(small), bodies(dead), topic.lost) == (0, ["x" * 2000], [])


def test_without_dead_letters_it_is_lost_and_others_get_theirs():
    topic, small, large = Topic("t"), Queue("small", MaximumMessageSize=1024), Queue("large")
    topic.subscribe("sqs", small, now=0, RawMessageDelivery=True)
    topic.subscribe("sqs", large, now=0, RawMessageDelivery=True)
    topic.publish("x" * 2000, now=1)
    assert len(topic.lost) == 1 and len(large) == 1


def test_a_fifo_topic_drops_what_was_published_twice_within_five_minutes():
    """"Message deduplication for FIFO topics"."""
    topic, queue = Topic("t.fifo"), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    first = topic.publish("a", now=0, MessageGroupId="g", MessageDeduplicationId="d")
    assert topic.publish("b", now=299, MessageGroupId="g", MessageDeduplicationId="d") == first
    assert topic.publish("c", now=300, MessageGroupId="g", MessageDeduplicationId="d") != first
    assert bodies(queue, 400) == ["a", "c"]


def test_a_fifo_topic_serves_standard_queues_too():
    """"Message delivery for FIFO topics": standard queues can subscribe since September 2023."""
    topic, queue = Topic("t.fifo", ContentBasedDeduplication=True), Queue("q")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    topic.publish("a", now=0, MessageGroupId="g")
    assert bodies(queue) == ["a"]


def test_a_filter_may_look_into_the_body():
    """"Subscription filter policy scope"."""
    topic, queue = Topic("t"), Queue("q")
    topic.subscribe("sqs", queue, now=0, FilterPolicy={"kind": ["gift"]}, FilterPolicyScope="MessageBody", RawMessageDelivery=True)
    for body in (json.dumps({"kind": "gift"}), json.dumps({"kind": "plain"}), "no json"):
        topic.publish(body, now=1)
    assert bodies(queue) == ['{"kind": "gift"}']


def test_raw_delivery_keeps_attributes_and_the_envelope_carries_them():
    topic, raw, wrapped = Topic("t"), Queue("raw"), Queue("wrapped")
    topic.subscribe("sqs", raw, now=0, RawMessageDelivery=True)
    topic.subscribe("sqs", wrapped, now=0)
    attributes = {"kind": {"DataType": "String", "StringValue": "gift"}}
    topic.publish("x", now=1, Subject="news", MessageAttributes=attributes)
    assert raw.receive_message(2)[0]["MessageAttributes"] == attributes
    envelope = json.loads(bodies(wrapped)[0])
    assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "gift"}} and envelope["Subject"] == "news"


def test_a_throttled_queue_is_the_publishers_business():
    topic, queue = Topic("t.fifo", ContentBasedDeduplication=True), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0)
    with pytest.raises(ServiceError, match="RequestThrottled"):
        for number in range(301):
            topic.publish(str(number), now=0.5, MessageGroupId="g")


def test_a_subscription_taken_back_does_not_give_its_name_to_the_next():
    topic = Topic("t")
    first = topic.subscribe("sqs", Queue("a"), now=0)
    topic.unsubscribe(first)
    assert topic.subscribe("sqs", Queue("b"), now=1).arn != first.arn
