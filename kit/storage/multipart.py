"""Uploading in parts: each part by itself, in any order, again if it is lost; then one call makes the object.

    uploads = MultipartUploads(bucket)
    upload = uploads.create_multipart_upload("film", now=0)["UploadId"]
    first = uploads.upload_part("film", upload, 1, part_one, now=1)["ETag"]
    second = uploads.upload_part("film", upload, 2, part_two, now=2)["ETag"]
    uploads.complete_multipart_upload("film", upload, {"Parts": [{"PartNumber": 1, "ETag": first}, ...]}, now=3)

Until it is completed there is no object, and no listing shows one. But the parts are stored and billed, until the
upload is completed or aborted, by somebody or by a lifecycle rule. ``leftovers`` says what lies about.

**Simplified** Completing takes no time, and a completed upload is one that is not there any more. What a default
retention counts from is the date of the object: when the upload was created.
**Not modelled** Checksums of whole uploads, encryption, listing uploads by delimiter, reading by part number.

Amazon S3 API Reference, in the copy that botocore 1.44.5 carries: "CreateMultipartUpload", "UploadPart" (the same
number again overwrites), "UploadPartCopy", "CompleteMultipartUpload" (its special errors), "AbortMultipartUpload",
"ListParts", "ListMultipartUploads". Amazon S3 User Guide: "Amazon S3 multipart upload limits"; "Working with object
metadata" (the date of the object is that of the upload's initiation; in quotations by others). Read 2026-11-28.
"""

import re
from dataclasses import dataclass, field

from kit.errors import ServiceError
from kit.storage.s3_check import LARGEST_PUT, MIB, check_body, check_put, lowercase, tags_of_header
from kit.storage.s3_conditions import same_etag
from kit.storage.s3_listing import checked_limit
from kit.storage.s3_version import Version, content, etag_of_parts

MOST_PARTS = 10_000
SMALLEST_PART = 5 * MIB  # but for the last


@dataclass(frozen=True)
class Part:
    data: bytes | None
    size: int
    digest: str  # MD5 in hex
    uploaded_at: float

    @property
    def etag(self) -> str:
        return f'"{self.digest}"'


@dataclass(eq=False)
class Upload:
    """An unfinished upload. template: the object to be, still without its bytes."""

    id: str
    template: Version
    initiated: float
    locks: dict
    parts: dict = field(default_factory=dict)  # number -> Part

    @property
    def key(self) -> str:
        return self.template.key


class MultipartUploads:
    """The unfinished uploads to a bucket of ``kit.storage.s3``."""

    def __init__(self, bucket):
        self.bucket = bucket
        self._uploads = {}  # by id, in the order of their creation
        self._serial = 0

    def __len__(self) -> int:
        return len(self._uploads)

    def complete_multipart_upload(self, Key: str, UploadId: str, MultipartUpload: dict, now: float = 0,
                                  IfMatch: str | None = None, IfNoneMatch: str | None = None,
                                  began: float | None = None) -> dict:
        """Make the object of the listed parts, in order; parts that are not listed are dropped.

        ServiceError NoSuchUpload, MalformedXML, InvalidPartOrder, InvalidPart (never uploaded, or another ETag),
        EntityTooSmall; of a condition PreconditionFailed, NoSuchKey or, if somebody deleted the object since ``began``,
        ConditionalRequestConflict: then AWS advises to begin the upload anew.
        """
        upload = self._upload(Key, UploadId)
        parts = self._listed(upload, MultipartUpload.get("Parts") or [])
        version = upload.template
        version.data = None if any(part.data is None for part in parts) else b"".join(part.data for part in parts)
        version.size = sum(part.size for part in parts)
        version.etag = etag_of_parts([part.digest for part in parts])
        answer = self.bucket.add(version, now, began=began, IfMatch=IfMatch, IfNoneMatch=IfNoneMatch, **upload.locks)
        del self._uploads[UploadId]
        return {"Bucket": self.bucket.name, "Key": Key} | answer

    def create_multipart_upload(self, Key: str, now: float = 0, *, Metadata: dict | None = None, Tagging: str = "",
                                StorageClass: str = "STANDARD", ContentType: str = "binary/octet-stream",
                                ObjectLockMode: str | None = None, ObjectLockRetainUntilDate: float | None = None,
                                ObjectLockLegalHoldStatus: str | None = None) -> dict:
        """Begin: {"UploadId": ...}. What is to stand beside the bytes is said here."""
        self.bucket.get_bucket_versioning(now)  # is the bucket there?
        check_put(Key, 0, Metadata or {}, StorageClass)
        template = Version(Key, "", int(now), storage_class=StorageClass, metadata=lowercase(Metadata),
                           tags=tags_of_header(Tagging), content_type=ContentType)
        self._serial += 1
        locks = {"mode": ObjectLockMode, "until": ObjectLockRetainUntilDate, "hold": ObjectLockLegalHoldStatus}
        upload = Upload(f"upload-{self._serial}", template, now, locks)
        self._uploads[upload.id] = upload
        return {"Bucket": self.bucket.name, "Key": Key, "UploadId": upload.id}

    def upload_part(self, Key: str, UploadId: str, PartNumber: int, Body: bytes | str | int, now: float = 0,
                    ContentMD5: str | None = None, **checksums) -> dict:
        """Store a part: {"ETag": ...}. The same number again replaces it."""
        data, size, digest = content(Body)
        check_body(data, digest, ContentMD5, checksums)
        return {"ETag": self._store(Key, UploadId, PartNumber, data, size, digest, now).etag}

    def upload_part_copy(self, Key: str, UploadId: str, PartNumber: int, CopySource: dict, now: float = 0,
                         CopySourceRange: str | None = None, **conditions) -> dict:
        """Store a part that is an object already, or some of its bytes ("bytes=0-5242879")."""
        source = self.bucket.copy_source(CopySource, now, conditions)
        data, size, digest = content(source.read(*_copy_range(CopySourceRange, source.size)))
        part = self._store(Key, UploadId, PartNumber, data, size, digest, now)
        return {"CopyPartResult": {"ETag": part.etag, "LastModified": int(now)}}

    def abort_multipart_upload(self, Key: str, UploadId: str, now: float = 0) -> None:
        """Forget the upload and free its parts."""
        del self._uploads[self._upload(Key, UploadId).id]

    def list_parts(self, Key: str, UploadId: str, now: float = 0, MaxParts: int = 1000,
                   PartNumberMarker: int = 0) -> dict:
        """What has arrived, by number; a part that is not in it is lost, or on its way."""
        upload = self._upload(Key, UploadId)
        numbers = [number for number in sorted(upload.parts) if number > PartNumberMarker]
        shown = numbers[:checked_limit("MaxParts", MaxParts)]
        answer = {"Bucket": self.bucket.name, "Key": Key, "UploadId": UploadId, "MaxParts": MaxParts,
                  "IsTruncated": len(shown) < len(numbers), "StorageClass": upload.template.storage_class,
                  "Parts": [{"PartNumber": number, "ETag": upload.parts[number].etag, "Size": upload.parts[number].size,
                             "LastModified": int(upload.parts[number].uploaded_at)} for number in shown]}
        return answer | ({"NextPartNumberMarker": shown[-1]} if answer["IsTruncated"] and shown else {})

    def list_multipart_uploads(self, now: float = 0, Prefix: str = "", KeyMarker: str = "",
                               UploadIdMarker: str | None = None, MaxUploads: int = 1000) -> dict:
        """The unfinished uploads, by key, then by when they began."""
        self.bucket.get_bucket_versioning(now)
        found = sorted((upload for upload in self._uploads.values() if upload.key.startswith(Prefix)),
                       key=lambda upload: upload.key)  # a stable sort: those of one key stay in order
        past = [upload for upload in found if upload.key > KeyMarker]
        if UploadIdMarker is not None and KeyMarker:
            ids = [upload.id for upload in found]
            past = found[ids.index(UploadIdMarker) + 1:] if UploadIdMarker in ids else past
        shown = past[:checked_limit("MaxUploads", MaxUploads)]
        answer = {"Bucket": self.bucket.name, "Prefix": Prefix, "MaxUploads": MaxUploads,
                  "IsTruncated": len(shown) < len(past),
                  "Uploads": [{"Key": upload.key, "UploadId": upload.id, "Initiated": upload.initiated,
                               "StorageClass": upload.template.storage_class} for upload in shown]}
        if answer["IsTruncated"] and shown:
            answer |= {"NextKeyMarker": shown[-1].key, "NextUploadIdMarker": shown[-1].id}
        return answer

    def leftovers(self, now: float) -> list[dict]:
        """What unfinished uploads hold, for the bill: Bytes now, and ByteSeconds since each part arrived.

        Bytes of parts that were replaced meanwhile are not counted for the time that they were there.
        """
        return [{"Key": upload.key, "UploadId": upload.id, "Initiated": upload.initiated,
                 "StorageClass": upload.template.storage_class, "Parts": len(upload.parts),
                 "Bytes": sum(part.size for part in upload.parts.values()),
                 "ByteSeconds": sum(part.size * (now - part.uploaded_at) for part in upload.parts.values())}
                for upload in self._uploads.values()]

    # ------------------------------------------------------------------ inside

    def _upload(self, key, upload_id):
        upload = self._uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise ServiceError("NoSuchUpload", "No such upload: the id is wrong, or it was completed or aborted.")
        return upload

    def _store(self, key, upload_id, number, data, size, digest, now):
        upload = self._upload(key, upload_id)
        if not 1 <= number <= MOST_PARTS:
            raise ServiceError("InvalidArgument", f"Parts have the numbers 1 to {MOST_PARTS:,}, not {number}.")
        if size > LARGEST_PUT:
            raise ServiceError("EntityTooLarge", f"A part has 5 GiB at most, not {size:,} bytes.")
        upload.parts[number] = Part(data, size, digest, now)
        return upload.parts[number]

    def _listed(self, upload, parts):
        """The parts that the list names, or why they can't be made into an object."""
        if not parts:
            raise ServiceError("MalformedXML", "A list of parts has at least one.")
        numbers = [part["PartNumber"] for part in parts]
        if numbers != sorted(set(numbers)):
            raise ServiceError("InvalidPartOrder", "The list of parts is in the order of their numbers, each once.")
        found = []
        for number, etag in ((part["PartNumber"], part["ETag"]) for part in parts):
            part = upload.parts.get(number)
            if part is None:
                raise ServiceError("InvalidPart", f"Part {number} never arrived: upload it again.")
            if not same_etag(part.etag, etag):
                raise ServiceError("InvalidPart", f"Part {number} has the ETag {part.etag}, not {etag}.")
            if found and found[-1].size < SMALLEST_PART:
                raise ServiceError("EntityTooSmall", "But for the last, each part has 5 MiB at least, and the one "
                                                     f"before part {number} has {found[-1].size:,} bytes.")
            found.append(part)
        return found


def _copy_range(text: str | None, size: int) -> tuple[int, int]:
    """(first, last) of CopySourceRange, which names both; only of a source that is larger than 5 MB."""
    if text is None:
        return 0, size - 1
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", text)
    if found is None or not int(found[1]) <= int(found[2]) < size:
        raise ServiceError("InvalidArgument", f"The range of a copied part is bytes=first-last, within {size:,} bytes.")
    if size <= SMALLEST_PART:
        raise ServiceError("InvalidRequest", "Of a source of 5 MB or less a copy takes all, not a range.")
    return int(found[1]), int(found[2])
