"""How much work a server has, minute by minute: a number, a day's rise and fall, or 24 numbers.

A load of 1.0 keeps one server wholly busy. Servers that share it each take their part; what is more than all can do
leaves them at 100 % (and the rest of it waiting, see ``traffic_day``).

**Simplified** All servers are alike, and a load balancer between them is perfect.
"""

from bisect import bisect_right
from math import cos, isfinite, pi

DAY, HOUR = 86_400.0, 3_600.0


class Load:
    """What was asked of something, over time: each ``set`` holds until the next one."""

    def __init__(self):
        self._since, self._amounts = [], []

    def set(self, now: float, amount) -> None:
        """A number, ``{"low":, "high":, "peak_hour":}`` or 24 numbers. ValueError in words for anything else."""
        if isinstance(amount, dict):
            unknown = set(amount) - {"low", "high", "peak_hour"}
            if unknown or not {"low", "high"} <= set(amount):
                raise ValueError('a day\'s rise and fall is {"low": 0.5, "high": 4, "peak_hour": 14} (the hour if you like)')
            numbers = list(amount.values())
        elif isinstance(amount, (list, tuple)):
            if len(amount) != 24:
                raise ValueError(f"a day has 24 hours; {len(amount)} numbers were given")
            numbers = amount
        else:
            numbers = [amount]
        if not all(isinstance(one, (int, float)) and isfinite(one) and one >= 0 for one in numbers):
            raise ValueError(f"a load is a number of servers' worth of work, 0 or more, not {amount!r}")
        self._since.append(now)
        self._amounts.append(amount)

    def at(self, now: float) -> float:
        """The load at a time; 0 before any was set."""
        number = bisect_right(self._since, now)
        return _at(self._amounts[number - 1], now) if number else 0.0

    @property
    def steady(self) -> bool:
        """Does it stay as it is until it is set again?"""
        return not self._amounts or isinstance(self._amounts[-1], (int, float))


def _at(amount, now):
    if isinstance(amount, dict):
        peak = amount.get("peak_hour", 14) * HOUR
        middle, swing = (amount["high"] + amount["low"]) / 2, (amount["high"] - amount["low"]) / 2
        return middle + swing * cos(2 * pi * (now % DAY - peak) / DAY)
    if isinstance(amount, (list, tuple)):
        return amount[int(now % DAY // HOUR)]
    return amount
