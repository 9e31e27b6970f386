"""Figures of the monitoring lesson: each takes what a model, or CloudWatch in the sandbox, returned."""

from datetime import timedelta

from kit.explore.theme import GREY, counted, figure, style
from kit.monitoring.observed import STATISTICS, verdict

HALF_AN_HOUR = timedelta(minutes=30)


def latencies(table):
    """The same answers under five statistics."""
    mean, tail = (sum(table[name]) / len(table) for name in ("Average", "p99"))
    fig = figure("The average hides the slow ones" if tail > 3 * mean else "All statistics tell the same story",
                 says=f"Over the hour the average is {mean:.2f} s, and one request in a hundred takes longer than {tail:.2f} s; the slowest "
                      f"of all takes {max(table['Maximum']):.1f} s.",
                 x="minute", y="latency (s)", yaxis_rangemode="tozero")
    for number, name in enumerate(STATISTICS[:4]):
        fig.add_scatter(x=table["minute"], y=table[name], name=name, **style(number)["line"])
    return fig


def alarm_story(story):
    """A noisy metric with its threshold, the time of the fault, and when the alarm was in ALARM."""
    fault = [minute for minute, faulty in zip(story["minute"], story["fault"]) if faulty]
    told = verdict(story, fault[0], len(fault)) if fault else verdict(story)
    delay = told["delay"]
    noticed = ("was never noticed" if delay is None else "was noticed at once" if not delay else
               f"was noticed {counted(delay, 'minute')} after it began")
    fig = figure("It cries wolf" if told["false_alarms"] else "It missed the fault" if delay is None else "It tells of the fault, and only of it",
                 says=f"{counted(told['false_alarms'], 'false alarm')}." + (f" The fault of minute {fault[0]} {noticed}." if fault else ""),
                 x="minute", y="CPU (%)", yaxis_range=[0, 140], xaxis_range=[0, len(story)])
    if fault:
        fig.update_layout(
            shapes=[dict(type="rect", x0=fault[0], x1=fault[-1] + 1, y0=0, y1=1, yref="paper", fillcolor=GREY, opacity=0.22, line_width=0,
                         layer="below")],
            annotations=[dict(text="the fault", x=fault[0], y=0, yref="paper", xanchor="left", yanchor="bottom", showarrow=False)])
    fig.add_scatter(x=story["minute"], y=story["value"], name="metric", **style(0)["line"])
    fig.add_scatter(x=[0, len(story)], y=[story["threshold"][0]] * 2, name="threshold", **style(3)["line"])
    fig.data[-1].line.dash = "dash"
    in_alarm = [(minute, 130) for minute, state in zip(story["minute"], story["state"]) if state == "ALARM"]
    lacking = [(minute, 122) for minute, state in zip(story["minute"], story["state"]) if state == "INSUFFICIENT_DATA"]
    for number, (rows, name) in enumerate(((in_alarm, "ALARM"), (lacking, "INSUFFICIENT_DATA")), 1):
        if rows:
            fig.add_scatter(x=[minute for minute, _ in rows], y=[height for _, height in rows], name=name, **style(number)["points"])
    return fig


def widget(title, results, unit=""):
    """One widget of a dashboard: the results of get_metric_data."""
    results = [one for one in results if one["Values"]]
    says = "; ".join(f"{one['Label']}: {min(one['Values']):.4g} to {max(one['Values']):.4g}" for one in results) or "no data"
    fig = figure(title, says=f"{title}. {says}.", x="time (UTC)", y=unit or "value")
    for number, one in enumerate(results):
        points = sorted(zip(one["Timestamps"], one["Values"]))
        if len(points) == 1:  # no line through a single point, and an axis without a width
            at = points[0][0]
            fig.update_xaxes(range=[f"{at - HALF_AN_HOUR:%Y-%m-%d %H:%M}", f"{at + HALF_AN_HOUR:%Y-%m-%d %H:%M}"])
            fig.add_scatter(x=[f"{at:%Y-%m-%d %H:%M}"], y=[points[0][1]], name=one["Label"], **style(number)["points"])
            continue
        fig.add_scatter(x=[f"{at:%Y-%m-%d %H:%M}" for at, _ in points], y=[value for _, value in points], name=one["Label"], **style(number)["line"])
    return fig


def band(times, values, edges):
    """A metric in its band: what it was expected to be."""
    outside = [(at, value) for at, value, edge in zip(times, values, edges) if edge is not None and not edge[0] <= value <= edge[1]]
    fig = figure("Outside of what was to be expected" if outside else "As expected",
                 says=f"{len(outside)} of {len(values)} values {'lies' if len(outside) == 1 else 'lie'} outside of their band.", x="hour", y="requests a minute")
    for number, (place, name) in enumerate(((0, "lower edge"), (1, "upper edge")), 1):
        fig.add_scatter(x=times, y=[None if edge is None else edge[place] for edge in edges], name=name, **style(number)["line"])
    fig.add_scatter(x=times, y=values, name="metric", **style(0)["line"])
    if outside:
        fig.add_scatter(x=[at for at, _ in outside], y=[value for _, value in outside], name="anomalies", **style(3)["points"])
    return fig


def unusual_calls(table):
    """API calls, what is normal, and where an insight begins."""
    minutes = [time / 60 for time in table["time"]]
    marked = [(at, calls) for at, calls, unusual in zip(minutes, table["calls"], table["unusual"]) if unusual]
    fig = figure("A burst stands out" if marked else "Nothing unusual",
                 says=f"In {counted(len(marked), 'step')} of five minutes there were more calls than the week before would lead one to expect.",
                 x="minutes", y="calls in five minutes", yaxis_rangemode="tozero")
    fig.add_scatter(x=minutes, y=table["calls"], name="calls", **style(0)["line"])
    fig.add_scatter(x=minutes, y=table["limit"], name="limit", **style(1)["line"])
    if marked:
        fig.add_scatter(x=[at for at, _ in marked], y=[calls for _, calls in marked], name="unusual", **style(3)["points"])
    return fig
