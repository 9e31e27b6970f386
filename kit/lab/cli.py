"""``%aws``: the real AWS command line, inside the notebook and inside the sandbox.

    %aws s3 ls
    %aws sqs create-queue --queue-name orders

The AWS CLI (version 1, a Python package) runs in this process with its own parser, its own output and its own error
messages. It calls AWS through the botocore that is loaded already, boto3's, and so its calls go to the sandbox like
all others. It reads the access keys of the environment: ``%env AWS_ACCESS_KEY_ID=...`` makes it call as somebody else.
"""

import io
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout

MISSING = ("The AWS CLI is not installed here: pip install awscli. Everything it does can be done with boto3 too, "
           "see the cells around.")


def run(line: str) -> tuple[int, str, str]:
    """One command: its exit code, what it wrote, and what it complained about."""
    try:
        arguments = shlex.split(line)
    except ValueError as error:
        return 255, "", f"This is no command line: {error}. Each quote needs its other half: {line}\n"
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
    with redirect_stdout(out), redirect_stderr(complaints):
        try:
            code = create_clidriver().main(arguments)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return code or 0, _text(out), _text(complaints)


def install_magic() -> bool:
    """``%aws`` and ``%%aws`` (a command a line) in a notebook; nothing elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return False

    def aws(line, cell=None):
        """A command of the AWS CLI in the sandbox; in a cell of its own, one a line."""
        for command in [line, *(cell or "").splitlines()]:
            if command.strip() and not command.lstrip().startswith("#"):
                code, out, complaints = run(command)
                print(out, end="")
                print(complaints, end="", file=sys.stderr if code else sys.stdout)

    shell.register_magic_function(aws, "line_cell", "aws")
    return True


def _capture():
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True, newline="")


def _text(stream) -> str:
    text = stream.buffer.getvalue().decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(line.rsplit("\r", 1)[-1] for line in text.splitlines(keepends=True))  # a progress bar's last word
