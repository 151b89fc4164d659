#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Commands that write, ended at their steps, by SIGKILL and by SIGTERM: what they
# write is then not there, or as it was before, or whole; the next run makes what an
# undisturbed one makes; and SIGTERM leaves no temporary file.
# timeout: 400
import hashlib
import os
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import steps  # noqa: E402

TMP, ZUK, ZIG = (os.environ[k] for k in ("TMP", "ZUK", "ZIG"))
POINTS = 14  # of each command; the last steps are all taken
LAST = 6
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
os.environ.update(XDG_CACHE_HOME=f"{TMP}/cache", LC_ALL="C")
os.makedirs(f"{TMP}/here")
os.chdir(f"{TMP}/here")
failed = 0


def zuk(*words):
    r = subprocess.run([ZUK, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if r.returncode:
        sys.exit(f"zuk {' '.join(words)}: {r.returncode}\n{r.stderr}")


def state(path):
    """What is there: None, or a sum over names and bytes."""
    if not os.path.lexists(path):
        return None
    sum = hashlib.sha256()
    if os.path.isfile(path):
        sum.update(open(path, "rb").read())
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            sum.update(f"{os.path.relpath(folder, path)}/{name}\n".encode())
            sum.update(open(os.path.join(folder, name), "rb").read())
    return sum.hexdigest()


def remove(*paths):
    for path in paths:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)


def temporary():
    return [n for n in os.listdir(".") if n.endswith("~") or ".new-" in n]


def each_step(what, words, result, before, same=state):
    """before() brings the start about; same() tells states of `result` apart."""
    global failed
    before()
    first = same(result)
    total, _ = steps.run([ZUK, *words], -1, signal.SIGKILL)
    whole = same(result)
    if whole is None or total < 5:
        sys.exit(f"{what}: {total} steps, result {whole}")
    points = sorted({*range(1, total + 1, max(1, total // POINTS)), *range(max(1, total - LAST), total + 1)})
    for at in points:
        for number in (signal.SIGKILL, signal.SIGTERM):
            before()
            steps.run([ZUK, *words], at, number)
            how = f"{what}, {number.name} at step {at} of {total}"
            now = same(result)
            if now not in (first, whole):
                failed += 1
                print(f"{how}: what is there is neither what was, nor whole")
            if number == signal.SIGTERM and temporary():
                failed += 1
                print(f"{how}: left behind: {temporary()}")
            remove(*temporary())
            if result == "image.elf":
                zuk(*words)
                if same(result) != whole:
                    failed += 1
                    print(f"{how}: the next run makes something else")
    print(f"{what}: {total} steps, {len(points)} points")


def source(number):
    with open("app.c", "w") as f:
        f.write(f"int main(void) {{ return {number}; }}\n")
    subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-c", "app.c", "-o", f"app{number}.o"], check=True)


source(1)
source(2)
zuk("build", "app1.o", "-o", "warm.elf")


def cold():
    """No image, no kernel in the cache; what Zig's libc is is known."""
    remove("image.elf", "image.elf.zuk", "image.elf.config", f"{TMP}/cache/zuk/kernel")


def another():
    """An image of another program is there."""
    remove("image.elf.zuk")
    shutil.copy("app1.o", "app.o")
    zuk("build", "app.o", "-o", "image.elf")
    shutil.copy("app2.o", "app.o")


each_step("build, nothing there", ["build", "app1.o", "-o", "image.elf"], "image.elf", cold)
each_step("build, of a changed app", ["build", "app.o", "-o", "image.elf"], "image.elf", another)
each_step("export", ["export", "unikraft", "app1.o", "-o", "exported"], "exported", lambda: remove("exported"))


def identical(path):
    """A project without its fingerprint, which is another each time."""
    if not os.path.isdir(path):
        return state(path)
    zon = os.path.join(path, "build.zig.zon")
    names = sorted(os.path.join(d, n)[len(path):] for d, _, files in os.walk(path) for n in files)
    lines = [x for x in open(zon).read().split("\n") if "fingerprint" not in x] if os.path.exists(zon) else []
    return str((names, lines, [os.path.getsize(path + n) for n in names if not n.endswith("zon")]))


each_step("new", ["new", "fresh"], "fresh", lambda: remove("fresh"), identical)
each_step("config set", ["config", "set", "POLL=y", "app1.o"], ".config", lambda: remove(".config"))
each_step("size --html", ["size", "--html", "page.html", "warm.elf"], "page.html", lambda: remove("page.html"))
sys.exit(1 if failed else 0)
