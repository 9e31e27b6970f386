"""A day of traffic over five fleets."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.balancing.theory import erlang_c
from kit.compute import traffic_day
from kit.compute.traffic_day import FLEETS, compare, shape, simulate, summary

HARD = {"steep": 8.0, "boot": 600.0, "target": 70.0}  # a morning that comes faster than instances start


def test_the_wait_is_erlangs():
    for servers, utilization in ((1, 0.5), (4, 0.8), (20, 0.95)):
        expected = erlang_c(servers, servers * utilization) / (servers * (1 - utilization))
        assert traffic_day._wait(servers, utilization) == pytest.approx(expected)


def test_the_fixed_fleet_costs_what_its_hours_cost():
    day = simulate("fixed", peak=1000, rate=100, target=50, price=0.10)
    assert set(day["capacity"]) == {20}
    assert day["cost"][-1] == pytest.approx(20 * 24 * 0.10)


def test_given_the_same_seed_then_the_same_day_and_every_fleet_has_the_same_traffic():
    days = {fleet: simulate(fleet, seed=3) for fleet in FLEETS}
    assert all(day["demand"] == days["fixed"]["demand"] for day in days.values())
    assert simulate("predictive", seed=3) == days["predictive"] != simulate("predictive", seed=4)


def test_on_an_ordinary_day_the_fleets_that_follow_the_demand_cost_less_and_refuse_nobody():
    """Cost and latency of the five side by side."""
    costs = {row["fleet"]: row for row in compare()}
    assert all(row["refused"] == 0 for row in costs.values())
    assert max(costs["step"]["cost"], costs["target"]["cost"], costs["predictive"]["cost"]) < costs["scheduled"]["cost"]
    assert costs["scheduled"]["cost"] < 0.75 * costs["fixed"]["cost"]


@pytest.mark.parametrize("seed", range(4))
def test_given_a_steep_morning_and_slow_instances_then_predictive_is_there_and_target_is_late(seed):
    """"Predictive scaling": well suited when applications take long to initialize."""
    target, predictive = (summary(simulate(fleet, seed=seed, **HARD)) for fleet in ("target", "predictive"))
    assert target["refused"] > 10 * predictive["refused"] and target["refused"] > 0.001
    assert predictive["cost"] < 1.1 * target["cost"]


def test_given_a_spike_nobody_foresaw_then_only_fleets_that_react_grow():
    days = {fleet: summary(simulate(fleet, spike=2.5, spike_at=14)) for fleet in FLEETS}
    assert days["fixed"]["most"] == days["scheduled"]["most"] == 20
    assert days["target"]["most"] > 30 and days["target"]["refused"] < days["fixed"]["refused"] / 5


def test_target_tracking_keeps_the_cpu_near_its_target_by_day():
    day = simulate("target")
    by_day = day["cpu"][11 * 60:17 * 60]
    assert 40 < sum(by_day) / len(by_day) <= 50


def test_the_shape_has_its_peak_by_day_and_its_trough_by_night():
    hours = [shape(minute / 60, 0.15) for minute in range(1440)]
    assert 0.95 < max(hours) <= 1 and 0.15 <= min(hours) < 0.2
    assert 9 * 60 < hours.index(max(hours)) < 16 * 60


@given(st.sampled_from(FLEETS), st.floats(10, 3000), st.floats(0, 1), st.floats(20, 100), st.floats(0, 900),
       st.floats(0, 4), st.integers(0, 99))
@settings(max_examples=25)
def test_whatever_the_sliders_say_the_records_add_up(fleet, peak, trough, target, boot, spike, seed):
    day = simulate(fleet, peak=peak, trough=trough, target=target, boot=boot, spike=spike, seed=seed)
    assert len(day) == 1440
    assert all(0 <= cpu <= 100 for cpu in day["cpu"])
    assert all(0.01 <= latency <= 5.01 for latency in day["latency"])
    assert sum(day["refused"]) <= 60 * sum(day["demand"])
    assert day["cost"] == sorted(day["cost"])
    assert all(capacity <= launched for capacity, launched in zip(day["capacity"], day["launched"]))


def test_a_day_is_quick_enough_for_a_slider():
    simulate("predictive")
    began = process_time()
    simulate("predictive")
    assert process_time() - began < 0.12  # about a tenth of that on an idle machine


@pytest.mark.parametrize("wrong", [{"fleet": "magic"}, {"peak": 0}, {"trough": 2}, {"target": 120}])
def test_given_nonsense_then_the_error_says_what_to_give(wrong):
    with pytest.raises(ValueError):
        simulate(**wrong)
