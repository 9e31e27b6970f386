"""A topic: what is published once is pushed to every subscriber that wants it.

    topic = Topic("orders")
    topic.subscribe("sqs", parcels, now=0, FilterPolicy={"kind": ["parcel"]})
    topic.publish("two shirts", now=1, MessageAttributes={"kind": {"DataType": "String", "StringValue": "parcel"}})

A subscriber that is a model queue gets its copy at once. Any other endpoint is a text, or a function of (message, now)
that raises when it is down; then SNS tries again, on the schedule of ``retries``, and in the end the message goes to the
subscription's dead-letter queue, or is lost. What a subscriber's queue refuses, as it is too big for it, is not tried again.

**Simplified** A push takes no time. Retries are worked out when asked for, not lived through.
**Not modelled** A topic's MaximumMessageSize (up to 1 MiB; here the default of 256 KiB holds), signatures, encryption, delivery status logs, SMS and mobile push themselves, archive and replay.

Amazon SNS Developer Guide, read 2026-11-23: "Amazon SNS message delivery retries". API Reference, in the copy that
botocore 1.44.5 carries: "Publish", "Subscribe". Opened in part: "Amazon SNS dead-letter queues", "Amazon SNS raw
message delivery". Not opened anew: "FIFO topics". For filters see ``filter_policy``.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from kit.errors import ServiceError
from kit.integration.filter_policy import check_filter_policy, matches
from kit.integration.sqs import Queue
from kit.integration.sqs_check import size_of
from kit.integration.sqs_fifo import Deduplication

__all__ = ["PROTOCOLS", "Phase", "Subscription", "Topic", "check_filter_policy", "matches", "retries"]

LARGEST = 262_144  # bytes of a message with its attributes ("Publish")
PROTOCOLS = {  # what an endpoint looks like ("Subscribe")
    "http": r"http://.+", "https": r"https://.+", "email": r"[^@\s]+@[^@\s]+", "email-json": r"[^@\s]+@[^@\s]+",
    "sms": r"\+?[\d-]+", "sqs": r"arn:aws:sqs:.+", "application": r"arn:aws:sns:.+", "lambda": r"arn:aws:lambda:.+",
    "firehose": r"arn:aws:firehose:.+"}
RAW = ("sqs", "http", "https", "firehose")  # "Amazon SNS raw message delivery"
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
    phases = MANAGED if protocol in ("sqs", "lambda", "firehose") else HTTP if protocol.startswith("http") else CUSTOMER
    now, times = 0.0, []
    for phase in phases:
        growth = (phase.last / phase.first) ** (1 / (phase.tries - 1)) if phase.first and phase.tries > 1 else 1
        for number in range(phase.tries):
            now += phase.first * growth**number
            times.append((now, phase.name))
    return times


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
            raise ServiceError("InvalidParameter", f"A topic's name is letters, digits, - and _ (and .fifo), not {name!r}.")
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
        """Push a copy to every confirmed subscriber whose filter it passes: ``{"MessageId": ...}``."""
        attributes = MessageAttributes or {}
        size = size_of(Message, attributes)
        if not Message or size > LARGEST:
            raise ServiceError("InvalidParameter", f"A message is 1 to {LARGEST:,} bytes with its attributes, not {size:,}.")
        if not self.fifo:
            if MessageDeduplicationId is not None:
                raise ServiceError("InvalidParameter", "Only FIFO topics know a MessageDeduplicationId.")
            return self._send(Message, now, Subject, attributes, MessageGroupId)
        if not MessageGroupId:
            raise ServiceError("InvalidParameter", "A FIFO topic needs a MessageGroupId: order is kept in each group.")
        key = MessageDeduplicationId or self.ContentBasedDeduplication and hashlib.sha256(Message.encode()).hexdigest()
        if not key:
            raise ServiceError("InvalidParameter", "A FIFO topic needs a MessageDeduplicationId, or ContentBasedDeduplication.")
        return self._deduplication.once(key, MessageGroupId, now, lambda: self._send(
            Message, now, Subject, attributes, MessageGroupId, key))

    def subscribe(self, Protocol: str, Endpoint, now: float, FilterPolicy: dict | None = None,
                  FilterPolicyScope: str = "MessageAttributes", RawMessageDelivery: bool = False,
                  dead_letter_queue: Queue | None = None) -> Subscription:
        """Add a subscriber. People and web servers must confirm first; queues and functions need not.

        Endpoint: a text as PROTOCOLS wants it, a model Queue (for "sqs"), or a function of (message, now).
        """
        if Protocol not in PROTOCOLS:
            raise ServiceError("InvalidParameter", f"No protocol {Protocol!r}; there are {', '.join(PROTOCOLS)}.")
        if isinstance(Endpoint, str) and not re.fullmatch(PROTOCOLS[Protocol], Endpoint):
            raise ServiceError("InvalidParameter", f"{Endpoint!r} is no endpoint for {Protocol}.")
        if isinstance(Endpoint, Queue) and Endpoint.fifo and not self.fifo:
            raise ServiceError("InvalidParameter", "A FIFO queue can subscribe to a FIFO topic only.")
        if self.fifo and Protocol != "sqs":
            raise ServiceError("InvalidParameter", "To a FIFO topic only SQS queues can subscribe.")
        if RawMessageDelivery and Protocol not in RAW:
            raise ServiceError("InvalidParameter", f"Raw delivery is for {', '.join(RAW)}, not for {Protocol}.")
        if dead_letter_queue is not None and dead_letter_queue.fifo != self.fifo:
            raise ServiceError("InvalidParameter", "A FIFO topic's dead-letter queue is a FIFO queue, a standard one's a standard queue.")
        if FilterPolicy is not None:
            check_filter_policy(FilterPolicy, FilterPolicyScope)
        self._subscribed += 1
        subscription = Subscription(f"{self.arn}:{self._subscribed:08}", Protocol, Endpoint, Protocol not in CONFIRMED_BY_HAND, FilterPolicy,
                                    FilterPolicyScope, RawMessageDelivery, dead_letter_queue)
        self.subscriptions.append(subscription)
        return subscription

    def confirm_subscription(self, subscription: Subscription) -> None:
        subscription.confirmed = True

    def unsubscribe(self, subscription: Subscription) -> None:
        self.subscriptions.remove(subscription)

    def _send(self, message, now, subject, attributes, group=None, deduplication=None):
        self._serial += 1
        envelope = {"Type": "Notification", "MessageId": f"{self.name}-{self._serial}", "TopicArn": self.arn}
        envelope |= {"Subject": subject} if subject else {}
        for subscription in self.subscriptions:
            if subscription.confirmed and subscription.wants(message, attributes):
                self._deliver(subscription, envelope, message, attributes, now, group, deduplication)
        return {"MessageId": envelope["MessageId"]}

    def _deliver(self, subscription, envelope, message, attributes, now, group, deduplication):
        raw = subscription.RawMessageDelivery
        text = message if raw else json.dumps(envelope | {"Message": message} | (
            {"MessageAttributes": {name: {"Type": value["DataType"], "Value": value.get("StringValue")}
                                   for name, value in attributes.items()}} if attributes else {}))
        endpoint = subscription.endpoint
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": deduplication} if self.fifo else {}
        if isinstance(endpoint, Queue):
            try:
                endpoint.send_message(text, now, MessageAttributes=attributes if raw else None, **(fifo if endpoint.fifo else {}))
            except ServiceError as error:
                if error.code == "RequestThrottled":
                    raise  # not the subscriber's fault, and its publisher has to slow down
                self._give_up(subscription, text, now, **fifo)
        elif isinstance(endpoint, Callable):
            self._push(subscription, text, now)
        else:
            subscription.received.append((now, text))

    def _push(self, subscription, text, now):
        """Try, and try again on the schedule; then the dead-letter queue, or nothing."""
        for wait in (0.0, *(seconds for seconds, _ in retries(subscription.protocol))):
            try:
                subscription.endpoint(text, now + wait)
            except ConnectionError:
                continue
            subscription.received.append((now + wait, text))
            return
        self._give_up(subscription, text, now + wait)

    def _give_up(self, subscription, text, now, **fifo):
        if subscription.dead_letter_queue is not None:
            subscription.dead_letter_queue.send_message(text, now, **fifo)
        else:
            self.lost.append((subscription, text))
