"""Object Lock against "Locking objects with Object Lock" and "Object Lock considerations" (Amazon S3 User Guide)."""

import pytest

from kit.errors import ServiceError
from kit.storage.object_lock import DAY, may_delete, may_retain
from kit.storage.s3 import Bucket
from kit.storage.s3_version import Version


def refused(code):
    return pytest.raises(ServiceError, match=f"^{code}:")


def locked(mode=None, until=None, hold=False):
    return Version("k", "v1", 0, lock_mode=mode, retain_until=until, legal_hold=hold)


@pytest.mark.parametrize("version, options, allowed, says", [
    (locked(), {}, True, "No lock"),
    (locked("GOVERNANCE", 100), {}, False, "does not ask to bypass"),
    (locked("GOVERNANCE", 100), {"bypass": True}, True, "s3:BypassGovernanceRetention"),
    (locked("GOVERNANCE", 100), {"bypass": True, "permitted": False}, False, "lacks s3:BypassGovernanceRetention"),
    (locked("COMPLIANCE", 100), {"bypass": True}, False, "root user"),
    (locked("COMPLIANCE", 50), {}, True, "ended"),
    (locked("GOVERNANCE", 51), {}, False, "GOVERNANCE"),
    (locked(hold=True), {"bypass": True}, False, "legal hold"),
    (locked("COMPLIANCE", 50, hold=True), {}, False, "legal hold"),  # the period is over, the hold goes on protecting
])
def test_who_may_delete_at_50(version, options, allowed, says):
    decision = may_delete(version, 50, **options)
    assert decision.allowed == allowed and says in str(decision)


def test_every_lock_that_denies_says_so():
    assert len(may_delete(locked("COMPLIANCE", 100, hold=True), 50).because) == 2


def test_a_delete_marker_is_not_protected():
    assert may_delete(Version("k", "v1", 0, is_delete_marker=True), 50).allowed


@pytest.mark.parametrize("mode, until, bypass, change, allowed", [
    ("COMPLIANCE", 100, False, ("COMPLIANCE", 200), True),  # anybody who may lock may extend, in either mode
    ("GOVERNANCE", 100, False, ("GOVERNANCE", 200), True),
    ("COMPLIANCE", 100, True, ("COMPLIANCE", 99), False),
    ("COMPLIANCE", 100, True, ("GOVERNANCE", 200), False),
    ("COMPLIANCE", 100, True, (None, None), False),
    ("GOVERNANCE", 100, False, ("GOVERNANCE", 99), False),
    ("GOVERNANCE", 100, False, ("COMPLIANCE", 200), False),  # its settings are altered, not only extended
    ("GOVERNANCE", 100, False, (None, None), False),
    ("GOVERNANCE", 100, True, ("COMPLIANCE", 60), True),
    ("GOVERNANCE", 100, True, (None, None), True),
    ("COMPLIANCE", 50, False, ("GOVERNANCE", 60), True),  # it is over
])
def test_what_a_retention_may_become_at_50(mode, until, bypass, change, allowed):
    decision = may_retain(locked(mode, until), *change, now=50, bypass=bypass)
    assert decision.allowed == allowed and decision.because


@pytest.fixture
def bucket():
    return Bucket("a-bucket", ObjectLockEnabledForBucket=True)


def test_a_delete_without_a_version_only_adds_a_marker(bucket):
    """"Object Lock considerations", delete markers; DeleteObject."""
    version = bucket.put_object("k", b"body", now=0, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=100)["VersionId"]
    marker = bucket.delete_object("k", now=1)["VersionId"]
    bucket.put_object("k", b"on top", now=2)
    with refused("AccessDenied"):
        bucket.delete_object("k", now=99, VersionId=version, BypassGovernanceRetention=True)
    assert bucket.get_object("k", now=99, VersionId=version)["Body"] == b"body"
    bucket.delete_object("k", now=99, VersionId=marker)
    bucket.delete_object("k", now=100, VersionId=version)
    with refused("NoSuchVersion"):
        bucket.get_object("k", now=101, VersionId=version)


def test_aws_example_of_two_versions_with_their_own_periods(bucket):
    """Retention periods: 15 days into a 30-day period a new version with 60 days; the old one keeps its own."""
    day = DAY
    old = bucket.put_object("k", b"", now=0, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=30 * day)["VersionId"]
    new = bucket.put_object("k", b"", now=15 * day, ObjectLockMode="GOVERNANCE",
                            ObjectLockRetainUntilDate=75 * day)["VersionId"]
    bucket.delete_object("k", now=30 * day, VersionId=old)
    with refused("AccessDenied"):
        bucket.delete_object("k", now=75 * day - 1, VersionId=new)


def test_the_default_retention_counts_from_the_creation_of_each_version(bucket):
    before = bucket.put_object("k", b"", now=0)["VersionId"]
    bucket.put_object_lock_configuration({"ObjectLockEnabled": "Enabled", "Rule": {
        "DefaultRetention": {"Mode": "COMPLIANCE", "Days": 10}}})
    after = bucket.put_object("k", b"", now=5 * DAY)["VersionId"]
    own = bucket.put_object("k", b"", now=5 * DAY, ObjectLockMode="GOVERNANCE",
                            ObjectLockRetainUntilDate=6 * DAY)["VersionId"]  # overrides the default
    assert [bucket.version("k", one).retain_until for one in (before, after, own)] == [None, 15 * DAY, 6 * DAY]
    bucket.put_object_lock_configuration({"ObjectLockEnabled": "Enabled"})  # changes nothing that is there
    assert bucket.version("k", after).retain_until == 15 * DAY
    assert bucket.version("k", bucket.put_object("k", b"", now=6 * DAY)["VersionId"]).retain_until is None
    bucket.put_object_lock_configuration({"ObjectLockEnabled": "Enabled", "Rule": {
        "DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}})
    bucket.put_object("k", b"", now=0)
    assert bucket.head_object("k", now=1)["ObjectLockRetainUntilDate"] == 365 * DAY


def test_a_legal_hold_goes_on_and_off(bucket):
    version = bucket.put_object("k", b"", now=0, ObjectLockLegalHoldStatus="ON")["VersionId"]
    assert bucket.head_object("k", now=1)["ObjectLockLegalHoldStatus"] == "ON"
    with refused("AccessDenied"):
        bucket.delete_object("k", now=10**9, VersionId=version, BypassGovernanceRetention=True)
    bucket.put_object_legal_hold("k", {"Status": "OFF"}, VersionId=version)
    bucket.delete_object("k", now=10**9, VersionId=version)


def test_governance_is_bypassed_with_the_permission_only(bucket):
    version = bucket.put_object("k", b"", now=0, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=100)["VersionId"]
    with refused("AccessDenied"):
        bucket.delete_object("k", now=1, VersionId=version, BypassGovernanceRetention=True, permitted=False)
    with refused("AccessDenied"):
        bucket.put_object_retention("k", {}, now=1, VersionId=version)
    bucket.put_object_retention("k", {}, now=1, VersionId=version, BypassGovernanceRetention=True)
    bucket.delete_object("k", now=1, VersionId=version)


@pytest.mark.parametrize("retention, code", [
    ({"Mode": "GOVERNANCE", "RetainUntilDate": 50}, "InvalidArgument"), ({"Mode": "GOVERNANCE"}, "InvalidArgument"),
    ({"RetainUntilDate": 100}, "InvalidArgument"), ({"Mode": "FOREVER", "RetainUntilDate": 100}, "MalformedXML")])
def test_retentions_that_are_none(bucket, retention, code):
    bucket.put_object("k", b"", now=0)
    with refused(code):
        bucket.put_object_retention("k", retention, now=50)


@pytest.mark.parametrize("configuration, code", [
    ({}, "MalformedXML"),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE"}}}, "MalformedXML"),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Days": 1}}}, "MalformedXML"),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}},
     "MalformedXML"),
    ({"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 0}}}, "InvalidArgument")])
def test_configurations_that_are_none(bucket, configuration, code):
    """PutObjectLockConfiguration: a mode and a period, in days or in years."""
    with refused(code):
        bucket.put_object_lock_configuration(configuration)


def test_object_lock_needs_versioning_and_keeps_it():
    """PutObjectLockConfiguration: new or existing buckets. "Object Lock considerations": it can't be suspended."""
    bucket = Bucket("a-bucket")
    bucket.put_object("k", b"", now=0)
    for call in (lambda: bucket.put_object("k", b"", now=1, ObjectLockLegalHoldStatus="ON"),
                 lambda: bucket.put_object_legal_hold("k", {"Status": "ON"}),
                 lambda: bucket.put_object_retention("k", {"Mode": "GOVERNANCE", "RetainUntilDate": 9}, now=1)):
        with refused("InvalidRequest"):
            call()
    with refused("InvalidBucketState"):
        bucket.put_object_lock_configuration({"ObjectLockEnabled": "Enabled"})
    bucket.put_bucket_versioning({"Status": "Enabled"})
    bucket.put_object_lock_configuration({"ObjectLockEnabled": "Enabled"})
    bucket.put_object_legal_hold("k", {"Status": "ON"}, VersionId="null")
    with refused("InvalidBucketState"):
        bucket.put_bucket_versioning({"Status": "Suspended"})


def test_a_marker_on_top_can_not_be_locked(bucket):
    bucket.put_object("k", b"", now=0)
    bucket.delete_object("k", now=1)
    with refused("MethodNotAllowed"):
        bucket.put_object_legal_hold("k", {"Status": "ON"})
