"""Presigned URLs: AWS's worked example, botocore's signer, and what S3 answers to URLs that are no good."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.storage.presigned import LONGEST, Secret, presign, verify

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DAY_ONE = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
HOST = "examplebucket.s3.amazonaws.com"


def url(method="GET", path="/test.txt", now=DAY_ONE, expires=86400, **more):
    return presign(method, HOST, path, access_key=KEY, secret=SECRET, now=now, expires=expires, **more)


def refused(address, method="GET", now=DAY_ONE, secrets=None, **more):
    with pytest.raises(ServiceError) as caught:
        verify(address, method, now, secrets or {KEY: SECRET}, **more)
    return caught.value.code


def test_the_worked_example():
    """"Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", An Example: test.txt for a day."""
    assert url() == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
        "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    assert verify(url(), "GET", DAY_ONE + 60, {KEY: SECRET}).access_key == KEY


def client(version="s3v4", region="eu-central-1", **more):
    return boto3.client("s3", region_name=region, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                        config=Config(signature_version=version, s3={"addressing_style": "virtual"}), **more)


@pytest.mark.parametrize("call, method, parameters", [
    ("get_object", "GET", {"Key": "a b/ü+~.txt"}), ("put_object", "PUT", {"Key": "x", "ContentType": "text/plain"}),
    ("get_object", "GET", {"Key": "x", "VersionId": "v=1/&", "ResponseContentDisposition": 'attachment; filename="a b"'})])
@pytest.mark.parametrize("token", [None, "to/ken=+"])
def test_botocore_writes_the_same_url_and_it_is_good(call, method, parameters, token):
    theirs = client(aws_session_token=token).generate_presigned_url(call, {"Bucket": "photos"} | parameters, ExpiresIn=60)
    split = urlsplit(theirs)
    query = dict(parse_qsl(split.query))
    now = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    headers = {"Content-Type": parameters["ContentType"]} if "ContentType" in parameters else {}
    rest = {name: value for name, value in query.items() if not name.startswith("X-Amz-")}
    mine = presign(method, split.netloc, f"/{parameters['Key']}", access_key=KEY, secret=SECRET, now=now, expires=60,
                   region="eu-central-1", session_token=token, query=rest, headers=headers)
    assert dict(parse_qsl(urlsplit(mine).query)) == query and urlsplit(mine).path == split.path
    signed = verify(theirs, method, now + 60, {KEY: Secret(SECRET, token)}, headers=headers, region="eu-central-1")
    assert (signed.expires_at, signed.age) == (now + 60, 60)


@pytest.mark.parametrize("token", [None, "to/ken=+"])
@pytest.mark.parametrize("parameters", [{"Key": "a b/ü.txt"}, {"Key": "x", "VersionId": "3", "ResponseContentType": "a/b"}])
def test_the_older_signature_of_botocore_is_good_too_until_it_expires(parameters, token):
    theirs = client("s3", "us-east-1", aws_session_token=token).generate_presigned_url(
        "get_object", {"Bucket": "photos"} | parameters, ExpiresIn=60)
    end = int(dict(parse_qsl(urlsplit(theirs).query))["Expires"])
    known = {KEY: Secret(SECRET, token)}
    assert verify(theirs, "GET", end, known).expires_at == end
    assert refused(theirs, now=end + 1, secrets=known) == "AccessDenied"
    assert refused(theirs.replace("/x?", "/y?").replace("/a%20b", "/a%20c"), now=end, secrets=known) == "SignatureDoesNotMatch"
    assert refused(theirs, "PUT", end, known) == "SignatureDoesNotMatch"


def test_the_older_signature_covers_a_content_type_that_travels_in_the_url():
    theirs = client("s3", "us-east-1").generate_presigned_url(
        "put_object", {"Bucket": "photos", "Key": "x", "ContentType": "text/plain"}, ExpiresIn=60)
    assert verify(theirs, "PUT", 0, {KEY: SECRET}, headers={"Content-Type": "text/plain"}).access_key == KEY
    assert refused(theirs.replace("text%2Fplain", "text%2Fhtml"), "PUT", 0) == "SignatureDoesNotMatch"


def test_it_expires_to_the_second():
    """User Guide: "Amazon S3 checks the expiration date and time of a signed URL at the time of the HTTP request"."""
    verify(url(expires=60), "GET", DAY_ONE + 60, {KEY: SECRET})
    with pytest.raises(ServiceError) as caught:
        verify(url(expires=60), "GET", DAY_ONE + 61, {KEY: SECRET})
    assert (caught.value.code, caught.value.message) == ("AccessDenied", "Request has expired")


def test_a_url_of_the_future_is_not_valid_yet():
    verify(url(), "GET", DAY_ONE - 900, {KEY: SECRET})
    assert refused(url(), now=DAY_ONE - 901) == "AccessDenied"


@pytest.mark.parametrize("tamper", [
    lambda text: text.replace("test.txt", "other.txt"), lambda text: text.replace("Expires=86400", "Expires=86401"),
    lambda text: text.replace(HOST, "other.s3.amazonaws.com"), lambda text: text + "&versionId=1",
    lambda text: text[:-1] + ("0" if text[-1] != "0" else "1")])
def test_any_change_breaks_the_signature(tamper):
    assert refused(tamper(url())) == "SignatureDoesNotMatch"


def test_a_url_for_reading_does_not_write():
    assert refused(url(), "PUT") == refused(url(), "HEAD") == "SignatureDoesNotMatch"


def test_a_signed_header_must_be_sent_as_it_was_signed():
    address = url("PUT", headers={"Content-Type": "image/png"})
    verify(address, "PUT", DAY_ONE, {KEY: SECRET}, headers={"content-type": "image/png", "x-other": "1"})
    assert refused(address, "PUT", headers={"Content-Type": "image/jpeg"}) == "SignatureDoesNotMatch"
    assert refused(address, "PUT") == "SignatureDoesNotMatch"


@pytest.mark.parametrize("change", [
    ("Expires=86400", f"Expires={LONGEST + 1}"), ("Expires=86400", "Expires=-1"), ("Expires=86400", "Expires=day"),
    ("&X-Amz-Expires=86400", ""), ("X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4-HMAC-SHA1"),
    ("20130524T000000Z", "2013-05-24"), ("%2F20130524%2F", "%2F20130523%2F"), ("%2Faws4_request", "")])
def test_wrong_parameters_are_said_to_be_wrong(change):
    """"Error responses": AuthorizationQueryParametersError; X-Amz-Expires: at most 604800 (seven days)."""
    assert refused(url().replace(*change)) == "AuthorizationQueryParametersError"


def test_seven_days_are_the_most():
    verify(url(expires=LONGEST), "GET", DAY_ONE + LONGEST, {KEY: SECRET})
    assert refused(url(expires=LONGEST + 1)) == "AuthorizationQueryParametersError"


def test_a_region_other_than_the_buckets():
    assert refused(url(), region="eu-west-1") == "AuthorizationQueryParametersError"


def test_keys_nobody_knows_and_sessions_that_ended():
    """User Guide: created with a temporary token, "the URL expires when the token expires"."""
    assert refused(url(), secrets={"AKIAOTHER": SECRET}) == "InvalidAccessKeyId"
    assert refused(url(), secrets={KEY: "another"}) == "SignatureDoesNotMatch"
    session, known = url(session_token="t"), {KEY: Secret(SECRET, "t", DAY_ONE + 900)}
    verify(session, "GET", DAY_ONE + 899, known)
    assert refused(session, now=DAY_ONE + 900, secrets=known) == "ExpiredToken"
    assert refused(session, secrets={KEY: Secret(SECRET, "other")}) == "InvalidToken"
    assert refused(url(), secrets=known) == "InvalidToken"


def test_an_expired_url_is_said_to_be_expired_whatever_else_is_wrong():
    assert refused(url().replace("test", "other"), now=DAY_ONE + 86401) == "AccessDenied"


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=20).filter(lambda key: "\x00" not in key), st.integers(1, LONGEST), st.integers(0, LONGEST))
def test_whatever_was_signed_is_good_as_long_as_it_lasts_and_no_longer(key, expires, later):
    address = url(path=f"/{key}", expires=expires)
    if later <= expires:
        assert verify(address, "GET", DAY_ONE + later, {KEY: SECRET}).expires_at == DAY_ONE + expires
    else:
        assert refused(address, now=DAY_ONE + later) == "AccessDenied"
