"""The seal: from ``import kit.lab`` on, this process reaches nothing but the machine it runs on.

A Python audit hook sees every connection, datagram and name lookup that goes through Python's sockets, whichever
library makes it, and raises ``RealAWSBlocked`` before anything leaves. No hook can be taken off again, so the seal
holds before a sandbox starts and after it stops. Real credentials, profiles, endpoints and proxies are dropped from
the environment and replaced by dummy ones.

**Allowed**: loopback addresses (127.0.0.0/8, ::1, localhost, the unspecified address), local (AF_UNIX) sockets,
looking up the machine's own name.

Python programs that this process starts are sealed likewise, from their first line on (``child/sitecustomize.py``).

**Not covered**: other programs that are started (curl, say, or a container: they have the dummy credentials, not the
hook), and Python's with -I, -E or an environment of their own; libraries in C that open their own sockets (curl, gRPC, the AWS Common Runtime; on Windows also asyncio,
given an address instead of a name); Python's own ``_socket`` asked
for a name by hand; connections that were open before the seal, except boto3's; a proxy on this
machine that a program hands to a library itself. In a browser (Pyodide) there are no sockets to guard.
"""

import os
import socket
import sys
from functools import wraps
from pathlib import Path

REGION = "us-east-1"

DUMMY_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # endpoints that carry the account's id have no answer in the sandbox
    "no_proxy": "*",  # a proxy on this machine would carry requests out through a loopback connection
    "NO_PROXY": "*",
}
CHILD = os.fspath(Path(__file__).with_name("child"))  # on the PYTHONPATH of all programs that are started
PROXIES = ("http_proxy", "https_proxy", "all_proxy")

LOOPBACK = ("", "localhost", "ip6-localhost", "0.0.0.0", "::", "::1")
WATCHED = {  # audit event -> which of its arguments names the other end
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
    "import": None,
}

_sealed = False


class RealAWSBlocked(Exception):
    """Something tried to leave this machine. ``host``: where it wanted to go.

    No OSError on purpose: HTTP libraries would take that for a bad connection, wrap it and try again.
    """

    def __init__(self, host: str):
        super().__init__(host)
        self.host = host

    def __str__(self) -> str:
        return (f"{self.host} is outside this machine, and the lab lets nothing out: no request was sent. "
                "For AWS use a client made after lab.start(), while the sandbox runs and with AWS's default endpoint: "
                "sandbox = lab.start(); sandbox.client(...).")


def seal() -> None:
    """Close this process to the network, for good; further calls change nothing."""
    global _sealed
    if _sealed:
        return
    _sealed = True
    _replace_environment()
    sys.addaudithook(_watch)
    for method in ("bind", "connect", "connect_ex", "sendto", "sendmsg"):
        if hasattr(socket.socket, method):  # Windows has no sendmsg
            _refuse_names(method)
    seal_botocore()
    if boto3 := sys.modules.get("boto3"):
        boto3.DEFAULT_SESSION = None  # it may hold real credentials


def seal_botocore() -> None:
    """Let botocore refuse by itself, as soon as it is loaded: it would wrap the hook's exception in its own."""
    session = getattr(sys.modules.get("botocore.httpsession"), "URLLib3Session", None)
    if session is None or hasattr(session.send, "sealed"):
        return
    send = session.send

    @wraps(send)
    def guarded(self, request):
        refuse_url(request.url)
        return send(self, request)

    guarded.sealed = True
    session.send = guarded


def refuse_url(url: str) -> None:
    """RealAWSBlocked if this URL leads out of the machine."""
    from urllib.parse import urlsplit
    _refuse_outside(urlsplit(url).hostname)


def _watch(event, arguments, watched=WATCHED, absent=-1):  # bound here: at exit, module variables may be gone
    position = watched.get(event, absent)
    if position == absent:
        return
    if position is None:  # something is being imported: botocore's HTTP session may have come in just before
        return seal_botocore and seal_botocore()
    target = arguments[position]
    if isinstance(target, tuple):
        _refuse_outside(target[0])
    elif position == 0 and target != socket.gethostname():
        _refuse_outside(target)
    # else: the path of a local socket, or none at all because the socket is connected already


def _refuse_outside(host) -> None:
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if host is None or isinstance(host, str) and _is_loopback(host.lower().removeprefix("::ffff:")):
        return
    raise RealAWSBlocked(str(host))


def _is_loopback(host: str) -> bool:
    return host in LOOPBACK or host.startswith("127.") and host.replace(".", "").isdigit()


def _refuse_names(method: str) -> None:
    """Given a name instead of an address, a socket looks it up before any audit event: refuse it earlier."""
    inner = getattr(socket.socket, method)

    @wraps(inner)
    def guarded(self, *arguments):
        address = arguments[-1] if arguments and (method != "sendmsg" or len(arguments) == 4) else None
        if isinstance(address, tuple) and address:
            _refuse_outside(address[0])
        return inner(self, *arguments)

    setattr(socket.socket, method, guarded)


def _replace_environment() -> None:
    for name in list(os.environ):
        if name.upper().startswith("AWS_") or name.lower() in PROXIES:
            del os.environ[name]
    os.environ.update(DUMMY_ENVIRONMENT)
    others = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one and one != CHILD]
    os.environ["PYTHONPATH"] = os.pathsep.join([CHILD, *others])
