"""Plain values as JSON and back, between a teacher's checks and a learner's code that runs apart.

What comes from a learner becomes numbers, text, times and collections of these, never an object with a behaviour of
its own: nothing in it can claim to be equal to everything, or run when it is looked at. What is none of these becomes
a ``Thing``, which is equal to nothing else and of which only the kind is known. A function becomes a number, by which
it can be called.
"""

import json
from collections.abc import Callable, Mapping, Set, Sized
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

LONGEST = 1_000_000  # characters of one message
DEEPEST = 50  # collections inside one another


class Thing:
    """Something of a learner's that stays where it is."""

    def __init__(self, kind: str):
        self._kind = kind

    def __repr__(self) -> str:
        return f"a {self._kind}"


class Answer:
    """A function of a learner's, to be called."""

    def __init__(self, ask: Callable, number: int):
        self._ask, self._number = ask, number

    def __call__(self, *arguments, **named):
        return self._ask(self._number, arguments, named)

    def __repr__(self) -> str:
        return "a function"


def packed(message: dict) -> bytes:
    """A message as one line. ValueError if it is too long."""
    line = json.dumps(message).encode() + b"\n"
    if len(line) > LONGEST:
        raise ValueError(f"a message of {len(line)} characters is longer than {LONGEST}")
    return line


def unpacked(line: bytes) -> dict:
    """The message of a line. ValueError if it is none."""
    try:
        message = json.loads(line)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(message, dict):
        raise ValueError("no message")
    return message


def encode(value, functions: list | None = None, depth: int = 0):
    """A value for a message. functions: a list that takes the functions met; they are called by their place in it."""
    kind = type(value)
    if value is None or kind in (bool, float, str) or kind is int and value.bit_length() < 10_000:
        return value
    if depth > DEEPEST:
        return {"thing": "collection that is too deep"}
    if isinstance(value, Sized) and kind is not str and len(value) > LONGEST // 2:
        return {"thing": f"{kind.__name__[:60]} that is too long"}

    def inner(values):
        return [encode(one, functions, depth + 1) for one in values]

    if kind is list:
        return inner(value)
    if value is ...:
        return {"blank": None}
    for name, (types, take, _) in _FORMS.items():
        if isinstance(value, types):
            return {name: take(value)}
    if isinstance(value, Mapping):
        return {"dict": [inner(pair) for pair in value.items()]}
    for name, types in _COLLECTIONS.items():
        if isinstance(value, types):
            return {name: inner(value)}
    if callable(value) and functions is not None:
        functions.append(value)
        return {"function": len(functions) - 1}
    for plain in (str, bool, int, float):  # one of a kind of its own, such as a member of an Enum
        if kind is not plain and isinstance(value, plain):
            return encode(plain(value), functions, depth + 1)
    return {"thing": kind.__name__[:60]}


def decode(value, ask: Callable | None = None, depth: int = 0):
    """A value from a message. ask(number, arguments, named): calls a function. ValueError: encode() makes no such."""
    if depth > 2 * DEEPEST:
        raise ValueError("too deep")
    if isinstance(value, list):
        return [decode(one, ask, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    try:
        [(name, inner)] = value.items()
        if name == "blank":
            return ...
        if name == "thing":
            return Thing(str(inner)[:60])
        if name == "function" and ask is not None:
            return Answer(ask, int(inner))
        if name == "dict":
            return {decode(key, ask, depth + 1): decode(one, ask, depth + 1) for key, one in inner}
        if name in _COLLECTIONS:
            return _MAKE[name](decode(one, ask, depth + 1) for one in inner)
        return _FORMS[name][2](inner)
    except (TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"no value: {error}") from None


_FORMS = {  # name: types, into JSON, out of it; a datetime is a date too, so it stands first
    "bytes": ((bytes, bytearray), lambda value: value.hex(), bytes.fromhex),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "timedelta": (timedelta, lambda value: [value.days, value.seconds, value.microseconds],
                  lambda parts: timedelta(parts[0], parts[1], parts[2])),
    "decimal": (Decimal, lambda value: str(value)[:100], lambda text: Decimal(text[:100])),
    "fraction": (Fraction, lambda value: [value.numerator, value.denominator],
                 lambda parts: Fraction(parts[0], parts[1]))}
_COLLECTIONS = {"list": list, "tuple": tuple, "frozenset": frozenset, "set": Set}
_MAKE = {"list": list, "tuple": tuple, "frozenset": frozenset, "set": set}
