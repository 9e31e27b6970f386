"""The exercises of the lessons on servers and on functions: what is right is asked from the models."""

import json
import math

from kit.compute import lambda_cost
from kit.compute.autoscaling import step_adjustment, target_tracking
from kit.compute.burst import credits
from kit.compute.invocation import failed_messages, retry_wait
from kit.compute.purchase import MONTH, cost
from kit.compute.scaling_group import Group
from kit.course.exercise import Exercise, Misconception
from kit.sim import Clock

# ------------------------------------------------------------------ servers: trace

target = Exercise(
    id="03-target", title="How many does the target want?", points=1,
    cases=lambda rng: [{"capacity": 4, "cpu": 70, "target": 50}, {"capacity": 10, "cpu": 90, "target": 60},
                       {"capacity": rng.randint(3, 30), "cpu": rng.randint(71, 99), "target": rng.randint(30, 60)}],
    expected=lambda case: int(target_tracking(case["capacity"], case["cpu"], case["target"])),
    why=lambda case, got, want: f"{case['capacity']} servers at {case['cpu']} % do {case['capacity'] * case['cpu']} % of work. Spread over "
                                f"{want} servers that is at most {case['target']} % each; Auto Scaling rounds up.",
    misconceptions=[
        Misconception("rounds down", lambda capacity, cpu, target: capacity * cpu // target,
                      "Rounded down, each server would be above the target still. Which way does a careful group round?"),
        Misconception("adds the difference", lambda capacity, cpu, target: capacity + math.ceil(capacity * (cpu - target) / 100),
                      "The CPU is a share of each server. How much work is it altogether, and how many servers bring it to the target?")])

# ------------------------------------------------------------------ servers: modify

STEPS = [{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 10},
         {"MetricIntervalLowerBound": 10, "MetricIntervalUpperBound": 25, "ScalingAdjustment": 30},
         {"MetricIntervalLowerBound": 25, "ScalingAdjustment": 50}]


def _after_step(capacity, cpu):
    return int(step_adjustment(capacity, cpu, 60, STEPS, "PercentChangeInCapacity"))


steps = Exercise(
    id="03-steps", title="Which step?", points=2,
    cases=lambda rng: [{"capacity": 10, "cpu": 65}, {"capacity": 10, "cpu": 70}, {"capacity": 10, "cpu": 85}, {"capacity": 11, "cpu": 75},
                       {"capacity": rng.randint(11, 40), "cpu": rng.randint(70, 100)}],
    expected=lambda case: _after_step(**case),
    why="A step's bounds count from the threshold, the lower one belongs to it and the upper one doesn't. A change in per cent is rounded: "
        "above one towards zero, between nought and one up to one.",
    misconceptions=[
        Misconception("bounds are CPU values", lambda capacity, cpu: capacity,
                      "The bounds are not CPU values but distances from the threshold: 0 to 10 means 60 % to 70 %."),
        Misconception("the upper bound belongs to the step", lambda capacity, cpu: capacity + max(1, int(capacity * (
            10 if cpu <= 70 else 30 if cpu <= 85 else 50) / 100)),
            "At exactly 70 %, which step is it? The lower bound is inclusive, the upper one exclusive."),
        Misconception("rounds up", lambda capacity, cpu: capacity + math.ceil(capacity * (10 if cpu < 70 else 30 if cpu < 85 else 50) / 100),
                      "Auto Scaling rounds a percentage above 1 down: 30 % of 11 is 3.3, and that becomes 3.")])

# ------------------------------------------------------------------ servers: build


def _minutes(instance_type, saved, load):
    row = credits(instance_type)
    spends, earns = row.vcpus * load / 100, row.an_hour / 60
    return None if spends <= earns else math.floor(saved / (spends - earns) + 1e-9)


def _credit_case(rng):
    kind = rng.choice(["t3.micro", "t3.small", "t3.large"])
    row = credits(kind)
    return {"vcpus": row.vcpus, "credits_an_hour": row.an_hour, "saved": rng.randint(20, int(row.most)), "load": rng.randint(45, 100)}


def _lasts(vcpus, credits_an_hour, saved, load):
    spends, earns = vcpus * load / 100, credits_an_hour / 60
    return None if spends <= earns else math.floor(saved / (spends - earns) + 1e-9)


burst_minutes = Exercise(
    id="03-credits", title="How long do the credits last?", points=2,
    cases=lambda rng: [{"vcpus": 2, "credits_an_hour": 12, "saved": 96, "load": 100}, {"vcpus": 2, "credits_an_hour": 24, "saved": 50, "load": 20},
                       {"vcpus": 2, "credits_an_hour": 36, "saved": 100, "load": 10}, _credit_case(rng)],
    expected=lambda case: _lasts(**case),
    why="A credit is one vCPU at 100 % for a minute. While it spends, a burstable server goes on earning; at or below its baseline the "
        "credits never end.",
    misconceptions=[
        Misconception("forgets what comes in", lambda vcpus, credits_an_hour, saved, load: None if vcpus * load / 100 <= credits_an_hour / 60
                      else math.floor(saved / (vcpus * load / 100)), "It earns credits while it works, too. How many a minute?"),
        Misconception("one vCPU", lambda vcpus, credits_an_hour, saved, load: None if load / 100 <= credits_an_hour / 60
                      else math.floor(saved / (load / 100 - credits_an_hour / 60)), "A credit is for one vCPU. This server has more than one."),
        Misconception("always ends", lambda vcpus, credits_an_hour, saved, load: math.floor(
            saved / abs(vcpus * load / 100 - credits_an_hour / 60 + 1e-12)),
            "If it spends no more than it earns, the credits never end: answer None.")])


def _cheapest(hours, price, discount):
    plan, demand = cost("savings plan", hours, price, discount), cost("on-demand", hours, price)
    return "savings plan" if plan < demand else "on-demand"


cheapest = Exercise(
    id="03-cheapest", title="Promise or pay as you go?", points=1,
    cases=lambda rng: [{"hours": 730, "price": 0.1, "discount": 0.4}, {"hours": 400, "price": 0.1, "discount": 0.4},
                       {"hours": 300, "price": 0.1, "discount": 0.65}, {"hours": 200, "price": 0.1, "discount": 0.4},
                       {"hours": rng.randint(50, 730), "price": rng.choice([0.05, 0.2, 1.5]), "discount": rng.choice([0.15, 0.33, 0.61])}],
    expected=lambda case: _cheapest(**case),
    why=lambda case, got, want: f"The plan costs {1 - case['discount']:.0%} of the price for each of {MONTH:.0f} hours, used or not; On-Demand the "
                                f"whole price for {case['hours']}.",
    misconceptions=[
        Misconception("half of the month", lambda hours, price, discount: "savings plan" if hours > MONTH / 2 else "on-demand",
                      "Where the two cross depends on the discount. From which part of the month on is the plan cheaper?"),
        Misconception("a discount is a discount", lambda hours, price, discount: "savings plan",
                      "The plan is paid for every hour of the month, also for those in which nothing runs.")])

# ------------------------------------------------------------------ servers: diagnose


def _night(deaths, wishes):
    """The activities of a group in which so many instances died and the desired capacity was moved so often."""
    clock = Clock()
    group = Group(clock, "web", MinSize=1, MaxSize=20, DesiredCapacity=3, boot=60)
    for number in range(max(deaths, wishes)):
        clock.run(until=clock.now + 300)
        if number < wishes:
            group.set_desired_capacity(group.DesiredCapacity + 1)
        clock.run(until=clock.now + 300)
        if number < deaths:
            group.instance_failed(group.in_service()[0])
    clock.run(until=clock.now + 600)
    return [{"Description": one["Description"], "Cause": one["Cause"]} for one in group.activities]


def _night_case(rng):
    return {"activities": _night(rng.randint(1, 6), rng.randint(1, 5))}


def _deaths(activities):
    return sum("Launching" in one["Description"] and "unhealthy instance" in one["Cause"] for one in activities)


replaced = Exercise(
    id="03-replaced", title="Who died in the night?", points=2,
    cases=lambda rng: [{"activities": _night(2, 1)}, {"activities": _night(0, 3)}, _night_case(rng)],
    expected=lambda case: _deaths(**case), show=lambda case: f"{len(case['activities'])} activities",
    why="An activity's Description says what was done, its Cause why: only launches “in response to an unhealthy instance” replace a dead one.",
    misconceptions=[
        Misconception("all launches", lambda activities: sum("Launching" in one["Description"] for one in activities),
                      "Some of these launches answer a wish for more. Read the Cause."),
        Misconception("launches and terminations", lambda activities: sum("unhealthy" in one["Cause"] or "health" in one["Cause"] for one in activities),
                      "For one death there are two activities: the old one ends, a new one is launched. Count each death once.")])

# ------------------------------------------------------------------ functions: trace

at_once = Exercise(
    id="04-at-once", title="How many at once?", points=1,
    cases=lambda rng: [{"rate": 10, "seconds": 0.5}, {"rate": 100, "seconds": 2}, {"rate": rng.randint(20, 400), "seconds": rng.choice([0.25, 1.5, 3])}],
    expected=lambda case: case["rate"] * case["seconds"],
    why=lambda case, got, want: f"{case['rate']} come in each second and each stays {case['seconds']} s: {want:g} are there at a time. Lambda's "
                                "quota counts that, not the requests.",
    misconceptions=[
        Misconception("requests a second", lambda rate, seconds: rate, "Two requests can share an environment if they don't overlap. How long is each there?"),
        Misconception("divides", lambda rate, seconds: rate / seconds, "Longer requests need more environments, not fewer.")])

# ------------------------------------------------------------------ functions: modify


def _month_case(rng):
    return {"requests": rng.randint(2, 60) * 1_000_000, "milliseconds": rng.choice([80, 200, 450, 1200]), "memory_mb": rng.choice([256, 512, 1024])}


def _dollars(requests, milliseconds, memory_mb):
    return round(lambda_cost.month(requests, milliseconds / 1000, memory_mb), 2)


def _raw(requests, milliseconds, memory_mb):
    return round(lambda_cost.month(requests, milliseconds / 1000, memory_mb, free=False), 2)


month = Exercise(
    id="04-month", title="What does a month cost?", points=2,
    cases=lambda rng: [{"requests": 3_000_000, "milliseconds": 120, "memory_mb": 1536}, {"requests": 500_000, "milliseconds": 100, "memory_mb": 128},
                       {"requests": 800_000, "milliseconds": 2000, "memory_mb": 512}, _month_case(rng)],
    expected=lambda case: _dollars(**case),
    why="A million requests and 400,000 GB-seconds are free each month; each of the two has its own allowance, and neither goes below zero.",
    misconceptions=[
        Misconception("nothing is free", _raw, "A million requests and 400,000 GB-seconds a month are free. Did you take them off?"),
        Misconception("one allowance for both", lambda requests, milliseconds, memory_mb: 0.0 if requests <= 1_000_000 else _dollars(
            requests, milliseconds, memory_mb), "Fewer than a million requests can still use more than 400,000 GB-seconds."),
        Misconception("megabytes are gigabytes", lambda requests, milliseconds, memory_mb: _dollars(requests, milliseconds, memory_mb * 1024),
                      "The price is for gigabytes, and a gigabyte here has 1,024 megabytes.")])

# ------------------------------------------------------------------ functions: build


def _batch(rng, number):
    return {"event": {"Records": [{"messageId": f"m-{n}", "body": rng.choice(["7", "12", "hat", "", "0"])} for n in range(number)]}}


def _bad(event):
    return sorted(one["messageId"] for one in event["Records"] if not one["body"].isdigit())


def _left(handler, case):
    """What stays in the queue, as Lambda reads the handler's answer."""
    ids = [one["messageId"] for one in case["event"]["Records"]]
    return sorted(failed_messages(json.dumps(handler(case["event"], None)), False, ids, partial=True))


batch = Exercise(
    id="04-batch", title="Give back only the bad ones", points=2,
    cases=lambda rng: [{"event": {"Records": [{"messageId": "m-1", "body": "7"}, {"messageId": "m-2", "body": "hat"}, {"messageId": "m-3", "body": "9"}]}},
                       {"event": {"Records": [{"messageId": "m-1", "body": "7"}]}}, _batch(rng, 8)],
    run=_left, expected=lambda case: _bad(**case), show=lambda case: f"{len(case['event']['Records'])} messages",
    why="What is named comes back after its visibility timeout, everything else is deleted. An answer that Lambda cannot read brings all of it back.",
    misconceptions=[
        Misconception("names the good ones", lambda event, context: {"batchItemFailures": [
            {"itemIdentifier": one["messageId"]} for one in event["Records"] if one["body"].isdigit()]},
            "You named the messages that were fine. They would come back, and the bad ones be deleted."),
        Misconception("a bare list", lambda event, context: [one["messageId"] for one in event["Records"] if not one["body"].isdigit()],
                      "Lambda cannot read that, so the whole batch comes back. It wants a dict with `batchItemFailures`, a list of dicts."),
        Misconception("says nothing", lambda event, context: {}, "With an empty answer everything counts as done, and the bad ones are deleted.")])


def _cheapest_memory(cpu_seconds, waiting, sizes):
    return min(sizes, key=lambda memory: (round(lambda_cost.duration(memory, cpu_seconds, waiting) * memory, 6), memory))


cheapest_memory = Exercise(
    id="04-memory", title="How much memory?", points=2,
    cases=lambda rng: [{"cpu_seconds": 0.0, "waiting": 2.0, "sizes": [128, 512, 1769]}, {"cpu_seconds": 1.0, "waiting": 1.0, "sizes": [512, 1769, 3008]},
                       {"cpu_seconds": 3.0, "waiting": 0.0, "sizes": [1769, 3008, 10_240]},
                       {"cpu_seconds": rng.choice([0.2, 0.8, 2.0]), "waiting": rng.choice([0.1, 0.5, 1.5]), "sizes": [256, 1024, 3008]}],
    expected=lambda case: _cheapest_memory(**case),
    why="You pay memory times time. Computing gets faster with memory up to 1,769 MB, so its price stays the same; waiting gets no faster, and is "
        "paid for with all the memory.",
    misconceptions=[
        Misconception("the least", lambda cpu_seconds, waiting, sizes: min(sizes) if cpu_seconds else max(sizes),
                      "Work out memory times seconds for each size. What does waiting cost in a big one?"),
        Misconception("the fastest", lambda cpu_seconds, waiting, sizes: max(sizes), "Above 1,769 MB one thread gets no faster, only dearer."),
        ])

# ------------------------------------------------------------------ functions: diagnose


def _succeeds(down_until):
    now = 0.0
    for attempt in (1, 2, 3):
        if now >= down_until:
            return now
        now += retry_wait(attempt)
    return None


retried = Exercise(
    id="04-retried", title="When does it succeed?", points=1,
    cases=lambda rng: [{"down_until": 0}, {"down_until": 30}, {"down_until": 61}, {"down_until": 181}, {"down_until": 180},
                       {"down_until": rng.choice([45, 100, 170, 200, 600])}],
    expected=lambda case: _succeeds(**case),
    why="An event is tried at once, after one minute, and after two more: at 0, 60 and 180 seconds. Then it goes to its destination, or is lost.",
    misconceptions=[
        Misconception("a minute apart", lambda down_until: next((now for now in (0, 60, 120) if now >= down_until), None),
                      "The second pause is two minutes, not one."),
        Misconception("for ever", lambda down_until: next(now for now in (0, 60, *range(180, 100_000, 120)) if now >= down_until),
                      "There are three attempts altogether. What comes after the third?")])
