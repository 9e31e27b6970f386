"""Vault Lock: a policy on a vault that nobody can change any more, in two steps with a day to think between them.

    lock = VaultLock("arn:aws:glacier:us-east-1:123456789012:vaults/records")
    lock_id = lock.initiate_vault_lock(retention(lock.arn, days=365), now=0)["lockId"]
    lock.complete_vault_lock(lock_id, now=3600)                            # within 24 hours, or it is gone
    may_delete_archive(lock.arn, age=100 * 86_400, lock=lock.policy(now=7200)).outcome      # "explicitDeny"

::

    no lock --initiate--> InProgress --complete, right lock ID--> Locked, for good
       ^                      |
       +-- abort, or 24 h ----+

A vault has two policies of its own, and both are asked: the vault access policy, which its owner may edit at any time,
and the vault lock policy. Archives can't be edited in any vault; what a lock adds is, for example, that nobody, not
even the root user, deletes one before its time. Who decides is ``kit.identity.iam``, as for every other policy.

**Simplified** ``glacier:ArchiveAgeInDays`` counts whole days (AWS does not say how it rounds). Policies take effect at
once. While it is in progress the policy already decides, so that it can be tried out.
**Not modelled** Locks of S3: that is Object Lock, the one to use today.

Amazon Glacier Developer Guide, "Amazon Glacier Vault Lock", "Amazon Glacier Access Control with Vault Lock Policies"
(both examples), API pages "Initiate Vault Lock", "Complete Vault Lock", "Abort Vault Lock", "Get Vault Lock". Read
2026-11-28, the examples in the guide's copy on GitHub.
"""

import json

from kit.errors import ServiceError
from kit.identity.iam import Decision, Named, Request, check_policy, evaluate

DAY = 86_400  # seconds
WINDOW = 24 * 3600  # seconds from InitiateVaultLock on in which the lock must be completed ("Initiate Vault Lock")
LONGEST_POLICY = 20 * 1024  # bytes ("Initiate Vault Lock": up to 20 KB)


def may_delete_archive(arn: str, age: float, lock: dict | str | None = None, access: dict | str | None = None,
                       principal: str | None = None, identity=(), tags: dict | None = None) -> Decision:
    """May this principal delete an archive of this age, in seconds, from this vault? With the reasons.

    lock, access: the vault's two policies. principal: an ARN, or the root user of the vault's account if not given.
    identity: the principal's own policies, which a root user does not need. tags: the vault's.
    """
    account = arn.split(":")[4]
    context = {"glacier:ArchiveAgeInDays": int(age // DAY)}
    context |= {f"glacier:ResourceTag/{key}": value for key, value in (tags or {}).items()}
    policies = [Named(name, policy) for name, policy in (("vault access policy", access), ("vault lock policy", lock))
                if policy is not None]
    return evaluate(Request(principal or f"arn:aws:iam::{account}:root", "glacier:DeleteArchive", arn, context),
                    identity=identity, resource=policies)


def retention(arn: str, days: int) -> dict:
    """The lock policy of AWS's first example: no archive is deleted before it is so many days old."""
    return {"Version": "2012-10-17", "Statement": [{
        "Sid": "deny-based-on-archive-age", "Effect": "Deny", "Principal": "*", "Action": "glacier:DeleteArchive",
        "Resource": [arn], "Condition": {"NumericLessThan": {"glacier:ArchiveAgeInDays": str(days)}}}]}


class VaultLock:
    """The lock of one vault. Its state at a time: None, "InProgress" or "Locked"."""

    def __init__(self, arn: str):
        self.arn = arn
        self._policy = self._lock_id = self._created = None
        self._locked = False
        self._count = 0

    def __repr__(self) -> str:
        return f"<VaultLock of {self.arn}>"

    def initiate_vault_lock(self, policy: dict | str, now: float) -> dict:
        """Put the policy on the vault, to be tried and completed within 24 hours: ``{"lockId": ...}``."""
        if state := self.state(now):
            raise ServiceError("AccessDeniedException", {
                "InProgress": "A vault lock is in progress: abort it before you initiate another.",
                "Locked": "The vault is locked, and stays so."}[state])
        text = policy if isinstance(policy, str) else json.dumps(policy)
        check_vault_policy(text)
        self._count += 1
        self._policy, self._created = text, now
        self._lock_id = f"{self.arn.rsplit('/', 1)[-1]}-lock-{self._count}"
        return {"lockId": self._lock_id}

    def complete_vault_lock(self, lockId: str, now: float) -> None:
        """From here on nobody can change or remove the policy. Doing it again with the same lock ID is no error."""
        state = self.state(now)
        if state is None:
            raise ServiceError("ResourceNotFoundException", "No vault lock is in progress: none was initiated, it was "
                                                            "aborted, or its 24 hours are over.")
        if lockId != self._lock_id:
            raise ServiceError("AccessDeniedException" if state == "Locked" else "InvalidParameterValueException",
                               f"{lockId!r} is not the lock ID of this vault lock.")
        self._locked = True

    def abort_vault_lock(self, now: float) -> None:
        """Remove the policy while the lock is in progress; no error if there is none. Too late once it is locked."""
        if self.state(now) == "Locked":
            raise ServiceError("AccessDeniedException", "The vault is locked: its policy can't be removed any more.")
        self._policy = self._lock_id = self._created = None

    def get_vault_lock(self, now: float) -> dict:
        """Policy, State, CreationDate and ExpirationDate (seconds; None when locked)."""
        state = self.state(now)
        if state is None:
            raise ServiceError("ResourceNotFoundException", "No vault lock policy is set on this vault.")
        return {"Policy": self._policy, "State": state, "CreationDate": self._created,
                "ExpirationDate": None if self._locked else self._created + WINDOW}

    def state(self, now: float) -> str | None:
        if self._locked:
            return "Locked"
        return "InProgress" if self._policy is not None and now < self._created + WINDOW else None

    def policy(self, now: float) -> str | None:
        """The policy that decides now, as JSON text."""
        return self._policy if self.state(now) else None


def check_vault_policy(text: str) -> None:
    """Refuse a vault policy that AWS would not take: too long, or no policy."""
    if len(text.encode()) > LONGEST_POLICY:
        raise ServiceError("InvalidParameterValueException", "A vault policy is at most 20 KB long.")
    try:
        check_policy(text, "resource")
    except ServiceError as error:  # Glacier knows no code of its own for a malformed policy
        raise ServiceError("InvalidParameterValueException", f"Invalid vault policy: {error.message}") from error
