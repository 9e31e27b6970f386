"""Figures of the object storage lesson: each takes what a model returned."""

from kit.explore.theme import figure, rule, style
from kit.storage.durability import DESIGN
from kit.storage.storage_classes import CLASSES, GB, MONTH

SHOWN = ("STANDARD", "INTELLIGENT_TIERING", "STANDARD_IA", "GLACIER_IR", "DEEP_ARCHIVE")  # five can be told apart
MOVED = ("STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
LOOK = {name: number for number, name in enumerate((*SHOWN, "GLACIER"))}  # a class looks the same in every figure


def cost_by_access(rows):
    """What the years cost in each class, over how often an object is read, and where the cheapest changes."""
    names = [name for name in SHOWN if name in rows.columns]
    reads, changes = rows["reads"], _changes(rows, names)
    first, last = changes[0][1], changes[-1][1]
    title = (f"Never read: {_short(first)}. Read often: {_short(last)}" if first != last
             else f"{_short(first)} is cheapest, however often it is read")
    turns = "; ".join(f"from {at:.2g} reads a month on {_short(name)}" for at, name in changes[1:])
    fig = figure(title, says=f"At {reads[0]:g} reads a month {_short(first)} is the cheapest of these; "
                             f"{turns or 'so it stays'}; at {reads[-1]:.3g} Standard costs "
                             f"{_money(rows['STANDARD'][-1])} and Glacier Deep Archive "
                             f"{_money(rows['DEEP_ARCHIVE'][-1])}.",
                 x="reads of each object a month", y="dollars in all", yaxis_rangemode="tozero")
    for name in names:
        fig.add_scatter(x=reads, y=rows[name], name=_short(name), **style(LOOK[name])["line"])
    top = 1.15 * max(max(rows["STANDARD"]), *(rows[name][0] for name in names))
    fig.update_layout(shapes=[rule(x=at) for at, _ in changes[1:]], yaxis_range=[0, top])  # the archives' lines leave the picture: what is dear is dear
    return fig


def cost_over_years(rows):
    """What has been paid until a month, in each class."""
    names = [name for name in SHOWN if name in rows.columns]
    months, total = rows["month"], {name: rows[name][-1] for name in names}
    best, worst = min(total, key=total.get), max(total, key=total.get)
    times = total[worst] / total[best]
    fig = figure(f"After {months[-1] / 12:.3g} years {_short(worst)} has cost {times:.1f} times as much as {_short(best)}",
                 says=f"In the end {_short(best)} has cost {_money(total[best])} and {_short(worst)} "
                      f"{_money(total[worst])}; on the first day "
                      f"{_short(min(names, key=lambda name: rows[name][0]))} was the cheapest.",
                 x="months", y="dollars until then", yaxis_rangemode="tozero")
    for name in names:
        fig.add_scatter(x=months, y=rows[name], name=_short(name), **style(LOOK[name])["line"])
    return fig


def bytes_by_class(run):
    """Where the bytes of a bucket lie, day by day, and whether its rules pay."""
    there = {name: run[name][-1] for name in MOVED}
    came = run["objects"][-1] + sum(run["expired"])
    same = sum(sum(run[name]) for name in CLASSES) / GB * CLASSES["STANDARD"].storage / MONTH
    same += came * CLASSES["STANDARD"].put
    paid, most = run["total"][-1], max(there, key=there.get)
    kept = f"{there[most] / sum(there.values()):.0%} in {_short(most)}" if sum(there.values()) else "nothing is left"
    title = ("Nothing moves to a colder class" if not any(run["transitions"]) else
             f"The rules save {1 - paid / same:.0%}" if paid < same else "The rules cost more than they save")
    fig = figure(title,
                 says=f"After {len(run):,} days the bill is {_money(paid)}; the same bytes, all in Standard, would have "
                      f"cost {_money(same)}. At the end {kept}; {sum(run['transitions']):,.0f} transitions, "
                      f"{sum(run['expired']):,.0f} objects expired.",
                 x="days", y="TB kept", yaxis_rangemode="tozero")
    step = max(1, len(run) // 180)
    for name in MOVED:
        if any(run[name]):
            fig.add_scatter(x=run["day"][::step], y=[held / GB / 1024 for held in run[name][::step]], name=_short(name),
                            **style(LOOK[name])["line"])
    return fig


def nines(rows):
    """How many nines the shards give: exactly, by importance sampling, and as far as an honest simulation sees."""
    parity, exact = rows["parity"], rows["nines"]
    enough = next((number for number, value in zip(parity, exact) if value >= DESIGN), None)
    seen = [(number, value) for number, value in zip(parity, rows["honest"]) if value is not None]
    if enough is None:
        title = f"{_count(parity[-1], 'parity shard')} {'is' if parity[-1] == 1 else 'are'} not enough for {DESIGN} nines"
    else:
        title = f"{_count(enough, 'parity shard')} {'gives' if enough == 1 else 'give'} {DESIGN} nines"
    saw = f"losses with up to {_count(seen[-1][0], 'parity shard')}, and none beyond" if seen else "no loss at all"
    fig = figure(title,
                 says=f"With {_count(parity[-1], 'parity shard')} it is {exact[-1]:.1f} nines; each more adds about "
                      f"{(exact[-1] - exact[0]) / max(1, len(exact) - 1):.1f}. The honest simulation saw {saw}.",
                 x="parity shards", y="nines of durability in a year", xaxis_dtick=1, yaxis_rangemode="tozero", shapes=[rule(y=DESIGN)])
    fig.add_scatter(x=parity, y=exact, name="closed form", **style(0)["line"])
    drawn = [row for row in rows if row["high"] is not None]
    fig.add_scatter(x=[row["parity"] for row in drawn], y=[row["importance"] for row in drawn],
                    name="importance sampling", error_y={"type": "data", "symmetric": False,
                             "array": [row["high"] - row["importance"] for row in drawn],
                             "arrayminus": [row["importance"] - row["low"] for row in drawn]}, **style(1)["points"])
    fig.add_scatter(x=[number for number, _ in seen], y=[value for _, value in seen], name="honest simulation",
                    **style(3)["points"])
    return fig


def upload_times(rows):
    """How long an upload takes to Regions near and far, over the internet and by way of an edge."""
    far = max(range(len(rows)), key=lambda number: rows["speedup"][number])
    gain, billed = rows["speedup"][far], sum(rows["billed"])
    fig = figure(f"Acceleration makes {rows['region'][far]} {gain:.1f} times as fast" if gain >= 1.15
                 else "Acceleration hardly changes anything",
                 says=f"To {rows['region'][0]}, {rows['km'][0]:,.0f} km away, it takes {_seconds(rows['direct'][0])} s "
                      f"directly and {_seconds(rows['accelerated'][0])} s accelerated; to {rows['region'][far]}, "
                      f"{rows['km'][far]:,.0f} km away, {_seconds(rows['direct'][far])} and "
                      f"{_seconds(rows['accelerated'][far])} s, by way of the edge in {rows['edge'][far]}. To {billed} of "
                      f"{len(rows)} Regions it would be billed.",
                 x="distance (km)", y="time of one upload (s)", yaxis_rangemode="tozero")
    for number, (column, name) in enumerate((("direct", "over the internet"), ("accelerated", "by way of an edge"))):
        fig.add_scatter(x=rows["km"], y=rows[column], name=name, text=rows["region"], mode="lines+markers",
                        line=style(number)["line"]["line"], marker=style(number)["points"]["marker"])
    return fig


def requests(run):
    """What a bucket is asked for, what it answers and what it refuses, while its partitions split."""
    rows = run.records
    refused, last = sum(rows["refused"]), rows["refused"][-1]
    splits = len(run.events)
    title = ("Nothing is refused" if not refused else
             "Refused at first, until the partitions have split" if not last else
             "It goes on refusing: a prefix is too busy")
    fig = figure(title, says=f"{refused:,.0f} of {sum(rows['tried']):,.0f} requests got a 503; {splits} splits raised "
                             f"the capacity from {rows['capacity'][0]:,.0f} to {rows['capacity'][-1]:,.0f} a second.",
                 x="time (s)", y="requests a second", yaxis_rangemode="tozero")
    for number, (column, name) in enumerate((("served", "served"), ("refused", "refused with 503"),
                                             ("capacity", "capacity"))):
        fig.add_scatter(x=rows["time"][::5], y=rows[column][::5], name=name, **style(number)["line"])
    return fig


def restores(rows):
    """The ways to get something out of the archives: how long each takes, what it costs."""
    cheap = min(range(len(rows)), key=lambda number: rows["dollars"][number])
    quick = min(range(len(rows)), key=lambda number: rows["until"][number])
    times = rows["dollars"][quick] / rows["dollars"][cheap]
    fig = figure(f"The fastest way costs {times:,.0f} times as much as the cheapest" if times >= 2
                 else "All ways cost about the same",
                 says=f"{rows['way'][quick]} takes {_time(rows['until'][quick])} at most and costs "
                      f"{_money(rows['dollars'][quick])}; {rows['way'][cheap]} takes up to "
                      f"{_time(rows['until'][cheap])} and costs {_money(rows['dollars'][cheap])}.",
                 x="time until it can be read (logarithmic)", y="dollars (logarithmic)",
                 xaxis_type="log", yaxis_type="log")
    fig.update_xaxes(tickvals=[1 / 60, 1 / 12, 1, 3, 12, 48],
                     ticktext=["1 min", "5 min", "1 h", "3 h", "12 h", "48 h"])
    marks = [step * 10**power for power in range(-2, 7) for step in (1, 3)]
    fig.update_yaxes(tickvals=marks, ticktext=[f"{mark:,.10g}" for mark in marks])
    for number, row in enumerate(rows):
        fig.add_scatter(x=[row["after"], row["until"]], y=[row["dollars"]] * 2, name=row["way"], mode="lines+markers",
                        line=style(number)["line"]["line"] | {"width": 4, "dash": "solid"},
                        marker=style(number)["points"]["marker"])
    return fig


# ------------------------------------------------------------------ in words


def _changes(rows, names):
    """(reads, class): the cheapest at first, and each time another becomes it; between two rows on straight lines."""
    reads, found = rows["reads"], []
    for step, at in enumerate(reads):
        best = min(names, key=lambda name: rows[name][step])
        if not found:
            found.append((at, best))
        elif best != found[-1][1]:
            before = found[-1][1]
            gap, now = rows[best][step - 1] - rows[before][step - 1], rows[before][step] - rows[best][step]
            found.append((reads[step - 1] + (at - reads[step - 1]) * gap / (gap + now), best))
    return found


def _short(name):
    return CLASSES[name].says.removeprefix("S3 ")


def _money(dollars):
    return f"${dollars:,.0f}" if dollars >= 100 else f"${dollars:.2f}"


def _count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _seconds(time):
    return f"{time:,.0f}" if time >= 100 else f"{time:.3g}"


def _time(hours):
    return f"{hours * 60:.0f} minutes" if hours < 1 else f"{hours:.0f} hours"
