"""S3 without boto3: ``requests.get`` on a presigned URL, a public object, a bucket's website.

A request that comes to moto without boto3 is read back into the operation it stands for, and then goes the way of all
calls: its signature is checked by ``presigned``, on the sandbox's time; who signed it, or nobody, is the caller; gate,
models and bill follow. boto3 signs URLs on the sandbox's time, too. A website endpoint is answered by ``website``.

**Simplified** A request signed in its headers is taken for its key's owner's, its signature is not checked.
**Not modelled** Bodies in XML (501), POST uploads from a browser's form (501), CORS is moto's.

Pages: those of ``presigned`` and ``website``. Amazon S3 User Guide, "Website endpoints", read 2026-11-28.
"""

import re
from functools import cache
from html import escape
from urllib.parse import parse_qsl, unquote, urlsplit

from kit.errors import ServiceError
from kit.lab.life import OWNER_KEY, Who
from kit.storage import presigned, s3_model_lab, website

PASSED_OVER = ("GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification",
               "ListDirectoryBuckets", "CreateSession", "WriteGetObjectResponse")  # older names, and what goes elsewhere
ANONYMOUS = Who("Anonymous", "")
WEBSITE = re.compile(r"(?P<bucket>.+)\.s3-website[.-](?P<region>[a-z0-9-]+)\.amazonaws\.com$")
TITLES = {301: "Moved Permanently", 302: "Found", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}


def live(life, storage) -> None:
    web = Web(life, storage)
    from moto import backend_index
    ours = "s3", re.compile(r"https?://[a-z0-9.-]+\.s3[.-](.+\.)?amazonaws\.com")
    backend_index.backend_url_patterns.insert(0, ours)  # moto would give the bucket "logs" to CloudWatch Logs
    life.endings.append(lambda: backend_index.backend_url_patterns.remove(ours))
    from botocore.signers import RequestSigner, S3PostPresigner
    from moto.s3.responses import S3Response
    life.patch(S3Response, "bucket_response", web.asked)
    life.patch(S3Response, "key_response", web.asked)
    life.patch(RequestSigner, "generate_presigned_url", web.sign)
    life.patch(S3PostPresigner, "generate_presigned_post", web.sign)


class Web:
    """Requests of one sandbox that came without boto3."""

    def __init__(self, life, storage):
        self.life, self.storage = life, storage
        self._clients = {}

    def sign(self, before, *arguments, **named):
        """boto3 looks at the clock when it signs a URL: at this one."""
        with self.life.sandbox.clock:
            return before(*arguments, **named)

    def asked(self, before, responder, request, full_url, headers):
        if not self.life.by_learner or request.method == "OPTIONS":
            return before(responder, request, full_url, headers)
        with self.life.sandbox.clock.turn, self.life.doing("http"):
            found = WEBSITE.match(urlsplit(full_url).hostname or "")
            if found:
                return self._website(request, full_url, found["bucket"])
            try:
                return self._perform(before, responder, request, full_url, headers)
            except ServiceError as error:
                        return _error(request, s3_model_lab.with_status(error))

    # requests to the API

    def _perform(self, before, responder, request, full_url, headers):
        from botocore.exceptions import ClientError, ParamValidationError
        raw = []

        def inner(client, operation, parameters):
            status, answered, body = before(responder, request, full_url, headers)
            raw.append((status, answered, body))
            if status >= 400:
                raise ClientError({"Error": {"Code": str(status), "Message": ""}}, operation)
            low = {name.lower(): value for name, value in answered.items()}
            response = {"ResponseMetadata": {"HTTPStatusCode": status}, "ContentLength": len(body or b"")}
            return response | {name: low[header] for name, header in (
                ("VersionId", "x-amz-version-id"), ("ETag", "etag")) if header in low}

        keys = self._signer(request, full_url)
        client = self._client(keys)
        operation, parameters = self._read(client, request, full_url)
        try:
            response = self.life.perform(client, operation, parameters, inner)
        except ClientError as error:
            if raw:
                return raw[0]
            found, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            return _error(request, ServiceError(found["Code"], found["Message"], status))
        except ParamValidationError as error:
            return _error(request, ServiceError("InvalidRequest", str(error), 400))
        finally:
            self.storage.access.of_request = {}
        if raw:
            return self._shown(raw[0], response)
        headers = {header: str(response[name]).lower() if name == "DeleteMarker" else response[name] for name, header in (
            ("VersionId", "x-amz-version-id"), ("DeleteMarker", "x-amz-delete-marker")) if name in response}
        return 204 if request.method == "DELETE" else 200, headers, b""

    def _shown(self, answer, response):
        """What behaviours have added to the response stands in headers here."""
        status, headers, body = answer
        more = {header: response[name] for name, header in (("ReplicationStatus", "x-amz-replication-status"),
                                                            ("Restore", "x-amz-restore")) if name in response}
        return status, {**headers, **more}, body

    def _signer(self, request, url) -> tuple | None:
        """(access key, secret, token) of who signed it, None for nobody."""
        query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        keys = {"aws:SecureTransport": str(url.startswith("https")).lower()}
        self.storage.access.of_request = keys
        if "X-Amz-Signature" in query or "Signature" in query or "X-Amz-Algorithm" in query:
            secrets = _Secrets(self.life)
            signed = presigned.verify(url, request.method, self.storage.now, secrets, headers=dict(request.headers.items()))
            keys |= {"s3:authType": "REST-QUERY-STRING", "s3:signatureAge": str(int(signed.age * 1000))}
            return signed.access_key, secrets[signed.access_key].secret, secrets[signed.access_key].token
        found = re.search(r"Credential=([^/]+)/|AWS ([^:]+):", request.headers.get("Authorization", ""))
        if not found:
            return None
        keys["s3:authType"] = "REST-HEADER"
        key, secrets = found[1] or found[2], _Secrets(self.life)
        if key not in secrets:
            raise ServiceError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
        return key, secrets[key].secret, secrets[key].token

    def _client(self, keys):
        """A client with just these keys."""
        if keys not in self._clients:
            from botocore import UNSIGNED
            from botocore.config import Config
            more = {"config": Config(signature_version=UNSIGNED)} if keys is None else dict(
                zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), keys))
            self._clients[keys] = self.life.sandbox.client("s3", **more)
        return self._clients[keys]

    def _read(self, client, request, url):
        """The operation that a request stands for, and its parameters as boto3 names them."""
        from moto.s3.responses import S3Response
        split = urlsplit(url)
        query = {name: value for name, value in parse_qsl(split.query, keep_blank_values=True)}
        bucket = (split.hostname or "").partition(".s3")[0] if S3Response.subdomain_based_buckets(request) else ""
        path = unquote(split.path).removeprefix("/")
        if not bucket:
            bucket, _, path = path.partition("/")
        sent = {name.lower(): value for name, value in query.items() if name.lower().startswith(("x-amz-", "content-"))}
        sent |= {name.lower(): value for name, value in request.headers.items()}
        wanted = [one for one in _operations(client.meta.service_model) if one.takes(request.method, bool(bucket), bool(path),
                                                                                    query, sent)]
        if not wanted:
            raise ServiceError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
        found = max(wanted, key=lambda one: one.special)
        return found.name, found.parameters(bucket, path, query, sent, request)

    # a website

    def _website(self, request, url, name):
        bucket, host = self.storage.bucket(name), urlsplit(url).netloc
        if bucket is None:
            return _page(request, 404, "NoSuchBucket", "The specified bucket does not exist")
        keys = self.storage.access.of_request = {"aws:SecureTransport": "false"}
        try:
            answer = website.answer(self._configuration(bucket), unquote(urlsplit(url).path), lambda key: self._look(bucket, key),
                                    host=host, method=request.method, requester_pays=bucket.payer == "Requester")
        finally:
            self.storage.access.of_request = {}
        if answer.location is not None:
            return answer.status, {"Location": answer.location, "Content-Length": "0"}, b""
        if answer.key is None:
            return _page(request, answer.status, answer.code, answer.because[-1])
        version = self.storage.find(bucket, answer.key)
        body = version.value
        self.storage.bill.sent(bucket, version, len(body) if request.method == "GET" else 0)
        self.storage.bill.flush()
        shown = {"Content-Type": version.metadata.get("Content-Type", "binary/octet-stream"), "ETag": version.etag,
                 "Content-Length": str(len(body)), "Last-Modified": version.last_modified_RFC1123}
        return answer.status, shown, body if request.method == "GET" else b""

    def _look(self, bucket, key) -> website.Found:
        version = self.storage.find(bucket, key)
        if not hasattr(version, "contentsize"):
            return website.NOTHING
        readable = self.storage.access.may(ANONYMOUS, "s3:GetObject", f"{bucket.arn}/{key}").allowed
        return website.Found(True, readable and s3_model_lab.version(version).readable(self.storage.now),
                             version.website_redirect_location)

    def _configuration(self, bucket) -> dict | None:
        """As the learner has put it; moto keeps it as XML, so boto3 reads it."""
        if not bucket.website_configuration:
            return None
        found = self.life.client("s3").get_bucket_website(Bucket=bucket.name)
        return {name: value for name, value in found.items() if name != "ResponseMetadata"}


class _Secrets:
    """The sandbox's access keys with their secrets, as ``presigned`` asks for them."""

    def __init__(self, life):
        self.life = life

    def __contains__(self, key) -> bool:
        return self._find(key) is not None

    def __getitem__(self, key) -> presigned.Secret:
        return self._find(key)

    def _find(self, key):
        if key == OWNER_KEY:
            return presigned.Secret("testing", "testing")
        identity = self.life.state["identity"]
        if key.startswith(("USER:", "ROLE:")):
            return presigned.Secret("sandbox", "sandbox")
        for session in self.life.backend("sts").assumed_roles:
            if session.access_key_id == key:
                return presigned.Secret(session.secret_access_key, session.session_token, session.expiration.timestamp())
        for user in identity.iam.users.values():
            for one in user.access_keys:
                if one.access_key_id == key and one.status == "Active":
                    return presigned.Secret(one.secret_access_key)
        return None


class _Operation:
    """How an operation looks as an HTTP request, after boto3's own description of it."""

    def __init__(self, model):
        self.name, self.method = model.name, model.http["method"]
        path, _, flags = model.http["requestUri"].partition("?")
        self.flags = dict(parse_qsl(flags, keep_blank_values=True))
        self.members = dict(model.input_shape.members) if model.input_shape else {}
        self.of_bucket, self.of_key = "Bucket" in self.members, "{Key+}" in path
        self.required = [name for name in (model.input_shape.required_members if model.input_shape else ())
                         if self.members[name].serialization.get("location") in ("querystring", "header")]
        self.body = (model.input_shape.serialization if model.input_shape else {}).get("payload")
        self.special = len(self.flags) + len(self.required)

    def takes(self, method, bucket, key, query, sent) -> bool:
        return ((method, bucket, key) == (self.method, self.of_bucket, self.of_key)
                and all(name in query and (not value or query[name] == value) for name, value in self.flags.items())
                and all(self._place(name) in (sent if self._is_header(name) else query) for name in self.required))

    def parameters(self, bucket, key, query, sent, request) -> dict:
        found = {name: value for name, value in (("Bucket", bucket), ("Key", key)) if name in self.members and value}
        for name, shape in self.members.items():
            place, location = self._place(name), shape.serialization.get("location")
            given = query if location == "querystring" else sent if location == "header" else {}
            if place in given and shape.type_name != "list":
                found[name] = _typed(shape.type_name, given[place])
            elif location == "headers":
                if meta := {text.removeprefix(place): value for text, value in sent.items() if text.startswith(place)}:
                    found[name] = meta
        if self.body and self.members[self.body].type_name == "blob":
            found[self.body] = request.get_data()
        elif self.body and request.method in ("PUT", "POST") and request.get_data():
            raise ServiceError("NotImplemented", f"{self.name} with a body in XML: use boto3 in the sandbox.", 501)
        return found

    def _place(self, name):
        place = self.members[name].serialization.get("name", name)
        return place.lower() if self._is_header(name) else place

    def _is_header(self, name):
        return self.members[name].serialization.get("location") in ("header", "headers")


@cache
def _operations(service_model) -> list:
    return [_Operation(service_model.operation_model(name)) for name in service_model.operation_names if name not in PASSED_OVER]


def _typed(kind, text):
    if kind in ("integer", "long"):
        return int(text)
    if kind == "boolean":
        return text.lower() == "true"
    if kind == "timestamp":
        from botocore.utils import parse_timestamp
        return parse_timestamp(text)
    return text


def _error(request, error):
    """S3's own form of an error."""
    status = error.status or (403 if error.code in ("InvalidAccessKeyId", "SignatureDoesNotMatch") else 400)
    if request.method == "HEAD":
        return status, {}, b""
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(error.code)}</Code>'
            f"<Message>{escape(error.message)}</Message></Error>")
    return status, {"Content-Type": "application/xml"}, body.encode()


def _page(request, status, code, says):
    title = f"{status} {TITLES.get(status, '')}".strip()
    body = (f"<html><head><title>{title}</title></head><body><h1>{title}</h1><ul><li>Code: {escape(code)}</li>"
            f"<li>Message: {escape(says)}</li></ul></body></html>")
    return status, {"Content-Type": "text/html; charset=utf-8"}, b"" if request.method == "HEAD" else body.encode()
