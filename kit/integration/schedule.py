"""When a schedule fires: the expressions of EventBridge rules and of EventBridge Scheduler.

    next_time("rate(5 minutes)", after=120, start=0)                       # 300
    next_time("cron(0 9 ? * MON-FRI *)", after=0)                          # the next weekday, 9:00 UTC
    next_time("at(2026-03-01T12:00:00)", after=0, timezone="Europe/Rome")  # once

cron has six fields: minutes, hours, day of month, month, day of week (1 is Sunday), year. One of the two days must be
``?``: with both given, nobody could say which of them counts.

**Simplified** A rate counts from the moment the schedule was made. **Not modelled** Flexible time windows (a schedule
fires at the beginning of its window).

Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules (legacy)"; EventBridge Scheduler User Guide,
"Schedule types in EventBridge Scheduler". Read 2026-11-23.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kit.errors import ServiceError

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = dict(zip("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), range(1, 13)))
DAYS = dict(zip("SUN MON TUE WED THU FRI SAT".split(), range(1, 8)))
FIELDS = (("minutes", 0, 59, {}), ("hours", 0, 23, {}), ("day of month", 1, 31, {}), ("month", 1, 12, MONTHS),
          ("day of week", 1, 7, DAYS), ("year", 1970, 2199, {}))
EPOCH = datetime(2026, 1, 5, tzinfo=UTC)  # what second 0 is called, if nobody says otherwise
FOREVER = timedelta(days=366 * 12)  # a cron expression that finds nothing in so many days never fires


def next_time(expression: str, after: float, start: float = 0.0, timezone: str = "UTC", epoch: datetime = EPOCH) -> float | None:
    """The first time after ``after`` (seconds since ``epoch``) that a schedule made at ``start`` fires; None for never.

    ServiceError ValidationException for an expression that AWS refuses.
    """
    kind, inside = _read(expression)
    if kind == "rate":
        every = inside
        return start + (max(0, int((after - start) // every)) + 1) * every if after >= start else start + every
    zone = _zone(timezone)
    if kind == "at":
        when = (inside.replace(tzinfo=zone) - epoch).total_seconds()
        return when if when > after else None
    found = _next_cron(inside, (epoch + timedelta(seconds=after)).astimezone(zone))
    return None if found is None else (found - epoch).total_seconds()


def check(expression: str, once: bool = True) -> None:
    """ServiceError ValidationException for what AWS refuses. once: whether at(...) is known (Scheduler knows it, rules don't)."""
    if _read(expression)[0] == "at" and not once:
        _refuse("Rules know rate(...) and cron(...); at(...) is for EventBridge Scheduler.")


def _read(expression):
    found = re.fullmatch(r"(rate|cron|at)\((.*)\)", expression.strip()) if isinstance(expression, str) else None
    if not found:
        _refuse(f"Parameter ScheduleExpression is not valid: {expression!r}. Give rate(5 minutes), cron(0 9 * * ? *) or at(...).")
    kind, inside = found.groups()
    if kind == "rate":
        rate = re.fullmatch(r"(\d+) (minute|hour|day)(s?)", inside)
        if not rate or int(rate[1]) < 1 or (int(rate[1]) == 1) == bool(rate[3]):
            _refuse(f"Parameter ScheduleExpression is not valid: {expression!r}. It is rate(1 minute), rate(5 minutes), rate(1 hour): "
                    "one without s, more with it.")
        return kind, int(rate[1]) * UNITS[rate[2]]
    if kind == "at":
        try:
            return kind, datetime.strptime(inside, "%Y-%m-%dT%H:%M:%S")
        except ValueError:
            _refuse(f"Parameter ScheduleExpression is not valid: {expression!r}. It is at(2026-03-01T12:00:00).")
    parts = inside.split()
    if len(parts) != 6:
        _refuse(f"Parameter ScheduleExpression is not valid: {expression!r} has {len(parts)} fields. cron has six: minutes, hours, "
                "day of month, month, day of week, year.")
    if (parts[2] == "?") == (parts[4] == "?"):
        _refuse(f"Parameter ScheduleExpression is not valid: {expression!r}. One of day of month and day of week must be ?, not both.")
    return kind, [_field(text, *field) for text, field in zip(parts, FIELDS)]


def _field(text, name, low, high, names):
    """A set of numbers; for the days also a function of a date ("L", "W", "#")."""
    if text == "?" and name.startswith("day"):
        return None
    if name == "day of month" and text in ("L", "LW") or name == "day of month" and re.fullmatch(r"\d+W", text):
        return text
    if name == "day of week" and re.fullmatch(r"(\w+)(L|#[1-5])", text) and text not in DAYS:
        return text
    chosen = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            begin = low if span == "*" else names.get(first.upper(), None) or int(first)
            end = (high if span == "*" or step and not dash else begin) if not dash else names.get(last.upper(), None) or int(last)
            by = int(step) if step else 1
        except ValueError:
            _refuse(f"Parameter ScheduleExpression is not valid: {text!r} is no {name}.")
        if not low <= begin <= high or not low <= end <= high or by < 1:
            _refuse(f"Parameter ScheduleExpression is not valid: {name} goes from {low} to {high}, not {text!r}.")
        chosen |= set(range(begin, end + 1, by)) if begin <= end else set(range(begin, high + 1, by)) | set(range(low, end + 1, by))
    return chosen


def _next_cron(fields, after):
    minutes, hours, _, months, _, years = fields
    zone, end = after.tzinfo, after + FOREVER
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        if day.year in years and day.month in months and _day_fits(fields, day):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    when = day.replace(hour=hour, minute=minute).astimezone(UTC)
                    if when > after and when.astimezone(zone).hour == hour:  # an hour that summer time leaves out is skipped
                        return when
        day = (day + timedelta(days=1)).replace(hour=0)
        if max(years) < day.year:
            return None
    return None


def _day_fits(fields, day):
    month_day, week_day = fields[2], fields[4]
    if month_day is not None:
        if isinstance(month_day, str):
            return day.day == _special_day(month_day, day)
        return day.day in month_day
    number = day.isoweekday() % 7 + 1  # Sunday is 1
    if isinstance(week_day, str):
        if week_day.endswith("L"):
            return number == _week_day(week_day[:-1]) and (day + timedelta(days=7)).month != day.month
        name, _, nth = week_day.partition("#")
        return number == _week_day(name) and (day.day - 1) // 7 + 1 == int(nth)
    return number in week_day


def _special_day(text, day):
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    if text == "L":
        return last.day
    wanted = last if text == "LW" else day.replace(day=min(int(text[:-1]), last.day))
    if wanted.isoweekday() == 6:  # the nearest weekday, within the month
        wanted += timedelta(days=-1 if wanted.day > 1 else 2)
    elif wanted.isoweekday() == 7:
        wanted += timedelta(days=1 if wanted.day < last.day else -2)
    return wanted.day


def _week_day(text):
    return DAYS.get(text.upper()) or int(text)


def _zone(name):
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        _refuse(f"Invalid ScheduleExpressionTimezone {name!r}: give a name like Europe/Rome.")


def _refuse(message):
    raise ServiceError("ValidationException", message)
