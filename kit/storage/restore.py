"""Reading what is archived: ask for a copy, wait for minutes or hours, read it while it is there.

    tape = ArchivedObject("film.mp4", size=2**30, StorageClass="GLACIER")
    tape.get_object(now=0)                                      # ServiceError InvalidObjectState
    tape.restore_object(now=0, Days=3, Tier="Bulk")             # 202: it takes five to twelve hours
    tape.head_object(now=60)["Restore"]                         # ongoing-request="true"
    tape.get_object(now=13 * 3600)                              # there
    tape.restore_object(now=13 * 3600, Days=10)                 # 200: the copy stays longer, counted from now

The archive itself never moves; the copy is billed beside it and goes by itself, at a midnight. While a restore is under
way it can only be made faster.

**Simplified** How long a restore takes is drawn evenly from AWS's "typical" hours; where the guide gives only a latest
hour, from its second half. ``now`` is in Unix seconds. The copy's days count from the request, as the guide says; if
restoring took longer than they last, from when the copy is there, of which the guide says nothing. Provisioned capacity
serves exactly three expedited requests in five minutes for each unit (AWS: at least), for 30 days (AWS: a month);
without it, ``busy`` says whether AWS has room. A restore that is made faster is charged once, as the faster one.
**Not modelled** SELECT requests, batch operations, rates of very many restores, notifications (``events`` lists them).

Amazon S3 User Guide, in AWS's published sources: "Archive retrieval options", "Restoring an archived object" (midnight),
"How S3 Intelligent-Tiering works"; its newer page "Understanding archive retrieval options" (300 MB a second). Amazon
S3 API Reference, in the copy that botocore carries: "RestoreObject", "HeadObject", "GetObject". Texts of refusals as
public projects quote them (getmoto/moto pull request 4670, s3tools/s3cmd issue 1377). That an Expedited restore of Deep
Archive is refused is the guide's; its code, InvalidArgument, was not found. Read 2026-11-28.
"""

from datetime import datetime, timezone
from email.utils import format_datetime
from random import Random

from kit.errors import ServiceError
from kit.storage.lifecycle import due_at
from kit.storage.storage_classes import CLASSES, GB, MONTH, RETRIEVALS, class_of, retrieval

MINUTE, HOUR = 60.0, 3600.0
TIERS = ("Bulk", "Standard", "Expedited")  # slowest first
TYPICAL = {  # (class, tier): seconds, from and to
    ("GLACIER", "Expedited"): (1 * MINUTE, 5 * MINUTE),
    ("GLACIER", "Standard"): (3 * HOUR, 5 * HOUR),
    ("GLACIER", "Bulk"): (5 * HOUR, 12 * HOUR),
    ("DEEP_ARCHIVE", "Standard"): (6 * HOUR, 12 * HOUR),  # "within 12 hours"
    ("DEEP_ARCHIVE", "Bulk"): (24 * HOUR, 48 * HOUR)}  # "within 48 hours"
LARGE, THROUGHPUT = 250e6, 300e6  # bytes above which an expedited restore takes longer, and bytes a second then
PER_UNIT, WINDOW = 3, 5 * MINUTE  # expedited retrievals in this time for each unit of provisioned capacity
UNIT_LASTS = 30 * 86400  # s
AS_CLASS = {"ARCHIVE_ACCESS": "GLACIER", "DEEP_ARCHIVE_ACCESS": "DEEP_ARCHIVE"}  # Intelligent-Tiering's archive tiers


class ArchivedObject:
    """One object in GLACIER, DEEP_ARCHIVE, or an archive tier of Intelligent-Tiering (AccessTier).

    expires_at: when a lifecycle rule expires the object itself, copy and all. capacity: an ExpeditedCapacity.
    """

    def __init__(self, Key: str, size: int, StorageClass: str = "GLACIER", AccessTier: str | None = None,
                 expires_at: float = float("inf"), capacity: "ExpeditedCapacity | None" = None, seed: int = 1):
        class_of(StorageClass)
        if AccessTier is not None and (AccessTier not in AS_CLASS or StorageClass != "INTELLIGENT_TIERING"):
            raise ValueError(f"{StorageClass} has no access tier {AccessTier!r}")
        self.Key, self.size, self.StorageClass, self.AccessTier = Key, size, StorageClass, AccessTier
        self.expires_at, self.capacity = expires_at, ExpeditedCapacity() if capacity is None else capacity
        self._random = Random(f"{seed} {Key}")
        self._tier = self._days = self._asked = self._ready = self._until = None
        self.charges = []  # (now, what, dollars)
        self.events = []  # (now, name): s3:ObjectRestore:Post, Completed, Delete

    def restore_object(self, now: float, Days: int | None = None, Tier: str = "Standard") -> int:
        """Ask for a copy for so many days: 202, or 200 if one is there and only its days change."""
        self._settle(now)
        archive = self._archive(now)
        if archive is None and self.StorageClass == "INTELLIGENT_TIERING":
            raise ServiceError("ObjectAlreadyInActiveTierError", "This action is not allowed against this storage tier.")
        if archive is None:
            raise ServiceError("InvalidObjectState", "Restore is not allowed for the object's current storage class")
        self._check(archive, Days, Tier)
        if self._ready is not None and now < self._ready:
            return self._faster(now, archive, Days, Tier)
        if self._until is not None:
            before, self._tier, self._days, self._until = self._until, Tier, Days, due_at(now, Days)
            self._charge(now, "request", 1)
            self._charge_copy(now, self._until - before)
            return 200
        if Tier == "Expedited":
            self.capacity.admit(now)
        self._tier, self._days, self._asked, self._ready = Tier, Days, now, now + self._takes(archive, Tier)
        self._charge(now, "request", 1)
        self.events.append((now, "s3:ObjectRestore:Post"))
        return 202

    def get_object(self, now: float) -> int:
        """The object's size in bytes; ServiceError InvalidObjectState as long as there is no copy to read."""
        self._settle(now)
        if self._archive(now) is not None and self._until is None:
            raise ServiceError("InvalidObjectState", "The operation is not valid for the object's storage class")
        return self.size

    def head_object(self, now: float) -> dict:
        """StorageClass, ContentLength and, from the first restore on, Restore: the text of the header x-amz-restore."""
        self._settle(now)
        self._archive(now)
        found = {"StorageClass": self.StorageClass, "ContentLength": self.size}
        if self.AccessTier:
            found["ArchiveStatus"] = self.AccessTier
        if self._ready is not None and now < self._ready:
            return found | {"Restore": 'ongoing-request="true"'}
        if self._until is not None:
            when = format_datetime(datetime.fromtimestamp(self._until, timezone.utc), usegmt=True)
            return found | {"Restore": f'ongoing-request="false", expiry-date="{when}"'}
        return found

    def _archive(self, now):
        """The archive class it is to be restored from; None if it can be read at once."""
        if now >= self.expires_at:
            raise ServiceError("NoSuchKey", "The specified key does not exist.")
        if self.StorageClass == "INTELLIGENT_TIERING":
            return AS_CLASS.get(self.AccessTier)
        return self.StorageClass if CLASSES[self.StorageClass].archived else None

    def _check(self, archive, Days, Tier):
        if Tier not in TIERS:
            raise ServiceError("MalformedXML", f"Tier is one of {', '.join(TIERS)}.")
        if (archive, Tier) not in TYPICAL:
            raise ServiceError("InvalidArgument", "Retrieval option is not supported by this storage class")
        if self.StorageClass == "INTELLIGENT_TIERING":
            if Days is not None:
                raise ServiceError("InvalidArgument", "INTELLIGENT_TIERING objects are not subject to restore expiry. "
                                                      "Do not specify Days when restoring this object")
        elif Days is None:
            raise ServiceError("MalformedXML", "A restore needs Days.")
        elif Days < 1:
            raise ServiceError("InvalidArgument", "Days is 1 or more.")

    def _faster(self, now, archive, Days, Tier):
        """A second request while the first is under way: only a faster tier, for the same days."""
        if Days != self._days or TIERS.index(Tier) <= TIERS.index(self._tier):
            raise ServiceError("RestoreAlreadyInProgress", "Object restore is already in progress")
        if Tier == "Expedited":
            self.capacity.admit(now)
        self._tier, self._ready = Tier, min(self._ready, now + self._takes(archive, Tier))
        del self.charges[-1]  # the slower request: the restore is charged at the price of the tier it was raised to
        self._charge(now, "request", 1)
        return 202

    def _takes(self, archive, Tier):
        seconds = self._random.uniform(*TYPICAL[archive, Tier])
        return seconds + (self.size / THROUGHPUT if Tier == "Expedited" and self.size >= LARGE else 0.0)

    def _settle(self, now):
        """What has happened by now: the copy came, the copy went."""
        if self._ready is not None and now >= self._ready:
            self.events.append((self._ready, "s3:ObjectRestore:Completed"))
            self._charge(self._ready, "retrieval", self.size / GB)
            if self.StorageClass == "INTELLIGENT_TIERING":
                self.AccessTier = None  # it is back in the Frequent Access tier, for as long as it is read
            else:
                self._until = due_at(self._asked, self._days)
                if self._until <= self._ready:
                    self._until = due_at(self._ready, self._days)
                self._charge_copy(self._ready, self._until - self._ready)
            self._ready = None
        if self._until is not None and now >= self._until:
            self.events.append((self._until, "s3:ObjectRestore:Delete"))
            self._until = None

    def _charge(self, now, what, number):
        """Restoring is free in Intelligent-Tiering, but for Expedited: that costs what it costs in GLACIER."""
        free = self.StorageClass == "INTELLIGENT_TIERING" and self._tier != "Expedited"
        archive = AS_CLASS.get(self.AccessTier, self.StorageClass)
        price = 0.0 if free else retrieval(archive, self._tier)[what == "retrieval"]
        self.charges.append((now, what, number * price))

    def _charge_copy(self, now, seconds):
        """The copy's storage, at Standard's price; less if a change of days makes it go sooner."""
        self.charges.append((now, "copy", self.size / GB * CLASSES["STANDARD"].storage * seconds / 86400 / MONTH))


class ExpeditedCapacity:
    """Room for expedited retrievals: AWS's own, if it is not ``busy``, or units that were bought for a month."""

    def __init__(self, busy: bool = False):
        self.busy, self._units, self._served = busy, [], []

    def purchase_provisioned_capacity(self, now: float) -> float:
        """Buy a unit; the time at which it ends."""
        self._units.append(now + UNIT_LASTS)
        return self._units[-1]

    def admit(self, now: float) -> None:
        """Take an expedited request in, or ServiceError GlacierExpeditedRetrievalNotAvailable."""
        units = sum(end > now for end in self._units)
        self._served = [at for at in self._served if at > now - WINDOW]
        if len(self._served) >= PER_UNIT * units if units else self.busy:
            raise ServiceError("GlacierExpeditedRetrievalNotAvailable",
                               "Glacier expedited retrievals are currently not available, please try again later")
        self._served.append(now)


def restore_cost(StorageClass: str, Tier: str, size: int, Days: float = 1.0, objects: int = 1) -> dict:
    """Dollars to restore so many objects: request, retrieval, and the copies for their days."""
    request, a_gb = retrieval(StorageClass, Tier)
    gb = objects * size / GB
    return {"request": objects * request, "retrieval": gb * a_gb,
            "copy": gb * CLASSES["STANDARD"].storage * Days / MONTH}


def ways() -> list[tuple[str, str]]:
    """(class, tier) of all ways to restore, the fastest first."""
    return sorted(RETRIEVALS, key=lambda way: TYPICAL[way][1])
