"""An AWS account's identities: users, groups, roles, policies, credentials, and the quotas that bound them.

The methods are boto3's IAM verbs. A new account has a root user with a password and nothing else; whoever may call
iam:CreateUser makes the rest. Users carry policies themselves and through groups; roles carry policies and are never
given to anybody: they are assumed (see ``sts``). ``policies_of`` collects what ``iam.evaluate`` asks for.

**Simplified** The verbs are not themselves authorized: ask ``evaluate`` first if that is the lesson. Changes count at
once (AWS needs seconds). IDs and secrets come from a counter, so that a run repeats. Only two AWS managed policies.
**Not modelled** Password policy, signing certificates, SSH keys, instance profiles, identity providers, tags on
anything but users and roles, central removal of root credentials, a second MFA device.

IAM User Guide, read 2026-11-23: "AWS account root user", "IAM and AWS STS quotas", "Manage access keys for IAM users",
"Versioning IAM policies". IAM API Reference: the operations of the same names.
"""

import hmac
import json
import re
from base64 import b64encode

from kit.errors import ServiceError
from kit.identity.credential_report import credential_report
from kit.identity.identities import (ADJUSTABLE, AWS_MANAGED, QUOTAS, REFUSALS, AccessKey, Group, ManagedPolicy, Role,
                                     User)
from kit.identity.mfa import Login, SignIn, VirtualMFADevice
from kit.identity.policy import Named, check_policy

SESSION = (3_600, 43_200)  # seconds, the bounds of MaxSessionDuration; IAM API Reference, CreateRole
FRESH = 4 * 3_600  # seconds for which a credential report is kept; IAM User Guide, "Generate credential reports"


class Account:
    """One AWS account. ``users``, ``groups``, ``roles`` (by name) and ``policies`` (by ARN) can be looked through."""

    def __init__(self, account_id: str = "111122223333", root_password: str = "first password",
                 quotas: dict | None = None, scps=(), rcps=(), now: float = 0.0):
        """quotas: values that differ from QUOTAS. scps, rcps: as for ``iam.evaluate``; none without an organization."""
        if not re.fullmatch(r"\d{12}", account_id):
            raise ValueError(f"{account_id!r} is no account: give 12 digits")
        if unknown := set(quotas or ()) - set(QUOTAS):
            raise ValueError(f"no such quota: {', '.join(unknown)}; there are {', '.join(QUOTAS)}")
        self.account_id, self.scps, self.rcps = account_id, scps, rcps
        self.quotas = QUOTAS | (quotas or {})
        self.users, self.groups, self.roles, self.devices = {}, {}, {}, {}
        self.policies = {arn: ManagedPolicy(name, f"ANPAEXAMPLE{name}", arn, now, {"v1": {"Version": "2012-10-17",
                                                                                         "Statement": [statement]}})
                         for name, statement in AWS_MANAGED.items() for arn in [f"arn:aws:iam::aws:policy/{name}"]}
        self._serial, self._taken = 0, set()
        self._report, self._reported = "", None
        self.root = User("root", account_id, f"arn:aws:iam::{account_id}:root", now, login=Login(root_password),
                         password_last_changed=now)

    # What the rest is for

    def policies_of(self, who: str) -> dict:
        """The identity's policies as keyword arguments of ``iam.evaluate``; who: a user's name, or any ARN.

        rcps are this account's and so right for its own resources; for another's, put that account's in their place.
        """
        one = self.identity(who)
        identity = []
        for carrier in (one, *(self.groups[name] for name in getattr(one, "groups", ()))):
            origin = f" of group {carrier.group_name}" if isinstance(carrier, Group) else ""
            attached = [self.policies[arn] for arn in carrier.attached]
            identity += [Named(policy.policy_name + origin, policy.document) for policy in attached]
            identity += [Named(f"{name} (inline){origin}", document) for name, document in carrier.inline.items()]
        boundary = one.permissions_boundary and self.policies[one.permissions_boundary]
        return {"identity": identity, "scps": self.scps, "rcps": self.rcps,
                "boundary": Named(boundary.policy_name, boundary.document) if boundary else None}

    def keys_of(self, who: str) -> dict:
        """The condition keys that the account knows of an identity: its ARN with the path, its ID and its tags."""
        one = self.identity(who)
        keys = {"aws:PrincipalArn": one.arn} | {f"aws:PrincipalTag/{key}": value for key, value in one.tags.items()}
        return keys | ({"aws:userid": one.user_id} if isinstance(one, User) else {})

    def identity(self, who: str) -> User | Role:
        """The user or role of that ARN, or the user of that name. Raises NoSuchEntity."""
        every = (self.root, *self.users.values(), *self.roles.values())
        return next((one for one in every if one.arn == who), None) or self._get("user", who)

    def get_account_summary(self) -> dict:
        """What there is and how much there may be, under AWS's names."""
        users = self.users.values()
        return dict(self.quotas) | {
            "Users": len(self.users), "Groups": len(self.groups), "Roles": len(self.roles),
            "Policies": len(self._customer_managed()), "MFADevices": len(self.devices),
            "MFADevicesInUse": sum(bool(one.device) for one in (self.root, *users)),
            "AccountMFAEnabled": int(bool(self.root.device)), "AccountPasswordPresent": int(bool(self.root.login)),
            "AccountAccessKeysPresent": int(bool(self.root.access_keys))}

    def request_service_quota_increase(self, quota: str, desired_value: int) -> None:
        """Raise a quota, up to what Service Quotas grants by itself. Raises IllegalArgumentException."""
        if quota not in ADJUSTABLE:
            raise ServiceError("IllegalArgumentException", f"{quota} is fixed; adjustable are {', '.join(ADJUSTABLE)}")
        if not self.quotas[quota] <= desired_value <= ADJUSTABLE[quota]:
            raise ServiceError("IllegalArgumentException", f"{quota} can be raised from {self.quotas[quota]:,} up to "
                                                           f"{ADJUSTABLE[quota]:,}, not to {desired_value:,}")
        self.quotas[quota] = desired_value

    def generate_credential_report(self, *, now: float) -> dict:
        """{"State": "STARTED"}, or "COMPLETE" while the last report is less than four hours old."""
        if self._reported is not None and now - self._reported < FRESH:
            return {"State": "COMPLETE"}
        self._report, self._reported = credential_report(self.root, self.users), now
        return {"State": "STARTED"}

    def get_credential_report(self, *, now: float) -> str:
        """The report as CSV text. Raises ReportNotPresent, ReportExpired."""
        if self._reported is None:
            raise ServiceError("ReportNotPresent", "No report was generated yet: call generate_credential_report.")
        if now - self._reported >= FRESH:
            raise ServiceError("ReportExpired", "The report is four hours old or more: generate it again.")
        return self._report

    def sign_in(self, user_name: str | None, password: str, code: str | None = None, *, now: float) -> SignIn:
        """Sign in to the console as a user, or with None as the root user: password first, then the device's code."""
        user = self._user(user_name)
        if not user.login:
            return SignIn(False, "password", f"{user.user_name} has no password and cannot sign in to the console.")
        user.login.device = user.device
        result = user.login.sign_in(password, code, now)
        if result.signed_in:
            user.password_last_used = now
        return result

    # Users and groups

    def create_user(self, user_name: str, path: str = "/", permissions_boundary: str | None = None,
                    tags: dict | None = None, *, now: float = 0.0) -> User:
        """Raises EntityAlreadyExists (names differ by more than capitals), LimitExceeded, ValidationError."""
        self._new("user", user_name, self.users, "UsersQuota", 64)
        self._boundary(permissions_boundary)
        user = User(user_name, self._id("AIDA"), self._arn("user", path, user_name), now, permissions_boundary,
                    dict(tags or {}))
        return self._keep("user", user_name, self.users, user)

    def delete_user(self, user_name: str) -> None:
        """Raises DeleteConflict as long as something belongs to the user: AWS wants it removed piece by piece."""
        user = self._get("user", user_name)
        for what, first in ((user.login, "delete login profile"), (user.access_keys, "delete access keys"),
                            (user.device, "delete MFA device"), (user.attached, "detach all policies"),
                            (user.inline, "delete policies"), (user.groups, "remove users from group")):
            _conflict(what, first)
        self._gone("user", user_name, self.users)

    def create_group(self, group_name: str, path: str = "/", *, now: float = 0.0) -> Group:
        self._new("group", group_name, self.groups, "GroupsQuota", 128)
        group = Group(group_name, self._id("AGPA"), self._arn("group", path, group_name), now)
        return self._keep("group", group_name, self.groups, group)

    def delete_group(self, group_name: str) -> None:
        group = self._get("group", group_name)
        _conflict([user for user in self.users.values() if group_name in user.groups], "remove users from group")
        _conflict(group.attached, "detach all policies")
        _conflict(group.inline, "delete policies")
        self._gone("group", group_name, self.groups)

    def add_user_to_group(self, group_name: str, user_name: str) -> None:
        user, _ = self._get("user", user_name), self._get("group", group_name)
        if group_name not in user.groups:
            self._room("GroupsPerUserQuota", len(user.groups))
            user.groups.append(group_name)

    def remove_user_from_group(self, group_name: str, user_name: str) -> None:
        _take(self._get("user", user_name).groups, group_name, f"user {user_name} is not in group {group_name}")

    # Roles

    def create_role(self, role_name: str, assume_role_policy_document: dict | str, path: str = "/",
                    max_session_duration: int = 3_600, permissions_boundary: str | None = None,
                    tags: dict | None = None, *, now: float = 0.0) -> Role:
        """A role with its trust policy; max_session_duration in seconds, one hour to twelve."""
        self._new("role", role_name, self.roles, "RolesQuota", 64)
        if not SESSION[0] <= max_session_duration <= SESSION[1]:
            raise ServiceError("ValidationError", f"MaxSessionDuration is {SESSION[0]} to {SESSION[1]} seconds, not "
                                                  f"{max_session_duration}")
        self._boundary(permissions_boundary)
        role = Role(role_name, self._id("AROA"), self._arn("role", path, role_name), now, {}, max_session_duration,
                    permissions_boundary, dict(tags or {}))
        self._trust(role, assume_role_policy_document)
        return self._keep("role", role_name, self.roles, role)

    def update_assume_role_policy(self, role_name: str, policy_document: dict | str) -> None:
        self._trust(self._get("role", role_name), policy_document)

    def delete_role(self, role_name: str) -> None:
        role = self._get("role", role_name)
        _conflict(role.attached, "detach all policies")
        _conflict(role.inline, "delete policies")
        self._gone("role", role_name, self.roles)

    # Policies

    def create_policy(self, policy_name: str, policy_document: dict | str, path: str = "/", *,
                      now: float = 0.0) -> ManagedPolicy:
        """A customer managed policy. Raises MalformedPolicyDocument; AWS wants Version 2012-10-17 here."""
        _name("policy", policy_name, 128)
        arn = self._arn("policy", path, policy_name)
        if any(one.policy_name.lower() == policy_name.lower() for one in self._customer_managed()):
            raise ServiceError("EntityAlreadyExists", f"A policy called {policy_name} already exists.")
        self._room("PoliciesQuota", len(self._customer_managed()))
        self._check_managed(policy_document)
        self.policies[arn] = ManagedPolicy(policy_name, self._id("ANPA"), arn, now, {"v1": policy_document})
        return self.policies[arn]

    def create_policy_version(self, policy_arn: str, policy_document: dict | str, set_as_default: bool = False) -> str:
        """Returns the new version's ID. Raises LimitExceeded at five versions: delete one first."""
        policy = self._customers(policy_arn)
        self._check_managed(policy_document)
        if len(policy.versions) >= self.quotas["VersionsPerPolicyQuota"]:
            raise ServiceError("LimitExceeded", f"A managed policy can have up to {len(policy.versions)} versions. "
                                                "Delete one that is not the default before you create another.")
        policy.made += 1
        version_id = f"v{policy.made}"
        policy.versions[version_id] = policy_document
        if set_as_default:
            policy.default_version_id = version_id
        return version_id

    def set_default_policy_version(self, policy_arn: str, version_id: str) -> None:
        policy = self._customers(policy_arn)
        if version_id not in policy.versions:
            raise ServiceError("NoSuchEntity", f"Policy {policy_arn} has no version {version_id}.")
        policy.default_version_id = version_id

    def delete_policy_version(self, policy_arn: str, version_id: str) -> None:
        policy = self._customers(policy_arn)
        if version_id == policy.default_version_id:
            raise ServiceError("DeleteConflict", "Cannot delete the default version of a policy.")
        if policy.versions.pop(version_id, None) is None:
            raise ServiceError("NoSuchEntity", f"Policy {policy_arn} has no version {version_id}.")

    def delete_policy(self, policy_arn: str) -> None:
        policy = self._customers(policy_arn)
        everybody = (*self.users.values(), *self.groups.values(), *self.roles.values())
        _conflict([one for one in everybody if policy_arn in one.attached], "detach it everywhere")
        _conflict([one for one in everybody if policy_arn == getattr(one, "permissions_boundary", None)],
                  "remove it as a permissions boundary")
        _conflict(len(policy.versions) > 1, "delete all versions but the default")
        del self.policies[policy_arn]

    def attach_user_policy(self, user_name: str, policy_arn: str) -> None:
        self._attach(self._get("user", user_name), policy_arn, "AttachedPoliciesPerUserQuota")

    def attach_group_policy(self, group_name: str, policy_arn: str) -> None:
        self._attach(self._get("group", group_name), policy_arn, "AttachedPoliciesPerGroupQuota")

    def attach_role_policy(self, role_name: str, policy_arn: str) -> None:
        self._attach(self._get("role", role_name), policy_arn, "AttachedPoliciesPerRoleQuota")

    def detach_user_policy(self, user_name: str, policy_arn: str) -> None:
        _take(self._get("user", user_name).attached, policy_arn, f"{policy_arn} was not attached")

    def detach_group_policy(self, group_name: str, policy_arn: str) -> None:
        _take(self._get("group", group_name).attached, policy_arn, f"{policy_arn} was not attached")

    def detach_role_policy(self, role_name: str, policy_arn: str) -> None:
        _take(self._get("role", role_name).attached, policy_arn, f"{policy_arn} was not attached")

    def put_user_policy(self, user_name: str, policy_name: str, policy_document: dict | str) -> None:
        self._put(self._get("user", user_name), policy_name, policy_document, "UserPolicySizeQuota")

    def put_group_policy(self, group_name: str, policy_name: str, policy_document: dict | str) -> None:
        self._put(self._get("group", group_name), policy_name, policy_document, "GroupPolicySizeQuota")

    def put_role_policy(self, role_name: str, policy_name: str, policy_document: dict | str) -> None:
        self._put(self._get("role", role_name), policy_name, policy_document, "RolePolicySizeQuota")

    def delete_user_policy(self, user_name: str, policy_name: str) -> None:
        _take(self._get("user", user_name).inline, policy_name, f"there is no inline policy {policy_name}")

    def delete_group_policy(self, group_name: str, policy_name: str) -> None:
        _take(self._get("group", group_name).inline, policy_name, f"there is no inline policy {policy_name}")

    def delete_role_policy(self, role_name: str, policy_name: str) -> None:
        _take(self._get("role", role_name).inline, policy_name, f"there is no inline policy {policy_name}")

    def put_user_permissions_boundary(self, user_name: str, permissions_boundary: str) -> None:
        self._get("user", user_name).permissions_boundary = self._boundary(permissions_boundary)

    def put_role_permissions_boundary(self, role_name: str, permissions_boundary: str) -> None:
        self._get("role", role_name).permissions_boundary = self._boundary(permissions_boundary)

    def delete_user_permissions_boundary(self, user_name: str) -> None:
        self._get("user", user_name).permissions_boundary = None

    def delete_role_permissions_boundary(self, role_name: str) -> None:
        self._get("role", role_name).permissions_boundary = None

    # Credentials; user_name None is the root user

    def create_access_key(self, user_name: str | None = None, *, now: float = 0.0) -> AccessKey:
        """Two at most, so that a key can be rotated: make the second, move over, delete the first."""
        user = self._user(user_name)
        self._room("AccessKeysPerUserQuota", len(user.access_keys))
        key_id = self._id("AKIA", 9)
        user.access_keys.append(AccessKey(key_id, b64encode(self._secret(key_id))[:40].decode(), now))
        return user.access_keys[-1]

    def update_access_key(self, user_name: str | None, access_key_id: str, status: str) -> None:
        if status not in ("Active", "Inactive"):
            raise ServiceError("ValidationError", f"a key is made Active or Inactive, not {status}")
        self._key(self._user(user_name), access_key_id).status = status

    def delete_access_key(self, user_name: str | None, access_key_id: str) -> None:
        user = self._user(user_name)
        user.access_keys.remove(self._key(user, access_key_id))

    def find_access_key(self, access_key_id: str) -> tuple[User, AccessKey] | None:
        """Whose key it is, and the key."""
        return next(((user, key) for user in (self.root, *self.users.values()) for key in user.access_keys
                     if key.access_key_id == access_key_id), None)

    def create_login_profile(self, user_name: str, password: str, *, now: float = 0.0) -> None:
        """Give a user a password for the console. Raises EntityAlreadyExists when there is one."""
        user = self._get("user", user_name)
        if user.login:
            raise ServiceError("EntityAlreadyExists", f"Login Profile for user {user_name} already exists.")
        user.login, user.password_last_changed = Login(password), now

    def delete_login_profile(self, user_name: str) -> None:
        user = self._get("user", user_name)
        if not user.login:
            raise ServiceError("NoSuchEntity", f"Login Profile for user {user_name} cannot be found.")
        user.login = user.password_last_changed = None

    def create_virtual_mfa_device(self, virtual_mfa_device_name: str) -> VirtualMFADevice:
        """A device that nobody has enabled yet; its seed goes into the authenticator app."""
        serial = self._arn("mfa", "/", virtual_mfa_device_name)
        if serial in self.devices:
            raise ServiceError("EntityAlreadyExists", f"MFADevice {virtual_mfa_device_name} already exists.")
        self.devices[serial] = VirtualMFADevice(serial, self._secret(serial)[:20])
        return self.devices[serial]

    def enable_mfa_device(self, user_name: str | None, serial_number: str, authentication_code1: str,
                          authentication_code2: str, *, now: float) -> None:
        """From now on the user's sign-in asks for a code. Raises InvalidAuthenticationCode, EntityAlreadyExists."""
        user = self._user(user_name)
        if serial_number not in self.devices:
            raise ServiceError("NoSuchEntity", f"VirtualMFADevice {serial_number} does not exist.")
        if any(one.device is self.devices[serial_number] for one in (self.root, *self.users.values())):
            raise ServiceError("EntityAlreadyExists", "MFA Device is already in use.")
        self.devices[serial_number].enable(authentication_code1, authentication_code2, now)
        user.device = self.devices[serial_number]

    def deactivate_mfa_device(self, user_name: str | None, serial_number: str) -> None:
        user = self._user(user_name)
        if not user.device or user.device.serial_number != serial_number:
            raise ServiceError("NoSuchEntity", f"{user.user_name} does not use the device {serial_number}.")
        user.device = None

    def delete_virtual_mfa_device(self, serial_number: str) -> None:
        if serial_number not in self.devices:
            raise ServiceError("NoSuchEntity", f"VirtualMFADevice {serial_number} does not exist.")
        _conflict([one for one in (self.root, *self.users.values()) if one.device is self.devices[serial_number]],
                  "deactivate the device")
        del self.devices[serial_number]

    # Helpers

    def _user(self, user_name: str | None) -> User:
        return self.root if user_name is None else self._get("user", user_name)

    def _get(self, kind: str, name: str):
        found = {"user": self.users, "group": self.groups, "role": self.roles}[kind].get(name)
        if found is None:
            raise ServiceError("NoSuchEntity", f"The {kind} with name {name} cannot be found.")
        return found

    def _new(self, kind, name, present, quota, longest):
        _name(kind, name, longest)
        if (kind, name.lower()) in self._taken:
            raise ServiceError("EntityAlreadyExists", f"{kind.capitalize()} with name {name} already exists (capitals "
                                                      "don't make a difference).")
        self._room(quota, len(present))

    def _keep(self, kind, name, present, one):
        self._taken.add((kind, name.lower()))
        present[name] = one
        return one

    def _gone(self, kind, name, present):
        self._taken.discard((kind, name.lower()))
        del present[name]

    def _room(self, quota: str, present: int) -> None:
        if present >= self.quotas[quota]:
            raise ServiceError("LimitExceeded", f"Cannot exceed quota for {REFUSALS.get(quota, quota[:-5])}: "
                                                f"{self.quotas[quota]}")

    def _attach(self, one, policy_arn, quota):
        if policy_arn not in self.policies:
            raise ServiceError("NoSuchEntity", f"Policy {policy_arn} does not exist or is not attachable.")
        if policy_arn not in one.attached:
            self._room(quota, len(one.attached))
            one.attached.append(policy_arn)

    def _put(self, one, policy_name, document, quota):
        check_policy(document)
        others = sum(_size(other) for name, other in one.inline.items() if name != policy_name)
        if others + _size(document) > self.quotas[quota]:
            raise ServiceError("LimitExceeded", f"Maximum policy size of {self.quotas[quota]} bytes exceeded: the "
                                                "inline policies of an identity count together.")
        one.inline[policy_name] = document

    def _trust(self, role, document):
        check_policy(document, "trust")
        self._room("AssumeRolePolicySizeQuota", _size(document) - 1)
        role.assume_role_policy_document = document

    def _check_managed(self, document):
        check_policy(document)
        if (json.loads(document) if isinstance(document, str) else document).get("Version") != "2012-10-17":
            raise ServiceError("MalformedPolicyDocument", "Version: a managed policy must be of version 2012-10-17.")
        self._room("PolicySizeQuota", _size(document) - 1)

    def _boundary(self, policy_arn):
        if policy_arn is not None and policy_arn not in self.policies:
            raise ServiceError("NoSuchEntity", f"Policy {policy_arn} does not exist.")
        return policy_arn

    def _customer_managed(self) -> list[ManagedPolicy]:
        return [one for arn, one in self.policies.items() if ":aws:policy/" not in arn]

    def _customers(self, policy_arn) -> ManagedPolicy:
        if policy_arn not in self.policies:
            raise ServiceError("NoSuchEntity", f"Policy {policy_arn} was not found.")
        if ":aws:policy/" in policy_arn:
            raise ServiceError("AccessDenied", "AWS managed policies are changed by AWS only.")
        return self.policies[policy_arn]

    def _key(self, user, access_key_id) -> AccessKey:
        for key in user.access_keys:
            if key.access_key_id == access_key_id:
                return key
        raise ServiceError("NoSuchEntity", f"The Access Key with id {access_key_id} cannot be found.")

    def _id(self, prefix: str, digits: int = 10) -> str:
        self._serial += 1
        return f"{prefix}EXAMPLE{self._serial:0{digits}}"

    def _secret(self, what: str) -> bytes:
        return hmac.digest(self.account_id.encode(), what.encode(), "sha256")

    def _arn(self, kind, path, name) -> str:
        if not re.fullmatch(r"/(?:[\x21-\x7e]*/)?", path):
            raise ServiceError("ValidationError", f"a path begins and ends with a slash, unlike {path!r}")
        return f"arn:aws:iam::{self.account_id}:{kind}{path}{name}"


def _name(kind, name, longest):
    if not re.fullmatch(r"[\w+=,.@-]+", name, re.ASCII) or len(name) > longest:
        raise ServiceError("ValidationError", f"{name!r} cannot be the name of a {kind}: up to {longest} "
                                              "letters, digits and + = , . @ _ -")


def _conflict(what, first):
    if what:
        raise ServiceError("DeleteConflict", f"Cannot delete entity, must {first} first.")


def _take(present, what, otherwise):
    if what not in present:
        raise ServiceError("NoSuchEntity", f"{otherwise[0].upper()}{otherwise[1:]}.")
    present.remove(what) if isinstance(present, list) else present.pop(what)


def _size(document) -> int:
    """Characters of a policy without white space, as IAM counts them."""
    return len(re.sub(r"\s", "", document if isinstance(document, str) else json.dumps(document)))
