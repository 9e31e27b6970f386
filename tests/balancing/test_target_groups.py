"""Targets: registered, checked, drained, chosen. Application Load Balancer guide, the pages named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.balancing.attributes import DELAY, ROUTING_COUNT, SLOW_START, STICKY, changed
from kit.balancing.attributes import DEFAULTS as ATTRIBUTES
from kit.balancing.ecs import Service
from kit.balancing.health import HealthCheck
from kit.balancing.targets import TargetGroup
from kit.errors import ServiceError


def group(*ids, zones=("a", "b"), checked=200, **settings):
    made = TargetGroup(zones=zones, **settings)
    made.register_targets([{"Id": name, "AvailabilityZone": zones[number % len(zones)]} for number, name in enumerate(ids)], now=0)
    for name in ids:
        if checked is not None:
            made.health_check(name, checked, now=1)
    return made


def ids(targets):
    return [target.id for target in targets]


def state(made, name, now=0):
    return made.describe_target_health(now, [{"Id": name}])["TargetHealthDescriptions"][0]["TargetHealth"]


def test_a_new_target_is_healthy_after_one_good_check_whatever_the_threshold():
    """"Health checks for Application Load Balancer target groups"."""
    made = group("i-1", checked=None, check=HealthCheck(healthy_threshold=10))
    assert state(made, "i-1")["Reason"] == "Elb.RegistrationInProgress"
    assert made.health_check("i-1", 200, now=1) == "healthy"


def test_thresholds_count_checks_in_a_row():
    made = group("i-1", check=HealthCheck(healthy_threshold=3, unhealthy_threshold=2))
    seen = [made.health_check("i-1", answer, now=2) for answer in (500, 200, None, "refused", 200, 200, 500, 200, 200, 200)]
    assert [one[0] for one in seen] == list("hhhuuuuuuh")


@pytest.mark.parametrize("answer, reason, words", [
    (503, "Target.ResponseCodeMismatch", "[503]"), (None, "Target.Timeout", "timed out"), ("refused", "Target.FailedHealthChecks", "failed")])
def test_an_unhealthy_target_says_why(answer, reason, words):
    """TargetHealth: reason codes."""
    made = group("i-1")
    for _ in range(2):
        made.health_check("i-1", answer, now=2)
    told = state(made, "i-1")
    assert (told["State"], told["Reason"]) == ("unhealthy", reason) and words in told["Description"]


def test_a_matcher_decides_which_codes_are_good():
    assert HealthCheck(matcher="200,301-303").accepts(302) and not HealthCheck(matcher="200,301-303").accepts(304)


@pytest.mark.parametrize("wrong", [{"interval": 4}, {"interval": 301}, {"timeout": 1}, {"healthy_threshold": 11}, {"unhealthy_threshold": 1},
                                   {"interval": 10, "timeout": 10}])
def test_checks_out_of_range_are_refused(wrong):
    with pytest.raises(ServiceError, match="ValidationError"):
        HealthCheck(**wrong)


def test_a_deregistered_target_drains_for_its_delay_and_is_then_gone():
    """"Edit target group attributes": deregistration delay, 300 s by default."""
    made = group("i-1", "i-2")
    made.deregister_targets([{"Id": "i-1"}], now=10)
    assert state(made, "i-1", 309)["State"] == "draining" and ids(made.in_service(309)) == ["i-2"]
    assert state(made, "i-1", 310) == {"State": "unused", "Reason": "Target.NotRegistered",
                                       "Description": "Target is not registered to the target group"}
    made.deregister_targets([{"Id": "i-2"}, {"Id": "never was"}], now=400)
    made.register_targets([{"Id": "i-2"}], now=401)
    assert state(made, "i-2", 401)["State"] == "initial"


def test_when_too_few_are_healthy_the_group_fails_open():
    """"Target group health": one healthy target is enough by default, with none it routes to all."""
    made = group("i-1", "i-2", "i-3", zones=("a",))
    for name in ("i-1", "i-2"):
        made.health_check(name, 500, 2), made.health_check(name, 500, 3)
    assert ids(made.in_service(3)) == ["i-3"]
    made.health_check("i-3", 500, 4), made.health_check("i-3", 500, 5)
    assert ids(made.in_service(5)) == ["i-1", "i-2", "i-3"]
    made.health_check("i-3", 200, 6)
    made.modify_target_group_attributes([{"Key": "target_group_health.dns_failover.minimum_healthy_targets.count", "Value": "2"},
                                         {"Key": ROUTING_COUNT, "Value": "2"}])
    assert len(made.in_service(6)) == 3 and TargetGroup().in_service(0) == []


def test_without_cross_zone_a_node_knows_its_own_zone_only():
    """"How Elastic Load Balancing works", cross-zone load balancing."""
    made = group("i-1", "i-2", "i-3", cross_zone=False)
    assert ids(made.in_service(2, "a")) == ["i-1", "i-3"] and ids(made.in_service(2, "b")) == ["i-2"]
    for answer in (500, 500):
        made.health_check("i-2", answer, 3)
    assert made.zones_in_dns(3) == ("a",) and ids(made.in_service(3, "b")) == ["i-2"]
    everywhere = group("i-1", "i-2", cross_zone=True)
    assert ids(everywhere.in_service(2, "b")) == ["i-1", "i-2"]


def test_slow_start_rises_in_a_line_and_only_beside_others():
    """"Slow start mode": not for the first targets of a group."""
    made = group("i-1")
    made.modify_target_group_attributes([{"Key": SLOW_START, "Value": "30"}])
    made.register_targets([{"Id": "i-2", "AvailabilityZone": "a"}], now=100)
    made.health_check("i-2", 200, now=110)
    first, second = made.in_service(110)
    assert made.share(first, 110) == 1.0
    assert [made.share(second, now) for now in (110, 125, 140, 999)] == [0.0, 0.5, 1.0, 1.0]


def test_a_sticky_session_stays_while_its_target_serves():
    """"Sticky sessions": duration-based, one day by default."""
    made = group("i-1", "i-2")
    made.modify_target_group_attributes([{"Key": STICKY, "Value": "true"}])
    target, cookie = made.choose(lambda found: found[0], now=5)
    assert cookie.expires == 5 + 86_400
    assert made.choose(lambda found: found[1], 6, cookie=cookie)[0] == target
    assert made.choose(lambda found: found[1], 5 + 86_400, cookie=cookie)[0].id == "i-2"
    made.deregister_targets([{"Id": "i-1"}], now=7)
    assert made.choose(lambda found: found[0], 8, cookie=cookie)[0].id == "i-2"
    assert TargetGroup().choose(lambda found: found[0], 0) == (None, None)


@pytest.mark.parametrize("key, value", [(DELAY, "3601"), (DELAY, 60), (SLOW_START, "29"), (STICKY, "yes"), ("no.such.key", "1")])
def test_attributes_out_of_range_are_refused(key, value):
    with pytest.raises(ServiceError, match="ValidationError"):
        changed(ATTRIBUTES, [{"Key": key, "Value": value}])


def test_attributes_that_exclude_each_other_are_refused():
    """"Edit target group attributes": slow start needs round robin, stickiness needs cross-zone."""
    for changes in ([{"Key": SLOW_START, "Value": "30"}, {"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"}],
                    [{"Key": STICKY, "Value": "true"}, {"Key": "load_balancing.cross_zone.enabled", "Value": "false"}],
                    [{"Key": "load_balancing.algorithm.anomaly_mitigation", "Value": "on"}]):
        with pytest.raises(ServiceError, match="InvalidConfigurationRequest"):
            changed(ATTRIBUTES, changes)
    assert changed(ATTRIBUTES, []) == ATTRIBUTES


def test_a_group_has_a_thousand_targets():
    made = TargetGroup()
    made.register_targets([{"Id": f"i-{number}"} for number in range(1000)], now=0)
    with pytest.raises(ServiceError, match="TooManyTargets"):
        made.register_targets([{"Id": "one more"}], now=0)
    with pytest.raises(ServiceError, match="InvalidTarget"):
        made.health_check("stranger", 200, now=0)


def test_targets_in_a_zone_that_is_not_enabled_or_of_a_group_nobody_uses_are_unused():
    assert state(group("i-1", in_use=False), "i-1")["Reason"] == "Target.NotInUse"
    made = TargetGroup(zones=("a",))
    made.register_targets([{"Id": "i-1", "AvailabilityZone": "c"}], now=0)
    assert state(made, "i-1")["State"] == "unused" and made.in_service(0) == []


STORY = st.lists(st.tuples(st.sampled_from(["register", "deregister", "good", "bad"]), st.integers(0, 4)), max_size=40)


@given(STORY)
def test_who_is_in_service_is_registered_and_healthy_or_all_are_ill(story):
    made = TargetGroup(zones=("a",))
    for now, (what, number) in enumerate(story):
        entry = [{"Id": f"i-{number}"}]
        if what == "register":
            made.register_targets(entry, now)
        elif what == "deregister":
            made.deregister_targets(entry, now)
        elif state(made, f"i-{number}", now)["State"] not in ("unused",):
            made.health_check(f"i-{number}", 200 if what == "good" else 500, now)
        states = {f"i-{n}": state(made, f"i-{n}", now)["State"] for n in range(5)}
        healthy = {name for name, one in states.items() if one == "healthy"}
        able = {name for name, one in states.items() if one in ("healthy", "unhealthy", "initial")}
        assert set(ids(made.in_service(now))) == (healthy or able)


def test_a_service_registers_its_tasks_on_ports_of_their_own():
    """ECS guide, "Use load balancing to distribute Amazon ECS service traffic": dynamic ports."""
    made = TargetGroup()
    service = Service(made, {"i-1": "a", "i-2": "b"})
    places = service.update_service(4, now=0)
    assert len(set(places)) == 4 and all(port >= 32768 for _, port in places)
    assert len(made.describe_target_health(0)["TargetHealthDescriptions"]) == 4
    service.update_service(1, now=1)
    told = [one["TargetHealth"]["State"] for one in made.describe_target_health(1)["TargetHealthDescriptions"]]
    assert sorted(told) == ["draining"] * 3 + ["initial"]
    with pytest.raises(ValueError, match="host_port=0"):
        Service(TargetGroup(), {"i-1": "a"}, host_port=80).update_service(2, now=0)
