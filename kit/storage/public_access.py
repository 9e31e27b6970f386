"""Is this bucket public, and what does Block Public Access do about it?

AWS calls an ACL public when it grants anything to everybody (AllUsers) or to everybody with an AWS account
(AuthenticatedUsers). A bucket policy is taken to be public until every Allow statement in it is limited to *fixed*
values, ones without a wildcard or a policy variable: a fixed principal, or a fixed value of one of a few condition
keys. One public statement makes the whole policy public.

Four settings, for a bucket and for an account; the stricter of the two counts. All are on for new buckets since April
2023.

=====================  ===================================================================================
BlockPublicAcls        a call that would set a public ACL fails
IgnorePublicAcls       public ACLs stay where they are and grant nothing
BlockPublicPolicy      PutBucketPolicy with a public policy fails
RestrictPublicBuckets  a public policy (all of it) serves only AWS services and the bucket owner's account
=====================  ===================================================================================

    policy_is_public(policy).public, policy_is_public(policy).because
    check_put_policy(policy, effective(bucket_settings, account_settings), caller, "photos")

**Simplified** Deny statements are not weighed against an Allow (the page does not speak of them). An operator that
also holds when its key is missing (IfExists, ForAllValues, the Not... ones) fixes nothing. aws:PrincipalArn,
aws:PrincipalAccount and aws:PrincipalServiceName count like aws:PrincipalOrgID, the one key for principals that the
page names. Of aws:userid, values that begin with a role's ID ("AROA...") don't count, which is one reading of "outside
the pattern AROLEID:*".
**Not modelled** Access points, settings of an organization (the strictest of all levels counts).

Amazon S3 User Guide, read 2026-11-28: "Blocking public access to your Amazon S3 storage" with "The meaning of public";
S3 API Reference, "PublicAccessBlockConfiguration". Default: AWS Storage Blog, "Understanding Amazon S3 Block Public
Access". The words of the refusals are known from reports of AWS's answers, not from a page.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_network

from kit.errors import ServiceError
from kit.identity.conditions import split_operator
from kit.identity.policy import Statement, read_policy

SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
ALL_ON = dict.fromkeys(SETTINGS, True)  # how a bucket is born since April 2023
ALL_OFF = dict.fromkeys(SETTINGS, False)
GROUPS = "http://acs.amazonaws.com/groups/"
ALL_USERS, AUTHENTICATED_USERS = f"{GROUPS}global/AllUsers", f"{GROUPS}global/AuthenticatedUsers"
FIXING_KEYS = {key.lower() for key in (
    "aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalServiceName", "aws:SourceIp",
    "aws:SourceArn", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceOwner", "aws:SourceAccount", "aws:userid",
    "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:DataAccessPointArn", "s3:DataAccessPointAccount")}
FIXING_OPERATORS = ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress")
WIDEST = {4: 8, 6: 32}  # IP version -> the shortest prefix that is not "very broad"


@dataclass(frozen=True)
class Verdict:
    """public, and because: one sentence for each statement or grant that was looked at."""

    public: bool
    because: tuple[str, ...]

    def __str__(self) -> str:
        return "\n  ".join(("public" if self.public else "not public", *self.because))


def policy_is_public(policy: dict | str | None) -> Verdict:
    """Judge a bucket policy. Raises MalformedPolicyDocument as ``kit.identity.policy`` does."""
    if not policy:
        return Verdict(False, ("there is no bucket policy",))
    public, because = False, []
    for statement in read_policy(policy, "resource").statements:
        if statement.effect == "Deny":
            continue
        limit = _fixed_principal(statement) or _fixed_condition(statement)
        public = public or not limit
        because.append(f"{statement.name} grants only to {limit}" if limit else
                       f"{statement.name} grants to anybody: neither its principal nor a condition is fixed")
    return Verdict(public, tuple(because) or ("no statement allows anything",))


def acl_is_public(grants: list[dict]) -> Verdict:
    """Judge an ACL: grants as boto3 gives them, ``[{"Grantee": {"Type": "Group", "URI": ...}, "Permission": ...}]``."""
    because = tuple(f"{grant['Permission']} is granted to {_group(grant)}" for grant in grants if is_public(grant))
    return Verdict(bool(because), because or ("no grant goes to AllUsers or AuthenticatedUsers",))


def is_public(grant: dict) -> bool:
    return grant["Grantee"].get("URI") in (ALL_USERS, AUTHENTICATED_USERS)


def effective(bucket: dict | None = None, account: dict | None = None) -> dict[str, bool]:
    """What applies: a setting is on if the bucket or its account has it on. None: no configuration, so all off."""
    return {name: any(bool((settings or {}).get(name)) for settings in (bucket, account)) for name in SETTINGS}


def check_put_policy(policy: dict | str, settings: dict, caller: str, bucket: str) -> None:
    """Refuse what BlockPublicPolicy refuses: AccessDenied. settings: from ``effective``."""
    if settings["BlockPublicPolicy"] and policy_is_public(policy).public:
        raise _denied(caller, "s3:PutBucketPolicy", f"arn:aws:s3:::{bucket}",
                      "public policies are blocked by the BlockPublicPolicy block public access setting.")


def check_put_acl(grants: list[dict], settings: dict, caller: str, resource: str,
                  action: str = "s3:PutBucketAcl") -> None:
    """Refuse what BlockPublicAcls refuses: AccessDenied, for setting an ACL and for a PutObject that brings one."""
    if settings["BlockPublicAcls"] and acl_is_public(grants).public:
        raise _denied(caller, action, resource, "public access control lists (ACLs) are blocked by the BlockPublicAcls "
                                                "block public access setting.")


def _fixed_principal(statement: Statement) -> str:
    """Whom a statement names, or "" if that may be anybody. A web identity provider is anybody: all its users."""
    named = statement.principal or {}
    listed = [name for kind, names in named.items() for name in names]
    fixed = listed and "Federated" not in named and all(map(_is_fixed, listed))
    return f"the principal {' or '.join(listed)}" if fixed else ""


def _fixed_condition(statement: Statement) -> str:
    """The first condition that limits a statement to fixed values, or ""; one is enough, as all must hold."""
    for name, keys in statement.condition.items():
        qualifier, operator, if_exists = split_operator(name)
        if operator not in FIXING_OPERATORS or if_exists or qualifier == "ForAllValues":
            continue
        for key, wanted in keys.items():
            values = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
            if key.lower() in FIXING_KEYS and values and all(_limits(key.lower(), value) for value in values):
                return f"{key} {' or '.join(values)}"
    return ""


def _limits(key: str, value: str) -> bool:
    if key == "aws:sourceip":
        return _narrow(value)
    if key == "s3:dataaccesspointarn":  # the name may be a pattern as long as the account is fixed
        return re.match(r"arn:aws[\w-]*:s3:[^:]*:\d{12}:accesspoint/", value) is not None and "${" not in value
    if key == "aws:userid":
        return _is_fixed(value) and not value.startswith("AROA")
    return _is_fixed(value)


def _is_fixed(value: str) -> bool:
    return not any(mark in value for mark in ("*", "?", "${"))


def _narrow(value: str) -> bool:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= WIDEST[network.version]


def _group(grant: dict) -> str:
    return grant["Grantee"]["URI"].rsplit("/", 1)[-1]


def _denied(caller: str, action: str, resource: str, reason: str) -> ServiceError:
    return ServiceError("AccessDenied", f"User: {caller} is not authorized to perform: {action} on resource: "
                                        f'"{resource}" because {reason}')
