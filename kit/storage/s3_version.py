"""One version of an object: its bytes, or only their number, and all that is stored beside them.

A version never changes its bytes. What may change is what stands beside them: tags, locks, the storage class and, for
an archived version, until when a restored copy is there. The ETag of bytes put in one piece is their MD5, in quotes; of
a multipart upload it is the MD5 of the parts' MD5s, a dash and the number of parts, and no digest of the whole.

**Simplified** A body may be given as a size, so that 5 GB need no memory: its ETag is then the MD5 of a stand-in, and
reading it gives a size back. The ETag of an object under SSE-C or SSE-KMS is no MD5; here it always is one.

Amazon S3 API Reference, data type "Object" (ETag), in the copy that botocore 1.44.5 carries. Amazon S3 User Guide:
"Working with delete markers". Read 2026-11-28.
"""

import hashlib
from dataclasses import dataclass, field, replace

from kit.storage.storage_classes import CLASSES


@dataclass(eq=False)
class Version:
    """A version, or a delete marker: a version with a key and an id, and nothing in it."""

    key: str
    version_id: str  # "null" if it was put while the bucket wasn't versioned
    last_modified: int  # whole seconds, as the header Last-Modified has them
    data: bytes | None = b""  # None: only the size is known
    size: int = 0
    etag: str = ""
    storage_class: str = "STANDARD"
    metadata: dict = field(default_factory=dict)
    tags: dict = field(default_factory=dict)
    content_type: str = "binary/octet-stream"
    is_delete_marker: bool = False
    restored_until: float | None = None  # an archived version can be read until then; a restore sets it
    lock_mode: str | None = None  # GOVERNANCE or COMPLIANCE
    retain_until: float | None = None
    legal_hold: bool = False

    def readable(self, now: float) -> bool:
        """Not archived, or restored for the moment."""
        archived = self.storage_class in CLASSES and CLASSES[self.storage_class].archived
        return not archived or (self.restored_until is not None and now < self.restored_until)

    def read(self, first: int = 0, last: int | None = None) -> bytes | int:
        """The bytes from first to last, both included; or how many they are, if only the size is known."""
        end = self.size if last is None else last + 1
        return end - first if self.data is None else self.data[first:end]

    def stored_bytes(self) -> int:
        """What storage is billed for: the object; of a delete marker its key."""
        return len(self.key.encode()) if self.is_delete_marker else self.size

    def copy(self, **changes) -> "Version":
        """As a new version elsewhere: the bytes and what describes them; restored copies and locks stay behind."""
        fresh = {"metadata": dict(self.metadata), "tags": dict(self.tags), "restored_until": None, "lock_mode": None,
                 "retain_until": None, "legal_hold": False}
        return replace(self, **fresh | changes)


def content(body: bytes | str | int) -> tuple[bytes | None, int, str]:
    """(bytes or None, size, MD5 in hex) of a body, that is bytes, text or a size."""
    if isinstance(body, int):
        if body < 0:
            raise ValueError(f"a body of {body} bytes")
        return None, body, hashlib.md5(f"{body} bytes".encode()).hexdigest()
    data = body.encode() if isinstance(body, str) else bytes(body)
    return data, len(data), hashlib.md5(data).hexdigest()


def etag_of_parts(digests: list[str]) -> str:
    """The ETag of a multipart upload, of its parts' MD5s in hex."""
    return f'"{hashlib.md5(b"".join(map(bytes.fromhex, digests))).hexdigest()}-{len(digests)}"'
