"""Around one call of a function: admission, retries, batches. AWS Lambda Developer Guide, the pages named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.compute.invocation import (ASYNCHRONOUS, admit, check_configuration, check_payload, check_reserved, failed_messages, retry_wait,
                                    sqs_record, throttle_wait)
from kit.errors import ServiceError


@pytest.mark.parametrize("function, running, reserved, admitted", [
    ("f", {}, {}, True), ("f", {"f": 999}, {}, True), ("f", {"f": 1000}, {}, False), ("f", {"g": 1000}, {}, False),
    ("f", {"f": 2}, {"f": 3}, True), ("f", {"f": 3}, {"f": 3}, False), ("f", {}, {"f": 0}, False),
    ("f", {"f": 2, "g": 1000}, {"f": 3}, True),  # what is reserved nobody else takes
    ("f", {"f": 100}, {"g": 900}, False), ("f", {"f": 99, "g": 900}, {"g": 900}, True)])
def test_reserved_and_unreserved_concurrency(function, running, reserved, admitted):
    """"Configuring reserved concurrency for a function"."""
    decision = admit(function, running, reserved)
    assert decision.admitted == admitted and decision.because


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 400)), st.dictionaries(st.sampled_from("abc"), st.integers(0, 300)))
def test_never_more_than_the_account_has(running, reserved):
    total = 0
    running = {name: min(number, reserved.get(name, 1000)) for name, number in running.items()}
    while sum(running.values()) <= 1100:
        admitted = [name for name in "abc" if admit(name, running, reserved).admitted]
        if not admitted:
            break
        running[admitted[0]] = running.get(admitted[0], 0) + 1
        total += 1
    assert sum(running.values()) <= 1000 or not total


def test_a_hundred_stay_for_the_others():
    check_reserved(900, 0)
    with pytest.raises(ServiceError, match=r"below its minimum value of \[100\]"):
        check_reserved(500, 401)


@pytest.mark.parametrize("given_", [{"MemorySize": 127}, {"MemorySize": 10_241}, {"Timeout": 0}, {"Timeout": 901},
                                    {"Environment": {"Variables": {"BIG": "x" * 4096}}}])
def test_limits_of_a_function(given_):
    """"Lambda quotas"."""
    check_configuration(MemorySize=10_240, Timeout=900, Environment={"Variables": {"SMALL": "x"}})
    with pytest.raises(ServiceError):
        check_configuration(**given_)


def test_a_payload_has_a_limit_and_events_have_a_smaller_one():
    check_payload(6 * 1024 * 1024, "RequestResponse")
    check_payload(ASYNCHRONOUS, "Event")
    for size, kind in ((6 * 1024 * 1024 + 1, "RequestResponse"), (ASYNCHRONOUS + 1, "Event")):
        with pytest.raises(ServiceError, match="RequestTooLarge"):
            check_payload(size, kind)


def test_an_event_is_tried_again_after_one_minute_and_after_two():
    """"How Lambda handles errors and retries with asynchronous invocation"."""
    assert [retry_wait(1), retry_wait(2)] == [60, 120]
    assert [throttle_wait(attempt) for attempt in (1, 2, 3, 20)] == [1, 2, 4, 300]


@pytest.mark.parametrize("payload, failed, partial, left", [
    ("null", False, True, ""), ("null", True, False, "abc"), ('{"batchItemFailures": []}', False, True, ""),
    ('{"batchItemFailures": [{"itemIdentifier": "b"}]}', False, True, "b"),
    ('{"batchItemFailures": [{"itemIdentifier": "b"}]}', False, False, ""),
    ('{"batchItemFailures": [{"itemIdentifier": ""}]}', False, True, "abc"), ('{"batchItemFailures": [{"wrong": "b"}]}', False, True, "abc"),
    ('"text"', False, True, "abc"), ('{"batchItemFailures": null}', False, True, "")])
def test_what_a_batch_leaves_in_the_queue(payload, failed, partial, left):
    """"Handling errors for an SQS event source in Lambda": success and failure conditions."""
    assert failed_messages(payload, failed, list("abc"), partial) == set(left)


def test_a_message_becomes_a_record():
    record = sqs_record({"MessageId": "m", "ReceiptHandle": "r", "Body": "hi", "Attributes": {"SentTimestamp": "1"}, "MessageAttributes": {
        "k": {"StringValue": "v", "DataType": "String"}}}, "arn:q", "us-east-1")
    assert (record["body"], record["eventSource"], record["eventSourceARN"]) == ("hi", "aws:sqs", "arn:q")
    assert record["messageAttributes"] == {"k": {"stringValue": "v", "dataType": "String"}}
    assert record["md5OfBody"] == "49f68a5c8493ec2c0bf489821c21fc3b"
