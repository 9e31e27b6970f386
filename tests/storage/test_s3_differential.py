"""The model of S3 and moto are told the same stories at the same times, and must answer alike.

Where they don't, AWS's documentation decides. Where moto is wrong it stands in kit/storage/differences.py, each row
proven here; the random stories leave those out.
"""

from datetime import datetime, timedelta, timezone
from functools import cache

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.errors import ServiceError
from kit.storage.differences import DIFFERENCES
from kit.storage.multipart import SMALLEST_PART, MultipartUploads
from kit.storage.names import check_name
from kit.storage.object_lock import MODES
from kit.storage.s3 import Bucket

START = datetime(2026, 1, 5, tzinfo=timezone.utc)  # the sandbox's clock begins here
TIMES = {"IfModifiedSince", "IfUnmodifiedSince", "CopySourceIfModifiedSince", "ObjectLockRetainUntilDate",
         "RetainUntilDate"}
IDS = {"VersionId", "UploadId", "DeleteMarkerVersionId", "CopySourceVersionId"}
SAID = IDS - {"UploadId"} | {
    "Body", "CommonPrefixes", "Contents", "ContentLength", "ContentRange", "ContentType", "CopyObjectResult", "Code",
    "DeleteMarker", "DeleteMarkers", "Deleted", "ETag", "Errors", "IsLatest", "IsTruncated", "Key", "KeyCount",
    "LastModified", "MaxKeys", "Metadata", "Parts", "PartNumber", "Prefix", "Size", "Status", "StorageClass", "TagCount",
    "TagSet", "Value", "Versions"}
BIG = b"x" * SMALLEST_PART


@cache
def _client():
    return lab.start().client("s3")  # one for all stories: making one takes longer than a story


class Pair:
    """A bucket of the model and one of moto alone, under the sandbox's clock."""

    def __init__(self, **options):
        self.sandbox = lab.start()
        self.sandbox.reset(seed=1)
        self.sandbox.life.wake = lambda service: None  # moto alone: the sandbox's S3 lets the model decide
        self.s3 = _client()
        self.s3.create_bucket(Bucket="a-bucket", **options)
        self.bucket = Bucket("a-bucket", **options)
        self.uploads = MultipartUploads(self.bucket)
        self.ids = {"null": "null"}  # ours -> moto's, of versions and uploads

    @property
    def now(self):
        return self.sandbox.clock.now

    def both(self, operation, **parameters):
        """What each says, in the same words, or the code of its refusal. Ids among the parameters are ours."""
        self.sandbox.clock.advance(seconds=1)
        model = self.uploads if hasattr(MultipartUploads, operation) else self.bucket
        theirs = refused = None
        try:
            theirs = getattr(self.s3, operation)(Bucket="a-bucket", **self.their(parameters))
        except ClientError as error:
            refused = error.response["Error"]["Code"]
        try:
            ours = getattr(model, operation)(now=self.now, **parameters) or {}
        except ServiceError as error:
            return refused or self.plain(theirs), error.code
        if refused:
            return refused, ours
        self.learn(theirs, ours)
        return self.plain(theirs), self.plain(ours)

    def learn(self, theirs, ours):
        """Ids that both have just given to the same thing."""
        for name in IDS & theirs.keys() & ours.keys():
            self.ids.setdefault(ours[name], theirs[name])
        for one, other in zip(theirs.get("Deleted", []), ours.get("Deleted", [])):
            self.learn(one, other)

    def their(self, value, name=None):
        """The parameters as moto is to be told them."""
        if isinstance(value, dict):
            return {key: self.their(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.their(one) for one in value]
        if name in IDS:
            return self.ids.get(value, value)
        return START + timedelta(seconds=value) if name in TIMES else value

    def plain(self, value):
        """An answer without what is not the matter here: owners, checksums, empty lists."""
        if isinstance(value, dict):
            kept = {name: self.plain(one) for name, one in value.items() if name in SAID}
            kept = {name: one for name, one in kept.items() if one not in ([], "", {})}
            if "-" in kept.get("ETag", ""):
                kept.pop("LastModified", None)  # moto dates it by its completion: see the table
            return kept
        if isinstance(value, list):
            return [self.plain(one) for one in value]
        if isinstance(value, datetime):
            return int((value - START).total_seconds())
        if hasattr(value, "read"):
            return value.read()
        return {theirs: ours for ours, theirs in self.ids.items()}.get(value, value) if isinstance(value, str) else value

    def agree(self, operation, **parameters):
        theirs, ours = self.both(operation, **parameters)
        for said in (theirs, ours):
            for name in ("VersionId", "CopySourceVersionId"):
                if isinstance(said, dict) and said.get(name) == "null":
                    del said[name]  # S3 names the null version in a versioned bucket, moto never: see the table
        assert theirs == ours, (operation, parameters)
        return ours


# ---------------------------------------------------------------------- random stories

KEYS = ("a", "b/c", "b/d", "é")
READS = ("plain", "match", "other etag", "none match", "other none match", "modified", "unmodified", "range", "end",
         "past")


def read(pair, key, kind, version):
    """A conditional or ranged read, of the current version or another."""
    found = [one for one in pair.bucket.versions(key) if version in (None, one.version_id)][:1]
    etag, then = (found[0].etag, found[0].last_modified) if found and found[0].etag else ('"none"', 0)
    conditions = {"plain": {}, "match": {"IfMatch": etag}, "other etag": {"IfMatch": '"no"'},
                  "none match": {"IfNoneMatch": etag}, "other none match": {"IfNoneMatch": '"no"'},
                  "modified": {"IfModifiedSince": then}, "unmodified": {"IfUnmodifiedSince": then - 1},
                  "range": {"Range": "bytes=1-2"}, "end": {"Range": "bytes=-2"}, "past": {"Range": "bytes=9999999-"}}
    if "-" in etag and kind in ("modified", "unmodified"):
        kind = "plain"
    named = {} if version is None else {"VersionId": version}
    for operation in ("get_object", "head_object") if version != "null" else ("get_object",):  # see the table
        pair.agree(operation, Key=key, **conditions[kind], **named)


def objects(pair, key):
    return [one for one in pair.bucket.versions(key) if not one.is_delete_marker]


def exists(pair, key):
    return any(one is pair.bucket.versions(key)[0] for one in objects(pair, key))


ACTIONS = st.lists(st.tuples(st.sampled_from(
    ["put", "put new", "put onto", "delete", "delete onto", "delete version", "delete many", "read", "read version",
     "copy", "tags", "versioning"]), st.sampled_from(KEYS), st.integers(0, 9)), min_size=5, max_size=25)


@settings(max_examples=40)
@given(ACTIONS)
def test_a_bucket_and_moto_tell_the_same_story(actions):
    pair = Pair()
    for step, (action, key, number) in enumerate(actions):
        versions = pair.bucket.versions(key)
        if action == "put":
            pair.agree("put_object", Key=key, Body=b"0123456789"[:number], Metadata={"Step": str(step)}, Tagging="n=1")
        elif action == "put new":
            pair.agree("put_object", Key=key, Body=f"{step}".encode(), IfNoneMatch="*")
        elif action == "put onto":
            etag = versions[0].etag if versions and number % 2 else '"other"'
            pair.agree("put_object", Key=key, Body=b"onto", IfMatch=etag or '"of a marker"')
        elif action == "delete" and exists(pair, key):  # of what isn't there: see the table
            pair.agree("delete_object", Key=key)
        elif action == "delete onto":
            etag = versions[0].etag if versions and number % 2 else '"other"'
            pair.agree("delete_object", Key=key, IfMatch=etag or '"of a marker"')
        elif action == "delete version" and versions:
            chosen = versions[number % len(versions)]
            theirs, ours = pair.both("delete_object", Key=key, VersionId=chosen.version_id)
            if chosen.is_delete_marker:
                assert ours.pop("DeleteMarker")  # moto does not say so: see the table
            assert theirs == ours, (theirs, ours)
        elif action == "delete many" and exists(pair, key):
            pair.agree("delete_objects", Delete={"Objects": [{"Key": key}]})
        elif action == "read":
            read(pair, key, READS[number], None)
        elif action == "read version" and objects(pair, key):
            read(pair, key, READS[number], objects(pair, key)[number % len(objects(pair, key))].version_id)
        elif action == "copy":
            source = {"Bucket": "a-bucket", "Key": key}
            pair.agree("copy_object", Key=KEYS[number % 4], CopySource=source)
        elif action == "tags":
            pair.agree("put_object_tagging", Key=key, Tagging={"TagSet": [{"Key": "t", "Value": str(number)}]})
            pair.agree("get_object_tagging", Key=key)
        elif action == "versioning" and number < 5:
            pair.agree("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
            pair.agree("get_bucket_versioning")
        pair.agree("list_object_versions")
        pair.agree("list_objects_v2")


@settings(max_examples=25)
@given(st.lists(st.text("ab/é\uffff\U0001f600", min_size=1, max_size=4), max_size=12, unique=True),
       st.sampled_from(["", "a", "a/", "b"]), st.sampled_from(["", "/", "b"]), st.integers(1, 4),
       st.text("ab/", max_size=2))
def test_listings_have_the_same_pages(keys, prefix, delimiter, limit, after):
    pair = Pair()
    for key in keys:
        pair.both("put_object", Key=key, Body=b"")
    parameters = {"Prefix": prefix, "Delimiter": delimiter, "MaxKeys": limit, "StartAfter": after}
    tokens = ({}, {})
    for _ in range(len(keys) + 1):
        theirs = pair.s3.list_objects_v2(Bucket="a-bucket", **parameters, **tokens[0])
        ours = pair.bucket.list_objects_v2(**parameters, **tokens[1])
        assert pair.plain(theirs) == pair.plain(ours)
        if not ours["IsTruncated"]:
            return
        tokens = tuple({"ContinuationToken": said["NextContinuationToken"]} for said in (theirs, ours))
    raise AssertionError("the last page never came")


PARTS = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from(["all", "the last alone", "lost", "wrong etag", "abort", "new", "copied"]),
                          PARTS), min_size=1, max_size=3), st.booleans())
def test_uploads_in_parts_and_moto_tell_the_same_story(uploads, versioned):
    pair = Pair()
    pair.agree("put_object", Key="source", Body=b"a source of parts")
    if versioned:
        pair.agree("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
    for ending, parts in uploads:
        pair.both("create_multipart_upload", Key="film", Metadata={"k": "v"}, Tagging="n=1")
        upload = list(pair.uploads._uploads)[-1]
        etags = {}
        for number, big in parts:
            body = (BIG if big else b"") + str(number).encode()
            etags[number] = pair.agree("upload_part", Key="film", UploadId=upload, PartNumber=number, Body=body)["ETag"]
        if ending == "copied":
            source = {"Bucket": "a-bucket", "Key": "source"}
            pair.agree("upload_part_copy", Key="film", UploadId=upload, PartNumber=4, CopySource=source)
            etags[4] = pair.bucket.head_object("source")["ETag"]
        pair.agree("list_parts", Key="film", UploadId=upload)
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]
        if ending == "abort":
            pair.agree("abort_multipart_upload", Key="film", UploadId=upload)
            pair.agree("list_parts", Key="film", UploadId=upload)
        else:
            if ending in ("the last alone", "new"):  # AWS does not say which of two refusals comes first
                listed = listed[-1:]
            elif ending == "lost":
                listed.append({"PartNumber": 7, "ETag": etags[number]})
            elif ending == "wrong etag":
                listed[-1] = listed[-1] | {"ETag": '"00000000000000000000000000000000"'}
            new = {"IfNoneMatch": "*"} if ending == "new" else {}
            theirs, ours = pair.both("complete_multipart_upload", Key="film", UploadId=upload,
                                     MultipartUpload={"Parts": listed}, **new)
            if not versioned and isinstance(theirs, dict):
                assert theirs.pop("VersionId") == "null"  # moto names it: see the table
            assert theirs == ours, (theirs, ours)
        read(pair, "film", "plain", None)
        pair.agree("list_object_versions")


@pytest.mark.parametrize("operation, parameters", [
    ("get_object", {"Key": "none"}),
    ("head_object", {"Key": "none"}),
    ("get_object", {"Key": "there", "VersionId": "none"}),
    ("put_object", {"Key": "there", "Body": b"", "StorageClass": "WARM"}),
    ("put_object", {"Key": "k", "Body": b"", "Tagging": "&".join(f"t{n}=1" for n in range(11))}),
    ("put_object_tagging", {"Key": "there", "Tagging": {"TagSet": [{"Key": f"{n}", "Value": ""} for n in range(11)]}}),
    ("put_object_tagging", {"Key": "there", "Tagging": {"TagSet": [{"Key": "k" * 129, "Value": ""}]}}),
    ("put_object_tagging", {"Key": "there", "Tagging": {"TagSet": [{"Key": "k", "Value": "v" * 257}]}}),
    ("put_object_tagging", {"Key": "there", "Tagging": {"TagSet": [{"Key": "aws:k", "Value": ""}]}}),
    ("get_object", {"Key": "archived"}),
    ("copy_object", {"Key": "k", "CopySource": {"Bucket": "a-bucket", "Key": "archived"}}),
    ("copy_object", {"Key": "there", "CopySource": {"Bucket": "a-bucket", "Key": "there"}}),
    ("copy_object", {"Key": "k", "CopySource": {"Bucket": "a-bucket", "Key": "none"}}),
    ("delete_objects", {"Delete": {"Objects": []}}),
    ("delete_object", {"Key": "none", "IfMatch": "*"}),
    ("list_parts", {"Key": "k", "UploadId": "none"}),
    ("abort_multipart_upload", {"Key": "k", "UploadId": "none"}),
    ("put_object", {"Key": "k", "Body": b"", "ObjectLockLegalHoldStatus": "ON"}),
    ("put_object_legal_hold", {"Key": "there", "LegalHold": {"Status": "ON"}}),
    ("put_object_lock_configuration", {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}),
    ("delete_bucket", {}),
])
def test_refusals_have_the_same_code(operation, parameters):
    pair = Pair()
    pair.agree("put_object", Key="there", Body=b"abc")
    pair.agree("put_object", Key="archived", Body=b"abc", StorageClass="GLACIER")
    theirs, ours = pair.both(operation, **parameters)
    assert isinstance(theirs, str) and theirs == ours


def test_locked_versions_are_kept_alike():
    pair = Pair(ObjectLockEnabledForBucket=True)
    held = pair.agree("put_object", Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    kept = {mode: pair.agree("put_object", Key="k", Body=b"2", ObjectLockMode=mode,
                             ObjectLockRetainUntilDate=pair.now + 1000)["VersionId"] for mode in MODES}
    for version in (held, *kept.values()):
        assert pair.agree("delete_object", Key="k", VersionId=version) == "AccessDenied"
    pair.agree("delete_object", Key="k", VersionId=kept["COMPLIANCE"], BypassGovernanceRetention=True)
    pair.agree("delete_object", Key="k", VersionId=kept["GOVERNANCE"], BypassGovernanceRetention=True)
    pair.agree("delete_object", Key="k")
    pair.agree("list_object_versions")
    pair.sandbox.clock.advance(seconds=1001)
    pair.agree("delete_object", Key="k", VersionId=kept["COMPLIANCE"])
    pair.agree("put_object_legal_hold", Key="k", VersionId=held, LegalHold={"Status": "OFF"})
    pair.agree("delete_object", Key="k", VersionId=held)
    pair.agree("list_object_versions")


# ---------------------------------------------------------------------- the table, row by row


def versioned():
    pair = Pair()
    pair.agree("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
    return pair


def puts(pair, *bodies, key="k"):
    return [pair.agree("put_object", Key=key, Body=body) for body in bodies]


def no_marker_for_nothing(_):
    theirs, ours = versioned().both("delete_object", Key="none")
    assert theirs == {} and ours["DeleteMarker"]


def no_marker_for_nothing_among_many(_):
    theirs, ours = versioned().both("delete_objects", Delete={"Objects": [{"Key": "none"}]})
    assert "DeleteMarker" not in theirs["Deleted"][0] and ours["Deleted"][0]["DeleteMarker"]


def marker_goes_unnamed(_):
    pair = versioned()
    puts(pair, b"1")
    marker = pair.agree("delete_object", Key="k")["VersionId"]
    theirs, ours = pair.both("delete_object", Key="k", VersionId=marker)
    assert "DeleteMarker" not in theirs and ours["DeleteMarker"]


def null_is_not_named(pair):
    puts(pair, b"1")
    pair.agree("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
    theirs, ours = pair.both("get_object", Key="k")
    assert "VersionId" not in theirs and ours["VersionId"] == "null"


def _suspended():
    pair = versioned()
    puts(pair, b"1", b"2")
    pair.agree("put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"})
    return pair


def suspended_delete(_):
    pair = _suspended()
    pair.both("delete_object", Key="k")
    theirs, ours = pair.both("list_object_versions")
    assert "Versions" not in theirs and len(ours["Versions"]) == 2 and ours["DeleteMarkers"][0]["VersionId"] == "null"


def suspended_put(_):
    pair = _suspended()
    pair.both("put_object", Key="k", Body=b"3")
    theirs, ours = pair.both("list_object_versions")
    assert len(theirs["Versions"]) == 1 and len(ours["Versions"]) == 3


def _marker():
    pair = versioned()
    puts(pair, b"1")
    return pair, pair.agree("delete_object", Key="k")["VersionId"]


def get_of_a_marker(_):
    pair, marker = _marker()
    assert pair.both("get_object", Key="k", VersionId=marker) == ("NoSuchVersion", "MethodNotAllowed")
    assert pair.agree("head_object", Key="k", VersionId=marker) == "405"  # here moto has it right


def tags_of_a_marker(_):
    pair, marker = _marker()
    assert pair.both("get_object_tagging", Key="k", VersionId=marker) == ("NoSuchVersion", "MethodNotAllowed")


def prefix_of_deleted_keys(_):
    pair = versioned()
    puts(pair, b"1", key="folder/k")
    pair.agree("delete_object", Key="folder/k")
    theirs, ours = pair.both("list_objects_v2", Delimiter="/")
    assert theirs["CommonPrefixes"] == [{"Prefix": "folder/"}] and "CommonPrefixes" not in ours


def head_of_null(pair):
    puts(pair, b"1")
    theirs, ours = pair.both("head_object", Key="k", VersionId="null")
    assert theirs == "400" and ours["ContentLength"] == 1


def any_status(pair):
    theirs, ours = pair.both("put_bucket_versioning", VersioningConfiguration={"Status": "Off"})
    assert theirs == {} and ours == "IllegalVersioningConfigurationException"


def suspended_under_lock(_):
    theirs, ours = Pair(ObjectLockEnabledForBucket=True).both(
        "put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"})
    assert theirs == {} and ours == "InvalidBucketState"


def long_key(pair):
    theirs, ours = pair.both("put_object", Key="k" * 1025, Body=b"")
    assert "ETag" in theirs and ours == "KeyTooLongError"


def much_metadata(pair):
    theirs, ours = pair.both("put_object", Key="k", Body=b"", Metadata={"k": "v" * 2048})
    assert "ETag" in theirs and ours == "MetadataTooLarge"


def tag_twice_in_the_header(pair):
    theirs, ours = pair.both("put_object", Key="k", Body=b"", Tagging="t=1&t=2")
    assert "ETag" in theirs and ours == "InvalidArgument"


def tag_twice(pair):
    puts(pair, b"")
    theirs, ours = pair.both("put_object_tagging", Key="k", Tagging={"TagSet": [{"Key": "t", "Value": "1"}] * 2})
    assert theirs == {} and ours == "InvalidTag"


def many_deletes(pair):
    theirs, ours = pair.both("delete_objects", Delete={"Objects": [{"Key": str(n)} for n in range(1001)]})
    assert len(theirs["Deleted"]) == 1001 and ours == "MalformedXML"


def etag_in_none_match(pair):
    theirs, ours = pair.both("put_object", Key="k", Body=b"", IfNoneMatch='"d41d8cd98f00b204e9800998ecf8427e"')
    assert "ETag" in theirs and ours == "NotImplemented"


def asterisk_of_a_read(pair):
    puts(pair, b"1")
    theirs, ours = pair.both("get_object", Key="k", IfMatch="*")
    assert theirs == "PreconditionFailed" and ours["Body"] == b"1"
    theirs, ours = pair.both("get_object", Key="k", IfNoneMatch="*")
    assert theirs["Body"] == b"1" and ours == "304"


def match_before_unmodified(pair):
    etag = puts(pair, b"1")[0]["ETag"]
    theirs, ours = pair.both("get_object", Key="k", IfMatch=etag, IfUnmodifiedSince=0)
    assert theirs == "PreconditionFailed" and ours["Body"] == b"1"


def none_match_before_modified(pair):
    puts(pair, b"1")
    theirs, ours = pair.both("get_object", Key="k", IfNoneMatch='"other"', IfModifiedSince=1000)
    assert theirs == "304" and ours["Body"] == b"1"


def asterisk_of_a_delete(pair):
    puts(pair, b"1")
    assert pair.both("delete_object", Key="k", IfMatch="*") == ("PreconditionFailed", {})


def match_and_version(_):
    pair = versioned()
    [put] = puts(pair, b"1")
    theirs, ours = pair.both("delete_object", Key="k", VersionId=put["VersionId"], IfMatch=put["ETag"])
    assert "VersionId" in theirs and ours == "NotImplemented"


def etag_among_many_deletes(pair):
    puts(pair, b"1")
    theirs, ours = pair.both("delete_objects", Delete={"Objects": [{"Key": "k", "ETag": '"other"'}]})
    assert theirs == {"Deleted": [{"Key": "k"}]} and ours == {"Errors": [{"Key": "k", "Code": "PreconditionFailed"}]}


def conditional_copy(pair):
    puts(pair, b"1")
    puts(pair, b"2", key="l")
    copies = [({"Key": "l", "IfNoneMatch": "*"}, "PreconditionFailed"), ({"Key": "m", "IfMatch": '"x"'}, "NoSuchKey"),
              ({"Key": "l", "IfMatch": '"x"'}, "PreconditionFailed")]
    for parameters, refusal in copies:
        theirs, ours = pair.both("copy_object", CopySource={"Bucket": "a-bucket", "Key": "k"}, **parameters)
        assert "CopyObjectResult" in theirs and ours == refusal


def conditions_of_the_source(pair):
    puts(pair, b"1")
    for condition in ({"CopySourceIfMatch": '"other"'}, {"CopySourceIfModifiedSince": 1000}):
        theirs, ours = pair.both("copy_object", Key="l", CopySource={"Bucket": "a-bucket", "Key": "k"}, **condition)
        assert "CopyObjectResult" in theirs and ours == "PreconditionFailed"


def _upload(pair, *bodies):
    pair.both("create_multipart_upload", Key="film")
    upload = list(pair.uploads._uploads)[-1]
    return upload, {"Parts": [{"PartNumber": number, "ETag": pair.agree(
        "upload_part", Key="film", UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)]}


def match_of_a_completion(pair):
    puts(pair, b"1", key="film")
    upload, parts = _upload(pair, b"1")
    theirs, ours = pair.both("complete_multipart_upload", Key="film", UploadId=upload, MultipartUpload=parts,
                             IfMatch='"x"')
    assert "ETag" in theirs and ours == "PreconditionFailed"


def part_for_another_key(pair):
    upload, _ = _upload(pair)
    theirs, ours = pair.both("upload_part", Key="other", UploadId=upload, PartNumber=1, Body=b"")
    assert "ETag" in theirs and ours == "NoSuchUpload"


def part_of_nothing(pair):
    with pytest.raises(KeyError):
        pair.s3.upload_part(Bucket="a-bucket", Key="k", UploadId="none", PartNumber=1, Body=b"")
    with pytest.raises(ServiceError, match="NoSuchUpload"):
        pair.uploads.upload_part("k", "none", 1, b"")


def part_copied_from_nothing(pair):
    upload, _ = _upload(pair)
    assert pair.both("upload_part_copy", Key="film", UploadId=upload, PartNumber=1, CopySource={
        "Bucket": "a-bucket", "Key": "none"}) == ("404", "NoSuchKey")


def range_of_a_small_source(pair):
    puts(pair, b"0123456789")
    upload, _ = _upload(pair)
    theirs, ours = pair.both("upload_part_copy", Key="film", UploadId=upload, PartNumber=1, CopySourceRange="bytes=0-3",
                             CopySource={"Bucket": "a-bucket", "Key": "k"})
    assert isinstance(theirs, dict) and ours == "InvalidRequest"


def parts_out_of_order(pair):
    upload, parts = _upload(pair, BIG, BIG)
    parts["Parts"].reverse()
    theirs, ours = pair.both("complete_multipart_upload", Key="film", UploadId=upload, MultipartUpload=parts)
    assert "ETag" in theirs and ours == "InvalidPartOrder"


def completed_twice(pair):
    upload, parts = _upload(pair, b"1")
    pair.both("complete_multipart_upload", Key="film", UploadId=upload, MultipartUpload=parts)
    parts["Parts"][0]["ETag"] = '"other"'
    theirs, ours = pair.both("complete_multipart_upload", Key="film", UploadId=upload, MultipartUpload=parts)
    assert "ETag" in theirs and ours == "NoSuchUpload"


def null_version_named(pair):
    upload, parts = _upload(pair, b"1")
    theirs, ours = pair.both("complete_multipart_upload", Key="film", UploadId=upload, MultipartUpload=parts)
    assert theirs["VersionId"] == "null" and "VersionId" not in ours


def date_of_an_upload(pair):
    upload, parts = _upload(pair, b"1")
    began = pair.now - 1
    pair.both("complete_multipart_upload", Key="film", UploadId=upload, MultipartUpload=parts)
    theirs = pair.s3.head_object(Bucket="a-bucket", Key="film")["LastModified"]
    assert theirs == START + timedelta(seconds=pair.now) and pair.bucket.head_object("film")["LastModified"] == began


def began_in_2010(pair):
    _upload(pair)
    theirs = pair.s3.list_multipart_uploads(Bucket="a-bucket")["Uploads"][0]["Initiated"]
    assert theirs.year == 2010 and pair.uploads.list_multipart_uploads()["Uploads"][0]["Initiated"] == pair.now


def past_retention(_):
    pair = Pair(ObjectLockEnabledForBucket=True)
    theirs, ours = pair.both("put_object", Key="k", Body=b"", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=0)
    assert "ETag" in theirs and ours == "InvalidArgument"


def _retained(mode):
    pair = Pair(ObjectLockEnabledForBucket=True)
    pair.agree("put_object", Key="k", Body=b"", ObjectLockMode=mode, ObjectLockRetainUntilDate=1000)
    return pair


def retention_shortened(_):
    for mode in MODES:
        theirs, ours = _retained(mode).both("put_object_retention", Key="k", Retention={
            "Mode": mode, "RetainUntilDate": 500})
        assert theirs == {} and ours == "AccessDenied"


def compliance_weakened(_):
    theirs, ours = _retained("COMPLIANCE").both("put_object_retention", Key="k", Retention={
        "Mode": "GOVERNANCE", "RetainUntilDate": 2000})
    assert theirs == {} and ours == "AccessDenied"


def lock_for_an_existing_bucket(_):
    pair = versioned()
    puts(pair, b"1")
    configuration = {"ObjectLockEnabled": "Enabled"}
    assert pair.both("put_object_lock_configuration", ObjectLockConfiguration=configuration) == ("InvalidBucket", {})


def names(pair):
    for name in ("CAPITALS", "under_score", "two..periods", "192.168.5.4", "x-s3alias", "x.mrap", "x--table-s3"):
        pair.s3.create_bucket(Bucket=name)
        with pytest.raises(ServiceError, match="InvalidBucketName"):
            check_name(name)


PROOFS = (no_marker_for_nothing, no_marker_for_nothing_among_many, marker_goes_unnamed, null_is_not_named,
          suspended_delete, suspended_put, get_of_a_marker, tags_of_a_marker, prefix_of_deleted_keys, head_of_null,
          any_status, suspended_under_lock, long_key, much_metadata, tag_twice_in_the_header, tag_twice, many_deletes,
          etag_in_none_match, asterisk_of_a_read, match_before_unmodified, none_match_before_modified,
          asterisk_of_a_delete, match_and_version, etag_among_many_deletes, conditional_copy,
          conditions_of_the_source, match_of_a_completion, part_for_another_key, part_of_nothing,
          part_copied_from_nothing, range_of_a_small_source, parts_out_of_order, completed_twice, null_version_named,
          date_of_an_upload, began_in_2010, past_retention, retention_shortened, compliance_weakened,
          lock_for_an_existing_bucket, names)  # in the order of the table


def test_every_row_of_the_table_has_its_proof():
    assert len(PROOFS) == len(DIFFERENCES)
    assert all(row.page and row.moto != row.aws for row in DIFFERENCES)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.__name__)
def test_moto_does_it_and_the_model_does_as_aws_says(proof):
    proof(Pair())
