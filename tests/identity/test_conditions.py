"""Condition operators, against the tables of the IAM User Guide."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.identity.conditions import OPERATORS, Context, conditions_hold, glob, pattern, split_operator

MISSING = object()


def holds(operator, wanted, value=MISSING, variables=True, **others):
    context = Context(others | ({} if value is MISSING else {"k:key": value}))
    return conditions_hold({operator: {"k:key": wanted}}, context, variables)[0]


# "IAM JSON policy elements: Condition operators": operator, the policy's value, the request's value, does it hold?
OPERATOR_TABLE = [
    ("StringEquals", "ann", "ann", True), ("StringEquals", "ann", "Ann", False), ("StringEquals", "a*", "ann", False),
    ("StringEquals", "a*", "a*", True), ("StringEquals", ["x", "ann"], "ann", True), ("StringEquals", "5", 5, True),
    ("StringEquals", "true", True, True), ("StringEquals", "", "", True), ("StringEquals", [], "ann", False),
    ("StringNotEquals", "ann", "ann", False), ("StringNotEquals", ["x", "ann"], "ann", False),
    ("StringNotEquals", ["x", "y"], "ann", True), ("StringNotEquals", "ann", "Ann", True),
    ("StringEqualsIgnoreCase", "ANN", "ann", True), ("StringEqualsIgnoreCase", "a*", "ann", False),
    ("StringNotEqualsIgnoreCase", "ANN", "ann", False), ("StringNotEqualsIgnoreCase", "bob", "ann", True),
    ("StringLike", "a*", "ann", True), ("StringLike", "a?n", "ann", True), ("StringLike", "a?", "ann", False),
    ("StringLike", "A*", "ann", False), ("StringLike", "*", "", True), ("StringLike", "?", "", False),
    ("StringLike", "a.n", "ann", False), ("StringLike", "*b*", "a\nb\nc", True),
    ("StringNotLike", "a*", "ann", False), ("StringNotLike", ["b*", "c*"], "ann", True),
    ("NumericEquals", "10", "10.0", True), ("NumericEquals", 10, "10", True), ("NumericEquals", "ten", "10", False),
    ("NumericEquals", "NaN", "NaN", False), ("NumericNotEquals", "10", "10", False),
    ("NumericNotEquals", "10", "11", True), ("NumericNotEquals", ["10", "11"], "11", False),
    ("NumericLessThan", "10", "9.99", True), ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True), ("NumericLessThanEquals", "10", "11", False),
    ("NumericGreaterThan", "10", "11", True), ("NumericGreaterThan", "10", "9", False),  # as text, "9" > "10"
    ("NumericGreaterThanEquals", "10", "10", True), ("NumericGreaterThanEquals", "-1", "-2", False),
    ("NumericLessThan", ["5", "50"], "20", True),
    ("DateEquals", "2026-11-23T08:00:00Z", "2026-11-23T09:00:00+01:00", True),
    ("DateEquals", "1970-01-01T00:01:00Z", 60, True), ("DateEquals", "60", "1970-01-01T00:01:00Z", True),
    ("DateNotEquals", "2026-11-23", "2026-11-23T00:00:00Z", False), ("DateNotEquals", "2026-11-23", "2026-11-24", True),
    ("DateLessThan", "2026-12-01T00:00:00Z", "2026-11-30T23:59:59Z", True),
    ("DateLessThan", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", False),
    ("DateLessThanEquals", "2026-12", "2026-12-01T00:00:00Z", True),
    ("DateGreaterThan", "2020-01-01T00:00:01Z", "2026-01-01T00:00:00Z", True),
    ("DateGreaterThanEquals", "2026-01-01t00:00:00z", "2026-01-01T00:00:00.000Z", True),
    ("DateGreaterThan", "2026-01-01T00:00:00Z", "soon", False), ("DateNotEquals", "2026-01-01T00:00:00Z", "soon", True),
    ("Bool", "true", True, True), ("Bool", "true", "TRUE", True), ("Bool", True, "true", True),
    ("Bool", "false", False, True), ("Bool", "false", True, False), ("Bool", "yes", "yes", False),
    ("BinaryEquals", "QQ==", b"A", True), ("BinaryEquals", "QQ==", "QQ==", True), ("BinaryEquals", "QQ==", b"B", False),
    ("BinaryEquals", "no base64!", "no base64!", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.255", True), ("IpAddress", "203.0.113.0/24", "203.0.114.0", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True), ("IpAddress", "203.0.113.7/24", "203.0.113.9", True),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
    ("IpAddress", "203.0.113.0/24", "2001:db8::1", False), ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("IpAddress", ["203.0.113.0/24", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", "203.0.113.0/24", "here", False), ("IpAddress", "203.0.113.*", "203.0.113.7", False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False), ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
    ("NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], "198.51.100.1", False),
    ("ArnEquals", "arn:aws:sns:*:111122223333:t?", "arn:aws:sns:eu-west-1:111122223333:t1", True),
    ("ArnLike", "arn:aws:sns:*:111122223333:t?", "arn:aws:sns:eu-west-1:111122223333:T1", False),
    # the page's own example of what ArnLike refuses and StringLike accepts: a * stays within its part of the ARN
    ("ArnLike", "arn:aws:any:*:111122223333:finance/*",
     "arn:aws:any:us-east-2:999999999999:store/a:111122223333:finance/d", False),
    ("StringLike", "arn:aws:any:*:111122223333:finance/*",
     "arn:aws:any:us-east-2:999999999999:store/a:111122223333:finance/d", True),
    ("ArnLike", "arn:aws:logs:*:*:log-group:*", "arn:aws:logs:us-east-1:111122223333:log-group:a:b", True),
    ("ArnLike", "arn:aws:s3:::b", "no arn", False), ("ArnLike", "*", "arn:aws:s3:::b", True),
    ("ArnNotEquals", "arn:aws:iam::*:user/a", "arn:aws:iam::111122223333:user/a", False),
    ("ArnNotLike", ["arn:aws:iam::*:user/a", "arn:aws:iam::*:user/b"], "arn:aws:iam::111122223333:user/c", True),
    ("Null", "true", "x", False), ("Null", "false", "x", True), ("Null", False, "", True), ("Null", True, [], True),
    ("Null", ["true", "false"], "x", True),
]


@pytest.mark.parametrize("operator, wanted, value, expected", OPERATOR_TABLE)
def test_an_operator_compares_as_its_page_says(operator, wanted, value, expected):
    assert holds(operator, wanted, value) is expected


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_a_missing_key_fails_positive_operators_and_satisfies_negated_ones(operator):
    """Given a request without the key, when each operator is asked ("Condition operators", Important box)."""
    wanted = {"Null": "true", "Bool": "true"}.get(operator, "1")
    negated = "Not" in operator or operator == "Null"
    assert holds(operator, wanted) is negated
    if operator != "Null":
        assert holds(f"{operator}IfExists", wanted) is True
        assert holds(f"ForAllValues:{operator}", wanted) is True
        assert holds(f"ForAnyValue:{operator}", wanted) is False
        assert holds(f"ForAnyValue:{operator}IfExists", wanted) is True
        assert holds(f"ForAllValues:{operator}", wanted, []) is True
        assert holds(f"ForAnyValue:{operator}", wanted, "") is False


@pytest.mark.parametrize("operator", sorted(name for name in OPERATORS if name != "Null"))
def test_if_exists_changes_nothing_when_the_key_is_there(operator):
    for value in ("1", "true", "203.0.113.7", "arn:aws:s3:::b"):
        assert holds(f"{operator}IfExists", value, value) is holds(operator, value, value)


def test_null_true_means_the_key_must_be_absent():
    assert holds("Null", "true") and not holds("Null", "false") and holds("Null", "true", None)


# "Single-valued vs. multivalued context keys" and "Multivalued context key examples"
SET_TABLE = [
    ("ForAllValues:StringEquals", ["environment", "cost-center"], ["environment"], True),
    ("ForAllValues:StringEquals", ["environment", "cost-center"], ["environment", "cost-center"], True),
    ("ForAllValues:StringEquals", ["environment", "cost-center"], ["environment", "dept"], False),
    ("ForAllValues:StringEquals", ["environment", "cost-center"], MISSING, True),
    ("ForAnyValue:StringEquals", ["environment", "cost-center"], ["environment", "dept"], True),
    ("ForAnyValue:StringEquals", ["environment", "cost-center"], ["dept"], False),
    ("ForAnyValue:StringEquals", ["environment", "cost-center"], MISSING, False),
    ("ForAllValues:StringNotLike", ["key1*"], ["key1:hr", "key1:personnel"], False),
    ("ForAllValues:StringNotLike", ["key1*", "key2*"], ["key1:hr", "key2:audit"], False),
    ("ForAllValues:StringNotLike", ["key1*", "key2*"], ["key3:legal"], True),
    ("ForAllValues:StringNotLike", ["key1*"], MISSING, True),
    ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
    ("ForAnyValue:StringEquals", ["webserver"], "webserver", True),  # a single value is a set of one
    ("ForAllValues:StringEquals", ["webserver"], "database", False),
    ("ForAllValues:StringEquals", ["webserver"], [""], True), ("ForAnyValue:StringEquals", ["webserver"], [""], False),
    ("StringEquals", ["a"], ["a"], True), ("StringEquals", ["a"], ["b", "a"], True),
    ("StringNotEquals", ["a"], ["b", "a"], False),
]


@pytest.mark.parametrize("operator, wanted, value, expected", SET_TABLE)
def test_sets_of_values(operator, wanted, value, expected):
    assert holds(operator, wanted, value) is expected


def test_keys_and_operators_are_joined_by_and():
    """"Conditions with multiple context keys or values": every key of every operator must hold."""
    block = {"StringEquals": {"a:x": ["1", "2"], "a:y": "3"}, "ArnNotLike": {"a:z": "arn:aws:iam::*:user/a"}}
    right = {"a:x": "2", "a:y": "3", "a:z": "arn:aws:iam::111122223333:user/b"}
    assert conditions_hold(block, Context(right))[0]
    for key, wrong in (("a:x", "3"), ("a:y", "1"), ("a:z", "arn:aws:iam::111122223333:user/a")):
        held, reasons = conditions_hold(block, Context(right | {key: wrong}))
        assert not held and key in reasons[-1] and wrong in reasons[-1]


def test_key_names_have_no_case_but_values_do():
    context = Context({"aws:PrincipalTag/team": "Red"})
    assert conditions_hold({"StringEquals": {"AWS:principaltag/Team": "Red"}}, context)[0]
    assert not conditions_hold({"StringEquals": {"aws:x": "Red"}}, Context({"aws:x": "red"}))[0]


# "IAM policy elements: Variables and tags": value in the policy, value in the request, with aws:username = ann
VARIABLE_TABLE = [
    ("StringEquals", "${aws:username}", "ann", True), ("StringEquals", "${AWS:UserName}", "ann", True),
    ("StringLike", "home/${aws:username}/*", "home/ann/x", True),
    ("StringLike", "home/${aws:username}/*", "home/bob/x", False),
    ("StringEquals", "${aws:PrincipalTag/team, 'company-wide'}", "company-wide", True),
    ("StringEquals", "${aws:username, 'nobody'}", "ann", True), ("StringEquals", "${aws:none, ''}", "", True),
    ("StringEquals", "${aws:PrincipalTag/team}", "red", False),  # no value: nothing equals it ...
    ("StringNotEquals", "${aws:PrincipalTag/team}", "red", True),  # ... and everything differs from it
    ("StringNotEquals", ["red", "${aws:PrincipalTag/team}"], "red", False),
    ("StringLike", "${aws:PrincipalTag/team}*", "red", False), ("StringEquals", "${}", "", False),
    ("StringLike", "a${*}", "a*", True), ("StringLike", "a${*}", "ab", False), ("StringLike", "a${?}", "ab", False),
    ("StringLike", "${$}5", "$5", True), ("StringEquals", "a${*}", "a*", True),
    ("StringLike", "${k:star}", "x", False), ("StringLike", "${k:star}", "*", True),  # a value brings no wildcard
    ("StringEquals", "${k:several}", "a", False), ("StringEquals", "${k:one}", "a", True),
    ("ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::111122223333:user/ann", True),
    ("ArnEquals", "arn:aws:iam::*:user/${aws:none}", "arn:aws:iam::111122223333:user/ann", False),
    ("ArnNotEquals", "arn:aws:iam::*:user/${aws:none}", "arn:aws:iam::111122223333:user/ann", True),
    ("NumericEquals", "${k:number}", "7", False), ("NumericNotEquals", "${k:number}", "7", True),
    ("IpAddress", "${k:ip}", "203.0.113.7", False),
]


@pytest.mark.parametrize("operator, wanted, value, expected", VARIABLE_TABLE)
def test_variables_are_replaced_in_text_and_arns_only(operator, wanted, value, expected):
    keys = {"aws:username": "ann", "k:star": "*", "k:several": ["a", "b"], "k:one": ["a"], "k:number": "7",
            "k:ip": "203.0.113.7"}
    assert holds(operator, wanted, value, **keys) is expected


def test_without_the_version_a_variable_is_literal_text():
    keys = {"aws:username": "ann"}
    assert holds("StringEquals", "${aws:username}", "${aws:username}", variables=False, **keys)
    assert not holds("StringEquals", "${aws:username}", "ann", variables=False, **keys)


@pytest.mark.parametrize("name, split", [
    ("StringLike", ("", "StringLike", False)), ("ForAnyValue:ArnLikeIfExists", ("ForAnyValue", "ArnLike", True)),
    ("Null", ("", "Null", False)), ("NullIfExists", None), ("ForAnyValue::StringLike", None), ("StringLikes", None),
    ("stringlike", None), ("IfExists", None), ("ForSomeValues:Bool", None), ("", None)])
def test_operator_names_are_taken_apart(name, split):
    assert split_operator(name) == split


def by_definition(want: str, text: str) -> bool:
    """What the wildcards mean, written down without a thought for time."""
    if not want:
        return not text
    if want[0] == "*":
        return any(by_definition(want[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and want[0] in ("?", text[0]) and by_definition(want[1:], text[1:])


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.text("ab*?", max_size=7), st.text("ab", max_size=8))
def test_the_matcher_agrees_with_the_definition_of_wildcards(want, text):
    assert glob(pattern(want), text) is by_definition(want, text)


def test_the_matcher_does_not_drown_in_asterisks():
    """Given a pattern that makes a backtracking matcher take ages, it answers at once."""
    assert not glob(pattern("*a" * 40 + "*b"), "a" * 4_000)
    assert glob(pattern("*a" * 40), "ba" * 400)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.sampled_from(sorted(name for name in OPERATORS if "Not" in name)),
       st.lists(st.sampled_from(["1", "2", "203.0.113.7", "arn:aws:s3:::b", "2026-01-01"]), max_size=3),
       st.sampled_from(["1", "2", "203.0.113.7", "arn:aws:s3:::b", "2026-01-01", "?"]))
def test_a_negated_operator_is_the_opposite_of_its_positive(operator, wanted, value):
    positive = {"NotIpAddress": "IpAddress"}.get(operator, operator.replace("Not", "", 1))
    assert holds(operator, wanted, value) is not holds(positive, wanted, value)
