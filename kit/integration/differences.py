"""Where moto 5.2.5 is not SQS: what random stories told to the model and to moto brought to light.

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
    Difference("send_message", "takes an empty body", "asks for at least one character", "SendMessage"),
    Difference("send_message", "takes a MessageDeduplicationId on a standard queue", "knows it on FIFO queues only",
               "SendMessage"),
    Difference("send_message to a FIFO queue", "forgets a deduplication id when its message is deleted",
               "remembers it for five minutes, whatever became of the message", "SendMessage, MessageDeduplicationId"),
    Difference("receive_message from a FIFO queue", "after the visibility timeout gives a group's messages out of order",
               "gives them in the order of sending again", "FIFO queue delivery logic in Amazon SQS"),
    Difference("change_message_visibility", "takes it for a message that is visible again",
               "refuses with MessageNotInflight", "ChangeMessageVisibility"),
    Difference("start_message_move_task", "raises NotImplementedError", "moves the messages back", "StartMessageMoveTask"),
)
