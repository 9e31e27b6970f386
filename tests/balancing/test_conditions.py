"""Conditions of listener rules: Application Load Balancer guide, "Condition types for listener rules"."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.conditions import Request, condition_holds, normalize, wildcard

FEW = settings(derandomize=True, deadline=None, max_examples=150)


def host(*values):
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def path(*values):
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def header(name, *values):
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


def method(*values):
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(values)}}


def query(*values):
    return {"Field": "query-string", "QueryStringConfig": {"Values": list(values)}}


def source(*values):
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


def regex(field, config, expression, **more):
    return {"Field": field, config: {"RegexValues": [expression], **more}}


CHROME = {"User-Agent": "Mozilla/5.0 Chrome/120"}
CASES = [
    # the page's own examples
    (host("*.example.com"), Request(host="test.example.com"), True),
    (host("*.example.com"), Request(host="example.com"), False),
    (header("User-Agent", "*Chrome*", "*Safari*"), Request(headers=CHROME), True),
    (header("User-Agent", "*Chrome*", "*Safari*"), Request(headers={"User-Agent": "curl/8"}), False),
    (method("CUSTOM-METHOD"), Request("CUSTOM-METHOD"), True),
    (path("/img/*"), Request(path="/img/picture.jpg"), True),
    (path("/img/*/pics"), Request(path="/img/2026/pics"), True),
    (query({"Key": "version", "Value": "v1"}, {"Value": "*example*"}), Request(query="version=v1"), True),
    (query({"Key": "version", "Value": "v1"}, {"Value": "*example*"}), Request(query="a=my-example"), True),
    (query({"Key": "version", "Value": "v1"}, {"Value": "*example*"}), Request(query="version=v2"), False),
    (source("192.0.2.0/24", "198.51.100.10/32"), Request(source_ip="192.0.2.200"), True),
    (source("192.0.2.0/24", "198.51.100.10/32"), Request(source_ip="198.51.100.11"), False),
    (regex("host-header", "HostHeaderConfig", r"^(.*)\.example\.com$"), Request(host="a.example.com"), True),
    (regex("http-header", "HttpHeaderConfig", ".+", HttpHeaderName="User-Agent"), Request(headers=CHROME), True),
    (regex("path-pattern", "PathPatternConfig", r"^\/api\/(.*)$"), Request(path="/api/orders"), True),
    (regex("path-pattern", "PathPatternConfig", r"^\/api\/(.*)$"), Request(path="/v2/api/orders"), False),
    # case: host, header, query no; path and method yes
    (host("Shop.EXAMPLE.com"), Request(host="sHOP.example.COM"), True),
    (path("/Img/*"), Request(path="/img/a"), False),
    (method("GET"), Request("get"), False),
    (header("user-AGENT", "*chrome*"), Request(headers=CHROME), True),
    (query({"Key": "Version", "Value": "V1"}), Request(query="version=v1"), True),
    (regex("path-pattern", "PathPatternConfig", "^/API"), Request(path="/api"), False),
    (regex("host-header", "HostHeaderConfig", "^API"), Request(host="api.example.com"), True),
    # the whole value must fit; * can be nothing, ? is exactly one
    (path("/img/*"), Request(path="/img/"), True),
    (path("/img/*"), Request(path="/img"), False),
    (path("/img"), Request(path="/img/"), False),
    (path("/v?/x"), Request(path="/v1/x"), True),
    (path("/v?/x"), Request(path="/v12/x"), False),
    (path("/v?/x"), Request(path="/v/x"), False),
    (path("/a.b"), Request(path="/axb"), False),
    (path("/*"), Request(path="/a/b/c"), True),
    # the query is not part of the path
    (path("*.jpg"), Request(path="/cat.jpg", query="size=2"), True),
    (path("*size*"), Request(path="/cat.jpg", query="size=2"), False),
    # normalized before the comparison
    (path("/admin/*"), Request(path="/public/../admin/users"), True),
    (path("/admin/*"), Request(path="/%61dmin/users"), True),
    # several headers of one name, a missing header, X-Forwarded-For
    (header("X-Tag", "b"), Request(headers=[("X-Tag", "a"), ("x-tag", "B")]), True),
    (header("X-Tag", "*"), Request(), False),
    (source("203.0.113.9/32"), Request(headers={"X-Forwarded-For": "203.0.113.9"}), False),
    (header("X-Forwarded-For", "203.0.113.9"), Request(headers={"X-Forwarded-For": "203.0.113.9"}), True),
    # methods know no wildcards
    (method("*"), Request("GET"), False),
    (method("GET", "HEAD"), Request("HEAD"), True),
    # query strings: escaped wildcards, a part without key
    (query({"Key": "q", "Value": r"what\?"}), Request(query="q=what?"), True),
    (query({"Key": "q", "Value": r"what\?"}), Request(query="q=whats"), False),
    (query({"Value": "beta"}), Request(query="beta"), True),
    (query({"Value": "beta"}), Request(query="beta=1"), False),
    (query({"Key": "a", "Value": "*"}), Request(query="b=1&A=2"), True),
    (query({"Value": "*"}), Request(query=""), False),
    # addresses: IPv6, and no mixing
    (source("2001:db8::/32"), Request(source_ip="2001:db8::7"), True),
    (source("0.0.0.0/0"), Request(source_ip="2001:db8::7"), False),
    (source("::/0"), Request(source_ip="192.0.2.1"), False),
    # the older shape: values beside the field
    ({"Field": "path-pattern", "Values": ["/old/*"]}, Request(path="/old/x"), True),
    ({"Field": "host-header", "Values": ["old.example.com"]}, Request(host="OLD.example.com"), True),
    ({"Field": "path-pattern", "RegexValues": ["^/x"]}, Request(path="/x1"), True),
]


@pytest.mark.parametrize("condition, request_, expected", CASES)
def test_a_condition_holds_or_not(condition, request_, expected):
    holds, reason = condition_holds(condition, request_)
    assert holds is expected
    assert ("fits" in reason) is expected and ("does not" in reason or "there is no" in reason) is not expected


@FEW
@given(st.text("ab/?*.", max_size=8), st.text("ab/.", max_size=10))
def test_wildcards_agree_with_fnmatch(pattern, text):
    """An independent implementation of * and ?."""
    assert wildcard(text, pattern) == fnmatchcase(text, pattern)


@FEW
@given(st.lists(st.sampled_from(["a", "b", ".", "..", "%41", "%2f", ""]), max_size=6))
def test_normalizing_twice_changes_nothing_more(segments):
    once = normalize("/" + "/".join(segments))
    assert normalize(once) == once
    assert once.startswith("/") and ".." not in once.split("/") and "." not in once.split("/")


@pytest.mark.parametrize("given_, expected", [
    ("/a/b/../c", "/a/c"), ("/a/b/..", "/a/"), ("/..", "/"), ("/a/./b", "/a/b"), ("/%7euser", "/~user"),
    ("/a%2fb", "/a%2Fb"), ("/a//b", "/a//b"), ("/%e2%82%ac", "/%E2%82%AC"), ("*", "*")])
def test_normalization_is_rfc_3986(given_, expected):
    assert normalize(given_) == expected


def test_a_request_of_a_url():
    request = Request.of("https://Shop.example.com:8443/a/b?x=1&y=2", "POST", {"A": "1"}, source_ip="192.0.2.1")
    assert request == Request("POST", "shop.example.com", "/a/b", "x=1&y=2", (("A", "1"),), "192.0.2.1", "HTTPS", 8443)
    assert Request.of("http://example.com").path == "/"
    with pytest.raises(ValueError, match="whole URL"):
        Request.of("/just/a/path")
