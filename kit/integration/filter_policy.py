r"""Does a subscriber want this message? SNS filter policies, and how they match.

A policy names keys and, for each, a list of what it accepts. One of the list is enough; every key must be met. It looks
at the message's attributes or, with the scope ``MessageBody``, into its JSON body, where keys may be nested.

    matches({"kind": ["order", {"prefix": "return-"}]}, "MessageAttributes",
            {"kind": {"DataType": "String", "StringValue": "return-faulty"}})        # True

A list in the message is met if one of its items is. If several keys look into a list of objects, one and the same
object must meet them all.

**Simplified** The guide promises five digits after the decimal point; six are compared, as in Event Ruler.
**Not modelled** That a new policy takes up to 15 minutes to have its effect.

Amazon SNS Developer Guide, read 2026-11-23: "Amazon SNS subscription filter policies", "String value matching",
"Numeric value matching", "Key matching", "AND/OR logic". Lists in a body, and keys with dots, are as in Event Ruler,
the matcher that AWS publishes (github.com/aws/event-ruler, "And, Or, Array-Consistent Matching").
"""

import ipaddress
import json
import re
from decimal import ROUND_FLOOR, Decimal
from itertools import count
from math import isfinite

from kit.integration.filter_check import LIMIT, check_filter_policy, check_object, check_scope, is_number, is_or

__all__ = ["check_filter_policy", "matches"]

DIGITS = Decimal("0.000001")  # what numbers are compared to


def matches(policy: dict, scope: str, message) -> bool:
    """Whether a message passes a policy that SNS accepts (see check_filter_policy).

    scope: "MessageAttributes", and message is boto3's MessageAttributes; or "MessageBody", and it is the text.
    ServiceError InvalidParameter for another scope, and for a policy that is no object.
    """
    check_scope(scope)
    if policy is None or policy == {}:
        return True  # an empty policy is none
    check_object(policy)
    fields = _attributes(message or {}) if scope == "MessageAttributes" else _body(message)
    return fields is not None and any(_met(sorted(way.items()), fields, {}) for way in _ways(policy))


def _ways(policy: dict, path: str = "") -> list[dict]:
    """The policy as alternatives without $or and without nesting: {dotted path: rules}."""
    ways = [{}]
    for key, rules in policy.items():
        if is_or(key, rules):
            mine = [way for part in rules for way in _ways(part, path)]
        elif isinstance(rules, dict):
            mine = _ways(rules, f"{path}{key}.")
        else:
            mine = [{f"{path}{key}": rules}]
        ways = [one | other for one in ways for other in mine]
    return ways


def _met(keys: list, fields: dict, place: dict) -> bool:
    """Do all the keys hold? place: which item of each list has answered so far; another one can't answer the rest."""
    if not keys:
        return True
    (path, rules), *rest = keys
    near = [(value, where) for value, where in fields.get(path, ())
            if all(place.get(array, index) == index for array, index in where.items())]
    if not near:
        return {"exists": False} in rules and _met(rest, fields, place)
    places = {tuple(sorted((place | where).items())) for value, where in near
              if any(_accepts(rule, value) for rule in rules)}
    return any(_met(rest, fields, dict(one)) for one in sorted(places))


# ---------------------------------------------------------------------- the message as {path: [(value, place)]}


def _attributes(given: dict) -> dict:
    """Message attributes; binary ones can't be filtered, and what is no JSON list is no array."""
    fields = {}
    for name, attribute in given.items():
        kind, text = attribute.get("DataType") or "String", attribute.get("StringValue") or ""
        if kind.endswith(".Array"):
            values = _json(text)
            values = values if isinstance(values, list) else []
        elif kind.split(".")[0] == "Number":
            values = [_number(text)]
        else:
            values = [] if kind.split(".")[0] == "Binary" else [text]
        fields[name] = [(value, {}) for value in values if not isinstance(value, (list, dict))]
    return fields


def _body(text) -> dict | None:
    """The leaves of a JSON body, or None if it is no JSON object. Only leaves exist: an object or a list doesn't."""
    body, fields, arrays = _json(text), {}, count()

    def walk(node, path, place):
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, f"{path}.{key}" if path else key, place)
        elif isinstance(node, list):
            array = next(arrays)
            for index, item in enumerate(node):
                walk(item, path, place | {array: index} if isinstance(item, (dict, list)) else place)
        else:
            fields.setdefault(path, []).append((node, place))

    if not isinstance(body, dict):
        return None
    walk(body, "", {})
    return fields


def _json(text):
    def nonsense(constant):  # NaN and Infinity, which Python would take
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=nonsense)
    except (TypeError, ValueError, RecursionError):
        return None


def _number(text: str):
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text


# ---------------------------------------------------------------------- one rule, one value


def _accepts(rule, value) -> bool:
    if not isinstance(rule, dict):
        return _same(rule, value)
    [(operator, wanted)] = rule.items()
    if operator == "exists":
        return wanted
    if operator == "anything-but":
        if isinstance(wanted, dict):
            return not _accepts(wanted, value)
        return not any(_same(one, value) for one in (wanted if isinstance(wanted, list) else [wanted]))
    if operator == "numeric":
        return is_number(value) and abs(value) <= LIMIT and all(
            _compare(value, how, number) for how, number in zip(wanted[::2], wanted[1::2]))
    return isinstance(value, str) and _text_accepted(operator, wanted, value)


def _text_accepted(operator: str, wanted: str, value: str) -> bool:
    if operator == "prefix":
        return value.startswith(wanted)
    if operator == "suffix":
        return value.endswith(wanted)
    if operator == "equals-ignore-case":
        return value.lower() == wanted.lower()
    if operator == "wildcard":
        parts = re.findall(r"\\([*\\])|(\*)|([^*\\]+)", wanted)
        pattern = "".join(".*" if star else re.escape(escaped or plain) for escaped, star, plain in parts)
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    try:  # cidr
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _same(wanted, value) -> bool:
    if is_number(wanted) and is_number(value):
        return _digits(wanted) == _digits(value)
    return type(wanted) is type(value) and wanted == value


def _compare(value, how: str, number) -> bool:
    value, number = _digits(value), _digits(number)
    return {"=": value == number, "<": value < number, "<=": value <= number, ">": value > number,
            ">=": value >= number}[how]


def _digits(number) -> Decimal:
    exact = Decimal(str(number))
    return exact.quantize(DIGITS, ROUND_FLOOR) if abs(exact) <= LIMIT else exact
