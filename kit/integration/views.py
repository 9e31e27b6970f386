"""Figures of the messaging lesson: each takes what a model returned."""

from kit.explore.theme import figure, style


def backlog(run):
    """Messages that wait and messages at work, over time."""
    visible, last = run.depth["visible"], run.depth["visible"][-1]
    half = visible[len(visible) // 2]
    grows = last > half + 5 and last > 10
    fig = figure("The backlog grows: more comes in than goes out" if grows else "The consumers keep up",
                 says=f"After {run.depth['time'][-1]:.0f} s {last} messages wait and {run.depth['in_flight'][-1]} are "
                      f"in flight; half-way {half} waited.",
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
    fig = figure(f"{run.duplicates} times the work was done again" if run.duplicates else "No work was done twice",
                 says=f"Of {len(done)} messages {counts[1]} were worked through once, {twice} more often and "
                      f"{counts[0]} never.",
                 x="times the work on a message was finished", y="messages", xaxis_dtick=1)
    fig.add_bar(x=list(range(most + 1)), y=counts, text=counts, textposition="outside", cliponaxis=False,
                **style(1 if twice else 0)["bars"])
    return fig


def received(run):
    """How often messages were received, and where they ended."""
    ends = {"deleted": "done and deleted", "queued": "still in the queue", "dead": "in the dead-letter queue",
            "expired": "expired"}
    most = max([1, *run.messages["received"]])
    again = sum(n - 1 for n in run.messages["received"] if n)
    fig = figure("A few messages take up the fleet" if most > 5 else "No message comes back again and again",
                 says=f"The message received most often came {most} times; {again} receives brought a message that had "
                      f"been received before. {run.messages['end'].count('dead')} messages are in the dead-letter "
                      "queue.",
                 x="time the message was sent (s)", y="times received", yaxis_rangemode="tozero")
    for number, (end, name) in enumerate(ends.items()):
        rows = [(sent, n) for sent, n, e in zip(run.messages["sent"], run.messages["received"], run.messages["end"])
                if e == end]
        if rows:
            fig.add_scatter(x=[sent for sent, _ in rows], y=[n for _, n in rows], name=name, **style(number)["points"])
    return fig


def fan_out(rows):
    """What one topic put into each of its queues."""
    counts = {name: rows[name][-1] for name in ("everything", "gifts", "abroad")}
    published = rows["published"][-1]
    fig = figure("Published once, delivered to all who want it",
                 says=f"Of {published} published messages everything got {counts['everything']}, gifts "
                      f"{counts['gifts']} and abroad {counts['abroad']}.",
                 x="time (s)", y="messages", yaxis_rangemode="tozero")
    step = max(1, len(rows) // 200)
    for number, name in enumerate(counts):
        fig.add_scatter(x=rows["time"][::step], y=rows[name][::step], name=name, **style(number)["line"])
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
