"""Does a subscriber want this message? SNS filter policies: how they match, and what SNS refuses as one.

A policy names keys and, for each, a list of what it accepts. One of the list is enough; every key must be met. It looks
at the message's attributes or, with the scope ``MessageBody``, into its JSON body, where keys may be nested.

    matches({"kind": ["order", {"prefix": "return-"}]}, "MessageAttributes",
            {"kind": {"DataType": "String", "StringValue": "return-faulty"}})        # True

A list of objects in the body matches if a single one of them meets all the keys.

**Simplified** How complex a ``$or`` is, AWS's page does not define for nested ones: here the ways of one add up, and it
counts as a level of nesting.

Amazon SNS Developer Guide, read 2026-11-23: "Amazon SNS subscription filter policies", "Filter policy constraints",
"String value matching", "Numeric value matching", "Key matching", "AND/OR logic".
"""

import ipaddress
import json
import re
from itertools import product

from kit.errors import ServiceError

SCOPES = ("MessageAttributes", "MessageBody")
MOST_KEYS = 5  # "Filter policy constraints"; of a nested policy the outermost count
MOST_COMBINATIONS = 150  # the same page
LARGEST = 262_144  # bytes: 256 KB, the same page
LIMIT = 1e9  # numbers lie between -1e9 and 1e9 ("Numeric value matching")


def matches(policy: dict, scope: str, message) -> bool:
    """Whether a message passes the policy. message: boto3's MessageAttributes, or the text of the body.

    ServiceError InvalidParameter for a scope that is none.
    """
    _check_scope(scope)
    ways = _ways(policy)
    if scope == "MessageAttributes":
        found = [_attributes(message or {})]
    else:
        try:
            body = json.loads(message)
        except (TypeError, ValueError):
            return False
        if not isinstance(body, dict):
            return False
        found = list(_readings(body, {path for way in ways for path in way}))
    return any(all(_accepted(rules, fields.get(path, [])) for path, rules in way.items()) for way in ways for fields in found)


def check_filter_policy(policy: dict, scope: str) -> None:
    """ServiceError InvalidParameter, in SNS's words, unless SNS accepts this policy."""
    _check_scope(scope)
    if not isinstance(policy, dict):
        raise _refused("failed to parse JSON. A filter policy is an object of keys and lists")
    if len(json.dumps(policy)) > LARGEST:
        raise _refused("Filter policy is too large: 256 KB are the most")
    if len(policy) > MOST_KEYS:
        raise _refused(f"Filter policy can not have more than {MOST_KEYS} keys")
    nested = any(isinstance(rules, dict) for rules in policy.values())
    combinations = _check_level(policy, depth=1)
    if nested and scope == "MessageAttributes":
        raise _refused("Filter policy scope MessageAttributes does not support nested filter policy")
    if combinations > MOST_COMBINATIONS:
        raise _refused("Filter policy is too complex")


# ---------------------------------------------------------------------- reading


def _ways(policy: dict, path: str = "") -> list[dict]:
    """The policy as alternatives without $or and without nesting: {dotted path: rules}."""
    ways = [{}]
    for key, rules in policy.items():
        if key == "$or":
            mine = [way for part in rules for way in _ways(part, path)]
        elif isinstance(rules, dict):
            mine = _ways(rules, f"{path}{key}.")
        else:
            mine = [{f"{path}{key}": rules}]
        ways = [one | other for one in ways for other in mine]
    return ways


def _readings(node, wanted: set, path: str = ""):
    """The body without nesting: {dotted path: [value]}; of each list one item at a time, so that items never mix."""
    if isinstance(node, list):
        for item in node or [{}]:
            yield from _readings(item, wanted, path)
    elif isinstance(node, dict):
        inner = [(value, f"{path}.{key}" if path else key) for key, value in node.items()]
        parts = [list(_readings(value, wanted, below)) for value, below in inner
                 if any(name == below or name.startswith(f"{below}.") for name in wanted)]
        for choice in product(*parts):
            yield {name: value for part in choice for name, value in part.items()}
    else:
        yield {path: [node]}


def _attributes(given: dict) -> dict:
    """Message attributes as lists of values; binary ones can't be filtered."""
    found = {}
    for name, attribute in given.items():
        kind, text = attribute.get("DataType", "String"), attribute.get("StringValue", "")
        if kind == "Number" or kind.startswith("Number."):
            found[name] = [_number(text)]
        elif kind == "String.Array":
            try:
                array = json.loads(text)
            except ValueError:
                array = text
            found[name] = array if isinstance(array, list) else [array]
        elif not kind.startswith("Binary"):
            found[name] = [text]
    return found


def _number(text: str):
    try:
        return float(text)
    except ValueError:
        return text


def _accepted(rules: list, values: list) -> bool:
    if not values:
        return any(isinstance(rule, dict) and rule.get("exists") is False for rule in rules)
    return any(_accepts(rule, value) for rule in rules for value in values)


def _accepts(rule, value) -> bool:
    if not isinstance(rule, dict):
        return _same(rule, value)
    [(operator, wanted)] = rule.items()
    if operator == "exists":
        return wanted is True
    if operator == "anything-but":
        return _anything_but(wanted, value)
    if operator == "numeric":
        return _is_number(value) and all(_compare(value, how, number) for how, number in zip(wanted[::2], wanted[1::2]))
    if operator == "cidr":
        try:
            return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
        except ValueError:
            return False
    return isinstance(value, str) and _text_matches(operator, wanted, value)


def _anything_but(wanted, value) -> bool:
    if isinstance(wanted, dict):
        [(operator, text)] = wanted.items()
        return not (isinstance(value, str) and _text_matches(operator, text, value))
    return not any(_same(one, value) for one in _list(wanted))


def _text_matches(operator: str, wanted: str, value: str) -> bool:
    return {"prefix": value.startswith(wanted), "suffix": value.endswith(wanted),
            "equals-ignore-case": value.lower() == wanted.lower(),
            "wildcard": re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), value, re.S) is not None}[operator]


def _same(wanted, value) -> bool:
    if _is_number(wanted) and _is_number(value):
        return wanted == value
    return type(wanted) is type(value) and wanted == value


def _compare(value, how, number) -> bool:
    return {"=": value == number, "<": value < number, "<=": value <= number, ">": value > number,
            ">=": value >= number}[how]


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _list(value) -> list:
    return value if isinstance(value, list) else [value]


# ---------------------------------------------------------------------- refusing


def _check_level(policy: dict, depth: int) -> int:
    """Check the keys of one level; returns how many combinations it has: values times depth, multiplied over keys."""
    combinations = 1
    for key, rules in policy.items():
        if key == "$or":
            if not (isinstance(rules, list) and len(rules) > 1 and all(isinstance(way, dict) and way for way in rules)):
                raise _refused("There must have at least 2 Objects in $or relationship")
            combinations *= sum(_check_level(way, depth + 1) for way in rules)
        elif isinstance(rules, dict):
            if not rules:
                raise _refused("Empty objects are not allowed")
            combinations *= _check_level(rules, depth + 1)
        elif isinstance(rules, list):
            if not rules:
                raise _refused("Empty arrays are not allowed")
            for rule in rules:
                _check_rule(rule)
            combinations *= len(rules) * depth
        else:
            raise _refused(f'"{key}" must be an object or an array')
    return combinations


def _check_rule(rule) -> None:
    if isinstance(rule, list):
        raise _refused("Match value must be String, number, true, false, or null")
    if not isinstance(rule, dict):
        return
    if len(rule) != 1:
        raise _refused("Only one key allowed in match expression")
    [(operator, wanted)] = rule.items()
    if operator in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        _check_text(operator, wanted)
    elif operator == "exists":
        if not isinstance(wanted, bool):
            raise _refused("exists match pattern must be either true or false.")
    elif operator == "cidr":
        _check_cidr(wanted)
    elif operator == "numeric":
        _check_numeric(wanted)
    elif operator == "anything-but":
        _check_anything_but(wanted)
    else:
        raise _refused(f"Unrecognized match type {operator}")


def _check_text(operator, wanted) -> None:
    if not isinstance(wanted, str):
        raise _refused(f"{operator} match pattern must be a string")
    if operator == "wildcard" and "**" in wanted:
        raise _refused(f"Consecutive wildcard characters at pos {wanted.index('**')}")


def _check_cidr(wanted) -> None:
    if not isinstance(wanted, str):
        raise _refused("prefix match pattern must be a string")
    address, slash, bits = wanted.partition("/")
    if not slash or "/" in bits:
        raise _refused("Malformed CIDR, one '/' required")
    if not bits.isdigit():
        raise _refused("Malformed CIDR, mask bits must be an integer")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise _refused(f"Nonstandard IP address: {address}") from None
    if int(bits) > parsed.max_prefixlen:
        raise _refused(f"Malformed CIDR, mask bits must be less than {parsed.max_prefixlen + 1}")


def _check_numeric(wanted) -> None:
    if not isinstance(wanted, list):
        raise _refused("Value of numeric must be an array.")
    if not wanted:
        raise _refused("Invalid member in numeric match: ]")
    how = wanted[0]
    if not isinstance(how, str):
        raise _refused(f"Invalid member in numeric match: {how}")
    if how not in ("=", "<", "<=", ">", ">="):
        raise _refused(f"Unrecognized numeric range operator: {how}")
    bottom = _check_value(how, wanted[1:2])
    if len(wanted) == 2:
        return
    if how not in (">", ">="):
        raise _refused("Too many elements in numeric expression")
    if wanted[2] not in ("<", "<="):
        raise _refused(f"Bad numeric range operator: {wanted[2]}")
    if bottom >= _check_value(wanted[2], wanted[3:4]):
        raise _refused("Bottom must be less than top")
    if len(wanted) > 4:
        raise _refused("Too many terms in numeric range expression")


def _check_value(how, value):
    if not value or not _is_number(value[0]):
        raise _refused(f"Value of {'equals' if how == '=' else how} must be numeric")
    if abs(value[0]) > LIMIT:
        raise _refused(f"Value of {'equals' if how == '=' else how} must be between -1.0E9 and 1.0E9, inclusive")
    return value[0]


def _check_anything_but(wanted) -> None:
    if isinstance(wanted, dict):
        if len(wanted) != 1:
            raise _refused("Only one key allowed in match expression")
        [(operator, text)] = wanted.items()
        if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise _refused(f"Unsupported anything-but pattern: {operator}")
        return _check_text(operator, text)
    if wanted == []:
        raise _refused("Empty arrays are not allowed")
    values = _list(wanted)
    if not (all(isinstance(value, str) for value in values) or all(_is_number(value) for value in values)):
        raise _refused("Inside anything but list, start|null|boolean is not supported.")


def _check_scope(scope) -> None:
    if scope not in SCOPES:
        raise ServiceError("InvalidParameter", f"Invalid parameter: FilterPolicyScope: Invalid value [{scope}]. Please use "
                                               f"{' or '.join(SCOPES)}.")


def _refused(words: str) -> ServiceError:
    return ServiceError("InvalidParameter", f"Invalid parameter: FilterPolicy: {words}")
