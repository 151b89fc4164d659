# SPDX-License-Identifier: BSD-3-Clause
#
# For the tests of tests/apps: what was built, runs natively and in the guest, and
# what zuk check says against what the program did.
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

ZUK, TOP, TMP = (os.environ[k] for k in ("ZUK", "TOP", "TMP"))
os.environ["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
failed = 0
checks = 0


def fail(text):
    global failed
    failed += 1
    print("FAILED:", text, flush=True)


def check(condition, text):
    global checks
    checks += 1
    if not condition:
        fail(text)
    return condition


def done():
    print(f"{checks} checks, {failed} failed")
    sys.exit(1 if failed or not checks else 0)


def built(name):
    """The folder with what NAME/build made; ends the test as skipped without sources."""
    r = subprocess.run([f"{TOP}/tests/apps/apps", "build", name], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)
    if r.returncode == 77:
        print(r.stderr.strip().splitlines()[-1])
        sys.exit(77)
    if r.returncode != 0:
        sys.exit(r.stderr[-3000:])
    return r.stdout.strip()


def own_network():
    """Starts the test again in a network namespace that ends with it; skipped without."""
    if os.environ.get("ZUK_APPS_NETWORK") == "inside":
        return
    os.environ["ZUK_APPS_NETWORK"] = "inside"
    words = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable,
             *sys.argv]
    if os.geteuid() != 0:
        words[1:1] = ["--user", "--map-root-user"]
    probe = subprocess.run(words[:words.index("sh")] + ["ip", "link"], capture_output=True)
    if probe.returncode != 0:
        print("no network namespace can be made here:", probe.stderr.decode().strip())
        sys.exit(77)
    os.execvp(words[0], words)


def run(argv, timeout=300, stdin=None, cwd=None, env=None):
    """A finished process; one that takes too long has status None and what it said so far."""
    p = subprocess.Popen(argv, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=env)
    try:
        out, err = p.communicate(stdin, timeout)
        status = p.returncode if p.returncode >= 0 else 128 - p.returncode
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        status = None
    return subprocess.CompletedProcess(argv, status, out, err)


def guest(program, args=(), flags=(), timeout=300, **how):
    words = [ZUK, "exec", "--timeout", str(timeout), *flags, program, *args]
    return run(words, timeout + 30, **how)


MODES = ((), ("--isolate",))


def mode_name(flags):
    return "isolate" if "--isolate" in flags else "ring 0"


def show(r):
    text = f"status {r.returncode}"
    for name, data in (("stdout", r.stdout), ("stderr", r.stderr)):
        if data:
            text += f"\n--- {name}\n{data[-1500:].decode(errors='replace')}"
    return text


def made_calls(text):
    return set(re.findall(r"^\[ *\d+\.\d+\](?: \[?\w+\]?)? (\w+)\(", text, re.M))


def predicted(program, flags=()):
    """(names that it can make, those that would trap, whether the list is complete)"""
    r = run([ZUK, "check", "--json", *flags, program])
    report = json.loads(r.stdout)
    calls = report["calls"]
    return ({c["name"] for c in calls}, {c["name"] for c in calls if c["traps"]}, report["complete"])


def accurate(program, trace, what):
    """Nothing in the trace (stderr of --strace) that `zuk check` did not predict, and
    nothing missing that it calls provided."""
    names, traps, complete = predicted(program)
    text = trace.decode(errors="replace")
    made = made_calls(text)
    missing = set(re.findall(r"system call (\w+) \(\d+\) is not provided", text))
    check(made, f"{what}: nothing was traced: {text[-800:]}")
    check(made <= names, f"{what}: zuk check did not predict {sorted(made - names)}")
    if not complete:
        print(f"{what}: zuk check says that its list may not be complete")
    check(not missing & (names - traps), f"{what}: said to be provided: {sorted(missing & (names - traps))}")
    check(not missing, f"{what}: not provided, and called: {sorted(missing)}")
    print(f"{what}: made {len(made)} different calls, {len(names)} predicted")


USER, TAP = "user", "tap"  # networks: -p, which takes few connections at a time; a tap interface
# How servers are tried: network, flags.
SERVED = ((USER, ()), (USER, ("--isolate",)), (TAP, ()), (TAP, ("--isolate",)), (TAP, ("--cpus", "2")),
          (USER, ("--strace",)))


def make_tap():
    """The interface that Server(TAP, ...) uses, in the test's own namespace."""
    made = run(["sh", "-c", "ip tuntap add zukapps mode tap && ip addr add 10.77.0.1/24 dev zukapps && "
                "ip link set zukapps up"])
    check(made.returncode == 0, f"a tap interface: {show(made)}")


class Server:
    """A guest that serves port `inner`, until ended; reached at (host, port)."""
    count = 0

    def __init__(self, network, program, args, inner, flags=(), timeout=900):
        Server.count += 1
        self.what = f"{network}, {' '.join(flags) or 'ring 0'}"
        self.host, self.port = ("127.0.0.1", 18000 + Server.count) if network == USER else ("10.77.0.2", inner)
        self.many = 4 if network == USER else 60 # connections at a time
        net = ["-p", f"{self.port}:{inner}"] if network == USER else \
            ["--net", "tap=zukapps,ip=10.77.0.2/24,gw=10.77.0.1"]
        self.log = open(f"{TMP}/server-{Server.count}.log", "w+b")
        self.p = subprocess.Popen([ZUK, "exec", "--timeout", str(timeout), *net, *flags, program, *args],
                                  stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def ready(self, ask, seconds=60):
        """ask(): true once it answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.p.poll() is None:
            try:
                if ask():
                    return True
            except (OSError, ValueError, IndexError):
                pass
            time.sleep(0.1)
        fail(f"{self.what}: no answer\n{self.said()[-3000:]}")
        return False

    def said(self):
        self.log.flush()
        with open(self.log.name, "rb") as f:
            return f.read().decode(errors="replace")

    def ended(self, seconds=30):
        """Its status once it ends by itself."""
        try:
            return self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            return None

    def stop(self):
        """Was it still there to be ended?  (SIGTERM reaches the program, its status is its own.)"""
        if self.p.poll() is not None:
            return False
        self.p.terminate()
        try:
            self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            fail(f"{self.what}: it does not end on SIGTERM")
        return True

    def asks(self, data=b""):
        """What it answers to the bytes, whole."""
        with socket.create_connection((self.host, self.port), 30) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            got = b""
            while piece := s.recv(65536):
                got += piece
            return got


def fresh(name):
    """An empty folder below TMP."""
    path = f"{TMP}/{name}"
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def same_everywhere(program, args, status):
    """stdout and status are the native run's at ring 0, with --isolate and on two CPUs;
    and it makes no call that was not predicted."""
    native = run([program, *args], env={})
    check(native.returncode == status and native.stdout, f"natively: {show(native)}")
    for flags in (*MODES, ("--cpus", "2")):
        r = guest(program, args, flags)
        check((r.returncode, r.stdout) == (status, native.stdout), f"{' '.join(flags) or 'ring 0'}: {show(r)}")
    r = guest(program, args, ["--strace"])
    check(r.returncode == status, f"with --strace: {show(r)}")
    accurate(program, r.stderr, os.path.basename(program))
