"""Requests arrive, environments answer: who finds a warm one, who waits for a cold start, who is refused?

    run = simulate(rate=2.0, duration=0.5, seed=1)
    run.cold, run.throttled, run.most, run.requests["wait"]

Each request needs an execution environment of its own for as long as it runs. A free warm one takes it at once; if
there is none, a new one is started; if no more may be started, the request is refused with a 429. So the concurrency
is what Little's law says: requests a second times seconds each.

**Simplified** All requests take the same time, but for chance; an environment is given up after ``keep`` seconds of
rest, which AWS does not publish. **Not modelled** The scaling rate of a thousand environments each ten seconds (see
``lambda_function``), SnapStart.

AWS Lambda Developer Guide, "Understanding Lambda function scaling" (concurrency = average requests a second times
average duration), "Understanding the Lambda execution environment lifecycle", "Configuring provisioned concurrency for
a function". Read 2026-11-23.
"""

from dataclasses import dataclass
from random import Random

from kit.sim import Clock, Records


@dataclass(frozen=True)
class Run:
    """requests: arrived (s), kind ("warm", "cold", "provisioned", "throttled"), wait (s from the arrival to the
    answer), running (environments at work then). environments: how many were ever started. busy: seconds of work.
    most: at once. seconds: how long requests came."""

    requests: Records
    environments: int
    busy: float
    most: int
    cold: int
    throttled: int
    seconds: float


def simulate(rate: float = 2.0, duration: float = 0.4, cold_start: float = 0.8, keep: float = 600.0, limit: int = 1000,
             provisioned: int = 0, seconds: float = 900.0, varies: bool = True, seed: int = 1) -> Run:
    """Requests come at random, ``rate`` a second, and run for ``duration`` seconds (about, or exactly).

    limit: the function's concurrency; provisioned: environments that are always warm, within the limit.
    """
    if rate < 0 or duration <= 0 or limit < 0 or not 0 <= provisioned <= max(limit, 0):
        raise ValueError(f"rate={rate}, duration={duration}, limit={limit}, provisioned={provisioned}: "
                         "give a rate of 0 or more, a duration "
                         "above 0, and no more provisioned environments than the limit")
    clock, rng, requests = Clock(), Random(seed), Records("arrived", "kind", "wait", "running")
    warm, ready = [], provisioned  # when each resting environment came to rest, the last on top; provisioned that rest
    working, busy, most = 0, 0.0, 0

    def arrive():
        nonlocal ready, working, busy, most
        while warm and clock.now - warm[0] > keep:
            warm.pop(0)
        takes = duration * (0.5 + rng.random()) if varies else duration
        if ready:
            ready, kind, wait = ready - 1, "provisioned", takes
        elif warm:
            warm.pop()
            kind, wait = "warm", takes
        elif working + len(warm) + ready < limit:
            kind, wait = "cold", cold_start + takes
        else:
            kind, wait = "throttled", 0.0
        if kind != "throttled":
            working, busy = working + 1, busy + wait
            most = max(most, working)
            clock.after(wait, rest, kind == "provisioned")
        requests.append(clock.now, kind, wait, working)
        expect()

    def rest(always):
        nonlocal ready, working
        working -= 1
        if always:
            ready += 1
        else:
            warm.append(clock.now)

    def expect():
        time = clock.now + rng.expovariate(rate) if rate else seconds + 1
        if time <= seconds:
            clock.at(time, arrive)

    expect()
    clock.run()
    kinds = requests["kind"]
    cold, throttled = kinds.count("cold"), kinds.count("throttled")
    return Run(requests, cold + provisioned, busy, most, cold, throttled, seconds)
