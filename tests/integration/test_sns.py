"""Topics, held to the Amazon SNS Developer Guide (titles in the docstrings)."""

import json

import pytest

from kit.errors import ServiceError
from kit.integration.sns import PROTOCOLS, Topic, retries
from kit.integration.sqs import Queue

GIFT = {"kind": {"DataType": "String", "StringValue": "gift"}}


def received(queue, now=99):
    return [message["Body"] for message in queue.receive_message(now, MaxNumberOfMessages=10)]


def test_every_subscriber_gets_its_copy_and_others_nothing():
    topic, a, b, stranger = Topic("orders"), Queue("a"), Queue("b"), Queue("c")
    for queue in (a, b):
        topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    Topic("returns").subscribe("sqs", stranger, now=0)
    topic.publish("two shirts", now=1)
    assert received(a) == received(b) == ["two shirts"] and received(stranger) == []


def test_a_filter_lets_pass_what_it_wants():
    """Amazon SNS subscription filter policies."""
    topic, gifts, bodies = Topic("orders"), Queue("gifts"), Queue("bodies")
    topic.subscribe("sqs", gifts, now=0, FilterPolicy={"kind": ["gift"]}, RawMessageDelivery=True)
    topic.subscribe("sqs", bodies, now=0, FilterPolicy={"n": [1]}, FilterPolicyScope="MessageBody", RawMessageDelivery=True)
    topic.publish('{"n": 2}', now=1, MessageAttributes=GIFT)
    topic.publish('{"n": 1}', now=1)
    assert received(gifts) == ['{"n": 2}'] and received(bodies) == ['{"n": 1}']


def test_the_envelope_tells_where_it_came_from_and_raw_delivery_leaves_it_out():
    """Amazon SNS raw message delivery."""
    topic, enveloped, raw = Topic("orders"), Queue("a"), Queue("b")
    topic.subscribe("sqs", enveloped, now=0)
    topic.subscribe("sqs", raw, now=0, RawMessageDelivery=True)
    topic.publish("x", now=1, Subject="news", MessageAttributes=GIFT)
    envelope = json.loads(received(enveloped)[0])
    assert envelope["Message"] == "x" and envelope["TopicArn"] == topic.arn and envelope["Subject"] == "news"
    assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "gift"}}
    [message] = raw.receive_message(now=9)
    assert message["Body"] == "x" and message["MessageAttributes"] == GIFT


def test_people_and_web_servers_confirm_first():
    """ConfirmSubscription."""
    topic = Topic("orders")
    subscription = topic.subscribe("email", "ann@example.com", now=0)
    topic.publish("early", now=1)
    topic.confirm_subscription(subscription)
    topic.publish("late", now=2)
    assert [text for _, text in subscription.received] == ["late"]


def test_unsubscribed_is_unsubscribed():
    topic, queue = Topic("orders"), Queue("a")
    topic.unsubscribe(topic.subscribe("sqs", queue, now=0))
    topic.publish("x", now=1)
    assert received(queue) == []


@pytest.mark.parametrize("protocol, tries, at_least, at_most", [
    ("sqs", 100_015, 23 * 86_400, 24 * 86_400), ("lambda", 100_015, 23 * 86_400, 24 * 86_400),
    ("email", 50, 6 * 3600, 7 * 3600), ("sms", 50, 6 * 3600, 7 * 3600), ("https", 3, 60, 60)])
def test_retries_are_as_many_and_as_long_as_the_page_says(protocol, tries, at_least, at_most):
    """Amazon SNS message delivery retries."""
    times = retries(protocol)
    assert len(times) == tries and at_least <= times[-1][0] <= at_most
    assert all(a[0] <= b[0] for a, b in zip(times, times[1:]))


def web_server(back_at):
    def answer(text, now):
        if now < back_at:
            raise ConnectionError("down")
    return answer


def test_a_short_outage_is_survived_by_trying_again():
    topic = Topic("orders")
    subscription = topic.subscribe("https", web_server(back_at=25), now=0)
    topic.confirm_subscription(subscription)
    topic.publish("x", now=0)
    assert [when for when, _ in subscription.received] == [40] and topic.lost == []


@pytest.mark.parametrize("saved", [True, False])
def test_a_long_outage_loses_the_message_unless_there_is_a_dead_letter_queue(saved):
    """Amazon SNS dead-letter queues."""
    topic, dead = Topic("orders"), Queue("dead")
    subscription = topic.subscribe("https", web_server(back_at=1000), now=0, dead_letter_queue=dead if saved else None)
    topic.confirm_subscription(subscription)
    topic.publish("x", now=0)
    assert (len(dead), len(topic.lost)) == ((1, 0) if saved else (0, 1))


def test_a_fifo_topic_keeps_order_and_group():
    """FIFO topics."""
    topic, queue = Topic("orders.fifo", ContentBasedDeduplication=True), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    for body in "abc":
        topic.publish(body, now=1, MessageGroupId="g")
    assert received(queue) == ["a", "b", "c"]
    topic.publish("a", now=2, MessageGroupId="g", MessageDeduplicationId="same")
    topic.publish("a", now=3, MessageGroupId="g", MessageDeduplicationId="same")
    assert len(queue) == 4


@pytest.mark.parametrize("act", [
    lambda: Topic("no spaces"), lambda: Topic("t").subscribe("pigeon", "x", now=0), lambda: Topic("t").subscribe("email", "x", now=0),
    lambda: Topic("t").subscribe("https", "http://x", now=0), lambda: Topic("t").subscribe("sqs", Queue("q.fifo"), now=0),
    lambda: Topic("t.fifo").subscribe("email", "a@b", now=0), lambda: Topic("t.fifo").publish("x", now=0),
    lambda: Topic("t.fifo").publish("x", now=0, MessageGroupId="g"), lambda: Topic("t").publish("x", now=0, MessageDeduplicationId="d"),
    lambda: Topic("t").subscribe("email", "a@b", now=0, RawMessageDelivery=True),
    lambda: Topic("t").subscribe("sqs", Queue("q"), now=0, dead_letter_queue=Queue("d.fifo")),
    lambda: Topic("t").publish("", now=0), lambda: Topic("t").publish("x" * 262_145, now=0),
    lambda: Topic("t").subscribe("sqs", Queue("q"), now=0, FilterPolicy={"k": []}),
])
def test_what_sns_refuses(act):
    with pytest.raises(ServiceError) as error:
        act()
    assert error.value.code == "InvalidParameter"


def test_every_protocol_has_its_form():
    assert set(PROTOCOLS) == {"http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"}
