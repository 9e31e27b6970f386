"""python -m kit: plain text, clear errors, exit codes, never a traceback."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from kit.__main__ import main
from kit.course import runner, syllabus
from kit.course.release import release


def kit(*arguments, root, **environment):
    return subprocess.run([sys.executable, "-m", "kit", *map(str, arguments)], cwd=root, capture_output=True, text=True,
                          encoding="utf-8", env=os.environ | environment, timeout=60)


def answer(course, workers, word):
    """The learner's notebook with these two answers."""
    release(course / "solutions", course / "exercises")
    path = course / "exercises" / "99_made_up.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source, notebook.cells[6].source = workers, word
    nbformat.write(notebook, path)
    return path


def checked(path, **limits):
    return {result.id: result for result in runner.check(path, solutions=path.parent / "none", **limits)}


RIGHT = "def needed(rate, seconds):\n    return rate * seconds"


def test_check_reports_exercise_by_exercise_and_leaves_the_notebook_alone(course, root, tmp_path):
    path = answer(course, "def needed(rate, seconds):\n    return rate + seconds", 'word = "queue"')
    before = path.read_bytes(), set(course.rglob("*"))
    done = kit("check", path, root=root, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 1 and done.stderr == ""
    assert "not yet  0/2  1. How many workers?\n         Not yet: How many workers?" in done.stdout
    assert "Hint: Think of one second." in done.stdout
    assert "right    1/1  2. Which word?\n1 of 3 points\n" in done.stdout
    assert (path.read_bytes(), set(course.rglob("*"))) == before


def test_a_notebook_with_all_right_exits_with_0(course, root, capsys):
    assert main(["check", str(answer(course, RIGHT, 'word = "queue"'))]) == 0
    assert capsys.readouterr().out.endswith("3 of 3 points\n")


def test_cells_without_an_end_are_stopped_and_the_rest_still_checked(course, monkeypatch):
    """One listens to an interrupt, the other has to be killed; what worked before is done again in the new kernel."""
    monkeypatch.setattr(runner, "INTERRUPT", 0.5)
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass"
    found = checked(answer(course, RIGHT + "\nwhile True:\n    pass", stubborn), cell=1)
    one, two = found["made-up-workers"], found["made-up-words"]
    assert one.got == 2, "the function stands, although its cell had to be stopped"
    assert "NameError: name 'word' is not defined" in two.words
    assert "that begins “import signal” was still running after 1 seconds, could not be interrupted" in two.words


def test_a_cell_that_ends_the_kernel_is_told_so_and_exit_in_an_answer_does_not(course):
    path = answer(course, "def needed(rate, seconds):\n    exit()", "import os\nos._exit(1)")
    found = checked(path)
    assert "it does not exit" in found["made-up-workers"].words
    assert "“import os” ended the whole kernel" in found["made-up-words"].words


def test_the_whole_has_a_limit_too(course):
    found = checked(answer(course, "import time\ntime.sleep(60)", 'word = "queue"'), whole=1.5)
    assert "seconds for the whole notebook were over" in found["made-up-words"].words


def test_a_check_that_was_changed_or_removed_counts_as_the_original(course):
    path = answer(course, "needed = 1", "word = 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[4].source = "pass"
    del notebook.cells[7]
    nbformat.write(notebook, path)
    one, two = runner.check(path, solutions=course / "solutions")
    assert one.got == 0 and "The check had been changed" in one.words
    assert two.got == 0 and "missing" in two.words and two.points == 1


def test_the_numbers_of_a_check_are_those_of_the_learner(course, monkeypatch):
    """Given a name in the progress file, when a notebook without a name is checked, then the name's cases are used."""
    monkeypatch.delenv("KIT_PROGRESS")
    (course / "notebooks").mkdir()
    path = answer(course, RIGHT, "from kit.course import progress\nword = progress.learner()")
    mine = course / "progress.json"
    mine.write_text(json.dumps({"learner": "Ada", "done": {}}))
    assert "Your answer is 'Ada'" in checked(path)["made-up-words"].words
    assert json.loads(mine.read_text())["done"] == {}


@pytest.mark.parametrize("content, words", [
    (None, "there is no file"), ("{", "no notebook, or a damaged one"), ("# Hello", "no notebook, or a damaged one"),
    ('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "has no exercises in it")])
def test_what_cannot_be_checked_exits_with_2_and_words(tmp_path, capsys, content, words):
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_text(content)
    assert main(["check", str(path)]) == 2
    err = capsys.readouterr().err
    assert words in err and "x.ipynb" in err and len(err.splitlines()) == 1


def test_lessons_lists_all_and_claims_counts_all(root, capsys):
    assert main(["lessons"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 30
    assert main(["claims"]) == 0
    out = capsys.readouterr().out
    assert sum(int(line.split()[1]) for line in out.splitlines()[1:] if line[0] != " ") == 1028
    assert main(["claims", "18"]) == 0
    assert capsys.readouterr().out.startswith("18_messaging")
    for nothing in ("no such", ""):
        assert main(["claims", nothing]) == 2
        assert f"no lesson {nothing!r}" in capsys.readouterr().err


def test_claims_names_notebook_and_cell_of_a_wrong_mark(tmp_path, cells, monkeypatch, capsys):
    cells.write(tmp_path / "18_messaging.ipynb", [cells.code("1", metadata={"claims": ["sqs-99"]})])
    monkeypatch.setattr(syllabus, "NOTEBOOKS", tmp_path)
    assert main(["claims"]) == 2
    assert "18_messaging.ipynb, cell cell-0: no claim sqs-99" in capsys.readouterr().err


def test_lessons_writes_its_table_into_a_readme(tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("# Kit\n<!-- lessons -->\n<!-- /lessons -->\nend\n")
    assert main(["lessons", "--readme", str(readme)]) == 0
    assert readme.read_text() == f"# Kit\n<!-- lessons -->\n{syllabus.markdown_table()}\n<!-- /lessons -->\nend\n"
    readme.write_text("no markers")
    assert main(["lessons", "--readme", str(readme)]) == 2 and readme.read_text() == "no markers"
    assert "README.md: the text needs" in capsys.readouterr().err


def test_release_writes_and_check_compares(course, monkeypatch, capsys):
    from kit.course import release as module
    monkeypatch.setattr(module, "ROOT", course)
    assert main(["release", "--check"]) == 1
    assert main(["release"]) == 0
    assert main(["release", "--check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "not up to date: exercises/99_made_up.ipynb", "Run: make exercises", "written: exercises/99_made_up.ipynb"]


def test_a_wrong_command_is_explained(capsys):
    with pytest.raises(SystemExit) as end:
        main(["lesons"])
    assert end.value.code == 2 and "lessons" in capsys.readouterr().err


def test_output_that_nobody_reads_to_the_end_is_no_error(root):
    done = subprocess.run(f"'{sys.executable}' -m kit claims | head -1; exit ${{PIPESTATUS[0]}}", shell=True, cwd=root,
                          executable="/bin/bash", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == ""
