"""One notebook that was handed in: its cells run sealed off, its exercises are decided here.

    python -m kit.classroom.examiner '{"notebook": "…/18_messaging.ipynb", "lesson": "18_messaging", …}'

A process of its own for each notebook. It has the learner's process run the cells in order, and asks it for the
answers: a value, or a function that is called through a pipe, case by case. The cases, what is right, and the points
never enter the learner's room, and of what comes back only plain values are looked at. So a score cannot be printed,
patched or looked up. What is locked in a notebook runs as the teacher's exercises/ have it.

A function is tried on two sets of cases: those of the learner's name, and some that are drawn from the notebook's own
bytes, so that a table of the known answers doesn't help. Prints a line of JSON for whatever is decided, at once.

**Not done**: a function that works for one works for all; whose idea it was cannot be seen.
"""

import ast
import hashlib
import importlib
import json
import os
import resource
import signal
import sys
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from kit.classroom.apart import MB
from kit.classroom.outside import SAID, Learner
from kit.classroom.values import encode
from kit.course import progress, syllabus
from kit.course.exercise import Exercise, Verdict
from kit.course.notebook import Cell, read

CALM = 2  # as many times its own limit a check may take here, where others run beside it
CELLS = 500  # cells with code in one notebook; a lesson's has about fifteen
STUCK = 15  # seconds more for a check that doesn't end by itself, in a pattern that matches for ever
MEMORY = 2048 * MB  # of this process, in which models run what a learner has written


@dataclass(frozen=True)
class Task:
    """What is to be examined. notebook, kit: paths; skip: exercises that are decided, or that ended an earlier try."""

    notebook: str
    kit: str
    lesson: str
    learner: str
    seconds: float
    memory: int
    processor: int | None = None
    skip: tuple[str, ...] = ()


def examine(task: Task, cells: list[Cell], seed: str, tell) -> None:
    """Run a learner's cells and tell(dict) of each exercise. seed: draws the cases that nobody knows beforehand."""
    exercises, originals, named = known(task.lesson), locked(task.lesson), worked_as(cells)
    learner = named if same_name(named, task.learner) else task.learner
    if named and named != learner:
        tell({"remark": f"The notebook says it is by “{named[:60]}”."})
    progress.learner(learner)
    cases = [(module, name, encode(exercise.case())) for exercise, module, name in exercises.values()]
    with Learner(Path(task.kit), cases, task.seconds, task.memory, task.processor) as room:
        troubles = []
        for cell, theirs in laid_out(cells, originals):
            original = originals.get(_id(cell))
            exercise = original and original.exercise
            if exercise is None:
                source = original.source if original else cell.source
                trouble = room.run(source)
                troubles += [f"The cell that begins “{_first(source)}” {trouble}"] if trouble else []
            elif exercise not in task.skip:
                tell({"begins": exercise})
                verdict = _decided(room, exercises[exercise][0], original.source, learner, named, seed)
                words = [*verdict.words, *([] if verdict.right else troubles)]
                if theirs is None:
                    words.append("The notebook had lost its check; it was put back.")
                elif theirs.strip() != original.source.strip():
                    words.append("The check had been changed; the teacher's copy was used.")
                tell({"exercise": exercise, "right": verdict.right, "said": "\n".join(words)[:SAID]})
            troubles = troubles if exercise is None else []


def laid_out(cells: list[Cell], originals: dict[str, Cell]) -> list[tuple[Cell, str | None]]:
    """The cells to run, each with the text the learner has there: a check once, at its last place, or at the end."""
    last = {_id(cell): number for number, cell in enumerate(cells)}
    there = [(cell, cell.source) for number, cell in enumerate(cells)
             if _id(cell) not in originals or last[_id(cell)] == number]
    return there + [(cell, None) for name, cell in originals.items() if name not in last]


def known(lesson: str) -> dict[str, tuple[Exercise, str, str]]:
    """The exercises of a lesson's topics: {id: (exercise, its module, its name there)}."""
    found = {}
    for topic in syllabus.lesson(lesson).topics:
        module = f"kit.{topic}.checks"
        for name, value in vars(importlib.import_module(module)).items():
            if isinstance(value, Exercise):
                found[value.id] = (value, module, name)
    return found


def locked(lesson: str) -> dict[str, Cell]:
    """The cells that are the teacher's own, checks and others, by their grade_id, in order."""
    return {_id(cell): cell for cell in read(syllabus.lesson(lesson).exercises) if cell.grader.get("locked")}


def worked_as(cells: list[Cell]) -> str:
    """The name in the notebook's learner("…"), "" if there is none. Read, not run."""
    name = ""
    for cell in cells:
        try:
            calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id == "learner" and len(call.args) == 1 \
                    and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
                name = call.args[0].value.strip() or name
    return name


def same_name(one: str, other: str) -> bool:
    """ada_lovelace is Ada Lovelace: folders have no capitals and spaces, often."""
    def plain(name):
        return " ".join("".join(sign if sign.isalnum() else " " for sign in
                                unicodedata.normalize("NFKC", name).casefold()).split())

    return plain(one) == plain(other) != ""


def _decided(room: Learner, exercise: Exercise, check: str, learner: str, named: str, seed: str) -> Verdict:
    try:
        answer, blank = room.answer(check)
    except ValueError as error:
        return Verdict(False, (f"Not yet: {exercise.title}", f"Its check {error}"))
    verdict = _examined(room, exercise, answer, learner)
    if verdict.right:
        return _examined(room, exercise, answer, seed) if callable(answer) else verdict
    if blank:
        return exercise.examine(..., learner)
    if not callable(answer) and _examined(room, exercise, answer, named).right:
        whose = f"“{named}”" if named else "somebody without a name"
        return Verdict(False, (f"Not yet: {exercise.title}", f"Right for the numbers of {whose}, but it was handed in "
                               f"as “{learner}”, who has others."))
    return verdict


def _examined(room: Learner, exercise: Exercise, answer, learner: str) -> Verdict:
    """What the exercise makes of an answer, within the time it has."""
    room.until = time.monotonic() + exercise.seconds
    signal.alarm(int(exercise.seconds) + STUCK)  # ends this process; grade() then goes on without this exercise
    asked = (lambda *arguments, **named: answer(*arguments, **named)) if callable(answer) else answer
    try:
        return exercise.examine(asked, learner)
    finally:
        signal.alarm(0)
        room.settle()


def _id(cell: Cell) -> str | None:
    """nbgrader's name of a cell, whatever a learner has made of its metadata."""
    grader = cell.metadata.get("nbgrader")
    name = grader.get("grade_id") if isinstance(grader, dict) else None
    return name if isinstance(name, str) else None


def _first(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return lines[0][:60] if lines else ""


def main() -> None:
    """A Task as JSON in the argument; lines of JSON on stdout, the last of them "done" or "failed"."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")

    def tell(words: dict) -> None:
        lines.write(json.dumps(words) + "\n")
        lines.flush()

    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    task = Task(**json.loads(sys.argv[1]))
    notebook = Path(task.notebook)
    try:
        cells = [cell for cell in read(notebook) if cell.kind == "code"]
        if len(cells) > CELLS:
            raise ValueError(f"it has {len(cells)} cells with code, and more than {CELLS} are not run")
        for exercise, *_ in known(task.lesson).values():
            exercise.seconds *= CALM
        examine(task, cells, f"the grading of {hashlib.sha256(notebook.read_bytes()).hexdigest()}", tell)
    except MemoryError:
        tell({"failed": "it needs too much memory to be read"})
    except (ValueError, OSError) as error:
        tell({"failed": str(error).replace(task.notebook, "it")[:SAID]})
    else:
        tell({"done": True})


if __name__ == "__main__":
    main()
