"""The bill: nothing twice, nothing lost, what is free is free each month."""

import calendar
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import lab
from kit.compute import lambda_cost, purchase
from kit.compute.ec2 import TYPES
from kit.lab import meter as metering
from kit.lab.meter import Meter

PRICES = {"read": "2026-11-28", "metered": ["ec2"], "costless": ["iam"], "items": {
    "server": {"price": 0.10, "per": "hour", "says": "a server", "source": "this test"},
    "disk": {"price": 0.08, "per": "GB-month", "says": "a disk", "source": "this test"},
    "call": {"price": 0.001, "per": "request", "free": 1000, "says": "a call", "source": "this test"},
    "dear call": {"price": 0.002, "per": "request", "shares": "call", "says": "a dear call", "source": "this test"},
    "first copy": {"price": 0, "per": "event", "says": "a first copy", "source": "this test"},
    "alarm": {"price": 0.10, "per": "alarm-month", "free": 10, "says": "an alarm", "source": "this test"}}}


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
    clock.advance(days=27)  # to the 1st of February 2026, which has 28 days
    meter.run("v", "disk", 100)
    clock.advance(days=14)
    meter.run("v", "disk", 200)
    clock.advance(days=14)
    assert meter.bill().total == pytest.approx(0.08 * (100 * 0.5 + 200 * 0.5))


def test_given_a_volume_for_twelve_hours_then_it_costs_what_AWS_computes(clock):
    """Amazon EBS pricing, Example 1: 2,000 GB for 43,200 s in a 30-day month are 43,200 / (86,400 * 30) of a month."""
    meter = Meter(clock)
    clock.advance(days=90)  # in April
    assert clock.date.month == 4
    meter.run("v", "disk", 2000)
    clock.advance(hours=12)
    meter.end("v")
    assert meter.bill().total == pytest.approx(0.08 * 2000 * 43_200 / (86_400 * 30))


def test_given_the_turn_of_a_month_then_each_month_has_its_own_part_and_its_own_free_one(clock):
    meter = Meter(clock)
    clock.advance(days=20)  # the 25th of January
    for number in range(11):
        meter.run(f"alarm {number}", "alarm")
    clock.advance(days=14)  # the 8th of February
    january, february = 11 * 7 / 31, 11 * 7 / 28
    assert sum(line.quantity for line in meter.bill().lines) == pytest.approx(january + february)
    assert meter.bill().total == 0  # both below ten alarm-months
    clock.advance(days=21)  # the whole of February is over
    assert meter.bill().total == pytest.approx(0.10)  # eleven, ten of them free


def test_given_ten_free_alarms_then_they_are_free_in_a_long_month_and_when_forgotten(clock):
    meter = Meter(clock)
    clock.advance(days=55)  # the 1st of March, which has 744 hours
    for number in range(10):
        meter.run(f"alarm {number}", "alarm")
    assert meter.bill().forgotten == 0 and meter.bill().an_hour == pytest.approx(10 * 0.10 / 730)
    clock.advance(days=31)
    assert meter.bill().total == pytest.approx(0)
    [row] = [row for row in meter.bill().table().rows if row[0] == "an alarm"]
    assert row[3] == "all of it"


def test_given_items_that_share_what_is_free_then_it_is_given_once(clock):
    meter = Meter(clock)
    meter.add("q", "call", 800)
    meter.add("f", "dear call", 800)
    assert sum(line.free for line in meter.bill().lines) == 1000
    assert meter.bill().total == pytest.approx(600 * 0.002)


def test_given_an_item_that_costs_nothing_then_it_is_shown_as_free(clock):
    meter = Meter(clock)
    meter.add("trail", "first copy", 7)
    assert meter.bill().table().rows[0] == ["a first copy", "trail", "7 events", "all of it", "$0.0000"]


def test_given_a_time_that_is_known_beforehand_then_it_is_counted_at_once(clock):
    meter = Meter(clock)
    meter.add_time("i", "server", 60)
    meter.add_time("v", "disk", 3600, 31 * 24)
    assert meter.bill().total == pytest.approx(0.10 / 60 + 0.08)
    clock.advance(days=1)
    assert meter.bill().total == pytest.approx(0.10 / 60 + 0.08)


def test_given_parts_that_end_by_themselves_then_each_is_counted_until_then(clock):
    meter = Meter(clock)
    meter.more("s", "server", 1, until=5 * 3600)
    clock.advance(hours=2)
    meter.more("s", "server", 2, until=4 * 3600)
    meter.more("s", "server", 3)
    meter.bill()
    clock.advance(hours=8)
    assert meter.bill().total == pytest.approx(0.10 * (1 * 5 + 2 * 2 + 3 * 8))
    assert meter.running == {("s", "server"): pytest.approx(3)}
    meter.end("s")
    clock.advance(hours=1)
    assert meter.bill().total == pytest.approx(0.10 * 33) and meter.bill().an_hour == 0


def test_given_what_ends_by_itself_then_forgetting_it_costs_no_more_than_until_then(clock):
    meter = Meter(clock)
    meter.more("s", "server", 1, until=10 * 3600)
    assert meter.bill().forgotten == pytest.approx(1)
    clock.advance(hours=20)
    assert meter.bill().forgotten == 0 and meter.bill().total == pytest.approx(1) and not meter.running


def test_given_what_has_no_price_then_the_bill_says_so_in_words_and_counts_each_thing_once(clock):
    meter = Meter(clock)
    for name in ("i-1", "i-2", "i-1"):
        meter.unpriced(name, "x24xlarge")
    meter.unpriced("h", "Dedicated Host")
    bill = meter.bill()
    assert "No price here for: 2 x24xlarge, 1 Dedicated Host; not counted." in repr(bill) and bill.total == 0
    assert "2 x24xlarge" in bill._repr_html_() and bill.unpriced == ["x24xlarge", "x24xlarge", "Dedicated Host"]


def test_given_services_that_nobody_counts_then_the_bill_names_them(clock):
    calls = [SimpleNamespace(service=service, operation=operation, error=error) for service, operation, error in (
        ("ec2", "RunInstances", None), ("iam", "CreateUser", None), ("rds", "CreateDBInstance", None),
        ("kms", "CreateKey", ("AccessDenied", "no")), ("efs", "DescribeFileSystems", None))]
    meter = Meter(clock, calls)
    assert meter.bill().unmetered == ["rds"] and "Nothing is counted here of what rds costs." in repr(meter.bill())


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
    for begin in (Meter(clock).run, Meter(clock).more):
        with pytest.raises(ValueError, match="add"):
            begin("q", "call", 1)


def test_given_a_quote_then_it_has_the_price_what_is_free_and_what_forgetting_costs(clock):
    rows = metering.quote([("server", 2), ("call", 1), ("dear call", 1), ("x:spaceship", 3)]).rows
    assert rows[0] == ["a server", "2", "$0.10 per hour", "$0.2000", "$144.00"]
    assert rows[1][2:] == ["$0.001 per request, 1,000 a month free", "$0.001 once", ""]
    assert rows[2][2] == "$0.002 per request, 1,000 a month free" and rows[3] == ["spaceship", "3", "no price here", "", ""]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["disk", "alarm"]), st.sampled_from("abc"), st.integers(0, 20), st.integers(0, 1500),
                          st.sampled_from([None, 5, 400])), max_size=15))
def test_any_story_of_months_is_the_integral_less_what_is_free(story):
    """Hour by hour, each hour as a part of its own month; parts that end by themselves included."""
    metering_prices, metering.prices = metering.prices, lambda: PRICES
    try:
        clock, hour = lab.clock.SandboxClock(), 0
        meter, fixed, parts, used = Meter(clock), {}, [], {}
        for item, name, amount, step, lasts in story:
            if lasts is None:
                meter.run(name, item, amount)
                fixed[item, name] = amount
                parts = [one for one in parts if one[:2] != (item, name)]
            elif amount:
                meter.more(name, item, amount, (hour + lasts) * 3600)
                parts.append((item, name, amount, hour + lasts))
            for at in range(hour, hour + step):
                date = clock.date_at(at * 3600)
                length = calendar.monthrange(date.year, date.month)[1] * 24
                for kind in ("disk", "alarm"):
                    runs = sum(n for (what, _), n in fixed.items() if what == kind)
                    runs += sum(n for what, _, n, until in parts if what == kind and at < until)
                    key = date.year, date.month, kind
                    used[key] = used.get(key, 0.0) + runs / length
            clock.advance(hours=step)
            hour += step
            meter.bill()
        expected = sum(max(0.0, quantity - (10 if kind == "alarm" else 0)) * PRICES["items"][kind]["price"]
                       for (_, _, kind), quantity in used.items())
        assert meter.bill().total == pytest.approx(expected, abs=1e-9)
    finally:
        metering.prices = metering_prices


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
        assert entry["price"] >= 0 and entry["says"] and "not confirmed" not in entry["source"], item
        assert "2026-" in entry["source"] or "AWS" in entry["source"] or entry["source"].startswith("not looked up: "), item
        assert entry["per"].endswith(("hour", "month")) or entry["per"] in (
            "request", "request-unit", "GB", "GB-second", "event", "metric", "notification", "transition"), item
        assert "free" not in entry or "shares" not in entry, item


def test_every_type_of_the_model_has_its_price():
    assert [name for name in TYPES if not Meter.knows(f"ec2:{name}")] == []


def test_the_models_of_cost_have_the_prices_of_the_table():
    items = metering.prices()["items"]
    assert (lambda_cost.REQUEST, lambda_cost.GB_SECOND) == (items["lambda:request"]["price"], items["lambda:gb-second"]["price"])
    assert lambda_cost.FREE_REQUESTS == items["lambda:request"]["free"]
    assert lambda_cost.FREE_GB_SECONDS == items["lambda:gb-second"]["free"]
    assert lambda_cost.PROVISIONED_GB_SECOND * 3600 == pytest.approx(items["lambda:provisioned"]["price"])
    assert {name: price for name, (price, _) in purchase.PRICES.items()} == {
        name: items[f"ec2:{name}"]["price"] for name in purchase.PRICES}


def test_given_looks_at_the_bill_on_the_way_then_it_is_the_same_to_the_bit(monkeypatch):
    """A saved sandbox that is loaded again is not looked at when the learner looked."""
    monkeypatch.setattr(metering, "prices", lambda: PRICES)
    bills = []
    for looks in (False, True):
        clock = lab.clock.SandboxClock()
        meter = Meter(clock)
        meter.run("i-1", "server", 3)
        meter.more("alarms", "alarm", 12, until=5000.0)
        for _ in range(7):
            clock.advance(seconds=1234.567)
            if looks:
                meter.bill()
        bills.append((meter.bill().lines, meter.bill().forgotten))
    assert bills[0] == bills[1]
