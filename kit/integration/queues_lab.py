"""SQS and SNS in the sandbox: what others send to them arrives, and CloudWatch and the bill know of it.

moto's queues and topics are faithful (see ``differences``). Added here: alarms, events and functions can send to their
ARNs; a topic delivers to a queue only if the queue's policy lets it; messages end with their retention period; queues
have their metrics (how many messages are visible, in flight, delayed, sent, received, deleted, and how old the oldest
is); requests are counted for the bill.

**Simplified** A queue's depth is known at each full minute, on AWS about every minute. What SNS may not deliver goes to
the subscription's dead-letter queue at once; a subscriber that is down is not modelled here. An e-mail is written down in
the history, nobody gets it.

On the bill each 64 KB of a payload is one request (as third parties have it from the pages "Amazon SQS Pricing" and
"Amazon SNS Pricing"); every call on a FIFO queue has the FIFO price; messages of subscriptions to FIFO topics and data
transfer are not counted; an SMS is on the bill in words only. Read 2026-11-28.

Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS", "Setting-up dead-letter queue retention in
Amazon SQS". Amazon SNS Developer Guide, "Fanout Amazon SNS notifications to Amazon SQS queues for asynchronous
processing", "Amazon SNS dead-letter queues". EventBridge User Guide, "Using resource-based policies for Amazon
EventBridge". Read 2026-11-28.
"""

import json
from dataclasses import dataclass
from math import inf

from kit.errors import ServiceError
from kit.identity.authorization import Asked
from kit.lab.life import Who
from kit.sim import Steps

CHUNK, GB = 64 * 1024, 2 ** 30  # bytes
PAID = {"email": "sns:email", "email-json": "sns:email", "http": "sns:http", "https": "sns:http"}  # other protocols: free
DEPTHS = {"ApproximateNumberOfMessagesVisible": "visible", "ApproximateNumberOfMessagesNotVisible": "in flight",
          "ApproximateNumberOfMessagesDelayed": "delayed"}
COUNTS = {"SendMessage": "NumberOfMessagesSent", "SendMessageBatch": "NumberOfMessagesSent",
          "ReceiveMessage": "NumberOfMessagesReceived", "DeleteMessage": "NumberOfMessagesDeleted",
          "DeleteMessageBatch": "NumberOfMessagesDeleted"}
CHANGES = ("CreateQueue", "SetQueueAttributes", "PurgeQueue", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch",
           "ChangeMessageVisibility", "ChangeMessageVisibilityBatch")  # after these a queue's messages are counted anew
AGE = "ApproximateAgeOfOldestMessage"
POISON = 3  # receives without a delete after which a standard queue's metric of age passes over a message
SNS = Who("AWSService", "sns.amazonaws.com", "sns.amazonaws.com")


def live(life) -> None:
    life.wake("cloudwatch")
    queues = Queues(life)
    life.state["sqs"] = queues
    from moto.sns.models import Subscription
    from moto.sqs.models import Queue
    life.patch(Queue, "add_message", queues.arrived)
    life.patch(Subscription, "publish", queues.delivered)
    _count_quickly(life, Queue, queues)
    life.state.setdefault("restless", []).append(queues.restless)
    life.before("sns", "Publish", queues.check_publish)
    life.before("sqs", "ReceiveMessage", queues.expire)
    life.then("sqs", "*", queues.asked)
    life.then("sns", "Publish PublishBatch", queues.published)
    life.receive("arn:aws:sqs:", queues.send)
    life.receive("arn:aws:sns:", queues.publish)


@dataclass
class Letter:
    """What others send to a queue if it is more than a body."""

    body: object
    group: str | None = None
    attributes: dict | None = None  # name -> text


@dataclass
class Depth:
    """What is in a queue. ends: when one of its messages changes next, in moto's milliseconds."""

    visible: int = 0
    flying: int = 0
    delayed: int = 0
    ends: float = inf
    oldest: float = -1.0  # when the oldest message came, in seconds of the sandbox; -1 if there is none


class Queues:
    """What passes through the queues and topics of one sandbox."""

    def __init__(self, life):
        self.life = life
        self.depths = {}  # ARN of a queue -> {"visible": Steps, ...}
        self.on_arrival = []  # functions(queue) of who reads queues by itself
        self._looks = {}  # ARN -> time of the next look
        self._found = {}  # ARN -> (moto's queue, its Depth as it was last counted)
        self._oldest = {}  # ARN -> Steps

    def send(self, arn, message, source) -> None:
        """source: a service that the queue's policy must let in, or "ROLE:" and a role's name."""
        letter = message if isinstance(message, Letter) else Letter(message)
        *_, region, account, name = arn.split(":")
        if name not in self.life.backend("sqs", region).queues:
            raise ServiceError("AWS.SimpleQueueService.NonExistentQueue", f"The specified queue does not exist: {arn}")
        sqs = self.life.client("sqs", region, by=source)
        given = {"MessageGroupId": letter.group} if letter.group else {}
        if letter.attributes:
            given["MessageAttributes"] = {key: {"DataType": "String", "StringValue": value}
                                          for key, value in letter.attributes.items()}
        sqs.send_message(QueueUrl=f"https://sqs.{region}.amazonaws.com/{account}/{name}", MessageBody=_text(letter.body),
                         **given)

    def publish(self, arn, message, source) -> None:
        subject = {}
        if isinstance(message, dict) and "notification" in message:  # an alarm's
            said = message["notification"]
            subject = {"Subject": f"{said['NewStateValue']}: \"{said['AlarmName']}\" in {said['Region']}"[:100]}
            message = said
        self.life.client("sns", arn.split(":")[3], by=source).publish(TopicArn=arn, Message=_text(message), **subject)

    def check_publish(self, call) -> None:
        """A topic's default policy asks for AWS:SourceOwner, which services don't send: they need a statement of their own.

        An alarm speaks for its account.
        """
        who, arn = call.who, call.parameters.get("TopicArn")
        if who.kind != "AWSService" or who.arn in ("", "cloudwatch.amazonaws.com") or not arn:
            return
        if not self._identity().evaluate(who, Asked("sns:Publish", arn), {"aws:SourceOwner": ""}).allowed:
            raise ServiceError("AuthorizationError", f"User: {who.arn} is not authorized to perform: SNS:Publish on resource: "
                               f"{arn} because no resource-based policy allows the SNS:Publish action")

    def delivered(self, before, subscription, message, message_id, **more):
        """A topic pushes a copy to a queue, if the queue's policy lets it; else to the subscription's dead letters."""
        matcher, attributes = subscription._filter_policy_matcher, more.get("message_attributes")
        if subscription.protocol != "sqs" or matcher is not None and not matcher.matches(attributes, message):
            return before(subscription, message, message_id, **more)
        endpoint, topic = subscription.endpoint, subscription.topic
        why = self._closed(endpoint, topic)
        if why is None:
            return before(subscription, message, message_id, **more)
        self.life.note("SNS", "delivery failed", topic.name, f"{endpoint}: {why}")
        dead = json.loads(subscription.attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
        if dead and (why := self._closed(dead, topic)) is None:
            subscription.endpoint = dead  # so that moto wraps the message for it as for its queue
            try:
                before(subscription, message, message_id, **more)
            finally:
                subscription.endpoint = endpoint
            self.life.note("SNS", "to the dead-letter queue", dead, f"for {endpoint}")
        else:
            self.life.note("SNS", "message lost", topic.name,
                           f"{dead}: {why}" if dead else "the subscription has no dead-letter queue")
        return None

    def _closed(self, arn, topic) -> str | None:
        """Why a topic can't send to a queue; None if it can."""
        *_, region, _, name = arn.split(":")
        if name not in self.life.backend("sqs", region).queues:
            return "there is no such queue"
        with self.life.on_behalf_of(topic.arn):
            if self._identity().evaluate(SNS, Asked("sqs:SendMessage", arn)).allowed:
                return None
        return "the queue's policy does not let sns.amazonaws.com send for this topic"

    def _identity(self):
        self.life.wake("iam")
        return self.life.state["identity"]

    def arrived(self, before, queue, message):
        """A message comes in, from wherever. Who reads the queue by itself is told, instead of moto's own way."""
        mappings, queue.lambda_event_source_mappings = queue.lambda_event_source_mappings, {}
        if message.approximate_receive_count:  # a dead letter: it comes from another queue
            message.moved_at, message.moved_after = self._moment(), message.approximate_receive_count
            if queue.fifo_queue:
                message.sent_timestamp = int(message.moved_at)
        try:
            before(queue, message)
        finally:
            queue.lambda_event_source_mappings = mappings
        if queue._messages and queue._messages[-1] is message:  # not one that a FIFO queue knew already
            self.look(queue, message)
        for function in self.on_arrival:
            self.life.guarded(function, queue)

    def expire(self, call) -> None:
        """What ends at this very moment is not handed out any more."""
        queue = self.life.backend("sqs", call.region).queues.get(call.parameters["QueueUrl"].rsplit("/", 1)[-1])
        if queue is not None:
            self.depth(queue)

    def asked(self, call) -> None:
        """After each call on a queue: count, and look how deep it is now."""
        name = call.parameters.get("QueueUrl", "").rsplit("/", 1)[-1] or call.parameters.get("QueueName")
        queue = self.life.backend("sqs", call.region).queues.get(name) if name else None
        item = "sqs:fifo-request" if name and name.endswith(".fifo") else "sqs:request"
        self.life.meter.add(f"queue {name or '(all)'}", item, _chunks(_payload(call)))
        if queue is None:
            return
        if call.operation in COUNTS:
            number = {"SendMessage": 1, "DeleteMessage": 1, "ReceiveMessage": len(call.response.get("Messages", ()))}.get(
                call.operation, len(call.response.get("Successful", ())))
            if number:
                self.life.state["metrics"].record("AWS/SQS", COUNTS[call.operation], _dimensions(queue), number,
                                                  self.life.sandbox.clock.now, "Count", region=queue.region)
        if call.operation in CHANGES or queue.queue_arn not in self._found:
            self.look(queue)

    def published(self, call) -> None:
        arn = call.parameters.get("TopicArn") or call.parameters.get("TargetArn") or "sms"
        entries = call.parameters.get("PublishBatchRequestEntries") or [call.parameters]
        self._bill_publish(f"topic {arn.rsplit(':', 1)[-1]}", sum(len(one["Message"].encode()) for one in entries))
        if "PhoneNumber" in call.parameters:
            self.life.meter.unpriced(f"sms {call.number}", "SMS")
        topic = self.life.backend("sns", call.region).topics.get(arn)
        for one in self.life.backend("sns", call.region).subscriptions.values() if topic is not None else ():
            if one.topic is topic and one.protocol in PAID:
                self.life.meter.add(f"topic {topic.name}", PAID[one.protocol], len(entries))
            if one.topic is topic and one.protocol == "sms":
                self.life.meter.unpriced(f"sms {call.number} {one.arn}", "SMS")
            if one.topic is topic and one.protocol in ("email", "email-json", "sms"):
                self.life.note("SNS", f"{one.protocol} to {one.endpoint}", topic.name,
                               call.parameters.get("Subject") or call.parameters.get("Message", "")[:80])

    def _bill_publish(self, topic, size):
        if topic.endswith(".fifo"):
            self.life.meter.add(topic, "sns:fifo-request", _chunks(size))
            self.life.meter.add(topic, "sns:fifo-gb", size / GB)
        else:
            self.life.meter.add(topic, "sns:request", _chunks(size))

    def look(self, queue, added=None) -> None:
        """Note what is in the queue, and look again when a message comes back, becomes due or ends.

        added: the one message that has come since the last look, so that the others need not be counted again.
        """
        now, moment = self.life.sandbox.clock.now, self._moment()
        known, depth = self._found.get(queue.queue_arn, (None, None))
        if known is not queue or added is None or moment >= depth.ends:
            depth = self._counted(queue, moment)
            self._found[queue.queue_arn] = queue, depth
        else:
            self._add(depth, queue, added, moment)
        if queue.queue_arn not in self.depths:
            self._measured(queue, now)
        for kind, number in (("visible", depth.visible), ("in flight", depth.flying), ("delayed", depth.delayed)):
            self.depths[queue.queue_arn][kind].set(now, float(number))
        self._oldest[queue.queue_arn].set(now, depth.oldest)
        self.life.state["alarms"].wake("AWS/SQS", Dimensions=_dimensions(queue), region=queue.region)
        if depth.ends < inf:
            when = max(now, depth.ends / 1000 - self._zero) + 1e-3  # moto's messages come back a millisecond later
            planned = self._looks.get(queue.queue_arn, 0.0)
            if not now < planned <= when:
                self._looks[queue.queue_arn] = when
                self.life.clock.at(when, self._look_again, queue)

    def depth(self, queue) -> Depth:
        """What is in the queue now."""
        known, depth = self._found.get(queue.queue_arn, (None, None))
        if known is not queue or self._moment() >= depth.ends:
            self.look(queue)
            _, depth = self._found[queue.queue_arn]
        return depth

    def restless(self, alarm) -> bool:
        """Does an alarm look at the age of a message, which grows by itself?"""
        queries = [one["MetricStat"]["Metric"] for one in alarm.parameters.get("Metrics") or () if "MetricStat" in one]
        given = [alarm.parameters, *queries]
        return any(one.get("MetricName") == AGE for one in given) and any(steps.now >= 0 for steps in self._oldest.values())

    def _counted(self, queue, moment) -> Depth:
        """All messages, after those have gone whose retention period is over."""
        limit = moment - queue.message_retention_period * 1000
        expired = [message for message in queue._messages if message.sent_timestamp <= limit]
        if expired:
            queue._messages = [message for message in queue._messages if message.sent_timestamp > limit]
            queue._pending_messages.difference_update(expired)
            self.life.note("SQS", "messages expired", queue.name, f"{len(expired)}, after the queue's "
                           f"MessageRetentionPeriod of {queue.message_retention_period} s")
        depth = Depth()
        for message in queue._messages:
            self._add(depth, queue, message, moment)
        return depth

    def _add(self, depth, queue, message, moment):
        if moment < message.delayed_until:
            depth.delayed += 1
            depth.ends = min(depth.ends, message.delayed_until)
        elif moment <= message.visible_at:
            depth.flying += 1
            depth.ends = min(depth.ends, message.visible_at)
        else:
            depth.visible += 1
        depth.ends = min(depth.ends, message.sent_timestamp + queue.message_retention_period * 1000)
        receives = message.approximate_receive_count - getattr(message, "moved_after", 0)
        if queue.fifo_queue or receives < POISON:
            came = getattr(message, "moved_at", message.sent_timestamp) / 1000 - self._zero
            depth.oldest = came if depth.oldest < 0 else min(depth.oldest, came)

    def _measured(self, queue, now):
        """CloudWatch reads this when somebody asks it."""
        depths = self.depths[queue.queue_arn] = {kind: Steps() for kind in DEPTHS.values()}
        oldest = self._oldest[queue.queue_arn] = Steps(-1.0)
        supply = self.life.state["metrics"].supply
        for metric, kind in DEPTHS.items():
            supply("AWS/SQS", metric, _dimensions(queue), _each_minute(depths[kind], now), "Count", queue.region)
        minutes = _each_minute(oldest, now)
        supply("AWS/SQS", AGE, _dimensions(queue), lambda start, end: (
            (at, at - came) for at, came in minutes(start, end) if came >= 0), "Seconds", queue.region)

    @property
    def _zero(self):
        return self.life.sandbox.clock.date_at(0).timestamp()

    def _moment(self):
        """Now, as moto counts it."""
        return (self._zero + self.life.sandbox.clock.now) * 1000

    def _look_again(self, queue):
        if self.life.backend("sqs", queue.region).queues.get(queue.name) is not queue:
            return  # it was deleted
        self.look(queue)
        for function in self.on_arrival:
            function(queue)


def _count_quickly(life, Queue, queues):
    """moto counts all messages several times whenever one is sent; here they are counted already."""
    names = {"approximate_number_of_messages": "visible", "approximate_number_of_messages_not_visible": "flying",
             "approximate_number_of_messages_delayed": "delayed"}
    before = {name: getattr(Queue, name) for name in names}
    for name, kind in names.items():
        setattr(Queue, name, property(lambda queue, kind=kind: getattr(queues.depth(queue), kind)))
    life.endings.append(lambda: [setattr(Queue, name, old) for name, old in before.items()])


def _chunks(size):
    return max(1, -(-size // CHUNK))


def _payload(call):
    """Bytes of the messages that a call on a queue carries."""
    given = call.parameters
    bodies = [given.get("MessageBody", "")] + [one.get("MessageBody", "") for one in given.get("Entries", ())]
    bodies += [one["Body"] for one in call.response.get("Messages", ())]
    return sum(len(body.encode()) for body in bodies)


def _each_minute(steps, since):
    return lambda start, end: ((at, steps.at(at)) for at in range(int(-(-max(start, since) // 60) * 60), int(-(-end // 60) * 60), 60))


def _dimensions(queue):
    return [{"Name": "QueueName", "Value": queue.name}]


def _text(message):
    return message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
