"""A Network Load Balancer, flow by flow: Network Load Balancer guide and API reference, pages named.

Listener protocols are looked up in the service model that boto3 ships.
"""

from dataclasses import replace

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing import attributes as attribute
from kit.balancing.algorithms import Flow, flow_hash
from kit.balancing.kinds import KINDS
from kit.balancing.nlb import CARRIES, NetworkLoadBalancer
from kit.balancing.targets import TargetGroup
from kit.errors import ServiceError

SHAPES = Loader().load_service_model("elbv2", "service-2")["shapes"]
FEW = settings(derandomize=True, deadline=None, max_examples=60)
TWO_ZONES = ("a", "a", "b", "b")


def balancer(zones=TWO_ZONES, cross_zone=False, listeners=(("TCP", 443), ("UDP", 53)), **settings):
    """One healthy target for each of ``zones``: i-0, i-1, ... on port 8443."""
    group = TargetGroup(port=8443, zones=sorted({*zones}), cross_zone=cross_zone)
    group.register_targets([{"Id": f"i-{number}", "AvailabilityZone": zone} for number, zone in enumerate(zones)], 0)
    for number in range(len(zones)):
        group.health_check(f"i-{number}", 200, 0)
    made = NetworkLoadBalancer(group, **settings)
    for protocol, port in listeners:
        made.create_listener(protocol, port)
    return made


def tcp(made, zone="a", port=1000, number=1, to=443):
    return Flow("TCP", "198.51.100.7", port, made.addresses[zone], to, number)


def udp(made, zone="a", port=1000, to=53):
    return Flow("UDP", "198.51.100.7", port, made.addresses[zone], to)


def fail(made, *names, now=1):
    for name in names:
        made.group.health_check(name, None, now), made.group.health_check(name, None, now)


# The flow hash: "How Elastic Load Balancing works" (routing algorithm), "What is a Network Load Balancer?"


@FEW
@given(port=st.integers(1024, 65535), number=st.integers(0, 2**32 - 1))
def test_the_target_is_the_hash_of_protocol_addresses_ports_and_sequence_number(port, number):
    """Oracle: the hash itself, over the targets of the node's own zone; two balancers agree."""
    made, twin = balancer(), balancer()
    flow = tcp(made, "b", port, number)
    expected = flow_hash(made.group.in_service(0, "b"), flow)
    assert made.packet(flow, 0).target == twin.packet(flow, 5).target == expected


@pytest.mark.parametrize("part, value", [("source_ip", "198.51.100.8"), ("source_port", 1001), ("sequence_number", 2),
                                         ("destination_port", 8443)])
def test_each_part_of_a_tcp_flow_can_change_its_target(part, value):
    """Many flows, one part changed: some of them go elsewhere, so that the part does count."""
    made = balancer(listeners=[("TCP", 443), ("TCP", 8443)])
    flows = [tcp(made, port=port) for port in range(2000, 2040)]
    fit = made.group.in_service(0, "a")
    assert any(flow_hash(fit, flow) != flow_hash(fit, replace(flow, **{part: value})) for flow in flows)


def test_one_connection_stays_with_one_target_and_another_may_go_elsewhere():
    """"Each individual TCP connection is routed to a single target for the life of the connection"."""
    made = balancer()
    homes = set()
    for number in range(30):
        flow = tcp(made, port=2000 + number, number=number)
        home = made.packet(flow, 0).target
        assert {made.packet(flow, now, new=False).target for now in range(1, 5)} == {home}
        homes.add(home.id)
    assert homes == {"i-0", "i-1"} and made.hashed == 30


def test_a_port_used_again_is_another_connection():
    """Given the same addresses and ports, when the SYN has another sequence number, then it is hashed anew."""
    made = balancer()
    for number in range(20):
        flow = tcp(made, number=number)
        assert made.packet(flow, number).target == flow_hash(made.group.in_service(0, "a"), flow)
    assert made.hashed == 20 and len(made.flows) == 1


def test_a_repeated_syn_is_the_same_connection():
    made = balancer()
    assert made.packet(tcp(made), 0).target == made.packet(tcp(made), 1).target and made.hashed == 1


def test_a_new_target_takes_no_flow_away():
    """Given flows, when a target joins, then each flow keeps its own, and new ones reach the newcomer too."""
    made = balancer(("a", "a"))
    flows = [tcp(made, port=port) for port in range(1000, 1040)]
    before = [made.packet(flow, 0).target for flow in flows]
    made.group.register_targets([{"Id": "new", "AvailabilityZone": "a"}], 1)
    made.group.health_check("new", 200, 1)
    assert [made.packet(flow, 2, new=False).target for flow in flows] == before
    assert "new" in {made.packet(tcp(made, port=port), 3).target.id for port in range(2000, 2040)}


# Idle timeout: "Network Load Balancers", connection idle timeout


@pytest.mark.parametrize("timeout", [60, 350, 6000])
def test_a_tcp_flow_lives_while_it_is_not_idle_for_longer_than_the_timeout(timeout):
    """tcp.idle_timeout.seconds, 60 to 6000, 350 by default; a later packet gets a TCP reset."""
    made = balancer(idle_timeout=timeout)
    made.packet(tcp(made), 0)
    assert made.packet(tcp(made), timeout, new=False).target  # and this begins the time anew
    assert made.packet(tcp(made), 2 * timeout, new=False).target
    late = made.packet(tcp(made), 3 * timeout + 0.001, new=False)
    assert late.target is None and "TCP reset" in late.because
    assert balancer().idle_timeout == 350


@pytest.mark.parametrize("timeout", [59, 6001])
def test_an_idle_timeout_out_of_range_is_refused(timeout):
    with pytest.raises(ServiceError, match="from 60 to 6000"):
        balancer(idle_timeout=timeout)


def test_a_udp_flow_ends_after_120_seconds_whatever_the_tcp_setting():
    """For UDP the idle timeout is 120 seconds and can't be changed; the next packet begins a flow."""
    made = balancer(idle_timeout=6000)
    for now, hashed in ((0, 1), (120, 1), (240, 1), (360.001, 2)):
        assert made.packet(udp(made), now, new=False).target and made.hashed == hashed


# Listeners and addresses


def test_listener_protocols_are_those_of_the_api():
    """CreateListener: all of elbv2's protocols but HTTP, HTTPS (Application) and GENEVE (Gateway)."""
    assert {*CARRIES} == {*SHAPES["ProtocolEnum"]["enum"]} - {"HTTP", "HTTPS", "GENEVE"} == {*KINDS["network"].protocols}


@pytest.mark.parametrize("listener, takes", [
    ("TCP", {"TCP"}), ("TLS", {"TCP"}), ("UDP", {"UDP"}), ("TCP_UDP", {"TCP", "UDP"}), ("QUIC", {"UDP"}),
    ("TCP_QUIC", {"TCP", "UDP"})])
def test_a_listener_takes_packets_of_its_protocol_only(listener, takes):
    made = balancer(listeners=[(listener, 443)])
    for packet in (tcp(made), udp(made, to=443)):
        delivery = made.packet(packet, 0)
        assert (delivery.target is not None) == (packet.protocol in takes)
        assert delivery.target or "dropped" in delivery.because


def test_one_static_address_a_zone():
    """"What is a Network Load Balancer?": a static IP address for each enabled zone."""
    made = balancer(("a", "b", "c"))
    assert len({*made.addresses.values()}) == 3 and list(made.addresses) == ["a", "b", "c"]


# Zones: "Cross-zone load balancing for target groups"


@pytest.mark.parametrize("cross_zone, reach", [(False, {"i-2", "i-3"}), (True, {"i-0", "i-1", "i-2", "i-3"})])
def test_a_node_reaches_its_own_zone_or_with_cross_zone_all(cross_zone, reach):
    """Off by default for a Network Load Balancer."""
    made = balancer(cross_zone=cross_zone)
    assert {made.packet(tcp(made, "b", port), 0).target.id for port in range(1000, 1100)} == reach


def test_the_guides_shares_hold_for_flows_too():
    """"How Elastic Load Balancing works": 2 and 8 targets; off 25 % and 6.25 %, on 10 % each (four standard errors)."""
    for cross_zone, small, large in ((False, 0.25, 0.0625), (True, 0.1, 0.1)):
        made = balancer(("a",) * 2 + ("b",) * 8, cross_zone)
        flows = 4000
        given_to = [made.packet(tcp(made, "ab"[number % 2], port=1024 + number), 0).target.id for number in range(flows)]
        for name, part in (("i-0", small), ("i-9", large)):
            assert abs(given_to.count(name) / flows - part) < 4 * (part * (1 - part) / flows) ** 0.5


# Health and deregistration: "Health checks for Network Load Balancer target groups", "Deregistration delay"


def test_connections_to_an_unhealthy_target_are_reset_once_and_new_ones_go_elsewhere():
    made = balancer()
    home = made.packet(tcp(made), 0).target
    fail(made, home.id)
    reset = made.packet(tcp(made), 2, new=False)
    assert reset.target is None and reset.because == f"{home.id} is unhealthy: TCP reset"
    assert "no such connection" in made.packet(tcp(made), 3, new=False).because
    assert made.packet(tcp(made, number=9), 4).target.id not in (home.id, "i-2", "i-3")


def test_when_the_zone_fails_open_connections_live_on():
    """No reset when the unhealthy target makes the balancer fail open."""
    made = balancer()
    home = made.packet(tcp(made), 0).target
    fail(made, "i-0", "i-1")
    assert made.packet(tcp(made), 2, new=False).target == home


def test_a_udp_flow_of_an_unhealthy_target_moves_on():
    """UDP knows no reset: the next packet gets a healthy target, whether it seems to begin a flow or not."""
    for new in (True, False):
        made = balancer()
        home = made.packet(udp(made), 0).target
        fail(made, home.id)
        moved = made.packet(udp(made), 2, new=new)
        assert moved.target and moved.target != home and made.hashed == 2


@pytest.mark.parametrize("protocol, port, lives_on", [("TCP", 443, True), ("UDP", 53, False)])
def test_a_draining_target_keeps_its_flows_and_after_the_delay_tcp_goes_on(protocol, port, lives_on):
    """deregistration_delay.connection_termination.enabled: false for TCP, true for new UDP groups."""
    made = balancer()
    made.group.modify_target_group_attributes([{"Key": attribute.DELAY, "Value": "100"}])
    flow = tcp(made) if protocol == "TCP" else udp(made)
    home = made.packet(flow, 0).target
    made.group.deregister_targets([{"Id": home.id}], 1)
    assert made.packet(flow, 100, new=False).target == home  # draining
    assert (made.packet(flow, 102, new=False).target == home) == lives_on
    others = {made.packet(replace(flow, source_port=1), 102).target.id for _ in range(3)}
    assert home.id not in others


def test_a_node_without_targets_resets():
    made = balancer(("a", "b"))
    made.group.deregister_targets([{"Id": "i-1"}], 0)
    assert "no target for the node in zone b" in made.packet(tcp(made, "b"), 1).because
    assert made.flows == {}


# What the target sees: "Client IP preservation", TargetGroupAttribute preserve_client_ip.enabled


@pytest.mark.parametrize("listener, target_type, setting, kept", [
    ("TCP", "instance", None, True), ("TLS", "instance", None, True), ("TCP", "ip", None, False),
    ("TLS", "ip", None, False), ("UDP", "ip", None, True), ("TCP_UDP", "ip", None, True), ("TCP", "ip", True, True),
    ("TCP", "instance", False, False), ("UDP", "instance", False, True), ("TCP_UDP", "instance", False, True)])
def test_whether_a_target_sees_the_client(listener, target_type, setting, kept):
    """Off by default only for IP targets with TCP and TLS; for UDP and TCP_UDP it can't be switched off."""
    made = balancer(listeners=[(listener, 443)], target_type=target_type, preserve_client_ip=setting)
    flow = udp(made, "b", to=443) if listener == "UDP" else tcp(made, "b")
    assert made.packet(flow, 0).source_ip == ("198.51.100.7" if kept else "10.0.1.4")


def test_the_port_changes_on_the_way():
    """443 outside, 8443 inside: the target group's port."""
    delivery = balancer().packet(tcp(balancer()), 0)
    assert delivery.target.port == 8443 and delivery.because.endswith("from port 443 to port 8443")
