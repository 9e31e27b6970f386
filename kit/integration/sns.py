"""A topic: what is published once is pushed to every subscriber that wants it.

    topic = Topic("orders")
    topic.subscribe("sqs", parcels, now=0, FilterPolicy={"kind": ["parcel"]})
    topic.publish("two shirts", now=1, MessageAttributes={"kind": {"DataType": "String", "StringValue": "parcel"}})

A subscriber that is a model queue gets its copy at once. Any other endpoint is a text, or a function of (message, now).
While a function raises ConnectionError it is down, and SNS tries again on the schedule of ``retries``; so it does with
a FIFO queue that throttles. If it raises ServiceError, or a queue refuses the message as it is too big, it is not tried
again. What can't be delivered goes to the subscription's dead-letter queue, or is lost.

**Simplified** A push takes no time. Retries are worked out at once, not lived through: what arrives late is stamped
with the later time. AWS adds jitter to them. A dead letter is the text alone; what its queue refuses is lost.
**Not modelled** A topic's MaximumMessageSize (up to 1 MiB; here the default of 256 KiB holds) and its quotas,
FifoThroughputScope, MessageStructure, timestamp, signature and links in the envelope, encryption, delivery status logs,
own delivery policies, Firehose's longer retries when throttled, SMS and mobile push themselves, archive and replay.

Amazon SNS Developer Guide, read 2026-11-23: "Amazon SNS message delivery retries", "Amazon SNS dead-letter queues",
"Amazon SNS raw message delivery", "Amazon SNS message attributes", "Amazon SNS message grouping for FIFO topics". API
Reference, in the copy that botocore 1.44.5 carries: "Publish", "PublishBatch", "Subscribe". That a second Subscribe
with the same endpoint gives the same subscription is known from AWS's answers. For filters see ``filter_policy``.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from kit.errors import ServiceError
from kit.integration.filter_check import check_scope
from kit.integration.filter_policy import check_filter_policy, matches
from kit.integration.sqs import Queue
from kit.integration.sqs_check import batch, check_attribute, check_id, check_mapping, check_text, size_of
from kit.integration.sqs_fifo import Deduplication

__all__ = ["PROTOCOLS", "Phase", "Subscription", "Topic", "check_filter_policy", "matches", "retries"]

LARGEST = 262_144  # bytes of a message with its attributes, and of a whole batch ("Publish", "PublishBatch")
LONGEST_SUBJECT = 99  # characters: "less than 100" ("Publish")
PROTOCOLS = {  # what an endpoint looks like ("Subscribe")
    "http": r"http://.+", "https": r"https://.+", "email": r"[^@\s]+@[^@\s]+", "email-json": r"[^@\s]+@[^@\s]+",
    "sms": r"\+?[\d-]+", "sqs": r"arn:aws:sqs:.+", "application": r"arn:aws:sns:.+", "lambda": r"arn:aws:lambda:.+",
    "firehose": r"arn:aws:firehose:.+"}
RAW = ("sqs", "http", "https", "firehose")  # "Amazon SNS raw message delivery"
PLAIN = ("email", "sms", "application")  # get the message without the JSON around it ("Subscribe")
DEFAULTS = {"FilterPolicy": None, "FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": False,
            "dead_letter_queue": None}  # attributes of a subscription that nobody gave
CONFIRMED_BY_HAND = ("http", "https", "email", "email-json")  # "ConfirmSubscription"


@dataclass(frozen=True)
class Phase:
    """A part of a delivery policy: so many tries, from ``first`` to ``last`` seconds apart."""

    name: str
    tries: int
    first: float = 0.0
    last: float = 0.0


MANAGED = (Phase("immediate", 3), Phase("pre-backoff", 2, 1, 1), Phase("backoff", 10, 1, 20),
           Phase("post-backoff", 100_000, 20, 20))  # SQS, Lambda, Firehose: 100,015 tries over 23 days
CUSTOMER = (Phase("immediate", 0), Phase("pre-backoff", 2, 10, 10), Phase("backoff", 10, 10, 600),
            Phase("post-backoff", 38, 600, 600))  # e-mail, SMS, push: 50 tries over 6 hours
HTTP = (Phase("immediate", 0), Phase("pre-backoff", 0), Phase("backoff", 3, 20, 20),
        Phase("post-backoff", 0))  # the default for HTTP and HTTPS, which alone can be changed


def retries(protocol: str) -> list[tuple[float, str]]:
    """When SNS tries again after a failed delivery: (seconds after the first try, phase), in order.

    From "Amazon SNS message delivery retries". In the backoff phase the gaps grow; the page says exponentially, for
    these endpoints, between the first and the last gap that it names.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")
    return list(_retries(protocol))


@dataclass(eq=False)
class Subscription:
    """One subscriber of a topic."""

    arn: str
    protocol: str
    endpoint: object
    confirmed: bool
    FilterPolicy: dict | None = None
    FilterPolicyScope: str = "MessageAttributes"
    RawMessageDelivery: bool = False
    dead_letter_queue: Queue | None = None
    received: list = field(default_factory=list)  # (time, what was delivered), for endpoints that are texts

    def wants(self, message: str, attributes: dict) -> bool:
        if self.FilterPolicy is None:
            return True
        given = message if self.FilterPolicyScope == "MessageBody" else attributes
        return matches(self.FilterPolicy, self.FilterPolicyScope, given)


class Topic:
    """A standard topic, or a FIFO topic if its name ends in ``.fifo``."""

    def __init__(self, name: str, region: str = "us-east-1", account: str = "123456789012",
                 ContentBasedDeduplication: bool = False):
        if not re.fullmatch(r"[\w-]{1,256}|[\w-]{1,251}\.fifo", name, re.A):
            raise ServiceError("InvalidParameter",
                               f"A topic's name is 1 to 256 letters, digits, - and _ (and .fifo), not {name!r}.")
        if ContentBasedDeduplication and not name.endswith(".fifo"):
            raise ServiceError("InvalidParameter",
                               "Only FIFO topics, whose name ends in .fifo, know ContentBasedDeduplication.")
        self.name, self.fifo = name, name.endswith(".fifo")
        self.arn = f"arn:aws:sns:{region}:{account}:{name}"
        self.subscriptions: list[Subscription] = []
        self.lost: list[tuple] = []  # (subscription, message) that no retry and no dead-letter queue saved
        self.ContentBasedDeduplication, self._deduplication = ContentBasedDeduplication, Deduplication()
        self._serial = self._subscribed = 0

    def __repr__(self) -> str:
        return f"<Topic {self.name}: {len(self.subscriptions)} subscriptions>"

    def publish(self, Message: str, now: float, Subject: str | None = None, MessageAttributes: dict | None = None,
                MessageGroupId: str | None = None, MessageDeduplicationId: str | None = None) -> dict:
        """Push a copy to every confirmed subscriber whose filter it passes.

        Returns ``{"MessageId": ..., "SequenceNumber": ...}``, the number on FIFO topics. ServiceError InvalidParameter,
        or ParameterValueInvalid for a message attribute; nobody gets anything then.
        """
        attributes = MessageAttributes or {}
        check_text("Message", Message, "InvalidParameter")
        check_mapping(attributes, "ParameterValueInvalid")
        for name, attribute in attributes.items():
            check_attribute(name, attribute, "ParameterValueInvalid")
        size = size_of(Message, attributes)
        if not Message or size > LARGEST:
            raise ServiceError("InvalidParameter",
                               f"A message is 1 to {LARGEST:,} bytes with its attributes, not {size:,}.")
        if Subject is not None and not (0 < len(Subject) <= LONGEST_SUBJECT and Subject.isprintable()):
            raise ServiceError("InvalidParameter", f"A subject is 1 to {LONGEST_SUBJECT} characters in one line.")
        key = self._check_ids(Message, MessageGroupId, MessageDeduplicationId)
        if not self.fifo:
            return self._send(Message, now, Subject, attributes, MessageGroupId)
        return self._deduplication.once(key, MessageGroupId, now, lambda: self._send(
            Message, now, Subject, attributes, MessageGroupId, key))

    def publish_batch(self, PublishBatchRequestEntries: list[dict], now: float) -> dict:
        """Up to ten messages in one call: ``{"Successful": [...], "Failed": [...]}``; one may fail without the others.

        Entries: {"Id": ..., and the parameters of publish}. ServiceError for what is no batch, as in
        send_message_batch; and on a FIFO topic when an entry lacks its group or deduplication id.
        """
        for entry in PublishBatchRequestEntries if self.fifo else ():
            self._check_ids(entry.get("Message", ""), entry.get("MessageGroupId"), entry.get("MessageDeduplicationId"))
        return batch(PublishBatchRequestEntries, ["Message"], lambda entry: self.publish(now=now, **entry),
                     body="Message", largest=LARGEST, prefix="")

    def subscribe(self, Protocol: str, Endpoint, now: float, FilterPolicy: dict | None = None,
                  FilterPolicyScope: str = "MessageAttributes", RawMessageDelivery: bool = False,
                  dead_letter_queue: Queue | None = None) -> Subscription:
        """Add a subscriber. People and web servers must confirm first; queues and functions need not.

        Endpoint: a text as PROTOCOLS wants it, a model Queue (for "sqs"), or a function of (message, now). A text or a
        queue that is subscribed already gets no second subscription, and must not ask for other attributes; each
        function stands for an endpoint of its own.
        """
        if Protocol not in PROTOCOLS:
            raise ServiceError("InvalidParameter", f"No protocol {Protocol!r}; there are {', '.join(PROTOCOLS)}.")
        fits = (re.fullmatch(PROTOCOLS[Protocol], Endpoint) if isinstance(Endpoint, str) else
                Protocol == "sqs" if isinstance(Endpoint, Queue) else isinstance(Endpoint, Callable))
        if not fits:
            raise ServiceError("InvalidParameter", f"{Endpoint!r} is no endpoint for {Protocol}.")
        name = Endpoint.name if isinstance(Endpoint, Queue) else Endpoint
        if not self.fifo and Protocol == "sqs" and isinstance(name, str) and name.endswith(".fifo"):
            raise ServiceError("InvalidParameter", "A FIFO queue can subscribe to a FIFO topic only.")
        if self.fifo and Protocol != "sqs":
            raise ServiceError("InvalidParameter", "To a FIFO topic only SQS queues can subscribe.")
        if RawMessageDelivery and Protocol not in RAW:
            raise ServiceError("InvalidParameter", f"Raw delivery is for {', '.join(RAW)}, not for {Protocol}.")
        if dead_letter_queue is not None and dead_letter_queue.fifo != self.fifo:
            raise ServiceError("InvalidParameter", "A FIFO topic's dead letters go to a FIFO queue, a standard topic's "
                                                   "to a standard queue.")
        check_scope(FilterPolicyScope)
        if FilterPolicy is not None:
            check_filter_policy(FilterPolicy, FilterPolicyScope)
        settings = {"FilterPolicy": FilterPolicy, "FilterPolicyScope": FilterPolicyScope,
                    "RawMessageDelivery": RawMessageDelivery, "dead_letter_queue": dead_letter_queue}
        for old in self.subscriptions:
            if old.protocol == Protocol and old.endpoint == Endpoint and not isinstance(Endpoint, Callable):
                if any(value != DEFAULTS[name] and value != getattr(old, name) for name, value in settings.items()):
                    raise ServiceError("InvalidParameter", "Invalid parameter: Attributes Reason: Subscription already "
                                                           "exists with different attributes")
                return old
        self._subscribed += 1
        subscription = Subscription(f"{self.arn}:{self._subscribed:08}", Protocol, Endpoint,
                                    Protocol not in CONFIRMED_BY_HAND, **settings)
        self.subscriptions.append(subscription)
        return subscription

    def confirm_subscription(self, subscription: Subscription) -> None:
        subscription.confirmed = True

    def unsubscribe(self, subscription: Subscription) -> None:
        """No more messages for it; taking it back twice is no error."""
        self.subscriptions = [one for one in self.subscriptions if one is not subscription]

    def _check_ids(self, message, group, deduplication):
        """What stands for this message on a FIFO topic for five minutes, None on a standard one."""
        for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", deduplication)):
            if value is not None:
                check_id(name, value, "InvalidParameter")
        if not self.fifo:
            if deduplication is not None:
                raise ServiceError("InvalidParameter", "Only FIFO topics know a MessageDeduplicationId.")
            return None
        if group is None:
            raise ServiceError("InvalidParameter", "A FIFO topic needs a MessageGroupId: order is kept in each group.")
        if deduplication is None and not self.ContentBasedDeduplication:
            raise ServiceError("InvalidParameter",
                               "A FIFO topic needs a MessageDeduplicationId, or ContentBasedDeduplication.")
        return deduplication or hashlib.sha256(str(message).encode()).hexdigest()  # what is no text is refused later

    def _send(self, message, now, subject, attributes, group=None, deduplication=None):
        self._serial += 1
        answer = {"MessageId": f"{self.name}-{self._serial}"}
        answer |= {"SequenceNumber": f"{self._serial:020}"} if self.fifo else {}
        envelope = {"Type": "Notification", "TopicArn": self.arn, "Message": message} | answer
        envelope |= {"Subject": subject} if subject else {}
        if attributes:
            envelope["MessageAttributes"] = {name: _shown(value) for name, value in attributes.items()}
        for one in list(self.subscriptions):
            if one.confirmed and one.wants(message, attributes):
                text = message if one.RawMessageDelivery or one.protocol in PLAIN else json.dumps(envelope)
                if not self._deliver(one, text, attributes, now, group, deduplication):
                    self.lost.append((one, text))
        return answer

    def _deliver(self, subscription, text, attributes, now, group, deduplication) -> bool:
        """Try, and try again on the schedule; then the dead-letter queue. Is the message saved?"""
        endpoint, dead = subscription.endpoint, subscription.dead_letter_queue
        given = attributes if subscription.RawMessageDelivery else None
        at = now
        for wait in chain((0.0,), (seconds for seconds, _ in _retries(subscription.protocol))):
            at = now + wait
            try:
                if isinstance(endpoint, Queue):
                    ids = self._ids(endpoint, group, deduplication)
                    endpoint.send_message(text, at, MessageAttributes=given, **ids)
                    return True
                if isinstance(endpoint, Callable):
                    endpoint(text, at)
                subscription.received.append((at, text))
                return True
            except ConnectionError:
                continue
            except ServiceError as error:
                if error.code != "RequestThrottled":
                    break  # refused for good
        try:
            if dead is not None:
                dead.send_message(text, at, **self._ids(dead, group, deduplication))
            return dead is not None
        except ServiceError:
            return False

    def _ids(self, queue, group, deduplication):
        """What a queue is told: the group only if it is of the topic's own kind."""
        if queue.fifo:
            return {"MessageGroupId": group, "MessageDeduplicationId": deduplication}
        return {} if self.fifo else {"MessageGroupId": group}


def _retries(protocol: str) -> Iterator[tuple[float, str]]:
    phases = MANAGED if protocol in ("sqs", "lambda", "firehose") else HTTP if protocol.startswith("http") else CUSTOMER
    now = 0.0
    for phase in phases:
        growth = (phase.last / phase.first) ** (1 / (phase.tries - 1)) if phase.first and phase.tries > 1 else 1
        for number in range(phase.tries):
            now += phase.first * growth**number
            yield now, phase.name


def _shown(attribute: dict) -> dict:
    """A message attribute as the envelope has it; bytes are written in Base64."""
    value = attribute.get("StringValue") or base64.b64encode(attribute["BinaryValue"]).decode()
    return {"Type": attribute["DataType"], "Value": value}
