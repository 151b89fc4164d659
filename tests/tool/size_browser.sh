#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The page of `zuk size --html` in headless Chromium: it is drawn, and asks for
# nothing.
# timeout: 200
set -eu
. tests/tool/expect.sh
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "no Chromium on PATH"
    exit 77
}
c app <<'C'
int main(void) { return 0; }
C
cd "$TMP"
run "$ZUK" build app.o -o app.elf
run "$ZUK" size --html page.html app.elf
status 0
run "$browser" --headless --no-sandbox --disable-gpu --dump-dom "file://$TMP/page.html"
status 0
check [ "$(grep -c '<div' out)" -gt 20 ]
run "$browser" --headless --no-sandbox --disable-gpu --screenshot=page.png "file://$TMP/page.html"
status 0
check [ -s page.png ]
done_or_fail
