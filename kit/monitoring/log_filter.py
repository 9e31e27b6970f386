r"""Which log lines does a filter pattern match, and what does a metric filter make of them?

CloudWatch Logs knows three kinds of pattern. The first character says which:

    compile_pattern('ERROR -"retry later"')                              # terms that a line contains, or must not
    compile_pattern('{ $.status >= 500 && $.path = "/cart*" }')          # a JSON line's values
    compile_pattern('[ip, user, ..., status=4*, bytes>1000]')            # a line's fields, by position

Each has ``matches(message)``, ``extract(message)`` (the named fields of a line) and ``value(message, selector)``. A
``MetricFilter`` turns matching lines into data points for a CloudWatch metric.

**Simplified** A comparison with a value that is missing is false, also with ``!=``; the guide says so for objects and
arrays. Numbers in quotes are compared as text. A minute in which a line matched emits no default value. A data point
whose dimension is missing in the line is not published.
**Not modelled** The quota of five patterns with regular expressions a log group; that a metric filter with too many
different dimension values is switched off; system-field dimensions; transformed logs.

Amazon CloudWatch Logs User Guide, "Filter and pattern syntax" (its published source, and the excerpts of the pages of
today: "Supported regular expressions (regex) syntax", "Using filter patterns to match terms in JSON log events");
API Reference, "MetricTransformation", as botocore carries it. Read 2026-11-23.
Not opened anew: that ? is ignored beside other terms, and that a metric with dimensions has no default value.
"""

import json
import operator
import re
from dataclasses import dataclass, field

from kit.errors import ServiceError

LONGEST = 1024  # characters of a pattern (API Reference, "FilterPattern")
REGEXES = 2  # regular expressions in a JSON or delimited pattern ("Supported regular expressions")
DIMENSIONS = 3  # of one metric filter (API Reference, "MetricTransformation")
MINUTE = 60  # seconds; metric filters report once a minute

COMPARE = {"=": operator.eq, "!=": operator.ne, "=!": operator.ne, "<": operator.lt, "<=": operator.le,
           ">": operator.gt, ">=": operator.ge}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def compile_pattern(text: str):
    """A pattern that is ready to match. ServiceError InvalidParameterException says what is wrong, and where."""
    if len(text) > LONGEST:
        raise ServiceError("InvalidParameterException", f"A filter pattern has at most {LONGEST} characters, not "
                                                        f"{len(text)}.")
    kind = {"{": JsonPattern, "[": DelimitedPattern}.get(text.strip()[:1], TermPattern)
    return kind(text)


class TermPattern:
    """Words and phrases, anywhere in the line, upper and lower case apart; the empty pattern matches every line."""

    def __init__(self, text: str):
        scanner = _Scanner(text)
        self.text, self.required, self.optional, self.excluded = text, [], [], []
        while not scanner.at_end():
            sign, start = scanner.take(r"[-?]"), scanner.position
            if (phrase := scanner.quoted()) is not None:
                test = _contains(phrase)
            elif (regex := scanner.regex()) is not None:
                test = _found(regex)
            else:
                word = scanner.take(r'[^\s"]+')
                if word is None or not re.fullmatch(r"\w+", word):
                    scanner.fail(f"Invalid character(s) in term '{word or ''}': put what is not letters, digits or _ "
                                 "in double quotes", start)
                test = _contains(word)
            {"?": self.optional, "-": self.excluded}.get(sign, self.required).append(test)

    def matches(self, message: str) -> bool:
        if any(test(message) for test in self.excluded) or not all(test(message) for test in self.required):
            return False
        # Beside other terms, ? changes nothing (see the docstring).
        return bool(self.required or self.excluded or not self.optional) or any(test(message) for test in self.optional)

    def extract(self, message: str) -> dict:
        """Nothing: a line of text has no fields."""
        return {}

    def value(self, message: str, selector: str):
        return None


class JsonPattern:
    """Conditions on a JSON line: ``{ $.a = "x*" && ($.b > 3 || $.c IS NULL) }``. && binds before ||."""

    def __init__(self, text: str):
        scanner = _Scanner(text)
        scanner.expect("{")
        self.text, self._condition = text, _either(scanner, self._test)
        scanner.expect("}")
        scanner.finish()

    def matches(self, message: str) -> bool:
        line = _json(message)
        return line is not None and self._condition(lambda path: _walk(line, path))

    def extract(self, message: str) -> dict:
        """Nothing: the guide extracts fields from space-delimited lines alone."""
        return {}

    def value(self, message: str, selector: str):
        """What ``$.latency`` is in this line, or None."""
        line, scanner = _json(message), _Scanner(selector)
        path = _path(scanner)
        scanner.finish()
        found = _walk(line, path) if line is not None else _Missing
        return None if found is _Missing or isinstance(found, (dict, list)) else found

    @staticmethod
    def _test(scanner):
        path = _path(scanner)
        if scanner.take(r"NOT\s+EXISTS\b", re.I):
            return lambda lookup: lookup(path) is _Missing
        if scanner.take(r"IS\b", re.I):
            word = scanner.take(r"(TRUE|FALSE|NULL)\b", re.I)
            if word is None:
                scanner.fail("After IS comes TRUE, FALSE or NULL")
            wanted = {"TRUE": True, "FALSE": False, "NULL": None}[word.upper()]
            return lambda lookup: lookup(path) is wanted
        test = _comparison(scanner)
        return lambda lookup: test(lookup(path))


class DelimitedPattern:
    """Fields of a line, by position: ``[ip, user, ..., status=4*, bytes]``. The line must have as many as the pattern.

    What stands in "double quotes" or [brackets] is one field of the line; ``...`` stands for any number of fields.
    """

    def __init__(self, text: str):
        scanner = _Scanner(text)
        scanner.expect("[")
        self.text, self._names, self._conditions, self._gap = text, [], [], None
        while True:
            self._field(scanner)
            if scanner.take(r"\]"):
                break
            scanner.expect(",")
        scanner.finish()

    def matches(self, message: str) -> bool:
        fields = self._fields(message)
        return fields is not None and all(test(lambda name: fields.get(f"${name}", _Missing))
                                          for test in self._conditions)

    def extract(self, message: str) -> dict:
        """``{"$ip": "10.0.0.1", "$2": "-", ...}``: fields by name, or by number if they have none; {} if none fit."""
        return self._fields(message) or {}

    def value(self, message: str, selector: str):
        """What ``$bytes`` is in this line, or None."""
        return self.extract(message).get(selector)

    def _field(self, scanner) -> None:
        if scanner.take(r"\.\.\.|…"):
            if self._gap is not None:
                scanner.fail("A pattern has one '...' at most")
            self._gap = len(self._names)
            return
        start = scanner.position
        name = scanner.take(r"\w+")
        self._names.append(name)
        if name and scanner.look(r"[=!<>]") or scanner.look(r"\("):
            scanner.position = start
            self._conditions.append(_either(scanner, self._test))
            self._names[-1] = re.search(r"\w+", scanner.text[start:])[0]

    @staticmethod
    def _test(scanner):
        name = scanner.take(r"\w+")
        if name is None:
            scanner.fail("Here comes a field's name")
        test = _comparison(scanner)
        return lambda lookup: test(lookup(name))

    def _fields(self, message: str) -> dict | None:
        words = ["".join(groups) for groups in re.findall(r'"([^"]*)"|\[([^\]]*)\]|(\S+)', message)]
        spare = len(words) - len(self._names)
        if spare < 0 or spare and self._gap is None:
            return None
        gap = len(self._names) if self._gap is None else self._gap
        names = self._names[:gap] + [None] * spare + self._names[gap:]
        return {f"${name or number}": word for number, (name, word) in enumerate(zip(names, words), 1)}


@dataclass(frozen=True)
class MetricFilter:
    """Lines in, data points out. metricValue: a number as text, or ``"$.latency"``; dimensions: {name: selector}.

    defaultValue: reported for lines of a minute in which nothing matched; None reports nothing.
    """

    pattern: str
    metricName: str
    metricNamespace: str
    metricValue: str = "1"
    defaultValue: float | None = None
    dimensions: dict = field(default_factory=dict)
    unit: str = "None"

    def __post_init__(self):
        compiled = compile_pattern(self.pattern)
        if len(self.dimensions) > DIMENSIONS:
            raise ServiceError("InvalidParameterException", f"A metric filter has {DIMENSIONS} dimensions at most.")
        if self.dimensions and self.defaultValue is not None:
            raise ServiceError("InvalidParameterException", "A metric with dimensions can have no default value.")
        selectors = [self.metricValue] * self.metricValue.startswith("$") + list(self.dimensions.values())
        if not self.metricValue.startswith("$") and not NUMBER.fullmatch(self.metricValue):
            raise ServiceError("InvalidParameterException", f"The metric value '{self.metricValue}' is neither a "
                                                            "number nor a field such as $.latency.")
        if selectors and isinstance(compiled, TermPattern):
            raise ServiceError("InvalidParameterException", f"A pattern of terms has no field '{selectors[0]}'; use "
                                                            "a JSON pattern or a space-delimited one.")
        for selector in selectors:
            compiled.value("", selector)  # a selector that cannot be read is refused here, not at the first line
        object.__setattr__(self, "_compiled", compiled)

    def data_points(self, events: list[dict]) -> list[dict]:
        """``[{"Timestamp": s, "Value": 12.0, "Dimensions": {...}}, ...]`` from ``[{"timestamp": ms, "message": ...}]``.

        One for each line that matches and has a number to report, in the order of the lines; then the defaults.
        """
        points, minutes = [], {}
        for event in events:
            second = event["timestamp"] / 1000
            matched = self._compiled.matches(event["message"])
            quiet = minutes.setdefault(second // MINUTE, [])
            if matched:
                minutes[second // MINUTE] = None
                points += self._point(second, event["message"])
            elif quiet is not None:
                quiet.append(second)
        if self.defaultValue is not None:
            points += [{"Timestamp": second, "Value": float(self.defaultValue), "Dimensions": {}}
                       for quiet in minutes.values() for second in quiet or ()]
        return points

    def _point(self, second: float, message: str) -> list[dict]:
        own = {name: self._compiled.value(message, selector) for name, selector in self.dimensions.items()}
        value = self.metricValue
        if value.startswith("$"):
            value = _number(self._compiled.value(message, value))
        if value is None or None in own.values():
            return []
        return [{"Timestamp": second, "Value": float(value),
                 "Dimensions": {name: _text(one) for name, one in own.items()}}]


# ---------------------------------------------------------------------- conditions: a parser that returns functions


def _either(scanner, test):
    """``a || b``: a function of a lookup, which gives the value of a field."""
    parts = [_both(scanner, test)]
    while scanner.take(r"\|\|"):
        parts.append(_both(scanner, test))
    return lambda lookup: any(part(lookup) for part in parts)


def _both(scanner, test):
    parts = [_unit(scanner, test)]
    while scanner.take(r"&&"):
        parts.append(_unit(scanner, test))
    return lambda lookup: all(part(lookup) for part in parts)


def _unit(scanner, test):
    if not scanner.take(r"\("):
        return test(scanner)
    inner = _either(scanner, test)
    scanner.expect(")")
    return inner


def _comparison(scanner):
    """``= "x*"``, ``> 3``, ``!= %4\\d\\d%``: a function of a value."""
    sign = scanner.take(r"!=|=!|<=|>=|=|<|>")
    if sign is None:
        scanner.fail("Here comes one of = != < <= > >=" + ", IS or NOT EXISTS" * scanner.text.strip().startswith("{"))
    equals = sign in ("=", "!=", "=!")
    start, wanted = scanner.position, scanner.quoted()
    if wanted is None and (regex := scanner.regex(counted=True)) is not None:
        found = _found(regex)
        test = lambda value: found(_text(value))
    else:
        if wanted is None:
            wanted = scanner.take(r"[\w.*+:/-]+", re.ASCII)
            if wanted is None:
                scanner.fail("Here comes a value; put what is not letters, digits or . * + : / - in double quotes")
            if NUMBER.fullmatch(wanted):
                return _numeric(sign, wanted)
        test = _like(wanted)
    if not equals:
        scanner.fail(f"{sign} compares numbers only; text knows = and !=", start)
    positive = sign == "="
    return lambda value: _scalar(value) and test(value) is positive


def _numeric(sign: str, wanted: str):
    compare, goal = COMPARE[sign], float(wanted)

    def test(value):
        if not _scalar(value) or isinstance(value, bool):
            return False
        number = _number(value)
        if number is None:  # text: an account id may be compared for equality, nothing more
            return sign in ("!=", "=!")
        return compare(number, goal)

    return test


def _like(wanted: str):
    """Text with * at its start or end; a * in the middle is a *."""
    before, after = wanted.startswith("*"), wanted.endswith("*") and len(wanted) > 1
    core = wanted[before:len(wanted) - after]
    if before and after or wanted == "*":
        return lambda value: core in _text(value)
    if before:
        return lambda value: _text(value).endswith(core)
    if after:
        return lambda value: _text(value).startswith(core)
    return lambda value: _text(value) == core


def _contains(phrase: str):
    return lambda message: phrase in message


def _found(regex):
    return lambda message: regex.search(message) is not None


# ---------------------------------------------------------------------- values in a JSON line


class _Missing:
    """The value of what is not there; None is JSON's null."""


def _path(scanner) -> list:
    """``$.users[0].id`` as ["users", 0, "id"]."""
    scanner.expect("$", "A selector begins with $")
    steps = []
    while (step := scanner.take(r"\.[\w-]+|\[\d+\]", gap=False)) is not None:
        steps.append(int(step[1:-1]) if step[0] == "[" else step[1:])
    if not steps or isinstance(steps[0], int):
        scanner.fail("A selector names a property after $, as in $.status or $.users[0].id")
    return steps


def _walk(node, path: list):
    for step in path:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list) and step < len(node) else _Missing
        else:
            node = node.get(step, _Missing) if isinstance(node, dict) else _Missing
    return node


def _json(message: str):
    """The line as an object, or None: other JSON has no properties to select."""
    try:
        line = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def _scalar(value) -> bool:
    return value is not _Missing and value is not None and not isinstance(value, (dict, list))


def _number(value) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    return float(value) if isinstance(value, (int, float)) or NUMBER.fullmatch(value) else None


def _text(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


# ---------------------------------------------------------------------- reading a pattern


class _Scanner:
    """Takes a pattern apart from left to right, and says where it went wrong."""

    def __init__(self, text: str):
        self.text, self.position, self._regexes = text, 0, 0

    def take(self, what: str, flags: int = 0, gap: bool = True) -> str | None:
        """What matches here (after white space), or None."""
        found = re.compile((r"\s*" if gap else "") + f"({what})", flags).match(self.text, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found[1]

    def look(self, what: str) -> bool:
        return re.compile(rf"\s*({what})").match(self.text, self.position) is not None

    def quoted(self) -> str | None:
        start = self.position
        text = self.take(r'"(\\.|[^"\\])*"')
        if text is None:
            if self.look('"'):
                self.fail("This double quote is never closed", start)
            return None
        return re.sub(r"\\(.)", r"\1", text[1:-1])

    def regex(self, counted: bool = False):
        start = self.position
        text = self.take(r"%[^%]*%")
        if text is None:
            if self.look("%"):
                self.fail("This regular expression is never closed with %", start)
            return None
        self._regexes += counted
        if self._regexes > REGEXES:
            self.fail(f"A pattern like this has at most {REGEXES} regular expressions", start)
        if bad := re.search(r"[^A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]", text[1:-1]):
            self.fail(f"A regular expression cannot have '{bad[0]}' here", start)
        try:
            return re.compile(text[1:-1], re.ASCII)
        except re.error as error:
            self.fail(f"This regular expression cannot be read: {error}", start)

    def expect(self, character: str, why: str = "") -> None:
        if self.take(re.escape(character)) is None:
            self.fail(why or f"Here comes '{character}'")

    def at_end(self) -> bool:
        return not self.text[self.position:].strip()

    def finish(self) -> None:
        if not self.at_end():
            self.fail("The pattern is over before this")

    def fail(self, why: str, at: int | None = None):
        place = self.position if at is None else at
        place += len(self.text[place:]) - len(self.text[place:].lstrip())
        raise ServiceError("InvalidParameterException", f"Invalid filter pattern at character {place + 1}: {why}.\n"
                                                        f"  {self.text}\n  {' ' * place}^")
