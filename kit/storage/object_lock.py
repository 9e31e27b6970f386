"""Object Lock: a version that nobody deletes before its date, and who may still change the date.

    may_delete(version, now)                    # Decision(allowed=False, because=("It is retained in COMPLIANCE ...",))
    may_retain(version, "COMPLIANCE", until, now)                      # may its retention be set to that?

::

    no retention --put_object_retention--> GOVERNANCE or COMPLIANCE until a date --the date comes--> free again
                                               |    ^
                                               +----+ extend: anybody who may lock. Shorten, change or remove:
                                                      GOVERNANCE with s3:BypassGovernanceRetention; COMPLIANCE nobody,
                                                      not even the root user
    legal hold: ON until somebody says OFF, whatever the retention says

A lock is on one version. It needs a versioned bucket, and hinders neither a new version on top nor a delete marker: a
delete without a version id always succeeds, and takes nothing away.

**Simplified** ``bypass`` is the header of the request, ``permitted`` says whether the caller has the permission. A year
of a default retention has 365 days (not looked up). A request that sets a lock must carry a checksum; the SDKs add one,
and here none is asked for.
**Not modelled** Event holds; the condition key that bounds retention (s3:object-lock-remaining-retention-days); that
Lifecycle leaves locked versions alone; the longest retention.

Amazon S3 User Guide: "Locking objects with Object Lock" (modes, extending, legal holds), "Object Lock considerations"
(delete markers, no suspending of versioning); the former also as "S3 Object Lock overview" in AWS's published sources
of the guide. Amazon S3 API Reference: "PutObjectRetention", "PutObjectLockConfiguration" (new or existing buckets), in
the copy that botocore 1.44.5 carries. The codes of refusals stand on no page that was found. Read 2026-11-28.
"""

from dataclasses import dataclass

from kit.errors import ServiceError
from kit.storage.s3_version import Version

DAY = 86_400  # seconds
MODES = ("GOVERNANCE", "COMPLIANCE")
HOLD = {"ON": True, "OFF": False}


@dataclass(frozen=True)
class Decision:
    """May it be done, and why: one sentence per rule that spoke."""

    allowed: bool
    because: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(("allowed:" if self.allowed else "denied:", *self.because))


def may_delete(version: Version, now: float, bypass: bool = False, permitted: bool = True) -> Decision:
    """May this version be deleted for good, now? bypass: the request asks to pass over governance mode."""
    if version.is_delete_marker:
        return Decision(True, ("Delete markers are not protected.",))
    denied, allowed = [], []
    if version.legal_hold:
        denied.append("A legal hold is on it, and no bypass lifts that.")
    if retained(version, now):
        text = f"It is retained in {version.lock_mode} mode until {version.retain_until:g}, and it is {now:g}"
        if version.lock_mode == "COMPLIANCE":
            denied.append(f"{text}: nobody may delete it, the root user included.")
        elif bypass and permitted:
            allowed.append(f"{text}: passed over, with s3:BypassGovernanceRetention.")
        elif bypass:
            denied.append(f"{text}: the caller lacks s3:BypassGovernanceRetention.")
        else:
            denied.append(f"{text}: the request does not ask to bypass that.")
    elif version.retain_until is not None:
        allowed.append(f"Its retention ended at {version.retain_until:g}.")
    return Decision(not denied, tuple(denied or allowed or ("No lock is on it.",)))


def may_retain(version: Version, mode: str | None, until: float | None, now: float, bypass: bool = False,
               permitted: bool = True) -> Decision:
    """May its retention be set to this mode and date, or be removed (mode None)?"""
    if not retained(version, now):
        return Decision(True, ("No retention is in force.",))
    if mode == version.lock_mode and until >= version.retain_until:
        return Decision(True, ("The same mode and no earlier date: a retention may always be extended.",))
    if version.lock_mode == "COMPLIANCE":
        return Decision(False, ("COMPLIANCE mode is never shortened, changed or removed.",))
    if bypass and permitted:
        return Decision(True, ("GOVERNANCE mode is passed over, with s3:BypassGovernanceRetention.",))
    lacks = "the caller lacks s3:BypassGovernanceRetention" if bypass else "the request does not ask to bypass it"
    return Decision(False, (f"GOVERNANCE mode is in force, and {lacks}.",))


def retained(version: Version, now: float) -> bool:
    return version.lock_mode is not None and now < version.retain_until


def check_retention(mode: str | None, until: float | None, now: float) -> None:
    """ServiceError InvalidArgument unless both are given and the date is to come; MalformedXML for another mode."""
    if (mode is None) != (until is None):
        raise ServiceError("InvalidArgument", "A retention has both a mode and a date.")
    if mode is not None and mode not in MODES:
        raise ServiceError("MalformedXML", f"The modes are {' and '.join(MODES)}, not {mode!r}.")
    if until is not None and until <= now:
        raise ServiceError("InvalidArgument", "The retain until date must be in the future!")


def default_retention(configuration: dict | None, created: float) -> tuple[str, float] | tuple[None, None]:
    """(mode, date) for a version that is put without one. configuration: as put_object_lock_configuration takes it."""
    rule = ((configuration or {}).get("Rule") or {}).get("DefaultRetention")
    if not rule:
        return None, None
    return rule["Mode"], created + DAY * (rule["Days"] if "Days" in rule else 365 * rule["Years"])


def check_configuration(configuration: dict, versioning: str | None) -> None:
    """ServiceError MalformedXML; InvalidBucketState unless the bucket is versioned."""
    if configuration.get("ObjectLockEnabled") != "Enabled":
        raise ServiceError("MalformedXML", 'Object Lock is "Enabled", or there is no configuration.')
    if versioning != "Enabled":
        raise ServiceError("InvalidBucketState", "Object Lock needs a versioned bucket: enable versioning first.")
    if "Rule" in configuration:
        rule = configuration["Rule"]["DefaultRetention"]
        if rule.get("Mode") not in MODES or ("Days" in rule) == ("Years" in rule):
            raise ServiceError("MalformedXML", "A default retention has a mode, and either Days or Years.")
        if (rule["Days"] if "Days" in rule else rule["Years"]) < 1:
            raise ServiceError("InvalidArgument", "Default retention period must be a positive integer value.")
