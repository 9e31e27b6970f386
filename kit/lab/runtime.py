"""Where handlers really run: each in a process of its own, with the sandbox's time and a way back into the sandbox.

    runtime = Runtime(call_out)
    environment = runtime.create(code=zip_bytes, handler="app.handler", environment={}, memory_mb=128)   # a cold start
    environment.invoke(event, context, timeout=3)                                                        # warm from then on

A helper process is started once, with boto3 loaded, and forks one process for each environment: that takes
milliseconds. What a handler asks of AWS comes back here (``call_out``), whatever else it wants of the network is
refused. ``time.sleep`` takes the sandbox's time, not yours: a handler that sleeps ten minutes answers at once.
Between two invocations an environment is frozen, as on AWS. However it ends, what it has started ends with it.

**Simplified** The first second of yours that a handler computes takes no time of the sandbox, from then on time runs.
After 10 s of yours, or its timeout, it has timed out. The memory limit counts what a handler asks for on top of an
empty one. What is installed here can be imported; on AWS only what is in the zip, its layers, and boto3.
**Not covered** This holds against mistakes, not against malice: handlers run as you, with your files; programs that
they start are not sealed from the network. Without fork (in a browser tab, on Windows) they run in place, without limits.

AWS re:Post, "How do I resolve Lambda runtime exited errors?" (Runtime.ExitError), read 2026-11-23.
"""

import json
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kit.lab.codec import decode, encode

INIT = 0.1  # s of the sandbox that a cold start takes, beside what the module sleeps while it is imported
FREE = 1.0  # s of yours that computing takes before it takes time of the sandbox
PATIENCE = 10.0  # s of yours that a handler may compute beyond that
CALL = 0.002  # s that a call to AWS counts towards the timeout at least: a handler that calls for ever ends
ANSWERS = 60.0  # s of yours that the sandbox may take to answer one invocation's calls
GRACE = 0.5  # s of yours for a handler to say itself that its time is over
BIRTH = 20.0  # s of yours for an environment to come up, the helper process included
END = 3.0  # s of yours for one to end
MOST_LOGS = 200_000  # bytes of one invocation's output that are kept
MOST_MESSAGE = 1 << 28  # bytes; a longer one is none of ours
ORDER = struct.Struct(">cI")  # to the helper: "+" fork, "-" kill, "f" freeze, "t" thaw; the environment's number
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONHOME")


@dataclass
class Result:
    """What an invocation gave: payload as JSON text; error "Unhandled" or None; log lines; seconds of the sandbox."""

    payload: str
    error: str | None = None
    logs: list[str] = field(default_factory=list)
    duration: float = 0.001
    max_memory_mb: int = 0
    init_duration: float = 0.0


class Runtime:
    """All environments of one sandbox. ``limits``: what does not hold here, in words."""

    def __init__(self, call_out):
        self.call_out, self._zygote, self._environments, self._serial, self._up = call_out, None, {}, 0, False
        self.in_place = sys.platform in ("emscripten", "wasi", "win32") or not hasattr(os, "fork")
        self.limits = "Handlers run in this process: there are no limits of time and memory here." if self.in_place else (
            "" if sys.platform == "linux" else "There is no limit of memory here.")

    def create(self, code: bytes, handler: str, environment: dict, memory_mb: int = 128, layers=()) -> "Environment":
        """A new environment: it begins to import its module. An import that fails shows at the first invocation."""
        birth = {"code": code, "handler": handler, "environment": environment, "memory_mb": memory_mb, "layers": list(layers)}
        self._serial += 1
        if self.in_place:
            from kit.lab.runtime_child import InPlace
            made = Environment(self, self._serial, InPlace(birth))
        else:
            line = self._fork(self._serial)
            try:
                line.send(birth)
            except OSError:
                pass  # it is dead already, and the first invocation says so
            made = Environment(self, self._serial, line)
        self._environments[self._serial] = made
        return made

    def stop(self) -> None:
        """End all of them, and remove their folders."""
        for environment in list(self._environments.values()):
            environment._leave()
        if self._zygote is not None:
            self._finalizer()
            self._zygote = None

    def _fork(self, number):
        for last in (False, True):
            if self._zygote is None or self._zygote.poll() is not None:
                self._start()
            (ours, theirs), (logs, theirs_too) = socket.socketpair(), os.pipe()
            try:
                socket.send_fds(self._control, [ORDER.pack(b"+", number)], [theirs.fileno(), theirs_too])
                return Line(ours, logs)
            except OSError:  # somebody has killed the helper since: start another
                ours.close()
                os.close(logs)
                self._zygote.wait(END)
                if last:
                    raise
            finally:
                theirs.close()
                os.close(theirs_too)

    def _start(self):
        if self._zygote is not None:
            self._finalizer()
        self._control, theirs = socket.socketpair()
        self._root, self._up = tempfile.mkdtemp(prefix="functions-"), False
        ours = os.fspath(Path(__file__).parents[2])
        names = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "PYTHONPATH": os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH", "")])), "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1", "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"}
        with open(os.path.join(self._root, "trouble"), "wb") as trouble:
            self._zygote = subprocess.Popen(
                [sys.executable, "-P", "-m", "kit.lab.runtime_child", str(theirs.fileno()), self._root], env=names,
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=trouble, stderr=trouble, start_new_session=True)
        theirs.close()
        self._finalizer = weakref.finalize(self, _end, os.getpid(), self._control, self._zygote, self._root)

    def _order(self, kind, number):
        try:
            if self._zygote is not None:
                self._control.sendall(ORDER.pack(kind, number))
        except OSError:
            pass  # the helper is dead, and with it all environments

    def _check_start(self):
        """An environment has ended before it began: because the helper could not start?"""
        if self.in_place or self._up or self._zygote is None:
            return
        try:
            self._zygote.wait(GRACE)
        except subprocess.TimeoutExpired:
            return
        trouble = Path(self._root, "trouble").read_text(encoding="utf-8", errors="replace").strip()
        if trouble:
            raise RuntimeError("handlers can't run here, because the process for them doesn't start: "
                               f"{trouble.splitlines()[-1]} (the lab needs boto3 and time-machine beside {sys.executable})")

    def _answer(self, wanted):
        """A handler's call to AWS, answered by the sandbox."""
        from botocore.exceptions import ClientError
        try:
            service, region, operation = wanted["call"]
            return {"response": encode(self.call_out(service, region, operation, decode(wanted["parameters"]), wanted["keys"]))}
        except ClientError as error:
            return {"error": encode(error.response)}
        except Exception as error:  # parameters that boto3 refuses, for one: the handler is told
            return {"failed": [type(error).__name__, str(error)]}


class Environment:
    """One execution environment: warm as long as it is ``alive``."""

    def __init__(self, runtime, number, line):
        self._runtime, self._number, self._line = runtime, number, line
        self._born, self._frozen, self.pid = False, False, None
        self.alive = True

    def invoke(self, event, context: dict, timeout: float) -> Result:
        """Run the handler once. context: the fields of Lambda's context object, and ``now``, seconds since 1970."""
        result = Result("null")
        try:
            if not self.alive:
                raise EOFError("stopped before")
            if not self._born:
                birth = self._reply(PATIENCE if self._runtime._up else BIRTH, timeout)
                self.pid, self._born, self._runtime._up = birth.get("pid"), True, True
                result.init_duration = INIT + birth["slept"]
            if self._frozen:
                self._runtime._order(b"t", self._number)
                self._frozen = False
            self._line.send({"event": event, "context": context, "timeout": timeout})
            answer = self._reply(min(timeout, PATIENCE) + FREE + GRACE, timeout)
            if not answer.get("timed_out"):
                result.payload, result.error = str(answer["payload"]), answer["error"]
                result.duration, result.max_memory_mb = float(answer["duration"]), int(answer["memory"])
            result.logs = self._line.printed()
            if answer.get("over"):  # it has told us why, and is no more
                self.stop()
            else:
                self._runtime._order(b"f", self._number)
                self._frozen = True
            if answer.get("timed_out"):
                self._timed_out(result, context, timeout)
        except TimeoutError:
            result.logs = self._line.printed()
            self.stop()
            self._timed_out(result, context, timeout)
        except Died as died:
            self._exited(result, context, exit_words(died.status))
        except (EOFError, OSError, KeyError, TypeError, ValueError):  # nothing, or nothing that the child would say
            self._runtime._check_start()
            self._exited(result, context, exit_words(0))
        except BaseException:  # you have interrupted it
            self.stop()
            raise
        return result

    def stop(self) -> None:
        """End it, and whatever it has started."""
        if self.alive:
            self._runtime._order(b"-", self._number)
            self._line.wait_for_end(END)
            self._leave()

    def _leave(self):
        if self.alive:
            self.alive = False
            self._line.close()
            self._runtime._environments.pop(self._number, None)

    def _reply(self, patience, timeout):
        """What the child says in the end; its calls to AWS are answered meanwhile, and take hardly any of its time."""
        calls, answering = 0, 0.0
        while True:
            began = time.monotonic()
            answer = self._line.receive(patience)
            patience -= time.monotonic() - began
            if "died" in answer:
                raise Died(answer["died"])
            if "call" not in answer:
                return answer
            calls += 1
            if calls * CALL > timeout or answering > ANSWERS:
                raise TimeoutError
            began = time.monotonic()
            self._line.send(self._runtime._answer(answer))
            answering += time.monotonic() - began

    def _timed_out(self, result, context, timeout):
        request, words = context.get("aws_request_id", ""), f"Task timed out after {timeout:.2f} seconds"
        when = datetime.fromtimestamp(context.get("now", 0) + timeout, UTC)
        result.payload = _failure("Sandbox.Timedout", f"RequestId: {request} Error: {words}")
        result.error, result.duration = "Unhandled", timeout
        result.logs.append(f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z {request} {words}\n")

    def _exited(self, result, context, words):
        if self.alive:
            result.logs = self._line.printed()
        self.stop()
        words = f"RequestId: {context.get('aws_request_id', '')} Error: {words}"
        result.payload, result.error = _failure("Runtime.ExitError", words), "Unhandled"
        result.logs += [f"{words}\n", "Runtime.ExitError\n"]


class Died(EOFError):
    """The helper says that an environment has ended; ``status`` is the exit code, or minus the signal."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


def exit_words(status: int) -> str:
    """AWS's words for the end of a runtime."""
    if not isinstance(status, int) or status == 0:
        return "Runtime exited without providing a reason"
    if status < 0:
        return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"
    return f"Runtime exited with error: exit status {status}"


class Channel:
    """JSON messages over a socket, each with its length before it."""

    def __init__(self, end):
        self._end = end

    def send(self, message) -> None:
        data = json.dumps(encode(message)).encode()
        self._end.sendall(struct.pack(">I", len(data)) + data)

    def receive(self, patience: float | None = None) -> dict:
        """The next message; TimeoutError after ``patience`` seconds, EOFError when no sensible one comes any more."""
        until = None if patience is None else time.monotonic() + patience
        (length,) = struct.unpack(">I", self._exactly(4, until))
        if length > MOST_MESSAGE:
            raise EOFError("no message of ours")
        try:
            message = decode(json.loads(self._exactly(length, until)))
        except (ValueError, RecursionError, TypeError, AttributeError, ArithmeticError) as error:
            raise EOFError("no message of ours") from error
        if not isinstance(message, dict):
            raise EOFError("no message of ours")
        return message

    def close(self) -> None:
        self._end.close()

    def _exactly(self, length, until):
        parts = []
        while length:
            self._wait(until)
            part = self._end.recv(min(length, 1 << 20))
            if not part:
                raise EOFError("the other end is closed")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _wait(self, until):
        pass  # recv does


class Line(Channel):
    """Our end of an environment. What it prints is read all the time: so it never has to wait, and nothing is lost."""

    def __init__(self, end, logs):
        super().__init__(end)
        end.settimeout(BIRTH)  # for one that does not listen
        os.set_blocking(logs, False)
        self._logs, self._printed, self._cut = logs, bytearray(), False
        self._ready = selectors.DefaultSelector()
        self._ready.register(end, selectors.EVENT_READ)
        self._ready.register(logs, selectors.EVENT_READ)

    def printed(self) -> list[str]:
        """The lines since the last time."""
        for _ in range(64):  # an end, even if it prints faster than we read
            if not self._read():
                break
        text, cut = self._printed.decode(errors="replace"), self._cut
        self._printed, self._cut = bytearray(), False
        return lines_of(text, cut)

    def wait_for_end(self, patience):
        """Until the helper has seen to it that nothing is left."""
        until = time.monotonic() + patience
        try:
            while self._wait(until) or self._end.recv(1 << 16):
                pass
        except OSError:
            pass

    def close(self):
        self._ready.close()
        os.close(self._logs)
        super().close()

    def _wait(self, until):
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ready = [key.fd for key, _ in self._ready.select(left)]
            if self._logs in ready:
                self._read()
            if self._end.fileno() in ready:
                return

    def _read(self):
        try:
            data = os.read(self._logs, 1 << 16)
        except BlockingIOError:
            return False
        if not data and self._logs in self._ready.get_map():
            self._ready.unregister(self._logs)
        left = MOST_LOGS - len(self._printed)
        self._printed += data[:left]
        self._cut |= len(data) > left
        return bool(data)


def lines_of(text: str, cut: bool) -> list[str]:
    """Text as log lines, each with its end of line."""
    lines = [line + "\n" for line in text.split("\n")]
    if not text or text.endswith("\n"):
        lines.pop()
    return lines + ["(more was printed than the sandbox keeps)\n"] * cut


def _failure(kind, message):
    return json.dumps({"errorType": kind, "errorMessage": message})


def _end(owner, control, zygote, root):
    """The helper ends when its control socket is closed, and sees to the rest."""
    control.close()
    if os.getpid() != owner:
        return  # a fork of ours, to which nothing of it belongs
    try:
        zygote.wait(END)
    except subprocess.TimeoutExpired:
        zygote.kill()
        zygote.wait()
    shutil.rmtree(root, ignore_errors=True)
