"""The console: a widget with all that exists in a sandbox, its state and what it costs an hour.

    sandbox.console()                       # lists again by itself, after calls and when the clock has moved
    sandbox.console().text                  # the same without a widget

What there is, boto3's list calls tell; which calls those are stands in console.yaml. Nobody else notices them: they are
in no journal, on no bill and in no trail, and they draw none of the sandbox's random numbers. Only services that have
been called are listed. A call of the learner's costs the console a flag; the listing waits until the cell is over, and
until somebody looks.

**Simplified** Rules are those of the default event bus. What a stack of CloudFormation makes in a service that was never
called by itself is not listed until it is. Terminated instances and deleted NAT gateways are left out at once (AWS shows
them for about an hour).
"""

import asyncio
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import anywidget
import jmespath
import traitlets
from botocore.exceptions import BotoCoreError, ClientError

from kit.lab.meter import Bill
from kit.sim.records import Table

COLUMNS = "service", "what", "name", "id", "state", "details", "region", "an hour"
MOST = 300  # rows on the page at once
PAUSE = 0.05  # s between a call and the listing, so that many calls are listed once
EVERYWHERE = "global"
_HERE = Path(__file__).parent
_CSS = """
.kit-console { font-family: var(--jp-content-font-family, sans-serif); font-size: 14px; line-height: 1.45;
  color: var(--jp-content-font-color1, #222); padding: 4px 0 8px; }
.kit-console .kit-choices { display: flex; flex-wrap: wrap; gap: 6px 24px; }
.kit-console label { display: flex; align-items: center; gap: 8px; }
.kit-console select { font: inherit; padding: 3px 8px; color: inherit; background: var(--jp-layout-color1, #fff);
  border: 1px solid var(--jp-border-color1, #888); border-radius: 3px; }
.kit-console :is(select, .kit-rows):focus-visible { outline: 2px solid #2c7fb8; outline-offset: 2px; }
.kit-console p { margin: 6px 0; }
.kit-console p:empty { display: none; }
.kit-console .kit-error { padding: 6px 10px; border-left: 4px solid #d55e00; background: var(--jp-layout-color2, #f3f3f3); }
.kit-console .kit-rows { overflow: auto; max-height: 480px; }
.kit-console.kit-stale :is(.kit-rows, .kit-says) { opacity: 0.45; }
.kit-console table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.kit-console caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.kit-console :is(th, td) { text-align: left; vertical-align: top; padding: 3px 14px 3px 0;
  border-bottom: 1px solid var(--jp-border-color2, #ccc); }
.kit-console :is(th, td):last-child { text-align: right; padding-right: 0; white-space: nowrap; }
"""


class Console(anywidget.AnyWidget):
    """What ``sandbox.console()`` returns. ``text``: the same in words; ``rows``: a dict for each thing, as last listed."""

    _esm = (_HERE / "console.js").read_text(encoding="utf-8")
    _css = _CSS
    page = traitlets.Dict().tag(sync=True)  # what is to be drawn
    chosen = traitlets.Dict({"service": "", "region": ""}).tag(sync=True)  # "" is all of them
    views = traitlets.Int(0).tag(sync=True)  # how often the page shows it

    def __init__(self, sandbox):
        self._sandbox, self._life, self._loop = sandbox, None, None
        self._changed, self._troubles, self._other = True, [], 0.0
        self.rows = []
        super().__init__(page=self._drawn())
        self.observe(lambda change: self._shown() if change["new"] else self._hidden(), names="views")
        self.observe(lambda change: self._draw(), names="chosen")

    def choose(self, service: str = "", region: str = "") -> "Console":
        """Show one service (boto3's name for it) or one region only, as the page does; "" for all."""
        self.refresh()
        page = self._drawn()
        for kind, value, options in (("service", service, page["services"]), ("region", region, page["regions"])):
            if value not in dict(options):
                there = ", ".join(name for name, _ in options if name) or "nothing yet"
                raise ValueError(f"the console has no {kind} {value!r}; there is {there}")
        self.chosen = {"service": service, "region": region}
        return self

    def refresh(self) -> None:
        """List everything anew, now."""
        self._changed = False
        self.rows, self._troubles, self._other = listing(self._sandbox)
        self._draw()

    @property
    def text(self) -> str:
        """What the console shows, listed anew: a sentence and a table."""
        self.refresh()
        rows = self._chosen_rows()
        parts = [self.page["says"], self.page["note"], repr(Table(COLUMNS, _cells(rows), MOST)) if rows else ""]
        return "\n".join(part for part in parts if part)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **options):
        self._shown()
        return super()._repr_mimebundle_(**options)

    # when to list again

    def _shown(self):
        """From now on somebody looks."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # no notebook: it is listed when it is asked
        self._listen()
        if self._changed:
            self.refresh()

    def _listen(self):
        """Be told of what changes in the sandbox as it is now; after a reset it has another life."""
        if self._life is not self._sandbox.life:
            self._life = self._sandbox.life
            self._life.changed.append(self._mark)
            self._life.endings.append(self._mark)
            self._changed = True
        if self._mark not in self._sandbox.clock.listeners:
            self._sandbox.clock.listeners.append(self._mark)

    def _hidden(self):
        """Nobody looks: nothing is to be noticed."""
        for listeners in (self._life.changed, self._life.endings, self._sandbox.clock.listeners) if self._life else ():
            if self._mark in listeners:
                listeners.remove(self._mark)
        self._life, self._changed = None, True

    def _mark(self, *_):
        """Something may have changed: list again once there is time."""
        if not self._changed:
            self._changed = True
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._loop.call_later, PAUSE, self._catch_up)

    def _catch_up(self):
        if self._life is not None:
            self._listen()
            self.refresh()

    # what to show

    def _chosen_rows(self):
        service, region = self.chosen.get("service"), self.chosen.get("region")
        return [row for row in self.rows
                if (not service or row["service"] == service) and (not region or row["region"] == region)]

    def _draw(self):
        page = self._drawn()
        if page != self.page:
            self.page = page

    def _drawn(self):
        services = {row["service"]: row["shown"] for row in self.rows}
        regions = sorted({row["region"] for row in self.rows})
        service, region = self.chosen.get("service"), self.chosen.get("region")
        if service and service not in services:  # what was chosen is gone: it stays chosen, and is empty
            services[service] = kinds().get(service, {}).get("shown", service)
        if region and region not in regions:
            regions.append(region)
        rows = self._chosen_rows()
        note = " ".join(self._troubles) + (f" The first {MOST} of {len(rows)} are shown." if len(rows) > MOST else "")
        return {"services": [["", "all"], *([name, shown] for name, shown in services.items())],
                "regions": [["", "all"], *([name, name] for name in regions)],
                "service": service or "", "region": region or "", "columns": list(COLUMNS),
                "rows": _cells(rows[:MOST]), "says": self._says(rows), "note": note.strip()}

    def _says(self, rows):
        if not self.rows:
            return _data()["empty"]
        if not rows:
            return "Nothing here with this service and region. Choose all to see the rest."
        counts, plurals = {}, {}
        for row in rows:
            counts[row["what"]] = counts.get(row["what"], 0) + 1
            plurals[row["what"]] = row["plural"]
        things = ", ".join(f"{n} {what if n == 1 else plurals[what]}" for what, n in counts.items())
        says = f"{things}; together {dollars(sum(row['cost'] for row in rows))} an hour."
        if self._other and not self.chosen.get("service") and not self.chosen.get("region"):
            says += f" What is not in this list costs {dollars(self._other)} an hour more."
        return says


def listing(sandbox) -> tuple[list[dict], list[str], float]:
    """All that exists in a sandbox: the rows, what could not be listed, and US dollars an hour that no row has.

    A row: service, shown, what, plural, name, id, state, extra, region, cost (US dollars an hour).
    """
    life, rows, troubles = sandbox.life, [], []
    running, clock = life.meter.running, sandbox.clock
    with _unnoticed(sandbox):
        for service, region in _used(life):
            for kind in kinds()[service]["kinds"]:
                try:
                    found = _things(life.client(service, region), kind)
                except (ClientError, BotoCoreError, NotImplementedError) as error:
                    troubles.append(f"{kinds()[service]['shown']}: its {_plural(kind)} could not be listed ({error}).")
                    continue
                rows += [_row(service, region, kind, thing) for thing in found]
    for row in rows:
        metered = {key: amount for key, amount in running.items() if key[0] == row["metered"]}
        row["cost"] = Bill({}, metered, clock).an_hour
    named = {row["metered"] for row in rows}
    return rows, troubles, Bill({}, {key: n for key, n in running.items() if key[0] not in named}, clock).an_hour


def kinds() -> dict:
    """service -> what there can be of it, as console.yaml has it."""
    return _data()["services"]


def dollars(amount: float) -> str:
    """So many digits that small prices don't vanish."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.3g}" if amount >= 0.001 else f"${amount:.6f}"


@contextmanager
def _unnoticed(sandbox):
    """Calls within leave no trace: neither in the calls, nor on the bill, nor in the ids that are drawn afterwards."""
    from moto.moto_api._internal import mock_random
    life = sandbox.life
    with sandbox.clock.turn, life.doing("console"):
        count, used, drawn = len(life.calls), dict(life.meter._used), mock_random.getstate()
        try:
            yield
        finally:
            del life.calls[count:]
            life.meter._used = used
            mock_random.setstate(drawn)


def _used(life):
    """(service, region) of all that was called here and can be listed, in the order of console.yaml."""
    called = {(call.service, call.region) for call in life.calls}
    called |= {(also, region) for service, region in called for also in kinds().get(service, {}).get("also", ())}
    found = []
    for service, entry in kinds().items():
        regions = sorted(region for name, region in called if name == service)
        found += [(service, region) for region in (regions[:1] if entry.get("global") else regions)]
    return found


def _things(client, kind):
    """The rows of one kind: dicts with at least an id."""
    operation, arguments = kind["operation"], kind.get("call", {})
    if client.can_paginate(operation):
        found = [one for one in client.get_paginator(operation).paginate(**arguments).search(kind["rows"]) if one]
    else:
        found = jmespath.search(kind["rows"], getattr(client, operation)(**arguments)) or []
    each = kind.get("each")
    for thing in found if each else ():
        response = getattr(client, each["operation"])(**_filled(each["call"], thing["id"]))
        thing |= jmespath.search(each["adds"], response) or {}
    return found


def _row(service, region, kind, thing):
    entry = kinds()[service]
    name, shown = thing.get("name") or "", str(thing["id"] or "")
    shown = shown.rstrip("/").rsplit(kind["cut"], 1)[-1] if "cut" in kind else shown
    metered = kind.get("meter", "{id}").format(id=shown, name=name)
    return {"service": service, "shown": entry["shown"], "what": kind["what"], "plural": _plural(kind), "name": name,
            "id": shown, "state": thing.get("state") or "", "extra": thing.get("extra") or "", "metered": metered,
            "region": thing.get("region") or (EVERYWHERE if entry.get("global") else region)}


def _cells(rows):
    return [[row["shown"], row["what"], row["name"], row["id"], row["state"], row["extra"], row["region"],
             dollars(row["cost"]) if row["cost"] else ""] for row in rows]


def _plural(kind):
    return kind.get("plural", kind["what"] + "s")


def _filled(value, id):
    if isinstance(value, dict):
        return {name: _filled(one, id) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, id) for one in value]
    return id if value == "{id}" else value


@cache
def _data():
    import yaml
    return yaml.safe_load((_HERE / "console.yaml").read_text(encoding="utf-8"))
