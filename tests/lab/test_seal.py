"""Nothing leaves the machine once kit.lab is imported: each way out of leaks.py is its own case."""

import http.server
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from functools import cache
from pathlib import Path

import pytest
import requests

from kit import lab

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REAL_LOOKING = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",  # AWS's own example keys
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_BEARER_TOKEN_BEDROCK": "real-looking",
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/real",
}
PROFILES = "[default]\n{keys}[work]\n{keys}".format(
    keys="aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")


def load_leaks():
    spec = importlib.util.spec_from_file_location("leaks", HERE / "leaks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PHASES = load_leaks().PHASES
MODES = {"open": "open", "sealed": "old", "running": "old", "stopped": "old", "late": "late"}
CASES = [(phase, way) for phase, groups in PHASES.items() for group in groups for way in group]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What a learner's shell may hold: keys, a profile file, a role."""
    profiles = tmp_path_factory.mktemp("aws") / "credentials"
    profiles.write_text(PROFILES)
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
    return kept | REAL_LOOKING | {"AWS_SHARED_CREDENTIALS_FILE": str(profiles), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def tried(environment):
    """What happened to each try, by phase and way; three processes serve all cases."""
    @cache
    def results(mode):
        run = subprocess.run([sys.executable, HERE / "leaks.py", mode], env=environment, cwd=ROOT, timeout=60,
                             capture_output=True, text=True)
        found = map(json.loads, run.stdout.splitlines())
        return {(result["phase"], result["way"]): result for result in found}, run.stderr[-2000:]

    def result(phase, way):
        found, trouble = results(MODES[phase])
        assert (phase, way) in found, trouble
        return found[phase, way]

    return result


@pytest.mark.parametrize("way", [way for phase, way in CASES if phase == "open"])
def test_the_watcher_sees_each_way_out_when_there_is_no_seal(tried, way):
    result = tried("open", way)
    assert any(result["host"] in seen for seen in result["seen"]), result


@pytest.mark.parametrize("phase, way", [(phase, way) for phase, way in CASES if phase != "open"])
def test_each_way_out_is_blocked(tried, phase, way):
    result = tried(phase, way)
    assert not result["seen"], "the watcher behind the seal saw it pass"
    assert result["error"] == "RealAWSBlocked", result
    assert result["told"] == result["host"] and result["host"] in result["text"] and "lab.start()" in result["text"]
    assert not result["slept"], "somebody waited to try again"


def in_new_process(code, environment):
    run = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, timeout=60, capture_output=True,
                         text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


def test_given_real_credentials_when_sealed_then_a_child_process_has_only_dummies(environment):
    code = ("import kit.lab, os, subprocess, sys; "
            "subprocess.run([sys.executable, '-c', 'import json, os; print(json.dumps(dict(os.environ)))'])")
    proxies = {"HTTPS_PROXY": "http://127.0.0.1:3128", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL": "https://example.com"}
    child = json.loads(in_new_process(code, environment | proxies))
    assert {name for name in child if name.startswith("AWS_")} == {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE",
        "AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ACCOUNT_ID_ENDPOINT_MODE"}
    assert child["AWS_ACCESS_KEY_ID"] == child["AWS_SECRET_ACCESS_KEY"] == child["AWS_SESSION_TOKEN"] == "testing"
    assert child["AWS_CONFIG_FILE"] == child["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert child["AWS_EC2_METADATA_DISABLED"] == "true"
    assert child["PYTHONPATH"].split(os.pathsep)[0] == os.fspath(ROOT / "kit" / "lab" / "child")
    assert "HTTPS_PROXY" not in child and child["NO_PROXY"] == child["no_proxy"] == "*"


@pytest.mark.parametrize("attempt", ["import urllib.request as u; u.urlopen('https://example.com')",
                                     "import socket; socket.socket().connect(('192.0.2.7', 443))",
                                     "import boto3; boto3.client('sqs').list_queues()"])
def test_given_the_seal_then_python_in_a_child_process_is_sealed_too(environment, attempt):
    code = f"import kit.lab, subprocess, sys; print(subprocess.run([sys.executable, '-c', {attempt!r}], capture_output=True, text=True).stderr)"
    told = in_new_process(code, environment | {"PYTHONPATH": "/elsewhere"})
    assert "RealAWSBlocked" in told and "outside this machine" in told


def test_given_a_default_session_with_real_keys_when_sealed_then_boto3_signs_with_dummies(environment):
    code = """
import boto3
def key():
    return boto3.client("sqs")._request_signer._credentials.access_key
keys = [key()]
from kit import lab
keys.append(key())
lab.start()
keys.append(key())
print(*keys)
"""
    assert in_new_process(code, environment).split() == ["AKIAIOSFODNN7EXAMPLE", "testing", "testing"]


def test_given_nothing_started_when_kit_lab_is_imported_then_neither_boto3_nor_moto_is(environment):
    code = "import sys, kit.lab; print([m for m in ('boto3', 'botocore', 'moto', 'requests') if m in sys.modules])"
    assert in_new_process(code, environment).strip() == "[]"


def test_given_a_browser_without_sockets_when_kit_lab_is_imported_then_it_says_that_the_lab_needs_more(environment):
    code = """
import sys
sys.platform = "emscripten"
sys.modules.update(boto3=None, moto=None, time_machine=None)  # as if they weren't installed
from kit import lab
try:
    lab.start()
except ImportError as error:
    print(error)
"""
    assert "the models, explorers and exercises do without" in in_new_process(code, environment)


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", ""])
def test_given_the_seal_then_a_server_on_this_machine_still_answers(bind):
    with http.server.ThreadingHTTPServer((bind, 0), Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            for host in ("127.0.0.1", "localhost"):
                url = f"http://{host}:{server.server_port}/"
                assert urllib.request.urlopen(url).read() == requests.get(url).content == b"hello"
        finally:
            server.shutdown()


def test_given_the_seal_then_local_sockets_and_the_machines_own_name_still_work(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        caller.connect(str(tmp_path / "s"))
        caller.send(b"x")
        assert listener.accept()[0].recv(1) == b"x"
    receiver, sender = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "12")
    with receiver, sender:
        receiver.bind(("127.0.0.1", 0))
        sender.sendto(b"y", receiver.getsockname())
        assert receiver.recv(1) == b"y"
    socket.getfqdn()  # asks for the machine's own name


def test_given_a_client_for_an_endpoint_on_this_machine_then_it_reaches_it():
    """As the AWS CLI's --endpoint-url: a server of one's own stays reachable."""
    import boto3
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.server_port}")
            assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"hello"
        finally:
            server.shutdown()


def test_the_error_is_no_oserror_and_tells_what_to_do():
    assert issubclass(lab.RealAWSBlocked, Exception) and not issubclass(lab.RealAWSBlocked, OSError)
    assert "no request was sent" in str(lab.RealAWSBlocked("example.com"))
