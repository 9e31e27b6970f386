"""The credential report: who in the account can sign in with what, and since when.

**Simplified** Ready at once. **Not modelled** Signing certificates; the Regions of the last use; password rotation; the
column additional_credentials_info, which AWS's page lists for users with more than two keys.

IAM User Guide, read 2026-11-23: "Generate credential reports for your AWS account".
"""

import csv
from datetime import UTC, datetime
from io import StringIO

from kit.identity.identities import AccessKey, User

KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS = ("user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
           "password_next_rotation", "mfa_active", *(f"access_key_{n}_{what}" for n in (1, 2) for what in KEY),
           *(f"cert_{n}_{what}" for n in (1, 2) for what in ("active", "last_rotated")))


def credential_report(root: User, users: dict[str, User]) -> str:
    """CSV with one row for the root user and one for each user."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerow(_row("<root_account>", root, is_root=True))
    rows.writerows(_row(name, user) for name, user in sorted(users.items()))
    return text.getvalue()


def _row(name: str, user: User, is_root: bool = False) -> list[str]:
    changed = "not_supported" if is_root else _time(user.password_last_changed)
    used = "N/A" if not user.login else _time(user.password_last_used, "no_information")
    keys = (*user.access_keys, None, None)[:2]
    return [name, user.arn, _time(user.create_date), "not_supported" if is_root else _yes(user.login), used, changed,
            "not_supported" if is_root else "N/A", _yes(user.device), *(cell for key in keys for cell in _key(key)),
            *("false", "N/A") * 2]


def _key(key: AccessKey | None) -> list[str]:
    if key is None:
        return ["false", "N/A", "N/A", "N/A", "N/A"]
    return [_yes(key.status == "Active"), _time(key.create_date), _time(key.last_used), "N/A", key.last_used_service]


def _yes(what) -> str:
    return "true" if what else "false"


def _time(seconds: float | None, otherwise: str = "N/A") -> str:
    return otherwise if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
