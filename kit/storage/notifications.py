"""Event notifications: who is told that an object came, went or changed, and in which words.

A bucket's configuration lists queues, topics and functions, each with event types and perhaps a prefix and a suffix of
the key. An event goes to all that match; to keep that unambiguous, AWS refuses two entries for the same event type
whose filters could meet the same key. EventBridge is a switch: on, it gets every event (but those of replication), in
its own words, and filters with its rules.

    check_configuration(configuration, region="us-east-1")
    for entry in matching(configuration, "s3:ObjectCreated:Put", "images/cat.jpg"):
        send(entry.arn, {"Records": [record("s3:ObjectCreated:Put", ..., configuration_id=entry.id)]})

Delivery is at least once and not in order. Records of PUTs and DELETEs carry a sequencer to tell which came last:
``later`` compares two of the same key.

**Simplified** IDs of requests and hosts come from the caller or are empty. Sequencers are hexadecimal, from the time
and a serial number. A record's version is 2.5, as the newest copy of the page has it ("a single unified version for
all event types" since 2.4); ``older_version`` is what an event had before.
**Not modelled** Whether destinations exist and let S3 in (the test event tells), the number of configurations, and the
events ReducedRedundancyLostObject, ObjectAnnotation and ObjectRetention beyond their names.

Amazon S3 User Guide, read 2026-11-28: "Event notification types and destinations", "Configuring event notifications
using object key name filtering", "Event message structure", "EventBridge event message structure", "Amazon EventBridge
mapping and troubleshooting". S3 API Reference: "PutBucketNotificationConfiguration", "FilterRule". The words of the
refusals are known from reports of S3's answers; which code a FIFO destination gets was not found on a page.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from urllib.parse import quote_plus

from kit.errors import ServiceError

TYPES = (
    "s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload", "s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:Post", "s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete", "s3:ReducedRedundancyLostObject",
    "s3:Replication:OperationFailedReplication", "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold", "s3:Replication:OperationNotTracked",
    "s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated", "s3:LifecycleTransition",
    "s3:IntelligentTiering", "s3:ObjectTagging:Put", "s3:ObjectTagging:Delete", "s3:ObjectAcl:Put",
    "s3:ObjectAnnotation:Put", "s3:ObjectAnnotation:Delete", "s3:ObjectRetention:Put")
WILDCARDS = tuple(f"s3:{group}:*" for group in ("ObjectCreated", "ObjectRemoved", "ObjectRestore", "Replication",
                                                 "LifecycleExpiration", "ObjectTagging", "ObjectAnnotation"))
DESTINATIONS = {"QueueConfigurations": ("QueueArn", "sqs"), "TopicConfigurations": ("TopicArn", "sns"),
                "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda")}
EVENT_VERSION = "2.5"
LONGEST_VALUE = 1024  # bytes of a filter's value
DETAIL_TYPES = {  # "Amazon EventBridge mapping": by the event type's beginning
    "ObjectCreated:": "Object Created", "ObjectRemoved:": "Object Deleted", "LifecycleExpiration:": "Object Deleted",
    "ObjectRestore:Post": "Object Restore Initiated", "ObjectRestore:Completed": "Object Restore Completed",
    "ObjectRestore:Delete": "Object Restore Expired", "LifecycleTransition": "Object Storage Class Changed",
    "IntelligentTiering": "Object Access Tier Changed", "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted", "ObjectAcl:Put": "Object ACL Updated"}
REASONS = {"Put": "PutObject", "Post": "POST Object", "Copy": "CopyObject",
           "CompleteMultipartUpload": "CompleteMultipartUpload"}
SEQUENCED = ("ObjectCreated:", "ObjectRemoved:", "LifecycleExpiration:")


@dataclass(frozen=True)
class Entry:
    """One entry of a configuration: where to, which events, which keys."""

    id: str
    arn: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def matches(self, event: str, key: str) -> bool:
        return key.startswith(self.prefix) and key.endswith(self.suffix) and any(
            _covers(wanted, event) for wanted in self.events)


def matching(configuration: dict, event: str, key: str) -> list[Entry]:
    """The entries that are told. event: in full, "s3:ObjectCreated:Put"; key: as it is, not encoded."""
    return [entry for entry in entries(configuration) if entry.matches(event, key)]


def entries(configuration: dict) -> list[Entry]:
    """All entries of a NotificationConfiguration, as put or as got through boto3."""
    found = []
    for name, (arn, _) in DESTINATIONS.items():
        for number, one in enumerate(configuration.get(name, []), 1):
            rules = {rule["Name"].lower(): rule["Value"]
                     for rule in one.get("Filter", {}).get("Key", {}).get("FilterRules", [])}
            found.append(Entry(one.get("Id", f"{name}-{number}"), one[arn], tuple(one["Events"]),
                               rules.get("prefix", ""), rules.get("suffix", "")))
    return found


def check_configuration(configuration: dict, region: str) -> None:
    """Refuse what PutBucketNotificationConfiguration refuses before it asks the destinations."""
    for name, (arn, service) in DESTINATIONS.items():
        for one in configuration.get(name, []):
            _check_entry(one, one.get(arn, ""), service, region)
    for one, other in combinations(entries(configuration), 2):
        if not any(_covers(a, b) or _covers(b, a) for a in one.events for b in other.events):
            continue
        if not any((one.prefix, one.suffix, other.prefix, other.suffix)):
            raise ServiceError(
                "InvalidArgument",
                "Configurations overlap. Configurations on the same bucket cannot share a common event "
                "type.")
        if _overlap(one.prefix, other.prefix, str.startswith) and _overlap(one.suffix, other.suffix, str.endswith):
            raise ServiceError(
                "InvalidArgument",
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if "
                "the prefixes are overlapping for the same event type.")


def record(event: str, bucket: str, key: str, now: float, *, region: str, configuration_id: str, owner: str,
           principal: str, source_ip: str = "", size: int | None = None, etag: str | None = None,
           version_id: str | None = None, sequencer: str | None = None, request_id: str = "", host_id: str = "",
           **event_data) -> dict:
    """One of the ``Records`` that a queue, topic or function gets.

    sequencer: left out unless the event creates or deletes an object. event_data: what belongs to the kind of event,
    glacierEventData, replicationEventData, lifecycleEventData or intelligentTieringEventData.
    """
    item = {"key": quote_plus(key), "size": size, "eTag": etag, "versionId": version_id,
            "sequencer": sequencer if _name(event).startswith(SEQUENCED) else None}
    return {"eventVersion": EVENT_VERSION, "eventSource": "aws:s3", "awsRegion": region, "eventTime": _time(now),
            "eventName": _name(event), "userIdentity": {"principalId": principal},
            "requestParameters": {"sourceIPAddress": source_ip},
            "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": host_id},
            "s3": {"s3SchemaVersion": "1.0", "configurationId": configuration_id,
                   "bucket": {"name": bucket, "ownerIdentity": {"principalId": owner}, "arn": f"arn:aws:s3:::{bucket}"},
                   "object": {name: value for name, value in item.items() if value is not None}}, **event_data}


def restored(expires_at: float, storage_class: str) -> dict:
    """What s3:ObjectRestore:Completed adds: ``record(..., glacierEventData=restored(...))``."""
    return {"restoreEventData": {"lifecycleRestorationExpiryTime": _time(expires_at),
                                 "lifecycleRestoreStorageClass": storage_class}}


def s3_test_event(bucket: str, now: float, request_id: str = "", host_id: str = "") -> dict:
    """What a destination gets when it is configured; no Records in it."""
    return {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": _time(now), "Bucket": bucket,
            "RequestId": request_id, "HostId": host_id}


def eventbridge(event: str, bucket: str, key: str, now: float, *, region: str, account: str, requester: str,
                event_id: str, source_ip: str = "", size: int | None = None, etag: str | None = None,
                version_id: str | None = None, sequencer: str | None = None, request_id: str = "",
                **more) -> dict | None:
    """The event for EventBridge, None if it gets none of this type (replication). The key is not encoded here.

    more: what the detail type adds, with underscores: restore_expiry_time, source_storage_class,
    destination_storage_class, destination_access_tier.
    """
    name = _name(event)
    kind = next((kind for start, kind in DETAIL_TYPES.items() if name.startswith(start)), None)
    if kind is None:
        return None
    by_itself = name.startswith(("Lifecycle", "IntelligentTiering")) or name in ("ObjectRestore:Completed",
                                                                                  "ObjectRestore:Delete")
    item = {"key": key, "size": size, "etag": etag, "version-id": version_id,
            "sequencer": sequencer if name.startswith(SEQUENCED) else None}
    detail = {"version": "0", "bucket": {"name": bucket},
              "object": {one: value for one, value in item.items() if value is not None}, "request-id": request_id,
              "requester": "s3.amazonaws.com" if by_itself else requester}
    if source_ip and not by_itself:
        detail["source-ip-address"] = source_ip
    if kind == "Object Created":
        detail["reason"] = REASONS[name.split(":")[1]]
    if kind == "Object Deleted":
        detail["reason"] = "Lifecycle Expiration" if by_itself else "DeleteObject"
        detail["deletion-type"] = ("Delete Marker Created" if name.endswith("DeleteMarkerCreated") else
                                   "Permanently Deleted")
    detail |= {one.replace("_", "-"): value for one, value in more.items()}
    return {"version": "0", "id": event_id, "detail-type": kind, "source": "aws.s3", "account": account,
            "time": _time(now)[:19] + "Z", "region": region, "resources": [f"arn:aws:s3:::{bucket}"], "detail": detail}


def sequence(now: float, serial: int) -> str:
    """A sequencer: greater for what comes later. serial: counts the events of the bucket."""
    return f"{int(now):010X}{serial:08X}"


def later(one: str, other: str) -> bool:
    """Whether one sequencer is of the later event of the same key; the shorter one is padded on the right."""
    width = max(len(one), len(other))
    return one.upper().ljust(width, "0") > other.upper().ljust(width, "0")


def older_version(event: str) -> str:
    """eventVersion before 2.4: 2.1, and more for events that carry more."""
    name = _name(event)
    if name.startswith("Replication:"):
        return "2.2"
    return "2.3" if name.startswith(("Lifecycle", "IntelligentTiering", "ObjectAcl:", "ObjectTagging:",
                                     "ObjectRestore:Delete")) else "2.1"


def _name(event) -> str:
    return event.removeprefix("s3:")


def _covers(wanted, event) -> bool:
    return wanted == event or wanted.endswith(":*") and event.startswith(wanted[:-1])


def _overlap(one, other, begins) -> bool:
    """Could one key begin (or end) with both? Nothing begins every key."""
    return begins(one, other) or begins(other, one)


def _check_entry(one, arn, service, region):
    if not one.get("Events"):
        raise ServiceError("MalformedXML", "Each configuration names at least one event.")
    if unknown := [event for event in one["Events"] if event not in TYPES + WILDCARDS]:
        raise ServiceError("InvalidArgument", f"The event '{unknown[0]}' is not supported for notifications")
    parts = arn.split(":")
    if len(parts) < 6 or parts[2] != service:
        raise ServiceError("InvalidArgument", f"The ARN is not well formed: {arn!r} names no {service} destination.")
    if parts[3] != region:
        raise ServiceError(
            "InvalidArgument",
            "A specified destination is in a different region than the bucket. You must use a destination"
            " that resides in the same region as the bucket.")
    if service in ("sqs", "sns") and arn.endswith(".fifo"):
        raise ServiceError(
            "InvalidArgument",
            f"{arn}: FIFO queues and topics are no destinations of event notifications.")
    seen = []
    for rule in one.get("Filter", {}).get("Key", {}).get("FilterRules", []):
        name = rule["Name"].lower()
        if name not in ("prefix", "suffix"):
            raise ServiceError("InvalidArgument", "filter rule name must be either prefix or suffix")
        if name in seen:
            raise ServiceError("InvalidArgument", f"Cannot specify more than one {name} rule in a filter.")
        if len(rule["Value"].encode()) > LONGEST_VALUE:
            raise ServiceError(
                "InvalidArgument",
                f"Size of filter rule value cannot exceed {LONGEST_VALUE} bytes in UTF-8 representation")
        seen.append(name)


def _time(now) -> str:
    """ISO 8601 with milliseconds."""
    moment = datetime.fromtimestamp(round(now * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
