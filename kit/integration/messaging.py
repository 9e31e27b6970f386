"""Producers, a queue, and consumers that may be too few, too slow, or crash.

A consumer asks for a message, works on it, and deletes it. If it crashes, or works longer than the visibility timeout,
the message comes back and somebody does the work again. A poison message crashes whoever touches it: without a
dead-letter queue it comes back for ever.

    run = simulate(rate=4, consumers=3, work_time=1.0)
    run.depth["visible"]       # messages that wait, second by second

**Simplified** Work takes an exponential time with the mean ``work_time``; a consumer works on one message at a time and
starts anew at once after a crash. A long poll is answered the moment a message comes; short polling asks once a second.
**Not modelled** The network; several messages in one receive.
"""

import random
from collections import deque
from dataclasses import dataclass

from kit.integration.sns import Topic
from kit.integration.sqs import Queue
from kit.sim import Clock, Records, poisson

LONG_POLL = 20  # seconds, the longest ("ReceiveMessage")
SHORT_POLL = 1  # seconds between two asks of a consumer that polls short
TOO_OFTEN = "the message was received too often: it went to the dead-letter queue"


@dataclass(frozen=True)
class Run:
    """What a simulation leaves. All times in seconds.

    messages: a row a message: sent, first_done (None if never), done (how often the work was finished), received,
        end ("deleted", "dead", "queued" or "expired").
    depth: a row a second or so: time, visible, in_flight, dead.
    receives, empty_receives: calls of ReceiveMessage, and how many of them brought nothing.
    """

    messages: Records
    depth: Records
    receives: int
    empty_receives: int
    settings: dict

    @property
    def duplicates(self) -> int:
        """Work that was done again though it had been done before."""
        return sum(max(0, done - 1) for done in self.messages["done"])


def simulate(rate: float = 4.0, consumers: int = 5, work_time: float = 1.0, visibility_timeout: int = 30,
             crash: float = 0.0, poison: float = 0.0, max_receive_count: int = 0, long_poll: bool = True,
             duration: float = 120.0, seed: int = 1) -> Run:
    """Run a fleet of consumers for ``duration`` seconds.

    rate: messages a second (Poisson). work_time: mean seconds of work on one message. crash: how likely a consumer
    dies on a message, after the work and before the delete. poison: how likely a message crashes everybody.
    max_receive_count: after so many receives a message goes to the dead-letter queue; 0 for none.
    """
    if consumers < 0 or not 0 <= crash <= 1 or not 0 <= poison <= 1 or work_time <= 0:
        raise ValueError("consumers are 0 or more, crash and poison lie between 0 and 1, work takes more than 0 s")
    return _Fleet(rate, consumers, work_time, visibility_timeout, crash, poison, max_receive_count, long_poll, duration,
                  seed).run()


class _Fleet:
    def __init__(self, rate, consumers, work_time, visibility_timeout, crash, poison, max_receive_count, long_poll,
                 duration, seed):
        self.settings = dict(rate=rate, consumers=consumers, work_time=work_time, visibility_timeout=visibility_timeout,
                             crash=crash, poison=poison, max_receive_count=max_receive_count, long_poll=long_poll,
                             duration=duration, seed=seed)
        self.clock, self.rng = Clock(), random.Random(seed)
        self.rate, self.consumers, self.work_time, self.duration = rate, consumers, work_time, duration
        self.crash, self.poison, self.long_poll = crash, poison, long_poll
        self.dead = Queue("orders-dead") if max_receive_count else None
        self.queue = Queue("orders", self.dead, max_receive_count or 10, VisibilityTimeout=visibility_timeout)
        self.sent, self.first_done, self.done, self.received, self.poisoned = {}, {}, {}, {}, set()
        self.waiting = deque()  # consumers in a long poll, with the ticket that ends it
        self.receives = self.empty = 0

    def run(self) -> Run:
        clock = self.clock
        clock.each(poisson(self.rate, self.rng, until=self.duration), self.send)
        depth = Records("time", "visible", "in_flight", "dead")
        clock.at(0, self.look, depth)
        clock.every(max(1.0, self.duration / 240), self.look, depth, until=self.duration)
        for _ in range(self.consumers):
            clock.after(0, self.poll)
        clock.run(until=self.duration)
        return Run(self.rows(), depth, self.receives, self.empty, self.settings)

    def look(self, depth):
        counts = self.queue.get_queue_attributes(self.clock.now)
        depth.append(self.clock.now, counts["ApproximateNumberOfMessages"],
                     counts["ApproximateNumberOfMessagesNotVisible"], len(self.dead) if self.dead is not None else 0)

    def send(self):
        answer = self.queue.send_message("an order", self.clock.now)
        self.sent[answer["MessageId"]] = self.clock.now
        if self.rng.random() < self.poison:
            self.poisoned.add(answer["MessageId"])
        self.wake()

    def wake(self):
        """Something may have become visible: a long poll that waits gets it."""
        if self.waiting and self.queue.anything_visible(self.clock.now):
            self.clock.cancel(self.waiting.popleft())
            self.poll(answered=True)

    def poll(self, answered: bool = False):
        now = self.clock.now
        self.receives += not answered  # a long poll that waited is one call
        found = self.queue.receive_message(now)
        if found:
            self.begin(found[0])
        elif self.long_poll:
            ticket = self.clock.after(LONG_POLL, self.give_up)
            self.waiting.append(ticket)
        else:
            self.empty += 1
            self.clock.after(SHORT_POLL, self.poll)

    def give_up(self):
        self.waiting.popleft()  # the longest wait ends first
        self.empty += 1
        self.poll()

    def begin(self, message):
        id = message["MessageId"]
        self.received[id] = self.received.get(id, 0) + 1
        timeout = self.queue.attributes["VisibilityTimeout"]
        self.clock.after(timeout, self.wake)  # it may be visible again by then
        if id in self.poisoned:
            self.clock.after(self.rng.expovariate(1 / self.work_time) / 2, self.poll)  # dies half-way, and starts anew
        else:
            self.clock.after(self.rng.expovariate(1 / self.work_time), self.finish, message)

    def finish(self, message):
        id, now = message["MessageId"], self.clock.now
        self.done[id] = self.done.get(id, 0) + 1
        self.first_done.setdefault(id, now)
        if not self.crash or self.rng.random() >= self.crash:
            self.queue.delete_message(message["ReceiptHandle"], now)
        self.poll()

    def rows(self) -> Records:
        rows = Records("sent", "first_done", "done", "received", "end")
        expired = {message.id for message in self.queue.expired}
        for id, sent in self.sent.items():
            end = ("queued" if id in self.queue else "dead" if self.dead is not None and id in self.dead else
                   "expired" if id in expired else "deleted")
            rows.append(sent, self.first_done.get(id), self.done.get(id, 0), self.received.get(id, 0), end)
        return rows


def one_message(work_time: float = 45.0, visibility_timeout: int = 30, crashes: int = 0, max_receive_count: int = 0,
                heartbeat: bool = False) -> Records:
    """The life of a single message with two consumers, step by step, for a stepper.

    work_time: seconds of work. crashes: so many consumers in a row die at work. heartbeat: the consumer prolongs the
    visibility timeout before it ends: five seconds, of a short one half of it.
    """
    if not 1 <= visibility_timeout <= 43_200 or work_time <= 0 or crashes < 0:
        raise ValueError("the visibility timeout is 1 to 43,200 s, work takes more than 0 s, crashes are 0 or more")
    margin = min(5, visibility_timeout / 2)
    dead = Queue("dead") if max_receive_count else None
    queue = Queue("orders", dead, max_receive_count or 10, VisibilityTimeout=visibility_timeout)
    steps = Records("time", "event", "because", "visible", "in_flight", "work_done", "dead")
    now, done = 0.0, 0

    def note(event, because=""):
        counts = queue.get_queue_attributes(now)
        steps.append(now, event, because, counts["ApproximateNumberOfMessages"],
                     counts["ApproximateNumberOfMessagesNotVisible"], done, len(dead) if dead is not None else 0)

    queue.send_message("one order", now)
    note("The producer sends the message")
    for number in range(1, 8):
        now += 1
        got = queue.receive_message(now)
        if not got:
            note("A consumer asks and gets nothing", TOO_OFTEN)
            break
        note(f"Consumer {number} receives it", f"it was visible; this is receive number {number}")
        ends = now + visibility_timeout
        if number <= crashes:
            now = ends
            note(f"Consumer {number} has crashed, and the message is visible again",
                 f"nobody deleted it within {visibility_timeout} s")
            continue
        finish = now + work_time
        while heartbeat and ends < finish:
            now = ends - margin
            queue.change_message_visibility(got[0]["ReceiptHandle"], visibility_timeout, now)
            ends = now + visibility_timeout
            note(f"Consumer {number} prolongs the timeout", "its work takes longer")
        if finish > ends:
            now = ends
            note("The message is visible again",
                 f"the work takes {work_time:g} s and the timeout is {visibility_timeout} s")
            second = queue.receive_message(now)
            if second:
                note(f"Consumer {number + 1} receives it too", "it was visible")
            else:
                note(f"Consumer {number + 1} asks and gets nothing", TOO_OFTEN)
            now, done = finish, done + 1
            queue.delete_message(got[0]["ReceiptHandle"], now)
            note(f"Consumer {number} has done the work and deletes it", "its receipt handle is still good" if second
                 else "too late: the message is a dead letter, and the receipt handle is of another queue")
            if second:
                now, done = ends + work_time, done + 1
                queue.delete_message(second[0]["ReceiptHandle"], now)
                note(f"Consumer {number + 1} has done the work again", "nobody told it that the message was gone")
            break
        now, done = finish, done + 1
        queue.delete_message(got[0]["ReceiptHandle"], now)
        note(f"Consumer {number} has done the work and deletes it", "it was in time")
        break
    return steps


def fan_out(rate: float = 2.0, filters: bool = True, gifts: float = 0.2, abroad: float = 0.3, duration: float = 120.0,
            seed: int = 1) -> Records:
    """One topic and three queues over time: time, published, everything, gifts, abroad (messages in each queue).

    gifts, abroad: the parts of the orders that are gifts, or go abroad. filters: whether the queues gifts and abroad
    have filter policies; without them they get everything.
    """
    if not (0 <= gifts <= 1 and 0 <= abroad <= 1):
        raise ValueError("gifts and abroad are parts of all orders, from 0 to 1")
    rng, topic = random.Random(seed), Topic("orders")
    queues = {name: Queue(name) for name in ("everything", "gifts", "abroad")}
    policies = {"gifts": {"kind": ["gift"]}, "abroad": {"country": [{"anything-but": ["DE"]}]}} if filters else {}
    for name, queue in queues.items():
        topic.subscribe("sqs", queue, now=0, FilterPolicy=policies.get(name))
    rows = Records("time", "published", *queues)
    counts, published = dict.fromkeys(queues, 0), 0
    for now in poisson(rate, rng, until=duration):
        kind = "gift" if rng.random() < gifts else "plain"
        country = rng.choice(["FR", "IT", "PL"]) if rng.random() < abroad else "DE"
        topic.publish("an order", now, MessageAttributes={
            "kind": {"DataType": "String", "StringValue": kind},
            "country": {"DataType": "String", "StringValue": country}})
        published += 1
        for name, queue in queues.items():
            counts[name] = len(queue)
        rows.append(now, published, *counts.values())
    return rows
