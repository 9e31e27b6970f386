"""The machinery of ``fleet.py``: a balancer's nodes, its target group and the targets, on the simulated clock.

A request: DNS gives a node, the target group says who is in service there, the algorithm picks, the target works.
Health: each target is asked every ``check_interval`` seconds; what the target group makes of the answers decides who
is in service. Everything that changes that is written to ``events``.

What is simplified and what is left out stands in ``fleet.py``.
"""

from random import Random

from kit.balancing import algorithms
from kit.balancing import attributes as attribute
from kit.balancing.health import HealthCheck
from kit.balancing.nodes import TTL, DnsName
from kit.balancing.server import CONNECT_TIMEOUT, InFlight, Server
from kit.balancing.targets import Target, TargetGroup
from kit.sim import Clock, Records

PICK = {  # each algorithm, fed with what the fleet knows; candidates are the numbers of the servers in service
    "round_robin": lambda fleet, candidates, turn: fleet.take_turns(candidates, turn),
    "least_outstanding_requests": lambda fleet, candidates, turn:
        algorithms.least_outstanding_requests(candidates, fleet.outstanding, turn),
    "weighted_random": lambda fleet, candidates, turn: algorithms.weighted_random(candidates, fleet.weights, fleet.rng),
    "flow_hash": lambda fleet, candidates, turn: algorithms.flow_hash(candidates, fleet.new_flow()),
    "random": lambda fleet, candidates, turn: algorithms.random_choice(candidates, fleet.rng),
    "power_of_two_choices": lambda fleet, candidates, turn:
        algorithms.power_of_two_choices(candidates, fleet.outstanding, fleet.rng),
}
WORK = {  # the work in a request, against the mean
    "exponential": lambda rng: rng.expovariate(1),
    "constant": lambda rng: 1.0,
    "mixed": lambda rng: (10 if rng.random() < 0.1 else 1) / 1.9,  # one in ten takes ten times as long
}
MEAN_SQUARE_WORK = {"exponential": 2.0, "constant": 1.0, "mixed": 10.9 / 1.9**2}


class Fleet:
    """One run. ``open`` it, schedule what shall happen to it on ``clock``, then ``run``."""

    def __init__(self, servers, zones=1, service_time=0.08, algorithm="round_robin", work="exponential", workers=1,
                 cross_zone=True, check_interval=10.0, seed=1):
        for value, known, what in ((algorithm, PICK, "algorithm"), (work, WORK, "work")):
            if value not in known:
                raise ValueError(f"no {what} {value!r}; there are {', '.join(known)}")
        counts = tuple(servers) if isinstance(servers, (tuple, list)) else [
            len(range(zone, servers, zones)) for zone in range(zones)]
        if sum(counts) < 1 or workers < 1 or service_time <= 0:
            raise ValueError("a fleet needs a server, a worker and a service time above 0 s")
        names = [chr(ord("a") + number) for number in range(len(counts))]
        order = [zone for turn in range(max(counts)) for zone, count in zip(names, counts) if turn < count]

        self.clock = Clock()
        self.check = HealthCheck(check_interval, min(5.0, check_interval / 2))
        self.group = TargetGroup(zones=names, check=self.check, cross_zone=cross_zone)
        self.dns = DnsName(names)
        self.servers = [Server(number, f"i-{number + 1}", zone, self.clock, self.finish, workers)
                        for number, zone in enumerate(order)]
        self.by_id = {server.id: server for server in self.servers}
        self.pick, self.draw_work, self.service_time = PICK[algorithm], WORK[work], service_time
        self.seed = seed  # streams of their own, so that the choice of an algorithm changes no request
        self.rng, self.work_rng, self.client_rng = (Random(f"{seed} {use}") for use in ("choice", "work", "clients"))

        self.outstanding = [0] * len(self.servers)
        self.weights = dict.fromkeys(range(len(self.servers)), 1.0)
        self.credits = {}
        self.turns = dict.fromkeys(names, 0)  # each node takes its own turns
        self.seen, self.failed = [0] * len(self.servers), [0] * len(self.servers)  # since the last look at anomalies
        self.dead_nodes, self.withdrawn = set(), set()
        self.arrived = 0
        self.requests = Records("request", "arrived", "zone", "target", "started", "finished", "wait", "latency",
                                "outcome")
        self.queues = Records("time", *self.by_id)
        self.events = Records("time", "event", "target", "because")

    def open(self, without=None) -> None:
        """Register everybody (but one) as healthy at time 0, without a wait for the first check."""
        present = [server for server in self.servers if server is not without]
        self._register(*present)
        for server in present:
            self.group.health_check(server.id, 200, 0.0)
        self.refresh()

    def run(self, times, until: float, sample: float) -> None:
        """Requests at ``times``; checks and samples ``until`` then; and on until the last request has ended."""
        self.record()
        self.clock.every(sample, self.record, until=until)
        for server in self.servers:  # the checks of the targets are spread over the interval
            offset = (server.number + 0.5) / len(self.servers) * self.check.interval
            self.clock.after(offset, self.probe, server, until)
        self.clock.each(times, self.arrive)
        self.clock.run()

    # The way of a request

    def arrive(self) -> None:
        now, number = self.clock.now, self.arrived
        self.arrived += 1
        zone = self._node(now)
        request = InFlight(number, now, zone, self.draw_work(self.work_rng) * self.service_time)
        if zone in self.dead_nodes:
            self.clock.after(CONNECT_TIMEOUT, self.finish, request, "unreachable")
            return
        candidates = self.reach[zone]
        if not candidates:
            self.finish(request, "no target")
            return
        turn = self.turns[zone]
        self.turns[zone] = turn + 1
        chosen = self.pick(self, candidates, turn)
        self.outstanding[chosen] += 1
        self.seen[chosen] += 1
        self.servers[chosen].receive(request)

    def finish(self, request, outcome) -> None:
        now, server, started = self.clock.now, request.server, request.started
        if server is not None:
            self.outstanding[server.number] -= 1
            self.failed[server.number] += outcome != "ok"
        self.requests.append(request.number, request.arrived, request.zone, server and server.id, started, now,
                             None if started is None else started - request.arrived, now - request.arrived, outcome)

    def take_turns(self, candidates, turn) -> int:
        if self.group.attributes[attribute.SLOW_START] == "0":
            return algorithms.round_robin(candidates, turn)
        now = self.clock.now
        shares = {number: self.group.share(self.targets[number], now) for number in candidates}
        return algorithms.weighted_round_robin(candidates, shares, self.credits)

    def new_flow(self) -> algorithms.Flow:
        """A connection of its own for each request: the client's port and TCP's sequence number differ."""
        return algorithms.Flow(source_port=self.client_rng.randrange(1024, 65536),
                               sequence_number=self.client_rng.getrandbits(32))

    def _node(self, now) -> str:
        """A client takes one of the addresses that it knows; what it knows may be as old as the TTL."""
        if len(self.turns) == 1:
            return self.dns.zones[0]
        age = 0.0 if self.dns.settled(now) else self.client_rng.random() * TTL
        zones = self.dns.zones_given(now, age)
        return zones[int(self.client_rng.random() * len(zones))]

    # Health, and who is in service

    def probe(self, server, until) -> None:
        """One health check; its answer, or the lack of one after the timeout; and the next an interval later."""
        if self.clock.now + self.check.interval <= until:
            self.clock.after(self.check.interval, self.probe, server, until)
        answer = server.answer_to_health_check()
        self.clock.after(self.check.timeout if answer is None else 0, self.report, server, answer)

    def report(self, server, answer) -> None:
        before = self.state(server)
        if before not in ("unused", "draining"):
            after = self.group.health_check(server.id, answer, self.clock.now)
            if after != before:
                because = {200: "passed", None: "timed out"}.get(answer, "failed")
                self.note(after, server.id, f"health checks {because}")
                self.refresh()

    def look_for_anomalies(self) -> None:
        healthy = [server.number for server in self.servers if self.state(server) == "healthy"]
        found = algorithms.anomalous({number: self.seen[number] for number in healthy},
                                     {number: self.failed[number] for number in healthy})
        for number in found:
            if self.weights[number] == 1.0:
                self.note("anomalous", self.servers[number].id, "its share of errors stands out; it gets less")
        self.weights = algorithms.mitigate(self.weights, found)
        self.seen, self.failed = [0] * len(self.servers), [0] * len(self.servers)

    def refresh(self) -> None:
        """Something changed: who is in service for each node, and what does DNS answer?"""
        now = self.clock.now
        in_service = {zone: self.group.in_service(now, zone) for zone in self.group.zones}
        self.targets = {self.by_id[target.id].number: target for found in in_service.values() for target in found}
        self.reach = {zone: [self.by_id[target.id].number for target in found] for zone, found in in_service.items()}
        given = [zone for zone in self.group.zones_in_dns(now) if zone not in self.withdrawn] or self.group.zones
        if self.dns.give(given, now):
            self.note("dns", None, f"gives the nodes in {', '.join(given)} from now on")

    def state(self, server) -> str:
        return self.group.state(Target(server.id, self.group.port, server.zone), self.clock.now)

    def record(self) -> None:
        self.queues.append(self.clock.now, *self.outstanding)

    def note(self, event, target, because) -> None:
        self.events.append(self.clock.now, event, target, because)

    def _register(self, *servers) -> None:
        self.group.register_targets([{"Id": server.id, "AvailabilityZone": server.zone} for server in servers],
                                    self.clock.now)

    # What can happen

    def join(self, server) -> None:
        self._register(server)
        self.note("registered", server.id, "it gets requests after its first good health check")
        self.refresh()

    def crash(self, server) -> None:
        self.note("crashed", server.id, "it refuses connections, and the balancer doesn't know yet")
        server.crash()

    def recover(self, server) -> None:
        self.note("back", server.id, "it answers again; health checks must see it")
        server.recover()

    def deregister(self, server) -> None:
        self.group.deregister_targets([{"Id": server.id}], self.clock.now)
        self.note("draining", server.id, "deregistered: no new requests, those in flight may end")
        self.refresh()
        self.clock.after(float(self.group.attributes[attribute.DELAY]), self._drained, server)

    def _drained(self, server) -> None:
        self.note("unused", server.id, f"the deregistration delay is over; {server.cut_off()} requests were cut")

    def zone_down(self, zone) -> None:
        self.note("zone down", None, f"the targets and the balancer's node in zone {zone} fall silent")
        self.dead_nodes.add(zone)
        self._zone(zone, Server.go_dark)

    def zone_up(self, zone) -> None:
        self.note("zone up", None, f"zone {zone} is back")
        self.dead_nodes.discard(zone)
        self._zone(zone, Server.recover)

    def _zone(self, zone, happens) -> None:
        for server in self.servers:
            if server.zone == zone:
                happens(server)
        self.clock.after(self.check.interval * self.check.unhealthy_threshold, self._watch_node, zone)

    def _watch_node(self, zone) -> None:
        (self.withdrawn.add if zone in self.dead_nodes else self.withdrawn.discard)(zone)
        self.refresh()
