"""What happened in a sandbox, when and why: a table to read and to draw."""

from datetime import timedelta

from kit.sim import Records
from kit.sim.records import Table


class History:
    """One row for each thing that happened; rows are in the order of their time."""

    columns = "at", "service", "what", "resource", "why"

    def __init__(self, clock):
        self._clock = clock
        self.records = Records(*self.columns)

    def add(self, service: str, what: str, resource: str = "", why: str = "") -> None:
        self.records.append(self._clock.now, service, what, resource, why)

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self):
        return iter(self.records)

    def __getitem__(self, column: str) -> list:
        return self.records[column]

    def about(self, text: str) -> "History":
        """Only the rows that contain this text: a service, a resource, a word."""
        found = History(self._clock)
        for row in self.records:
            if any(text.lower() in str(value).lower() for value in row.values()):
                found.records.append(*row.values())
        return found

    def table(self, limit: int = 40) -> Table:
        rows = [(f"{self.date(row['at']):%a %d %b %H:%M:%S}", *list(row.values())[1:]) for row in self.records]
        return Table(("when (UTC)", *self.columns[1:]), rows, limit)

    def figure(self):
        """The same on a line of time, one row for each service."""
        from kit.lab.views import history
        return history(self)

    def __repr__(self) -> str:
        return repr(self.table()) if len(self) else "Nothing has happened yet: time stands still until it is moved."

    def _repr_html_(self) -> str:
        return self.table()._repr_html_() if len(self) else f"<p>{self!r}</p>"

    def date(self, at):
        return self._clock.date + timedelta(seconds=at - self._clock.now)
