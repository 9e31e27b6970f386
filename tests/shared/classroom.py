"""A classroom for tests: ``python -m kit classroom`` on loopback, in a folder of its own, until the block ends."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from kit.classroom.hub import free_port

ROOT = Path(__file__).parents[2]


class Hub:
    """address, code, teacher_code: as the teacher reads them; more: further arguments of the command."""

    def __init__(self, folder: Path, students: int, *more: str):
        self.folder, port = folder, free_port()
        path = os.pathsep.join([os.fspath(ROOT / ".venv" / "hub" / "node_modules" / ".bin"), os.environ["PATH"]])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kit", "classroom", "--students", str(students), "--folder", os.fspath(folder), "--ip",
             "127.0.0.1", "--port", str(port), *more], cwd=ROOT, env=os.environ | {"PATH": path}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = ""
        while "Ctrl+C" not in said and (line := self.process.stdout.readline()):
            said += line
        if "Ctrl+C" not in said:
            raise RuntimeError(f"the hub did not start: {said}\n{(folder / 'hub.log').read_text()[-3000:]}")
        self.said, self.address = said, re.search(r"is open: (\S+)", said)[1]
        self.code, self.teacher_code = re.search(r"class code\s+(\S+)", said)[1], re.search(r"the code\s+(\S+)", said)[1]

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=120)


def memory_mb(root: int) -> float:
    """What a process and its descendants use, in MB: what they share counts once (proc(5), smaps_rollup, Pss)."""
    total = 0
    for pid in descendants(root):
        try:
            total += int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return total / 1000


def descendants(root: int) -> list[int]:
    """A process and all that it started, from /proc."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(name))
    found, ahead = [], [root]
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        ahead += children.get(pid, ())
    return found
