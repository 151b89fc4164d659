# SPDX-License-Identifier: BSD-3-Clause
#
# For the Python tests of this folder: what expect.sh is for the scripts.
#
#   check(condition, text)   says FAILED and the text when it is false
#   build(name, source)      $TMP/name, an executable for the guest, of C
#   zuk(words, status=0)     runs zuk, checks its status; its result, streams as text
#   Terminal(argv)           a program on a terminal of its own
#   own_network(commands)    goes on in a network namespace that ends with the test
#   finish()                 ends the test: 1 when a check failed
#
# zuk's cache is the test's own, Zig's is not (libc is in it).
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

ZUK, ZIG, TOP, TMP = (os.environ[k] for k in ("ZUK", "ZIG", "TOP", "TMP"))
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
os.environ["XDG_CACHE_HOME"] = f"{TMP}/cache"
failed = 0


def check(condition, text):
    global failed
    if not condition:
        failed += 1
        print("FAILED:", text, flush=True)


def build(name, source, *flags):
    with open(f"{TMP}/{name}.c", "w", encoding="utf-8") as f:
        f.write(source)
    subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", *flags, f"{name}.c", "-o", name], check=True,
                   timeout=200, cwd=TMP)
    return f"{TMP}/{name}"


def zuk(*argv, status=0, timeout=100, **how):
    r = subprocess.run([ZUK, *argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout, **how)
    check(r.returncode == status, f"zuk {' '.join(argv)}: status {r.returncode}, not {status}: {r.stderr}")
    return r


class Terminal:
    """A program whose three streams are a terminal: `pid`, `fd` (its other end), and the bytes that it
    received in `seen`."""

    def __init__(self, argv, env=None, columns=80):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
            os.execve(argv[0], argv, {**os.environ, "TERM": "xterm", **(env or {})})

    def read(self, seconds):
        """Waits for more; False at the end."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            self.seen += data
            return data != b""
        return True

    def until(self, text, seconds=60):
        """Waits until a text has been seen; False when it is not in that time, or at the end."""
        end = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < end and self.read(0.5):
            pass
        return text in self.seen

    def end(self, seconds=100):
        """Waits for the end, and kills what does not come to it: the exit status, minus the signal's
        number where one ended it."""
        end = time.monotonic() + seconds
        while self.read(0.5):
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def own_network(commands):
    """Starts the test again in a network namespace, after these commands of the shell; a host that does
    not permit them skips it."""
    if os.environ.get("ZUK_NETWORK_TEST") == "inside":
        return
    words = ["unshare", "--net", "sh", "-c", f'{commands} && exec "$@"', "sh"]
    if os.geteuid() != 0:
        words[1:1] = ["--user", "--map-root-user"]
    probe = subprocess.run([*words, "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        print("no such network can be made here:", probe.stderr.strip())
        sys.exit(77)
    os.environ["ZUK_NETWORK_TEST"] = "inside"
    os.execvp(words[0], [*words, sys.executable, *sys.argv])


def finish():
    sys.exit(1 if failed else 0)
