"""Is this many calls normal? CloudTrail Insights: the rate of calls, or of errors, against the seven days before.

An Insights event is written when a rate leaves the baseline, and another one when it is back. Two measures exist: calls
that write (ApiCallRateInsight) and calls that fail (ApiErrorRateInsight), each for every call of every service.

    for event in insight_events(records, begin=0, end=8 * 86_400):
        print(event["insightDetails"]["state"], event["eventTime"])

**Simplified** AWS does not publish its statistics. Here calls are counted in steps of five minutes, and a step is
unusual when a Poisson process with the baseline's rate would reach its count with a probability below 1e-9 (the
example of the guide, 3 calls in 5 minutes where 0.00009 a minute is normal, is unusual then; 2 calls are not). Steps
that were unusual do not count as normal later. Only more than usual is looked for. Nothing is reported before seven
days are recorded.
**Not modelled** Insights on data events; the wait until Insights begin; user agents among the attributions.

AWS CloudTrail User Guide, "CloudTrail Insights insightDetails element" (its published source) and "Working with
CloudTrail Insights" (excerpt of today's page), read 2026-11-23.
"""

import random
from collections import Counter
from functools import cache
from math import exp, lgamma, log

from kit.monitoring.cloudtrail import guid, seconds, stamp
from kit.sim import Records

STEP = 300  # seconds
BASELINE = 7 * 86_400  # seconds; the guide: at least 10,080 minutes before the event
UNLIKELY = 1e-9
TOP = 5  # identities or error codes named in the attributions


def watch(counts: list[int], start: float = 0.0) -> Records:
    """time (s), calls, baseline and limit (calls a step), unusual: each step of five minutes held to its week before.

    baseline and limit are None while less than a week is recorded.
    """
    steps = Records("time", "calls", "baseline", "limit", "unusual")
    week, normal, total, size = BASELINE // STEP, [], 0, 0
    for number, count in enumerate(counts):
        unusual, baseline, limit = False, None, None
        if number >= week:
            baseline = total / max(1, size)
            limit = _limit(float(f"{baseline:.3g}"))  # three digits are enough, and most steps share a limit
            unusual = count >= limit
        steps.append(start + number * STEP, count, baseline, limit, unusual)
        normal.append(None if unusual else count)
        total, size = total + (0 if unusual else count), size + (not unusual)
        if number >= week and (old := normal[number - week]) is not None:
            total, size = total - old, size - 1
    return steps


def insight_events(records: list[dict], begin: float, end: float,
                   InsightType: str = "ApiCallRateInsight") -> list[dict]:
    """Start and End events, oldest first, from CloudTrail's records of a time that begins and ends at these seconds.

    InsightType: ApiCallRateInsight (calls that write) or ApiErrorRateInsight (calls that fail); else ValueError.
    """
    if InsightType not in ("ApiCallRateInsight", "ApiErrorRateInsight"):
        raise ValueError(f"an insight type is ApiCallRateInsight or ApiErrorRateInsight, not {InsightType}")
    calls = {}
    for event in records:
        chosen = not event["readOnly"] if InsightType == "ApiCallRateInsight" else "errorCode" in event
        if event["managementEvent"] and chosen and begin <= seconds(event["eventTime"]) < end:
            calls.setdefault((event["eventSource"], event["eventName"]), []).append(event)
    found = []
    for (source, name), events in sorted(calls.items()):
        steps = int((end - begin) // STEP)
        inside = Counter(int((seconds(event["eventTime"]) - begin) // STEP) for event in events)
        rows = watch([inside[step] for step in range(steps)], begin)
        for first, last in _runs(rows["unusual"]):
            found += _pair(rows, first, last, source, name, events, InsightType)
    return sorted(found, key=lambda event: event["eventTime"])


def simulate(rate: float = 0.4, burst_rate: float = 6.0, burst_at: float = 8.0, burst_minutes: float = 30.0,
             days: float = 1.0, seed: int = 1) -> Records:
    """A quiet week and ``days`` more, with a burst ``burst_at`` hours into them. Rates in calls a minute.

    Returns what ``watch`` does; time is in seconds from the end of the quiet week, which is left out.
    """
    if min(rate, burst_rate, burst_minutes) < 0 or days <= 0:
        raise ValueError("rates and minutes are 0 or more, days more than 0")
    rng, counts = random.Random(seed), []
    for step in range(BASELINE // STEP + int(days * 86_400 // STEP)):
        hour = (step * STEP - BASELINE) / 3600
        bursting = burst_at <= hour < burst_at + burst_minutes / 60
        counts.append(_poisson((burst_rate if bursting else rate) * STEP / 60, rng))
    later = Records("time", "calls", "baseline", "limit", "unusual")
    for row in watch(counts, -BASELINE):
        if row["time"] >= 0:
            later.append(**row)
    return later


def _runs(flags: list[bool]) -> list[tuple]:
    """(first, last) of each stretch of True; last is None while it still goes on."""
    runs, first = [], None
    for number, flag in enumerate(flags):
        if flag and first is None:
            first = number
        elif not flag and first is not None:
            runs.append((first, number - 1))
            first = None
    return runs + ([(first, None)] if first is not None else [])


def _pair(rows, first: int, last: int | None, source, name, events, kind) -> list[dict]:
    baseline = rows["baseline"][first] * 60 / STEP
    made = []
    for state, until in (("Start", first), ("End", last)):
        if until is None:
            continue
        began, over = rows["time"][first], rows["time"][until] + STEP
        minutes = (over - began) / 60
        during = [event for event in events if began <= seconds(event["eventTime"]) < over]
        made.append({
            "eventVersion": "1.07", "eventTime": stamp(began if state == "Start" else over),
            "eventType": "AwsCloudTrailInsight",
            "awsRegion": during[0]["awsRegion"], "recipientAccountId": during[0]["recipientAccountId"],
            "sharedEventID": guid("insight", began, source, name, kind),
            "eventID": guid("insight", began, source, name, kind, state),
            "eventCategory": "Insight",
            "insightDetails": {
                "state": state, "eventSource": source, "eventName": name, "insightType": kind,
                "insightContext": {
                    "statistics": {"baseline": {"average": baseline}, "insight": {"average": len(during) / minutes},
                                   "insightDuration": int(minutes), "baselineDuration": BASELINE // 60},
                    "attributions": [_top("userIdentityArn", during, minutes,
                                          lambda event: event["userIdentity"].get("arn", "null")),
                                     _top("errorCode", during, minutes,
                                          lambda event: event.get("errorCode", "null"))]}}})
    return made


def _top(attribute: str, events: list[dict], minutes: float, value) -> dict:
    common = Counter(value(event) for event in events).most_common(TOP)
    return {"attribute": attribute, "insight": [{"value": one, "average": count / minutes} for one, count in common]}


@cache
def _limit(mean: float) -> int:
    """The smallest count that a Poisson process with this mean reaches with a probability below UNLIKELY."""
    mean = max(mean, STEP / BASELINE)  # a call that was never seen in a week may have come once
    count = int(mean) + 1
    while _tail(count, mean) >= UNLIKELY:
        count += 1
    return count


def _tail(count: int, mean: float) -> float:
    """P(Poisson >= count), for counts above the mean: the terms fall fast."""
    term = exp(count * log(mean) - mean - lgamma(count + 1))
    total = 0.0
    while term > total * 1e-12:
        total += term
        count += 1
        term *= mean / count
    return total


def _poisson(mean: float, rng: random.Random) -> int:
    if mean > 50:  # near enough to a normal distribution
        return max(0, round(rng.gauss(mean, mean ** 0.5)))
    count, product, floor = 0, rng.random(), exp(-mean)
    while product > floor:
        count, product = count + 1, product * rng.random()
    return count
