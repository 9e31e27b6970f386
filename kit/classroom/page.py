"""The grades as one page that needs nothing else: a table of sums, and below it what each learner was told.

All that comes from learners is escaped, names of files too; the page has no script and may load nothing.
"""

from html import escape
from pathlib import Path
from string import Template

FRAME = Path(__file__).with_name("page.html")


def page(results: list) -> str:
    """The page of what grade() gives, ordered as that is."""
    learners = list(dict.fromkeys(result.learner for result in results if result.learner))
    troubles = [result for result in results if result.trouble]
    counted = (f"{len(results)} {'entry' if len(results) == 1 else 'entries'} of "
               f"{len(learners)} {'learner' if len(learners) == 1 else 'learners'}; "
               f"{len(troubles) or 'none'} could not be run.")
    return Template(FRAME.read_text(encoding="utf-8")).substitute(
        counted=counted, troubles=_troubles(troubles), sums=_sums(results, learners),
        told="\n".join(_told(result, number) for number, result in enumerate(results) if result.marks))


def _troubles(results: list) -> str:
    if not results:
        return ""
    rows = [(_text(result.learner), _text(result.file), _text(result.trouble)) for result in results]
    return "<h2>Could not be run</h2>\n" + _table("", ("Learner", "File", "Why"), [("said", row) for row in rows])


def _sums(results: list, learners: list[str]) -> str:
    """A row for each learner, a column for each lesson, and the sum over all of them."""
    lessons = sorted({result.lesson for result in results if result.lesson})
    places = {(result.learner, result.lesson): (number, result) for number, result in enumerate(results)
              if result.lesson}
    rows = []
    for learner in learners:
        mine = [places.get((learner, lesson)) for lesson in lessons]
        cells = [f'<a href="#r{one[0]}">{_points(one[1].points, one[1].of)}</a>' if one else "–" for one in mine]
        there = [one[1] for one in mine if one]
        total = _points(sum(result.points for result in there), sum(result.of for result in there))
        rows.append(("points", (_text(learner), total, *cells)))
    return _table("Points got, of those possible in what was handed in", ("Learner", "All", *map(_text, lessons)), rows)


def _told(result, number: int) -> str:
    points = _points(result.points, result.of)
    head = f'<h3 id="r{number}">{_text(result.learner)}, {_text(result.lesson)}: {points}</h3>'
    words = "".join(f'<p class="trouble">{_text(text)}</p>' for text in (result.trouble, result.remark) if text)
    rows = [f'<tr><th scope="row">{_text(mark.exercise)}</th><td class="points">{_points(mark.points, mark.of)}</td>'
            f'<td class="said">{_text(mark.said)}</td></tr>' for mark in result.marks]
    titles = _head(("Exercise", "Points", "Said"))
    return "\n".join([head, words, "<table>", titles, "<tbody>", *rows, "</tbody></table>"])


def _table(caption: str, titles: tuple[str, ...], rows: list[tuple[str, tuple[str, ...]]]) -> str:
    """rows: the class of all cells but the first, and the cells, which are HTML already."""
    lines = [f'<tr><th scope="row">{first}</th>' + "".join(f'<td class="{kind}">{cell}</td>' for cell in cells)
             + "</tr>" for kind, (first, *cells) in rows]
    above = [f"<caption>{caption}</caption>"] if caption else []
    return "\n".join(["<table>", *above, _head(titles), "<tbody>", *lines, "</tbody></table>"])


def _head(titles: tuple[str, ...]) -> str:
    return "<thead><tr>" + "".join(f'<th scope="col">{title}</th>' for title in titles) + "</tr></thead>"


def _points(got: float, of: float) -> str:
    return f"{got:g} of {of:g}"


def _text(text: str) -> str:
    """Text as HTML, without the characters that a page cannot hold."""
    return escape("".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text))
