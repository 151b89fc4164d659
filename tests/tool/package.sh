#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The Zig package, by a local path.  package.sh PROJECT ZIG: run, arguments and
# test of a project that `zuk new` made, with that Zig; without arguments every
# Zig from 0.14 on.
# tier: full
# timeout: 1800
set -eu
[ $# = 0 ] || TMP="$TMP/package" && mkdir -p "$TMP"
. "$TOP/tests/tool/expect.sh"
PATH="$TOP/build:$PATH"

if [ $# = 0 ]; then
    cd "$TMP"
    "$ZUK" new any
    for version in $(sed -n 's/^\([0-9][^ ]*\) .*/\1/p' "$TOP/mk/zig.txt" | uniq); do
        case $version in 0.12.* | 0.13.*) continue ;; esac
        rm -rf any/.zig-cache
        command="$version"
        "$0" any "$("$TOP/mk/fetch-zig" "$version")" >log 2>&1 || { status=1 && cat log && fail "with Zig $version"; }
    done
    done_or_fail
fi

project=$1
zig=$2
cd "$project"
run "$zig" build run -- one 'two words'
status 0
prints "with 2 arguments"
prints "  two words"
run "$zig" build test
status 0
says "All 1 tests passed."

# a test that fails in the guest fails the build
cp src/app.zig ../app.kept
sed -i 's/"argument" else/"arguments" else/' src/app.zig
run "$zig" build test
status 1
says "plural"
cp ../app.kept src/app.zig

# built for another target: it builds, only the steps say no
run "$zig" build -Dtarget=aarch64-linux-musl
status 0
run "$zig" build run -Dtarget=aarch64-linux-musl
status 1
says "built for aarch64-linux-musl"

# without zuk on PATH; with the option's
run env PATH=/usr/bin:/bin "$zig" build run
status 1
says "./bootstrap"
sed -i 's/\.{ \.tests/.{ .zuk = b.option([]const u8, "zuk", "the program"), .tests/' build.zig
run env PATH=/usr/bin:/bin "$zig" build run "-Dzuk=$ZUK"
status 0
prints "with 0 arguments"
done_or_fail
