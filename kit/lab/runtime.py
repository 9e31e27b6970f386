"""Where handlers really run: each in a process of its own, with the sandbox's time and a way back into the sandbox.

    runtime = Runtime(call_out)
    environment = runtime.create(code=zip_bytes, handler="app.handler", environment={}, memory_mb=128)   # a cold start
    environment.invoke(event, context, timeout=3)                                                        # warm from then on

A helper process is started once, with boto3 loaded, and forks one process for each environment: that takes
milliseconds. What a handler asks of AWS comes back here (``call_out``), whatever else it wants of the network is
refused. ``time.sleep`` takes the sandbox's time, not yours: a handler that sleeps ten minutes answers at once.

**Simplified** Computing takes no time of the sandbox; a handler that computes for more than 10 s of yours, or longer
than its timeout, has timed out. The memory limit counts what a handler asks for on top of an empty one. Without
processes (in a browser tab) handlers run in place, without limits.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from kit.lab.codec import decode, encode

INIT = 0.1  # s of the sandbox that a cold start takes, beside what the module sleeps while it is imported
PATIENCE = 10.0  # s of yours that a handler may compute
BIRTH = 20.0  # s of yours for an environment to come up


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
        self.call_out, self._zygote, self._environments = call_out, None, []
        self.in_place = sys.platform == "emscripten" or not hasattr(os, "fork")
        self.limits = "Handlers run in this process: there are no limits of time and memory here." if self.in_place else ""

    def create(self, code: bytes, handler: str, environment: dict, memory_mb: int = 128, layers=()) -> "Environment":
        """A new environment: its module is imported already. An import that fails shows at the first invocation."""
        birth = {"code": code, "handler": handler, "environment": environment, "memory_mb": memory_mb, "layers": list(layers)}
        if self.in_place:
            from kit.lab.runtime_child import InPlace
            return Environment(self, InPlace(birth, self._answer))
        if self._zygote is None or self._zygote.poll() is not None:
            self._start()
        ours, theirs = socket.socketpair()
        socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        theirs.close()
        channel = Channel(ours)
        channel.send(birth)
        made = Environment(self, channel)
        self._environments.append(made)
        return made

    def stop(self) -> None:
        """End all of them."""
        for environment in self._environments:
            environment.stop()
        self._environments.clear()
        if self._zygote is not None:
            self._control.close()
            self._zygote.wait(timeout=5)
            self._zygote = None

    def _start(self):
        self._control, theirs = socket.socketpair()
        names = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        root = os.fspath(Path(__file__).parents[2])
        names["PYTHONPATH"] = os.pathsep.join(filter(None, [root, names.get("PYTHONPATH", "")]))
        self._zygote = subprocess.Popen([sys.executable, "-m", "kit.lab.runtime_child", str(theirs.fileno())],
                                        pass_fds=[theirs.fileno()], env=names, stdin=subprocess.DEVNULL,
                                        start_new_session=True)  # interrupting the kernel is not meant for it
        theirs.close()

    def _answer(self, wanted):
        """A handler's call to AWS, answered by the sandbox."""
        from botocore.exceptions import ClientError
        service, region, operation = wanted["call"]
        try:
            return {"response": encode(self.call_out(service, region, operation, decode(wanted["parameters"]), wanted["keys"]))}
        except ClientError as error:
            return {"error": encode(error.response)}
        except Exception as error:  # parameters that boto3 refuses, for one: the handler is told
            return {"failed": f"{type(error).__name__}: {error}"}


class Environment:
    """One execution environment: warm as long as it is ``alive``."""

    def __init__(self, runtime, channel):
        self._runtime, self._channel, self._born = runtime, channel, None
        self.alive = True

    def invoke(self, event, context: dict, timeout: float) -> Result:
        """Run the handler once. context: the fields of Lambda's context object, and ``now``, seconds since 1970."""
        request = context.get("aws_request_id", "")
        init = 0.0
        try:
            if self._born is None:
                self._born = self._channel.receive(BIRTH)
                init = INIT + self._born["slept"]
                self.pid = self._born.get("pid")
            self._channel.send({"event": event, "context": context, "timeout": timeout})
            while "call" in (answer := self._channel.receive(min(timeout, PATIENCE) + 0.5)):
                self._channel.send(self._runtime._answer(answer))
        except TimeoutError:
            self.stop()
            return Result(_failure("Sandbox.Timedout", f"RequestId: {request} Error: Task timed out after {timeout:.2f} seconds"),
                          "Unhandled", [f"Task timed out after {timeout:.2f} seconds\n"], timeout, 0, init)
        except (EOFError, OSError):
            self.stop()
            return Result(_failure("Runtime.ExitError", f"RequestId: {request} Error: Runtime exited without providing a reason"),
                          "Unhandled", ["Runtime exited without providing a reason\n"], 0.001, 0, init)
        except BaseException:  # the learner has interrupted the kernel: this environment is in the middle of something
            self.stop()
            raise
        if answer.get("over"):  # it told us why, and is no more
            self.stop()
        return Result(answer["payload"], answer["error"], answer["logs"], answer["duration"], answer["memory"], init)

    def stop(self) -> None:
        """End it, and whatever it has started."""
        if self.alive:
            self.alive = False
            self._channel.close()
            if getattr(self, "pid", None):
                try:
                    os.killpg(self.pid, signal.SIGKILL)
                except ProcessLookupError:
                    self.pid = None  # it had ended by itself


class Channel:
    """JSON messages over a socket, each with its length before it."""

    def __init__(self, end):
        self._end = end

    def send(self, message) -> None:
        data = json.dumps(encode(message)).encode()
        self._end.sendall(struct.pack(">I", len(data)) + data)

    def receive(self, patience: float | None = None):
        """The next message; TimeoutError after ``patience`` seconds, EOFError when the other end is closed."""
        self._end.settimeout(patience)
        (length,) = struct.unpack(">I", self._exactly(4))
        return decode(json.loads(self._exactly(length)))

    def close(self) -> None:
        self._end.close()

    def _exactly(self, length):
        parts = []
        while length:
            part = self._end.recv(min(length, 1 << 20))
            if not part:
                raise EOFError("the other end is closed")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)


def _failure(kind, message, trace=()):
    return json.dumps({"errorType": kind, "errorMessage": message} | ({"stackTrace": list(trace)} if trace else {}))
