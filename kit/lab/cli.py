"""``%aws``: the real AWS command line, inside the notebook and inside the sandbox.

    %aws s3 ls
    %aws sqs create-queue --queue-name orders

The AWS CLI (version 1, a Python package) runs in this process with its own parser, its own output and its own error
messages; only the last step is other: each API call goes to the sandbox instead of the network. It reads the access
keys of the environment, like everywhere: ``%env AWS_ACCESS_KEY_ID=...`` makes it call as somebody else.
"""

import io
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout

MISSING = ("The AWS CLI is not installed here: pip install awscli. Everything it does can be done with boto3 too, "
           "see the cells around.")


def run(sandbox, line: str) -> tuple[int, str, str]:
    """One command: its exit code, what it wrote, and what it complained about."""
    arguments = shlex.split(line)
    if arguments[:1] == ["aws"]:
        arguments = arguments[1:]
    if "help" in arguments:
        return 0, ("The help pages of the AWS CLI need a terminal. They stand on the web too, as the \"AWS CLI Command "
                   "Reference\"; an unknown option makes the CLI list the right ones.\n"), ""
    try:
        from awscli.clidriver import create_clidriver
    except ImportError:
        return 1, "", MISSING + "\n"
    out, complaints = _capture(), _capture()
    with _calls_to(sandbox), redirect_stdout(out), redirect_stderr(complaints):
        try:
            code = create_clidriver().main(arguments)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return code or 0, _text(out), _text(complaints)


def install_magic(sandbox) -> bool:
    """``%aws`` and ``%%aws`` (a command a line) in a notebook; nothing elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return False

    def aws(line, cell=None):
        """A command of the AWS CLI in the sandbox; in a cell of its own, one a line."""
        for command in [line, *(cell or "").splitlines()]:
            if command.strip() and not command.lstrip().startswith("#"):
                code, out, complaints = run(sandbox, command)
                print(out, end="")
                print(complaints, end="", file=sys.stderr if code else sys.stdout)

    shell.register_magic_function(aws, "line_cell", "aws")
    return True


class _calls_to:
    """While this holds, the CLI's own copy of botocore hands each call to the sandbox's boto3."""

    def __init__(self, sandbox):
        self._sandbox = sandbox

    def __enter__(self):
        from awscli.botocore import client, waiter
        self._client, self._waiter = client.BaseClient, waiter
        self._as_before, self._time = client.BaseClient._make_api_call, waiter.time
        clients = {}

        def call(asking, operation, parameters):
            from awscli.botocore import exceptions
            from botocore import exceptions as ours
            from botocore.client import BaseClient
            keys, region = asking._request_signer._credentials, asking.meta.region_name
            of = asking.meta.service_model.service_name, region, keys and (keys.access_key, keys.secret_key, keys.token)
            if of not in clients:
                clients[of] = _client(self._sandbox, *of)
            try:
                return BaseClient._make_api_call(clients[of], operation, parameters)
            except ours.ClientError as error:
                raise asking.exceptions.from_code(error.response["Error"].get("Code"))(error.response, operation) from None
            except ours.ParamValidationError as error:
                raise exceptions.ParamValidationError(report=error.kwargs["report"]) from None

        client.BaseClient._make_api_call, waiter.time = call, _Sleeping(self._sandbox.clock)

    def __exit__(self, *error):
        self._client._make_api_call, self._waiter.time = self._as_before, self._time


class _Sleeping:
    def __init__(self, clock):
        self.sleep = lambda seconds: clock.advance(seconds=seconds)


def _client(sandbox, service, region, keys):
    from botocore import UNSIGNED
    from botocore.config import Config
    options = (dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), keys)) if keys else
               {"config": Config(signature_version=UNSIGNED)})
    return sandbox.client(service, region_name=None if region == "aws-global" else region, **options)


def _capture():
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True, newline="")


def _text(stream) -> str:
    text = stream.buffer.getvalue().decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(line.rsplit("\r", 1)[-1] for line in text.splitlines(keepends=True))  # a progress bar's last word
