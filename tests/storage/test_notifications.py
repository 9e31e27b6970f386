"""Event notifications, held to the Amazon S3 User Guide (pages named in the tests)."""

import json

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.storage.notifications import (TYPES, WILDCARDS, check_configuration, eventbridge, later, matching, older_version,
                                       record, restored, s3_test_event, sequence)

QUEUE, TOPIC = "arn:aws:sqs:us-west-2:444455556666:a-queue", "arn:aws:sns:us-west-2:444455556666:sns-notification-one"
FUNCTION = "arn:aws:lambda:us-west-2:444455556666:function:cloud-function-A"


def entry(*events, prefix=None, suffix=None, arn=QUEUE, id="1"):
    rules = [{"Name": name, "Value": value} for name, value in (("prefix", prefix), ("suffix", suffix)) if value is not None]
    field = {"sqs": "QueueArn", "sns": "TopicArn", "lambda": "LambdaFunctionArn"}[arn.split(":")[2]]
    made = {"Id": id, field: arn, "Events": list(events or ["s3:ObjectCreated:*"])}
    return made | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def configured(*given):
    fields = {"QueueArn": "QueueConfigurations", "TopicArn": "TopicConfigurations",
              "LambdaFunctionArn": "LambdaFunctionConfigurations"}
    made = {}
    for one in given:
        made.setdefault(next(fields[name] for name in one if name in fields), []).append(one)
    return made


def refused(*given):
    with pytest.raises(ServiceError) as caught:
        check_configuration(configured(*given), "us-west-2")
    return caught.value


def told(configuration, event, key):
    return [one.arn for one in matching(configuration, event, key)]


PUT = "s3:ObjectCreated:Put"


@pytest.mark.parametrize("entries", [
    [entry(PUT, prefix="images/", suffix="jpg")],
    [entry(PUT, prefix="images/"), entry(PUT, prefix="logs/", id="2")],
    [entry(PUT, suffix=".jpg", arn=FUNCTION), entry(PUT, suffix=".png", arn=FUNCTION, id="2")],
    [entry(PUT, prefix="images", suffix=".jpg", arn=FUNCTION), entry(PUT, prefix="images", suffix=".png", arn=FUNCTION)],
    [entry(PUT, prefix="image/"), entry("s3:ObjectRemoved:*", prefix="image/", id="2")]])
def test_the_guides_valid_configurations(entries):
    """"...object key name filtering", Examples of valid notification configurations (the last: different events)."""
    check_configuration(configured(*entries), "us-west-2")


@pytest.mark.parametrize("entries", [
    [entry(arn=TOPIC), entry(arn=TOPIC, prefix="images")],
    [entry(arn=TOPIC, suffix="jpg"), entry(PUT, arn=TOPIC, suffix="pg")],
    [entry(arn=TOPIC, prefix="images", suffix="jpg"), entry(PUT, arn=TOPIC, suffix="jpg")]])
def test_the_guides_invalid_configurations(entries):
    """Examples with invalid prefix/suffix overlapping: root prefix; jpg and pg; prefix and suffix."""
    error = refused(*entries)
    assert error.code == "InvalidArgument" and error.message.startswith("Configuration is ambiguously defined.")


def test_two_entries_without_filter_share_an_event():
    error = refused(entry(), entry(PUT, arn=TOPIC))
    assert error.code == "InvalidArgument" and error.message.startswith("Configurations overlap.")


@given(*[st.text("ab", max_size=3)] * 5)
def test_what_passes_never_tells_two_about_one_key(prefix, suffix, other_prefix, other_suffix, key):
    configuration = configured(entry(prefix=prefix, suffix=suffix), entry(PUT, arn=TOPIC, prefix=other_prefix,
                                                                         suffix=other_suffix))
    try:
        check_configuration(configuration, "us-west-2")
    except ServiceError:
        return
    assert len(matching(configuration, PUT, key)) < 2


def test_events_and_keys_are_matched():
    """"Event notification types": s3:ObjectCreated:* regardless of the API that was used."""
    configuration = configured(entry(prefix="images/", suffix=".jpg"), entry("s3:ObjectRemoved:Delete", arn=TOPIC))
    for kind in ("Put", "Post", "Copy", "CompleteMultipartUpload"):
        assert told(configuration, f"s3:ObjectCreated:{kind}", "images/a.jpg") == [QUEUE]
    assert told(configuration, PUT, "images/a.png") == told(configuration, PUT, "a.jpg") == []
    assert told(configuration, "s3:ObjectRemoved:Delete", "x") == [TOPIC]
    assert told(configuration, "s3:ObjectRemoved:DeleteMarkerCreated", "x") == []
    lifecycle = configured(entry("s3:LifecycleExpiration:*", "s3:LifecycleTransition", "s3:Replication:*"))
    for event in ("s3:LifecycleExpiration:DeleteMarkerCreated", "s3:LifecycleTransition",
                  "s3:Replication:OperationMissedThreshold"):
        assert told(lifecycle, event, "x") == [QUEUE]


def test_filter_names_come_back_capitalised_from_aws():
    made = entry()
    made["Filter"] = {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "a"}]}}
    assert told(configured(made), PUT, "ab") == [QUEUE] and told(configured(made), PUT, "b") == []


@pytest.mark.parametrize("bad, code", [
    (entry("s3:ObjectCreated"), "InvalidArgument"), (entry("s3:TestEvent"), "InvalidArgument"),
    (entry(arn=QUEUE + ".fifo"), "InvalidArgument"), (entry(arn=TOPIC + ".fifo"), "InvalidArgument"),
    (entry(arn=QUEUE.replace("west", "east")), "InvalidArgument"), (entry(prefix="x" * 1025), "InvalidArgument"),
    (entry() | {"Events": []}, "MalformedXML"), (entry() | {"QueueArn": TOPIC}, "InvalidArgument"),
    (entry() | {"Filter": {"Key": {"FilterRules": [{"Name": "infix", "Value": "x"}]}}}, "InvalidArgument"),
    (entry() | {"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "x"}] * 2}}}, "InvalidArgument")])
def test_entries_that_are_refused(bad, code):
    """"Supported event destinations": same Region, no FIFO; FilterRule: prefix or suffix, 1,024."""
    assert refused(bad).code == code


def test_the_event_types_are_those_of_the_api():
    """botocore carries the enumeration Event of the S3 API Reference."""
    model = botocore.session.get_session().get_service_model("s3")
    assert set(TYPES + WILDCARDS) == set(model.shape_for("Event").enum)


def a_record(event=PUT, key="HappyFace.jpg", now=0.0, **more):
    return record(event, "mybucket", key, now, region="us-west-2", configuration_id="testConfigRule",
                  owner="A3NL1KOZZKExample", principal="AIDAJDPLRKLG7UEXAMPLE", **more)


def test_the_guides_record():
    """"Event message structure", the example of a PUT (which shows version 2.1; see older_version)."""
    made = a_record(source_ip="127.0.0.1", size=1024, etag="d41d8cd98f00b204e9800998ecf8427e", request_id="C3D13FE58DE4C810",
                    version_id="096fKKXTRTtl3on89fVO.nfljtsv6qko", sequencer="0055AED6DCD90281E5", host_id="FMyUVU")
    assert made == {
        "eventVersion": "2.5", "eventSource": "aws:s3", "awsRegion": "us-west-2", "eventTime": "1970-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVU"},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "testConfigRule",
               "bucket": {"name": "mybucket", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                          "arn": "arn:aws:s3:::mybucket"},
               "object": {"key": "HappyFace.jpg", "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                          "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko", "sequencer": "0055AED6DCD90281E5"}}}
    json.dumps(made)


def test_the_key_is_url_encoded():
    """"red flower.jpg" becomes "red+flower.jpg"."""
    assert a_record(key="red flower.jpg")["s3"]["object"]["key"] == "red+flower.jpg"
    assert a_record(key="a/ü+.jpg")["s3"]["object"]["key"] == "a%2F%C3%BC%2B.jpg"


def test_only_puts_and_deletes_carry_a_sequencer():
    assert "sequencer" not in a_record("s3:ObjectTagging:Put", sequencer="0A")["s3"]["object"]
    assert a_record("s3:ObjectRemoved:Delete", sequencer="0A")["s3"]["object"] == {"key": "HappyFace.jpg", "sequencer": "0A"}


def test_a_restore_tells_until_when():
    """glacierEventData, only for s3:ObjectRestore:Completed."""
    made = a_record("s3:ObjectRestore:Completed", glacierEventData=restored(86400, "GLACIER"))
    assert made["glacierEventData"] == {"restoreEventData": {
        "lifecycleRestorationExpiryTime": "1970-01-02T00:00:00.000Z", "lifecycleRestoreStorageClass": "GLACIER"}}


@pytest.mark.parametrize("event, version", [
    (PUT, "2.1"), ("s3:ObjectRestore:Completed", "2.1"), ("s3:Replication:OperationMissedThreshold", "2.2"),
    ("s3:LifecycleTransition", "2.3"), ("s3:ObjectRestore:Delete", "2.3"), ("s3:ObjectAcl:Put", "2.3")])
def test_versions_before_they_were_unified(event, version):
    """"Event message structure": 2.2 for replication, 2.3 for Lifecycle, tiering, ACL, tagging, restore expiry."""
    assert older_version(event) == version


def test_the_test_message():
    """"Amazon S3 test message"."""
    assert s3_test_event("bucketname", 1413215822.089) == {
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2014-10-13T15:57:02.089Z", "Bucket": "bucketname",
        "RequestId": "", "HostId": ""}


def test_sequencers_are_compared_after_padding():
    """"first right pad the shorter value with zeros, and then do a lexicographical comparison"."""
    assert later("0055AED6DCD90281E6", "0055AED6DCD90281E5") and later("1", "0FFFF") and not later("10", "1")


@given(st.integers(0, 2**33), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_later_events_have_greater_sequencers(now, pause, serial, more):
    assert later(sequence(now + pause, serial + more + 1), sequence(now, serial))


def bridged(event, **more):
    return eventbridge(event, "DOC-EXAMPLE-BUCKET1", "example-key", 1636675200, region="ca-central-1",
                       account="111122223333", requester="123456789012", event_id="17793124", source_ip="1.2.3.4", **more)


def test_the_guides_object_created_for_eventbridge():
    """"EventBridge event message structure", Object created."""
    assert bridged(PUT, size=5, etag="b1", version_id="IY", sequencer="617f08299329d189", request_id="N4") == {
        "version": "0", "id": "17793124", "detail-type": "Object Created", "source": "aws.s3", "account": "111122223333",
        "time": "2021-11-12T00:00:00Z", "region": "ca-central-1", "resources": ["arn:aws:s3:::DOC-EXAMPLE-BUCKET1"],
        "detail": {"version": "0", "bucket": {"name": "DOC-EXAMPLE-BUCKET1"},
                   "object": {"key": "example-key", "size": 5, "etag": "b1", "version-id": "IY",
                              "sequencer": "617f08299329d189"},
                   "request-id": "N4", "requester": "123456789012", "source-ip-address": "1.2.3.4", "reason": "PutObject"}}


def test_who_deleted_it_and_how():
    """Object deleted, by DeleteObject and by lifecycle expiration: no source address there, S3 is the requester."""
    deleted = bridged("s3:ObjectRemoved:DeleteMarkerCreated")["detail"]
    assert (deleted["reason"], deleted["deletion-type"]) == ("DeleteObject", "Delete Marker Created")
    expired = bridged("s3:LifecycleExpiration:Delete")
    assert expired["detail-type"] == "Object Deleted" and "source-ip-address" not in expired["detail"]
    assert expired["detail"] | {"object": 0, "bucket": 0} == {
        "version": "0", "bucket": 0, "object": 0, "request-id": "", "requester": "s3.amazonaws.com",
        "reason": "Lifecycle Expiration", "deletion-type": "Permanently Deleted"}


def test_a_restore_for_eventbridge():
    """Object restore completed."""
    made = bridged("s3:ObjectRestore:Completed", restore_expiry_time="2021-11-13T00:00:00Z", source_storage_class="GLACIER")
    assert made["detail-type"] == "Object Restore Completed" and made["detail"]["requester"] == "s3.amazonaws.com"
    assert made["detail"]["restore-expiry-time"] == "2021-11-13T00:00:00Z"
    assert bridged("s3:ObjectRestore:Post")["detail"]["requester"] == "123456789012"


@pytest.mark.parametrize("event, kind", [
    ("s3:ObjectCreated:CompleteMultipartUpload", "Object Created"), ("s3:ObjectRemoved:Delete", "Object Deleted"),
    ("s3:ObjectRestore:Post", "Object Restore Initiated"), ("s3:ObjectRestore:Delete", "Object Restore Expired"),
    ("s3:LifecycleTransition", "Object Storage Class Changed"), ("s3:IntelligentTiering", "Object Access Tier Changed"),
    ("s3:ObjectTagging:Put", "Object Tags Added"), ("s3:ObjectTagging:Delete", "Object Tags Deleted"),
    ("s3:ObjectAcl:Put", "Object ACL Updated")])
def test_the_mapping_of_types(event, kind):
    """"Amazon EventBridge mapping and troubleshooting"."""
    assert bridged(event)["detail-type"] == kind


def test_replication_is_not_on_eventbridge():
    """The mapping has no row for it."""
    assert bridged("s3:Replication:OperationFailedReplication") is None
