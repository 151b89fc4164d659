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

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, TOP, ZIG, ZUK, check, finish  # noqa: E402

if shutil.which("kconfig-mconf") is None:
    print("kconfig-mconf is not on PATH (Debian: kconfig-frontends-nox)")
    sys.exit(77)
os.environ.update(TERM="linux", LINES="50", COLUMNS="120", MENUCONFIG_COLOR="mono")
os.chdir(TMP)
with open("app.c", "w", encoding="utf-8") as f:
    f.write('#include <stdio.h>\n#include <time.h>\n'
            'int main(void) { puts("menu"); return (int)time(0) == 0; }\n')
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-g", "-c", "app.c"], check=True)

ESCAPE, ENTER, DOWN = "\033\033", "\r", "\033[B"


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
check(status == 0, f"status {status} of a visit without a change")
check(config() is None, "no .config")
check("nothing is changed" in out, "it says that nothing is changed")
check("make" not in out.lower().replace("makes", ""), "no talk of make")

# on: NAMES needs FILES, which comes along and is not kept; the reason is help
status, out = menu(("What the kernel provides", ENTER), ("IO: ", to("NAMES") + "y"),
                   ("NAMES: ", "?"), ("By itself off: no call asks for it", ESCAPE),
                   ("NAMES: ", ESCAPE), ("What the kernel provides", ESCAPE),
                   ("save", ENTER))
check(status == 0, f"status {status}")
check(config() == "CONFIG_NAMES=y\n", f".config is {config()!r}")

# a value, and off again: the machine (a choice) by hand, NAMES by its key
with open(".config", "a", encoding="utf-8") as f:
    f.write('# of mine\nCONFIG_MACHINE="q35"\n')
status, out = menu(("What the kernel provides", ENTER), ("IO: ", to("NAMES") + "n"),
                   ("NAMES: ", ESCAPE), ("What the kernel provides", ESCAPE),
                   ("save", ENTER))
check(status == 0, f"status {status}")
check(config() == '# of mine\nCONFIG_MACHINE="q35"\n',
      f".config is {config()!r}: what NAMES brought along goes with it")

# the user does not save
before = config()
status, out = menu(("What the kernel provides", ENTER), ("IO: ", to("TIME") + "n"),
                   ("TIME: ", ESCAPE), ("What the kernel provides", ESCAPE), ("save", "n"))
check(status == 0, f"status {status}")
check(config() == before, f".config is {config()!r}")

# what the menu kept is what the build takes
r = subprocess.run([ZUK, "build", "app.o", "-o", "app.elf"], capture_output=True, text=True)
check(r.returncode == 0, f"the build: {r.stderr}")
with open("app.elf.config", encoding="utf-8") as f:
    check('CONFIG_MACHINE="q35"' in f.read(), "the image's options")


def refused(text, *argv, **how):
    result = subprocess.run([ZUK, "menu", *argv], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, **how)
    check(result.returncode == 1, f"status {result.returncode} of zuk menu {argv}")
    check(text in result.stderr, f"{text!r} in {result.stderr!r}")


refused("zuk menu needs a terminal", "app.o")
refused("apt-get install kconfig-frontends-nox", "app.o", env={**os.environ, "PATH": TMP})
check(not [n for n in os.listdir("cache/zuk") if n.startswith("menu")], "nothing left behind")
finish()
