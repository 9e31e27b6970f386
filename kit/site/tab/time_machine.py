"""A time machine in plain Python, where the compiled one cannot be had: in a browser tab.

It has what the sandbox's clock uses of it: ``travel(date, tick=False).start()``, ``move_to(date)``, ``stop()``. While it
travels, ``datetime.now`` and ``utcnow``, ``date.today``, and ``time.time``, ``time_ns``, ``gmtime``, ``localtime`` and
``strftime`` tell the moment it was given.

The types of the standard library are changed once, when this module is imported, in the dictionary behind the type:
``datetime`` takes no attributes otherwise. From then on each of these functions looks at one variable first.

**Simplified** One journey at a time, and its time stands still. A date without a zone is in UTC. What a module took by
name (``from time import time``) before this one was imported stays the computer's time.
"""

import ctypes
import gc
import time
from datetime import UTC, datetime

_there = None  # seconds since 1970 while it travels


class travel:
    """``travel(date, tick=False).start()`` begins a journey, ``stop()`` ends it."""

    def __init__(self, destination: datetime, *, tick: bool = True):
        if tick:
            raise ValueError("in this time machine time stands still: say tick=False")
        self._destination = destination

    def start(self) -> "travel":
        self.move_to(self._destination)
        return self

    def move_to(self, destination: datetime) -> None:
        global _there
        _there = (destination if destination.tzinfo else destination.replace(tzinfo=UTC)).timestamp()

    def stop(self) -> None:
        global _there
        _there = None


def _change_time():
    usual = {name: getattr(time, name) for name in ("time", "time_ns", "gmtime", "localtime", "strftime")}

    def tell():
        return usual["time"]() if _there is None else _there

    def tell_ns():
        return usual["time_ns"]() if _there is None else round(_there * 1e6) * 1000

    def gmtime(seconds=None):
        return usual["gmtime"](_there if seconds is None else seconds)

    def localtime(seconds=None):
        return usual["localtime"](_there if seconds is None else seconds)

    def strftime(format, when=None):
        return usual["strftime"](format, localtime() if when is None else when)

    time.time, time.time_ns, time.gmtime, time.localtime, time.strftime = tell, tell_ns, gmtime, localtime, strftime


def _change_datetime():
    names = gc.get_referents(datetime.__dict__)[0]
    usual_now, usual_utcnow = names["now"], names["utcnow"]

    def now(cls, tz=None):
        return usual_now.__get__(None, cls)(tz) if _there is None else cls.fromtimestamp(_there, tz)

    def utcnow(cls):
        return usual_utcnow.__get__(None, cls)() if _there is None else cls.fromtimestamp(_there, UTC).replace(tzinfo=None)

    names["now"], names["utcnow"] = classmethod(now), classmethod(utcnow)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))  # Python remembers what it has found in a type


_change_time()
_change_datetime()
