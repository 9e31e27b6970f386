"""Streams that functions read in the sandbox: shard by shard in order, batch by batch, and what becomes of bad records.

A change of a table is noted in its stream, and nothing more: whoever put the item has the answer before any handler runs.
A quarter of a second later the mapping reads what is new. The model says what of a batch that failed is tried again,
split or given up; what is given up goes to the mapping's destination, as a note of where it lies in the stream.

**Simplified** A stream has one shard (moto's), whose records of one key stay in order. AWS does not say how long a batch
waits before it is tried again: here as throttled events do. Of a Kinesis stream a mapping sees what comes after it was
made, and all its shards as one. That records are given up for their age is told as RecordAgeExceeded, which is not
looked up.
**Not modelled** Tumbling windows, S3 destinations, the 6 MB that a batch may have, AT_TIMESTAMP.

AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB", "Configuring partial batch response with DynamoDB and
Lambda", "Retain discarded records for a DynamoDB event source in Lambda", "Lambda parameters for Amazon DynamoDB event
source mappings", read 2026-11-28.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC
from zlib import crc32

from kit.compute import invocation as model
from kit.compute import invocation_record
from kit.compute.event_filter import passes
from kit.compute.lambda_function import after_error
from kit.errors import ServiceError

POLL = 0.25  # s: a shard is read four times a second ("Using AWS Lambda with Amazon DynamoDB")
RETENTION = 24 * 3600.0  # s that a stream keeps its records ("Lambda parameters for Amazon DynamoDB ...")


def live(life, functions, sources) -> "Streams":
    streams = Streams(life, functions, sources)
    from moto.awslambda.models import LambdaBackend
    from moto.dynamodb.models.table import StreamShard
    life.patch(StreamShard, "add", streams.item_changed)
    life.patch(LambdaBackend, "send_kinesis_message", streams.kinesis)
    return streams


@dataclass
class Lane:
    """What one of a shard's readers has before it: with a ParallelizationFactor there are several."""

    retries: list = field(default_factory=list)  # [(records, retries used)]
    records: list = field(default_factory=list)  # read, in no batch yet
    busy: bool = False
    until: float = 0.0  # it waits so long before it tries again
    throttles: int = 0
    turn: float | None = None  # when it is looked at next


@dataclass
class Reader:
    """How far a mapping has read its stream."""

    position: int
    lanes: list[Lane]
    reads: bool = False  # is a look into the shard planned?
    pushed: list = field(default_factory=list)  # records of a Kinesis stream: moto hands them over one by one


class Streams:
    """The streams of one sandbox, as far as functions read them."""

    def __init__(self, life, functions, sources):
        self.life, self.functions, self.sources = life, functions, sources
        self.readers = {}  # UUID of a mapping -> Reader

    def changed(self, mapping) -> None:
        """A mapping is made, or another one than before: whatever waits for it is read."""
        if mapping.uuid not in self.readers:
            shard = self._shard(mapping)
            latest = mapping.starting_position == "LATEST" and shard is not None
            self.readers[mapping.uuid] = Reader(len(shard.items) if latest else 0, [])
        reader = self.readers[mapping.uuid]
        reader.lanes += [Lane() for _ in range((mapping.parallelization_factor or 1) - len(reader.lanes))]
        self._plan_read(mapping, reader)
        for lane in reader.lanes:
            self._plan_turn(mapping, lane, self.life.clock.now)

    # what arrives

    def item_changed(self, before, shard, old, new):
        """An item of a table has changed. moto keeps the record; who reads the stream will find it there."""
        table = shard.table
        mappings, table.lambda_event_source_mappings = table.lambda_event_source_mappings, {}
        try:
            before(shard, old, new)
        finally:
            table.lambda_event_source_mappings = mappings
        for mapping in self.sources.mappings(table.table_arn.split(":")[3], _stream_arn(table)):
            self._plan_read(mapping, self.readers.get(mapping.uuid))

    def kinesis(self, before, backend, function_name, kinesis_stream, kinesis_partition_key, kinesis_sequence_number,
                kinesis_data, kinesis_shard_id):
        """moto tells of each record of a Kinesis stream, once for each mapping's stream."""
        when = self.life.sandbox.clock.date
        record = {"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": kinesis_partition_key, "data": kinesis_data,
                              "sequenceNumber": kinesis_sequence_number, "approximateArrivalTimestamp": when.timestamp()},
                  "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record",
                  "eventID": f"{kinesis_shard_id}:{kinesis_sequence_number}", "awsRegion": backend.region_name,
                  "eventSourceARN": kinesis_stream}
        for mapping in self.sources.mappings(backend.region_name, kinesis_stream):
            reader = self.readers.get(mapping.uuid)
            if reader is not None:
                reader.pushed.append((kinesis_sequence_number, when, kinesis_partition_key, record))
                self._plan_read(mapping, reader)

    def _plan_read(self, mapping, reader):
        if reader is not None and not reader.reads and mapping.enabled:
            reader.reads = True
            self.life.clock.after(POLL, self._read, mapping)

    def _read(self, mapping):
        """What is new in the shard goes to its lanes; what passes no filter is passed over."""
        reader = self.readers.get(mapping.uuid)
        if reader is None:
            return
        reader.reads = False
        if not mapping.enabled:
            return
        source, touched = self.sources.kind(mapping.event_source_arn), []
        for sequence, came, key, record in self._fresh(mapping, reader):
            if passes(mapping.filter_criteria, source, record):
                lane = reader.lanes[crc32(key.encode()) % len(reader.lanes)]
                lane.records.append((sequence, came, self.life.clock.now, record))
                touched.append(lane)
        for lane in reader.lanes:
            if any(lane is one for one in touched):
                self._turn(mapping, lane)

    def _fresh(self, mapping, reader):
        pushed, reader.pushed = reader.pushed, []
        shard = self._shard(mapping)
        if shard is not None:
            items, reader.position = shard.items[reader.position:], len(shard.items)
            for item in items:
                record = item.to_json()
                data = record["dynamodb"]
                came = data["ApproximateCreationDateTime"].replace(tzinfo=UTC)
                pushed.append((data["SequenceNumber"], came, json.dumps(data["Keys"], sort_keys=True), model.stream_record(
                    record, came.timestamp(), mapping.event_source_arn, mapping.region)))
        return pushed

    # turns

    def _plan_turn(self, mapping, lane, when):
        if lane.turn is None or when < lane.turn:
            lane.turn = when
            self.life.clock.at(when, self._planned_turn, mapping, lane, when)

    def _planned_turn(self, mapping, lane, when):
        if lane.turn == when:
            lane.turn = None
            self._turn(mapping, lane)

    def _turn(self, mapping, lane):
        """If it is time, the next batch of a lane goes to the function: first what failed before, then what is new."""
        now, size = self.life.clock.now, mapping.batch_size
        if lane.busy or not mapping.enabled or mapping.uuid not in self.readers:
            return
        if lane.until > now:
            return self._plan_turn(mapping, lane, lane.until)
        if lane.retries:
            batch, tried = lane.retries.pop(0)
            return self._invoke(mapping, lane, batch, tried)
        if not lane.records:
            return
        due = lane.records[0][2] + (mapping.max_batch_window or 0)
        if len(lane.records) < size and now < due:
            return self._plan_turn(mapping, lane, due)
        batch, lane.records = tuple(lane.records[:size]), lane.records[size:]
        self._invoke(mapping, lane, batch, 0)

    def _invoke(self, mapping, lane, batch, tried):
        now, arn = self.life.clock.now, mapping.event_source_arn
        try:
            function = self.functions.find(mapping.region, mapping.function_arn, None)
        except ServiceError as gone:
            return self.life.note("Lambda", "nobody reads", arn, gone.message)
        batch = self._not_too_old(mapping, function, batch, tried)
        if not batch:
            return self._turn(mapping, lane)
        try:
            result = self.functions.run(function, {"Records": [record for *_, record in batch]}, lasting=True)
        except ServiceError:  # throttled: no retry is used up
            lane.retries.insert(0, (batch, tried))
            lane.throttles += 1
            lane.until = now + model.throttle_wait(lane.throttles)
            return self._turn(mapping, lane)
        lane.busy, lane.throttles = True, 0
        self.life.clock.after(result.there_in, self._invoked, mapping, lane, function, batch, tried, result)

    def _invoked(self, mapping, lane, function, batch, tried, result):
        """The model says what of the batch is done, what comes again, and what is given up."""
        lane.busy = False
        numbers = [sequence for sequence, *_ in batch]
        failed = model.failed_messages(result.payload, bool(result.error), numbers, self.sources.partial(mapping))
        first = next((place for place, number in enumerate(numbers) if number in failed), None)
        if first is not None:
            most = -1 if mapping.max_retry_attempts is None else mapping.max_retry_attempts
            again, lost = after_error(batch[first:], tried, bool(mapping.bisect_on_error), most)
            lane.retries[:0] = again
            if len(again) == 1:
                lane.until = self.life.clock.now + model.throttle_wait(again[0][1])
                self.life.note("Lambda", "to be tried again", function.function_name,
                               f"{len(again[0][0])} records, in {lane.until - self.life.clock.now:g} s")
            elif again:
                self.life.note("Lambda", "batch split", function.function_name, " and ".join(str(len(part)) for part, _ in again))
            if lost:
                self._discard(mapping, function, lost, "RetryAttemptsExhausted", tried + 1, result)
        self._turn(mapping, lane)

    def _not_too_old(self, mapping, function, batch, tried):
        """Without the records that have expired; they are given up."""
        most = min(RETENTION, mapping.max_record_age if (mapping.max_record_age or -1) > 0 else RETENTION)
        now = self.life.sandbox.clock.date.timestamp()
        old = tuple(one for one in batch if now - one[1].timestamp() > most)
        if old:
            self._discard(mapping, function, old, "RecordAgeExceeded", tried, None)
        return batch[len(old):]

    def _discard(self, mapping, function, lost, condition, invoked, result):
        target = ((mapping.destination_config or {}).get("OnFailure") or {}).get("Destination")
        self.life.note("Lambda", "records given up", function.function_name, f"{len(lost)}: {condition}" + (
            "" if target else ", and no destination"))
        if target:
            shard = self._shard(mapping)
            self.functions.give(target, invocation_record.of_batch(
                [(sequence, came) for sequence, came, *_ in lost], mapping.function_arn, self.functions.version(function),
                condition, result.request if result else self.functions.request_id(), invoked, self.life.sandbox.clock.date,
                mapping.event_source_arn, shard.id if shard is not None else lost[0][3]["eventID"].split(":")[0],
                bool(result and result.error)), function)

    # moto's state

    def _shard(self, mapping):
        """The shard of a table's stream, while that stream is there."""
        if self.sources.kind(mapping.event_source_arn) != "dynamodb":
            return None
        table = self.life.backend("dynamodb", mapping.region).tables.get(mapping.event_source_arn.split("/")[1])
        return table.stream_shard if table is not None and _stream_arn(table) == mapping.event_source_arn else None


def _stream_arn(table):
    return f"{table.table_arn}/stream/{table.latest_stream_label}"
