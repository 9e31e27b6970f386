"""A bucket: objects are put, got and deleted by their key, and with versioning nothing is lost by that.

A bucket is born unversioned: a put replaces what was there, a delete removes it. Once versioning is enabled every put
adds a version, and a delete adds a delete marker, under which all of them are still there. Only a delete that names a
version takes it away. Versioning can be suspended, never undone: then puts and deletes write the version "null" again.

    bucket = Bucket("a-bucket")
    bucket.put_bucket_versioning({"Status": "Enabled"}, now=0)
    first = bucket.put_object("notes.txt", b"draft", now=1)["VersionId"]
    bucket.delete_object("notes.txt", now=2)                       # a delete marker
    bucket.get_object("notes.txt", now=3, VersionId=first)["Body"]     # b"draft"

S3 is strongly consistent: whoever reads after a write has been answered reads what it wrote. So here every method does
its work at once, at ``now``, in seconds. Answers are boto3's, with bytes for Body and seconds for times.

**Simplified** Version ids are numbers, and an id that never was is one that is not there. A body may be a size
(``s3_version``). In an instant after versioning is first enabled AWS may answer 404; here not. head_object raises the
status as its code ("404"), for that is all that a HEAD tells.
**Not modelled** Policies, ACLs and Block Public Access (``public_access``), encryption, replication, notifications, MFA
Delete, reading by part number, Intelligent-Tiering's archive tiers. What lifecycle rules do: ``lifecycle``. Names:
``names``. Uploads in parts: ``multipart``.

Amazon S3 API Reference, in the copy that botocore 1.44.5 carries: "PutObject", "GetObject", "HeadObject",
"DeleteObject", "DeleteObjects" (1,000 keys), "CopyObject" (5 GB), "PutBucketVersioning", "DeleteBucket". Amazon S3 User
Guide: "Working with delete markers", "Adding objects to versioning-suspended buckets", "Deleting objects from
versioning-suspended buckets", "Object Lock considerations". Seen of S3, in versitygw's issues 1758 and 2165, not on its
pages: deleting a version that is not there succeeds, and the null version is named once a bucket is versioned. Read
2026-11-28.
"""

from bisect import bisect_left, insort

from kit.errors import ServiceError
from kit.storage import s3_listing as listing
from kit.storage.lifecycle import lifecycle_actions, lifecycle_due
from kit.storage.object_lock import (HOLD, check_configuration, check_retention, default_retention, may_delete,
                                     may_retain)
from kit.storage.s3_check import LARGEST_PUT, check_body, check_key, check_put, lowercase, tags_of_header, tags_of_set
from kit.storage.s3_conditions import check_copy_source, check_delete, check_write
from kit.storage.s3_read import answer, as_status
from kit.storage.s3_version import Version, content

__all__ = ["Bucket", "Version", "lifecycle_actions", "lifecycle_due"]

MOST_DELETES = 1000  # keys of one DeleteObjects


class Bucket:
    """A general purpose bucket.

    ObjectLockEnabledForBucket: versions may be locked; versioning is on, and stays on.
    """

    def __init__(self, name: str, region: str = "us-east-1", ObjectLockEnabledForBucket: bool = False):
        self.name, self.region = name, region
        self.versioning = "Enabled" if ObjectLockEnabledForBucket else None  # None, Enabled or Suspended
        self.object_lock = {"ObjectLockEnabled": "Enabled"} if ObjectLockEnabledForBucket else None
        self.deleted = False
        self._keys = []  # of all that have a version or a delete marker, in order
        self._versions = {}  # key -> its versions, the newest last
        self._deleted_at = {}  # key -> when a delete last took its object away
        self._serial = 0

    def __repr__(self) -> str:
        return f"<Bucket {self.name}: {len(self._keys)} keys>"

    # ------------------------------------------------------------------ objects

    def put_object(self, Key: str, Body: bytes | str | int = b"", now: float = 0, *, began: float | None = None,
                   IfMatch: str | None = None, IfNoneMatch: str | None = None, ContentMD5: str | None = None,
                   Metadata: dict | None = None, Tagging: str = "", StorageClass: str = "STANDARD",
                   ContentType: str = "binary/octet-stream", ObjectLockMode: str | None = None,
                   ObjectLockRetainUntilDate: float | None = None, ObjectLockLegalHoldStatus: str | None = None,
                   **checksums) -> dict:
        """Store an object whole, or not at all: {"ETag": ...}, and in a versioned bucket its "VersionId".

        began: when the upload began, if it took its time; a conditional write may have met a conflict meanwhile.
        """
        data, size, digest = content(Body)
        check_put(Key, size, Metadata or {}, StorageClass)
        check_body(data, digest, ContentMD5, checksums)
        version = Version(Key, "", int(now), data, size, f'"{digest}"', StorageClass, lowercase(Metadata),
                          tags_of_header(Tagging), ContentType)
        return self.add(version, now, began=began, IfMatch=IfMatch, IfNoneMatch=IfNoneMatch, mode=ObjectLockMode,
                        until=ObjectLockRetainUntilDate, hold=ObjectLockLegalHoldStatus)

    def get_object(self, Key: str, now: float = 0, VersionId: str | None = None, Range: str | None = None,
                   **conditions) -> dict:
        """The current version, or another; some of its bytes, or all. conditions: IfMatch, IfNoneMatch, ...Since.

        ServiceError NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker, InvalidObjectState for what is
        archived, InvalidRange, PreconditionFailed, 304.
        """
        version = self.version(Key, VersionId)
        if not version.readable(now):
            raise ServiceError("InvalidObjectState", f"It is in {version.storage_class}: restore a copy first.")
        return answer(version, Range, conditions, body=True) | self._named(version.version_id)

    def head_object(self, Key: str, now: float = 0, VersionId: str | None = None, Range: str | None = None,
                    **conditions) -> dict:
        """Like get_object, without the body; an archived version answers, too."""
        with as_status():
            version = self.version(Key, VersionId)
            return answer(version, Range, conditions, body=False) | self._named(version.version_id)

    def delete_object(self, Key: str, now: float = 0, VersionId: str | None = None, IfMatch: str | None = None,
                      BypassGovernanceRetention: bool = False, permitted: bool = True) -> dict:
        """Without a version: a delete marker, or in an unversioned bucket the end. With one: it is gone for good.

        Deleting what is not there is no error, unless IfMatch asks for something. ServiceError AccessDenied for a
        locked version. permitted: has the caller s3:BypassGovernanceRetention?
        """
        self._begin()
        check_key(Key)
        check_delete(self._current(Key), IfMatch, VersionId)
        if VersionId is not None:
            return self._delete_version(Key, VersionId, now, BypassGovernanceRetention, permitted)
        self._note_delete(Key, now)
        if self.versioning is None:
            self._remove(Key, self._find(Key, "null"))
            return {}
        marker = self._insert(Version(Key, "", int(now), is_delete_marker=True))
        return {"DeleteMarker": True, "VersionId": marker.version_id}

    def delete_objects(self, Delete: dict, now: float = 0, BypassGovernanceRetention: bool = False,
                       permitted: bool = True) -> dict:
        """Up to 1,000 deletes: {"Deleted": [...], "Errors": [...]}. Each of Delete["Objects"]: Key, VersionId, ETag."""
        self._begin()
        if not 1 <= len(Delete["Objects"]) <= MOST_DELETES:
            raise ServiceError("MalformedXML", f"DeleteObjects takes 1 to {MOST_DELETES} keys.")
        deleted, errors = [], []
        for one in Delete["Objects"]:
            named = {name: one[name] for name in ("Key", "VersionId") if name in one}
            try:
                gone = self.delete_object(now=now, IfMatch=one.get("ETag"), permitted=permitted,
                                          BypassGovernanceRetention=BypassGovernanceRetention, **named)
            except ServiceError as error:
                errors.append(named | {"Code": error.code, "Message": error.message})
                continue
            if gone.get("DeleteMarker"):
                named |= {"DeleteMarker": True, "DeleteMarkerVersionId": gone["VersionId"]}
            deleted.append(named)
        return {"Deleted": [] if Delete.get("Quiet") else deleted, "Errors": errors}

    def copy_object(self, Key: str, CopySource: dict, now: float = 0, *, IfMatch: str | None = None,
                    IfNoneMatch: str | None = None, MetadataDirective: str = "COPY", Metadata: dict | None = None,
                    TaggingDirective: str = "COPY", Tagging: str = "", StorageClass: str = "STANDARD",
                    ContentType: str | None = None, ObjectLockMode: str | None = None,
                    ObjectLockRetainUntilDate: float | None = None, ObjectLockLegalHoldStatus: str | None = None,
                    **conditions) -> dict:
        """Put a copy of what is stored already, 5 GB at most, here or from elsewhere; also to change a storage class.

        CopySource: {"Bucket": the Bucket, or this one's name, "Key": ..., "VersionId": ...}. conditions of the source:
        CopySourceIfMatch and so on. The class is STANDARD unless another is given: that of the source is not kept.
        """
        source = self.copy_source(CopySource, now, conditions)
        if source.size > LARGEST_PUT:
            raise ServiceError("InvalidRequest", "The source of a copy has at most 5 GB: copy it in parts.")
        onto_itself = source in self._versions.get(Key, []) and "VersionId" not in CopySource
        replaces = (MetadataDirective, TaggingDirective) != ("COPY", "COPY") or StorageClass != source.storage_class
        if onto_itself and not replaces:
            raise ServiceError("InvalidRequest", "A copy onto itself must change something: metadata, tags or class.")
        check_put(Key, source.size, Metadata or {}, StorageClass)
        changes = {"key": Key, "last_modified": int(now), "storage_class": StorageClass, "etag": f'"{_md5(source)}"'}
        if MetadataDirective == "REPLACE":
            changes |= {"metadata": lowercase(Metadata), "content_type": ContentType or "binary/octet-stream"}
        if TaggingDirective == "REPLACE":
            changes |= {"tags": tags_of_header(Tagging)}
        added = self.add(source.copy(**changes), now, IfMatch=IfMatch, IfNoneMatch=IfNoneMatch, mode=ObjectLockMode,
                         until=ObjectLockRetainUntilDate, hold=ObjectLockLegalHoldStatus)
        result = {"CopyObjectResult": {"ETag": added.pop("ETag"), "LastModified": int(now)}} | added
        return result if self.versioning is None else result | {"CopySourceVersionId": source.version_id}

    # ------------------------------------------------------------------ lists

    def list_objects_v2(self, now: float = 0, **parameters) -> dict:
        """Up to 1,000 keys in order. Prefix, Delimiter, StartAfter, ContinuationToken, MaxKeys: see ``s3_listing``."""
        self._begin()
        there = {key: self._versions[key][-1] for key in self._keys if not self._versions[key][-1].is_delete_marker}
        return listing.list_objects_v2(there, self.name, **parameters)

    def list_object_versions(self, now: float = 0, **parameters) -> dict:
        """Versions and delete markers, the newest of each key first. Prefix, Delimiter, KeyMarker, VersionIdMarker."""
        self._begin()
        return listing.list_object_versions({key: self.versions(key) for key in self._keys}, self.name, **parameters)

    # ------------------------------------------------------------------ the bucket itself

    def put_bucket_versioning(self, VersioningConfiguration: dict, now: float = 0) -> None:
        """{"Status": "Enabled"} or "Suspended"; there is no way back to unversioned."""
        self._begin()
        status = VersioningConfiguration.get("Status")
        if status not in ("Enabled", "Suspended"):
            raise ServiceError("IllegalVersioningConfigurationException", 'Status is "Enabled" or "Suspended".')
        if self.object_lock is not None and status == "Suspended":
            raise ServiceError("InvalidBucketState", "With Object Lock on a bucket its versioning cannot be suspended.")
        self.versioning = status

    def get_bucket_versioning(self, now: float = 0) -> dict:
        self._begin()
        return {} if self.versioning is None else {"Status": self.versioning}

    def delete_bucket(self, now: float = 0) -> None:
        """Every version and every delete marker must be gone before."""
        self._begin()
        if self._keys:
            raise ServiceError("BucketNotEmpty", "The bucket still has versions or delete markers in it.")
        self.deleted = True

    # ------------------------------------------------------------------ tags and locks

    def put_object_tagging(self, Key: str, Tagging: dict, now: float = 0, VersionId: str | None = None) -> dict:
        """Replace all tags: {"TagSet": [{"Key": ..., "Value": ...}]}."""
        version = self._changeable(Key, VersionId)
        version.tags = tags_of_set(Tagging)
        return self._named(version.version_id)

    def get_object_tagging(self, Key: str, now: float = 0, VersionId: str | None = None) -> dict:
        version = self.version(Key, VersionId)
        tags = [{"Key": key, "Value": value} for key, value in version.tags.items()]
        return {"TagSet": tags} | self._named(version.version_id)

    def delete_object_tagging(self, Key: str, now: float = 0, VersionId: str | None = None) -> dict:
        return self.put_object_tagging(Key, {"TagSet": []}, now, VersionId)

    def put_object_retention(self, Key: str, Retention: dict, now: float = 0, VersionId: str | None = None,
                             BypassGovernanceRetention: bool = False, permitted: bool = True) -> None:
        """{"Mode": ..., "RetainUntilDate": ...}, or {} to remove it. ServiceError AccessDenied: see may_retain."""
        version = self._lockable(Key, VersionId)
        mode, until = Retention.get("Mode"), Retention.get("RetainUntilDate")
        check_retention(mode, until, now)
        decision = may_retain(version, mode, until, now, BypassGovernanceRetention, permitted)
        if not decision.allowed:
            raise ServiceError("AccessDenied", " ".join(decision.because))
        version.lock_mode, version.retain_until = mode, until

    def put_object_legal_hold(self, Key: str, LegalHold: dict, now: float = 0, VersionId: str | None = None) -> None:
        """{"Status": "ON"} or "OFF"."""
        version = self._lockable(Key, VersionId)
        if LegalHold.get("Status") not in HOLD:
            raise ServiceError("MalformedXML", 'A legal hold is "ON" or "OFF".')
        version.legal_hold = HOLD[LegalHold["Status"]]

    def put_object_lock_configuration(self, ObjectLockConfiguration: dict, now: float = 0) -> None:
        """Turn Object Lock on, for good, with or without a retention that new versions get by default."""
        self._begin()
        check_configuration(ObjectLockConfiguration, self.versioning)
        self.object_lock = ObjectLockConfiguration

    # ------------------------------------------------------------------ what is in it, for other models

    def keys(self) -> list[str]:
        """Of all that have a version or a delete marker, in order."""
        return list(self._keys)

    def versions(self, Key: str) -> list[Version]:
        """The newest first, delete markers among them."""
        return self._versions.get(Key, [])[::-1]

    def version(self, Key: str, VersionId: str | None = None) -> Version:
        """The current version, or another. ServiceError NoSuchKey, NoSuchVersion, MethodNotAllowed."""
        self._begin()
        check_key(Key)
        if VersionId is None:
            version = self._current(Key)
            if version is None or version.is_delete_marker:
                raise ServiceError("NoSuchKey", f"There is no object {Key!r}.")
            return version
        version = self._find(Key, VersionId)
        if version is None:
            raise ServiceError("NoSuchVersion", f"{Key!r} has no version {VersionId}.")
        if version.is_delete_marker:
            raise ServiceError("MethodNotAllowed", "A delete marker can only be deleted.")
        return version

    def stored_bytes(self) -> int:
        """Of all versions and delete markers; unfinished uploads are not among them."""
        return sum(version.stored_bytes() for versions in self._versions.values() for version in versions)

    def copy_source(self, CopySource: dict, now: float, conditions: dict) -> Version:
        """What a copy reads: it must exist, be readable now, and hold the conditions CopySourceIfMatch and so on."""
        bucket = CopySource["Bucket"]
        if not isinstance(bucket, Bucket):
            if bucket != self.name:
                raise ServiceError("NoSuchBucket", f"Give the Bucket that is called {bucket!r}, not its name.")
            bucket = self
        version = bucket.version(CopySource["Key"], CopySource.get("VersionId"))
        if not version.readable(now):
            raise ServiceError("ObjectNotInActiveTierError", f"It is in {version.storage_class}: restore a copy first.")
        check_copy_source(version, **{name.removeprefix("CopySource"): value for name, value in conditions.items()})
        return version

    def add(self, version: Version, now: float, *, began: float | None = None, IfMatch: str | None = None,
            IfNoneMatch: str | None = None, mode: str | None = None, until: float | None = None,
            hold: str | None = None) -> dict:
        """Make it the current version of its key, under the locks that it asks for or the bucket gives by default."""
        self._begin()
        check_write(self._current(version.key), IfMatch, IfNoneMatch, began, self._deleted_at.get(version.key))
        if (mode or until or hold) and self.object_lock is None:
            raise ServiceError("InvalidRequest", "Bucket is missing Object Lock Configuration")
        check_retention(mode, until, now)
        if mode is None:
            mode, until = default_retention(self.object_lock, version.last_modified)
        version.lock_mode, version.retain_until, version.legal_hold = mode, until, HOLD.get(hold, False)
        self._insert(version)
        return {"ETag": version.etag} | self._named(version.version_id)

    # ------------------------------------------------------------------ inside

    def _begin(self):
        if self.deleted:
            raise ServiceError("NoSuchBucket", f"There is no bucket {self.name!r} any more.")

    def _named(self, version_id):
        """Versions are spoken of only in a bucket that is, or was, versioned."""
        return {} if self.versioning is None else {"VersionId": version_id}

    def _current(self, key):
        return self._versions[key][-1] if key in self._versions else None

    def _find(self, key, version_id):
        return next((version for version in self._versions.get(key, []) if version.version_id == version_id), None)

    def _insert(self, version):
        """Put it on top. Unless versioning is enabled it is the null version, and takes the place of that."""
        self._serial += 1
        version.version_id = f"v{self._serial:06}" if self.versioning == "Enabled" else "null"
        if version.version_id == "null":
            self._remove(version.key, self._find(version.key, "null"))
        if version.key not in self._versions:
            self._versions[version.key] = []
            insort(self._keys, version.key)
        self._versions[version.key].append(version)
        return version

    def _remove(self, key, version):
        if version is not None:
            self._versions[key].remove(version)
            if not self._versions[key]:
                del self._versions[key], self._keys[bisect_left(self._keys, key)]

    def _delete_version(self, key, version_id, now, bypass, permitted):
        version = self._find(key, version_id)
        if version is None:
            return self._named(version_id)
        decision = may_delete(version, now, bypass, permitted)
        if not decision.allowed:
            raise ServiceError("AccessDenied", " ".join(decision.because))
        if version is self._current(key):
            self._note_delete(key, now)
        self._remove(key, version)
        return self._named(version_id) | ({"DeleteMarker": True} if version.is_delete_marker else {})

    def _note_delete(self, key, now):
        """An object goes; a conditional write that is under way will meet a conflict."""
        current = self._current(key)
        if current is not None and not current.is_delete_marker:
            self._deleted_at[key] = now

    def _lockable(self, key, version_id):
        if self.object_lock is None:
            raise ServiceError("InvalidRequest", "Bucket is missing Object Lock Configuration")
        return self._changeable(key, version_id)

    def _changeable(self, key, version_id):
        """What stands beside the bytes may be changed; of a delete marker nothing may, not even of the current one."""
        current = self._current(key)
        if version_id is None and current is not None and current.is_delete_marker:
            raise ServiceError("MethodNotAllowed", "A delete marker can only be deleted.")
        return self.version(key, version_id)


def _md5(version: Version) -> str:
    return content(version.size if version.data is None else version.data)[2]
