"""S3 in the sandbox as time passes: lifecycle, restores, replication, events, and what all that costs."""

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from kit.storage.lab import what_if
from kit.storage.storage_classes import CLASSES, GB, MONITORING, RETRIEVALS, TIERS

ACCOUNT = "123456789012"
MB = 2**20


@pytest.fixture
def s3(sandbox):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="photos")
    return s3


def rules(s3, *given, bucket="photos"):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [
        {"ID": f"r{number}", "Status": "Enabled", "Filter": {}, **one} for number, one in enumerate(given)]})


def keys(s3, bucket="photos"):
    return {one["Key"]: one["StorageClass"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())}


def cost(sandbox, item):
    return sum(line.quantity for line in sandbox.bill().lines if line.item == item)


# lifecycle


def test_given_rules_then_objects_move_and_go_at_midnight(sandbox, s3):
    """User Guide, "Lifecycle configuration elements": days are counted to the next midnight UTC."""
    sandbox.clock.advance(hours=10)
    s3.put_object(Bucket="photos", Key="a", Body=b"x" * 200_000)
    rules(s3, {"Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}], "Expiration": {"Days": 60}})
    sandbox.clock.advance_to(31 * 86_400 - 1)
    assert keys(s3) == {"a": "STANDARD"}
    sandbox.clock.advance(seconds=1)
    assert keys(s3) == {"a": "STANDARD_IA"}
    assert s3.head_object(Bucket="photos", Key="a")["StorageClass"] == "STANDARD_IA"
    sandbox.clock.advance_to(61 * 86_400)
    assert keys(s3) == {}
    assert sandbox.history().about("S3")["what"] == ["moved to STANDARD_IA", "expired"]


def test_given_small_objects_and_other_prefixes_then_they_stay(sandbox, s3):
    """User Guide, "Transitioning objects using Amazon S3 Lifecycle": objects below 128 KB."""
    for key, size in (("logs/small", 10), ("logs/large", 200_000), ("other", 200_000)):
        s3.put_object(Bucket="photos", Key=key, Body=b"x" * size)
    s3.put_bucket_lifecycle_configuration(Bucket="photos", LifecycleConfiguration={"Rules": [
        {"Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}]}]})
    sandbox.clock.advance(days=3)
    assert keys(s3) == {"logs/large": "GLACIER", "logs/small": "STANDARD", "other": "STANDARD"}
    with pytest.raises(ClientError, match="InvalidObjectState"):
        s3.get_object(Bucket="photos", Key="logs/large")


def test_given_a_tag_that_comes_later_then_the_rule_takes_the_object(sandbox, s3):
    s3.put_object(Bucket="photos", Key="a", Body=b"x")
    rules(s3, {"Filter": {"Tag": {"Key": "old", "Value": "yes"}}, "Expiration": {"Days": 1}})
    sandbox.clock.advance(days=5)
    assert keys(s3) == {"a": "STANDARD"}
    s3.put_object_tagging(Bucket="photos", Key="a", Tagging={"TagSet": [{"Key": "old", "Value": "yes"}]})
    sandbox.clock.advance(days=1)
    assert keys(s3) == {}


def test_given_versions_then_markers_come_and_noncurrent_ones_go(sandbox, s3):
    """User Guide, "Lifecycle configuration elements": NoncurrentVersionExpiration, ExpiredObjectDeleteMarker."""
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2", b"3"):
        s3.put_object(Bucket="photos", Key="a", Body=body)
    rules(s3, {"Expiration": {"Days": 10}, "NoncurrentVersionExpiration": {"NoncurrentDays": 5, "NewerNoncurrentVersions": 1}},
          {"Expiration": {"ExpiredObjectDeleteMarker": True}}, {"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {
              "NoncurrentDays": 20}})
    sandbox.clock.advance_to(6 * 86_400)
    assert len(s3.list_object_versions(Bucket="photos")["Versions"]) == 2  # the oldest went, one noncurrent is kept
    sandbox.clock.advance_to(11 * 86_400)
    found = s3.list_object_versions(Bucket="photos")
    assert found["DeleteMarkers"][0]["IsLatest"] and keys(s3) == {}
    assert found["DeleteMarkers"][0]["LastModified"] == sandbox.clock.date
    sandbox.clock.advance(days=60)
    assert {"Versions", "DeleteMarkers"}.isdisjoint(s3.list_object_versions(Bucket="photos"))


def test_given_a_locked_version_then_lifecycle_waits_for_the_lock(sandbox):
    """User Guide, "Object Lock considerations": lifecycle."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="records", ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket="records", Key="a", Body=b"1", ObjectLockMode="GOVERNANCE",
                  ObjectLockRetainUntilDate=sandbox.clock.date_at(30 * 86_400 + 1))
    s3.put_object(Bucket="records", Key="a", Body=b"2")
    rules(s3, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}, bucket="records")
    sandbox.clock.advance_to(30 * 86_400 + 2)
    assert len(s3.list_object_versions(Bucket="records")["Versions"]) == 2
    sandbox.clock.advance(days=1)
    assert len(s3.list_object_versions(Bucket="records")["Versions"]) == 1


def test_given_an_unfinished_upload_then_it_costs_until_it_is_aborted(sandbox, s3):
    """User Guide, "Configuring a bucket lifecycle configuration to delete incomplete multipart uploads"."""
    upload = s3.create_multipart_upload(Bucket="photos", Key="film")["UploadId"]
    s3.upload_part(Bucket="photos", Key="film", UploadId=upload, PartNumber=1, Body=b"x" * 5 * MB)
    assert sandbox.life.meter.running["bucket photos", "s3:STANDARD"] == 5 * MB / GB
    rules(s3, {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}})
    sandbox.clock.advance_to(8 * 86_400 - 1)
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket="photos")["Uploads"]] == [upload]
    sandbox.clock.advance(seconds=1)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="photos")
    assert sandbox.life.meter.running == {}


def test_given_a_rule_with_a_date_then_it_works_from_that_day_on(sandbox, s3):
    s3.put_object(Bucket="photos", Key="a", Body=b"x")
    rules(s3, {"Expiration": {"Date": datetime(2026, 2, 1, tzinfo=UTC)}})
    sandbox.clock.advance_to(sandbox.clock.seconds_at(datetime(2026, 1, 31, 23, tzinfo=UTC)))
    assert keys(s3) == {"a": "STANDARD"}
    sandbox.clock.advance(hours=1)
    assert keys(s3) == {}


def test_given_a_year_then_only_what_falls_due_happens(sandbox, s3, happened):
    """Not a tick a day: one look for each midnight on which something is due, however many objects there are."""
    for number in range(50):
        s3.put_object(Bucket="photos", Key=f"{number}", Body=b"x" * 140_000)
    rules(s3, {"Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}],
               "Expiration": {"Days": 200}})
    sandbox.clock.advance(days=365)
    assert happened == ["Calendar.midnight"] * 3
    assert keys(s3) == {}
    s3.delete_bucket_lifecycle(Bucket="photos")
    s3.put_object(Bucket="photos", Key="a", Body=b"x")
    sandbox.clock.advance(days=365)
    assert len(happened) == 3


# restores


def test_given_an_archived_object_then_a_restore_takes_its_hours_and_the_copy_goes(sandbox, s3):
    """S3 API Reference, "RestoreObject" (202, 200); User Guide, "Archive retrieval options", "Restoring an archived
    object"."""
    s3.put_object(Bucket="photos", Key="film", Body=b"reel", StorageClass="GLACIER")

    def restore(days=2, **more):
        return s3.restore_object(Bucket="photos", Key="film", RestoreRequest={"Days": days, **more})["ResponseMetadata"]["HTTPStatusCode"]

    def head():
        return s3.head_object(Bucket="photos", Key="film").get("Restore")

    assert head() is None
    assert restore() == 202
    assert head() == 'ongoing-request="true"'
    with pytest.raises(ClientError, match="RestoreAlreadyInProgress"):
        restore()
    sandbox.clock.advance(hours=2)
    with pytest.raises(ClientError, match="InvalidObjectState"):
        s3.get_object(Bucket="photos", Key="film")
    sandbox.clock.advance(hours=4)
    assert head() == 'ongoing-request="false", expiry-date="Thu, 08 Jan 2026 00:00:00 GMT"'
    assert s3.get_object(Bucket="photos", Key="film")["Body"].read() == b"reel"
    assert restore(days=4) == 200
    assert "Sat, 10 Jan" in head()
    sandbox.clock.advance_to(5 * 86_400)
    assert head() is None
    with pytest.raises(ClientError, match="InvalidObjectState"):
        s3.get_object(Bucket="photos", Key="film")
    assert [row["what"] for row in sandbox.history().about("S3")] == ["restored", "restored copy gone"]


def test_given_an_object_that_is_no_archive_then_there_is_nothing_to_restore(s3):
    s3.put_object(Bucket="photos", Key="a", Body=b"x")
    with pytest.raises(ClientError, match="InvalidObjectState"):
        s3.restore_object(Bucket="photos", Key="a", RestoreRequest={"Days": 1})
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.restore_object(Bucket="photos", Key="b", RestoreRequest={"Days": 1})


# replication


@pytest.fixture
def replicated(sandbox, s3):
    s3.create_bucket(Bucket="copies")
    for name in ("photos", "copies"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="photos", Key="old", Body=b"before")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                                                     "Action": "sts:AssumeRole"}]}
    iam = sandbox.client("iam")
    role = iam.create_role(RoleName="copier", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="copier", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Resource": "arn:aws:s3:::photos/*", "Action": ["s3:GetObjectVersionForReplication"]},
        {"Effect": "Allow", "Resource": "arn:aws:s3:::copies/*", "Action": ["s3:ReplicateObject", "s3:ReplicateDelete"]}]}))
    s3.put_bucket_replication(Bucket="photos", ReplicationConfiguration={"Role": role, "Rules": [
        {"ID": "all", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Enabled"},
         "Destination": {"Bucket": "arn:aws:s3:::copies", "StorageClass": "STANDARD_IA"}}]})
    return s3


def test_given_replication_then_what_is_new_arrives_a_little_later(sandbox, replicated):
    """User Guide, "What does Amazon S3 replicate?", "Getting replication status information"."""
    sandbox.clock.advance(seconds=1)
    version = replicated.put_object(Bucket="photos", Key="new", Body=b"fresh", Metadata={"by": "ada"}, Tagging="a=b")["VersionId"]
    assert replicated.head_object(Bucket="photos", Key="new")["ReplicationStatus"] == "PENDING"
    assert keys(replicated, "copies") == {}
    sandbox.clock.advance(minutes=15)
    assert keys(replicated, "copies") == {"new": "STANDARD_IA"}
    copy = replicated.get_object(Bucket="copies", Key="new")
    assert (copy["Body"].read(), copy["VersionId"], copy["Metadata"], copy["ReplicationStatus"]) == (
        b"fresh", version, {"by": "ada"}, "REPLICA")
    assert replicated.get_object_tagging(Bucket="copies", Key="new")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert replicated.head_object(Bucket="photos", Key="new")["ReplicationStatus"] == "COMPLETED"
    replicated.delete_object(Bucket="photos", Key="new", VersionId=version)
    sandbox.clock.advance(minutes=15)
    assert keys(replicated, "copies") == {"new": "STANDARD_IA"}  # the deletion of a version is not replicated


def test_given_a_delete_marker_then_the_rule_says_whether_it_follows(sandbox, replicated):
    sandbox.clock.advance(seconds=1)
    replicated.put_object(Bucket="photos", Key="new", Body=b"fresh")
    sandbox.clock.advance(minutes=15)
    replicated.delete_object(Bucket="photos", Key="new")
    sandbox.clock.advance(minutes=15)
    assert keys(replicated, "copies") == {}
    assert len(replicated.list_object_versions(Bucket="copies")["Versions"]) == 1


def test_given_a_role_that_may_not_then_replication_fails(sandbox, replicated):
    sandbox.client("iam").delete_role_policy(RoleName="copier", PolicyName="p")
    replicated.put_object(Bucket="photos", Key="new", Body=b"fresh")
    sandbox.clock.advance(minutes=15)
    assert replicated.head_object(Bucket="photos", Key="new")["ReplicationStatus"] == "FAILED"
    assert "copier may not s3:GetObjectVersionForReplication" in str(sandbox.history().about("not replicated"))


# events


def listener(sandbox, allowed=True):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:news", "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::photos"}}}]})
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName="news", Attributes={"Policy": policy} if allowed else {})["QueueUrl"]

    def heard():
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in messages:
                found.append(json.loads(one["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found
    return heard


def notify(s3, events, **more):
    s3.put_bucket_notification_configuration(Bucket="photos", NotificationConfiguration={"QueueConfigurations": [
        {"QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:news", "Events": events, **more}]})


def test_given_a_queue_that_lets_nobody_in_then_it_is_no_destination(sandbox, s3):
    """S3 API Reference, "PutBucketNotificationConfiguration"."""
    listener(sandbox, allowed=False)
    with pytest.raises(ClientError, match="InvalidArgument.*Unable to validate the following destination configurations"):
        notify(s3, ["s3:ObjectCreated:*"])
    with pytest.raises(ClientError, match="event 's3:Nonsense' is not supported"):
        notify(s3, ["s3:Nonsense"])


def test_given_a_queue_then_it_hears_each_thing_once(sandbox, s3):
    """User Guide, "Event message structure", "Event notification types and destinations"."""
    heard = listener(sandbox)
    notify(s3, ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"], Filter={"Key": {"FilterRules": [
        {"Name": "prefix", "Value": "in-"}]}})
    assert [one["Event"] for one in heard()] == ["s3:TestEvent"]
    s3.put_object(Bucket="photos", Key="in-a cat", Body=b"miau")
    s3.put_object(Bucket="photos", Key="out", Body=b"")
    s3.copy_object(Bucket="photos", Key="in-b", CopySource="photos/in-a cat")
    s3.delete_object(Bucket="photos", Key="in-b")
    s3.delete_object(Bucket="photos", Key="in-never")
    records = [record for one in heard() for record in one["Records"]]
    assert [(one["eventName"], one["s3"]["object"]["key"]) for one in records] == [
        ("ObjectCreated:Put", "in-a+cat"), ("ObjectCreated:Copy", "in-b"), ("ObjectRemoved:Delete", "in-b")]
    assert records[0]["s3"]["object"]["size"] == 4 and records[0]["s3"]["bucket"]["arn"] == "arn:aws:s3:::photos"
    rules(s3, {"Expiration": {"Days": 1}})
    sandbox.clock.advance(days=3)
    assert [record["eventName"] for one in heard() for record in one["Records"]] == ["LifecycleExpiration:Delete"]


def test_given_a_topic_and_eventbridge_then_they_hear_too(sandbox, s3):
    """User Guide, "EventBridge event message structure"; "Granting permissions to publish event notification messages"."""
    heard, sns, events = listener(sandbox), sandbox.client("sns"), sandbox.client("events")
    topic = sns.create_topic(Name="photos")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}]}))
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:news"
    sandbox.client("sqs").set_queue_attributes(QueueUrl=f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/news", Attributes={
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    events.put_rule(Name="new", EventPattern=json.dumps({"source": ["aws.s3"], "detail-type": ["Object Created"]}))
    events.put_targets(Rule="new", Targets=[{"Id": "1", "Arn": queue}])
    s3.put_bucket_notification_configuration(Bucket="photos", NotificationConfiguration={
        "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:Put"]}], "EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket="photos")
    s3.put_object(Bucket="photos", Key="a", Body=b"x")
    test, record, event = heard()
    assert (test["Event"], record["Records"][0]["eventName"]) == ("s3:TestEvent", "ObjectCreated:Put")
    assert (event["detail-type"], event["detail"]["object"]["key"], event["detail"]["reason"]) == ("Object Created", "a", "PutObject")


# the bill


def test_given_classes_then_the_bill_has_their_minimums(sandbox, s3):
    """User Guide, "Using Amazon S3 storage classes": minimum sizes and durations."""
    s3.put_object(Bucket="photos", Key="small", Body=b"x" * 1000, StorageClass="STANDARD_IA")
    assert sandbox.life.meter.running["bucket photos", "s3:STANDARD_IA"] == 128 * 1024 / GB
    sandbox.clock.advance(days=10)
    s3.delete_object(Bucket="photos", Key="small")
    assert sandbox.life.meter.running == {}
    assert cost(sandbox, "s3:early-STANDARD_IA") == pytest.approx(2 * cost(sandbox, "s3:STANDARD_IA"))  # 20 of 30 days were left


def test_given_reads_then_requests_retrieval_and_transfer_are_counted(sandbox, s3):
    s3.put_object(Bucket="photos", Key="a", Body=b"x" * MB, StorageClass="STANDARD_IA")
    for _ in range(3):
        s3.get_object(Bucket="photos", Key="a")
    with pytest.raises(ClientError):
        s3.get_object(Bucket="photos", Key="none")
    assert cost(sandbox, "s3:get-STANDARD_IA") == 3
    assert cost(sandbox, "s3:retrieval-STANDARD_IA") == cost(sandbox, "s3:transfer-out") == 3 * MB / GB
    assert cost(sandbox, "s3:put-STANDARD_IA") == 1


def test_given_old_versions_then_they_cost_too(sandbox, s3):
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        s3.put_object(Bucket="photos", Key="a", Body=b"x" * MB)
    s3.delete_object(Bucket="photos", Key="a")
    assert sandbox.life.meter.running["bucket photos", "s3:STANDARD"] == 3 * MB / GB


def test_given_intelligent_tiering_then_what_nobody_reads_gets_cheaper(sandbox, s3):
    """User Guide, "How S3 Intelligent-Tiering works": 30 and 90 days, and back by a read."""
    s3.put_object(Bucket="photos", Key="a", Body=b"x" * MB, StorageClass="INTELLIGENT_TIERING")
    seen = []
    for days in (0, 31, 60):
        sandbox.clock.advance(days=days)
        seen += [item for _, item in sandbox.life.meter.running if item != "s3:monitoring"]
    s3.get_object(Bucket="photos", Key="a")
    seen += [item for _, item in sandbox.life.meter.running if item != "s3:monitoring"]
    assert seen == ["s3:INTELLIGENT_TIERING", "s3:INTELLIGENT_TIERING-infrequent", "s3:INTELLIGENT_TIERING-archive",
                    "s3:INTELLIGENT_TIERING"]


def test_given_nothing_made_yet_then_a_quote_and_a_what_if_tell_the_price(sandbox, s3):
    quote = str(sandbox.quote("s3", "put_object", Bucket="photos", Key="a", Body=b"x" * MB, StorageClass="GLACIER"))
    assert "S3 Glacier Flexible Retrieval" in quote and "$0.00003" in quote
    assert "Contents" not in s3.list_objects_v2(Bucket="photos")
    s3.put_object(Bucket="photos", Key="a", Body=b"x" * MB)
    table = what_if(sandbox, "photos", months=12)
    assert [row[0] for row in table.rows] == [kind.says for kind in CLASSES.values()]
    assert table.rows[0][1] == "1" and table.rows[0][3] == "$0.0000"


def test_given_the_price_list_then_it_is_that_of_the_model():
    from kit.lab.meter import prices
    items = prices()["items"]
    for name, kind in CLASSES.items():
        assert items[f"s3:{name}"]["price"] == kind.storage
        assert (items[f"s3:put-{name}"]["price"], items[f"s3:get-{name}"]["price"]) == (kind.put, kind.get)
        assert not kind.transition or items[f"s3:transition-{name}"]["price"] == kind.transition
        assert not kind.minimum_days or items[f"s3:early-{name}"]["price"] == kind.storage
    for (name, tier), (request, a_gb) in RETRIEVALS.items():
        assert (items[f"s3:restore-{name}-{tier}"]["price"], items[f"s3:retrieval-{name}-{tier}"]["price"]) == (request, a_gb)
    assert items["s3:monitoring"]["price"] == MONITORING
    assert [items[f"s3:INTELLIGENT_TIERING{end}"]["price"] for end in ("", "-infrequent", "-archive")] == [
        tier[2] for tier in TIERS if tier[3]]


def test_given_the_same_seed_then_the_same_history(sandbox, tmp_path):
    def story():
        sandbox.reset(seed=3)
        s3 = sandbox.client("s3")
        s3.create_bucket(Bucket="photos")
        for number in range(5):
            s3.put_object(Bucket="photos", Key=f"{number}", Body=b"x" * 200_000, StorageClass="GLACIER")
            s3.restore_object(Bucket="photos", Key=f"{number}", RestoreRequest={"Days": 1})
        rules(s3, {"Expiration": {"Days": 30}})
        sandbox.clock.advance(days=40)
        return list(sandbox.history()), sandbox.bill().total
    first = story()
    assert story() == first and len(first[0]) > 5
