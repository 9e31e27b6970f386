"""Where moto 5.2.5 is not SQS: what stories told to the model and to moto brought to light.

Each row is settled by AWS's documentation, and proven by a test that shows moto doing it and the model doing as AWS
says (tests/integration/test_differential.py).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One row. page: of the Amazon SQS API Reference or Developer Guide."""

    operation: str
    moto: str
    aws: str
    page: str


DIFFERENCES = (
    Difference("create_queue", "takes attributes that are out of range, such as a retention period of 59 s",
               "refuses them with InvalidAttributeValue", "CreateQueue"),
    Difference("create_queue", "takes FIFO attributes such as DeduplicationScope for a standard queue",
               "knows them on FIFO queues only", "CreateQueue"),
    Difference("create_queue", "takes a FIFO queue for a standard queue's dead letters",
               "wants a dead-letter queue of the same kind", "Using dead-letter queues in Amazon SQS"),
    Difference("send_message", "takes an empty body", "asks for at least one character", "SendMessage"),
    Difference("send_message", "takes control characters in the body", "refuses them with InvalidMessageContents",
               "SendMessage"),
    Difference("send_message", "takes eleven message attributes, reserved names, and numbers that are none",
               "refuses them with InvalidParameterValue", "Amazon SQS message metadata"),
    Difference("send_message", "does not count message attributes towards the size of a message", "counts them",
               "Amazon SQS message metadata"),
    Difference("send_message", "takes a MessageDeduplicationId on a standard queue", "knows it on FIFO queues only",
               "SendMessage"),
    Difference("send_message to a FIFO queue", "forgets a deduplication id when its message is deleted",
               "remembers it for five minutes, whatever became of the message", "SendMessage, MessageDeduplicationId"),
    Difference("send_message to a FIFO queue", "takes a deduplication id for the whole queue, whatever its scope",
               "takes it for each message group if DeduplicationScope says so",
               "High throughput for FIFO queues in Amazon SQS"),
    Difference("send_message to a FIFO queue", "never throttles",
               "takes 300 calls a second of each kind, unless high throughput is on", "Amazon SQS message quotas"),
    Difference("receive_message from a FIFO queue",
               "after the visibility timeout gives a group's messages out of order",
               "gives them in the order of sending again", "FIFO queue delivery logic in Amazon SQS"),
    Difference("receive_message from a FIFO queue", "has no memory for a ReceiveRequestAttemptId",
               "gives the same messages and handles once more", "ReceiveMessage, ReceiveRequestAttemptId"),
    Difference("delete_message from a FIFO queue", "deletes after the visibility timeout", "refuses the expired handle",
               "ReceiveMessage, ReceiveRequestAttemptId"),
    Difference("change_message_visibility", "takes it for a message that is visible again",
               "refuses with MessageNotInflight", "ChangeMessageVisibility"),
    Difference("dead letters of a FIFO queue", "keep their deduplication id",
               "have their message id in its place, so that none is taken for another's copy",
               "Learn how to configure a dead-letter queue redrive in Amazon SQS"),
    Difference("start_message_move_task", "raises NotImplementedError", "moves the messages back",
               "StartMessageMoveTask"),
)
