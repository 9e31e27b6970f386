"""A simulated clock: things happen in the order of their time, and time jumps from one to the next.

An agenda of ``(time, serial, function, arguments)`` in a heap. The serial number breaks ties in the
order of scheduling, so that the same program gives the same run, to the bit.

    clock = Clock()
    clock.after(5, print, "five seconds later")
    clock.run(until=60)
"""

from heapq import heapify, heappop, heappush
from math import inf, isfinite

STRETCH = 1_000_000  # events between two looks at whether a run gets anywhere
ENDLESS = 10  # stretches in one run() without `until`, after which it is taken to be endless


class Clock:
    """Simulated time in seconds. ``now`` is the present; functions are called when their time comes."""

    def __init__(self, start: float = 0.0):
        self.now = start
        self._agenda = []
        self._serial = 0
        self._cancelled = set()
        self._endless = set()  # serials of repetitions that nothing but cancel() ends

    @property
    def next(self) -> float | None:
        """When the next thing is due; None if nothing is."""
        while self._agenda and self._agenda[0][1] in self._cancelled:
            self._cancelled.discard(heappop(self._agenda)[1])
        return self._agenda[0][0] if self._agenda else None

    def at(self, time: float, function, *arguments) -> int:
        """Call ``function(*arguments)`` at ``time``; returns a ticket for ``cancel``."""
        if not self.now <= time < inf:
            raise ValueError(f"cannot schedule at {time} s: it is {self.now} s, and time only runs forward")
        self._serial = serial = self._serial + 1
        heappush(self._agenda, (time, serial, function, arguments))
        return serial

    def after(self, delay: float, function, *arguments) -> int:
        """Call ``function(*arguments)`` ``delay`` seconds from now; returns a ticket for ``cancel``."""
        if not 0 <= delay < inf:
            raise ValueError(f"cannot schedule {delay} s from now: a delay is a number of seconds, 0 or more")
        self._serial = serial = self._serial + 1
        heappush(self._agenda, (self.now + delay, serial, function, arguments))
        return serial

    def every(self, interval: float, function, *arguments, until: float | None = None) -> int:
        """Call ``function(*arguments)`` each ``interval`` seconds, first one interval from now, last at ``until``.

        One ticket cancels the whole repetition.
        """
        if not (isfinite(interval) and interval > 0):
            raise ValueError(f"cannot repeat every {interval} s: an interval is a number of seconds above 0")
        start, count = self.now, 0

        def tick():
            nonlocal count
            count += 1
            ahead(count + 1)  # before the call, so that the function can cancel its own repetition
            function(*arguments)

        def ahead(number):
            time = start + number * interval  # not now + interval: rounding would add up over a long run
            if until is None or time <= until:
                heappush(self._agenda, (time, ticket, tick, ()))
            else:
                self._endless.discard(ticket)

        self._serial = ticket = self._serial + 1
        if until is None:
            self._endless.add(ticket)
        ahead(1)
        return ticket

    def each(self, times, function, *arguments) -> None:
        """Call ``function(*arguments)`` at each of ``times`` (rising; an arrivals generator, say)."""
        times = iter(times)

        def arrive():
            ahead()
            function(*arguments)

        def ahead():
            time = next(times, None)
            if time is not None:
                self.at(time, arrive)

        ahead()

    def cancel(self, ticket: int) -> None:
        """Take a call, or a whole repetition, off the agenda; one that is over is no error."""
        self._endless.discard(ticket)
        self._cancelled.add(ticket)
        if len(self._cancelled) > 1000 + len(self._agenda):  # many tickets of calls long past: forget them
            self._cancelled &= {entry[1] for entry in self._agenda}
        if len(self._cancelled) > 1000 and 2 * len(self._cancelled) > len(self._agenda):  # mostly cancelled calls
            self._agenda[:] = [entry for entry in self._agenda if entry[1] not in self._cancelled]
            heapify(self._agenda)
            self._cancelled.clear()

    def run(self, until: float | None = None) -> float:
        """Let things happen until the agenda is empty, or up to and including ``until``; returns the time.

        With ``until`` the clock ends exactly there, whatever is left for later.
        """
        if until is None and self._endless:
            raise ValueError("an endless run: something repeats with every() and nothing ends it; give run(until=…)")
        if until is not None and not self.now <= until < inf:
            raise ValueError(f"cannot run until {until} s: it is {self.now} s, and time only runs forward")
        limit = inf if until is None else until
        stretches = 0
        while self._some(limit):
            stretches += 1
            if until is None and stretches > ENDLESS:
                raise ValueError(f"an endless run: {ENDLESS * STRETCH:,} things happened and more are due; "
                                 "give run(until=…)")
        if until is not None:
            self.now = until
        return self.now

    def _some(self, limit: float) -> bool:
        """Let a stretch of events happen; is anything left that is due by ``limit``?"""
        agenda, cancelled, began = self._agenda, self._cancelled, self.now
        for _ in range(STRETCH):
            if not agenda or agenda[0][0] > limit:
                return False
            time, serial, function, arguments = heappop(agenda)
            if serial in cancelled:
                cancelled.discard(serial)
                continue
            self.now = time
            function(*arguments)
        if self.now == began:
            raise ValueError(f"an endless run: {STRETCH:,} things happened at {began} s and time stands still")
        return True
