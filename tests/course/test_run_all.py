"""What a released exercise and its solution do when all their cells are run."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from kit.course.release import release


@pytest.fixture
def made(course, root, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(root))
    release(course / "solutions", course / "exercises")
    return course


def test_run_all_goes_on_past_the_blanks_and_shows_words_instead_of_tracebacks(made):
    """JupyterLab and nbclient go on after a cell that is tagged raises-exception; an untagged one would stop them."""
    notebook = nbformat.read(made / "exercises" / "99_made_up.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(made)}}).execute()
    errors = {number: output for number, cell in enumerate(notebook.cells) for output in cell.get("outputs", [])
              if output.output_type == "error"}
    assert set(errors) == {4, 7}, "exactly the checks of the blanks fail"
    for error in errors.values():
        assert error.ename == "NotYet" and error.evalue.startswith("Your turn")
        assert error.traceback == error.evalue.splitlines()


def test_a_right_answer_is_shown_as_html_with_its_text(made):
    notebook = nbformat.read(made / "solutions" / "99_made_up.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(made)}}).execute()
    (shown,) = notebook.cells[4].outputs
    assert shown.output_type == "display_data", "a result would be read as points by nbgrader"
    assert shown.data["text/plain"] == "Right: How many workers?\n2 points."
    assert shown.data["text/html"] == "<p><strong>Right: How many workers?</strong></p><p>2 points.</p>"


def test_nbval_fails_on_a_solution_whose_check_fails(made):
    bad = made / "solutions" / "99_made_up.ipynb"
    good = bad.read_text()
    bad.write_text(good.replace("busy_at_once = rate * seconds", "busy_at_once = rate + seconds"))
    assert bad.read_text() != good
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "nbval.plugin", "--nbval-lax", "-p",
                           "no:cacheprovider", "--rootdir", str(made), bad], cwd=made, capture_output=True, text=True,
                          timeout=90, env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert done.returncode == 1 and "99_made_up.ipynb::Cell 2" in done.stdout and "1 failed, 4 passed" in done.stdout
