# SPDX-License-Identifier: BSD-3-Clause
#
# Runs a cell's tests on Linux or in the guest, several processes (VMs) side by
# side.  After a crash or a hang it goes on behind the test that was running, so
# every test has a result: pass, skip, leak, `fail ERROR`, `crash STATUS`, hang.
import atexit
import concurrent.futures
import glob
import json
import os
import queue
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from runner import core

TOOL = f"{core.TOP}/build/conform/tool.{os.getpid()}"  # zuk as it is at the start: a run takes minutes
ZUK = f"{TOOL}/zuk"
MEMORY = "1G"
# A test that computes for long under TCG is run again at CPL 3 with KVM, where the app
# has the CPU's own speed even if the kernel has not (docs/caveats.md).
KVM = os.access("/dev/kvm", os.R_OK | os.W_OK)
# Seconds without a word are a hang: see silent().
SILENCE = {"linux": 120, "guest": 60 if KVM else 300, "kvm": 300, "tcg": 300}
PIECES = 16  # a side's tests are cut into so many, for the workers to take


LINE = re.compile(r"(start|pass|skip|leak|fail) (\d+)(?: (.*))?$")


class Broken(Exception):
    """The program cannot run its tests at all."""


def keep_tool():
    """Copies zuk and the kernel's objects, so that make may go on beside a run."""
    for old in glob.glob(f"{core.TOP}/build/conform/tool*"):
        if not os.path.exists(f"/proc/{old.rpartition('.')[2]}"):  # it was killed
            shutil.rmtree(old)
    atexit.register(shutil.rmtree, TOOL, ignore_errors=True)
    os.makedirs(TOOL)
    shutil.copy2(f"{core.TOP}/build/zuk", ZUK)
    shutil.copytree(f"{core.TOP}/build/lib", f"{TOOL}/lib", symlinks=True)
    os.symlink(os.path.realpath(f"{core.TOP}/build/zig"), f"{TOOL}/zig")


def start(where, program, cwd, words, log):
    argv = [program, *words]
    if where != "linux":
        argv = [ZUK, "exec", "-m", MEMORY, *(("--accel", "kvm", "--isolate") if where == "kvm" else ()), *argv]
    # The guest's environment is empty; so is the native one.
    env = {} if where == "linux" else dict(os.environ)
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                            cwd=cwd, env=env, start_new_session=True, preexec_fn=core.dies_with_parent)


def stop(p):
    """zuk ends its machine when it is asked to; then nobody of its session stays."""
    try:
        p.terminate()
        p.wait(5)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(p.pid, signal.SIGKILL)
    except OSError:
        pass
    p.wait()


def cpu_seconds(root):
    """The seconds of CPU that a process and its descendants (QEMU) have used."""
    parents, ticks = {}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                words = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(pid)], ticks[int(pid)] = int(words[1]), int(words[11]) + int(words[12])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def silent(p, s, silence):
    """Whether p says nothing for so many seconds in which it could have.  On a busy
    machine a test takes longer: one that works goes on until it has had the CPU for
    as long; one that sleeps, by the clock, hangs."""
    used = since = cpu_seconds(p.pid)
    while not s.select(silence):
        before, used = used, cpu_seconds(p.pid)
        if used - since >= silence or used - before < silence / 50:
            return True
    return False


def lines(p, silence):
    """The lines of p's stdout as they come; None after a hang."""
    os.set_blocking(p.stdout.fileno(), False)
    rest = b""
    with selectors.DefaultSelector() as s:
        s.register(p.stdout, selectors.EVENT_READ)
        while True:
            if silent(p, s, silence):
                yield None
                return
            data = os.read(p.stdout.fileno(), 65536)
            if not data:
                return
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")


def names(program):
    """What the program itself says it holds: [name], by index."""
    r = core.Run([program, "list"], 60)
    if r.status:
        raise Broken(r.report())
    found = [line.split(" ", 1) for line in r.out.decode(errors="replace").splitlines()]
    if [int(i) for i, _ in found] != list(range(len(found))):
        raise Broken(f"{program} does not list its tests in order")
    return [name for _, name in found]


class Results:
    """What each test gave, kept in a file as it comes: an interrupted run of the same
    program and the same kernel (`key`) goes on where it was."""

    def __init__(self, path, key, count):
        self.found, self.lock = [None] * count, threading.Lock()
        lines = []
        if os.path.exists(path):
            with open(path) as f:
                lines = f.read().split("\n")[:-1]  # a line without its end was interrupted
        if lines and json.loads(lines[0]) == key:
            for at, *found in map(json.loads, lines[1:]):
                self.found[at] = tuple(found)
        self.file = open(path + ".new", "w")
        self.say(key)
        for at, found in enumerate(self.found):
            if found:
                self.say([at, *found])
        os.rename(path + ".new", path)

    def say(self, what):
        self.file.write(json.dumps(what) + "\n")
        self.file.flush()

    def put(self, at, result, since, where):
        with self.lock:
            self.found[at] = (result, round(time.monotonic() - since, 2), where)
            self.say([at, *self.found[at]])

    def missing(self, wanted, size):
        """[(first, behind the last)] of the wanted tests without a result."""
        pieces = []
        for at in (at for at in wanted if not self.found[at]):
            if pieces and pieces[-1][1] == at and at - pieces[-1][0] < size:
                pieces[-1] = (pieces[-1][0], at + 1)
            else:
                pieces.append((at, at + 1))
        return pieces


def take(where, program, cwd, first, last, log, results):
    """One process: fills results from `first` on, returns where to go on."""
    p = start(where, program, cwd, ["run", str(first), str(last)], log)
    running, since, hang = None, time.monotonic(), False
    at = first
    try:
        for line in lines(p, SILENCE[where]):
            if line is None:
                hang = True
                break
            # A test may leave the line that it prints on stdout open.
            m = LINE.search(line)
            if m and m.group(1) == "start" and m.group(2) == str(at):
                running, since = at, time.monotonic()
            elif m and m.group(1) != "start" and running is not None and m.group(2) == str(at):
                text = f"fail {m.group(3)}" if m.group(1) == "fail" else m.group(1)
                results.put(at, text, since, where)
                running, at = None, at + 1
            elif line == "end" and at == last:
                return at
    finally:
        if hang:
            stop(p)
        else:
            p.wait()
        p.stdout.close()
    status = p.returncode if p.returncode >= 0 else 128 - p.returncode
    if running is None and at > first:
        return at  # it died between two tests: the next one has not begun
    if running is None:
        raise Broken(f"between tests {at - 1} and {at}: status {status}" + (", silent" if hang else ""))
    if hang and where == "guest" and KVM:
        return take("kvm", program, cwd, at, at + 1, log, results)
    if where == "kvm":  # which may be at fault itself
        return take("tcg", program, cwd, at, at + 1, log, results)
    results.put(at, "hang" if hang else f"crash {status}", since, where)
    return at + 1


def run(where, program, path, key, workers, only=None):
    """{name: (result, seconds, where)} of all tests, or of those with a name in `only`; the logs
    and the results as they come lie at `path`, these until forget()."""
    tests = numbered(names(program))
    results = Results(f"{path}.results", key, len(tests))
    wanted = [at for at, name in enumerate(tests) if only is None or name in only]
    pieces = queue.Queue()
    for piece in results.missing(wanted, 1 if only else -(-len(tests) // PIECES)):
        pieces.put(piece)

    def work(number):
        cwd = tempfile.mkdtemp(prefix="zuk-conform-")
        try:
            with open(f"{path}.log.{number}", "wb") as log:
                while True:
                    try:
                        at, last = pieces.get_nowait()
                    except queue.Empty:
                        return
                    while at < last:
                        at = take(where, program, cwd, at, last, log, results)
        finally:
            shutil.rmtree(cwd, ignore_errors=True)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for f in [pool.submit(work, n) for n in range(workers)]:
            f.result()
    results.file.close()
    return {tests[at]: results.found[at] for at in wanted}


def forget(folder):
    """The cell has its result: the next run is a new one."""
    for path in glob.glob(f"{folder}/*.results"):
        os.unlink(path)


def numbered(tests):
    """A name that stands twice gets a number, the same on both sides."""
    found = {}
    for name in tests:
        key, n = name, 1
        while key in found:
            n += 1
            key = f"{name} ({n})"
        found[key] = True
    return list(found)
