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

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import TMP, ZIG, check, finish, zuk  # noqa: E402

os.chdir(TMP)

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
    check(not parts or sum(c["size"] for c in parts) == node["size"],
          f"{node['name']}: its parts are {sum(c['size'] for c in parts)}, not {node['size']}")
    check([c["size"] for c in parts] == sorted((c["size"] for c in parts), reverse=True),
          f"{node['name']}: largest first")
    for c in parts:
        add_up(c)


def at(node, *path):
    for name in path:
        found = [c for c in node.get("children", []) if c["name"] == name]
        if not found:
            check(False, f"{path} is in the tree: {[c['name'] for c in node.get('children', [])]}")
            return {"size": 0, "before": 0}
        node = found[0]
    return node


tree = json.loads(zuk("size", "--json", "small.elf").stdout)
check(tree["size"] == os.path.getsize("small.elf"), "the whole is the file")
add_up(tree)
check({c["name"] for c in tree["children"]} >= {"app", "kernel", "manifest", "headers"}, "five parts")
own = at(tree, "app", "the app's own")
check(any(f["name"] == "work" for u in own.get("children", [])
                                   for f in u.get("children", [])), "work is the app's own")
check(at(tree, "app", "libc")["size"] > 1000, "printf's is libc's")
check(at(tree, "kernel", "mm")["size"] > 500, "the kernel's rooms")
check(at(tree, "kernel", "mm", "area.c")["size"] > 100, "memory is found")
words = zuk("size", "small.elf").stdout
check("kernel" in words and "100.0 %" in words, "a table")

diff = json.loads(zuk("size", "--json", "--diff", "small.elf", "large.elf").stdout)
table = at(diff, "app", "data", "table")
check(table["size"] >= 4900 and table["before"] == 0, f"the table is new: {table}")
check(at(diff, "kernel")["size"] == at(diff, "kernel")["before"], "the kernel is the same")
words = zuk("size", "--diff", "small.elf", "large.elf").stdout
check("table" in words and "kernel" not in words, f"the table is in the difference: {words}")
check("of the same size" in zuk("size", "--diff", "small.elf", "small.elf").stdout, "no difference")


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.boxes, self.outside = [], 0, []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.outside += [v for k, v in attrs.items() if k in ("src", "href")]
        self.boxes += tag == "div" and "title" in attrs
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, f"</{tag}> closes {self.open[-1:]}")


zuk("size", "--html", "page.html", "small.elf")
with open("page.html", encoding="utf-8") as f:
    text = f.read()
page = Page()
page.feed(text)
check(not page.open, f"all is closed: {page.open}")
check(not page.outside and "http" not in text, f"nothing from outside: {page.outside}")
check(page.boxes > 30, f"a map of {page.boxes} boxes")
check("</small> work</li>" in text, "the tree has functions")

zuk("build", "--strip", "small.o", "-o", "bare.elf")
bare = json.loads(zuk("size", "--json", "bare.elf").stdout)
add_up(bare)
check(at(bare, "app", "the app's own")["size"] > 0, "a stripped image has names from beside it")

info = json.loads(zuk("inspect", "--json", "small.elf").stdout)
check(info["name"] == "small" and "CORE" in info["options"].split()
      and info["arguments"] == ["small"] and "musl: MIT" in info["licences"], f"{info}")
check("segment" in zuk("inspect", "small.elf").stdout, "inspect tells segments")
zuk("build", "--missing", "fork=ignore", "-e", "A=b", "small.o", "-o", "p.elf", "--", "x y")
words = zuk("inspect", "p.elf").stdout
check("fork: ignore" in words and "A=b" in words and "x y" in words, f"{words}")

for verb in ("size", "inspect"):
    check("is no image" in zuk(verb, "small.o", status=1).stderr, "no image")
    zuk(verb, status=2)
    zuk(verb, "small.elf", "large.elf", status=2)
with open("small.elf", "rb") as f:
    data = f.read()
for cut in (100, 5000, len(data) // 2, len(data) - 1):
    with open("cut.elf", "wb") as f:
        f.write(data[:cut])
    zuk("size", "cut.elf", status=1)

finish()
