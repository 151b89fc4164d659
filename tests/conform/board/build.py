# SPDX-License-Identifier: BSD-3-Clause
#
# Builds the std tests of a cell: the package's own lib/, with the runner of
# this folder.  The packages ship some of std's test files empty and no test
# data, so some tests cannot be compiled.  Those, and only those, are blanked
# in a copy, found by where the compiler's errors lie (or, when that is outside
# of any test, by which test the compiler says it came from, or by which tests
# name the declaration), and each is listed with its first error.
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess

from runner import core

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = f"{core.TOP}/build/conform"
RUNNER = f"{HERE}/runner.zig"
ROUNDS = 40  # a helper that does not compile is told of one of its tests in each
SECONDS = 7200  # of one compilation: LLVM takes long over all of std, on a busy machine longer

TEST = re.compile(r'^( *)test(?: "((?:[^"\\]|\\.)*)"| ([\w.]+|@"[^"]*"))? \{')
ERROR = re.compile(r"^(?:.*/)?std/([^:]+\.zig):(\d+):(\d+): error: (.*)$")
MISSING = re.compile(r": (unable to open '|failed opening \"|root source file struct '.*' has no member )")
DECLARATION = re.compile(r"(?:pub )?(?:inline )?(?:fn|const|var) (\w+)|(?:comptime|test)\b")
PLACE = re.compile(r"(?:^|[ (/])std/([^:\s]+\.zig):(\d+):(\d+)")


def versions():
    seen = []
    with open(f"{core.TOP}/mk/zig.txt") as f:
        for line in f:
            if line[0].isdigit() and line.split()[0] not in seen:
                seen.append(line.split()[0])
    return seen


def package(version):
    """The folder of a Zig's package, fetched when it is not there."""
    folder = f"{core.TOP}/build/toolchain/zig-{version}"
    if not os.path.exists(f"{folder}/zig"):
        subprocess.run([f"{core.TOP}/mk/fetch-zig", version], check=True, timeout=900,
                       stdout=subprocess.DEVNULL)
    return folder


def empty_files(version):
    lib = f"{package(version)}/lib"
    return sorted(os.path.relpath(p, lib) for p in glob.glob(f"{lib}/std/**/*.zig", recursive=True)
                  if os.path.getsize(p) == 0)


def behaviour_tests(version):
    """The tests of the compiler's behaviour (test/behavior* of Zig's source) in the package."""
    return glob.glob(f"{package(version)}/**/test/behavior*", recursive=True)


class Source:
    """One file of the copied std, and the tests in it."""

    def __init__(self, lib, path):
        self.path, self.file = path, f"{lib}/std/{path}"
        with open(self.file) as f:
            self.lines = f.read().split("\n")
        self.tests = []  # (first line, last line, name), counted from 1
        for first, line in enumerate(self.lines, 1):
            m = TEST.match(line)
            if not m:
                continue
            last = first
            if not line.rstrip().endswith("}"):
                end = m.group(1) + "}"
                last = next(n for n in range(first + 1, len(self.lines) + 1)
                            if self.lines[n - 1] == end)
            self.tests.append((first, last, self.name(m, len(self.tests))))

    def name(self, m, index):
        module = re.sub(r"\.zig$", "", self.path).replace("/", ".")
        if m.group(2) is not None:
            return f"{module}.test.{m.group(2)}"
        if m.group(3) is not None:
            return f"{module}.decltest.{m.group(3)}"
        return f"{module}.test_{index}"

    def at(self, line):
        return next((t for t in self.tests if t[0] <= line <= t[1]), None)

    def users(self, line):
        """The tests that name what the declaration with this line is for: it, or another
        declaration of the file that does."""
        starts = [n for n, text in enumerate(self.lines, 1) if DECLARATION.match(text)]
        parts = [(DECLARATION.match(self.lines[a - 1]).group(1), a, b - 1)
                 for a, b in zip(starts, starts[1:] + [len(self.lines) + 1])]
        names = {name for name, a, b in parts if name and a <= line <= b}

        def named(a, b):
            return any(re.search(rf"(?<![.\w]){name}\b", text) for name in names
                       for text in self.lines[a - 1:b])

        while more := {name for name, a, b in parts if name and named(a, b)} - names:
            names |= more
        return [t for t in self.tests if named(t[0], t[1])]

    def blank(self, test):
        """Without the test; lines keep their numbers."""
        for n in range(test[0], test[1] + 1):
            self.lines[n - 1] = ""
        self.tests.remove(test)
        os.unlink(self.file)  # it may be a hard link to the package's
        with open(self.file, "w") as f:
            f.write("\n".join(self.lines))


def copy_lib(version, lib):
    shutil.rmtree(lib, ignore_errors=True)
    os.makedirs(os.path.dirname(lib), exist_ok=True)
    source = f"{package(version)}/lib"
    try:
        shutil.copytree(source, lib, copy_function=os.link)
    except OSError:
        shutil.rmtree(lib, ignore_errors=True)
        shutil.copytree(source, lib)


def culprits(lib, output):
    """[(Source, test, error)] of the compiler's output."""
    sources, found, lost = {}, {}, []

    def test_at(path, line):
        if path not in sources:
            if not os.path.exists(f"{lib}/std/{path}"):
                return None
            sources[path] = Source(lib, path)
        test = sources[path].at(line)
        return (path, test) if test else None

    errors = []  # (first line, the lines that follow it)
    for line in output.split("\n"):
        if ERROR.match(line):
            errors.append((line, []))
        elif errors:
            errors[-1][1].append(line)
    for line, more in errors:
        path, number, _, text = ERROR.match(line).groups()
        places = [(path, int(number))]
        places += [(m.group(1), int(m.group(2))) for x in more for m in PLACE.finditer(x)]
        test = next((t for t in (test_at(*p) for p in places) if t), None)
        if test is None:
            lost.append((path, int(number), f"std/{path}:{number}: {text}"))
        else:
            found.setdefault(test, f"std/{path}:{number}: {text}")
    if not found:  # Zig before 0.14 does not say which test wanted a declaration
        for path, line, error in lost:
            test_at(path, line)
            for test in sources[path].users(line) if path in sources else ():
                found.setdefault((path, test), error)
    return [(sources[path], test, error) for (path, test), error in found.items()]


def blank_known(version, lib):
    """A file that the package lacks, or ships empty, is so in every cell of the version:
    blanks the tests that another cell found to need one, and returns them with their errors."""
    known = {}
    for stamp in glob.glob(f"{OUT}/{version}-*/built.json"):
        with open(stamp) as f:
            known.update({name: error for name, error in json.load(f)["absent"] if MISSING.search(error)})
    paths = {re.split(r"\.(?:decl)?test[._]", name)[0].replace(".", "/") + ".zig" for name in known}
    blanked = []
    for path in sorted(paths):
        source = Source(lib, path)
        for test in [t for t in source.tests if t[2] in known]:
            source.blank(test)
            blanked.append((test[2], known[test[2]]))
    return blanked


class Cell:
    """A version, with or without libc, in a mode."""

    def __init__(self, name):
        self.name = name
        self.version, self.libc, self.mode = name.split(":")
        self.folder = f"{OUT}/{name.replace(':', '-')}"
        self.program = f"{self.folder}/std"
        self.output = f"-femit-bin={self.program}"
        self.absent = []  # (test's name, the compiler's error)
        self.hash = None  # of what the program is made of, once it is built

    def command(self, lib):
        return [f"{package(self.version)}/zig", "test", f"{lib}/std/std.zig", "--zig-lib-dir", lib,
                "--test-runner", RUNNER, "-target", "x86_64-linux-musl", "-O", self.mode,
                *(["-lc"] if self.libc == "libc" else []), "--cache-dir", f"{self.folder}/cache",
                "-freference-trace=64", "--test-no-exec"]

    def build(self, say=lambda text: None):
        """Makes self.program and self.absent, unless they are there already."""
        lib = f"{self.folder}/lib"
        argv = self.command(lib)
        # The folder this tree lies in changes nothing in what is built.
        digest = hashlib.sha256("\0".join(argv).replace(core.TOP, "").encode())
        for path in (RUNNER, os.path.abspath(__file__), f"{core.TOP}/mk/zig.txt"):
            with open(path, "rb") as f:
                digest.update(f.read())
        self.hash = digest.hexdigest()
        stamp = f"{self.folder}/built.json"
        if os.path.exists(stamp) and os.path.exists(self.program):
            with open(stamp) as f:
                built = json.load(f)
            if built["hash"] == self.hash:
                self.absent = [tuple(x) for x in built["absent"]]
                return
        copy_lib(self.version, lib)
        self.absent = blank_known(self.version, lib)
        # What cannot compile is found without making code: that is what takes long.
        output = "-fno-emit-bin"
        for n in range(ROUNDS):
            say(f"{self.name}: {'compiling' if output == self.output else 'checking'}, "
                f"{len(self.absent)} tests blanked")
            r = core.Run([*argv, output], SECONDS, merge=True)
            if r.status == 0:
                if output == self.output:
                    break
                output = self.output
                continue
            found = culprits(lib, r.out.decode(errors="replace"))
            if not found:
                raise core.Failure(f"{self.name} does not compile\n" + r.report())
            for source, test, error in found:
                self.absent.append((test[2], error))
                source.blank(test)
        else:
            raise core.Failure(f"{self.name} does not compile after {ROUNDS} rounds\n" + r.report())
        shutil.rmtree(f"{self.folder}/cache", ignore_errors=True)
        shutil.rmtree(lib, ignore_errors=True)
        self.absent.sort()
        with open(stamp, "w") as f:
            json.dump({"hash": self.hash, "absent": self.absent}, f, indent=1)
