"""An anomaly band: what a metric should be about now, learnt from its own past.

    low, high = band(history, width=2, now=now)

The past two weeks give three things: a trend, the mean of each hour of the week, and how far values stray from it.
The band is the mean, moved along the trend, plus and minus ``width`` times the spread.

**Simplified** against AWS, whose model is a trained one it does not publish: the trend is a straight line, the season
is an hour of a week (of a day, or nothing, as long as there is less data), and the spread is a standard deviation,
drawn towards that of all hours where an hour has few points. Two weeks of a slow daily climb look like a trend.
Times to be excluded are left out of ``history`` by who keeps the data (anomaly_detectors.py).
**Not modelled** Time zones and daylight saving, periodic spikes, and that AWS keeps the band of a
metric that can't be negative (or is a percentage) within what is possible.

Amazon CloudWatch User Guide, read 2026-11-23: "Using CloudWatch anomaly detection".
"""

from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median, pstdev

HOUR, DAY, WEEK = 3600, 86_400, 604_800
TRAINING = 2 * WEEK  # "trains on up to two weeks of metric data"
FEWEST = 3  # points without which there is no band (the kit's own)
LEAST = 1e-6  # of the mean: no band is so thin that rounding leaves it (the kit's own)
DOUBT = 10  # an hour's own spread weighs as its points, that of all hours as so many (the kit's own)


def band(history: list[tuple[float, float]], width: float, now: float) -> tuple[float, float] | None:
    """(lowest, highest) value that is normal at ``now``; None as long as there is too little to learn from.

    history: (time, value) pairs; what lies before the last two weeks or at ``now`` and later is not looked at.
    width: standard deviations to each side.
    """
    model = fit(history, now)
    return model and model.band(now, width)


@dataclass(frozen=True)
class Model:
    """What was learnt: a slope (per second, from ``since`` on) and {hour: (mean, spread)} of the week and the day."""

    since: float
    slope: float
    weekly: dict
    daily: dict
    all_hours: tuple[float, float]

    def band(self, time: float, width: float) -> tuple[float, float]:
        season = self.weekly.get(time // HOUR % 168) or self.daily.get(time // HOUR % 24) or self.all_hours
        mean = season[0] + self.slope * (time - self.since)
        reach = width * max(season[1], LEAST * abs(mean))
        return mean - reach, mean + reach


def fit(history, now: float) -> Model | None:
    """Learn from the two weeks before ``now``."""
    points = [(time, value) for time, value in history if now - TRAINING <= time < now]
    if len(points) < FEWEST:
        return None
    slope = _slope(points)
    flat = [(time, value - slope * (time - now)) for time, value in points]
    every = [value for _, value in flat]
    whole = fmean(every), pstdev(every)
    by_day = _stray(flat, 24)
    weekly = _seasons(flat, 168, whole[1] if by_day is None else by_day)
    return Model(now, slope, weekly, _seasons(flat, 24, whole[1]), whole)


def _slope(points):
    """The middle one of the changes since the same hour a week before, or a day before if there is no week yet: so that
    neither the season nor a single anomaly passes for a trend."""
    hours = {hour: fmean(values) for hour, values in _by(points, None).items()}
    for lag in (WEEK, DAY):
        changes = [mean - hours[hour - lag // HOUR] for hour, mean in hours.items() if hour - lag // HOUR in hours]
        if len(changes) >= 24:  # a day of them
            return median(changes) / lag
    return 0.0


def _by(points, cycle):
    groups = {}
    for time, value in points:
        hour = time // HOUR
        groups.setdefault(hour if cycle is None else hour % cycle, []).append(value)
    return groups


def _seasons(points, cycle, otherwise):
    """{hour of the cycle: (mean, spread)}."""
    usual, seasons = _stray(points, cycle), {}
    usual = otherwise if usual is None else usual
    for hour, values in _by(points, cycle).items():
        mean = fmean(values)
        own = sum((value - mean) ** 2 for value in values)
        seasons[hour] = mean, sqrt((own + DOUBT * usual * usual) / (len(values) - 1 + DOUBT))
    return seasons


def _stray(points, cycle):
    """How far values lie from the mean of their hour; None while hardly an hour has come around twice."""
    groups = _by(points, cycle).values()
    free = len(points) - len(groups)
    if free < 24:
        return None
    return sqrt(sum((value - mean) ** 2 for values in groups for mean in [fmean(values)] for value in values) / free)
