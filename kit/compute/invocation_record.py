"""What Lambda tells of an invocation that is over: the records that destinations get, the attributes of a dead letter.

    of_event(event, arn, "$LATEST", "RetriesExhausted", request_id, 3, when, payload, failed=True)
    of_batch(records, arn, "$LATEST", "RetryAttemptsExhausted", request_id, 3, when, stream_arn, shard_id, failed=True)
    dead_letter(request_id, 200, "what went wrong")            # message attributes, as SQS and SNS take them

Of an event that was called asynchronously the whole event is told, of a stream's batch only where it lies.

**Simplified** An event that was never run has neither responseContext nor responsePayload, and so has a batch. The
conditions on AWS's pages are RetriesExhausted and RetryAttemptsExhausted; the others are not looked up there.

AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations", "Adding a dead-letter queue",
"Retain discarded records for a DynamoDB event source in Lambda", read 2026-11-28.
"""

import json
from datetime import UTC, datetime

MOST_WORDS = 1024  # bytes of an error's message that a dead letter has ("Adding a dead-letter queue": the first 1 KB)
RESULT = "Lambda Function Invocation Result - "  # detail-type of a record for an event bus, and Success or Failure


def of_event(event, function_arn: str, version: str, condition: str, request_id: str, invoked: int, when: datetime,
             payload: str | None = None, failed: bool = False) -> dict:
    """An asynchronous event that was done or given up. payload: the last answer, as JSON; None if it never ran."""
    record = _record(function_arn, version, condition, request_id, invoked, when, payload is not None, failed)
    record["requestPayload"] = event
    if "responseContext" in record:  # AWS's order
        record["responseContext"] = record.pop("responseContext")
        record["responsePayload"] = json.loads(payload)
    return record


def of_batch(records: list, function_arn: str, version: str, condition: str, request_id: str, invoked: int,
             when: datetime, stream_arn: str, shard: str, failed: bool = False) -> dict:
    """A batch of a stream that was given up. records: [(sequence number, when it came)]."""
    key = "DDBStreamBatchInfo" if ":dynamodb:" in stream_arn else "KinesisBatchInfo"
    record = _record(function_arn, version, condition, request_id, invoked, when, bool(invoked), failed)
    (first, came), (last, later) = records[0], records[-1]
    record[key] = {"shardId": shard, "startSequenceNumber": first, "endSequenceNumber": last,
                   "approximateArrivalOfFirstRecord": _moment(came), "approximateArrivalOfLastRecord": _moment(later),
                   "batchSize": len(records), "streamArn": stream_arn}
    return record


def dead_letter(request_id: str, status: int, words: str) -> dict:
    """MessageAttributes of an event in a function's dead-letter queue or topic."""
    words = words.encode()[:MOST_WORDS].decode(errors="ignore") or "-"  # SQS takes no empty value
    return {"RequestID": {"DataType": "String", "StringValue": request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": str(status)},
            "ErrorMessage": {"DataType": "String", "StringValue": words}}


def for_bus(record: dict, destination: str) -> dict:
    """The same record as an event for EventBridge."""
    what = "Success" if record["requestContext"]["condition"] == "Success" else "Failure"
    return {"source": "lambda", "detail-type": RESULT + what, "detail": record,
            "resources": [record["requestContext"]["functionArn"], destination]}


def _record(function_arn, version, condition, request_id, invoked, when, ran, failed):
    record = {"version": "1.0", "timestamp": _moment(when), "requestContext": {
        "requestId": request_id, "functionArn": function_arn if function_arn.count(":") > 6 else f"{function_arn}:{version}",
        "condition": condition, "approximateInvokeCount": invoked}}
    if ran:
        record["responseContext"] = {"statusCode": 200, "executedVersion": version} | (
            {"functionError": "Unhandled"} if failed else {})
    return record


def _moment(when):
    when = when.astimezone(UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z"
