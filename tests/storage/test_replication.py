"""Replication, held to the Amazon S3 User Guide and API Reference (pages named in the tests)."""

import pytest

from kit.errors import ServiceError
from kit.storage.replication import THRESHOLD, Source, check_configuration, events, plan, status

ME, YOU = "111122223333", "444455556666"
B, C = "arn:aws:s3:::backup", "arn:aws:s3:::third"
RTC = {"ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
       "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}}


def rule(name="all", prefix="", bucket=B, priority=1, markers="Disabled", status="Enabled", kms=False, filter=None, **target):
    made = {"ID": name, "Status": status, "Priority": priority, "Filter": {"Prefix": prefix} if filter is None else filter,
            "DeleteMarkerReplication": {"Status": markers}, "Destination": {"Bucket": bucket, **target}}
    return made | ({"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}} if kms else {})


def made(source, *rules, configured_at=0):
    return plan({"Role": "r", "Rules": list(rules or [rule()])}, source, configured_at=configured_at, owner=ME)


def names(source, *rules):
    return [copy.rule for copy in made(source, *rules).copies]


def test_the_guides_two_rules_with_prefixes():
    """"Replication configuration", example 2: Tax and Project go, PersonalDoc does not; Project as STANDARD_IA."""
    rules = rule("tax", "Tax"), rule("project", "Project", priority=2, StorageClass="STANDARD_IA")
    [tax] = made(Source("Tax/doc1.pdf"), *rules).copies
    [project] = made(Source("Project/project1.txt"), *rules).copies
    assert (tax.rule, tax.storage_class) == ("tax", "STANDARD")
    assert (project.rule, project.storage_class) == ("project", "STANDARD_IA")
    nothing = made(Source("PersonalDoc/documentA"), *rules)
    assert not nothing.eligible and len(nothing.because) == 2


def test_the_higher_priority_wins_for_one_bucket():
    """Example 3, overlapping prefixes star and starship: "the higher the number, the higher the priority"."""
    star, starship = rule("star", "star"), rule("starship", "starship", priority=2)
    assert names(Source("starship-x"), star, starship) == names(Source("starship-x"), starship, star) == ["starship"]
    assert names(Source("star-x"), star, starship) == ["star"]


def test_rules_to_different_buckets_all_count():
    """"Amazon S3 will attempt to replicate objects according to all replication rules"."""
    assert [copy.bucket for copy in made(Source("x"), rule("b"), rule("c", bucket=C, priority=2)).copies] == [B, C]


def test_a_filter_of_prefix_and_tags_wants_all():
    both = rule(filter={"And": {"Prefix": "Tax/", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}})
    assert names(Source("Tax/x", tags={"a": "1", "b": "2", "c": "3"}), both) == ["all"]
    assert names(Source("Tax/x", tags={"a": "1", "b": "3"}), both) == []
    assert names(Source("x", tags={"a": "1", "b": "2"}), both) == []
    assert names(Source("x", tags={"a": "1"}), rule(filter={"Tag": {"Key": "a", "Value": "1"}})) == ["all"]
    assert names(Source("x"), rule(filter={})) == ["all"]


@pytest.mark.parametrize("source, word", [
    (Source("x", created=9), "before"), (Source("x", 20, replica=True), "replica"),
    (Source("x", 20, storage_class="DEEP_ARCHIVE"), "DEEP_ARCHIVE"), (Source("x", 20, storage_class="GLACIER"), "GLACIER"),
    (Source("x", 20, version_deleted=True), "version"), (Source("x", 20, readable=False), "read"),
    (Source("x", 20, delete_marker=True, by_lifecycle=True), "lifecycle"), (Source("x", 20, encryption="aws:kms"), "aws:kms")])
def test_what_is_not_replicated(source, word):
    """"What does Amazon S3 replicate?", What isn't replicated."""
    result = made(source, rule(markers="Enabled"), configured_at=10)
    assert not result.eligible and word in result.because[0]


@pytest.mark.parametrize("encryption", [None, "AES256", "SSE-C"])
def test_other_encryption_than_kms_needs_no_asking(encryption):
    """What is replicated: unencrypted, SSE-S3, SSE-C. GLACIER_IR and the rest are no archives here."""
    assert names(Source("x", encryption=encryption)) == ["all"] and names(Source("x", storage_class="GLACIER_IR")) == ["all"]


def test_kms_objects_go_with_a_key_of_the_destination():
    """"Replicating encrypted objects": SourceSelectionCriteria and ReplicaKmsKeyID."""
    opted = rule(kms=True, EncryptionConfiguration={"ReplicaKmsKeyID": "key-there"})
    [copy] = made(Source("x", encryption="aws:kms"), opted).copies
    assert copy.kms_key == "key-there"
    assert made(Source("x"), opted).copies[0].kms_key is None


def test_delete_markers_go_only_if_asked_and_never_by_tags():
    """"How delete operations affect replication"."""
    marker = Source("x", delete_marker=True)
    assert names(marker) == [] and names(marker, rule(markers="Enabled")) == ["all"]
    by_tag = rule(markers="Enabled", filter={"Tag": {"Key": "a", "Value": "1"}})
    assert names(marker, by_tag) == []
    old = {"ID": "v1", "Status": "Enabled", "Prefix": "", "Destination": {"Bucket": B}}
    assert names(marker, old) == ["v1"]  # V1 replicates delete markers that users made


def test_a_disabled_rule_does_nothing():
    assert names(Source("x"), rule(status="Disabled")) == []


def test_the_replicas_owner_and_class():
    """"Change replica ownership", "Specify storage class": by default those of the source object."""
    assert made(Source("x", storage_class="ONEZONE_IA")).copies[0].storage_class == "ONEZONE_IA"
    assert made(Source("x")).copies[0].owner == ME
    theirs = rule(Account=YOU, AccessControlTranslation={"Owner": "Destination"})
    assert made(Source("x"), theirs).copies[0].owner == YOU


@pytest.mark.parametrize("done, expected", [([], None), ([None], "PENDING"), ([True], "COMPLETED"), ([False], "FAILED"),
                                            ([True, None], "PENDING"), ([True, True], "COMPLETED"), ([None, False], "FAILED")])
def test_status_of_the_source(done, expected):
    """"Getting replication status information", also "if replicating to multiple destination buckets"."""
    assert status(done) == expected


def test_status_of_a_replica():
    assert status([], replica=True) == "REPLICA"


def test_events_of_replication_time_control():
    """"Receiving replication failure events...": missed at 15 minutes, replicated after; failure needs metrics only."""
    [timed] = made(Source("x", created=100), rule(**RTC)).copies
    assert timed.deadline == 100 + THRESHOLD == 1000
    assert events(timed, now=5000, replicated_at=900) == []
    assert events(timed, now=999) == []
    assert events(timed, now=1000) == [(1000, "s3:Replication:OperationMissedThreshold")]
    assert [name.split(":")[-1] for _, name in events(timed, 5000, replicated_at=1200)] == [
        "OperationMissedThreshold", "OperationReplicatedAfterThreshold"]
    [metered] = made(Source("x"), rule(Metrics={"Status": "Enabled"})).copies
    assert events(metered, 5000, failed_at=30) == [(30, "s3:Replication:OperationFailedReplication")]
    assert events(metered, 5000) == [] == events(made(Source("x")).copies[0], 5000, failed_at=30)


def refused(*rules, versioning="Enabled", there="Enabled", role="r"):
    with pytest.raises(ServiceError) as caught:
        check_configuration({"Role": role, "Rules": list(rules)}, versioning, {B: there, C: "Enabled"}, {B: YOU})
    return caught.value.code


def test_both_buckets_need_versioning():
    """"Requirements": both source and destination buckets must have versioning enabled."""
    assert refused(rule(), versioning="Suspended") == refused(rule(), versioning=None) == "InvalidRequest"
    assert refused(rule(), there="Suspended") == refused(rule(bucket="arn:aws:s3:::none")) == "InvalidRequest"


@pytest.mark.parametrize("bad, code", [
    (rule(ReplicationTime=RTC["ReplicationTime"]), "InvalidRequest"),
    (rule(**RTC | {"Metrics": {"Status": "Disabled"}}), "InvalidRequest"),
    (rule(**RTC | {"ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 10}}}), "InvalidArgument"),
    (rule(**RTC | {"ReplicationTime": {"Status": "Enabled"}}), "InvalidArgument"),
    (rule(**RTC | {"Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 30}}}), "InvalidArgument"),
    (rule(AccessControlTranslation={"Owner": "Destination"}), "InvalidRequest"),
    (rule(Account=""), "InvalidArgument"), (rule(Account=ME), "InvalidArgument"), (rule("ü"), "InvalidArgument"),
    (rule("x" * 256), "InvalidArgument"), (rule(kms=True), "InvalidRequest"),
    (rule(markers="Enabled", filter={"Tag": {"Key": "a", "Value": "1"}}), "InvalidRequest"),
    ({"Status": "Enabled", "Filter": {}, "Destination": {"Bucket": B}}, "InvalidRequest"),
    ({"Status": "On", "Destination": {"Bucket": B}}, "MalformedXML"),
    ({"Status": "Enabled", "Destination": {}}, "MalformedXML")])
def test_rules_that_are_refused(bad, code):
    """"Error responses", List of Replication-related error codes; PutBucketReplication; DeleteMarkerReplication."""
    assert refused(bad) == code


def test_configurations_that_are_refused():
    """PutBucketReplication: "at least one rule, and can contain a maximum of 1,000"."""
    assert refused() == refused(rule(), role="") == "MalformedXML"
    assert refused(*(rule(f"r{number}", priority=number) for number in range(1001))) == "MalformedXML"
    assert refused(rule("a"), rule("b")) == "InvalidRequest"
    assert refused(rule("a"), rule("a", priority=2)) == "InvalidArgument"
    assert refused(rule("a"), {"Status": "Enabled", "Prefix": "x", "Destination": {"Bucket": B}}) == "InvalidRequest"


def test_configurations_that_are_fine():
    theirs = {"Account": YOU, "AccessControlTranslation": {"Owner": "Destination"}}
    many = [rule(f"r{number}", f"{number}/", priority=number, **RTC, **theirs) for number in range(1000)]
    check_configuration({"Role": "r", "Rules": many}, "Enabled", {B: "Enabled"}, {B: YOU})
    check_configuration({"Role": "r", "Rules": [{"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": B}}]}, "Enabled",
                        {B: "Enabled"})
