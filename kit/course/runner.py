"""Run a learner's notebook in a process of its own, and see which exercises are solved.

The notebook's file is only read. Its cells run in a fresh kernel, from the notebook's folder, one after the other,
whether one fails or not. A cell that doesn't end in time is interrupted; a kernel that takes no notice is killed, and
a new one repeats what had worked so far. Check cells run as solutions/ has them, whatever became of them since.
The learner's name is taken from the progress file, which stays as it is.

**Not done**: what a notebook does, it does with your own rights. Check those of strangers where nothing is yours.
"""

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL

from kit.course import progress
from kit.course.notebook import Cell, read
from kit.course.syllabus import ROOT

CELL = 30.0  # seconds for one cell
WHOLE = 300.0  # seconds for a notebook
INTERRUPT = 3.0  # seconds in which an interrupted kernel has to answer


@dataclass(frozen=True)
class Result:
    """What came of one exercise: points got and possible, and what the learner is told."""

    id: str
    title: str
    got: float
    points: float
    words: str


def check(notebook: Path, whole: float = WHOLE, cell: float = CELL, solutions: Path | None = None) -> list[Result]:
    """Every exercise of a notebook, in order. ValueError if there is none, or if the file is no notebook."""
    notebook = Path(notebook).absolute()
    cells = [one for one in read(notebook) if one.kind == "code" or one.source.startswith("#")]
    originals = _originals(cells, Path(solutions or ROOT / "solutions"))
    if not originals:
        raise ValueError(f"{notebook.name} has no exercises in it")
    results, title, troubles = {}, "", []
    with tempfile.TemporaryDirectory() as folder, _Kernel(notebook.parent, Path(folder), whole, cell) as kernel:
        for one in cells:
            if one.kind != "code":
                title = one.source.splitlines()[0].lstrip("# ")
                continue
            if one.exercise is None:
                trouble, _ = kernel.run(one.source)
                troubles += [f"The cell that begins “{_first(one.source)}” {trouble}"] if trouble else []
            elif one.exercise in originals:
                source, points = originals[one.exercise]
                trouble, said = kernel.run(source, keep=False)
                words = [said, *troubles] if trouble else [said]
                if one.source.strip() != source.strip():
                    words.append("The check had been changed; this is what the original says.")
                results[one.exercise] = Result(one.exercise, title or one.exercise, 0 if trouble else points, points,
                                               "\n".join(filter(None, words)))
                troubles = []
    return [results.get(exercise) or Result(exercise, exercise, 0, points, "Its check is missing from the notebook.")
            for exercise, (_, points) in originals.items()]


def _originals(cells: list[Cell], solutions: Path) -> dict[str, tuple[str, float]]:
    """The check cells that the notebook should have: {id: (source, points)}."""
    def checks(those):
        return {one.exercise: (one.source, one.grader.get("points", 0)) for one in those if one.exercise}

    mine = checks(cells)
    for path in sorted(solutions.glob("*.ipynb")):
        theirs = checks(read(path))
        if mine.keys() & theirs.keys():
            return theirs
    return mine


def _first(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return lines[0][:60] if lines else ""


class _Kernel:
    """A kernel with time limits, which survives its death."""

    def __init__(self, here: Path, scratch: Path, whole: float, cell: float):
        self._end, self._whole, self._limit = time.monotonic() + whole, whole, cell
        self._done = []  # the cells that worked, to repeat after a restart
        mine = progress.where(here)
        if mine and mine.is_file():
            shutil.copy(mine, scratch / "progress.json")
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._start = dict(
            cwd=str(here), stdout=DEVNULL, stderr=DEVNULL, extra_arguments=["--HistoryManager.hist_file=:memory:"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "KIT_PROGRESS": str(scratch / "progress.json")})

    def __enter__(self) -> "_Kernel":
        from jupyter_client.manager import KernelManager

        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(**self._start)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, *_) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(self, source: str, keep: bool = True) -> tuple[str, str]:
        """Run a cell: what went wrong ("" if nothing), and what the learner was told in words."""
        left = self._end - time.monotonic()
        if left <= 0:
            return "was not reached.", f"Not reached: the {self._whole:g} seconds for the whole notebook were over."
        trouble, said = self._run(source, min(left, self._limit))
        if trouble:
            return trouble, said
        self._done += [source] * keep
        return "", said

    def _run(self, source: str, seconds: float) -> tuple[str, str]:
        request = self._client.execute(source, store_history=False, allow_stdin=False, stop_on_error=False)
        end, said, trouble = time.monotonic() + seconds, "", ""
        for message in self._messages(request, end):
            content = message["content"]
            if message["msg_type"] in ("display_data", "execute_result"):
                said = content["data"].get("text/plain", said)
            elif message["msg_type"] == "error":
                trouble = f"failed with {content['ename']}: {content['evalue']}"
                said = content["evalue"] if content["ename"] == "NotYet" else f"It {trouble}"
            elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                return trouble, said
        if self._manager.is_alive() and self._interrupted(request):
            trouble = f"was still running after {seconds:.0f} seconds and was stopped. Is there a loop that never ends?"
        else:
            alive = self._manager.is_alive()
            trouble = (f"was still running after {seconds:.0f} seconds, could not be interrupted and was killed."
                       if alive else "ended the whole kernel.")
            self._again()
        return trouble, f"It {trouble}"

    def _messages(self, request: str, end: float):
        """What the kernel says about a request, until the time is up or the kernel is dead."""
        while time.monotonic() < end:
            try:
                message = self._client.get_iopub_msg(timeout=0.2)
            except Empty:
                if not self._manager.is_alive():
                    return
                continue
            if message["parent_header"].get("msg_id") == request:
                yield message

    def _interrupted(self, request: str) -> bool:
        self._manager.interrupt_kernel()
        return any(message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
                   for message in self._messages(request, time.monotonic() + INTERRUPT))

    def _again(self) -> None:
        """A new kernel that has done what had worked in the old one."""
        self.__exit__()
        self.__enter__()
        worked, self._done = self._done, []
        for source in worked:
            self.run(source)


def report(results: list[Result]) -> str:
    """The results as lines of text, exercise by exercise, and the total."""
    lines = []
    for result in results:
        lines.append(f"{'right  ' if result.got else 'not yet'}  {result.got:g}/{result.points:g}  {result.title}")
        if not result.got:
            lines += [f"         {line}" for line in result.words.splitlines()]
    got, points = sum(result.got for result in results), sum(result.points for result in results)
    return "\n".join([*lines, f"{got:g} of {points:g} points"])
