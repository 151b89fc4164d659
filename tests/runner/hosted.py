# SPDX-License-Identifier: BSD-3-Clause
#
# Tests that are programs of the host: unit tests (tests/unit, built by make),
# fuzz targets (tests/fuzz, a short run each), tests of the tool (tests/tool,
# tests/conform), programs of others (tests/apps/NAME/test) and lint (tests/lint):
# scripts that exit with 0, or 77 with the reason for being skipped as their last
# line.
#
# A script's first comment may hold `tier: quick|test|full`, `timeout: SECONDS`,
# `needs: PROGRAM...`, `alone: REASON` (nothing beside it: it measures).  It
# finds in its environment ZUK, ZIG (absolute paths), TOP and TMP, a folder of
# its own that is removed afterwards; it is started in TOP.
import glob
import os
import shutil
import tempfile

from . import core

FUZZ_SECONDS = {"quick": 1, "test": 5, "full": 60}


def collect(tier):
    tests = []
    os.chdir(core.TOP)
    for path in sorted(glob.glob("tests/unit/*.c")):
        tests.append(unit(path))
    for path in sorted(glob.glob("tests/fuzz/*.c")):
        tests.append(fuzz(path, tier))
    for folder in ("tool", "conform", "lint"):
        for path in sorted(glob.glob(f"tests/{folder}/*")):
            if os.path.isfile(path) and os.access(path, os.X_OK):
                tests.append(script(path))
    for path in sorted(glob.glob("tests/apps/*/test")):
        tests.append(script(path, os.path.dirname(path)[len("tests/"):]))
    return tests


def unit(path):
    name = os.path.splitext(os.path.basename(path))[0]
    binary = f"build/tests/unit/{name}"
    info = {k: v for k, v, _ in core.header(path)}

    def run():
        fresh(binary, path)
        tmp = tempfile.mkdtemp(prefix="zuk-unit-")
        try:
            r = core.Run([os.path.join(core.TOP, binary)], int(info.get("timeout", 120)), merge=True,
                         env={"TMP": tmp, "TOP": core.TOP})
        finally:
            shutil.rmtree(tmp, ignore_errors=True)
        if r.status:
            raise core.Failure(r.report())

    return core.Test(f"unit/{name}", run, "quick", makes=[binary])


def fresh(binary, source):
    """A binary that make could not bring up to date is not run."""
    if not os.path.exists(binary):
        raise core.Failure(f"{binary} was not built (see the failure of make)")
    if os.path.getmtime(binary) < os.path.getmtime(source):
        raise core.Failure(f"{binary} is older than {source} (see the failure of make)")


def fuzz(path, tier):
    name = os.path.splitext(os.path.basename(path))[0]
    binary = f"build/tests/fuzz/{name}"
    seconds = int(os.environ.get("FUZZ_SECONDS") or FUZZ_SECONDS[tier])

    def run():
        fresh(binary, path)
        out = f"build/fuzz/{name}"
        os.makedirs(f"{out}/corpus", exist_ok=True)
        argv = [binary, f"-max_total_time={seconds}", f"-artifact_prefix={out}/", "-timeout=10",
                "-rss_limit_mb=2048", "-print_final_stats=1", f"{out}/corpus"]
        if os.path.isdir(f"tests/fuzz/corpus/{name}"):
            argv.append(f"tests/fuzz/corpus/{name}")
        r = core.Run(argv, seconds + 120, merge=True)
        if r.status:
            raise core.Failure(r.report())
        if b"stat::number_of_executed_units" not in r.out:
            raise core.Failure("the fuzzer did not say what it did\n" + r.report())

    return core.Test(f"fuzz/{name}", run, "test", makes=[binary])


def script(path, id=None):
    info = {k: v for k, v, _ in core.header(path)}
    id = id or path[len("tests/"):]
    tier = info.get("tier", "test")

    def run():
        core.need(info.get("needs", "").split())
        tmp = tempfile.mkdtemp(prefix="zuk-test-")
        env = {"TOP": core.TOP, "ZUK": f"{core.TOP}/build/zuk", "ZIG": f"{core.TOP}/build/zig",
               "TMP": tmp, "TMPDIR": tmp}
        try:
            r = core.Run([os.path.join(core.TOP, path)], int(info.get("timeout", 120)), env=env,
                         merge=True)
        finally:
            shutil.rmtree(tmp, ignore_errors=True)
        if r.status == 77:
            lines = r.out.decode(errors="replace").strip().split("\n")
            raise core.Skip(lines[-1] or "it does not say why")
        if r.status:
            raise core.Failure(r.report())

    return core.Test(id, run, tier if tier in FUZZ_SECONDS else "quick", alone="alone" in info)
