#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Commands that write, ended at their steps, by SIGKILL and by SIGTERM: what they
# write is then not there, or as it was before, or whole; the next run makes what an
# undisturbed one makes; and SIGTERM leaves no temporary file.
# timeout: 600
import hashlib
import os
import pty
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
os.makedirs(f"{TMP}/cache/zuk/work")
os.chdir(f"{TMP}/here")
failed = 0


def zuk(*words):
    r = subprocess.run([ZUK, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if r.returncode:
        sys.exit(f"zuk {' '.join(words)}: {r.returncode}\n{r.stderr}")
    return r.stdout


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
    """What nobody needs later, here and in the cache."""
    cache = f"{TMP}/cache/zuk"
    places = [".", cache, f"{cache}/kernel", *(f"{cache}/work/{n}" for n in os.listdir(f"{cache}/work"))]
    return [f"{d}/{n}" for d in places if os.path.isdir(d) for n in os.listdir(d)
            if n.endswith(("~", ".new", ".lnk")) or ".new-" in n or n.startswith("scratch-")]


def each_step(what, words, result, before, same=state, again=None, points=POINTS, last=LAST, terminal=None):
    """before() brings the start about; same() tells states of `result` apart; again() makes it anew."""
    global failed
    before()
    first = same(result)
    total, _ = steps.run([ZUK, *words], -1, signal.SIGKILL, terminal)
    whole = same(result)
    if whole is None or total < 5:
        sys.exit(f"{what}: {total} steps, result {whole}")
    points = sorted({*range(1, total + 1, max(1, total // points)), *range(max(1, total - last), total + 1)})
    for at in points:
        for number in (signal.SIGKILL, signal.SIGTERM):
            before()
            steps.run([ZUK, *words], at, number, terminal)
            how = f"{what}, {number.name} at step {at} of {total}"
            now = same(result)
            if now not in (first, whole):
                failed += 1
                print(f"{how}: what is there is neither what was, nor whole")
            if number == signal.SIGTERM and temporary():
                failed += 1
                print(f"{how}: left behind: {temporary()}")
            remove(*temporary())
            if again:
                again()
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


BUILD, CHANGED = ["build", "app1.o", "-o", "image.elf"], ["build", "app.o", "-o", "image.elf"]
each_step("build, nothing there", BUILD, "image.elf", cold, again=lambda: zuk(*BUILD))
each_step("build, of a changed app", CHANGED, "image.elf", another, again=lambda: zuk(*CHANGED))

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


def answer(words, status):
    """What a command without a result of its own says when it is called again, as a state."""
    def same(_):
        r = subprocess.run([ZUK, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if r.returncode != status:
            sys.exit(f"zuk {' '.join(words)}: {r.returncode}, not {status}\n{r.stderr}")
        return r.stdout
    return same


def no_work():
    """Nothing is kept of earlier runs, checks and looks."""
    remove(*(f"{TMP}/cache/zuk/work/{n}" for n in os.listdir(f"{TMP}/cache/zuk/work")))
    remove(f"{TMP}/cache/zuk/kernel")


for words, status in ((["run", "--timeout", "60", "app2.o"], 2), (["check", "app2.o"], 0),
                      (["config", "diff", "--set", "POLL=y", "app2.o"], 0)):
    each_step(words[0], words, "", no_work, answer(words, status), points=4, last=3)


def kept():
    """A .config with a word that goes and one that stays."""
    remove(".config")
    zuk("config", "set", "POLL=y", "PIPES=y", "app1.o")


each_step("config unset", ["config", "unset", "POLL", "app1.o"], ".config", kept)
os.makedirs(f"{TMP}/bin")
with open(f"{TMP}/bin/kconfig-mconf", "w") as f:  # a menu in which one option is switched on
    f.write("#!/bin/sh\nsed -i 's/.*CONFIG_POLL[ =].*/CONFIG_POLL=y/' \"$KCONFIG_CONFIG\"\n")
os.chmod(f"{TMP}/bin/kconfig-mconf", 0o755)
os.environ["PATH"] = f"{TMP}/bin:{os.environ['PATH']}"
far, near = pty.openpty()
each_step("menu", ["menu", "app1.o"], ".config", lambda: remove(".config"), terminal=near)
if "CONFIG_POLL=y" not in open(".config").read():
    sys.exit("the menu of this test changed nothing")
remove(".config")
each_step("size --html", ["size", "--html", "page.html", "warm.elf"], "page.html", lambda: remove("page.html"))

# Where the same sources give the same image: zuk.lock and the image, and verify, whose
# result is an answer.  musl at the canonical path is compiled once and kept.
canonical = os.path.expanduser("~/.cache/zuk/canonical")
os.makedirs(canonical, exist_ok=True)
os.symlink(canonical, f"{TMP}/cache/zuk/canonical")
LOCK, LOCKED = ["build", "--lock", *BUILD[1:]], ["build", "--locked", *BUILD[1:]]


def no_lock():
    remove("zuk.lock", "image.elf", "image.elf.zuk", "image.elf.config")


zuk(*LOCK)
shutil.copy("zuk.lock", "lock.kept")
each_step("build --lock", LOCK, "zuk.lock", no_lock, again=lambda: zuk(*LOCK), points=4, last=3)


def only_lock():
    no_lock()
    shutil.copy("lock.kept", "zuk.lock")


each_step("build --locked", LOCKED, "image.elf", only_lock, again=lambda: zuk(*LOCKED), points=4, last=3)
only_lock()
zuk(*LOCKED)
VERIFY = ["verify", "image.elf"]
each_step("verify", VERIFY, "image.elf", lambda: None, answer(VERIFY, 0), points=3, last=3)
sys.exit(1 if failed else 0)
