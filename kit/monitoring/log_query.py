"""Reading a query of CloudWatch Logs Insights: from its text to commands and their arguments.

    parse("filter ms > 3 | stats count(*) by path")
    # [("filter", ("compare", ">", ("field", "ms"), ("literal", 3))), ("stats", [totals, groups])]

What the commands do is in ``log_insights``, what expressions are worth in ``log_expressions``; pages and what is not
modelled stand in the first.
"""

import re
from dataclasses import dataclass

from kit.errors import ServiceError
from kit.monitoring.log_expressions import AGGREGATES, FUNCTIONS

PERIODS = {"ms": 1, "msec": 1, "millisecond": 1, "s": 1000, "sec": 1000, "second": 1000, "m": 60_000, "min": 60_000,
           "minute": 60_000, "h": 3_600_000, "hr": 3_600_000, "hour": 3_600_000, "d": 86_400_000, "day": 86_400_000,
           "w": 604_800_000, "week": 604_800_000}  # milliseconds ("stats"; longer names take a plural s)
ELSEWHERE = {"pattern", "diff", "anomaly", "unmask", "filterindex", "lookup", "join", "unnest", "source"}
ARGUMENTS = {"substr": (2, 3), "replace": (3, 3), "strcontains": (2, 2), "ltrim": (1, 2), "rtrim": (1, 2),
             "trim": (1, 2),
             "datefloor": (2, 2), "dateceil": (2, 2), "isipinsubnet": (2, 2), "isipv4insubnet": (2, 2), "pct": (2, 2),
             "isipv6insubnet": (2, 2), "count": (0, 1)}
ARGUMENTS |= dict.fromkeys(("concat", "coalesce", "greatest", "least"), (1, 99))
TOKENS = re.compile(r"""(?P<gap>\s+|\#[^\n]*) | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<period>\d+[a-zA-Z]+) | (?P<number>\d+(?:\.\d+)?) | (?P<name>`[^`]+`|[@A-Za-z_][\w.@]*)
    | (?P<sign>=~|!=|<=|>=|[|=<>+\-*/^%(),\[\]])""", re.X)
REGEX = re.compile(r"/((?:\\.|[^/\\])+)/")


def parse(text: str) -> list:
    """``[(command, arguments), ...]``; ServiceError MalformedQueryException, with the place, if it cannot be read."""
    return _Parser(text).query()


@dataclass(frozen=True)
class Token:
    kind: str  # name, number, period, text, regex, sign
    text: str
    at: int


class _Parser:
    """Takes the tokens one after the other; expressions become nested tuples."""

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
