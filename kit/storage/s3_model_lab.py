"""moto's buckets as the models of S3 see them, and what the models say to a call before moto has it.

A call about an object or an upload is first made on a copy: the model's bucket, with the versions of the one key as they
stand in moto. What the model refuses there is refused; what it would do is thrown away with the copy.

The pages are those of ``s3`` and ``multipart``. Statuses: Amazon S3 API Reference, "Error responses", read 2026-11-28.
"""

from datetime import UTC
from http.client import responses
from urllib.parse import unquote

from kit.errors import ServiceError
from kit.storage import multipart, s3, s3_version

STATUS = {"NoSuchKey": 404, "NoSuchVersion": 404,
          "NoSuchUpload": 404, "NoSuchBucket": 404, "MethodNotAllowed": 405, "PreconditionFailed": 412, "InvalidRange": 416,
          "InvalidObjectState": 403, "ObjectNotInActiveTierError": 403, "ConditionalRequestConflict": 409,
          "InvalidBucketState": 409, "RestoreAlreadyInProgress": 409, "NotImplemented": 501, "BucketAlreadyExists": 409,
          "BucketAlreadyOwnedByYou": 409, "AccessDenied": 403, "GlacierExpeditedRetrievalNotAvailable": 503}
OF_OBJECTS = {  # operation -> the model's method, and what it takes beside Key
    "PutObject": ("put_object", "Body ContentMD5 Metadata Tagging StorageClass ContentType IfMatch IfNoneMatch "
                  "ObjectLockMode ObjectLockRetainUntilDate ObjectLockLegalHoldStatus ChecksumCRC32 ChecksumSHA1 ChecksumSHA256"),
    "GetObject": ("get_object", "VersionId Range IfMatch IfNoneMatch IfModifiedSince IfUnmodifiedSince"),
    "HeadObject": ("head_object", "VersionId Range IfMatch IfNoneMatch IfModifiedSince IfUnmodifiedSince"),
    "CopyObject": ("copy_object", "CopySource IfMatch IfNoneMatch MetadataDirective Metadata TaggingDirective Tagging "
                   "StorageClass ContentType ObjectLockMode ObjectLockRetainUntilDate ObjectLockLegalHoldStatus "
                   "CopySourceIfMatch CopySourceIfNoneMatch CopySourceIfModifiedSince CopySourceIfUnmodifiedSince"),
    "PutObjectTagging": ("put_object_tagging", "Tagging VersionId"),
    "GetObjectTagging": ("get_object_tagging", "VersionId"),
    "DeleteObjectTagging": ("delete_object_tagging", "VersionId"),
    "PutObjectRetention": ("put_object_retention", "Retention VersionId BypassGovernanceRetention"),
    "PutObjectLegalHold": ("put_object_legal_hold", "LegalHold VersionId")}
OF_UPLOADS = {
    "CreateMultipartUpload": ("create_multipart_upload", "Metadata Tagging StorageClass ContentType ObjectLockMode "
                              "ObjectLockRetainUntilDate ObjectLockLegalHoldStatus"),
    "UploadPart": ("upload_part", "UploadId PartNumber Body ContentMD5 ChecksumCRC32 ChecksumSHA1 ChecksumSHA256"),
    "UploadPartCopy": ("upload_part_copy", "UploadId PartNumber CopySource CopySourceRange CopySourceIfMatch "
                       "CopySourceIfNoneMatch CopySourceIfModifiedSince CopySourceIfUnmodifiedSince"),
    "CompleteMultipartUpload": ("complete_multipart_upload", "UploadId MultipartUpload IfMatch IfNoneMatch"),
    "AbortMultipartUpload": ("abort_multipart_upload", "UploadId"),
    "ListParts": ("list_parts", "UploadId")}


def ask(call, bucket, find, now) -> None:
    """Let the model do it with a copy of what is there. find: a bucket by its name."""
    given, key = dict(call.parameters), call.parameters["Key"]
    method, taken = (OF_OBJECTS | OF_UPLOADS)[call.operation]
    source = _source(given["CopySource"]) if "CopySource" in given else None
    keys = [key, source["Key"]] if source and source["Bucket"] == bucket.name else [key]
    copy = mirror(bucket, *keys)
    if source:
        other = find(source["Bucket"])
        if other is None:
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist")
        given["CopySource"] = source | {"Bucket": copy if other is bucket else mirror(other, source["Key"])}
    model = uploads(bucket, copy, now) if call.operation in OF_UPLOADS else copy
    getattr(model, method)(Key=key, now=now, **{name: _plain(given[name]) for name in taken.split() if name in given})


def mirror(bucket, *keys) -> s3.Bucket:
    """The model's bucket, with these keys as moto has them (all, if none is named)."""
    copy = s3.Bucket(bucket.name, bucket.region_name)
    copy.versioning = bucket.versioning_status
    copy.object_lock = _lock_configuration(bucket)
    for key in sorted(set(keys)) if keys else sorted(bucket.keys):
        versions = [version(one) for one in bucket.keys.getlist(key) or ()]
        if versions:
            copy._keys.append(key)
            copy._versions[key] = versions
    return copy


def version(one) -> s3_version.Version:
    if not hasattr(one, "contentsize"):
        found = s3_version.Version(one.name, one.version_id, int(unix(one.last_modified)), is_delete_marker=True)
    else:
        found = s3_version.Version(
            one.name, one.version_id, int(unix(one.last_modified)), None, one.size, one.etag, one.storage_class,
            {name.removeprefix("x-amz-meta-"): text for name, text in one.metadata.items()
             if name.startswith("x-amz-meta-")}, {}, one.metadata.get("Content-Type", ""),
            restored_until=unix(one._expiry) if one._expiry else None, lock_mode=one.lock_mode or None,
            retain_until=unix(one.lock_until) if one.lock_until else None, legal_hold=one.lock_legal_status == "ON")
    found.moto = one
    return found


def uploads(bucket, copy, now) -> multipart.MultipartUploads:
    found = multipart.MultipartUploads(copy)
    for one in bucket.multiparts.values():
        template = s3_version.Version(one.key_name, "", int(now), storage_class=one.storage or "STANDARD")
        found._uploads[one.id] = multipart.Upload(
            one.id, template, one.initiated, {"mode": None, "until": None, "hold": None},
            {number: multipart.Part(None, part.size, part.etag.strip('"'), 0.0) for number, part in one.parts.items()})
    return found


def with_status(error) -> ServiceError:
    """S3's own description of its errors knows few statuses; a HEAD tells nothing but the status."""
    if error.code.isdigit():
        return ServiceError(error.code, responses[int(error.code)], int(error.code))
    return ServiceError(error.code, error.message, error.status or STATUS.get(error.code))


def _source(source) -> dict:
    """CopySource as a dict, however it is written."""
    if isinstance(source, dict):
        return {name: source[name] for name in ("Bucket", "Key", "VersionId") if name in source}
    path, _, version = source.partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})


def _plain(value):
    """Dates in Unix seconds, as the models take them."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return unix(value) if hasattr(value, "utcoffset") else value


def unix(date) -> float:
    if isinstance(date, str):
        from botocore.utils import parse_timestamp
        date = parse_timestamp(date)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _lock_configuration(bucket) -> dict | None:
    if not bucket.object_lock_enabled:
        return None
    found = {"ObjectLockEnabled": "Enabled"}
    if bucket.default_lock_mode:
        period = {"Days": int(bucket.default_lock_days)} if bucket.default_lock_days else {
            "Years": int(bucket.default_lock_years)}
        found["Rule"] = {"DefaultRetention": {"Mode": bucket.default_lock_mode} | period}
    return found
