#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# SIGTERM from outside: an app that handles it, waits for it or has a descriptor for
# it gets it, from `zuk stop` and from a SIGTERM of zuk, and ends as it likes; one
# that ignores it is ended when its time is over, or by a second one; any other is
# ended at once.  Also behind the end of stdin, with --isolate and over PCI.
# timeout: 300
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZIG, ZUK, check, finish  # noqa: E402

os.environ["XDG_STATE_HOME"] = f"{TMP}/state"
os.chdir(TMP)


with open("app.c", "w", encoding="utf-8") as f:
    f.write("""#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
static void say(const char *s) { write(1, s, strlen(s)); }
static void handler(int n, siginfo_t *info, void *context) {
    (void)context;
    say(n == SIGTERM && info->si_code == SI_USER ? "bye\\n" : "what?\\n");
    _exit(5);
}
static volatile sig_atomic_t seen;
static void note(int n) { seen = n; }
static void *spin(void *arg) { while (!seen) {} return arg; }
static void set(void (*f)(int)) { signal(SIGTERM, f); }
int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    char byte;
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    if (!strcmp(how, "handler")) {
        struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
        sigaction(SIGTERM, &a, 0);
        say("ready\\n");
        for (;;) pause();
    }
    if (!strcmp(how, "busy")) { /* no call that it could be interrupted in; another thread joins */
        set(note);
        pthread_t t;
        pthread_create(&t, 0, spin, 0);
        say("ready\\n");
        pthread_join(t, 0);
        say("bye\\n");
        return 5;
    }
    if (!strcmp(how, "wait")) {
        int n;
        sigprocmask(SIG_BLOCK, &term, 0);
        while (read(0, &byte, 1) > 0) {}
        say("ready\\n");
        sigwait(&term, &n);
        say(n == SIGTERM ? "bye\\n" : "what?\\n");
        return 5;
    }
    if (!strcmp(how, "descriptor")) {
        sigprocmask(SIG_BLOCK, &term, 0);
        int fd = signalfd(-1, &term, 0);
        struct signalfd_siginfo info;
        say("ready\\n");
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
        read(fd, &info, sizeof info);
        say(info.ssi_signo == SIGTERM ? "bye\\n" : "what?\\n");
        return 5;
    }
    if (!strcmp(how, "again")) { /* the default action comes back */
        set(note);
        set(SIG_DFL);
    }
    if (!strcmp(how, "ignore")) set(SIG_IGN);
    say("ready\\n");
    for (;;) sleep(1);
}
""")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-g", "app.c", "-o", "app"], check=True)
subprocess.run([ZUK, "build", "app", "-o", "app.elf"], check=True)


def foreground(*flags, how, signals=(signal.SIGTERM,), pause=1.0):
    """Status, what it said after "ready", and the seconds that it took to end."""
    p = subprocess.Popen([ZUK, "run", "--accel", "tcg", *flags, "app.elf", "--", how],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(p.stdout.readline() == b"ready\n", f"{how} is ready")
    start = time.monotonic()
    for i, n in enumerate(signals):
        if i > 0:
            time.sleep(pause)
            check(p.poll() is None, f"{how} lives on")
        p.send_signal(n)
    try:
        out, _ = p.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        p.kill()
        out, _ = p.communicate()
        out += b"it did not end"
    return p.returncode, out.decode(), time.monotonic() - start


for how in ("handler", "busy", "wait", "descriptor"):
    status, out, _ = foreground(how=how)
    check((status, out) == (5, "bye\n"), f"{how}: {status} {out}")
for flags in (["--isolate"], ["--machine", "q35"]):
    status, out, _ = foreground(*flags, how="handler")
    check((status, out) == (5, "bye\n"), f"{flags}: {status} {out}")
status, out, _ = foreground(how="again")
check((status, out) == (143, ""), f"the default action, in the guest: {status} {out}")
status, out, took = foreground(how="nothing")
check((status, out) == (143, "") and took < 8, f"nobody listens: {status} {out} {took}")
status, out, took = foreground(how="ignore", signals=[signal.SIGTERM, signal.SIGTERM])
check((status, out) == (143, "") and took < 9, f"twice: {status} {out} {took}")
status, out, took = foreground(how="ignore")
check((status, out) == (143, "") and took >= 9.5, f"its time is over: {status} {out} {took}")
status, out, took = foreground(how="handler", signals=[signal.SIGINT])
check((status, out) == (130, ""), f"Ctrl-C is zuk's: {status} {out} {took}")


def zuk(*argv):
    return subprocess.run([ZUK, *argv], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


def detached(how, *stop):
    """The same with run -d and zuk stop: its state, its log, the seconds."""
    r = zuk("run", "-d", "--name", how, "--accel", "tcg", "app.elf", "--", how)
    check(r.returncode == 0, f"{how} starts: {r.stderr}")
    for _ in range(300):
        if "ready" in zuk("logs", how).stdout:
            break
        time.sleep(0.1)
    start = time.monotonic()
    r = zuk("stop", *stop, how)
    took = time.monotonic() - start
    check(r.returncode == 0, f"stop {how}: {r.stderr}")
    line = next(x for x in zuk("ps").stdout.splitlines() if x.startswith(f"{how} "))
    log = zuk("logs", how).stdout
    check(zuk("rm", how).returncode == 0, "it is forgotten")
    return line, log, took


line, log, _ = detached("handler")
check("exited 5" in line and log == "ready\nbye\n", f"handler: {line} {log}")
line, log, took = detached("ignore", "-t", "1.5")
check("exited 143" in line and took >= 1.5, f"ignore: {line} {log} {took}")
line, log, took = detached("nothing", "-t", "30")
check("exited 143" in line and took < 20, f"nothing: {line} {log} {took}")
# Where nobody outside can wake it, a deadlock is one as before.
with open("dead.c", "w", encoding="utf-8") as f:
    f.write("""#include <signal.h>
#include <unistd.h>
int main(void) { signal(SIGUSR1, SIG_IGN); signal(SIGTERM, SIG_DFL); pause(); return 0; }
""")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "dead.c", "-o", "dead"], check=True)
r = zuk("exec", "--accel", "tcg", "--timeout", "30", "dead")
check(r.returncode == 4 and "deadlock" in r.stderr, f"deadlock: {r.returncode} {r.stderr}")
finish()
