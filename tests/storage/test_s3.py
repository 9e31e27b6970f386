"""The bucket against AWS's pages: versions, delete markers, conditions, ranges, limits, listings; and what must never
happen, whatever is done in whatever order."""

import base64
import hashlib
import zlib

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from kit.errors import ServiceError
from kit.storage.s3 import Bucket, lifecycle_actions, lifecycle_due
from kit.storage.s3_check import GIB, LARGEST_OBJECT

KB = 1024


def refused(code):
    return pytest.raises(ServiceError, match=f"^{code}:")


@pytest.fixture
def bucket():
    return Bucket("a-bucket")


@pytest.fixture
def versioned(bucket):
    bucket.put_bucket_versioning({"Status": "Enabled"}, now=0)
    return bucket


def versions(bucket, key="k"):
    """Ids, the newest first; delete markers in brackets."""
    return [f"({one.version_id})" if one.is_delete_marker else one.version_id for one in bucket.versions(key)]


# ---------------------------------------------------------------------- "How S3 Versioning works", and its neighbours


def test_unversioned_the_last_write_wins_and_a_delete_is_the_end(bucket):
    assert "VersionId" not in bucket.put_object("k", b"one", now=0)
    bucket.put_object("k", b"two", now=1)
    assert bucket.get_object("k", now=2)["Body"] == b"two" and versions(bucket) == ["null"]
    assert bucket.delete_object("k", now=3) == {} and bucket.keys() == []
    with refused("NoSuchKey"):
        bucket.get_object("k", now=4)


def test_what_was_there_before_versioning_is_the_null_version(bucket):
    """"Retaining multiple versions of objects with S3 Versioning": existing objects do not change."""
    bucket.put_object("k", b"old", now=0)
    bucket.put_bucket_versioning({"Status": "Enabled"}, now=1)
    new = bucket.put_object("k", b"new", now=2)["VersionId"]
    assert versions(bucket) == [new, "null"]
    assert bucket.get_object("k", now=3, VersionId="null")["Body"] == b"old"


def test_a_delete_marker_hides_and_its_removal_brings_back(versioned):
    """"Working with delete markers"."""
    first = versioned.put_object("k", b"one", now=1)["VersionId"]
    gone = versioned.delete_object("k", now=2)
    assert gone["DeleteMarker"] and versions(versioned) == [f"({gone['VersionId']})", first]
    with refused("NoSuchKey"):
        versioned.get_object("k", now=3)
    with refused("MethodNotAllowed"):
        versioned.get_object("k", now=3, VersionId=gone["VersionId"])
    with refused("405"):
        versioned.head_object("k", now=3, VersionId=gone["VersionId"])
    assert versioned.list_objects_v2()["KeyCount"] == 0
    assert versioned.delete_object("k", now=4, VersionId=gone["VersionId"])["DeleteMarker"]
    assert versioned.get_object("k", now=5)["Body"] == b"one"


def test_deleting_a_delete_marker_without_its_version_adds_another(versioned):
    """"Removing delete markers": a simple DELETE of a delete marker removes nothing."""
    versioned.put_object("k", b"", now=0)
    markers = [versioned.delete_object("k", now=n)["VersionId"] for n in (1, 2)]
    assert len(set(markers)) == 2 and len(versions(versioned)) == 3


def test_a_suspended_bucket_writes_the_null_version(versioned):
    """"Adding objects to versioning-suspended buckets", "Deleting objects from versioning-suspended buckets"."""
    first = versioned.put_object("k", b"one", now=1)["VersionId"]
    versioned.put_bucket_versioning({"Status": "Suspended"}, now=2)
    assert versioned.put_object("k", b"two", now=3)["VersionId"] == "null"
    assert versioned.put_object("k", b"three", now=4)["VersionId"] == "null"
    assert versions(versioned) == ["null", first]  # "two" was replaced, "one" is safe
    assert versioned.delete_object("k", now=5) == {"DeleteMarker": True, "VersionId": "null"}
    assert versions(versioned) == ["(null)", first]
    versioned.delete_object("k", now=6, VersionId="null")
    assert versioned.get_object("k", now=7)["Body"] == b"one"


def test_there_is_no_way_back_to_unversioned(versioned):
    with refused("IllegalVersioningConfigurationException"):
        versioned.put_bucket_versioning({"Status": "Off"})
    assert versioned.get_bucket_versioning() == {"Status": "Enabled"} and Bucket("b").get_bucket_versioning() == {}


def test_a_bucket_goes_when_every_version_has_gone(versioned):
    put = versioned.put_object("k", b"", now=0)["VersionId"]
    marker = versioned.delete_object("k", now=1)["VersionId"]
    for version in (put, marker):
        with refused("BucketNotEmpty"):
            versioned.delete_bucket()
        versioned.delete_object("k", now=2, VersionId=version)
    versioned.delete_bucket()
    for call in (lambda: versioned.put_object("k", b""), lambda: versioned.get_object("k"), versioned.list_objects_v2,
                 lambda: versioned.delete_object("k"), versioned.delete_bucket):
        with refused("NoSuchBucket"):
            call()


def test_many_deletes_in_one_call(versioned):
    """DeleteObjects: what isn't found is confirmed as deleted; quiet mode tells of errors only."""
    etag = versioned.put_object("a", b"1", now=0)["ETag"]
    put = versioned.put_object("b", b"1", now=0)["VersionId"]
    objects = [{"Key": "a", "ETag": '"other"'}, {"Key": "b", "VersionId": put}, {"Key": "c", "VersionId": "never"}]
    answer = versioned.delete_objects({"Objects": objects}, now=1)
    assert answer["Deleted"] == objects[1:] and [one["Code"] for one in answer["Errors"]] == ["PreconditionFailed"]
    quiet = versioned.delete_objects({"Objects": [{"Key": "a", "ETag": etag}], "Quiet": True}, now=2)
    assert quiet == {"Deleted": [], "Errors": []} and versioned.keys() == ["a"]
    for number in (0, 1001):
        with refused("MalformedXML"):
            versioned.delete_objects({"Objects": [{"Key": "k"}] * number})


# ---------------------------------------------------------------------- conditional requests


def test_two_writers_and_only_the_first_wins(bucket):
    """"How to prevent object overwrites with conditional writes": If-Match."""
    read = bucket.put_object("counter", b"1", now=0)["ETag"]
    bucket.put_object("counter", b"2", now=1, IfMatch=read)
    with refused("PreconditionFailed"):
        bucket.put_object("counter", b"2 too", now=2, IfMatch=read)
    assert bucket.get_object("counter", now=3)["Body"] == b"2"


def test_create_if_there_is_none(versioned):
    """If-None-Match: a delete marker is no object."""
    versioned.put_object("lock", b"mine", now=0, IfNoneMatch="*")
    with refused("PreconditionFailed"):
        versioned.put_object("lock", b"yours", now=1, IfNoneMatch="*")
    versioned.delete_object("lock", now=2)
    versioned.put_object("lock", b"yours", now=3, IfNoneMatch="*")


def test_nothing_to_match_is_404(versioned):
    with refused("NoSuchKey"):
        versioned.put_object("k", b"", now=0, IfMatch='"x"')
    etag = versioned.put_object("k", b"", now=1)["ETag"]
    versioned.delete_object("k", now=2)
    with refused("NoSuchKey"):
        versioned.put_object("k", b"", now=3, IfMatch=etag)
    with refused("NoSuchKey"):
        versioned.delete_object("k", now=3, IfMatch="*")


def test_a_delete_while_an_upload_runs_is_a_conflict(bucket):
    """PutObject: 409 ConditionalRequestConflict if a conflicting operation occurs during the upload; then retry."""
    bucket.put_object("k", b"old", now=0)
    bucket.delete_object("k", now=5)
    with refused("ConditionalRequestConflict"):
        bucket.put_object("k", b"new", now=10, IfNoneMatch="*", began=4)
    bucket.put_object("k", b"new", now=12, IfNoneMatch="*", began=11)
    bucket.delete_object("k", now=13)
    bucket.put_object("k", b"without a condition", now=14, began=12)


def test_a_version_that_is_deleted_meanwhile_is_a_conflict_too(versioned):
    version = versioned.put_object("k", b"old", now=0)["VersionId"]
    versioned.delete_object("k", now=5, VersionId=version)
    with refused("ConditionalRequestConflict"):
        versioned.put_object("k", b"new", now=10, IfNoneMatch="*", began=4)


@pytest.mark.parametrize("conditions, outcome", [
    ({"IfMatch": "same"}, "body"), ({"IfMatch": "other"}, "PreconditionFailed"),
    ({"IfNoneMatch": "same"}, "304"), ({"IfNoneMatch": "other"}, "body"),
    ({"IfModifiedSince": 99}, "body"), ({"IfModifiedSince": 100}, "304"),
    ({"IfUnmodifiedSince": 99}, "PreconditionFailed"), ({"IfUnmodifiedSince": 100}, "body"),
    ({"IfMatch": "same", "IfUnmodifiedSince": 99}, "body"),  # GetObject: If-Match true, If-Unmodified-Since false: 200
    ({"IfNoneMatch": "same", "IfModifiedSince": 99}, "304"),  # If-None-Match false, If-Modified-Since true: 304
])
def test_conditional_reads(bucket, conditions, outcome):
    etag = bucket.put_object("k", b"body", now=100.9)["ETag"]
    conditions = {name: {"same": etag, "other": '"x"'}.get(value, value) for name, value in conditions.items()}
    if outcome == "body":
        assert bucket.get_object("k", now=200, **conditions)["Body"] == b"body"
        return
    with refused(outcome):
        bucket.get_object("k", now=200, **conditions)
    with refused("412" if outcome == "PreconditionFailed" else outcome):
        bucket.head_object("k", now=200, **conditions)
    with refused("PreconditionFailed"):  # CopyObject knows no 304
        bucket.copy_object("l", {"Bucket": bucket, "Key": "k"}, now=200,
                           **{f"CopySource{name}": value for name, value in conditions.items()})


# ---------------------------------------------------------------------- ranges, archives, copies


@pytest.mark.parametrize("Range, body, told", [
    ("bytes=0-3", b"0123", "bytes 0-3/10"), ("bytes=7-", b"789", "bytes 7-9/10"), ("bytes=-2", b"89", "bytes 8-9/10"),
    ("bytes=8-99", b"89", "bytes 8-9/10"), ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ("bytes=0-1,5-6", b"0123456789", None), ("bytes=3-2", b"0123456789", None)])
def test_byte_ranges(bucket, Range, body, told):
    """RFC 9110, 14.1.2; GetObject: S3 takes no multiple ranges."""
    bucket.put_object("k", b"0123456789", now=0)
    answer = bucket.get_object("k", now=1, Range=Range)
    assert (answer["Body"], answer["ContentLength"], answer.get("ContentRange")) == (body, len(body), told)


@pytest.mark.parametrize("Range", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_of_nothing_is_refused(bucket, Range):
    bucket.put_object("k", b"0123456789", now=0)
    with refused("InvalidRange"):
        bucket.get_object("k", now=1, Range=Range)
    with refused("416"):
        bucket.head_object("k", now=1, Range=Range)


@pytest.mark.parametrize("storage_class, archived", [("GLACIER", True), ("DEEP_ARCHIVE", True), ("GLACIER_IR", False),
                                                     ("STANDARD_IA", False)])
def test_an_archived_object_is_read_only_while_a_copy_is_restored(bucket, storage_class, archived):
    """GetObject: InvalidObjectState. CopyObject: ObjectNotInActiveTierError."""
    bucket.put_object("k", b"cold", now=0, StorageClass=storage_class)
    assert bucket.head_object("k", now=1)["StorageClass"] == storage_class
    if not archived:
        assert bucket.get_object("k", now=1)["Body"] == b"cold"
        return
    with refused("InvalidObjectState"):
        bucket.get_object("k", now=1)
    with refused("ObjectNotInActiveTierError"):
        bucket.copy_object("warm", {"Bucket": bucket, "Key": "k"}, now=1)
    bucket.version("k").restored_until = 100
    assert bucket.get_object("k", now=99)["Body"] == b"cold"
    with refused("InvalidObjectState"):
        bucket.get_object("k", now=100)


def test_a_copy_takes_what_describes_the_object_but_not_its_class(bucket):
    """CopyObject: metadata and tags are copied unless replaced; the storage class is STANDARD unless given."""
    other = Bucket("another-bucket")
    bucket.put_object("k", b"body", now=0, Metadata={"Author": "me"}, Tagging="a=1", StorageClass="STANDARD_IA")
    other.copy_object("copy", {"Bucket": bucket, "Key": "k"}, now=1)
    copy = other.get_object("copy", now=2)
    assert (copy["Body"], copy["Metadata"], copy["TagCount"]) == (b"body", {"author": "me"}, 1)
    assert "StorageClass" not in copy and copy["LastModified"] == 1
    other.copy_object("copy", {"Bucket": bucket, "Key": "k"}, now=3, MetadataDirective="REPLACE", TaggingDirective="REPLACE")
    assert other.get_object("copy", now=4)["Metadata"] == {} and other.get_object_tagging("copy")["TagSet"] == []
    assert bucket.get_object_tagging("k")["TagSet"] == [{"Key": "a", "Value": "1"}]


def test_a_copy_onto_itself_must_change_something(bucket):
    bucket.put_object("k", b"body", now=0)
    with refused("InvalidRequest"):
        bucket.copy_object("k", {"Bucket": "a-bucket", "Key": "k"}, now=1)
    bucket.copy_object("k", {"Bucket": "a-bucket", "Key": "k"}, now=1, StorageClass="GLACIER_IR")
    assert bucket.head_object("k", now=2)["StorageClass"] == "GLACIER_IR"


# ---------------------------------------------------------------------- limits and checks


def test_sizes(bucket):
    """"Uploading objects": up to 5 GB in one operation. "Amazon S3 multipart upload limits": 48.8 TiB."""
    bucket.put_object("large", 5 * GIB, now=0)
    assert bucket.get_object("large", now=1, Range="bytes=0-9")["Body"] == 10  # of a size, the number of bytes
    assert bucket.stored_bytes() == 5 * GIB
    with refused("EntityTooLarge"):
        bucket.put_object("too large", 5 * GIB + 1, now=0)
    assert round(LARGEST_OBJECT / 2**40, 1) == 48.8 and 50e12 < LARGEST_OBJECT


def test_keys_and_metadata_are_measured_in_utf8(bucket):
    bucket.put_object("é" * 512, b"", now=0, Metadata={"k": "é" * 1023 + "x"})
    with refused("KeyTooLongError"):
        bucket.put_object("é" * 512 + "x", b"", now=0)
    with refused("MetadataTooLarge"):
        bucket.put_object("k", b"", now=0, Metadata={"k": "é" * 1023 + "xy"})


@pytest.mark.parametrize("tags, code", [
    ([("k", "v" * 256)] * 1, None), ([("k" * 128, "")], None), ([(f"{n}", "") for n in range(10)], None),
    ([(f"{n}", "") for n in range(11)], "BadRequest"), ([("k" * 129, "")], "InvalidTag"), ([("k", "v" * 257)], "InvalidTag"),
    ([("k", "1"), ("k", "2")], "InvalidTag"), ([("", "1")], "InvalidTag"), ([("AWS:k", "1")], "InvalidTag")])
def test_tags(bucket, tags, code):
    """"Categorizing your storage using tags": 10 tags, keys of 128 and values of 256 characters, keys unique."""
    bucket.put_object("k", b"", now=0)
    tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}
    if code is None:
        bucket.put_object_tagging("k", tagging)
        assert bucket.get_object_tagging("k") == tagging
        bucket.delete_object_tagging("k")
        assert bucket.get_object_tagging("k") == {"TagSet": []}
        return
    with refused(code):
        bucket.put_object_tagging("k", tagging)


def test_a_body_that_arrives_damaged_is_refused(bucket):
    """PutObject: Content-MD5 and the checksums."""
    sums = {"ContentMD5": hashlib.md5(b"sent").digest(), "ChecksumSHA256": hashlib.sha256(b"sent").digest(),
            "ChecksumSHA1": hashlib.sha1(b"sent").digest(), "ChecksumCRC32": zlib.crc32(b"sent").to_bytes(4, "big")}
    for name, digest in sums.items():
        text = base64.b64encode(digest).decode()
        bucket.put_object("k", b"sent", now=0, **{name: text})
        with refused("BadDigest"):
            bucket.put_object("k", b"damaged", now=1, **{name: text})
        with refused("InvalidDigest" if name == "ContentMD5" else "InvalidRequest"):
            bucket.put_object("k", b"sent", now=1, **{name: "no digest"})
    assert bucket.get_object("k", now=2)["Body"] == b"sent"


def test_the_etag_is_the_md5(bucket):
    assert bucket.put_object("k", b"", now=0)["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'  # MD5 of nothing, RFC 1321
    assert bucket.put_object("k", "abc", now=0)["ETag"] == '"900150983cd24fb0d6963f7d28e17f72"'


# ---------------------------------------------------------------------- listings


def listed(bucket, **parameters):
    answer = bucket.list_objects_v2(**parameters)
    return [one["Key"] for one in answer["Contents"]] + [one["Prefix"] for one in answer["CommonPrefixes"]]


def test_folders_are_only_prefixes(bucket):
    """"Organizing objects using prefixes": AWS's own example."""
    for key in ("sample.jpg", "photos/2006/January/sample.jpg", "photos/2006/February/sample2.jpg",
                "photos/2006/February/sample3.jpg", "photos/2006/February/sample4.jpg"):
        bucket.put_object(key, b"", now=0)
    assert listed(bucket, Delimiter="/") == ["sample.jpg", "photos/"]
    assert listed(bucket, Delimiter="/", Prefix="photos/2006/") == ["photos/2006/February/", "photos/2006/January/"]
    assert listed(bucket, Prefix="photos/2006/J") == ["photos/2006/January/sample.jpg"]


def test_keys_come_in_the_order_of_their_utf8_bytes(bucket):
    keys = ["\U0001f600", "\uffff", "é", "z", "a", "Z", "10", "9"]  # UTF-16 would have the first before the second
    for key in keys:
        bucket.put_object(key, b"", now=0)
    assert listed(bucket) == sorted(keys, key=str.encode) == ["10", "9", "Z", "a", "z", "é", "\uffff", "\U0001f600"]


def test_a_page_has_at_most_1000_entries_and_says_where_to_go_on(bucket):
    for number in range(1005):
        bucket.put_object(f"{number:04}", b"", now=0)
    first = bucket.list_objects_v2(MaxKeys=5000)
    assert first["KeyCount"] == 1000 and first["IsTruncated"]
    second = bucket.list_objects_v2(ContinuationToken=first["NextContinuationToken"])
    assert [one["Key"] for one in second["Contents"]] == [f"{n}" for n in range(1000, 1005)] and not second["IsTruncated"]
    with refused("InvalidArgument"):
        bucket.list_objects_v2(ContinuationToken="no token")


def test_common_prefixes_count_as_one_entry_each(bucket):
    for key in ("a/1", "a/2", "b", "c/1"):
        bucket.put_object(key, b"", now=0)
    first = bucket.list_objects_v2(Delimiter="/", MaxKeys=1)
    assert first["CommonPrefixes"] == [{"Prefix": "a/"}] and first["KeyCount"] == 1
    assert listed(bucket, Delimiter="/", ContinuationToken=first["NextContinuationToken"]) == ["b", "c/"]
    assert listed(bucket, Delimiter="/", StartAfter="a/1") == ["b", "c/"]  # "a/" is not greater than "a/1"


def test_versions_are_listed_page_by_page(versioned):
    """ListObjectVersions: key-marker and version-id-marker."""
    for key in "ab":
        for now in (1, 2):
            versioned.put_object(key, f"{now}", now=now)
    versioned.delete_object("a", now=3)
    seen, markers = [], {}
    for _ in range(9):
        answer = versioned.list_object_versions(MaxKeys=1, **markers)
        seen += [(one["Key"], one["VersionId"], one["IsLatest"]) for one in answer["Versions"] + answer["DeleteMarkers"]]
        if not answer["IsTruncated"]:
            break
        markers = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer["NextVersionIdMarker"]}
    assert seen == [(key, one.version_id, number == 0) for key in "ab" for number, one in enumerate(versioned.versions(key))]
    assert len(seen) == 5 and [one["Key"] for one in versioned.list_object_versions(KeyMarker="a")["Versions"]] == ["b", "b"]


def test_lifecycle_is_at_hand_here():
    assert lifecycle_due.__module__ == lifecycle_actions.__module__ == "kit.storage.lifecycle"


# ---------------------------------------------------------------------- whatever is done, in whatever order


class AnyStory(RuleBasedStateMachine):
    """No version is lost but by its own deletion; a locked one stays until its date; all is read back byte for byte."""

    keys, ids = st.sampled_from(["a", "a/b", "é"]), Bundle("ids")

    @initialize(locks=st.booleans())
    def begin(self, locks):
        self.bucket = Bucket("a-bucket", ObjectLockEnabledForBucket=locks)
        self.now, self.locks = 0, locks
        self.stored = {}  # (key, version id) -> body, or None for a delete marker
        self.locked = {}  # (key, version id) -> (mode, until when)

    def store(self, key, version_id, body):
        self.stored[key, version_id] = body  # a null version takes the place of another
        return key, version_id

    @rule(key=keys, body=st.binary(max_size=8), target=ids)
    def put(self, key, body):
        answer = self.bucket.put_object(key, body, now=self.now)
        return self.store(key, answer.get("VersionId", "null"), body)

    @rule(key=keys, source=ids, target=ids)
    def copy(self, key, source):
        if self.stored.get(source) is None:
            return multiple()
        answer = self.bucket.copy_object(key, {"Bucket": self.bucket, "Key": source[0], "VersionId": source[1]}, self.now)
        return self.store(key, answer.get("VersionId", "null"), self.stored[source])

    @rule(key=keys, body=st.binary(max_size=8), mode=st.sampled_from(["GOVERNANCE", "COMPLIANCE"]), days=st.integers(1, 5),
          target=ids)
    def put_locked(self, key, body, mode, days):
        parameters = {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": self.now + days}
        if not self.locks:
            with refused("InvalidRequest"):
                self.bucket.put_object(key, body, now=self.now, **parameters)
            return multiple()
        version = self.store(key, self.bucket.put_object(key, body, now=self.now, **parameters)["VersionId"], body)
        self.locked[version] = mode, self.now + days
        return version

    @rule(version=ids, mode=st.sampled_from(["GOVERNANCE", "COMPLIANCE", None]), days=st.integers(1, 5), bypass=st.booleans())
    def change_lock(self, version, mode, days, bypass):
        if self.stored.get(version) is None or not self.locks:
            return
        was, until = self.locked.get(version, (None, self.now))
        retention = {} if mode is None else {"Mode": mode, "RetainUntilDate": self.now + days}
        free = until <= self.now or (was == mode and until <= self.now + days) or (was == "GOVERNANCE" and bypass)
        change = dict(Key=version[0], Retention=retention, now=self.now, VersionId=version[1], BypassGovernanceRetention=bypass)
        if free:
            self.bucket.put_object_retention(**change)
            self.locked[version] = mode, self.now + days if mode else self.now
        else:
            with refused("AccessDenied"):
                self.bucket.put_object_retention(**change)

    @rule(key=keys, target=ids)
    def delete(self, key):
        answer = self.bucket.delete_object(key, now=self.now)
        if self.bucket.versioning is None:
            self.stored.pop((key, "null"), None)
            return multiple()
        return self.store(key, answer["VersionId"], None)

    @rule(version=ids, bypass=st.booleans())
    def delete_version(self, version, bypass):
        mode, until = self.locked.get(version, (None, 0))
        call = dict(Key=version[0], VersionId=version[1], now=self.now, BypassGovernanceRetention=bypass)
        if version in self.stored and self.now < until and not (mode == "GOVERNANCE" and bypass):
            with refused("AccessDenied"):
                self.bucket.delete_object(**call)
        else:
            self.bucket.delete_object(**call)
            self.stored.pop(version, None)

    @rule(status=st.sampled_from(["Enabled", "Suspended"]))
    def version(self, status):
        if self.locks and status == "Suspended":
            with refused("InvalidBucketState"):
                self.bucket.put_bucket_versioning({"Status": status})
        else:
            self.bucket.put_bucket_versioning({"Status": status})

    @rule(seconds=st.integers(1, 3))
    def wait(self, seconds):
        self.now += seconds

    @invariant()
    def all_is_there(self):
        answer = self.bucket.list_object_versions()
        there = {(one["Key"], one["VersionId"]) for one in answer["Versions"]}
        markers = {(one["Key"], one["VersionId"]) for one in answer["DeleteMarkers"]}
        assert there == {version for version, body in self.stored.items() if body is not None}
        assert markers == {version for version, body in self.stored.items() if body is None}
        for (key, version_id), body in self.stored.items():
            if body is not None:
                read = self.bucket.get_object(key, now=self.now, VersionId=version_id)
                assert read["Body"] == body and read["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'


TestAnyStory = AnyStory.TestCase
TestAnyStory.settings = settings(max_examples=60, stateful_step_count=30)
