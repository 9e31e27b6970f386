"""Functions in the sandbox really run: their handlers are called, their logs, metrics and costs appear.

A handler runs in a process of its own with its memory and its time (see ``kit.lab.runtime``); what it does with boto3
happens in this sandbox, as its execution role. The model says who may run at once, what is tried again and when, and
what a queue hands over.

**Simplified** Computing takes no time of the sandbox: an invocation lasts a millisecond and whatever the handler sleeps.
A caller that waits for its answer has ended when the next one calls, so that only what runs by itself (events, queues)
runs side by side. A function is active as soon as it is made. Environments end after a quarter of an hour of rest (AWS
does not say when). Polling costs nothing.

AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle", "Understanding retry behavior in
Lambda", "Using Lambda with Amazon SQS", "Lambda function scaling", read 2026-11-23. API Reference: "Invoke".
"""

import base64
import json
from hashlib import sha256
from math import ceil

from kit.compute import invocation as model
from kit.errors import ServiceError
from kit.lab.runtime import Runtime

LEAST, RESTS = 0.001, 900.0  # s: the least an invocation lasts; how long an idle environment is kept
TAIL = 4096  # bytes of the log that LogType=Tail gives back


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
    life.then("lambda", "CreateEventSourceMapping UpdateEventSourceMapping", functions.poll_all)
    life.receive("arn:aws:lambda:", functions.sent)
    life.state["sqs"].on_arrival.append(functions.arrived)


class Functions:
    """The functions of one sandbox: their environments, and who waits for them."""

    def __init__(self, life):
        self.life, self.runtime = life, None
        self.idle = {}  # (function ARN, version) -> [(free until, environment, log stream)]
        self.busy = {}  # function ARN -> ends of what runs, in seconds
        self._serial = 0
        self._polls = {}  # mapping -> ticket
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
        name = call.response["FunctionName"]
        for key in [key for key in self.idle if key[0].endswith(f":{name}")]:
            for *_, environment, _ in self.idle.pop(key):
                environment.stop()

    def invoke(self, call) -> dict:
        given = call.parameters
        function = self._function(call.region, given["FunctionName"], given.get("Qualifier"))
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
            self.queue(function, event)
            return {"StatusCode": 202, "Payload": _stream(b"")}
        result = self.run(function, event)
        answer = {"StatusCode": 200, "Payload": _stream(result.payload.encode()), "ExecutedVersion": function.version}
        if result.error:
            answer["FunctionError"] = result.error
        if given.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode("".join(result.logs)[-TAIL:].encode()).decode()
        return answer

    def asked_by_moto(self, before, function, event=None):
        """Streams and Step Functions call through moto."""
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

    def run(self, function, event, lasting: bool = False):
        """Run the handler once; ``lasting``: nobody waits for it, and it takes its time on the clock.

        ServiceError TooManyRequestsException if the concurrency that is left does not allow it.
        """
        now, name = self.life.sandbox.clock.now, function.function_name
        self._admit(function, now)
        self._serial += 1
        request = f"{self._serial:08x}-0000-4000-8000-1a3bda000000"
        environment, stream, cold = self._environment(function, now)
        result = environment.invoke(event, {
            "function_name": name, "function_version": function.version, "aws_request_id": request,
            "invoked_function_arn": function.function_arn, "memory_limit_in_mb": str(function.memory_size),
            "log_group_name": function.logs_group_name, "log_stream_name": stream,
            "now": self.life.sandbox.clock.date.timestamp()}, timeout=float(function.timeout))
        duration = min(max(LEAST, result.duration), float(function.timeout))
        self._log(function, stream, request, result, duration, cold)
        self._measure(function, result, duration, now)
        if lasting:
            self.busy.setdefault(function.function_arn, []).append(now + duration)
        key = function.function_arn, function.code_sha_256
        if environment.alive:
            self.idle.setdefault(key, []).append((now + (duration if lasting else 0), environment, stream))
        self.life.note("Lambda", "invoked" if not result.error else "failed", name, ("a cold start; " if cold else "") + (
            f"{result.payload[:120]}"))
        return result

    def _admit(self, function, now):
        """The model of concurrency decides, with what runs now."""
        for arn, ends in list(self.busy.items()):
            self.busy[arn] = [end for end in ends if end > now]
        backend = self.life.backend("lambda", function.region)
        reserved = {one.function_arn: int(one.reserved_concurrency) for one in backend.list_functions()
                    if one.reserved_concurrency is not None}
        decision = model.admit(function.function_arn, {arn: len(ends) for arn, ends in self.busy.items()}, reserved)
        if not decision.admitted:
            self._count(function, "Throttles", 1)
            self.life.note("Lambda", "throttled", function.function_name, decision.because)
            raise ServiceError("TooManyRequestsException", "Rate Exceeded.")

    def _environment(self, function, now):
        """A warm one that is free, or a new one."""
        key = function.function_arn, function.code_sha_256
        waiting = self.idle.get(key, [])
        for entry in waiting:
            free, environment, stream = entry
            if free <= now <= free + RESTS and environment.alive:
                waiting.remove(entry)
                return environment, stream, False
        for free, environment, _ in [entry for entry in waiting if now > entry[0] + RESTS]:
            environment.stop()
        self.idle[key] = [entry for entry in waiting if now <= entry[0] + RESTS]
        if self.runtime is None:
            self.runtime = Runtime(self._call_out)
        self._serial += 1
        mark = sha256(f"{self.life.sandbox.seed}:{function.function_arn}:{self._serial}".encode()).hexdigest()[:32]
        date = self.life.sandbox.clock.date
        stream = f"{date:%Y/%m/%d}/[{function.version}]{mark}"
        role = function.role.rsplit("/", 1)[-1]
        environment = self.runtime.create(function.code_bytes, function.handler, {
            **(function.environment_vars or {}), "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name, "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_REGION": function.region, "AWS_DEFAULT_REGION": function.region, "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_ACCESS_KEY_ID": f"ROLE:{role}", "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_SESSION_TOKEN": "sandbox"},
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
        lines = [f"START RequestId: {request} Version: {function.version}\n", *result.logs, f"END RequestId: {request}\n",
                 f"REPORT RequestId: {request}\tDuration: {1000 * duration:.2f} ms\tBilled Duration: {billed} ms\tMemory Size: "
                 f"{function.memory_size} MB\tMax Memory Used: {result.max_memory_mb} MB{init}\n"]
        result.logs[:] = lines
        at = int(self.life.sandbox.clock.date.timestamp() * 1000)
        with self.life.sandbox.clock:
            logs.put_log_events(group, stream, [{"timestamp": at, "message": line.rstrip("\n")} for line in lines])

    def _measure(self, function, result, duration, now):
        self._count(function, "Invocations", 1)
        self._count(function, "Errors", 1 if result.error else 0)
        self._count(function, "Duration", 1000 * duration, "Milliseconds")
        self._count(function, "ConcurrentExecutions", 1 + sum(end > now for end in self.busy.get(function.function_arn, ())))
        resource = f"function {function.function_name}"
        self.life.meter.add(resource, "lambda:request", 1)
        self.life.meter.add(resource, "lambda:gb-second", ceil(duration * 1000) / 1000 * int(function.memory_size) / 1024)

    def _count(self, function, metric, value, unit="Count"):
        self.life.state["metrics"].record("AWS/Lambda", metric, [{"Name": "FunctionName", "Value": function.function_name}],
                                          value, self.life.sandbox.clock.now, unit)
        self.life.state["alarms"].wake_all()

    # asynchronously

    def queue(self, function, event, attempt: int = 1, since: float | None = None) -> None:
        """An event that nobody waits for: it runs at once, and again if it fails."""
        now = self.life.sandbox.clock.now
        self.life.clock.after(0, self._run_queued, function, event, attempt, now if since is None else since)

    def _run_queued(self, function, event, attempt, since):
        config = self._config(function)
        now, most = self.life.clock.now, config.get("MaximumRetryAttempts", model.RETRIES)
        age = config.get("MaximumEventAgeInSeconds", model.MAXIMUM_EVENT_AGE)
        try:
            result, condition = self.run(function, event, lasting=True), "RetriesExhausted"
        except ServiceError as throttled:
            wait = model.throttle_wait(attempt)
            if now + wait - since <= age:
                self.life.clock.after(wait, self._run_queued, function, event, attempt, since)
                return
            return self._over(function, event, None, "EventAgeExceeded", config, throttled.message)
        if not result.error:
            return self._over(function, event, result, "Success", config)
        wait = model.retry_wait(attempt)
        if attempt <= most and now + wait - since <= age:
            self.life.note("Lambda", "to be tried again", function.function_name, f"in {wait:g} s, attempt {attempt + 1} of {most + 1}")
            self.life.clock.after(wait, self._run_queued, function, event, attempt + 1, since)
        else:
            self._over(function, event, result, condition if attempt > most else "EventAgeExceeded", config)

    def _over(self, function, event, result, condition, config, words=""):
        """Destinations, and the older dead-letter queue."""
        destinations = config.get("DestinationConfig", {})
        arn = destinations.get("OnSuccess" if condition == "Success" else "OnFailure", {}).get("Destination")
        if arn:
            date = self.life.sandbox.clock.date
            record = {"version": "1.0", "timestamp": f"{date:%Y-%m-%dT%H:%M:%S.000Z}", "requestContext": {
                "functionArn": f"{function.function_arn}:{function.version}", "condition": condition},
                "requestPayload": event, "responsePayload": json.loads(result.payload) if result else {"errorMessage": words}}
            self._give(arn, record, function)
        elif condition != "Success":
            target = (function.dead_letter_config or {}).get("TargetArn") if hasattr(function, "dead_letter_config") else None
            if target:
                self._give(target, event, function)
            else:
                self.life.note("Lambda", "event lost", function.function_name, f"{condition}, and neither destination nor dead-letter queue")

    def _give(self, arn, record, function):
        try:
            self.life.send(arn, record, "ROLE:" + function.role.rsplit("/", 1)[-1])  # with the function's own role
            self.life.note("Lambda", "to its destination", function.function_name, arn)
        except Exception as error:
            self.life.note("Lambda", "destination failed", function.function_name, f"{arn}: {error}")

    def _config(self, function):
        """How often, how long, and where to: PutFunctionEventInvokeConfig."""
        return function.event_invoke_config[-1].config if function.event_invoke_config else {}

    # queues as event sources

    def arrived(self, queue) -> None:
        """A message is there: who reads this queue does so, at once or when its window is over."""
        for function_arn, mapping in queue.lambda_event_source_mappings.items():
            if mapping.enabled and mapping.uuid not in self._polls:
                window = getattr(mapping, "maximum_batching_window_in_seconds", None) or 0
                depth = self.life.state["sqs"].depths[queue.queue_arn]["visible"].now
                wait = window if depth < mapping.batch_size else 0
                self._polls[mapping.uuid] = self.life.clock.after(wait, self._poll, queue, function_arn, mapping)

    def poll_all(self, call) -> None:
        for queue in self.life.backend("sqs", call.region).queues.values():
            if queue.lambda_event_source_mappings and queue._messages:
                self.arrived(queue)

    def _poll(self, queue, function_arn, mapping):
        """One batch from the queue to the function; what succeeded is deleted, the rest comes back by itself."""
        self._polls.pop(mapping.uuid, None)
        sqs = self.life.client("sqs", queue.region)
        url = f"https://sqs.{queue.region}.amazonaws.com/{self.life.sandbox.account_id}/{queue.name}"
        messages, wanted = [], min(mapping.batch_size, model.LARGEST_BATCH)
        while len(messages) < wanted:
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=min(10, wanted - len(messages)), AttributeNames=["All"],
                                        MessageAttributeNames=["All"]).get("Messages", [])
            messages += found
            if not found:
                break
        if not messages:
            return
        function = self._function(queue.region, function_arn, None)
        event = {"Records": [model.sqs_record(one, queue.queue_arn, queue.region) for one in messages]}
        try:
            result = self.run(function, event, lasting=True)
            failed = model.failed_messages(result.payload, bool(result.error), [one["MessageId"] for one in messages],
                                           "ReportBatchItemFailures" in (getattr(mapping, "function_response_types", None) or ()))
        except ServiceError:
            failed = {one["MessageId"] for one in messages}
        done = [one for one in messages if one["MessageId"] not in failed]
        for number in range(0, len(done), 10):
            sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(index), "ReceiptHandle": one["ReceiptHandle"]}
                                                           for index, one in enumerate(done[number:number + 10])])
        if failed:
            self.life.note("Lambda", "messages come back", queue.name, f"{len(failed)} of {len(messages)}, after their visibility timeout")
        if self.life.state["sqs"].depths[queue.queue_arn]["visible"].now:
            self.arrived(queue)

    def _function(self, region, name, qualifier):
        from moto.awslambda.exceptions import UnknownFunctionException
        try:
            return self.life.backend("lambda", region).get_function(name, qualifier)
        except UnknownFunctionException as error:
            raise ServiceError("ResourceNotFoundException", str(getattr(error, "message", error))) from None


def _stream(data):
    from io import BytesIO

    from botocore.response import StreamingBody
    return StreamingBody(BytesIO(data), len(data))
