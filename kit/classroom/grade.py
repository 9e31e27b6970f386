"""Grade what a class has handed in: each notebook sealed off, by the teacher's checks, into two CSVs and a page.

    grade(Path("handed_in"))   # handed_in-grades/grades.csv, totals.csv and grades.html

Each notebook has a process of the teacher's (``examiner``) that decides, and one that runs the learner's code apart
and knows nothing (``inside``). The same notebooks give the same files to the byte. The files are written at the end,
each in one step: whoever stops a grading finds the old ones as they were.
"""

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from kit.classroom import apart
from kit.classroom.examiner import Task
from kit.classroom.handed_in import Submission, submissions
from kit.classroom.outside import without_answers
from kit.classroom.page import page
from kit.course import syllabus
from kit.course.release import graded

SECONDS, MEMORY_MB, LEAST_MB = 120.0, 1024, 256  # for one notebook
GRACE = 120  # seconds more, for starting and for checks that hang


@dataclass(frozen=True)
class Mark:
    """One exercise of one learner. of: its points; said: what the learner was told."""

    exercise: str
    points: float
    of: float
    said: str


@dataclass(frozen=True)
class Graded:
    """One file that was handed in. lesson: "" if it is of none; trouble: why it did not run; remark: to look at."""

    learner: str
    lesson: str
    file: str
    marks: tuple[Mark, ...] = ()
    trouble: str = ""
    remark: str = ""

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    @property
    def of(self) -> float:
        return sum(mark.of for mark in self.marks)


def grade(folder: Path, out: Path | None = None, seconds: float = SECONDS, memory_mb: int = MEMORY_MB,
          at_once: int | None = None, tell=lambda words: None) -> list[Graded]:
    """Grade a folder into out (default: beside it, with -grades at its name). tell(text) is called for each notebook.

    Limits are for one notebook; at_once: how many run beside one another, default: a processor each. ValueError for
    arguments that cannot be; apart.Unsealed where nothing can be sealed off.
    """
    folder = Path(os.path.abspath(folder))
    out = (Path(out) if out else folder.with_name(f"{folder.name}-grades")).resolve()
    folder = folder.resolve()
    processors = sorted(os.sched_getaffinity(0))
    at_once = len(processors) if at_once is None else at_once
    if not seconds > 0 or at_once < 1 or memory_mb < LEAST_MB:
        raise ValueError(f"there must be some seconds, at least one at once, and {LEAST_MB} MB of memory or more")
    if out == folder or folder in out.parents:
        raise ValueError(f"{out} lies in {folder}, and would be taken for a learner's; choose another place with --out")
    if words := apart.refusal():
        raise apart.Unsealed(words)
    todo, places = submissions(folder), SimpleQueue()
    for number in range(at_once):
        places.put(processors[number % len(processors)])

    def one(submission: Submission) -> Graded:
        place = places.get()
        try:
            return _graded(submission, folder, Task("", kit, "", "", seconds, memory_mb * apart.MB, place))
        finally:
            places.put(place)

    results = []
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(at_once) as pool:
        kit = os.fspath(without_answers(Path(scratch)))
        try:
            for result in pool.map(one, todo):
                tell(summary(result))
                results.append(result)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # whoever presses Ctrl-C doesn't wait for the whole class
            raise
    out.mkdir(parents=True, exist_ok=True)
    _replace(out / "grades.csv", _grades(results))
    _replace(out / "totals.csv", _totals(results))
    _replace(out / "grades.html", page(results))
    return results


def summary(result: Graded) -> str:
    """A line on one file."""
    whose = f"{result.learner or result.file}  {result.lesson or result.file}"
    return f"{whose}  " + (f"not graded: {result.trouble}" if result.trouble else f"{result.points:g} of {result.of:g}")


# ------------------------------------------------------------------ one notebook


def _graded(submission: Submission, folder: Path, task: Task) -> Graded:
    file = os.fspath(submission.path.relative_to(folder))
    points = graded(syllabus.lesson(submission.lesson).exercises) if submission.lesson else {}
    trouble, remark, said, right = submission.trouble, "", {}, set()
    if not trouble:
        try:
            data = submission.read()
        except OSError as error:
            trouble = f"it cannot be read: {error.strerror or error}"
        else:
            with tempfile.TemporaryDirectory() as scratch:
                notebook = Path(scratch, "notebook.ipynb")
                notebook.write_bytes(data)
                trouble, remark, said, right = _examined(replace(
                    task, notebook=os.fspath(notebook), lesson=submission.lesson, learner=submission.learner))
    otherwise = f"Not run: {trouble}." if trouble else "Not reached."
    marks = tuple(Mark(exercise, of if exercise in right else 0, of, said.get(exercise, otherwise))
                  for exercise, of in points.items())
    return Graded(plain(submission.learner), submission.lesson, plain(file), marks, trouble, remark)


def _examined(task: Task) -> tuple[str, str, dict[str, str], set[str]]:
    """Trouble, remark, what was said of each exercise, and those that are right. Goes on after a check that hangs."""
    remark, said, right = "", {}, set()
    while True:
        lines = _lines(task)
        for line in lines:
            remark = line.get("remark", remark)
            if "exercise" in line:
                said[line["exercise"]] = _steady(line["said"])
                right |= {line["exercise"]} if line["right"] else set()
        if lines and "done" in lines[-1]:
            return "", remark, said, right
        if lines and "failed" in lines[-1]:
            return _steady(lines[-1]["failed"]), remark, said, right
        begun = [line["begins"] for line in lines if "begins" in line and line["begins"] not in said]
        if not begun:
            return "its examination broke off", remark, said, right
        said[begun[-1]] = "Not yet: what the model makes of this answer doesn't come to an end."
        task = replace(task, skip=tuple(said))


def _lines(task: Task) -> list[dict]:
    """What the examiner tells. It ends with this process, and what it has started ends with it."""
    root = os.fspath(Path(__file__).parents[2])
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "kit.classroom.examiner",
               json.dumps(asdict(task))]
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths, "KIT_PROGRESS": "off", "PYTHONHASHSEED": "0"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment) as examiner:
        try:
            told = examiner.communicate(timeout=task.seconds + GRACE)[0]
        except subprocess.TimeoutExpired:
            examiner.kill()
            told = examiner.communicate()[0]
    return [json.loads(line) for line in told.splitlines(keepends=True) if line.endswith(b"\n")]


# ------------------------------------------------------------------ the files


def plain(name: str) -> str:
    """A file's name as text that can be shown: what is no character, or controls a terminal, is spelled out."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _steady(words: str) -> str:
    """Words without what differs from run to run: where in memory something lay."""
    return re.sub(r"\bat 0x[0-9a-fA-F]+", "at 0x…", words)


def _grades(results: list[Graded]) -> str:
    rows = [("learner", "lesson", "exercise", "points", "of", "said")]
    for result in results:
        rows += [(result.learner, result.lesson, mark.exercise, mark.points, mark.of, mark.said)
                 for mark in result.marks]
        if not result.marks:
            rows.append((result.learner, "", "", "", "", f"{result.file}: {result.trouble}"))
    return _table(rows)


def _totals(results: list[Graded]) -> str:
    rows = [("learner", "lesson", "points", "of", "right", "exercises", "said")]
    for learner in sorted({result.learner for result in results}):
        mine = [result for result in results if result.learner == learner and result.lesson]
        rows += [(learner, result.lesson, result.points, result.of, _right(result), len(result.marks),
                  result.trouble or result.remark) for result in mine]
        rows.append((learner, "all", sum(result.points for result in mine), sum(result.of for result in mine),
                     sum(map(_right, mine)), sum(len(result.marks) for result in mine), ""))
    return _table(rows)


def _right(result: Graded) -> int:
    return sum(mark.points > 0 for mark in result.marks)


def _table(rows: list[tuple]) -> str:
    """CSV in which no cell is a formula: a quote stands before what a spreadsheet would run (OWASP ASVS, 1.2.10)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value) -> str:
    if not isinstance(value, str):
        return f"{value:g}"
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0")) else value


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        os.fchmod(handle, 0o644)
    os.replace(draft, path)
