#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The manual page and `zuk help`: every command, option and variable of the tool is
# on the page, the page knows none that the tool does not have, and each command's
# help says how it is called and what its options are.
# tier: quick
import glob
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TOP, ZUK, check, finish  # noqa: E402


def help(*words):
    r = subprocess.run([ZUK, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    check(r.returncode == 0 and not r.stderr, f"zuk {' '.join(words)}: {r.returncode} {r.stderr}")
    return r.stdout


source = open(f"{TOP}/docs/zuk.1", encoding="utf-8").read()
page = re.sub(r"\\f[BIRP]", "", source.replace("\\-", "-"))
sections = dict(re.findall(r"^\.SH (.*)\n((?:(?!\.SH ).*\n?)*)", page, re.M))
plain = {name: re.sub(r"^\.[BI][RIB]? ?|\"", "", text, flags=re.M) for name, text in sections.items()}

# --- commands ----------------------------------------------------------------------
commands = re.findall(r"^  ([a-z]+) +\S", help("help").split("\n\n")[1], re.M)
check(len(commands) >= 18, f"commands: {commands}")
for c in commands:
    check(re.search(rf"^\.B zuk {c}\b", page, re.M), f"SYNOPSIS lacks zuk {c}")
    check(c == "help" or re.search(rf"^\.BR? (.*\b)?{c}\b", sections["DESCRIPTION"], re.M), f"DESCRIPTION lacks {c}")
for c in re.findall(r"^\.BR? zuk ([a-z]+)", sections["SYNOPSIS"], re.M):
    check(c in commands, f"SYNOPSIS has zuk {c}, which is no command")

# --- options: {name: letters}, of all commands -------------------------------------
options = {}
for c in commands:
    text = help("help", c)
    check(f"zuk {c}" in text or c == "help", f"zuk help {c} says how it is called")
    if c in ("help", "config"):
        continue
    found = re.findall(r"^  (?:-(\w), |    )(--[a-z-]+)", text, re.M)
    check({"--color", "--verbose", "--quiet"} <= {n for _, n in found}, f"zuk help {c} has its options: {found}")
    check(all(re.search(rf"{n}\b.{{1,60}}\S", text) for _, n in found), f"zuk help {c} says what each does")
    for letter, name in found:
        options.setdefault(name, set()).add(letter)
for verb in ("show", "why", "diff", "set", "unset"):
    check(f"zuk config {verb}" in help("help", "config"), f"zuk help config has {verb}")
check(len(options) > 40, f"only {len(options)} options")
described = {}
for name, text in plain.items():
    if name.startswith("OPTIONS"):
        for head in re.findall(r"^\.TP\n(.*)", text, re.M):
            for option in re.findall(r"--[a-z-]+", head):
                check(option not in described, f"{option} is described twice")
                described[option] = head
other = plain["SYNOPSIS"] + plain["DESCRIPTION"]
for name, letters in options.items():
    check(name in described or name in other, f"the page lacks {name}")
    for letter in letters - {""}:
        check(re.search(rf"-{letter}\b", described.get(name, other)), f"the page lacks -{letter} of {name}")
for name in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page)) - {"--version", "--help"}:
    check(name in options, f"the page has {name}, which is no option")

# --- variables that the tool reads ---------------------------------------------------
for path in glob.glob(f"{TOP}/zuk/*.c"):
    for name in re.findall(r'getenv\("([A-Z_]+)"\)', open(path, encoding="utf-8").read()):
        if name not in ("ZUK_CANONICAL", "PATH"):  # a build's word to itself; everyone's
            check(name in page, f"{os.path.basename(path)} reads {name}, which the page lacks")

# --- and it can be shown -----------------------------------------------------------
if shutil.which("groff"):
    r = subprocess.run(["groff", "-t", "-man", "-Tutf8", "-ww", "-z", f"{TOP}/docs/zuk.1"], capture_output=True, text=True)
    check(r.returncode == 0 and not r.stderr, f"groff: {r.stderr}")
finish()
