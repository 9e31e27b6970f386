"""Values between a teacher's checks and a learner's code: as they were, or a thing without a behaviour."""

import enum
import json
import math
from collections import Counter, OrderedDict, namedtuple
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest

from kit.classroom.values import LONGEST, Thing, decode, encode, packed, unpacked


def there_and_back(value):
    return decode(unpacked(packed({"value": encode(value)}))["value"])


@pytest.mark.parametrize("value", [
    None, True, 0, -7, 10**300, 1.5, math.inf, "", "text\n\0", "\ud800", b"\0\xff", [], [1, [2]], (), (1, (2, [3])), {},
    {"a": {"b": (1,)}}, {1: 2, None: 3, (1, 2): 4}, {"dict": [], "thing": 1}, set(), {1, 2}, frozenset({1}), ...,
    datetime(2026, 11, 28, 12, 30, tzinfo=timezone.utc), datetime(2026, 1, 1), date(2026, 1, 1), time(1, 2),
    timedelta(days=-1, microseconds=5), Decimal("1.10"), Fraction(1, 3)])
def test_plain_values_come_back_as_they_were(value):
    back = there_and_back(value)
    assert back == value and type(back) is type(value)


def test_what_is_not_a_number_stays_so():
    assert math.isnan(there_and_back(math.nan))


class Colour(enum.IntEnum):
    RED = 1


class Equal(int):
    def __eq__(self, other):
        return True
    __hash__ = int.__hash__


@pytest.mark.parametrize("value, plain", [
    (Colour.RED, 1), (Counter("aab"), {"a": 2, "b": 1}), (OrderedDict(a=1), {"a": 1}), (bytearray(b"a"), b"a"),
    (namedtuple("Point", "x y")(1, 2), (1, 2)), ({"a": 1}.keys(), {"a"}), (Equal(5), 5)])
def test_kinds_of_plain_values_come_back_plain(value, plain):
    back = there_and_back(value)
    assert type(back) is type(plain) and back == plain and back != 99


@pytest.mark.parametrize("value", [object(), lambda: 1, open, type, (n for n in "ab"), pytest.param(10**5000, id="huge"),
                                   pytest.param(list(range(LONGEST)), id="long")])
def test_anything_else_is_a_thing_that_equals_nothing(value):
    back = there_and_back([value])[0]
    assert type(back) is Thing and back != value and back != Thing("object") and "0x" not in repr(back)


def test_a_collection_inside_itself_has_an_end():
    value = []
    value.append(value)
    assert "too deep" in repr(there_and_back(value))


def test_a_function_is_called_through_a_number():
    functions, asked = [], []
    [back] = decode(encode([max], functions), lambda *call: asked.append(call) or 7)
    assert functions == [max] and back(1, 2, key=len) == 7
    assert asked == [(0, (1, 2), {"key": len})] and repr(back) == "a function"


@pytest.mark.parametrize("nonsense", [
    {}, {"a": 1, "b": 2}, {"unknown": 1}, {"dict": 1}, {"dict": [[1]]}, {"dict": [[[], 1]]}, {"set": [[]]}, {"bytes": 1},
    {"bytes": "x"}, {"datetime": 5}, {"datetime": "never"}, {"timedelta": [1]}, {"timedelta": [10**10, 0, 0]},
    {"fraction": [1, 0]}, {"decimal": "x"}, {"decimal": None}, {"function": 0}, {"tuple": None}])
def test_what_no_value_gives_is_refused(nonsense):
    with pytest.raises(ValueError):
        decode(nonsense)


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b"{", b"[" * 100_000, b'{"n": ' + b"9" * 10_000 + b"}", b"\xff"])
def test_a_line_that_is_no_message_is_refused(line):
    with pytest.raises(ValueError):
        unpacked(line)


def test_depth_and_length_have_a_limit():
    value = 1
    for _ in range(200):
        value = [value]
    with pytest.raises(ValueError, match="too deep"):
        decode(json.loads(json.dumps(value)))
    with pytest.raises(ValueError, match="longer"):
        packed({"value": "x" * LONGEST})
