"""Each exercise: the solution passes, a blank is the learner's turn, each misconception gets its own hint."""

import math
from collections import Counter

import pytest

from kit.course.exercise import Exercise, prove
from kit.monitoring import checks

LEARNERS = ["", *(f"learner {number}" for number in range(20))]


def culprit(events, group):
    mine = [one for one in events if one["requestParameters"]["groupId"] == group and one["eventName"] != "DescribeSecurityGroups"]
    return mine[-1]["userIdentity"]["arn"] if mine else None


SOLUTIONS = {
    "state": lambda points, datapoints, periods: points[-periods:].count(True) >= datapoints,
    "percentile": lambda values, percent: sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)],
    "pattern": "{ ($.ms > 1000) && ($.status >= 500) }",
    "refused": lambda events: dict(Counter(one["userIdentity"].get("userName") or one["userIdentity"]["type"] for one in events
                                           if one.get("errorCode") == "AccessDenied")),
    "culprit": culprit,
}


@pytest.mark.parametrize("name", [name for name, value in vars(checks).items() if isinstance(value, Exercise)])
def test_an_exercise_tells_right_from_wrong(name):
    prove(getattr(checks, name), SOLUTIONS[name], LEARNERS)


def test_a_pattern_that_cloudwatch_would_refuse_is_told_in_words():
    verdict = checks.pattern.examine("{ $.status >= }")
    assert not verdict.right and not verdict.blank and "InvalidParameter" in " ".join(verdict.words)
