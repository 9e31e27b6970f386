"""Each exercise: the solution passes, a blank is the learner's turn, each misconception gets its own hint."""

import math

import pytest

from kit.compute import checks
from kit.course.exercise import Exercise, prove

LEARNERS = ["", *(f"learner {number}" for number in range(20))]


def after_step(capacity, cpu):
    percent = next(change for least, change in ((85, 50), (70, 30), (60, 10)) if cpu >= least)
    return capacity + max(1, math.floor(capacity * percent / 100))


def lasts(vcpus, credits_an_hour, saved, load):
    net = vcpus * load / 100 - credits_an_hour / 60
    return int(saved / net + 1e-9) if net > 0 else None


def dollars(requests, milliseconds, memory_mb):
    used = requests * milliseconds / 1000 * memory_mb / 1024
    return round(max(0, requests - 1e6) * 0.2e-6 + max(0, used - 4e5) * 0.0000166667, 2)


def handler(event, context):
    return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in event["Records"] if not one["body"].isdecimal()]}


SOLUTIONS = {
    "at_once": lambda rate, seconds: rate * seconds,
    "month": dollars,
    "batch": handler,
    "cheapest_memory": lambda cpu_seconds, waiting, sizes: min(sorted(sizes), key=lambda memory: round(
        memory * (cpu_seconds * 1769 / min(memory, 1769) + waiting), 6)),
    "retried": lambda down_until: 0 if down_until <= 0 else 60 if down_until <= 60 else 180 if down_until <= 180 else None,
    "target": lambda capacity, cpu, target: math.ceil(capacity * cpu / target),
    "steps": after_step,
    "burst_minutes": lasts,
    "cheapest": lambda hours, price, discount: "on-demand" if hours <= 730 * (1 - discount) else "savings plan",
    "replaced": lambda activities: len([one for one in activities if "Launching" in one["Description"] and "unhealthy" in one["Cause"]]),
}


@pytest.mark.parametrize("name", [name for name, value in vars(checks).items() if isinstance(value, Exercise)])
def test_an_exercise_tells_right_from_wrong(name):
    prove(getattr(checks, name), SOLUTIONS[name], LEARNERS)
