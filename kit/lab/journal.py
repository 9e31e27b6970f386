"""Save a sandbox and load it again: what the learner did is written down, and done again.

The same calls on the same seed give the same sandbox, ids included, so that a list of calls and clock moves is all
there is to keep: a small text file that runs nothing when it is read. What is not repeated to the bit: secrets that
cryptography draws (key pairs, KMS keys), and whatever a handler does that differs from run to run.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from kit.lab.codec import decode, encode

FORMAT = "cloud-learning-kit sandbox 1"


class Journal:
    """The learner's own calls, clock moves and settings, in order."""

    def __init__(self):
        self.entries: list[dict] = []

    def call(self, call, keys) -> dict:
        self.entries.append({"call": [call.service, call.region, call.operation], "parameters": encode(call.parameters),
                             "keys": [keys.access_key, keys.secret_key, keys.token] if keys else None})
        return self.entries[-1]

    def request(self, request) -> None:
        """A plain HTTP request to an address of AWS."""
        body = request.body.read() if hasattr(request.body, "read") else request.body
        request.body = body
        self.entries.append({"http": [request.method, request.url, dict(request.headers.items())], "body": encode(body)})

    def move(self, now: float) -> None:
        """The clock stands at ``now``; several moves in a row are one."""
        if self.entries and "until" in self.entries[-1]:
            self.entries.pop()
        self.entries.append({"until": now})

    def setting(self, name: str, **arguments) -> None:
        """A command of the sandbox that is no call: ``sandbox.<name>(**arguments)``."""
        self.entries.append({"do": name, "arguments": encode(arguments)})


def write(path, seed: int, now: float, entries: list[dict]) -> Path:
    """The whole file or none of it."""
    path = Path(path)
    body = json.dumps({"seed": seed, "now": now, "entries": entries}, separators=(",", ":"))
    text = json.dumps({"format": FORMAT, "sha256": hashlib.sha256(body.encode()).hexdigest(), "sandbox": body}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    return path


def read(path) -> dict:
    """{"seed", "now", "entries"}; ValueError in words if this is no file of a sandbox, or a damaged one."""
    path = Path(path)
    try:
        outer = json.loads(path.read_text(encoding="utf-8"))
        if outer["format"] != FORMAT:
            raise ValueError(f"it says {outer['format']!r}, and this kit reads {FORMAT!r}")
        if hashlib.sha256(outer["sandbox"].encode()).hexdigest() != outer["sha256"]:
            raise ValueError("its contents were changed after it was written")
        return json.loads(outer["sandbox"])
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = error if type(error) is ValueError else "it is cut off, or was not written by sandbox.save()"
        raise ValueError(f"{path} cannot be loaded: {why}. The file is left as it is, and so is the sandbox that "
                         "runs; load another one, or go on as you are.") from None


def replay(sandbox, saved: dict) -> list[str]:
    """Do it all again; returns in words what went otherwise than it did for the learner."""
    from botocore import UNSIGNED
    from botocore.config import Config
    clients, strange = {}, []
    for entry in saved["entries"]:
        if "until" in entry:
            sandbox.clock.advance_to(entry["until"])
        elif "http" in entry:
            _request(*entry["http"], decode(entry["body"]))
        elif "do" in entry:
            try:
                if entry["do"] not in sandbox.life.commands:
                    raise ValueError("the sandbox has no such command here")
                sandbox.life.commands[entry["do"]](**decode(entry["arguments"]))
                sandbox.journal.setting(entry["do"], **decode(entry["arguments"]))
            except (ValueError, TypeError) as error:
                strange.append(f"{entry['do']}: {error}")
        else:
            service, region, operation = entry["call"]
            keys = tuple(entry["keys"]) if entry["keys"] else None
            if (service, region, keys) not in clients:
                clients[service, region, keys] = sandbox.client(service, region_name=region, **(
                    dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), keys)) if keys else
                    {"config": Config(signature_version=UNSIGNED)}))
            came = None
            try:
                clients[service, region, keys]._make_api_call(operation, decode(entry["parameters"]))
            except Exception as error:
                found = getattr(error, "response", {}).get("Error", {})
                came = found.get("Code", type(error).__name__)
                if came != entry.get("error"):
                    strange.append(f"{service} {operation}: {type(error).__name__}: {error}")
            if came is None and entry.get("error"):
                strange.append(f"{service} {operation}: it failed then ({entry['error']}), and now it didn't")
    return strange


def _request(method, url, headers, body):
    from botocore.awsrequest import AWSPreparedRequest, HTTPHeaders
    from moto.core.botocore_stubber import BotocoreStubber
    fields = HTTPHeaders()
    for name, value in headers.items():
        fields[name] = value
    BotocoreStubber().process_request(AWSPreparedRequest(method, url, fields, body, False))
