"""Temporary credentials: a role is assumed, not owned, and what it gives ends by itself.

``authorize`` is a signed request as AWS sees it: first *authentication* (whose credentials, still valid?), then
*authorization* (``iam.evaluate``). ``assume_role`` asks the same question about the role itself, where its trust policy
decides together with the caller's own policies. The trust policy may demand more: MFA, or the external ID by which a
service that works for many customers shows for which of them it is acting (the confused deputy).

**Simplified** Credentials are the access key ID alone; nobody signs anything. Identities that change after the
credentials were issued count as they are now, as on AWS, except for the tags of a session.
**Not modelled** AssumeRoleWithSAML and -WebIdentity, GetFederationToken, source identity, packed sizes, Regions.

STS API Reference, read 2026-11-23: "AssumeRole", "GetSessionToken", "GetCallerIdentity". IAM User Guide: "Access to AWS
accounts owned by third parties", "The confused deputy problem", "Pass session tags in AWS STS", "Secure API access with
MFA", "AWS global condition context keys".
"""

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kit.errors import ServiceError
from kit.identity.account import Account
from kit.identity.identities import User
from kit.identity.iam import Decision, Request, evaluate
from kit.identity.policy import Named, check_policy

SHORTEST = 900  # seconds of any session; STS API Reference
DEFAULT = 3_600  # seconds of a role session when none are asked for, and the most that role chaining gives
SESSION_TOKEN = (43_200, 129_600)  # seconds, default and most, for an IAM user; a root user gets an hour
SESSION_POLICY = 2_048  # characters of an inline session policy and the ARNs of managed ones together
MOST_POLICIES, MOST_TAGS = 10, 50


@dataclass(frozen=True)
class Credentials:
    """What STS gives out. expiration: seconds since 1970; arn: who one is with them."""

    access_key_id: str
    expiration: float
    arn: str
    identity: str  # ARN of the role or user whose policies count
    account_id: str
    keys: dict  # condition keys that every request with them carries
    session: tuple = ()  # session policies
    transitive_tags: dict = field(default_factory=dict)
    mfa_at: float | None = None


class SecurityTokenService:
    """STS for some accounts. A caller is an access key ID, of a user (AKIA...) or temporary (ASIA...)."""

    def __init__(self, *accounts: Account):
        self.accounts = {account.account_id: account for account in accounts}
        self._issued, self._serial = {}, 0

    def authorize(self, caller: str, action: str, resource: str = "*", *, now: float, resource_policy=None,
                  resource_account: str | None = None, context: dict | None = None) -> Decision:
        """Whether a request with these credentials is allowed. Raises InvalidClientTokenId, ExpiredToken."""
        who = self._authenticated(caller, now, action)
        return self._decide(who, action, resource, now, context or {}, resource_policy, resource_account)

    def assume_role(self, caller: str, role_arn: str, role_session_name: str, *, now: float,
                    duration_seconds: int | None = None, external_id: str | None = None, policy=None, policy_arns=(),
                    serial_number: str | None = None, token_code: str | None = None, tags: dict | None = None,
                    transitive_tag_keys=()) -> Credentials:
        """Temporary credentials of a role; caller: an access key ID, or a service such as "ec2.amazonaws.com".

        Raises AccessDenied with the reasons, ValidationError for a parameter, MalformedPolicyDocument,
        InvalidClientTokenId, ExpiredToken.
        """
        _matches("RoleSessionName", role_session_name, r"[\w+=,.@-]{2,64}")
        if external_id is not None:
            _matches("ExternalId", external_id, r"[\w+=,.@:/-]{2,1224}")
        service = "." in caller
        who = Credentials("", 0, caller, "", "", {}) if service else self._authenticated(caller, now, "sts:AssumeRole")
        role = self._role(role_arn)
        who = self._with_mfa(who, serial_number, token_code, now)
        tags = _checked_tags(tags or {})
        context = {"sts:ExternalId": external_id, "sts:RoleSessionName": role_session_name,
                   "aws:TagKeys": list(tags), "sts:TransitiveTagKeys": list(transitive_tag_keys),
                   **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}
        for action in ("sts:AssumeRole", "sts:TagSession")[:2 if tags else 1]:
            trust = role.assume_role_policy_document if role else None
            decision = self._decide(who, action, role_arn, now, context, trust, role_arn.split(":")[4])
            if not role or not decision.allowed:
                raise ServiceError("AccessDenied", f"User: {who.arn} is not authorized to perform: {action} on "
                                                   f"resource: {role_arn}. {' '.join(decision.because)}")
        chained = ":assumed-role/" in who.arn
        seconds = _duration(duration_seconds, DEFAULT, 43_200 if service else role.max_session_duration,
                            "the MaxSessionDuration set for this role")
        if chained and seconds > DEFAULT:
            raise ServiceError("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for "
                                                  "roles assumed by role chaining.")
        account = self.accounts[role.arn.split(":")[4]]
        all_tags = role.tags | tags | who.transitive_tags
        transitive = who.transitive_tags | {key: tags[key] for key in transitive_tag_keys if key in tags}
        return self._issue(
            now, now + seconds, arn=f"arn:aws:sts::{account.account_id}:assumed-role/{role.role_name}/"
            f"{role_session_name}", identity=role.arn, account_id=account.account_id, mfa_at=who.mfa_at,
            session=_session_policies(account, policy, policy_arns), transitive_tags=transitive,
            keys={"aws:userid": f"{role.role_id}:{role_session_name}",
                  **{f"aws:PrincipalTag/{key}": value for key, value in all_tags.items()}})

    def get_session_token(self, caller: str, *, now: float, duration_seconds: int | None = None,
                          serial_number: str | None = None, token_code: str | None = None) -> Credentials:
        """The caller's own permissions on temporary credentials, with MFA if a code is given. No permission needed."""
        who = self._authenticated(caller, now, "sts:GetSessionToken")
        if caller in self._issued:
            raise ServiceError("AccessDenied", "Cannot call GetSessionToken with session credentials")
        root = who.arn.endswith(":root")
        seconds = _duration(duration_seconds, DEFAULT if root else SESSION_TOKEN[0], DEFAULT if root else
                            SESSION_TOKEN[1], "what GetSessionToken gives this caller")
        who = self._with_mfa(who, serial_number, token_code, now)
        return self._issue(now, now + seconds, arn=who.arn, identity=who.identity, account_id=who.account_id, keys={},
                           mfa_at=who.mfa_at)

    def get_caller_identity(self, caller: str, *, now: float) -> dict:
        """Whose credentials they are. Needs no permission, and none can be taken away."""
        who = self._authenticated(caller, now, "sts:GetCallerIdentity")
        known = self.accounts[who.account_id].keys_of(who.identity) | who.keys
        return {"UserId": known["aws:userid"], "Account": who.account_id, "Arn": who.arn}

    def _authenticated(self, caller: str, now: float, action: str) -> Credentials:
        """First stage: whose credentials are these, and do they still hold?"""
        service, _, verb = action.lower().partition(":")
        if caller in self._issued:
            issued = self._issued[caller]
            if now >= issued.expiration:
                raise ServiceError("ExpiredToken", "The security token included in the request is expired.")
            own_token = ":assumed-role/" not in issued.arn
            if own_token and (service == "iam" and issued.mfa_at is None or service == "sts" and verb not in (
                    "assumerole", "getcalleridentity", "getsessiontoken")):
                raise ServiceError("InvalidClientTokenId", "Credentials from GetSessionToken cannot be used for "
                                                           f"{action}{' without MFA' if service == 'iam' else ''}.")
            return issued
        for account in self.accounts.values():
            if found := account.find_access_key(caller):
                user, key = found
                if key.status != "Active":
                    break
                key.last_used, key.last_used_service = now, service
                return Credentials(caller, float("inf"), user.arn, user.arn, account.account_id, {})
        raise ServiceError("InvalidClientTokenId", "The security token included in the request is invalid.")

    def _decide(self, who, action, resource, now, context, resource_policy, resource_account) -> Decision:
        """Second stage: do the policies allow it?"""
        account, keys, policies = self.accounts.get(who.account_id), {}, {}
        if account:
            keys = account.keys_of(who.identity)
            policies = account.policies_of(who.identity)
        if who.access_key_id.startswith("ASIA"):
            keys |= {"aws:MultiFactorAuthPresent": who.mfa_at is not None}
        if who.mfa_at is not None:
            keys |= {"aws:MultiFactorAuthPresent": True, "aws:MultiFactorAuthAge": int(now - who.mfa_at)}
        keys |= {"aws:CurrentTime": _iso(now), "aws:EpochTime": int(now)} | who.keys | context
        request = Request(who.arn, action, resource, {key: value for key, value in keys.items() if value is not None},
                          resource_account=resource_account)
        owner = self.accounts.get(resource_account or who.account_id)
        return evaluate(request, resource=resource_policy, session=who.session,
                        **policies | {"rcps": owner.rcps if owner else ()})

    def _with_mfa(self, who: Credentials, serial_number, token_code, now) -> Credentials:
        """The caller after showing a code of its MFA device, if one was given."""
        if serial_number is None and token_code is None:
            return who
        if serial_number is None or token_code is None:
            raise ServiceError("AccessDenied", "MultiFactorAuthentication failed, must provide both MFA serial number "
                                               "and one time pass code.")
        owner = self.accounts[who.account_id].identity(who.identity) if who.account_id else None
        device = owner.device if isinstance(owner, User) and ":assumed-role/" not in who.arn else None
        if not device or device.serial_number != serial_number or device.refuses(token_code, now):
            raise ServiceError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")
        return replace(who, mfa_at=now)

    def _role(self, role_arn: str):
        account = self.accounts.get(role_arn.split(":")[4]) if role_arn.count(":") >= 5 else None
        if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/.+", role_arn):
            raise ServiceError("ValidationError", f"{role_arn} is not the ARN of a role")
        return next((role for role in account.roles.values() if role.arn == role_arn), None) if account else None

    def _issue(self, now, expiration, keys, **rest) -> Credentials:
        self._serial += 1
        key_id = f"ASIAEXAMPLE{self._serial:09d}"
        self._issued[key_id] = Credentials(key_id, expiration, keys=keys | {"aws:TokenIssueTime": _iso(now)}, **rest)
        return self._issued[key_id]


def _session_policies(account, policy, policy_arns) -> tuple:
    policies = []
    if policy is not None:
        check_policy(policy, "session")
        policies.append(Named("inline", policy))
    if len(policy_arns) > MOST_POLICIES:
        raise ServiceError("ValidationError", f"up to {MOST_POLICIES} managed session policies, not {len(policy_arns)}")
    for arn in policy_arns:
        if arn not in account.policies:
            raise ServiceError("ValidationError", f"there is no policy {arn} in the role's account")
        policies.append(Named(account.policies[arn].policy_name, account.policies[arn].document))
    text = "" if policy is None else policy if isinstance(policy, str) else json.dumps(policy)
    if len(text) + sum(map(len, policy_arns)) > SESSION_POLICY:
        raise ServiceError("PackedPolicyTooLarge", f"the session policies have more than {SESSION_POLICY} characters")
    return tuple(policies)


def _checked_tags(tags: dict) -> dict:
    if len(tags) > MOST_TAGS:
        raise ServiceError("ValidationError", f"up to {MOST_TAGS} session tags, not {len(tags)}")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise ServiceError("ValidationError", f"tag {key!r}: a key has up to 128 characters, a value up to 256")
    return tags


def _duration(asked, default, most, name) -> int:
    if asked is None:
        return default
    if asked < SHORTEST:
        raise ServiceError("ValidationError", f"DurationSeconds must be {SHORTEST} or more, not {asked}")
    if asked > most:
        raise ServiceError("ValidationError", f"The requested DurationSeconds exceeds {name}: {most}.")
    return asked


def _matches(name, value, wanted):
    if not re.fullmatch(wanted, value, re.ASCII):
        raise ServiceError("ValidationError", f"{name} {value!r} must match {wanted}")


def _iso(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
