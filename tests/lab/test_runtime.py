"""Handlers really run, each in a process of its own, and whatever they do harms nobody."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from kit.lab import runtime as module
from kit.lab.runtime import Runtime

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
        if operation == "ListObjects":
            import boto3
            return boto3.client("s3", region_name=region).list_objects(**parameters)
        return {"GetObject": {"Body": io.BytesIO(b"bytes \xff")}, "GetItem": {"Item": {"id": {"S": "x"}, "n": {"N": "7"}}}}.get(
            operation, {"Buckets": [{"Name": "b"}]})

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
    assert result.logs == ["before\n", "2026-01-05T00:00:03.000Z r-1 Task timed out after 3.00 seconds\n"]
    assert result.duration == 3 and not environment.alive


def test_given_an_endless_loop_then_it_has_timed_out(make):
    result = run(make("def handler(event, context):\n    while True: pass"), timeout=1)
    assert failure(result)["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize("code, kind, words", [
    ("import nothing_like_it", "Runtime.ImportModuleError", "Unable to import module 'app'"),
    ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
    ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    ("raise KeyError('at import')", "KeyError", "at import"),
    ("None.x", "AttributeError", "no attribute 'x'"),
    ("import sys\nsys.exit(1)", "Runtime.ExitError", "exit status 1"),
    ("import os\nos._exit(2)", "Runtime.ExitError", "exit status 2"),
    ("x = 'x' * 10**10", "Runtime.OutOfMemory", "killed"),
    ("def handler(event, context):\n    return {1}", "Runtime.MarshalError", "set is not JSON serializable"),
    ("def handler(event, context):\n    raise ValueError('no')", "ValueError", "no"),
    ("import sys\ndef handler(event, context):\n    sys.exit(1)", "Runtime.ExitError", "exited with error: exit status 1"),
    ("import sys\ndef handler(event, context):\n    sys.exit()", "Runtime.ExitError", "exited without providing a reason"),
    ("import os\ndef handler(event, context):\n    os._exit(3)", "Runtime.ExitError", "exited with error: exit status 3"),
    ("import os\ndef handler(event, context):\n    os.abort()", "Runtime.ExitError", "signal: aborted"),
    ("import os, signal\ndef handler(event, context):\n    os.kill(os.getpid(), signal.SIGKILL)", "Runtime.ExitError", "signal: killed"),
    ("import os\ndef handler(event, context):\n    os.closerange(3, 99)\n    return 1", "Runtime.ExitError", "exited"),
    ("import os\ndef handler(event, context):\n    for fd in range(3, 20):\n        try: os.write(fd, b'\\0\\0\\0\\5hello')\n"
     "        except OSError: pass\n    return 1", "Runtime.ExitError", "exited"),
    ("import os\ndef handler(event, context):\n    for fd in range(3, 20):\n        try: os.write(fd, b'\\0\\0\\0\\2[]')\n"
     "        except OSError: pass\n    return 1", "Runtime.ExitError", "exited"),
    ("deep = []\nfor _ in range(9999): deep = [deep]\ndef handler(event, context):\n    return deep", "Runtime.MarshalError", "recursion"),
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
    return within(5, lambda: not exists(-group))


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def within(seconds, condition):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


FINE = "def handler(event, context):\n    return 'fine'"


@pytest.fixture
def own():
    """A runtime of the test's own."""
    runtime = Runtime(lambda *_: {})
    yield runtime
    runtime.stop()


def test_given_output_past_python_then_it_is_in_the_log(make, capfd):
    """What a process or its children write to the standard streams is a function's log, and not the notebook's."""
    result = run(make("import os, sys\ndef handler(event, context):\n    os.write(1, b'bytes\\n')\n    os.system('echo shell')\n"
                      "    print('error', file=sys.stderr)\n    print('no end', end='')"))
    assert result.logs == ["bytes\n", "shell\n", "error\n", "no end\n"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)", "exec('while True: pass')", "'x' * 10**10"])
def test_given_a_bad_end_then_what_was_printed_before_is_kept(make, end):
    assert run(make(f"import os\ndef handler(event, context):\n    print('before')\n    {end}"), timeout=0.3).logs[0] == "before\n"


def test_given_a_warm_environment_then_each_invocation_has_its_own_log(make):
    environment = make("def handler(event, context):\n    print(event)")
    assert [run(environment, n).logs for n in range(3)] == [["0\n"], ["1\n"], ["2\n"]]


def test_given_a_handler_that_waits_for_the_time_then_time_goes_on(make):
    code = "import time\ndef handler(event, context):\n    end = time.time() + 0.2\n    while time.time() < end: pass"
    assert run(make(code), timeout=5).duration == pytest.approx(0.2, abs=0.1)


def test_given_an_import_without_end_then_it_has_timed_out_and_is_gone(make, monkeypatch):
    run(make(FINE))
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    environment = make("import os\nopen('/proc/self/comm', 'w').write('endless-import')\nwhile True: pass")
    assert failure(run(environment))["errorType"] == "Sandbox.Timedout"
    assert not [one for one in Path("/proc").glob("[0-9]*/comm") if one.read_text() == "endless-import\n"]


def test_given_calls_without_end_then_it_has_timed_out(own):
    """Waiting for the sandbox takes none of a handler's time, and all the same it does not wait for ever."""
    own.call_out = lambda *_: time.sleep(0.005) or {}
    code = "import boto3\ndef handler(event, context):\n    s3 = boto3.client('s3')\n    while True: s3.list_buckets()"
    environment = own.create(packed(app=code), "app.handler", {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"})
    began = time.perf_counter()
    assert failure(run(environment, timeout=0.5))["errorType"] == "Sandbox.Timedout"
    assert time.perf_counter() - began < 8


@pytest.mark.parametrize("handler, code, kind", [
    ("app", packed(app=FINE), "Runtime.MalformedHandlerName"), ("app.handler", b"no zip", "Runtime.ImportModuleError")])
def test_given_code_that_can_not_be_found_then_it_is_told(runtime, handler, code, kind):
    assert failure(run(runtime.create(code, handler, {})))["errorType"] == kind


def test_given_a_decimal_then_it_is_a_number(make):
    """The runtime takes what DynamoDB gives: decimal numbers become JSON's."""
    code = "from decimal import Decimal\ndef handler(event, context):\n    return [Decimal('7'), Decimal('0.5')]"
    assert run(make(code)).payload == "[7, 0.5]"


def test_given_a_resource_then_its_own_forms_of_values_work(make, asked):
    """boto3's Table turns Python values into DynamoDB's and back, by handlers on its client's events."""
    code = ("import boto3\ndef handler(event, context):\n    table = boto3.resource('dynamodb').Table('t')\n"
            "    table.put_item(Item={'id': 'x', 'n': 7})\n    return table.get_item(Key={'id': 'x'})['Item']")
    assert json.loads(run(make(code)).payload) == {"id": "x", "n": 7}
    assert asked[-2][2:4] == ("PutItem", {"TableName": "t", "Item": {"id": {"S": "x"}, "n": {"N": "7"}}})


def test_given_parameters_that_boto3_refuses_then_the_exception_is_botocores(make):
    told = failure(run(make("import boto3\ndef handler(event, context):\n    boto3.client('s3').list_objects(Buckets='b')")))
    assert told["errorType"] == "ParamValidationError" and "Buckets" in told["errorMessage"]


def test_given_boto3_while_importing_then_it_works_too(make):
    assert run(make("import boto3\nFOUND = boto3.client('s3').list_buckets()['Buckets']\ndef handler(event, context):\n    return FOUND")).error is None


def test_given_boto3_in_threads_then_no_answer_goes_astray(make):
    code = ("import boto3\nfrom concurrent.futures import ThreadPoolExecutor\ndef handler(event, context):\n    s3 = boto3.client('s3')\n"
            "    with ThreadPoolExecutor(8) as pool:\n        return sum(pool.map(lambda _: len(s3.list_buckets()['Buckets']), range(40)))")
    assert run(make(code)).payload == "40"


def test_given_a_thread_that_stays_then_it_is_frozen_between_invocations_and_disturbs_none(make):
    """"Understanding the Lambda execution environment lifecycle": frozen between invocations."""
    code = ("import boto3, threading\nn = 0\ndef work():\n    global n\n    s3 = boto3.client('s3')\n    while True:\n        s3.list_buckets()\n"
            "        n += 1\nthreading.Thread(target=work, daemon=True).start()\ndef handler(event, context):\n    return event")
    environment = make(code)
    assert run(environment, 1).payload == "1"
    assert within(2, lambda: state(environment.pid) == "T")
    assert [run(environment, n).payload for n in range(2, 6)] == ["2", "3", "4", "5"]


def test_given_a_fork_that_comes_back_then_the_answers_are_still_the_handlers(make):
    environment = make("import os\ndef handler(event, context):\n    os.fork()\n    return event")
    assert [run(environment, n).payload for n in range(5)] == ["0", "1", "2", "3", "4"]


def test_given_a_fork_bomb_then_it_is_held_and_gone(make):
    environment = make("import os\ndef handler(event, context):\n    while True: os.fork()")
    result = run(environment, timeout=2)
    assert result.error == "Unhandled"
    environment.stop()
    assert gone(environment.pid)


def test_given_too_many_children_then_another_is_refused(make):
    code = ("import os, signal\ndef handler(event, context):\n    for n in range(100):\n        try:\n            if os.fork() == 0:\n"
            "                signal.pause()\n        except BlockingIOError:\n            return n")
    assert 10 < json.loads(run(make(code)).payload or "0") < 65


@pytest.mark.parametrize("end, kind", [("while True: pass", "Sandbox.Timedout"), ("os._exit(1)", "Runtime.ExitError")])
def test_given_a_child_that_has_left_the_group_then_it_ends_all_the_same(make, end, kind):
    code = ("import os, time\ndef handler(event, context):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
            f"            print(os.getpid())\n            while True: pass\n        os._exit(0)\n    os.wait()\n    os.write(1, b'')\n"
            f"    t = time.perf_counter()\n    while time.perf_counter() < t + 0.1: pass\n    {end}")
    result = run(make(code), timeout=1)
    assert failure(result)["errorType"] == kind
    assert within(2, lambda: not exists(int(result.logs[0])))


@pytest.mark.parametrize("whom", ["os.getppid()", "-1", "1"])
def test_given_a_handler_that_kills_others_then_it_may_not(make, whom):
    assert failure(run(make(f"import os\ndef handler(event, context):\n    os.kill({whom}, 0)")))["errorType"] == "PermissionError"


def test_given_its_own_children_then_it_may_end_them(make):
    code = ("import subprocess\ndef handler(event, context):\n    one = subprocess.Popen(['sleep', '60'])\n    one.terminate()\n    return one.wait()")
    assert run(make(code)).payload == "-15"


def test_given_a_file_without_end_then_it_is_refused(make):
    code = "def handler(event, context):\n    with open('/dev/shm/x' if 0 else 'big', 'wb') as big:\n        big.seek(600 << 20)\n        big.write(b'x')"
    assert failure(run(make(code)))["errorType"] == "OSError"


def test_given_an_interrupt_then_the_environment_ends_and_the_next_one_works(make):
    def interrupt(*_):
        raise KeyboardInterrupt
    environment, before = make("def handler(event, context):\n    while True: pass"), signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            run(environment)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not environment.alive and run(environment).error == "Unhandled" and run(make(FINE)).payload == '"fine"'


def test_given_a_stopped_environment_then_its_folder_and_process_are_gone(make):
    environment = make("import os\ndef handler(event, context):\n    return [os.getcwd(), os.environ['TMPDIR']]")
    folders = json.loads(run(environment).payload)
    assert all(map(os.path.exists, folders))
    environment.stop()
    environment.stop()
    assert not exists(environment.pid) and within(2, lambda: not any(map(os.path.exists, folders)))


def test_given_the_runtimes_end_then_nothing_is_left_over(own):
    made = [own.create(packed(app=FINE), "app.handler", {}) for _ in range(3)]
    assert {run(one).payload for one in made} == {'"fine"'}
    helper, root = own._zygote.pid, own._root
    own.stop()
    assert not exists(helper) and not any(exists(one.pid) for one in made) and not os.path.exists(root)
    assert run(own.create(packed(app=FINE), "app.handler", {})).payload == '"fine"'  # and it can begin again


def test_given_a_killed_helper_then_its_environments_end_and_the_next_one_works(own):
    environment = own.create(packed(app=FINE), "app.handler", {})
    run(environment)
    own._zygote.kill()
    assert gone(environment.pid)
    assert failure(run(environment))["errorType"] == "Runtime.ExitError"
    assert run(own.create(packed(app=FINE), "app.handler", {})).payload == '"fine"'


def test_given_a_helper_that_can_not_start_then_it_says_why(own, tmp_path, monkeypatch):
    (tmp_path / "time_machine.py").write_text("raise ImportError('none here')")
    monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path))
    with pytest.raises(RuntimeError, match="none here"):
        run(own.create(packed(app=FINE), "app.handler", {}))


def test_given_your_own_environment_then_a_handler_does_not_see_it(own, monkeypatch):
    for name in ("AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "mine")
    result = run(own.create(packed(app="import os\ndef handler(event, context):\n    return dict(os.environ)"), "app.handler", {"A": "b"}))
    seen = json.loads(result.payload)
    assert "mine" not in result.payload and seen["A"] == "b" and not {"PYTHONPATH", "AWS_DEFAULT_REGION"} & set(seen)
    assert b"mine" not in Path(f"/proc/{own._zygote.pid}/environ").read_bytes()


def test_given_the_same_environment_then_ids_and_sets_repeat_too(make):
    code = "import uuid, secrets\ndef handler(event, context):\n    return [str(uuid.uuid4()), secrets.token_hex(4), list({'a', 'b', 'c', 'd'})]"
    assert run(make(code)).payload == run(make(code)).payload != run(make(code, environment={"AWS_LAMBDA_LOG_STREAM_NAME": "other"})).payload


def test_given_a_folder_with_modules_of_the_same_names_then_the_helper_does_not_take_them(own, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    assert run(own.create(packed(app=FINE), "app.handler", {})).payload == '"fine"'


def test_given_a_handler_with_children_then_nothing_is_left_over(make):
    code = "import os, time\ndef handler(event, context):\n    for _ in range(5):\n        if os.fork() == 0:\n            while True: pass\n    while True: pass"
    environment = make(code)
    assert failure(run(environment, timeout=1))["errorType"] == "Sandbox.Timedout"
    assert gone(environment.pid)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit()", "runtime.stop()"])
def test_given_a_kernel_that_ends_then_nothing_is_left_over(end):
    code = (f"import sys, os, signal; sys.path[:0] = [{os.fspath(ROOT)!r}, {os.fspath(ROOT / 'tests/lab')!r}]\n"
            "import test_runtime as t\nruntime = t.Runtime(None)\n"
            "e = runtime.create(t.packed(app='def handler(e, c): return 1'), 'app.handler', {})\nassert t.run(e).payload == '1'\n"
            f"print(e.pid, runtime._zygote.pid, runtime._root, flush=True)\n{end}")
    environment, helper, root = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30).stdout.split()
    assert gone(int(environment)) and gone(int(helper)) and within(2, lambda: not os.path.exists(root))


@pytest.mark.parametrize("limit", ["resource.RLIMIT_FSIZE, (1 << 28, 1 << 28)", "resource.RLIMIT_AS, (3 << 30, 3 << 30)"])
def test_given_a_kernel_with_limits_of_its_own_then_handlers_run_within_them(limit):
    """As in a classroom."""
    code = (f"import sys, resource; sys.path[:0] = [{os.fspath(ROOT)!r}, {os.fspath(ROOT / 'tests/lab')!r}]\n"
            f"resource.setrlimit({limit})\n"
            "import test_runtime as t\nruntime = t.Runtime(None)\n"
            "e = runtime.create(t.packed(app='def handler(e, c): return 1'), 'app.handler', {}, memory_mb=10_240)\n"
            "done = t.run(e)\nruntime.stop()\nprint(done.payload, done.logs)")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30).stdout == "1 []\n"


def test_given_a_fault_of_our_own_then_the_functions_log_tells_it(make):
    result = run(make("def handler(event, context):\n    return 1", memory="128"))
    assert failure(result)["errorType"] == "Runtime.ExitError" and "TypeError" in "".join(result.logs)


def test_given_no_processes_then_handlers_run_in_place_and_say_so():
    """As in a browser tab: no fork, no module resource, no time_machine. The process is its own again afterwards."""
    code = f"""
import sys, os, io, json, random
sys.path[:0] = [{os.fspath(ROOT)!r}, {os.fspath(ROOT / 'tests/lab')!r}]
import test_runtime as t
sys.platform = "emscripten"
sys.modules.update(resource=None, time_machine=None)
runtime = t.Runtime(None)
assert "no limits" in runtime.limits
before = dict(os.environ), os.getcwd(), list(sys.path), sys.stdout
counts = "import os, sys, time\\nn = 0\\ndef handler(event, context):\\n    global n\\n    n += 1\\n    print(os.environ['NAME'])\\n    return n"
one, two = (runtime.create(t.packed(app=counts), "app.handler", {{"NAME": name}}) for name in ("one", "two"))
answers = [t.run(who) for who in (one, one, two)]
assert [a.payload for a in answers] == ["1", "2", "1"] and [a.logs for a in answers] == [["one\\n"], ["one\\n"], ["two\\n"]]
def failing(body):
    return json.loads(t.run(runtime.create(t.packed(app="import sys, time\\ndef handler(event, context):\\n    " + body), "app.handler", {{}})).payload)
assert failing("sys.exit(4)")["errorMessage"].endswith("exit status 4")
assert failing("time.sleep(99)")["errorType"] == "Sandbox.Timedout"
assert failing("raise ValueError('no')")["stackTrace"]
assert before == (dict(os.environ), os.getcwd(), list(sys.path), sys.stdout) and "app" not in sys.modules
folders = [e._line.folder for e in (one, two)]
runtime.stop()
assert not any(map(os.path.exists, folders))
print("done")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "done\n", done.stderr
