"""The lessons of the course, which are ready, and ways through them. The data are in ``syllabus.yaml``."""

import re
from dataclasses import dataclass
from pathlib import Path

from kit.course import data, links

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
BEGIN, END = "<!-- lessons -->", "<!-- /lessons -->"


@dataclass(frozen=True)
class Lesson:
    """One lesson. name: of its notebooks, without .ipynb; needs: names of the lessons to know before."""

    number: int
    name: str
    title: str
    minutes: int
    about: str = ""
    topics: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def notebook(self) -> Path:
        return NOTEBOOKS / f"{self.name}.ipynb"

    @property
    def exercises(self) -> Path:
        return ROOT / "exercises" / f"{self.name}.ipynb"

    @property
    def ready(self) -> bool:
        return self.notebook.exists()


@dataclass(frozen=True, repr=False)
class LearningPath:
    """A way through the course. audience: whom it is for; steps: (lesson, why it stands there), in order."""

    name: str
    audience: str
    steps: tuple[tuple[Lesson, str], ...]

    def __repr__(self) -> str:
        return "\n".join([self.audience, *(f"{one.name}: {why}" for one, why in self.steps)])

    def _repr_markdown_(self) -> str:
        """For a notebook in notebooks/: an ordered list, with links to the lessons that are ready."""
        rows = [f"1. {f'[{one.title}]({one.name}.ipynb)' if one.ready else f'{one.title} *(to come)*'} – {why}"
                for one, why in self.steps]
        return "\n".join([self.audience, "", *rows])


def lessons() -> list[Lesson]:
    """All lessons, in order."""
    return [Lesson(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})
            for entry in data.load("syllabus.yaml")["lessons"]]


def lesson(name: str) -> Lesson:
    """One lesson by its name ("18_messaging"), the beginning of it ("18") or its number."""
    found = [one for one in lessons() if name == one.name or name in (str(one.number), f"{one.number:02}")]
    if not found:
        raise ValueError(f"no lesson {name!r}; python -m kit lessons lists them")
    return found[0]


def paths() -> list[LearningPath]:
    """Learning paths for a beginner, a developer, an operator and somebody preparing for a certificate."""
    by_name = {one.name: one for one in lessons()}
    return [LearningPath(entry["name"], entry["for"],
                         tuple((by_name[name], why) for name, why in entry["lessons"].items()))
            for entry in data.load("syllabus.yaml")["paths"]]


def path(name: str) -> LearningPath:
    """One of the paths: "beginner", "developer", "operator" or "certificate"."""
    found = [one for one in paths() if one.name == name]
    if not found:
        raise ValueError(f"no path {name!r}; there are {', '.join(one.name for one in paths())}")
    return found[0]


class Map:
    """All lessons, to look at: a table with links in a notebook of notebooks/, lines elsewhere."""

    def __repr__(self) -> str:
        return "\n".join(f"{'ready  ' if one.ready else 'to come'}  {one.name}" for one in lessons())

    def _repr_markdown_(self) -> str:
        return markdown_table(base="", elsewhere=False)


def markdown_table(base: str = "notebooks/", elsewhere: bool = True) -> str:
    """All lessons as a Markdown table; those that are ready are links.

    base: the way to the notebooks' folder; elsewhere: with links that open them on Binder.
    """
    rows = [["", "Lesson", "About", "Minutes", "Elsewhere"], ["--:", "---", "---", "--:", "---"]]
    for one in lessons():
        title = f"[{one.title}]({base}{one.name}.ipynb)" if one.ready else f"{one.title} *(to come)*"
        binder = f"[Binder]({links.binder(f'notebooks/{one.name}.ipynb')})" if one.ready else ""
        rows.append([f"{one.number:02}", title, one.about or ", ".join(one.services), str(one.minutes), binder])
    return "\n".join(f"| {' | '.join(row if elsewhere else row[:-1])} |" for row in rows)


def with_table(text: str) -> str:
    """A README's text with today's table between its markers."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.S)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"the text needs {BEGIN} and {END} once, with the table between them")
    return pattern.sub(lambda _: f"{BEGIN}\n{markdown_table()}\n{END}", text)
