#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# The picture of `zuk run --profile` in Chromium: the time line and the flame graph are
# drawn, each label lies on its bar, no errors, nothing is asked for.
# timeout: 200
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402
from checks import TMP, ZIG, ZUK, check, finish  # noqa: E402

os.chdir(TMP)
with Browser() as browser:
    with open("app.c", "w", encoding="utf-8") as f:
        f.write("#include <unistd.h>\nstatic volatile long sum;\n"
                "__attribute__((noinline)) static void burn(long n) { while (n--) sum += n; }\n"
                "__attribute__((noinline)) static void outer(void) { burn(20000000); sum++; }\n"
                "int main(void) { static char b[60000]; int p[2]; pipe(p); outer();\n"
                "for (int i = 0; i < 500; i++) { write(p[1], b, sizeof b); read(p[0], b, sizeof b); } return 0; }\n")
    subprocess.run([ZIG, "cc", "-target", "x86_64-linux-musl", "-g", "-O1", "-fno-sanitize=all", "-c", "app.c"],
                   check=True)
    ran = subprocess.run([ZUK, "run", "--accel", "tcg", "--json", "--profile=p.svg", "app.o"], timeout=100,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    profile = json.loads(ran.stderr.splitlines()[-1])["profile"]
    page = browser.open(f"file://{TMP}/p.svg")
    check(page.value("document.documentElement.localName") == "svg", "a drawing, not an error page")
    check(not page.errors and len(page.asked) == 1, f"{page.errors}, {page.asked}")
    # Labels stand on the bars, which take the mouse as well.
    lost = page.value("""[...document.querySelectorAll('text')].filter(e => {
        const r = e.getBoundingClientRect(), at = document.elementsFromPoint(r.x + 2, r.y + r.height / 2);
        return r.width < 1 || r.x < 0 || r.right > innerWidth || !at.includes(e); }).map(e => e.textContent)""")
    check(lost == [], f"labels that are not to be seen: {lost}")
    spilt = page.value("""[...document.querySelectorAll('rect')].filter(r => {
        const t = r.parentNode.localName === 'g' && r.parentNode.querySelector('text');
        return t && t.getBoundingClientRect().right > r.getBoundingClientRect().right + 1; }).length""")
    check(spilt == 0, f"{spilt} labels are wider than their bars")
    bars = page.value("""Object.fromEntries([...document.querySelectorAll('rect')].map(r => {
        const t = r.querySelector('title') || r.parentNode.querySelector(':scope > title');
        const b = r.getBoundingClientRect();
        return [t ? t.textContent.split(' (')[0] : '', [b.x, b.y, b.width, b.height, getComputedStyle(r).fill]]; }))""")
    functions = {f["name"]: f for f in profile["functions"]}
    for name in ("main", "outer", "burn"):
        check(name in bars, f"{name} has no bar: {sorted(bars)}")
    if "main" in bars and "burn" in bars and "outer" in bars:
        wanted = functions["burn"]["total_ms"] / functions["main"]["total_ms"]
        seen = bars["burn"][2] / bars["main"][2]
        check(abs(seen - wanted) < .05, f"burn has {seen:.2f} of main's width, {wanted:.2f} of its time")
        check(bars["burn"][1] < bars["outer"][1] < bars["main"][1], "who calls stands below")
        for name in ("burn", "main"):
            x, y, width, height, fill = bars[name]
            drawn = page.pixels(x + width - 3, y + height / 2)[0][0]
            check("rgb(%d, %d, %d)" % drawn == fill, f"{name} is drawn {drawn}, not {fill}")
    check(page.inked("text"), "words are drawn")
finish()
