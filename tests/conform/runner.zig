//! SPDX-License-Identifier: BSD-3-Clause
//!
//! The test runner of the scoreboard, for every Zig of mk/zig.txt: one line a
//! test, nothing skipped, filtered or loosened.
//!
//!   list              `INDEX NAME` of every test
//!   run FROM TO       the tests with these indices, TO excluded
//!
//! A test writes `start INDEX NAME` and then one of
//!
//!   pass INDEX
//!   skip INDEX
//!   leak INDEX        it passed, and left memory behind
//!   fail INDEX ERROR  or `fail INDEX N errors logged`
//!
//! on stdout, each in one write; `end` follows the last test.  The start line goes
//! to stderr too, before what the test itself prints there.  What is done before
//! and after a test is what Zig's own runner does.
const builtin = @import("builtin");
const std = @import("std");
const testing = std.testing;

pub const std_options: std.Options = .{ .logFn = log };

const has_init = @hasDecl(std.process, "Init"); // Zig 0.16
const safe_allocator = @hasDecl(std.heap, "SafeAllocator"); // Zig 0.17
const Init = if (has_init) std.process.Init.Minimal else void;

pub const main = if (has_init) mainInit else mainPlain;

var logged_errors: usize = 0;

fn mainInit(init: Init) void {
    work(init, init.args.vector);
}

fn mainPlain() void {
    work({}, std.os.argv);
}

fn work(init: Init, args: anytype) void {
    const verb = if (args.len > 1) std.mem.sliceTo(args[1], 0) else "";
    const tests = builtin.test_functions;
    if (std.mem.eql(u8, verb, "list") and args.len == 2) {
        for (tests, 0..) |t, i| line("", i, t.name);
    } else if (std.mem.eql(u8, verb, "run") and args.len == 4) {
        const from = number(std.mem.sliceTo(args[2], 0));
        const to = @min(number(std.mem.sliceTo(args[3], 0)), tests.len);
        for (tests[from..to], from..) |t, i| {
            line("start ", i, t.name);
            one(init, t, i);
        }
        write(1, "end\n");
    } else {
        std.debug.print("usage: list | run FROM TO\n", .{});
        std.process.exit(2);
    }
}

fn number(text: []const u8) usize {
    return std.fmt.parseUnsigned(usize, text, 10) catch {
        std.debug.print("not a number: {s}\n", .{text});
        std.process.exit(2);
    };
}

fn one(init: Init, t: anytype, index: usize) void {
    testing.allocator_instance = if (safe_allocator) .init(std.heap.page_allocator, .{
        .canary = 0xc3a701ba,
        .check_write_after_free = true,
    }) else .{};
    if (has_init) {
        testing.environ = init.environ;
        testing.io_instance = .init(testing.allocator, .{
            .argv0 = .init(init.args),
            .environ = init.environ,
        });
    }
    testing.log_level = .warn;
    logged_errors = 0;

    const result = t.func();
    if (result) |_| {} else |err| {
        if (err != error.SkipZigTest) trace(@errorReturnTrace());
    }
    if (has_init) testing.io_instance.deinit();
    const left = testing.allocator_instance.deinit();
    const leaked = if (@TypeOf(left) == usize) left != 0 else left == .leak;

    if (result) |_| {
        if (leaked) {
            line("leak ", index, "");
        } else if (logged_errors != 0) {
            var buffer: [64]u8 = undefined;
            line("fail ", index, std.fmt.bufPrint(&buffer, "{d} errors logged", .{logged_errors}) catch unreachable);
        } else line("pass ", index, "");
    } else |err| switch (err) {
        error.SkipZigTest => line("skip ", index, ""),
        else => line("fail ", index, @errorName(err)),
    }
}

fn trace(found: anytype) void {
    const t = found orelse return;
    if (@hasDecl(std.debug, "dumpErrorReturnTrace")) {
        std.debug.dumpErrorReturnTrace(t);
    } else {
        std.debug.dumpStackTrace(t.*);
    }
}

/// One line in one write: a name may hold anything, the line may not.
fn line(word: []const u8, index: usize, rest: []const u8) void {
    var buffer: [4096]u8 = undefined;
    const head = std.fmt.bufPrint(&buffer, "{s}{d}{s}", .{ word, index, if (rest.len != 0) " " else "" }) catch unreachable;
    var len = head.len;
    for (rest) |c| {
        if (len == buffer.len - 1) break;
        buffer[len] = if (c < ' ') '?' else c;
        len += 1;
    }
    buffer[len] = '\n';
    write(1, buffer[0 .. len + 1]);
    if (word.len != 0 and word[0] == 's' and word[1] == 't') write(2, buffer[0 .. len + 1]);
}

fn write(fd: i32, text: []const u8) void {
    _ = std.os.linux.write(fd, text.ptr, text.len);
}

pub fn log(
    comptime level: std.log.Level,
    comptime scope: @TypeOf(.scope),
    comptime format: []const u8,
    args: anytype,
) void {
    if (level == .err) logged_errors += 1;
    switch (level) {
        .err, .warn => if (testing.log_level == .err and level == .warn) return,
        .info => if (testing.log_level == .err or testing.log_level == .warn) return,
        .debug => if (testing.log_level != .debug) return,
    }
    std.debug.print("[" ++ @tagName(scope) ++ "] (" ++ @tagName(level) ++ "): " ++ format ++ "\n", args);
}

/// What std.testing.fuzz calls: the inputs it is given and an empty one.
pub fn fuzz(context: anytype, comptime testOne: anytype, options: testing.FuzzInputOptions) anyerror!void {
    for (options.corpus) |input| try fuzzOne(context, testOne, input);
    try fuzzOne(context, testOne, "");
}

fn fuzzOne(context: anytype, comptime testOne: anytype, input: []const u8) anyerror!void {
    if (@hasDecl(testing, "Smith")) { // Zig 0.16
        var smith: testing.Smith = .{ .in = input };
        try testOne(context, &smith);
    } else try testOne(context, input);
}
