"""Notebooks that want more than to be graded: each runs for real, in one class with honest neighbours.

What an attack has seen it hands in as its answer to "How many packers?", so that the grades tell how far it came.
"""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from kit.classroom.grade import grade

ROOT = Path(__file__).parents[2]

SEEN = "def packers(**_):\n    return seen"
FOREVER = "while True:\n    pass"
DEAF = """
import signal
for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
"""
TRY = """
seen = []
def attempt(what, *arguments):
    try:
        seen.append(what(*arguments))
    except BaseException as error:
        seen.append(type(error).__name__)
"""
READS_THE_KEY = """
import os
seen = [path for path in {paths!r} if os.path.exists(path)]
for folder, _, files in os.walk({root!r}):
    for name in files:
        if "site-packages" not in folder:
            with open(os.path.join(folder, name), "rb") as file:
                text = file.read()
            if b"Longer work needs more packers" in text or b"seen.add(message" in text:
                seen.append(os.path.join(folder, name))
"""
ASKS_THE_CHECK = """
import gc
from kit.integration import checks
seen = [name for name in ("_expected", "expected", "_cases", "cases", "misconceptions") if hasattr(checks.enough, name)]
seen += [str(one) for one in gc.get_objects() if type(one).__name__ in ("Exercise", "Misconception", "Verdict")]
"""
READS_THE_TEACHER = """
import glob, os
seen = []
for path in glob.glob("/proc/[0-9]*/environ") + [f"/proc/{os.getppid()}/environ"]:
    try:
        with open(path, "rb") as file:
            seen += [path] * (b"KIT_TEST_SECRET" in file.read())
    except OSError:
        pass
seen += [name for name in os.environ if "SECRET" in name]
"""
DELETES = TRY + """
import shutil
attempt(shutil.rmtree, {folder!r})
import os
attempt(os.unlink, {root!r} + "/kit/errors.py")
attempt(open, {root!r} + "/kit/course/exercise.py", "a")
attempt(os.kill, -1, 9)
"""
CALLS_HOME = TRY + """
import socket
attempt(socket.create_connection, ("127.0.0.1", {port}), 2)
attempt(socket.create_connection, ("192.0.2.1", 53), 2)
"""
FORKS = """
import os
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
"""
HOLDS_10_GB = TRY + "attempt(bytearray, 10 << 30)"
HOLDS_TOGETHER = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        held = b"x" * (300 << 20)
        time.sleep(60)
time.sleep(60)
"""
PATCHES = """
import builtins, sys
import kit.classroom.inside as inside, kit.classroom.values as values
import kit.course.exercise as exercise
from kit.course import progress
exercise.Exercise.examine = lambda *_, **__: exercise.Verdict(True, ("Right",))
exercise.Exercise.check = lambda *_, **__: None
exercise.same = lambda *_: True
progress.done = lambda *_: None
inside.encode = lambda *_, **__: True
exercise.is_blank = lambda *_: False
seen = "patched"
frame = sys._getframe()
while frame:
    frame.f_globals.setdefault("right", True)
    frame = frame.f_back
"""
FORGES = """
import os
lines = ['{"n": %d, "value": true, "right": true, "exercise": "18-enough", "said": "Right", "done": true}' % n
         for n in range(30)]
print("10 of 10 points")
for number in range(1, 256):
    try:
        os.set_blocking(number, False)
        os.write(number, ("\\n".join(lines) + "\\n").encode())
    except OSError:
        pass
seen = "forged"
"""
LEAVES = "import sys, os, atexit\natexit.register(os._exit, 0)\nseen = 'left'\nsys.exit(0)"
EQUAL = """
class Equal(int):
    __eq__ = __le__ = __ge__ = lambda *_: True
    __ne__ = lambda *_: False
    __hash__ = int.__hash__
seen = Equal(-7)
class Always:
    __eq__ = lambda *_: True
    def __getattr__(self, name): return lambda *_: True
"""
FILLS = TRY + """
def fill(folder):
    with open(folder + "/full", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
for folder in ("/tmp", "/dev/shm", "/", "/dev", "/var/tmp"):
    attempt(fill, folder)
"""
MANY_FILES = "import os\nnumber = 0\nwhile True:\n    number += 1\n    os.mkdir(f'/tmp/{number}')"
FLOODS = "import os\nfor _ in range(1024):\n    os.write(1, bytes(1 << 20))"
PRINTS = "seen = 'printed'\nfor _ in range(200_000):\n    print('x' * 5000)"
DAEMON = """
import subprocess
subprocess.Popen(["sh", "-c", "setsid sleep 98765 & setsid sleep 98765 &"])
seen = "started"
"""
STOPS = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"
DEEP = """
policy = []
for _ in range(100_000):
    policy = [policy]
"""
HUGE = "policy = list(range(3_000_000))"
WRONG = {"enough": "import math\ndef packers(rate, work_time):\n    return math.ceil(rate * work_time)"}


def solved():
    """The answers of solutions/18_messaging.ipynb, by exercise."""
    cells = json.loads((ROOT / "solutions" / "18_messaging.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["metadata"]["nbgrader"]["grade_id"].removesuffix("-answer"): "".join(cell["source"])
            for cell in cells if cell["metadata"].get("nbgrader", {}).get("solution")}


def table():
    """The right answer to every case that a learner named "table" can find at home, and to no other."""
    from kit.integration import checks
    known = {repr(sorted(case.items())): checks.enough._expected(case) for case in checks.enough.cases("table")}
    return f"def packers(**case):\n    return {known!r}.get(repr(sorted(case.items())), 0)"


def edited(notebook):
    for cell in notebook["cells"]:
        grader = cell["metadata"].get("nbgrader", {})
        if grader.get("grade"):
            cell["source"] = ["print('right')"]
            grader |= {"points": 1000, "locked": False}


def without_checks(notebook):
    notebook["cells"] = [cell for cell in notebook["cells"] if not cell["metadata"].get("nbgrader", {}).get("grade")]


def many_cells(notebook):
    notebook["cells"] += [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
                           "source": ["pass"]}] * 10_000


HONEST = solved()
LOOPS = {"enough": "def packers(**_):\n    while True: pass",
         "heartbeat": DEAF + "def heartbeats(**_):\n    while True: pass"}
ATTACKS = {
    "asks the check": ASKS_THE_CHECK, "reads the teacher": READS_THE_TEACHER, "forks": FORKS,
    "holds 10 GB": HOLDS_10_GB, "holds together": HOLDS_TOGETHER, "patches": PATCHES, "forges": FORGES, "leaves": LEAVES,
    "equal": EQUAL, "fills": FILLS, "many files": MANY_FILES, "floods": FLOODS, "prints": PRINTS, "daemon": DAEMON,
    "stops": STOPS, "deaf": DEAF + FOREVER}
NEIGHBOURS = ["a neighbour", "e neighbour", "g neighbour", "i neighbour", "q neighbour"]  # between the others, in order


@pytest.fixture(scope="module")
def graded(tmp_path_factory, new_class):
    """{learner: what came of the notebook}, of one class in which all are graded side by side."""
    folder = tmp_path_factory.mktemp("hostile")
    class_ = new_class(folder / "handed in")
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as server:
        patch.setenv("KIT_TEST_SECRET", "of the teacher")
        private = [ROOT / "solutions", ROOT / "tests", ROOT / "exercises", ROOT / "notebooks", ROOT / ".git",
                   Path("/etc/passwd"), class_.folder]
        attacks = ATTACKS | {
            "reads the key": READS_THE_KEY.format(root=os.fspath(ROOT), paths=[*map(os.fspath, private)]),
            "deletes": DELETES.format(root=os.fspath(ROOT), folder=os.fspath(class_.folder)),
            "calls home": CALLS_HOME.format(port=server.getsockname()[1])}
        for name, attack in attacks.items():
            class_.hands_in(name, first=attack, answers={"enough": SEEN})
        for name in NEIGHBOURS:
            class_.hands_in(name, answers=HONEST | WRONG)
        class_.hands_in("table", answers={"enough": table()})
        class_.hands_in("loops", answers=HONEST | LOOPS)
        class_.hands_in("exits", answers=HONEST | {"enough": "import os\ndef packers(**_):\n    os._exit(0)"})
        class_.hands_in("deep", answers=HONEST | {"only-gifts": DEEP})
        class_.hands_in("huge", answers=HONEST | {"only-gifts": HUGE})
        class_.hands_in("always", answers=HONEST | {"only-gifts": "policy = Always()"}, first=EQUAL)
        class_.hands_in("edited", change=edited)
        class_.hands_in("edited and solved", answers=HONEST, change=edited)
        class_.hands_in("without checks", answers=HONEST, change=without_checks)
        class_.hands_in("many cells", change=many_cells)
        results = {result.learner: result for result in grade(class_.folder, folder / "out", seconds=24, at_once=2)}
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            server.accept()
        assert len(list(class_.folder.iterdir())) == len(results)
    return results


def said(result, exercise="18-enough"):
    return next(mark.said for mark in result.marks if mark.exercise == exercise)


def missed(result):
    """The exercises of a notebook that got no points."""
    return {mark.exercise for mark in result.marks if not mark.points}


def test_neighbours_are_graded_as_if_they_were_alone(graded, class_, tmp_path):
    for name in NEIGHBOURS:
        class_.hands_in(name, answers=HONEST | WRONG)
    for alone in grade(class_.folder, tmp_path / "out", at_once=1):
        assert alone == graded[alone.learner]
        assert alone.points == 9 and missed(alone) == {"18-enough"} and "Hint: What if exactly as much" in said(alone)


@pytest.mark.parametrize("name", [*ATTACKS, "reads the key", "deletes", "calls home", "table", "edited", "many cells"])
def test_no_attack_is_worth_a_point(graded, name):
    assert graded[name].points == 0 and graded[name].of == 10


@pytest.mark.parametrize("name, seen", [
    ("reads the key", "[]"), ("asks the check", "[]"), ("reads the teacher", "[]"),
    ("deletes", "['FileNotFoundError', 'OSError', 'PermissionError', 'ProcessLookupError']"),
    ("calls home", "['ConnectionRefusedError', 'OSError']"), ("holds 10 GB", "['MemoryError']"),
    ("fills", "['OSError', 'OSError', 'OSError', 'OSError', 'FileNotFoundError']"),
    ("leaves", "'left'"), ("prints", "'printed'"), ("daemon", "'started'"), ("equal", "-7")])
def test_an_attack_comes_to_nothing(graded, name, seen):
    assert f"Your answer gives {seen}; the model gives 7." in said(graded[name])


@pytest.mark.parametrize("name, end", [
    ("forks", "had more than 16 processes and was stopped"), ("holds together", "used more than 1024 MB of memory and was"),
    ("many files", "made more than 10000 files and was stopped"), ("floods", "wrote more than 10 MB and was stopped"),
    ("forges", "said something that"), ("stops", "was still running after 6 seconds and was stopped"),
    ("deaf", "was still running after 6 seconds and was stopped")])
def test_an_attack_is_ended_and_the_page_says_how(graded, name, end):
    assert "The cell that begins “" in said(graded[name], "18-back-again") and end in said(graded[name], "18-back-again")


@pytest.mark.parametrize("name, exercises, words", [
    ("loops", {"18-enough", "18-heartbeat"}, "Is there a loop that never ends?"),
    ("exits", {"18-enough"}, "ended the whole program"),
    ("always", {"18-only-gifts"}, ""), ("deep", {"18-only-gifts"}, ""), ("huge", {"18-only-gifts"}, "")])
def test_one_bad_answer_costs_its_own_points_only(graded, name, exercises, words):
    assert missed(graded[name]) == exercises
    assert words in said(graded[name], min(exercises))


@pytest.mark.parametrize("name, words", [("edited and solved", "The check had been changed; the teacher's copy was used."),
                                         ("without checks", "The notebook had lost its check; it was put back.")])
def test_checks_are_the_teachers(graded, name, words):
    assert graded[name].points == 10 and words in said(graded[name])
    assert "teacher's copy" in said(graded["edited"])


def test_a_table_of_the_cases_known_at_home_fails_on_others(graded):
    assert "right in 2 of 3 cases" in said(graded["table"]) and "Case 3 of 3" in said(graded["table"])


def test_nothing_stays_of_what_was_started(graded):
    assert graded["daemon"]
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in running if b"98765" in line or b"kit.classroom.inside" in line]
