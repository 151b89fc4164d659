#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# What takes over half a second says what it is at: on a terminal in one line that
# is gone at the end and in nobody's way, elsewhere in a plain line a step; -q, -v and
# --json.  `zig build` is a stand-in that takes as long as the test wants.
# timeout: 300
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZIG, ZUK, Terminal, check, finish  # noqa: E402

os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
os.environ.pop("NO_COLOR", None)
os.chdir(TMP)

STAND_IN = """#!/bin/sh
# "zig build": installs libhello.a after $SECONDS_IT_TAKES, with $WORDS before and after that
[ "$1" = build ] || exec %s "$@"
[ "$2" = --help ] && echo "  -Dtarget=[string]" && exit
[ -z "$WORDS" ] || { [ -t 2 ] && size=$(stty size <&2) || size=pipe; printf "$WORDS" "$size" >&2; }
sleep "$SECONDS_IT_TAKES"
[ -z "$WORDS" ] || echo "the last word"
[ -z "$FAILS" ] || exit 3
mkdir -p "$4/lib" && cp ../libhello.a "$4/lib/"
"""
with open("zig", "w") as f:
    f.write(STAND_IN % ZIG)
os.chmod("zig", 0o755)
with open("hello.c", "w") as f:
    f.write("int main(void) { return 0; }\n")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-c", "hello.c"], check=True)
subprocess.run([ZIG, "ar", "rcs", "libhello.a", "hello.o"], check=True)
os.mkdir("hello")
open("hello/build.zig", "w").close()
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "hello.o", "-o", "linked"], check=True)


def argv(*words, folder="hello"):
    return [ZUK, "build", "--zig", f"{TMP}/zig", *words, folder, "-o", "image.elf"]


def changed():
    """The next build begins anew."""
    for name in ("image.elf", "image.elf.config"):
        if os.path.exists(name):
            os.unlink(name)
    with open("hello/build.zig", "a") as f:
        f.write("// once more\n")


def environment(seconds, words="", fails="", **more):
    return {**os.environ, "SECONDS_IT_TAKES": str(seconds), "WORDS": words, "FAILS": fails, **more}


def piped(command, **how):
    r = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=100, env=environment(**how))
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def on_terminal(command, columns=80, interrupt_when=None, **how):
    """Status, and the bytes that a terminal receives; SIGINT when they hold a text."""
    t = Terminal(command, environment(**how), columns)
    if interrupt_when and t.until(interrupt_when):
        os.kill(t.pid, signal.SIGINT)
    return t.end(), t.seen.decode()


def screen(seen):
    """The lines that are there in the end."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.", seen, re.S):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            column = 0
        elif part == "\x1b[K":
            lines[row] = lines[row][:column]
        elif part[0] != "\x1b":
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + 1:]
            column += 1
    return "\n".join(lines).rstrip("\n")


ASKS_ZIG = "asking Zig for its C library (compiled the first time: about a minute)"
STEPS = ["asking build.zig of hello for its options", "building hello by zig build", "linking libhello.a",
         "finding the system calls of hello", "linking the kernel", "writing image.elf"]


def plain_steps(err, steps=STEPS):
    """The numbers of the steps that plain lines name; what else there is."""
    found, rest = [], []
    for line in err.splitlines():
        m = re.fullmatch(r"zuk: \[(\d)/(\d)\] (.*)", line)
        if m:
            number = int(m.group(1))
            check(int(m.group(2)) == len(steps) and steps[number - 1:number] == [m.group(3)], f"a step: {line}")
            found.append(number)
        else:
            rest.append(line)
    check(found == sorted(set(found)), f"steps in their order, each once: {found}")
    return found, rest


# --- the total is right from the first line, also where libc is not known yet ---
status, _, err = piped([ZUK, "build", "-v", "linked", "-o", "linked.elf"], seconds=0)
found, _ = plain_steps(err, ["finding the system calls of linked", *STEPS[4:5], "writing linked.elf"])
check(status == 0 and found == [1, 2, 3], f"nothing to link, nobody to ask: {err!r}")
changed()
status, _, err = piped(argv("-v"), seconds=0)
found, _ = plain_steps(err, [*STEPS[:2], ASKS_ZIG, *STEPS[2:]])
check(status == 0 and found == [1, 2, 3, 4, 5, 6, 7], f"libc is not known: {err!r}")

# --- no terminal: a line for each step of over half a second ------------------
changed()
status, out, err = piped(argv(), seconds=1, words="words: %s\\n")
found, rest = plain_steps(err)
check(status == 0 and 2 in found and out == "", f"a slow step is named: {status} {out!r} {err!r}")
check(rest == ["words: pipe", "the last word"], f"the child's words as they are: {rest}")
check(err.index("words: pipe") < err.index("[2/6]") < err.index("the last word"), f"half a second later: {err!r}")
changed()
_, _, err = piped(argv(), seconds=0)
check(2 not in plain_steps(err)[0] or len(err) > 200, f"a quick step is not: {err!r}")
changed()
status, _, err = piped(argv(), seconds=1, fails="1")
check(status == 1 and 2 in plain_steps(err)[0], f"a build that fails: {err!r}")
check("zuk: error: 'zig build' failed in 'hello' (status 3)" in err, f"its error: {err!r}")

# --- -q, -v, --json -------------------------------------------------------------
changed()
status, out, err = piped(argv("-q"), seconds=1, words="words: %s\\n")
check((status, out, err) == (0, "", "words: pipe\nthe last word\n"), f"-q: {status} {out!r} {err!r}")
changed()
status, _, err = piped(argv("--quiet"), seconds=0, fails="1")
check(status == 1 and err == "zuk: error: 'zig build' failed in 'hello' (status 3)\n", f"-q has errors: {err!r}")
check(piped([ZUK, "new", "-q", "quiet"], seconds=0) == (0, "", ""), "new -q says nothing")
changed()
status, _, err = piped(argv("-v"), seconds=0)
found, _ = plain_steps(err)
check(found == [1, 2, 3, 4, 5, 6], f"-v has every step: {found}")
changed()
status, out, err = piped([ZUK, "check", "--json", "--zig", f"{TMP}/zig", "hello"], seconds=1)
check(status == 0 and out.startswith("{") and "[" not in err, f"--json: {err!r}")
status, out, err = piped([ZUK, "run", "--json", "--zig", f"{TMP}/zig", "--timeout", "60", "hello"], seconds=1)
check(status == 0 and err.startswith("{") and err.count("\n") == 1, f"run --json: {err!r}")

# --- a terminal: one line, gone in the end -------------------------------------
changed()
status, seen = on_terminal(argv(), seconds=1)
check(status == 0 and "[2/6] building hello by zig build\x1b[K" in seen, f"drawn: {status} {seen!r}")
check("\n" not in seen and screen(seen) == "", f"one line, and none at the end: {seen!r}")
changed()
status, seen = on_terminal(argv(), seconds=0.1)
check("[2/6]" not in seen and screen(seen) == "", f"nothing within half a second: {seen!r}")
status, seen = on_terminal(argv(), seconds=1)
check((status, seen) == (0, ""), f"nothing to do, nothing to say: {seen!r}")
changed()
status, seen = on_terminal(argv(), seconds=1, words="\\033[31mred %s\\033[0m\\n", columns=70)
check(screen(seen) == "red 24 70\nthe last word", f"the child has a terminal like ours: {seen!r}")
check("\x1b[31mred 24 70\x1b[0m\r\n" in seen, f"and its bytes are the same: {seen!r}")
check("[2/6]" not in seen, f"a child that speaks needs no line: {seen!r}")
changed()
status, seen = on_terminal(argv(), seconds=1, words="no end", fails="1")
check("no endthe last word\r\n" in seen and screen(seen).split("\n")[1].startswith("zuk: error: 'zig build' failed"),
      f"an error after that: {seen!r}")
changed()
status, seen = on_terminal(argv("-q"), seconds=1)
check((status, seen) == (0, ""), f"-q on a terminal: {seen!r}")
changed()
status, seen = on_terminal(argv(), seconds=1, TERM="dumb")
check("zuk: [2/6] building hello by zig build\r\n" in seen and "\x1b" not in seen, f"a terminal without a cursor: {seen!r}")
changed()
status, seen = on_terminal(argv(), seconds=1, columns=20)
check("[2/6] building hell\x1b[K" in seen, f"cut to the width: {seen!r}")

# names that move the cursor, or are wide
odd = "a\x1b[2J\nb 日本"
os.rename("hello", odd)
status, seen = on_terminal(argv(folder=odd), seconds=1, columns=34)
check("[2/6] building a?[2J?b 日本 by zi\x1b[K" in seen, f"odd names: {seen!r}")
check("\x1b[2J" not in seen, f"no control characters: {seen!r}")
os.rename(odd, "hello")

# --- ended by Ctrl-C: the line goes, and so does what was started ---------------
changed()
before = time.monotonic()
status, seen = on_terminal(argv(), seconds=60, interrupt_when=b"[2/6]")
check(status == 130 and time.monotonic() - before < 30, f"SIGINT: {status}")
check(screen(seen) == "" and seen.endswith("\r\x1b[K"), f"the line is gone: {seen!r}")
check(not os.path.exists("image.elf"), "and there is no image")
finish()
