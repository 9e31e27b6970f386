"""Run a learner's code so that it cannot take the notebook with it.

The code runs in a thread of its own. When its time is up, an exception is raised in that thread, again and again,
because a bare ``except:`` swallows many of them; a thread that goes on even so is abandoned. Meanwhile what it prints
goes on a sheet of limited length, and ``input()`` and ``exit()`` raise instead of reaching the notebook.

**Not done**: this is no sandbox. ``os._exit`` ends the kernel, and files and memory are the learner's own.
Where there are no threads (a browser tab), a trace function looks at the clock instead; there an endless loop
around a bare ``except:`` goes on.
"""

import _thread
import builtins
import ctypes
import gc
import io
import sys
import time
from contextlib import contextmanager

THREADS = sys.platform != "emscripten"
PERSISTENCE = 0.3  # seconds during which a thread is told to end
PRINTED, LINES = 2000, 20  # characters and lines kept of what the code prints


class TimeUp(SystemExit):
    """Raised in code whose time is up. A SystemExit, so that a thread ends without a word."""


def limited(work, seconds: float, threads: bool = THREADS) -> tuple[str, str]:
    """Call work() for so many seconds at most: how it ended, and what it printed.

    Ends are "done", "stopped" and "abandoned" (it goes on in the background). work catches its own exceptions,
    all but TimeUp.
    """
    _SHEET.clear()
    end, streams = "abandoned", (sys.stdout, sys.stderr)
    sys.stdout = sys.stderr = _SHEET
    try:
        with _closed_doors():
            end = (_in_thread if threads else _traced)(work, seconds)
    finally:
        sys.stdout, sys.stderr = streams if end != "abandoned" else map(_Deaf.of, streams)
    return end, _SHEET.text()


def _in_thread(work, seconds: float) -> str:
    """A bare thread: one of the threading module would complain of the TimeUp that ends it."""
    waiting, going, failed = _thread.allocate_lock(), _thread.allocate_lock(), []
    waiting.acquire()
    going.acquire()

    def run():
        waiting.release()
        try:
            work()
        except TimeUp:
            raise
        except BaseException as error:
            failed.append(error)
        finally:
            _ENDING.discard(_thread.get_ident())  # an abandoned one that ends at last; its number is used again
        going.release()

    thread = _thread.start_new_thread(run, ())
    waiting.acquire()
    done = False
    try:
        done = going.acquire(timeout=seconds)
    finally:  # also when the learner interrupts the kernel
        stopped = done or _stop(thread)
    if failed:
        raise failed[0]
    return "done" if done else "stopped" if stopped else "abandoned"


def _stop(thread: int) -> bool:
    """Raise TimeUp in a thread until it ends, or for a while; from now on print() raises it there too."""
    _ENDING.add(thread)
    collects = gc.isenabled()
    gc.disable()  # in a callback of the garbage collector TimeUp would end nothing, and only be printed as unraisable
    usual, until = sys.getswitchinterval(), time.perf_counter() + PERSISTENCE
    sys.setswitchinterval(1e-6)  # so that, of many, one TimeUp meets a loop outside of its try block
    try:
        while thread in sys._current_frames():
            if time.perf_counter() > until:
                return False
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeUp))
            time.sleep(1e-5)
        _ENDING.discard(thread)
        return True
    finally:
        sys.setswitchinterval(usual)
        if collects:
            gc.enable()


def _traced(work, seconds: float) -> str:
    end = time.perf_counter() + seconds

    def trace(frame, event, argument):
        if time.perf_counter() > end:
            raise TimeUp
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
        return "done"
    except TimeUp:
        return "stopped"
    finally:
        sys.settrace(before)


_ENDING = set()  # the threads whose time is up


def _stop_if_ending() -> None:
    if _thread.get_ident() in _ENDING:
        raise TimeUp


class _Sheet(io.StringIO):
    """Paper that takes a limited number of characters and lets the rest fall."""

    def clear(self) -> None:
        self.seek(0)
        self.truncate()

    def write(self, text: str) -> int:
        _stop_if_ending()
        room = PRINTED + 1 - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)

    def text(self) -> str:
        text = self.getvalue()
        lines = text[:PRINTED].splitlines()
        return "\n".join(lines[:LINES] + ["… and more"] * (len(text) > PRINTED or len(lines) > LINES))


# One for all and for ever: print() in an abandoned thread may still hold it, and before Python 3.13 the interpreter
# would crash if it were gone.
_SHEET = _Sheet()


class _Deaf:
    """The usual output, but for abandoned threads, which would fill the notebook for as long as the kernel lives."""

    def __init__(self, stream):
        self._stream = stream

    @classmethod
    def of(cls, stream) -> "_Deaf":
        return stream if isinstance(stream, cls) else cls(stream)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        _stop_if_ending()
        return self._stream.write(text)


@contextmanager
def _closed_doors():
    """input() would wait for a key that nobody presses, exit() would end the whole kernel."""
    def ask(*_):
        raise RuntimeError("input() cannot ask anybody while your answer is checked; use what is handed in instead")

    def leave(*_):
        raise SystemExit

    shell = notebook()
    before, builtins.input = builtins.input, ask
    if shell:
        shell.ask_exit = leave
    try:
        yield
    finally:
        builtins.input = before
        if shell:
            del shell.ask_exit


def notebook():
    """The shell of the notebook this runs in, or None outside of one."""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return shell if hasattr(shell, "kernel") else None
