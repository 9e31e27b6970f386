"""Events that nobody waits for, in the sandbox: they run when the clock moves on, are tried again, and end somewhere.

The model says when an event is tried again and when it is given up. What is done or given up is told to the function's
destinations; what is given up goes to its dead-letter queue or topic as well. Both are sent with the function's role.

**Simplified** An event has waited for no other. moto keeps one configuration for all versions of a function.
**Not modelled** S3 destinations.

AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation", "Capturing records of
Lambda asynchronous invocations", "Adding a dead-letter queue", read 2026-11-28. The message of a dead letter that never
ran is not looked up.
"""

import json
from dataclasses import dataclass

from kit.compute import invocation as model
from kit.compute import invocation_record
from kit.errors import ServiceError

NEVER = "The function was not invoked: its reserved concurrency is 0."


def live(life, functions) -> "Asynchronous":
    asynchronous = Asynchronous(life, functions)
    from moto.awslambda.models import LambdaFunction
    life.patch(LambdaFunction, "get_configuration", asynchronous.shown)
    life.before("lambda", "CreateFunction", asynchronous.check)
    life.before("lambda", "UpdateFunctionConfiguration", asynchronous.check)
    life.then("lambda", "CreateFunction UpdateFunctionConfiguration", asynchronous.remember)
    return asynchronous


@dataclass
class Waiting:
    """An event in the function's queue, and what it has been through."""

    event: object
    since: float
    request: str
    errors: int = 0
    throttles: int = 0


class Asynchronous:
    """The events of one sandbox's functions."""

    def __init__(self, life, functions):
        self.life, self.functions = life, functions

    # a function's dead-letter queue: moto knows none

    def check(self, call) -> None:
        """AWS makes sure that the role may send there."""
        target = call.parameters.get("DeadLetterConfig", {}).get("TargetArn")
        if not target:
            return
        kind = target.split(":")[2] if target.startswith("arn:") and target.count(":") >= 5 else ""
        if kind not in ("sqs", "sns"):
            raise ServiceError("InvalidParameterValueException", f"DeadLetterConfig: {target} is neither a queue nor a topic.")
        role = call.parameters.get("Role") or self.functions.find(call.region, call.parameters["FunctionName"], None).role
        action = {"sqs": "SendMessage", "sns": "Publish"}[kind]
        if not self.functions.role_may(role, f"{kind}:{action}", target):
            raise ServiceError("InvalidParameterValueException",
                               f"The provided execution role does not have permissions to call {action} on {kind.upper()}")

    def remember(self, call) -> None:
        if "DeadLetterConfig" not in call.parameters:
            return
        function = self.functions.find(call.region, call.response["FunctionName"], None)
        function.dead_letter_config = dict(call.parameters["DeadLetterConfig"])  # a version copies it when it is published
        if call.operation == "CreateFunction" and call.parameters.get("Publish"):
            self.functions.find(call.region, function.function_name, "1").dead_letter_config = function.dead_letter_config
        call.response.pop("DeadLetterConfig", None)
        call.response |= _dead_letters(function)

    def shown(self, before, function, *arguments, **named):
        """Wherever a function's configuration is told."""
        return before(function, *arguments, **named) | _dead_letters(function)

    # an event

    def queue(self, function, event) -> None:
        """It runs at once, that is when the clock moves on, and again if it fails."""
        waiting = Waiting(event, self.life.sandbox.clock.now, self.functions.request_id())
        self.life.clock.after(0, self._run, function, waiting)

    def _run(self, function, waiting):
        config, now = _config(function), self.life.clock.now
        age = config.get("MaximumEventAgeInSeconds", model.MAXIMUM_EVENT_AGE)
        try:
            result = self.functions.run(function, waiting.event, lasting=True, request=waiting.request)
        except ServiceError as throttled:
            if self.functions.switched_off(function):
                return self._over(function, waiting, "ZeroReservedConcurrency", config, words=NEVER)
            waiting.throttles += 1
            wait = model.throttle_wait(waiting.throttles)
            if now + wait - waiting.since <= age:
                return self.life.clock.after(wait, self._run, function, waiting)
            return self._over(function, waiting, "EventAgeExceeded", config, words=throttled.message)
        self.life.clock.after(result.there_in, self._ran, function, waiting, config, age, result)

    def _ran(self, function, waiting, config, age, result):
        if not result.error:
            return self._over(function, waiting, "Success", config, result)
        now, most = self.life.clock.now, config.get("MaximumRetryAttempts", model.RETRIES)
        waiting.errors += 1
        wait = model.retry_wait(waiting.errors)
        if waiting.errors > most:
            self._over(function, waiting, "RetriesExhausted", config, result)
        elif now + wait - waiting.since > age:
            self._over(function, waiting, "EventAgeExceeded", config, result)
        else:
            self.life.note("Lambda", "to be tried again", function.function_name,
                           f"in {wait:g} s, attempt {waiting.errors + 1} of {most + 1}")
            self.life.clock.after(wait, self._run, function, waiting)

    def _over(self, function, waiting, condition, config, result=None, words=""):
        """To the destination of its kind, and if it was given up, to the dead-letter queue as well."""
        kind, invoked = ("OnSuccess" if condition == "Success" else "OnFailure"), waiting.errors + (condition == "Success")
        target = (config.get("DestinationConfig", {}).get(kind) or {}).get("Destination")
        dead = _dead_letters(function).get("DeadLetterConfig", {}).get("TargetArn") if condition != "Success" else None
        if target:
            self.functions.give(target, invocation_record.of_event(
                waiting.event, function.function_arn, self.functions.version(function), condition, waiting.request, invoked,
                self.life.sandbox.clock.date, result and result.payload, bool(result and result.error)), function)
        if dead:
            self._bury(function, dead, waiting, result, words)
        if condition != "Success" and not (target or dead):
            self.life.note("Lambda", "event lost", function.function_name,
                           f"{condition}, and neither destination nor dead-letter queue")

    def _bury(self, function, target, waiting, result, words):
        """The event as it is, with the reason in its attributes."""
        from botocore.exceptions import ClientError
        if result is not None:
            answer = json.loads(result.payload)
            words = str(answer.get("errorMessage", answer)) if isinstance(answer, dict) else str(answer)
        attributes = invocation_record.dead_letter(waiting.request, 429 if result is None else 200, words)
        _, _, kind, region, account, name = target.split(":", 5)
        client, text = self.life.client(kind, region, by=self.functions.role(function)), json.dumps(waiting.event)
        try:
            if kind == "sqs":
                client.send_message(QueueUrl=f"https://sqs.{region}.amazonaws.com/{account}/{name}", MessageBody=text,
                                    MessageAttributes=attributes)
            else:
                client.publish(TopicArn=target, Message=text, MessageAttributes=attributes)
            self.life.note("Lambda", "to its dead letters", function.function_name, target)
        except ClientError as error:
            self.functions.count(function, "DeadLetterErrors", 1)
            self.life.note("Lambda", "dead letter failed", function.function_name, f"{target}: {error}")


def _config(function):
    """How often, how long, and where to: PutFunctionEventInvokeConfig."""
    return function.event_invoke_config[-1].config if function.event_invoke_config else {}


def _dead_letters(function) -> dict:
    found = getattr(function, "dead_letter_config", None) or {}
    return {"DeadLetterConfig": {"TargetArn": found["TargetArn"]}} if found.get("TargetArn") else {}
