"""Listing a flat room of keys as if it had folders.

A bucket has no folders. ``Delimiter="/"`` makes the listing show them: keys that share what stands between the prefix
and the next delimiter become one entry of CommonPrefixes.

Keys come in the order of their UTF-8 bytes, which is that of Unicode's numbers and so Python's own: "Z" before "a", and
"é" after both.

**Simplified** A continuation token is the last entry, in base64; AWS says only that it is opaque.
**Not modelled** EncodingType, FetchOwner, OptionalObjectAttributes.

Amazon S3 API Reference, in the copy that botocore 1.44.5 carries: "ListObjectsV2", "ListObjectVersions",
"ListMultipartUploads". Amazon S3 User Guide: "Organizing objects using prefixes". Read 2026-11-28.
"""

import base64
from bisect import bisect_left
from collections.abc import Iterable

from kit.errors import ServiceError

MOST_KEYS = 1000  # entries of one answer, whatever is asked for ("ListObjectsV2")


def page(keys: list[str], Prefix: str, Delimiter: str, after: str,
         limit: int) -> tuple[list[str], list[str], str | None]:
    """(keys, common prefixes, the last entry if there is more): the next ``limit`` entries, in order, past ``after``.

    keys: sorted. A common prefix is one entry, and not shown if it does not come after ``after``.
    """
    found, prefixes, last = [], [], None
    position = bisect_left(keys, max(Prefix, after))
    while position < len(keys) and keys[position].startswith(Prefix):
        key = keys[position]
        shown = common_prefix(key, Prefix, Delimiter)
        if shown is None:
            position += 1
            entry = key
        else:  # skip the whole group at once: all keys that begin with it
            position = bisect_left(keys, shown[:-1] + chr(ord(shown[-1]) + 1), position)
            entry = shown
        if entry <= after:
            continue
        if len(found) + len(prefixes) == limit:
            return found, prefixes, last
        (found if shown is None else prefixes).append(entry)
        last = entry
    return found, prefixes, None


def list_objects_v2(versions: dict, Name: str, Prefix: str = "", Delimiter: str = "", StartAfter: str = "",
                    ContinuationToken: str | None = None, MaxKeys: int = MOST_KEYS) -> dict:
    """boto3's answer. versions: the current version of each key that has an object, keys in order."""
    limit = checked_limit("MaxKeys", MaxKeys)
    after = StartAfter if ContinuationToken is None else _of_token(ContinuationToken)
    keys, prefixes, last = page(list(versions), Prefix, Delimiter, after, limit)
    answer = {"Name": Name, "Prefix": Prefix, "MaxKeys": MaxKeys, "KeyCount": len(keys) + len(prefixes),
              "IsTruncated": last is not None,
              "Contents": [described(versions[key]) for key in keys],
              "CommonPrefixes": [{"Prefix": prefix} for prefix in prefixes]}
    if last is not None:
        answer["NextContinuationToken"] = base64.b64encode(last.encode()).decode()
    return answer


def list_object_versions(versions: dict, Name: str, Prefix: str = "", Delimiter: str = "", KeyMarker: str = "",
                         VersionIdMarker: str | None = None, MaxKeys: int = MOST_KEYS) -> dict:
    """boto3's answer. versions: all versions of each key, the newest first, keys in order."""
    limit = checked_limit("MaxKeys", MaxKeys)
    if VersionIdMarker is not None and not KeyMarker:
        raise ServiceError("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    answer = {"Name": Name, "Prefix": Prefix, "MaxKeys": MaxKeys, "IsTruncated": False, "Versions": [],
              "DeleteMarkers": [], "CommonPrefixes": []}
    last = None
    for entry in _version_entries(versions, Prefix, Delimiter, KeyMarker, VersionIdMarker):
        if limit == 0:
            if last is not None:  # MaxKeys=0 asks for nothing and is told of nothing
                answer |= {"IsTruncated": True, "NextKeyMarker": last[0]}
                answer |= {} if last[1] is None else {"NextVersionIdMarker": last[1]}
            break
        limit -= 1
        if isinstance(entry, str):
            answer["CommonPrefixes"].append({"Prefix": entry})
            last = entry, None
        else:
            version, is_latest = entry
            answer["DeleteMarkers" if version.is_delete_marker else "Versions"].append(
                described(version) | {"VersionId": version.version_id, "IsLatest": is_latest})
            last = version.key, version.version_id
    return answer


def described(version) -> dict:
    """A version as listings show it."""
    shown = {"Key": version.key, "LastModified": version.last_modified}
    if not version.is_delete_marker:
        shown |= {"ETag": version.etag, "Size": version.size, "StorageClass": version.storage_class}
    return shown


def common_prefix(key: str, Prefix: str, Delimiter: str) -> str | None:
    """The "folder" that a listing shows in the place of this key; None: the key itself."""
    if not Delimiter or (end := key.find(Delimiter, len(Prefix))) < 0:
        return None
    return key[:end + len(Delimiter)]


def checked_limit(name: str, limit: int) -> int:
    if limit < 0:
        raise ServiceError("InvalidArgument", f"{name} is not negative.")
    return min(limit, MOST_KEYS)


def _version_entries(versions, Prefix, Delimiter, KeyMarker, VersionIdMarker) -> Iterable:
    """Common prefixes, and (version, is it the latest?), in the order of the listing."""
    keys = list(versions)
    previous = None
    for key in keys[bisect_left(keys, max(Prefix, KeyMarker)):]:
        if not key.startswith(Prefix):
            return
        shown = common_prefix(key, Prefix, Delimiter)
        if shown is not None:
            if shown > KeyMarker and shown != previous:
                yield shown
            previous = shown
            continue
        if key == KeyMarker and VersionIdMarker is None:
            continue
        passed = key != KeyMarker
        for version in versions[key]:
            if passed:
                yield version, version is versions[key][0]
            passed = passed or version.version_id == VersionIdMarker


def _of_token(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError:
        raise ServiceError("InvalidArgument", "The continuation token provided is incorrect") from None
