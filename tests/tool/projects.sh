#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Folders: one artifact, several, none; a build that fails; no target option;
# options passed on; undefined/*.c and undefined/*.zig.
# timeout: 600
set -eu
. tests/tool/expect.sh
cd "$TMP"

project() { # NAME, build.zig on stdin
    mkdir -p "$1"
    cat >"$1/build.zig"
    printf 'extern "c" fn puts(s: [*:0]const u8) c_int;\nexport fn main() c_int {\n    _ = puts("%s");\n    return 0;\n}\n' "$1" >"$1/main.zig"
}
lib() { # VARIABLE NAME
    cat <<Z
    const $1 = b.addLibrary(.{ .name = "$2", .linkage = .static, .root_module = b.createModule(.{
        .root_source_file = b.path("main.zig"), .target = target, .optimize = optimize, .link_libc = true }) });
    b.installArtifact($1);
Z
}
top='const std = @import("std");
pub fn build(b: *std.Build) void {'
options='    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});'

{ echo "$top"; echo "$options"; lib l one; echo '}'; } | project one
run "$ZUK" build --zig "$ZIG" one -o one.elf
status 0
run "$ZUK" run --timeout 60 one.elf
status 0
prints one

# built and run at once; nothing but zig's cache appears in the folder
run "$ZUK" run --zig "$ZIG" --timeout 60 one
status 0
prints one
check [ ! -e one/zig-out ]
check [ ! -e one-x86_64.elf ]

{ echo "$top"; echo "$options"; lib l first; lib m second; echo '}'; } | project two
run "$ZUK" build --zig "$ZIG" two -o image.elf
status 1
says "2 artifacts"
says libfirst.a
says libsecond.a
says --artifact
check [ ! -e image.elf ]
run "$ZUK" run --zig "$ZIG" --timeout 60 --artifact second two
status 0
prints two
run "$ZUK" build --zig "$ZIG" --artifact third two -o image.elf
status 1
says third

{ echo "$top"; echo "    _ = b;"; echo '}'; } | project none
run "$ZUK" build --zig "$ZIG" none -o image.elf
status 1
says "installs no"

{ echo "$top"; echo "    this is not zig"; echo '}'; } | project broken
run "$ZUK" build --zig "$ZIG" broken -o image.elf
status 1
says "build.zig:3"
says "'zig build' failed"
check [ ! -e image.elf ]

{ echo "$top"; echo "$options"; lib l compile; echo '}'; } | project compile
echo 'export fn main() c_int { return undeclared; }' >compile/main.zig
run "$ZUK" build --zig "$ZIG" compile -o image.elf
status 1
says "undeclared identifier"
check [ "$(tail -n 3 err | grep -c 'zuk: error:')" = 1 ]

{ echo "$top"
  echo '    const target = b.graph.host; const optimize: @TypeOf(b.standardOptimizeOption(.{})) = b.standardOptimizeOption(.{});'
  lib l notarget; echo '}'; } | project notarget
run "$ZUK" build --zig "$ZIG" notarget -o image.elf
# built for the host: glibc's objects may or may not do; never a broken image
if [ "$status" = 0 ]; then
    run "$ZUK" run --timeout 60 image.elf
    status 0
    prints notarget
else
    status 1
    says target
fi
rm -f image.elf

{ echo "$top"; echo "$options"
  echo '    const o = b.addOptions(); o.addOption([]const u8, "word", b.option([]const u8, "word", "") orelse "default");'
  lib l given; echo '    l.root_module.addOptions("given", o);'; echo '}'; } | project given
cat >given/main.zig <<'Z'
const given = @import("given");
extern "c" fn printf(f: [*:0]const u8, ...) c_int;
export fn main() c_int {
    _ = printf("%.*s\n", @as(c_int, given.word.len), given.word.ptr);
    return 0;
}
Z
run "$ZUK" run --zig "$ZIG" --timeout 60 -Dword=passed given
status 0
prints passed

# overrides
cp -r "$TOP/examples/missing" override
run "$ZUK" run --zig "$ZIG" --timeout 60 override
status 3
says "database_open"
prints "Before the call."
mkdir override/undefined
echo 'void *database_open(const char *path) { return (void *)path; }' >override/undefined/database.c
run "$ZUK" run --zig "$ZIG" --timeout 60 override
status 0
lacks database_open
rm override/undefined/database.c
echo 'export fn database_open(path: [*:0]const u8) ?*const anyopaque { return path; }' >override/undefined/database.zig
run "$ZUK" run --zig "$ZIG" --timeout 60 override
status 0
lacks database_open
echo 'this is not zig' >override/undefined/database.zig
run "$ZUK" run --zig "$ZIG" --timeout 60 override
status 1
says "database.zig"

run "$ZUK" build --zig ./no-such-zig one -o image.elf
status 1
says no-such-zig
run "$ZUK" build one one/main.zig -o image.elf
status 1
done_or_fail
