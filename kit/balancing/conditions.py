"""Does a request meet a listener rule's conditions? Each of elbv2's six condition types, with its reason.

Between conditions it is AND, between the values of one condition OR.

===================  =======================  ================  =======================
condition            compared with            case              wildcards, regex
===================  =======================  ================  =======================
host-header          the host name            does not matter   both
path-pattern         the path, no query       matters           both
http-header          the header's value       does not matter   both (none in its name)
http-request-method  the method               matters           none
query-string         a key=value or a value   does not matter   wildcards
source-ip            the connection's peer    -                 none (CIDR)
===================  =======================  ================  =======================

**Simplified** A regular expression is searched for in the value with Python's engine, without regard to case for host
and header (AWS names the features it leaves out, not its engine). URI normalization, which AWS does before it
compares a path but doesn't spell out, is RFC 3986's. A query string is compared as it was sent, undecoded, and a part
without "=" counts as a value without a key.
**Not modelled** Conditions that AWS would refuse: they are ``validation.py``'s.

Application Load Balancer guide, read 2026-11-23: "Condition types for listener rules".
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from operator import eq
from urllib.parse import urlsplit

CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig", "http-header": "HttpHeaderConfig",
           "http-request-method": "HttpRequestMethodConfig", "query-string": "QueryStringConfig",
           "source-ip": "SourceIpConfig"}
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


@dataclass(frozen=True)
class GroupCookie:
    """The AWSALBTG cookie: which target group this client got, and until when (seconds)."""

    target_group: str
    expires: float


@dataclass(frozen=True)
class Request:
    """An HTTP request as it reaches a listener. ``source_ip`` is the address that opened the connection."""

    method: str = "GET"
    host: str = "example.com"
    path: str = "/"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    source_ip: str = "198.51.100.7"
    protocol: str = "HTTP"
    port: int = 80
    cookie: GroupCookie | None = None

    def __post_init__(self):
        pairs = self.headers.items() if isinstance(self.headers, dict) else self.headers
        object.__setattr__(self, "headers", tuple((str(name), str(value)) for name, value in pairs))

    @classmethod
    def of(cls, url: str, method: str = "GET", headers=(), **more) -> "Request":
        """From a URL. headers: a dict, or (name, value) pairs when a name comes twice."""
        parts = urlsplit(url)
        protocol = parts.scheme.upper()
        if protocol not in ("HTTP", "HTTPS") or not parts.hostname:
            raise ValueError(f"not a whole URL: {url!r}; give one such as 'https://example.com/path?key=value'")
        return cls(method, parts.hostname, parts.path or "/", parts.query, headers, protocol=protocol,
                   port=parts.port or {"HTTP": 80, "HTTPS": 443}[protocol], **more)


def condition_holds(condition: dict, request: Request) -> tuple[bool, str]:
    """Whether one of the condition's values fits the request, and which one, or that none does.

    condition: as in a rule of describe_rules; the older shape, with its Values beside the Field, is good as well.
    """
    kind = condition["Field"]
    config = condition.get(CONFIGS[kind], {})
    values = config.get("Values") or condition.get("Values") or []
    expressions = config.get("RegexValues") or condition.get("RegexValues") or []
    if kind == "http-header":
        what = f"header {config['HttpHeaderName']}"
        texts = [value for name, value in request.headers if name.lower() == config["HttpHeaderName"].lower()]
        if not texts:
            return False, f"there is no {what}"
    else:
        what, text = {"host-header": ("host", request.host), "path-pattern": ("path", normalize(request.path)),
                      "http-request-method": ("method", request.method), "query-string": ("query", request.query),
                      "source-ip": ("source address", request.source_ip)}[kind]
        texts = [text]
    fits = _test(kind, by_value=bool(values))
    for text in texts:
        for value in values or expressions:
            if fits(text, value):
                return True, f"{what} {text!r} fits {_shown(value)}"
    wanted = " or ".join(map(_shown, values or expressions))
    return False, f"{what} {' and '.join(map(repr, texts))} does not fit {wanted}"


def wildcard(text: str, pattern: str) -> bool:
    """Does the whole text fit the pattern? ``*`` is any run of characters, none too; ``?`` exactly one."""
    return _compiled(pattern).fullmatch(text) is not None


def normalize(path: str) -> str:
    """RFC 3986, 6.2.2: needless percent-encoding undone, ``.`` and ``..`` resolved. Case and double slashes stay."""
    def decode(found):
        character = chr(int(found[1], 16))
        return character if UNRESERVED.fullmatch(character) else found[0].upper()

    if not path.startswith("/"):
        return path  # the * of an OPTIONS request
    path = re.sub(r"%([0-9A-Fa-f]{2})", decode, path)
    kept = []
    *segments, last = path.split("/")[1:]
    for segment in [*segments, last]:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    if last in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _test(kind, by_value):
    """The comparison of a text with one value of a condition of this kind."""
    if not by_value:
        flags = 0 if kind == "path-pattern" else re.IGNORECASE
        return lambda text, expression: re.search(expression, text, flags)
    return {"path-pattern": wildcard, "http-request-method": eq, "query-string": _in_query,
            "source-ip": _in_network}.get(kind, _any_case)


def _shown(value) -> str:
    if isinstance(value, dict):
        value = f"{value['Key']}={value['Value']}" if value.get("Key") else value["Value"]
    return repr(value)


def _any_case(text, pattern) -> bool:
    return wildcard(text.lower(), pattern.lower())


def _in_network(address, cidr) -> bool:
    """IPv4 is never in an IPv6 network, nor the other way round."""
    return ip_address(address) in ip_network(cidr, strict=False)


def _in_query(query, wanted) -> bool:
    for pair in filter(None, query.split("&")):
        key, equals, value = pair.partition("=")
        if not equals:
            key, value = "", pair
        if _any_case(value, wanted["Value"]) and (not wanted.get("Key") or _any_case(key, wanted["Key"])):
            return True
    return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str):
    """A backslash takes the meaning from the * or ? after it (AWS: in query strings)."""
    parts = re.findall(r"\\[*?]|.", pattern, re.DOTALL)
    return re.compile("".join({"*": ".*", "?": "."}.get(part) or re.escape(part[-1] if len(part) == 2 else part)
                              for part in parts), re.DOTALL)
