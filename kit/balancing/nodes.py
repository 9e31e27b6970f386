"""The DNS name of a load balancer: a client asks for it, and gets the addresses of the balancer's nodes.

Each enabled Availability Zone has at least one node. An internet-facing balancer's name gives public addresses, an
internal one's private addresses. A Network Load Balancer has one static address a zone; an Application Load Balancer
scales, and its addresses change: use the name. A zone that fails leaves the answer, but clients keep an old answer
for up to the TTL.

    name = DnsName(("a", "b"))
    name.resolve(now=0)          # {"ttl": 60, "addresses": {"203.0.113.1": "a", "203.0.113.2": "b"}}

**Simplified** Addresses are numbered, not AWS's: 203.0.113.x public, 10.0.x.y private. **Not modelled** IPv6,
client routing policies of Network Load Balancers, resolvers that keep an answer longer than they may.

Read 2026-11-23: Elastic Load Balancing user guide, "How Elastic Load Balancing works" (Availability Zones and load
balancer nodes, request routing, load balancer scheme); "What is a Network Load Balancer?".
"""

from kit.errors import ServiceError

TTL = 60.0  # seconds, of the name's DNS record


class DnsName:
    """Which addresses the name had at which time."""

    def __init__(self, zones, scheme: str = "internet-facing", type: str = "application"):
        """scheme: internet-facing or internal; type: application or network."""
        if scheme not in ("internet-facing", "internal"):
            raise ServiceError("ValidationError", f"Scheme '{scheme}' must be internet-facing or internal.")
        self.zones, self.scheme, self.type = tuple(zones), scheme, type
        self._numbered = 0
        self._nodes = {zone: self._new(zone, 1) for zone in self.zones}
        self._answers = [(float("-inf"), self.zones)]  # the zones in the answer, and since when

    def resolve(self, now: float, age: float = 0.0) -> dict:
        """The answer of DNS, or, for a client that asked ``age`` seconds ago and keeps it, the one of then."""
        return {"ttl": TTL, "addresses": {address: zone for zone in self.zones_given(now, age)
                                          for address in self._nodes[zone]}}

    def zones_given(self, now: float, age: float = 0.0) -> tuple[str, ...]:
        """The zones whose nodes are in the answer."""
        return next(zones for since, zones in reversed(self._answers) if since <= now - age)

    def settled(self, now: float) -> bool:
        """Whether no client can hold an older answer any more."""
        return now - self._answers[-1][0] >= TTL

    def give(self, zones, now: float) -> bool:
        """From now on the answer holds these zones only; was that a change?"""
        zones = tuple(zones)
        if zones == self._answers[-1][1]:
            return False
        self._answers.append((now, zones))
        return True

    def scale(self, nodes: int) -> None:
        """So many nodes a zone. An Application Load Balancer's addresses change; a Network Load Balancer's never do."""
        if nodes < 1:
            raise ValueError(f"{nodes} nodes: each enabled zone has at least one node")
        if self.type == "application":
            self._nodes = {zone: self._new(zone, nodes) for zone in self.zones}

    def _new(self, zone, count) -> list[str]:
        """Addresses that were never given out before."""
        first, self._numbered = self._numbered + 1, self._numbered + count
        subnet = self.zones.index(zone)
        return [f"203.0.113.{number}" if self.scheme == "internet-facing" else f"10.0.{subnet}.{number}"
                for number in range(first, self._numbered + 1)]
