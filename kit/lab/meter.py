"""What the things in a sandbox would cost on AWS: by the hour, by the request, by the gigabyte.

Prices are in prices.yaml, with the date and the page they were read on. Behaviours say what runs, and what was used:

    meter.run("i-123", "ec2:t3.micro")              # from now on, one
    meter.end("i-123")
    meter.add("queue orders", "sqs:request", 1)
    meter.add_time("metrics Shop", "cloudwatch:metric", 3600)      # one, for an hour
    meter.more("log group /shop", "logs:stored", 2, until=86_400)  # two more than before, until then
    meter.unpriced("i-456", "x24xlarge")            # it runs, and the bill says that it doesn't know its price

**Simplified** One region, On-Demand, the first price tier, no taxes. What AWS gives everybody free each month is taken
off, always; what new accounts get on top (credits, or the first twelve months of older accounts) is not. A month is a
calendar month of the sandbox's time, as long as it is, as in AWS's example of a volume ("Amazon EBS pricing", Example
1); looking ahead from no date, as a quote does, it is 730 hours. Read 2026-11-28.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path

from kit.sim.records import Table

HOUR, DAY, MONTH_HOURS = 3600.0, 86_400.0, 730.0
FORGOTTEN_DAYS = 30
NOTHING = 1e-12  # which part of an amount is only what adding and subtracting leave over
READING = ("Describe", "Get", "Head", "List", "Lookup")  # how the names of calls begin that make nothing


@cache
def prices() -> dict:
    """item -> {"price" in US dollars, "per", "says", "source", and "free" a month where there is some}."""
    import yaml
    return yaml.safe_load((Path(__file__).parent / "prices.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Line:
    """One item of a bill: what was used, how much of it is free, what the rest costs in US dollars."""

    item: str
    resource: str
    quantity: float
    free: float
    cost: float


class Meter:
    """Counts from the moment something runs to the moment it ends; nothing twice.

    calls: all calls of the sandbox, so that a bill can say which services it knows nothing of.
    """

    def __init__(self, clock, calls=()):
        self._clock, self._calls = clock, calls
        self._running = {}  # (resource, item) -> (since, amount)
        self._ends = {}  # (resource, item) -> {time: which part of the amount ends then}
        self._used = {}  # (month, item, resource) -> quantity in the price's unit
        self._unpriced = {}  # resource -> what it is

    def run(self, resource: str, item: str, amount: float = 1.0) -> None:
        """From now on the resource uses ``amount`` of the item all the time (0 ends it)."""
        if not _timed(item):
            raise ValueError(f"{item} is priced per {_price(item)['per']}: add() it when it is used")
        self._settle(resource, item)
        if amount > 0:
            self._running[resource, item] = self._clock.now, amount

    def more(self, resource: str, item: str, amount: float, until: float | None = None) -> None:
        """So much of the item more than before from now on; ``until``, in seconds, if it ends by itself."""
        if not _timed(item):
            raise ValueError(f"{item} is priced per {_price(item)['per']}: add() it when it is used")
        self._catch_up(resource, item)
        _, before = self._running.get((resource, item), (0.0, 0.0))
        self._running[resource, item] = self._clock.now, before + amount
        if until is not None:
            ends = self._ends.setdefault((resource, item), {})
            ends[until] = ends.get(until, 0.0) + amount

    def end(self, resource: str, item: str | None = None) -> None:
        """The resource runs no more; one that doesn't run is no error."""
        for key in [key for key in self._running if key[0] == resource and item in (None, key[1])]:
            self._settle(*key)

    def add(self, resource: str, item: str, quantity: float) -> None:
        """Something used once: requests, gigabytes."""
        _price(item)
        self._count(_month(self._clock, self._clock.now), item, resource, quantity)

    def add_time(self, resource: str, item: str, seconds: float, amount: float = 1.0) -> None:
        """So much for so long and no longer, all of it counted now."""
        month = _month(self._clock, self._clock.now)
        self._count(month, item, resource, amount * _units(item, seconds, _month_hours(self._clock, self._clock.now)))

    def unpriced(self, resource: str, what: str) -> None:
        """The resource costs something on AWS that prices.yaml has no price for; the bill says so, once."""
        self._unpriced[resource] = what

    @staticmethod
    def knows(item: str) -> bool:
        """Is there a price for it?"""
        return item in prices()["items"]

    @property
    def running(self) -> dict:
        """(resource, item) -> amount, of all that runs now."""
        lefts = ((key, self._until_now(*key)[1]) for key in self._running)
        return {key: left for key, left in lefts if left}

    def bill(self) -> "Bill":
        """All that was used until now. Looking changes nothing: the counts go on as if nobody had."""
        used, running, ends = dict(self._used), {}, {}
        for resource, item in self._running:
            counted, left, later = self._until_now(resource, item)
            ends[resource, item] = dict(later)
            for month, units in counted:
                used[month, item, resource] = used.get((month, item, resource), 0.0) + units
            if left:
                running[resource, item] = left
        return Bill(used, running, self._clock, list(self._unpriced.values()), self._unmetered(), ends)

    def _unmetered(self):
        """Services in which something was made, and of which nothing is counted."""
        known = {*prices().get("metered", ()), *prices().get("costless", ())}
        return sorted({call.service for call in self._calls
                       if not call.error and call.service not in known and not call.operation.startswith(READING)})

    def _settle(self, resource, item):
        self._catch_up(resource, item)
        self._running.pop((resource, item), None)
        self._ends.pop((resource, item), None)

    def _catch_up(self, resource, item):
        """Count what was used until now; what has ended by itself runs no more."""
        key = resource, item
        if key not in self._running:
            return
        counted, left, later = self._until_now(*key)
        for month, units in counted:
            self._count(month, item, resource, units)
        del self._running[key]
        if left:
            self._running[key] = self._clock.now, left
        if key in self._ends:
            self._ends[key] = later

    def _until_now(self, resource, item):
        """[(month, units)] since the last count; how much still runs; and when which part of that ends by itself."""
        (since, amount), ends, now = self._running[resource, item], self._ends.get((resource, item), {}), self._clock.now
        due = {at: part for at, part in ends.items() if at <= now} if ends and min(ends) <= now else {}
        left = amount - sum(due.values())
        later = {at: part for at, part in ends.items() if at not in due} if due else ends
        return list(_over(self._clock, item, since, now, amount, due)), left if left > NOTHING * amount else 0.0, later

    def _count(self, month, item, resource, quantity):
        self._used[month, item, resource] = self._used.get((month, item, resource), 0.0) + quantity


class Bill:
    """What was used, what it cost, and what it will cost if nobody looks after it.

    unpriced: what ran that has no price here; unmetered: the services whose cost nobody counts; ends: what of the
    running ends by itself, and when.
    """

    def __init__(self, used, running, clock, unpriced=(), unmetered=(), ends=None):
        self._used, self._running, self._clock, self._ends = used, running, clock, ends or {}
        self.unpriced, self.unmetered = list(unpriced), list(unmetered)
        self.lines = _lines(used)

    @property
    def total(self) -> float:
        """US dollars until now."""
        return sum(line.cost for line in self.lines)

    @property
    def an_hour(self) -> float:
        """US dollars for each further hour, with everything as it is and nothing free left."""
        return sum(amount * _units(item, HOUR) * _price(item)["price"] for (_, item), amount in self._running.items())

    @property
    def forgotten(self) -> float:
        """US dollars of what runs now, over 30 days from now on in which nobody looks; what is then free is taken off."""
        used, now = dict(self._used), self._clock.now
        for (resource, item), amount in self._running.items():
            ends = self._ends.get((resource, item), {})
            for month, units in _over(self._clock, item, now, now + FORGOTTEN_DAYS * DAY, amount, ends):
                used[month, item, resource] = used.get((month, item, resource), 0.0) + units
        return sum(line.cost for line in _lines(used)) - self.total

    def table(self, limit: int = 40) -> Table:
        """One row for each item, whatever used it; ``lines`` has them one by one."""
        rows = []
        for item in dict.fromkeys(line.item for line in self.lines):
            lines = [line for line in self.lines if line.item == item]
            users = list(dict.fromkeys(line.resource for line in lines))
            used, free, cost = (sum(getattr(line, name) for line in lines) for name in ("quantity", "free", "cost"))
            rows.append((_price(item)["says"], users[0] if len(users) == 1 else f"{len(users)} of them",
                         f"{used:,.6g} {_price(item)['per']}{'s' * (used != 1)}",
                         "all of it" if free and free >= used - 1e-9 else f"{free:,.6g}" if free else "", f"${cost:,.4f}"))
        return Table(("what", "of", "used", "free", "cost"), rows + [("together", "", "", "", f"${self.total:,.4f}")], limit)

    def __repr__(self) -> str:
        words = " ".join(self._words())
        return f"{self.table()!r}\n{words}" if self.lines else f"Nothing used yet. {words}"

    def _repr_html_(self) -> str:
        head = self.table()._repr_html_() if self.lines else "<p>Nothing used yet.</p>"
        return f"{head}<p>{' '.join(map(escape, self._words()))}</p>"

    def _words(self):
        words = []
        if self.unpriced:
            counts = {what: self.unpriced.count(what) for what in self.unpriced}
            words.append(f"No price here for: {', '.join(f'{n} {what}' for what, n in counts.items())}; not counted.")
        if self.unmetered:
            words.append(f"Nothing is counted here of what {', '.join(self.unmetered)} costs.")
        words.append("Nothing runs that costs by the hour." if not self._running else
                     f"If you forget this for {FORGOTTEN_DAYS} days, what runs now costs ${self.forgotten:,.2f} more.")
        words.append(f"Prices read {prices()['read']}, US East (N. Virginia); what is free for everybody each month is "
                     "taken off, the credits of a new account are not.")
        return words


def quote(wanted) -> Table:
    """What a call would cost: ``wanted`` is [(item, amount)] of what would run or be used."""
    rows = []
    for item, amount in wanted:
        if not Meter.knows(item):
            rows.append((item.split(":", 1)[-1], f"{amount:g}", "no price here", "", ""))
            continue
        entry, timed = _price(item), _timed(item)
        hour = amount * _units(item, HOUR) * entry["price"] if timed else 0.0
        free = _free(item)
        rows.append((entry["says"], f"{amount:g}",
                     f"{_dollars(entry['price'])} per {entry['per']}" + (f", {free:,g} a month free" if free else ""),
                     f"${hour:,.4f}" if timed else f"{_dollars(amount * entry['price'])} once",
                     f"${hour * 24 * FORGOTTEN_DAYS:,.2f}" if timed else ""))
    return Table(("what", "how many", "price", "an hour", f"forgotten for {FORGOTTEN_DAYS} days"), rows)


def _lines(used):
    """The free part of a month goes to the first that use it, items that share it together."""
    lines, left = [], {}
    for (month, item, resource), quantity in sorted(used.items()):
        entry = _price(item)
        pool = month, entry.get("shares", item)
        have = left.setdefault(pool, _free(item)) if entry["price"] else quantity
        free = min(have, quantity)
        left[pool] = have - free
        lines.append(Line(item, resource, quantity, free, (quantity - free) * entry["price"]))
    return lines


def _price(item):
    try:
        return prices()["items"][item]
    except KeyError:
        raise ValueError(f"no price for {item!r} in kit/lab/prices.yaml") from None


def _free(item):
    """Units of it that are free each month."""
    return _price(_price(item).get("shares", item)).get("free", 0.0)


def _timed(item):
    return _price(item)["per"].endswith(("hour", "month"))


def _units(item, seconds, month_hours=MONTH_HOURS):
    """How many of the price's units of time that is."""
    hours = seconds / HOUR
    return hours if _price(item)["per"].endswith("hour") else hours / month_hours


def _over(clock, item, since, until, amount, ends):
    """(month, units) of an amount from time to time: months are free each by itself, and differ in length."""
    for at in [*sorted(at for at in ends if since < at < until), until]:
        while since < at:
            end = min(at, _month_end(clock, since))
            yield _month(clock, since), amount * _units(item, end - since, _month_hours(clock, since))
            since = end
        amount -= ends.get(at, 0.0)


def _month(clock, at):
    date = clock.date_at(at)
    return date.year, date.month


def _month_end(clock, at):
    year, month = _month(clock, at)
    return clock.seconds_at(datetime(year + month // 12, month % 12 + 1, 1, tzinfo=clock.date.tzinfo))


def _month_hours(clock, at):
    year, month = _month(clock, at)
    return (_month_end(clock, at) - clock.seconds_at(datetime(year, month, 1, tzinfo=clock.date.tzinfo))) / HOUR


def _dollars(amount):
    """So many digits that a small price doesn't vanish, and none that say nothing."""
    return f"${amount:.2f}" if amount >= 0.1 and round(amount, 2) == amount else f"${amount:.10f}".rstrip("0").rstrip(".")
