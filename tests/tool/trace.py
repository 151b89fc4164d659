#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# --trace FILE: every system call of every thread as Trace Event Format; the
# same calls as --strace; whole also when the app crashes; refused before the
# start where it cannot be written.
# timeout: 200
import json
import os
import re
import subprocess
import sys

ZUK, ZIG, TMP = (os.environ[k] for k in ("ZUK", "ZIG", "TMP"))
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
os.environ["XDG_CACHE_HOME"] = f"{TMP}/cache"
os.chdir(TMP)
failed = 0


def check(what, value):
    global failed
    if not value:
        failed += 1
        print(f"FAILED: {what}")


with open("app.c", "w", encoding="utf-8") as f:
    f.write("""#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static void *work(void *arg) { (void)arg; write(1, "\\"thread\\"\\n", 9); return 0; }
int main(int argc, char **argv) {
    (void)argv;
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    pthread_join(t, 0);
    struct timespec ms20 = {0, 20000000};
    nanosleep(&ms20, 0);
    if (argc > 1) abort();
    return 0;
}
""")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-g", "app.c", "-o", "app"], check=True)


def run(status, *argv):
    r = subprocess.run([ZUK, "exec", *argv], capture_output=True, text=True, timeout=100,
                       stdin=subprocess.DEVNULL)
    check(f"status {r.returncode} of {argv}: {r.stderr}", r.returncode == status)
    return r


def events():
    with open("t.json", encoding="utf-8") as file:
        return json.load(file)["traceEvents"]


r = run(0, "--trace", "t.json", "./app")
check(f"no call is shown: {r.stderr}", "write(" not in r.stderr)
check("stdout is the app's", r.stdout == '"thread"\n')
all_events = events()
calls = [e for e in all_events if e["ph"] in "Xi"]
sleep = [e for e in calls if "nanosleep" in e["name"]]
check(f"it slept 20 ms: {sleep}", len(sleep) == 1 and sleep[0]["dur"] >= 20000)
write = [e for e in calls if e["name"] == "write"]
check(f"the write of the thread: {write}", len(write) == 1 and write[0]["tid"] != sleep[0]["tid"]
      and '\\"thread' in write[0]["args"]["call"])
names = {e["tid"]: e["args"]["name"] for e in all_events if e["name"] == "thread_name"}
check(f"all threads have names: {names}", {e["tid"] for e in calls} == set(names))
for thread in names:  # calls of a thread follow each other
    times = [(e["ts"], e["ts"] + e.get("dur", 0)) for e in calls if e["tid"] == thread]
    check(f"thread {thread} in order", all(a[1] <= b[0] + 1 for a, b in zip(times, times[1:])))

r = run(0, "--trace", "t.json", "--strace", "./app")
shown = re.findall(r"^\[ *\d+\.\d+\](?: \[\d+\])? (\w+)\(", r.stderr, re.M)
check("the same calls as --strace", sorted(shown) == sorted(e["name"] for e in events()
                                                            if e["ph"] in "Xi"))
run(134, "--trace", "t.json", "./app", "crash")
check("whole after a crash", any(e["name"] == "nanosleep" or e["name"] == "clock_nanosleep"
                                 for e in events()))
r = run(1, "--trace", "nowhere/t.json", "./app")
check("it did not start", r.stdout == "" and "nowhere" in r.stderr)
sys.exit(1 if failed else 0)
