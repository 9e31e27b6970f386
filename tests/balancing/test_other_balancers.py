"""Classic and Network Load Balancer, their nodes in DNS, and which balancer for what; the guides' pages named."""

import pytest

from kit.balancing.algorithms import Flow
from kit.balancing.classic import ClassicLoadBalancer
from kit.balancing.kinds import KINDS, choose, gateway_target
from kit.balancing.nlb import NetworkLoadBalancer
from kit.balancing.nodes import DnsName
from kit.balancing.targets import TargetGroup
from kit.errors import ServiceError

HTTP = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
TCP = {"Protocol": "TCP", "LoadBalancerPort": 25, "InstancePort": 25}


@pytest.fixture
def classic():
    made = ClassicLoadBalancer([HTTP, TCP], connection_draining=60)
    made.configure_health_check({"Target": "HTTP:80/ping", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 3})
    made.register_instances_with_load_balancer(["i-1", "i-2"], now=0)
    for name in ("i-1", "i-2"):
        for _ in range(3):
            made.report_health_check(name, True, now=1)
    return made


def test_a_classic_instance_is_in_service_after_its_threshold_and_out_again(classic):
    """"Health checks for the instances for your Classic Load Balancer"."""
    fresh = ClassicLoadBalancer([HTTP])
    fresh.register_instances_with_load_balancer(["i-1"], now=0)
    seen = []
    for passed in [True] * 10 + [False, True, False, False]:
        fresh.report_health_check("i-1", passed, now=1)
        seen.append(fresh.describe_instance_health(1)[0]["State"] == "InService")
    assert seen == [False] * 9 + [True] * 4 + [False]
    assert fresh.request(80, 2).because == "503: no instance in service"


def test_classic_takes_turns_on_tcp_and_the_least_busy_on_http(classic):
    """"How Elastic Load Balancing works", routing algorithm."""
    assert [classic.request(25, 2).instance for _ in range(4)] == ["i-1", "i-2", "i-1", "i-2"]
    for _ in range(2):
        classic.done("i-2", 3)
    assert {classic.request(80, 4).instance for _ in range(2)} == {"i-2"}
    assert classic.request(80, 5).algorithm == "least outstanding requests"
    assert "no listener" in classic.request(443, 5).because


def test_classic_drains_and_cuts_what_is_left(classic):
    """"Configure connection draining"."""
    classic.request(25, 2)
    classic.deregister_instances_from_load_balancer(["i-1", "i-2"], now=10)
    assert [one["InstanceId"] for one in classic.describe_instance_health(69)] == ["i-1"]
    assert classic.describe_instance_health(70) == [] and classic.instances_cut == ["i-1"]


@pytest.mark.parametrize("listener, code", [
    ({"Protocol": "UDP", "LoadBalancerPort": 1, "InstancePort": 1}, "UnsupportedProtocol"),
    ({"Protocol": "HTTP", "InstanceProtocol": "TCP", "LoadBalancerPort": 1, "InstancePort": 1}, "InvalidConfigurationRequest"),
    ({**HTTP, "InstancePort": 9}, "DuplicateListener")])
def test_what_classic_refuses(classic, listener, code):
    with pytest.raises(ServiceError, match=code):
        classic.create_load_balancer_listeners([listener])
    with pytest.raises(ServiceError, match="InvalidInstance"):
        classic.deregister_instances_from_load_balancer(["i-9"], now=0)
    with pytest.raises(ServiceError, match="shorter"):
        classic.configure_health_check({"Target": "TCP:80", "Interval": 5, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 2})


@pytest.fixture
def network():
    group = TargetGroup(port=8443, zones=("a", "b"), cross_zone=False)
    group.register_targets([{"Id": f"i-{n}", "AvailabilityZone": "ab"[n % 2]} for n in range(4)], now=0)
    for n in range(4):
        group.health_check(f"i-{n}", 200, now=0)
    made = NetworkLoadBalancer(group)
    made.create_listener("TCP", 443)
    made.create_listener("UDP", 53)
    return made


def flow(network, zone="a", port=1000, protocol="TCP", to=443, number=1):
    return Flow(protocol=protocol, source_ip="198.51.100.7", source_port=port, destination_ip=network.addresses[zone], destination_port=to,
                sequence_number=number)


def test_a_flow_keeps_its_target_until_it_is_closed_or_idle(network):
    """"Network Load Balancers": connection idle timeout, 350 s for TCP, 120 s for UDP."""
    first = network.packet(flow(network), 0).target
    assert network.packet(flow(network), 350, new=False).target == first and network.hashed == 1
    assert "TCP reset" in network.packet(flow(network), 701, new=False).because
    assert network.packet(flow(network, protocol="UDP", to=53), 0).target and network.hashed == 2
    network.packet(flow(network, protocol="UDP", to=53), 121)
    assert network.hashed == 3
    network.packet(flow(network, port=7), 0)
    network.close(flow(network, port=7))
    assert "no such connection" in network.packet(flow(network, port=7), 1, new=False).because


def test_a_node_sends_to_its_own_zone_and_keeps_the_clients_address(network):
    """"Target groups for your Network Load Balancers": client IP preservation, on for instances."""
    for port in range(50):
        delivery = network.packet(flow(network, "b", port), 0)
        assert delivery.target.zone == "b" and delivery.source_ip == "198.51.100.7" and "to port 8443" in delivery.because
    ip_targets = NetworkLoadBalancer(network.group, target_type="ip")
    ip_targets.create_listener("TLS", 443)
    assert ip_targets.packet(flow(ip_targets), 0).source_ip.startswith("10.0.")


def test_all_targets_get_flows_in_about_equal_parts(network):
    counts = [network.packet(flow(network, "a", port), 0).target.id for port in range(2000)]
    assert {name: abs(counts.count(name) / 2000 - 0.5) < 0.05 for name in set(counts)} == {"i-0": True, "i-2": True}


def test_an_unhealthy_target_loses_its_flows(network):
    delivery = network.packet(flow(network), 0)
    for _ in range(2):
        network.group.health_check(delivery.target.id, None, 1)
    assert "unhealthy: TCP reset" in network.packet(flow(network), 2, new=False).because
    assert network.packet(flow(network, number=2), 3).target != delivery.target


def test_what_a_network_balancer_refuses(network):
    assert "dropped" in network.packet(flow(network, to=80), 0).because
    for wrong, code in (lambda: network.create_listener("HTTP", 80), "ValidationError"), (lambda: network.create_listener("TCP", 443), "DuplicateListener"), (
            lambda: NetworkLoadBalancer(network.group, idle_timeout=59), "ValidationError"):
        with pytest.raises(ServiceError, match=code):
            wrong()
    with pytest.raises(ValueError, match="no address of this balancer"):
        network.packet(Flow(destination_ip="203.0.113.99"), 0)


def test_an_application_balancers_addresses_change_and_a_network_balancers_never():
    """"What is a Network Load Balancer?": a static address for each zone."""
    for kind, changes in (("application", True), ("network", False)):
        name = DnsName(("a", "b"), type=kind)
        before = name.resolve(0)["addresses"]
        name.scale(3)
        assert (name.resolve(0)["addresses"] != before) == changes
    assert all(address.startswith("10.0.") for address in DnsName(("a",), scheme="internal").resolve(0)["addresses"])
    with pytest.raises(ServiceError, match="internet-facing or internal"):
        DnsName(("a",), scheme="public")


def test_a_zone_that_leaves_dns_lives_on_in_caches_for_a_minute():
    name = DnsName(("a", "b"))
    assert name.give(("a",), now=100) and not name.give(("a",), now=101)
    assert name.zones_given(100) == ("a",) and name.zones_given(130, age=40) == ("a", "b")
    assert not name.settled(159) and name.settled(160)


@pytest.mark.parametrize("need, type_", [({}, "application"), ({"protocol": "UDP"}, "network"), ({"static_ip": True}, "network"),
                                         ({"content_rules": True}, "application"), ({"appliance": True}, "gateway"),
                                         ({"protocol": "gRPC", "lambda_target": True}, "application"),
                                         ({"static_ip": True, "content_rules": True}, "network")])
def test_which_balancer_for_what(need, type_):
    choice = choose(**need)
    assert choice.type == type_ and choice.because and choice.type in KINDS


def test_impossible_wishes_are_told_in_words():
    with pytest.raises(ValueError, match="need HTTP"):
        choose(protocol="UDP", content_rules=True)
    with pytest.raises(ValueError, match="no load balancer"):
        choose(protocol="carrier pigeon")


def test_a_gateway_balancer_sends_both_directions_to_the_same_appliance():
    """Gateway Load Balancer guide: flow stickiness."""
    for port in range(40):
        there = Flow(protocol="TCP", source_ip="198.51.100.7", source_port=port, destination_ip="10.0.0.9", destination_port=443)
        back = Flow(protocol="TCP", source_ip="10.0.0.9", source_port=443, destination_ip="198.51.100.7", destination_port=port)
        assert gateway_target(("a", "b", "c"), there) == gateway_target(("a", "b", "c"), back)
    assert len({gateway_target(("a", "b", "c"), Flow(source_port=port)) for port in range(100)}) == 3
