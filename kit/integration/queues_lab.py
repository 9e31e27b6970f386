"""SQS and SNS in the sandbox: what others send to them arrives, and CloudWatch and the bill know of it.

moto's queues and topics are faithful (see ``differences``). Added here: alarms, events and functions can send to their
ARNs; queues have their metrics (how many messages are visible, in flight, delayed, sent, received, deleted); requests
are counted for the bill.

**Simplified** A queue's depth is known at each full minute, on AWS about every minute; the age of the oldest message
is not measured. An e-mail is written down in the history, nobody gets it.

Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS", read 2026-11-23.
"""

import json

from kit.sim import Steps

DEPTHS = {"ApproximateNumberOfMessagesVisible": "visible", "ApproximateNumberOfMessagesNotVisible": "in flight",
          "ApproximateNumberOfMessagesDelayed": "delayed"}
COUNTS = {"SendMessage": "NumberOfMessagesSent", "SendMessageBatch": "NumberOfMessagesSent",
          "ReceiveMessage": "NumberOfMessagesReceived", "DeleteMessage": "NumberOfMessagesDeleted",
          "DeleteMessageBatch": "NumberOfMessagesDeleted"}


def live(life) -> None:
    life.wake("cloudwatch")
    queues = Queues(life)
    life.state["sqs"] = queues
    from moto.sqs.models import Queue
    life.patch(Queue, "add_message", queues.arrived)
    life.then("sqs", "*", queues.asked)
    life.then("sns", "Publish PublishBatch", queues.published)
    life.receive("arn:aws:sqs:", queues.send)
    life.receive("arn:aws:sns:", queues.publish)


class Queues:
    """What passes through the queues and topics of one sandbox."""

    def __init__(self, life):
        self.life = life
        self.depths = {}  # ARN of a queue -> {"visible": Steps, ...}
        self.on_arrival = []  # functions(queue) of who reads queues by itself
        self._looks = {}  # ARN -> time of the next look

    def send(self, arn, message, source) -> None:
        group = None
        if isinstance(message, dict) and set(message) == {"body", "MessageGroupId"}:
            message, group = message["body"], message["MessageGroupId"]
        *_, region, account, name = arn.split(":")
        sqs = self.life.client("sqs", region, by=source)
        given = {"MessageGroupId": group} if group else {}
        sqs.send_message(QueueUrl=f"https://sqs.{region}.amazonaws.com/{account}/{name}", MessageBody=_text(message), **given)

    def publish(self, arn, message, source) -> None:
        subject = {}
        if isinstance(message, dict) and "notification" in message:  # an alarm's
            said = message["notification"]
            subject = {"Subject": f"{said['NewStateValue']}: \"{said['AlarmName']}\" in {said['Region']}"[:100]}
            message = said
        self.life.client("sns", arn.split(":")[3], by=source).publish(TopicArn=arn, Message=_text(message), **subject)

    def arrived(self, before, queue, message):
        """A message comes in, from wherever. Who reads the queue by itself is told, instead of moto's own way."""
        mappings, queue.lambda_event_source_mappings = queue.lambda_event_source_mappings, {}
        try:
            before(queue, message)
        finally:
            queue.lambda_event_source_mappings = mappings
        self.look(queue)
        for function in self.on_arrival:
            self.life.guarded(function, queue)

    def asked(self, call) -> None:
        """After each call on a queue: count, and look how deep it is now."""
        name = call.parameters.get("QueueUrl", "").rsplit("/", 1)[-1] or call.parameters.get("QueueName")
        queue = self.life.backend("sqs", call.region).queues.get(name) if name else None
        item = "sqs:fifo-request" if name and name.endswith(".fifo") else "sqs:request"
        self.life.meter.add(f"queue {name or '(all)'}", item, 1)
        if queue is None:
            return
        if call.operation in COUNTS:
            number = {"SendMessage": 1, "DeleteMessage": 1, "ReceiveMessage": len(call.response.get("Messages", ()))}.get(
                call.operation, len(call.response.get("Successful", ())))
            if number:
                self.life.state["metrics"].record("AWS/SQS", COUNTS[call.operation], _dimensions(queue), number,
                                                  self.life.sandbox.clock.now, "Count")
        self.look(queue)

    def published(self, call) -> None:
        arn = call.parameters.get("TopicArn") or call.parameters.get("TargetArn") or "sms"
        self.life.meter.add(f"topic {arn.rsplit(':', 1)[-1]}", "sns:request", 1)
        topic = self.life.backend("sns", call.region).topics.get(arn)
        for one in self.life.backend("sns", call.region).subscriptions.values() if topic is not None else ():
            if one.topic is topic and one.protocol in ("email", "email-json", "sms"):
                self.life.note("SNS", f"{one.protocol} to {one.endpoint}", topic.name,
                               call.parameters.get("Subject") or call.parameters.get("Message", "")[:80])

    def look(self, queue) -> None:
        """Note the queue's depths, and look again when the next message comes back or becomes due."""
        now = self.life.sandbox.clock.now
        depths = self.depths.get(queue.queue_arn)
        if depths is None:
            depths = self.depths[queue.queue_arn] = {kind: Steps() for kind in DEPTHS.values()}
            for metric, kind in DEPTHS.items():
                self.life.state["metrics"].supply("AWS/SQS", metric, _dimensions(queue), _each_minute(depths[kind], now), "Count")
        zero = self.life.sandbox.clock.date_at(0).timestamp()
        moment = (zero + now) * 1000
        visible = flying = delayed = 0
        due = []
        for message in queue._messages:
            if message in queue.deleted_messages:
                continue
            if moment < message.delayed_until:
                delayed += 1
                due.append(message.delayed_until / 1000 - zero)
            elif moment <= message.visible_at:
                flying += 1
                due.append(message.visible_at / 1000 - zero)
            else:
                visible += 1
        for kind, number in (("visible", visible), ("in flight", flying), ("delayed", delayed)):
            depths[kind].set(now, float(number))
        self.life.state["alarms"].wake_all()
        if due:
            when = max(now + 1e-3, min(due) + 1e-3)
            planned = self._looks.get(queue.queue_arn, 0.0)
            if not now < planned <= when:
                self._looks[queue.queue_arn] = when
                self.life.clock.at(when, self._look_again, queue)

    def _look_again(self, queue):
        self.look(queue)
        for function in self.on_arrival:
            function(queue)


def _each_minute(steps, since):
    return lambda start, end: ((at, steps.at(at)) for at in range(int(-(-max(start, since) // 60) * 60), int(-(-end // 60) * 60), 60))


def _dimensions(queue):
    return [{"Name": "QueueName", "Value": queue.name}]


def _text(message):
    return message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
