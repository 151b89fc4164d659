//! A static library that lacks a function, for any Zig from 0.12 on.
const std = @import("std");

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});
    const source = b.path("src/main.zig");

    const library = if (comptime @hasDecl(std.Build, "addLibrary"))
        b.addLibrary(.{
            .name = "missing",
            .linkage = .static,
            .root_module = b.createModule(.{
                .root_source_file = source,
                .target = target,
                .optimize = optimize,
                .link_libc = true,
            }),
        })
    else // Zig 0.12 and 0.13
        b.addStaticLibrary(.{
            .name = "missing",
            .root_source_file = source,
            .target = target,
            .optimize = optimize,
            .link_libc = true,
        });
    b.installArtifact(library);
}
