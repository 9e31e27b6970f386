"""The other end of the pipe from ``inside``: a learner's process, asked from where its code cannot reach.

It is started when it is needed, with its limits, and again after it was stopped; the new one repeats what had worked
in the old one. Whatever comes back is taken for a value or for nonsense, never for more.
"""

import os
import select
import shutil
import sys
import time
from pathlib import Path

from kit.classroom.apart import Apart, Limits, Room
from kit.classroom.values import LONGEST, decode, encode, packed, unpacked
from kit.course.limits import TimeUp
from kit.errors import ServiceError

KIT = Path(__file__).parents[1]
STAND_IN = Path(__file__).with_name("stand_in.py")
CELL = 1 / 4  # of the time for the notebook that one cell may take
READY = 60.0  # seconds for a new process to load what it needs
SAID = 2000  # characters of a learner's that are passed on
_BEGIN = f"import sys; sys.path.insert(0, {str(KIT.parent)!r}); from kit.classroom.inside import main; main()"


class Stopped(Exception):
    """The learner's process has ended or was stopped; says how that came."""


class Learner:
    """A learner's process. kit: the folder that without_answers() made.

    cases: what exercises are called inside, and the learner's own case of each. seconds and memory (bytes) are for all
    of the notebook, processor for Room. OSError if it cannot be started.
    """

    def __init__(self, kit: Path, cases: list, seconds: float, memory: int, processor: int | None = None):
        self.until = 0.0  # when functions have to be through, by time.monotonic()
        self._shown = python() | {str(KIT): kit}
        self._cases, self._seconds, self._memory, self._processor = cases, seconds, memory, processor
        self._over = time.monotonic() + seconds
        self._program, self._done, self._number, self._owes = None, [], 0, False

    def __enter__(self) -> "Learner":
        return self

    def __exit__(self, *_) -> None:
        self._stop()

    def run(self, source: str) -> str:
        """Run a cell: what went wrong, in words, "" if nothing did."""
        try:
            trouble = str(self._request({"run": source}).get("trouble", ""))[:SAID]
        except Stopped as stopped:
            return str(stopped)
        except ValueError:
            return "is too long to be run"
        self._done += [] if trouble else [source]
        return trouble

    def answer(self, check: str) -> tuple[object, bool]:
        """What a check cell hands in, and whether it is a blank. ValueError: why there is nothing, in words."""
        try:
            reply = self._request({"check": check})
        except Stopped as stopped:
            raise ValueError(str(stopped)) from None
        if "answer" not in reply:
            raise ValueError(str(reply.get("trouble") or "was given no answer")[:SAID])
        try:
            return decode(reply["answer"], self._call), reply.get("blank") is True
        except ValueError:
            raise ValueError("was given something that is no value") from None

    def settle(self) -> None:
        """A process that still owes a reply is of no more use."""
        if self._owes:
            self._stop()

    def _call(self, number: int, arguments: tuple, named: dict):
        """Call a function of the learner's: it returns and raises as that does, or TimeUp, or Stopped."""
        if self._program is None:
            raise Stopped("it had been stopped before")
        try:
            reply = self._exchange({"call": number, "arguments": encode(arguments), "named": encode(named)}, self.until)
        except TimeoutError:
            raise TimeUp from None
        if "raised" in reply:
            raise _exception(reply["raised"])
        return decode(reply.get("value"))

    def _request(self, request: dict) -> dict:
        """The reply of a process that is started if there is none."""
        while (left := self._over - time.monotonic()) > 0 and self._program is None:
            self._start()  # and again, if a cell that had worked ended it this time
        if left <= 0:
            raise Stopped(f"was not reached: the {self._seconds:g} seconds for the whole notebook were over")
        seconds = min(CELL * self._seconds, left)
        try:
            return self._exchange(request, time.monotonic() + seconds)
        except TimeoutError:
            self._stop()
            raise Stopped(f"was still running after {seconds:.0f} seconds and was stopped. "
                          "Is there a loop that never ends?") from None

    def _exchange(self, request: dict, end: float) -> dict:
        """Send and receive. TimeoutError: there is no reply yet; Stopped: there will be none."""
        self._number += 1
        line = packed(request | {"n": self._number})
        self._owes = True
        try:
            self._requests.write(line)
            reply = unpacked(self._line(end))
        except (BrokenPipeError, EOFError):
            raise self._gone("ended the whole program") from None
        except ValueError:
            raise self._gone("said something that is no answer, and was stopped") from None
        if reply.get("n") != self._number:
            raise self._gone("said something that was not asked, and was stopped")
        self._owes = False
        return reply

    def _line(self, end: float) -> bytes:
        while b"\n" not in self._heard:
            if not select.select([self._replies], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError
            data = os.read(self._replies, LONGEST)
            if not data:
                raise EOFError
            self._heard += data
            if len(self._heard) > 2 * LONGEST:
                raise ValueError("too much")
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _gone(self, otherwise: str) -> Stopped:
        program = self._program
        self._stop()
        return Stopped(f"{program.ended} and was stopped" if program.ended else otherwise)

    def _start(self) -> None:
        (requests, to), (back, replies) = os.pipe(), os.pipe()
        room = Room(shown=self._shown, processor=self._processor, environment={
            "KIT_PROGRESS": "off", "IPYTHONDIR": "/tmp/.ipython", "MALLOC_ARENA_MAX": "2", "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1"})
        self._program = Apart([sys.executable, "-c", _BEGIN, str(requests), str(replies)], room,
                              Limits(seconds=max(1.0, self._over - time.monotonic()), memory=self._memory),
                              pass_fds=(requests, replies))
        os.close(requests)
        os.close(replies)
        self._requests, self._replies, self._heard = os.fdopen(to, "wb", buffering=0), back, b""
        program = self._program
        try:
            self._exchange({"cases": self._cases}, time.monotonic() + READY)  # nothing of the learner's has run yet
        except (Stopped, TimeoutError) as error:
            program.stop()
            said = program.output.decode(errors="replace").strip()[-SAID:]
            raise OSError(f"a learner's program could not be started: it {error or 'took too long'} {said}") from None
        worked, self._done = self._done, []
        for source in worked:
            self.run(source)

    def _stop(self) -> None:
        if self._program:
            self._program.stop()
            self._requests.close()
            os.close(self._replies)
        self._program, self._owes = None, False


def without_answers(folder: Path) -> Path:
    """A copy of the kit in a folder, for all learners' processes: where answers are, it has stand-ins."""
    copy = folder / "kit"
    shutil.copytree(KIT, copy, ignore=shutil.ignore_patterns("checks.*"))  # those in __pycache__, too
    for checks in KIT.glob("*/checks.py"):
        shutil.copy(STAND_IN, copy / checks.relative_to(KIT))
    return copy


def python() -> dict[str, Path]:
    """This Python and its packages, as Room shows them."""
    prefix, base = Path(sys.prefix), Path(sys.base_prefix)
    paths = [prefix / name for name in ("bin", "lib", "lib64", "share", "pyvenv.cfg")]
    paths += [base] if base != prefix and not base.is_relative_to("/usr") else []
    return {str(path): path for path in paths if path.exists()}


def _exception(raised) -> BaseException:
    """An exception like the one that the learner's code raised, in name and words only."""
    if not isinstance(raised, dict):
        return Stopped("said something that is no answer")
    if "code" in raised:
        return ServiceError(str(raised["code"])[:SAID], str(raised.get("message"))[:SAID])
    name = str(raised.get("type"))[:60]
    words = str(raised.get("told"))[:SAID].removeprefix(name).removeprefix(": ")
    if name == "NotImplementedError":  # says that nothing was answered
        return NotImplementedError(words)
    return type(name.replace("\0", ""), (Exception,), {})(words)
