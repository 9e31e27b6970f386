"""Each exercise: the solution passes, a blank is the learner's turn, each misconception gets its own hint."""

import math

import pytest

from kit.course.exercise import Exercise, prove
from kit.integration import checks

LEARNERS = ["", *(f"learner {number}" for number in range(20))]
POLICY = {"country": [{"anything-but": "DE"}], "kind": ["gift"], "price": [{"numeric": [">=", 50]}]}


def receives(polls, visibility_timeout):
    hidden_until = count = 0
    for poll in polls:
        if poll >= hidden_until:
            count, hidden_until = count + 1, poll + visibility_timeout
    return count


def heartbeats(work_time, visibility_timeout, margin):
    return max(0, math.ceil((work_time - visibility_timeout) / (visibility_timeout - margin)))


SOLUTIONS = {
    "back_again": receives,
    "enough": lambda rate, work_time: math.floor(rate * work_time + 1),
    "pack_once": lambda messages: list({message["MessageId"]: message["Body"] for message in messages}.values()),
    "only_gifts": POLICY,
    "dead_letters": lambda crashes, max_receive_count: [o for o in sorted(crashes) if crashes[o] >= max_receive_count],
    "heartbeat": heartbeats,
}


@pytest.mark.parametrize("name", [name for name, value in vars(checks).items() if isinstance(value, Exercise)])
def test_an_exercise_tells_right_from_wrong(name):
    prove(getattr(checks, name), SOLUTIONS[name], LEARNERS)


def test_a_policy_that_sns_would_refuse_is_told_in_words():
    verdict = checks.only_gifts.examine({"price": [{"numeric": []}]})
    assert not verdict.right and not verdict.blank and "InvalidParameter" in " ".join(verdict.words)
