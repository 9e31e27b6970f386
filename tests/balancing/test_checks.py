"""Each exercise: the solution passes, a blank is the learner's turn, each misconception gets its own hint."""

import math
from fnmatch import fnmatchcase

import pytest

from kit.balancing import checks
from kit.course.exercise import Exercise, prove

LEARNERS = ["", *(f"learner {number}" for number in range(12))]

SOLUTIONS = {
    "which_rule": lambda rules, path: min(
        ((rule["priority"], rule["group"]) for rule in rules if fnmatchcase(path, rule["path"])), default=(0, "web"))[1],
    "taken_out": lambda interval, unhealthy_threshold, died_at:
        interval * (math.ceil(died_at / interval) + unhealthy_threshold - 1),
    "pick": lambda outstanding, healthy: min(healthy or outstanding, key=outstanding.get),
    "canary": lambda percent: [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": "old", "Weight": 100 - percent}, {"TargetGroupArn": "new", "Weight": percent}]}}],
    "uneven": lambda servers, cross_zone: [
        1 / sum(servers) if cross_zone else 1 / (len(servers) * count) for count in servers],
    "survive": lambda rate, service_time, zones: zones * math.ceil(
        math.ceil(round(rate * service_time / 0.8, 9)) / (zones - 1)),
}


@pytest.mark.parametrize("name", [name for name, value in vars(checks).items() if isinstance(value, Exercise)])
def test_an_exercise_tells_right_from_wrong(name):
    prove(getattr(checks, name), SOLUTIONS[name], LEARNERS)


@pytest.mark.parametrize("case", [{"servers": [1, 3], "cross_zone": False}, {"servers": [1, 3], "cross_zone": True}])
def test_the_formula_for_uneven_zones_is_what_the_fleet_does(case):
    from kit.balancing.fleet import shares, simulate
    run = simulate(zones=2, rate=60, arrivals="constant", duration=200, service_time=0.001, servers=tuple(case["servers"]),
                   cross_zone=case["cross_zone"])
    found = shares(run)
    for zone, want in zip("ab", SOLUTIONS["uneven"](**case)):
        assert [part for name, part in found.items() if run.zones[name] == zone] == pytest.approx(
            [want] * case["servers"]["ab".index(zone)], abs=0.02)


def test_rules_that_a_listener_refuses_are_told_in_words():
    verdict = checks.canary.examine(lambda percent: [{"Type": "forward"}])
    assert not verdict.right and not verdict.blank
