"""When requests come: each function yields arrival times in seconds, rising.

Rates are requests a second. The random ones take the run's own ``random.Random``, so that a seed repeats
a run to the bit. Feed them to a clock: ``clock.each(poisson(4, rng, until=60), receive)``.
"""

from math import cos, isfinite, pi


def constant(rate: float, until: float, start: float = 0.0):
    """Evenly spaced: one every ``1 / rate`` seconds, the first one interval after ``start``."""
    _check(rate, start, until)
    number = 1
    while rate and (time := start + number / rate) < until:
        yield time
        number += 1


def poisson(rate: float, rng, until: float, start: float = 0.0):
    """Independent customers: exponential gaps with mean ``1 / rate`` (a Poisson process)."""
    _check(rate, start, until)
    time = start
    while rate and (time := time + rng.expovariate(rate)) < until:
        yield time


def diurnal(rate: float, rng, until: float, start: float = 0.0, swing: float = 0.8, period: float = 86_400.0,
            peak_at: float = 0.5):
    """A day: a Poisson process whose rate is a cosine around ``rate``.

    swing: how far the rate departs from its mean, 0 (flat) to 1 (from nothing to double).
    period: seconds of a day; peak_at: when it is busiest, as a part of the period.
    """
    if not 0 <= swing <= 1:
        raise ValueError(f"a swing of {swing} is not between 0 (flat) and 1 (from nothing to double)")
    top = rate * (1 + swing)
    for time in poisson(top, rng, until, start):  # thinned: an arrival stays with probability rate(t) / top
        now = rate * (1 + swing * cos(2 * pi * (time / period - peak_at)))
        if rng.random() * top < now:
            yield time


def burst(rate: float, rng, until: float, start: float = 0.0, burst_rate: float = 0.0, burst_at: float = 0.0,
          burst_length: float = 0.0):
    """A Poisson process that jumps to ``burst_rate`` at ``burst_at`` for ``burst_length`` seconds."""
    _check(rate, start, until)
    _check(burst_rate, start, until)
    end = burst_at + burst_length
    for begin, stop, level in ((start, burst_at, rate), (burst_at, end, burst_rate), (end, until, rate)):
        begin, stop = max(begin, start), min(stop, until)
        if begin < stop:
            yield from poisson(level, rng, stop, begin)


def trace(times):
    """Recorded times, as they are; they must rise."""
    last = float("-inf")
    for time in times:
        if time < last:
            raise ValueError(f"the trace goes back in time: {time} s comes after {last} s")
        yield time
        last = time


def _check(rate, start, until):
    if not (isfinite(rate) and rate >= 0):
        raise ValueError(f"a rate of {rate} a second: give 0 or more")
    if not (isfinite(start) and isfinite(until)):
        raise ValueError(f"arrivals from {start} s until {until} s would never end: give an end in seconds")
