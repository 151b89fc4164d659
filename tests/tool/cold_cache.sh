#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A first run with empty caches that lie below the current folder (a home
# directory, say): Zig names its files relative to it then.
# timeout: 600
set -eu
. tests/tool/expect.sh
c tiny <<'C'
int main(void) { return 7; }
C
unset ZIG_GLOBAL_CACHE_DIR
cd "$TMP"
run "$ZUK" build tiny.o -o tiny.elf
status 0
says "asking Zig for its C library"
run "$ZUK" build tiny.o -o again.elf
status 0
lacks "asking Zig"
run "$ZUK" run tiny.elf
status 7
done_or_fail
