"""Metric math: an expression over time series, as in GetMetricData, in alarms and on dashboards.

    evaluate("100 * errors / FILL(requests, 0)", {"errors": [(0, 1), (60, 2)], "requests": [(0, 50), (60, 40)]})

An expression is cut into tokens, parsed by precedence into a tree, and the tree is worked out. A value is a number
(AWS writes S), a time series (TS) or an array of them (TS[]); the result must be a series or an array.

Two rules surprise: where only one of two series has a point, the other counts as 0; and what can't be
computed (a division by zero, the logarithm of 0) is a point less, not an error.

**Simplified** STDDEV is that of a population. MIN, MAX and STDDEV of an array leave out what is missing; SUM and AVG
count it as 0. Dates are UTC. Precedence, which AWS does not list, is the usual: ^, then unary minus, * /, + -,
comparisons, AND, OR. **Not modelled** SEARCH, SERVICE_QUOTA, INSIGHT_RULE_METRIC, DB_PERF_INSIGHTS, LAMBDA. There is no
NOT in metric math: compare with 0.

Amazon CloudWatch User Guide, read 2026-11-23: "Using metric math" ("Metric math syntax and functions", "Using IF
expressions").
"""

import operator
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from math import ceil, floor, isfinite, log, log10, nan
from statistics import fmean, pstdev

from kit.errors import ServiceError
from kit.monitoring import anomaly

WIDTH = 2.0  # standard deviations of ANOMALY_DETECTION_BAND if none are given
ELSEWHERE = ("SEARCH", "SERVICE_QUOTA", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS", "LAMBDA")
TOKEN = re.compile(r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<string>"[^"]*"|'[^']*')
                       |(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))""", re.VERBOSE)
COMPARISONS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
               ">=": operator.ge}
WORDS = {"AND": "&&", "OR": "||"}


@dataclass(frozen=True)
class Series:
    """One value a period, where there is one: ``points`` is {time: value}."""

    points: dict
    period: float = 60.0
    label: str = ""


@dataclass(frozen=True)
class Past:
    """The same metrics in the time before, for ANOMALY_DETECTION_BAND, and what was learnt from them."""

    series: dict
    models: dict = field(default_factory=dict)


def evaluate(expression: str, series: dict, *, times: list[float] | None = None, metrics: tuple | None = None,
             past=None,
             scalar: bool = False):
    """Work out an expression: a Series, or a list of them.

    series: {Id: Series, list of Series, number, or (time, value) pairs}. times: the starts of all periods asked for (by
    default from the first point to the last), for what makes series without gaps. metrics: the Ids that are metrics and
    not expressions, for METRICS() (by default all). past: a function that returns the Past; without it a band is learnt
    from the series itself. scalar: let a number pass as the result.
    Errors: ValidationError, with the place in the expression.
    """
    values = {name: _value(name, value) for name, value in series.items()}
    context = _Context(values, times, tuple(values) if metrics is None else metrics, past)
    result = context.work_out(parse(expression))
    if isinstance(result, float) and not scalar:
        raise ServiceError("ValidationError", "The final result of an expression must be a time series, not a number; "
                                              "TIME_SERIES() makes one.")
    return result


def names_in(expression: str) -> set:
    """The Ids that an expression refers to."""
    return {text for kind, text, _ in _tokens(expression) if kind == "name" and text[0].islower()}


@lru_cache(maxsize=256)
def parse(expression: str) -> tuple:
    """The tree of an expression: nested tuples ``(kind, column, ...)``."""
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, expression):
        self.tokens = _tokens(expression)
        self.at = 0

    def whole(self):
        tree = self.either()
        if self.kind() != "end":
            self.refuse(f"{self.text()!r} was not expected here")
        return tree

    def either(self):
        return self.chain(self.both, "||")

    def both(self):
        return self.chain(self.comparison, "&&")

    def comparison(self):
        return self.chain(self.sum, *COMPARISONS)

    def sum(self):
        return self.chain(self.product, "+", "-")

    def product(self):
        return self.chain(self.unary, "*", "/")

    def chain(self, part, *signs):
        left = part()
        while self.kind() == "sign" and self.text() in signs:
            column, sign = self.column(), self.take()
            left = ("operation", column, sign, left, part())
        return left

    def unary(self):
        if self.text() == "-" and self.kind() == "sign":
            column = self.column()
            self.take()
            return ("operation", column, "-", ("number", column, 0.0), self.unary())
        return self.power()

    def power(self):
        base = self.atom()
        if self.kind() == "sign" and self.text() == "^":
            column, sign = self.column(), self.take()
            return ("operation", column, sign, base, self.unary())
        return base

    def atom(self):
        kind, column, text = self.kind(), self.column(), self.text()
        if kind == "number":
            self.take()
            return ("number", column, float(text))
        if kind == "string":
            self.take()
            return ("string", column, text[1:-1])
        if kind == "name":
            self.take()
            if self.kind() == "sign" and self.text() == "(":
                if text != text.upper():
                    self.refuse(f"functions are written in uppercase letters: {text.upper()}, not {text}", column)
                self.take()
                return ("call", column, text, tuple(self.items(")")))
            if text == "NOT":
                self.refuse("metric math has no NOT, compare with 0", column)
            return ("name" if text[0].islower() else "word", column, text)
        if kind == "sign" and text == "(":
            self.take()
            inner = self.either()
            self.expect(")")
            return inner
        if kind == "sign" and text == "[":
            self.take()
            return ("array", column, tuple(self.items("]")))
        self.refuse("the expression ends too early" if kind == "end" else f"{text!r} was not expected here")

    def items(self, end):
        found = []
        if self.kind() != "sign" or self.text() != end:
            found.append(self.either())
            while self.kind() == "sign" and self.text() == ",":
                self.take()
                found.append(self.either())
        self.expect(end)
        return found

    def expect(self, sign):
        if self.kind() != "sign" or self.text() != sign:
            self.refuse(f"expected {sign!r}, found {self.text() or 'the end'!r}")
        self.take()

    def kind(self):
        return self.tokens[self.at][0]

    def text(self):
        return self.tokens[self.at][1]

    def column(self):
        return self.tokens[self.at][2]

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1][1]

    def refuse(self, why, column=None):
        _refuse(self.column() if column is None else column, why)


class _Context:
    """What the names of an expression stand for, while it is worked out."""

    def __init__(self, values, times, metrics, past):
        self.values, self.metrics, self.past = values, metrics, past
        self._times = times

    @property
    def times(self):
        if self._times is None:
            all_series = [one for value in self.values.values() for one in (value if isinstance(value, list)
                                                                            else [value])
                          if isinstance(one, Series) and one.points]
            first, last = (edge((edge(one.points) for one in all_series), default=0.0) for edge in (min, max))
            step = min((one.period for one in all_series), default=60.0)
            self._times = [first + number * step for number in range(int((last - first) // step)
                                                                     + 1)] if all_series else []
        return self._times

    def work_out(self, node):
        kind, column = node[:2]
        if kind == "number":
            return node[2]
        if kind == "name":
            if node[2] not in self.values:
                _refuse(column, f"{node[2]!r} is no Id of this request: "
                                f"{', '.join(sorted(self.values)) or 'there are none'}")
            return self.values[node[2]]
        if kind == "array":
            found = []
            for item in node[2]:
                value = self.work_out(item)
                found += value if isinstance(value, list) else [self.wants(value, "TS", item)]
            return found
        if kind == "operation":
            return _operate(node[2], self.work_out(node[3]), self.work_out(node[4]), column)
        if kind == "call":
            return self.call(node)
        if kind == "word":
            _refuse(column, f"{node[2]!r} is neither an Id (a lowercase letter first) nor a function with its "
                            f"parentheses")
        _refuse(column, f"the text {node[2]!r} has no place here")

    def call(self, node):
        _, column, name, arguments = node
        if name in ELSEWHERE:
            _refuse(column, f"{name} is not modelled" + ("; ListMetrics finds metrics, and each is a MetricStat here"
                                                         if name == "SEARCH" else ""))
        if name not in FUNCTIONS:
            _refuse(column, f"there is no function {name}" + ("; metric math has no NOT, compare with 0"
                                                              if name == "NOT" else ""))
        fewest, most, function = FUNCTIONS[name]
        if not fewest <= len(arguments) <= most:
            _refuse(column, f"{name} takes {fewest if fewest == most else f'{fewest} to {most}'} arguments, not "
                            f"{len(arguments)}")
        return function(self, node, *arguments)

    def wants(self, value, kinds, node, name="this"):
        """The value, if it is of one of the kinds (as in "TS TS[]")."""
        kind = "S" if isinstance(value, float) else "TS[]" if isinstance(value, list) else "TS"
        if kind not in kinds.split():
            words = {"S": "a number", "TS": "a time series", "TS[]": "an array of time series"}
            _refuse(node[1], f"{name} takes {' or '.join(words[k] for k in kinds.split())} here, not {words[kind]}")
        return value

    def argument(self, node, kinds, name):
        return self.wants(self.work_out(node), kinds, node, name)


# ---------------------------------------------------------------------- operators

def _operate(sign, left, right, column):
    if isinstance(left, list) and isinstance(right, list):
        _refuse(column, f"{sign} stands between an array and a series or a number, not between two arrays")
    if isinstance(left, list):
        return [_labelled(_operate(sign, one, right, column), one) for one in left]
    if isinstance(right, list):
        return [_labelled(_operate(sign, left, one, column), one) for one in right]
    if isinstance(left, float) and isinstance(right, float):
        result = _compute(sign, left, right)
        return nan if result is None else result
    if isinstance(left, float):
        return _mapped(right, lambda value: _compute(sign, left, value))
    if isinstance(right, float):
        return _mapped(left, lambda value: _compute(sign, value, right))
    times = sorted(left.points.keys() | right.points.keys())
    return _series({time: _compute(sign, left.points.get(time, 0.0), right.points.get(time, 0.0)) for time in times},
                   left)


def _compute(sign, left, right):
    """A number, or None where there is none."""
    if sign in COMPARISONS:
        return float(COMPARISONS[sign](left, right))
    if sign == "&&":
        return float(left != 0 and right != 0)
    if sign == "||":
        return float(left != 0 or right != 0)
    try:
        result = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
                  "^": operator.pow}[sign](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return result if isinstance(result, float) else None  # a root of a negative number is complex


# ---------------------------------------------------------------------- functions: (context, the call, its arguments)

def _each(function):
    """Point by point, on a series or on each of an array."""
    def act(context, node, argument):
        value = context.argument(argument, "TS TS[]", node[2])
        return [function(one) for one in value] if isinstance(value, list) else function(value)
    return act


def _fold(function, missing_is_zero=False):
    """One number of a series; of an array a series: one number for each time."""
    def act(context, node, argument):
        value = context.argument(argument, "TS TS[]", node[2])
        if isinstance(value, Series):
            return float(function(list(value.points.values()))) if value.points or function in (sum, len) else nan
        times = sorted(set().union(*(one.points for one in value)))
        at = ((lambda time: [one.points.get(time, 0.0) for one in value]) if missing_is_zero else
              (lambda time: [one.points[time] for one in value if time in one.points]))
        return _series({time: float(function(at(time))) for time in times}, value[0] if value else Series({}), label="")
    return act


def _point(function):
    def act(series):
        def safe(value):
            try:
                return float(function(value))
            except (ValueError, OverflowError):
                return None
        return _mapped(series, safe)
    return _each(act)


def _steps(function):
    """From the point before and this one; the first has none before it."""
    def act(series):
        points = sorted(series.points.items())
        return _series({time: function(time - earlier, value - before)
                        for (earlier, before), (time, value) in zip(points, points[1:])}, series)
    return _each(act)


def _running_sum(series):
    total, points = 0.0, {}
    for time, value in sorted(series.points.items()):
        points[time] = total = total + value
    return _series(points, series)


def _calendar(function):
    def act(context, node, argument):
        series = context.argument(argument, "TS", node[2])
        return _series({time: float(function(time)) for time in context.times}, series)
    return act


def _date(time):
    return datetime.fromtimestamp(time, timezone.utc)


def _fill(context, node, argument, filler):
    value = context.argument(argument, "TS TS[]", "FILL")
    if filler[0] == "word":
        if filler[2] not in ("REPEAT", "LINEAR"):
            _refuse(filler[1], f"FILL takes a number, a time series, REPEAT or LINEAR, not {filler[2]}")
        how = filler[2]
    else:
        how = context.argument(filler, "S TS", "FILL")
    filled = [_filled(one, how, context.times) for one in (value if isinstance(value, list) else [value])]
    return filled if isinstance(value, list) else filled[0]


def _filled(series, how, times):
    known = sorted(series.points)
    if how == "LINEAR":
        points = dict(series.points)
        for before, after in zip(known, known[1:]):
            for time in (time for time in times if before < time < after):
                part = (time - before) / (after - before)
                points[time] = series.points[before] + part * (series.points[after] - series.points[before])
        return _series(points, series)
    points, last = {}, None
    for time in sorted({*times, *known}):
        if time in series.points:
            last = points[time] = series.points[time]
        else:
            points[time] = last if how == "REPEAT" else how.points.get(time) if isinstance(how, Series) else how
    return _series(points, series)


def _if(context, node, condition, then, otherwise=None):
    test = context.argument(condition, "S TS", "IF")
    yes = context.argument(then, "S TS", "IF")
    no = None if otherwise is None else context.argument(otherwise, "S TS", "IF")
    if isinstance(test, float):
        chosen = yes if test != 0 else no
        return _series({}, yes if isinstance(yes, Series) else Series({})) if chosen is None else chosen

    def at(value, time, missing):
        return value if isinstance(value, float) else missing if value is None else value.points.get(time, missing)

    return _series({time: at(yes, time, 0.0) if value != 0 else at(no, time, None) for time,
                    value in test.points.items()}, test)


def _metrics(context, node, text=None):
    if text is not None and text[0] != "string":
        _refuse(text[1], "METRICS takes nothing, or a text in quotes that the Id contains")
    return [context.values[name] for name in context.metrics if text is None or text[2] in name]


def _period(context, node, argument):
    if argument[0] != "name" or argument[2] not in context.metrics:
        _refuse(argument[1], "PERIOD takes the Id of a metric, not the result of an expression")
    return float(context.argument(argument, "TS", "PERIOD").period)


def _sort(context, node, argument, key, direction, limit=None):
    value = context.argument(argument, "TS[]", "SORT")
    keys = {"AVG": fmean, "MIN": min, "MAX": max, "SUM": sum}
    if key[0] != "word" or key[2] not in keys:
        _refuse(key[1], "SORT sorts by AVG, MIN, MAX or SUM")
    if direction[0] != "word" or direction[2] not in ("ASC", "DESC"):
        _refuse(direction[1], "the order of SORT is ASC or DESC")
    empty = [one for one in value if not one.points]  # they have nothing to be sorted by: last
    ordered = sorted((one for one in value if one.points), key=lambda one: keys[key[2]](one.points.values()),
                     reverse=direction[2] == "DESC")
    return (ordered + empty)[:None if limit is None else int(context.argument(limit, "S", "SORT"))]


def _slice(context, node, argument, first, last=None):
    value = context.argument(argument, "TS[]", "SLICE")
    return value[int(context.argument(first, "S", "SLICE")):None if last is None
                 else int(context.argument(last, "S", "SLICE"))]


def _pick(index):
    def act(context, node, argument):
        value = context.argument(argument, "TS[]", node[2])
        return value[index] if value else Series({})
    return act


def _time_series(context, node, argument):
    value = context.argument(argument, "S", "TIME_SERIES")
    return _series(dict.fromkeys(context.times, value), Series({}, context.times[1] - context.times[0]
                                                               if len(context.times) > 1 else 60.0))


def _band(context, node, argument, width=None):
    """The upper series, then the lower; learnt from the past of whatever the argument is."""
    series = context.argument(argument, "TS", "ANOMALY_DETECTION_BAND")
    wide = WIDTH if width is None else context.argument(width, "S", "ANOMALY_DETECTION_BAND")
    if wide <= 0:
        _refuse(width[1], "the band is a number of standard deviations above 0 wide")
    if context.past is None:
        model = anomaly.fit(series.points.items(), max(series.points, default=0.0) + series.period)
    else:
        past = context.past()
        if argument not in past.models:
            before = _Context(past.series, None, context.metrics, None).argument(argument, "TS",
                                                                                 "ANOMALY_DETECTION_BAND")
            past.models[argument] = anomaly.fit(before.points.items(), max(before.points, default=0.0) + before.period)
        model = past.models[argument]
    bands = {time: model.band(time, wide) for time in context.times} if model else {}
    return [_series({time: high for time, (_, high) in bands.items()}, series, f"{series.label} (high)".strip()),
            _series({time: low for time, (low, _) in bands.items()}, series, f"{series.label} (low)".strip())]


FUNCTIONS = {  # name: fewest and most arguments, function
    "ABS": (1, 1, _point(abs)), "CEIL": (1, 1, _point(ceil)), "FLOOR": (1, 1, _point(floor)),
    "LOG": (1, 1, _point(log)), "LOG10": (1, 1, _point(log10)),
    "SUM": (1, 1, _fold(sum)), "AVG": (1, 1, _fold(fmean, missing_is_zero=True)), "MIN": (1, 1, _fold(min)),
    "MAX": (1, 1, _fold(max)), "STDDEV": (1, 1, _fold(pstdev)), "DATAPOINT_COUNT": (1, 1, _fold(len)),
    "METRIC_COUNT": (1, 1, lambda context, node, argument: float(len(context.argument(argument, "TS[]",
                                                                                      "METRIC_COUNT")))),
    "DIFF": (1, 1, _steps(lambda seconds, change: change)), "DIFF_TIME": (1, 1, _steps(lambda seconds,
                                                                                       change: float(seconds))),
    "RATE": (1, 1, _steps(lambda seconds, change: change / seconds)), "RUNNING_SUM": (1, 1, _each(_running_sum)),
    "FILL": (2, 2, _fill), "IF": (2, 3, _if), "METRICS": (0, 1, _metrics), "PERIOD": (1, 1, _period),
    "FIRST": (1, 1, _pick(0)), "LAST": (1, 1, _pick(-1)), "SORT": (3, 4, _sort), "SLICE": (2, 3, _slice),
    "REMOVE_EMPTY": (1, 1, lambda context, node, argument: [
        one for one in context.argument(argument, "TS[]", "REMOVE_EMPTY") if one.points]),
    "TIME_SERIES": (1, 1, _time_series), "ANOMALY_DETECTION_BAND": (1, 2, _band),
    "MINUTE": (1, 1, _calendar(lambda time: _date(time).minute)), "HOUR": (1, 1,
                                                                           _calendar(lambda time: _date(time).hour)),
    "DAY": (1, 1, _calendar(lambda time: _date(time).isoweekday())),  # Monday is 1
    "DATE": (1, 1, _calendar(lambda time: _date(time).day)), "MONTH": (1, 1, _calendar(lambda time: _date(time).month)),
    "YEAR": (1, 1, _calendar(lambda time: _date(time).year)), "EPOCH": (1, 1, _calendar(float)),
}


def _tokens(expression):
    """[(kind, text, column)], columns from 1."""
    found, at = [], 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if not match:
            if not expression[at:].strip():
                break
            at += len(expression[at:]) - len(expression[at:].lstrip())
            _refuse(at + 1, f"{expression[at]!r} is no part of metric math")
        kind = match.lastgroup
        text = match[kind]
        found.append(("sign", WORDS[text], match.start(kind) + 1) if text in WORDS
                     else (kind, text, match.start(kind) + 1))
        at = match.end()
    return [*found, ("end", "", len(expression) + 1)]


def _value(name, value):
    if isinstance(value, (Series, list)) and (isinstance(value, Series) or all(isinstance(one, Series) for one in value)
                                              and value):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    points = {time: float(number) for time, number in value}
    times = sorted(points)
    return Series(points, min((after - before for before, after in zip(times, times[1:])), default=60.0), name)


def _series(points, like, label=None):
    """The points that are numbers, with the period of another series."""
    return Series({time: value for time, value in points.items() if value is not None and isfinite(value)}, like.period,
                  like.label if label is None else label)


def _mapped(series, function):
    return _series({time: function(value) for time, value in series.points.items()}, series)


def _labelled(series, like):
    return Series(series.points, series.period, like.label) if isinstance(series, Series) else series


def _refuse(column, why):
    raise ServiceError("ValidationError", f"column {column}: {why}.")
