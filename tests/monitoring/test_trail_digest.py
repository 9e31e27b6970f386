"""Digest files, held to the CloudTrail User Guide, "CloudTrail digest file structure" and "Custom implementations of
CloudTrail log file integrity validation"."""

import gzip
import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.monitoring.cloudtrail import iam_user, log_file_key, log_files, record
from kit.monitoring.trail_digest import Digest, HmacSigner, make_digest, validate

HOURS = 4


def story():
    """Four hours of events, their log files (the third hour has none) and digests."""
    events = [record({"eventTime": time, "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "awsRegion": "us-east-1",
                      "userIdentity": iam_user("ana")}, serial) for serial, time in enumerate((100, 700, 4000, 11_000))]
    files, chain = log_files(events), []
    for hour in range(HOURS):
        chain.append(make_digest(files, chain[-1] if chain else None, hour * 3600))
    return files, chain


FILES, CHAIN = story()
KEYS = sorted(FILES)


def found(files=None, digests=None):
    return sorted((one.kind, one.key) for one in validate(FILES if files is None else files, CHAIN if digests is None else digests))


def forged(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content).replace(b"ana", b"bob"))


def test_given_nothing_was_touched_then_there_is_no_finding():
    assert found() == [] and len(FILES) == 4
    assert validate(FILES, CHAIN[::-1]) == []


def test_the_fields_are_the_guides():
    first, second, third, _ = (digest.fields for digest in CHAIN)
    assert list(first) == ["awsAccountId", "digestStartTime", "digestEndTime", "digestS3Bucket", "digestS3Object",
                           "digestPublicKeyFingerprint", "digestSignatureAlgorithm", "newestEventTime", "oldestEventTime",
                           "previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue",
                           "previousDigestHashAlgorithm", "previousDigestSignature", "logFiles"]
    assert all(first[name] is None for name in first if name.startswith("previous"))
    assert second["previousDigestHashValue"] == hashlib.sha256(CHAIN[0].body).hexdigest()
    assert second["previousDigestSignature"] == CHAIN[0].signature
    assert third["logFiles"] == [] and third["newestEventTime"] is None, "an hour without activity has a digest, too"
    log = first["logFiles"][0]
    assert log["hashValue"] == hashlib.sha256(gzip.decompress(FILES[log["s3Object"]])).hexdigest()
    assert log["oldestEventTime"] == "1970-01-01T00:01:40Z" and log["hashAlgorithm"] == "SHA-256"
    assert CHAIN[0].key == ("AWSLogs/123456789012/CloudTrail-Digest/us-east-1/1970/01/01/"
                            "123456789012_CloudTrail-Digest_us-east-1_audit_us-east-1_19700101T010000Z.json.gz")


def test_given_a_changed_log_file_then_it_is_found():
    assert found(FILES | {KEYS[1]: forged(FILES[KEYS[1]])}) == [("log file changed", KEYS[1])]
    assert found(FILES | {KEYS[1]: b"no gzip"}) == [("log file changed", KEYS[1])]
    assert found(FILES | {KEYS[1]: FILES[KEYS[1]][:-9]}) == [("log file changed", KEYS[1])]


def test_given_a_log_file_that_is_only_compressed_anew_then_nothing_is_found():
    """The hash is of the uncompressed content."""
    assert found(FILES | {KEYS[0]: gzip.compress(gzip.decompress(FILES[KEYS[0]]), compresslevel=1, mtime=5)}) == []


def test_given_a_deleted_log_file_then_it_is_found():
    assert found({key: content for key, content in FILES.items() if key != KEYS[0]}) == [("log file missing", KEYS[0])]


def test_given_an_inserted_log_file_then_it_is_found():
    extra = log_file_key("123456789012", "us-east-1", 1800)
    assert found(FILES | {extra: FILES[KEYS[0]]}) == [("log file inserted", extra)]
    later = log_file_key("123456789012", "us-east-1", HOURS * 3600 + 300)
    assert found(FILES | {later: FILES[KEYS[0]], "notes.txt": b""}) == [], "its hour has no digest yet; other files are no business of it"


def test_given_a_log_file_and_its_hash_are_changed_then_the_signature_gives_it_away():
    files = FILES | {KEYS[0]: forged(FILES[KEYS[0]])}
    fields = CHAIN[0].fields
    fields["logFiles"][0]["hashValue"] = hashlib.sha256(gzip.decompress(files[KEYS[0]])).hexdigest()
    cheat = replace(CHAIN[0], body=json.dumps(fields).encode())
    assert found(files, [cheat, *CHAIN[1:]]) == [("digest changed", CHAIN[0].key)]


def test_given_a_whole_digest_is_made_anew_with_another_key_then_it_is_found():
    other = HmacSigner(b"of the attacker")
    files = FILES | {KEYS[0]: forged(FILES[KEYS[0]])}
    cheat = make_digest(files, None, 0, other.sign, other.algorithm, other.fingerprint)
    assert found(files, [cheat, *CHAIN[1:]]) == [("digest changed", CHAIN[0].key)]


def test_given_a_digest_is_missing_then_the_next_one_tells():
    assert found(digests=[CHAIN[0], CHAIN[2], CHAIN[3]]) == [("digest missing", CHAIN[1].key)]


def test_given_a_digest_lies_elsewhere_then_it_counts_as_changed():
    moved = replace(CHAIN[3], key=CHAIN[3].key.replace("1970", "1971"))
    assert found(digests=[*CHAIN[:3], moved]) == [("digest changed", moved.key)]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null"])
def test_given_a_digest_that_is_no_digest_then_it_is_found(body):
    assert ("digest changed", CHAIN[3].key) in found(digests=[*CHAIN[:3], Digest(CHAIN[3].key, body, "00")])


def test_signing_is_injected():
    lengths = []

    def sign(data: bytes) -> str:
        lengths.append(data.count(b"\n"))
        return hashlib.sha512(data).hexdigest()

    chain = [make_digest(FILES, None, 0, sign, "SHA256withRSA")]
    chain.append(make_digest(FILES, chain[0], 3600, sign, "SHA256withRSA"))
    assert validate(FILES, chain, lambda data, signature: hashlib.sha512(data).hexdigest() == signature) == []
    assert lengths == [3, 3], "four lines are signed"


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.integers(0, HOURS - 1), st.data())
def test_any_changed_byte_of_a_digest_is_found(number, data):
    digest = CHAIN[number]
    at, bit = data.draw(st.integers(0, len(digest.body) - 1)), 1 << data.draw(st.integers(0, 7))
    body = digest.body[:at] + bytes([digest.body[at] ^ bit]) + digest.body[at + 1:]
    chain = [*CHAIN[:number], replace(digest, body=body), *CHAIN[number + 1:]]
    assert ("digest changed", digest.key) in found(digests=chain)
