"""What a bucket's website endpoint answers: index documents, error documents, redirects.

The website endpoint is not the API: it serves browsers. It knows GET and HEAD, HTTP only, whoever asks is anonymous,
and errors are pages. A request is answered by the first of these that applies:

1. another method: 405; no website configuration: 404; a Requester Pays bucket: 403;
2. RedirectAllRequestsTo: 301 to the other host;
3. a routing rule on the key's prefix: redirect;
4. the object itself; for "" or ".../" the index document below it. A redirect location in its metadata: 301;
5. no object, but an index document below "key/": 302 to "key/";
6. a routing rule on the error code (and prefix): redirect;
7. the error document, with the error's own status; or S3's own page.

    answer({"IndexDocument": {"Suffix": "index.html"}}, "/docs/", look, host=endpoint("shop", "us-east-1"))

**Simplified** Conditional requests (304) and ranges are not answered here. An object that is not there is 404, as the
page on permissions says, whether or not everybody may list the bucket. Which of several routing rules that match
counts, the page leaves open: the first.
**Not modelled** 400 in the wrong Region, 500, 503; dual-stack endpoints; China's and other partitions' endpoints.

Amazon S3 User Guide, read 2026-11-28: "Website endpoints", "Configuring an index document", "Configuring a custom error
document", "Setting permissions for website access", "(Optional) Configuring a webpage redirect". S3 API Reference:
"PutBucketWebsite", "RoutingRule", "Redirect", "Condition". AWS General Reference, "Amazon Simple Storage Service
endpoints and quotas" (the Regions with a dash: from public copies of its table). The order of steps 3 to 7, 405 and the
words and codes of ``check_website`` are known from reports of S3's answers, not from a page.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kit.errors import ServiceError

DASH_REGIONS = ("us-east-1", "us-west-1", "us-west-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1",
                "eu-west-1", "sa-east-1", "us-gov-west-1")  # all later Regions have a dot
RULES = 50  # routing rules a website may have
METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Found:
    """What is under a key: is there an object, may everybody read it, its x-amz-website-redirect-location."""

    exists: bool = True
    readable: bool = True
    redirect: str | None = None


NOTHING = Found(False)


@dataclass(frozen=True)
class Answer:
    """status; key: of the object that is the body, None for S3's own page or none; location: of a redirect."""

    status: int
    because: tuple[str, ...]
    key: str | None = None
    location: str | None = None
    code: str = ""  # of an error


def answer(configuration: dict | None, path: str, look: Callable[[str], Found], *, host: str, method: str = "GET",
           requester_pays: bool = False) -> Answer:
    """Answer a request. configuration: as put_bucket_website's WebsiteConfiguration; path: decoded, "/docs/a.html".

    look: tells what is under a key, seen by an anonymous caller. host: the Host header, for redirects.
    """
    if method not in METHODS:
        return Answer(405, (f"A website endpoint knows GET and HEAD, not {method}.",), code="MethodNotAllowed")
    if not configuration:
        return Answer(404, ("The bucket has no website configuration.",), code="NoSuchWebsiteConfiguration")
    if requester_pays:
        return Answer(403, ("Requester Pays buckets do not serve websites.",), code="AccessDenied")
    key = path.removeprefix("/")
    if "RedirectAllRequestsTo" in configuration:
        target = configuration["RedirectAllRequestsTo"]
        location = f"{target.get('Protocol', 'http')}://{target['HostName']}/{key}"
        return Answer(301, (f"All requests go to {target['HostName']}.",), location=location)
    because, rules = [], configuration.get("RoutingRules", [])
    if (rule := _matching(rules, key, None)) is not None:
        return _redirected(rule, key, host, because)
    return _serve(configuration, key, look, host, rules, because)


def endpoint(bucket: str, region: str) -> str:
    """The host name of the website: with a dash in the older Regions, with a dot in all others."""
    return f"{bucket}.s3-website{'-' if region in DASH_REGIONS else '.'}{region}.amazonaws.com"


def check_website(configuration: dict) -> None:
    """Refuse a WebsiteConfiguration that AWS would not save."""
    whole = configuration.get("RedirectAllRequestsTo")
    if whole is not None:
        if len(configuration) > 1:
            raise ServiceError("InvalidArgument", "RedirectAllRequestsTo cannot be provided in conjunction with other "
                                                  "Routing Rules.")
        _check_protocol(whole)
        return
    suffix = configuration.get("IndexDocument", {}).get("Suffix")
    if suffix is None:
        raise ServiceError(
            "InvalidArgument",
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty")
    if not suffix or "/" in suffix:
        raise ServiceError("InvalidArgument", "The IndexDocument Suffix is not well formed")
    if "ErrorDocument" in configuration and not configuration["ErrorDocument"].get("Key"):
        raise ServiceError("InvalidArgument", "The ErrorDocument Key is not well formed")
    rules = configuration.get("RoutingRules", [])
    if len(rules) > RULES:
        raise ServiceError("InvalidRequest", f"{len(rules)} routing rules provided, the number of routing rules in a "
                                             f"website configuration is limited to {RULES}.")
    for rule in rules:
        _check_rule(rule)


def _serve(configuration, key, look, host, rules, because) -> Answer:
    suffix = configuration["IndexDocument"]["Suffix"]
    folder = not key or key.endswith("/")
    wanted = key + suffix if folder else key
    if folder:
        because.append(f"{key or '/'} is a folder: its index document is {wanted}.")
    found = look(wanted)
    if found.exists and found.readable:
        if found.redirect:
            because.append(f"{wanted} carries a website redirect location.")
            return Answer(301, tuple(because), location=_absolute(found.redirect, host))
        because.append(f"{wanted} is there and public.")
        return Answer(200, tuple(because), key=wanted)
    if not found.exists and not folder and look(f"{wanted}/{suffix}").exists:
        because.append(f"There is no {wanted}, but {wanted}/{suffix}: the slash is missing.")
        return Answer(302, tuple(because), location=f"/{key}/")
    status, code = (403, "AccessDenied") if found.exists else (404, "NoSuchKey")
    because.append(f"{wanted} is there but not public: 403." if found.exists else f"There is no {wanted}: 404.")
    if (rule := _matching(rules, key, status)) is not None:
        return _redirected(rule, key, host, because)
    return _error(configuration, status, code, look, host, because)


def _error(configuration, status, code, look, host, because) -> Answer:
    """The error document keeps the status of the error."""
    document = configuration.get("ErrorDocument", {}).get("Key")
    if document is None:
        return Answer(status, tuple(because), code=code)
    found = look(document)
    if not (found.exists and found.readable):
        why = "not public" if found.exists else "not there"
        because.append(f"The error document {document} is {why}: S3's own page.")
        return Answer(status, tuple(because), code=code)
    if found.redirect:
        because.append(f"The error document {document} carries a website redirect location.")
        return Answer(301, tuple(because), location=_absolute(found.redirect, host))
    because.append(f"The error document {document} is the page, the status stays {status}.")
    return Answer(status, tuple(because), key=document, code=code)


def _matching(rules, key, error) -> dict | None:
    """The first rule that applies before the object is looked for (error None), or after that failed."""
    for rule in rules:
        condition = rule.get("Condition", {})
        wanted = condition.get("HttpErrorCodeReturnedEquals")
        if wanted in (None, str(error)) and key.startswith(condition.get("KeyPrefixEquals", "")):
            return rule
    return None


def _redirected(rule, key, host, because) -> Answer:
    condition, redirect = rule.get("Condition", {}), rule["Redirect"]
    to = redirect.get("ReplaceKeyWith", key)
    if "ReplaceKeyPrefixWith" in redirect:
        to = redirect["ReplaceKeyPrefixWith"] + key.removeprefix(condition.get("KeyPrefixEquals", ""))
    location = f"{redirect.get('Protocol', 'http')}://{redirect.get('HostName', host)}/{to.removeprefix('/')}"
    asks = " and ".join(f"{name} {value}" for name, value in condition.items()) or "no condition"
    return Answer(int(redirect.get("HttpRedirectCode", 301)), (*because, f"A routing rule applies ({asks})."),
                  location=location)


def _absolute(location, host) -> str:
    """A redirect location is a key of this bucket, with a slash, or a whole URL."""
    return f"http://{host}{location}" if location.startswith("/") else location


def _check_rule(rule):
    redirect, condition = rule.get("Redirect"), rule.get("Condition")
    if not redirect:
        raise ServiceError("MalformedXML", "A RoutingRule must have a Redirect with at least one element.")
    if condition is not None and not condition:
        raise ServiceError(
            "InvalidRequest",
            "Condition cannot be empty. To redirect all requests without a condition, the condition "
            "element shouldn't be present.")
    if "ReplaceKeyPrefixWith" in redirect and "ReplaceKeyWith" in redirect:
        raise ServiceError("InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    _check_protocol(redirect)
    code = redirect.get("HttpRedirectCode", "301")
    if not (code.isdigit() and 300 < int(code) < 400):
        raise ServiceError(
            "InvalidRequest",
            f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.")
    error = (condition or {}).get("HttpErrorCodeReturnedEquals", "404")
    if not (error.isdigit() and 400 <= int(error) < 600):
        raise ServiceError(
            "InvalidRequest",
            f"The provided HTTP error code ({error}) is not valid. Valid codes are 4XX or 5XX.")


def _check_protocol(redirect):
    if redirect.get("Protocol", "http") not in ("http", "https"):
        raise ServiceError(
            "InvalidRequest",
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be "
            "selected automatically.")
