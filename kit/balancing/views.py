"""Figures of the load-balancing lesson: each takes what a model returned."""

from kit.explore.theme import counted, figure, style
from kit.sim import percentile

PERCENTS = (50, 75, 90, 95, 99)
LOST = {"refused": "refused", "cut": "cut off", "no target": "no target", "timeout": "timed out", "error": "error",
        "unreachable": "dead address"}


def latency(run):
    """Latency by percentile: of all requests, of those that the last target got, and of the others."""
    last = list(run.zones)[-1]
    rows = [(target, seconds) for target, seconds, outcome in zip(
        run.requests["target"], run.requests["latency"], run.requests["outcome"]) if outcome == "ok"]
    groups = {"all requests": [seconds for _, seconds in rows],
              f"at {last}": [seconds for target, seconds in rows if target == last],
              "at the others": [seconds for target, seconds in rows if target != last]}
    groups = {name: values for name, values in groups.items() if values}
    if not groups:
        return figure("Nobody got an answer", says="Not one request was answered.", x="percentile", y="latency (s)")
    at = {name: [percentile(values, percent) for percent in PERCENTS] for name, values in groups.items()}
    everyone, share = at["all requests"], len(groups.get(f"at {last}", [])) / len(rows)
    fig = figure("One slow target, and the slowest requests of all are its own"
                 if f"at {last}" in at and at[f"at {last}"][2] > 3 * at.get("at the others", everyone)[2]
                 else "The targets answer alike",
                 says=f"Half of {counted(len(rows), 'request')} were answered within {everyone[0]:.2f} s, 99 in 100 within "
                      f"{everyone[-1]:.2f} s; {last} got {100 * share:.0f} % of them.",
                 x="percentile of requests", y="latency (s)", yaxis_rangemode="tozero", xaxis_tickvals=PERCENTS)
    for number, (name, values) in enumerate(at.items()):
        fig.add_scatter(x=list(PERCENTS), y=values, name=name, **_marked(number))
    return fig


def queues(run):
    """Requests that a target holds, over time: the last one beside the mean of the others."""
    *others, last = list(run.zones)
    times, held = run.queues["time"], run.queues[last]
    mean = [sum(values) / len(others) for values in zip(*(run.queues[name] for name in others))] if others else held
    longest = max(held, default=0)
    fig = figure(f"The queue of {last} outgrows all others" if longest > 5 * (max(mean, default=0) + 2)
                 else "The queues stay alike",
                 says=f"{last} held {counted(longest, 'request')} at most, the others {max(mean, default=0):.1f} on average at most.",
                 x="time (s)", y="requests at the target", yaxis_rangemode="tozero")
    step = max(1, len(times) // 240)
    for number, (name, values) in enumerate(((last, held), ("mean of the others", mean))):
        fig.add_scatter(x=times[::step], y=values[::step], name=name, **style(number)["line"])
    return fig


def compare(runs):
    """Latency percentiles of several runs side by side: {name: run}."""
    names, bars = list(runs), {}
    for percent in (50, 95, 99):
        bars[percent] = [percentile(_answered(run), percent) if _answered(run) else 0.0 for run in runs.values()]
    best = names[bars[99].index(min(bars[99]))]
    fig = figure(f"99 in 100 requests are answered soonest with {best}",
                 says="; ".join(f"{name}: 99 in 100 within {seconds:.2f} s"
                                for name, seconds in zip(names, bars[99])) + ".",
                 x="", y="latency (s, log scale)", yaxis_type="log")
    for number, (percent, values) in enumerate(bars.items()):
        fig.add_bar(x=names, y=values, name=f"{percent}th percentile", **style(number)["bars"])
    return fig


def outcomes(run, width: float = 5.0):
    """How requests ended, by the time of their arrival."""
    end = max(run.requests["arrived"], default=0)
    bins = [number * width for number in range(int(end // width) + 1)]
    kinds = {"answered": ("ok",), "lost: dead address": ("unreachable",),
             "lost at a target": ("refused", "cut", "timeout", "error", "no target")}
    fates = run.requests["outcome"]
    lost = sum(outcome != "ok" for outcome in fates)
    fig = figure(f"{lost:,} of {counted(len(fates), 'request')} {'is' if lost == 1 else 'are'} lost" if lost else "Not one request is lost",
                 says=f"Of {counted(len(fates), 'request')} {len(fates) - lost:,} {'was' if len(fates) - lost == 1 else 'were'} answered" + (
                     "; lost: " + ", ".join(f"{fates.count(kind)} {word}" for kind, word in LOST.items()
                                            if fates.count(kind)) if lost else "") + ".",
                 x="time of arrival (s)", y=f"requests in {width:g} s", yaxis_rangemode="tozero")
    for number, (name, wanted) in enumerate(kinds.items()):
        counts = [0] * len(bins)
        for arrived, outcome in zip(run.requests["arrived"], fates):
            counts[int(arrived // width)] += outcome in wanted
        if any(counts):
            fig.add_scatter(x=bins, y=counts, name=name, **style(number)["line"])
    return fig


def theory(points, curve):
    """Mean waits: measured ones on the curve of the theory. Both are lists of (utilization, seconds)."""
    expected = dict(curve)
    far = max((abs(measured - expected[load]) / expected[load] for load, measured in points if load in expected),
              default=0)
    fig = figure("The fuller the fleet, the longer the wait, and it grows ever faster",
                 says=f"At {100 * points[-1][0]:.0f} % the mean wait was {points[-1][1]:.2f} s, at {100 * points[0][0]:.0f} % "
                      f"{points[0][1]:.3f} s; the simulation is within {100 * far:.0f} % of the theory.",
                 x="part of the time that a server is busy", y="mean wait (s)", yaxis_rangemode="tozero")
    fig.add_scatter(x=[load for load, _ in curve], y=[wait for _, wait in curve], name="Erlang C", **style(0)["line"])
    fig.add_scatter(x=[load for load, _ in points], y=[wait for _, wait in points], name="simulated",
                    **style(1)["points"])
    return fig


def _answered(run):
    return [seconds for seconds, outcome in zip(run.requests["latency"], run.requests["outcome"]) if outcome == "ok"]


def _marked(number):
    look = style(number)
    return {"mode": "lines+markers", "line": look["line"]["line"], "marker": look["points"]["marker"]}
