"""A program run sealed off from everything else on the machine, by bubblewrap.

    with Apart(["python3", "-c", code], Room(shown={"/data": folder}), Limits(seconds=10)) as program:
        program.wait()
    program.ended   # "" if it ended by itself, else why it was stopped
    program.output  # what it wrote

It sees Linux's own programs (/usr), what it is shown, and an empty /tmp; no network, no other process, none of the
environment. When it ends or is stopped, so does all that it started, daemons too; and it ends with whoever started it.
Nothing is ever run without the seal: where it cannot be had, ``refusal()`` says why, and Apart raises Unsealed.

Who holds the limits: the kernel those on one process (memory to address, size of a file, open files), on the number of
processes, on /tmp and /dev/shm; a look every fifth of a second those on all processes together (memory, files, output,
time). So for a moment the sum may be passed. Memory that two processes share counts twice.
Started by root, the program runs as a user that nobody else is; otherwise in a user namespace.

**Not done**: control groups (they need rights that a teacher's account seldom has); a program may use its processor
as much as it likes until its time is up: give it one of its own (``Room.processor``). If whoever starts it is killed in
the same millisecond, an empty bwrap may stay and wait; the program never begins.
"""

import functools
import os
import re
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kit.classroom import syscalls
from kit.classroom.usage import used

MB = 1 << 20
OLDEST = (0, 8)  # bubblewrap with --disable-userns and --size
LOOK = 0.2  # seconds from one look at a program to the next
KEPT = 20_000  # bytes of its output that are kept
SOMEBODY = 1_900_000_000  # user numbers from here on belong to nobody (systemd.io, Users, Groups, UIDs and GIDs)
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")


class Unsealed(OSError):
    """Here nothing can be run apart; says why, and what to do."""


@dataclass(frozen=True)
class Limits:
    """seconds: by the clock, None for no end; memory, files, output: bytes, of all processes together.

    memory: RAM in use, with the files in /tmp; address: what one process may map, as much as memory if None;
    files: what fits into /tmp and, again, into /dev/shm, and into one file; entries: how many files and folders there;
    opened: files and sockets that one process may have open; processes: threads, too; output: bytes written to stdout
    and stderr before the program is stopped.
    """

    seconds: float | None = 120
    memory: int = 1024 * MB
    address: int | None = None
    processes: int = 16
    files: int = 64 * MB
    entries: int = 10_000
    opened: int = 256
    output: int = 10 * MB


@dataclass(frozen=True)
class Room:
    """What a program sees of the machine.

    shown: what it may read, {path inside: path outside}; in order, so that a later one may lie over an earlier one.
    kept: what it may also write, and what stays, in the same form.
    environment: all of its environment beside PATH, HOME, LANG, USER. here: its working directory.
    network: the machine's own network, with its loopback; otherwise a loopback of its own and nothing else.
    processor: the number of the processor that it stays on, None for all.
    user: the number of the user that it runs as when root starts it; that user needs rights on what is kept.
    """

    shown: Mapping[str, os.PathLike | str] = field(default_factory=dict)
    kept: Mapping[str, os.PathLike | str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    here: str = "/tmp"
    network: bool = False
    processor: int | None = None
    user: int | None = None


def start(program: Sequence[str], room: Room = Room(), limits: Limits = Limits(), **popen) -> subprocess.Popen:
    """Start a program apart. popen: more for subprocess.Popen (stdout, pass_fds, ...); kill() ends all of it.

    What the kernel doesn't hold is the caller's to watch: ``trespass(process.pid, limits)``, and the time.
    """
    if words := refusal():
        raise Unsealed(words)
    return _start(program, room, limits, **popen)


class Apart:
    """A program that runs apart, watched by a thread of its own. Leaving the block ends it."""

    def __init__(self, program: Sequence[str], room: Room = Room(), limits: Limits = Limits(), **popen):
        self.ended = ""  # why it was stopped
        self.output = b""  # the beginning of what it wrote to stdout and stderr
        self._limits, self._end = limits, None if limits.seconds is None else time.monotonic() + limits.seconds
        self.process = start(program, room, limits, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, **popen)
        self._written = 0
        self._watch = threading.Thread(target=self._watched, daemon=True)
        self._watch.start()

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def wait(self) -> int:
        """Wait until it has ended, by itself or stopped: its exit code, below 0 for a signal."""
        self._watch.join()
        return self.process.returncode

    def stop(self, why: str = "") -> None:
        """End it now, with all that it started."""
        self.ended = self.ended or why
        self.process.kill()
        if threading.current_thread() is not self._watch:
            self._watch.join()

    def _watched(self) -> None:
        try:
            while self.process.poll() is None:
                self._drain(LOOK)
                if self._end is not None and time.monotonic() > self._end:
                    self.stop(f"was still running after {self._limits.seconds:g} seconds")
                elif self._written > self._limits.output:
                    self.stop(f"wrote more than {_size(self._limits.output)}")
                elif words := trespass(self.process.pid, self._limits):
                    self.stop(words)
            self._drain(0)
        finally:  # unwatched it doesn't go on
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def _drain(self, seconds: float) -> None:
        """Read what it writes, for so long; the beginning is kept, the rest counted."""
        end = time.monotonic() + seconds
        while self._written <= self._limits.output:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return
            data = os.read(self.process.stdout.fileno(), MB)
            if not data:  # it has closed its output, which most do by ending
                try:
                    self.process.wait(max(0, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
                return
            self._written += len(data)
            self.output += data[:KEPT - len(self.output)]


def trespass(pid: int, limits: Limits) -> str:
    """Which limit a program that runs apart has passed, "" for none. pid: of the process that start() gave."""
    now = used(pid)
    if now.processes > limits.processes:
        return f"had more than {limits.processes} processes"
    if now.memory > limits.memory:
        return f"used more than {_size(limits.memory)} of memory"
    if now.entries > limits.entries:
        return f"made more than {limits.entries} files"
    return ""


@functools.cache
def refusal() -> str:
    """Why nothing can be run apart on this machine, and what to do; "" if it can. It is tried."""
    missing = [name for name in ("bwrap", "prlimit", "setpriv", "taskset") if not shutil.which(name)]
    if missing:
        return (f"Nothing is run without a seal, and {' and '.join(missing)} cannot be found here. On Debian and "
                "Ubuntu: apt install bubblewrap util-linux. Elsewhere run it in a container of Debian's that may make "
                "namespaces (docker run --privileged, on a machine that has nothing else to lose).")
    version = subprocess.run(["bwrap", "--version"], capture_output=True, text=True).stdout.strip()
    if tuple(map(int, re.findall(r"\d+", version)))[:2] < OLDEST:
        return f"This is {version or 'bubblewrap'}; it has to be 0.8 or newer (as in Debian 12 and Ubuntu 24.04)."
    if not syscalls.known():
        return "The filter of system calls is made for x86_64 and aarch64 only; use such a machine."
    tried = _start(["true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    words = tried.communicate()[0].decode(errors="replace").strip()
    if tried.returncode:
        return (f"bubblewrap cannot seal a program off here ({words or f'exit code {tried.returncode}'}). Most often "
                "that is forbidden: Ubuntu since 24.04 allows user namespaces only to programs whose AppArmor profile "
                "has the line \"userns,\", so give /usr/bin/bwrap one; a container needs docker run --privileged.")
    return ""


# ------------------------------------------------------------------ the command line


def _start(program, room=Room(), limits=Limits(), pass_fds=(), **popen) -> subprocess.Popen:
    """Start it, and let it begin when all that ends it is in place: else one that is stopped at once could go on."""
    (ready, tells), (waits, go) = os.pipe(), os.pipe()
    with tempfile.TemporaryFile() as rules, tempfile.TemporaryFile() as options, os.fdopen(ready, "rb") as ready, \
            os.fdopen(go, "wb", buffering=0) as go:
        rules.write(syscalls.program())
        options.write(b"".join(os.fsencode(word) + b"\0" for word in _options(room, limits, rules.fileno())))
        for file in (rules, options):
            file.seek(0)
        line = [*_DIES_WITH, str(os.getpid()), *_processor(room), "bwrap", "--args", str(options.fileno()), "--",
                *_WAITS, str(waits), str(tells), *_user(room), *_resources(limits), "--", *program]
        try:
            process = subprocess.Popen(line, pass_fds=(*pass_fds, rules.fileno(), options.fileno(), waits, tells),
                                       start_new_session=True, env={"PATH": os.defpath}, **popen)  # seen from inside
        finally:
            os.close(waits)
            os.close(tells)
        if ready.readline():  # nothing comes from a bwrap that has failed
            go.write(b"\n")
        return process


# First the signal that comes when the parent ends, then a look whether it hasn't ended already.
_DIES_WITH = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"']
# By now bwrap's own processes have that signal, too; who started them may be gone even so.
_WAITS = ["sh", "-c", 'echo >"/proc/self/fd/$1"; read -r go <"/proc/self/fd/$0" && shift && exec "$@"']


def _processor(room: Room) -> list[str]:
    return [] if room.processor is None else ["taskset", "--cpu-list", str(room.processor)]


def _options(room: Room, limits: Limits, rules: int) -> list[str]:
    """What bwrap shows, takes away and sets; in a file, as every user of the machine can read a command line."""
    line = ["--die-with-parent", "--new-session", "--clearenv", "--seccomp", str(rules), "--hostname", "apart",
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    line += [] if room.network else ["--unshare-net"]
    if _root():
        line += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]  # _user drops them
    else:
        line += ["--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"]
    line += ["--perms", "0755", "--dir", "/etc"]
    for path in SYSTEM:
        line += _system(path)
    line += ["--proc", "/proc", "--dev", "/dev"]
    for path in ("/dev/shm", "/tmp"):
        line += ["--perms", "1777", "--size", str(limits.files), "--tmpfs", path]
    for bind, paths in (("--ro-bind", room.shown), ("--bind", room.kept)):
        for inside, outside in paths.items():
            for folder in reversed(Path(inside).parents[:-1]):  # bwrap would make them for root's eyes only
                line += ["--perms", "0755", "--dir", os.fspath(folder)]
            line += [bind, os.fspath(outside), inside]
    line += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", room.here]
    usual = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "USER": "learner"}
    for name, value in (usual | dict(room.environment)).items():
        line += ["--setenv", name, value]
    return line


def _user(room: Room) -> list[str]:
    """Root becomes somebody else: in a user namespace it would stay root, whose processes the kernel doesn't count."""
    user = str(SOMEBODY + os.getpid() if room.user is None else room.user)
    rights = ["--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return ["setpriv", "--reuid", user, "--regid", user, *rights] if _root() else []


def _resources(limits: Limits) -> list[str]:
    hard = {"nproc": limits.processes + 2, "as": limits.address or limits.memory, "fsize": limits.files,
            "nofile": limits.opened, "core": 0}
    return ["prlimit", *(f"--{name}={value}:{value}" for name, value in hard.items())]


def _root() -> bool:
    return os.geteuid() == 0


def _system(path: str) -> list[str]:
    """A part of the system as it is: /bin is a link to /usr/bin on most."""
    if os.path.islink(path) and not os.path.isfile(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind-try", path, path]


def _size(count: int) -> str:
    return f"{count / MB:g} MB"
