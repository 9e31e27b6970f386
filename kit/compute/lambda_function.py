"""A function's limits, how fast it may grow, and what becomes of events that fail.

    functions = Concurrency()
    functions.put_function_concurrency("shop", 100)
    functions.invoke(now=0, function="shop")             # admitted, from which environment, or a 429 and why
    deliver(["error", "throttle", "ok"])                 # an asynchronous event: each try, and its end
    check_mapping("sqs", BatchSize=100)                  # what CreateEventSourceMapping refuses, and what to think of
    process_batch(range(8), bad={5}, bisect=True)        # a record in a stream that always fails

``invocation`` decides about one call. This model keeps time: environments are started, up to 1,000 of them each ten
seconds for each function, and are there for the next call.

**Simplified** The scaling rate is refilled evenly, 100 environments a second ("a best attempt to refill continuously").
An environment that was started stays. Provisioned environments are ready at once (``provisioned`` has when). AWS does
not say which reason it gives when the scaling rate is exceeded; here it is the rate limit's.
**Not modelled** The limit of ten requests a second for each environment, Managed Instances (up to 32,768 MB and 5,400
s), SnapStart.

AWS Lambda Developer Guide, "Lambda quotas", "Lambda scaling behavior", "Understanding Lambda function scaling",
"Configuring provisioned concurrency for a function", "How Lambda handles errors and retries with asynchronous
invocation", "Creating and configuring an Amazon SQS event source mapping", "Lambda parameters for Amazon SQS event
source mappings"; API: CreateEventSourceMapping, PutFunctionConcurrency, TooManyRequestsException. Read 2026-11-23.
"""

from dataclasses import dataclass

from kit.compute.invocation import (ACCOUNT_CONCURRENCY, MAXIMUM_EVENT_AGE, RETRIES, UNRESERVED, admit, check_reserved,
                                    retry_wait, throttle_wait)
from kit.errors import ServiceError
from kit.sim import Records

SCALING, SCALING_PERIOD = 1000, 10.0  # environments each 10 s, for each function ("Lambda scaling behavior")
ZIPPED, UNZIPPED = 50 * 1024**2, 250 * 1024**2  # bytes: uploaded directly, and with all layers ("Lambda quotas")
LAYERS = 5
SOURCES = {  # source: records in a batch by default, at most; longest batching window (s) (CreateEventSourceMapping)
    "sqs": (10, 10_000, 300), "sqs-fifo": (10, 10, 0), "kinesis": (100, 10_000, 300), "dynamodb": (100, 10_000, 300)}


@dataclass(frozen=True)
class Outcome:
    """One call. environment: provisioned, warm or cold; reason: AWS's, with status 429, if it wasn't admitted."""

    admitted: bool
    because: str
    environment: str = ""
    reason: str = ""


class Concurrency:
    """All functions of an account in one Region: who runs, who may, and which environments are there."""

    def __init__(self, account: int = ACCOUNT_CONCURRENCY):
        self.account = account
        self.reserved, self.provisioned, self.running = {}, {}, {}
        self._environments = {}  # function -> on-demand environments that were started and are there
        self._busy_provisioned = {}
        self._tokens = {}  # function -> (environments it may start now, since)

    def invoke(self, now: float, function: str) -> Outcome:
        """One more call. It runs until ``finish``. Refused calls get TooManyRequestsException."""
        ready = self._busy_provisioned.get(function, 0) < self.provisioned.get(function, 0)
        decision = admit(function, self.running if ready else self._claimed(), self.reserved, self.account)
        if not decision.admitted:
            return Outcome(False, decision.because, reason=("ReservedFunction" if function in self.reserved else "")
                           + "ConcurrentInvocationLimitExceeded")
        if ready:  # its place in the account is taken already
            self._busy_provisioned[function] = self._busy_provisioned.get(function, 0) + 1
            self._run(function)
            return Outcome(True, "a provisioned environment is free", "provisioned")
        working = self.running.get(function, 0) - self._busy_provisioned.get(function, 0)
        if working < self._environments.get(function, 0):
            self._run(function)
            return Outcome(True, decision.because, "warm")
        left = self._may_start(now, function)
        if left < 1 - 1e-9:
            return Outcome(False, f"no environment is free, and it has started {SCALING} within {SCALING_PERIOD:g} s",
                           reason="FunctionInvocationRateLimitExceeded")
        self._tokens[function] = (left - 1, now)
        self._environments[function] = self._environments.get(function, 0) + 1
        self._run(function)
        return Outcome(True, decision.because, "cold")

    def finish(self, function: str, environment: str = "warm") -> None:
        """A call ends. environment: the one it ran in, as ``invoke`` said."""
        provisioned, always = environment == "provisioned", self._busy_provisioned.get(function, 0)
        if not (always if provisioned else self.running.get(function, 0) - always):
            kind = "a provisioned" if provisioned else "an on-demand"
            raise ValueError(f"no call of {function} runs in {kind} environment")
        self.running[function] -= 1
        if provisioned:
            self._busy_provisioned[function] -= 1

    def put_function_concurrency(self, function: str, ReservedConcurrentExecutions: int) -> None:
        """Reserves, and limits. InvalidParameterValueException if less than 100 were left for the others."""
        check_reserved(ReservedConcurrentExecutions, sum(self.reserved.values()) - self.reserved.get(function, 0),
                       self.account)
        if ReservedConcurrentExecutions < self.provisioned.get(function, 0):
            raise ServiceError("InvalidParameterValueException",
                               f"{self.provisioned[function]} environments are provisioned for {function}: "
                               "reserve at least as many.")
        self.reserved[function] = ReservedConcurrentExecutions

    def delete_function_concurrency(self, function: str) -> None:
        self.reserved.pop(function, None)

    def put_provisioned_concurrency(self, function: str, ProvisionedConcurrentExecutions: int) -> None:
        """Environments that are always ready. They count against the function's reserve, or else against what the
        account has left.
        """
        others = sum(number for name, number in self.provisioned.items()
                     if name != function and name not in self.reserved)
        most = self.reserved.get(function, self.account - UNRESERVED - sum(self.reserved.values()) - others)
        if not 1 <= ProvisionedConcurrentExecutions <= most:
            raise ServiceError("InvalidParameterValueException",
                               f"Provisioned concurrency of {ProvisionedConcurrentExecutions}: "
                               f"give 1 to {max(0, most)}.")
        self.provisioned[function] = ProvisionedConcurrentExecutions

    def _claimed(self):
        """Places that are taken: by calls, and by provisioned environments even while they rest."""
        return {name: self.running.get(name, 0) - self._busy_provisioned.get(name, 0) + self.provisioned.get(name, 0)
                for name in {*self.running, *self.provisioned}}

    def _may_start(self, now, function):
        left, since = self._tokens.get(function, (float(SCALING), now))
        if now < since:
            raise ValueError(f"it is {since} s: time only runs forward, not back to {now} s")
        return min(float(SCALING), left + (now - since) * SCALING / SCALING_PERIOD)

    def _run(self, function):
        self.running[function] = self.running.get(function, 0) + 1


def concurrency(rate: float, duration: float) -> float:
    """How many run at once, on average: requests a second times seconds each ("Understanding Lambda function
    scaling").
    """
    return rate * duration


def check_package(zipped: int = 0, unzipped: int = 0, layers: int = 0, from_s3: bool = False) -> None:
    """What CreateFunction refuses of a zip file, in bytes. A larger zip than 50 MB has to come from S3; unzipped
    counts the layers.
    """
    if zipped > ZIPPED and not from_s3:
        raise ServiceError("RequestEntityTooLargeException",
                           f"The zip file has {zipped} bytes; {ZIPPED} can be uploaded directly. Put it into S3, "
                           "or make a container image.")
    if unzipped > UNZIPPED:
        raise ServiceError("InvalidParameterValueException", f"Unzipped size must be smaller than {UNZIPPED} bytes")
    if layers > LAYERS:
        raise ServiceError("InvalidParameterValueException", f"Cannot reference more than {LAYERS} layers.")


def deliver(outcomes, MaximumRetryAttempts: int = RETRIES,
            MaximumEventAgeInSeconds: int = MAXIMUM_EVENT_AGE) -> Records:
    """An asynchronous event, tried until it works or is given up. Rows: time (s), attempt, outcome, because.

    outcomes: what each try would give: "ok", "error" (of the function) or "throttle" (429); the last one repeats. The
    last row is "done", or "given up": then it goes to the on-failure destination or dead-letter queue, or is lost.
    """
    if not 0 <= MaximumRetryAttempts <= 2 or not 60 <= MaximumEventAgeInSeconds <= MAXIMUM_EVENT_AGE:
        raise ServiceError("InvalidParameterValueException",
                           f"MaximumRetryAttempts {MaximumRetryAttempts} must be 0 to 2, and "
                           f"MaximumEventAgeInSeconds {MaximumEventAgeInSeconds} must be 60 to {MAXIMUM_EVENT_AGE}.")
    outcomes, table = list(outcomes), Records("time", "attempt", "outcome", "because")
    if not outcomes or set(outcomes) - {"ok", "error", "throttle"}:
        raise ValueError(f'{outcomes}: give what each try would come to, like ["error", "throttle", "ok"]')
    now, attempt, errors, throttles = 0.0, 0, 0, 0
    while True:
        outcome = outcomes[min(attempt, len(outcomes) - 1)]
        attempt += 1
        if outcome == "ok":
            table.append(now, attempt, "done", "the function answered")
            return table
        if outcome == "error":
            errors += 1
            if errors > MaximumRetryAttempts:
                table.append(now, attempt, "error", "the function failed")
                table.append(now, attempt, "given up", f"it failed {errors} times: RetriesExhausted")
                return table
            wait = retry_wait(errors)
        else:
            throttles += 1
            wait = throttle_wait(throttles)
        table.append(now, attempt, outcome, f"tried again in {wait:g} s")
        if now + wait > MaximumEventAgeInSeconds:
            table.append(float(MaximumEventAgeInSeconds), attempt, "given up",
                         f"it is {MaximumEventAgeInSeconds} s old: EventAgeExceeded")
            return table
        now += wait


def check_mapping(source: str, BatchSize: int | None = None, MaximumBatchingWindowInSeconds: int = 0,
                  VisibilityTimeout: int = 30,
                  Timeout: int = 3, ParallelizationFactor: int = 1, MaximumConcurrency: int | None = None) -> list[str]:
    """Advice on an event source mapping; InvalidParameterValueException for what CreateEventSourceMapping refuses.

    source: sqs, sqs-fifo, kinesis or dynamodb. VisibilityTimeout: the queue's; Timeout: the function's (s).
    """
    if source not in SOURCES:
        raise ValueError(f"no source {source!r} here; there are {', '.join(SOURCES)}")
    usual, most, longest = SOURCES[source]
    size, window = usual if BatchSize is None else BatchSize, MaximumBatchingWindowInSeconds
    queue = source.startswith("sqs")
    if not 1 <= size <= most:
        _invalid(f"BatchSize {size} of {source} must be 1 to {most}.")
    if not 0 <= window <= longest:
        _invalid(f"A batching window of {window} s: {source} allows " + (f"0 to {longest}." if longest else "none."))
    if queue and size > 10 and window < 1:
        _invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
    if not 1 <= ParallelizationFactor <= (1 if queue else 10):
        _invalid(f"ParallelizationFactor {ParallelizationFactor}: streams allow 1 to 10, queues have none.")
    if MaximumConcurrency is not None and not (queue and 2 <= MaximumConcurrency <= 1000):
        _invalid(f"MaximumConcurrency {MaximumConcurrency}: queues allow 2 to 1000, streams have none.")
    if queue and VisibilityTimeout < Timeout:
        _invalid(f"Queue visibility timeout: {VisibilityTimeout} seconds is less than Function timeout: "
                 f"{Timeout} seconds")
    advice = 6 * Timeout + window
    if queue and VisibilityTimeout < advice:
        return [f"A visibility timeout of {VisibilityTimeout} s is short: six times the function's timeout "
                f"and the window are {advice} s."]
    return []


def stream_concurrency(shards: int, ParallelizationFactor: int = 1) -> int:
    """How many batches of a stream are processed at once: so many for each shard."""
    return shards * ParallelizationFactor


def process_batch(records, bad=(), bisect: bool = False, partial: bool = False,
                  MaximumRetryAttempts: int = 2) -> Records:
    """A shard's batch with records that always fail. A row each call: batch (records), outcome (ok, error), discarded
    (records).

    Without any help the whole batch is tried again, and thrown away in the end, with all that is good in it. bisect: a
    batch that fails is split in two; that is no retry. partial (ReportBatchItemFailures): it goes on from the first
    record that failed. The shard waits all that time: nothing behind the batch is processed.
    """
    if MaximumRetryAttempts < 0:
        raise ValueError("with endless retries (-1) a record that always fails blocks its shard until it expires; "
                         "give 0 or more")
    table, bad, waiting = Records("batch", "outcome",
                                  "discarded"), set(bad), [(tuple(records), 0)]  # batches, and retries used
    while waiting:
        batch, tried = waiting.pop(0)
        first = next((number for number, record in enumerate(batch) if record in bad), None)
        if first is None:
            table.append(batch, "ok", ())
            continue
        rest = batch[first:] if partial else batch  # what comes before is done
        again, lost = after_error(rest, tried, bisect, MaximumRetryAttempts)
        table.append(batch, "error", lost)
        waiting[:0] = again
    return table


def after_error(batch: tuple, tried: int, bisect: bool = False, MaximumRetryAttempts: int = -1) -> tuple[list, tuple]:
    """What becomes of a stream's batch that failed: [(batch, retries used)] in their order, and what is discarded.

    tried: the retries it has had. Splitting is none; -1 retries without end, until the records expire.
    """
    half = (len(batch) + 1) // 2
    if bisect and len(batch) > 1:
        return [(batch[:half], 0), (batch[half:], 0)], ()
    if MaximumRetryAttempts < 0 or tried < MaximumRetryAttempts:
        return [(batch, tried + 1)], ()
    return [], batch


def check_stream(source: str, StartingPosition: str | None, MaximumRetryAttempts: int = -1,
                 MaximumRecordAgeInSeconds: int = -1) -> None:
    """What CreateEventSourceMapping refuses of a stream's own settings ("Lambda parameters for Amazon DynamoDB event
    source mappings").
    """
    positions = ("TRIM_HORIZON", "LATEST") + (("AT_TIMESTAMP",) if source == "kinesis" else ())
    if StartingPosition not in positions:
        _invalid(f"StartingPosition {StartingPosition} of {source} must be one of {', '.join(positions)}.")
    if not -1 <= MaximumRetryAttempts <= 10_000:
        _invalid(f"MaximumRetryAttempts {MaximumRetryAttempts} must be -1 (no end) to 10000.")
    if not (MaximumRecordAgeInSeconds == -1 or 60 <= MaximumRecordAgeInSeconds <= 604_800):
        _invalid(f"MaximumRecordAgeInSeconds {MaximumRecordAgeInSeconds} must be -1 (no end), or 60 to 604800.")


def _invalid(message):
    raise ServiceError("InvalidParameterValueException", message)
