"""Event source mappings in the sandbox: what they may be, and how functions read queues.

What arrives in a queue is noted, and nothing more: whoever sends a message has its answer before any handler runs. When
the clock moves on, a batch is read as the mapping says, with the function's role, and handed over. The models decide what
a mapping may be, which messages pass, and which come back. Streams are in ``lambda_streams_lab``.

**Simplified** A queue that has messages is read at once, by as many at a time as its batches, unless the mapping has a
MaximumConcurrency; AWS begins with five and adds more by the minute. A window begins when the first message is there;
AWS may wait up to 20 s with any window while there is little traffic. A mapping is enabled as soon as it is made.
**Not modelled** The 6 MB that a batch may have, a mapping of an alias' provisioned concurrency, provisioned pollers.

AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", "Configuring scaling behavior for SQS event source mappings",
"Using event filtering with an Amazon SQS event source", "Using AWS Lambda with Amazon DynamoDB" (its permissions), read
2026-11-28. The words of the two refusals of a role are AWS's, as users quote them.
"""

from kit.compute import invocation as model
from kit.compute import lambda_streams_lab
from kit.compute.event_filter import check_filters, passes
from kit.compute.lambda_function import check_mapping, check_stream
from kit.errors import ServiceError

QUEUE_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")  # "Using Lambda with Amazon SQS"
STREAM_ACTIONS = ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")  # "Using AWS Lambda with ..."


def live(life, functions) -> "Sources":
    sources = Sources(life, functions)
    life.before("lambda", "CreateEventSourceMapping", sources.check)
    life.before("lambda", "UpdateEventSourceMapping", sources.check_update)
    life.then("lambda", "CreateEventSourceMapping UpdateEventSourceMapping", sources.changed)
    life.then("lambda", "DeleteEventSourceMapping", sources.deleted)
    life.then("iam", "*", sources.permitted)
    life.state["sqs"].on_arrival.append(sources.arrived)
    return sources


class Sources:
    """The event source mappings of one sandbox."""

    def __init__(self, life, functions):
        self.life, self.functions = life, functions
        self.streams = lambda_streams_lab.live(life, functions, self)
        self._polls = {}  # UUID of a queue's mapping -> (when, ticket)
        self._running = {}  # UUID -> ends of the batches that run
        self._denied = set()  # UUIDs whose role may not read

    # what a mapping may be

    def check(self, call) -> None:
        self._check(call.region, call.parameters)

    def check_update(self, call) -> None:
        mapping = self._mapping(call.region, call.parameters["UUID"])
        if mapping is not None:
            self._check(call.region, {
                "EventSourceArn": mapping.event_source_arn, "FunctionName": mapping.function_arn,
                "BatchSize": mapping.batch_size, "MaximumBatchingWindowInSeconds": mapping.max_batch_window or 0,
                "StartingPosition": mapping.starting_position, "FilterCriteria": mapping.filter_criteria,
                "ScalingConfig": mapping.scaling_config, "ParallelizationFactor": mapping.parallelization_factor or 1,
                } | call.parameters)

    def _check(self, region, given):
        arn, queue = given.get("EventSourceArn", ""), None
        source = self.kind(arn)
        try:
            function = self.functions.find(region, given["FunctionName"], None)
        except ServiceError:
            return  # moto says so
        if source is None:
            return
        named = {name: given[name] for name in ("BatchSize", "MaximumBatchingWindowInSeconds", "ParallelizationFactor")
                 if given.get(name) is not None}
        named["MaximumConcurrency"] = (given.get("ScalingConfig") or {}).get("MaximumConcurrency")
        if source.startswith("sqs"):
            queue = self._queue(region, arn)
            if queue is None:
                return  # moto says so
            named |= {"VisibilityTimeout": int(queue.visibility_timeout), "Timeout": int(function.timeout)}
        else:
            check_stream(source, given.get("StartingPosition"), given.get("MaximumRetryAttempts", -1),
                         given.get("MaximumRecordAgeInSeconds", -1))
        advice = check_mapping(source, **named)
        check_filters(given.get("FilterCriteria"), source)
        self._may_read(function, source, arn)
        for words in advice:
            self.life.note("Lambda", "advice", function.function_name, words)

    def _may_read(self, function, source, arn):
        if source.startswith("sqs"):
            for action in QUEUE_ACTIONS:
                if not self.functions.may(function, f"sqs:{action}", arn):
                    raise ServiceError("InvalidParameterValueException",
                                       f"The provided execution role does not have permissions to call {action} on SQS")
        elif not all(self.functions.may(function, f"{source}:{action}", arn) for action in STREAM_ACTIONS):
            raise ServiceError("InvalidParameterValueException",
                               f"Cannot access stream {arn}. Please ensure the role can perform the "
                               f"{', '.join(STREAM_ACTIONS[:-1])}, and {STREAM_ACTIONS[-1]} Actions on your stream in IAM.")

    def changed(self, call) -> None:
        """A mapping is made, or another one than before: whatever waits for it is read."""
        mapping = self._mapping(call.region, call.response["UUID"])
        if mapping is None:
            return
        self._denied.discard(mapping.uuid)
        if self.kind(mapping.event_source_arn).startswith("sqs"):
            queue = self._queue(call.region, mapping.event_source_arn)
            if queue is not None:
                self._plan_poll(queue, mapping)
            return
        self.streams.changed(mapping)

    def deleted(self, call) -> None:
        uuid = call.parameters["UUID"]
        self.streams.readers.pop(uuid, None)
        if uuid in self._polls:
            self.life.clock.cancel(self._polls.pop(uuid)[1])

    def permitted(self, call) -> None:
        """After a change of IAM, mappings whose role could not read try again."""
        denied, self._denied = self._denied, set()
        for uuid in sorted(denied):
            mapping = self._mapping(None, uuid)
            queue = mapping and self._queue(mapping.region, mapping.event_source_arn)
            if queue is not None:
                self._plan_poll(queue, mapping)

    # queues

    def arrived(self, queue) -> None:
        """A message is there: who reads this queue does so, at once or when its window is over."""
        for mapping in self.mappings(queue.region, queue.queue_arn):
            self._plan_poll(queue, mapping)

    def _plan_poll(self, queue, mapping):
        if not mapping.enabled or mapping.uuid in self._denied or not self._visible(queue):
            return
        now, window = self.life.clock.now, mapping.max_batch_window or 0
        when = now + window if window and self._wanted(queue, mapping) < mapping.batch_size else now
        self._plan_poll_at(max(when, self._free(mapping)), queue, mapping)

    def _plan_poll_at(self, when, queue, mapping):
        planned = self._polls.get(mapping.uuid)
        if planned is not None:
            if planned[0] <= when:
                return
            self.life.clock.cancel(planned[1])
        self._polls[mapping.uuid] = when, self.life.clock.at(when, self._poll, queue, mapping)

    def _free(self, mapping):
        """When another of its batches may run: MaximumConcurrency."""
        now, most = self.life.clock.now, (mapping.scaling_config or {}).get("MaximumConcurrency")
        ends = self._running[mapping.uuid] = sorted(end for end in self._running.get(mapping.uuid, ()) if end > now)
        return ends[len(ends) - most] if most and len(ends) >= most else now

    def _visible(self, queue):
        depths = self.life.state["sqs"].depths.get(queue.queue_arn)
        return depths["visible"].now if depths else 0

    def _wanted(self, queue, mapping):
        """How many of the messages that can be read pass the mapping's filters."""
        if not (mapping.filter_criteria or {}).get("Filters"):
            return self._visible(queue)
        return sum(message.visible and passes(mapping.filter_criteria, "sqs", {"body": message.body})
                   for message in queue.messages)

    def _poll(self, queue, mapping):
        """One batch from the queue to the function."""
        self._polls.pop(mapping.uuid, None)
        if not mapping.enabled or self._mapping(queue.region, mapping.uuid) is None:
            return
        free = self._free(mapping)
        if free > self.life.clock.now:
            return self._plan_poll_at(free, queue, mapping)
        try:
            function = self.functions.find(queue.region, mapping.function_arn, None)
        except ServiceError as gone:
            return self.life.note("Lambda", "nobody reads", queue.name, gone.message)
        messages = self._receive(queue, mapping, function)
        passed = [one for one in messages if passes(mapping.filter_criteria, "sqs", {"body": one["Body"]})]
        dropped = [one for one in messages if one not in passed]
        if dropped:
            self._delete(queue, function, dropped)
            self.life.note("Lambda", "messages filtered out", queue.name, f"{len(dropped)} of {len(messages)} are deleted")
        if passed:
            self._hand_over(queue, mapping, function, passed)
        if messages:
            self._plan_poll(queue, mapping)

    def _receive(self, queue, mapping, function):
        from botocore.exceptions import ClientError
        messages, wanted = [], min(mapping.batch_size, model.LARGEST_BATCH)
        while len(messages) < wanted:
            try:
                found = self._sqs(queue, function).receive_message(
                    QueueUrl=self._url(queue), MaxNumberOfMessages=min(10, wanted - len(messages)), AttributeNames=["All"],
                    MessageAttributeNames=["All"]).get("Messages", [])
            except ClientError as error:
                self._denied.add(mapping.uuid)
                self.life.note("Lambda", "nobody reads", queue.name, str(error))
                break
            messages += found
            if not found:
                break
        return messages

    def _hand_over(self, queue, mapping, function, messages):
        event = {"Records": [model.sqs_record(one, queue.queue_arn, queue.region) for one in messages]}
        try:
            result = self.functions.run(function, event, lasting=True)
        except ServiceError:  # throttled: all of them come back
            return self._come_back(queue, len(messages), len(messages))
        now = self.life.clock.now
        self._running.setdefault(mapping.uuid, []).append(now + result.there_in)
        self.life.clock.after(result.there_in, self._handed_over, queue, mapping, function, messages, result)

    def _handed_over(self, queue, mapping, function, messages, result):
        """What succeeded is deleted, the rest comes back by itself."""
        failed = model.failed_messages(result.payload, bool(result.error), [one["MessageId"] for one in messages],
                                       self.partial(mapping))
        self._delete(queue, function, [one for one in messages if one["MessageId"] not in failed])
        if failed:
            self._come_back(queue, len(failed), len(messages))
        self._plan_poll(queue, mapping)

    def _come_back(self, queue, number, together):
        self.life.note("Lambda", "messages come back", queue.name,
                       f"{number} of {together}, after their visibility timeout")

    def _delete(self, queue, function, messages):
        for number in range(0, len(messages), 10):
            self._sqs(queue, function).delete_message_batch(QueueUrl=self._url(queue), Entries=[
                {"Id": str(index), "ReceiptHandle": one["ReceiptHandle"]} for index, one in enumerate(messages[number:number + 10])])

    def _sqs(self, queue, function):
        return self.life.client("sqs", queue.region, by=self.functions.role(function))

    def _url(self, queue):
        return f"https://sqs.{queue.region}.amazonaws.com/{self.life.sandbox.account_id}/{queue.name}"

    # moto's state

    def _mapping(self, region, uuid):
        return next((one for one in self.mappings(region) if one.uuid == uuid), None)

    def mappings(self, region, arn=None):
        """All mappings of a Region, or of all where it is None; of one source."""
        from moto.awslambda.models import lambda_backends
        backends = lambda_backends[self.life.sandbox.account_id]
        return [one for name in ([region] if region else list(backends)) for one in backends[name]._event_source_mappings.values()
                if arn is None or one.event_source_arn == arn]

    def _queue(self, region, arn):
        return next((one for one in self.life.backend("sqs", region).queues.values() if one.queue_arn == arn), None)

    @staticmethod
    def kind(arn) -> str | None:
        """The model's name for a source."""
        parts = arn.split(":")
        kind = parts[2] if len(parts) > 2 else ""
        return {"sqs": "sqs-fifo" if arn.endswith(".fifo") else "sqs", "dynamodb": "dynamodb", "kinesis": "kinesis"}.get(kind)

    @staticmethod
    def partial(mapping) -> bool:
        """Does the function say which records failed?"""
        return "ReportBatchItemFailures" in (mapping.function_response_types or ())
