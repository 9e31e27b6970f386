"""step_through(): travel in time through the records of a run."""

from kit.explore.panel import Panel

MOST = 2000  # steps on the page at once


def step_through(run, title: str = "Step by step") -> Panel:
    """A scrubber over ``run``: forward, back, jump; the state beside what just changed.

    run: Records, or a list of dicts with the same keys, one a step. ``time`` (seconds), ``event`` (what happened)
    and ``because`` (why) are told as a sentence; every other column is part of the state. Without ``event`` the first
    column of text is told, with its name: "what happens: zone a fails".
    """
    rows = [dict(row) for row in run]
    if not rows:
        raise ValueError("nothing to step through: the run has no records")
    if len(rows) > MOST:
        raise ValueError(f"{len(rows):,} steps are too many to look at; give the most telling {MOST:,}, "
                         "as in step_through(run.to_dicts()[:200])")
    names = list(rows[0])
    if any(list(row) != names for row in rows):
        raise ValueError(f"every step needs the same columns, here {', '.join(names)}")
    event = _event(rows, names)
    state = [name for name in names if name not in ("time", "because", event)]
    named = "" if event in ("event", None) else f"{_spaced(event)}: "
    steps = [{"time": row.get("time"), "event": named + _text(row.get(event, "")), "because": _text(row.get("because", "")),
              "state": [_text(row[name]) for name in state]} for row in rows]
    text = f"{title}: {len(steps)} steps, from “{steps[0]['event']}” to “{steps[-1]['event']}”."
    return Panel("steps", text=text, spec={"title": title, "names": [_spaced(name) for name in state],
                                           "steps": steps})


def _event(rows: list[dict], names: list[str]) -> str | None:
    """The column that tells what happened: ``event``, else the first of text, else the first that there is."""
    others = [name for name in names if name not in ("time", "because")]
    texts = [name for name in others if all(isinstance(row[name], str) for row in rows)]
    return "event" if "event" in names else next(iter(texts + others), None)


def _spaced(name) -> str:
    return str(name).replace("_", " ")


def _text(value) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)
