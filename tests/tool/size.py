#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk size and zuk inspect: the sizes of every node add up to the file's, a
# difference is where the change was made, the page is whole and needs nothing
# from outside.
# timeout: 200
import html.parser
import json
import os
import subprocess
import sys

ZUK, ZIG, TMP = (os.environ[k] for k in ("ZUK", "ZIG", "TMP"))
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
os.environ["XDG_CACHE_HOME"] = f"{TMP}/cache"
os.chdir(TMP)
failed = 0


def check(what, value):
    global failed
    if not value:
        failed += 1
        print(f"FAILED: {what}")


def zuk(*argv, status=0):
    r = subprocess.run([ZUK, *argv], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                       timeout=100)
    check(f"zuk {argv}: status {r.returncode}, {r.stderr}", r.returncode == status)
    return r


for name, extra in (("small", ""), ("large", "char table[5000] = {1};\n")):
    with open(f"{name}.c", "w", encoding="utf-8") as f:
        f.write(f"#include <stdio.h>\n{extra}"
                "__attribute__((noinline)) int work(int n) { return printf(\"%d\\n\", n); }\n"
                "int main(int n, char **v) { (void)v; return work(n) < 0"
                + (" || table[n]" if extra else "") + "; }\n")
    subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-g", "-O1", "-fno-sanitize=all",
                    "-c", f"{name}.c"], check=True, timeout=150)
    zuk("build", f"{name}.o", "-o", f"{name}.elf")


def add_up(node):
    parts = node.get("children", [])
    check(f"{node['name']}: its parts are {sum(c['size'] for c in parts)}, not {node['size']}",
          not parts or sum(c["size"] for c in parts) == node["size"])
    check(f"{node['name']}: largest first",
          [c["size"] for c in parts] == sorted((c["size"] for c in parts), reverse=True))
    for c in parts:
        add_up(c)


def at(node, *path):
    for name in path:
        found = [c for c in node.get("children", []) if c["name"] == name]
        if not found:
            check(f"{path} is in the tree: {[c['name'] for c in node.get('children', [])]}", False)
            return {"size": 0, "before": 0}
        node = found[0]
    return node


tree = json.loads(zuk("size", "--json", "small.elf").stdout)
check("the whole is the file", tree["size"] == os.path.getsize("small.elf"))
add_up(tree)
check("five parts", {c["name"] for c in tree["children"]} >= {"app", "kernel", "manifest", "headers"})
own = at(tree, "app", "the app's own")
check("work is the app's own", any(f["name"] == "work" for u in own.get("children", [])
                                   for f in u.get("children", [])))
check("printf's is libc's", at(tree, "app", "libc")["size"] > 1000)
check("the kernel's rooms", at(tree, "kernel", "mm")["size"] > 500)
check("memory is found", at(tree, "kernel", "mm", "area.c")["size"] > 100)
words = zuk("size", "small.elf").stdout
check("a table", "kernel" in words and "100.0 %" in words)

diff = json.loads(zuk("size", "--json", "--diff", "small.elf", "large.elf").stdout)
table = at(diff, "app", "data", "table")
check(f"the table is new: {table}", table["size"] >= 4900 and table["before"] == 0)
check("the kernel is the same", at(diff, "kernel")["size"] == at(diff, "kernel")["before"])
words = zuk("size", "--diff", "small.elf", "large.elf").stdout
check(f"the table is in the difference: {words}", "table" in words and "kernel" not in words)
check("no difference", "of the same size" in zuk("size", "--diff", "small.elf", "small.elf").stdout)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.boxes, self.outside = [], 0, []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.outside += [v for k, v in attrs.items() if k in ("src", "href")]
        self.boxes += tag == "div" and "title" in attrs
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(f"</{tag}> closes {self.open[-1:]}", self.open and self.open.pop() == tag)


zuk("size", "--html", "page.html", "small.elf")
with open("page.html", encoding="utf-8") as f:
    text = f.read()
page = Page()
page.feed(text)
check(f"all is closed: {page.open}", not page.open)
check(f"nothing from outside: {page.outside}", not page.outside and "http" not in text)
check(f"a map of {page.boxes} boxes", page.boxes > 30)
check("the tree has functions", "work <b>" in text)

zuk("build", "--strip", "small.o", "-o", "bare.elf")
bare = json.loads(zuk("size", "--json", "bare.elf").stdout)
add_up(bare)
check("a stripped image has names from beside it", at(bare, "app", "the app's own")["size"] > 0)

info = json.loads(zuk("inspect", "--json", "small.elf").stdout)
check(f"{info}", info["name"] == "small" and "CORE" in info["options"].split()
      and info["arguments"] == ["small"] and "musl: MIT" in info["licences"])
check("inspect tells segments", "segment" in zuk("inspect", "small.elf").stdout)
zuk("build", "--missing", "fork=ignore", "-e", "A=b", "small.o", "-o", "p.elf", "--", "x y")
words = zuk("inspect", "p.elf").stdout
check(f"{words}", "fork: ignore" in words and "A=b" in words and "x y" in words)

for verb in ("size", "inspect"):
    check("no image", "is no image" in zuk(verb, "small.o", status=1).stderr)
    zuk(verb, status=2)
    zuk(verb, "small.elf", "large.elf", status=2)
with open("small.elf", "rb") as f:
    data = f.read()
for cut in (100, 5000, len(data) // 2, len(data) - 1):
    with open("cut.elf", "wb") as f:
        f.write(data[:cut])
    zuk("size", "cut.elf", status=1)

sys.exit(1 if failed else 0)
