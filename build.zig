//! zuk for the build.zig of others: `zig build run` boots an artifact as a
//! unikernel, `zig build test` runs tests in one.  For Zig 0.14 and newer.
//!
//!     const zuk = @import("zuk");
//!     const target = b.standardTargetOptions(.{ .default_target = zuk.target });
//!     ...
//!     b.installArtifact(artifact);
//!     _ = zuk.addUnikernel(b, artifact, .{});
//!
//! zuk itself, a C program, is built by ./bootstrap.
const std = @import("std");
const Step = std.Build.Step;

/// What an image is made of.  An artifact for another target can still be
/// built; only its run step fails.
pub const target: std.Target.Query = .{ .cpu_arch = .x86_64, .os_tag = .linux, .abi = .musl };

pub const Options = struct {
    /// The zuk program; null: the one on PATH.
    zuk: ?[]const u8 = null,
    /// Options for `zuk run`, `&.{ "-m", "256M" }`.
    options: []const []const u8 = &.{},
    /// Names of the steps; null: none.
    run_step: ?[]const u8 = "run",
    test_step: ?[]const u8 = "test",
    /// What the test step runs in the guest; null: the tests of the artifact's
    /// root module.  An `export fn main` there would meet the tests' own: put
    /// what is tested into a module of its own and name its addTest here.
    tests: ?*Step.Compile = null,
};

pub const Unikernel = struct {
    /// Boots the artifact with what follows `--`; to add options or
    /// dependencies.  Null: it cannot be run, and the step says why.
    run: ?*Step.Run,
    tests: ?*Step.Run,
};

pub fn addUnikernel(b: *std.Build, artifact: *Step.Compile, options: Options) Unikernel {
    var result: Unikernel = .{ .run = null, .tests = null };
    if (options.run_step) |name| {
        const step = b.step(name, b.fmt("Boot {s} as a unikernel", .{artifact.name}));
        result.run = command(b, step, "run", artifact, options);
        if (result.run) |run| {
            run.addArg("--");
            if (comptime @hasDecl(Step.Run, "addPassthruArgs")) {
                run.addPassthruArgs();
            } else if (b.args) |args| {
                run.addArgs(args);
            }
        }
    }
    if (options.test_step) |name| {
        const module = artifact.root_module;
        const tests = options.tests orelse
            if (module.root_source_file != null) b.addTest(.{ .root_module = module }) else null;
        if (tests) |compile| {
            const step = b.step(name, b.fmt("Run the tests of {s} in a unikernel", .{artifact.name}));
            result.tests = command(b, step, "exec", compile, options);
        }
    }
    return result;
}

/// A run of `zuk VERB OPTIONS ARTIFACT`, hung on the step.
fn command(b: *std.Build, step: *Step, verb: []const u8, artifact: *Step.Compile, options: Options) ?*Step.Run {
    const resolved = artifact.root_module.resolved_target.?.result;
    if (resolved.cpu.arch != .x86_64 or resolved.os.tag != .linux or resolved.abi.isGnu()) {
        step.dependOn(&b.addFail(b.fmt(
            "{s} is built for {s}-{s}-{s}: pass -Dtarget=x86_64-linux-musl, or give b.standardTargetOptions zuk.target as default_target",
            .{ artifact.name, @tagName(resolved.cpu.arch), @tagName(resolved.os.tag), @tagName(resolved.abi) },
        )).step);
        return null;
    }
    const program = options.zuk orelse find(b) orelse {
        step.dependOn(&b.addFail("zuk is not on PATH: run ./bootstrap in zuk's source folder and `make install` there, or set .zuk in addUnikernel").step);
        return null;
    };
    const run = b.addSystemCommand(&.{ program, verb });
    if (std.mem.eql(u8, verb, "exec")) run.addArg("-q"); // the runner of tests tells how far it is
    run.setName(b.fmt("zuk {s} {s}", .{ verb, artifact.name }));
    run.addArgs(options.options);
    run.addArtifactArg(artifact);
    step.dependOn(&run.step);
    return run;
}

fn find(b: *std.Build) ?[]const u8 {
    if (comptime @hasDecl(Step, "FindProgram")) { // 0.17
        return b.findProgram(.{ .names = &.{"zuk"} });
    }
    return b.findProgram(&.{"zuk"}, &.{}) catch null;
}

pub fn build(b: *std.Build) void {
    b.getInstallStep().dependOn(&b.addFail("zuk is built by ./bootstrap; this build.zig is for those that import it").step);
}
