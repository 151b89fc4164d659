#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The page of `zuk size --html` in Chromium: areas are sizes, labels can be read, in a
# narrow window too; the map of the whole file and the tree open; a comparison has its
# colours; no errors, and nothing is asked for.
# timeout: 200
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402
from checks import TMP, ZIG, ZUK, check, finish  # noqa: E402

LABELS = "h1, label, #runs-map > div, #tree > li > details > summary, #tree > li > details > ul > li > details > summary"
os.chdir(TMP)


def zuk(*argv):
    return subprocess.run([ZUK, *argv], check=True, stdout=subprocess.PIPE, text=True, timeout=100).stdout


def area(page, map_id, name):
    """What part of the map that room's box has."""
    return page.value(f"""(() => {{
        const m = document.querySelector('#{map_id}').getBoundingClientRect();
        const e = [...document.querySelectorAll('#{map_id} > div')].find(e => e.title.startsWith('{name}: '));
        const r = e.getBoundingClientRect();
        return r.width * r.height / (m.width * m.height);
    }})()""")


def looks_well(page, what):
    check(not page.errors, f"{what}: {page.errors}")
    check(len(page.asked) == 1, f"{what} asks for {page.asked}")
    check(page.hidden(LABELS) == [], f"{what}: {page.hidden(LABELS)}")
    check(page.value("document.documentElement.scrollWidth <= innerWidth"), f"{what} is wider than its window")
    check(page.inked("h1") and page.inked("#runs-map > div"), f"{what}: words are drawn")


with Browser() as browser:
    for name, text in (("one", '#include <stdio.h>\nint main(void) { puts("x"); return 0; }\n'),
                       ("two", '#include <stdio.h>\nchar b[9999] = {1};\n'
                               'int main(void) { printf("%g", b[0] * 2.0); return 0; }\n')):
        with open(f"{name}.c", "w", encoding="utf-8") as f:
            f.write(text)
        subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-g", "-O1", "-c", f"{name}.c"], check=True)
        zuk("build", f"{name}.o", "-o", f"{name}.elf")
    zuk("size", "--html", "page.html", "one.elf")
    tree = json.loads(zuk("size", "--json", "one.elf"))
    parts = {c["name"]: c for c in tree["children"]}
    debug = next(c["size"] for c in parts["app"]["children"] if c["name"] == "debug information")

    page = browser.open(f"file://{TMP}/page.html")
    looks_well(page, "the page")
    check(page.value("document.querySelector('h1').textContent") == f"one.elf: {tree['size']} bytes", "the size")
    for name, size in (("kernel", parts["kernel"]["size"]), ("app", parts["app"]["size"] - debug)):
        seen, wanted = area(page, "runs-map", name), size / (tree["size"] - debug)
        check(abs(seen - wanted) < .02, f"the area of {name} is {seen:.3f}, its size {wanted:.3f}")
    inside = page.value("""[...document.querySelectorAll('#runs-map > div')].filter(e => {
        const r = e.getBoundingClientRect(), m = e.parentNode.getBoundingClientRect();
        return r.x < m.x - 1 || r.right > m.right + 1 || r.y < m.y - 1 || r.bottom > m.bottom + 1; })
        .map(e => e.title)""")
    check(inside == [], f"boxes outside of the map: {inside}")

    page.value("document.querySelector('#all').click()")
    check(page.value("getComputedStyle(document.querySelector('#runs-map')).display") == "none", "one map at a time")
    seen, wanted = area(page, "all-map", "app / debug information"), debug / tree["size"]
    check(abs(seen - wanted) < .05, f"the area of debug information is {seen:.3f}, its size {wanted:.3f}")
    before = page.value("document.querySelector('#tree').offsetHeight")
    page.value("document.querySelectorAll('#tree details').forEach(e => e.open = true)")
    check(page.value("document.querySelector('#tree').offsetHeight") > 3 * before, "the tree opens")
    check("main" in page.value("document.querySelector('#tree').innerText").split(), "the app's function is in it")

    looks_well(browser.open(f"file://{TMP}/page.html", 500, 700), "in a narrow window")

    zuk("size", "--html", "diff.html", "--diff", "one.elf", "two.elf")
    page = browser.open(f"file://{TMP}/diff.html")
    looks_well(page, "the comparison")
    x, y = page.value("""(() => {
        const r = [...document.querySelectorAll('#runs-map > div')].find(e => e.title.startsWith('app / data / b:'))
            .getBoundingClientRect();
        return [r.x + r.width / 2, r.y + r.height - 4];
    })()""")
    red, green, blue = page.pixels(x, y)[0][0]
    check(red > green + 50 and abs(green - blue) < 3, f"what grew is red: {red}, {green}, {blue}")
    check(" (+9999)" in page.value("document.querySelector('#runs-map').innerHTML"), "by how much it grew")
finish()
