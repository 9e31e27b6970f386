"""Rules of a listener: elbv2's operations, their order and their refusals (API reference 2015-12-01, quotas page)."""

import pytest

from kit.balancing.alb import route
from kit.balancing.conditions import Request
from kit.balancing.rules import RULES_PER_LOAD_BALANCER, Listener
from kit.balancing.validation import check_rule
from kit.errors import ServiceError

TO_WEB = [{"Type": "forward", "TargetGroupArn": "web"}]
ANY = [{"Field": "path-pattern", "Values": ["/x"]}]


def redirect(**config):
    return [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"} | config}]


def fixed(**config):
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"} | config}]


def groups(*weights, **more):
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": f"g{number}"} | ({} if weight is None else {"Weight": weight})
        for number, weight in enumerate(weights)]} | more}]


def path(*values, **more):
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)} | more}


def host(value):
    return {"Field": "host-header", "HostHeaderConfig": {"Values": [value]}}


def header(name, *values):
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


def regex(value):
    return {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [value]}}


def cidr(value):
    return {"Field": "source-ip", "SourceIpConfig": {"Values": [value]}}


def refused(code, call, *arguments, **more):
    with pytest.raises(ServiceError) as error:
        call(*arguments, **more)
    assert error.value.code == code, error.value
    return error.value.message


def test_rules_come_back_in_the_order_in_which_they_are_looked_at():
    listener = Listener(TO_WEB)
    for priority in (30, 5, 100):
        listener.create_rule(ANY, priority, TO_WEB)
    rules = listener.describe_rules()["Rules"]
    assert [rule["Priority"] for rule in rules] == ["5", "30", "100", "default"]
    assert [rule["IsDefault"] for rule in rules] == [False, False, False, True]
    assert set(rules[0]) == {"RuleArn", "Priority", "Conditions", "Actions", "IsDefault"}


def test_rules_can_be_added_and_swapped_while_requests_come():
    listener = Listener(TO_WEB)
    request = Request.of("http://example.com/orders/1")

    def goes_to():
        return route(listener.describe_rules()["Rules"], request).target_group

    assert goes_to() == "web"
    wide = listener.create_rule([path("/*")], 10, [{"Type": "forward", "TargetGroupArn": "wide"}])["Rules"][0]
    orders = listener.create_rule([path("/orders/*")], 20, [{"Type": "forward", "TargetGroupArn": "orders"}])["Rules"][0]
    assert goes_to() == "wide"
    listener.set_rule_priorities([{"RuleArn": wide["RuleArn"], "Priority": 20},
                                  {"RuleArn": orders["RuleArn"], "Priority": 10}])
    assert goes_to() == "orders"
    listener.modify_rule(orders["RuleArn"], conditions=[path("/other/*")])
    assert goes_to() == "wide"
    listener.delete_rule(wide["RuleArn"])
    assert goes_to() == "web"
    listener.modify_rule(listener.describe_rules()["Rules"][-1]["RuleArn"], actions=fixed(StatusCode="404"))
    assert route(listener.describe_rules()["Rules"], request).status == 404


def test_what_is_handed_in_or_out_does_not_reach_the_listener():
    listener, conditions = Listener(TO_WEB), [path("/a")]
    listener.create_rule(conditions, 1, TO_WEB)
    conditions[0]["PathPatternConfig"]["Values"][0] = "/b"
    listener.describe_rules()["Rules"][0]["Actions"].clear()
    rule = listener.describe_rules()["Rules"][0]
    assert rule["Conditions"] == [path("/a")] and rule["Actions"] == TO_WEB


def test_priorities():
    listener = Listener(TO_WEB)
    first = listener.create_rule(ANY, 1, TO_WEB)["Rules"][0]
    other = listener.create_rule(ANY, 2, TO_WEB)["Rules"][0]
    refused("PriorityInUse", listener.create_rule, ANY, 1, TO_WEB)
    for priority in (0, 50_001, "5", True, 10.0, None):
        refused("ValidationError", listener.create_rule, ANY, priority, TO_WEB)
    refused("ValidationError", listener.set_rule_priorities, [{"RuleArn": other["RuleArn"], "Priority": True}])
    refused("PriorityInUse", listener.set_rule_priorities, [{"RuleArn": first["RuleArn"], "Priority": 2}])
    assert [rule["Priority"] for rule in listener.describe_rules()["Rules"]] == ["1", "2", "default"]
    refused("PriorityInUse", listener.set_rule_priorities, [{"RuleArn": first["RuleArn"], "Priority": 7},
                                                            {"RuleArn": other["RuleArn"], "Priority": 7}])
    listener.create_rule(ANY, 50_000, TO_WEB)


def test_the_default_rule_stays():
    """It can't be deleted, can't have conditions, and its priority can't change."""
    listener = Listener(TO_WEB)
    arn = listener.describe_rules()["Rules"][0]["RuleArn"]
    refused("OperationNotPermitted", listener.delete_rule, arn)
    refused("OperationNotPermitted", listener.modify_rule, arn, conditions=ANY)
    refused("OperationNotPermitted", listener.set_rule_priorities, [{"RuleArn": arn, "Priority": 3}])
    refused("RuleNotFound", listener.delete_rule, "arn:no-such-rule")


def test_a_hundred_rules_and_no_more():
    """"Quotas for your Application Load Balancers": 100 rules, default rules not counted."""
    listener = Listener(TO_WEB)
    for number in range(RULES_PER_LOAD_BALANCER):
        made = listener.create_rule(ANY, number + 1, TO_WEB)["Rules"][0]
    refused("TooManyRules", listener.create_rule, ANY, 500, TO_WEB)
    listener.delete_rule(made["RuleArn"])
    listener.create_rule(ANY, 500, TO_WEB)


def test_listeners_are_for_http_and_https():
    """WebSocket comes through them as an upgrade; UDP is refused."""
    for protocol in ("HTTP", "HTTPS"):
        assert Listener(TO_WEB, protocol, 443).protocol == protocol
    for protocol in ("UDP", "TCP", "WEBSOCKET"):
        assert "HTTP or HTTPS" in refused("ValidationError", Listener, TO_WEB, protocol)
    refused("ValidationError", Listener, TO_WEB, "HTTP", 70_000)


def test_an_unknown_target_group():
    listener = Listener(TO_WEB, target_groups={"web"})
    refused("TargetGroupNotFound", listener.create_rule, ANY, 1, [{"Type": "forward", "TargetGroupArn": "nope"}])
    refused("TargetGroupNotFound", Listener, TO_WEB, target_groups=set())


GOOD = [
    [path("/1", "/2", "/3", "/4", "/5")], [path("/*/*/*/*/*")], [path("/a?"), header("X", "*"), header("Y", "*")],
    [host("*.example.com")], [header("X-Custom_1", "a b\tc")], [regex(r"^/api/(v1|v2)/[a-z]+$")],
    [regex(r"^/a\++$")], [cidr("10.0.0.0/8")], [cidr("2001:db8::/32")],
    [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": r"\*\*\*\*\*\*"}]}}],
    [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "MY-METHOD"]}}],
]
BAD = [
    [], [path()], [path("")], [path("/1", "/2", "/3", "/4", "/5", "/6")], [path("/*/*/*/*/*/*")],
    [path("/1", "/2", "/3"), header("X", "1", "2", "3")], [path("/a"), path("/b")], [host("a.io"), host("b.io")],
    [path("/" + "x" * 128)], [path("/a b")], [path("/ü")], [host("localhost")], [host("example.c0m")],
    [host("exa_mple.com")], [header("Host", "a.io")], [header("X Y", "1")], [header("X" * 41, "1")],
    [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}}],
    [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "k"}]}}],
    [cidr("10.0.0.1")], [cidr("10.0.0.0/33")], [cidr("255.255.255.255/32")], [cidr("10.0.*.0/8")],
    [{"Field": "cookie", "Values": ["x"]}], [path("/a", RegexValues=["^/b"])],
    [regex("(?=x)")], [regex("(?<!x)y")], [regex(r"(a)\1")], [regex("a++")], [regex(r"\p{L}")], [regex("(?>a)")],
    [regex("(")], [regex("x" * 129)],
    [{"Field": "query-string", "QueryStringConfig": {"RegexValues": ["x"]}}],
]


@pytest.mark.parametrize("conditions", GOOD)
def test_conditions_that_are_accepted(conditions):
    check_rule(conditions, TO_WEB)


@pytest.mark.parametrize("conditions", BAD)
def test_conditions_that_are_refused(conditions):
    """"Condition types for listener rules" and the quotas: values, characters, lengths, 5 values, 5 wildcards."""
    refused("ValidationError", check_rule, conditions, TO_WEB)


GOOD_ACTIONS = [
    groups(10, 20), groups(None), groups(0, 999), groups(1, 1, 1, 1, 1),
    groups(1, 1, TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 604_800}),
    redirect(Protocol="HTTPS", Port="443"), redirect(Path="/new/#{path}"), redirect(Host="www.#{host}"),
    redirect(Port="8080", Query="#{protocol}#{host}#{port}#{path}#{query}"), fixed(StatusCode="503"),
    fixed(ContentType="application/json", MessageBody="x" * 1024),
]
BAD_ACTIONS = [
    ("InvalidLoadBalancerAction", []), ("InvalidLoadBalancerAction", TO_WEB + fixed()),
    ("InvalidLoadBalancerAction", [{"Type": "sing", "Order": 1}, *fixed()]),
    ("InvalidLoadBalancerAction", [{"Type": "authenticate-oidc", "Order": 1}, {**TO_WEB[0], "Order": 2}]),
    ("InvalidLoadBalancerAction", [{"Type": "forward"}]), ("InvalidLoadBalancerAction", groups(1, None)),
    ("InvalidLoadBalancerAction", groups(1, 1, 1, 1, 1, 1)), ("ValidationError", groups(1000)),
    ("InvalidLoadBalancerAction", [{**groups(1)[0], "TargetGroupArn": "another"}]),
    ("ValidationError", groups(1, 1, TargetGroupStickinessConfig={"Enabled": True})),
    ("ValidationError", groups(1, 1, TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 604_801})),
    ("InvalidLoadBalancerAction", redirect()),  # a loop
    ("InvalidLoadBalancerAction", redirect(Protocol="HTTP", Port="80", Host="#{host}", Path="/#{path}")),
    ("InvalidLoadBalancerAction", redirect(Query="a=1")),  # the query alone does not end the loop
    ("InvalidLoadBalancerAction", redirect(Path="new")), ("InvalidLoadBalancerAction", redirect(Port="0")),
    ("InvalidLoadBalancerAction", redirect(Host="#{path}")), ("InvalidLoadBalancerAction", redirect(Path="/#{query}")),
    ("InvalidLoadBalancerAction", redirect(Protocol="FTP")), ("ValidationError", redirect(StatusCode="HTTP_307")),
    ("ValidationError", redirect(Host="x" * 129)), ("ValidationError", fixed(StatusCode="302")),
    ("InvalidLoadBalancerAction", fixed(ContentType="image/png")), ("InvalidLoadBalancerAction", fixed(MessageBody="x" * 1025)),
]


@pytest.mark.parametrize("actions", GOOD_ACTIONS)
def test_actions_that_are_accepted(actions):
    check_rule(ANY, actions)


@pytest.mark.parametrize("code, actions", BAD_ACTIONS)
def test_actions_that_are_refused(code, actions):
    """"Action types for listener rules": one routing action, the last; weights 0-999; redirects that would loop."""
    refused(code, check_rule, ANY, actions)


def test_https_never_goes_back_to_http():
    """HTTP to HTTP, HTTP to HTTPS, HTTPS to HTTPS; not HTTPS to HTTP."""
    assert "HTTPS to HTTP" in refused("InvalidLoadBalancerAction", check_rule, ANY,
                                      redirect(Protocol="HTTP", Port="80"), protocol="HTTPS", port=443)
    refused("InvalidLoadBalancerAction", check_rule, ANY, redirect(Protocol="HTTPS", Port="443"), protocol="HTTPS",
            port=443)
    check_rule(ANY, redirect(Protocol="HTTPS", Port="8443"), protocol="HTTPS", port=443)
    check_rule(ANY, [{"Type": "jwt-validation", "Order": 1}, {**TO_WEB[0], "Order": 2}], protocol="HTTPS", port=443)


def test_transforms_are_one_of_each_kind_and_not_for_the_default_rule():
    rewrite = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/b"}]}}
    listener = Listener(TO_WEB)
    rule = listener.create_rule(ANY, 1, TO_WEB, [rewrite])["Rules"][0]
    assert rule["Transforms"] == [rewrite]
    refused("ValidationError", listener.create_rule, ANY, 2, TO_WEB, [rewrite, rewrite])
    lookahead = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "(?=a)", "Replace": "b"}]}}
    refused("ValidationError", listener.create_rule, ANY, 2, TO_WEB, [lookahead])
    default = listener.describe_rules()["Rules"][-1]["RuleArn"]
    refused("OperationNotPermitted", listener.modify_rule, default, transforms=[rewrite])
    assert "Transforms" not in listener.modify_rule(rule["RuleArn"], transforms=[])["Rules"][0]
