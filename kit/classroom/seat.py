"""One learner's place: a folder of their own, and a JupyterLab in a box that sees no other learner's.

The box (``kit.classroom.apart``) has the learner's folder to write in, and Python and its packages to read. It keeps
the network, since the hub has to reach the server and the server the hub; what listens there asks for a sign-in.
"""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import random_port
from traitlets import Integer, Unicode

from kit.classroom import apart, start

PROJECT = Path(__file__).parents[2]
HOME = "/home/learner"
# The course's settings, without Jupyter's news; and a class's own: without nbgrader's menu and buttons, the teacher's tools,
# and with kernels that speak over files in the learner's folder: over the machine's loopback, which all boxes share, anybody
# could listen to what they print.
SETTINGS = PROJECT / "kit" / "classroom" / "jupyter", PROJECT / "kit" / "course" / "jupyter"
OWNERS = apart.SOMEBODY + 10_000_000  # user numbers of learners, where root starts the hub

_starting = asyncio.Semaphore(max(2, os.cpu_count() or 1))


class Seat(LocalProcessSpawner):
    """room: the classroom's folder; memory_mb: what a server and its kernels may take together."""

    room = Unicode(config=True)
    memory_mb = Integer(1536, config=True)

    @property
    def folder(self) -> Path:
        return Path(self.room) / "learners" / self.user.name

    @property
    def limits(self) -> apart.Limits:
        memory = self.memory_mb * apart.MB  # threads reserve several times the addresses that they ever use
        return apart.Limits(seconds=None, memory=memory, address=4 * memory, processes=256, opened=4096,
                            files=256 * apart.MB, entries=100_000)

    async def start(self):
        """Start the server, which lays out the folder first; where it listens, as soon as it does.

        Only a few start at a time: of a class that begins at once, the first then work while the last still wait.
        """
        async with _starting:
            return await self._start()

    async def _start(self):
        owner = OWNERS + self.user.orm_user.id if os.geteuid() == 0 else None
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if owner is not None:
            os.chown(self.folder, owner, owner)
        self.port = self.port or random_port()
        shown = [sys.base_prefix, sys.prefix, *(os.fspath(PROJECT / name) for name in start.LAID_OUT)]
        room = apart.Room(shown={path: path for path in dict.fromkeys(shown)}, kept={HOME: self.folder}, here=HOME,
                          network=True, user=owner, environment=self.get_env())
        command = [sys.executable, "-I", "-m", start.__name__, *self.cmd, *self.get_args()]
        logs = Path(self.room) / "logs"  # not in the learner's folder: what is written there, the learner says where to
        logs.mkdir(exist_ok=True)
        with open(logs / f"{self.user.name}.log", "wb") as log:
            self.proc = apart.start(command, room, self.limits, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.proc.pid
        while self.proc.poll() is None and not listens(self.port):
            await asyncio.sleep(0.2)
        return "127.0.0.1", self.port

    async def poll(self):
        """None while it runs, as JupyterHub asks every few seconds; a server that takes too much is ended."""
        if self.proc and self.proc.poll() is None and (words := apart.trespass(self.proc.pid, self.limits)):
            self.log.warning("%s: the server %s and was ended", self.user.name, words)
            self._end()
        return await super().poll()

    async def stop(self, now=False):
        """End all of it at once: nothing is lost, as a learner's files are written when they are saved."""
        if self.proc:
            self._end()

    def _end(self):
        self.proc.kill()
        self.proc.wait()

    def user_env(self, env):
        path = os.pathsep.join([os.path.dirname(sys.executable), "/usr/bin", "/bin"])
        return env | {"USER": self.user.name, "HOME": HOME, "SHELL": "/bin/bash", "PATH": path, "PYTHONPATH": HOME,
                      "JUPYTER_CONFIG_PATH": os.pathsep.join(map(os.fspath, SETTINGS))}


def listens(port: int) -> bool:
    """Whether a server is there."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
