"""The exercises of the monitoring lesson: what is right is asked from the models."""

import json

from kit.course.exercise import Exercise, Misconception
from kit.monitoring.cloudtrail import assumed_role, iam_user, record, root
from kit.monitoring.cloudwatch import evaluate_alarm
from kit.monitoring.log_filter import compile_pattern
from kit.monitoring.metrics import MetricStore

# ------------------------------------------------------------------ trace


def _state(points, datapoints, periods):
    """A fresh evaluation range, longer than the periods looked at, of an alarm that was OK."""
    return evaluate_alarm([False, False, *points], datapoints_to_alarm=datapoints, evaluation_periods=periods, treat_missing_data="missing", state="OK")


state = Exercise(
    id="20-state", title="Does it go off?", points=1,
    cases=lambda rng: [{"points": [True, False, True], "datapoints": 2, "periods": 3}, {"points": [True, True, False, False], "datapoints": 2, "periods": 3},
                       {"points": [False, False, True, True], "datapoints": 3, "periods": 4},
                       {"points": [rng.random() < 0.5 for _ in range(6)], "datapoints": 3, "periods": 5}],
    expected=lambda case: _state(**case) == "ALARM",
    why="Only the last N points count, and M of them must be beyond the threshold, in a row or not.",
    misconceptions=[
        Misconception("the last one decides", lambda points, datapoints, periods: points[-1], "One bad point is not enough, and one good one not always."),
        Misconception("all points count", lambda points, datapoints, periods: sum(points) >= datapoints,
                      "The alarm looks at the last `periods` points only. What is older is over."),
        Misconception("in a row", lambda points, datapoints, periods: all(points[-datapoints:]), "M out of N need not be in a row.")])

# ------------------------------------------------------------------ modify


def _percentile(values, percent):
    store = MetricStore()
    for start in range(0, len(values), 100):
        store.put_metric_data("Shop", [{"MetricName": "Latency", "Values": values[start:start + 100]}], now=0)
    return store.statistics("Shop", "Latency", [], 0, 60, 60, f"p{percent}")[0][1]


percentile = Exercise(
    id="20-percentile", title="What do the slowest feel?", points=2,
    cases=lambda rng: [{"values": [float(n) for n in range(1, 101)], "percent": 90}, {"values": [0.1] * 95 + [5.0] * 5, "percent": 99},
                       {"values": [round(rng.expovariate(1), 3) for _ in range(200)], "percent": rng.choice([50, 95, 99])}],
    expected=lambda case: _percentile(**case), show=lambda case: f"{len(case['values'])} values, p{case['percent']}",
    why="p90 is the value that nine in ten do not exceed. It needs the values themselves: averages of parts cannot be put together to a percentile.",
    misconceptions=[
        Misconception("a part of the greatest", lambda values, percent: max(values) * percent / 100,
                      "It is not a part of the greatest value, but a value that occurred. Put them in order first."),
        Misconception("from the wrong end", lambda values, percent: sorted(values)[max(0, len(values) * (100 - percent) // 100 - 1)],
                      "Nine in ten lie *below* the p90."),
        Misconception("unsorted", lambda values, percent: values[-(-len(values) * percent // 100) - 1] if values != sorted(values) else 0.0,
                      "Did you put the values in order?")])

# ------------------------------------------------------------------ build


def _line(rng):
    level, status, ms = rng.choice(["INFO", "ERROR", "WARN"]), rng.choice([200, 404, 500, 503]), rng.choice([40, 999, 1000, 1500])
    return json.dumps({"level": level, "status": status, "ms": ms})


_WANTED = "{ $.status >= 500 && $.ms > 1000 }"


def _found(pattern, lines):
    return [number for number, line in enumerate(lines) if compile_pattern(pattern).matches(line)]


pattern = Exercise(
    id="20-pattern", title="Find the slow failures", points=2,
    cases=lambda rng: [{"lines": [json.dumps({"level": level, "status": status, "ms": ms}) for level, status, ms in (
        ("ERROR", 500, 1500), ("ERROR", 500, 40), ("INFO", 200, 1500), ("WARN", 503, 1001), ("ERROR", 404, 2000), ("ERROR", 503, 1000))]},
                       {"lines": [_line(rng) for _ in range(30)]}],
    run=lambda pattern, case: _found(pattern, case["lines"]), expected=lambda case: _found(_WANTED, case["lines"]),
    show=lambda case: f"{len(case['lines'])} lines",
    why="What a filter lets through is counted, and what is counted wakes somebody.",
    misconceptions=[
        Misconception("one of the two", "{ $.status >= 500 || $.ms > 1000 }", "Both must hold: `&&`."),
        Misconception("a word", "ERROR", "The level says nothing of the status or the time. Look at the fields: { $.status ... }."),
        Misconception("one thousand as well", "{ $.status >= 500 && $.ms >= 1000 }", "*More* than 1,000 ms.")])


def _lines_of(events):
    """The calls that were refused, by whom."""
    found = {}
    for event in events:
        if event.get("errorCode") in ("AccessDenied", "Client.UnauthorizedOperation"):
            name = event["userIdentity"].get("userName") or event["userIdentity"]["type"]
            found[name] = found.get(name, 0) + 1
    return found


def _events(rng, number):
    names = ["ada", "bob", "eve"]
    return {"events": [record({"eventTime": 1_767_571_200 + 60 * n, "eventSource": "s3.amazonaws.com", "eventName": "DeleteBucket", "awsRegion": "us-east-1",
                               "userIdentity": iam_user(rng.choice(names)) if n % 5 else root()}
                              | ({"errorCode": rng.choice(["AccessDenied", "NoSuchBucket"]), "errorMessage": "no"} if n % 2 else {}), n + 1)
                       for n in range(number)]}


refused = Exercise(
    id="20-refused", title="Who was refused?", points=2,
    cases=lambda rng: [_events(rng, 6), _events(rng, 40)],
    expected=lambda case: _lines_of(**case), show=lambda case: f"{len(case['events'])} records",
    why="A burst of AccessDenied is somebody trying doors. Other errors are mistakes.",
    misconceptions=[
        Misconception("all errors", lambda events: {name: sum(
            (one["userIdentity"].get("userName") or one["userIdentity"]["type"]) == name and "errorCode" in one for one in events) for name in {
            one["userIdentity"].get("userName") or one["userIdentity"]["type"] for one in events if "errorCode" in one}},
            "A bucket that does not exist is an error, but nobody was refused. Look at the error code."),
        Misconception("all calls", lambda events: {name: sum((one["userIdentity"].get("userName") or one["userIdentity"]["type"]) == name for one in events)
                                                   for name in {one["userIdentity"].get("userName") or one["userIdentity"]["type"] for one in events}},
                      "Count only those that were refused: they have an `errorCode`.")])

# ------------------------------------------------------------------ diagnose


def _story(rng, number):
    """So many calls: among them a change by one, a later change by another, and a look by a third at the end."""
    who = [root(), iam_user("ada"), iam_user("bob"), assumed_role("deploy", "ci", 0)]
    rng.shuffle(who)
    look, change = "DescribeSecurityGroups", ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"]
    middle = [(rng.choice(who), rng.choice([look, *change]), rng.choice(["sg-1", "sg-2"])) for _ in range(number - 4)]
    calls = [(who[0], change[0], "sg-1"), *middle, (who[1], change[1], "sg-1"), (who[2], change[0], "sg-2"),
             (who[3], look, "sg-1")]
    events = [record({"eventTime": 1_767_571_200 + 60 * n, "eventSource": "ec2.amazonaws.com",
                      "awsRegion": "us-east-1", "userIdentity": caller, "eventName": name,
                      "requestParameters": {"GroupId": group}}, n + 1) for n, (caller, name, group) in enumerate(calls)]
    return {"events": events, "group": "sg-1"}


def _last_change(events, group):
    for event in sorted(events, key=lambda one: one["eventTime"], reverse=True):
        if not event["readOnly"] and (event.get("requestParameters") or {}).get("groupId") == group:
            return event["userIdentity"]["arn"]
    return None


culprit = Exercise(
    id="20-culprit", title="Who changed the firewall last?", points=2,
    cases=lambda rng: [_story(rng, 5), _story(rng, 25), {"events": [], "group": "sg-1"}],
    expected=lambda case: _last_change(**case), show=lambda case: f"{len(case['events'])} records, {case['group']}",
    why="Looking is not changing, and another group is another door. The event history is read from the newest back.",
    misconceptions=[
        Misconception("the last call", lambda events, group: max(
            events, key=lambda one: one["eventTime"])["userIdentity"]["arn"] if events else None,
                      "Somebody may have only looked, or changed another group. Which fields tell?"),
        Misconception("the first change", lambda events, group: next((
            one["userIdentity"]["arn"] for one in events
            if not one["readOnly"] and one["requestParameters"]["groupId"] == group), None),
                      "That was the first change. The newest one counts.")])
