"""Pictures of decisions and leaks: they draw what the models returned and decide nothing."""

from kit.explore.theme import GREEN, GREY, ORANGE, counted, figure, style

SAYS = ("not asked", "denies", "nothing", "allows")  # left to right
MARKS = {"denies": ("x", ORANGE), "nothing": ("circle-open", GREY), "not asked": ("line-ew-open", GREY),
         "allows": ("circle", GREEN)}
OUTCOMES = {"allowed": "Allowed", "explicitDeny": "Denied by a Deny", "implicitDeny": "Denied, because nothing allows"}


def chain(run):
    """Layer by layer, from top to bottom as AWS looks at them: what each said, and which one stopped the request."""
    decision, rows = run.decision, run.layers
    if run.stopped_by == "permissions boundary" and decision.outcome == "implicitDeny":
        title = f"Denied, because the boundary does not allow: {run.request.action}"
    else:
        title = f"{OUTCOMES[decision.outcome]}: {run.request.action}"
    fig = figure(title, says=" ".join(decision.because), x="what the layer says to this request", showlegend=False,
                 xaxis={"categoryorder": "array", "categoryarray": list(SAYS), "range": [-0.6, 3.9]},
                 yaxis={"autorange": "reversed", "showgrid": False})
    stop = rows["layer"].index(run.stopped_by) if run.stopped_by else len(rows)
    for name, reached, opacity in (("reached", range(min(stop + 1, len(rows))), 1.0),
                                   ("after the decision", range(stop + 1, len(rows)), 0.55)):
        said = [rows["said"][n] for n in reached]
        fig.add_scatter(x=said, y=[rows["layer"][n] for n in reached], name=name, mode="markers+text", opacity=opacity,
                        text=[f"   {rows['statement'][n]}{'   stops it here' if n == stop else ''}" for n in reached],
                        textposition="middle right", hovertext=[rows["because"][n] for n in reached], hoverinfo="text",
                        marker={"size": 15, "symbol": [MARKS[one][0] for one in said],
                                "color": [MARKS[one][1] for one in said],
                                "line": {"width": [3 if "open" in MARKS[one][0] else 0 for one in said],
                                         "color": [MARKS[one][1] for one in said]}})
    return fig


def leak(run):
    """Two steps: how long a thief gets in with the leaked key and with the leaked session."""
    hours, key, session = run.attempts["hours"], counted(run.key_hours, "hour", "g"), counted(run.session_hours, "hour", ".3g")
    fig = figure(f"The key stays open {key}, the session {session}",
                 says=f"The access key works for {key} after the leak, until it is noticed; the "
                      f"session works for {session}, until it expires or is noticed.",
                 x="time since the leak (hours)", y="the thief is",
                 yaxis={"tickvals": [0, 1], "ticktext": ["out", "in"], "range": [-0.15, 1.2]})
    for number, (column, name) in enumerate((("key_works", "access key"), ("session_works", "role session"))):
        line = style(number)["line"]
        fig.add_scatter(x=hours, y=[int(works) for works in run.attempts[column]], name=name,
                        **line | {"line": line["line"] | {"shape": "hv"}})
    return fig
