"""The site's pages, made of a small lesson that is run once, and of the real lessons as they stand in their files."""

import json
import re
from html.parser import HTMLParser
from math import prod
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.course import syllabus
from kit.course.syllabus import Lesson
from kit.site import pages
from kit.site.__main__ import main
from kit.site.execute import executed, run

LESSON = Lesson(18, "18_messaging", "Why did my message come twice?", 75, services=("SQS", "SNS"))
CELLS = [
    ("markdown", "# Small?\n\nSee [the start](00_start_here.ipynb#go-on), [exercises](../exercises/18_messaging.ipynb), "
                 "[later](01_cloud_basics.ipynb), [elsewhere](https://example.com/a.ipynb) and [below](#twice)."),
    ("code", "from kit.explore import explore, predict, step_through\nfrom kit.explore.theme import figure\n"
             "def model(rate=2, size=3, seed=1, many=False):\n"
             "    if rate == 5:\n        raise ValueError('five is too many')\n"
             "    return [rate * size * x + seed + many for x in range(4)]\n"
             "def view(run):\n    fig = figure('Straight', f'It ends at {run[-1]}.')\n"
             "    fig.add_scatter(x=[0, 1, 2, 3], y=run, mode='lines')\n    return fig"),
    ("markdown", "## Twice\n\n### This & `that`\n\nA < b.\n\n## Twice\n\n```mermaid\nflowchart LR\n a --> b\n```\n"),
    ("code", "explorer = explore(model, view, rate=(1, 40), size=(0.0, 1.0), seed=(1, 100), many=False)\nexplorer"),
    ("code", "print(explorer.values)"),
    ("code", "asked = []\npredict('Which?', ['one', 'two'], lambda: asked.append(1) or 'two', {'one': 'No.'})"),
    ("code", "predict('How many?', (0, 100), lambda: 40, unit='things', within=0.1, why='Because.')"),
    ("code", "print(len(asked)); view(model())"),
    ("code", "step_through([{'time': 0, 'event': 'begins', 'n': 1}, {'time': 1, 'event': 'ends', 'n': 2}])"),
]


def write_notebook(path: Path, cells) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[getattr(nbformat.v4, f"new_{kind}_cell")(source, id=f"c{number}")
                                               for number, (kind, source) in enumerate(cells)])
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> dict:
    return run(write_notebook(tmp_path_factory.mktemp("small") / "18_messaging.ipynb", CELLS))


def written(small: dict, out: Path) -> Path:
    start = Lesson(0, "00_start_here", "Where do I begin?", 15, about="the map")
    first = pages.Run(start, nbformat.read(start.notebook, as_version=4), {})
    second = pages.Run(LESSON, nbformat.from_dict(json.loads(json.dumps(small["notebook"]))), small["panels"])
    pages.write([first, second], out)
    return out


@pytest.fixture(scope="module")
def site(small, tmp_path_factory) -> Path:
    return written(small, tmp_path_factory.mktemp("site"))


def panel(small: dict, kind: str, number: int = 0) -> dict:
    return [one for one in small["panels"].values() if one["state"].get("kind") == kind][number]


# what is recorded

def test_an_explorer_is_recorded_at_every_position_that_the_page_has(small):
    explorer = panel(small, "explorer")
    rate, size, seed, many = explorer["state"]["spec"]["controls"]
    assert [control["name"] for control in (rate, size, seed, many)] == ["rate", "size", "seed", "many"]
    assert (rate["low"], rate["high"], rate["step"], rate["value"]) == (2, 40, 2, 2)
    tables = {tuple(table["controls"]): table["answers"] for table in explorer["recorded"]}
    assert {name for names in tables for name in names} == {"rate", "size", "seed", "many"}
    for names, answers in tables.items():
        for places, answer in walked(answers, len(names)):
            at = dict(zip(names, places))
            values = {control["name"]: control["low"] + at[control["name"]] * control["step"]
                      for control in (rate, size, seed) if control["name"] in at}
            settings = {"rate": 2, "size": size["value"], "seed": 1} | values
            end = round(3 * settings["rate"] * settings["size"] + settings["seed"] + at.get("many", 0), 6)
            assert round(float(answer["says"].removeprefix("It ends at ").removesuffix(".")), 6) == end


def walked(answers, depth: int, places=()):
    """((position of the first control, of the second, ...), answer) of a table."""
    if depth == 0:
        yield places, answers
        return
    for place, row in enumerate(answers):
        yield from walked(row, depth - 1, (*places, place))


@given(st.lists(st.integers(2, 21), min_size=1, max_size=8))
def test_every_control_moves_and_all_together_are_bounded(counts):
    from kit.site.record import ANSWERS, _together
    controls = [{"name": str(number), "type": "choice", "options": [""] * count} for number, count in enumerate(counts)]
    sets = _together(controls)
    assert {control["name"] for together in sets for control in together} == {control["name"] for control in controls}
    assert sum(prod(len(control["options"]) for control in together) for together in sets) <= ANSWERS
    if prod(counts) <= ANSWERS:
        assert len(sets) == 1


def test_recording_leaves_the_explorer_as_the_lesson_left_it(small):
    said = [output["text"] for cell in small["notebook"]["cells"] for output in cell.get("outputs", []) if "text" in output]
    assert said[0] == "{'rate': 2, 'size': 0.5, 'seed': 1, 'many': False}\n"


def test_a_model_that_refuses_is_recorded_in_its_words(tmp_path):
    cells = [CELLS[1], ("code", "explore(model, view, rate=(1, 9))")]
    explorer = panel(run(write_notebook(tmp_path / "refuses.ipynb", cells)), "explorer")
    assert explorer["recorded"][0]["answers"][4]["error"] == "These settings don't go together: five is too many"


def test_a_prediction_is_recorded_for_each_choice_and_asks_the_model_once(small):
    assert panel(small, "prediction")["recorded"] == {
        "one": {"right": False, "told": "Not so: the model says “two”. No."}, "two": {"right": True, "told": "Right: two."}}
    said = [output["text"] for cell in small["notebook"]["cells"] for output in cell.get("outputs", []) if "text" in output]
    assert said[1] == "1\n"


def test_a_number_is_recorded_with_both_verdicts(small):
    recorded = panel(small, "prediction", 1)["recorded"]
    assert (recorded["low"], recorded["high"], recorded["answer"], recorded["within"]) == (0, 100, 40, 0.1)
    assert recorded["right"] == "Right: you said {said}, the model says 40 things. Because."
    assert recorded["wrong"] == "Not quite: you said {said}, the model says 40 things. Because."


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3), st.integers(1, 400), st.floats(0, 1))
def test_a_slider_keeps_its_start_and_its_bounds_whatever_they_are(low, span, steps, part):
    from kit.explore.explorer import _control
    from kit.site.record import POSITIONS, _positioned, values
    step = span / steps
    control = _control("x", (low, low + span, step, low + part * span), None, "x")
    positioned = _positioned(control)
    kept = values(positioned)
    assert 1 <= len(kept) <= POSITIONS
    assert min(abs(one - control["value"]) for one in kept) < 1e-6
    assert min(kept) >= low - 1e-6 and max(kept) <= low + span + 1e-6


# running and keeping

def test_a_cell_that_fails_is_named(tmp_path):
    path = write_notebook(tmp_path / "broken.ipynb", [("code", "x = 1"), ("code", "# a comment\n1 / 0")])
    with pytest.raises(RuntimeError, match=r"broken\.ipynb: the cell that begins “# a comment” failed with ZeroDivisionError"):
        run(path)


def test_what_was_run_is_kept_until_something_changes(tmp_path):
    path, cache = write_notebook(tmp_path / "one.ipynb", [("code", "import kit.errors; print(1)")]), tmp_path / "cache"
    assert [executed(path, cache)[2] for _ in range(2)] == [True, False]
    kept = json.loads((cache / "one.json").read_text())
    assert "errors.py" in kept["files"]
    write_notebook(path, [("code", "print(2)")])
    notebook, _, fresh = executed(path, cache)
    assert fresh and notebook.cells[0].outputs[0].text == "2\n"


def test_two_runs_give_the_same_pages_to_the_byte(small, tmp_path):
    again = run(write_notebook(tmp_path / "18_messaging.ipynb", CELLS))
    one, other = written(small, tmp_path / "one"), written(again, tmp_path / "other")
    files = [{file.relative_to(out): file.read_bytes() for file in out.rglob("*") if file.is_file()} for out in (one, other)]
    assert files[0].keys() == files[1].keys()
    assert [name for name in files[0] if files[0][name] != files[1][name]] == []


# pages

class Reader(HTMLParser):
    """Collects what a test asks of a page: (tag, attributes) of every element."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.elements, self.text = path, [], path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def all(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if attributes.get(name)]


def test_links_of_a_lesson_lead_to_pages_where_there_are_and_else_to_the_live_notebook(site):
    hrefs = Reader(site / "lessons" / "18_messaging.html").all("href")
    lab = "../live/lab/index.html"
    for href in ("00_start_here.html#go-on", "#twice", "https://example.com/a.ipynb",
                 f"{lab}?workspace=exercises-18_messaging&path=exercises/18_messaging.ipynb",
                 f"{lab}?workspace=notebooks-01_cloud_basics&path=notebooks/01_cloud_basics.ipynb",
                 f"{lab}?workspace=notebooks-18_messaging&path=notebooks/18_messaging.ipynb",
                 "https://mybinder.org/v2/gh/cloud-learning-kit/cloud-learning-kit/HEAD?urlpath=lab/tree/notebooks/18_messaging.ipynb"):
        assert href in hrefs


@pytest.mark.parametrize("page", ("index.html", "lessons/00_start_here.html", "lessons/18_messaging.html"))
def test_whatever_a_page_loads_or_links_to_is_there_and_none_is_fetched_from_elsewhere(site, page):
    reader = Reader(site / page)
    loaded = reader.all("src") + [a["href"] for tag, a in reader.elements if tag == "link"]
    linked = [href for href in reader.all("href") if not re.match("[a-z]+:|#", href) and "live/lab/" not in href]
    for name in loaded + linked:
        assert not name.startswith(("/", "http")) and (reader.path.parent / name.partition("#")[0]).resolve().is_file(), name
    assert len(set(reader.all("id"))) == len(reader.all("id"))
    for href in (href for href in reader.all("href") if href.startswith("#")):
        assert href[1:] in reader.all("id")


def test_a_lesson_has_its_question_its_contents_and_its_neighbours(site):
    reader = Reader(site / "lessons" / "18_messaging.html")
    assert "<h1>Small?</h1>" in reader.text and reader.text.count("<h1") == 1
    assert '<h2 id="twice">' in reader.text and '<h2 id="twice-2">' in reader.text
    assert '<a href="#this-that">This &amp; that</a>' in reader.text
    assert ("a", {"rel": "prev", "href": "00_start_here.html"}) in reader.elements
    assert ("html", {"lang": "en"}) in reader.elements
    assert "a --&gt; b" in reader.text and "A &lt; b." in reader.text
    assert reader.all("data-panel") == ["0", "1", "2", "3", "4"]
    assert "It ends at 19." in reader.text  # the text twin, for those without JavaScript


def test_the_landing_page_lists_every_lesson_and_every_path(site):
    reader = Reader(site / "index.html")
    for lesson in syllabus.lessons():
        if not lesson.ready or lesson.number in (0, 18):
            assert reader.text.count(lesson.title.replace("'", "&#39;"))
    for path in syllabus.paths():
        assert path.audience in reader.text
    assert len(reader.text) < 300_000
    live = "live/lab/index.html?workspace=notebooks-18_messaging&path=notebooks/18_messaging.ipynb"
    assert {"lessons/00_start_here.html", "lessons/18_messaging.html", live} <= set(reader.all("href"))


def test_beside_the_pages_stand_those_for_no_page_and_for_no_jekyll(site):
    assert "no page here" in (site / "404.html").read_text() and (site / ".nojekyll").exists()


def test_a_lesson_that_there_is_not_is_said(capsys):
    assert main(["--only", "99"]) == 1
    assert "no lesson '99'" in capsys.readouterr().err
