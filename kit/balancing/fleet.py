"""A fleet behind a load balancer: requests, queues, health checks, failures, on the simulated clock.

Each target works off its own queue, first come first served. The balancer has a node in each zone; a client gets the
nodes' addresses from DNS and takes one at random. ``simulate`` is for one fleet and one troubled target,
``simulate_zone_failure`` for an Availability Zone that dies. Both return a ``Run``, which alone suffices to draw from:

    run = simulate(algorithm="least_outstanding_requests", slow=5)
    summary(run)["p99"], run.requests["latency"], run.queues["i-1"]

The same seed brings the same requests, with the same work in them, under every algorithm: comparisons are fair.

**Simplified** A health check is answered at once, however long the queue. Nodes share what they know of load and
health. A target that crashed refuses at once (502); one in a dead zone swallows what it gets, and ten seconds later the
answer is 504. A client's cached DNS answer is of any age up to the TTL, equally likely. The address of a dead node
leaves DNS after as many check intervals as a target needs to become unhealthy (AWS doesn't publish its own).
**Not modelled** Connections and keep-alive, clients that try the next address or retry, network time, the balancer's
own capacity, its idle timeout (a request that waits for more than 60 seconds would get a 504), stickiness
(``targets.py`` has it), Auto Scaling.

AWS pages, read 2026-11-23: "How Elastic Load Balancing works" (cross-zone, DNS TTL of 60 seconds), "Target group
health", "Edit target group attributes for your Application Load Balancer", "Troubleshoot your Application Load
Balancers" (502, 503, 504; 10 seconds to connect).
"""

from dataclasses import dataclass
from random import Random

from kit.balancing import algorithms
from kit.balancing import attributes as attribute
from kit.balancing.engine import PICK, WORK, Fleet
from kit.sim import Records, constant, percentile, poisson

ALGORITHMS = tuple(PICK)
WORKS = tuple(WORK)
OUTCOMES = {  # how a request can end, and what the client sees
    "ok": "200",
    "error": "500: the target answered with an error",
    "refused": "502: the target refused the connection",
    "cut": "502: the target died, or its deregistration delay ended, before the answer",
    "no target": "503: no target is registered in the node's reach",
    "timeout": "504: the target gave no sign within ten seconds",
    "unreachable": "no answer: DNS gave the address of a dead node",
}


@dataclass(frozen=True)
class Run:
    """What a run leaves behind.

    requests: request, arrived, zone (of the node), target, started, finished, wait, latency, outcome (see OUTCOMES);
    one row for each request, in the order of their ends. queues: time and, by target, the requests it holds, waiting
    or in work. events: time, event, target, because. zones: the zone of each target.
    """

    requests: Records
    queues: Records
    events: Records
    zones: dict[str, str]


def simulate(rate: float = 40.0, servers: int = 4, service_time: float = 0.08, algorithm: str = "round_robin",
             slow: float = 1.0, errors: float = 0.0, mitigation: bool = False, fail_at: float | None = None,
             recover_at: float | None = None, join_at: float | None = None, slow_start: int = 0,
             deregister_at: float | None = None, deregistration_delay: int = 300, zones: int = 1,
             cross_zone: bool = True, work: str = "exponential", arrivals: str = "poisson", workers: int = 1,
             check_interval: float = 10.0, duration: float = 60.0, sample: float = 0.5, seed: int = 1) -> Run:
    """A fleet for ``duration`` seconds of arrivals, then until the last request has ended.

    rate: requests a second; service_time: mean seconds of work in a request; workers: requests that a target works on
    at once. servers: how many, spread over the zones, or a tuple with the number in each zone.
    algorithm: one of ALGORITHMS; work: one of WORKS; arrivals: "poisson" or "constant".
    The last target can be in trouble: ``slow`` (its work takes so many times as long), ``errors`` (the share of its
    requests that it fails, though its health checks pass; ``mitigation`` is ALB's answer, with weighted_random),
    ``fail_at``/``recover_at`` (it crashes, it is back), ``join_at`` (registered only then; with ``slow_start``
    seconds of rising share), ``deregister_at``. Times in seconds.
    """
    if slow <= 0 or not 0 <= errors <= 1:
        raise ValueError(f"slow={slow}, errors={errors}: slow is a factor above 0, errors a share from 0 to 1")
    if slow_start and algorithm not in attribute.CHOICES[attribute.ALGORITHM]:
        raise ValueError(f"slow start goes with round_robin, not with {algorithm}")
    fleet = Fleet(servers, zones, service_time, algorithm, work, workers, cross_zone, check_interval, seed)
    on_aws = algorithm if algorithm in attribute.CHOICES[attribute.ALGORITHM] else "round_robin"
    fleet.group.modify_target_group_attributes([
        {"Key": attribute.ALGORITHM, "Value": on_aws}, {"Key": attribute.SLOW_START, "Value": str(slow_start)},
        {"Key": attribute.MITIGATION, "Value": "on" if mitigation else "off"},
        {"Key": attribute.DELAY, "Value": str(deregistration_delay)}])
    last = fleet.servers[-1]
    last.slow = slow
    if errors:
        luck = Random(f"{seed} errors")
        last.fails = lambda: luck.random() < errors
    fleet.open(without=last if join_at is not None else None)
    for time, happens in ((join_at, fleet.join), (fail_at, fleet.crash), (recover_at, fleet.recover),
                          (deregister_at, fleet.deregister)):
        if time is not None:
            fleet.clock.at(time, happens, last)
    if mitigation:
        fleet.clock.every(algorithms.MITIGATION_PERIOD, fleet.look_for_anomalies, until=duration)
    return _run(fleet, rate, arrivals, duration, sample)


def simulate_zone_failure(rate: float = 12.0, servers: int = 6, zones: int = 3, cross_zone: bool = True,
                          algorithm: str = "round_robin", service_time: float = 0.2, fail_at: float = 60.0,
                          recover_at: float | None = None, check_interval: float = 10.0, duration: float = 180.0,
                          sample: float = 1.0, seed: int = 1) -> Run:
    """The last zone dies at ``fail_at``, with its targets and the balancer's node in it.

    What is lost: requests to the dead node while DNS and the clients' caches still name it; with cross-zone on also
    requests that the other nodes send to its targets until health checks have found them out. Parameters as in
    ``simulate``; ``servers`` in all zones together.
    """
    fleet = Fleet(servers, zones, service_time, algorithm, cross_zone=cross_zone, check_interval=check_interval,
                  seed=seed)
    fleet.open()
    zone = fleet.group.zones[-1]
    fleet.clock.at(fail_at, fleet.zone_down, zone)
    if recover_at is not None:
        fleet.clock.at(recover_at, fleet.zone_up, zone)
    return _run(fleet, rate, "poisson", duration, sample)


def summary(run: Run) -> dict:
    """Requests, how many ended how, and the latency of those that went well: mean, p50, p95, p99 in seconds."""
    latencies = [latency for latency, outcome in zip(run.requests["latency"], run.requests["outcome"])
                 if outcome == "ok"]
    counts = {outcome: run.requests["outcome"].count(outcome) for outcome in OUTCOMES}
    return {"requests": len(run.requests), **{name: count for name, count in counts.items() if count},
            "mean": sum(latencies) / len(latencies) if latencies else None,
            **{f"p{percent}": percentile(latencies, percent) if latencies else None for percent in (50, 95, 99)}}


def shares(run: Run) -> dict[str, float]:
    """The fraction of the requests that each target was given, by its id."""
    given = run.requests["target"]
    return {target: given.count(target) / len(given) if given else 0.0 for target in run.zones}


def _run(fleet, rate, arrivals, duration, sample) -> Run:
    if arrivals not in ("poisson", "constant"):
        raise ValueError(f"no arrivals {arrivals!r}; there are poisson and constant")
    times = (poisson(rate, Random(f"{fleet.seed} arrivals"), duration) if arrivals == "poisson"
             else constant(rate, duration))
    fleet.run(times, duration, sample)
    return Run(fleet.requests, fleet.queues, fleet.events, {server.id: server.zone for server in fleet.servers})
