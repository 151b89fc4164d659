#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The guides of docs/ do what they show.  A page is one session of bash in a
# folder of its own, and its fences are
#
#   ```console       lines `$ COMMAND`, each run, and what it prints (both streams)
#   ```LANG FILE     a file of that name in the session's folder
#   ```text          neither
#
# In what is printed `...` stands for any text, on a line of its own for any
# lines; a command without output shown may print anything, and each may say how far
# it is (zuk/progress.h).  A command that fails
# fails the page, unless the next one is `echo $?`.  guides.py PAGE... runs those
# only.
# needs: bash gdb
# timeout: 240
import os
import re
import signal
import subprocess
import sys
import tempfile

TOP = os.environ.get("TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ["first.md", "zig.md", "unikraft.md", "debugging.md", "how.md"]
END = "-- end of command --"
COMMAND_SECONDS = 100
PROGRESS = re.compile(r"^zuk: \[\d+/\d+\] .*\n", re.M)  # of what took long; a terminal keeps none


class Wrong(Exception):
    pass


def fences(path):
    """(line, info, lines) of each fence; a page without a command is wrong."""
    inside, found = None, []
    for number, line in enumerate(open(path, encoding="utf-8").read().split("\n"), 1):
        if line.startswith("```"):
            if inside is None:
                inside = (number, line[3:].strip(), [])
            else:
                found.append(inside)
                inside = None
        elif inside is not None:
            inside[2].append(line)
        elif re.match(r" {4,}(\$ |(zuk|zig|gdb) )", line):
            raise Wrong(f"{path}:{number}: a command outside of a fence is run by nobody")
    if inside is not None:
        raise Wrong(f"{path}:{inside[0]}: this fence has no end")
    if not any(info == "console" for _, info, _ in found):
        raise Wrong(f"{path}: no command")
    return found


def commands(number, lines):
    """(line, command, output shown) of a console fence."""
    all = []
    for n, line in enumerate(lines, number + 1):
        if line.startswith("$ "):
            all.append((n, line[2:], []))
        elif all and all[-1][1].endswith("\\") and not all[-1][2]:
            all[-1] = (all[-1][0], all[-1][1] + "\n" + line, [])
        elif all:
            all[-1][2].append(line)
        else:
            raise Wrong(f"line {n}: output before the first command")
    return all


def pattern(shown):
    text = ""
    for line in shown:
        text += r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.compile(text)


class Session:
    def __init__(self, folder, env):
        self.command = os.path.join(os.path.dirname(folder), "command")
        self.out = os.path.join(os.path.dirname(folder), "out")
        self.folder = folder
        self.shell = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=folder, env=env, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, start_new_session=True)
        self.status = 0

    def run(self, text):
        """Status and output; the shell keeps its folder, variables and jobs."""
        with open(self.command, "w") as f:
            f.write(text + "\n")
        self.shell.stdin.write(f"(exit {self.status}); . '{self.command}' >'{self.out}' 2>&1 </dev/null\n"
                               f"echo \"{END} $? $PWD\"\n")
        self.shell.stdin.flush()
        signal.alarm(COMMAND_SECONDS)
        said = ""
        for line in self.shell.stdout:
            if line.startswith(END):
                status, self.folder = line[len(END) + 1:].rstrip("\n").split(" ", 1)
                self.status = int(status)
                break
            said += line
        else:
            raise Wrong("the shell ended:\n" + said)
        signal.alarm(0)
        return self.status, open(self.out, encoding="utf-8", errors="replace").read()

    def end(self):
        self.shell.stdin.close()
        try:
            os.killpg(self.shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.shell.wait()


def one(path, number, command, shown, last, session):
    where = f"{path}:{number}"
    try:
        status, out = session.run(command)
    except TimeoutError:
        raise Wrong(f"{where}: '{command}' did not end within {COMMAND_SECONDS} s") from None
    if status != 0 and not last:
        raise Wrong(f"{where}: '{command}' ended with {status}\n{out}")
    if shown and not pattern(shown).fullmatch(PROGRESS.sub("", out)):
        raise Wrong(f"{where}: '{command}' does not print what is shown, but\n{out}")


def page(name, env):
    path = os.path.join("docs", name)
    found = fences(os.path.join(TOP, path))
    base = tempfile.mkdtemp(dir=env["TMP"])
    os.mkdir(os.path.join(base, "here"))
    session = Session(os.path.join(base, "here"), env)
    try:
        for number, info, lines in found:
            words = info.split()
            if words == ["console"]:
                all = commands(number, lines)
                for i, (n, command, shown) in enumerate(all):
                    excused = i + 1 < len(all) and all[i + 1][1] == "echo $?"
                    one(path, n, command, shown, excused, session)
            elif len(words) == 2:
                file = os.path.join(session.folder, words[1])
                os.makedirs(os.path.dirname(file), exist_ok=True)
                with open(file, "w") as f:
                    f.write("\n".join(lines) + "\n")
            elif words != ["text"]:
                raise Wrong(f"{path}:{number}: what is this fence? (console, text, or LANGUAGE FILE)")
        left = subprocess.run([env["ZUK"], "ps"], env=env, text=True, capture_output=True).stdout
        if " running " in left:
            raise Wrong(f"{path} leaves a machine behind\n{left}")
    finally:
        session.end()
        names = [n for n in os.listdir(env["XDG_STATE_HOME"] + "/zuk") if n[0] != "."] \
            if os.path.isdir(env["XDG_STATE_HOME"] + "/zuk") else []
        if names:
            subprocess.run([env["ZUK"], "stop", "-t", "0", *names], env=env, capture_output=True)
            subprocess.run([env["ZUK"], "rm", *names], env=env, capture_output=True)


def out_of_time(number, frame):
    raise TimeoutError


def main():
    signal.signal(signal.SIGALRM, out_of_time)
    env = dict(os.environ)
    tmp = env.setdefault("TMP", tempfile.mkdtemp())
    env.setdefault("ZUK", f"{TOP}/build/zuk")
    env.update(PATH=f"{TOP}/build:{env['PATH']}", XDG_CACHE_HOME=f"{tmp}/cache", XDG_STATE_HOME=f"{tmp}/state",
               LC_ALL="C.UTF-8")
    env.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
    for variable in ("ZUK_ZIG", "ZUK_LIB", "ZUK_QEMU"):
        env.pop(variable, None)
    failed = 0
    for name in sys.argv[1:] or PAGES:
        try:
            page(name, env)
        except Wrong as e:
            failed += 1
            print(f"FAILED: {e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
