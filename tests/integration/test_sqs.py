"""The queue, held to AWS's pages: Amazon SQS Developer Guide and API Reference (titles in the docstrings)."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kit.errors import ServiceError
from kit.integration import sqs
from kit.integration.sqs import DAY, Queue


def bodies(messages):
    return [message["Body"] for message in messages]


def refused(code, act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == code


def test_given_a_receive_when_the_timeout_is_not_over_then_nobody_else_gets_it():
    """Amazon SQS visibility timeout."""
    queue = Queue("q", VisibilityTimeout=30)
    queue.send_message("x", now=0)
    assert bodies(queue.receive_message(now=0)) == ["x"]
    assert queue.receive_message(now=29.9) == [] and bodies(queue.receive_message(now=30)) == ["x"]


def test_given_a_delete_in_time_then_it_never_comes_back():
    """DeleteMessage; deleting twice is no error."""
    queue = Queue("q")
    queue.send_message("x", now=0)
    [message] = queue.receive_message(now=0)
    queue.delete_message(message["ReceiptHandle"], now=5)
    queue.delete_message(message["ReceiptHandle"], now=6)
    assert queue.receive_message(now=1000) == [] and len(queue) == 0


def test_an_old_handle_of_a_standard_queue_still_deletes():
    queue = Queue("q", VisibilityTimeout=5)
    queue.send_message("x", now=0)
    [first], [_] = queue.receive_message(now=0), queue.receive_message(now=6)
    queue.delete_message(first["ReceiptHandle"], now=7)
    assert len(queue) == 0


def test_an_expired_handle_of_a_fifo_queue_deletes_nothing():
    queue = Queue("q.fifo", ContentBasedDeduplication=True, VisibilityTimeout=5)
    queue.send_message("x", now=0, MessageGroupId="g")
    [message] = queue.receive_message(now=0)
    refused("InvalidParameterValue", queue.delete_message, message["ReceiptHandle"], now=6)
    assert len(queue) == 1


def test_visibility_can_be_prolonged_given_back_and_capped_at_twelve_hours():
    """ChangeMessageVisibility."""
    queue = Queue("q", VisibilityTimeout=30)
    queue.send_message("x", now=0)
    [message] = queue.receive_message(now=0)
    queue.change_message_visibility(message["ReceiptHandle"], 60, now=20)
    assert queue.receive_message(now=79) == []
    refused("InvalidParameterValue", queue.change_message_visibility, message["ReceiptHandle"], 43_200, now=30)
    queue.change_message_visibility(message["ReceiptHandle"], 0, now=40)
    assert bodies(queue.receive_message(now=40)) == ["x"]


def test_visibility_of_what_is_not_in_flight_cannot_change():
    queue = Queue("q", VisibilityTimeout=5)
    queue.send_message("x", now=0)
    [message] = queue.receive_message(now=0)
    refused("AWS.SimpleQueueService.MessageNotInflight", queue.change_message_visibility, message["ReceiptHandle"], 9, now=6)


def test_a_delay_hides_from_the_start_and_a_messages_own_goes_first():
    """CreateQueue, DelaySeconds; SendMessage, DelaySeconds."""
    queue = Queue("q", DelaySeconds=10)
    queue.send_message("queue's", now=0)
    queue.send_message("own", now=0, DelaySeconds=2)
    assert queue.get_queue_attributes(now=0)["ApproximateNumberOfMessagesDelayed"] == 2
    assert bodies(queue.receive_message(now=2, MaxNumberOfMessages=10)) == ["own"]
    assert bodies(queue.receive_message(now=10, MaxNumberOfMessages=10)) == ["queue's"]


def test_what_nobody_takes_in_time_is_gone():
    """CreateQueue, MessageRetentionPeriod."""
    queue = Queue("q", MessageRetentionPeriod=60)
    queue.send_message("x", now=0)
    assert queue.receive_message(now=60) == [] and [message.body for message in queue.expired] == ["x"]


@pytest.mark.parametrize("fifo, still_there", [(False, False), (True, True)])
def test_a_dead_letter_keeps_its_age_on_a_standard_queue_only(fifo, still_there):
    """Using dead-letter queues in Amazon SQS, on retention periods."""
    suffix = ".fifo" if fifo else ""
    more = {"MessageGroupId": "g", "MessageDeduplicationId": "1"} if fifo else {}
    dead = Queue(f"dead{suffix}", MessageRetentionPeriod=4 * DAY)
    queue = Queue(f"q{suffix}", dead, maxReceiveCount=1, VisibilityTimeout=0)
    queue.send_message("x", now=0, **more)
    queue.receive_message(now=DAY)
    queue.receive_message(now=DAY)
    assert bool(dead.receive_message(now=4.5 * DAY)) == still_there


def test_after_max_receive_count_it_goes_to_the_dead_letter_queue_and_can_be_sent_back():
    dead = Queue("dead")
    queue = Queue("q", dead, maxReceiveCount=2, VisibilityTimeout=10)
    queue.send_message("x", now=0)
    assert [len(queue.receive_message(now=11 * n)) for n in range(3)] == [1, 1, 0]
    assert len(dead) == 1 and dead.start_message_move_task(queue, now=60) == 1
    [again] = queue.receive_message(now=61)
    assert again["Attributes"]["ApproximateReceiveCount"] == 1 and len(dead) == 0


def test_a_batch_fails_entry_by_entry():
    """SendMessageBatch."""
    queue = Queue("q", MaximumMessageSize=1024)
    answer = queue.send_message_batch([{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "x" * 1025}], now=0)
    assert [entry["Id"] for entry in answer["Successful"]] == ["a"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("b", "InvalidParameterValue")]
    handles = [{"Id": "a", "ReceiptHandle": queue.receive_message(now=0)[0]["ReceiptHandle"]}, {"Id": "b", "ReceiptHandle": "?"}]
    answer = queue.delete_message_batch(handles, now=1)
    assert [e["Id"] for e in answer["Successful"]] == ["a"] and answer["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"


def test_in_flight_messages_have_a_limit(monkeypatch):
    """ReceiveMessage: a standard queue says OverLimit, a FIFO queue returns nothing."""
    monkeypatch.setattr(sqs, "IN_FLIGHT", 2)
    fifo = Queue("q.fifo", ContentBasedDeduplication=True)
    for group in "abc":
        fifo.send_message(group, now=0, MessageGroupId=group)
    assert [len(fifo.receive_message(now=0, MaxNumberOfMessages=10)) for _ in range(2)] == [2, 0]
    queue = Queue("q")
    for _ in range(3):
        queue.send_message("x", now=0)
    assert len(queue.receive_message(now=0, MaxNumberOfMessages=2)) == 2
    refused("OverLimit", queue.receive_message, now=1)


def test_a_purge_empties_and_needs_a_minute():
    """PurgeQueue."""
    queue = Queue("q")
    queue.send_message("x", now=0)
    queue.purge_queue(now=1)
    assert len(queue) == 0
    refused("AWS.SimpleQueueService.PurgeQueueInProgress", queue.purge_queue, now=60)
    queue.purge_queue(now=61)


def test_a_deduplication_id_counts_for_five_minutes():
    """Exactly-once processing in Amazon SQS."""
    queue = Queue("q.fifo")
    order = {"MessageGroupId": "g", "MessageDeduplicationId": "1"}
    first = queue.send_message("x", now=0, **order)
    assert queue.send_message("x", now=299, **order) == first and len(queue) == 1
    assert queue.send_message("x", now=300, **order) != first and len(queue) == 2


def test_content_decides_when_no_id_is_given():
    queue = Queue("q.fifo", ContentBasedDeduplication=True)
    for body in ("x", "x", "y"):
        queue.send_message(body, now=0, MessageGroupId="g")
    assert len(queue) == 2


def test_a_group_waits_while_one_of_its_messages_is_in_flight():
    """FIFO queue delivery logic in Amazon SQS."""
    queue = Queue("q.fifo", ContentBasedDeduplication=True, VisibilityTimeout=30)
    for group, body in [("a", "a1"), ("a", "a2"), ("b", "b1")]:
        queue.send_message(body, now=0, MessageGroupId=group)
    [first] = queue.receive_message(now=0)
    assert first["Body"] == "a1" and bodies(queue.receive_message(now=1, MaxNumberOfMessages=10)) == ["b1"]
    queue.delete_message(first["ReceiptHandle"], now=2)
    assert bodies(queue.receive_message(now=3)) == ["a2"]


def test_duplicates_and_disorder_happen_only_when_asked_for_and_repeat_for_a_seed():
    def run(**options):
        queue = Queue("q", **options)
        for number in range(40):
            queue.send_message(str(number), now=0)
        return [body for _ in range(9) for body in bodies(queue.receive_message(now=1, MaxNumberOfMessages=10))]

    assert run() == [str(number) for number in range(40)]
    twice = run(duplicates=0.5, seed=3)
    assert len(twice) > 45 and set(twice) == set(run()) and twice == run(duplicates=0.5, seed=3)
    mixed = run(disorder=1.0)
    assert mixed != run() and sorted(mixed) == sorted(run())


@pytest.mark.parametrize("code, act", [
    ("InvalidParameterValue", lambda: Queue("no spaces")),
    ("InvalidParameterValue", lambda: Queue("q", Queue("dead.fifo"))),
    ("InvalidParameterValue", lambda: Queue("q", Queue("dead"), maxReceiveCount=0)),
    ("InvalidAttributeName", lambda: Queue("q", Visibility=3)),
    ("InvalidAttributeValue", lambda: Queue("q", MessageRetentionPeriod=59)),
    ("InvalidAttributeValue", lambda: Queue("q", DelaySeconds=901)),
    ("MissingParameter", lambda: Queue("q").send_message("", now=0)),
    ("MissingParameter", lambda: Queue("q.fifo").send_message("x", now=0)),
    ("InvalidParameterValue", lambda: Queue("q.fifo").send_message("x", now=0, MessageGroupId="g")),
    ("InvalidParameterValue", lambda: Queue("q").receive_message(now=0, MaxNumberOfMessages=0)),
    ("InvalidParameterValue", lambda: Queue("q").receive_message(now=0, VisibilityTimeout=43_201)),
    ("ReceiptHandleIsInvalid", lambda: Queue("q").delete_message("?", now=0)),
])
def test_what_aws_refuses_is_refused_with_its_code(code, act):
    refused(code, act)


class Stories(RuleBasedStateMachine):
    """Random stories: nothing is lost, nothing comes back after its deletion, order holds in each group."""

    fifo = False

    def __init__(self):
        super().__init__()
        suffix = ".fifo" if self.fifo else ""
        self.dead = Queue(f"dead{suffix}", MessageRetentionPeriod=14 * DAY)
        self.queue = Queue(f"q{suffix}", self.dead, maxReceiveCount=3, VisibilityTimeout=20, MessageRetentionPeriod=600)
        self.now, self.sent, self.deleted, self.held, self.group_of = 0.0, [], set(), {}, {}

    @rule(group=st.sampled_from("xyz"), delay=st.sampled_from([0, 0, 7]))
    def send(self, group, delay):
        more = {"MessageGroupId": group, "MessageDeduplicationId": str(len(self.sent))} if self.fifo else {"DelaySeconds": delay}
        id = self.queue.send_message("x", self.now, **more)["MessageId"]
        self.sent.append(id)
        self.group_of[id] = group

    @rule(most=st.integers(1, 10))
    def receive(self, most):
        flying = {self.group_of[id] for id, (_, until) in self.held.items() if until > self.now and id in self.queue}
        for message in self.queue.receive_message(self.now, MaxNumberOfMessages=most):
            id = message["MessageId"]
            assert id not in self.deleted
            if self.fifo:
                assert self.group_of[id] not in flying, "its group has a message in flight"
                earlier = [other for other in self.sent[:self.sent.index(id)] if self.group_of[other] == self.group_of[id]
                           and other in self.queue and other not in {m for m, (_, t) in self.held.items() if t > self.now}]
                assert not earlier, "an earlier message of its group is still there"
            self.held[id] = message["ReceiptHandle"], self.now + 20

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def delete(self, data):
        id = data.draw(st.sampled_from(sorted(self.held)))
        handle, until = self.held.pop(id)
        if until > self.now and id in self.queue:
            self.queue.delete_message(handle, self.now)
            self.deleted.add(id)

    @rule(seconds=st.sampled_from([1, 8, 21, 300]))
    def wait(self, seconds):
        self.now += seconds

    @invariant()
    def every_message_is_in_exactly_one_place(self):
        self.queue.get_queue_attributes(self.now)  # lets the retention period do its work
        expired = {message.id for queue in (self.queue, self.dead) for message in queue.expired}
        for id in self.sent:
            assert [id in self.queue, id in self.dead, id in self.deleted, id in expired].count(True) == 1

    @invariant()
    def the_counts_add_up(self):
        assert sum(self.queue.get_queue_attributes(self.now).values()) == len(self.queue)


class FifoStories(Stories):
    fifo = True


TestStandard = Stories.TestCase
TestFifo = FifoStories.TestCase
TestStandard.settings = TestFifo.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
