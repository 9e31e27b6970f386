"""What a target gets of an event: "Amazon EventBridge input transformation" of the EventBridge User Guide, "InputTransformer"."""

import json

import pytest

from kit.errors import ServiceError
from kit.integration.event_input import chosen, select, transform

EVENT = {"source": "shop", "resources": ["arn:a", "arn:b"], "detail": {
    "instance-id": "i-1", "items": [{"name": "hat", "n": 2}, {"name": "scarf", "n": 1}], "gift": True, "note": None}}


@pytest.mark.parametrize("path, found", [
    ("$", [EVENT]), ("$.source", ["shop"]), ("$.detail.instance-id", ["i-1"]), ("$.resources[0]", ["arn:a"]),
    ("$.resources[1]", ["arn:b"]), ("$.resources[2]", []), ("$.resources.foo", []), ("$.source[0]", []), ("$.nothing.at.all", []),
    ("$.detail.items[1].name", ["scarf"]), ("$.detail.items[*].name", ["hat", "scarf"]), ("$.detail.items.*.n", [2, 1]),
    ("$['detail']['instance-id']", ["i-1"]), ("$.detail.note", [None]),
])
def test_given_a_path_then_it_finds_what_is_there(path, found):
    """Dot notation, dashes, array indices and wildcards."""
    assert select(EVENT, path) == found


@pytest.mark.parametrize("path", ["detail", "$.detail.items[?(@.n>1)]", "$..name", "$.detail.items[-1]", ""])
def test_given_a_path_that_eventbridge_does_not_know_then_it_is_refused_in_words(path):
    with pytest.raises(ServiceError, match="InvalidParameter"):
        select(EVENT, path)


@pytest.mark.parametrize("template, text", [
    ('{"who": <name>}', '{"who": "hat"}'), ('{"who": "<name>"}', '{"who": "hat"}'), ('{"n": <n>, "gift": <gift>}', '{"n": 2, "gift": true}'),
    ('{"all": <items>}', '{"all": [{"name":"hat","n":2},{"name":"scarf","n":1}]}'), ('{"says": "<name> x <n>"}', '{"says": "hat x 2"}'),
    ('{"flat": "<items>"}', '{"flat": "[{name:hat,n:2},{name:scarf,n:1}]"}'), ('{"no": "<missing>"}', '{"no": ""}'),
    ('"<name> is in state <missing>"', '"hat is in state "'), ("<name> was sold", "hat was sold"),
    ('{"rule": <aws.events.rule-name>}', '{"rule": "r"}'),
])
def test_given_a_template_then_its_variables_are_filled_in(template, text):
    """Quotes are added around texts that stand alone, and not within texts; objects in a text lose theirs."""
    paths = {"name": "$.detail.items[0].name", "n": "$.detail.items[0].n", "items": "$.detail.items", "gift": "$.detail.gift",
             "missing": "$.detail.nothing"}
    assert transform(template, paths, EVENT, {"aws.events.rule-name": "r"}) == text


def test_given_the_whole_event_as_a_variable_then_it_is_there_with_and_without_its_detail():
    both = json.loads(transform('{"a": <aws.events.event.json>, "b": <aws.events.event>}', {}, EVENT))
    assert both["a"] == EVENT and both["b"] == {name: EVENT[name] for name in ("source", "resources")}


def test_given_a_value_with_quotes_then_the_result_is_no_json_and_said_to_be_none():
    """"EventBridge doesn't escape values extracted by Input Path"."""
    with pytest.raises(ServiceError, match="InvalidJson"):
        transform('{"a": "<x>"}', {"x": "$.x"}, {"x": 'say "hi"'})


@pytest.mark.parametrize("target, got", [
    ({}, EVENT), ({"Input": '{"a": 1}'}, '{"a": 1}'), ({"InputPath": "$.resources[0]"}, "arn:a"), ({"InputPath": "$.nothing"}, None),
    ({"InputPath": "$.resources[*]"}, ["arn:a", "arn:b"]), ({"InputTransformer": {"InputTemplate": "x"}}, "x"),
])
def test_given_a_target_then_one_of_its_inputs_counts(target, got):
    assert chosen(target, EVENT) == got
