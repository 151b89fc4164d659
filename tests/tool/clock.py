#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The guest's clocks beside the host's: the wall clock is the host's within the
# second that a real-time clock tells, and neither runs away from it.
# timeout: 120
import os
import subprocess
import sys
import time

ZUK, ZIG, TMP = (os.environ[k] for k in ("ZUK", "ZIG", "TMP"))
TRIES = 4
with open(f"{TMP}/clocks.c", "w", encoding="utf-8") as f:
    f.write(r"""
#include <stdio.h>
#include <time.h>
int main(void) {
    while (getchar() != EOF) {
        struct timespec r, m;
        clock_gettime(CLOCK_REALTIME, &r);
        clock_gettime(CLOCK_MONOTONIC, &m);
        printf("%lld.%09ld %lld.%09ld\n", (long long)r.tv_sec, r.tv_nsec, (long long)m.tv_sec, m.tv_nsec);
        fflush(stdout);
    }
}
""")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-o", f"{TMP}/clocks", f"{TMP}/clocks.c"],
               check=True, timeout=200)


class Guest:
    def __init__(self):
        self.p = subprocess.Popen([ZUK, "exec", "--accel", "tcg", "--timeout", "60", f"{TMP}/clocks"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self):
        """(host's time, uncertainty, guest's wall clock, guest's monotonic clock); the
        shortest of some exchanges, since a busy host delays any of them."""
        best = None
        for _ in range(12):
            before = time.time()
            self.p.stdin.write(b"x")
            self.p.stdin.flush()
            wall, steady = map(float, self.p.stdout.readline().split())
            took = time.time() - before
            if best is None or took < best[1]:
                best = (before + took / 2, took, wall, steady)
        return best

    def end(self):
        self.p.stdin.close()
        return self.p.wait(30)


failed = 0
rates, behind = [], []
for attempt in range(TRIES):
    guest = Guest()
    first = guest.ask()
    time.sleep(3)
    last = guest.ask()
    if guest.end() != 0:
        failed += 1
        print("FAILED: the guest does not end with 0")
    elapsed = last[0] - first[0]
    doubt = (first[1] + last[1]) / 2
    wrong = max(abs(last[i] - first[i] - elapsed) - doubt for i in (2, 3)) / elapsed
    rates.append(wrong)
    behind.append(first[0] - first[2])
    # Over a second of doubt (the host ran other things) tells nothing.
    if wrong < 0.002 and doubt / elapsed < 0.01 and abs(behind[-1]) < 0.9:
        break
else:
    failed += 1
    print(f"FAILED: in {TRIES} runs the guest's clocks were wrong by {rates} of the time that went by, "
          f"and {behind} s behind")
print(f"wrong by at most {max(rates[-1], 0):.4%}, {behind[-1]:.3f} s behind")
sys.exit(1 if failed else 0)
