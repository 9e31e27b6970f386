"""What happens to learners: answers that are blank, wrong and right; a kernel restarted midway; a page loaded again."""

import json

import pytest

from conftest import READY, ROOT, THEMES
from lab import Notebook

EXERCISES = [lesson for lesson in READY if lesson.exercises.exists()]
STUB = "...  # your turn"
SILENT = "panel.textContent.includes('If it was restarted, run the first cell')"
DRAWN = "panel.querySelector('.kit-figure').ariaBusy === 'false'"


@pytest.fixture(scope="module", params=EXERCISES, ids=lambda lesson: lesson.name)
def exercises(request, browser, server):
    """The exercises of a lesson, opened, not run."""
    with Notebook(browser, server, f"exercises/{request.param.name}.ipynb") as notebook:
        yield notebook


def test_blank_wrong_and_right_answers_are_told_apart_and_can_be_read(exercises):
    solutions = {cell["id"]: "".join(cell["source"])
                 for cell in json.loads((ROOT / exercises.path.replace("exercises", "solutions")).read_text(encoding="utf-8"))["cells"]}
    answers = {cell["id"]: cell for cell in exercises.cells() if STUB in cell["source"]}
    assert answers
    assert all("Your turn" in told for told in checked(exercises))
    answer(exercises, {id: wrong(cell["source"]) for id, cell in answers.items()})
    assert all("Not yet" in told for told in checked(exercises))
    assert exercises.over_outputs("eyes.faults") == {}
    for theme in THEMES:
        exercises.switch_theme(theme)
        assert exercises.axe([".jp-OutputArea-output"]) == [], theme
    answer(exercises, {id: solutions[id] for id in answers})
    assert all("Right" in told for told in checked(exercises))
    for theme in THEMES:
        exercises.switch_theme(theme)
        assert exercises.axe([".jp-OutputArea-output"]) == [], theme
    assert exercises.errors == [] and exercises.outside == []


def checked(notebook) -> list[str]:
    """What each check says when all is run, cell by cell: Run All stops at the first answer that isn't right."""
    for cell in notebook.cells():
        if cell["kind"] == "code":
            notebook.run(cell["index"])
    cells = [cell for cell in notebook.cells() if ".check(" in cell["source"]]
    assert cells and all(cell["outputs"] for cell in cells)
    return [json.dumps(cell["outputs"], ensure_ascii=False) for cell in cells]


def answer(notebook, sources: dict[str, str]) -> None:
    notebook.page.evaluate("""(sources) => jupyterapp.shell.currentWidget.content.widgets
        .filter(({ model }) => model.id in sources).forEach(({ model }) => model.sharedModel.setSource(sources[model.id]))""", sources)


def wrong(blank: str) -> str:
    """An answer cell with “banana” as its answer, whatever was asked."""
    first = blank.splitlines()[0]
    return f"{first}\n    return 'banana'" if first.startswith("def ") else f"{first.split('=')[0]}= 'banana'"


@pytest.fixture
def first_lesson(browser, server):
    """Lesson 00, which has an explorer, a prediction and a console, opened and run."""
    with Notebook(browser, server, f"notebooks/{READY[0].name}.ipynb") as notebook:
        notebook.run_all()
        notebook.wait_until_drawn()
        yield notebook


def test_after_a_restart_each_panel_says_what_to_run_and_that_mends_it(first_lesson):
    first_lesson.restart_kernel()
    for kind, keys in ((".kit-controls", ["ArrowRight"]), (".kit-prediction", ["Space", "Enter"]), (".kit-choices", ["ArrowDown"])):
        panel, = first_lesson.panels(kind)
        panel.enter()
        panel.press(*keys)
        panel.wait(SILENT)
    cells = first_lesson.cells()
    explorer, = (cell for cell in cells if cell["source"].startswith("explore("))
    for index in (next(cell["index"] for cell in cells if cell["kind"] == "code"), explorer["index"]):
        first_lesson.run(index)
    first_lesson.wait_until_drawn()
    assert follows(first_lesson)
    assert first_lesson.errors == [] and first_lesson.outside == []


def test_a_page_that_is_loaded_again_finds_its_explorers_alive(first_lesson):
    first_lesson.command("docmanager:save")
    assert (first_lesson.server.folder / first_lesson.path).stat().st_size < 500_000, "no library and no widget's state is saved"
    first_lesson.open(again=True)
    first_lesson.wait_until_drawn()
    assert follows(first_lesson)
    assert first_lesson.errors == [] and first_lesson.outside == []


def follows(notebook) -> bool:
    """Whether the explorer of the lesson follows a key."""
    panel, = notebook.panels(".kit-controls")
    panel.enter()
    before = panel.element.evaluate("eyes.glance")
    panel.press("ArrowRight", until=DRAWN)
    return panel.element.evaluate("eyes.glance") != before
