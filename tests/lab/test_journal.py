"""Save and load: a sandbox comes back as it was, in any process; a damaged file harms nothing."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.lab import codec

ROOT = Path(__file__).parents[2]


def a_story(sandbox):
    sqs, s3, iam = sandbox.client("sqs"), sandbox.client("s3"), sandbox.client("iam")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="first")
    sandbox.clock.advance(minutes=10)
    sqs.send_message(QueueUrl=url, MessageBody="second")
    s3.create_bucket(Bucket="photos")
    s3.upload_fileobj(io.BytesIO(b"\x00\xff" * 50), "photos", "cat.jpg")
    iam.create_user(UserName="ada")
    with pytest.raises(ClientError):
        sandbox.as_user("ada").client("s3").get_object(Bucket="photos", Key="cat.jpg")
    sandbox.clock.advance(seconds=0.1)


def state(sandbox) -> dict:
    sqs = sandbox.client("sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    return {"now": sandbox.clock.now, "seed": sandbox.seed,
            "messages": [one["MessageId"] for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]],
            "bytes": sandbox.client("s3").get_object(Bucket="photos", Key="cat.jpg")["Body"].read().hex(),
            "user": sandbox.client("iam").get_user(UserName="ada")["User"]["UserId"],
            "refused": len(sandbox.life.refusals)}


def test_given_a_saved_sandbox_when_loaded_then_it_is_as_it_was(sandbox, tmp_path):
    sandbox.reset(seed=7)
    a_story(sandbox)
    sandbox.save(tmp_path / "mine.json")
    before = state(sandbox)
    sandbox.reset(seed=1)
    assert state(lab.load(tmp_path / "mine.json")) == before


def test_given_a_saved_sandbox_when_loaded_in_another_process_then_it_is_as_it_was(sandbox, tmp_path):
    a_story(sandbox)
    sandbox.save(tmp_path / "mine.json")
    code = (f"import sys, json; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests' / 'lab')!r}]; import test_journal as t; "
            f"print(json.dumps(t.state(t.lab.load({str(tmp_path / 'mine.json')!r}))))")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr[-2000:]
    assert json.loads(run.stdout) == state(sandbox)


def test_given_a_loaded_sandbox_when_saved_again_then_the_files_are_the_same(sandbox, tmp_path):
    a_story(sandbox)
    first = sandbox.save(tmp_path / "one.json").read_text()
    lab.load(tmp_path / "one.json")
    assert sandbox.save(tmp_path / "two.json").read_text() == first


@pytest.mark.parametrize("damage", [
    lambda text: "", lambda text: text[:-40], lambda text: text.replace("orders", "ordres"), lambda text: "[]",
    lambda text: '{"format": "something else"}', lambda text: text.replace("sandbox 1", "sandbox 2"), lambda text: "\x00"])
def test_given_a_damaged_file_when_loaded_then_it_says_so_and_nothing_changes(sandbox, tmp_path, damage):
    a_story(sandbox)
    path = sandbox.save(tmp_path / "mine.json")
    path.write_text(damaged := damage(path.read_text()))
    calls = len(sandbox.life.calls)
    with pytest.raises(ValueError, match="cannot be loaded.*left as it is"):
        lab.load(path)
    assert path.read_text() == damaged and len(sandbox.life.calls) == calls


def test_given_no_file_when_loaded_then_python_says_so(sandbox, tmp_path):
    with pytest.raises(FileNotFoundError):
        lab.load(tmp_path / "none.json")


def forged(sandbox, path, change):
    """A file whose entries somebody has changed, checksum and all."""
    entries = change(json.loads(json.dumps(sandbox.journal.entries)))
    from kit.lab import journal
    return journal.write(path, sandbox.seed, sandbox.clock.now, entries)


def test_given_a_forged_file_then_it_runs_nothing_but_the_sandboxes_own_commands(sandbox, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("precious")
    path = forged(sandbox, tmp_path / "forged.json", lambda entries: [*entries, {"do": "save", "arguments": codec.encode({"path": str(mine)})}])
    lab.load(path)
    assert mine.read_text() == "precious"
    assert "save: the sandbox has no such command" in sandbox.history()["why"][-1]


@pytest.mark.parametrize("change, words", [
    (lambda entries: entries[1:], "QueueDoesNotExist"),
    (lambda entries: [entries[0], entries[1] | {"error": "QueueDoesNotExist"}], "it failed then (QueueDoesNotExist), and now it didn't")])
def test_given_a_call_that_ends_otherwise_than_it_did_then_the_history_says_so(sandbox, tmp_path, change, words):
    url = sandbox.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    lab.load(forged(sandbox, tmp_path / "forged.json", change))
    assert words in sandbox.history()["why"][-1] and sandbox.history()["what"][-1] == "not as before"


def test_given_a_call_that_failed_then_it_fails_again_without_a_word(sandbox, tmp_path):
    with pytest.raises(ClientError):
        sandbox.client("sqs").get_queue_url(QueueName="nobody")
    lab.load(sandbox.save(tmp_path / "mine.json"))
    assert len(sandbox.history()) == 0 and sandbox.journal.entries[0]["error"].endswith("NonExistentQueue")


def test_given_many_moves_of_the_clock_then_the_file_has_one(sandbox, tmp_path):
    for _ in range(100):
        sandbox.clock.advance(seconds=0.1)
    assert len(sandbox.journal.entries) == 1 and sandbox.journal.entries[0]["until"] == sandbox.clock.now


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes() | st.decimals(allow_nan=False),
                      lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["$bytes", "$dict"]), inner))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(VALUES)
def test_whatever_a_call_is_given_survives_the_file(value):
    settled = json.loads(json.dumps(codec.encode(value)))
    assert same(codec.decode(settled), value)


def same(one, other):
    if isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in other)
    if isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == (other.astimezone() if hasattr(other, "astimezone") else other)
