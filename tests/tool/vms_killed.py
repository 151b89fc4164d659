#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# run -d and rm, killed at every step: before each system call that changes
# something, of the zuk that was called and of the one that stays.  Afterwards
# nothing looks alive that is not, no QEMU is left, and the name is free again
# after `stop` and `rm`.
# timeout: 600
import ctypes
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from steps import (DETACH, EXITKILL, FORK, GETEVENTMSG, ORIG_RAX, PEEKUSER, SETOPTIONS,  # noqa: E402
                   STEPS, SYSCALL, SYSGOOD, libc, start as start_traced)

TMP, ZUK, ZIG = (os.environ[k] for k in ("TMP", "ZUK", "ZIG"))
os.environ["XDG_STATE_HOME"] = f"{TMP}/state"
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
os.environ["XDG_CACHE_HOME"] = f"{TMP}/cache"


def quiet(*argv):
    return subprocess.run([ZUK, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def traced(argv, kill_at, follow):
    """Runs argv under ptrace; kills at its kill_at-th step the process that takes it.  follow: steps of
    the child count, else of the first process.  The number of steps taken; whether one was killed."""
    pid = start_traced(argv)
    libc.ptrace(SETOPTIONS, pid, 0, SYSGOOD | FORK | EXITKILL)
    libc.ptrace(SYSCALL, pid, 0, 0)
    entering, steps, killed, alive, child = {}, 0, False, {pid}, None
    last = time.monotonic()
    deadline = last + 60
    while alive and time.monotonic() < deadline:
        # one that stays may have said all it can before the first process ended
        who, status = os.waitpid(-1, 0x40000000 | (0 if pid in alive else os.WNOHANG))
        if who == 0:
            if time.monotonic() - last > 1:
                break
            time.sleep(0.001)
            continue
        last = time.monotonic()
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            alive.discard(who)
            if who == pid and child in alive and (killed or not follow):
                break
            continue
        if who not in alive:
            alive.add(who)
        stop = os.WSTOPSIG(status)
        give = 0
        if status >> 16:
            value = ctypes.c_ulong()
            libc.ptrace(GETEVENTMSG, who, 0, ctypes.addressof(value))
            child = value.value
        elif stop == signal.SIGTRAP | 0x80:
            entering[who] = not entering.get(who, False)
            counted = who == child if follow else who == pid
            if entering[who] and counted and libc.ptrace(PEEKUSER, who, ORIG_RAX, 0) in STEPS:
                steps += 1
                if steps == kill_at:
                    os.kill(who, signal.SIGKILL)
                    killed = True
                    continue
        elif stop not in (signal.SIGSTOP, signal.SIGTRAP):
            give = stop
        libc.ptrace(SYSCALL, who, 0, give)
        # one that stays has said all it can when its app has run for a while
        if follow and child in alive and pid not in alive and not killed:
            break
    for who in list(alive):
        if killed or not follow:
            # let go of what goes on by itself
            try:
                os.kill(who, signal.SIGSTOP)
                os.waitpid(who, 0x40000000)
                libc.ptrace(DETACH, who, 0, 0)
                os.kill(who, signal.SIGCONT)
            except (ChildProcessError, ProcessLookupError):
                pass
    return steps, killed, alive


def qemus():
    out = subprocess.run(["pgrep", "-f", f"qemu.*{TMP}/tick.elf"], capture_output=True, text=True)
    return out.stdout.split()


def settle(what, test):
    for _ in range(100):
        if test():
            return
        time.sleep(0.05)
    sys.exit(f"{what}: {quiet('ps').stdout}\nQEMU: {qemus()}\n"
             + subprocess.run(["find", f"{TMP}/state"], capture_output=True, text=True).stdout)


def check_whole(what):
    """Everything that is listed is true, and can be ended and forgotten."""
    r = quiet("ps", "--json")
    if r.returncode:
        sys.exit(f"{what}: ps ended with {r.returncode}: {r.stderr}")
    for vm in json.loads(r.stdout):
        if vm["running"] and not os.path.exists(f"/proc/{vm['pid']}"):
            sys.exit(f"{what}: {vm} does not run")
        r = quiet("stop", "-t", "5", vm["name"])
        if r.returncode:
            sys.exit(f"{what}: stop: {r.stderr}")
        r = quiet("rm", vm["name"])
        if r.returncode:
            sys.exit(f"{what}: rm: {r.stderr}")
    settle(f"{what}: a QEMU is left", lambda: not qemus())
    left = [n for n in os.listdir(f"{TMP}/state/zuk") if n != ".lock"]
    if left:
        sys.exit(f"{what}: left behind: {left}")


def every_step(what, argv, follow, before=None):
    step = 1
    while True:
        if before:
            before()
        steps, killed, alive = traced(argv, step, follow)
        check_whole(f"{what}, killed at step {step}")
        if not killed:
            print(f"{what}: {steps} steps")
            if step < 5:
                sys.exit(f"{what}: only {step} steps were seen")
            return
        step += 1


with open(f"{TMP}/tick.c", "w") as f:
    f.write("#include <unistd.h>\nint main(void) { write(1, \"up\\n\", 3); for (;;) usleep(100000); }\n")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-c", "tick.c", "-o", "tick.o"], cwd=TMP,
               check=True)
subprocess.run([ZUK, "build", f"{TMP}/tick.o", "-o", f"{TMP}/tick.elf"], check=True)
start = [ZUK, "run", "-d", "--name", "vm", f"{TMP}/tick.elf"]
quiet(*start[1:])
check_whole("as it should be")
every_step("run -d, the zuk that was called", start, False)
every_step("run -d, the zuk that stays", start, True)


def one_to_remove():
    quiet(*start[1:])
    quiet("stop", "-t", "0", "vm")


every_step("rm", [ZUK, "rm", "vm"], False, one_to_remove)
