"""Archives of EventBridge in the sandbox: what passed the bus is kept, and replayed on the clock.

An archive keeps the events that its own rule matches, from the moment it exists and for as long as its RetentionDays
say. A replay sends those between two times to the bus's rules again, the first minute's first; they say so in the field
``replay-name``, which keeps them from being archived once more.

**Simplified** AWS does not say how long a replay takes: here it is STARTING for 10 seconds, and then each minute of
events takes one. An event is in the archive at once; AWS recommends to wait 10 minutes before a replay.

Amazon EventBridge User Guide, "Archiving and replaying events in Amazon EventBridge"; API Reference: "StartReplay",
"Replay", "ReplayDestination". Read 2026-11-28.
"""

from itertools import groupby

from kit.errors import ServiceError

STARTING, MINUTE_TAKES = 10.0, 1.0  # s, the kit's own choice
DAY = 86_400


def live(life, events) -> None:
    archives = Archives(life, events)
    life.state["archives"] = archives
    from moto.events.models import Replay
    life.patch(Replay, "replay_events", archives.started)
    life.before("events", "CancelReplay", archives.check_cancel)
    life.before("events", "DescribeArchive", archives.expire)
    life.before("events", "ListArchives", archives.expire)


def is_archive(arn: str) -> bool:
    """The target that an archive's own rule has: no resource is named in it."""
    parts = arn.split(":")
    return parts[2] == "events" and not parts[5]


class Archives:
    """The archives and replays of one sandbox."""

    def __init__(self, life, events):
        self.life, self.events = life, events

    def keep(self, rule, event) -> None:
        """An event that matches an archive's rule."""
        archive = self._backend(rule.region_name).archives.get(rule.name.removeprefix("Events-Archive-"))
        if archive is not None:
            archive.events.append(dict(event))

    def started(self, before, replay, archive) -> None:
        """moto would replay everything within the call; here it takes its time."""
        self.life.clock.after(STARTING, self._begin, replay, archive)

    def check_cancel(self, call) -> None:
        replay = self._backend(call.region).replays.get(call.parameters["ReplayName"])
        if replay is not None and replay.state.value not in ("STARTING", "RUNNING"):
            raise ServiceError("IllegalStatusException", f"Replay {replay.name} is not in a valid state for this operation.")

    def expire(self, call) -> None:
        for archive in self._backend(call.region).archives.values():
            self._kept(archive)

    def _begin(self, replay, archive):
        if replay.state.value == "STARTING":
            self._become(replay, "RUNNING")
            events = [one for one in self._kept(archive) if replay.event_start_time <= one["time"] < replay.event_end_time]
            events.sort(key=lambda one: one["time"])
            minutes = [list(some) for _, some in groupby(events, lambda one: one["time"] // 60)]
            self.life.clock.after(MINUTE_TAKES, self._next, replay, minutes, len(events))

    def _next(self, replay, minutes, total):
        if replay.state.value != "RUNNING":
            return  # it was cancelled
        if not minutes:
            self._become(replay, "COMPLETED")
            replay.end_time = self._now
            self.life.note("EventBridge", "replay completed", replay.name, f"{total} events")
            return
        bus = self._backend(replay.region).event_buses[replay.destination["Arn"].rsplit("/", 1)[-1]]
        only = replay.destination.get("FilterArns")
        for event in minutes[0]:
            for rule in list(bus.rules.values()):
                if not only or rule.arn in only:
                    self.life.guarded(self.events.offer, rule, event | {"replay-name": replay.name})
        self.life.clock.after(MINUTE_TAKES, self._next, replay, minutes[1:], total)

    def _become(self, replay, state):
        replay.state = type(replay.state)(state)

    def _kept(self, archive):
        """The events that the archive still has."""
        days = int(archive.retention or 0)
        if days:
            archive.events = [one for one in archive.events if one["time"] > self._now - days * DAY]
        return archive.events

    def _backend(self, region):
        return self.life.backend("events", region)

    @property
    def _now(self):
        return self.life.sandbox.clock.date.timestamp()
