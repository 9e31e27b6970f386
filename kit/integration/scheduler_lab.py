"""EventBridge Scheduler in the sandbox: schedules fire on the clock and do what their role may.

Each schedule hands its target an execution role. Scheduler assumes it (its trust policy must let
scheduler.amazonaws.com, which is looked at when the schedule is made and each time it fires), and the role's permissions
decide. A universal target is any operation of any service: ``arn:aws:scheduler:::aws-sdk:sqs:createQueue``.

**Simplified** A dead letter holds the target's Input, not the whole request. The words for a universal target that reads
only, and for an Input that is no JSON, are the kit's own. **Not modelled** Flexible time windows; context attributes such
as <aws.scheduler.scheduled-time> in the Input; iam:PassRole of who makes the schedule.

EventBridge Scheduler User Guide, "Using universal targets", "Configuring a schedule's dead-letter queue in EventBridge
Scheduler", "Set up the execution role", "Confused deputy prevention". That a role without trust is refused in these
words is known from AWS's answers. Read 2026-11-28.
"""

import json

from kit.errors import ServiceError
from kit.integration.delivery import SCHEDULER, Delivery
from kit.integration.schedule import check

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
READS = ("get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup", "discover",
         "validate", "batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList", "testMigration",
         "retrieve", "testConnection", "translateDocument", "isAuthorized", "invokeModel")  # "Unsupported actions"
CLIENTS = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs", "elasticloadbalancing": "elb",
           "elasticloadbalancingv2": "elbv2", "configservice": "config", "databasemigration": "dms"}  # the SDK's -> boto3's


def live(life, events) -> None:
    schedules = Schedules(life, events)
    life.state["schedules"] = schedules
    for operation in ("CreateSchedule", "UpdateSchedule"):
        life.before("scheduler", operation, schedules.check)
        life.then("scheduler", operation, schedules.plan)


class Schedules:
    """The schedules of one sandbox, by Region, group and name."""

    def __init__(self, life, events):
        self.life, self.events = life, events

    def check(self, call) -> None:
        given, target = call.parameters, call.parameters["Target"]
        check(given["ScheduleExpression"])
        group = self._group_arn(call.region, given.get("GroupName", "default"))
        if not self.events.trusts(target["RoleArn"], SCHEDULER, group):
            raise ServiceError("ValidationException", "The execution role you provide must allow AWS EventBridge Scheduler "
                                                      "to assume the role.")
        if target["Arn"].startswith(UNIVERSAL):
            self._check_universal(target, call.region)

    def plan(self, call) -> None:
        given, seconds, region = call.parameters, self.life.sandbox.clock.seconds_at, call.region
        group, name, expression = given.get("GroupName", "default"), given["Name"], given["ScheduleExpression"]
        made = self.life.clock.now
        start = seconds(given["StartDate"]) if "StartDate" in given else made
        self.events.plan(("schedule", region, group, name), lambda: self._fire(region, group, name, expression), expression,
                         max(made, start), given.get("ScheduleExpressionTimezone", "UTC"),
                         seconds(given["EndDate"]) if "EndDate" in given else None,
                         lambda: self._over(region, group, name))

    def call(self, target, region, by) -> None:
        """A universal target: the operation is called with the Input as its parameters, as the role."""
        client, operation = self._operation(target["Arn"], region, by)
        known = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
        names = {name.lower(): name for name in known.members} if known else {}
        given = json.loads(target.get("Input") or "{}")
        getattr(client, operation)(**{names.get(name.lower(), name): value for name, value in given.items()})

    def as_event(self, target) -> dict | None:
        """The event that a schedule puts on a bus, with the target's EventBridgeParameters."""
        given = target.get("EventBridgeParameters")
        return given and {"source": given["Source"], "detail-type": given["DetailType"],
                          "detail": json.loads(target.get("Input") or "{}")}

    def _fire(self, region, group, name, expression):
        schedule = self._schedule(region, group, name)
        if schedule is None or schedule.schedule_expression != expression:
            return False  # it was deleted, or is planned anew
        if schedule.state == "ENABLED":
            self.life.note("EventBridge", "schedule fires", name, expression)
            self.life.meter.add(f"schedule {name}", "scheduler:invocation", 1)
            target, date = {"Input": "{}", **schedule.target}, self.life.sandbox.clock.date
            letter = {"SCHEDULE_ARN": schedule.arn, "SCHEDULED_TIME": f"{date:%Y-%m-%dT%H:%M:%SZ}",
                      "IS_PAYLOAD_TRUNCATED": "false", "EXECUTION_ID": f"{int(date.timestamp()):016x}"}
            self.life.guarded(self.events.deliver, Delivery(
                name, self._group_arn(region, group), target, target["Input"], region, SCHEDULER, letter, own_codes=False))
        return True

    def _over(self, region, group, name):
        schedule = self._schedule(region, group, name)
        if schedule is not None and schedule.action_after_completion == "DELETE":
            self.life.client("scheduler", region).delete_schedule(Name=name, GroupName=group)

    def _schedule(self, region, group, name):
        found = self.life.backend("scheduler", region).schedule_groups.get(group)
        return found.schedules.get(name) if found is not None else None

    def _group_arn(self, region, group):
        """What aws:SourceArn says: the group, never a single schedule."""
        return f"arn:aws:scheduler:{region}:{self.life.sandbox.account_id}:schedule-group/{group}"

    def _check_universal(self, target, region):
        action = target["Arn"].rsplit(":", 1)[-1]
        if action.startswith(READS):
            raise ServiceError("ValidationException", f"{target['Arn']}: EventBridge Scheduler does not call operations "
                                                      f"that only read, such as {action}.")
        self._operation(target["Arn"], region, None)
        try:
            parsed = json.loads(target.get("Input") or "{}")
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise ServiceError("ValidationException", "The Input of a universal target is a JSON object: the parameters of "
                                                      "its operation.")

    def _operation(self, arn, region, by):
        """The client and boto3's name of the operation that a universal target names."""
        from botocore.exceptions import UnknownServiceError
        service, _, action = arn.removeprefix(UNIVERSAL).partition(":")
        try:
            client = self.life.client(CLIENTS.get(service, service), region, by=by)
        except UnknownServiceError:
            raise ServiceError("ValidationException", f"{service} is not a supported service for a target.") from None
        for method, api in client.meta.method_to_api_mapping.items():
            if api.lower() == action.lower():
                return client, method
        raise ServiceError("ValidationException", f"{arn}: {service} has no operation {action}.")
