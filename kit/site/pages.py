"""The pages of the site: the landing page, one for each lesson, and the files that they share."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from posixpath import basename, join, normpath

import nbformat
import plotly
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kit.course import links, syllabus
from kit.course.syllabus import Lesson
from kit.site import lesson as lesson_page
from kit.site import lite, picture
from kit.site import panels as panel_files

HERE = Path(__file__).parent
_TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), undefined=StrictUndefined, autoescape=True)


@dataclass(frozen=True)
class Run:
    """A lesson that has been run: what ``kit.site.execute.executed`` gives."""

    lesson: Lesson
    notebook: nbformat.NotebookNode
    panels: dict[str, dict]


def write(runs: list[Run], out: Path, mermaid: Path | None = None) -> None:
    """Write the pages of these lessons, in their order, and the landing page into ``out``.

    mermaid: mermaid.min.js, which draws the diagrams; without it they stay text.
    """
    _shared(out, mermaid)
    ready = [run.lesson for run in runs]
    for run, before, after in zip(runs, [None, *ready], [*ready[1:], None]):
        _lesson(run, before, after, out, ready, diagrams=mermaid is not None)
    _landing(runs, out)
    (out / "404.html").write_text(_TEMPLATES.get_template("404.html.j2").render(), encoding="utf-8")
    (out / ".nojekyll").touch()


def _shared(out: Path, mermaid: Path | None) -> None:
    """What all lessons load; what an earlier build wrote for a lesson or a widget is taken away."""
    assets = out / "assets"
    for old in (*assets.glob("widget-*"), *(out / "lessons").glob("*")):
        old.unlink()
    shutil.copytree(HERE / "assets", assets, dirs_exist_ok=True)
    shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", assets / "plotly.min.js")
    if mermaid:
        shutil.copyfile(mermaid, assets / "mermaid.min.js")


def _lesson(run: Run, before: Lesson | None, after: Lesson | None, out: Path, ready: list[Lesson], diagrams: bool) -> None:
    name = run.lesson.name
    body = lesson_page.body(run.notebook, run.panels, live(f"notebooks/{name}.ipynb", "../"), lambda url: _turned(url, ready))
    files = panel_files.files(run.panels)
    for file, text in files.shared.items():
        (out / "assets" / file).write_text(text, encoding="utf-8")
    folder = out / "lessons"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.js").write_text(files.data, encoding="utf-8")
    widgets = [f"assets/{file}" for file in sorted(files.shared) if file.endswith(".js")]
    page = _TEMPLATES.get_template("lesson.html.j2").render(
        up="../", title=body.title, description=f"Lesson {run.lesson.number:02} of the Cloud Learning Kit: {about(run.lesson)}.",
        lesson=run.lesson, body=Markup(body.html), headings=body.headings, before=before, after=after,
        styles=[file for file in sorted(files.shared) if file.endswith(".css")],
        scripts=["assets/plotly.min.js", *widgets, f"lessons/{name}.js", "assets/page.js"],
        diagrams="../assets/mermaid.min.js" if body.diagrams and diagrams else None,
        live=live(f"notebooks/{name}.ipynb", "../"), binder=links.binder(f"notebooks/{name}.ipynb"), repository=links.REPOSITORY)
    (folder / f"{name}.html").write_text(page, encoding="utf-8")


def _landing(runs: list[Run], out: Path) -> None:
    ready = [run.lesson for run in runs]
    pictures = picture.choose([run.panels for run in runs])
    cards = [{"lesson": run.lesson, "picture": drawn, "about": about(run.lesson)} for run, drawn in zip(runs, pictures)]
    page = _TEMPLATES.get_template("index.html.j2").render(
        up="", description="Learn cloud computing on AWS with models you can read, run, break and measure, in your browser.",
        title="", cards=cards, ready=ready, all=len(syllabus.lessons()),
        later=[one for one in syllabus.lessons() if not one.ready], about=about,
        paths=syllabus.paths(), live=lambda lesson: live(f"notebooks/{lesson.name}.ipynb", ""),
        binder=links.binder("notebooks/00_start_here.ipynb"), repository=links.REPOSITORY)
    (out / "index.html").write_text(page, encoding="utf-8")


def about(lesson: Lesson) -> str:
    """What a lesson is about, in a few words."""
    return lesson.about or ", ".join(lesson.services)


def live(notebook: str, up: str) -> str:
    """The way from a page to a notebook in the browser's own JupyterLab. up: from the page to the site's folder."""
    return f"{up}live/{lite.address(notebook)}"


def _turned(url: str, ready: list[Lesson]) -> str:
    """A link of a notebook, from a lesson's page: to the page of a lesson that has one, else to the live notebook."""
    path, mark, part = url.partition("#")
    if re.match(r"[a-z]+:|//|#|$", url) or not path.endswith(".ipynb"):
        return url
    name = basename(path).removesuffix(".ipynb")
    inside = normpath(join("notebooks", path))
    if inside == f"notebooks/{name}.ipynb" and name in [one.name for one in ready]:
        return f"{name}.html{mark}{part}"
    return live(inside, "../")
