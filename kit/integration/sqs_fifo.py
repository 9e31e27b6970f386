"""What a FIFO queue does beyond a standard one: order in each group, no second copy of one sending, and a quota.

Order: while a message of a group is in flight, the rest of its group waits; other groups go on. Deduplication: an id
that was sent in the last five minutes is accepted again, and nothing is put into the queue. A receive whose answer got
lost can be repeated with its ReceiveRequestAttemptId.

**Not modelled** The quota of the partitions that message groups are spread over in high-throughput mode.

Amazon SQS Developer Guide and API Reference, read 2026-11-23: "FIFO queue delivery logic in Amazon SQS", "Exactly-once
processing in Amazon SQS", "High throughput for FIFO queues in Amazon SQS", "ReceiveMessage", "Amazon SQS message
quotas".
"""

from math import inf

from kit.errors import ServiceError

INTERVAL = 300  # seconds that a deduplication id and a receive attempt are remembered ("Exactly-once processing …")
CALLS = 300  # a second, of each kind of call, a batch being one ("Amazon SQS message quotas")
HIGH_THROUGHPUT_CALLS = 70_000  # the same in us-east-1 with FifoThroughputLimit perMessageGroupId


def in_order(messages, now: float):
    """Of each group the oldest first, and none while one of its messages is in flight or still delayed."""
    messages = list(messages)
    locked = {message.group for message in messages if message.in_flight(now)}
    for message in messages:
        if message.group not in locked:
            if message.visible_at > now:
                locked.add(message.group)
            else:
                yield message


class Deduplication:
    """Which ids were sent lately, in the whole queue or topic, or in each message group."""

    def __init__(self, by_group: bool = False):
        self.by_group = by_group
        self._sent = {}  # (id, group) -> (time, answer), oldest first

    def once(self, id: str, group: str, now: float, act):
        """What ``act()`` answers; for an id that was sent in the last five minutes what it answered then."""
        while self._sent and next(iter(self._sent.values()))[0] + INTERVAL <= now:
            del self._sent[next(iter(self._sent))]
        key = id, group if self.by_group else None
        if key not in self._sent:
            self._sent[key] = now, act()
        return self._sent[key][1]


class Attempts:
    """Receives that can be asked for again, as long as nobody deleted their messages or changed their visibility."""

    def __init__(self):
        self._made = {}  # id -> (time, answer, messages, when each becomes visible)

    def remember(self, attempt: str, now: float, answer: list, messages: list) -> None:
        self._made[attempt] = now, answer, messages, [message.visible_at for message in messages]

    def again(self, attempt: str, timeout: float, now: float, queue) -> list:
        """The same messages and handles, hidden from now on once more; [] if it must be a new receive."""
        time, answer, messages, hidden_until = self._made.get(attempt, (-inf, [], [], []))
        if now >= time + INTERVAL or [message.visible_at for message in messages] != hidden_until:
            return []
        if not all(message.id in queue and message.in_flight(now) for message in messages):
            return []
        for message in messages:
            message.visible_at = now + timeout
        self._made[attempt] = time, answer, messages, [now + timeout] * len(messages)
        return answer


class Quota:
    """Counts the calls of each kind in each second."""

    def __init__(self, calls: int):
        self.calls = calls
        self._counted = {}  # (second, operation) -> calls; a topic that tries again is a little ahead of the others

    def count(self, operation: str, now: float) -> None:
        calls = self._counted.get((now // 1, operation), 0)
        if calls == self.calls:
            raise ServiceError("RequestThrottled", f"This FIFO queue takes {self.calls:,} calls of {operation} a "
                                                   "second. Use batches, high throughput, or more queues.")
        if not calls:
            self._counted = {key: count for key, count in self._counted.items() if key[0] > now // 1 - 60}
        self._counted[now // 1, operation] = calls + 1
