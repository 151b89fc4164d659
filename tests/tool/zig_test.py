#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk as the thing that runs tests: `zig test --test-cmd`, and `zig build test`,
# whose runner talks binary over the program's stdin and stdout, with the pinned
# Zig, with the versions named, or with --all.
# timeout: 400
# needs: qemu-system-x86_64
import os
import shutil
import subprocess
import sys

TOP, TMP, ZUK = (os.environ[name] for name in ("TOP", "TMP", "ZUK"))
TESTS = """\
const std = @import("std");
test "good" {
    try std.testing.expectEqual(@as(u32, 2), 1 + 1);
}
test "skipped" {
    return error.SkipZigTest;
}
test "of bytes" {
    // What a test prints on stderr is not the protocol's.
    std.debug.print("seen \\x00\\xff\\n", .{});
}
"""
BAD = """\
test "bad" {
    try std.testing.expectEqual(@as(u32, 3), 4);
}
test "dead" {
    var p: *allowzero volatile u8 = @ptrFromInt(0);
    _ = &p;
    p.* = 1;
}
test "after the dead" {}
"""
# 0.17 has no setExecCmd; a command with the artifact behind it does in all.
BUILD = """\
const std = @import("std");
pub fn build(b: *std.Build) void {
    const target = b.resolveTargetQuery(.{ .cpu_arch = .x86_64, .os_tag = .linux, .abi = .musl });
    const optimize = b.standardOptimizeOption(.{});
    const file = b.option([]const u8, "file", "source") orelse "good.zig";
    const Options = std.Build.TestOptions;
    const tests = b.addTest(if (!@hasField(Options, "root_module")) .{
        .root_source_file = b.path(file),
        .target = target,
        .optimize = optimize,
    } else .{ .root_module = b.createModule(.{
        .root_source_file = b.path(file),
        .target = target,
        .optimize = optimize,
    }) });
    const run = if (@hasDecl(std.Build.Step.Compile, "setExecCmd")) run: {
        tests.setExecCmd(&.{ "zuk", "exec", null });
        break :run b.addRunArtifact(tests);
    } else run: {
        const run = b.addSystemCommand(&.{ "zuk", "exec" });
        run.addArtifactArg(tests);
        run.enableTestRunnerMode();
        break :run run;
    };
    b.step("test", "in the guest").dependOn(&run.step);
}
"""
failed = 0


def zig_of(version):
    r = subprocess.run([f"{TOP}/mk/fetch-zig", version], check=True, stdout=subprocess.PIPE, timeout=600)
    return r.stdout.decode().strip()


def run(argv, folder):
    env = dict(os.environ, PATH=f"{os.path.dirname(ZUK)}:{os.environ['PATH']}")
    env.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.expanduser("~/.cache/zig"))
    r = subprocess.run(argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=300)
    return r.returncode, r.stdout.decode(errors="replace")


def expect(what, argv, folder, good, *texts):
    global failed
    status, out = run(argv, folder)
    missing = [t for t in texts if t not in out]
    if (status == 0) == good and not missing:
        return
    failed += 1
    print(f"FAILED: {what}: status {status}, lacks {missing}\n  $ {' '.join(argv)}\n{out[-4000:]}")


def one(version, zig):
    folder = f"{TMP}/{version}"
    os.mkdir(folder)
    for name, text in (("good.zig", TESTS), ("bad.zig", TESTS + BAD), ("build.zig", BUILD)):
        with open(f"{folder}/{name}", "w") as f:
            f.write(text)
    test = [zig, "test", "-target", "x86_64-linux-musl", "--test-cmd", "zuk", "--test-cmd", "exec",
            "--test-cmd-bin"]
    expect(f"{version}: zig test", [*test, "good.zig"], folder, True, "2 passed; 1 skipped; 0 failed")
    expect(f"{version}: zig test of a bad one", [*test, "bad.zig"], folder, False,
           "expected 3, found 4", "bad.zig:13", "bad.zig:18")
    build = [zig, "build", "test", "--summary", "all"]
    expect(f"{version}: zig build test", build, folder, True, "1 skip", "seen ")
    expect(f"{version}: zig build test of a bad one", [*build, "-Dfile=bad.zig"], folder, False,
           "bad.test.bad", "expected 3, found 4", "bad.test.dead", "bad.zig:18")
    shutil.rmtree(folder)


def main():
    with open(f"{TOP}/mk/zig.txt") as f:
        others = sorted({line.split()[0] for line in f if line[0].isdigit()})
    versions = others if sys.argv[1:] == ["--all"] else sys.argv[1:]
    for version in versions:
        one(version, zig_of(version))
    if not versions:
        one("pinned", os.environ["ZIG"])
    return 1 if failed else 0


sys.exit(main())
