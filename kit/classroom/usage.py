"""What a program that runs apart uses, with all that it has started: seen from outside, in /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

SCRATCH = ("/tmp", "/dev/shm")  # where it may write; both lie in memory


@dataclass(frozen=True)
class Usage:
    """processes: threads, too, without bwrap's own two; memory: bytes, with files; entries: files and folders."""

    processes: int
    memory: int
    entries: int


def used(pid: int) -> Usage:
    """What the program of a bwrap process uses now. Memory that two processes share counts twice."""
    tree = _tree(pid)
    files, entries = _scratch(tree)
    return Usage(sum(task.threads for task in tree.values()) - 2, files + sum(task.memory for task in tree.values()),
                 entries)


@dataclass(frozen=True)
class _Task:
    threads: int
    memory: int  # bytes


def _tree(root: int) -> dict[int, _Task]:
    """A process and all its descendants (proc_pid_stat(5): fields 4, 20, 24 are parent, threads, pages in memory)."""
    tasks, children = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()  # from field 3 on
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        tasks[int(name)] = _Task(int(fields[17]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))
        children.setdefault(int(fields[1]), []).append(int(name))
    found, ahead = {}, [root] if root in tasks else []
    while ahead:
        pid = ahead.pop()
        found[pid] = tasks[pid]
        ahead += children.get(pid, ())
    return found


def _scratch(tree: dict[int, _Task]) -> tuple[int, int]:
    """Bytes and entries in a program's own folders; (0, 0) as long as they aren't there."""
    for pid in list(tree)[2:]:  # only root may look into bwrap's own two
        try:
            mounts = [os.statvfs(f"/proc/{pid}/root{path}") for path in SCRATCH]
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        return (sum((one.f_blocks - one.f_bfree) * one.f_frsize for one in mounts),
                sum(one.f_files - one.f_ffree for one in mounts))
    return 0, 0
