"""What becomes of a message that a topic delivers, or can't deliver; batches; FIFO topics. The pages named are those of
the Amazon SNS Developer Guide and API Reference."""

import base64
import json
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.integration.sns import LARGEST, PROTOCOLS, Topic, retries
from kit.integration.sqs import Queue

GIFT = {"kind": {"DataType": "String", "StringValue": "gift"}}


def bodies(queue, now=100):
    return [message["Body"] for message in queue.receive_message(now, MaxNumberOfMessages=10)]


def refused(code, act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == code


def subscribed(topic, protocol, endpoint, **options):
    subscription = topic.subscribe(protocol, endpoint, now=0, **options)
    topic.confirm_subscription(subscription)
    return subscription


class Endpoint:
    """Down until a time; writes down when it was tried."""

    def __init__(self, back_at=float("inf"), error=ConnectionError("down")):
        self.back_at, self.error, self.tried = back_at, error, []

    def __call__(self, text, now):
        self.tried.append(now)
        if now < self.back_at:
            raise self.error


# ---------------------------------------------------------------------- retries


@pytest.mark.parametrize("protocol, phases", [
    ("sqs", [("immediate", 3), ("pre-backoff", 2), ("backoff", 10), ("post-backoff", 100_000)]),
    ("firehose", [("immediate", 3), ("pre-backoff", 2), ("backoff", 10), ("post-backoff", 100_000)]),
    ("sms", [("pre-backoff", 2), ("backoff", 10), ("post-backoff", 38)]),
    ("application", [("pre-backoff", 2), ("backoff", 10), ("post-backoff", 38)]), ("http", [("backoff", 3)])])
def test_given_a_protocol_then_its_retries_come_in_the_phases_of_the_page(protocol, phases):
    """Amazon SNS message delivery retries, Delivery protocols and policies."""
    assert [(name, len(list(some))) for name, some in groupby(name for _, name in retries(protocol))] == phases


@pytest.mark.parametrize("protocol, gaps", [
    ("lambda", {"immediate": (0, 0), "pre-backoff": (1, 1), "backoff": (1, 20), "post-backoff": (20, 20)}),
    ("email", {"pre-backoff": (10, 10), "backoff": (10, 600), "post-backoff": (600, 600)}),
    ("https", {"backoff": (20, 20)})])
def test_given_a_protocol_then_the_gaps_grow_from_the_first_to_the_last_that_the_page_names(protocol, gaps):
    """Amazon SNS message delivery retries: exponential backoff between them."""
    before, found = 0.0, {}
    for seconds, name in retries(protocol)[:60]:
        found.setdefault(name, []).append(seconds - before)
        before = seconds
    assert {name: (pytest.approx(some[0]), pytest.approx(some[-1])) for name, some in found.items()} == gaps
    for some in found.values():
        growth = [later / earlier for earlier, later in zip(some, some[1:]) if earlier]
        assert growth == pytest.approx(growth[:1] * len(growth))


def test_given_no_protocol_of_sns_then_there_is_no_schedule():
    with pytest.raises(ValueError, match="pigeon"):
        retries("pigeon")


@pytest.mark.parametrize("protocol, endpoint, back_at, arrives", [
    ("lambda", "function", 0, 0), ("lambda", "function", 2, 2), ("https", "server", 41, 60), ("email", "mail", 15, 20)])
def test_given_an_endpoint_that_is_down_for_a_while_then_the_next_try_after_it_delivers(
        protocol, endpoint, back_at, arrives):
    """Amazon SNS message delivery retries."""
    topic, server = Topic("t"), Endpoint(back_at)
    subscription = subscribed(topic, protocol, server)
    topic.publish("x", now=0)
    assert [at for at, _ in subscription.received] == [arrives] and server.tried[-1] == arrives and topic.lost == []


@pytest.mark.parametrize("protocol, tries", [("https", 4), ("email", 51), ("lambda", 100_016)])
def test_given_an_endpoint_that_stays_down_then_the_last_try_over_the_message_is_a_dead_letter(protocol, tries):
    """Amazon SNS dead-letter queues: server-side errors, when the delivery policy is used up."""
    topic, server, dead, other = Topic("t"), Endpoint(), Queue("dead", MessageRetentionPeriod=1_209_600), Queue("other")
    subscribed(topic, protocol, server, dead_letter_queue=dead, RawMessageDelivery=protocol == "https")
    topic.subscribe("sqs", other, now=0)
    topic.publish("x", now=5)
    assert len(server.tried) == tries and (len(dead), len(other), topic.lost) == (1, 1, [])
    [letter] = dead.receive_message(now=server.tried[-1])
    assert letter["Attributes"]["SentTimestamp"] == server.tried[-1] == 5 + retries(protocol)[-1][0]


def test_given_an_endpoint_that_refuses_for_good_then_there_is_no_second_try():
    """Amazon SNS dead-letter queues: client-side errors, such as a function that was deleted."""
    topic, dead = Topic("t"), Queue("dead")
    gone = Endpoint(error=ServiceError("ResourceNotFoundException", "no such function"))
    subscription = subscribed(topic, "lambda", gone, dead_letter_queue=dead)
    topic.publish("x", now=1)
    assert gone.tried == [1] and len(dead) == 1 and subscription.confirmed and subscription in topic.subscriptions


# ---------------------------------------------------------------------- dead letters, one subscription at a time


def test_given_a_queue_that_refuses_the_message_then_it_is_a_dead_letter_at_once():
    """Amazon SNS dead-letter queues: client-side errors are not retried."""
    topic, small, dead = Topic("t"), Queue("small", MaximumMessageSize=1024), Queue("dead")
    topic.subscribe("sqs", small, now=0, RawMessageDelivery=True, dead_letter_queue=dead)
    topic.publish("x" * 2000, now=1)
    assert (len(small), bodies(dead, now=1), topic.lost) == (0, ["x" * 2000], [])


def test_given_two_subscriptions_then_each_has_dead_letters_of_its_own():
    """Amazon SNS dead-letter queues: they belong to a subscription, not to the topic."""
    topic, large, letters = Topic("t"), Queue("large"), [Queue("one"), Queue("two"), None]
    for number, dead in enumerate(letters):
        topic.subscribe("sqs", Queue(f"small{number}", MaximumMessageSize=1024), now=0, RawMessageDelivery=True,
                        dead_letter_queue=dead)
    topic.subscribe("sqs", large, now=0, RawMessageDelivery=True)
    topic.publish("x" * 2000, now=1)
    assert [len(letters[0]), len(letters[1]), len(large), len(topic.lost)] == [1, 1, 1, 1]
    assert topic.lost[0][0] is topic.subscriptions[2] and topic.lost[0][1] == "x" * 2000


def test_given_a_dead_letter_queue_that_refuses_too_then_the_publisher_and_others_do_not_notice():
    """Publish: once a MessageId is returned the delivery is SNS's business."""
    topic, large = Topic("t"), Queue("large")
    topic.subscribe("sqs", Queue("small", MaximumMessageSize=1024), now=0, RawMessageDelivery=True,
                    dead_letter_queue=Queue("dead", MaximumMessageSize=1024))
    topic.subscribe("sqs", large, now=0)
    assert topic.publish("x" * 2000, now=1)["MessageId"] and (len(large), len(topic.lost)) == (1, 1)


@pytest.mark.parametrize("kind", ["", ".fifo"])
def test_given_dead_letters_of_another_kind_than_the_topic_then_the_subscription_is_refused(kind):
    """Amazon SNS dead-letter queues: FIFO queues for FIFO topics, standard queues for standard topics."""
    topic, other = Topic(f"t{kind}"), "" if kind else ".fifo"
    refused("InvalidParameter", topic.subscribe, "sqs", Queue(f"q{kind}"), now=0, dead_letter_queue=Queue(f"d{other}"))
    assert topic.subscriptions == []


def test_given_a_fifo_topic_then_its_dead_letters_keep_order_and_group():
    """Amazon SNS dead-letter queues, for FIFO topics."""
    topic, dead = Topic("t.fifo", ContentBasedDeduplication=True), Queue("dead.fifo")
    topic.subscribe("sqs", Queue("q.fifo", MaximumMessageSize=1024), now=0, RawMessageDelivery=True,
                    dead_letter_queue=dead)
    texts = [letter * 2000 for letter in "abc"]
    for text in texts:
        topic.publish(text, now=1, MessageGroupId="g")
    letters = dead.receive_message(now=2, MaxNumberOfMessages=10)
    assert [one["Body"] for one in letters] == texts
    assert {one["Attributes"]["MessageGroupId"] for one in letters} == {"g"}


# ---------------------------------------------------------------------- what arrives


def test_given_raw_delivery_then_the_text_and_its_attributes_arrive_and_else_the_envelope_carries_them():
    """Amazon SNS raw message delivery; Amazon SNS message attributes (bytes in Base64)."""
    topic, raw, wrapped = Topic("t"), Queue("raw"), Queue("wrapped")
    topic.subscribe("sqs", raw, now=0, RawMessageDelivery=True)
    topic.subscribe("sqs", wrapped, now=0)
    attributes = GIFT | {"seal": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    topic.publish("x", now=1, Subject="news", MessageAttributes=attributes)
    [message] = raw.receive_message(2)
    assert (message["Body"], message["MessageAttributes"]) == ("x", attributes)
    [message] = wrapped.receive_message(2)
    envelope = json.loads(message["Body"])
    assert message["MessageAttributes"] == {} and (envelope["Message"], envelope["Subject"]) == ("x", "news")
    assert envelope["MessageAttributes"] == {
        "kind": {"Type": "String", "Value": "gift"},
        "seal": {"Type": "Binary", "Value": base64.b64encode(b"\x00\xff").decode()}}


def test_given_eleven_attributes_then_raw_delivery_to_a_queue_fails_for_good():
    """Amazon SNS message attributes: ten with raw delivery; more are a client-side error."""
    topic, raw, wrapped, dead = Topic("t"), Queue("raw"), Queue("wrapped"), Queue("dead")
    topic.subscribe("sqs", raw, now=0, RawMessageDelivery=True, dead_letter_queue=dead)
    topic.subscribe("sqs", wrapped, now=0)
    topic.publish("x", now=1, MessageAttributes={f"a{n}": GIFT["kind"] for n in range(11)})
    assert (len(raw), len(dead), len(wrapped)) == (0, 1, 1)


@pytest.mark.parametrize("protocol, endpoint, plain", [
    ("email", "ann@example.com", True), ("email-json", "ann@example.com", False), ("sms", "+491701234567", True),
    ("application", "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/shop/1", True),
    ("lambda", "arn:aws:lambda:us-east-1:123456789012:function:pack", False), ("http", "http://example.com", False)])
def test_given_a_protocol_then_people_get_the_text_and_programs_the_json(protocol, endpoint, plain):
    """Subscribe, Protocol: email and email-json."""
    topic = Topic("t")
    subscription = subscribed(topic, protocol, endpoint)
    topic.publish("x", now=3)
    [(at, text)] = subscription.received
    assert at == 3 and (text == "x") == plain and (plain or json.loads(text)["Message"] == "x")


def test_given_raw_delivery_where_there_is_none_then_it_is_refused():
    """Amazon SNS raw message delivery: SQS, HTTP/S and Firehose."""
    examples = {"http": "http://x", "https": "https://x", "sqs": "arn:aws:sqs:us-east-1:1:q",
                "firehose": "arn:aws:firehose:us-east-1:1:deliverystream/d", "email": "a@b", "email-json": "a@b",
                "sms": "+49", "application": "arn:aws:sns:us-east-1:1:e", "lambda": "arn:aws:lambda:us-east-1:1:f"}
    assert set(examples) == set(PROTOCOLS)
    for protocol, endpoint in examples.items():
        if protocol in ("http", "https", "sqs", "firehose"):
            assert Topic("t").subscribe(protocol, endpoint, now=0, RawMessageDelivery=True).RawMessageDelivery
        else:
            refused("InvalidParameter", Topic("t").subscribe, protocol, endpoint, now=0, RawMessageDelivery=True)


def test_given_a_filter_scope_then_the_policy_looks_at_the_attributes_or_into_the_body():
    """Amazon SNS subscription filter policy scope."""
    topic, by_attribute, by_body = Topic("t"), Queue("a"), Queue("b")
    policy = {"kind": ["gift"]}
    topic.subscribe("sqs", by_attribute, now=0, FilterPolicy=policy, RawMessageDelivery=True)
    topic.subscribe("sqs", by_body, now=0, FilterPolicy=policy, FilterPolicyScope="MessageBody",
                    RawMessageDelivery=True)
    for body in ('{"kind": "gift"}', '{"kind": "plain"}', "no json"):
        topic.publish(body, now=1)
    topic.publish("with attributes", now=1, MessageAttributes=GIFT)
    assert (bodies(by_attribute), bodies(by_body)) == (["with attributes"], ['{"kind": "gift"}'])


@pytest.mark.parametrize("options", [
    {"FilterPolicyScope": "Message"}, {"FilterPolicy": {"k": ["v"]}, "FilterPolicyScope": "Message"},
    {"FilterPolicy": {"k": {"inner": ["v"]}}}, {"FilterPolicy": {"k": "v"}}])
def test_given_a_policy_or_scope_that_sns_refuses_then_nobody_is_subscribed(options):
    """Amazon SNS subscription filter policy scope: nested policies only for the body."""
    topic = Topic("t")
    refused("InvalidParameter", topic.subscribe, "sqs", Queue("q"), now=0, **options)
    assert topic.subscriptions == []


# ---------------------------------------------------------------------- publishing


@pytest.mark.parametrize("code, wrong", [
    ("InvalidParameter", {"Message": ""}), ("InvalidParameter", {"Message": "ä" * (LARGEST // 2 + 1)}),
    ("InvalidParameter", {"Message": "x" * LARGEST, "MessageAttributes": GIFT}),
    ("InvalidParameter", {"Subject": "x" * 100}), ("InvalidParameter", {"Subject": "two\nlines"}),
    ("InvalidParameter", {"Subject": ""}), ("InvalidParameter", {"MessageGroupId": "a b"}),
    ("InvalidParameter", {"MessageDeduplicationId": "d"}),
    ("ParameterValueInvalid", {"MessageAttributes": {"x": {"StringValue": "v"}}}),
    ("ParameterValueInvalid", {"MessageAttributes": {"x": {"DataType": "Text", "StringValue": "v"}}}),
    ("ParameterValueInvalid", {"MessageAttributes": {"x": {"DataType": "String", "StringValue": ""}}}),
    ("ParameterValueInvalid", {"MessageAttributes": {"x": {"DataType": "Number", "StringValue": "v"}}})])
def test_given_a_message_that_breaks_a_rule_then_nobody_gets_it(code, wrong):
    """Publish: sizes, Subject, ids; MessageAttributeValue: name, type and value must not be empty."""
    topic, queue = Topic("t"), Queue("q")
    topic.subscribe("sqs", queue, now=0)
    refused(code, topic.publish, **{"Message": "x", "now": 1} | wrong)
    assert len(queue) == 0
    topic.publish("x" * LARGEST, now=1, Subject=None), topic.publish("x", now=1, Subject="ü" * 99)
    assert len(queue) == 2


def test_given_a_batch_then_each_entry_is_delivered_or_fails_alone_in_order():
    """PublishBatch: the result of each message is reported by itself."""
    topic, queue = Topic("t"), Queue("q")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    answer = topic.publish_batch([{"Id": "a", "Message": "one", "MessageAttributes": GIFT}, {"Id": "b", "Message": ""},
                                  {"Id": "c"}, {"Id": "d", "Message": "two", "Subject": "news"}], now=1)
    assert [one["Id"] for one in answer["Successful"]] == ["a", "d"]
    assert len({one["MessageId"] for one in answer["Successful"]}) == 2
    assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [
        ("b", "InvalidParameter"), ("c", "MissingParameter")]
    assert bodies(queue) == ["one", "two"]


@pytest.mark.parametrize("entries, code", [
    ([], "EmptyBatchRequest"), ([{"Id": str(n), "Message": "x"} for n in range(11)], "TooManyEntriesInBatchRequest"),
    ([{"Id": "a", "Message": "x"}] * 2, "BatchEntryIdsNotDistinct"),
    ([{"Id": "a b", "Message": "x"}], "InvalidBatchEntryId"),
    ([{"Id": str(n), "Message": "x" * (LARGEST // 2 + 1)} for n in range(2)], "BatchRequestTooLong")])
def test_given_a_batch_that_is_none_then_nothing_of_it_is_delivered(entries, code):
    """PublishBatch, Errors: ten entries, 262,144 bytes together."""
    topic, queue = Topic("t"), Queue("q")
    topic.subscribe("sqs", queue, now=0)
    refused(code, topic.publish_batch, entries, now=0)
    assert len(queue) == 0


def test_given_a_batch_on_a_fifo_topic_then_it_is_in_order_without_copies_and_all_need_their_ids():
    """PublishBatch: published in the order sent, deduplicated within the batch and across batches."""
    topic, queue = Topic("t.fifo"), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    entries = [{"Id": str(n), "Message": body, "MessageGroupId": "g", "MessageDeduplicationId": body}
               for n, body in enumerate("abac")]
    first, again = topic.publish_batch(entries, now=1)["Successful"], topic.publish_batch(entries, now=2)["Successful"]
    assert [one["MessageId"] for one in first] == [one["MessageId"] for one in again]
    assert first[0]["MessageId"] == first[2]["MessageId"] and bodies(queue) == ["a", "b", "c"]
    for lacks in ("MessageGroupId", "MessageDeduplicationId"):
        wrong = {key: value + "x" for key, value in entries[1].items() if key != lacks}
        refused("InvalidParameter", topic.publish_batch, [entries[0] | {"MessageDeduplicationId": "new"}, wrong], now=3)
    assert len(queue) == 3


# ---------------------------------------------------------------------- FIFO topics, groups


def test_given_the_same_id_within_five_minutes_then_it_is_accepted_and_not_delivered():
    """Publish, MessageDeduplicationId, and SequenceNumber of FIFO topics."""
    topic, queue = Topic("t.fifo"), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    first = topic.publish("a", now=0, MessageGroupId="g", MessageDeduplicationId="d")
    assert topic.publish("b", now=299, MessageGroupId="other", MessageDeduplicationId="d") == first
    later = topic.publish("c", now=300, MessageGroupId="g", MessageDeduplicationId="d")
    assert later["SequenceNumber"] > first["SequenceNumber"] and later["MessageId"] != first["MessageId"]
    assert bodies(queue, 400) == ["a", "c"] and set(Topic("t").publish("x", now=0)) == {"MessageId"}


def test_given_content_based_deduplication_then_the_body_decides_unless_an_id_is_given():
    """Publish, MessageDeduplicationId: the hash is of the body, not of the attributes."""
    topic, queue = Topic("t.fifo", ContentBasedDeduplication=True), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    for more in ({}, {"MessageAttributes": GIFT}, {"MessageDeduplicationId": "own"}):
        topic.publish("a", now=0, MessageGroupId="g", **more)
    assert bodies(queue) == ["a", "a"]
    refused("InvalidParameter", Topic, "t", ContentBasedDeduplication=True)


def test_given_a_message_that_nobody_wanted_then_its_id_counts_all_the_same():
    """Publish: deduplicated in the topic, before any filter."""
    topic, queue = Topic("t.fifo"), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0, FilterPolicy={"kind": ["gift"]})
    topic.publish("a", now=0, MessageGroupId="g", MessageDeduplicationId="d")
    topic.publish("a", now=1, MessageGroupId="g", MessageDeduplicationId="d", MessageAttributes=GIFT)
    assert len(queue) == 0


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 5)), max_size=15))
def test_given_any_messages_on_a_fifo_topic_then_every_queue_has_them_once_and_each_group_in_order(published):
    """Amazon SNS message grouping for FIFO topics."""
    topic, queues = Topic("t.fifo"), [Queue(f"q{n}.fifo") for n in range(2)]
    for queue in queues:
        topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    expected = {}
    for number, (group, id) in enumerate(published):
        topic.publish(f"{group}{number}", now=number, MessageGroupId=group, MessageDeduplicationId=str(id))
        expected.setdefault(id, f"{group}{number}")
    for queue in queues:
        found = []
        while messages := queue.receive_message(now=200, MaxNumberOfMessages=10):
            for message in messages:
                queue.delete_message(message["ReceiptHandle"], now=200)
                found.append(message["Body"])
        for group in "xyz":
            assert [body for body in found if body[0] == group] == [b for b in expected.values() if b[0] == group]


@pytest.mark.parametrize("topic, queue, forwarded", [
    ("t", "q", True), ("t.fifo", "q.fifo", True), ("t.fifo", "q", False)])
def test_given_a_group_then_queues_of_the_topics_own_kind_are_told(topic, queue, forwarded):
    """Publish, MessageGroupId (standard topics: fair queues); Amazon SNS message grouping for FIFO topics."""
    topic, queue = Topic(topic), Queue(queue)
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    topic.publish("x", now=0, MessageGroupId="g", **({"MessageDeduplicationId": "d"} if topic.fifo else {}))
    [message] = queue.receive_message(now=1)
    assert ("MessageGroupId" in message["Attributes"]) == forwarded


def test_given_a_fifo_queue_that_throttles_then_sns_tries_again_and_nothing_is_lost_or_out_of_order():
    """Amazon SNS dead-letter queues: an endpoint that can't process a valid request is a server-side error."""
    topic, queue = Topic("t.fifo"), Queue("q.fifo")
    topic.subscribe("sqs", queue, now=0, RawMessageDelivery=True)
    for number in range(700):
        topic.publish(str(number), now=0.5, MessageGroupId="g", MessageDeduplicationId=str(number))
    assert len(queue) == 700 and topic.lost == []
    assert queue.get_queue_attributes(now=0.5)["ApproximateNumberOfMessages"] == 300
    found = []
    for now in range(5, 75):
        for message in queue.receive_message(now, MaxNumberOfMessages=10):
            queue.delete_message(message["ReceiptHandle"], now)
            found.append(message["Body"])
    assert found == [str(number) for number in range(700)]


# ---------------------------------------------------------------------- subscriptions


@pytest.mark.parametrize("protocol, endpoint", [
    ("sqs", "arn:aws:sqs:us-east-1:123456789012:q.fifo"), ("sqs", Queue("q.fifo")), ("email", Queue("q")),
    ("lambda", 7), ("sqs", "https://example.com"), ("https", "ftp://example.com")])
def test_given_an_endpoint_that_does_not_fit_then_it_is_refused(protocol, endpoint):
    """Subscribe, Endpoint; FIFO queues subscribe to FIFO topics only."""
    refused("InvalidParameter", Topic("t").subscribe, protocol, endpoint, now=0)


@pytest.mark.parametrize("protocol, endpoint", [("sqs", Queue("q")), ("email", "ann@example.com")])
def test_given_an_endpoint_that_is_subscribed_already_then_it_gets_one_copy(protocol, endpoint):
    """Subscribe: the same subscription again, refused only with other attributes."""
    topic = Topic("t")
    first = subscribed(topic, protocol, endpoint, FilterPolicy={"kind": ["gift"]})
    for same in ({}, {"FilterPolicy": {"kind": ["gift"]}}):
        assert topic.subscribe(protocol, endpoint, now=1, **same) is first
    refused("InvalidParameter", topic.subscribe, protocol, endpoint, now=1, FilterPolicy={"kind": ["other"]})
    assert topic.subscriptions == [first] and first.FilterPolicy == {"kind": ["gift"]}


def test_given_a_subscription_taken_back_then_its_name_is_not_given_again():
    """Unsubscribe; twice is no error."""
    topic, queue = Topic("t"), Queue("a")
    first = topic.subscribe("sqs", queue, now=0)
    topic.unsubscribe(first), topic.unsubscribe(first)
    assert topic.subscribe("sqs", queue, now=1).arn != first.arn
