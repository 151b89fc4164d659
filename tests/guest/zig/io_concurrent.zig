//! SPDX-License-Identifier: BSD-3-Clause
//!
//! std.Io.Threaded of Zig 0.17: futures, groups, queues, locks, timeouts, and the
//! cancelling of calls that block (a signal and EINTR); a child that cannot be.
//! timeout: 60
//! native: skip Linux has more than one process
//! expect-stdout: async 42
//! expect-stdout: group 100
//! expect-stdout: queue 4950
//! expect-stdout: counted 8000
//! expect-stdout: sleep Canceled
//! expect-stdout: read Canceled
//! expect-stdout: futex Canceled
//! expect-stdout: condition Canceled
//! expect-stdout: lock Canceled
//! expect-stdout: accept Canceled
//! expect-stdout: datagram Timeout
//! expect-stdout: select slept
//! expect-stdout: spawn OperationUnsupported
//! expect-stdout: replace AccessDenied
//! expect-stdout: finished
//! expect-stderr-contains: system call fork (57) needs a second process
const std = @import("std");
const Io = std.Io;

fn say(comptime format: []const u8, args: anytype) void {
    var buffer: [256]u8 = undefined;
    const text = std.fmt.bufPrint(&buffer, format ++ "\n", args) catch unreachable;
    _ = std.os.linux.write(1, text.ptr, text.len);
}

const second: Io.Duration = .fromSeconds(1);
const short: Io.Duration = .fromMilliseconds(20);

pub fn main(init: std.process.Init) !void {
    const io = init.io;
    try futures(io);
    try cancels(io);
    try timeouts(io);
    if (std.process.spawn(io, .{ .argv = &.{"/proc/self/exe"} })) |_| say("spawned", .{}) else |e| say("spawn {t}", .{e});
    say("replace {t}", .{std.process.replace(io, .{ .argv = &.{"/proc/self/exe"} })});
    say("finished", .{});
}

fn answer() u32 {
    return 42;
}

var count: u32 = 0;
var mutex: Io.Mutex = .init;

fn add(io: Io, times: u32) void {
    for (0..times) |_| {
        mutex.lockUncancelable(io);
        count += 1;
        mutex.unlock(io);
    }
}

fn produce(io: Io, q: *Io.Queue(u32)) void {
    for (0..100) |i| q.putOneUncancelable(io, @intCast(i)) catch unreachable;
    q.close(io);
}

fn futures(io: Io) !void {
    var future = io.async(answer, .{});
    say("async {d}", .{future.await(io)});

    var group: Io.Group = .init;
    for (0..10) |_| group.async(io, add, .{ io, 10 });
    try group.await(io);
    say("group {d}", .{count});

    var buffer: [8]u32 = undefined;
    var q: Io.Queue(u32) = .init(&buffer);
    var producer = try io.concurrent(produce, .{ io, &q });
    var sum: u32 = 0;
    while (q.getOne(io)) |n| sum += n else |_| {}
    producer.await(io);
    say("queue {d}", .{sum});

    count = 0;
    var all: [8]Io.Future(void) = undefined;
    for (&all) |*f| f.* = try io.concurrent(add, .{ io, 1000 });
    for (&all) |*f| f.await(io);
    say("counted {d}", .{count});
}

fn sleepLong(io: Io) !void {
    try io.sleep(.fromSeconds(100), .awake);
}

fn readForever(io: Io, file: Io.File) !void {
    var byte: [1]u8 = undefined;
    _ = try file.readStreaming(io, &.{&byte});
}

var word: u32 = 0;

fn waitWord(io: Io) !void {
    while (true) try io.futexWait(u32, &word, 0);
}

var condition: Io.Condition = .init;

fn waitCondition(io: Io) !void {
    try mutex.lock(io);
    defer mutex.unlock(io);
    while (true) try condition.wait(io, &mutex);
}

fn waitLock(io: Io, file: Io.File) !void {
    try file.lock(io, .exclusive);
}

fn acceptForever(io: Io, server: *Io.net.Server) !void {
    _ = try server.accept(io);
}

/// Cancelled while it blocks, not before: the pause is long enough even here.
fn cancelled(io: Io, what: []const u8, comptime f: anytype, args: anytype) !void {
    var future = try io.concurrent(f, args);
    try io.sleep(.fromMilliseconds(100), .awake);
    if (future.cancel(io)) |_| say("{s} came to an end", .{what}) else |e| say("{s} {t}", .{ what, e });
}

fn cancels(io: Io) !void {
    try cancelled(io, "sleep", sleepLong, .{io});
    var fds: [2]i32 = undefined;
    if (std.os.linux.pipe2(&fds, .{ .CLOEXEC = true }) != 0) return error.NoPipe;
    try cancelled(io, "read", readForever, .{ io, Io.File{ .handle = fds[0], .flags = .{ .nonblocking = false } } });
    try cancelled(io, "futex", waitWord, .{io});
    try cancelled(io, "condition", waitCondition, .{io});
    const path = "/tmp/zuk-io-lock";
    var held = try Io.Dir.createFileAbsolute(io, path, .{ .lock = .exclusive });
    var other = try Io.Dir.openFileAbsolute(io, path, .{ .mode = .read_write });
    try cancelled(io, "lock", waitLock, .{ io, other });
    held.close(io);
    other.close(io);
    Io.Dir.deleteFileAbsolute(io, path) catch {};
    const address: Io.net.IpAddress = .{ .ip4 = .loopback(0) };
    var server = try address.listen(io, .{});
    try cancelled(io, "accept", acceptForever, .{ io, &server });
    server.deinit(io);
}

const Either = union(enum) { slept: Io.Cancelable!void, waited: Io.Cancelable!void };

fn timeouts(io: Io) !void {
    const address: Io.net.IpAddress = .{ .ip4 = .loopback(0) };
    var socket = try address.bind(io, .{ .mode = .dgram });
    var buffer: [16]u8 = undefined;
    if (socket.receiveTimeout(io, &buffer, .{ .duration = .{ .raw = short, .clock = .awake } })) |_|
        say("datagram came", .{})
    else |e|
        say("datagram {t}", .{e});
    socket.close(io);

    var results: [2]Either = undefined;
    var select: Io.Select(Either) = .init(io, &results);
    try select.concurrent(.slept, Io.sleep, .{ io, short, .awake });
    try select.concurrent(.waited, waitWord, .{io});
    say("select {t}", .{std.meta.activeTag(try select.await())});
    while (select.cancel()) |_| {}
}
