"""One target at work: a queue, workers, and the ways in which it can fail.

Requests are served first come first served, ``workers`` at once. A target that crashed refuses at once; one whose
zone went dark swallows what it gets, and the sender gives up after ten seconds.

**Not modelled** A queue that is full, work that slows down under load, a request that is given up while it waits.

Read 2026-11-23: Application Load Balancer guide, "Troubleshoot your Application Load Balancers" (502: the connection
was refused or reset; 504: no connection within 10 seconds).
"""

from collections import deque
from dataclasses import dataclass

CONNECT_TIMEOUT = 10.0  # seconds until a balancer gives up on a target that gives no sign


@dataclass(slots=True)
class InFlight:
    """A request on its way."""

    number: int
    arrived: float
    zone: str  # of the node that got it
    work: float  # seconds, on a target that is not slow
    server: "Server | None" = None
    started: float | None = None


class Server:
    """A target. ``finish(request, outcome)`` is called once for each request that it receives."""

    def __init__(self, number: int, id: str, zone: str, clock, finish, workers: int = 1):
        self.number, self.id, self.zone, self.workers = number, id, zone, workers
        self.clock, self.finish = clock, finish
        self.slow = 1.0  # its work takes so many times as long
        self.fails = lambda: False  # whether an answer is an error, although health checks pass
        self.condition = "up"  # or "crashed" or "dark"
        self.waiting = deque()
        self.serving = {}  # request number: (request, the clock's ticket for its end)

    def receive(self, request: InFlight) -> None:
        request.server = self
        if self.condition == "crashed":
            self.finish(request, "refused")
        elif self.condition == "dark":
            self.clock.after(CONNECT_TIMEOUT, self.finish, request, "timeout")
        elif len(self.serving) < self.workers:
            self._start(request)
        else:
            self.waiting.append(request)

    def answer_to_health_check(self):
        """What a health check gets: a code, "refused", or None for no answer."""
        return {"up": 200, "crashed": "refused", "dark": None}[self.condition]

    def crash(self) -> None:
        """The process is gone: connections in use are reset, new ones refused."""
        self.condition = "crashed"
        for request in self._let_go():
            self.finish(request, "cut")

    def go_dark(self) -> None:
        """Its zone is gone: nobody hears of it again."""
        self.condition = "dark"
        for request in self._let_go():
            self.clock.after(CONNECT_TIMEOUT, self.finish, request, "timeout")

    def recover(self) -> None:
        self.condition = "up"

    def cut_off(self) -> int:
        """The balancer closes all connections to it; returns how many requests that cut."""
        held = self._let_go()
        for request in held:
            self.finish(request, "cut")
        return len(held)

    def _start(self, request) -> None:
        request.started = self.clock.now
        ticket = self.clock.after(request.work * self.slow, self._done, request)
        self.serving[request.number] = request, ticket

    def _done(self, request) -> None:
        del self.serving[request.number]
        self.finish(request, "error" if self.fails() else "ok")
        if self.waiting:
            self._start(self.waiting.popleft())

    def _let_go(self) -> list:
        for _, ticket in self.serving.values():
            self.clock.cancel(ticket)
        held = [request for request, _ in self.serving.values()] + [*self.waiting]
        self.serving.clear()
        self.waiting.clear()
        return held
