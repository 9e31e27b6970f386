"""The real AWS command line in the sandbox."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.lab import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture
def aws(sandbox):
    return cli.run


def test_given_a_command_then_the_sandbox_has_done_it(sandbox, aws):
    code, out, complaints = aws("aws sqs create-queue --queue-name orders")
    assert code == 0 and '"QueueUrl"' in out and not complaints
    assert sandbox.client("sqs").list_queues()["QueueUrls"][0].endswith("/orders")


def test_given_a_file_then_s3_has_its_bytes_and_gives_them_back(sandbox, aws, tmp_path):
    (tmp_path / "a.bin").write_bytes(os.urandom(9_000_000))  # big enough for several parts
    aws("s3 mb s3://photos")
    assert aws(f"s3 cp {tmp_path}/a.bin s3://photos/x/a.bin")[0] == 0
    assert aws(f"s3 cp s3://photos/x/a.bin {tmp_path}/b.bin")[0] == 0
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()
    assert "9000000 x/a.bin" in aws("s3 ls s3://photos --recursive")[1]


def test_given_what_aws_refuses_then_the_cli_says_so_in_its_own_words(aws):
    code, _, complaints = aws("sqs get-queue-url --queue-name nobody")
    assert code == 255 and "An error occurred" in complaints and "does not exist" in complaints


@pytest.mark.parametrize("line, words", [("sqs nonsense", "Invalid choice"), ("sqs send-message", "--queue-url"),
                                         ("nothing at all", "Invalid choice")])
def test_given_a_mistake_then_the_cli_says_what_it_wants(aws, line, words):
    code, _, complaints = aws(line)
    assert code == 2 and words.lower() in complaints.lower()


def test_given_help_then_it_says_where_that_is(aws):
    assert "AWS CLI Command Reference" in aws("s3 help")[1]


def test_given_other_keys_in_the_environment_then_the_cli_is_somebody_else(sandbox, aws, monkeypatch):
    sandbox.client("iam").create_user(UserName="ada")
    pair = sandbox.client("iam").create_access_key(UserName="ada")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", pair["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", pair["SecretAccessKey"])
    assert "user/ada" in aws("sts get-caller-identity")[1]
    assert "AccessDenied" in aws("s3 ls")[2]


def test_given_an_address_outside_then_nothing_is_sent_there(sandbox, aws):
    code, _, complaints = aws("--endpoint-url http://198.51.100.1:9 sqs create-queue --queue-name orders")
    assert code == 255 and "198.51.100.1 is outside this machine" in complaints


def test_given_a_waiter_then_the_sandboxes_time_passes(sandbox, aws):
    s3 = sandbox.client("s3")
    sandbox.life.clock.after(12, lambda: s3.create_bucket(Bucket="later"))
    assert aws("s3api wait bucket-exists --bucket later")[0] == 0 and sandbox.clock.now == 15


def test_given_a_notebook_then_the_magic_is_there():
    code = """
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
from kit import lab
lab.start()
shell.run_cell("name = 'orders'")
shell.run_cell("%aws sqs create-queue --queue-name {name}")
shell.run_cell_magic("aws", "", "sqs create-queue --queue-name more\\n# a comment\\nsqs list-queues --output text")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=90, cwd=ROOT)
    assert run.stdout.count("queue.amazonaws.com/123456789012/orders") == 2 and "/more" in run.stdout, run.stderr[-800:]


def test_given_no_count_then_the_cli_supplies_it(aws):
    """AWS CLI Command Reference, ec2 run-instances: --count defaults to 1."""
    code, out, complaints = aws("ec2 run-instances --image-id ami-03cf127a --instance-type t3.micro")
    assert code == 0 and len(json.loads(out)["Instances"]) == 1, complaints


def test_given_a_quote_without_its_other_half_then_it_says_so(aws):
    code, out, complaints = aws("sqs create-queue --queue-name 'orders")
    assert code and not out and "Each quote needs its other half" in complaints
