//! An executable without libc, for any Zig from 0.12 on.
const std = @import("std");

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});
    const source = b.path("src/main.zig");

    const exe = if (comptime @hasDecl(std.Build, "addLibrary"))
        b.addExecutable(.{
            .name = "cat",
            .root_module = b.createModule(.{
                .root_source_file = source,
                .target = target,
                .optimize = optimize,
            }),
        })
    else // Zig 0.12 and 0.13
        b.addExecutable(.{
            .name = "cat",
            .root_source_file = source,
            .target = target,
            .optimize = optimize,
        });
    b.installArtifact(exe);
}
