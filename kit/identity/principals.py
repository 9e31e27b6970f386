"""Who is asking: principals, the keys they bring along, and how the Principal of a resource policy meets them.

A resource policy can name a principal at three depths, and the depth decides what else has to allow the request
(within one account):

- *itself*: the user, the session, the service, or everybody ("*"). Nothing else is needed, and no boundary or session
  policy is asked;
- *its role* (or, for a federated user, the IAM user behind it): boundary and session policy must allow as well;
- *its account*: the account may hand the permission on, so an identity policy must grant it.

**Simplified** A NotPrincipal names exceptions: an account or a role listed there exempts all that belong to it, unless
the list also names some of them, which then are the only ones. AWS "might" check account, role and session each.
**Not modelled** Root sessions (sts:AssumeRoot), IAM Identity Center, VPC endpoints as callers.

IAM User Guide, read 2026-11-23: "AWS JSON policy elements: Principal", "AWS JSON policy elements: NotPrincipal",
"IAM policy elements: Variables and tags" (table of principal key values), "AWS global condition context keys".
"""

import re
from dataclasses import dataclass

ITSELF, ITS_ROLE, ITS_ACCOUNT = "itself", "its role", "its account"  # how deep a Principal element meets a principal
ANONYMOUS = ("", "*", "anonymous")
ARN = re.compile(r"arn:(aws[\w-]*):(?:iam|sts)::(\d{12}):(root|(user|role|assumed-role|federated-user)/(.+))")


@dataclass(frozen=True)
class Principal:
    """kind: user, role (asked for as such), session (of a role), federated-user, root, outside or anonymous.

    outside is whatever has no place in an account: an AWS service, an identity provider, a canonical user.
    name: of the user or role, without its path.
    """

    text: str
    kind: str
    account: str | None = None
    name: str = ""
    partition: str = "aws"

    @property
    def role_arn(self) -> str | None:
        """The role behind a session. Session ARNs leave the role's path out, so this one has none."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.name}" if self.kind == "session" else None

    @property
    def service_linked(self) -> bool:
        return self.kind in ("role", "session") and (
            ":role/aws-service-role/" in self.text or self.name.startswith("AWSServiceRoleFor"))


def read_principal(text: str | None) -> Principal:
    """A principal from its ARN, a 12-digit account (its root user), a service's name, or None for anonymous."""
    if text is None or text in ANONYMOUS:
        return Principal("anonymous", "anonymous")
    if re.fullmatch(r"\d{12}", text):
        text = f"arn:aws:iam::{text}:root"
    found = ARN.fullmatch(text)
    if not found:
        if text.startswith("arn:") and not re.search(":(saml|oidc)-provider/", text):
            raise ValueError(f"{text} is no principal: give the ARN of a user, a role, a session, a federated user, "
                             "a root user or an identity provider")
        return Principal(text, "outside")
    partition, account, whole, kind, path = found.groups()
    if whole == "root":
        return Principal(text, "root", account, "root", partition)
    if kind == "assumed-role":
        return Principal(text, "session", account, path.split("/")[0], partition)
    return Principal(text, kind, account, path.split("/")[-1], partition)


def keys_of(principal: Principal) -> dict:
    """The global condition keys that follow from who the principal is.

    aws:userid only for the principals whose ID is no secret of the account: root, federated user, anonymous.
    """
    kind, account = principal.kind, principal.account
    if kind == "outside":
        service = re.search(r"\.(amazonaws|amazon|aws)\.", f"{principal.text}.") and "-provider/" not in principal.text
        return {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": principal.text} if service else {
            "aws:PrincipalIsAWSService": "false"}
    if kind == "anonymous":  # without aws:PrincipalIsAWSService: a Bool condition on it never holds for them
        return {"aws:PrincipalType": "Anonymous", "aws:userid": "anonymous", "aws:PrincipalAccount": "anonymous"}
    types = {"user": "User", "role": "AssumedRole", "session": "AssumedRole", "federated-user": "FederatedUser",
             "root": "Account"}
    keys = {"aws:PrincipalType": types[kind], "aws:PrincipalIsAWSService": "false",
            "aws:PrincipalArn": principal.role_arn or principal.text, "aws:PrincipalAccount": account}
    if kind == "user":
        keys["aws:username"] = principal.name
    if kind == "root":
        keys["aws:userid"] = account
    if kind == "federated-user":
        keys["aws:userid"] = f"{account}:{principal.name}"
    return keys


def depth(named: dict, principal: Principal, userid: str = "") -> str | None:
    """How a Principal element meets the principal: ITSELF, ITS_ROLE, ITS_ACCOUNT, or None. The best of all counts.

    named: {"AWS": (...), "Service": (...), ...}. userid: aws:userid, for policies that hold unique IDs.
    """
    met = {_depth(name, principal, userid) for name in named.get("AWS", ())}
    if any(name in ("*", principal.text) for key in ("Service", "Federated", "CanonicalUser")
           for name in named.get(key, ())):
        met.add(ITSELF)
    return next((one for one in (ITSELF, ITS_ROLE, ITS_ACCOUNT) if one in met), None)


def exempt(named: dict, principal: Principal, userid: str = "") -> bool:
    """Whether a NotPrincipal element spares this principal."""
    met = depth(named, principal, userid)
    if met in (None, ITSELF):
        return met is not None
    others = [read_principal(name) for name in named.get("AWS", ()) if name.isdigit() or ARN.fullmatch(name)]
    if met == ITS_ROLE:
        return not any(other.role_arn == principal.role_arn for other in others if other.kind == "session")
    return not any(other.account == principal.account and other.kind != "root" for other in others)


def _depth(name: str, principal: Principal, userid: str) -> str | None:
    if name == "*" or name == principal.text and principal.kind != "role":  # a role acts through its sessions only
        return ITSELF
    if userid and re.fullmatch("[A-Z0-9]{16,}", name):  # AWS keeps unique IDs, so that a namesake gets nothing
        return ITSELF if userid == name else ITS_ROLE if userid.startswith(f"{name}:") else None
    if not principal.account or not (name.isdigit() or ARN.fullmatch(name)):
        return None
    other = read_principal(name)
    if other.account != principal.account:
        return None
    if other.kind == "root":
        return ITSELF if principal.kind == "root" else ITS_ACCOUNT
    behind = {"session": "role", "role": "role", "federated-user": "user"}.get(principal.kind)
    return ITS_ROLE if other.kind == behind and other.name == principal.name else None
