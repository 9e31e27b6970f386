"""Figures of the lessons on servers and on functions: each takes what a model returned."""

from kit.explore.theme import figure, style

NAMES = {"fixed": "fixed", "scheduled": "scheduled", "step": "step scaling", "target": "target tracking",
         "predictive": "predictive"}


def traffic_day(day):
    """Servers needed and servers there, hour by hour."""
    hours = [minute / 60 for minute in day["minute"]]
    refused, cost = sum(day["refused"]), day["cost"][-1]
    share = 100 * refused / (60 * sum(day["demand"]))
    worst = max(day["latency"])
    fig = figure("Too few servers in time" if share > 0.05 else "Servers follow the traffic" if len(set(day["capacity"])) > 2 else
                 "As many as the peak needs, all day",
                 says=f"Between {min(day['capacity'])} and {max(day['capacity'])} servers are in service; the day costs "
                      f"${cost:.2f}, {share:.2f} % of the requests are refused, and the slowest minute takes {1000 * worst:.0f} ms "
                      "a request.",
                 x="hour of the day", y="servers", yaxis_rangemode="tozero", xaxis_dtick=3)
    busy = [capacity * cpu / 100 for capacity, cpu in zip(day["capacity"], day["cpu"])]
    fig.add_scatter(x=hours, y=busy, name="busy servers (work)", **style(1)["line"])
    fig.add_scatter(x=hours, y=day["capacity"], name="servers in service", line_shape="hv", **style(0)["line"])
    return fig


def fleets(table):
    """Cost and refusals of several ways to decide, side by side."""
    names = [NAMES.get(name, name) for name in table["fleet"]]
    cheapest = names[table["cost"].index(min(table["cost"]))]
    fig = figure("What a day costs, and what it refuses",
                 says="; ".join(f"{name}: ${cost:.2f} and {100 * refused:.2f} % refused" for name, cost, refused in zip(
                     names, table["cost"], table["refused"])) + f". The cheapest is {cheapest}.",
                 x="$ a day", y="refused requests (%)", yaxis_rangemode="tozero", xaxis_rangemode="tozero")
    for number, (name, cost, refused) in enumerate(zip(names, table["cost"], table["refused"])):
        fig.add_scatter(x=[cost], y=[100 * refused], name=name, **style(number)["points"])
        fig.data[-1].marker.size = 14
    return fig
