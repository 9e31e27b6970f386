"""Programs run apart: what they see, what they may, and that nothing of them stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit.classroom import apart, syscalls
from kit.classroom.apart import MB, Apart, Limits, Room
from kit.classroom.outside import python

PYTHON = Room(shown=python())


def run(code: str, room: Room = PYTHON, **limits) -> Apart:
    """A Python program, run apart to its end."""
    with Apart([sys.executable, "-c", code], room, Limits(**{"seconds": 60} | limits)) as program:
        program.wait()
    return program


def processes(marker: str) -> list[str]:
    """The processes on this machine that sleep for so long, and those that seal them off."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"sleep\0{marker}\0".encode() in path.read_bytes():  # the number alone may stand in another's command line
                found.append(path.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def all_gone(marker: str) -> bool:
    """Whether they end, within a time in which the kernel surely has ended them."""
    end = time.monotonic() + 20
    while processes(marker) and time.monotonic() < end:
        time.sleep(0.05)
    return not processes(marker)


def test_a_program_says_what_it_has_to_say_and_ends_by_itself():
    program = run("import sys; print('hello'); sys.exit(3)")
    assert (program.output, program.ended, program.process.returncode) == (b"hello\n", "", 3)


def test_it_sees_the_system_and_what_it_is_shown_and_nothing_else(tmp_path):
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "text").write_text("read me")
    room = Room(shown=PYTHON.shown | {"/some/where": tmp_path / "shown"})
    program = run("import os; print(sorted(os.listdir('/some/where')), open('/some/where/text').read(),"
                  f"os.path.exists({os.fspath(tmp_path)!r}), os.path.exists('/etc/passwd'), os.path.exists('/home'))", room)
    assert program.output == b"['text'] read me False False False\n"


def test_what_is_shown_cannot_be_changed_and_what_is_kept_can(tmp_path):
    for name in ("shown", "kept"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
    room = Room(shown=PYTHON.shown | {"/shown": tmp_path / "shown"}, kept={"/kept": tmp_path / "kept"})
    program = run("for path in ('/shown/x', '/kept/x', '/x', '/dev/x', '/usr/x', '/tmp/x'):\n"
                  "    try: open(path, 'w').close()\n"
                  "    except OSError: print(path)", room)
    assert program.output.split() == [b"/shown/x", b"/x", b"/dev/x", b"/usr/x"]
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["x"]


def test_it_has_no_rights_and_cannot_get_any():
    program = run("import os, re\n"
                  "print(re.findall('Cap(?:Prm|Eff|Bnd|Amb):\\t(.*)', open('/proc/self/status').read()), os.getuid() == 0)\n"
                  "for call in (lambda: os.setuid(0), lambda: os.chroot('/tmp'), lambda: os.sched_setaffinity(0, {0})):\n"
                  "    try: call()\n"
                  "    except OSError: print('refused')")
    assert program.output == b"['0000000000000000', '0000000000000000', '0000000000000000', '0000000000000000'] False\n" \
                             b"refused\nrefused\nrefused\n"


@pytest.mark.parametrize("name", sorted(syscalls.REFUSED))
def test_calls_of_the_kernel_that_are_refused(name):
    number = syscalls.REFUSED[name][syscalls.MACHINES[os.uname().machine][0]]
    program = run("import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
                  f"print(libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno())")
    assert program.output == b"-1 1\n"  # EPERM


def test_a_namespace_of_its_own_is_refused_and_a_thread_is_not():
    program = run("import ctypes, threading\nlibc = ctypes.CDLL(None, use_errno=True)\n"
                  f"print(libc.syscall({syscalls.CLONE[syscalls.MACHINES[os.uname().machine][0]]}, 0x10000011, 0, 0, 0, 0),"
                  "ctypes.get_errno())\n"
                  "thread = threading.Thread(target=print, args=['a thread']); thread.start(); thread.join()")
    assert program.output == b"-1 1\na thread\n"


def test_it_sees_no_process_but_its_own_and_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("KIT_TEST_SECRET", "a secret")
    program = run("import glob, os\nheard = b''\n"
                  "for path in glob.glob('/proc/[0-9]*/environ'):\n"
                  "    try: heard += open(path, 'rb').read()\n"
                  "    except OSError: pass\n"
                  "print(b'secret' in heard.lower(), sorted(os.environ)[:4], len(glob.glob('/proc/[0-9]*')) < 5)",
                  Room(shown=PYTHON.shown, environment={"GIVEN": "1"}))
    assert program.output == b"False ['GIVEN', 'HOME', 'LANG', 'LC_CTYPE'] True\n" \
        or program.output == b"False ['GIVEN', 'HOME', 'LANG', 'PATH'] True\n"


@pytest.mark.parametrize("code, ended, limits", [
    ("while True: pass", "was still running after 1 seconds", {"seconds": 1}),
    ("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", "had more than 16 processes", {}),
    ("import os\nwhile True:\n  try:\n    if not os.fork(): os.setsid(), os._exit(0)\n  except OSError: pass",
     "had more than 16 processes", {}),
    ("import os, time\nfor _ in range(6):\n  if not os.fork(): held = b'x' * (80 << 20); time.sleep(60)\ntime.sleep(60)",
     "used more than 256 MB of memory", {"memory": 256 * MB}),
    ("held = b'x' * (150 << 20)\nopen('/tmp/a', 'wb').write(held)\nimport time; time.sleep(60)",
     "used more than 256 MB of memory", {"memory": 256 * MB, "address": 1024 * MB, "files": 160 * MB}),
    ("import os\nwhile True: os.write(1, bytes(65536))", "wrote more than 10 MB", {}),
    ("import os\nos.close(1); os.close(2)\nwhile True: pass", "was still running after 1 seconds", {"seconds": 1}),
    ("import os\nn = 0\nwhile True: n += 1; os.mkdir(f'/dev/shm/{n}')", "made more than 1000 files", {"entries": 1000})])
def test_limits_of_all_processes_together_end_it(code, ended, limits):
    program = run(code, **limits)
    assert (program.ended, program.process.returncode) == (ended, -9)


@pytest.mark.parametrize("code, error", [
    ("bytearray(10 << 30)", b"MemoryError"),
    ("file = open('/tmp/full', 'wb')\nwhile True: file.write(bytes(1 << 20))", b"File too large"),
    ("while True: open(f'/tmp/{len(__import__(\"os\").listdir(\"/tmp\"))}', 'wb').write(bytes(9 << 20))", b"No space left"),
    ("import os\nwhile True: os.dup(1)", b"Too many open files")])
def test_limits_of_one_process_are_errors_that_it_can_handle(code, error):
    program = run(code)
    assert error in program.output and not program.ended


def test_of_a_long_output_the_beginning_is_kept():
    program = run("print('first'); print('x' * 3_000_000)")
    assert not program.ended and program.output.startswith(b"first\nxxx") and len(program.output) == apart.KEPT


def test_a_daemon_ends_with_its_program():
    program = run("import subprocess\nsubprocess.Popen(['sh', '-c', 'setsid sleep 98701 & setsid sleep 98701 &']).wait()")
    assert not program.ended and all_gone("98701")


def test_it_ends_with_whoever_started_it(tmp_path):
    code = ("from kit.classroom.apart import Apart\nprogram = Apart(['sleep', '98702'])\nprint('started', flush=True)\n"
            "program.wait()")
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                               env=os.environ | {"PYTHONPATH": os.fspath(apart.Path(apart.__file__).parents[2])})
    with starter:
        assert starter.stdout.readline() == b"started\n"
        starter.kill()
    assert all_gone("98702")


def test_two_programs_do_not_see_one_another():
    with Apart(["sh", "-c", "touch /tmp/mine; exec sleep 98703"], Room(), Limits(seconds=60)) as other:
        with Apart(["sh", "-c", "ls /tmp; cat /proc/[0-9]*/comm"], Room(), Limits(seconds=60)) as program:
            program.wait()
        assert set(program.output.split()) <= {b"bwrap", b"sh", b"cat"} and other.process.poll() is None


@pytest.mark.parametrize("room, network", [(PYTHON, "['lo']"), (Room(shown=PYTHON.shown, network=True), None)])
def test_the_network_is_a_loopback_of_its_own_or_the_machines(room, network):
    program = run("import socket; print(sorted(name for _, name in socket.if_nameindex()))", room)
    assert program.output.decode().strip() == (network or str(sorted(name for _, name in __import__("socket").if_nameindex())))


@pytest.mark.parametrize("tools, version, words", [
    ((), "", "apt install bubblewrap"),
    (("bwrap", "prlimit", "setpriv", "taskset"), "bubblewrap 0.6.1", "0.8 or newer"),
    (("bwrap", "prlimit", "setpriv", "taskset"), "bubblewrap 0.8.0", "user namespaces")])
def test_without_a_seal_it_refuses_and_says_what_to_do(tools, version, words, tmp_path, monkeypatch):
    """A bwrap that knows its version and fails otherwise, as where the kernel forbids user namespaces."""
    for name in tools:
        (tmp_path / name).write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version} && exit 0\n'
                                     'echo "bwrap: No permissions to create new namespace"; exit 1\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(os, "defpath", os.fspath(tmp_path) + ":/bin:/usr/bin")
    apart.refusal.cache_clear()
    try:
        assert words in apart.refusal()
        with pytest.raises(apart.Unsealed, match="Nothing|has to be|cannot seal"):
            Apart(["touch", os.fspath(tmp_path / "ran")])
    finally:
        apart.refusal.cache_clear()
    assert not (tmp_path / "ran").exists()
