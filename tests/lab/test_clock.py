"""The sandbox's time stands still until it is moved; the computer's own clock isn't touched."""

import os
import threading
import time
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.lab.clock import SandboxClock


@pytest.fixture
def sqs(sandbox):
    return sandbox.client("sqs")


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]


def received(sqs, queue, **options):
    return [message["Body"] for message in sqs.receive_message(QueueUrl=queue, **options).get("Messages", [])]


def test_given_a_message_hidden_for_30_s_when_31_s_pass_then_it_is_back(sandbox, sqs, queue):
    """Amazon SQS Developer Guide, "Amazon SQS visibility timeout"."""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert received(sqs, queue) == ["x"]
    assert received(sqs, queue) == []
    sandbox.clock.advance(seconds=29)
    assert received(sqs, queue) == []
    sandbox.clock.advance(seconds=2)
    assert received(sqs, queue) == ["x"]


def test_given_a_long_poll_of_nothing_then_its_seconds_pass_at_once(sandbox, sqs, queue):
    began = time.monotonic()
    assert received(sqs, queue, WaitTimeSeconds=20) == []
    assert sandbox.clock.now == 20
    assert time.monotonic() - began < 5


def test_given_a_long_poll_when_a_message_comes_meanwhile_then_it_ends_there(sandbox, sqs, queue):
    sandbox.clock.events.after(7, lambda: sqs.send_message(QueueUrl=queue, MessageBody="late"))
    assert received(sqs, queue, WaitTimeSeconds=20) == ["late"]
    assert sandbox.clock.now == 7


def test_given_a_long_poll_when_a_hidden_message_returns_then_it_ends_there(sandbox, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert received(sqs, queue) == ["x"]
    sandbox.clock.advance(seconds=25)
    assert received(sqs, queue, WaitTimeSeconds=20) == ["x"]
    assert sandbox.clock.now == 30


def test_given_a_long_poll_when_a_message_is_there_then_no_time_passes(sandbox, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert received(sqs, queue, WaitTimeSeconds=20) == ["x"]
    assert sandbox.clock.now == 0


def test_given_something_made_during_a_long_poll_then_it_has_its_own_date(sandbox, sqs, queue):
    made = []
    sandbox.clock.events.after(7, lambda: made.append(
        sandbox.client("iam").create_user(UserName="u")["User"]["CreateDate"]))
    assert received(sqs, queue, WaitTimeSeconds=20) == []
    assert made == [datetime(2026, 1, 5, 0, 0, 7, tzinfo=UTC)]


def test_given_the_clock_moved_inside_a_call_then_the_call_sees_it(sandbox):
    with sandbox.clock:
        sandbox.clock.advance(seconds=5)
        assert datetime.now(UTC) == datetime(2026, 1, 5, 0, 0, 5, tzinfo=UTC)


def test_given_something_scheduled_that_waits_itself_then_time_never_runs_back(sandbox, sqs, queue):
    seen = []
    sandbox.clock.events.after(9, lambda: received(sqs, queue, WaitTimeSeconds=20))
    for second in (5, 10, 25, 40):
        sandbox.clock.events.at(second, lambda: seen.append(sandbox.clock.now))
    sandbox.clock.advance(seconds=10)
    assert sandbox.clock.now == 29 and seen == [5, 10, 25]
    sandbox.clock.advance(seconds=20)
    assert sandbox.clock.now == 49 and seen == [5, 10, 25, 40]


def test_given_something_scheduled_then_calls_from_it_see_its_own_time(sandbox):
    make = sandbox.client("iam").create_user
    made = []
    sandbox.clock.events.every(60, lambda: made.append(make(UserName=f"u{len(made)}")["User"]["CreateDate"]), until=180)
    sandbox.clock.advance(hours=1)
    assert made == [datetime(2026, 1, 5, 0, minute, tzinfo=UTC) for minute in (1, 2, 3)]


def test_given_time_moved_then_moto_dates_things_by_it_and_python_does_not(sandbox):
    before = time.time()
    sandbox.clock.advance(days=400, hours=1, minutes=2, seconds=3.25)
    assert sandbox.clock.date == datetime(2027, 2, 9, 1, 2, 3, 250_000, tzinfo=UTC)
    key = sandbox.client("kms").create_key()["KeyMetadata"]
    assert key["CreationDate"] == sandbox.clock.date
    assert 0 <= time.time() - before < 60
    assert abs(datetime.now(UTC).timestamp() - before) < 60


def test_given_no_zone_of_its_own_then_a_call_leaves_the_time_zone_alone(sandbox, monkeypatch):
    zones = []
    monkeypatch.setattr("moto.core.botocore_stubber.normalize_request", lambda request: zones.append(
        (os.environ.get("TZ"), time.tzname)) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sandbox.client("sqs").list_queues()
    assert zones == [(os.environ.get("TZ"), time.tzname)]


def test_given_a_call_that_fails_inside_moto_then_the_computers_clock_is_back(sandbox):
    with pytest.raises(NotImplementedError):
        sandbox.client("iam").simulate_custom_policy(PolicyInputList=["{}"], ActionNames=["s3:GetObject"])
    assert abs(time.time() - lab.start().clock.date.timestamp()) > 86_400


def test_given_a_plain_request_to_an_address_of_aws_then_it_is_answered_on_virtual_time(sandbox):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="photos")
    url = s3.generate_presigned_url("put_object", {"Bucket": "photos", "Key": "cat"}, ExpiresIn=604_800)
    sandbox.clock.advance(days=1)
    assert requests.put(url, data=b"x").status_code == 200
    assert s3.head_object(Bucket="photos", Key="cat")["LastModified"] == datetime(2026, 1, 6, tzinfo=UTC)


def test_given_calls_from_many_threads_then_all_see_the_sandboxs_time(sandbox):
    iam = sandbox.client("iam")
    iam.list_users()
    dates = []

    def make(name):
        for number in range(10):
            dates.append(iam.create_user(UserName=f"{name}{number}")["User"]["CreateDate"])

    threads = [threading.Thread(target=make, args=name) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dates == [datetime(2026, 1, 5, tzinfo=UTC)] * 80
    assert abs(time.time() - dates[0].timestamp()) > 86_400


def test_given_waits_elsewhere_in_the_process_then_they_take_real_time(sandbox):
    condition = threading.Condition()
    began = time.monotonic()
    with condition:
        assert condition.wait_for(lambda: False, timeout=0.05) is False
    assert time.monotonic() - began >= 0.05 and sandbox.clock.now == 0


@pytest.mark.parametrize("step", [{"seconds": -1}, {"hours": 1, "minutes": -61}, {"seconds": float("nan")},
                                  {"days": float("inf")}])
def test_given_a_step_back_or_none_at_all_then_it_is_refused(sandbox, step):
    sandbox.clock.advance(minutes=10)
    with pytest.raises(ValueError, match=r"time only runs forward.*sandbox\.reset\(\)"):
        sandbox.clock.advance(**step)
    assert sandbox.clock.now == 600


def test_given_a_step_past_the_end_of_the_calendar_then_nothing_has_moved(sandbox):
    with pytest.raises(ValueError, match="past the calendar.s end"):
        sandbox.clock.advance(days=10_000_000)
    assert sandbox.clock.now == 0


def test_given_a_failure_on_the_way_then_the_clock_stops_there_and_can_go_on(sandbox):
    sandbox.clock.events.after(10, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sandbox.clock.advance(seconds=60)
    assert sandbox.clock.now == 10
    sandbox.clock.advance(seconds=5)
    assert sandbox.clock.now == 15


def test_given_things_scheduled_when_reset_then_they_never_happen(sandbox):
    happened = []
    clock = sandbox.clock
    clock.events.after(10, happened.append, 1)
    sandbox.reset()
    assert sandbox.clock is clock
    clock.advance(seconds=60)
    assert happened == [] and clock.now == 60


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1e6), max_size=8))
def test_given_any_steps_forward_then_now_is_their_sum_and_date_follows(steps):
    clock = SandboxClock()
    for step in steps:
        before = clock.date
        clock.advance(seconds=step)
        assert clock.date >= before
    assert clock.now == pytest.approx(sum(steps))
    assert (clock.date - datetime(2026, 1, 5, tzinfo=UTC)).total_seconds() == pytest.approx(clock.now, abs=1e-6)
