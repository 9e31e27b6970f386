"""A lesson's executed notebook as the body of a page: nbconvert with a small template of the kit's own."""

import re
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path

import nbformat
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from kit.site.execute import WIDGET

TEMPLATES = Path(__file__).parent / "templates"
LIVE = """<p class="live"><button type="button" hidden>Reset</button> This page has pictures for many settings, not for all.
<a href="{link}">Open it live</a> to move everything freely.</p>"""


@dataclass
class Body:
    """title: the notebook's first heading; html: all the rest; headings: (level, id, words) for a table of contents."""

    title: str = ""
    html: str = ""
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    diagrams: bool = False


def body(notebook: nbformat.NotebookNode, panels: dict[str, dict], live: str, link) -> Body:
    """The notebook in HTML. live: where it runs; link: a function from a link in the notebook to one on the page."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                number = output.data[WIDGET]["model_id"]
                output.data = nbformat.NotebookNode({"text/html": _place(number, panels[number], live)})
    exporter = _Exporter(link)
    html, _ = exporter.from_notebook_node(notebook)
    exporter.body.html = html
    return exporter.body


def _place(number: str, panel: dict, link: str) -> str:
    """Where page.js draws the panel; without JavaScript there stands its text twin."""
    kind = panel["state"].get("kind", "console")
    twin = "".join(f"<p>{escape(line)}</p>" for line in panel["text"].split("\n")[:1])
    live = LIVE.format(link=link) if kind == "explorer" else ""
    return f'<div class="panel panel-{kind}" data-panel="{number}">{twin}{live}</div>'


class _Exporter(HTMLExporter):
    template_name = "lesson"

    def __init__(self, link):
        super().__init__(extra_template_basedirs=[str(TEMPLATES)])
        self.body, self.link = Body(), link

    @pass_context
    def markdown2html(self, context, source):
        renderer = _Markdown(self.body, self.link, escape=False, exclude_anchor_links=True,
                             attachments=context.get("cell", {}).get("attachments", {}))
        return MarkdownWithMath(renderer=renderer).render(source)


class _Markdown(IPythonRenderer):
    """Collects the headings, gives each an id that no other has, and turns links."""

    def __init__(self, body: Body, link, **options):
        super().__init__(**options)
        self._body, self._link = body, link

    def heading(self, text, level, **attributes):
        words = unescape(re.sub("<[^>]*>", "", text))
        if level == 1 and not self._body.title:
            self._body.title = words
            return ""
        name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "part"
        taken = [id for _, id, _ in self._body.headings]
        id = name if name not in taken else f"{name}-{len(taken)}"
        self._body.headings.append((level, id, words))
        return (f'<h{level} id="{id}">{text} <a class="anchor" href="#{id}" '
                f'aria-label="Link to “{escape(words)}”">#</a></h{level}>\n')

    def link(self, text, url, title=None):
        return super().link(text, self._link(url), title)

    def block_mermaidjs(self, code):
        self._body.diagrams = True
        return f'<pre class="mermaid">{escape(code.strip())}</pre>\n'
