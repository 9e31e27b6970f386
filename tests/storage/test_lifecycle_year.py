"""A bucket over years: the cohorts against the run object by object, and against sums done by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.storage.lifecycle_check import check_lifecycle
from kit.storage.lifecycle_year import COLUMNS, KINDS, RULES, Kind, object_by_object, saved, simulate
from kit.storage.storage_classes import CLASSES, GB, MONTH, object_rate

ONE = (Kind("a/", 1.0, GB),)


def days_in(run, name):
    return sum(value > 0 for value in run[name])


def test_the_rules_would_be_accepted():
    check_lifecycle(list(RULES))


@pytest.mark.parametrize("rules", [RULES, (), (
    {"Filter": {}, "Transitions": [{"Days": 0, "StorageClass": "INTELLIGENT_TIERING"}], "Expiration": {"Days": 200}},)],
                         ids=["rules", "none", "intelligent"])
def test_cohorts_and_single_objects_agree(rules):
    """Whenever in the day an object came, the midnight rule sends it with all others of that day."""
    fast, slow = simulate(1000, rules, days=300), object_by_object(1000, rules, days=300)
    for column in COLUMNS:
        assert fast[column] == pytest.approx(slow[column], rel=1e-9, abs=1e-9), column


def test_one_object_goes_its_way():
    """30 days after its first day's end it is in IA, 90 days after in Glacier, 365 days after gone: midnight rule."""
    rules = ({"Filter": {}, "Expiration": {"Days": 365}, "Transitions": [
        {"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}]},)
    run = simulate(1, rules, days=800, kinds=ONE)
    born = run["objects"].index(1)
    assert [run[name].index(GB) - born for name in ("STANDARD", "STANDARD_IA", "GLACIER")] == [0, 31, 91]
    assert run["expired"].index(1) - born == 366 and sum(run["transitions"]) == 2
    assert [days_in(run, name) for name in ("STANDARD", "STANDARD_IA", "GLACIER")] == [31, 60, 275]


def test_the_bill_of_one_object_by_hand():
    """Eleven days of Standard, two requests, and Deep Archive's 180 days, though it is there for 120 only."""
    rules = ({"Filter": {}, "Expiration": {"Days": 130}, "Transitions": [{"Days": 10, "StorageClass": "DEEP_ARCHIVE"}]},)
    run = simulate(1, rules, days=800, kinds=ONE)
    warm, cold = object_rate("STANDARD", GB), object_rate("DEEP_ARCHIVE", GB)
    assert run["total"][-1] == pytest.approx(11 * warm / MONTH + 180 * cold / MONTH + 5e-6 + 5e-5)


def test_intelligent_tiering_steps_down_only_while_the_object_is_there():
    """31 days Frequent (the first of them in Standard), 30 days Infrequent, then Glacier: no third tier."""
    rules = ({"Filter": {}, "Expiration": {"Days": 300}, "Transitions": [
        {"Days": 0, "StorageClass": "INTELLIGENT_TIERING"}, {"Days": 60, "StorageClass": "GLACIER"}]},)
    run = simulate(1, rules, days=800, kinds=ONE)
    frequent, infrequent = (object_rate("INTELLIGENT_TIERING", GB, idle) for idle in (0, 30))
    assert sum(run["$ INTELLIGENT_TIERING"]) == pytest.approx(30 * (frequent + infrequent) / MONTH)
    assert sum(run["$ GLACIER"]) == pytest.approx(240 * object_rate("GLACIER", GB) / MONTH)
    assert set(run["$ INTELLIGENT_TIERING"][-300:]) == {0.0}


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(1, 3000), st.integers(1, 500), st.integers(0, 50))
def test_nothing_is_lost(objects, days, seed):
    """What came is there or has been expired, and each byte is in one class."""
    run = simulate(objects, days=days, seed=seed)
    assert run["objects"][-1] + sum(run["expired"]) == objects
    assert min(min(run[name]) for name in CLASSES) >= 0
    assert sum(run[name][-1] for name in CLASSES) <= objects * max(kind.size for kind in KINDS)
    assert run["total"] == sorted(run["total"])


def test_without_rules_all_stays_in_standard():
    run = simulate(10_000, (), days=365)
    assert not any(run["transitions"]) and days_in(run, "STANDARD_IA") == 0
    assert run["STANDARD"][-1] == sum(round(10_000 * kind.share) * kind.size for kind in KINDS)
    assert run["$ STANDARD"][-1] == pytest.approx(run["STANDARD"][-1] / GB * 0.023 / MONTH)


def test_small_objects_are_left_where_they_are():
    """32 KB are below 128 KB."""
    run = simulate(1000, kinds=(Kind("thumbnails/", 1.0, 32 * 1024),), days=400)
    assert not any(run["transitions"]) and run["STANDARD"][-1] == 1000 * 32 * 1024


def test_rules_save_for_large_objects_and_cost_for_small_ones():
    assert saved() > 0
    tiny = (Kind("logs/", 1.0, 4 * 1024),)
    forced = ({"Filter": {"ObjectSizeGreaterThan": 1}, "Transitions": [{"Days": 0, "StorageClass": "STANDARD_IA"}]},)
    assert saved(10_000, forced, 365, tiny) < 0


def test_the_same_seed_is_the_same_run():
    assert simulate(1000, days=50) == simulate(1000, days=50) != simulate(1000, days=50, seed=2)
    spread = object_by_object(500, days=50, spread=1.0)
    assert spread == object_by_object(500, days=50, spread=1.0) != object_by_object(500, days=50)


def test_a_million_is_a_matter_of_days_not_of_objects():
    """The work of a run is cohorts: as many for a million as for ten thousand, with a hundred times the bytes."""
    few, many = simulate(10_000, days=100), simulate(1_000_000, days=100)
    assert len(few) == len(many) == 100
    assert many["STANDARD"][-1] == pytest.approx(100 * few["STANDARD"][-1], rel=0.02)
