#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The page tables of a running guest, read through QEMU's monitor and walked
# here: no page is writable and executable, no frame is writable at one address
# and executable at another (the direct map included), the kernel's half has no
# user bit at any level, guard pages and the null page are absent; and the
# control registers that make the tables count.  At CPL 0, with --isolate, and
# with several CPUs.
# timeout: 120
import glob
import json
import os
import re
import select
import shlex
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZIG, ZUK, check, finish  # noqa: E402


PROGRAM = r"""
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static char bss[3 * 4096], data[3 * 4096] = {1};
static void *nap(void *arg) { sleep(100); return arg; }
static char *map(int prot) { return mmap(0, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
int main(void) {
    static const char code[] = {(char)0xb8, 42, 0, 0, 0, (char)0xc3};
    memset(bss, 1, sizeof bss);
    memset(data, 2, sizeof data);
    /* code that is made, run, made again, and data that was code */
    int sum = 0;
    char *jit[3];
    for (int i = 0; i < 3; i++) {
        jit[i] = map(PROT_READ | PROT_WRITE);
        memcpy(jit[i], code, sizeof code);
        mprotect(jit[i], 4096, PROT_READ | PROT_EXEC);
        sum += ((int (*)(void))jit[i])();
    }
    mprotect(jit[1], 4096, PROT_READ | PROT_WRITE);
    jit[1][1] = 1;
    mprotect(jit[1], 4096, PROT_READ | PROT_EXEC);
    sum += ((int (*)(void))jit[1])();
    mprotect(jit[2], 4096, PROT_READ | PROT_WRITE);
    jit[2][1] = 1;
    munmap(jit[0], 4096);
    char *again = map(PROT_READ | PROT_WRITE); /* the frame that was code, it may be */
    *again = 1;
    /* the program itself, as a file: read, and private copies */
    int fd = open("/proc/self/exe", O_RDONLY);
    volatile char *look = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    char *copy = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    sum += *look == *copy;
    *copy = 1;
    pthread_t t;
    for (int i = 0; i < 3; i++) pthread_create(&t, 0, nap, 0);
    printf("ready %d %p %p\n", sum, (void *)jit[1], (void *)main);
    fflush(stdout);
    sleep(100);
    return 0;
}
"""


class Monitor:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        for _ in range(200):
            try:
                self.s.connect(path)
                break
            except OSError:
                time.sleep(0.02)
        self.f = self.s.makefile("rw")
        self.f.readline()
        self.send({"execute": "qmp_capabilities"})

    def send(self, command):
        self.f.write(json.dumps(command) + "\n")
        self.f.flush()
        while True:
            answer = json.loads(self.f.readline())
            if "return" in answer or "error" in answer:
                return answer["return"]

    def ask(self, line):
        return self.send({"execute": "human-monitor-command",
                          "arguments": {"command-line": line}})

    def table(self, paddr):
        words = re.findall(r"0x([0-9a-f]{16})", self.ask(f"xp /512gx {paddr:#x}"))
        assert len(words) == 512, f"table at {paddr:#x}: {len(words)} words"
        return [int(w, 16) for w in words]


P, W, U, LARGE, NX = 1, 2, 4, 0x80, 1 << 63
FRAME = 0x000ffffffffff000
HALF = 0xffff800000000000
DIRECT_END = 0xffffff0000000000


class Page:
    """A mapped run of 4 KiB, 2 MiB or 1 GiB with its effective rights."""

    def __init__(self, va, entry, size, w, u, x):
        self.va, self.size, self.w, self.u, self.x = va, size, w, u, x
        self.frame = entry & FRAME & ~(size - 1)

    def __str__(self):
        rights = "".join(c for c, on in zip("wux", (self.w, self.u, self.x)) if on)
        return f"{self.va:#x} -> {self.frame:#x} ({self.size >> 10} KiB, {rights or 'r'})"


def walk(monitor, cr3):
    pages, user_tables = [], []

    def level(paddr, depth, va, w, u, x):
        for i, e in enumerate(monitor.table(paddr)):
            if not e & P:
                continue
            size = 1 << (39 - 9 * depth)
            at = va + i * size
            if depth == 0 and i >= 256:
                at |= 0xffff000000000000
            rights = (w and bool(e & W), u and bool(e & U), x and not e & NX)
            if at >= HALF and e & U:
                user_tables.append(f"{at:#x} at level {4 - depth}")
            if depth == 3 or e & LARGE:
                pages.append(Page(at, e, size, *rights))
            else:
                level(e & FRAME, depth + 1, at, *rights)

    level(cr3 & FRAME, 0, 0, True, True, True)
    return pages, user_tables


def symbols(path):
    """name -> address of the kernel, by nm."""
    out = subprocess.run(["nm", path], stdout=subprocess.PIPE, check=True, timeout=60).stdout
    return {w[2]: int(w[0], 16) for w in (line.split() for line in out.decode().split("\n"))
            if len(w) == 3}


def look(name, image, kernel, *flags):
    argv = shlex.split(subprocess.run([ZUK, "run", "--accel", "tcg", "--dry-run", *flags, image],
                                      stdout=subprocess.PIPE, check=True, timeout=60)
                       .stdout.decode())
    path = f"{TMP}/qmp"
    if os.path.exists(path):
        os.unlink(path)
    qemu = subprocess.Popen([*argv, "-qmp", f"unix:{path},server=on,wait=off"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    try:
        text, end = b"", time.monotonic() + 60
        while b"\n" not in text[text.find(b"ready"):] or b"ready" not in text:
            if not select.select([qemu.stdout], [], [], max(0, end - time.monotonic()))[0]:
                break
            more = os.read(qemu.stdout.fileno(), 4096)
            if not more:
                break
            text += more
        m = re.search(rb"ready (\d+) 0x([0-9a-f]+) 0x([0-9a-f]+)", text)
        check(m, f"{name}: the program is not ready: {text!r}")
        if not m:
            return
        check(m.group(1) == b"128", f"{name}: the made code gave {m.group(1)}")
        monitor = Monitor(path)
        monitor.ask("stop")
        judge(name, monitor, kernel, int(m.group(2), 16), int(m.group(3), 16),
              "--isolate" in flags)
    finally:
        qemu.kill()
        qemu.wait()


def judge(name, monitor, kernel, jit, main, isolate):
    registers = monitor.ask("info registers -a")
    for bits in re.findall(r"CR0=([0-9a-f]+)", registers):
        check(int(bits, 16) >> 16 & 1, f"{name}: CR0.WP is off: {bits}")
    for bits in re.findall(r"EFER=([0-9a-f]+)", registers):
        check(int(bits, 16) >> 11 & 1, f"{name}: EFER.NXE is off: {bits}")
    for bits in re.findall(r"CR4=([0-9a-f]+)", registers):
        wanted = 3 if isolate else 0
        check(int(bits, 16) >> 20 & 3 == wanted, f"{name}: SMAP and SMEP: CR4 {bits}")
        check(not int(bits, 16) >> 16 & 1, f"{name}: CR4.FSGSBASE is on")
    cr3s = set(re.findall(r"CR3=([0-9a-f]+)", registers))
    check(len(cr3s) == 1, f"{name}: page tables of their own: {cr3s}")
    pages, user_tables = walk(monitor, int(cr3s.pop(), 16))
    check(len(pages) > 50, f"{name}: only {len(pages)} pages")
    check(not user_tables, f"{name}: the kernel's half has user bits: {user_tables}")
    for p in pages:
        check(not (p.w and p.x), f"{name}: writable and executable: {p}")
        check(p.va >= 0x10000, f"{name}: the null page's neighbourhood is mapped: {p}")
        check(p.u == (p.va < HALF), f"{name}: a page on the wrong side: {p}")
        check(not p.x or not HALF <= p.va < DIRECT_END, f"{name}: executable in the direct map: {p}")
    writable = [p for p in pages if p.w]
    for x in (p for p in pages if p.x):
        for w in writable:
            apart = x.frame + x.size <= w.frame or w.frame + w.size <= x.frame
            check(apart, f"{name}: a frame executable as {x} is writable as {w}")
    mapped = {p.va: p for p in pages if p.size == 4096}
    for guard in ("boot_stack_guard", "trap_stack_guard"):
        check(kernel[guard] not in mapped, f"{name}: {guard} is mapped")
    check(kernel["boot_stack_guard"] + 4096 in mapped, f"{name}: the boot stack is not where we look")
    page = mapped.get(main & ~4095)
    check(page and page.x and page.u and not page.w, f"{name}: main's page: {page}")
    page = mapped.get(jit)
    check(page and page.x and not page.w, f"{name}: the made code's page: {page}")
    # kernel stacks, of two pages: a hole below each
    area = [a for a in sorted(mapped) if 0xffffff0000000000 <= a < 0xffffffff80000000 and
            mapped[a].frame < 1 << 28]
    run = 0
    for a in area:
        run = run + 1 if a - 4096 in mapped else 1
        check(run <= 2, f"{name}: no guard below the kernel stack at {a:#x}")
    check(len(area) >= 6, f"{name}: the threads' kernel stacks are not where we look")


with open(f"{TMP}/pages.c", "w") as f:
    f.write(PROGRAM)
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-fno-sanitize=all", "-o",
                f"{TMP}/pages", f"{TMP}/pages.c"], check=True, timeout=200)
os.environ["XDG_CACHE_HOME"] = f"{TMP}/cache"  # one kernel in it
subprocess.run([ZUK, "build", f"{TMP}/pages", "-o", f"{TMP}/pages.elf"], check=True, timeout=60)
kernel = symbols(glob.glob(f"{TMP}/cache/zuk/kernel/*.elf")[0])
for name, flags in (("plain", []), ("isolated", ["--isolate"]),
                    ("isolated, 2 CPUs", ["--isolate", "--cpus", "2"])):
    look(name, f"{TMP}/pages.elf", kernel, *flags)
finish()
