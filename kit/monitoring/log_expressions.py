"""What an expression of CloudWatch Logs Insights is worth: for one log event, and for a group of them.

An expression is a nested tuple, as ``log_query`` reads it: ("sign", "+", ("field", "ms"), ("literal", 1)). The page
and what is simplified stand in ``log_insights``.
"""

import ipaddress
import math
import re
from datetime import datetime, timedelta, timezone
from statistics import pstdev

from kit.sim import percentile


class Moment(int):
    """Milliseconds since 1970 that are shown as a date."""

    def __str__(self) -> str:
        when = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=int(self))
        return f"{when:%Y-%m-%d %H:%M:%S}.{int(self) % 1000:03d}"


def evaluate(node, row: dict):
    """What an expression is for a row; None is missing."""
    kind, *parts = node
    if kind == "field":
        return row.get(parts[0])
    if kind == "literal":
        return parts[0]
    if kind == "not":
        return int(not is_true(evaluate(parts[0], row)))
    if kind == "and":
        return int(is_true(evaluate(parts[0], row)) and is_true(evaluate(parts[1], row)))
    if kind == "or":
        return int(is_true(evaluate(parts[0], row)) or is_true(evaluate(parts[1], row)))
    if kind == "like":
        value = evaluate(parts[0], row)
        return int(value is not None and parts[1].search(as_text(value)) is not None)
    if kind == "in":
        value = evaluate(parts[0], row)
        return int(any(_compare("=", value, evaluate(one, row)) for one in parts[1]))
    if kind == "call":
        name, arguments = parts
        if name == "bin":
            return _floor(row.get("@timestamp"), evaluate(arguments[0], row))
        return FUNCTIONS[name](*(evaluate(one, row) for one in arguments))
    if kind == "sign":
        return _calculate(parts[0], evaluate(parts[1], row), evaluate(parts[2], row))
    return int(_compare(parts[0], evaluate(parts[1], row), evaluate(parts[2], row)))


def aggregate(node, rows: list[dict]):
    kind, *parts = node
    if kind == "call" and parts[0] in AGGREGATES:
        arguments = parts[1]
        if parts[0] == "count" and (not arguments or arguments[0] == ("star",)):
            return len(rows)
        values = [(row, value) for row in rows if (value := evaluate(arguments[0], row)) is not None]
        return AGGREGATES[parts[0]](values, *(evaluate(one, {}) for one in arguments[1:])) if values else \
            0 if parts[0].startswith("count") else None
    if kind == "call":
        return FUNCTIONS[parts[0]](*(aggregate(part, rows) for part in parts[1]))
    if kind == "sign":
        return _calculate(parts[0], aggregate(parts[1], rows), aggregate(parts[2], rows))
    return evaluate(node, rows[0])


def _compare(sign: str, left, right) -> bool:
    if left is None or right is None:
        return False
    one, other = _number(left), _number(right)
    if one is None or other is None:
        one, other = as_text(left), as_text(right)
    return {"=": one == other, "!=": one != other, "<": one < other, "<=": one <= other, ">": one > other,
            ">=": one >= other}[sign]


def _calculate(sign: str, left, right):
    one, other = _number(left), _number(right)
    if one is None or other is None:
        return None
    try:
        result = {"+": lambda: one + other, "-": lambda: one - other, "*": lambda: one * other,
                  "/": lambda: one / other, "%": lambda: math.fmod(one, other),
                  "^": lambda: math.pow(one, other)}[sign]()
    except (ArithmeticError, ValueError):
        return None  # a division by zero has no value
    return result if math.isfinite(result) else None


def is_true(value) -> bool:
    return value not in (None, 0, "")


def _number(value) -> float | None:
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value) else None
    return value


def sort_key(value):
    number = _number(value)
    return (0, 0) if value is None else (1, value) if number is None else (2, number)


def as_text(value) -> str:
    if isinstance(value, (str, Moment)):
        return str(value)
    return str(int(value)) if value == int(value) else str(round(value, 4))


def _floor(moment, period, up: bool = False):
    if moment is None or not period:
        return None
    return Moment(int((math.ceil if up else math.floor)(_number(moment) / period) * period))


def _numeric(function):
    """A function of numbers: missing or no number in, missing out."""
    def call(*values):
        numbers = [_number(value) for value in values]
        try:
            return None if None in numbers else function(*numbers)
        except (ArithmeticError, ValueError):
            return None
    return call


def _textual(function):
    def call(text, *values):
        return None if text is None or None in values else function(as_text(text), *values)
    return call


def _strip(how):
    def strip(text, what=None):
        if what is None:
            return getattr(text, how + "strip")()
        while what and how in ("", "l") and text.startswith(what):
            text = text[len(what):]
        while what and how in ("", "r") and text.endswith(what):
            text = text[:-len(what)]
        return text
    return _textual(strip)


def _address(text, version=None, subnet=None) -> int:
    try:
        address = ipaddress.ip_address(as_text(text or ""))
        network = None if subnet is None else ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return 0
    return int(version in (None, address.version) and (network is None or address in network))


FUNCTIONS = {
    "abs": _numeric(abs), "ceil": _numeric(math.ceil), "floor": _numeric(math.floor), "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt), "greatest": _numeric(lambda *n: max(n)), "least": _numeric(lambda *n: min(n)),
    "ispresent": lambda value: int(value is not None),
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "isempty": lambda value: int(value in (None, "")),
    "isblank": lambda value: int(value is None or not as_text(value).strip()),
    "concat": lambda *values: "".join(as_text(value) for value in values if value is not None),
    "ltrim": _strip("l"), "rtrim": _strip("r"), "trim": _strip(""), "strlen": _textual(len),
    "toupper": _textual(str.upper), "tolower": _textual(str.lower),
    "substr": _textual(lambda text, start, size=None: text[int(start):None if size is None else int(start + size)]),
    "replace": _textual(lambda text, what, by: text.replace(as_text(what), as_text(by))),
    "strcontains": _textual(lambda text, what: int(as_text(what) in text)),
    "datefloor": _floor, "dateceil": lambda moment, period: _floor(moment, period, up=True), "bin": _floor,
    "frommillis": _numeric(lambda number: Moment(int(number))), "tomillis": _numeric(int),
    "isvalidip": _address, "isvalidipv4": lambda text: _address(text, 4), "isvalidipv6": lambda text: _address(text, 6),
    "isipinsubnet": lambda text, subnet: _address(text, None, subnet),
    "isipv4insubnet": lambda text, subnet: _address(text, 4, subnet),
    "isipv6insubnet": lambda text, subnet: _address(text, 6, subnet),
}


def _numbers(values) -> list[float]:
    return [number for _, value in values if (number := _number(value)) is not None]


def _in_time(values) -> list:
    """The values, by their event's timestamp (a row that stats made has none)."""
    return [value for _, value in sorted(values, key=lambda pair: pair[0].get("@timestamp", 0))]


def _sorted(values) -> list:
    return sorted((value for _, value in values), key=sort_key)


AGGREGATES = {
    "count": len, "count_distinct": lambda values: len({as_text(value) for _, value in values}),
    "sum": lambda values: sum(_numbers(values)),
    "avg": lambda values: sum(numbers) / len(numbers) if (numbers := _numbers(values)) else None,
    "min": lambda values: _sorted(values)[0], "max": lambda values: _sorted(values)[-1],
    "pct": lambda values, percent: percentile(numbers, percent) if (numbers := _numbers(values)) else None,
    "stddev": lambda values: pstdev(numbers) if (numbers := _numbers(values)) else None,
    "earliest": lambda values: _in_time(values)[0], "latest": lambda values: _in_time(values)[-1],
    "sortsfirst": lambda values: _sorted(values)[0], "sortslast": lambda values: _sorted(values)[-1],
}
