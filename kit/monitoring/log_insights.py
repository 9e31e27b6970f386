r"""A question to the logs: the query language of CloudWatch Logs Insights, from text to rows.

A query is a pipe of commands. Each takes rows and hands rows on; the first gets one row for each log event:

    query("filter status >= 500 | stats count(*) as errors by bin(5m) | sort errors desc", events, start=0, end=3600)

A line in JSON is discovered: ``{"user": {"id": 7}}`` gives the field ``user.id``. Every event has ``@timestamp``,
``@message``, ``@logStream``, ``@ingestionTime``, ``@log`` and ``@ptr``.

**Simplified** A comparison with a missing value is false. true and false are 1 and 0. Numbers are shown with up to four
decimals. Counts of distinct values are exact (AWS: approximate when there are many), pct is the nearest rank, stddev
that of the population. Without events, stats gives no row. After ``sort`` without asc or desc: ascending. A missing
value sorts first, then text, then numbers.
**Not modelled** The commands pattern, diff, anomaly, unmask, filterIndex, lookup, join, unnest and SOURCE; fields that
are discovered in the logs of Lambda, VPC and Route 53; periods of a month or longer; functions for JSON and URLs.

Amazon CloudWatch Logs User Guide, "CloudWatch Logs Insights query syntax", "Supported logs and discovered fields"
(their published source), "dedup", "stats" and "Boolean, comparison, numeric, datetime, and other functions" (excerpts
of today's pages); API Reference, "StartQuery", "QueryStatistics", as botocore carries it. Read 2026-11-23."""

import json

from kit.monitoring.log_expressions import Moment, aggregate, as_text, evaluate, is_true, sort_key
from kit.monitoring.log_query import parse

ROWS = 10_000  # rows without a limit command (API Reference, "StartQuery")
JSON_FIELDS = 200  # discovered in one event (the guide of 2021 said 100; 200 could not be read on its page of today)


def query(text: str, events: list[dict], start: float, end: float) -> dict:
    """``{"results": [[{"field", "value"}, ...], ...], "statistics": {...}}``, as GetQueryResults gives it.

    events: ``[{"timestamp": ms, "message": text, "logStreamName": ...}, ...]``. start, end: seconds, both inside.
    ServiceError MalformedQueryException, with the place, for a query that cannot be read.
    """
    commands = parse(text)
    scanned = [event for event in events if start * 1000 <= event["timestamp"] <= end * 1000]
    rows = [_row(event, number) for number, event in enumerate(scanned)]
    rows.sort(key=lambda row: -row["@timestamp"])  # newest first, until a sort says otherwise
    shown, last, matched, limited, aggregated = [], None, None, False, False
    for name, arguments in commands:
        if name == "filter":
            rows = [row for row in rows if is_true(evaluate(arguments, row))]
        elif name == "fields":
            for row in rows:
                row.update({alias: found for alias, node in arguments if (found := evaluate(node, row)) is not None})
            shown += [alias for alias, _ in arguments if alias not in shown]
        elif name == "display":
            last = arguments
        elif name == "parse":
            for row in rows:
                row.update(_parsed(arguments, row))
        elif name == "stats":
            matched = len(rows) if matched is None else matched
            rows, last, aggregated = _stats(arguments, rows), None, True
            shown = [alias for alias, _ in arguments[1] + arguments[0]]  # the groups, then the numbers
        elif name == "sort":
            for node, falling in reversed(arguments):
                rows.sort(key=lambda row: sort_key(evaluate(node, row)), reverse=falling)
        elif name == "dedup":
            matched = len(rows) if matched is None else matched
            rows = _dedup(arguments, rows)
        else:  # limit
            matched = len(rows) if matched is None else matched
            rows, limited = rows[:arguments], True
    matched = len(rows) if matched is None else matched
    names = last or shown or ["@timestamp", "@message"]
    rows = rows if limited else rows[:ROWS]
    results = [[{"field": field, "value": as_text(row[field])} for field in names + ["@ptr"] * (not aggregated)
                if row.get(field) is not None] for row in rows]
    return {"results": results,
            "statistics": {"recordsMatched": float(matched), "recordsScanned": float(len(scanned)),
                           "bytesScanned": float(sum(len(event["message"].encode()) for event in scanned))}}


def _row(event: dict, number: int) -> dict:
    """An event as fields; what is discovered in JSON cannot overwrite a field of CloudWatch."""
    message = event["message"]
    system = {"@timestamp": Moment(event["timestamp"]), "@message": message, "@logStream": event.get("logStreamName"),
              "@ingestionTime": Moment(event.get("ingestionTime", event["timestamp"])), "@log": event.get("log"),
              "@ptr": event.get("ptr", f"pointer-{number:08d}")}
    fields, start = {}, message.find("{")
    if start >= 0:
        try:
            _discover(json.JSONDecoder().raw_decode(message[start:])[0], "", fields)
        except (ValueError, RecursionError):
            pass  # a line that is no JSON has no more fields
    return fields | system


def _discover(node, path: str, fields: dict) -> None:
    if isinstance(node, (dict, list)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            key = f"@{key}" if not path and str(key).startswith("@") else key  # a second @, as the guide has it
            _discover(value, f"{path}.{key}" if path else str(key), fields)
    elif node is not None and len(fields) < JSON_FIELDS:
        fields[path] = int(node) if isinstance(node, bool) else node


def _parsed(arguments, row: dict) -> dict:
    node, pattern, names = arguments
    text = evaluate(node, row)
    found = None if text is None else pattern.search(as_text(text))
    if found is None:
        return {}
    return {key: value for key, value in (zip(names, found.groups()) if names else found.groupdict().items())
            if value is not None}


def _stats(arguments, rows: list[dict]) -> list[dict]:
    """One row for each group, in the order in which the groups are met."""
    totals, by = arguments
    groups = {}
    for row in rows:
        key = tuple(evaluate(node, row) for _, node in by)
        groups.setdefault(key, []).append(row)
    return [{alias: value for alias, value in zip([alias for alias, _ in by], key)}
            | {alias: aggregate(node, members) for alias, node in totals} for key, members in groups.items()]


def _dedup(names: list[str], rows: list[dict]) -> list[dict]:
    """The first row of each kind; rows that lack one of the fields all stay ("dedup")."""
    seen, kept = set(), []
    for row in rows:
        key = tuple(row.get(name) for name in names)
        if None in key or key not in seen:
            kept.append(row)
        seen.add(key)
    return kept
