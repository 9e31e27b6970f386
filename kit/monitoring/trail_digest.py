"""Were the log files of a trail touched? The chain of hourly digest files says so.

CloudTrail does not sign log files. Once an hour it writes a digest file with the SHA-256 of each log file of that
hour, the hash and the signature of the digest before it, and signs that. So a change anywhere shows, back to the
first digest:

    chain = [make_digest(files, None, 0)]
    chain.append(make_digest(files, chain[-1], 3600))
    validate(files, chain)                                       # [] if nothing was touched

**Simplified** AWS signs with RSA: only CloudTrail has the private key, and everybody can check with the public one.
The standard library has no RSA, so ``HmacSigner`` signs with HMAC-SHA256 here, where one key does both; give ``sign``
and ``verify`` of your own for RSA. ``validate`` also reports log files that no digest lists; ``aws cloudtrail
validate-logs`` looks at those alone that are listed. Digest files are not compressed.
**Not modelled** Public keys and their life, late (backfill) digests, several Regions in one chain: AWS has a chain
each.

AWS CloudTrail User Guide, "CloudTrail digest file structure", "Custom implementations of CloudTrail log file integrity
validation" (their published source), read 2026-11-23. That the first digest is signed with the word null in place of a
signature is as the AWS CLI does it, not opened anew.
"""

import gzip
import hashlib
import hmac
import json
import re
import zlib
from dataclasses import dataclass
from datetime import datetime, timezone

from kit.monitoring.cloudtrail import seconds, stamp

HOUR = 3600  # seconds that a digest covers
DELIVERED = re.compile(r"/CloudTrail/.*_(\d{8}T\d{4}Z)_\w+\.json\.gz$")


@dataclass(frozen=True)
class Digest:
    """A digest file: where it lies, what is in it (JSON), and its signature (S3's x-amz-meta-signature)."""

    key: str
    body: bytes
    signature: str

    @property
    def fields(self) -> dict:
        return json.loads(self.body)


@dataclass(frozen=True)
class Finding:
    """kind: log file changed, log file missing, log file inserted, digest changed, digest missing."""

    kind: str
    key: str
    because: str


class HmacSigner:
    """Stands in for RSA: whoever has the key can both sign and check."""

    algorithm = "HMAC-SHA256"

    def __init__(self, key: bytes = b"a key that only CloudTrail has"):
        self._key = key
        self.fingerprint = hashlib.sha256(key).hexdigest()[:32]

    def sign(self, data: bytes) -> str:
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()

    def verify(self, data: bytes, signature: str) -> bool:
        return hmac.compare_digest(self.sign(data), signature)


SIGNER = HmacSigner()


def make_digest(files: dict[str, bytes], previous: Digest | None, start: float, sign=SIGNER.sign,
                algorithm: str = SIGNER.algorithm, fingerprint: str = SIGNER.fingerprint, account: str = "123456789012",
                region: str = "us-east-1", bucket: str = "trail-bucket", trail: str = "audit", prefix: str = "",
                home_region: str | None = None) -> Digest:
    """The digest of the hour from ``start`` (seconds): of ``{key: gzipped log file}`` those that were delivered in it.

    sign(bytes) -> hex. previous: the digest before; None begins a chain. An hour without log files has a digest, too.
    home_region: the trail's, if it is not the Region of the log files.
    """
    end = start + HOUR
    mine = [key for key in sorted(files) if start < (_delivered(key) or start) <= end]
    logs = [_log_file(key, files[key], bucket) for key in mine]
    when = datetime.fromtimestamp(end, timezone.utc)
    key = (f"{prefix + '/' if prefix else ''}AWSLogs/{account}/CloudTrail-Digest/{region}/{when:%Y/%m/%d}/"
           f"{account}_CloudTrail-Digest_{region}_{trail}_{home_region or region}_{when:%Y%m%dT%H%M%SZ}.json.gz")
    fields = {
        "awsAccountId": account, "digestStartTime": stamp(start), "digestEndTime": stamp(end), "digestS3Bucket": bucket,
        "digestS3Object": key, "digestPublicKeyFingerprint": fingerprint, "digestSignatureAlgorithm": algorithm,
        "newestEventTime": max((log["newestEventTime"] for log in logs), default=None),
        "oldestEventTime": min((log["oldestEventTime"] for log in logs), default=None),
        "previousDigestS3Bucket": bucket if previous else None,
        "previousDigestS3Object": previous.key if previous else None,
        "previousDigestHashValue": _sha256(previous.body) if previous else None,
        "previousDigestHashAlgorithm": "SHA-256" if previous else None,
        "previousDigestSignature": previous.signature if previous else None,
        "logFiles": logs,
    }
    body = json.dumps(fields).encode()
    return Digest(key, body, sign(data_to_sign(fields, body)))


def data_to_sign(fields: dict, body: bytes) -> bytes:
    """Four lines: when it ends, where it lies, the hash of the digest file, the signature of the digest before."""
    return "\n".join((fields["digestEndTime"], f"{fields['digestS3Bucket']}/{fields['digestS3Object']}", _sha256(body),
                      fields["previousDigestSignature"] or "null")).encode()


def validate(files: dict[str, bytes], digests: list[Digest], verify=SIGNER.verify) -> list[Finding]:
    """What was changed, deleted or inserted: from the newest digest back. verify(bytes, hex) -> bool.

    A digest that fails says nothing about its log files: its hour is unproved, and is not searched further.
    """
    findings, listed, hours = [], set(), []
    by_key = {digest.key: digest for digest in digests}
    for digest in sorted(digests, key=lambda one: one.key, reverse=True):
        fields = _intact(digest, verify)
        if fields is None:
            findings.append(Finding("digest changed", digest.key, "its signature does not belong to it"))
            continue
        hours.append((seconds(fields["digestStartTime"]), seconds(fields["digestEndTime"])))
        before = fields["previousDigestS3Object"]
        if before is not None and before not in by_key:
            findings.append(Finding("digest missing", before, f"{digest.key} names it as the digest before"))
        elif before is not None and _sha256(by_key[before].body) != fields["previousDigestHashValue"]:
            findings.append(Finding("digest changed", before, f"{digest.key} has another hash for it"))
        for log in fields["logFiles"]:
            key = log["s3Object"]
            listed.add(key)
            if key not in files:
                findings.append(Finding("log file missing", key, f"{digest.key} lists it"))
            elif _content_hash(files[key]) != log["hashValue"]:
                findings.append(Finding("log file changed", key, f"{digest.key} has another hash for it"))
    for key in sorted(set(files) - listed):
        moment = _delivered(key)
        if moment is not None and any(start < moment <= end for start, end in hours):
            findings.append(Finding("log file inserted", key, "the digest of its hour does not list it"))
    once = {(finding.kind, finding.key): finding for finding in reversed(findings)}
    return list(once.values())[::-1]


def _intact(digest: Digest, verify) -> dict | None:
    """The fields of a digest that lies where it says and whose signature holds."""
    try:
        fields = digest.fields
        good = fields["digestS3Object"] == digest.key and verify(data_to_sign(fields, digest.body), digest.signature)
    except (ValueError, KeyError, TypeError):
        return None
    return fields if good else None


def _log_file(key: str, content: bytes, bucket: str) -> dict:
    times = sorted(event["eventTime"] for event in json.loads(gzip.decompress(content))["Records"])
    return {"s3Bucket": bucket, "s3Object": key, "hashValue": _content_hash(content), "hashAlgorithm": "SHA-256",
            "newestEventTime": times[-1], "oldestEventTime": times[0]}


def _delivered(key: str) -> float | None:
    """When a log file was delivered, from its name; None if it is no log file."""
    found = DELIVERED.search(key)
    return datetime.strptime(found[1], "%Y%m%dT%H%MZ").replace(tzinfo=timezone.utc).timestamp() if found else None


def _content_hash(content: bytes) -> str:
    """SHA-256 of the uncompressed file; bytes that are no gzip file are hashed as they are, and fit no digest."""
    try:
        return _sha256(gzip.decompress(content))
    except (OSError, EOFError, zlib.error):
        return _sha256(content)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
