"""The model and moto are told the same stories at the same times, and must answer alike.

Where they don't, AWS's documentation decides. Where moto is wrong it stands in kit/integration/differences.py, each
row proven here; the random stories leave those out.
"""

import json
from functools import cache

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.errors import ServiceError
from kit.integration.differences import DIFFERENCES
from kit.integration.sqs import Queue

TIMEOUT = 20


@cache
def _client():
    return lab.start().client("sqs")  # one for all stories: making one takes longer than a story


class Pair:
    """A queue of the model and one of moto, under the sandbox's clock."""

    def __init__(self, fifo=False, dead_letters=0):
        self.sandbox = lab.start()
        self.sandbox.reset(seed=1)
        self.sqs = _client()
        suffix, kind = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        attributes, self.dead, self.dead_url = dict(kind, VisibilityTimeout=str(TIMEOUT)), None, None
        if dead_letters:
            self.dead = Queue(f"dead{suffix}")
            self.dead_url = self.sqs.create_queue(QueueName=f"dead{suffix}", Attributes=kind)["QueueUrl"]
            arn = self.sqs.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": dead_letters})
        self.url = self.sqs.create_queue(QueueName=f"orders{suffix}", Attributes=attributes)["QueueUrl"]
        self.model = Queue(f"orders{suffix}", self.dead, dead_letters or 10, VisibilityTimeout=TIMEOUT)
        self.held = []  # (body, moto's handle, ours, until when)

    @property
    def now(self):
        return self.sandbox.clock.now

    def both(self, operation, **parameters):
        """What each says, or the code of its refusal."""
        try:
            theirs = getattr(self.sqs, operation)(QueueUrl=self.url, **parameters)
        except ClientError as error:
            theirs = error.response["Error"]["Code"]
        try:
            ours = getattr(self.model, operation)(now=self.now, **parameters)
        except ServiceError as error:
            ours = error.code
        return theirs, ours

    def receive(self, most):
        theirs, ours = self.both("receive_message", MaxNumberOfMessages=most)
        theirs = {m["Body"]: m for m in theirs.get("Messages", [])}
        ours = {m["Body"]: m for m in ours}
        self.held += [(body, theirs[body]["ReceiptHandle"], ours[body]["ReceiptHandle"], self.now + TIMEOUT)
                      for body in theirs if body in ours]
        return list(theirs), list(ours)

    def counts(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        theirs = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return {name: int(theirs[name]) for name in names}, self.model.get_queue_attributes(self.now)


ACTIONS = st.lists(st.tuples(st.sampled_from(["send", "delayed", "batch", "receive", "delete", "extend", "give back", "wait"]),
                             st.integers(1, 10)), min_size=5, max_size=30)


def still_held(pair):
    return [held for held in pair.held if held[3] > pair.now]


@settings(max_examples=40)
@given(ACTIONS, st.sampled_from([0, 2]))
def test_a_standard_queue_and_moto_tell_the_same_story(actions, dead_letters):
    pair = Pair(dead_letters=dead_letters)
    for step, (action, number) in enumerate(actions):
        pair.sandbox.clock.advance(seconds=1.01)  # never just when a timeout ends: AWS leaves that instant open
        if action == "send":
            pair.both("send_message", MessageBody=f"m{step}")
        elif action == "delayed":
            pair.both("send_message", MessageBody=f"m{step}", DelaySeconds=number)
        elif action == "batch":
            theirs, ours = pair.both("send_message_batch", Entries=[
                {"Id": str(n), "MessageBody": f"m{step}-{n}"} for n in range(number)])
            assert [one["Id"] for one in theirs["Successful"]] == [one["Id"] for one in ours["Successful"]]
        elif action == "receive":
            # below ten at a time which ones come is the queue's own choice: ask until all are there
            theirs, ours = pair.receive(10)
            if len(pair.model) <= 10:
                assert sorted(theirs) == sorted(ours)
            else:
                assert len(theirs) == len(ours)
        elif action == "wait":
            pair.sandbox.clock.advance(seconds=3 * number)
        elif held := still_held(pair):
            body, their_handle, our_handle, until = held[number % len(held)]
            pair.held.remove((body, their_handle, our_handle, until))
            if action == "delete":
                pair.sqs.delete_message(QueueUrl=pair.url, ReceiptHandle=their_handle)
                pair.model.delete_message(our_handle, pair.now)
            else:
                seconds = 0 if action == "give back" else TIMEOUT + number
                pair.sqs.change_message_visibility(QueueUrl=pair.url, ReceiptHandle=their_handle, VisibilityTimeout=seconds)
                pair.model.change_message_visibility(our_handle, seconds, pair.now)
                if seconds:
                    pair.held.append((body, their_handle, our_handle, pair.now + seconds))
        pair.sandbox.clock.advance(seconds=1.01)
        if not dead_letters:  # moto moves dead letters at another moment than the receive that finds them
            theirs, ours = pair.counts()
            assert theirs == ours


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["send", "send", "receive", "delete"]), st.sampled_from("xyz"), st.integers(1, 10)),
                min_size=5, max_size=30))
def test_a_fifo_queue_and_moto_tell_the_same_story_within_the_timeout(actions):
    pair = Pair(fifo=True)
    for step, (action, group, number) in enumerate(actions):
        if action == "send":
            pair.both("send_message", MessageBody=f"{group}{step}", MessageGroupId=group, MessageDeduplicationId=str(step))
        elif action == "receive":
            theirs, ours = pair.receive(1)
            assert theirs == ours
        elif pair.held:
            _, their_handle, our_handle, _ = pair.held.pop(0)
            pair.sqs.delete_message(QueueUrl=pair.url, ReceiptHandle=their_handle)
            pair.model.delete_message(our_handle, pair.now)


@pytest.mark.parametrize("operation, parameters", [
    ("receive_message", {"MaxNumberOfMessages": 11}),
    ("delete_message", {"ReceiptHandle": "never was"}),
    ("change_message_visibility", {"ReceiptHandle": "never was", "VisibilityTimeout": 3}),
    ("send_message", {"MessageBody": "x" * 1_048_577}),
    ("send_message_batch", {"Entries": []}),
    ("send_message_batch", {"Entries": [{"Id": str(n), "MessageBody": "x"} for n in range(11)]}),
    ("send_message_batch", {"Entries": [{"Id": "same", "MessageBody": "x"}] * 2}),
    ("send_message_batch", {"Entries": [{"Id": "not so", "MessageBody": "x"}]}),
])
def test_refusals_have_the_same_code(operation, parameters):
    theirs, ours = Pair().both(operation, **parameters)
    assert isinstance(theirs, str) and theirs == ours


@pytest.mark.parametrize("parameters", [{}, {"MessageGroupId": "g"}, {"MessageDeduplicationId": "1"},
                                        {"MessageGroupId": "g", "MessageDeduplicationId": "1", "DelaySeconds": 4}])
def test_refusals_of_a_fifo_queue_have_the_same_code(parameters):
    theirs, ours = Pair(fifo=True).both("send_message", MessageBody="x", **parameters)
    assert isinstance(theirs, str) and theirs == ours


def test_two_purges_within_a_minute_are_refused_alike():
    pair = Pair()
    pair.both("purge_queue")
    assert pair.both("purge_queue") == ("AWS.SimpleQueueService.PurgeQueueInProgress",) * 2


def test_dead_letters_end_up_alike():
    pair = Pair(dead_letters=2)
    pair.both("send_message", MessageBody="poison")
    for _ in range(4):
        theirs, ours = pair.receive(1)
        assert theirs == ours
        pair.sandbox.clock.advance(seconds=TIMEOUT + 1)
    theirs = pair.sqs.receive_message(QueueUrl=pair.dead_url)["Messages"][0]["Body"]
    assert theirs == pair.dead.receive_message(pair.now)[0]["Body"] == "poison"


# ---------------------------------------------------------------------- the table, row by row


def out_of_range(pair):
    pair.sqs.create_queue(QueueName="q", Attributes={"MessageRetentionPeriod": "59"})
    with pytest.raises(ServiceError, match="InvalidAttributeValue"):
        Queue("q", MessageRetentionPeriod=59)


def empty_body(pair):
    theirs, ours = pair.both("send_message", MessageBody="")
    assert "MessageId" in theirs and ours == "MissingParameter"


def fifo_attributes_on_standard(pair):
    pair.sqs.create_queue(QueueName="q", Attributes={"DeduplicationScope": "messageGroup"})
    with pytest.raises(ServiceError, match="InvalidAttributeName"):
        Queue("q", DeduplicationScope="messageGroup")


def dead_letters_of_another_kind(pair):
    url = pair.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = pair.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pair.sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": arn, "maxReceiveCount": 3})})
    with pytest.raises(ServiceError, match="same kind"):
        Queue("q", Queue("dead.fifo"), 3)


def control_characters(pair):
    theirs, ours = pair.both("send_message", MessageBody="\x01")
    assert "MessageId" in theirs and ours == "InvalidMessageContents"


def wrong_attributes(pair):
    for attributes in ({f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(11)},
                       {"AWS.x": {"DataType": "String", "StringValue": "x"}},
                       {"x": {"DataType": "Number", "StringValue": "three"}}):
        theirs, ours = pair.both("send_message", MessageBody="x", MessageAttributes=attributes)
        assert "MessageId" in theirs and ours == "InvalidParameterValue"


def attributes_have_a_size(pair):
    theirs, ours = pair.both("send_message", MessageBody="x" * 1_048_576, MessageAttributes={
        "x": {"DataType": "String", "StringValue": "x"}})
    assert "MessageId" in theirs and ours == "InvalidParameterValue"


def deduplication_on_standard(pair):
    theirs, ours = pair.both("send_message", MessageBody="x", MessageDeduplicationId="1")
    assert "MessageId" in theirs and ours == "InvalidParameterValue"


def forgets_deduplication(_):
    pair = Pair(fifo=True)
    order = {"MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
    pair.both("send_message", **order)
    pair.receive(1)
    _, their_handle, our_handle, _ = pair.held.pop()
    pair.sqs.delete_message(QueueUrl=pair.url, ReceiptHandle=their_handle)
    pair.model.delete_message(our_handle, pair.now)
    pair.both("send_message", **order)
    theirs, ours = pair.counts()
    assert theirs["ApproximateNumberOfMessages"] == 1 and ours["ApproximateNumberOfMessages"] == 0


def scope_of_deduplication(pair):
    options = {"DeduplicationScope": "messageGroup"}
    url = pair.sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"} | options)["QueueUrl"]
    queue = Queue("q.fifo", **options)
    for group in "ab":
        order = {"MessageBody": "x", "MessageGroupId": group, "MessageDeduplicationId": "1"}
        pair.sqs.send_message(QueueUrl=url, **order)
        queue.send_message(now=pair.now, **order)
    theirs = pair.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert theirs["Attributes"]["ApproximateNumberOfMessages"] == "1" and len(queue) == 2


def no_quota(_):
    pair = Pair(fifo=True)
    answers = [pair.both("send_message", MessageBody="x", MessageGroupId="g", MessageDeduplicationId=str(number))
               for number in range(301)]
    assert all("MessageId" in theirs for theirs, _ in answers) and answers[-1][1] == "RequestThrottled"


def out_of_order(_):
    pair = Pair(fifo=True)
    for body in "abc":
        pair.both("send_message", MessageBody=body, MessageGroupId="g", MessageDeduplicationId=body)
    pair.receive(10)
    pair.sandbox.clock.advance(seconds=TIMEOUT + 1)
    theirs, ours = pair.receive(2)
    assert theirs != ["a", "b"] and ours == ["a", "b"]


def late_change(pair):
    pair.both("send_message", MessageBody="x")
    pair.receive(1)
    _, their_handle, our_handle, _ = pair.held.pop()
    pair.sandbox.clock.advance(seconds=TIMEOUT + 1)
    pair.sqs.change_message_visibility(QueueUrl=pair.url, ReceiptHandle=their_handle, VisibilityTimeout=9)
    with pytest.raises(ServiceError, match="MessageNotInflight"):
        pair.model.change_message_visibility(our_handle, 9, pair.now)


def no_second_attempt(_):
    pair = Pair(fifo=True)
    pair.both("send_message", MessageBody="x", MessageGroupId="g", MessageDeduplicationId="1")
    for received in (True, False):
        theirs, ours = pair.both("receive_message", ReceiveRequestAttemptId="try")
        assert bool(theirs.get("Messages")) == received and len(ours) == 1


def late_delete(_):
    pair = Pair(fifo=True)
    pair.both("send_message", MessageBody="x", MessageGroupId="g", MessageDeduplicationId="1")
    pair.receive(1)
    _, their_handle, our_handle, _ = pair.held.pop()
    pair.sandbox.clock.advance(seconds=TIMEOUT + 1)
    pair.sqs.delete_message(QueueUrl=pair.url, ReceiptHandle=their_handle)
    with pytest.raises(ServiceError, match="expired"):
        pair.model.delete_message(our_handle, pair.now)


def dead_letters_keep_their_id(_):
    pair = Pair(fifo=True, dead_letters=1)
    pair.both("send_message", MessageBody="x", MessageGroupId="g", MessageDeduplicationId="1")
    for _ in range(2):
        pair.receive(1)
        pair.sandbox.clock.advance(seconds=TIMEOUT + 1)
    [theirs] = pair.sqs.receive_message(QueueUrl=pair.dead_url, AttributeNames=["All"])["Messages"]
    [ours] = pair.dead.receive_message(pair.now)
    assert theirs["Attributes"]["MessageDeduplicationId"] == "1"
    assert ours["Attributes"]["MessageDeduplicationId"] == ours["MessageId"]


def redrive(pair):
    with pytest.raises(NotImplementedError):
        pair.sqs.start_message_move_task(SourceArn="arn:aws:sqs:us-east-1:123456789012:orders")
    dead = Queue("dead")
    Queue("source", dead)
    dead.send_message("x", pair.now)
    assert dead.start_message_move_task(pair.model, pair.now) == 1


PROOFS = (out_of_range, fifo_attributes_on_standard, dead_letters_of_another_kind, empty_body, control_characters,
          wrong_attributes, attributes_have_a_size, deduplication_on_standard, forgets_deduplication,
          scope_of_deduplication, no_quota, out_of_order, no_second_attempt, late_delete, late_change,
          dead_letters_keep_their_id, redrive)  # in the order of the table


def test_every_row_of_the_table_has_its_proof():
    assert len(PROOFS) == len(DIFFERENCES)
    assert all(row.page and row.moto != row.aws for row in DIFFERENCES)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.__name__)
def test_moto_does_it_and_the_model_does_as_aws_says(proof):
    proof(Pair())
