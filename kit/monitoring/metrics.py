"""A metric store: data points go in, statistics over periods come out, and old points lose their resolution.

    store = MetricStore()
    store.put_metric_data("Shop", [{"MetricName": "Latency", "Value": 120, "Unit": "Milliseconds"}], now=0)
    store.statistics("Shop", "Latency", [], 0, 60, period=60, statistic="p99")    # [(0.0, 120.0)]

A metric is a namespace, a name and a set of dimensions; another set is another metric. What is stored is not the
points but sums over small slots (1 or 60 seconds); as they age they are rolled up into 5 minutes, then an hour.
Times are seconds; the days and hours of the calendar count from 1970-01-01 UTC.

**Simplified** Data can be read at once (on AWS after seconds, for points dated back after hours). Percentiles are by
nearest rank over all values of a period; AWS does not publish its method. Without a Unit, values of all units are
taken together (AWS calls that undefined), but ``get_metric_statistics`` keeps them apart.
**Not modelled** Metrics Insights, SEARCH, other accounts, dynamic labels, paging (no NextToken), compression.

Amazon CloudWatch API Reference, in the copy that botocore 1.44.5 carries, read 2026-11-23: "PutMetricData", "MetricDatum",
"GetMetricData", "GetMetricStatistics", "ListMetrics", "MetricStat". User Guide: "CloudWatch statistics definitions".
"""

import re
from functools import lru_cache
from itertools import accumulate, repeat
from math import ceil, floor, inf, isclose, isfinite

from kit.errors import ServiceError
from kit.monitoring.metric_math import Past, Series, evaluate, names_in

MINUTE, HOUR, DAY = 60, 3600, 86_400
RETENTION = {1: 3 * HOUR, MINUTE: 15 * DAY, 5 * MINUTE: 63 * DAY,
             HOUR: 455 * DAY}  # slot: how long, seconds (GetMetricData)
OLDEST, NEWEST = 14 * DAY, 2 * HOUR  # how far from now a timestamp may lie (PutMetricData)
DIMENSIONS = 30  # of one metric (MetricDatum)
METRICS = 1000  # in one PutMetricData
VALUES = 150  # in one Values array (MetricDatum)
LARGEST = 2.0 ** 360  # either sign (MetricDatum)
DATAPOINTS, QUERIES, ALL_DATAPOINTS = 1440, 500, 100_800  # GetMetricStatistics; the other two GetMetricData
HISTORY = 14 * DAY  # that an anomaly band learns from ("Using CloudWatch anomaly detection")
LATELY = 3 * HOUR  # what is remembered of a supplied metric (the kit's own)
SHORT_PERIODS = (1, 5, 10, 20, 30)  # seconds; otherwise multiples of 60 (MetricStat)
BASIC = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
UNITS = ("Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits",
         "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
         "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second",
         "Megabits/Second",
         "Gigabits/Second", "Terabits/Second", "Count/Second", "None")


class Aggregate:
    """What is known of the values in one slot: their number, sum, least and greatest, and each value unless a statistic
    set hides them. Where all its values are equal, a set hides nothing: that is AWS's rule for percentiles of sets."""

    __slots__ = ("count", "sum", "minimum", "maximum", "_values", "_hidden")

    def __init__(self, count=0.0, total=0.0, minimum=inf, maximum=-inf):
        self.count, self.sum, self.minimum, self.maximum = count, total, minimum, maximum
        self._values = None  # kept only where they differ
        self._hidden = bool(count) and not (minimum == maximum and isclose(total, minimum * count))

    @property
    def values(self) -> dict | None:
        """{value: how often}; None if a statistic set hides them."""
        if self._hidden:
            return None
        return self._values or ({self.minimum: self.count} if self.count else {})

    def add(self, value: float, count: float = 1.0) -> None:
        if not self._hidden and self.count and not value == self.minimum == self.maximum:
            self._values = self.values
            self._values[value] = self._values.get(value, 0.0) + count
        self.count += count
        self.sum += value * count
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)

    def merge(self, other: "Aggregate") -> None:
        mine, theirs = self.values, other.values
        self._hidden = mine is None or theirs is None
        if self._hidden:
            self._values = None
        elif len(mine.keys() | theirs.keys()) > 1:
            self._values = mine
            for value, count in theirs.items():
                mine[value] = mine.get(value, 0.0) + count
        self.count += other.count
        self.sum += other.sum
        self.minimum, self.maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)


class MetricStore:
    """The metrics of one account in one Region. ``now`` is the latest time it was told."""

    def __init__(self):
        self.now = -inf
        self._metrics = {}  # (namespace, name, dimensions) -> {unit: _Slots}
        self._suppliers = {}  # the same -> {unit: _Supplied}
        self.excluded = {}  # (the same, statistic) -> [(start, end)] that no band learns from
        self._latest = {}  # the same -> when it last reported
        self._rolled_at = -inf
        self._pasts = {}

    def put_metric_data(self, Namespace: str, MetricData: list[dict], now: float) -> None:
        """Publish custom metrics: all of them or, if one is refused, none.

        Each a Value, Values with Counts, or StatisticValues; Timestamp in seconds, ``now`` if left out.
        Errors: InvalidParameterValue, InvalidParameterCombination, MissingParameter.
        """
        if not Namespace:
            raise ServiceError("MissingParameter", "The parameter Namespace is required.")
        if Namespace.startswith((":", "AWS/")) or len(Namespace) > 255:
            raise ServiceError("InvalidParameterValue", f"The value {Namespace} for parameter Namespace is invalid: a "
                                                        f"name of "
                                                        "your own, at most 255 characters, not starting with a colon "
                                                        "or AWS/.")
        if not MetricData:
            raise ServiceError("MissingParameter", "The parameter MetricData is required.")
        if len(MetricData) > METRICS:
            raise ServiceError("InvalidParameterValue", f"The collection MetricData must not have a size greater than "
                                                        f"{METRICS}.")
        checked = [_check_datum(datum, f"MetricData.member.{number}", now) for number,
                   datum in enumerate(MetricData, 1)]
        self.advance(now)
        for datum, aggregate in checked:
            self._take(Namespace, datum, aggregate, datum.get("Timestamp", now))

    def record(self, Namespace: str, MetricName: str, Dimensions: list[dict], Value: float, now: float,
               Unit: str = "None",
               StorageResolution: int = MINUTE) -> None:
        """One value from a service itself: as ``put_metric_data``, but the namespaces AWS/... are open to it."""
        self.advance(now)
        datum = {"MetricName": MetricName, "Dimensions": Dimensions, "Unit": Unit,
                 "StorageResolution": StorageResolution}
        aggregate = Aggregate()
        aggregate.add(float(Value))
        self._take(Namespace, datum, aggregate, now)

    def supply(self, Namespace: str, MetricName: str, Dimensions: list[dict], supplier, Unit: str = "None") -> None:
        """A metric that is computed when it is read: ``supplier(start, end)`` gives ``(timestamp, value)`` pairs with
        start <= timestamp < end, in any order. What is over stays as it was: an alarm that looks each minute asks for
        the last one only. Supplying a metric again replaces the supplier."""
        self._suppliers.setdefault(metric_key(Namespace, MetricName, Dimensions), {})[Unit] = _Supplied(supplier)

    # ------------------------------------------------------------------ reading

    def statistics(self, Namespace: str, MetricName: str, Dimensions: list[dict], start: float, end: float,
                   period: float,
                   statistic: str, unit: str | None = None, *, align: float = 0.0, now: float | None = None) -> list:
        """``[(period start, value)]``, oldest first; periods without data are left out.

        Periods start at ``align`` plus multiples of ``period``; the first is the one that holds ``start``, ``end`` is
        exclusive. A period too fine for the age of the data gives nothing; the age counts from ``now``, which is by
        default the latest time the store was told, or ``end`` if that is later.
        Errors: InvalidParameterValue for a period or statistic that does not exist.
        """
        calculate = parse_statistic(statistic)
        slots = self.aggregates(Namespace, MetricName, Dimensions, start, end, period, unit, align=align, now=now)
        return [(time, value) for time, slot in slots if (value := calculate(slot)) is not None]

    def aggregates(self, Namespace, MetricName, Dimensions, start, end, period, unit=None, *, align=0.0,
                   now=None) -> list:
        """The same before a statistic is taken: ``[(period start, Aggregate)]``. Read them, don't change them."""
        check_period(period)
        if now is not None:
            self.advance(now)
        start = align + (start - align) // period * period
        expired = (max(self.now, end) if now is None else now) - keeps(period)
        if start < expired:
            start = align + ceil((expired - align) / period) * period
        key = metric_key(Namespace, MetricName, Dimensions)
        found = {}  # number of the period -> Aggregate
        shared = set()  # those that are the store's own: copied before anything is merged into them
        for slots in (*_of_unit(self._metrics.get(key, {}), unit), *_of_unit(self._suppliers.get(key, {}), unit)):
            for time, slot in slots.between(start, end, self.now):
                number = (time - align) // period
                if number not in found:
                    found[number] = slot
                    shared.add(number)
                    continue
                if number in shared:
                    shared.discard(number)
                    whole, found[number] = found[number], Aggregate()
                    found[number].merge(whole)
                found[number].merge(slot)
        return [(align + number * period, found[number]) for number in sorted(found)]

    def list_metrics(self, Namespace: str | None = None, MetricName: str | None = None, Dimensions: list[dict]
                     | None = None) -> list:
        """``[{"Namespace", "MetricName", "Dimensions"}]`` of what reported in the last two weeks, or is supplied.

        Dimensions is a filter: each ``{"Name": ...}`` must be there, with the ``Value`` if that is given.
        """
        alive = {key for key, latest in self._latest.items() if latest >= self.now - OLDEST} | self._suppliers.keys()
        found = []
        for namespace, name, dimensions in sorted(alive):
            has = dict(dimensions)
            if Namespace in (None, namespace) and MetricName in (None, name) and all(
                    item["Name"] in has and item.get("Value", has[item["Name"]]) == has[item["Name"]]
                    for item in Dimensions or ()):
                found.append({"Namespace": namespace, "MetricName": name,
                              "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions]})
        return found

    def get_metric_statistics(self, Namespace: str, MetricName: str, StartTime: float, EndTime: float, Period: int,
                              Dimensions: list[dict] | None = None, Statistics: list[str] | None = None,
                              ExtendedStatistics: list[str] | None = None, Unit: str | None = None, now: float
                              | None = None) -> dict:
        """boto3's ``{"Label", "Datapoints": [{"Timestamp", "Average": ..., "ExtendedStatistics": {...}, "Unit"}]}``.

        Errors: InvalidParameterValue, InvalidParameterCombination (which also says when it is over 1,440 points).
        """
        if bool(Statistics) == bool(ExtendedStatistics):
            raise ServiceError("InvalidParameterCombination", "Specify either Statistics or ExtendedStatistics, but "
                                                              "not both.")
        for statistic in Statistics or ():
            if statistic not in BASIC:
                raise ServiceError("InvalidParameterValue", f"The value {statistic} for parameter Statistics.member.1 "
                                                            f"is invalid: one "
                                                            f"of {', '.join(BASIC)}; the others are "
                                                            f"ExtendedStatistics.")
        if StartTime >= EndTime:
            raise ServiceError("InvalidParameterValue", "The parameter StartTime must be less than the parameter "
                                                        "EndTime.")
        check_period(Period)
        now = max(self.now, EndTime) if now is None else now
        start = float(round_start(StartTime, Period, now))
        if (wanted := ceil((EndTime - start) / Period)) > DATAPOINTS:
            raise ServiceError("InvalidParameterCombination", f"You have requested up to {wanted:,} datapoints, which "
                                                              f"exceeds the limit of "
                                                              f"{DATAPOINTS:,}. Increase Period, or ask for a shorter "
                                                              f"time.")
        key = metric_key(Namespace, MetricName, Dimensions)
        units = [Unit] if Unit else sorted(self._metrics.get(key, {}).keys() | self._suppliers.get(key, {}).keys())
        datapoints = []
        for unit in units:
            for time, slot in self.aggregates(Namespace, MetricName, Dimensions, start, EndTime, Period, unit,
                                              align=start, now=now):
                basic = {name: parse_statistic(name)(slot) for name in Statistics or ()}
                extended = {name: value for name in ExtendedStatistics or ()
                            if (value := parse_statistic(name)(slot)) is not None}
                if basic or extended:
                    datapoints.append({"Timestamp": time, "Unit": unit} | basic
                                      | ({"ExtendedStatistics": extended} if extended else {}))
        return {"Label": MetricName, "Datapoints": datapoints}

    def get_metric_data(self, MetricDataQueries: list[dict], StartTime: float, EndTime: float, now: float | None = None,
                        ScanBy: str = "TimestampDescending", MaxDatapoints: int = ALL_DATAPOINTS) -> dict:
        """``{"MetricDataResults": [{"Id", "Label", "Timestamps", "Values", "StatusCode"}], "Messages"}``, newest first.

        Errors: ValidationError.
        """
        if StartTime >= EndTime:
            raise ServiceError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        if len(MetricDataQueries) > QUERIES:
            raise ServiceError("ValidationError", f"At most {QUERIES} queries in one call.")
        check_queries(MetricDataQueries)
        now = max(self.now, EndTime) if now is None else now
        period = max(_periods(MetricDataQueries), default=MINUTE)
        start = float(round_start(StartTime, period, now))
        values = self.query(MetricDataQueries, start, EndTime, now, align=start)
        results = []
        for query in MetricDataQueries:
            if not query.get("ReturnData", True):
                continue
            label = query.get("Label", query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query
                              else query["Id"])
            value = values[query["Id"]]
            if isinstance(value, float):
                raise ServiceError("ValidationError", f"Error in expression '{query['Id']}': The final result of an "
                                                      f"expression must be a "
                                                      "time series, not a number; TIME_SERIES() makes one.")
            for series in value if isinstance(value, list) else [value]:
                times = sorted(series.points, reverse=ScanBy == "TimestampDescending")
                name = label if series is value else f"{label} {series.label}".strip()
                results.append({"Id": query["Id"], "Label": name, "Timestamps": times,
                                "Values": [series.points[t] for t in times],
                                "StatusCode": "Complete"})
        if sum(len(result["Values"]) for result in results) > min(MaxDatapoints, ALL_DATAPOINTS):
            raise ServiceError("ValidationError", f"More than {min(MaxDatapoints, ALL_DATAPOINTS):,} data points: ask "
                                                  f"for a shorter time or "
                                                  "a longer Period (the model has no pages).")
        return {"MetricDataResults": results, "Messages": []}

    def query(self, queries: list[dict], start: float, end: float, now: float, align: float = 0.0,
              learning: bool = False) -> dict:
        """What each query of a ``MetricDataQueries`` is worth: {Id: Series, list of Series or number}. They refer to each
        other in any order. An alarm reads through this too. learning: without the times that are ``excluded``."""
        values = {query["Id"]: self._read(query["MetricStat"], start, end, now, align, learning) for query in queries
                  if "MetricStat" in query}
        metrics = tuple(values)
        waiting = {query["Id"]: query for query in queries if "Expression" in query}
        while waiting:
            ready = [query for query in waiting.values() if not names_in(query["Expression"]) & waiting.keys()]
            if not ready:
                raise ServiceError("ValidationError", f"The expressions {', '.join(sorted(waiting))} refer to each "
                                                      f"other in a circle.")
            for query in ready:
                used = [name for name in metrics if name in names_in(query["Expression"])] or metrics
                period = max((values[name].period for name in used), default=query.get("Period", MINUTE))
                times = [align + n * period for n in range(floor((start - align) / period),
                                                           ceil((end - align) / period))]
                try:
                    values[query["Id"]] = evaluate(query["Expression"], values, times=times, metrics=metrics,
                                                   scalar=True,
                                                   past=lambda: self._past(queries, start, now, align))
                except ServiceError as error:
                    raise ServiceError(error.code, f"Error in expression '{query['Id']}': {error.message}") from None
                del waiting[query["Id"]]
        return values

    # ------------------------------------------------------------------ ageing

    def advance(self, now: float) -> None:
        """Time passes: once an hour, slots that are too old for their resolution are rolled up, the oldest dropped."""
        self.now = max(self.now, now)
        if self.now < self._rolled_at + HOUR:
            return
        self._rolled_at = self.now
        for key, units in list(self._metrics.items()):
            for unit, slots in list(units.items()):
                slots.roll_up(self.now)
                if not any(slots.tiers.values()):
                    del units[unit]
            if not units:
                del self._metrics[key]
                self._latest.pop(key, None)
        self._pasts.clear()

    # ------------------------------------------------------------------ inside

    def _take(self, namespace, datum, aggregate, time):
        key = metric_key(namespace, datum["MetricName"], datum.get("Dimensions"))
        slots = self._metrics.setdefault(key, {}).setdefault(datum.get("Unit") or "None", _Slots())
        slots.add(aggregate, time, datum.get("StorageResolution", MINUTE))
        self._latest[key] = max(self._latest.get(key, -inf), time)

    def _read(self, stat, start, end, now, align, learning):
        metric = {name: stat["Metric"].get(name) for name in ("Namespace", "MetricName", "Dimensions")}
        points = self.statistics(**metric, start=start, end=end, period=stat["Period"], statistic=stat["Stat"],
                                 unit=stat.get("Unit"), align=align, now=now)
        excluded = self.excluded.get((metric_key(**metric), stat["Stat"]), ()) if learning else ()
        return Series({time: value for time, value in points if not any(since <= time < until for since, until in excluded)},
                      stat["Period"], metric["MetricName"])

    def exclude(self, metric: tuple, statistic: str, ranges: list[tuple[float, float]]) -> None:
        """Let bands of this metric (its ``metric_key``) and statistic learn nothing from these times."""
        self.excluded[metric, statistic] = ranges
        self._pasts.clear()

    def _past(self, queries, start, now, align):
        """The two weeks before, learnt once an hour."""
        key = (repr(queries), start // HOUR, align % max(_periods(queries), default=MINUTE))
        if key not in self._pasts:
            end = start // HOUR * HOUR
            banded = set()  # what depends on a band has no part in learning one
            while more := {query["Id"] for query in queries if query["Id"] not in banded and "Expression" in query
                           and ("ANOMALY_DETECTION_BAND" in query["Expression"]
                                or names_in(query["Expression"]) & banded)}:
                banded |= more
            plain = [query for query in queries if query["Id"] not in banded]
            self._pasts[key] = Past(self.query(plain, end - HISTORY, end, now, align, learning=True))
        return self._pasts[key]


class _Supplied:
    """What a supplier gives, and has lately given: whoever looks each minute asks only for the last one."""

    def __init__(self, supplier):
        self.supplier, self.slots, self.start, self.end, self.reach = supplier, {}, inf, -inf, 0.0

    def between(self, start, end, now):
        """(time, Aggregate) of the times at which it has values, oldest first."""
        if end > now or end - start > LATELY:
            return sorted(self._ask(start, end).items())
        self.reach = max(self.reach, end - start)
        if not self.start <= start <= self.end:
            self.slots, self.start, self.end = {}, start, start
        if end > self.end:
            self.slots |= self._ask(self.end, end)
            self.end = end
        if self.end - self.start > 2 * self.reach:
            self.start = self.end - self.reach
            self.slots = {time: slot for time, slot in self.slots.items() if time >= self.start}
        return [(time, self.slots[time]) for time in sorted(self.slots) if start <= time < end]

    def _ask(self, start, end):
        slots = {}
        for time, value in self.supplier(start, end):
            if start <= time < end:
                slot = slots.get(time)
                if slot is None:
                    slot = slots[time] = Aggregate()
                slot.add(float(value))
        return slots


class _Slots:
    """The data of one metric and unit: {seconds in a slot: {number of the slot: Aggregate}}."""

    def __init__(self):
        self.tiers = {seconds: {} for seconds in RETENTION}

    def add(self, aggregate, time, resolution):
        slot = self.tiers[resolution].get(time // resolution)
        if slot is None:
            slot = self.tiers[resolution][time // resolution] = Aggregate()
        slot.merge(aggregate)

    def between(self, start, end, now):
        """(time, Aggregate) of the slots that begin in the time, each tier oldest first."""
        for seconds, tier in self.tiers.items():
            if not tier:
                continue
            first, last = ceil(start / seconds), ceil(end / seconds)
            if last - first <= len(tier):
                yield from ((number * seconds, tier[number]) for number in range(first, last) if number in tier)
            else:
                yield from ((number * seconds, tier[number]) for number in sorted(tier) if first <= number < last)

    def roll_up(self, now):
        for seconds, longer in zip(RETENTION, (*list(RETENTION)[1:], None)):
            tier = self.tiers[seconds]
            for number in [number for number in tier if number * seconds < now - RETENTION[seconds]]:
                old = tier.pop(number)
                if longer:
                    self.add(old, number * seconds, longer)


def metric_key(Namespace: str | None, MetricName: str, Dimensions: list[dict] | None = None) -> tuple:
    """What makes a metric: (namespace, name, ((dimension, value), ...) in order)."""
    return Namespace, MetricName, tuple(sorted((item["Name"], item["Value"]) for item in Dimensions or ()))


def keeps(period: float) -> float:
    """How long data can be read at this period, in seconds (GetMetricData; MetricStat for "multiple of")."""
    return next(RETENTION[seconds] for seconds in reversed(RETENTION) if period % seconds == 0)


def round_start(start: float, period: float, now: float) -> float:
    """StartTime as CloudWatch rounds it down: by its age to a minute, five or an hour; finer for sub-minute periods."""
    age = now - start
    step = period if period < MINUTE else MINUTE if age < 15 * DAY else 5 * MINUTE if age <= 63 * DAY else HOUR
    return start // step * step


def check_period(period: float, code: str = "InvalidParameterValue") -> None:
    number = isinstance(period, (int, float)) and not isinstance(period, bool)
    if not number or period <= 0 or (period % MINUTE and period not in SHORT_PERIODS):
        raise ServiceError(code, f"The value {period} for parameter Period is invalid: 1, 5, 10, 20, 30 or a multiple "
                                 f"of 60 seconds.")


def check_queries(queries: list[dict]) -> None:
    """A ``MetricDataQueries`` (or an alarm's ``Metrics``); ValidationError."""
    seen = set()
    for number, query in enumerate(queries, 1):
        where = f"MetricDataQueries.member.{number}"
        name = query.get("Id")
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][A-Za-z0-9_]{0,254}", name):
            raise ServiceError("ValidationError", f"The value {name} for parameter {where}.Id is not matching the "
                                                  f"expected pattern: a "
                                                  "lowercase letter first, then letters, numbers and underscores.")
        if name in seen:
            raise ServiceError("ValidationError", f"The values for parameter Id in MetricDataQueries are not unique: "
                                                  f"{name} is there twice.")
        seen.add(name)
        if ("MetricStat" in query) == ("Expression" in query):
            raise ServiceError("ValidationError", f"{where} ({name}) needs either MetricStat or Expression, but not "
                                                  f"both.")
        if "MetricStat" in query:
            stat = query["MetricStat"]
            if missing := [key for key in ("Metric", "Period", "Stat") if key not in stat]:
                raise ServiceError("ValidationError", f"{where}.MetricStat ({name}) lacks {' and '.join(missing)}.")
            if not stat["Metric"].get("MetricName") or not stat["Metric"].get("Namespace"):
                raise ServiceError("ValidationError", f"{where}.MetricStat.Metric ({name}) needs a Namespace and a "
                                                      f"MetricName.")
            check_period(stat["Period"], "ValidationError")
            parse_statistic(stat["Stat"], "ValidationError")


def parse_statistic(name: str, code: str = "InvalidParameterValue"):
    """The function of an Aggregate that is this statistic; it returns None where the values don't tell.

    Average, Sum, Minimum, Maximum, SampleCount; p99.9, tm90, tc90, ts90, wm90, IQM; TM(10%:90%), TC(:0.5), PR(100:2000).
    """
    function = _parse_statistic(name) if isinstance(name, str) else None
    if function is None:
        raise ServiceError(code, f"The statistic {name!r} does not exist: {', '.join(BASIC)}, a percentile like "
                                 f"p99.9, or tm90, "
                                 "TM(10%:90%) and the like with tc, ts, wm; IQM; PR(100:2000).")
    return function


@lru_cache(maxsize=256)
def _parse_statistic(name):
    basic = {"SampleCount": lambda slot: slot.count, "Average": lambda slot: slot.sum / slot.count if slot.count
             else None,
             "Sum": lambda slot: slot.sum, "Minimum": lambda slot: slot.minimum, "Maximum": lambda slot: slot.maximum}
    if name in basic:
        return basic[name]
    number = r"(\d+(?:\.\d{1,10})?)"
    if match := re.fullmatch(rf"(p|tm|tc|ts|wm){number}", name):
        kind, low, high, percent = match[1].upper(), None, float(match[2]), True
    elif name == "IQM":  # the middle half: TM(25%:75%)
        kind, low, high, percent = "TM", 25.0, 75.0, True
    elif match := re.fullmatch(rf"(TM|TC|TS|WM|PR)\({number}?(%?):{number}?(%?)\)", name):
        kind, low, high = match[1], match[2] and float(match[2]), match[4] and float(match[4])
        signs = {sign for sign, bound in ((match[3], low), (match[5], high)) if bound is not None}
        if len(signs) != 1 or (match[3] and low is None) or (match[5] and high is None):
            return None
        percent = signs == {"%"}
        if (kind == "PR" and percent) or (low is not None and high is not None and low >= high):
            return None
    else:
        return None
    if percent and any(bound is not None and bound > 100 for bound in (low, high)):
        return None
    return lambda slot: _from_values(slot.values, kind, low, high, percent)


def _from_values(values, kind, low, high, percent):
    """A statistic that needs the values themselves; there is none if one is negative."""
    if not values or min(values) < 0:
        return None
    ordered = sorted(values.items())
    total = sum(values.values())
    if percent:  # of the values in order, those after the first `skip` and up to the `upto`-th
        skip = floor(total * (low or 0.0) / 100 + 1e-9)
        upto = max(ceil(total * (100.0 if high is None else high) / 100 - 1e-9), 1)
        if kind == "P":
            reached = accumulate(count for _, count in ordered)
            return next((value for (value, _), so_far in zip(ordered, reached) if so_far >= upto), ordered[-1][0])
        kept, passed = [], 0.0
        for value, count in ordered:
            taken = min(passed + count, upto) - max(passed, skip)
            if taken > 0:
                kept.append((value, taken))
            passed += count
        before, after = skip, max(total - upto, 0.0)
    else:  # the lower bound is left out, the upper one is in
        bottom, top = -inf if low is None else low, inf if high is None else high
        kept = [(value, count) for value, count in ordered if bottom < value <= top]
        before = sum(count for value, count in ordered if value <= bottom)
        after = sum(count for value, count in ordered if value > top)
    count, added = sum(count for _, count in kept), sum(value * count for value, count in kept)
    if kind == "PR":
        return 100.0 * count / total
    if kind == "TC":
        return float(count)
    if kind == "TS":
        return added
    if kind == "TM":
        return added / count if count else None
    if percent and not kept:
        return None
    edges = (kept[0][0], kept[-1][0]) if percent else (low, high)  # WM: what lies outside counts as the edge
    return (added + (before * edges[0] if before else 0.0) + (after * edges[1] if after else 0.0)) / total


def _of_unit(by_unit, unit):
    return list(by_unit.values()) if unit is None else [by_unit[unit]] if unit in by_unit else []


def _periods(queries):
    return [query["MetricStat"]["Period"] for query in queries if "MetricStat" in query]


def _check_datum(datum, where, now):
    """(datum, Aggregate), or what AWS says to it."""
    def invalid(parameter, value, why):
        raise ServiceError("InvalidParameterValue", f"The value {value} for parameter {where}.{parameter} is invalid: "
                                                    f"{why}.")

    def check_number(parameter, value):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not isfinite(value) or abs(value) > LARGEST:
            invalid(parameter, value, "a number from -2^360 to 2^360; NaN and infinity are not supported")
        return float(value)

    name = datum.get("MetricName")
    if not name:
        raise ServiceError("MissingParameter", f"The parameter {where}.MetricName is required.")
    if len(name) > 255:
        invalid("MetricName", name, "at most 255 characters")
    dimensions = datum.get("Dimensions") or ()
    if len(dimensions) > DIMENSIONS:
        invalid("Dimensions", len(dimensions), f"a metric has at most {DIMENSIONS} dimensions")
    for item in dimensions:
        if not item.get("Name") or not item.get("Value"):
            invalid("Dimensions", item, "each is a Name and a Value, neither empty")
    if len({item["Name"] for item in dimensions}) < len(dimensions):
        invalid("Dimensions", [item["Name"] for item in dimensions], "no dimension twice")
    if (datum.get("Unit") or "None") not in UNITS:
        invalid("Unit", datum["Unit"], f"one of {', '.join(UNITS)}")
    if datum.get("StorageResolution", MINUTE) not in (1, MINUTE):
        invalid("StorageResolution", datum["StorageResolution"], "1 (high resolution) or 60")
    time = check_number("Timestamp", datum.get("Timestamp", now))
    if time > now + NEWEST:
        invalid("Timestamp", time, "at most two hours in the future")
    if time < now - OLDEST:
        invalid("Timestamp", time, "at most two weeks in the past")
    given = [key for key in ("Value", "Values", "StatisticValues") if datum.get(key) is not None]
    if len(given) > 1:
        raise ServiceError("InvalidParameterCombination", f"The parameters {where}.{given[0]} and {where}.{given[1]} "
                                                          f"are mutually exclusive "
                                                          "and you have specified both.")
    if not given:
        raise ServiceError("MissingParameter", f"{where} needs a Value, Values or StatisticValues.")
    if datum.get("Counts") is not None and given != ["Values"]:
        raise ServiceError("InvalidParameterCombination", f"{where}.Counts goes with {where}.Values only.")
    if given == ["StatisticValues"]:
        told = datum["StatisticValues"]
        if missing := [key for key in ("SampleCount", "Sum", "Minimum", "Maximum") if told.get(key) is None]:
            raise ServiceError("MissingParameter", f"The parameter {where}.StatisticValues.{missing[0]} is required.")
        count, total, low, high = (check_number(f"StatisticValues.{key}", told[key])
                                   for key in ("SampleCount", "Sum", "Minimum", "Maximum"))
        if count <= 0 or low > high:
            invalid("StatisticValues", told, "SampleCount is above 0, and Minimum not above Maximum")
        return datum, Aggregate(count, total, low, high)
    values = datum["Values"] if given == ["Values"] else [datum["Value"]]
    counts = datum.get("Counts") or ()
    if not values or len(values) > VALUES:
        invalid("Values", f"with {len(values)} elements", f"1 to {VALUES} values")
    if counts and len(counts) != len(values):
        invalid("Counts", f"with {len(counts)} elements", f"as many as Values, {len(values)}")
    for count in counts:
        if check_number("Counts", count) <= 0:
            invalid("Counts", count, "a count is above 0")
    aggregate = Aggregate()
    for value, count in zip(values, counts or repeat(1.0)):
        aggregate.add(check_number(given[0], value), float(count))
    return datum, aggregate
