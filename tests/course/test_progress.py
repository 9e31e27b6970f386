"""A learner's progress: nothing is lost without a word, and nothing breaks a cell."""

import json
import os
import subprocess
import sys

import pytest

from kit import course
from kit.course import learner, progress


@pytest.fixture(autouse=True)
def nobody_yet(monkeypatch):
    monkeypatch.setattr(progress, "_name", None)
    monkeypatch.setattr(progress, "_told", set())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "progress.json"


def test_points_and_name_are_kept_and_read_again(file):
    progress.done("18-a", 2)
    assert progress.learner(" Ada ") == "Ada"
    progress.done("18-b", 1)
    assert progress.read() == {"learner": "Ada", "done": {"18-a": 2, "18-b": 1}}
    assert json.loads(file.read_text()) == progress.read()
    assert os.listdir(file.parent) == ["progress.json"], "a draft or a lock was left behind"


def test_points_never_get_fewer():
    progress.done("18-a", 2)
    progress.done("18-a", 1)
    assert progress.read()["done"] == {"18-a": 2}


def test_an_empty_name_changes_nothing_and_the_kernels_own_name_goes_before_the_file():
    assert progress.learner("") == progress.learner() == ""
    progress.learner("Ada")
    assert progress.learner("  ") == "Ada"
    progress._write(lambda state: state | {"learner": "Grace"})  # another notebook
    assert progress.learner() == "Ada" and progress.read()["learner"] == "Grace"


@pytest.mark.parametrize("name", [5, True, ["Ada"], 0])
def test_a_name_that_is_no_text_is_refused_in_words_and_changes_nothing(name, file):
    with pytest.raises(ValueError, match='a text in quotes, as in learner."Ada"., not'):
        learner(name)
    assert not file.exists() and progress.learner() == ""


def test_the_learner_is_greeted(capsys):
    learner()
    assert "given no name" in capsys.readouterr().out
    learner("Ada")
    assert "Hello Ada" in capsys.readouterr().out


@pytest.mark.parametrize("damage", [
    b"", b"{", b"[]", b"7", b'{"learner": "Ada"}', b'{"learner": 7, "done": {}}',
    b'{"learner": "", "done": {"a": "2"}}',
    b'{"learner": "", "done": []}', b'{"learner": "", "done": {"a": NaN}}', b'{"learner": "", "done": {"a": -Infinity}}',
    b'{"learner": "", "done": {"a": 1e999}}', b'{"learner": "", "done": {"a": 1' + b"0" * 400 + b'}}',
    b'{"learner": "", "done": {"a": true}}', b'{"learner": "", "done": 7}', b"\xff\xfe\xff", b"[" * 100_000])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun_with_a_word(file, damage, capsys):
    file.write_bytes(damage)
    progress.done("18-a", 2)
    assert (file.parent / "progress.damaged-1.json").read_bytes() == damage
    assert progress.read()["done"] == {"18-a": 2}
    out = capsys.readouterr().out
    assert out.count("damaged") == 2 and "kept as progress.damaged-1.json" in out


def test_reading_a_damaged_file_sets_it_aside_too_and_says_so_once(file, capsys):
    file.write_text("{")
    assert progress.read() == progress.read() == {"learner": "", "done": {}}
    assert (file.parent / "progress.damaged-1.json").read_text() == "{"
    assert capsys.readouterr().out.count("was damaged") == 1


def test_an_earlier_damaged_file_is_never_overwritten(file):
    for damage in ("first", "second", "third"):
        file.write_text(damage)
        progress.done("18-a", 1)
    assert [(file.parent / f"progress.damaged-{n}.json").read_text() for n in (1, 2, 3)] == ["first", "second", "third"]


def test_where_nothing_can_be_written_the_exercise_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KIT_PROGRESS", str(tmp_path / "missing" / "progress.json"))
    progress.done("18-a", 1)
    progress.done("18-a", 1)
    assert progress.learner("Ada") == "Ada"
    assert capsys.readouterr().out.count("cannot be kept") == 1
    (tmp_path / "folder.json").mkdir()
    monkeypatch.setenv("KIT_PROGRESS", str(tmp_path / "folder.json"))
    progress.done("18-a", 1)
    assert progress.read()["done"] == {} and "cannot be" in capsys.readouterr().out


def test_a_write_that_fails_leaves_the_old_file_whole(file, monkeypatch, capsys):
    progress.done("18-a", 1)
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "replace", full)
    progress.done("18-b", 1)
    assert file.read_bytes() == before and os.listdir(file.parent) == ["progress.json"]
    assert "No space left" in capsys.readouterr().out


def test_two_notebooks_at_once_lose_nothing(file, root):
    """Four processes write 20 exercises each into one file."""
    code = ("import sys; from kit.course import progress\n"
            "for n in range(20): progress.done(f'{sys.argv[1]}-{n}', 1)")
    writers = [subprocess.Popen([sys.executable, "-c", code, str(name)], env=os.environ | {"PYTHONPATH": str(root)})
               for name in range(4)]
    assert [writer.wait(30) for writer in writers] == [0] * 4
    assert set(progress.read()["done"]) == {f"{name}-{n}" for name in range(4) for n in range(20)}


def test_the_lock_of_a_notebook_that_died_is_taken_over(file, monkeypatch):
    monkeypatch.setattr(progress, "WAIT", 0.05)
    (file.parent / "progress.lock").touch()
    progress.done("18-a", 1)
    assert progress.read()["done"] == {"18-a": 1} and not (file.parent / "progress.lock").exists()


def test_the_file_stands_in_the_projects_root_else_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.delenv("KIT_PROGRESS")
    for name in ("notebooks", "exercises", "solutions"):
        (tmp_path / "project" / name).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for here, root in [("project/exercises", "project"), ("project", "project"), ("elsewhere", "elsewhere")]:
        monkeypatch.chdir(tmp_path / here)
        assert progress.where() == tmp_path / root / "progress.json"


def test_solutions_earn_nothing_and_off_keeps_nothing(tmp_path, file, monkeypatch):
    (tmp_path / "solutions").mkdir()
    monkeypatch.chdir(tmp_path / "solutions")
    progress.done("18-a", 1)
    assert not file.exists()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIT_PROGRESS", "off")
    progress.done("18-a", 1)
    assert progress.learner("Ada") == "Ada" and progress.read() == {"learner": "", "done": {}}
    assert os.listdir(tmp_path) == ["solutions"]


def test_the_table_counts_exercises_and_points_by_lesson(course, monkeypatch):
    from kit.course import release, syllabus
    (course / "solutions" / "99_made_up.ipynb").rename(course / "solutions" / "18_messaging.ipynb")
    release.release(course / "solutions", course / "exercises")
    monkeypatch.setattr(syllabus, "ROOT", course)
    progress.done("made-up-workers", 2)
    progress.done("other", 9)
    (row,) = progress.table().to_dicts()
    assert row == {"lesson": "18 Why did my message come twice?", "exercises done": 1, "of": 2,
                   "points": 2, "of points": 3}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder as a learner has it, with one exercise; the working directory is its notebooks/."""
    for name in ("notebooks", "exercises"):
        (tmp_path / name).mkdir()
    (tmp_path / "exercises" / "18.ipynb").write_text(exercise("..."))
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def exercise(answer, count=None):
    cell = {"id": "a", "cell_type": "code", "source": answer, "metadata": {}, "outputs": [], "execution_count": count}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})


def test_what_was_saved_comes_back_on_another_machine(home, file, capsys):
    progress.learner("Ada")
    progress.done("18-a", 2)
    (home / "exercises" / "18.ipynb").write_text(exercise("answer = 42", count=1))
    kept = course.save()
    assert kept == home / "my-course.json" and "Kept in my-course.json" in capsys.readouterr().out

    file.unlink()  # a new machine: nothing done, the exercises as they are handed out
    (home / "exercises" / "18.ipynb").write_text(exercise("..."))
    progress._name = None
    course.load()
    assert progress.read() == {"learner": "Ada", "done": {"18-a": 2}}
    assert "answer = 42" in (home / "exercises" / "18.ipynb").read_text()
    assert (home / "before-loading-1" / "18.ipynb").read_text() == exercise("...")


def test_loading_takes_no_points_and_no_work_away(home, capsys):
    progress.done("18-a", 1)
    course.save()
    progress.done("18-a", 2)
    progress.done("18-b", 1)
    (home / "exercises" / "18.ipynb").write_text(exercise("mine", count=3))
    course.load("my-course.json")
    assert progress.read()["done"] == {"18-a": 2, "18-b": 1}
    assert "mine" in (home / "before-loading-1" / "18.ipynb").read_text()
    assert "before-loading-1" in capsys.readouterr().out
    course.load("my-course.json")  # nothing differs any more
    assert not (home / "before-loading-2").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"format": "another", "learner": "", "done": {}, "exercises": {}}',
                                  '{"format": "cloud-learning-kit course 1", "learner": "", "done": {"a": "2"}, "exercises": {}}',
                                  '{"format": "cloud-learning-kit course 1", "learner": "", "done": {}, "exercises": {"18.ipynb": "x"}}',
                                  '{"format": "cloud-learning-kit course 1", "learner": "", "done": {}, '
                                  '"exercises": {"../18.ipynb": "{\\"nbformat\\": 4}"}}'])
def test_a_file_that_was_not_saved_here_changes_nothing(home, file, text):
    (home / "my-course.json").write_text(text)
    with pytest.raises(ValueError, match="was not written by course.save"):
        course.load()
    assert not file.exists() and (home / "exercises" / "18.ipynb").read_text() == exercise("...")
    assert not (home / "18.ipynb").exists()


def test_a_file_that_is_not_there_says_where_to_put_it(home):
    with pytest.raises(FileNotFoundError, match="drag my-course.json"):
        course.load()
