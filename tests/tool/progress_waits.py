#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Progress around a run: for the probe of KVM, for the names of a crash report, for
# the start of `run -d`.  A library that is loaded first makes them slow: /dev/kvm
# takes a second to open, and so does the app with debug information.
# timeout: 200
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZIG, ZUK, Terminal, build, check, finish, zuk  # noqa: E402

os.chdir(TMP)
os.environ.update(TERM="xterm", XDG_STATE_HOME=f"{TMP}/state")
os.environ.pop("NO_COLOR", None)

with open("slow.c", "w", encoding="utf-8") as f:
    f.write(r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int slow(const char *path) {
    const char *what = getenv("SLOW");
    size_t n = what ? strlen(what) : 0, m = strlen(path);
    if (n == 0 || m < n || strcmp(path + m - n, what))
        return 0;
    for (unsigned left = 1200000; left > 0 && usleep(left) != 0; left = 700000) {} /* a signal may come */
    return 1;
}
int access(const char *path, int mode) {
    int (*real)(const char *, int) = (int (*)(const char *, int))dlsym(RTLD_NEXT, "access");
    return strcmp(path, "/dev/kvm") ? real(path, mode) : 0;
}
static int open_it(const char *name, const char *path, int flags, unsigned mode) {
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
    if (slow(path) && !strcmp(path, "/dev/kvm"))
        return errno = ENODEV, -1;
    return real(path, flags, mode);
}
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        unsigned mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;                                \
        va_end(ap);                                                                                \
        return open_it(#name, path, flags, mode);                                                  \
    }
OPEN(open)
OPEN(open64)
""")
subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "slow.c", "-o", "slow.so", "-ldl"], check=True)
KVM, DEBUG = "/dev/kvm", "app.debug.elf"


def slow(what):
    return {"LD_PRELOAD": f"{TMP}/slow.so", "SLOW": what}


def run(what, *argv, status=0):
    """What zuk says on stderr."""
    return zuk(*argv, status=status, env={**os.environ, **slow(what)}).stderr


def on_terminal(what, *argv):
    t = Terminal([ZUK, *argv], slow(what))
    return t.end(), t.seen.decode()


def forget():
    """KVM will be asked again."""
    if os.path.exists(f"{TMP}/cache/zuk/accel"):
        os.unlink(f"{TMP}/cache/zuk/accel")


# --- KVM --------------------------------------------------------------------------
hello = build("hello", "int main(void) { return 0; }\n")
zuk("build", "hello", "-o", "hello.elf")
PROBE = "[1/1] measuring whether KVM is real (once after each boot)"
forget()
err = run(KVM, "run", "--timeout", "60", "hello.elf")
check(f"zuk: {PROBE}\n" in err, f"the probe says what it does: {err!r}")
err = run(KVM, "run", "--timeout", "60", "hello.elf")
check(err == "", f"and is made once: {err!r}")
forget()
status, seen = on_terminal(KVM, "run", "--timeout", "60", "hello.elf")
check(status == 0 and seen == f"{PROBE}\x1b[K\r\x1b[K", f"on a terminal in a line that goes: {status} {seen!r}")
forget()
err = run(KVM, "run", "-q", "--timeout", "60", "hello.elf")
check(err == "", f"-q: {err!r}")
forget()
err = run(KVM, "run", "--json", "--timeout", "60", "hello.elf")
check(json.loads(err)["outcome"] == "exit", f"--json: {err!r}")
forget()
err = run(KVM, "run", "-v", "--accel", "tcg", "--timeout", "60", "hello.elf")
check("KVM" not in err, f"nobody asks KVM: {err!r}")
r = subprocess.run([ZUK, "doctor"], capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL,
                   env={**os.environ, **slow(KVM)})
check("zuk: [1/2] measuring whether KVM is real" in r.stderr, f"doctor: {r.stderr!r}")

# --- the names of a crash report ----------------------------------------------------
with open("crash.c", "w", encoding="utf-8") as f:
    f.write("int main(void) { volatile int *p = 0; return *p; }\n")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-g", "-O0", "-fno-sanitize=all", "-c", "crash.c"], check=True)
zuk("build", "--strip", "crash.o", "-o", "crash.elf")
NAMES = "[1/1] naming the functions of 1 stack"
TCG = ("--accel", "tcg", "--timeout", "60")
err = run(DEBUG, "run", *TCG, "crash.elf", status=139)
check(f"zuk: {NAMES}\n" in err and err.index(NAMES) < err.index("segmentation fault"), f"before the report: {err!r}")
check("crash.c:1" in err, f"which has them: {err!r}")
status, seen = on_terminal(DEBUG, "run", *TCG, "crash.elf")
check(status == 139 and f"{NAMES}\x1b[K\r\x1b[K" in seen, f"on a terminal: {status} {seen!r}")
err = run(DEBUG, "run", "-q", *TCG, "crash.elf", status=139)
check("naming" not in err and "segmentation fault" in err, f"-q: {err!r}")
err = run(DEBUG, "run", "--json", *TCG, "crash.elf", status=139)
check(json.loads(err)["reports"][0]["file"].endswith("crash.c"), f"--json: {err!r}")
err = run("", "run", *TCG, "crash.elf", status=139)
check("naming" not in err or len(err) > 4000, f"a small one is quick: {err!r}")

# --- run -d: the machine is not there yet ------------------------------------------
build("sleeper", "#include <unistd.h>\nint main(void) { pause(); return 0; }\n")
zuk("build", "sleeper", "-o", "sleeper.elf")
WAIT = "[1/1] waiting for a sign of life of m"
forget()
with open("err", "w+", encoding="utf-8") as err:
    # no pipe: the machine would keep it
    r = subprocess.run([ZUK, "run", "-d", "--name", "m", "sleeper.elf"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=err, timeout=60, env={**os.environ, **slow(KVM)})
    err.seek(0)
    said = err.read()
check(r.returncode == 0 and r.stdout == b"m\n", f"run -d: {r}")
check(said == f"zuk: {WAIT}\n", f"what it waits for: {said!r}")
zuk("stop", "-t", "0", "m")
check("measuring whether KVM is real" in zuk("logs", "m").stdout, "the machine's own progress is in its log")
zuk("rm", "m")
forget()
t = Terminal([ZUK, "run", "-d", "--name", "m", "sleeper.elf"], slow(KVM))
check(t.until(b"m\r\n"), f"run -d on a terminal: {t.seen!r}")
zuk("stop", "-t", "0", "m")
check(t.end() == 0 and t.seen == f"{WAIT}\x1b[K\r\x1b[Km\r\n".encode(), f"a line that goes: {t.seen!r}")
zuk("rm", "m")
finish()
