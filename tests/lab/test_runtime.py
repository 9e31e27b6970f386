"""Handlers really run, each in a process of its own, and whatever they do harms nobody."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from kit.lab.runtime import Runtime
from kit.lab.runtime_child import InPlace

ROOT = Path(__file__).parents[2]
CONTEXT = {"aws_request_id": "r-1", "function_name": "f", "memory_limit_in_mb": "128", "now": 1_767_571_200.0}


def packed(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def asked():
    return []


@pytest.fixture(scope="module")
def runtime(asked):
    def call_out(service, region, operation, parameters, keys):
        asked.append((service, region, operation, parameters, keys))
        if parameters.get("Bucket") == "wrong":
            from botocore.exceptions import ClientError
            raise ClientError({"Error": {"Code": "NoSuchBucket", "Message": "no such bucket"}}, operation)
        return {"Body": io.BytesIO(b"bytes \xff")} if operation == "GetObject" else {"Buckets": [{"Name": "b"}]}

    runtime = Runtime(call_out)
    yield runtime
    runtime.stop()


@pytest.fixture
def make(runtime):
    def make(code, handler="app.handler", environment=(), memory=128, layers=()):
        given = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "ROLE:r", "AWS_SECRET_ACCESS_KEY": "s"} | dict(environment)
        return runtime.create(packed(app=code), handler, given, memory, layers)
    return make


def run(environment, event=None, timeout=3.0):
    return environment.invoke(event, CONTEXT, timeout)


def failure(result):
    assert result.error == "Unhandled"
    return json.loads(result.payload)


def test_given_a_handler_then_it_answers_and_what_it_prints_is_kept(make):
    result = run(make("def handler(event, context):\n    print('hello', event['name'])\n    return {'n': event['n'] + 1}"), {"n": 1, "name": "Ada"})
    assert (json.loads(result.payload), result.error, result.logs) == ({"n": 2}, None, ["hello Ada\n"])


def test_given_a_warm_environment_then_globals_live_on(make):
    environment = make("n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n")
    results = [run(environment) for _ in range(3)]
    assert [one.payload for one in results] == ["1", "2", "3"] and [one.init_duration > 0 for one in results] == [True, False, False]


def test_given_a_sleep_then_the_sandboxes_time_passes_and_not_yours(make):
    code = ("import time, datetime\ndef handler(event, context):\n    time.sleep(200)\n"
            "    return [time.time(), str(datetime.datetime.now()), context.get_remaining_time_in_millis()]")
    began = time.perf_counter()
    result = run(make(code), timeout=300)
    assert json.loads(result.payload) == [1_767_571_400.0, "2026-01-05 00:03:20", 100_000]
    assert result.duration == 200 and time.perf_counter() - began < 5


def test_given_a_sleep_beyond_the_timeout_then_it_has_timed_out(make):
    environment = make("import time\ndef handler(event, context):\n    print('before')\n    time.sleep(9)")
    result = run(environment)
    assert failure(result)["errorType"] == "Sandbox.Timedout" and "Task timed out after 3.00 seconds" in failure(result)["errorMessage"]
    assert result.logs[0] == "before\n" and result.duration == 3 and not environment.alive


def test_given_an_endless_loop_then_it_has_timed_out(make):
    result = run(make("def handler(event, context):\n    while True: pass"), timeout=1)
    assert failure(result)["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize("code, kind, words", [
    ("import nothing_like_it", "Runtime.ImportModuleError", "Unable to import module 'app'"),
    ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
    ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    ("raise KeyError('at import')", "KeyError", "at import"),
    ("def handler(event, context):\n    return {1}", "Runtime.MarshalError", "set is not JSON serializable"),
    ("def handler(event, context):\n    raise ValueError('no')", "ValueError", "no"),
    ("import sys\ndef handler(event, context):\n    sys.exit(1)", "Runtime.ExitError", "exited"),
    ("import os\ndef handler(event, context):\n    os._exit(1)", "Runtime.ExitError", "exited"),
    ("import os, signal\ndef handler(event, context):\n    os.kill(os.getpid(), signal.SIGKILL)", "Runtime.ExitError", "exited"),
    ("def handler(event, context):\n    return 'x' * 10**10", "Runtime.OutOfMemory", "killed"),
    ("def handler(event, context):\n    return handler(event, context)", "RecursionError", "recursion"),
])
def test_given_a_fault_then_it_is_told_in_awss_shape(make, code, kind, words):
    """AWS Lambda Developer Guide, "Lambda function handler errors" (errorType, errorMessage, stackTrace)."""
    told = failure(run(make(code)))
    assert told["errorType"] == kind and words in told["errorMessage"]


def test_given_an_exception_then_its_trace_names_the_learners_own_lines(make):
    told = failure(run(make("def handler(event, context):\n    raise ValueError('no')")))
    assert told["requestId"] == "r-1" and told["stackTrace"] == ['  File "/var/task/app.py", line 2, in handler\n    raise ValueError(\'no\')\n']


def test_given_boto3_in_a_handler_then_its_calls_come_back_with_its_own_keys(make, asked):
    code = ("import boto3\ndef handler(event, context):\n    s3 = boto3.client('s3')\n"
            "    return [s3.list_buckets()['Buckets'], s3.get_object(Bucket='b', Key='k')['Body'].read().hex()]")
    assert json.loads(run(make(code)).payload) == [[{"Name": "b"}], b"bytes \xff".hex()]
    assert asked[-2] == ("s3", "eu-west-1", "ListBuckets", {}, ["ROLE:r", "s", None])


def test_given_a_call_that_aws_refuses_then_the_handler_can_catch_it(make):
    code = ("import boto3\ndef handler(event, context):\n    s3 = boto3.client('s3')\n    try:\n"
            "        s3.get_object(Bucket='wrong', Key='k')\n    except s3.exceptions.NoSuchBucket as error:\n        return str(error)")
    assert "no such bucket" in run(make(code)).payload


@pytest.mark.parametrize("code", [
    "import urllib.request\ndef handler(e, c):\n    urllib.request.urlopen('http://198.51.100.1/')",
    "import socket\ndef handler(e, c):\n    socket.create_connection(('example.com', 80))",
    "import requests\ndef handler(e, c):\n    requests.get('http://example.com')",
    "import socket\ndef handler(e, c):\n    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('198.51.100.1', 53))",
])
def test_given_another_way_out_then_it_is_blocked(make, code):
    assert failure(run(make(code)))["errorType"] == "RealAWSBlocked"


def test_given_environment_and_layers_then_the_handler_sees_them_and_nothing_of_yours(make, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    layer = packed(python__helper="WORD = 'from a layer'")
    code = ("import os, helper\ndef handler(event, context):\n"
            "    return [helper.WORD, os.environ['TABLE'], os.environ.get('AWS_PROFILE'), os.path.basename(os.getcwd())]")
    assert json.loads(run(make(code, environment={"TABLE": "orders"}, layers=[layer])).payload) == ["from a layer", "orders", None, "task"]


def test_given_logging_then_lines_look_as_on_aws(make):
    code = "import logging\nlog = logging.getLogger()\nlog.setLevel('INFO')\ndef handler(event, context):\n    log.info('hi %s', 1)"
    assert run(make(code)).logs == ["[INFO]\t2026-01-05T00:00:00.000Z\tr-1\thi 1\n"]


def test_given_megabytes_of_output_then_it_is_cut(make):
    result = run(make("def handler(event, context):\n    print('x' * 10**7)"))
    assert sum(map(len, result.logs)) < 300_000 and "more was printed" in result.logs[-1]


def test_given_the_same_name_then_random_repeats(make):
    code = "import random\ndef handler(event, context):\n    return random.random()"
    assert len({run(make(code)).payload for _ in range(2)}) == 1


def gone(group):
    """No process of the group is left, or none is within five seconds."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_given_a_handler_with_children_then_nothing_is_left_over(make):
    code = "import os, time\ndef handler(event, context):\n    for _ in range(5):\n        if os.fork() == 0:\n            while True: pass\n    while True: pass"
    environment = make(code)
    assert failure(run(environment, timeout=1))["errorType"] == "Sandbox.Timedout"
    assert gone(environment.pid)


def test_given_a_killed_kernel_then_nothing_is_left_over(tmp_path):
    code = (f"import sys, os, signal; sys.path[:0] = [{os.fspath(ROOT)!r}, {os.fspath(ROOT / 'tests/lab')!r}]\n"
            "import test_runtime as t\nruntime = t.Runtime(None)\n"
            "e = runtime.create(t.packed(app='def handler(e, c): return 1'), 'app.handler', {})\nassert t.run(e).payload == '1'\n"
            "print(e.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)")
    run_ = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert gone(int(run_.stdout))


def test_given_no_processes_then_handlers_run_in_place_and_say_so(monkeypatch):
    """As in a browser tab."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(InPlace, "__init__", in_place)
    runtime = Runtime(None)
    assert "no limits" in runtime.limits
    result = run(runtime.create(packed(app="def handler(event, context):\n    return event"), "app.handler", {}), {"a": 1})
    assert result.payload == '{"a": 1}'


def in_place(self, birth, answer):
    """The real one changes the process it is in (its folder, its environment), which a test must not."""
    namespace = {}
    exec(zipfile.ZipFile(io.BytesIO(birth["code"])).read("app.py"), namespace)
    self._next = {"slept": 0.0}
    self.send = lambda wanted: setattr(self, "_next", {
        "payload": json.dumps(namespace["handler"](wanted["event"], None)), "error": None, "logs": [], "duration": 0.001, "memory": 0})
