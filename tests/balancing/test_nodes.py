"""The balancer's name in DNS: "How Elastic Load Balancing works" (nodes, request routing, scheme)."""

from ipaddress import ip_address, ip_network

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.nodes import TTL, DnsName
from kit.errors import ServiceError

SHAPES = Loader().load_service_model("elbv2", "service-2")["shapes"]
FEW = settings(derandomize=True, deadline=None, max_examples=60)


def zones_of(name, now=0.0, age=0.0):
    return set(name.resolve(now, age)["addresses"].values())


@pytest.mark.parametrize("zones", [("a",), ("a", "b"), ("a", "b", "c")])
def test_each_enabled_zone_has_a_node_and_the_ttl_is_a_minute(zones):
    """"The TTL is 60 seconds"; one node in each enabled Availability Zone."""
    answer = DnsName(zones).resolve(0)
    assert answer["ttl"] == TTL == 60 and sorted(answer["addresses"].values()) == list(zones)


@pytest.mark.parametrize("scheme", SHAPES["LoadBalancerSchemeEnum"]["enum"])
def test_internal_names_give_private_addresses(scheme):
    """Load balancer scheme: public addresses for internet-facing, private ones for internal."""
    private = [ip_address(address) in ip_network("10.0.0.0/8")
               for address in DnsName(("a", "b"), scheme).resolve(0)["addresses"]]
    assert private == [scheme == "internal"] * 2


def test_another_scheme_is_refused():
    with pytest.raises(ServiceError, match="internet-facing or internal"):
        DnsName(("a",), "external")


@FEW
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_an_application_balancer_never_gives_an_old_address_again(sizes):
    """It scales: so many nodes in each zone, all new; whoever kept an address reaches nobody."""
    name = DnsName(("a", "b"))
    seen = set(name.resolve(0)["addresses"])
    for nodes in sizes:
        name.scale(nodes)
        addresses = name.resolve(0)["addresses"]
        assert len(addresses) == 2 * nodes and not seen & set(addresses)
        assert list(addresses.values()).count("b") == nodes
        seen |= set(addresses)


def test_a_network_balancers_addresses_are_static():
    """"What is a Network Load Balancer?": one static address a zone."""
    name = DnsName(("a", "b"), type="network")
    before = name.resolve(0)
    name.scale(5)
    assert name.resolve(1e6) == before


@pytest.mark.parametrize("type", ["application", "network"])
def test_a_zone_has_at_least_one_node(type):
    with pytest.raises(ValueError, match="at least one node"):
        DnsName(("a",), type=type).scale(0)


def test_a_client_may_hold_the_old_answer_for_the_ttl_and_no_longer():
    """Given a zone that leaves the answer at 100 s, when a client asked before, it may use the zone until 160 s."""
    name = DnsName(("a", "b"))
    assert name.give(("a",), 100)
    assert zones_of(name, 100) == {"a"} and zones_of(name, 159, age=60) == {"a", "b"}
    assert zones_of(name, 160, age=60) == {"a"}
    assert [name.settled(now) for now in (100, 159.9, 160)] == [False, False, True]


def test_the_same_answer_again_is_no_change():
    name = DnsName(("a", "b"))
    assert name.settled(0) and not name.give(("a", "b"), 50) and name.settled(50)


@FEW
@given(st.lists(st.sampled_from([("a",), ("b",), ("a", "b")]), max_size=10), st.floats(0, 500), st.floats(0, 60))
def test_an_answer_is_the_one_that_was_given_when_the_client_asked(answers, now, age):
    """Oracle: the last change at or before the moment of asking. A change comes every 50 s."""
    name, given_out = DnsName(("a", "b")), [(float("-inf"), ("a", "b"))]
    for number, zones in enumerate(answers):
        name.give(zones, 50 * number)
        given_out.append((50 * number, zones))
    assert name.zones_given(now, age) == [zones for since, zones in given_out if since <= now - age][-1]
