"""The sandbox's clock: virtual time, which stands still until it is moved.

It starts on a fixed Monday. The sandbox sees this time, and nothing else does: the notebook's own ``time.time()``
stays right. What is to happen at a moment of the sandbox's time goes on ``clock.events`` (a ``kit.sim.Clock``);
``advance`` lets everything happen that falls due on the way.

**Simplified**: a call takes no time. One that waits (a long poll) moves this clock instead, step by step, until
what it waits for is there or the wait is over; what another thread does meanwhile comes too late for it.
**Not modelled**: what moto does in threads of its own, after a call has returned, runs on the computer's time. And
while a call runs (a millisecond or so), other threads of this process see the sandbox's time.
"""

from datetime import UTC, datetime, timedelta
from math import isfinite
from threading import Condition, RLock, local

from kit import sim

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
LATE = timedelta(microseconds=1)  # a wait ends a little after its time, never before: moto asks for "later than"


class SandboxClock:
    """Virtual time: ``now`` in seconds since the start, ``date`` as a date in UTC."""

    def __init__(self):
        self.events = sim.Clock()
        self._reached = 0.0
        self.turn = RLock()  # held by whoever moves time or makes a call: one thing at a time
        self._calls = 0  # calls that are being answered just now, by all threads
        self._calls_here = local()  # and by this thread
        self._counting = RLock()
        self.moved = lambda now: None  # told when the learner has moved the clock
        self.listeners = []  # functions(now) told of every move, after all that fell due has happened

    @property
    def now(self) -> float:
        return self.events.now

    @property
    def date(self) -> datetime:
        return self.date_at(self.now)

    def date_at(self, seconds: float) -> datetime:
        """The date in UTC of so many seconds since the start."""
        return START + timedelta(seconds=seconds)

    def seconds_at(self, date: datetime) -> float:
        """The other way round; a date without a zone is in UTC."""
        return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - START).total_seconds()

    def advance(self, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let time pass, and everything happen that falls due meanwhile."""
        step = seconds + 60 * minutes + 3600 * hours + 86_400 * days
        if not (isfinite(step) and step >= 0):
            raise ValueError(f"cannot advance by {step} s: time only runs forward (sandbox.reset() begins again at 0)")
        self.advance_to(self.now + step)

    def advance_to(self, goal: float) -> None:
        """Let time pass until ``now`` is ``goal``, in seconds since the start."""
        with self.turn:
            try:
                START + timedelta(seconds=goal)
            except OverflowError:  # before anything has moved
                raise ValueError(f"cannot advance to {goal:g} s: that is past the calendar's end, the year 9999") from None
            self.events.run(until=goal)
            self._reached = max(self._reached, goal)
            if self._reached > goal:  # something that happened meanwhile has itself waited, beyond the goal
                self.events.run(until=self._reached)
            self.moved(self.now)
            for function in list(self.listeners):
                function(self.now)
        self._show()

    def advance_until(self, condition, limit: float = 86_400) -> float:
        """Let time pass until ``condition()`` is true; returns how many seconds that took.

        It is asked after whatever happens, and each minute. TimeoutError if ``limit`` seconds don't bring it about.
        """
        start = self.now
        while not condition():
            if self.now >= start + limit:
                raise TimeoutError(f"still not so after {limit:g} s; give a larger limit=, or look at sandbox.history()")
            due = self.events.next
            step = min(60.0, start + limit - self.now, max(0.0, due - self.now) if due is not None else 60.0)
            self.advance(seconds=step)
        return self.now - start

    def restart(self) -> None:
        """Back to 0, with nothing left that is still to happen."""
        with self.turn:
            self.events = sim.Clock()
            self._reached = 0.0

    def __repr__(self) -> str:
        return f"<Clock: {self.now:g} s since the sandbox's start, {self.date:%A %Y-%m-%d %H:%M:%S} UTC>"

    # The sandbox answers each call inside `with clock:`. There moto reads this clock instead of the computer's.

    def __enter__(self):
        with self._counting:
            if self._calls == 0:
                import time_machine
                self._travel = time_machine.travel(_naive(self.date), tick=False)
                self._traveller = self._travel.start()
            else:
                self._show()
            self._calls += 1
        self._calls_here.count = getattr(self._calls_here, "count", 0) + 1

    def __exit__(self, *error):
        self._calls_here.count -= 1
        with self._counting:
            self._calls -= 1
            if self._calls == 0:
                self._travel.stop()

    def _show(self, late=timedelta(0)):
        """Calls that are being answered see that time has passed."""
        with self._counting:
            if self._calls:
                self._traveller.move_to(_naive(self.date + late))

    def patch_waiting(self):
        """Let a call's waiting move this clock; returns the function that takes it back."""
        wait_for = Condition.wait_for

        def wait_on_this_clock(condition, predicate, timeout=None):
            if timeout is None or not getattr(self._calls_here, "count", 0):
                return wait_for(condition, predicate, timeout)
            if not predicate():
                condition.release()  # as a real wait does
                try:
                    self.advance(seconds=timeout)
                finally:
                    condition.acquire()
                self._show(LATE)
            return predicate()

        from botocore import waiter
        sleeping, waiter.time = waiter.time, _Sleeping(self)
        Condition.wait_for = wait_on_this_clock

        def wait_as_before():
            Condition.wait_for, waiter.time = wait_for, sleeping
        return wait_as_before


class _Sleeping:
    """What boto3's waiters have for a ``time`` module: they ask again and again, and sleep in between."""

    def __init__(self, clock):
        self._clock = clock

    def sleep(self, seconds):
        self._clock.advance(seconds=seconds)


def _naive(date):
    """Without its zone: given one, time_machine would switch the time zone of the whole process."""
    return date.replace(tzinfo=None)
