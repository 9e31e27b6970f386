"""The other side of ``runtime``: the process that handlers run in, and the one that they are forked from."""

import errno
import importlib
import io
import json
import logging
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

from kit.lab.runtime import FREE, MOST_LOGS, ORDER, Channel, exit_words, lines_of

STEP = 32  # MB in which the memory used is told: the exact figure differs from run to run
LEAST = 0.001  # s that an invocation lasts
TICK = 0.05  # s in which the time of a handler runs that computes for long
MOST_PROCESSES = 64  # that one environment may have at a time (AWS: 1,024, "Lambda quotas")
MOST_FILE = 512 << 20  # bytes of one file: as much as /tmp has ("Configure ephemeral storage for Lambda functions")
STACK = 2 << 20  # bytes of a thread's stack: the usual 8 MB would count against the memory
SPARE = 64 << 20  # bytes to say in that the memory is used up
FORKS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}
PRCTL_DEATH, PRCTL_ADOPT = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER


def main(control: int, root: str) -> None:
    """Fork environments as the control socket orders, bury them, and end with all of them when it is closed."""
    import selectors
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # interrupting a notebook is none of its business
    import boto3
    import time_machine  # noqa: F401
    _prctl(PRCTL_ADOPT, 1)
    boto3.client("sts", region_name="us-east-1")  # loads what every client needs, once for all
    import gc
    gc.freeze()
    bell, ring = socket.socketpair()
    ring.setblocking(False)
    signal.set_wakeup_fd(ring.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    orders = socket.socket(fileno=control)
    selector = selectors.DefaultSelector()
    selector.register(orders, selectors.EVENT_READ)
    selector.register(bell, selectors.EVENT_READ)
    living = {}  # number -> (pid, our copy of its end of the channel)
    while True:
        for key, _ in selector.select():
            if key.fileobj is bell:
                bell.recv(4096)
                _bury(living, root)
                continue
            data, ends, *_ = socket.recv_fds(orders, ORDER.size, 2)
            if len(data) < ORDER.size:
                return _end_all(living, root)
            kind, number = ORDER.unpack(data)
            if kind == b"+":
                mine = [orders.fileno(), bell.fileno(), ring.fileno(), *(end.fileno() for _, end in living.values())]
                folder, mother = os.path.join(root, str(number)), os.getpid()
                pid = os.fork()
                if pid == 0:
                    try:
                        selector.close()
                        signal.set_wakeup_fd(-1)
                        for one in mine:
                            os.close(one)
                        _live(*ends, folder, mother)
                    except BaseException:  # a fault of ours: the function's log has it
                        traceback.print_exc()
                    finally:
                        os._exit(70)
                os.close(ends[1])
                living[number] = pid, socket.socket(fileno=ends[0])
            elif number in living:
                pid = living[number][0]
                if kind == b"-":
                    _kill(pid)
                else:
                    _signal_group(pid, signal.SIGSTOP if kind == b"f" else signal.SIGCONT)


# the helper

def _bury(living, root):
    """Environments that have ended: what they have left goes, and the other side is told how they ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for number, (one, end) in list(living.items()):
            if one == pid:
                _signal_group(pid, signal.SIGKILL)
                _kill_family(os.getpid(), {other for other, _ in living.values()})
                shutil.rmtree(os.path.join(root, str(number)), ignore_errors=True)
                message = json.dumps({"died": os.waitstatus_to_exitcode(status)}).encode()
                try:
                    end.send(len(message).to_bytes(4, "big") + message, socket.MSG_DONTWAIT)
                except OSError:
                    pass  # nobody listens any more
                end.close()
                del living[number]


def _end_all(living, root):
    for pid, _ in living.values():
        _kill(pid)
    _kill_family(os.getpid(), set())
    try:
        while True:
            os.wait()
    except ChildProcessError:
        shutil.rmtree(root, ignore_errors=True)


def _kill(pid):
    """An environment; what it has started falls to us then, and ``_bury`` sees to it."""
    _signal_group(pid, signal.SIGKILL)
    _signal(pid, signal.SIGKILL)  # it may not have its group yet


def _kill_family(pid, spared):
    for _ in range(100):
        family = descendants(pid, spared)
        if not family:
            return
        for one in family:
            _signal(one, signal.SIGKILL)


def descendants(pid, spared=frozenset()) -> set[int]:
    """The processes that come from this one and live; without /proc nobody knows."""
    children = {}
    try:
        everybody = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return set()
    for name in everybody:
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                state, parent = stat.read().rsplit(b")", 1)[1].split()[:2]
        except OSError:
            continue  # it has just ended
        children.setdefault(int(parent), []).append((int(name), state not in b"ZX"))
    found, look = set(), [pid]
    while look:
        for one, lives in children.get(look.pop(), ()):
            if one not in spared:
                look.append(one)
                if lives:
                    found.add(one)
    return found


def _signal(pid, what):
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


def _signal_group(pid, what):
    try:
        os.killpg(pid, what)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of the dead
        pass


def _prctl(option, value):
    if sys.platform == "linux":
        import ctypes
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


# an environment

def _live(end, logs, folder, mother) -> None:
    os.setsid()
    _prctl(PRCTL_DEATH, signal.SIGKILL)  # when the helper is killed
    if os.getppid() != mother:
        return
    _prctl(PRCTL_ADOPT, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(logs, 1)
    os.dup2(logs, 2)
    os.close(logs)
    sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    exchange = Exchange(Channel(socket.socket(fileno=end)))
    os.mkdir(folder, 0o700)
    try:
        birth = exchange.channel.receive()
        handler = Handler(birth, folder, exchange)
        _limit(birth["memory_mb"])
        sys.addaudithook(Guard().watch)
        handler.load()
        exchange.tell({"slept": handler.clock.slept, "pid": os.getpid()})
        while True:
            wanted = exchange.channel.receive()
            exchange.running = True
            handler.run(wanted)
    except (EOFError, OSError):
        pass  # the sandbox wants no more of us
    os._exit(0)


def _limit(memory_mb):
    import resource
    threading.stack_size(STACK)

    def at_most(kind, soft, hard):
        given = resource.getrlimit(kind)[1]  # what the kernel of a class is held to, its handlers can't go beyond
        if given != resource.RLIM_INFINITY:
            soft, hard = min(soft, given), min(hard, given)
        resource.setrlimit(kind, (soft, hard))

    at_most(resource.RLIMIT_CORE, 0, 0)
    at_most(resource.RLIMIT_FSIZE, MOST_FILE, MOST_FILE)
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            most = int(statm.read().split()[0]) * resource.getpagesize() + memory_mb * 1024 * 1024
        at_most(resource.RLIMIT_AS, most, most + SPARE)


class Exchange:
    """One environment's words with the sandbox, one after the other, whichever thread they come from."""

    def __init__(self, channel):
        self.channel, self.running = channel, True
        self.turn, self._owner = threading.Lock(), os.getpid()

    def ask(self, wanted):
        if os.getpid() != self._owner:
            raise RuntimeError("in the sandbox, boto3 works in the handler's own process and its threads, not in processes it starts")
        while True:
            with self.turn:
                if self.running:
                    self.channel.send(wanted)
                    return self.channel.receive()
            _real_sleep(0.001)  # a thread that lives on between two invocations: frozen, on AWS

    def tell(self, message):
        """The last message of an invocation."""
        if os.getpid() != self._owner:
            os._exit(0)  # a child of a handler, come back from where it was forked: not its invocation
        with self.turn:
            self.running = False
            self.channel.send(message)


class Guard:
    """Keeps a handler from hurting others by mistake: it signals only its own processes, and has not too many."""

    def __init__(self):
        import mmap
        self._environment, self._started = os.getpid(), mmap.mmap(-1, 4)  # counted together with all its children

    def watch(self, event, arguments):
        if event in FORKS:
            started = int.from_bytes(self._started[:4], "big") + 1
            if started > MOST_PROCESSES and (started := len(descendants(self._environment)) + 1) > MOST_PROCESSES:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            self._started[:4] = started.to_bytes(4, "big")
        elif event in ("os.kill", "os.killpg"):
            target = arguments[0] if event == "os.kill" else -arguments[0]
            if target == -1 or target and abs(target) != self._environment and abs(target) not in descendants(self._environment):
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


class Handler:
    """A module and its handler, the clock it sees, and its way to AWS."""

    def __init__(self, birth, folder, exchange):
        self.birth, self.folder, self.exchange = birth, folder, exchange
        self.clock, self.failed, self.function = Clock(exchange), None, None
        self.root = os.path.join(folder, "task")

    def load(self) -> None:
        """Unpack and import; what goes wrong is kept for the first invocation, as on AWS."""
        self._unpack()
        own = self.environment()
        os.environ.clear()
        os.environ.update(own)
        time.tzset()
        self._draw_the_same_again()
        self._redirect_boto3()
        os.chdir(self.root)
        self.find()

    def environment(self) -> dict:
        given = {str(name): str(value) for name, value in self.birth["environment"].items()}
        own = os.path.join(self.folder, "tmp")
        os.makedirs(own, exist_ok=True)
        tempfile.tempdir = None
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return kept | {"TZ": ":UTC", "HOME": own, "TMPDIR": own} | given | {
            "LAMBDA_TASK_ROOT": self.root, "LAMBDA_RUNTIME_DIR": self.root, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

    def find(self) -> None:
        """Import the module and take the handler from it."""
        if self.failed:
            return
        module, dot, name = self.birth["handler"].rpartition(".")
        if not dot:
            self.failed = ("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)", [])
            return
        try:
            with self.clock:
                found = importlib.import_module(module.replace("/", "."))
        except SyntaxError as error:
            where = str(error.filename).replace(self.root, "/var/task")
            self.failed = ("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}",
                           [f'  File "{where}" Line {error.lineno}\n    {error.text}'])
        except ImportError as error:
            self.failed = ("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}", [])
        except BaseException as error:
            self.failed = error
        else:
            self.function = getattr(found, name, None)
            if self.function is None:
                self.failed = ("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'", [])

    def run(self, wanted) -> None:
        """One invocation, to the last message about it."""
        context = self.context = Context(wanted["context"], self.clock, wanted["timeout"])
        logging.getLogger().handlers = [LogLines(context.aws_request_id)]
        self.clock.begin(wanted["context"]["now"], wanted["timeout"], self._timed_out)
        payload, error, over = "null", "Unhandled", False
        with self.clock:
            try:
                if isinstance(self.failed, BaseException):
                    raise self.failed
                if self.failed:
                    payload, over = self._fault(*self.failed), True
                else:
                    payload, error = self._as_json(self.function(wanted["event"], context)), None
            except Unserialisable as wrong:
                payload = self._fault("Runtime.MarshalError", str(wrong), [])
            except MemoryError:
                _room_to_speak()
                payload, over = json.dumps({"errorType": "Runtime.OutOfMemory", "errorMessage": f"RequestId: {context.aws_request_id} "
                                            f"Error: {exit_words(-9)}"}), True
                print(f"RequestId: {context.aws_request_id} Error: {exit_words(-9)}\nRuntime.OutOfMemory")
            except SystemExit as wanted_end:
                code = wanted_end.code
                self._exit(code & 255 if isinstance(code, int) else 0 if code is None else 1)
            except Over:
                raise
            except BaseException as wrong:
                payload, over = self._fault(type(wrong).__name__, str(wrong), self._trace(wrong)), bool(self.failed)
        self.clock.end()
        self._last(payload=payload, error=error, duration=max(LEAST, self.clock.elapsed), over=over)

    def _timed_out(self):
        self._last(timed_out=True, over=True)
        os._exit(0)

    def _exit(self, code):
        sys.stdout.flush()
        os._exit(code)

    def _last(self, **message):
        sys.stdout.flush()
        self.exchange.tell(message | {"memory": _memory(self.birth["memory_mb"])})

    def _fault(self, kind, message, trace):
        """AWS's words, for the caller and in the log."""
        print(f"[ERROR] {kind}: {message}\nTraceback (most recent call last):\n" + "".join(trace), end="" if trace else "\n")
        return json.dumps({"errorMessage": message, "errorType": kind, "requestId": self.context.aws_request_id, "stackTrace": trace})

    def _trace(self, error):
        frames = [frame for frame in traceback.extract_tb(error.__traceback__)
                  if frame.filename != __file__ and "importlib" not in frame.filename]
        return [f'  File "{frame.filename.replace(self.root, "/var/task")}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n'
                for frame in frames]

    def _as_json(self, value):
        try:
            return json.dumps(value, default=_decimal)
        except MemoryError:
            raise
        except Exception as error:
            raise Unserialisable(f"Unable to marshal response: {error}") from None

    def _unpack(self):
        os.makedirs(self.root, exist_ok=True)
        try:
            for number, layer in enumerate(self.birth["layers"]):
                at = os.path.join(self.folder, f"opt{number}")
                zipfile.ZipFile(io.BytesIO(layer)).extractall(at)
                sys.path[:0] = [os.path.join(at, "python"), at]
            zipfile.ZipFile(io.BytesIO(self.birth["code"])).extractall(self.root)
        except Exception as error:
            self.failed = ("Runtime.ImportModuleError", f"Unable to unpack the code: {error}", [])
        sys.path.insert(0, self.root)
        importlib.invalidate_caches()

    def _draw_the_same_again(self):
        """random, uuid.uuid4, secrets: for the same environment the same, so that a run repeats."""
        seed = self.birth["environment"].get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        random.seed(seed)
        os.urandom = random._urandom = random.Random(f"{seed} urandom").randbytes

    def _redirect_boto3(self):
        """boto3's calls leave by the channel instead of the network."""
        import boto3
        from botocore import exceptions
        from botocore.awsrequest import AWSResponse
        from botocore.client import BaseClient

        from kit.lab.codec import decode, encode, settled
        ask, given = self.exchange.ask, self.birth["environment"]
        session = boto3.DEFAULT_SESSION._session  # it has read the descriptions of services before the fork
        if given.get("AWS_ACCESS_KEY_ID"):
            session.set_credentials(given["AWS_ACCESS_KEY_ID"], given.get("AWS_SECRET_ACCESS_KEY"), given.get("AWS_SESSION_TOKEN"))
        if given.get("AWS_REGION"):
            session.set_config_variable("region", given["AWS_REGION"])

        def own_handlers(client, event, **arguments):
            """What boto3's resources and the learner do to a call; botocore's own follows on the other side."""
            answers = [function(event_name=event, **arguments) for function in
                       client.meta.events._emitter._handlers.prefix_search(event)
                       if not getattr(function, "__module__", "").startswith("botocore.")]
            return next((one for one in answers if one is not None), None)

        def call(client, operation, parameters):
            model, keys = client.meta.service_model.operation_model(operation), client._request_signer._credentials
            about = {"model": model, "context": {"client_region": client.meta.region_name, "client_config": client.meta.config}}
            name = f"{client.meta.service_model.service_id.hyphenize()}.{operation}"
            changed = own_handlers(client, f"provide-client-params.{name}", params=parameters, **about)
            parameters = parameters if changed is None else changed
            own_handlers(client, f"before-parameter-build.{name}", params=parameters, **about)
            answer = ask({"call": [client.meta.service_model.service_name, client.meta.region_name, operation],
                          "parameters": encode(settled(parameters)),
                          "keys": [keys.access_key, keys.secret_key, keys.token] if keys else []})
            if "failed" in answer:
                raise _like(exceptions, *answer["failed"], operation)
            response = decode(answer.get("response", answer.get("error")))
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
            own_handlers(client, f"after-call.{name}", http_response=AWSResponse("", status, {}, None), parsed=response, **about)
            if "error" in answer:
                raise client.exceptions.from_code(response.get("Error", {}).get("Code"))(response, operation)
            return response

        BaseClient._make_api_call = call


class Unserialisable(Exception):
    """A handler gave back what JSON has no words for."""


class Clock:
    """The sandbox's time as a handler sees it. Sleeping moves it, and takes no time of yours; computing does after a while."""

    def __init__(self, exchange=None):
        self.slept, self._since, self._now, self._limit, self._over = 0.0, 0.0, None, None, None
        self._sleep, self._turn = time.sleep, exchange and exchange.turn

    def begin(self, now, limit, over):
        self._now, self._since, self._limit, self._over = now, self.slept, limit, over
        if self._turn:
            signal.signal(signal.SIGALRM, self._tick)
            signal.setitimer(signal.ITIMER_REAL, FREE, TICK)

    def end(self):
        if self._turn:
            signal.setitimer(signal.ITIMER_REAL, 0)

    @property
    def elapsed(self) -> float:
        return self.slept - self._since

    def sleep(self, seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self._pass(seconds)

    def _tick(self, *_):
        if self._turn.acquire(blocking=False):  # else somebody is asking the sandbox for something, which takes no time
            self._turn.release()
            self._pass(TICK)

    def _pass(self, seconds):
        self.slept += seconds
        if self._limit is not None and self.elapsed >= self._limit:
            self._over()
        self._show()

    def __enter__(self):
        time.sleep, self._travel = self.sleep, None
        if self._now is not None:
            try:
                import time_machine
            except ImportError:
                return self  # in a browser tab
            self._travel = time_machine.travel(self._date(), tick=False)
            self._traveller = self._travel.start()
        return self

    def __exit__(self, *error):
        time.sleep = self._sleep
        if self._travel:
            self._travel.stop()
            self._travel = None

    def _show(self):
        if self._travel:
            self._traveller.move_to(self._date())

    def _date(self):
        return datetime.fromtimestamp(self._now + self.elapsed, UTC).replace(tzinfo=None)


class Context:
    """Lambda's context object."""

    def __init__(self, fields, clock, timeout):
        self._clock, self._timeout = clock, timeout
        self.aws_request_id = ""
        for name, value in fields.items():
            if name != "now":
                setattr(self, name, value)
        self.identity = self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self._timeout - self._clock.elapsed)))


class LogLines(logging.Handler):
    """The logging module's messages in Lambda's form."""

    def __init__(self, request):
        super().__init__()
        self._request = request

    def emit(self, record):
        when = datetime.now(UTC)
        sys.stdout.write(f"[{record.levelname}]\t{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z\t{self._request}\t"
                         f"{self.format(record)}\n")


class InPlace(Handler):
    """A handler in this very process, for where there are no others. To ``runtime`` it looks like a Line.

    While it runs, this process has its environment, folder and modules; afterwards its own again.
    """

    def __init__(self, birth):
        super().__init__(birth, tempfile.mkdtemp(prefix="function-"), None)
        self.clock, self._modules, self._random = Clock(), {}, random.Random(
            birth["environment"].get("AWS_LAMBDA_LOG_STREAM_NAME", "")).getstate()
        self._output, self._answer = io.StringIO(), None
        self._path = [*sys.path]
        with self._put_on(first=True):
            self._unpack()
            os.chdir(self.root)
            self.find()

    def send(self, wanted):
        with self._put_on():
            try:
                self.run(wanted)
            except Over:
                pass

    def receive(self, patience=None):
        answer, self._answer = self._answer or {"slept": self.clock.slept}, None
        return answer

    def printed(self):
        text, self._output = self._output.getvalue(), io.StringIO()
        return lines_of(text[:MOST_LOGS], len(text) > MOST_LOGS)

    def wait_for_end(self, patience):
        pass

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _last(self, **message):
        self._answer = message | {"memory": 0}

    def _timed_out(self):
        self._last(timed_out=True, over=True)
        raise Over

    def _exit(self, code):
        self._answer = {"died": code}
        raise Over

    @contextmanager
    def _put_on(self, first=False):
        boto3, root = sys.modules.get("boto3"), logging.getLogger()
        before = dict(os.environ), os.getcwd(), [*sys.path], random.getstate(), sys.stdout, sys.stderr, root.handlers, tempfile.tempdir
        session = boto3 and boto3.DEFAULT_SESSION
        top = self.birth["handler"].rpartition(".")[0].replace("/", ".").partition(".")[0]
        hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == top}
        sys.modules.update(self._modules)
        own = self.environment()
        os.environ.clear()
        os.environ.update(own)
        sys.path[:] = self._path
        random.setstate(self._random)
        sys.stdout = sys.stderr = self._output
        if not first:
            os.chdir(self.root)
        if boto3:
            boto3.DEFAULT_SESSION = None  # so that clients take the keys of this environment
        try:
            yield
        finally:
            self._path, self._random = [*sys.path], random.getstate()
            mine = [name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(self.folder)]
            self._modules = {name: sys.modules.pop(name) for name in mine}
            sys.modules.update(hidden)
            environment, folder, sys.path[:], state, sys.stdout, sys.stderr, root.handlers, tempfile.tempdir = before
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            random.setstate(state)
            if boto3:
                boto3.DEFAULT_SESSION = session


class Over(BaseException):
    """An invocation in place is over, in the midst of the handler."""


_real_sleep = time.sleep


def _decimal(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _like(exceptions, kind, text, operation):
    """The exception that the sandbox's own boto3 has raised, as far as botocore has one of that name."""
    cls = getattr(exceptions, kind, None)
    if isinstance(cls, type) and issubclass(cls, exceptions.BotoCoreError):
        error = cls.__new__(cls)
        Exception.__init__(error, text)
        error.kwargs = {}
        return error
    return exceptions.ClientError({"Error": {"Code": kind, "Message": text}}, operation)


def _room_to_speak():
    if sys.platform == "linux":
        import resource
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _memory(most):
    import resource
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return min(most, int(-(-used // STEP) * STEP))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
