#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Ctrl-C (130), SIGTERM (143), SIGKILL of zuk: each leaves no QEMU behind; a
# terminal's Ctrl-C reaches zuk, Ctrl-D ends stdin.  One that has closed the channel
# and does not end is ended as well; who started zuk may ignore SIGCHLD.
# timeout: 300
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZUK, Terminal, build, check, finish, zuk  # noqa: E402


def children(pid):
    """All descendants of a process, by /proc."""
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat") as f:
                        after = f.read().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(after[1]) == parent:
                    found.append(int(entry))
                    todo.append(int(entry))
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pids, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        if not any(alive(p) for p in pids):
            return True
        time.sleep(0.05)
    return False


def started(program, **how):
    p = subprocess.Popen([ZUK, "exec", "--timeout", "100", program], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **how)
    line = p.stdout.readline()
    check(line == b"ready\n", f"the app says ready, not {line!r}")
    below = children(p.pid)
    check(below, "a QEMU runs below zuk")
    return p, below


def end(signal_number, status):
    p, below = started(spin)
    p.send_signal(signal_number)
    try:
        got = p.wait(timeout=20)
    except subprocess.TimeoutExpired:
        p.kill()
        got = "no end"
    check(got == status, f"signal {signal_number}: status {got}, not {status}")
    check(gone(below), f"signal {signal_number} leaves a QEMU behind")


spin = build("spin", """#include <stdio.h>
int main(void) { puts("ready"); fflush(stdout); for (;;) { __asm__ volatile(""); } }
""")
echo = build("echo", """#include <stdio.h>
int main(void) {
    char line[200];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) { printf("got %s", line); fflush(stdout); }
    puts("end of input");
    return 3;
}
""")

end(signal.SIGINT, 130)
end(signal.SIGTERM, 143)
p, below = started(spin)
p.kill()
p.wait()
check(gone(below), "a killed zuk leaves a QEMU behind")

qemu = f"{TMP}/mute"
with open(qemu, "w", encoding="utf-8") as f:
    f.write("#!/bin/sh\nexec sleep 300 >/dev/null\n")
os.chmod(qemu, 0o755)
mute = {**os.environ, "ZUK_QEMU": qemu}
zuk("exec", "--timeout", "1", spin, status=6, timeout=30, env=mute)
p = subprocess.Popen([ZUK, "exec", spin], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=mute)
end_of_wait = time.time() + 20
while not children(p.pid) and time.time() < end_of_wait:
    time.sleep(0.05)
time.sleep(0.5)
below = children(p.pid)
p.terminate()
try:
    status = p.wait(timeout=20)
except subprocess.TimeoutExpired:
    p.kill()
    status = "no end"
check(status == 143, f"SIGTERM while QEMU does not end: status {status}, not 143")
check(gone(below), "what took QEMU's place is left behind")
# A linker that goes on writing beside its output is ended before that folder is removed.
zig = f"{TMP}/busy"
with open(zig, "w", encoding="utf-8") as f:
    f.write(f"""#!/bin/sh
while [ $# -gt 1 ]; do
    [ "$1" = -o ] && out=$2
    shift
done
: >{TMP}/linking
for k in 1 2 3 4; do
    while [ -d "${{out%/*}}" ]; do true >"${{out%/*}}/$k.$((n += 1))"; done 2>/dev/null &
done
wait
""")
os.chmod(zig, 0o755)
p = subprocess.Popen([ZUK, "build", spin, "-o", f"{TMP}/busy.elf"], stdin=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL, env={**os.environ, "ZUK_ZIG": zig})
end_of_wait = time.time() + 20
while not os.path.exists(f"{TMP}/linking") and time.time() < end_of_wait:
    time.sleep(0.05)
time.sleep(0.3)
p.terminate()
check(p.wait(timeout=20) == 143, f"SIGTERM during a link: status {p.returncode}, not 143")
left = [n for n in os.listdir(f"{TMP}/cache/zuk") if n.startswith("scratch-")]
check(not left, f"SIGTERM during a link leaves {left}")
ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)}
zuk("build", spin, "-o", f"{TMP}/spin.elf", **ignoring)
zuk("run", "--timeout", "2", f"{TMP}/spin.elf", status=6, **ignoring)


def terminal(program, talk):
    """zuk on a pseudo-terminal; talk() drives it."""
    t = Terminal([ZUK, "exec", "--timeout", "60", program])
    check(t.until(b"ready"), f"the app starts on a terminal ({t.seen!r})")
    below = children(t.pid)
    talk(t)
    status = t.end()
    check(gone(below), "nothing is left behind")
    return status, t.seen


def typed(t):
    os.write(t.fd, b"one line\r")
    check(t.until(b"got one line"), "a line typed on the terminal arrives")
    os.write(t.fd, b"\x04")
    check(t.until(b"end of input"), "Ctrl-D ends stdin")


status, seen = terminal(echo, typed)
check(status == 3, f"status {status} after Ctrl-D, not 3: {seen!r}")
status, seen = terminal(spin, lambda t: os.write(t.fd, b"\x03"))
check(status == 130 or status == -signal.SIGINT, f"status {status} after Ctrl-C, not 130: {seen!r}")
finish()
