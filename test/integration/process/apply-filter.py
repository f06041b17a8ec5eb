"""Runs a command under a filter of system calls, as systemd's SystemCallFilter= makes one.

Usage: apply-filter.py <file with one allowed call per line> <command> [arguments]
Every other call fails with EPERM. With libseccomp's own library, which Debian always has.
"""

import ctypes
import os
import sys

FAIL_WITH_EPERM = 0x00050001
ALLOW = 0x7FFF0000

library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
library.seccomp_init.restype = ctypes.c_void_p
library.seccomp_init.argtypes = [ctypes.c_uint32]
library.seccomp_rule_add.argtypes = [
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_int,
    ctypes.c_uint,
]
library.seccomp_load.argtypes = [ctypes.c_void_p]

context = library.seccomp_init(FAIL_WITH_EPERM)
allowed = 0
with open(sys.argv[1], encoding="ascii") as names:
    for name in names.read().split():
        number = library.seccomp_syscall_resolve_name(name.encode())
        # Calls of other architectures have no number here.
        if number < 0:
            continue
        if library.seccomp_rule_add(context, ALLOW, number, 0) != 0:
            sys.exit(f"no rule for {name}")
        allowed += 1
if allowed == 0 or library.seccomp_load(context) != 0:
    sys.exit("the filter was not loaded")
os.execvp(sys.argv[2], sys.argv[2:])
