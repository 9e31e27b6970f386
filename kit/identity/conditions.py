"""How the Condition of a policy statement is decided: operators, missing keys, sets of values, variables.

A condition block is ``{operator: {key: value or [values]}}``. All operators and all keys must hold (AND); one of a
key's values is enough (OR), and a negated operator wants none of them (NOR). What happens when the request lacks
the key is where most policies go wrong:

==========================  =====================
operator                    key missing
==========================  =====================
StringEquals, Bool, ...     does not hold
StringNotEquals, Not...     holds
...IfExists                 holds
ForAllValues:...            holds
ForAnyValue:...             does not hold
Null: "true" / "false"      holds / does not hold
==========================  =====================

**Simplified** An operator without ForAllValues or ForAnyValue on a key with several values: AWS says a set operator
must be used and not what happens otherwise; here one matching value counts as a match.
**Not modelled** Which keys and operators a service supports; keys of the service's own that AWS would fill in.

IAM User Guide, read 2026-11-23: "IAM JSON policy elements: Condition operators", "Conditions with multiple context
keys or values", "Single-valued vs. multivalued context keys", "IAM policy elements: Variables and tags".
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network

ANY, ONE = "\ue000", "\ue001"  # the wildcards * and ? of a pattern; no policy may hold these characters themselves
VARIABLE = re.compile(r"\$\{([^{}]*)\}")
KEY_AND_DEFAULT = re.compile(r"([^,']+?)(?:, ?'([^']*)')?")


def conditions_hold(block: dict, context: "Context", variables: bool = True) -> tuple[bool, list[str]]:
    """Whether every condition holds, and a sentence for each one looked at (the last is the one that failed).

    block: the statement's Condition. variables: whether ``${...}`` is replaced (policy language 2012-10-17).
    """
    reasons = []
    for name, keys in block.items():
        for key, wanted in keys.items():
            wanted = wanted if isinstance(wanted, list) else [wanted]
            held = _condition_holds(name, context.values(key), wanted, context, variables)
            reasons.append(_sentence(name, key, wanted, context, held))
            if not held:
                return False, reasons
    return True, reasons


def split_operator(name: str) -> tuple[str, str, bool] | None:
    """``ForAnyValue:StringLikeIfExists`` -> ("ForAnyValue", "StringLike", True); None when there is no such."""
    found = re.fullmatch(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", name)
    if not found or found[2] not in OPERATORS or found[2] == "Null" and found[3]:
        return None
    return found[1] or "", found[2], bool(found[3])


def _condition_holds(name, values, wanted, context, variables) -> bool:
    qualifier, operator, if_exists = split_operator(name)
    if operator == "Null":
        return any(_text(want).lower() == str(not values).lower() for want in wanted)
    if if_exists and not values:
        return True
    same, negated, wildcards = OPERATORS[operator]
    with_variables = variables and same in (_string, _string_any_case, _arn, _bool)
    patterns = [pattern(_text(want), context if with_variables else None, wildcards) for want in wanted]

    def holds(value) -> bool:  # a value that cannot be read, or a variable without one, equals nothing
        return any(want is not None and same(value, want) for want in patterns) != negated

    if qualifier and all(value == "" for value in values):  # nothing there, or nothing but empty text
        return qualifier == "ForAllValues"
    if qualifier == "ForAllValues" or negated and not qualifier:
        return all(map(holds, values))
    return any(map(holds, values))


class Context:
    """The keys of a request. Names are the same in any case; values are text, numbers, booleans or lists of them."""

    def __init__(self, keys: dict):
        self._keys = {name.lower(): value for name, value in keys.items()}

    def values(self, key: str) -> list:
        """All values of a key; an empty list when the request has no such key (or an empty list, or None)."""
        value = self._keys.get(key.lower())
        return [] if value is None else list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]

    def variable(self, key: str) -> str | None:
        """The text that ``${key}`` stands for; a key with several values stands for none."""
        values = self.values(key)
        return _text(values[0]) if len(values) == 1 else None


def pattern(text: str, context: Context | None = None, wildcards: bool = True) -> str | None:
    """A policy's text ready to compare: variables replaced, ``*`` and ``?`` marked as wildcards.

    What comes out of a variable (and of ``${*}``, ``${?}``, ``${$}``) is literal. None: a variable has no value.
    """
    parts, position = [], 0
    for found in VARIABLE.finditer(text) if context else ():
        value = _variable(found[1], context)
        if value is None:
            return None
        parts += [_mark(text[position:found.start()], wildcards), value]
        position = found.end()
    return "".join(parts) + _mark(text[position:], wildcards)


def glob(want: str, text: str) -> bool:
    """Does text match a pattern from ``pattern``? ``*`` is any run of characters, also none; ``?`` is exactly one."""
    w = t = 0
    star, eaten = -1, 0  # the last * met, and how far into the text it reaches by now
    while t < len(text):
        if w < len(want) and want[w] == ANY:
            star, eaten = w, t
            w += 1
        elif w < len(want) and want[w] in (ONE, text[t]):
            w += 1
            t += 1
        elif star >= 0:  # a dead end: go back and let the * take one character more
            eaten += 1
            w, t = star + 1, eaten
        else:
            return False
    return not want[w:].strip(ANY)


def moment(value) -> float | None:
    """Seconds since 1970 from ISO 8601 text (a year, month, day or second) or a number of seconds; None if neither."""
    if isinstance(value, datetime):
        return value.timestamp() if value.tzinfo else value.replace(tzinfo=UTC).timestamp()
    text = _text(value).strip()
    number = _number(text)
    if number is not None:
        return float(number)
    try:
        read = datetime.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d\d", text) else text.upper())
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _mark(text, wildcards):
    return text.replace("*", ANY).replace("?", ONE) if wildcards else text


def _variable(inside: str, context: Context) -> str | None:
    if inside in ("*", "?", "$"):
        return inside
    found = KEY_AND_DEFAULT.fullmatch(inside)
    if not found:
        return None
    value = context.variable(found[1])
    return found[2] if value is None else value


def _text(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value) -> Decimal | None:
    try:
        number = Decimal(_text(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _string(value, want):
    return glob(want, _text(value))


def _string_any_case(value, want):
    return glob(want.lower(), _text(value).lower())


def _bool(value, want):
    return _text(value).lower() == want.lower() and want.lower() in ("true", "false")


def _binary(value, want):
    try:
        have = value if isinstance(value, bytes) else b64decode(_text(value), validate=True)
        return have == b64decode(want, validate=True)
    except (NotBase64, ValueError):
        return False


def _ip(value, want):
    try:  # an address without a prefix is a range of one
        address, network = ip_address(_text(value)), ip_network(want, strict=False)
    except ValueError:
        return False
    return address.version == network.version and address in network


def _arn(value, want):
    have, wants = _text(value).split(":", 5), want.split(":", 5)
    wants += [ANY] * (6 - len(wants))  # an incomplete ARN stands for all below it
    return len(have) == 6 and all(map(glob, wants, have))


def _compared(read, compare):
    def same(value, want):
        left, right = read(value), read(want)
        return left is not None and right is not None and compare(left, right)
    return same


_ORDER = {"LessThan": lambda a, b: a < b, "LessThanEquals": lambda a, b: a <= b,
          "GreaterThan": lambda a, b: a > b, "GreaterThanEquals": lambda a, b: a >= b}
_EQUAL = {"Numeric": _compared(_number, lambda a, b: a == b), "Date": _compared(moment, lambda a, b: a == b)}

# name -> (does a request's value match the policy's?, is that then negated?, are * and ? wildcards?)
OPERATORS = {
    "StringEquals": (_string, False, False), "StringNotEquals": (_string, True, False),
    "StringEqualsIgnoreCase": (_string_any_case, False, False),
    "StringNotEqualsIgnoreCase": (_string_any_case, True, False),
    "StringLike": (_string, False, True), "StringNotLike": (_string, True, True),
    "Bool": (_bool, False, False), "BinaryEquals": (_binary, False, False),
    "IpAddress": (_ip, False, False), "NotIpAddress": (_ip, True, False),
    "ArnEquals": (_arn, False, True), "ArnLike": (_arn, False, True),
    "ArnNotEquals": (_arn, True, True), "ArnNotLike": (_arn, True, True),
    "Null": (None, False, False),
    **{f"{kind}Equals": (same, False, False) for kind, same in _EQUAL.items()},
    **{f"{kind}NotEquals": (same, True, False) for kind, same in _EQUAL.items()},
    **{kind + order: (_compared(read, compare), False, False)
       for kind, read in (("Numeric", _number), ("Date", moment)) for order, compare in _ORDER.items()},
}


def _sentence(name, key, wanted, context, held) -> str:
    values = context.values(key)
    has = " and ".join(_text(value) or "empty" for value in values) if values else "not in the request"
    asks = " or ".join(_text(want) or "empty" for want in wanted) or "nothing"
    return f"{key} is {has}: {name} {asks} {'holds' if held else 'does not hold'}"
