"""A bucket over years: what its lifecycle rules make of a million objects, and what that saves.

    run = simulate(objects=1_000_000, days=3 * 365)             # by cohorts: all that came on one day move together
    run["STANDARD"], run["GLACIER"]                             # bytes in each class, day by day
    run["dollars"], run["total"]                                # of the day, and until then
    plain = simulate(rules=[])                                  # the same bucket without rules
    object_by_object(objects=10_000, days=365)                  # each object by itself, each of its own size

An object of one kind that came on one day goes the way of all others, so a cohort is one number. The million cost as
much to compute as a thousand; the run object by object is there to check that, and for objects that differ.

**Simplified** Storage is billed by whole days, from the day an object came. Nobody reads, overwrites or deletes; what
goes is expired by a rule. Lifecycle works at midnight. The minimum duration that is missing is charged on the day an
object leaves its class. Intelligent-Tiering steps down after 30 and 90 days without a read.
**Not modelled** Versions, multipart uploads, growth that is not steady, the cheaper prices above 50 TB.

The rules' sense is that of ``lifecycle``, the prices are those of ``storage_classes``; their pages stand there. Amazon S3
User Guide, "Transitioning objects using Amazon S3 Lifecycle" (a request for each transition; bills go by the date of
the rule). Read 2026-11-28.
"""

from dataclasses import dataclass
from itertools import accumulate
from random import Random

from kit.sim import Records
from kit.storage.lifecycle import DAY, EXPIRE, due_at, lifecycle_actions
from kit.storage.storage_classes import CLASSES, MONTH, TIERS, object_rate
from kit.storage.storage_cost import early_deletion


@dataclass(frozen=True)
class Kind:
    """A part of a bucket's objects: their prefix, how large a share of them, bytes of each."""

    prefix: str
    share: float
    size: int


KINDS = (Kind("logs/", 0.6, 2**20), Kind("photos/", 0.3, 4 * 2**20), Kind("thumbnails/", 0.1, 32 * 1024))
RULES = (
    {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 365},
     "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}]},
    {"ID": "photos", "Status": "Enabled", "Filter": {"Prefix": "photos/"},
     "Transitions": [{"Days": 60, "StorageClass": "GLACIER_IR"}]},
    {"ID": "all", "Status": "Enabled", "Filter": {}, "Transitions": [{"Days": 180, "StorageClass": "DEEP_ARCHIVE"}]})
COLUMNS = ("day", "objects", "transitions", "expired", "dollars", "total",
           *CLASSES, *(f"$ {name}" for name in CLASSES))  # bytes, and dollars of storage that day


def simulate(objects: int = 1_000_000, rules=RULES, days: int = 3 * 365, kinds=KINDS, seed: int = 1) -> Records:
    """The bucket day by day; the objects come evenly over the days, a little more on one and less on another."""
    changes = _Changes(days)
    for kind, counts in zip(kinds, _arrivals(objects, days, kinds, seed)):
        steps = list(_way(kind.size, lifecycle_actions(rules, key=kind.prefix, size=kind.size), lambda n: n + 1))
        for day, count in enumerate(counts):
            for after, old, new, rate, fee in steps:
                if day + after >= days:
                    break
                changes.add(day + after, count, kind.size, old, new, rate, fee)
    return changes.records()


def object_by_object(objects: int = 10_000, rules=RULES, days: int = 365, kinds=KINDS, spread: float = 0.0,
                     seed: int = 1) -> Records:
    """The same, each object with its own second of birth and, with ``spread``, its own size (log-normal)."""
    rng, changes = Random(f"{seed} objects"), _Changes(days)
    for kind, counts in zip(kinds, _arrivals(objects, days, kinds, seed)):
        for day, count in enumerate(counts):
            for _ in range(count):
                created = day * DAY + rng.random() * DAY
                size = round(kind.size * rng.lognormvariate(0, spread)) if spread else kind.size
                actions = lifecycle_actions(rules, key=kind.prefix, size=size)
                for after, old, new, rate, fee in _way(size, actions, lambda n: due_at(created, n) / DAY - day):
                    if day + after >= days:
                        break
                    changes.add(day + int(after), 1, size, old, new, rate, fee)
    return changes.records()


def saved(objects: int = 1_000_000, rules=RULES, days: int = 3 * 365, kinds=KINDS, seed: int = 1) -> float:
    """Dollars that the rules save against keeping all in Standard; below 0: they cost more than they save."""
    plain, ruled = (simulate(objects, some, days, kinds, seed)["total"][-1] for some in ((), rules))
    return plain - ruled


class _Changes:
    """What is different from one day to the next, added up at the end."""

    def __init__(self, days):
        self.days = days
        self.bytes, self.rates = ({name: [0.0] * days for name in CLASSES} for _ in range(2))
        self.objects, self.transitions, self.expired, self.fees = ([0] * days for _ in range(4))

    def add(self, day, count, size, old, new, rate, fee):
        """So many objects go from a class to another (None: from or to nowhere), with the change of their rates."""
        self.fees[day] += count * fee
        if old is None:
            self.objects[day] += count
        elif new is None:
            self.objects[day] -= count
            self.expired[day] += count
        elif old != new:
            self.transitions[day] += count
        if old is not None:
            self.bytes[old][day] -= count * size
            self.rates[old][day] -= count * rate[0]
        if new is not None:
            self.bytes[new][day] += count * size
            self.rates[new][day] += count * rate[1]

    def records(self):
        held = [list(accumulate(self.bytes[name])) for name in CLASSES]
        bill = [_without_dust([rate / MONTH for rate in accumulate(self.rates[name])]) for name in CLASSES]
        a_day = [sum(row) + fee for row, fee in zip(zip(*bill), self.fees)]
        table = Records(*COLUMNS)
        for row in zip(range(self.days), accumulate(self.objects), self.transitions, self.expired, a_day,
                       accumulate(a_day), *held, *bill):
            table.append(*row)
        return table


def _without_dust(sums):
    """What is left of floating-point sums when all has been taken away again is nothing, not 1e-18."""
    dust = 1e-9 * max(map(abs, sums), default=0.0)
    return [value if abs(value) > dust else 0.0 for value in sums]


def _way(size, actions, due):
    """(days after its birth, class before, class after, rates before and after, fee) of all that befalls an object."""
    put = CLASSES["STANDARD"].put
    at, now, rate = 0, "STANDARD", object_rate("STANDARD", size)
    yield 0, None, now, (0.0, rate), put
    for number, action in actions:
        day = due(number)
        yield from _tiers(size, now, at, day)
        rate = object_rate(now, size, day - at)
        early = early_deletion(now, size, (day - at) / MONTH)
        if action == EXPIRE:
            yield day, now, None, (rate, 0.0), early
            return
        after = object_rate(action, size)
        yield day, now, action, (rate, after), early + CLASSES[action].transition
        at, now = day, action
    yield from _tiers(size, now, at, float("inf"))


def _tiers(size, storage_class, since, until):
    """Intelligent-Tiering's own steps, until the object leaves the class."""
    if storage_class == "INTELLIGENT_TIERING":
        steps = [tier[1] for tier in TIERS if tier[3]]
        for before, idle in zip(steps, steps[1:]):
            if since + idle < until:
                rates = object_rate(storage_class, size, before), object_rate(storage_class, size, idle)
                yield since + idle, storage_class, storage_class, rates, 0.0


def _arrivals(objects, days, kinds, seed):
    """How many objects of each kind come on each day, exactly so many in all."""
    rng = Random(f"{seed} arrivals")
    ends = [round(objects * part) for part in accumulate(kind.share for kind in kinds)]
    for number in (end - start for start, end in zip([0, *ends], ends)):
        weights = list(accumulate(max(0.1, rng.gauss(1, 0.2)) for _ in range(days)))
        until = [round(number * weight / weights[-1]) for weight in weights]
        yield [after - before for before, after in zip([0, *until], until)]
