"""What a read of a version answers: whether at all, which bytes, and what is told beside them.

Amazon S3 API Reference, in the copy that botocore 1.44.5 carries: "GetObject", "HeadObject". Read 2026-11-28.
"""

from contextlib import contextmanager

from kit.errors import ServiceError
from kit.storage.s3_conditions import byte_range, check_read
from kit.storage.s3_version import Version

STATUS = {"NoSuchKey": "404", "NoSuchVersion": "404", "NoSuchBucket": "404", "MethodNotAllowed": "405",
          "PreconditionFailed": "412", "InvalidRange": "416"}  # of HEAD, whose answer has no body to name a code in


def answer(version: Version, Range: str | None, conditions: dict, body: bool) -> dict:
    """boto3's answer to get_object (body) or head_object. ServiceError PreconditionFailed, 304 or InvalidRange."""
    check_read(version, **conditions)
    span = byte_range(Range, version.size)
    first, last = span or (0, version.size - 1)
    said = {"ContentLength": last + 1 - first, "ETag": version.etag, "LastModified": version.last_modified,
            "ContentType": version.content_type, "Metadata": dict(version.metadata), "AcceptRanges": "bytes"}
    if span is not None:
        said["ContentRange"] = f"bytes {first}-{last}/{version.size}"
    if version.storage_class != "STANDARD":
        said["StorageClass"] = version.storage_class
    if version.tags:
        said["TagCount"] = len(version.tags)
    if version.lock_mode is not None:
        said |= {"ObjectLockMode": version.lock_mode, "ObjectLockRetainUntilDate": version.retain_until}
    if version.legal_hold:
        said["ObjectLockLegalHoldStatus"] = "ON"
    return said | ({"Body": version.read(first, last)} if body else {})


@contextmanager
def as_status():
    """Refusals as HEAD tells them: by the number of the status alone."""
    try:
        yield
    except ServiceError as error:
        raise ServiceError(STATUS.get(error.code, error.code), error.message) from None
