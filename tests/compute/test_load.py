"""How much work a server has: a number, a day's rise and fall, 24 numbers."""

import pytest

from kit.compute.load import Load


def test_given_numbers_then_each_holds_until_the_next():
    load = Load()
    assert load.at(0) == 0
    load.set(10, 0.5)
    load.set(20, 2)
    assert [load.at(now) for now in (9, 10, 19, 20, 1e6)] == [0, 0.5, 0.5, 2, 2] and load.steady


def test_given_a_day_then_it_is_high_at_its_peak_and_low_half_a_day_away():
    load = Load()
    load.set(0, {"low": 1, "high": 5, "peak_hour": 14})
    assert load.at(14 * 3600) == pytest.approx(5) and load.at(2 * 3600) == pytest.approx(1)
    assert load.at(14 * 3600 + 3 * 86_400) == pytest.approx(5) and not load.steady


def test_given_24_numbers_then_one_for_each_hour_of_every_day():
    load = Load()
    load.set(0, list(range(24)))
    assert load.at(5 * 3600 + 59) == 5 and load.at(86_400 + 23 * 3600) == 23


@pytest.mark.parametrize("amount", [-1, "much", float("nan"), [1, 2], {"low": 1}, {"low": 1, "high": 2, "peak": 3}, None, {"low": -1, "high": 2}])
def test_given_nonsense_then_it_says_what_a_load_is(amount):
    load = Load()
    with pytest.raises(ValueError, match="load is|day"):
        load.set(0, amount)
    assert load.at(1) == 0
