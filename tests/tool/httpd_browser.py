#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The status page of examples/httpd-zig in Chromium: what it shows is what the machine
# is, changes by itself, counts this browser's requests, and says when the server is
# gone; no errors before that.
# timeout: 300
import os
import shutil
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402
from checks import TMP, ZIG, ZUK, check, finish  # noqa: E402

TOP = os.environ["TOP"]
SHOWN = "Object.fromEntries([...document.querySelectorAll('dd')].map(e => [e.id, e.textContent]))"
os.chdir(TMP)


def numbers(page):
    """What the page shows, as numbers; the memory in use and all of it."""
    shown = page.value(SHOWN)
    used, all_of_it = shown["memory"].removesuffix(" MiB").split(" of ")
    return {"uptime": float(shown["uptime"].removesuffix(" s")), "used": float(used), "memory": float(all_of_it),
            **{k: int(shown[k]) for k in ("threads", "connections", "requests")}}


with Browser() as browser:
    shutil.copytree(f"{TOP}/examples/httpd-zig", "httpd", ignore=shutil.ignore_patterns(".zig-cache", "zig-out"))
    subprocess.run([ZUK, "build", "--zig", ZIG, "-Doptimize=ReleaseSmall", "httpd", "-o", "httpd.elf"], check=True,
                   timeout=250, stdin=subprocess.DEVNULL)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    began = time.monotonic()
    server = subprocess.Popen([ZUK, "run", "--timeout", "200", "-m", "48M", "-p", f"127.0.0.1:{port}:8080", "httpd.elf"],
                              stdin=subprocess.DEVNULL)
    try:
        for _ in range(300):  # QEMU takes a connection before the guest is there
            try:
                page = browser.open(f"http://127.0.0.1:{port}/")
                break
            except OSError:
                time.sleep(0.1)
        check(page.until("document.querySelector('#uptime').textContent !== '?'"), "the script shows the uptime")
        first, since = numbers(page), time.monotonic() - began
        check(0 < first["uptime"] <= since + 1, f"up for {first['uptime']} s, started {since:.1f} s ago")
        check(40 < first["memory"] <= 48 and 0 < first["used"] < first["memory"], f"the machine's memory: {first}")
        check(first["threads"] == first["connections"] + 1 and 1 <= first["connections"] <= 6,
              f"a thread for each connection: {first}")
        check(first["requests"] == len(page.asked), f"requests {first['requests']}, made {page.asked}")
        check(page.hidden("h1, p, dt, dd") == [], f"{page.hidden('h1, p, dt, dd')}")
        check(page.inked("h1") and page.inked("#memory"), "words are drawn")
        check(page.until(f"parseFloat(document.querySelector('#uptime').textContent) > {first['uptime'] + 1.5}"),
              "it goes on by itself")
        later = numbers(page)
        check(later["requests"] >= first["requests"] + 2 and later["requests"] <= len(page.asked), f"{first}, {later}")
        check(not page.errors, f"{page.errors}")

        other = browser.open(f"http://127.0.0.1:{port}/", 360, 600)
        check(other.until("document.querySelector('#uptime').textContent !== '?'"), "in a second tab")
        second = numbers(other)
        check(second["uptime"] > later["uptime"] and second["requests"] >= later["requests"] + 2, f"{later}, {second}")
        check(other.value("document.documentElement.scrollWidth <= innerWidth") and
              other.hidden("h1, p, dt, dd") == [], "it fits a phone")
        check(set(page.asked + other.asked) == {f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/status"},
              f"{set(page.asked + other.asked)}")
    finally:
        server.terminate()
        check(server.wait(20) == 143, f"SIGTERM ends it: {server.returncode}")
    check(page.until("document.querySelector('#uptime').textContent === 'the server is gone'"), "it says who is gone")
finish()
