"""A target group's attributes: API reference 2015-12-01, TargetGroupAttribute; "Target group health"; "Edit target group
attributes for your Application Load Balancer".

Names and defaults are looked up in the service model that boto3 ships.
"""

import re

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing import attributes as attribute
from kit.balancing.attributes import CHOICES, DEFAULTS, RANGES, changed
from kit.errors import ServiceError

PAGE = re.sub(r"<[^>]+>", "", Loader().load_service_model("elbv2", "service-2")["shapes"]["TargetGroupAttribute"][
    "members"]["Key"]["documentation"])
FEW = settings(derandomize=True, deadline=None, max_examples=80)


def change(cross_zone=True, **new):
    """Attributes by the names of their constants: change(SLOW_START="30")."""
    return changed(DEFAULTS, [{"Key": getattr(attribute, name), "Value": value} for name, value in new.items()],
                   cross_zone)


def refused(code, cross_zone=True, **new):
    before = dict(DEFAULTS)
    with pytest.raises(ServiceError) as error:
        change(cross_zone, **new)
    assert error.value.code == code and DEFAULTS == before
    return error.value.message


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_attribute_and_its_default_stand_in_the_api_reference(key):
    """Given the text of an attribute in TargetGroupAttribute, then its default is the model's."""
    text = PAGE.split(f"{key} - ", 1)[1]
    default = re.search(r"default(?: value)? is (?:1 day \()?([a-z_]+|\d+)", text)
    if key != "stickiness.type":  # a choice without a stated default: lb_cookie is the one kind modelled
        assert default[1] == DEFAULTS[key]


@pytest.mark.parametrize("key, low, high", [
    (attribute.DELAY, 0, 3600), (attribute.SLOW_START, 30, 900), (attribute.STICKY_SECONDS, 1, 604_800),
    (attribute.DNS_PERCENT, 1, 100), (attribute.DNS_COUNT, 1, 1000)])
def test_the_ranges_are_closed(key, low, high):
    """Deregistration delay 0-3600 s, slow start 30-900 s, cookies up to a week, percentages 1-100."""
    for value in (low, high):
        assert changed(DEFAULTS, [{"Key": key, "Value": str(value)}])[key] == str(value)
    for value in {low - 1, high + 1} - {0 if key == attribute.SLOW_START else None}:
        with pytest.raises(ServiceError, match="ValidationError") as error:
            changed(DEFAULTS, [{"Key": key, "Value": str(value)}])
        assert key in error.value.message


def test_words_that_are_good_beside_a_range():
    """Slow start 0 is off; DNS failover may be off, by count too; routing failover's count may not."""
    assert change(SLOW_START="0")[attribute.SLOW_START] == "0"
    assert change(DNS_COUNT="off", DNS_PERCENT="off")[attribute.DNS_COUNT] == "off"
    assert "from 1 to 1000" in refused("ValidationError", ROUTING_COUNT="off")
    refused("ValidationError", DELAY="off")
    refused("ValidationError", SLOW_START="29")


@pytest.mark.parametrize("value", ["", "-1", "1.5", "1e3", " 60", "60 s", "²", "sixty"])
def test_what_is_no_number_is_refused_in_words(value):
    assert attribute.DELAY in refused("ValidationError", DELAY=value)


@pytest.mark.parametrize("key", CHOICES)
def test_a_choice_is_one_of_its_words(key):
    with pytest.raises(ServiceError, match="ValidationError") as error:
        changed(DEFAULTS, [{"Key": key, "Value": "maybe"}])
    assert all(word in error.value.message for word in CHOICES[key])


def test_values_are_strings_and_keys_are_known():
    assert "in quotes" in refused("ValidationError", DELAY=60)
    with pytest.raises(ServiceError, match="not recognized"):
        changed(DEFAULTS, [{"Key": "deregistration_delay", "Value": "60"}])


@pytest.mark.parametrize("algorithm, goes", [("round_robin", True), ("least_outstanding_requests", False),
                                             ("weighted_random", False)])
def test_slow_start_goes_with_round_robin_only(algorithm, goes):
    """"Edit target group attributes", slow start mode: not with the two other algorithms."""
    if goes:
        assert change(ALGORITHM=algorithm, SLOW_START="30")[attribute.SLOW_START] == "30"
    else:
        assert algorithm in refused("InvalidConfigurationRequest", ALGORITHM=algorithm, SLOW_START="30")
        assert change(ALGORITHM=algorithm, SLOW_START="0")[attribute.ALGORITHM] == algorithm


def test_mitigation_needs_weighted_random_and_that_takes_no_sticky_sessions():
    """TargetGroupAttribute: anomaly mitigation; "Automatic Target Weights": no sticky sessions."""
    refused("InvalidConfigurationRequest", MITIGATION="on")
    assert change(MITIGATION="on", ALGORITHM="weighted_random")[attribute.MITIGATION] == "on"
    assert "weighted_random" in refused("InvalidConfigurationRequest", ALGORITHM="weighted_random", STICKY="true")


@pytest.mark.parametrize("group, balancer, goes", [
    ("true", True, True), ("true", False, True), ("false", True, False), ("false", False, False),
    ("use_load_balancer_configuration", True, True), ("use_load_balancer_configuration", False, False)])
def test_stickiness_needs_cross_zone_wherever_that_is_set(group, balancer, goes):
    """The group's own setting counts before the balancer's."""
    if goes:
        assert change(balancer, STICKY="true", CROSS_ZONE=group)[attribute.STICKY] == "true"
    else:
        assert "cross-zone" in refused("InvalidConfigurationRequest", balancer, STICKY="true", CROSS_ZONE=group)


@FEW
@given(dns=st.integers(1, 100), routing=st.integers(1, 100), unit=st.sampled_from(["COUNT", "PERCENT"]))
def test_dns_failover_comes_with_or_before_routing_failover(dns, routing, unit):
    """"Target group health": the threshold for DNS is at least the one for routing."""
    both = {f"DNS_{unit}": str(dns), f"ROUTING_{unit}": str(routing)}
    if dns >= routing:
        assert change(**both)[getattr(attribute, f"DNS_{unit}")] == str(dns)
    else:
        assert "DNS failover" in refused("InvalidConfigurationRequest", **both)


def test_a_refused_change_changes_nothing_and_a_good_one_only_what_it_names():
    """One wrong value among good ones: the whole call is refused, and the old attributes stay."""
    old = change(DELAY="60")
    with pytest.raises(ServiceError):
        changed(old, [{"Key": attribute.DELAY, "Value": "10"}, {"Key": attribute.STICKY, "Value": "perhaps"}])
    assert old == {**DEFAULTS, attribute.DELAY: "60"}
    new = changed(old, [{"Key": attribute.STICKY, "Value": "true"}])
    assert new == {**old, attribute.STICKY: "true"} and old[attribute.STICKY] == "false"


def test_every_default_fits_its_own_rules():
    assert set(RANGES) | set(CHOICES) == set(DEFAULTS)
    assert changed(DEFAULTS, [{"Key": key, "Value": value} for key, value in DEFAULTS.items()]) == DEFAULTS
