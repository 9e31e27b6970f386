"""How a load balancer chooses one target of several: each algorithm as one small function.

==============================  ==================================================  ==============================
function                        the choice                                          who uses it
==============================  ==================================================  ==============================
round_robin                     the next in the row                                 Application (default), Classic TCP
least_outstanding_requests      the one with the fewest requests in progress        Application, Classic HTTP(S)
weighted_random                 at random, by weight                                Application
flow_hash                       the one a hash of the packet's addresses points to  Network, Gateway
random_choice,                  at random;                                          nobody at AWS: the theory's
power_of_two_choices            the less loaded of two drawn at random              yardsticks
==============================  ==================================================  ==============================

``targets`` is any non-empty sequence; which of them are fit for traffic is the caller's question (``targets.py``).

**Simplified** Slow start: AWS says only that a share rises linearly; ``weighted_round_robin`` is one even way to take
turns with shares. Least outstanding requests: ties go to the next in the row (AWS doesn't say). Flow hash: AWS doesn't
publish its hash; here it is BLAKE2 modulo the number of targets. Anomaly mitigation: AWS says that an anomalous
target's share falls step by step to a minimum and comes back gradually, every five seconds, but publishes neither
the statistics nor the steps; ``anomalous`` and ``mitigate`` use the plainest that fit the words.
**Not modelled** The weights that Automatic Target Weights finds from latency; QUIC's server ID.

AWS pages, read 2026-11-23: "How Elastic Load Balancing works" (routing algorithm), "Edit target group attributes for
your Application Load Balancer" (routing algorithms, Automatic Target Weights), "What is a Network Load Balancer?",
"Edit target group attributes for your Gateway Load Balancer" (flow stickiness).
"""

from dataclasses import dataclass
from hashlib import blake2b

FLOW_5_TUPLE = ("protocol", "source_ip", "source_port", "destination_ip", "destination_port")
FLOW_3_TUPLE = ("protocol", "source_ip", "destination_ip")
FLOW_2_TUPLE = ("source_ip", "destination_ip")

MITIGATION_PERIOD = 5.0  # seconds between two adjustments of an anomalous target's share (AWS: "currently")
MITIGATION_TARGETS = 3  # healthy targets that anomaly detection needs at least
ANOMALOUS_RATIO = 3.0  # our own: a target whose share of errors is so many times that of its peers ...
ANOMALOUS_MARGIN = 0.05  # ... and so much above it
MITIGATION_FLOOR = 0.01  # our own: the least share that keeps the target watched, against 1 for a normal one


@dataclass(frozen=True)
class Flow:
    """What a layer 4 balancer sees of a packet: no host, no path, no header, only addresses."""

    protocol: str = "TCP"
    source_ip: str = "198.51.100.7"
    source_port: int = 40000
    destination_ip: str = "192.0.2.10"
    destination_port: int = 443
    sequence_number: int | None = None  # of TCP's first packet; UDP has none


def round_robin(targets, turn: int):
    """The next in the row; ``turn`` counts the requests so far."""
    return targets[turn % len(targets)]


def weighted_round_robin(targets, weights, credits: dict):
    """Taking turns with shares (slow start): each target saves its weight, the richest pays for the turn.

    credits: what each target has saved so far; it is changed.
    """
    for target in targets:
        credits[target] = credits.get(target, 0.0) + weights[target]
    chosen = max(targets, key=credits.__getitem__)
    credits[chosen] -= sum(weights[target] for target in targets)
    return chosen


def least_outstanding_requests(targets, outstanding, turn: int = 0):
    """The target with the fewest requests in progress: ``outstanding[target]``; ties go on in the row."""
    start = turn % len(targets)
    best, fewest = None, None
    for target in [*targets[start:], *targets[:start]]:
        load = outstanding[target]
        if fewest is None or load < fewest:
            best, fewest = target, load
    return best


def weighted_random(targets, weights, rng):
    """At random, each target in proportion to its weight (``weights[target]``; 1 for all is an even draw)."""
    return rng.choices(targets, [weights[target] for target in targets])[0]


def random_choice(targets, rng):
    """At random, blind."""
    return targets[int(rng.random() * len(targets))]


def power_of_two_choices(targets, outstanding, rng, choices: int = 2):
    """Draw ``choices`` targets at random, take the one with the fewest requests in progress."""
    if choices >= len(targets):
        drawn = targets
    elif choices == 2:  # what rng.sample does, at a third of the time
        first, second = int(rng.random() * len(targets)), int(rng.random() * (len(targets) - 1))
        drawn = targets[first], targets[second + (second >= first)]
    else:
        drawn = rng.sample(targets, choices)
    return min(drawn, key=outstanding.__getitem__)


def flow_hash(targets, flow: Flow, fields: tuple[str, ...] | None = None):
    """The same flow gets the same target, with no memory of it: the hash decides.

    fields: which parts of the flow count. None: all, as a Network Load Balancer does (for TCP with the sequence
    number, so that a client which uses a port again may get another target).
    """
    parts = [value for field, value in vars(flow).items() if fields is None or field in fields]
    digest = blake2b(repr(parts).encode(), digest_size=8).digest()
    return targets[int.from_bytes(digest) % len(targets)]


def anomalous(requests: dict, errors: dict) -> set:
    """The targets whose share of failed requests stands out from their peers'.

    requests, errors: counts by healthy target since the last look (5xx answers and failed connections).
    """
    if len(requests) < MITIGATION_TARGETS:
        return set()
    found = set()
    for target, count in requests.items():
        others = sum(requests.values()) - count
        if not count or not others:
            continue
        peers = (sum(errors.values()) - errors[target]) / others
        if errors[target] / count > max(ANOMALOUS_RATIO * peers, peers + ANOMALOUS_MARGIN):
            found.add(target)
    return found


def mitigate(weights: dict, found: set) -> dict:
    """The weights of the next five seconds: anomalous targets lose half, recovering ones win a tenth."""
    return {target: max(weight / 2, MITIGATION_FLOOR) if target in found else min(weight + 0.1, 1.0)
            for target, weight in weights.items()}
