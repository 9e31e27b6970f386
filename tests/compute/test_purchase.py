"""Ways to pay: "Amazon EC2 billing and purchasing options", "Capacity Reservation pricing and billing", and closed forms."""

from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.purchase import (DISCOUNTS, EVERY_HOUR, MONTH, NOTICE, PRICES, RESERVED, UPFRONT, break_even, capacity_bill, compare, cost,
                                  reservation, servers_on_host, spot_day, spot_job)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.sampled_from(["savings plan", "reserved"]), st.floats(0.05, 0.9), st.floats(0.01, 5))
def test_a_promise_pays_above_the_break_even(option, discount, price):
    at = break_even(option, discount) * MONTH
    promise = cost(option, 0, price, discount)
    assert cost("on-demand", at, price) == pytest.approx(promise)
    assert cost("on-demand", max(0, at - 1), price) < promise + 1e-9
    assert promise == cost(option, MONTH, price, discount)  # paid whether it is used or not


def test_what_is_not_used_costs_nothing_on_demand():
    assert cost("on-demand", 0) == cost("spot", 0) == 0 and all(cost(option, 0) > 0 for option in EVERY_HOUR)
    assert len(compare()) == 74 and compare()["hours"][-1] == MONTH


def test_a_kept_place_never_pays_by_its_price_alone():
    """"Capacity Reservation pricing and billing": the On-Demand rate whether you run instances or not."""
    assert break_even("capacity reservation") == 1 and cost("capacity reservation", 10) == cost("on-demand", MONTH)


def test_the_guides_capacity_reservations():
    """"Capacity Reservation pricing and billing": 20 reserved, 15 running: 15 servers and 5 unused; $0.10 for an unused hour of m4.large."""
    assert capacity_bill(20, 15, price=1.0) == {"running": 15, "unused": 5}
    hours = [capacity_bill(1, running, 0.10) for running in (0, 1, 1, 1, 1)] + [capacity_bill(0, 1, 0.10)]  # the page's six hours
    assert [hour["unused"] for hour in hours] == [0.10, 0, 0, 0, 0, 0] and [hour["running"] for hour in hours] == [0] + [0.10] * 5


def test_a_host_pays_when_it_is_full_enough():
    at = servers_on_host(price=0.1, host_price=4.4)
    assert cost("dedicated host", 0, 4.4) == pytest.approx(at * cost("on-demand", MONTH, 0.1)) and at == pytest.approx(44)


@pytest.mark.parametrize("wrong", [("free", 1), ("spot", -1), ("spot", 800)])
def test_nonsense_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match="there are|a month has"):
        cost(*wrong)


@pytest.mark.parametrize("offering, years", RESERVED)
@pytest.mark.parametrize("payment", UPFRONT)
def test_a_reservation_adds_up(offering, years, payment):
    """"Reserved Instances payment options": nothing, a part or all at once; what is left by the month; used or not."""
    bought = reservation(0.096, offering, years, payment)
    assert bought.upfront + bought.monthly * 12 * years == pytest.approx(bought.total) == pytest.approx(bought.an_hour * MONTH * 12 * years)
    assert (bought.upfront == 0) == (payment == "No Upfront") and (bought.monthly == 0) == (payment == "All Upfront")
    assert bought.an_hour == pytest.approx(bought.break_even * 0.096)


def test_more_upfront_longer_and_less_freedom_is_cheaper():
    """"Reserved Instances with a higher upfront payment provide greater discounts"; standard up to 72 %, convertible up to 66 %."""
    for offering, years in RESERVED:
        prices = [reservation(1.0, offering, years, payment).an_hour for payment in ("No Upfront", "Partial Upfront", "All Upfront")]
        assert prices == sorted(prices, reverse=True) and min(prices) > (1 - 0.72 if offering == "standard" else 1 - 0.66)
    for years in (1, 3):
        assert reservation(1.0, "standard", years).an_hour < reservation(1.0, "convertible", years).an_hour
    for offering in ("standard", "convertible"):
        assert reservation(1.0, offering, 3).an_hour < reservation(1.0, offering, 1).an_hour
    assert reservation(1.0, discount=0.5).break_even == 0.5


@pytest.mark.parametrize("wrong", [{"offering": "light"}, {"years": 2}, {"payment": "later"}])
def test_a_reservation_that_nobody_sells_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match="No Upfront, Partial Upfront, All Upfront"):
        reservation(0.1, **wrong)


def test_each_price_says_where_it_is_from():
    assert all(dollars > 0 and "AWS's price list" in source for dollars, source in PRICES.values())
    assert set(EVERY_HOUR) <= set(DISCOUNTS)


def test_an_interrupted_job_goes_on_from_what_it_saved():
    often, never = spot_day(bid=0.036, checkpoint=0.25), spot_day(bid=0.036, checkpoint=24)
    assert often["done"][-1] == pytest.approx(8) and often["lost"][-1] < never["lost"][-1]
    assert spot_day(bid=10)["lost"][-1] == 0 and len(spot_day(bid=10)) == 96  # eight hours, without a break
    assert spot_day(seed=3) == spot_day(seed=3)


def test_without_saving_the_time_is_that_of_the_closed_form():
    """Work w, interruptions at random at a rate r, a restart of d: (exp(r w) - 1) * (1/r + d) hours on average (a renewal argument).

    The notice comes before the end, so work may go on for two minutes more: it needs w - n until the last notice, and each interrupted
    try takes n longer.
    """
    work, rate, restart, notice = 4.0, 6 / 24, 0.25, NOTICE / 3600
    times = [spot_job(work, 6, saves=False, restart_minutes=15, seed=seed)["hour"][-1] for seed in range(4000)]
    expected = (exp(rate * (work - notice)) - 1) * (1 / rate + notice + restart) + notice
    assert sum(times) / len(times) == pytest.approx(expected, rel=0.03)


def test_who_saves_within_two_minutes_loses_no_more_than_that():
    """"Spot Instance interruption notices": a warning two minutes before."""
    saved, late = spot_job(24, 6, save_seconds=NOTICE, seed=2), spot_job(24, 6, save_seconds=NOTICE + 1, seed=2)
    stops = saved["event"].count("interrupted")
    assert NOTICE == 2 * 60 and stops > 0 and saved["lost"][-1] == pytest.approx(stops * NOTICE / 3600) and "too late" not in saved["event"]
    assert "too late" in late["event"] and "saved" not in late["event"] and late["lost"][-1] > saved["lost"][-1]
    assert all(notice + NOTICE / 3600 == pytest.approx(end) for notice, end in zip(
        saved.where(event="notice")["hour"], saved.where(event="interrupted")["hour"]))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.floats(0.1, 20), st.floats(0, 8), st.floats(0, 300), st.integers(0, 99))
def test_a_job_on_spot_always_ends_with_its_work_done(work, often, save, seed):
    run = spot_job(work, often, save, seed=seed)
    assert run["event"][-1] == "finished" and run["done"][-1] == work and run["hour"] == sorted(run["hour"])
    pauses = run["event"].count("interrupted") * 10 / 60
    assert run["hour"][-1] == pytest.approx(work + run["lost"][-1] + pauses)  # worked, worked in vain, waited
    assert run == spot_job(work, often, save, seed=seed)


@pytest.mark.parametrize("wrong", [{"work_hours": 0}, {"interruptions_a_day": -1}, {"work_hours": 500, "interruptions_a_day": 24, "saves": False}])
def test_a_job_that_would_never_end_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match="hardly ever end"):
        spot_job(**wrong)
