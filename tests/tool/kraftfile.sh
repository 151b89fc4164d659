#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A Kraftfile beside build.zig: what it says is done, under the command line and
# .config; what has no meaning here is said; errors name line, column and key.
# timeout: 400
set -eu
. tests/tool/expect.sh
mkdir -p "$TMP/project/src" "$TMP/project/files"
cd "$TMP/project"
cat >build.zig <<'Z'
const std = @import("std");
pub fn build(b: *std.Build) void {
    const exe = b.addExecutable(.{ .name = "app", .root_module = b.createModule(.{
        .target = b.standardTargetOptions(.{}),
        .optimize = .ReleaseSmall,
        .link_libc = true,
    }) });
    exe.root_module.addCSourceFile(.{ .file = b.path("src/main.c") });
    b.installArtifact(exe);
}
Z
cat >src/main.c <<'C'
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    char line[64] = "none";
    FILE *f = fopen("/motd", "r");
    if (f && !fgets(line, sizeof line, f)) return 1;
    printf("%s argc %d, last '%s', A=%s, motd %s\n", argv[0], argc, argv[argc - 1],
           getenv("A") ? getenv("A") : "?", line);
    return 0;
}
C
echo "of the Kraftfile" >files/motd
cat >Kraftfile <<'K'
spec: v0.6
name: demo
unikraft:
  version: stable
  kconfig:
    CONFIG_LIBUKALLOC: 'y'
    CONFIG_POLL: 'y'
libraries:
  musl: stable
targets:
- fc/arm64
- qemu/x86_64
cmd: [one, "two words"]
env:
  A: kraft
rootfs: ./files
K

run "$ZUK" build --zig "$ZIG" .
status 0
says "Kraftfile: without a meaning here: unikraft.version (line 4), kconfig CONFIG_LIBUKALLOC (line 6), libraries (line 8), target fc/arm64 (line 11)"
check [ -s demo-x86_64.elf ]
check grep -qx 'CONFIG_POLL=y' demo-x86_64.elf.config
check grep -q 'Kraftfile:7:5 says so' demo-x86_64.elf.config
run "$ZUK" run demo-x86_64.elf
status 0
prints "demo argc 3, last 'two words', A=kraft, motd of the Kraftfile"

# the command line wins, part by part
run "$ZUK" run --zig "$ZIG" -e A=mine . -- three
status 0
prints "argc 2, last 'three', A=mine, motd of the Kraftfile"
run "$ZUK" run --zig "$ZIG" .
status 0
prints "argc 3, last 'two words', A=kraft"
run "$ZUK" config why POLL --zig "$ZIG" --set POLL=n
status 0
prints "CONFIG_POLL=n  --set says so"
prints "Kraftfile:7:5 says y, which --set overrules"
echo 'CONFIG_EPOLL=y' >.config
run "$ZUK" build --zig "$ZIG" . -o demo.elf
status 0
check grep -qx 'CONFIG_EPOLL=y' demo.elf.config

# a changed Kraftfile is seen, and the app is not built anew
sed -i 's/CONFIG_POLL.*/CONFIG_TIMERFD: y/' Kraftfile
run "$ZUK" build -v --zig "$ZIG" . -o demo.elf
status 0
says "demo.elf.zuk/"
check grep -qx 'CONFIG_TIMERFD=y' demo.elf.config

# the older names of the file
mv Kraftfile kraft.yaml
run "$ZUK" config why TIMERFD --zig "$ZIG"
prints "kraft.yaml:7:5 says so"
mv kraft.yaml Kraftfile

# errors: all of them, with places
printf 'spec: v0.6\nnmae: x\ncmd: {a: b}\nports: [a:b]\n' >Kraftfile
run "$ZUK" run --zig "$ZIG" .
status 1
says "Kraftfile:2:1: there is no key 'nmae'"
says "did you mean 'name'?"
says "Kraftfile:3:6: cmd is a list of arguments, not a map"
check [ ! -s "$TMP/out" ]
printf 'ports: [a:b]\n' >Kraftfile
run "$ZUK" run --zig "$ZIG" .
status 1
says "Kraftfile:1:9: port 'a:b' is not"
printf 'x: &a [*a]\n' >Kraftfile
run "$ZUK" build --zig "$ZIG" .
status 1
says "Kraftfile:1:8: *a stands for what it is a part of"
printf 'rootfs: nowhere\n' >Kraftfile
run "$ZUK" build --zig "$ZIG" .
status 1
says "nowhere"
done_or_fail
