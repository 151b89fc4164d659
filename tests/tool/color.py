#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# stderr is red on a terminal and nowhere else; NO_COLOR and --color decide;
# colour changes with the stream, not with each write; bytes stay as they are.
# timeout: 200
import os
import pty
import subprocess
import sys

ZUK, ZIG, TMP = os.environ["ZUK"], os.environ["ZIG"], os.environ["TMP"]
failed = 0


def check(condition, text):
    global failed
    if not condition:
        failed += 1
        print("FAILED:", text)


with open(f"{TMP}/two.c", "w") as f:
    f.write("""#include <unistd.h>
int main(void) {
    write(1, "out\\n", 4);
    for (int i = 0; i < 5; i++) { write(2, "e", 1); }
    write(2, "\\n", 1);
    write(1, "again\\n", 6);
    return 0;
}
""")
subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-o", f"{TMP}/two", f"{TMP}/two.c"],
               check=True, timeout=200)


def on_terminal(flags=(), **env):
    """What a terminal that is stdout and stderr receives."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.environ.pop("NO_COLOR", None)
        os.environ.update(env)
        os.execv(ZUK, [ZUK, "exec", "--timeout", "60", *flags, f"{TMP}/two"])
    seen = b""
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    _, status = os.waitpid(pid, 0)
    check(status == 0, f"status {status}: {seen!r}")
    os.close(fd)
    return seen.replace(b"\r\n", b"\n")


def piped(*flags, **env):
    r = subprocess.run([ZUK, "exec", *flags, f"{TMP}/two"], stdin=subprocess.DEVNULL,
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
sys.exit(1 if failed else 0)
