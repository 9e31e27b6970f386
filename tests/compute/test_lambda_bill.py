"""What functions put on the bill beside requests and duration on x86."""

import io
import zipfile

import pytest

CODE = "import time\ndef handler(event, context):\n    time.sleep(2)"


@pytest.fixture
def make(sandbox):
    def make(**more):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", CODE)
        sandbox.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=(
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, '
            '"Action": "sts:AssumeRole"}]}'))
        return sandbox.client("lambda").create_function(
            FunctionName="f", Runtime="python3.12", Role="arn:aws:iam::123456789012:role/fn", Handler="app.handler",
            Code={"ZipFile": buffer.getvalue()}, Publish=True, **more)
    return make


def used(sandbox, resource="function f"):
    return {line.item: line.quantity for line in sandbox.bill().lines if line.resource == resource}


def test_given_arm_and_a_large_tmp_then_both_have_their_prices_and_the_free_part_is_shared(sandbox, make):
    """AWS Lambda Pricing: duration by architecture; 512 MB of storage are free, the rest costs while it runs."""
    make(Architectures=["arm64"], MemorySize=512, EphemeralStorage={"Size": 1536}, Timeout=10)
    sandbox.client("lambda").invoke(FunctionName="f")
    items = used(sandbox)
    seconds = items["lambda:gb-second-arm"] / 0.5
    assert 2 <= seconds < 2.1 and items["lambda:ephemeral"] == pytest.approx(seconds) and items["lambda:request"] == 1
    meter = sandbox.life.meter
    meter.add("function g", "lambda:gb-second", 400_000)
    free = sum(line.free for line in sandbox.bill().lines if line.item.startswith("lambda:gb-second"))
    assert free == pytest.approx(400_000)


def test_given_provisioned_concurrency_then_it_is_billed_from_its_beginning_to_its_end_and_when_forgotten(sandbox, make):
    """AWS Lambda Pricing: for the concurrency that is configured, by its memory, for as long as it is."""
    client, version = sandbox.client("lambda"), make(MemorySize=1024)["Version"]
    given = {"FunctionName": "f", "Qualifier": version, "ProvisionedConcurrentExecutions": 10}
    row, = sandbox.quote("lambda", "put_provisioned_concurrency_config", **given).rows
    client.put_provisioned_concurrency_config(**given)
    assert sandbox.bill().forgotten == pytest.approx(10 * 0.0000041667 * 720 * 3600)
    assert float(row[4].lstrip("$")) == pytest.approx(sandbox.bill().forgotten, abs=0.005)
    sandbox.clock.advance(hours=2)
    client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier=version)
    sandbox.clock.advance(hours=2)
    assert used(sandbox, f"function f:{version}") == {"lambda:provisioned": pytest.approx(20)} and sandbox.bill().an_hour == 0


def test_given_a_function_to_be_made_then_a_request_and_a_second_of_it_are_quoted(sandbox):
    rows = sandbox.quote("lambda", "create_function", FunctionName="f", MemorySize=512, Architectures=["arm64"],
                         EphemeralStorage={"Size": 1024}).rows
    assert [row[:2] for row in rows] == [["a Lambda request", "1"], ["Lambda duration, arm64", "0.5"],
                                         ["Lambda storage beyond 512 MB", "0.5"]]
    assert rows[1][2] == "$0.0000133334 per GB-second, 400,000 a month free"
