"""EventBridge in the sandbox: schedules fire, events reach their targets, what fails is tried again.

moto matches patterns and keeps rules, archives and schedules. Here each target gets its event, through whatever
brings that service to life and with the permission that AWS asks for: the target's own policy must let EventBridge in,
or a role that EventBridge may assume must be allowed to do it. An attempt that fails is repeated on the clock
(``delivery``), and at last goes to the target's dead-letter queue. Archives are in ``archives_lab``, EventBridge
Scheduler in ``scheduler_lab``, the events of AWS's own services in ``service_events_lab``.

**Simplified** Events arrive at once. A log group takes events without a policy. Another event bus gets what the first
one got, whatever the target's input.

On the bill each 64 KB of a custom event is one event (cloudburn.io, Amazon EventBridge Pricing; not seen on AWS's page,
read 2026-11-28); archives are on it in words only.

Amazon EventBridge User Guide, "Event bus targets", "Input transformation", read 2026-11-23; "Using resource-based
policies for Amazon EventBridge", "Using dead-letter queues to process undelivered events in EventBridge", "Cross-service
confused deputy prevention"; API Reference: "PutTargets". Read 2026-11-28.
"""

import json

from kit.errors import ServiceError
from kit.identity.authorization import Asked
from kit.integration import archives_lab, delivery, scheduler_lab, service_events_lab
from kit.integration.delivery import SOURCE, Delivery
from kit.integration.event_input import chosen
from kit.integration.queues_lab import Letter
from kit.integration.schedule import check, next_time
from kit.lab.life import Who

CHUNK = 64 * 1024  # bytes that are billed as one event
BY_ROLE = ("states", "kinesis", "firehose", "ecs", "codebuild", "codepipeline")  # targets that need a RoleArn


def live(life) -> None:
    life.wake("sqs")
    events = Events(life)
    life.state["events"] = events
    from moto.events.models import EventsBackend, Rule
    life.patch(Rule, "send_to_targets", events.matched)
    life.patch(EventsBackend, "put_rule", events.made)
    life.before("events", "PutRule", events.check_rule)
    life.before("events", "PutTargets", events.check_targets)
    life.then("events", "PutRule EnableRule", events.plan_rule)
    life.then("events", "PutEvents", events.metered)
    life.then("events", "CreateArchive", lambda call: life.meter.unpriced(
        f"archive {call.parameters['ArchiveName']}", "EventBridge archive"))
    life.receive("arn:aws:events:", events.to_bus)
    life.receive("arn:aws:states:", events.to_machine)
    archives_lab.live(life, events)
    scheduler_lab.live(life, events)
    service_events_lab.live(life, events)


class Events:
    """The rules of one sandbox. ``emit`` is for other services that have something to tell."""

    def __init__(self, life):
        self.life = life
        self.tickets = {}  # what is planned: key -> ticket
        self._serial = 0

    def emit(self, source: str, detail_type: str, detail: dict, resources=(), region: str | None = None) -> None:
        """An event of an AWS service on the default bus: emit("aws.ec2", "EC2 Instance State-change Notification", ...)."""
        region = region or self.life.sandbox.region
        rules = list(self.life.backend("events", region).event_buses["default"].rules.values())
        if rules:
            event = self._event(source, detail_type, detail, resources, region)
            for rule in rules:
                self.life.guarded(self.offer, rule, dict(event))

    # events that match a rule

    def matched(self, before, rule, event, transform_input=True):
        """moto hands an event to a rule."""
        self.offer(rule, event)

    def offer(self, rule, event) -> None:
        """An event, with its time in seconds since 1970, to a rule: on to the targets if it matches."""
        pattern = rule.event_pattern
        if not rule.state.startswith("ENABLED") or not pattern.get_pattern() or not pattern.matches_event(event):
            return
        shown = {name: value for name, value in event.items() if name != "ingestion-time"}
        if isinstance(shown.get("time"), (int, float)):
            shown["time"] = f"{self.life.sandbox.clock.date_at(shown['time'] - self._zero):%Y-%m-%dT%H:%M:%SZ}"
        for target in list(rule.targets):
            if archives_lab.is_archive(target["Arn"]):
                self.life.state["archives"].keep(rule, event)
            else:
                self.life.guarded(self.deliver, self._delivery(rule, target, shown))

    def deliver(self, sent: Delivery) -> None:
        """One event to one target; again later if it fails."""
        try:
            self._send(sent)
        except Exception as error:
            if isinstance(error, (AssertionError, NameError, AttributeError, TypeError)):
                raise  # a fault of the kit, not of the target
            self._failed(sent, *_said(error))
        else:
            self.life.note("EventBridge", "delivered", sent.target["Arn"], f"by {sent.name}"
                           + (", after trying again" if sent.made else ""))

    def _failed(self, sent, code, words):
        policy = sent.target.get("RetryPolicy", {})
        attempts = policy.get("MaximumRetryAttempts", delivery.ATTEMPTS)
        if sent.pauses is None:
            sent.pauses = list(delivery.waits(attempts, policy.get("MaximumEventAgeInSeconds", delivery.AGE)))
        again = bool(sent.pauses) and delivery.worth_retrying(code)
        self.life.note("EventBridge", "delivery failed", sent.target["Arn"], f"{code}: {words}" + (
            f"; again in {sent.pauses[0]:g} s" if again else ""))
        if again:
            sent.made += 1
            self.life.clock.after(sent.pauses.pop(0), self.deliver, sent)
            return
        dead = sent.target.get("DeadLetterConfig", {}).get("Arn")
        if not dead:
            self.life.note("EventBridge", "event lost", sent.target["Arn"], f"{code}, and no dead-letter queue")
            return
        says = sent.letter | {"ERROR_CODE": delivery.error_code(code) if sent.own_codes else code, "ERROR_MESSAGE": words,
                              "TARGET_ARN": sent.target["Arn"], "RETRY_ATTEMPTS": str(sent.made)}
        if limit := delivery.exhausted(code, sent.made, attempts):
            says["EXHAUSTED_RETRY_CONDITION"] = limit
        try:
            with self.life.on_behalf_of(sent.source_arn):
                self.life.send(dead, Letter(sent.event, attributes=says), self._dead_by(sent))
        except (LookupError, ServiceError, *_refused()) as error:
            self.life.note("EventBridge", "event lost", sent.target["Arn"],
                           f"{code}, and its dead-letter queue did not take it: {': '.join(_said(error))}")
        else:
            self.life.note("EventBridge", "to the dead-letter queue", dead, code)

    def _send(self, sent):
        target, by = sent.target, sent.service
        if target.get("RoleArn"):
            by = self.assume(target["RoleArn"], sent.service, sent.source_arn)
        elif target["Arn"].split(":")[2] in BY_ROLE:
            raise ServiceError("AccessDeniedException", f"no RoleArn for the target {target['Arn']}")
        with self.life.on_behalf_of(sent.source_arn):
            if target["Arn"].startswith(scheduler_lab.UNIVERSAL):
                self.life.state["schedules"].call(target, sent.region, by)
            elif ":event-bus/" in target["Arn"]:
                self.to_bus(target["Arn"], self.life.state["schedules"].as_event(target) or sent.event, by)
            else:
                message = chosen(target, sent.event, self._predefined(sent))
                if "SqsParameters" in target:
                    message = Letter(message, target["SqsParameters"].get("MessageGroupId"))
                self.life.send(target["Arn"], message, by)

    def assume(self, role_arn: str, service: str, source_arn: str) -> str:
        """"ROLE:" and the role's name, if its trust policy lets the service assume it for this resource."""
        if not self.trusts(role_arn, service, source_arn):
            raise ServiceError(delivery.NO_ROLE, f"{service} can't assume {role_arn}: its trust policy must allow "
                                                 "sts:AssumeRole")
        return "ROLE:" + role_arn.rsplit("/", 1)[-1]

    def trusts(self, role_arn: str, service: str, source_arn: str) -> bool:
        with self.life.on_behalf_of(source_arn):
            return self._identity().evaluate(Who("AWSService", service, service), Asked("sts:AssumeRole", role_arn)).allowed

    def to_bus(self, arn, message, source):
        """An event for another bus."""
        if source.startswith("ROLE:"):  # PutEvents names its bus in the entries, where the gate doesn't look
            identity = self._identity()
            if not identity.evaluate(identity.who(source, None), Asked("events:PutEvents", arn)).allowed:
                raise ServiceError("AccessDeniedException", f"{source.removeprefix('ROLE:')} may not events:PutEvents on {arn}")
            source = SOURCE
        bus, region = arn.rsplit("/", 1)[-1], arn.split(":")[3]
        self.life.client("events", region, by=SOURCE).put_events(Entries=[{
            "Source": message.get("source", source), "DetailType": message.get("detail-type", ""),
            "Detail": json.dumps(message.get("detail", {})), "Resources": message.get("resources", []), "EventBusName": bus}])

    def to_machine(self, arn, message, source):
        """A state machine is started with what the target gets as its input."""
        text = message if isinstance(message, str) else json.dumps(message)
        self.life.client("stepfunctions", arn.split(":")[3], by=source).start_execution(stateMachineArn=arn, input=text)

    def metered(self, call):
        taken = [entry for entry, result in zip(call.parameters["Entries"], call.response["Entries"]) if "EventId" in result]
        chunks = [max(1, -(-len(entry.get("Detail", "").encode()) // CHUNK)) for entry in taken]
        self.life.meter.add(f"event bus of {call.region}", "events:custom", sum(chunks))

    # rules that fire by themselves

    def check_rule(self, call):
        if call.parameters.get("ScheduleExpression"):
            check(call.parameters["ScheduleExpression"], once=False)
            if call.parameters.get("EventBusName", "default") not in ("default",):
                raise ServiceError("ValidationException", "ScheduleExpression is supported only on the default event bus.")

    def check_targets(self, call):
        """Some kinds of target are reached by a role only ("PutTargets")."""
        for target in call.parameters["Targets"]:
            if not target.get("RoleArn") and target["Arn"].split(":")[2:3] and target["Arn"].split(":")[2] in BY_ROLE:
                raise ServiceError("ValidationException", f"RoleArn is required for target {target['Arn']}.")

    def made(self, before, backend, *arguments, **named):
        """A rule, whoever makes it: from now on somebody may wait for the events of AWS's services."""
        rule = before(backend, *arguments, **named)
        if rule.event_bus_name == "default":
            self.life.state["service events"].wanted(rule.event_pattern.get_pattern())
        return rule

    def plan_rule(self, call):
        name, region = call.parameters["Name"], call.region
        rule = self._rule(region, name)
        if rule is not None and rule.scheduled_expression:
            expression = rule.scheduled_expression
            self.plan(("rule", region, name), lambda: self._fire(region, name, expression), expression, self.life.clock.now)

    def plan(self, key, fire, expression, made, timezone="UTC", end=None, over=None) -> bool:
        """Call ``fire()`` at each time of the expression while it returns True; ``over()`` after the last. Is there one?"""
        if key in self.tickets:
            self.life.clock.cancel(self.tickets.pop(key))
        when = next_time(expression, max(self.life.clock.now, made), made, timezone, self.life.sandbox.clock.date_at(0))
        if when is None or end is not None and when > end:
            return False
        self.tickets[key] = self.life.clock.at(when, self._due, key, fire, expression, made, timezone, end, over)
        return True

    def _due(self, key, fire, expression, made, timezone, end, over):
        self.tickets.pop(key, None)
        if fire() and not self.plan(key, fire, expression, made, timezone, end, over) and over:
            over()

    def _fire(self, region, name, expression):
        rule = self._rule(region, name)
        if rule is None or rule.scheduled_expression != expression:
            return False  # it was deleted, or is planned anew
        if rule.state.startswith("ENABLED"):
            self.life.note("EventBridge", "scheduled rule fires", name, expression)
            event = self._event("aws.events", "Scheduled Event", {}, [rule.arn], region)
            event["time"] = f"{self.life.sandbox.clock.date:%Y-%m-%dT%H:%M:%SZ}"
            for target in list(rule.targets):
                self.life.guarded(self.deliver, self._delivery(rule, target, event))
        return True

    # inside

    def _rule(self, region, name):
        return self.life.backend("events", region).event_buses["default"].rules.get(name)

    def _event(self, source, detail_type, detail, resources, region):
        self._serial += 1
        return {"version": "0", "id": f"{self._serial:08x}-0000-4000-8000-5c4ed01e0000", "detail-type": detail_type,
                "source": source, "account": self.life.sandbox.account_id, "time": self._zero + self.life.sandbox.clock.now,
                "region": region, "resources": list(resources), "detail": detail}

    def _delivery(self, rule, target, event):
        return Delivery(rule.name, rule.arn, target, event, rule.region_name, letter={"RULE_ARN": rule.arn})

    def _predefined(self, sent):
        return {"aws.events.rule-arn": sent.source_arn, "aws.events.rule-name": sent.name,
                "aws.events.event.ingestion-time": f"{self.life.sandbox.clock.date:%Y-%m-%dT%H:%M:%SZ}"}

    def _dead_by(self, sent):
        """A rule's dead letters need the queue's policy; a schedule's role must be allowed to send its own."""
        return sent.service if sent.service == SOURCE else self.assume(sent.target["RoleArn"], sent.service, sent.source_arn)

    def _identity(self):
        self.life.wake("iam")
        return self.life.state["identity"]

    @property
    def _zero(self):
        return self.life.sandbox.clock.date_at(0).timestamp()


def _said(error) -> tuple[str, str]:
    """Code and message of what a target answered."""
    if isinstance(error, ServiceError):
        return error.code, error.message
    found, kind = getattr(error, "response", {}).get("Error", {}), type(error).__name__
    kind = "ValidationException" if kind == "ParamValidationError" else kind  # what boto3 refuses before AWS can
    return found.get("Code", kind), found.get("Message", str(error))


def _refused():
    from botocore.exceptions import ClientError
    return (ClientError,)
