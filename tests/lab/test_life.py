"""The mechanism of the living lab, with behaviours made up here: no service of AWS is needed to test it."""

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from kit.errors import ServiceError


@pytest.fixture
def lenient(monkeypatch):
    """As learners have it: a behaviour that fails is reported, not raised."""
    monkeypatch.delenv("KIT_STRICT")


def test_given_an_answer_when_called_then_moto_is_not_asked(sandbox):
    sandbox.life.answer("sqs", "ListQueues", lambda call: {"QueueUrls": [call.region]})
    response = sandbox.client("sqs", region_name="eu-west-1").list_queues()
    assert response["QueueUrls"] == ["eu-west-1"] and response["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_given_an_answer_of_none_when_called_then_moto_answers(sandbox):
    sandbox.life.answer("sqs", "CreateQueue", lambda call: None)
    assert sandbox.client("sqs").create_queue(QueueName="q")["QueueUrl"].endswith("/q")


def test_given_an_answer_when_called_wrongly_then_boto3_says_so_as_ever(sandbox):
    sandbox.life.answer("sqs", "CreateQueue", lambda call: {})
    with pytest.raises(ParamValidationError, match="QueueName"):
        sandbox.client("sqs").create_queue(Name="q")


@pytest.mark.parametrize("register", ["answer", "before"])
def test_given_a_refusal_when_called_then_it_is_botos_client_error(sandbox, register):
    def refuse(call):
        raise ServiceError("QueueDoesNotExist", "no such queue")

    getattr(sandbox.life, register)("sqs", "ListQueues", refuse)
    sqs = sandbox.client("sqs")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist, match="no such queue"):
        sqs.list_queues()
    assert sandbox.life.calls[-1].error == ("QueueDoesNotExist", "no such queue")


def test_given_a_behaviour_after_a_call_then_it_sees_and_changes_what_the_caller_gets(sandbox):
    def sign(call):
        call.response["signed"] = call.parameters["QueueName"]

    sandbox.life.then("sqs", "CreateQueue ListQueues", sign)
    assert sandbox.client("sqs").create_queue(QueueName="q")["signed"] == "q"


def test_given_a_call_that_fails_then_nothing_happens_after_it(sandbox):
    seen = []
    sandbox.life.then("sqs", "*", seen.append)
    with pytest.raises(ClientError):
        sandbox.client("sqs").get_queue_url(QueueName="nobody")
    assert not seen


def test_given_a_behaviour_that_fails_when_called_then_the_call_stands_and_the_history_tells(sandbox, lenient):
    def stumble(call):
        raise ZeroDivisionError("oops")

    sandbox.life.then("sqs", "CreateQueue", stumble)
    assert sandbox.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert "ZeroDivisionError: oops" in sandbox.history()["why"][0]
    sandbox.life.clock.after(1, stumble, None)
    sandbox.clock.advance(seconds=2)
    assert len(sandbox.history().about("oops")) == 2 and len(sandbox.life.faults) == 2


def stumble(*_):
    raise ZeroDivisionError("oops")


@pytest.mark.parametrize("register", ["answer", "before"])
def test_given_a_behaviour_that_fails_before_a_call_then_moto_answers_all_the_same(sandbox, lenient, register):
    getattr(sandbox.life, register)("sqs", "CreateQueue", stumble)
    assert sandbox.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert "ZeroDivisionError: oops" in sandbox.history()["why"][0]


class Moto:
    """Stands for a class of moto with a function that a behaviour replaces."""

    def double(self, number):
        if number > 9:
            raise KeyError("moto's own")
        self.asked = getattr(self, "asked", 0) + 1
        return 2 * number


@pytest.mark.parametrize("function", [stumble, lambda before, moto, number: before(moto, number) / 0])
def test_given_a_replaced_function_that_fails_then_motos_own_has_answered_once(sandbox, lenient, function):
    sandbox.life.patch(Moto, "double", function)
    moto = Moto()
    assert moto.double(4) == 8 and moto.asked == 1 and "ZeroDivisionError" in sandbox.history()["why"][0]
    with pytest.raises(KeyError, match="moto's own"):
        moto.double(10)


def test_given_a_replaced_function_that_refuses_then_the_refusal_stands(sandbox):
    def refuse(before, moto, number):
        raise ServiceError("Throttling", "not now")

    sandbox.life.patch(Moto, "double", refuse)
    with pytest.raises(ServiceError, match="not now"):
        Moto().double(1)


@pytest.mark.parametrize("service, operation, method, code, status", [
    ("lambda", "ListFunctions", "list_functions", "TooManyRequestsException", 429),
    ("lambda", "ListFunctions", "list_functions", "ServiceException", 500),
    ("s3", "ListBuckets", "list_buckets", "AccessDenied", 403), ("sqs", "ListQueues", "list_queues", "Whatever", 400)])
def test_given_a_refusal_then_its_http_status_is_the_one_of_the_services_description(sandbox, service, operation, method, code, status):
    def refuse(call):
        raise ServiceError(code, "no")

    sandbox.life.before(service, operation, refuse)
    with pytest.raises(ClientError) as refused:
        getattr(sandbox.client(service), method)()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_given_a_refusal_with_a_status_of_its_own_then_it_has_it(sandbox):
    def refuse(call):
        raise ServiceError("NoSuchKey", "no", 404)

    sandbox.life.before("s3", "ListBuckets", refuse)
    with pytest.raises(ClientError) as refused:
        sandbox.client("s3").list_buckets()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_given_strict_when_a_behaviour_fails_then_the_run_fails(sandbox):
    sandbox.life.clock.after(1, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sandbox.clock.advance(seconds=2)


def test_given_things_due_when_time_passes_then_the_history_is_in_order(sandbox):
    for delay in (30, 10, 20):
        sandbox.life.clock.after(delay, lambda delay=delay: sandbox.life.note("test", f"after {delay}"))
    sandbox.clock.advance(minutes=1)
    assert sandbox.history()["what"] == ["after 10", "after 20", "after 30"]
    assert sandbox.history()["at"] == [10, 20, 30]
    assert "00:00:20" in repr(sandbox.history())


def test_given_a_condition_when_advancing_until_it_holds_then_time_stops_there(sandbox):
    happened = []
    sandbox.life.clock.after(95, happened.append, 1)
    assert sandbox.clock.advance_until(lambda: happened, limit=600) == 95
    with pytest.raises(TimeoutError, match="still not so after 600 s"):
        sandbox.clock.advance_until(lambda: False, limit=600)
    assert sandbox.clock.now == 95 + 600


def test_given_something_sent_to_an_arn_then_the_longest_prefix_takes_it(sandbox):
    taken = []
    sandbox.life.receive("arn:test:", lambda *what: taken.append(("short", *what)))
    sandbox.life.receive("arn:test:long", lambda *what: taken.append(("long", *what)))
    sandbox.life.send("arn:test:long:x", {"a": 1}, "me")
    assert taken == [("long", "arn:test:long:x", {"a": 1}, "me")]
    with pytest.raises(LookupError, match="arn:nobody"):
        sandbox.life.send("arn:nobody", {}, "me")


def test_given_a_reset_then_behaviours_history_and_bill_are_gone(sandbox):
    sandbox.life.answer("sqs", "ListQueues", lambda call: {"QueueUrls": ["made up"]})
    sandbox.life.note("test", "something")
    sandbox.reset()
    assert "QueueUrls" not in sandbox.client("sqs").list_queues()
    assert len(sandbox.history()) == 0 and sandbox.bill().total == 0


def test_given_calls_by_behaviours_then_they_are_told_from_the_learners(sandbox):
    sqs = sandbox.client("sqs")
    sandbox.life.clock.after(5, lambda: sqs.create_queue(QueueName="by-time"))
    sandbox.life.then("sqs", "CreateQueue", lambda call: sqs.list_queues())
    sqs.create_queue(QueueName="mine")
    sandbox.clock.advance(seconds=6)
    assert [(call.operation, call.by) for call in sandbox.life.calls] == [
        ("CreateQueue", ""), ("ListQueues", "sqs:CreateQueue"), ("CreateQueue", "time"), ("ListQueues", "time")]


def test_given_a_waiter_when_it_sleeps_then_the_sandboxes_time_passes(sandbox):
    s3 = sandbox.client("s3")
    sandbox.life.clock.after(12, lambda: s3.create_bucket(Bucket="later"))
    s3.get_waiter("bucket_exists").wait(Bucket="later")
    assert sandbox.clock.now == 15  # it asks every 5 s


def test_given_a_history_then_it_can_be_drawn_with_its_sentence(sandbox):
    for delay, service in ((30, "EC2"), (10, "CloudWatch"), (60, "EC2")):
        sandbox.life.clock.after(delay, lambda service=service: sandbox.life.note(service, "something", "x"))
    sandbox.clock.advance(minutes=2)
    figure = sandbox.history().figure()
    assert [trace.name for trace in figure.data] == ["CloudWatch", "EC2"]
    assert list(figure.data[1].x) == ["2026-01-05 00:00:30", "2026-01-05 00:01:00"]
    assert figure.layout.meta["says"] == "3 things happened, most of them in EC2; the last: something x."
    sandbox.reset()
    assert sandbox.history().figure().layout.meta["says"] == "Nothing has happened yet."
    assert "time stands still" in repr(sandbox.history())
