"""Filters of event source mappings, held to the tables of the Lambda guide; what is told of invocations."""

import base64
import json
from datetime import UTC, datetime

import pytest

from kit.compute.event_filter import check_filters, passes
from kit.compute.invocation_record import dead_letter, for_bus, of_batch, of_event
from kit.errors import ServiceError


def criteria(*patterns):
    return {"Filters": [{"Pattern": one if isinstance(one, str) else json.dumps(one)} for one in patterns]}


BODY = {"UserID": None, "LastName": "", "Name": "Alice", "Location": "New York", "Day": "Monday", "PaymentType": "Credit",
        "Weather": "Sunny", "Price": 15, "ProductName": "hat", "Region": "us-east-1", "FileName": "cat.png", "deep": {"er": [1, 2]}}


@pytest.mark.parametrize("pattern, met", [
    ({"UserID": [None]}, True), ({"LastName": [""]}, True), ({"Name": ["Alice"]}, True), ({"Name": ["alice"]}, False),
    ({"Name": [{"equals-ignore-case": "alice"}]}, True),
    ({"Location": ["New York"], "Day": ["Monday"]}, True), ({"Location": ["New York"], "Day": ["Friday"]}, False),
    ({"PaymentType": ["Credit", "Debit"]}, True), ({"$or": [{"Location": ["Rome"]}, {"Day": ["Monday"]}]}, True),
    ({"Weather": [{"anything-but": ["Raining"]}]}, True), ({"Weather": [{"anything-but": ["Sunny"]}]}, False),
    ({"Price": [{"numeric": ["=", 100]}]}, False), ({"Price": [{"numeric": [">", 10, "<=", 20]}]}, True),
    ({"ProductName": [{"exists": True}]}, True), ({"ProductName": [{"exists": False}]}, False), ({"Size": [{"exists": False}]}, True),
    ({"Region": [{"prefix": "us-"}]}, True), ({"FileName": [{"suffix": ".png"}]}, True), ({"deep": {"er": [2]}}, True),
    ({"Missing": ["x"]}, False)])
def test_the_table_of_comparison_operators(pattern, met):
    """"Control which events Lambda sends to your function", filter rule syntax: each row, and its contrary."""
    check_filters(criteria({"body": pattern}), "sqs")
    assert passes(criteria({"body": pattern}), "sqs", {"body": json.dumps(BODY)}) == met


@pytest.mark.parametrize("body, pattern, met", [
    ("plain", {"body": ["plain"]}, True), ("plain", {"body": ["other"]}, False), ("plain", {"body": {"a": [1]}}, False),
    ('{"a": 1}', {"body": ['{"a": 1}']}, False), ('{"a": 1}', {"body": {"a": [1]}}, True), ('{"a": 1}', {"messageId": ["m"]}, True),
    ("plain", {"messageId": ["m"]}, True), ("plain", {"messageId": ["n"]}, False)])
def test_the_table_of_body_formats(body, pattern, met):
    """"Control which events ...", properly filtering Amazon SQS messages: plain text and JSON."""
    assert passes(criteria(pattern), "sqs", {"messageId": "m", "body": body}) == met


def test_one_filter_is_enough_and_none_lets_all_through():
    assert passes(criteria({"body": ["a"]}, {"body": ["b"]}), "sqs", {"body": "b"})
    assert passes(None, "sqs", {"body": "b"}) and passes({}, "sqs", {"body": "b"}) and passes({"Filters": []}, "sqs", {"body": "b"})


def test_streams_are_looked_into_at_their_own_key():
    """"Using event filtering with a DynamoDB event source"; with Kinesis the data is decoded first."""
    record = {"eventName": "INSERT", "dynamodb": {"Keys": {"Id": {"N": "101"}}}}
    assert passes(criteria({"dynamodb": {"Keys": {"Id": {"N": ["101"]}}}}), "dynamodb", record)
    assert not passes(criteria({"dynamodb": {"Keys": {"Id": {"N": [{"numeric": [">", 100]}]}}}}), "dynamodb", record)
    data = base64.b64encode(b'{"City": "Seattle"}').decode()
    assert passes(criteria({"partitionKey": ["1"], "data": {"City": ["Seattle"]}}), "kinesis", {"kinesis": {"partitionKey": "1", "data": data}})
    with pytest.raises(ServiceError, match="must be an object"):
        check_filters(criteria({"dynamodb": ["x"]}), "dynamodb")


@pytest.mark.parametrize("wrong", ["{", "[]", {"body": []}, {"body": "x"}, {"body": {}}, {"body": [{"like": "x"}]}, {"body": [["x"]]},
                                   {"body": ["x" * 5000]}, {"body": [{"prefix": "a", "suffix": "b"}]}])
def test_what_is_no_filter(wrong):
    with pytest.raises(ServiceError) as caught:
        check_filters(criteria(wrong), "sqs")
    assert caught.value.code == "InvalidParameterValueException"


WHEN = datetime(2019, 11, 14, 18, 16, 5, 568_000, UTC)
ARN = "arn:aws:lambda:us-east-2:123456789012:function:my-function"


def test_the_guides_record_of_an_asynchronous_invocation():
    """"Capturing records of Lambda asynchronous invocations": its example, all fields of it."""
    record = of_event({"ORDER_IDS": [1]}, ARN, "$LATEST", "RetriesExhausted", "e4b4", 3, WHEN, '{"errorMessage": "exited"}', failed=True)
    assert record == {
        "version": "1.0", "timestamp": "2019-11-14T18:16:05.568Z", "requestContext": {
            "requestId": "e4b4", "functionArn": f"{ARN}:$LATEST", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": {"ORDER_IDS": [1]}, "responsePayload": {"errorMessage": "exited"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}}
    assert list(record)[-2:] == ["responseContext", "responsePayload"]
    assert for_bus(record, "arn:bus")["detail-type"].endswith("Failure")
    never = of_event({}, f"{ARN}:3", "3", "EventAgeExceeded", "r", 0, WHEN)
    assert "responseContext" not in never and never["requestContext"]["functionArn"] == f"{ARN}:3"


def test_the_guides_record_of_a_streams_batch():
    """"Retain discarded records for a DynamoDB event source in Lambda": its example."""
    stream = "arn:aws:dynamodb:us-east-2:123456789012:table/t/stream/x"
    record = of_batch([("8", WHEN), ("9", WHEN)], ARN, "$LATEST", "RetryAttemptsExhausted", "r", 1, WHEN, stream, "shardId-1", failed=True)
    assert record["DDBStreamBatchInfo"] == {
        "shardId": "shardId-1", "startSequenceNumber": "8", "endSequenceNumber": "9", "batchSize": 2, "streamArn": stream,
        "approximateArrivalOfFirstRecord": "2019-11-14T18:16:05.568Z", "approximateArrivalOfLastRecord": "2019-11-14T18:16:05.568Z"}
    assert "requestPayload" not in record and record["responseContext"]["functionError"] == "Unhandled"


def test_a_dead_letter_has_three_attributes():
    """"Adding a dead-letter queue": RequestID (String), ErrorCode (Number), ErrorMessage (String), its first 1 KB."""
    found = dead_letter("r", 200, "é" * 1000)
    assert {name: one["DataType"] for name, one in found.items()} == {"RequestID": "String", "ErrorCode": "Number", "ErrorMessage": "String"}
    assert len(found["ErrorMessage"]["StringValue"].encode()) == 1024
