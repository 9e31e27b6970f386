"""What a bucket's lifecycle rules do to an object, and on which day.

    rules = [{"Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 365},
              "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}]}]
    lifecycle_actions(rules, key="logs/today")         # [(30, "STANDARD_IA"), (365, "EXPIRE")]
    lifecycle_due(created, days=30)                    # the midnight (UTC) on which it falls due
    decide(rules, key="logs/today")                    # the same with what was left undone, and why

Several rules may want the same object. Then AWS takes the cheapest way: the shorter expiration; permanent deletion
before a transition on the same day; of two transitions on one day the colder class, but Intelligent-Tiering before all
but the two archives. And it moves down a waterfall only: never to a warmer class, never to Standard.

**Simplified** A rule without a Status is enabled. An action is done at the midnight it falls due; AWS may need longer,
and bills as if it had not. In a versioned bucket, where an expiration only sets a delete marker, a transition of the
same day comes first; the page does not say when the marker follows: here at once.
**Not modelled** Object Lock and replication, which hold a lifecycle back; directory buckets; Reduced Redundancy.
Whether AWS accepts a configuration is the matter of ``lifecycle_check``: an example of AWS's own page, Standard-IA
after ten days, would be refused, yet is decided here as the page says.

Amazon S3 User Guide, in AWS's published sources: "Examples of S3 Lifecycle configuration", "Lifecycle configuration
elements", "Expiring objects"; "How Amazon S3 handles conflicts in lifecycle configurations"; "Transitioning objects
using Amazon S3 Lifecycle" (its newest list of transitions from a third party's copy). Amazon S3 API Reference, in the
copy that botocore carries: "PutBucketLifecycleConfiguration" (128 KB). Read 2026-11-28.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

DAY = 86400  # s
SMALL = 128 * 1024  # bytes; smaller objects are not transitioned unless a filter names a size
WATERFALL = {  # from a class, the classes that a transition may lead to
    "STANDARD": ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"),
    "STANDARD_IA": ("INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"),
    "INTELLIGENT_TIERING": ("ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"),
    "ONEZONE_IA": ("GLACIER", "DEEP_ARCHIVE"),
    "GLACIER_IR": ("GLACIER", "DEEP_ARCHIVE"),
    "GLACIER": ("DEEP_ARCHIVE",),
    "DEEP_ARCHIVE": ()}
FAVOURED = ("DEEP_ARCHIVE", "GLACIER", "INTELLIGENT_TIERING", "GLACIER_IR", "ONEZONE_IA", "STANDARD_IA")  # on one day
EXPIRE = "EXPIRE"


@dataclass(frozen=True)
class Action:
    """What a rule wants on a day: a class, or EXPIRE. taken: is it done? because: why, or why not."""

    days: int
    action: str
    rule: str
    taken: bool
    because: str


def lifecycle_actions(rules, key: str = "", tags=(), **about) -> list[tuple[int, str]]:
    """(days since creation, class or EXPIRE) of all that is done to the current version of an object, in order.

    rules: boto3's. tags: names, pairs, a dict or boto3's TagSet. about: size, StorageClass, versioned, created and
    minimum_size, as ``decide`` takes them.
    """
    return [(action.days, action.action) for action in decide(rules, key, tags, **about) if action.taken]


def decide(rules, key: str = "", tags=(), size: int = SMALL, StorageClass: str = "STANDARD", versioned: bool = False,
           created: datetime | None = None, minimum_size: str = "all_storage_classes_128K") -> list[Action]:
    """All that the rules want of the current version of an object, and what comes of it.

    created: needed where a rule names a Date. minimum_size: boto3's TransitionDefaultMinimumObjectSize.
    """
    wanted = []
    for name, rule in matching(rules, key, tags, size):
        if (expiration := rule.get("Expiration", {})).keys() & {"Days", "Date"}:
            wanted.append((_day(expiration, created), EXPIRE, name, rule))
        wanted += [(_day(move, created), move["StorageClass"], name, rule) for move in rule.get("Transitions", ())]
    return _resolve(wanted, size, StorageClass, minimum_size, marks=versioned)


def noncurrent_actions(rules, key: str = "", tags=(), newer: int = 0, size: int = SMALL, StorageClass: str = "STANDARD",
                       minimum_size: str = "all_storage_classes_128K") -> list[tuple[int, str]]:
    """The same for a noncurrent version: (days since its successor came, class or EXPIRE), for good.

    newer: how many noncurrent versions are newer than this one; a rule may keep so many untouched.
    """
    wanted = []
    for name, rule in matching(rules, key, tags, size):
        moves = [(move, move["StorageClass"]) for move in rule.get("NoncurrentVersionTransitions", ())]
        if "NoncurrentVersionExpiration" in rule:
            moves.append((rule["NoncurrentVersionExpiration"], EXPIRE))
        wanted += [(move.get("NoncurrentDays", 0), action, name, rule) for move, action in moves
                   if newer >= move.get("NewerNoncurrentVersions", 0)]
    return [(action.days, action.action) for action in _resolve(wanted, size, StorageClass, minimum_size, marks=False)
            if action.taken]


def delete_marker_days(rules, key: str = "", noncurrent_versions: int = 0) -> int | None:
    """After how many days a delete marker is removed: only if no version is left behind it. None: never.

    ExpiredObjectDeleteMarker removes it as soon as it is alone, an Expiration in days when it is that old.
    """
    if not is_expired_delete_marker(noncurrent_versions):
        return None
    found = [0 if expiration.get("ExpiredObjectDeleteMarker") else expiration["Days"]
             for _, rule in matching(rules, key, (), size=0)
             if (expiration := rule.get("Expiration", {})).get("ExpiredObjectDeleteMarker") or "Days" in expiration]
    return min(found, default=None)


def is_expired_delete_marker(noncurrent_versions: int) -> bool:
    """A delete marker with zero noncurrent versions behind it."""
    return noncurrent_versions == 0


def abort_days(rules, key: str = "") -> int | None:
    """After how many days an incomplete multipart upload to this key is aborted. None: never, and it is billed on."""
    found = [rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
             for _, rule in matching(rules, key, (), size=0) if "AbortIncompleteMultipartUpload" in rule]
    return min(found, default=None)


def lifecycle_due(created: datetime, days: int) -> datetime:
    """So many days after an object came (or its successor, for a noncurrent version), at the next midnight UTC."""
    if created.tzinfo is None:
        raise ValueError("created needs a time zone: S3 counts in UTC")
    whole = created.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return whole + timedelta(days=days + 1)


def due_at(created: float, days: int) -> float:
    """The same in seconds of a clock whose second 0 is a midnight."""
    return (created // DAY + days + 1) * DAY


def matching(rules, key: str, tags, size: int):
    """(ID, rule) of each enabled rule whose filter takes such an object."""
    names, pairs = _tags(tags)
    for number, rule in enumerate(rules, 1):
        if rule.get("Status", "Enabled") == "Enabled" and _filter_takes(rule, key, names, pairs, size):
            yield rule.get("ID") or f"rule {number}", rule


def _filter_takes(rule, key, names, pairs, size):
    parts = filter_of(rule)
    return (key.startswith(parts.get("Prefix", "")) and size > parts.get("ObjectSizeGreaterThan", -1)
            and size < parts.get("ObjectSizeLessThan", float("inf"))
            and all(tag in names if isinstance(tag, str) else (tag["Key"], tag["Value"]) in pairs
                    for tag in parts["Tags"]))


def filter_of(rule) -> dict:
    """A rule's conditions, whichever way they are written: all of them must hold."""
    found = rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}
    found = {**found, **found.get("And", {})}
    return {**found, "Tags": [*found.get("Tags", ()), *([found["Tag"]] if "Tag" in found else ())]}


def _tags(tags):
    """Names and (key, value) pairs of tags, however they are given."""
    items = list(tags.items()) if isinstance(tags, dict) else [
        (tag["Key"], tag["Value"]) if isinstance(tag, dict) else tag for tag in tags]
    pairs = {item for item in items if not isinstance(item, str)}
    return {item for item in items if isinstance(item, str)} | {name for name, _ in pairs}, pairs


def _day(when, created):
    """The day of an action; a Date is reached at its midnight, and a date in the past at once."""
    if "Days" in when:
        return when["Days"]
    if created is None:
        raise ValueError("a rule names a Date: say when the object was created")
    return max(0, (when["Date"] - lifecycle_due(created, 0)).days)


def _resolve(wanted, size, current, minimum_size, marks):
    """Walk through the days: expiration first unless it only marks, then the favoured class, and down the waterfall."""
    end = min((days for days, action, *_ in wanted if action == EXPIRE), default=float("inf"))
    order = sorted(wanted, key=lambda want: (want[0], (want[1] == EXPIRE) == marks,
                                             0 if want[1] == EXPIRE else FAVOURED.index(want[1])))
    found, expired = [], False
    for days, action, name, rule in order:
        if action == EXPIRE:
            taken, why = not expired, "the shortest expiration" if not expired else "it has expired before"
            expired = True
        elif days > end or (days == end and not marks):
            taken, why = False, "the object is gone by then"
        elif not _large_enough(rule, size, action, minimum_size):
            taken, why = False, "smaller than 128 KB"
        elif action not in WATERFALL[current]:
            taken, why = False, f"there is no way from {current} to {action}"
        else:
            taken, why, current = True, f"from {current}", action
        found.append(Action(days, action, name, taken, why))
    return found


def _large_enough(rule, size, storage_class, minimum_size):
    if size >= SMALL or filter_of(rule).keys() & {"ObjectSizeGreaterThan", "ObjectSizeLessThan"}:
        return True  # a size in the filter takes the place of the default
    return minimum_size == "varies_by_storage_class" and storage_class in ("GLACIER", "DEEP_ARCHIVE")
