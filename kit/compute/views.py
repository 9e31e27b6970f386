"""Figures of the lessons on servers and on functions: each takes what a model returned."""

from itertools import pairwise
from math import ceil

from kit.explore.theme import counted, figure, style

NAMES = {"fixed": "fixed", "scheduled": "scheduled", "step": "step scaling", "target": "target tracking",
         "predictive": "predictive"}
POINTS = 50  # of one kind in a picture: the browser draws each as a shape of its own, and a hundred take 10 ms
AVERAGED = 5  # minutes that a point of a day's work stands for


def traffic_day(day):
    """Servers at work, five minutes by five minutes, and servers there."""
    capacity, refused, cost, last = day["capacity"], sum(day["refused"]), day["cost"][-1], len(day) - 1
    fewest, most = min(capacity), max(capacity)
    share = 100 * refused / (60 * sum(day["demand"]))
    worst = max(day["latency"])
    fig = figure(f"Too few servers in time: {share:.2f} % of the requests are refused" if share > 0.05 else
                 f"Servers follow the traffic, from {fewest} to {most}" if fewest < most else
                 f"As many as the peak needs, all day: {counted(most, 'server')}",
                 says=(f"Between {fewest} and {counted(most, 'server')} are in service" if fewest < most else
                       f"{counted(most, 'server')} {'is' if most == 1 else 'are'} in service all day") +
                      f"; the day costs ${cost:.2f}, {share:.2f} % of the requests are refused, and the slowest minute takes "
                      f"{1000 * worst:,.0f} ms a request.",
                 x="hour of the day", y="servers", yaxis_rangemode="tozero", xaxis_dtick=3, xaxis_range=[0, len(day) / 60])
    busy = [servers * cpu / 100 for servers, cpu in zip(capacity, day["cpu"])]
    means = [sum(part) / len(part) for part in (busy[at:at + AVERAGED] for at in range(0, len(busy), AVERAGED))]
    fig.add_scatter(x=[(at + 0.5) * AVERAGED / 60 for at in range(len(means))], y=means,
                    name=f"busy servers (work, mean of {AVERAGED} minutes)", **style(1)["line"])
    turns = [0, *(at + 1 for at, (one, other) in enumerate(pairwise(capacity)) if one != other), last]
    fig.add_scatter(x=[day["minute"][at] / 60 for at in turns], y=[capacity[at] for at in turns], name="servers in service",
                    line_shape="hv", **style(0)["line"])
    return fig


def fleets(table):
    """Cost and refusals of several ways to decide, side by side."""
    names = [NAMES.get(name, name) for name in table["fleet"]]
    cheapest = names[table["cost"].index(min(table["cost"]))]
    lost = 100 * table["refused"][names.index(cheapest)]
    fig = figure(f"The cheapest is {cheapest}, and it refuses {f'{lost:.2f} %' if lost >= 0.005 else 'nobody'}",
                 says="; ".join(f"{name}: ${cost:.2f} and {100 * refused:.2f} % refused" for name, cost, refused in zip(
                     names, table["cost"], table["refused"])) + f". The cheapest is {cheapest}.",
                 x="$ a day", y="refused requests (%)", yaxis_rangemode="tozero", xaxis_rangemode="tozero")
    for number, (name, cost, refused) in enumerate(zip(names, table["cost"], table["refused"])):
        fig.add_scatter(x=[cost], y=[100 * refused], name=name, **style(number)["points"])
        fig.data[-1].marker.size = 14
        fig.data[-1].cliponaxis = False  # a mark at 0 % stands on the axis, whole
    return fig


def burst(table):
    """What a burstable server gets of what it wants, and the credits it has."""
    short = sum(wanted - got > 0.5 for wanted, got in zip(table["wanted"], table["cpu"])) / 12
    charged = table["charged"][-1]
    fig = figure("The credits run out: the work has to wait" if short else "The credits last" if not max(table["surplus"]) else
                 "It goes on, on credit",
                 says=f"For {short:.1f} hours the server gets less than it wants. It ends with {table['credits'][-1]:.0f} credits and "
                      f"owes {table['surplus'][-1]:.0f}; ${charged:.2f} were charged.",
                 x="hour", y="CPU (%)", yaxis_rangemode="tozero", xaxis_dtick=6, yaxis_range=[0, 105],
                 yaxis2=dict(title="credits", overlaying="y", side="right", rangemode="tozero", showgrid=False, tickmode="auto"))
    fig.add_scatter(x=table["hour"], y=table["wanted"], name="wanted", **style(5)["line"])
    fig.add_scatter(x=table["hour"], y=table["cpu"], name="CPU it gets", **style(0)["line"])
    fig.add_scatter(x=table["hour"], y=table["credits"], name="credits saved", yaxis="y2", **style(2)["line"])
    if any(table["surplus"]):
        fig.add_scatter(x=table["hour"], y=table["surplus"], name="credits owed", yaxis="y2", **style(1)["line"])
    return fig


def purchase(table):
    """Dollars a month of each way to pay, over the hours a server is needed."""
    crossing = next((hours for hours, demand, plan in zip(table["hours"], table["on-demand"], table["savings plan"]) if demand > plan > 0),
                    None)
    fig = figure(f"A promise pays above {crossing:.0f} hours a month" if crossing is not None else "No promise pays here",
                 says=(f"Above {crossing:.0f} hours a month the savings plan is cheaper than On-Demand." if crossing is not None else
                       "On-Demand is never dearer than the savings plan here.") + f" The whole month costs ${table['on-demand'][-1]:.0f} "
                      f"On-Demand, ${table['savings plan'][-1]:.0f} with the plan and ${table['spot'][-1]:.0f} on Spot.",
                 x="hours a month that the server is needed", y="$ a month", yaxis_rangemode="tozero")
    for number, name in enumerate(("on-demand", "savings plan", "spot")):
        fig.add_scatter(x=table["hours"], y=table[name], name=name, **style(number)["line"])
    return fig


def cold_starts(run):
    """How long each request took, and why."""
    kinds, total = run.requests["kind"], max(1, len(run.requests))
    answered = sorted(wait for wait, kind in zip(run.requests["wait"], kinds) if kind != "throttled")
    slow = answered[int(0.99 * (len(answered) - 1))] if answered else 0.0
    fig = figure("Some are refused" if run.throttled else "Some find no warm environment" if run.cold else "Everybody finds a warm environment",
                 says=f"Of {counted(len(kinds), 'request')} {run.cold:,} waited for a cold start ({100 * run.cold / total:.1f} %) and "
                      f"{run.throttled:,} {'was' if run.throttled == 1 else 'were'} refused. At most {run.most} ran at once; one in a "
                      f"hundred took longer than {slow:.2f} s.",
                 x="time (s)", y="seconds to the answer", yaxis_rangemode="tozero", xaxis_range=[0, run.seconds])
    for number, kind in enumerate(("warm", "cold", "provisioned", "throttled")):
        rows = [(at, wait) for at, wait, one in zip(run.requests["arrived"], run.requests["wait"], kinds) if one == kind]
        shown = rows[::max(1, ceil(len(rows) / POINTS))]
        if shown:
            fig.add_scatter(x=[at for at, _ in shown], y=[wait for _, wait in shown], name=f"{kind}: {len(rows):,}", **style(number)["points"])
    return fig


def memory_curve(table):
    """What more memory does to the time and to the bill."""
    best = table["dollars"].index(min(table["dollars"]))
    other = 0 if best else -1  # beside the cheapest: the least memory, or the most, if the least is the cheapest
    fig = figure("The least memory is not the cheapest" if best else "More memory only costs more here",
                 says=f"Cheapest is {table['memory'][best]:,} MB at ${table['dollars'][best]:.2f} a month and {table['seconds'][best]:.2f} s; "
                      f"{table['memory'][other]:,} MB takes {table['seconds'][other]:.2f} s and costs ${table['dollars'][other]:.2f}.",
                 x="memory (MB)", y="$ a month", yaxis_rangemode="tozero",
                 yaxis2=dict(title="seconds", overlaying="y", side="right", rangemode="tozero", showgrid=False, tickmode="auto"))
    fig.add_scatter(x=table["memory"], y=table["dollars"], name="$ a month", **style(0)["line"])
    fig.add_scatter(x=table["memory"], y=table["seconds"], name="seconds each", yaxis="y2", **style(1)["line"])
    return fig


def function_or_server(table):
    """Where the lines cross: a function that is paid by use, a server that is paid by the hour."""
    crossing = next((n for n, one, other in zip(table["requests"], table["function"], table["server"]) if one > other), None)
    fig = figure("Where the lines cross" if crossing is not None else "The function stays cheaper",
                 says=(f"From about {crossing / 1e6:.1f} million requests a month on the server is cheaper." if crossing is not None else
                       "Up to the most requests shown the function is cheaper.") + f" At {table['requests'][-1] / 1e6:.0f} million the "
                      f"function costs ${table['function'][-1]:.2f}, the server ${table['server'][-1]:.2f}.",
                 x="million requests a month", y="$ a month", yaxis_rangemode="tozero")
    for number, name in enumerate(("function", "server")):
        fig.add_scatter(x=[n / 1e6 for n in table["requests"]], y=table[name], name=name, **style(number)["line"])
    return fig
