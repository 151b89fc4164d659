#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# stderr is red on a terminal and nowhere else; NO_COLOR and --color decide;
# colour changes with the stream, not with each write; bytes stay as they are.
# timeout: 200
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import ZUK, Terminal, build, check, finish  # noqa: E402

TWO = build("two", """#include <unistd.h>
int main(void) {
    write(1, "out\\n", 4);
    for (int i = 0; i < 5; i++) { write(2, "e", 1); }
    write(2, "\\n", 1);
    write(1, "again\\n", 6);
    return 0;
}
""")


def on_terminal(flags=(), **env):
    """What a terminal that is stdout and stderr receives."""
    t = Terminal([ZUK, "exec", "--timeout", "60", *flags, TWO], {"NO_COLOR": "", **env})
    status = t.end()
    check(status == 0, f"status {status}: {t.seen!r}")
    return t.seen.replace(b"\r\n", b"\n")


def piped(*flags, **env):
    r = subprocess.run([ZUK, "exec", *flags, TWO], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=60,
                       env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **env})
    return r.stdout, r.stderr


ESC = b"\x1b["
seen = on_terminal()
check(b"\x1b[31m" in seen, f"stderr is red on a terminal: {seen!r}")
check(b"eeeee" in seen, f"five writes to stderr in one colour: {seen!r}")
check(seen.index(b"out\n") < seen.index(b"eeeee") < seen.index(b"again"), f"order: {seen!r}")
check(ESC not in seen[seen.index(b"again"):] or seen.endswith(b"\x1b[0m"), f"stdout is plain: {seen!r}")
before_out = seen[:seen.index(b"out\n")]
check(b"\x1b[31m" not in before_out, f"stdout is not red: {seen!r}")
check(ESC not in on_terminal(NO_COLOR="1"), "NO_COLOR is respected")
check(ESC not in on_terminal(["--color=never"]), "--color=never is respected")
check(b"\x1b[31m" in on_terminal(["--color=always"], NO_COLOR="1"), "--color=always beats NO_COLOR")
check(piped() == (b"out\nagain\n", b"eeeee\n"), f"pipes get the bytes alone: {piped()!r}")
out, err = piped("--color=always")
check(out == b"out\nagain\n" and b"\x1b[31m" in err and b"eeeee" in err, f"--color=always: {out!r} {err!r}")
finish()
