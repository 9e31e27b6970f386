"""A Classic Load Balancer: listeners and instances, no target groups. AWS's first balancer, previous generation.

A request reaches a port; the listener of that port forwards it to a registered instance that the health checks call
healthy (TCP and SSL: round robin; HTTP and HTTPS: least outstanding requests). No listener on the port: the
connection is refused. No healthy instance: HTTP 503 (TCP and SSL: the connection is closed), no fail open.

    OutOfService <-> InService by HealthyThreshold and UnhealthyThreshold checks in a row; deregistering drains

**Simplified** Round robin runs on through all listeners. ``instances_cut`` names the instances whose requests were
still in flight when the draining timeout ended.
**Not modelled** Zones, cross-zone, sticky sessions, back-end authentication, proxy protocol, EC2-Classic, stopped
instances.

Read 2026-11-23: Elastic Load Balancing API reference 2012-06-01, Listener, HealthCheck, InstanceState,
ConnectionDraining; Classic Load Balancer guide, "Listeners for your Classic Load Balancer", "Health checks for the
instances for your Classic Load Balancer", "Configure connection draining for your Classic Load Balancer"; Elastic Load
Balancing user guide, "How Elastic Load Balancing works" (routing algorithm).
"""

from dataclasses import dataclass

from kit.balancing.algorithms import least_outstanding_requests, round_robin
from kit.errors import ServiceError

LAYER = {"HTTP": 7, "HTTPS": 7, "TCP": 4, "SSL": 4}
RANGES = {"Interval": (5, 300), "Timeout": (2, 60), "UnhealthyThreshold": (2, 10), "HealthyThreshold": (2, 10)}


@dataclass(frozen=True)
class Decision:
    """Which instance and port get the request; ``instance`` None: nobody, and ``because`` says why."""

    instance: str | None
    port: int | None
    algorithm: str | None
    because: str


@dataclass
class _Instance:
    in_service: bool = False
    passed: int = 0  # checks in a row
    failed: int = 0
    outstanding: int = 0
    description: str = "Instance registration is still in progress."
    draining_until: float | None = None


class ClassicLoadBalancer:
    """elb's operations of 2012; the instances hang on the balancer itself."""

    def __init__(self, listeners: list[dict], connection_draining: int | None = 300):
        """listeners: as for create_load_balancer_listeners. connection_draining: seconds, or None for off."""
        if connection_draining is not None and not 1 <= connection_draining <= 3600:
            raise ServiceError("ValidationError", f"Draining lasts from 1 to 3600 s, not {connection_draining}.")
        self.draining = connection_draining
        self.health_check = {"Target": "TCP:80", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2,
                             "HealthyThreshold": 10}
        self.listeners, self.instances, self.instances_cut = {}, {}, []
        self._turn = 0
        self.create_load_balancer_listeners(listeners)

    def create_load_balancer_listeners(self, listeners: list[dict]) -> None:
        """``[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}, ...]``; InstanceProtocol may differ
        within one layer: HTTP and HTTPS, or TCP and SSL."""
        for listener in listeners:
            inside = listener.get("InstanceProtocol", listener["Protocol"])
            for protocol in (listener["Protocol"], inside):
                if protocol not in LAYER:
                    raise ServiceError("UnsupportedProtocol", f"A listener's protocol is one of {', '.join(LAYER)}, "
                                                              f"not {protocol}.")
            if LAYER[listener["Protocol"]] != LAYER[inside]:
                raise ServiceError("InvalidConfigurationRequest", f"{listener['Protocol']} in front needs a protocol "
                                                                  f"of the same layer behind, not {inside}.")
            if self.listeners.get(listener["LoadBalancerPort"], listener) != listener:
                raise ServiceError("DuplicateListener", f"Port {listener['LoadBalancerPort']} has another listener.")
            self.listeners[listener["LoadBalancerPort"]] = dict(listener)

    def configure_health_check(self, health_check: dict) -> None:
        """As boto3: ``{"Target": "HTTP:80/ping", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2, ...}``."""
        for name in ("Target", *RANGES):
            if name not in health_check:
                raise ServiceError("ValidationError", f"The health check needs {name} too.")
        for name, (low, high) in RANGES.items():
            if not low <= health_check[name] <= high:
                raise ServiceError("ValidationError", f"The health check's {name} is from {low} to {high}, "
                                                      f"not {health_check[name]}.")
        if health_check["Timeout"] >= health_check["Interval"]:
            raise ServiceError("ValidationError", "The health check's Timeout must be shorter than its Interval.")
        self.health_check = dict(health_check)

    def register_instances_with_load_balancer(self, instances: list[str], now: float) -> None:
        """One that is draining begins anew, but what it has in flight goes on."""
        self._settle(now)
        for instance in instances:
            held = self.instances.get(instance)
            if held is None or held.draining_until is not None:
                self.instances[instance] = _Instance(outstanding=held.outstanding if held else 0)

    def deregister_instances_from_load_balancer(self, instances: list[str], now: float) -> None:
        """No new requests; those in flight may end within the draining timeout."""
        self._settle(now)
        for name in instances:
            held = self._registered(name)
            if held.draining_until is None:
                held.draining_until = now + (self.draining or 0)
        self._settle(now)

    def report_health_check(self, instance: str, passed: bool, now: float) -> None:
        """One check of an instance: HTTP 200, or a connection, within the timeout is a pass."""
        self._settle(now)
        held = self._registered(instance)
        held.passed, held.failed = (held.passed + 1, 0) if passed else (0, held.failed + 1)
        if held.passed >= self.health_check["HealthyThreshold"]:
            held.in_service, held.description = True, "N/A"
        elif held.failed >= self.health_check["UnhealthyThreshold"]:
            held.in_service = False
            held.description = ("Instance has failed at least the UnhealthyThreshold number of health checks "
                                "consecutively.")
        elif not held.in_service:
            held.description = ("Instance has not passed the configured HealthyThreshold number of health checks "
                                "consecutively.")

    def describe_instance_health(self, now: float) -> list[dict]:
        """``[{"InstanceId": ..., "State": "InService", "ReasonCode": "N/A", "Description": "N/A"}, ...]``"""
        self._settle(now)
        return [self._state(name, held) for name, held in self.instances.items()]

    def request(self, port: int, now: float) -> Decision:
        """A request or connection comes to ``port``; say ``done`` when it has been answered."""
        self._settle(now)
        listener = self.listeners.get(port)
        if listener is None:
            return Decision(None, None, None, f"connection refused: no listener on port {port}")
        fit = [name for name, held in self.instances.items() if held.in_service and held.draining_until is None]
        if not fit:
            answer = "503" if LAYER[listener["Protocol"]] == 7 else "connection closed"
            return Decision(None, None, None, f"{answer}: no instance in service")
        if LAYER[listener["Protocol"]] == 4:
            name, algorithm = round_robin(fit, self._turn), "round robin"
        else:
            outstanding = {name: self.instances[name].outstanding for name in fit}
            name, algorithm = least_outstanding_requests(fit, outstanding, self._turn), "least outstanding requests"
        self._turn += 1
        self.instances[name].outstanding += 1
        return Decision(name, listener["InstancePort"], algorithm,
                        f"listener {listener['Protocol']} {port}: {algorithm} among {len(fit)} in service")

    def done(self, instance: str, now: float) -> None:
        """A request to this instance has been answered; one that was cut off may still answer, to nobody."""
        if instance in self.instances:
            if not self.instances[instance].outstanding:
                raise ValueError(f"{instance} has no request in flight that could be done")
            self.instances[instance].outstanding -= 1
        self._settle(now)

    def _registered(self, name) -> _Instance:
        if name not in self.instances:
            raise ServiceError("InvalidInstance", f"{name} is not registered.")
        return self.instances[name]

    def _settle(self, now) -> None:
        """Instances that are drained, or out of time, go."""
        for name, held in list(self.instances.items()):
            if held.draining_until is not None and (held.outstanding == 0 or held.draining_until <= now):
                if held.outstanding:
                    self.instances_cut.append(name)
                del self.instances[name]

    def _state(self, name, held) -> dict:
        if held.draining_until is not None:
            return {"InstanceId": name, "State": "InService", "ReasonCode": "N/A",
                    "Description": "Instance deregistration currently in progress."}
        return {"InstanceId": name, "State": "InService" if held.in_service else "OutOfService",
                "ReasonCode": "N/A" if held.in_service else "Instance" if held.passed or held.failed else "ELB",
                "Description": held.description}
