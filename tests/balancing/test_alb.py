"""Listener rules as a Decision: Application Load Balancer guide, "Listener rules", "Action types", "Transforms"."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.alb import matches, pick_weighted, route
from kit.balancing.conditions import Request

FEW = settings(derandomize=True, deadline=None, max_examples=150)
BLUE, GREEN = "arn:blue", "arn:green"


def forward(group):
    return [{"Type": "forward", "TargetGroupArn": group}]


def weighted(*pairs, sticky=None):
    config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in pairs]}
    if sticky:
        config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": sticky}
    return [{"Type": "forward", "ForwardConfig": config}]


def rule(priority, actions, *conditions, transforms=None):
    made = {"Priority": str(priority), "Conditions": list(conditions), "Actions": actions, "IsDefault": False}
    return made if transforms is None else made | {"Transforms": transforms}


def on_path(*values):
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def on_method(*values):
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(values)}}


DEFAULT = {"Priority": "default", "Conditions": [], "Actions": forward("web"), "IsDefault": True}
SHOP = [  # given in no order: the priority decides
    DEFAULT,
    rule(30, forward("catch-all"), on_path("/orders/*", "/images/*")),
    rule(10, forward("writes"), on_path("/orders/*"), on_method("POST", "PUT")),
    rule(20, forward("orders"), on_path("/orders/*")),
    rule(5, [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain",
                                                                "MessageBody": "no"}}], on_path("/orders/secret")),
]


@pytest.mark.parametrize("method, path, priority, target", [
    ("GET", "/orders/1", "20", "orders"), ("POST", "/orders/1", "10", "writes"),
    ("GET", "/images/1", "30", "catch-all"), ("GET", "/other", "default", "web"),
    ("POST", "/orders/secret", "5", None), ("POST", "/images/1", "30", "catch-all")])
def test_the_lowest_number_whose_conditions_all_hold_decides(method, path, priority, target):
    """Conditions of a rule: AND; values of a condition: OR; the default rule last."""
    decision = route(SHOP, Request(method, path=path))
    assert (decision.rule["Priority"], decision.target_group) == (priority, target)


def test_the_reasons_name_each_rule_looked_at_in_order():
    decision = route(SHOP, Request("GET", path="/orders/7"))
    assert [line.split(":")[0] for line in decision.because] == ["rule 5", "rule 10", "rule 20", "forward to orders"]
    assert decision.because[1] == "rule 10: no, method 'GET' does not fit 'POST' or 'PUT'"
    assert decision.because[2] == "rule 20: yes, path '/orders/7' fits '/orders/*'"
    assert route(SHOP, Request(path="/x")).because[-2] == "default rule: no rule before it matched"


def test_priorities_are_numbers_not_words():
    rules = [rule(9, forward("nine"), on_path("/*")), rule(10, forward("ten"), on_path("/*")), DEFAULT]
    assert route(rules, Request()).target_group == "nine"


def test_a_fixed_response_needs_no_target():
    decision = route(SHOP, Request(path="/orders/secret"))
    assert (decision.action, decision.status, decision.content_type, decision.body) == (
        "fixed-response", 403, "text/plain", "no")


@pytest.mark.parametrize("config, url, location", [
    # the page's examples
    ({"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"},
     "http://example.com/a/b?x=1", "https://example.com:443/a/b?x=1"),
    ({"Protocol": "HTTPS", "Port": "40443"}, "http://example.com/a?x=1", "https://example.com:40443/a?x=1"),
    ({"Path": "/new/#{path}"}, "https://example.com/old?x=1", "https://example.com:443/new/old?x=1"),
    # the API reference's
    ({"Host": "example.#{host}"}, "http://com/a", "http://example.com:80/a"),
    ({"Query": "#{query}&value=xyz", "Port": "81"}, "http://h.io/a?x=1", "http://h.io:81/a?x=1&value=xyz"),
    # corners
    ({"Protocol": "HTTPS", "Port": "443"}, "http://example.com/", "https://example.com:443/"),
    ({"Path": "/#{host}/#{port}/#{path}", "Query": ""}, "http://h.io:8080/p?q=1", "http://h.io:8080/h.io/8080/p"),
    ({"Host": "new.example.com", "Path": "/", "Query": ""}, "http://a.io/x?y", "http://new.example.com:80/"),
])
def test_a_redirect_keeps_what_it_does_not_change(config, url, location):
    """"Action types for listener rules", redirect actions: keywords; the leading / is not part of #{path}."""
    action = [{"Type": "redirect", "RedirectConfig": {**config, "StatusCode": "HTTP_301"}}]
    decision = route([{**DEFAULT, "Actions": action}], Request.of(url))
    assert (decision.action, decision.status, decision.location) == ("redirect", 301, location)


def test_what_a_client_sends_is_not_read_as_a_keyword():
    action = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_302"}}]
    decision = route([{**DEFAULT, "Actions": action}], Request(path="/#{query}", query="secret"))
    assert (decision.status, decision.location) == (302, "https://example.com:80/#{query}?secret")


def test_weights_share_the_requests():
    """Weights 10 and 20: the second group gets twice as many; 10 and 10: half each."""
    thirds = [{**DEFAULT, "Actions": weighted((BLUE, 10), (GREEN, 20))}]
    assert route(thirds, Request(), draw=0.33).target_group == BLUE
    assert route(thirds, Request(), draw=0.34).target_group == GREEN
    halves = [{**DEFAULT, "Actions": weighted((BLUE, 10), (GREEN, 10))}]
    rng, n = Random(1), 4000
    counts = Counter(route(halves, Request(), draw=rng.random()).target_group for _ in range(n))
    assert abs(counts[BLUE] - n / 2) < 4 * (n / 4) ** 0.5 and counts[BLUE] + counts[GREEN] == n


@FEW
@given(st.lists(st.integers(0, 999), min_size=1, max_size=5), st.floats(0, 1, exclude_max=True))
def test_a_group_of_weight_zero_is_never_drawn(weights, draw):
    groups = [{"TargetGroupArn": f"g{number}", "Weight": weight} for number, weight in enumerate(weights)]
    chosen = pick_weighted(groups, draw)
    assert (chosen is None) == (sum(weights) == 0)
    assert chosen is None or weights[int(chosen[1:])] > 0


def test_all_weights_zero_is_answered_with_503():
    decision = route([{**DEFAULT, "Actions": weighted((BLUE, 0), (GREEN, 0))}], Request())
    assert (decision.target_group, decision.status) == (None, 503)


def test_the_group_cookie_binds_a_client_while_it_lives():
    """"Sticky sessions and weighted target groups": 1000 seconds, renewed by each answer."""
    rules = [{**DEFAULT, "Actions": weighted((BLUE, 50), (GREEN, 50), sticky=1000)}]
    first = route(rules, Request(), draw=0.1, now=0)
    assert first.target_group == BLUE and first.cookie.expires == 1000
    again = replace(Request(), cookie=first.cookie)
    kept = route(rules, again, draw=0.9, now=999)
    assert kept.target_group == BLUE and kept.cookie.expires == 1999 and "AWSALBTG" in kept.because[-1]
    assert route(rules, again, draw=0.9, now=1000).target_group == GREEN


def test_without_stickiness_a_cookie_counts_for_nothing():
    sticky = [{**DEFAULT, "Actions": weighted((BLUE, 50), (GREEN, 50), sticky=60)}]
    plain = [{**DEFAULT, "Actions": weighted((BLUE, 50), (GREEN, 50))}]
    returning = replace(Request(), cookie=route(sticky, Request(), draw=0.1).cookie)
    assert route(plain, returning, draw=0.9).target_group == GREEN
    gone = [{**DEFAULT, "Actions": weighted((GREEN, 50), ("arn:red", 50), sticky=60)}]
    assert route(gone, returning, draw=0.1).target_group == GREEN


def test_transforms_change_the_request_and_not_the_choice():
    """The two examples of "Transforms for listener rules"."""
    transforms = [{"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [
                      {"Regex": "^mywebsite-(.+).com$", "Replace": "internal.dev.$1.myweb.com"}]}},
                  {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [
                      {"Regex": "^/dp/([A-Za-z0-9]+)/?$", "Replace": "/product.php?id=$1"}]}}]
    rules = [rule(1, forward("shop"), on_path("/dp/*"), transforms=transforms), DEFAULT]
    decision = route(rules, Request.of("https://mywebsite-example.com/dp/B09G3HRMW"))
    assert decision.target_group == "shop"
    seen = decision.forwarded
    assert (seen.host, seen.path, seen.query) == ("internal.dev.example.myweb.com", "/product.php", "id=B09G3HRMW")
    untouched = Request.of("https://other.com/dp/B09/more")
    assert route(rules, untouched).forwarded == untouched


def test_a_rewrite_that_matches_and_fails_is_a_500():
    broken = [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/$1"}]}}]
    decision = route([rule(1, forward("x"), on_path("/*"), transforms=broken), DEFAULT], Request(path="/a"))
    assert (decision.status, decision.target_group) == (500, None)
    assert route([rule(1, forward("x"), on_path("/*"), transforms=broken), DEFAULT], Request()).target_group == "x"


def test_a_path_pattern_does_not_alter_the_request():
    """"Path conditions": /img/* forwards /img/picture.jpg as /img/picture.jpg."""
    request = Request(path="/img/./picture.jpg", query="a=1")
    assert route([rule(1, forward("images"), on_path("/img/*")), DEFAULT], request).forwarded == request


def test_actions_go_by_order_and_authentication_is_said_to_be_skipped():
    actions = [{"Type": "forward", "TargetGroupArn": "app", "Order": 2}, {"Type": "authenticate-oidc", "Order": 1}]
    decision = route([{**DEFAULT, "Actions": actions}], Request())
    assert decision.target_group == "app" and any("authenticate-oidc: not modelled" in line for line in decision.because)


def test_misuse_is_answered_in_words():
    with pytest.raises(ValueError, match="no default rule"):
        route([rule(1, forward("x"), on_path("/*"))], Request())
    with pytest.raises(ValueError, match="from 0 up to"):
        route([DEFAULT], Request(), draw=1.0)


CONDITIONS = st.sampled_from([
    on_path("/a*"), on_path("/?"), on_path("/A", "/b"), on_method("GET"), on_method("POST", "PUT"),
    {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
    {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X", "Values": ["1*"]}},
    {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "k", "Value": "v*"}]}},
    {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}}])
REQUESTS = st.builds(Request, st.sampled_from(["GET", "POST"]), st.sampled_from(["a.example.com", "example.com"]),
                     st.sampled_from(["/", "/a", "/A", "/ab"]), st.sampled_from(["", "k=v1"]),
                     st.sampled_from([(), (("x", "12"),)]), st.sampled_from(["192.0.2.9", "198.51.100.1"]))
RULES = st.lists(st.lists(CONDITIONS, min_size=1, max_size=3), max_size=6).map(
    lambda found: [rule(10 * number + 10, forward(f"g{number}"), *conditions)
                   for number, conditions in enumerate(found)] + [DEFAULT])


@FEW
@given(RULES, REQUESTS, st.lists(CONDITIONS, min_size=1, max_size=2))
def test_a_rule_of_lower_rank_never_changes_what_a_rule_decided(rules, request, extra):
    """Metamorphic: append a rule behind all others; only requests of the default rule may go elsewhere."""
    before = route(rules, request)
    after = route([*rules, rule(9999, forward("late"), *extra)], request)
    assert after.target_group == before.target_group or (before.rule is DEFAULT and after.target_group == "late")


@FEW
@given(RULES, REQUESTS, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(rules, request, random):
    mixed = list(rules)
    random.shuffle(mixed)
    assert route(mixed, request).target_group == route(rules, request).target_group


@FEW
@given(RULES, REQUESTS, CONDITIONS)
def test_one_more_condition_never_widens_a_rule(rules, request, extra):
    for each in rules[:-1]:
        narrower = {**each, "Conditions": [*each["Conditions"], extra]}
        assert matches(each, request)[0] or not matches(narrower, request)[0]


@FEW
@given(RULES, REQUESTS)
def test_the_decision_is_the_first_match_by_hand(rules, request):
    """Oracle: go through the rules in the order of their numbers, one by one."""
    expected = next((each for each in sorted(rules[:-1], key=lambda r: int(r["Priority"]))
                     if matches(each, request)[0]), DEFAULT)
    assert route(rules, request).rule is expected
