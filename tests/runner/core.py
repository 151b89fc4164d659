# SPDX-License-Identifier: BSD-3-Clause
#
# What every kind of test needs: running a program with a time limit and
# nothing left behind, and the words for pass, fail and skip.
import ctypes
import os
import re
import shutil
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIERS = ["quick", "test", "full"]
SHOWN = 4000  # characters of output in a failure's report
MARK = "ZUK_TEST_ID"


class Skip(Exception):
    """Cannot run here; the text says why."""


class Failure(Exception):
    """The text says what was wrong, for people."""


class Result:
    def __init__(self, status, reason=""):
        self.status, self.reason, self.seconds = status, reason, 0.0


class Test:
    def __init__(self, id, run, tier="test", alone=False, makes=()):
        self.id, self.tier, self.alone, self.makes = id, tier, alone, list(makes)
        self._run = run

    def run(self):
        self._run()
        return Result("passed")


def header(path, lines=40):
    """`key: value` of the first comment, as [(key, value, line number)]."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as f:
        for number, line in enumerate(f, 1):
            if number > lines:
                break
            m = re.match(r"^\s*(?:/\*|\*|//[/!]?|#)?\s*([a-z]+(?:-[a-z]+)*): ?(.*?)\s*(?:\*/\s*)?$",
                         line.rstrip("\n"))
            if m:
                found.append((m.group(1), m.group(2), number))
            elif number > 1 and not re.match(r"^\s*(\*|//|#|/\*|$)", line):
                break
            if "*/" in line:
                break
    return found


def need(programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"there is no {program} on PATH")


def text(data):
    """Bytes for people: as text when they are, cut in the middle."""
    try:
        s = data.decode()
        if any(ord(c) < 32 and c not in "\n\t\r\033" for c in s):
            raise ValueError
    except ValueError:
        s = repr(data)
    s = s.replace("\033", "\\033").replace("\r", "\\r")
    if len(s) > SHOWN:
        s = s[: SHOWN // 2] + f"\n... {len(s) - SHOWN} characters ...\n" + s[-SHOWN // 2:]
    return s


def survivors(mark):
    """Processes that carry the mark in their environment: [(pid, name)]."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if wanted not in f.read().split(b"\0"):
                    continue
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    continue
            with open(f"/proc/{pid}/comm") as f:
                found.append((int(pid), f.read().strip()))
        except (OSError, IndexError):
            pass  # it ended meanwhile, or is not ours
    return found


marks = set()
mark_count = 0


def kill_marked(mark):
    for pid, _ in survivors(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def kill_all():
    for mark in list(marks):
        kill_marked(mark)


class Run:
    """One finished program: status (128+N for a signal), out, err, seconds."""

    def __init__(self, argv, timeout, stdin=None, env=None, only_env=None, cwd=None, merge=False,
                 executable=None, left_ok=False):
        global mark_count
        mark_count += 1
        mark = f"{os.getpid()}-{mark_count}"
        marks.add(mark)
        self.argv = argv
        environment = dict(only_env) if only_env is not None else {**os.environ, **(env or {})}
        if only_env is None:
            environment[MARK] = mark
            for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
                environment.pop(name, None)
        start = time.monotonic()
        p = subprocess.Popen(argv, executable=executable, cwd=cwd or TOP, env=environment,
                             stdin=stdin if stdin is not None else subprocess.DEVNULL,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT if merge else subprocess.PIPE,
                             start_new_session=True)
        self.timed_out = False
        try:
            self.out, self.err = p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.timed_out = True
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except OSError:
                pass
            kill_marked(mark)
            try:
                self.out, self.err = p.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                p.kill()
                self.out, self.err = b"", b""
        self.err = self.err or b""
        self.seconds = time.monotonic() - start
        self.status = p.returncode if p.returncode >= 0 else 128 - p.returncode
        self.left = self.collect_left(mark) if only_env is None and not self.timed_out else []
        marks.discard(mark)
        if self.left and not left_ok:
            names = ", ".join(f"{name} ({pid})" for pid, name in self.left)
            raise Failure(f"left running: {names}\n" + self.report())
        if self.timed_out:
            raise Failure(f"not finished after {timeout} s\n" + self.report())

    def collect_left(self, mark):
        for _ in range(20): # a child of a child may need a moment to go
            left = survivors(mark)
            if not left:
                return []
            time.sleep(0.05)
        kill_marked(mark)
        return left

    def report(self):
        s = "$ " + " ".join(quote(a) for a in self.argv) + f"\nstatus {self.status}"
        if self.out:
            s += "\n--- stdout\n" + text(self.out)
        if self.err:
            s += "\n--- stderr\n" + text(self.err)
        return s


def dies_with_parent():
    """For Popen's preexec_fn: with the thread that starts it, to be exact."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def quote(word):
    if isinstance(word, bytes):
        word = os.fsdecode(word)
    if len(word) > 200:
        word = word[:200] + "..."
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def build(tests):
    """make for all that the chosen tests need, errors shown once."""
    targets = ["all"] + sorted({m for t in tests for m in t.makes})
    r = Run(["make", "-k", "-j2", "-O", *targets], 1200, merge=True)
    if os.path.exists("build/zig") and not all(t.id.startswith("lint/") for t in tests):
        warm = Run(["mk/warm-libc"], 1800, merge=True)  # or the first test that links has to wait for it
        if warm.status:
            raise Failure(text(warm.out))
    if r.status:
        raise Failure("make failed; tests of what it did not build fail below\n" + text(r.out))


def git(*words):
    r = subprocess.run(["git", *words], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return r.stdout.decode().strip()


def commit():
    """What is under test, for pages that keep results."""
    dirty = git("status", "--porcelain", "--untracked-files=no", "--", "kernel", "zuk", "abi")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + (" and changes" if dirty else "")
