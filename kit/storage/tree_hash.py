"""The SHA-256 tree hash, the checksum of what is uploaded to a vault and of what comes out of it.

An archive is cut into pieces of 1 MB. Each is hashed, then the hashes of neighbours together, until one is left. So a
part of an archive has a checksum of its own, if it is just what one node of the tree stands for.

Amazon Glacier Developer Guide, "Computing Checksums", "Receiving Checksums When Downloading Data". Read 2026-11-28.
"""

from hashlib import sha256

MB = 1024**2


def tree_hash(body: bytes) -> str:
    """The SHA-256 tree hash: of each MB, then of neighbours in pairs, up to a single root; one left over goes up as it is."""
    level = [sha256(body[first:first + MB]).digest() for first in range(0, len(body), MB)] or [sha256(b"").digest()]
    while len(level) > 1:
        level = [sha256(b"".join(level[first:first + 2])).digest() if first + 1 < len(level) else level[first]
                 for first in range(0, len(level), 2)]
    return level[0].hex()


def tree_hash_aligned(first: int, last: int, size: int) -> bool:
    """Are these bytes of an archive just what one node of its tree hash stands for? Only then is there a checksum."""
    if first % MB or (last + 1) % MB and last + 1 != size:
        return False
    start, end, chunks = first // MB, -(-(last + 1) // MB), -(-size // MB)
    width = 1
    while width < end - start:
        width *= 2
    return start % width == 0 and end == min(start + width, chunks)
