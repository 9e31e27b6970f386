"""Queries, held to the CloudWatch Logs User Guide, "CloudWatch Logs Insights query syntax" and "dedup": its examples first."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.monitoring.log_insights import query


def events(*messages, step=60):
    return [{"timestamp": number * step * 1000, "message": one if isinstance(one, str) else json.dumps(one),
             "logStreamName": "web"} for number, one in enumerate(messages)]


def ask(text, *messages, **more):
    """The rows as dicts, oldest question first, without the pointers."""
    return [{pair["field"]: pair["value"] for pair in row if pair["field"] != "@ptr"}
            for row in query(text, events(*messages, **more), 0, 10**7)["results"]]


REQUESTS = [{"status": status, "ms": ms, "path": path, "user": {"id": number % 2}} for number, (status, ms, path) in
            enumerate([(200, 10, "/"), (500, 40, "/cart"), (200, 20, "/cart"), (503, 30, "/"), (200, 50, "/cart"), (404, 5, "/x")])]


def test_without_fields_there_are_timestamp_and_message_newest_first():
    [first, second] = query("limit 2", events("a", "b", "c"), 0, 1000)["results"]
    assert first == [{"field": "@timestamp", "value": "1970-01-01 00:02:00.000"}, {"field": "@message", "value": "c"},
                     {"field": "@ptr", "value": "pointer-00000002"}]
    assert second[1]["value"] == "b"


@pytest.mark.parametrize("condition, count", [
    ("status = 200", 3), ("status != 200", 3), ("status >= 500", 2), ("(status>=500)", 2), ("status = '200'", 3),
    ("status >= 500 and path = '/cart'", 1), ("status = 404 or status = 500 and ms > 100", 1), ("not status = 200", 3),
    ("status like /5\\d\\d/", 2), ("path like 'ca'", 3), ('path =~ "art"', 3), ("path not like /art/", 3), ("@message like /(?i)CART/", 3),
    ("path =~ /^(?i)\\/CART$/", 3), ("status in [404, 500, 503]", 3), ("status not in [404, 500, 503]", 3), ("path in ['/c']", 0),
    ("ispresent(user.id)", 6), ("isPresent(user.name)", 0), ("user.name = 1", 0), ("user.name != 1", 0), ("user.id = 1", 3),
    ("ms * 2 > 60 and ms / 10 <= 4", 1), ("2 ^ 3 = 8", 6), ("10 % 3 = 1", 6), ("2 + 3 * 4 = 14", 6), ("(2 + 3) * 4 = 20", 6),
    ("ms - 5 = 0", 1), ("-ms = -5", 1), ("abs(-3) = 3", 6), ("ms / 0 = 1", 0), ("2 ^ 3 ^ 2 = 512", 6), ("path >= '/c'", 4),
    ("@logStream = 'web'", 6), ("not (status = 200 or status = 404)", 2), ("@timestamp >= 180000", 3),
])
def test_filter(condition, count):
    assert len(ask(f"filter {condition}", *REQUESTS)) == count


@pytest.mark.parametrize("expression, value", [
    ('ltrim("xyZfooxyZ","xyZ")', "fooxyZ"), ('rtrim("xyZfooxyZ","xyZ")', "xyZfoo"), ('trim("xyZfooxyZ","xyZ")', "foo"),
    ('trim("  a ")', "a"), ('substr("xyZfooxyZ",3, 3)', "foo"), ('substr("xyZfoo",3)', "foo"), ('replace("foo","o","0")', "f00"),
    ('strcontains("foo","oo")', "1"), ('strcontains("foo","x")', "0"), ('strlen("añb")', "3"), ('toupper("ab")', "AB"),
    ('tolower("AB")', "ab"), ("concat(path, '-', status)", "/-200"), ("coalesce(none, path)", "/"), ("ceil(2.1)", "3"),
    ("floor(2.9)", "2"), ("greatest(1, 5, 3)", "5"), ("least(4, 2)", "2"), ("sqrt(2)", "1.4142"), ("log(1)", "0"),
    ("isempty(none)", "1"), ('isblank("  ")', "1"), ("isempty(path)", "0"), ("datefloor(@timestamp, 1h)", "1970-01-01 00:00:00.000"),
    ("dateceil(fromMillis(1), 1h)", "1970-01-01 01:00:00.000"), ("toMillis(@timestamp)", "0"), ("fromMillis(1500)", "1970-01-01 00:00:01.500"),
    ('isValidIp("10.0.0.1")', "1"), ('isValidIpV6("10.0.0.1")', "0"), ('isIpInSubnet("192.0.2.7", "192.0.2.0/24")', "1"),
    ('isIpv6InSubnet("2001:db8::1", "2001:db8::/32")', "1"), ('isIpv4InSubnet("2001:db8::1", "2001:db8::/32")', "0"), ("1 / 3", "0.3333"),
])
def test_functions_are_the_guides(expression, value):
    """ "Supported operations and functions": the examples of the tables."""
    assert ask(f"fields {expression} as x", REQUESTS[0]) == [{"x": value}]


LINE = "25 May 2019 10:24:39,474 [ERROR] {foo=2, bar=data} The error was: DataIntegrityException"


@pytest.mark.parametrize("parse", [
    'parse @message "[*] * The error was: *" as level, config, exception',
    r"parse @message /\[(?<level>\S+)\]\s+(?<config>\{.*\})\s+The error was: (?<exception>\S+)/",
])
def test_parse_takes_the_guides_line_apart_by_glob_and_by_regex(parse):
    assert ask(f"{parse} | display level, config, exception", LINE) == [
        {"level": "ERROR", "config": "{foo=2, bar=data}", "exception": "DataIntegrityException"}]


def test_given_a_line_that_does_not_fit_then_parse_adds_no_fields():
    assert ask("parse @message '[*]' as level | stats count(level) as n, count(*) as all", "no", "[x]") == [{"n": "1", "all": "2"}]


def test_stats_in_groups():
    assert ask("stats count(*) as n, sum(ms), avg(ms), min(ms), max(ms) by path | sort n desc", *REQUESTS)[0] == {
        "path": "/cart", "n": "3", "sum(ms)": "110", "avg(ms)": "36.6667", "min(ms)": "20", "max(ms)": "50"}
    assert ask("stats pct(ms, 50) as p, stddev(ms) as s, count_distinct(path) as d, sum(ms)/count(*) as mean", *REQUESTS) == [
        {"p": "20", "s": "15.9208", "d": "3", "mean": "25.8333"}]
    assert ask("stats earliest(status) as e, latest(status) as l, sortsFirst(path) as f", *REQUESTS) == [
        {"e": "200", "l": "404", "f": "/"}]
    assert ask("stats count(*) as n by path | filter n > 2 | stats max(n) as most", *REQUESTS) == [{"most": "3"}]
    assert ask("stats count(*) as n", ) == []


def test_bins_of_five_minutes():
    rows = ask("stats count(*) by bin(5m) | sort `bin(5m)` asc", *REQUESTS)
    assert rows == [{"bin(5m)": "1970-01-01 00:00:00.000", "count(*)": "5"}, {"bin(5m)": "1970-01-01 00:05:00.000", "count(*)": "1"}]
    assert ask("stats count(*) as n by bin(2 m)" .replace("2 m", "2mins"), *REQUESTS)[0]["n"] == "2"


def test_sort_limit_display_and_comments():
    text = "fields ms, path # the slowest\n| sort path asc, ms desc\n# | filter ms > 100\n| limit 3 | display ms"
    assert ask(text, *REQUESTS) == [{"ms": "30"}, {"ms": "10"}, {"ms": "50"}]
    assert ask("fields ms | display path | display status | limit 1", *REQUESTS) == [{"status": "404"}]
    assert ask("fields ms | fields path | limit 1", *REQUESTS) == [{"ms": "5", "path": "/x"}]


def test_dedup_keeps_the_first_of_a_kind_and_all_without_a_value():
    """ "dedup": newest first unless sorted; null values are no duplicates."""
    lines = [{"server": "a", "n": 1}, {"n": 2}, {"server": "a", "n": 3}, {"n": 4}]
    assert ask("fields n | dedup server", *lines) == [{"n": "4"}, {"n": "3"}, {"n": "2"}]
    assert ask("fields n | sort n asc | dedup server | limit 1", *lines) == [{"n": "1"}]


def test_fields_of_json_are_discovered_with_dots():
    """ "Fields in JSON logs": requestParameters.instancesSet.items.0.instanceId; a name with @ gets a second one."""
    line = {"requestParameters": {"instancesSet": {"items": [{"instanceId": "i-abcde123"}]}}, "@odd": 1, "foo-bar": 2, "ok": True}
    assert ask("fields requestParameters.instancesSet.items.0.instanceId, @@odd, `foo-bar`, ok", line) == [
        {"requestParameters.instancesSet.items.0.instanceId": "i-abcde123", "@@odd": "1", "foo-bar": "2", "ok": "1"}]
    assert ask("fields a", 'prefix {"a": 5} suffix') == [{"a": "5"}]


def test_the_time_range_and_the_statistics():
    answer = query("filter status >= 500 | limit 1", events(*REQUESTS), 60, 240)
    assert answer["statistics"]["recordsScanned"] == 4 and answer["statistics"]["recordsMatched"] == 2
    assert answer["statistics"]["bytesScanned"] == sum(len(json.dumps(one)) for one in REQUESTS[1:5])
    assert len(answer["results"]) == 1


def test_ten_thousand_rows_are_enough():
    """API Reference, "StartQuery": without a limit, 10,000."""
    assert len(query("fields @message", events(*"x" * 10_001, step=1), 0, 10**6)["results"]) == 10_000


@pytest.mark.parametrize("text, place, words", [
    ("", "line 1, position 1", "a command"), ("show x", "line 1, position 1", "no command show"), ("fields", "line 1, position 7", "a field"),
    ("filter a =", "line 1, position 11", "a field"), ("filter (a = 1", "line 1, position 14", "still open"), ("stats a by b", "position 7", "count(*)"),
    ("filter count(*) > 1 | stats", "line 1", ""), ("fields avg(a)", "position 8", "stats"), ("fields nope(a)", "position 8", "no function nope"),
    ("fields a\n| filter a ~ 1", "line 2, position 12", "cannot be read"), ("sort a desc b", "position 13", "Here comes |"),
    ("parse @message '* *' as a", "position 16", "2 * and 1 names"), ("parse @message /a(b)/", "position 16", "names its groups"),
    ("filter a like /(/", "position 15", "cannot be read"), ("filter a like b", "position 15", "regular expression"), ("limit x", "position 7", "how many"),
    ("dedup a | sort b", "position 11", "limit"), ("stats count(*) by bin(5x)", "position 23", "A period"), ("filter a in 5", "position 13", "a list"),
    ("fields substr(a)", "position 8", "2 to 3"), ("filter a not = 1", "position 14", "not goes with"),
])
def test_given_a_query_that_cannot_be_read_then_the_error_says_where(text, place, words):
    with pytest.raises(ServiceError) as caught:
        query(text, events(*REQUESTS), 0, 1000)
    assert caught.value.code == "MalformedQueryException" and place in caught.value.message and words in caught.value.message


def test_what_is_not_modelled_says_so():
    with pytest.raises(ValueError, match="pattern is not modelled"):
        query("pattern @message", [], 0, 1)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(["fields", "filter", "stats", "|", "a", "@message", "=", "5", "'x'", "/", "(", ")", "count(*)",
                                 "by", "bin(5m)", "like", "in", "[1]", "not", ",", "as", "sort", "limit", "#", "5m"]), max_size=9))
def test_whatever_is_typed_gives_rows_or_a_malformed_query(words):
    try:
        query(" ".join(words), events(*REQUESTS), 0, 1000)
    except ServiceError as error:
        assert error.code == "MalformedQueryException"


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=20), st.integers(1, 5))
def test_groups_add_up_to_the_whole(values, groups):
    rows = ask("stats sum(v) as s, count(*) as n by g", *({"v": value, "g": value % groups} for value in values))
    assert sum(int(row["s"]) for row in rows) == sum(values) and sum(int(row["n"]) for row in rows) == len(values)
    assert all(re.fullmatch(r"-?\d+", row["s"]) for row in rows)
