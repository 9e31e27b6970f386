"""Eleven nines: how data outlives its disks, and why no simulation shows that directly.

An object is cut into k data shards and m parity shards (erasure coding), each on a disk of its own; any k of the k + m
bring it back. Disks fail, lost shards are rebuilt on other disks, and the object is lost when more than m shards are
missing at once. Three ways to the loss in a year, one answer:

    code = Code(data=6, parity=3, failures=0.05, repair=12)
    code.loss()                          # closed form, exact: 8.9e-12, eleven nines
    monte_carlo(code, trials=5000)       # honest: 0 losses seen, so "below 0.0008": it can't say more
    importance(code, trials=5000)        # failures made frequent, each path weighed for that: 9e-12, within 8 %

The honest way needs some hundred losses to be worth something, so ten million million object-years. Importance sampling
watches the same chain of failures and repairs, but while a shard is missing it makes the next event a failure as often
as a repair, and weighs every path by its likelihood ratio: the product, over its steps, of the true probability over
the one it was drawn with (balanced failure biasing). The mean stays right, and losses are no longer rare.

``years(code)`` is the mean time to data loss of the birth-death chain, ``expected_losses`` is what eleven nines mean
for many objects. ``zones`` adds the loss of a whole Availability Zone, which One Zone classes don't survive.

**Simplified** All disks fail independently at a constant rate (no bathtub curve, no bad batch, no common power), every
lost shard is rebuilt at once and on its own, in a time that is exponential (``fixed=True`` of the honest simulation:
always the same). At most one zone is lost in a year; what it held is rebuilt like any other shard.
**Not modelled** Bit rot and scrubbing, software faults, and what no redundancy helps against: deleting and overwriting
(versioning does). How S3 really codes its objects, on what disks, is not published: k, m, failures and repair times
here are examples, and so is the rate at which zones are lost.

Amazon S3 User Guide, "Data protection in Amazon S3" (99.999999999 % over a given year; at least three Availability
Zones, One Zone in one), read 2026-11-28 in the guide's copy on GitHub. Importance sampling: Goyal, Shahabuddin,
Heidelberger, Nicola and Glynn, "A unified framework for simulating Markovian models of highly dependable systems"
(1992); mean time to data loss: Patterson, Gibson and Katz, "A case for redundant arrays of inexpensive disks" (1988);
neither was opened anew.
"""

from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import comb, exp, expm1, inf, log, log1p, log10, sqrt
from random import Random

from kit.sim import Records

YEAR = 8760.0  # hours
DESIGN = 11  # nines of S3's design target, over a year ("Data protection in Amazon S3")
Z = 1.96  # 95 %


@dataclass(frozen=True)
class Code:
    """data, parity: shards, each on its own disk. failures: the part of disks that fail in a year. repair: mean hours
    until a lost shard is rebuilt."""

    data: int = 6
    parity: int = 3
    failures: float = 0.05
    repair: float = 12.0

    def __post_init__(self):
        if self.data < 1 or self.parity < 0 or not 0 < self.failures < 1 or self.repair <= 0:
            raise ValueError(f"{self}: give a data shard or more, parity of 0 or more, failures between 0 and 1 a year "
                             "and a repair time above 0 hours")

    @property
    def shards(self) -> int:
        return self.data + self.parity

    @property
    def overhead(self) -> float:
        """Bytes on disks for each byte stored."""
        return self.shards / self.data

    @property
    def failure_rate(self) -> float:
        """Of one disk, an hour."""
        return -log1p(-self.failures) / YEAR

    def rates(self, lost: int) -> tuple[float, float]:
        """With so many shards missing: failures an hour, and repairs."""
        return (self.shards - lost) * self.failure_rate, lost / self.repair

    def loss(self, years: float = 1.0, lost: int = 0) -> float:
        """The probability that the object is lost within so many years, exactly; lost: shards missing at first."""
        if lost > self.parity:
            return 1.0
        return _within(self, years * YEAR)[lost]


def years(code: Code) -> float:
    """Mean time to data loss: of the birth-death chain from no shard missing to one more than parity, in years."""
    waits = mean = 0.0
    for lost in range(code.parity + 1):  # the mean time from `lost` missing shards to one more
        fails, repairs = code.rates(lost)
        waits = (1 + repairs * waits) / fails
        mean += waits
    return mean / YEAR


def nines(loss: float) -> float:
    """1e-11 is eleven nines."""
    return inf if loss == 0 else -log10(loss)


def expected_losses(objects: float, nines: float = DESIGN) -> float:
    """How many of so many objects are lost in a year, on average; of 10,000,000 at eleven nines one in 10,000 years."""
    return objects * 10**-nines


@dataclass(frozen=True)
class Estimate:
    """Of the loss in a year: value, and the ends of its own 95 % interval. losses: how many of the trials ended in
    one."""

    value: float
    low: float
    high: float
    losses: int
    trials: int


def monte_carlo(code: Code, trials: int = 5000, seed: int = 1, fixed: bool = False, hours: float = YEAR) -> Estimate:
    """The honest simulation: disk by disk, a year each trial, losses counted (Wilson's interval).

    Without a loss all it can say is "below about 4 / trials". fixed: every repair takes exactly the mean.
    """
    rng, losses = Random(seed), 0
    fails = rng.expovariate
    for _ in range(trials):
        losses += _dies(code, rng, fails, fixed, hours)
    middle, spread = losses + Z * Z / 2, Z * sqrt(losses * (1 - losses / trials) + Z * Z / 4)
    return Estimate(losses / trials, max(0.0, middle - spread) / (trials + Z * Z) if losses else 0.0,
                    (middle + spread) / (trials + Z * Z), losses, trials)


def importance(code: Code, trials: int = 5000, seed: int = 1, bias: float = 0.5, hours: float = YEAR) -> Estimate:
    """Importance sampling: the first failure falls within the year, then failures come with probability ``bias``.

    An object whose shards are all there again is followed to the end of the year without forcing.
    """
    if not 0 < bias < 1:
        raise ValueError(f"a bias of {bias}: it is the probability of a failure while a shard is missing")
    rng = Random(seed)
    draw, steps = rng.random, [code.rates(lost) for lost in range(code.parity + 1)]
    totals = [fails + repairs for fails, repairs in steps]
    up = [fails / total / bias for (fails, _), total in zip(steps, totals)]  # the likelihood ratio of a failure
    down = [repairs / total / (1 - bias) for (_, repairs), total in zip(steps, totals)]
    first = -expm1(-totals[0] * hours)  # the probability that any of the disks fails in time
    count, sum_, squares = 0, 0.0, 0.0
    for _ in range(trials):
        time, lost, weight = -log1p(-draw() * first) / totals[0], 1, first
        while lost <= code.parity:
            time -= log(1 - draw()) / totals[lost]
            if time > hours:
                break
            if lost == 0:
                lost = 1  # nothing but a failure can come
            elif draw() < bias:
                lost, weight = lost + 1, weight * up[lost]
            else:
                lost, weight = lost - 1, weight * down[lost]
        else:
            count, sum_, squares = count + 1, sum_ + weight, squares + weight * weight
    mean = sum_ / trials
    error = Z * sqrt(max(0.0, squares / trials - mean * mean) / trials)
    return Estimate(mean, max(0.0, mean - error), mean + error, count, trials)


# ---------------------------------------------------------------------- for explorers


def compare(code: Code, trials: int = 2000, seed: int = 1) -> Records:
    """The three ways side by side: way, loss, low, high (95 %), losses seen, nines."""
    records, exact = Records("way", "loss", "low", "high", "losses", "nines"), code.loss()
    records.append("closed form", exact, exact, exact, None, nines(exact))
    for way, estimate in (("Monte Carlo", monte_carlo(code, trials, seed)),
                          ("importance sampling", importance(code, trials, seed))):
        records.append(way, estimate.value, estimate.low, estimate.high, estimate.losses, nines(estimate.value))
    return records


def by_parity(data: int = 6, most: int = 6, failures: float = 0.05, repair: float = 12.0) -> Records:
    """More parity: parity, shards, overhead, loss (a year), nines, years (mean time to data loss)."""
    records = Records("parity", "shards", "overhead", "loss", "nines", "years")
    for parity in range(most + 1):
        code = Code(data, parity, failures, repair)
        records.append(parity, code.shards, code.overhead, loss := code.loss(), nines(loss), years(code))
    return records


def by_repair(code: Code, hours=(1, 3, 6, 12, 24, 48, 96, 168, 336, 720)) -> Records:
    """Slower repair: repair (hours), loss (a year), nines."""
    records = Records("repair", "loss", "nines")
    for repair in hours:
        loss = Code(code.data, code.parity, code.failures, repair).loss()
        records.append(repair, loss, nines(loss))
    return records


def zones(code: Code, count: int = 3, zone_losses: float = 1e-5) -> Records:
    """One zone against several: zones, at_once (shards that go with a zone), survives (the loss of one, if no disk is
    missing), disks (loss a year by disks alone), zone (by the loss of a zone), loss, nines.

    count: zones that the shards are spread over, evenly. zone_losses: of one zone, a year (AWS publishes no such rate).
    """
    records = Records("zones", "at_once", "survives", "disks", "zone", "loss", "nines")
    for spread in (1, count):
        at_once = -(-code.shards // spread)
        disks = code.loss()
        zone = spread * zone_losses * _after_zone(code, at_once)
        records.append(spread, at_once, at_once <= code.parity, disks, zone, disks + zone, nines(disks + zone))
    return records


# ---------------------------------------------------------------------- inside


def _after_zone(code, at_once):
    """The object is lost after its zone was, with some of the other shards missing already, if need be."""
    away = code.failure_rate * code.repair / (1 + code.failure_rate * code.repair)  # of the time of one disk
    rest = code.shards - at_once
    return sum(comb(rest, missing) * away**missing * (1 - away)**(rest - missing) * code.loss(lost=at_once + missing)
               for missing in range(rest + 1))


def _dies(code, rng, draw, fixed, hours) -> bool:
    """One object's year: when each disk fails, and until when the shard is missing."""
    rate, parity, repair = code.failure_rate, code.parity, code.repair
    failing = [time for _ in range(code.shards) if (time := draw(rate)) < hours]
    if not failing:
        return False
    heapify(failing)
    missing = []  # until when, of each shard
    while failing[0] < hours:
        now = failing[0]
        missing = [until for until in missing if until > now]
        if len(missing) == parity:
            return True
        back = now + (repair if fixed else draw(1 / repair))
        missing.append(back)
        heapreplace(failing, back + draw(rate))  # the new disk fails some day, too
    return False


def _within(code, hours) -> list[float]:
    """The probability to be lost within a time, for every number of shards missing at first: the last column of
    exp(Q t), by a Taylor series over a short time and squaring. With Q = rate (P - 1) and P a matrix of probabilities
    every term is positive, so that even the smallest entry is right to many digits."""
    size, rates = code.parity + 2, [code.rates(lost) for lost in range(code.parity + 1)]
    rate = max(fails + repairs for fails, repairs in rates)
    jump = [[0.0] * size for _ in range(size)]
    jump[-1][-1] = 1.0
    for lost, (fails, repairs) in enumerate(rates):
        jump[lost][lost + 1], jump[lost][lost] = fails / rate, 1 - (fails + repairs) / rate
        if lost:
            jump[lost][lost - 1] = repairs / rate
    halvings, short = 0, rate * hours
    while short > 0.5:
        halvings, short = halvings + 1, short / 2
    term = [[float(row == column) for column in range(size)] for row in range(size)]
    total = [row[:] for row in term]
    for step in range(1, 20 + size):
        term = [[value * short / step for value in row] for row in _times(term, jump)]
        total = [[a + b for a, b in zip(*rows)] for rows in zip(total, term)]
    total = [[value * exp(-short) for value in row] for row in total]
    for _ in range(halvings):
        total = _times(total, total)
    return [row[-1] for row in total]


def _times(left, right):
    columns = list(zip(*right))
    return [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in left]
