"""exercises/ from solutions/: what stands between the solution markers becomes one line, ``...  # your turn``.

solutions/ is in nbgrader's source form (metadata ``nbgrader``, schema 3). A solution cell holds its answer in

    ### BEGIN SOLUTION
    ...
    ### END SOLUTION

and a check cell (graded, locked, with points) calls ``exercise.check(...)``. Its grade_id is the exercise's id.
In exercises/ a check cell has the tag ``raises-exception``, so that JupyterLab's "Run All" goes on past an exercise
that isn't solved. In solutions/ it must not: there nbval would let a check fail.
"""

import re
from pathlib import Path

from kit.course.exercise import STUB
from kit.course.notebook import read

ROOT = Path(__file__).parents[2]
_MARKER = re.compile(r"(\s*)### (BEGIN|END) SOLUTION\s*")
_LEFT = re.compile(r"(BEGIN|END)\s+(SOLUTION|HIDDEN\s+TESTS|MARK\s+SCHEME)", re.I)
_PLAIN = 12  # a line of a solution shorter than this, like "else:" or "return 0", betrays nothing
GO_ON, COMPARED = "raises-exception", "nbval-check-output"  # tags; an exercise has no outputs to compare


class ReleaseError(ValueError):
    """A notebook in solutions/ that cannot be released; says which cell and why."""


def release(solutions: Path | None = None, exercises: Path | None = None, check: bool = False) -> list[str]:
    """Write every exercise notebook anew; the names of those that differed before.

    check: write nothing. Refuses (ReleaseError) to overwrite a notebook that holds somebody's answers.
    """
    solutions, exercises = Path(solutions or ROOT / "solutions"), Path(exercises or ROOT / "exercises")
    texts, owners = {}, {}
    for path in sorted(solutions.glob("*.ipynb")):
        texts[path.name] = exercise_text(path)
        for exercise in graded(path):
            if exercise in owners:
                raise ReleaseError(f"the exercise {exercise} is both in {owners[exercise]} and in {path.name}")
            owners[exercise] = path.name
    there = {path.name: path for path in exercises.glob("*.ipynb")}
    stale = sorted(name for name in texts.keys() | there.keys()
                   if name not in texts or name not in there
                   or there[name].read_text(encoding="utf-8") != texts[name])
    if not check:
        kept = [name for name in stale if name in there and _is_worked_on(there[name])]
        if kept:
            raise ReleaseError(f"{exercises.name}/ holds answers in {', '.join(kept)}; move it away first")
        exercises.mkdir(exist_ok=True)
        for name in stale:
            if name in texts:
                (exercises / name).write_text(texts[name], encoding="utf-8", newline="\n")
            else:
                there[name].unlink()
    return stale


def exercise_text(path: Path) -> str:
    """A notebook of solutions/ as it stands in exercises/, the same to the byte every time."""
    import nbformat  # its own writer, so that a saved notebook looks the same

    read(path)  # tells in words if this is no notebook
    notebook = nbformat.read(path, as_version=4)
    solutions = []
    for cell in notebook.cells:
        here = f"{path.name}, cell {cell.get('id', '?')}"
        grader = cell.metadata.get("nbgrader", {})
        _check_metadata(grader, cell, here)
        cell.source, taken = _cleared(cell.source, here)
        if taken and not grader.get("solution"):
            raise ReleaseError(f"{here}: a solution stands in a cell that isn't marked as a solution cell")
        if grader.get("solution") and not taken:
            raise ReleaseError(f"{here}: a solution cell without ### BEGIN SOLUTION and ### END SOLUTION")
        solutions += [(here, line) for line in taken]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if grader.get("solution") or grader.get("locked"):
            cell.metadata["deletable"] = False
        if grader.get("locked"):
            cell.metadata["editable"] = False
        tags = {*cell.metadata.pop("tags", ()), *([GO_ON] if grader.get("grade") else [])} - {COMPARED}
        if tags:
            cell.metadata["tags"] = sorted(tags)
    text = nbformat.writes(notebook) + "\n"
    _check_leaks(notebook, solutions)
    return text


def graded(path: Path) -> dict[str, float]:
    """The exercises of a notebook and their points: {id: points}, in the order of their check cells."""
    found = {}
    for cell in read(path):
        if cell.exercise in found:
            raise ReleaseError(f"{path.name}, cell {cell.id}: a second check {cell.exercise}")
        if cell.exercise:
            found[cell.exercise] = cell.grader["points"]
    return found


def _check_metadata(grader: dict, cell, here: str) -> None:
    if not grader:
        return
    if grader.get("schema_version") != 3 or not grader.get("grade_id"):
        raise ReleaseError(f"{here}: nbgrader's metadata need schema_version 3 and a grade_id")
    if grader.get("task") or grader.get("grade") and grader.get("solution"):
        raise ReleaseError(f"{here}: answers that a person has to grade are not used here")
    if grader.get("grade") and not (grader.get("locked") and grader.get("points", 0) > 0):
        raise ReleaseError(f"{here}: a check cell is locked and has points")
    if GO_ON in cell.metadata.get("tags", ()):
        raise ReleaseError(f"{here}: the tag {GO_ON} belongs into exercises/ only; here it would hide a failing check")


def _cleared(source: str, here: str) -> tuple[str, list[str]]:
    """The text with a stub for each solution, and the lines that were taken out."""
    kept, taken, inside = [], [], False
    for line in source.split("\n"):
        marker = _MARKER.fullmatch(line)
        if marker and (marker[2] == "BEGIN") == inside:
            raise ReleaseError(f"{here}: " + ("a solution begins inside another" if inside else
                                              "a solution ends that didn't begin"))
        if marker:
            inside = not inside
            kept += [marker[1] + STUB] if inside else []
        elif _LEFT.search(line):
            raise ReleaseError(f"{here}: a marker that isn't on a line of its own, or isn't used here: {line.strip()}")
        else:
            (taken if inside else kept).append(line)
    if inside:
        raise ReleaseError(f"{here}: a solution without its ### END SOLUTION")
    return "\n".join(kept), taken


def _check_leaks(notebook, solutions: list[tuple[str, str]]) -> None:
    """No line of a solution may stand anywhere in what is handed out."""
    shown = {_squeezed(line) for cell in notebook.cells for line in cell.source.split("\n")}
    whole = "\n".join(shown) + _squeezed(str([cell.metadata for cell in notebook.cells]))
    for here, line in solutions:
        code = _squeezed(line.split("  #")[0])
        if code in shown and len(code) >= _PLAIN or len(code) >= 2 * _PLAIN and code in whole:
            raise ReleaseError(f"{here}: the exercise would give away a line of its solution: {line.strip()}")


def _squeezed(line: str) -> str:
    return re.sub(r"\s+", "", line)


def _is_worked_on(path: Path) -> bool:
    """Somebody's answers, or something that isn't a notebook, stand in this file."""
    try:
        cells = read(path)
    except ValueError:
        return True
    return any(cell.run or cell.grader.get("solution") and STUB not in cell.source for cell in cells)
