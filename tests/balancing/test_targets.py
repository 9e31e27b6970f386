"""A target group over time, beyond the first steps of test_target_groups: Application Load Balancer guide, pages named."""

from fractions import Fraction

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing import attributes as attribute
from kit.balancing.health import HealthCheck
from kit.balancing.targets import TARGETS_PER_GROUP, Target, TargetCookie, TargetGroup
from kit.errors import ServiceError

SHAPES = Loader().load_service_model("elbv2", "service-2")["shapes"]
FEW = settings(derandomize=True, deadline=None, max_examples=60)


def group(counts=(2,), healthy=True, **settings):
    """``counts`` targets in the zones a, b, ...: a-0, a-1, b-0 ...; healthy since time 0."""
    zones = [chr(ord("a") + number) for number in range(len(counts))]
    made = TargetGroup(zones=zones, **settings)
    entries = [entry(f"{zone}-{number}", zone) for zone, count in zip(zones, counts) for number in range(count)]
    made.register_targets(entries, now=0)
    for one in entries if healthy else ():
        made.health_check(one["Id"], 200, now=0)
    return made


def entry(name, zone="a", **more):
    return {"Id": name, "AvailabilityZone": zone, **more}


def set_to(made, **new):
    made.modify_target_group_attributes([{"Key": getattr(attribute, name), "Value": value}
                                         for name, value in new.items()])


def fail(made, *names, now=1):
    for name in names:
        for _ in range(made.check.unhealthy_threshold):
            made.health_check(name, 503, now)


def ids(targets):
    return [target.id for target in targets]


def health(made, name, now=0):
    return made.describe_target_health(now, [{"Id": name}])["TargetHealthDescriptions"][0]["TargetHealth"]


def share(made, name, now):
    return made.share(Target(name, made.port, "a"), now)


# Health: "Health checks for Application Load Balancer target groups"


@pytest.mark.parametrize("healthy, unhealthy", [(2, 2), (5, 2), (10, 10), (2, 10)])
def test_thresholds_are_reached_at_their_number_and_not_one_before(healthy, unhealthy):
    """Given thresholds, when so many checks in a row say otherwise, then the state turns with the last of them."""
    made = group((1,), check=HealthCheck(healthy_threshold=healthy, unhealthy_threshold=unhealthy))
    down = [made.health_check("a-0", None, now) for now in range(unhealthy)]
    assert down == ["healthy"] * (unhealthy - 1) + ["unhealthy"]
    up = [made.health_check("a-0", 200, now) for now in range(healthy)]
    assert up == ["unhealthy"] * (healthy - 1) + ["healthy"]


@FEW
@given(st.lists(st.booleans(), max_size=60), st.integers(2, 10), st.integers(2, 10))
def test_the_state_follows_the_last_run_of_checks_that_was_long_enough(answers, healthy, unhealthy):
    """Oracle: after the first success, look back for the last run of equal answers that reached its threshold."""
    made = group((1,), healthy=False, check=HealthCheck(healthy_threshold=healthy, unhealthy_threshold=unhealthy))
    state, length, last = "initial", 0, None
    for now, good in enumerate(answers):
        length, last = length + 1 if good == last else 1, good
        if good and (state == "initial" or length >= healthy):
            state = "healthy"
        elif not good and length >= unhealthy:
            state = "unhealthy"
        assert made.health_check("a-0", 200 if good else 500, now) == state


def test_an_initial_target_says_whether_checks_have_begun():
    """"Reason codes": registration in progress, then initial health checking."""
    made = group((1,), healthy=False)
    assert health(made, "a-0")["Reason"] == "Elb.RegistrationInProgress"
    assert made.health_check("a-0", 500, 1) == "initial"
    assert health(made, "a-0")["Reason"] == "Elb.InitialHealthChecking"


def test_a_target_that_recovers_no_longer_says_why_it_failed():
    made = group((1,), check=HealthCheck(healthy_threshold=2))
    fail(made, "a-0")
    assert health(made, "a-0")["Reason"] == "Target.ResponseCodeMismatch"
    made.health_check("a-0", 200, 2), made.health_check("a-0", 200, 3)
    assert health(made, "a-0") == {"State": "healthy"}


def test_checks_of_a_draining_target_change_nothing():
    made = group((2,))
    made.deregister_targets([entry("a-0")], now=0)
    assert [made.health_check("a-0", answer, 1) for answer in (200, 500, 500)] == ["draining"] * 3


def test_states_are_the_apis():
    made = group((2, 1), healthy=False)
    made.health_check("a-0", 200, 0)
    fail(made, "a-1", now=0)
    made.deregister_targets([entry("b-0", "b")], 0)
    told = [one["TargetHealth"]["State"] for one in made.describe_target_health(
        0, [entry(name) for name in ("a-0", "a-1", "b-0", "never")])["TargetHealthDescriptions"]]
    assert told == ["healthy", "unhealthy", "draining", "unused"]
    assert set(told) <= set(SHAPES["TargetHealthStateEnum"]["enum"])


# Registration: RegisterTargets, DeregisterTargets


def test_one_instance_stands_for_several_targets_by_its_ports():
    """"Target groups", registered targets: the same instance several times with different ports."""
    made = TargetGroup(zones=("a",), port=80)
    made.register_targets([entry("i-1"), entry("i-1", Port=8080), entry("i-1", Port=8081)], now=0)
    made.health_check("i-1", 200, 0)
    assert made.health_check("i-1", 500, 0, port=8080) == "initial"
    assert [(one.id, one.port) for one in made.in_service(0)] == [("i-1", 80)]
    made.deregister_targets([entry("i-1", Port=8081)], 0)
    assert [one["TargetHealth"]["State"] for one in made.describe_target_health(0)["TargetHealthDescriptions"]] == [
        "healthy", "initial", "draining"]


def test_registering_again_leaves_a_target_as_it_is():
    made = group((1,))
    made.register_targets([entry("a-0")], now=5)
    assert health(made, "a-0", 5) == {"State": "healthy"}


def test_a_registration_that_would_exceed_the_quota_registers_nobody():
    """"Quotas for your Application Load Balancers": 1,000 targets a group; a refused call changes nothing."""
    made = TargetGroup(zones=("a",))
    made.register_targets([entry(f"i-{number}") for number in range(TARGETS_PER_GROUP - 1)], now=0)
    with pytest.raises(ServiceError) as error:
        made.register_targets([entry("one"), entry("too many")], now=0)
    assert error.value.code == "TooManyTargets" and health(made, "one")["State"] == "unused"
    made.register_targets([entry("i-0"), entry("one"), entry("one")], now=0)  # known ones and doubles don't count
    assert health(made, "one")["State"] == "initial"


@pytest.mark.parametrize("delay", [0, 1, 300, 3600])
def test_a_target_drains_exactly_as_long_as_the_attribute_says(delay):
    """"Deregistration delay": draining, and after the delay unused; no new request from the first moment."""
    made = group((2,))
    set_to(made, DELAY=str(delay))
    made.deregister_targets([entry("a-0")], now=10)
    assert ids(made.in_service(10)) == ["a-1"]
    if delay:
        assert health(made, "a-0", 10 + delay - 0.001) == {
            "State": "draining", "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress"}
    assert health(made, "a-0", 10 + delay)["Reason"] == "Target.NotRegistered"


def test_deregistering_twice_does_not_prolong_the_delay():
    made = group((2,))
    made.deregister_targets([entry("a-0")], now=0)
    made.deregister_targets([entry("a-0")], now=299)
    assert health(made, "a-0", 300)["State"] == "unused"


def test_the_delay_of_a_draining_target_is_that_of_its_deregistration():
    made = group((2,))
    made.deregister_targets([entry("a-0")], now=0)
    set_to(made, DELAY="10")
    made.deregister_targets([entry("a-1")], now=0)
    assert (health(made, "a-0", 10)["State"], health(made, "a-1", 10)["State"]) == ("draining", "unused")


# Slow start: "Edit target group attributes for your Application Load Balancer", slow start mode


def slow_group():
    made = group((1,))
    set_to(made, SLOW_START="100")
    made.register_targets([entry("new")], now=0)
    made.health_check("new", 200, now=50)
    return made


def test_the_ramp_begins_with_the_first_good_check_and_is_a_line():
    made = slow_group()
    assert [share(made, "new", now) for now in (50, 75, 100, 149, 150, 10_000)] == [0, 0.25, 0.5, 0.99, 1, 1]
    assert share(made, "a-0", 50) == 1


def test_healthy_targets_stay_at_full_share_when_slow_start_is_switched_on():
    """Given a target that came and is healthy without slow start, when that is enabled, then it does not enter it."""
    made = group((1,))
    made.register_targets([entry("late")], now=0)
    made.health_check("late", 200, now=100)
    set_to(made, SLOW_START="900")
    assert share(made, "late", 101) == 1


def test_slow_start_switched_off_ends_the_ramp_for_good():
    """"To disable slow start mode, set the duration to 0": and on again, the healthy ones don't enter it."""
    made = slow_group()
    set_to(made, SLOW_START="0")
    assert share(made, "new", 60) == 1
    set_to(made, SLOW_START="100")
    assert share(made, "new", 60) == 1


def test_another_attribute_does_not_end_the_ramp():
    made = slow_group()
    set_to(made, DELAY="10", SLOW_START="100")
    assert share(made, "new", 75) == 0.25


def test_the_first_lot_of_an_empty_group_does_not_start_slowly():
    """Registered in one operation into an empty group: whoever is healthy first, all have their full share."""
    made = TargetGroup(zones=("a",))
    set_to(made, SLOW_START="60")
    made.register_targets([entry("one"), entry("two")], now=0)
    made.health_check("one", 200, 1), made.health_check("two", 200, 20)
    assert share(made, "one", 20) == share(made, "two", 20) == 1


def test_beside_targets_that_all_start_slowly_nobody_else_does():
    """A newcomer starts slowly only when one healthy target is not in slow start."""
    made = slow_group()
    fail(made, "a-0", now=60)
    made.register_targets([entry("next")], now=61)
    made.health_check("next", 200, 62)
    assert share(made, "new", 62) < 1 and share(made, "next", 62) == 1


def test_who_fails_in_slow_start_starts_slowly_again():
    """It exits when it becomes unhealthy, and enters again when it is healthy."""
    made = slow_group()
    fail(made, "new", now=100)
    assert share(made, "new", 100) == 1  # fail open would send it a full share
    for now in range(200, 205):
        made.health_check("new", 200, now)
    assert [share(made, "new", now) for now in (204, 254)] == [0, 0.5]


def test_who_is_deregistered_in_slow_start_starts_slowly_when_it_is_back():
    made = slow_group()
    made.deregister_targets([entry("new")], now=60)
    assert share(made, "new", 60) == 1
    made.register_targets([entry("new")], now=70)
    made.health_check("new", 200, 80)
    assert share(made, "new", 90) == 0.1


# Sticky sessions: "Sticky sessions for your Application Load Balancer" (duration-based)


def first(targets):
    return targets[0]


def last(targets):
    return targets[-1]


def test_without_stickiness_there_is_no_cookie_and_a_brought_one_counts_for_nothing():
    made = group((2,))
    target, cookie = made.choose(last, 0)
    assert cookie is None and target.id == "a-1"
    assert made.choose(first, 0, cookie=TargetCookie(target, 10_000))[0].id == "a-0"


def test_each_answer_renews_the_cookie_so_that_a_session_outlives_its_duration():
    """"The duration is set with each request": three steps of 9 s with a cookie of 10 s."""
    made = group((2,))
    set_to(made, STICKY="true", STICKY_SECONDS="10")
    target, cookie = made.choose(last, 0)
    for now in (9, 18, 27):
        assert made.choose(first, now, cookie=cookie)[0] == target
        cookie = made.choose(first, now, cookie=cookie)[1]
    assert cookie.expires == 37 and made.choose(first, 37, cookie=cookie)[0].id == "a-0"


@pytest.mark.parametrize("trouble", ["unhealthy", "deregistered", "never registered"])
def test_a_session_moves_when_its_target_is_out_of_service_and_stays_there(trouble):
    """A cookie for a target that was deregistered or is unhealthy: a new target, and a new cookie for it."""
    made = group((3,))
    set_to(made, STICKY="true")
    target, cookie = made.choose(last, 0)
    if trouble == "unhealthy":
        fail(made, target.id)
    elif trouble == "deregistered":
        made.deregister_targets([entry(target.id)], 1)
    else:
        cookie = TargetCookie(Target("stranger", 80, "a"), 10_000)
    moved, renewed = made.choose(first, 2, cookie=cookie)
    assert moved.id == "a-0" and renewed.target == moved
    assert made.choose(last, 3, cookie=renewed)[0] == moved


def test_when_the_group_fails_open_a_session_keeps_its_target():
    made = group((2,))
    set_to(made, STICKY="true")
    target, cookie = made.choose(last, 0)
    fail(made, "a-0", "a-1")
    assert made.choose(first, 2, cookie=cookie)[0] == target


# Zones: "How Elastic Load Balancing works" (cross-zone), "Target group health"


def zone_shares(made):
    """Each zone's node gets the same part of the requests (DNS) and shares it out evenly."""
    shares = {}
    for zone in made.zones:
        fit = made.in_service(0, zone)
        for target in fit:
            shares[target.id] = shares.get(target.id, 0) + Fraction(1, len(made.zones) * len(fit))
    return shares


def test_the_guides_example_of_cross_zone_on_and_off():
    """Two targets in zone a, eight in zone b. On: 10 % each. Off: 25 % each in a, 6.25 % each in b."""
    on, off = zone_shares(group((2, 8))), zone_shares(group((2, 8), cross_zone=False))
    assert set(on.values()) == {Fraction(1, 10)} and len(on) == 10
    assert {name: part for name, part in off.items() if name[0] == "a"} == {"a-0": Fraction(1, 4), "a-1": Fraction(1, 4)}
    assert [part for name, part in off.items() if name[0] == "b"] == [Fraction(1, 16)] * 8


@pytest.mark.parametrize("balancer", [True, False])
def test_the_groups_own_cross_zone_setting_beats_the_balancers(balancer):
    """"Cross-zone load balancing for target groups": on, off, or as the balancer has it (the default)."""
    made = group((1, 1), cross_zone=balancer)
    assert made.cross_zone == balancer
    for setting in ("true", "false"):
        set_to(made, CROSS_ZONE=setting)
        assert made.cross_zone == (setting == "true")
        assert ids(made.in_service(0, "b")) == (["a-0", "b-0"] if setting == "true" else ["b-0"])
    set_to(made, CROSS_ZONE="use_load_balancer_configuration")
    assert made.cross_zone == balancer


def test_a_zone_fails_open_by_itself_when_cross_zone_is_off():
    """Given cross-zone off, when all of zone b are unhealthy, then its node uses them all, and a's node only a's."""
    made = group((2, 2), cross_zone=False)
    fail(made, "b-0", "b-1", "a-1")
    assert ids(made.in_service(1, "b")) == ["b-0", "b-1"] and ids(made.in_service(1, "a")) == ["a-0"]
    assert made.zones_in_dns(1) == ("a",)


def test_with_cross_zone_on_a_sick_zone_stays_in_dns():
    """The nodes reach the healthy targets of the other zone: the number counts over all zones."""
    made = group((2, 2))
    fail(made, "b-0", "b-1")
    assert made.zones_in_dns(1) == ("a", "b") and ids(made.in_service(1, "b")) == ["a-0", "a-1"]


def test_when_every_zone_is_sick_dns_names_them_all():
    made = group((1, 1), cross_zone=False)
    fail(made, "a-0", "b-0")
    assert made.zones_in_dns(1) == ("a", "b")


@FEW
@given(total=st.integers(1, 12), sick=st.integers(0, 12), count=st.integers(1, 12), percent=st.integers(1, 100))
def test_either_threshold_breached_is_enough_to_fail_open(total, sick, count, percent):
    """"Target group health": count and percentage given: the action is taken when either is breached."""
    sick = min(sick, total)
    made = group((total,))
    set_to(made, DNS_COUNT=str(count), ROUTING_COUNT=str(count), DNS_PERCENT=str(percent), ROUTING_PERCENT=str(percent))
    fail(made, *[f"a-{number}" for number in range(sick)])
    well = total - sick
    breached = well < count or Fraction(well, total) < Fraction(percent, 100)
    assert len(made.in_service(1)) == (total if breached else well)


def test_dns_failover_off_leaves_a_sick_zone_in_dns():
    made = group((1, 1), cross_zone=False)
    set_to(made, DNS_COUNT="off")
    fail(made, "b-0")
    assert made.zones_in_dns(1) == ("a", "b")


def test_draining_targets_do_not_count_among_the_registered():
    """Two of four drain; one of the remaining two is healthy: 50 %."""
    made = group((4,))
    set_to(made, DNS_PERCENT="50", ROUTING_PERCENT="50")
    made.deregister_targets([entry("a-0"), entry("a-1")], 1)
    fail(made, "a-2")
    assert ids(made.in_service(1)) == ["a-3"]


def test_given_a_stopped_instance_then_it_is_unused_and_starts_anew():
    """API reference, TargetHealth: unused, Target.InvalidState; "Target health status": initial when it is back."""
    made = group()
    made.instance_state("a-0", "stopped")
    assert health(made, "a-0") == {"State": "unused", "Reason": "Target.InvalidState",
                                   "Description": "Target is in the stopped state"}
    assert ids(made.in_service(0)) == ["a-1"]
    made.instance_state("a-0", "pending")
    assert health(made, "a-0")["State"] == "initial" and ids(made.in_service(0)) == ["a-1"]
    made.health_check("a-0", 200, now=1)
    assert ids(made.in_service(1)) == ["a-0", "a-1"]
