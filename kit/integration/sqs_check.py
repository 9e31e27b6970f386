"""What SQS refuses before it touches a queue: names, sizes, ids, and batches that are no batches.

A refused call changes nothing. In a batch the entries are judged one by one, and one may fail without the others.

**Not modelled** The characters that AWS allows in a name of a custom data type, and the range of numbers.

Amazon SQS API Reference and Developer Guide, read 2026-11-23: "CreateQueue", "SendMessage", "SendMessageBatch",
"MessageAttributeValue", "Amazon SQS message metadata", "Amazon SQS message quotas". The codes are those that boto3
shows. SNS holds attributes and batches to the same rules, and uses these here.
"""

import re

from kit.errors import ServiceError

DAY = 86_400
BATCH = 10  # entries of a batch call and messages of a receive ("Amazon SQS message quotas")
BATCH_BYTES = 1_048_576  # all bodies and attributes of a batch together ("SendMessageBatch"); 262,144 until August 2025
MOST_ATTRIBUTES = 10  # message attributes of one message ("Amazon SQS message quotas")
LONGEST_HIDDEN = 43_200  # seconds of one receive ("Amazon SQS visibility timeout")
ATTRIBUTES = {  # name: (default, lowest, highest), as in "CreateQueue"; seconds and bytes
    "VisibilityTimeout": (30, 0, LONGEST_HIDDEN),
    "DelaySeconds": (0, 0, 900),
    "MessageRetentionPeriod": (4 * DAY, 60, 14 * DAY),
    "MaximumMessageSize": (1_048_576, 1024, 1_048_576),
    "ReceiveMessageWaitTimeSeconds": (0, 0, 20),
}
ID = r"[\w!\"#$%&'()*+,\-./:;<=>?@\[\\\]^`{|}~]{1,128}"  # of a message group, a deduplication or a receive attempt
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # refused in a body ("SendMessage")


def check_name(name: str) -> None:
    if not re.fullmatch(r"[\w-]{1,80}|[\w-]{1,75}\.fifo", name, re.A):
        raise ServiceError("InvalidParameterValue", f"A queue's name is 1 to 80 letters, digits, - and _ "
                                                    f"(a FIFO queue's ends in .fifo), not {name!r}.")


def check_attributes(attributes: dict) -> None:
    for key, value in attributes.items():
        if key not in ATTRIBUTES:
            raise ServiceError("InvalidAttributeName", f"Unknown attribute {key}; there are {', '.join(ATTRIBUTES)}.")
        _, low, high = ATTRIBUTES[key]
        if isinstance(value, bool) or not (isinstance(value, int) and low <= value <= high):
            raise ServiceError("InvalidAttributeValue", f"{key} is a whole number from {low} to {high}, not {value}.")


def check_fifo(fifo: bool, ContentBasedDeduplication: bool, DeduplicationScope: str, FifoThroughputLimit: str) -> None:
    """The attributes that only FIFO queues have; with others than the defaults a standard queue is refused."""
    for key, value, default, other in (("ContentBasedDeduplication", ContentBasedDeduplication, False, True),
                                       ("DeduplicationScope", DeduplicationScope, "queue", "messageGroup"),
                                       ("FifoThroughputLimit", FifoThroughputLimit, "perQueue", "perMessageGroupId")):
        if value not in (default, other):
            raise ServiceError("InvalidAttributeValue", f"{key} is {default} or {other}, not {value!r}.")
        if value != default and not fifo:
            raise ServiceError("InvalidAttributeName", f"Only FIFO queues, whose name ends in .fifo, know {key}.")
    if FifoThroughputLimit == "perMessageGroupId" and DeduplicationScope != "messageGroup":
        raise ServiceError("InvalidAttributeValue", "perMessageGroupId needs the DeduplicationScope messageGroup.")


def check_number(name: str, value, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ServiceError("InvalidParameterValue", f"{name} is a whole number from {low} to {high}, not {value!r}.")


def check_id(name: str, value, code: str = "InvalidParameterValue") -> None:
    if not (isinstance(value, str) and re.fullmatch(ID, value, re.A)):
        raise ServiceError(code, f"{name} is 1 to 128 letters, digits and punctuation marks, not {value!r}.")


def check_message(body: str, attributes: dict, largest: int) -> None:
    """A body and its message attributes, which count towards the size."""
    check_text("MessageBody", body)
    check_mapping(attributes)
    if not body:
        raise ServiceError("MissingParameter", "The request must contain the parameter MessageBody.")
    if wrong := NOT_XML.search(body):
        raise ServiceError("InvalidMessageContents", f"A body can't hold the character {wrong.group()!a}; encode it.")
    if len(attributes) > MOST_ATTRIBUTES:
        raise ServiceError("InvalidParameterValue",
                           f"A message has at most {MOST_ATTRIBUTES} attributes, not {len(attributes)}.")
    for name, attribute in attributes.items():
        check_attribute(name, attribute)
    size = size_of(body, attributes)
    if size > largest:
        raise ServiceError("InvalidParameterValue", f"A message has at most {largest} bytes, not {size}. Put big "
                                                    "things into S3 and send their address.")


def check_text(name: str, value, code: str = "InvalidParameterValue") -> None:
    if not isinstance(value, str):
        raise ServiceError(code, f"{name} is a text, not {value!r}. What is no text is sent as one, with json.dumps() say.")


def check_mapping(attributes, code: str = "InvalidParameterValue") -> None:
    """Message attributes as a whole; each of them is for check_attribute."""
    if not isinstance(attributes, dict) or not all(isinstance(name, str) for name in attributes):
        raise ServiceError(code, "MessageAttributes is a dictionary of a name and what it holds: {'kind': {'DataType': "
                                 f"'String', 'StringValue': 'gift'}}}}, not {attributes!r}.")


def check_attribute(name: str, attribute: dict, code: str = "InvalidParameterValue") -> None:
    """One message attribute: {"DataType": ..., "StringValue" or "BinaryValue": ...}."""
    if not isinstance(attribute, dict):
        raise ServiceError(code, f"The attribute {name} says its DataType, too: {{'DataType': 'String', 'StringValue': "
                                 f"{str(attribute)!r}}}, not {attribute!r}.")
    if (not re.fullmatch(r"[\w.-]{1,256}", name, re.A) or name[0] == "." or name[-1] == "." or ".." in name
            or name.lower().startswith(("aws.", "amazon."))):
        raise ServiceError(code, f"An attribute's name is 1 to 256 letters, digits, _, - and single dots inside, and "
                                 f"begins neither with AWS. nor Amazon.: {name!r}.")
    kind = str(attribute.get("DataType", "")).split(".")[0]
    if kind not in ("String", "Number", "Binary"):
        raise ServiceError(code, f"The DataType of {name} is String, Number or Binary, with .label if you like, not "
                                 f"{attribute.get('DataType')!r}.")
    value = attribute.get("BinaryValue" if kind == "Binary" else "StringValue")
    if not value:
        raise ServiceError(code, f"The attribute {name} needs a value that is not empty.")
    if not isinstance(value, (bytes, str) if kind == "Binary" else str):
        raise ServiceError(code, f"The value of {name} is given as {'bytes' if kind == 'Binary' else 'a text'}, also if it "
                                 f"is a number: not {value!r}.")
    if kind == "Number" and not re.fullmatch(NUMBER, value, re.A):
        raise ServiceError(code, f"The attribute {name} is a Number, and {value!r} is none.")
    if kind == "String" and (wrong := NOT_XML.search(value)):
        raise ServiceError(code, f"The attribute {name} can't hold the character {wrong.group()!a}.")


def size_of(body: str, attributes: dict) -> int:
    """Bytes as SQS and SNS count them: the body, and the name, type and value of each attribute."""
    def length(text):
        return len(text.encode() if isinstance(text, str) else text)
    return length(body) + sum(length(name) + length(attribute.get("DataType", ""))
                              + length(attribute.get("StringValue") or attribute.get("BinaryValue") or "")
                              for name, attribute in attributes.items())


def batch(entries: list[dict], needs: list[str], act, body: str = "MessageBody", largest: int = BATCH_BYTES,
          prefix: str = "AWS.SimpleQueueService.") -> dict:
    """``act(parameters)`` for each entry {"Id": ..., parameters}: {"Successful": [...], "Failed": [...]}.

    needs: parameters that no entry can do without. body: which of them counts towards the ``largest`` size, in bytes.
    prefix: of the error codes.
    """
    def refused(code, message):
        return ServiceError(prefix + code, message)

    ids = [entry.get("Id", "") for entry in entries]
    if not entries:
        raise refused("EmptyBatchRequest", "A batch needs at least one entry.")
    if len(entries) > BATCH:
        raise refused("TooManyEntriesInBatchRequest", f"A batch has at most {BATCH} entries, not {len(entries)}.")
    if not all(isinstance(one, str) and re.fullmatch(r"[\w-]{1,80}", one, re.A) for one in ids):
        raise refused("InvalidBatchEntryId", "Each entry of a batch needs an Id of 1 to 80 letters, digits, - and _.")
    if len(set(ids)) < len(ids):
        raise refused("BatchEntryIdsNotDistinct", "Each entry of a batch needs an Id of its own.")
    size = sum(_size_if_any(entry.get(body, ""), entry.get("MessageAttributes") or {}) for entry in entries)
    if size > largest:
        raise refused("BatchRequestTooLong", f"A batch has at most {largest} bytes, not {size}.")
    done, failed = [], []
    for entry in entries:
        parameters = {key: value for key, value in entry.items() if key != "Id"}
        try:
            if missing := [name for name in needs if name not in parameters]:
                raise ServiceError("MissingParameter", f"The request must contain the parameter {missing[0]}.")
            done.append({"Id": entry["Id"]} | (act(parameters) or {}))
        except ServiceError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": done, "Failed": failed}


def _size_if_any(body, attributes):
    """An entry that has no size fails alone, later."""
    try:
        check_text("", body)
        check_mapping(attributes)
        for name, attribute in attributes.items():
            check_attribute(name, attribute)
    except ServiceError:
        return 0
    return size_of(body, attributes)
