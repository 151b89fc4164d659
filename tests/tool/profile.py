#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# --profile: the table names the functions and calls that time went to, with
# callers found in Debug and in release without frame pointers, with --isolate, in
# threads; the picture is one well-formed file that asks for nothing; a deadlock is
# still told; what cannot be profiled is refused, and other images stay as they are.
# timeout: 300
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as tree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZIG, check, finish, zuk  # noqa: E402

os.chdir(TMP)


def run(status, *argv):
    return zuk(*argv, status=status)


with open("app.c", "w", encoding="utf-8") as f:
    f.write("""#include <pthread.h>
#include <time.h>
#include <unistd.h>
static volatile long sum;
__attribute__((noinline)) static void burn(long n) {
    for (long i = 0; i < n; i++) sum += i * i;
}
__attribute__((noinline)) static void outer(long n) { burn(n); sum++; }
static void *work(void *arg) { outer(3000000); return arg; }
int main(int argc, char **argv) {
    (void)argv;
    static char bytes[60000];
    int p[2];
    outer(20000000);
    pipe(p);
    for (int i = 0; i < 1000; i++) {
        write(p[1], bytes, sizeof bytes);
        read(p[0], bytes, sizeof bytes);
    }
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, 0);
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    pthread_join(t, 0);
    if (argc > 1) { /* nobody ever comes */
        pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&m);
        pthread_mutex_lock(&m);
    }
    return 0;
}
""")
MODES = {"debug": ["-O0"], "release": ["-O2", "-fomit-frame-pointer"]}
for mode, flags in MODES.items():
    subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-g", "-fno-sanitize=all", *flags,
                    "-c", "app.c", "-o", f"{mode}.o"], check=True)


def profile_of(*flags):
    """The JSON of a run, checked for what every run shows."""
    r = run(0, "run", "--json", "--accel", "tcg", *flags)
    p = json.loads(r.stderr.splitlines()[-1])["profile"]
    functions = {f["name"]: f for f in p["functions"]}
    calls = {c["name"]: c for c in p["calls"]}
    busy = p["app_ms"] + p["calls_ms"]
    what = f"{flags}: {p}"
    check(p["samples"] > 10, f"samples, {what}")
    check(p["functions"][0]["name"] == "burn", f"burn is the hottest, {what}")
    check(functions["burn"]["file"].endswith("app.c")
          and functions["burn"]["line"] == 6, f"where it is, {what}")
    check(functions.get("outer", {"total_ms": 0})["total_ms"] >= functions["burn"]["total_ms"] * .95,
          f"its caller has all of it, {what}")
    check(functions["main"]["total_ms"] >= busy * .3, f"main calls both, {what}")
    check(calls["write"]["self_ms"] + calls["read"]["self_ms"] > 0
          and set(calls) <= {"write", "read", "pipe", "nanosleep", "clone", "mmap", "munmap",
                             "mprotect", "futex", "rt_sigprocmask", "exit", "exit_group", "ioctl",
                             "set_tid_address", "arch_prctl", "pipe2", "clock_nanosleep"}, f"calls, {what}")
    check(p["waiting_ms"] >= 50, f"the sleep, {what}")
    check([b["name"] for b in p["boot"]] == ["loader", "memory", "app loaded"]
          and sorted(b["cycles"] for b in p["boot"]) == [b["cycles"] for b in p["boot"]], f"the boot, {what}")
    check(any(n.startswith("thread ") for n in functions), f"threads, {what}")
    return p


for mode in MODES:
    profile_of("--profile", f"{mode}.o")
profile_of("--profile=isolated.svg", "--isolate", "release.o")

for name in ("profile.svg", "isolated.svg"):
    with open(name, encoding="utf-8") as f:
        text = f.read()
    root = tree.fromstring(text)
    titles = [t.text for t in root.iter("{http://www.w3.org/2000/svg}title")]
    check(root.tag == "{http://www.w3.org/2000/svg}svg", f"{name}: a drawing")
    for wanted in ("burn (app.c), ", "outer (app.c), ", "main (app.c), ", "loader ", "app loaded "):
        check(any(t.startswith(wanted) for t in titles), f"{name} shows {wanted}")
    check("<script" not in text and "href" not in text
          and text.count("http") == 1, f"{name} asks for nothing")
    # a child lies within its parent's width: all frames within the picture
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        if "x" in rect.attrib:
            check(float(rect.get("x")) + float(rect.get("width")) <= 1190.5,
                  f"{name}: {rect.attrib}")

# For people: the same on stderr.
r = run(0, "run", "--accel", "tcg", "--profile=people.svg", "release.o")
for wanted in ("zuk: profile: ", "  burn  (app.c:6)", "  functions (", "  system calls:\n"):
    check(wanted in r.stderr, f"the table has {wanted}: {r.stderr}")
check("cycles" not in r.stderr, f"the boot's time line is in the picture only: {r.stderr}")

# Nobody can wake the last thread, the sampler's timer or not.
r = run(4, "run", "--accel", "tcg", "--timeout", "60", "--profile=d.svg", "release.o", "--", "hang")
check("deadlock" in r.stderr and "zuk: profile: " in r.stderr, f"deadlock: {r.stderr}")

# Refusals; and an image without the sampler has nothing of it.
run(0, "build", "release.o", "-o", "plain.elf")
r = run(2, "run", "--profile", "plain.elf")
check("was made without the sampler" in r.stderr
      and "hint: " in r.stderr, f"an image without it: {r.stderr}")
with open("plain.elf.config", encoding="utf-8") as f:
    check("CONFIG_PROFILE=y" not in f.read(), "off where nobody asks")
run(0, "build", "--set", "PROFILE=y", "release.o", "-o", "sampler.elf")
run(0, "run", "--accel", "tcg", "--profile=image.svg", "sampler.elf")
check(os.path.getsize("image.svg") > 1000, "a picture of a ready image")
r = run(0, "run", "--accel", "tcg", "sampler.elf")
check(r.stderr == "", f"not asked, not told: {r.stderr}")
r = run(2, "run", "--profile", "--cpus", "2", "release.o")
check("watches one CPU" in r.stderr, f"CPUs: {r.stderr}")
r = run(2, "run", "--profile", "--dry-run", "release.o")
check("do not go together" in r.stderr, f"stand-alone: {r.stderr}")
r = run(1, "run", "--profile=nowhere/x.svg", "release.o")
check("nowhere/x.svg" in r.stderr, f"no such folder: {r.stderr}")
finish()
