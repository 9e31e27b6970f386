"""The four balancers side by side: "What is Elastic Load Balancing?", the feature page's comparison, and the API's enums."""

from itertools import product

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.algorithms import Flow
from kit.balancing.conditions import CONFIGS
from kit.balancing.kinds import GENEVE_PORT, KINDS, choose, gateway_target

SHAPES = Loader().load_service_model("elbv2", "service-2")["shapes"]
FEW = settings(derandomize=True, deadline=None, max_examples=80)
ADDRESSES = st.sampled_from(["10.0.0.1", "10.0.0.2", "192.0.2.9", "198.51.100.7"])
PORTS = st.integers(1, 65535)


def test_elbv2_makes_three_types_and_classic_has_an_api_of_its_own():
    """LoadBalancerTypeEnum; Classic is made by the API of 2012, and is the previous generation."""
    assert {name for name, kind in KINDS.items() if kind.api == "elbv2"} == {*SHAPES["LoadBalancerTypeEnum"]["enum"]}
    assert KINDS["classic"].api == "elb"
    assert [name for name, kind in KINDS.items() if kind.status == "previous generation"] == ["classic"]


def test_every_protocol_of_elbv2_belongs_to_one_balancer():
    """ProtocolEnum, parted among the three."""
    protocols = [protocol for kind in KINDS.values() if kind.api == "elbv2" for protocol in kind.protocols]
    assert sorted(protocols) == sorted(SHAPES["ProtocolEnum"]["enum"])


def test_every_target_type_of_elbv2_is_somebodys():
    """TargetTypeEnum: lambda behind an Application, alb behind a Network Load Balancer only."""
    types = {name: {*kind.targets} for name, kind in KINDS.items() if kind.api == "elbv2"}
    assert set.union(*types.values()) == {*SHAPES["TargetTypeEnum"]["enum"]}
    for target, owner in (("lambda", "application"), ("alb", "network")):
        assert [name for name, held in types.items() if target in held] == [owner]


def test_rules_on_content_are_an_application_load_balancers():
    assert {*KINDS["application"].rules} == {*CONFIGS} and KINDS["classic"].rules == KINDS["gateway"].rules == ()


def test_defaults_of_cross_zone_and_static_addresses():
    """LoadBalancerAttribute: cross-zone true for Application, false for Network and Gateway."""
    assert [KINDS[name].cross_zone for name in ("application", "network", "gateway")] == ["on", "off", "off"]
    assert [name for name, kind in KINDS.items() if kind.static_ip] == ["network"]


@pytest.mark.parametrize("protocol", [protocol for kind in ("application", "network")
                                      for protocol in KINDS[kind].protocols])
def test_each_protocol_leads_to_the_balancer_that_listens_for_it(protocol):
    """Except that a fixed address leads to a Network Load Balancer even for the web."""
    owner = next(name for name, kind in KINDS.items() if protocol in kind.protocols)
    assert choose(protocol).type == owner and choose(protocol, static_ip=True).type == "network"


@pytest.mark.parametrize("protocol, rules, static, function", list(product(
    ["HTTP", "HTTPS", "WebSocket", "HTTP/2", "gRPC", "TCP", "TLS", "UDP"], *[(False, True)] * 3)))
def test_a_choice_can_do_what_was_asked_for(protocol, rules, static, function):
    """Whatever is asked: the balancer has it, or has it in front of an Application Load Balancer, or it is refused."""
    asked = dict(protocol=protocol, content_rules=rules, static_ip=static, lambda_target=function)
    web = protocol in KINDS["application"].protocols + KINDS["application"].also
    if not web and (rules or function):
        with pytest.raises(ValueError, match="need HTTP"):
            choose(**asked)
        return
    choice = choose(**asked)
    kind = KINDS[choice.type]
    assert kind.static_ip or not static
    if rules or function:
        assert choice.type == "application" or "alb" in kind.targets and "Application Load Balancer" in choice.because
    assert choose(**asked, appliance=True).type == "gateway"


def test_geneve_is_not_for_clients():
    """Only appliances speak GENEVE; the supported port is 6081 (TargetDescription)."""
    assert f"supported port is {GENEVE_PORT}" in SHAPES["TargetDescription"]["members"]["Port"]["documentation"]
    with pytest.raises(ValueError, match="no load balancer"):
        choose("GENEVE")


def swapped(flow):
    return Flow(flow.protocol, flow.destination_ip, flow.destination_port, flow.source_ip, flow.source_port)


@FEW
@given(st.builds(Flow, st.sampled_from(["TCP", "UDP", "ICMP"]), ADDRESSES, PORTS, ADDRESSES, PORTS),
       st.sampled_from([None, "source_ip_dest_ip_proto", "source_ip_dest_ip"]))
def test_both_directions_of_a_flow_meet_the_same_appliance(flow, stickiness):
    """"What is a Gateway Load Balancer?": stickiness of flows, whatever the tuple."""
    appliances = ["fw-1", "fw-2", "fw-3", "fw-4"]
    assert gateway_target(appliances, flow, stickiness) == gateway_target(appliances, swapped(flow), stickiness)


@FEW
@given(st.builds(Flow, st.sampled_from(["TCP", "UDP"]), ADDRESSES, PORTS, ADDRESSES, PORTS), PORTS, PORTS)
def test_with_fewer_parts_of_the_tuple_more_flows_go_together(flow, one, other):
    """"Edit target group attributes for your Gateway Load Balancer": 3-tuple without ports, 2-tuple without protocol."""
    appliances, ported = range(16), Flow(flow.protocol, flow.source_ip, one, flow.destination_ip, other)
    also = Flow("ICMP", flow.source_ip, one, flow.destination_ip, other)
    three, two = "source_ip_dest_ip_proto", "source_ip_dest_ip"
    if flow.source_ip != flow.destination_ip:
        assert gateway_target(appliances, flow, three) == gateway_target(appliances, ported, three)
        assert gateway_target(appliances, flow, two) == gateway_target(appliances, also, two)


def test_by_default_ports_count_for_tcp_and_udp_and_not_for_other_protocols():
    """5-tuple for TCP and UDP, 3-tuple for all others."""
    for protocol, several in (("TCP", True), ("UDP", True), ("ICMP", False)):
        met = {gateway_target(range(8), Flow(protocol, source_port=port)) for port in range(100)}
        assert (len(met) == 8) == several and (len(met) == 1) == (not several)
