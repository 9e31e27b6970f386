"""Filter policies, held to the Amazon SNS Developer Guide: "String value matching", "Numeric value matching", "Key matching",
"AND/OR logic", "Filter policy constraints"."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.integration.filter_policy import check_filter_policy, matches


def text(value):
    return {"k": {"DataType": "String", "StringValue": value}}


def number(value):
    return {"k": {"DataType": "Number", "StringValue": str(value)}}


def array(*values):
    return {"k": {"DataType": "String.Array", "StringValue": json.dumps(values)}}


@pytest.mark.parametrize("rules, message, passes", [
    (["a", "b"], text("b"), True), (["a"], text("A"), False), (["a"], {}, False), (["5"], number(5), False),
    ([{"prefix": "or"}], text("order"), True), ([{"prefix": "or"}], text("Order"), False),
    ([{"suffix": ".jpg"}], text("hat.jpg"), True), ([{"suffix": ".jpg"}], text("hat.png"), False),
    ([{"equals-ignore-case": "HAT"}], text("hat"), True), ([{"equals-ignore-case": "HAT"}], text("hats"), False),
    ([{"wildcard": "h*t"}], text("heat"), True), ([{"wildcard": "h*t"}], text("hats"), False),
    ([{"wildcard": "*.jpg"}], text("a.b.jpg"), True), ([{"wildcard": "a.c"}], text("abc"), False),
    ([{"anything-but": ["a", "b"]}], text("c"), True), ([{"anything-but": ["a", "b"]}], text("b"), False),
    ([{"anything-but": "a"}], {}, False), ([{"anything-but": [5]}], number(5), False), ([{"anything-but": [5]}], number(6), True),
    ([{"anything-but": {"prefix": "or"}}], text("order"), False), ([{"anything-but": {"prefix": "or"}}], text("hat"), True),
    ([{"anything-but": {"suffix": "x"}}], text("ax"), False), ([{"anything-but": {"suffix": "x"}}], text("xa"), True),
    ([{"numeric": ["=", 5]}], number("5.0"), True), ([{"numeric": ["=", 5]}], text("5"), False), ([5], number("5.00"), True),
    ([{"numeric": [">", 0, "<=", 9.5]}], number(9.5), True), ([{"numeric": [">", 0, "<=", 9.5]}], number(0), False),
    ([{"numeric": [">=", -3]}], number(-3), True), ([{"numeric": ["<", 4]}], number(4), False),
    ([{"exists": True}], text("x"), True), ([{"exists": True}], {}, False), ([{"exists": False}], {}, True),
    ([{"exists": False}], text("x"), False),
    ([{"cidr": "10.0.0.0/24"}], text("10.0.0.255"), True), ([{"cidr": "10.0.0.0/24"}], text("10.0.1.0"), False),
    ([{"cidr": "2001:db8::/32"}], text("2001:db8::1"), True), ([{"cidr": "10.0.0.0/24"}], text("no address"), False),
    (["b"], array("a", "b"), True), (["c"], array("a", "b"), False), ([{"anything-but": ["a"]}], array("a", "b"), True),
    ([{"anything-but": ["a", "b"]}], array("a", "b"), False), ([{"numeric": ["<", 3]}], array(2, 7), True),
    ([None], array(None), True), ([True], array(True), True), ([1], array(True), False),
    (["x"], {"k": {"DataType": "Binary", "BinaryValue": b"x"}}, False),
])
def test_attributes(rules, message, passes):
    assert matches({"k": rules}, "MessageAttributes", message) is passes


@pytest.mark.parametrize("policy, body, passes", [
    ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True), ({"a": {"b": ["x"]}}, {"a": {"b": "y"}}, False),
    ({"a": {"b": ["x"]}}, {"b": "x"}, False), ({"a": [None]}, {"a": None}, True), ({"a": [None]}, {}, False),
    ({"a": [True]}, {"a": True}, True), ({"a": [True]}, {"a": "true"}, False), ({"a": [1]}, {"a": 1.0}, True),
    ({"a": ["x"]}, {"a": ["y", "x"]}, True), ({"a": {"b": ["x"], "c": [1]}}, {"a": [{"b": "x", "c": 1}]}, True),
    ({"a": {"b": ["x"], "c": [1]}}, {"a": [{"b": "x", "c": 2}, {"b": "y", "c": 1}]}, False),
    ({"a": [{"exists": False}]}, {"b": 1}, True), ({"a": {"b": [{"exists": False}]}}, {"a": {"c": 1}}, True),
    ({"a": [{"exists": True}]}, {"a": []}, False), ({"a.b": ["x"]}, {"a": {"b": "x"}}, True),
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True), ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "x"}, False),
    ({"c": [1], "$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"a": "x"}, False),
])
def test_bodies(policy, body, passes):
    assert matches(policy, "MessageBody", json.dumps(body)) is passes


@pytest.mark.parametrize("body", ["no json", "[]", '"text"', "5", ""])
def test_a_body_that_is_no_object_passes_no_policy(body):
    assert not matches({"a": ["x"]}, "MessageBody", body)


@pytest.mark.parametrize("policy, words", [
    ({str(n): ["x"] for n in range(6)}, "more than 5 keys"), ({"k": "x"}, "must be an object or an array"),
    ({"k": []}, "Empty arrays"), ({"k": {}}, "Empty objects"), ({"k": [["x"]]}, "Match value must be"),
    ({"k": [{"prefix": "a", "suffix": "b"}]}, "Only one key"), ({"k": [{"like": "x"}]}, "Unrecognized match type like"),
    ({"k": [{"prefix": 5}]}, "prefix match pattern must be a string"), ({"k": [{"wildcard": "a**"}]}, "Consecutive wildcard"),
    ({"k": [{"exists": "yes"}]}, "either true or false"), ({"k": [{"cidr": "10.0.0.0"}]}, "one '/' required"),
    ({"k": [{"cidr": "10.0.0.0/33"}]}, "mask bits"), ({"k": [{"cidr": "10.0.0/8"}]}, "Nonstandard IP"),
    ({"k": [{"numeric": []}]}, "Invalid member"), ({"k": [{"numeric": ["==", 1]}]}, "Unrecognized numeric"),
    ({"k": [{"numeric": ["=", "1"]}]}, "must be numeric"), ({"k": [{"numeric": ["=", True]}]}, "must be numeric"),
    ({"k": [{"numeric": ["=", 2e9]}]}, "between"), ({"k": [{"numeric": [">", 5, "<", 5]}]}, "Bottom must be less than top"),
    ({"k": [{"numeric": ["<", 5, ">", 1]}]}, "Too many elements"), ({"k": [{"numeric": [">", 1, "<", 5, "="]}]}, "Too many terms"),
    ({"k": [{"anything-but": []}]}, "either all values are number or string"), ({"k": [{"anything-but": [None]}]}, "not supported"),
    ({"k": [{"anything-but": {"cidr": "x"}}]}, "Unsupported anything-but"), ({"$or": [{"k": ["x"]}]}, "Unrecognized match type k"),
    ({"a": [str(n) for n in range(13)], "b": [str(n) for n in range(12)]}, "too complex"),
])
def test_what_sns_refuses(policy, words):
    with pytest.raises(ServiceError) as error:
        check_filter_policy(policy, "MessageAttributes")
    assert error.value.code == "InvalidParameter" and words in str(error.value)


def test_nesting_belongs_to_bodies_and_multiplies():
    policy = {"a": {"b": ["x", "y"]}}
    check_filter_policy(policy, "MessageBody")
    with pytest.raises(ServiceError, match="does not support nested"):
        check_filter_policy(policy, "MessageAttributes")
    with pytest.raises(ServiceError, match="too complex"):
        check_filter_policy({"a": {"b": {"c": [str(n) for n in range(51)]}}}, "MessageBody")  # 51 values, three levels deep


@pytest.mark.parametrize("scope", ["Body", "", None])
def test_a_scope_that_is_none_is_refused(scope):
    for call in (lambda: check_filter_policy({}, scope), lambda: matches({}, scope, "")):
        with pytest.raises(ServiceError, match="FilterPolicyScope"):
            call()


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "ba"]), min_size=1, max_size=3, unique=True)
VALUE = st.sampled_from(["a", "b", "ab", "c"])


@given(WORDS, VALUE)
def test_anything_but_is_the_complement_for_a_key_that_is_there(words, value):
    assert matches({"k": words}, "MessageAttributes", text(value)) != matches(
        {"k": [{"anything-but": words}]}, "MessageAttributes", text(value))


@given(WORDS, VALUE)
def test_the_order_of_values_does_not_matter(words, value):
    assert matches({"k": words}, "MessageAttributes", text(value)) == matches({"k": words[::-1]}, "MessageAttributes", text(value))


@given(WORDS, WORDS, VALUE, VALUE)
def test_or_is_the_union_and_another_key_only_narrows(first, second, one, other):
    message = {"a": {"DataType": "String", "StringValue": one}, "b": {"DataType": "String", "StringValue": other}}

    def passes(policy):
        return matches(policy, "MessageAttributes", message)

    assert passes({"$or": [{"a": first}, {"b": second}]}) == (passes({"a": first}) or passes({"b": second}))
    assert passes({"a": first, "b": second}) == (passes({"a": first}) and passes({"b": second}))


@pytest.mark.parametrize("rule", [[1.000001], [{"numeric": ["=", 1.000001]}]])
@pytest.mark.parametrize("value, passes", [("1.000001", True), ("1.0000014", True), ("1.0000019", True), ("1.000002", False), ("1.00001", False)])
def test_given_many_digits_then_six_after_the_point_are_compared(rule, value, passes):
    """Event Ruler, "Numeric Matching": numbers are compared with six decimal places; the guide promises five."""
    assert matches({"k": rule}, "MessageAttributes", number(value)) is passes


@pytest.mark.parametrize("policy", ["banana", "", 7, 0, [1], [], True, False, 1.5, ({},)])
def test_a_policy_that_is_no_object_is_refused_whoever_asks(policy):
    """"Amazon SNS subscription filter policies": a filter policy is a JSON object."""
    for ask in (lambda: check_filter_policy(policy, "MessageAttributes"), lambda: matches(policy, "MessageAttributes", text("a")),
                lambda: matches(policy, "MessageBody", "{}")):
        with pytest.raises(ServiceError) as refusal:
            ask()
        assert refusal.value.code == "InvalidParameter" and "A filter policy is an object" in str(refusal.value)


@pytest.mark.parametrize("policy", [None, {}])
def test_no_policy_and_an_empty_one_let_everything_pass(policy):
    assert matches(policy, "MessageAttributes", text("a"))
