"""Every way out of a Python process that we know of, tried; run by test_seal.py in processes of its own.

    python leaks.py open            no seal: the watcher must see each way out
    python leaks.py old             clients and sessions made before kit.lab is imported, with real-looking credentials
    python leaks.py late            boto3 imported after kit.lab, before a sandbox starts

Prints one JSON line a try. The watcher is an audit
hook that stands behind the seal, so it hears only of what the seal has let pass; it stops that too, so that no
traffic leaves whoever runs this.

Each way is a generator: it prepares, yields, and then tries to get out.
"""

import asyncio
import http.client
import json
import os
import smtplib
import socket
import ssl
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import httpx
import requests

IP, IPV6 = "192.0.2.7", "2001:db8::7"  # set aside for documentation: RFC 5737, RFC 3849
NAME = "example.com"
SQS = "sqs.us-east-1.amazonaws.com"
PROXY = "a proxy on this machine"

seen, slept = [], []


class Leak(BaseException):
    """Something would have got out. Not an Exception, so that no library takes it for a bad connection."""


def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        to = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"):
        to = arguments[0]
    else:
        return
    host = to[0] if isinstance(to, tuple) else to
    if isinstance(host, bytes):
        host = host.decode()
    if host not in (None, "", "localhost", "127.0.0.1", "::1", socket.gethostname()):
        seen.append(host)
        raise Leak(host)


def local_proxy():
    """A proxy on a loopback address, which would carry anything out; it only notes what it is asked for."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = listener.accept()
            line = connection.recv(4096).split(b"\r\n")[0].decode()
            seen.append(line)
            connection.sendall(b"HTTP/1.1 502 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def in_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


async def fetch(url):
    async with httpx.AsyncClient() as client:
        await client.get(url)


async def datagram():
    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(IP, 53))


def udp():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def way(host, act):
    def tries():
        yield
        act()
    return host, tries


PLAIN = {  # ways that need no boto3: name -> (the host that must be named, the generator)
    "requests, https": way(NAME, lambda: requests.get("https://example.com")),
    "requests, odd port": way(SQS, lambda: requests.get(f"https://{SQS}:8443/")),
    "requests, session": way(IP, lambda: requests.Session().post(f"http://{IP}/", data="x")),
    "urllib.request": way(NAME, lambda: urllib.request.urlopen("https://example.com")),
    "http.client, address": way(IP, lambda: http.client.HTTPConnection(IP).request("GET", "/")),
    "http.client, IPv6": way(IPV6, lambda: http.client.HTTPConnection(f"[{IPV6}]").request("GET", "/")),
    "http.client, name": way(NAME, lambda: http.client.HTTPSConnection(NAME).request("GET", "/")),
    "httpx": way(NAME, lambda: httpx.get("https://example.com")),
    "httpx, asynchronous": way(NAME, lambda: asyncio.run(fetch("https://example.com"))),
    "asyncio, name": way(NAME, lambda: asyncio.run(asyncio.open_connection(NAME, 443))),
    "asyncio, address": way(IP, lambda: asyncio.run(asyncio.open_connection(IP, 443))),
    "asyncio, datagram": way(IP, lambda: asyncio.run(datagram())),
    "smtplib": way(NAME, lambda: smtplib.SMTP(NAME)),
    "ssl": way(NAME, lambda: ssl.get_server_certificate((NAME, 443))),
    "socket.create_connection": way(NAME, lambda: socket.create_connection((NAME, 443))),
    "socket.connect, address": way(IP, lambda: socket.socket().connect((IP, 443))),
    "socket.connect, IPv6": way(IPV6, lambda: socket.socket(socket.AF_INET6).connect((IPV6, 443))),
    "socket.connect_ex": way(IP, lambda: socket.socket().connect_ex((IP, 443))),
    "socket.sendto": way(IP, lambda: udp().sendto(b"x", (IP, 53))),
    "socket.sendto, flags": way(IP, lambda: udp().sendto(b"x", 0, (IP, 53))),
    "socket.sendmsg": way(IP, lambda: udp().sendmsg([b"x"], [], 0, (IP, 53))),
    "socket.connect, datagram": way(IP, lambda: udp().connect((IP, 53))),
    "captured connect": way(IP, lambda: CAPTURED_CONNECT(socket.socket(), (IP, 443))),
    "socket.getaddrinfo": way(NAME, lambda: socket.getaddrinfo(NAME, 443)),
    "socket.getaddrinfo, bytes": way(NAME, lambda: socket.getaddrinfo(NAME.encode(), 443)),
    "captured getaddrinfo": way(NAME, lambda: CAPTURED_GETADDRINFO(NAME, 443)),
    "socket.gethostbyname": way(NAME, lambda: socket.gethostbyname(NAME)),
    "socket.gethostbyname_ex": way(NAME, lambda: socket.gethostbyname_ex(NAME)),
    "socket.gethostbyaddr": way(IP, lambda: socket.gethostbyaddr(IP)),
    "socket.getnameinfo": way(IP, lambda: socket.getnameinfo((IP, 80), 0)),
    "name like loopback": way("127.0.0.1.example.com", lambda: socket.getaddrinfo("127.0.0.1.example.com", 443)),
    "name like localhost": way("localhost.example.com", lambda: socket.getaddrinfo("localhost.example.com", 443)),
    "IPv4 in IPv6": way("::ffff:192.0.2.7", lambda: socket.socket(socket.AF_INET6).connect(("::ffff:192.0.2.7", 443))),
    "metadata of the machine": way("169.254.169.254",
                                   lambda: urllib.request.urlopen("http://169.254.169.254/latest/meta-data/")),
    "credentials of a container": way("169.254.170.2", lambda: urllib.request.urlopen("http://169.254.170.2/v2/x")),
    "thread, socket": way(IP, lambda: in_thread(lambda: socket.socket().connect((IP, 443)))),
    "thread, requests": way(NAME, lambda: in_thread(lambda: requests.get("https://example.com"))),
}
CAPTURED_CONNECT, CAPTURED_GETADDRINFO = socket.socket.connect, socket.getaddrinfo

UNWATCHED = {  # the socket looks the name up by itself, without an audit event: the error alone tells
    "socket.connect, name": way(NAME, lambda: socket.socket().connect((NAME, 443))),
    "socket.connect_ex, name": way(NAME, lambda: socket.socket().connect_ex((NAME, 443))),
    "socket.sendto, name": way(NAME, lambda: udp().sendto(b"x", (NAME, 53))),
    "socket.sendmsg, name": way(NAME, lambda: udp().sendmsg([b"x"], [], 0, (NAME, 53))),
    "socket.bind, name": way(NAME, lambda: socket.socket().bind((NAME, 0))),
    "socket.create_server, name": way(NAME, lambda: socket.create_server((NAME, 0))),
}

PROXIED = {
    "requests, " + PROXY: way(NAME, lambda: requests.get("https://example.com")),
    "urllib.request, " + PROXY: way(NAME, lambda: urllib.request.build_opener().open("https://example.com")),
    "urllib.request, opener of old, " + PROXY: way(NAME, lambda: urllib.request.urlopen("https://example.com")),
    "httpx, " + PROXY: way(NAME, lambda: httpx.get("https://example.com")),
}


def new_client(service="sqs", **options):
    import boto3
    return boto3.client(service, region_name="us-east-1", **options)


def boto3_client():
    client = new_client()
    yield
    client.list_queues()


def standard_retries():
    from botocore.config import Config
    client = new_client(config=Config(retries={"mode": "standard", "total_max_attempts": 5}))
    yield
    client.list_queues()


def boto3_resource():
    import boto3
    buckets = boto3.resource("s3", region_name="us-east-1").buckets
    yield
    list(buckets.all())


def new_session():
    import boto3
    client = boto3.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="wJalrXUtnFEMI/K7MDENG",
                           region_name="us-east-1").client("sqs")
    yield
    client.list_queues()


def botocore_session():
    import botocore.session
    client = botocore.session.get_session().create_client("sqs", region_name="us-east-1")
    yield
    client.list_queues()


def upload_in_threads():  # boto3 moves files in threads of its own
    import io
    client = new_client("s3")
    yield
    client.upload_fileobj(io.BytesIO(b"x"), "bucket", "key")


def waiter():
    client = new_client("s3")
    yield
    client.get_waiter("bucket_exists").wait(Bucket="bucket")


def dual_stack():
    from botocore.config import Config
    client = new_client(config=Config(use_dualstack_endpoint=True))
    yield
    client.list_queues()


def odd_port():
    client = new_client(endpoint_url=f"https://{SQS}:8443")
    yield
    client.list_queues()


def other_endpoint():
    client = new_client(endpoint_url="https://example.com")
    yield
    client.list_queues()


def thread():
    client = new_client()
    yield
    in_thread(client.list_queues)


def http_delivery():
    sns = new_client("sns")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://example.com/hook")
    yield
    sns.publish(TopicArn=topic, Message="hello")


def calling(client):
    """A way that uses a client made earlier."""
    def tries():
        yield
        client.list_queues()
    return SQS, tries


def client_of(session):
    """A way that uses a session made earlier."""
    def tries():
        client = session.client("sqs")
        yield
        client.list_queues()
    return SQS, tries


UNANSWERED = {  # boto3 without a sandbox
    "boto3": (SQS, boto3_client),
    "boto3, standard retries": (SQS, standard_retries),
    "boto3, resource": ("s3.amazonaws.com", boto3_resource),
    "boto3, session": (SQS, new_session),
    "botocore": (SQS, botocore_session),
    "boto3, upload": ("bucket.s3.amazonaws.com", upload_in_threads),
    "boto3, waiter": ("bucket.s3.amazonaws.com", waiter),
    "boto3, thread": (SQS, thread),
}
STRAY = {  # boto3 that a sandbox doesn't answer either
    "boto3, dual stack": ("sqs.us-east-1.api.aws", dual_stack),
    "boto3, odd port": (SQS, odd_port),
    "boto3, other endpoint": (NAME, other_endpoint),
}
DELIVERED = {"delivery of a notification": (NAME, http_delivery)}  # moto itself goes out
PROXIED_BOTO3 = {"boto3, " + PROXY: (SQS, boto3_client)}


OLD = ("client of old", "session of old", "client of a profile", "client with " + PROXY)
UNSTARTED = "client made before the start", "session made before the start"
STOPPED = "client of the sandbox", "session of the sandbox's time", "client of the stopped sandbox"

PHASES = {  # what is tried when
    "open": [PLAIN, UNANSWERED, STRAY, OLD[:2], PROXIED, PROXIED_BOTO3, DELIVERED],
    "sealed": [PLAIN, UNWATCHED, PROXIED, PROXIED_BOTO3, UNANSWERED, STRAY, OLD],
    "running": [PLAIN, UNWATCHED, PROXIED, STRAY, DELIVERED, OLD, UNSTARTED],
    "stopped": [PLAIN, UNWATCHED, PROXIED, PROXIED_BOTO3, UNANSWERED, STRAY, OLD, UNSTARTED, STOPPED],
    "late": [UNANSWERED, STRAY, PROXIED_BOTO3],
}


def run(phase, *groups):
    for group in groups:
        for name, (host, tries) in group.items():
            seen.clear()
            slept.clear()
            error = told = None
            text = ""
            trying = tries()
            next(trying)
            try:
                next(trying, None)
            except BaseException as raised:
                error, told, text = type(raised).__name__, getattr(raised, "host", None), str(raised)
            print(json.dumps({"phase": phase, "way": name, "host": host, "error": error, "told": told, "text": text,
                              "slept": slept, "seen": seen}), flush=True)


def without_a_seal(proxy):
    import boto3
    from moto import mock_aws
    sys.addaudithook(watch)
    old = dict(zip(OLD, [calling(new_client()), client_of(boto3.Session(region_name="us-east-1"))]))
    run("open", PLAIN, UNANSWERED, STRAY, old)
    use_proxy(proxy)
    run("open", PROXIED, PROXIED_BOTO3)
    with mock_aws():
        run("open", DELIVERED)


def with_clients_of_old(proxy):
    import boto3
    old = [calling(new_client()), client_of(boto3.Session(region_name="us-east-1")),
           calling(boto3.Session(profile_name="work").client("sqs", "us-east-1"))]
    use_proxy(proxy)
    old = dict(zip(OLD, [*old, calling(new_client())], strict=True))
    from kit import lab
    sys.addaudithook(watch)
    run("sealed", PLAIN, UNWATCHED, PROXIED, PROXIED_BOTO3, UNANSWERED, STRAY, old)
    unstarted = dict(zip(UNSTARTED, [calling(new_client()), client_of(boto3.Session())], strict=True))
    sandbox = lab.start()
    run("running", PLAIN, UNWATCHED, PROXIED, STRAY, DELIVERED, old, unstarted)
    stopped = [calling(sandbox.client("sqs")), client_of(boto3.Session())]
    sandbox.stop()
    stopped = dict(zip(STOPPED, [*stopped, calling(sandbox.client("sqs"))], strict=True))
    run("stopped", PLAIN, UNWATCHED, PROXIED, PROXIED_BOTO3, UNANSWERED, STRAY, old, unstarted, stopped)


def with_boto3_late(proxy):
    use_proxy(proxy)
    import kit.lab  # noqa: F401
    sys.addaudithook(watch)
    run("late", UNANSWERED, STRAY, PROXIED_BOTO3)


def use_proxy(proxy):
    os.environ.update(HTTP_PROXY=proxy, HTTPS_PROXY=proxy)
    urllib.request.install_opener(urllib.request.build_opener())  # urlopen keeps this one


if __name__ == "__main__":
    time.sleep = slept.append  # who waits before trying again is noted, and not waited for
    {"open": without_a_seal, "old": with_clients_of_old, "late": with_boto3_late}[sys.argv[1]](local_proxy())
