#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk menu in a terminal of its own: options are changed by keys, .config keeps
# only what differs from what the app asks for, the next build uses it; a visit
# without a change keeps nothing; without terminal or program there is an error.
# timeout: 200
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time

ZUK, ZIG, TOP, TMP = (os.environ[k] for k in ("ZUK", "ZIG", "TOP", "TMP"))
if shutil.which("kconfig-mconf") is None:
    print("kconfig-mconf is not on PATH (Debian: kconfig-frontends-nox)")
    sys.exit(77)
os.environ.update(XDG_CACHE_HOME=f"{TMP}/cache", TERM="linux", LINES="50", COLUMNS="120", MENUCONFIG_COLOR="mono")
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
os.chdir(TMP)
with open("app.c", "w", encoding="utf-8") as f:
    f.write('#include <stdio.h>\n#include <time.h>\n'
            'int main(void) { puts("menu"); return (int)time(0) == 0; }\n')
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-g", "-c", "app.c"], check=True)
failed = 0

ESCAPE, ENTER, DOWN = "\033\033", "\r", "\033[B"


def check(what, value):
    global failed
    if not value:
        failed += 1
        print(f"FAILED: {what}")


def words(data):
    """Without what moves the cursor and changes colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-Za-z]|[\x0e\x0f]", "",
                  data.decode(errors="replace"))


def menu(*steps):
    """Each step: text to wait for on the screen, keys to send.  -> status, all output."""
    child, fd = pty.fork()
    if child == 0:
        os.execv(ZUK, [ZUK, "menu", "app.o"])
    seen, out, status = b"", b"", None
    steps = list(steps)
    deadline = time.monotonic() + 60
    while status is None and time.monotonic() < deadline:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                data = b""
            if not data:
                status = os.waitpid(child, 0)[1]
                break
            seen, out = seen + data, out + data
        elif steps and steps[0][0] in words(seen):  # and the screen stands still
            os.write(fd, steps.pop(0)[1].encode())
            seen = b""
    if status is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print(f"FAILED: the menu waits; left: {steps}\n{words(out)[-3000:]}")
        sys.exit(1)
    os.close(fd)
    return os.waitstatus_to_exitcode(status), words(out)


def config():
    if not os.path.exists(".config"):
        return None
    with open(".config", encoding="utf-8") as file:
        return file.read()


# The places of options in the menu: those of every image are not shown.
with open(f"{TOP}/abi/features.def", encoding="utf-8") as f:
    shown = [n for n, k in re.findall(r"^FEATURE\((\w+), (\w+),", f.read(), re.M) if k != "ALWAYS"]


def to(option):
    return DOWN * shown.index(option)


leave = [("", ESCAPE), ("", ESCAPE)]

# nothing is changed: nothing is kept, and mconf's own advice is not shown
status, out = menu(("What the kernel provides", ESCAPE))
check(f"status {status} of a visit without a change", status == 0)
check("no .config", config() is None)
check("it says that nothing is changed", "nothing is changed" in out)
check("no talk of make", "make" not in out.lower().replace("makes", ""))

# on: NAMES needs FILES, which comes along and is not kept; the reason is help
status, out = menu(("What the kernel provides", ENTER), ("IO: ", to("NAMES") + "y"),
                   ("NAMES: ", "?"), ("By itself off: no call asks for it", ESCAPE),
                   ("NAMES: ", ESCAPE), ("What the kernel provides", ESCAPE),
                   ("save", ENTER))
check(f"status {status}", status == 0)
check(f".config is {config()!r}", config() == "CONFIG_NAMES=y\n")

# a value, and off again: the machine (a choice) by hand, NAMES by its key
with open(".config", "a", encoding="utf-8") as f:
    f.write('# of mine\nCONFIG_MACHINE="q35"\n')
status, out = menu(("What the kernel provides", ENTER), ("IO: ", to("NAMES") + "n"),
                   ("NAMES: ", ESCAPE), ("What the kernel provides", ESCAPE),
                   ("save", ENTER))
check(f"status {status}", status == 0)
check(f".config is {config()!r}: what NAMES brought along goes with it",
      config() == '# of mine\nCONFIG_MACHINE="q35"\n')

# the user does not save
before = config()
status, out = menu(("What the kernel provides", ENTER), ("IO: ", to("TIME") + "n"),
                   ("TIME: ", ESCAPE), ("What the kernel provides", ESCAPE), ("save", "n"))
check(f"status {status}", status == 0)
check(f".config is {config()!r}", config() == before)

# what the menu kept is what the build takes
r = subprocess.run([ZUK, "build", "app.o", "-o", "app.elf"], capture_output=True, text=True)
check(f"the build: {r.stderr}", r.returncode == 0)
with open("app.elf.config", encoding="utf-8") as f:
    check("the image's options", 'CONFIG_MACHINE="q35"' in f.read())


def refused(text, *argv, **how):
    result = subprocess.run([ZUK, "menu", *argv], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, **how)
    check(f"status {result.returncode} of zuk menu {argv}", result.returncode == 1)
    check(f"{text!r} in {result.stderr!r}", text in result.stderr)


refused("zuk menu needs a terminal", "app.o")
refused("apt-get install kconfig-frontends-nox", "app.o", env={**os.environ, "PATH": TMP})
check("nothing left behind", not [n for n in os.listdir("cache/zuk") if n.startswith("menu")])
sys.exit(1 if failed else 0)
