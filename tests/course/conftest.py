"""Tiny notebooks for the tests of the course's machinery."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"}}
SET_UP = '''import math
from kit.course.exercise import Exercise, Misconception

workers = Exercise("made-up-workers", "How many workers?", 2, seconds=1,
                   cases=lambda rng: [{"rate": 4, "seconds": 2}, {"rate": rng.randint(5, 40), "seconds": 3}],
                   expected=lambda case: case["rate"] * case["seconds"],
                   misconceptions=[Misconception("adds", lambda rate, seconds: rate + seconds, "Think of one second.")])
words = Exercise("made-up-words", "Which word?", 1, cases=lambda rng: [{}], expected=lambda case: "queue")'''
WORKERS = '''def needed(rate, seconds):
    """Workers that keep up."""
    ### BEGIN SOLUTION
    busy_at_once = rate * seconds
    return math.ceil(busy_at_once)
    ### END SOLUTION'''
WORD = '''word = ...
### BEGIN SOLUTION
word = "queue"
### END SOLUTION'''


def solution(source, name):
    return new_code_cell(source, metadata={"nbgrader": {
        "grade": False, "grade_id": name, "locked": False, "schema_version": 3, "solution": True, "task": False}})


def check(source, name, points):
    return new_code_cell(source, metadata={"nbgrader": {
        "grade": True, "grade_id": name, "locked": True, "points": points, "schema_version": 3, "solution": False,
        "task": False}})


def write(path, cells):
    """A notebook file with stable cell ids; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    path.write_text(nbformat.writes(new_notebook(cells=cells, metadata=METADATA)) + "\n", encoding="utf-8")
    return path


def lesson_cells():
    return [new_markdown_cell("# Made up\n\nTwo exercises."), new_code_cell(SET_UP),
            new_markdown_cell("## 1. How many workers?\n\nWrite it."), solution(WORKERS, "made-up-workers-answer"),
            check("workers.check(needed)", "made-up-workers", 2),
            new_markdown_cell("## 2. Which word?"), solution(WORD, "made-up-words-answer"),
            check("words.check(word)", "made-up-words", 1)]


@pytest.fixture
def course(tmp_path):
    """A folder with solutions/99_made_up.ipynb: two exercises, three points."""
    write(tmp_path / "solutions" / "99_made_up.ipynb", lesson_cells())
    return tmp_path


@pytest.fixture
def cells():
    """How to make cells and notebooks: ``cells.write(path, [...])``."""
    class Cells:
        code, markdown, lesson = new_code_cell, new_markdown_cell, lesson_cells
    Cells.solution, Cells.check, Cells.write = solution, check, write
    for name in ("solution", "check", "write", "code", "markdown", "lesson"):
        setattr(Cells, name, staticmethod(getattr(Cells, name)))
    return Cells
