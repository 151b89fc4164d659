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
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, build, check, finish, zuk  # noqa: E402

os.chdir(TMP)


build("app", """#include <pthread.h>
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
""", "-g")


def run(status, *argv):
    return zuk("exec", *argv, status=status)


def events():
    with open("t.json", encoding="utf-8") as file:
        return json.load(file)["traceEvents"]


r = run(0, "--trace", "t.json", "./app")
check("write(" not in r.stderr, f"no call is shown: {r.stderr}")
check(r.stdout == '"thread"\n', "stdout is the app's")
all_events = events()
calls = [e for e in all_events if e["ph"] in "Xi"]
sleep = [e for e in calls if "nanosleep" in e["name"]]
check(len(sleep) == 1 and sleep[0]["dur"] >= 20000, f"it slept 20 ms: {sleep}")
write = [e for e in calls if e["name"] == "write"]
check(len(write) == 1 and write[0]["tid"] != sleep[0]["tid"]
      and '\\"thread' in write[0]["args"]["call"], f"the write of the thread: {write}")
names = {e["tid"]: e["args"]["name"] for e in all_events if e["name"] == "thread_name"}
check({e["tid"] for e in calls} == set(names), f"all threads have names: {names}")
for thread in names:  # calls of a thread follow each other
    times = [(e["ts"], e["ts"] + e.get("dur", 0)) for e in calls if e["tid"] == thread]
    check(all(a[1] <= b[0] + 1 for a, b in zip(times, times[1:])), f"thread {thread} in order")

r = run(0, "--trace", "t.json", "--strace", "./app")
shown = re.findall(r"^\[ *\d+\.\d+\](?: \[\d+\])? (\w+)\(", r.stderr, re.M)
check(sorted(shown) == sorted(e["name"] for e in events()
                                                            if e["ph"] in "Xi"), "the same calls as --strace")
run(134, "--trace", "t.json", "./app", "crash")
check(any(e["name"] == "nanosleep" or e["name"] == "clock_nanosleep"
                                 for e in events()), "whole after a crash")
r = run(1, "--trace", "nowhere/t.json", "./app")
check(r.stdout == "" and "nowhere" in r.stderr, "it did not start")
finish()
