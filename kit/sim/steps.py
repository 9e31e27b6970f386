"""A number that changes now and then."""

from bisect import bisect_right


class Steps:
    """A number that changes now and then, and what it was at any time."""

    def __init__(self, first: float = 0.0):
        self._times, self._values = [float("-inf")], [first]

    def set(self, now: float, value: float) -> None:
        if value == self._values[-1]:
            return
        if self._times[-1] == now:
            self._values[-1] = value
        else:
            self._times.append(now)
            self._values.append(value)

    def at(self, now: float) -> float:
        return self._values[bisect_right(self._times, now) - 1]

    @property
    def now(self) -> float:
        return self._values[-1]
