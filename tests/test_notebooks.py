"""What every notebook owes its reader: it is clean, it follows the house style, its claims are shown."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from kit.course import syllabus

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(path for folder in ("notebooks", "exercises", "solutions") for path in (ROOT / folder).glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if path.parent.name == "notebooks" and not path.name.startswith("00_")]


def name(path):
    return f"{path.parent.name}/{path.stem}"


def cells(path, kind=None):
    return [cell for cell in nbformat.read(path, as_version=4).cells if kind in (None, cell.cell_type)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_is_valid_and_ends_with_a_newline(path):
    text = path.read_text(encoding="utf-8")
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert text.endswith("}\n")
    ids = [cell["id"] for cell in json.loads(text)["cells"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_outputs_are_the_text_of_checked_cells_and_nothing_else(path):
    for cell in cells(path, "code"):
        checked = "nbval-check-output" in cell.metadata.get("tags", [])
        assert checked or not cell.outputs, f"{cell.id} stores an output, but nothing checks it"
        assert not checked or cell.outputs, f"{cell.id} is to be checked, but stores no output"
        assert (cell.execution_count is not None) == checked  # nbval compares only cells with a number
        for output in cell.outputs:
            kinds = set(output.get("data", {"text/plain": ""}))
            assert output.output_type in ("stream", "execute_result") and kinds == {"text/plain"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_no_widget_state_no_foreign_metadata(path):
    metadata = nbformat.read(path, as_version=4).metadata
    assert set(metadata) == {"kernelspec", "language_info"} and metadata.kernelspec.name == "python3"
    assert dict(metadata.language_info) == {"name": "python"}


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_opens_with_a_question_and_imports_once(path):
    first = cells(path)[0]
    assert first.cell_type == "markdown" and re.match(r"# .*\?\n", first.source), "the title is a question"
    assert "minutes" in first.source
    code = cells(path, "code")
    assert not [c.id for c in code[1:] if re.search(r"^(import|from) ", c.source, re.M)], "imports stand in the first"
    assert not re.search(r"import \*", code[0].source)


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_has_its_parts(path):
    headings = " ".join(re.findall(r"^#+ (.*)$", "\n".join(c.source for c in cells(path, "markdown")), re.M)).lower()
    for part in ("break it", "the lab", "what it costs", "what has changed", "recap", "sources"):
        assert part in headings, f"no part “{part}”"
    code = "\n".join(c.source for c in cells(path, "code"))
    for call in ("predict(", "explore(", "source(", "step_through(", "corrections(", "lab.start("):
        assert call in code, f"nothing calls {call})"
    assert 40 <= len(cells(path)) <= 90


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_code_cells_are_short(path):
    """One to six lines is the rhythm; a dozen the most (the imports apart); each is seen whole at 1366 pixels."""
    lengths = {c.id: len([line for line in c.source.splitlines() if line.strip()]) for c in cells(path, "code")[1:]}
    assert not {cell: length for cell, length in lengths.items() if length > 14}
    assert sorted(lengths.values())[len(lengths) // 2] <= 6
    assert not {c.id: line for c in cells(path, "code") for line in c.source.splitlines() if len(line) > 115}


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=name)
def test_the_title_is_the_one_of_the_syllabus(path):
    title = cells(path)[0].source.splitlines()[0].removeprefix("# ")
    assert title == next(lesson.title for lesson in syllabus.lessons() if lesson.name == path.stem)


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_has_its_exercises(path):
    for folder in ("exercises", "solutions"):
        assert (ROOT / folder / path.name).exists()
    assert f"../exercises/{path.name}" in "\n".join(c.source for c in cells(path, "markdown"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_links_lead_to_files_that_exist(path):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", "\n".join(c.source for c in cells(path, "markdown"))):
        if not re.match(r"https?://", target):
            assert (path.parent / target).exists(), target
