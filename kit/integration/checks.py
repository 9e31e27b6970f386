"""The exercises of the messaging lesson: what is right is asked from the models."""

import math

from kit.course.exercise import Exercise, Misconception
from kit.integration.filter_policy import check_filter_policy, matches
from kit.integration.sqs import Queue

# ------------------------------------------------------------------ trace


def _receives(polls, visibility_timeout):
    queue = Queue("orders", VisibilityTimeout=visibility_timeout)
    queue.send_message("one order", now=0)
    return sum(len(queue.receive_message(now=time)) for time in polls)


back_again = Exercise(
    id="18-back-again", title="How often is it received?", points=1,
    cases=lambda rng: [{"polls": [1, 10, 20], "visibility_timeout": 30},
                       {"polls": [0, 30, 59, 60], "visibility_timeout": 30},
                       {"polls": [5 + n * rng.randint(7, 12) for n in range(9)],
                        "visibility_timeout": rng.randint(15, 40)}],
    expected=lambda case: _receives(**case),
    why="A received message is hidden from everybody until its visibility timeout is over; then the next one who asks "
        "gets it.",
    misconceptions=[
        Misconception("every poll gets it", lambda polls, visibility_timeout: len(polls),
                      "Between a receive and the end of its timeout the message is hidden. Which polls fall into that "
                      "time?"),
        Misconception("received once, gone", lambda polls, visibility_timeout: 1,
                      "Nobody deletes it here. Is it visible again by the time of a later poll?")])

# ------------------------------------------------------------------ modify

enough = Exercise(
    id="18-enough", title="How many packers?", points=1,
    cases=lambda rng: [{"rate": 4, "work_time": 1.5}, {"rate": 2, "work_time": 2.25},
                       {"rate": rng.randint(5, 30), "work_time": rng.randint(5, 25) + 0.5}],
    expected=lambda case: math.floor(case["rate"] * case["work_time"]) + 1,
    why=lambda case, got, want: f"{case['rate']} orders a second, {case['work_time']} s each: "
                                f"{case['rate'] * case['work_time']:g} packers are busy all the time. With no more "
                                "than that the queue on SQS never empties again.",
    misconceptions=[
        Misconception("divides", lambda rate, work_time: math.floor(rate / work_time) + 1,
                      "Longer work needs more packers, not fewer."),
        Misconception("just enough", lambda rate, work_time: math.ceil(rate * work_time),
                      "What if exactly as much comes in as can go out? Then every pause is lost for ever, and the "
                      "queue wanders off.")])

# ------------------------------------------------------------------ build


def _inbox(rng, orders):
    """What a consumer of a standard queue receives: some more than once, and two customers who want the same."""
    wishes = [(f"m-{number}", rng.choice(["two shirts", "a hat", "one shoe"])) for number in range(orders)]
    wishes += rng.choices(wishes, k=orders // 2)
    rng.shuffle(wishes)
    return {"messages": [{"MessageId": id, "ReceiptHandle": f"handle-{number}", "Body": body}
                         for number, (id, body) in enumerate(wishes)]}


def _once(messages):
    first = {}
    for message in messages:
        first.setdefault(message["MessageId"], message["Body"])
    return list(first.values())


pack_once = Exercise(
    id="18-pack-once", title="Pack every order once", points=2,
    cases=lambda rng: [{"messages": [{"MessageId": "m-1", "ReceiptHandle": "h-1", "Body": "two shirts"},
                                     {"MessageId": "m-1", "ReceiptHandle": "h-2", "Body": "two shirts"},
                                     {"MessageId": "m-2", "ReceiptHandle": "h-3", "Body": "two shirts"}]},
                       _inbox(rng, 6), _inbox(rng, 20)],
    expected=lambda case: _once(**case), show=lambda case: f"{len(case['messages'])} messages arrive",
    why="A standard queue may deliver a message twice. A consumer that isn't idempotent sends a second parcel.",
    misconceptions=[
        Misconception("packs all", lambda messages: [message["Body"] for message in messages],
                      "Some of these messages are the same one, delivered again. The receipt handle won't tell you: "
                      "each receive has its own. What stays the same?"),
        Misconception("goes by the body", lambda messages: list(dict.fromkeys(message["Body"] for message in messages)),
                      "Two customers may want the same thing. What tells their messages apart?")])


def _order(kind, price, country):
    return {"kind": {"DataType": "String", "StringValue": kind},
            "price": {"DataType": "Number", "StringValue": str(price)},
            "country": {"DataType": "String", "StringValue": country}}


def _orders(rng):
    fixed = [("gift", 50, "FR"), ("gift", 49, "FR"), ("plain", 80, "FR"), ("gift", 80, "DE"), ("gift", 120, "IT")]
    drawn = [(rng.choice(["gift", "plain"]), rng.randint(20, 90), rng.choice(["DE", "FR", "IT", "PL"]))
             for _ in range(12)]
    return [{"kind": kind, "price": price, "country": country} for kind, price, country in fixed + drawn]


def _passes(policy, message):
    if isinstance(policy, dict):
        check_filter_policy(policy, "MessageAttributes")  # a policy that SNS refuses is told so
    return matches(policy, "MessageAttributes", message)


_POLICY = {"kind": ["gift"], "price": [{"numeric": [">=", 50]}], "country": [{"anything-but": ["DE"]}]}

only_gifts = Exercise(
    id="18-only-gifts", title="Only dear gifts that go abroad", points=2, cases=_orders,
    run=lambda policy, case: _passes(policy, _order(**case)),
    expected=lambda case: matches(_POLICY, "MessageAttributes", _order(**case)),
    why="SNS delivers to a subscriber what its filter policy lets through: too much costs money and work, too little "
        "is lost.",
    misconceptions=[
        Misconception("more than fifty", _POLICY | {"price": [{"numeric": [">", 50]}]},
                      "“At least 50” lets 50 itself pass."),
        Misconception("one list for all", {"kind": ["gift", {"anything-but": ["DE"]}]},
                      "The values of one key are alternatives: one of them is enough. Conditions that must all hold "
                      "stand under keys of their own.")])

# ------------------------------------------------------------------ diagnose


def _dead_letters(crashes, max_receive_count):
    """Each order crashes its consumer so many times before it would succeed."""
    dead = Queue("dead")
    queue = Queue("orders", dead, max_receive_count, VisibilityTimeout=10)
    left = {queue.send_message(order, now=0)["MessageId"]: count for order, count in crashes.items()}
    for now in range(1, 400, 11):
        for message in queue.receive_message(now, MaxNumberOfMessages=10):
            if left[message["MessageId"]] == 0:
                queue.delete_message(message["ReceiptHandle"], now)
            left[message["MessageId"]] -= 1
    return sorted(message["Body"] for message in dead.receive_message(now=400, MaxNumberOfMessages=10))


def _crashing(rng):
    limit = rng.randint(3, 6)
    counts = [0, limit - 1, limit, limit + 1, rng.randint(0, 9)]
    return {"crashes": {f"order {n}": count for n, count in enumerate(counts)}, "max_receive_count": limit}


dead_letters = Exercise(
    id="18-dead-letters", title="Which orders are dead letters?", points=2,
    cases=lambda rng: [{"crashes": {"shirt": 0, "hat": 2, "shoe": 5}, "max_receive_count": 3},
                       {"crashes": {"shirt": 3, "hat": 2, "sock": 1}, "max_receive_count": 3}, _crashing(rng)],
    expected=lambda case: _dead_letters(**case),
    why="SQS moves a message when it has been received maxReceiveCount times and somebody would receive it once more. "
        "With a limit that is too low, a healthy message whose consumer crashed lands there, too.",
    misconceptions=[
        Misconception("one more try", lambda crashes, max_receive_count: sorted(
            order for order, count in crashes.items() if count > max_receive_count),
            "With a maxReceiveCount of 3 there are three tries. If all three crash, is there a fourth?"),
        Misconception("whatever crashed", lambda crashes, max_receive_count: sorted(
            order for order, count in crashes.items() if count),
            "A message that crashed fewer times than the limit is received again, and may succeed.")])


def _heartbeats(work_time, visibility_timeout, margin):
    queue, calls, now = Queue("orders", VisibilityTimeout=visibility_timeout), 0, 0
    queue.send_message("one order", now)
    [message] = queue.receive_message(now)
    while now + visibility_timeout < work_time:
        now += visibility_timeout - margin
        queue.change_message_visibility(message["ReceiptHandle"], visibility_timeout, now)
        calls += 1
    return calls


heartbeat = Exercise(
    id="18-heartbeat", title="How many heartbeats?", points=2,
    cases=lambda rng: [{"work_time": 20, "visibility_timeout": 30, "margin": 5},
                       {"work_time": 100, "visibility_timeout": 30, "margin": 5},
                       {"work_time": rng.randint(300, 900), "visibility_timeout": rng.randint(25, 40),
                        "margin": rng.randint(6, 10)}],
    expected=lambda case: _heartbeats(**case),
    why="change_message_visibility counts from the moment of the call. A heartbeat that comes early gives back the "
        "rest of the old timeout; one that comes late comes after somebody else has the message.",
    misconceptions=[
        Misconception("forgets the margin",
                      lambda work_time, visibility_timeout, margin: math.ceil(work_time / visibility_timeout) - 1,
                      "Each heartbeat comes `margin` seconds before the end and starts a new timeout then. How much "
                      "does it win?"),
        Misconception("once is enough",
                      lambda work_time, visibility_timeout, margin: int(work_time > visibility_timeout),
                      "One heartbeat wins one more timeout. Is the work done by then?")])
