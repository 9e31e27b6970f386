"""The four load balancers of AWS side by side, and which of them for what.

    choose(protocol="UDP").type          # "network"
    KINDS["classic"].status              # "previous generation"

Also here: what a Gateway Load Balancer does with a flow, in a few lines. It stands before firewalls and other
appliances, wraps each packet as it is in GENEVE (port 6081) and sends both directions of a flow to the same one.

**Simplified** Facts for choosing, not the full comparison. **Not modelled** Prices, quotas, Regions; the route tables
and endpoints that bring traffic to a Gateway Load Balancer.

Read 2026-11-23: Elastic Load Balancing user guide, "What is Elastic Load Balancing?", "How Elastic Load Balancing
works"; Elastic Load Balancing features, "Product comparisons"; API reference 2015-12-01, CreateListener,
CreateTargetGroup, TargetGroupAttribute; Gateway Load Balancer guide, "What is a Gateway Load Balancer?", "Target groups
for your Gateway Load Balancers". Dates: AWS News Blog.
"""

from dataclasses import dataclass, replace

from kit.balancing.algorithms import FLOW_2_TUPLE, FLOW_3_TUPLE, FLOW_5_TUPLE, Flow, flow_hash

CATEGORY = "Networking & Content Delivery"  # where AWS lists the service; its console pages are among EC2's
GENEVE_PORT = 6081


@dataclass(frozen=True)
class Kind:
    """One type of load balancer."""

    name: str
    introduced: str  # date
    status: str
    layer: int  # of the OSI model; Classic: 7 for HTTP and HTTPS, 4 for TCP and SSL
    api: str  # boto3 client
    protocols: tuple[str, ...]  # of a listener
    also: tuple[str, ...]  # what runs through these listeners
    algorithm: str
    targets: tuple[str, ...]
    rules: tuple[str, ...]  # what listener rules can look at
    static_ip: bool
    cross_zone: str  # default
    page: str  # title


KINDS = {
    "application": Kind(
        "Application Load Balancer", "2016-08-11", "current", 7, "elbv2", ("HTTP", "HTTPS"),
        ("WebSocket", "HTTP/2", "gRPC"), "round robin, least outstanding requests or weighted random",
        ("instance", "ip", "lambda"),
        ("host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"),
        False, "on", "What is an Application Load Balancer?"),
    "network": Kind(
        "Network Load Balancer", "2017-09-07", "current", 4, "elbv2",
        ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"), ("WebSocket",), "flow hash", ("instance", "ip", "alb"),
        ("source-ip",), True, "off", "What is a Network Load Balancer?"),
    "gateway": Kind(
        "Gateway Load Balancer", "2020-11-10", "current", 3, "elbv2", ("GENEVE",), ("IP packets of all ports",),
        "flow hash", ("instance", "ip"), (), False, "off", "What is a Gateway Load Balancer?"),
    "classic": Kind(
        "Classic Load Balancer", "2009-05-18", "previous generation", 7, "elb", ("HTTP", "HTTPS", "TCP", "SSL"), (),
        "round robin (TCP, SSL), least outstanding requests (HTTP, HTTPS)", ("instance",), (), False,
        "off by API, on by console", "What is a Classic Load Balancer?"),
}


@dataclass(frozen=True)
class Choice:
    """The type, as create_load_balancer names it, and why."""

    type: str
    because: str


def choose(protocol: str = "HTTPS", content_rules: bool = False, static_ip: bool = False, appliance: bool = False,
           lambda_target: bool = False) -> Choice:
    """Which balancer for a need: what clients speak, routing by content, fixed addresses, appliances, a function."""
    if appliance:
        return Choice("gateway", f"appliances inspect whole packets, wrapped in GENEVE on port {GENEVE_PORT}")
    web = protocol in KINDS["application"].protocols + KINDS["application"].also
    if not web and protocol not in KINDS["network"].protocols:
        raise ValueError(f"no load balancer of AWS listens for {protocol!r}")
    if not web and (content_rules or lambda_target):
        raise ValueError(f"rules on content and Lambda targets need HTTP; {protocol} shows a balancer only addresses")
    if static_ip and (content_rules or lambda_target):
        return Choice("network", "static addresses are a Network Load Balancer's; the rules are those of an "
                                 "Application Load Balancer registered as its target")
    if static_ip:
        return Choice("network", "it has one static address in each zone")
    if web:
        return Choice("application", "it reads HTTP: rules on host, path, header, method, query string and address")
    return Choice("network", f"{protocol} is layer 4: it looks at addresses and ports, not into the content")


def gateway_target(targets, flow: Flow, stickiness_type: str | None = None):
    """The appliance of a Gateway Load Balancer for a flow, the same for both directions.

    stickiness_type: None is the 5-tuple (for TCP and UDP, else the 3-tuple), source_ip_dest_ip_proto the 3-tuple,
    source_ip_dest_ip the 2-tuple.
    """
    fields = {None: FLOW_5_TUPLE if flow.protocol in ("TCP", "UDP") else FLOW_3_TUPLE,
              "source_ip_dest_ip_proto": FLOW_3_TUPLE, "source_ip_dest_ip": FLOW_2_TUPLE}[stickiness_type]
    ends = sorted([(flow.source_ip, flow.source_port), (flow.destination_ip, flow.destination_port)])
    (first_ip, first_port), (second_ip, second_port) = ends
    either_way = replace(flow, source_ip=first_ip, source_port=first_port, destination_ip=second_ip,
                         destination_port=second_port)
    return flow_hash(targets, either_way, fields)
