"""A Network Load Balancer: layer 4, so all it knows of a packet is a ``Flow``; every flow keeps its target.

The first packet of a flow is hashed to a target in service; all later ones of the flow follow it without a new
choice, until the flow is closed or has been idle for too long. A listener has a protocol and a port, the target group
has a port of its own: 443 outside may be 8443 inside. Each zone has one static address, and by default a node sends
to the targets of its own zone only.

    balancer = NetworkLoadBalancer(TargetGroup(port=8443, cross_zone=False))
    balancer.create_listener("TCP", 443)
    balancer.packet(Flow(destination_ip=balancer.addresses["a"]), now=0.0).target

**Simplified** A flow table without limit; one target group, of the listener's protocol; the hash is that of
``algorithms.py``. A TLS listener ends TLS and opens a connection of its own, which here is still the same flow.
**Not modelled** QUIC's server ID, weighted target groups, source_ip stickiness, rules by address type (dual-stack
balancers), proxy protocol, security groups, fail open with an empty group.

Network Load Balancer guide, read 2026-11-23: "What is a Network Load Balancer?", "Listeners for your Network Load
Balancers", "Network Load Balancers" (connection idle timeout, cross-zone), "Target groups for your Network Load
Balancers", "Health checks for Network Load Balancer target groups", "Edit target group attributes for your Network Load
Balancer" (client IP preservation, connection termination); API reference 2015-12-01, TargetGroupAttribute.
"""

from dataclasses import dataclass

from kit.balancing.algorithms import Flow, flow_hash
from kit.balancing.targets import Target, TargetGroup
from kit.errors import ServiceError

CARRIES = {"TCP": ("TCP",), "TLS": ("TCP",), "UDP": ("UDP",), "TCP_UDP": ("TCP", "UDP"), "QUIC": ("UDP",),
           "TCP_QUIC": ("TCP", "UDP")}  # a listener's protocol: the packets it takes
WITH_UDP = ("UDP", "TCP_UDP")  # always keep the client's address, and end flows with the deregistration delay
TCP_IDLE_TIMEOUT = 350.0  # seconds, default; settable from 60 to 6000
UDP_IDLE_TIMEOUT = 120.0  # seconds, fixed


@dataclass(frozen=True)
class Delivery:
    """What becomes of a packet. ``source_ip`` is what the target sees; ``target`` None: nobody gets it."""

    target: Target | None
    source_ip: str | None
    because: str


class NetworkLoadBalancer:
    """Listeners, a flow table, and one static address a zone."""

    def __init__(self, group: TargetGroup, target_type: str = "instance", preserve_client_ip: bool | None = None,
                 idle_timeout: float = TCP_IDLE_TIMEOUT):
        """group: its targets, made with cross_zone=False unless that is switched on. preserve_client_ip: None is AWS's
        default, off for IP targets with TCP and TLS, else on; with UDP and TCP_UDP it is always on."""
        if not 60 <= idle_timeout <= 6000:
            raise ServiceError("ValidationError", f"tcp.idle_timeout.seconds is from 60 to 6000, not {idle_timeout}.")
        self.group, self.idle_timeout = group, idle_timeout
        self.target_type, self.preserve = target_type, preserve_client_ip
        self.addresses = {zone: f"192.0.2.{10 + number}" for number, zone in enumerate(group.zones)}
        self.listeners = {}  # port: protocol
        self.flows = {}  # 5-tuple: [target, sequence number of its first packet, last seen]
        self.hashed = 0  # how often a target was chosen; all other packets were one look-up

    def create_listener(self, protocol: str, port: int) -> None:
        if protocol not in CARRIES:
            raise ServiceError("ValidationError", f"Listener protocol '{protocol}' must be one of "
                                                  f"{', '.join(CARRIES)}.")
        if port in self.listeners:
            raise ServiceError("DuplicateListener", f"A listener with port {port} already exists.")
        self.listeners[port] = protocol

    def packet(self, flow: Flow, now: float, new: bool = True) -> Delivery:
        """One packet. new: whether it may begin a flow (TCP's SYN; any UDP packet may)."""
        zone = next((zone for zone, address in self.addresses.items() if address == flow.destination_ip), None)
        if zone is None:
            raise ValueError(f"{flow.destination_ip} is no address of this balancer: {self.addresses}")
        listener = self.listeners.get(flow.destination_port)
        if flow.protocol not in CARRIES.get(listener, ()):
            return Delivery(None, None, f"no listener for {flow.protocol} {flow.destination_port}: dropped")
        key = _key(flow)
        if key in self.flows:
            target, first, seen = self.flows[key]
            again = new and flow.sequence_number != first  # the client uses its port for another connection
            idle = now - seen > (UDP_IDLE_TIMEOUT if flow.protocol == "UDP" else self.idle_timeout)
            gone = self._gone(target, listener, now, zone)
            if not (again or idle or gone):
                self.flows[key][2] = now
                return self._deliver(flow, target, zone, "the flow has its target")
            del self.flows[key]
            if gone and not new and flow.protocol == "TCP":
                return Delivery(None, None, f"{target.id} is {gone}: TCP reset")
        if not new and flow.protocol == "TCP":
            return Delivery(None, None, f"no such connection (idle for more than {self.idle_timeout:g} s?): TCP reset")
        candidates = self.group.in_service(now, zone)
        if not candidates:
            return Delivery(None, None, f"no target for the node in zone {zone}: reset")
        target = flow_hash(candidates, flow)
        self.hashed += 1
        self.flows[key] = [target, flow.sequence_number, now]
        return self._deliver(flow, target, zone, f"new flow: its hash fell to {target.id} of {len(candidates)} targets")

    def close(self, flow: Flow) -> None:
        """FIN or RST: the flow is over."""
        self.flows.pop(_key(flow), None)

    def _gone(self, target, listener, now, zone) -> str | None:
        """Why a flow can't go on to its target. By default TCP goes on after the deregistration delay, UDP doesn't."""
        state = self.group.state(target, now)
        if state == "unhealthy" and target not in self.group.in_service(now, zone):
            return "unhealthy"
        return "deregistered" if state == "unused" and listener in WITH_UDP else None

    def _deliver(self, flow, target, zone, because) -> Delivery:
        listener = self.listeners[flow.destination_port]
        default = self.target_type == "instance" or listener not in ("TCP", "TLS")
        kept = listener in WITH_UDP or (default if self.preserve is None else self.preserve)
        node = f"10.0.{list(self.addresses).index(zone)}.4"  # the node's private address
        return Delivery(target, flow.source_ip if kept else node,
                        f"{because}; from port {flow.destination_port} to port {target.port}")


def _key(flow) -> tuple:
    return flow.protocol, flow.source_ip, flow.source_port, flow.destination_ip, flow.destination_port
