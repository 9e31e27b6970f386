"""The grammar of a policy document: what is refused, where, and what would be right.

A policy is JSON: ``{"Version": ..., "Statement": [{"Effect": ..., "Action": ..., "Resource": ..., ...}]}``. Six kinds
share the grammar and differ in what they may hold:

- identity, boundary, session: no Principal (whoever carries the policy is the principal); a Resource is required;
- resource (bucket, queue, key policies ...): a Principal is required, a Resource may be left to the service;
- trust (a role's resource policy): a Principal, no Resource, and only the actions by which a role is assumed;
- scp: as identity, and Version 2012-10-17 is required;
- rcp: Deny, Principal "*" and actions of named services; only RCPFullAWSAccess, which AWS attaches, allows.

**Simplified** One error at a time, in words of this kit: AWS says less ("Syntax errors in policy."). NotPrincipal with
Allow is let through, as old policies have it, though the guide says that it is not supported.
**Not modelled** Whether a service, action, resource type or condition key exists; a service's own ARN rules; size.

IAM User Guide, read 2026-11-23: "Grammar of the IAM JSON policy language", "IAM JSON policy elements reference",
"AWS JSON policy elements: Principal", "AWS JSON policy elements: NotPrincipal", "Identify AWS resources with ARNs".
AWS Organizations User Guide: "SCP syntax", "RCP syntax".
"""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches

from kit.errors import ServiceError
from kit.identity.conditions import OPERATORS, split_operator

KINDS = ("identity", "boundary", "session", "resource", "trust", "scp", "rcp")
VERSIONS = ("2012-10-17", "2008-10-17")  # the second is also what a missing Version means
ELEMENTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
            "Condition")
PRINCIPAL_KEYS = ("AWS", "Service", "Federated", "CanonicalUser")
TRUST_ACTIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession",
                 "sts:SetSourceIdentity", "sts:SetContext")
RCP_FULL_AWS_ACCESS = {"Version": "2012-10-17",
                       "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
PRINCIPAL = re.compile(r"\*|\d{12}|[A-Z0-9]{16,128}|arn:aws[\w-]*:(iam|sts)::[\w-]+:"
                       r"(root|(user|role|assumed-role|federated-user)/.+)")
DATE = re.compile(r"-?\d+(-(0?[1-9]|1[0-2])(-(0?[1-9]|[12]\d|3[01]))?)?"
                  r"(t(\d|[01]\d|2[0-3])?(:[0-5]?\d(:[0-5]?\d(\.\d{1,9})?)?(z|[+-]\d\d(:\d\d)?)?)?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One statement as it was written, with every list made a tuple; what is absent is None."""

    number: int  # counted from 1, as one would read it aloud
    sid: str
    effect: str
    principal: dict | None
    not_principal: dict | None
    action: tuple | None
    not_action: tuple | None
    resource: tuple | None
    not_resource: tuple | None
    condition: dict

    @property
    def name(self) -> str:
        return f"statement {self.sid or self.number}"


@dataclass(frozen=True)
class Policy:
    kind: str
    name: str
    variables: bool  # does its language version know ${...}?
    statements: tuple


class Named(dict):
    """A policy document that carries a name, so that a decision can say which policy it came from."""

    def __init__(self, name: str, document: dict | str):
        super().__init__(_load(document))
        self.name = name


def check_policy(policy: dict | str, kind: str = "identity") -> None:
    """Refuse what AWS would refuse to save; kind is one of KINDS.

    Raises ServiceError("MalformedPolicyDocument"), whose message begins with the place as one would write it in
    Python: ``Statement[1].Condition.StringEqual: no such operator; did you mean StringEquals?``
    """
    read_policy(policy, kind)


def read_policy(policy: dict | str, kind: str = "identity", name: str = "") -> Policy:
    """The checked policy in a form that is easy to evaluate. Raises as ``check_policy``."""
    if kind not in KINDS:
        raise ValueError(f"no policy kind {kind!r}: choose one of {', '.join(KINDS)}")
    document = _load(policy)
    _only(document, ("Version", "Id", "Statement") if kind not in ("scp", "rcp") else ("Version", "Statement"), "")
    version = document.get("Version")
    if version is None and kind in ("scp", "rcp"):
        _refuse("Version", f"every {kind.upper()} needs \"2012-10-17\"")
    if version is not None and version not in (VERSIONS if kind not in ("scp", "rcp") else VERSIONS[:1]):
        _refuse("Version", f"{version!r} is no version of the policy language; write \"2012-10-17\" (it is not a date "
                           "to bring up to date)")
    if not isinstance(document.get("Id", ""), str):
        _refuse("Id", "must be text")
    if "Statement" not in document:
        _refuse("Statement", "is missing: a policy is made of statements")
    written = document["Statement"]
    if not isinstance(written, list):
        return Policy(kind, name, version == VERSIONS[0], (_statement(written, 1, "Statement", kind),))
    if not written:
        _refuse("Statement", "is empty: write at least one statement")
    statements = tuple(_statement(one, number, f"Statement[{number - 1}]", kind)
                       for number, one in enumerate(written, 1))
    seen = set()
    for statement in statements:
        if statement.sid and statement.sid in seen:
            _refuse(f"Statement[{statement.number - 1}].Sid", f"{statement.sid!r} is taken by another statement; "
                                                              "Sids must differ within a policy")
        seen.add(statement.sid)
    return Policy(kind, name, version == VERSIONS[0], statements)


def _statement(written, number: int, path: str, kind: str) -> Statement:
    if not isinstance(written, dict):
        _refuse(path, f"must be an object with Effect, Action and so on, not {_kind_of(written)}")
    _only(written, ELEMENTS, path)
    sid, effect = written.get("Sid", ""), written.get("Effect")
    if not isinstance(sid, str):
        _refuse(f"{path}.Sid", "must be text")
    if kind != "resource" and not re.fullmatch("[A-Za-z0-9]*", sid):
        _refuse(f"{path}.Sid", f"{sid!r} has other characters than A-Z, a-z and 0-9")
    if effect is None:
        _refuse(f"{path}.Effect", 'is missing: write "Allow" or "Deny"')
    if effect not in ("Allow", "Deny"):
        _refuse(f"{path}.Effect", f'{effect!r} is neither "Allow" nor "Deny" (capitals count)')
    _one_of(written, "Action", "NotAction", path)
    _one_of(written, "Resource", "NotResource", path, required=kind not in ("resource", "trust"))
    action, not_action = (_actions(written, element, path) for element in ("Action", "NotAction"))
    resource, not_resource = (_resources(written, element, path, kind) for element in ("Resource", "NotResource"))
    principal, not_principal = _principals(written, path, kind)
    _conditions(written, path)
    if kind == "trust":
        _check_trust(written, action, path)
    if kind == "rcp":
        _check_rcp(written, action, path)
    return Statement(number, sid, effect, principal, not_principal, action, not_action, resource, not_resource,
                     written.get("Condition", {}))


def _actions(written, element, path) -> tuple | None:
    actions = _texts(written, element, path)
    for action in actions or ():
        place = f"{path}.{element}"
        service, colon, rest = action.partition(":")
        if action != "*" and not colon:
            _refuse(place, f"{action!r} names no service; write it as service:action, such as s3:GetObject")
        if ":" in rest:
            _refuse(place, f"{action!r} has more than one colon; write it as service:action")
        if not re.fullmatch(r"\*|[A-Za-z0-9.-]+", service):
            _refuse(place, f"{service!r} in {action!r} is no service prefix; a wildcard may stand in the action's name")
    return actions


def _resources(written, element, path, kind) -> tuple | None:
    resources = _texts(written, element, path)
    for resource in resources or ():
        if resource == "*" or kind in ("resource", "trust"):  # some services take short forms in their own policies
            continue
        place, parts = f"{path}.{element}", resource.split(":", 5)
        if parts[0] != "arn" or len(parts) < 3 or not parts[2]:
            _refuse(place, f"{resource!r} is no ARN; write arn:partition:service:region:account:resource, or \"*\"")
        if not re.fullmatch(r"aws[\w-]*|.*[*?].*", parts[1]):
            _refuse(place, f"{parts[1]!r} in {resource!r} is no partition; most accounts are in aws")
        if len(parts) < 6 and (kind == "session" or "::" in resource):
            _refuse(place, f"{resource!r} has {len(parts)} of the six parts arn:partition:service:region:account:"
                           "resource; leave region and account empty where they don't apply, but keep the colons")
    return resources


def _principals(written, path, kind) -> tuple[dict | None, dict | None]:
    if kind in ("identity", "boundary", "session", "scp"):
        for element in ("Principal", "NotPrincipal"):
            if element in written:
                reason = "it limits every principal of the account" if kind == "scp" else "whoever carries it is meant"
                _refuse(f"{path}.{element}", f"does not belong in this kind of policy ({kind}): {reason}")
        return None, None
    _one_of(written, "Principal", "NotPrincipal", path)
    return tuple(_principal(written[element], f"{path}.{element}") if element in written else None
                 for element in ("Principal", "NotPrincipal"))


def _principal(value, path) -> dict:
    if value == "*":
        return {"AWS": ("*",)}
    if not isinstance(value, dict) or not value:
        _refuse(path, f'must be "*" or an object such as {{"AWS": "111122223333"}}, not {_kind_of(value)}')
    _only(value, PRINCIPAL_KEYS, path)
    named = {key: _texts(value, key, path) for key in value}
    for key, names in named.items():
        for name in names:
            place = f"{path}.{key}"
            if "*" in name and (name != "*" or key == "Service"):
                _refuse(place, f"{name!r}: a wildcard can stand for everybody, not for part of a name; put the pattern "
                               "into a condition on aws:PrincipalArn")
            if key == "AWS" and not PRINCIPAL.fullmatch(name):
                _refuse(place, f"{name!r} is no account, user, role or session (a group cannot be a principal)")
    return named


def _conditions(written, path):
    condition = written.get("Condition", {})
    if not isinstance(condition, dict):
        _refuse(f"{path}.Condition", f"must be an object of operators, not {_kind_of(condition)}")
    for operator, keys in condition.items():
        place = f"{path}.Condition.{operator}"
        if not isinstance(keys, dict):
            _refuse(place, f"must be an object of keys and values, not {_kind_of(keys)}")
        split = split_operator(operator)
        if keys and split is None:  # AWS lets an unknown operator pass as long as it asks for nothing
            _refuse(place, f"no such operator; {_closest(operator, OPERATORS)}")
        for key, wanted in keys.items():
            for value in wanted if isinstance(wanted, list) else [wanted]:
                if not isinstance(value, (str, int, float)):
                    _refuse(f"{place}.{key}", f"must be text, a number, true or false, or a list of them, not "
                                              f"{_kind_of(value)}")
                if split[1].startswith("Date") and not _is_date(str(value)):
                    _refuse(f"{place}.{key}", f"{value!r} is no date; write 2026-11-23T08:00:00Z or seconds since 1970")


def _is_date(text) -> bool:
    return bool(DATE.fullmatch(text)) and not (text.isdigit() and int(text) >= 2 ** 63)


def _check_trust(written, action, path):
    for element in ("Resource", "NotResource"):
        if element in written:
            _refuse(f"{path}.{element}", "does not belong in a trust policy: the role that carries it is meant")
    if "NotPrincipal" in written:
        _refuse(f"{path}.NotPrincipal", "is not supported in a trust policy; name who may assume the role")
    known = {name.lower() for name in TRUST_ACTIONS}
    for name in action or ("NotAction",):
        if name.lower() not in known and "*" not in name:
            _refuse(f"{path}.Action", f"{name!r}: a trust policy is about {', '.join(TRUST_ACTIONS[:3])} and the like")


def _check_rcp(written, action, path):
    full = RCP_FULL_AWS_ACCESS["Statement"][0]
    if written["Effect"] == "Allow" and action == ("*",) and written.keys() - {"Sid"} == full.keys() and (
            written["Resource"] in ("*", ["*"]) and written["Principal"] in ("*", {"AWS": "*"})):
        return
    if written["Effect"] != "Deny":
        _refuse(f"{path}.Effect", "an RCP of your own can only \"Deny\"; RCPFullAWSAccess, always attached, allows")
    for element in ("NotPrincipal", "NotAction"):
        if element in written:
            _refuse(f"{path}.{element}", "is not supported in an RCP")
    if written["Principal"] not in ("*", {"AWS": "*"}):
        _refuse(f"{path}.Principal", "can only be \"*\" in an RCP; use a condition to spare some principals")
    if "*" in (action or ()):
        _refuse(f"{path}.Action", "\"*\" alone is not allowed in an RCP; name the service, such as \"s3:*\"")


def _load(policy) -> dict:
    if isinstance(policy, str):
        try:
            policy = json.loads(policy, object_pairs_hook=_no_key_twice)
        except ValueError as error:
            _refuse("policy", f"is no JSON: {error}")
    if not isinstance(policy, dict):
        _refuse("policy", f"must be an object with Version and Statement, not {_kind_of(policy)}")
    return policy


def _no_key_twice(pairs):
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            _refuse(name, "is written twice in one object; an element may be there only once")
    return dict(pairs)


def _texts(written, element, path) -> tuple | None:
    """A string or a list of strings, as a tuple."""
    if element not in written:
        return None
    value, place = written[element], f"{path}.{element}"
    texts = value if isinstance(value, list) else [value]
    if not texts:
        _refuse(place, "is an empty list; name at least one")
    for text in texts:
        if not isinstance(text, str):
            _refuse(place, f"must be text or a list of texts, not {_kind_of(text)}")
        if re.search(r"[^\t\n\r\x20-\xff]", text):
            _refuse(place, f"{text!r} holds a character outside Latin-1, which policies don't allow")
    return tuple(texts)


def _one_of(written, element, negated, path, required=True):
    if element in written and negated in written:
        _refuse(f"{path}.{negated}", f"stands beside {element}; a statement has one or the other")
    if required and element not in written and negated not in written:
        _refuse(f"{path}.{element}", f"is missing: a statement of this kind of policy needs {element} or {negated}")


def _only(written, allowed, path):
    for name in written:
        if name not in allowed:
            _refuse(f"{path}.{name}".lstrip("."), f"no such element here; {_closest(name, allowed)}")


def _closest(name, allowed) -> str:
    lowered = {one.lower(): one for one in allowed}
    close = get_close_matches(str(name).lower(), lowered, 1)
    return f"did you mean {lowered[close[0]]}?" if close else f"there are {', '.join(allowed)}"


def _kind_of(value) -> str:
    return {dict: "an object", list: "a list", str: f"the text {value!r}", type(None): "null"}.get(
        type(value), f"{value!r}")


def _refuse(path, message):
    raise ServiceError("MalformedPolicyDocument", f"{path}: {message}")
