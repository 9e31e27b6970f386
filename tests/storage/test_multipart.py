"""Uploads in parts, against AWS's pages."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.storage.multipart import SMALLEST_PART, MultipartUploads
from kit.storage.s3 import Bucket
from kit.storage.s3_check import GIB

MIB = 2**20


def refused(code):
    return pytest.raises(ServiceError, match=f"^{code}:")


@pytest.fixture
def uploads():
    return MultipartUploads(Bucket("a-bucket"))


def upload_of(uploads, *bodies, key="film", now=0, **options):
    """(upload id, its list of parts)."""
    upload = uploads.create_multipart_upload(key, now, **options)["UploadId"]
    return upload, {"Parts": [{"PartNumber": number, "ETag": uploads.upload_part(key, upload, number, body, now)["ETag"]}
                              for number, body in enumerate(bodies, 1)]}


def test_the_parts_become_the_object_in_order(uploads):
    """CompleteMultipartUpload; "Object" (ETag): of a multipart upload it is no MD5 of the whole."""
    first, last = b"x" * SMALLEST_PART, b"y"
    upload, parts = upload_of(uploads, first, last, Metadata={"K": "v"}, Tagging="a=1", StorageClass="STANDARD_IA")
    assert uploads.bucket.list_objects_v2()["KeyCount"] == 0  # ListObjectsV2: nothing of uploads in progress
    answer = uploads.complete_multipart_upload("film", upload, parts, now=9)
    digests = hashlib.md5(first).digest() + hashlib.md5(last).digest()
    assert answer["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    read = uploads.bucket.get_object("film", now=10)
    assert read["Body"] == first + last
    assert (read["Metadata"], read["TagCount"], read["StorageClass"]) == ({"k": "v"}, 1, "STANDARD_IA")
    assert len(uploads) == 0 and uploads.leftovers(10) == []


def test_the_object_is_dated_by_the_beginning_of_its_upload(uploads):
    """"Working with object metadata", Last-Modified."""
    upload, parts = upload_of(uploads, b"1", now=100)
    uploads.complete_multipart_upload("film", upload, parts, now=5000)
    assert uploads.bucket.head_object("film", now=5001)["LastModified"] == 100


def test_a_lost_part_alone_is_sent_again(uploads):
    upload, parts = upload_of(uploads, SMALLEST_PART, 10)
    parts["Parts"].insert(1, parts["Parts"].pop() | {"PartNumber": 3})
    assert [part["PartNumber"] for part in uploads.list_parts("film", upload)["Parts"]] == [1, 2]
    with refused("InvalidPart"):
        uploads.complete_multipart_upload("film", upload, parts, now=1)
    uploads.upload_part("film", upload, 3, 10, now=2)
    uploads.complete_multipart_upload("film", upload, parts, now=3)
    assert uploads.bucket.head_object("film", now=4)["ContentLength"] == SMALLEST_PART + 10  # part 2 is not in the list


def test_the_same_number_again_replaces_the_part(uploads):
    upload, parts = upload_of(uploads, b"damaged")
    etag = uploads.upload_part("film", upload, 1, b"right", now=1)["ETag"]
    with refused("InvalidPart"):
        uploads.complete_multipart_upload("film", upload, parts, now=2)
    uploads.complete_multipart_upload("film", upload, {"Parts": [{"PartNumber": 1, "ETag": etag}]}, now=3)
    assert uploads.bucket.get_object("film", now=4)["Body"] == b"right"


@pytest.mark.parametrize("sizes, code", [((SMALLEST_PART, 1), None), ((1,), None), ((SMALLEST_PART - 1, 1), "EntityTooSmall"),
                                         ((SMALLEST_PART, 1, 1), "EntityTooSmall")])
def test_all_parts_but_the_last_have_5_mib(uploads, sizes, code):
    """"Amazon S3 multipart upload limits"."""
    upload, parts = upload_of(uploads, *sizes)
    if code is None:
        uploads.complete_multipart_upload("film", upload, parts, now=1)
        return
    with refused(code):
        uploads.complete_multipart_upload("film", upload, parts, now=1)
    assert len(uploads) == 1  # the parts are still there, and on the bill


def test_numbers_and_sizes_of_parts(uploads):
    """Part numbers 1 to 10,000, parts up to 5 GiB: so an object has 48.8 TiB at most."""
    upload, _ = upload_of(uploads)
    parts = [{"PartNumber": number, "ETag": uploads.upload_part("film", upload, number, 5 * GIB, now=0)["ETag"]}
             for number in range(1, 10_001)]
    for number in (0, 10_001):
        with refused("InvalidArgument"):
            uploads.upload_part("film", upload, number, b"", now=1)
    with refused("EntityTooLarge"):
        uploads.upload_part("film", upload, 1, 5 * GIB + 1, now=1)
    uploads.complete_multipart_upload("film", upload, {"Parts": parts}, now=2)
    assert round(uploads.bucket.head_object("film", now=3)["ContentLength"] / 2**40, 1) == 48.8


@pytest.mark.parametrize("numbers, code", [([2, 1], "InvalidPartOrder"), ([1, 1], "InvalidPartOrder"), ([], "MalformedXML"),
                                           ([1, 3], "InvalidPart")])
def test_lists_that_are_no_list(uploads, numbers, code):
    upload, parts = upload_of(uploads, SMALLEST_PART, SMALLEST_PART)
    listed = [{"PartNumber": number, "ETag": parts["Parts"][0]["ETag"]} for number in numbers]
    with refused(code):
        uploads.complete_multipart_upload("film", upload, {"Parts": listed}, now=1)


def test_leftovers_are_billed_until_somebody_ends_the_upload(uploads):
    """UploadPart: only after complete or abort are the parts freed and no longer charged."""
    abandoned, _ = upload_of(uploads, 100 * MIB, 50 * MIB, now=0)
    upload_of(uploads, 1, key="other", now=10)
    first, second = uploads.leftovers(now=20)
    assert (first["Key"], first["Bytes"], first["ByteSeconds"], first["Initiated"]) == ("film", 150 * MIB, 150 * MIB * 20, 0)
    assert (second["Key"], second["ByteSeconds"]) == ("other", 10)
    assert uploads.bucket.stored_bytes() == 0  # no listing of objects shows them
    uploads.abort_multipart_upload("film", abandoned, now=30)
    assert [one["Key"] for one in uploads.leftovers(now=40)] == ["other"]
    for call in (uploads.abort_multipart_upload, uploads.list_parts):
        with refused("NoSuchUpload"):
            call("film", abandoned)


def test_a_conditional_completion(uploads):
    """CompleteMultipartUpload: IfNoneMatch, IfMatch; on a 409 begin anew."""
    bucket = uploads.bucket
    etag = bucket.put_object("film", b"old", now=0)["ETag"]
    upload, parts = upload_of(uploads, b"new")
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
        with refused("PreconditionFailed"):
            uploads.complete_multipart_upload("film", upload, parts, now=1, **condition)
    bucket.delete_object("film", now=5)
    with refused("ConditionalRequestConflict"):
        uploads.complete_multipart_upload("film", upload, parts, now=9, IfNoneMatch="*", began=4)
    with refused("NoSuchKey"):
        uploads.complete_multipart_upload("film", upload, parts, now=9, IfMatch=etag)
    uploads.complete_multipart_upload("film", upload, parts, now=9, IfNoneMatch="*")
    assert bucket.get_object("film", now=10)["Body"] == b"new"


def test_a_part_can_be_a_piece_of_an_object(uploads):
    """UploadPartCopy: a range only if the source is greater than 5 MB."""
    source = bytes(range(256)) * (6 * MIB // 256)
    uploads.bucket.put_object("source", source, now=0)
    uploads.bucket.put_object("small", b"0123456789", now=0)
    upload, _ = upload_of(uploads)
    etag = uploads.upload_part_copy("film", upload, 1, {"Bucket": "a-bucket", "Key": "source"}, now=1,
                                    CopySourceRange="bytes=255-256")["CopyPartResult"]["ETag"]
    assert etag == f'"{hashlib.md5(source[255:257]).hexdigest()}"'
    whole = uploads.upload_part_copy("film", upload, 2, {"Bucket": "a-bucket", "Key": "small"}, now=2)
    assert whole["CopyPartResult"]["ETag"] == f'"{hashlib.md5(b"0123456789").hexdigest()}"'
    for key, span, code in (("small", "bytes=0-3", "InvalidRequest"), ("source", f"bytes=0-{6 * MIB}", "InvalidArgument"),
                            ("source", "bytes=5-", "InvalidArgument"), ("none", None, "NoSuchKey")):
        with refused(code):
            uploads.upload_part_copy("film", upload, 3, {"Bucket": "a-bucket", "Key": key}, now=3, CopySourceRange=span)


def test_parts_and_uploads_are_listed_page_by_page(uploads):
    first, _ = upload_of(uploads, 1, 2, 3, key="b")
    second, _ = upload_of(uploads, key="b", now=1)
    third, _ = upload_of(uploads, key="a", now=2)
    page = uploads.list_parts("b", first, MaxParts=2)
    assert page["IsTruncated"] and [part["Size"] for part in page["Parts"]] == [1, 2]
    assert [part["Size"] for part in uploads.list_parts("b", first, PartNumberMarker=2)["Parts"]] == [3]
    seen, markers = [], {}
    for _ in range(3):
        page = uploads.list_multipart_uploads(MaxUploads=1, **markers)
        seen += [one["UploadId"] for one in page["Uploads"]]
        markers = {"KeyMarker": page.get("NextKeyMarker"), "UploadIdMarker": page.get("NextUploadIdMarker")}
    assert seen == [third, first, second] and not page["IsTruncated"]


def test_an_upload_belongs_to_its_key(uploads):
    upload, parts = upload_of(uploads, b"1")
    with refused("NoSuchUpload"):
        uploads.upload_part("other", upload, 2, b"", now=1)
    with refused("NoSuchUpload"):
        uploads.complete_multipart_upload("other", upload, parts, now=1)


def test_a_locked_object_can_come_in_parts():
    uploads = MultipartUploads(Bucket("a-bucket", ObjectLockEnabledForBucket=True))
    upload, parts = upload_of(uploads, b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=1000)
    version = uploads.complete_multipart_upload("film", upload, parts, now=1)["VersionId"]
    with refused("AccessDenied"):
        uploads.bucket.delete_object("film", now=999, VersionId=version)
    uploads.bucket.delete_object("film", now=1000, VersionId=version)


@settings(max_examples=15)
@given(st.lists(st.binary(max_size=3), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(tails, rng):
    """UploadPart: a part number defines the position within the object."""
    uploads = MultipartUploads(Bucket("a-bucket"))
    bodies = [b"x" * SMALLEST_PART + tail for tail in tails[:-1]][:2] + [tails[-1]]
    upload = uploads.create_multipart_upload("film", now=0)["UploadId"]
    for number in rng.sample(range(len(bodies)), len(bodies)):
        uploads.upload_part("film", upload, number + 1, bodies[number], now=0)
    parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in uploads.list_parts("film", upload)["Parts"]]
    uploads.complete_multipart_upload("film", upload, {"Parts": parts}, now=1)
    assert uploads.bucket.get_object("film", now=2)["Body"] == b"".join(bodies)
