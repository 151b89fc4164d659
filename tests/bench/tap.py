# SPDX-License-Identifier: BSD-3-Clause
#
# Servers on zuk and on a Linux micro-VM: the same static binary, two machines on
# tap interfaces in a network namespace that ends with this process, loaded in
# turn.  The machine is q35: on microvm Debian's kernel finds its clock without ACPI
# only, and the network with ACPI only.  tests/bench/bench starts it; stdout is a
# JSON object a line: {"row": ...}, {"skip": TEXT} or {"failed": TEXT}.
#
#   tap.py JSON    {"zuk": FILE, "tmp": FOLDER, "rounds": N, "seconds": N, "limit": N,
#                   "linux": {"kernel": FILE, "modules": FOLDER, "init": FILE},
#                   "apps": [{"name", "title", "file", "args", "port", "rootfs",
#                             "target", "loads"}]}
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

MEMORY = "256M"
NETS = {"zuk": "10.9.1", "linux": "10.9.2"}  # the host is .1, the guest .2
MASK = "255.255.255.0"
SINK, SOURCE = 5001, 5002  # tests/bench/stream.c
STREAM = 64 << 20  # bytes
STARTED = time.monotonic()
CONSOLE = ("dev/console", 0o20600, (5, 1), b"")  # an entry for newc()
KERNEL_WORDS = "console=ttyS0 quiet mitigations=off reboot=t panic=-1 rdinit=/init --"


class Broken(Exception):
    pass


def own_network():
    words = ["unshare", "--net"]
    if os.geteuid() != 0:
        words += ["--user", "--map-root-user"]
    probe = subprocess.run([*words, "ip", "link"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if probe.returncode != 0:
        tell(skip=f"no network namespace can be made here: {probe.stderr.decode().strip()}")
        sys.exit(0)
    os.environ["ZUK_BENCH_TAP"] = "inside"
    os.execvp(words[0], [*words, sys.executable, *sys.argv])


def tell(**what):
    print(json.dumps(what), flush=True)


def row(figure, values, unit, target=None, more_is_better=True):
    """values: {system: [value]}; the ratio says how many times as good as Linux: the
    median of the rounds' ratios, for the host's load is another from round to round."""
    if not all(values["zuk"] + values["linux"]):
        raise Broken(f"{figure}: {values}")
    ratio = statistics.median(z / x if more_is_better else x / z
                              for z, x in zip(values["zuk"], values["linux"]))
    zuk, linux = (statistics.median(values[s]) for s in ("zuk", "linux"))
    tell(row={"figure": figure, "value": zuk, "unit": unit, "target": target, "ratio": ratio,
              "note": f"Linux {linux:,.2f}", "least": True})


def dies_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def newc(path, entries):
    """An initramfs (format `newc`) of (name, mode, device, data)."""
    with open(path, "wb") as f:
        for inode, (name, mode, device, data) in enumerate(
                [*entries, ("TRAILER!!!", 0, (0, 0), b"")], 1):
            fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
            head = b"070701" + b"".join(b"%08x" % x for x in fields) + name.encode() + b"\0"
            f.write(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))


def folder(path, under=""):
    """The entries of a folder, for newc()."""
    found = []
    for name in sorted(os.listdir(path)):
        full, entry = f"{path}/{name}", f"{under}{name}"
        if os.path.isdir(full):
            found += [(entry, 0o40755, (0, 0), b""), *folder(full, entry + "/")]
        else:
            with open(full, "rb") as f:
                found.append((entry, 0o100644, (0, 0), f.read()))
    return found


def replace(argv, option, value):
    at = argv.index(option)
    return [*argv[:at + 1], value, *argv[at + 2:]]


class Machines:
    """The two QEMU commands of an app."""

    def __init__(self, config, app):
        self.app, self.tmp = app, config["tmp"]
        image, initramfs = (f"{self.tmp}/{app['name']}.{end}" for end in ("elf", "cpio"))
        words = ["build", app["file"], "-o", image]
        if app["rootfs"]:
            words += ["--rootfs", app["rootfs"]]
        self.tool(config, *words)
        net = NETS["zuk"]
        zuk = shlex.split(self.tool(config, "run", "--accel", "tcg", "--dry-run", "-m", MEMORY,
                                    "--machine", "q35",
                                    "--net", f"tap=tap-zuk,ip={net}.2/24,gw={net}.1", image, "--",
                                    *app["args"]))
        newc(initramfs, self.entries(config["linux"]))
        linux = replace(zuk, "-kernel", config["linux"]["kernel"])
        linux = replace(linux, "-append", " ".join([KERNEL_WORDS, f"{NETS['linux']}.2", MASK, "/app",
                                                    *app["args"]]))
        linux = [w.replace("tap-zuk", "tap-linux") for w in linux]
        self.argv = {"zuk": zuk, "linux": [*linux, "-initrd", initramfs]}

    def tool(self, config, *words):
        return subprocess.run([config["zuk"], *words], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300).stdout.decode()

    def entries(self, linux):
        found = [("dev", 0o40755, (0, 0), b""), CONSOLE,
                 ("modules", 0o40755, (0, 0), b""), *folder(linux["modules"], "modules/")]
        for name, path in (("init", linux["init"]), ("app", self.app["file"])):
            with open(path, "rb") as f:
                found.append((name, 0o100755, (0, 0), f.read()))
        return found + (folder(self.app["rootfs"]) if self.app["rootfs"] else [])

    def start(self, system, *more):
        with open(f"{self.tmp}/{system}.console", "wb") as console:
            return subprocess.Popen([*self.argv[system], *more], stdin=subprocess.DEVNULL,
                                    stdout=console, stderr=subprocess.STDOUT,
                                    preexec_fn=dies_with_parent)

    def wait(self, system, machine, seconds):
        """Until the server accepts; returns its address."""
        at, end = (f"{NETS[system]}.2", self.app["port"]), time.monotonic() + seconds
        while time.monotonic() < end and machine.poll() is None:
            try:
                socket.create_connection(at, timeout=2).close()
                return at
            except OSError:
                time.sleep(0.05)
        raise Broken(f"no answer from {system}: {self.console(system)}")

    def console(self, system):
        with open(f"{self.tmp}/{system}.console", "rb") as f:
            return f.read()[-2000:].decode(errors="replace")


def stop(machine):
    machine.kill()
    machine.wait()


# ---- loads: each returns {figure: value} of one run ----

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}


def wrk(at, seconds, *words):
    out = subprocess.run(["wrk", "-t1", "-c8", f"-d{seconds}s", "--timeout", "10s", "--latency",
                          *words, f"http://{at[0]}:{at[1]}/"], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, timeout=seconds + 60).stdout.decode()
    # a connection that the server closed as it was asked to counts as a read error
    wrong = re.search(r"connect [1-9]\d*, read.*|write [1-9]\d*, .*|timeout [1-9]\d*|Non-2xx.*", out)
    if wrong:
        raise Broken(f"wrk: {wrong.group(0)}")
    found = {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))}
    for percent in ("50", "99"):
        m = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", out, re.M)
        found[f"p{percent}"] = float(m.group(1)) * UNITS[m.group(2)]
    return found


class Redis:
    """One of redis-benchmark's tests; a run takes about the seconds that it is given."""

    def __init__(self, test, depth):
        self.test, self.depth, self.rates = test, depth, {}

    def __call__(self, at, seconds):
        count = self.rates.get(at, 500 * self.depth) * seconds
        found = self.run(at, max(1000, int(count)))
        self.rates[at] = found["rate"]
        return found

    def run(self, at, count):
        out = subprocess.run(["redis-benchmark", "-h", at[0], "-p", str(at[1]), "-c", "8", "-t",
                              self.test, "-n", str(count), "-P", str(self.depth), "--csv"],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=300).stdout.decode()
        line = re.search(rf'^"{self.test.upper()}",(.*)$', out, re.M).group(1)
        rate, _, _, p50, _, p99, _ = (float(x.strip('"')) for x in line.split(","))
        return {"rate": rate, "p50": p50, "p99": p99}


def to_guest(at, seconds):
    block = bytes(1 << 20)
    with socket.create_connection((at[0], SINK), timeout=60) as s:
        start = time.perf_counter()
        for _ in range(STREAM >> 20):
            s.sendall(block)
        s.shutdown(socket.SHUT_WR)
        count = int.from_bytes(s.recv(8, socket.MSG_WAITALL), "little")
        took = time.perf_counter() - start
    if count != STREAM:
        raise Broken(f"{count} bytes of {STREAM} arrived")
    return {"throughput": STREAM / took / 1e6}


def from_guest(at, seconds):
    block = bytearray(1 << 20)
    with socket.create_connection((at[0], SOURCE), timeout=60) as s:
        start, count = time.perf_counter(), 0
        s.sendall(STREAM.to_bytes(8, "little"))
        while n := s.recv_into(block):
            count += n
        took = time.perf_counter() - start
    if count != STREAM:
        raise Broken(f"{count} bytes of {STREAM} arrived")
    return {"throughput": STREAM / took / 1e6}


# name in "loads": what is said of it, the program that it needs, the load
LOADS = {
    "keep-alive": ("keep-alive, 8 connections", "wrk", wrk),
    "close": ("a connection for each request", "wrk",
              lambda at, seconds: wrk(at, seconds, "-H", "Connection: close")),
    "get": ("GET", "redis-benchmark", Redis("get", 1)),
    "set": ("SET", "redis-benchmark", Redis("set", 1)),
    "get 16": ("GET, 16 in a pipeline", "redis-benchmark", Redis("get", 16)),
    "set 16": ("SET, 16 in a pipeline", "redis-benchmark", Redis("set", 16)),
    "to guest": ("to the guest", None, to_guest),
    "from guest": ("from the guest", None, from_guest),
}
PACKAGES = {"wrk": "wrk", "redis-benchmark": "redis-tools"}


def late(config, what):
    """Nothing is begun when the time for all is over."""
    over = time.monotonic() - STARTED > config["limit"]
    if over:
        tell(skip=f"{what}: {config['limit']} seconds are over")
    return over


def measure(config, app, machines):
    started = {}
    try:
        for system in NETS:
            started[system] = machines.start(system)
        at = {system: machines.wait(system, m, 120) for system, m in started.items()}
        for name in app["loads"]:
            what, program, load = LOADS[name]
            if late(config, f"{app['title']}, {what}"):
                continue
            if program and not shutil.which(program):
                tell(skip=f"{app['title']}, {what}: there is no {program}: apt-get install "
                          f"{PACKAGES[program]}")
                continue
            measure_load(config, app, what, load, at, {s: m.pid for s, m in started.items()})
    except (Broken, OSError, subprocess.SubprocessError, AttributeError) as e:
        ended = [f"{s} has ended: {machines.console(s)}" for s, m in started.items()
                 if m.poll() is not None]
        raise Broken("; ".join([f"{type(e).__name__}: {e}", *ended])) from e
    finally:
        for m in started.values():
            stop(m)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def measure_load(config, app, what, load, at, pids):
    values = {}
    for n in range(-1, config["rounds"]):
        for system in NETS:
            used, since = cpu_seconds(pids[system]), time.monotonic()
            found = load(at[system], config["seconds"] if n >= 0 else 1)
            used, took = cpu_seconds(pids[system]) - used, time.monotonic() - since
            if "rate" in found:  # what the host's load does not change
                found["cpu"] = used * 1e6 / (found["rate"] * took)
            else:
                found["cpu"] = used * 1e3 / (STREAM / 1e6)
            if n >= 0:  # the first run warms up: QEMU translates
                for key, value in found.items():
                    values.setdefault(key, {}).setdefault(system, []).append(value)
    said = f"{app['title']}, {what}"
    if "throughput" in values:
        row(f"{said}, tap, TCG, times Linux", values["throughput"], "MB/s", app["target"])
        row("... CPU time of QEMU, times as little as Linux", values["cpu"], "ms/MB", more_is_better=False)
        return
    row(f"{said}, tap, TCG, times Linux", values["rate"], "requests/s", app["target"])
    row("... CPU time of QEMU, times as little as Linux", values["cpu"], "us/request", app["target"],
        more_is_better=False)
    for key in ("p50", "p99"):
        row(f"... latency {key}, times as short as Linux", values[key], "ms", more_is_better=False)


# ---- guest instructions of a request ----

def connect(s, path):
    for _ in range(200):
        try:
            return s.connect(path)
        except OSError:
            time.sleep(0.02)
    raise Broken(f"QEMU does not listen on {path}")


class Monitor:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(120)
        connect(self.s, path)
        self.f = self.s.makefile("rw")
        self.f.readline()
        self.ask({"execute": "qmp_capabilities"})

    def ask(self, command):
        self.f.write(json.dumps(command) + "\n")
        self.f.flush()
        while True:
            answer = json.loads(self.f.readline())
            if "return" in answer or "error" in answer:
                return answer

    def instructions(self):
        text = self.ask({"execute": "human-monitor-command",
                         "arguments": {"command-line": "info replay"}})["return"]
        return int(re.search(r"instruction count = (\d+)", text).group(1))


HTTP = b"GET / HTTP/1.1\r\nHost: bench\r\n%s\r\n"


def http_answer(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            raise Broken(f"the connection ended after {data[:80]}")
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    left = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1)) - len(body)
    while left > 0:
        more = s.recv(65536)
        if not more:
            raise Broken(f"{left} bytes of a page are missing")
        left -= len(more)


def ask_kept(at, count):
    with socket.create_connection(at, timeout=60) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            s.sendall(HTTP % b"")
            http_answer(s)


def ask_anew(at, count):
    for _ in range(count):
        with socket.create_connection(at, timeout=60) as s:
            s.sendall(HTTP % b"Connection: close\r\n")
            http_answer(s)
            while s.recv(65536):
                pass


def ask_redis(at, count):
    with socket.create_connection(at, timeout=60) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            s.sendall(b"*2\r\n$3\r\nGET\r\n$6\r\nabsent\r\n")
            if s.recv(4096) != b"$-1\r\n":
                raise Broken("redis found what is not there")


COUNTED = {"keep-alive": ask_kept, "close": ask_anew, "get": ask_redis}


def count(app, machines):
    """By QEMU's record and replay, in which a halted CPU executes none."""
    asks = [name for name in app["loads"] if name in COUNTED]
    values = {name: {} for name in asks}
    for system in NETS:
        qmp, record = (f"{machines.tmp}/{system}.{end}" for end in ("qmp", "replay"))
        machine = machines.start(
            system, "-icount", f"shift=0,rr=record,rrfile={record}", "-object",
            "filter-replay,id=replay,netdev=net", "-qmp", f"unix:{qmp},server=on,wait=off")
        try:
            at, monitor = machines.wait(system, machine, 300), Monitor(qmp)
            for name in asks:
                COUNTED[name](at, 50)
                counts = []
                for n in (100, 300):
                    before = monitor.instructions()
                    COUNTED[name](at, n)
                    counts.append(monitor.instructions() - before)
                values[name][system] = [(counts[1] - counts[0]) / 200]
        finally:
            stop(machine)
            for path in (qmp, record):
                if os.path.exists(path):
                    os.unlink(path)
    for name in asks:
        row(f"{app['title']}, {LOADS[name][0].split(',')[0]}, guest instructions a request, "
            "times as few as Linux", values[name], "instructions", more_is_better=False)


def main():
    config = json.loads(sys.argv[1])
    for system, net in NETS.items():
        for words in (f"tuntap add dev tap-{system} mode tap",
                      f"addr add {net}.1/24 dev tap-{system}", f"link set tap-{system} up"):
            r = subprocess.run(["ip", *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if r.returncode != 0:
                tell(skip=f"no tap interface can be made here: ip {words}: {r.stderr.decode().strip()}")
                return
    for app in config["apps"]:
        if late(config, app["title"]):
            continue
        try:
            machines = Machines(config, app)
            measure(config, app, machines)
            if any(name in COUNTED for name in app["loads"]) and not late(
                    config, f"{app['title']}, guest instructions"):
                count(app, machines)
        except (Broken, OSError, ValueError, subprocess.SubprocessError) as e:
            words = (getattr(e, "stderr", None) or b"").decode(errors="replace")
            tell(failed=f"{app['title']}: {type(e).__name__}: {e} {words}")


if __name__ == "__main__":
    if os.environ.get("ZUK_BENCH_TAP") != "inside":
        own_network()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
