"""The bill: nothing twice, nothing lost, what is free is free each month."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.lab import meter as metering
from kit.lab.meter import Meter

PRICES = {"read": "2026-11-23", "items": {
    "server": {"price": 0.10, "per": "hour", "says": "a server", "source": "this test"},
    "disk": {"price": 0.08, "per": "GB-month", "says": "a disk", "source": "this test"},
    "call": {"price": 0.001, "per": "request", "free": 1000, "says": "a call", "source": "this test"}}}


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(metering, "prices", lambda: PRICES)
    return lab.clock.SandboxClock()


def test_given_a_server_for_three_hours_then_the_bill_is_three_hours(clock):
    meter = Meter(clock)
    meter.run("i-1", "server")
    clock.advance(hours=3)
    meter.end("i-1")
    clock.advance(days=5)
    assert meter.bill().total == pytest.approx(0.30)


def test_given_the_bill_read_often_then_nothing_is_counted_twice(clock):
    meter = Meter(clock)
    meter.run("i-1", "server", 2)
    for _ in range(10):
        clock.advance(minutes=6)
        meter.bill()
    assert meter.bill().total == pytest.approx(0.20) and meter.bill().an_hour == pytest.approx(0.20)


def test_given_run_twice_then_the_amount_is_replaced_not_added(clock):
    meter = Meter(clock)
    meter.run("v", "disk", 100)
    clock.advance(hours=365)
    meter.run("v", "disk", 200)
    clock.advance(hours=365)
    assert meter.bill().total == pytest.approx(0.08 * (100 * 0.5 + 200 * 0.5))


def test_given_free_requests_then_they_are_free_each_month(clock):
    meter = Meter(clock)
    meter.add("q", "call", 1500)
    assert meter.bill().total == pytest.approx(0.5)
    clock.advance(days=31)
    meter.add("q", "call", 900)
    assert meter.bill().total == pytest.approx(0.5)
    [row] = [row for row in meter.bill().table().rows if row[0] == "a call"]
    assert row[2:] == ["2,400 requests", "1,900", "$0.5000"]


def test_given_what_runs_then_the_bill_says_what_forgetting_it_costs(clock):
    meter = Meter(clock)
    meter.run("i-1", "server")
    assert meter.bill().forgotten == pytest.approx(0.10 * 720)
    assert "If you forget this for 30 days, what runs now costs $72.00 more" in repr(meter.bill())


def test_given_an_item_without_a_price_then_the_kit_says_where_prices_are(clock):
    with pytest.raises(ValueError, match="prices.yaml"):
        Meter(clock).run("i-1", "spaceship")
    with pytest.raises(ValueError, match="add"):
        Meter(clock).run("q", "call")


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 100)), max_size=20))
def test_any_story_costs_the_sum_of_its_intervals(story):
    metering_prices, metering.prices = metering.prices, lambda: PRICES
    try:
        clock = lab.clock.SandboxClock()
        meter, running, hours = Meter(clock), {"a": 0, "b": 0}, 0.0
        for resource, amount, step in story:
            meter.run(resource, "server", amount)
            running[resource] = amount
            clock.advance(hours=step)
            hours += sum(running.values()) * step
            meter.bill()
        assert meter.bill().total == pytest.approx(hours * 0.10)
    finally:
        metering.prices = metering_prices


def test_every_price_has_its_unit_and_its_page():
    for item, entry in metering.prices()["items"].items():
        assert entry["price"] >= 0 and entry["says"] and entry["source"], item
        assert entry["per"].endswith(("hour", "month")) or entry["per"] in (
            "request", "GB", "GB-second", "metric-month", "event", "alarm-month", "transition"), item
