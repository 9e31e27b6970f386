"""A Classic Load Balancer and what sets it apart: API reference 2012-06-01; Classic Load Balancer guide, pages named.

Ranges are looked up in the service model that boto3 ships.
"""

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.classic import ClassicLoadBalancer
from kit.errors import ServiceError

SHAPES = Loader().load_service_model("elb", "service-2")["shapes"]
HTTP = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
TCP = {"Protocol": "TCP", "LoadBalancerPort": 5432, "InstancePort": 15432}
CHECK = {"Target": "HTTP:80/ping", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 2}
RANGES = {"Interval": "HealthCheckInterval", "Timeout": "HealthCheckTimeout", "HealthyThreshold": "HealthyThreshold",
          "UnhealthyThreshold": "UnhealthyThreshold"}
FEW = settings(derandomize=True, deadline=None, max_examples=60)


def balancer(*instances, **settings):
    """These instances in service, two checks each way, nothing in flight."""
    made = ClassicLoadBalancer([HTTP, TCP], **settings)
    made.configure_health_check(CHECK)
    made.register_instances_with_load_balancer(list(instances), now=0)
    for name in instances:
        report(made, name, True, True)
    return made


def report(made, name, *answers, now=0):
    for passed in answers:
        made.report_health_check(name, passed, now)


def states(made, now=0):
    return {one["InstanceId"]: (one["State"], one["ReasonCode"], one["Description"])
            for one in made.describe_instance_health(now)}


def refused(code, call, *arguments, **more):
    with pytest.raises(ServiceError) as error:
        call(*arguments, **more)
    assert error.value.code == code, error.value
    return error.value.message


# Listeners: "Listeners for your Classic Load Balancer"


@pytest.mark.parametrize("front, back, goes", [
    ("HTTP", "HTTP", True), ("HTTPS", "HTTP", True), ("HTTP", "HTTPS", True), ("SSL", "TCP", True), ("TCP", "SSL", True),
    ("HTTP", "TCP", False), ("SSL", "HTTPS", False), ("TCP", "HTTP", False), ("HTTPS", "SSL", False)])
def test_both_sides_of_a_listener_are_of_one_layer(front, back, goes):
    """Listener: TCP and SSL in front need TCP or SSL behind; HTTP and HTTPS need HTTP or HTTPS."""
    listener = {**HTTP, "Protocol": front, "InstanceProtocol": back}
    if goes:
        assert ClassicLoadBalancer([listener]).listeners[80]["InstanceProtocol"] == back
    else:
        refused("InvalidConfigurationRequest", ClassicLoadBalancer, [listener])


def test_a_port_has_one_listener_and_the_same_again_is_no_error():
    """CreateLoadBalancerListeners: a listener with the same properties succeeds, with others it is a duplicate."""
    made = balancer()
    made.create_load_balancer_listeners([dict(HTTP)])
    refused("DuplicateListener", made.create_load_balancer_listeners, [{**HTTP, "InstancePort": 9090}])
    assert made.listeners[80] == HTTP


def test_a_request_arrives_at_the_instance_port_of_its_listener():
    made = balancer("i-1")
    assert [made.request(port, 1).port for port in (80, 5432)] == [8080, 15432]
    assert made.request(443, 1).because == "connection refused: no listener on port 443"


# Health: "Health checks for the instances for your Classic Load Balancer"


def test_the_default_check_is_the_guides():
    """Every 30 s, 5 s to answer; 2 failures to fall, 10 successes to rise (an Application Load Balancer: 1, then 5)."""
    made = ClassicLoadBalancer([HTTP])
    assert made.health_check == {"Target": "TCP:80", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2,
                                 "HealthyThreshold": 10}
    made.register_instances_with_load_balancer(["i-1"], 0)
    report(made, "i-1", *[True] * 9)
    assert states(made)["i-1"][0] == "OutOfService"
    report(made, "i-1", True)
    assert states(made)["i-1"] == ("InService", "N/A", "N/A")


@pytest.mark.parametrize("name", RANGES)
def test_the_ranges_of_a_check_are_the_apis(name):
    """HealthCheck: interval 5-300 s, timeout 2-60 s, thresholds 2-10; beyond, the old check stays."""
    low, high = SHAPES[RANGES[name]]["min"], SHAPES[RANGES[name]]["max"]
    room = {**CHECK, **({"Timeout": 2} if name == "Interval" else {"Interval": 300})}
    made = balancer()
    for value in (low, high):
        made.configure_health_check({**room, name: value})
        assert made.health_check[name] == value
    for value in (low - 1, high + 1):
        assert f"{name} is from {low} to {high}" in refused("ValidationError", made.configure_health_check,
                                                           {**room, name: value})
    assert made.health_check == {**room, name: high}


def test_a_check_needs_all_its_parts():
    """boto3 requires the five members of HealthCheck."""
    partial = {key: value for key, value in CHECK.items() if key != "HealthyThreshold"}
    assert "HealthyThreshold" in refused("ValidationError", balancer().configure_health_check, partial)
    assert set(SHAPES["HealthCheck"]["required"]) == set(CHECK)


def test_the_timeout_is_less_than_the_interval():
    """HealthCheck, Timeout."""
    refused("ValidationError", balancer().configure_health_check, {**CHECK, "Interval": 10, "Timeout": 10})


@pytest.mark.parametrize("answers, state, reason, words", [
    ([], "OutOfService", "ELB", "registration is still in progress"),
    ([True], "OutOfService", "Instance", "has not passed the configured HealthyThreshold"),
    ([False], "OutOfService", "Instance", "has not passed the configured HealthyThreshold"),
    ([True, True], "InService", "N/A", "N/A"), ([True, True, False], "InService", "N/A", "N/A"),
    ([True, True, False, False], "OutOfService", "Instance", "has failed at least the UnhealthyThreshold"),
    ([True, True, False, False, True], "OutOfService", "Instance", "has not passed the configured HealthyThreshold"),
    ([True, True, False, False, True, True], "InService", "N/A", "N/A")])
def test_the_state_says_whose_fault_it_is(answers, state, reason, words):
    """InstanceState: ELB while the balancer is at work, Instance once its checks speak, N/A in service."""
    made = ClassicLoadBalancer([HTTP])
    made.configure_health_check(CHECK)
    made.register_instances_with_load_balancer(["i-1"], 0)
    report(made, "i-1", *answers)
    told = states(made)["i-1"]
    assert told[:2] == (state, reason) and words in told[2]
    assert told[2].rstrip(".") in SHAPES["InstanceState"]["members"]["Description"]["documentation"]


def test_checks_of_strangers_are_refused():
    assert "i-9" in refused("InvalidInstance", balancer("i-1").report_health_check, "i-9", True, 0)


# Routing: "How Elastic Load Balancing works", routing algorithm


def test_it_never_fails_open():
    """Unlike a target group: with no instance in service HTTP gets 503, and TCP knows no status codes."""
    made = balancer("i-1", "i-2")
    for name in ("i-1", "i-2"):
        report(made, name, False, False)
    assert made.request(80, 1).because == "503: no instance in service"
    tcp = made.request(5432, 1)
    assert tcp.instance is None and "503" not in tcp.because and "no instance in service" in tcp.because


def test_http_goes_where_least_is_outstanding_and_tcp_to_the_next():
    """Given one busy instance, when requests come: HTTP avoids it, TCP does not look."""
    made = balancer("i-1", "i-2", "i-3")
    for _ in range(3):
        made.request(80, 1)
    for _ in range(5):  # i-1 stays busy, the others are done
        made.done("i-2", 1), made.done("i-3", 1)
        assert {made.request(80, 1).instance, made.request(80, 1).instance} == {"i-2", "i-3"}
    assert sorted(made.request(5432, 1).instance for _ in range(3)) == ["i-1", "i-2", "i-3"]


# Draining: "Configure connection draining for your Classic Load Balancer"


@pytest.mark.parametrize("seconds", [0, 3601])
def test_draining_lasts_from_a_second_to_an_hour(seconds):
    refused("ValidationError", ClassicLoadBalancer, [HTTP], connection_draining=seconds)


def test_an_idle_instance_leaves_at_once_a_busy_one_when_it_is_done():
    """While requests are served: InService, deregistration in progress."""
    made = balancer("i-1", "i-2")
    busy = made.request(80, 0).instance
    made.deregister_instances_from_load_balancer(["i-1", "i-2"], now=1)
    assert states(made, 2) == {busy: ("InService", "N/A", "Instance deregistration currently in progress.")}
    assert made.request(80, 2).instance is None
    made.done(busy, 3)
    assert states(made, 3) == {} and made.instances_cut == []


@pytest.mark.parametrize("draining, end", [(1, 11), (300, 310), (3600, 3610), (None, 10)])
def test_what_is_not_done_in_time_is_cut_and_without_draining_at_once(draining, end):
    made = balancer("i-1", connection_draining=draining)
    made.request(80, 0)
    made.deregister_instances_from_load_balancer(["i-1"], now=10)
    if draining:
        assert "i-1" in states(made, end - 0.001) and made.instances_cut == []
    assert states(made, end) == {} and made.instances_cut == ["i-1"]


def test_an_instance_that_comes_back_while_draining_still_has_its_requests():
    """Given two requests in flight, when it is deregistered, registered again and answers them: nothing is negative,
    and the balancer does not take it for the idlest."""
    made = balancer("i-1")
    made.request(80, 0), made.request(80, 0)
    made.deregister_instances_from_load_balancer(["i-1"], now=1)
    made.register_instances_with_load_balancer(["i-1", "i-2"], now=2)
    assert states(made, 2)["i-1"][0] == "OutOfService"  # it must pass its checks again
    for name in ("i-1", "i-2"):
        report(made, name, True, True, now=3)
    assert made.instances["i-1"].outstanding == 2
    assert [made.request(80, 4).instance for _ in range(2)] == ["i-2", "i-2"]


def test_an_answer_to_nothing_is_misuse():
    made = balancer("i-1")
    with pytest.raises(ValueError, match="no request in flight"):
        made.done("i-1", 1)
    made.done("gone long ago", 1)  # an instance that was cut off may still answer


STEPS = st.lists(st.tuples(st.sampled_from(["request", "request", "done", "register", "deregister", "fail", "pass"]),
                           st.integers(0, 2)), max_size=60)


@FEW
@given(STEPS)
def test_requests_in_flight_are_those_that_came_less_those_done_or_cut(steps):
    """Conservation, counted beside the balancer; and only who is in service gets a request."""
    made, flying = balancer("i-0", "i-1", "i-2", connection_draining=5), {}
    for now, (what, number) in enumerate(steps):
        name = f"i-{number}"
        there = states(made, now)
        flying = {one: count for one, count in flying.items() if one in there}  # drained or cut
        if what == "request":
            chosen = made.request(80, now).instance
            able = {one for one, told in there.items() if told == ("InService", "N/A", "N/A")}
            assert chosen in able if able else chosen is None
            if chosen:
                flying[chosen] = flying.get(chosen, 0) + 1
        elif what == "done" and flying.get(name):
            made.done(name, now)
            flying[name] -= 1
        elif what == "register":
            made.register_instances_with_load_balancer([name], now)
        elif what == "deregister" and name in there:
            made.deregister_instances_from_load_balancer([name], now)
        elif what in ("fail", "pass") and name in there:
            report(made, name, what == "pass", now=now)
        left = states(made, now)
        assert {one: held.outstanding for one, held in made.instances.items() if held.outstanding} == {
            one: count for one, count in flying.items() if count and one in left}
