"""Requests with an if: only when the object has changed, only when it hasn't, only when there is none yet.

Two writers read an object, both change it, both put it back: the second undoes the first, and neither knows. With
``IfMatch``, the ETag that the writer has read, S3 refuses the second: 412 Precondition Failed. ``IfNoneMatch="*"`` lets
one of several creators win.

A condition of a write or of a delete looks at the current version only. A delete marker is no object: IfNoneMatch lets
a write pass, IfMatch refuses with 404.

**Simplified** S3 answers 409 when another request gets in while this one runs. Here that is so if the key was deleted
between ``began`` and now, and the write was to create it; whether other conflicts get a 409 or a 412 AWS leaves open.
**Not modelled** Several ETags in one header, and the conditions of directory buckets (size, last modified).

Amazon S3 API Reference, in the copy that botocore 1.44.5 carries: "GetObject", "CopyObject" (which of two conditions
wins), "PutObject", "DeleteObject". Amazon S3 User Guide: "How to prevent object overwrites with conditional writes"
(read in part; that IfMatch finds nothing with 404 was seen of S3 by others, too), "How to perform conditional deletes".
The latter says 412 for If-Match: * where no object is; S3 itself answers 404, and NotImplemented where a version is
named (measured in localstack issue 13894 and ministack issue 1475): followed here. Read 2026-11-28.
"""

import re

from kit.errors import ServiceError
from kit.storage.s3_version import Version


def check_write(current: Version | None, IfMatch: str | None, IfNoneMatch: str | None, began: float | None = None,
                deleted_at: float | None = None) -> None:
    """May this version be written on top of the current one? began: when the upload began, if that was before now.

    ServiceError PreconditionFailed; NoSuchKey if there is nothing to match; ConditionalRequestConflict: try again.
    """
    if IfNoneMatch is not None and (IfNoneMatch != "*" or IfMatch is not None):
        raise ServiceError("NotImplemented", 'A write takes IfNoneMatch="*", and not together with IfMatch.')
    exists = current is not None and not current.is_delete_marker
    if IfMatch is not None:
        _match(current, IfMatch, lambda one, other: one.strip('"') == other.strip('"'))  # of a write "*" is no ETag
    if IfNoneMatch is not None and exists:
        raise ServiceError("PreconditionFailed", f"There is an object {current.key!r} already.")
    if IfNoneMatch is not None and None not in (began, deleted_at) and began < deleted_at:
        raise ServiceError("ConditionalRequestConflict", "The object was deleted while this upload ran: try again.")


def check_delete(current: Version | None, IfMatch: str | None, VersionId: str | None) -> None:
    """May it be deleted? IfMatch: an ETag, or "*" for any object."""
    if IfMatch is not None:
        if VersionId is not None:
            raise ServiceError("NotImplemented", "A conditional delete is one of the current version: name no version.")
        _match(current, IfMatch, same_etag)


def check_read(version: Version, IfMatch: str | None = None, IfNoneMatch: str | None = None,
               IfModifiedSince: float | None = None, IfUnmodifiedSince: float | None = None) -> None:
    """Shall it be read? ServiceError PreconditionFailed (412), or "304": the reader has it already.

    An ETag is surer than a time, so IfMatch goes before IfUnmodifiedSince and IfNoneMatch before IfModifiedSince.
    """
    if IfMatch is not None:
        if not same_etag(version.etag, IfMatch):
            raise ServiceError("PreconditionFailed", f"The ETag is {version.etag}, not {IfMatch}.")
    elif IfUnmodifiedSince is not None and version.last_modified > IfUnmodifiedSince:
        raise ServiceError("PreconditionFailed", "It has been modified since.")
    if IfNoneMatch is not None:
        if same_etag(version.etag, IfNoneMatch):
            raise ServiceError("304", "Not Modified")
    elif IfModifiedSince is not None and version.last_modified <= IfModifiedSince:
        raise ServiceError("304", "Not Modified")


def check_copy_source(version: Version, **conditions) -> None:
    """Shall it be copied? Like check_read, but a copy has no 304: every no is PreconditionFailed."""
    try:
        check_read(version, **conditions)
    except ServiceError as error:
        raise ServiceError("PreconditionFailed", error.message) from None


def byte_range(Range: str | None, size: int) -> tuple[int, int] | None:
    """(first, last) of "bytes=0-99", "bytes=100-" or "bytes=-100" (the last hundred); None: all of it.

    ServiceError InvalidRange if none of these bytes is there. What is no single range is passed over (RFC 9110, 14.2).
    """
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", Range or "")
    if found is None or found[0] == "bytes=-" or (found[1] and found[2] and int(found[1]) > int(found[2])):
        return None
    if found[1]:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
    else:
        first, last = max(size - int(found[2]), 0), size - 1
    if first >= size:
        raise ServiceError("InvalidRange", f"The object has {size} bytes: {Range} is none of them.")
    return first, last


def same_etag(one: str, other: str) -> bool:
    """ETags are compared with and without their quotes; "*" is any."""
    return other == "*" or one.strip('"') == other.strip('"')


def _match(current: Version | None, etag: str, same) -> None:
    if current is None or current.is_delete_marker:
        raise ServiceError("NoSuchKey", "There is no object that could match.")
    if not same(current.etag, etag):
        raise ServiceError("PreconditionFailed", f"The ETag is {current.etag}, not {etag}: somebody else has written.")
