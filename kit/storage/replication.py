"""Which objects are replicated, where to, as what; and what is told about it.

Replication copies what is *new*: an object written after the configuration, under an enabled rule whose filter it
meets. Rules to different buckets all count; of several to one bucket, the one with the highest priority number.

====================================================  =========================================================
is copied                                             is not
====================================================  =========================================================
a new object, with metadata, tags, ACL, Object Lock   an object from before (S3 Batch Replication does that)
SSE-S3, SSE-C                                         SSE-KMS, unless the rule opts in and names a key
a delete marker, if the rule says so (no tag filter)  a delete marker that a lifecycle rule made
                                                      the deletion of a version
                                                      a replica, to a third bucket
                                                      what lies in Glacier Flexible Retrieval or Deep Archive
====================================================  =========================================================

    plan(configuration, Source("Tax/2026.pdf", created=60), configured_at=0, owner="111122223333")

Rules of the older form V1 (a Prefix, no Filter) replicate the delete markers that users make.

**Simplified** Who calls ``status`` knows what failed: missing permissions do, a bucket that cannot be reached stays
PENDING.
**Not modelled** How long a copy takes (S3 RTC: 99.99 % within 15 minutes; otherwise AWS promises nothing), metadata
changes of replicas (replica modification sync), Batch Replication, changes of ACLs and tags after the copy.

Amazon S3 User Guide, read 2026-11-28: "What does Amazon S3 replicate?", "Replication configuration file elements",
"Getting replication status information", "Meeting compliance requirements using S3 Replication Time Control",
"Receiving replication failure events with Amazon S3 Event Notifications".
S3 API Reference: "PutBucketReplication", "ReplicationRule", "Destination", "Error responses" (List of
Replication-related error codes). That versioning is missed with InvalidRequest is known from reports of S3's answers;
which code a missing element, a repeated ID or priority gets was not found on a page.
"""

from dataclasses import dataclass, field

from kit.errors import ServiceError

MOST_RULES, LONGEST_ID = 1_000, 255
THRESHOLD = 15 * 60  # seconds, S3 Replication Time Control and its events; 15 minutes is the one value AWS takes
ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")
KMS = ("aws:kms", "aws:kms:dsse")


@dataclass(frozen=True)
class Source:
    """What was written to the source bucket: an object version or a delete marker.

    encryption: None, "AES256" (SSE-S3), "aws:kms", "aws:kms:dsse" or "SSE-C". by_lifecycle: a lifecycle rule did it.
    readable: whether the bucket owner may read the object and its ACL.
    """

    key: str
    created: float = 0.0
    tags: dict = field(default_factory=dict)
    storage_class: str = "STANDARD"
    encryption: str | None = "AES256"
    replica: bool = False
    delete_marker: bool = False
    version_deleted: bool = False  # a DELETE that named this version
    by_lifecycle: bool = False
    readable: bool = True


@dataclass(frozen=True)
class Copy:
    """One replica to be made. deadline: with S3 RTC, when the event OperationMissedThreshold is due; else None."""

    bucket: str
    rule: str
    storage_class: str
    owner: str
    kms_key: str | None = None
    deadline: float | None = None
    metrics: bool = False


@dataclass(frozen=True)
class Plan:
    copies: tuple[Copy, ...]
    because: tuple[str, ...]

    @property
    def eligible(self) -> bool:
        return bool(self.copies)


def plan(configuration: dict, source: Source, *, configured_at: float, owner: str) -> Plan:
    """The replicas that are due, and why others are not. owner: the account that owns the source object.

    configuration: as put_bucket_replication's ReplicationConfiguration; configured_at: when it was put, in seconds.
    """
    if reason := _never(source, configured_at):
        return Plan((), (reason,))
    chosen, because = {}, []
    for number, rule in enumerate(configuration["Rules"], 1):
        name, bucket = rule.get("ID") or f"rule {number}", rule["Destination"]["Bucket"]
        if reason := _not_by(rule, source):
            because.append(f"{name}: no, {reason}")
            continue
        rival = chosen.get(bucket)
        if rival and rival[0] >= rule.get("Priority", 0):
            because.append(f"{name}: no, {rival[1]} goes to the same bucket with a higher priority")
            continue
        because.append(f"{name}: yes, to {bucket}" + (f" instead of {rival[1]}: higher priority" if rival else ""))
        chosen[bucket] = (rule.get("Priority", 0), name, rule)
    return Plan(tuple(_copy(name, rule, source, owner) for _, name, rule in chosen.values()), tuple(because))


def status(done: list[bool | None], replica: bool = False) -> str | None:
    """x-amz-replication-status. done: for each destination True, False (failed) or None (not yet)."""
    if replica:
        return "REPLICA"
    if not done:
        return None
    return "FAILED" if False in done else "PENDING" if None in done else "COMPLETED"


def events(copy: Copy, now: float, replicated_at: float | None = None, failed_at: float | None = None) -> list[tuple]:
    """The notifications about a copy until now: (time, event type), in order. Without metrics there are none."""
    found = []
    if copy.metrics and failed_at is not None:
        found.append((failed_at, "s3:Replication:OperationFailedReplication"))
    end = min(time for time in (replicated_at, failed_at, float("inf")) if time is not None)
    if copy.deadline is not None and end > copy.deadline:
        found.append((copy.deadline, "s3:Replication:OperationMissedThreshold"))
        if replicated_at is not None:
            found.append((replicated_at, "s3:Replication:OperationReplicatedAfterThreshold"))
    return sorted(one for one in found if one[0] <= now)


def check_configuration(configuration: dict, versioning: str | None, destinations: dict[str, str | None],
                        owners: dict[str, str] | None = None) -> None:
    """Refuse what PutBucketReplication refuses.

    versioning: of the source bucket ("Enabled", "Suspended", None). destinations: bucket ARN -> its versioning; a
    bucket that is not in it does not exist. owners: bucket ARN -> account, where known.
    """
    if versioning != "Enabled":
        raise ServiceError("InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication "
                                             "configuration")
    rules = configuration.get("Rules", [])
    if not configuration.get("Role") or not 1 <= len(rules) <= MOST_RULES:
        raise ServiceError("MalformedXML", f"A replication configuration has a Role and 1 to {MOST_RULES} rules.")
    for rule in rules:
        _check_rule(rule, destinations, owners or {})
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(ids)) < len(ids):
        raise ServiceError("InvalidArgument", "Rule Id must be unique. Found same Id for more than one rule")
    priorities = [rule["Priority"] for rule in rules if "Filter" in rule]
    if len(set(priorities)) < len(priorities):
        raise ServiceError("InvalidRequest", "Found duplicate priority in the rules: it must be unique.")
    if len({"Filter" in rule for rule in rules}) > 1:
        raise ServiceError("InvalidRequest", "Rules with and without Filter cannot be mixed: V1 knows no Filter.")


def _never(source, configured_at) -> str:
    """Why no rule at all would replicate it, or ""."""
    if source.version_deleted:
        return "the deletion of a version is not replicated: that protects replicas from malicious deletions"
    if source.replica:
        return "it is itself a replica, and replicas are not replicated again"
    if source.created < configured_at:
        return "it was there before the configuration: existing objects are a case for S3 Batch Replication"
    if source.by_lifecycle:
        return "what lifecycle rules do is not replicated"
    if source.storage_class in ARCHIVED and not source.delete_marker:
        return f"objects in {source.storage_class} are not replicated"
    if not source.readable:
        return "the bucket owner may not read the object"
    return ""


def _not_by(rule, source) -> str:
    """Why this rule does not replicate it, or ""."""
    if rule["Status"] != "Enabled":
        return "it is disabled"
    prefix, tags = _filter(rule)
    if not source.key.startswith(prefix):
        return f"the key does not begin with {prefix}"
    if source.delete_marker:  # a marker has no tags, and rules with tags may not replicate it
        asked = rule.get("DeleteMarkerReplication", {}).get("Status", "Disabled")
        return "" if "Filter" not in rule or asked == "Enabled" and not tags else "it does not replicate delete markers"
    lacking = {name: value for name, value in tags.items() if source.tags.get(name) != value}
    if lacking:
        return f"the tag {', '.join(f'{name}={value}' for name, value in lacking.items())} is missing"
    if source.encryption in KMS and not _takes_kms(rule):
        return f"the object is encrypted with {source.encryption} and the rule does not select such objects"
    return ""


def _copy(name, rule, source, owner) -> Copy:
    target = rule["Destination"]
    timed = target.get("ReplicationTime", {}).get("Status") == "Enabled"
    translated = target.get("AccessControlTranslation", {}).get("Owner") == "Destination"
    key = target.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID") if source.encryption in KMS else None
    return Copy(target["Bucket"], name, target.get("StorageClass", source.storage_class),
                target["Account"] if translated else owner, key, source.created + THRESHOLD if timed else None,
                target.get("Metrics", {}).get("Status") == "Enabled")


def _filter(rule) -> tuple[str, dict]:
    """The prefix and the tags a rule asks for."""
    chosen = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    both = chosen.get("And", chosen)
    tags = both.get("Tags", [both["Tag"]] if "Tag" in both else [])
    return both.get("Prefix", ""), {tag["Key"]: tag["Value"] for tag in tags}


def _takes_kms(rule) -> bool:
    return rule.get("SourceSelectionCriteria", {}).get("SseKmsEncryptedObjects", {}).get("Status") == "Enabled"


def _check_rule(rule, destinations, owners):
    if rule.get("Status") not in ("Enabled", "Disabled") or not rule.get("Destination", {}).get("Bucket"):
        raise ServiceError(
            "MalformedXML",
            "A rule has a Status (Enabled or Disabled) and a Destination with a Bucket.")
    identifier, target = rule.get("ID", ""), rule["Destination"]
    if len(identifier) > LONGEST_ID or not identifier.isascii():
        raise ServiceError(
            "InvalidArgument",
            f"Rule ID has at most {LONGEST_ID} characters and no non-ASCII characters.")
    if "Filter" in rule:
        if "Priority" not in rule or "DeleteMarkerReplication" not in rule:
            raise ServiceError(
                "InvalidRequest",
                "With a Filter, Priority and DeleteMarkerReplication must be specified.")
        if len(rule["Filter"]) > 1:
            raise ServiceError("MalformedXML", "A Filter has exactly one of Prefix, Tag and And.")
        if _filter(rule)[1] and rule["DeleteMarkerReplication"].get("Status") == "Enabled":
            raise ServiceError("InvalidRequest", "Delete marker replication is not supported if any Tag filter is "
                                                 "specified. Please refer to S3 Developer Guide for more information.")
    if _takes_kms(rule) and not target.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID"):
        raise ServiceError("InvalidRequest", "With SseKmsEncryptedObjects, EncryptionConfiguration must name a "
                                             "ReplicaKmsKeyID.")
    _check_owner(target, owners)
    _check_time(target)
    if target["Bucket"] not in destinations:
        raise ServiceError("InvalidRequest", "Destination bucket must exist.")
    if destinations[target["Bucket"]] != "Enabled":
        raise ServiceError("InvalidRequest", "Destination bucket must have versioning enabled.")


def _check_owner(target, owners):
    account, owner = target.get("Account"), owners.get(target["Bucket"])
    if target.get("AccessControlTranslation", {}).get("Owner") and account is None:
        raise ServiceError(
            "InvalidRequest",
            "The Owner in AccessControlTranslation has a value, so the Account element must be specified.")
    if account == "":
        raise ServiceError("InvalidArgument", "The Account element is empty. It must contain a valid account ID.")
    if account and owner and account != owner:
        raise ServiceError(
            "InvalidArgument",
            "The AWS account specified in the Account element must match the destination bucket owner.")


def _check_time(target):
    time, metrics = target.get("ReplicationTime"), target.get("Metrics")
    if time is not None and metrics is None:
        raise ServiceError(
            "InvalidRequest",
            "The replication destination must contain both ReplicationTime and Metrics, or neither.")
    if time is not None and time.get("Status") != metrics.get("Status"):
        raise ServiceError("InvalidRequest", "ReplicationTime and ReplicationMetrics must have the same status.")
    for given, name in ((time, "Time"), (metrics, "EventThreshold")):
        if given is not None and given.get(name, {"Minutes": 15}).get("Minutes") != 15:
            raise ServiceError("InvalidArgument", f"{name}: the only valid value of Minutes is 15.")
    if time is not None and "Time" not in time:
        raise ServiceError("InvalidArgument", "ReplicationTime-ReplicationTimeValue must contain a value.")
