"""A target group as a state machine: who is registered, who is healthy, who gets the next request.

    register -> initial -> healthy <-> unhealthy;   deregister -> draining -> unused (gone)

A target in ``initial`` is healthy after its first good check, whatever the threshold; later it takes
UnhealthyThresholdCount bad checks in a row to fall and HealthyThresholdCount good ones to come back. With fewer
healthy targets than the group wants, the group fails open: better a try than a sure refusal.

Nothing happens by itself: whoever runs the group reports each health check with ``health_check(..., now)``. A target
is known by its id and its port, so that one instance can hold several. Times are in seconds.

**Simplified** All the balancer's nodes see the same health (on AWS each node checks by itself). ``initial`` targets
count as registered when the group fails open. The zone of an instance is given at registration. Cookies are values,
not encrypted.
**Not modelled** Target types lambda and alb, IP address checks, app_cookie stickiness, the state
``unhealthy.draining`` of Network Load Balancers, zonal shift.

Application Load Balancer guide, read 2026-11-23: "Target groups for your Application Load Balancers", "Health checks
for Application Load Balancer target groups", "Target group health", "Edit target group attributes for your Application
Load Balancer"; API reference 2015-12-01, RegisterTargets, DeregisterTargets, TargetHealth.
"""

from dataclasses import dataclass

from kit.balancing import attributes as attribute
from kit.balancing.health import ZONE_NOT_ENABLED, HealthCheck, reason_for, target_health
from kit.errors import ServiceError

TARGETS_PER_GROUP = 1000  # default quota


@dataclass(frozen=True, order=True)
class Target:
    """A destination: an instance or address and its port."""

    id: str
    port: int
    zone: str


@dataclass(frozen=True)
class TargetCookie:
    """The AWSALB cookie: the target of this session, and until when (seconds)."""

    target: Target
    expires: float


class TargetGroup:
    """Targets of one kind of work behind one load balancer."""

    def __init__(self, name: str = "my-targets", port: int = 80, zones=("a", "b"), check: HealthCheck = HealthCheck(),
                 in_use: bool = True, cross_zone: bool = True):
        """zones: enabled for the load balancer. in_use: whether a rule forwards here. cross_zone: the balancer's own
        setting, on for an Application Load Balancer, off for a Network Load Balancer unless switched on."""
        self.name, self.port, self.zones, self.check, self.in_use = name, port, tuple(zones), check, in_use
        self.attributes = dict(attribute.DEFAULTS)
        self._balancer_cross_zone = cross_zone
        self._targets: dict[tuple[str, int], _Registered] = {}

    def register_targets(self, targets: list[dict], now: float) -> None:
        """Add ``[{"Id": "i-1", "Port": 8080, "AvailabilityZone": "a"}, ...]``; no Port is the group's own port.

        A target that is there already stays as it is; one that is draining begins anew. Too many: nobody is added.
        """
        self._forget(now)
        if len({*self._targets, *map(self._key, targets)}) > TARGETS_PER_GROUP:
            raise ServiceError("TooManyTargets", f"A target group has up to {TARGETS_PER_GROUP} targets.")
        carried = self._carried(now)
        for entry in targets:
            key = self._key(entry)
            if key not in self._targets or self._targets[key].state == "draining":
                zone = entry.get("AvailabilityZone") or self.zones[0]
                self._targets[key] = _Registered(Target(*key, zone), newcomer=carried)

    def deregister_targets(self, targets: list[dict], now: float) -> None:
        """No new requests from now on; ``draining`` for the deregistration delay. An unknown target is no error."""
        self._forget(now)
        for entry in targets:
            held = self._targets.get(self._key(entry))
            if held and held.state != "draining":
                held.become("draining", "Target.DeregistrationInProgress")
                held.until = now + float(self.attributes[attribute.DELAY])

    def health_check(self, target_id: str, answer, now: float, port: int | None = None) -> str:
        """Report one check of a target; returns its state.

        answer: the HTTP code; None when none came within the timeout; "refused" when no connection was possible
        or the answer was no HTTP.
        """
        self._forget(now)
        held = self._targets.get((target_id, port or self.port))
        if held is None:
            raise ServiceError("InvalidTarget", f"{target_id}:{port or self.port} is not registered with {self.name}.")
        if held.state == "draining" or not self._usable(held):
            return self._described(held)["State"]
        held.checked = True
        if isinstance(answer, int) and self.check.accepts(answer):
            held.successes, held.failures = held.successes + 1, 0
            if held.state == "initial" or held.state == "unhealthy" and held.successes >= self.check.healthy_threshold:
                slowly = held.newcomer if held.state == "initial" else self._carried(now)
                held.become("healthy")
                held.slow_since = now if slowly and self.attributes[attribute.SLOW_START] != "0" else None
        else:
            held.successes, held.failures = 0, held.failures + 1
            if held.state == "unhealthy" or held.failures >= self.check.unhealthy_threshold:
                held.become("unhealthy", reason_for(answer), answer)
        return held.state

    def instance_state(self, target_id: str, state: str) -> None:
        """EC2 says what an instance does: one that is stopped is unused, one that runs again begins anew."""
        for (name, _), held in self._targets.items():
            if name == target_id and held.state != "draining":
                stopped = state in ("stopping", "stopped", "shutting-down", "terminated")
                if held.stopped and not stopped:
                    held.become("initial")
                    held.checked, held.successes, held.failures = False, 0, 0
                held.stopped = stopped

    def describe_target_health(self, now: float, targets: list[dict] | None = None) -> dict:
        """boto3's shape; with ``targets`` also those that are not registered (any more)."""
        self._forget(now)
        keys = list(self._targets) if targets is None else [self._key(entry) for entry in targets]
        return {"TargetHealthDescriptions": [
            {"Target": {"Id": key[0], "Port": key[1]}, "HealthCheckPort": str(key[1]),
             "TargetHealth": self._described(self._targets.get(key))} for key in keys]}

    def state(self, target: Target, now: float) -> str:
        """initial, healthy, unhealthy, draining or unused."""
        self._forget(now)
        return self._described(self._targets.get((target.id, target.port)))["State"]

    def modify_target_group_attributes(self, changes: list[dict]) -> dict:
        """``[{"Key": "slow_start.duration_seconds", "Value": "60"}]``; raises what ``attributes.changed`` raises."""
        self.attributes = attribute.changed(self.attributes, changes, self._balancer_cross_zone)
        if self.attributes[attribute.SLOW_START] == "0":
            for held in self._targets.values():
                held.slow_since = None  # switched on again, slow start is for those who are healthy from then on
        return {"Attributes": [{"Key": key, "Value": value} for key, value in self.attributes.items()]}

    @property
    def cross_zone(self) -> bool:
        setting = self.attributes[attribute.CROSS_ZONE]
        return self._balancer_cross_zone if setting == "use_load_balancer_configuration" else setting == "true"

    def in_service(self, now: float, zone: str | None = None) -> list[Target]:
        """Who may get a new request from the balancer's node in ``zone``: the healthy, or all when these are too few.

        Empty when nobody is registered in the node's reach: an Application Load Balancer answers 503.
        """
        self._forget(now)
        reach = self._reach(None if self.cross_zone else zone)
        healthy = [held.target for held in reach if held.state == "healthy"]
        if self._enough(len(healthy), len(reach), attribute.ROUTING_COUNT, attribute.ROUTING_PERCENT):
            return healthy
        return [held.target for held in reach]

    def zones_in_dns(self, now: float) -> tuple[str, ...]:
        """The zones whose addresses DNS gives to clients: those with enough healthy targets, or all when none has.

        A zone without any target stays in DNS too, and its requests are answered with 503.
        """
        self._forget(now)
        good = []
        for zone in self.zones:
            reach = self._reach(None if self.cross_zone else zone)
            healthy = sum(held.state == "healthy" for held in reach)
            if not reach or self._enough(healthy, len(reach), attribute.DNS_COUNT, attribute.DNS_PERCENT):
                good.append(zone)
        return tuple(good) or self.zones

    def share(self, target: Target, now: float) -> float:
        """How much of its full share of requests a target gets: below 1 only in slow start, rising in a line."""
        held, duration = self._targets.get((target.id, target.port)), float(self.attributes[attribute.SLOW_START])
        if held is None or held.slow_since is None or not duration:
            return 1.0
        return min(1.0, (now - held.slow_since) / duration)

    def choose(self, pick, now: float, zone: str | None = None, cookie: TargetCookie | None = None):
        """The target of a request, and the cookie to set: ``pick(targets)`` decides unless the session is bound.

        A cookie counts while it lives and its target is in service; each answer renews it. (None, None): nobody.
        """
        candidates = self.in_service(now, zone)
        if not candidates:
            return None, None
        sticky = self.attributes[attribute.STICKY] == "true"
        bound = sticky and cookie and now < cookie.expires and cookie.target in candidates
        target = cookie.target if bound else pick(candidates)
        return target, TargetCookie(target, now + float(self.attributes[attribute.STICKY_SECONDS])) if sticky else None

    def _key(self, entry) -> tuple[str, int]:
        return entry["Id"], entry.get("Port", self.port)

    def _forget(self, now) -> None:
        for key in [key for key, held in self._targets.items() if held.state == "draining" and held.until <= now]:
            del self._targets[key]

    def _usable(self, held) -> bool:
        return self.in_use and held.target.zone in (*self.zones, "all") and not held.stopped

    def _reach(self, zone) -> list["_Registered"]:
        return [held for held in self._targets.values() if held.state != "draining" and self._usable(held)
                and zone in (None, held.target.zone)]

    def _enough(self, healthy, registered, count, percent) -> bool:
        count, percent = self.attributes[count], self.attributes[percent]
        return not (count != "off" and healthy < int(count)
                    or percent != "off" and healthy * 100 < int(percent) * registered)

    def _carried(self, now) -> bool:
        """Is somebody healthy and at full share? Only then do others start slowly; a first lot of targets does not."""
        return any(held.state == "healthy" and self.share(held.target, now) == 1.0 for held in self._targets.values())

    def _described(self, held) -> dict:
        if held is None:
            return target_health("unused", "Target.NotRegistered")
        if held.state == "draining":
            return target_health(held.state, held.reason)
        if not self.in_use:
            return target_health("unused", "Target.NotInUse")
        if held.target.zone not in (*self.zones, "all"):
            return target_health("unused", "Target.NotInUse", description=ZONE_NOT_ENABLED)
        if held.stopped:
            return target_health("unused", "Target.InvalidState")
        if held.state == "initial":
            return target_health("initial",
                                 "Elb.InitialHealthChecking" if held.checked else "Elb.RegistrationInProgress")
        return target_health(held.state, held.reason, held.code)


@dataclass
class _Registered:
    target: Target
    state: str = "initial"
    reason: str | None = None
    code: object = None  # of the last failed check
    newcomer: bool = False  # whether somebody carried the load when it was registered
    checked: bool = False
    stopped: bool = False  # its instance is
    successes: int = 0  # in a row
    failures: int = 0
    slow_since: float | None = None
    until: float = 0.0  # end of draining

    def become(self, state, reason=None, code=None):
        self.state, self.reason, self.code = state, reason, code
        if state != "healthy":
            self.slow_since = None
