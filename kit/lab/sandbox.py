"""The sandbox: boto3 answered by moto inside this process, on virtual time, with ids that repeat.

moto keeps the state of AWS; what happens there (alarms, scaling, handlers, permissions, records, bills) is decided by
the kit's models, see ``life``.

**Simplified**: one account. Ids repeat for a seed and the same calls in the same order; cryptographic keys and the tokens that
boto3 itself makes up don't. AWS's own managed policies are not loaded: that would cost each sandbox 0.7 s.
**Not covered**: child processes (the AWS CLI, a subprocess with boto3): they have dummy credentials and no sandbox.
Clients, sessions and boto3 resources made before ``start`` stay blocked; make them again.
"""

import os
import sys
from html import escape
from importlib import import_module
from threading import RLock

from kit.lab import journal
from kit.lab.cli import install_magic
from kit.lab.clock import SandboxClock
from kit.lab.life import Life
from kit.lab.seal import REGION, refuse_url, seal_botocore
from kit.lab.tab import do_without_threads

MOTO_CHECKS = (  # moto looks at these when it is imported; without them it takes any machine image, type and key
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "MOTO_ENABLE_AMI_VALIDATION", "MOTO_ENABLE_KEYPAIR_VALIDATION")
MOTO_CONFIG = {
    "core": {"mock_credentials": False, "reset_boto3_session": False},  # the seal and start() see to both
    "stepfunctions": {"execute_state_machine": True},
}
MOTO_DRAWS = "moto.eks.models", "moto.textract.models"  # they draw random names once, when they are imported

_running = None
_starting = RLock()


def start(seed: int | None = None) -> "Sandbox":
    """The sandbox of this process: made at the first call (seed 1 unless given), the same one ever after.

    ValueError if it runs with another seed already.
    """
    global _running
    with _starting:
        if _running is None:
            _running = Sandbox(1 if seed is None else seed)
            install_magic()
        elif seed not in (None, _running.seed):
            raise ValueError(f"the sandbox runs already, with seed {_running.seed}: empty it with "
                             f"sandbox.reset(seed={seed}), or sandbox.stop() it before lab.start(seed={seed})")
        return _running


def load(path) -> "Sandbox":
    """The sandbox as ``sandbox.save(path)`` left it: everything the learner did is done again, clock included.

    ValueError in words for a damaged file; the file and a running sandbox stay as they are then.
    """
    saved = journal.read(path)
    sandbox = start() if _running is None else _running
    sandbox.reset(seed=saved["seed"])
    for words in journal.replay(sandbox, saved):
        sandbox.life.note("the kit", "not as before", "load", words)
    return sandbox


class Sandbox:
    """boto3 without an account: ``start()`` makes it. ``clock`` is its time, ``region`` where clients begin."""

    region = REGION
    account_id = "123456789012"  # moto's

    def client(self, service: str, **options):
        """A boto3 client of this sandbox; the options are boto3's."""
        if not isinstance(service, str):
            raise TypeError(f"client() takes the name of a service, such as \"sqs\", not {service!r}")
        return self._boto3.client(service, **{"region_name": self.region, **options})

    def resource(self, service: str, **options):
        """A boto3 resource of this sandbox; the options are boto3's."""
        return self._boto3.resource(service, **{"region_name": self.region, **options})

    def as_user(self, name: str) -> "SignedIn":
        """Clients that call as this IAM user: ``sandbox.as_user("ada").client("s3")``."""
        return SignedIn(self, "USER:" + name)

    def as_role(self, name: str) -> "SignedIn":
        """Clients that call as a program would that AWS has given this IAM role."""
        return SignedIn(self, "ROLE:" + name)

    def why(self) -> str:
        """Why the last refused call was refused, statement by statement."""
        if not self.life.refusals:
            return "No call was refused yet."
        call, decision = self.life.refusals[-1]
        return f"{call.who.arn or 'An anonymous caller'} asked for {call.service}:{call.operation}.\n{decision}"

    def history(self):
        """What happened here by itself, when and why. ``.table()``, ``.about("alarm")``, ``.figure()``."""
        return self.life.history

    def bill(self):
        """What all this would have cost on AWS until now, and what it will if it is forgotten."""
        return self.life.meter.bill()

    def quote(self, service: str, operation: str, **parameters):
        """What a call would cost, without making it: ``sandbox.quote("ec2", "run_instances", InstanceType=...)``."""
        from kit.lab.meter import quote
        self.life.wake(service)
        name = operation.replace("_", "").lower()
        for (of, what), function in self.life.quotes.items():
            if of == service and what.lower() == name:
                return quote(function(parameters))
        return "This call itself costs nothing by the hour; what is used later stands in sandbox.bill()."

    def set_load(self, target: str, amount) -> None:
        """How much work a server or a group of servers has from now on, as visitors would bring it.

        target: an instance's id or a group's name. amount: 1.0 is what keeps one server wholly busy; or
        {"low": 0.5, "high": 4, "peak_hour": 14}, a day's rise and fall, over and over; or 24 numbers, one an hour.
        With the name of a load balancer the amount is in requests a second.
        """
        self._command("set_load", "launch an instance or make an Auto Scaling group first", target=target, amount=amount)

    def fail_zone(self, zone: str) -> None:
        """An Availability Zone goes dark: ``sandbox.fail_zone("us-east-1a")``. Who is spread over several copes."""
        self._command("fail_zone", "launch an instance or make an Auto Scaling group first", zone=zone)

    def mend_zone(self, zone: str) -> None:
        """The zone is back."""
        self._command("mend_zone", "no zone has failed", zone=zone)

    def fail_server(self, server: str) -> None:
        """The program on a server answers with errors from now on, though its machine runs. Who asks for more notices."""
        self._command("fail_server", "launch an instance first", server=server)

    def fail_host(self, server: str) -> None:
        """The machine below a server fails: its status checks fail until it is stopped and started, or recovered."""
        self._command("fail_host", "launch an instance first", server=server)

    def mend_server(self, server: str) -> None:
        """Its program is well again."""
        self._command("mend_server", "no server has failed", server=server)

    def console(self):
        """All that exists here, by service and region, with its state and its cost: a widget."""
        from kit.lab.console import Console
        return Console(self)

    def save(self, path):
        """Keep this sandbox in a file that ``lab.load(path)`` brings back, in this kernel or another one."""
        return journal.write(path, self.seed, self.clock.now, self.journal.entries)

    def reset(self, seed: int | None = None) -> None:
        """Everything gone, the clock at 0, and ids repeat (or follow another seed). Clients stay usable."""
        with _starting:
            if _running is not self:
                raise RuntimeError("this sandbox is stopped: sandbox = lab.start() makes a fresh one")
            self._end()
            self._begin(self.seed if seed is None else seed)

    def stop(self) -> None:
        """Everything gone, and every client blocked until ``lab.start()`` makes a fresh sandbox."""
        global _running
        with _starting:
            if _running is self:
                self._unpatch()
                self._end()
                _running = None

    def __init__(self, seed: int):
        for name in MOTO_CHECKS:
            os.environ.setdefault(name, "true")
        try:
            import time_machine  # noqa: F401  the clock needs it; the browser tab's before anything that tells the time
            import boto3
            from moto import mock_aws
            from moto.moto_api._internal import mock_random
        except ImportError as error:
            raise ImportError(f"the lab needs boto3, moto and time-machine ({error}); the models, explorers and "
                              "exercises do without") from error
        if sys.platform == "emscripten":
            do_without_threads()
        seal_botocore()
        boto3.DEFAULT_SESSION = None  # one made before moto was imported would stay blocked
        self._boto3, self._random = boto3, mock_random
        mock_random.seed(seed)
        for module in MOTO_DRAWS:
            import_module(module)
        self._mock = mock_aws(config=MOTO_CONFIG)
        self.clock = SandboxClock()
        self._begin(seed)
        self._unpatch = self._patch()

    def _command(self, name, otherwise, **arguments):
        """Something that no call of AWS does: it is journaled like one."""
        if name not in self.life.commands:
            raise ValueError(f"nothing here that {name} could be about: {otherwise}")
        self.life.commands[name](**arguments)
        if self.life.by_learner:
            self.journal.setting(name, **arguments)

    def _begin(self, seed):
        self._mock.start()
        self.clock.restart()
        self._random.seed(seed)
        self.seed = seed
        self.journal = journal.Journal()
        self.life = Life(self)
        self.clock.moved = lambda now: self.life.by_learner and self.journal.move(now)

    def _end(self):
        self.life.end()
        from moto.core.base_backend import BackendDict
        used = list(BackendDict._instances)
        self._mock.stop()
        for backends in used:  # moto, emptying one service, may fill another again that it has emptied before
            backends.clear()

    def _patch(self):
        """Every call comes through here, whether from boto3 or by a plain HTTP request to an AWS address."""
        from botocore.client import BaseClient
        from moto.core.botocore_stubber import BotocoreStubber
        process_request, make_api_call = BotocoreStubber.process_request, BaseClient._make_api_call
        make_client = BaseClient.__init__
        wait_as_before = self.clock.patch_waiting()

        def made(client, *arguments, **options):
            make_client(client, *arguments, **options)
            client.in_sandbox = any(end in client.meta.endpoint_url for end in (".amazonaws.com", ".api.aws"))

        def call(client, operation, parameters):
            if not getattr(client, "in_sandbox", False):  # made before the start, or for another address: the seal's
                return make_api_call(client, operation, parameters)
            with self.clock.turn:
                return self.life.perform(client, operation, parameters, make_api_call)

        def answer(stubber, request):
            if self.life.by_learner:  # by a plain HTTP request
                self.journal.request(request)
            with self.clock:
                response = process_request(stubber, request)
            if response is None:  # no address of AWS that moto knows: it would go on to the network
                refuse_url(request.url)
            return response

        def unpatch():
            BotocoreStubber.process_request, BaseClient._make_api_call = process_request, make_api_call
            BaseClient.__init__ = make_client
            wait_as_before()

        BotocoreStubber.process_request, BaseClient._make_api_call, BaseClient.__init__ = answer, call, made
        return unpatch

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def __repr__(self) -> str:
        return " ".join(self._words())

    def _repr_html_(self) -> str:
        head, *rest = map(escape, self._words())
        return f"<p><strong>{head}</strong> {' '.join(rest)}</p>"

    def _words(self):
        if _running is not self:
            return ["A stopped sandbox:", "its clients are blocked. sandbox = lab.start() makes a fresh one."]
        date = self.clock.date
        return ["A sandbox of AWS:", "boto3 works here without an account, a bill or a network.",
                f"Account {self.account_id}, region {self.region}, seed {self.seed}.",
                f"Its time is {date:%A} {date.day} {date:%B %Y, %H:%M:%S} UTC, {self.clock.now:g} s since the start, "
                "and stands still until sandbox.clock.advance(seconds=…).",
                "sandbox.reset() empties it and begins again."]


class SignedIn:
    """The sandbox as somebody else sees it. ``client`` and ``resource`` are those of the sandbox."""

    def __init__(self, sandbox: Sandbox, key: str):
        self._sandbox = sandbox
        self._keys = {"aws_access_key_id": key, "aws_secret_access_key": "sandbox", "aws_session_token": "sandbox"}

    def client(self, service: str, **options):
        return self._sandbox.client(service, **self._keys, **options)

    def resource(self, service: str, **options):
        return self._sandbox.resource(service, **self._keys, **options)

    def __repr__(self) -> str:
        kind, name = self._keys["aws_access_key_id"].split(":", 1)
        return f"<the sandbox as {kind.lower()} {name}>"
