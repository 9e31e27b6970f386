"""What a health check asks: "Health checks for Application Load Balancer target groups" and the API's own ranges.

The ranges, states and reason codes are compared with the service model that boto3 ships.
"""

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.health import DESCRIPTIONS, HealthCheck, reason_for, target_health
from kit.errors import ServiceError

SHAPES = Loader().load_service_model("elbv2", "service-2")["shapes"]
RANGES = {"interval": "HealthCheckIntervalSeconds", "timeout": "HealthCheckTimeoutSeconds",
          "healthy_threshold": "HealthCheckThresholdCount", "unhealthy_threshold": "HealthCheckThresholdCount"}
ROOM = {"interval": {"timeout": 2}, "timeout": {"interval": 300}}  # so that only the setting itself can be wrong
FEW = settings(derandomize=True, deadline=None, max_examples=60)


def refused(**wrong):
    with pytest.raises(ServiceError) as error:
        HealthCheck(**wrong)
    assert error.value.code == "ValidationError"
    return error.value.message


def test_the_defaults_are_the_guides():
    """"Health check settings": every 30 s, 5 s to answer, 5 good or 2 bad in a row, code 200."""
    check = HealthCheck()
    assert (check.interval, check.timeout, check.healthy_threshold, check.unhealthy_threshold, check.matcher) == (
        30, 5, 5, 2, "200")


@pytest.mark.parametrize("name", RANGES)
def test_the_ranges_are_the_apis(name):
    """Given a setting, when it is at the API's bounds, then it is taken; one step beyond, then it is refused by name."""
    low, high = SHAPES[RANGES[name]]["min"], SHAPES[RANGES[name]]["max"]
    for value in (low, high):
        assert getattr(HealthCheck(**ROOM.get(name, {}) | {name: value}), name) == value
    for value in (low - 1, high + 1):
        message = refused(**ROOM.get(name, {}) | {name: value})
        assert name in message and f"from {low} to {high}" in message


def test_an_answer_must_be_due_before_the_next_check():
    """The timeout is shorter than the interval."""
    assert HealthCheck(interval=6, timeout=5).timeout == 5
    assert "shorter than its interval" in refused(interval=5, timeout=5)


@pytest.mark.parametrize("matcher, good, bad", [
    ("200", (200,), (199, 201, 302)), ("200,202", (200, 202), (201, 203)), ("200-299", (200, 250, 299), (199, 300)),
    ("200-202,301,400-499", (201, 301, 400, 499), (203, 300, 302, 399, 500)), ("200, 204", (200, 204), (202,))])
def test_the_matcher_lists_codes_and_ranges(matcher, good, bad):
    """Matcher: "200,202" or "200-299"."""
    check = HealthCheck(matcher=matcher)
    assert all(map(check.accepts, good)) and not any(map(check.accepts, bad))


@pytest.mark.parametrize("matcher", ["199", "200-500", "500", "299-200", "", "ok", "200,", "2xx", "200-300-400", "-200"])
def test_a_matcher_outside_200_to_499_or_of_another_form_is_refused_when_it_is_set(matcher):
    """Matcher: an Application Load Balancer takes values from 200 to 499; no check is needed to find that out."""
    message = refused(matcher=matcher)
    assert "from 200 to 499" in message and f"'{matcher}'" in message


@FEW
@given(st.integers(200, 499), st.integers(200, 499), st.integers(100, 599))
def test_a_range_takes_what_lies_in_it_and_nothing_else(one, other, code):
    low, high = sorted((one, other))
    assert HealthCheck(matcher=f"{low}-{high}").accepts(code) == (low <= code <= high)


@pytest.mark.parametrize("answer, reason", [(None, "Target.Timeout"), (503, "Target.ResponseCodeMismatch"),
                                            (302, "Target.ResponseCodeMismatch"),
                                            ("refused", "Target.FailedHealthChecks")])
def test_each_failure_has_its_reason(answer, reason):
    """TargetHealth: timed out, wrong code, or no connection and malformed answers."""
    assert reason_for(answer) == reason


def test_reasons_are_the_apis_and_only_the_healthy_have_none():
    """TargetHealth: a healthy target has neither Reason nor Description."""
    assert set(DESCRIPTIONS) < set(SHAPES["TargetHealthReasonEnum"]["enum"])
    assert target_health("healthy") == {"State": "healthy"}
    assert target_health("unhealthy", "Target.ResponseCodeMismatch", 503) == {
        "State": "unhealthy", "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [503]"}
    assert target_health("unused", "Target.NotInUse", description="other words")["Description"] == "other words"
