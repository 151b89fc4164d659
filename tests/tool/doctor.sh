#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk doctor: this machine is ready (or the other tests could not run), and
# each thing that is taken away is found, with what to do.
# needs: python3
set -eu
. tests/tool/expect.sh
cd "$TMP"

run "$ZUK" doctor -q
status 0
prints "This machine is ready."
prints "QEMU"
check [ ! -s err ]

json() { # EXPRESSION over `d`: findings by name
    python3 -c '
import json, sys
all = json.load(open("out"))
d = {x["what"]: x for x in all["findings"]}
sys.exit(0 if eval(sys.argv[1]) else 1)' "$1" || fail "not true: $1"
}
run "$ZUK" doctor --json
status 0
json 'all["ready"] is True'
json 'd["QEMU"]["state"] == "ok" and d["kernel"]["state"] == "ok"'

bad() { # WHAT TEXT VARIABLE=VALUE...
    what=$1
    text=$2
    shift 2
    run env "$@" "$ZUK" doctor --json
    status 1
    json "all['ready'] is False and d['$what']['state'] == 'BAD'"
    json "'$text' in d['$what']['hint']"
}
bad QEMU "qemu-system-x86" ZUK_QEMU=./none
printf '#!/bin/sh\necho QEMU emulator version 4.2.1\n' >old
chmod +x old
bad QEMU "6.2 or newer" ZUK_QEMU=./old
printf '#!/bin/sh\nexit 3\n' >broken
chmod +x broken
bad QEMU "6.2 or newer" ZUK_QEMU=./broken
bad "pinned Zig" "./bootstrap" ZUK_ZIG=./none
bad "pinned Zig" "./bootstrap" ZUK_ZIG=./broken
bad kernel "./bootstrap" ZUK_LIB=./none
mkdir empty
bad kernel "./bootstrap" ZUK_LIB=./empty

# no place for the cache: it says so, and works
run env -u XDG_CACHE_HOME -u HOME "$ZUK" doctor --json
status 0
json 'd["cache"]["state"] == "note" and "XDG_CACHE_HOME" in d["cache"]["hint"]'
run "$ZUK" doctor more
status 2
done_or_fail
