"""Stops threads by ptrace until standard input ends.

Usage: trace-threads.py TID...   prints "held" once all are stopped. When this process ends in any
way the kernel lets the threads go (ptrace(2): the tracees of a tracer that dies are detached).
"""

import ctypes
import os
import sys

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # waitpid for threads of other processes, too

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request: int, tid: int) -> None:
    if libc.ptrace(request, tid, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace {request:#x} of thread {tid}: {os.strerror(error)}")


tids = [int(argument) for argument in sys.argv[1:]]
for tid in tids:
    ptrace(PTRACE_SEIZE, tid)
    ptrace(PTRACE_INTERRUPT, tid)
for tid in tids:
    os.waitpid(tid, WALL)
print("held", flush=True)
sys.stdin.read()
for tid in tids:
    try:
        ptrace(PTRACE_DETACH, tid)
    except OSError:
        pass  # it was killed meanwhile
