#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# Completions as the shells make them: commands, options, words, machines and files
# with odd names, on a terminal where bash and zsh read keys, in fish by its own words.
# Shells that are not there are left out.
# needs: bash
# timeout: 200
import os
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZUK, Terminal, check, finish, zuk  # noqa: E402

os.chdir(TMP)
os.environ.update(PATH=f"{os.path.dirname(ZUK)}:{os.environ['PATH']}", XDG_STATE_HOME=f"{TMP}/state",
                  XDG_CONFIG_HOME=f"{TMP}/config", LC_ALL="C.UTF-8", HOME=TMP, PS1="> ")
os.mkdir("files")
for name in ("alone.a", "two words.o", "ünï.elf"):
    open(f"files/{name}", "w", encoding="utf-8").close()
os.makedirs("state/zuk/machine-7")  # one that has ended
os.chmod("state/zuk", 0o700)
with open("state/zuk/machine-7/about", "w", encoding="utf-8") as f:
    f.write('{"image":"/x.elf","started":1}')
os.chdir("files")
check("machine-7" in zuk("ps").stdout, "there is a machine")
for shell, name in (("bash", "script"), ("zsh", "_zuk"), ("fish", "script.fish")):
    with open(f"{TMP}/{name}", "w", encoding="utf-8") as f:
        f.write(zuk("completion", shell).stdout)

# What is typed before a TAB, and what must then be in the line, or in the list below.
LINES = (
    ("zuk ru", "zuk run "), ("zuk doc", "zuk doctor "), ("zuk run --acc", "--accel"), ("zuk run --accel t", "--accel tcg"),
    ("zuk run --accel=t", "--accel=tcg"), ("zuk run --color=n", "--color=never"), ("zuk run --machine ", "microvm"),
    ("zuk run --wat", "--watch"), ("zuk help insp", "zuk help inspect"), ("zuk config un", "zuk config unset"),
    ("zuk config why NAM", "NAMES"), ("zuk build --set NAM", "--set NAMES="), ("zuk completion f", "zuk completion fish"),
    ("zuk export uni", "zuk export unikraft"), ("zuk stop mach", "machine-7"), ("zuk logs ", "machine-7"),
    ("zuk run al", "zuk run alone.a"), ("zuk run tw", r"zuk run two\ words.o"), ('zuk run "tw', '"two words.o"'),
    ("zuk build -o x.elf ün", "ünï.elf"), ("zuk run x.elf -- alo", "-- alone.a"),
)


def plain(data):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\r\x07]", "", data.decode(errors="replace"))


def settle(t):
    """Reads until the shell has been quiet for a while."""
    size = -1
    while size != len(t.seen):
        size = len(t.seen)
        t.read(0.25)


def ask(shell, argv, set_up):
    t = Terminal(argv, {"TERM": "dumb" if shell == "bash" else "xterm", "INPUTRC": "/dev/null"}, columns=150)
    for line in (*set_up, "echo read''y"):
        os.write(t.fd, line.encode() + b"\r")
    check(t.until(b"ready"), f"{shell} has begun: {t.seen!r}")
    for typed, wanted in LINES:
        settle(t)
        t.seen = b""
        os.write(t.fd, typed.encode() + b"\t\t")
        end = time.monotonic() + 20
        while wanted not in plain(t.seen) and time.monotonic() < end:
            t.read(0.2)
        check(wanted in plain(t.seen), f"{shell}: {typed!r} becomes {plain(t.seen)!r}, without {wanted!r}")
        settle(t)
        os.write(t.fd, b"\x03")
    settle(t)
    os.write(t.fd, b"\x04")
    t.end(20)


ask("bash", ["/bin/bash", "--norc", "-i"], [f". {TMP}/script"])
if shutil.which("zsh"):
    ask("zsh", [shutil.which("zsh"), "-f", "-i"], [f"fpath=({TMP} $fpath)", "autoload -U compinit", "compinit -u -D"])
if shutil.which("fish"):
    for typed, wanted in LINES:
        r = subprocess.run(["fish", "--no-config", "-c", f"source {TMP}/script.fish; complete -C $argv[1]", typed],
                           capture_output=True, text=True, timeout=60)
        word = "two words.o" if "words" in wanted else wanted.split()[-1]  # fish tells the word as it is meant
        found = [line.split("\t")[0].replace("\\ ", " ").strip('"') for line in r.stdout.splitlines()]
        check(word in found, f"fish: {typed!r} finds {found}, not {word!r}")
        check(not r.stderr, f"fish: {r.stderr}")
finish()
