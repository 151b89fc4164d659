# SPDX-License-Identifier: BSD-3-Clause
#
# Guest tests: see tests/guest/README.md, which this file implements.  A
# program is built once per mode (build/tests/guest/, by a hash of all that
# goes in), run natively, run in the guest, and compared.
import difflib
import glob
import hashlib
import os
import re
import subprocess
import threading

from . import core

KEYS = """tier needs input cc cflags modes libc machines cpus args env stdin stdin-from zuk timeout
    isolate expect-status expect-stdout expect-stdout-contains expect-stderr-contains
    expect-stderr-lacks native""".split()
MANY = [k for k in KEYS if k.startswith("expect-std")]
INCLUDE = "tests/guest/include"
DEFAULT_CC = "zig cc -target x86_64-linux-musl"


class Spec:
    """One source file and what its header says."""

    def __init__(self, path):
        self.path, self.id = path, path[len("tests/"):]
        self.errors = []
        self.one, self.many = {}, {k: [] for k in MANY}
        with open(path, encoding="utf-8") as f:
            self.lines = f.read().split("\n")
        for key, value, number in core.header(path, 60):
            self.take(key, value, number)
        self.zig = path.endswith(".zig")
        self.modes = self.get("modes", "Debug" if self.zig else "O1").split()
        self.machines = [m + (f":{c}cpus" if c != "1" else "")
                         for m in self.get("machines", "microvm").split()
                         for c in self.get("cpus", "1").split()]
        self.native = self.get("native", "same").split(None, 2)
        self.input = self.get("input", "exec")
        self.libc = self.get("libc", "no" if self.zig else "yes") == "yes"
        self.isolate = self.get("isolate", "full").split(None, 1)
        if self.isolate[0] not in (*core.TIERS, "no") or \
                (self.isolate[0] == "no") != (len(self.isolate) == 2):
            self.errors.append("isolate: a tier, or `no` with the reason")
        if self.native[:1] == ["skip"] and len(self.native) < 2:
            self.errors.append("native: skip needs a reason")
        if self.input not in ("exec", "archive", "object"):
            self.errors.append(f"input: {self.input} is none of exec, archive, object")

    def get(self, key, default=None):
        return self.one.get(key, default)

    def take(self, key, value, number):
        value = re.sub(r"@LINE:(\w+)@", lambda m: self.line_of(m.group(1)), value)
        value = value.replace("@FILE@", self.path)
        if key in MANY:
            self.many[key].append(value)
        elif key in KEYS:
            if key in self.one:
                self.errors.append(f"{self.path}:{number}: a second {key}:")
            self.one[key] = value
        elif key.startswith("expect") or difflib.get_close_matches(key, KEYS, 1, 0.8):
            self.errors.append(f"{self.path}:{number}: unknown key {key}:")

    def line_of(self, tag):
        for number, line in enumerate(self.lines, 1):
            if line.rstrip().endswith(f"// {tag}"):
                return str(number)
        self.errors.append(f"{self.path}: no line ends in // {tag}")
        return "?"


def collect():
    os.chdir(core.TOP)
    tests = []
    for path in sorted(glob.glob("tests/guest/**/*.c", recursive=True) +
                       glob.glob("tests/guest/**/*.zig", recursive=True)):
        if path.startswith(INCLUDE):
            continue
        spec = Spec(path)
        for mode in spec.modes:
            for machine in spec.machines:
                tests.append(core.Test(f"{spec.id}:{mode}:{machine}",
                                       lambda s=spec, m=mode, q=machine: run(s, m, q),
                                       spec.get("tier", "test")))
                first = (mode, machine) == (spec.modes[0], spec.machines[0])
                if spec.isolate[0] != "no":
                    tests.append(core.Test(
                        f"isolate{spec.id[len('guest'):]}:{mode}:{machine}",
                        lambda s=spec, m=mode, q=machine: run(s, m, q, [b"--isolate"]),
                        spec.isolate[0] if first else "full"))
    return tests


def words(line, cwd=core.TOP):
    """The words of a line of sh."""
    if not line:
        return []
    out = subprocess.run(["sh", "-c", f'set -- {line}\nfor w do printf "%s\\0" "$w"; done'],
                         cwd=cwd, stdout=subprocess.PIPE, check=True, timeout=20).stdout
    return out.split(b"\0")[:-1]


built = {}
built_lock = threading.Lock()


def once(key, make):
    """make() one time for each key, whoever asks first; failures are kept."""
    with built_lock:
        lock = built.setdefault(key, [threading.Lock(), None, None])
    with lock[0]:
        if lock[1] is None and lock[2] is None:
            try:
                lock[1] = make()
            except (core.Failure, core.Skip) as e:
                lock[2] = e
        if lock[2] is not None:
            raise lock[2]
        return lock[1]


def command(spec, mode, folder, kind):
    """The compiler's argv, and the path of what it makes."""
    name = os.path.splitext(os.path.basename(spec.path))[0]
    zig = os.path.realpath("build/zig")
    out = {"exec": f"{folder}/{name}", "object": f"{folder}/{name}.o",
           "archive": f"{folder}/lib{name}.a"}[kind]
    flags = [os.fsdecode(w) for w in words(spec.get("cflags"))]
    if spec.zig:
        verb = {"exec": "build-exe", "object": "build-obj", "archive": "build-lib"}[kind]
        return [zig, verb, "-target", "x86_64-linux-musl", "-O", mode, f"-femit-bin={out}",
                "--cache-dir", "build/tests/zig-cache", *(["-lc"] if spec.libc else []), *flags,
                spec.path], out
    cc = words(spec.get("cc", DEFAULT_CC))
    cc = [os.fsdecode(w) for w in cc]
    if cc[0] == "zig":
        cc[0] = zig
    else:
        core.need(cc[:1])
    argv = [*cc, "-g", f"-{mode}", f"-I{INCLUDE}", *([] if spec.libc else ["-nostdlib"]), *flags]
    if kind == "exec":
        return [*argv, "-o", out, spec.path], out
    obj = f"{folder}/{name}.o"
    return [*argv, "-c", "-o", obj, spec.path], out


def compile(spec, mode, kind):
    """Builds the program; returns its path, relative to the top folder."""
    folder = f"build/tests/{os.path.splitext(spec.id)[0]}.{mode}.{kind}"
    argv, out = command(spec, mode, folder, kind)
    digest = hashlib.sha256("\0".join(argv).encode())
    for path in [spec.path, *sorted(glob.glob(f"{INCLUDE}/*"))]:
        with open(path, "rb") as f:
            digest.update(f.read())
    stamp = f"{folder}/.hash"
    try:
        with open(stamp) as f:
            if f.read() == digest.hexdigest() and os.path.exists(out):
                return out
    except OSError:
        pass
    os.makedirs(folder, exist_ok=True)
    r = core.Run(argv, 300, merge=True)
    if r.status:
        raise core.Failure("the test's program does not compile\n" + r.report())
    if kind == "archive" and not spec.zig:
        if os.path.exists(out):
            os.unlink(out)
        r = core.Run(["ar", "rcs", out, argv[argv.index("-o") + 1]], 20, merge=True)
        if r.status:
            raise core.Failure(r.report())
    with open(stamp, "w") as f:
        f.write(digest.hexdigest())
    return out


def execute(spec, argv, timeout, only_env=None):
    """Runs argv with the stdin that the header asks for."""
    source = spec.get("stdin-from")
    stdin = spec.get("stdin")
    if stdin == "closed":
        argv = ["sh", "-c", 'exec "$@" <&-', "sh", *argv]
        return core.Run(argv, timeout, only_env=only_env)
    if source is None and stdin is None:
        return core.Run(argv, timeout, only_env=only_env)
    line = source if source is not None else 'printf %b "$TEXT"'
    feeder = subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, cwd=core.TOP,
                              stderr=subprocess.DEVNULL, env={**os.environ, "TEXT": stdin or ""})
    try:
        return core.Run(argv, timeout, stdin=feeder.stdout, only_env=only_env)
    finally:
        feeder.stdout.close()
        feeder.kill()
        feeder.wait()


def check(spec, r, who, status):
    if r.status != status:
        raise core.Failure(f"{who}: status {r.status}, expected {status}\n" + r.report())
    lines = spec.many["expect-stdout"]
    got = r.out.decode(errors="surrogateescape")
    if lines:
        want = "\n".join(lines)
        if got not in (want, want + "\n"):
            raise core.Failure(f"{who}: stdout differs\n--- expected\n{want}\n" + r.report())
    for part in spec.many["expect-stdout-contains"]:
        if part not in got:
            raise core.Failure(f"{who}: stdout lacks: {part}\n" + r.report())


def check_stderr(spec, r):
    got = r.err.decode(errors="replace")
    for part in spec.many["expect-stderr-contains"]:
        if part not in got:
            raise core.Failure(f"stderr lacks: {part}\n" + r.report())
    for part in spec.many["expect-stderr-lacks"]:
        if part in got:
            raise core.Failure(f"stderr holds: {part}\n" + r.report())


def native(spec, mode, args, env):
    """What Linux does with the program, or None; checked against the header."""
    if spec.native[0] == "skip":
        return None
    program = once((spec.path, mode, "exec"), lambda: compile(spec, mode, "exec"))
    status = int(spec.get("expect-status", 0))
    if spec.native[0] == "status":
        status = int(spec.native[1])
    only_env = dict(e.split(b"=", 1) for e in env)
    r = execute(spec, [program, *args], 60, only_env)
    check(spec, r, "on Linux", status)
    return r


def run(spec, mode, machine, more=()):
    if spec.errors:
        raise core.Failure("\n".join(spec.errors))
    core.need((spec.get("needs") or "").split())
    args, env = words(spec.get("args")), words(spec.get("env"))
    flags = [*words(spec.get("zuk")), *more]
    program = once((spec.path, mode, spec.input), lambda: compile(spec, mode, spec.input))
    linux = once((spec.path, mode, "native"), lambda: [native(spec, mode, args, env)])[0]
    verb = "exec" if spec.input == "exec" else "run"
    machine, _, cpus = machine.partition(":")
    if cpus:
        flags = ["--cpus", cpus[:-len("cpus")], *flags]
    argv = ["build/zuk", verb, "--machine", machine, *flags]
    for e in env:
        argv += ["-e", e]
    argv += [program, *([] if verb == "exec" else ["--"]), *args]
    r = execute(spec, argv, int(spec.get("timeout", 20)))
    check(spec, r, "in the guest", int(spec.get("expect-status", 0)))
    check_stderr(spec, r)
    if linux and not spec.many["expect-stdout"] and r.out != linux.out:
        raise core.Failure("stdout is not what Linux gives\n--- on Linux\n" + core.text(linux.out) +
                           "\n" + r.report())
