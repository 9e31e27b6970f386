"""make bench-classroom: a class of 30 at one hub on this machine; one figure a line (name value unit).

For another class: make bench-classroom STUDENTS=8 LESSON=04_serverless.

All sign in at once, start their servers, open a lesson, run it from top to bottom, move a slider, and save. Each
learner is a thread that speaks to the hub as a browser would; requests go to loopback only, and each ends by itself.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, os.fspath(ROOT / "tests" / "shared"))

from classroom import Hub, memory_mb  # noqa: E402
from learner import Learner  # noqa: E402

STUDENTS = int(os.environ.get("STUDENTS", 30))
LESSON = f"notebooks/{os.environ.get('LESSON', '18_messaging')}.ipynb"
MOVES, PAUSE = 20, 1.0  # a slider's moves of each learner, and seconds from one to the next


def show(name: str, value: float, unit: str) -> None:
    print(f"{name} {value:.4g} {unit}", flush=True)


def spread(name: str, values: list[float], unit: str) -> None:
    show(f"{name}_median", statistics.median(values), unit)
    show(f"{name}_p95", sorted(values)[int(0.95 * (len(values) - 1))], unit)
    show(f"{name}_worst", max(values), unit)


def attend(hub: Hub, number: int, together: threading.Barrier) -> dict:
    """One learner's class; seconds of each step. together: all wait here for each other."""
    try:
        return attended(hub, number, together)
    except BaseException:
        together.abort()  # nobody waits for one who has left
        raise


def wait_for_all(one: Learner, together: threading.Barrier) -> None:
    """Wait as a page does: a server hangs up on one that answers no ping for 90 seconds."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(together.wait)
        while not waiting.done():
            one.rest(1.0)
    waiting.result()


def attended(hub: Hub, number: int, together: threading.Barrier) -> dict:
    one, took = Learner(hub.address, f"learner{number:02}", wait=900), {}
    status, words = one.sign_up(hub.code)
    if status != 200:
        raise RuntimeError(words)
    together.wait()
    began = time.monotonic()
    if not one.sign_in():
        raise RuntimeError("no sign-in")
    took["sign_in"] = time.monotonic() - began
    took["start"] = one.start()
    notebook = one.open(LESSON)
    run = one.run(notebook)
    if run.errors:
        raise RuntimeError(str(run.errors[0]))
    took["lesson"] = run.seconds
    comm, panel = next((comm, state) for comm, state in run.panels.items() if state["kind"] == "explorer")
    wait_for_all(one, together)  # now all have their lesson open, and all move their sliders
    took["moves"] = []
    for serial in range(1, MOVES + 1):
        took["moves"].append(one.move(comm, panel, serial))
        time.sleep(PAUSE)
    began = time.monotonic()
    one.save(LESSON, notebook)
    took["save"] = time.monotonic() - began
    wait_for_all(one, together)
    one.close()
    return took


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder), students=STUDENTS) as hub:
        together = threading.Barrier(STUDENTS, timeout=1200)
        with ThreadPoolExecutor(STUDENTS) as pool:
            seats = [pool.submit(attend, hub, number, together) for number in range(STUDENTS)]
            most = 0.0
            while not all(seat.done() for seat in seats):
                most = max(most, memory_mb(hub.process.pid))
                time.sleep(3)
    took = [seat.result() for seat in seats if not seat.exception()]
    failed = [error for seat in seats if (error := seat.exception()) and not isinstance(error, threading.BrokenBarrierError)]
    show("learners", STUDENTS, "")
    show("failures", len(failed), "")
    for error in failed:
        print(repr(error), file=sys.stderr)
    if failed:
        return 1
    for step in ("sign_in", "start", "lesson", "save"):
        spread(step, [one[step] for one in took], "s")
    spread("slider", [1000 * move for one in took for move in one["moves"]], "ms")
    show("memory", most, "MB")
    show("memory_each", most / STUDENTS, "MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
