"""When schedules fire: EventBridge User Guide, "Cron expressions reference" and "Rate expressions reference"."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.integration.delivery import AGE, ATTEMPTS, waits, worth_retrying
from kit.integration.schedule import EPOCH, check, next_time


def when(expression, after="2026-01-05T00:00:00", timezone="UTC", times=1):
    seconds = (datetime.fromisoformat(after).replace(tzinfo=UTC) - EPOCH).total_seconds()
    found = []
    for _ in range(times):
        seconds = next_time(expression, seconds, timezone=timezone)
        if seconds is None:
            return [*found, None]
        found.append(datetime.fromtimestamp(EPOCH.timestamp() + seconds, UTC).strftime("%Y-%m-%dT%H:%M"))
    return found


@pytest.mark.parametrize("expression, expected", [  # the examples of the page, from Monday 5 January 2026, 00:00
    ("cron(0 10 * * ? *)", ["2026-01-05T10:00", "2026-01-06T10:00"]),
    ("cron(15 12 * * ? *)", ["2026-01-05T12:15", "2026-01-06T12:15"]),
    ("cron(0 18 ? * MON-FRI *)", ["2026-01-05T18:00", "2026-01-06T18:00"]),
    ("cron(0 8 1 * ? *)", ["2026-02-01T08:00", "2026-03-01T08:00"]),
    ("cron(0/15 * * * ? *)", ["2026-01-05T00:15", "2026-01-05T00:30"]),
    ("cron(0/10 * ? * MON-FRI *)", ["2026-01-05T00:10", "2026-01-05T00:20"]),
    ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-05T08:00", "2026-01-05T08:05"]),
    ("cron(0 9 ? * 2#1 *)", ["2026-01-05T09:00", "2026-02-02T09:00"]),  # the first Monday of the month
    ("cron(0 0 L * ? *)", ["2026-01-31T00:00", "2026-02-28T00:00"]),
    ("cron(0 0 ? * 6L *)", ["2026-01-30T00:00", "2026-02-27T00:00"]),  # the last Friday
    ("cron(0 0 31W * ? *)", ["2026-01-30T00:00", "2026-02-27T00:00"]),
    ("cron(0 0 1 1 ? 2027-2028)", ["2027-01-01T00:00", "2028-01-01T00:00"]),
    ("cron(0 0 ? * SUN 2026)", ["2026-01-11T00:00", "2026-01-18T00:00"]),
    ("rate(5 minutes)", ["2026-01-05T00:05", "2026-01-05T00:10"]), ("rate(1 day)", ["2026-01-06T00:00", "2026-01-07T00:00"]),
])
def test_the_next_two_times(expression, expected):
    assert when(expression, times=2) == expected


def test_given_the_last_year_is_over_then_never():
    assert when("cron(0 0 1 1 ? 2025)") == [None]
    assert when("at(2025-12-31T00:00:00)") == [None]


def test_given_a_time_zone_then_it_is_that_hour_there_in_summer_and_winter():
    """EventBridge Scheduler User Guide, "Daylight savings time on EventBridge Scheduler"."""
    assert when("cron(0 9 * * ? *)", "2026-03-28T00:00:00", "Europe/Rome", 3) == ["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"]
    assert when("cron(30 2 * * ? *)", "2026-03-28T12:00:00", "Europe/Rome") == ["2026-03-30T00:30"]  # 02:30 does not exist on the 29th
    assert when("at(2026-06-01T12:00:00)", timezone="America/New_York") == ["2026-06-01T16:00"]


@pytest.mark.parametrize("expression", [
    "cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(0 10 * * ?)", "cron(60 10 * * ? *)", "cron(0 25 * * ? *)", "cron(x 1 * * ? *)",
    "rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(5 seconds)", "every day", "at(tomorrow)", "", None])
def test_what_is_refused(expression):
    with pytest.raises(ServiceError) as refused:
        check(expression)
    assert refused.value.code == "ValidationException"


def test_rules_know_no_single_moment():
    check("at(2026-06-01T12:00:00)")
    with pytest.raises(ServiceError, match="EventBridge Scheduler"):
        check("at(2026-06-01T12:00:00)", once=False)


@given(st.integers(1, 59), st.floats(0, 1e7), st.floats(0, 1e5))
def test_a_rate_keeps_its_pace(minutes, after, start):
    found = next_time(f"rate({minutes} minute{'s' if minutes > 1 else ''})", after, start)
    assert found > after or after < start
    assert (found - start) / (60 * minutes) == pytest.approx(round((found - start) / (60 * minutes)))
    assert found - max(after, start) <= 60 * minutes + 1e-6


def test_retries_are_at_most_185_in_24_hours():
    """EventBridge User Guide, "How EventBridge retries delivering events"."""
    pauses = list(waits())
    assert len(pauses) <= ATTEMPTS and sum(pauses) <= AGE and pauses == sorted(pauses)
    assert list(waits(attempts=3)) == pauses[:3] and sum(waits(age=100)) <= 100
    assert worth_retrying("ThrottlingException") and not worth_retrying("AccessDeniedException")
