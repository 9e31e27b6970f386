"""What the course notes say, statement by statement, and which of it the lessons show or correct.

The ledger is ``claims/<chapter>.yaml``. A code cell of a lesson carries in its metadata

    "claims": [ids]                   it shows these statements
    "corrects": [services or ids]     it calls corrections() with these: what isn't true of them is put right
"""

from dataclasses import dataclass, fields
from functools import cache
from difflib import get_close_matches
from pathlib import Path

from kit.course import data, syllabus
from kit.course.notebook import read
from kit.course.syllabus import Lesson, lessons
from kit.course.words import html


@dataclass(frozen=True)
class Claim:
    """One statement of the notes.

    kind: concept, behaviour, api, figure, limit, history or opinion. status: true, imprecise, outdated or wrong.
    truth: what is right, where the statement isn't. source: where that stands. show: how a lesson can show it.
    """

    id: str
    chapter: str
    service: str
    claim: str
    kind: str
    status: str
    truth: str = ""
    source: str = ""
    show: str = ""


@dataclass(frozen=True)
class Coverage:
    """What became of some claims: the ids of all, of those shown and of those corrected (one can be both)."""

    name: str
    all: tuple[str, ...]
    shown: tuple[str, ...]
    corrected: tuple[str, ...]
    services: tuple["Coverage", ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(claim for claim in self.all if claim not in self.shown and claim not in self.corrected)

    @property
    def percent(self) -> float:
        return 100 * (1 - len(self.missing) / len(self.all)) if self.all else 100.0


def claims(services=None) -> list[Claim]:
    """The claims of some services (a name or several; ids go too), of all by default, in the ledger's order."""
    if services is None:
        return list(_ledger())
    wanted = set([services] if isinstance(services, str) else services)
    known = {claim.service for claim in _ledger()} | {claim.id for claim in _ledger()}
    for unknown in sorted(wanted - known):
        near = get_close_matches(unknown, known, n=3, cutoff=0.5)
        raise ValueError(f"no service and no claim {unknown!r} in the ledger"
                         + (f"; near it are {', '.join(near)}" if near else ""))
    return [claim for claim in _ledger() if claim.service in wanted or claim.id in wanted]


def corrections(*services: str) -> "Corrections":
    """What the notes say of these services (or single claims) that isn't so, and what is so today."""
    if not services:
        raise ValueError('say of which services, as the ledger names them: corrections("a service", "another")')
    return Corrections([claim for claim in claims(services) if claim.status != "true"])


class Corrections:
    """Corrections to read: a list in a notebook, lines of text elsewhere."""

    def __init__(self, claims: list[Claim]):
        self.claims = claims

    def __len__(self) -> int:
        return len(self.claims)

    def __repr__(self) -> str:
        told = ["\n".join(_lines(claim)) for claim in self.claims]
        return "\n\n".join(told or ["Nothing in the notes needs correcting."])

    def _repr_html_(self) -> str:
        items = "".join(f"<li><p>{'<br>'.join(map(_labelled, _lines(claim)))}</p></li>" for claim in self.claims)
        return f"<ul>{items}</ul>" if items else f"<p>{self!r}</p>"


def by_lesson() -> dict[str, list[Claim]]:
    """Every claim under the name of its one lesson: by its id if a lesson names it, else by its service."""
    of_id = {claim: lesson.name for lesson in lessons() for claim in lesson.claims}
    of_service = {service: lesson.name for lesson in lessons() for service in lesson.services}
    found = {lesson.name: [] for lesson in lessons()}
    for claim in _ledger():
        if claim.id not in of_id and claim.service not in of_service:
            raise ValueError(f"{claim.id}: {claim.service} belongs to no lesson of syllabus.yaml")
        found[of_id.get(claim.id) or of_service[claim.service]].append(claim)
    return found


def coverage(notebooks: Path | None = None) -> dict[str, Coverage]:
    """Lesson by lesson what its notebook shows and corrects; each with ``.services``, one by one."""
    folder = Path(notebooks or syllabus.NOTEBOOKS)
    return {lesson.name: _covered(lesson, found, folder / f"{lesson.name}.ipynb")
            for lesson, found in zip(lessons(), by_lesson().values())}


@dataclass(frozen=True)
class Status:
    """How available a service is. state: available, maintenance, closed to new customers, ended, or no AWS service.

    since: the date of that state, if it changed; checked: when that was looked up; source: the page.
    """

    service: str
    state: str
    since: str
    checked: str
    source: str
    note: str = ""

    def __str__(self) -> str:
        since = f" since {self.since}" if self.since else ""
        note = f" {self.note}" if self.note else ""
        return f"{self.service}: {self.state}{since}.{note} (Checked on {self.checked}: {self.source}.)"

    __repr__ = __str__


def status(service: str) -> Status:
    """Whether one can still have it: the availability of a service, with the date it was looked up."""
    known = data.load("services.yaml")
    if service not in known["services"]:
        near = get_close_matches(service, known["services"], n=3, cutoff=0.5)
        raise ValueError(f"no service {service!r} here; " + (f"near it are {', '.join(near)}" if near else
                                                            "see kit/course/services.yaml"))
    entry = known["services"][service]
    return Status(service, entry.get("state", "available"), str(entry.get("since", "")), str(known["checked"]),
                  entry["source"], entry.get("note", ""))


@cache
def _ledger() -> tuple[Claim, ...]:
    known = {field.name for field in fields(Claim)}
    found = []
    for path in sorted((data.FOLDER / "claims").glob("*.yaml")):
        for entry in data.load(f"claims/{path.name}"):
            if not set(entry) <= known or not isinstance(entry["status"], str):
                raise ValueError(f"claims/{path.name}: {entry.get('id')}: a status is a text in quotes, and the fields "
                                 f"are {', '.join(sorted(known))}")
            found.append(Claim(**entry))
    return tuple(found)


def _covered(lesson: Lesson, mine: list[Claim], notebook: Path) -> Coverage:
    shown, corrected = _marks(notebook) if notebook.exists() else (set(), set())
    wrong = {claim.id for claim in mine if claim.status != "true"}

    def of(name, ids, services=()):
        return Coverage(name, tuple(ids), tuple(i for i in ids if i in shown),
                        tuple(i for i in ids if i in wrong & corrected), services)

    services = dict.fromkeys(claim.service for claim in mine)
    return of(lesson.name, [claim.id for claim in mine],
              tuple(of(service, [claim.id for claim in mine if claim.service == service]) for service in services))


def _marks(path: Path) -> tuple[set[str], set[str]]:
    """The ids that a notebook's cells show and correct; ValueError with the cell's name for a mark that is none."""
    known = {claim.id for claim in _ledger()}
    shown, corrected = set(), set()
    for cell in read(path):
        here = f"{path.name}, cell {cell.id}"
        ids, services = cell.metadata.get("claims", []), cell.metadata.get("corrects", [])
        if (ids or services) and cell.kind != "code":
            raise ValueError(f"{here}: only a code cell can show or correct a claim")
        if unknown := sorted(set(ids) - known):
            raise ValueError(f"{here}: no claim {', '.join(unknown)} in the ledger")
        if services and "corrections(" not in cell.source:
            raise ValueError(f"{here}: is marked as correcting {', '.join(services)}, but doesn't call corrections()")
        if left_out := [name for name in services if name not in cell.source]:
            raise ValueError(f"{here}: is marked as correcting {', '.join(left_out)}, which its call doesn't name")
        try:
            corrected |= {claim.id for claim in claims(services)}
        except ValueError as error:
            raise ValueError(f"{here}: {error}") from None
        shown |= set(ids)
    return shown, corrected


def _lines(claim: Claim) -> list[str]:
    today = claim.truth or "this doesn't hold any more."
    told = claim.source and claim.source.casefold() in today.casefold()  # the truth often names its page itself
    return [f"The notes say: {claim.claim}", f"Today: {today}",
            *([f"Source: {claim.source}"] if claim.source and not told else [])]


def _labelled(line: str) -> str:
    label, _, text = line.partition(": ")
    return f"<strong>{html(label)}:</strong> {html(text)}"
