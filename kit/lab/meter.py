"""What the things in a sandbox would cost on AWS: by the hour, by the request, by the gigabyte.

Prices are in prices.yaml, with the date and the page they were read on. Behaviours say what runs, and what was used:

    meter.run("i-123", "ec2:t3.micro")              # from now on, one
    meter.end("i-123")
    meter.add("queue orders", "sqs:request", 1)

**Simplified** One region, On-Demand, no taxes, no credits of a new account. What AWS gives free each month is taken
off; a month is a calendar month of the sandbox's time, and 730 hours where a price is by the month.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from kit.sim.records import Table

HOUR, MONTH_HOURS = 3600.0, 730.0
FORGOTTEN_DAYS = 30


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
    """Counts from the moment something runs to the moment it ends; nothing twice."""

    def __init__(self, clock):
        self._clock = clock
        self._running = {}  # (resource, item) -> (since, amount)
        self._used = {}  # (month, item, resource) -> quantity in the price's unit

    def run(self, resource: str, item: str, amount: float = 1.0) -> None:
        """From now on the resource uses ``amount`` of the item all the time (0 ends it)."""
        entry = _price(item)
        if not entry["per"].endswith(("hour", "month")):
            raise ValueError(f"{item} is priced per {entry['per']}: add() it when it is used")
        self._settle(resource, item)
        if amount > 0:
            self._running[resource, item] = self._clock.now, amount

    def end(self, resource: str, item: str | None = None) -> None:
        """The resource runs no more; one that doesn't run is no error."""
        for key in [key for key in self._running if key[0] == resource and item in (None, key[1])]:
            self._settle(*key)

    def add(self, resource: str, item: str, quantity: float) -> None:
        """Something used once: requests, gigabytes."""
        _price(item)
        self._count(self._clock.now, item, resource, quantity)

    @staticmethod
    def knows(item: str) -> bool:
        """Is there a price for it?"""
        return item in prices()["items"]

    @property
    def running(self) -> dict:
        """(resource, item) -> amount, of all that runs now."""
        return {key: amount for key, (_, amount) in self._running.items()}

    def bill(self) -> "Bill":
        """All that was used until now."""
        for (resource, item), (_, amount) in list(self._running.items()):
            self.run(resource, item, amount)
        return Bill(dict(self._used), self.running, self._clock)

    def _settle(self, resource, item):
        since, amount = self._running.pop((resource, item), (None, 0))
        if since is None:
            return
        while since < self._clock.now:  # month by month: what is free is free each month
            end = min(self._clock.now, _month_end(self._clock, since))
            self._count(since, item, resource, amount * _units(item, end - since))
            since = end

    def _count(self, at, item, resource, quantity):
        key = _month(self._clock, at), item, resource
        self._used[key] = self._used.get(key, 0.0) + quantity


class Bill:
    """What was used, what it cost, and what it will cost if nobody looks after it."""

    def __init__(self, used, running, clock):
        self._running, self._clock = running, clock
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
        """US dollars of what runs now, over 30 days in which nobody looks."""
        return self.an_hour * 24 * FORGOTTEN_DAYS

    def table(self, limit: int = 40) -> Table:
        """One row for each item, whatever used it; ``lines`` has them one by one."""
        rows = []
        for item in dict.fromkeys(line.item for line in self.lines):
            lines = [line for line in self.lines if line.item == item]
            users = list(dict.fromkeys(line.resource for line in lines))
            used, free, cost = (sum(getattr(line, name) for line in lines) for name in ("quantity", "free", "cost"))
            rows.append((_price(item)["says"], users[0] if len(users) == 1 else f"{len(users)} of them",
                         f"{used:,.6g} {_price(item)['per']}{'s' * (used != 1)}",
                         "all of it" if free and free >= used else f"{free:,.6g}" if free else "", f"${cost:,.4f}"))
        return Table(("what", "of", "used", "free", "cost"), rows + [("together", "", "", "", f"${self.total:,.4f}")], limit)

    def __repr__(self) -> str:
        return f"{self.table()!r}\n{self._forecast()}" if self.lines else f"Nothing used yet. {self._forecast()}"

    def _repr_html_(self) -> str:
        head = self.table()._repr_html_() if self.lines else "<p>Nothing used yet.</p>"
        return f"{head}<p>{self._forecast()}</p>"

    def _forecast(self):
        read = prices()["read"]
        if not self._running:
            return f"Nothing runs that costs by the hour. Prices of {read}, US East (N. Virginia)."
        return (f"If you forget this for {FORGOTTEN_DAYS} days, what runs now costs ${self.forgotten:,.2f} more. "
                f"Prices of {read}, US East (N. Virginia).")


def quote(wanted) -> Table:
    """What a call would cost: ``wanted`` is [(item, amount)] of what would run or be used."""
    rows = []
    for item, amount in wanted:
        entry, days = _price(item), 24 * FORGOTTEN_DAYS
        timed = entry["per"].endswith(("hour", "month"))
        hour = amount * _units(item, HOUR) * entry["price"] if timed else 0.0
        rows.append((entry["says"], f"{amount:g}", f"${entry['price']:g} per {entry['per']}",
                     f"${hour:,.4f}" if timed else f"${amount * entry['price']:,.6f} once",
                     f"${hour * days:,.2f}" if timed else ""))
    return Table(("what", "how many", "price", "an hour", f"forgotten for {FORGOTTEN_DAYS} days"), rows)


def _lines(used):
    lines, left = [], {}
    for (month, item, resource), quantity in sorted(used.items()):
        entry = _price(item)
        have = left.setdefault((month, item), entry.get("free", 0.0))
        free = min(have, quantity)
        left[month, item] = have - free
        lines.append(Line(item, resource, quantity, free, (quantity - free) * entry["price"]))
    return lines


def _price(item):
    try:
        return prices()["items"][item]
    except KeyError:
        raise ValueError(f"no price for {item!r} in kit/lab/prices.yaml") from None


def _units(item, seconds):
    """How many of the price's units of time that is."""
    hours = seconds / HOUR
    return hours if _price(item)["per"].endswith("hour") else hours / MONTH_HOURS


def _month(clock, at):
    date = clock.date_at(at)
    return date.year, date.month


def _month_end(clock, at):
    year, month = _month(clock, at)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=clock.date.tzinfo)
    return clock.seconds_at(end)
