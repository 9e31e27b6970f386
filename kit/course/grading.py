"""Check a learner's notebook: run it apart, within a time limit, and report exercise by exercise.

It runs in a process of its own on a copy, from the notebook's own folder; the learner's file is left as it is.
It is not a prison: whoever grades strangers' work needs one around it.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PER_CELL = 20  # seconds, after which a cell is stopped and the next one tried

RUN = """
import asyncio, json, os, sys
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
source, result, folder, per_cell = sys.argv[1:5]
notebook = nbformat.read(source, as_version=4)
client = NotebookClient(notebook, timeout=float(per_cell), interrupt_on_timeout=True, allow_errors=True,
                        resources={"metadata": {"path": folder}})
try:
    client.execute()
except DeadKernelError:
    pass
finally:
    nbformat.write(notebook, result)
"""


@dataclass(frozen=True)
class Row:
    """One exercise of a report."""

    name: str
    points: int
    passed: bool
    words: str


@dataclass(frozen=True)
class Report:
    """What came of a notebook. ``note``: what went wrong with the whole of it, if anything."""

    rows: tuple[Row, ...]
    note: str = ""

    @property
    def points(self) -> int:
        return sum(row.points for row in self.rows if row.passed)

    @property
    def all_passed(self) -> bool:
        return not self.note and all(row.passed for row in self.rows)

    def __str__(self) -> str:
        lines = []
        for row in self.rows:
            lines.append(f"{'passed ' if row.passed else 'not yet'}  {row.points if row.passed else 0}/{row.points}  {row.name}")
            if not row.passed:
                lines += [f"             {line}" for line in row.words.splitlines()]
        lines.append(f"{self.points} of {sum(row.points for row in self.rows)} points")
        return "\n".join(lines + ([self.note] if self.note else []))


def check(notebook: Path, timeout: float = 120) -> Report:
    """Run ``notebook`` and report on its check cells. ValueError if it isn't a notebook, or has none."""
    notebook = Path(notebook)
    cells = _graded(_read(notebook))
    if not cells:
        raise ValueError(f"{notebook} has no exercises to check; they stand in exercises/")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.ipynb"
        command = [sys.executable, "-c", RUN, str(notebook.resolve()), str(result), str(notebook.resolve().parent),
                   str(min(PER_CELL, timeout))]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, errors="replace")
            note = "" if done.returncode == 0 or result.exists() else "The notebook could not be run."
        except subprocess.TimeoutExpired:
            note = f"The notebook was stopped after {timeout:g} s; what had not run by then counts as not passed."
        ran = {cell["id"]: cell for cell in _graded(_read(result))} if result.exists() else {}
    return Report(tuple(_row(cell, ran.get(cell["id"])) for cell in cells), note)


def _row(cell, ran) -> Row:
    nbgrader = cell["metadata"]["nbgrader"]
    outputs = ran["outputs"] if ran else []
    errors = [output for output in outputs if output["output_type"] == "error"]
    passed = bool(ran) and ran.get("execution_count") is not None and not errors
    words = ("It was not run." if not ran or ran.get("execution_count") is None else
             errors[0]["evalue"] if errors and errors[0]["ename"] == "NotYet" else
             f"The check could not be run: {errors[0]['ename']}: {errors[0]['evalue']}" if errors else "")
    return Row(nbgrader["grade_id"], nbgrader["points"], passed, words)


def _graded(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")
            and cell["cell_type"] == "code"]


def _read(path: Path) -> dict:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}") from None
    except (ValueError, UnicodeDecodeError):
        raise ValueError(f"{path} is damaged or is not a notebook: it isn't JSON") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError(f"{path} is not a notebook: it has no cells")
    return notebook
