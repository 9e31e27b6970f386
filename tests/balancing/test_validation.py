"""What elbv2 refuses in a rule, at the very limits: "Condition types" and "Action types for listener rules", quotas, API.

Names are looked up in the service model that boto3 ships. Lists of good and bad rules stand in test_rules.
"""

from itertools import permutations

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.alb import ROUTING_ACTIONS, route
from kit.balancing.conditions import CONFIGS, Request
from kit.balancing.rules import Listener
from kit.balancing.validation import AUTHENTICATION, check_actions, check_rule
from kit.errors import ServiceError

SHAPES = Loader().load_service_model("elbv2", "service-2")["shapes"]
FEW = settings(derandomize=True, deadline=None, max_examples=80)
TO_WEB = [{"Type": "forward", "TargetGroupArn": "web"}]
ANY = [{"Field": "path-pattern", "Values": ["/x"]}]
VALUES = {"host-header": "a.io", "path-pattern": "/x", "http-header": "x", "http-request-method": "GET",
          "query-string": {"Key": "a", "Value": "b"}, "source-ip": "192.0.2.0/24"}


def condition(kind, *values, **more):
    name = {"HttpHeaderName": "X-A"} if kind == "http-header" else {}
    return {"Field": kind, CONFIGS[kind]: {"Values": list(values), **name, **more}}


def redirect(**config):
    return [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}]


def refusal(call, *arguments, **more):
    """The code of the refusal, or None when it is accepted."""
    try:
        call(*arguments, **more)
    except ServiceError as error:
        assert error.message
        return error.code
    return None


def test_fields_and_actions_are_the_apis():
    """ActionTypeEnum; each field has a config in RuleCondition."""
    assert {*ROUTING_ACTIONS, *AUTHENTICATION} == {*SHAPES["ActionTypeEnum"]["enum"]}
    assert {*CONFIGS.values()} <= {*SHAPES["RuleCondition"]["members"]}


@pytest.mark.parametrize("kind", CONFIGS)
def test_five_values_a_rule_and_no_sixth(kind):
    """"Condition types": a rule has up to five match evaluations, in one condition or spread over several."""
    five, six = [condition(kind, *[VALUES[kind]] * number) for number in (5, 6)]
    assert refusal(check_rule, [five], TO_WEB) is None
    assert refusal(check_rule, [six], TO_WEB) == "ValidationError"
    other = "http-header" if kind != "http-header" else "query-string"
    for number, code in ((2, None), (3, "ValidationError")):
        spread = [condition(kind, *[VALUES[kind]] * 3), condition(other, *[VALUES[other]] * number)]
        assert refusal(check_rule, spread, TO_WEB) == code


@pytest.mark.parametrize("kind, several", [("host-header", False), ("path-pattern", False), ("source-ip", False),
                                           ("http-request-method", False), ("http-header", True), ("query-string", True)])
def test_which_conditions_may_come_twice(kind, several):
    """"Condition types": one host-header, path-pattern, method and source-ip; zero or more of the two others."""
    twice = [condition(kind, VALUES[kind]), condition(kind, VALUES[kind])]
    assert refusal(check_rule, twice, TO_WEB) == (None if several else "ValidationError")


@pytest.mark.parametrize("kind, limit", [("path-pattern", 128), ("http-header", 128), ("http-request-method", 40),
                                         ("query-string", 128), ("host-header", 128)])
def test_values_have_a_length(kind, limit):
    """RuleCondition: up to 128 characters, a method up to 40."""
    for length, code in ((limit, None), (limit + 1, "ValidationError")):
        text = {"path-pattern": "/" + "x" * (length - 1), "host-header": "x" * (length - 3) + ".io",
                "http-request-method": "X" * length}.get(kind, "x" * length)
        value = {"Value": text} if kind == "query-string" else text
        assert refusal(check_rule, [condition(kind, value)], TO_WEB) == code


@pytest.mark.parametrize("kind, good", [("host-header", True), ("path-pattern", True), ("http-header", False),
                                        ("http-request-method", False), ("source-ip", False), ("query-string", False)])
def test_the_short_form_is_for_hosts_and_paths_only(kind, good):
    """RuleCondition, Values: specify only when Field is host-header or path-pattern."""
    short = [{"Field": kind, "Values": [VALUES[kind]]}]
    assert refusal(check_rule, short, TO_WEB) == (None if good else "ValidationError")


@pytest.mark.parametrize("kind", ["host-header", "path-pattern", "http-header"])
def test_the_short_form_of_regular_expressions(kind):
    """RuleCondition, RegexValues: for http-header, host-header and path-pattern; a header needs its name."""
    short = {"Field": kind, "RegexValues": ["^a$"]}
    if kind == "http-header":
        assert refusal(check_rule, [short], TO_WEB) == "ValidationError"
        short["HttpHeaderConfig"] = {"HttpHeaderName": "X-A"}
    assert refusal(check_rule, [short], TO_WEB) is None


@pytest.mark.parametrize("number, code", [(5, None), (6, "ValidationError")])
def test_wildcards_are_counted_over_the_whole_rule(number, code):
    """Quotas: wildcards a rule; a host, a path, a header and a query share them; an escaped one is none."""
    conditions = [condition("host-header", "*.a?.io"), condition("path-pattern", "/*"),
                  condition("http-header", "*" * (number - 3)),
                  condition("query-string", {"Key": "k", "Value": r"\*\?"})]
    assert refusal(check_rule, conditions, TO_WEB) == code


@FEW
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20))
def test_a_path_that_is_accepted_can_be_routed_by(text):
    """Metamorphic: whatever value passes the check, the listener takes as a rule, and a request does not break it."""
    if refusal(check_rule, [condition("path-pattern", text)], TO_WEB) is None:
        listener = Listener(TO_WEB)
        listener.create_rule([condition("path-pattern", text)], 1, [{"Type": "forward", "TargetGroupArn": "ours"}])
        literal = not set(text) & set("*?") and text.startswith("/")
        if literal:
            assert route(listener.describe_rules()["Rules"], Request(path=text)).target_group == "ours"


@FEW
@given(st.permutations([{"Type": "authenticate-oidc"}, {"Type": "authenticate-cognito"}, *TO_WEB]))
def test_the_routing_action_must_be_the_last_by_its_order(actions):
    """Action, Order: the one with the lowest value first; the routing action has the highest."""
    ordered = [{**action, "Order": number} for number, action in enumerate(actions, 1)]
    expected = None if actions[-1]["Type"] == "forward" else "InvalidLoadBalancerAction"
    for listed in permutations(ordered):  # how the list is written means nothing
        assert refusal(check_actions, list(listed), protocol="HTTPS") == expected


@pytest.mark.parametrize("kind", AUTHENTICATION)
def test_authentication_needs_https(kind):
    """"Action types": authenticate and validate tokens on HTTPS listeners."""
    actions = [{"Type": kind, "Order": 1}, {**TO_WEB[0], "Order": 2}]
    assert refusal(check_actions, actions, protocol="HTTPS") is None
    assert refusal(check_actions, actions, protocol="HTTP") == "InvalidLoadBalancerAction"


@FEW
@given(st.integers(-5, 1005))
def test_weights_are_from_0_to_999(weight):
    action = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "web", "Weight": weight}]}}]
    assert refusal(check_actions, action) == (None if 0 <= weight <= 999 else "ValidationError")


@pytest.mark.parametrize("seconds, code", [(1, None), (604_800, None), (0, "ValidationError"),
                                           (604_801, "ValidationError"), (None, "ValidationError")])
def test_group_stickiness_lasts_from_a_second_to_a_week(seconds, code):
    """TargetGroupStickinessConfig, DurationSeconds: 1-604800; required when it is enabled."""
    config = {"TargetGroups": [{"TargetGroupArn": "web"}],
              "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": seconds}}
    assert refusal(check_actions, [{"Type": "forward", "ForwardConfig": config}]) == code


@pytest.mark.parametrize("codes, expected", [(SHAPES["RedirectActionStatusCodeEnum"]["enum"], None),
                                             (["HTTP_300", "HTTP_307", "HTTP_308", "301"], "ValidationError")])
def test_a_redirect_is_permanent_or_temporary(codes, expected):
    for code in codes:
        assert refusal(check_actions, redirect(StatusCode=code, Path="/new")) == expected


@pytest.mark.parametrize("listener, to, goes", [("HTTP", "HTTP", True), ("HTTP", "HTTPS", True), ("HTTPS", "HTTPS", True),
                                                ("HTTPS", "HTTP", False), ("HTTPS", "#{protocol}", True)])
def test_which_protocol_redirects_to_which(listener, to, goes):
    """RedirectActionConfig, Protocol."""
    actions = redirect(Protocol=to, Path="/new")
    assert refusal(check_actions, actions, protocol=listener, port=443) == (None if goes else "InvalidLoadBalancerAction")


@pytest.mark.parametrize("changed", [{"Protocol": "HTTPS"}, {"Host": "b.io"}, {"Port": "81"}, {"Path": "/y/#{path}"}])
def test_one_changed_part_ends_the_loop_and_its_own_value_does_not(changed):
    """"You must modify at least one of protocol, port, hostname and path to avoid a redirect loop"."""
    same = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "80", "Path": "/#{path}"}
    assert refusal(check_actions, redirect(**same), port=80) == "InvalidLoadBalancerAction"
    assert refusal(check_actions, redirect(**same, Query="again"), port=80) == "InvalidLoadBalancerAction"
    assert refusal(check_actions, redirect(**same | changed), port=80) is None


@pytest.mark.parametrize("port, code", [("1", None), ("65535", None), ("#{port}", None)] + [
    (wrong, "InvalidLoadBalancerAction") for wrong in ("0", "65536", "-1", "", "http", "²", "#{path}")])
def test_a_redirects_port(port, code):
    """RedirectActionConfig, Port: 1 to 65535 or #{port}."""
    assert refusal(check_actions, redirect(Port=port, Path="/new")) == code


@pytest.mark.parametrize("status, good", [("200", True), ("299", True), ("404", True), ("599", True), ("100", False),
                                          ("301", False), ("600", False), ("20", False), ("2000", False)])
def test_a_fixed_response_is_2xx_4xx_or_5xx(status, good):
    """FixedResponseActionConfig, StatusCode."""
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status}}]
    assert refusal(check_actions, actions) == (None if good else "ValidationError")
