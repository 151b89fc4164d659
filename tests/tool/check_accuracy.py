#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# What zuk check predicts holds: every system call that a program makes (as
# --strace shows it) was predicted, and none that was provided is missing.  For
# the examples, the servers among them with a client, and guest tests of each family
# that make many different calls.
# timeout: 600
import glob
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

ZUK, ZIG, TOP, TMP = (os.environ[k] for k in ("ZUK", "ZIG", "TOP", "TMP"))
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
os.environ["XDG_CACHE_HOME"] = f"{TMP}/cache"
os.chdir(TMP)
failed, seen_calls, programs = 0, set(), 0


def run(argv, **how):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          stdin=subprocess.DEVNULL, **how)


def serve(argv, client):
    """What a server says on stderr until client() has had its answer; then it is ended."""
    with open("served", "wb") as err:
        p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=err, stdin=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                if p.poll() is not None or client():
                    break
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
        else:
            raise TimeoutError(f"{argv}: no answer")
    finally:
        p.terminate()
        p.wait(20)
    return subprocess.CompletedProcess(argv, p.returncode, b"", open("served", "rb").read())


def look(name, source, verb, flags=(), args=(), net=(), client=None):
    """verb: how the program is started; net: options of the run alone; client: see serve()."""
    global failed, programs
    checked = run([ZUK, "check", "--json", *flags, source])
    try:
        report = json.loads(checked.stdout)
    except ValueError:
        failed += 1
        print(f"FAILED: {name}: zuk check says: {checked.stderr.decode()[-2000:]}")
        return
    words = [source, *args] if verb == "exec" else [source, "--", *args]
    argv = [ZUK, verb, "--strace", "--timeout", "100", *flags, *net, *words]
    ran = serve(argv, client) if client else run(argv)
    if client and ran.returncode != 143:
        failed += 1
        print(f"FAILED: {name}: it did not serve: {ran.stderr.decode(errors='replace')[-1000:]}")
    made = set(re.findall(r"^\[ *\d+\.\d+\](?: \[?\w+\]?)? (\w+)\(",
                          ran.stderr.decode(errors="replace"), re.M))
    predicted = {c["name"] for c in report["calls"]}
    trapping = {c["name"] for c in report["calls"] if c["traps"]}
    provided = predicted - trapping
    missing = set(re.findall(r"system call (\w+) \(\d+\) is not provided", ran.stderr.decode(errors="replace")))
    programs += 1
    if not made:
        failed += 1
        print(f"FAILED: {name}: nothing was traced: {ran.stderr.decode(errors='replace')[-1000:]}")
    surprise = made - predicted
    if surprise or missing & provided:
        failed += 1
        print(f"FAILED: {name}: not predicted: {sorted(surprise)}; "
              f"said to be provided: {sorted(missing & provided)}")
    seen_calls.update(made)


shutil.copytree(f"{TOP}/examples", "examples")
for name in ("hello-zig", "cat", "missing"):
    look(f"examples/{name}", f"examples/{name}", "run", ["--zig", ZIG])
subprocess.run(["make", "-s", "-C", "examples/hello-c", f"ZIG={ZIG}", f"OUT={TMP}"], check=True,
               timeout=200)
look("examples/hello-c", "libhello.a", "run", [], ["one", "two"])

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def echoes():
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(b"hello")
        return s.recv(5) == b"hello"


def answers():
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for method, target in (("GET", "/"), ("GET", "/status"), ("POST", "/echo"), ("GET", "/nothing")):
        c.request(method, target, body=b"text" if method == "POST" else None)
        c.getresponse().read()
    c.close()
    return True


class Page(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Page.asked += 1
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"page")

    def log_message(self, *args):
        pass


subprocess.run(["make", "-s", "-C", "examples/echo-c", f"ZIG={ZIG}", f"OUT={TMP}"], check=True, timeout=200)
look("examples/echo-c", "libecho.a", "run", net=["-p", f"127.0.0.1:{port}:7"], client=echoes)
look("examples/httpd-zig", "examples/httpd-zig", "run", ["--zig", ZIG],
     net=["-p", f"127.0.0.1:{port}:8080"], client=answers)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
look("examples/fetch-zig", "examples/fetch-zig", "run", ["--zig", ZIG],
     [f"http://10.0.2.2:{server.server_address[1]}/"], net=["--net", "user"])
if Page.asked != 1:
    failed += 1
    print(f"FAILED: examples/fetch-zig asked {Page.asked} times")

sources = [f"{TOP}/tests/guest/{n}.c" for n in (
    "files/dirs", "files/links", "files/mmap", "files/times", "files/rename", "io/dup", "io/vectors",
    "memory/malloc", "memory/mremap", "time/timers", "time/timerfd", "thread/basics",
    "signal/queues", "socket/refusals", "event/epoll", "env/uname", "fault/abort")]
for source in sources:
    program = os.path.basename(source)[:-2]
    with open(source, encoding="utf-8") as f:
        head = f.read(3000).split("*/")[0]
    flags = " ".join(re.findall(r"^ \* cflags: (.*)$", head, re.M)).split()
    built = run([ZIG, "cc", "-target", "x86_64-linux-musl", "-O1", "-g", f"-I{TOP}/tests/guest/include",
                 *flags, source, "-o", program])
    if built.returncode != 0:
        failed += 1
        print(f"FAILED: {source} does not compile: {built.stderr.decode()[-500:]}")
        continue
    look(source[len(TOP) + 1:], f"./{program}", "exec")
if shutil.which("gcc") and glob.glob("/usr/lib/*/libc.a"):
    with open("glibc.c", "w", encoding="utf-8") as f:
        f.write('#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n#include <dirent.h>\n'
                'int main(void) { FILE *f = fopen("/dev/null", "w"); DIR *d = opendir("/");\n'
                'printf("%ld %p %p\\n", time(0), (void *)f, (void *)d); free(malloc(1 << 22));\n'
                'system("true"); return 0; }\n')
    subprocess.run(["gcc", "-static", "-O1", "-g", "glibc.c", "-o", "glibc"], check=True)
    look("a program of glibc", "./glibc", "exec")
print(f"{programs} programs, {len(seen_calls)} different calls")
if len(seen_calls) < 60:
    failed += 1
    print("FAILED: too few different calls: the trace is not read as it should be")
sys.exit(1 if failed else 0)
