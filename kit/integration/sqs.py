"""A queue: messages are sent, received, hidden for a while, and gone only when they are deleted.

Receiving does not remove a message. It hides it for the visibility timeout and hands out a receipt handle. Whoever
deletes with that handle in time is done; if nobody does, the message is visible again and somebody receives it once
more. All that surprises in SQS follows from this.

    queue = Queue("orders", VisibilityTimeout=30)
    queue.send_message("two shirts", now=0)
    [message] = queue.receive_message(now=1)
    queue.delete_message(message["ReceiptHandle"], now=5)

Every method takes ``now``, in seconds; nothing happens in between.

**Simplified** A standard queue on AWS may deliver a message twice or out of order now and then; AWS publishes no rate.
Here ``duplicates`` and ``disorder`` are probabilities, 0 unless given. A receive answers at once; who polls waits.
**Not modelled** Policies, encryption, throughput quotas, the fairness of message groups on standard queues.

Amazon SQS API Reference and Developer Guide, read 2026-11-23: "CreateQueue", "SendMessage", "ReceiveMessage",
"DeleteMessage", "ChangeMessageVisibility", "PurgeQueue", "StartMessageMoveTask"; "Amazon SQS visibility timeout",
"Exactly-once processing in Amazon SQS", "Using dead-letter queues in Amazon SQS", "Amazon SQS message quotas".
"""

import hashlib
import random
import re
from dataclasses import dataclass
from math import inf

from kit.errors import ServiceError

DAY = 86_400
BATCH = 10  # entries of a batch call and messages of a receive ("Amazon SQS message quotas")
IN_FLIGHT = 120_000  # messages received and not deleted ("Amazon SQS message quotas")
DEDUPLICATION = 300  # seconds a FIFO queue remembers a deduplication id ("Exactly-once processing in Amazon SQS")
LONGEST_HIDDEN = 43_200  # seconds from the first receive ("Amazon SQS visibility timeout")
ATTRIBUTES = {  # name: (default, lowest, highest), as in "CreateQueue"
    "VisibilityTimeout": (30, 0, 43_200),
    "DelaySeconds": (0, 0, 900),
    "MessageRetentionPeriod": (4 * DAY, 60, 14 * DAY),
    "MaximumMessageSize": (1_048_576, 1024, 1_048_576),
}


@dataclass(eq=False)
class Message:
    """A message in a queue: received from ``visible_at`` on, dropped at ``expires_at``."""

    id: str
    body: str
    attributes: dict
    sent_at: float
    visible_at: float
    expires_at: float
    serial: int
    group: str | None = None
    receives: int = 0
    first_received_at: float | None = None
    handle: str | None = None  # the newest receipt handle; it stays good until the message is gone

    def in_flight(self, now: float) -> bool:
        return self.receives > 0 and self.visible_at > now


class Queue:
    """A standard queue, or a FIFO queue if its name ends in ``.fifo``.

    dead_letter_queue, maxReceiveCount: the redrive policy. attributes: those of ATTRIBUTES, in seconds and bytes.
    """

    def __init__(self, name: str, dead_letter_queue: "Queue | None" = None, maxReceiveCount: int = 10,
                 ContentBasedDeduplication: bool = False, seed: int = 1, duplicates: float = 0.0,
                 disorder: float = 0.0, **attributes):
        if not re.fullmatch(r"[\w-]{1,80}|[\w-]{1,75}\.fifo", name, re.A):
            raise ServiceError("InvalidParameterValue", f"A queue's name is 1 to 80 letters, digits, - and _ "
                                                        f"(a FIFO queue's ends in .fifo), not {name!r}.")
        self.name, self.fifo = name, name.endswith(".fifo")
        self.attributes = {key: default for key, (default, _, _) in ATTRIBUTES.items()}
        self.ContentBasedDeduplication = ContentBasedDeduplication
        self.dead_letter_queue, self.maxReceiveCount = dead_letter_queue, maxReceiveCount
        if dead_letter_queue is not None and dead_letter_queue.fifo != self.fifo:
            raise ServiceError("InvalidParameterValue", "A dead-letter queue is of the same kind as its source: "
                                                        "standard with standard, FIFO with FIFO.")
        if not 1 <= maxReceiveCount <= 1000:
            raise ServiceError("InvalidParameterValue", f"maxReceiveCount is 1 to 1000, not {maxReceiveCount}.")
        self.set_queue_attributes(**attributes)
        self._duplicates, self._disorder, self._random = duplicates, disorder, random.Random(seed)
        self._messages = {}  # by id, in the order of sending
        self._handles = {}  # receipt handle -> message id
        self._sent_before = {}  # deduplication id -> (time, answer)
        self._serial = self._handed_out = 0
        self._purged_at = None
        self._next_expiry = inf  # nothing expires before; spares a look at every message
        self.expired = []  # messages that the retention period took

    def __repr__(self) -> str:
        return f"<Queue {self.name}: {len(self)} messages>"

    def __len__(self) -> int:
        """Messages in it, whether anybody can see them or not."""
        return len(self._messages)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._messages

    # ------------------------------------------------------------------ the operations

    def set_queue_attributes(self, **attributes) -> None:
        """Change attributes; ServiceError InvalidAttributeName or InvalidAttributeValue."""
        for key, value in attributes.items():
            if key not in ATTRIBUTES:
                raise ServiceError("InvalidAttributeName", f"Unknown attribute {key}; there are {', '.join(ATTRIBUTES)}.")
            _, low, high = ATTRIBUTES[key]
            if not (isinstance(value, int) and low <= value <= high):
                raise ServiceError("InvalidAttributeValue", f"{key} is a whole number from {low} to {high}, not {value}.")
        self.attributes |= attributes

    def receive_message(self, now: float, MaxNumberOfMessages: int = 1, VisibilityTimeout: int | None = None) -> list[dict]:
        """Up to so many messages that are visible now, hidden from everybody else from here on.

        Each: MessageId, ReceiptHandle, Body, MessageAttributes, Attributes (ApproximateReceiveCount, ...).
        ServiceError OverLimit when too many messages are in flight, InvalidParameterValue for a number out of range.
        """
        _within("MaxNumberOfMessages", MaxNumberOfMessages, 1, BATCH)
        timeout = self.attributes["VisibilityTimeout"] if VisibilityTimeout is None else VisibilityTimeout
        _within("VisibilityTimeout", timeout, 0, LONGEST_HIDDEN)
        self._expire(now)
        received = []
        for message in self._candidates(now):
            if self.dead_letter_queue is not None and message.receives >= self.maxReceiveCount:
                self._move(message, self.dead_letter_queue, now)
                continue
            if len(self) >= IN_FLIGHT and self.in_flight(now) >= IN_FLIGHT:  # the count is dear, so look first
                raise ServiceError("OverLimit", f"{IN_FLIGHT:,} messages are in flight; delete some first.")
            received.append(self._hand_out(message, timeout, now))
            if len(received) == MaxNumberOfMessages:
                break
        return received

    def delete_message(self, ReceiptHandle: str, now: float) -> None:
        """The message is gone for good. Deleting it again is no error; a handle that never was is one."""
        self._expire(now)
        message = self._messages.get(self._known(ReceiptHandle))
        if message is None:
            return
        if self.fifo and (message.handle != ReceiptHandle or message.visible_at <= now):
            raise ServiceError("InvalidParameterValue", "The receipt handle has expired: the visibility timeout is over, "
                                                        "and a FIFO queue no longer takes it.")
        del self._messages[message.id]

    def change_message_visibility(self, ReceiptHandle: str, VisibilityTimeout: int, now: float) -> None:
        """Hide it for so long from now instead; 0 gives it back at once. At most 12 hours from the first receive."""
        _within("VisibilityTimeout", VisibilityTimeout, 0, LONGEST_HIDDEN)
        self._expire(now)
        message = self._messages.get(self._known(ReceiptHandle))
        if message is None or not message.in_flight(now):
            raise ServiceError("AWS.SimpleQueueService.MessageNotInflight", "The message is not in flight: it is visible again, or gone.")
        if now + VisibilityTimeout > message.first_received_at + LONGEST_HIDDEN:
            raise ServiceError("InvalidParameterValue", "A message is hidden for 12 hours at most, from its first receive.")
        message.visible_at = now + VisibilityTimeout

    def send_message(self, MessageBody: str, now: float, DelaySeconds: int | None = None, MessageGroupId: str | None = None,
                     MessageDeduplicationId: str | None = None, MessageAttributes: dict | None = None) -> dict:
        """Put a message into the queue: ``{"MessageId": ..., "SequenceNumber": ...}`` (the number on FIFO queues)."""
        size = len(MessageBody.encode())
        if not size:
            raise ServiceError("MissingParameter", "The request must contain the parameter MessageBody.")
        if not size <= self.attributes["MaximumMessageSize"]:
            raise ServiceError("InvalidParameterValue", f"A body has at most {self.attributes['MaximumMessageSize']} bytes, "
                                                        f"not {size}. Put big things into S3 and send their address.")
        self._expire(now)
        delay = self.attributes["DelaySeconds"] if DelaySeconds is None else DelaySeconds
        _within("DelaySeconds", delay, *ATTRIBUTES["DelaySeconds"][1:])
        if self.fifo:
            if DelaySeconds:
                raise ServiceError("InvalidParameterValue", "A FIFO queue delays all of its messages or none.")
            if not MessageGroupId:
                raise ServiceError("MissingParameter", "A FIFO queue needs a MessageGroupId: order is kept in each group.")
            key = MessageDeduplicationId or self.ContentBasedDeduplication and hashlib.sha256(MessageBody.encode()).hexdigest()
            if not key:
                raise ServiceError("InvalidParameterValue", "A FIFO queue needs a MessageDeduplicationId, or "
                                                            "ContentBasedDeduplication.")
            before, answer = self._sent_before.get(key, (None, None))
            if before is not None and now < before + DEDUPLICATION:
                return answer  # taken, and not put into the queue a second time
        elif MessageDeduplicationId:
            raise ServiceError("InvalidParameterValue", "Only FIFO queues know a MessageDeduplicationId.")
        self._serial += 1
        message = Message(f"{self.name}-{self._serial}", MessageBody, MessageAttributes or {}, now, now + delay,
                          now + self.attributes["MessageRetentionPeriod"], self._serial, MessageGroupId)
        self._take_in(message)
        answer = {"MessageId": message.id} | ({"SequenceNumber": f"{self._serial:020}"} if self.fifo else {})
        if self.fifo:
            self._sent_before[key] = now, answer
        return answer

    def send_message_batch(self, Entries: list[dict], now: float) -> dict:
        """Up to ten sends in one call: ``{"Successful": [...], "Failed": [...]}``; one may fail without the others."""
        return _batch(Entries, lambda entry: self.send_message(now=now, **entry))

    def delete_message_batch(self, Entries: list[dict], now: float) -> dict:
        return _batch(Entries, lambda entry: self.delete_message(now=now, **entry))

    def purge_queue(self, now: float) -> None:
        """Drop everything; once a minute at most."""
        if self._purged_at is not None and now < self._purged_at + 60:
            raise ServiceError("AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue a minute.")
        self._purged_at = now
        self._messages.clear()

    def start_message_move_task(self, destination: "Queue", now: float) -> int:
        """Redrive: move everything that is visible from this dead-letter queue; returns how many."""
        self._expire(now)
        moved = [message for message in list(self._messages.values()) if message.visible_at <= now]
        for message in moved:
            self._move(message, destination, now)
            message.receives, message.first_received_at, message.sent_at = 0, None, now
            message.expires_at = now + destination.attributes["MessageRetentionPeriod"]
        return len(moved)

    # ------------------------------------------------------------------ what is in it

    def get_queue_attributes(self, now: float) -> dict:
        """The three counts of boto3; AWS calls them approximate, here they are exact."""
        self._expire(now)
        hidden = self.in_flight(now)
        delayed = sum(not m.receives and m.visible_at > now for m in self._messages.values())
        return {"ApproximateNumberOfMessages": len(self._messages) - hidden - delayed,
                "ApproximateNumberOfMessagesNotVisible": hidden, "ApproximateNumberOfMessagesDelayed": delayed}

    def in_flight(self, now: float) -> int:
        return sum(message.in_flight(now) for message in self._messages.values())

    # ------------------------------------------------------------------ inside

    def _candidates(self, now):
        """Messages that may be received now, in the order the queue gives them."""
        if not self.fifo:
            visible = (message for message in list(self._messages.values()) if message.visible_at <= now)
            if self._disorder and self._random.random() < self._disorder:
                visible = list(visible)
                self._random.shuffle(visible)
            return visible
        locked = {message.group for message in self._messages.values() if message.in_flight(now)}
        found = []
        for message in self._messages.values():
            if message.group not in locked:
                if message.visible_at > now:
                    locked.add(message.group)  # still delayed: what comes after it in its group waits, too
                else:
                    found.append(message)
        return found

    def _hand_out(self, message, timeout, now):
        self._handed_out += 1
        message.handle = f"{message.id}#{self._handed_out}"
        self._handles[message.handle] = message.id
        message.receives += 1
        message.first_received_at = now if message.first_received_at is None else message.first_received_at
        twice = self._duplicates and not self.fifo and self._random.random() < self._duplicates
        message.visible_at = now if twice else now + timeout  # a copy of it was not told of the receive
        attributes = {"ApproximateReceiveCount": message.receives, "SentTimestamp": message.sent_at,
                      "ApproximateFirstReceiveTimestamp": message.first_received_at}
        if self.fifo:
            attributes |= {"MessageGroupId": message.group, "SequenceNumber": f"{message.serial:020}"}
        return {"MessageId": message.id, "ReceiptHandle": message.handle, "Body": message.body,
                "MessageAttributes": message.attributes, "Attributes": attributes}

    def _move(self, message, destination, now):
        del self._messages[message.id]
        message.visible_at = now
        if self.fifo:  # a FIFO queue begins the retention anew; a standard one counts from the first sending
            message.sent_at = now
        message.expires_at = message.sent_at + destination.attributes["MessageRetentionPeriod"]
        destination._take_in(message)

    def _known(self, handle):
        if handle not in self._handles:
            raise ServiceError("ReceiptHandleIsInvalid", f"{handle!r} is no receipt handle of this queue.")
        return self._handles[handle]

    def _expire(self, now):
        if now < self._next_expiry:
            return
        gone = [message for message in self._messages.values() if message.expires_at <= now]
        for message in gone:
            del self._messages[message.id]
        self.expired += gone
        self._next_expiry = min((message.expires_at for message in self._messages.values()), default=inf)

    def _take_in(self, message):
        self._messages[message.id] = message
        self._next_expiry = min(self._next_expiry, message.expires_at)


def _within(name: str, value, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ServiceError("InvalidParameterValue", f"{name} is a whole number from {low} to {high}, not {value!r}.")


def _batch(entries: list[dict], act) -> dict:
    """Each entry is {"Id": ..., parameters}; one may fail without the others."""
    ids = [entry.get("Id", "") for entry in entries]
    if not entries:
        raise ServiceError("AWS.SimpleQueueService.EmptyBatchRequest", "A batch needs at least one entry.")
    if len(entries) > BATCH:
        raise ServiceError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", f"A batch has at most {BATCH} entries, "
                                                                                  f"not {len(entries)}.")
    if len(set(ids)) < len(ids):
        raise ServiceError("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Each entry of a batch needs an Id of its own.")
    if not all(re.fullmatch(r"[\w-]{1,80}", one, re.A) for one in ids):
        raise ServiceError("AWS.SimpleQueueService.InvalidBatchEntryId", "An Id is 1 to 80 letters, digits, - and _.")
    done, failed = [], []
    for entry in entries:
        parameters = {key: value for key, value in entry.items() if key != "Id"}
        try:
            done.append({"Id": entry["Id"]} | (act(parameters) or {}))
        except ServiceError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": done, "Failed": failed}
