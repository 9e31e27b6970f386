"""How many requests a second S3 takes: so many per partition, more only when it has split, 503 Slow Down until then.

    run = simulate(rate=12_000, prefixes=4)              # four prefixes, 3,500 writes a second at first
    run.records["refused"], run.records["capacity"], run.events

A bucket's keys are kept in partitions, each good for at least 3,500 PUT/COPY/POST/DELETE or 5,500 GET/HEAD a second. A
new bucket has one. A partition that is asked for more than that for a while splits in two, by its prefixes; until then
what is too much is refused with 503 Slow Down, and clients try again. There is no limit to the number of prefixes, so
ten of them can reach 55,000 reads a second; but one busy prefix here stays one, and nothing happens at once.

``herd`` looks at the clients: so many at the same moment, each of whom waits after a refusal and tries again. Waiting
longer each time (exponential back-off) is not enough, because all wait equally long and meet again; only chance in the
waiting (jitter) spreads them.

    herd(jitter="none").tries, herd(jitter="full").tries        # about five to one, and some clients give up

**Simplified** A partition is watched for ``patience`` seconds, then splits by half its prefixes at once; AWS publishes
no times, says that scaling is gradual, and splits anywhere in the key space. Requests come evenly over the prefixes,
and as an average, not one by one; what is refused comes again spread evenly over its back-off. All requests are of one
kind.
**Not modelled** Partitions that merge again, the time a request takes, SDKs' retry quota (it stops retrying when too
many fail), the adaptive mode, how many bytes a second.

Amazon S3 User Guide, "Best practices design patterns: optimizing Amazon S3 performance" (3,500, 5,500, ten prefixes,
gradual), "Performance Design Patterns for Amazon S3" (503, back-off). Read 2026-11-28 in the guide's copy on GitHub.
The back-off is that of botocore's standard retry mode: three attempts, a random part of min(20 s, 1 s x 2^i).
"""

from collections import Counter, deque
from dataclasses import dataclass
from random import Random

from kit.errors import ServiceError
from kit.sim import Clock, Records

LIMITS = {"write": 3500, "read": 5500}  # a second and partition, at least
ATTEMPTS = 3  # of botocore's standard retry mode, the first one counted
BASE, CAP = 1.0, 20.0  # seconds: of its back-off after throttling, and the longest
JITTER = {"none": (1.0, 0.0), "equal": (0.5, 0.5), "full": (0.0, 1.0)}  # parts of the wait: for sure, and by chance


@dataclass(frozen=True)
class Run:
    """records: time (s), offered (new requests a second), tried (with the second and third attempts), served, refused
    (503), given_up (refused for the last time), partitions, capacity; a row each second. events: time, event,
    because."""

    records: Records
    events: Records


@dataclass(frozen=True)
class Herd:
    """records: time (s), tried, served, refused, in slots. tries: requests in all; seconds: until the last client was
    done; given_up: clients who were refused to the end."""

    records: Records
    tries: int
    seconds: float
    given_up: int


def simulate(rate=12_000.0, prefixes: int = 4, kind: str = "write", patience: float = 300.0, seconds: int = 1500,
             attempts: int = ATTEMPTS, partitions: int = 1) -> Run:
    """So many seconds of ``rate`` requests a second, spread evenly over ``prefixes``.

    rate: a number, or a function of the time in seconds. kind: a key of LIMITS. attempts: of each request, the first
    one counted. partitions: at first; patience: seconds of too many requests before a partition splits.
    """
    if kind not in LIMITS:
        raise ValueError(f"requests are of kind {' or '.join(LIMITS)}, not {kind!r}")
    if prefixes < 1 or not 1 <= partitions <= prefixes or patience <= 0 or attempts < 1:
        raise ValueError(f"prefixes={prefixes}, partitions={partitions}, patience={patience}, attempts={attempts}: "
                         "give a prefix or more, no more partitions than prefixes, some patience and an attempt")
    clock, limit, wanted = Clock(), LIMITS[kind], rate if callable(rate) else lambda now: rate
    held = [prefixes // partitions + (number < prefixes % partitions) for number in range(partitions)]  # prefixes each
    hot = [0.0] * partitions  # for how long each partition has been asked for too much
    again = deque([[0.0] * attempts for _ in range(int(CAP) + 1)])  # what comes back in 0, 1, 2 ... seconds, by attempt
    records = Records("time", "offered", "tried", "served", "refused", "given_up", "partitions", "capacity")
    events = Records("time", "event", "because")

    def second():
        offered = wanted(clock.now)
        tries = again.popleft()
        again.append([0.0] * attempts)
        tries[0] += offered
        tried = sum(tries)
        loads = [tried * own / prefixes for own in held]
        served = sum(min(load, limit) for load in loads)
        refused = tried - served
        given_up = _come_back(again, tries, refused / tried if tried else 0.0)
        records.append(clock.now, offered, tried, served, refused, given_up, len(held), limit * len(held))
        for number, load in enumerate(loads):
            hot[number] = hot[number] + 1 if load > limit else 0.0
        for number in [number for number, time in enumerate(hot) if time >= patience and held[number] > 1]:
            events.append(clock.now, "split", f"{loads[number]:,.0f} {kind}s a second on a partition of "
                                              f"{held[number]} prefixes for {hot[number]:.0f} s; it takes {limit:,}")
            held.append(held[number] // 2)
            held[number] -= held[-1]
            hot[number] = 0.0
            hot.append(0.0)

    for now in range(seconds):
        clock.at(now, second)
    clock.run()
    return Run(records, events)


def herd(clients: int = 10_000, jitter: str = "full", kind: str = "write", attempts: int = 20, base: float = BASE,
         cap: float = CAP, slot: float = 0.1, seed: int = 1) -> Herd:
    """So many clients ask at the same moment; each who is refused waits and asks again, up to ``attempts`` times.

    jitter: a key of JITTER. base, cap: the first longest wait and the longest of all. slot: seconds in which a
    partition takes its part of the requests a second.
    """
    if jitter not in JITTER:
        raise ValueError(f"jitter is one of {', '.join(JITTER)}, not {jitter!r}")
    clock, draw, room = Clock(), Random(seed).random, LIMITS[kind] * slot
    sure, chance = JITTER[jitter]
    asking = {0: [(0, clients)]}  # slot -> (attempt, how many clients)
    records = Records("time", "tried", "served", "refused")
    given_up = tries = 0

    def ask(number):
        nonlocal given_up, tries
        free = int(room * (number + 1) + 1e-9) - int(room * number + 1e-9)  # whole requests, also of small slots
        tried = served = 0
        for attempt, count in asking.pop(number):
            taken = min(count, free)
            tried, served, free = tried + count, served + taken, free - taken
            if attempt + 1 == attempts:
                given_up += count - taken
            else:
                come_back(number, attempt, count - taken)
        tries += tried
        records.append(number * slot, tried, served, tried - served)

    def come_back(number, attempt, count):
        longest = min(cap, base * 2**attempt) / slot
        waits = {max(1, round(longest * sure)): count} if not chance else Counter(
            [max(1, round(longest * (sure + chance * draw()))) for _ in range(count)])
        for wait, several in waits.items():
            if number + wait not in asking:
                asking[number + wait] = []
                clock.at((number + wait) * slot, ask, number + wait)
            asking[number + wait].append((attempt + 1, several))

    clock.at(0, ask, 0)
    clock.run()
    return Herd(records, tries, clock.now, given_up)


def backoff(attempt: int, draw: float, jitter: str = "full", base: float = BASE, cap: float = CAP) -> float:
    """Seconds to wait after a refusal; attempt 0 is the first. draw: a random number from 0 to 1."""
    sure, chance = JITTER[jitter]
    return min(cap, base * 2**attempt) * (sure + chance * draw)


class Partition:
    """The simplest form of the limit: so many requests in a second, the next one is refused."""

    def __init__(self, kind: str = "write"):
        self.kind, self._second, self._count = kind, None, 0

    def request(self, now: float) -> None:
        """ServiceError SlowDown (HTTP 503) when this second's requests are used up."""
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        if self._count >= LIMITS[self.kind]:
            raise ServiceError("SlowDown", "Please reduce your request rate.")
        self._count += 1


def _come_back(again, tries, part) -> float:
    """Spread what was refused over the seconds of its back-off, evenly as full jitter does; what is given up."""
    for attempt, count in enumerate(tries[:-1]):
        longest = min(CAP, BASE * 2**attempt)
        for ahead in range(int(longest)):
            again[ahead][attempt + 1] += count * part / longest
    return tries[-1] * part
