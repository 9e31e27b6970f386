"""A JupyterHub on this machine, for a room: ``python -m kit classroom --students 30``.

Each learner has an account of their own (made with the code that the teacher writes on the board), a folder of their
own with the lessons and the exercises, and a JupyterLab in a box (``kit.classroom.seat``) that sees no other folder.
Everything that lasts is in one folder, the classroom: learners/, the accounts, the hub's log. Starting again with the
same folder goes on where the class stopped.

JupyterHub itself runs in a process of its own, with ``jupyterhub_config.py``, which reads the settings from
classroom.json in that folder.
"""

import ipaddress
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

from kit.classroom import apart

HERE = Path(__file__).parent
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another on a blackboard
NEEDED = {"jupyterhub": "make classroom (or pip install -e '.[teachers]')",
          "configurable-http-proxy": "make classroom (or npm install configurable-http-proxy; it needs Node.js)"}
EVERYWHERE = ("0.0.0.0", "::", "")
SERVER_MB = 500  # of a learner's server and one kernel: from 250 with lesson 18 to 500 with 04 (make bench-classroom)
HUB_MB = 400


@dataclass(frozen=True)
class Classroom:
    """The settings of one classroom. memory_mb: of one learner's server with all its kernels; idle_minutes: after so
    long without anybody at it a server ends; authenticator, config: the teacher's own choice, see JupyterHub."""

    folder: Path
    students: int = 30
    port: int = 8000
    ip: str = "0.0.0.0"
    memory_mb: int = 1536
    idle_minutes: float = 60
    teacher: str = "teacher"
    authenticator: str = "native"
    config: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    code: str = field(default="", repr=False)
    teacher_code: str = field(default="", repr=False)

    def checked(self) -> "Classroom":
        """The same, with codes; ValueError says what cannot be."""
        if self.students < 1:
            raise ValueError(f"--students is how many learners there are, at least 1, not {self.students}")
        if self.memory_mb < 300:
            raise ValueError(f"--memory-mb is {self.memory_mb}: a server with one lesson needs at least 300, better 1536")
        if not self.idle_minutes > 0:
            raise ValueError(f"--idle-minutes is above 0, not {self.idle_minutes:g}")
        if bool(self.certificate) != bool(self.key):
            raise ValueError("--certificate and --key belong together: give both, or neither")
        for file in (self.config, self.certificate, self.key):
            if file and not file.is_file():
                raise ValueError(f"there is no file {file}")
        if self.authenticator == "dummy" and not is_loopback(self.ip):
            raise ValueError(f"the dummy authenticator lets anybody in as anybody, and {self.ip} can be reached from other "
                             "machines. Use --ip 127.0.0.1 to try things out alone, or leave --authenticator away.")
        return replace(self, code=self.code or new_code(), teacher_code=self.teacher_code or new_code())

    @property
    def address(self) -> str:
        scheme = "https" if self.certificate else "http"
        host = socket.gethostname() if self.ip in EVERYWHERE else self.ip
        return f"{scheme}://{host}:{self.port}"


def run(room: Classroom) -> int:
    """Start the hub and stay until it ends (Ctrl+C ends it); the hub's exit code."""
    for tool, remedy in NEEDED.items():
        if not find(tool):
            raise ValueError(f"{tool} is not installed: {remedy}")
    if refusal := apart.refusal():
        raise ValueError(refusal)
    room = prepare(room)
    log = room.folder / "hub.log"
    with open(log, "ab") as out:
        hub = subprocess.Popen([find("jupyterhub"), "--config", HERE / "jupyterhub_config.py"], cwd=room.folder,
                               env=environment(room), stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: hub.terminate())  # whoever ends this command ends the hub
    try:
        if answers(room, hub):
            print(words(room), flush=True)
        code = hub.wait()
    except KeyboardInterrupt:
        hub.terminate()
        code = hub.wait()
    if code > 0:
        print(f"The hub ended by itself; the last lines of {log}:\n" + "".join(log.read_text().splitlines(True)[-15:]),
              file=sys.stderr)
        return 2
    print(f"\nThe hub has ended. All work is in {room.folder / 'learners'}.")
    return 0


def answers(room: Classroom, hub: subprocess.Popen) -> bool:
    """Wait until somebody can sign in; False if the hub ends before."""
    here = "127.0.0.1" if room.ip in EVERYWHERE else room.ip
    connect = partial(HTTPSConnection, context=ssl._create_unverified_context()) if room.certificate else HTTPConnection
    while hub.poll() is None:
        try:
            asked = connect(here, room.port, timeout=5)
            asked.request("GET", "/hub/health")
            if asked.getresponse().status == 200:
                return True
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.2)
    return False


def prepare(room: Classroom) -> Classroom:
    """The folder of the classroom, its settings on file. A code that is on file is kept: learners know it."""
    folder = room.folder.expanduser().absolute()
    file = folder / "classroom.json"
    if file.exists() and not room.code:
        before = json.loads(file.read_text())
        room = replace(room, code=before["code"], teacher_code=before["teacher_code"])
    room = replace(room, folder=folder).checked()
    (folder / "learners").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    file.write_text(json.dumps({name: os.fspath(value) if isinstance(value, Path) else value
                                for name, value in asdict(room).items()}, indent=1) + "\n")
    file.chmod(0o600)
    return room


def load(folder: Path) -> Classroom:
    """The settings on file."""
    values = json.loads((folder / "classroom.json").read_text())
    return Classroom(**{name: Path(value) if value and name in ("folder", "config", "certificate", "key") else value
                        for name, value in values.items()})


def environment(room: Classroom) -> dict:
    """What the hub's process knows: where the classroom is and where the programs are."""
    names = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "JUPYTER"))}
    folders = [os.path.dirname(find(tool)) for tool in NEEDED] + [names.get("PATH", os.defpath)]
    return names | {"KIT_CLASSROOM": os.fspath(room.folder), "PATH": os.pathsep.join(folders)}


def words(room: Classroom) -> str:
    """What the teacher reads at the start."""
    lines = [f"The classroom is open: {room.address}", f"All work is kept in {room.folder}."]
    if room.authenticator == "native":
        lines += [f"  On the board:         sign up with the class code  {room.code}",
                  f"  For you alone:        sign up as {room.teacher} with the code  {room.teacher_code}"]
    if not room.certificate and not is_loopback(room.ip):
        lines.append("Passwords travel unencrypted in this network: give --certificate and --key if it isn't your own.")
    if (needs := HUB_MB + room.students * SERVER_MB) > (has := memory_mb()):
        lines.append(f"{room.students} learners at once need about {needs / 1000:.0f} GB, and this machine has "
                     f"{has / 1000:.0f}: about {max(0, int((has - HUB_MB) / SERVER_MB))} fit. See kit/classroom/TEACHERS.md.")
    lines.append("Ctrl+C ends it.")
    return "\n".join(lines)


def find(tool: str) -> str | None:
    """The path of a program: beside this Python first, then on the PATH."""
    return shutil.which(tool, path=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]))


def new_code() -> str:
    """Eight letters and digits, with a dash in between: a million million possible ones, near enough."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def is_loopback(ip: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return ip == "localhost"


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def memory_mb() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_000_000
