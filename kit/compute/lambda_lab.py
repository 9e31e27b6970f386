"""Functions in the sandbox really run: their handlers are called, their logs, metrics and costs appear.

A handler runs in a process of its own with its memory and its time (see ``kit.lab.runtime``); what it does with boto3
happens in this sandbox, as its execution role. The models say who may run at once, where, and what is kept ready.
Events that nobody waits for are in ``lambda_async_lab``, queues and streams in ``lambda_sources_lab``.

**Simplified** Computing takes no time of the sandbox: an invocation lasts a millisecond and whatever the handler sleeps.
A caller that waits for its answer has ended when the next one calls, so that only what runs by itself (events, queues)
runs side by side. A function is active as soon as it is made. Environments end after a quarter of an hour of rest (AWS
does not say when). Polling costs nothing. A provisioned environment is started when it is first called, and the call
doesn't notice; it stays as long as it is provisioned.

AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle", "Lambda function scaling", read
2026-11-23; "Configuring provisioned concurrency for a function", read 2026-11-28. API Reference: "Invoke".
"""

import base64
import json
from hashlib import sha256
from math import ceil

from botocore.exceptions import ClientError

from kit.compute import invocation as model
from kit.compute import invocation_record, lambda_async_lab, lambda_sources_lab
from kit.compute.provisioned import Provisioned
from kit.errors import ServiceError
from kit.identity.authorization import Asked
from kit.lab.runtime import Runtime

LEAST, RESTS = 0.001, 900.0  # s: the least an invocation lasts; how long an idle environment is kept
TAIL = 4096  # bytes of the log that LogType=Tail gives back
STORAGE = 512  # MB of /tmp that cost nothing ("AWS Lambda Pricing", stored copy, read 2026-11-28)


def live(life) -> None:
    for service in ("cloudwatch", "logs", "sqs"):
        life.wake(service)
    functions = Functions(life)
    life.state["lambda"] = functions
    life.endings.append(functions.end)
    from moto.awslambda.models import LambdaFunction
    from moto.s3 import notifications
    from moto.sns.models import Subscription
    life.patch(LambdaFunction, "_invoke_lambda", functions.asked_by_moto)
    life.patch(Subscription, "publish", functions.published)
    life.patch(notifications, "_invoke_awslambda", functions.notified)
    life.answer("lambda", "Invoke", functions.invoke)
    life.before("lambda", "CreateFunction", functions.check)
    life.before("lambda", "UpdateFunctionConfiguration", functions.check)
    life.then("lambda", "UpdateFunctionCode UpdateFunctionConfiguration", functions.renewed)
    life.then("lambda", "DeleteFunction", functions.deleted)
    life.before("lambda", "PutFunctionConcurrency", functions.check_reserved)
    life.answer("lambda", "PutProvisionedConcurrencyConfig", functions.put_provisioned)
    life.answer("lambda", "GetProvisionedConcurrencyConfig", functions.get_provisioned)
    life.answer("lambda", "ListProvisionedConcurrencyConfigs", functions.list_provisioned)
    life.answer("lambda", "DeleteProvisionedConcurrencyConfig", functions.delete_provisioned)
    life.then("lambda", "PutProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig", functions.provisioned)
    life.quotes["lambda", "CreateFunction"] = quote
    life.quotes["lambda", "PutProvisionedConcurrencyConfig"] = lambda given: [functions.provisioned_item(
        life.sandbox.region, given["FunctionName"], given["ProvisionedConcurrentExecutions"])]
    life.receive("arn:aws:lambda:", functions.sent)
    functions.asynchronous = lambda_async_lab.live(life, functions)
    functions.sources = lambda_sources_lab.live(life, functions)


class Functions:
    """The functions of one sandbox: their environments, and who waits for them."""

    def __init__(self, life):
        self.life, self.runtime = life, None
        self.idle = {}  # (function ARN, its code, provisioned for) -> [(free from, environment, log stream)]
        self.busy = {}  # (Region, function) -> [(end of a call that runs, whose provisioned environment it has)]
        self.ready = {}  # Region -> what is provisioned there
        self.asynchronous = self.sources = None  # who calls functions for others
        self._serial = 0
        self._clients = {}

    def end(self) -> None:
        if self.runtime is not None:
            self.runtime.stop()

    # what the learner's calls mean

    def check(self, call) -> None:
        """Limits that moto lets pass; AWS's codes."""
        model.check_configuration(**{name: call.parameters[name] for name in (
            "MemorySize", "Timeout", "Environment") if name in call.parameters})

    def renewed(self, call) -> None:
        """New code or configuration: the old environments are not used again."""
        self._drop(call.region, call.response["FunctionName"], "$LATEST")

    def deleted(self, call) -> None:
        *_, name = call.parameters["FunctionName"].split(":function:")
        name, _, version = name.partition(":")
        version = call.parameters.get("Qualifier") or version
        self._drop(call.region, name, version)
        provisioned = self.provisioned_in(call.region)
        for owner, qualifier in list(provisioned.configs):
            if owner == name and version in ("", qualifier):
                provisioned.delete_provisioned_concurrency_config(owner, qualifier)
                self.life.meter.end(f"function {name}:{qualifier}")

    def _drop(self, region, name, version="") -> None:
        """End the environments of a function, or of one of its versions."""
        for key in [key for key in self.idle if key[0].split(":")[3] == region and key[0].split(":")[6] == name
                    and version in ("", (key[0].split(":")[7:] or ["$LATEST"])[0])]:
            for _, environment, _ in self.idle.pop(key):
                environment.stop()

    def invoke(self, call) -> dict:
        given = call.parameters
        function = self.find(call.region, given["FunctionName"], given.get("Qualifier"))
        payload, kind = given.get("Payload") or b"{}", given.get("InvocationType", "RequestResponse")
        payload = payload.encode() if isinstance(payload, str) else payload
        model.check_payload(len(payload), kind)
        try:
            event = json.loads(payload)
        except ValueError as error:
            raise ServiceError("InvalidRequestContentException", f"Could not parse request body into json: {error}") from None
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            self.asynchronous.queue(function, event)
            return {"StatusCode": 202, "Payload": _stream(b"")}
        result = self.run(function, event, qualifier=_qualifier(given))
        answer = {"StatusCode": 200, "Payload": _stream(result.payload.encode()), "ExecutedVersion": self.version(function)}
        if result.error:
            answer["FunctionError"] = result.error
        if given.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode("".join(result.logs)[-TAIL:].encode()).decode()
        return answer

    def asked_by_moto(self, before, function, event=None):
        """Step Functions calls through moto."""
        event = json.loads(event) if isinstance(event, str) else event
        result = self.run(function, event)
        return result.payload, bool(result.error), "".join(result.logs)

    def sent(self, arn, message, source) -> None:
        """EventBridge, alarms and others: asynchronously, if the function's policy lets them."""
        client = self.life.client("lambda", arn.split(":")[3], by=source)
        text = message if isinstance(message, str) else json.dumps(message)
        client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())

    def published(self, before, subscription, message, message_id, subject=None, message_attributes=None, **more):
        """A topic with a function among its subscribers: it gets SNS's own event, with the topic's name in it."""
        if subscription.protocol != "lambda":
            return before(subscription, message, message_id, subject=subject, message_attributes=message_attributes, **more)
        matcher = subscription._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return None
        topic, date = subscription.topic, self.life.sandbox.clock.date
        sns = {"Type": "Notification", "MessageId": message_id, "TopicArn": topic.arn, "Subject": subject, "Message": message,
               "Timestamp": f"{date:%Y-%m-%dT%H:%M:%S.000Z}", "MessageAttributes": {
                   name: {"Type": one.get("Type", one.get("type")), "Value": one.get("Value", one.get("value"))}
                   for name, one in (message_attributes or {}).items()}}
        event = {"Records": [{"EventVersion": "1.0", "EventSubscriptionArn": subscription.arn, "EventSource": "aws:sns", "Sns": sns}]}
        self._sent_by("sns.amazonaws.com", topic.arn, subscription.endpoint, event)
        return None

    def notified(self, before, account, event, arn, region):
        """A bucket notifies a function."""
        bucket = event["Records"][0].get("s3", {}).get("bucket", {}).get("arn", "") if event.get("Records") else ""
        self._sent_by("s3.amazonaws.com", bucket, arn, event)

    def _sent_by(self, service, source, arn, event):
        with self.life.on_behalf_of(source):
            try:
                self.sent(arn, event, service)
            except Exception as error:
                self.life.note("Lambda", "not invoked", arn.rsplit(":", 1)[-1], f"{service}: {error}")

    # one invocation

    def run(self, function, event, lasting: bool = False, qualifier: str | None = None, request: str | None = None):
        """Run the handler once; ``lasting``: nobody waits for it, and it takes its time on the clock. The result tells its
        request too, and in how many seconds it will be there.

        ServiceError TooManyRequestsException if the concurrency that is left does not allow it.
        """
        now, name = self.life.sandbox.clock.now, function.function_name
        qualifier = qualifier or (None if self.version(function) == "$LATEST" else self.version(function))
        of = self._admit(function, qualifier, now)
        request = request or self.request_id()
        environment, stream, cold = self._environment(function, now, of)
        result = environment.invoke(event, {
            "function_name": name, "function_version": self.version(function), "aws_request_id": request,
            "invoked_function_arn": function.function_arn, "memory_limit_in_mb": str(function.memory_size),
            "log_group_name": function.logs_group_name, "log_stream_name": stream,
            "now": self.life.sandbox.clock.date.timestamp()}, timeout=float(function.timeout))
        duration = min(max(LEAST, result.duration), float(function.timeout))
        result.request, result.there_in = request, duration if duration > LEAST else 0.0
        self._log(function, stream, request, result, duration, cold)
        self._measure(function, result, duration, now)
        if lasting:
            self.busy.setdefault((function.region, name), []).append((now + duration, of))
        key = function.function_arn, function.code_sha_256, of
        if environment.alive:
            self.idle.setdefault(key, []).append((now + (duration if lasting else 0), environment, stream))
        how = "a provisioned environment; " if of else "a cold start; " if cold else ""
        self.life.note("Lambda", "invoked" if not result.error else "failed", name, f"{how}{result.payload[:120]}")
        return result

    def _admit(self, function, qualifier, now):
        """The model of concurrency decides, with what runs now: for whom the environment is provisioned, None on demand."""
        region, name = function.region, function.function_name
        self.busy = {key: left for key, calls in self.busy.items() if (left := [one for one in calls if one[0] > now])}
        running = {key[1]: [of for _, of in calls] for key, calls in self.busy.items() if key[0] == region}
        provisioned = self.provisioned_in(region)
        outcome = provisioned.admit(now, name, qualifier, running, provisioned.concurrency.reserved)
        if not outcome.admitted:
            self.count(function, "Throttles", 1)
            self.life.note("Lambda", "throttled", name, outcome.because)
            raise ServiceError("TooManyRequestsException", "Rate Exceeded.")
        kept = provisioned.allocated(now, name, qualifier)
        if outcome.environment == "provisioned":
            used = running.get(name, []).count(qualifier) + 1
            self.count(function, "ProvisionedConcurrencyInvocations", 1)
            self.count(function, "ProvisionedConcurrentExecutions", used)
            self.count(function, "ProvisionedConcurrencyUtilization", used / kept, "None")
            return qualifier
        if kept:
            self.count(function, "ProvisionedConcurrencySpilloverInvocations", 1)
        return None

    # what is reserved, and what is kept ready

    def provisioned_in(self, region) -> Provisioned:
        """The model of a Region's concurrency, with what moto knows to be reserved."""
        if region not in self.ready:
            self.ready[region] = Provisioned()
        self.ready[region].concurrency.reserved = {
            one.function_name: int(one.reserved_concurrency) for one in self.life.backend("lambda", region).list_functions()
            if one.reserved_concurrency is not None}
        return self.ready[region]

    def switched_off(self, function) -> bool:
        return self.provisioned_in(function.region).concurrency.reserved.get(function.function_name) == 0

    def check_reserved(self, call) -> None:
        function = self.find(call.region, call.parameters["FunctionName"], None)
        self.provisioned_in(call.region).concurrency.put_function_concurrency(
            function.function_name, call.parameters["ReservedConcurrentExecutions"])

    def put_provisioned(self, call) -> dict:
        given, now = call.parameters, self.life.clock.now
        function = self.find(call.region, given["FunctionName"], given["Qualifier"])
        provisioned, name, qualifier = self.provisioned_in(call.region), function.function_name, given["Qualifier"]
        provisioned.put_provisioned_concurrency_config(now, name, qualifier, given["ProvisionedConcurrentExecutions"],
                                                       self.version(function))
        config = provisioned.configs[name, qualifier]
        self.life.clock.at(config.ready, self._provisioned_ready, call.region, name, qualifier, config)
        return self._config_shown(call.region, name, qualifier)

    def _provisioned_ready(self, region, name, qualifier, config):
        if self.provisioned_in(region).configs.get((name, qualifier)) is config:
            self.life.note("Lambda", "provisioned concurrency ready", f"{name}:{qualifier}", f"{config.requested} environments")

    def get_provisioned(self, call) -> dict:
        function = self.find(call.region, call.parameters["FunctionName"], call.parameters["Qualifier"])
        return self._config_shown(call.region, function.function_name, call.parameters["Qualifier"])

    def list_provisioned(self, call) -> dict:
        function = self.find(call.region, call.parameters["FunctionName"], None)
        found = self.provisioned_in(call.region).list_provisioned_concurrency_configs(self.life.clock.now, function.function_name)
        return {"ProvisionedConcurrencyConfigs": [
            {"FunctionArn": f"{function.function_arn}:{qualifier}"} | self._config_shown(call.region, function.function_name, qualifier)
            for qualifier in sorted(found)]}

    def delete_provisioned(self, call) -> dict:
        function = self.find(call.region, call.parameters["FunctionName"], call.parameters["Qualifier"])
        qualifier = call.parameters["Qualifier"]
        self.provisioned_in(call.region).delete_provisioned_concurrency_config(function.function_name, qualifier)
        for key in [key for key in self.idle if key[0] == function.function_arn and key[2] == qualifier]:
            for _, environment, _ in self.idle.pop(key):
                environment.stop()
        return {}

    def _config_shown(self, region, name, qualifier):
        provisioned, now = self.provisioned_in(region), self.life.clock.now
        taken = sum(end > now and of == qualifier for end, of in self.busy.get((region, name), ()))
        shown = provisioned.get_provisioned_concurrency_config(now, name, qualifier, taken)
        since = self.life.sandbox.clock.date_at(provisioned.configs[name, qualifier].since)
        return shown | {"LastModified": f"{since:%Y-%m-%dT%H:%M:%S+0000}"}

    # environments

    def _environment(self, function, now, of=None):
        """A warm one that is free, or a new one. of: the version or alias that it is provisioned for."""
        key = function.function_arn, function.code_sha_256, of
        rests = float("inf") if of else RESTS
        waiting = self.idle.get(key, [])
        for entry in waiting:
            free, environment, stream = entry
            if free <= now <= free + rests and environment.alive:
                waiting.remove(entry)
                return environment, stream, False
        for free, environment, _ in [entry for entry in waiting if now > entry[0] + rests]:
            environment.stop()
        self.idle[key] = [entry for entry in waiting if now <= entry[0] + rests]
        if self.runtime is None:
            self.runtime = Runtime(self._call_out)
            if self.runtime.limits:
                self.life.note("Lambda", "no limits" if self.runtime.in_place else "fewer limits", "handlers", self.runtime.limits)
        self._serial += 1
        mark = sha256(f"{self.life.sandbox.seed}:{function.function_arn}:{self._serial}".encode()).hexdigest()[:32]
        date = self.life.sandbox.clock.date
        stream = f"{date:%Y/%m/%d}/[{self.version(function)}]{mark}"
        environment = self.runtime.create(function.code_bytes, function.handler, {
            **(function.environment_vars or {}), "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.version(function), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name, "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_REGION": function.region, "AWS_DEFAULT_REGION": function.region, "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}", "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency" if of else "on-demand",
            "AWS_ACCESS_KEY_ID": self.role(function), "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_SESSION_TOKEN": "sandbox"},
            int(function.memory_size), self._layers(function))
        return environment, stream, True

    def _layers(self, function):
        layers = []
        for one in function.layers or []:
            version = self.life.backend("lambda", function.region).layers_versions_by_arn(one["Arn"])
            if version is not None:
                layers.append(version.code_bytes)
        return layers

    def _call_out(self, service, region, operation, parameters, keys):
        """What a handler asks of AWS, with its own keys."""
        of = service, region, tuple(keys)
        if of not in self._clients:
            self._clients[of] = self.life.sandbox.client(service, region_name=region, **dict(zip(
                ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), keys)))
        with self.life.doing("a handler"):
            return self._clients[of]._make_api_call(operation, parameters)

    def _log(self, function, stream, request, result, duration, cold):
        logs, group = self.life.backend("logs", function.region), function.logs_group_name
        logs.ensure_log_group(group)
        if stream not in logs.groups[group].streams:
            logs.create_log_stream(group, stream)
        billed = ceil(duration * 1000)
        init = f"\tInit Duration: {1000 * result.init_duration:.2f} ms" if cold and result.init_duration else ""
        lines = [f"START RequestId: {request} Version: {self.version(function)}\n", *result.logs, f"END RequestId: {request}\n",
                 f"REPORT RequestId: {request}\tDuration: {1000 * duration:.2f} ms\tBilled Duration: {billed} ms\tMemory Size: "
                 f"{function.memory_size} MB\tMax Memory Used: {result.max_memory_mb} MB{init}\n"]
        result.logs[:] = lines
        at = int(self.life.sandbox.clock.date.timestamp() * 1000)
        with self.life.sandbox.clock:
            logs.put_log_events(group, stream, [{"timestamp": at, "message": line.rstrip("\n")} for line in lines])

    def _measure(self, function, result, duration, now):
        self.count(function, "Invocations", 1)
        self.count(function, "Errors", 1 if result.error else 0)
        self.count(function, "Duration", 1000 * duration, "Milliseconds")
        self.count(function, "ConcurrentExecutions", 1 + sum(
            end > now for end, _ in self.busy.get((function.region, function.function_name), ())))
        resource = f"function {function.function_name}"
        self.life.meter.add(resource, "lambda:request", 1)
        billed = ceil(duration * 1000) / 1000
        self.life.meter.add(resource, _on(function.architectures, "lambda:gb-second"), billed * int(function.memory_size) / 1024)
        if int(function.ephemeral_storage) > STORAGE:
            self.life.meter.add(resource, "lambda:ephemeral", billed * (int(function.ephemeral_storage) - STORAGE) / 1024)

    def provisioned(self, call) -> None:
        """Environments that are kept ready are paid for by their memory, used or not."""
        item, amount = self.provisioned_item(call.region, call.parameters["FunctionName"],
                                             call.parameters.get("ProvisionedConcurrentExecutions", 0))
        name = call.parameters["FunctionName"].rsplit(":", 1)[-1]
        self.life.meter.run(f"function {name}:{call.parameters['Qualifier']}", item, amount)

    def provisioned_item(self, region, name, number) -> tuple[str, float]:
        function = self.find(region, name, None)
        return _on(function.architectures, "lambda:provisioned"), number * int(function.memory_size) / 1024

    def count(self, function, metric, value, unit="Count"):
        self.life.state["metrics"].record("AWS/Lambda", metric, [{"Name": "FunctionName", "Value": function.function_name}],
                                          value, self.life.sandbox.clock.now, unit, region=function.region)

    # for those who call functions

    def give(self, arn, record, function) -> None:
        """A record of an invocation to its destination, with the function's own role."""
        try:
            self.life.send(arn, invocation_record.for_bus(record, arn) if ":events:" in arn else record, self.role(function))
            self.life.note("Lambda", "to its destination", function.function_name, arn)
        except (LookupError, ServiceError, ClientError) as error:
            self.count(function, "DestinationDeliveryFailures", 1)
            self.life.note("Lambda", "destination failed", function.function_name, f"{arn}: {error}")

    def may(self, function, action, resource) -> bool:
        """Do the policies of its role allow this?"""
        return self.role_may(function.role, action, resource)

    def role_may(self, role, action, resource) -> bool:
        self.life.wake("iam")
        identity = self.life.state["identity"]
        if role.rsplit("/", 1)[-1] not in {one.name for one in identity.iam.roles.values()}:
            return False
        return identity.evaluate(identity.who(_role(role), None), Asked(action, resource)).allowed

    def role(self, function) -> str:
        """As whom it acts."""
        return _role(function.role)

    def version(self, function) -> str:
        return str(function.version)

    def request_id(self) -> str:
        self._serial += 1
        return f"{self._serial:08x}-0000-4000-8000-1a3bda000000"

    def find(self, region, name, qualifier):
        from moto.awslambda.exceptions import UnknownFunctionException
        try:
            return self.life.backend("lambda", region).get_function(name, qualifier)
        except UnknownFunctionException as error:
            raise ServiceError("ResourceNotFoundException", str(getattr(error, "message", error))) from None


def quote(given) -> list:
    """What a function with these parameters of CreateFunction costs: one request, and one second of it."""
    storage = given.get("EphemeralStorage", {}).get("Size", STORAGE)
    items = [("lambda:request", 1), (_on(given.get("Architectures", ()), "lambda:gb-second"), given.get("MemorySize", 128) / 1024)]
    return items + [("lambda:ephemeral", (storage - STORAGE) / 1024)] * (storage > STORAGE)


def _on(architectures, item):
    return f"{item}-arm" if "arm64" in architectures else item


def _qualifier(given):
    """The version or alias that a call names."""
    name = given["FunctionName"].split(":function:")[-1]
    return given.get("Qualifier") or (name.partition(":")[2] or None)


def _role(arn):
    return "ROLE:" + arn.rsplit("/", 1)[-1]


def _stream(data):
    from io import BytesIO

    from botocore.response import StreamingBody
    return StreamingBody(BytesIO(data), len(data))
