"""What it costs to keep objects for some months and read them now and then, in each storage class.

    keep("STANDARD_IA", size=1 << 20, months=12, reads=0.5, objects=10_000)      # storage, requests, retrieval, early
    crossing("STANDARD_IA", size=1 << 30)       # reads a month from which on Standard is cheaper: about one
    smallest("STANDARD_IA")                     # bytes from which on it is cheaper than Standard: about 70 KB
    compare(years=3, reads=0.1)                 # the classes side by side, month by month
    by_access(years=3)                          # the same over the reads a month

A colder class wins what storage is cheaper and loses what reading is dearer. Where the two meet is a line's zero, so
the crossing points need no search.

**Simplified** All objects are alike, written once into their class and read evenly: each ``reads`` times a month, whole,
one GET each. What is deleted before its minimum duration is charged for the rest of it at once. A restored copy is kept
for a day. In Intelligent-Tiering each read brings an object back to the Frequent Access tier; its archive tiers are
off. All storage is at the price of the first 50 TB.
**Not modelled** Transfer out of the Region, lists, versions, replication.

Amazon S3 User Guide, "Using Amazon S3 storage classes", "How S3 Intelligent-Tiering works", "Expiring objects" (minimum
storage duration); prices as in ``storage_classes``, where their sources stand. Read 2026-11-28.
"""

from dataclasses import dataclass
from math import inf

from kit.sim import Records
from kit.storage.storage_classes import CLASSES, GB, MONITORED, MONTH, TIERS, class_of, object_rate, read_price


@dataclass(frozen=True)
class Cost:
    """Dollars."""

    storage: float
    requests: float
    retrieval: float
    early: float

    @property
    def total(self) -> float:
        return self.storage + self.requests + self.retrieval + self.early


def keep(storage_class: str, size: int, months: float, reads: float = 0.0, objects: int = 1,
         tier: str = "Standard") -> Cost:
    """Dollars to write so many objects into a class, keep them for so many months, read and then delete them.

    reads: of each object a month. tier: by which an archived one is restored. early: for what is missing of the
    minimum duration.
    """
    if size < 0 or months < 0 or reads < 0 or objects < 0:
        raise ValueError(f"size={size}, months={months}, reads={reads}, objects={objects}: none of them below 0")
    kind, rate = class_of(storage_class), mean_rate(storage_class, size, months, reads)
    times = objects * months * reads
    gets = times * kind.get
    return Cost(objects * months * rate, objects * kind.put + gets, times * read_price(storage_class, size, tier) - gets,
                objects * early_deletion(storage_class, size, months))


def early_deletion(storage_class: str, size: int, months: float) -> float:
    """Dollars for one object that is deleted, overwritten or moved after so many months: the rest of the minimum."""
    missing = max(0.0, class_of(storage_class).minimum_days / MONTH - months)
    return missing * object_rate(storage_class, size)


def mean_rate(storage_class: str, size: int, months: float = inf, reads: float = 0.0) -> float:
    """Dollars a month for one object; in Intelligent-Tiering the mean between two reads."""
    if storage_class != "INTELLIGENT_TIERING" or size < MONITORED:
        return object_rate(storage_class, size)
    gap = min(MONTH / reads if reads else inf, months * MONTH)  # days until it is read again, or gone
    tiers = [tier for tier in TIERS if tier[3]]
    starts = [tier[1] for tier in tiers]
    if gap == inf or gap == 0:
        return object_rate(storage_class, size, idle_days=starts[-1] if gap else 0)
    ends = [min(end, gap) for end in (*starts[1:], inf)]
    return sum(max(0.0, end - start) / gap * object_rate(storage_class, size, start) for start, end in zip(starts, ends))


def crossing(cold: str, warm: str = "STANDARD", size: int = GB, months: float = inf, tier: str = "Standard") -> float:
    """Reads a month of each object at which two classes cost the same; above them the warm one is cheaper.

    0: the cold one never pays, however seldom it is read. inf: it always does. months: how long objects are kept, for
    the dearer write and the minimum duration; unless given, those are spread so thin that they vanish.
    """
    if "INTELLIGENT_TIERING" in (cold, warm):
        raise ValueError("Intelligent-Tiering has no crossing point: what it costs a month follows the reads")
    saved = _fixed(warm, size, months) - _fixed(cold, size, months)
    dearer = read_price(cold, size, tier) - read_price(warm, size, tier)
    if saved <= 0:
        return 0.0
    return saved / dearer if dearer > 0 else inf


def smallest(cold: str) -> float:
    """Bytes from which on an object that nobody reads is cheaper in this class than in Standard."""
    kind, standard = class_of(cold), CLASSES["STANDARD"].storage
    if kind.storage >= standard:
        return inf
    if kind.minimum_bytes:  # below the minimum the bill is the same for every size
        return kind.minimum_bytes * kind.storage / standard
    return (kind.overhead * kind.storage + kind.overhead_standard * standard) / (standard - kind.storage)


def pays_back(cold: str, warm: str = "STANDARD", size: int = GB) -> float:
    """Months until a transition has saved what the request for it cost; inf: never."""
    saved = object_rate(warm, size) - object_rate(cold, size)
    return class_of(cold).transition / saved if saved > 0 else inf


def cheapest(size: int, months: float, reads: float = 0.0, online: bool = True) -> str:
    """The class with the lowest bill. online: only those that answer within milliseconds."""
    names = [name for name, kind in CLASSES.items() if not (online and kind.archived)]
    return min(names, key=lambda name: keep(name, size, months, reads).total)


def compare(size: int = 2**20, objects: int = 1_000_000, years: float = 3.0, reads: float = 0.1) -> Records:
    """month, and dollars until then in each class, if the objects were deleted at that time."""
    table = Records("month", *CLASSES)
    for month in range(round(12 * years) + 1):
        table.append(month, *(keep(name, size, month, reads, objects).total for name in CLASSES))
    return table


def by_access(size: int = 2**20, objects: int = 1_000_000, years: float = 3.0, most: float = 3.0) -> Records:
    """reads of each object a month, from 0 to ``most``, and dollars for all the years in each class."""
    table = Records("reads", *CLASSES)
    for step in range(61):
        reads = most * step / 60
        table.append(reads, *(keep(name, size, 12 * years, reads, objects).total for name in CLASSES))
    return table


def _fixed(storage_class, size, months):
    """Dollars a month of one object without any read: storage, and the write and the early deletion spread over it."""
    once = class_of(storage_class).put + early_deletion(storage_class, size, months)
    return object_rate(storage_class, size) + (0.0 if months == inf else once / months)
