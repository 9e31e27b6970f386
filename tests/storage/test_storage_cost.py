"""Costs of classes: closed forms, each checked against the sum it is the zero of."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.storage.storage_classes import CLASSES, GB, KB, MONTH, object_rate, read_price
from kit.storage.storage_cost import (by_access, cheapest, compare, crossing, early_deletion, keep, mean_rate, pays_back,
                                      smallest)

COLD = ["STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]


def test_a_gigabyte_for_a_year():
    cost = keep("STANDARD", GB, 12)
    assert cost.storage == pytest.approx(12 * 0.023) and cost.retrieval == cost.early == 0
    assert cost.total == pytest.approx(cost.storage + 5e-6)
    read = keep("STANDARD_IA", GB, 12, reads=2, objects=10)
    assert read.retrieval == pytest.approx(10 * 24 * 0.01) and read.requests == pytest.approx(10 * (1e-5 + 24 * 1e-6))


@pytest.mark.parametrize("name, days", [("STANDARD_IA", 30), ("GLACIER_IR", 90), ("GLACIER", 90), ("DEEP_ARCHIVE", 180)])
def test_who_deletes_early_pays_to_the_end(name, days):
    """"Expiring objects", minimum storage duration charge: expired before 30, 90, 180 days, charged for all of them."""
    whole = object_rate(name, GB) * days / MONTH
    for kept in (0, days / 3, days):
        cost = keep(name, GB, kept / MONTH)
        assert cost.storage + cost.early == pytest.approx(whole)
    assert early_deletion(name, GB, days / MONTH) == 0 and early_deletion("STANDARD", GB, 0) == 0


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.sampled_from(COLD), st.integers(1, 2**33), st.floats(0.2, 60))
def test_at_the_crossing_two_classes_cost_the_same(cold, size, months):
    at = crossing(cold, size=size, months=months)
    gap = [keep(cold, size, months, reads).total - keep("STANDARD", size, months, reads).total
           for reads in (at, at * 1.01 + 1e-6)]
    assert gap[1] > 0
    if at > 0:
        assert gap[0] == pytest.approx(0, abs=1e-9 * keep("STANDARD", size, months, at).total + 1e-15)
        assert keep(cold, size, months, at * 0.99).total < keep("STANDARD", size, months, at * 0.99).total
    else:
        assert gap[0] >= 0


def test_infrequent_access_stops_paying_at_about_a_read_a_month():
    """(0.023 - 0.0125) / 0.01: "infrequently accessed data (once a month)", as the guide's table puts it."""
    assert crossing("STANDARD_IA", size=GB) == pytest.approx(1.05, abs=0.001)
    assert crossing("STANDARD_IA", size=GB, months=0.5) == 0.0  # gone before its 30 days
    assert crossing("GLACIER_IR", "STANDARD_IA", size=GB) == pytest.approx((0.0125 - 0.004) / (0.03 - 0.01), abs=0.001)
    assert crossing("GLACIER", size=GB, tier="Bulk") > 20  # only the copy of a day is paid for
    with pytest.raises(ValueError, match="Intelligent-Tiering"):
        crossing("INTELLIGENT_TIERING")


@pytest.mark.parametrize("cold", COLD)
def test_below_a_size_standard_is_cheaper(cold):
    size = smallest(cold)
    assert 5 * KB < size < 128 * KB
    assert object_rate(cold, round(size) + 8) < object_rate("STANDARD", round(size) + 8)
    assert object_rate(cold, round(size) - 8) > object_rate("STANDARD", round(size) - 8)
    assert smallest("STANDARD") == smallest("INTELLIGENT_TIERING") == inf


@pytest.mark.parametrize("cold", COLD)
def test_a_transition_has_to_earn_its_request(cold):
    months = pays_back(cold, size=2**20)
    moved = months * object_rate(cold, 2**20) + CLASSES[cold].transition
    assert moved == pytest.approx(months * object_rate("STANDARD", 2**20))
    assert pays_back(cold, size=4 * KB) == inf


def test_intelligent_tiering_is_the_mean_of_its_tiers():
    """30 days Frequent, 60 days Infrequent, the rest Archive Instant Access; back to the start with each read."""
    own = (30 * 0.023 + 60 * 0.0125 + 10 * 0.004) / 100 + 2.5e-6
    assert mean_rate("INTELLIGENT_TIERING", GB, 100 / MONTH) == pytest.approx(own)
    assert mean_rate("INTELLIGENT_TIERING", GB, 120, reads=MONTH / 100) == pytest.approx(own)
    assert mean_rate("INTELLIGENT_TIERING", GB, 120, reads=2) == pytest.approx(0.023 + 2.5e-6)
    assert mean_rate("INTELLIGENT_TIERING", GB, inf) == pytest.approx(0.004 + 2.5e-6)


def test_the_cheapest_class_follows_the_reads():
    assert [cheapest(GB, 60, reads, online=False) for reads in (0, 0.2, 30)] == ["DEEP_ARCHIVE", "DEEP_ARCHIVE", "STANDARD"]
    assert cheapest(GB, 60) == "GLACIER_IR" and cheapest(GB, 0.1) == "STANDARD" and cheapest(1 * KB, 60) in (
        "STANDARD", "INTELLIGENT_TIERING")


def test_the_tables_are_made_of_the_same_sums():
    table = compare(size=2**20, objects=1000, years=2, reads=0.5)
    assert table["month"] == list(range(25)) and table["GLACIER_IR"][24] == keep("GLACIER_IR", 2**20, 24, 0.5, 1000).total
    for name in CLASSES:
        assert table[name] == sorted(table[name])
    access = by_access(size=2**20, objects=1000, years=2, most=2)
    once = keep("STANDARD_IA", 2**20, 24, 1, 1000).total
    assert access["reads"][30] == 1 and access["STANDARD_IA"][30] == pytest.approx(once) and access["reads"][-1] == 2


@pytest.mark.parametrize("wrong", [{"size": -1, "months": 1}, {"size": 1, "months": -1},
                                   {"size": 1, "months": 1, "reads": -1}])
def test_nonsense_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match="none of them below 0"):
        keep("STANDARD", **wrong)
    assert read_price("STANDARD", 0) > 0
