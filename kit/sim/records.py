"""What a run leaves behind: plain columns that views read."""

from html import escape
from math import ceil


SHORT = 28  # characters of a cell that stays on one line, as a date and an id do; a sentence may take several
_WHOLE = "; white-space: nowrap"


class Records:
    """A table that grows by rows and is read by columns.

        records = Records("time", "event")
        records.append(0.5, "sent")
        records["time"]          # [0.5]
    """

    def __init__(self, *columns: str):
        if len(set(columns)) != len(columns) or not columns:
            raise ValueError(f"columns need names that differ: {columns}")
        self._columns = {name: [] for name in columns}
        self._adders = [values.append for values in self._columns.values()]

    def append(self, *values, **named) -> None:
        """Add a row: values in the order of the columns, or by name."""
        if named:
            values += tuple(named.pop(name) for name in self.columns[len(values):] if name in named)
        if named or len(values) != len(self._adders):
            raise ValueError(f"a row has the values {', '.join(self.columns)}; got {len(values)} of them"
                             + (f" and the unknown {', '.join(named)}" if named else ""))
        for add, value in zip(self._adders, values):
            add(value)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __getitem__(self, column: str) -> list:
        """One column as a list."""
        if column not in self._columns:
            raise KeyError(f"no column {column!r}; there are {', '.join(self.columns)}")
        return self._columns[column]

    def __iter__(self):
        """Row by row, as dicts."""
        return (dict(zip(self._columns, row)) for row in zip(*self._columns.values()))

    def __eq__(self, other) -> bool:
        return isinstance(other, Records) and self._columns == other._columns

    def to_dicts(self) -> list[dict]:
        return list(self)

    def where(self, **values) -> "Records":
        """The rows whose columns have these values."""
        found = Records(*self.columns)
        for row in self:
            if all(row[name] == value for name, value in values.items()):
                found.append(*row.values())
        return found

    def to_table(self, limit: int = 12) -> "Table":
        """The first ``limit`` rows, for reading in a notebook."""
        return Table(self.columns, list(zip(*self._columns.values())), limit)

    def __repr__(self) -> str:
        return f"<Records: {len(self)} rows of {', '.join(self.columns)}>"


class Table:
    """Rows to read: HTML in a notebook, aligned text elsewhere."""

    def __init__(self, columns, rows, limit: int = 12):
        self.columns = [str(column) for column in columns]
        self.rows = [[_text(value) for value in row] for row in rows[:limit]]
        self._sides = ["right" if all(isinstance(value, (int, float, type(None))) for value in column) else "left"
                       for column in zip(*rows[:limit])] or ["left"] * len(self.columns)
        self.more = max(0, len(rows) - limit)

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
        return "\n".join(text + ([f"… and {self._left_out()}"] if self.more else []))

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="text-align: {side}">{escape(name)}</th>'
                       for name, side in zip(self.columns, self._sides))
        body = "".join("<tr>" + "".join(f'<td style="text-align: {side}{_WHOLE * (len(cell) <= SHORT)}">{escape(cell)}</td>'
                                        for cell, side in zip(row, self._sides)) + "</tr>" for row in self.rows)
        more = f'<caption style="caption-side: bottom">and {self._left_out()}</caption>' if self.more else ""
        return f"<table>{more}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _left_out(self) -> str:
        return f"{self.more:,} more row{'s' * (self.more != 1)}"


def percentile(values, percent: float) -> float:
    """The smallest value that at least ``percent`` % of the values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values, so no percentile")
    if not 0 <= percent <= 100:
        raise ValueError(f"a percentile lies between 0 and 100, not at {percent}")
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def _text(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
