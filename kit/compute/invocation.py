"""What happens around one call of a function: may it run now, what is tried again and when, what a queue gets back.

    admit("f", running={"f": 3, "g": 995}, reserved={"g": 990})    # may one more f run?
    retry_wait(1), retry_wait(2)                                    # 60 s and 120 s, then it is over
    failed_messages(payload, False, ids, partial=True)              # what a queue must show again

**Simplified** Throttled events are tried again after a pause that doubles from one second up to five minutes: AWS
says so much, and adds chance. The account's scaling rate is in ``lambda_function``.

AWS Lambda Developer Guide, "Understanding Lambda function scaling", "Configuring reserved concurrency for a function",
"How Lambda handles errors and retries with asynchronous invocation", "Handling errors for an SQS event source in Lambda",
"Lambda quotas", read 2026-11-23. API Reference: "Invoke", "CreateFunction", "EventSourceMappingConfiguration".
"""

import hashlib
import json
from dataclasses import dataclass

from kit.errors import ServiceError

ACCOUNT_CONCURRENCY = 1000  # "Lambda quotas", by default
UNRESERVED = 100  # always left for functions without reserved concurrency ("Configuring reserved concurrency")
SYNCHRONOUS, ASYNCHRONOUS = 6 * 1024 * 1024, 1024 * 1024  # bytes of a payload ("Lambda quotas"; asynchronous: 1 MB)
MEMORY, TIMEOUT, ENVIRONMENT = (128, 10_240), (1, 900), 4096  # MB, s, bytes ("Lambda quotas")
RETRIES, MAXIMUM_EVENT_AGE = 2, 6 * 3600  # of an asynchronous event ("How Lambda handles errors ...")
LARGEST_BATCH = 10_000  # messages of a standard queue (EventSourceMappingConfiguration)


@dataclass(frozen=True)
class Admission:
    """May it run? ``because``: a sentence."""

    admitted: bool
    because: str


def admit(function: str, running: dict, reserved: dict, account: int = ACCOUNT_CONCURRENCY) -> Admission:
    """One more invocation of a function, beside those that run. running, reserved: function -> number.

    What is refused gets TooManyRequestsException, status 429.
    """
    mine = running.get(function, 0)
    if function in reserved:
        most = reserved[function]
        if mine < most:
            return Admission(True, f"{mine} of its {most} reserved run")
        return Admission(False, f"{mine} run, and no more than {most} are reserved for it" if most else
                         "its reserved concurrency is 0: it is switched off")
    pool = account - sum(reserved.values())
    others = sum(number for name, number in running.items() if name not in reserved)
    if others < pool:
        return Admission(True, f"{others} of the {pool} that the account has left unreserved run")
    return Admission(False, f"{others} run, and the account has {pool} left unreserved")


def check_reserved(wanted: int, others: int, account: int = ACCOUNT_CONCURRENCY) -> None:
    """PutFunctionConcurrency: 100 must stay for functions without reserved concurrency."""
    if wanted + others > account - UNRESERVED:
        raise ServiceError("InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's "
                           f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}].")


def check_configuration(MemorySize: int = 128, Timeout: int = 3, Environment: dict | None = None) -> None:
    """What CreateFunction and UpdateFunctionConfiguration refuse."""
    for name, value, (least, most) in (("MemorySize", MemorySize, MEMORY), ("Timeout", Timeout, TIMEOUT)):
        if not least <= value <= most:
            raise ServiceError("InvalidParameterValueException" if name == "Timeout" else "ValidationException",
                               f"Value '{value}' at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: {least} to {most}.")
    size = len(json.dumps((Environment or {}).get("Variables", {}), separators=(",", ":")).encode())
    if size > ENVIRONMENT:
        raise ServiceError("InvalidParameterValueException", "Lambda was unable to configure your environment variables because the "
                           f"environment variables you have provided exceeded the 4KB limit: {size} bytes.")


def check_payload(size: int, kind: str) -> None:
    """RequestTooLargeException for more than a request may bring."""
    most = ASYNCHRONOUS if kind == "Event" else SYNCHRONOUS
    if size > most:
        raise ServiceError("RequestTooLargeException", f"Request must be smaller than {most} bytes for the InvokeFunction operation")


def retry_wait(attempt: int) -> float:
    """Seconds until a failed asynchronous event is tried again: one minute, then two."""
    return 60.0 * attempt


def throttle_wait(attempt: int) -> float:
    """Seconds until a throttled asynchronous event is tried again."""
    return min(300.0, 2.0 ** min(attempt - 1, 9))


def failed_messages(payload: str, failed: bool, identifiers: list[str], partial: bool) -> set[str]:
    """Ids of a batch's messages that stay in the queue: all if the function failed, or if its answer makes no sense.

    partial: whether the mapping reports batch item failures; without it an answer is not looked at.
    """
    everything = set(identifiers)
    if failed:
        return everything
    if not partial:
        return set()
    try:
        answer = json.loads(payload)
        found = {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        return everything
    return everything if found - everything else found


def sqs_record(message: dict, arn: str, region: str) -> dict:
    """A message of ReceiveMessage as a function sees it ("Example Amazon SQS message event")."""
    body = message["Body"]
    return {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": body,
            "attributes": message.get("Attributes", {}), "messageAttributes": {
                name: {"stringValue": one.get("StringValue"), "dataType": one["DataType"]}
                for name, one in message.get("MessageAttributes", {}).items()},
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(), "eventSource": "aws:sqs",
            "eventSourceARN": arn, "awsRegion": region}


def stream_record(record: dict, came: float, arn: str, region: str) -> dict:
    """A record of a table's stream as a function sees it ("Process DynamoDB records with Lambda"). came: seconds since 1970."""
    return {**{name: record[name] for name in ("eventID", "eventName", "eventVersion", "eventSource")}, "awsRegion": region,
            "dynamodb": record["dynamodb"] | {"ApproximateCreationDateTime": came}, "eventSourceARN": arn}
