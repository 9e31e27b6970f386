"""A filter for the kernel's own calls: what a program run apart may not ask for, whatever limits it has.

Memory that belongs to no process (memfd_create, System V) would escape every limit; a namespace of its own would give
it powers again; another processor than its own would take time from its neighbours; and the rest is of no use to a
notebook and has been a way out of a sandbox before. Whoever asks is told "not permitted" and goes on.

The numbers are Linux's, from its tables arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h;
the form is classic BPF over struct seccomp_data (seccomp(2)).
"""

import platform
import struct

# name: (number on x86_64, on aarch64)
REFUSED = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186),
    "unshare": (272, 97), "setns": (308, 268),
    "sched_setaffinity": (203, 122), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425)}
CLONE, CLONE3 = (56, 220), (435, 435)
NEW_NAMESPACE = 0x7E020000  # the flags of clone() that begin with CLONE_NEW, but for time
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH_…
X32 = 0x40000000  # numbers from here on are x86_64's second set, which has all the calls again

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38


def known() -> bool:
    """Whether there is a filter for this machine's processor."""
    return platform.machine() in MACHINES


def program() -> bytes:
    """The filter for this machine, as bwrap --seccomp reads it."""
    column, machine = MACHINES[platform.machine()]
    steps = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    steps += _refuse(_AT_LEAST, X32, _EPERM)
    for numbers in REFUSED.values():
        steps += _refuse(_EQUAL, numbers[column], _EPERM)
    steps += _refuse(_EQUAL, CLONE3[column], _ENOSYS)  # its flags are out of sight; the C library then takes clone()
    steps += [(_EQUAL, 0, 3, CLONE[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT), *_refuse(_ANY_BIT, NEW_NAMESPACE, _EPERM)]
    return b"".join(struct.pack("=HBBI", *step) for step in [*steps, (_RETURN, 0, 0, _ALLOW)])


def _refuse(compare: int, value: int, error: int) -> list[tuple[int, int, int, int]]:
    return [(compare, 0, 1, value), (_RETURN, 0, 0, _FAIL | error)]
