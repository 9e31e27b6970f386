"""Grading honest work: what is right is right, what isn't understood is said, and the files are always the same."""

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kit.classroom import apart, examiner
from kit.classroom import grade as grading
from kit.classroom.grade import grade
from kit.classroom.handed_in import BIGGEST, submissions
from kit.course import syllabus
from kit.course.exercise import Exercise
from kit.course.notebook import Cell

ROOT = Path(__file__).parents[2]
LESSONS = [lesson.name for lesson in syllabus.lessons() if lesson.ready and lesson.exercises.exists()]
RIGHT = {"enough": "def packers(rate, work_time):\n    return int(rate * work_time) + 1"}


def rows(path: Path) -> list[dict]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Every lesson, solved and blank: {(learner, lesson): what came of it}."""
    folder = tmp_path_factory.mktemp("everything")
    for learner in ("solutions", "exercises"):
        shutil.copytree(ROOT / learner, folder / "in" / learner, ignore=lambda *_: [".ipynb_checkpoints"])
    return {(one.learner, one.lesson): one for one in grade(folder / "in", folder / "out")}


@pytest.mark.parametrize("lesson", LESSONS)
def test_solutions_get_full_marks_and_blanks_none(everything, lesson):
    solved, blank = everything["solutions", lesson], everything["exercises", lesson]
    assert solved.points == solved.of == blank.of > 0 == blank.points
    assert not solved.trouble and not blank.trouble
    assert all("Your turn" in mark.said for mark in blank.marks)
    assert all(mark.said.startswith("Right: ") for mark in solved.marks)


def test_one_right_and_one_wrong(class_, tmp_path):
    """What a wrong answer is told is what the learner's own notebook says: the case, why it matters, the hint."""
    class_.hands_in("Ada", answers=RIGHT)
    class_.hands_in("Grace", answers=RIGHT | {"dead-letters": "def dead(crashes, max_receive_count):\n"
                                              "    return sorted(o for o, c in crashes.items() if c > max_receive_count)"})
    class_.hands_in("Mary", answers={"enough": "def packers(rate, work_time):\n    return 1 / 0"})
    ada, grace, mary = grade(class_.folder, tmp_path / "out")
    assert (ada.points, grace.points, mary.points) == (1, 1, 0)
    told = {mark.exercise: mark.said for mark in grace.marks}["18-dead-letters"]
    assert "Case 2 of 3" in told and "Hint: With a maxReceiveCount of 3 there are three tries." in told
    assert "ZeroDivisionError: division by zero (line 2: return 1 / 0)" in mary.marks[1].said


def test_what_works_in_a_notebook_works_here(class_, tmp_path):
    """Magics, display, await, print, a cell that fails on the way, a name that another cell gave."""
    class_.hands_in("Ada", first="%time 1\ndisplay(2)\nimport asyncio\nawait asyncio.sleep(0)\nprint('x' * 9999)\nfive = 5",
                    answers={"back-again": "1 / 0", "enough": "%time 3\none = five - 4\n" + RIGHT["enough"].replace("1", "one")})
    [ada] = grade(class_.folder, tmp_path / "out")
    assert ada.points == 1
    assert "The cell that begins “1 / 0” failed with ZeroDivisionError" in ada.marks[0].said


def test_a_function_may_refuse_as_the_service_does():
    """Only the name and the words of what a learner's code raises come through."""
    from kit.classroom.outside import _exception
    from kit.errors import ServiceError
    refused = _exception({"code": "InvalidParameter", "message": "no"})
    assert type(refused) is ServiceError and refused.code == "InvalidParameter"
    assert type(_exception({"type": "TimeUp", "told": "TimeUp: x"})).__mro__[1:] == Exception.__mro__
    assert str(_exception({"type": "KeyError", "told": "KeyError: 'a' (line 1: b)"})) == "'a' (line 1: b)"


# ------------------------------------------------------------------ what was handed in


def test_three_orders_of_a_folder_are_understood(class_):
    class_.hands_in("Ada")
    class_.hands_in("Grace").rename(class_.folder / "Grace_Hopper_18_messaging.ipynb")
    (class_.folder / "Grace").rmdir()
    (class_.folder / "Mary" / "week 3").mkdir(parents=True)
    class_.hands_in("Mary").rename(class_.folder / "Mary" / "week 3" / "20_monitoring.ipynb")
    found = [(one.learner, one.lesson, one.trouble) for one in submissions(class_.folder)]
    assert found == [("Ada", "18_messaging", ""), ("Grace_Hopper", "18_messaging", ""), ("Mary", "20_monitoring", "")]


def test_of_nbgraders_course_the_submitted_folder_counts(class_, tmp_path):
    class_.hands_in("Ada")
    (tmp_path / "course" / "source").mkdir(parents=True)
    class_.folder.rename(tmp_path / "course" / "submitted")
    assert [one.learner for one in submissions(tmp_path / "course")] == ["Ada"]


def test_of_a_classroom_the_exercises_count_that_somebody_worked_on(class_, tmp_path):
    """Laid out as at the hub: with lessons of the same names beside them, and exercises that nobody has touched."""
    room = tmp_path / "room"
    for learner in ("ada", "bob", "eve"):
        home = room / "learners" / learner
        for folder in ("notebooks", "exercises"):
            (home / folder).mkdir(parents=True)
            for lesson in ("18_messaging", "20_monitoring"):
                shutil.copy(ROOT / folder / f"{lesson}.ipynb", home / folder)
    (room / "classroom.json").write_text("{}")
    class_.hands_in("ada", answers=RIGHT).replace(room / "learners" / "ada" / "exercises" / "18_messaging.ipynb")
    shutil.rmtree(room / "learners" / "eve" / "exercises")
    (room / "learners" / "eve" / "exercises").symlink_to("../ada/exercises")  # a neighbour's work is not one's own
    found = [(one.learner, one.lesson, one.trouble) for one in submissions(room)]
    assert found == [("ada", "18_messaging", ""), ("bob", "", "nothing was handed in"), ("eve", "", "nothing was handed in")]


def test_whatever_is_not_understood_has_a_line_that_says_why(class_, tmp_path):
    good = class_.hands_in("Ada", answers=RIGHT)
    class_.file("broken", "18_messaging.ipynb", '{"cells": [')
    class_.file("deep", "18_messaging.ipynb", "[" * 1_000_000)
    class_.file("empty file", "18_messaging.ipynb", "")
    class_.file("no notebook", "18_messaging.ipynb", '{"nbformat": 4, "cells": 7}')
    class_.file("other cells", "18_messaging.ipynb", '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "1 / 0", '
                '"metadata": {"nbgrader": {"grade_id": ["18-enough"], "grade": true}}}]}')
    class_.file("text", "essay.txt", "my answer")
    class_.file("unknown", "19_messages.ipynb", "{}")
    (class_.folder / "nothing").mkdir()
    (class_.folder / "big").mkdir()
    with open(class_.folder / "big" / "18_messaging.ipynb", "wb") as file:
        file.truncate(2 << 30)
    (class_.folder / "link").mkdir()
    (class_.folder / "link" / "18_messaging.ipynb").symlink_to(good)
    (class_.folder / "pipe").mkdir()
    os.mkfifo(class_.folder / "pipe" / "18_messaging.ipynb")
    (class_.folder / "whole link").symlink_to(good.parent)
    (class_.folder / "notes.md").write_text("of the teacher's")
    (class_.folder / ".DS_Store").write_text("")
    results = {one.learner or one.file: one for one in grade(class_.folder, tmp_path / "out")}
    assert {name: one.points for name, one in results.items() if one.points} == {"Ada": 1}
    reasons = {"broken": "no notebook, or a damaged one", "deep": "no notebook, or a damaged one",
               "empty file": "no notebook, or a damaged one", "no notebook": "no notebook, or a damaged one",
               "other cells": "", "text": "doesn't end in .ipynb", "unknown": "no lesson with exercises has this name",
               "nothing": "nothing was handed in", "big": "it has 2147 MB, more than 21 are not read", "link": "it is a link",
               "pipe": "it is no file", "whole link": "belongs to nobody", "notes.md": "belongs to nobody", "Ada": ""}
    assert results.keys() == reasons.keys()
    assert all(reason in results[name].trouble and bool(reason) == bool(results[name].trouble)
               for name, reason in reasons.items())
    said = {row["learner"]: row["said"] for row in rows(tmp_path / "out" / "grades.csv")}
    assert "nothing was handed in" in said["nothing"] and "damaged" in said["broken"] and "essay.txt" in said["text"]


def test_a_lesson_that_is_there_twice_is_graded_once(class_):
    class_.hands_in("Ada")
    (class_.folder / "Ada" / "again").mkdir()
    shutil.copy(class_.folder / "Ada" / "18_messaging.ipynb", class_.folder / "Ada" / "again")
    first, second = sorted(submissions(class_.folder), key=lambda one: one.trouble)
    assert not first.trouble and "handed in twice; Ada/18_messaging.ipynb is graded" in second.trouble


def test_a_file_that_became_a_link_after_the_look_is_not_read(class_):
    path = class_.hands_in("Ada")
    [ada] = submissions(class_.folder)
    path.rename(class_.folder / "Ada" / "elsewhere")
    path.symlink_to(class_.folder / "Ada" / "elsewhere")
    with pytest.raises(OSError):
        ada.read()
    path.unlink()
    path.with_name("elsewhere").rename(path)
    assert ada.read()
    path.parent.rename(class_.folder / "Grace")
    path.parent.symlink_to(class_.folder / "Grace")
    with pytest.raises(OSError, match="has become a link"):
        ada.read()
    path.parent.unlink()
    path.parent.mkdir()
    with open(path, "wb") as file:
        file.truncate(BIGGEST + 1)
    with pytest.raises(OSError, match="more than"):
        ada.read()


def test_a_learners_folder_that_may_not_be_read_is_named(class_, monkeypatch):
    class_.hands_in("Ada")
    class_.hands_in("Grace")
    scan = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("Ada"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    ada, grace = submissions(class_.folder)
    assert (ada.learner, ada.trouble) == ("Ada", "it cannot be read: Permission denied") and not grace.trouble


@pytest.mark.parametrize("folder, words", [("missing", "there is no folder"), ("empty", "nothing was handed in")])
def test_no_folder_and_an_empty_one_are_refused(tmp_path, folder, words):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=words):
        grade(tmp_path / folder)


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"at_once": 0}, {"memory_mb": 16}, {"out": "handed in/grades"}])
def test_arguments_that_cannot_be_are_refused(class_, tmp_path, wrong, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_.hands_in("Ada")
    with pytest.raises(ValueError):
        grade(class_.folder, **wrong)


def test_without_a_seal_nothing_runs(class_, monkeypatch):
    class_.hands_in("Ada")
    monkeypatch.setattr(apart, "refusal", lambda: "no seal here")
    with pytest.raises(apart.Unsealed, match="no seal here"):
        grade(class_.folder)
    assert not class_.folder.with_name("handed in-grades").exists()


# ------------------------------------------------------------------ whose numbers


class Room:
    """In the place of a learner's process: one that has handed in a value."""

    until = 0.0

    def __init__(self, value):
        self._value = value

    def answer(self, check):
        return self._value, False

    def settle(self):
        pass


OWN = Exercise(id="00-own", title="Your own number", points=1, cases=lambda rng: [{"number": rng.randint(1, 10**9)}],
               expected=lambda case: case["number"] + 1)


def test_a_neighbours_answer_to_drawn_numbers_is_right_for_the_neighbour_only():
    """An answer that is a number: cases are drawn for the name of the folder, whatever name the notebook says."""
    number = OWN.cases("Grace")[0]["number"] + 1
    assert examiner._decided(Room(number), OWN, "", "Grace", "Grace", "seed").right
    verdict = examiner._decided(Room(number), OWN, "", "Ada", "Grace", "seed")
    assert not verdict.right and "Right for the numbers of “Grace”, but it was handed in as “Ada”" in verdict.words[1]


def test_the_name_is_read_from_the_notebook():
    def cell(source):
        return Cell("", "code", source, {}, False)

    assert examiner.worked_as([cell("x ="), cell('learner("")'), cell('if True:\n    learner(" Ada ")')]) == "Ada"
    assert examiner.worked_as([cell("learner(name)"), cell('learner("a", "b")')]) == ""
    assert examiner.same_name("Ada Lovelace", "ada_lovelace") and not examiner.same_name("Ada", "Grace")
    assert not examiner.same_name("", "")


def test_another_name_is_told(class_, tmp_path):
    def signed(notebook):
        notebook["cells"][1]["source"] = [line.replace('learner("")', 'learner("Grace")')
                                          for line in notebook["cells"][1]["source"]]
    class_.hands_in("Ada", answers=RIGHT, change=signed)
    [ada] = grade(class_.folder, tmp_path / "out")
    assert ada.points == 1 and ada.remark == "The notebook says it is by “Grace”."
    assert "The notebook says it is by “Grace”." in rows(tmp_path / "out" / "totals.csv")[0]["said"]


# ------------------------------------------------------------------ the files


class Text(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


NASTY = ["=cmd|' C calc'!A0", "<script>alert(1)<script>", "+1\n\x1b[31mred", "ünï ✓ a,b\"c"]


@pytest.fixture(scope="module")
def nasty(tmp_path_factory, new_class):
    """A class of learners with names that mean something to a spreadsheet, a browser or a terminal; graded twice."""
    folder = tmp_path_factory.mktemp("nasty")
    class_ = new_class(folder / "in")
    for name in NASTY:
        class_.hands_in(name, answers={
            "enough": "def packers(**_):\n    return '<img src=x onerror=alert(1)>', object(), print"})
    (class_.folder / os.fsdecode(b"\xff\xfe")).mkdir()
    for out in ("first", "second"):
        grade(class_.folder, folder / out, at_once=1 if out == "first" else 2)
    return folder


def test_grading_again_gives_the_same_bytes(nasty):
    for name in ("grades.csv", "totals.csv", "grades.html"):
        assert (nasty / "first" / name).read_bytes() == (nasty / "second" / name).read_bytes()
    assert sorted(path.name for path in (nasty / "first").iterdir()) == ["grades.csv", "grades.html", "totals.csv"]


def test_no_cell_of_the_csv_is_a_formula(nasty):
    for name in ("grades.csv", "totals.csv"):
        cells = [cell for row in rows(nasty / "first" / name) for cell in row.values()]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    learners = {row["learner"] for row in rows(nasty / "first" / "grades.csv")}
    assert learners == {"'=cmd|' C calc'!A0", "'+1\\n\\x1b[31mred", "<script>alert(1)<script>", "ünï ✓ a,b\"c", "\\xff\\xfe"}


def test_the_page_is_text_and_loads_nothing(nasty):
    page = Text((nasty / "first" / "grades.html").read_text(encoding="utf-8"))
    assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "src"]
    assert "<script>alert(1)<script>" in page.text and "<img src=x onerror=alert(1)>" in page.text
    places = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {attributes["href"][1:] for tag, attributes in page.tags if tag == "a"} == places
    assert f"{len(NASTY) + 1} entries of {len(NASTY) + 1} learners; 1 could not be run." in page.text


def test_sums_add_up(everything, tmp_path):
    grading._replace(tmp_path / "totals.csv", grading._totals(list(everything.values())))
    grading._replace(tmp_path / "grades.csv", grading._grades(list(everything.values())))
    for learner in ("solutions", "exercises"):
        *lessons, total = [row for row in rows(tmp_path / "totals.csv") if row["learner"] == learner]
        marks = [row for row in rows(tmp_path / "grades.csv") if row["learner"] == learner]
        assert total["lesson"] == "all" and len(lessons) == len(LESSONS)
        for column in ("points", "of"):
            assert float(total[column]) == sum(float(row[column]) for row in lessons) == sum(
                float(row[column]) for row in marks)


def test_a_grading_that_is_killed_leaves_the_old_files_and_no_process(class_, tmp_path):
    class_.hands_in("Ada", first="import subprocess\nsubprocess.run(['sleep', '98710'])")
    out = tmp_path / "out"
    out.mkdir()
    (out / "grades.csv").write_text("old")
    code = f"from kit.classroom.grade import grade\ngrade({os.fspath(class_.folder)!r}, {os.fspath(out)!r}, seconds=600)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as running:
        assert _until(lambda: _sleeping("98710"))
        running.send_signal(signal.SIGKILL)
    assert _until(lambda: not _sleeping("98710"))
    assert [path.name for path in out.iterdir()] == ["grades.csv"] and (out / "grades.csv").read_text() == "old"


def _sleeping(seconds: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().split(b"\0")[:2] == [b"sleep", seconds.encode()]:
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


def _until(condition) -> bool:
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def test_a_check_that_hangs_costs_its_own_points_only(class_, tmp_path, monkeypatch):
    """A pattern that matches for ever ends the examiner, which is then asked for the rest."""
    asked = []

    def lines(task):
        asked.append(task.skip)
        right = [{"begins": "18-back-again"}, {"exercise": "18-back-again", "right": True, "said": "Right"}]
        if not task.skip:
            return [*right, {"begins": "18-enough"}]
        return [{"exercise": "18-pack-once", "right": True, "said": "Right"}, {"done": True}]

    monkeypatch.setattr(grading, "_lines", lines)
    class_.hands_in("Ada")
    [ada] = grade(class_.folder, tmp_path / "out")
    assert asked == [(), ("18-back-again", "18-enough")]
    assert ada.points == 3 and "doesn't come to an end" in ada.marks[1].said


def test_an_examiner_ends_itself_where_python_cannot_stop_a_check(tmp_path):
    """The alarm of the examiner, with a check that holds the interpreter: its end is what grade() goes by."""
    code = ("import re\nfrom kit.classroom import examiner\nfrom kit.course.exercise import Exercise\n"
            "examiner.STUCK = 1\n"
            "slow = Exercise('00-slow', 'Slow', 1, lambda rng: [{'text': 'a' * 64}], lambda case: True, seconds=1,\n"
            "                run=lambda pattern, case: bool(re.fullmatch(pattern, case['text'] + '!')))\n"
            "room = type('Room', (), {'settle': lambda self: None})()\n"
            "examiner._examined(room, slow, '(a|a)*b', '')")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120)
    assert done.returncode == -signal.SIGALRM
