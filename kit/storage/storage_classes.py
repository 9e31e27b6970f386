"""The storage classes of S3: what each costs, what it asks for, what it promises.

    CLASSES["STANDARD_IA"].storage              # dollars a GB-month
    object_rate("GLACIER", size=1 << 20)        # dollars a month for one object, its overhead with it
    read_price("DEEP_ARCHIVE", size=1 << 30)    # dollars to read it once
    table()                                     # all of it, as Records

A colder class is cheaper to keep and dearer to touch: it asks for a least time, bills small objects as larger ones or
adds 40 KB to each, and takes money for every GB that is read.

**Simplified** US East (N. Virginia), list prices, the first 50 TB of a month. A GB is 2**30 bytes (AWS's own examples
count 102,400 GB for 100 TB), a month 730 hours. An archived object adds 32 KB at its class's price and 8 KB at
Standard's. One price of PUT stands for PUT, COPY, POST and LIST.
**Not modelled** S3 Express One Zone, Reduced Redundancy, Outposts; transfer out of the Region; the free tier.

Amazon S3 User Guide: "Using Amazon S3 storage classes" (durations, sizes, zones, availability), "How S3
Intelligent-Tiering works", "Transitioning objects using Amazon S3 Lifecycle" (overhead), "Archive retrieval options";
in AWS's published sources of the guide. "Amazon S3 Service Level Agreement" of 2023-11-28. AWS re:Post, "manage data
retrieval": requests and GB of GLACIER's Standard retrieval, requests of Expedited.
**Prices not confirmed on AWS's page**: the stored copies of "Amazon S3 pricing" have no figures in them. Storage,
monitoring and Standard's requests: a third party's print of AWS's price list of October 2025. The other requests and
retrievals: the open-source project objectfs, which checks them against that list. Transitions: the same, for
DEEP_ARCHIVE, and third-party tables. Deep Archive's retrievals and the price of provisioned capacity: third parties'
notes. Read 2026-11-28.
"""

from dataclasses import dataclass

from kit.sim import Records

READ = "2026-11-28"  # when the prices were looked up
GB, KB = 2**30, 1024
MONTH = 365 / 12  # days: 730 hours


@dataclass(frozen=True)
class StorageClass:
    """Dollars: storage a GB-month; put, get, transition a request; retrieval a GB. Minimum: days, bytes billed at least.

    overhead: bytes added to each object at this class's price, and overhead_standard at Standard's. availability: what
    it is designed for, in percent; sla: below which AWS gives credit. first_byte: how long a read takes to begin.
    """

    name: str
    says: str
    storage: float
    minimum_days: int
    minimum_bytes: int
    overhead: int
    overhead_standard: int
    availability: float
    sla: float
    zones: int
    retrieval: float
    put: float
    get: float
    transition: float
    first_byte: str

    @property
    def archived(self) -> bool:
        """Must an object be restored before it can be read?"""
        return self.overhead > 0


CLASSES = {row[0]: StorageClass(*row) for row in (
    ("STANDARD", "S3 Standard",
     0.023, 0, 0, 0, 0, 99.99, 99.9, 3, 0.0, 5e-6, 4e-7, 0.0, "milliseconds"),
    ("INTELLIGENT_TIERING", "S3 Intelligent-Tiering",
     0.023, 0, 0, 0, 0, 99.9, 99.0, 3, 0.0, 5e-6, 4e-7, 1e-5, "milliseconds"),
    ("STANDARD_IA", "S3 Standard-IA",
     0.0125, 30, 128 * KB, 0, 0, 99.9, 99.0, 3, 0.01, 1e-5, 1e-6, 1e-5, "milliseconds"),
    ("ONEZONE_IA", "S3 One Zone-IA",
     0.01, 30, 128 * KB, 0, 0, 99.5, 99.0, 1, 0.01, 1e-5, 1e-6, 1e-5, "milliseconds"),
    ("GLACIER_IR", "S3 Glacier Instant Retrieval",
     0.004, 90, 128 * KB, 0, 0, 99.9, 99.0, 3, 0.03, 2e-5, 1e-5, 2e-5, "milliseconds"),
    ("GLACIER", "S3 Glacier Flexible Retrieval",
     0.0036, 90, 0, 32 * KB, 8 * KB, 99.99, 99.9, 3, 0.01, 3e-5, 4e-7, 3e-5, "minutes to hours"),
    ("DEEP_ARCHIVE", "S3 Glacier Deep Archive",
     0.00099, 180, 0, 32 * KB, 8 * KB, 99.99, 99.9, 3, 0.02, 5e-5, 4e-7, 5e-5, "hours"))}

MONITORING = 2.5e-6  # $ a month for each object of 128 KB and more in Intelligent-Tiering
MONITORED = 128 * KB  # smaller objects are not monitored and stay in the Frequent Access tier
TIERS = (  # of Intelligent-Tiering: name, days without access from which on, $ a GB-month, is it automatic?
    ("Frequent Access", 0, 0.023, True),
    ("Infrequent Access", 30, 0.0125, True),
    ("Archive Instant Access", 90, 0.004, True),
    ("Archive Access", 90, 0.0036, False),
    ("Deep Archive Access", 180, 0.00099, False))
RETRIEVALS = {  # (class, tier of retrieval): $ a request, $ a GB
    ("GLACIER", "Expedited"): (0.01, 0.03), ("GLACIER", "Standard"): (5e-5, 0.01), ("GLACIER", "Bulk"): (0.0, 0.0),
    ("DEEP_ARCHIVE", "Standard"): (1e-4, 0.02), ("DEEP_ARCHIVE", "Bulk"): (2.5e-5, 0.0025)}
PROVISIONED_CAPACITY = 100.0  # $ a month for a unit


def object_rate(storage_class: str, size: int, idle_days: float = 0.0) -> float:
    """Dollars a month to keep one object. idle_days: since its last read, which Intelligent-Tiering goes by."""
    kind, standard = class_of(storage_class), CLASSES["STANDARD"].storage
    if storage_class == "INTELLIGENT_TIERING":
        return MONITORING + size / GB * tier_at(idle_days)[2] if size >= MONITORED else size / GB * standard
    own = max(size, kind.minimum_bytes) + kind.overhead
    return (own * kind.storage + kind.overhead_standard * standard) / GB


def read_price(storage_class: str, size: int, tier: str = "Standard", copy_days: float = 1.0) -> float:
    """Dollars to read one object once; an archived one is restored first, and its copy kept for some days."""
    kind = class_of(storage_class)
    if not kind.archived:
        return kind.get + size / GB * kind.retrieval
    request, a_gb = retrieval(storage_class, tier)
    return request + size / GB * (a_gb + copy_days / MONTH * CLASSES["STANDARD"].storage) + kind.get


def retrieval(storage_class: str, tier: str = "Standard") -> tuple[float, float]:
    """Dollars a request and a GB for one of the ways to restore."""
    if (storage_class, tier) not in RETRIEVALS:
        raise ValueError(f"{storage_class} has no {tier} retrieval; there are "
                         + ", ".join(f"{kind} {way}" for kind, way in RETRIEVALS))
    return RETRIEVALS[storage_class, tier]


def tier_at(idle_days: float) -> tuple:
    """The automatic tier of Intelligent-Tiering that an object is in after so many days without a read."""
    return [tier for tier in TIERS if tier[3] and tier[1] <= idle_days][-1]


def class_of(storage_class: str) -> StorageClass:
    if storage_class not in CLASSES:
        raise ValueError(f"no storage class {storage_class!r} here; there are {', '.join(CLASSES)}")
    return CLASSES[storage_class]


def table() -> Records:
    """All classes side by side."""
    rows = Records(*StorageClass.__dataclass_fields__)
    for kind in CLASSES.values():
        rows.append(*(getattr(kind, name) for name in rows.columns))
    return rows
