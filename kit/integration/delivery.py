"""How EventBridge tries again: retries with growing pauses, then a dead-letter queue, or the event is lost.

    for wait in waits(attempts=185, age=86_400): ...

AWS tries "for 24 hours and up to 185 times with an exponential back off and jitter". A target that is gone, or that
refuses EventBridge for good (no permission), is not tried again. A dead letter says in its message attributes what went
wrong.

**Simplified** The pauses double from one second to fifteen minutes, without jitter: AWS does not publish them. AWS lists
the codes of ``error_code`` without saying which error becomes which: that is the kit's own reading.

Amazon EventBridge User Guide, "How EventBridge retries delivering events" and "Using dead-letter queues to process
undelivered events in EventBridge"; API Reference: "RetryPolicy". EventBridge Scheduler User Guide, "Configuring a
schedule's dead-letter queue in EventBridge Scheduler". Read 2026-11-23, the attributes 2026-11-28.
"""

from dataclasses import dataclass, field

SOURCE, SCHEDULER = "events.amazonaws.com", "scheduler.amazonaws.com"
ATTEMPTS, AGE = 185, 86_400  # RetryPolicy: MaximumRetryAttempts (0 to 185), MaximumEventAgeInSeconds (60 to 86,400)
FIRST, LONGEST = 1.0, 900.0  # s, the kit's own choice
NO_PERMISSION = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")
NO_RESOURCE = ("ResourceNotFoundException", "NotFound", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist",
               "NoSuchEntity", "StateMachineDoesNotExist", "LookupError")
NO_ROLE = "FAILED_TO_ASSUME_ROLE"
WRONG = {"InvalidParameter": "INVALID_PARAMETER", "InvalidParameterValue": "INVALID_PARAMETER", "MissingParameter":
         "INVALID_PARAMETER", "ValidationException": "INVALID_PARAMETER", "InvalidJson": "INVALID_JSON", NO_ROLE: NO_ROLE}
THROTTLED = ("TooManyRequestsException", "ThrottlingException", "RequestThrottled", "Throttling", "LimitExceededException")


@dataclass
class Delivery:
    """An event on its way to one target. name: of the rule or schedule; source_arn: what aws:SourceArn says; letter: what
    a dead letter says."""

    name: str
    source_arn: str
    target: dict
    event: object
    region: str
    service: str = SOURCE
    letter: dict = field(default_factory=dict)
    own_codes: bool = True  # EventBridge's own names for errors; Scheduler tells those of the target
    made: int = 0  # retries until now
    pauses: list | None = None  # before the next ones


def waits(attempts: int = ATTEMPTS, age: float = AGE):
    """The pause before each further attempt, in seconds, until there have been enough or the event is too old."""
    wait, total = FIRST, 0.0
    for _ in range(attempts):
        total += wait
        if total > age:
            return
        yield wait
        wait = min(LONGEST, 2 * wait)


def worth_retrying(code: str) -> bool:
    """Does trying again make sense after this error code?"""
    return code not in NO_PERMISSION and code not in NO_RESOURCE and code not in WRONG


def error_code(code: str) -> str:
    """EventBridge's own name for a service's error."""
    if code in NO_PERMISSION:
        return "NO_PERMISSIONS"
    if code in NO_RESOURCE:
        return "NO_RESOURCE"
    return "THROTTLING" if code in THROTTLED else WRONG.get(code, "ERROR_FROM_TARGET")


def exhausted(code: str, made: int, attempts: int = ATTEMPTS) -> str | None:
    """Which limit of the retry policy has ended the attempts, if one has. made: retries that there were."""
    if not worth_retrying(code):
        return None
    return "MaximumRetryAttempts" if made >= attempts else "MaximumEventAgeInSeconds"
