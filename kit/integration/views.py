"""Figures of the messaging lesson: each takes what a model returned."""

from math import ceil

from kit.explore.theme import counted, figure, style

POINTS = 150  # markers in one picture: the browser draws each as a shape of its own, and a thousand take half a second
FEW, ENOUGH = 24, 60  # of them at least and at most for the messages that came once and are well: they all look alike


def backlog(run):
    """Messages that wait and messages at work, over time."""
    visible, last = run.depth["visible"], run.depth["visible"][-1]
    half = visible[len(visible) // 2]
    grows, flying = last > half + 5 and last > 10, run.depth["in_flight"][-1]
    fig = figure("The backlog grows: more comes in than goes out" if grows else "The consumers keep up",
                 says=f"After {run.depth['time'][-1]:.0f} s {counted(last, 'message')} wait{'s' * (last == 1)} and "
                      f"{flying:,} {'is' if flying == 1 else 'are'} in flight; half-way {half:,} waited.",
                 x="time (s)", y="messages", yaxis_rangemode="tozero")
    for number, (column, name) in enumerate((("visible", "waiting"), ("in_flight", "in flight"))):
        fig.add_scatter(x=run.depth["time"], y=run.depth[column], name=name, **style(number)["line"])
    if any(run.depth["dead"]):
        fig.add_scatter(x=run.depth["time"], y=run.depth["dead"], name="in the dead-letter queue", **style(2)["line"])
    return fig


def work_done(run):
    """How often each message was worked through: once is what you want."""
    done = [n for n, end in zip(run.messages["done"], run.messages["end"]) if n or end != "queued"]
    most = max([3, *done])
    counts = [done.count(n) for n in range(most + 1)]
    twice = sum(counts[2:])
    fig = figure(f"{counted(run.duplicates, 'time')} the work was done again" if run.duplicates else "No work was done twice",
                 says=f"Of {counted(len(done), 'message')} {counts[1]:,} {'was' if counts[1] == 1 else 'were'} worked through once, "
                      f"{twice:,} more often and {counts[0]:,} never.",
                 x="times the work on a message was finished", y="messages", xaxis_dtick=1)
    fig.add_bar(x=list(range(most + 1)), y=counts, text=counts, textposition="outside", cliponaxis=False,
                **style(1 if twice else 0)["bars"])
    return fig


def received(run):
    """How often messages were received, and where they ended. Of those that came once and are well, a few stand for all."""
    ends = {"deleted": "done and deleted", "queued": "still in the queue", "dead": "in the dead-letter queue",
            "expired": "expired"}
    rows = list(zip(run.messages["sent"], run.messages["received"], run.messages["end"]))
    most = max(run.messages["received"], default=0)
    again = sum(n - 1 for n in run.messages["received"] if n)
    dead, total = run.messages["end"].count("dead"), {end: run.messages["end"].count(end) for end in ends}
    told = _merged([row for row in rows if row[1] > 1 or row[2] == "dead"], POINTS - FEW)
    plain = {end: [row for row in rows if row[2] == end != "dead" and row[1] <= 1] for end in ends}
    room = min(POINTS - len(told), ENOUGH) - len(ends)
    step = ceil(sum(map(len, plain.values())) / room) or 1
    shown = told + [row for of_end in plain.values() for row in of_end[::step]]
    fig = figure("A few messages take up the fleet" if most > 5 else "No message comes back again and again",
                 says=f"The message received most often came {counted(most, 'time')}; {counted(again, 'receive')} brought a message "
                      f"that had been received before. {counted(dead, 'message')} {'is' if dead == 1 else 'are'} in the "
                      "dead-letter queue.",
                 x="time the message was sent (s)", y="times received", yaxis_rangemode="tozero", yaxis_dtick=1 if most < 6 else None,
                 xaxis_range=[0, run.settings["duration"]])
    for number, (end, name) in enumerate(ends.items()):
        mine = [(sent, n) for sent, n, e in shown if e == end]
        if mine:
            fig.add_scatter(x=[sent for sent, _ in mine], y=[n for _, n in mine], name=f"{name}: {total[end]:,}",
                            cliponaxis=False, **style(number)["points"])
    return fig


def _merged(rows, most):
    """The rows, while they are few; else one for those that lie on one another: sent at about one time, with one fate."""
    span, kept = 0.0, rows
    while len(kept) > most:
        span = 2 * span or 1.0
        kept = list({(sent // span, received, end): (sent, received, end) for sent, received, end in rows}.values())
        if span > rows[-1][0]:  # one time for all: what differs now differs in its fate, and is thinned
            return kept[::ceil(len(kept) / most)]
    return kept


def fan_out(rows):
    """How many messages one topic put into each of its queues."""
    counts = {name: max(rows[name], default=0) for name in ("published", "everything", "gifts", "abroad")}
    published, *queues = counts.values()
    spared = len(queues) * published - sum(queues)
    fig = figure(f"The filters spare {spared:,} of {len(queues) * published:,} messages" if spared else
                 "Published once, delivered to every queue",
                 says=f"Of {counted(published, 'published message')} everything got {counts['everything']:,}, gifts "
                      f"{counts['gifts']:,} and abroad {counts['abroad']:,}.",
                 x="the topic, and its queues", y="messages", yaxis_rangemode="tozero", showlegend=False)
    for number, (names, what) in enumerate(((("published",), "published"), (("everything", "gifts", "abroad"), "delivered"))):
        values = [counts[name] for name in names]
        fig.add_bar(x=list(names), y=values, text=[f"{value:,}" for value in values], textposition="outside", cliponaxis=False,
                    name=what, **style(number)["bars"])
    return fig


def retry_times(times):
    """When SNS tries again, on a scale of hours: a list of (seconds, phase)."""
    hours = [seconds / 3600 for seconds, _ in times]
    fig = figure("SNS tries often at first, then at a steady pace",
                 says=f"{len(times)} tries again, the first after {times[0][0]:.0f} s, the last after "
                      f"{hours[-1]:.1f} hours.",
                 x="hours after the first try", y="tries so far", yaxis_rangemode="tozero")
    fig.add_scatter(x=hours, y=list(range(1, len(times) + 1)), name="tries", **style(0)["points"])
    return fig
