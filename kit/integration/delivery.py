"""How EventBridge tries again: retries with growing pauses, then a dead-letter queue, or the event is lost.

    for wait in waits(attempts=185, age=86_400): ...

AWS tries "for 24 hours and up to 185 times with an exponential back off and jitter". A target that is gone, or that
refuses EventBridge for good (no permission), is not tried again.

**Simplified** The pauses double from one second to fifteen minutes, without jitter: AWS does not publish them.

Amazon EventBridge User Guide, "How EventBridge retries delivering events" and "Using dead-letter queues to process
undelivered events in EventBridge", read 2026-11-23. API Reference: "RetryPolicy".
"""

ATTEMPTS, AGE = 185, 86_400  # RetryPolicy: MaximumRetryAttempts (0 to 185), MaximumEventAgeInSeconds (60 to 86,400)
FIRST, LONGEST = 1.0, 900.0  # s, the kit's own choice
FOR_GOOD = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "ResourceNotFoundException", "NotFound",
            "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NoSuchEntity")


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
    return code not in FOR_GOOD
