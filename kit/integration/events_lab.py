"""EventBridge in the sandbox: schedules fire, events reach their targets, what fails is tried again.

moto matches patterns and keeps rules, archives and schedules. Here each target gets its event, through whatever
brings that service to life; an attempt that fails is repeated on the clock (``delivery``), and at last goes to the
target's dead-letter queue. Replays deliver what an archive holds, between two times.

Amazon EventBridge User Guide, "Event bus targets", "Input transformation", "Archiving and replaying events", read
2026-11-23.
"""

import json

from kit.errors import ServiceError
from kit.integration import delivery
from kit.integration.schedule import check, next_time

SOURCE, SCHEDULER = "events.amazonaws.com", "scheduler.amazonaws.com"


def live(life) -> None:
    events = Events(life)
    life.state["events"] = events
    from moto.events.models import Rule
    life.patch(Rule, "send_to_targets", events.matched)
    life.before("events", "PutRule", events.check_rule)
    life.then("events", "PutRule EnableRule", events.plan_rule)
    life.then("events", "PutEvents", events.metered)
    life.before("scheduler", "CreateSchedule", events.check_schedule)
    life.before("scheduler", "UpdateSchedule", events.check_schedule)
    life.then("scheduler", "CreateSchedule UpdateSchedule", events.plan_schedule)
    life.receive("arn:aws:events:", events.to_bus)
    life.receive("arn:aws:states:", events.to_machine)


class Events:
    """The rules and schedules of one sandbox on the clock."""

    def __init__(self, life):
        self.life = life
        self.tickets = {}  # what is planned: (kind, region, name) -> ticket
        self._serial = 0

    # events that match a rule

    def matched(self, before, rule, event, transform_input=True):
        """moto hands an event to a rule."""
        if not rule.event_pattern.matches_event(event):
            return
        archives = [one for one in rule.targets if "archive-arn" in event or _is_archive(one["Arn"])]
        if archives or not transform_input:
            return before(rule, event, transform_input)
        shown = dict(event)
        if isinstance(shown.get("time"), (int, float)):
            shown["time"] = f"{self.life.sandbox.clock.date:%Y-%m-%dT%H:%M:%SZ}"
        for target in rule.targets:
            self.deliver(rule.arn, target, shown, SOURCE, rule.region_name)

    def deliver(self, source_arn, target, event, source, region, attempts=None, fixed=False):
        """One event to one target; again later if it fails."""
        try:
            payload = event if fixed else _input(target, event)
            self._send(target, payload, source, source_arn)
            self.life.note("EventBridge", "delivered", target["Arn"], f"by {source_arn.rsplit('/', 1)[-1]}"
                           + ("" if attempts is None else ", after trying again"))
            return
        except Exception as error:
            if isinstance(error, (AssertionError, NameError, AttributeError, TypeError)):
                raise  # a fault of the kit, not of the target
            code = error.code if isinstance(error, ServiceError) else getattr(error, "response", {}).get("Error", {}).get(
                "Code", type(error).__name__)
            words = str(error)
        policy = target.get("RetryPolicy", {})
        if attempts is None:
            attempts = list(delivery.waits(policy.get("MaximumRetryAttempts", delivery.ATTEMPTS),
                                           policy.get("MaximumEventAgeInSeconds", delivery.AGE)))
        lasting = not delivery.worth_retrying(code) or code == "LookupError"
        self.life.note("EventBridge", "delivery failed", target["Arn"], f"{code}: {words}" + (
            "" if lasting or not attempts else f"; again in {attempts[0]:g} s"))
        if attempts and not lasting:
            self.life.clock.after(attempts[0], self.deliver, source_arn, target, event, source, region, attempts[1:], fixed)
        elif "DeadLetterConfig" in target and "Arn" in target["DeadLetterConfig"]:
            self.life.send(target["DeadLetterConfig"]["Arn"], event, source)
            self.life.note("EventBridge", "to the dead-letter queue", target["DeadLetterConfig"]["Arn"], code)
        else:
            self.life.note("EventBridge", "event lost", target["Arn"], f"{code}, and no dead-letter queue")

    def _send(self, target, payload, source, source_arn):
        message = payload
        if "SqsParameters" in target:
            message = {"body": payload, "MessageGroupId": target["SqsParameters"].get("MessageGroupId")}
        with self.life.on_behalf_of(source_arn):
            self.life.send(target["Arn"], message, source)

    def to_bus(self, arn, message, source):
        """An event for another bus."""
        bus = arn.rsplit("/", 1)[-1]
        self.life.client("events", arn.split(":")[3]).put_events(Entries=[{
            "Source": message.get("source", source), "DetailType": message.get("detail-type", ""),
            "Detail": json.dumps(message.get("detail", {})), "EventBusName": bus}])

    def to_machine(self, arn, message, source):
        """A state machine is started with what the target gets as its input."""
        text = message if isinstance(message, str) else json.dumps(message)
        self.life.client("stepfunctions", arn.split(":")[3], by=source).start_execution(stateMachineArn=arn, input=text)

    def metered(self, call):
        self.life.meter.add(f"event bus of {call.region}", "events:custom", len(call.parameters["Entries"]))

    # rules that fire by themselves

    def check_rule(self, call):
        if call.parameters.get("ScheduleExpression"):
            check(call.parameters["ScheduleExpression"], once=False)
            if call.parameters.get("EventBusName", "default") not in ("default",):
                raise ServiceError("ValidationException", "ScheduleExpression is supported only on the default event bus.")

    def plan_rule(self, call):
        name = call.parameters["Name"]
        rule = self._rule(call.region, name)
        if rule is not None and rule.scheduled_expression:
            self._plan(("rule", call.region, name), rule.scheduled_expression, self.life.clock.now)

    def _rule(self, region, name):
        bus = self.life.backend("events", region).event_buses["default"]
        return bus.rules.get(name)

    def _plan(self, key, expression, made, timezone="UTC", end=None):
        if key in self.tickets:
            self.life.clock.cancel(self.tickets.pop(key))
        when = next_time(expression, max(self.life.clock.now, made), made, timezone, self.life.sandbox.clock.date_at(0))
        if when is not None and (end is None or when <= end):
            self.tickets[key] = self.life.clock.at(when, self._fire, key, expression, made, timezone, end)

    def _fire(self, key, expression, made, timezone, end):
        self.tickets.pop(key, None)
        kind, region, name = key
        if kind == "rule":
            rule = self._rule(region, name)
            if rule is None or rule.scheduled_expression != expression:
                return  # it was deleted, or is planned anew
            if rule.state.startswith("ENABLED"):
                self._serial += 1
                self.life.note("EventBridge", "scheduled rule fires", name, expression)
                date, account = self.life.sandbox.clock.date, self.life.sandbox.account_id
                event = {"version": "0", "id": f"{self._serial:08x}-0000-4000-8000-5c4ed01e0000", "detail-type": "Scheduled Event",
                         "source": "aws.events", "account": account, "time": f"{date:%Y-%m-%dT%H:%M:%SZ}", "region": region,
                         "resources": [rule.arn], "detail": {}}
                for target in list(rule.targets):
                    self.deliver(rule.arn, target, event, SOURCE, region)
        else:
            schedule = self._schedule(region, name)
            if schedule is None or schedule.schedule_expression != expression:
                return
            if schedule.state == "ENABLED":
                self.life.note("EventBridge", "schedule fires", name, expression)
                self.life.meter.add(f"schedule {name}", "scheduler:invocation", 1)
                target = schedule.target
                payload = target.get("Input", "{}")
                self.deliver(schedule.arn, target, payload, SCHEDULER, region, fixed=True)
        self._plan(key, expression, made, timezone, end)
        if kind == "schedule" and key not in self.tickets and schedule.action_after_completion == "DELETE":
            self.life.client("scheduler", region).delete_schedule(Name=name, GroupName=schedule.group_name)

    # schedules of EventBridge Scheduler

    def check_schedule(self, call):
        check(call.parameters["ScheduleExpression"])

    def plan_schedule(self, call):
        schedule, seconds = self._schedule(call.region, call.parameters["Name"]), self.life.sandbox.clock.seconds_at
        made, given = self.life.clock.now, call.parameters
        start = seconds(given["StartDate"]) if "StartDate" in given else made
        self._plan(("schedule", call.region, schedule.name), schedule.schedule_expression, max(made, start),
                   given.get("ScheduleExpressionTimezone", "UTC"), seconds(given["EndDate"]) if "EndDate" in given else None)

    def _schedule(self, region, name):
        for group in self.life.backend("scheduler", region).schedule_groups.values():
            if name in group.schedules:
                return group.schedules[name]
        return None


def _input(target, event):
    """What the target gets: Input, InputPath, InputTransformer, or the whole event."""
    if target.get("Input") is not None:
        return target["Input"]
    if target.get("InputPath") is not None:
        return _path(event, target["InputPath"])
    if "InputTransformer" in target:
        from moto.events.models import EventTemplateParser
        transformer = target["InputTransformer"]
        return EventTemplateParser.parse(input_template=transformer["InputTemplate"],
                                         input_paths_map=transformer.get("InputPathsMap", {}), event=event)
    return event


def _path(event, path):
    for name in path.removeprefix("$").strip(".").split("."):
        event = event.get(name, {}) if name else event
    return event


def _is_archive(arn):
    parts = arn.split(":")
    return parts[2] == "events" and not parts[5]
