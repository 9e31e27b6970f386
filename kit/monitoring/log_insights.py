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

import ipaddress
import json
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from statistics import pstdev

from kit.errors import ServiceError
from kit.sim import percentile

ROWS = 10_000  # rows without a limit command (API Reference, "StartQuery")
JSON_FIELDS = 200  # discovered in one event (the guide of 2021 said 100; 200 could not be read on its page of today)
PERIODS = {"ms": 1, "msec": 1, "millisecond": 1, "s": 1000, "sec": 1000, "second": 1000, "m": 60_000, "min": 60_000,
           "minute": 60_000, "h": 3_600_000, "hr": 3_600_000, "hour": 3_600_000, "d": 86_400_000, "day": 86_400_000,
           "w": 604_800_000, "week": 604_800_000}  # milliseconds ("stats"; longer names take a plural s)
ELSEWHERE = {"pattern", "diff", "anomaly", "unmask", "filterindex", "lookup", "join", "unnest", "source"}


def query(text: str, events: list[dict], start: float, end: float) -> dict:
    """``{"results": [[{"field", "value"}, ...], ...], "statistics": {...}}``, as GetQueryResults gives it.

    events: ``[{"timestamp": ms, "message": text, "logStreamName": ...}, ...]``. start, end: seconds, both inside.
    ServiceError MalformedQueryException, with the place, for a query that cannot be read.
    """
    commands = _Parser(text).query()
    scanned = [event for event in events if start * 1000 <= event["timestamp"] <= end * 1000]
    rows = [_row(event, number) for number, event in enumerate(scanned)]
    rows.sort(key=lambda row: -row["@timestamp"])  # newest first, until a sort says otherwise
    shown, last, matched, limited, aggregated = [], None, None, False, False
    for name, arguments in commands:
        if name == "filter":
            rows = [row for row in rows if _truth(_value(arguments, row))]
        elif name == "fields":
            for row in rows:
                row.update({alias: found for alias, node in arguments if (found := _value(node, row)) is not None})
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
                rows.sort(key=lambda row: _order(_value(node, row)), reverse=falling)
        elif name == "dedup":
            matched = len(rows) if matched is None else matched
            rows = _dedup(arguments, rows)
        else:  # limit
            matched = len(rows) if matched is None else matched
            rows, limited = rows[:arguments], True
    matched = len(rows) if matched is None else matched
    names = last or shown or ["@timestamp", "@message"]
    rows = rows if limited else rows[:ROWS]
    results = [[{"field": field, "value": _shown(row[field])} for field in names + ["@ptr"] * (not aggregated)
                if row.get(field) is not None] for row in rows]
    return {"results": results,
            "statistics": {"recordsMatched": float(matched), "recordsScanned": float(len(scanned)),
                           "bytesScanned": float(sum(len(event["message"].encode()) for event in scanned))}}


class Moment(int):
    """Milliseconds since 1970 that are shown as a date."""

    def __str__(self) -> str:
        when = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=int(self))
        return f"{when:%Y-%m-%d %H:%M:%S}.{int(self) % 1000:03d}"


@dataclass(frozen=True)
class Token:
    kind: str  # name, number, period, text, regex, sign
    text: str
    at: int


# ---------------------------------------------------------------------- what the commands do


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
    text = _value(node, row)
    found = None if text is None else pattern.search(_shown(text))
    if found is None:
        return {}
    return {key: value for key, value in (zip(names, found.groups()) if names else found.groupdict().items())
            if value is not None}


def _stats(arguments, rows: list[dict]) -> list[dict]:
    """One row for each group, in the order in which the groups are met."""
    totals, by = arguments
    groups = {}
    for row in rows:
        key = tuple(_value(node, row) for _, node in by)
        groups.setdefault(key, []).append(row)
    return [{alias: value for alias, value in zip([alias for alias, _ in by], key)}
            | {alias: _aggregate(node, members) for alias, node in totals} for key, members in groups.items()]


def _dedup(names: list[str], rows: list[dict]) -> list[dict]:
    """The first row of each kind; rows that lack one of the fields all stay ("dedup")."""
    seen, kept = set(), []
    for row in rows:
        key = tuple(row.get(name) for name in names)
        if None in key or key not in seen:
            kept.append(row)
        seen.add(key)
    return kept


def _aggregate(node, rows: list[dict]):
    kind, *parts = node
    if kind == "call" and parts[0] in AGGREGATES:
        arguments = parts[1]
        if parts[0] == "count" and (not arguments or arguments[0] == ("star",)):
            return len(rows)
        values = [(row, value) for row in rows if (value := _value(arguments[0], row)) is not None]
        return AGGREGATES[parts[0]](values, *(_value(one, {}) for one in arguments[1:])) if values else \
            0 if parts[0].startswith("count") else None
    if kind == "call":
        return FUNCTIONS[parts[0]](*(_aggregate(part, rows) for part in parts[1]))
    if kind == "sign":
        return _calculate(parts[0], _aggregate(parts[1], rows), _aggregate(parts[2], rows))
    return _value(node, rows[0])


def _numbers(values) -> list[float]:
    return [number for _, value in values if (number := _number(value)) is not None]


def _in_time(values) -> list:
    """The values, by their event's timestamp (a row that stats made has none)."""
    return [value for _, value in sorted(values, key=lambda pair: pair[0].get("@timestamp", 0))]


def _sorted(values) -> list:
    return sorted((value for _, value in values), key=_order)


AGGREGATES = {
    "count": len, "count_distinct": lambda values: len({_shown(value) for _, value in values}),
    "sum": lambda values: sum(_numbers(values)),
    "avg": lambda values: sum(numbers) / len(numbers) if (numbers := _numbers(values)) else None,
    "min": lambda values: _sorted(values)[0], "max": lambda values: _sorted(values)[-1],
    "pct": lambda values, percent: percentile(numbers, percent) if (numbers := _numbers(values)) else None,
    "stddev": lambda values: pstdev(numbers) if (numbers := _numbers(values)) else None,
    "earliest": lambda values: _in_time(values)[0], "latest": lambda values: _in_time(values)[-1],
    "sortsfirst": lambda values: _sorted(values)[0], "sortslast": lambda values: _sorted(values)[-1],
}


# ---------------------------------------------------------------------- values of expressions


def _value(node, row: dict):
    """What an expression is for a row; None is missing."""
    kind, *parts = node
    if kind == "field":
        return row.get(parts[0])
    if kind == "literal":
        return parts[0]
    if kind == "not":
        return int(not _truth(_value(parts[0], row)))
    if kind == "and":
        return int(_truth(_value(parts[0], row)) and _truth(_value(parts[1], row)))
    if kind == "or":
        return int(_truth(_value(parts[0], row)) or _truth(_value(parts[1], row)))
    if kind == "like":
        value = _value(parts[0], row)
        return int(value is not None and parts[1].search(_shown(value)) is not None)
    if kind == "in":
        value = _value(parts[0], row)
        return int(any(_compare("=", value, _value(one, row)) for one in parts[1]))
    if kind == "call":
        name, arguments = parts
        if name == "bin":
            return _floor(row.get("@timestamp"), _value(arguments[0], row))
        return FUNCTIONS[name](*(_value(one, row) for one in arguments))
    if kind == "sign":
        return _calculate(parts[0], _value(parts[1], row), _value(parts[2], row))
    return int(_compare(parts[0], _value(parts[1], row), _value(parts[2], row)))


def _compare(sign: str, left, right) -> bool:
    if left is None or right is None:
        return False
    one, other = _number(left), _number(right)
    if one is None or other is None:
        one, other = _shown(left), _shown(right)
    return {"=": one == other, "!=": one != other, "<": one < other, "<=": one <= other, ">": one > other,
            ">=": one >= other}[sign]


def _calculate(sign: str, left, right):
    one, other = _number(left), _number(right)
    if one is None or other is None:
        return None
    try:
        result = {"+": lambda: one + other, "-": lambda: one - other, "*": lambda: one * other,
                  "/": lambda: one / other, "%": lambda: math.fmod(one, other),
                  "^": lambda: math.pow(one, other)}[sign]()
    except (ArithmeticError, ValueError):
        return None  # a division by zero has no value
    return result if math.isfinite(result) else None


def _truth(value) -> bool:
    return value not in (None, 0, "")


def _number(value) -> float | None:
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value) else None
    return value


def _order(value):
    number = _number(value)
    return (0, 0) if value is None else (1, value) if number is None else (2, number)


def _shown(value) -> str:
    if isinstance(value, (str, Moment)):
        return str(value)
    return str(int(value)) if value == int(value) else str(round(value, 4))


def _floor(moment, period, up: bool = False):
    if moment is None or not period:
        return None
    return Moment(int((math.ceil if up else math.floor)(_number(moment) / period) * period))


def _numeric(function):
    """A function of numbers: missing or no number in, missing out."""
    def call(*values):
        numbers = [_number(value) for value in values]
        try:
            return None if None in numbers else function(*numbers)
        except (ArithmeticError, ValueError):
            return None
    return call


def _textual(function):
    def call(text, *values):
        return None if text is None or None in values else function(_shown(text), *values)
    return call


def _strip(how):
    def strip(text, what=None):
        if what is None:
            return getattr(text, how + "strip")()
        while what and how in ("", "l") and text.startswith(what):
            text = text[len(what):]
        while what and how in ("", "r") and text.endswith(what):
            text = text[:-len(what)]
        return text
    return _textual(strip)


def _address(text, version=None, subnet=None) -> int:
    try:
        address = ipaddress.ip_address(_shown(text or ""))
        network = None if subnet is None else ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return 0
    return int(version in (None, address.version) and (network is None or address in network))


FUNCTIONS = {
    "abs": _numeric(abs), "ceil": _numeric(math.ceil), "floor": _numeric(math.floor), "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt), "greatest": _numeric(lambda *n: max(n)), "least": _numeric(lambda *n: min(n)),
    "ispresent": lambda value: int(value is not None),
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "isempty": lambda value: int(value in (None, "")),
    "isblank": lambda value: int(value is None or not _shown(value).strip()),
    "concat": lambda *values: "".join(_shown(value) for value in values if value is not None),
    "ltrim": _strip("l"), "rtrim": _strip("r"), "trim": _strip(""), "strlen": _textual(len),
    "toupper": _textual(str.upper), "tolower": _textual(str.lower),
    "substr": _textual(lambda text, start, size=None: text[int(start):None if size is None else int(start + size)]),
    "replace": _textual(lambda text, what, by: text.replace(_shown(what), _shown(by))),
    "strcontains": _textual(lambda text, what: int(_shown(what) in text)),
    "datefloor": _floor, "dateceil": lambda moment, period: _floor(moment, period, up=True), "bin": _floor,
    "frommillis": _numeric(lambda number: Moment(int(number))), "tomillis": _numeric(int),
    "isvalidip": _address, "isvalidipv4": lambda text: _address(text, 4), "isvalidipv6": lambda text: _address(text, 6),
    "isipinsubnet": lambda text, subnet: _address(text, None, subnet),
    "isipv4insubnet": lambda text, subnet: _address(text, 4, subnet),
    "isipv6insubnet": lambda text, subnet: _address(text, 6, subnet),
}
ARGUMENTS = {"substr": (2, 3), "replace": (3, 3), "strcontains": (2, 2), "ltrim": (1, 2), "rtrim": (1, 2),
             "trim": (1, 2),
             "datefloor": (2, 2), "dateceil": (2, 2), "isipinsubnet": (2, 2), "isipv4insubnet": (2, 2), "pct": (2, 2),
             "isipv6insubnet": (2, 2), "count": (0, 1)}
ARGUMENTS |= dict.fromkeys(("concat", "coalesce", "greatest", "least"), (1, 99))


# ---------------------------------------------------------------------- reading a query

TOKENS = re.compile(r"""(?P<gap>\s+|\#[^\n]*) | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<period>\d+[a-zA-Z]+) | (?P<number>\d+(?:\.\d+)?) | (?P<name>`[^`]+`|[@A-Za-z_][\w.@]*)
    | (?P<sign>=~|!=|<=|>=|[|=<>+\-*/^%(),\[\]])""", re.X)
REGEX = re.compile(r"/((?:\\.|[^/\\])+)/")


class _Parser:
    """From the text of a query to ``[(command, arguments), ...]``; expressions become nested tuples."""

    def __init__(self, text: str):
        self.text, self.place, self.tokens = text, 0, []
        at = 0
        while at < len(text):
            before = [token.text.lower() for token in self.tokens[-2:]]
            regex = REGEX.match(text, at) if before[-1:] in (["like"], ["=~"]) or "parse" in before else None
            found = regex or TOKENS.match(text, at)
            if found is None:
                self._fail("This cannot be read", at)
            kind = "regex" if regex else found.lastgroup
            if kind != "gap":
                self.tokens.append(Token(kind, found[1] if regex else found[0], at))
            at = found.end()

    def query(self) -> list:
        commands = []
        while True:
            token = self._next("name", "Here comes a command, such as fields, filter or stats")
            name = token.text.lower()
            if name in ELSEWHERE:
                raise ValueError(f"the command {name} is not modelled; rewrite the query without it")
            read = getattr(self, f"_read_{name}", None)
            if read is None:
                self._fail(f"There is no command {token.text}", token.at)
            if commands and commands[-1][0] == "dedup" and name != "limit":
                self._fail("After dedup comes nothing but limit", token.at)
            commands.append((name, read()))
            if self.place == len(self.tokens):
                return commands
            self._sign("|", "Here comes | and the next command")

    # each command's arguments

    def _read_fields(self):
        return self._list(self._named)

    def _read_display(self):
        return self._list(self._field)

    _read_dedup = _read_display

    def _read_filter(self):
        return self._expression()

    def _read_stats(self):
        totals = self._list(lambda: self._named(aggregate=True))
        return [totals, self._list(self._named) if self._word("by") else []]

    def _read_sort(self):
        def key():
            node = self._expression()
            return node, bool(self._word("desc") or self._word("asc") and False)
        return self._list(key)

    def _read_limit(self):
        return int(self._next("number", "Here comes how many rows").text)

    def _read_parse(self):
        node = ("field", "@message")
        if self._peek().kind == "name":
            node = ("field", self._field())
        token = self._peek()
        if token.kind == "regex":
            self.place += 1
            pattern = self._regex(token)
            if not pattern.groupindex:
                self._fail("A regular expression to parse with names its groups: (?<level>[A-Z]+)", token.at)
            return node, pattern, None
        glob = self._string(self._next("text", "Here comes a pattern in quotes or between slashes"))
        if not self._word("as"):
            self._fail("After a pattern with * comes 'as' and the names of the fields")
        names, stars = self._list(self._field), glob.count("*")
        if len(names) != stars:
            self._fail(f"The pattern has {stars} * and {len(names)} names", token.at)
        parts = [re.escape(part) for part in glob.split("*")]
        text = "(.*?)".join(parts[:-1]) + ("(.*)" if glob.endswith("*") else "(.*?)") + parts[-1] if stars else parts[0]
        return node, re.compile(text, re.S), names

    # expressions, from what binds least to what binds most

    def _named(self, aggregate: bool = False):
        """An expression with its name: an alias, or its own text."""
        start, first = self._peek().at, self.place
        node = self._expression()
        if aggregate and not _has_aggregate(node):
            self._fail("stats wants a function such as count(*) or avg(field)", start)
        if not aggregate and _has_aggregate(node):
            self._fail("Functions that aggregate belong into stats, before 'by'", start)
        if self._word("as"):
            return self._field(), node
        if node[0] == "field":
            return node[1], node
        last = self.tokens[self.place - 1]
        return self.text[self.tokens[first].at:last.at + len(last.text)], node

    def _expression(self):
        return self._chain(lambda: self._chain(self._negation, "and"), "or")

    def _chain(self, read, word):
        node = read()
        while self._word(word):
            node = (word, node, read())
        return node

    def _negation(self):
        return ("not", self._negation()) if self._word("not") else self._comparison()

    def _comparison(self):
        node = self._sum()
        negated = self._word("not")
        if self._word("like") or not negated and self._take("=~"):
            token = self._peek()
            if token.kind not in ("text", "regex"):
                self._fail("Here comes text in quotes or a regular expression between slashes")
            self.place += 1
            pattern = self._regex(token) if token.kind == "regex" else re.compile(re.escape(self._string(token)))
            node = ("like", node, pattern)
        elif self._word("in"):
            self._sign("[", "After in comes a list: [1, 2]")
            node = ("in", node, self._list(self._sum))
            self._sign("]", "The list ends with ]")
        elif negated:
            self._fail("Between a field and its value, not goes with in or like")
        else:
            for sign in ("=", "!=", "<=", ">=", "<", ">"):
                if self._take(sign):
                    return ("compare", sign, node, self._sum())
        return ("not", node) if negated else node

    def _sum(self):
        return self._operators(self._product, "+-")

    def _product(self):
        return self._operators(self._power, "*/%")

    def _operators(self, read, signs):
        node = read()
        while self._peek().kind == "sign" and self._peek().text in signs:
            node = ("sign", self._next("sign").text, node, read())
        return node

    def _power(self):
        if self._take("-"):
            return ("sign", "-", ("literal", 0), self._power())
        node = self._primary()
        return ("sign", "^", node, self._power()) if self._take("^") else node

    def _primary(self):
        token = self._peek()
        self.place += 1
        if token.kind == "number":
            return ("literal", float(token.text) if "." in token.text else int(token.text))
        if token.kind == "text":
            return ("literal", self._string(token))
        if token.kind == "period":
            count, unit = re.fullmatch(r"(\d+)([a-zA-Z]+)", token.text).groups()
            length = PERIODS.get(unit) or (PERIODS.get(unit[:-1]) if len(unit) > 2 and unit.endswith("s") else None)
            if not length or not int(count):
                self._fail("A period is a number and ms, s, m, h, d or w", token.at)
            return ("literal", int(count) * length)
        if token.text == "(":
            node = self._expression()
            self._sign(")", "A bracket is still open")
            return node
        if token.kind == "name" and self._take("("):
            return self._call(token)
        if token.kind == "name":
            if token.text in ("true", "false"):
                return ("literal", int(token.text == "true"))
            return ("field", token.text.strip("`"))
        self.place -= 1
        self._fail("Here comes a field, a number, a text or a function")

    def _call(self, token):
        name = token.text.lower()
        if name not in FUNCTIONS and name not in AGGREGATES:
            self._fail(f"There is no function {token.text}", token.at)
        if name == "count" and self._take("*"):
            arguments = [("star",)]
        else:
            arguments = [] if self._peek().text == ")" else self._list(self._expression)
        self._sign(")", "A bracket is still open")
        least, most = ARGUMENTS.get(name, (1, 1))
        if not least <= len(arguments) <= most:
            self._fail(f"{token.text} takes {least if least == most else f'{least} to {most}'} argument(s), not "
                       f"{len(arguments)}", token.at)
        return ("call", name, arguments)

    # tokens

    def _peek(self) -> Token:
        return self.tokens[self.place] if self.place < len(self.tokens) else Token("end", "", len(self.text))

    def _next(self, kind: str, why: str = "") -> Token:
        token = self._peek()
        if token.kind != kind:
            self._fail(why, token.at)
        self.place += 1
        return token

    def _take(self, sign: str) -> bool:
        found = self._peek().kind == "sign" and self._peek().text == sign
        self.place += found
        return found

    def _sign(self, sign: str, why: str) -> None:
        if not self._take(sign):
            self._fail(why)

    def _word(self, word: str) -> bool:
        found = self._peek().kind == "name" and self._peek().text.lower() == word
        self.place += found
        return found

    def _list(self, read) -> list:
        items = [read()]
        while self._take(","):
            items.append(read())
        return items

    def _field(self) -> str:
        return self._next("name", "Here comes the name of a field").text.strip("`")

    @staticmethod
    def _string(token: Token) -> str:
        return re.sub(r"\\(.)", r"\1", token.text[1:-1])

    def _regex(self, token: Token):
        """AWS writes (?<name>...), Python (?P<name>...); (?i) may stand anywhere there, only in front here."""
        text = re.sub(r"\(\?<(?![=!])", "(?P<", token.text)
        flags = "(?i)" if "(?i)" in text else ""
        try:
            return re.compile(flags + text.replace("(?i)", ""))
        except re.error as error:
            self._fail(f"This regular expression cannot be read: {error}", token.at)

    def _fail(self, why: str, at: int | None = None):
        place = self._peek().at if at is None else at
        line = self.text.count("\n", 0, place) + 1
        column = place - self.text.rfind("\n", 0, place)
        shown = self.text.split("\n")[line - 1]
        raise ServiceError("MalformedQueryException", f"line {line}, position {column}: {why}.\n"
                                                      f"  {shown}\n  {' ' * (column - 1)}^")


def _has_aggregate(node) -> bool:
    if node[0] == "call":
        return node[1] in AGGREGATES or any(map(_has_aggregate, node[2]))
    return any(_has_aggregate(part) for part in node[1:] if isinstance(part, tuple))
