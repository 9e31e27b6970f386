"""What lives in a sandbox: how models make things happen there.

moto keeps the state of AWS, and nothing ever happens in it. Here each call passes by the behaviours of its service,
before moto has it and after, and what is due later happens when the clock gets there. A topic's ``lab.py`` (or
``<service>_lab.py``) has the behaviours, in one function ``live(life)``, called before the first call of the service
(topics.yaml):

    def live(life):
        life.answer("cloudtrail", "LookupEvents", lookup)      # instead of moto
        life.then("ec2", "RunInstances", booting)              # after moto has answered
        life.clock.every(60, evaluate_alarms)                  # on the sandbox's time
        life.receive("arn:aws:sns:", publish)                  # what others send to such an ARN
        life.note("EC2", "instance running", "i-123", why="it has booted")

A behaviour that fails never breaks the learner's call: the history says so. With KIT_STRICT in the environment, as in
the kit's own tests, it does.
"""

import os
import traceback
from collections import defaultdict
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, wraps
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from kit.errors import ServiceError
from kit.lab.codec import settled
from kit.lab.history import History
from kit.lab.meter import Meter

OWNER_KEY = "testing"  # the access key of the seal: whoever gives no other key owns the account
SERVICE_KEY = "SERVICE:"  # how an access key of a service itself begins


@dataclass(frozen=True)
class Who:
    """The caller of a call. kind: CloudTrail's "Root", "IAMUser", "AssumedRole", "AWSService" or "Anonymous"."""

    kind: str
    arn: str
    name: str = ""
    access_key: str = ""
    details: dict = field(default_factory=dict, compare=False)


@dataclass
class Call:
    """One call as the behaviours see it. ``response`` is what the caller gets: a behaviour may change it."""

    number: int
    at: float
    service: str
    operation: str
    parameters: dict
    region: str
    who: Who
    agent: str = ""
    response: dict | None = None
    error: tuple[str, str] | None = None  # AWS's code and message
    by: str = ""  # the behaviour that made this call, if it was none of the learner's


class Life:
    """The behaviours of one sandbox, from its beginning to its reset."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.clock = GuardedClock(self)
        self.history = History(sandbox.clock)
        self.calls: list[Call] = []
        self.meter = Meter(sandbox.clock, self.calls)
        self.state = {}  # what topics keep: topic -> anything
        self.refusals: list = []  # (call, decision) of the calls that the gate refused
        self.faults: list[str] = []
        self.gate = self.identify = None  # set by the topic of identity
        self.quotes = {}  # (service, operation) -> function(parameters) -> [(item, amount)]
        self.changed = []  # functions called after each call that may have changed something
        self._answers, self._then, self._before = {}, defaultdict(list), defaultdict(list)
        self._receivers, self._awake, self._clients, self._patches = {}, set(), {}, []
        self.source_arn = ""
        self.endings = []  # functions called when this life ends
        self.commands = {}  # what the learner can tell the sandbox beside boto3: name -> function
        self._inside = []  # what is going on just now: calls and behaviours, the outermost first
        self.owner = Who("Root", f"arn:aws:iam::{sandbox.account_id}:root", "root", OWNER_KEY)

    # for the topics' lab.py

    def answer(self, service: str, operation: str, function) -> None:
        """``function(call)`` answers instead of moto: a response without its metadata, None to let moto have it.

        ServiceError reaches the caller as boto3's ClientError.
        """
        self._answers[service, operation] = function

    def before(self, service: str, operation: str, function) -> None:
        """``function(call)`` may refuse with a ServiceError; operation "*" stands for all of them."""
        self._before[service, operation].append(function)

    def then(self, service: str, operations: str, function) -> None:
        """``function(call)`` after a call that succeeded; operations: names with spaces between, or "*"."""
        for operation in operations.split():
            self._then[service, operation].append(function)

    def receive(self, prefix: str, function) -> None:
        """``function(arn, message, source)`` takes what is sent to an ARN that begins like this."""
        self._receivers[prefix] = function

    def send(self, arn: str, message, source: str) -> None:
        """Something to an ARN, whatever is behind it. LookupError if nothing in the sandbox takes it."""
        parts = arn.split(":")
        if len(parts) > 2 and parts[2] in topics()["arns"]:
            self.wake(topics()["arns"][parts[2]])
        for prefix in sorted(self._receivers, key=len, reverse=True):
            if arn.startswith(prefix):
                return self._receivers[prefix](arn, message, source)
        raise LookupError(f"nothing in the sandbox takes what is sent to {arn}")

    def note(self, service: str, what: str, resource: str = "", why: str = "") -> None:
        """Say in the history that something happened."""
        self.history.add(service, what, resource, why)

    def client(self, service: str, region: str | None = None, by: str | None = None):
        """A client for behaviours: of the account's owner, of a service ("events.amazonaws.com") or a role ("ROLE:name")."""
        key = service, region or self.sandbox.region, by
        if key not in self._clients:
            own = by if by and by.startswith("ROLE:") else SERVICE_KEY + (by or "")
            keys = {"aws_access_key_id": own, "aws_secret_access_key": "x"} if by else {}
            self._clients[key] = self.sandbox.client(service, region_name=key[1], **keys)
        return self._clients[key]

    def backend(self, service: str, region: str | None = None):
        """moto's own state of a service, for what no API tells or does."""
        from moto.backends import get_backend
        backends = get_backend(service)[self.sandbox.account_id]
        region = region or self.sandbox.region
        return backends[region if region in backends.regions else "aws"]

    @contextmanager
    def doing(self, what: str):
        """Calls within are made by a behaviour, not by the learner."""
        self._inside.append(what)
        try:
            yield
        finally:
            self._inside.pop()

    @contextmanager
    def on_behalf_of(self, arn: str):
        """Calls within are made because of this resource: the condition key aws:SourceArn says so."""
        before, self.source_arn = self.source_arn, arn
        try:
            yield
        finally:
            self.source_arn = before

    @property
    def by_learner(self) -> bool:
        """Is what happens just now asked for by the learner itself?"""
        return not self._inside

    def patch(self, owner, name: str, function) -> None:
        """Replace a function of moto until the sandbox ends; ``function`` gets the one before as its first argument.

        Should it fail, moto's own answer stands.
        """
        before = getattr(owner, name)

        @wraps(before)
        def patched(*arguments, **named):
            done, own = [], []  # what moto's own function has answered, and what it has raised

            def asked(*arguments, **named):
                try:
                    done.append(before(*arguments, **named))
                except Exception as error:
                    own.append(error)
                    raise
                return done[-1]

            try:
                return function(asked, *arguments, **named)
            except ServiceError:
                raise
            except Exception as error:
                if error in own:
                    raise
                self._fault(function, error)
                return done[-1] if done else before(*arguments, **named)

        setattr(owner, name, patched)
        self._patches.append((owner, name, before))

    # for the sandbox

    def wake(self, service: str) -> None:
        """Bring a service to life, if one of the topics can and hasn't."""
        module = topics()["services"].get(service)
        if module is not None and module not in self._awake:
            self._wake_module(module)

    def _wake_module(self, module):
        self._awake.add(module)
        topic, _, name = module.partition(".")
        if find_spec(f"kit.{topic}") and find_spec(f"kit.{module}"):
            with self.doing("wake"):
                import_module(f"kit.{module}").live(self)

    def end(self) -> None:
        """Take everything back that was changed for the behaviours."""
        for owner, name, before in reversed(self._patches):
            setattr(owner, name, before)
        self._patches.clear()
        for function in self.endings:
            function()

    def perform(self, client, operation: str, parameters: dict, inner) -> dict:
        """A client's call, from its parameters to its response; ``inner`` is boto3's own way through moto."""
        service = client.meta.service_model.service_name
        self.wake(service)
        parameters = settled(parameters)
        keys = client._request_signer._credentials
        by = self._inside[0] if self._inside else ""
        call = Call(len(self.calls) + 1, self.sandbox.clock.now, service, operation, parameters,
                    client.meta.region_name, self.owner, client.meta.config.user_agent, by=by)
        entry = {} if by else self.sandbox.journal.call(call, keys)
        self.calls.append(call)
        self._inside.append(by or f"{service}:{operation}")
        try:
            call.who = self.who(keys)
            self._refuse(call, client)
            call.response = self._answered(call, client)
            if call.response is None:
                call.response = inner(client, operation, parameters)
            for function in self._then.get((service, operation), ()):
                self.guarded(function, call)
            for function in self._then.get((service, "*"), ()):
                self.guarded(function, call)
        except ServiceError as refusal:
            call.error = refusal.code, refusal.message
            entry["error"] = refusal.code
            raise _client_error(client, operation, refusal) from None
        except Exception as error:
            found = getattr(error, "response", {}).get("Error", {})
            call.error = found.get("Code", type(error).__name__), found.get("Message", str(error))
            entry["error"] = call.error[0]
            raise
        finally:
            self._inside.pop()
        if not by and self.changed:
            for function in self.changed:
                self.guarded(function, call)
        return call.response

    def who(self, keys) -> Who:
        """Whose keys these are."""
        key = keys.access_key if keys else None
        if key == OWNER_KEY:
            return self.owner
        if key is None:
            return Who("Anonymous", "")
        if key.startswith(SERVICE_KEY):
            name = key.removeprefix(SERVICE_KEY)
            return Who("AWSService", name, name, key)
        self._wake_identity()
        return (self.identify and self.identify(key, keys.token)) or self.owner

    def guarded(self, function, *arguments):
        """Call a behaviour. If it fails, the history says so, and the learner's work goes on."""
        try:
            return function(*arguments)
        except Exception as error:
            self._fault(function, error)

    def _fault(self, function, error):
        """A behaviour has failed: say so, or raise it, in the kit's own tests."""
        if os.environ.get("KIT_STRICT"):
            raise
        self.faults.append("".join(traceback.format_exception(error)))
        name = getattr(function, "__qualname__", str(function))
        self.history.add("the kit", "a behaviour failed", name, f"{type(error).__name__}: {error}. Your own calls "
                         "are untouched; this is a fault of the kit, please report it.")

    def _refuse(self, call, client):
        if call.who is not self.owner:
            self._wake_identity()
            _validate(client, call)
            if self.gate:
                self.gate(call, client.meta.service_model)
        behaviours = [function for operation in (call.operation, "*")
                      for function in self._before.get((call.service, operation), ())]
        if behaviours:
            _validate(client, call)  # so that they need not: boto3 would only say it afterwards
        for function in behaviours:
            self._trusted(function, call)

    def _trusted(self, function, call):
        """What a behaviour says to a call: a refusal reaches the caller, a fault of its own does not."""
        try:
            return function(call)
        except ServiceError:
            raise
        except Exception as error:
            from botocore.exceptions import BotoCoreError, ClientError
            if isinstance(error, (BotoCoreError, ClientError)):  # of a call that it has made in turn
                raise
            self._fault(function, error)

    def _answered(self, call, client):
        answer = self._answers.get((call.service, call.operation))
        if answer is None:
            return None
        _validate(client, call)
        response = self._trusted(answer, call)
        if response is None:
            return None
        return {**response, "ResponseMetadata": {"RequestId": f"{call.number:08x}-0000-4000-8000-000000000000",
                                                 "HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}

    def _wake_identity(self):
        module = topics()["identity"]
        if module not in self._awake:
            self._wake_module(module)


class GuardedClock:
    """The sandbox's agenda, for behaviours: like ``kit.sim.Clock``, and one that fails stops no other."""

    def __init__(self, life):
        self._life, self._events = life, life.sandbox.clock.events

    @property
    def now(self) -> float:
        return self._events.now

    def at(self, time, function, *arguments):
        return self._events.at(time, self._run, function, *arguments)

    def after(self, delay, function, *arguments):
        return self._events.after(delay, self._run, function, *arguments)

    def every(self, interval, function, *arguments, until=None):
        return self._events.every(interval, self._run, function, *arguments, until=until)

    def cancel(self, ticket):
        self._events.cancel(ticket)

    def _run(self, function, *arguments):
        with self._life.doing("time"):
            self._life.guarded(function, *arguments)


@cache
def topics() -> dict:
    import yaml
    return yaml.safe_load((Path(__file__).parent / "topics.yaml").read_text(encoding="utf-8"))


def _validate(client, call):
    from botocore.exceptions import ParamValidationError
    from botocore.validate import ParamValidator
    model = client.meta.service_model.operation_model(call.operation)
    if model.input_shape is None:
        return
    report = ParamValidator().validate(call.parameters, model.input_shape)
    if report.has_errors():  # boto3's handlers, and the CLI's, may supply what is missing
        given = client._emit_api_params(deepcopy(call.parameters), model, {
            "client_region": client.meta.region_name, "client_config": client.meta.config})
        report = ParamValidator().validate(given, model.input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


def _client_error(client, operation, refusal):
    shape = client.meta.service_model.shape_for_error_code(refusal.code)
    described = shape.metadata.get("error", {}).get("httpStatusCode") if shape is not None else None
    status = refusal.status or described or (403 if refusal.code.startswith("AccessDenied") else 400)
    response = {"Error": {"Code": refusal.code, "Message": refusal.message},
                "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "", "HTTPHeaders": {}, "RetryAttempts": 0}}
    return client.exceptions.from_code(refusal.code)(response, operation)
