# SPDX-License-Identifier: BSD-3-Clause
#
# For the tests of this folder that end a program at each of its steps: ptrace, and
# what a step is, a system call that changes something others can see.
import ctypes
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
TRACEME, PEEKUSER, CONT, DETACH, SYSCALL, SETOPTIONS, GETEVENTMSG = 0, 3, 7, 17, 24, 0x4200, 0x4201
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 1, 2, 4, 8, 16, 0x100000
ORIG_RAX = 15 * 8
# write open mkdir rename unlink rmdir fcntl flock openat unlinkat renameat renameat2 pwrite fork clone
# vfork dup2 setsid fsync ftruncate exit_group kill chmod symlink
STEPS = {1, 2, 83, 82, 87, 84, 72, 73, 257, 263, 264, 316, 18, 57, 56, 58, 33, 112, 74, 77, 231, 62, 90, 88}
ALL = 0x40000000  # __WALL


def start(argv, terminal=None):
    """Forks argv, stopped before its first instruction; streams are /dev/null, or a terminal's descriptor."""
    pid = os.fork()
    if pid == 0:
        place = os.open("/dev/null", os.O_RDWR) if terminal is None else terminal
        for fd in range(3):
            os.dup2(place, fd)
        libc.ptrace(TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execv(argv[0], argv)
    os.waitpid(pid, 0)
    return pid


def run(argv, end_at, number, terminal=None):
    """Runs argv; sends it signal `number` at the end_at-th step of it or of its forks, as long as they
    run the same program; others that it starts are let go.  The steps taken; whether it was ended so."""
    pid = start(argv, terminal)
    libc.ptrace(SETOPTIONS, pid, 0, SYSGOOD | FORK | VFORK | CLONE | EXEC | EXITKILL)
    libc.ptrace(SYSCALL, pid, 0, 0)
    program = os.path.realpath(argv[0])
    entering, steps, ended, alive = {}, 0, False, {pid}
    while alive:
        try:
            who, status = os.waitpid(-1, ALL)
        except ChildProcessError:
            break
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            alive.discard(who)
            continue
        alive.add(who)
        stop, event, give = os.WSTOPSIG(status), status >> 16, 0
        if event == 4:  # it has become another program
            entering[who] = False
            try:
                same = os.readlink(f"/proc/{who}/exe") == program
            except OSError:
                same = True
            if not same:
                libc.ptrace(DETACH, who, 0, 0)
                alive.discard(who)
                continue
        elif event == 0 and stop == signal.SIGTRAP | 0x80:
            entering[who] = not entering.get(who, False)
            if entering[who] and libc.ptrace(PEEKUSER, who, ORIG_RAX, 0) in STEPS:
                steps += 1
                if steps == end_at:
                    ended = True
                    os.kill(pid, number)
                    if number == signal.SIGKILL and who != pid and os.path.exists(f"/proc/{who}"):
                        os.kill(who, number)
        elif event == 0 and stop not in (signal.SIGSTOP, signal.SIGTRAP):
            give = stop
        libc.ptrace(SYSCALL, who, 0, give)
    return steps, ended
