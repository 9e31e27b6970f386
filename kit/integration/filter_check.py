"""What SNS refuses as a filter policy: check_filter_policy raises InvalidParameter, in SNS's own words.

    check_filter_policy({"price": [{"numeric": [">", 9, "<", 3]}]}, "MessageAttributes")
    # ServiceError: InvalidParameter: Invalid parameter: FilterPolicy: Bottom must be less than top

Beside spelling, SNS limits how much work a policy may be: keys, combinations of values, wildcards.

**Simplified** The words of the refusals for size and wildcards are the kit's own: AWS publishes none. AWS adds the
place in the JSON text after each message. SNS says how to count the combinations of nested keys, and not those of
``$or``; here, as each way of an ``$or`` is an alternative, their combinations add up.
**Not modelled** The 10,000 filter policies that an account may have.

Amazon SNS Developer Guide, read 2026-11-23: "Filter policy constraints in Amazon SNS", "AND/OR logic", "String value
matching", "Numeric value matching", "Key matching". SNS's refusals are those of Event Ruler, the matcher that AWS
publishes (github.com/aws/event-ruler); where the guide is silent, its compiler decides here.
"""

import ipaddress
import json
import re

from kit.errors import ServiceError

SCOPES = ("MessageAttributes", "MessageBody")
TEXT_OPERATORS = ("prefix", "suffix", "equals-ignore-case", "wildcard")
RESERVED = {*TEXT_OPERATORS, "anything-but", "exists", "numeric", "cidr", "exactly", "=", "<", "<=", ">", ">="}
MOST_KEYS = 5  # "Filter policy constraints in Amazon SNS"; of a nested policy the outermost count
MOST_COMBINATIONS = 150  # the same page
LARGEST = 262_144  # bytes: 256 KB, the same page
MOST_WILDCARDS = 3  # asterisks in one pattern, the same page
MOST_POINTS = 100  # the same page: 1 point for a pattern with one asterisk, 3 for each asterisk of one with more
LIMIT = 1e9  # numbers lie between -1e9 and 1e9, the same page


def check_filter_policy(policy: dict, scope: str) -> None:
    """ServiceError InvalidParameter unless SNS accepts this policy. scope: one of SCOPES."""
    check_scope(scope)
    check_object(policy)
    try:
        size = len(json.dumps(policy, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        raise refused("failed to parse JSON. A filter policy is made of texts, numbers, true, false, null, lists and "
                      "objects") from None
    if size > LARGEST:
        raise refused(f"Filter policy is too large: {size:,} bytes, and {LARGEST:,} are the most")
    if len(policy) > MOST_KEYS:
        raise refused(f"Filter policy can not have more than {MOST_KEYS} keys")
    combinations, points = _check_keys(policy, depth=1)
    if scope == "MessageAttributes" and _nested(policy):
        raise ServiceError("InvalidParameter", "Invalid parameter: Filter policy scope MessageAttributes does not "
                                               "support nested filter policy")
    if combinations > MOST_COMBINATIONS:
        raise refused("Filter policy is too complex")
    if points > MOST_POINTS:
        raise refused(f"Filter policy is too complex: its wildcards make {points} points, "
                      f"and {MOST_POINTS} are the most")


def check_object(policy) -> None:
    """A policy that is no object at all, which no message can be held against."""
    if not isinstance(policy, dict):
        raise refused("failed to parse JSON. A filter policy is an object: keys, and for each a list of values")


def is_or(key: str, rules) -> bool:
    """Whether this is the operator $or; with anything else below it "$or" is a key like any other."""
    return (key == "$or" and isinstance(rules, list) and len(rules) > 1
            and all(isinstance(way, dict) and not RESERVED & way.keys() for way in rules))


def check_scope(scope) -> None:
    if scope not in SCOPES:
        raise ServiceError("InvalidParameter", f"Invalid parameter: FilterPolicyScope: Invalid value [{scope}]. Please "
                                               f"use {' or '.join(SCOPES)}.")


def refused(words: str) -> ServiceError:
    return ServiceError("InvalidParameter", f"Invalid parameter: FilterPolicy: {words}")


def is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# ---------------------------------------------------------------------- keys


def _check_keys(policy: dict, depth: int) -> tuple[int, int]:
    """Check one level and what is below; its combinations (values times depth, multiplied) and points for wildcards."""
    combinations, points = 1, 0
    for key, rules in policy.items():
        if is_or(key, rules):
            ways = [_check_keys(_not_empty(way), depth) for way in rules]
            combinations *= sum(way[0] for way in ways)
            points += sum(way[1] for way in ways)
        elif isinstance(rules, dict):
            below = _check_keys(_not_empty(rules), depth + 1)
            combinations *= below[0]
            points += below[1]
        elif isinstance(rules, list):
            if not rules:
                raise refused("Empty arrays are not allowed")
            for rule in rules:
                _check_rule(rule)
            combinations *= len(rules) * depth
            points += _points(rules)
        else:
            raise refused(f'"{key}" must be an object or an array')
    return combinations, points


def _not_empty(policy: dict) -> dict:
    if not policy:
        raise refused("Empty objects are not allowed")
    return policy


def _nested(policy: dict) -> bool:
    return any(any(map(_nested, rules)) if is_or(key, rules) else isinstance(rules, dict)
               for key, rules in policy.items())


def _points(rules: list) -> int:
    stars = [_without_escapes(pattern).count("*") for pattern in map(_wildcard, rules) if pattern is not None]
    return len(stars) * sum(count if count < 2 else 3 * count for count in stars)


def _wildcard(rule):
    """The pattern of {"wildcard": pattern} or {"anything-but": {"wildcard": pattern}}, or None."""
    inner = rule.get("anything-but", rule) if isinstance(rule, dict) else None
    return inner.get("wildcard") if isinstance(inner, dict) else None


def _without_escapes(pattern: str) -> str:
    r"""With dots for \* and \\, which stand for themselves: each asterisk that is left stands for any text."""
    return re.sub(r"\\[*\\]", "..", pattern)


# ---------------------------------------------------------------------- one rule


def _check_rule(rule) -> None:
    if isinstance(rule, list):
        raise refused("Match value must be String, number, true, false, or null")
    if not isinstance(rule, dict):
        return
    if not rule:
        raise refused("Match expression name not found")
    operator, wanted = next(iter(rule.items()))
    if operator in TEXT_OPERATORS:
        _check_text(operator, wanted)
    elif operator == "exists":
        if not isinstance(wanted, bool):
            raise refused("exists match pattern must be either true or false.")
    elif operator == "cidr":
        _check_cidr(wanted)
    elif operator == "numeric":
        _check_numeric(wanted)
    elif operator == "anything-but":
        _check_anything_but(wanted)
    else:
        raise refused(f"Unrecognized match type {operator}")
    if len(rule) > 1:
        raise refused("Only one key allowed in match expression")


def _check_text(operator: str, wanted) -> None:
    if not isinstance(wanted, str):
        raise refused(f"{operator} match pattern must be a string")
    if operator != "wildcard":
        return
    plain = _without_escapes(wanted)
    if "\\" in plain:
        raise refused(f"Invalid escape character at pos {plain.index(chr(92)) + 1}")
    if "**" in plain:
        raise refused(f"Consecutive wildcard characters at pos {plain.index('**') + 1}")
    if plain.count("*") > MOST_WILDCARDS:
        raise refused(f"wildcard match pattern can not have more than {MOST_WILDCARDS} wildcards")


def _check_cidr(wanted) -> None:
    if not isinstance(wanted, str):
        raise refused("prefix match pattern must be a string")  # so says SNS of a cidr, too
    address, _, bits = wanted.partition("/")
    if not bits or "/" in bits:
        raise refused("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]+", bits, re.A):
        raise refused("Malformed CIDR, mask bits must be an integer")
    if int(bits) < 0:
        raise refused("Malformed CIDR, mask bits must not be negative")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*", address):
        raise refused(f"Nonstandard IP address: {address}")
    try:
        longest = ipaddress.ip_address(address).max_prefixlen
    except ValueError:
        raise refused(f"Invalid IP address: {address}") from None
    if int(bits) >= longest:
        raise refused(f"IPv{4 if longest == 32 else 6} mask bits must be < {longest}")


def _check_numeric(wanted) -> None:
    if not isinstance(wanted, list):
        raise refused("Value of numeric must be an array.")
    how, *rest = wanted or ["]"]
    if not wanted or not isinstance(how, str):
        raise refused(f"Invalid member in numeric match: {how}")
    if how not in ("=", "<", "<=", ">", ">="):
        raise refused(f"Unrecognized numeric range operator: {how}")
    bottom = _check_bound(how, rest[:1])
    if len(rest) == 1:
        return
    if how not in (">", ">="):
        raise refused("Too many elements in numeric expression")
    if not isinstance(rest[1], str):
        raise refused(f"Bad value in numeric range: {rest[1]}")
    if rest[1] not in ("<", "<="):
        raise refused(f"Bad numeric range operator: {rest[1]}")
    top = _check_bound(rest[1], rest[2:3])
    if len(rest) > 3:
        raise refused("Too many terms in numeric range expression")
    if bottom >= top:
        raise refused("Bottom must be less than top")


def _check_bound(how: str, value: list):
    if not value or not is_number(value[0]):
        raise refused(f"Value of {'equals' if how == '=' else how} must be numeric")
    return _check_size(value[0])


def _check_size(number):
    if not -LIMIT <= number <= LIMIT:
        raise refused("Value must be between -1.0E9 and 1.0E9, inclusive")
    return number


def _check_anything_but(wanted) -> None:
    if isinstance(wanted, dict):
        if not wanted:
            raise refused("Anything-But expression name not found")
        operator, text = next(iter(wanted.items()))
        if operator not in ("prefix", "wildcard"):
            raise refused(f"Unsupported anything-but pattern: {operator}")
        _check_text(operator, text)
        if not text:
            raise refused("Null prefix/suffix not allowed")
        if len(wanted) > 1:
            raise refused("Only one key allowed in match expression")
    elif isinstance(wanted, list):
        if any(not isinstance(value, str) and not is_number(value) for value in wanted):
            raise refused("Inside anything but list, start|null|boolean is not supported.")
        if len({isinstance(value, str) for value in wanted}) != 1:
            raise refused("Inside anything but list, either all values are number or string, "
                          "mixed type is not supported")
        for value in filter(is_number, wanted):
            _check_size(value)
    elif is_number(wanted):
        _check_size(wanted)
    elif not isinstance(wanted, str):
        raise refused("Value of anything-but must be an array or single string/number value.")
