"""Which records of a queue or stream reach the function: the filters of an event source mapping.

    passes({"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}, "sqs", {"body": '{"kind": "order"}'})   # True
    check_filters(criteria, "sqs")                  # InvalidParameterValueException for what can't be a filter

One of the filters is enough. In each, every key must be met, by one of the values that it lists; the rules are
EventBridge's. What passes none is dropped: from a queue it is deleted, in a stream it is passed over.

A message's body is looked into as JSON where the filter does so. If one is JSON and the other plain text, the message is
dropped.

**Simplified** Numbers are compared as numbers; AWS compares how they are written (300 is not 300.0). A body counts as
JSON if it is an object or an array. The values of a table's items are text, as in its stream ({"N": ["101"]}), so that
"numeric" finds none.
**Not modelled** The quota of ten filters, on request.

AWS Lambda Developer Guide, "Control which events Lambda sends to your function" (its table of comparison operators),
"Using event filtering with an Amazon SQS event source", "... with a DynamoDB event source", read 2026-11-28. The words
of the refusals are the kit's own.
"""

import base64
import json

from kit.errors import ServiceError
from kit.integration.filter_policy import matches

MOST, LONGEST = 5, 4096  # filters of a mapping, unless AWS allows more; characters of a pattern (API: Filter)
OPERATORS = {"anything-but", "numeric", "exists", "prefix", "suffix", "equals-ignore-case"}  # the guide's table
DATA = {"sqs": "body", "sqs-fifo": "body", "dynamodb": "dynamodb", "kinesis": "data"}  # source: the key of its data


def passes(criteria: dict | None, source: str, record: dict) -> bool:
    """Does a record, as the function would see it, meet one of the filters? Without filters all do."""
    filters = (criteria or {}).get("Filters") or []
    return not filters or any(_meets(json.loads(one["Pattern"]), source, record) for one in filters)


def check_filters(criteria: dict | None, source: str) -> None:
    """What CreateEventSourceMapping and UpdateEventSourceMapping refuse."""
    filters = (criteria or {}).get("Filters") or []
    if len(filters) > MOST:
        raise _invalid(f"{len(filters)} filters; a mapping may have {MOST}.")
    for one in filters:
        text = one.get("Pattern", "{}")
        try:
            pattern = json.loads(text)
        except ValueError:
            raise _invalid(f"Invalid filter pattern definition: {text} is no JSON.") from None
        if not isinstance(pattern, dict) or len(text) > LONGEST:
            raise _invalid(f"Invalid filter pattern definition: give a JSON object of at most {LONGEST} characters.")
        _check(pattern)
        if not source.startswith("sqs") and isinstance(pattern.get(DATA[source]), list):
            raise _invalid(f"Invalid filter pattern definition: {DATA[source]} of a stream must be an object.")


def _meets(pattern, source, record):
    key = DATA[source]
    if source == "kinesis":
        record = record["kinesis"] | {"data": base64.b64decode(record["kinesis"]["data"]).decode(errors="replace")}
    data = record.get(key)
    if isinstance(data, str):
        found = _json(data)
        if key in pattern and (found is None) == isinstance(pattern[key], dict):
            return False  # one is JSON, the other is not
        record = record | {key: data if found is None else found}
    return matches(pattern, "MessageBody", json.dumps(record, default=str))


def _json(text):
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, (dict, list)) else None


def _check(pattern):
    for key, rules in pattern.items():
        if isinstance(rules, dict) and rules:
            _check(rules)
        elif not isinstance(rules, list) or not rules:
            raise _invalid(f'Invalid filter pattern definition: "{key}" must be an object or an array, and not empty.')
        elif key == "$or" and all(isinstance(rule, dict) for rule in rules):
            for rule in rules:
                _check(rule)
        else:
            for rule in rules:
                if isinstance(rule, list) or isinstance(rule, dict) and (len(rule) != 1 or not set(rule) <= OPERATORS):
                    raise _invalid(f'Invalid filter pattern definition: "{key}" has {json.dumps(rule)}; '
                                   f"there are {', '.join(sorted(OPERATORS))}.")


def _invalid(message):
    return ServiceError("InvalidParameterValueException", message)
