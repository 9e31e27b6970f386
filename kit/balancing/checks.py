"""The exercises of the load-balancing lesson: what is right is asked from the models."""

import math
from fnmatch import fnmatchcase

from kit.balancing.alb import route
from kit.balancing.algorithms import least_outstanding_requests
from kit.balancing.conditions import Request
from kit.balancing.health import HealthCheck
from kit.balancing.rules import Listener
from kit.balancing.targets import TargetGroup
from kit.course.exercise import Exercise, Misconception

# ------------------------------------------------------------------ trace


def _forward(group):
    return [{"Type": "forward", "TargetGroupArn": group}]


def _decided(rules, path):
    listener = Listener(_forward("web"))
    for rule in rules:
        listener.create_rule([{"Field": "path-pattern", "PathPatternConfig": {"Values": [rule["path"]]}}],
                             rule["priority"], _forward(rule["group"]))
    return route(listener.describe_rules()["Rules"], Request(path=path)).target_group


_RULES = [{"priority": 30, "path": "/img/*", "group": "images"}, {"priority": 20, "path": "/api/*", "group": "api"},
          {"priority": 10, "path": "/api/v2/*", "group": "new api"},
          {"priority": 40, "path": "/api/v2/img/*", "group": "never"}]


def _paths(rng):
    mixed = _RULES.copy()
    rng.shuffle(mixed)
    return [{"rules": _RULES, "path": path}
            for path in ("/api/v2/cart", "/api/cart", "/API/cart", "/", "/img/hat.png")] + [
        {"rules": mixed, "path": path}
        for path in ("/api/v2/img/hat.png", "/Img/hat.png", f"/api/v{rng.randint(1, 3)}/cart")]


def _first_listed(rules, path):
    return next((rule["group"] for rule in rules if fnmatchcase(path, rule["path"])), "web")


def _any_case(rules, path):
    ordered = sorted(rules, key=lambda rule: rule["priority"])
    return next((rule["group"] for rule in ordered if fnmatchcase(path.lower(), rule["path"])), "web")


which_rule = Exercise(
    id="09-which-rule", title="Which rule decides?", points=2, cases=_paths, expected=lambda case: _decided(**case),
    show=lambda case: f"path {case['path']}, rules in the order of priorities "
                      + ", ".join(str(rule["priority"]) for rule in case["rules"]),
    why="An Application Load Balancer looks at its rules from the lowest priority number to the highest, and compares "
        "paths with their case.",
    misconceptions=[
        Misconception("the first in the list", _first_listed,
                      "The order in which rules are listed or were made means nothing. What orders them?"),
        Misconception("case does not matter", _any_case, "Hosts are compared without their case. And paths?")])


def _taken_out(interval, unhealthy_threshold, died_at):
    group = TargetGroup(zones=("a",), check=HealthCheck(interval=interval, unhealthy_threshold=unhealthy_threshold))
    group.register_targets([{"Id": "i-1"}], now=0)
    now = 0
    while True:
        state = group.health_check("i-1", 200 if now < died_at else None, now)
        if state == "unhealthy":
            return now
        now += interval


taken_out = Exercise(
    id="09-taken-out", title="When is it out?", points=1,
    cases=lambda rng: [{"interval": 30, "unhealthy_threshold": 2, "died_at": 31},
                       {"interval": 10, "unhealthy_threshold": 3, "died_at": 5},
                       {"interval": rng.randint(6, 20), "unhealthy_threshold": rng.randint(3, 6),
                        "died_at": rng.randint(21, 99) + 0.5}],
    expected=lambda case: _taken_out(**case),
    why="Until then the balancer goes on sending requests to the dead target, and clients get errors.",
    misconceptions=[
        Misconception("counts from the death", lambda interval, unhealthy_threshold, died_at:
                      died_at + interval * unhealthy_threshold,
                      "Checks come at fixed times: 0, interval, 2 × interval and so on. Which is the first that fails?"),
        Misconception("one failure is enough", lambda interval, unhealthy_threshold, died_at:
                      math.ceil(died_at / interval) * interval,
                      "That is the first failed check. How many does it take?")])

# ------------------------------------------------------------------ build


def _loads(rng):
    drawn = dict(zip(("i-1", "i-2", "i-3", "i-4"), rng.sample(range(1, 60), 4)))
    least = min(drawn, key=drawn.get)
    return [{"outstanding": {"i-1": 4, "i-2": 1, "i-3": 3}, "healthy": ["i-1", "i-2", "i-3"]},
            {"outstanding": {"i-1": 4, "i-2": 0, "i-3": 3}, "healthy": ["i-1", "i-3"]},
            {"outstanding": {"i-1": 4, "i-2": 2, "i-3": 3}, "healthy": []},
            {"outstanding": drawn, "healthy": [name for name in drawn if name != least]}]


def _picked(outstanding, healthy):
    return least_outstanding_requests(healthy or list(outstanding), outstanding)


pick = Exercise(
    id="09-pick", title="Pick the least busy", points=2, cases=_loads, expected=lambda case: _picked(**case),
    why="A dead server answers nothing, or fails at once: it has few requests in progress, and without health checks "
        "it would attract all the others. And when no target is healthy, the group fails open.",
    misconceptions=[
        Misconception("forgets health", lambda outstanding, healthy: min(outstanding, key=outstanding.get),
                      "Who is idle because it is dead?"),
        Misconception("gives up", lambda outstanding, healthy: min(healthy, key=outstanding.get, default="nobody"),
                      "With no healthy target at all, does the balancer refuse, or try?")])


def _split(actions, case):
    listener = Listener(actions)
    went = [route(listener.describe_rules()["Rules"], Request(), draw=(n + 0.5) / 100).target_group for n in range(100)]
    return {group: went.count(group) for group in sorted(set(went))}


def _actions(new, old):
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": "old", "Weight": old}, {"TargetGroupArn": "new", "Weight": new}]}}]


canary = Exercise(
    id="09-canary", title="A canary", points=2,
    cases=lambda rng: [{"percent": 10}, {"percent": 0}, {"percent": rng.choice([5, 15, 20, 25, 30])}],
    run=lambda answer, case: _split(answer(**case), case),
    expected=lambda case: _split(_actions(case["percent"], 100 - case["percent"]), case),
    why="Weights decide how many of your customers meet the new version before you trust it.",
    misconceptions=[
        Misconception("the wrong way round", lambda percent: _actions(100 - percent, percent),
                      "That sends most of your customers to the version that nobody has tried."),
        Misconception("old always weighs 100", lambda percent: _actions(percent, 100),
                      "A group's share is its weight divided by the sum of the weights.")])

# ------------------------------------------------------------------ diagnose


uneven = Exercise(
    id="09-uneven", title="Who gets how much?", points=2,
    cases=lambda rng: [{"servers": [1, 3], "cross_zone": True}, {"servers": [1, 3], "cross_zone": False},
                       {"servers": [rng.randint(1, 2), rng.randint(4, 6), 3], "cross_zone": False}],
    expected=lambda case: ([1 / sum(case["servers"])] * len(case["servers"]) if case["cross_zone"] else
                           [1 / len(case["servers"]) / count for count in case["servers"]]),
    close=lambda got, want: len(got) == len(want) and all(abs(a - b) < 1e-6 for a, b in zip(got, want)),
    why="Clients spread over the zones evenly. Without cross-zone balancing a zone's share is divided among its own "
        "servers, and a lonely one may break down while others idle.",
    misconceptions=[
        Misconception("always even", lambda servers, cross_zone: [1 / sum(servers)] * len(servers),
                      "That is right with cross-zone balancing. Without it, a node sends to its own zone only."),
        Misconception("always by zone", lambda servers, cross_zone: [1 / len(servers) / count for count in servers],
                      "That is right without cross-zone balancing. With it, all nodes share among all servers.")])


def _survivors(rate, service_time, zones):
    return next(count for count in range(zones, 100_000, zones)
                if rate * service_time * zones <= 0.8 * count * (zones - 1) + 1e-9)


survive = Exercise(
    id="09-survive", title="How many servers survive a zone?", points=2,
    cases=lambda rng: [{"rate": 100, "service_time": 0.08, "zones": 2}, {"rate": 100, "service_time": 0.08, "zones": 3},
                       {"rate": rng.randint(300, 900), "service_time": 0.05, "zones": rng.randint(2, 4)}],
    expected=lambda case: _survivors(**case),
    why="When a zone fails, the rest must carry all of the load, at once: scaling takes minutes.",
    misconceptions=[
        Misconception("forgets the failure", lambda rate, service_time, zones:
                      math.ceil(rate * service_time / 0.8 / zones) * zones,
                      "That is enough while all zones live. How many servers are left when one is dark?"),
        Misconception("plans for 100 %", lambda rate, service_time, zones:
                      math.ceil(rate * service_time / (zones - 1)) * zones,
                      "At 100 % the queues grow without end. The task asks for 80 % at most.")])
