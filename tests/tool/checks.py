# SPDX-License-Identifier: BSD-3-Clause
#
# For the Python tests of this folder: what expect.sh is for the scripts.
#
#   check(condition, text)   says FAILED and the text when it is false
#   build(name, source)      $TMP/name, an executable for the guest, of C
#   finish()                 ends the test: 1 when a check failed
#
# zuk's cache is the test's own, Zig's is not (libc is in it).
import os
import subprocess
import sys

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


def finish():
    sys.exit(1 if failed else 0)
