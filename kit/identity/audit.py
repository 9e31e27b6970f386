"""What a credential report gives away: five checks that AWS Security Hub CSPM makes too, and the repairs of three.

``audit`` reads the CSV of a credential report, so it works on a model's account and on a report from boto3 alike.

**Simplified** One finding a user and check. Security Hub checks on a schedule; here it is whenever you ask.
**Not modelled** Everything that is not in the report (policies, roles, the password policy); suppressing findings.

AWS Security Hub User Guide: "Security Hub CSPM controls for IAM" (IAM.3, IAM.4, IAM.5, IAM.9, IAM.22). The page could
not be opened on 2026-11-23; numbers and days are as in public lists of these controls.
"""

import csv
from datetime import datetime
from io import StringIO

from kit.identity.account import Account
from kit.sim import Records

KEY_DAYS, UNUSED_DAYS = 90, 45  # days after which IAM.3 wants a key rotated and IAM.22 a credential removed
DAY = 86_400  # seconds
CHECKS = {"IAM.3": f"access keys are rotated every {KEY_DAYS} days",
          "IAM.4": "the root user has no access key",
          "IAM.5": "every user with a console password has MFA",
          "IAM.9": "the root user has MFA",
          "IAM.22": f"no credential stays unused for {UNUSED_DAYS} days"}
REPAIRED = ("IAM.3", "IAM.4", "IAM.22")  # the rest needs somebody who holds a device


def audit(report: str | bytes, now: float) -> Records:
    """control, user, finding: what the report shows to be wrong at ``now`` (seconds since 1970)."""
    findings = Records("control", "user", "finding")
    for row in csv.DictReader(StringIO(report if isinstance(report, str) else report.decode())):
        user, root = row["user"], row["user"] == "<root_account>"
        keys = [number for number in (1, 2) if row[f"access_key_{number}_active"] == "true"]
        if root and keys:
            findings.append("IAM.4", user, "an active access key of the root user")
        if root and row["mfa_active"] != "true":
            findings.append("IAM.9", user, "a root user that a password alone lets in")
        if not root and row["password_enabled"] == "true" and row["mfa_active"] != "true":
            findings.append("IAM.5", user, "a console password without MFA")
        for number in keys if not root else ():
            created = row[f"access_key_{number}_last_rotated"]
            if _days(created, now) > KEY_DAYS:
                findings.append("IAM.3", user, f"access key {number} is {_days(created, now):.0f} days old")
            used = row[f"access_key_{number}_last_used_date"]
            if _days(created if used == "N/A" else used, now) > UNUSED_DAYS:
                findings.append("IAM.22", user, f"access key {number} has not been used for "
                                                f"{_days(created if used == 'N/A' else used, now):.0f} days")
    return findings


def score(findings: Records) -> float:
    """Percent of the checks that nothing speaks against."""
    return 100 * (1 - len(set(findings["control"])) / len(CHECKS))


def repair(account: Account, findings: Records) -> list[str]:
    """Deactivate the keys that findings complain about; returns what was done. Deactivated keys can be switched on."""
    done = []
    for finding in findings:
        name = None if finding["user"] == "<root_account>" else finding["user"]
        keys = (account.root if name is None else account.users[name]).access_keys
        if finding["control"] in REPAIRED:
            number = finding["finding"].split("access key ")[-1][:1]
            for key in keys if name is None else keys[int(number) - 1:int(number)]:
                if key.status == "Active":
                    account.update_access_key(name, key.access_key_id, "Inactive")
                    done.append(f"{finding['control']}: deactivated {key.access_key_id} of {finding['user']}")
    return done


def _days(moment: str, now: float) -> float:
    return (now - datetime.fromisoformat(moment).timestamp()) / DAY
