"""Two small worlds to watch: a web service with some slow answers, and an alarm that looks at a noisy metric.

    hour = latencies(slow=0.05)                      # minute by minute: average, p50, p95, p99, maximum
    night = alarm_story(datapoints=3, periods=5)     # minute by minute: the value, and the alarm's state

Both ask the models of CloudWatch: the statistics are ``metrics``' own, the state is ``cloudwatch.evaluate_alarm``'s.

**Simplified** Times of answers are lognormal; a fault lifts the metric by a fixed amount from one minute to the next.
"""

from random import Random

from kit.monitoring.cloudwatch import evaluate_alarm
from kit.monitoring.metrics import MetricStore
from kit.sim import Records

STATISTICS = ("Average", "p50", "p95", "p99", "Maximum")


def latencies(typical: float = 0.1, slow: float = 0.05, times_slower: float = 10.0, requests: int = 80, minutes: int = 60,
              seed: int = 1) -> Records:
    """A row a minute: minute and STATISTICS of its requests, in seconds. slow: the part that takes so many times as long."""
    rng, store = Random(seed), MetricStore()
    table = Records("minute", *STATISTICS)
    for minute in range(minutes):
        values = [typical * rng.lognormvariate(0, 0.3) * (times_slower if rng.random() < slow else 1) for _ in range(requests)]
        for start in range(0, requests, 150):
            store.put_metric_data("Shop", [{"MetricName": "Latency", "Values": values[start:start + 150]}], now=60 * minute)
    read = {name: dict(store.statistics("Shop", "Latency", [], 0, 60 * minutes, 60, name)) for name in STATISTICS}
    for minute in range(minutes):
        table.append(minute, *(read[name][60 * minute] for name in STATISTICS))
    return table


def alarm_story(datapoints: int = 3, periods: int = 5, threshold: float = 80.0, noise: float = 15.0, fault_at: int = 240, fault: float = 35.0,
                fault_minutes: int = 60, level: float = 55.0, missing: float = 0.0, treat_missing_data: str = "missing", minutes: int = 480,
                seed: int = 1) -> Records:
    """A row a minute: minute, value (None: no data), state, threshold, fault. From ``fault_at`` on the value is higher for a
    while; in these minutes fault is True.

    datapoints of periods: the alarm's M out of N. missing: the part of minutes in which no data comes.
    """
    if not 1 <= datapoints <= periods:
        raise ValueError(f"datapoints={datapoints}, periods={periods}: M out of N needs 1 <= M <= N")
    rng, table, state, breaching = Random(seed), Records("minute", "value", "state", "threshold", "fault"), "INSUFFICIENT_DATA", []
    for minute in range(minutes):
        faulty = fault_at <= minute < fault_at + fault_minutes
        value = level + noise * rng.gauss(0, 1) + (fault if faulty else 0)
        value = None if rng.random() < missing else value
        breaching = [*breaching, None if value is None else value > threshold][-(periods + 2):]
        padded = [None] * (periods + 2 - len(breaching)) + breaching
        state = evaluate_alarm(padded, datapoints_to_alarm=datapoints, evaluation_periods=periods, treat_missing_data=treat_missing_data,
                               state=state)
        table.append(minute, value, state, threshold, faulty)
    return table


def verdict(story: Records, fault_at: int = 240, fault_minutes: int = 60) -> dict:
    """false_alarms: how often it went off without a fault; delay: minutes from the fault to the alarm, None if it never came."""
    states, false, delay = story["state"], 0, None
    for minute in range(1, len(states)):
        if states[minute] == "ALARM" and states[minute - 1] != "ALARM":
            if fault_at <= minute < fault_at + fault_minutes:
                delay = minute - fault_at if delay is None else delay
            else:
                false += 1
    if delay is None and len(states) > fault_at and states[fault_at] == "ALARM":
        delay = 0
    return {"false_alarms": false, "delay": delay}
