"""What a leaked credential is worth: a thief tries it every few minutes until it stops working.

The same permissions leak twice: once as an IAM user's access key, which works until somebody notices and deactivates
it, and once as a role session, which ends by itself, or earlier if whoever notices revokes it: a Deny for all sessions
issued before now, which the console's button "Revoke active sessions" attaches. Each attempt is decided by ``sts``.

**Simplified** One attempt at a fixed interval; noticing and deactivating happen at once; the thief cannot renew the
session, because the credentials that could are not on the machine that leaked.
**Not modelled** What the thief copies to stay (new users, keys, roles): deactivating one key does not undo that.

IAM User Guide: "Security best practices in IAM" (temporary credentials), "Manage access keys for IAM
users", "Revoke IAM role temporary security credentials". STS API Reference: "AssumeRole" (DurationSeconds).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from kit.errors import ServiceError
from kit.identity.account import Account
from kit.identity.policy import Named
from kit.identity.sts import SecurityTokenService
from kit.sim import Records

START = 1_795_392_000.0  # seconds since 1970: 2026-11-23, 00:00 UTC
READ = Named("ReadReports", {"Version": "2012-10-17", "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}]})


@dataclass(frozen=True)
class Leak:
    """attempts: hours, key_works, session_works. key_hours, session_hours: how long each was open to the thief."""

    attempts: Records
    key_hours: float
    session_hours: float


def simulate(noticed_after: float = 24.0, session_lasts: float = 1.0, leaked_after: float = 0.5,
             every: float = 0.25) -> Leak:
    """In hours: noticed_after the leak, session_lasts (1 to 12), leaked_after its issue, every: between attempts."""
    if every <= 0 or noticed_after < 0 or leaked_after < 0:
        raise ValueError("hours cannot be negative, and attempts need some time between them")
    account = Account(now=START)
    account.create_user("builder", now=START)
    account.put_user_policy("builder", "ReadReports", READ)
    key = account.create_access_key("builder", now=START)
    account.create_role("Reader", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
        max_session_duration=43_200, now=START)
    account.put_role_policy("Reader", "ReadReports", READ)
    sts = SecurityTokenService(account)
    role = account.roles["Reader"].arn
    session = sts.assume_role("ec2.amazonaws.com", role, "server-1", now=START,
                              duration_seconds=round(session_lasts * 3_600))
    attempts = Records("hours", "key_works", "session_works")
    steps = int(max(noticed_after, session_lasts) * 1.25 / every) + 1
    for step in range(min(steps, 400)):
        since = step * every
        now = START + (leaked_after + since) * 3_600
        if since >= noticed_after and key.status == "Active":
            account.update_access_key("builder", key.access_key_id, "Inactive")
            account.put_role_policy("Reader", "AWSRevokeOlderSessions", _revoke(now))
        attempts.append(since, _works(sts, key.access_key_id, now), _works(sts, session.access_key_id, now))
    return Leak(attempts, noticed_after, max(0.0, min(noticed_after, session_lasts - leaked_after)))


def _revoke(now: float) -> dict:
    """Nobody who got credentials before ``now`` may do anything with them."""
    before = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
        "DateLessThan": {"aws:TokenIssueTime": before}}}]}


def _works(sts: SecurityTokenService, access_key_id: str, now: float) -> bool:
    try:
        return sts.authorize(access_key_id, "s3:GetObject", "arn:aws:s3:::reports/2026.csv", now=now).allowed
    except ServiceError as refused:
        if refused.code not in ("ExpiredToken", "InvalidClientTokenId"):
            raise
        return False
