#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk new: both languages build and run at once, `zig build run` and `zig build
# test` go through the package; nothing is overwritten or left half-made.
# timeout: 600
set -eu
. tests/tool/expect.sh
cd "$TMP"
PATH="$TOP/build:$PATH"

run "$ZUK" new greet-er
status 0
says "zuk run greet-er"
check [ ! -s out ]
for f in build.zig build.zig.zon src/main.zig src/app.zig Kraftfile README.md .gitignore zuk/build.zig; do
    check [ -s "greet-er/$f" ]
done
check grep -q '^name: greet-er$' greet-er/Kraftfile
check grep -q '^spec: v0.6$' greet-er/Kraftfile
check [ "$(grep -rc '@NAME@\|@ID@\|@FINGERPRINT@' greet-er | grep -vc ':0$')" = 0 ]
run "$ZUK" run --zig "$ZIG" --timeout 60 greet-er -- one 'two words'
status 0
prints "Hello from greet-er, with 2 arguments"
prints "  two words"

cd greet-er # the project in this folder needs no name
run "$ZUK" run --zig "$ZIG" --timeout 60 -- three
status 0
prints "Hello from greet-er, with 1 argument"
cd ..

run "$TOP/tests/tool/package.sh" greet-er "$ZIG"
status 0

run "$ZUK" new --lang c "Ünter/c1"
status 0
run "$ZUK" run --zig "$ZIG" --timeout 60 "Ünter/c1" -- x
status 0
prints "Hello from c1, with 1 argument"

# refusals: what is there stays as it is
find greet-er -type f ! -path '*cache*' -exec cksum {} + | sort >before
run "$ZUK" new greet-er
status 1
says "'greet-er' is there already"
find greet-er -type f ! -path '*cache*' -exec cksum {} + | sort >after
check cmp before after
: >file
run "$ZUK" new file
status 1
check [ -f file ]
run "$ZUK" new file/below
status 1
ln -s nowhere dangling
run "$ZUK" new dangling
status 1
check [ -L dangling ]
for name in 9lives 'a b' 'ü' a.b "$(printf 'x%.0s' $(seq 33))"; do
    run "$ZUK" new "$name"
    status 2
    says "is no name"
done
run "$ZUK" new --lang rust x
status 2
run "$ZUK" new
status 2
run "$ZUK" new a b
status 2
run env ZUK_LIB="$TMP/none" "$ZUK" new lost
status 1
check [ ! -e lost ]
check [ -z "$(ls -d ./*.new-* 2>/dev/null)" ]
done_or_fail
