"""The other side of ``runtime``: the process that handlers run in, and the one that they are forked from."""

import importlib
import io
import json
import logging
import os
import random
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime

MOST_LOGS = 200_000  # characters of one invocation's output that are kept
STEP = 32  # MB in which the memory used is told: the exact figure differs from run to run
LEAST = 0.001  # s that an invocation lasts


def main(control: int) -> None:
    """Fork an environment for each socket that comes through the control socket; end when it is closed."""
    import boto3
    import botocore.client
    import kit.lab.runtime  # noqa: F401  seals this process and all that are forked from it
    import time_machine  # noqa: F401
    boto3.client("sts", region_name="us-east-1")  # loads what every client needs, once for all
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders = socket.socket(fileno=control)
    while True:
        try:
            data, ends, *_ = socket.recv_fds(orders, 1, 1)
        except OSError:
            return
        if not data:
            return
        if os.fork() == 0:
            orders.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _live(ends[0])
            os._exit(0)
        os.close(ends[0])


def _live(end) -> None:
    from kit.lab.runtime import Channel
    os.setsid()
    _die_with_parent()
    channel = Channel(socket.socket(fileno=end))
    folder = tempfile.mkdtemp(prefix="function-")
    try:
        birth = channel.receive()
        handler = Handler(birth, folder, lambda wanted: (channel.send(wanted), channel.receive())[1])
        base = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() if os.path.exists("/proc/self/statm") else 0
        most = base + birth["memory_mb"] * 1024 * 1024
        if base:
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        handler.load()
        channel.send({"slept": handler.clock.slept, "pid": os.getpid()})
        while True:
            channel.send(handler.run(channel.receive(), lambda last: _last_words(channel, last, folder)))
    except (EOFError, OSError):
        return  # the sandbox wants no more of us
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _last_words(channel, message, folder):
    channel.send(message)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _die_with_parent():
    """When the kernel is killed, its helper ends, and with it whatever a handler still does."""
    if sys.platform == "linux":
        import ctypes
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Handler:
    """A module and its handler, the clock it sees, and its way to AWS."""

    def __init__(self, birth, folder, ask):
        self.birth, self.folder, self.ask = birth, folder, ask
        self.clock, self.failed, self.function = Clock(), None, None

    def load(self) -> None:
        """Unpack and import; what goes wrong is kept for the first invocation, as on AWS."""
        root = os.path.join(self.folder, "task")
        for number, layer in enumerate(self.birth["layers"]):
            at = os.path.join(self.folder, f"opt{number}")
            zipfile.ZipFile(io.BytesIO(layer)).extractall(at)
            sys.path[:0] = [os.path.join(at, "python"), at]
        zipfile.ZipFile(io.BytesIO(self.birth["code"])).extractall(root)
        sys.path.insert(0, root)
        importlib.invalidate_caches()
        os.chdir(root)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update({str(name): str(value) for name, value in self.birth["environment"].items()} | {
            "LAMBDA_TASK_ROOT": root, "LAMBDA_RUNTIME_DIR": root, "TZ": ":UTC", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull})
        random.seed(self.birth["environment"].get("AWS_LAMBDA_LOG_STREAM_NAME", ""))
        self._redirect_boto3()
        self.output = Output()
        module, _, name = self.birth["handler"].rpartition(".")
        with redirect_stdout(self.output), redirect_stderr(self.output), self.clock:
            try:
                self.function = getattr(importlib.import_module(module.replace("/", ".")), name)
            except AttributeError:
                self.failed = ("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'", [])
            except SyntaxError as error:
                self.failed = ("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}", [])
            except ImportError as error:
                self.failed = ("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}", [])
            except BaseException as error:
                self.failed = (type(error).__name__, str(error), _trace(error))

    def run(self, wanted, last_words) -> dict:
        """One invocation; ``last_words(message)`` if there will be no other one."""
        context = Context(wanted["context"], self.clock, wanted["timeout"])
        output = self.output = Output()
        before, self.output = output, output
        self.clock.begin(wanted["context"]["now"], wanted["timeout"], lambda: last_words(self._timed_out(context, wanted, before)))
        handler = LogLines(output, context.aws_request_id, self.clock)
        root = logging.getLogger()
        root.handlers = [handler]
        payload, error, over = "null", None, False
        with redirect_stdout(output), redirect_stderr(output), self.clock:
            if self.failed:
                payload, error, over = _error(*self.failed, context), "Unhandled", True
            else:
                try:
                    payload = self._as_json(self.function(wanted["event"], context), context)
                except Unserialisable as wrong:
                    payload, error = _error("Runtime.MarshalError", str(wrong), [], context), "Unhandled"
                except MemoryError:
                    payload, error, over = _error("Runtime.OutOfMemory", f"RequestId: {context.aws_request_id} Error: Runtime exited "
                                                  "with error: signal: killed", [], None), "Unhandled", True
                except SystemExit:
                    payload, error, over = _error("Runtime.ExitError", f"RequestId: {context.aws_request_id} Error: Runtime exited "
                                                  "without providing a reason", [], None), "Unhandled", True
                except BaseException as wrong:
                    payload, error = _error(type(wrong).__name__, str(wrong), _trace(wrong), context), "Unhandled"
                    print(f"[ERROR] {type(wrong).__name__}: {wrong}\nTraceback (most recent call last):\n"
                          + "".join(_trace(wrong)), end="")
        return {"payload": payload, "error": error, "logs": output.lines(), "duration": max(LEAST, self.clock.elapsed),
                "memory": _memory(self.birth["memory_mb"]), "over": over}

    def _timed_out(self, context, wanted, output):
        words = f"RequestId: {context.aws_request_id} Error: Task timed out after {wanted['timeout']:.2f} seconds"
        return {"payload": _error("Sandbox.Timedout", words, [], None), "error": "Unhandled",
                "logs": [*output.lines(), f"Task timed out after {wanted['timeout']:.2f} seconds\n"], "duration": wanted["timeout"],
                "memory": _memory(self.birth["memory_mb"]), "over": True}

    def _as_json(self, value, context):
        try:
            return json.dumps(value)
        except (TypeError, ValueError) as error:
            raise Unserialisable(f"Unable to marshal response: {error}") from None

    def _redirect_boto3(self):
        """boto3's calls leave by the channel instead of the network."""
        from botocore.client import BaseClient
        from botocore.exceptions import ClientError
        import boto3
        from kit.lab.codec import decode, encode, settled
        ask, given = self.ask, self.birth["environment"]
        if boto3.DEFAULT_SESSION is None:
            boto3.setup_default_session()
        session = boto3.DEFAULT_SESSION._session  # it has read the descriptions of services before the fork
        session.set_credentials(*(given.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")))
        session.set_config_variable("region", given.get("AWS_REGION"))

        def call(client, operation, parameters):
            keys = client._request_signer._credentials
            answer = ask({"call": [client.meta.service_model.service_name, client.meta.region_name, operation],
                          "parameters": encode(settled(parameters)),
                          "keys": [keys.access_key, keys.secret_key, keys.token] if keys else []})
            if "response" in answer:
                return decode(answer["response"])
            if "error" in answer:
                response = decode(answer["error"])
                raise client.exceptions.from_code(response.get("Error", {}).get("Code"))(response, operation)
            raise ClientError({"Error": {"Code": "ValidationException", "Message": answer["failed"]}}, operation)

        BaseClient._make_api_call = call


class Unserialisable(Exception):
    """A handler gave back what JSON has no words for."""


class Clock:
    """The sandbox's time as a handler sees it. Sleeping moves it, and takes no time of yours."""

    def __init__(self):
        self.slept, self._since, self._now, self._limit, self._over = 0.0, 0.0, None, None, None
        self._sleep = time.sleep

    def begin(self, now, limit, over):
        self._now, self._since, self._limit, self._over = now, self.slept, limit, over

    @property
    def elapsed(self) -> float:
        return self.slept - self._since

    def sleep(self, seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.slept += seconds
        if self._limit is not None and self.elapsed >= self._limit:
            self._over()
        self._show()

    def __enter__(self):
        time.sleep = self.sleep
        if self._now is not None:
            import time_machine
            self._travel = time_machine.travel(self._date(), tick=False)
            self._traveller = self._travel.start()
        return self

    def __exit__(self, *error):
        time.sleep = self._sleep
        if self._now is not None:
            self._travel.stop()

    def _show(self):
        if self._now is not None:
            self._traveller.move_to(self._date())

    def _date(self):
        return datetime.fromtimestamp(self._now + self.elapsed, UTC).replace(tzinfo=None)


class Context:
    """Lambda's context object."""

    def __init__(self, fields, clock, timeout):
        self._clock, self._timeout = clock, timeout
        for name, value in fields.items():
            if name != "now":
                setattr(self, name, value)
        self.identity = self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self._timeout - self._clock.elapsed)))


class Output(io.StringIO):
    """What a handler prints, up to a limit."""

    def write(self, text):
        if self.tell() < MOST_LOGS:
            super().write(text[:MOST_LOGS])
        return len(text)

    def lines(self) -> list[str]:
        text = self.getvalue()
        lines = text.splitlines(keepends=True)
        if len(text) >= MOST_LOGS:
            lines.append("(more was printed than the sandbox keeps)\n")
        return [line if line.endswith("\n") else line + "\n" for line in lines]


class LogLines(logging.Handler):
    """The logging module's messages in Lambda's form."""

    def __init__(self, output, request, clock):
        super().__init__()
        self._output, self._request = output, request

    def emit(self, record):
        when = datetime.now(UTC)
        self._output.write(f"[{record.levelname}]\t{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z\t{self._request}\t"
                           f"{record.getMessage()}\n")


class InPlace:
    """A handler in this very process, for where there are no others. Speaks like a Channel."""

    def __init__(self, birth, answer):
        self._handler = Handler(birth, tempfile.mkdtemp(prefix="function-"), answer)
        self._handler.load()
        self._next = {"slept": self._handler.clock.slept}

    def send(self, wanted):
        def stopped(message):
            raise TimeoutError

        self._next = self._handler.run(wanted, stopped)

    def receive(self, patience=None):
        return self._next

    def close(self):
        shutil.rmtree(self._handler.folder, ignore_errors=True)


def _error(kind, message, trace, context):
    found = {"errorMessage": message, "errorType": kind}
    if context is not None:
        found |= {"requestId": context.aws_request_id, "stackTrace": trace}
    return json.dumps(found)


def _trace(error):
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "runtime_child" not in frame.filename
              and "importlib" not in frame.filename]
    root = os.environ.get("LAMBDA_TASK_ROOT", "")
    return [f'  File "{frame.filename.replace(root, "/var/task")}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n'
            for frame in frames]


def _memory(most):
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return min(most, int(-(-used // STEP) * STEP))


if __name__ == "__main__":
    main(int(sys.argv[1]))
