"""Presigned URLs: a request of somebody with keys, written down for somebody without.

The signature covers the method, the path, the query, the host and the time of signing; whoever has the URL can do just
that, until it expires, with the rights that the signer has *when it is used*. Nothing is sent to AWS for signing: only
when the URL is used does S3 compute the signature again and compare.

    url = presign("GET", "photos.s3.us-east-1.amazonaws.com", "/cat.jpg", access_key="AKIA...", secret="...", now=0,
                  expires=3600)
    verify(url, "GET", now=10, secrets={"AKIA...": "..."})     # Signed(...), or ServiceError as S3 would answer

What is checked first decides what one is told: the parameters, then the time, then the key and its session token,
then the signature. So an expired URL that was tampered with is said to be expired.

**Simplified** A secret may be told for any access key; the permissions of its owner are not asked here (``access.py``).
**Not modelled** Signing a body's hash (it is UNSIGNED-PAYLOAD), SigV4A, POST policies, s3:signatureAge (a condition
key: ``age`` of the result is its value). URLs of the older Signature Version 2 (AWSAccessKeyId, Expires, Signature),
which boto3 still writes in some Regions unless told otherwise, are verified but not written.

Amazon S3 API Reference, read 2026-11-28: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)",
"Error responses". Amazon S3 User Guide: "Download and upload objects with presigned URLs". That the time is checked
before the signature, 15 minutes of clock skew, and the words of AuthorizationQueryParametersError and AccessDenied are
known from reports of S3's answers, not from a page; Version 2 from botocore's signer.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from kit.errors import ServiceError

ALGORITHM, PAYLOAD = "AWS4-HMAC-SHA256", "UNSIGNED-PAYLOAD"
LONGEST = 604_800  # seconds, seven days: "the signing key you use is valid for up to seven days"
SKEW = 15 * 60  # seconds a clock may be ahead
PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders",
              "X-Amz-Expires")
SUBRESOURCES = ("acl", "cors", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
                "replication", "requestPayment", "response-cache-control", "response-content-disposition",
                "response-content-encoding", "response-content-language", "response-content-type", "response-expires",
                "restore", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions",
                "website")


@dataclass(frozen=True)
class Secret:
    """What S3 knows of an access key. token, expires_at: of a session (in seconds), if it is a temporary one."""

    secret: str
    token: str | None = None
    expires_at: float = inf


@dataclass(frozen=True)
class Signed:
    """A URL that is good: who signed it, when, and until when it is."""

    access_key: str
    signed_at: float
    expires_at: float
    age: float  # seconds since signing; S3 gives milliseconds as s3:signatureAge
    region: str = ""


def presign(method: str, host: str, path: str, *, access_key: str, secret: str, now: float, expires: int = 3600,
            region: str = "us-east-1", session_token: str | None = None, query: dict | None = None,
            headers: dict | None = None, scheme: str = "https") -> str:
    """The URL. path: as the key is, not encoded ("/a b.txt"). query: further parameters, such as versionId.

    headers: further headers to be signed; whoever uses the URL must send them just so. AWS refuses more than seven days
    only when the URL is used, and so does ``verify``.
    """
    stamp = _stamp(now)
    signed = {"host": host} | {name.lower(): " ".join(value.split()) for name, value in (headers or {}).items()}
    parameters = dict(query or {}) | {
        "X-Amz-Algorithm": ALGORITHM, "X-Amz-Credential": f"{access_key}/{stamp[:8]}/{region}/s3/aws4_request",
        "X-Amz-Date": stamp, "X-Amz-Expires": str(expires), "X-Amz-SignedHeaders": ";".join(sorted(signed))}
    if session_token:
        parameters["X-Amz-Security-Token"] = session_token
    encoded = quote(path, safe="/-_.~")
    signature = _signature(method, encoded, parameters, signed, stamp, region, secret)
    return f"{scheme}://{host}{encoded}?{_query(parameters)}&X-Amz-Signature={signature}"


def verify(url: str, method: str, now: float, secrets: dict, *, headers: dict | None = None,
           region: str | None = None) -> Signed:
    """Check a presigned URL as S3 does when it is used. ServiceError with S3's code if it is no good.

    secrets: access key -> Secret, or just the secret. headers: what the request sends beside Host. region: of the
    bucket, if it is to be compared.
    """
    split = urlsplit(url)
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    if "AWSAccessKeyId" in query:
        return _verify_version_2(split, query, method, now, secrets, headers or {})
    if lacking := [name for name in PARAMETERS if name not in query]:
        raise _bad("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                   "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters. "
                   f"Missing: {', '.join(lacking)}.")
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise _bad(f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    signed_at, expires = _moment(query["X-Amz-Date"]), _seconds(query["X-Amz-Expires"])
    access_key, scope_region = _scope(query, region)
    if now < signed_at - SKEW:
        raise ServiceError("AccessDenied", "Request is not valid yet")
    if now > signed_at + expires:
        raise ServiceError("AccessDenied", "Request has expired")
    known = _known(access_key, query.get("X-Amz-Security-Token"), now, secrets)
    sent = {name.lower(): " ".join(value.split()) for name, value in (headers or {}).items()} | {"host": split.netloc}
    signed = {name: sent.get(name, "") for name in query["X-Amz-SignedHeaders"].split(";")}
    parameters = {name: value for name, value in query.items() if name != "X-Amz-Signature"}
    expected = _signature(method, quote(unquote(split.path), safe="/-_.~"), parameters, signed, query["X-Amz-Date"],
                          scope_region, known.secret)
    _compare(expected, query["X-Amz-Signature"])
    return Signed(access_key, signed_at, signed_at + expires, now - signed_at, scope_region)


def _signature(method, path, parameters, headers, stamp, region, secret) -> str:
    """The three steps of the page: canonical request, string to sign, signature."""
    canonical = "\n".join((method.upper(), path or "/", _query(parameters),
                           *(f"{name}:{headers[name]}" for name in sorted(headers)), "", ";".join(sorted(headers)),
                           PAYLOAD))
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _query(parameters: dict) -> str:
    """Encoded, then sorted, as the canonical query string wants it."""
    return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(str(value), safe='-_.~')}"
                           for name, value in parameters.items()))


def _scope(query, region) -> tuple[str, str]:
    """The access key and the Region in X-Amz-Credential."""
    parts = query["X-Amz-Credential"].split("/")
    if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"]:
        raise _bad('Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting '
                   '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".')
    if parts[1] != query["X-Amz-Date"][:8]:
        raise _bad(f'Invalid credential date "{parts[1]}". This date is not the same as X-Amz-Date: '
                   f'"{query["X-Amz-Date"][:8]}".')
    if region is not None and parts[2] != region:
        raise _bad(f"Error parsing the X-Amz-Credential parameter; the region '{parts[2]}' is wrong; expecting "
                   f"'{region}'")
    return parts[0], parts[2]


def _seconds(text) -> int:
    if not text.lstrip("-").isdigit():
        raise _bad("X-Amz-Expires should be a number")
    if int(text) < 0:
        raise _bad("X-Amz-Expires must be non-negative")
    if int(text) > LONGEST:
        raise _bad("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less "
                   f"than {LONGEST} seconds")
    return int(text)


def _moment(text) -> float:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise _bad('X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd\'T\'HHmmss\'Z\'"') from None


def _stamp(now) -> str:
    return f"{datetime.fromtimestamp(int(now), UTC):%Y%m%dT%H%M%SZ}"


def _known(access_key, token, now, secrets) -> Secret:
    """The secret of an access key, if its session still stands."""
    if access_key not in secrets:
        raise ServiceError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    known = secrets[access_key] if isinstance(secrets[access_key], Secret) else Secret(secrets[access_key])
    if (token or None) != known.token:
        raise ServiceError("InvalidToken", "The provided token is malformed or otherwise invalid.")
    if now >= known.expires_at:
        raise ServiceError("ExpiredToken", "The provided token has expired.")
    return known


def _compare(expected, given):
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise ServiceError("SignatureDoesNotMatch", "The request signature we calculated does not match the signature "
                                                    "you provided. Check your key and signing method.")


def _verify_version_2(split, query, method, now, secrets, headers) -> Signed:
    """HMAC-SHA1 over method, a few headers, the time it expires and the bucket's path; headers travel in the query."""
    if not query.get("Expires", "").isdigit() or "Signature" not in query:
        raise ServiceError("AccessDenied", "Query-string authentication requires the Signature, Expires and "
                                           "AWSAccessKeyId parameters")
    expires_at = int(query["Expires"])
    if now > expires_at:
        raise ServiceError("AccessDenied", "Request has expired")
    known = _known(query["AWSAccessKeyId"], query.get("x-amz-security-token"), now, secrets)
    sent = {name.lower(): value for name, value in (*headers.items(), *query.items())}
    amazon = sorted(f"{name}:{value}" for name, value in sent.items() if name.startswith("x-amz-"))
    bucket, dot, _ = split.netloc.partition(".s3")
    resource = (f"/{bucket}" if dot else "") + (split.path or "/")
    about = "&".join(sorted(f"{name}={value}" if value else name for name, value in query.items()
                            if name in SUBRESOURCES))
    to_sign = "\n".join((method.upper(), sent.get("content-md5", ""), sent.get("content-type", ""), query["Expires"],
                         *amazon, resource + (f"?{about}" if about else "")))
    digest = hmac.digest(known.secret.encode(), to_sign.encode(), "sha1")
    _compare(base64.b64encode(digest).decode(), query["Signature"])
    return Signed(query["AWSAccessKeyId"], now, expires_at, 0.0)


def _bad(message) -> ServiceError:
    return ServiceError("AuthorizationQueryParametersError", message)
