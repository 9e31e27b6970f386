"""What S3 takes for an object: how long a key, how much metadata, which tags, and is the body what was sent?

**Simplified** A checksum other than MD5 is compared, not stored. A body given as a size has no checksum.
**Not modelled** CRC-32C, CRC-64/NVME and the other checksums that the standard library doesn't know; characters that
tags may not have; system metadata, which has 2 KB of its own.

Amazon S3 User Guide: "Naming Amazon S3 objects" (1,024 bytes), "Working with object metadata" (2 KB, lowercase keys),
"Categorizing your storage using tags" (10 tags, 128 and 256 characters), "Uploading objects" (5 GB), "Amazon S3
multipart upload limits" (48.8 TiB, 5 MiB to 5 GiB). Amazon S3 API Reference: "PutObject", "PutObjectTagging". Codes:
"Error responses"; BadRequest for an eleventh tag is what S3 answers (boto3 issue 1213), no page says it. Read
2026-11-28.
"""

import base64
import binascii
import hashlib
import zlib
from urllib.parse import parse_qsl

from kit.errors import ServiceError
from kit.storage.storage_classes import CLASSES

MIB, GIB = 2**20, 2**30
LARGEST_PUT = 5 * GIB  # also the largest part and the largest source of a copy
LARGEST_OBJECT = 10_000 * LARGEST_PUT  # 48.8 TiB, said to be 50 TB: the most parts times the largest part
LONGEST_KEY = 1024  # bytes in UTF-8
MOST_METADATA = 2 * 1024  # bytes in UTF-8 of all user-defined keys and values
MOST_TAGS, LONGEST_TAG_KEY, LONGEST_TAG_VALUE = 10, 128, 256  # characters
STORAGE_CLASSES = {*CLASSES, "REDUCED_REDUNDANCY"}
CHECKSUMS = {"ChecksumCRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
             "ChecksumSHA1": lambda data: hashlib.sha1(data).digest(),
             "ChecksumSHA256": lambda data: hashlib.sha256(data).digest()}


def check_put(Key: str, size: int, Metadata: dict, StorageClass: str) -> None:
    """ServiceError KeyTooLongError, EntityTooLarge, MetadataTooLarge or InvalidStorageClass."""
    check_key(Key)
    if size > LARGEST_PUT:
        raise ServiceError("EntityTooLarge", f"One upload takes 5 GB at most, not {size:,} bytes: upload parts.")
    check_metadata(Metadata)
    check_storage_class(StorageClass)


def check_key(Key: str) -> None:
    if not Key:
        raise ServiceError("InvalidArgument", "A key has at least one character.")
    if len(Key.encode()) > LONGEST_KEY:
        raise ServiceError("KeyTooLongError", f"A key has at most 1,024 bytes in UTF-8, not {len(Key.encode()):,}.")


def check_metadata(Metadata: dict) -> None:
    size = sum(len(text.encode()) for pair in Metadata.items() for text in pair)
    if size > MOST_METADATA:
        raise ServiceError("MetadataTooLarge", f"User-defined metadata has at most 2,048 bytes, not {size:,}.")


def lowercase(Metadata: dict | None) -> dict:
    """S3 keeps the keys of metadata in lowercase."""
    return {key.lower(): value for key, value in (Metadata or {}).items()}


def check_storage_class(StorageClass: str) -> None:
    if StorageClass not in STORAGE_CLASSES:
        raise ServiceError("InvalidStorageClass", f"{StorageClass!r} is no storage class of a general purpose bucket.")


def check_body(data: bytes | None, digest: str, ContentMD5: str | None, checksums: dict) -> None:
    """Is it what was sent? digest: its MD5 in hex; ContentMD5 and checksums as the sender computed them, in base64.

    ServiceError BadDigest if it differs; InvalidDigest or InvalidRequest for what is no digest at all.
    """
    if ContentMD5 is not None:
        sent = _decoded(ContentMD5)
        if len(sent) != 16:
            raise ServiceError("InvalidDigest", "The Content-MD5 is no MD5 digest in base64.")
        if sent.hex() != digest:
            raise ServiceError("BadDigest", "The Content-MD5 that was sent is not the MD5 of what arrived.")
    for name, text in checksums.items():
        if name not in CHECKSUMS:
            raise TypeError(f"{name}: give one of {', '.join(CHECKSUMS)}")
        if data is None:
            raise ValueError(f"{name}: a body that is only a size has no checksum")
        sent, computed = _decoded(text), CHECKSUMS[name](data)
        if len(sent) != len(computed):
            raise ServiceError("InvalidRequest", f"The value of {name} is no such checksum in base64.")
        if sent != computed:
            raise ServiceError("BadDigest", f"The {name} that was sent is not that of what arrived.")


def tags_of_header(Tagging: str) -> dict:
    """The tags of a put, which come as a query string: "project=blue&secret=no". ServiceError InvalidArgument."""
    pairs = parse_qsl(Tagging, keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise ServiceError("InvalidArgument", "Tagging is a query string without a tag name twice.")
    return checked_tags(pairs)


def tags_of_set(Tagging: dict) -> dict:
    """The tags of put_object_tagging: {"TagSet": [{"Key": ..., "Value": ...}]}. ServiceError BadRequest, InvalidTag."""
    return checked_tags([(tag["Key"], tag["Value"]) for tag in Tagging["TagSet"]])


def checked_tags(pairs: list[tuple[str, str]]) -> dict:
    if len(pairs) > MOST_TAGS:
        raise ServiceError("BadRequest", "Object tags cannot be greater than 10")
    if len(dict(pairs)) < len(pairs):
        raise ServiceError("InvalidTag", "Cannot provide multiple Tags with the same key")
    for key, value in pairs:
        if not 1 <= len(key) <= LONGEST_TAG_KEY:
            raise ServiceError("InvalidTag", f"A tag's key has 1 to 128 characters, not {len(key)}.")
        if len(value) > LONGEST_TAG_VALUE:
            raise ServiceError("InvalidTag", f"A tag's value has at most 256 characters, not {len(value)}.")
        if key.lower().startswith("aws:"):
            raise ServiceError("InvalidTag", "Keys of tags that begin with aws: are AWS's own.")
    return dict(pairs)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""  # of no digest's length
