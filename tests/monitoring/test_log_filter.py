"""Filter patterns, held to the CloudWatch Logs User Guide, "Filter and pattern syntax": its own examples first."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.monitoring.log_filter import MetricFilter, compile_pattern

BOTH, ERROR, WARN = "ERROR WARN message", "ERROR message", "WARN message"


@pytest.mark.parametrize("pattern, message, passes", [
    ("", "anything", True), ("   ", "", True),
    ("ERROR", "[ERROR] A fatal exception has occurred", True), ("ERROR", "Exiting with ERRORCODE: -1", True),
    ("ERROR", "error", False), ('ERROR -Exiting', "Exiting with ERRORCODE: -1", False),
    ('"ERROR" - "Exiting"', "Exiting with ERRORCODE: -1", False), ('"ERROR" - "Exiting"', "ERRORCODE: -1", True),
    ("ERROR Exception", "[ERROR] Caught IllegalArgumentException", True), ("ERROR Exception", "[ERROR] x", False),
    ('"Failed to process the request"', "[WARN] Failed to process the request", True),
    ('"Failed to process the request"', "[WARN] Failed to process a request", False),
    ("Failed request", "[WARN] Failed to process the request", True),
    ("?ERROR ?WARN", BOTH, True), ("?ERROR ?WARN", ERROR, True), ("?ERROR ?WARN", WARN, True),
    ("?ERROR ?WARN", "INFO message", False), ("ERROR WARN", ERROR, False), ("ERROR WARN", BOTH, True),
    ("ERROR -WARN", BOTH, False), ("ERROR -WARN", ERROR, True), ("-WARN", "INFO", True),
    ("?INFO REQUEST", "[WARN] UNAUTHORIZED REQUEST", True), ("?INFO REQUEST", "[INFO] started", False),
    ("%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", True), (r"%[Ee]rror|[Ff]ail%", "It fails", True),
    (r"%^[hc]at%", "that", False), (r"%[hc]at$%", "that", True), (r"%\d{1,3}\.\d{1,3}%", "at 10.7", True),
    (r'"a \"b\" c"', 'x a "b" c y', True), ('"a-b"', "a-b", True),
])
def test_terms(pattern, message, passes):
    assert compile_pattern(pattern).matches(message) is passes


TRAIL = json.dumps({"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111",
                    "arrayKey": ["value", "another value"], "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
                    "SomeObject": None, "ThisFlag": True, "account": "123456789012", "latency": 50, "odd": "Ev*ent"})
PEOPLE = json.dumps({"user": {"id": 1, "email": "John.Stiles@example.com"},
                     "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
                     "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]})


@pytest.mark.parametrize("condition, passes", [
    ('$.eventType = "UpdateTrail"', True), ("$.eventType = UpdateTrail", True), ("$.eventType = updateTrail", False),
    ("$.sourceIPAddress != 123.123.*", True), ("$.sourceIPAddress != 111.111.*", False),
    ('$.arrayKey[0] = "value"', True), ('$.arrayKey[1] = "value"', False), ('$.arrayKey[9] = "value"', False),
    ("$.objectList[1].id = 2", True), ("$.objectList[1].id = 3", False), ("$.eventType[0] = U", False),
    ("$.SomeObject IS NULL", True), ("$.ThisFlag IS NULL", False), ("$.missing IS NULL", False),
    ("$.SomeOtherObject NOT EXISTS", True), ("$.SomeObject NOT EXISTS", False), ("$.ThisFlag IS TRUE", True),
    ("$.ThisFlag IS FALSE", False), ("$.latency >= 50", True), ("$.latency > +50", False), ("$.latency < 10e3", True),
    ("$.latency < 10e-3", False), ("$.latency <= 55.5", True), ("$.latency != 500", True), ("$.latency = *", True),
    ("$.missing = *", False), ("$.SomeObject = *", False), ("$.SomeObject != x", False), ("$.missing != x", False), ("$.eventType = *Trail", True), ("$.eventType = Update*", True),
    ("$.eventType = *date*", True), ("$.eventType = Up*ail", False), ("$.odd = Ev*ent", True), ("$.eventType > 3", False),
    ("$.account = 123456789012", True), ('$.eventType = %^Up.*l$%', True), ('$.eventType != %Trail%', False),
    ("$.arrayKey = 1", False), ("$.arrayKey != 1", False), ("$.objectList[0] != 1", False),
])
def test_json_conditions(condition, passes):
    """A selector that points to an array or an object matches neither = nor !=."""
    assert compile_pattern("{ " + condition + " }").matches(TRAIL) is passes


@pytest.mark.parametrize("pattern, passes", [
    ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
    ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
    ('{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }', True),
    ('{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch }', False),
    ("{$.coordinates[0][1]=1&&$.actions[0]=GET}", True),
])
def test_and_binds_before_or(pattern, passes):
    """ "JSON compound conditions": () before && before ||."""
    assert compile_pattern(pattern).matches(PEOPLE) is passes


@pytest.mark.parametrize("message", ["no json", "[1]", "5", "", '{"a": }'])
def test_given_a_line_that_is_no_json_object_then_no_json_pattern_matches(message):
    assert not compile_pattern("{ $.a NOT EXISTS }").matches(message)


APACHE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize("pattern, passes", [
    ("[ip, user, username, timestamp, request, status_code, bytes]", True),
    ("[ip, user, username, timestamp, request, status_code]", False), ("[..., status_code, bytes]", True),
    ("[ip, user, ..., status_code = 404, bytes]", True), ("[ip, user, ...]", True), ("[...]", True),
    ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", True),
    ("[ip, user, username, timestamp, request, status_code, bytes > 2000]", False),
    ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", True),
    ("[ip, user, username, timestamp, request, status_code = 4* && bytes > 1000]", False),
    ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]", True),
    ("[ip, user, username, timestamp, request, status_code = 403 || status_code = 404, bytes]", True),
    ("[ip, user, username, timestamp, request, (status_code = 403 || status_code = 500), bytes]", False),
    ("[ip=127.0.0.*, ..., status_code=%4\\d{2}%, bytes]", True), ("[ip=10.*, ...]", False),
    ("[w=!127.0.0.1, ...]", False), ("[a, b, c, d, e, f, g, h, ...]", False),
])
def test_space_delimited(pattern, passes):
    assert compile_pattern(pattern).matches(APACHE) is passes


def test_given_a_pattern_of_two_fields_then_a_line_of_three_does_not_match():
    """ "OR pattern matching": [w1=ERROR, w2] matches the second of the guide's three lines alone."""
    pattern = compile_pattern("[w1=ERROR || w1=WARN, w2]")
    assert [pattern.matches(line) for line in (BOTH, ERROR, WARN)] == [False, True, True]


def test_extracted_fields_are_the_guides():
    """Fields with a name under it, the others under their number in the line."""
    assert compile_pattern("[..., request=*.html*, status_code=4*,]").extract(APACHE) == {
        "$1": "127.0.0.1", "$2": "-", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0", "$status_code": "404", "$7": "1534"}


@pytest.mark.parametrize("pattern, place, words", [
    ("ORDER-ITEM-1", 1, "double quotes"), ('ok "open', 4, "never closed"), ("a %b!%", 3, "cannot have '!'"),
    ("%a(b)%", 1, "cannot have '('"), ("%a[%", 1, "cannot be read"), ("%open", 1, "never closed"),
    ("{ $.a }", 7, "one of ="), ("{ $.a = }", 9, "a value"), ("{ a = 1 }", 3, "begins with $"), ("{ $ = 1 }", 5, "names a property"),
    ("{ $[0] = 1 }", 8, "names a property"), ("{ $.a = 1 && }", 14, "begins with $"), ("{ ($.a = 1 }", 12, "')'"),
    ("{ $.a = 1 } x", 13, "is over"), ("{ $.a IS 5 }", 10, "TRUE, FALSE or NULL"), ('{ $.a > "x" }', 9, "numbers only"),
    ("{ $.a = x@y }", 10, "'}'"), ("[a, b", 6, "','"), ("[..., ...]", 10, "one '...'"), ("{ $.a = 1 ", 11, "'}'"),
    ("{ $.a = %a% && $.b = %b% && $.c = %c% }", 35, "at most 2"),
])
def test_given_a_pattern_that_cannot_be_read_then_the_error_says_where(pattern, place, words):
    with pytest.raises(ServiceError) as caught:
        compile_pattern(pattern)
    assert caught.value.code == "InvalidParameterException"
    assert f"at character {place}:" in caught.value.message and words in caught.value.message


def test_a_pattern_has_1024_characters_at_most():
    """API Reference, "FilterPattern"."""
    compile_pattern("a" * 1024)
    with pytest.raises(ServiceError, match="1024"):
        compile_pattern("a" * 1025)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_whatever_is_typed_gives_a_pattern_or_a_service_error(text):
    try:
        compile_pattern(text).matches(APACHE)
    except ServiceError as error:
        assert error.code == "InvalidParameterException"


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
def test_numbers_compare_as_python_compares_them(value, wanted, sign):
    python = {"=": value == wanted, "!=": value != wanted, "<": value < wanted, "<=": value <= wanted,
              ">": value > wanted, ">=": value >= wanted}[sign]
    assert compile_pattern(f"{{ $.n {sign} {wanted!r} }}").matches(json.dumps({"n": value})) is python


# ---------------------------------------------------------------------- metric filters


def events(*lines, start=0.0, step=10.0):
    return [{"timestamp": int((start + number * step) * 1000), "message": line} for number, line in enumerate(lines)]


def test_the_guides_two_minutes():
    """ "Setting how the metric value changes": two matches make 2; the next minute's two lines give the default 0."""
    made = MetricFilter("ERROR", "errors", "shop", "1", defaultValue=0).data_points(
        events("ERROR a", "ERROR b") + events("a", "b", start=60))
    sums = {minute: sum(p["Value"] for p in made if p["Timestamp"] // 60 == minute) for minute in (0, 1)}
    assert sums == {0: 2, 1: 0} and len(made) == 4


def test_given_a_minute_with_a_match_then_its_other_lines_report_no_default():
    for lines in (("ERROR", "a"), ("a", "ERROR", "b")):
        assert [p["Value"] for p in MetricFilter("ERROR", "errors", "shop", defaultValue=7).data_points(events(*lines))] == [1]


def test_given_no_default_then_a_quiet_minute_reports_nothing():
    assert MetricFilter("ERROR", "errors", "shop").data_points(events("a", "b")) == []
    assert MetricFilter("ERROR", "errors", "shop", defaultValue=0).data_points([]) == []


def test_the_value_comes_from_the_line():
    """ "Publishing numerical values found in log entries": { $.latency = * } with $.latency."""
    made = MetricFilter("{ $.latency = * }", "latency", "shop", "$.latency", dimensions={"Path": "$.path"}).data_points(
        events('{"latency": 50, "path": "/cart"}', '{"latency": "12.5", "path": "/"}', '{"latency": "slow", "path": "/"}',
               '{"latency": 3}', "no json"))
    assert [(p["Value"], p["Dimensions"]) for p in made] == [(50, {"Path": "/cart"}), (12.5, {"Path": "/"})]
    made = MetricFilter("[ip, ..., bytes>1000]", "bytes", "shop", "$bytes").data_points(events(APACHE))
    assert [p["Value"] for p in made] == [1534]


@pytest.mark.parametrize("given, words", [
    (dict(pattern="ERROR", metricValue="$.latency"), "pattern of terms"), (dict(pattern="x", metricValue="many"), "neither a number"),
    (dict(pattern="{ $.a = 1 }", defaultValue=0, dimensions={"A": "$.a"}), "no default"),
    (dict(pattern="{ $.a = 1 }", dimensions={n: "$.a" for n in "abcd"}), "3 dimensions"),
    (dict(pattern="{ $.a = 1 }", metricValue="$$"), "names a property"), (dict(pattern="{"), "begins with $"),
])
def test_metric_filters_that_are_refused(given, words):
    with pytest.raises(ServiceError) as caught:
        MetricFilter(**{"metricName": "m", "metricNamespace": "n"} | given)
    assert caught.value.code == "InvalidParameterException" and words in caught.value.message
