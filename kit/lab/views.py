"""The history of a sandbox as a picture."""

from kit.explore import theme


def history(happened):
    """One row for each service, a mark for each thing that happened, in the sandbox's own time."""
    services = list(dict.fromkeys(happened["service"]))
    busiest = max(services, key=happened["service"].count, default="")
    says = (f"{len(happened)} things happened, most of them in {busiest}; the last: {happened['what'][-1]} "
            f"{happened['resource'][-1]}.".replace(" .", ".") if services else "Nothing has happened yet.")
    fig = theme.figure("What happened, and when", says, x="date (UTC)", yaxis={"categoryarray": services[::-1],
                       "categoryorder": "array", "type": "category"}, showlegend=False, height=120 + 40 * len(services))
    for number, service in enumerate(services):
        rows = [row for row in happened if row["service"] == service]
        fig.add_scatter(x=[f"{happened.date(row['at']):%Y-%m-%d %H:%M:%S}" for row in rows], y=[service] * len(rows),
                        text=[f"{row['what']} {row['resource']}" for row in rows], hovertemplate="%{text}<br>%{x}<extra></extra>",
                        name=service, **theme.style(number)["points"])
    return fig
