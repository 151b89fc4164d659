# SPDX-License-Identifier: BSD-3-Clause
#
# Servers on zuk and on a Linux micro-VM: the same static binary, two machines in a
# network namespace that ends with this process, on tap interfaces or behind QEMU's
# user networking, loaded in turn.  The machine is q35: on microvm Debian's kernel finds its clock without ACPI
# only, and the network with ACPI only.  tests/bench/bench starts it; stdout is a
# JSON object a line: {"row": ...}, {"skip": TEXT} or {"failed": TEXT}.
#
#   tap.py JSON    {"link": "tap" or "user", "zuk": FILE, "tmp": FOLDER, "rounds": N,
#                   "seconds": N, "limit": N,
#                   "linux": {"kernel": FILE, "modules": FOLDER, "init": FILE},
#                   "apps": [{"name", "title", "file", "args", "port", "rootfs",
#                             "target", "loads"}]}
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

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from runner.core import dies_with_parent  # noqa: E402

MEMORY = "256M"
NETS = {"zuk": "10.9.1", "linux": "10.9.2"}  # the host is .1, the guest .2
PORTS = {"zuk": 8081, "linux": 8082}  # of the host, with user networking
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


class Tap:
    said, connections, counted = "tap", 8, True

    @staticmethod
    def prepare():
        for system, net in NETS.items():
            yield f"tuntap add dev tap-{system} mode tap"
            yield f"addr add {net}.1/24 dev tap-{system}"
            yield f"link set tap-{system} up"

    @staticmethod
    def options(port):
        net = NETS["zuk"]
        return ["--net", f"tap=tap-zuk,ip={net}.2/24,gw={net}.1"]

    @staticmethod
    def linux(word):
        """A word of zuk's QEMU command as Linux's has it."""
        return word.replace("tap-zuk", "tap-linux")

    @staticmethod
    def guest(system):
        return f"{NETS[system]}.2"

    @staticmethod
    def address(system, port):
        return f"{NETS[system]}.2", port

    @staticmethod
    def answered(s, app):
        return True  # the server itself has taken the connection


class User:
    """QEMU's user networking.  It listens with a queue of one: one connection."""
    said, connections, counted = "user networking", 1, False

    @staticmethod
    def prepare():
        yield "link set lo up"

    @staticmethod
    def options(port):
        return ["-p", f"127.0.0.1:{PORTS['zuk']}:{port}"]

    @staticmethod
    def linux(word):
        return word.replace(f":{PORTS['zuk']}-", f":{PORTS['linux']}-")

    @staticmethod
    def guest(system):
        return "10.0.2.15"

    @staticmethod
    def address(system, port):
        return "127.0.0.1", PORTS[system]

    @staticmethod
    def answered(s, app):
        """QEMU takes connections before there is a server."""
        s.sendall(b"PING\r\n" if "get" in app["loads"] else HTTP % b"Connection: close\r\n")
        return s.recv(1) != b""


LINKS = {"tap": Tap, "user": User}


class Machines:
    """The two QEMU commands of an app."""

    def __init__(self, config, app):
        self.app, self.tmp, self.link = app, config["tmp"], LINKS[config["link"]]
        image, initramfs = (f"{self.tmp}/{app['name']}.{end}" for end in ("elf", "cpio"))
        words = ["build", app["file"], "-o", image]
        if app["rootfs"]:
            words += ["--rootfs", app["rootfs"]]
        self.tool(config, *words)
        zuk = shlex.split(self.tool(config, "run", "--accel", "tcg", "--dry-run", "-m", MEMORY,
                                    "--machine", "q35", *self.link.options(app["port"]), image,
                                    "--", *app["args"]))
        newc(initramfs, self.entries(config["linux"]))
        linux = replace(zuk, "-kernel", config["linux"]["kernel"])
        linux = replace(linux, "-append", " ".join([KERNEL_WORDS, self.link.guest("linux"), MASK,
                                                    "/app", *app["args"]]))
        linux = [*(self.link.linux(w) for w in linux), "-initrd", initramfs]
        self.argv = {"zuk": zuk, "linux": linux}

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
        at, end = self.link.address(system, self.app["port"]), time.monotonic() + seconds
        while time.monotonic() < end and machine.poll() is None:
            try:
                with socket.create_connection(at, timeout=2) as s:
                    if self.link.answered(s, self.app):
                        return at
            except OSError:
                pass
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


def wrk(at, seconds, connections, *words):
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency",
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

    def __call__(self, at, seconds, connections):
        count = self.rates.get(at, 500 * self.depth) * seconds
        found = self.run(at, max(1000, int(count)), connections)
        self.rates[at] = found["rate"]
        return found

    def run(self, at, count, connections):
        out = subprocess.run(["redis-benchmark", "-h", at[0], "-p", str(at[1]), "-c",
                              str(connections), "-t", self.test, "-n", str(count), "-P",
                              str(self.depth), "--csv"],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=300).stdout.decode()
        line = re.search(rf'^"{self.test.upper()}",(.*)$', out, re.M).group(1)
        rate, _, _, p50, _, p99, _ = (float(x.strip('"')) for x in line.split(","))
        return {"rate": rate, "p50": p50, "p99": p99}


def to_guest(at, seconds, connections):
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


def from_guest(at, seconds, connections):
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
    "keep-alive": ("keep-alive", "wrk", wrk),
    "close": ("a connection for each request", "wrk",
              lambda at, seconds, n: wrk(at, seconds, n, "-H", "Connection: close")),
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
            measure_load(config, machines, what, load, at, {s: m.pid for s, m in started.items()})
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


def measure_load(config, machines, what, load, at, pids):
    app, link, values = machines.app, machines.link, {}
    for n in range(-1, config["rounds"]):
        for system in NETS:
            used, since = cpu_seconds(pids[system]), time.monotonic()
            found = load(at[system], config["seconds"] if n >= 0 else 1, link.connections)
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
        row(f"{said}, {link.said}, TCG, times Linux", values["throughput"], "MB/s", app["target"])
        row("... CPU time of QEMU, times as little as Linux", values["cpu"], "ms/MB", more_is_better=False)
        return
    many = f"{link.connections} connection{'s' * (link.connections > 1)}"
    target = app["target"] if link.counted else None  # the user's is mostly QEMU's own stack
    row(f"{said}, {many}, {link.said}, TCG, times Linux", values["rate"], "requests/s", target)
    row("... CPU time of QEMU, times as little as Linux", values["cpu"], "us/request", target,
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
    for words in LINKS[config["link"]].prepare():
        r = subprocess.run(["ip", *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if r.returncode != 0:
            tell(skip=f"no network can be made here: ip {words}: {r.stderr.decode().strip()}")
            return
    for app in config["apps"]:
        if late(config, app["title"]):
            continue
        try:
            machines = Machines(config, app)
            measure(config, app, machines)
            if machines.link.counted and any(name in COUNTED for name in app["loads"]) and not late(
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
