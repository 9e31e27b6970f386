"""A queue: messages are sent, received, hidden for a while, and gone only when they are deleted.

Receiving does not remove a message. It hides it for the visibility timeout and hands out a receipt handle. Whoever
deletes with that handle in time is done; if nobody does, the message is visible again and somebody receives it once
more. All that surprises in SQS follows from this.

    queue = Queue("orders", VisibilityTimeout=30)
    queue.send_message("two shirts", now=0)
    [message] = queue.receive_message(now=1)
    queue.delete_message(message["ReceiptHandle"], now=5)

Every method takes ``now``, in seconds; nothing happens in between.

**Simplified** A standard queue on AWS now and then delivers a message twice, out of order, or not to the first short
poll; AWS publishes no rate. Here ``duplicates``, ``disorder`` and ``overlooked`` are probabilities, 0 unless given. A
receive answers at once: ``waits_until`` says how long a long poll would wait. Counts are exact, purge and redrive are
done at once, an old receipt handle of a standard queue still deletes (AWS: it might not), and handles tell the truth.
**Not modelled** Policies, encryption, the throughput of standard queues (nearly unlimited), and that fair queues serve
tenants alike (a standard queue takes a MessageGroupId and tells it to the consumer, nothing more).

Amazon SQS API Reference, in the copy that botocore 1.44.5 carries, read 2026-11-23: "CreateQueue", "SendMessage",
"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "PurgeQueue", "StartMessageMoveTask". Developer Guide:
"Learn how to configure a dead-letter queue redrive in Amazon SQS", "Quotas related to queues" (read 2026-11-28); not
opened anew: "Amazon SQS visibility timeout",
"Exactly-once processing in Amazon SQS", "Using dead-letter queues in Amazon SQS"; that a FIFO queue refuses an expired
handle is known from its error messages.
"""

import hashlib
import random
from dataclasses import dataclass
from math import inf

from kit.errors import ServiceError
from kit.integration.sqs_check import (ATTRIBUTES, BATCH, DAY, LONGEST_HIDDEN, batch, check_attributes, check_fifo,
                                       check_id, check_message, check_name, check_number)
from kit.integration.sqs_fifo import CALLS, HIGH_THROUGHPUT_CALLS, Attempts, Deduplication, Quota, in_order

__all__ = ["ATTRIBUTES", "BATCH", "DAY", "Message", "Queue"]

IN_FLIGHT = 120_000  # messages received, not deleted ("Amazon SQS message quotas"; FIFO queues: 20,000 until late 2024)


@dataclass(eq=False)
class Message:
    """A message in a queue: to be received from ``visible_at`` on."""

    id: str
    body: str
    attributes: dict
    sent_at: float
    visible_at: float
    serial: int
    group: str | None = None
    deduplication: str | None = None
    receives: int = 0
    first_received_at: float | None = None
    received_at: float | None = None  # this time; the 12 hours of a visibility timeout count from here
    handle: str | None = None  # the newest receipt handle; a standard queue takes older ones, too
    source: "Queue | None" = None  # of a dead letter: where it came from

    def in_flight(self, now: float) -> bool:
        return self.receives > 0 and self.visible_at > now


class Queue:
    """A standard queue, or a FIFO queue if its name ends in ``.fifo``.

    dead_letter_queue, maxReceiveCount: the redrive policy. attributes: those of ATTRIBUTES, in seconds and bytes.
    duplicates: how likely a receive or a delete misses a copy of the message on another server. disorder: how likely a
    receive looks at messages in any order. overlooked: how likely a short poll does not see a message. seed: for these.
    """

    def __init__(self, name: str, dead_letter_queue: "Queue | None" = None, maxReceiveCount: int = 10,
                 ContentBasedDeduplication: bool = False, DeduplicationScope: str = "queue",
                 FifoThroughputLimit: str = "perQueue", seed: int = 1, duplicates: float = 0.0, disorder: float = 0.0,
                 overlooked: float = 0.0, **attributes):
        check_name(name)
        self.name, self.fifo = name, name.endswith(".fifo")
        self.arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        if dead_letter_queue is not None and dead_letter_queue.fifo != self.fifo:
            raise ServiceError("InvalidParameterValue", "A dead-letter queue is of the same kind as its source: "
                                                        "standard with standard, FIFO with FIFO.")
        if not 1 <= maxReceiveCount <= 1000:
            raise ServiceError("InvalidParameterValue", f"maxReceiveCount is 1 to 1000, not {maxReceiveCount}.")
        check_fifo(self.fifo, ContentBasedDeduplication, DeduplicationScope, FifoThroughputLimit)
        if not all(0 <= part <= 1 for part in (duplicates, disorder, overlooked)):
            raise ValueError("duplicates, disorder and overlooked are probabilities, from 0 to 1")
        self.dead_letter_queue, self.maxReceiveCount = dead_letter_queue, maxReceiveCount
        self.ContentBasedDeduplication = ContentBasedDeduplication
        self._deduplication, self._attempts = Deduplication(DeduplicationScope == "messageGroup"), Attempts()
        self._quota = Quota(CALLS if FifoThroughputLimit == "perQueue" else HIGH_THROUGHPUT_CALLS)
        self.attributes = {key: default for key, (default, _, _) in ATTRIBUTES.items()}
        self._duplicates, self._disorder, self._overlooked = duplicates, disorder, overlooked
        self._random = random.Random(seed)
        self._messages = {}  # by id, in the order of sending
        self._handles = {}  # receipt handle -> message id
        self._fates = {}  # id of a message that is gone -> what became of it
        self._serial = self._handed_out = 0
        self._purged_at = None
        self._is_dead_letter_queue = False
        self._next_expiry = inf  # nothing expires before; spares a look at every message
        self.expired = []  # messages that the retention period took
        self.set_queue_attributes(**attributes)
        if dead_letter_queue is not None:
            dead_letter_queue._is_dead_letter_queue = True

    def __repr__(self) -> str:
        return f"<Queue {self.name}: {len(self)} messages>"

    def __len__(self) -> int:
        """Messages in it, whether anybody can see them or not."""
        return len(self._messages)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._messages

    # ------------------------------------------------------------------ the operations

    def receive_message(self, now: float, MaxNumberOfMessages: int = 1, VisibilityTimeout: int | None = None,
                        WaitTimeSeconds: int | None = None, ReceiveRequestAttemptId: str | None = None) -> list[dict]:
        """Up to so many messages that are visible now, hidden from everybody else from here on.

        Each: MessageId, ReceiptHandle, Body, MessageAttributes, Attributes (ApproximateReceiveCount, ...; in seconds).
        ServiceError OverLimit when a short poll finds too many messages in flight, InvalidParameterValue for a number out
        of range.
        """
        check_number("MaxNumberOfMessages", MaxNumberOfMessages, 1, BATCH)
        timeout, wait = self.attributes["VisibilityTimeout"], self.attributes["ReceiveMessageWaitTimeSeconds"]
        if VisibilityTimeout is not None:
            check_number("VisibilityTimeout", timeout := VisibilityTimeout, 0, LONGEST_HIDDEN)
        if WaitTimeSeconds is not None:
            check_number("WaitTimeSeconds", wait := WaitTimeSeconds, *ATTRIBUTES["ReceiveMessageWaitTimeSeconds"][1:])
        if ReceiveRequestAttemptId is not None and not self.fifo:
            raise ServiceError("InvalidParameterValue", "Only FIFO queues know a ReceiveRequestAttemptId.")
        self._begin("receive_message", now)
        if ReceiveRequestAttemptId is not None:
            check_id("ReceiveRequestAttemptId", ReceiveRequestAttemptId)
            if again := self._attempts.again(ReceiveRequestAttemptId, timeout, now, self):
                return again
        chosen, dead = [], []
        for message in self._candidates(now, short=wait == 0):
            if self._is_dead(message):
                dead.append(message)
                continue
            chosen.append(message)
            if len(chosen) == MaxNumberOfMessages:
                break
        room = self._room(chosen, now, short=wait == 0)  # a refused call moves nothing
        for message in dead:
            self._move(message, self.dead_letter_queue, now)
        received = [self._hand_out(message, timeout, now) for message in chosen[:room]]
        if ReceiveRequestAttemptId is not None:
            self._attempts.remember(ReceiveRequestAttemptId, now, received, chosen[:len(received)])
        return received

    def delete_message(self, ReceiptHandle: str, now: float) -> None:
        """The message is gone for good. Deleting it again is no error; a handle that never was is one."""
        self._begin("delete_message", now)
        self._delete(ReceiptHandle, now)

    def change_message_visibility(self, ReceiptHandle: str, VisibilityTimeout: int, now: float) -> None:
        """Hide it for so long from now instead; 0 gives it back at once. At most 12 hours from this receive."""
        self._begin("change_message_visibility", now)
        self._change_visibility(ReceiptHandle, VisibilityTimeout, now)

    def send_message(self, MessageBody: str, now: float, DelaySeconds: int | None = None,
                     MessageGroupId: str | None = None, MessageDeduplicationId: str | None = None,
                     MessageAttributes: dict | None = None) -> dict:
        """Put a message into the queue: ``{"MessageId": ..., "SequenceNumber": ...}`` (the number on FIFO queues)."""
        self._begin("send_message", now)
        return self._send(MessageBody, now, DelaySeconds, MessageGroupId, MessageDeduplicationId, MessageAttributes)

    def send_message_batch(self, Entries: list[dict], now: float) -> dict:
        """Up to ten sends in one call: ``{"Successful": [...], "Failed": [...]}``; one may fail without the others."""
        self._begin("send_message", now)
        return batch(Entries, ["MessageBody"], lambda entry: self._send(now=now, **entry))

    def delete_message_batch(self, Entries: list[dict], now: float) -> dict:
        """Up to ten deletes in one call, answered like send_message_batch."""
        self._begin("delete_message", now)
        return batch(Entries, ["ReceiptHandle"], lambda entry: self._delete(now=now, **entry))

    def change_message_visibility_batch(self, Entries: list[dict], now: float) -> dict:
        """Up to ten changes in one call, answered like send_message_batch."""
        self._begin("change_message_visibility", now)
        return batch(Entries, ["ReceiptHandle", "VisibilityTimeout"],
                     lambda entry: self._change_visibility(now=now, **entry))

    def set_queue_attributes(self, **attributes) -> None:
        """Change attributes; ServiceError InvalidAttributeName or InvalidAttributeValue. A shorter retention counts for
        the messages that are there, too."""
        check_attributes(attributes)
        self.attributes |= attributes
        self._next_expiry = -inf

    def purge_queue(self, now: float) -> None:
        """Drop everything; once a minute at most."""
        self._begin("purge_queue", now)
        if self._purged_at is not None and now < self._purged_at + 60:
            raise ServiceError("AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue a minute.")
        self._purged_at = now
        for message in list(self._messages.values()):
            self._drop(message, "purged")

    def start_message_move_task(self, destination: "Queue | None", now: float) -> int:
        """Redrive: move what can be received from this dead-letter queue, each as a new message; returns how many.

        destination: any queue of the same kind, or None for the queue where each came from; what was sent here directly
        then stays. Only dead-letter queues of other queues can be emptied so, not those of topics and functions.
        """
        self._begin("start_message_move_task", now)
        if not self._is_dead_letter_queue:
            raise ServiceError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if destination is not None and destination.fifo != self.fifo:
            raise ServiceError("InvalidParameterValue", "Messages move between queues of one kind: standard or FIFO.")
        moved = 0
        for message in list(self._receivable(now)):
            target = message.source if destination is None else destination
            if target is not None:
                self._drop(message, "redriven")
                target._take_in(message.body, message.attributes, now, now, message.group, message.deduplication)
                moved += 1
        return moved

    # ------------------------------------------------------------------ what is in it

    def get_queue_attributes(self, now: float) -> dict:
        """The three counts of boto3; AWS calls them approximate, here they are exact."""
        self._expire(now)
        hidden = [message.receives > 0 for message in self._messages.values() if message.visible_at > now]
        return {"ApproximateNumberOfMessages": len(self._messages) - len(hidden),
                "ApproximateNumberOfMessagesNotVisible": sum(hidden),
                "ApproximateNumberOfMessagesDelayed": len(hidden) - sum(hidden)}

    def in_flight(self, now: float) -> int:
        return sum(message.in_flight(now) for message in self._messages.values())

    def anything_visible(self, now: float) -> bool:
        """Whether ApproximateNumberOfMessages is above 0, without counting them all."""
        self._expire(now)
        return any(message.visible_at <= now for message in self._messages.values())

    def state_of(self, MessageId: str, now: float) -> str:
        """Where a message is: visible, delayed, in flight, deleted, expired, dead letter, purged or redriven."""
        self._expire(now)
        message = self._messages.get(MessageId)
        if message is None:
            if MessageId not in self._fates:
                raise ValueError(f"{self} never had a message {MessageId!r}")
            return self._fates[MessageId]
        return "visible" if message.visible_at <= now else "in flight" if message.receives else "delayed"

    def waits_until(self, now: float, WaitTimeSeconds: int = 20) -> float:
        """When a long poll that begins now is answered, if nobody sends or takes anything meanwhile."""
        check_number("WaitTimeSeconds", WaitTimeSeconds, *ATTRIBUTES["ReceiveMessageWaitTimeSeconds"][1:])
        self._expire(now)
        end = now + WaitTimeSeconds
        changes = {time for message in self._messages.values() for time in (message.visible_at, self._expires(message))}
        for time in (now, *sorted(time for time in changes if now < time < end)):
            if any(not self._is_dead(message) for message in self._receivable(time)):
                return time
        return end

    # ------------------------------------------------------------------ inside

    def _receivable(self, now):
        """Messages that may be received now, oldest first."""
        messages = self._messages.values()
        if now >= self._next_expiry:
            messages = (message for message in messages if self._expires(message) > now)
        if self.fifo:
            return in_order(messages, now)
        return (message for message in messages if message.visible_at <= now)

    def _expires(self, message):
        return message.sent_at + self.attributes["MessageRetentionPeriod"]

    def _is_dead(self, message):
        """Was it received so often that the next receive moves it to the dead-letter queue?"""
        return self.dead_letter_queue is not None and message.receives >= self.maxReceiveCount

    def _candidates(self, now, short):
        """The same in the order the queue gives them, as far as a short poll of a standard queue sees them."""
        messages = self._receivable(now)
        if not self.fifo and self._strikes(self._disorder):
            messages = list(messages)
            self._random.shuffle(messages)
        if not self.fifo and short and self._overlooked:
            messages = [message for message in messages if not self._strikes(self._overlooked)]
        return messages

    def _room(self, chosen, now, short):
        """How many of these may go in flight. A full standard queue says so to short polls ("Quotas related to queues");
        long polls, and polls of a full FIFO queue, just get nothing."""
        if len(self) < IN_FLIGHT:  # the count is dear, so look first
            return len(chosen)
        room = IN_FLIGHT - self.in_flight(now)
        if chosen and room <= 0 and short and not self.fifo:
            raise ServiceError("OverLimit", f"{IN_FLIGHT:,} messages are in flight; delete some first.")
        return max(0, room)

    def _hand_out(self, message, timeout, now):
        self._handed_out += 1
        message.handle = f"{message.id}#{self._handed_out}"
        self._handles[message.handle] = message.id
        message.receives += 1
        message.received_at = now
        message.first_received_at = now if message.first_received_at is None else message.first_received_at
        missed = not self.fifo and self._strikes(self._duplicates)
        message.visible_at = now if missed else now + timeout  # a copy of it was not told of the receive
        attributes = {"ApproximateReceiveCount": message.receives, "SentTimestamp": message.sent_at,
                      "ApproximateFirstReceiveTimestamp": message.first_received_at}
        if message.group is not None:
            attributes["MessageGroupId"] = message.group
        if self.fifo:
            attributes |= {"MessageDeduplicationId": message.deduplication, "SequenceNumber": f"{message.serial:020}"}
        if message.source is not None:
            attributes["DeadLetterQueueSourceArn"] = message.source.arn
        return {"MessageId": message.id, "ReceiptHandle": message.handle, "Body": message.body,
                "MessageAttributes": message.attributes, "Attributes": attributes}

    def _delete(self, ReceiptHandle, now):
        message = self._messages.get(self._known(ReceiptHandle))
        if message is None:
            return
        self._check_expired(message, ReceiptHandle, now)
        if self._strikes(self._duplicates):
            return  # one of the servers with a copy was away; it comes back with the end of the visibility timeout
        self._drop(message, "deleted")

    def _change_visibility(self, ReceiptHandle, VisibilityTimeout, now):
        check_number("VisibilityTimeout", VisibilityTimeout, 0, LONGEST_HIDDEN)
        message = self._messages.get(self._known(ReceiptHandle))
        if message is None:
            raise _no_handle(ReceiptHandle, "Message does not exist or is not available for visibility timeout change.")
        if not message.in_flight(now):
            raise ServiceError("AWS.SimpleQueueService.MessageNotInflight",
                               "The message is not in flight: it is visible again.")
        self._check_expired(message, ReceiptHandle, now)
        if now + VisibilityTimeout > message.received_at + LONGEST_HIDDEN:
            raise ServiceError("InvalidParameterValue",
                               "A message is hidden for 12 hours at most, from when it was received.")
        message.visible_at = now + VisibilityTimeout

    def _send(self, MessageBody, now, DelaySeconds=None, MessageGroupId=None, MessageDeduplicationId=None,
              MessageAttributes=None):
        check_message(MessageBody, MessageAttributes or {}, self.attributes["MaximumMessageSize"])
        delay = self.attributes["DelaySeconds"] if DelaySeconds is None else DelaySeconds
        check_number("DelaySeconds", delay, *ATTRIBUTES["DelaySeconds"][1:])
        if MessageGroupId is not None:
            check_id("MessageGroupId", MessageGroupId)
        if not self.fifo:
            if MessageDeduplicationId is not None:
                raise ServiceError("InvalidParameterValue", "Only FIFO queues know a MessageDeduplicationId.")
            return self._take_in(MessageBody, MessageAttributes or {}, now, now + delay, MessageGroupId)
        if DelaySeconds:
            raise ServiceError("InvalidParameterValue", "A FIFO queue delays all of its messages or none.")
        if MessageGroupId is None:
            raise ServiceError("MissingParameter", "A FIFO queue needs a MessageGroupId: order is kept in each group.")
        if MessageDeduplicationId is not None:
            check_id("MessageDeduplicationId", MessageDeduplicationId)
        elif not self.ContentBasedDeduplication:
            raise ServiceError("InvalidParameterValue",
                               "A FIFO queue needs a MessageDeduplicationId, or ContentBasedDeduplication.")
        else:
            MessageDeduplicationId = hashlib.sha256(MessageBody.encode()).hexdigest()
        return self._deduplication.once(MessageDeduplicationId, MessageGroupId, now, lambda: self._take_in(
            MessageBody, MessageAttributes or {}, now, now + delay, MessageGroupId, MessageDeduplicationId))

    def _take_in(self, body, attributes, now, visible_at, group=None, deduplication=None):
        """A new message."""
        self._serial += 1
        message = Message(f"{self.name}-{self._serial}", body, attributes, now, visible_at, self._serial, group,
                          deduplication)
        self._put(message)
        return {"MessageId": message.id} | ({"SequenceNumber": f"{self._serial:020}"} if self.fifo else {})

    def _put(self, message):
        self._messages[message.id] = message
        self._next_expiry = min(self._next_expiry, self._expires(message))

    def _move(self, message, dead_letter_queue, now):
        """A dead letter stays the message it is: its id, its receive count and, on a standard queue, its age. On a FIFO
        queue its id takes the place of the deduplication id, so that two letters with the same one are both kept."""
        self._drop(message, "dead letter")
        message.visible_at, message.source = now, self
        if self.fifo:
            message.sent_at, message.deduplication = now, message.id
        dead_letter_queue._put(message)

    def _drop(self, message, fate):
        del self._messages[message.id]
        self._fates[message.id] = fate

    def _expire(self, now):
        if now < self._next_expiry:
            return
        gone = [message for message in self._messages.values() if self._expires(message) <= now]
        for message in gone:
            self._drop(message, "expired")
        self.expired += gone
        self._next_expiry = min(map(self._expires, self._messages.values()), default=inf)

    def _known(self, handle):
        if handle not in self._handles:
            raise ServiceError("ReceiptHandleIsInvalid", f"{handle!r} is no receipt handle of this queue.")
        return self._handles[handle]

    def _check_expired(self, message, handle, now):
        if self.fifo and (message.handle != handle or message.visible_at <= now):
            raise _no_handle(handle, "The receipt handle has expired: the visibility timeout is over.")

    def _begin(self, operation, now):
        """Every call: a FIFO queue counts it, and what is too old goes."""
        if self.fifo:
            self._quota.count(operation, now)
        self._expire(now)

    def _strikes(self, probability):
        return probability > 0 and self._random.random() < probability


def _no_handle(handle, reason):
    return ServiceError("InvalidParameterValue",
                        f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}")
